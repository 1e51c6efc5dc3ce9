package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"

	"reqon/runtime/store"
	"reqon/runtime/store/relational"
)

// longestKey is how many bytes of a key an index of InnoDB takes.
const longestKey = 3072

// newDialect returns how MySQL is spoken to.
func newDialect() *relational.Dialect {
	d := &relational.Dialect{
		Name:      "MySQL",
		Longest:   64,
		Folds:     true,
		Param:     func(int) string { return "?" },
		QuoteWith: "`",
		// The type `json` of MySQL rounds numbers: JSON is text, and functions
		// like JSON_EXTRACT take that as well.
		Types: map[relational.Kind]string{
			relational.Text: "longtext", relational.Int: "bigint", relational.Numeric: "decimal(65,30)", relational.Double: "double",
			relational.Bool: "tinyint(1)", relational.Time: "datetime(6)", relational.JSON: "longtext", relational.Exact: "longtext",
		},
		Parse:      parseType,
		Wider:      wider,
		ExactData:  true,
		NoYearZero: true,
		Digits:     6,
		LongestKey: longestKey,
	}
	d.Read = func(c *relational.Column) string {
		name := d.Quote(c.Name)
		switch {
		case c.Kind == relational.Time:
			return "DATE_FORMAT(" + name + ", '%Y-%m-%dT%H:%i:%s.%fZ')"
		case c.Kind == relational.Numeric && c.Scale > 0:
			return "TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(" + name + " AS CHAR)))"
		}
		return name
	}
	d.Create = func(t *relational.Table) []string {
		lines := []string{
			d.Quote(relational.KeyColumn) + fmt.Sprintf(" varbinary(%d) NOT NULL PRIMARY KEY", longestKey),
			d.Quote(relational.SeqColumn) + " bigint NOT NULL AUTO_INCREMENT UNIQUE",
			d.Quote(relational.RunColumn) + " varchar(255) NOT NULL",
			d.Quote(relational.StoredColumn) + " datetime(3) NOT NULL",
		}
		for i := range t.Columns {
			lines = append(lines, d.Quote(t.Columns[i].Name)+" "+t.Columns[i].Type+t.Constraint(i))
		}
		return []string{"CREATE TABLE IF NOT EXISTS " + d.Table(t) + " (\n  " + strings.Join(lines, ",\n  ") +
			"\n) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"}
	}
	d.Clock = func(after string) string {
		if after == "" {
			return "UTC_TIMESTAMP(6)"
		}
		return "greatest(UTC_TIMESTAMP(6), " + after + " + INTERVAL 1 MICROSECOND)"
	}
	// With DROP TABLE alone the transaction would be committed.
	d.DropKeys = func(quoted string) string { return "DROP TEMPORARY TABLE " + quoted }
	d.TempKeys = func(quoted string) string {
		return fmt.Sprintf("CREATE TEMPORARY TABLE %s (k varbinary(%d) NOT NULL PRIMARY KEY) ENGINE=InnoDB ROW_FORMAT=DYNAMIC", quoted, longestKey)
	}
	d.Cast = func(param string, c *relational.Column) string {
		switch {
		case c.Kind == relational.Int && c.Unsigned:
			return "CAST(" + param + " AS UNSIGNED)"
		case c.Kind == relational.Int:
			return "CAST(" + param + " AS SIGNED)"
		case c.Kind == relational.Numeric:
			return fmt.Sprintf("CAST(%s AS DECIMAL(%d,%d))", param, c.Precision, c.Scale)
		case c.Kind == relational.Time:
			return "CAST(REPLACE(REPLACE(" + param + ", 'T', ' '), 'Z', '') AS DATETIME(6))"
		}
		return param
	}
	d.Add = func(t *relational.Table, c *relational.Column) string {
		return "ALTER TABLE " + d.Table(t) + " ADD COLUMN " + d.Quote(c.Name) + " " + c.Type
	}
	d.Widen = func(t *relational.Table, c *relational.Column) string {
		return "ALTER TABLE " + d.Table(t) + " MODIFY COLUMN " + d.Quote(c.Name) + " " + c.Type
	}
	return d
}

// wider reports whether every value of one type is one of the other.
func wider(from, to *relational.Column) bool {
	switch from.Kind {
	case relational.Int:
		if to.Kind == relational.Int {
			return to.Bits >= from.Bits && to.Unsigned == from.Unsigned || from.Unsigned && !to.Unsigned && to.Bits > from.Bits
		}
		return to.Kind == relational.Numeric && to.Precision-to.Scale >= 20
	case relational.Numeric:
		return to.Kind == relational.Numeric && to.Scale >= from.Scale && to.Precision-to.Scale >= from.Precision-from.Scale
	case relational.Text:
		if to.Kind != relational.Text {
			return false
		}
		most := func(c *relational.Column) int { // bytes
			switch {
			case c.Bytes > 0:
				return c.Bytes
			case c.Length > 0:
				return 4 * c.Length
			}
			return 1 << 32
		}
		if from.Length > 0 && to.Length > 0 {
			return to.Length >= from.Length
		}
		return to.Length == 0 && most(to) >= most(from)
	case relational.Time:
		digits := func(c *relational.Column) int {
			if c.Digits == 0 {
				return 6
			}
			return max(c.Digits, 0)
		}
		return to.Kind == relational.Time && digits(to) >= digits(from) && strings.HasPrefix(to.Type, "datetime")
	}
	return false
}

var typeForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z]+(?: precision)?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?( unsigned)?$`)
})

// parseType reads a type as the server or a mission writes it.
func parseType(typ string) (c relational.Column, ok bool) {
	c.Type = strings.ToLower(strings.TrimSpace(typ))
	m := typeForm().FindStringSubmatch(c.Type)
	if m == nil {
		return c, false
	}
	name, first, second, unsigned := m[1], m[2], m[3], m[4] != ""
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	bits := map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "integer": 32, "bigint": 64}[name]
	switch {
	case (name == "tinyint" && first == "1" || name == "bool" || name == "boolean") && !unsigned:
		c.Kind, c.Type = relational.Bool, "tinyint(1)"
		return c, true
	case bits > 0:
		// The number in parentheses is a width for showing.
		c.Kind, c.Bits, c.Unsigned = relational.Int, bits, unsigned
		return c, second == ""
	case unsigned:
		return c, false
	}
	switch name {
	case "varchar":
		c.Kind, c.Length = relational.Text, number(first)
		return c, c.Length > 0 && second == ""
	case "char":
		// It loses spaces at the end of other texts.
		c.Kind = relational.UUID
		return c, first == "36"
	case "tinytext":
		c.Kind, c.Bytes = relational.Text, 1<<8-1
	case "text":
		c.Kind, c.Bytes = relational.Text, 1<<16-1
	case "mediumtext":
		c.Kind, c.Bytes = relational.Text, 1<<24-1
	case "longtext":
		c.Kind = relational.Text
	case "decimal", "numeric":
		c.Kind, c.Precision, c.Scale = relational.Numeric, number(first), number(second)
		if first == "" {
			c.Precision = 10
		}
		return c, c.Precision > 0 && c.Precision <= 65 && c.Scale <= 30
	case "double", "double precision":
		c.Kind = relational.Double
	case "datetime", "timestamp":
		c.Kind, c.Digits = relational.Time, number(first)
		if c.Digits == 0 {
			c.Digits = -1
		}
		return c, c.Digits <= 6 && second == ""
	case "json":
		c.Kind, c.Floats = relational.JSON, true
	default:
		return c, false
	}
	return c, first == ""
}

// Namespace gives the statement that makes a database, "" where it is there.
func (db *database) Namespace(ctx context.Context, c relational.Conn, schema string) (string, error) {
	rows, err := c.Query(ctx, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", schema)
	if err != nil {
		return "", err
	}
	there := rows.Next()
	if err := rows.Close(); err != nil || there {
		return "", err
	}
	return "CREATE DATABASE IF NOT EXISTS " + db.dialect.Quote(schema), nil
}

// Columns reads what a table has.
func (db *database) Columns(ctx context.Context, c relational.Conn, schema, table string) (list []relational.Existing, err error) {
	name := db.dialect.Table(&relational.Table{Schema: schema, Name: table})
	rows, err := c.Query(ctx, "SHOW COLUMNS FROM "+name)
	if err != nil {
		if n := number(err); n == errNoTable || n == errNoDatabase && schema != "" {
			return nil, nil
		}
		return nil, err
	}
	for rows.Next() {
		var e relational.Existing
		var null, key, otherwise, extra relational.Cell
		if err := rows.Scan(&e.Name, &e.Type, &null, &key, &otherwise, &extra); err != nil {
			rows.Close()
			return nil, err
		}
		e.Generated = strings.Contains(extra.Text, " GENERATED") // VIRTUAL or STORED
		list = append(list, e)
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	mark := func(query string, note func(e *relational.Existing)) error {
		rows, err := c.Query(ctx, query, schema, table)
		if err != nil {
			return err
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				rows.Close()
				return err
			}
			for i := range list {
				if strings.EqualFold(list[i].Name, name) {
					note(&list[i])
				}
			}
		}
		return rows.Close()
	}
	err = mark("SELECT max(COLUMN_NAME) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = coalesce(nullif(?, ''), DATABASE()) AND TABLE_NAME = ?"+
		" AND NON_UNIQUE = 0 GROUP BY INDEX_NAME HAVING count(*) = 1 AND max(SUB_PART) IS NULL", func(e *relational.Existing) { e.Unique = true })
	if err == nil && slices.ContainsFunc(list, func(e relational.Existing) bool { return e.Type == "longtext" }) && db.maria(ctx, c) {
		// There the type `json` is a text that is checked.
		err = mark("SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = coalesce(nullif(?, ''), DATABASE()) AND TABLE_NAME = ?"+
			" AND LEVEL = 'Column' AND CHECK_CLAUSE LIKE 'json\\_valid(%'", func(e *relational.Existing) { e.Type = "json" })
	}
	return list, err
}

// maria reports whether the server is one of MariaDB.
func (db *database) maria(ctx context.Context, c relational.Conn) bool {
	rows, err := c.Query(ctx, "SELECT VERSION()")
	if err != nil {
		return false
	}
	defer rows.Close()
	var version string
	return rows.Next() && rows.Scan(&version) == nil && strings.Contains(version, "MariaDB")
}

// instant gives the text of an instant as the server takes it.
func instant(text string) string {
	return strings.TrimSuffix(strings.Replace(text, "T", " ", 1), "Z")
}

// stamp is instant of milliseconds since 1970.
func stamp(ms int64) string { return instant(relational.StampMilli(ms)) }

// plain gives arguments as the driver takes them.
func plain(args []any) []any {
	for i, a := range args {
		if m, ok := a.(relational.Moment); ok {
			args[i] = stamp(int64(m))
		}
	}
	return args
}

// bind gives a cell as the driver takes it.
func bind(c *relational.Column, cell relational.Cell) any {
	if !cell.Valid {
		return nil
	}
	switch c.Kind {
	case relational.Bool:
		if cell.Text == "true" || cell.Text == "1" {
			return int64(1)
		}
		return int64(0)
	case relational.Int:
		if i, err := strconv.ParseInt(cell.Text, 10, 64); err == nil {
			return i
		}
	case relational.Time:
		return instant(cell.Text)
	}
	return cell.Text
}

const (
	// mostRows and mostBytes are how much one statement writes: servers take
	// statements of some megabytes.
	mostRows  = 1000
	mostBytes = 512 << 10
	// mostUpdates is how many rows one statement changes: each is a SELECT of a
	// union.
	mostUpdates = 100
)

// part returns how many of the rows one statement takes.
func part(rows []*relational.Row, most int) int {
	n, size := 0, 0
	for n < len(rows) && n < most && (n == 0 || size < mostBytes) {
		size += len(rows[n].Key)
		for _, c := range rows[n].Cells {
			size += len(c.Text)
		}
		n++
	}
	return n
}

// partOfKeys is part of keys alone.
func partOfKeys(keys []string) int {
	n, size := 0, 0
	for n < len(keys) && n < mostRows && (n == 0 || size < mostBytes) {
		size += len(keys[n])
		n++
	}
	return n
}

// list gives n times a text with commas between.
func list(text string, n int) string { return strings.TrimSuffix(strings.Repeat(text+", ", n), ", ") }

// Lock reads rows and locks them, in the order of their keys.
func (db *database) Lock(ctx context.Context, c relational.Conn, t *relational.Table, keys []string) (all []*relational.Row, err error) {
	d := db.dialect
	head := "SELECT " + t.Select(d) + " FROM " + d.Table(t) + " WHERE "
	for len(keys) > 0 {
		n := partOfKeys(keys)
		var args []any
		var query string
		if !t.Foreign() {
			key := d.Quote(relational.KeyColumn)
			query = head + key + " IN (" + list("?", n) + ") ORDER BY " + key + " FOR UPDATE"
			for _, k := range keys[:n] {
				args = append(args, []byte(k))
			}
		} else {
			var names, one []string
			for _, k := range t.Key {
				names = append(names, d.Quote(k))
				one = append(one, d.Cast("?", &t.Columns[t.FieldColumn(k)]))
			}
			for _, k := range keys[:n] {
				cells, err := t.KeyCells(k)
				if err != nil {
					return nil, err
				}
				for i := range cells {
					args = append(args, cells[i].Text)
				}
			}
			order := strings.Join(names, ", ")
			query = head + "(" + order + ") IN (" + list("("+strings.Join(one, ", ")+")", n) + ") ORDER BY " + order + " FOR UPDATE"
		}
		rows, err := c.Query(ctx, query, args...)
		if err != nil {
			return nil, err
		}
		found, err := t.Scan(rows)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			// The collation of a column of others may take two keys for one.
			if t.Foreign() && !slices.Contains(keys[:n], r.Key) {
				return nil, fmt.Errorf("the table %s has a record %q, which its collation takes for one of those that are stored, though it is written in another way; give the key column a binary collation", d.Table(t), r.Key)
			}
		}
		all = append(all, found...)
		keys = keys[n:]
	}
	return all, nil
}

// Insert adds rows.
func (db *database) Insert(ctx context.Context, c relational.Conn, t *relational.Table, rows []*relational.Row, m relational.Mark) error {
	d := db.dialect
	var names []string
	if !t.Foreign() {
		names = []string{d.Quote(relational.KeyColumn), d.Quote(relational.RunColumn), d.Quote(relational.StoredColumn)}
	}
	for i := range t.Columns {
		names = append(names, d.Quote(t.Columns[i].Name))
	}
	head := "INSERT INTO " + d.Table(t) + " (" + strings.Join(names, ", ") + ") VALUES "
	one := "(" + list("?", len(names)) + ")"
	stored := stamp(m.At)
	most := min(mostRows, max(1, 60_000/len(names))) // the driver takes 65,535 arguments where it can't write them out
	for len(rows) > 0 {
		n := part(rows, most)
		args := make([]any, 0, n*len(names))
		for _, r := range rows[:n] {
			if !t.Foreign() {
				args = append(args, []byte(r.Key), m.Run, stored)
			}
			for i, cell := range r.Cells {
				args = append(args, bind(&t.Columns[i], cell))
			}
		}
		if _, err := c.Exec(ctx, head+list(one, n), args...); err != nil {
			return db.duplicate(ctx, c, t, rows[:n], err)
		}
		rows = rows[n:]
	}
	return nil
}

// duplicate finds out whose rows are in the way of an insert: those of somebody
// else who was faster with the same keys, or others that have the same value in
// another unique column.
func (db *database) duplicate(ctx context.Context, c relational.Conn, t *relational.Table, rows []*relational.Row, why error) error {
	var me *mysql.MySQLError
	if !errors.As(why, &me) || me.Number != errDuplicate {
		return why
	}
	if !t.Foreign() {
		if strings.HasSuffix(me.Message, "PRIMARY'") { // or 'table.PRIMARY'
			return relational.ErrConflict
		}
		return why
	}
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.Key
	}
	slices.Sort(keys)
	there, err := db.Lock(ctx, c, t, slices.Compact(keys))
	if err != nil {
		return err
	}
	if len(there) > 0 {
		return relational.ErrConflict
	}
	return why
}

// Update replaces rows that are locked.
func (db *database) Update(ctx context.Context, c relational.Conn, t *relational.Table, rows []*relational.Row, m relational.Mark) error {
	d := db.dialect
	if t.Foreign() {
		return db.updateForeign(ctx, c, t, rows)
	}
	first, next := []string{"? AS k"}, "SELECT "+list("?", 1+len(t.Columns))
	var set []string
	for i := range t.Columns {
		first = append(first, fmt.Sprintf("? AS c%d", i))
		set = append(set, fmt.Sprintf("t.%s = u.c%d", d.Quote(t.Columns[i].Name), i))
	}
	var marks []any
	if m.At != 0 {
		set = append(set, "t."+d.Quote(relational.RunColumn)+" = ?", "t."+d.Quote(relational.StoredColumn)+" = ?")
		marks = []any{m.Run, stamp(m.At)}
	}
	for len(rows) > 0 {
		n := part(rows, mostUpdates)
		var args []any
		for _, r := range rows[:n] {
			args = append(args, []byte(r.Key))
			for i, cell := range r.Cells {
				args = append(args, bind(&t.Columns[i], cell))
			}
		}
		query := "UPDATE (SELECT " + strings.Join(first, ", ") + strings.Repeat(" UNION ALL "+next, n-1) + ") AS u STRAIGHT_JOIN " + d.Table(t) +
			" AS t ON t." + d.Quote(relational.KeyColumn) + " = u.k SET " + strings.Join(set, ", ")
		if _, err := c.Exec(ctx, query, append(args, marks...)...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// updateForeign changes rows one by one: only a constant is compared by the
// collation of the key's column, and so by its index.
func (db *database) updateForeign(ctx context.Context, c relational.Conn, t *relational.Table, rows []*relational.Row) error {
	d := db.dialect
	var set, where []string
	for i := range t.Columns {
		set = append(set, d.Quote(t.Columns[i].Name)+" = ?")
	}
	for _, k := range t.Key {
		where = append(where, d.Quote(k)+" = "+d.Cast("?", &t.Columns[t.FieldColumn(k)]))
	}
	query := "UPDATE " + d.Table(t) + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(where, " AND ")
	for _, r := range rows {
		var args []any
		for i, cell := range r.Cells {
			args = append(args, bind(&t.Columns[i], cell))
		}
		for _, k := range t.Key {
			args = append(args, r.Cells[t.FieldColumn(k)].Text)
		}
		if _, err := c.Exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// AddKeys adds keys to a temporary table.
func (db *database) AddKeys(ctx context.Context, c relational.Conn, table string, rows []*relational.Row) error {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.Key
	}
	return each(keys, func(args []any) error {
		_, err := c.Exec(ctx, "INSERT INTO "+table+" VALUES "+list("(?)", len(args)), args...)
		return err
	})
}

// each calls fn for keys, as many at a time as one statement takes.
func each(keys []string, fn func(args []any) error) error {
	for len(keys) > 0 {
		n := partOfKeys(keys)
		args := make([]any, n)
		for i, k := range keys[:n] {
			args[i] = []byte(k)
		}
		if err := fn(args); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// Touch notes that rows were written again.
func (db *database) Touch(ctx context.Context, c relational.Conn, t *relational.Table, keys []string, m relational.Mark) error {
	d := db.dialect
	return each(keys, func(args []any) error {
		_, err := c.Exec(ctx, "UPDATE "+d.Table(t)+" SET "+d.Quote(relational.StoredColumn)+" = ? WHERE "+d.Quote(relational.KeyColumn)+" IN ("+list("?", len(args))+")",
			append([]any{stamp(m.At)}, args...)...)
		return err
	})
}

// Where leaves all filtering to who asks.
func (db *database) Where(*relational.Table, *store.Filter, *relational.Args) string { return "" }
