package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

func ids(runs []Run) (ids []string) {
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRunRoundTrip(t *testing.T) {
	db := openNew(t)
	index := 17
	start := time.Date(2026, 1, 20, 10, 0, 0, 123456789, time.FixedZone("", 3600))
	r := Run{Mission: "SyncOrders", Trigger: TriggerSchedule, Due: start.Truncate(time.Minute), Start: start}
	if err := db.BeginRun(&r); err != nil {
		t.Fatal(err)
	}
	if r.Status != StatusRunning || r.PID != os.Getpid() {
		t.Errorf("begun run is %+v", r)
	}
	got, ok, err := db.LastRun("SyncOrders")
	want := Run{ID: r.ID, Mission: "SyncOrders", Trigger: "schedule", Status: "running", PID: os.Getpid(),
		Due: time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC), Start: time.Date(2026, 1, 20, 9, 0, 0, 123456000, time.UTC)}
	if err != nil || !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("while running: %+v, %v, %v\nwant %+v", got, ok, err, want)
	}

	r.Status, r.End, r.Error = StatusFailure, start.Add(2100*time.Millisecond), "GET /orders: 500 \"quoted\"\nline\x00 ü"
	r.Actions = []ActionCount{{Name: "Sync", Requests: 3, Retries: 2, Records: 250}}
	r.Stores = []StoreCount{{Name: "orders", Inserted: 1, Updated: 2, Unchanged: 3, Failed: 4}}
	r.Errors = []RunError{{Action: "Sync", Place: "a.reqon:3:7", Message: "m", Index: &index, ID: "o-1"}, {Message: "n"}}
	r.MoreErrors = 5
	r.Counts = Counts{Skipped: 1, Queued: 2, Failed: 3, CutShort: 4, NoNext: 5, Held: 6, Warnings: 7, Redacted: 8}
	if err := db.FinishRun(&r, nil); err != nil {
		t.Fatal(err)
	}
	want.Status, want.End, want.Error = "failure", time.Date(2026, 1, 20, 9, 0, 2, 223456000, time.UTC), r.Error
	want.Actions, want.Stores, want.Counts, want.Errors, want.MoreErrors = r.Actions, r.Stores, r.Counts, r.Errors, 5
	got, _, err = db.LastRun("SyncOrders")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("finished: %+v, %v\nwant %+v", got, err, want)
	}
	if got.Duration() != 2100*time.Millisecond {
		t.Errorf("duration is %v", got.Duration())
	}
}

func TestRunAsJSON(t *testing.T) {
	zero := 0
	r := Run{ID: "i", Mission: "M", Trigger: TriggerAdhoc, Start: t0, Status: StatusRunning, PID: 7,
		Errors: []RunError{{Message: "m", Index: &zero}}}
	got, err := json.Marshal(r)
	want := `{"id":"i","mission":"M","trigger":"adhoc","start":"2026-01-20T09:00:00Z","status":"running",` +
		`"errors":[{"message":"m","index":0}],"pid":7}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestCounts(t *testing.T) {
	if c := (Counts{}); !c.Clean() || !c.Complete() || len(c.Texts()) > 0 {
		t.Errorf("nothing counted: %v", c.Texts())
	}
	for _, test := range []struct {
		counts          Counts
		clean, complete bool
		text            string
	}{
		{Counts{Skipped: 1}, false, true, "1 item skipped"},
		{Counts{Queued: 2, Failed: 1}, false, true, "1 item failed, 2 items queued"},
		{Counts{CutShort: 1, NoNext: 1}, false, false, "1 fetch cut short, 1 next page not asked for"},
		{Counts{Held: 2}, false, false, "2 sync positions held"},
		{Counts{Warnings: 1, Redacted: 3}, false, true, "1 validation warning, 3 credentials redacted"},
	} {
		c := test.counts
		if c.Clean() != test.clean || c.Complete() != test.complete || strings.Join(c.Texts(), ", ") != test.text {
			t.Errorf("%+v: clean %t, complete %t, %v", c, c.Clean(), c.Complete(), c.Texts())
		}
		text, err := json.Marshal(Run{Counts: c})
		if err != nil || strings.Contains(string(text), ":0") && !strings.Contains(string(text), `"pid":0`) {
			t.Errorf("%s, %v", text, err)
		}
	}
}

// TestProgress: what a run has done so far stays when its process is killed, and
// never takes the place of its end.
func TestProgress(t *testing.T) {
	db := openNew(t)
	r := begin(t, db, "M", t0)
	r.Actions, r.Counts = []ActionCount{{Name: "A", Requests: 3}}, Counts{Skipped: 2}
	if err := db.SaveProgress(r); err != nil {
		t.Fatal(err)
	}
	got, _, err := db.LastRun("M")
	if err != nil || got.Status != StatusRunning || got.Actions[0].Requests != 3 || got.Counts.Skipped != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	late := *r
	r.Actions = []ActionCount{{Name: "A", Requests: 5}}
	finish(t, db, r, StatusSuccess, nil)
	if err := db.SaveProgress(&late); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := db.LastRun("M"); got.Status != StatusSuccess || got.Actions[0].Requests != 5 {
		t.Errorf("the end was replaced: %+v", got)
	}
}

// TestRecordsOfBefore: a record without counts, as earlier versions wrote them,
// has none.
func TestRecordsOfBefore(t *testing.T) {
	db := openNew(t)
	finish(t, db, begin(t, db, "M", t0), StatusSuccess, nil)
	if _, err := db.pool.Exec(`UPDATE runs SET detail = '{"actions":[{"name":"A","requests":1,"retries":0,"records":2}]}'`); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := db.LastRun("M"); err != nil || !ok || !got.Counts.Clean() || got.Actions[0].Records != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRunsFilter(t *testing.T) {
	db := openNew(t)
	var a, b []string // the newest first
	for i := range 5 {
		start := t0.Add(time.Duration(i) * time.Hour)
		a = append([]string{begin(t, db, "A", start).ID}, a...)
		b = append([]string{begin(t, db, "B", start.Add(time.Minute)).ID}, b...)
	}
	all := []string{b[0], a[0], b[1], a[1], b[2], a[2], b[3], a[3], b[4], a[4]}
	tests := []struct {
		filter Filter
		want   []string
	}{
		{Filter{}, all},
		{Filter{Limit: 3}, all[:3]},
		{Filter{Mission: "A"}, a},
		{Filter{Mission: "A", Limit: 2}, a[:2]},
		{Filter{Since: t0.Add(4 * time.Hour)}, all[:2]},
		{Filter{Mission: "B", Since: t0.Add(3*time.Hour + time.Minute), Limit: 9}, b[:2]},
		{Filter{Mission: "a"}, nil}, // names are case-sensitive
		{Filter{Mission: "A' OR 1=1 --"}, nil},
	}
	for _, test := range tests {
		runs, err := db.Runs(test.filter)
		if err != nil || !slices.Equal(ids(runs), test.want) {
			t.Errorf("%+v: %v, %v\nwant %v", test.filter, ids(runs), err, test.want)
		}
	}
	last, err := db.LastRuns()
	if err != nil || len(last) != 2 || last["A"].ID != a[0] || last["B"].ID != b[0] {
		t.Errorf("LastRuns: %v, %v", last, err)
	}
	if _, ok, err := db.LastRun("C"); ok || err != nil {
		t.Errorf("LastRun of none: %v, %v", ok, err)
	}
}

func TestLastRunsOfNothing(t *testing.T) {
	last, err := openNew(t).LastRuns()
	if err != nil || len(last) != 0 {
		t.Errorf("%v, %v", last, err)
	}
}

func TestRunIDs(t *testing.T) {
	var last string
	for i := range 1000 {
		start := t0.Add(time.Duration(i) * time.Microsecond * 333)
		id, err := NewRunID(start)
		if err != nil {
			t.Fatal(err)
		}
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
			t.Fatalf("%s: version %d, variant %v, %v", id, u.Version(), u.Variant(), err)
		}
		if sec, ns := u.Time().UnixTime(); sec*1000+ns/1e6 != start.UnixMilli() {
			t.Fatalf("%s holds the time %d.%09d, want %d ms", id, sec, ns, start.UnixMilli())
		}
		if id <= last {
			t.Fatalf("%s is not greater than %s", id, last)
		}
		last = id
	}
	same := map[string]bool{}
	for range 1000 {
		id, _ := NewRunID(t0)
		same[id] = true
	}
	if len(same) != 1000 {
		t.Errorf("%d different ids of 1000", len(same))
	}
}

func TestRefusedRuns(t *testing.T) {
	db := openNew(t)
	for _, r := range []Run{
		{Trigger: TriggerAdhoc, Start: t0},
		{Mission: "M", Start: t0},
		{Mission: "M", Trigger: "cron", Start: t0},
		{Mission: "M", Trigger: TriggerAdhoc},
	} {
		if err := db.BeginRun(&r); err == nil {
			t.Errorf("BeginRun(%+v): no error", r)
		}
	}
	r := begin(t, db, "M", t0)
	again := Run{ID: r.ID, Mission: "M", Trigger: TriggerAdhoc, Start: t0}
	if err := db.BeginRun(&again); err == nil {
		t.Error("an id was used twice: no error")
	}
	tests := []struct {
		name      string
		run       Run
		positions map[string]string
		want      string
	}{
		{"running", Run{ID: r.ID, Mission: "M", Status: StatusRunning, End: t0}, nil, "not a final status"},
		{"no end", Run{ID: r.ID, Mission: "M", Status: StatusSuccess}, nil, "no end time"},
		{"unknown run", Run{ID: "x", Mission: "M", Status: StatusSuccess, End: t0}, nil, "there is no run x of M"},
		{"other mission", Run{ID: r.ID, Mission: "N", Status: StatusSuccess, End: t0}, nil, "there is no run"},
		{"no JSON", Run{ID: r.ID, Mission: "M", Status: StatusSuccess, End: t0}, map[string]string{"k": "now"}, `"k" is not JSON: now`},
	}
	for _, test := range tests {
		if err := db.FinishRun(&test.run, jsonPositions(test.positions)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want one with %q", test.name, err, test.want)
		}
	}
	finish(t, db, r, StatusSuccess, nil)
	if err := db.FinishRun(r, jsonPositions(map[string]string{"k": "1"})); err == nil || !strings.Contains(err.Error(), "recorded as success") {
		t.Errorf("finished twice: %v", err)
	}
	if _, ok, _ := positionValue(db, "M", "k"); ok {
		t.Error("the second finish saved a position")
	}
}

func TestErrorsAreCapped(t *testing.T) {
	db := openNew(t)
	r := begin(t, db, "M", t0)
	long := strings.Repeat("ü", MaxErrorText) // two bytes each
	r.Error, r.MoreErrors = long, 7
	for i := range MaxRunErrors + 3 {
		r.Errors = append(r.Errors, RunError{Message: long, Index: &i})
	}
	mine := r.Errors
	finish(t, db, r, StatusFailure, nil)
	got, _, err := db.LastRun("M")
	if err != nil || len(got.Errors) != MaxRunErrors || got.MoreErrors != 10 || *got.Errors[99].Index != 99 {
		t.Fatalf("%d errors and %d more, %v", len(got.Errors), got.MoreErrors, err)
	}
	for _, text := range []string{got.Error, got.Errors[0].Message, got.Errors[99].Message} {
		if len(text) > MaxErrorText || len(text) < MaxErrorText-4 || !utf8.ValidString(text) || !strings.HasSuffix(text, "ü…") {
			t.Errorf("text of %d bytes, valid %v, ends in %q", len(text), utf8.ValidString(text), text[len(text)-8:])
		}
	}
	if mine[0].Message != long {
		t.Error("the caller's own errors were cut")
	}
}

func TestPositionsFollowSuccess(t *testing.T) {
	db := openNew(t)
	position := func(want string) {
		t.Helper()
		v, ok, err := positionValue(db, "M", "API/orders")
		if err != nil || v != want || ok != (want != "") {
			t.Errorf("position is %q, %v, %v; want %q", v, ok, err, want)
		}
	}
	position("")
	for _, status := range []Status{StatusFailure, StatusCancelled, StatusInterrupted} {
		finish(t, db, begin(t, db, "M", t0), status, map[string]string{"API/orders": `1`})
		position("")
	}
	finish(t, db, begin(t, db, "M", t0), StatusSuccess, map[string]string{"API/orders": `"2026-01-20T09:00:00.000Z"`, "other": `12345678901234567890`})
	position(`"2026-01-20T09:00:00.000Z"`)
	finish(t, db, begin(t, db, "M", t0), StatusFailure, map[string]string{"API/orders": `2`})
	position(`"2026-01-20T09:00:00.000Z"`)
	finish(t, db, begin(t, db, "M", t0), StatusSuccess, map[string]string{"API/orders": `3`})
	position(`3`)
	// Of an incomplete run those of the fetches that were whole are handed over.
	finish(t, db, begin(t, db, "M", t0), StatusIncomplete, map[string]string{"API/orders": `4`})
	position(`4`)
	if v, ok, err := positionValue(db, "M", "other"); v != "12345678901234567890" || !ok || err != nil {
		t.Errorf("a key that the last run did not have: %q, %v, %v", v, ok, err)
	}
	if _, ok, _ := positionValue(db, "N", "other"); ok {
		t.Error("another mission has the position")
	}
}

// A position that can't be saved takes the success with it, and all the others.
func TestPositionsAreAtomic(t *testing.T) {
	db := openNew(t)
	if _, err := db.pool.Exec(`CREATE TRIGGER refuse BEFORE INSERT ON positions WHEN new.key = 'z' BEGIN SELECT RAISE(ABORT, 'refused'); END`); err != nil {
		t.Fatal(err)
	}
	r := begin(t, db, "M", t0)
	r.Status, r.End = StatusSuccess, t0
	if err := db.FinishRun(r, jsonPositions(map[string]string{"a": "1", "z": "1"})); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("error is %v", err)
	}
	if _, ok, _ := positionValue(db, "M", "a"); ok {
		t.Error("one of the positions was saved")
	}
	if got, _, _ := db.LastRun("M"); got.Status != StatusRunning {
		t.Errorf("the run is recorded as %s", got.Status)
	}
}

func TestCleanup(t *testing.T) {
	db := openNew(t)
	day := func(n int) time.Time { return t0.AddDate(0, 0, n) }
	keep := []string{
		begin(t, db, "A", day(0)).ID, // running, however old
	}
	for i := 1; i < 4; i++ {
		finish(t, db, begin(t, db, "A", day(i)), StatusFailure, nil)
	}
	young := begin(t, db, "A", day(10))
	finish(t, db, young, StatusSuccess, nil)
	finish(t, db, begin(t, db, "B", day(1)), StatusSuccess, nil)
	newest := begin(t, db, "B", day(2)) // the mission's last run, though it is old
	finish(t, db, newest, StatusSuccess, map[string]string{"k": "1"})
	keep = append(keep, newest.ID, young.ID)

	n, err := db.Cleanup(day(10)) // not older than this: young stays even so
	if err != nil || n != 4 {
		t.Errorf("removed %d, %v; want 4", n, err)
	}
	runs, err := db.Runs(Filter{})
	slices.Reverse(runs)
	if err != nil || !slices.Equal(ids(runs), keep) {
		t.Errorf("left are %v, %v; want %v", ids(runs), err, keep)
	}
	if n, err := db.Cleanup(day(10)); n != 0 || err != nil {
		t.Errorf("a second time: %d, %v", n, err)
	}
	if _, ok, err := positionValue(db, "B", "k"); !ok || err != nil {
		t.Errorf("the position is gone: %v", err)
	}
}

func TestCleanupInBatches(t *testing.T) {
	db := openNew(t)
	err := db.write("test", func(w *writer) error {
		return w.exec(`WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
			INSERT INTO runs (id, mission, trigger, started, status, owner, pid) SELECT 'r' || i, 'M', 'adhoc', i, 'success', 'o', 1 FROM n`)
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := db.Cleanup(t0); n != 2499 || err != nil {
		t.Errorf("removed %d, %v; want 2499", n, err)
	}
}

func TestMarkInterrupted(t *testing.T) {
	dir := t.TempDir()
	victim := startHelper(t, "begin", dir)
	want := victim.untilReady()
	db := openDir(t, dir)
	own := begin(t, db, "Own", t0)
	if runs, err := db.MarkInterrupted(); len(runs) != 0 || err != nil {
		t.Fatalf("while its process lives: %v, %v", runs, err)
	}
	victim.kill()
	runs, err := db.MarkInterrupted()
	if err != nil || !slices.Equal(ids(runs), want) {
		t.Fatalf("marked %v, %v; want %v", ids(runs), err, want)
	}
	for i, r := range runs {
		if len(r.Actions) != 1 || r.Actions[0].Requests != int64(i+1) {
			t.Errorf("what it had done is gone: %+v", r)
		}
		text := fmt.Sprintf("the process (pid %d) ended before the run did", victim.cmd.Process.Pid)
		if r.Status != StatusInterrupted || !r.End.IsZero() || r.Error != text || r.Duration() != 0 {
			t.Errorf("run is %+v", r)
		}
	}
	if runs, err := db.MarkInterrupted(); len(runs) != 0 || err != nil {
		t.Errorf("a second time: %v, %v", runs, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "locks", "*.lock")); len(left) != 1 {
		t.Errorf("lock files: %v, want this process' own", left)
	}
	if r, _, err := db.LastRun("Own"); r.ID != own.ID || r.Status != StatusRunning || err != nil {
		t.Errorf("own run is %+v, %v", r, err)
	}
}

// A run is also interrupted when its process closed the folder and went on.
func TestCloseGivesUpRuns(t *testing.T) {
	db := openNew(t)
	other := openDir(t, db.Dir())
	r := begin(t, other, "M", t0)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if runs, err := db.MarkInterrupted(); err != nil || len(runs) != 1 || runs[0].ID != r.ID {
		t.Errorf("marked %v, %v", runs, err)
	}
}

func TestSweepLeavesOthersAlone(t *testing.T) {
	db := openNew(t)
	begin(t, db, "M", t0)
	dir := filepath.Join(db.Dir(), locksDirName)
	dead := filepath.Join(dir, uuid.NewString()+lockSuffix) // of a process that died idle
	foreign := filepath.Join(dir, "notes.txt")
	for _, path := range []string{dead, foreign} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.MarkInterrupted(); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	want := []string{foreign, db.ownerPath(db.owner), db.turns.front.path, db.turns.turn.path}
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
}

// Many processes come and go while others sweep: no live run may be marked.
func TestSweepWhileOthersBegin(t *testing.T) {
	dir := t.TempDir()
	sweeper := openDir(t, dir)
	stop := make(chan struct{})
	swept := make(chan error)
	go func() {
		var err error
		for err == nil {
			select {
			case <-stop:
				swept <- nil
				return
			default:
			}
			var runs []Run
			if runs, err = sweeper.MarkInterrupted(); len(runs) > 0 {
				err = fmt.Errorf("marked %+v", runs)
			}
		}
		swept <- err
	}()
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			for range 10 {
				db, err := Open(dir)
				if err != nil {
					errs[i] = err
					return
				}
				r := Run{Mission: "M", Trigger: TriggerAdhoc, Start: t0}
				err = db.BeginRun(&r)
				if err == nil {
					r.Status, r.End = StatusSuccess, t0
					err = db.FinishRun(&r, nil)
				}
				if err = errors.Join(err, db.Close()); err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	if err := errors.Join(append(errs, <-swept)...); err != nil {
		t.Error(err)
	}
}

func TestRunsSideBySide(t *testing.T) {
	db := openNew(t)
	var wg sync.WaitGroup
	errs := make(chan error, 64)
	for i := range 64 {
		wg.Go(func() {
			mission := fmt.Sprint("M", i)
			for j := range 5 {
				r := Run{Mission: mission, Trigger: TriggerSchedule, Start: t0.Add(time.Duration(j) * time.Second)}
				ok, err := db.Claim(mission, r.Start, ClaimAny)
				if err == nil && !ok {
					err = errors.New("the claim was refused")
				}
				if err == nil {
					err = db.BeginRun(&r)
				}
				if err == nil {
					r.Status, r.End = StatusSuccess, r.Start
					err = db.FinishRun(&r, jsonPositions(map[string]string{"k": fmt.Sprint(j)}))
				}
				if err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	last, err := db.LastRuns()
	if err != nil || len(last) != 64 {
		t.Fatalf("%d missions, %v", len(last), err)
	}
	for mission, r := range last {
		v, _, err := positionValue(db, mission, "k")
		if v != "4" || err != nil || r.Status != StatusSuccess || !r.Start.Equal(t0.Add(4*time.Second)) {
			t.Errorf("%s: position %s, %v, last run %+v", mission, v, err, r)
		}
	}
}

// A run whose end can't be recorded, as on a full disk, must not be shown as
// running once there is space again.
func TestEndRecordedLate(t *testing.T) {
	for _, by := range []string{"the next write", "Close"} {
		dir := t.TempDir()
		db := openDir(t, dir)
		// The row of a run with its errors does not fit any more; that of a
		// claim does.
		limit := func(pages int) {
			if err := db.writer.exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
				t.Fatal(err)
			}
		}
		limit(20)
		errs := slices.Repeat([]RunError{{Message: strings.Repeat("x", MaxErrorText)}}, MaxRunErrors)
		ends := map[string]Status{"Fetched": StatusSuccess, "Broken": StatusFailure, "Stopped": StatusCancelled}
		for mission, status := range ends {
			r := begin(t, db, mission, t0)
			r.Status, r.End, r.Errors = status, t0.Add(time.Second), errs
			if status != StatusSuccess {
				r.Error = "the reason"
			}
			if err := db.FinishRun(r, jsonPositions(map[string]string{"k": "1"})); err == nil {
				t.Fatalf("%s: no error on a full disk", mission)
			}
		}
		if ok, err := db.Claim("Other", t0, ClaimAny); !ok || err != nil {
			t.Fatalf("a claim: %v, %v", ok, err)
		}
		if last, _, err := db.LastRun("Broken"); err != nil || last.Status != StatusRunning {
			t.Fatalf("while the disk is full: %v, %v", last.Status, err)
		}

		limit(1000)
		if by == "Close" {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = openDir(t, dir)
		} else if ok, err := db.Claim("Other", t0.Add(time.Second), ClaimAny); !ok || err != nil {
			t.Fatalf("a claim: %v, %v", ok, err)
		}
		for mission, status := range ends {
			want := status
			if want == StatusSuccess {
				want = StatusFailure // its sync position was not saved
			}
			last, _, err := db.LastRun(mission)
			if err != nil || last.Status != want || !last.End.Equal(t0.Add(time.Second)) || len(last.Errors) != MaxRunErrors {
				t.Errorf("by %s: %s: %v at %v with %d errors, %v; expected %v", by, mission, last.Status, last.End, len(last.Errors), err, want)
			}
			if !strings.Contains(last.Error, "the disk is full") || strings.HasPrefix(last.Error, "the reason; ") != (status != StatusSuccess) {
				t.Errorf("by %s: %s: the error is %q", by, mission, last.Error)
			}
			if _, ok, err := positionValue(db, mission, "k"); ok || err != nil {
				t.Errorf("by %s: %s: a position was saved: %v, %v", by, mission, ok, err)
			}
		}
	}
}
