package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestDaemonClosedPipe is Ctrl+C of `reqon … 2>&1 | tee reqon.log`, which ends
// tee first: what can't be logged any more must not end the run.
func TestDaemonClosedPipe(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		code   int
		status string
	}{
		"daemon": {[]string{"./missions/", "--daemon"}, 0, "success"},
		"adhoc":  {[]string{"./missions/"}, 1, "cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			s, a := newSite(t), newAPI(t)
			s.write("missions/sync-orders.reqon", customersMission("SyncOrders", "every 1 second", a.URL))
			a.shut()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			p := &process{t: t, cmd: s.command(c.args...), log: os.DevNull, ended: make(chan struct{})}
			p.cmd.Stdout, p.cmd.Stderr = w, w
			if err := p.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close() // the process has its own
			go func() {
				_ = p.cmd.Wait() // ProcessState tells
				close(p.ended)
			}()
			t.Cleanup(func() {
				_ = p.cmd.Process.Kill() // unless it has ended
				<-p.ended
			})
			a.waitRequests(t, 1)
			r.Close()
			p.signal(os.Interrupt)
			if c.code == 0 {
				a.open()
			}
			p.exit(c.code)
			if runs := s.history(); len(runs) != 1 || runs[0].Status != c.status {
				t.Errorf("recorded: %+v, want one run with the status %s", runs, c.status)
			}
		})
	}
}

// TestDaemonForeignLines: what packages of Go say on their own goes to the log,
// in its form and without secrets. net/http speaks up when a server sends more
// than was asked for.
func TestDaemonForeignLines(t *testing.T) {
	const token = "tok-93c2f1"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]more for %s", r.Header.Get("Authorization"))
		out.Flush()
		_, _ = out.Read(make([]byte, 1)) // until the client closes it
	}))
	t.Cleanup(server.Close)
	s := newSite(t)
	s.write("credentials.json", `{"API": {"type": "bearer", "token": "`+token+`"}}`)
	s.write("missions/a.reqon", `mission Chatty {
  schedule: every 1 hour
  source API { auth: bearer, base: "`+server.URL+`" }
  action Ask { get "/1" get "/2" get "/3" get "/4" get "/5" }
}
`)
	for _, mode := range []string{"--once", "--no-progress"} {
		_, log := s.reqon(0, "./missions/", mode, "--auth", "credentials.json", "--log-format", "json", "--verbose")
		if !regexp.MustCompile(`"level":"debug","message":"Unsolicited response[^\n]*\[redacted\]`).MatchString(log) {
			t.Errorf("%s: what net/http says is not in the log:\n%s", mode, log)
		}
		for line := range strings.Lines(log) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: a line that is no JSON: %s", mode, line)
			}
		}
		if strings.Contains(log, token) {
			t.Errorf("%s: the token is in the log:\n%s", mode, log)
		}
	}
}

// TestDaemonFullDisk fills the disk under a daemon. It says what to do, and goes
// on when there is room again.
func TestDaemonFullDisk(t *testing.T) {
	s := newSite(t)
	s.write("disk/.keep", "")
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", s.path("disk")).CombinedOutput(); err != nil {
		t.Skipf("a small disk can't be had: %v %s", err, out)
	}
	// It is done last, when no daemon is left that holds the disk.
	t.Cleanup(func() {
		if out, err := exec.Command("umount", s.path("disk")).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	s.env = append(s.env, "REQON_STATE_DIR=disk/state")
	s.write("missions/health.reqon", strings.Replace(guideHealth, "every 1 minute", "every 1 second", 1))
	p := s.daemon()
	p.waitLog("HealthCheck: Completed")
	fill, err := os.Create(s.path("disk/fill"))
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = fill.Write(block)
	}
	fill.Close()
	p.waitLog(`\[ERROR\] HealthCheck: .*; the disk is full: free some space`)
	if err := os.Remove(fill.Name()); err != nil {
		t.Fatal(err)
	}
	p.waitCount(p.count("HealthCheck: Completed")+1, "HealthCheck: Completed")
	p.stop()

	// A daemon that can't begin for want of space says so.
	if fill, err = os.Create(fill.Name()); err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = fill.Write(block)
	}
	fill.Close()
	if _, stderr := s.reqon(3, "./missions/", "--daemon"); !strings.Contains(stderr, "free some space") {
		t.Errorf("a start on a full disk:\n%s", stderr)
	}
	if err := os.Remove(fill.Name()); err != nil {
		t.Fatal(err)
	}
	p = s.daemon()
	p.waitLog("HealthCheck: Completed")
	p.stop()
	for _, r := range s.history() {
		// What was running when the disk filled up may have failed.
		if r.Status != "success" && r.Status != "failure" {
			t.Errorf("recorded: %+v", r)
		}
	}
}

// TestDaemonCredentialsThroughPipe is `--auth <(decrypt …)`, of the daemon and of
// --once.
func TestDaemonCredentialsThroughPipe(t *testing.T) {
	if _, err := os.Stat("/dev/fd/0"); err != nil {
		t.Skipf("a pipe has no name here: %v", err)
	}
	s, a := newSite(t), newAPI(t)
	s.write("missions/a.reqon", strings.Replace(customersMission("SyncCustomers", "every 1 second", a.URL), "source API { ", "source API { auth: bearer, ", 1))
	launch := func(mode string) *process {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := w.WriteString(`{"API": {"type": "bearer", "token": "piped-secret"}}`); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := s.command("./missions/", mode, "--auth", "/dev/fd/3")
		cmd.ExtraFiles = []*os.File{r}
		return s.launch(cmd)
	}
	launch("--once").exit(0)

	p := launch("--daemon")
	p.waitLog("SyncCustomers: Completed")
	p.signal(syscall.SIGHUP)
	p.waitLog("Reloading")
	p.waitCount(p.count("SyncCustomers: Completed")+2, "SyncCustomers: Completed")
	p.stop()
	if p.count(`ERROR`) > 0 {
		t.Errorf("the log:\n%s", p.text())
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, auth := range a.auth {
		if auth != "Bearer piped-secret" {
			t.Errorf("a request came with %q", auth)
		}
	}
}

// TestDaemonCredentialsBecomePipe: a pipe that nobody writes to, in the place of the
// credentials file, stops neither the reloading nor the daemon's end.
func TestDaemonCredentialsBecomePipe(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	const good = `{"API": {"type": "bearer", "token": "secret"}}`
	s.write("credentials.json", good)
	s.write("missions/a.reqon", strings.Replace(customersMission("SyncCustomers", "every 1 second", a.URL), "source API { ", "source API { auth: bearer, ", 1))
	p := s.daemon("--auth", "credentials.json", "--check-interval", "20ms")
	replace := func(how func(name string) error) {
		if err := os.Remove(s.path("credentials.json")); err != nil {
			t.Fatal(err)
		}
		if err := how(s.path("credentials.json")); err != nil {
			t.Fatal(err)
		}
	}
	mkfifo := func(name string) error { return syscall.Mkfifo(name, 0o600) }
	replace(mkfifo)
	p.waitLog(`\[ERROR\] .*credentials.json was a file before and is none now`)
	replace(func(name string) error { return os.WriteFile(name, []byte(good), 0o600) })
	s.write("missions/b.reqon", customersMission("Other", "every 1 second", a.URL))
	p.waitLog("Other: Loaded")
	replace(mkfifo)
	p.waitCount(2, `\[ERROR\] .*credentials.json was a file before and is none now`)
	p.waitLog("Other: Completed")
	p.stop()
}

// TestDaemonSilentClients: connections over which nothing is asked do not keep runs
// from the files they need, nor the daemon from its end.
func TestDaemonSilentClients(t *testing.T) {
	s, a := newSite(t), newAPI(t)
	s.write("missions/a.reqon", customersMission("SyncCustomers", "every 1 second", a.URL))
	health := freePort(t)
	cmd := exec.Command("sh", "-c", `ulimit -n 200 && exec "$@"`, "sh")
	reqon := s.command("./missions/", "--daemon", "--health-port", health)
	cmd.Args = append(cmd.Args, append([]string{reqon.Path}, reqon.Args[1:]...)...)
	cmd.Dir, cmd.Env = reqon.Dir, reqon.Env
	p := s.launch(cmd)
	p.waitLog("SyncCustomers: Completed")
	for range 300 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+health)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	p.waitCount(p.count("SyncCustomers: Completed")+3, "SyncCustomers: Completed")
	p.stop()
	if p.count("ERROR") > 0 {
		t.Errorf("the log:\n%s", p.text())
	}
}
