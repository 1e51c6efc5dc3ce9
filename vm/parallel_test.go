package vm_test

import (
	"slices"
	"testing"
)

func TestConcurrentInsideSequential(t *testing.T) {
	w := newWorld()
	err := w.run(t, `mission M {
  store out: memory
  action A {
    for a in [1, 2, 3] {
      for b in [1, 0, 2] concurrency 2 {
        store { id: a * 10 + b, v: 6 / b } -> out
      }
      store { id: a * 100 } -> out
    }
  }
}`)
	wantError(t, err, "3 items failed")
	got := w.records("out")
	slices.Sort(got)
	want(t, "out", got, `{"id":100}`, `{"id":11,"v":6}`, `{"id":12,"v":3}`, `{"id":200}`, `{"id":21,"v":6}`, `{"id":22,"v":3}`, `{"id":300}`, `{"id":31,"v":6}`, `{"id":32,"v":3}`)
	want(t, "failed", w.failed,
		"continue 1 : division by zero: number 6 / number 0",
		"continue 1 : division by zero: number 6 / number 0",
		"continue 1 : division by zero: number 6 / number 0")
	want(t, "actions", w.actions, "+A", "-A")
}
