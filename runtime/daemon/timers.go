package daemon

import (
	"errors"
	"sync"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
	"github.com/jonboulle/clockwork"

	"reqon/runtime/telemetry"
)

// timers wakes the loop when jobs are due. gocron keeps the times: a one-time job
// for each of the daemon's jobs. Each change of one is a conversation with
// gocron's goroutine, which the loop must not wait for while hundreds of runs
// are to be started; a goroutine of its own has it.
type timers struct {
	scheduler gocron.Scheduler
	clock     clockwork.Clock
	log       *telemetry.Logger
	wake      chan struct{} // of capacity 1: something may be due

	mu      sync.Mutex
	wanted  map[string]time.Time // times to be set, by the job's name
	rung    []string             // timers that have gone off since the loop last asked
	changed chan struct{}        // of capacity 1: there are some
	quit    chan struct{}
	work    sync.WaitGroup
}

// never is a second start of every one-time job, long after the first. gocron
// looks for the first start that is still ahead, and where none is, because the
// time has come while the job was added, it looks for ever (v2.21.2, scheduler.go,
// selectNewJob). With one that never comes, it finds that; keep then wakes the
// loop by itself.
const never = 100 * 365 * 24 * time.Hour

func newTimers(clock clockwork.Clock, log *telemetry.Logger) (*timers, error) {
	// Times are given in UTC, so that gocron has no clock changes to see to.
	s, err := gocron.NewScheduler(gocron.WithClock(clock), gocron.WithLocation(time.UTC))
	if err != nil {
		return nil, err
	}
	s.Start()
	t := &timers{
		scheduler: s, clock: clock, log: log, wake: make(chan struct{}, 1),
		wanted: map[string]time.Time{}, changed: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	t.work.Go(t.keep)
	return t, nil
}

// set makes the timer of the name wake the loop at the given time, and no longer
// at another; the zero time removes it.
func (t *timers) set(name string, at time.Time) {
	t.mu.Lock()
	t.wanted[name] = at
	t.mu.Unlock()
	signal(t.changed)
}

// notify wakes the loop; one that is awake already looks once more.
func (t *timers) notify() { signal(t.wake) }

// ring is what a timer does when its time has come.
func (t *timers) ring(name string) {
	t.mu.Lock()
	t.rung = append(t.rung, name)
	t.mu.Unlock()
	t.notify()
}

// takeRung gives the names of the timers that have gone off, each once.
func (t *timers) takeRung() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	rung := t.rung
	t.rung = nil
	return rung
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// keep sets the timers that are wanted, until close.
func (t *timers) keep() {
	ids := map[string]uuid.UUID{}
	for {
		select {
		case <-t.changed:
		case <-t.quit:
			return
		}
		t.mu.Lock()
		wanted := t.wanted
		t.wanted = map[string]time.Time{}
		t.mu.Unlock()
		for name, at := range wanted {
			id, err := t.apply(ids[name], name, at)
			if err != nil {
				// The loop looks for due times at every check interval too.
				t.log.With(name, "").Warn("Its timer can't be set; its runs may start later by the check interval: " + err.Error())
			}
			if id == uuid.Nil {
				delete(ids, name)
			} else {
				ids[name] = id
			}
			// It may have come while it was set.
			if !at.IsZero() && !at.After(t.clock.Now()) {
				t.notify()
			}
		}
	}
}

// apply sets one timer, and returns its id, uuid.Nil if there is none; id is that
// of the timer to take the place of.
func (t *timers) apply(id uuid.UUID, name string, at time.Time) (uuid.UUID, error) {
	if at.IsZero() {
		if id == uuid.Nil {
			return uuid.Nil, nil
		}
		if err := t.scheduler.RemoveJob(id); err != nil && !errors.Is(err, gocron.ErrJobNotFound) {
			return uuid.Nil, err
		}
		return uuid.Nil, nil
	}
	starts := gocron.OneTimeJob(gocron.OneTimeJobStartDateTimes(at.UTC(), t.clock.Now().UTC().Add(never)))
	task := gocron.NewTask(t.ring, name)
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
	return job.ID(), nil
}

// close stops the timers and waits for all that keeps them.
func (t *timers) close() error {
	close(t.quit)
	t.work.Wait()
	return t.scheduler.Shutdown()
}
