package daemon

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestGuide runs the daemon as the user guide shows it, and compares its log.
func TestGuide(t *testing.T) {
	w := newWorld(t)
	w.write("a-customers.reqon", syncMission("SyncCustomers", "every 15 minutes"))
	w.write("b-orders.reqon", syncMission("SyncOrders", "every 5 minutes"))
	w.write("c-report.reqon", syncMission("DailyReport", `cron "0 0 * * *"`))
	release := w.api.hold("/SyncOrders")
	w.run()

	code, body := w.get("/health")
	if code != 200 || !strings.HasPrefix(string(body), `{"status":"ok","uptime":0,"missionsLoaded":3,"missions":[`) {
		t.Errorf("/health: %d %s", code, body)
	}
	w.clock.Advance(5 * time.Minute)
	w.sees(1, "SyncOrders: Starting run")
	w.requests(1, "/SyncOrders")
	w.clock.Advance(2100 * time.Millisecond)
	release()
	w.sees(1, "SyncOrders: Completed (")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"[2024-01-20 09:00:00] [INFO] Starting Reqon daemon",
		"[2024-01-20 09:00:00] [INFO] Loaded 3 missions",
		"[2024-01-20 09:00:00] [INFO] SyncCustomers: Next run at 09:15:00",
		"[2024-01-20 09:00:00] [INFO] SyncOrders: Next run at 09:05:00",
		"[2024-01-20 09:00:00] [INFO] DailyReport: Next run at 2024-01-21 00:00:00",
		"[2024-01-20 09:05:00] [INFO] SyncOrders: Starting run",
		"[2024-01-20 09:05:02] [INFO] SyncOrders: Completed (2.1s)",
	}
	var got []string
	for l := range strings.SplitSeq(w.log.text(), "\n") {
		if strings.Contains(l, "[INFO]") {
			got = append(got, l)
		}
	}
	for i, l := range want {
		if i >= len(got) || !strings.Contains(got[i], l) {
			t.Fatalf("line %d of the log: expected %q; the log:\n%s", i+1, l, strings.Join(got, "\n"))
		}
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("plain.reqon", "mission Plain { action X { log \"x\" } run X }")
	w.cfg.MetricsAddr = w.cfg.HealthAddr
	w.run()
	w.clock.Advance(90 * time.Second)
	_, body := w.get("/health")
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if got["uptime"] != 90.0 || got["missionsLoaded"] != 2.0 || got["status"] != "ok" {
		t.Errorf("/health: %s", body)
	}
	missions := got["missions"].([]any)
	a := missions[0].(map[string]any)
	for key, want := range map[string]any{"name": "A", "schedule": "every 1 hour", "nextRun": "2024-01-20T10:00:00Z", "lastRun": nil, "lastStatus": nil, "running": false} {
		if a[key] != want {
			t.Errorf("%s: got %v, want %v", key, a[key], want)
		}
	}
	w.await("a pass of the loop since the clock was moved", func() bool {
		code, _ := w.get("/health/live")
		return code == 200
	})
	for _, path := range []string{"/health/live", "/health/ready"} {
		if code, body := w.get(path); code != 200 || string(body) != "{\"status\":\"ok\"}\n" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	code, body := w.get("/metrics")
	for _, line := range []string{
		`reqon_missions_loaded 2`, `reqon_missions_failed_to_load 0`,
		`reqon_mission_runs_total{mission="A",status="success"} 0`, `reqon_mission_runs_total{mission="A",status="failure"} 0`,
		`reqon_mission_next_run_timestamp_seconds{mission="A"} 1705744800`,
	} {
		if code != 200 || !strings.Contains(string(body), line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if code, _ := w.get("/other"); code != 404 {
		t.Errorf("/other: %d", code)
	}
}
