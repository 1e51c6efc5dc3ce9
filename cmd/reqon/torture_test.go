package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tortureMission syncs two lists, one by the time of the last run and one by the
// greatest of a number, at once, into two kinds of store.
const tortureMission = `mission Torture {
  schedule: every 1 second
  source API {
    base: env("API")
    retry: { maxAttempts: 4, backoff: constant, initialDelay: 5ms, jitter: false }
  }
  store byTime: file("byTime")
  store bySeq: sqlite("bySeq")

  action ByTime {
    get "/times" { since: lastSync, paginate: cursor(cursor, 25, "next", "items") }
    store response -> byTime { key: .id }
  }
  action BySeq {
    get "/seqs" { since: lastSync, updateFrom: "seq", paginate: cursor(cursor, 25, "next", "items") }
    for item in response {
      store { id: item.id, seq: item.seq, version: item.version } -> bySeq { key: .id }
    }
  }
  run [ByTime, BySeq]
}
`

// tortureDump writes out what the stores hold, as a user would look at them.
const tortureDump = `mission Dump {
  store byTime: file("byTime")
  store bySeq: sqlite("bySeq")
  action Read { log "{length(byTime)} and {length(bySeq)}" }
}
`

// account is a server that changes its records all the time and keeps account of
// them: what a store must hold is worked out from that, and from what the server
// was asked for.
type account struct {
	*httptest.Server

	mu      sync.Mutex
	rnd     *rand.Rand
	records []entry // by id
	order   []int   // ids, by seq
	seq     int
	still   bool     // nothing changes, and nothing fails, any more
	asked   []demand // since the last look
	hits    int      // requests since the last look
	trap    int      // the request at which sprung is called; 0: none
	sprung  func(before bool)
}

// entry is a record as it stands.
type entry struct {
	id, seq, version int
	changed          time.Time
}

// demand is where a fetch began.
type demand struct {
	path, since string
}

func newAccount(t *testing.T, seed uint64) *account {
	a := &account{rnd: rand.New(rand.NewPCG(seed, 1))}
	for range 60 {
		a.change(len(a.records))
	}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(func() { a.CloseClientConnections(); a.Close() })
	return a
}

// change adds a record, or changes the one of that id.
func (a *account) change(id int) {
	a.seq++
	if id == len(a.records) {
		a.records = append(a.records, entry{id: id})
	}
	e := &a.records[id]
	if e.seq > 0 {
		a.order = slices.DeleteFunc(a.order, func(other int) bool { return other == id })
	}
	e.seq, e.version, e.changed = a.seq, e.version+1, time.Now()
	a.order = append(a.order, id)
}

// serve answers with the records that have changed since, in the order of their
// changes, behind the cursor.
func (a *account) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.hits++
	sprung := a.sprung
	if a.hits != a.trap {
		sprung = nil
	}
	before := a.rnd.IntN(2) == 0
	fails := !a.still && a.rnd.IntN(50) == 0
	if !a.still {
		for range a.rnd.IntN(8) {
			id := a.rnd.IntN(len(a.records) + 1)
			if len(a.records) >= 600 {
				id = a.rnd.IntN(len(a.records))
			}
			a.change(id)
		}
	}
	q := r.URL.Query()
	if q.Get("cursor") == "" {
		a.asked = append(a.asked, demand{r.URL.Path, q.Get("since")})
	}
	body := a.page(r.URL.Path, q.Get("since"), q.Get("cursor"))
	a.mu.Unlock()

	if sprung != nil && before {
		sprung(true)
	} else if sprung != nil {
		defer func() {
			_ = http.NewResponseController(w).Flush() // so that the answer is there
			sprung(false)
		}()
	}
	w.Header().Set("Content-Type", "application/json")
	if !fails || !before {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	switch {
	case fails && before:
		w.WriteHeader(http.StatusServiceUnavailable)
	case fails:
		_, _ = w.Write(body[:len(body)/2]) // and breaks off
		panic(http.ErrAbortHandler)
	default:
		_, _ = w.Write(body)
	}
}

func (a *account) page(path, since, cursor string) []byte {
	behind, _ := strconv.Atoi(cursor)
	type item struct {
		ID      int `json:"id"`
		Seq     int `json:"seq"`
		Version int `json:"version"`
	}
	var page struct {
		Items []item `json:"items"`
		Next  *int   `json:"next"`
	}
	page.Items = []item{}
	for _, id := range a.order {
		e := a.records[id]
		if e.seq <= behind || !e.isSince(path, since) {
			continue
		}
		if len(page.Items) == 25 {
			last := page.Items[24].Seq
			page.Next = &last
			break
		}
		page.Items = append(page.Items, item{e.id, e.seq, e.version})
	}
	body, err := json.Marshal(page)
	if err != nil {
		panic(err)
	}
	return body
}

// isSince tells whether the record has changed at that point or later.
func (e entry) isSince(path, since string) bool {
	if since == "" {
		return true
	}
	if path == "/seqs" {
		n, err := strconv.Atoi(since)
		return err != nil || e.seq >= n
	}
	at, err := time.Parse(time.RFC3339, since)
	return err != nil || !e.changed.Before(at)
}

// torture is one test.
type torture struct {
	*testing.T
	site    *site
	account *account
	rnd     *rand.Rand
	// held is what the stores held when nothing was running, by the path that
	// fills them; versions by id.
	held map[string]map[int]int
	seen map[string]string // the last position that was sent, by path
}

// TestTorture kills and restarts Reqon at moments that nobody chose, against a
// server that keeps account: nothing is lost, and no position is ever ahead of
// what is stored. REQON_TORTURE=long makes it 300 kills and 100 restarts (`just
// torture`); REQON_TORTURE_SEED repeats one.
func TestTorture(t *testing.T) {
	kills, restarts := 8, 2
	if os.Getenv("REQON_TORTURE") == "long" {
		kills, restarts = 300, 100
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("REQON_TORTURE_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("REQON_TORTURE_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("REQON_TORTURE_SEED=%d", seed)
	tt := &torture{T: t, site: newSite(t), account: newAccount(t, seed), rnd: rand.New(rand.NewPCG(seed, 2)), seen: map[string]string{}}
	tt.site.env = append(tt.site.env, "API="+tt.account.URL)
	tt.site.write("missions/torture.reqon", tortureMission)
	tt.site.write("missions/dump.reqon", tortureDump)
	tt.look()
	killed := 0
	for n := 0; killed < kills; n++ {
		if n == 10*kills {
			t.Fatalf("only %d of %d runs were killed before their end", killed, n)
		}
		if tt.kill() {
			killed++
		}
		tt.check(fmt.Sprintf("kill %d", n+1))
	}
	for n := range restarts {
		tt.restart()
		tt.check(fmt.Sprintf("restart %d", n+1))
	}
	tt.end()
}

// kill runs the mission once and kills it with SIGKILL: some time after its
// start, or while a request is under way. It tells whether the run was killed,
// and not over before.
func (t *torture) kill() bool {
	t.Helper()
	cmd := t.site.command("missions/torture.reqon")
	killed := make(chan struct{})
	kill := sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // unless it has ended
		close(killed)
	})
	delay := time.Duration(t.rnd.IntN(20_000)) * time.Microsecond
	started := make(chan struct{})
	t.account.set(1+t.rnd.IntN(7), func(before bool) {
		<-started
		if !before {
			time.Sleep(delay / 4) // somewhere in what is done with the answer
		}
		kill()
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	var timer *time.Timer
	if t.rnd.IntN(4) == 0 {
		timer = time.AfterFunc(delay, kill) // also before the first request
	}
	guard := time.AfterFunc(patience, kill)
	_ = cmd.Wait() // killed, failed or well: the stores tell
	guard.Stop()
	if timer != nil {
		timer.Stop()
	}
	t.account.set(0, nil)
	return cmd.ProcessState.ExitCode() == -1 // ended by a signal
}

// restart keeps a daemon for a while and stops it: mostly as systemd does, and
// sometimes as a power cut would.
func (t *torture) restart() {
	t.Helper()
	hit := make(chan struct{})
	t.account.set(1+t.rnd.IntN(8), func(bool) { close(hit) })
	p := t.site.start("./missions/", "--daemon", "--check-interval", "50ms")
	select {
	case <-hit:
	case <-p.ended:
		t.Fatalf("the daemon has ended:\n%s", p.text())
	case <-time.After(patience):
		t.Fatalf("the daemon does not ask:\n%s", p.text())
	}
	t.account.set(0, nil)
	switch t.rnd.IntN(4) {
	case 0:
		p.signal(syscall.SIGKILL)
		await(t.T, p.hasEnded, p.text)
	case 1: // twice: the runs are cancelled
		p.signal(syscall.SIGTERM)
		p.signal(syscall.SIGTERM)
		await(t.T, p.hasEnded, p.text)
	default:
		p.stop()
	}
}

// set makes the trap go off at the nth request from now.
func (a *account) set(n int, sprung func(before bool)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hits, a.trap, a.sprung = 0, n, sprung
}

// demands gives where the fetches began since the last look.
func (a *account) demands() []demand {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := a.asked
	a.asked = nil
	return asked
}

// check holds the stores against the account. held is what they held before, and
// the first position that was sent since was saved before, too: all that changed
// before it must have been in the store. (What a run sends later in a daemon was
// saved by a run in between, and is checked against the stores as they are now,
// which hold no less.)
func (t *torture) check(what string) {
	t.Helper()
	first := map[string]bool{}
	before := t.held
	t.look()
	for _, d := range t.account.demands() {
		held := t.held[d.path]
		if !first[d.path] {
			held = before[d.path]
		}
		first[d.path] = true
		if d.since == "" && t.seen[d.path] != "" {
			t.Errorf("%s: %s was asked for everything, behind the position %s", what, d.path, t.seen[d.path])
		}
		t.seen[d.path] = d.since
		t.ahead(what, d, held)
	}
}

// ahead holds one position against what was stored: a record that has not
// changed since then must be there as it is.
func (t *torture) ahead(what string, d demand, held map[int]int) {
	t.Helper()
	if d.since == "" {
		return
	}
	t.account.mu.Lock()
	defer t.account.mu.Unlock()
	for _, e := range t.account.records {
		if !e.isSince(d.path, d.since) && held[e.id] != e.version {
			t.Errorf("%s: the position %s of %s is ahead: record %d has version %d there and %d in the store", what, d.since, d.path, e.id, e.version, held[e.id])
		}
	}
}

// look reads the stores, with a process of their own. What they hold, the server
// has had.
func (t *torture) look() {
	t.Helper()
	t.site.reqon(0, "missions/dump.reqon", "--output", "dump.json")
	var dump map[string][]struct{ ID, Version int }
	if err := json.Unmarshal([]byte(t.site.read("dump.json")), &dump); err != nil {
		t.Fatal(err)
	}
	held := map[string]map[int]int{}
	t.account.mu.Lock()
	defer t.account.mu.Unlock()
	for path, store := range map[string]string{"/times": "byTime", "/seqs": "bySeq"} {
		held[path] = map[int]int{}
		for _, r := range dump[store] {
			if r.ID >= len(t.account.records) || r.Version < 1 || r.Version > t.account.records[r.ID].version {
				t.Errorf("store %s holds record %d in version %d, which there never was", store, r.ID, r.Version)
			}
			held[path][r.ID] = r.Version
		}
		for id, version := range t.held[path] {
			if held[path][id] < version {
				t.Errorf("store %s has lost version %d of record %d: it holds %d", store, version, id, held[path][id])
			}
		}
	}
	t.held = held
}

// end lets everything come to rest: one run later the stores are the account,
// and every run has an end.
func (t *torture) end() {
	t.Helper()
	t.account.mu.Lock()
	t.account.still = true
	t.account.mu.Unlock()
	out, _ := t.site.reqon(0, "missions/torture.reqon", "--strict")
	if !strings.Contains(out, "Torture: success") {
		t.Errorf("%s", out)
	}
	t.check("the end")
	for path, held := range t.held {
		if len(held) != len(t.account.records) {
			t.Errorf("%s: %d records are stored of %d", path, len(held), len(t.account.records))
		}
		for _, e := range t.account.records {
			if held[e.id] != e.version {
				t.Errorf("%s: record %d is stored in version %d, the server has %d", path, e.id, held[e.id], e.version)
			}
		}
	}
	statuses := map[string]int{}
	for _, r := range t.site.history() {
		if r.Mission == "Torture" {
			statuses[r.Status]++
		}
	}
	if statuses["running"] > 0 || statuses["interrupted"] == 0 || statuses["success"] == 0 {
		t.Errorf("runs: %v", statuses)
	}
	t.Logf("runs: %v; %d records, %d changes", statuses, len(t.account.records), t.account.seq)
}

// TestKilledRunHasCounts: "A run that was killed has its counts in history, as
// far as known."
func TestKilledRunHasCounts(t *testing.T) {
	s := newSite(t)
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/slow" {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
		_, _ = w.Write([]byte(`[{"id":1},{"id":2},{"id":0}]`))
	}))
	t.Cleanup(func() { close(hold); server.Close() })
	s.env = append(s.env, "API="+server.URL)
	s.write("m.reqon", `mission M {
  source API { base: env("API") }
  store out: file("out")
  action A {
    get "/fast"
    for x in response onError skip { store { id: 1 / x.id } -> out }
    get "/slow"
  }
}
`)
	p := s.start("m.reqon")
	await(t, func() bool {
		out, _ := s.reqon(0, "history", "--json")
		return strings.Contains(out, `"skipped": 1`)
	}, func() string { return "the counts of the run:\n" + p.text() })
	p.signal(syscall.SIGKILL)
	<-p.ended
	out, _ := s.reqon(0, "status", "M")
	for _, want := range []string{
		"M: interrupted (-)\n", "  action A  2 requests  0 retries  2 records\n",
		"  store out  2 inserted  0 updated  0 unchanged  1 failed\n", "  outcome  1 item skipped\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if out, _ := s.reqon(0, "history"); !strings.Contains(out, " interrupted  -     2         2        0       1 item skipped  the process (pid ") {
		t.Errorf("%s", out)
	}
}
