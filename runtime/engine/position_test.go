package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/vm"
	"reqon/vm/value"
)

// syncTest runs a mission several times against answers that a function gives.
type syncTest struct {
	t      *testing.T
	dir    string
	clock  *fakeClock
	log    lockedBuffer
	answer func(r *http.Request) (body string, header http.Header)

	mu   sync.Mutex
	sent []*http.Request
}

func newSyncTest(t *testing.T, source string) *syncTest {
	s := &syncTest{t: t, dir: t.TempDir(), clock: &fakeClock{now: start}}
	if err := os.WriteFile(filepath.Join(s.dir, "mission.reqon"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// RoundTrip answers a request. That a host does not exist is nothing to it.
func (s *syncTest) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, r)
	body, header := s.answer(r)
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	status := http.StatusOK
	if code := header.Get("Test-Status"); code != "" {
		fmt.Sscan(code, &status)
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

// run runs the mission once.
func (s *syncTest) run(opts engine.RunOptions) *engine.Report {
	s.t.Helper()
	compiled, err := compiler.Load(filepath.Join(s.dir, "mission.reqon"))
	if err != nil {
		s.t.Fatal(err)
	}
	if compiled.Failed() {
		s.t.Fatalf("the mission does not compile: %v", compiled.Diagnostics)
	}
	s.log.b.Reset()
	s.sent = nil
	e, err := engine.New(engine.Config{
		StateDir: filepath.Join(s.dir, "state"), Clock: s.clock, Transport: s,
		Log: telemetry.New(telemetry.Options{Writer: &s.log, Level: telemetry.LevelWarn, Now: s.clock.Now, Location: time.UTC}),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := e.Load(compiled.Missions[0].Program)
	if err != nil {
		s.t.Fatal(err)
	}
	report := m.Run(context.Background(), opts)
	if err := e.Close(); err != nil {
		s.t.Fatal(err)
	}
	return report
}

// positions reads what is saved, by key.
func (s *syncTest) positions() map[string]state.Position {
	s.t.Helper()
	db, err := state.OpenExisting(filepath.Join(s.dir, "state"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	list, err := db.Positions("M")
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]state.Position{}
	for _, p := range list {
		if p.Key != "" {
			out[p.Key] = p
		}
	}
	return out
}

// TestTheSecondRunGoesByWhatTheFirstSaved: whatever an API has in its records, what
// the first run makes a position of it fails no other, and is never sent later
// than it is.
func TestTheSecondRunGoesByWhatTheFirstSaved(t *testing.T) {
	const paths = 12
	random := rand.New(rand.NewPCG(7, 11))
	formats := []string{"", "ISO", "timestamp", "epoch", "http", "YYYY-MM-DD", "YY.M.D H:mm:ss SSS Z [x]"}
	zones := []string{"", "America/New_York", "Pacific/Kiritimati"}
	froms := []string{"", `"at"`, `"a.b"`, "response", "response[0].at", "response[-1]"}
	sinces := []string{"since: lastSync", "since: lastSync - 1h", "since: lastSync + 40m", "since: lastSync - 100", `since: lastSync ?? "2020-01-01"`,
		"since: lastSync, sinceHeader: \"If-Modified-Since\"", "body: { from: lastSync, to: lastSync - 365d }", "params: { q: `x>{lastSync}` }"}
	for trial := range 42 {
		format, from := formats[trial%len(formats)], froms[trial%len(froms)]
		zone, since := zones[random.IntN(len(zones))], sinces[random.IntN(len(sinces))]
		options := since
		for _, o := range [][2]string{{"sinceFormat", format}, {"sinceZone", zone}} {
			if o[1] != "" {
				options += fmt.Sprintf(", %s: %q", o[0], o[1])
			}
		}
		if from != "" {
			options += ", updateFrom: " + from
		}
		t.Run(options, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("mission M {\n  source API { base: \"https://api.test\", retry: { maxAttempts: 1 } }\n  action A {\n")
			for i := range paths {
				fmt.Fprintf(&b, "    get \"/p%d\" { %s }\n", i, options)
			}
			b.WriteString("  }\n}\n")
			s := newSyncTest(t, b.String())
			s.answer = func(*http.Request) (string, http.Header) { return items(random), dates(random) }
			if r := s.run(engine.RunOptions{}); r.Err != nil {
				t.Fatalf("the first run: %v", r.Err)
			}
			for n := 2; n <= 3; n++ {
				before := s.positions()
				if r := s.run(engine.RunOptions{}); r.Err != nil {
					t.Fatalf("run %d: %v\n%s", n, r.Err, s.log.String())
				}
				if since == "since: lastSync" && (from == "" || from == `"at"`) {
					for _, r := range s.sent {
						notLater(t, before["API "+r.URL.Path], r.URL.Query().Get("since"), format, zone)
					}
				}
				after := s.positions()
				if from == `"at"` {
					for key, p := range before {
						notBack(t, key, p, after[key], format, zone)
					}
				}
			}
		})
	}
}

// items makes an answer: records whose fields may be anything.
func items(random *rand.Rand) string {
	times := []string{
		`"2026-01-05T10:00:00Z"`, `"2026-01-05T10:00:00.123456789Z"`, `"2026-01-05T10:00:00.000+0200"`, `"2026-01-05 11:30"`, `"2026-01-05"`,
		`"2026-01-20T08:59:59.9999"`, `"Mon, 05 Jan 2026 10:00:00 GMT"`, `"2016-12-31T23:59:60Z"`, `"0001-01-01T00:00:00Z"`, `"0000-01-01"`,
		`"9999-12-31T23:59:59.999999Z"`, `"2026-01-21T05:00:00Z"`, `"1969-12-31T23:59:59.5"`, `"2026-11-01T01:30:00"`, `"2026-03-08 02:30:00"`,
	}
	numbers := []string{`1768000000`, `1768000000.75`, `1768000000123`, `-1.5`, `0`, `1e400`, `12345678901234567890123`, `1.50`, `4102444800`, `253402300800`, `1e-400`, `-62167219200`}
	texts := []string{`"cus_9"`, `""`, `"never"`, `"a b&c=d/%?#é"`, `"line\nbreak"`, `" x "`, `"1768000000.000216"`, `"\u0000"`, `"../.."`}
	others := []string{`null`, `true`, `{"b":1}`, `{"b":"2026-01-05T10:00:00Z"}`, `[1,2]`, `[{"x":1}]`, `{}`, `[]`}
	pools := [][]string{times, times, numbers, texts, others}
	pick := func(pool []string) string { return pool[random.IntN(len(pool))] }
	pool := pools[random.IntN(len(pools))]
	mixed := random.IntN(4) == 0
	var list []string
	for range random.IntN(5) {
		if mixed {
			pool = pools[random.IntN(len(pools))]
		}
		list = append(list, fmt.Sprintf(`{"id":%d,"at":%s,"a":%s}`, random.IntN(100), pick(pool), pick(append(slices.Clip(others), pick(pool)))))
	}
	switch random.IntN(12) {
	case 0:
		return pick(append(slices.Clip(times), "null", "{}", `{"at":"2026-01-05"}`)) // no array at all
	case 1:
		return `{"n":1,"items":[` + strings.Join(list, ",") + `]}`
	}
	return "[" + strings.Join(list, ",") + "]"
}

func dates(random *rand.Rand) http.Header {
	h := http.Header{}
	if d := []string{"", "Tue, 20 Jan 2026 08:59:58 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 21 Jan 2026 01:00:00 GMT", "nonsense"}[random.IntN(6)]; d != "" {
		h.Set("Date", d)
	}
	return h
}

func reader(t *testing.T, format, zone string) value.TimeReader {
	k := vm.SyncKey{Format: format, Zone: zone}
	r, err := k.Reader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func instant(t *testing.T, p state.Position, format, zone string) (value.Instant, bool) {
	if p.Value == "" {
		return value.Instant{}, false
	}
	v, err := value.ParseJSON(nil, p.Value)
	if err != nil {
		t.Fatal(err)
	}
	return reader(t, format, zone).Read(v)
}

// notLater holds what was sent against the position that it was made of.
func notLater(t *testing.T, p state.Position, sent, format, zone string) {
	t.Helper()
	at, isTime := instant(t, p, format, zone)
	if !isTime {
		return
	}
	var ms int64
	switch format {
	case "", "ISO", "http":
		read, ok := value.ParseTime(sent)
		if sent != "" && !ok {
			t.Errorf("%s is sent as %q", p.Value, sent)
			return
		}
		ms = read
	case "timestamp", "epoch":
		if _, err := fmt.Sscan(sent, &ms); sent != "" && err != nil {
			t.Errorf("%s is sent as %q", p.Value, sent)
			return
		}
		if format == "timestamp" {
			ms *= 1000
		}
	default:
		return
	}
	future := at.Milliseconds() > start.Add(24*time.Hour).UnixMilli()
	switch {
	case sent == "" && !future:
		t.Errorf("%s is not sent", p.Value)
	case sent != "" && (ms > at.Milliseconds() || ms < at.Milliseconds()-999):
		t.Errorf("%s is sent as %q", p.Value, sent)
	}
}

// notBack holds a new position against the one before, if that was gone by.
func notBack(t *testing.T, key string, before, after state.Position, format, zone string) {
	t.Helper()
	a, okA := instant(t, before, format, zone)
	b, okB := instant(t, after, format, zone)
	if okA && okB && a.Milliseconds() <= start.Add(24*time.Hour).UnixMilli() && b.Compare(a) < 0 {
		t.Errorf("%s went back from %s to %s", key, before.Value, after.Value)
	}
}

func TestPositionOfAnotherOrigin(t *testing.T) {
	const mission = `mission M {
	  param base: string
	  source API { base: env("BASE") }
	  action A {
	    get "/x" { since: lastSync }
	    get (base + "/y") { since: lastSync, syncKey: "y" }
	  }
	}`
	s := newSyncTest(t, strings.Replace(mission, `base: env("BASE")`, `base: "https://Staging.example.com/v1"`, 1))
	s.answer = func(*http.Request) (string, http.Header) { return "[]", nil }
	opts := engine.RunOptions{Params: map[string]string{"base": "https://api.example.com:443"}}
	since := func() (list []string) {
		for _, r := range s.sent {
			list = append(list, r.URL.Query().Get("since"))
		}
		return list
	}
	at := "2026-01-20T09:00:00.000Z"
	check := func(what string, want ...string) {
		t.Helper()
		if r := s.run(opts); r.Err != nil || r.Status != state.StatusSuccess {
			t.Fatalf("%s: %s, %v", what, r.Status, r.Err)
		}
		if got := since(); !slices.Equal(got, want) {
			t.Errorf("%s: sent %q, want %q", what, got, want)
		}
	}
	rewrite := func(from, to string) {
		name := filepath.Join(s.dir, "mission.reqon")
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(name, bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check("the first run", "", "")
	if got := s.positions()["API /x"].Origin; got != "https://staging.example.com:443" {
		t.Errorf("the origin is %q", got)
	}
	check("the same host", at, at)
	rewrite("https://Staging.example.com/v1", "https://api.example.com/v1")
	check("another host", "", at)
	if log := s.log.String(); !strings.Contains(log, `is of https://staging.example.com:443, and the request goes to https://api.example.com:443`) {
		t.Errorf("it was not told:\n%s", log)
	}
	check("the same again", at, at)
	rewrite("https://api.example.com/v1", "http://api.example.com/v1")
	check("another scheme", "", at)
	rewrite("http://api.example.com/v1", "http://127.0.0.1:8080")
	check("this machine", "", at)
	rewrite("http://127.0.0.1:8080", "http://localhost:9090")
	check("another port of this machine", at, at)
	opts.Params["base"] = "https://elsewhere.example.com"
	check("another tenant", at, "")
}

// TestFullRefreshMayGoBack: what --full-refresh fetches is all there is.
func TestFullRefreshMayGoBack(t *testing.T) {
	s := newSyncTest(t, `mission M {
	  source API { base: "https://api.example.com" }
	  action A { get "/x" { since: lastSync, updateFrom: "at" } }
	}`)
	day := "2026-01-10"
	s.answer = func(*http.Request) (string, http.Header) { return `[{"at":"` + day + `"}]`, nil }
	for _, run := range []struct {
		day, want string
		full      bool
	}{{"2026-01-10", "2026-01-10", false}, {"2026-01-05", "2026-01-10", false}, {"2026-01-05", "2026-01-05", true}, {"2026-01-06", "2026-01-06", false}} {
		day = run.day
		if r := s.run(engine.RunOptions{FullRefresh: run.full}); r.Err != nil {
			t.Fatal(r.Err)
		}
		if got := s.positions()["API /x"].Value; got != `"`+run.want+`"` {
			t.Errorf("after %s the position is %s, want %s", run.day, got, run.want)
		}
	}
}

// TestManyParents: a thousand parents side by side, of which one in ten fails.
// Each of the others has its position, also since the process may end at once.
func TestManyParents(t *testing.T) {
	s := newSyncTest(t, `mission M {
	  source API { base: "https://api.example.com", retry: { maxAttempts: 1 } }
	  action A {
	    for n in range(1000) concurrency 50 {
	      get "/repos/{n}/issues" { since: lastSync, updateFrom: "at" }
	      for issue in response concurrency 2 { validate issue { assume .ok } }
	      checkpoint
	    }
	  }
	}`)
	s.answer = func(r *http.Request) (string, http.Header) {
		switch {
		case strings.HasSuffix(r.URL.Path, "3/issues"):
			return `[{"at":"2026-01-05","ok":true},{"at":"2026-01-06","ok":false}]`, nil
		case strings.HasSuffix(r.URL.Path, "7/issues"):
			return "", http.Header{"Test-Status": {"500"}}
		}
		return `[{"at":"2026-01-05","ok":true},{"at":"2026-01-06","ok":true}]`, nil
	}
	if r := s.run(engine.RunOptions{}); r.Status != state.StatusFailure || r.Counts.Held != 200 {
		t.Fatalf("the run is %s, %d held", r.Status, r.Counts.Held)
	}
	saved := s.positions()
	for n := range 1000 {
		p, ok := saved[fmt.Sprintf("API /repos/%d/issues", n)]
		if bad := n%10 == 3 || n%10 == 7; ok == bad || ok && p.Value != `"2026-01-06"` {
			t.Errorf("%d: %+v, %v", n, p, ok)
		}
	}
}

// TestTheOldestPositionsGo: a mission with more parents than it may keep goes on,
// and says what has gone.
func TestTheOldestPositionsGo(t *testing.T) {
	s := newSyncTest(t, `mission M {
	  source API { base: "https://api.example.com" }
	  action A { get "/new" { since: lastSync } }
	}`)
	s.answer = func(*http.Request) (string, http.Header) { return "[]", nil }
	db, err := state.Open(filepath.Join(s.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	list := make([]state.Position, state.MaxPositions)
	for i := range list {
		list[i] = state.Position{Key: fmt.Sprintf("API /%06d", i), Value: "1"}
	}
	if err := db.SavePositions("M", "", start.Add(-time.Hour), list); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if r := s.run(engine.RunOptions{}); r.Err != nil || r.Status != state.StatusSuccess {
		t.Fatal(r.Status, r.Err)
	}
	if log := s.log.String(); !strings.Contains(log, "The oldest sync positions have gone") || !strings.Contains(log, "gone=1") {
		t.Errorf("it was not told:\n%s", log)
	}
	saved := s.positions()
	if _, ok := saved["API /new"]; !ok || len(saved) != state.MaxPositions || saved["API /000000"].Value != "" {
		t.Errorf("%d are left", len(saved))
	}
}

// TestCheckpointIsOnDisk: what a process that is killed behind a checkpoint leaves
// is the data, and then the position.
func TestCheckpointIsOnDisk(t *testing.T) {
	s := newSyncTest(t, `mission M {
	  source API { base: "https://api.example.com" }
	  store out: file("out")
	  action A {
	    get "/a" { since: lastSync }
	    store response -> out
	    get "/before"
	    checkpoint
	    get "/behind"
	  }
	}`)
	seen := map[string]bool{}
	s.answer = func(r *http.Request) (string, http.Header) {
		saved := s.positions()
		data, err := os.ReadFile(filepath.Join(s.dir, "state", "out.json"))
		switch _, ok := saved["API /a"]; {
		case r.URL.Path == "/before" && ok:
			t.Error("the position is saved before the checkpoint")
		case r.URL.Path == "/behind" && (!ok || err != nil || !strings.Contains(string(data), `"id":7`)):
			t.Errorf("behind the checkpoint: saved %v, the store holds %q, %v", ok, data, err)
		}
		seen[r.URL.Path] = true
		return `[{"id":7}]`, nil
	}
	if r := s.run(engine.RunOptions{}); r.Err != nil || len(seen) != 3 {
		t.Fatal(r.Err, seen)
	}
}
