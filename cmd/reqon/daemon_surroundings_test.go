package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
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
