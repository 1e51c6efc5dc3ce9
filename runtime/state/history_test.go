package state

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKeepHistory: what is too old goes, and the file becomes smaller by it. The
// newest of each mission stays, however old it is.
func TestKeepHistory(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	record := func(mission string, at time.Time, text string) {
		t.Helper()
		actions := make([]ActionCount, 100)
		for i := range actions {
			actions[i].Name = strings.Repeat(text, 100/len(text))
		}
		r := &Run{Mission: mission, Trigger: TriggerSchedule, Start: at}
		if err := db.BeginRun(r); err != nil {
			t.Fatal(err)
		}
		r.End, r.Status, r.Error, r.Actions = at.Add(time.Second), StatusFailure, text, actions
		if err := db.FinishRun(r, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 200 {
		record("Old", now.Add(-91*24*time.Hour-time.Duration(i)*time.Hour), "why")
	}
	record("Old", now.Add(-89*24*time.Hour), "young")
	record("Gone", now.Add(-400*24*time.Hour), "the only one")
	size := func() (sum int64) {
		for _, name := range []string{fileName, fileName + "-wal"} {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
				sum += info.Size()
			}
		}
		return sum
	}
	before := size()
	removed, err := db.KeepHistory(now, DefaultKeepHistory)
	if err != nil || removed != 200 {
		t.Fatalf("%d removed, %v", removed, err)
	}
	if after := size(); after > before/4 || after > 1<<20 {
		t.Errorf("the files had %d bytes, and have %d", before, after)
	}
	runs, err := db.Runs(Filter{Limit: 10})
	if err != nil || len(runs) != 2 {
		t.Errorf("%d runs are left, %v", len(runs), err)
	}
	if removed, err = db.KeepHistory(now, DefaultKeepHistory); err != nil || removed != 0 {
		t.Errorf("once more: %d, %v", removed, err)
	}
	record("Old", now, "it is written to as before")
}
