package daemon

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"reqon/runtime/state"
)

// requests waits until a path has been asked for n times.
func (w *world) requests(n int, path string) {
	w.t.Helper()
	w.await("the request", func() bool { return w.api.count(path) >= n })
}

// runs returns the recorded runs of a mission, the oldest first.
func (w *world) runs(mission string) []state.Run {
	w.t.Helper()
	var runs []state.Run
	w.state(func(db *state.DB) {
		var err error
		if runs, err = db.Runs(state.Filter{Mission: mission}); err != nil {
			w.t.Fatal(err)
		}
	})
	slices.Reverse(runs)
	return runs
}

// TestIntervalsKeepTheirGrid: an interval goes from due time to due time.
func TestIntervalsKeepTheirGrid(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 10 minutes"))
	w.run()
	for i := 1; i <= 5; i++ {
		w.clock.Advance(10 * time.Minute)
		w.sees(i, "A: Completed")
	}
	w.next("A", "2024-01-20 10:00:00")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	var dues []time.Time
	for _, r := range w.runs("A") {
		dues = append(dues, r.Due)
		if r.Trigger != state.TriggerSchedule || r.Status != state.StatusSuccess {
			t.Errorf("%+v", r)
		}
	}
	want := []string{"2024-01-20 09:10:00", "2024-01-20 09:20:00", "2024-01-20 09:30:00", "2024-01-20 09:40:00", "2024-01-20 09:50:00"}
	if !slices.Equal(texts(dues), want) {
		t.Errorf("due at %v", texts(dues))
	}
}

// TestRestart: the last run is remembered; one that is overdue is made up for
// once, and the interval then counts from there.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("Recent", "every 1 hour"))
	w.write("b.reqon", syncMission("Overdue", "every 1 hour"))
	w.write("c.reqon", syncMission("New", "every 1 hour"))
	w.write("d.reqon", syncMission("Adhoc", "every 1 hour"))
	w.record("Recent", state.TriggerSchedule, start.Add(-20*time.Minute), start.Add(-19*time.Minute), state.StatusSuccess)
	w.record("Overdue", state.TriggerSchedule, start.Add(-200*time.Minute), start.Add(-200*time.Minute), state.StatusFailure)
	w.record("Adhoc", state.TriggerAdhoc, time.Time{}, start.Add(-30*time.Minute), state.StatusSuccess)
	w.run()
	w.sees(1, "Overdue: Completed")
	w.next("Recent", "2024-01-20 09:41:00") // it began a minute late
	w.next("Overdue", "2024-01-20 10:00:00")
	w.next("New", "2024-01-20 10:00:00")
	w.next("Adhoc", "2024-01-20 09:30:00")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}

	// Again, twice in the same minute: nothing is run twice.
	for range 2 {
		w.clock.Advance(10 * time.Second)
		w.run()
		w.next("Overdue", "2024-01-20 10:00:00")
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.api.count("/Overdue"); n != 1 {
		t.Errorf("Overdue was run %d times", n)
	}
}

// TestNeverRunOverRestarts: an interval that never ran counts from the start of
// this daemon.
func TestNeverRunOverRestarts(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(50 * time.Minute)
	w.run()
	w.next("A", "2024-01-20 10:50:00")
}

func TestInterruptedRun(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.state(func(db *state.DB) { // its process ends before the run does
		if err := db.BeginRun(&state.Run{Mission: "A", Trigger: state.TriggerSchedule, Due: start.Add(-5 * time.Minute), Start: start.Add(-5 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	})
	w.run()
	w.sees(1, "The run of 08:55:00 was cut off")
	w.next("A", "2024-01-20 09:55:00")
	m, _ := w.mission("A")
	if m.LastStatus == nil || *m.LastStatus != state.StatusInterrupted {
		t.Errorf("%+v", m)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if runs := w.runs("A"); len(runs) != 1 || runs[0].Status != state.StatusInterrupted {
		t.Errorf("%+v", runs)
	}
}

// TestCatchUp: missed cron times after a restart.
func TestCatchUp(t *testing.T) {
	w := newWorld(t)
	w.write("none.reqon", syncMission("None", `cron "0 * * * *"`))
	w.write("one.reqon", syncMission("One", `cron "0 * * * *" { catchUp: true }`))
	w.write("all.reqon", syncMission("All", `cron "0 * * * *" { catchUp: "all" }`))
	w.write("at.reqon", syncMission("At", `at "2024-01-20 11:00 UTC" { catchUp: true }`))
	w.write("lost.reqon", syncMission("Lost", `at "2024-01-20 11:00 UTC"`))
	w.write("past.reqon", syncMission("Past", `at "2024-01-20 08:00 UTC" { catchUp: true }`))
	w.run()
	w.sees(1, "Past: Its time was over when it was first seen")
	w.next("Past", "")
	w.next("At", "2024-01-20 11:00:00")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(3*time.Hour + 30*time.Minute) // 12:30; missed: 10, 11, 12
	w.run()
	w.sees(3, "All: Completed")
	w.sees(1, "One: Completed")
	w.sees(1, "At: Completed")
	w.sees(1, "None: Missed: not run, by its catchUp; the last was due at 12:00:00")
	w.sees(1, "Lost: Missed")
	w.next("None", "2024-01-20 13:00:00")
	w.next("At", "")
	w.next("Lost", "")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.run() // once more: it is all done
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"None": nil, "Lost": nil, "Past": nil, "One": {"2024-01-20 12:00:00"}, "At": {"2024-01-20 11:00:00"},
		"All": {"2024-01-20 10:00:00", "2024-01-20 11:00:00", "2024-01-20 12:00:00"},
	} {
		var dues []time.Time
		for _, r := range w.runs(name) {
			dues = append(dues, r.Due)
			if r.Trigger != state.TriggerCatchUp {
				t.Errorf("%s: trigger %s", name, r.Trigger)
			}
		}
		slices.SortFunc(dues, time.Time.Compare) // they start at the same moment of this clock
		if !slices.Equal(texts(dues), want) {
			t.Errorf("%s: due at %v, want %v", name, texts(dues), want)
		}
	}
}

// TestAsleep: a daemon that was there all along, but did not run, is late.
func TestAsleep(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", `cron "0 * * * *"`))
	w.write("b.reqon", syncMission("B", `every 1 hour`))
	w.run()
	w.clock.Advance(3*time.Hour + 30*time.Minute)
	w.sees(1, "A: Completed")
	w.sees(1, "B: Completed")
	w.next("A", "2024-01-20 13:00:00")
	w.next("B", "2024-01-20 13:30:00")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	runs := w.runs("A")
	if len(runs) != 1 || text(runs[0].Due) != "2024-01-20 12:00:00" {
		t.Errorf("%+v", runs)
	}
}

// TestClaimedElsewhere: of two processes that come to a due time, one runs it.
func TestClaimedElsewhere(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", `cron "0 * * * *"`))
	w.write("b.reqon", syncMission("B", `every 1 hour`))
	w.write("c.reqon", syncMission("C", `at "2024-01-20 10:00 UTC"`))
	w.run()
	w.state(func(db *state.DB) {
		for _, name := range []string{"A", "B", "C"} {
			if ok, err := db.Claim(name, start.Add(time.Hour), state.ClaimAny); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
	})
	w.clock.Advance(time.Hour)
	for _, name := range []string{"A", "B", "C"} {
		w.sees(1, name+": Not started: it has been run already (due at 10:00:00)")
		// What is logged beside the loop comes before the loop knows of it.
		w.await(name+" is not running", func() bool { m, ok := w.mission(name); return ok && !m.Running })
	}
	w.next("A", "2024-01-20 11:00:00")
	w.next("B", "2024-01-20 11:00:00")
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")
	w.sees(1, "B: Completed")
	w.next("C", "")
	w.never("0001-01-01")
	if n := w.api.count("/C"); n != 0 {
		t.Errorf("C was run %d times", n)
	}
}

// skewedClock is a clock that can be set, while the time that passes is that of
// another one; as the wall clock of a computer can.
type skewedClock struct {
	*clockwork.FakeClock
	skew atomic.Int64
}

func (c *skewedClock) Now() time.Time { return c.FakeClock.Now().Add(time.Duration(c.skew.Load())) }

func (c *skewedClock) set(d time.Duration) { c.skew.Add(int64(d)) }

func TestClockSetBack(t *testing.T) {
	w := newWorld(t)
	clock := &skewedClock{FakeClock: w.clock}
	w.useClock(clock)
	w.write("a.reqon", syncMission("A", `cron "*/30 * * * *"`))
	w.write("b.reqon", syncMission("B", `every 30 minutes`))
	w.write("c.reqon", syncMission("C", `at "2024-01-20 09:30 UTC"`))
	w.write("d.reqon", syncMission("D", `cron "45 * * * *"`))
	w.run()
	w.clock.Advance(30 * time.Minute) // 09:30
	for _, name := range []string{"A", "B", "C"} {
		w.sees(1, name+": Completed")
	}
	w.clock.Advance(30 * time.Minute) // 10:00
	w.sees(2, "A: Completed")
	w.sees(2, "B: Completed")
	w.sees(1, "D: Completed")
	clock.set(-50 * time.Minute) // 09:10
	w.clock.Advance(time.Second)
	w.sees(1, "The clock was set back by")
	w.until("the plan", func() bool { m, _ := w.mission("A"); return m.NextRun != nil && m.NextRun.Hour() == 10 })
	w.next("A", "2024-01-20 10:30:00") // 09:30 and 10:00 were run
	w.next("D", "2024-01-20 10:45:00") // as was 09:45
	w.next("C", "")
	m, _ := w.mission("B")
	if d := m.NextRun.Sub(clock.Now()); d <= 29*time.Minute || d > 30*time.Minute {
		t.Errorf("B runs in %s", d)
	}
	w.clock.Advance(31 * time.Minute) // 09:41
	w.sees(3, "B: Completed")
	w.clock.Advance(50 * time.Minute) // 10:31
	w.sees(3, "A: Completed")
	if n := w.api.count("/C"); n != 1 {
		t.Errorf("C was run %d times", n)
	}
}

// TestClockSetForward: what falls into the time left out is late, not lost.
func TestClockSetForward(t *testing.T) {
	w := newWorld(t)
	clock := &skewedClock{FakeClock: w.clock}
	w.useClock(clock)
	w.write("a.reqon", syncMission("A", `cron "0 12 * * *"`))
	w.run()
	clock.set(4 * time.Hour)
	w.clock.Advance(time.Second)
	w.sees(1, "A: Completed")
	w.next("A", "2024-01-21 12:00:00")
}

// TestDaylightSaving: a day's run happens once on the days of the clock changes.
func TestDaylightSaving(t *testing.T) {
	for _, c := range []struct {
		from  time.Time
		wants []string
	}{
		{time.Date(2024, 3, 30, 0, 0, 0, 0, time.UTC), []string{"2024-03-30 01:30:00", "2024-03-31 01:00:00", "2024-04-01 00:30:00"}},
		{time.Date(2024, 10, 26, 0, 0, 0, 0, time.UTC), []string{"2024-10-26 00:30:00", "2024-10-27 00:30:00", "2024-10-28 01:30:00"}},
	} {
		w := newWorld(t)
		w.clock = clockwork.NewFakeClockAt(c.from)
		w.useClock(w.clock)
		w.write("a.reqon", syncMission("A", `cron "30 2 * * *" { timezone: "Europe/Berlin" }`))
		w.cfg.CheckInterval = 20 * time.Minute
		w.run()
		for i := range 3 * 24 * 3 {
			w.clock.Advance(20 * time.Minute)
			want := 0
			for _, at := range c.wants {
				if !utc(t, at).After(w.clock.Now()) {
					want++
				}
			}
			w.sees(want, "A: Completed")
			if i%36 == 0 {
				w.next("A", c.wants[min(want, 2)])
			}
			if want == 3 {
				break
			}
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		var dues []time.Time
		for _, r := range w.runs("A") {
			dues = append(dues, r.Due)
		}
		if !slices.Equal(texts(dues), c.wants) {
			t.Errorf("due at %v, want %v", texts(dues), c.wants)
		}
	}
}

func TestRunImmediately(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", `every 1 hour { runImmediately: true }`))
	w.write("b.reqon", syncMission("B", `cron "30 * * * *" { runImmediately: true }`))
	w.write("c.reqon", syncMission("C", `at "2024-01-20 12:00 UTC" { runImmediately: true }`))
	w.run()
	for _, name := range []string{"A", "B", "C"} {
		w.sees(1, name+": Completed")
	}
	w.next("A", "2024-01-20 10:00:00")
	w.next("B", "2024-01-20 09:30:00")
	w.next("C", "2024-01-20 12:00:00")
	w.clock.Advance(3 * time.Hour)
	w.sees(2, "C: Completed")
}

func TestSkipIfRunning(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 10 minutes"))
	release := w.api.hold("/A")
	w.run()
	w.clock.Advance(10 * time.Minute)
	w.requests(1, "/A")
	w.clock.Advance(10 * time.Minute)
	w.sees(1, "A: Skipped: still running")
	m, _ := w.mission("A")
	if !m.Running {
		t.Error("it is not shown as running")
	}
	release()
	w.sees(1, "A: Completed")
	w.clock.Advance(10 * time.Minute)
	w.sees(2, "A: Completed")
	if n := w.api.count("/A"); n != 2 {
		t.Errorf("it was run %d times", n)
	}
}

func TestWaitIfRunning(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 10 minutes { skipIfRunning: false }"))
	release := w.api.hold("/A")
	w.run()
	w.clock.Advance(10 * time.Minute)
	w.requests(1, "/A")
	w.clock.Advance(10 * time.Minute)
	w.until("the next plan", func() bool { m, _ := w.mission("A"); return m.NextRun.Minute() == 30 })
	if n := w.api.count("/A"); n != 1 {
		t.Errorf("%d runs at once", n)
	}
	release()
	w.sees(2, "A: Completed")
	w.never("Skipped")
}

func TestMaxConcurrency(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 10 minutes { maxConcurrency: 2 }"))
	release := w.api.hold("/A")
	w.run()
	w.clock.Advance(10 * time.Minute)
	w.requests(1, "/A")
	w.clock.Advance(10 * time.Minute)
	w.requests(2, "/A")
	w.clock.Advance(10 * time.Minute)
	w.sees(1, "A: Skipped: still running")
	release()
	w.sees(2, "A: Completed")
}

// TestTurns: beyond the limit of runs, the oldest due goes first.
func TestTurns(t *testing.T) {
	w := newWorld(t)
	w.cfg.MaxConcurrentRuns = 1
	w.write("a.reqon", syncMission("Busy", "every 1 minute"))
	w.write("b.reqon", syncMission("Third", "every 4 minutes"))
	w.write("c.reqon", syncMission("First", "every 2 minutes"))
	w.write("d.reqon", syncMission("Second", "every 3 minutes"))
	release := w.api.hold("/Busy")
	w.run()
	w.clock.Advance(time.Minute)
	w.requests(1, "/Busy")
	w.clock.Advance(time.Hour)
	w.sees(1, "Busy: Skipped: still running")
	release()
	w.sees(1, "Third: Completed")
	w.sees(1, "Second: Completed")
	var order []string
	for _, name := range []string{"First", "Second", "Third"} {
		order = append(order, name+": Starting run")
	}
	w.inOrder(order...)
}

func TestRetry(t *testing.T) {
	for what, c := range map[string]struct {
		options string
		waits   []time.Duration
	}{
		"retry":          {`retry: { maxRetries: 2, delaySeconds: 60 }`, []time.Duration{time.Minute, time.Minute}},
		"retryOnFailure": {`retryOnFailure: { maxAttempts: 4, backoff: exponential, initialDelay: 10s, maxDelay: 15s }`, []time.Duration{10 * time.Second, 15 * time.Second, 15 * time.Second}},
		"a long wait":    {`retryOnFailure: { maxAttempts: 3, initialDelay: 5m }`, []time.Duration{5 * time.Minute, 5 * time.Minute}},
		"linear":         {`retryOnFailure: { maxAttempts: 3, backoff: linear, initialDelay: 10s }`, []time.Duration{10 * time.Second, 20 * time.Second}},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.write("a.reqon", syncMission("A", "every 1 hour", c.options))
			w.api.answer("/A", 500)
			w.run()
			w.clock.Advance(time.Hour)
			w.sees(1, "A: Failed (0.0s): ")
			for i, wait := range c.waits {
				w.sees(1, "A: Run "+string(rune('2'+i))+" of")
				m, _ := w.mission("A")
				if got := m.NextRun.Sub(w.clock.Now()); got != wait {
					t.Fatalf("retry %d in %s, expected %s", i+1, got, wait)
				}
				w.clock.Advance(wait - time.Second)
				w.clock.Advance(time.Second)
				w.sees(2+i, "A: Failed (0.0s): ")
			}
			w.until("the end of it", func() bool {
				m, _ := w.mission("A")
				return m.NextRun != nil && text(*m.NextRun) == "2024-01-20 11:00:00"
			})
			if err := w.stop(); err != nil {
				t.Fatal(err)
			}
			for i, r := range w.runs("A") {
				trigger := state.TriggerRetry
				if i == 0 {
					trigger = state.TriggerSchedule
				}
				if r.Trigger != trigger || text(r.Due) != "2024-01-20 10:00:00" || r.Status != state.StatusFailure {
					t.Errorf("run %d: %+v", i, r)
				}
			}
		})
	}
}

// TestRetryOverRestart: a retry that was promised is kept.
func TestRetryOverRestart(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", `cron "0 * * * *"`, `retry: { maxRetries: 2, delaySeconds: 600 }`))
	w.api.answer("/A", 500)
	w.run()
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Run 2 of 3 at 10:10:00")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.api.answer("/A", 200)
	w.clock.Advance(5 * time.Minute)
	w.run()
	w.next("A", "2024-01-20 10:10:00")
	w.clock.Advance(5 * time.Minute)
	w.sees(1, "A: Completed")
	w.next("A", "2024-01-20 11:00:00")
}

// TestJitteredRun: the due time is that of the schedule, the start is later.
func TestJitteredRun(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", `cron "0 * * * *" { jitter: 20m }`))
	w.run()
	m, _ := w.mission("A")
	due := start.Add(time.Hour)
	if m.NextRun.Before(due) || !m.NextRun.Before(due.Add(20*time.Minute)) {
		t.Fatalf("next run at %s", m.NextRun)
	}
	w.clock.Advance(m.NextRun.Sub(w.clock.Now()) - time.Millisecond)
	if n := w.api.count("/A"); n != 0 {
		t.Errorf("it was run %d times before its time", n)
	}
	w.clock.Advance(time.Millisecond)
	w.sees(1, "A: Completed")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if runs := w.runs("A"); len(runs) != 1 || !runs[0].Due.Equal(due) {
		t.Errorf("%+v", runs)
	}
}

// TestSkippedBeforeBegun: a due time that is left out while the run before it is
// still being prepared does not keep that one from its own.
func TestSkippedBeforeBegun(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", `mission A {
  schedule: every 1 hour
  source API { auth: bearer, base: env("API") }
  action Ask { get "/A" }
}`)
	var hold atomic.Bool
	held, gate := make(chan struct{}), make(chan struct{})
	env := w.env(map[string]string{"REQON_API_TOKEN": "secret"})
	w.cfg.Engine.Env = func(name string) (string, bool) {
		if name == "REQON_API_TOKEN" && hold.CompareAndSwap(true, false) {
			close(held)
			<-gate
		}
		return env(name)
	}
	w.run()
	hold.Store(true)
	w.clock.Advance(time.Hour)
	<-held
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Skipped: still running")
	close(gate)
	w.sees(1, "A: Completed")
	w.never("it has been run already")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.state(func(db *state.DB) {
		claims, err := db.Claims("A", start)
		if err != nil || len(claims) != 2 {
			t.Errorf("claimed: %v, %v", claims, err)
		}
	})
}
