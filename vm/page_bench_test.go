package vm_test

import (
	"context"
	"fmt"
	"testing"

	"reqon/vm"
	"reqon/vm/value"
)

// BenchmarkPages is what a page costs the machine, by the ways to paginate and
// what is said of answers. Where nothing is said, nothing is paid.
func BenchmarkPages(b *testing.B) {
	for _, way := range []struct{ name, source, options string }{
		{"page", "", `paginate: page(p, 1, "i")`},
		{"offset", "", `paginate: offset(o, 1, "i")`},
		{"cursor", "", `paginate: cursor(c, 1, "next", "i")`},
		{"cursor by expression", "", `paginate: cursor(c, 1, response.next, "i")`},
		{"next", "", `paginate: next(response.next, "i")`},
		{"failWhen", "", `paginate: page(p, 1, "i"), failWhen: not response.ok and response.error`},
		{"failWhen of the source", "failWhen: not response.ok and response.error, ", `paginate: page(p, 1, "i")`},
	} {
		b.Run(way.name, func(b *testing.B) {
			w := newWorld()
			m := w.link(b, `mission M {
  source API { `+way.source+`base: "http://x" }
  store out: memory
  action A { get "/x" { `+way.options+`, params: { limit: 1 } } for x in response { log debug "x" } }
}`)
			pages := make([]value.Value, 1000)
			for i := range pages {
				next := fmt.Sprintf(`"%d"`, i+1)
				items := fmt.Sprintf(`[{"id":%d}]`, i)
				if i == len(pages)-1 {
					next, items = "null", "[]"
				}
				v, err := value.ParseJSON(w.shapes, `{"ok":true,"i":`+items+`,"next":`+next+`,"total":1000}`)
				if err != nil {
					b.Fatal(err)
				}
				pages[i] = v
			}
			n := 0
			w.fetch = func(ctx context.Context, r *vm.Request) *vm.Reply {
				body := pages[n%len(pages)]
				n++
				if r.FailWhen != nil {
					if v, err := r.FailWhen(ctx, &vm.Answer{Response: body, Status: 200}); err != nil || !vm.SaysNothing(v) {
						b.Fatal(v, err)
					}
				}
				return &vm.Reply{Body: body, Status: 200, Resolve: func(s string) (string, error) { return "http://x/" + s, nil }}
			}
			b.ReportAllocs()
			for b.Loop() {
				w.log = w.log[:0]
				if err := m.Run(context.Background(), w); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(pages)), "ns/page")
		})
	}
}
