package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/runtime/credentials"
	"reqon/runtime/daemon"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/store/all"
	"reqon/runtime/telemetry"
	"reqon/vm/value"
)

// groupDaemon is the group of the daemon's options in the help.
const groupDaemon = "Options of the daemon"

func daemonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Category: groupDaemon, Name: "daemon", Usage: "run the missions on their schedules until stopped"},
		&cli.BoolFlag{Category: groupDaemon, Name: "once", Usage: "run every mission that has a schedule once, then exit"},
		&cli.StringFlag{Category: groupDaemon, Name: "check-interval", Usage: "`TIME`: how often to look for changed missions and due runs (default 1000ms)"},
		&cli.StringFlag{Category: groupDaemon, Name: "health-port", Usage: "`PORT`: serve /health, /health/live and /health/ready"},
		&cli.StringFlag{Category: groupDaemon, Name: "metrics-port", Usage: "`PORT`: serve /metrics; may be the health port"},
		&cli.StringFlag{Category: groupDaemon, Name: "listen", Usage: "`ADDR`: address of the ports (default 127.0.0.1)"},
		&cli.StringSliceFlag{Category: groupDaemon, Name: "allow-host", Usage: "`NAME` that ports on loopback answer to, beside localhost (repeatable)"},
		&cli.StringFlag{Category: groupDaemon, Name: "max-concurrent-runs", Usage: "`N`: runs at once; others wait, the oldest due first (default 16)"},
		&cli.StringFlag{Category: groupDaemon, Name: "shutdown-timeout", Usage: "`TIME`: how long runs may go on after SIGTERM (default: as long as they take)"},
		&cli.BoolFlag{Category: groupDaemon, Name: "webhook", Usage: "receive webhooks (not available in this version)"},
		&cli.StringFlag{Category: groupDaemon, Name: "webhook-port", Usage: "`PORT` for webhooks (not available in this version)"},
		&cli.StringFlag{Category: groupDaemon, Name: "webhook-url", Usage: "`URL` of webhooks (not available in this version)"},
	}
}

// checkDaemonFlags refuses what this version can't do, and the options of the
// daemon without it.
func checkDaemonFlags(c *cli.Context) error {
	for _, name := range []string{"webhook", "webhook-port", "webhook-url"} {
		if c.IsSet(name) {
			return fmt.Errorf("--%s: webhooks are not available in this version of reqon", name)
		}
	}
	if c.Bool("once") && c.IsSet("output") {
		return errors.New("--output goes with `reqon PATH`, not with --once")
	}
	if c.Bool("once") && c.Bool("full-refresh") {
		return errors.New("--full-refresh goes with `reqon PATH`, not with --once")
	}
	if c.Bool("daemon") && c.Bool("once") {
		return errors.New("--daemon and --once exclude each other: --once runs every scheduled mission once and exits")
	}
	if c.Bool("daemon") {
		if c.IsSet("strict") {
			return errors.New("--strict goes with runs that end, not with --daemon: a daemon tells in its log, metrics and /health what its runs left out")
		}
		if c.IsSet("output") {
			return errors.New("--output goes with runs that end, not with --daemon: its stores can be read in the state folder")
		}
		if c.Bool("full-refresh") {
			return errors.New("--full-refresh goes with runs that end, not with --daemon: run `reqon PATH --full-refresh` once, beside the daemon if there is one")
		}
		return nil
	}
	for _, name := range []string{"check-interval", "health-port", "metrics-port", "listen", "allow-host", "shutdown-timeout"} {
		if c.IsSet(name) {
			return fmt.Errorf("--%s goes with --daemon", name)
		}
	}
	if c.IsSet("max-concurrent-runs") && !c.Bool("once") {
		return errors.New("--max-concurrent-runs goes with --daemon or --once")
	}
	return nil
}

// runDaemon is `reqon PATH --daemon` and `reqon PATH --once`.
func runDaemon(c *cli.Context) error {
	cfg, log, err := daemonConfig(c)
	if err != nil {
		return exit(exitConfig, err)
	}
	defer log.Close()
	detach(cfg.Engine.Log)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	cfg.Signals = signals
	if c.Bool("once") {
		err = onceExit(daemon.Once(context.Background(), cfg))
	} else {
		err = daemonExit(daemon.Run(context.Background(), cfg))
	}
	return logExit(c, cfg, err)
}

// logExit tells what ended a daemon in its log as well, where that is not the
// standard error for people, to which errors go anyway: a file, or JSON, which
// other lines must not get between.
func logExit(c *cli.Context, cfg daemon.Config, err error) error {
	format, e := daemonFormat(c, cfg.Engine.Env)
	file := c.String("log-file") != ""
	if err == nil || e != nil || format == telemetry.FormatText && !file {
		return err
	}
	cfg.Engine.Log.Error(err.Error())
	var code *exitError
	if !file && errors.As(err, &code) {
		return exit(code.code, nil)
	}
	return err
}

// daemonExit gives a daemon's error its exit code.
func daemonExit(err error) error {
	if err == nil {
		return nil
	}
	var config *engine.ConfigError
	if errors.As(err, &config) {
		return exit(exitConfig, err)
	}
	return exit(exitFailed, err)
}

// onceExit gives the error of --once its exit code.
func onceExit(err error) error {
	var once *daemon.OnceError
	if errors.As(err, &once) && once.Config == nil && len(once.Failed)+len(once.Unclean) == 0 {
		return exit(exitSource, err)
	}
	return daemonExit(err)
}

// nopCloser is a log that is not closed.
type nopCloser struct{}

func (nopCloser) Close() error { return nil }

// daemonConfig reads the options of a daemon. The closer is the log's.
func daemonConfig(c *cli.Context) (cfg daemon.Config, log io.Closer, err error) {
	log = nopCloser{}
	if c.NArg() != 1 {
		return cfg, log, fmt.Errorf("expected one file or folder of missions, found %d arguments: reqon PATH --daemon", c.NArg())
	}
	env, err := environment(c.String("env"))
	if err != nil {
		return cfg, log, err
	}
	cfg = daemon.Config{Path: c.Args().First(), Missions: c.StringSlice("mission"), Auth: c.String("auth"), Strict: c.Bool("strict"), Version: version}
	if cfg.DryRun, err = dryRun(c, env); err != nil {
		return cfg, log, err
	}
	if cfg.Params, err = paramFlags(c.StringSlice("param")); err != nil {
		return cfg, log, err
	}
	if cfg.CheckInterval, err = timeFlag(c, "check-interval"); err != nil {
		return cfg, log, err
	}
	if cfg.ShutdownTimeout, err = timeFlag(c, "shutdown-timeout"); err != nil {
		return cfg, log, err
	}
	if cfg.HealthAddr, err = address(c, "health-port"); err != nil {
		return cfg, log, err
	}
	if cfg.MetricsAddr, err = address(c, "metrics-port"); err != nil {
		return cfg, log, err
	}
	if cfg.KeepHistory, err = keepHistory(c); err != nil {
		return cfg, log, err
	}
	cfg.AllowHosts = c.StringSlice("allow-host")
	if text := c.String("max-concurrent-runs"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return cfg, log, fmt.Errorf("--max-concurrent-runs must be a whole number of at least 1, found %s", text)
		}
		cfg.MaxConcurrentRuns = n
	}
	dev, err := yes(c, env, "dev", "REQON_DEV")
	if err != nil {
		return cfg, log, err
	}
	redactor := &credentials.Redactor{}
	logger, file, err := daemonLog(c, env, redactor)
	if err != nil {
		return cfg, log, err
	}
	if file != nil {
		log, cfg.ReopenLog = file, file.Reopen
	}
	cfg.Engine = engine.Config{StateDir: stateDir(c, env), Env: env, Log: logger, Redactor: redactor, Adapters: all.Adapters(), Dev: dev, Paranoid: paranoid()}
	return cfg, log, nil
}

// daemonLog makes the daemon's log; the file is nil without --log-file.
func daemonLog(c *cli.Context, env func(string) (string, bool), redactor *credentials.Redactor) (*telemetry.Logger, *telemetry.File, error) {
	level, err := logLevel(c, env)
	if err != nil {
		return nil, nil, err
	}
	format, err := daemonFormat(c, env)
	if err != nil {
		return nil, nil, err
	}
	o := telemetry.Options{Writer: c.App.ErrWriter, Fallback: c.App.ErrWriter, Format: format, Level: level, Redact: redactor.Redact}
	var file *telemetry.File
	if name := c.String("log-file"); name != "" {
		if file, err = telemetry.OpenFile(name); err != nil {
			return nil, nil, err
		}
		o.Writer = file
	}
	return telemetry.New(o), file, nil
}

// daemonFormat is that of --log-format, or that of the environment, or text.
func daemonFormat(c *cli.Context, env func(string) (string, bool)) (telemetry.Format, error) {
	return logOption(c, env, "log-format", "REQON_LOG_FORMAT", telemetry.FormatText, telemetry.ParseFormat)
}

// leastHistory keeps a mistyped --keep-history from emptying the history.
const leastHistory = time.Hour

// keepHistory reads --keep-history; 0 is for ever.
func keepHistory(c *cli.Context) (time.Duration, error) {
	switch c.String("keep-history") {
	case "":
		return state.DefaultKeepHistory, nil
	case "forever":
		return 0, nil
	}
	keep, err := timeFlag(c, "keep-history")
	if err == nil && keep < leastHistory {
		err = fmt.Errorf("--keep-history must be at least %s, such as 90d, or forever; found %s", "1h", c.String("keep-history"))
	}
	return keep, err
}

// timeFlag reads an option that takes a time: 500ms, 30s, or a bare number of
// milliseconds. 0 if it is not given.
func timeFlag(c *cli.Context, name string) (time.Duration, error) {
	text := c.String(name)
	if text == "" {
		return 0, nil
	}
	v := value.FromString(text)
	if n, ok := value.ParseNumber(text); ok {
		v = n
	}
	t, err := value.Duration(v)
	if err != nil || t == 0 {
		return 0, fmt.Errorf("--%s must be a time such as 30s or a number of milliseconds, found %s", name, text)
	}
	return t, nil
}

// address gives host:port of a port option, "" if it is not given. The host is
// that of --listen, which may have brackets around an IPv6 address.
func address(c *cli.Context, name string) (string, error) {
	text := c.String(name)
	if text == "" {
		return "", nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", fmt.Errorf("--%s must be a port from 0 to 65535, found %s", name, text)
	}
	host := strings.Trim(c.String("listen"), "[]")
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, text), nil
}
