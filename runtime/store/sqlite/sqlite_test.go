package sqlite_test

import (
	"context"
	"path/filepath"
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
		o.Mode = mode
		return open(tb, a, &store.Declaration{Name: name, Run: "r", Target: filepath.Join(dir, name+".db"), Options: o})
	}})
}
