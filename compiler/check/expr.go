package check

import (
	"bytes"
	"maps"
	"regexp"
	resyntax "regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/near"
	"reqon/vm/value"
)

// expr checks one whole expression and returns what is known of its value. Of
// an expression, the first error is reported alone.
func (c *checker) expr(e syntax.Expr) *typ {
	if e == nil {
		return anyType
	}
	depth, failed := c.exprs, c.failed
	c.exprs, c.failed = 1, false
	t := c.infer(e)
	c.exprs, c.failed = depth, failed
	return t
}

// condition checks an expression that decides something, and reports one that
// always decides alike.
func (c *checker) condition(e syntax.Expr) {
	if e == nil {
		return
	}
	t := c.expr(e)
	if truth, ok := constantTruth(e); ok {
		c.report(diag.CodeConstant, e.Place(), "", "this condition is always %s", truth)
		return
	}
	if t != anyType && !t.can(stdlib.KNull|stdlib.KBool|stdlib.KNumber|stdlib.KString) {
		c.report(diag.CodeConstant, e.Place(), "", "this condition is always true: %s is true whatever it holds", t.describe())
	}
}

// infer checks an expression and returns what is known of its value.
func (c *checker) infer(e syntax.Expr) *typ {
	switch e := e.(type) {
	case *syntax.NullLit, *syntax.BoolLit, *syntax.NumberLit:
		return litType(e)
	case *syntax.StringLit:
		c.checkPlainBraces(e)
		return litType(e)
	case *syntax.TemplateLit:
		c.checkDollars(e)
		for _, x := range e.Exprs {
			c.infer(x)
		}
		return stringType
	case *syntax.Name:
		return c.name(e)
	case *syntax.SubjectExpr:
		return c.subject(e.Span)
	case *syntax.FieldExpr:
		return c.field(e)
	case *syntax.IndexExpr:
		return c.index(e)
	case *syntax.CallExpr:
		return c.call(e)
	case *syntax.UnaryExpr:
		return c.unary(e)
	case *syntax.BinaryExpr:
		return c.binary(e)
	case *syntax.IsExpr:
		t := c.infer(e.X)
		if e.Type != nil {
			c.checkType(e.Type)
			if m := misfit(t, c.resolve(e.Type), maxMisfitDepth); m != "" {
				c.report(diag.CodeNeverEqual, e.Span, "", "`is` is always false: %s", m)
			}
		}
		return boolType
	case *syntax.CondExpr:
		c.infer(e.Cond)
		if truth, ok := constantTruth(e.Cond); ok {
			c.report(diag.CodeConstant, e.Cond.Place(), "", "this condition is always %s", truth)
		}
		return c.union(c.infer(e.Then), c.infer(e.Else))
	case *syntax.LambdaExpr:
		c.report(diag.CodeItemExpression, e.Span, "", "a lambda can only be the argument of a function that works through a collection")
		return anyType
	case *syntax.WhereExpr:
		return c.where(e)
	case *syntax.ObjectExpr:
		return c.object(e)
	case *syntax.ArrayExpr:
		return c.array(e)
	case *syntax.MatchExpr:
		return c.matchWith(e, func(arm *syntax.MatchArm) *typ { return c.infer(arm.Value) })
	case *syntax.ParenExpr:
		return c.infer(e.X)
	}
	return anyType // *syntax.BadExpr: reported already
}

// subject returns what is known of the subject (language definition, section
// 4).
func (c *checker) subject(span syntax.Span) *typ {
	switch {
	case c.at.item != nil:
		return c.at.item
	case c.at.response != nil:
		c.reads++
		return c.at.response
	}
	c.report(diag.CodeNotHere, span, "", "there is no subject here that `.` could stand for: no item, no record and no response")
	return anyType
}

// name resolves a name in the order of the definition's section 4.
func (c *checker) name(e *syntax.Name) *typ {
	if v := c.at.scope.lookup(e.Name); v != nil {
		v.used = true
		return v.typ
	}
	switch e.Name {
	case "response":
		if c.at.response == nil {
			c.report(diag.CodeNotHere, e.Span, "", "there is no `response` here: nothing has been requested yet")
			return anyType
		}
		c.reads++
		return c.at.response
	case "lastSync":
		if !c.at.lastSync {
			c.report(diag.CodeNotHere, e.Span, "", "there is no `lastSync` here: it belongs to a request")
			return anyType
		}
		return ofKinds(stdlib.KTime | stdlib.KString | stdlib.KNumber | stdlib.KNull)
	case "scheduledTime":
		return timeType
	}
	if c.isStore(e.Name) {
		c.useStore(e)
		return storeType
	}
	switch e.Name {
	case "status", "headers":
		if c.at.response == nil {
			c.report(diag.CodeNotHere, e.Span, "", "there is no `%s` here: nothing has been requested yet", e.Name)
			return anyType
		}
		if e.Name == "status" {
			return ofKinds(stdlib.KNumber | stdlib.KNull)
		}
		return anyType
	}
	c.unknownName(e)
	return anyType
}

// useStore is told of a store that an expression reads.
func (c *checker) useStore(e *syntax.Name) {
	c.stores.use(e.Name)
	c.needsReading(e.Name, e.Span)
	if c.at.noStores {
		c.report(diag.CodeNotHere, e.Span, "read it in an action, and give the value to the options of the request or step there",
			"the store `%s` can't be read here: this is worked out before the stores are opened", e.Name)
	}
}

func (c *checker) isStore(name string) bool {
	if _, ok := c.stores.get(name); ok {
		return true
	}
	_, ok := c.autoStores[name]
	return ok
}

// storeNames returns the names of all stores, also of those that are declared
// by storing to them.
func (c *checker) storeNames() []string {
	return slices.AppendSeq(slices.Clone(c.stores.names()), maps.Keys(c.autoStores))
}

func (c *checker) unknownName(e *syntax.Name) {
	if f := stdlib.Lookup(e.Name); f != nil {
		call := f.Name + "(…)"
		if len(f.Params) == 0 {
			call = f.Name + "()"
		}
		c.report(diag.CodeFunctionAsValue, e.Span, "write `"+call+"`", "`%s` is a function, and a function is no value: %s", e.Name, f.Signature())
		return
	}
	if word, ok := foreignNames[e.Name]; ok {
		c.report(diag.CodeUnknownName, e.Span, word, "unknown name `%s`", e.Name)
		return
	}
	builtin := []string{"scheduledTime", "true", "false", "null"}
	if c.at.response != nil {
		builtin = append(builtin, "response", "status", "headers")
	}
	if c.at.lastSync {
		builtin = append(builtin, "lastSync")
	}
	near := c.near(e.Name, these(builtin), c.at.scope.names, c.storeNames)
	if v := c.at.scope.lookup(near); v != nil {
		v.used = true // or a slip would be reported a second time, as an unused variable
	}
	c.stores.use(near)
	message := "unknown name `%s`: it is no variable, parameter or store"
	suggestion := didYouMean(near)
	if behindDashes(e.Span) {
		suggestion = "a comment starts with `//`"
	} else if near == "" && (c.at.item != nil || c.at.response != nil) {
		suggestion = "`." + e.Name + "` reads a field of that name"
	}
	c.report(diag.CodeUnknownName, e.Span, suggestion, message, e.Name)
}

// behindDashes reports whether a name stands behind the two dashes and the space
// that begin a comment in SQL.
func behindDashes(name syntax.Span) bool {
	before := bytes.TrimRight(name.File.Src[:name.Start], " \t")
	return len(before) < int(name.Start) && bytes.HasSuffix(before, []byte("--"))
}

// foreignNames are names that other languages have.
var foreignNames = map[string]string{
	"undefined": "did you mean `null`?", "nil": "did you mean `null`?", "None": "did you mean `null`?", "NULL": "did you mean `null`?",
	"True": "did you mean `true`?", "False": "did you mean `false`?",
	"Math": "write the function alone: `round(x)`", "Date": "write `now()`, or `parseDate(x)`", "JSON": "write `parseJSON(x)` or `toJSON(x)`",
	"Object": "write `keys(x)`, `values(x)` or `entries(x)`", "console": "write the step `log \"text\"`",
	"process": "write `env(\"NAME\")`", "os": "write `env(\"NAME\")`", "env": "write `env(\"NAME\")`", "var": "a param is read by its name alone",
	"this": "the item at hand is `.`", "it": "the item at hand is `.`", "self": "the item at hand is `.`", "item": "the item at hand is `.`",
}

// bracesPattern finds what looks like the `{expr}` of a template: a name, with
// fields behind it, in braces.
var bracesPattern = regexp.MustCompile(`\{ *(\.?)([A-Za-z_][A-Za-z0-9_]*)((?:\.[A-Za-z_][A-Za-z0-9_]*)*) *\}`)

// checkPlainBraces reports a plain string with the name of a variable in
// braces: only templates have their braces evaluated.
func (c *checker) checkPlainBraces(e *syntax.StringLit) {
	if e.Raw {
		return // braces of GraphQL, and the like, mean themselves
	}
	for _, m := range bracesPattern.FindAllStringSubmatch(e.Value, -1) {
		dot, name := m[1], m[2]
		known := c.at.scope.lookup(name) != nil || name == "response" && c.at.response != nil
		if dot == "." {
			known = c.at.item != nil || c.at.response != nil
		}
		if known {
			if v := c.at.scope.lookup(name); v != nil {
				v.used = true // it is meant to be
			}
			c.report(diag.CodePlainBraces, e.Span, "write it in backquotes", "`%s` is not evaluated in a plain string, only in a template", m[0])
			return
		}
	}
}

// field checks x.name.
func (c *checker) field(e *syntax.FieldExpr) *typ {
	t := c.infer(e.X)
	if e.Name == nil {
		return anyType
	}
	return c.fieldOf(t, e.Name.Name, e.Name.Span)
}

func (c *checker) fieldOf(t *typ, name string, span syntax.Span) *typ {
	if t.kinds&^(stdlib.KArray|stdlib.KString|stdlib.KNull) == 0 && t.can(stdlib.KArray|stdlib.KString) && name == "length" {
		return numberType
	}
	if t.can(stdlib.KObject) {
		f := c.objectField(t, name, span)
		if t.can(stdlib.KArray) {
			return anyType
		}
		return f
	}
	if t.can(stdlib.KArray) {
		return arrayOf(c.fieldOf(t.element(), name, span).orNull())
	}
	if t.can(stdlib.KNull) {
		return nullType // a missing value's fields are null (language definition, section 3)
	}
	if !t.can(stdlib.KObject | stdlib.KArray) {
		c.report(diag.CodeNoFields, span, "", "%s has no fields: `.%s` is always null", t.describe(), name)
	}
	return nullType
}

func (c *checker) objectField(t *typ, name string, span syntax.Span) *typ {
	if t.obj == nil {
		return anyType
	}
	if f, ok := t.obj.fields[name]; ok {
		if t.can(stdlib.KNull) {
			return f.typ.orNull()
		}
		return f.typ
	}
	if t.kinds&^(stdlib.KObject|stdlib.KNull) != 0 {
		return anyType
	}
	near := c.near(name, these(t.obj.order))
	suggestion := ""
	if near != "" {
		suggestion = "did you mean `." + near + "`?"
	}
	switch {
	case t.obj.schema != "":
		c.report(diag.CodeUnknownField, span, suggestion, "the schema `%s` has no field `%s`", t.obj.schema, name)
	case t.obj.closed:
		c.report(diag.CodeUnknownField, span, suggestion, "this object has no field `%s`, so that it is always null", name)
	}
	return anyType // not null: what is wrong with it has been said
}

// index checks x[i].
func (c *checker) index(e *syntax.IndexExpr) *typ {
	if n, ok := e.X.(*syntax.Name); ok && c.at.scope.lookup(n.Name) == nil && c.isStore(n.Name) {
		c.useStore(n)
		c.checkRecordKey(n.Name, e.Index)
		c.needsKeys(n.Name, e.Span, "reading a record by its key")
		return recordType.orNull()
	}
	t, i := c.infer(e.X), c.infer(e.Index)
	if !t.can(stdlib.KArray | stdlib.KObject | stdlib.KString | stdlib.KNull) {
		c.report(diag.CodeBadIndex, e.Span, "", "%s has no elements", t.describe())
		return anyType
	}
	fits := t.can(stdlib.KNull) ||
		t.can(stdlib.KArray|stdlib.KString) && i.can(stdlib.KNumber) ||
		t.can(stdlib.KObject) && i.can(stdlib.KText)
	if !fits {
		want := "a number"
		if t.can(stdlib.KObject) {
			want = "text"
		}
		c.report(diag.CodeBadIndex, e.Index.Place(), "", "the index of %s must be %s, found %s", t.describe(), want, i.describe())
		return anyType
	}
	switch t.kinds &^ stdlib.KNull {
	case stdlib.KArray:
		return t.element().orNull()
	case stdlib.KString:
		return stringType.orNull()
	case stdlib.KObject:
		if key, ok := e.Index.(*syntax.StringLit); ok {
			return c.objectField(t, key.Value, key.Span).orNull()
		}
	}
	return anyType
}

func (c *checker) where(e *syntax.WhereExpr) *typ {
	t := c.infer(e.X)
	if !t.can(stdlib.KArray) {
		c.report(diag.CodeNotIterable, e.X.Place(), "", "`where` filters an array or a store, found %s", t.describe())
	}
	inner := c.at
	inner.item = t.element()
	c.with(inner, func() {
		c.infer(e.Cond)
		if truth, ok := constantTruth(e.Cond); ok {
			c.report(diag.CodeConstant, e.Cond.Place(), "", "this condition is always %s", truth)
		}
	})
	return arrayOf(t.element())
}

func (c *checker) object(e *syntax.ObjectExpr) *typ {
	o := &objType{closed: true, fields: map[string]*fieldType{}}
	given := map[string]syntax.Span{}
	for _, entry := range e.Entries {
		if entry.Spread != nil {
			c.spread(o, entry)
			continue
		}
		if entry.Key == nil || entry.Value == nil {
			continue
		}
		name := entry.Key.Name
		if first, ok := given[name]; ok {
			d := c.report(diag.CodeOverwrittenField, entry.Key.Span, "", "`%s` is given twice, and the later value wins", name)
			note(d, first, "it is given here first")
		}
		given[name] = entry.Key.Span
		o.set(name, c.expr(entry.Value), false)
	}
	return &typ{kinds: stdlib.KObject, obj: o}
}

// spread adds what is known of the fields of `...other` to o.
func (c *checker) spread(o *objType, entry *syntax.ObjectEntry) {
	t := c.expr(entry.Spread)
	if !t.can(stdlib.KObject | stdlib.KNull) {
		c.report(diag.CodeNotIterable, entry.Spread.Place(), "", "only an object can be spread into an object, found %s", t.describe())
	}
	if t.obj == nil {
		// Anything may come from it, over what was there before.
		if o.closed = false; !c.merges(len(o.order)) {
			o.fields, o.order = map[string]*fieldType{}, nil
		}
		for _, f := range o.fields {
			f.typ = anyType
		}
		return
	}
	if !t.obj.closed {
		o.closed = false
	}
	if !c.merges(len(o.order) + len(t.obj.order)) {
		o.closed, o.fields, o.order = false, map[string]*fieldType{}, nil
		return
	}
	optional := t.can(stdlib.KNull)
	for _, name := range t.obj.order {
		f := t.obj.fields[name]
		if old, ok := o.fields[name]; ok && (optional || f.optional) {
			o.set(name, c.union(old.typ, f.typ), old.optional)
			continue
		}
		o.set(name, f.typ, optional || f.optional)
	}
	if !t.obj.closed {
		for name, f := range o.fields {
			if _, ok := t.obj.fields[name]; !ok {
				f.typ = anyType
			}
		}
	}
}

func (c *checker) array(e *syntax.ArrayExpr) *typ {
	var elem *typ
	for _, el := range e.Elems {
		t := c.infer(el.Value)
		if el.Spread {
			if !t.can(stdlib.KArray) {
				c.report(diag.CodeNotIterable, el.Value.Place(), "", "only an array can be spread into an array, found %s", t.describe())
			}
			t = t.element()
		}
		if elem == nil {
			elem = t
		} else {
			elem = c.union(elem, t)
		}
	}
	return arrayOf(elem)
}

func (c *checker) unary(e *syntax.UnaryExpr) *typ {
	t := c.infer(e.X)
	if e.Op == syntax.OpNot {
		return boolType
	}
	if !t.can(stdlib.KNumber) {
		c.report(diag.CodeOperands, e.Span, "", "`-` needs a number, found %s", t.describe())
		return numberType
	}
	if lit := litType(e); lit != anyType {
		return lit
	}
	return numberType
}

func (c *checker) binary(e *syntax.BinaryExpr) *typ {
	x, y := c.infer(e.X), c.infer(e.Y)
	switch e.Op {
	case syntax.OpOr:
		return c.union(truthy(x), y)
	case syntax.OpAnd:
		return c.union(falsy(x), y)
	case syntax.OpCoalesce:
		if x == nullType {
			return y
		}
		if !x.can(stdlib.KNull) && x.kinds != 0 {
			return x
		}
		return c.union(without(x, stdlib.KNull), y)
	case syntax.OpEq, syntax.OpNe:
		c.checkEquality(e, x, y)
		return boolType
	case syntax.OpLt, syntax.OpLe, syntax.OpGt, syntax.OpGe:
		c.checkOrder(e, x, y)
		return boolType
	case syntax.OpIn:
		c.checkIn(e, x, y, e.Y)
		return boolType
	case syntax.OpContains:
		c.checkIn(e, y, x, e.X)
		return boolType
	case syntax.OpStartsWith, syntax.OpEndsWith, syntax.OpMatches:
		c.checkTextOperator(e, x, y)
		return boolType
	}
	return c.arithmetic(e, x, y)
}

// truthy and falsy return what is known of t where it is true, or false.
func truthy(t *typ) *typ { return without(t, stdlib.KNull) }

func falsy(t *typ) *typ {
	return without(t, t.kinds&(stdlib.KArray|stdlib.KObject|stdlib.KTime))
}

func without(t *typ, k stdlib.Kinds) *typ {
	if t == anyType || !t.can(k) || t.kinds&^k == 0 {
		return t
	}
	u := *t
	u.kinds &^= k
	if k&stdlib.KNull != 0 && u.lits != nil {
		u.lits = slices.DeleteFunc(slices.Clone(u.lits), func(l string) bool { return l == "null" })
	}
	return &u
}

// single is every kind by itself.
var single = []stdlib.Kinds{
	stdlib.KNull, stdlib.KBool, stdlib.KNumber, stdlib.KString, stdlib.KTime, stdlib.KArray, stdlib.KObject,
}

// arithmetic checks + - * / % (language definition, sections 3 and 4).
func (c *checker) arithmetic(e *syntax.BinaryExpr, x, y *typ) *typ {
	var result stdlib.Kinds
	for _, a := range single {
		for _, b := range single {
			if x.can(a) && y.can(b) {
				result |= arithmeticResult(e.Op, a, b)
			}
		}
	}
	if x.kinds == stdlib.KTime || y.kinds == stdlib.KTime {
		c.checkDateOperand(e, e.X)
		c.checkDateOperand(e, e.Y)
	}
	if result == 0 {
		c.report(diag.CodeOperands, e.Span, operandHint(e.Op, x, y), "`%s` can't work on %s and %s", e.Op, x.describe(), y.describe())
		return anyType
	}
	if n, ok := unparen(e.Y).(*syntax.NumberLit); ok && (e.Op == syntax.OpDiv || e.Op == syntax.OpMod) && strings.Trim(n.Text, "0.") == "" {
		c.report(diag.CodeDivisionByZero, e.Y.Place(), "", "division by zero")
	}
	return ofKinds(result)
}

// checkDateOperand reports a text beside a timestamp and a minus that is no date,
// such as a duration in quotes.
func (c *checker) checkDateOperand(e *syntax.BinaryExpr, operand syntax.Expr) {
	lit, ok := unparen(operand).(*syntax.StringLit)
	if !ok || e.Op != syntax.OpSub || readableDate(lit.Value) {
		return
	}
	suggestion := "write it as `2026-01-20` or `2026-01-20T09:00:00Z`"
	if _, ok := value.ParseDuration(lit.Value); ok {
		suggestion = "write `" + lit.Value + "` without quotes"
	}
	c.report(diag.CodeBadDate, lit.Span, suggestion, "%q is no date", lit.Value)
}

// arithmeticResult returns the kind that an operator makes of two kinds, none
// if it can't.
func arithmeticResult(op syntax.Op, a, b stdlib.Kinds) stdlib.Kinds {
	const n, s, t = stdlib.KNumber, stdlib.KString, stdlib.KTime
	switch op {
	case syntax.OpAdd:
		switch {
		case a == s || b == s:
			return s
		case a == n && b == n:
			return n
		case a == t && b == n, a == n && b == t:
			return t
		}
	case syntax.OpSub:
		switch {
		case a == n && b == n:
			return n
		case a == t && b == n:
			return t
		case a == t && (b == t || b == s), a == s && b == t:
			return n
		}
	default:
		if a == n && b == n {
			return n
		}
	}
	return 0
}

func operandHint(op syntax.Op, x, y *typ) string {
	switch {
	case op == syntax.OpAdd && x.kinds == stdlib.KArray:
		return "write `concat(a, b)` to join two arrays"
	case op == syntax.OpMod && x.kinds == stdlib.KString:
		return "write a template, `…{x}…`, or `format(\"… {} …\", x)`"
	case op == syntax.OpAdd && x.kinds == stdlib.KObject:
		return "write `{ ...a, ...b }` to join two objects"
	case op == syntax.OpSub && x.kinds == stdlib.KString && y.kinds == stdlib.KString:
		return "write `parseDate(a) - parseDate(b)` for the time between two dates, `toNumber(…)` for numbers"
	case x.kinds == stdlib.KString || y.kinds == stdlib.KString:
		return "write `toNumber(…)` to make a number of text"
	case x.kinds == stdlib.KNull || y.kinds == stdlib.KNull:
		return ""
	}
	return ""
}

// checkEquality reports operands that are never equal: == never converts.
func (c *checker) checkEquality(e *syntax.BinaryExpr, x, y *typ) {
	if x == anyType || y == anyType || x.kinds == stdlib.KNull || y.kinds == stdlib.KNull {
		return
	}
	always := "false"
	if e.Op == syntax.OpNe {
		always = "true"
	}
	dates := x.can(stdlib.KTime) && y.can(stdlib.KString) || x.can(stdlib.KString) && y.can(stdlib.KTime)
	if x.kinds&y.kinds == 0 && !dates {
		c.report(diag.CodeNeverEqual, e.Span, conversionHint(x, y), "`%s` is always %s: it never converts, and %s never equals %s",
			e.Op, always, x.describe(), y.describe())
		return
	}
	if x.lits != nil && y.lits != nil && !dates && !x.can(stdlib.KNumber) &&
		!slices.ContainsFunc(x.lits, func(l string) bool { return slices.Contains(y.lits, l) }) {
		suggestion := ""
		if len(y.lits) == 1 && len(x.lits) > 1 {
			suggestion = didYouMean(near.Nearest(y.lits[0], x.lits))
		}
		c.report(diag.CodeNeverEqual, e.Span, suggestion, "`%s` is always %s: the left side is %s", e.Op, always, strings.Join(x.lits, " | "))
	}
}

func conversionHint(x, y *typ) string {
	switch {
	case x.kinds == stdlib.KString && y.kinds == stdlib.KNumber:
		return "write `toNumber(…)` around the left side"
	case x.kinds == stdlib.KNumber && y.kinds == stdlib.KString:
		return "write `toString(…)` around the left side"
	}
	return ""
}

// checkOrder checks < <= > >= (language definition, section 3).
func (c *checker) checkOrder(e *syntax.BinaryExpr, x, y *typ) {
	if x == nullType || y == nullType {
		c.report(diag.CodeNeverEqual, e.Span, "", "`%s` is always false: null has no order", e.Op)
		return
	}
	// A null that is only possible is taken for what it usually is, missing:
	// the kinds that are there otherwise have to fit.
	a, b := without(x, stdlib.KNull).kinds, without(y, stdlib.KNull).kinds
	const n, s, t = stdlib.KNumber, stdlib.KString, stdlib.KTime
	if a&b&(n|s|t) != 0 || a&t != 0 && b&s != 0 || a&s != 0 && b&t != 0 {
		return
	}
	c.report(diag.CodeOperands, e.Span, conversionHint(ofKinds(a), ofKinds(b)), "`%s` can't compare %s with %s", e.Op, x.describe(), y.describe())
}

// checkIn checks `elem in whole` and `whole contains elem`.
func (c *checker) checkIn(e *syntax.BinaryExpr, elem, whole *typ, wholeExpr syntax.Expr) {
	if !whole.can(stdlib.KArray | stdlib.KObject | stdlib.KString | stdlib.KNull) {
		c.report(diag.CodeOperands, wholeExpr.Place(), "", "`%s` looks into an array, an object or a string, found %s", e.Op, whole.describe())
		return
	}
	c.checkInStore(e, elem, whole, wholeExpr)
	if whole.kinds == stdlib.KString && !elem.can(stdlib.KString|stdlib.KNull) {
		c.report(diag.CodeOperands, e.Span, "", "`%s` looks for text in a string, found %s", e.Op, elem.describe())
	}
}

// checkTextOperator checks startsWith, endsWith and matches.
func (c *checker) checkTextOperator(e *syntax.BinaryExpr, x, y *typ) {
	for _, side := range []struct {
		e syntax.Expr
		t *typ
	}{{e.X, x}, {e.Y, y}} {
		if !side.t.can(stdlib.KString | stdlib.KNull) {
			c.report(diag.CodeOperands, side.e.Place(), "", "`%s` works on text, found %s", e.Op, side.t.describe())
			return
		}
	}
	if e.Op == syntax.OpMatches {
		if _, lit := unparen(e.X).(*syntax.StringLit); lit {
			x = anyType // who writes both out sees it
		}
		c.checkRegexp(e.Y, x)
	}
}

// maxPatternParts bounds the steps of a mission's regular expressions: one of
// forty letters may have ten thousand, and take half a megabyte.
const maxPatternParts = 1 << 20

// patternParts counts the steps of a regular expression.
func patternParts(text string) (int, error) {
	re, err := resyntax.Parse(text, resyntax.Perl)
	if err != nil {
		return 0, err
	}
	prog, err := resyntax.Compile(re.Simplify())
	if err != nil {
		return 0, err
	}
	return len(prog.Inst), nil
}

// checkRegexp reports a literal regular expression that can't be read, or can't
// match what is known of the text.
func (c *checker) checkRegexp(e syntax.Expr, t *typ) {
	lit, ok := unparen(e).(*syntax.StringLit)
	if !ok {
		return
	}
	if c.patternParts > maxPatternParts {
		return // it is told already
	}
	size, err := patternParts(lit.Value)
	if c.patternParts += size; c.patternParts > maxPatternParts {
		c.report(diag.CodeTooLarge, lit.Span, "repeat fewer times (`{900}`), or split the mission into several",
			"the regular expressions of mission `%s` have more than %d parts, repetitions written out", c.mission.Name.Name, maxPatternParts)
		return
	}
	if err != nil {
		reason := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		suggestion := ""
		if strings.Contains(reason, "(?") {
			suggestion = "RE2 has no look-around and no back references"
		}
		c.report(diag.CodeBadRegexp, lit.Span, suggestion, "this regular expression can't be read: %s", reason)
		return
	}
	if t.lits == nil || size > maxTriedParts {
		return
	}
	re, err := regexp.Compile(lit.Value)
	if err != nil {
		return // it is told
	}
	for _, l := range t.lits {
		if text, err := strconv.Unquote(l); err != nil && l != "null" || err == nil && re.MatchString(text) {
			return
		}
	}
	c.report(diag.CodePatternMismatch, lit.Span, "", "this pattern never matches: the text is %s", strings.Join(t.lits, " | "))
}

// maxTriedParts is the size of a regular expression up to which it is tried on what
// is known of a text.
const maxTriedParts = 10_000

func unparen(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.ParenExpr)
		if !ok {
			return e
		}
		e = p.X
	}
}
