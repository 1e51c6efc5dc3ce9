// Package store keeps the records of a mission's stores: in memory for as long
// as the process lives, or in JSON files under the state folder (language
// definition, section 6.4).
//
// # What every store promises
//
// A store maps keys (text) to records (objects) and remembers the order in
// which keys were first stored. A Put is one batch: all of it is stored or
// none. A record that is not there any more and is stored again is a new one
// and goes to the end.
//
// What comes back from a store is what JSON carries: a timestamp that was put
// is text when it is read, in every kind of store alike.
//
// # Files of a file store
//
// For the target "exports/orders" the folder exports holds
//
//	orders.json       the records, as of the last Sync: one JSON object by key,
//	                  one record a line; replaced as a whole, never in part
//	.orders.journal   the batches finished since then
//	.orders.lock      held while a process works on the other two
//	.orders.queue     held by who waits for the lock; made when a process first
//	                  has to wait
//
// A batch is appended to the journal with one write before Put returns, so a
// process killed at any moment loses no batch that was finished. The journal
// reaches the disk itself about a second later and at Sync; a power cut can
// therefore take back what was put since the last Sync, which is why a sync
// position must be saved only after Sync has returned: what was lost will
// then be fetched again.
//
// # Several processes
//
// Processes share a store: each sees what the others have finished, and they
// take turns in changing it. A process that has changed a store keeps the lock
// for a few milliseconds, so that the next change costs one write and nothing
// else; while others wait, for 20 at a time. The lock ends with its process,
// however that ends, but not while a process is stopped (SIGSTOP, Ctrl-Z) right
// after a change: others that want to change the same store wait until it goes
// on. Reading never waits for a change in progress, save for the first read of
// a store and the first after its .json was replaced.
//
// # Editing a file by hand
//
// The .json file may be edited or replaced while nothing runs, and is then the
// truth. A journal with finished batches in it, left there by a process that
// was killed before it could write the .json, is applied on top of the file as
// it is found (puts, deletes and clears, in order), and a notice says so. A
// file that can't be read as an object of objects is an error and is never
// overwritten. An edit made while a process works on the store counts from that
// process's next Sync on, or sooner; what the process put since its last Sync
// goes on top of it. Files that are removed then are written anew by the
// process, at its next change that comes 20 milliseconds later, or its next
// Sync.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"reqon/vm/value"
)

// Record is an object under its key. The key must be valid UTF-8.
type Record struct {
	Key   string
	Value value.Value
}

// Mode says what a Put does to a record whose key is there (language
// definition, section 6.4).
type Mode uint8

const (
	// Replace puts the new record in the old one's place in the order.
	Replace Mode = iota
	// Merge keeps the old record's top-level fields that the new one has not.
	Merge
)

// Result counts what a Put did, record by record: a key that comes twice in
// one batch counts twice. A record is unchanged if its JSON is, byte for byte.
type Result struct {
	Inserted, Updated, Unchanged int
}

// Store holds records by key. All methods are safe for concurrent use. The
// context ends waiting (for another task, or another process); a batch that
// has begun to be written is finished.
type Store interface {
	// Put stores a batch, all or nothing. Where a key comes twice, the later
	// record applies on top of the earlier.
	Put(ctx context.Context, recs []Record, mode Mode) (Result, error)
	// Get returns the record under key, and whether there is one.
	Get(ctx context.Context, key string) (value.Value, bool, error)
	// Has reports whether there is a record under key.
	Has(ctx context.Context, key string) (bool, error)
	// Len counts the records without reading them.
	Len(ctx context.Context) (int, error)
	// Each calls fn for every record, in the order in which the keys were
	// first stored, as the store was when Each began. fn may use the store.
	// An error of fn ends Each and is returned as it is.
	Each(ctx context.Context, fn func(key string, v value.Value) error) error
	// Delete removes one record and reports whether it was there.
	Delete(ctx context.Context, key string) (bool, error)
	// Clear removes all records and returns how many there were.
	Clear(ctx context.Context) (int, error)
	// Sync returns when all that was put is on disk for good and, in a file
	// store, the .json file shows it. In memory it does nothing.
	Sync(ctx context.Context) error
	// Close syncs and gives the store up. Further calls fail with ErrClosed;
	// closing again does nothing.
	Close() error
}

// Options are a store's options in the language (section 6.4).
type Options struct {
	// Keep is how many records are kept, 0 for all. Beyond it, those whose
	// keys were first stored longest ago are removed at the end of a Put.
	Keep int
	// TTL is how long after its last write a record is gone, 0 for never.
	// Storing an unchanged record is a write. Expired records are removed at
	// the next read or write. In a file store the times of writing outlive
	// the process, to the millisecond. Records of a file that was written
	// without times, or edited by hand, count as written when the file was.
	TTL time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (o Options) nowMilli() int64 {
	if o.Now != nil {
		return o.Now().UnixMilli()
	}
	return time.Now().UnixMilli()
}

// cutoff returns the time before which records have expired, and whether
// records expire at all.
func (o Options) cutoff() (int64, bool) {
	if o.TTL <= 0 {
		return 0, false
	}
	return o.nowMilli() - o.TTL.Milliseconds(), true
}

// ErrClosed is returned by every use of a store after its Close.
var ErrClosed = errors.New("the store is closed")

// maxRecord is the largest record or key, in bytes of JSON. It keeps sizes
// within 32 bits; responses are cut off far below it.
const maxRecord = 1 << 30

// checkRecords refuses a batch with a record that can't be stored, before any
// of it is.
func checkRecords(recs []Record) error {
	for i := range recs {
		if k := recs[i].Value.Kind(); k != value.Object {
			return fmt.Errorf("record %d of %d (key %q) is %s; only objects can be stored", i+1, len(recs), recs[i].Key, value.Describe(recs[i].Value))
		}
		if err := checkKey(recs[i].Key); err != nil {
			return fmt.Errorf("record %d of %d: %w", i+1, len(recs), err)
		}
		if deeper(recs[i].Value, value.MaxDepth) {
			return fmt.Errorf("record %d of %d (key %q) nests deeper than %d levels, which could not be read again", i+1, len(recs), recs[i].Key, value.MaxDepth)
		}
	}
	return nil
}

// deeper reports whether v nests deeper than limit levels.
func deeper(v value.Value, limit int) bool {
	var within []value.Value
	switch v.Kind() {
	case value.Object:
		within = v.Obj().Slots()
	case value.Array:
		within = v.Elems()
	default:
		return false
	}
	if limit == 0 {
		return true
	}
	for _, e := range within {
		if k := e.Kind(); (k == value.Object || k == value.Array) && deeper(e, limit-1) {
			return true
		}
	}
	return false
}

func checkKey(key string) error {
	if len(key) > maxRecord {
		return fmt.Errorf("a key of %d bytes is too long; the limit is %d", len(key), maxRecord)
	}
	if !utf8.ValidString(key) {
		return fmt.Errorf("the key %q is not valid UTF-8", key)
	}
	return nil
}
