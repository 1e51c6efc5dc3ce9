package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"

	"reqon/compiler/check"
	"reqon/compiler/codegen"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm"
	"reqon/vm/value"
)

// batch is how many records a contestant goes through at a time.
const batch = 1000

//go:embed data/records.ndjson
var recordLines []byte

// documents returns the batch as JSON documents of about 350 bytes.
func documents() [][]byte {
	lines := bytes.Split(bytes.TrimSpace(recordLines), []byte("\n"))
	docs := make([][]byte, batch)
	for i := range docs {
		docs[i] = bytes.ReplaceAll(lines[i%len(lines)], []byte("#"), []byte(strconv.Itoa(1_000_000+i)))
	}
	return docs
}

// page returns the batch as one JSON array.
func page() []byte {
	return append(append([]byte("["), bytes.Join(documents(), []byte(","))...), ']')
}

// maps returns the batch as encoding/json decodes it.
func maps() []map[string]any {
	records := make([]map[string]any, batch)
	for i, doc := range documents() {
		if err := json.Unmarshal(doc, &records[i]); err != nil {
			panic(err) // the file beside this one is broken
		}
	}
	return records
}

// contestant is one way to do a piece of work.
type contestant struct {
	name string
	// run goes through the batch once. hits is how many records a filter lets
	// through, for the test to compare; -1 where there is nothing to count.
	run func() (hits int, err error)
	// result returns what it makes of the first record, as JSON with sorted
	// keys; nil where there is nothing to compare.
	result func() (string, error)
}

// work is one row group of the table: contestants that do the same.
type work struct {
	name        string
	against     string  // the peer that the target names
	target      float64 // at most so many times its time
	noAllocs    bool    // and without allocating
	contestants []contestant
}

func works() []work {
	return []work{
		{name: "filter one record", against: "expr", target: 0.6, noAllocs: true, contestants: filters()},
		{name: "map one record to six fields", against: "expr", target: 0.5, contestants: mappers()},
		{name: "decode a record of 350 bytes", against: "encoding/json", target: 0.2, contestants: decoders()},
		{name: "decode a page of 1,000 records", against: "encoding/json", target: 0.2, contestants: pageDecoders()},
	}
}

// mission holds the two pieces of work as a user writes them.
const mission = `mission Bench {
  param xs: any
  action Filter { let n = count(xs, .price * .quantity * 1.1 > 100 and .status == "active") }
  transform Hit -> Row { hit: (.price * .quantity * 1.1 > 100 and .status == "active") }
  transform Six -> Row {
    id: .id
    name: concat(.first, " ", .last)
    email: lowercase(.email)
    tier: match .plan { "gold" => 3, "silver" => 2, _ => 1 }
    total: .price * .quantity
    city: .address.city
  }
  action Map {
    for x in xs {
      map x -> Row {
        id: .id
        name: concat(.first, " ", .last)
        email: lowercase(.email)
        tier: match .plan { "gold" => 3, "silver" => 2, _ => 1 }
        total: .price * .quantity
        city: .address.city
      }
    }
  }
}
`

// host gives the records as the parameter; these actions ask for nothing else.
type host struct {
	vm.Host
	xs value.Value
}

func (h host) Param(int) value.Value { return h.xs }

// reqon is the linked mission with its records.
type reqon struct {
	machine *vm.Machine
	xs      value.Value
}

func newReqon() *reqon {
	tree, errs := syntax.Parse(syntax.NewFile("bench.reqon", []byte(mission)))
	if len(errs) > 0 {
		panic(errs[0])
	}
	for _, d := range check.Mission(tree.Missions[0], nil) {
		if d.Severity == diag.Error {
			panic(d.Message)
		}
	}
	p, err := codegen.Generate(tree.Missions[0], nil)
	must(err)
	m, err := vm.Link(p, value.NewShapes(), func(name string) (vm.Native, bool) {
		f := stdlib.Lookup(name)
		if f == nil || f.Impl == nil {
			return nil, false
		}
		return f.Impl, true
	})
	must(err)
	xs, err := value.NewDecoder(m.Shapes()).Decode(page())
	must(err)
	return &reqon{machine: m, xs: xs}
}

// action returns a run of an action over the whole batch.
func (r *reqon) action(name string) func() (int, error) {
	fn, h, ctx := r.function(name), host{xs: r.xs}, context.Background()
	return func() (int, error) {
		_, err := r.machine.Eval(ctx, h, fn)
		return -1, err
	}
}

// each returns a run that calls the machine once for each record.
func (r *reqon) each(name string) func() (int, error) {
	fn, ctx := r.function(name), context.Background()
	return func() (int, error) {
		hits := 0
		for _, x := range r.xs.Elems() {
			v, err := r.machine.Eval(ctx, host{}, fn, x)
			if err != nil {
				return 0, err
			}
			if value.Truth(value.Field(v, "hit")) {
				hits++
			}
		}
		return hits, nil
	}
}

// first returns what a transform makes of the first record.
func (r *reqon) first(name string) func() (string, error) {
	fn := r.function(name)
	return func() (string, error) {
		v, err := r.machine.Eval(context.Background(), host{}, fn, r.xs.Elems()[0])
		if err != nil {
			return "", err
		}
		return canonical(value.AppendJSON(nil, v))
	}
}

func (r *reqon) function(name string) int {
	for i, f := range r.machine.Program().Funcs {
		if f.Name == name {
			return i
		}
	}
	panic("no function " + name)
}

// canonical gives a JSON document with sorted keys and Go's numbers.
func canonical(doc []byte) (string, error) {
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		return "", err
	}
	return canonicalOf(v)
}

func canonicalOf(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

// must stops the program: what it is given was written beside it.
func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("benchmark: %v", err))
	}
}
