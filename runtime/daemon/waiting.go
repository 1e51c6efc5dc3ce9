package daemon

import (
	"slices"
	"time"

	"reqon/runtime/state"
)

// pendingRun is a run that is to be started.
type pendingRun struct {
	job     *job
	due     time.Time // zero for a run that no schedule asked for
	at      time.Time // when it is to start: due and the jitter, or the time of a retry
	trigger state.Trigger
	attempt int  // counts from 1
	claimed bool // its due time is this daemon's already
	counted bool // it counts as failed, for it could not be recorded
	// doubtful says that runs of its job could not be recorded when it was started:
	// that it has begun tells that they can again.
	doubtful bool
	settle   func() // closes its job's settled; nil where nobody waits for that
}

// waitingRuns holds the runs that wait for their turn, the oldest due first.
type waitingRuns struct{ list []*pendingRun }

// push adds a run behind those that were due before it.
func (q *waitingRuns) push(r *pendingRun) {
	i, _ := slices.BinarySearchFunc(q.list, r, func(a, b *pendingRun) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return -1 // behind its equals
	})
	q.list = slices.Insert(q.list, i, r)
}

// pop removes and returns the first run that may start, nil if none may.
func (q *waitingRuns) pop(may func(*pendingRun) bool) *pendingRun {
	i := slices.IndexFunc(q.list, may)
	if i < 0 {
		return nil
	}
	r := q.list[i]
	q.list = slices.Delete(q.list, i, i+1)
	return r
}

// remove takes out the runs of a job and returns them.
func (q *waitingRuns) remove(j *job) (removed []*pendingRun) {
	q.list = slices.DeleteFunc(q.list, func(r *pendingRun) bool {
		if r.job == j {
			removed = append(removed, r)
			return true
		}
		return false
	})
	return removed
}
