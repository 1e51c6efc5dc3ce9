package memory_test

import (
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/memory"
	"reqon/runtime/store/storetest"
	"reqon/vm/value"
)

func TestSuite(t *testing.T) {
	storetest.Run(t, storetest.Subject{Volatile: true, Exact: true, Open: func(t testing.TB, _ string, o store.Options) store.Store {
		return memory.NewStore(value.NewShapes(), o)
	}})
}
