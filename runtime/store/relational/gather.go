package relational

import (
	"context"
	"errors"
	"slices"
	"strings"

	"reqon/runtime/store"
)

// put is a batch on its way into the table.
type put struct {
	table    *Table
	rows     []*Row
	conflict store.Conflict
	result   store.Result
	err      error
	done     chan struct{}
}

// mostGathered is how many rows of several batches go into one transaction.
const mostGathered = 1000

// gather writes a batch. Batches that come while others are being written wait,
// and then go together: a loop that runs many items side by side, each of which
// stores one record, pays for a transaction once and not for each.
func (s *Store) gather(ctx context.Context, p *put) (store.Result, error) {
	s.gatherMu.Lock()
	if s.writing {
		s.waiting = append(s.waiting, p)
		s.gatherMu.Unlock()
		select {
		case <-p.done:
			return p.result, p.err
		case <-ctx.Done():
		}
		s.gatherMu.Lock()
		if i := slices.Index(s.waiting, p); i >= 0 {
			s.waiting = slices.Delete(s.waiting, i, i+1)
			s.gatherMu.Unlock()
			return store.Result{}, context.Cause(ctx)
		}
		s.gatherMu.Unlock()
		<-p.done // it is being written
		return p.result, p.err
	}
	s.writing = true
	s.gatherMu.Unlock()
	s.write(ctx, []*put{p})
	// Who has written sees to those that came meanwhile, one group at a time.
	for {
		s.gatherMu.Lock()
		if len(s.waiting) == 0 {
			s.writing = false
			s.gatherMu.Unlock()
			return p.result, p.err
		}
		n, rows := 0, 0
		for n < len(s.waiting) && (n == 0 || rows+len(s.waiting[n].rows) <= mostGathered) {
			rows += len(s.waiting[n].rows)
			n++
		}
		group := slices.Clone(s.waiting[:n])
		s.waiting = slices.Delete(s.waiting, 0, n)
		s.gatherMu.Unlock()
		// They are other tasks': that this one is cancelled is nothing to them.
		s.write(context.WithoutCancel(ctx), group)
	}
}

// write writes batches in one transaction. If that fails, each is written by
// itself, so that one that can't be stored fails alone.
func (s *Store) write(ctx context.Context, group []*put) {
	err := s.writeTogether(ctx, group)
	if err != nil && len(group) > 1 {
		for _, p := range group {
			p.err = s.writeTogether(ctx, []*put{p})
		}
	} else if err != nil {
		group[0].err = err
	}
	for _, p := range group {
		if p.err != nil {
			p.result = store.Result{}
		}
		close(p.done)
	}
}

func (s *Store) writeTogether(ctx context.Context, group []*put) error {
	t := group[0].table
	for _, p := range group {
		if p.table != t && len(group) > 1 {
			return errors.New("the table has changed between two batches") // each by itself, then
		}
	}
	work := func(ctx context.Context, c Conn) error {
		m := s.mark()
		if cutoff, ok := s.decl.Options.Cutoff(); ok {
			if err := s.expire(ctx, c, t, cutoff); err != nil {
				return err
			}
		}
		if s.decl.Options.Mode == store.Append {
			var rows []*Row
			for _, p := range group {
				p.result = store.Result{Inserted: len(p.rows)}
				rows = append(rows, p.rows...)
			}
			err := s.db.Insert(ctx, c, t, rows, m)
			if errors.Is(err, ErrConflict) && !t.Foreign() {
				// These keys are nobody else's: the step was done before, and is
				// repeated after a crash or a COMMIT without an answer.
				if err = nil; len(group) == 1 {
					group[0].result = store.Result{Unchanged: len(rows)}
				}
			}
			if err != nil {
				return err
			}
		} else if err := s.merge(ctx, c, t, group, m); err != nil {
			return err
		}
		return s.keep(ctx, c, t)
	}
	for attempt := 0; ; attempt++ {
		err := s.db.Tx(ctx, work)
		if errors.Is(err, ErrConflict) && attempt < 100 && s.decl.Options.Mode != store.Append {
			continue // the record is there now, and Lock finds it
		}
		return err
	}
}

// merge writes batches on top of the rows that are there.
func (s *Store) merge(ctx context.Context, c Conn, t *Table, group []*put, m Mark) error {
	var keys []string
	for _, p := range group {
		for _, r := range p.rows {
			keys = append(keys, r.Key)
		}
	}
	slices.Sort(keys)
	there, err := s.db.Lock(ctx, c, t, slices.Compact(keys))
	if err != nil {
		return err
	}
	dec := s.decoder()
	defer s.decs.Put(dec)
	plan := t.NewPlan(there, dec)
	for _, p := range group {
		if p.result, err = plan.Add(p.rows, p.conflict); err != nil {
			return err
		}
	}
	insert, update := plan.Changes()
	if len(update) > 0 {
		slices.SortFunc(update, func(a, b *Row) int { return strings.Compare(a.Key, b.Key) })
		if err := s.db.Update(ctx, c, t, update, m); err != nil {
			return err
		}
	}
	if len(plan.Touch) > 0 && s.decl.Options.TTL > 0 {
		if err := s.db.Touch(ctx, c, t, plan.Touch, m); err != nil {
			return err
		}
	}
	for len(insert) > 0 {
		n := min(len(insert), insertAtOnce)
		if err := s.db.Insert(ctx, c, t, insert[:n], m); err != nil {
			return err
		}
		insert = insert[n:]
	}
	return nil
}

// insertAtOnce is how many rows go into one statement: a message to a server
// has a largest size.
const insertAtOnce = 20_000
