package engine_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/runtime/telemetry"
)

// loadText compiles and loads the missions of a source.
func loadText(t testing.TB, e *engine.Engine, text string) []*engine.Mission {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.reqon")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := compiler.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if result.Failed() {
		t.Fatalf("%v %v", result.Diagnostics, result.Errors)
	}
	var out []*engine.Mission
	for _, m := range result.Missions {
		loaded, err := e.Load(m.Program)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, loaded)
	}
	return out
}

// newEngine opens an engine over a folder of its own.
func newEngine(t testing.TB, cfg engine.Config) *engine.Engine {
	t.Helper()
	if cfg.StateDir == "" {
		cfg.StateDir = t.TempDir()
	}
	e, err := engine.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// crowd is a server that knows how many requests it had at once.
type crowd struct {
	now, most, total atomic.Int64
	hold             time.Duration
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := c.now.Add(1)
	defer c.now.Add(-1)
	for {
		most := c.most.Load()
		if n <= most || c.most.CompareAndSwap(most, n) {
			break
		}
	}
	c.total.Add(1)
	time.Sleep(c.hold)
	fmt.Fprint(w, `{"id":1}`)
}

const crowdMission = `mission %s {
  source %s { base: env("BASE")%s }
  action A { for i in range(20) concurrency 20 { get "/x/{i}" } }
}
`

// Two missions on one API share what the narrower of them says, whatever their
// sources are called, and as long as it is loaded.
func TestMissionsShareOneLimit(t *testing.T) {
	api := &crowd{hold: 2 * time.Millisecond}
	server := httptest.NewServer(api)
	defer server.Close()
	e := newEngine(t, engine.Config{Env: func(name string) (string, bool) { return server.URL, name == "BASE" }})
	text := fmt.Sprintf(crowdMission, "Narrow", "Shop", ", maxInFlight: 3") + fmt.Sprintf(crowdMission, "Wide", "Store", ", maxInFlight: 9") + fmt.Sprintf(crowdMission, "Free", "API", "")
	missions := loadText(t, e, text)
	both := func(list ...*engine.Mission) {
		t.Helper()
		api.most.Store(0)
		var wg sync.WaitGroup
		for _, m := range list {
			wg.Go(func() {
				if report := m.Run(context.Background(), engine.RunOptions{}); report.Err != nil {
					t.Error(report.Err)
				}
			})
		}
		wg.Wait()
	}
	for _, m := range missions {
		if err := m.Ready(nil); err != nil {
			t.Fatal(err)
		}
	}
	both(missions...)
	if n := api.most.Load(); n != 3 {
		t.Errorf("%d requests at once, want 3", n)
	}
	both(missions[2])
	if n := api.most.Load(); n != 3 {
		t.Errorf("%d requests at once while the narrow mission is loaded and not running, want 3", n)
	}
	e.Retain(missions[1:])
	both(missions[1:]...)
	if n := api.most.Load(); n <= 3 || n > 9 {
		t.Errorf("%d requests at once without the narrow mission, want 4 to 9", n)
	}
	if n := api.total.Load(); n != 120 {
		t.Errorf("%d requests, want 120", n)
	}
}

// No goroutine and no connection is left behind when the engine is closed, also
// not by a run that was cancelled in the middle of its requests.
func TestNothingLeftBehind(t *testing.T) {
	api := &crowd{hold: 5 * time.Millisecond}
	server := httptest.NewUnstartedServer(api)
	var open atomic.Int64
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
	server.Start()
	defer server.Close()
	before := runtime.NumGoroutine()
	e := newEngine(t, engine.Config{Env: func(name string) (string, bool) { return server.URL, name == "BASE" }})
	m := loadText(t, e, fmt.Sprintf(crowdMission, "M", "Shop", ", maxInFlight: 4"))[0]
	if report := m.Run(context.Background(), engine.RunOptions{}); report.Err != nil {
		t.Fatal(report.Err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 12*time.Millisecond)
	defer cancel()
	if report := m.Run(ctx, engine.RunOptions{}); report.Err == nil {
		t.Fatal("the second run was not cancelled")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for open.Load() > 0 || runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d connections open, %d goroutines, %d before:\n%s", open.Load(), runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Two missions on one API have one rate limit, over their runs; how long their
// requests waited is in the metric, in the notes of the run, and seen while it
// goes on.
func TestRateLimitOverRuns(t *testing.T) {
	api := &crowd{}
	server := httptest.NewServer(api)
	defer server.Close()
	clock := &fakeClock{now: start}
	metrics := telemetry.NewMetrics()
	var log lockedBuffer
	e := newEngine(t, engine.Config{
		Env: func(name string) (string, bool) { return server.URL, name == "BASE" }, Clock: clock, Metrics: metrics,
		Log: telemetry.New(telemetry.Options{Writer: &log, Level: telemetry.LevelInfo}),
	})
	text := func(name, source string) string {
		return `mission ` + name + ` {
  source ` + source + ` { base: env("BASE"), rateLimit: { requestsPerMinute: 6, maxWait: 20m }, circuitBreaker: {} }
  action A { for i in range(5) { get "/x/{i}" } }
}
`
	}
	missions := loadText(t, e, text("One", "Shop")+text("Two", "Store"))
	var waited []string
	for i := range 4 {
		report := missions[i%2].Run(context.Background(), engine.RunOptions{})
		if report.Err != nil {
			t.Fatal(report.Err)
		}
		waited = append(waited, strings.Join(report.Notes, "; "))
	}
	// 20 requests, one each 10s, of which the first does not wait.
	if d := clock.Now().Sub(start); d < 189*time.Second || d > 192*time.Second {
		t.Errorf("took %v, want 190s", d)
	}
	if waited[0] != "requests waited 40s in all for the limit of Shop" || waited[1] != "requests waited 50s in all for the limit of Store" {
		t.Errorf("notes %q", waited)
	}
	var b strings.Builder
	if _, err := metrics.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`reqon_rate_limit_wait_seconds_total{source="Shop"} 90`, `reqon_rate_limit_wait_seconds_total{source="Store"} 100`,
		`reqon_circuit_breaker_state{source="Shop"} 0`, `reqon_circuit_breaker_state{source="Store"} 0`,
	} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if !strings.Contains(log.String(), "Waiting 10s for the limit of Shop") {
		t.Errorf("log: %s", log.String())
	}
}

// A server that is down does not cost a loop all of its items' attempts, and the
// mission sees why.
func TestBreakerInMission(t *testing.T) {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	metrics := telemetry.NewMetrics()
	e := newEngine(t, engine.Config{Env: func(name string) (string, bool) { return server.URL, name == "BASE" }, Metrics: metrics})
	m := loadText(t, e, `mission M {
  source API { base: env("BASE"), retry: { maxAttempts: 1 }, rateLimit: { maxWait: 0 }, circuitBreaker: { failureThreshold: 4 } }
  store kinds: memory
  action A {
    for i in range(1000) concurrency 1 {
      get "/x/{i}"
      match response { { error: "circuit_open" } -> skip, _ -> skip }
    }
  }
}
`)[0]
	if report := m.Run(context.Background(), engine.RunOptions{}); report.Err != nil {
		t.Fatal(report.Err)
	}
	if n.Load() != 4 {
		t.Errorf("%d requests, want 4", n.Load())
	}
	var b strings.Builder
	if _, err := metrics.WriteTo(&b); err != nil || !strings.Contains(b.String(), `reqon_circuit_breaker_state{source="API"} 2`) {
		t.Error("the metric does not tell that it is open")
	}
}

// What an answer has cost is taken off after the fact, and those that come next
// wait for the debt.
func TestRateLimitCost(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":1,"cost":%s}`, strings.TrimPrefix(r.URL.Path, "/"))
	}))
	defer server.Close()
	run := func(cost string, paths ...string) (time.Duration, error) {
		t.Helper()
		clock := &fakeClock{now: start}
		e := newEngine(t, engine.Config{Env: func(name string) (string, bool) { return server.URL, name == "BASE" }, Clock: clock})
		steps := ""
		for _, p := range paths {
			steps += "get \"/" + p + "\"\n"
		}
		m := loadText(t, e, `mission M {
  source API { base: env("BASE"), rateLimit: { requestsPerSecond: 10, burst: 100, cost: `+cost+`, maxWait: 10m } }
  action A { `+steps+` }
}
`)[0]
		err := m.Run(context.Background(), engine.RunOptions{}).Err
		return clock.Now().Sub(start), err
	}
	for _, tt := range []struct {
		cost  string
		paths []string
		want  time.Duration
	}{
		{"response.cost", []string{"100", "1"}, 100 * time.Millisecond}, // all of the burst, and the next waits for one
		{".cost", []string{"350", "1", "1"}, 25200 * time.Millisecond},  // a debt of 250
		{"response.cost", []string{"null", "0", "1"}, 0},
		{"response.nothing", []string{"100", "1"}, 0},
	} {
		if got, err := run(tt.cost, tt.paths...); err != nil || (got-tt.want).Abs() > 10*time.Millisecond {
			t.Errorf("%s of %v: took %v, %v; want %v", tt.cost, tt.paths, got, err, tt.want)
		}
	}
	for _, path := range []string{"true", "-1"} {
		if _, err := run("response.cost", path); err == nil || !strings.Contains(err.Error(), "rateLimit.cost: it is") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
