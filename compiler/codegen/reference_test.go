package codegen_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/value"
)

// reference evaluates expressions by walking their tree: section 4 of the
// language definition and the patterns of section 6.2, as slow and as plain as
// can be. The compiler is compared with it. What the value package and the
// functions of the standard library define on their own it takes from there;
// order of evaluation, scopes, the subject, item expressions, patterns and the
// logical operators are its own.
type reference struct {
	shapes *value.Shapes
	now    int64 // what now() gives, in milliseconds since 1970
	uuids  int
}

// scope holds the variables in force, innermost first, and the subject.
type scope struct {
	outer   *scope
	names   map[string]value.Value
	subject value.Value
}

func (s *scope) lookup(name string) (value.Value, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.names[name]; ok {
			return v, true
		}
	}
	return value.NullValue, false
}

// with returns a scope inside s that has the names and the subject of s.
func (s *scope) with(names map[string]value.Value) *scope {
	return &scope{outer: s, names: names, subject: s.subject}
}

// about returns a scope inside s with another subject.
func (s *scope) about(subject value.Value) *scope {
	return &scope{outer: s, subject: subject}
}

func (r *reference) eval(e syntax.Expr, s *scope) (value.Value, error) {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return r.eval(e.X, s)
	case *syntax.NullLit:
		return value.NullValue, nil
	case *syntax.BoolLit:
		return value.FromBool(e.Value), nil
	case *syntax.NumberLit:
		return r.number(e)
	case *syntax.StringLit:
		return value.FromString(e.Value), nil
	case *syntax.TemplateLit:
		return r.template(e, s)
	case *syntax.Name:
		if v, ok := s.lookup(e.Name); ok {
			return v, nil
		}
		return value.NullValue, fmt.Errorf("unknown name %s", e.Name)
	case *syntax.SubjectExpr:
		return s.subject, nil
	case *syntax.FieldExpr:
		x, err := r.eval(e.X, s)
		if err != nil {
			return x, err
		}
		return value.Field(x, e.Name.Name), nil
	case *syntax.IndexExpr:
		vs, err := r.all(s, e.X, e.Index)
		if err != nil {
			return value.NullValue, err
		}
		return value.Index(vs[0], vs[1])
	case *syntax.UnaryExpr:
		return r.unary(e, s)
	case *syntax.BinaryExpr:
		return r.binary(e, s)
	case *syntax.IsExpr:
		x, err := r.eval(e.X, s)
		if err != nil {
			return x, err
		}
		return r.is(x, e.Type)
	case *syntax.CondExpr:
		return r.cond(e, s)
	case *syntax.WhereExpr:
		return r.where(e, s)
	case *syntax.ObjectExpr:
		return r.object(e, s)
	case *syntax.ArrayExpr:
		return r.array(e, s)
	case *syntax.MatchExpr:
		return r.match(e, s)
	case *syntax.CallExpr:
		return r.call(e, s)
	}
	return value.NullValue, fmt.Errorf("%T is no expression that has a value", e)
}

// all evaluates expressions from left to right.
func (r *reference) all(s *scope, es ...syntax.Expr) ([]value.Value, error) {
	vs := make([]value.Value, len(es))
	for i, e := range es {
		v, err := r.eval(e, s)
		if err != nil {
			return nil, err
		}
		vs[i] = v
	}
	return vs, nil
}

// ---- literals

var unitMillis = map[string]int64{
	"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
}

func (r *reference) number(e *syntax.NumberLit) (value.Value, error) {
	v, ok := value.ParseNumber(e.Text)
	if !ok {
		return v, fmt.Errorf("%q is no number", e.Text)
	}
	if e.Unit == "" {
		return v, nil
	}
	return value.Mul(v, value.FromInt(unitMillis[e.Unit]))
}

func (r *reference) template(e *syntax.TemplateLit, s *scope) (value.Value, error) {
	var b strings.Builder
	for i, text := range e.Texts {
		b.WriteString(text)
		if i < len(e.Exprs) {
			v, err := r.eval(e.Exprs[i], s)
			if err != nil {
				return v, err
			}
			b.WriteString(value.Text(v))
		}
	}
	return value.FromString(b.String()), nil
}

func (r *reference) object(e *syntax.ObjectExpr, s *scope) (value.Value, error) {
	b := value.NewObjectBuilder(r.shapes, len(e.Entries))
	for _, entry := range e.Entries {
		if entry.Spread == nil {
			v, err := r.eval(entry.Value, s)
			if err != nil {
				return v, err
			}
			b.Set(entry.Key.Name, v)
			continue
		}
		v, err := r.eval(entry.Spread, s)
		switch {
		case err != nil:
			return v, err
		case v.Kind() == value.Object:
			b.SetAll(v.Obj())
		case !v.IsNull():
			return v, fmt.Errorf("... in an object needs an object, found %s", value.Describe(v))
		}
	}
	return b.Value(), nil
}

func (r *reference) array(e *syntax.ArrayExpr, s *scope) (value.Value, error) {
	elems := []value.Value{}
	for _, elem := range e.Elems {
		v, err := r.eval(elem.Value, s)
		switch {
		case err != nil:
			return v, err
		case !elem.Spread:
			elems = append(elems, v)
		case v.Kind() == value.Array:
			elems = append(elems, v.Elems()...)
		case v.IsNull(): // nothing to add
		default:
			return v, fmt.Errorf("... in an array needs an array, found %s", value.Describe(v))
		}
	}
	return value.FromArray(elems), nil
}

// ---- operators

func (r *reference) unary(e *syntax.UnaryExpr, s *scope) (value.Value, error) {
	x, err := r.eval(e.X, s)
	if err != nil {
		return x, err
	}
	if e.Op == syntax.OpNot {
		return value.FromBool(!value.Truth(x)), nil
	}
	return value.Neg(x)
}

func (r *reference) binary(e *syntax.BinaryExpr, s *scope) (value.Value, error) {
	x, err := r.eval(e.X, s)
	if err != nil {
		return x, err
	}
	switch e.Op { // these give their first operand without a look at the second
	case syntax.OpOr:
		if value.Truth(x) {
			return x, nil
		}
		return r.eval(e.Y, s)
	case syntax.OpAnd:
		if !value.Truth(x) {
			return x, nil
		}
		return r.eval(e.Y, s)
	case syntax.OpCoalesce:
		if !x.IsNull() {
			return x, nil
		}
		return r.eval(e.Y, s)
	}
	y, err := r.eval(e.Y, s)
	if err != nil {
		return y, err
	}
	return r.operate(e.Op, x, y)
}

func (r *reference) operate(op syntax.Op, x, y value.Value) (value.Value, error) {
	switch op {
	case syntax.OpAdd:
		return value.Add(x, y)
	case syntax.OpSub:
		return value.Sub(x, y)
	case syntax.OpMul:
		return value.Mul(x, y)
	case syntax.OpDiv:
		return value.Div(x, y)
	case syntax.OpMod:
		return value.Mod(x, y)
	case syntax.OpEq:
		return value.FromBool(value.Equal(x, y)), nil
	case syntax.OpNe:
		return value.FromBool(!value.Equal(x, y)), nil
	case syntax.OpIn:
		return r.in(x, y)
	case syntax.OpContains:
		return r.in(y, x)
	case syntax.OpStartsWith, syntax.OpEndsWith, syntax.OpMatches:
		if x.IsNull() || y.IsNull() {
			return value.False, nil
		}
		if x.Kind() != value.String || y.Kind() != value.String {
			return value.NullValue, fmt.Errorf("%s between %s and %s", op, value.Describe(x), value.Describe(y))
		}
		return stdlib.Lookup(op.String()).Impl(r.shapes, []value.Value{x, y})
	}
	order, ok, err := value.Compare(x, y)
	if err != nil || !ok {
		return value.False, err
	}
	switch op {
	case syntax.OpLt:
		return value.FromBool(order < 0), nil
	case syntax.OpLe:
		return value.FromBool(order <= 0), nil
	case syntax.OpGt:
		return value.FromBool(order > 0), nil
	case syntax.OpGe:
		return value.FromBool(order >= 0), nil
	}
	return value.NullValue, fmt.Errorf("no operator %s", op)
}

func (r *reference) in(x, y value.Value) (value.Value, error) {
	switch y.Kind() {
	case value.Null:
		return value.False, nil
	case value.Array:
		for _, e := range y.Elems() {
			if value.Equal(e, x) {
				return value.True, nil
			}
		}
		return value.False, nil
	case value.Object: // keys are text: a number stands for its text
		if x.IsNull() {
			return value.False, nil
		}
		if x.Kind() != value.Array && x.Kind() != value.Object {
			_, ok := y.Obj().Get(value.Text(x))
			return value.FromBool(ok), nil
		}
	case value.String:
		if x.IsNull() {
			return value.False, nil
		}
		if x.Kind() == value.String {
			return value.FromBool(strings.Contains(y.Str(), x.Str())), nil
		}
	}
	return value.NullValue, fmt.Errorf("in between %s and %s", value.Describe(x), value.Describe(y))
}

func (r *reference) is(x value.Value, t syntax.TypeExpr) (value.Value, error) {
	if literal, ok := t.(*syntax.LiteralType); ok { // `x is null`
		v, err := r.eval(literal.Value, &scope{})
		return value.FromBool(err == nil && value.Equal(x, v)), err
	}
	named, ok := t.(*syntax.NamedType)
	if !ok {
		return value.NullValue, fmt.Errorf("is %T", t)
	}
	k := x.Kind()
	switch named.Name {
	case "string":
		return value.FromBool(k == value.String), nil
	case "number":
		return value.FromBool(x.IsNumber()), nil
	case "int":
		return value.FromBool(isWhole(x)), nil
	case "boolean":
		return value.FromBool(k == value.Bool), nil
	case "date":
		return value.FromBool(k == value.Time || k == value.String && value.IsDateText(x.Str())), nil
	case "array":
		return value.FromBool(k == value.Array), nil
	case "object":
		return value.FromBool(k == value.Object), nil
	}
	return value.NullValue, fmt.Errorf("no type %s", named.Name)
}

// isWhole reports whether x is a whole number, however large and however
// written.
func isWhole(x value.Value) bool {
	if !x.IsNumber() {
		return false
	}
	f, ok := new(big.Rat).SetString(value.Text(x))
	return ok && f.IsInt()
}

func (r *reference) cond(e *syntax.CondExpr, s *scope) (value.Value, error) {
	c, err := r.eval(e.Cond, s)
	if err != nil {
		return c, err
	}
	if value.Truth(c) {
		return r.eval(e.Then, s)
	}
	return r.eval(e.Else, s)
}

func (r *reference) where(e *syntax.WhereExpr, s *scope) (value.Value, error) {
	xs, err := r.eval(e.X, s)
	if err != nil {
		return xs, err
	}
	if xs.Kind() != value.Array {
		return xs, fmt.Errorf("where needs an array, found %s", value.Describe(xs))
	}
	kept := []value.Value{}
	for _, x := range xs.Elems() {
		c, err := r.eval(e.Cond, s.about(x))
		if err != nil {
			return c, err
		}
		if value.Truth(c) {
			kept = append(kept, x)
		}
	}
	return value.FromArray(kept), nil
}

// ---- match

func (r *reference) match(e *syntax.MatchExpr, s *scope) (value.Value, error) {
	if e.Subject == nil {
		for _, arm := range e.Arms {
			if arm.Cond != nil {
				c, err := r.eval(arm.Cond, s)
				if err != nil {
					return c, err
				}
				if !value.Truth(c) {
					continue
				}
			}
			return r.eval(arm.Value, s)
		}
		return value.NullValue, nil
	}
	x, err := r.eval(e.Subject, s)
	if err != nil {
		return x, err
	}
	for _, arm := range e.Arms {
		names := map[string]value.Value{}
		fits, err := r.fits(arm.Pattern, x, names)
		if err != nil {
			return value.NullValue, err
		}
		if !fits {
			continue
		}
		inArm := s.with(names)
		if arm.Where != nil {
			guard, err := r.eval(arm.Where, inArm.about(x))
			if err != nil {
				return guard, err
			}
			if !value.Truth(guard) {
				continue
			}
		}
		return r.eval(arm.Value, inArm)
	}
	return value.NullValue, nil
}

// fits reports whether x matches the pattern, and adds what it binds to names.
func (r *reference) fits(p syntax.Pattern, x value.Value, names map[string]value.Value) (bool, error) {
	switch p := p.(type) {
	case *syntax.WildcardPattern:
		return true, nil
	case *syntax.BindPattern:
		names[p.Name.Name] = x
		return true, nil
	case *syntax.LiteralPattern:
		v, err := r.eval(p.Value, &scope{})
		return err == nil && value.Equal(x, v), err
	case *syntax.ArrayPattern:
		return r.fitsArray(p, x, names)
	case *syntax.ObjectPattern:
		if x.Kind() != value.Object {
			return false, nil
		}
		for _, f := range p.Fields {
			v, ok := x.Obj().Get(f.Key.Name)
			if !ok || v.IsNull() && takesAnything(f.Pattern) {
				return false, nil
			}
			if fits, err := r.fits(f.Pattern, v, names); err != nil || !fits {
				return false, err
			}
		}
		return true, nil
	}
	return false, fmt.Errorf("pattern %T", p)
}

func takesAnything(p syntax.Pattern) bool {
	switch p.(type) {
	case *syntax.WildcardPattern, *syntax.BindPattern:
		return true
	}
	return false
}

func (r *reference) fitsArray(p *syntax.ArrayPattern, x value.Value, names map[string]value.Value) (bool, error) {
	if x.Kind() != value.Array {
		return false, nil
	}
	elems := x.Elems()
	if len(elems) < len(p.Elems) || p.Rest == nil && len(elems) > len(p.Elems) {
		return false, nil
	}
	for i, ep := range p.Elems {
		if fits, err := r.fits(ep, elems[i], names); err != nil || !fits {
			return false, err
		}
	}
	if p.Rest != nil && p.Rest.Name != "_" {
		names[p.Rest.Name] = value.FromArray(append([]value.Value{}, elems[len(p.Elems):]...))
	}
	return true, nil
}

// ---- calls

func (r *reference) call(e *syntax.CallExpr, s *scope) (value.Value, error) {
	f := stdlib.Lookup(e.Fun.Name)
	if f == nil {
		return value.NullValue, fmt.Errorf("no function %s", e.Fun.Name)
	}
	if f.Item >= 0 && len(e.Args) > f.Item {
		return r.itemCall(f, e.Args, s)
	}
	if f.Item >= 0 && !f.ItemOptional {
		return value.NullValue, fmt.Errorf("%s needs an item expression", f.Name)
	}
	args, err := r.all(s, e.Args...)
	if err != nil {
		return value.NullValue, err
	}
	if f.Impl == nil || f.Name == "timestamp" && len(args) == 0 {
		return r.host(f, args)
	}
	return f.Impl(r.shapes, args)
}

// host stands for the functions that are no pure functions of their arguments.
func (r *reference) host(f *stdlib.Func, args []value.Value) (value.Value, error) {
	if err := stdlib.CheckArgs(f, args); err != nil {
		return value.NullValue, err
	}
	switch f.Name {
	case "now":
		return value.FromTime(r.now), nil
	case "timestamp":
		return value.FromInt(r.now), nil
	case "uuid":
		r.uuids++
		return value.FromString(fmt.Sprintf("00000000-0000-4000-8000-%012x", r.uuids)), nil
	case "random":
		return value.FromInt(0), nil
	case "env":
		if len(args) == 2 {
			return args[1], nil
		}
		return value.NullValue, nil
	}
	return value.NullValue, fmt.Errorf("%s needs its host", f.Name)
}

// itemCall is the call of a function that works through a collection.
func (r *reference) itemCall(f *stdlib.Func, args []syntax.Expr, s *scope) (value.Value, error) {
	xs, err := r.eval(args[0], s)
	if err != nil {
		return xs, err
	}
	if xs.Kind() != value.Array {
		_, lambda := args[f.Item].(*syntax.LambdaExpr)
		if f.Form != stdlib.Mapped || lambda {
			return xs, fmt.Errorf("%s needs an array, found %s", f.Name, value.Describe(xs))
		}
		// min(a, b) and max(a, b) take plain numbers as well.
		rest, err := r.all(s, args[1:]...)
		if err != nil {
			return value.NullValue, err
		}
		return f.Impl(r.shapes, append([]value.Value{xs}, rest...))
	}
	var rest []value.Value
	if f.Item+1 < len(args) {
		if rest, err = r.all(s, args[f.Item+1:]...); err != nil {
			return value.NullValue, err
		}
	}
	item, err := r.item(f, args[f.Item], s)
	if err != nil {
		return value.NullValue, err
	}
	switch f.Form {
	case stdlib.Inline:
		return r.inline(f.Name, xs.Elems(), item, rest)
	case stdlib.Mapped, stdlib.Keyed:
		each := make([]value.Value, len(xs.Elems()))
		for i, x := range xs.Elems() {
			if each[i], err = item(x); err != nil {
				return value.NullValue, err
			}
		}
		if f.Form == stdlib.Mapped {
			return f.Impl(r.shapes, append([]value.Value{value.FromArray(each)}, rest...))
		}
		return f.Impl(r.shapes, append([]value.Value{xs, value.FromArray(each)}, rest...))
	}
	return value.NullValue, fmt.Errorf("%s has an item expression and form %d", f.Name, f.Form)
}

// item returns an item expression or a lambda as a function.
func (r *reference) item(f *stdlib.Func, e syntax.Expr, s *scope) (func(...value.Value) (value.Value, error), error) {
	lambda, ok := e.(*syntax.LambdaExpr)
	if !ok {
		if f.LambdaArity != 1 {
			return nil, fmt.Errorf("%s needs a lambda of %d parameters", f.Name, f.LambdaArity)
		}
		return func(vs ...value.Value) (value.Value, error) {
			return r.eval(e, s.about(vs[0]))
		}, nil
	}
	if len(lambda.Params) != f.LambdaArity {
		return nil, fmt.Errorf("%s needs a lambda of %d parameters, found %d", f.Name, f.LambdaArity, len(lambda.Params))
	}
	return func(vs ...value.Value) (value.Value, error) {
		names := map[string]value.Value{}
		for i, p := range lambda.Params {
			names[p.Name] = vs[i]
		}
		return r.eval(lambda.Body, s.with(names))
	}, nil
}

// inline is the functions that stop early, keep elements or carry a value on.
func (r *reference) inline(name string, xs []value.Value, item func(...value.Value) (value.Value, error), rest []value.Value) (value.Value, error) {
	if name == "reduce" {
		if len(rest) != 1 {
			return value.NullValue, errors.New("reduce needs three arguments")
		}
		acc := rest[0]
		for _, x := range xs {
			var err error
			if acc, err = item(acc, x); err != nil {
				return acc, err
			}
		}
		return acc, nil
	}
	if len(rest) != 0 {
		return value.NullValue, fmt.Errorf("%s has too many arguments", name)
	}
	made, kept := []value.Value{}, []value.Value{}
	for i, x := range xs {
		v, err := item(x)
		if err != nil {
			return v, err
		}
		made = append(made, v)
		truth := value.Truth(v)
		if truth {
			kept = append(kept, x)
		}
		switch {
		case name == "find" && truth:
			return x, nil
		case name == "findIndex" && truth:
			return value.FromInt(int64(i)), nil
		case name == "any" && truth:
			return value.True, nil
		case name == "all" && !truth:
			return value.False, nil
		}
	}
	switch name {
	case "map":
		return value.FromArray(made), nil
	case "filter":
		return value.FromArray(kept), nil
	case "count":
		return value.FromInt(int64(len(kept))), nil
	case "find":
		return value.NullValue, nil
	case "findIndex":
		return value.FromInt(-1), nil
	case "any":
		return value.False, nil
	case "all":
		return value.True, nil
	}
	return value.NullValue, fmt.Errorf("no item function %s", name)
}
