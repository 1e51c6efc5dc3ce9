package daemon

import (
	"errors"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"
)

// timers wakes the loop when jobs are due. gocron keeps the times, one one-time
// job for each of the daemon's jobs.
type timers struct {
	scheduler gocron.Scheduler
	clock     clockwork.Clock
	wake      chan struct{} // of capacity 1: something may be due
}

// never is a second start of every one-time job, long after the first. gocron
// looks for the first start that is still ahead, and where none is, because the
// time has come while the job was added, it looks for ever (v2.21.2, scheduler.go,
// selectNewJob). With one that never comes, it finds that. The loop then notices
// the due time by itself, a check interval later at most.
const never = 100 * 365 * 24 * time.Hour

func newTimers(clock clockwork.Clock) (*timers, error) {
	// Times are given in UTC, so that gocron has no clock changes to see to.
	s, err := gocron.NewScheduler(gocron.WithClock(clock), gocron.WithLocation(time.UTC))
	if err != nil {
		return nil, err
	}
	s.Start()
	return &timers{scheduler: s, clock: clock, wake: make(chan struct{}, 1)}, nil
}

// set makes the timer wake the loop at the given time, and returns its id; id is
// that of the timer to take the place of, or uuid.Nil. The zero time removes it.
func (t *timers) set(id uuid.UUID, name string, at time.Time) (uuid.UUID, error) {
	if at.IsZero() {
		if id == uuid.Nil {
			return uuid.Nil, nil
		}
		if err := t.scheduler.RemoveJob(id); err != nil && !errors.Is(err, gocron.ErrJobNotFound) {
			return uuid.Nil, err
		}
		return uuid.Nil, nil
	}
	at = at.UTC()
	starts := gocron.OneTimeJob(gocron.OneTimeJobStartDateTimes(at, t.clock.Now().UTC().Add(never)))
	task := gocron.NewTask(t.notify)
	var job gocron.Job
	var err error
	if id == uuid.Nil {
		job, err = t.scheduler.NewJob(starts, task, gocron.WithName(name))
	} else {
		job, err = t.scheduler.Update(id, starts, task, gocron.WithName(name))
	}
	if err != nil {
		return uuid.Nil, err
	}
	if !at.After(t.clock.Now()) {
		t.notify()
	}
	return job.ID(), nil
}

// notify wakes the loop; one that is awake already looks once more.
func (t *timers) notify() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// close stops the timers and waits for gocron to end.
func (t *timers) close() error { return t.scheduler.Shutdown() }
