package daemon

import (
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/vm/bytecode"
)

// job is a mission in the loop's table. It outlives the mission's file for as
// long as runs are in progress.
type job struct {
	*mission
	gone bool // its file has been removed

	firstSeen, lastDue time.Time
	countsFrom         time.Time   // for intervals: the last run; zero if there was none
	due, at            time.Time   // the next due time, and when it starts; zero if there is none
	retry              *pendingRun // a failed run that is to be repeated at its time
	timerAt            time.Time   // when its timer rings

	settled          chan struct{} // closed once the run started last has its due time, or has not got it; nil if there was none
	running, waiting int
	last             lastRun
	lastSuccess      time.Time // its end
	overdueAt        time.Time // when it counts as overdue; zero if it never does
	unrecorded       string    // why its run could not be started; "" once one could
	before           *lastRun  // what last was before that; nil if a run has ended since
	held             time.Time // until when those that wait are held, since one could not be recorded
}

// lastRun is how the last run of a mission ended.
type lastRun struct {
	start  time.Time
	status state.Status
	err    string // why it did not succeed
}

// maxWaiting is how many runs of one mission may wait for their turn: with
// skipIfRunning false, an interval shorter than its runs would pile them up.
const maxWaiting = maxCatchUp

func newJob(m *mission, p *past, now time.Time) *job {
	j := &job{mission: m}
	j.remember(p, now)
	return j
}

// remember takes over what the state folder knows of the mission.
func (j *job) remember(p *past, now time.Time) {
	j.firstSeen, j.lastDue, j.lastSuccess = p.firstSeen, later(j.lastDue, p.lastDue), later(j.lastSuccess, p.lastSuccess)
	if r := p.lastRun; !r.Start.IsZero() && !r.Start.Before(j.last.start) {
		j.last = lastRun{r.Start, r.Status, r.Error}
	}
	if j.schedule == nil || p.lastRun.Start.IsZero() {
		return
	}
	r := p.lastRun
	j.countsFrom = later(j.countsFrom, j.schedule.countsFrom(r.Due, r.Start))
	retry := j.linked.Options().Retry
	if p.attempts > 0 && retry != nil && p.attempts < retry.MaxAttempts {
		at := later(r.End.Add(retry.Wait(int64(p.attempts), nil)), now)
		j.retry = &pendingRun{job: j, due: r.Due, at: at, trigger: state.TriggerRetry, attempt: p.attempts + 1, claimed: true}
	}
}

// trouble is why the mission does not do what it is scheduled for: its last run
// failed, or none has succeeded for too long. "" if all is well.
func (j *job) trouble(now time.Time, clock func(time.Time) string) string {
	switch {
	case j.schedule == nil:
	case j.last.status == state.StatusFailure:
		return "its last run failed: " + j.last.err
	case j.last.status == state.StatusInterrupted:
		return "its last run was cut off: " + j.last.err
	case j.overdueAt.IsZero() || !now.After(j.overdueAt):
	case j.lastSuccess.IsZero():
		return "no run has succeeded since it was first seen, at " + clock(j.firstSeen) + ", which is longer than three of its intervals (" + j.schedule.text + ")"
	default:
		return "no run has succeeded since " + clock(j.lastSuccess) + ", which is longer than three of its intervals (" + j.schedule.text + ")"
	}
	return ""
}

// setOverdue works out when the mission counts as overdue. With another schedule
// it is first seen anew.
func (j *job) setOverdue(now time.Time) {
	j.overdueAt = time.Time{}
	if j.schedule == nil || j.gone {
		return
	}
	since := later(j.lastSuccess, j.firstSeen)
	if since.IsZero() || since.After(now) { // as with a clock that was set back
		since = now
	}
	j.overdueAt = j.schedule.overdue(since)
}

// setDue sets the next due time.
func (j *job) setDue(due time.Time) {
	j.due, j.at = due, time.Time{}
	if !due.IsZero() {
		j.at = j.schedule.start(due)
	}
}

// next is when something is to be done for the job; zero if there is nothing.
func (j *job) next() time.Time {
	if j.retry != nil && (j.at.IsZero() || j.retry.at.Before(j.at)) {
		return j.retry.at
	}
	return j.at
}

// memory is what a plan is made from.
func (j *job) memory(began time.Time) memory {
	return memory{began: began, firstSeen: j.firstSeen, lastDue: j.lastDue, lastRun: j.countsFrom}
}

// planNew plans a job that has just been loaded, and returns the runs that are
// to be started at once.
func (j *job) planNew(began, now time.Time) (runs []*pendingRun, p plan) {
	s := j.schedule
	p = s.plan(j.memory(began), now, s.catchUp)
	j.setDue(p.due)
	for _, due := range p.missed {
		runs = append(runs, &pendingRun{job: j, due: due, at: due, trigger: state.TriggerCatchUp, attempt: 1})
	}
	overdue := !j.at.IsZero() && !j.at.After(now)
	if j.linked.Options().RunImmediately && len(runs) == 0 && !overdue && j.retry == nil {
		runs = append(runs, &pendingRun{job: j, due: now, at: now, trigger: state.TriggerSchedule, attempt: 1})
		if s.kind == bytecode.Every {
			j.setDue(s.following(now, now))
		}
	}
	return runs, p
}

// late is by how much a daemon that was running all the time may miss a due time
// and still just be late. Beyond it the computer slept, or its clock was set.
const late = time.Minute

// take gives the runs that are due now, and plans the next.
func (j *job) take(began, now time.Time) (runs []*pendingRun, lost time.Time) {
	if r := j.retry; r != nil && !r.at.After(now) {
		j.retry = nil
		if j.at.IsZero() || j.at.After(now) {
			runs = append(runs, r) // else the new run takes its place
		}
	}
	for !j.at.IsZero() && !j.at.After(now) {
		due, at, s := j.due, j.at, j.schedule
		if s.kind == bytecode.Cron && now.Sub(at) > late {
			m := j.memory(began)
			m.firstSeen, m.lastDue = time.Time{}, due.Add(-time.Microsecond)
			p := s.plan(m, now, max(s.catchUp, engine.CatchUpOne))
			for _, due := range p.missed {
				runs = append(runs, &pendingRun{job: j, due: due, at: due, trigger: state.TriggerCatchUp, attempt: 1})
			}
			j.setDue(p.due)
			return runs, p.lost
		}
		runs = append(runs, &pendingRun{job: j, due: due, at: at, trigger: state.TriggerSchedule, attempt: 1})
		j.setDue(s.following(due, now))
	}
	return runs, time.Time{}
}

// replan plans a job anew after the clock was set back. Due times that were
// claimed before it was are not given out again.
func (j *job) replan(began, now time.Time, claims []time.Time) {
	m := j.memory(began)
	claimed := make(map[int64]bool, len(claims))
	for _, c := range claims {
		claimed[c.UnixMicro()] = true
	}
	m.claimed = func(due time.Time) bool { return claimed[due.UnixMicro()] }
	if j.schedule.kind == bytecode.Every {
		if j.countsFrom.After(now) {
			j.countsFrom = now
		}
		if j.due.Sub(now) > j.schedule.every {
			j.setDue(now.Add(j.schedule.every))
		}
		return
	}
	j.setDue(j.schedule.plan(m, now, engine.CatchUpNone).due)
}
