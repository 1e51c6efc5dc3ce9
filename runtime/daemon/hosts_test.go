package daemon

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestGuard: a port on loopback answers to addresses, localhost and the names that
// were allowed; one that is open to others answers to every name.
func TestGuard(t *testing.T) {
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, tt := range []struct {
		listen, host string
		code         int
	}{
		{"127.0.0.1", "127.0.0.1:8080", 200},
		{"127.0.0.1", "127.0.0.1", 200},
		{"127.0.0.1", "10.0.0.7:8080", 200},
		{"127.0.0.1", "[::1]:8080", 200},
		{"127.0.0.1", "[::1]", 200},
		{"::1", "[fe80::1%25eth0]:80", 200},
		{"127.0.0.1", "localhost:8080", 200},
		{"127.0.0.1", "LocalHost.", 200},
		{"127.0.0.1", "", 200},
		{"127.0.0.1", "reqon.internal:8080", 200},
		{"127.0.0.1", "Reqon.Internal", 200},
		{"127.0.0.1", "attacker.example:8080", 421},
		{"127.0.0.1", "127.0.0.1.attacker.example", 421},
		{"127.0.0.1", "localhost.attacker.example", 421},
		{"127.0.0.1", "reqon.internal.attacker.example", 421},
		{"127.0.0.1", "127.1", 421},
		{"127.0.0.1", strings.Repeat("x", 5000), 421},
		{"127.0.0.2", "attacker.example", 421},
		{"::1", "attacker.example", 421},
		{"0.0.0.0", "attacker.example", 200},
		{"192.168.1.5", "attacker.example", 200},
		{"::", "attacker.example", 200},
	} {
		h := guard(ok, &net.TCPAddr{IP: net.ParseIP(tt.listen)}, []string{"reqon.internal", "other"})
		r := httptest.NewRequest("GET", "/health", nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.code || w.Code == 421 && !strings.Contains(w.Body.String(), "--allow-host") || w.Body.Len() > 500 {
			t.Errorf("at %s, asked as %.60s: %d %.200s", tt.listen, tt.host, w.Code, w.Body)
		}
	}
}

// TestGuardServes: the daemon's ports are guarded.
func TestGuardServes(t *testing.T) {
	w := newWorld(t)
	w.cfg.AllowHosts = []string{"reqon.internal"}
	w.cfg.MetricsAddr = w.cfg.HealthAddr
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	for host, want := range map[string]int{"attacker.example": 421, "reqon.internal:1": 200, "localhost": 200, w.health: 200} {
		for _, path := range []string{"/health", "/health/live", "/health/ready", "/metrics"} {
			r, err := http.NewRequest("GET", "http://"+w.health+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s of %s: %d, want %d", path, host, resp.StatusCode, want)
			}
		}
	}
}
