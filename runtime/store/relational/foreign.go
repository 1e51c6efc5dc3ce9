package relational

import (
	"context"
	"fmt"
	"strings"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// KeyText gives the key of a row in a table that others have made: the text of
// its one key column, or of several a JSON array.
func (t *Table) KeyText(row *Row) string {
	if len(t.Key) == 1 {
		return row.Cells[t.fields[t.Key[0]]].Text
	}
	return KeyOf(t.keyValues(row))
}

func (t *Table) keyValues(row *Row) []value.Value {
	list := make([]value.Value, len(t.Key))
	for i, k := range t.Key {
		c := &t.Columns[t.fields[k]]
		list[i], _ = c.value(row.Cells[t.fields[k]].Text, value.NewDecoder(nil))
	}
	return list
}

// KeyOf joins the values of several key columns to a key.
func KeyOf(values []value.Value) string {
	return string(value.AppendJSON(nil, value.FromArray(values)))
}

// KeyCells takes a key apart into the cells of its columns.
func (t *Table) KeyCells(key string) ([]Cell, error) {
	values := []value.Value{value.FromString(key)}
	if len(t.Key) > 1 {
		v, err := value.ParseJSON(nil, key)
		if err != nil || v.Kind() != value.Array || len(v.Elems()) != len(t.Key) {
			return nil, fmt.Errorf("the key %q does not name a record: the table's key is [%s], write orders[[…, …]] with a value for each", key, strings.Join(t.Key, ", "))
		}
		values = v.Elems()
	}
	cells := make([]Cell, len(values))
	for i, v := range values {
		c := &t.Columns[t.fields[t.Key[i]]]
		if v.Kind() == value.String && (c.Kind == Int || c.Kind == Numeric) {
			if n, ok := value.ParseNumber(v.Str()); ok {
				v = n
			}
		} else if v.IsNumber() && c.Kind == Text {
			v = value.FromString(value.Text(v))
		}
		text, err := t.text(c, v)
		if err != nil {
			return nil, fmt.Errorf("the key %q: column %q: %w", key, c.Name, err)
		}
		cells[i] = Cell{text, true}
	}
	return cells, nil
}

// FieldColumn returns the number of the column of a field that has one.
func (t *Table) FieldColumn(field string) int { return t.fields[field] }

// ByKey gives the condition that a row is the one of a key.
func (t *Table) ByKey(key string, args *Args) (string, error) {
	d := args.d
	if !t.Foreign() {
		return d.Quote(KeyColumn) + " = " + args.Add(key), nil
	}
	cells, err := t.KeyCells(key)
	if err != nil {
		return "", err
	}
	var parts []string
	for i, k := range t.Key {
		c := &t.Columns[t.fields[k]]
		parts = append(parts, d.Quote(c.Name)+" = "+d.cast(args.Add(cells[i].Text), c))
	}
	return strings.Join(parts, " AND "), nil
}

func (d *Dialect) cast(param string, c *Column) string {
	if d.Cast != nil {
		return d.Cast(param, c)
	}
	return "CAST(" + param + " AS " + c.Type + ")"
}

// foreignPage reads a page in the order of the key. The cursor is the last key.
func (s *Store) foreignPage(ctx context.Context, t *Table, cursor string, limit int, f *store.Filter) (store.Page, error) {
	d := s.db.Dialect()
	args := &Args{d: d}
	var where []string
	var order []string
	for _, k := range t.Key {
		order = append(order, d.Quote(k))
	}
	if cursor != "" {
		key, ok := strings.CutPrefix(cursor, "=")
		if !ok {
			return store.Page{}, store.ErrCursor
		}
		cells, err := t.KeyCells(key)
		if err != nil {
			return store.Page{}, store.ErrCursor
		}
		var after []string
		for i, k := range t.Key {
			c := &t.Columns[t.fields[k]]
			after = append(after, d.cast(args.Add(cells[i].Text), c))
		}
		where = append(where, "("+strings.Join(order, ", ")+") > ("+strings.Join(after, ", ")+")")
	}
	if f != nil {
		if w := s.db.Where(t, f, args); w != "" {
			where = append(where, w)
		}
	}
	query := "SELECT " + t.Select(d) + " FROM " + d.Table(t)
	if where != nil {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	query += fmt.Sprintf(" ORDER BY %s LIMIT %d", strings.Join(order, ", "), limit)
	rows, err := s.db.Query(ctx, query, args.list...)
	if err != nil {
		return store.Page{}, err
	}
	list, err := t.Scan(rows)
	if err != nil {
		return store.Page{}, err
	}
	p, err := s.page(t, list)
	if err == nil && len(list) == limit {
		p.Next = "=" + list[len(list)-1].Key
	}
	return p, err
}
