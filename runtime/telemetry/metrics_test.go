package telemetry

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func written(t testing.TB, m *Metrics) string {
	t.Helper()
	var b bytes.Buffer
	n, err := m.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo: %d, %v; wrote %d", n, err, b.Len())
	}
	return b.String()
}

// own returns what is Reqon's in the text.
func own(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), "reqon_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// samples returns the lines of values that start with prefix.
func samples(text, prefix string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func check(t *testing.T, m *Metrics, prefix, want string) {
	t.Helper()
	if got := samples(written(t, m), prefix); got != want {
		t.Errorf("%s: got\n%swant\n%s", prefix, got, want)
	}
}

// The metrics that the definition of operations lists, and the guide's HELP.
func TestFamilies(t *testing.T) {
	m := busy()
	m.SetLastSuccess("A", time.Now())
	m.SetNextRun("A", time.Now())
	text := written(t, m)
	for name, kind := range map[string]string{
		"reqon_mission_runs_total": "counter", "reqon_mission_duration_seconds": "summary", "reqon_mission_running": "gauge",
		"reqon_mission_last_success_timestamp_seconds": "gauge", "reqon_mission_next_run_timestamp_seconds": "gauge",
		"reqon_missions_loaded": "gauge", "reqon_missions_failed_to_load": "gauge", "reqon_http_requests_total": "counter",
		"reqon_http_request_duration_seconds": "summary", "reqon_http_retries_total": "counter",
		"reqon_rate_limit_wait_seconds_total": "counter", "reqon_circuit_breaker_state": "gauge",
		"reqon_records_stored_total": "counter", "reqon_records_failed_total": "counter",
		"reqon_mission_last_run_status": "gauge", "reqon_mission_overdue_timestamp_seconds": "gauge",
		"reqon_items_skipped_total": "counter", "reqon_items_queued_total": "counter", "reqon_fetches_cut_short_total": "counter",
		"reqon_next_pages_left_total": "counter", "reqon_sync_positions_held_total": "counter",
		"reqon_validation_warnings_total": "counter", "reqon_credentials_redacted_total": "counter",
		"go_goroutines": "gauge", "go_gc_duration_seconds": "summary", "process_start_time_seconds": "gauge",
		"process_resident_memory_bytes": "gauge", "process_cpu_seconds_total": "counter", "process_open_fds": "gauge",
	} {
		head := regexp.MustCompile(`(?m)^# HELP ` + name + ` \S.*\n# TYPE ` + name + ` ` + kind + `$`)
		if n := len(head.FindAllString(text, -1)); n != 1 {
			t.Errorf("%s (%s): %d heads, want 1", name, kind, n)
		}
	}
	for _, help := range []string{"# HELP reqon_mission_runs_total Total mission runs\n", "# HELP reqon_mission_duration_seconds Mission run duration\n"} {
		if !strings.Contains(text, help) {
			t.Errorf("%q is missing", help)
		}
	}
	text = written(t, NewMetrics())
	if strings.Contains(text, "reqon_http") || strings.Contains(text, "reqon_circuit") {
		t.Error("what nothing feeds is there")
	}
	if got, want := samples(text, "reqon_"), "reqon_missions_loaded 0\nreqon_missions_failed_to_load 0\n"; got != want {
		t.Errorf("before any mission: got\n%swant\n%s", got, want)
	}
}

func TestMissionMetrics(t *testing.T) {
	m := NewMetrics()
	m.MissionLoaded("A")
	check(t, m, "reqon_mission_", `reqon_mission_runs_total{mission="A",status="failure"} 0
reqon_mission_runs_total{mission="A",status="incomplete"} 0
reqon_mission_runs_total{mission="A",status="success"} 0
reqon_mission_running{mission="A"} 0
reqon_mission_last_run_status{mission="A",status="failure"} 0
reqon_mission_last_run_status{mission="A",status="incomplete"} 0
reqon_mission_last_run_status{mission="A",status="success"} 0
`)
	m.RunFinished("A", RunSuccess, 2)
	m.RunFinished("A", RunSuccess, 2)
	m.RunFinished("A", RunFailure, 2)
	m.RunFinished("A", RunIncomplete, 2)
	m.SetLastRun("A", RunFailure)
	m.SetLastRun("A", RunIncomplete)
	m.SetOverdue("A", time.Date(2026, 1, 20, 9, 45, 0, 0, time.UTC))
	m.SetRunning("A", 1)
	m.SetLastSuccess("A", time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC))
	m.SetNextRun("A", time.Date(2026, 1, 20, 9, 15, 0, 500e6, time.UTC))
	m.MissionLoaded("A") // a reload must not count from zero again
	m.Failed("A", 3)
	m.Failed("A", -3)
	m.Stored("A", "orders", "inserted", 10)
	m.Stored("A", "orders", "updated", 5)
	m.Stored("A", "orders", "inserted", 1)
	m.Stored("A", "orders", "unchanged", 0)
	for c := range numCounts {
		m.Count("A", c, int(c)+1)
		m.Count("A", c, 0)
	}
	m.SetLoaded(2)
	m.SetFailedToLoad(1)
	m.MissionLoaded("AB")
	want := `reqon_mission_runs_total{mission="A",status="failure"} 1
reqon_mission_runs_total{mission="A",status="incomplete"} 1
reqon_mission_runs_total{mission="A",status="success"} 2
reqon_mission_runs_total{mission="AB",status="failure"} 0
reqon_mission_runs_total{mission="AB",status="incomplete"} 0
reqon_mission_runs_total{mission="AB",status="success"} 0
reqon_mission_duration_seconds{mission="A",quantile="0.5"} 2
reqon_mission_duration_seconds{mission="A",quantile="0.9"} 2
reqon_mission_duration_seconds{mission="A",quantile="0.99"} 2
reqon_mission_duration_seconds_sum{mission="A"} 8
reqon_mission_duration_seconds_count{mission="A"} 4
reqon_mission_running{mission="A"} 1
reqon_mission_running{mission="AB"} 0
reqon_mission_last_success_timestamp_seconds{mission="A"} 1768899600
reqon_mission_last_run_status{mission="A",status="failure"} 0
reqon_mission_last_run_status{mission="A",status="incomplete"} 1
reqon_mission_last_run_status{mission="A",status="success"} 0
reqon_mission_last_run_status{mission="AB",status="failure"} 0
reqon_mission_last_run_status{mission="AB",status="incomplete"} 0
reqon_mission_last_run_status{mission="AB",status="success"} 0
reqon_mission_overdue_timestamp_seconds{mission="A"} 1768902300
reqon_mission_next_run_timestamp_seconds{mission="A"} 1.7689005005e+09
reqon_missions_loaded 2
reqon_missions_failed_to_load 1
reqon_records_stored_total{mission="A",store="orders",operation="inserted"} 11
reqon_records_stored_total{mission="A",store="orders",operation="updated"} 5
reqon_records_failed_total{mission="A"} 3
reqon_records_failed_total{mission="AB"} 0
reqon_items_skipped_total{mission="A"} 1
reqon_items_skipped_total{mission="AB"} 0
reqon_items_queued_total{mission="A"} 2
reqon_items_queued_total{mission="AB"} 0
reqon_fetches_cut_short_total{mission="A"} 3
reqon_fetches_cut_short_total{mission="AB"} 0
reqon_next_pages_left_total{mission="A"} 4
reqon_next_pages_left_total{mission="AB"} 0
reqon_sync_positions_held_total{mission="A"} 5
reqon_sync_positions_held_total{mission="AB"} 0
reqon_validation_warnings_total{mission="A"} 6
reqon_validation_warnings_total{mission="AB"} 0
reqon_credentials_redacted_total{mission="A"} 7
reqon_credentials_redacted_total{mission="AB"} 0
`
	check(t, m, "reqon_", want)

	m.SetLastRun("A", "")
	check(t, m, "reqon_mission_last_run", `reqon_mission_last_run_status{mission="A",status="failure"} 0
reqon_mission_last_run_status{mission="A",status="incomplete"} 0
reqon_mission_last_run_status{mission="A",status="success"} 0
reqon_mission_last_run_status{mission="AB",status="failure"} 0
reqon_mission_last_run_status{mission="AB",status="incomplete"} 0
reqon_mission_last_run_status{mission="AB",status="success"} 0
`)
	m.SetOverdue("A", time.Time{})
	check(t, m, "reqon_mission_overdue", "")
	m.SetNextRun("A", time.Time{}) // an `at` that is over
	check(t, m, "reqon_mission_next", "")

	m.MissionUnloaded("A")
	m.MissionUnloaded("never loaded")
	check(t, m, "reqon_", `reqon_mission_runs_total{mission="AB",status="failure"} 0
reqon_mission_runs_total{mission="AB",status="incomplete"} 0
reqon_mission_runs_total{mission="AB",status="success"} 0
reqon_mission_running{mission="AB"} 0
reqon_mission_last_run_status{mission="AB",status="failure"} 0
reqon_mission_last_run_status{mission="AB",status="incomplete"} 0
reqon_mission_last_run_status{mission="AB",status="success"} 0
reqon_missions_loaded 2
reqon_missions_failed_to_load 1
reqon_records_failed_total{mission="AB"} 0
reqon_items_skipped_total{mission="AB"} 0
reqon_items_queued_total{mission="AB"} 0
reqon_fetches_cut_short_total{mission="AB"} 0
reqon_next_pages_left_total{mission="AB"} 0
reqon_sync_positions_held_total{mission="AB"} 0
reqon_validation_warnings_total{mission="AB"} 0
reqon_credentials_redacted_total{mission="AB"} 0
`)
	m.MissionLoaded("A") // and back again
	m.RunFinished("A", RunSuccess, 3)
	check(t, m, `reqon_mission_duration_seconds_sum`, "reqon_mission_duration_seconds_sum{mission=\"A\"} 3\n")
}

func TestSourceMetrics(t *testing.T) {
	m := NewMetrics()
	m.Request("API", "GET", 200, 0.25)
	m.Request("API", "GET", 200, 0.25)
	m.Request("API", "POST", 0, 0.5)
	m.Retry("API", "timeout")
	m.RateLimitWait("API", 1.5)
	m.RateLimitWait("API", -1)
	m.RateLimitWait("API", 0.25)
	m.BreakerState("API", BreakerOpen)
	m.BreakerState("Other", BreakerHalfOpen)
	m.MissionUnloaded("API") // a mission of that name is not the source
	check(t, m, "reqon_http_requests", `reqon_http_requests_total{source="API",method="GET",status="200"} 2
reqon_http_requests_total{source="API",method="POST",status="0"} 1
`)
	check(t, m, "reqon_http_request_duration_seconds_", `reqon_http_request_duration_seconds_sum{source="API"} 1
reqon_http_request_duration_seconds_count{source="API"} 3
`)
	check(t, m, "reqon_http_retries", "reqon_http_retries_total{source=\"API\",reason=\"timeout\"} 1\n")
	check(t, m, "reqon_rate", "reqon_rate_limit_wait_seconds_total{source=\"API\"} 1.75\n")
	check(t, m, "reqon_circuit", "reqon_circuit_breaker_state{source=\"API\"} 2\nreqon_circuit_breaker_state{source=\"Other\"} 1\n")
}

func TestQuantiles(t *testing.T) {
	m := NewMetrics()
	for i := 1; i <= 101; i++ { // 1 s to 101 s: the median is 51 s
		m.RunFinished("A", RunSuccess, float64(i))
	}
	for _, want := range []string{`quantile="0.5"} 51`, `quantile="0.9"} 91`, `quantile="0.99"} 100`} {
		if got := samples(written(t, m), "reqon_mission_duration_seconds{"); !strings.Contains(got, want+"\n") {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
}

func TestLabelsAreEscaped(t *testing.T) {
	m := NewMetrics()
	m.Stored("a\\b\"c\nd", `}`, "{x=\"1\"} 5\nfake 1", 1)
	m.Stored("\xff", "ü", "", 1)
	check(t, m, "reqon_records_stored", `reqon_records_stored_total{mission="a\\b\"c\nd",store="}",operation="{x=\"1\"} 5\nfake 1"} 1
reqon_records_stored_total{mission="`+"\uFFFD"+`",store="ü",operation=""} 1
`)
}

func TestNilMetrics(t *testing.T) {
	var m *Metrics
	m.MissionLoaded("A")
	m.MissionUnloaded("A")
	m.RunFinished("A", RunSuccess, 1)
	m.SetLastRun("A", RunFailure)
	m.SetLastRun("A", RunIncomplete)
	m.SetOverdue("A", time.Date(2026, 1, 20, 9, 45, 0, 0, time.UTC))
	m.SetRunning("A", 1)
	m.SetLastSuccess("A", time.Unix(1, 0))
	m.SetNextRun("A", time.Unix(1, 0))
	m.SetLoaded(1)
	m.SetFailedToLoad(1)
	m.Request("S", "GET", 200, 1)
	m.Retry("S", "503")
	m.RateLimitWait("S", 1)
	m.BreakerState("S", BreakerOpen)
	m.Stored("A", "s", "inserted", 1)
	m.Failed("A", 1)
	if text := written(t, m); own(text) != "" || !strings.Contains(text, "go_goroutines ") {
		t.Errorf("a nil Metrics writes %s", text)
	}
}

func TestServeHTTP(t *testing.T) {
	server := httptest.NewServer(NewMetrics())
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	if !strings.Contains(b.String(), "reqon_missions_loaded 0\n") {
		t.Errorf("body is %s", &b)
	}
}

func TestMetricsSideBySide(t *testing.T) {
	m := NewMetrics()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 100 {
				mission := fmt.Sprint("M", (i+j)%5)
				m.MissionLoaded(mission)
				m.RunFinished(mission, RunSuccess, 1)
				m.Request("S", "GET", 200+j%3, 1)
				if j%10 == 0 {
					m.MissionUnloaded(fmt.Sprint("M", j%5))
					written(t, m)
				}
			}
		})
	}
	wg.Wait()
	check(t, m, "reqon_http_request_duration_seconds_count", "reqon_http_request_duration_seconds_count{source=\"S\"} 800\n")
}

// busy returns metrics with something in every family.
func busy() *Metrics {
	m := NewMetrics()
	for _, mission := range []string{"SyncCustomers", "SyncOrders", "odd \"name\"\n\\"} {
		m.MissionLoaded(mission)
		m.RunFinished(mission, RunSuccess, 2.1)
		m.RunFinished(mission, RunFailure, 0.3)
		m.RunFinished(mission, RunIncomplete, 1)
		m.SetLastRun(mission, RunIncomplete)
		m.SetOverdue(mission, time.Now())
		for c := range numCounts {
			m.Count(mission, c, 3)
		}
		m.SetRunning(mission, 1)
		m.SetLastSuccess(mission, time.Unix(1768899600, 0))
		m.SetNextRun(mission, time.Unix(1768899660, 123456789))
		m.Stored(mission, "orders", "inserted", 1e9)
		m.Failed(mission, 1)
	}
	m.SetLoaded(3)
	m.SetFailedToLoad(1)
	for _, source := range []string{"API", "Other"} {
		m.Request(source, "GET", 200, 0.123)
		m.Request(source, "POST", 0, 30)
		m.Retry(source, "503")
		m.RateLimitWait(source, 12345678.9)
		m.BreakerState(source, BreakerHalfOpen)
	}
	return m
}

func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (it comes with Prometheus)")
	}
	return path
}

func TestPromtoolAccepts(t *testing.T) {
	tool := promtool(t)
	for name, m := range map[string]*Metrics{"empty": NewMetrics(), "busy": busy(), "nil": nil} {
		cmd := exec.Command(tool, "check", "metrics")
		cmd.Stdin = strings.NewReader(written(t, m))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// The guide's alert rule, on the series as they are written. Each run fails, one
// every 5 s, from the first minute on: 0.2 a second.
func TestAlertCanFire(t *testing.T) {
	tool := promtool(t)
	m := NewMetrics()
	m.MissionLoaded("SyncOrders")
	line := samples(written(t, m), `reqon_mission_runs_total{mission="SyncOrders",status="failure"}`)
	series, start, ok := strings.Cut(strings.TrimSpace(line), " ")
	if !ok || start != "0" {
		t.Fatalf("the series starts as %q", line)
	}
	dir := t.TempDir()
	rules := `groups:
  - name: reqon
    rules:
      - alert: ReqonMissionFailing
        expr: rate(reqon_mission_runs_total{status="failure"}[5m]) > 0.1
        for: 10m
        labels:
          severity: warning
        annotations:
          summary: "Mission {{ $labels.mission }} is failing"
`
	test := `rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: '` + series + `'
        values: '` + start + `+12x30'
    alert_rule_test:
      - eval_time: 5m
        alertname: ReqonMissionFailing
      - eval_time: 20m
        alertname: ReqonMissionFailing
        exp_alerts:
          - exp_labels: {severity: warning, mission: SyncOrders, status: failure}
            exp_annotations: {summary: "Mission SyncOrders is failing"}
`
	for name, text := range map[string]string{"rules.yml": rules, "test.yml": test} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(tool, "test", "rules", "test.yml")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func FuzzLabels(f *testing.F) {
	for _, s := range []string{"", "plain", `\`, `"`, "\n", `\"`, "\xff", `{a="b"}`, `x",y="z`, "\\\\\""} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		m := NewMetrics()
		m.Stored(a, b, c, 7)
		got := samples(own(written(t, m)), "reqon_records_stored_total{")
		line := regexp.MustCompile(`^reqon_records_stored_total\{mission="((?:[^"\\\n]|\\[\\"n])*)",store="((?:[^"\\\n]|\\[\\"n])*)",operation="((?:[^"\\\n]|\\[\\"n])*)"\} 7\n$`)
		parts := line.FindStringSubmatch(got)
		if parts == nil {
			t.Fatalf("labels %q, %q, %q give %q", a, b, c, got)
		}
		plain := strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")
		for i, want := range []string{a, b, c} {
			if value := plain.Replace(parts[i+1]); value != strings.ToValidUTF8(want, "\uFFFD") {
				t.Errorf("label %d is %q, want %q", i, value, want)
			}
		}
	})
}

func BenchmarkRequest(b *testing.B) {
	m := NewMetrics()
	b.ReportAllocs()
	for b.Loop() {
		m.Request("API", "GET", 200, 0.1)
	}
}

func BenchmarkWriteTo(b *testing.B) {
	m := NewMetrics()
	for i := range 1000 {
		mission := fmt.Sprint("M", i)
		m.MissionLoaded(mission)
		m.RunFinished(mission, RunSuccess, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		written(b, m)
	}
}
