package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"

	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
)

// patience is how long a test waits for what must happen before it fails. No
// test waits for time to pass: schedules go by a clock that the test moves.
const patience = 20 * time.Second

// start is the time at which the clocks of the tests begin, a Saturday.
var start = time.Date(2024, 1, 20, 9, 0, 0, 0, time.UTC)

// logBook keeps log lines, and lets a test wait for one.
type logBook struct {
	mu    sync.Mutex
	lines []string
	added chan struct{} // closed when a line is added
}

func newLogBook() *logBook { return &logBook{added: make(chan struct{})} }

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, strings.TrimRight(string(p), "\n"))
	close(b.added)
	b.added = make(chan struct{})
	return len(p), nil
}

func (b *logBook) count(part string) (n int, added chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lines {
		if strings.Contains(l, part) {
			n++
		}
	}
	return n, b.added
}

func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}

// api is a server that missions sync from. Each request is counted by path, and
// waits for the gate of its path if there is one.
type api struct {
	*httptest.Server
	mu     sync.Mutex
	hits   map[string]int
	gates  map[string]chan struct{}
	status map[string]int
}

func newAPI(t testing.TB) *api {
	a := &api{hits: map[string]int{}, gates: map[string]chan struct{}{}, status: map[string]int{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.hits[r.URL.Path]++
		gate, status := a.gates[r.URL.Path], a.status[r.URL.Path]
		a.mu.Unlock()
		if gate != nil {
			select {
			case <-gate:
			case <-r.Context().Done():
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if status != 0 {
			w.WriteHeader(status)
		}
		fmt.Fprint(w, `[{"id":"1","name":"Ada"}]`)
	}))
	t.Cleanup(a.Close)
	return a
}

// hold makes requests to path wait until the function returned is called.
func (a *api) hold(path string) (release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	gate := make(chan struct{})
	a.gates[path] = gate
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.gates[path] == gate {
			delete(a.gates, path)
			close(gate)
		}
	}
}

func (a *api) answer(path string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status[path] = status
}

func (a *api) count(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hits[path]
}

// world is what a daemon under test lives in.
type world struct {
	t       testing.TB
	dir     string // of the missions
	cfg     Config
	clock   *clockwork.FakeClock
	log     *logBook
	api     *api
	signals chan os.Signal
	ended   chan error
	health  string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: clockwork.NewFakeClockAt(start), log: newLogBook(), api: newAPI(t)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log:\n%s", w.log.text())
		}
	})
	w.cfg = Config{
		Path: w.dir, HealthAddr: "127.0.0.1:0", Location: time.UTC,
		Engine: engine.Config{StateDir: t.TempDir(), Env: w.env(nil), Redactor: &credentials.Redactor{}},
	}
	w.useClock(w.clock)
	return w
}

// useClock makes a clock the daemon's and the log's.
func (w *world) useClock(c clockwork.Clock) {
	w.cfg.Clock = c
	w.cfg.Engine.Log = telemetry.New(telemetry.Options{Writer: w.log, Level: telemetry.LevelDebug, Now: c.Now, Location: time.UTC})
}

// env is an environment that has the address of the API.
func (w *world) env(more map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "API" {
			return w.api.URL, true
		}
		v, ok := more[name]
		return v, ok
	}
}

// write writes a file of the missions.
func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

// sync is a mission that fetches /name.
func syncMission(name, schedule string, options ...string) string {
	return fmt.Sprintf(`mission %s {
  schedule: %s
  %s
  source API { base: env("API"), retry: { maxAttempts: 1 } }
  store records: file("%s")
  action Sync {
    get "/%s"
    store response -> records { key: .id, upsert: true }
  }
  run Sync
}
`, name, schedule, strings.Join(options, "\n  "), name, name)
}

// run starts the daemon, and returns when it serves.
func (w *world) run() {
	w.t.Helper()
	w.signals = make(chan os.Signal, 8)
	w.ended = make(chan error, 1)
	started := make(chan struct{})
	cfg := w.cfg
	cfg.Signals = w.signals
	cfg.Started = func(health, _ string) {
		w.health = health
		close(started)
	}
	go func() { w.ended <- Run(context.Background(), cfg) }()
	select {
	case <-started:
	case err := <-w.ended:
		w.t.Fatalf("the daemon has ended: %v", err)
	case <-time.After(patience):
		w.t.Fatal("the daemon does not start")
	}
	w.t.Cleanup(func() { w.kill() })
}

// kill ends a daemon that is still there.
func (w *world) kill() {
	if w.ended == nil {
		return
	}
	w.signals <- syscall.SIGTERM
	w.signals <- syscall.SIGINT // of another kind, as the clock may stand still
	select {
	case <-w.ended:
	case <-time.After(patience):
		w.t.Error("the daemon does not end")
	}
	w.ended = nil
}

// stop ends the daemon with one signal, and returns its error.
func (w *world) stop() error {
	w.t.Helper()
	w.signals <- syscall.SIGTERM
	return w.end()
}

// end waits for the end of the daemon.
func (w *world) end() error {
	w.t.Helper()
	select {
	case err := <-w.ended:
		w.ended = nil
		return err
	case <-time.After(patience):
		w.t.Fatal("the daemon does not end")
	}
	return nil
}

// sees waits until a part of a line has been logged n times.
func (w *world) sees(n int, part string) {
	w.t.Helper()
	deadline := time.After(patience)
	for {
		found, added := w.log.count(part)
		if found >= n {
			return
		}
		select {
		case <-added:
		case <-deadline:
			w.t.Fatalf("logged %d times, expected %d: %s", found, n, part)
		}
	}
}

// never checks that no line has the part.
func (w *world) never(part string) {
	w.t.Helper()
	if n, _ := w.log.count(part); n > 0 {
		w.t.Errorf("logged %d times: %s", n, part)
	}
}

// await waits until the condition holds, without the clock.
func (w *world) await(what string, holds func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			w.t.Fatalf("it never came to be: %s", what)
		}
		time.Sleep(time.Millisecond) // lets the daemon work; nothing is timed by it
	}
}

// until moves the clock by check intervals until the condition holds.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	w.await(what, func() bool {
		if holds() {
			return true
		}
		w.clock.Advance(w.interval())
		return false
	})
}

func (w *world) interval() time.Duration {
	if w.cfg.CheckInterval > 0 {
		return w.cfg.CheckInterval
	}
	return DefaultCheckInterval
}

// get asks the daemon over HTTP.
func (w *world) get(path string) (code int, body []byte) {
	w.t.Helper()
	resp, err := http.Get("http://" + w.health + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return resp.StatusCode, []byte(b.String())
		}
	}
}

// mission asks /health about one mission.
func (w *world) mission(name string) (m MissionHealth, ok bool) {
	w.t.Helper()
	_, body := w.get("/health")
	var h Health
	if err := json.Unmarshal(body, &h); err != nil {
		w.t.Fatalf("%v: %s", err, body)
	}
	for _, m := range h.Missions {
		if m.Name == name {
			return m, true
		}
	}
	return MissionHealth{}, false
}

// next checks when the mission runs next; "" for never.
func (w *world) next(name, want string) {
	w.t.Helper()
	m, ok := w.mission(name)
	if !ok {
		w.t.Fatalf("%s is not loaded", name)
	}
	got := ""
	if m.NextRun != nil {
		got = m.NextRun.Format("2006-01-02 15:04:05")
	}
	if got != want {
		w.t.Errorf("%s: next run at %q, expected %q", name, got, want)
	}
}

// state opens the state folder beside the daemon, or without one.
func (w *world) state(do func(db *state.DB)) {
	w.t.Helper()
	db, err := state.Open(w.cfg.Engine.StateDir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			w.t.Error(err)
		}
	}()
	do(db)
}

// record puts a finished run into the state folder.
func (w *world) record(mission string, trigger state.Trigger, due, at time.Time, status state.Status) {
	w.t.Helper()
	w.state(func(db *state.DB) {
		r := &state.Run{Mission: mission, Trigger: trigger, Due: due, Start: at}
		if err := db.BeginRun(r); err != nil {
			w.t.Fatal(err)
		}
		r.Status, r.End = status, at.Add(time.Second)
		if err := db.FinishRun(r, nil); err != nil {
			w.t.Fatal(err)
		}
		if !due.IsZero() {
			if _, err := db.Claim(mission, due, state.ClaimAny); err != nil {
				w.t.Fatal(err)
			}
		}
	})
}

// isConfig tells whether an error leads to exit code 3.
func isConfig(err error) bool {
	var c *engine.ConfigError
	return errors.As(err, &c)
}

// inOrder checks that lines with the parts have been logged in this order.
func (w *world) inOrder(parts ...string) {
	w.t.Helper()
	rest := strings.Split(w.log.text(), "\n")
	for _, part := range parts {
		i := 0
		for ; i < len(rest) && !strings.Contains(rest[i], part); i++ {
		}
		if i == len(rest) {
			w.t.Fatalf("not logged, or too early: %s", part)
		}
		rest = rest[i+1:]
	}
}
