package file

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/flock"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// kill leaves a Dir as the end of its process would: nothing more is written.
func kill(d *Dir) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		rest(f)
		f.stopFlushes()
		f.lock.Close()
	}
	d.files = nil
}

// rest gives a lease back, as happens when the store is not changed for a
// moment.
func rest(f *file) {
	f.turn <- struct{}{}
	defer f.passTurn()
	if f.lease != nil {
		f.giveLock()
	}
}

// noticed opens a Dir and collects its notices.
func noticed(t *testing.T, path string) (*Dir, *[]string) {
	t.Helper()
	var got []string
	d, err := OpenDir(path, value.NewShapes(), DirOptions{Notice: func(m string) { got = append(got, m) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, &got
}

func read(t testing.TB, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t testing.TB, content string, parts ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(parts...), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree returns a folder's files by path.
func tree(t testing.TB, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			name, _ := filepath.Rel(path, p)
			all[name] = read(t, p)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

// plant makes a folder with these files.
func plant(t testing.TB, files map[string]string) string {
	t.Helper()
	path := quickDir(t)
	for name, content := range files {
		os.MkdirAll(filepath.Dir(filepath.Join(path, name)), 0o700)
		write(t, content, path, name)
	}
	return path
}

func TestFilesOfAStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	d := openDir(t, path)
	s := openFile(t, d, "exports/eu/orders", store.Options{})
	expect(t, s)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made the state folder: %v", err)
	}
	put(t, s, store.Overwrite, "b", `{"n":1, "t":"x"}`, `"`, `{}`)
	// "exists from the first finished step on": and has what that stored.
	want := "{\n  \"b\": {\"n\":1,\"t\":\"x\"},\n  \"\\\"\": {}\n}\n"
	if got := read(t, path, "exports/eu/orders.json"); got != want {
		t.Errorf("snapshot:\n%s\nwant\n%s", got, want)
	}
	modes := map[string]fs.FileMode{}
	filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		info, _ := d.Info()
		name, _ := filepath.Rel(path, p)
		modes[name] = info.Mode()
		return err
	})
	if want := map[string]fs.FileMode{
		".":                          fs.ModeDir | 0o700,
		"exports":                    fs.ModeDir | 0o700,
		"exports/eu":                 fs.ModeDir | 0o700,
		"exports/eu/orders.json":     0o600,
		"exports/eu/.orders.journal": 0o600,
		"exports/eu/.orders.lock":    0o600,
	}; !maps.Equal(modes, want) {
		t.Errorf("files %v\nwant %v", modes, want)
	}
	if _, err := s.Clear(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path, "exports/eu/orders.json"); got != "{}\n" {
		t.Errorf("snapshot of an empty store: %q", got)
	}
}

func TestSyncWritesOnlyWhatChanged(t *testing.T) {
	path := t.TempDir()
	s := openFile(t, openDir(t, path), "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	s.Sync(ctx)
	before, _ := os.Stat(filepath.Join(path, "s.json"))
	put(t, s, store.Overwrite, "a", `{}`)
	if err := s.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(filepath.Join(path, "s.json")); !os.SameFile(before, after) {
		t.Error("the snapshot was replaced though nothing had changed")
	}
	if n := len(read(t, path, ".s.journal")); n != headerSize {
		t.Errorf("the journal has %d bytes after storing an unchanged record", n)
	}
}

func TestStoresOfOneTargetShareIt(t *testing.T) {
	d := openDir(t, t.TempDir())
	a := openFile(t, d, "s", store.Options{})
	b := openFile(t, d, "s.json", store.Options{Keep: 2})
	put(t, a, store.Overwrite, "1", `{}`, "2", `{}`)
	expect(t, b, "1={}", "2={}")
	put(t, b, store.Overwrite, "3", `{}`)
	expect(t, a, "2={}", "3={}")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, b, store.Overwrite, "4", `{}`)
	expect(t, b, "3={}", "4={}")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, openFile(t, d, "s", store.Options{}), "3={}", "4={}")
}

func TestTargets(t *testing.T) {
	for _, target := range []string{"", "../x", "/etc/passwd", "cache/x", "tokens/API", "reqon.db"} {
		if _, err := openDir(t, t.TempDir()).File(target, store.Options{}); err == nil || !strings.Contains(err.Error(), "expected a name such as") {
			t.Errorf("%q: %v", target, err)
		}
	}
}

func TestLinksAreRefused(t *testing.T) {
	outside := t.TempDir()
	write(t, "{}\n", outside, "s.json")
	for name, link := range map[string]func(path string) string{
		"folder": func(path string) string { os.Symlink(outside, filepath.Join(path, "x")); return "x/s" },
		"folder inside": func(path string) string {
			os.Mkdir(filepath.Join(path, "y"), 0o700)
			os.Symlink("y", filepath.Join(path, "x"))
			return "x/s"
		},
		"snapshot": func(path string) string {
			os.Symlink(filepath.Join(outside, "s.json"), filepath.Join(path, "s.json"))
			return "s"
		},
		"journal": func(path string) string {
			os.Symlink(filepath.Join(outside, "j"), filepath.Join(path, ".s.journal"))
			return "s"
		},
		"lock": func(path string) string {
			os.Symlink(filepath.Join(outside, "l"), filepath.Join(path, ".s.lock"))
			return "s"
		},
		"next journal": func(path string) string {
			os.Symlink(filepath.Join(outside, "n"), filepath.Join(path, ".s.journal.next"))
			return "s"
		},
		"folder for file": func(path string) string { os.Mkdir(filepath.Join(path, "s.json"), 0o700); return "s" },
		"file for folder": func(path string) string { write(t, "", path, "x"); return "x/s" },
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			s := openFile(t, openDir(t, path), link(path), store.Options{})
			_, err := s.Put(ctx, store.Batch{Records: recs(t, "a", `{}`)})
			if err == nil || !(strings.Contains(err.Error(), "link") || strings.Contains(err.Error(), "file")) {
				t.Errorf("Put: %v", err)
			}
			if got := tree(t, outside); len(got) != 1 || got["s.json"] != "{}\n" {
				t.Errorf("outside now holds %v", got)
			}
		})
	}
}

func TestTempFileLinkIsReplaced(t *testing.T) {
	// What stands in the temporary file's place is removed, not followed.
	path, outside := t.TempDir(), t.TempDir()
	write(t, "mine", outside, "f")
	os.Symlink(filepath.Join(outside, "f"), filepath.Join(path, ".s.tmp"))
	s := openFile(t, openDir(t, path), "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, outside, "f"); got != "mine" {
		t.Errorf("the link's target now holds %q", got)
	}
}

func TestStateFolderIsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, "", path)
	if _, err := OpenDir(path, value.NewShapes(), DirOptions{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("OpenDir: %v", err)
	}
}

// TestHandEdits: what people and other programs write is read, whatever its
// layout, and the next Sync brings it into form.
func TestHandEdits(t *testing.T) {
	pretty := "\ufeff{\r\n\t\"b\" : {\n    \"n\": 1.10,\n    \"t\": \"\\u0041\\/}{\\\"\"\n  },\n \"\\u0061\":{}\r\n}\n\n"
	path := plant(t, map[string]string{"s.json": pretty})
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	expect(t, s, `b={"n":1.10,"t":"A/}{\""}`, `a={}`)
	// The same record is unchanged, however it was laid out.
	if got := put(t, s, store.Overwrite, "b", `{"n":1.10,"t":"A/}{\""}`); got != (store.Result{Unchanged: 1}) {
		t.Errorf("%+v", got)
	}
	if got := put(t, s, store.MergeFields, "b", `{"n":1.10}`, "c", `{}`); got != (store.Result{Inserted: 1, Unchanged: 1}) {
		t.Errorf("%+v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := "{\n  \"b\": {\"n\":1.10,\"t\":\"A/}{\\\"\"},\n  \"a\": {},\n  \"c\": {}\n}\n"
	if got := read(t, path, "s.json"); got != want {
		t.Errorf("after sync:\n%s\nwant\n%s", got, want)
	}
	// And again, now that there is a journal that knows another file.
	write(t, `{"a": {"edited": true}}`, path, "s.json")
	s = openFile(t, d, "s", store.Options{})
	expect(t, s, `a={"edited":true}`)
	put(t, s, store.Overwrite, "z", `{}`)
	kill(d)
	d = openDir(t, path)
	expect(t, openFile(t, d, "s", store.Options{}), `a={"edited":true}`, `z={}`)
}

// TestEditOfOneLength: an edit is seen even if size and time stay the same.
func TestEditOfOneLength(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{"n":1}`)
	s.Close()
	info, _ := os.Stat(filepath.Join(path, "s.json"))
	write(t, strings.Replace(read(t, path, "s.json"), "1", "2", 1), path, "s.json")
	os.Chtimes(filepath.Join(path, "s.json"), info.ModTime(), info.ModTime())
	expect(t, openFile(t, d, "s", store.Options{}), `a={"n":2}`)
}

func TestEditUnderAJournal(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{"n":1}`, "b", `{"n":1}`, "c", `{"n":1}`)
	s.Sync(ctx)
	put(t, s, store.Overwrite, "a", `{"n":2}`, "d", `{"n":2}`)
	s.Delete(ctx, "c")
	kill(d)
	write(t, `{"x":{}, "b":{"n":9}, "a":{"n":9}, "c":{"n":9}}`, path, "s.json")
	d, notices := noticed(t, path)
	s = openFile(t, d, "s", store.Options{})
	expect(t, s, `x={}`, `b={"n":9}`, `a={"n":2}`, `d={"n":2}`)
	if len(*notices) != 1 || !strings.Contains((*notices)[0], "by hand") {
		t.Errorf("notices: %q", *notices)
	}
	if err := s.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	d.Close()
	d, notices = noticed(t, path)
	expect(t, openFile(t, d, "s", store.Options{}), `x={}`, `b={"n":9}`, `a={"n":2}`, `d={"n":2}`)
	if len(*notices) != 0 {
		t.Errorf("notices once it is settled: %q", *notices)
	}
}

func TestRemovedByHand(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	s.Close()
	os.Remove(filepath.Join(path, "s.json"))
	s = openFile(t, d, "s", store.Options{})
	expect(t, s)
	put(t, s, store.Overwrite, "b", `{}`)
	kill(d)
	expect(t, openFile(t, openDir(t, path), "s", store.Options{}), `b={}`)
}

// TestEditsWhileInUse: what a person changes under a running process is not
// overwritten unseen, nor is what the process has put lost.
func TestEditsWhileInUse(t *testing.T) {
	start := func(t *testing.T) (string, store.Store) {
		path := t.TempDir()
		s := openFile(t, openDir(t, path), "s", store.Options{})
		put(t, s, store.Overwrite, "a", `{"n":1}`, "b", `{"n":1}`)
		s.Sync(ctx)
		put(t, s, store.Overwrite, "c", `{"n":1}`)
		rest(s.(*fileStore).f)
		return path, s
	}
	t.Run("replaced", func(t *testing.T) {
		path, s := start(t)
		write(t, `{"b":{"n":2}}`, path, "new")
		os.Rename(filepath.Join(path, "new"), filepath.Join(path, "s.json"))
		expect(t, s, `a={"n":1}`, `b={"n":1}`, `c={"n":1}`)
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		expect(t, s, `b={"n":2}`, `c={"n":1}`)
	})
	t.Run("written over", func(t *testing.T) {
		path, s := start(t)
		write(t, `{"b":{"n":2}}`, path, "s.json")
		// The bytes that were there are gone, so the file counts from now on.
		v, ok, err := s.Get(ctx, "b")
		if err != nil || !ok || string(value.AppendJSON(nil, v)) != `{"n":2}` {
			t.Errorf("Get = %s, %v, %v", value.Describe(v), ok, err)
		}
		expect(t, s, `b={"n":2}`, `c={"n":1}`)
	})
	t.Run("written over, then merged into", func(t *testing.T) {
		path, s := start(t)
		write(t, `{"b":{"m":2}}`, path, "s.json")
		put(t, s, store.MergeFields, "b", `{"x":3}`)
		expect(t, s, `b={"m":2,"x":3}`, `c={"n":1}`)
	})
	t.Run("written over, then synced", func(t *testing.T) {
		path, s := start(t)
		write(t, `{"b":{"m":2}}`, path, "s.json")
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		expect(t, s, `b={"m":2}`, `c={"n":1}`)
	})
	t.Run("broken", func(t *testing.T) {
		path, s := start(t)
		write(t, `{"b":{"m":2}`, path, "s.json")
		if err := s.Sync(ctx); err == nil || !strings.Contains(err.Error(), "s.json:1:13") {
			t.Errorf("Sync: %v", err)
		}
		if got := read(t, path, "s.json"); got != `{"b":{"m":2}` {
			t.Errorf("the broken file was overwritten: %s", got)
		}
		write(t, `{"b":{"m":2}}`, path, "s.json")
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		expect(t, s, `b={"m":2}`, `c={"n":1}`)
	})
	t.Run("all files removed", func(t *testing.T) {
		path, s := start(t)
		for name := range tree(t, path) {
			os.Remove(filepath.Join(path, name))
		}
		// Only this process has the records now. It writes them out.
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		expect(t, openFile(t, openDir(t, path), "s", store.Options{}), `a={"n":1}`, `b={"n":1}`, `c={"n":1}`)
	})
	t.Run("all files removed, and another store begun", func(t *testing.T) {
		path, s := start(t)
		for name := range tree(t, path) {
			os.Remove(filepath.Join(path, name))
		}
		other := openFile(t, openDir(t, path), "s", store.Options{})
		put(t, other, store.Overwrite, "x", `{}`)
		put(t, s, store.Overwrite, "y", `{}`)
		put(t, other, store.Overwrite, "z", `{}`)
		expect(t, s, `x={}`, `y={}`, `z={}`)
		expect(t, other, `x={}`, `y={}`, `z={}`)
	})
	t.Run("journal removed, then killed", func(t *testing.T) {
		path, s := start(t)
		os.Remove(filepath.Join(path, ".s.journal"))
		put(t, s, store.Overwrite, "d", `{}`)
		kill(s.(*fileStore).f.dir)
		expect(t, openFile(t, openDir(t, path), "s", store.Options{}), `a={"n":1}`, `b={"n":1}`, `c={"n":1}`, `d={}`)
	})
	t.Run("lock removed", func(t *testing.T) {
		path, s := start(t)
		os.Remove(filepath.Join(path, ".s.lock"))
		other := openFile(t, openDir(t, path), "s", store.Options{})
		put(t, other, store.Overwrite, "x", `{}`)
		put(t, s, store.Overwrite, "y", `{}`)
		put(t, other, store.Overwrite, "z", `{}`)
		expect(t, s, `a={"n":1}`, `b={"n":1}`, `c={"n":1}`, `x={}`, `y={}`, `z={}`)
	})
	t.Run("folder removed", func(t *testing.T) {
		path, s := start(t)
		os.RemoveAll(path)
		if err := s.Sync(ctx); err == nil || !strings.Contains(err.Error(), "removed") {
			t.Errorf("Sync: %v", err)
		}
	})
}

func TestUnreadableSnapshots(t *testing.T) {
	for content, want := range map[string]string{
		"":                               "s.json:1:1: found an empty file",
		"[{\"id\":1}]":                   "s.json:1:1: found an array",
		"null":                           "s.json:1:1: found `n`",
		"{":                              "s.json:1:2: found the end of the file",
		"{\"a\":{}":                      "s.json:1:8: found the end of the file",
		"{\"a\":{},}":                    "s.json:1:9: found `}`, expected a key after the comma",
		"{\"a\":{}} x":                   "s.json:1:10: found `x`, expected the end of the file",
		"{\n \"a\": 1\n}":                "s.json:2:7: found a number, expected an object: the record of key \"a\"",
		"{\n \"a\": []\n}":               "s.json:2:7: found an array",
		"{\n \"é\" {}\n}":                "s.json:2:6: found `{`, expected `:`",
		"{\"a\":{},\n\"b\":{},\"a\":{}}": "s.json:2:8: found the key \"a\" a second time",
		"{\"a\":{\"x\":tru}}":            "s.json:1:11: ",
		"{\"a\":{\"x\":1,\"x\":2}}":      "s.json:1:13: ",
		"{\"a\":{\"x\":\"\xff\"}}":       "s.json:1:12: ",
		"{\"a\":{\"x\":\"}":              "s.json:1:6: found the end of the file in the middle of this",
		"{\"a":                           "s.json:1:2: found the end of the file in the middle of this",
		"{a:{}}":                         "s.json:1:2: found `a`, expected a key in double quotes",
		"{\"\\x\":{}}":                   "s.json:1:",
		"{\"a\":{]}":                     "s.json:1:7: ",
		"{\"a\":{}{}}":                   "s.json:1:8: found `{`, expected `,` or `}`",
		"\x00\x00\x00":                   "s.json:1:1: found the byte 0x00",
	} {
		path := plant(t, map[string]string{"s.json": content})
		s := openFile(t, openDir(t, path), "s", store.Options{})
		_, err := s.Put(ctx, store.Batch{Records: recs(t, "z", `{}`)})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "It was left as it is") {
			t.Errorf("%q: Put: %v\nwant %s", content, err, want)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%q: Close: %v", content, err)
		}
		if got := read(t, path, "s.json"); got != content {
			t.Errorf("%q was overwritten with %q", content, got)
		}
	}
}

// TestTimesOfWriting: they outlive the process, and a snapshot that has none
// counts as written when the file was.
func TestTimesOfWriting(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	start := now
	opt := store.Options{TTL: time.Hour, Now: func() time.Time { return now }}
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", opt)
	put(t, s, store.Overwrite, "a", `{}`)
	now = start.Add(10 * time.Minute)
	put(t, s, store.Overwrite, "b", `{}`)
	s.Close()
	now = start.Add(20 * time.Minute)
	s = openFile(t, d, "s", store.Options{Now: opt.Now}) // a store without ttl keeps the times
	put(t, s, store.Overwrite, "c", `{}`)
	s.Close()
	now = start.Add(65 * time.Minute)
	s = openFile(t, d, "s", opt)
	expect(t, s, `b={}`, `c={}`)
	now = start.Add(71 * time.Minute)
	expect(t, s, `c={}`)
	s.Close()
	if got := read(t, path, "s.json"); got != "{\n  \"c\": {}\n}\n" {
		t.Errorf("snapshot: %s", got)
	}
	// Edited by hand an hour and a half from the start.
	write(t, `{"c":{},"e":{}}`, path, "s.json")
	edited := start.Add(90 * time.Minute)
	os.Chtimes(filepath.Join(path, "s.json"), edited, edited)
	now = start.Add(149 * time.Minute)
	s = openFile(t, d, "s", opt)
	expect(t, s, `c={}`, `e={}`)
	now = start.Add(151 * time.Minute)
	expect(t, s)
}

func TestTTLGivenLater(t *testing.T) {
	now := time.Now()
	opt := store.Options{Now: func() time.Time { return now }}
	d := openDir(t, t.TempDir())
	plain := openFile(t, d, "s", opt)
	put(t, plain, store.Overwrite, "a", `{}`)
	now = now.Add(time.Hour)
	put(t, plain, store.Overwrite, "b", `{}`)
	opt.TTL = 30 * time.Minute
	// The journal knows when they were written.
	expect(t, openFile(t, d, "s", opt), `b={}`)
	expect(t, plain, `b={}`)
}

// TestTornTail: of a journal cut anywhere within its last batch, everything
// before it is there, and writing goes on.
func TestTornTail(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{"n":1}`)
	s.Sync(ctx)
	put(t, s, store.Overwrite, "b", `{"n":1}`)
	before := len(read(t, path, ".s.journal"))
	put(t, s, store.Overwrite, "a", `{"n":2}`, "c", `{"n":1}`)
	kill(d)
	files := tree(t, path)
	whole := files[".s.journal"]
	for n := before; n < len(whole); n++ {
		for _, tail := range []string{"", strings.Repeat("\x00", len(whole)-n), "\x00\x00\x00"} {
			if n == len(whole)-1 && tail == whole[n:] {
				continue
			}
			cut := maps.Clone(files)
			cut[".s.journal"] = whole[:n] + tail
			if cut[".s.journal"] == whole {
				continue
			}
			p := plant(t, cut)
			d := openDir(t, p)
			s := openFile(t, d, "s", store.Options{})
			expect(t, s, `a={"n":1}`, `b={"n":1}`)
			put(t, s, store.Overwrite, "d", `{}`)
			kill(d)
			expect(t, openFile(t, openDir(t, p), "s", store.Options{}), `a={"n":1}`, `b={"n":1}`, `d={}`)
		}
	}
}

// TestDamagedByte: whichever byte of a journal flips, no record is made up. What
// comes is an error, or the state after a whole batch.
func TestDamagedByte(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{"n":1}`)
	s.Sync(ctx)
	states := []string{`a={"n":1}`}
	step := func(pairs ...string) {
		put(t, s, store.MergeFields, pairs...)
		states = append(states, strings.Join(dump(t, s), " "))
	}
	step("b", `{"n":1}`)
	step("a", `{"m":2}`, "c", `{}`)
	if err := s.(*fileStore).f.flush(s.(*fileStore).f.gen, s.(*fileStore).f.end); err != nil {
		t.Fatal(err)
	}
	durable := len(states)
	step("d", `{"n":1}`) // its frame says that the two before it are on disk
	kill(d)
	files := tree(t, path)
	whole := []byte(files[".s.journal"])
	for i := range whole {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			damaged := slices.Clone(whole)
			damaged[i] ^= flip
			f := maps.Clone(files)
			f[".s.journal"] = string(damaged)
			p := plant(t, f)
			d := openDir(t, p)
			s := openFile(t, d, "s", store.Options{})
			_, err := s.Len(ctx)
			if err != nil {
				if !strings.Contains(err.Error(), ".s.journal") || !strings.Contains(err.Error(), "backup") {
					t.Errorf("byte %d: %v", i, err)
				}
				if _, err := s.Put(ctx, store.Batch{Records: recs(t, "z", `{}`)}); err == nil {
					t.Errorf("byte %d: the damaged store takes records", i)
				}
				s.Close()
				if now := tree(t, p); !maps.Equal(now, f) {
					t.Errorf("byte %d: damaged files were changed", i)
				}
				continue
			}
			at := slices.Index(states, strings.Join(dump(t, s), " "))
			if at < durable-1 {
				t.Errorf("byte %d: state %d: %v", i, at, dump(t, s))
			}
		}
	}
}

// TestPowerCut: frames that had not reached the disk may be lost in any order.
// Those behind a lost one go with it, and a notice says so.
func TestPowerCut(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	s.Sync(ctx)
	from := len(read(t, path, ".s.journal"))
	put(t, s, store.Overwrite, "b", `{}`)
	to := len(read(t, path, ".s.journal"))
	put(t, s, store.Overwrite, "c", `{}`)
	put(t, s, store.Overwrite, "d", `{}`)
	kill(d)
	j := []byte(read(t, path, ".s.journal"))
	clear(j[from:to])
	write(t, string(j), path, ".s.journal")
	d, notices := noticed(t, path)
	s = openFile(t, d, "s", store.Options{})
	expect(t, s, `a={}`)
	if len(*notices) != 1 || !strings.Contains((*notices)[0], "last 2 batches") {
		t.Errorf("notices: %q", *notices)
	}
	put(t, s, store.Overwrite, "e", `{}`)
	expect(t, s, `a={}`, `e={}`)
}

// TestBatchInParts: a batch too large for one frame is stored as a whole or
// not at all.
func TestBatchInParts(t *testing.T) {
	big := `{"text":"` + strings.Repeat("x", 3<<20) + `"}`
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "first", `{}`)
	before := int64(len(read(t, path, ".s.journal")))
	// The last but one merges with one that has been written already.
	if got := put(t, s, store.MergeFields, "1", big, "2", big, "3", big, "4", big, "1", `{"text":"short"}`, "5", big); got != (store.Result{Inserted: 5, Updated: 1, Unchanged: 0}) {
		t.Errorf("%+v", got)
	}
	if v, ok, err := s.Get(ctx, "1"); !ok || err != nil || value.Field(v, "text").Str() != "short" {
		t.Errorf("Get: %v, %v", ok, err)
	}
	kill(d)
	files := tree(t, path)
	jr := journalReader{r: strings.NewReader(files[".s.journal"]), size: int64(len(files[".s.journal"]))}
	var parts []int64
	for off := before; off < jr.size; {
		f, err := jr.read(off)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, f.next)
		off = f.next
	}
	if len(parts) < 3 {
		t.Fatalf("the batch has %d parts; the test wants more", len(parts))
	}
	for i, end := range parts {
		f := maps.Clone(files)
		f[".s.journal"] = files[".s.journal"][:end]
		s := openFile(t, openDir(t, plant(t, f)), "s", store.Options{})
		n, err := s.Len(ctx)
		if want := 1; i == len(parts)-1 {
			want = 6
			if n != want || err != nil {
				t.Errorf("all parts: %d records, %v", n, err)
			}
		} else if n != want || err != nil {
			t.Errorf("%d of %d parts: %d records, %v", i+1, len(parts), n, err)
		}
	}
}

// TestInterruptedReplacing: wherever a process is killed while it replaces the
// snapshot, the next one finds every finished batch, once.
func TestInterruptedReplacing(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	for name, opt := range map[string]store.Options{"plain": {}, "ttl": {TTL: time.Hour, Now: func() time.Time { return now }}} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			d := openDir(t, path)
			s := openFile(t, d, "s", opt)
			put(t, s, store.Overwrite, "a", `{"n":1}`, "b", `{"n":1}`, "c", `{"n":1}`)
			s.Sync(ctx)
			put(t, s, store.MergeFields, "a", `{"m":1}`, "d", `{"n":1}`)
			s.Delete(ctx, "b")
			put(t, s, store.Overwrite, "a", `{"n":2}`)
			old := tree(t, path)
			if err := s.Sync(ctx); err != nil {
				t.Fatal(err)
			}
			done := tree(t, path)
			kill(d)
			retired := beginFrame(nil)
			sealFrame(retired, frameRetired, 0, 0)
			for i, state := range []map[string]string{
				{"s.json": old["s.json"], ".s.journal": old[".s.journal"], ".s.tmp": done["s.json"][:20]},
				{"s.json": old["s.json"], ".s.journal": old[".s.journal"], ".s.tmp": done["s.json"]},
				{"s.json": old["s.json"], ".s.journal": old[".s.journal"], ".s.tmp": done["s.json"], ".s.journal.next": done[".s.journal"][:10]},
				{"s.json": old["s.json"], ".s.journal": old[".s.journal"], ".s.tmp": done["s.json"], ".s.journal.next": done[".s.journal"]},
				{"s.json": old["s.json"], ".s.journal": old[".s.journal"] + string(retired), ".s.tmp": done["s.json"], ".s.journal.next": done[".s.journal"]},
				{"s.json": done["s.json"], ".s.journal": old[".s.journal"] + string(retired), ".s.journal.next": done[".s.journal"]},
				{"s.json": done["s.json"], ".s.journal": old[".s.journal"], ".s.journal.next": done[".s.journal"]}, // the retired frame lost with the power
				{"s.json": done["s.json"], ".s.journal": done[".s.journal"]},
			} {
				p := plant(t, state)
				d, notices := noticed(t, p)
				s := openFile(t, d, "s", opt)
				want := []string{`a={"n":2}`, `c={"n":1}`, `d={"n":1}`}
				expect(t, s, want...)
				put(t, s, store.Overwrite, "e", `{}`)
				kill(d)
				d = openDir(t, p)
				expect(t, openFile(t, d, "s", opt), append(want, `e={}`)...)
				d.Close()
				left := slices.Sorted(maps.Keys(tree(t, p)))
				if want := []string{".s.journal", ".s.lock", "s.json"}; !slices.Equal(left, want) {
					t.Errorf("state %d: files left: %v", i, left)
				}
				if len(*notices) > 0 {
					t.Errorf("state %d: notices %q", i, *notices)
				}
			}
		})
	}
}

// TestStaleNextJournal: a replacement that failed, and whose traces could not
// be removed, must not make batches disappear that were finished since.
func TestStaleNextJournal(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	s.Sync(ctx)
	// The replacement would give the very same snapshot.
	put(t, s, store.Overwrite, "b", `{}`)
	s.Delete(ctx, "b")
	f := s.(*fileStore).f
	if err := f.writeNext(f.gen.flags, f.gen.base, f.ix, true); err != nil {
		t.Fatal(err)
	}
	put(t, s, store.Overwrite, "c", `{}`)
	put(t, s, store.Overwrite, "d", `{}`)
	kill(d)
	expect(t, openFile(t, openDir(t, path), "s", store.Options{}), `a={}`, `c={}`, `d={}`)
}

// TestJournalStaysBounded: storing the same records over and over does not fill
// the disk.
func TestJournalStaysBounded(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	text := strings.Repeat("x", 256<<10)
	largest := int64(0)
	for i := range 200 { // 50 MiB
		put(t, s, store.Overwrite, "k", fmt.Sprintf(`{"n":%d,"text":"%s"}`, i, text))
		info, err := os.Stat(filepath.Join(path, ".s.journal"))
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	if largest > replaceAbove+1<<20 {
		t.Errorf("the journal grew to %d bytes", largest)
	}
	kill(d)
	v, _, err := openFile(t, openDir(t, path), "s", store.Options{}).Get(ctx, "k")
	if err != nil || value.Field(v, "n").Int() != 199 {
		t.Errorf("Get = %s, %v", value.Describe(v), err)
	}
}

// TestManyDeleted: an index full of removed records is rebuilt.
func TestManyDeleted(t *testing.T) {
	now := time.UnixMilli(0)
	eachKind(t, store.Options{Keep: 100, TTL: time.Hour, Now: func() time.Time { return now }}, func(t *testing.T, s store.Store) {
		now = time.UnixMilli(0)
		var want []string
		batch := make([]store.Record, 10_000)
		for i := range 10 {
			for j := range batch {
				batch[j] = rec(t, fmt.Sprint(i*10_000+j), `{"n":1}`)
			}
			if _, err := s.Put(ctx, store.Batch{Records: batch}); err != nil {
				t.Fatal(err)
			}
		}
		for i := 99_900; i < 100_000; i++ {
			want = append(want, fmt.Sprintf(`%d={"n":1}`, i))
		}
		expect(t, s, want...)
		now = now.Add(30 * time.Minute)
		put(t, s, store.Overwrite, "99950", `{"n":2}`)
		now = now.Add(31 * time.Minute)
		expect(t, s, `99950={"n":2}`)
	})
}

// TestTasks: stores are shared by tasks, some of which read while others write.
func TestTasks(t *testing.T) {
	eachKind(t, store.Options{}, func(t *testing.T, s store.Store) {
		if _, ok := s.(*alternating); ok {
			t.Skip("not safe for concurrent use itself")
		}
		if _, ok := s.(*reopening); ok {
			t.Skip("not safe for concurrent use itself")
		}
		const tasks, batches = 4, 25
		var wg sync.WaitGroup
		for task := range tasks {
			wg.Go(func() {
				for i := range batches {
					key := fmt.Sprintf("%d-%d", task, i)
					_, err := s.Put(ctx, store.Batch{Records: []store.Record{rec(t, key, `{"n":1}`), rec(t, "shared", fmt.Sprintf(`{"t%d":%d}`, task, i))}, Conflict: store.MergeFields})
					if err != nil {
						t.Error(err)
					}
					if v, ok, err := s.Get(ctx, "shared"); !ok || err != nil || value.Field(v, fmt.Sprint("t", task)).Int() != int64(i) {
						t.Errorf("own write: %s, %v, %v", value.Describe(v), ok, err)
					}
					if i%10 == 0 {
						n := 0
						if err := store.Each(ctx, s, func(string, value.Value) error { n++; return nil }); err != nil || n < i {
							t.Errorf("Each gave %d, %v", n, err)
						}
						if err := s.Sync(ctx); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		if n, err := s.Len(ctx); n != tasks*batches+1 || err != nil {
			t.Errorf("Len = %d, %v", n, err)
		}
		v, _, err := s.Get(ctx, "shared")
		for task := range tasks {
			if got := value.Field(v, fmt.Sprint("t", task)); err != nil || got.Int() != batches-1 {
				t.Errorf("task %d: %s, %v", task, value.Describe(got), err)
			}
		}
	})
}

func TestWaitingForTheLockEndsWithTheContext(t *testing.T) {
	path := t.TempDir()
	s := openFile(t, openDir(t, path), "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	rest(s.(*fileStore).f)
	other, err := os.OpenFile(filepath.Join(path, ".s.lock"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if ok, err := flock.Try(other); !ok || err != nil {
		t.Fatal(ok, err)
	}
	short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	if _, err := s.Put(short, store.Batch{Records: recs(t, "b", `{}`)}); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("Put: %v", err)
	}
	expect(t, s, `a={}`) // reading needs no lock
	if err := flock.Release(other); err != nil {
		t.Fatal(err)
	}
	put(t, s, store.Overwrite, "b", `{}`)
	expect(t, s, `a={}`, `b={}`)
}

func TestBackgroundFlush(t *testing.T) {
	d := openDir(t, t.TempDir())
	d.still = true
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	f := s.(*fileStore).f
	if f.timer == nil {
		t.Fatal("no flush is due after a put")
	}
	f.timer.Reset(0)
	f.flushes.Wait()
	if f.gen.durable.Load() != f.end {
		t.Errorf("%d of %d bytes are durable after a flush", f.gen.durable.Load(), f.end)
	}
}

func TestDamagedHeader(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	put(t, openFile(t, d, "s", store.Options{}), store.Overwrite, "a", `{}`)
	kill(d)
	files := tree(t, path)
	newer := []byte(files[".s.journal"])
	binary.LittleEndian.PutUint32(newer[8:], 2)
	binary.LittleEndian.PutUint32(newer[60:], table.Checksum(newer[:60]))
	for name, content := range map[string]string{"short": files[".s.journal"][:30], "text": strings.Repeat("x", 200), "newer": string(newer)} {
		f := maps.Clone(files)
		f[".s.journal"] = content
		s := openFile(t, openDir(t, plant(t, f)), "s", store.Options{})
		if _, err := s.Len(ctx); err == nil || !strings.Contains(err.Error(), ".s.journal") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPowerCutWhileMade: a journal may lose all its bytes with the power before
// its first flush. That is told, and the store goes on with its snapshot.
func TestPowerCutWhileMade(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	d.still = true // as if it was killed right behind the put
	put(t, openFile(t, d, "s", store.Options{}), store.Overwrite, "a", `{}`)
	kill(d)
	files := tree(t, path)
	for _, content := range []string{"", strings.Repeat("\x00", 30), strings.Repeat("\x00", 100_000)} {
		for _, snapshot := range [][]string{nil, {`a={"n":1}`}} {
			f := maps.Clone(files)
			f[".s.journal"] = content
			if snapshot != nil {
				f["s.json"] = `{"a":{"n":1}}`
			}
			p := plant(t, f)
			d, notices := noticed(t, p)
			s := openFile(t, d, "s", store.Options{})
			expect(t, s, snapshot...)
			if len(*notices) != 1 || !strings.Contains((*notices)[0], "power cut") {
				t.Errorf("%d bytes: notices %q", len(content), *notices)
			}
			put(t, s, store.Overwrite, "b", `{}`)
			d.Close()
			expect(t, openFile(t, openDir(t, p), "s", store.Options{}), append(slices.Clone(snapshot), `b={}`)...)
		}
	}
	f := maps.Clone(files)
	f[".s.journal"] = strings.Repeat("\x00", 100_000) + "x"
	s := openFile(t, openDir(t, plant(t, f)), "s", store.Options{})
	if _, err := s.Len(ctx); err == nil {
		t.Error("a journal that is not all zeros was dropped")
	}
}

// TestPowerCutInFirstSync: of the two renames of a store's first sync, the
// power may take back the first alone: nothing had been synced then. And the
// journal, which is empty, may lose its bytes after it.
func TestPowerCutInFirstSync(t *testing.T) {
	path := t.TempDir()
	d := openDir(t, path)
	s := openFile(t, d, "s", store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	if err := s.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	kill(d)
	done := tree(t, path)
	for _, state := range []struct{ snapshot, journal string }{
		{"", done[".s.journal"]},
		{done["s.json"], ""},
		{done["s.json"], strings.Repeat("\x00", headerSize)},
	} {
		f := map[string]string{".s.journal": state.journal}
		var want []string
		if state.snapshot != "" {
			f["s.json"] = state.snapshot
			want = []string{`a={}`}
		}
		p := plant(t, f)
		s = openFile(t, openDir(t, p), "s", store.Options{})
		expect(t, s, want...)
		put(t, s, store.Overwrite, "b", `{}`)
		s.Close()
		expect(t, openFile(t, openDir(t, p), "s", store.Options{}), append(want, `b={}`)...)
	}
}

// TestAnyTool: other programs read the snapshot as JSON, in order.
func TestAnyTool(t *testing.T) {
	path := t.TempDir()
	s := openFile(t, openDir(t, path), "s", store.Options{})
	put(t, s, store.Overwrite, "b", `{"n":1}`, "a/\"é\u2028", `{"t":"\u2028<"}`)
	s.Close()
	var got map[string]map[string]any
	if err := json.Unmarshal([]byte(read(t, path, "s.json")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["b"]["n"] != 1.0 || got["a/\"é\u2028"]["t"] != "\u2028<" {
		t.Errorf("%v", got)
	}
}
