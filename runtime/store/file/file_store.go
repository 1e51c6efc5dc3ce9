package file

import (
	"context"
	"fmt"
	"sync/atomic"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// fileStore is one store's use of a file, with its own options.
type fileStore struct {
	f      *file
	opt    store.Options
	closed atomic.Bool
}

// wrap names the store in an error.
func (s *fileStore) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store %q: %w", s.f.name, err)
}

func (s *fileStore) Put(ctx context.Context, batch store.Batch) (store.Result, error) {
	recs, mode := batch.Records, batch.Conflict
	if s.closed.Load() {
		return store.Result{}, s.wrap(store.ErrClosed)
	}
	if err := store.CheckRecords(recs); err != nil {
		return store.Result{}, s.wrap(err)
	}
	if len(recs) == 0 {
		return store.Result{}, s.wrap(ctx.Err())
	}
	enc := s.f.dir.scratch.Encode(recs)
	defer s.f.dir.scratch.Done(enc)
	var res store.Result
	err := s.f.write(ctx, s.opt, toCreate, func(c *table.Change) (err error) {
		enc.Rewind(recs)
		res, err = c.PutAll(recs, enc, mode, s.opt.Keep)
		return err
	})
	if err != nil {
		return store.Result{}, s.wrap(err)
	}
	return res, nil
}

func (s *fileStore) Get(ctx context.Context, key string) (value.Value, bool, error) {
	if s.closed.Load() {
		return value.Value{}, false, s.wrap(store.ErrClosed)
	}
	v, ok, err := s.f.get(ctx, s.opt, key)
	return v, ok, s.wrap(err)
}

// look calls fn with the index, current and free of expired records.
func (s *fileStore) look(ctx context.Context, fn func(ix *table.Index)) error {
	if s.closed.Load() {
		return s.wrap(store.ErrClosed)
	}
	if err := s.f.fresh(ctx, s.opt); err != nil {
		return s.wrap(err)
	}
	s.f.mu.RLock()
	defer s.f.mu.RUnlock()
	fn(s.f.ix)
	return nil
}

func (s *fileStore) Has(ctx context.Context, key string) (ok bool, err error) {
	err = s.look(ctx, func(ix *table.Index) { _, _, ok = ix.Find(key) })
	return ok, err
}

func (s *fileStore) Len(ctx context.Context) (n int, err error) {
	err = s.look(ctx, func(ix *table.Index) { n = ix.Live })
	return n, err
}

// view is a list of the store's records whose errors name the store.
type view struct {
	s *fileStore
	r *table.Reader
}

func (v view) Next(ctx context.Context, limit int) ([]store.Record, error) {
	recs, err := v.r.Next(ctx, limit)
	return recs, v.s.wrap(err)
}

func (v view) Close() error { return v.r.Close() }

func (s *fileStore) reader(ctx context.Context, cursor string) (*table.Reader, error) {
	if s.closed.Load() {
		return nil, s.wrap(store.ErrClosed)
	}
	r, err := s.f.reader(ctx, s.opt, cursor)
	return r, s.wrap(err)
}

func (s *fileStore) Page(ctx context.Context, cursor string, limit int, _ *store.Filter) (store.Page, error) {
	r, err := s.reader(ctx, cursor)
	if err != nil {
		return store.Page{}, err
	}
	p, err := r.Page(ctx, limit)
	return p, s.wrap(err)
}

func (s *fileStore) View(ctx context.Context, _ *store.Filter) (store.View, error) {
	r, err := s.reader(ctx, "")
	if err != nil {
		return nil, err
	}
	return view{s, r}, nil
}

func (s *fileStore) Delete(ctx context.Context, key string) (bool, error) {
	if s.closed.Load() {
		return false, s.wrap(store.ErrClosed)
	}
	var found bool
	err := s.f.write(ctx, s.opt, toChange, func(c *table.Change) error {
		var i uint32
		if i, _, found = c.Ix.Find(key); found {
			return c.Remove(i)
		}
		return nil
	})
	if err = orEmpty(err); err != nil {
		return false, s.wrap(err)
	}
	return found, nil
}

func (s *fileStore) Clear(ctx context.Context) (int, error) {
	if s.closed.Load() {
		return 0, s.wrap(store.ErrClosed)
	}
	var n int
	err := s.f.write(ctx, s.opt, toChange, func(c *table.Change) error {
		if n = c.Ix.Live; n > 0 {
			c.Ix.Clear()
			s.f.batch.clear()
		}
		return nil
	})
	if err = orEmpty(err); err != nil {
		return 0, s.wrap(err)
	}
	return n, nil
}

func (s *fileStore) Sync(ctx context.Context) error {
	if s.closed.Load() {
		return s.wrap(store.ErrClosed)
	}
	return s.wrap(s.f.sync(ctx))
}

func (s *fileStore) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.f.dir.leave(s.f)
}
