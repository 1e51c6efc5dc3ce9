package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// running starts a daemon with one run in progress, whose request the API holds
// back.
func (s *site) running(a *api, args ...string) *process {
	s.t.Helper()
	s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 1 second", a.URL))
	a.shut()
	p := s.daemon(args...)
	a.waitRequests(s.t, 1)
	return p
}

// TestDaemonStop is "Graceful Shutdown": no new runs, those in progress finish,
// state is saved, exit code 0; meanwhile /health says 503.
func TestDaemonStop(t *testing.T) {
	s, a, port := newSite(t), newAPI(t), freePort(t)
	p := s.running(a, "--health-port", port)
	p.signal(syscall.SIGTERM)
	p.waitLog(`\[INFO\] Stopping: waiting for 1 run to finish`)
	p.signal(syscall.SIGTERM) // so soon it is the same wish, as timeout(1) does it
	for path, want := range map[string]struct {
		code   int
		prefix string
	}{
		"/health":       {http.StatusServiceUnavailable, `{"status":"stopping","uptime":`},
		"/health/ready": {http.StatusServiceUnavailable, `{"status":"stopping"}`},
		"/health/live":  {http.StatusOK, `{"status":"ok"}`},
	} {
		if code, body := get(t, port, path); code != want.code || !strings.HasPrefix(body, want.prefix) {
			t.Errorf("%s while stopping: %d %s, want %d %s", path, code, body, want.code, want.prefix)
		}
	}
	if _, stderr := s.reqon(1, "health", "http://localhost:"+port); !strings.Contains(stderr, "stopping") {
		t.Errorf("reqon health while stopping: %s", stderr)
	}
	time.Sleep(1100 * time.Millisecond) // the next due time passes
	if p.hasEnded() {
		t.Fatalf("it has not waited for its run:\n%s", p.text())
	}
	a.open()
	p.exit(0)
	if n := p.count("Starting run"); n != 1 {
		t.Errorf("%d runs were started, want 1:\n%s", n, p.text())
	}
	if !regexp.MustCompile(`SyncOrders: Completed \(\d\.\ds\)\n.*\[INFO\] Stopped\n$`).MatchString(p.text()) {
		t.Errorf("the log is\n%s", p.text())
	}
	if runs := s.history(); len(runs) != 1 || runs[0].Status != "success" {
		t.Errorf("recorded: %+v", runs)
	}
	if len(s.records("customers")) != 2 {
		t.Error("the store lacks records")
	}
	p = s.daemon()
	a.waitRequests(t, 2)
	p.stop()
	if since := a.sinces(); since[1] == "" {
		t.Error("the position of the run that finished was not saved")
	}
}

// TestDaemonStopForced holds what cancels a run that does not end by itself: the
// shutdown timeout, or a second signal. The exit code is 1, and what the run
// would have fetched is fetched by the next.
func TestDaemonStopForced(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		second os.Signal
		why    string
	}{
		"timeout": {[]string{"--shutdown-timeout", "300ms"}, nil, "the shutdown timeout of 300ms is over"},
		"TERM":    {nil, syscall.SIGTERM, "a second signal has come"},
		"INT":     {[]string{"--shutdown-timeout=1h"}, os.Interrupt, "a second signal has come"},
	} {
		t.Run(name, func(t *testing.T) {
			s, a := newSite(t), newAPI(t)
			p := s.running(a, c.args...)
			p.signal(syscall.SIGTERM)
			p.waitLog("Stopping: waiting for 1 run")
			if c.second != nil {
				time.Sleep(250 * time.Millisecond) // sooner it would be the first once more
				p.signal(c.second)
			}
			p.exit(1)
			p.waitLog(`\[WARN\] Cancelling 1 run: ` + c.why)
			p.waitLog(`\[ERROR\] SyncOrders: Failed \(\d\.\ds\): .*cancelled: ` + c.why)
			if runs := s.history(); len(runs) != 1 || runs[0].Status != "cancelled" {
				t.Errorf("recorded: %+v", runs)
			}
			if s.exists(".reqon-data/customers.json") {
				t.Error("a request that was broken off has left records")
			}
			a.open()
			p = s.daemon()
			p.waitLog("SyncOrders: Completed")
			p.stop()
			if since := a.sinces(); since[1] != "" {
				t.Errorf("the position has moved to %s by a run that was cancelled", since[1])
			}
		})
	}
}

// TestDaemonKilled kills a daemon in the middle of a run. The next one records
// the run as interrupted, runs no due time twice and loses nothing.
func TestDaemonKilled(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	p := s.running(a)
	p.signal(syscall.SIGKILL)
	<-p.ended
	a.open()
	p = s.daemon()
	p.waitLog(`\[WARN\] SyncOrders: The run of \d\d:\d\d:\d\d was cut off; it is recorded as interrupted, and the sync position has not moved`)
	p.waitLog("SyncOrders: Completed")
	p.stop()
	runs := s.history()
	first := runs[len(runs)-1]
	if first.Status != "interrupted" || runs[len(runs)-2].Status != "success" {
		t.Errorf("recorded: %+v", runs)
	}
	seen := map[time.Time]bool{}
	for _, r := range runs {
		if seen[r.Due] {
			t.Errorf("the due time %s was run twice", r.Due)
		}
		seen[r.Due] = true
	}
	if since := a.sinces(); since[1] != "" {
		t.Errorf("the position has moved to %s by a run that was killed", since[1])
	}
	if len(s.records("customers")) != 2 {
		t.Error("the store lacks records")
	}
}

// TestDaemonRestart holds that an interval goes on over a restart, and that what
// has become due meanwhile is run once, at start.
func TestDaemonRestart(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.write("missions/hourly.reqon", customersMission("Hourly", "every 1 hour", a.URL))
	s.write("missions/quick.reqon", customersMission("Quick", "every 1 second", a.URL))
	s.reqon(0, "./missions/", "--once")
	last := map[string]time.Time{}
	for _, r := range s.history() {
		last[r.Mission] = r.Start.UTC()
	}
	time.Sleep(time.Until(last["Quick"].Add(2100 * time.Millisecond))) // two intervals
	p := s.daemon()
	next := p.waitLog("Hourly: Next run at (.*)$")[1]
	p.waitLog("Quick: Starting run")
	p.stop()
	if want := last["Hourly"].Add(time.Hour); !strings.HasSuffix(next, want.Format(time.TimeOnly)) {
		t.Errorf("the hour counts anew: next run at %s, want %s", next, want)
	}
	lines := strings.Split(p.text(), "\n")
	loaded := logLine.FindStringSubmatch(lines[1])
	for _, line := range lines {
		if parts := logLine.FindStringSubmatch(line); parts != nil && parts[3] == "Quick: Starting run" {
			from, _ := time.Parse(time.DateTime, loaded[1])
			at, _ := time.Parse(time.DateTime, parts[1])
			if late := at.Sub(from); late > time.Second {
				t.Errorf("what was due before the start has run %s after it:\n%s", late, p.text())
			}
			break
		}
	}
	if n := p.count("Quick: Starting run"); n > 2 {
		t.Errorf("%d runs at start, want one for all that was missed:\n%s", n, p.text())
	}
}

// TestDaemonOwnsState holds that a state folder has one daemon, and that runs by
// hand may go on beside it.
func TestDaemonOwnsState(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 1 hour", a.URL))
	s.write("adhoc.reqon", customersMission("ByHand", "every 1 hour", a.URL))
	p := s.daemon()
	_, stderr := s.reqon(3, "./missions/", "--daemon")
	if !strings.Contains(stderr, fmt.Sprintf("pid %d", p.cmd.Process.Pid)) {
		t.Errorf("the second daemon does not name the first, %d:\n%s", p.cmd.Process.Pid, stderr)
	}
	s.reqon(0, "adhoc.reqon")
	s.reqon(0, "./missions/", "--once")
	if len(s.records("customers")) != 2 {
		t.Error("the store that both use lacks records")
	}
	out, _ := s.reqon(0, "status")
	for _, want := range []string{`(?m)^ByHand +\d.* adhoc +success`, `(?m)^SyncOrders +\d.* once +success`} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("reqon status beside the daemon: no %s in\n%s", want, out)
		}
	}
	if out, _ := s.reqon(0, "history", "ByHand", "--limit", "1"); !strings.Contains(out, "ByHand") {
		t.Errorf("reqon history beside the daemon:\n%s", out)
	}
	if out, _ := s.reqon(0, "cleanup", "--older-than", "30d"); !strings.HasPrefix(out, "Removed the records of 0 runs") {
		t.Errorf("reqon cleanup beside the daemon:\n%s", out)
	}
	s.reqon(0, "adhoc.reqon")
	out, _ = s.reqon(0, "cleanup", "--older-than", "1ms")
	if runs := s.history(); len(runs) != 2 || !strings.HasPrefix(out, "Removed the records of 1 run ") {
		t.Errorf("cleanup keeps the newest run of each mission, and has left %+v:\n%s", runs, out)
	}
	p.stop()
	// Another state folder has room for another daemon.
	p = s.daemon()
	other := s.daemon("--state-dir", "other")
	other.stop()
	p.stop()
}

// TestDaemonMaxConcurrentRuns holds that runs over the limit wait for their turn.
func TestDaemonMaxConcurrentRuns(t *testing.T) {
	for limit, want := range map[string]int32{"1": 1, "3": 3} {
		t.Run(limit, func(t *testing.T) {
			s, a := newSite(t), newAPI(t)
			for i := range 5 {
				name := fmt.Sprintf("Mission%d", i)
				s.write("missions/"+name+".reqon", customersMission(name, "every 1 second", a.URL))
			}
			a.shut()
			p := s.daemon("--max-concurrent-runs", limit)
			a.waitRequests(t, int(want))
			time.Sleep(200 * time.Millisecond) // one too many would come now
			if got := a.requests.Load(); got != want {
				t.Errorf("%d runs at once, want %d", got, want)
			}
			a.open()
			a.waitRequests(t, 5)
			p.stop()
			if got := a.most.Load(); got > want {
				t.Errorf("%d runs at once, want %d at most", got, want)
			}
		})
	}
}

// TestDaemonSkips holds that a mission that is still running is not started
// again.
func TestDaemonSkips(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	p := s.running(a)
	p.waitLog(`^\[.*\] \[INFO\] SyncOrders: Skipped: still running$`)
	a.open()
	p.waitLog(`SyncOrders: Completed`)
	p.stop()
}

// TestDaemonFailure holds the line of a run that fails, and that the next due
// time is run all the same.
func TestDaemonFailure(t *testing.T) {
	s := newSite(t)
	s.write("missions/fails.reqon", `mission Fails {
  schedule: every 1 second
  action Check { abort "out of paper" }
}
`)
	p := s.daemon()
	p.waitCount(2, `^\[.*\] \[ERROR\] Fails: Failed \(0\.\ds\): out of paper`)
	p.stop()
}

// TestDaemonOnce holds --once: each mission that has a schedule, once.
func TestDaemonOnce(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.write("missions/daily.reqon", customersMission("Daily", `cron "0 0 * * *"`, a.URL))
	s.write("missions/byhand.reqon", strings.Replace(customersMission("ByHand", "every 1 hour", a.URL), "schedule: every 1 hour", "", 1))
	_, stderr := s.reqon(0, "./missions/", "--once")
	if n := a.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	if !strings.Contains(stderr, "[INFO] ByHand: No schedule; it is not run by --once\n") || !strings.Contains(stderr, "[INFO] Daily: Completed") {
		t.Errorf("the log is\n%s", stderr)
	}
	s.write("missions/fails.reqon", `mission Fails { schedule: every 1 hour action Check { abort "out of paper" } }`)
	s.reqon(1, "./missions/", "--once")
	s.write("missions/fails.reqon", `mission Fails { schedule: every 1 hour action Check { frobnicate } }`)
	s.reqon(2, "./missions/", "--once")
}

// TestDaemonDryRun holds that a daemon can be tried out: no request, no state.
func TestDaemonDryRun(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 1 second", a.URL))
	p := s.daemon("--dry-run")
	p.waitLog(`\[INFO\] SyncOrders: Would send GET ` + regexp.QuoteMeta(a.URL) + `/customers`)
	p.waitLog(`SyncOrders: Completed`)
	p.stop()
	if n := a.requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	if s.exists(".reqon-data") {
		t.Error("there is a state folder")
	}
}

// TestDaemonNotify is the daemon under systemd's Type=notify-reload: what it
// sends to NOTIFY_SOCKET.
func TestDaemonNotify(t *testing.T) {
	s := newSite(t)
	// The path of a socket is short; a test's folder need not be.
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.env = append(s.env, "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=400000")
	s.write("missions/health.reqon", guideHealth)
	p := s.daemon()
	expect := func(re string) {
		t.Helper()
		b := make([]byte, 4096)
		if err := l.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		for {
			n, err := l.Read(b)
			if err != nil {
				t.Fatalf("waiting for %s: %v\n%s", re, err, p.text())
			}
			if regexp.MustCompile(re).Match(b[:n]) {
				return
			}
		}
	}
	expect(`^READY=1\nSTATUS=1 mission loaded$`)
	expect(`^WATCHDOG=1$`)
	expect(`^WATCHDOG=1$`)
	p.signal(syscall.SIGHUP)
	expect(`^RELOADING=1\nMONOTONIC_USEC=\d+$`)
	expect(`^READY=1\n`)
	p.signal(syscall.SIGTERM)
	expect(`^STOPPING=1\n`)
	p.exit(0)
}

// TestDaemonKilledAnywhere kills daemons at moments that nobody chose. The store
// can be read whenever one is dead, no due time has been run twice, and no
// record is there twice.
func TestDaemonKilledAnywhere(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	for i := range 8 {
		name := fmt.Sprintf("Mission%d", i)
		s.write("missions/"+name+".reqon", customersMission(name, "every 1 second", a.URL))
	}
	seed := time.Now().UnixNano()
	random := rand.New(rand.NewPCG(0, uint64(seed)))
	for range 4 {
		p := s.daemon()
		p.waitLog("Starting run")
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		p.signal(syscall.SIGKILL)
		<-p.ended
		if s.exists(".reqon-data/customers.json") && len(s.records("customers")) > 2 {
			t.Errorf("seed %d: the store holds %v", seed, s.records("customers"))
		}
	}
	p := s.daemon()
	p.waitCount(8, "Completed")
	p.stop()
	if p.count("ERROR") > 0 {
		t.Errorf("seed %d: the log is\n%s", seed, p.text())
	}
	if len(s.records("customers")) != 2 {
		t.Errorf("seed %d: the store holds %v", seed, s.records("customers"))
	}
	seen := map[string]bool{}
	for _, r := range s.history() {
		due := r.Mission + r.Due.String()
		if seen[due] || r.Status != "success" && r.Status != "interrupted" {
			t.Errorf("seed %d: %+v; each due time is to be run once", seed, r)
		}
		seen[due] = true
	}
}

// TestDaemonEnvironment holds what the environment says to a daemon, and what a
// run that the schedule started sees of it.
func TestDaemonEnvironment(t *testing.T) {
	s := newSite(t)
	s.write("missions/a.reqon", `mission Scheduled {
  schedule: every 1 second
  action Check { store { id: "seen", scheduled: env("REQON_SCHEDULED", "no") } -> seen }
}
`)
	s.write(".env", "REQON_STATE_DIR=from-env\n")
	s.reqon(0, "./missions/")
	read := func() string {
		t.Helper()
		_, text, _ := strings.Cut(s.read("from-env/seen.json"), `"scheduled":`)
		return strings.Trim(text, " \n}")
	}
	if got := read(); got != `"no"` {
		t.Errorf("a run by hand sees %s", got)
	}
	p := s.daemon()
	p.waitLog("Scheduled: Completed")
	p.stop()
	if got := read(); got != `"true"` {
		t.Errorf("a run of the schedule sees %s", got)
	}
	s.env = append(s.env, "REQON_DRY_RUN=true", "REQON_STATE_DIR=other")
	p = s.daemon()
	p.waitLog("Scheduled: Completed")
	p.stop()
	if s.exists("other") {
		t.Error("a dry run has made a state folder")
	}
}
