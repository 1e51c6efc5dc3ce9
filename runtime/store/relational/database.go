package relational

import (
	"context"
	"strings"

	"reqon/runtime/store"
)

// Conn runs statements: a transaction, or any connection of a pool.
type Conn interface {
	// Exec runs a statement and returns how many rows it changed.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Query runs a statement that gives rows.
	Query(ctx context.Context, query string, args ...any) (Rows, error)
}

// Rows are the rows that a query gives. Close returns the error that ended them.
type Rows interface {
	Next() bool
	// Scan reads texts, numbers and the like into pointers; a *Cell takes any
	// column, as text.
	Scan(dest ...any) error
	Close() error
}

// Database is one database as a store uses it. Its methods are safe for
// concurrent use.
type Database interface {
	Conn
	// Dialect is how the database is spoken to.
	Dialect() *Dialect
	// Tx runs fn in a transaction, and commits it. Where the database says that
	// it came to nothing for a passing reason (a deadlock, a connection that was
	// cut), fn runs again in another one.
	Tx(ctx context.Context, fn func(ctx context.Context, c Conn) error) error
	// Lock reads the rows of the keys, which come sorted, and keeps others from
	// changing them until the end of the transaction.
	Lock(ctx context.Context, c Conn, t *Table, keys []string) ([]*Row, error)
	// Insert adds rows in their order. ErrConflict says that somebody else has
	// added one of the keys since Lock: the transaction is then begun anew.
	Insert(ctx context.Context, c Conn, t *Table, rows []*Row, m Mark) error
	// Update replaces rows that Lock has read.
	Update(ctx context.Context, c Conn, t *Table, rows []*Row, m Mark) error
	// Touch notes that rows were written again as they are.
	Touch(ctx context.Context, c Conn, t *Table, keys []string, m Mark) error
	// AddKeys adds the keys of rows to the table that TempKeys has made.
	AddKeys(ctx context.Context, c Conn, table string, rows []*Row) error
	// Columns returns the columns of a table that is there, nil if none is.
	Columns(ctx context.Context, c Conn, schema, table string) ([]Existing, error)
	// Namespace gives the statement that makes a table's schema, "" where it is
	// there.
	Namespace(ctx context.Context, c Conn, schema string) (string, error)
	// Sync returns when what was committed is stored for good.
	Sync(ctx context.Context) error
	// Where gives the condition of a filter, as far as the database can work it
	// out without leaving out what might pass; "" for none.
	Where(t *Table, f *store.Filter, args *Args) string
}

// Mark is what is noted of a write.
type Mark struct {
	Run string
	At  int64 // milliseconds since 1970
}

// Existing is a column of a table that is there.
type Existing struct {
	Name      string
	Type      string // as the database writes it
	Unique    bool   // it is the primary key, or unique, by itself
	Generated bool   // the database gives its values
}

// Dialect is how a database is spoken to.
type Dialect struct {
	Name string // of the product, for errors
	// Longest is how long an identifier may be, in bytes; 0 for any length.
	Longest int
	// Folds says that identifiers which differ in case alone are the same.
	Folds bool
	// Param gives the placeholder of argument n, from 1.
	Param func(n int) string
	// QuoteWith stands around an identifier, and twice for itself within.
	QuoteWith string
	// Types are how the kinds of columns are declared.
	Types map[Kind]string
	// Read gives the expression that reads a column as the text of its cell.
	Read func(c *Column) string
	// Parse reads a type as the database or a mission writes it; false for one
	// that can't be written to.
	Parse func(typ string) (Column, bool)
	// Create gives the statements that make a table of Reqon's.
	Create func(t *Table) []string
	// Clock gives the expression for the database's own time, or a microsecond
	// behind the one that is given, if that is later.
	Clock func(after string) string
	// TempKeys gives the statement that makes a table of keys, k, which only its
	// own connection sees. It is dropped before the transaction ends.
	TempKeys func(quoted string) string
	// DropKeys gives the statement that drops it; nil is DROP TABLE.
	DropKeys func(quoted string) string
	// Cast gives the expression that compares a key column with the text of a
	// cell; nil is CAST to the column's type.
	Cast func(param string, c *Column) string
	// Add gives the statement that adds a column, and Widen the one that changes
	// its type.
	Add, Widen func(t *Table, c *Column) string
	// Wider reports whether every value of the one type is one of the other.
	Wider func(from, to *Column) bool
	// NoNUL says that texts can't hold NUL; ExactData that the column `data`
	// keeps the JSON byte for byte without being asked.
	NoNUL, ExactData bool
	// NoYearZero says that the year 0000 can't be stored.
	NoYearZero bool
	// Digits are how many digits behind the seconds a time keeps.
	Digits int
	// LongestKey is how long a key may be, in bytes; 0 for any length.
	LongestKey int
}

// Quote returns an identifier as it stands in a statement.
func (d *Dialect) Quote(name string) string {
	return d.QuoteWith + strings.ReplaceAll(name, d.QuoteWith, d.QuoteWith+d.QuoteWith) + d.QuoteWith
}

// Table returns a table's name as it stands in a statement.
func (d *Dialect) Table(t *Table) string {
	if t.Schema == "" {
		return d.Quote(t.Name)
	}
	return d.Quote(t.Schema) + "." + d.Quote(t.Name)
}

// Args gathers the arguments of a statement.
type Args struct {
	d    *Dialect
	list []any
}

// NewArgs begins a statement's arguments.
func NewArgs(d *Dialect) *Args { return &Args{d: d} }

// List returns the arguments.
func (a *Args) List() []any { return a.list }

// Add returns the placeholder of another argument.
func (a *Args) Add(v any) string {
	a.list = append(a.list, v)
	return a.d.Param(len(a.list))
}

// conflict is the error of an insert that came second.
type conflict struct{}

func (conflict) Error() string {
	return "somebody else has just stored a record under one of these keys"
}

// ErrConflict is returned by Insert where somebody else was first.
var ErrConflict error = conflict{}
