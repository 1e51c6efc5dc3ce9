// Package store is the contract between a run and the places where its records
// end: memory, files, databases (language definition, section 6.4).
//
// # Words
//
// An Adapter is a kind of place (`file`, `sqlite`, `postgres`). It is made once
// an engine, when a mission first uses it, and keeps what all runs share: pools
// of connections, prepared statements, open files. For each store of each run it
// opens a Store, the session of that run: the run closes it at its end.
//
// A Store maps keys (text) to records (objects) and remembers the order in which
// keys were first stored. A Put is one batch. What comes back is what JSON
// carries: a timestamp that was put is text when it is read.
//
// # How to write an adapter
//
//   - A folder below this one, and a function of type New in it. New and the
//     package's variables do no work: whoever does not use the adapter pays
//     nothing for it. The name goes into package store/all, which hands the
//     adapters to the engine, and into the compiler's table of adapters, which
//     says what options and modes it has.
//   - Open is called before the run's first request. It connects, and holds what
//     it finds against the Declaration: what is wrong there is a *ConfigError,
//     and nothing has been asked of anybody yet. Where Declaration.DryRun is set
//     it must change nothing. A place that can't be reached now is an
//     *Unavailable: the run is recorded as failed, and nothing is lost.
//   - Put is all or nothing, and safe against others who write to the same
//     place: no update is lost in a merge. Batch.Conflict says what happens to
//     a key that is there. CheckRecords refuses what no store can hold; what
//     this place can't hold exactly is a *RecordError that names record, field
//     and column. It is never clipped, rounded or made null.
//   - Page reads by a cursor of plain text. The cursor must mean the same in
//     another process and after other records were stored, changed or deleted:
//     a number in the order of storing, or a key, but not an offset. A loop
//     over a store goes through View, which is the list as it was at its
//     beginning; an adapter that has no such thing returns Spool's.
//   - A Filter may be passed over, wholly or in part: who asks filters what he
//     gets by himself. An adapter may only leave out what surely does not pass.
//   - Errors name the place and say what to do. They hold no password.
//   - Package store/storetest is the suite that every adapter passes; it says in
//     code what the sentences here say in words.
package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"reqon/vm/value"
)

// Record is an object under its key. The key must be valid UTF-8.
type Record struct {
	Key   string
	Value value.Value
}

// Conflict says what a Put does to a record whose key is there (language
// definition, section 6.4).
type Conflict uint8

const (
	// Overwrite puts the new record in the old one's place in the order.
	Overwrite Conflict = iota
	// MergeFields keeps the old record's top-level fields that the new one has
	// not.
	MergeFields
)

// Batch is what one `store` step writes: all of it, or nothing.
type Batch struct {
	// Records are stored in their order. Where a key comes twice, the later
	// record applies on top of the earlier.
	Records  []Record
	Conflict Conflict
	// Effect names the step that writes the batch, the same if it is repeated
	// after a crash; "" where nothing names it. An adapter that can keeps it in
	// the batch's own transaction, so that a step is not done twice.
	Effect string
}

// Result counts what a Put did, record by record: a key that comes twice in
// one batch counts twice. A record is unchanged if what is stored of it is: in
// stores that keep JSON, byte for byte; in columns, by value.
type Result struct {
	Inserted, Updated, Unchanged int
}

// Store holds records by key. All methods are safe for concurrent use. The
// context ends waiting (for another task, another process, a server); a batch
// that has begun to be written is finished, or undone.
type Store interface {
	// Put stores a batch, all or nothing. The error is a *BatchError where
	// records can't be stored as they are.
	Put(ctx context.Context, b Batch) (Result, error)
	// Get returns the record under key, and whether there is one.
	Get(ctx context.Context, key string) (value.Value, bool, error)
	// Has reports whether there is a record under key.
	Has(ctx context.Context, key string) (bool, error)
	// Len counts the records without reading them.
	Len(ctx context.Context) (int, error)
	// Page returns up to limit records behind the cursor, in the order in which
	// their keys were first stored, as they are now. The empty cursor begins. f
	// may be nil.
	Page(ctx context.Context, cursor string, limit int, f *Filter) (Page, error)
	// View returns the list of the records as it is now, whatever is done to
	// the store while it is read. f may be nil.
	View(ctx context.Context, f *Filter) (View, error)
	// Delete removes one record and reports whether it was there.
	Delete(ctx context.Context, key string) (bool, error)
	// Clear removes all records and returns how many there were.
	Clear(ctx context.Context) (int, error)
	// Sync returns when all that was put is stored for good: a process that is
	// killed, or a machine that loses power, loses none of it.
	Sync(ctx context.Context) error
	// Close syncs and gives the store up. Further calls fail with ErrClosed;
	// closing again does nothing.
	Close() error
}

// Beginner is a Store that can tell whether it holds what runs before this one
// have stored.
type Beginner interface {
	// Begins reports whether nothing was there when the store was opened. place
	// says what was not, as in `table "orders"`.
	Begins() (place string, begins bool)
}

// Page is a part of a store's records. Next is the cursor of what follows, ""
// at the end. A page may have fewer records than were asked for, or none, and
// not be the last.
type Page struct {
	Records []Record
	Next    string
}

// View is a list of records that does not change. It is for one task.
type View interface {
	// Next returns the next records, at most limit; none at the end. The slice
	// is the caller's until the next call.
	Next(ctx context.Context, limit int) ([]Record, error)
	// Close gives up what the view holds.
	Close() error
}

// New makes an adapter.
type New func(Env) (Adapter, error)

// Adapter opens the stores of one kind.
type Adapter interface {
	// Open opens a store for one run. See the package comment for its errors.
	Open(ctx context.Context, d *Declaration) (Store, error)
	// Close gives up what the adapter holds. All its stores are closed before.
	Close() error
}

// Designer is an Adapter whose stores are in tables.
type Designer interface {
	Adapter
	// Design gives the statements that make the table of a declaration, without
	// looking at what is there. It is not nil, and empty if others have made it.
	Design(d *Declaration) ([]string, error)
}

// Env is what an engine gives its adapters.
type Env struct {
	Shapes *value.Shapes    // records that are read are made of them
	Now    func() time.Time // nil is time.Now
	// Notice is told, in a sentence, what a person should know though it is no
	// error. Nil drops it.
	Notice func(message string)
}

// Declaration is a store as the mission declares it, for one run.
type Declaration struct {
	Mission string
	Name    string // of the store
	Run     string // id of the run
	Adapter string // its name in the language
	Target  string // what the adapter is given: a name, a path, an address; "" if nothing was
	Folder  string // of the mission: relative paths begin there
	DryRun  bool   // nothing may be changed
	Schema  *Schema
	Options Options
}

// Options are a store's options in the language (section 6.4), with their
// defaults. What an adapter has not, the compiler refuses.
type Options struct {
	// Keep is how many records are kept, 0 for all. Beyond it, those whose
	// keys were first stored longest ago are removed at the end of a Put.
	Keep int
	// TTL is how long after its last write a record is gone, 0 for never.
	// Storing an unchanged record is a write. Expired records are removed at
	// the next read or write. The times of writing outlive the process (but
	// in memory), to the millisecond. Records of a file that was written
	// without times, or edited by hand, count as written when the file was.
	TTL time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	Mode    Mode
	Table   string            // of a database, with its schema if named; "" is the store's name
	Strict  bool              // evolve: strict
	Columns map[string]string // field to the type of its column
	Key     []string          // the unique columns of a table that others have made
	Drop    bool              // extra: drop
	NUL     bool              // nul: replace
	Exact   bool              // json: exact

	MaxDelete MaxDelete

	Pool             int           // connections at most; 0 is the adapter's own default
	ConnectTimeout   time.Duration // 0 is the adapter's own default
	StatementTimeout time.Duration // 0 is none
	Retry            Retry
}

// Mode is how what a run stores meets what is there.
type Mode uint8

// The modes (language definition, section 6.4).
const (
	Merge   Mode = iota // by key, as the step says
	Append              // one record more, whatever its key
	Replace             // all at once, when the run has succeeded; see Replacer
	History             // a changed record is another row, and the old one is closed
)

// MaxDelete is how much a run with `mode: replace` may remove: a share of what is
// there, or a number of records. The zero value is half.
type MaxDelete struct {
	Share float64 // 0 where Count says it
	Count int
}

// Allows reports whether so many of those that are there may go.
func (m MaxDelete) Allows(there, gone int) bool {
	switch {
	case gone == 0:
		return true
	case m.Count > 0:
		return gone <= m.Count
	case m.Share == 0:
		m.Share = 0.5
	}
	return float64(gone) <= m.Share*float64(there)
}

// String says it as in "half of them".
func (m MaxDelete) String() string {
	switch {
	case m.Count > 0:
		return strconv.Itoa(m.Count)
	case m.Share == 0:
		return "50% of them"
	}
	return strconv.FormatFloat(m.Share*100, 'f', -1, 64) + "% of them"
}

// Replacer is a Store that can take the records of another one in the place of
// its own.
type Replacer interface {
	Store
	// Check refuses records that can't be stored as they are.
	Check(recs []Record) error
	// Replace makes the store hold the records of another one, in one
	// transaction: readers see what was there, or what is. Those that are there
	// already keep their places. allow is told how many are there and how many of
	// them will go, and its error ends it all.
	Replace(ctx context.Context, by Store, allow func(there, gone int) error) (res Result, removed int, err error)
}

// Retry is how what failed for a passing reason is tried again. Zero values
// take the defaults of a request's retry.
type Retry struct {
	MaxAttempts int // the first included
	Initial     time.Duration
	Max         time.Duration
}

// Schema is what a store's `schema` says: its fields, in their order.
type Schema struct {
	Name   string
	Fields []Field
}

// Field is one field of a Schema.
type Field struct {
	Name     string
	Type     Type
	Words    []string // the texts that it may be, if it is one of a few
	Optional bool     // may be missing or null
	Written  string   // the type as the mission writes it
}

// Type is the kind of values that a field takes.
type Type uint8

// The types of fields. Any takes all kinds.
const (
	Any Type = iota
	Text
	Int
	Number
	Boolean
	Date // a timestamp, or date text
	Array
	Object
)

// NowMilli is the time by the options' clock, in milliseconds since 1970.
func (o Options) NowMilli() int64 {
	if o.Now != nil {
		return o.Now().UnixMilli()
	}
	return time.Now().UnixMilli()
}

// Cutoff returns the time before which records have expired, in milliseconds
// since 1970, and whether records expire at all.
func (o Options) Cutoff() (int64, bool) {
	if o.TTL <= 0 {
		return 0, false
	}
	return o.NowMilli() - o.TTL.Milliseconds(), true
}

// ErrClosed is returned by every use of a store after its Close.
var ErrClosed = errors.New("the store is closed")

// ErrCursor is returned by Page for a cursor that it can't go on from.
var ErrCursor = errors.New("the store can't be read on from there: the record that comes next is gone")

// ConfigError is a mistake in a declaration, or in the place it names, that
// somebody has to mend: it is told before the run's first request.
type ConfigError struct{ Err error }

// Error returns the text of the mistake.
func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap returns the mistake.
func (e *ConfigError) Unwrap() error { return e.Err }

// Unavailable says that the place of a store can't be reached now.
type Unavailable struct{ Err error }

// Error returns why.
func (e *Unavailable) Error() string { return e.Err.Error() }

// Unwrap returns why.
func (e *Unavailable) Unwrap() error { return e.Err }

// RecordError says why a record can't be stored as it is.
type RecordError struct {
	Index  int    // in the batch
	Key    string // of the record
	Field  string // "" if it is about all of it
	Column string // "" if there is none
	Type   string // of the column
	Err    error
}

// Error names the field and the column; the record is named by BatchError.
func (e *RecordError) Error() string {
	var b strings.Builder
	if e.Field != "" {
		fmt.Fprintf(&b, "field %q: ", e.Field)
	}
	b.WriteString(e.Err.Error())
	if e.Column != "" {
		fmt.Fprintf(&b, " (column %q, %s)", e.Column, e.Type)
	}
	return b.String()
}

// Unwrap returns the reason.
func (e *RecordError) Unwrap() error { return e.Err }

// BatchError says which records of a batch could not be stored. Nothing of the
// batch was.
type BatchError struct {
	Total   int            // records in the batch
	Records []*RecordError // the first of each record that is refused
}

// maxShown is how many records an error tells of.
const maxShown = 5

// Error tells of the first few records.
func (e *BatchError) Error() string {
	var b strings.Builder
	for i, r := range e.Records[:min(len(e.Records), maxShown)] {
		if i > 0 {
			b.WriteString("; ")
		}
		if e.Total > 1 {
			fmt.Fprintf(&b, "record %d of %d ", r.Index+1, e.Total)
		} else {
			b.WriteString("record ")
		}
		fmt.Fprintf(&b, "(key %s): %s", shorten(r.Key), r)
	}
	if n := len(e.Records) - maxShown; n > 0 {
		fmt.Fprintf(&b, "; and %d more", n)
	}
	return b.String()
}

// shorten quotes a key, and cuts a long one.
func shorten(key string) string {
	const most = 100
	if len(key) <= most {
		return fmt.Sprintf("%q", key)
	}
	return fmt.Sprintf("%q… of %d bytes", key[:most], len(key))
}

// Unwrap returns the records' errors.
func (e *BatchError) Unwrap() []error {
	errs := make([]error, len(e.Records))
	for i, r := range e.Records {
		errs[i] = r
	}
	return errs
}

// MaxRecord is the largest record or key, in bytes of JSON. It keeps sizes
// within 32 bits; responses are cut off far below it.
const MaxRecord = 1 << 30

// CheckRecords refuses a batch with a record that can't be stored anywhere,
// before any of it is. The error is a *BatchError.
func CheckRecords(recs []Record) error {
	var refused []*RecordError
	for i := range recs {
		if err := checkRecord(&recs[i]); err != nil {
			refused = append(refused, &RecordError{Index: i, Key: recs[i].Key, Err: err})
		}
	}
	if refused == nil {
		return nil
	}
	return &BatchError{Total: len(recs), Records: refused}
}

func checkRecord(r *Record) error {
	if k := r.Value.Kind(); k != value.Object {
		return fmt.Errorf("it is %s; only objects can be stored", value.Describe(r.Value))
	}
	if len(r.Key) > MaxRecord {
		return fmt.Errorf("a key of %d bytes is too long; the limit is %d", len(r.Key), MaxRecord)
	}
	if !utf8.ValidString(r.Key) {
		return errors.New("the key is not valid UTF-8")
	}
	if deeper(r.Value, value.MaxDepth) {
		return fmt.Errorf("it nests deeper than %d levels, which could not be read again", value.MaxDepth)
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
