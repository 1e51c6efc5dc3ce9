package state

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzDamagedDatabase overwrites part of a database. Whatever comes of it must
// be an answer or an error.
func FuzzDamagedDatabase(f *testing.F) {
	dir := f.TempDir()
	db, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	for i := range 20 {
		r := begin(f, db, "M", t0.Add(time.Duration(i)*time.Second))
		r.Errors = []RunError{{Message: "m"}}
		if _, err := db.Claim("M", r.Start, ClaimAny); err != nil {
			f.Fatal(err)
		}
		if i > 0 { // one stays as if its process had ended
			finish(f, db, r, StatusSuccess, map[string]string{"k": `1`})
		}
	}
	if err := db.Close(); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(0, []byte("SQLite format 4"))
	f.Add(16, []byte{2, 0})
	f.Add(28, []byte{0, 0, 0, 1})
	f.Add(60, []byte{0, 0, 0, 9})
	f.Add(60, []byte("\xf40")) // a negative version
	f.Add(60, []byte{0, 0, 0, 0})
	f.Add(100, []byte{0xff, 0xff, 0xff, 0xff})
	f.Add(4096, []byte{13, 0, 0, 0, 99})
	f.Add(len(good)-300, []byte(`{"actions":[{"name":`))
	f.Fuzz(func(t *testing.T, at int, with []byte) {
		if at < 0 || at > len(good) || len(with) > 4096 {
			t.Skip()
		}
		data := append([]byte(nil), good...)
		copy(data[at:], with)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fileName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(dir)
		if err != nil {
			return
		}
		defer db.Close()
		_, _ = db.MarkInterrupted()
		_, _ = db.Runs(Filter{})
		_, _ = db.LastRuns()
		_, _, _ = positionValue(db, "M", "k")
		_, _ = db.Claim("M", t0, ClaimAny)
		_, _ = db.Claims("M", t0)
		r := Run{Mission: "M", Trigger: TriggerAdhoc, Start: t0}
		if db.BeginRun(&r) == nil {
			r.Status, r.End = StatusSuccess, t0
			_ = db.FinishRun(&r, jsonPositions(map[string]string{"k": "2"}))
		}
		_, _ = db.Cleanup(t0.Add(time.Hour))
	})
}
