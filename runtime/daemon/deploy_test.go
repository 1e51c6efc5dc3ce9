package daemon

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/runtime/telemetry"
)

const root = "../.."

func readRepo(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMetricNames: alerts and the dashboard ask for metrics that there are, and
// that something feeds.
func TestMetricNames(t *testing.T) {
	m := telemetry.NewMetrics()
	m.MissionLoaded("A")
	m.SetNextRun("A", time.Now())
	m.SetLastSuccess("A", time.Now())
	m.SetOverdue("A", time.Now())
	m.Request("API", "GET", 200, 0.1)
	m.Retry("API", "503")
	m.RateLimitWait("API", 1)
	m.BreakerState("API", telemetry.BreakerOpen)
	m.SignIn("API", false)
	m.Stored("A", "records", "inserted", 1)
	var known strings.Builder
	if _, err := m.WriteTo(&known); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\b(reqon|process|go)_[a-z_]+\b`)
	for _, file := range []string{"deploy/prometheus-alerts.yml", "deploy/grafana-dashboard.json", "docs/daemon.md"} {
		found := name.FindAllString(readRepo(t, file), -1)
		if len(found) == 0 {
			t.Errorf("%s names no metric", file)
		}
		for _, n := range found {
			if !strings.Contains(known.String(), "# TYPE "+n+" ") {
				t.Errorf("%s asks for %s, which there is not", file, n)
			}
		}
	}
	if !json.Valid([]byte(readRepo(t, "deploy/grafana-dashboard.json"))) {
		t.Error("the dashboard is no JSON")
	}
}

// TestAlerts: "alerts that fire": the rules are sound, promtool's tests of them
// pass, and there each fires once at least.
func TestAlerts(t *testing.T) {
	tests := readRepo(t, "deploy/prometheus-alerts.test.yml")
	names := regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllStringSubmatch(readRepo(t, "deploy/prometheus-alerts.yml"), -1)
	if len(names) < 10 {
		t.Errorf("%d alerts", len(names))
	}
	for _, n := range names {
		if !strings.Contains(tests, "alertname: "+n[1]+"\n        exp_alerts:") {
			t.Errorf("%s fires in no test", n[1])
		}
	}
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (it comes with Prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "prometheus-alerts.yml"}, {"test", "rules", "prometheus-alerts.test.yml"}} {
		cmd := exec.Command(tool, args...)
		cmd.Dir = filepath.Join(root, "deploy")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestGuideExamples: every mission of the user guide compiles.
func TestGuideExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```reqon\n(.*?)```").FindAllStringSubmatch(readRepo(t, "docs/daemon.md"), -1)
	if len(blocks) < 2 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		name := filepath.Join(t.TempDir(), "example.reqon")
		if err := os.WriteFile(name, []byte(b[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := compiler.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Diagnostics {
			if d.Severity != diag.Info {
				t.Errorf("%s\n%s", d.Message, b[1])
			}
		}
	}
}
