package syntax

import (
	"fmt"
	"strings"
	"testing"
)

// longMission returns a mission of about that many lines, of the constructs
// that missions are mostly made of.
func longMission(lines int) []byte {
	var b strings.Builder
	b.WriteString("mission Long {\n  source API { auth: bearer, base: \"https://api.example.com\" }\n  store orders: file(\"orders\")\n")
	for i, n := 0, 3; n < lines; i, n = i+1, n+20 {
		fmt.Fprintf(&b, `  // part %[1]d of many
  schema Order%[1]d { id: string, total: number, note: string?, lines: [{ sku: string, n: int }] }
  action Sync%[1]d {
    get "/customers/{region}/orders" { since: lastSync, paginate: page(page, 100), until: length(response) == 0 }
    match response {
      404 -> skip
      _ where length(response.errors) > 0 -> abort `+"`failed: {response.errors[0].message}`"+`
      _ -> continue
    }
    for order in response.items where .status == "open" and .total > 10.5 concurrency 4 {
      let net = order.total - (order.discount ?? 0) * 1.19
      map order -> Order%[1]d {
        id: .id
        total: round(.price * .quantity, 2)
        note: .note or "none"
        lines: .lines | filter(l => l.n > 0) | map({ sku: lowercase(.sku), n: .n })
      }
      store response -> orders { key: .id, upsert: true }
    }
  }
`, i)
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func BenchmarkLex(b *testing.B) {
	src := longMission(10_000)
	f := NewFile("long.reqon", src)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if p := newParser(f); len(p.errs) > 0 {
			b.Fatal(p.errs[0])
		}
	}
}

func BenchmarkParse(b *testing.B) {
	src := longMission(10_000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Parse(NewFile("long.reqon", src)); len(errs) > 0 {
			b.Fatal(errs[0])
		}
	}
}

func BenchmarkPrint(b *testing.B) {
	tree, _ := Parse(NewFile("long.reqon", longMission(10_000)))
	b.ReportAllocs()
	for b.Loop() {
		Print(tree)
	}
}
