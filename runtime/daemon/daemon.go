package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/telemetry"
)

// daemon is a daemon while it lives.
type daemon struct {
	cfg     *Config
	log     *telemetry.Logger
	metrics *telemetry.Metrics
	engine  *engine.Engine
	loader  *loader
	timers  *timers
	notify  *notifier
	began   time.Time

	runs   context.Context // of the runs; cancelled to end them early
	cancel context.CancelCauseFunc
	work   sync.WaitGroup   // runs and looks in progress
	begun  chan *pendingRun // those that were doubtful
	done   chan result
	looked chan *snapshot
	// elsewhere brings the runs of other processes; there is one asking at most.
	elsewhere chan []ranElsewhere

	// The table, which the loop changes and the HTTP servers read.
	mu       sync.Mutex
	jobs     []*job
	byName   map[string]*job
	problems []Problem
	idle     bool // it has been told that nothing is scheduled
	asking   bool // for the runs of other processes
	askedAt  time.Time
	waiting  waitingRuns
	running  int
	phase    phase
	lastPass time.Time // of the loop

	looking   bool           // a look at the files is under way
	lookedAt  time.Time      // when it began
	looks     sync.WaitGroup // of the looks; one may be stuck, and is not waited for
	filter    SignalFilter
	tidied    time.Time // when old run records were last removed
	tidying   bool
	lookAgain bool // a reload was asked for meanwhile
	reloading bool // systemd waits for the end of a reload
	lastTick  time.Time
	deadline  <-chan time.Time // of the shutdown timeout
	forced    bool
}

// phase is where a daemon stands in its life.
type phase uint8

const (
	phaseLoading phase = iota
	phaseServing
	phaseStopping
)

// Run keeps the missions of cfg.Path on schedule until a signal or ctx ends it.
// Runs in progress are finished first; where they are cancelled the error is
// ErrForced. A *engine.ConfigError says that the daemon could not start.
func Run(ctx context.Context, cfg Config) (err error) {
	if err := cfg.complete(); err != nil {
		return err
	}
	raiseProcs()
	d, err := open(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()

	d.log.Info("Starting Reqon daemon")
	release, err := d.own()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	defer d.awaitLooks()
	server, err := d.listen()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.close()) }()
	if stopped, err := d.load(ctx); stopped || err != nil {
		return err
	}
	d.notify.ready(d.status())
	if cfg.Started != nil {
		cfg.Started(server.health, server.metrics)
	}
	d.serve(ctx)
	d.log.Info("Stopped")
	if d.forced {
		return ErrForced
	}
	return nil
}

// open opens the state folder and makes a daemon that does nothing yet.
func open(ctx context.Context, cfg *Config) (*daemon, error) {
	e, err := engine.New(cfg.Engine)
	if err != nil {
		return nil, err
	}
	d := &daemon{
		cfg: cfg, log: cfg.log(), metrics: cfg.Engine.Metrics, engine: e, began: cfg.now(), byName: map[string]*job{},
		begun: make(chan *pendingRun), done: make(chan result), looked: make(chan *snapshot, 1), elsewhere: make(chan []ranElsewhere, 1), notify: newNotifier(cfg.Engine.Env, cfg.log()),
	}
	d.lastTick, d.lastPass = d.began, d.began
	d.runs, d.cancel = context.WithCancelCause(ctx)
	d.loader = newLoader(cfg, e, d.began)
	return d, nil
}

// own makes this process the owner of the state folder, and records the runs
// that were cut off with the last one.
func (d *daemon) own() (release func() error, err error) {
	if d.cfg.DryRun {
		return func() error { return nil }, nil
	}
	if release, err = d.engine.DB().LockDaemon(); err != nil {
		return nil, &engine.ConfigError{Err: err}
	}
	runs, err := d.engine.DB().MarkInterrupted()
	if err != nil {
		return nil, errors.Join(&engine.ConfigError{Err: err}, release())
	}
	for _, r := range runs {
		d.log.With(r.Mission, r.ID).Warn("The run of " + d.clockText(r.Start) + " was cut off; it is recorded as interrupted, and the sync position has not moved")
	}
	return release, nil
}

// firstLook loads the missions, or says why there is nothing to load.
func (d *daemon) firstLook() (*snapshot, error) {
	snap := d.loader.look(true)
	switch {
	case errors.Is(d.loader.scan, fs.ErrNotExist):
		return nil, configError("%s: no such file or folder", d.cfg.Path)
	case d.loader.scan != nil:
		return nil, configError("the missions can't be read: %w", d.loader.scan)
	case len(d.loader.units) == 0:
		return nil, configError("%s holds no missions: expected files ending in .reqon", d.cfg.Path)
	case d.loader.auth.err != nil:
		return nil, &engine.ConfigError{Err: d.loader.auth.err}
	case snap.err != nil:
		return nil, &engine.ConfigError{Err: snap.err}
	}
	if err := errors.Join(d.checkNames(), d.checkParams()); err != nil {
		return nil, err
	}
	d.loader.cache.sweep(time.Now())
	return snap, nil
}

// loading is the first look, which goes on beside signals: nothing that a mission
// file holds keeps the daemon from them. stopped says that one has ended it.
func (d *daemon) loading(ctx context.Context) (found *snapshot, stopped bool, err error) {
	var first struct {
		snap *snapshot
		err  error
	}
	done := make(chan struct{})
	d.mu.Lock()
	d.looking, d.lookedAt = true, d.cfg.now()
	d.mu.Unlock()
	d.looks.Go(func() {
		defer close(done)
		first.snap, first.err = d.firstLook()
	})
	why := ""
	for why == "" {
		select {
		case <-done:
			d.mu.Lock()
			d.looking = false
			d.mu.Unlock()
			return first.snap, false, first.err
		case sig := <-d.cfg.Signals:
			if d.filter.Repeats(sig, d.cfg.Clock.Now()) {
				continue
			}
			if sig != syscall.SIGHUP {
				why = sig.String()
				continue
			}
			d.reopenLog()
			d.lookAgain = true // what was changed meanwhile is read when all is loaded
		case <-ctx.Done():
			why = "the context has ended"
		}
	}
	d.mu.Lock()
	d.phase = phaseStopping
	d.mu.Unlock()
	d.notify.send("STOPPING=1\nSTATUS=Stopping")
	d.log.Info("Stopping before the missions were loaded", telemetry.String("reason", why))
	return nil, true, nil
}

// load loads all missions for the first time, and plans them. stopped says that a
// signal has ended it.
func (d *daemon) load(ctx context.Context) (stopped bool, err error) {
	snap, stopped, err := d.loading(ctx)
	if err != nil {
		return false, err
	}
	if stopped {
		d.log.Info("Stopped")
		return true, nil
	}
	timers, err := newTimers(d.cfg.Clock, d.log)
	if err != nil {
		return false, fmt.Errorf("timers: %w", err)
	}
	d.timers = timers
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phase = phaseServing
	d.log.Info("Loaded " + plural(len(snap.missions), "mission", "missions"))
	d.apply(snap, true)
	if d.lookAgain {
		d.reload()
	}
	return false, nil
}

// checkNames reports a --mission that is not there, broken ones included.
func (d *daemon) checkNames() error {
	var known []string
	vague := false // a file has problems that hide what missions it holds
	for _, u := range d.loader.units {
		for _, m := range slices.Concat(u.missions, u.pending) {
			known = append(known, m.name)
		}
		for _, p := range u.problems {
			known = append(known, p.Mission)
			vague = vague || p.Mission == ""
		}
	}
	for _, name := range d.cfg.Missions {
		if !vague && !slices.Contains(known, name) {
			slices.Sort(known)
			return configError("no mission named %s; there are %s", name, strings.Join(slices.Compact(known), ", "))
		}
	}
	return nil
}

// checkParams reports a --param that no mission has, unless one that can't be
// compiled may have it.
func (d *daemon) checkParams() error {
	var known []string
	for _, u := range d.loader.units {
		for _, m := range slices.Concat(u.missions, u.pending) {
			for _, p := range m.linked.Program().Params {
				known = append(known, p.Name)
			}
		}
		for _, p := range u.problems {
			if !slices.ContainsFunc(u.pending, func(m *mission) bool { return m.name == p.Mission }) {
				return nil
			}
		}
	}
	slices.Sort(known)
	there := "there is none at all"
	if len(known) > 0 {
		there = "expected one of " + strings.Join(slices.Compact(known), ", ")
	}
	for _, name := range slices.Sorted(maps.Keys(d.cfg.Params)) {
		if !slices.Contains(known, name) {
			return configError("--param %s: no mission has such a parameter; %s", name, there)
		}
	}
	return nil
}

// serve is the loop. It ends when the daemon has been stopped and its runs have
// ended.
func (d *daemon) serve(ctx context.Context) {
	ticker := d.cfg.Clock.NewTicker(d.cfg.CheckInterval)
	defer ticker.Stop()
	watchdog := d.notify.watchdog()
	defer watchdog.Stop()
	ended := ctx.Done()
	d.timers.notify()
	for !d.drained() {
		select {
		case <-d.timers.wake:
			d.pass(d.woken)
		case <-ticker.Chan():
			d.pass(d.tick)
		case r := <-d.begun:
			d.pass(func() { d.recorded(r.job) })
		case r := <-d.done:
			d.pass(func() { d.finished(r) })
		case s := <-d.looked:
			d.pass(func() { d.reloaded(s) })
		case found := <-d.elsewhere:
			d.pass(func() { d.toldElsewhere(found) })
		case sig := <-d.cfg.Signals:
			d.pass(func() { d.signal(sig) })
		case <-ended:
			ended = nil
			d.pass(func() { d.stop("the context has ended"); d.force("it was cancelled") })
		case <-d.deadline:
			d.pass(func() { d.force(fmt.Sprintf("the shutdown timeout of %s is over", d.cfg.ShutdownTimeout)) })
		case <-watchdog.C:
			d.notify.send("WATCHDOG=1")
		}
	}
}

// pass does one thing with the table locked.
func (d *daemon) pass(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lastPass = d.cfg.now()
	do()
}

// drained tells whether there is nothing left to wait for.
func (d *daemon) drained() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.phase == phaseStopping && d.running == 0
}

// close ends everything that was opened, in the order opposite to open.
func (d *daemon) close() error {
	d.cancel(nil)
	d.work.Wait()
	var err error
	if d.timers != nil {
		err = d.timers.close()
	}
	return errors.Join(err, d.engine.Close())
}

// lookPatience is how long a daemon that ends waits for a look at the files.
const lookPatience = time.Second

// awaitLooks waits for the looks at the files, but not for ever: one may wait for
// a disk that does not answer. It ends with the process.
func (d *daemon) awaitLooks() {
	done := make(chan struct{})
	go func() { d.looks.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(lookPatience):
		d.log.Warn("Ended while the mission files were still being read or compiled")
	}
}
