package relational

import (
	"errors"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// Rows makes the rows of a batch. The error is a *store.BatchError.
func (t *Table) Rows(recs []store.Record) ([]*Row, error) {
	rows := make([]*Row, len(recs))
	var refused []*store.RecordError
	for i := range recs {
		row, err := t.Row(&recs[i])
		var re *store.RecordError
		if errors.As(err, &re) {
			re.Index = i
			refused = append(refused, re)
		}
		rows[i] = row
	}
	if refused != nil {
		return nil, &store.BatchError{Total: len(recs), Records: refused}
	}
	return rows, nil
}

// Plan is what a batch comes to, given the rows that are there.
type Plan struct {
	Insert []*Row   // in the order in which they were stored
	Update []*Row   // as they are to be
	Touch  []string // keys of rows that were stored and stay as they are
	Result store.Result
}

// Plan works a batch out on top of the rows that are there.
func (t *Table) Plan(batch []*Row, there []*Row, conflict store.Conflict, dec *value.Decoder) (p Plan, err error) {
	type state struct {
		row          *Row
		new, changed bool
	}
	states := make(map[string]*state, len(batch))
	for _, r := range there {
		states[r.Key] = &state{row: r}
	}
	var order []*state
	for _, r := range batch {
		s := states[r.Key]
		if s == nil {
			s = &state{row: r, new: true}
			states[r.Key] = s
			order = append(order, s)
			p.Result.Inserted++
			continue
		}
		next := r
		if conflict == store.MergeFields {
			if next, err = t.merged(s.row, r, dec); err != nil {
				return p, err
			}
		}
		if t.sameRow(s.row, next, dec) {
			p.Result.Unchanged++
			if !s.new && !s.changed {
				p.Touch = append(p.Touch, r.Key)
			}
			continue
		}
		p.Result.Updated++
		if !s.changed && !s.new {
			order = append(order, s)
		}
		next.Seq = s.row.Seq
		s.row, s.changed = next, true
	}
	for _, s := range order {
		if s.new {
			p.Insert = append(p.Insert, s.row)
		} else {
			p.Update = append(p.Update, s.row)
		}
	}
	return p, nil
}

func (t *Table) sameRow(a, b *Row, dec *value.Decoder) bool {
	for i := range t.Columns {
		if !t.Columns[i].same(a.Cells[i], b.Cells[i], dec) {
			return false
		}
	}
	return true
}

// merged returns old with the fields of r on top.
func (t *Table) merged(old, r *Row, dec *value.Decoder) (*Row, error) {
	out := &Row{Key: old.Key, Seq: old.Seq, Cells: make([]Cell, len(t.Columns))}
	copy(out.Cells, old.Cells)
	for i := range t.Columns {
		c := &t.Columns[i]
		object := t.Whole || c.Name == ExtraColumn && t.Extra()
		switch {
		case r.Set != nil && !r.Set[i]:
		case object && old.Cells[i].Valid && r.Cells[i].Valid:
			text, err := mergedJSON(old.Cells[i].Text, r.Cells[i].Text, dec)
			if err != nil {
				return nil, err
			}
			out.Cells[i].Text = text
		default:
			out.Cells[i] = r.Cells[i]
		}
	}
	return out, nil
}

// mergedJSON merges the top-level fields of two objects.
func mergedJSON(old, on string, dec *value.Decoder) (string, error) {
	a, err := dec.Decode([]byte(old))
	if err != nil {
		return "", err
	}
	b, err := dec.Decode([]byte(on))
	if err != nil {
		return "", err
	}
	if a.Kind() != value.Object {
		return on, nil
	}
	m := value.NewObjectBuilder(nil, a.Obj().Len()+b.Obj().Len())
	m.SetAll(a.Obj())
	m.SetAll(b.Obj())
	return string(value.AppendJSON(nil, m.Value())), nil
}
