package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/runtime/state"
)

// TestSignalFilter: a signal that comes again within 200 ms is the one before.
func TestSignalFilter(t *testing.T) {
	var f SignalFilter
	for _, tt := range []struct {
		sig    os.Signal
		at     time.Duration
		repeat bool
	}{
		{syscall.SIGTERM, 0, false},
		{syscall.SIGTERM, 0, true},
		{syscall.SIGINT, 0, false},
		{syscall.SIGTERM, 199 * time.Millisecond, true},
		{syscall.SIGTERM, 200 * time.Millisecond, false},
		{syscall.SIGTERM, 399 * time.Millisecond, true},
		{syscall.SIGTERM, 400 * time.Millisecond, false},
		{syscall.SIGINT, 500 * time.Millisecond, false},
		{syscall.SIGINT, 100 * time.Millisecond, false}, // the clock was set back
	} {
		if got := f.Repeats(tt.sig, start.Add(tt.at)); got != tt.repeat {
			t.Errorf("%s after %s: %t", tt.sig, tt.at, got)
		}
	}
}

// hang makes the reading of a mission file wait until the function returned is
// called, and then be what then gives; nil for what is there.
func (w *world) hang(name string, then error) (release func()) {
	gate := make(chan struct{})
	w.cfg.readFile = func(path string) ([]byte, error) {
		if filepath.Base(path) == name {
			if <-gate; then != nil {
				return nil, then
			}
		}
		return compiler.ReadFile(path)
	}
	return func() { close(gate) }
}

// becomes moves the clock by check intervals until /health has a status.
func (w *world) becomes(want string) {
	w.t.Helper()
	w.until("/health is "+want, func() bool {
		_, body := w.get("/health")
		return strings.HasPrefix(string(body), `{"status":"`+want+`",`)
	})
}

// freePort gives an address that nobody listens at.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestSignalsWhileLoading: a daemon that has not loaded its missions, and never
// will, answers /health, takes SIGHUP without ending and stops at SIGTERM.
func TestSignalsWhileLoading(t *testing.T) {
	w := newWorld(t)
	w.cfg.HealthAddr = freePort(t)
	defer w.hang("a.reqon", io.ErrUnexpectedEOF)()
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	reopened := make(chan struct{}, 1)
	w.cfg.ReopenLog = func() error { reopened <- struct{}{}; return nil }
	w.signals, w.ended = make(chan os.Signal, 8), make(chan error, 1)
	cfg := w.cfg
	cfg.Signals = w.signals
	go func() { w.ended <- Run(context.Background(), cfg) }()
	w.await("the daemon answers", func() bool {
		resp, err := http.Get("http://" + cfg.HealthAddr + "/health")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		var h Health
		return err == nil && json.Unmarshal(body, &h) == nil && h.Status == "starting" && resp.StatusCode == 503
	})
	w.signals <- syscall.SIGHUP
	select {
	case <-reopened:
	case <-time.After(patience):
		t.Fatal("SIGHUP is not seen")
	}
	w.signals <- syscall.SIGTERM
	if err := w.end(); err != nil {
		t.Error(err)
	}
	w.inOrder("Stopping before the missions were loaded", "Stopped")
}

// TestOnceWhileLoading is the same for --once.
func TestOnceWhileLoading(t *testing.T) {
	w := newWorld(t)
	defer w.hang("a.reqon", io.ErrUnexpectedEOF)()
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.signals, w.ended = make(chan os.Signal, 8), make(chan error, 1)
	cfg := w.cfg
	cfg.Signals = w.signals
	go func() { w.ended <- Once(context.Background(), cfg) }()
	w.signals <- syscall.SIGINT
	if err := w.end(); !errors.Is(err, errNoneRun) {
		t.Error(err)
	}
}

// TestStuckMission: a mission that is never done being read or compiled is told,
// and the others are loaded, run and reloaded. Once it is done it is loaded, too.
func TestStuckMission(t *testing.T) {
	w := newWorld(t)
	release := w.hang("stuck.reqon", nil)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("stuck.reqon", syncMission("Stuck", "every 1 hour"))
	stop := make(chan struct{})
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				w.clock.Advance(time.Second)
			}
		}
	}()
	w.run()
	close(stop)
	<-moved
	w.becomes("degraded")
	_, body := w.get("/health")
	if !strings.Contains(string(body), "stuck.reqon has been read and compiled since 09:0") || !strings.Contains(string(body), "the other missions go on without it") {
		t.Errorf("%s", body)
	}
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.looks(1, "B: Loaded")
	w.write("a.reqon", syncMission("A", "every 2 hours"))
	w.looks(1, "A: Reloaded")
	w.signals <- syscall.SIGHUP
	w.sees(1, "Reloading")
	if n, _ := w.log.count("is not done"); n != 1 {
		t.Errorf("it is told %d times", n)
	}
	release()
	w.looks(1, "Stuck: Loaded")
	w.becomes("ok")
}

// TestStuckLook: /health says that a look at the files does not end.
func TestStuckLook(t *testing.T) {
	w := newWorld(t)
	if err := w.cfg.complete(); err != nil {
		t.Fatal(err)
	}
	d, err := open(context.Background(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for _, tt := range []struct {
		phase  phase
		status string
	}{{phaseLoading, "starting"}, {phaseServing, "degraded"}} {
		d.phase, d.looking, d.lookedAt = tt.phase, true, d.cfg.now()
		if h, _ := d.health(); len(h.Problems) > 0 {
			t.Errorf("at once: %+v", h)
		}
		w.clock.Advance(stuck + time.Second)
		h, _ := d.health()
		if h.Status != tt.status || len(h.Problems) != 1 || !strings.Contains(h.Problems[0].Error, "it is not done") {
			t.Errorf("%+v", h)
		}
	}
}

// TestKeepHistory: run records that are too old go at the start and once a day.
func TestKeepHistory(t *testing.T) {
	w := newWorld(t)
	w.cfg.KeepHistory = 90 * 24 * time.Hour
	w.write("a.reqon", syncMission("A", "every 1000 days"))
	for _, days := range []int{91, 100, 89, 1} {
		at := start.Add(-time.Duration(days) * 24 * time.Hour)
		w.record("A", state.TriggerSchedule, at, at, state.StatusSuccess)
	}
	w.run()
	w.looks(1, "Removed 2 run records that were older than --keep-history")
	w.clock.Advance(25 * time.Hour)
	w.looks(1, "Removed 1 run records")
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	if runs := w.runs("A"); len(runs) != 1 {
		t.Errorf("%d are left", len(runs))
	}
}
