package state

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestOpenAnyPath(t *testing.T) {
	for _, name := range []string{"plain", "a b?c#d%20e&vfs=nothing", "ümläut \\ \"x\"", "file:x?mode=ro", ":memory:"} {
		dir := filepath.Join(t.TempDir(), name)
		db, err := Open(dir)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		finish(t, db, begin(t, db, "M", t0), StatusSuccess, map[string]string{"k": `1`})
		if err := db.Close(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		db = openDir(t, dir)
		if v, ok, err := positionValue(db, "M", "k"); v != "1" || !ok || err != nil {
			t.Errorf("%q: position is %q, %v, %v", name, v, ok, err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) == 0 || entries[len(entries)-1].Name()[:8] != "reqon.db" {
			t.Errorf("%q: the folder holds %v, %v", name, entries, err)
		}
	}
}

func TestOpenExisting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := OpenExisting(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenExisting made the folder: %v", err)
	}
	openDir(t, dir)
	db, err := OpenExisting(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// A power cut must not take back a claim or a position: FULL is 2.
func TestEveryConnectionIsDurable(t *testing.T) {
	db := openNew(t)
	ctx := context.Background()
	conns := []*sql.Conn{db.writer.conn}
	for range maxConns - 1 {
		c, err := db.pool.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	for i, c := range conns {
		var mode string
		var sync, timeout int
		err := c.QueryRowContext(ctx, "SELECT journal_mode, synchronous, timeout FROM pragma_journal_mode, pragma_synchronous, pragma_busy_timeout").
			Scan(&mode, &sync, &timeout)
		if err != nil || mode != "wal" || sync != 2 || timeout != busyTimeoutMS {
			t.Errorf("connection %d: journal_mode %s, synchronous %d, busy_timeout %d, %v", i, mode, sync, timeout, err)
		}
	}
}

func TestClosed(t *testing.T) {
	db := openNew(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := db.BeginRun(&Run{Mission: "M", Trigger: TriggerAdhoc, Start: t0}); !errors.Is(err, ErrClosed) {
		t.Errorf("BeginRun: %v", err)
	}
	if ok, err := db.Claim("M", t0, ClaimAny); ok || !errors.Is(err, ErrClosed) {
		t.Errorf("Claim: %v, %v", ok, err)
	}
	if _, err := db.Runs(Filter{}); err == nil {
		t.Error("Runs: no error")
	}
	if left, _ := filepath.Glob(filepath.Join(db.Dir(), "locks", "*.lock")); len(left) != 0 {
		t.Errorf("lock files are left: %v", left)
	}
}

// A damaged file is refused, with what to do about it, and not touched.
func TestDamagedDatabase(t *testing.T) {
	made, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 { // many pages
		finish(t, made, begin(t, made, fmt.Sprint("M", i), t0), StatusSuccess, map[string]string{"k": `"x"`})
	}
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(made.path)
	if err != nil {
		t.Fatal(err)
	}
	read := func(db *DB) error {
		_, err := db.Runs(Filter{})
		return err
	}
	tests := []struct {
		name   string
		damage func(data []byte) []byte
	}{
		{"text", func([]byte) []byte { return []byte("this is not a database, whatever its name says\n") }},
		{"header overwritten", func(d []byte) []byte { copy(d, "garbage garbage!"); return d }},
		{"page size nonsense", func(d []byte) []byte { d[16], d[17] = 0x13, 0x37; return d }},
		{"cut in the middle", func(d []byte) []byte { return d[:len(d)/2] }},
		{"cut within a page", func(d []byte) []byte { return d[:5000] }},
		{"pages zeroed", func(d []byte) []byte { clear(d[4096:]); return d }},
		{"first page zeroed", func(d []byte) []byte { clear(d[100:4096]); return d }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			data := test.damage(bytes.Clone(good))
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := Open(dir)
			if err == nil {
				err = read(db) // damage that is not in the first page shows where it is read
				db.Close()
			}
			var corrupt *CorruptError
			if !errors.As(err, &corrupt) {
				t.Fatalf("error is %v, want a CorruptError", err)
			}
			for _, want := range []string{path, "restore it from a backup", "move it away"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(data) {
				t.Errorf("the damaged file was changed (%v)", err)
			}
		})
	}
}

func TestForeignDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	_, err = Open(dir)
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("error is %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the file was changed")
	}
}

func TestNewerVersion(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	if _, err := db.writer.conn.ExecContext(context.Background(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	_, err := Open(dir)
	var version *VersionError
	if !errors.As(err, &version) || version.Found != 99 || version.Known != len(migrations) {
		t.Fatalf("error is %v", err)
	}
	if !strings.Contains(err.Error(), "newer Reqon") || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

// rawConn opens the folder's database without this package's Open.
func rawConn(t *testing.T, dir string) (*sql.Conn, string) {
	t.Helper()
	path := filepath.Join(dir, fileName)
	pool, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); pool.Close() })
	return conn, path
}

// Each version that was ever released must lead to the newest, with its data.
func TestMigrationKeepsData(t *testing.T) {
	dir := t.TempDir()
	conn, path := rawConn(t, dir)
	ctx := context.Background()
	if err := prepareSchema(conn, dir, path, migrations[:1]); err != nil {
		t.Fatal(err)
	}
	_, err := conn.ExecContext(ctx, `
		INSERT INTO runs (id, mission, trigger, started, ended, status, owner, pid, detail) VALUES
			('0190', 'M', 'adhoc', 1768899600000000, 1768899602100000, 'success', 'o', 7, '{"stores":[{"name":"s","inserted":3}]}');
		INSERT INTO positions VALUES ('M', 'k', '"2026-01-20T09:00:00.000Z"', '0190', 1768899602100000);
		INSERT INTO schedules VALUES ('M', 'every 1 minute', 1768899600000000, 1, NULL);
		INSERT INTO claims VALUES ('M', 1768899600000000)`)
	if err != nil {
		t.Fatal(err)
	}
	// A version to come, which this test makes up.
	next := append(migrations[:len(migrations):len(migrations)], `ALTER TABLE runs ADD COLUMN extra TEXT NOT NULL DEFAULT 'e'`)
	if err := prepareSchema(conn, dir, path, next); err != nil {
		t.Fatal(err)
	}
	var id, extra string
	if err := conn.QueryRowContext(ctx, "SELECT id, extra FROM runs").Scan(&id, &extra); err != nil || id != "0190" || extra != "e" {
		t.Errorf("run is %q, %q, %v", id, extra, err)
	}
	// This program must refuse it now, and read what version 1 holds otherwise.
	var version *VersionError
	if _, err := Open(dir); !errors.As(err, &version) {
		t.Errorf("error is %v, want a VersionError", err)
	}
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("ALTER TABLE runs DROP COLUMN extra; PRAGMA user_version = %d", len(migrations))); err != nil {
		t.Fatal(err)
	}
	db := openDir(t, dir)
	r, ok, err := db.LastRun("M")
	if err != nil || !ok || !r.Start.Equal(t0) || r.Duration() != 2100*time.Millisecond || r.Stores[0].Inserted != 3 {
		t.Errorf("run is %+v, %v, %v", r, ok, err)
	}
	p, _, err := db.Position("M", "k")
	if p.Value != `"2026-01-20T09:00:00.000Z"` || p.Origin != "" || p.Run != "0190" || !p.Seen.Equal(p.Saved) || !p.Saved.Equal(t0.Add(2100*time.Millisecond)) || err != nil {
		t.Errorf("position is %+v, %v", p, err)
	}
	if due, ok, err := db.LastClaim("M"); !due.Equal(t0) || !ok || err != nil {
		t.Errorf("last claim is %v, %v, %v", due, ok, err)
	}
}

func TestMigrationIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	conn, path := rawConn(t, dir)
	if err := prepareSchema(conn, dir, path, migrations); err != nil {
		t.Fatal(err)
	}
	bad := append(migrations[:len(migrations):len(migrations)], `CREATE TABLE half (x)`, `CREATE TABLE nonsense (`)
	err := prepareSchema(conn, dir, path, bad)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint("migration to version ", len(migrations)+2)) {
		t.Fatalf("error is %v", err)
	}
	var version, half int
	err = conn.QueryRowContext(context.Background(),
		"SELECT user_version, (SELECT count(*) FROM sqlite_schema WHERE name = 'half') FROM pragma_user_version").Scan(&version, &half)
	if err != nil || version != len(migrations) || half != 0 {
		t.Errorf("version is %d with %d tables of the failed migration, %v", version, half, err)
	}
}

func TestManyProcessesOpenAndUseANewFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	var helpers []*process
	for range 4 {
		helpers = append(helpers, startHelper(t, "open", dir), startHelper(t, "runs", dir))
	}
	for _, h := range helpers {
		h.rest()
	}
	db := openDir(t, dir)
	runs, err := db.Runs(Filter{})
	if err != nil || len(runs) != 4*50 {
		t.Errorf("%d runs, %v; want 200", len(runs), err)
	}
	for _, r := range runs {
		if r.Status != StatusSuccess {
			t.Errorf("run %s is %s", r.ID, r.Status)
		}
	}
}

func TestDaemonLock(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	release, err := db.LockDaemon()
	if err != nil {
		t.Fatal(err)
	}
	// Ad hoc runs beside it share the folder.
	startHelper(t, "runs", dir).rest()

	second := openDir(t, dir)
	_, err = second.LockDaemon()
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Dir != dir {
		t.Fatalf("error is %v", err)
	}
	if want := fmt.Sprintf("pid %d", os.Getpid()); !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not name the %s", err, want)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, err = second.LockDaemon()
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestDaemonLockDiesWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	daemon := startHelper(t, "daemon", dir)
	daemon.untilReady()
	db := openDir(t, dir)
	var locked *LockedError
	if _, err := db.LockDaemon(); !errors.As(err, &locked) || locked.PID != daemon.cmd.Process.Pid {
		t.Fatalf("error is %v, want pid %d", err, daemon.cmd.Process.Pid)
	}
	daemon.kill()
	release, err := db.LockDaemon()
	if err != nil {
		t.Fatalf("after kill -9: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestDaemonLockUnknownPID(t *testing.T) {
	for _, text := range []string{"", "abc\n", "-5\n", "99999999999999999999\n"} {
		db := openNew(t)
		lock, err := lockFile(filepath.Join(db.Dir(), daemonLockName), os.O_CREATE, true)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.release()
		if _, err := lock.file.WriteString(text); err != nil {
			t.Fatal(err)
		}
		var locked *LockedError
		if _, err := db.LockDaemon(); !errors.As(err, &locked) || locked.PID != 0 || !strings.Contains(err.Error(), "another daemon") {
			t.Errorf("%q: error is %v", text, err)
		}
	}
}

func TestFolderIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("error is %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, fileName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil {
		t.Error("reqon.db is a folder: no error")
	}
}

// commitTogether waits until n writers are pending behind writerMu, which its
// caller holds, and lets them go on, in one transaction.
func commitTogether(db *DB, n int) {
	for pending := 0; pending < n; {
		db.pendingMu.Lock()
		pending = len(db.pending)
		db.pendingMu.Unlock()
	}
	db.writerMu.Unlock()
}

// Writers that fail must not take down those that share their transaction.
func TestSharedTransaction(t *testing.T) {
	db := openNew(t)
	db.writerMu.Lock() // so that all of them wait behind one
	const n = 20
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = db.write("test", func(w *writer) error {
				if err := w.exec(`INSERT INTO claims VALUES ('M', ?)`, i); err != nil {
					return err
				}
				if i%3 == 0 {
					return errors.New("refused")
				}
				return nil
			})
		})
	}
	commitTogether(db, n)
	wg.Wait()
	dues, err := db.Claims("M", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[int64]bool{}
	for _, d := range dues {
		stored[d.UnixMicro()] = true
	}
	for i := range n {
		if refused := i%3 == 0; (errs[i] != nil) != refused || stored[int64(i)] == refused {
			t.Errorf("%d: error %v, stored %v", i, errs[i], stored[int64(i)])
		}
	}
}

// A fault of this program in one writer leaves the others an error, and the next
// ones the database.
func TestPanickingWriter(t *testing.T) {
	db := openNew(t)
	db.writerMu.Lock() // so that all of them wait behind one
	const n = 5
	var wg sync.WaitGroup
	faults, errs := make([]any, n), make([]error, n)
	for i := range n {
		wg.Go(func() {
			defer func() { faults[i] = recover() }()
			errs[i] = db.write("test", func(w *writer) error {
				if err := w.exec(`INSERT INTO claims VALUES ('M', ?)`, i); err != nil {
					return err
				}
				if i == 3 {
					panic("a fault")
				}
				return nil
			})
		})
	}
	commitTogether(db, n)
	wg.Wait()
	panicked, failed := 0, 0
	for i := range n {
		switch {
		case faults[i] != nil:
			panicked++ // who commits for all
		case errors.Is(errs[i], errCutOff):
			failed++
		default:
			t.Errorf("writer %d: %v", i, errs[i])
		}
	}
	if panicked != 1 || failed != n-1 {
		t.Errorf("%d panicked, %d got an error; want 1 and %d", panicked, failed, n-1)
	}
	if dues, err := db.Claims("M", time.Time{}); len(dues) != 0 || err != nil {
		t.Errorf("claims are %v, %v", dues, err)
	}
	if ok, err := db.Claim("M", t0, ClaimAny); !ok || err != nil {
		t.Errorf("the next write: %v, %v", ok, err)
	}
}

// What breaks the whole transaction is an error of each writer in it.
func TestFailedTransaction(t *testing.T) {
	db := openNew(t)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	db.writerMu.Lock()
	for i := range errs {
		wg.Go(func() {
			errs[i] = db.write("test", func(w *writer) error {
				if i == 0 {
					return w.exec(`INSERT INTO claims VALUES ('M', 1)`)
				}
				return w.exec("ROLLBACK") // as SQLite does by itself when the disk is full
			})
		})
	}
	commitTogether(db, len(errs))
	wg.Wait()
	for i, err := range errs {
		if err == nil {
			t.Errorf("writer %d: no error", i)
		}
	}
	if dues, err := db.Claims("M", time.Time{}); len(dues) != 0 || err != nil {
		t.Errorf("claims are %v, %v", dues, err)
	}
	if ok, err := db.Claim("M", t0, ClaimAny); !ok || err != nil {
		t.Errorf("the next write: %v, %v", ok, err)
	}
}

func TestDiskFull(t *testing.T) {
	db := openNew(t)
	if _, err := db.writer.conn.ExecContext(context.Background(), "PRAGMA max_page_count = 20"); err != nil {
		t.Fatal(err)
	}
	r := begin(t, db, "M", t0)
	r.Status, r.End = StatusSuccess, t0
	r.Errors = []RunError{}
	for range 100 {
		r.Errors = append(r.Errors, RunError{Message: strings.Repeat("x", MaxErrorText)})
	}
	err := db.FinishRun(r, jsonPositions(map[string]string{"k": "1"}))
	if err == nil || !strings.Contains(err.Error(), "free some space") {
		t.Fatalf("error is %v", err)
	}
	if _, ok, err := positionValue(db, "M", "k"); ok || err != nil {
		t.Errorf("a position was saved: %v, %v", ok, err)
	}
	r.Errors = nil
	if err := db.FinishRun(r, jsonPositions(map[string]string{"k": "1"})); err != nil {
		t.Errorf("with less to write: %v", err)
	}
}

// A process that hangs with the locks of the turns must not stop the others for long.
func TestTurnsGiveUp(t *testing.T) {
	db := openNew(t)
	begin(t, db, "M", t0)
	db.turns.wait = time.Millisecond
	for range 2 { // the second time with new files
		var held []*fileLock
		for _, l := range []*turnLock{&db.turns.front, &db.turns.turn} {
			lock, err := lockFile(l.path, 0, true)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, lock)
		}
		begin(t, db, "M", t0)
		if db.turns.front.file != nil || db.turns.turn.file != nil || db.turns.turn.held {
			t.Error("the files are not left to those who wait for them")
		}
		for _, lock := range held {
			if err := lock.release(); err != nil {
				t.Fatal(err)
			}
		}
		db.turns.wait = maxTurnWait
		begin(t, db, "M", t0)
		db.turns.enter()
		if !db.turns.turn.held || db.turns.front.held {
			t.Error("the locks are not taken again")
		}
		db.turns.leave()
		db.turns.wait = time.Millisecond
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	keep := openDir(b, dir) // so that Close below has no checkpoint to do
	finish(b, keep, begin(b, keep, "M", t0), StatusSuccess, nil)
	for b.Loop() {
		db, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		db.Close()
		b.StartTimer()
	}
}

// BenchmarkStart is what a run does before its first request.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	keep := openDir(b, dir)
	finish(b, keep, begin(b, keep, "M", t0), StatusSuccess, map[string]string{"k": `"x"`})
	for b.Loop() {
		db, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := db.MarkInterrupted(); err != nil {
			b.Fatal(err)
		}
		r := begin(b, db, "M", t0)
		if _, ok, err := positionValue(db, "M", "k"); !ok || err != nil {
			b.Fatal(ok, err)
		}
		b.StopTimer()
		finish(b, db, r, StatusSuccess, nil)
		db.Close()
		b.StartTimer()
	}
}

func benchRun(b *testing.B, db *DB, mission string) {
	r := begin(b, db, mission, t0)
	r.Actions = []ActionCount{{Name: "Sync", Requests: 3, Records: 250}}
	r.Stores = []StoreCount{{Name: "orders", Inserted: 10, Updated: 240}}
	finish(b, db, r, StatusSuccess, map[string]string{"API/orders": `"2026-01-20T09:00:00.000Z"`})
}

func BenchmarkRun(b *testing.B) {
	db := openNew(b)
	for b.Loop() {
		benchRun(b, db, "M")
	}
}

func BenchmarkRunsSideBySide(b *testing.B) {
	db := openNew(b)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			benchRun(b, db, "M")
		}
	})
}

// BenchmarkDueRuns is what a run of a schedule costs here: its due time is claimed
// and its record made, and then finished with a sync position. Sixteen runs are
// under way at a time, as many as a daemon starts by itself.
func BenchmarkDueRuns(b *testing.B) {
	db := openNew(b)
	const missions = 300
	var turn atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := turn.Add(1)
			due := t0.Add(time.Duration(n/missions) * time.Second)
			r := &Run{Mission: fmt.Sprintf("Mission%03d", n%missions), Trigger: TriggerSchedule, Due: due, Start: due}
			if claimed, err := db.BeginDue(r, ClaimLater); err != nil || !claimed {
				b.Errorf("%s at %v: claimed %v, %v", r.Mission, due, claimed, err)
				return
			}
			r.Status, r.End = StatusSuccess, due.Add(time.Millisecond)
			if err := db.FinishRun(r, jsonPositions(map[string]string{"Sync": `"2026-01-20T09:00:00Z"`})); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	db := openNew(b)
	due := t0
	for b.Loop() {
		due = due.Add(time.Second)
		if ok, err := db.Claim("M", due, ClaimAny); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
