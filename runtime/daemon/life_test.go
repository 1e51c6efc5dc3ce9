package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/state"
)

// TestStop: the first signal lets runs in progress finish, begins no others, and
// says so on /health.
func TestStop(t *testing.T) {
	w := newWorld(t)
	w.cfg.MaxConcurrentRuns = 1
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("b.reqon", syncMission("B", "every 61 minutes"))
	release := w.api.hold("/A")
	w.run()
	w.clock.Advance(time.Hour)
	w.requests(1, "/A")
	w.clock.Advance(2 * time.Minute)
	w.until("B waits", func() bool { m, _ := w.mission("B"); return m.NextRun.Hour() == 11 })
	w.signals <- syscall.SIGTERM
	w.sees(1, "Stopping: waiting for 1 run to finish")
	w.sees(1, "B: Not started: the daemon is stopping (due at 10:01:00)")
	if code, body := w.get("/health"); code != 503 || !strings.HasPrefix(string(body), `{"status":"stopping"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, _ := w.get("/health/ready"); code != 503 {
		t.Errorf("ready: %d", code)
	}
	if code, _ := w.get("/health/live"); code != 200 {
		t.Errorf("live: %d", code)
	}
	w.clock.Advance(time.Hour)
	release()
	if err := w.end(); err != nil {
		t.Errorf("%v", err)
	}
	w.sees(1, "A: Completed")
	if n := w.api.count("/B"); n != 0 {
		t.Errorf("B was run %d times", n)
	}
	if runs := w.runs("A"); len(runs) != 1 || runs[0].Status != state.StatusSuccess {
		t.Errorf("%+v", runs)
	}
	// B was due and not run: an interval makes up for it at the next start.
	w.run()
	w.sees(1, "B: Next run at")
}

// TestSecondSignal: the runs are cancelled, recorded as such, and the error leads
// to exit code 1.
func TestSecondSignal(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	defer w.api.hold("/A")()
	w.run()
	w.clock.Advance(time.Hour)
	w.requests(1, "/A")
	w.signals <- syscall.SIGINT
	w.sees(1, "Stopping: waiting")
	w.clock.Advance(repeatWithin)
	w.signals <- syscall.SIGINT
	if err := w.end(); !errors.Is(err, ErrForced) {
		t.Errorf("%v", err)
	}
	w.sees(1, "Cancelling 1 run: a second signal has come")
	if runs := w.runs("A"); len(runs) != 1 || runs[0].Status != state.StatusCancelled {
		t.Errorf("%+v", runs)
	}
}

func TestShutdownTimeout(t *testing.T) {
	w := newWorld(t)
	w.cfg.ShutdownTimeout = 30 * time.Second
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	defer w.api.hold("/A")()
	w.run()
	w.clock.Advance(time.Hour)
	w.requests(1, "/A")
	w.signals <- syscall.SIGTERM
	w.sees(1, "Stopping: waiting")
	w.clock.Advance(29 * time.Second)
	w.never("Cancelling")
	w.clock.Advance(time.Second)
	if err := w.end(); !errors.Is(err, ErrForced) {
		t.Errorf("%v", err)
	}
	w.sees(1, "Cancelling 1 run: the shutdown timeout of 30s is over")
}

// TestContext: the end of the context is that of the daemon.
func TestContext(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	ctx, cancel := context.WithCancel(context.Background())
	w.cfg.Started = func(string, string) { cancel() }
	if err := Run(ctx, w.cfg); err != nil {
		t.Error(err)
	}
}

// TestSystemd: what systemd is told (sd_notify(3)).
func TestSystemd(t *testing.T) {
	w := newWorld(t)
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	w.cfg.Engine.Env = w.env(map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())})
	told := make(chan string, 1000)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				close(told)
				return
			}
			told <- string(buf[:n])
		}
	}()
	expect := func(part string) {
		t.Helper()
		deadline := time.After(patience)
		for {
			select {
			case m := <-told:
				if strings.Contains(m, part) {
					return
				}
			case <-deadline:
				t.Fatalf("systemd is not told %s", part)
			}
		}
	}
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	expect("READY=1\nSTATUS=1 mission loaded")
	expect("WATCHDOG=1")
	expect("WATCHDOG=1")
	w.signals <- syscall.SIGHUP
	expect("RELOADING=1\nMONOTONIC_USEC=")
	expect("READY=1")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	expect("STOPPING=1")
}

func TestNotifier(t *testing.T) {
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{{"", "", 0}, {"x", "", 0}, {"-5", "", 0}, {"30000000", "", 15 * time.Second}, {"30000000", "1", 0}, {"99999999999999999999", "", 0}} {
		n := newNotifier(func(name string) (string, bool) {
			v := map[string]string{"WATCHDOG_USEC": c.usec, "WATCHDOG_PID": c.pid, "NOTIFY_SOCKET": "/nowhere/at/all"}[name]
			return v, v != ""
		}, nil)
		if n.period != c.want {
			t.Errorf("%+v: %s", c, n.period)
		}
		n.send("READY=1") // nobody is there, and nothing happens
		n.watchdog().Stop()
	}
}

// TestCannotStart: each is one clear line and a configuration error.
func TestCannotStart(t *testing.T) {
	for what, c := range map[string]struct {
		prepare func(w *world)
		want    string
	}{
		"no such path":    {func(w *world) { w.cfg.Path = filepath.Join(w.dir, "nowhere") }, "nowhere: no such file or folder"},
		"an empty folder": {func(w *world) { w.remove("a.reqon") }, "holds no missions: expected files ending in .reqon"},
		"another file": {func(w *world) {
			w.write("x.txt", "")
			w.cfg.Path = filepath.Join(w.dir, "x.txt")
		}, "x.txt is no mission"},
		"no credentials file": {func(w *world) { w.cfg.Auth = filepath.Join(w.dir, "none.json") }, "none.json"},
		"a bad credentials file": {func(w *world) {
			w.write("bad.json", "{")
			w.cfg.Auth = filepath.Join(w.dir, "bad.json")
		}, "bad.json"},
		"a bad interval":     {func(w *world) { w.cfg.CheckInterval = time.Microsecond }, "--check-interval must be at least 1ms, found 1µs"},
		"a bad limit":        {func(w *world) { w.cfg.MaxConcurrentRuns = -1 }, "--max-concurrent-runs must be at least 1, found -1"},
		"a bad timeout":      {func(w *world) { w.cfg.ShutdownTimeout = -1 }, "--shutdown-timeout must not be negative"},
		"an unknown mission": {func(w *world) { w.cfg.Missions = []string{"B"} }, "no mission named B; there are A"},
		"an unknown parameter": {func(w *world) { w.cfg.Params = map[string]string{"x": "1"} },
			"--param x: no mission has such a parameter; there is none at all"},
		"no address": {func(w *world) { w.cfg.HealthAddr = "127.0.0.1:99999" }, "--health-port: can't listen at 127.0.0.1:99999"},
		"a state folder that is a file": {func(w *world) {
			w.write("file", "")
			w.cfg.Engine.StateDir = filepath.Join(w.dir, "file")
		}, "file"},
		"a damaged state": {func(w *world) {
			if err := os.WriteFile(filepath.Join(w.cfg.Engine.StateDir, "reqon.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
				w.t.Fatal(err)
			}
		}, "reqon.db"},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.write("a.reqon", syncMission("A", "every 1 hour"))
			c.prepare(w)
			err := Run(context.Background(), w.cfg)
			if err == nil || !isConfig(err) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.cfg.MetricsAddr = l.Addr().String()
	err = Run(context.Background(), w.cfg)
	want := fmt.Sprintf("--metrics-port: the port of %s is in use by another program; choose another", l.Addr())
	if !isConfig(err) || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// TestSecondDaemon: a state folder has one daemon.
func TestSecondDaemon(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	err := Run(context.Background(), w.cfg)
	if !isConfig(err) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("%v", err)
	}
}

func TestMissionFilter(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.write("c.reqon", "mission C { nonsense }")
	w.cfg.Missions = []string{"B"}
	w.run()
	if _, ok := w.mission("A"); ok {
		t.Error("A is loaded")
	}
	w.next("B", "2024-01-20 10:00:00")
}

// TestDryRun: nothing is sent, stored, recorded or locked.
func TestDryRun(t *testing.T) {
	w := newWorld(t)
	w.cfg.DryRun = true
	w.cfg.Engine.StateDir = filepath.Join(w.dir, "state")
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Would send GET "+w.api.URL+"/A")
	w.sees(1, "A: Completed")
	w.next("A", "2024-01-20 11:00:00")
	w.clock.Advance(time.Hour)
	w.sees(2, "A: Completed")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if n := w.api.count("/A"); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if _, err := os.Stat(w.cfg.Engine.StateDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state folder was made: %v", err)
	}
}

func TestOnce(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("b.reqon", syncMission("B", `cron "0 0 1 1 *"`))
	w.write("c.reqon", strings.Replace(syncMission("C", "every 1 hour"), "schedule: every 1 hour", "", 1))
	if err := Once(context.Background(), w.cfg); err != nil {
		t.Fatal(err)
	}
	if w.api.count("/A") != 1 || w.api.count("/B") != 1 || w.api.count("/C") != 0 {
		t.Errorf("A %d, B %d, C %d", w.api.count("/A"), w.api.count("/B"), w.api.count("/C"))
	}
	if runs := w.runs("A"); len(runs) != 1 || runs[0].Trigger != state.TriggerOnce || !runs[0].Due.IsZero() {
		t.Errorf("%+v", runs)
	}

	w.api.answer("/A", 500)
	w.write("d.reqon", "mission D {")
	err := Once(context.Background(), w.cfg)
	var once *OnceError
	if !errors.As(err, &once) || len(once.Failed) != 1 || once.Failed[0] != "A" || len(once.NotLoaded) != 1 {
		t.Errorf("%v", err)
	}
	if w.api.count("/B") != 2 {
		t.Error("B was stopped by the others")
	}
	w.remove("d.reqon")
	w.write("a.reqon", strings.Replace(syncMission("A", "every 1 hour"), "base:", "auth: bearer, base:", 1))
	if err := Once(context.Background(), w.cfg); !isConfig(err) || !errors.As(err, &once) || len(once.Failed) != 0 {
		t.Errorf("%v", err)
	}
	w.cfg.Path = filepath.Join(w.dir, "nowhere")
	if err := Once(context.Background(), w.cfg); !isConfig(err) {
		t.Errorf("%v", err)
	}
}

func TestOnceCancelled(t *testing.T) {
	w := newWorld(t)
	w.cfg.MaxConcurrentRuns = 1
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	defer w.api.hold("/A")()
	signals := make(chan os.Signal, 1)
	w.cfg.Signals = signals
	ended := make(chan error, 1)
	go func() { ended <- Once(context.Background(), w.cfg) }()
	w.requests(1, "/A")
	signals <- syscall.SIGINT
	select {
	case err := <-ended:
		var once *OnceError
		if !errors.As(err, &once) || len(once.Failed) != 2 {
			t.Errorf("%v", err)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if n := w.api.count("/B"); n != 0 {
		t.Errorf("B was run %d times", n)
	}
}

// TestScheduledEnv: a mission can tell that the schedule has started it.
func TestScheduledEnv(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", `mission A {
  schedule: every 1 hour
  source API { base: env("API") }
  action X { get "/{env('REQON_SCHEDULED', 'no')}-{formatDate(scheduledTime, 'HHmmss')}" }
}`)
	w.run()
	w.clock.Advance(time.Hour + 300*time.Millisecond)
	w.sees(1, "A: Completed")
	if w.api.count("/true-100000") != 1 {
		t.Error("not seen")
	}
}

// TestClaimFails: a due time that can't be claimed is not run, and is tried again.
func TestClaimFails(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	if err := w.cfg.complete(); err != nil {
		t.Fatal(err)
	}
	d, err := open(context.Background(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.load(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := d.engine.DB().Close(); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	d.pass(d.sweep)
	res := <-d.done
	if res.err == nil || res.report != nil {
		t.Fatalf("%+v", res)
	}
	d.pass(func() { d.finished(res) })
	j := d.byName["A"]
	if got := j.next().Sub(w.clock.Now()); got != claimRetry || !j.retry.due.Equal(start.Add(time.Hour)) || j.retry.trigger != state.TriggerSchedule {
		t.Errorf("next in %s: %+v", got, j.retry)
	}
	w.sees(1, "A: Not started: its due time can't be recorded")

	// It is seen from outside: in /health and by a counter that alerts ask for.
	// The same due time counts once, and is told once.
	again := *j.retry
	d.pass(func() { d.start(&again) })
	res = <-d.done
	d.pass(func() { d.finished(res) })
	h, code := d.health()
	if code != 200 || h.Status != "degraded" || len(h.Problems) != 1 || h.Problems[0].Mission != "A" ||
		!strings.Contains(h.Problems[0].Error, "its due time can't be recorded") {
		t.Errorf("%d %+v", code, h)
	}
	if m := h.Missions[0]; m.LastStatus == nil || *m.LastStatus != state.StatusFailure {
		t.Errorf("%+v", m)
	}
	var metrics strings.Builder
	if _, err := d.metrics.WriteTo(&metrics); err != nil {
		t.Fatal(err)
	}
	if want := `reqon_mission_runs_total{mission="A",status="failure"} 1`; !strings.Contains(metrics.String(), want) {
		t.Errorf("the metrics lack %s:\n%s", want, metrics.String())
	}
	if n := strings.Count(w.log.text(), "[ERROR] A: Not started"); n != 1 {
		t.Errorf("told %d times", n)
	}

	// Once it works again, nothing of it is left.
	j.waiting, j.running, d.running = 0, 1, 1
	d.pass(func() { d.finished(result{run: &again}) })
	if h, _ := d.health(); h.Status != "ok" || len(h.Problems) > 0 {
		t.Errorf("%+v", h)
	}
	w.sees(1, "A: Runs can be recorded again")
	if err := d.close(); err != nil && !errors.Is(err, state.ErrClosed) {
		t.Error(err)
	}
}

// TestFault: a fault of this program in a run is that run's failure.
func TestFault(t *testing.T) {
	w := newWorld(t)
	if err := w.cfg.complete(); err != nil {
		t.Fatal(err)
	}
	d, err := open(context.Background(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	rep := d.guarded(&mission{name: "A"}, engine.RunOptions{}) // it has no program
	if rep.Err == nil || rep.Status != state.StatusFailure || !strings.HasPrefix(rep.Error, "internal error, please report it: ") {
		t.Errorf("%+v", rep)
	}
	w.sees(1, "[ERROR] A: Internal error stack=")
	if err := d.close(); err != nil {
		t.Error(err)
	}
}

// TestEarlyTimer: a timer that goes off before its time by the wall clock is set
// once more, and does not leave the run to the next check.
func TestEarlyTimer(t *testing.T) {
	w := newWorld(t)
	clock := &skewedClock{FakeClock: w.clock}
	w.useClock(clock)
	w.cfg.CheckInterval = 24 * time.Hour
	w.write("a.reqon", syncMission("A", `cron "0 * * * *"`))
	w.run()
	clock.set(-time.Second) // slowly, as time servers have it
	w.clock.Advance(time.Hour)
	w.await("the timer is set again", func() bool {
		w.clock.Advance(10 * time.Millisecond)
		n, _ := w.log.count("[2024-01-20 10:00:0")
		return n > 0
	})
	w.sees(1, "A: Completed")
}

// TestTimersNeverHang: gocron looks for ever for the start of a one-time job that
// has just gone by, unless there is a second.
func TestTimersNeverHang(t *testing.T) {
	w := newWorld(t)
	w.cfg.Clock = nil
	if err := w.cfg.complete(); err != nil {
		t.Fatal(err)
	}
	timers, err := newTimers(w.cfg.Clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		id, err := timers.apply([16]byte{}, "x", time.Now().Add(time.Hour))
		for i := 0; i < 3000 && err == nil; i++ {
			id, err = timers.apply(id, "x", time.Now().Add(time.Duration(i%100-20)*time.Microsecond))
		}
		done <- errors.Join(err, timers.close())
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it hangs")
	}
}

func TestWaitingRuns(t *testing.T) {
	var q waitingRuns
	a, b := &job{mission: &mission{name: "a"}}, &job{mission: &mission{name: "b"}}
	for i, at := range []int{5, 1, 3, 1, 4} {
		j := a
		if i%2 == 1 {
			j = b
		}
		q.push(&pendingRun{job: j, at: start.Add(time.Duration(at) * time.Second), attempt: i})
	}
	var order []int
	for r := q.pop(func(*pendingRun) bool { return true }); r != nil; r = q.pop(func(r *pendingRun) bool { return r.job == a }) {
		order = append(order, r.attempt)
	}
	if fmt.Sprint(order) != "[1 2 4 0]" || len(q.list) != 1 || q.list[0].attempt != 3 {
		t.Errorf("%v, left %d", order, len(q.list))
	}
	if removed := q.remove(b); len(removed) != 1 || len(q.list) != 0 {
		t.Errorf("%v", removed)
	}
}

// away moves the state folder away, so that nothing can be recorded, until back is
// called.
func (w *world) away() (back func()) {
	w.t.Helper()
	dir := w.cfg.Engine.StateDir
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			w.t.Fatal(err)
		}
	}
	move(dir, dir+".away")
	return func() { move(dir+".away", dir) }
}

// askMission is a mission that asks the API and stores nothing.
func askMission(name, schedule string, options ...string) string {
	return fmt.Sprintf(`mission %[1]s {
  schedule: %[2]s
  %[3]s
  source API { base: env("API"), retry: { maxAttempts: 1 } }
  action Ask { get "/%[1]s" }
}
`, name, schedule, strings.Join(options, "\n  "))
}

// TestUnrecordedBesideOthers: a run that can't be recorded is not lost beside one
// in progress, whose end tells nothing of what can be recorded since; and /health
// is well again once it runs, not when it ends.
func TestUnrecordedBesideOthers(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", askMission("A", `cron "0 * * * *"`, "maxConcurrency: 2"))
	release := w.api.hold("/A")
	w.run()
	w.clock.Advance(time.Hour)
	w.await("the first run", func() bool { return w.api.count("/A") == 1 })
	back := w.away()
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Not started: its due time can't be recorded")
	release()
	w.sees(1, "A: Failed") // its end can't be recorded either
	w.until("the second run is tried again", func() bool {
		n, _ := w.log.count("its due time still can't be recorded")
		return n > 0
	})
	w.never("recorded again")
	w.healthIs("degraded")

	back()
	release = w.api.hold("/A")
	w.until("the second run", func() bool { return w.api.count("/A") == 2 })
	w.sees(1, "A: Runs can be recorded again")
	if _, body := w.get("/health"); strings.Contains(string(body), "not started") || !strings.Contains(string(body), "its last run failed") {
		t.Errorf("%s", body)
	}
	release()
	w.sees(1, "A: Completed")
	w.healthIs("ok")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if runs := w.runs("A"); len(runs) != 2 || !runs[1].Due.Equal(start.Add(2*time.Hour)) || runs[1].Status != state.StatusSuccess || runs[0].Status != state.StatusFailure {
		t.Errorf("%+v", runs)
	}
}

// TestUnrecordedCatchUp: of due times that wait for one another, none is lost when
// they can't be recorded, and they keep their order.
func TestUnrecordedCatchUp(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", askMission("A", `cron "0 * * * *" { catchUp: "all" }`))
	w.run()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(3*time.Hour + time.Minute) // missed: 10, 11, 12
	release := w.api.hold("/A")
	w.run()
	w.await("the first run", func() bool { return w.api.count("/A") == 1 })
	back := w.away()
	release()
	w.sees(1, "A: Not started: its due time can't be recorded")
	w.until("it is tried again", func() bool {
		n, _ := w.log.count("its due time still can't be recorded")
		return n > 0
	})
	back()
	w.until("all are run", func() bool { return w.api.count("/A") == 3 })
	w.sees(2, "A: Completed")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	runs := w.runs("A")
	if len(runs) != 3 {
		t.Fatalf("%+v", runs)
	}
	for i, r := range runs {
		if want := start.Add(time.Duration(i+1) * time.Hour); !r.Due.Equal(want) {
			t.Errorf("run %d was due at %s, expected %s", i, r.Due, want)
		}
	}
}

// TestUnrecordedRetry: a repeated run that can't be recorded has not been tried.
func TestUnrecordedRetry(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", askMission("A", `cron "0 * * * *"`, `retry: { maxRetries: 1, delaySeconds: 60 }`))
	w.api.answer("/A", 500)
	w.run()
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Run 2 of 2 at 10:01:00")
	back := w.away()
	w.until("the repeated run is not started", func() bool {
		n, _ := w.log.count("A: Not started: its start can't be recorded")
		return n > 0
	})
	w.healthIs("degraded")
	w.api.answer("/A", 0)
	back()
	w.until("it is run", func() bool { return w.api.count("/A") == 2 })
	w.sees(1, "A: Completed")
	w.sees(1, "A: Runs can be recorded again")
	w.healthIs("ok")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if runs := w.runs("A"); len(runs) != 2 || runs[1].Trigger != state.TriggerRetry || runs[1].Status != state.StatusSuccess {
		t.Errorf("%+v", runs)
	}
}

// healthIs waits until /health has a status.
func (w *world) healthIs(want string) {
	w.t.Helper()
	w.await("/health is "+want, func() bool {
		_, body := w.get("/health")
		var h Health
		if err := json.Unmarshal(body, &h); err != nil {
			w.t.Fatalf("%v: %s", err, body)
		}
		return h.Status == want
	})
}

// TestOnceUnrecorded: `--once` fails where its runs can't be recorded.
func TestOnceUnrecorded(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", askMission("A", "every 1 hour"))
	w.record("A", state.TriggerOnce, time.Time{}, start, state.StatusSuccess) // makes the folder
	var once sync.Once
	env := w.cfg.Engine.Env
	w.cfg.Engine.Env = func(name string) (string, bool) {
		if name == "API" { // the run is being prepared
			once.Do(func() { w.away() })
		}
		return env(name)
	}
	err := Once(t.Context(), w.cfg)
	var failed *OnceError
	if !errors.As(err, &failed) || len(failed.Failed) != 1 {
		t.Fatalf("error is %v", err)
	}
	w.sees(1, "A: Failed (0.0s): state database")
}
