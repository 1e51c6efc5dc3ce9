package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/sqlite"
	"reqon/runtime/store/storetest"
	"reqon/vm/value"
)

var ctx = context.Background()

// newAdapter returns an adapter of its own, as another process has it.
func newAdapter(t testing.TB) store.Adapter {
	t.Helper()
	a, err := sqlite.New(store.Env{Shapes: value.NewShapes()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func open(t testing.TB, a store.Adapter, d *store.Declaration) store.Store {
	t.Helper()
	s, err := a.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSuite(t *testing.T) {
	for name, mode := range map[string]store.Mode{"merge": store.Merge, "history": store.History} {
		t.Run(name, func(t *testing.T) { suite(t, mode) })
	}
}

func suite(t *testing.T, mode store.Mode) {
	dir := t.TempDir()
	storetest.Run(t, storetest.Subject{Exact: true, Open: func(tb testing.TB, name string, o store.Options) store.Store {
		a := newAdapter(t) // each session is of another adapter: it shares nothing but the file
		if mode != store.Merge {
			o.Mode = mode
		}
		return open(tb, a, &store.Declaration{Name: name, Run: "r", Target: filepath.Join(dir, name+".db"), Options: o})
	}})
}

// TestFileIsReplaced: a daemon whose database was removed, or replaced, between
// two runs goes on with what is there. A run that is under way is told.
func TestFileIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.db")
	a := newAdapter(t)
	d := &store.Declaration{Name: "orders", Run: "r", Target: path}
	s, err := a.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	put := func(s store.Store) error {
		v, _ := value.ParseJSON(nil, `{"id":1}`)
		_, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: "1", Value: v}}})
		return err
	}
	if err := put(s); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := s.Sync(ctx); err == nil || !strings.Contains(err.Error(), "removed or replaced") {
		t.Errorf("Sync of a store whose file is gone: %v", err)
	}
	again := open(t, a, d)
	if n, err := again.Len(ctx); n != 0 || err != nil {
		t.Errorf("the new file holds %d, %v", n, err)
	}
	if err := put(again); err != nil {
		t.Error(err)
	}
	if err := again.Sync(ctx); err != nil {
		t.Error(err)
	}
}

// TestWhatCanNotBeOpened: mistakes are configuration errors that say what to do.
func TestWhatCanNotBeOpened(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAdapter(t)
	for target, want := range map[string]string{
		filepath.Join(dir, "none", "x.db"): "the folder of the database",
		dir:                                "is a folder",
		filepath.Join(dir, "reqon.db"):     "keeps its runs",
		text:                               "it is another file",
		"a\x00b":                           "NUL",
		":memory:":                         "gone with the run",
	} {
		_, err := a.Open(ctx, &store.Declaration{Name: "orders", Target: target})
		var config *store.ConfigError
		if !errors.As(err, &config) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", target, err, want)
		}
	}
	after, err := os.ReadFile(text)
	if err != nil || !strings.HasPrefix(string(after), "this is no database") {
		t.Error("the other file was written to")
	}
}
