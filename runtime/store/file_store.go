package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"reqon/vm/value"
)

// fileStore is one store's use of a file, with its own options.
type fileStore struct {
	f      *file
	opt    Options
	closed atomic.Bool
}

// wrap names the store in an error.
func (s *fileStore) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store %q: %w", s.f.name, err)
}

func (s *fileStore) Put(ctx context.Context, recs []Record, mode Mode) (Result, error) {
	if s.closed.Load() {
		return Result{}, s.wrap(ErrClosed)
	}
	if err := checkRecords(recs); err != nil {
		return Result{}, s.wrap(err)
	}
	if len(recs) == 0 {
		return Result{}, s.wrap(ctx.Err())
	}
	enc := s.f.dir.scratch.encode(recs)
	defer s.f.dir.scratch.done(enc)
	var res Result
	err := s.f.write(ctx, s.opt, toCreate, func(c *change) (err error) {
		enc.rewind(recs)
		res, err = c.putAll(recs, enc, mode, s.opt.Keep)
		return err
	})
	if err != nil {
		return Result{}, s.wrap(err)
	}
	return res, nil
}

func (s *fileStore) Get(ctx context.Context, key string) (value.Value, bool, error) {
	if s.closed.Load() {
		return value.Value{}, false, s.wrap(ErrClosed)
	}
	v, ok, err := s.f.get(ctx, s.opt, key)
	return v, ok, s.wrap(err)
}

// look calls fn with the index, current and free of expired records.
func (s *fileStore) look(ctx context.Context, fn func(ix *index)) error {
	if s.closed.Load() {
		return s.wrap(ErrClosed)
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
	err = s.look(ctx, func(ix *index) { _, _, ok = ix.find(key) })
	return ok, err
}

func (s *fileStore) Len(ctx context.Context) (n int, err error) {
	err = s.look(ctx, func(ix *index) { n = ix.live })
	return n, err
}

func (s *fileStore) Each(ctx context.Context, fn func(key string, v value.Value) error) error {
	if s.closed.Load() {
		return s.wrap(ErrClosed)
	}
	err := s.f.each(ctx, s.opt, fn)
	var cb *callbackError
	if errors.As(err, &cb) {
		return cb.error
	}
	return s.wrap(err)
}

func (s *fileStore) Delete(ctx context.Context, key string) (bool, error) {
	if s.closed.Load() {
		return false, s.wrap(ErrClosed)
	}
	var found bool
	err := s.f.write(ctx, s.opt, toChange, func(c *change) error {
		var i uint32
		if i, _, found = c.ix.find(key); found {
			return c.remove(i)
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
		return 0, s.wrap(ErrClosed)
	}
	var n int
	err := s.f.write(ctx, s.opt, toChange, func(c *change) error {
		if n = c.ix.live; n > 0 {
			c.ix.clear()
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
		return s.wrap(ErrClosed)
	}
	return s.wrap(s.f.sync(ctx))
}

func (s *fileStore) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.f.dir.leave(s.f)
}
