package check

import (
	"math"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/value"
)

// constantValue works out an expression that is written out: literals, and
// operators on such. What would be an error is no value.
func constantValue(e syntax.Expr) (value.Value, bool) {
	switch e := e.(type) {
	case *syntax.NullLit:
		return value.NullValue, true
	case *syntax.BoolLit:
		return value.FromBool(e.Value), true
	case *syntax.StringLit:
		return value.FromString(e.Value), true
	case *syntax.NumberLit:
		v, ok := value.ParseNumber(e.Text)
		if !ok || e.Unit == "" {
			return v, ok
		}
		v, err := value.Mul(v, value.FromInt(int64(unitMillis[e.Unit])))
		return v, err == nil
	case *syntax.ParenExpr:
		return constantValue(e.X)
	case *syntax.ArrayExpr:
		return constantArray(e)
	case *syntax.UnaryExpr:
		x, ok := constantValue(e.X)
		if !ok {
			return x, false
		}
		if e.Op == syntax.OpNot {
			return value.FromBool(!value.Truth(x)), true
		}
		v, err := value.Neg(x)
		return v, err == nil
	case *syntax.BinaryExpr:
		return constantBinary(e)
	}
	return value.NullValue, false
}

func constantArray(e *syntax.ArrayExpr) (value.Value, bool) {
	elems := make([]value.Value, 0, len(e.Elems))
	for _, el := range e.Elems {
		v, ok := constantValue(el.Value)
		if !ok || el.Spread {
			return v, false
		}
		elems = append(elems, v)
	}
	return value.FromArray(elems), true
}

func constantBinary(e *syntax.BinaryExpr) (value.Value, bool) {
	x, ok := constantValue(e.X)
	if !ok {
		return x, false
	}
	switch {
	case e.Op == syntax.OpAnd && !value.Truth(x), e.Op == syntax.OpOr && value.Truth(x):
		return x, true // whatever the right side is
	}
	y, ok := constantValue(e.Y)
	if !ok {
		return y, false
	}
	var v value.Value
	var err error
	switch e.Op {
	case syntax.OpAnd, syntax.OpOr:
		return y, true
	case syntax.OpEq:
		return value.FromBool(value.Equal(x, y)), true
	case syntax.OpNe:
		return value.FromBool(!value.Equal(x, y)), true
	case syntax.OpLt, syntax.OpLe, syntax.OpGt, syntax.OpGe:
		return constantOrder(e.Op, x, y)
	case syntax.OpAdd:
		v, err = value.Add(x, y)
	case syntax.OpSub:
		v, err = value.Sub(x, y)
	case syntax.OpMul:
		v, err = value.Mul(x, y)
	case syntax.OpDiv:
		v, err = value.Div(x, y)
	case syntax.OpMod:
		v, err = value.Mod(x, y)
	default:
		return value.NullValue, false
	}
	return v, err == nil
}

func constantOrder(op syntax.Op, x, y value.Value) (value.Value, bool) {
	order, ok, err := value.Compare(x, y)
	if err != nil {
		return value.NullValue, false
	}
	holds := false
	switch op {
	case syntax.OpLt:
		holds = order < 0
	case syntax.OpLe:
		holds = order <= 0
	case syntax.OpGt:
		holds = order > 0
	case syntax.OpGe:
		holds = order >= 0
	}
	return value.FromBool(ok && holds), true
}

// constantTruth returns the truth of a condition that is written out.
func constantTruth(e syntax.Expr) (truth string, ok bool) {
	v, ok := constantValue(e)
	if !ok {
		return "", false
	}
	if value.Truth(v) {
		return "true", true
	}
	return "false", true
}

// checkConstantCall calls a function whose arguments are all written out, and
// reports the error that it would be at run time.
func (c *checker) checkConstantCall(e *syntax.CallExpr, f *stdlib.Func) {
	if f.Form != stdlib.Native || f.Impl == nil || len(e.Args) == 0 {
		return
	}
	args := make([]value.Value, len(e.Args))
	for i, a := range e.Args {
		v, ok := constantValue(a)
		if !ok {
			return
		}
		args[i] = v
	}
	if !cheap(f, args) {
		return
	}
	if _, err := f.Impl(nil, args); err != nil {
		c.report(diag.CodeBadArgument, e.Span, "", "%s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
}

// cheap reports whether a call can be made just to see whether it fails: those
// that make as much as their arguments say are left to run time if it is much,
// save where it is more than they allow.
func cheap(f *stdlib.Func, args []value.Value) bool {
	switch f.Name {
	case "range", "repeat", "padStart", "padEnd":
		for _, a := range args {
			if a.IsNumber() {
				if n := math.Abs(value.Float64(a)); n > 1e5 && n < 1e10 {
					return false
				}
			}
		}
	}
	return true
}
