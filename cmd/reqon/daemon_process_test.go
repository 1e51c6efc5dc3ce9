package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The tests in daemon*_test.go hold the program against the daemon's user guide,
// by its sections: real processes, signals, ports and files.
//
//	Starting the Daemon, How It Works   TestDaemonStart
//	Command Options                     TestDaemonOptions
//	Example Setup                       TestDaemonGuideMission, TestDaemonKeepsSyncing
//	Process Management                  TestDaemonStart (Ctrl+C), TestDaemonNohup, TestDeploySystemd, TestDeployDocker
//	Graceful Shutdown                   TestDaemonStop, TestDaemonStopForced, TestDaemonKilled, TestDaemonClosedPipe
//	Status Endpoint                     TestDaemonHealth, TestDaemonPortInUse, TestDaemonReload (degraded)
//	File-Based Health                   TestDaemonFileHealth
//	Log Levels                          TestDaemonLogLevels
//	Log Output, Structured Logging      TestDaemonStart, TestDaemonLogJSON, TestDaemonForeignLines
//	Metrics, Alerting                   TestDaemonMetrics, TestDeployAlerts, TestDeployDashboard; runtime/daemon, TestMetricNames
//	Use Separate Credentials            TestDaemonGuideMission, TestDaemonCredentials
//	Persistent Storage                  TestDaemonRestart, TestDaemonOwnsState, TestDaemonFullDisk
//	Log Rotation                        TestDaemonLogRotate, TestDeployLogrotate

// guideCustomers is sync-customers.reqon of the guide, as it is written there.
const guideCustomers = `mission SyncCustomers {
  schedule: every 15 minutes

  source API { auth: bearer, base: "https://api.example.com" }
  store customers: file("customers")

  action Sync {
    get "/customers" { since: lastSync }
    store response -> customers { key: .id, upsert: true }
  }

  run Sync
}
`

// guideHealth is the mission of "File-Based Health".
const guideHealth = `mission HealthCheck {
  schedule: every 1 minute

  action Check {
    store { status: "ok", timestamp: now() } -> health
  }
}
`

// customersMission is the guide's mission with another name, schedule and API,
// and no credentials.
func customersMission(name, schedule, base string) string {
	return strings.NewReplacer("SyncCustomers", name, "every 15 minutes", schedule,
		"auth: bearer, ", "", "https://api.example.com", base).Replace(guideCustomers)
}

// site is a folder in which processes of reqon are started.
type site struct {
	t   *testing.T
	dir string
	env []string
}

// newSite makes a test run beside others, in a folder of its own.
func newSite(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	return newSiteBeside(t)
}

// newSiteBeside is newSite for a test that is not run beside others.
func newSiteBeside(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	return &site{t: t, dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "TZ=UTC",
		"GORACE=atexit_sleep_ms=0", // under the race detector, every end would take a second more
	}}
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, text string) {
	s.t.Helper()
	name = s.path(name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) read(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *site) exists(name string) bool {
	_, err := os.Lstat(s.path(name))
	return err == nil
}

// records reads a file store, as an object by key.
func (s *site) records(store string) map[string]map[string]any {
	s.t.Helper()
	var records map[string]map[string]any
	if err := json.Unmarshal([]byte(s.read(".reqon-data/"+store+".json")), &records); err != nil {
		s.t.Fatal(err)
	}
	return records
}

func (s *site) command(args ...string) *exec.Cmd {
	s.t.Helper()
	program, err := exec.LookPath("reqon") // what TestMain has put there
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// reqon runs a command to its end and holds its exit code.
func (s *site) reqon(code int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	var out, err bytes.Buffer
	cmd := s.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &err
	timer := time.AfterFunc(patience, func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill() // it ends Run below, which tells
		}
	})
	defer timer.Stop()
	if e := cmd.Run(); e != nil && cmd.ProcessState == nil {
		s.t.Fatal(e)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		s.t.Fatalf("reqon %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), err.String())
	}
	return out.String(), err.String()
}

// history is `reqon history --json`, the newest run first.
func (s *site) history() []runRecord {
	s.t.Helper()
	out, _ := s.reqon(0, "history", "--json", "--limit", "10000")
	var runs []runRecord
	if err := json.Unmarshal([]byte(out), &runs); err != nil {
		s.t.Fatal(err)
	}
	return runs
}

type runRecord struct {
	Mission, Trigger, Status string
	Due, Start               time.Time
	PID                      int
}

// patience is for how long a test waits for what has to happen.
const patience = 20 * time.Second

// process is a daemon that was started.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	log   string // the file that its output goes to
	ended chan struct{}
}

// start starts reqon, its output going to a file.
func (s *site) start(args ...string) *process {
	s.t.Helper()
	return s.launch(s.command(args...))
}

// launch starts a command, its output going to a file.
func (s *site) launch(cmd *exec.Cmd) *process {
	s.t.Helper()
	f, err := os.CreateTemp(s.dir, "out-*.log")
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close() // the process has its own
	p := &process{t: s.t, cmd: cmd, log: f.Name(), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState tells
		close(p.ended)
	}()
	s.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // unless it has ended
		<-p.ended
	})
	return p
}

// daemon starts a daemon of ./missions/ and waits until it has loaded them.
func (s *site) daemon(args ...string) *process {
	s.t.Helper()
	p := s.start(append([]string{"./missions/", "--daemon"}, args...)...)
	p.waitLog(`Loaded \d+ missions?`)
	return p
}

func (p *process) text() string {
	p.t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// waitLog waits until the output matches an expression, and returns the groups.
func (p *process) waitLog(expr string) []string {
	p.t.Helper()
	re := regexp.MustCompile("(?m)" + expr)
	var found []string
	await(p.t, func() bool {
		found = re.FindStringSubmatch(p.text())
		return found != nil || p.hasEnded()
	}, func() string { return "the output to match " + expr + "; it is\n" + p.text() })
	if found == nil {
		if found = re.FindStringSubmatch(p.text()); found == nil {
			p.t.Fatalf("it has ended, and its output does not match %s:\n%s", expr, p.text())
		}
	}
	return found
}

// waitCount waits until the output has so many matches.
func (p *process) waitCount(n int, expr string) {
	p.t.Helper()
	await(p.t, func() bool { return p.count(expr) >= n }, func() string { return fmt.Sprintf("%d times %s in\n%s", n, expr, p.text()) })
}

func (p *process) count(expr string) int {
	return len(regexp.MustCompile("(?m)"+expr).FindAllString(p.text(), -1))
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// exit waits for the end of the process and holds its exit code.
func (p *process) exit(code int) {
	p.t.Helper()
	await(p.t, p.hasEnded, func() string { return "the process to end:\n" + p.text() })
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("exit code %d, want %d:\n%s", got, code, p.text())
	}
}

// stop ends the daemon as systemd does; it must end well.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.exit(0)
}

// await polls what other processes do.
func await(t *testing.T, reached func() bool, what func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !reached(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what())
		}
	}
}

// api is the API that missions sync from.
type api struct {
	URL      string
	requests atomic.Int32
	most     atomic.Int32 // requests at once
	mu       sync.Mutex
	queries  []string // of the requests, in their order
	auth     []string // their Authorization
	// gate, if it is not nil, is what answers wait for.
	gate atomic.Pointer[chan struct{}]
	now  atomic.Int32
}

// newAPI starts an API that answers every path with two customers.
func newAPI(t *testing.T) *api {
	a := &api{}
	server := httptest.NewServer(a)
	a.URL = server.URL
	t.Cleanup(func() { a.open(); server.CloseClientConnections(); server.Close() })
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.queries, a.auth = append(a.queries, r.URL.RawQuery), append(a.auth, r.Header.Get("Authorization"))
	a.mu.Unlock()
	for n := a.now.Add(1); ; {
		most := a.most.Load()
		if n <= most || a.most.CompareAndSwap(most, n) {
			break
		}
	}
	defer a.now.Add(-1)
	a.requests.Add(1)
	if gate := a.gate.Load(); gate != nil {
		select {
		case <-*gate:
		case <-r.Context().Done():
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `[{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]`)
}

// shut makes answers wait until open.
func (a *api) shut() { c := make(chan struct{}); a.gate.Store(&c) }

func (a *api) open() {
	if c := a.gate.Swap(nil); c != nil {
		close(*c)
	}
}

// sinces are the times that requests asked for changes since; "" without one.
func (a *api) sinces() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, q := range a.queries {
		all = append(all, strings.TrimPrefix(q, "since="))
	}
	return all
}

// authorization is that of the first request.
func (a *api) authorization() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.auth) == 0 {
		return ""
	}
	return a.auth[0]
}

func (a *api) waitRequests(t *testing.T, n int) {
	t.Helper()
	await(t, func() bool { return int(a.requests.Load()) >= n }, func() string {
		return fmt.Sprintf("%d requests; there were %d", n, a.requests.Load())
	})
}

// freePort is a port that nothing listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// get is `curl http://localhost:PORT/path`. An answer that does not come is ""
// with the code 0.
func get(t *testing.T, port, path string) (code int, body string) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://127.0.0.1:" + port + path)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// logLine takes a line of a text log apart.
var logLine = regexp.MustCompile(`^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\] \[(DEBUG|INFO|WARN|ERROR)\] (.+)$`)

// nextText is a time as "Next run at" shows it in a line logged at the time given.
func nextText(logged, next time.Time) string {
	if logged.Format(time.DateOnly) == next.Format(time.DateOnly) {
		return next.Format(time.TimeOnly)
	}
	return next.Format(time.DateTime)
}

// TestDaemonStart is the start of the guide: its three missions, the lines that
// it shows, Ctrl+C.
func TestDaemonStart(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.write("missions/sync-customers.reqon", customersMission("SyncCustomers", "every 15 minutes", a.URL))
	s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 5 minutes", a.URL))
	s.write("missions/daily-report.reqon", customersMission("DailyReport", `cron "0 0 * * *"`, a.URL))
	p := s.daemon()
	p.waitLog("SyncOrders: Next run")
	p.signal(os.Interrupt)
	p.exit(0)

	var messages []string
	var logged time.Time
	for i, line := range strings.Split(strings.TrimSuffix(p.text(), "\n"), "\n") {
		parts := logLine.FindStringSubmatch(line)
		if parts == nil || parts[2] != "INFO" {
			t.Fatalf("line %d is not of the form that the guide shows: %s", i+1, line)
		}
		if i == 1 {
			var err error
			if logged, err = time.Parse(time.DateTime, parts[1]); err != nil {
				t.Fatal(err)
			}
		}
		messages = append(messages, parts[3])
	}
	midnight := logged.Truncate(24 * time.Hour).Add(24 * time.Hour)
	// An interval counts from the start, which may be a moment before the line.
	var wants []string
	for _, back := range []time.Duration{0, time.Second, 2 * time.Second} {
		began := logged.Add(-back)
		want := strings.Join([]string{
			"Starting Reqon daemon",
			"Loaded 3 missions",
			"DailyReport: Next run at " + nextText(logged, midnight),
			"SyncCustomers: Next run at " + nextText(logged, began.Add(15*time.Minute)),
			"SyncOrders: Next run at " + nextText(logged, began.Add(5*time.Minute)),
			"Stopping reason=interrupt",
			"Stopped",
		}, "\n")
		if strings.Join(messages, "\n") == want {
			return
		}
		wants = append(wants, want)
	}
	t.Errorf("the log is\n%s\nwant\n%s", strings.Join(messages, "\n"), wants[0])
}

// TestDaemonOptions holds that options may stand anywhere, in both forms.
func TestDaemonOptions(t *testing.T) {
	s := newSite(t)
	s.write("missions/sync-customers.reqon", guideCustomers)
	s.write("credentials.json", `{"API": {"type": "bearer", "token": "secret-token"}}`)
	for _, args := range [][]string{
		{"./missions/", "--daemon", "--auth", "./credentials.json", "--verbose"},
		{"--daemon", "--auth=./credentials.json", "--verbose", "./missions/"},
		{"--auth", "./credentials.json", "./missions/", "--verbose", "--daemon", "--check-interval=500ms"},
		{"run", "--check-interval", "1000", "--verbose", "--auth", "./credentials.json", "--daemon", "./missions/"},
	} {
		p := s.start(args...)
		p.waitLog(`^\[.*\] \[INFO\] Loaded 1 mission$`)
		p.stop()
	}
	for _, c := range []struct{ option, want string }{
		{"--check-interval=soon", "--check-interval must be a time such as 30s or a number of milliseconds, found soon"},
		{"--health-port=http", "--health-port must be a port from 0 to 65535, found http"},
		{"--max-concurrent-runs=0", "--max-concurrent-runs must be a whole number of at least 1, found 0"},
		{"--shutdown-timeout=-1s", "--shutdown-timeout must be a time such as 30s or a number of milliseconds, found -1s"},
		{"--log-level=loud", "--log-level: "},
		{"--output=out", "--output goes with runs that end, not with --daemon"},
		{"--healthport=8080", "unknown option --healthport of reqon run; did you mean --health-port?"},
	} {
		_, stderr := s.reqon(3, "./missions/", "--daemon", c.option)
		if !strings.HasPrefix(stderr, "reqon: "+c.want) {
			t.Errorf("%s: found %q, want %q", c.option, stderr, c.want)
		}
	}
	for _, mode := range []string{"--daemon", "--once"} {
		_, stderr := s.reqon(3, "./missions/", mode, "--param", "region=eu")
		if !strings.Contains(stderr, "--param region: no mission has such a parameter; there is none at all") {
			t.Errorf("%s with a parameter that no mission has: %s", mode, stderr)
		}
		_, stderr = s.reqon(3, "./missions/", mode, "--mission", "SyncOrders")
		if !strings.Contains(stderr, "no mission named SyncOrders; there are SyncCustomers") {
			t.Errorf("%s with a mission that is not there: %s", mode, stderr)
		}
	}
	if _, stderr := s.reqon(3, "./mission/", "--daemon"); !strings.Contains(stderr, "./mission/: no such file or folder") {
		t.Errorf("a path that is not there: %s", stderr)
	}
	s.write("empty/README", "nothing here")
	if _, stderr := s.reqon(3, "./empty/", "--daemon"); !strings.Contains(stderr, "./empty/ holds no missions: expected files ending in .reqon") {
		t.Errorf("a folder without missions: %s", stderr)
	}
}

// exampleCom makes https://api.example.com answer from a server of the test: a
// proxy leads there, and the server's certificate is trusted.
func (s *site) exampleCom(a *api) {
	s.t.Helper()
	server := httptest.NewTLSServer(a)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "api.example.com:443" {
			http.Error(w, "only api.example.com", http.StatusForbidden)
			return
		}
		out, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		in, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			out.Close()
			return
		}
		fmt.Fprint(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { defer out.Close(); io.Copy(out, in) }()
		go func() { defer in.Close(); io.Copy(in, out) }()
	}))
	s.t.Cleanup(func() { proxy.Close(); server.CloseClientConnections(); server.Close() })
	s.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	s.env = append(s.env, "HTTPS_PROXY="+proxy.URL, "SSL_CERT_FILE="+s.path("ca.pem"))
}

// TestDaemonGuideMission runs the guide's mission as it stands there, against
// the address that stands there.
func TestDaemonGuideMission(t *testing.T) {
	s, a := newSite(t), &api{}
	s.exampleCom(a)
	s.write("missions/sync-customers.reqon", guideCustomers)
	s.write("prod-credentials.json", `{"API": {"type": "bearer", "token": "${CUSTOMERS_TOKEN}"}}`)
	s.env = append(s.env, "CUSTOMERS_TOKEN=tok-7d1f")

	_, stderr := s.reqon(0, "./missions/", "--once", "--auth", "./prod-credentials.json")
	if !regexp.MustCompile(`\[INFO\] SyncCustomers: Starting run\n.*\[INFO\] SyncCustomers: Completed \(\d\.\ds\)\n`).MatchString(stderr) {
		t.Errorf("the log is\n%s", stderr)
	}
	if got := s.records("customers"); len(got) != 2 || got["2"]["name"] != "Grace" {
		t.Errorf("the store holds %v", got)
	}
	s.reqon(0, "./missions/", "--once", "--auth", "./prod-credentials.json")
	since := a.sinces()
	if len(since) != 2 || since[0] != "" || !regexp.MustCompile(`^20\d\d-.*Z$`).MatchString(strings.ReplaceAll(since[1], "%3A", ":")) {
		t.Errorf("asked for changes since %q, want none at first and then the time of the first run", since)
	}
	if got := a.authorization(); got != "Bearer tok-7d1f" {
		t.Errorf("Authorization is %q", got)
	}
	// The daemon goes on from these runs: the next is 15 minutes after the last.
	runs := s.history()
	p := s.daemon("--auth", "./prod-credentials.json", "--verbose")
	next := p.waitLog(`SyncCustomers: Next run at (.*)$`)[1]
	p.stop()
	if want := runs[0].Start.UTC().Add(15 * time.Minute); !strings.HasSuffix(next, want.Format(time.TimeOnly)) {
		t.Errorf("next run at %s, want %s", next, want)
	}
	if n := a.requests.Load(); n != 2 {
		t.Errorf("%d requests, want 2: the daemon has run what was not due", n)
	}
	if strings.Contains(p.text()+stderr, "tok-7d1f") {
		t.Error("the token is in the log")
	}
}

// TestDaemonKeepsSyncing holds the lines of a run, and that runs go on from one
// another.
func TestDaemonKeepsSyncing(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 1 second", a.URL))
	p := s.daemon()
	p.waitCount(2, `^\[.*\] \[INFO\] SyncOrders: Completed \(\d\.\ds\)$`)
	p.stop()
	if !regexp.MustCompile(`\] SyncOrders: Next run at \d\d:\d\d:\d\d\n.*\[INFO\] SyncOrders: Starting run\n.*\[INFO\] SyncOrders: Completed \(0\.\ds\)\n.*\[INFO\] SyncOrders: Starting run\n`).MatchString(p.text()) {
		t.Errorf("the log is\n%s", p.text())
	}
	since := a.sinces()
	if since[0] != "" || since[1] == "" {
		t.Errorf("asked for changes since %q", since)
	}
	seen := map[time.Time]bool{}
	for _, r := range s.history() {
		if r.Trigger != "schedule" || r.Status != "success" || seen[r.Due] {
			t.Errorf("run %+v; each due time is to be run once", r)
		}
		seen[r.Due] = true
	}
}

// TestDaemonFileHealth is the guide's HealthCheck: a store that is not declared
// is a file in the state folder.
func TestDaemonFileHealth(t *testing.T) {
	s := newSite(t)
	s.write("missions/health.reqon", guideHealth)
	_, stderr := s.reqon(0, "./missions/", "--once")
	if strings.Contains(stderr, "WARN") {
		t.Errorf("the guide's mission is warned about:\n%s", stderr)
	}
	s.write("missions/health.reqon", strings.Replace(guideHealth, "every 1 minute", "every 1 second", 1))
	p := s.daemon()
	p.waitCount(1, "HealthCheck: Completed")
	p.stop()
	records := s.records("health")
	if len(records) < 2 {
		t.Fatalf("%d records of 2 runs or more", len(records))
	}
	for _, r := range records {
		at, err := time.Parse("2006-01-02T15:04:05.000Z", fmt.Sprint(r["timestamp"]))
		if r["status"] != "ok" || err != nil || time.Since(at) > time.Minute {
			t.Errorf("the record is %v", r)
		}
	}
	for name, want := range map[string]os.FileMode{".reqon-data": 0o700, ".reqon-data/health.json": 0o600, ".reqon-data/reqon.db": 0o600} {
		if info, err := os.Stat(s.path(name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
}

// TestDaemonNohup is "Background (Linux)": the daemon outlives the terminal's
// hangup, and is found by the pattern that the guide stops it by.
func TestDaemonNohup(t *testing.T) {
	s := newSite(t)
	if _, err := exec.LookPath("nohup"); err != nil {
		t.Skip("there is no nohup here")
	}
	s.write("missions/health.reqon", guideHealth)
	sh := exec.Command("sh", "-c", "nohup reqon ./missions/ --daemon > reqon.log 2>&1 & echo $!")
	sh.Dir, sh.Env = s.dir, s.env
	out, err := sh.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(out), &pid); err != nil {
		t.Fatal(err)
	}
	ended := func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || isZombie(pid) }
	t.Cleanup(func() {
		if !ended() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	log := func(text string) {
		t.Helper()
		await(t, func() bool { return s.exists("reqon.log") && strings.Contains(s.read("reqon.log"), text) }, func() string { return text })
	}
	log("Next run at ")
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err == nil && !regexp.MustCompile("reqon.*daemon").Match(bytes.ReplaceAll(cmdline, []byte{0}, []byte(" "))) {
		t.Errorf("pgrep -f \"reqon.*daemon\" does not find %q", cmdline)
	}
	_ = syscall.Kill(pid, syscall.SIGHUP)
	log("Reloading")
	_ = syscall.Kill(pid, syscall.SIGTERM)
	log("Stopped")
	await(t, ended, func() string { return "the daemon to end" })
}

// isZombie reports whether a process has ended and is waited for by nobody, as
// in a container whose first process does not collect orphans.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(stat, []byte(") Z "))
}
