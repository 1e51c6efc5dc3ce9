package format

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"reqon/compiler/syntax"
)

// shake writes a source with other white space, commas and comments between
// some of its words. What comes out may have errors, or say something else.
func shake(r *rand.Rand, src []byte, rate float64) string {
	tree, errs := syntax.Parse(syntax.NewFile("t.reqon", src))
	if len(errs) > 0 {
		return ""
	}
	s := scan(tree)
	var b strings.Builder
	last := int32(0)
	for i := range s.words {
		w := &s.words[i]
		between := s.src[last:w.start]
		last = w.end
		if r.Float64() < rate {
			between = shakeGap(r, between)
		}
		b.WriteString(between)
		b.WriteString(w.text)
	}
	return b.String()
}

func shakeGap(r *rand.Rand, gap string) string {
	pieces := []string{
		" ", " ", "\n", "\n", "\r\n", "\n\n\n", "\t", " \n\t ", " /* a */ ", "/* b */", "// c\n", " // d \n\n", "\n// e\n", "\n  /* f\n     g */\n",
		"/* h\ni */", "\n\n/* j */ // k\n\n",
	}
	switch r.IntN(8) {
	case 0:
		return strings.Replace(gap, ",", "\n", 1)
	case 1:
		return gap + ","
	case 2:
		return ""
	case 3:
		return gap + pieces[r.IntN(len(pieces))]
	case 4:
		return pieces[r.IntN(len(pieces))] + gap
	case 5:
		return strings.Map(func(r rune) rune {
			if r == '\n' {
				return ' '
			}
			return r
		}, gap)
	}
	gap = pieces[r.IntN(len(pieces))]
	if r.IntN(2) == 0 {
		gap += pieces[r.IntN(len(pieces))]
	}
	return gap
}

// dense are sources in which every construct stands close to others, and those
// that are read by lines close to what they could be taken for.
func dense() []string {
	return []string{
		`mission M { a: 1, then: 3 run A then [B, C] if x then D, if: 4, schedule: every 5 minutes { a: 1 } param x: array<int>= 3 param y: "a" | null source S from "x" {} source T { a: -1, b: [1, ...c, -2,], } store s: if a then file("x") else memory("y") { keep: 1 } timeout: 5m schema A { a: int?, b: [T]?, c: { d: array<array<int>> } | null, ...B, "x y": "q" | -1 } transform X: A -> B { ...a, b: . } transform Y { (A) where .x -> B { a: 1 }, (_) -> { b: 2 }, ({ id, k: [a, ...r] }) -> C {} } action A {} }`,
		"action A { get \"/x/{a}\" get S \"/x\" { params: { a: 1 }, since: lastSync - 1h } get S (a) get S .x get f(a) get `x{a}` delete s[\"k\"] delete S \"/x\" delete \"/x\" call S.op { a: 1 } call S.\"x y\" }",
		"action A { match x { 404 -> skip, -1 -> abort \"x\", { a: 1, b } -> retry { delay: 5s }, [] -> queue q { item: . }, [a, ...b] -> jump X then retry, A where .x > 1 and .y -> { skip continue }, _ -> if a { skip } else if b { continue } else { abort } } match { .a > 1 -> get \"/x\" { a: 1 }, - 1 > 2 -> store x - y -> s, contains(a, b) -> map {a: 1} -> N, not contains(a, b) -> apply T to x, as -> log warn \"x\" { a: 1 }, _ -> clear s } }",
		"action A { let x = match y { - 1 => x . a, _ where -x > .y => f(-x) - .z, contains => [1][0], where => a contains b, n => .b - c } let z = match { .a + 1 => - 2, contains(x, y) => a - b, not contains(x, y) => 3, .z => .q, startsWith(a, b) => x - 1, _ => { a: match b { 1 => 2, _ => 3 } } } }",
		"action A { let a = b ? c : d ? . : .e let f = if a then b else c let g = a | f(b, x => x.y) | g((a, b) => a + b,) let h = a.b.c(d)[e].f let i = . .x let j = ..y.z let k = 1 .a let l = 5m.x let m = a is array and b is null let n = xs where .a where .b let o = not (a in b) let p = -x - -y let q = [a, b, ...c,] let r = { a: b, \"c d\": e, ...f, match: 7, if: 8, contains: 9 } }",
		"action A { let r = { a: b, \"c d\": e, ...f, match: 7, if: 8, contains: 9, x: c ? d : e, y: `a{b}c`, webhook: webhook, \"k\": 1 } pause { resumeOn: webhook \"/x\", duration: 5m } pause { resumeOn: webhook, \"a\": 1 } wait { path: '/x', eventFilter: .a == \"b\" } validate { assume a : \"m\", assume b, warn c } validate x.y { assume .a ? b : c : \"d\" } or { skip } log \"a\" log warn .x log info (y) { a: 1 } log a.b log f(x) run B for x in xs where .a concurrency 4 onError queue q { skip } for y in a | f() onError abort {} map x -> N { a: 1 } map { a: 1 } -> N map { a: 1 } -> N { b: 2 } store { a: 1 } -> s { key: .a, upsert: true } apply T to xs where .a as z abort \"x\" skip }",
	}
}

// TestShaken holds the layout of every source of the corpus with its white
// space, commas and comments changed at random.
func TestShaken(t *testing.T) {
	all := corpus(t)
	r := rand.New(rand.NewPCG(7, 7))
	tried, held := 0, 0
	hold := func(name string, src []byte, rate float64) {
		tried++
		shaken := shake(r, src, rate)
		if _, errs := syntax.Parse(syntax.NewFile("t.reqon", []byte(shaken))); len(errs) > 0 {
			return
		}
		held++
		if !t.Run(name, func(t *testing.T) { check(t, []byte(shaken)) }) {
			t.Fatalf("the source was\n%s", shaken)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, rate := range []float64{0.003, 0.03, 0.1} {
			hold(name, all[name], rate)
		}
	}
	for i, src := range dense() {
		check(t, []byte(src))
		for range 200 {
			for _, rate := range []float64{0.01, 0.03, 0.1} {
				hold("dense "+strconv.Itoa(i), []byte(src), rate)
			}
		}
	}
	if held < tried/3 {
		t.Errorf("only %d of %d sources could be held", held, tried)
	}
}

// FuzzSource holds that no input makes the formatter panic or hang, and the
// layout of what has no syntax errors.
func FuzzSource(f *testing.F) {
	for _, src := range dense() {
		f.Add([]byte(src))
	}
	r := rand.New(rand.NewPCG(3, 4))
	all := corpus(f)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f.Add(all[name])
		f.Add([]byte(shake(r, all[name], 0.05)))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		out, errs := Source("f.reqon", src)
		if len(errs) > 0 {
			if out != nil || errs[0].Code == CodeUnlike {
				t.Fatalf("%v, with %q", errs[0], out)
			}
			return
		}
		check(t, src)
	})
}
