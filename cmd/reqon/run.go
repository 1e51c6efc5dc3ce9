package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run missions once, or on schedule with --daemon",
		ArgsUsage: "PATH",
		Flags:     runFlags(),
		Action:    runMissions,
	}
}

func runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "auth", Usage: "credentials `FILE` (JSON)"},
		&cli.StringFlag{Name: "env", Usage: "`FILE` of NAME=value lines (default: .env if there)"},
		&cli.StringSliceFlag{Name: "param", Usage: "parameter as `NAME=VALUE`; repeatable"},
		&cli.StringSliceFlag{Name: "mission", Usage: "run only the mission of this `NAME`; repeatable"},
		&cli.BoolFlag{Name: "dry-run", Usage: "send nothing and store nothing; say what would be sent"},
		&cli.StringFlag{Name: "output", Usage: "write the stores' records to `PATH`: a folder, or a .json file"},
		&cli.BoolFlag{Name: "verbose", Usage: "log in detail"},
		&cli.StringFlag{Name: "log-level", Usage: "debug, info, warn or error"},
		&cli.StringFlag{Name: "log-format", Usage: "text or json"},
		&cli.StringFlag{Name: "log-file", Usage: "log to `FILE` instead of standard error"},
		&cli.StringFlag{Name: "state-dir", Usage: "state folder (default .reqon-data)"},
		&cli.BoolFlag{Name: "no-progress", Usage: "no progress line"},
	}
}

// session is what the runs of one command line share.
type session struct {
	out, err io.Writer
	env      func(string) (string, bool)
	log      *telemetry.Logger
	engine   *engine.Engine
	progress *progressLine
	params   map[string]string
	dryRun   bool
	output   string
	closeLog func() error
}

func runMissions(c *cli.Context) error {
	if c.NArg() != 1 {
		return exit(exitConfig, fmt.Errorf("expected one file or folder of missions, found %d arguments: reqon PATH [options]", c.NArg()))
	}
	result, err := loadMissions(c, c.Args().First())
	if err != nil {
		return err
	}
	missions, err := selectMissions(result.Missions, c.StringSlice("mission"))
	if err != nil {
		return exit(exitConfig, err)
	}
	s, err := newSession(c)
	if err != nil {
		return exit(exitConfig, err)
	}
	err = s.runAll(missions)
	return errors.Join(err, s.close())
}

// selectMissions picks the missions of --mission.
func selectMissions(all []*compiler.Mission, names []string) ([]*compiler.Mission, error) {
	if len(names) == 0 {
		return all, nil
	}
	var picked []*compiler.Mission
	for _, name := range names {
		i := slices.IndexFunc(all, func(m *compiler.Mission) bool { return m.Name == name })
		if i < 0 {
			var known []string
			for _, m := range all {
				known = append(known, m.Name)
			}
			return nil, fmt.Errorf("no mission named %s; there are %s", name, strings.Join(known, ", "))
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}

// newSession reads the options that all runs share and opens the state folder.
func newSession(c *cli.Context) (*session, error) {
	s := &session{out: c.App.Writer, err: c.App.ErrWriter, dryRun: c.Bool("dry-run"), output: c.String("output"), closeLog: func() error { return nil }}
	env, err := environment(c.String("env"))
	if err != nil {
		return nil, err
	}
	s.env = env
	if text, ok := env("REQON_DRY_RUN"); ok && !c.IsSet("dry-run") {
		s.dryRun = isTrue(text)
	}
	if s.params, err = paramFlags(c.StringSlice("param")); err != nil {
		return nil, err
	}
	redactor := &credentials.Redactor{}
	if err := s.openLog(c, redactor); err != nil {
		return nil, err
	}
	set, err := credentials.Load(c.String("auth"), env)
	if err != nil {
		return nil, err
	}
	for _, w := range set.Warnings {
		s.log.Warn(w)
	}
	s.engine, err = engine.New(engine.Config{
		StateDir: stateDir(c, env), ReadOnly: s.dryRun, Credentials: set, Env: env, Log: s.log, Redactor: redactor,
	})
	return s, err
}

// stateDir is the state folder: of the option, the environment, or the usual.
func stateDir(c *cli.Context, env func(string) (string, bool)) string {
	if dir := c.String("state-dir"); dir != "" {
		return dir
	}
	if dir, ok := env("REQON_STATE_DIR"); ok && dir != "" {
		return dir
	}
	return ".reqon-data"
}

// paramFlags reads --param name=value.
func paramFlags(list []string) (map[string]string, error) {
	params := map[string]string{}
	for _, p := range list {
		name, text, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--param %s: expected name=value", p)
		}
		params[name] = text
	}
	return params, nil
}

func isTrue(text string) bool {
	switch strings.ToLower(text) {
	case "1", "true", "yes", "on":
		return true
	}
	return false
}

// openLog makes the log: on a terminal beside the progress line, else on
// standard error, or in --log-file.
func (s *session) openLog(c *cli.Context, redactor *credentials.Redactor) error {
	pick := func(flag, variable, otherwise string) string {
		if v := c.String(flag); v != "" {
			return v
		}
		if v, ok := s.env(variable); ok && v != "" {
			return v
		}
		return otherwise
	}
	usual := "info"
	if c.Bool("verbose") {
		usual = "debug"
	}
	level, err := telemetry.ParseLevel(pick("log-level", "REQON_LOG_LEVEL", usual))
	if err != nil {
		return err
	}
	if c.Bool("verbose") && c.String("log-level") == "" {
		level = telemetry.LevelDebug // a flag wins over the environment
	}
	format, err := telemetry.ParseFormat(pick("log-format", "REQON_LOG_FORMAT", "text"))
	if err != nil {
		return err
	}
	w := s.err
	if name := c.String("log-file"); name != "" {
		f, err := telemetry.OpenFile(name)
		if err != nil {
			return err
		}
		w, s.closeLog = f, f.Close
	} else if isTerminal(s.err) && !c.Bool("no-progress") {
		s.progress = newProgressLine(s.err)
		w = s.progress
	}
	s.log = telemetry.New(telemetry.Options{Writer: w, Fallback: s.err, Format: format, Level: level, Redact: redactor.Redact})
	return nil
}

func (s *session) close() error {
	var err error
	if s.engine != nil {
		err = s.engine.Close()
	}
	return errors.Join(err, s.closeLog())
}

// runAll runs missions one after another. All are made ready before the first
// request of any.
func (s *session) runAll(missions []*compiler.Mission) error {
	if err := s.checkParams(missions); err != nil {
		return exit(exitConfig, err)
	}
	var ready []*engine.Mission
	for _, m := range missions {
		loaded, err := s.engine.Load(m.Program)
		if err == nil {
			err = loaded.Ready(s.params)
		}
		if err != nil {
			return exit(exitConfig, err)
		}
		ready = append(ready, loaded)
	}
	ctx, stop := s.signals()
	defer stop()
	code := exitSuccess
	for _, m := range ready {
		report := s.runOne(ctx, m, len(ready) > 1)
		var config *engine.ConfigError
		switch {
		case errors.As(report.Err, &config):
			code = exitConfig
		case report.Err != nil && code == exitSuccess:
			code = exitFailed
		}
		if ctx.Err() != nil {
			break
		}
	}
	if code != exitSuccess {
		return exit(code, nil)
	}
	return nil
}

// checkParams reports a --param that no mission has.
func (s *session) checkParams(missions []*compiler.Mission) error {
	for name := range s.params {
		var known []string
		for _, m := range missions {
			for _, p := range m.Program.Params {
				known = append(known, p.Name)
			}
		}
		if slices.Contains(known, name) {
			continue
		}
		if len(known) == 0 {
			return fmt.Errorf("--param %s: the mission has no parameters", name)
		}
		return fmt.Errorf("--param %s: no mission has this parameter; there are %s", name, strings.Join(known, ", "))
	}
	return nil
}

// signals gives a context that the first SIGINT or SIGTERM cancels; the second
// ends the process at once.
func (s *session) signals() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		for n := 0; ; n++ {
			select {
			case sig := <-ch:
				if n > 0 {
					os.Exit(exitFailed)
				}
				s.log.Warn("Stopping at the next step; once more to stop at once", telemetry.String("signal", sig.String()))
				cancel(fmt.Errorf("cancelled by %s", sig))
			case <-done:
				return
			}
		}
	}()
	return ctx, func() { signal.Stop(ch); close(done); cancel(nil) }
}

// runOne runs one mission and reports it.
func (s *session) runOne(ctx context.Context, m *engine.Mission, several bool) *engine.Report {
	opts := engine.RunOptions{Params: s.params, Trigger: state.TriggerAdhoc, DryRun: s.dryRun, Progress: new(engine.Progress)}
	if s.output != "" {
		opts.Output = func(ctx context.Context, o *engine.Output) error {
			return writeOutput(ctx, s.output, m.Name(), several, o)
		}
	}
	if s.dryRun {
		opts.Preview = func(p engine.Preview) { writePreview(s.out, p) }
		fmt.Fprintf(s.out, "%s: dry run, nothing is sent and nothing stored\n", m.Name())
	}
	stop := func() {}
	if s.progress != nil && !s.dryRun {
		stop = s.progress.show(m.Name(), opts.Progress)
	} else if !s.dryRun {
		s.log.With(m.Name(), "").Info("Starting run")
	}
	started := time.Now()
	report := m.Run(ctx, opts)
	stop()
	s.reportErrors(report)
	writeSummary(s.out, report, time.Since(started), s.dryRun)
	return report
}

// reportErrors tells each error of a run once.
func (s *session) reportErrors(r *engine.Report) {
	for _, e := range r.Errors {
		at := ""
		if e.Position != "" {
			at = e.Position + ": "
		}
		item := ""
		if e.Index != nil {
			item = fmt.Sprintf("item %d", *e.Index)
			if e.ID != "" {
				item += " (id " + e.ID + ")"
			}
			item += ": "
		}
		fmt.Fprintf(s.err, "error: %s%s%s\n", at, item, e.Message)
		if e.Action != "" {
			fmt.Fprintf(s.err, "  in action %s of mission %s\n", e.Action, r.Mission)
		}
	}
	if r.MoreErrors > 0 {
		fmt.Fprintf(s.err, "error: and %d more\n", r.MoreErrors)
	}
	if r.Err != nil && len(r.Errors) == 0 {
		fmt.Fprintf(s.err, "error: %s\n", r.Error)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(s.out, "  note: %s\n", n)
	}
}
