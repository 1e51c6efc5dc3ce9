package vm_test

import (
	"context"
	"fmt"
	"testing"

	"reqon/vm"
	"reqon/vm/value"
)

// numbered answers page(page, …) requests with so many pages of two items.
func (w *world) numbered(pages int) {
	w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
		param := r.Param
		if param.IsNull() {
			param = value.Field(value.Field(r.Options, "params"), "page")
		}
		n, _ := value.AsInt(param)
		if int(n) > pages {
			return w.answer(1, "[]")
		}
		return w.answer(1, fmt.Sprintf(`[{"id":%d},{"id":%d}]`, 2*n-1, 2*n))
	}
}

// TestAheadAsksForNothingThatIsNotThere: that the next page is asked for early
// may not be seen in what a mission does.
func TestAheadOptions(t *testing.T) {
	w := newWorld()
	w.numbered(2)
	err := w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  action A {
    get "/x" { paginate: page(page, 2), params: { page: page, left: 12 / (3 - page) }, until: page == 2 }
    store response -> out
  }
}`)
	wantError(t, err, "")
	want(t, "out", w.records("out"), `{"id":1}`, `{"id":2}`, `{"id":3}`, `{"id":4}`)
}
