package format

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ruleCase is a source and its layout, by the rules of the package comment.
type ruleCase struct{ name, src, want string }

func fileCases() []ruleCase {
	return []ruleCase{
		{"nothing", "", ""},
		{"white space only", " \n\t\r\n\n", ""},
		{"a comment only", "\n\n  // a  \n", "// a\n"},
		{"byte order mark and CRLF",
			"\xef\xbb\xbfmission M {\r\n  // a \r\n  /* b\r\n  c */\r\n\r\n\r\n  timeout: 5m\r\n}\r\n",
			"mission M {\n  // a\n  /* b\n  c */\n\n  timeout: 5m\n}\n"},
		{"the file ends with one new line", "schema A { a: int }\n\n\n", "schema A { a: int }\n"},
		{"a mission is never on one line",
			"mission M { timeout: 5m action A { skip } run A }",
			"mission M {\n  timeout: 5m\n  action A { skip }\n  run A\n}\n"},
		{"no items", "mission M {\n\n}\naction A { \n}\nschema S {}", "mission M {}\naction A {}\nschema S {}\n"},
		{"spaces between words",
			"mission M{param  a:int=- 1 param b : array <int>=[ ] param c:[string]|null\nstore s:file( 'x' ){keep:1_000}schedule:cron(\"@daily\"){jitter:5s}" +
				"run A then[B,C]if  true then D}",
			"mission M {\n  param a: int = -1\n  param b: array<int> = []\n  param c: [string] | null\n  store s: file('x') { keep: 1_000 }\n" +
				"  schedule: cron(\"@daily\") { jitter: 5s }\n  run A then [B, C] if true then D\n}\n"},
		{"transforms and schemas",
			"schema S{a:int ?,...B,'c d':{e:'x'|- 1}?}\ntransform T:S->D{a:.a}\ntransform U{(A)where .x->D{a:1},(_)->D{}}\n",
			"schema S { a: int?, ...B, 'c d': { e: 'x' | -1 }? }\ntransform T: S -> D { a: .a }\n" +
				"transform U { (A) where .x -> D { a: 1 }, (_) -> D {} }\n"},
		{"blank lines",
			"mission M {\n\n\n  timeout: 5m\n\n\n\n  maxParallel: 2\n  action A {\n\n    skip\n\n  }\n\n}\n\n\n\nschema S { a: int }",
			"mission M {\n  timeout: 5m\n\n  maxParallel: 2\n  action A {\n    skip\n  }\n}\n\nschema S { a: int }\n"},
		{"a raw text stays as it is, but for its CRLF",
			"action A {\nlet a=\"\"\"  b,{  c\r\n\t d\n  \"\"\" +'e'}",
			"action A {\n  let a = \"\"\"  b,{  c\n\t d\n  \"\"\" + 'e'\n}\n"},
		{"lines of a comment that stand further left stay",
			"action A {\n      /* b\n    c */\n  skip\n}",
			"action A {\n  /* b\n    c */\n  skip\n}\n"},
	}
}

// stepCases are the steps of an action.
func stepCases() []ruleCase {
	return []ruleCase{
		{"expressions are as their author wrote them",
			`let a=((b))+ 'c'+"d"+ 1_000+5m+1.50e3 +` + "`x { a+b }`",
			`let a = ((b)) + 'c' + "d" + 1_000 + 5m + 1.50e3 + ` + "`x { a+b }`"},
		{"spaces of operators",
			"let a=b==c and not(d<e)or f??g|h(i)\nlet j=- k- -l*m\nlet n=o?p:q\nlet r=if s then t else u\nlet v=w where .x contains 'y'\nlet z=a is null",
			"let a = b == c and not (d < e) or f ?? g | h(i)\nlet j = -k - -l * m\nlet n = o ? p : q\nlet r = if s then t else u\n" +
				"let v = w where .x contains 'y'\nlet z = a is null"},
		{"fields, indexes and calls",
			"let a=b . c [ 0 ] . d( e,f ).g\nlet h=. .x\nlet i=.[ 1 ]\nlet j=map( . ,k=>k.l )\nlet m=reduce(n,( o,p )=>o+p,0)\nlet q=[ ...r,.s ]\nlet t={...u}",
			"let a = b.c[0].d(e, f).g\nlet h = ..x\nlet i = .[1]\nlet j = map(., k => k.l)\nlet m = reduce(n, (o, p) => o + p, 0)\nlet q = [...r, .s]\nlet t = { ...u }"},
		{"a source is told from a call by its space",
			"get API (f(x))\nget f(x)\nget API .path\nget x . path\nlog info (y)\nlog info(y)\nlog warn .x\nlog warn.x",
			"get API (f(x))\nget f(x)\nget API .path\nget x.path\nlog info (y)\nlog info(y)\nlog warn .x\nlog warn.x"},
		{"steps",
			"call API . op{a:1}\ndelete s [ 'k' ]\nfor x in xs where .a concurrency 4 onError queue q{skip}\nmap{a:1}->N\napply T to x as y\n" +
				"validate x{assume .a:'b',warn c}or{skip}\nqueue s{item:.}\njump A then retry\nwait{path:'/x'}\npause{resumeOn:webhook'/x'}",
			"call API.op { a: 1 }\ndelete s['k']\nfor x in xs where .a concurrency 4 onError queue q { skip }\nmap { a: 1 } -> N\napply T to x as y\n" +
				"validate x { assume .a : 'b', warn c } or { skip }\nqueue s { item: . }\njump A then retry\nwait { path: '/x' }\npause { resumeOn: webhook '/x' }"},
		{"steps on one line have commas", "if a { log 'x' log 'y' skip }", "if a { log 'x', log 'y', skip }"},
		{"several lines stay several",
			"store x -> s { key: .id,\n upsert: true, partial: false,}",
			"store x -> s {\n  key: .id\n  upsert: true\n  partial: false\n}"},
		{"one line stays one", "store x -> s {key:.id,upsert:true,}", "store x -> s { key: .id, upsert: true }"},
		{"a list around several lines is not on one",
			"store { a: { b: 1\n } } -> s",
			"store {\n  a: {\n    b: 1\n  }\n} -> s"},
		{"a template of several lines counts as such",
			"log `a` { b: `c\n  d` }",
			"log `a` {\n  b: `c\n  d`\n}"},
		{"a call hugs an object",
			"let a = map(xs, x => {\nb: x,\nc: 1 })\nlet d = [{\ne: 1 }, {\nf: 2 }]",
			"let a = map(xs, x => {\n  b: x\n  c: 1\n})\nlet d = [{\n  e: 1\n}, {\n  f: 2\n}]"},
		{"brackets are broken where they were",
			"let a = [1, 2,\n3, 4]\nlet b = f(\n  c, d)",
			"let a = [\n  1, 2,\n  3, 4\n]\nlet b = f(\n  c, d\n)"},
		{"expressions go on one level in",
			"let a = b\nor c\n      and d(e\n + f)\nvalidate x {\n  assume a\n: 'm'\n}",
			"let a = b\n  or c\n  and d(e\n    + f)\nvalidate x {\n  assume a\n    : 'm'\n}"},
		{"braces and else go on with the line",
			"if a\n{\nskip\n}\nelse if b\n{\nskip }\n\nelse\n{ skip\n}\nvalidate x\n{ assume a }\nor\n{ skip }",
			"if a {\n  skip\n} else if b {\n  skip\n} else {\n  skip\n}\nvalidate x { assume a } or { skip }"},
		{"of the blocks of an if all are broken or none",
			"if a { skip } else if b {\nskip } else { skip }\nif c { skip } else { skip }",
			"if a {\n  skip\n} else if b {\n  skip\n} else {\n  skip\n}\nif c { skip } else { skip }"},
		{"arms",
			"match x {404->skip, -1 -> abort 'a',\n[ a,...b ]->continue\n{ c,'d':1 }->{skip}, _ where .e->retry {delay:1s}}",
			"match x {\n  404 -> skip\n  -1 -> abort 'a'\n  [a, ...b] -> continue\n  { c, 'd': 1 } -> { skip }\n  _ where .e -> retry { delay: 1s }\n}"},
		{"a comma stays where the next line would go on with the arm",
			"let a = match {\n x => y,\n where => 1,\n not contains(b, c) => 2,\n contains(b, c) => 3,\n .d => 4,\n -e > 1 => 5\n}",
			"let a = match {\n  x => y,\n  where => 1,\n  not contains(b, c) => 2\n  contains(b, c) => 3\n  .d => 4\n  -e > 1 => 5\n}"},
		{"a comma comes where an arm is broken before its arrow",
			"let a = match {\n x => y,\n .d or\n e => 4\n}",
			"let a = match {\n  x => y,\n  .d or\n    e => 4\n}"},

		{"comments at line ends",
			"skip// a\nlog 'x',   /* b */   // c\nstore { d: 1,// e\nf: 2 // g\n, h: 3 /* i */, /* j */ k: 4 }-> s",
			"skip // a\nlog 'x' /* b */ // c\nstore {\n  d: 1 // e\n  f: 2 // g\n  h: 3 /* i */\n  /* j */ k: 4\n} -> s"},
		{"comments on their own lines",
			"// a\n\n\n  // b\nskip\n  /* c */ continue\nif x { // d\n\n// e\n}\nif y {\nskip\n\n// f\n}",
			"// a\n\n// b\nskip\n/* c */ continue\nif x { // d\n  // e\n}\nif y {\n  skip\n\n  // f\n}"},
		{"comments within a line",
			"store/* a */{/* b */c:/* d */1/* e */,/* f */g:2/* h */}/* i */->/* j */s\nlet k = f(/* l */ m /* n */, /* o */ p)\nlet q = {/* r */}",
			"store /* a */ { /* b */ c: /* d */ 1 /* e */, /* f */ g: 2 /* h */ } /* i */ -> /* j */ s\nlet k = f(/* l */ m /* n */, /* o */ p)\nlet q = { /* r */ }"},
		{"comments between arms and elements",
			"match x {\n// a\n1 -> skip // b\n// c\n_ -> continue\n}\nlet y = [\n1, // d\n// e\n2 // f\n, 3\n]",
			"match x {\n  // a\n  1 -> skip // b\n  // c\n  _ -> continue\n}\nlet y = [\n  1, // d\n  // e\n  2, // f\n  3\n]"},
		{"comments in an expression",
			"let a = b // c\n// d\n+ e",
			"let a = b // c\n  // d\n  + e"},
		{"comments before what goes on with a line",
			"if a // b\n{ skip } // c\nelse { skip }",
			"if a // b\n{ skip } // c\nelse { skip }"},
		{"the lines of a comment move with it",
			"if a {\n      /* b\n       * c\n\n       */\n      skip\n}",
			"if a {\n  /* b\n   * c\n\n   */\n  skip\n}"},
	}
}

func TestRules(t *testing.T) {
	for _, c := range fileCases() {
		t.Run(c.name, func(t *testing.T) { holdCase(t, c.src, c.want) })
	}
}

func TestStepRules(t *testing.T) {
	for _, c := range stepCases() {
		t.Run(c.name, func(t *testing.T) { holdCase(t, "action A {\n"+c.src+"\n}", "action A {\n"+indent(c.want)+"\n}\n") })
	}
}

func holdCase(t *testing.T, src, want string) {
	t.Helper()
	out, errs := Source("t.reqon", []byte(src))
	if len(errs) > 0 {
		t.Fatalf("%v (%s)", errs[0], errs[0].Suggestion)
	}
	if string(out) != want {
		t.Errorf("it is laid out as\n%s\nwant\n%s\n%s", out, want, Diff("t.reqon", []byte(want), out))
	}
	check(t, []byte(src))
}

// indent puts the steps of a case one level in, save lines within a template.
func indent(steps string) string {
	lines := strings.Split(steps, "\n")
	for i, line := range lines {
		if line != "" && (i == 0 || strings.Count(strings.Join(lines[:i], ""), "`")%2 == 0) {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

// TestLong holds what happens to lines that don't fit into 100 columns.
func TestLong(t *testing.T) {
	long := strings.Repeat("x", 30)
	cases := []ruleCase{
		{"a block that fits, with 100 columns", "log '" + strings.Repeat("ü", 80) + "' { a: f(b) }", "log '" + strings.Repeat("ü", 80) + "' { a: f(b) }"},
		{"a block that doesn't", "log '" + strings.Repeat("ü", 81) + "' { a: f(b) }", "log '" + strings.Repeat("ü", 81) + "' {\n  a: f(b)\n}"},
		{"a comment does not count", "skip // " + strings.Repeat("x", 100), "skip // " + strings.Repeat("x", 100)},
		{"the outermost first, then those within that are still too long",
			"store { a: { b: '" + long + "', c: '" + long + "' }, d: { e: '" + long + "', f: '" + long + "', g: '" + long + "' } } -> s",
			"store {\n  a: { b: '" + long + "', c: '" + long + "' }\n  d: {\n    e: '" + long + "'\n    f: '" + long + "'\n    g: '" + long + "'\n  }\n} -> s"},
		{"the longest of several",
			"store { a: '" + long + "', b: '" + long + "', c: '" + long + "' } -> s { key: .id }",
			"store {\n  a: '" + long + "'\n  b: '" + long + "'\n  c: '" + long + "'\n} -> s { key: .id }"},
		{"braces before brackets",
			"let a = f('" + long + "', '" + long + "', { b: '" + long + "' }, '" + long + "')",
			"let a = f('" + long + "', '" + long + "', {\n  b: '" + long + "'\n}, '" + long + "')"},
		{"brackets if there are no braces",
			"let a = ['" + long + "', '" + long + "', '" + long + "', f(1, 2)]",
			"let a = [\n  '" + long + "',\n  '" + long + "',\n  '" + long + "',\n  f(1, 2)\n]"},
		{"nothing to break", "let a = " + long + " + " + long + " + " + long + " + " + long, "let a = " + long + " + " + long + " + " + long + " + " + long},
		{"steps get lines of their own",
			"if a { log '" + long + "', log '" + long + "' /* b */ log '" + long + "' /* c */ }",
			"if a {\n  log '" + long + "'\n  log '" + long + "'\n  /* b */ log '" + long + "' /* c */\n}"},
		{"what is allowed on a line stays on it",
			"// reqon:allow RQ0403 -- why\nlog '" + long + "' { a: '" + long + "', b: '" + long + "' }",
			"// reqon:allow RQ0403 -- why\nlog '" + long + "' { a: '" + long + "', b: '" + long + "' }"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { holdCase(t, "action A {\n"+c.src+"\n}", "action A {\n"+indent(c.want)+"\n}\n") })
	}
}

// TestExamples holds that the examples that people read are laid out
// canonically.
func TestExamples(t *testing.T) {
	n := 0
	for name, src := range corpus(t) {
		if !strings.Contains(filepath.ToSlash(name), "testdata/examples/") {
			continue
		}
		n++
		if out, _ := Source(name, src); string(out) != string(src) {
			t.Errorf("run reqon fmt:\n%s", Diff(name, src, out))
		}
	}
	if n == 0 {
		t.Error("there are no examples")
	}
}

func TestErrors(t *testing.T) {
	src := "mission M {\n  action { }\n}\n"
	out, errs := Source("dir/m.reqon", []byte(src))
	if out != nil || len(errs) != 1 {
		t.Fatalf("got %q and the errors %v", out, errs)
	}
	if at := errs[0].Position(); at.File != "dir/m.reqon" || at.Line != 2 || at.Column != 10 {
		t.Errorf("the error is at %v", at)
	}
	for name, src := range map[string]string{
		"not UTF-8": "mission M \xff {}", "a NUL": "mission M {\x00}", "an open comment": "/* a", "an open string": "mission M { a: \"x }",
	} {
		if out, errs := Source("m.reqon", []byte(src)); out != nil || len(errs) == 0 {
			t.Errorf("%s: got %q and the errors %v", name, out, errs)
		}
	}
}

// TestDeep holds the deepest nesting that there is, on one line.
func TestDeep(t *testing.T) {
	const deep = 480
	check(t, []byte("action A { let a = "+strings.Repeat("{ a: ", deep)+"1"+strings.Repeat(" }", deep)+" }"))
	check(t, []byte("action A { let a = "+strings.Repeat("[", deep)+"1"+strings.Repeat("]", deep)+" }"))
}

func BenchmarkSource(b *testing.B) {
	src, err := os.ReadFile("../../testdata/examples/orders.reqon")
	if err != nil {
		b.Fatal(err)
	}
	all := []byte(strings.Repeat(string(src), 100))
	b.SetBytes(int64(len(all)))
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Source("m.reqon", all); len(errs) > 0 {
			b.Fatal(errs[0])
		}
	}
}
