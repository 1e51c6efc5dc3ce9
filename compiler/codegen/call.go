package codegen

import (
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// hostFuncs are the functions that the host answers, by name.
var hostFuncs = func() map[string]bytecode.HostFunc {
	m := map[string]bytecode.HostFunc{}
	for i, name := range bytecode.HostFuncs {
		m[name] = bytecode.HostFunc(i)
	}
	return m
}()

// call generates the call of a built-in function.
func (f *fn) call(e *syntax.CallExpr) {
	b := stdlib.Lookup(e.Fun.Name)
	if b == nil {
		f.emit(bytecode.Null)
		return
	}
	if len(e.Args) > 0 && f.storeCall(e) {
		return
	}
	switch b.Form {
	case stdlib.Host:
		if b.Impl == nil || len(e.Args) < len(b.Params) {
			if h, ok := hostFuncs[e.Fun.Name]; ok {
				f.args(e.Args)
				f.at(e.Fun)
				f.emit(bytecode.CallHost, int(h), len(e.Args))
				return
			}
		}
	case stdlib.Inline:
		if b.Item < len(e.Args) {
			f.inline(e, b)
			return
		}
	case stdlib.Mapped:
		if b.Item < len(e.Args) {
			f.mapped(e, b)
			return
		}
	case stdlib.Keyed:
		if b.Item < len(e.Args) {
			f.keyed(e, b)
			return
		}
	}
	f.args(e.Args)
	f.callNative(e, b, len(e.Args))
}

func (f *fn) args(args []syntax.Expr) {
	for _, a := range args {
		f.expr(a)
	}
}

func (f *fn) callNative(e *syntax.CallExpr, b *stdlib.Func, n int) {
	f.at(e.Fun)
	f.emit(bytecode.Call, f.g.native(b), n)
}

// storeCall generates the calls that need not read a whole store: its length,
// and whether it has a record.
func (f *fn) storeCall(e *syntax.CallExpr) bool {
	switch e.Fun.Name {
	case "length", "count":
		if store, ok := f.storeName(e.Args[0]); ok && len(e.Args) == 1 {
			f.at(e.Fun)
			f.emit(bytecode.StoreLen, store)
			return true
		}
	case "exists":
		index, ok := unparen(e.Args[0]).(*syntax.IndexExpr)
		if !ok {
			return false
		}
		if store, ok := f.storeName(index.X); ok {
			f.expr(index.Index)
			f.at(e.Fun)
			f.emit(bytecode.StoreHas, store)
			return true
		}
	}
	return false
}

// item is an item expression: an expression over the element, which is its
// subject and, with a lambda, also its parameter.
type item struct {
	param *syntax.Ident // nil without a lambda
	body  syntax.Expr
}

// itemOf reads an argument as an item expression.
func itemOf(arg syntax.Expr) item {
	if l, ok := unparen(arg).(*syntax.LambdaExpr); ok {
		it := item{body: l.Body}
		if len(l.Params) > 0 {
			it.param = l.Params[0]
		}
		return it
	}
	return item{body: arg}
}

// each generates a loop over the array on top of the stack. body is called with
// the slot of the element, which is the subject and the item's parameter there;
// it leaves nothing on the stack and may jump to done, where the stack is as
// before. index is the slot of the next index.
func (f *fn) each(it item, whom string, body func(elem, index int, done *label)) {
	slots := f.newSlots(3) // the array, the next index, the element
	elem := slots + 2
	f.emit(bytecode.Iter, slots, f.textIndex(whom))
	next, done := newLabel(), newLabel()
	f.place(next)
	f.jump(bytecode.NextItem, done, slots)
	inner := f.open()
	restore := f.withSubject(subject{slot: elem})
	if it.param != nil {
		f.bind(it.param.Name, elem)
	}
	body(elem, slots+1, done)
	restore()
	f.close(inner)
	f.jump(bytecode.Loop, next)
	f.place(done)
}

// filter pushes the elements of xs for which the item expression is true.
func (f *fn) filter(it item, xs syntax.Expr, whom string) {
	defer f.temp()()
	list := f.newList()
	f.expr(xs)
	f.each(it, whom, func(elem, _ int, _ *label) {
		no := newLabel()
		f.condition(it.body, no)
		f.emit(bytecode.Load, elem)
		f.emit(bytecode.Append, list)
		f.place(no)
	})
	f.endList(list)
}

// mapInto pushes the array of the item expression's values over the array on
// top of the stack.
func (f *fn) mapInto(it item, whom string) {
	defer f.temp()()
	list := f.newList()
	f.each(it, whom, func(_, _ int, _ *label) {
		f.expr(it.body)
		f.emit(bytecode.Append, list)
	})
	f.endList(list)
}

// inline generates the functions that are loops and nothing else.
func (f *fn) inline(e *syntax.CallExpr, b *stdlib.Func) {
	it := itemOf(e.Args[b.Item])
	name := e.Fun.Name
	f.at(e.Fun)
	defer f.temp()()
	switch name {
	case "filter":
		f.filter(it, e.Args[0], name)
	case "map":
		f.expr(e.Args[0])
		f.mapInto(it, name)
	case "find":
		f.search(it, e.Args[0], name, value.NullValue, func(elem, _ int) { f.emit(bytecode.Load, elem) })
	case "findIndex":
		f.search(it, e.Args[0], name, value.FromInt(-1), func(_, index int) {
			f.emit(bytecode.Load, index) // of the next element
			f.emit(bytecode.SubK, f.constIndex(value.FromInt(1)))
		})
	case "any":
		f.search(it, e.Args[0], name, value.False, func(_, _ int) { f.emit(bytecode.True) })
	case "all":
		not := it
		not.body = &syntax.UnaryExpr{Span: it.body.Place(), Op: syntax.OpNot, X: it.body}
		f.search(not, e.Args[0], name, value.True, func(_, _ int) { f.emit(bytecode.False) })
	case "count":
		n := f.newSlots(1)
		f.emit(bytecode.Int, 0)
		f.emit(bytecode.Set, n)
		f.expr(e.Args[0])
		f.each(it, name, func(_, _ int, _ *label) {
			no := newLabel()
			f.condition(it.body, no)
			f.emit(bytecode.Load, n)
			f.emit(bytecode.AddK, f.constIndex(value.FromInt(1)))
			f.emit(bytecode.Set, n)
			f.place(no)
		})
		f.emit(bytecode.Load, n)
	case "reduce":
		f.reduce(e)
	}
}

// search pushes what found gives for the first element for which the item
// expression is true, else the value none.
func (f *fn) search(it item, xs syntax.Expr, whom string, none value.Value, found func(elem, index int)) {
	result := f.newSlots(1)
	f.constant(none)
	f.emit(bytecode.Set, result)
	f.expr(xs)
	f.each(it, whom, func(elem, index int, done *label) {
		no := newLabel()
		f.condition(it.body, no)
		found(elem, index)
		f.emit(bytecode.Set, result)
		f.jump(bytecode.Jump, done)
		f.place(no)
	})
	f.emit(bytecode.Load, result)
}

// reduce generates reduce(xs, (acc, x) => e, init).
func (f *fn) reduce(e *syntax.CallExpr) {
	acc := f.newSlots(1)
	f.expr(e.Args[0])
	if len(e.Args) > 2 {
		f.expr(e.Args[2])
	} else {
		f.emit(bytecode.Null)
	}
	f.emit(bytecode.Set, acc)
	l, ok := unparen(e.Args[1]).(*syntax.LambdaExpr)
	it := item{body: e.Args[1]}
	if ok {
		it.body = l.Body
		if len(l.Params) > 1 {
			it.param = l.Params[1]
		}
	}
	f.each(it, "reduce", func(_, _ int, _ *label) {
		if ok && len(l.Params) > 0 {
			f.bind(l.Params[0].Name, acc)
		}
		f.expr(it.body)
		f.emit(bytecode.Set, acc)
	})
	f.emit(bytecode.Load, acc)
}

// mapped generates a function of the item expression's values. Of min and max
// with two arguments only the first says which is meant: over an array the
// second is an item expression, else they are two plain values.
func (f *fn) mapped(e *syntax.CallExpr, b *stdlib.Func) {
	arg := e.Args[b.Item]
	_, lambda := unparen(arg).(*syntax.LambdaExpr)
	twofold := (e.Fun.Name == "min" || e.Fun.Name == "max") && !lambda
	if twofold && len(e.Args) > 2 {
		f.args(e.Args)
		f.callNative(e, b, len(e.Args))
		return
	}
	defer f.temp()()
	plain, end := newLabel(), newLabel()
	f.expr(e.Args[0])
	if twofold {
		xs := f.newSlots(1)
		f.emit(bytecode.Set, xs)
		if hasTwofold(arg) {
			f.onceForBoth(e, b, xs)
			return
		}
		f.emit(bytecode.Load, xs)
		f.emit(bytecode.Is, f.g.namedType("array"))
		f.jump(bytecode.JumpFalse, plain)
		f.emit(bytecode.Load, xs)
		f.mapInto(itemOf(arg), e.Fun.Name)
		f.callNative(e, b, 1)
		f.jump(bytecode.Jump, end)
		f.place(plain)
		f.emit(bytecode.Load, xs)
		f.expr(arg)
		f.callNative(e, b, 2)
		f.place(end)
		return
	}
	f.mapInto(itemOf(arg), e.Fun.Name)
	f.callNative(e, b, 1)
}

// hasTwofold reports whether the code of an expression holds that of one of its
// parts twice, as that of min and max of two arguments does.
func hasTwofold(e syntax.Expr) bool {
	found := false
	syntax.Walk(e, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		found = found || ok && len(c.Args) == 2 && (c.Fun.Name == "min" || c.Fun.Name == "max")
		return !found
	})
	return found
}

// onceForBoth generates min or max of the value in the slot xs and a second
// argument whose code stands only once, lest calls inside of calls double with
// each level: a loop over the array, or over the subject alone where xs is none.
func (f *fn) onceForBoth(e *syntax.CallExpr, b *stdlib.Func, xs int) {
	arg := e.Args[b.Item]
	isArray := func(no *label) {
		f.emit(bytecode.Load, xs)
		f.emit(bytecode.Is, f.g.namedType("array"))
		f.jump(bytecode.JumpFalse, no)
	}
	alone, each, plain, end := newLabel(), newLabel(), newLabel(), newLabel()
	isArray(alone)
	f.emit(bytecode.Load, xs)
	f.jump(bytecode.Jump, each)
	f.place(alone)
	if f.g.live.expr(arg, true) {
		f.loadSubject()
	} else {
		f.emit(bytecode.Null)
	}
	f.emit(bytecode.Array, 1)
	f.place(each)
	f.mapInto(itemOf(arg), e.Fun.Name)
	values := f.newSlots(1)
	f.emit(bytecode.Set, values)
	isArray(plain)
	f.emit(bytecode.Load, values)
	f.callNative(e, b, 1)
	f.jump(bytecode.Jump, end)
	f.place(plain)
	f.emit(bytecode.Load, xs)
	f.emit(bytecode.Load, values)
	f.emit(bytecode.Int, 0)
	f.emit(bytecode.Index)
	f.callNative(e, b, 2)
	f.place(end)
}

// keyed generates a function of a collection and the item expression's values.
func (f *fn) keyed(e *syntax.CallExpr, b *stdlib.Func) {
	defer f.temp()()
	xs := f.newSlots(1)
	f.expr(e.Args[0])
	f.emit(bytecode.Set, xs)
	f.emit(bytecode.Load, xs)
	f.emit(bytecode.Load, xs)
	f.mapInto(itemOf(e.Args[b.Item]), e.Fun.Name)
	f.args(e.Args[b.Item+1:])
	f.callNative(e, b, 2+len(e.Args)-b.Item-1)
}
