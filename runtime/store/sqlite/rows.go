package sqlite

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"reqon/runtime/store"
	"reqon/runtime/store/relational"
	"reqon/vm/value"
)

// newDialect returns how SQLite is spoken to.
func newDialect() *relational.Dialect {
	d := &relational.Dialect{
		Name:      "SQLite",
		Folds:     true,
		Param:     func(n int) string { return "?" + strconv.Itoa(n) },
		QuoteWith: `"`,
		Types: map[relational.Kind]string{
			relational.Text: "TEXT", relational.Int: "ANY", relational.Numeric: "ANY", relational.Double: "REAL", relational.Bool: "INTEGER",
			relational.Time: "TEXT", relational.JSON: "TEXT", relational.Exact: "TEXT",
		},
		Parse:     parseType,
		Wider:     func(from, to *relational.Column) bool { return false },
		ExactData: true,
		Digits:    6,
	}
	d.Read = func(c *relational.Column) string { return d.Quote(c.Name) }
	d.Create = func(t *relational.Table) []string {
		lines := []string{
			d.Quote(relational.SeqColumn) + " INTEGER PRIMARY KEY AUTOINCREMENT",
			d.Quote(relational.KeyColumn) + " TEXT NOT NULL UNIQUE",
			d.Quote(relational.RunColumn) + " TEXT NOT NULL",
			d.Quote(relational.StoredColumn) + " TEXT NOT NULL",
		}
		if t.History {
			lines[0] = d.Quote(relational.SeqColumn) + " INTEGER NOT NULL"
			lines[1] = d.Quote(relational.KeyColumn) + " TEXT NOT NULL"
			lines = append(lines, d.Quote(relational.FromColumn)+" TEXT NOT NULL", d.Quote(relational.ToColumn)+" TEXT")
		}
		for i := range t.Columns {
			lines = append(lines, d.Quote(t.Columns[i].Name)+" "+t.Columns[i].Type+t.Constraint(i))
		}
		if !t.History {
			return []string{"CREATE TABLE IF NOT EXISTS " + d.Table(t) + " (\n  " + strings.Join(lines, ",\n  ") + "\n) STRICT"}
		}
		lines = append(lines, "PRIMARY KEY ("+d.Quote(relational.KeyColumn)+", "+d.Quote(relational.FromColumn)+")")
		return []string{
			"CREATE TABLE IF NOT EXISTS " + d.Table(t) + " (\n  " + strings.Join(lines, ",\n  ") + "\n) STRICT",
			"CREATE UNIQUE INDEX IF NOT EXISTS " + d.Quote(t.Name+"_open") + " ON " + d.Table(t) + " (" + d.Quote(relational.KeyColumn) + ") WHERE " + t.Open(d),
			"CREATE INDEX IF NOT EXISTS " + d.Quote(t.Name+"_order") + " ON " + d.Table(t) + " (" + d.Quote(relational.SeqColumn) + ")",
		}
	}
	d.Clock = func(after string) string {
		// The text of a time sorts as the time does. The clock counts
		// milliseconds: what is not later gets another microsecond.
		now := "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')"
		if after == "" {
			return now
		}
		next := "CAST(substr(" + after + ", 21, 6) AS INTEGER) + 1"
		return "max(" + now + ", CASE WHEN " + next + " < 1000000 THEN substr(" + after + ", 1, 20) || printf('%06dZ', " + next + ")" +
			" ELSE strftime('%Y-%m-%dT%H:%M:%S.000000Z', substr(" + after + ", 1, 19), '+1 second') END)"
	}
	d.TempKeys = func(quoted string) string {
		return "CREATE TEMP TABLE " + quoted + " (k TEXT PRIMARY KEY) WITHOUT ROWID"
	}
	d.Add = func(t *relational.Table, c *relational.Column) string {
		return "ALTER TABLE " + d.Table(t) + " ADD COLUMN " + d.Quote(c.Name) + " " + c.Type
	}
	d.Widen = func(t *relational.Table, c *relational.Column) string {
		return "-- SQLite can't change the type of a column: make another table, copy the rows, and rename it"
	}
	return d
}

// parseType reads a column's type by SQLite's own rules of affinity.
func parseType(typ string) (c relational.Column, ok bool) {
	c.Type = typ
	upper := strings.ToUpper(typ)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(upper, w) {
				return true
			}
		}
		return false
	}
	switch {
	case upper == "ANY":
		c.Kind = relational.Numeric
	case has("BOOL"):
		c.Kind = relational.Bool
	case has("INT"):
		c.Kind, c.Bits = relational.Int, 64
	case has("JSON"):
		c.Kind = relational.Exact
	case has("CHAR", "CLOB", "TEXT"):
		c.Kind = relational.Text
	case has("DATE", "TIME"):
		c.Kind = relational.Time
	case has("REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"):
		c.Kind = relational.Double
	default:
		return c, false
	}
	return c, true
}

func (db *database) Dialect() *relational.Dialect { return db.dialect }

// Columns reads what a table has.
func (db *database) Columns(ctx context.Context, c relational.Conn, _, table string) (list []relational.Existing, err error) {
	d := db.dialect
	rows, err := c.Query(ctx, "SELECT name, type, pk, hidden FROM pragma_table_xinfo("+d.Param(1)+")", table)
	if err != nil {
		return nil, err
	}
	keys := 0
	for rows.Next() {
		var e relational.Existing
		var pk, hidden int
		if err := rows.Scan(&e.Name, &e.Type, &pk, &hidden); err != nil {
			rows.Close()
			return nil, err
		}
		if pk > 0 {
			keys++
		}
		e.Unique, e.Generated = pk > 0, hidden > 1
		list = append(list, e)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Unique = list[i].Unique && keys == 1
	}
	rows, err = c.Query(ctx, `SELECT min(c.name) FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS c WHERE l."unique" AND NOT l.partial GROUP BY l.name HAVING count(*) = 1`, table)
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			rows.Close()
			return nil, err
		}
		for i := range list {
			list[i].Unique = list[i].Unique || list[i].Name == name
		}
	}
	return list, rows.Close()
}

// prepared returns a statement for the transaction, which every connection
// prepares once.
func (c conn) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	tx, ok := c.q.(*sql.Tx)
	if !ok || c.once || c.db.temporary {
		return c.q.PrepareContext(ctx, query)
	}
	db := c.db
	db.mu.Lock()
	defer db.mu.Unlock()
	s := db.statements[query]
	if s == nil {
		if len(db.statements) >= mostStatements {
			for q, old := range db.statements {
				old.Close()
				delete(db.statements, q)
			}
		}
		var err error
		if s, err = db.pool.PrepareContext(ctx, query); err != nil {
			return nil, db.explain(err)
		}
		db.statements[query] = s
	}
	return tx.StmtContext(ctx, s), nil
}

// mostStatements is how many statements are kept prepared.
const mostStatements = 200

// Lock reads the rows of keys. The transaction has the file for itself.
func (db *database) Lock(ctx context.Context, c relational.Conn, t *relational.Table, keys []string) ([]*relational.Row, error) {
	if t.Foreign() {
		return db.lockForeign(ctx, c, t, keys)
	}
	d := db.dialect
	var list []*relational.Row
	query := "SELECT " + t.Select(d) + " FROM " + d.Table(t) + " WHERE "
	if open := t.Open(d); open != "" {
		query += open + " AND "
	}
	query += d.Quote(relational.KeyColumn)
	texts := make([]value.Value, 0, len(keys))
	for _, k := range keys {
		if strings.IndexByte(k, 0) < 0 {
			texts = append(texts, value.FromString(k))
			continue
		}
		// In JSON, SQLite ends a text at NUL.
		rows, err := c.Query(ctx, query+" = ?1", k)
		if err != nil {
			return nil, err
		}
		found, err := t.Scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	rows, err := c.Query(ctx, query+" IN (SELECT value FROM json_each(?1))", string(value.AppendJSON(nil, value.FromArray(texts))))
	if err != nil {
		return nil, err
	}
	found, err := t.Scan(rows)
	return append(list, found...), err
}

func (db *database) lockForeign(ctx context.Context, c relational.Conn, t *relational.Table, keys []string) (list []*relational.Row, err error) {
	for _, key := range keys {
		args := relational.NewArgs(db.dialect)
		where, err := t.ByKey(key, args)
		if err != nil {
			return nil, err
		}
		rows, err := c.Query(ctx, "SELECT "+t.Select(db.dialect)+" FROM "+db.dialect.Table(t)+" WHERE "+where, args.List()...)
		if err != nil {
			return nil, err
		}
		found, err := t.Scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// bind gives a cell as SQLite keeps it.
func bind(c *relational.Column, cell relational.Cell) any {
	if !cell.Valid {
		return nil
	}
	switch c.Kind {
	case relational.Bool:
		if cell.Text == "true" {
			return int64(1)
		}
		return int64(0)
	case relational.Int, relational.Numeric, relational.Double:
		v, ok := value.ParseNumber(cell.Text)
		if !ok {
			return cell.Text
		}
		if i, ok := value.AsInt(v); ok {
			return i
		}
		// What SQLite gives back must be the same number.
		if f, ok := relational.ExactFloat(cell.Text); ok {
			return f
		}
	}
	return cell.Text
}

// rowsAtOnce is how many rows one statement inserts.
const rowsAtOnce = 50

// Insert adds rows.
func (db *database) Insert(ctx context.Context, c relational.Conn, t *relational.Table, rows []*relational.Row, m relational.Mark) error {
	d := db.dialect
	if t.History {
		return db.version(ctx, c, t, rows, m, false)
	}
	var names []string
	if !t.Foreign() {
		names = []string{d.Quote(relational.KeyColumn), d.Quote(relational.RunColumn), d.Quote(relational.StoredColumn)}
	}
	for i := range t.Columns {
		names = append(names, d.Quote(t.Columns[i].Name))
	}
	head := "INSERT INTO " + d.Table(t) + " (" + strings.Join(names, ", ") + ") VALUES "
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ") + ")"
	many := max(min(rowsAtOnce, 2000/len(names)), 1)
	stored := relational.StampMilli(m.At)
	var args []any
	conflict := false
	for len(rows) > 0 {
		n := 1
		if len(rows) >= many {
			n = many
		}
		stmt, err := c.(conn).prepared(ctx, head+strings.TrimSuffix(strings.Repeat(one+", ", n), ", ")+" ON CONFLICT DO NOTHING")
		if err != nil {
			return err
		}
		args = args[:0]
		for _, r := range rows[:n] {
			if !t.Foreign() {
				args = append(args, r.Key, m.Run, stored)
			}
			for i, cell := range r.Cells {
				args = append(args, bind(&t.Columns[i], cell))
			}
		}
		done, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return db.explain(err)
		}
		added, err := done.RowsAffected()
		if err != nil {
			return db.explain(err)
		}
		conflict = conflict || int(added) < n
		rows = rows[n:]
	}
	if conflict {
		return relational.ErrConflict
	}
	return nil
}

// Update replaces rows.
func (db *database) Update(ctx context.Context, c relational.Conn, t *relational.Table, rows []*relational.Row, m relational.Mark) error {
	d := db.dialect
	if t.History && m.At != 0 {
		return db.version(ctx, c, t, rows, m, true)
	}
	var set []string
	for i := range t.Columns {
		set = append(set, d.Quote(t.Columns[i].Name)+" = ?")
	}
	where := d.Quote(relational.KeyColumn) + " = ?"
	if t.Foreign() {
		var parts []string
		for _, k := range t.Key {
			parts = append(parts, d.Quote(k)+" = ?")
		}
		where = strings.Join(parts, " AND ")
	} else if m.At != 0 {
		set = append(set, d.Quote(relational.RunColumn)+" = ?", d.Quote(relational.StoredColumn)+" = ?")
	}
	work := c.(conn)
	work.once = m.At == 0 // the columns have just been added
	stmt, err := work.prepared(ctx, "UPDATE "+d.Table(t)+" SET "+strings.Join(set, ", ")+" WHERE "+relational.And(where, t.Open(d)))
	if err != nil {
		return err
	}
	stored := relational.StampMilli(m.At)
	var args []any
	for _, r := range rows {
		args = args[:0]
		for i, cell := range r.Cells {
			args = append(args, bind(&t.Columns[i], cell))
		}
		switch {
		case t.Foreign():
			for _, k := range t.Key {
				at := t.FieldColumn(k)
				args = append(args, bind(&t.Columns[at], r.Cells[at]))
			}
		case m.At != 0:
			args = append(args, m.Run, stored, r.Key)
		default:
			args = append(args, r.Key)
		}
		if _, err := stmt.ExecContext(ctx, args...); err != nil {
			return db.explain(err)
		}
	}
	return nil
}

// version adds the rows of a table with history: with changed, behind those that
// are open, which are closed.
func (db *database) version(ctx context.Context, c relational.Conn, t *relational.Table, rows []*relational.Row, m relational.Mark, changed bool) error {
	d := db.dialect
	work := c.(conn)
	key, from, to := d.Quote(relational.KeyColumn), d.Quote(relational.FromColumn), d.Quote(relational.ToColumn)
	names := []string{key, d.Quote(relational.RunColumn), d.Quote(relational.StoredColumn), d.Quote(relational.SeqColumn), from}
	// A row begins when the last one of its key ended, or behind that.
	last := "(SELECT max(" + to + ") FROM " + d.Table(t) + " WHERE " + key + " = ?1)"
	begin := "coalesce(" + d.Clock(last) + ", " + d.Clock("") + ")"
	seq := "(SELECT coalesce(max(" + d.Quote(relational.SeqColumn) + "), 0) + 1 FROM " + d.Table(t) + ")"
	if changed {
		begin, seq = last, "?4"
	}
	values := []string{"?1", "?2", "?3", seq, begin}
	for i := range t.Columns {
		names = append(names, d.Quote(t.Columns[i].Name))
		values = append(values, "?"+strconv.Itoa(5+i))
	}
	add, err := work.prepared(ctx, "INSERT INTO "+d.Table(t)+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")")
	if err != nil {
		return err
	}
	end, err := work.prepared(ctx, t.Removal(d, key+" = ?1"))
	if err != nil {
		return err
	}
	stored := relational.StampMilli(m.At)
	var args []any
	for _, r := range rows {
		if changed {
			if _, err := end.ExecContext(ctx, r.Key); err != nil {
				return db.explain(err)
			}
		}
		args = append(args[:0], r.Key, m.Run, stored, r.Seq)
		for i, cell := range r.Cells {
			args = append(args, bind(&t.Columns[i], cell))
		}
		if _, err := add.ExecContext(ctx, args...); err != nil {
			return db.explain(err)
		}
	}
	return nil
}

// AddKeys adds keys to a temporary table.
func (db *database) AddKeys(ctx context.Context, c relational.Conn, table string, rows []*relational.Row) error {
	stmt, err := c.(conn).q.PrepareContext(ctx, "INSERT INTO "+table+" VALUES (?)")
	if err != nil {
		return db.explain(err)
	}
	defer stmt.Close()
	for _, r := range rows {
		if _, err := stmt.ExecContext(ctx, r.Key); err != nil {
			return db.explain(err)
		}
	}
	return nil
}

// Touch notes that rows were written again.
func (db *database) Touch(ctx context.Context, c relational.Conn, t *relational.Table, keys []string, m relational.Mark) error {
	d := db.dialect
	stmt, err := c.(conn).prepared(ctx, "UPDATE "+d.Table(t)+" SET "+d.Quote(relational.StoredColumn)+" = ? WHERE "+relational.And(d.Quote(relational.KeyColumn)+" = ?", t.Open(d)))
	if err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := stmt.ExecContext(ctx, relational.StampMilli(m.At), k); err != nil {
			return db.explain(err)
		}
	}
	return nil
}

// Namespace gives nothing: there are no schemas.
func (db *database) Namespace(context.Context, relational.Conn, string) (string, error) {
	return "", nil
}

// Where leaves all filtering to who asks.
func (db *database) Where(*relational.Table, *store.Filter, *relational.Args) string { return "" }
