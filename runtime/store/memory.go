package store

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"reqon/vm/value"
)

// memory is a store that ends with the process. It holds records as JSON: a
// fraction of the memory of their values, nothing for the garbage collector to
// look through, and the same answers as a file store gives.
type memory struct {
	opt     Options
	scratch *scratch

	mu     sync.RWMutex
	ix     *index
	data   arena
	stored int64 // bytes in data, dead ones included
	doing  change
	closed bool
}

// dataArenaShift makes chunks of 32 KiB, so that a record that someone keeps
// doesn't hold much more than itself.
const dataArenaShift = 15

// NewMemory returns an empty store in memory. Values read from it are made
// with shapes.
func NewMemory(shapes *value.Shapes, opt Options) Store {
	return &memory{
		opt:     opt,
		scratch: newScratch(shapes),
		ix:      newIndex(opt.TTL > 0),
		data:    arena{shift: dataArenaShift},
	}
}

func (m *memory) raw(e entry) ([]byte, error) {
	return m.data.get(uint64(e.offset()), int(e.size)), nil
}

func (m *memory) put(_ string, json []byte) (uint64, error) {
	m.stored += int64(len(json))
	return arenaPut(&m.data, json) << locShift, nil
}

func (m *memory) touch(string) error { return nil }
func (m *memory) drop(string) error  { return nil }

// write lets fn change the store alone, after expired records are gone.
func (m *memory) write(ctx context.Context, fn func(c *change) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	c := &m.doing
	c.begin(m.ix, m, m.scratch, m.opt.nowMilli())
	defer c.end()
	if cutoff, ok := m.opt.cutoff(); ok {
		if err := c.expire(cutoff); err != nil {
			return err
		}
	}
	if err := fn(c); err != nil {
		return err
	}
	m.tidy()
	return nil
}

// tidy copies the live records together when the dead ones take more room.
func (m *memory) tidy() {
	if m.stored < 2*m.ix.liveBytes+1<<20 && !m.ix.wasteful() {
		return
	}
	data := arena{shift: dataArenaShift}
	m.stored = 0
	m.ix = m.ix.rebuilt(func(e entry) entry {
		b, _ := m.raw(e)
		e.loc = arenaPut(&data, b) << locShift
		m.stored += int64(len(b))
		return e
	})
	m.data = data
}

// read lets fn look at the store beside other readers, after expired records
// are gone.
func (m *memory) read(ctx context.Context, fn func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cutoff, expires := m.opt.cutoff()
	m.mu.RLock()
	if expires && !m.closed && m.ix.ages.expired(cutoff) {
		m.mu.RUnlock()
		if err := m.write(ctx, func(*change) error { return nil }); err != nil {
			return err
		}
		m.mu.RLock()
	}
	defer m.mu.RUnlock()
	if m.closed {
		return ErrClosed
	}
	return fn()
}

func (m *memory) Put(ctx context.Context, recs []Record, mode Mode) (Result, error) {
	var res Result
	if err := checkRecords(recs); err != nil {
		return res, err
	}
	enc := m.scratch.encode(recs)
	defer m.scratch.done(enc)
	err := m.write(ctx, func(c *change) (err error) {
		if err := m.check(recs, enc, mode); err != nil {
			return err
		}
		res, err = c.putAll(recs, enc, mode, m.opt.Keep)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return res, nil
}

// check makes sure that no record of a batch will be refused after others of
// it have been stored: here nothing could take those back.
func (m *memory) check(recs []Record, enc *encoded, mode Mode) error {
	total := 0
	for i := range recs {
		json := enc.record(recs, i)
		if err := checkJSON(recs[i].Key, json); err != nil {
			return err
		}
		if total += len(json); total > maxRecord {
			return fmt.Errorf("a batch for a store in memory can't be larger than %d bytes of JSON", maxRecord)
		}
		if mode == Replace {
			continue
		}
		if n, _, ok := m.ix.find(recs[i].Key); ok && m.ix.at(n).size > maxRecord {
			return fmt.Errorf("the record %q is too large to merge with: %d bytes of JSON", recs[i].Key, m.ix.at(n).size)
		}
	}
	enc.rewind(recs)
	return nil
}

func (m *memory) Get(ctx context.Context, key string) (value.Value, bool, error) {
	var raw []byte
	err := m.read(ctx, func() error {
		if i, _, ok := m.ix.find(key); ok {
			raw, _ = m.raw(m.ix.at(i))
		}
		return nil
	})
	if err != nil || raw == nil {
		return value.Value{}, false, err
	}
	// A copy, so that a value that is kept doesn't hold the chunk.
	v, err := m.scratch.decode(bytes.Clone(raw))
	return v, err == nil, err
}

func (m *memory) Has(ctx context.Context, key string) (bool, error) {
	var ok bool
	err := m.read(ctx, func() error {
		_, _, ok = m.ix.find(key)
		return nil
	})
	return ok, err
}

func (m *memory) Len(ctx context.Context) (int, error) {
	var n int
	err := m.read(ctx, func() error {
		n = m.ix.live
		return nil
	})
	return n, err
}

func (m *memory) Each(ctx context.Context, fn func(key string, v value.Value) error) error {
	if err := m.read(ctx, func() error { return nil }); err != nil {
		return err
	}
	m.mu.Lock()
	ix, data := m.ix, m.data
	v := ix.freeze()
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		ix.thaw()
		m.mu.Unlock()
	}()
	dec := m.scratch.decoder()
	defer m.scratch.release(dec)
	for i := range v.n {
		e := v.at(i)
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if e.loc&dead != 0 {
			continue
		}
		rec, err := decodeRecord(dec, data.get(uint64(e.offset()), int(e.size)))
		if err != nil {
			return err
		}
		if err := fn(v.key(e), rec); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) Delete(ctx context.Context, key string) (bool, error) {
	var found bool
	err := m.write(ctx, func(c *change) error {
		var i uint32
		if i, _, found = c.ix.find(key); found {
			return c.remove(i)
		}
		return nil
	})
	return found, err
}

func (m *memory) Clear(ctx context.Context) (int, error) {
	var n int
	err := m.write(ctx, func(*change) error {
		n = m.ix.live
		m.ix.clear()
		m.data, m.stored = arena{shift: dataArenaShift}, 0
		return nil
	})
	return n, err
}

func (m *memory) Sync(ctx context.Context) error {
	return m.read(ctx, func() error { return nil })
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.ix.clear()
	m.data = arena{shift: dataArenaShift}
	return nil
}
