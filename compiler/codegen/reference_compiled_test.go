package codegen_test

import (
	"context"
	"errors"
	"fmt"
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

// exprMission is the mission around an expression. The result goes out to
// a store.
const exprMission = `mission Expr {
  param vars: any
  store out: memory
  action Eval {
    let o = %s
    let xs = %s
    let orders = %s
    map o -> Result { v: (%s
    ) }
    store Result -> out
  }
}`

// binding is where the variables of an expression come from.
type binding uint8

const (
	// fromParam takes them from a param: nothing is known of them at compile
	// time.
	fromParam binding = iota
	// literal writes them out: the compiler knows all of them.
	literal
)

// errRejected is wrapped by what the compiler refuses: not every expression
// that goes wrong when it runs is one that may run.
var errRejected = errors.New("does not compile")

// compiledEval evaluates source text with the compiler and the machine.
func compiledEval(src string, b binding) (value.Value, error) {
	m, err := compileExpr(src, b)
	if err != nil {
		return value.NullValue, err
	}
	vars := `{"o":` + varO + `,"xs":` + varXs + `,"orders":` + varOrders + `}`
	h := &exprHost{}
	if h.vars, err = value.ParseJSON(m.Shapes(), vars); err != nil {
		return value.NullValue, err
	}
	if err := m.Run(context.Background(), h); err != nil {
		return value.NullValue, err
	}
	return h.result, nil
}

func compileExpr(src string, b binding) (*vm.Machine, error) {
	o, xs, orders := "vars.o", "vars.xs", "vars.orders"
	if b == literal {
		o, xs, orders = varO, varXs, varOrders
	}
	tree, errs := syntax.Parse(syntax.NewFile("expr.reqon", fmt.Appendf(nil, exprMission, o, xs, orders, src)))
	if len(errs) > 0 {
		return nil, fmt.Errorf("%w: %w", errRejected, errs[0])
	}
	for _, d := range check.Mission(tree.Missions[0], nil) {
		if d.Severity == diag.Error {
			return nil, fmt.Errorf("%w: %s (%s)", errRejected, d.Message, d.Suggestion)
		}
	}
	prog, err := codegen.Generate(tree.Missions[0], nil)
	if err != nil {
		return nil, err
	}
	return vm.Link(prog, value.NewShapes(), func(name string) (vm.Native, bool) {
		f := stdlib.Lookup(name)
		if f == nil || f.Impl == nil {
			return nil, false
		}
		return f.Impl, true
	})
}

// exprHost is the world of an expression: a clock that stands still, and a
// store that keeps what it gets. What else a mission may ask for, an expression
// does not: the nil Host inside would panic.
type exprHost struct {
	vm.Host
	vars   value.Value
	result value.Value
	calls  reference // answers what is no pure function
}

func (h *exprHost) Param(int) value.Value { return h.vars }

func (h *exprHost) ActionStarted(int) {}

func (h *exprHost) ActionDone(int, error) {}

func (h *exprHost) Parallelism() (vm.ParallelMode, int) { return vm.WaitAll, 0 }

func (h *exprHost) StorePut(_ context.Context, p *vm.Put) error {
	v, ok := p.Records[0].Obj().Get("v")
	if !ok {
		return errors.New("no result")
	}
	h.result = v
	return nil
}

func (h *exprHost) Call(f bytecode.HostFunc, args []value.Value) (value.Value, error) {
	h.calls.now = tableNow
	return h.calls.host(stdlib.Lookup(bytecode.HostFuncs[f]), args)
}

// TestCompiledTables holds the compiler and the machine against the tables.
func TestCompiledTables(t *testing.T) {
	for _, l := range readTables(t) {
		v, err := compiledEval(l.expr, fromParam)
		l.compare(t, v, err, true)
		// What the compiler can see to be wrong here need not be wrong there.
		if v, err := compiledEval(l.expr, literal); !errors.Is(err, errRejected) {
			l.compare(t, v, err, true)
		}
	}
}

// TestCompiledAgainstReference compares random expressions.
func TestCompiledAgainstReference(t *testing.T) {
	n := uint64(20_000)
	if testing.Short() {
		n = 2_000
	}
	rejected := 0
	for seed := range n {
		src := newGenerator(seed).expr(kAny, 4)
		got, err := compiledEval(src, binding(seed%2))
		want, wantErr := referenceEval(src)
		switch {
		case errors.Is(err, errRejected):
			rejected++
		case outcome(got, err) != outcome(want, wantErr):
			t.Errorf("seed %d: %s\n  compiled:  %s (%v)\n  reference: %s (%v)", seed, src, outcome(got, err), err, outcome(want, wantErr), wantErr)
		}
	}
	t.Logf("%d of %d were not compiled", rejected, n)
	if rejected > int(n)/5 {
		t.Errorf("%d of %d expressions were not compiled: too few to compare", rejected, n)
	}
}
