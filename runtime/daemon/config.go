package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/jonboulle/clockwork"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/runtime/telemetry"
	"reqon/vm/bytecode"
)

// Defaults of Config.
const (
	DefaultCheckInterval     = time.Second
	DefaultMaxConcurrentRuns = 16
)

// Config is what a daemon works with. Path and Engine.StateDir must be given.
type Config struct {
	Path     string   // the missions: a file or folder
	Missions []string // the names of --mission; none: all
	Params   map[string]string
	// Auth is the credentials file, "" for none. It is read again when it changes.
	Auth   string
	DryRun bool // nothing is sent, stored or recorded
	// Strict makes Once fail where a run did not, but left something out or had
	// warnings.
	Strict bool
	// Preview is told each request of a dry run; nil logs them.
	Preview func(mission string, p engine.Preview)

	// Engine is what the missions run with. Its Credentials, Clock and ReadOnly
	// are set by the daemon.
	Engine engine.Config
	// Version names the program; compiled programs of another one aren't used.
	Version string

	CheckInterval     time.Duration // default DefaultCheckInterval
	MaxConcurrentRuns int           // default DefaultMaxConcurrentRuns
	ShutdownTimeout   time.Duration // 0: wait for as long as it takes
	// KeepHistory is for how long run records are kept, 0 for ever. They are looked
	// at when the daemon starts, and once a day.
	KeepHistory time.Duration

	// HealthAddr and MetricsAddr are host:port to listen at, "" for not at all.
	// They may be the same.
	HealthAddr, MetricsAddr string
	// AllowHosts are the names that ports on loopback answer to, beside IP addresses
	// and localhost. Ports that are open to other machines answer to every name.
	AllowHosts []string
	// PortOption is the name of the option that both are of, for errors; "" if
	// each has its own.
	PortOption string

	// Signals brings SIGINT and SIGTERM to stop, and SIGHUP to reload.
	Signals   <-chan os.Signal
	ReopenLog func() error // called on SIGHUP; nil: there is no log file

	Clock    clockwork.Clock // default the system's
	Location *time.Location  // zone of the log and of schedules without one; default the system's

	// Started, if given, is told when all is loaded, with the addresses that
	// HealthAddr and MetricsAddr came to.
	Started func(health, metrics string)
	// readFile reads mission files, nil for compiler.ReadFile. Tests have their own.
	readFile compiler.Read

	// Delayed, if given, is told of each run how late it started.
	Delayed func(mission string, late time.Duration)
}

// ErrForced is the error of a daemon whose runs in progress were cancelled, by
// a second signal or the shutdown timeout (exit code 1).
var ErrForced = errors.New("stopped before all runs were finished; they were cancelled, and their sync positions have not moved")

// configError makes a configuration error (exit code 3).
func configError(format string, args ...any) error {
	return &engine.ConfigError{Err: fmt.Errorf(format, args...)}
}

// complete fills in the defaults and finds what can't work.
func (c *Config) complete() error {
	if c.CheckInterval == 0 {
		c.CheckInterval = DefaultCheckInterval
	}
	if c.MaxConcurrentRuns == 0 {
		c.MaxConcurrentRuns = DefaultMaxConcurrentRuns
	}
	switch {
	case c.CheckInterval < time.Millisecond:
		return configError("--check-interval must be at least 1ms, found %s", c.CheckInterval)
	case c.MaxConcurrentRuns < 1:
		return configError("--max-concurrent-runs must be at least 1, found %d", c.MaxConcurrentRuns)
	case c.ShutdownTimeout < 0:
		return configError("--shutdown-timeout must not be negative, found %s", c.ShutdownTimeout)
	}
	if c.Clock == nil {
		c.Clock = clockwork.NewRealClock()
	}
	if c.Location == nil {
		c.Location = time.Local
	}
	if c.Engine.Env == nil {
		c.Engine.Env = os.LookupEnv
	}
	if c.Engine.Metrics == nil {
		c.Engine.Metrics = telemetry.NewMetrics()
	}
	c.Engine.Clock = engineClock{c.Clock}
	c.Engine.ReadOnly = c.DryRun
	return nil
}

// now is the time by the wall clock only: with Go's monotonic reading, a time
// would not notice that the clock was set.
func (c *Config) now() time.Time { return c.Clock.Now().Round(0) }

// read gives what reads mission files.
func (c *Config) read() compiler.Read {
	if c.readFile != nil {
		return c.readFile
	}
	return compiler.ReadFile
}

// text writes a time as the log does.
func (c *Config) text(t time.Time) string { return t.In(c.Location).Format(time.TimeOnly) }

// compilerID tells one build of the compiler from another, for the cache. The
// version alone does not during development, and neither does the revision.
func (c *Config) compilerID() string {
	id := fmt.Sprintf("%s bytecode=%d", c.Version, bytecode.Version)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
				id += " " + s.Key + "=" + s.Value
			}
		}
	}
	if path, err := os.Executable(); err == nil {
		if f, err := os.Stat(path); err == nil {
			id += fmt.Sprintf(" size=%d time=%d", f.Size(), f.ModTime().UnixNano())
		}
	}
	return id
}

// seed tells this daemon from others that have the same missions.
func (c *Config) seed() string {
	host, err := os.Hostname()
	if err != nil {
		host = "" // jitter is then the same on all such hosts, which is no error
	}
	dir, err := filepath.Abs(c.Engine.StateDir)
	if err != nil {
		dir = c.Engine.StateDir
	}
	return host + "\x00" + dir
}

func (c *Config) log() *telemetry.Logger { return c.Engine.Log }

// engineClock gives the engine the daemon's clock.
type engineClock struct{ clockwork.Clock }

// Sleep waits for d, or until ctx is done.
func (c engineClock) Sleep(ctx context.Context, d time.Duration) error {
	t := c.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.Chan():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
