package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"reqon/runtime/state"
	"reqon/runtime/telemetry"
)

// looks moves the clock by check intervals until a line is logged n times.
func (w *world) looks(n int, part string) {
	w.t.Helper()
	w.until("logged: "+part, func() bool { found, _ := w.log.count(part); return found >= n })
}

// status asks /health for its status.
func (w *world) status(want string) {
	w.t.Helper()
	_, body := w.get("/health")
	if !strings.HasPrefix(string(body), `{"status":"`+want+`",`) {
		w.t.Errorf("/health: expected %s: %s", want, body)
	}
}

func TestReload(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.run()

	w.write("c.reqon", syncMission("C", "every 2 hours"))
	w.looks(1, "C: Loaded")
	w.looks(1, "C: Next run at 11:00:")

	w.remove("b.reqon")
	w.looks(1, "B: Removed")
	if _, ok := w.mission("B"); ok {
		t.Error("B is still there")
	}

	// Another program on the same schedule changes no time.
	before, _ := w.mission("A")
	w.write("a.reqon", strings.Replace(syncMission("A", "every 1 hour"), `"/A"`, `"/other"`, 1))
	w.looks(1, "A: Reloaded")
	after, _ := w.mission("A")
	if !before.NextRun.Equal(*after.NextRun) {
		t.Errorf("next run %s became %s", before.NextRun, after.NextRun)
	}
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")
	if w.api.count("/other") != 1 || w.api.count("/A") != 0 {
		t.Error("the old program was run")
	}
	last := w.clock.Now()

	// Another schedule counts from the last run.
	w.write("a.reqon", syncMission("A", "every 3 hours"))
	w.looks(2, "A: Reloaded")
	after, _ = w.mission("A")
	if d := after.NextRun.Sub(last); d > 3*time.Hour || d < 3*time.Hour-2*time.Minute {
		t.Errorf("next run at %s, the last was about %s", after.NextRun, last)
	}

	// No schedule any more.
	w.write("a.reqon", strings.Replace(syncMission("A", "every 3 hours"), "schedule: every 3 hours", "", 1))
	w.looks(3, "A: Reloaded")
	w.next("A", "")
}

// TestUnchangedFileIsNotReloaded: a file that is only touched, or written anew
// with what it had, is not another program.
func TestUnchangedFileIsNotReloaded(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(w.dir, "a.reqon"), later, later); err != nil {
		t.Fatal(err)
	}
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.looks(1, "B: Loaded")
	w.never("A: Reloaded")
}

// TestBrokenEdit: a change that does not compile leaves the last good program,
// says what is wrong, and ends when it is mended.
func TestBrokenEdit(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	w.status("ok")
	w.write("a.reqon", strings.Replace(syncMission("A", "every 1 hour"), "store response", "store respones", 1))
	w.looks(1, "A: Not loaded; what was loaded before stays: ")
	w.sees(1, "a.reqon:8:11: unknown name `respones`")
	w.status("degraded")
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")

	w.write("a.reqon", "mission A { {{{")
	w.looks(2, "Not loaded; what was loaded before stays: ")
	w.clock.Advance(time.Hour)
	w.sees(2, "A: Completed")

	w.write("a.reqon", syncMission("A", "every 1 hour", "timeout: 1h"))
	w.looks(1, "A: Reloaded")
	w.status("ok")
}

// TestBrokenFromTheStart: one broken mission does not stop the others, and is
// picked up when it is mended.
func TestBrokenFromTheStart(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", "mission A { schedule: cron \"61 * * * *\"\n action X { log \"x\" } }")
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.run()
	w.sees(1, "Loaded 1 mission")
	w.sees(1, "A: Not loaded: ")
	w.sees(1, "61 is no minute")
	w.status("degraded")
	w.clock.Advance(time.Hour)
	w.sees(1, "B: Completed")
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.looks(1, "A: Loaded")
	w.status("ok")
}

// TestCredentials: a mission that lacks credentials is reported, and picked up
// when the file is mended; a broken file leaves those that were read last.
func TestCredentials(t *testing.T) {
	w := newWorld(t)
	w.cfg.Auth = filepath.Join(t.TempDir(), "credentials.json")
	auth := func(text string) {
		t.Helper()
		if err := os.WriteFile(w.cfg.Auth, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	auth(`{}`)
	w.write("a.reqon", strings.Replace(syncMission("A", "every 1 hour"), "base:", "auth: bearer, base:", 1))
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.run()
	w.sees(1, "Loaded 1 mission")
	w.sees(1, "A: Not loaded: ")
	w.status("degraded")

	auth(`{"API": {"type": "bearer", "token": "secret-token"}}`)
	w.looks(1, "A: Loaded")
	w.status("ok")

	auth(`{"API": `)
	w.looks(1, "[ERROR] Not loaded; what was loaded before stays: ")
	w.status("degraded")
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")

	auth(`{"Other": {"type": "bearer", "token": "secret-token"}}`)
	w.looks(1, "A: Removed")
	w.status("degraded")

	auth(`{"API": {"type": "bearer", "token": "secret-token-2"}}`)
	w.looks(2, "A: Loaded")
	w.status("ok")
	w.never("secret-token")
}

// TestTwoOfOneName: the one loaded first stays, whatever the order of the files.
func TestTwoOfOneName(t *testing.T) {
	w := newWorld(t)
	w.write("m.reqon", syncMission("A", "every 1 hour"))
	w.write("z.reqon", syncMission("A", "every 2 hours"))
	w.run()
	w.sees(1, "Loaded 1 mission")
	w.sees(1, "A: Not loaded: ")
	w.sees(1, "z.reqon:1:9: mission A is there already, at ")
	w.next("A", "2024-01-20 10:00:00")
	w.status("degraded")

	w.write("b.reqon", syncMission("A", "every 3 hours"))
	w.looks(1, "b.reqon:1:9: mission A is there already, at ")
	w.next("A", "2024-01-20 10:00:00")

	// When the first is gone, another takes its place.
	w.remove("m.reqon")
	w.looks(1, "A: Reloaded")
	m, _ := w.mission("A")
	if m.Schedule != "every 3 hours" {
		t.Errorf("%+v", m)
	}
	w.remove("z.reqon")
	w.until("all well", func() bool { _, b := w.get("/health"); return strings.HasPrefix(string(b), `{"status":"ok"`) })
}

// TestRunOnOldProgram: a run in progress finishes on the program it began with.
func TestRunOnOldProgram(t *testing.T) {
	two := func(second string) string {
		return strings.Replace(syncMission("A", "every 1 hour"), "    store response", "    get \""+second+"\"\n    store response", 1)
	}
	w := newWorld(t)
	w.write("a.reqon", two("/old"))
	release := w.api.hold("/A")
	w.run()
	w.clock.Advance(time.Hour)
	w.requests(1, "/A")
	w.write("a.reqon", two("/new"))
	w.looks(1, "A: Reloaded")
	release()
	w.sees(1, "A: Completed")
	if w.api.count("/old") != 1 || w.api.count("/new") != 0 {
		t.Errorf("old %d, new %d", w.api.count("/old"), w.api.count("/new"))
	}
}

// TestRemovedWhileRunning: the run finishes, and a mission that comes back
// meanwhile does not run beside it.
func TestRemovedWhileRunning(t *testing.T) {
	w := newWorld(t)
	text := syncMission("A", "every 1 hour")
	w.write("a.reqon", text)
	w.write("b.reqon", syncMission("B", "every 1 day"))
	release := w.api.hold("/A")
	w.run()
	w.clock.Advance(time.Hour)
	w.requests(1, "/A")
	w.remove("a.reqon")
	w.looks(1, "A: Removed")
	w.write("a.reqon", text)
	w.looks(1, "A: Reloaded")
	w.clock.Advance(2 * time.Hour)
	w.sees(1, "A: Skipped: still running")
	w.remove("a.reqon")
	w.looks(2, "A: Removed")
	release()
	w.sees(1, "A: Completed")
	w.until("it is forgotten", func() bool { _, ok := w.mission("A"); return !ok })
	if n := w.api.count("/A"); n != 1 {
		t.Errorf("%d runs", n)
	}
}

// TestFolderGone: a folder that can't be read leaves what is loaded.
func TestFolderGone(t *testing.T) {
	w := newWorld(t)
	w.cfg.Path = filepath.Join(w.dir, "missions")
	w.write("missions/a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	if err := os.Rename(w.cfg.Path, w.cfg.Path+"2"); err != nil {
		t.Fatal(err)
	}
	w.until("degraded", func() bool {
		_, b := w.get("/health")
		return strings.HasPrefix(string(b), `{"status":"degraded"`)
	})
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")
	if err := os.Rename(w.cfg.Path+"2", w.cfg.Path); err != nil {
		t.Fatal(err)
	}
	w.until("ok", func() bool { _, b := w.get("/health"); return strings.HasPrefix(string(b), `{"status":"ok"`) })
}

// TestMissionFolder: a change in any file of a mission folder reloads its mission.
func TestMissionFolder(t *testing.T) {
	w := newWorld(t)
	w.write("sync/mission.reqon", `mission A {
  schedule: every 1 hour
  source API { base: env("API"), retry: { maxAttempts: 1 } }
  run Fetch
}`)
	w.write("sync/actions/fetch.reqon", `action Fetch { get "/old" }`)
	w.run()
	w.write("sync/actions/fetch.reqon", `action Fetch { get "/new" }`)
	w.looks(1, "A: Reloaded")
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")
	if w.api.count("/new") != 1 {
		t.Error("the old action was run")
	}
	w.remove("sync/actions/fetch.reqon")
	w.looks(1, "Not loaded; what was loaded before stays: ")
}

// TestHangup: SIGHUP reloads at once, without a check interval, and reopens the
// log file.
func TestHangup(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "reqon.log")
	file, err := telemetry.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w.cfg.ReopenLog = file.Reopen
	w.cfg.Engine.Log = telemetry.New(telemetry.Options{Writer: tee{file, w.log}, Now: w.clock.Now, Location: time.UTC})
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.signals <- syscall.SIGHUP
	w.sees(1, "B: Loaded")
	text, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(text), "B: Loaded") {
		t.Errorf("%v %s", err, text)
	}
	if old, err := os.ReadFile(name + ".1"); err != nil || strings.Contains(string(old), "B: Loaded") {
		t.Errorf("%v %s", err, old)
	}
}

type tee struct {
	a, b interface{ Write([]byte) (int, error) }
}

func (t tee) Write(p []byte) (int, error) {
	if n, err := t.a.Write(p); err != nil {
		return n, err
	}
	return t.b.Write(p)
}

// TestCache: a second start takes programs from the cache, and one that is
// damaged is compiled anew.
func TestCache(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.run()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(w.cfg.Engine.StateDir, "cache")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	name := filepath.Join(dir, entries[0].Name())
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	// The entry of another mission in its place shows that it is used.
	other := decodeEntry(data)
	if other == nil || len(other.programs) != 1 {
		t.Fatal("the entry can't be read")
	}
	other.programs[0].Mission = "FromCache"
	if err := os.WriteFile(name, encodeEntry(other), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run()
	if _, ok := w.mission("FromCache"); !ok {
		t.Error("the cache was not used")
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range [][]byte{nil, data[:len(data)/2], []byte("nonsense"), append([]byte(nil), append(data[:len(data)-1:len(data)-1], data[len(data)-1]^1)...)} {
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		w.run()
		if _, ok := w.mission("A"); !ok {
			t.Error("the mission was not compiled anew")
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := os.ReadFile(name); err != nil || string(now) != string(data) {
		t.Error("the damaged entry was not replaced")
	}
	// Another compiler does not use it.
	w.cfg.Version = "another"
	w.run()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if entries, err = os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v %v", entries, err)
	}
}

func TestCacheSweep(t *testing.T) {
	c := &cache{dir: t.TempDir(), compiler: "c"}
	now := time.Now()
	for name, age := range map[string]time.Duration{"old.cached": cacheAge + time.Hour, "new.cached": time.Hour, "z.reqc": 0, "x.tmp": 2 * time.Hour, "y.tmp": time.Minute, "other": 2 * cacheAge} {
		path := filepath.Join(c.dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	c.sweep(now)
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "new.cached other y.tmp" {
		t.Errorf("left: %s", got)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add(encodeEntry(&entry{warnings: []string{"a", "b"}}))
	f.Add([]byte(cacheMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e := decodeEntry(data); e != nil && string(encodeEntry(e)) != string(data) {
			t.Error("an entry is read as another")
		}
	})
}

// TestStateFails: where the past of a new mission can't be looked up, it waits,
// and what is loaded stays.
func TestStateFails(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	if err := w.cfg.complete(); err != nil {
		t.Fatal(err)
	}
	d, err := open(context.Background(), &w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.load(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := d.engine.DB().Close(); err != nil {
		t.Fatal(err)
	}
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	for range 2 { // it is tried at every look
		s := d.loader.look(false)
		if s == nil || s.err == nil {
			t.Fatalf("%+v", s)
		}
		d.pass(func() { d.apply(s, false) })
		if len(d.jobs) != 1 || len(d.problems) != 1 || !strings.Contains(d.problems[0].Error, "closed") {
			t.Errorf("%v %v", d.jobs, d.problems)
		}
	}
	if err := d.close(); err != nil && !errors.Is(err, state.ErrClosed) {
		t.Error(err)
	}
}

// TestPast: what the state folder knows is shown from the start.
func TestPast(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.cfg.MetricsAddr = w.cfg.HealthAddr
	w.record("A", state.TriggerSchedule, start.Add(-time.Minute), start.Add(-time.Minute), state.StatusSuccess)
	w.record("B", state.TriggerSchedule, start.Add(-5*time.Minute), start.Add(-5*time.Minute), state.StatusSuccess)
	w.record("B", state.TriggerSchedule, start.Add(-time.Minute), start.Add(-time.Minute), state.StatusFailure)
	w.run()
	_, metrics := w.get("/metrics")
	for name, end := range map[string]time.Time{"A": start.Add(-59 * time.Second), "B": start.Add(-299 * time.Second)} {
		line := fmt.Sprintf("reqon_mission_last_success_timestamp_seconds{mission=%q} %d\n", name, end.Unix())
		if !strings.Contains(string(metrics), line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	m, _ := w.mission("A")
	if m.LastRun == nil || *m.LastStatus != state.StatusSuccess || text(*m.NextRun) != "2024-01-20 09:59:00" {
		t.Errorf("%+v", m)
	}
}

// TestStateFolderAmongMissions: what the daemon keeps is not taken for missions.
func TestStateFolderAmongMissions(t *testing.T) {
	w := newWorld(t)
	w.cfg.Engine.StateDir = filepath.Join(w.dir, "state")
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	for range 2 {
		w.run()
		w.signals <- syscall.SIGHUP // all is read again, with what is in the cache by now
		w.sees(1, "Reloading")
		w.clock.Advance(time.Hour)
		w.sees(1, "A: Completed")
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
	}
	w.never("Not loaded")
}

// TestDanglingLink: a link to nothing is a mission that can't be read, and keeps
// no other from being loaded.
func TestDanglingLink(t *testing.T) {
	w := newWorld(t)
	w.write("a.reqon", syncMission("A", "every 1 hour"))
	link := filepath.Join(w.dir, "z.reqon")
	if err := os.Symlink("nowhere.reqon", link); err != nil {
		t.Skip(err)
	}
	w.run()
	w.sees(1, "Not loaded: ")
	w.sees(1, link)
	w.status("degraded")
	w.write("b.reqon", syncMission("B", "every 1 hour"))
	w.looks(1, "B: Loaded")
	w.status("degraded")
	w.remove("z.reqon")
	w.until("the health is ok again", func() bool {
		_, body := w.get("/health")
		return strings.HasPrefix(string(body), `{"status":"ok",`)
	})
	w.clock.Advance(time.Hour)
	w.sees(1, "A: Completed")
}
