package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDaemonHealth is "Status Endpoint": the start of the answer is as the guide
// shows it, and orchestrators have addresses of their own.
func TestDaemonHealth(t *testing.T) {
	s, a, port := newSite(t), newAPI(t), freePort(t)
	s.write("missions/sync-customers.reqon", customersMission("SyncCustomers", "every 15 minutes", a.URL))
	s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 1 second", a.URL))
	s.write("missions/byhand.reqon", strings.Replace(customersMission("ByHand", "S", a.URL), "schedule: S", "", 1))
	p := s.daemon("--health-port", port)
	began := time.Now()
	p.waitLog("SyncOrders: Completed")

	code, body := get(t, port, "/health")
	if code != http.StatusOK || !regexp.MustCompile(`^\{"status":"ok","uptime":\d+,"missionsLoaded":3,"missions":\[\{"name":"ByHand",`).MatchString(body) {
		t.Errorf("/health: %d %s", code, body)
	}
	var health struct {
		Uptime   float64
		Missions []struct {
			Name, Schedule   string
			NextRun, LastRun *time.Time
			LastStatus       *string
			Running          *bool
		}
	}
	if err := json.Unmarshal([]byte(body), &health); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if most := time.Since(began).Seconds() + 2; health.Uptime > most {
		t.Errorf("uptime is %v, want %v seconds at most", health.Uptime, most)
	}
	if len(health.Missions) != 3 {
		t.Fatalf("/health: %s", body)
	}
	for i, m := range health.Missions {
		if m.Running == nil {
			t.Errorf("%s: no word of whether it is running: %s", m.Name, body)
		}
		switch m.Name {
		case "ByHand":
			if m.Schedule != "" || m.NextRun != nil || m.LastRun != nil || m.LastStatus != nil {
				t.Errorf("mission %d: %s", i, body)
			}
		case "SyncCustomers":
			if m.Schedule != "every 15 minutes" || m.NextRun == nil || time.Until(*m.NextRun) < 14*time.Minute || m.LastRun != nil {
				t.Errorf("mission %d: %s", i, body)
			}
		case "SyncOrders":
			if m.Schedule != "every 1 second" || m.NextRun == nil || m.LastRun == nil || m.LastStatus == nil || *m.LastStatus != "success" {
				t.Errorf("mission %d: %s", i, body)
			}
		default:
			t.Errorf("mission %d is %s", i, m.Name)
		}
	}
	for _, path := range []string{"/health/live", "/health/ready"} {
		if code, body := get(t, port, path); code != http.StatusOK || body != "{\"status\":\"ok\"}\n" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	for path, want := range map[string]int{"/": http.StatusNotFound, "/metrics": http.StatusNotFound} {
		if code, _ := get(t, port, path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	for _, url := range []string{"http://localhost:" + port + "/health", "localhost:" + port, "127.0.0.1:" + port + "/health/ready"} {
		if out, _ := s.reqon(0, "health", url); !strings.Contains(out, "ok") {
			t.Errorf("reqon health %s: %s", url, out)
		}
	}
	p.stop()
	s.reqon(1, "health", "localhost:"+port)
}

// TestDaemonPortInUse holds that a port that is taken ends the start, and where
// that is told.
func TestDaemonPortInUse(t *testing.T) {
	s := newSite(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s.write("missions/health.reqon", guideHealth)
	for _, option := range []string{"--health-port", "--metrics-port"} {
		_, stderr := s.reqon(3, "./missions/", "--daemon", option, port)
		if !strings.Contains(stderr, "reqon: "+option+": the port of 127.0.0.1:"+port+" is in use by another program; choose another\n") {
			t.Errorf("%s: %s", option, stderr)
		}
	}
	// Who reads only the log finds it there too, in the log's form.
	s.reqon(3, "./missions/", "--daemon", "--health-port", port, "--log-file", "reqon.log")
	if log := s.read("reqon.log"); !strings.Contains(log, "] [ERROR] --health-port: the port of 127.0.0.1:"+port) {
		t.Errorf("the log file is\n%s", log)
	}
	_, stderr := s.reqon(3, "./missions/", "--daemon", "--health-port", port, "--log-format", "json")
	for _, line := range strings.Split(strings.TrimSpace(stderr), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line that is no JSON: %s", line)
		}
	}
	if !strings.Contains(stderr, `"level":"error","message":"--health-port: the port of 127.0.0.1:`+port) {
		t.Errorf("the log is\n%s", stderr)
	}
}

// TestDaemonListen holds that the ports are those of this computer only, unless
// --listen says otherwise.
func TestDaemonListen(t *testing.T) {
	s := newSite(t)
	s.write("missions/health.reqon", guideHealth)
	for listen, everywhere := range map[string]bool{"": false, "0.0.0.0": true} {
		port := freePort(t)
		args := []string{"--health-port", port}
		if listen != "" {
			args = append(args, "--listen", listen)
		}
		p := s.daemon(args...)
		if code, _ := get(t, port, "/health"); code != http.StatusOK {
			t.Errorf("--listen %q: /health answers %d on loopback", listen, code)
		}
		// All of 127.0.0.0/8 is loopback, and only 127.0.0.1 is the default.
		conn, err := net.DialTimeout("tcp", "127.0.0.2:"+port, time.Second)
		if err == nil {
			conn.Close()
		}
		if (err == nil) != everywhere {
			t.Errorf("--listen %q: another address of the computer: %v", listen, err)
		}
		p.stop()
	}
}

// metricValue gives the value of a series in Prometheus text, "" if it is not there.
func metricValue(text, series string) string {
	for _, line := range strings.Split(text, "\n") {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return value
		}
	}
	return ""
}

// TestDaemonMetrics is "Metrics", at the port of the health endpoint.
func TestDaemonMetrics(t *testing.T) {
	s, a, port := newSite(t), newAPI(t), freePort(t)
	s.write("missions/sync-customers.reqon", customersMission("SyncCustomers", "every 1 second", a.URL))
	s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 1 hour", a.URL))
	s.write("missions/fails.reqon", `mission Fails { schedule: every 1 second action Check { abort "out of paper" } }`)
	s.write("missions/broken.reqon", `mission Broken { schedule: every 1 second action Check { frobnicate } }`)
	p := s.daemon("--health-port", port, "--metrics-port="+port)
	_, start := get(t, port, "/metrics")
	for _, series := range []string{`{mission="SyncOrders",status="success"}`, `{mission="SyncOrders",status="failure"}`} {
		if got := metricValue(start, "reqon_mission_runs_total"+series); got != "0" {
			t.Errorf("at the start, reqon_mission_runs_total%s is %q, want 0", series, got)
		}
	}
	p.waitLog("SyncCustomers: Completed")
	p.waitLog("Fails: Failed")
	var text string
	// A run is counted and told in the log at one time, in no order that matters.
	await(t, func() bool {
		_, text = get(t, port, "/metrics")
		return metricValue(text, `reqon_mission_runs_total{mission="SyncCustomers",status="success"}`) >= "1" &&
			metricValue(text, `reqon_mission_runs_total{mission="Fails",status="failure"}`) >= "1"
	}, func() string { return "runs to be counted:\n" + text })
	for _, line := range []string{
		`# HELP reqon_mission_runs_total Total mission runs`,
		`# TYPE reqon_mission_runs_total counter`,
		`# HELP reqon_mission_duration_seconds Mission run duration`,
		`# TYPE reqon_mission_duration_seconds summary`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") && !strings.HasPrefix(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	for series, want := range map[string]string{
		`reqon_mission_runs_total{mission="SyncCustomers",status="failure"}`:      `^0$`,
		`reqon_mission_duration_seconds{mission="SyncCustomers",quantile="0.5"}`:  `^[\d.e-]+$`,
		`reqon_mission_duration_seconds{mission="SyncCustomers",quantile="0.9"}`:  `^[\d.e-]+$`,
		`reqon_mission_duration_seconds{mission="SyncCustomers",quantile="0.99"}`: `^[\d.e-]+$`,
		`reqon_mission_running{mission="SyncOrders"}`:                             `^0$`,
		`reqon_mission_last_success_timestamp_seconds{mission="SyncCustomers"}`:   `^1\.[\d]+e\+09$`,
		`reqon_mission_next_run_timestamp_seconds{mission="SyncOrders"}`:          `^1\.[\d]+e\+09$`,
		`reqon_missions_loaded`:         `^3$`,
		`reqon_missions_failed_to_load`: `^1$`,
		`reqon_http_requests_total{source="API",method="GET",status="200"}`:                          `^[1-9]$`,
		`reqon_http_request_duration_seconds_count{source="API"}`:                                    `^[1-9]$`,
		`reqon_records_stored_total{mission="SyncCustomers",store="customers",operation="inserted"}`: `^2$`,
		`reqon_records_failed_total{mission="SyncOrders"}`:                                           `^0$`,
		`go_goroutines`:                 `^\d+$`,
		`process_resident_memory_bytes`: `^[\d.e+]+$`,
	} {
		if got := metricValue(text, series); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s is %q, want %s", series, got, want)
		}
	}
	for _, name := range metricNames {
		if !strings.Contains(text, "# HELP "+name+" ") || !strings.Contains(text, "# TYPE "+name+" ") {
			t.Errorf("%s has no HELP and TYPE", name)
		}
	}
	if code, body := get(t, port, "/health"); code != http.StatusOK || !strings.HasPrefix(body, `{"status":"degraded",`) {
		t.Errorf("/health at the same port: %d %s", code, body)
	}
	p.stop()
	t.Run("promtool", func(t *testing.T) {
		cmd := promtool(t, "check", "metrics")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("promtool check metrics: %v\n%s", err, out)
		}
	})
}

// metricNames are the metrics of reqon itself (operations, "The daemon"), but for
// those of retries, rate limits and circuit breakers, which are there once something
// was retried or waited.
var metricNames = []string{
	"reqon_mission_runs_total", "reqon_mission_duration_seconds", "reqon_mission_running",
	"reqon_mission_last_success_timestamp_seconds", "reqon_mission_next_run_timestamp_seconds",
	"reqon_missions_loaded", "reqon_missions_failed_to_load",
	"reqon_http_requests_total", "reqon_http_request_duration_seconds",
	"reqon_mission_last_run_status", "reqon_mission_overdue_timestamp_seconds",
	"reqon_records_stored_total", "reqon_records_failed_total",
}

// promtool is a command of Prometheus' tool; without it the test is skipped.
func promtool(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	return exec.Command(path, args...)
}

// TestDaemonLogLevels is "Log Levels".
func TestDaemonLogLevels(t *testing.T) {
	for name, c := range map[string]struct {
		args, env    []string
		debug, infos bool
	}{
		"default":      {nil, nil, false, true},
		"verbose":      {[]string{"--verbose"}, nil, true, true},
		"environment":  {nil, []string{"REQON_LOG_LEVEL=debug"}, true, true},
		"option":       {[]string{"--log-level", "debug"}, nil, true, true},
		"option wins":  {[]string{"--log-level=info"}, []string{"REQON_LOG_LEVEL=debug"}, false, true},
		"errors":       {nil, []string{"REQON_LOG_LEVEL=error"}, false, false},
		"verbose wins": {[]string{"--verbose"}, []string{"REQON_LOG_LEVEL=error"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.env = append(s.env, c.env...)
			s.write("missions/fails.reqon", `mission Fails { schedule: every 1 second { runImmediately: true } action Check { abort "out of paper" } }`)
			p := s.start(append([]string{"./missions/", "--daemon"}, c.args...)...)
			p.waitLog(`\[ERROR\] Fails: Failed`)
			p.stop()
			if got := p.count(`^\[[^]]*\] \[DEBUG\] `) > 0; got != c.debug {
				t.Errorf("debug lines: %v, want %v\n%s", got, c.debug, p.text())
			}
			if got := p.count(`^\[[^]]*\] \[INFO\] `) > 0; got != c.infos {
				t.Errorf("info lines: %v, want %v\n%s", got, c.infos, p.text())
			}
		})
	}
	s := newSiteBeside(t)
	s.write("missions/health.reqon", guideHealth)
	s.env = append(s.env, "REQON_LOG_LEVEL=loud")
	if _, stderr := s.reqon(3, "./missions/", "--daemon"); !strings.HasPrefix(stderr, "reqon: REQON_LOG_LEVEL: ") {
		t.Errorf("an unknown level: %s", stderr)
	}
}

// TestDaemonLogJSON is "Structured Logging": the guide's line, in every byte.
func TestDaemonLogJSON(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.env = append(s.env, "REQON_LOG_FORMAT=json")
	s.write("missions/sync-customers.reqon", customersMission("SyncCustomers", "every 1 second", a.URL))
	p := s.daemon()
	p.waitLog(`^\{"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ","level":"info","message":"Starting run","mission":"SyncCustomers"\}$`)
	p.waitLog(`^\{"timestamp":"[^"]+Z","level":"info","message":"Completed \(0\.\ds\)","mission":"SyncCustomers","run":"[0-9a-f-]{36}"\}$`)
	p.stop()
	for _, line := range strings.Split(strings.TrimSpace(p.text()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line that is no JSON: %s", line)
		}
	}
}

// TestDaemonLogRotate is "Log Rotation": logrotate renames the file, and SIGHUP
// has it opened anew. No line is lost, and none is in both.
func TestDaemonLogRotate(t *testing.T) {
	s := newSite(t)
	s.write("missions/health.reqon", guideHealth)
	p := s.start("./missions/", "--daemon", "--log-file", "reqon.log")
	logged := func(file, text string) {
		t.Helper()
		await(t, func() bool { return s.exists(file) && strings.Contains(s.read(file), text) }, func() string { return file + ": " + text })
	}
	logged("reqon.log", "HealthCheck: Next run at")
	before := s.read("reqon.log")
	if err := os.Rename(s.path("reqon.log"), s.path("reqon.log.1")); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	logged("reqon.log", "[INFO] Reloading\n")
	p.stop()
	if old := s.read("reqon.log.1"); old != before {
		t.Errorf("the old file has got more lines:\n%s", old)
	}
	if log := s.read("reqon.log"); !strings.HasSuffix(log, "[INFO] Stopped\n") {
		t.Errorf("the new file is\n%s", log)
	}
	if p.text() != "" {
		t.Errorf("the log goes elsewhere too:\n%s", p.text())
	}
	if info, err := os.Stat(s.path("reqon.log")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	if _, stderr := s.reqon(3, "./missions/", "--daemon", "--log-file", "no/such/folder/reqon.log"); !strings.HasPrefix(stderr, "reqon: ") || !strings.Contains(stderr, "no/such/folder/reqon.log") {
		t.Errorf("a log file that can't be made: %s", stderr)
	}
}

// guideRotation is the configuration of the guide's "Log Rotation", as users know
// it: nothing tells the daemon of the rotation.
const guideRotation = `/var/log/reqon/*.log {
    daily
    rotate 7
    compress
    missingok
    notifempty
}
`

// TestDeployLogrotate rotates the log of a daemon that keeps writing, with
// logrotate itself. Every line is in one of the files, once.
func TestDeployLogrotate(t *testing.T) {
	stanza := repoFile(t, "deploy/reqon.logrotate")
	for name, config := range map[string]string{
		"deploy":     stanza,
		"documented": oneMatch(t, repoFile(t, "docs/daemon.md"), "# Use logrotate\n((?s).*?)```"),
		"guide":      guideRotation,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			logrotate, err := exec.LookPath("logrotate")
			if err != nil {
				// Where it is installed it need not be in the path of users.
				if logrotate, err = exec.LookPath("/usr/sbin/logrotate"); err != nil {
					t.Skip("logrotate is not installed")
				}
			}
			s.write("missions/health.reqon", strings.Replace(guideHealth, "every 1 minute", "every 1 second", 1))
			s.write("log/.keep", "")
			p := s.start("./missions/", "--daemon", "--log-file", "log/reqon.log")
			await(t, func() bool {
				return s.exists("log/reqon.log") && strings.Contains(s.read("log/reqon.log"), "Next run at")
			},
				func() string { return "the log" })
			// The test has no user reqon, and no systemd to send the signal.
			config = strings.NewReplacer("/var/log/reqon/", s.path("log")+"/",
				"    su reqon reqon\n", "", "create 0600 reqon reqon", "create 0600",
				"systemctl kill --signal=HUP reqon.service", fmt.Sprintf("kill -HUP %d", p.cmd.Process.Pid)).Replace(config)
			s.write("rotate.conf", config)
			reloads := 0
			if strings.Contains(config, "kill -HUP") {
				reloads = 1
			}
			for n := 1; n <= 3; n++ {
				cmd := exec.Command(logrotate, "-f", "-s", s.path("rotate.state"), s.path("rotate.conf"))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("logrotate: %v\n%s", err, out)
				}
				await(t, func() bool {
					return s.exists("log/reqon.log") && strings.Contains(s.read("log/reqon.log"), "HealthCheck: Completed")
				},
					func() string { return fmt.Sprintf("lines in the log after rotation %d", n) })
			}
			p.stop()
			var text strings.Builder
			for _, name := range []string{"log/reqon.log.3.gz", "log/reqon.log.2.gz", "log/reqon.log.1.gz", "log/reqon.log.1", "log/reqon.log"} {
				if s.exists(name) {
					text.WriteString(s.unpacked(name))
				}
			}
			log := text.String()
			for what, want := range map[string]int{"] Loaded 1 mission\n": 1, "] Stopped\n": 1, "] Reloading\n": 3 * reloads} {
				if got := strings.Count(log, what); got != want {
					t.Errorf("%q is there %d times, want %d:\n%s", what, got, want, log)
				}
			}
			runs := len(s.history())
			if started, completed := strings.Count(log, "Starting run\n"), strings.Count(log, "Completed ("); started != runs || completed != runs {
				t.Errorf("%d lines of starts and %d of ends for %d runs:\n%s", started, completed, runs, log)
			}
		})
	}
}

// unpacked reads a file, which gzip may have compressed.
func (s *site) unpacked(name string) string {
	s.t.Helper()
	if !strings.HasSuffix(name, ".gz") {
		return s.read(name)
	}
	r, err := gzip.NewReader(strings.NewReader(s.read(name)))
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// TestDaemonReload changes the mission files under a daemon: added, changed,
// broken, mended and removed, each is taken over without a restart.
func TestDaemonReload(t *testing.T) {
	s, a, port := newSite(t), newAPI(t), freePort(t)
	s.write("missions/sync-customers.reqon", customersMission("SyncCustomers", "every 1 hour", a.URL))
	s.write("missions/broken.reqon", "mission Broken {\n  schedule: every 1 hour\n  action Check { frobnicate }\n}\n")
	p := s.daemon("--check-interval", "50ms", "--health-port", port)
	health := func(status string, loaded int, names ...string) {
		t.Helper()
		var body string
		await(t, func() bool {
			_, body = get(t, port, "/health")
			var h struct {
				Status         string
				MissionsLoaded int
				Missions       []struct{ Name string }
			}
			if json.Unmarshal([]byte(body), &h) != nil || h.Status != status || h.MissionsLoaded != loaded {
				return false
			}
			var have []string
			for _, m := range h.Missions {
				have = append(have, m.Name)
			}
			slices.Sort(have)
			return slices.Equal(have, names)
		}, func() string { return fmt.Sprintf("%s with %v; /health is %s\n%s", status, names, body, p.text()) })
	}
	// Broken from the start: the others are not stopped by it.
	p.waitLog(`\[ERROR\] Broken: Not loaded: missions/broken\.reqon:3:18: `)
	p.waitLog(`Loaded 1 mission`)
	health("degraded", 1, "SyncCustomers")
	if _, body := get(t, port, "/health"); !strings.Contains(body, "missions/broken.reqon:3:18: ") {
		t.Errorf("/health does not say what is broken: %s", body)
	}
	if out, why := s.reqon(1, "health", "localhost:"+port); !strings.Contains(out, "degraded") || !strings.Contains(why, "Broken: missions/broken.reqon:3:18: ") {
		t.Errorf("reqon health of a degraded daemon: %s%s", out, why)
	}
	if out, _ := s.reqon(0, "health", "--allow-degraded", "localhost:"+port); !strings.Contains(out, "degraded") {
		t.Errorf("reqon health --allow-degraded: %s", out)
	}
	// Mended.
	s.write("missions/broken.reqon", customersMission("Broken", "every 1 hour", a.URL))
	health("ok", 2, "Broken", "SyncCustomers")
	p.waitLog(`\[INFO\] Broken: Loaded`)
	// Added, in a folder that was not there.
	s.write("missions/more/orders.reqon", customersMission("SyncOrders", "every 1 second", a.URL))
	health("ok", 3, "Broken", "SyncCustomers", "SyncOrders")
	p.waitLog(`SyncOrders: Completed`)
	// Broken by an edit: what was good goes on.
	s.write("missions/more/orders.reqon", strings.Replace(customersMission("SyncOrders", "every 1 second", a.URL), "get ", "gte ", 1))
	health("degraded", 3, "Broken", "SyncCustomers", "SyncOrders")
	p.waitLog(`\[ERROR\] SyncOrders: Not loaded; what was loaded before stays: missions/more/orders\.reqon:\d+:\d+: `)
	n := p.count("SyncOrders: Completed")
	p.waitCount(n+1, "SyncOrders: Completed")
	// Changed.
	s.write("missions/more/orders.reqon", strings.Replace(customersMission("SyncOrders", "every 1 second", a.URL), `file("customers")`, `file("renamed")`, 1))
	health("ok", 3, "Broken", "SyncCustomers", "SyncOrders")
	p.waitLog(`\[INFO\] SyncOrders: Reloaded`)
	await(t, func() bool { return s.exists(".reqon-data/renamed.json") }, func() string { return "the new program to run" })
	// Removed.
	if err := os.Remove(s.path("missions/more/orders.reqon")); err != nil {
		t.Fatal(err)
	}
	health("ok", 2, "Broken", "SyncCustomers")
	p.waitLog(`\[INFO\] SyncOrders: Removed`)
	// SIGHUP looks at once.
	s.write("missions/again.reqon", customersMission("Again", "every 1 hour", a.URL))
	p.signal(syscall.SIGHUP)
	p.waitLog(`\[INFO\] Reloading`)
	p.waitLog(`\[INFO\] Again: Loaded`)
	p.stop()
}

// TestDaemonCredentials holds that missions without their credentials do not
// stop the others, and are picked up once the file is mended.
func TestDaemonCredentials(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	private := strings.NewReplacer("every 15 minutes", "every 1 second", "https://api.example.com", a.URL, "source API", "source Private", "SyncCustomers", "Private").Replace(guideCustomers)
	s.write("missions/private.reqon", private)
	s.write("missions/open.reqon", customersMission("Open", "every 1 hour", a.URL))
	s.write("credentials.json", `{}`)
	p := s.daemon("--auth", "./credentials.json", "--check-interval", "50ms")
	p.waitLog(`Loaded 1 mission`)
	p.waitLog(`\[ERROR\] Private: Not loaded: .*Private`)
	if n := a.requests.Load(); n != 0 {
		t.Errorf("%d requests without credentials", n)
	}
	s.write("credentials.json", `{"Private": {"type": "bearer", "token": "tok-51c2"}}`)
	p.waitLog(`\[INFO\] Private: Loaded`)
	p.waitLog(`\[INFO\] Private: Completed`)
	p.stop()
	if got := a.authorization(); got != "Bearer tok-51c2" {
		t.Errorf("Authorization is %q", got)
	}
	if strings.Contains(p.text(), "tok-51c2") {
		t.Error("the token is in the log")
	}
	// A file that others may read is warned about.
	if err := os.Chmod(s.path("credentials.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	p = s.daemon("--auth", "./credentials.json")
	p.waitLog(`\[WARN\] .*credentials\.json`)
	p.stop()
	if _, stderr := s.reqon(3, "./missions/", "--daemon", "--auth", "./nowhere.json"); !strings.Contains(stderr, "nowhere.json") {
		t.Errorf("a credentials file that is not there: %s", stderr)
	}
}
