// Package redis keeps the records of stores in Redis.
//
// A record of the table `orders` is the JSON text under `orders:` and its key. `%`
// and `:` in the table's name are written as %25 and %3A, so that no two tables
// share a key. Three more keys belong to a table, whose names no record can have:
// `orders%order`, the record's keys by the order of first storing, `orders%stored`,
// by the time of the last write, and `orders%seq`, the last number of the order.
//
// A batch is read under WATCH and written in one MULTI: where somebody else has
// written a record meanwhile, it is begun anew.
package redis

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// Adapter opens stores on servers.
type Adapter struct {
	env store.Env

	mu  sync.Mutex
	dbs map[settings]*database
}

// settings tell one pool of connections from another.
type settings struct {
	url     string
	pool    int
	connect time.Duration
	retry   store.Retry
}

// New returns the adapter.
func New(env store.Env) (store.Adapter, error) {
	logging.Disable() // what goes wrong is told by errors
	return &Adapter{env: env, dbs: map[settings]*database{}}, nil
}

const (
	defaultPool    = 4
	defaultConnect = 10 * time.Second
	// mostSilent is how long an answer is waited for. A server that was killed while
	// a process of its own wrote to the disk leaves its connections open.
	mostSilent = 30 * time.Second
	form       = "it has the form redis://user:password@host:6379/0, or rediss:// for TLS"
)

// database is a pool of connections.
type database struct {
	name     string
	settings settings
	client   *redis.Client
	told     sync.Once // what a person should know of the server
}

// Open opens the store of a declaration.
func (a *Adapter) Open(ctx context.Context, d *store.Declaration) (store.Store, error) {
	if d.Options.Mode == store.History {
		return nil, &store.ConfigError{Err: errors.New("`redis` stores have no `mode: history`; `sqlite` and `postgres` have")}
	}
	db, err := a.database(d)
	if err != nil {
		return nil, err
	}
	if err := db.reach(ctx); err != nil {
		return nil, err
	}
	if err := db.look(ctx, a.env.Notice); err != nil {
		return nil, err
	}
	name := d.Options.Table
	if name == "" {
		name = d.Name
	}
	table := strings.NewReplacer("%", "%25", ":", "%3A").Replace(name)
	s := &Store{db: db, decl: d, shapes: a.env.Shapes, table: name, prefix: table + ":", order: table + "%order", stored: table + "%stored", seq: table + "%seq"}
	s.decs.New = func() any { return value.NewDecoder(a.env.Shapes) }
	n, err := db.client.ZCard(ctx, s.order).Result()
	if err != nil {
		return nil, &store.ConfigError{Err: db.explain(err)}
	}
	s.empty = n == 0
	return s, nil
}

// database returns the pool for a declaration, which connects when it is used.
func (a *Adapter) database(d *store.Declaration) (*database, error) {
	o := &d.Options
	s := settings{url: d.Target, pool: o.Pool, connect: o.ConnectTimeout, retry: o.Retry}
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
	u, err := url.Parse(s.url)
	if err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Host == "" {
		return nil, &store.ConfigError{Err: errors.New("the address of a Redis server can't be read; " + form)}
	}
	name := u.Scheme + "://" + u.Host + u.Path
	if u.RawQuery != "" {
		return nil, &store.ConfigError{Err: fmt.Errorf("the address of the Redis server %s has settings behind a question mark, and there are none; %s", name, form)}
	}
	config, err := redis.ParseURL(s.url)
	if err != nil {
		return nil, &store.ConfigError{Err: fmt.Errorf("the address of the Redis server %s: %w; %s", name, err, form)}
	}
	config.PoolSize, config.DialTimeout = s.pool, s.connect
	config.Protocol, config.DisableIdentity = 2, true
	config.MaxRetries = -1 // what was watched would not be watched any more
	config.DialerRetries = 1
	config.ReadTimeout, config.WriteTimeout = mostSilent, mostSilent
	config.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	db := &database{name: name, settings: s, client: redis.NewClient(config)}
	a.dbs[s] = db
	return db, nil
}

// Close closes all connections.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for s, db := range a.dbs {
		errs = append(errs, db.client.Close())
		delete(a.dbs, s)
	}
	return errors.Join(errs...)
}

// code is the first word of a server's error, as in `WRONGPASS invalid …`.
func code(err error) string {
	var re redis.Error
	if !errors.As(err, &re) || errors.Is(err, redis.Nil) || errors.Is(err, redis.TxFailedErr) {
		return ""
	}
	word, _, _ := strings.Cut(re.Error(), " ")
	return word
}

// passing reports whether an error may be gone at another attempt.
func passing(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var cert *x509.UnknownAuthorityError
	var host x509.HostnameError
	if errors.As(err, &cert) || errors.As(err, &host) {
		return false
	}
	switch code(err) {
	case "":
	case "LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "READONLY", "CLUSTERDOWN":
		return true
	default:
		return false
	}
	var ne net.Error
	return errors.As(err, &ne) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, redis.ErrPoolTimeout)
}

// explain names the server in an error and says what to do about it.
func (db *database) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var told *explained
	if errors.As(err, &told) {
		return err
	}
	word := code(err)
	if word == "" && passing(err) {
		return &explained{fmt.Sprintf("Redis at %s can't be reached: %s; see that the server runs and that the address is right", db.name, err), err}
	}
	todo := map[string]string{
		"WRONGPASS": "; check user and password in the address",
		"NOAUTH":    "; write user and password into the address",
		"NOPERM":    "; give the user the right to this command and to the keys of the table",
		"OOM":       "; the server's memory is full: give it more",
		"READONLY":  "; name the address of the server that takes writes",
		"MISCONF":   "; see to the server's disk",
		"MOVED":     "; a cluster can't hold a store: its batches are written as one",
		"CROSSSLOT": "; a cluster can't hold a store: its batches are written as one",
		"WRONGTYPE": "; something else has keys of these names: give the store another `table`",
	}[word]
	return &explained{fmt.Sprintf("Redis at %s: %s%s", db.name, err, todo), err}
}

// explained is an error with the text that people get.
type explained struct {
	text string
	err  error
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.err }

// reach waits for the server to be there, as long as `retry` says.
func (db *database) reach(ctx context.Context) error {
	err := db.again(ctx, func() error { return db.client.Ping(ctx).Err() })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case passing(err):
		return &store.Unavailable{Err: err}
	}
	return &store.ConfigError{Err: err}
}

// again does something until it succeeds or fails for good, or `retry` ends it.
func (db *database) again(ctx context.Context, fn func() error) error {
	for failed := 1; ; failed++ {
		err := fn()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !passing(err) || failed >= db.settings.retry.Attempts() {
			return db.explain(err)
		}
		if err := db.settings.retry.Wait(ctx, failed); err != nil {
			return err
		}
	}
}

// look refuses a server that drops keys when its memory is full, and tells of one
// that has nothing on its disk. A server that does not say is taken as it is.
func (db *database) look(ctx context.Context, notice func(string)) error {
	info, err := db.client.Info(ctx).Result()
	if err != nil {
		return nil
	}
	says := map[string]string{}
	for line := range strings.Lines(info) {
		if name, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			says[name] = v
		}
	}
	if p := says["maxmemory_policy"]; strings.HasPrefix(p, "allkeys") && says["maxmemory"] != "0" {
		return &store.ConfigError{Err: fmt.Errorf("the Redis server at %s drops keys when its memory is full (maxmemory-policy %s), and with them records; set the policy to noeviction, or to one for keys that expire", db.name, p)}
	}
	if says["aof_enabled"] == "0" && notice != nil {
		db.told.Do(func() {
			notice(fmt.Sprintf("Redis at %s writes no append-only file: what was stored last is lost if the server ends; set `appendonly yes` there", db.name))
		})
	}
	return nil
}
