package relational

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"reqon/runtime/store"
	"reqon/vm/value"
)

func mistake(format string, args ...any) error {
	return &store.ConfigError{Err: fmt.Errorf(format, args...)}
}

// Design works out the table of a declaration, before any is looked for.
func Design(d *Dialect, decl *store.Declaration) (*Table, error) {
	o := &decl.Options
	t := &Table{Name: decl.Name, Replace: o.NUL, Dropped: o.Drop, NoNUL: d.NoNUL, History: o.Mode == store.History, NoZero: d.NoYearZero, Digits: d.Digits, Key: o.Key, replaced: new(atomic.Int64)}
	if o.Table != "" {
		t.Name = o.Table
		if schema, name, ok := strings.Cut(o.Table, "."); ok {
			t.Schema, t.Name = schema, name
		}
	}
	for _, name := range []string{t.Schema, t.Name} {
		if err := d.identifier("table", name); err != nil {
			return nil, err
		}
	}
	if t.Name == "" {
		return nil, mistake("table %q: a name is missing", o.Table)
	}
	if t.Schema == "" && strings.HasPrefix(t.Name, "_reqon_") {
		return nil, mistake("table %q: tables whose names begin with _reqon_ are Reqon's own", t.Name)
	}
	kind := JSON
	if o.Exact || d.ExactData {
		kind = Exact
	}
	if decl.Schema == nil {
		if t.Foreign() {
			return nil, mistake("a table of others needs a `schema`, which names its columns")
		}
		if len(o.Columns) > 0 {
			return nil, mistake("`columns` needs a `schema`, which says what fields there are")
		}
		t.Whole = true
		t.Columns = []Column{{Name: DataColumn, Kind: kind, Type: d.Types[kind]}}
		return t, nil
	}
	given := map[string]bool{}
	for _, f := range decl.Schema.Fields {
		c := Column{Name: f.Name, Field: f.Name, Kind: kindOf(f, kind), Want: f.Type, Words: f.Words, Optional: f.Optional, Written: f.Written, Bits: 64}
		if c.Type = d.Types[c.Kind]; c.Kind == Int && c.Type == d.Types[Numeric] {
			c.Kind = Numeric // its column takes numbers of any size
		}
		if c.Kind == Numeric {
			c.unbounded(d)
		}
		if typ, ok := o.Columns[f.Name]; ok {
			given[f.Name] = true
			parsed, ok := d.Parse(typ)
			if !ok {
				return nil, mistake("columns: field %q: %q is no type of %s that Reqon can write", f.Name, typ, d.Name)
			}
			c.take(&parsed)
			if !c.suits(f.Type) {
				return nil, mistake("columns: field %q: a column of the type %s can't hold what the schema says, %s", f.Name, typ, f.Written)
			}
		}
		if err := d.identifier("field", f.Name); err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, c)
	}
	for name := range o.Columns {
		if !given[name] {
			return nil, mistake("columns: the schema %s has no field %q", decl.Schema.Name, name)
		}
	}
	if !t.Foreign() {
		t.Columns = append(t.Columns, Column{Name: ExtraColumn, Kind: kind, Type: d.Types[kind], Optional: true})
	}
	if err := d.distinct(t); err != nil {
		return nil, err
	}
	for _, k := range t.Key {
		if !t.has(k) {
			return nil, mistake("key: the schema %s has no field %q", decl.Schema.Name, k)
		}
	}
	t.index()
	return t, nil
}

// Statements gives the statements that make the table of a declaration.
func Statements(d *Dialect, decl *store.Declaration) ([]string, error) {
	t, err := Design(d, decl)
	if err != nil || t.Foreign() {
		return []string{}, err
	}
	statements := d.Create(t)
	if t.Schema != "" {
		statements = append([]string{"CREATE SCHEMA IF NOT EXISTS " + d.Quote(t.Schema)}, statements...)
	}
	return statements, nil
}

func (t *Table) has(field string) bool {
	for i := range t.Columns {
		if t.Columns[i].Field == field {
			return true
		}
	}
	return false
}

// take takes over what a type says.
func (c *Column) take(typ *Column) {
	c.Kind, c.Type = typ.Kind, typ.Type
	c.Bits, c.Precision, c.Scale, c.Length = typ.Bits, typ.Precision, typ.Scale, typ.Length
	c.Bytes, c.Digits, c.Unsigned, c.Floats = typ.Bytes, typ.Digits, typ.Unsigned, typ.Floats
}

// unbounded makes the column one of the database's widest numbers.
func (c *Column) unbounded(d *Dialect) {
	c.Kind, c.Type, c.Bits = Numeric, d.Types[Numeric], 0
	if typ, ok := d.Parse(c.Type); ok {
		c.Precision, c.Scale = typ.Precision, typ.Scale
	}
}

// suits reports whether some value of a schema's type can go into the column.
func (c *Column) suits(t store.Type) bool {
	switch t {
	case store.Text:
		return c.Kind == Text || c.Kind == UUID || c.Kind == JSON || c.Kind == Exact
	case store.Int, store.Number:
		return c.Kind == Int || c.Kind == Numeric || c.Kind == Double || c.Kind == JSON || c.Kind == Exact
	case store.Boolean:
		return c.Kind == Bool || c.Kind == JSON || c.Kind == Exact
	case store.Date:
		return c.Kind == Time || c.Kind == Text || c.Kind == JSON || c.Kind == Exact
	case store.Array:
		return c.Kind == JSON || c.Kind == Exact || c.Kind == TextArray
	case store.Object:
		return c.Kind == JSON || c.Kind == Exact
	}
	return true
}

func kindOf(f store.Field, json Kind) Kind {
	switch f.Type {
	case store.Text:
		return Text
	case store.Int:
		return Int
	case store.Number:
		return Numeric
	case store.Boolean:
		return Bool
	case store.Date:
		return Time
	}
	return json
}

// identifier refuses a name that the database would cut or not take.
func (d *Dialect) identifier(what, name string) error {
	switch {
	case d.Longest > 0 && len(name) > d.Longest:
		return mistake("the %s %q is %d bytes long; %s would cut it to %d", what, name, len(name), d.Name, d.Longest)
	case strings.IndexByte(name, 0) >= 0:
		return mistake("the %s %q holds the character NUL", what, name)
	}
	return nil
}

// distinct refuses two columns of one name.
func (d *Dialect) distinct(t *Table) error {
	seen := map[string]string{}
	if !t.Foreign() {
		for _, own := range append(t.Own(), FromColumn, ToColumn) {
			seen[own] = "a column of Reqon's own"
		}
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		name := c.Name
		if d.Folds {
			name = strings.ToLower(name)
		}
		if other, ok := seen[name]; ok {
			return mistake("the field %q and %s would have the same column in %s", c.Name, other, d.Name)
		}
		seen[name] = fmt.Sprintf("the field %q", c.Name)
	}
	return nil
}

// Prepare makes the table, or holds the one that is there against the design, and
// makes it follow. A dry run only looks.
func Prepare(ctx context.Context, db Database, t *Table, decl *store.Declaration, dec *value.Decoder, shapes *value.Shapes) error {
	d := db.Dialect()
	there, err := db.Columns(ctx, db, t.Schema, t.Name)
	if err != nil {
		return err
	}
	if there == nil {
		if t.Foreign() {
			return mistake("the table %s is not there; `key` is for a table that others have made", d.Table(t))
		}
		statements := d.Create(t)
		if t.Schema != "" {
			first, err := db.Namespace(ctx, db, t.Schema)
			if err != nil {
				return err
			}
			if first != "" {
				statements = append([]string{first}, statements...)
			}
		}
		if decl.Options.Strict {
			return mistake("the table %s is not there, and the store says `evolve: strict`; make it with\n%s", d.Table(t), script(statements))
		}
		if decl.DryRun {
			return nil
		}
		err := db.Tx(ctx, func(ctx context.Context, c Conn) error {
			for _, s := range statements {
				if _, err := c.Exec(ctx, s); err != nil {
					return fmt.Errorf("can't make the table %s: %w; give the role that right, or make it with\n%s", d.Table(t), err, script(statements))
				}
			}
			return nil
		})
		if err == nil {
			return nil
		}
		// Somebody else may have made it at the same time.
		again, e := db.Columns(ctx, db, t.Schema, t.Name)
		if e != nil || again == nil {
			return err
		}
		there = again
	}
	if t.Foreign() {
		return t.adopt(d, there)
	}
	return t.evolve(ctx, db, there, decl, dec, shapes)
}

func script(statements []string) string { return strings.Join(statements, ";\n") + ";" }

// adopt takes over the types of the columns of a table that others have made.
func (t *Table) adopt(d *Dialect, there []Existing) error {
	for i := range t.Columns {
		c := &t.Columns[i]
		e := find(there, c.Name, d.Folds)
		if e == nil {
			return mistake("the table %s has no column %q, which the schema names; it has %s", d.Table(t), c.Name, names(there))
		}
		typ, ok := d.Parse(e.Type)
		if !ok {
			return mistake("the column %q of %s has the type %s, which Reqon can't write; take the field out of the schema", c.Name, d.Table(t), e.Type)
		}
		c.take(&typ)
		if c.Want != store.Any && !c.suits(c.Want) {
			return mistake("the column %q of %s has the type %s, which can't hold what the schema says, %s", c.Name, d.Table(t), e.Type, c.Written)
		}
	}
	if len(t.Key) == 1 {
		if e := find(there, t.Key[0], d.Folds); !e.Unique {
			return mistake("the column %q of %s is not unique: `key` names what is (the primary key, or a unique constraint)", t.Key[0], d.Table(t))
		}
	}
	return nil
}

func find(there []Existing, name string, folds bool) *Existing {
	for i := range there {
		if there[i].Name == name || folds && strings.EqualFold(there[i].Name, name) {
			return &there[i]
		}
	}
	return nil
}

func names(there []Existing) string {
	var list []string
	for _, e := range there {
		list = append(list, e.Name)
	}
	return strings.Join(list, ", ")
}

// evolve makes a table of Reqon's follow the design: columns are added and made
// wider, and never narrowed, renamed or dropped.
func (t *Table) evolve(ctx context.Context, db Database, there []Existing, decl *store.Declaration, dec *value.Decoder, shapes *value.Shapes) error {
	d := db.Dialect()
	if t.History && find(there, KeyColumn, d.Folds) != nil && find(there, FromColumn, d.Folds) == nil {
		return mistake("the table %s keeps no history, and the store says `mode: history`; give it another `table`", d.Table(t))
	}
	for _, own := range t.Own() {
		if find(there, own, d.Folds) == nil {
			return mistake("the table %s is not one that Reqon has made: it has no column %q; name its unique columns with `key`, or give the store another `table`", d.Table(t), own)
		}
	}
	if !t.History && find(there, FromColumn, d.Folds) != nil {
		return mistake("the table %s keeps the history of its records, and the store does not say `mode: history`; say so, or give it another `table`", d.Table(t))
	}
	if data := find(there, DataColumn, d.Folds); t.Whole != (data != nil && find(there, ExtraColumn, d.Folds) == nil) {
		if t.Whole {
			return mistake("the table %s has columns for fields, and the store has no `schema`; give it one, or another `table`", d.Table(t))
		}
		return mistake("the table %s holds whole records in one column, and the store has a `schema`; take it out, or give the store another `table`", d.Table(t))
	}
	var added []string
	var statements []string
	for i := range t.Columns {
		c := &t.Columns[i]
		e := find(there, c.Name, d.Folds)
		if e == nil {
			statements = append(statements, d.Add(t, c))
			added = append(added, c.Field)
			continue
		}
		is, ok := d.Parse(e.Type)
		is.Name = c.Name
		switch {
		case strings.EqualFold(e.Type, c.Type), ok && sameType(&is, c):
		case ok && d.Wider(c, &is):
			c.take(&is) // the column takes more than the schema asks for
		case ok && d.Wider(&is, c):
			statements = append(statements, d.Widen(t, c))
		default:
			return mistake("the column %q of %s has the type %s, the store wants %s, and not every value of the one is one of the other; change it with\n%s;\nor give the store another `table`",
				c.Name, d.Table(t), e.Type, c.Type, d.Widen(t, c))
		}
	}
	if statements == nil {
		return nil
	}
	if decl.Options.Strict {
		return mistake("the table %s does not follow the schema, and the store says `evolve: strict`; change it with\n%s", d.Table(t), script(statements))
	}
	if decl.DryRun {
		return nil
	}
	return db.Tx(ctx, func(ctx context.Context, c Conn) error {
		// Somebody else may have done it since.
		now, err := db.Columns(ctx, c, t.Schema, t.Name)
		if err != nil {
			return err
		}
		for i := range t.Columns {
			col := &t.Columns[i]
			e := find(now, col.Name, d.Folds)
			statement := ""
			if e == nil {
				statement = d.Add(t, col)
			} else if is, ok := d.Parse(e.Type); ok && !strings.EqualFold(e.Type, col.Type) && !sameType(&is, col) && d.Wider(&is, col) {
				statement = d.Widen(t, col)
			}
			if statement == "" {
				continue
			}
			if _, err := c.Exec(ctx, statement); err != nil {
				return fmt.Errorf("can't change the table %s: %w; give the role that right, or change it with\n%s", d.Table(t), err, script(statements))
			}
		}
		return t.fill(ctx, db, c, added, decl, dec, shapes)
	})
}

// sameType reports whether two columns keep the same values.
func sameType(a, b *Column) bool {
	return a.Kind == b.Kind && a.Precision == b.Precision && a.Scale == b.Scale && a.Length == b.Length && a.Bytes == b.Bytes && a.Digits == b.Digits && a.Unsigned == b.Unsigned && a.Floats == b.Floats && (a.Kind != Int || a.Bits == b.Bits)
}

// fill moves the values of new columns out of _extra.
func (t *Table) fill(ctx context.Context, db Database, c Conn, fields []string, decl *store.Declaration, dec *value.Decoder, shapes *value.Shapes) error {
	if len(fields) == 0 || t.Whole {
		return nil
	}
	last := int64(0)
	for {
		rows, next, err := t.read(ctx, db, c, readOptions{after: last, limit: 500, extra: true})
		if err != nil {
			return err
		}
		var changed []*Row
		for _, row := range rows {
			v, err := t.Record(row, dec, shapes)
			if err != nil {
				return err
			}
			moved, err := t.Row(&store.Record{Key: row.Key, Value: v})
			if err != nil {
				var re *store.RecordError
				if errors.As(err, &re) {
					return mistake("the new column of the field %q can't take what was stored: record %q: %w; change the schema's type", re.Field, row.Key, err)
				}
				return err
			}
			if moved.Cells[len(moved.Cells)-1] != row.Cells[len(row.Cells)-1] {
				changed = append(changed, moved)
			}
		}
		if len(changed) > 0 {
			if err := db.Update(ctx, c, t, changed, Mark{}); err != nil {
				return err
			}
		}
		if next == 0 {
			return nil
		}
		last = next
	}
}
