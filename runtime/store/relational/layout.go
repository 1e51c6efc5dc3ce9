// Package relational is what the adapters of SQL databases have in common: how
// records become rows and rows records, what fits a column, how a table follows
// a schema, and a store.Store over a Database, which is what an adapter has to
// provide.
//
// # Tables
//
// A table that Reqon has made begins with columns of its own: _key, _seq (the
// order of first storing), _run and _stored (when it was last written). Without
// a schema the record is in one column, data. With one, each field has a column,
// and _extra holds the fields that the schema has not, as an object.
//
// A table that others have made has none of these. The columns that the option
// `key` names are its key, the fields of the schema are columns that are there,
// and its order is that of the key.
//
// # Cells
//
// Between records and statements a value is a Cell: its text in a form that
// every database can be asked to cast to the column's type, and to give back.
// What does not fit a column is found before any database is asked.
package relational

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// Kind is how a column keeps its values, and what the text of a Cell is.
type Kind uint8

// The kinds of columns.
const (
	Text      Kind = iota // the text itself
	Int                   // a whole number of Bits bits
	Numeric               // a decimal number
	Double                // a number that a 64-bit float holds exactly
	Bool                  // true or false
	Time                  // an instant in UTC: 2026-01-20T09:00:00.000Z, with 3 or 6 digits behind the seconds
	JSON                  // JSON that compares by value
	Exact                 // JSON that compares byte for byte
	UUID                  // 36 characters, lower case
	TextArray             // a JSON array of texts
)

// Column is a column of a table.
type Column struct {
	Name  string
	Field string // of the record
	Kind  Kind
	Type  string // as the database names it
	// Bits is the size of an Int; Precision and Scale those of a Numeric, 0 and
	// 0 where it has no bounds; Length the most characters of a Text, 0 for any.
	Bits, Precision, Scale, Length int
	// Bytes is the most bytes of a Text, 0 for any; Digits the most digits behind
	// the seconds of a Time, 0 for what the database has, -1 for none. Unsigned is
	// an Int that takes no negative numbers. Floats is JSON whose numbers are kept
	// as 64-bit integers and floats.
	Bytes, Digits    int
	Unsigned, Floats bool

	Want     store.Type // what the schema says
	Words    []string
	Optional bool
	Written  string
}

// Names of the columns that are Reqon's own.
const (
	KeyColumn    = "_key"
	SeqColumn    = "_seq"
	RunColumn    = "_run"
	StoredColumn = "_stored"
	DataColumn   = "data"
	ExtraColumn  = "_extra"
	// Of a table with history: from when and until when a row held. Open rows
	// have no end.
	FromColumn = "_valid_from"
	ToColumn   = "_valid_to"
)

// Table is where a store's records are.
type Table struct {
	Schema string // "" is the database's own choice
	Name   string
	// Columns hold the records: data alone, or the fields in their order and, in
	// a table of Reqon's, _extra at the end.
	Columns  []Column
	Whole    bool          // the one column holds the record
	Key      []string      // columns of a table that others have made, else nil
	History  bool          // rows are closed, not changed; the records are the open ones
	NoNUL    bool          // texts can't hold NUL
	Replace  bool          // of which another character takes the place
	Dropped  bool          // fields without a column are left out
	NoZero   bool          // the year 0000 can't be stored
	replaced *atomic.Int64 // texts that NUL was taken out of
	Digits   int           // most digits behind the point of a time, 3 or 6

	fields map[string]int // by name of the field
}

// Foreign reports whether others have made the table.
func (t *Table) Foreign() bool { return t.Key != nil }

// Own gives the columns that are Reqon's own.
func (t *Table) Own() []string {
	own := []string{KeyColumn, SeqColumn, RunColumn, StoredColumn}
	if t.History {
		own = append(own, FromColumn, ToColumn)
	}
	return own
}

// Open gives the condition that a row is a record and no earlier state of one,
// "" where all rows are.
func (t *Table) Open(d *Dialect) string {
	if !t.History {
		return ""
	}
	return d.Quote(ToColumn) + " IS NULL"
}

// And joins conditions, some of which may be "".
func And(conditions ...string) string {
	var given []string
	for _, c := range conditions {
		if c != "" {
			given = append(given, c)
		}
	}
	return strings.Join(given, " AND ")
}

// Removal gives the statement that takes away the rows for which a condition
// holds: they are deleted, or closed.
func (t *Table) Removal(d *Dialect, condition string) string {
	if t.History {
		return "UPDATE " + d.Table(t) + " SET " + d.Quote(ToColumn) + " = " + d.Clock(d.Quote(FromColumn)) + " WHERE " + And(t.Open(d), condition)
	}
	if condition == "" {
		return "DELETE FROM " + d.Table(t)
	}
	return "DELETE FROM " + d.Table(t) + " WHERE " + condition
}

// Extra reports whether the last column holds the fields that have no column.
func (t *Table) Extra() bool { return !t.Whole && !t.Foreign() }

// Cell is a value in a column.
type Cell struct {
	Text  string
	Valid bool // else it is NULL
}

// Scan takes over what a driver of database/sql gives.
func (c *Cell) Scan(src any) error {
	c.Valid = src != nil
	switch v := src.(type) {
	case nil:
		c.Text = ""
	case string:
		c.Text = v
	case []byte:
		c.Text = string(v)
	case int64:
		c.Text = strconv.FormatInt(v, 10)
	case float64:
		c.Text = strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		c.Text = strconv.FormatBool(v)
	case time.Time:
		c.Text = v.UTC().Format("2006-01-02T15:04:05.000000Z")
	default:
		return fmt.Errorf("a value of the type %T can't be read", src)
	}
	return nil
}

// Row is a record as it is stored.
type Row struct {
	Key   string
	Cells []Cell
	Seq   int64
	// Set says which cells the record has a field for; nil is all of them. A
	// merge leaves the others as they are.
	Set []bool
}

// index prepares the table for Row.
func (t *Table) index() {
	t.fields = make(map[string]int, len(t.Columns))
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name != ExtraColumn && !t.Whole {
			t.fields[c.Field] = i
		}
	}
}

// Row makes the row of a record. The error is a *store.RecordError without index.
func (t *Table) Row(r *store.Record) (*Row, error) {
	if !t.Foreign() {
		if t.NoNUL && strings.IndexByte(r.Key, 0) >= 0 {
			return nil, &store.RecordError{Key: r.Key, Column: KeyColumn, Type: "text", Err: errors.New("the key holds the character NUL, which the database can't store")}
		}
	}
	row := &Row{Key: r.Key, Cells: make([]Cell, len(t.Columns))}
	if t.Whole {
		c := &t.Columns[0]
		text, err := t.json(c, r.Value)
		if err != nil {
			return nil, &store.RecordError{Key: r.Key, Column: c.Name, Type: c.Type, Err: err}
		}
		row.Cells[0] = Cell{text, true}
		return row, nil
	}
	if t.fields == nil {
		t.index()
	}
	row.Set = make([]bool, len(t.Columns))
	o := r.Value.Obj()
	var extra *value.ObjectBuilder
	for i, v := range o.Slots() {
		name := o.Shape().Key(i)
		at, ok := t.fields[name]
		if !ok {
			switch {
			case t.Extra():
				if extra == nil {
					extra = value.NewObjectBuilder(nil, 4)
				}
				extra.Set(name, v)
			case !t.Dropped:
				return nil, &store.RecordError{Key: r.Key, Field: name, Err: fmt.Errorf("the schema of the store does not have it, and neither does the table; add it to both, or say `extra: drop`")}
			}
			continue
		}
		c := &t.Columns[at]
		cell, err := t.cell(c, v)
		if err != nil {
			return nil, &store.RecordError{Key: r.Key, Field: name, Column: c.Name, Type: c.Type, Err: err}
		}
		row.Cells[at], row.Set[at] = cell, true
	}
	if t.Foreign() {
		for _, k := range t.Key {
			if !row.Cells[t.fields[k]].Valid {
				return nil, &store.RecordError{Key: r.Key, Field: k, Column: k, Err: errors.New("it is missing, and is part of the table's key")}
			}
		}
		row.Key = t.KeyText(row)
	}
	if extra != nil {
		at := len(t.Columns) - 1
		c := &t.Columns[at]
		text, err := t.json(c, extra.Value())
		if err != nil {
			return nil, &store.RecordError{Key: r.Key, Column: c.Name, Type: c.Type, Err: err}
		}
		row.Cells[at], row.Set[at] = Cell{text, true}, true
	}
	return row, nil
}

// ErrWide is wrapped by the error of a whole number that does not fit a column
// which could be made wider.
var ErrWide = errors.New("it does not fit 64 bits")

func expected(c *Column, v value.Value) error {
	return fmt.Errorf("found %s, expected %s", value.Describe(v), c.Written)
}

// cell makes the cell of a field's value.
func (t *Table) cell(c *Column, v value.Value) (Cell, error) {
	if v.IsNull() {
		if !c.Optional {
			return Cell{}, expected(c, v)
		}
		return Cell{}, nil
	}
	if err := c.fitsSchema(v); err != nil {
		return Cell{}, err
	}
	text, err := t.text(c, v)
	return Cell{text, err == nil}, err
}

// fitsSchema reports whether a value is what the schema says.
func (c *Column) fitsSchema(v value.Value) error {
	ok := true
	switch c.Want {
	case store.Text:
		ok = v.Kind() == value.String && (c.Words == nil || slices.Contains(c.Words, v.Str()))
	case store.Int:
		ok = v.IsNumber() && wholeNumber(v)
	case store.Number:
		ok = v.IsNumber()
	case store.Boolean:
		ok = v.Kind() == value.Bool
	case store.Date:
		ok = v.Kind() == value.Time || v.Kind() == value.String && value.IsDateText(v.Str())
	case store.Array:
		ok = v.Kind() == value.Array
	case store.Object:
		ok = v.Kind() == value.Object
	}
	if !ok {
		return expected(c, v)
	}
	return nil
}

// text makes the text of a cell, if the value fits the column exactly.
func (t *Table) text(c *Column, v value.Value) (string, error) {
	switch c.Kind {
	case JSON, Exact:
		return t.json(c, v)
	case Text:
		if v.Kind() != value.String {
			return "", fmt.Errorf("found %s, expected text", value.Describe(v))
		}
		s, err := t.plain(v.Str())
		if err == nil && c.Length > 0 && utf8.RuneCountInString(s) > c.Length {
			err = fmt.Errorf("a text of %d characters is longer than the column takes, %d", utf8.RuneCountInString(s), c.Length)
		}
		if err == nil && c.Bytes > 0 && len(s) > c.Bytes {
			err = fmt.Errorf("a text of %d bytes is longer than the column takes, %d", len(s), c.Bytes)
		}
		return s, err
	case UUID:
		if v.Kind() != value.String || !isUUID(v.Str()) {
			return "", fmt.Errorf("found %s, expected a UUID in lower case", value.Describe(v))
		}
		return v.Str(), nil
	case Bool:
		if v.Kind() != value.Bool {
			return "", fmt.Errorf("found %s, expected true or false", value.Describe(v))
		}
		return strconv.FormatBool(v.Bool()), nil
	case Time:
		return t.instant(c, v)
	case Int, Numeric, Double:
		if !v.IsNumber() {
			return "", fmt.Errorf("found %s, expected a number", value.Describe(v))
		}
		return c.number(v)
	case TextArray:
		return t.texts(v)
	}
	return "", fmt.Errorf("a column of the type %s can't be written", c.Type)
}

// replacement stands for NUL where the store says `nul: replace`.
const replacement = "\uFFFD"

// plain returns a text that the database can hold.
func (t *Table) plain(s string) (string, error) {
	if !t.NoNUL || strings.IndexByte(s, 0) < 0 {
		return s, nil
	}
	if t.Replace {
		t.replaced.Add(1)
		return strings.ReplaceAll(s, "\x00", replacement), nil
	}
	return "", errNUL
}

var errNUL = errors.New("the text holds the character NUL, which the database can't store; `nul: replace` stores U+FFFD in its place")

// json returns the JSON of a value.
func (t *Table) json(c *Column, v value.Value) (string, error) {
	text := string(value.AppendJSON(nil, v))
	if !utf8.ValidString(text) {
		return "", errors.New("it holds text that is not valid UTF-8")
	}
	if len(text) > store.MaxRecord {
		return "", fmt.Errorf("it is %d bytes of JSON; the limit is %d", len(text), store.MaxRecord)
	}
	if c.Floats && rounded(v) {
		return "", errors.New("it holds a number that the database would round")
	}
	if c.Kind == JSON && beyond(v) {
		return "", errors.New("it holds a number that is beyond what the database takes")
	}
	if t.NoNUL && c.Kind != Exact && hasNUL(text) {
		if !t.Replace {
			return "", errNUL
		}
		t.replaced.Add(1)
		text = string(value.AppendJSON(nil, withoutNUL(v)))
	}
	return text, nil
}

// rounded reports whether a number in v is neither a whole one of 64 bits nor
// exactly a float.
func rounded(v value.Value) bool {
	var within []value.Value
	switch v.Kind() {
	case value.Object:
		within = v.Obj().Slots()
	case value.Array:
		within = v.Elems()
	default:
		if !v.IsNumber() || v.IsInt() {
			return false
		}
		_, err := (&Column{Kind: Double}).number(v)
		return err != nil
	}
	return slices.ContainsFunc(within, rounded)
}

// beyond reports whether a number in v is larger than any column takes.
func beyond(v value.Value) bool {
	var within []value.Value
	switch v.Kind() {
	case value.Object:
		within = v.Obj().Slots()
	case value.Array:
		within = v.Elems()
	default:
		if !v.IsNumber() || v.IsInt() {
			return false
		}
		d, ok := parseDecimal(value.Text(v))
		return !ok || d.before() > mostBefore || d.behind() > mostBehind
	}
	for _, e := range within {
		if beyond(e) {
			return true
		}
	}
	return false
}

// hasNUL reports whether JSON as AppendJSON writes it holds NUL.
func hasNUL(json string) bool {
	for {
		i := strings.Index(json, `\u0000`)
		if i < 0 {
			return false
		}
		slashes := 0
		for j := i - 1; j >= 0 && json[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return true
		}
		json = json[i+6:]
	}
}

// withoutNUL puts another character in the place of NUL in all texts of v.
func withoutNUL(v value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		return value.FromString(strings.ReplaceAll(v.Str(), "\x00", replacement))
	case value.Array:
		out := make([]value.Value, len(v.Elems()))
		for i, e := range v.Elems() {
			out[i] = withoutNUL(e)
		}
		return value.FromArray(out)
	case value.Object:
		o := v.Obj()
		b := value.NewObjectBuilder(nil, o.Len())
		for i, e := range o.Slots() {
			b.Set(strings.ReplaceAll(o.Shape().Key(i), "\x00", replacement), withoutNUL(e))
		}
		return b.Value()
	}
	return v
}

func (t *Table) texts(v value.Value) (string, error) {
	if v.Kind() != value.Array {
		return "", fmt.Errorf("found %s, expected an array of texts", value.Describe(v))
	}
	for i, e := range v.Elems() {
		if e.Kind() != value.String {
			return "", fmt.Errorf("found %s at index %d, expected texts", value.Describe(e), i)
		}
	}
	return t.json(&Column{Kind: JSON}, v)
}

// instant returns the text of a time, in UTC.
func (t *Table) instant(c *Column, v value.Value) (string, error) {
	text := ""
	switch v.Kind() {
	case value.Time:
		text = string(value.AppendTime(nil, v.Time()))
	case value.String:
		text = v.Str()
	default:
		return "", fmt.Errorf("found %s, expected a date", value.Describe(v))
	}
	digits := t.Digits
	if c.Digits != 0 {
		digits = max(c.Digits, 0)
	}
	text, err := utc(text, digits)
	if err != nil {
		return "", err
	}
	if t.NoZero && strings.HasPrefix(text, "0000") {
		return "", errors.New("the database can't store the year 0000")
	}
	return text, nil
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// Record makes the record of a row, without the fields that are NULL.
func (t *Table) Record(row *Row, dec *value.Decoder, shapes *value.Shapes) (value.Value, error) {
	if t.Whole {
		v, err := dec.Decode([]byte(row.Cells[0].Text))
		if err == nil && v.Kind() != value.Object {
			err = fmt.Errorf("found %s in column %q, expected an object", value.Describe(v), t.Columns[0].Name)
		}
		return v, err
	}
	b := value.NewObjectBuilder(shapes, len(row.Cells))
	for i, cell := range row.Cells {
		if !cell.Valid {
			continue
		}
		c := &t.Columns[i]
		v, err := c.value(cell.Text, dec)
		if err != nil {
			return value.NullValue, fmt.Errorf("column %q: %w", c.Name, err)
		}
		if c.Name == ExtraColumn && t.Extra() {
			if v.Kind() != value.Object {
				return value.NullValue, fmt.Errorf("found %s in column %q, expected an object", value.Describe(v), c.Name)
			}
			b.SetAll(v.Obj())
			continue
		}
		b.Set(c.Field, v)
	}
	return b.Value(), nil
}

// value reads the text of a cell.
func (c *Column) value(text string, dec *value.Decoder) (value.Value, error) {
	switch c.Kind {
	case Text, UUID:
		return value.FromString(text), nil
	case Time:
		return value.FromString(shortTime(text)), nil
	case Bool:
		return value.FromBool(text == "true" || text == "1"), nil
	case Int, Numeric, Double:
		v, ok := value.ParseNumber(text)
		if !ok {
			return v, fmt.Errorf("found %q, expected a number", text)
		}
		return v, nil
	}
	return dec.Decode([]byte(text))
}

// same reports whether two cells hold the same value.
func (c *Column) same(a, b Cell, dec *value.Decoder) bool {
	if a == b {
		return true
	}
	if !a.Valid || !b.Valid {
		return false
	}
	switch c.Kind {
	case Time:
		return shortTime(a.Text) == shortTime(b.Text)
	case Int, Numeric, Double, JSON, TextArray, Bool:
		x, errX := c.value(a.Text, dec)
		y, errY := c.value(b.Text, dec)
		return errX == nil && errY == nil && value.Equal(x, y)
	}
	return false
}

// Constraint is what is said of a column besides its type: a record is not
// missing.
func (t *Table) Constraint(i int) string {
	if t.Whole {
		return " NOT NULL"
	}
	return ""
}

// Fits reports whether a field's value is what its schema says.
func Fits(f *store.Field, v value.Value) error {
	c := &Column{Want: f.Type, Words: f.Words, Optional: f.Optional, Written: f.Written}
	if v.IsNull() {
		if !c.Optional {
			return expected(c, v)
		}
		return nil
	}
	return c.fitsSchema(v)
}
