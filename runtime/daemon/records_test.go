package daemon

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reqon/runtime/state"
)

func TestRecords(t *testing.T) {
	w := newWorld(t)
	dir := w.cfg.Engine.StateDir
	for i := range 5 {
		w.record("B", state.TriggerAdhoc, time.Time{}, start.Add(time.Duration(i-100)*24*time.Hour), state.StatusSuccess)
	}
	w.record("A", state.TriggerAdhoc, time.Time{}, start.Add(-time.Hour), state.StatusFailure)

	runs, err := Status(dir, "")
	if err != nil || len(runs) != 2 || runs[0].Mission != "A" || !runs[1].Start.Equal(start.Add(-96*24*time.Hour)) {
		t.Errorf("%v %+v", err, runs)
	}
	if runs, err := Status(dir, "B"); err != nil || len(runs) != 1 {
		t.Errorf("%v %+v", err, runs)
	}
	if _, err := Status(dir, "C"); !isConfig(err) || !strings.Contains(err.Error(), "no run of a mission named C") {
		t.Errorf("%v", err)
	}
	if runs, err := History(dir, "", 3); err != nil || len(runs) != 3 || runs[0].Mission != "A" || !runs[1].Start.Equal(start.Add(-96*24*time.Hour)) {
		t.Errorf("%v %+v", err, runs)
	}
	if _, err := History(dir, "", 0); !isConfig(err) {
		t.Errorf("%v", err)
	}
	if n, err := Cleanup(dir, "98d", start); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	if n, err := Cleanup(dir, "1d", start); err != nil || n != 2 {
		t.Errorf("%d %v; the newest stays", n, err)
	}
	for _, age := range []string{"", "30", "soon", "-5d", "9999999d", "1e300d"} {
		if _, err := Cleanup(dir, age, start); !isConfig(err) || !strings.Contains(err.Error(), "--older-than") {
			t.Errorf("%q: %v", age, err)
		}
	}
	if _, err := Status(filepath.Join(dir, "nowhere"), ""); !isConfig(err) || !strings.Contains(err.Error(), "holds no state") {
		t.Errorf("%v", err)
	}
}

func TestCheckHealth(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	for _, path := range []string{"/health", "", "/health/ready"} {
		if status, err := CheckHealth(context.Background(), "http://"+w.health+path); err != nil || status != "ok" {
			t.Errorf("%s: %s %v", path, status, err)
		}
	}
	if _, err := CheckHealth(context.Background(), "http://"+w.health+"/nothing"); err == nil {
		t.Error("a page that is not there is taken")
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		writeStatus(rw, http.StatusServiceUnavailable, "stopping")
	}))
	defer server.Close()
	if _, err := CheckHealth(context.Background(), server.URL); err == nil || err.Error() != "the daemon is not ready: stopping (503 Service Unavailable)" {
		t.Errorf("%v", err)
	}
	server.Close()
	if _, err := CheckHealth(context.Background(), server.URL); err == nil || !strings.HasPrefix(err.Error(), "no daemon answers: ") {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"", "localhost:8080", "ftp://x", "http://", "%"} {
		if _, err := CheckHealth(context.Background(), bad); !isConfig(err) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
