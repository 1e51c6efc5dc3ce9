package file

import (
	"context"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
)

// replacePage is how many records Replace reads at a time.
const replacePage = 1000

// Check refuses records that can't be stored.
func (s *fileStore) Check(recs []store.Record) error {
	for i := range recs {
		enc := s.f.dir.scratch.Encode(recs[i : i+1])
		err := table.CheckJSON(recs[i].Key, enc.Record(recs[i:i+1], 0))
		s.f.dir.scratch.Done(enc)
		if err != nil {
			return s.wrap(err)
		}
	}
	return nil
}

// Replace makes the store hold the records of another one, as one batch.
func (s *fileStore) Replace(ctx context.Context, by store.Store, allow func(there, gone int) error) (res store.Result, removed int, err error) {
	if s.closed.Load() {
		return res, 0, s.wrap(store.ErrClosed)
	}
	var refused error
	err = s.f.write(ctx, s.opt, toCreate, func(c *table.Change) error {
		res, removed = store.Result{}, 0
		gone, err := c.Others(ctx, by)
		if err != nil {
			return err
		}
		if refused = allow(c.Ix.Live, len(gone)); refused != nil {
			return refused
		}
		for _, i := range gone {
			if err := c.Remove(i); err != nil {
				return err
			}
		}
		removed = len(gone)
		return eachPage(ctx, by, func(recs []store.Record) error {
			enc := s.f.dir.scratch.Encode(recs)
			defer s.f.dir.scratch.Done(enc)
			part, err := c.PutAll(recs, enc, store.Overwrite, 0)
			res.Inserted += part.Inserted
			res.Updated += part.Updated
			res.Unchanged += part.Unchanged
			return err
		})
	})
	if refused != nil {
		return store.Result{}, 0, refused
	}
	if err != nil {
		return store.Result{}, 0, s.wrap(err)
	}
	return res, removed, nil
}

func eachPage(ctx context.Context, s store.Store, fn func([]store.Record) error) error {
	for cursor := ""; ; {
		p, err := s.Page(ctx, cursor, replacePage, nil)
		if err == nil {
			err = fn(p.Records)
		}
		if err != nil || p.Next == "" {
			return err
		}
		cursor = p.Next
	}
}
