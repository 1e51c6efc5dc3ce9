package vm_test

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"testing"

	"reqon/compiler/check"
	"reqon/compiler/codegen"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// The work of the table in the design: a filter of a record, and a map to six
// fields.
const (
	filterExpr = `.price * .quantity * 1.1 > 100 and .status == "active"`
	mapFields  = `{
    id: .id
    name: concat(.first, " ", .last)
    email: lowercase(.email)
    tier: match .plan { "gold" => 3, "silver" => 2, _ => 1 }
    total: .price * .quantity
    city: .address.city
  }`
)

// declarations stand in the mission of every benchmark.
const declarations = `mission Bench {
  param xs: any
  schema Address { street: string, city: string, zip: string, country: string }
  schema Customer {
    id: int, number: string, first: string, last: string, email: string
    plan: "gold" | "silver" | "bronze" | "free"
    status: "active" | "paused"
    price: decimal, quantity: int, address: Address, tags: [string], note: string?
    created_at: date, updated_at: date
  }
`

// records is how many records a loop runs over: enough that its start does not
// count.
const records = 1000

// benchHost gives the records as a parameter. What else a mission may ask for,
// these do not: the nil Host inside would panic.
type benchHost struct {
	vm.Host
	xs value.Value
}

func (h benchHost) Param(int) value.Value { return h.xs }

// link compiles and links a mission.
func link(tb testing.TB, src string) *vm.Machine {
	tb.Helper()
	tree, errs := syntax.Parse(syntax.NewFile("bench.reqon", []byte(src)))
	if len(errs) > 0 {
		tb.Fatal(errs[0])
	}
	for _, d := range check.Mission(tree.Missions[0], nil) {
		if d.Severity == diag.Error {
			tb.Fatal(d.Message)
		}
	}
	p, err := codegen.Generate(tree.Missions[0], nil)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := vm.Link(p, value.NewShapes(), func(name string) (vm.Native, bool) {
		f := stdlib.Lookup(name)
		if f == nil || f.Impl == nil {
			return nil, false
		}
		return f.Impl, true
	})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// function gives the number of a function by its name.
func function(tb testing.TB, m *vm.Machine, name string) int {
	for i, f := range m.Program().Funcs {
		if f.Name == name {
			return i
		}
	}
	tb.Fatalf("no function %s", name)
	return 0
}

// page returns the document of n records.
func page(tb testing.TB, n int) []byte {
	data, err := os.ReadFile("../testdata/bench/data/records.ndjson")
	if err != nil {
		tb.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	doc := []byte("[")
	for i := range n {
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = append(doc, bytes.ReplaceAll(lines[i%len(lines)], []byte("#"), []byte(strconv.Itoa(1_000_000+i)))...)
	}
	return append(doc, ']')
}

// loopOver runs an action over the records and reports the cost of one.
func loopOver(b *testing.B, body string) {
	m := link(b, declarations+"  action Loop { "+body+" }\n}\n")
	xs, err := value.NewDecoder(m.Shapes()).Decode(page(b, records))
	if err != nil {
		b.Fatal(err)
	}
	fn, host, ctx := function(b, m, "Loop"), benchHost{xs: xs}, context.Background()
	var failure error
	run := func() {
		if _, err := m.Eval(ctx, host, fn); err != nil {
			failure = err
		}
	}
	run()
	allocs := testing.AllocsPerRun(3, run)
	for b.Loop() {
		run()
	}
	if failure != nil {
		b.Fatal(failure)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
	b.ReportMetric(allocs/records, "allocs/record")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFilter is the record filter of the design's table, in each of the
// ways in which a mission filters.
func BenchmarkFilter(b *testing.B) {
	b.Run("count", func(b *testing.B) { loopOver(b, `let n = count(xs, `+filterExpr+`)`) })
	b.Run("for", func(b *testing.B) { loopOver(b, `for x in xs where `+filterExpr+` { let y = 1 }`) })
	b.Run("where", func(b *testing.B) { loopOver(b, `let n = xs where `+filterExpr) })
}

// BenchmarkMap is the map of the design's table: as a step of a loop, as an
// item expression, and as a transform.
func BenchmarkMap(b *testing.B) {
	b.Run("step", func(b *testing.B) { loopOver(b, `for x in xs { map x -> Row `+mapFields+` }`) })
	b.Run("expression", func(b *testing.B) { loopOver(b, `let n = count(xs, `+mapFields+`)`) })
	b.Run("transform", func(b *testing.B) {
		loopOver(b, `for x in xs { apply T to x as row } } transform T -> Row `+mapFields+` action Other {`)
	})
}

// BenchmarkEval is one call of the machine from outside, with its fixed cost.
func BenchmarkEval(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"constant", `{ a: 1 }`}, {"filter", `{ hit: (` + filterExpr + `) }`}, {"map", mapFields},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := link(b, declarations+"  transform T -> Row "+c.body+"\n  action A { apply T to xs }\n}\n")
			xs, err := value.NewDecoder(m.Shapes()).Decode(page(b, 1))
			if err != nil {
				b.Fatal(err)
			}
			fn, x, ctx := function(b, m, "T"), xs.Elems()[0], context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Eval(ctx, benchHost{}, fn, x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExpr is each family of expressions, over all records.
func BenchmarkExpr(b *testing.B) {
	for _, c := range []struct{ name, expr string }{
		{"field", `.quantity`},
		{"nested field", `.address.city`},
		{"missing field", `.nothing`},
		{"field of an array", `xs[0].tags.length`},
		{"integer arithmetic", `.quantity * 3 + 1 - .quantity`},
		{"decimal arithmetic", `.price * 1.19 + .price / 3`},
		{"compare numbers", `.price > 50`},
		{"compare strings", `.last < "M"`},
		{"compare dates", `.created_at < .updated_at`},
		{"equal strings", `.status == "active"`},
		{"equal fields", `.first == .last`},
		{"equal objects", `.address == { city: "Paris" }`},
		{"and or not", `.note or not (.quantity and .status)`},
		{"null fallback", `.note ?? .first`},
		{"if then else", `if .quantity > 5 then .first else .last`},
		{"match literals", `match .plan { "gold" => 3, "silver" => 2, _ => 1 }`},
		{"match guards", `match .quantity { n where n > 7 => 3, n where n > 3 => 2, _ => 1 }`},
		{"match object pattern", `match . { { plan: "gold", address: { city: c } } => c, _ => 1 }`},
		{"match array pattern", `match .tags { [a, b] => b, _ => 1 }`},
		{"match without subject", `match { .quantity > 7 => 3, .quantity > 3 => 2, _ => 1 }`},
		{"in array", `.plan in ["gold", "silver"]`},
		{"in text", `"example" in .email`},
		{"starts with", `.number startsWith "SO"`},
		{"matches literal", `.email matches "^[a-z]+@"`},
		{"is int", `.quantity is int`},
		{"is date", `.created_at is date`},
		{"is flat schema", `.address is Address`},
		{"is schema", `. is Customer`},
		{"join with +", `.first + " " + .last`},
		{"template", "`{.first} {.last} of {.address.city}`"},
		{"concat", `concat(.first, " ", .last)`},
		{"number to text", "`{.price}`"},
		{"lowercase", `lowercase(.email)`},
		{"round", `round(.price * .quantity, 2)`},
		{"parseDate", `parseDate(.created_at)`},
		{"formatDate", `formatDate(.created_at, "YYYY-MM")`},
		{"object", `{ a: .id, b: .first }`},
		{"object spread", `{ ...., a: 1 }`},
		{"array", `[.id, .first]`},
		{"index", `.tags[0]`},
		{"index by key", `.address["city"]`},
		{"nested sum", `sum(.tags, length(.))`},
		{"nested filter", `filter(.tags, t => t == "web")`},
		{"pipe", `.email | split("@") | first()`},
		{"toJSON", `toJSON(.address)`},
		{"sha256", `sha256(.email)`},
	} {
		b.Run(c.name, func(b *testing.B) { loopOver(b, `let n = count(xs, `+c.expr+`)`) })
	}
	b.Run("groupBy", func(b *testing.B) { loopOver(b, `let n = groupBy(xs, .plan)`) })
	b.Run("sortBy", func(b *testing.B) { loopOver(b, `let n = sortBy(xs, .price)`) })
	b.Run("uniqueBy", func(b *testing.B) { loopOver(b, `let n = uniqueBy(xs, .id)`) })
	b.Run("keyBy", func(b *testing.B) { loopOver(b, `let n = keyBy(xs, .id)`) })
	b.Run("reduce", func(b *testing.B) { loopOver(b, `let n = reduce(xs, (sum, x) => sum + x.price, 0)`) })
}

// BenchmarkSteps is what a loop costs, and the steps in it that have no effect
// outside of the machine.
func BenchmarkSteps(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"empty loop", `for x in xs { let y = 1 }`},
		{"validate", `for x in xs { validate x { assume .price > 0, assume .quantity >= 1 : "no quantity", assume length(.email) > 3 } }`},
		{"match schema", `for x in xs { match x { Customer -> continue, _ -> abort "no customer" } }`},
		{"if else", `for x in xs { if .quantity > 5 { let a = 1 } else { let b = 2 } }`},
		{"map validate", `for x in xs { map x -> Row ` + mapFields + ` validate Row { assume .total > 0, assume .email contains "@" } }`},
		{"concurrency 4", `for x in xs concurrency 4 { let y = 1 }`},
	} {
		b.Run(c.name, func(b *testing.B) { loopOver(b, c.body) })
	}
}

// keptHost is a benchHost whose runs may be kept.
type keptHost struct{ benchHost }

func (keptHost) ActionStarted(int)     {}
func (keptHost) ActionDone(int, error) {}
func (keptHost) Call(bytecode.HostFunc, []value.Value) (value.Value, error) {
	return value.FromString("seed"), nil
}

// watcher is a Keeper that keeps nothing.
type watcher struct{ steps int }

func (k *watcher) Step(*vm.Task) bool   { k.steps++; return false }
func (*watcher) Before(vm.Effect) error { return nil }
func (*watcher) After(vm.Effect, error) {}
func (*watcher) Ended(*vm.Task)         {}

// BenchmarkKept is what being told of each step costs: the same run with
// a Keeper and without one.
func BenchmarkKept(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"map validate", `for x in xs { map x -> Row ` + mapFields + ` validate Row { assume .total > 0, assume .email contains "@" } }`},
		{"if else", `for x in xs { if .quantity > 5 { let a = 1 } else { let b = 2 } }`},
	} {
		m := link(b, declarations+"  action Loop { "+c.body+" }\n}\n")
		xs, err := value.NewDecoder(m.Shapes()).Decode(page(b, records))
		if err != nil {
			b.Fatal(err)
		}
		host := keptHost{benchHost{xs: xs}}
		b.Run(c.name+"/plain", func(b *testing.B) {
			for b.Loop() {
				if err := m.Run(context.Background(), host); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
		})
		b.Run(c.name+"/kept", func(b *testing.B) {
			for b.Loop() {
				if err := m.Begin(host, new(watcher)).Go(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
		})
	}
}

// BenchmarkSnapshot is what it takes to write down a task that holds a page of
// records of some 30 KB, and to read it again.
func BenchmarkSnapshot(b *testing.B) {
	const some = 170
	m := link(b, declarations+"  action Loop { let page = xs let other = xs if true { let a = 1 } }\n}\n")
	xs, err := value.NewDecoder(m.Shapes()).Decode(page(b, some))
	if err != nil {
		b.Fatal(err)
	}
	host := keptHost{benchHost{xs: xs}}
	k := &stopper{at: 4} // at the if
	k.run = m.Begin(host, k)
	if err := k.run.Go(context.Background()); err != vm.ErrPutAway {
		b.Fatal(err)
	}
	var data []byte
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			if data, err = k.run.Snapshot(0); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(data)))
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, err := m.Restore(host, nil, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestFilterAllocatesNothing holds that the filter allocates nothing, as the
// design asks.
func TestFilterAllocatesNothing(t *testing.T) {
	m := link(t, declarations+"  action Loop { let n = count(xs, "+filterExpr+") }\n}\n")
	xs, err := value.NewDecoder(m.Shapes()).Decode(page(t, records))
	if err != nil {
		t.Fatal(err)
	}
	fn, host, ctx := function(t, m, "Loop"), benchHost{xs: xs}, context.Background()
	allocs := testing.AllocsPerRun(10, func() {
		if _, err := m.Eval(ctx, host, fn); err != nil {
			t.Fatal(err)
		}
	})
	if allocs >= 10 { // what the call itself takes, for a thousand records
		t.Errorf("the filter of %d records allocates %v times", records, allocs)
	}
}
