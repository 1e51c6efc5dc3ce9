// Package postgres keeps the records of stores in tables of PostgreSQL.
//
// Statements leave nothing behind in a session, so that a pooler in transaction
// mode may stand between. A batch is one transaction, in which rows are read,
// locked and written in the order of their keys: two batches never wait for each
// other in a circle. One that the server ended all the same, and one whose
// connection was cut, is begun anew; where the answer to COMMIT did not come, not
// before the server has done with it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"reqon/runtime/store"
	"reqon/runtime/store/relational"
)

// Adapter opens stores in databases.
type Adapter struct {
	env     store.Env
	dialect *relational.Dialect

	mu  sync.Mutex
	dbs map[settings]*database
}

// settings tell one pool of connections from another.
type settings struct {
	url                string
	pool               int
	connect, statement time.Duration
	retry              store.Retry
}

// New returns the adapter.
func New(env store.Env) (store.Adapter, error) {
	return &Adapter{env: env, dialect: newDialect(), dbs: map[settings]*database{}}, nil
}

const (
	defaultPool    = 4
	defaultConnect = 10 * time.Second
)

// Design gives the statements that make the table of a declaration.
func (a *Adapter) Design(d *store.Declaration) ([]string, error) {
	return relational.Statements(a.dialect, d)
}

// Open opens the store of a declaration.
func (a *Adapter) Open(ctx context.Context, d *store.Declaration) (store.Store, error) {
	db, err := a.database(d)
	if err != nil {
		return nil, err
	}
	if err := db.reach(ctx); err != nil {
		return nil, err
	}
	s, err := relational.Open(ctx, db, d, a.env)
	if err != nil {
		return nil, db.opening(err)
	}
	return s, nil
}

// opening says whether an error of opening is somebody's to mend.
func (db *database) opening(err error) error {
	var config *store.ConfigError
	switch {
	case errors.As(err, &config):
		return fmt.Errorf("%s: %w", db.name, err)
	case passing(err):
		return &store.Unavailable{Err: db.explain(err)}
	}
	return &store.ConfigError{Err: db.explain(err)}
}

// database returns the pool for a declaration, which connects when it is used.
func (a *Adapter) database(d *store.Declaration) (*database, error) {
	o := &d.Options
	s := settings{url: d.Target, pool: o.Pool, connect: o.ConnectTimeout, statement: o.StatementTimeout, retry: o.Retry}
	if s.pool == 0 {
		s.pool = defaultPool
	}
	if s.connect == 0 {
		s.connect = defaultConnect
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if db := a.dbs[s]; db != nil {
		return db, nil
	}
	if !strings.HasPrefix(s.url, "postgres://") && !strings.HasPrefix(s.url, "postgresql://") {
		return nil, &store.ConfigError{Err: errors.New("the address of a PostgreSQL database has the form postgres://user:password@host:5432/database")}
	}
	config, err := pgxpool.ParseConfig(s.url)
	if err != nil {
		return nil, &store.ConfigError{Err: fmt.Errorf("the address of the PostgreSQL database %s can't be read: %s; it has the form postgres://user:password@host:5432/database", Name(s.url), reason(err))}
	}
	config.MaxConns = int32(s.pool)
	config.ConnConfig.ConnectTimeout = s.connect
	// One round trip a statement, and nothing prepared that a pooler could lose.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.StatementCacheCapacity = 0
	config.ConnConfig.DescriptionCacheCapacity = 0
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "reqon"
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, &store.ConfigError{Err: err}
	}
	db := &database{name: Name(s.url), settings: s, pool: pool, dialect: a.dialect}
	a.dbs[s] = db
	return db, nil
}

// Close closes all connections.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for s, db := range a.dbs {
		db.pool.Close()
		delete(a.dbs, s)
	}
	return nil
}

// Name is the address of a database for people, without user and password.
func Name(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "postgres://…"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// reason is why an address can't be read, without the address, which may hold a
// password.
func reason(err error) string {
	var pe *pgconn.ParseConfigError
	if errors.As(err, &pe) {
		if inner := pe.Unwrap(); inner != nil {
			var ue *url.Error
			if errors.As(inner, &ue) {
				return ue.Err.Error()
			}
			return inner.Error()
		}
	}
	return "it is malformed"
}

// database is a pool of connections.
type database struct {
	name     string
	settings settings
	pool     *pgxpool.Pool
	dialect  *relational.Dialect
}

func (db *database) Dialect() *relational.Dialect { return db.dialect }

// passing reports whether an error may be gone at another attempt.
func passing(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && !pgconn.SafeToRetry(err) {
		var ne net.Error
		if !(err != nil && errors.As(err, &ne) && ne.Timeout()) || errors.Is(err, context.Canceled) {
			return false
		}
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "40001", "40P01", "55P03", // serialization, deadlock, lock
			"57P01", "57P02", "57P03", "53300", "25006": // shutdown, crash, starting, too many connections, a standby
			return true
		}
		return strings.HasPrefix(pe.Code, "08")
	}
	var ce *pgconn.ConnectError
	return errors.As(err, &ce) || pgconn.SafeToRetry(err) || broken(err)
}

// broken reports whether the connection was cut.
func broken(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) || strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "closed pool")
}

// explain names the database in an error and says what to do about it.
func (db *database) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var batch *store.BatchError
	var config *store.ConfigError
	var told *explained
	if errors.As(err, &batch) || errors.As(err, &config) || errors.As(err, &told) || errors.Is(err, store.ErrClosed) || errors.Is(err, relational.ErrConflict) {
		return err
	}
	todo := ""
	var pe *pgconn.PgError
	var ce *pgconn.ConnectError
	switch {
	case errors.As(err, &pe):
		switch {
		case pe.Code == "28P01" || pe.Code == "28000":
			todo = "; check user and password in the address"
		case pe.Code == "3D000":
			todo = "; make the database, or name another in the address"
		case pe.Code == "42501":
			todo = "; give the role that right"
		case pe.Code == "53100":
			todo = "; the server's disk is full"
		case pe.Code == "53300":
			todo = "; the server has no connection left: allow it more, or this store fewer with `pool`"
		case pe.Code == "57014":
			todo = "; it took longer than `statementTimeout`"
		}
		return &explained{fmt.Sprintf("PostgreSQL at %s: %s (SQLSTATE %s)%s", db.name, pe.Message, pe.Code, todo), err}
	case errors.As(err, &ce):
		// Its own text shows the user, and every address that was tried.
		inner := err
		for e := error(ce); e != nil; e = errors.Unwrap(e) {
			inner = e
		}
		return &explained{fmt.Sprintf("PostgreSQL at %s can't be reached: %s; see that the server runs and that the address is right", db.name, inner), err}
	}
	return &explained{fmt.Sprintf("PostgreSQL at %s: %s", db.name, err), err}
}

// explained is an error with the text that people get.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// attempts is how often something is tried that fails for a passing reason.
func (db *database) attempts() int { return db.settings.retry.Attempts() }

func (db *database) wait(ctx context.Context, failed int) error {
	return db.settings.retry.Wait(ctx, failed)
}

// reach waits for the database to be there, as long as `retry` says.
func (db *database) reach(ctx context.Context) error {
	for failed := 1; ; failed++ {
		err := db.pool.Ping(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !passing(err) {
			return &store.ConfigError{Err: db.explain(err)}
		}
		if failed >= db.attempts() {
			return &store.Unavailable{Err: db.explain(err)}
		}
		if err := db.wait(ctx, failed); err != nil {
			return err
		}
	}
}

// querier is a connection, or a pool of them.
type querier interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// conn runs statements.
type conn struct {
	db *database
	q  querier
}

func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	ctx, cancel := c.db.within(ctx)
	defer cancel()
	tag, err := c.q.Exec(ctx, query, plain(args)...)
	return tag.RowsAffected(), c.db.explain(err)
}

func (c conn) Query(ctx context.Context, query string, args ...any) (relational.Rows, error) {
	ctx, cancel := c.db.within(ctx)
	r, err := c.q.Query(ctx, query, plain(args)...)
	if err != nil {
		cancel()
		return nil, c.db.explain(err)
	}
	return rows{c.db, r, cancel}, nil
}

// within ends a statement when statementTimeout is over.
func (db *database) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if d := db.settings.statement; d > 0 {
		return context.WithTimeoutCause(ctx, d, fmt.Errorf("the statement took longer than statementTimeout, %s", d))
	}
	return ctx, func() {}
}

type rows struct {
	db *database
	pgx.Rows
	cancel context.CancelFunc
}

func (r rows) Close() error {
	r.Rows.Close()
	r.cancel()
	return r.db.explain(r.Rows.Err())
}

// Exec runs a statement by itself.
func (db *database) Exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = db.Tx(ctx, func(ctx context.Context, c relational.Conn) error {
		n, err = c.Exec(ctx, query, args...)
		return err
	})
	return n, err
}

// Query reads, and tries again what failed for a passing reason before the first
// row came.
func (db *database) Query(ctx context.Context, query string, args ...any) (relational.Rows, error) {
	for failed := 1; ; failed++ {
		r, err := conn{db, db.pool}.Query(ctx, query, args...)
		if err == nil || !passing(err) || failed >= db.attempts() {
			return r, err
		}
		if err := db.wait(ctx, failed); err != nil {
			return nil, err
		}
	}
}

// Tx runs fn in a transaction.
func (db *database) Tx(ctx context.Context, fn func(context.Context, relational.Conn) error) error {
	for failed := 1; ; failed++ {
		err := db.tx(ctx, fn)
		if err == nil || errors.Is(err, relational.ErrConflict) {
			return err
		}
		if !passing(err) || failed >= max(db.attempts(), 1) && !soon(err) || failed >= mostSoon {
			return db.explain(err)
		}
		if soon(err) {
			continue
		}
		if err := db.wait(ctx, failed); err != nil {
			return err
		}
	}
}

// soon reports whether another attempt needs no wait: the server has chosen
// this transaction to give way to others.
func soon(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (pe.Code == "40001" || pe.Code == "40P01")
}

// mostSoon is how often a transaction gives way to others.
const mostSoon = 20

// errUnknown says that nobody knows whether a transaction was committed.
var errUnknown = errors.New("the connection was cut while the batch was committed, and the server can't be asked whether it was; run again")

func (db *database) tx(ctx context.Context, fn func(context.Context, relational.Conn) error) error {
	c, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	// A transaction that has begun is finished or undone, and not cut off.
	work := context.WithoutCancel(ctx)
	var id string
	results, err := c.Conn().PgConn().Exec(work, "BEGIN; SELECT txid_current()").ReadAll()
	if err != nil {
		return err
	}
	if len(results) == 2 && len(results[1].Rows) == 1 {
		id = string(results[1].Rows[0][0])
	}
	if err := fn(work, conn{db, c.Conn()}); err != nil {
		undo, cancel := context.WithTimeout(work, 5*time.Second)
		defer cancel()
		if _, e := c.Conn().Exec(undo, "ROLLBACK"); e != nil {
			c.Conn().Close(undo)
		}
		return err
	}
	tag, err := c.Conn().Exec(work, "COMMIT")
	if err != nil {
		var pe *pgconn.PgError
		if errors.As(err, &pe) && !strings.HasPrefix(pe.Code, "57P") && !strings.HasPrefix(pe.Code, "08") {
			return err
		}
		c.Conn().Close(work)
		return db.lookUp(ctx, id, err)
	}
	if tag.String() != "COMMIT" { // it was rolled back: a statement had failed
		return fmt.Errorf("the transaction was not committed: %s", tag)
	}
	return nil
}

// lookUp waits until the server has done with a transaction whose COMMIT was not
// answered. Whether it was committed does not matter then: a batch that is
// written twice is there once, since a record that is as it should be stays as it
// is. And it can't be known for sure: after a crash the server may give the number
// of a transaction that came to nothing to another one.
func (db *database) lookUp(ctx context.Context, id string, why error) error {
	ctx = context.WithoutCancel(ctx)
	for failed := 1; ; failed++ {
		var status *string
		var unknown *pgconn.PgError
		err := db.pool.QueryRow(ctx, "SELECT txid_status($1::text::bigint)", id).Scan(&status)
		switch {
		case err == nil && (status == nil || *status != "in progress"), errors.As(err, &unknown) && unknown.Code == "22023":
			return cut{why} // 22023: after a crash the number has not been given to anybody yet
		case err != nil && (!passing(err) || failed >= max(db.attempts(), lookUps)):
			return fmt.Errorf("%w (%w)", errUnknown, err)
		}
		if err := db.wait(ctx, min(failed, 5)); err != nil {
			return err
		}
	}
}

// lookUps is how often is asked at least what became of a transaction: it is
// worth more than a request.
const lookUps = 6

// cut is the error of a connection, after which the transaction may be begun
// anew.
type cut struct{ error }

func (c cut) Unwrap() error { return c.error }

// SafeToRetry says so to passing.
func (cut) SafeToRetry() bool { return true }

// Sync has nothing to do: the server commits for good.
func (db *database) Sync(context.Context) error { return nil }
