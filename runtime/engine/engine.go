// Package engine runs compiled missions: it is the vm.Host that gives a program
// its sources, stores, parameters, clock and sync positions, and it keeps the
// record of each run.
//
// An Engine is what the missions of a process share: connections, credentials,
// the state folder, the log. A Mission is a program linked and ready; a Run is
// one execution of it.
//
// The order in which a run ends is what keeps records from being lost: first
// every store it wrote to is synced, then the run is recorded a success
// together with its new sync positions, in one transaction.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reqon/runtime/credentials"
	"reqon/runtime/httpclient"
	"reqon/runtime/signin"
	"reqon/runtime/state"
	"reqon/runtime/store"
	"reqon/runtime/store/file"
	"reqon/runtime/telemetry"
	"reqon/stdlib"
	"reqon/vm"
	"reqon/vm/value"
)

// Config is what an Engine works with. StateDir must be given.
type Config struct {
	StateDir    string
	ReadOnly    bool // for dry runs: the state folder is read if it is there, and never written
	Credentials *credentials.Set
	Env         func(name string) (string, bool) // default os.LookupEnv
	Log         *telemetry.Logger                // default: none
	Metrics     *telemetry.Metrics               // default: none
	Clock       Clock                            // default: the system's
	Random      func() float64                   // in [0, 1); default math/rand
	NewUUID     func() string                    // default random
	Transport   http.RoundTripper                // of all requests; default: connections of its own for each origin and account
	Redactor    *credentials.Redactor            // default: a new one
	// ProgressEvery is how often the record of a run that goes on is brought up to
	// date; default 2s.
	ProgressEvery time.Duration

	// Adapters makes the adapters of stores other than `memory` and `file`, by
	// name, when a mission first uses one. An adapter of the language that is not
	// in it is not available. Default: none.
	Adapters map[string]store.New
	// Dev turns every store of a database into a file of the store's name.
	Dev bool

	// Paranoid has each task of a run written down, dropped and read again at
	// every step, so that nothing that it is can hide from a snapshot. It is slow,
	// changes nothing that comes out, and is for tests.
	Paranoid bool
}

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Engine runs missions. It is safe for concurrent use.
type Engine struct {
	cfg    Config
	shapes *value.Shapes
	db     *state.DB
	dir    *file.Dir
	keys   *store.Keys

	transport http.RoundTripper // of requests without a source that has a base
	gates     httpclient.Gates
	accounts  signin.Accounts
	loadedMu  sync.Mutex
	loaded    map[*Mission][]*httpclient.Lease // what each mission keeps open between its runs

	mu       sync.Mutex
	adapters map[string]store.Adapter // those that were used, by name

	signedIn credentials.Tokens // what sign-ins have brought
	// set is what cfg.Credentials was until a reload brought another.
	set atomic.Pointer[credentials.Set]
}

// ConfigError is a mistake in how Reqon was set up, found before anything ran:
// a missing credential or parameter, a wrong option, what is not available yet.
type ConfigError struct{ Err error }

// Error returns the text of the mistake.
func (e *ConfigError) Error() string { return e.Err.Error() }

// Unwrap returns the mistake.
func (e *ConfigError) Unwrap() error { return e.Err }

func configError(format string, args ...any) error {
	return &ConfigError{Err: fmt.Errorf(format, args...)}
}

// New opens the state folder and returns an Engine. The error is a *ConfigError.
func New(cfg Config) (*Engine, error) {
	if cfg.Env == nil {
		cfg.Env = os.LookupEnv
	}
	if cfg.Clock == nil {
		cfg.Clock = systemClock{}
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.NewUUID == nil {
		cfg.NewUUID = newUUID
	}
	if cfg.ProgressEvery == 0 {
		cfg.ProgressEvery = progressEvery
	}
	if cfg.Redactor == nil {
		cfg.Redactor = &credentials.Redactor{}
	}
	if cfg.Credentials == nil {
		set, err := credentials.Load("", cfg.Env)
		if err != nil {
			return nil, &ConfigError{Err: err}
		}
		cfg.Credentials = set
	}
	e := &Engine{
		cfg: cfg, shapes: value.NewShapes(), keys: store.NewKeys(cfg.Clock.Now),
		transport: cfg.Transport, loaded: map[*Mission][]*httpclient.Lease{},
		adapters: map[string]store.Adapter{},
	}
	e.accounts = signin.Accounts{
		Store: signin.NewStore(cfg.StateDir), Clock: cfg.Clock, Learn: e.learnSignedIn, Forget: e.forget, OnState: cfg.Metrics.SignIn,
	}
	e.gates.Accounts = &e.accounts
	e.gates.OnBreaker = func(source string, s httpclient.BreakerState) { cfg.Metrics.BreakerState(source, telemetry.Breaker(s)) }
	if e.transport == nil {
		e.transport = httpclient.NewTransport()
		e.gates.NewTransport = func() http.RoundTripper { return httpclient.NewTransport() }
	}
	e.set.Store(cfg.Credentials)
	db, err := openState(&cfg)
	if err != nil {
		return nil, &ConfigError{Err: err}
	}
	e.db = db
	e.dir, err = file.OpenDir(cfg.StateDir, e.shapes, file.DirOptions{Notice: func(m string) { cfg.Log.Warn(m) }})
	if err != nil {
		return nil, errors.Join(&ConfigError{Err: err}, e.closeState())
	}
	return e, nil
}

// openState opens the state database; nil where a read-only engine finds none.
func openState(cfg *Config) (*state.DB, error) {
	if !cfg.ReadOnly {
		return state.Open(cfg.StateDir)
	}
	db, err := state.OpenExisting(cfg.StateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return db, err
}

func (e *Engine) closeState() error {
	if e.db == nil {
		return nil
	}
	return e.db.Close()
}

// DB returns the state database.
func (e *Engine) DB() *state.DB { return e.db }

// SetCredentials replaces the credentials for the runs that begin from now on.
func (e *Engine) SetCredentials(set *credentials.Set) { e.set.Store(set) }

// Close syncs and closes the stores and the state, and the connections that no
// run is using.
func (e *Engine) Close() error {
	e.Retain(nil)
	if t, ok := e.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return errors.Join(e.closeAdapters(), e.dir.Close(), e.closeState())
}

// learn makes secrets be redacted in all that people read, from now on.
func (e *Engine) learn(secrets ...string) {
	e.cfg.Redactor.Add(secrets...)
}

// learnSignedIn is learn for what a sign-in has brought, which sources that sign in
// send from now on.
func (e *Engine) learnSignedIn(secrets ...string) {
	e.learn(secrets...)
	e.signedIn.Add(secrets...)
}

// forget makes secrets that nobody uses any longer be like any other text.
func (e *Engine) forget(secrets ...string) {
	static := e.set.Load().Secrets()
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return slices.Contains(static, s) })
	e.cfg.Redactor.Forget(secrets...)
	e.signedIn.Forget(secrets...)
}

// SignInProblems returns the sign-ins that do not work, sorted by source.
func (e *Engine) SignInProblems() []signin.Problem { return e.accounts.Problems() }

// hold keeps the gates of the sources open while the mission is loaded, in
// place of those that it had kept. What an API allows holds over all runs, so a
// limit must outlive the run that said it.
func (m *Mission) hold(sources []*httpclient.Source) {
	e := m.engine
	leases := make([]*httpclient.Lease, len(sources))
	for i, s := range sources {
		leases[i] = s.Hold()
	}
	e.loadedMu.Lock()
	old, loaded := e.loaded[m]
	if loaded {
		e.loaded[m] = leases
	} else {
		old = leases // the mission was let go while its run began
	}
	e.loadedMu.Unlock()
	for _, l := range old {
		l.Close()
	}
}

// Retain lets go of all missions but these: what they shared with their APIs
// for longer than a run ends with the last run that uses it. Their runs in
// progress go on.
func (e *Engine) Retain(missions []*Mission) {
	kept := make(map[*Mission]bool, len(missions))
	for _, m := range missions {
		kept[m] = true
	}
	var gone []*httpclient.Lease
	e.loadedMu.Lock()
	for m, leases := range e.loaded {
		if !kept[m] {
			gone = append(gone, leases...)
			delete(e.loaded, m)
		}
	}
	e.loadedMu.Unlock()
	for _, l := range gone {
		l.Close()
	}
}

// natives finds the implementation of a built-in function.
func natives(name string) (vm.Native, bool) {
	f := stdlib.Lookup(name)
	if f == nil || f.Impl == nil {
		return nil, false
	}
	return f.Impl, true
}

// systemClock is the machine's own clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
