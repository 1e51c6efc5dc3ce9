package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"reqon/runtime/engine"
	"reqon/runtime/state"
)

// OnceError says what was not done by Once.
type OnceError struct {
	Failed    []string  // missions whose runs failed or were cancelled (exit code 1)
	Unclean   []string  // with Config.Strict, those that left something out or had warnings (exit code 1)
	NotLoaded []Problem // told in the log already
	Config    error     // the first configuration error, a *engine.ConfigError; nil if there was none (exit code 3)
}

// Error sums up what was not done.
func (e *OnceError) Error() string {
	var parts []string
	for _, p := range []struct {
		n         int
		one, many string
	}{
		{len(e.Failed), "run failed", "runs failed"},
		{len(e.Unclean), "run left something out, or had warnings (--strict)", "runs left something out, or had warnings (--strict)"},
		{len(e.NotLoaded), "mission or file was not loaded", "missions or files were not loaded"},
	} {
		if p.n > 0 {
			parts = append(parts, plural(p.n, p.one, p.many))
		}
	}
	return strings.Join(parts, ", and ")
}

// plural writes a number of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Unwrap returns the configuration error.
func (e *OnceError) Unwrap() error { return e.Config }

// errNoneRun is the error of --once where a signal came first (exit code 1).
var errNoneRun = errors.New("stopped before the missions were loaded; none was run")

// Once runs every mission that has a schedule once, now, and returns when all
// have ended (`reqon PATH --once`). Due times are neither looked at nor claimed,
// and a daemon may be running beside it. SIGINT and SIGTERM cancel the runs at
// their next step boundary.
func Once(ctx context.Context, cfg Config) (err error) {
	if err := cfg.complete(); err != nil {
		return err
	}
	d, err := open(ctx, &cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	defer d.awaitLooks()
	d.loader.past = false
	snap, stopped, err := d.loading(ctx)
	if err != nil {
		return err
	}
	if stopped {
		return errNoneRun
	}
	d.log.Info("Loaded " + plural(len(snap.missions), "mission", "missions"))
	d.tellProblems(snap.problems)
	for _, m := range snap.missions {
		if m.schedule == nil {
			d.log.With(m.name, "").Info("No schedule; it is not run by --once")
			continue
		}
		j := &job{mission: m.mission}
		d.waiting.push(&pendingRun{job: j, trigger: state.TriggerOnce, at: d.began, attempt: 1, claimed: true})
	}
	failed := OnceError{NotLoaded: snap.problems}
	for _, p := range snap.problems {
		if p.config && failed.Config == nil {
			failed.Config = configError("%s", p.Error)
		}
	}
	d.runWaiting(&failed)
	if len(failed.Failed)+len(failed.Unclean)+len(failed.NotLoaded) > 0 {
		return &failed
	}
	return nil
}

// runWaiting runs all runs that wait.
func (d *daemon) runWaiting(failed *OnceError) {
	running := 0
	stopped := d.runs.Err() != nil
	for {
		for !stopped && running < d.cfg.MaxConcurrentRuns {
			r := d.waiting.pop(func(*pendingRun) bool { return true })
			if r == nil {
				break
			}
			running++
			d.work.Go(func() { d.done <- d.run(r.job.mission, r, state.ClaimAny) })
		}
		if running == 0 {
			break
		}
		select {
		case res := <-d.done:
			running--
			d.tellReport(res.run.job.name, res.report)
			if err := res.report.Err; err != nil {
				failed.Failed = append(failed.Failed, res.run.job.name)
				var config *engine.ConfigError
				if failed.Config == nil && errors.As(err, &config) {
					failed.Config = config
				}
			} else if d.cfg.Strict && !res.report.Counts.Clean() {
				failed.Unclean = append(failed.Unclean, res.run.job.name)
			}
		case sig := <-d.cfg.Signals:
			if sig != os.Signal(syscall.SIGHUP) && !stopped && !d.filter.Repeats(sig, d.cfg.Clock.Now()) {
				stopped = true
				d.log.Warn("Stopping at the next step of each run: " + sig.String())
				d.cancel(fmt.Errorf("cancelled by %s", sig))
			}
		}
		stopped = stopped || d.runs.Err() != nil
	}
	for _, r := range d.waiting.list {
		d.log.With(r.job.name, "").Warn("Not started: stopped before its turn")
		failed.Failed = append(failed.Failed, r.job.name)
	}
}
