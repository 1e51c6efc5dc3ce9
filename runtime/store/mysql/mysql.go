// Package mysql keeps the records of stores in tables of MySQL and MariaDB.
//
// A batch is one transaction, in which rows are read, locked and changed in the
// order of their keys. New rows are written in the order in which they were
// stored, since that gives them their numbers: two batches with the same new keys
// may wait for each other in a circle. The server ends one of them then, and it
// begins anew. So does one whose connection was cut, also during COMMIT: what the
// first attempt has locked the second one waits for, and a record that is as it
// should be stays as it is.
package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

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

// Open opens the store of a declaration.
func (a *Adapter) Open(ctx context.Context, d *store.Declaration) (store.Store, error) {
	db, err := a.database(d)
	if err != nil {
		return nil, err
	}
	if d.Options.Mode == store.History {
		return nil, &store.ConfigError{Err: errors.New("`mysql` stores have no `mode: history`; `sqlite` and `postgres` have")}
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
	config, err := parse(s.url)
	if err != nil {
		return nil, &store.ConfigError{Err: err}
	}
	config.Timeout = s.connect
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, &store.ConfigError{Err: fmt.Errorf("the address of the MySQL database %s: %w", Name(s.url), err)}
	}
	db := &database{name: Name(s.url), settings: s, pool: sql.OpenDB(connector), dialect: a.dialect}
	db.pool.SetMaxOpenConns(s.pool)
	db.pool.SetMaxIdleConns(s.pool)
	// Servers and what stands before them close what was idle for long.
	db.pool.SetConnMaxLifetime(3 * time.Minute)
	a.dbs[s] = db
	return db, nil
}

// form is what an address looks like.
const form = "it has the form mysql://user:password@host:3306/database"

// parse reads an address. The errors don't show it: it may hold a password.
func parse(address string) (*mysql.Config, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" {
		return nil, errors.New("the address of a MySQL database can't be read; " + form)
	}
	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr = "tcp", u.Host
	if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	c.DBName = strings.TrimPrefix(u.Path, "/")
	query := u.Query()
	if socket := query.Get("socket"); socket != "" {
		c.Net, c.Addr = "unix", socket
	} else if u.Hostname() == "" {
		return nil, fmt.Errorf("the address of the MySQL database %s names no host; %s", Name(address), form)
	}
	if c.DBName == "" || strings.Contains(c.DBName, "/") {
		return nil, fmt.Errorf("the address %s names no database; %s", Name(address), form)
	}
	c.TLSConfig = "preferred"
	for name, values := range query {
		switch name {
		case "socket", "ca":
		case "tls":
			if c.TLSConfig = values[0]; !slices.Contains([]string{"true", "false", "skip-verify", "preferred"}, c.TLSConfig) {
				return nil, fmt.Errorf("the address of the MySQL database %s: tls is %q, expected true, false, skip-verify or preferred", Name(address), c.TLSConfig)
			}
		default:
			return nil, fmt.Errorf("the address of the MySQL database %s: %q is no setting of it; there are tls, ca and socket", Name(address), name)
		}
	}
	if ca := query.Get("ca"); ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("the address of the MySQL database %s: ca: %w", Name(address), err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the address of the MySQL database %s: ca: there is no certificate in %s", Name(address), ca)
		}
		c.TLSConfig, c.TLS = "", &tls.Config{RootCAs: roots, ServerName: u.Hostname()}
	}
	c.Collation = "utf8mb4_bin"
	c.InterpolateParams = true // one round trip a statement
	c.MaxAllowedPacket = 0     // as the server has it
	c.Logger = &mysql.NopLogger{}
	c.Params = map[string]string{
		"sql_mode":  "'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'",
		"time_zone": "'+00:00'",
	}
	return c, nil
}

// Close closes all connections.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for s, db := range a.dbs {
		errs = append(errs, db.pool.Close())
		delete(a.dbs, s)
	}
	return errors.Join(errs...)
}

// Name is the address of a database for people, without user and password.
func Name(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "mysql://…"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// database is a pool of connections.
type database struct {
	name     string
	settings settings
	pool     *sql.DB
	dialect  *relational.Dialect
}

func (db *database) Dialect() *relational.Dialect { return db.dialect }

// Numbers of the server's errors.
const (
	errTooMany        = 1040
	errDatabaseDenied = 1044
	errDenied         = 1045
	errNoDatabase     = 1049
	errShutdown       = 1053
	errDuplicate      = 1062
	errFull           = 1114
	errTableDenied    = 1142
	errColumnDenied   = 1143
	errNoTable        = 1146
	errPacket         = 1153
	errUserTooMany    = 1203
	errLockTimeout    = 1205
	errDeadlock       = 1213
	errNeedsRight     = 1227
	errReadOnly       = 1290
	errStatementLog   = 1665
	errReadOnlyTx     = 1792
	errReadOnlyMode   = 1836
	errKilled         = 1927
	errWritten        = 1020 // MariaDB: the row was changed since it was read
)

// number returns the server's number of an error, 0 for none.
func number(err error) uint16 {
	var me *mysql.MySQLError
	if errors.As(err, &me) {
		return me.Number
	}
	return 0
}

// passing reports whether an error may be gone at another attempt.
func passing(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, errSlow) {
		return false
	}
	switch number(err) {
	case 0:
	case errTooMany, errShutdown, errUserTooMany, errLockTimeout, errDeadlock, errReadOnly, errReadOnlyTx, errReadOnlyMode, errKilled, errWritten:
		return true
	default:
		return false
	}
	var ne net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &ne)
}

// soon reports whether another attempt needs no wait: the server has chosen
// this transaction to give way to others.
func soon(err error) bool { return number(err) == errDeadlock || number(err) == errWritten }

// mostSoon is how often a transaction gives way to others.
const mostSoon = 50

// errSlow is the cause of an end by statementTimeout.
var errSlow = errors.New("the statement took longer than `statementTimeout`")

// explain names the database in an error and says what to do about it.
func (db *database) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var batch *store.BatchError
	var record *store.RecordError
	var config *store.ConfigError
	var told *explained
	if errors.As(err, &batch) || errors.As(err, &record) || errors.As(err, &config) || errors.As(err, &told) || errors.Is(err, store.ErrClosed) || errors.Is(err, relational.ErrConflict) {
		return err
	}
	var me *mysql.MySQLError
	if !errors.As(err, &me) {
		todo := ""
		switch {
		case errors.Is(err, mysql.ErrPktTooLarge):
			return &explained{fmt.Sprintf("MySQL at %s: a record is larger than the server takes; raise its max_allowed_packet", db.name), err}
		case passing(err):
			todo = "; see that the server runs and that the address is right"
			return &explained{fmt.Sprintf("MySQL at %s can't be reached: %s%s", db.name, err, todo), err}
		}
		return &explained{fmt.Sprintf("MySQL at %s: %s", db.name, err), err}
	}
	todo := ""
	switch me.Number {
	case errDenied:
		todo = "; check user and password in the address"
	case errNoDatabase:
		todo = "; make the database, or name another in the address"
	case errDatabaseDenied, errTableDenied, errColumnDenied, errNeedsRight:
		todo = "; give the user that right"
	case errFull, 1021:
		todo = "; the server's disk is full"
	case errTooMany, errUserTooMany:
		todo = "; the server has no connection left: allow it more, or this store fewer with `pool`"
	case errPacket:
		todo = "; raise the server's max_allowed_packet"
	case errReadOnly, errReadOnlyTx, errReadOnlyMode:
		todo = "; name the address of the server that takes writes"
	case errStatementLog:
		todo = "; set the server's binlog_format to ROW or MIXED"
	}
	return &explained{fmt.Sprintf("MySQL at %s: %s (error %d)%s", db.name, me.Message, me.Number, todo), err}
}

// explained is an error with the text that people get.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// reach waits for the database to be there, as long as `retry` says.
func (db *database) reach(ctx context.Context) error {
	for failed := 1; ; failed++ {
		err := db.pool.PingContext(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !passing(err) {
			return &store.ConfigError{Err: db.explain(err)}
		}
		if failed >= db.settings.retry.Attempts() {
			return &store.Unavailable{Err: db.explain(err)}
		}
		if err := db.settings.retry.Wait(ctx, failed); err != nil {
			return err
		}
	}
}

// conn runs statements on the pool or in a transaction.
type conn struct {
	db *database
	q  interface {
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	}
}

// within ends a statement when statementTimeout is over.
func (db *database) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if d := db.settings.statement; d > 0 {
		return context.WithTimeoutCause(ctx, d, errSlow)
	}
	return ctx, func() {}
}

// slow says of an error that it was the end of the time.
func slow(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return fmt.Errorf("%w (%w)", errSlow, err)
	}
	return err
}

func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	ctx, cancel := c.db.within(ctx)
	defer cancel()
	r, err := c.q.ExecContext(ctx, query, plain(args)...)
	if err != nil {
		return 0, c.db.explain(slow(ctx, err))
	}
	return r.RowsAffected()
}

func (c conn) Query(ctx context.Context, query string, args ...any) (relational.Rows, error) {
	ctx, cancel := c.db.within(ctx)
	r, err := c.q.QueryContext(ctx, query, plain(args)...)
	if err != nil {
		err = c.db.explain(slow(ctx, err))
		cancel()
		return nil, err
	}
	return rows{c.db, ctx, r, cancel}, nil
}

type rows struct {
	db  *database
	ctx context.Context // of the statement
	*sql.Rows
	cancel context.CancelFunc
}

func (r rows) Close() error {
	err := r.Rows.Err()
	if cerr := r.Rows.Close(); err == nil {
		err = cerr
	}
	err = slow(r.ctx, err)
	r.cancel()
	return r.db.explain(err)
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
		if err == nil || !passing(err) || failed >= db.settings.retry.Attempts() {
			return r, err
		}
		if err := db.settings.retry.Wait(ctx, failed); err != nil {
			return nil, err
		}
	}
}

// Tx runs fn in a transaction.
func (db *database) Tx(ctx context.Context, fn func(context.Context, relational.Conn) error) error {
	given := 0
	for failed := 1; ; {
		err := db.tx(ctx, fn)
		switch {
		case err == nil || errors.Is(err, relational.ErrConflict):
			return err
		case soon(err) && given < mostSoon:
			given++
			continue
		case !passing(err) || failed >= db.settings.retry.Attempts():
			return db.explain(err)
		}
		if err := db.settings.retry.Wait(ctx, failed); err != nil {
			return err
		}
		failed++
	}
}

func (db *database) tx(ctx context.Context, fn func(context.Context, relational.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	c, err := db.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	// A transaction that has begun is finished or undone, and not cut off. What
	// READ COMMITTED reads for an update is what is there now, and it locks no gaps
	// between rows, which others need for theirs.
	ctx = context.WithoutCancel(ctx)
	tx, err := c.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return err
	}
	if err := fn(ctx, conn{db, tx}); err != nil {
		// The connection may have a temporary table, which a rollback leaves.
		tx.Rollback()
		c.Raw(func(any) error { return driver.ErrBadConn })
		return err
	}
	return tx.Commit()
}

// Sync has nothing to do: the server commits for good.
func (db *database) Sync(context.Context) error { return nil }
