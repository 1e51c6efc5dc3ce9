package syntax

import (
	"strings"
	"testing"
)

// full writes an expression with parentheses around every operation, so that
// its shape can be seen.
func full(e Expr) string {
	list := func(xs []Expr) string {
		var parts []string
		for _, x := range xs {
			parts = append(parts, full(x))
		}
		return strings.Join(parts, ", ")
	}
	switch e := e.(type) {
	case *BinaryExpr:
		return "(" + full(e.X) + " " + e.Op.String() + " " + full(e.Y) + ")"
	case *UnaryExpr:
		if e.Op == OpNot {
			return "(not " + full(e.X) + ")"
		}
		return "(-" + full(e.X) + ")"
	case *IsExpr:
		return "(" + full(e.X) + " is " + TypeString(e.Type) + ")"
	case *WhereExpr:
		return "(" + full(e.X) + " where " + full(e.Cond) + ")"
	case *CondExpr:
		return "(" + full(e.Cond) + " ? " + full(e.Then) + " : " + full(e.Else) + ")"
	case *FieldExpr:
		return full(e.X) + "." + e.Name.Name
	case *IndexExpr:
		return full(e.X) + "[" + full(e.Index) + "]"
	case *CallExpr:
		return e.Fun.Name + "(" + list(e.Args) + ")"
	case *LambdaExpr:
		var names []string
		for _, p := range e.Params {
			names = append(names, p.Name)
		}
		return "(" + strings.Join(names, ", ") + " => " + full(e.Body) + ")"
	case *ParenExpr:
		return full(e.X)
	case *SubjectExpr:
		return "@"
	case *TemplateLit:
		return "T(" + strings.Join(e.Texts, "|") + "; " + list(e.Exprs) + ")"
	case *ArrayExpr:
		var parts []string
		for _, x := range e.Elems {
			dots := ""
			if x.Spread {
				dots = "..."
			}
			parts = append(parts, dots+full(x.Value))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *ObjectExpr:
		var parts []string
		for _, x := range e.Entries {
			if x.Spread != nil {
				parts = append(parts, "..."+full(x.Spread))
			} else {
				parts = append(parts, x.Key.Name+": "+full(x.Value))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *MatchExpr:
		var parts []string
		for _, a := range e.Arms {
			head := ""
			if a.Pattern != nil {
				head = PatternString(a.Pattern)
			} else {
				head = full(a.Cond)
			}
			if a.Where != nil {
				head += " where " + full(a.Where)
			}
			parts = append(parts, head+" => "+full(a.Value))
		}
		subject := ""
		if e.Subject != nil {
			subject = full(e.Subject) + " "
		}
		return "match " + subject + "{" + strings.Join(parts, "; ") + "}"
	}
	return ExprString(e)
}

type exprCase struct{ src, want string }

// precedenceCases are worked out from the list of language definition, section
// 4: each operator beside its neighbours.
func precedenceCases() []exprCase {
	return []exprCase{
		// where takes the whole condition to its right, and if and ?: bind tighter.
		{"xs where a or b and c", "(xs where (a or (b and c)))"},
		{"xs where a where b", "((xs where a) where b)"},
		{"xs where c ? a : b", "(xs where (c ? a : b))"},
		{"if c then a else xs where b", "((c ? a : xs) where b)"},
		{"c ? a : xs where b", "((c ? a : xs) where b)"},
		{"c ? xs where a : b", "(c ? (xs where a) : b)"},
		{"if xs where a then b else c", "((xs where a) ? b : c)"},
		{"a ?? b where c", "((a ?? b) where c)"},
		// if and ?:
		{"a ? b : c ? d : e", "(a ? b : (c ? d : e))"},
		{"a ? b ? c : d : e", "(a ? (b ? c : d) : e)"},
		{"a or b ? c : d or e", "((a or b) ? c : (d or e))"},
		{"if a then b else if c then d else e", "(a ? b : (c ? d : e))"},
		{"if a or b then c and d else e or f", "((a or b) ? (c and d) : (e or f))"},
		{"if a then b else c ? d : e", "(a ? b : (c ? d : e))"},
		// or, and, not
		{"a or b or c", "((a or b) or c)"},
		{"a and b or c and d", "((a and b) or (c and d))"},
		{"a or b and c or d", "((a or (b and c)) or d)"},
		{"not a or b", "((not a) or b)"},
		{"not a and b", "((not a) and b)"},
		{"a and not b", "(a and (not b))"},
		{"not not a", "(not (not a))"},
		{"not a == b", "(not (a == b))"},
		{"not a in b and c", "((not (a in b)) and c)"},
		{"not .a is null", "(not (@.a is null))"},
		// comparisons
		{"a == b and c != d", "((a == b) and (c != d))"},
		{"a < b or c <= d", "((a < b) or (c <= d))"},
		{"a > b or c >= d", "((a > b) or (c >= d))"},
		{"a in b or a contains b", "((a in b) or (a contains b))"},
		{"a startsWith b and a endsWith c", "((a startsWith b) and (a endsWith c))"},
		{"a matches b and c is string", "((a matches b) and (c is string))"},
		{"a is Order or a is null", "((a is Order) or (a is null))"},
		{"a ?? b == c ?? d", "((a ?? b) == (c ?? d))"},
		{"a + b in c", "((a + b) in c)"},
		// ??
		{"a ?? b ?? c", "((a ?? b) ?? c)"},
		{"a ?? b | f()", "(a ?? f(b))"},
		{"a or b ?? c", "(a or (b ?? c))"},
		// |
		{"a | f(b)", "f(a, b)"},
		{"a | f() | g(b, c)", "g(f(a), b, c)"},
		{"a + b | f()", "f((a + b))"},
		{"a * b | f() == c", "(f((a * b)) == c)"},
		{"-a | f()", "f((-a))"},
		// + -, * / %, unary -
		{"a + b - c", "((a + b) - c)"},
		{"a - b + c", "((a - b) + c)"},
		{"a + b * c", "(a + (b * c))"},
		{"a * b / c % d", "(((a * b) / c) % d)"},
		{"a - -b", "(a - (-b))"},
		{"- -a", "(-(-a))"},
		{"-a * b", "((-a) * b)"},
		{"a * -b", "(a * (-b))"},
		{"-a.b", "(-a.b)"},
		{"-a[0]", "(-a[0])"},
		{"-f(a)", "(-f(a))"},
		// postfix
		{"a.b.c", "a.b.c"},
		{"a.b[c].d", "a.b[c].d"},
		{"a[b][c]", "a[b][c]"},
		{"a.f(b).c", "f(a, b).c"},
		{"a.b.f().g(c)", "g(f(a.b), c)"},
		{"a.key.source.if.match", "a.key.source.if.match"},
		{"a\n  .f()\n  .g()", "g(f(a))"},
		{"5.f()", "f(5)"},
		{"1.5.f()", "f(1.5)"},
		// the subject
		{".", "@"},
		{".a", "@.a"},
		{".a.b", "@.a.b"},
		{".[0]", "@[0]"},
		{`.["k"]`, `@["k"]`},
		{". in xs", "(@ in xs)"},
		{". > 1", "(@ > 1)"},
		{".in", "@.in"},
		{".f(a)", "f(@, a)"},
		{"-.a", "(-@.a)"},
		{"[.]", "[@]"},
		{"[....a]", "[...@.a]"},
		{"c ? .a : .b", "(c ? @.a : @.b)"},
		{"c ?.a : .b", "(c ? @.a : @.b)"},
		// calls and lambdas
		{"f()", "f()"},
		{"f(a, b,)", "f(a, b)"},
		{"f(x => x.a)", "f((x => x.a))"},
		{"f((a, b) => a + b, 0)", "f((a, b => (a + b)), 0)"},
		{"f((a), b)", "f(a, b)"},
		{"xs.filter(x => x.a or x.b)", "filter(xs, (x => (x.a or x.b)))"},
		{"f(x => x where a)", "f((x => (x where a)))"},
		{"f(x => { a: x })", "f((x => {a: x}))"},
		{"xs | map(x => y.map(z => z + x))", "map(xs, (x => map(y, (z => (z + x)))))"},
		{"contains(a, b)", "contains(a, b)"},
		{"a contains b", "(a contains b)"},
		// brackets
		{"(a + b) * c", "((a + b) * c)"},
		{"(xs where a).b", "(xs where a).b"},
		{"{ a: 1, \"b-c\": 2, ...d, }", "{a: 1, b-c: 2, ...d}"},
		{"{ a: 1\n b: 2\n ...c }", "{a: 1, b: 2, ...c}"},
		{"{ in: a\n contains: b\n if: c\n null: d, }", "{in: a, contains: b, if: c, null: d}"},
		{"{ a: b\n where: c, and: d }", "{a: b, where: c, and: d}"},
		{"[1, ...a, [b],]", "[1, ...a, [b]]"},
		{"{}", "{}"},
		{"[]", "[]"},
		// match
		{`match x { "a" => 1, n where n > 5 => 2, _ => 3 }`, `match x {"a" => 1; n where (n > 5) => 2; _ => 3}`},
		{"match x { n where ready => 1 }", "match x {n where ready => 1}"},
		{"match { ready => 1, a or b => 2, _ => 3 }", "match {ready => 1; (a or b) => 2; _ => 3}"},
		{"match x { 1 => a\n -1 => b\n [c] => d\n { e: f } => g }", "match x {1 => a; -1 => b; [c] => d; { e: f } => g}"},
		{"match { a => 1\n .b => 2\n -c > 1 => 3\n (d) => 4\n contains(e, f) => 5\n [1] => 6 }",
			"match {a => 1; @.b => 2; ((-c) > 1) => 3; d => 4; contains(e, f) => 5; [1] => 6}"},
		{"match { a => b\n .f()\n + c\n - d\n contains e\n x => y }", "match {a => (((f(b) + c) - d) contains e); x => y}"},
		{"match x { a => b.f(c =>\n c) }", "match x {a => f(b, (c => c))}"},
		{"match x { _ => match y { _ => 1 } }.a", "match x {_ => match y {_ => 1}}.a"},
		// templates
		{"`a`", "T(a; )"},
		{"`a{b}c`", "T(a|c; b)"},
		{"`{a}{b + 1}`", "T(||; a, (b + 1))"},
		{"`{{{a}}}`", "T({|}; a)"},
		{"`{ {a: {}} }`", "T(|; {a: {}})"},
		{"`a{`b{c}`}`", "T(a|; T(b|; c))"},
		{"`{\"}`\"}`", "T(|; \"}`\")"},
		{"`\\``", "T(`; )"},
		{"`a\r\nb`", "T(a\nb; )"},
	}
}

func TestPrecedence(t *testing.T) {
	for _, c := range precedenceCases() {
		x := parseExpr(t, c.src)
		if got := full(x); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
		again := parseExpr(t, ExprString(x))
		if !Equal(x, again) {
			t.Errorf("%s was printed as %s", c.src, ExprString(x))
		}
	}
}

// Parentheses come back where an expression that was put together needs them.
func TestParenthesesWhereNeeded(t *testing.T) {
	a, b, c := &Name{Name: "a"}, &Name{Name: "b"}, &Name{Name: "c"}
	bin := func(op Op, x, y Expr) Expr { return &BinaryExpr{Op: op, X: x, Y: y} }
	not := func(x Expr) Expr { return &UnaryExpr{Op: OpNot, X: x} }
	where := &WhereExpr{X: a, Cond: b}
	cases := []struct {
		x    Expr
		want string
	}{
		{bin(OpMul, bin(OpAdd, a, b), c), "(a + b) * c"},
		{bin(OpSub, a, bin(OpSub, b, c)), "a - (b - c)"},
		{bin(OpSub, bin(OpSub, a, b), c), "a - b - c"},
		{bin(OpEq, bin(OpEq, a, b), c), "(a == b) == c"},
		{bin(OpEq, not(a), b), "(not a) == b"},
		{not(bin(OpAnd, a, b)), "not (a and b)"},
		{&FieldExpr{X: where, Name: &Ident{Name: "x"}}, "(a where b).x"},
		{&WhereExpr{X: a, Cond: where}, "a where (a where b)"},
		{&CondExpr{Cond: &CondExpr{Cond: a, Then: b, Else: c, Question: true}, Then: b, Else: c, Question: true}, "(a ? b : c) ? b : c"},
		{&UnaryExpr{Op: OpNeg, X: bin(OpAdd, a, b)}, "-(a + b)"},
		{&CallExpr{Fun: &Ident{Name: "f"}, Args: []Expr{bin(OpCoalesce, a, b)}, Form: CallPipe}, "(a ?? b) | f()"},
		{&CallExpr{Fun: &Ident{Name: "f"}, Args: []Expr{bin(OpAdd, a, b)}, Form: CallMethod}, "(a + b).f()"},
		{&IsExpr{X: bin(OpOr, a, b), Type: &NamedType{Name: "string"}}, "(a or b) is string"},
	}
	for _, c := range cases {
		if got := ExprString(c.x); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	cases := []struct{ src, text, unit string }{
		{"42", "42", ""}, {"0", "0", ""}, {"3.14", "3.14", ""}, {"1e6", "1e6", ""}, {"1E-6", "1E-6", ""},
		{"2.5e+3", "2.5e+3", ""}, {"1_000", "1000", ""}, {"1_000.000_1", "1000.0001", ""}, {"0.5", "0.5", ""},
		{"12345678901234567890", "12345678901234567890", ""}, {"1.10", "1.10", ""},
		{"500ms", "500", "ms"}, {"30s", "30", "s"}, {"5m", "5", "m"}, {"2h", "2", "h"}, {"7d", "7", "d"},
		{"1w", "1", "w"}, {"1.5h", "1.5", "h"}, {"1_000ms", "1000", "ms"}, {"0s", "0", "s"},
	}
	for _, c := range cases {
		n, ok := parseExpr(t, c.src).(*NumberLit)
		if !ok || n.Text != c.text || n.Unit != c.unit {
			t.Errorf("%s was read as %#v", c.src, n)
		}
	}
}

func TestStrings(t *testing.T) {
	cases := []struct{ src, want string }{
		{`"a"`, "a"}, {`'a'`, "a"}, {`""`, ""}, {`''`, ""},
		{`"a'b"`, "a'b"}, {`'a"b'`, `a"b`}, {`"a\"b\'c"`, `a"b'c`}, {`'a\"b\'c'`, `a"b'c`},
		{`"\\ \/ \b \f \n \r \t"`, "\\ / \b \f \n \r \t"},
		{`"\u00e9\u0000"`, "é\x00"}, {`"\ud83d\ude00"`, "😀"}, {`"\uD83D\uDE00"`, "😀"},
		{`"{a} {{b}}"`, "{a} {{b}}"}, {"\"a\tb\"", "a\tb"}, {`"日本"`, "日本"},
		{`""""""`, ""}, {`"""a"""`, "a"}, {`"""\n{a} ""b"""`, `\n{a} ""b`},
		{"\"\"\"\n  a\n\n    b\n  \"\"\"", "a\n\n  b"}, {"\"\"\"a\n  b\n c\"\"\"", "a\n b\nc"},
		{"\"\"\"\r\n\ta\r\n\tb\r\n\"\"\"", "a\nb"}, {"\"\"\"\n\ta\n  b\n\"\"\"", "\ta\n  b"},
		{"\"\"\"\n\n    a\n \n    b\n\n\"\"\"", "\na\n\nb\n"}, {"\"\"\"\n\"\"\"", ""}, {"\"\"\" \n \n \"\"\"", " "},
	}
	for _, c := range cases {
		s, ok := parseExpr(t, c.src).(*StringLit)
		if !ok || s.Value != c.want {
			t.Errorf("%s was read as %#v", c.src, s)
		}
	}
}

// A path literal is interpolated, other strings are not; the places of what
// is within are those in the file.
func TestPaths(t *testing.T) {
	step := func(src string) *FetchStep { return parseSteps(t, src)[0].(*FetchStep) }
	cases := []struct{ src, want string }{
		{`get "/a"`, `"/a"`},
		{`get "/a/{id}"`, "T(/a/|; id)"},
		{`get '/a/{id}/b/{x.y}?q={z | urlEncode()}'`, "T(/a/|/b/|?q=|; id, x.y, urlEncode(z))"},
		{`get "/a/{{b}}"`, "T(/a/{b}; )"},
		{`get "/a/{m['k']}"`, `T(/a/|; m["k"])`},
		{"get `/a/{id}`", "T(/a/|; id)"},
		{`get "/a\u007bx\u007d"`, `"/a{x}"`},
		{`get "/a" + id`, `("/a" + id)`},
		{`get "/a/{" + id`, `("/a/{" + id)`},
		{`get ("/a/{id}")`, `"/a/{id}"`},
		{`get "/\"{id}"`, `T(/"|; id)`},
		{"get '/{`a{b}\"`}'", "T(/|; T(a|\"; b))"},
	}
	for _, c := range cases {
		s := step(c.src)
		if got := full(s.Path); got != c.want {
			t.Errorf("%s was read as %s, want %s", c.src, got, c.want)
		}
		if l, ok := s.Path.(*TemplateLit); ok && l.Quoted != !strings.Contains(c.src, "get `") {
			t.Errorf("%s has Quoted %v", c.src, l.Quoted)
		}
		again := step(printStep(s))
		if !Equal(s, again) {
			t.Errorf("%s was printed as %s", c.src, printStep(s))
		}
	}
	path := step(`get "/päth/{id}/{m['k'] + 12}"`).Path
	var texts []string
	Walk(path, func(n Node) bool { texts = append(texts, n.Place().Text()); return true })
	want := []string{`"/päth/{id}/{m['k'] + 12}"`, "id", "m['k'] + 12", "m['k']", "m", "'k'", "12"}
	if strings.Join(texts, "|") != strings.Join(want, "|") {
		t.Errorf("places are %q, want %q", texts, want)
	}
}

func printStep(s Step) string {
	p := &treePrinter{}
	p.step(s)
	return p.String()
}

// What can't name a variable can still be a key, a field and an option.
func TestReservedWords(t *testing.T) {
	for _, w := range strings.Fields("true false null and or not in is if then else match") {
		parseExpr(t, "{ "+w+": 1 }."+w)
		parseExpr(t, "{ a: 1\n "+w+": 2 }")
		parseSteps(t, `get "/x" { `+w+`: 1 }`)
		_, errs := Parse(NewFile("t", []byte("action A { let "+w+" = 1 }")))
		if len(errs) != 1 || errs[0].Code != CodeReserved || errs[0].Position().Column != 16 {
			t.Errorf("let %s: %v", w, errs)
		}
	}
	words := append(stepWords(), declWords()...)
	words = append(words, "where", "contains", "mission", "to", "as", "every", "cron", "concurrency", "onError")
	for _, w := range words {
		if w == "match" || w == "if" {
			continue
		}
		parseSteps(t, "let "+w+" = "+w+"."+w)
		parseExpr(t, "{ a: "+w+"\n "+w+": "+w+" }")
	}
}
