package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/runtime/credentials"
	"reqon/runtime/daemon"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/store/all"
	"reqon/runtime/telemetry"
	"reqon/vm/near"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run missions once, now, or on schedule with --daemon",
		ArgsUsage: "PATH",
		UsageText: "reqon PATH [options]           run the missions at PATH once, now\n" +
			"reqon PATH --daemon [options]  run them on schedule until stopped\n" +
			"reqon PATH --once [options]    run those that have a schedule once, now",
		Description: `PATH is a mission (.reqon, .vague or compiled .reqc) or a folder of missions.
Options may stand before or after it, as --name VALUE or --name=VALUE. The word
run may be written before PATH: reqon run PATH.`,
		Flags:  slices.Concat(runFlags(), daemonFlags(), validateCronFlags(), profileFlags()),
		Action: profiled(runMissions),
	}
}

// The groups of options in the help.
const (
	groupRun = "Options of a run"
	groupLog = "Log"
)

func runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Category: groupRun, Name: "auth", Usage: "`FILE`: credentials (JSON)"},
		envFlag(groupRun),
		&cli.StringSliceFlag{Category: groupRun, Name: "param", Usage: "`NAME=VALUE`: a parameter of the missions; repeatable (or REQON_PARAM_NAME)"},
		&cli.StringSliceFlag{Category: groupRun, Name: "mission", Usage: "`NAME`: run only this mission; repeatable"},
		&cli.BoolFlag{Category: groupRun, Name: "dev", Usage: "keep the stores of databases in files of their names (or REQON_DEV)"},
		&cli.BoolFlag{Category: groupRun, Name: "dry-run", Usage: "send nothing and store nothing; say what would be sent (or REQON_DRY_RUN)"},
		&cli.BoolFlag{Category: groupRun, Name: "full-refresh", Usage: "fetch everything: sync positions are passed over, and replaced if the run succeeds"},
		&cli.BoolFlag{Category: groupRun, Name: "strict", Usage: "exit code 1 also where a run is incomplete, left items out or had warnings"},
		&cli.StringFlag{Category: groupRun, Name: "output", Usage: "`PATH`: write the records to a folder or .json file (of several missions, OUT.MISSION.json)"},
		stateDirFlag(groupRun),
		&cli.StringFlag{Category: groupRun, Name: "keep-history", Usage: "`TIME`: remove run records that are older (default 90d; forever)"},
		&cli.BoolFlag{Category: groupLog, Name: "verbose", Usage: "log in detail"},
		&cli.StringFlag{Category: groupLog, Name: "log-level", Usage: "`LEVEL`: debug, info, warn or error (or REQON_LOG_LEVEL)"},
		&cli.StringFlag{Category: groupLog, Name: "log-format", Usage: "`FORMAT`: text or json (or REQON_LOG_FORMAT)"},
		&cli.StringFlag{Category: groupLog, Name: "log-file", Usage: "`FILE`: append the log to it instead of writing it to standard error"},
		&cli.BoolFlag{Category: groupLog, Name: "no-progress", Usage: "no progress line"},
	}
}

// envFlag is the option of every command that reads the environment.
func envFlag(group string) cli.Flag {
	return &cli.StringFlag{Category: group, Name: "env", Usage: "`FILE`: more environment variables, a NAME=value a line (default .env if it is there)"}
}

// stateDirFlag is the option of every command that uses the state folder.
func stateDirFlag(group string) cli.Flag {
	return &cli.StringFlag{Category: group, Name: "state-dir", Usage: "`DIR`: state folder (or REQON_STATE_DIR; default .reqon-data)", Action: func(_ *cli.Context, dir string) error {
		if dir == "" {
			return exit(exitConfig, errors.New("--state-dir is empty: expected the name of a folder"))
		}
		return nil
	}}
}

// session is what the runs of one command line share.
type session struct {
	out, err io.Writer
	env      func(string) (string, bool)
	log      *telemetry.Logger
	redactor *credentials.Redactor
	history  time.Duration // for how long run records are kept; 0: for ever
	engine   *engine.Engine
	progress *progressLine // nil without one
	// Each error is told once where a person looks: as a line of its own for
	// those who watch, in the log for those who read it later. With a log file
	// there are both.
	tellErrors, logErrors bool
	params                map[string]string
	dryRun, fullRefresh   bool
	strict                bool // what a run left out fails
	output, stateDir      string
	closeLog              func() error
}

func runMissions(c *cli.Context) error {
	if c.IsSet("validate-cron") {
		zone, err := zoneOf(c)
		if err != nil {
			return err
		}
		return writeCronTimes(c.App.Writer, c.String("validate-cron"), zone, time.Now(), nextRuns)
	}
	if c.IsSet("timezone") {
		return exit(exitConfig, errors.New("--timezone goes with --validate-cron; a mission has its own in its schedule"))
	}
	if err := checkDaemonFlags(c); err != nil {
		return exit(exitConfig, err)
	}
	if c.Bool("daemon") || c.Bool("once") {
		return runDaemon(c)
	}
	if c.NArg() > 1 {
		if err := missingPath(c.App, c.Args().First()); err != nil {
			return exit(exitConfig, err)
		}
		return exit(exitConfig, fmt.Errorf("expected one file or folder of missions, found %s", strings.Join(c.Args().Slice(), ", ")))
	}
	if err := checkOutput(c.String("output")); err != nil {
		return exit(exitConfig, err)
	}
	result, err := loadMissions(c, "run")
	if err != nil {
		return err
	}
	missions, err := selectMissions(result.Missions, c.StringSlice("mission"))
	if err != nil {
		return exit(exitConfig, err)
	}
	s, err := newSession(c)
	if err != nil {
		return exit(exitConfig, errors.Join(err, s.close()))
	}
	err = s.runAll(missions)
	if e := s.close(); e != nil {
		fmt.Fprintf(s.err, "reqon: %s\n", e)
		err = cmp.Or(err, exit(exitFailed, nil))
	}
	return err
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
			return nil, fmt.Errorf("--mission %s: there is no such mission; %s", name, suggest(name, known))
		}
		if !slices.Contains(picked, all[i]) {
			picked = append(picked, all[i])
		}
	}
	return picked, nil
}

// suggest names the known name that is most likely meant, or all.
func suggest(name string, known []string) string {
	if best := near.Nearest(name, known); best != "" {
		return "did you mean " + best + "?"
	}
	if len(known) == 0 {
		return "there is none at all"
	}
	slices.Sort(known)
	return "expected one of " + strings.Join(slices.Compact(known), ", ")
}

// newSession reads the options that all runs share and opens the state folder.
// The session is to be closed, also if there is an error.
func newSession(c *cli.Context) (*session, error) {
	s := &session{out: c.App.Writer, err: c.App.ErrWriter, output: c.String("output"), fullRefresh: c.Bool("full-refresh"), strict: c.Bool("strict"), closeLog: func() error { return nil }}
	env, err := environment(c.String("env"))
	if err != nil {
		return s, err
	}
	s.env = env
	if s.dryRun, err = dryRun(c, env); err != nil {
		return s, err
	}
	dev, err := yes(c, env, "dev", "REQON_DEV")
	if err != nil {
		return s, err
	}
	if s.params, err = paramFlags(c.StringSlice("param")); err != nil {
		return s, err
	}
	if s.history, err = keepHistory(c); err != nil {
		return s, err
	}
	s.redactor = &credentials.Redactor{}
	if err := s.openLog(c); err != nil {
		return s, err
	}
	set, err := credentials.Load(c.String("auth"), env)
	if err != nil {
		return s, err
	}
	for _, w := range set.Warnings {
		s.log.Warn(w)
	}
	s.stateDir = stateDir(c, env)
	s.engine, err = engine.New(engine.Config{
		StateDir: s.stateDir, ReadOnly: s.dryRun, Credentials: set, Env: env, Log: s.log, Redactor: s.redactor,
		Adapters: all.Adapters(), Dev: dev, Paranoid: paranoid(),
	})
	return s, err
}

// dryRun is whether nothing may be sent. A word that is not understood must
// not send anything either.
func dryRun(c *cli.Context, env func(string) (string, bool)) (bool, error) {
	return yes(c, env, "dry-run", "REQON_DRY_RUN")
}

// yes is whether a flag is given, or its variable says so. With an error it is.
func yes(c *cli.Context, env func(string) (string, bool), flag, variable string) (bool, error) {
	if c.IsSet(flag) {
		return c.Bool(flag), nil
	}
	text, _ := env(variable)
	switch strings.ToLower(text) {
	case "1", "true", "yes", "on":
		return true, nil
	case "", "0", "false", "no", "off":
		return false, nil
	}
	return true, fmt.Errorf("%s is %q, expected true or false", variable, text)
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

// paramFlags reads --param name=value. Of two for one name the last counts, as
// with other options.
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

// openLog makes the log, which goes to standard error, above the progress line
// if there is one, or to --log-file.
func (s *session) openLog(c *cli.Context) error {
	level, err := logLevel(c, s.env)
	if err != nil {
		return err
	}
	format, err := logOption(c, s.env, "log-format", "REQON_LOG_FORMAT", telemetry.FormatText, telemetry.ParseFormat)
	if err != nil {
		return err
	}
	w, watched := s.err, isTerminal(s.err)
	if watched && !c.Bool("no-progress") {
		s.progress = newProgressLine(s.err)
		w = s.progress
	}
	s.tellErrors = watched && format == telemetry.FormatText
	if name := c.String("log-file"); name != "" {
		f, err := telemetry.OpenFile(name)
		if err != nil {
			return err
		}
		w, s.closeLog = f, f.Close
		s.tellErrors, s.logErrors = true, true
	}
	s.logErrors = s.logErrors || !s.tellErrors
	s.log = telemetry.New(telemetry.Options{Writer: w, Fallback: s.err, Format: format, Level: level, Redact: s.redactor.Redact})
	detach(s.log)
	return nil
}

// logLevel is that of --log-level, or debug with --verbose, or that of the
// environment, or info.
func logLevel(c *cli.Context, env func(string) (string, bool)) (telemetry.Level, error) {
	if c.Bool("verbose") && c.String("log-level") == "" {
		return telemetry.LevelDebug, nil
	}
	return logOption(c, env, "log-level", "REQON_LOG_LEVEL", telemetry.LevelInfo, telemetry.ParseLevel)
}

// logOption reads an option of the log, from the flag or else the environment.
func logOption[T any](c *cli.Context, env func(string) (string, bool), flag, variable string, usual T, parse func(string) (T, error)) (T, error) {
	name, text := "--"+flag, c.String(flag)
	if text == "" {
		name = variable
		text, _ = env(variable)
	}
	if text == "" {
		return usual, nil
	}
	v, err := parse(text)
	if err != nil {
		return v, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// tidy removes run records that are too old. That it can't be done is no failure of
// the runs.
func (s *session) tidy() {
	db := s.engine.DB()
	if db == nil || s.dryRun || s.history == 0 {
		return
	}
	if _, err := db.KeepHistory(time.Now(), s.history); err != nil {
		s.log.Warn("Old run records can't be removed: " + err.Error())
	}
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
	ready, err := s.prepare(missions)
	if err != nil {
		return err
	}
	ctx, stop := s.signals()
	defer stop()
	code, failed, unclean := exitSuccess, 0, 0
	for i, m := range ready {
		if ctx.Err() != nil {
			fmt.Fprintf(s.out, "%s: not run\n", m.Name())
			code = max(code, exitFailed)
			continue
		}
		if i > 0 {
			fmt.Fprintln(s.out)
		}
		report := s.runOne(ctx, m, len(ready) > 1)
		switch {
		case report.Err != nil:
			failed++
			code = max(code, exitFailed)
		case s.strict && !report.Counts.Clean():
			unclean++
			code = max(code, exitFailed)
			fmt.Fprintf(s.err, "reqon: --strict: %s: %s\n", m.Name(), strings.Join(report.Counts.Texts(), ", "))
		}
		var config *engine.ConfigError
		if errors.As(report.Err, &config) {
			code = exitConfig
		}
	}
	s.tidy()
	if len(ready) > 1 && failed > 0 {
		fmt.Fprintf(s.out, "\n%d of %d missions failed\n", failed, len(ready))
	}
	if len(ready) > 1 && unclean > 0 {
		fmt.Fprintf(s.out, "\n%d of %d missions left something out, or had warnings (--strict)\n", unclean, len(ready))
	}
	if code != exitSuccess {
		return exit(code, nil)
	}
	return nil
}

// prepare loads the missions and sees to it that each has what it needs. Every
// mission that lacks something is told.
func (s *session) prepare(missions []*compiler.Mission) ([]*engine.Mission, error) {
	if err := s.checkParams(missions); err != nil {
		return nil, exit(exitConfig, err)
	}
	var ready []*engine.Mission
	var seen []string
	for _, m := range missions {
		loaded, err := s.engine.LoadFrom(m.File, m.Program)
		if err == nil {
			err = loaded.Ready(s.params)
		}
		if err == nil {
			ready = append(ready, loaded)
		} else if text := s.redactor.Redact(err.Error()); !slices.Contains(seen, text) {
			seen = append(seen, text)
			fmt.Fprintf(s.err, "reqon: %s\n", text)
		}
	}
	if len(seen) > 0 {
		return nil, exit(exitConfig, nil)
	}
	if err := s.makeOutput(ready); err != nil {
		return nil, exit(exitConfig, err)
	}
	return ready, nil
}

// checkParams reports a --param that no mission has.
func (s *session) checkParams(missions []*compiler.Mission) error {
	var known []string
	for _, m := range missions {
		for _, p := range m.Program.Params {
			known = append(known, p.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.params)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("--param %s: no mission has such a parameter; %s", name, suggest(name, known))
		}
	}
	return nil
}

// signals gives a context that the first SIGINT or SIGTERM cancels; the second
// ends the process at once (operations, "Commands").
func (s *session) signals() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	done := make(chan struct{})
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		var filter daemon.SignalFilter
		for n := 0; ; {
			select {
			case sig := <-ch:
				if filter.Repeats(sig, time.Now()) {
					continue
				}
				if n++; n > 1 {
					if s.progress != nil {
						s.progress.draw("")
					}
					os.Exit(exitFailed)
				}
				s.log.Warn("Stopping at the next step; once more to stop at once", telemetry.String("signal", sig.String()))
				cancel(fmt.Errorf("cancelled by the signal %s", sig))
			case <-done:
				return
			}
		}
	}()
	return ctx, func() { signal.Stop(ch); close(done); cancel(nil) }
}

// runOne runs one mission and reports it.
func (s *session) runOne(ctx context.Context, m *engine.Mission, several bool) *engine.Report {
	opts := engine.RunOptions{Params: s.params, Trigger: state.TriggerAdhoc, DryRun: s.dryRun, FullRefresh: s.fullRefresh, Progress: new(engine.Progress)}
	if s.output != "" {
		opts.Output = func(ctx context.Context, o *engine.Output) error {
			return writeOutput(ctx, s.output, m.Name(), several, o)
		}
	}
	stop := func() {}
	switch {
	case s.dryRun:
		opts.Preview = func(p engine.Preview) { writePreview(s.out, p) }
		fmt.Fprintf(s.out, "%s: dry run, nothing is sent and nothing stored\n", m.Name())
	case s.progress != nil:
		stop = s.progress.show(m.Name(), opts.Progress, refresh)
	default:
		stop = logProgress(s.log.With(m.Name(), ""), opts.Progress, logRefresh)
	}
	if s.logErrors && !s.dryRun {
		s.log.With(m.Name(), "").Info("Starting run")
	}
	started := time.Now()
	report := m.Run(ctx, opts)
	stop()
	took := time.Since(started)
	if s.logErrors && !s.dryRun {
		s.logEnd(report, took)
	}
	if s.tellErrors || s.dryRun {
		// Without a log file those of items have been seen in the log.
		writeErrors(s.err, report, s.tellErrors && s.logErrors)
	}
	writeNotes(s.out, report)
	writeSummary(s.out, report, took, s.dryRun)
	return report
}

// logEnd logs how a run ended, in the words of the daemon, and its errors. Those
// of items were logged when they happened.
func (s *session) logEnd(r *engine.Report, took time.Duration) {
	log := s.log.With(r.Mission, r.ID)
	switch {
	case r.Status == state.StatusIncomplete:
		log.Warn("Incomplete (" + seconds(took) + "): " + strings.Join(r.Counts.Texts(), ", "))
		return
	case r.Err == nil:
		log.Info("Completed (" + seconds(took) + ")")
		return
	}
	whole := wholeErrors(r)
	if len(whole) == 1 {
		log.Error(fmt.Sprintf("Failed (%s): %s", seconds(took), whole[0].Message), errorFields(whole[0])...)
		return
	}
	for _, e := range whole {
		log.Error(e.Message, errorFields(e)...)
	}
	log.Error(fmt.Sprintf("Failed (%s): %s", seconds(took), r.Error))
}
