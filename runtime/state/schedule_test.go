package state

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"testing"
	"time"
)

func claimIs(t *testing.T, db *DB, rule ClaimRule, mission string, due time.Time, want bool) {
	t.Helper()
	if got, err := db.Claim(mission, due, rule); got != want || err != nil {
		t.Errorf("claim of %v for %s: %v, %v; want %v", due, mission, got, err, want)
	}
}

func TestClaimOnce(t *testing.T) {
	dir := t.TempDir()
	db := openDir(t, dir)
	if _, ok, err := db.LastClaim("M"); ok || err != nil {
		t.Errorf("last claim before the first: %v, %v", ok, err)
	}
	nine, ten, eleven := t0, t0.Add(time.Hour), t0.Add(2*time.Hour)
	claimIs(t, db, ClaimAny, "M", ten, true)
	claimIs(t, db, ClaimAny, "M", ten, false)
	claimIs(t, db, ClaimAny, "M", ten.In(time.FixedZone("", 3600)), false) // the same instant
	claimIs(t, db, ClaimAny, "N", ten, true)                               // another mission's
	claimIs(t, db, ClaimAny, "M", nine, true)                              // caught up late
	claimIs(t, db, ClaimAny, "M", nine, false)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openDir(t, dir) // a restart
	claimIs(t, db, ClaimAny, "M", nine, false)
	claimIs(t, db, ClaimAny, "M", ten, false)
	claimIs(t, db, ClaimAny, "M", eleven, true)
	if due, ok, err := db.LastClaim("M"); !due.Equal(eleven) || !ok || err != nil {
		t.Errorf("last claim is %v, %v, %v", due, ok, err)
	}
	dues, err := db.Claims("M", ten)
	if err != nil || !slices.EqualFunc(dues, []time.Time{ten, eleven}, time.Time.Equal) {
		t.Errorf("claims are %v, %v", dues, err)
	}
}

func TestClaimNext(t *testing.T) {
	db := openNew(t)
	claimIs(t, db, ClaimLater, "M", t0, true)
	claimIs(t, db, ClaimLater, "M", t0, false)
	claimIs(t, db, ClaimLater, "M", t0.Add(-time.Microsecond), false) // the clock was set back
	claimIs(t, db, ClaimLater, "M", t0.Add(time.Microsecond), true)
	claimIs(t, db, ClaimLater, "N", t0.Add(-time.Hour), true)
	claimIs(t, db, ClaimAny, "M", t0.Add(-time.Hour), true) // by the way that its comment names
	claimIs(t, db, ClaimLater, "M", t0.Add(time.Minute), true)
}

// TestBeginDue: a due time is claimed and its run recorded together, or neither.
func TestBeginDue(t *testing.T) {
	db := openDir(t, t.TempDir())
	begin := func(mission, id string, due time.Time, rule ClaimRule, want bool) error {
		t.Helper()
		claimed, err := db.BeginDue(&Run{ID: id, Mission: mission, Trigger: TriggerSchedule, Due: due, Start: due.Add(time.Second)}, rule)
		if claimed != want {
			t.Errorf("begin %s of %s at %v: %v, %v; want %v", id, mission, due, claimed, err, want)
		}
		return err
	}
	recorded := func(want ...string) {
		t.Helper()
		runs, err := db.Runs(Filter{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range runs {
			ids = append(ids, r.ID)
		}
		slices.Sort(ids)
		if !slices.Equal(ids, want) {
			t.Errorf("recorded runs %v, want %v", ids, want)
		}
	}
	for _, err := range []error{
		begin("M", "1", t0, ClaimAny, true),
		begin("M", "2", t0, ClaimAny, false), // has been run
		begin("M", "3", t0.Add(-time.Minute), ClaimLater, false),
		begin("M", "4", t0.Add(-time.Minute), ClaimAny, true),
		begin("M", "5", t0.Add(time.Minute), ClaimLater, true),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	recorded("1", "4", "5")
	// The run can't be recorded: then the due time stays to be run.
	if err := begin("M", "5", t0.Add(time.Hour), ClaimAny, false); err == nil {
		t.Error("two runs of one id were recorded")
	}
	claimIs(t, db, ClaimAny, "M", t0.Add(time.Hour), true)
	recorded("1", "4", "5")
	for _, r := range []Run{
		{Mission: "M", Trigger: TriggerSchedule, Start: t0},
		{Trigger: TriggerSchedule, Due: t0, Start: t0},
		{Mission: "M", Trigger: "?", Due: t0.Add(2 * time.Hour), Start: t0},
	} {
		if claimed, err := db.BeginDue(&r, ClaimAny); claimed || err == nil {
			t.Errorf("begin of %+v: %v, %v", r, claimed, err)
		}
	}
	claimIs(t, db, ClaimAny, "M", t0.Add(2*time.Hour), true)
}

func TestRefusedClaims(t *testing.T) {
	db := openNew(t)
	if ok, err := db.Claim("", t0, ClaimAny); ok || err == nil {
		t.Errorf("no mission: %v, %v", ok, err)
	}
	if ok, err := db.Claim("M", time.Time{}, ClaimLater); ok || err == nil {
		t.Errorf("no time: %v, %v", ok, err)
	}
}

// What is forgotten must not be given out again.
func TestOldClaimsAreTrimmed(t *testing.T) {
	db := openNew(t)
	const n = keepClaims + trimClaims + 1
	minute := func(i int) time.Time { return t0.Add(time.Duration(i) * time.Minute) }
	err := db.write("test", func(w *writer) error {
		for i := range n - 1 {
			if err := w.exec(`INSERT INTO claims VALUES ('M', ?)`, minute(i).UnixMicro()); err != nil {
				return err
			}
		}
		return w.exec(`INSERT INTO schedules (mission, claims) VALUES ('M', ?)`, n-1)
	})
	if err != nil {
		t.Fatal(err)
	}
	claimIs(t, db, ClaimAny, "M", minute(n-1), true)
	dues, err := db.Claims("M", time.Time{})
	if err != nil || len(dues) != keepClaims || !dues[0].Equal(minute(n-keepClaims)) {
		t.Fatalf("%d claims from %v on, %v", len(dues), dues[0], err)
	}
	for _, i := range []int{0, 1, n - keepClaims - 1, n - keepClaims, n - 1} {
		claimIs(t, db, ClaimAny, "M", minute(i), false)
		claimIs(t, db, ClaimLater, "M", minute(i), false)
	}
	claimIs(t, db, ClaimAny, "M", minute(0).Add(time.Second), false) // never claimed, but too old to tell
	claimIs(t, db, ClaimAny, "M", minute(n-keepClaims).Add(time.Second), true)
	claimIs(t, db, ClaimAny, "M", minute(n), true)
	if got, err := db.Seen(t0, map[string]string{"M": "s"}); err != nil || !got["M"].LastDue.Equal(minute(n)) {
		t.Errorf("Seen: %v, %v", got, err)
	}
}

func TestTwoProcessesClaim(t *testing.T) {
	dir := t.TempDir()
	helpers := []*process{startHelper(t, "claims", dir), startHelper(t, "claims", dir), startHelper(t, "claims", dir)}
	for _, h := range helpers {
		h.untilReady()
	}
	for _, h := range helpers {
		if _, err := io.WriteString(h.stdin, "go\n"); err != nil {
			t.Fatal(err)
		}
	}
	winner := map[int]int{}
	for i, h := range helpers {
		for _, line := range h.rest() {
			n, err := strconv.Atoi(line)
			if err != nil {
				t.Fatal(err)
			}
			if other, twice := winner[n]; twice {
				t.Errorf("due time %d was given to %d and to %d", n, other, i)
			}
			winner[n] = i
		}
	}
	if len(winner) != 200 {
		t.Errorf("%d of 200 due times were given out", len(winner))
	}
}

func TestSeen(t *testing.T) {
	db := openNew(t)
	see := func(at time.Time, schedules map[string]string, want map[string]Schedule) {
		t.Helper()
		got, err := db.Seen(at, schedules)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %v, %v\nwant %v", got, err, want)
		}
	}
	t1, t2 := t0.Add(time.Hour), t0.Add(2*time.Hour)
	see(t0, map[string]string{"A": "every 1 minute", "B": ""}, map[string]Schedule{"A": {FirstSeen: t0}, "B": {FirstSeen: t0}})
	claimIs(t, db, ClaimAny, "A", t0.Add(time.Minute), true)
	claimIs(t, db, ClaimAny, "C", t0.Add(time.Second), true) // claimed before it was seen
	see(t1, map[string]string{"A": "every 1 minute", "C": "x"}, map[string]Schedule{
		"A": {FirstSeen: t0, LastDue: t0.Add(time.Minute)}, "C": {FirstSeen: t1, LastDue: t0.Add(time.Second)}})
	see(t2, map[string]string{"A": "every 2 minutes", "C": "x"}, map[string]Schedule{
		"A": {FirstSeen: t2, LastDue: t0.Add(time.Minute)}, "C": {FirstSeen: t1, LastDue: t0.Add(time.Second)}})
	see(t2, nil, map[string]Schedule{})
	if _, err := db.Seen(time.Time{}, nil); err == nil {
		t.Error("no time: no error")
	}
}
