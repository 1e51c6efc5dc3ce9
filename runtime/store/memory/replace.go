package memory

import (
	"context"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
)

// Check refuses records that can't be stored.
func (m *memory) Check(recs []store.Record) error {
	for i := range recs {
		enc := m.scratch.Encode(recs[i : i+1])
		err := table.CheckJSON(recs[i].Key, enc.Record(recs[i:i+1], 0))
		m.scratch.Done(enc)
		if err != nil {
			return err
		}
	}
	return nil
}

// Replace makes the store hold the records of another one. They are read before
// anything is changed: here nothing could take a change back.
func (m *memory) Replace(ctx context.Context, by store.Store, allow func(there, gone int) error) (res store.Result, removed int, err error) {
	var all []store.Record
	for cursor := ""; ; {
		p, err := by.Page(ctx, cursor, 1000, nil)
		if err != nil {
			return res, 0, err
		}
		all = append(all, p.Records...)
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	enc := m.scratch.Encode(all)
	defer m.scratch.Done(enc)
	err = m.write(ctx, func(c *table.Change) error {
		if err := m.check(all, enc, store.Overwrite); err != nil {
			return err
		}
		gone, err := c.Others(ctx, by)
		if err != nil {
			return err
		}
		if err := allow(c.Ix.Live, len(gone)); err != nil {
			return err
		}
		for _, i := range gone {
			if err := c.Remove(i); err != nil {
				return err
			}
		}
		removed = len(gone)
		res, err = c.PutAll(all, enc, store.Overwrite, 0)
		return err
	})
	if err != nil {
		return store.Result{}, 0, err
	}
	return res, removed, nil
}
