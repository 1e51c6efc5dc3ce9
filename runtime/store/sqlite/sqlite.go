// Package sqlite keeps the records of stores in SQLite databases.
//
// A file is opened once, whatever stores are in it. Who writes has the file for
// himself: tasks of this process take turns, and other processes wait for each
// other as SQLite has it. A batch that was committed outlives the process; Sync
// makes it outlive a loss of power.
//
// Tables that Reqon makes are STRICT. Numbers are in columns of the type ANY: as
// INTEGER or REAL where that is exact, else as text.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"

	"reqon/runtime/store"
	"reqon/runtime/store/memory"
	"reqon/runtime/store/relational"
	"reqon/vm/target"
)

// Adapter opens stores in files.
type Adapter struct {
	env     store.Env
	dialect *relational.Dialect

	mu    sync.Mutex
	files map[string]*database // by path
}

// New returns the adapter.
func New(env store.Env) (store.Adapter, error) {
	return &Adapter{env: env, dialect: newDialect(), files: map[string]*database{}}, nil
}

// Design gives the statements that make the table of a declaration.
func (a *Adapter) Design(d *store.Declaration) ([]string, error) {
	return relational.Statements(a.dialect, d)
}

// Open opens the store of a declaration.
func (a *Adapter) Open(ctx context.Context, d *store.Declaration) (store.Store, error) {
	name := d.Target
	if name == "" {
		name = d.Name + ".db"
	}
	if err := target.Database(name); err != nil {
		return nil, &store.ConfigError{Err: fmt.Errorf("database %q: %w", name, err)}
	}
	path := filepath.FromSlash(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.Folder, path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &store.ConfigError{Err: err}
	}
	if strings.Contains(d.Options.Table, ".") {
		return nil, &store.ConfigError{Err: fmt.Errorf("table %q: SQLite has no schemas; take what is before the dot out", d.Options.Table)}
	}
	db, err := a.file(ctx, abs, d.DryRun)
	if err != nil {
		return nil, err
	}
	if db == nil {
		return memory.NewStore(a.env.Shapes, d.Options), nil // a dry run, which finds nothing there
	}
	return relational.Open(ctx, db, d, a.env)
}

// Temporary opens a store in a database of its own that has no name, and is gone
// when it is closed or the process ends.
func Temporary(ctx context.Context, env store.Env, keep int) (store.Store, error) {
	pool, err := sql.Open("sqlite", "") // SQLite's own temporary files
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1) // another one would be another database
	db := &database{path: "in a temporary file", dialect: newDialect(), temporary: true, pool: pool, write: make(chan struct{}, 1), statements: map[string]*sql.Stmt{}}
	s, err := relational.Open(ctx, db, &store.Declaration{Name: "staged", Options: store.Options{Keep: keep, Now: env.Now}}, env)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return temporary{s, pool}, nil
}

// temporary is a store that takes its database along.
type temporary struct {
	*relational.Store
	pool *sql.DB
}

func (t temporary) Close() error { return errors.Join(t.Store.Close(), t.pool.Close()) }

// file returns the database of a path, which it opens when it is first used.
// Where nothing may be changed it gives nil if there is no file.
func (a *Adapter) file(ctx context.Context, path string, dry bool) (*database, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if db := a.files[path]; db != nil {
		if db.checkPlace() == nil {
			return db, nil
		}
		// Somebody has put another file there since: that is the store now. Who
		// still works on the old one is told.
		db.pool.Close()
		delete(a.files, path)
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, &store.ConfigError{Err: fmt.Errorf("%s is a folder, expected a SQLite database", path)}
	case errors.Is(err, fs.ErrNotExist) && dry:
		return nil, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, &store.ConfigError{Err: err}
	}
	fresh := err != nil || info.Size() == 0
	if fresh {
		if err := create(path); err != nil {
			return nil, err
		}
	}
	db := &database{path: path, dialect: a.dialect, write: make(chan struct{}, 1), statements: map[string]*sql.Stmt{}}
	if db.pool, err = sql.Open("sqlite", dsn(path)); err != nil {
		return nil, &store.ConfigError{Err: db.explain(err)}
	}
	db.pool.SetMaxOpenConns(connections)
	db.pool.SetMaxIdleConns(connections)
	if fresh {
		// Readers and a writer work side by side; the file remembers it.
		_, err = db.pool.ExecContext(ctx, "PRAGMA journal_mode(WAL)")
	} else {
		var n int
		err = db.pool.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n)
	}
	if err == nil {
		db.info, err = os.Stat(path)
	}
	if err != nil {
		db.pool.Close()
		return nil, &store.ConfigError{Err: db.explain(err)}
	}
	a.files[path] = db
	return db, nil
}

// create makes an empty file that only its owner can read; SQLite would create it
// with the umask's mode. The folder is the user's to make.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return &store.ConfigError{Err: fmt.Errorf("the folder of the database %s is not there: make it, or name another path", path)}
	}
	if err != nil {
		return &store.ConfigError{Err: fmt.Errorf("can't create the database: %w; make the folder writable for this user, or name another path", err)}
	}
	return f.Close()
}

// Close closes the files.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for path, db := range a.files {
		if err := db.pool.Close(); err != nil {
			errs = append(errs, db.explain(err))
		}
		delete(a.files, path)
	}
	return errors.Join(errs...)
}

const (
	// connections is how many read a file at once.
	connections = 4
	// busyMilli is how long SQLite waits for another process by itself. It can't
	// be interrupted in that, so it is short; Tx waits on.
	busyMilli = 500
	// mostBusy is how long a write waits for another process in all.
	mostBusy = time.Minute
)

// dsn is the driver's name for a path: a URI, so that it may hold any character.
func dsn(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	return fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&_pragma=synchronous(NORMAL)&_txlock=immediate", u.EscapedPath(), busyMilli)
}

// database is an open file.
type database struct {
	path  string
	pool  *sql.DB
	info  os.FileInfo   // of the file that was opened
	write chan struct{} // holds a token while somebody here writes

	dialect   *relational.Dialect
	temporary bool // it has no name, one connection, and nothing to sync

	mu         sync.Mutex
	statements map[string]*sql.Stmt // prepared ones
}

// explain says of an error what to do about it.
func (db *database) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	todo := ""
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case codeBusy, codeLocked:
			todo = "; another program holds it: end that, or try again later"
		case codeFull:
			todo = "; the disk is full: free some space there, then run again"
		case codeReadOnly, codePerm, codeCantOpen:
			todo = "; make the file and its folder writable for this user"
		case codeNotADB:
			todo = "; it is another file: name another path"
		case codeCorrupt:
			todo = "; it is damaged: restore it from a backup"
		}
	}
	return fmt.Errorf("SQLite database %s: %w%s", db.path, err, todo)
}

// Primary result codes of SQLite.
const (
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

func busy(err error) bool {
	var se *sqlite.Error
	return errors.As(err, &se) && (se.Code()&0xff == codeBusy || se.Code()&0xff == codeLocked)
}

// checkPlace returns an error if the file has been removed or replaced: what is
// written to a file without a name is gone at the end.
func (db *database) checkPlace() error {
	now, err := os.Stat(db.path)
	if err == nil && os.SameFile(db.info, now) || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("the SQLite database %s was removed or replaced while it was in use, and what was stored since is lost; put it back with its -wal file, or run again", db.path)
}

// conn runs statements on the pool or in a transaction.
type conn struct {
	db   *database
	once bool // statements are not kept prepared: other connections don't know the columns yet
	q    interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
}

func plain(args []any) []any {
	for i, a := range args {
		if m, ok := a.(relational.Moment); ok {
			args[i] = relational.StampMilli(int64(m))
		}
	}
	return args
}

func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := c.q.ExecContext(ctx, query, plain(args)...)
	if err != nil {
		return 0, c.db.explain(err)
	}
	return r.RowsAffected()
}

func (c conn) Query(ctx context.Context, query string, args ...any) (relational.Rows, error) {
	r, err := c.q.QueryContext(ctx, query, plain(args)...)
	if err != nil {
		return nil, c.db.explain(err)
	}
	return rows{c.db, r}, nil
}

// rows are rows of database/sql.
type rows struct {
	db *database
	*sql.Rows
}

func (r rows) Close() error {
	err := r.Rows.Err()
	if cerr := r.Rows.Close(); err == nil {
		err = cerr
	}
	return r.db.explain(err)
}

func (db *database) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = db.Tx(ctx, func(ctx context.Context, c relational.Conn) error {
		n, err = c.Exec(ctx, query, args...)
		return err
	})
	return n, err
}

func (db *database) Query(ctx context.Context, query string, args ...any) (relational.Rows, error) {
	return conn{db: db, q: db.pool}.Query(ctx, query, args...)
}

// Tx runs fn in a transaction that has the file for itself.
func (db *database) Tx(ctx context.Context, fn func(context.Context, relational.Conn) error) error {
	select {
	case db.write <- struct{}{}:
		defer func() { <-db.write }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	until := time.Now().Add(mostBusy)
	for {
		err := db.tx(ctx, fn)
		if !busy(err) || time.Now().After(until) || ctx.Err() != nil {
			return err
		}
	}
}

func (db *database) tx(ctx context.Context, fn func(context.Context, relational.Conn) error) error {
	// A transaction that has begun is finished or undone, and not cut off.
	ctx = context.WithoutCancel(ctx)
	tx, err := db.pool.BeginTx(ctx, nil)
	if err != nil {
		return db.explain(err)
	}
	defer tx.Rollback() // after Commit it does nothing
	if err := fn(ctx, conn{db: db, q: tx}); err != nil {
		return err
	}
	return db.explain(tx.Commit())
}

// Sync makes what was committed outlive a loss of power: a checkpoint begins
// with writing the journal to the disk for good. One that finds readers, or
// another process, in its way has done that part.
func (db *database) Sync(ctx context.Context) error {
	if db.temporary {
		return nil
	}
	if err := db.checkPlace(); err != nil {
		return err
	}
	_, err := db.pool.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	if busy(err) {
		return nil
	}
	return db.explain(err)
}
