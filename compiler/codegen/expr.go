package codegen

import (
	"reqon/compiler/constant"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// expr generates code that pushes the value of an expression.
func (f *fn) expr(e syntax.Expr) {
	outer := f.span
	defer func() { f.span = outer }()
	f.at(e)
	if v, ok := constant.Value(e); ok {
		f.constant(v)
		return
	}
	switch e := e.(type) {
	case *syntax.ParenExpr:
		f.expr(e.X)
	case *syntax.TemplateLit:
		f.template(e, e.Quoted)
	case *syntax.Name:
		f.nameExpr(e)
	case *syntax.SubjectExpr:
		f.loadSubject()
	case *syntax.FieldExpr:
		f.fieldExpr(e)
	case *syntax.IndexExpr:
		f.indexExpr(e)
	case *syntax.CallExpr:
		f.call(e)
	case *syntax.UnaryExpr:
		f.expr(e.X)
		if e.Op == syntax.OpNot {
			f.emit(bytecode.Not)
		} else {
			f.emit(bytecode.Neg)
		}
	case *syntax.BinaryExpr:
		f.binary(e)
	case *syntax.IsExpr:
		f.expr(e.X)
		f.emit(bytecode.Is, f.g.typeOf(e.Type))
	case *syntax.CondExpr:
		f.conditional(e, f.expr)
	case *syntax.WhereExpr:
		f.filter(item{body: e.Cond}, e.X, "where")
	case *syntax.ObjectExpr:
		f.object(e)
	case *syntax.ArrayExpr:
		f.array(e)
	case *syntax.MatchExpr:
		f.matchExpr(e, f.expr)
	default:
		f.emit(bytecode.Null)
	}
}

// isResponse reports whether e is the name response, not shadowed.
func (f *fn) isResponse(e syntax.Expr) bool {
	n, ok := unparen(e).(*syntax.Name)
	return ok && f.isGlobal(n, "response")
}

// isGlobal reports whether n is the given name and no variable or param.
func (f *fn) isGlobal(n *syntax.Name, name string) bool {
	if n.Name != name {
		return false
	}
	if _, ok := f.lookup(name); ok {
		return false
	}
	_, ok := f.g.params[name]
	return !ok
}

func unparen(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.ParenExpr)
		if !ok {
			return e
		}
		e = p.X
	}
}

// storeName gives the store that e names, if it names one.
func (f *fn) storeName(e syntax.Expr) (int, bool) {
	n, ok := unparen(e).(*syntax.Name)
	if !ok {
		return 0, false
	}
	switch n.Name {
	case "response", "lastSync", "scheduledTime":
		return 0, false
	}
	if !f.isGlobal(n, n.Name) {
		return 0, false
	}
	i, ok := f.g.stores[n.Name]
	return i, ok
}

// nameExpr pushes what a name stands for, in the order of the language
// definition, section 4, "Names".
func (f *fn) nameExpr(n *syntax.Name) {
	if v, ok := f.lookup(n.Name); ok {
		if v.page {
			f.emit(bytecode.PageParam, v.slot)
		} else {
			f.emit(bytecode.Load, v.slot)
		}
		return
	}
	if i, ok := f.g.params[n.Name]; ok {
		f.emit(bytecode.Param, i)
		return
	}
	switch n.Name {
	case "response":
		f.emit(bytecode.Response)
		return
	case "lastSync":
		if f.sync != bytecode.None {
			f.emit(bytecode.LastSync, f.sync)
		} else {
			f.emit(bytecode.LastRun)
		}
		return
	case "scheduledTime":
		f.emit(bytecode.Scheduled)
		return
	}
	if i, ok := f.g.stores[n.Name]; ok {
		f.emit(bytecode.StoreList, i)
		return
	}
	switch n.Name {
	case "status":
		f.emit(bytecode.Status)
		return
	case "headers":
		f.emit(bytecode.Headers)
		return
	}
	f.emit(bytecode.Null)
}

// slotOf gives the local that an expression is, if it is just one.
func (f *fn) slotOf(e syntax.Expr) (int, bool) {
	switch e := e.(type) {
	case *syntax.SubjectExpr:
		return f.subject.slot, f.subject != responseSubject
	case *syntax.Name:
		v, ok := f.lookup(e.Name)
		return v.slot, ok && !v.page
	}
	return 0, false
}

func (f *fn) fieldExpr(e *syntax.FieldExpr) {
	if slot, ok := f.slotOf(e.X); ok {
		f.emit(bytecode.LoadField, slot, f.name(e.Name.Name), f.cache())
		return
	}
	if store, ok := f.storeName(e.X); ok && e.Name.Name == "length" {
		f.emit(bytecode.StoreLen, store)
		return
	}
	f.expr(e.X)
	f.at(e.Name)
	f.emit(bytecode.Field, f.name(e.Name.Name), f.cache())
}

func (f *fn) indexExpr(e *syntax.IndexExpr) {
	if store, ok := f.storeName(e.X); ok {
		f.expr(e.Index)
		f.emit(bytecode.StoreGet, store)
		return
	}
	f.expr(e.X)
	f.expr(e.Index)
	f.at(e)
	f.emit(bytecode.Index)
}

// template pushes the text of a template; in a path each value is escaped as
// one segment.
func (f *fn) template(e *syntax.TemplateLit, path bool) {
	n := 0
	for i, text := range e.Texts {
		if text != "" {
			f.text(text)
			n++
		}
		if i < len(e.Exprs) {
			f.expr(e.Exprs[i])
			if path {
				f.at(e.Exprs[i])
				f.emit(bytecode.Segment)
			}
			n++
		}
	}
	if n == 0 {
		f.text("")
		return
	}
	f.emit(bytecode.Text, n)
}

var binaryOps = [syntax.OpNeg + 1]bytecode.Op{
	syntax.OpEq: bytecode.Eq, syntax.OpNe: bytecode.Ne, syntax.OpLt: bytecode.Lt, syntax.OpLe: bytecode.Le,
	syntax.OpGt: bytecode.Gt, syntax.OpGe: bytecode.Ge, syntax.OpIn: bytecode.In, syntax.OpContains: bytecode.Contains,
	syntax.OpStartsWith: bytecode.StartsWith, syntax.OpEndsWith: bytecode.EndsWith, syntax.OpMatches: bytecode.Matches,
	syntax.OpAdd: bytecode.Add, syntax.OpSub: bytecode.Sub, syntax.OpMul: bytecode.Mul, syntax.OpDiv: bytecode.Div,
	syntax.OpMod: bytecode.Mod,
}

// keep are the operators that take their left side where it decides.
var keep = [syntax.OpNeg + 1]bytecode.Op{
	syntax.OpAnd: bytecode.JumpFalseKeep, syntax.OpOr: bytecode.JumpTrueKeep, syntax.OpCoalesce: bytecode.JumpValueKeep,
}

// withConst are the operators that have a form with a constant on the right.
var withConst = [syntax.OpNeg + 1]bytecode.Op{
	syntax.OpEq: bytecode.EqK, syntax.OpNe: bytecode.NeK, syntax.OpLt: bytecode.LtK, syntax.OpLe: bytecode.LeK,
	syntax.OpGt: bytecode.GtK, syntax.OpGe: bytecode.GeK, syntax.OpAdd: bytecode.AddK, syntax.OpSub: bytecode.SubK,
	syntax.OpMul: bytecode.MulK,
}

func (f *fn) binary(e *syntax.BinaryExpr) {
	switch e.Op {
	case syntax.OpAnd, syntax.OpOr, syntax.OpCoalesce:
		end := newLabel()
		f.expr(e.X)
		f.jump(keep[e.Op], end)
		f.expr(e.Y)
		f.place(end)
		return
	case syntax.OpMatches:
		if re, ok := constant.Value(e.Y); ok && re.Kind() == value.String {
			f.expr(e.X)
			f.at(e)
			f.emit(bytecode.MatchRE, f.g.regexp(re.Str()))
			return
		}
	}
	if f.shiftSync(e) {
		return
	}
	f.expr(e.X)
	// `lastSync - 1h` is null, and so not sent, before the first successful
	// run. All other arithmetic with null is an error.
	var end *label
	if e.Op == syntax.OpAdd || e.Op == syntax.OpSub {
		if n, ok := unparen(e.X).(*syntax.Name); ok && f.isGlobal(n, "lastSync") {
			end = newLabel()
			f.jump(bytecode.JumpNullKeep, end)
		}
	}
	if k, ok := constant.Value(e.Y); ok && withConst[e.Op] != 0 {
		f.at(e)
		f.emit(withConst[e.Op], f.operand(e.Op, k))
	} else {
		f.expr(e.Y)
		f.at(e)
		f.emit(binaryOps[e.Op])
	}
	if end != nil {
		f.place(end)
	}
}

// unless are the comparisons that have a form which jumps.
var unless = [syntax.OpNeg + 1]bytecode.Op{
	syntax.OpEq: bytecode.UnlessEqK, syntax.OpNe: bytecode.UnlessNeK, syntax.OpLt: bytecode.UnlessLtK,
	syntax.OpLe: bytecode.UnlessLeK, syntax.OpGt: bytecode.UnlessGtK, syntax.OpGe: bytecode.UnlessGeK,
}

// operand gives the constant of an operator's right side. Where its text can't
// come out, as it can of a sum that joins text, a decimal becomes the float that
// it would be turned into at every use.
func (f *fn) operand(op syntax.Op, k value.Value) int {
	if op != syntax.OpAdd && k.Kind() == value.Decimal {
		k = value.FromFloat(value.Float64(k))
	}
	return f.constIndex(k)
}

// condition jumps to no where the expression is false, and goes on where it is
// true.
func (f *fn) condition(e syntax.Expr, no *label) {
	if b, ok := unparen(e).(*syntax.BinaryExpr); ok && b.Op == syntax.OpAnd {
		f.condition(b.X, no)
		f.condition(b.Y, no)
		return
	} else if ok && unless[b.Op] != 0 {
		if k, ok := constant.Value(b.Y); ok {
			f.expr(b.X)
			f.at(b)
			f.jump(unless[b.Op], no, f.operand(b.Op, k))
			return
		}
	}
	f.expr(e)
	f.jump(bytecode.JumpFalse, no)
}

// conditional generates `if c then a else b`; each branch by branch.
func (f *fn) conditional(e *syntax.CondExpr, branch func(syntax.Expr)) {
	no, end := newLabel(), newLabel()
	f.condition(e.Cond, no)
	branch(e.Then)
	f.jump(bytecode.Jump, end)
	f.place(no)
	if e.Else != nil {
		branch(e.Else)
	} else {
		f.emit(bytecode.Null)
	}
	f.place(end)
}

// object pushes an object. Stretches of plain keys become one instruction each;
// spreads, and keys that stand twice, are merged.
func (f *fn) object(e *syntax.ObjectExpr) {
	parts := 0
	keys := make([]string, 0, len(e.Entries))
	var seen keySet
	flush := func() {
		if len(keys) > 0 {
			f.emit(bytecode.Object, f.g.shape(keys))
			parts++
		}
		keys, seen = keys[:0], keySet{}
	}
	for _, entry := range e.Entries {
		if entry.Spread != nil {
			flush()
			f.expr(entry.Spread)
			parts++
			continue
		}
		if !seen.add(entry.Key.Name) {
			flush()
			seen.add(entry.Key.Name)
		}
		keys = append(keys, entry.Key.Name)
		if entry.Value == nil { // `{ id }` stands for `{ id: id }`
			f.nameExpr(&syntax.Name{Span: entry.Key.Span, Name: entry.Key.Name})
		} else {
			f.expr(entry.Value)
		}
	}
	if len(keys) > 0 || parts == 0 {
		f.emit(bytecode.Object, f.g.shape(keys))
		parts++
	}
	if parts > 1 || len(e.Entries) > 0 && e.Entries[0].Spread != nil {
		f.emit(bytecode.Merge, parts)
	}
}

// keySet holds the keys of an object so far. A few need no map.
type keySet struct {
	few  []string
	many map[string]bool
}

// fewKeys is up to how many keys are compared one by one.
const fewKeys = 12

// add adds a key, and reports whether it is new.
func (s *keySet) add(key string) bool {
	switch {
	case s.many != nil:
		if s.many[key] {
			return false
		}
		s.many[key] = true
		return true
	case contains(s.few, key):
		return false
	}
	s.few = append(s.few, key)
	if len(s.few) > fewKeys {
		s.many = make(map[string]bool, 2*len(s.few))
		for _, k := range s.few {
			s.many[k] = true
		}
	}
	return true
}

// array pushes an array.
func (f *fn) array(e *syntax.ArrayExpr) {
	spread := false
	for _, elem := range e.Elems {
		spread = spread || elem.Spread
	}
	if !spread {
		for _, elem := range e.Elems {
			f.expr(elem.Value)
		}
		f.emit(bytecode.Array, len(e.Elems))
		return
	}
	list := f.newList()
	for _, elem := range e.Elems {
		f.expr(elem.Value)
		f.at(elem)
		if elem.Spread {
			f.emit(bytecode.Extend, list)
		} else {
			f.emit(bytecode.Append, list)
		}
	}
	f.endList(list)
}

// newList begins an array; endList pushes it. Those begun in between must have
// ended by then.
func (f *fn) newList() (list int) {
	list = f.nextList
	f.nextList++
	f.out.Lists = max(f.out.Lists, f.nextList)
	f.emit(bytecode.NewList, list)
	return list
}

func (f *fn) endList(list int) {
	f.nextList = list
	f.emit(bytecode.EndList, list)
}

// matchExpr generates a match expression; each arm's value by arm.
func (f *fn) matchExpr(e *syntax.MatchExpr, arm func(syntax.Expr)) {
	defer f.temp()()
	end := newLabel()
	slot := -1
	if e.Subject != nil {
		slot = f.newSlots(1)
		f.expr(e.Subject)
		f.emit(bytecode.Set, slot)
	}
	status := e.Subject != nil && f.isResponse(e.Subject)
	exhaustive := false
	for _, a := range e.Arms {
		inner := f.open()
		next := newLabel()
		f.at(a)
		f.armTest(a.Pattern, a.Cond, a.Where, slot, next, status)
		arm(a.Value)
		f.jump(bytecode.Jump, end)
		f.place(next)
		f.close(inner)
		if _, wild := a.Pattern.(*syntax.WildcardPattern); wild && a.Where == nil {
			exhaustive = true
			break
		}
	}
	if exhaustive {
		// What follows an arm that takes all is not reached.
		f.dead = true
		f.place(end)
		return
	}
	f.emit(bytecode.Null)
	f.place(end)
}

// armTest generates the test of an arm: it goes on where the arm fits, with
// its names bound, and to next where it does not.
func (f *fn) armTest(p syntax.Pattern, cond, where syntax.Expr, slot int, next *label, status bool) {
	if cond != nil {
		f.condition(cond, next)
	}
	if p != nil && slot >= 0 {
		f.pattern(p, slot, next, status)
	}
	if where != nil {
		if slot >= 0 {
			defer f.withSubject(subject{slot: slot})()
		}
		f.condition(where, next)
	}
}
