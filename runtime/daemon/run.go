package daemon

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
)

// result is what came of a run.
type result struct {
	run    *pendingRun
	report *engine.Report // nil if it has not begun
	err    error          // it could not be recorded
}

// run runs the mission, if nobody else has taken the due time. It is done beside
// the loop, and reads nothing of the table.
func (d *daemon) run(m *mission, r *pendingRun, rule state.ClaimRule) result {
	settle := r.settle
	if settle == nil {
		settle = func() {}
	}
	defer settle()
	log := d.log.With(m.name, "")
	opts := engine.RunOptions{Params: d.cfg.Params, Trigger: r.trigger, Due: r.due, DryRun: d.cfg.DryRun}
	if !r.claimed && !d.cfg.DryRun {
		opts.Claim = &rule
	}
	opts.Started = func() {
		settle()
		if r.doubtful {
			d.begun <- r
		}
		if d.cfg.Delayed != nil {
			d.cfg.Delayed(m.name, d.cfg.now().Sub(r.at))
		}
		log.Info("Starting run")
	}
	if d.cfg.DryRun {
		opts.Preview = func(p engine.Preview) { d.preview(m.name, p) }
	}
	rep := d.guarded(m, opts)
	var config *engine.ConfigError
	switch {
	case rep.Begun, opts.Claim == nil && errors.As(rep.Err, &config), r.trigger == state.TriggerOnce: // which is not tried again
		return result{run: r, report: rep}
	case rep.Err != nil:
		return result{run: r, err: rep.Err}
	}
	log.Info("Not started: it has been run already" + d.dueText(r))
	return result{run: r}
}

// guarded runs the mission. A fault of this program in one run must not end the
// others.
func (d *daemon) guarded(m *mission, opts engine.RunOptions) (rep *engine.Report) {
	began := d.cfg.now()
	defer func() {
		if fault := recover(); fault != nil {
			err := fmt.Errorf("internal error, please report it: %v", fault)
			d.log.With(m.name, "").Error("Internal error", telemetry.String("stack", string(debug.Stack())))
			rep = &engine.Report{Err: err, Begun: true, Run: state.Run{
				Mission: m.name, Trigger: opts.Trigger, Due: opts.Due, Start: began, End: d.cfg.now(), Status: state.StatusFailure, Error: err.Error(),
			}}
		}
	}()
	return m.linked.Run(d.runs, opts)
}

// tellReport logs how a run went.
func (d *daemon) tellReport(name string, rep *engine.Report) {
	log := d.log.With(name, rep.ID)
	took := "(" + tookText(rep.End.Sub(rep.Start)) + ")"
	for _, n := range rep.Notes {
		log.Info("Note: " + n)
	}
	switch {
	case rep.Status == state.StatusIncomplete:
		log.Warn("Incomplete " + took + ": " + strings.Join(rep.Counts.Texts(), ", "))
		return
	case rep.Err == nil:
		log.Info("Completed " + took)
		return
	}
	var fields []telemetry.Field
	reason := rep.Error
	if len(rep.Errors) > 0 && rep.Errors[0].Action != "" {
		first := rep.Errors[0]
		fields = append(fields, telemetry.String("action", first.Action), telemetry.String("at", first.Place))
		reason = strings.TrimPrefix(reason, first.Place+": ") // the field says it
	}
	log.Error("Failed "+took+": "+reason, fields...)
}

// preview tells a request of a dry run.
func (d *daemon) preview(name string, p engine.Preview) {
	if d.cfg.Preview != nil {
		d.cfg.Preview(name, p)
		return
	}
	fields := []telemetry.Field{telemetry.String("action", p.Action), telemetry.String("at", p.Place)}
	for _, h := range p.Request.Headers {
		fields = append(fields, telemetry.String(h.Name, h.Value))
	}
	if p.Request.Body != "" {
		fields = append(fields, telemetry.String("body", p.Request.Body))
	}
	d.log.With(name, "").Info("Would send "+p.Request.Method+" "+p.Request.URL, fields...)
}

// tookText is a duration as the log shows it: 2.1s, 3m20s.
func tookText(t time.Duration) string {
	if t = max(t, 0); t < time.Minute-50*time.Millisecond {
		return fmt.Sprintf("%.1fs", t.Seconds())
	}
	return t.Round(time.Second).String()
}

// clockText is a time as the log shows it: with the date if it is not today.
func (d *daemon) clockText(t time.Time) string {
	t, now := t.In(d.cfg.Location), d.cfg.now().In(d.cfg.Location)
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

// dueText says when a run was due.
func (d *daemon) dueText(r *pendingRun) string {
	if r.due.IsZero() {
		return ""
	}
	return " (due at " + d.clockText(r.due) + ")"
}

// tellNext logs when a job runs next.
func (d *daemon) tellNext(j *job, now time.Time) {
	if at := j.next(); at.After(now) {
		d.log.With(j.name, "").Info("Next run at " + d.clockText(at))
	}
}

// tellLost logs due times that were missed and won't be run.
func (d *daemon) tellLost(j *job, last time.Time) {
	d.log.With(j.name, "").Warn("Missed: not run, by its catchUp; the last was due at " + d.clockText(last))
}

// tellIdle warns, once, of a daemon in which nothing is scheduled: it would wait
// for ever, and look well.
func (d *daemon) tellIdle() {
	idle := true
	for _, j := range d.jobs {
		idle = idle && (j.gone || j.next().IsZero()) && j.waiting+j.running == 0
	}
	if idle && !d.idle {
		d.log.Warn("Nothing is scheduled: no mission that is loaded has a schedule with a time to come, so that nothing will be run until a file changes")
	}
	d.idle = idle
}

// tellProblems logs the problems that are new, and those that are over.
func (d *daemon) tellProblems(problems []Problem) {
	known := make(map[Problem]bool, len(d.problems))
	for _, p := range d.problems {
		known[p] = true
	}
	for _, p := range problems {
		if known[p] {
			delete(known, p)
			continue
		}
		what := "Not loaded: "
		if p.Running {
			what = "Not loaded; what was loaded before stays: "
		}
		d.log.With(p.Mission, "").Error(what + p.Error)
	}
	d.problems = problems
}

// status is what systemd shows.
func (d *daemon) status() string { return plural(len(d.jobs), "mission", "missions") + " loaded" }
