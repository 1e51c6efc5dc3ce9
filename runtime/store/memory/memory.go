// Package memory keeps the records of stores in memory, for as long as the run
// lasts (language definition, section 5).
package memory

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// adapter opens stores that share nothing.
type adapter struct{ shapes *value.Shapes }

// New returns the adapter.
func New(env store.Env) (store.Adapter, error) { return adapter{env.Shapes}, nil }

// Open returns an empty store.
func (a adapter) Open(_ context.Context, d *store.Declaration) (store.Store, error) {
	return NewStore(a.shapes, d.Options), nil
}

// Close does nothing.
func (adapter) Close() error { return nil }

// memory is a store that ends with the process. It holds records as JSON: a
// fraction of the memory of their values, nothing for the garbage collector to
// look through, and the same answers as a file store gives.
type memory struct {
	opt     store.Options
	scratch *table.Scratch

	mu     sync.RWMutex
	ix     *table.Index
	data   table.Arena
	stored int64 // bytes in data, dead ones included
	doing  table.Change
	closed bool
}

// dataArenaShift makes chunks of 32 KiB, so that a record that someone keeps
// doesn't hold much more than itself.
const dataArenaShift = 15

// NewStore returns an empty store in memory. Values read from it are made with
// shapes.
func NewStore(shapes *value.Shapes, opt store.Options) store.Store {
	return &memory{
		opt:     opt,
		scratch: table.NewScratch(shapes),
		ix:      table.NewIndex(opt.TTL > 0),
		data:    table.Arena{Shift: dataArenaShift},
	}
}

func (m *memory) Raw(e table.Entry) ([]byte, error) {
	return m.data.Get(uint64(e.Offset()), int(e.Size)), nil
}

func (m *memory) Append(_ string, json []byte) (uint64, error) {
	m.stored += int64(len(json))
	return table.ArenaPut(&m.data, json) << table.LocShift, nil
}

func (m *memory) Touch(string) error { return nil }
func (m *memory) Drop(string) error  { return nil }

// write lets fn change the store alone, after expired records are gone.
func (m *memory) write(ctx context.Context, fn func(c *table.Change) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return store.ErrClosed
	}
	c := &m.doing
	c.Begin(m.ix, m, m.scratch, m.opt.NowMilli())
	defer c.End()
	if cutoff, ok := m.opt.Cutoff(); ok {
		if err := c.Expire(cutoff); err != nil {
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
	if m.stored < 2*m.ix.LiveBytes+1<<20 && !m.ix.Wasteful() {
		return
	}
	data := table.Arena{Shift: dataArenaShift}
	m.stored = 0
	m.ix = m.ix.Rebuilt(func(e table.Entry) table.Entry {
		b, _ := m.Raw(e)
		e.Loc = table.ArenaPut(&data, b) << table.LocShift
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
	cutoff, expires := m.opt.Cutoff()
	m.mu.RLock()
	if expires && !m.closed && m.ix.Ages.Expired(cutoff) {
		m.mu.RUnlock()
		if err := m.write(ctx, func(*table.Change) error { return nil }); err != nil {
			return err
		}
		m.mu.RLock()
	}
	defer m.mu.RUnlock()
	if m.closed {
		return store.ErrClosed
	}
	return fn()
}

func (m *memory) Put(ctx context.Context, batch store.Batch) (store.Result, error) {
	recs, mode := batch.Records, batch.Conflict
	var res store.Result
	if err := store.CheckRecords(recs); err != nil {
		return res, err
	}
	enc := m.scratch.Encode(recs)
	defer m.scratch.Done(enc)
	err := m.write(ctx, func(c *table.Change) (err error) {
		if err := m.check(recs, enc, mode); err != nil {
			return err
		}
		res, err = c.PutAll(recs, enc, mode, m.opt.Keep)
		return err
	})
	if err != nil {
		return store.Result{}, err
	}
	return res, nil
}

// check makes sure that no record of a batch will be refused after others of
// it have been stored: here nothing could take those back.
func (m *memory) check(recs []store.Record, enc *table.Encoded, mode store.Conflict) error {
	total := 0
	for i := range recs {
		json := enc.Record(recs, i)
		if err := table.CheckJSON(recs[i].Key, json); err != nil {
			return err
		}
		if total += len(json); total > store.MaxRecord {
			return fmt.Errorf("a batch for a store in memory can't be larger than %d bytes of JSON", store.MaxRecord)
		}
		if mode == store.Overwrite {
			continue
		}
		if n, _, ok := m.ix.Find(recs[i].Key); ok && m.ix.At(n).Size > store.MaxRecord {
			return fmt.Errorf("the record %q is too large to merge with: %d bytes of JSON", recs[i].Key, m.ix.At(n).Size)
		}
	}
	enc.Rewind(recs)
	return nil
}

func (m *memory) Get(ctx context.Context, key string) (value.Value, bool, error) {
	var raw []byte
	err := m.read(ctx, func() error {
		if i, _, ok := m.ix.Find(key); ok {
			raw, _ = m.Raw(m.ix.At(i))
		}
		return nil
	})
	if err != nil || raw == nil {
		return value.Value{}, false, err
	}
	// A copy, so that a value that is kept doesn't hold the chunk.
	v, err := m.scratch.Decode(bytes.Clone(raw))
	return v, err == nil, err
}

func (m *memory) Has(ctx context.Context, key string) (bool, error) {
	var ok bool
	err := m.read(ctx, func() error {
		_, _, ok = m.ix.Find(key)
		return nil
	})
	return ok, err
}

func (m *memory) Len(ctx context.Context) (int, error) {
	var n int
	err := m.read(ctx, func() error {
		n = m.ix.Live
		return nil
	})
	return n, err
}

func (m *memory) reader(ctx context.Context, cursor string) (*table.Reader, error) {
	if err := m.read(ctx, func() error { return nil }); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ix, data := m.ix, m.data
	r := table.NewReader(ix, m.scratch,
		func(e table.Entry) ([]byte, error) { return data.Get(uint64(e.Offset()), int(e.Size)), nil },
		func(_ string, err error) error { return err },
		func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			ix.Thaw()
		})
	r.Start(ix, cursor)
	return r, nil
}

// Page reads records behind the cursor.
func (m *memory) Page(ctx context.Context, cursor string, limit int, _ *store.Filter) (store.Page, error) {
	r, err := m.reader(ctx, cursor)
	if err != nil {
		return store.Page{}, err
	}
	return r.Page(ctx, limit)
}

// View gives the records as they are.
func (m *memory) View(ctx context.Context, _ *store.Filter) (store.View, error) {
	r, err := m.reader(ctx, "")
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (m *memory) Delete(ctx context.Context, key string) (bool, error) {
	var found bool
	err := m.write(ctx, func(c *table.Change) error {
		var i uint32
		if i, _, found = c.Ix.Find(key); found {
			return c.Remove(i)
		}
		return nil
	})
	return found, err
}

func (m *memory) Clear(ctx context.Context) (int, error) {
	var n int
	err := m.write(ctx, func(*table.Change) error {
		n = m.ix.Live
		m.ix.Clear()
		m.data, m.stored = table.Arena{Shift: dataArenaShift}, 0
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
	m.ix.Clear()
	m.data = table.Arena{Shift: dataArenaShift}
	return nil
}
