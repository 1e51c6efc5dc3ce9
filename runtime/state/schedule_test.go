package state

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"testing"
	"time"
)

func claim(t *testing.T, claim func(string, time.Time) (bool, error), mission string, due time.Time, want bool) {
	t.Helper()
	if got, err := claim(mission, due); got != want || err != nil {
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
	claim(t, db.Claim, "M", ten, true)
	claim(t, db.Claim, "M", ten, false)
	claim(t, db.Claim, "M", ten.In(time.FixedZone("", 3600)), false) // the same instant
	claim(t, db.Claim, "N", ten, true)                               // another mission's
	claim(t, db.Claim, "M", nine, true)                              // caught up late
	claim(t, db.Claim, "M", nine, false)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openDir(t, dir) // a restart
	claim(t, db.Claim, "M", nine, false)
	claim(t, db.Claim, "M", ten, false)
	claim(t, db.Claim, "M", eleven, true)
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
	claim(t, db.ClaimNext, "M", t0, true)
	claim(t, db.ClaimNext, "M", t0, false)
	claim(t, db.ClaimNext, "M", t0.Add(-time.Microsecond), false) // the clock was set back
	claim(t, db.ClaimNext, "M", t0.Add(time.Microsecond), true)
	claim(t, db.ClaimNext, "N", t0.Add(-time.Hour), true)
	claim(t, db.Claim, "M", t0.Add(-time.Hour), true) // by the way that its comment names
	claim(t, db.ClaimNext, "M", t0.Add(time.Minute), true)
}

func TestRefusedClaims(t *testing.T) {
	db := openNew(t)
	if ok, err := db.Claim("", t0); ok || err == nil {
		t.Errorf("no mission: %v, %v", ok, err)
	}
	if ok, err := db.ClaimNext("M", time.Time{}); ok || err == nil {
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
	claim(t, db.Claim, "M", minute(n-1), true)
	dues, err := db.Claims("M", time.Time{})
	if err != nil || len(dues) != keepClaims || !dues[0].Equal(minute(n-keepClaims)) {
		t.Fatalf("%d claims from %v on, %v", len(dues), dues[0], err)
	}
	for _, i := range []int{0, 1, n - keepClaims - 1, n - keepClaims, n - 1} {
		claim(t, db.Claim, "M", minute(i), false)
		claim(t, db.ClaimNext, "M", minute(i), false)
	}
	claim(t, db.Claim, "M", minute(0).Add(time.Second), false) // never claimed, but too old to tell
	claim(t, db.Claim, "M", minute(n-keepClaims).Add(time.Second), true)
	claim(t, db.Claim, "M", minute(n), true)
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
	claim(t, db.Claim, "A", t0.Add(time.Minute), true)
	claim(t, db.Claim, "C", t0.Add(time.Second), true) // claimed before it was seen
	see(t1, map[string]string{"A": "every 1 minute", "C": "x"}, map[string]Schedule{
		"A": {FirstSeen: t0, LastDue: t0.Add(time.Minute)}, "C": {FirstSeen: t1, LastDue: t0.Add(time.Second)}})
	see(t2, map[string]string{"A": "every 2 minutes", "C": "x"}, map[string]Schedule{
		"A": {FirstSeen: t2, LastDue: t0.Add(time.Minute)}, "C": {FirstSeen: t1, LastDue: t0.Add(time.Second)}})
	see(t2, nil, map[string]Schedule{})
	if _, err := db.Seen(time.Time{}, nil); err == nil {
		t.Error("no time: no error")
	}
}
