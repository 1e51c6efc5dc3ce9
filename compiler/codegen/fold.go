package codegen

import (
	"reqon/compiler/syntax"
	"reqon/vm/value"
)

// durationUnits are the milliseconds of a duration's unit.
var durationUnits = map[string]int64{
	"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
}

// arithmetic are the operators that fold where their result is no error.
var arithmetic = map[syntax.Op]func(a, b value.Value) (value.Value, error){
	syntax.OpAdd: value.Add, syntax.OpSub: value.Sub, syntax.OpMul: value.Mul, syntax.OpDiv: value.Div, syntax.OpMod: value.Mod,
}

// fold works out an expression that is constant. What would be an error is left
// to run time, where it is told with its place.
func fold(e syntax.Expr) (value.Value, bool) {
	switch e := e.(type) {
	case *syntax.NullLit:
		return value.NullValue, true
	case *syntax.BoolLit:
		return value.FromBool(e.Value), true
	case *syntax.StringLit:
		return value.FromString(e.Value), true
	case *syntax.NumberLit:
		return foldNumber(e)
	case *syntax.ParenExpr:
		return fold(e.X)
	case *syntax.UnaryExpr:
		return foldUnary(e)
	case *syntax.BinaryExpr:
		return foldBinary(e)
	case *syntax.TemplateLit:
		if len(e.Exprs) == 0 && len(e.Texts) == 1 {
			return value.FromString(e.Texts[0]), true
		}
	case *syntax.ArrayExpr:
		return foldArray(e)
	case *syntax.ObjectExpr:
		return foldObject(e)
	}
	return value.NullValue, false
}

func foldNumber(e *syntax.NumberLit) (value.Value, bool) {
	v, ok := value.ParseNumber(e.Text)
	if !ok || e.Unit == "" {
		return v, ok
	}
	v, err := value.Mul(v, value.FromInt(durationUnits[e.Unit]))
	return v, err == nil
}

func foldUnary(e *syntax.UnaryExpr) (value.Value, bool) {
	v, ok := fold(e.X)
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

func foldBinary(e *syntax.BinaryExpr) (value.Value, bool) {
	op, ok := arithmetic[e.Op]
	if !ok {
		return value.NullValue, false
	}
	x, okX := fold(e.X)
	if !okX {
		return value.NullValue, false
	}
	y, okY := fold(e.Y)
	if !okY {
		return value.NullValue, false
	}
	v, err := op(x, y)
	return v, err == nil
}

func foldArray(e *syntax.ArrayExpr) (value.Value, bool) {
	elems := make([]value.Value, 0, len(e.Elems))
	for _, elem := range e.Elems {
		v, ok := fold(elem.Value)
		if !ok || elem.Spread {
			return value.NullValue, false
		}
		elems = append(elems, v)
	}
	return value.FromArray(elems), true
}

// foldObject folds an object of constants other than the empty one and those in
// which a key stands twice.
func foldObject(e *syntax.ObjectExpr) (value.Value, bool) {
	if len(e.Entries) == 0 {
		return value.NullValue, false
	}
	b := value.NewObjectBuilder(nil, len(e.Entries))
	for _, entry := range e.Entries {
		if entry.Spread != nil || entry.Value == nil {
			return value.NullValue, false
		}
		v, ok := fold(entry.Value)
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
