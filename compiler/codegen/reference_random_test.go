package codegen_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"reqon/vm/value"
)

// generator makes well-formed expressions over the variables of the tables.
// Most of them have a value: each production asks for operands of the kind that
// it needs, and now and then gets another kind, so that errors are compared too.
type generator struct {
	rand    *rand.Rand
	subject kind            // of a lone `.`
	names   map[string]kind // lambda parameters and names of patterns in scope
}

// kind is what an expression is meant to give.
type kind uint8

const (
	kNum     kind = iota
	kText         // a string
	kBool         // a boolean
	kNums         // an array of numbers
	kRec          // an object like those of orders
	kRecs         // an array of such
	kObj          // the object o, or another
	kAny          // whatever
	kNothing      // no subject to use here
)

// wrongKind is how many in a thousand operands are of another kind than asked for.
const wrongKind = 15

func newGenerator(seed uint64) *generator {
	return &generator{rand: rand.New(rand.NewPCG(seed, 1)), subject: kObj, names: map[string]kind{}}
}

// expr returns an expression of the kind, at most depth operators deep.
func (g *generator) expr(k kind, depth int) string {
	if g.rand.IntN(1000) < wrongKind {
		k = kind(g.rand.IntN(int(kAny) + 1))
	}
	if k == kAny {
		k = kind(g.rand.IntN(int(kAny)))
		if g.rand.IntN(8) == 0 {
			return g.pick("null", "o.none", "o.missing", "o.tags[9]", "o.nested.y.z")
		}
	}
	if depth <= 0 || g.rand.IntN(10) == 0 {
		return g.leaf(k)
	}
	if g.rand.IntN(6) == 0 {
		return g.choice(k, depth-1)
	}
	switch k {
	case kNum:
		return g.num(depth - 1)
	case kText:
		return g.text(depth - 1)
	case kBool:
		return g.boolean(depth - 1)
	case kNums:
		return g.nums(depth - 1)
	case kRec:
		return g.rec(depth - 1)
	case kRecs:
		return g.recs(depth - 1)
	}
	return g.object(depth - 1)
}

func (g *generator) pick(options ...string) string { return options[g.rand.IntN(len(options))] }

func (g *generator) kindOf(options ...kind) kind { return options[g.rand.IntN(len(options))] }

// leaf returns an expression without operands: a literal, a variable, the
// subject.
func (g *generator) leaf(k kind) string {
	own := []string{}
	for _, name := range []string{"a", "b", "p", "q", "r", "s"} {
		if bound, ok := g.names[name]; ok && bound == k {
			own = append(own, name)
		}
	}
	if g.subject == k {
		own = append(own, ".")
	}
	if k == kNum && g.subject == kRec {
		own = append(own, ".id", ".id")
	}
	if k == kText && g.subject == kRec {
		own = append(own, ".status")
	}
	if len(own) > 0 && g.rand.IntN(3) > 0 {
		return g.pick(own...)
	}
	switch k {
	case kNum:
		return g.pick("0", "1", "2", "3", "7", "10", "-1", "0.5", "2.25", "1.10", "1e3", "9007199254740993", "9223372036854775807",
			"5m", "o.id", "o.total", "o.nested.x", "xs[0]", "xs[-1]", "orders[1].total", "orders.length")
	case kText:
		return g.pick(`""`, `"a"`, `"ü😀"`, `"open"`, `"b,c,d"`, `"7"`, `"2026-01-20T09:30:00+01:00"`, "o.name", "o.tags[0]", "orders[0].status")
	case kBool:
		return g.pick("true", "false")
	case kNums:
		return g.pick("xs", "[]", "[1, 2]", "[2, 1, 2, 2.5]", "orders.id")
	case kRec:
		return g.pick("orders[0]", "orders[1]", "orders[-1]", `{ id: 4, total: 4.50, status: "new" }`)
	case kRecs:
		return g.pick("orders", "[]", "[orders[1], orders[0]]")
	}
	return g.pick("o", "o.nested", "{}", "{ x: 2, y: null }", `{ name: "x", "b-c": [1] }`)
}

// choice returns an expression that takes one of several of the kind.
func (g *generator) choice(k kind, d int) string {
	switch g.rand.IntN(7) {
	case 0:
		return fmt.Sprintf("(if %s then %s else %s)", g.expr(kAny, d), g.expr(k, d), g.expr(k, d))
	case 1:
		return fmt.Sprintf("(%s ? %s : %s)", g.expr(kBool, d), g.expr(k, d), g.expr(k, d))
	case 2:
		return fmt.Sprintf("(%s ?? %s)", g.expr(k, d), g.expr(k, d))
	case 3:
		return fmt.Sprintf("(%s %s %s)", g.expr(k, d), g.pick("or", "and"), g.expr(k, d))
	case 4:
		return fmt.Sprintf("(match { %s => %s, %s => %s, _ => %s })", g.expr(kBool, d), g.expr(k, d), g.expr(kBool, d), g.expr(k, d), g.expr(k, d))
	default:
		return g.match(k, d)
	}
}

// match returns a match expression with patterns of a kind's values.
func (g *generator) match(k kind, d int) string {
	type arm struct {
		pattern string
		binds   map[string]kind
	}
	subject := kind(g.rand.IntN(int(kAny)))
	var arms []arm
	switch subject {
	case kNum:
		arms = []arm{{"1", nil}, {"-1", nil}, {"2.5", nil}, {"a", map[string]kind{"a": kNum}}}
	case kText:
		arms = []arm{{`"open"`, nil}, {`""`, nil}, {"b", map[string]kind{"b": kText}}}
	case kBool:
		arms = []arm{{"true", nil}, {"false", nil}}
	case kNums:
		arms = []arm{{"[]", nil}, {"[a]", map[string]kind{"a": kNum}}, {"[a, 2, ..._]", map[string]kind{"a": kNum}},
			{"[a, _, b]", map[string]kind{"a": kNum, "b": kNum}}, {"[a, ...r]", map[string]kind{"a": kNum, "r": kNums}}}
	case kRec, kObj:
		arms = []arm{{"{ id: a }", map[string]kind{"a": kNum}}, {`{ status: "open", id: a }`, map[string]kind{"a": kNum}}, {"{ total: _ }", nil},
			{"{ none: null }", nil}, {"{ nested: { x: b } }", map[string]kind{"b": kNum}}, {"{ name: s }", map[string]kind{"s": kText}}, {"{}", nil}}
	case kRecs:
		arms = []arm{{"[]", nil}, {"[r, ..._]", map[string]kind{"r": kRec}}, {"[{ id: 1 }, ...q]", map[string]kind{"q": kRecs}}}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "(match %s { ", g.operand(subject, d))
	for range 1 + g.rand.IntN(3) {
		a := arms[g.rand.IntN(len(arms))]
		g.scoped(a.binds, func() {
			b.WriteString(a.pattern)
			if g.rand.IntN(3) == 0 {
				b.WriteString(" where " + g.about(subject, kBool, d))
			}
			fmt.Fprintf(&b, " => %s, ", g.expr(k, d))
		})
	}
	if g.rand.IntN(6) > 0 {
		fmt.Fprintf(&b, "_ => %s ", g.expr(k, d))
	}
	b.WriteString("})")
	return b.String()
}

// scoped calls f with more names in scope.
func (g *generator) scoped(binds map[string]kind, f func()) {
	old := g.names
	g.names = map[string]kind{}
	for name, k := range old {
		g.names[name] = k
	}
	for name, k := range binds {
		g.names[name] = k
	}
	f()
	g.names = old
}

// about returns an expression of kind k in which the subject is of the kind
// subject.
func (g *generator) about(subject, k kind, d int) string {
	old := g.subject
	g.subject = subject
	e := g.expr(k, d)
	g.subject = old
	return e
}

// item returns an item expression, or a lambda, over items of the kind elem.
// What the subject is in a lambda the definition doesn't say, so none is used
// there.
func (g *generator) item(elem, k kind, d int) string {
	if g.rand.IntN(2) == 0 {
		return g.about(elem, k, d)
	}
	name := g.pick("p", "q")
	var e string
	g.scoped(map[string]kind{name: elem}, func() { e = g.about(kNothing, k, d) })
	return fmt.Sprintf("%s => %s", name, e)
}

// operand is an expression that stands in front of a dot or a brace.
func (g *generator) operand(k kind, d int) string { return "(" + g.expr(k, d) + ")" }

// call writes f(x, args…) in one of its three ways.
func (g *generator) call(f, x string, args ...string) string {
	rest := strings.Join(args, ", ")
	switch g.rand.IntN(4) {
	case 0:
		return fmt.Sprintf("(%s).%s(%s)", x, f, rest)
	case 1:
		return fmt.Sprintf("((%s) | %s(%s))", x, f, rest)
	}
	if rest != "" {
		rest = ", " + rest
	}
	return fmt.Sprintf("%s(%s%s)", f, x, rest)
}

func (g *generator) num(d int) string {
	switch g.rand.IntN(20) {
	case 0, 1, 2, 3, 4:
		return fmt.Sprintf("(%s %s %s)", g.expr(kNum, d), g.pick("+", "-", "*", "/", "%"), g.expr(kNum, d))
	case 5:
		return fmt.Sprintf("(-%s)", g.operand(kNum, d))
	case 6:
		return g.call("length", g.expr(g.kindOf(kText, kNums, kRecs, kObj), d))
	case 7:
		return g.operand(kNums, d) + ".length"
	case 8:
		return g.call(g.pick("floor", "ceil", "abs", "round"), g.expr(kNum, d))
	case 9:
		return g.call("round", g.expr(kNum, d), g.pick("0", "1", "2", "-1"))
	case 10:
		return g.call(g.pick("sum", "count"), g.expr(kNums, d))
	case 11:
		return g.call(g.pick("sum", "avg", "min", "max"), g.expr(kRecs, d), g.item(kRec, kNum, d)) + " ?? 0"
	case 12:
		return g.call("count", g.expr(kRecs, d), g.item(kRec, kBool, d))
	case 13:
		return g.call("findIndex", g.expr(kNums, d), g.item(kNum, kBool, d))
	case 14:
		return "(" + g.call("find", g.expr(kNums, d), g.item(kNum, kBool, d)) + " ?? 0)"
	case 15:
		return g.reduce(d)
	case 16:
		return fmt.Sprintf("(%s[%s] ?? 1)", g.operand(kNums, d), g.pick("0", "1", "-1", "9"))
	case 17:
		return g.operand(kRec, d) + g.pick(".id", ".total")
	case 18:
		return fmt.Sprintf("(now() - (parseDate(\"2026-01-19\") + %s))", g.pick("1h", "2d", "500ms"))
	}
	return g.call("clamp", g.expr(kNum, d), "0", "100")
}

func (g *generator) reduce(d int) string {
	var body string
	g.scoped(map[string]kind{"a": kNum, "b": kNum}, func() { body = g.about(kNothing, kNum, d) })
	return g.call("reduce", g.expr(kNums, d), fmt.Sprintf("(a, b) => %s", body), g.expr(kNum, d))
}

func (g *generator) text(d int) string {
	switch g.rand.IntN(14) {
	case 0, 1:
		return fmt.Sprintf("(%s + %s)", g.expr(kText, d), g.expr(kAny, d))
	case 2:
		return fmt.Sprintf("(%s + %s)", g.expr(kAny, d), g.expr(kText, d))
	case 3, 4:
		return fmt.Sprintf("`<{ %s }|{ %s }>`", g.expr(kAny, d), g.expr(kNum, d))
	case 5:
		return g.call(g.pick("uppercase", "lowercase", "trim", "slugify", "urlEncode", "base64"), g.expr(kText, d))
	case 6:
		return g.call("substring", g.expr(kText, d), g.pick("0", "1", "2"), g.pick("1", "3", "99"))
	case 7:
		return g.call("join", g.expr(kNums, d), `"-"`)
	case 8:
		return g.call("concat", g.expr(kText, d), g.expr(kAny, d), g.expr(kNum, d))
	case 9:
		return g.call(g.pick("toString", "toJSON", "typeOf"), g.expr(kAny, d))
	case 10:
		return g.call(g.pick("replace", "replaceAll"), g.expr(kText, d), `"a"`, g.expr(kText, d))
	case 11:
		return "(" + g.operand(kRec, d) + ".status ?? \"\")"
	case 12:
		return fmt.Sprintf("(%s or %s)", g.expr(kText, d), g.expr(kText, d))
	}
	return g.call("padStart", g.expr(kText, d), "5", `"-"`)
}

func (g *generator) boolean(d int) string {
	order := g.pick("<", "<=", ">", ">=")
	switch g.rand.IntN(18) {
	case 0, 1, 2:
		return fmt.Sprintf("(%s %s %s)", g.expr(kNum, d), order, g.expr(kNum, d))
	case 3:
		return fmt.Sprintf("(%s %s %s)", g.expr(kText, d), order, g.expr(kText, d))
	case 4, 5:
		return fmt.Sprintf("(%s %s %s)", g.expr(kAny, d), g.pick("==", "!="), g.expr(kAny, d))
	case 6:
		return fmt.Sprintf("(%s %s %s)", g.expr(kBool, d), g.pick("and", "or"), g.expr(kBool, d))
	case 7:
		return fmt.Sprintf("(not %s)", g.expr(kAny, d))
	case 8:
		return fmt.Sprintf("(%s is %s)", g.expr(kAny, d), g.pick("string", "number", "int", "boolean", "date", "array", "object", "null"))
	case 9:
		return fmt.Sprintf("(%s in %s)", g.expr(kNum, d), g.expr(kNums, d))
	case 10:
		return fmt.Sprintf("(%s in %s)", g.expr(kText, d), g.expr(g.kindOf(kText, kObj), d))
	case 11:
		return fmt.Sprintf("(%s %s %s)", g.expr(kText, d), g.pick("contains", "startsWith", "endsWith"), g.expr(kText, d))
	case 12:
		return fmt.Sprintf("(%s matches %s)", g.expr(kText, d), g.pick(`"^[a-z]+$"`, `"\\d"`, `"(?i)A"`))
	case 13:
		return g.call(g.pick("any", "all"), g.expr(kNums, d), g.item(kNum, kBool, d))
	case 14:
		return g.call(g.pick("any", "all"), g.expr(kRecs, d), g.item(kRec, kAny, d))
	case 15:
		return g.call("includes", g.expr(kNums, d), g.expr(kAny, d))
	case 16:
		return g.call("hasKey", g.expr(kObj, d), g.pick(`"id"`, `"x"`, `"none"`))
	}
	return fmt.Sprintf("(now() %s %s)", order, g.pick(`"2026-01-20"`, `"2026-01-20T10:00:00+01:00"`, "parseDate(\"2026-02-01\")"))
}

func (g *generator) nums(d int) string {
	switch g.rand.IntN(17) {
	case 0:
		return fmt.Sprintf("[%s, %s]", g.expr(kNum, d), g.expr(kNum, d))
	case 1:
		return fmt.Sprintf("[...%s, %s]", g.operand(kNums, d), g.expr(kNum, d))
	case 2, 3:
		return g.call("map", g.expr(kNums, d), g.item(kNum, kNum, d))
	case 4:
		return g.call("map", g.expr(kRecs, d), g.item(kRec, kNum, d))
	case 5:
		return g.call("filter", g.expr(kNums, d), g.item(kNum, kAny, d))
	case 6, 7:
		return fmt.Sprintf("(%s where %s)", g.operand(kNums, d), g.about(kNum, kBool, d))
	case 8:
		return g.call(g.pick("sort", "reverse", "unique"), g.expr(kNums, d))
	case 9:
		return g.call(g.pick("sortBy", "uniqueBy"), g.expr(kNums, d), g.item(kNum, kNum, d))
	case 10:
		return g.call("slice", g.expr(kNums, d), g.pick("0", "1"), g.pick("1", "2", "9"))
	case 11:
		return g.operand(kRecs, d) + ".id"
	case 12:
		return g.call("range", g.pick("0", "3", "5"))
	case 13:
		return g.call("flatMap", g.expr(kNums, d), g.item(kNum, kNums, d))
	case 14:
		return g.call("concat", g.expr(kNums, d), g.expr(kNums, d))
	case 15:
		return g.call("flatten", g.call("chunk", g.expr(kNums, d), g.pick("1", "2")))
	}
	return g.call("filter", g.expr(kNums, d), g.item(kNum, kBool, d))
}

func (g *generator) rec(d int) string {
	switch g.rand.IntN(7) {
	case 0:
		return fmt.Sprintf("{ id: %s, total: %s, status: %s }", g.expr(kNum, d), g.expr(kNum, d), g.expr(kText, d))
	case 1:
		return fmt.Sprintf("{ ...%s, %s: %s }", g.operand(kRec, d), g.pick("id", "total", "extra"), g.expr(kNum, d))
	case 2:
		return "(" + g.call("find", g.expr(kRecs, d), g.item(kRec, kBool, d)) + " ?? orders[0])"
	case 3:
		return "(" + g.call(g.pick("first", "last"), g.expr(kRecs, d)) + " ?? orders[1])"
	case 4:
		return "(" + g.call(g.pick("minBy", "maxBy"), g.expr(kRecs, d), g.item(kRec, kNum, d)) + " ?? orders[2])"
	case 5:
		return g.call("merge", g.expr(kRec, d), g.expr(kObj, d))
	}
	return fmt.Sprintf("(%s[%s] ?? orders[0])", g.operand(kRecs, d), g.pick("0", "1", "-1"))
}

func (g *generator) recs(d int) string {
	switch g.rand.IntN(9) {
	case 0, 1:
		return fmt.Sprintf("(%s where %s)", g.operand(kRecs, d), g.about(kRec, kBool, d))
	case 2:
		return g.call("filter", g.expr(kRecs, d), g.item(kRec, kBool, d))
	case 3:
		return g.call("sortBy", g.expr(kRecs, d), g.item(kRec, kNum, d))
	case 4:
		return g.call("uniqueBy", g.expr(kRecs, d), g.item(kRec, kText, d))
	case 5:
		return g.call("map", g.expr(kRecs, d), g.item(kRec, kRec, d))
	case 6:
		return g.call("map", g.expr(kNums, d), g.item(kNum, kRec, d))
	case 7:
		return fmt.Sprintf("[%s, ...%s]", g.expr(kRec, d), g.operand(kRecs, d))
	}
	return g.call("reverse", g.expr(kRecs, d))
}

func (g *generator) object(d int) string {
	switch g.rand.IntN(9) {
	case 0, 1:
		return fmt.Sprintf("{ a: %s, b: %s, ...%s }", g.expr(kAny, d), g.expr(kAny, d), g.operand(kObj, d))
	case 2:
		return g.call(g.pick("merge", "deepMerge"), g.expr(kObj, d), g.expr(kObj, d))
	case 3:
		return g.call(g.pick("pick", "omit"), g.expr(kObj, d), `["id", "x"]`)
	case 4:
		return g.call("groupBy", g.expr(kRecs, d), g.item(kRec, kText, d))
	case 5:
		return g.call("countBy", g.expr(kNums, d), g.item(kNum, kAny, d))
	case 6:
		return g.call("keyBy", g.expr(kRecs, d), g.item(kRec, kNum, d))
	case 7:
		return g.call("fromEntries", g.call("entries", g.expr(kObj, d)))
	}
	return fmt.Sprintf("{ n: %s, m: { k: [%s] } }", g.expr(kNum, d), g.expr(kAny, d))
}

// outcome is what an expression gave, as text to compare: its JSON, or that it
// was an error.
func outcome(v value.Value, err error) string {
	if err != nil {
		return "an error"
	}
	return string(value.AppendJSON(nil, v))
}

// TestReferenceGenerator holds the generator to what it promises: what it
// writes parses, and most of it has a value.
func TestReferenceGenerator(t *testing.T) {
	const n = 3000
	failed := 0
	for seed := range uint64(n) {
		src := newGenerator(seed).expr(kAny, 4)
		if _, err := referenceEval(src); err != nil {
			failed++
			if strings.Contains(err.Error(), "expected") && strings.HasPrefix(err.Error(), "expr:") {
				t.Errorf("seed %d: %s\n  %v", seed, src, err)
			}
		}
	}
	t.Logf("%d of %d give errors", failed, n)
	if failed > n/2 {
		t.Errorf("%d of %d expressions are errors: too many to compare values", failed, n)
	}
}
