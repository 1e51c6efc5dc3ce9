package mysql_test

import (
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest"
	"reqon/runtime/store/storetest/mysqltest"
)

func BenchmarkPut(b *testing.B) {
	_, address := mysqltest.Start(b).Database(b)
	a := newAdapter(b)
	storetest.Bench(b, func(name string) store.Store {
		return open(b, a, &store.Declaration{Name: name, Run: "r", Target: address})
	})
}
