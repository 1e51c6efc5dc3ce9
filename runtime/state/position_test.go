package state

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestPositionsKeepWhereTheyAreFrom(t *testing.T) {
	db := openNew(t)
	r := begin(t, db, "M", t0)
	r.Status, r.End = StatusSuccess, t0
	if err := db.FinishRun(r, &Positions{Save: []Position{{Key: "b", Value: "1", Origin: "https://x"}, {Key: "a", Value: `"t"`}}}); err != nil {
		t.Fatal(err)
	}
	if err := db.SavePositions("N", "", t0, []Position{{Key: "c", Value: "[1]"}}); err != nil {
		t.Fatal(err)
	}
	if err := db.SavePositions("N", "", t0, []Position{{Key: "d", Value: "[1"}}); err == nil {
		t.Error("a position that is no JSON was saved")
	}
	all, err := db.Positions("")
	want := []Position{
		{Mission: "M", Key: "a", Value: `"t"`, Run: r.ID, Saved: t0, Seen: t0},
		{Mission: "M", Key: "b", Value: "1", Origin: "https://x", Run: r.ID, Saved: t0, Seen: t0},
		{Mission: "N", Key: "c", Value: "[1]", Saved: t0, Seen: t0},
	}
	if err != nil || !slices.Equal(all, want) {
		t.Errorf("positions are %+v, %v", all, err)
	}
	if mine, err := db.Positions("N"); err != nil || len(mine) != 1 || mine[0].Key != "c" {
		t.Errorf("positions of N are %+v, %v", mine, err)
	}
	if found, err := db.DeletePosition("N", "c"); !found || err != nil {
		t.Errorf("removing: %v, %v", found, err)
	}
	if found, err := db.DeletePosition("N", "c"); found || err != nil {
		t.Errorf("removing what is gone: %v, %v", found, err)
	}
}

// A position that a run asks for stays, though it never moves; one that nothing
// has asked for in a year goes.
func TestPositionsOfAYearAgoGo(t *testing.T) {
	db := openNew(t)
	run := func(at time.Time, status Status, p *Positions) int {
		r := begin(t, db, "M", at)
		r.Status, r.End = status, at
		if err := db.FinishRun(r, p); err != nil {
			t.Fatal(err)
		}
		return p.Dropped
	}
	save := func(keys ...string) *Positions {
		p := &Positions{Seen: []string{"seen"}}
		for _, key := range keys {
			p.Save = append(p.Save, Position{Key: key, Value: "1"})
		}
		return p
	}
	run(t0, StatusSuccess, save("", "seen", "old"))
	run(t0.Add(200*24*time.Hour), StatusFailure, save())
	if n := run(t0.Add(365*24*time.Hour), StatusSuccess, save("new")); n != 0 {
		t.Errorf("%d went within a year", n)
	}
	if n := run(t0.Add(PositionAge+time.Second), StatusSuccess, save("new")); n != 1 {
		t.Errorf("%d went after a year", n)
	}
	all, err := db.Positions("M")
	if keys := fmt.Sprint(keysOf(all)); err != nil || keys != "[ new seen]" {
		t.Errorf("left are %s, %v", keys, err)
	}
}

func TestPositionsAreBounded(t *testing.T) {
	db := openNew(t)
	p := &Positions{}
	for i := range MaxPositions + 3 {
		p.Save = append(p.Save, Position{Key: fmt.Sprintf("k%06d", i), Value: "1"})
	}
	if err := db.SavePositions("M", "", t0, p.Save[:4]); err != nil {
		t.Fatal(err)
	}
	r := begin(t, db, "M", t0)
	r.Status, r.End = StatusSuccess, t0.Add(time.Hour)
	if err := db.FinishRun(r, &Positions{Save: p.Save[3:]}); err != nil {
		t.Fatal(err)
	}
	last := &Positions{Save: []Position{{Key: "new", Value: "1"}}}
	r = begin(t, db, "M", t0)
	r.Status, r.End = StatusSuccess, t0.Add(2*time.Hour)
	if err := db.FinishRun(r, last); err != nil || last.Dropped != 1 {
		t.Fatalf("%d went, %v", last.Dropped, err)
	}
	all, err := db.Positions("M")
	if err != nil || len(all) != MaxPositions {
		t.Fatalf("%d are left, %v", len(all), err)
	}
	if first, last := all[0].Key, all[len(all)-1].Key; first != "k000004" || last != "new" {
		t.Errorf("left are %s to %s", first, last)
	}
}

func keysOf(list []Position) (keys []string) {
	for _, p := range list {
		keys = append(keys, p.Key)
	}
	return keys
}
