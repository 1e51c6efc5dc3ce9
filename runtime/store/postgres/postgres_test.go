package postgres_test

import (
	"context"
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/postgres"
	"reqon/runtime/store/storetest"
	"reqon/runtime/store/storetest/pgtest"
	"reqon/vm/value"
)

var ctx = context.Background()

func TestMain(m *testing.M) { pgtest.Main(m) }

// newAdapter returns an adapter of its own, as another process has it.
func newAdapter(t testing.TB) store.Adapter {
	t.Helper()
	a, err := postgres.New(store.Env{Shapes: value.NewShapes()})
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
	server := pgtest.Start(t)
	for name, mode := range map[string]store.Mode{"jsonb": store.Merge, "json": store.Merge, "history": store.History} {
		exact := name == "json"
		t.Run(name, func(t *testing.T) {
			address := server.Database(t)
			adapters := []store.Adapter{newAdapter(t), newAdapter(t), newAdapter(t)}
			n := 0
			storetest.Run(t, storetest.Subject{Exact: exact, NoNUL: true, LongestKey: 2600, Open: func(t testing.TB, name string, o store.Options) store.Store {
				n++
				if o.Exact = exact; mode != store.Merge {
					o.Mode = mode
				}
				return open(t, adapters[n%len(adapters)], &store.Declaration{Name: name, Run: "r", Target: address, Options: o})
			}})
		})
	}
}
