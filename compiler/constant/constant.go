// Package constant works out expressions that are written out: literals, and
// operators on such (language definition, section 4). The checker looks at what
// they are, and the code generator puts them in a program's table of constants.
package constant

import (
	"reqon/compiler/syntax"
	"reqon/vm/value"
)

// arithmetic are the operators whose result may be an error.
var arithmetic = map[syntax.Op]func(a, b value.Value) (value.Value, error){
	syntax.OpAdd: value.Add, syntax.OpSub: value.Sub, syntax.OpMul: value.Mul, syntax.OpDiv: value.Div, syntax.OpMod: value.Mod,
}

// Value returns the value of an expression that is constant. What would be an
// error is no constant: it is told at run time, with its place.
func Value(e syntax.Expr) (value.Value, bool) {
	switch e := e.(type) {
	case *syntax.NullLit:
		return value.NullValue, true
	case *syntax.BoolLit:
		return value.FromBool(e.Value), true
	case *syntax.StringLit:
		return value.FromString(e.Value), true
	case *syntax.NumberLit:
		return number(e)
	case *syntax.ParenExpr:
		return Value(e.X)
	case *syntax.UnaryExpr:
		return unary(e)
	case *syntax.BinaryExpr:
		return binary(e)
	case *syntax.TemplateLit:
		if len(e.Exprs) == 0 && len(e.Texts) == 1 {
			return value.FromString(e.Texts[0]), true
		}
	case *syntax.ArrayExpr:
		return array(e)
	case *syntax.ObjectExpr:
		return object(e)
	}
	return value.NullValue, false
}

func number(e *syntax.NumberLit) (value.Value, bool) {
	v, ok := value.ParseNumber(e.Text)
	if !ok || e.Unit == "" {
		return v, ok
	}
	v, err := value.Mul(v, value.FromInt(value.DurationUnit(e.Unit)))
	return v, err == nil
}

func unary(e *syntax.UnaryExpr) (value.Value, bool) {
	v, ok := Value(e.X)
	if !ok {
		return v, false
	}
	if e.Op == syntax.OpNot {
		return value.FromBool(!value.Truth(v)), true
	}
	// A literal keeps its text with its sign.
	if n, lit := e.X.(*syntax.NumberLit); lit && n.Unit == "" {
		if v, ok := value.ParseNumber("-" + n.Text); ok {
			return v, true
		}
	}
	v, err := value.Neg(v)
	return v, err == nil
}

func binary(e *syntax.BinaryExpr) (value.Value, bool) {
	x, ok := Value(e.X)
	if !ok {
		return x, false
	}
	switch {
	case e.Op == syntax.OpAnd && !value.Truth(x), e.Op == syntax.OpOr && value.Truth(x):
		return x, true // whatever the right side is
	}
	y, ok := Value(e.Y)
	if !ok {
		return y, false
	}
	switch e.Op {
	case syntax.OpAnd, syntax.OpOr:
		return y, true
	case syntax.OpEq:
		return value.FromBool(value.Equal(x, y)), true
	case syntax.OpNe:
		return value.FromBool(!value.Equal(x, y)), true
	case syntax.OpLt, syntax.OpLe, syntax.OpGt, syntax.OpGe:
		return order(e.Op, x, y)
	}
	op, ok := arithmetic[e.Op]
	if !ok {
		return value.NullValue, false
	}
	v, err := op(x, y)
	return v, err == nil
}

func order(op syntax.Op, x, y value.Value) (value.Value, bool) {
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

func array(e *syntax.ArrayExpr) (value.Value, bool) {
	elems := make([]value.Value, 0, len(e.Elems))
	for _, elem := range e.Elems {
		v, ok := Value(elem.Value)
		if !ok || elem.Spread {
			return value.NullValue, false
		}
		elems = append(elems, v)
	}
	return value.FromArray(elems), true
}

// object takes no empty object, and none in which a key stands twice.
func object(e *syntax.ObjectExpr) (value.Value, bool) {
	if len(e.Entries) == 0 {
		return value.NullValue, false
	}
	b := value.NewObjectBuilder(nil, len(e.Entries))
	for _, entry := range e.Entries {
		if entry.Spread != nil || entry.Value == nil {
			return value.NullValue, false
		}
		v, ok := Value(entry.Value)
		if !ok {
			return value.NullValue, false
		}
		b.Set(entry.Key.Name, v)
	}
	if b.Len() != len(e.Entries) {
		return value.NullValue, false
	}
	return b.Value(), true
}
