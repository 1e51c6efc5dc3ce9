package file

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reqon/runtime/store"
)

// shown is how many records the file of a store shows.
func shown(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var records map[string]json.RawMessage
	if err := json.Unmarshal(text, &records); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return len(records)
}

// TestFollow: "a store's .json exists from the first finished step on and follows
// while a long run goes on, at a cost that stays linear".
func TestFollow(t *testing.T) {
	path := quickDir(t)
	d := openDir(t, path)
	clock := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	d.now = func() time.Time { return clock }
	s := openFile(t, d, "s", store.Options{})
	f := s.(*fileStore).f
	file := filepath.Join(path, "s.json")
	replaced, written, stored := 0, int64(0), int64(0)
	var last os.FileInfo
	const steps = 2000
	for i := range steps {
		record := fmt.Sprintf(`{"n":%d,"text":"some words"}`, i)
		put(t, s, store.Overwrite, fmt.Sprintf("%05d", i), record)
		stored += int64(len(record))
		info, err := os.Stat(file)
		if err != nil {
			t.Fatalf("behind step %d: %v", i, err)
		}
		if last == nil || !os.SameFile(info, last) {
			replaced++
			written += info.Size()
			last = info
		}
		if i%97 == 0 {
			// What the journal holds is no more than the file, but for the step
			// that made it so.
			if n := shown(t, file); 2*n+1 < i+1 {
				t.Errorf("behind step %d it shows %d records", i, n)
			}
		}
		clock = clock.Add(followEvery)
	}
	if replaced < 8 || replaced > 20 { // 2000 is 2^11
		t.Errorf("replaced %d times", replaced)
	}
	if written > 4*stored {
		t.Errorf("%d bytes written for %d stored", written, stored)
	}
	if err := s.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	if n := shown(t, file); n != steps {
		t.Errorf("behind Sync it shows %d records", n)
	}

	// Within followEvery it stays, however much is stored.
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * steps {
		put(t, s, store.Overwrite, fmt.Sprintf("x%05d", i), `{"text":"some more words"}`)
	}
	if now, err := os.Stat(file); err != nil || !os.SameFile(now, before) {
		t.Errorf("it was replaced too soon: %v", err)
	}
	// So it does where that takes long: no more than a tenth of the time.
	f.took = time.Minute
	clock = clock.Add(9 * time.Minute)
	put(t, s, store.Overwrite, "y", `{}`)
	if now, err := os.Stat(file); err != nil || !os.SameFile(now, before) {
		t.Errorf("it was replaced too soon: %v", err)
	}
	clock = clock.Add(time.Minute)
	put(t, s, store.Overwrite, "z", `{}`)
	if n := shown(t, file); n != 3*steps+2 {
		t.Errorf("it shows %d records", n)
	}
}

// TestFollowUnchanged: steps that change nothing make no file, nor a new one.
func TestFollowUnchanged(t *testing.T) {
	path := quickDir(t)
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	if _, err := s.Delete(ctx, "none"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, "s.json")
	if _, err := os.Stat(file); err == nil {
		t.Error("a step that stored nothing made the file")
	}
	put(t, s, store.Overwrite, "a", `{"n":1}`)
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		put(t, s, store.Overwrite, "a", `{"n":1}`)
	}
	if now, err := os.Stat(file); err != nil || !os.SameFile(now, before) {
		t.Errorf("it was replaced: %v", err)
	}
}

// TestFollowAfterKill: a process killed between its first step and the file has
// lost nothing; the next step writes the file.
func TestFollowAfterKill(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	d.still = true
	put(t, openFile(t, d, "s", store.Options{}), store.Overwrite, "a", `{}`)
	kill(d)
	s := openFile(t, openDir(t, path), "s", store.Options{})
	expect(t, s, `a={}`)
	put(t, s, store.Overwrite, "b", `{}`)
	if n := shown(t, filepath.Join(path, "s.json")); n != 2 {
		t.Errorf("it shows %d records", n)
	}
}
