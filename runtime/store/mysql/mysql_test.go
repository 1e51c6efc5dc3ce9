package mysql_test

import (
	"context"
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/mysql"
	"reqon/runtime/store/storetest"
	"reqon/runtime/store/storetest/mysqltest"
	"reqon/vm/value"
)

var ctx = context.Background()

func TestMain(m *testing.M) { mysqltest.Main(m) }

// newAdapter returns an adapter of its own, as another process has it.
func newAdapter(t testing.TB) store.Adapter {
	t.Helper()
	a, err := mysql.New(store.Env{Shapes: value.NewShapes()})
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
	server := mysqltest.Start(t)
	_, address := server.Database(t)
	adapters := []store.Adapter{newAdapter(t), newAdapter(t), newAdapter(t)}
	n := 0
	storetest.Run(t, storetest.Subject{Exact: true, LongestKey: 3072, Open: func(t testing.TB, name string, o store.Options) store.Store {
		n++
		return open(t, adapters[n%len(adapters)], &store.Declaration{Name: name, Run: "r", Target: address, Options: o})
	}})
}
