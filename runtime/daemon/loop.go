package daemon

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/vm/bytecode"
)

// What follows runs in the loop, with the table locked.

// setBack is by how much the clock must go back to be noticed.
const setBack = 2 * time.Second

// tick is done every check interval: it looks for changed files, and for due
// times that a timer has missed.
func (d *daemon) tick() {
	now := d.cfg.now()
	if d.lastTick.Sub(now) > setBack {
		d.log.Warn(fmt.Sprintf("The clock was set back by %s; schedules go by the new time", d.lastTick.Sub(now).Round(time.Second)))
		d.replan(now)
	}
	d.lastTick = now
	if d.phase != phaseServing {
		return
	}
	d.look(false)
	d.askElsewhere(now)
	d.sweep()
	d.tidy(now)
}

// tidyEvery is how often old run records are removed.
const tidyEvery = 24 * time.Hour

// tidy removes run records that are too old, beside all else.
func (d *daemon) tidy(now time.Time) {
	db := d.engine.DB()
	if db == nil || d.cfg.DryRun || d.cfg.KeepHistory == 0 || d.tidying || !d.tidied.IsZero() && now.Sub(d.tidied) < tidyEvery {
		return
	}
	d.tidied, d.tidying = now, true
	d.work.Go(func() {
		removed, err := db.KeepHistory(now, d.cfg.KeepHistory)
		switch {
		case err != nil:
			d.log.Warn("Old run records can't be removed; it is tried again in a day: " + err.Error())
		case removed > 0:
			d.log.Info(fmt.Sprintf("Removed %d run records that were older than --keep-history", removed))
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.tidying = false
	})
}

// elsewhereEvery is how often the state folder is asked whether a mission in
// trouble was run by another process.
const elsewhereEvery = 10 * time.Second

// ranElsewhere is the last run of a mission, and the end of its last success, as
// the state folder has them.
type ranElsewhere struct {
	run     state.Run
	success time.Time
}

// askElsewhere asks, beside the loop, for the runs of missions that are in
// trouble: who has mended one mostly runs it by hand, and it is well then.
func (d *daemon) askElsewhere(now time.Time) {
	db := d.engine.DB()
	if d.asking || db == nil || d.cfg.DryRun || now.Sub(d.askedAt) < elsewhereEvery {
		return
	}
	var names []string
	for _, j := range d.jobs {
		if !j.gone && j.running == 0 && j.trouble(now, d.clockText) != "" {
			names = append(names, j.name)
		}
	}
	if len(names) == 0 {
		return
	}
	d.asking, d.askedAt = true, now
	d.work.Go(func() {
		var found []ranElsewhere
		for _, name := range names {
			run, ok, err := db.LastRun(name)
			if err != nil || !ok || !run.Status.Final() {
				continue // what can't be read now is asked for again
			}
			if success, err := lastSuccess(db, run); err == nil {
				found = append(found, ranElsewhere{run, success})
			}
		}
		d.elsewhere <- found
	})
}

// toldElsewhere takes over what other processes have run.
func (d *daemon) toldElsewhere(found []ranElsewhere) {
	d.asking = false
	for _, e := range found {
		j := d.byName[e.run.Mission]
		if j == nil || j.running > 0 || !e.run.Start.After(j.last.start) {
			continue
		}
		j.last, j.before = lastRun{e.run.Start, e.run.Status, e.run.Error}, nil
		d.metrics.SetLastRun(j.name, lastStatus(j.last.status))
		if e.success.After(j.lastSuccess) {
			j.lastSuccess = e.success
			d.metrics.SetLastSuccess(j.name, e.success)
			d.setOverdue(j, d.cfg.now())
		}
	}
}

// look starts a look at the mission files, unless one is under way.
func (d *daemon) look(force bool) {
	if d.looking {
		d.lookAgain = d.lookAgain || force
		return
	}
	d.looking, d.lookAgain, d.lookedAt = true, false, d.cfg.now()
	d.looks.Go(func() { d.looked <- d.loader.look(force) })
}

// reloaded takes over what a look has found.
func (d *daemon) reloaded(s *snapshot) {
	d.looking = false
	if d.phase != phaseServing {
		return
	}
	if s != nil {
		d.apply(s, false)
	}
	switch {
	case d.lookAgain:
		d.look(true)
	case d.reloading || s != nil:
		d.reloading = false
		d.notify.ready(d.status())
	}
}

// replan plans all jobs anew after the clock was set back.
func (d *daemon) replan(now time.Time) {
	for _, j := range d.jobs {
		if j.schedule == nil || j.gone {
			continue
		}
		var claims []time.Time
		if db := d.engine.DB(); db != nil {
			var err error
			if claims, err = db.Claims(j.name, now.Add(-j.schedule.jitter)); err != nil {
				d.log.With(j.name, "").Error("The due times that were run can't be read: " + err.Error())
			}
		}
		j.replan(now, now, claims)
		j.held, j.timerAt = time.Time{}, time.Time{} // timers go by time that passes
		d.arm(j)
		d.tellNext(j, now)
	}
}

// apply brings the table in step with what was loaded.
func (d *daemon) apply(s *snapshot, first bool) {
	if s.err != nil { // what is new is looked up again at the next look
		d.tellProblems(s.problems)
		return
	}
	now := d.cfg.now()
	seen := make(map[string]bool, len(s.missions))
	jobs := make([]*job, 0, len(s.missions))
	for _, m := range s.missions {
		seen[m.name] = true
		j := d.byName[m.name]
		switch {
		case j == nil:
			j = newJob(m.mission, pastOf(m, now), now)
			d.byName[m.name] = j
			d.added(j, now, first)
		case j.mission != m.mission || j.gone:
			d.changed(j, m, now)
		}
		jobs = append(jobs, j)
	}
	for _, j := range d.jobs {
		if seen[j.name] {
			continue
		}
		if !j.gone {
			d.removed(j)
		}
		if j.running > 0 {
			jobs = append(jobs, j)
		} else {
			d.forget(j)
		}
	}
	d.jobs = jobs
	d.tellProblems(s.problems)
	d.tellIdle()
	d.metrics.SetLoaded(len(s.missions))
	d.metrics.SetFailedToLoad(len(s.problems))
	d.startWaiting()
}

func pastOf(m loaded, now time.Time) *past {
	if m.past == nil {
		return &past{firstSeen: now}
	}
	return m.past
}

// added begins to keep a job.
func (d *daemon) added(j *job, now time.Time, first bool) {
	d.metrics.MissionLoaded(j.name)
	if !j.lastSuccess.IsZero() {
		d.metrics.SetLastSuccess(j.name, j.lastSuccess)
	}
	if j.last.status.Final() {
		d.metrics.SetLastRun(j.name, lastStatus(j.last.status))
	}
	d.setOverdue(j, now)
	log := d.log.With(j.name, "")
	if !first {
		log.Info("Loaded")
	}
	if j.schedule == nil {
		log.Info("No schedule; it is not run by the daemon")
		return
	}
	d.plan(j, now)
}

// plan plans a job that is new or has another schedule.
func (d *daemon) plan(j *job, now time.Time) {
	runs, p := j.planNew(now, now)
	switch {
	case p.past:
		d.log.With(j.name, "").Warn("Its time was over when it was first seen; it is never run: " + j.schedule.text)
	case !p.lost.IsZero():
		d.tellLost(j, p.lost)
	}
	for _, r := range runs {
		d.letWait(r, now)
	}
	d.arm(j)
	d.tellNext(j, now)
}

// changed takes over a mission's new program. Its schedule goes on, unless it is
// another one.
func (d *daemon) changed(j *job, m loaded, now time.Time) {
	before := ""
	if j.schedule != nil && !j.gone {
		before = j.schedule.key() + j.schedule.jitter.String()
	}
	j.mission, j.gone = m.mission, false
	defer d.setOverdue(j, now)
	log := d.log.With(j.name, "")
	log.Info("Reloaded")
	d.metrics.MissionLoaded(j.name)
	if j.schedule == nil {
		j.setDue(time.Time{})
		j.retry = nil
		d.drop(j, "it has no schedule any more")
		d.arm(j)
		return
	}
	if before == j.schedule.key()+j.schedule.jitter.String() {
		return
	}
	j.retry = nil
	if m.past != nil {
		j.remember(m.past, now)
	}
	d.plan(j, now)
}

// removed ends the schedule of a job whose mission is gone. Its runs in progress
// finish.
func (d *daemon) removed(j *job) {
	d.log.With(j.name, "").Info("Removed")
	j.gone, j.retry = true, nil
	j.setDue(time.Time{})
	d.drop(j, "the mission was removed")
	d.arm(j)
}

// forget takes a job that is gone out of the table.
func (d *daemon) forget(j *job) {
	delete(d.byName, j.name)
	d.metrics.MissionUnloaded(j.name)
}

// drop takes a job's runs out of those that wait.
func (d *daemon) drop(j *job, why string) {
	for _, r := range d.waiting.remove(j) {
		j.waiting--
		d.log.With(j.name, "").Warn("Not started: " + why + d.dueText(r))
	}
}

// arm sets the timer of a job to its next time.
func (d *daemon) arm(j *job) {
	if j.schedule != nil {
		d.metrics.SetNextRun(j.name, j.next())
	}
	at := j.next()
	if at.Equal(j.timerAt) {
		return
	}
	j.timerAt = at
	d.timers.set(j.name, at)
}

// woken is done when a timer has gone off. The time that passes and the wall clock
// are not the same while the clock is being adjusted; a timer that came too early
// is set once more.
func (d *daemon) woken() {
	rung := d.timers.takeRung()
	d.sweep()
	now := d.cfg.now()
	for _, name := range rung {
		if j := d.byName[name]; j != nil && j.timerAt.After(now) {
			j.timerAt = time.Time{}
			d.arm(j)
		}
	}
}

// sweep starts what is due.
func (d *daemon) sweep() {
	if d.phase != phaseServing {
		return
	}
	now := d.cfg.now()
	for _, j := range d.jobs {
		at := j.next()
		if at.IsZero() || at.After(now) {
			continue
		}
		runs, lost := j.take(now, now)
		if !lost.IsZero() {
			d.tellLost(j, lost)
		}
		for _, r := range runs {
			d.letWait(r, now)
		}
		d.arm(j)
		if at := j.next(); !at.IsZero() {
			d.log.With(j.name, "").Debug("Next run at " + d.clockText(at))
		}
	}
	d.startWaiting()
}

// letWait lets a run wait for its turn, unless the mission is to be left out.
func (d *daemon) letWait(r *pendingRun, now time.Time) {
	j := r.job
	o := j.linked.Options()
	busy := j.running+j.waiting >= o.MaxConcurrency
	switch {
	case r.trigger == state.TriggerCatchUp && j.waiting < maxWaiting:
		// These wait for one another.
	case busy && o.SkipIfRunning:
		reason := "Skipped: still running"
		if j.running == 0 {
			reason = "Skipped: still waiting for its turn"
		}
		d.skip(r, reason)
		return
	case j.waiting >= maxWaiting:
		d.skip(r, "Skipped: "+plural(j.waiting, "run is", "runs are")+" waiting already")
		return
	}
	if r.trigger != state.TriggerRetry {
		j.retry = nil // a new run takes the place of a repeated one
	}
	j.waiting++
	d.waiting.push(r)
}

// skip leaves a run out. Its due time is claimed all the same: it was not missed.
func (d *daemon) skip(r *pendingRun, reason string) {
	j := r.job
	d.log.With(j.name, "").Info(reason)
	if r.claimed {
		return
	}
	j.lastDue = later(j.lastDue, r.due)
	db := d.engine.DB()
	if db == nil || d.cfg.DryRun {
		return
	}
	settled := j.settled
	d.work.Go(func() {
		// An interval's run takes no due time before one that is taken: the run that
		// is the reason must have had its turn, or it would find that it has not.
		if settled != nil {
			<-settled
		}
		if _, err := db.Claim(j.name, r.due, state.ClaimAny); err != nil {
			d.log.With(j.name, "").Warn("The skipped due time can't be recorded: " + err.Error())
		}
	})
}

// startWaiting starts waiting runs for as long as there is room.
func (d *daemon) startWaiting() {
	if d.phase != phaseServing {
		return
	}
	for d.running < d.cfg.MaxConcurrentRuns {
		now := d.cfg.now()
		r := d.waiting.pop(func(r *pendingRun) bool {
			return r.job.running < r.job.linked.Options().MaxConcurrency && !r.job.held.After(now)
		})
		if r == nil {
			return
		}
		d.start(r)
	}
}

// start starts a run.
func (d *daemon) start(r *pendingRun) {
	j := r.job
	j.waiting--
	j.running++
	d.running++
	d.metrics.SetRunning(j.name, j.running)
	if r.trigger == state.TriggerSchedule && j.schedule.kind == bytecode.Every {
		if next := j.schedule.countsFrom(r.due, d.cfg.now()).Add(j.schedule.every); next.After(j.due) {
			j.setDue(next)
			d.arm(j)
		}
	}
	rule := state.ClaimAny
	if j.schedule.every > 0 && !j.lastDue.After(r.due) {
		rule = state.ClaimLater
	}
	r.doubtful = j.unrecorded != ""
	settled := make(chan struct{})
	j.settled, r.settle = settled, sync.OnceFunc(func() { close(settled) })
	m := j.mission
	d.work.Go(func() { d.done <- d.run(m, r, rule) })
}

// finished takes over the result of a run.
func (d *daemon) finished(res result) {
	r := res.run
	j := r.job
	j.running--
	d.running--
	d.metrics.SetRunning(j.name, j.running)
	now := d.cfg.now()
	if !r.claimed && res.report != nil {
		j.lastDue = later(j.lastDue, r.due)
		r.claimed = true
	}
	if res.report != nil {
		d.account(j, res)
		d.tellReport(j.name, res.report)
	}
	switch {
	case res.err != nil:
		d.notStarted(j, res)
	case res.report == nil:
		d.recorded(j) // its due time is, by another process
	}
	wait, again := d.again(j, res)
	again = again && d.phase == phaseServing && !j.gone && j.schedule != nil
	switch {
	case again && j.waiting+j.running == 0:
		next := *r
		next.job, next.at = j, now.Add(wait)
		if res.report != nil {
			next.trigger, next.attempt = state.TriggerRetry, r.attempt+1
			d.log.With(j.name, "").Info(fmt.Sprintf("Run %d of %d at %s", next.attempt, j.linked.Options().Retry.MaxAttempts, d.clockText(next.at)))
		}
		j.retry = &next
		d.arm(j)
	case again && res.err != nil && r.trigger != state.TriggerRetry:
		// It waits in its place: it may not be lost to those beside it.
		j.held = now.Add(wait)
		j.waiting++
		d.waiting.push(r)
	}
	if j.gone && j.running == 0 {
		d.jobs = without(d.jobs, j)
		d.forget(j)
	}
	d.startWaiting()
}

// account notes how a run went.
func (d *daemon) account(j *job, res result) {
	rep := res.report
	j.last, j.before = lastRun{rep.Start, rep.Status, rep.Error}, nil
	if j.schedule != nil {
		j.countsFrom = j.schedule.countsFrom(res.run.due, rep.Start)
	}
	if d.cfg.DryRun {
		return
	}
	d.metrics.RunFinished(j.name, runStatus(rep.Status), rep.Duration().Seconds())
	if rep.Status == state.StatusSuccess {
		j.lastSuccess = rep.End
		d.metrics.SetLastSuccess(j.name, rep.End)
	}
	d.metrics.SetLastRun(j.name, lastStatus(rep.Status))
	d.setOverdue(j, d.cfg.now())
}

// setOverdue works out anew when a mission counts as overdue.
func (d *daemon) setOverdue(j *job, now time.Time) {
	j.setOverdue(now)
	d.metrics.SetOverdue(j.name, j.overdueAt)
}

// lastStatus is the status of a mission's last run as its metric has it. One that
// was cancelled says nothing of the mission.
func lastStatus(s state.Status) telemetry.RunStatus {
	if s == state.StatusCancelled || !s.Final() {
		return ""
	}
	return runStatus(s)
}

// runStatus is a run's status as its metric has it: every run that is neither a
// success nor incomplete has failed, a cancelled one too.
func runStatus(s state.Status) telemetry.RunStatus {
	switch s {
	case state.StatusSuccess:
		return telemetry.RunSuccess
	case state.StatusIncomplete:
		return telemetry.RunIncomplete
	}
	return telemetry.RunFailure
}

// recorded notes that runs of the job can be recorded again, if they could not.
func (d *daemon) recorded(j *job) {
	if j.unrecorded == "" {
		return
	}
	j.unrecorded = ""
	if j.before != nil { // what was not started has not failed: it is run now
		j.last, j.before = *j.before, nil
		d.metrics.SetLastRun(j.name, lastStatus(j.last.status))
	}
	d.log.With(j.name, "").Info("Runs can be recorded again")
}

// notStarted notes a run that was not started since it could not be recorded. It
// counts as one that failed, once for each due time, or nothing would tell of it
// from outside.
func (d *daemon) notStarted(j *job, res result) {
	r := res.run
	if !r.counted {
		r.counted = true
		if j.unrecorded == "" {
			before := j.last
			j.before = &before
		}
		j.last = lastRun{d.cfg.now(), state.StatusFailure, res.err.Error()}
		d.metrics.RunNotStarted(j.name)
		d.metrics.SetLastRun(j.name, telemetry.RunFailure)
	}
	what, because := "its due time", "its due time can't be recorded, and it might be run twice"
	if r.claimed {
		what, because = "its start", "its start can't be recorded"
	}
	known := j.unrecorded
	j.unrecorded = "not started, since " + because + ": " + res.err.Error()
	if log := d.log.With(j.name, ""); known != j.unrecorded {
		log.Error("Not started: " + because + "; it is tried again until it can: " + res.err.Error())
	} else {
		log.Debug("Not started" + d.dueText(r) + ": " + what + " still can't be recorded")
	}
}

// claimRetry is after how long a run is tried again whose due time could not be
// claimed, as on a full disk.
const claimRetry = 10 * time.Second

// again tells whether and when a run is to be repeated.
func (d *daemon) again(j *job, res result) (wait time.Duration, ok bool) {
	if res.err != nil {
		return claimRetry, true
	}
	if res.report == nil || res.report.Err == nil || res.report.Status != state.StatusFailure {
		return 0, false
	}
	retry := j.linked.Options().Retry
	if retry == nil || res.run.attempt >= retry.MaxAttempts {
		return 0, false
	}
	return retry.Wait(int64(res.run.attempt), nil), true
}

// signal does what a signal asks for.
func (d *daemon) signal(sig os.Signal) {
	if d.filter.Repeats(sig, d.cfg.Clock.Now()) {
		return
	}
	if sig == syscall.SIGHUP {
		d.reload()
		return
	}
	if d.phase == phaseStopping {
		d.force("a second signal has come")
		return
	}
	d.stop(sig.String())
}

// reload reads all files again and reopens the log (SIGHUP).
func (d *daemon) reload() {
	if d.phase != phaseServing {
		return
	}
	d.reloading = true
	d.notify.reloading()
	d.reopenLog()
	d.log.Info("Reloading")
	d.look(true)
}

func (d *daemon) reopenLog() {
	if d.cfg.ReopenLog == nil {
		return
	}
	if err := d.cfg.ReopenLog(); err != nil {
		d.log.Error("The log file can't be opened again; the old one stays in use: " + err.Error())
	}
}

// stop lets no more runs begin. Those in progress finish.
func (d *daemon) stop(why string) {
	if d.phase == phaseStopping {
		return
	}
	d.phase = phaseStopping
	// The time counts from before it is told.
	if d.cfg.ShutdownTimeout > 0 && d.running > 0 {
		d.deadline = d.cfg.Clock.After(d.cfg.ShutdownTimeout)
	}
	d.notify.send("STOPPING=1\nSTATUS=Stopping")
	if d.running > 0 {
		d.log.Info("Stopping: waiting for "+plural(d.running, "run", "runs")+" to finish", telemetry.String("reason", why))
	} else {
		d.log.Info("Stopping", telemetry.String("reason", why))
	}
	for _, j := range d.jobs {
		d.drop(j, "the daemon is stopping")
	}
}

// force cancels the runs in progress.
func (d *daemon) force(why string) {
	d.deadline = nil
	if d.running == 0 || d.forced {
		return
	}
	d.forced = true
	d.log.Warn("Cancelling " + plural(d.running, "run", "runs") + ": " + why)
	d.cancel(errors.New("cancelled: " + why))
}

func without(jobs []*job, j *job) []*job {
	var kept []*job
	for _, o := range jobs {
		if o != j {
			kept = append(kept, o)
		}
	}
	return kept
}
