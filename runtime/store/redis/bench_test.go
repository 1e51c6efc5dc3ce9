package redis_test

import (
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest"
	"reqon/runtime/store/storetest/redistest"
)

func BenchmarkPut(b *testing.B) {
	address := redistest.Start(b).Database()
	a := newAdapter(b)
	storetest.Bench(b, func(name string) store.Store {
		return open(b, a, &store.Declaration{Name: name, Run: "r", Target: address})
	})
}
