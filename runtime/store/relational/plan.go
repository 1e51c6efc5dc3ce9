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

// Plan works out what batches come to, one after the other, given the rows that
// are there.
type Plan struct {
	t      *Table
	dec    *value.Decoder
	states map[string]*state
	order  []*state
	// Touch are the keys of rows that were stored and stay as they are.
	Touch []string
}

// state is what becomes of a key.
type state struct {
	row          *Row
	new, changed bool
}

// NewPlan begins with the rows that are there.
func (t *Table) NewPlan(there []*Row, dec *value.Decoder) *Plan {
	p := &Plan{t: t, dec: dec, states: make(map[string]*state, len(there))}
	for _, r := range there {
		p.states[r.Key] = &state{row: r}
	}
	return p
}

// Add puts a batch on top.
func (p *Plan) Add(batch []*Row, conflict store.Conflict) (res store.Result, err error) {
	for _, r := range batch {
		s := p.states[r.Key]
		if s == nil {
			s = &state{row: r, new: true}
			p.states[r.Key] = s
			p.order = append(p.order, s)
			res.Inserted++
			continue
		}
		next := r
		if conflict == store.MergeFields {
			if next, err = p.t.merged(s.row, r, p.dec); err != nil {
				return res, err
			}
		}
		if p.t.sameRow(s.row, next, p.dec) {
			res.Unchanged++
			if !s.new && !s.changed {
				p.Touch = append(p.Touch, r.Key)
			}
			continue
		}
		res.Updated++
		if !s.changed && !s.new {
			p.order = append(p.order, s)
		}
		next.Seq = s.row.Seq
		s.row, s.changed = next, true
	}
	return res, nil
}

// Changes gives the rows to insert, in the order in which they were stored, and
// those to update, as they are to be.
func (p *Plan) Changes() (insert, update []*Row) {
	for _, s := range p.order {
		if s.new {
			insert = append(insert, s.row)
		} else {
			update = append(update, s.row)
		}
	}
	return insert, update
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
