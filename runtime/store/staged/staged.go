// Package staged makes a store show what a run has stored all at once, at its
// end, or not at all (`mode: replace`, language definition, section 6.4).
//
// What the run stores waits in a database of SQLite that has no name: it is in
// memory while it is small, then in a file that the system removes with the
// process. Nothing of it is ever in the place of the store, so that a run that
// is killed leaves nothing there.
package staged

import (
	"context"
	"errors"
	"fmt"

	"reqon/runtime/store"
	"reqon/runtime/store/sqlite"
	"reqon/vm/value"
)

// Store is a store whose records come in the place of those of another one when
// Publish is called. Until then it reads as the other one does.
type Store struct {
	base  store.Store
	into  store.Replacer
	stage store.Store
	limit store.MaxDelete
}

// Replace returns a store that stages what replaces base's records. base must be
// a store.Replacer.
func Replace(ctx context.Context, base store.Store, d *store.Declaration, shapes *value.Shapes) (*Store, error) {
	into, ok := base.(store.Replacer)
	if !ok {
		return nil, &store.ConfigError{Err: errors.New("this adapter can't replace what is there; take `mode: replace` out")}
	}
	stage, err := sqlite.Temporary(ctx, store.Env{Shapes: shapes, Now: d.Options.Now}, d.Options.Keep)
	if err != nil {
		return nil, err
	}
	return &Store{base: base, into: into, stage: stage, limit: d.Options.MaxDelete}, nil
}

// Put stages a batch. What the other store can't hold is refused now.
func (s *Store) Put(ctx context.Context, b store.Batch) (store.Result, error) {
	if err := store.CheckRecords(b.Records); err != nil {
		return store.Result{}, err
	}
	if err := s.into.Check(b.Records); err != nil {
		return store.Result{}, err
	}
	return s.stage.Put(ctx, b)
}

// Publish puts what was staged in the place of what is there, in one step that
// nobody sees the middle of. It refuses to leave nothing, or to remove more than
// `maxDelete` allows.
func (s *Store) Publish(ctx context.Context) (res store.Result, removed int, err error) {
	n, err := s.stage.Len(ctx)
	if err != nil {
		return res, 0, err
	}
	if n == 0 {
		return res, 0, errors.New("nothing came to put in the place of what is there, which stays; if that is right, `clear` the store in a mission of its own")
	}
	return s.into.Replace(ctx, s.stage, func(there, gone int) error {
		if s.limit.Allows(there, gone) {
			return nil
		}
		return fmt.Errorf("%d of %d records would go, and `maxDelete` allows %s; what is there stays. If that is right, run once with a greater `maxDelete`", gone, there, s.limit)
	})
}

// Get reads what is there.
func (s *Store) Get(ctx context.Context, key string) (value.Value, bool, error) {
	return s.base.Get(ctx, key)
}

// Has looks at what is there.
func (s *Store) Has(ctx context.Context, key string) (bool, error) { return s.base.Has(ctx, key) }

// Len counts what is there.
func (s *Store) Len(ctx context.Context) (int, error) { return s.base.Len(ctx) }

// Page reads what is there.
func (s *Store) Page(ctx context.Context, cursor string, limit int, f *store.Filter) (store.Page, error) {
	return s.base.Page(ctx, cursor, limit, f)
}

// View lists what is there.
func (s *Store) View(ctx context.Context, f *store.Filter) (store.View, error) {
	return s.base.View(ctx, f)
}

// Delete takes a record back that was staged.
func (s *Store) Delete(ctx context.Context, key string) (bool, error) {
	return s.stage.Delete(ctx, key)
}

// Clear takes everything back that was staged.
func (s *Store) Clear(ctx context.Context) (int, error) { return s.stage.Clear(ctx) }

// Sync syncs what is there.
func (s *Store) Sync(ctx context.Context) error { return s.base.Sync(ctx) }

// Close gives up what was staged.
func (s *Store) Close() error { return errors.Join(s.stage.Close(), s.base.Close()) }
