package main

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"github.com/d5/tengo/v2"
	"github.com/d5/tengo/v2/stdlib"
	"github.com/expr-lang/expr"
	exprvm "github.com/expr-lang/expr/vm"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// filters are the ways to filter a record.
func filters() []contestant {
	r, records := newReqon(), maps()
	byHand := func() (int, error) {
		hits := 0
		for _, m := range records {
			if m["price"].(float64)*m["quantity"].(float64)*1.1 > 100 && m["status"].(string) == "active" {
				hits++
			}
		}
		return hits, nil
	}
	return []contestant{
		{name: "Go on maps", run: byHand},
		{name: "reqon", run: r.action("Filter")},
		{name: "reqon, one call each", run: r.each("Hit")},
		{name: "expr", run: exprEach(records, `price * quantity * 1.1 > 100 && status == "active"`)},
		{name: "expr, its own loop", run: exprLoop(records, `count(xs, .price * .quantity * 1.1 > 100 && .status == "active")`)},
		{name: "cel-go", run: celEach(records, `price * quantity * 1.1 > 100.0 && status == "active"`)},
		{name: "starlark-go", run: starlarkEach(records, "def f(r):\n  return r['price'] * r['quantity'] * 1.1 > 100 and r['status'] == 'active'\n")},
		{name: "tengo", run: tengoEach(records, `out := r.price * r.quantity * 1.1 > 100 && r.status == "active"`)},
	}
}

// The map in the peers' languages.
const (
	exprMap = `{"id": id, "name": first + " " + last, "email": lower(email), ` +
		`"tier": plan == "gold" ? 3 : plan == "silver" ? 2 : 1, "total": price * quantity, "city": address.city}`
	celMap = `{"id": id, "name": first + " " + last, "email": email.lowerAscii(), ` +
		`"tier": plan == "gold" ? 3 : plan == "silver" ? 2 : 1, "total": price * quantity, "city": address.city}`
	starlarkMap = `
def f(r):
  plan = r["plan"]
  return {"id": r["id"], "name": r["first"] + " " + r["last"], "email": r["email"].lower(),
    "tier": 3 if plan == "gold" else 2 if plan == "silver" else 1,
    "total": r["price"] * r["quantity"], "city": r["address"]["city"]}
`
	tengoMap = `text := import("text")
out := {id: r.id, name: r.first + " " + r.last, email: text.to_lower(r.email),
  tier: r.plan == "gold" ? 3 : r.plan == "silver" ? 2 : 1, total: r.price * r.quantity, city: r.address.city}`
)

// mapByHand is a function that is called, so that its result is made and not
// left out by the compiler.
//
//go:noinline
func mapByHand(m map[string]any) map[string]any {
	tier := 1
	switch m["plan"].(string) {
	case "gold":
		tier = 3
	case "silver":
		tier = 2
	}
	return map[string]any{
		"id": m["id"], "name": m["first"].(string) + " " + m["last"].(string), "email": strings.ToLower(m["email"].(string)),
		"tier": tier, "total": m["price"].(float64) * m["quantity"].(float64), "city": m["address"].(map[string]any)["city"],
	}
}

// mappers are the ways to map a record to six fields.
func mappers() []contestant {
	r, records := newReqon(), maps()
	return []contestant{
		{name: "Go on maps", run: func() (int, error) {
			for _, m := range records {
				mapByHand(m)
			}
			return -1, nil
		}, result: func() (string, error) { return canonicalOf(mapByHand(records[0])) }},
		{name: "reqon", run: r.action("Map"), result: r.first("Six")},
		{name: "reqon, one call each", run: func() (int, error) {
			_, err := r.each("Six")()
			return -1, err
		}, result: r.first("Six")},
		{name: "expr", run: noHits(exprEach(records, exprMap)), result: exprFirst(records, exprMap)},
		{name: "cel-go", run: noHits(celEach(records, celMap))},
		{name: "starlark-go", run: noHits(starlarkEach(records, starlarkMap))},
		{name: "tengo", run: noHits(tengoEach(records, tengoMap))},
	}
}

// noHits is for work without hits to compare.
func noHits(run func() (int, error)) func() (int, error) {
	return func() (int, error) {
		_, err := run()
		return -1, err
	}
}

func exprCompile(code string, env map[string]any) *exprvm.Program {
	p, err := expr.Compile(code, expr.Env(env))
	must(err)
	return p
}

func exprEach(records []map[string]any, code string) func() (int, error) {
	p := exprCompile(code, records[0])
	var machine exprvm.VM
	return func() (int, error) {
		hits := 0
		for _, m := range records {
			out, err := machine.Run(p, m)
			if err != nil {
				return 0, err
			}
			if out == true {
				hits++
			}
		}
		return hits, nil
	}
}

func exprFirst(records []map[string]any, code string) func() (string, error) {
	p := exprCompile(code, records[0])
	return func() (string, error) {
		out, err := expr.Run(p, records[0])
		if err != nil {
			return "", err
		}
		return canonicalOf(out)
	}
}

// exprLoop runs code that goes through the records itself.
func exprLoop(records []map[string]any, code string) func() (int, error) {
	env := map[string]any{"xs": records}
	p := exprCompile(code, env)
	machine := exprvm.VM{MemoryBudget: 1 << 30}
	return func() (int, error) {
		out, err := machine.Run(p, env)
		if err != nil {
			return 0, err
		}
		return out.(int), nil
	}
}

func celEach(records []map[string]any, code string) func() (int, error) {
	options := []cel.EnvOption{ext.Strings()}
	for name := range records[0] {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	env, err := cel.NewEnv(options...)
	must(err)
	ast, issues := env.Compile(code)
	must(issues.Err())
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	must(err)
	return func() (int, error) {
		hits := 0
		for _, m := range records {
			var out ref.Val
			if out, _, err = p.Eval(m); err != nil {
				return 0, err
			}
			if out.Value() == true {
				hits++
			}
		}
		return hits, nil
	}
}

// starlarkEach calls the function f that code defines with each record.
func starlarkEach(records []map[string]any, code string) func() (int, error) {
	thread := &starlark.Thread{Name: "bench"}
	globals, err := starlark.ExecFileOptions(&syntax.FileOptions{}, thread, "bench.star", code, nil)
	must(err)
	values := make([]starlark.Value, len(records))
	for i, m := range records {
		values[i] = starlarkValue(m)
	}
	return func() (int, error) {
		hits := 0
		for _, v := range values {
			out, err := starlark.Call(thread, globals["f"], starlark.Tuple{v}, nil)
			if err != nil {
				return 0, err
			}
			if out == starlark.True {
				hits++
			}
		}
		return hits, nil
	}
}

func starlarkValue(v any) starlark.Value {
	switch v := v.(type) {
	case string:
		return starlark.String(v)
	case float64:
		return starlark.Float(v)
	case bool:
		return starlark.Bool(v)
	case []any:
		elems := make([]starlark.Value, len(v))
		for i, e := range v {
			elems[i] = starlarkValue(e)
		}
		return starlark.NewList(elems)
	case map[string]any:
		d := starlark.NewDict(len(v))
		for k, e := range v {
			must(d.SetKey(starlark.String(k), starlarkValue(e)))
		}
		return d
	}
	return starlark.None
}

// tengoEach runs the script with r set to each record.
func tengoEach(records []map[string]any, code string) func() (int, error) {
	script := tengo.NewScript([]byte(code))
	script.SetImports(stdlib.GetModuleMap("text"))
	must(script.Add("r", records[0]))
	compiled, err := script.Compile()
	must(err)
	return func() (int, error) {
		hits := 0
		for _, m := range records {
			if err := compiled.Set("r", m); err != nil {
				return 0, err
			}
			if err := compiled.Run(); err != nil {
				return 0, err
			}
			if compiled.Get("out").Value() == true {
				hits++
			}
		}
		return hits, nil
	}
}
