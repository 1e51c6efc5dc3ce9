package relational

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// Store is a store.Store in a table.
type Store struct {
	db     Database
	decl   *store.Declaration
	shapes *value.Shapes
	decs   sync.Pool
	closed atomic.Bool
	notice func(string)
	none   bool // there is no table: a dry run reads nothing
	empty  bool // nothing was there when the store was opened

	gatherMu sync.Mutex
	waiting  []*put // batches that came while others were written
	writing  bool

	mu    sync.RWMutex
	table *Table // replaced as a whole where a column is made wider
}

// Open prepares the table of a declaration and returns the store in it.
func Open(ctx context.Context, db Database, decl *store.Declaration, env store.Env) (*Store, error) {
	shapes := env.Shapes
	t, err := Design(db.Dialect(), decl)
	if err != nil {
		return nil, err
	}
	dec := value.NewDecoder(shapes)
	if err := Prepare(ctx, db, t, decl, dec, shapes); err != nil {
		return nil, err
	}
	s := &Store{db: db, decl: decl, shapes: shapes, notice: env.Notice, table: t, decs: sync.Pool{New: func() any { return value.NewDecoder(shapes) }}}
	there, err := db.Columns(ctx, db, t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	if there == nil { // of a dry run
		s.empty, s.none = true, true
		return s, nil
	}
	rows, err := db.Query(ctx, "SELECT 1 FROM "+db.Dialect().Table(t)+" LIMIT 1")
	if err != nil {
		return nil, err
	}
	s.empty = !rows.Next()
	return s, rows.Close()
}

// Begins reports whether nothing was there when the store was opened.
func (s *Store) Begins() (place string, begins bool) {
	return fmt.Sprintf("content in the table %s", s.db.Dialect().Table(s.table)), s.empty
}

func (s *Store) use(ctx context.Context) (*Table, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.table, nil
}

func (s *Store) decoder() *value.Decoder { return s.decs.Get().(*value.Decoder) }

// mark is what is noted of a write now.
func (s *Store) mark() Mark { return Mark{Run: s.decl.Run, At: s.decl.Options.NowMilli()} }

// Put stores a batch in one transaction.
func (s *Store) Put(ctx context.Context, b store.Batch) (store.Result, error) {
	t, err := s.use(ctx)
	if err != nil {
		return store.Result{}, err
	}
	if err := store.CheckRecords(b.Records); err != nil {
		return store.Result{}, err
	}
	if err := s.checkKeys(b.Records); err != nil {
		return store.Result{}, err
	}
	if len(b.Records) == 0 {
		return store.Result{}, nil
	}
	rows, err := t.Rows(b.Records)
	if errors.Is(err, ErrWide) && !s.decl.Options.Strict && !t.Foreign() {
		if t, err = s.widen(ctx, err); err == nil {
			rows, err = t.Rows(b.Records)
		}
	}
	if err != nil {
		return store.Result{}, err
	}
	return s.gather(ctx, &put{table: t, rows: rows, conflict: b.Conflict, done: make(chan struct{})})
}

// Check refuses records that can't be stored as they are.
func (s *Store) Check(recs []store.Record) error {
	s.mu.RLock()
	t := s.table
	s.mu.RUnlock()
	if err := s.checkKeys(recs); err != nil {
		return err
	}
	_, err := t.Rows(recs)
	if errors.Is(err, ErrWide) && !s.decl.Options.Strict && !t.Foreign() {
		if t, err = s.widen(context.Background(), err); err == nil {
			_, err = t.Rows(recs)
		}
	}
	return err
}

// replacePage is how many records Replace writes at a time.
const replacePage = 1000

// Replace makes the table hold the records of another store.
func (s *Store) Replace(ctx context.Context, by store.Store, allow func(there, gone int) error) (res store.Result, removed int, err error) {
	t, err := s.use(ctx)
	if err != nil {
		return res, 0, err
	}
	d := s.db.Dialect()
	fresh := d.Quote("_reqon_keys")
	key := d.Quote(KeyColumn)
	err = s.db.Tx(ctx, func(ctx context.Context, c Conn) error {
		res, removed = store.Result{}, 0
		m := s.mark()
		if _, err := c.Exec(ctx, d.TempKeys(fresh)); err != nil {
			return err
		}
		for cursor := ""; ; {
			p, err := by.Page(ctx, cursor, replacePage, nil)
			if err != nil {
				return err
			}
			rows, err := t.Rows(p.Records)
			if err != nil {
				return err
			}
			part := put{table: t, rows: rows}
			if len(rows) > 0 {
				if err := s.merge(ctx, c, t, []*put{&part}, m); err != nil {
					return err
				}
				if err := s.db.AddKeys(ctx, c, fresh, rows); err != nil {
					return err
				}
			}
			res.Inserted += part.result.Inserted
			res.Updated += part.result.Updated
			res.Unchanged += part.result.Unchanged
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		gone := "NOT EXISTS (SELECT 1 FROM " + fresh + " AS k WHERE k.k = " + d.Table(t) + "." + key + ")"
		left, err := count(ctx, c, "SELECT count(*) FROM "+d.Table(t)+" WHERE "+And(t.Open(d), gone))
		if err != nil {
			return err
		}
		if err := allow(left+res.Updated+res.Unchanged, left); err != nil {
			return err
		}
		n, err := c.Exec(ctx, t.Removal(d, gone))
		if err != nil {
			return err
		}
		removed = int(n)
		drop := "DROP TABLE " + fresh
		if d.DropKeys != nil {
			drop = d.DropKeys(fresh)
		}
		_, err = c.Exec(ctx, drop)
		return err
	})
	if err != nil {
		return store.Result{}, 0, err
	}
	return res, removed, nil
}

// count runs a query that gives one number.
func count(ctx context.Context, c Conn, query string, args ...any) (int, error) {
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	var n int64
	if rows.Next() {
		if err := rows.Scan(&n); err != nil {
			rows.Close()
			return 0, err
		}
	}
	return int(n), rows.Close()
}

// checkKeys refuses keys that the table can't hold.
func (s *Store) checkKeys(recs []store.Record) error {
	most := s.db.Dialect().LongestKey
	if most == 0 {
		return nil
	}
	var refused []*store.RecordError
	for i := range recs {
		if len(recs[i].Key) > most {
			refused = append(refused, &store.RecordError{Index: i, Key: recs[i].Key, Column: KeyColumn, Type: "text",
				Err: fmt.Errorf("a key of %d bytes is too long; %s takes %d", len(recs[i].Key), s.db.Dialect().Name, most)})
		}
	}
	if refused != nil {
		return &store.BatchError{Total: len(recs), Records: refused}
	}
	return nil
}

// widen makes the columns wider that whole numbers of a batch do not fit.
func (s *Store) widen(ctx context.Context, why error) (*Table, error) {
	var batch *store.BatchError
	if !errors.As(why, &batch) {
		return nil, why
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := *s.table
	t.Columns = slices.Clone(t.Columns)
	d := s.db.Dialect()
	for _, r := range batch.Records {
		if !errors.Is(r, ErrWide) {
			return nil, why
		}
		i, ok := t.fields[r.Field]
		if !ok || s.decl.Options.Columns[r.Field] != "" {
			return nil, why // its type is the mission's
		}
		c := &t.Columns[i]
		if c.Kind != Int {
			continue
		}
		c.unbounded(d)
		statement := d.Widen(&t, c)
		err := s.db.Tx(ctx, func(ctx context.Context, conn Conn) error {
			_, err := conn.Exec(ctx, statement)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%w; and the column can't be made wider: %w; do it with %s", why, err, statement)
		}
	}
	s.table = &t
	return &t, nil
}

// expire removes rows last written before a time.
func (s *Store) expire(ctx context.Context, c Conn, t *Table, cutoff int64) error {
	d := s.db.Dialect()
	_, err := c.Exec(ctx, t.Removal(d, d.Quote(StoredColumn)+" < "+d.Param(1)), Moment(cutoff))
	return err
}

// Moment is an argument that stands for a time, in milliseconds since 1970.
type Moment int64

// Time returns it in UTC.
func (m Moment) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// keep removes the rows that were first stored longest ago, beyond `keep`.
func (s *Store) keep(ctx context.Context, c Conn, t *Table) error {
	n := s.decl.Options.Keep
	if n == 0 {
		return nil
	}
	d := s.db.Dialect()
	seq := d.Quote(SeqColumn)
	from := d.Table(t)
	if open := t.Open(d); open != "" {
		from += " WHERE " + open
	}
	_, err := c.Exec(ctx, t.Removal(d, seq+" <= (SELECT "+seq+" FROM (SELECT "+seq+" FROM "+from+
		" ORDER BY "+seq+" DESC LIMIT 1 OFFSET "+strconv.Itoa(n)+") AS oldest)"))
	return err
}

// live gives the condition that a row has not expired, "" without ttl.
func (s *Store) live(args *Args) string {
	cutoff, ok := s.decl.Options.Cutoff()
	if !ok {
		return ""
	}
	return s.db.Dialect().Quote(StoredColumn) + " >= " + args.Add(Moment(cutoff))
}

// Get reads a record.
func (s *Store) Get(ctx context.Context, key string) (value.Value, bool, error) {
	t, err := s.use(ctx)
	if err != nil || s.none {
		return value.NullValue, false, err
	}
	if t.NoNUL && strings.IndexByte(key, 0) >= 0 {
		return value.NullValue, false, nil
	}
	rows, _, err := t.read(ctx, s.db, s.db, readOptions{store: s, key: &key, limit: 1})
	if err != nil || len(rows) == 0 {
		return value.NullValue, false, err
	}
	dec := s.decoder()
	defer s.decs.Put(dec)
	v, err := t.Record(rows[0], dec, s.shapes)
	if err != nil {
		return value.NullValue, false, fmt.Errorf("record %q can't be read: %w", key, err)
	}
	return v, true, nil
}

// Has reports whether a record is there.
func (s *Store) Has(ctx context.Context, key string) (bool, error) {
	t, err := s.use(ctx)
	if err != nil || s.none || t.NoNUL && strings.IndexByte(key, 0) >= 0 {
		return false, err
	}
	args := NewArgs(s.db.Dialect())
	by, err := t.ByKey(key, args)
	if err != nil {
		return false, err
	}
	n, err := count(ctx, s.db, "SELECT count(*) FROM "+args.d.Table(t)+" WHERE "+And(by, t.Open(args.d), s.live(args)), args.list...)
	return n > 0, err
}

// Len counts the records.
func (s *Store) Len(ctx context.Context) (int, error) {
	t, err := s.use(ctx)
	if err != nil || s.none {
		return 0, err
	}
	d := s.db.Dialect()
	args := &Args{d: d}
	query := "SELECT count(*) FROM " + d.Table(t)
	if where := And(t.Open(d), s.live(args)); where != "" {
		query += " WHERE " + where
	}
	return count(ctx, s.db, query, args.list...)
}

// readOptions say which rows read gives.
type readOptions struct {
	store *Store // for ttl
	key   *string
	after int64
	limit int
	where *store.Filter
	extra bool // only those with something in _extra
}

// read reads rows in their order. next is the number of the last one if there
// may be more, else 0.
func (t *Table) read(ctx context.Context, db Database, conn Conn, o readOptions) (list []*Row, next int64, err error) {
	d := db.Dialect()
	args := &Args{d: d}
	var where []string
	if o.key != nil {
		by, err := t.ByKey(*o.key, args)
		if err != nil {
			return nil, 0, err
		}
		where = append(where, by)
	} else {
		where = append(where, d.Quote(SeqColumn)+" > "+args.Add(o.after))
	}
	if o.store != nil {
		if live := o.store.live(args); live != "" {
			where = append(where, live)
		}
	}
	if open := t.Open(d); open != "" {
		where = append(where, open)
	}
	if o.where != nil {
		if f := db.Where(t, o.where, args); f != "" {
			where = append(where, f)
		}
	}
	if o.extra {
		where = append(where, d.Quote(ExtraColumn)+" IS NOT NULL")
	}
	query := "SELECT " + t.Select(d) + " FROM " + d.Table(t) + " WHERE " + strings.Join(where, " AND ")
	if o.key == nil {
		query += " ORDER BY " + d.Quote(SeqColumn)
	}
	query += " LIMIT " + strconv.Itoa(o.limit)
	rows, err := conn.Query(ctx, query, args.list...)
	if err != nil {
		return nil, 0, err
	}
	if list, err = t.Scan(rows); err != nil {
		return nil, 0, err
	}
	if len(list) == o.limit && o.key == nil {
		next = list[len(list)-1].Seq
	}
	return list, next, nil
}

// Select gives the expressions that Scan reads.
func (t *Table) Select(d *Dialect) string {
	var b strings.Builder
	if t.Foreign() {
		b.WriteString("0, ''")
	} else {
		b.WriteString(d.Quote(SeqColumn) + ", " + d.Quote(KeyColumn))
	}
	for i := range t.Columns {
		b.WriteString(", ")
		b.WriteString(d.Read(&t.Columns[i]))
	}
	return b.String()
}

// Scan reads and closes rows of Select.
func (t *Table) Scan(rows Rows) (list []*Row, err error) {
	dest := make([]any, 2+len(t.Columns))
	for rows.Next() {
		row := &Row{Cells: make([]Cell, len(t.Columns))}
		dest[0], dest[1] = &row.Seq, &row.Key
		for i := range row.Cells {
			dest[2+i] = &row.Cells[i]
		}
		if err := rows.Scan(dest...); err != nil {
			rows.Close()
			return nil, err
		}
		if t.Foreign() {
			row.Key = t.KeyText(row)
		}
		list = append(list, row)
	}
	return list, rows.Close()
}

// Page reads records behind a cursor, which is the number of the last one.
func (s *Store) Page(ctx context.Context, cursor string, limit int, f *store.Filter) (store.Page, error) {
	t, err := s.use(ctx)
	if err != nil || s.none {
		return store.Page{}, err
	}
	if t.Foreign() {
		return s.foreignPage(ctx, t, cursor, limit, f)
	}
	after := int64(-1 << 62)
	if cursor != "" {
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return store.Page{}, store.ErrCursor
		}
	}
	rows, next, err := t.read(ctx, s.db, s.db, readOptions{store: s, after: after, limit: limit, where: f})
	if err != nil {
		return store.Page{}, err
	}
	p, err := s.page(t, rows)
	if err == nil && next != 0 {
		p.Next = strconv.FormatInt(next, 10)
	}
	return p, err
}

func (s *Store) page(t *Table, rows []*Row) (p store.Page, err error) {
	dec := s.decoder()
	defer s.decs.Put(dec)
	p.Records = make([]store.Record, len(rows))
	for i, row := range rows {
		v, err := t.Record(row, dec, s.shapes)
		if err != nil {
			return store.Page{}, fmt.Errorf("record %q can't be read: %w", row.Key, err)
		}
		p.Records[i] = store.Record{Key: row.Key, Value: v}
	}
	return p, nil
}

// View gives the list of the records.
func (s *Store) View(ctx context.Context, f *store.Filter) (store.View, error) {
	if _, err := s.use(ctx); err != nil {
		return nil, err
	}
	return store.Spool(ctx, s, f, s.shapes)
}

// Delete removes a record.
func (s *Store) Delete(ctx context.Context, key string) (bool, error) {
	t, err := s.use(ctx)
	if err != nil {
		return false, err
	}
	if t.NoNUL && strings.IndexByte(key, 0) >= 0 {
		return false, nil
	}
	args := &Args{d: s.db.Dialect()}
	where, err := t.ByKey(key, args)
	if err != nil {
		return false, err
	}
	n, err := s.remove(ctx, t, And(where, s.live(args)), args)
	return n > 0, err
}

// Clear removes all records.
func (s *Store) Clear(ctx context.Context) (int, error) {
	t, err := s.use(ctx)
	if err != nil {
		return 0, err
	}
	if t.Foreign() {
		return 0, errors.New("a table that others have made is not cleared")
	}
	if cutoff, ok := s.decl.Options.Cutoff(); ok {
		if err := s.expire(ctx, s.db, t, cutoff); err != nil {
			return 0, err
		}
	}
	return s.remove(ctx, t, "", &Args{d: s.db.Dialect()})
}

func (s *Store) remove(ctx context.Context, t *Table, where string, args *Args) (n int, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context, c Conn) error {
		removed, err := c.Exec(ctx, t.Removal(args.d, where), args.list...)
		n = int(removed)
		return err
	})
	return n, err
}

// Sync returns when all that was put is stored for good.
func (s *Store) Sync(ctx context.Context) error {
	if _, err := s.use(ctx); err != nil {
		return err
	}
	return s.db.Sync(ctx)
}

// Close ends the session. The connections are the adapter's.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	if n := s.table.replaced.Load(); n > 0 && s.notice != nil {
		s.notice(fmt.Sprintf("store %s: the character NUL was replaced by U+FFFD in %d texts, as `nul: replace` says", s.decl.Name, n))
	}
	return s.db.Sync(context.Background())
}
