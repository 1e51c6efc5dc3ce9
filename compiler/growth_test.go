package compiler_test

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/compiler/diag"
)

// chain joins n links, each of which has the number of the next one as #+ and
// its own as #.
func chain(n int, link, last string) string {
	var b strings.Builder
	for i := range n {
		l := strings.ReplaceAll(link, "#+", fmt.Sprint(i+1))
		b.WriteString(strings.ReplaceAll(l, "#", fmt.Sprint(i)))
	}
	b.WriteString(strings.ReplaceAll(last, "#", fmt.Sprint(n)))
	return b.String()
}

func inMission(decls string) string { return "mission M {\n" + decls + "\n}\n" }

// growing is a source of size n for each construct of the language, of which some
// can be named from within others, which is where a small text means much.
var growing = []struct {
	name   string
	n      int // of the smallest source
	source func(n int) string
}{
	// Schemas.
	{"spreads twice", 6, func(n int) string {
		return inMission(chain(n, "schema S# { ...S#+, ...S#+ }\n", "schema S# { a: int }\n") + "action F { log env(\"X\") is S0 }")
	}},
	{"spreads three times in object types", 4, func(n int) string {
		return inMission(chain(n, "schema S# { a#: { ...S#+, ...S#+ }, ...S#+ }\n", "schema S# { a: int }\n") + "action F { log env(\"X\") is S0 }")
	}},
	{"spreads in params", 6, func(n int) string {
		return inMission(chain(n, "schema S# { ...S#+, ...S#+ }\n", "schema S# { a: int }\n") + "param p: S0 = { a: 1 }\nparam q: [S0] = []\naction F { log p log q }")
	}},
	{"spreads in a circle", 6, func(n int) string {
		return inMission(chain(n, "schema S# { ...S#+, ...S#+, ...S0 }\n", "schema S# { ...S0 }\n") + "action F { log env(\"X\") is S0 }")
	}},
	{"spreads without end", 6, func(n int) string {
		return inMission(times(n, "schema S# { "+times(n, "...S#, ")+" }\n") + "action F { log env(\"X\") is S0 }")
	}},
	{"fields of schemas", 6, func(n int) string {
		return inMission(chain(n, "schema S# { a: S#+, b: S#+ }\n", "schema S# { a: int }\n") + "param p: S0 | null = null\naction F { log env(\"X\") is S0 log p }")
	}},
	{"arrays of unions", 6, func(n int) string {
		return inMission(chain(n, "schema S# { a: [S#+ | null] | S#+ | null, b: S#+ | [S#+] }\n", "schema S# { a: int }\n") + "action F { log env(\"X\") is S0 }")
	}},
	{"types compared", 6, func(n int) string {
		return inMission(chain(n, "schema S# { a: S#+, b: S#+ }\n", "schema S# { a: int }\n") +
			chain(n, "schema T# { a: T#+, b: T#+ }\n", "schema T# { a: int }\n") +
			"param p: S0 | null = null\nparam q: T0 | null = null\naction F { let x = if env(\"X\") == null then p else q\nlog x match x { T0 -> log \"a\", S0 -> log \"b\", _ -> skip } }")
	}},
	{"schemas", 500, func(n int) string {
		return inMission(times(n, "schema S# { a: int, b: string? }\n") + "action F {\n" + times(n, "log env(\"X\") is S#\n") + "}")
	}},
	{"fields", 1000, func(n int) string {
		return inMission("schema S {\n" + times(n, "f#: int\n") + "}\naction F { log env(\"X\") is S }")
	}},
	{"the same field", 1000, func(n int) string {
		return inMission("schema S {\n" + times(n, "f: int\n") + "}\naction F { log env(\"X\") is S }")
	}},
	{"spreads of one", 500, func(n int) string {
		return inMission("schema B { a: int }\nschema S {\n" + times(n, "...B\n") + "}\naction F { log env(\"X\") is S }")
	}},
	{"unions", 1000, func(n int) string {
		return inMission("param p: " + strings.TrimSuffix(times(n, "\"v#\" | "), " | ") + " = \"v0\"\naction F { log p }")
	}},
	{"unions of schemas", 500, func(n int) string {
		return inMission(times(n, "schema S# { a#: int }\n") + "param p: " + times(n, "S# | ") + "null = null\naction F { match p {\n" + times(n, "S# -> log \"x\"\n") + " _ -> skip } }")
	}},
	{"chain of spreads", 200, func(n int) string {
		return inMission(chain(n, "schema S# { ...S#+ }\n", "schema S# { a: int }\n") + "action F { log env(\"X\") is S0 }")
	}},

	// Expressions.
	{"templates in templates", 200, func(n int) string { return inAction("log " + nested(n, "`{", "x", "}`")) }},
	{"parts of templates", 500, func(n int) string { return inActions(n, "log `a{x}b{x}c`") }},
	{"spreads of a variable", 6, func(n int) string {
		return inAction("let a0 = { k: x }\n" + chain(n, "let a#+ = { ...a#, ...a#, k#: a# }\n", "log a#"))
	}},
	{"arrays of a variable", 6, func(n int) string {
		return inAction("let a0 = [x]\n" + chain(n, "let a#+ = [...a#, ...a#, a#, a#]\n", "log a#"))
	}},
	{"values that double", 6, func(n int) string {
		return inAction("let a0 = { k: 1 }\n" + chain(n, "let a#+ = { l: a#, r: a# }\n", "log a#\nlog a# is string"))
	}},
	{"values that double, compared", 6, func(n int) string {
		return inAction("let a0 = { k: 1 }\nlet b0 = { k: 1 }\n" + chain(n, "let a#+ = { l: a#, r: a# }\nlet b#+ = { l: b#, r: b# }\n", "log a# == b#\nlet c = if x then a# else b#\nlog c"))
	}},
	{"branches that double", 6, func(n int) string {
		return inAction("let a0 = { k: 1 }\n" + chain(n, "let a#+ = if x then { l#: a# } else { r#: a# }\n", "log a#"))
	}},
	{"let in a match", 6, func(n int) string {
		return inAction("let a0 = x\n" + chain(n, "let a#+ = match a# { { b: c } => [c, a#], [c, ...d] => { c: c, d: d }, _ => a# }\n", "log a#"))
	}},
	{"conditions", 400, func(n int) string { return inAction("let r = " + nested(n, "if x then ", "x", " else x")) }},
	{"long texts", 1000, func(n int) string { return inAction("log \"" + strings.Repeat("é\\n", n) + "\"") }},
	{"concatenated constants", 200, func(n int) string {
		return inAction("log " + strings.TrimSuffix(strings.Repeat("\"abcdefgh\" + ", n), " + "))
	}},
	{"constants that double", 10, func(n int) string {
		return inMission("action A {\nlet a0 = \"abcdefgh\"\n" + chain(n, "let a#+ = a# + a#\n", "log a#") + "}")
	}},
	{"constants repeated", 4, func(n int) string {
		return inAction("let r = " + nested(n, "repeat(", "\"abcdefgh\"", ", 10)"))
	}},
	{"operators", 300, func(n int) string { return inAction("log x" + strings.Repeat(" + x", n)) }},
	{"comparisons", 300, func(n int) string { return inAction("log x == 1" + strings.Repeat(" or x == 2 and not x", n)) }},
	{"fields of fields", 400, func(n int) string { return inAction("log x" + strings.Repeat(".a", n)) }},
	{"calls in calls", 200, func(n int) string { return inAction("log " + nested(n, "trim(", "x", ")")) }},
	{"loops in calls", 40, func(n int) string { return inAction("log " + nested(n, "sum(map(x, ", ".a", "), .b)")) }},
	{"patterns", 10, func(n int) string { return inAction("log x matches \"" + nested(n, "(a|", "b", ")*") + "\"") }},
	{"patterns repeated", 2, func(n int) string { return inAction("log x matches \"" + nested(n, "(", "a", "){10}") + "\"") }},
	{"patterns of classes", 100, func(n int) string { return inActions(n, "log x matches \"(?i)[\\\\pL#]{900}\"") }},
	{"arms", 500, func(n int) string { return inAction("match x {\n" + times(n, "# -> log \"x\"\n") + "_ -> skip\n}") }},
	{"arms of objects", 200, func(n int) string {
		return inAction("match x {\n" + times(n, "{ k: \"#\", l: [a, ...b] } -> log a\n") + "_ -> skip\n}")
	}},
	{"arms of one object", 200, func(n int) string {
		return inAction("match ({ a: 1, b: [x] }) {\n" + times(n, "{ a: #, b: [_] } -> log \"x\"\n") + "_ -> skip\n}")
	}},
	{"guards", 300, func(n int) string {
		return inAction("match x {\n" + times(n, "y where y == # -> log y\n") + "_ -> skip\n}")
	}},
	{"match in match", 100, func(n int) string { return inAction(nested(n, "match x { 1 -> skip, _ -> { ", "log x", " } }")) }},
	{"match as a value", 100, func(n int) string { return inAction("let r = " + nested(n, "match x { 1 => 2, _ => ", "x", " }")) }},
	{"big objects", 500, func(n int) string { return inAction("let r = { " + times(n, "k#: \"v\", ") + "}") }},
	{"the same key", 500, func(n int) string { return inAction("let r = { " + times(n, "k: x, ") + "}") }},

	// Steps.
	{"variables", 500, func(n int) string { return inAction(times(n, "let v# = x\n") + times(n, "log v#\n")) }},
	{"unused variables", 500, func(n int) string { return inAction(times(n, "let v# = x\n")) }},
	{"misspelt variables", 300, func(n int) string { return inAction(times(n, "let value# = x\n") + times(n, "log valeu#\n")) }},
	{"unknown stores", 300, func(n int) string {
		return inMission(times(n, "store store#: memory\n") + "action F {\n" + times(n, "store { id: 1 } -> stroe#\n") + "}")
	}},
	{"unknown options", 300, func(n int) string { return inAction("get \"/\" {\n" + times(n, "params#: 1\n") + "}") }},
	{"loops in loops", 100, func(n int) string { return inAction(nested(n, "for y in x { ", "log y", " }")) }},
	{"ifs in ifs", 100, func(n int) string { return inAction(nested(n, "if x { ", "log x", " } else { log x }")) }},
	{"requests", 500, func(n int) string { return inActions(n, "get \"/{x}/#\"\nfor y in response { store y -> s }") }},
	{"requests and responses", 300, func(n int) string {
		return inActions(n, "get \"/{x}/#\" { params: { a: x } }\nmatch response { [_] -> skip, 404 -> skip, _ -> skip }\nlog response.a")
	}},
	{"validate", 500, func(n int) string { return inAction("validate x {\n" + times(n, "warn .a == # : \"x\"\n") + "}") }},
	{"if assumed", 300, func(n int) string {
		return inAction("validate x {\n" + times(n, "assume .a# is string\n") + "}\nlog x")
	}},

	// Declarations.
	{"actions in actions", 300, func(n int) string { return nestedActions(n, "") }},
	{"actions that double", 6, func(n int) string {
		return inMission(chain(n, "action A# { run A#+ run A#+ }\n", "action A# { log \"x\" }\n") + "run A0")
	}},
	{"actions that double with requests", 6, func(n int) string {
		return inMission("source S { auth: none, base: \"http://x\" }\n" + chain(n, "action A# { get \"/\" run A#+ log response run A#+ }\n", "action A# { get \"/\" }\n") + "run A0")
	}},
	{"actions in a circle", 6, func(n int) string {
		return inMission(chain(n, "action A# { run A#+ run A#+ run A0 }\n", "action A# { run A0 }\n") + "run A0")
	}},
	{"every action runs every one", 5, func(n int) string {
		return inMission(times(n, "action A# {\n"+times(n, "run A#\n")+"}\n") + "run A0")
	}},
	{"transforms applied in turn", 6, func(n int) string {
		return inMission(times(n, "transform T# -> R { a: .a, b: ., c: . }\n") + "action F {\n" + chain(n, "apply T# to { a: 1 } as a#\nlet b# = { l: a#, r: a# }\n", "log \"x\"") + "}")
	}},
	{"variants", 200, func(n int) string {
		return inMission("transform T {\n" + times(n, "(_) where .k == \"#\" -> R { a: .a, b: .b# },\n") + "(_) -> R { a: .c }\n}\naction F { apply T to { a: 1 } as r log r }")
	}},
	{"variants of schemas", 100, func(n int) string {
		return inMission(times(n, "schema S# { a#: int }\n") + "transform T {\n" + times(n, "(S#) -> R { a: .a#, b: . },\n") + "(_) -> R { a: .c }\n}\naction F { apply T to { a: 1 } as r log r }")
	}},
	{"stages", 500, func(n int) string {
		return inMission("action A { log \"x\" }\naction B { log \"x\" }\nrun A" + strings.Repeat(" then [A, B]", n))
	}},
	{"a bracket", 500, func(n int) string {
		return inMission(times(n, "action A# { log \"x\" }\n") + "run [" + strings.TrimSuffix(times(n, "A#, "), ", ") + "]")
	}},
	{"the same in a bracket", 300, func(n int) string {
		return inMission("action A { log \"x\" }\nrun [" + strings.Repeat("A, ", n) + "A]")
	}},
	{"conditions of stages", 300, func(n int) string {
		return inMission("param p: any = null\naction A { log \"x\" }\nrun A" + strings.Repeat(" then A if p", n))
	}},
	{"params", 500, func(n int) string {
		return inMission(times(n, "param p#: any = null\n") + "action F {\n" + times(n, "log p#\n") + "}")
	}},
	{"duplicates", 500, func(n int) string { return inMission(strings.Repeat("action A { log \"x\" }\n", n)) }},
	{"sources", 300, func(n int) string {
		return inMission(times(n, "source S# { auth: none, base: \"http://x\" }\n") + "action F {\n" + times(n, "get S# \"/\"\n") + "}")
	}},
	{"missions", 200, func(n int) string { return times(n, "mission M# {\naction A { log \"x\" }\nrun A\n}\n") }},
	{"missions of one name", 200, func(n int) string { return strings.Repeat("mission M {\naction A { log \"x\" }\nrun A\n}\n", n) }},
	{"cron lists", 500, func(n int) string {
		return inMission("schedule: cron \"" + strings.Repeat("0,", n) + "0 9 * * *\"\naction A { log \"x\" }\nrun A")
	}},

	// Comments and white space.
	{"comments of a line", 1000, func(n int) string { return inAction(strings.Repeat("/**/", n) + "log x") }},
	{"comments with code behind", 1000, func(n int) string { return inAction("log x " + strings.Repeat("/**/", n) + " log x") }},
	{"comment lines", 1000, func(n int) string { return inAction(strings.Repeat("// x\n", n)) }},
	{"allows", 1000, func(n int) string { return inAction(strings.Repeat("// reqon:allow RQ0403 -- x\n", n) + "log x") }},
	{"allows of unknown codes", 300, func(n int) string { return inAction(times(n, "// reqon:allow RQ9#\n") + "log x") }},
	{"allows of a line", 300, func(n int) string { return inAction(strings.Repeat("/* reqon:allow RQ0403 */", n) + "log x") }},
	{"codes of an allow", 500, func(n int) string { return inAction("// reqon:allow " + strings.Repeat("RQ0403, ", n) + "\nlog x") }},
	{"comments over lines", 300, func(n int) string {
		return inAction("/*" + strings.Repeat("\n", n) + "*/" + strings.Repeat("/**/", n) + "log x")
	}},
	{"documented declarations", 300, func(n int) string { return inMission(times(n, "// about\n// it\naction A# { log \"x\" }\n")) }},
	{"a comment not closed", 1000, func(n int) string { return inAction(strings.Repeat("/* ", n)) }},
	{"empty lines", 2000, func(n int) string { return inAction(strings.Repeat("\n", n)) }},
	{"a line of code", 500, func(n int) string { return inAction(strings.Repeat("log x ", n)) }},
	{"a line of warnings", 300, func(n int) string { return inAction(times(n, "let v# = x ")) }},
	{"a line of wide letters", 500, func(n int) string { return inAction(strings.Repeat("log \"é\" let y = x ", n)) }},

	// Errors.
	{"zeros", 1000, func(n int) string { return strings.Repeat("\x00", n) }},
	{"letters", 1000, func(n int) string { return strings.Repeat("x ", n) }},
	{"strange characters", 1000, func(n int) string { return strings.Repeat("§", n) }},
	{"opening quotes", 1000, func(n int) string { return inAction("log " + strings.Repeat("„", n)) }},
	{"typographic quotes", 1000, func(n int) string { return inAction("log " + strings.Repeat("“ ", n)) }},
	{"wide spaces", 1000, func(n int) string { return inAction("log " + strings.Repeat("\u00a0", n)) }},
	{"number signs", 1000, func(n int) string { return inAction(strings.Repeat("# x\n", n)) }},
	{"letters of other scripts", 1000, func(n int) string { return inAction(strings.Repeat("ж ", n)) }},
	{"wrong paths", 300, func(n int) string { return inAction(strings.Repeat("get \"/{+}/{\"\n", n)) }},
	{"a long path", 500, func(n int) string { return inAction("get \"/" + strings.Repeat("{x}/", n) + "\"") }},
	{"a long wrong path", 500, func(n int) string { return inAction("get \"/" + strings.Repeat("{+}/", n) + "\"") }},
	{"no UTF-8", 1000, func(n int) string { return strings.Repeat("\xff", n) }},
	{"quotes", 1000, func(n int) string { return strings.Repeat("\"\n", n) }},
	{"backticks", 999, func(n int) string { return strings.Repeat("`{", n) }},
	{"braces", 1000, func(n int) string { return strings.Repeat("{", n) }},
	{"closing braces", 1000, func(n int) string { return strings.Repeat("}", n) }},
	{"brackets", 1000, func(n int) string { return strings.Repeat("[", n) }},
	{"parentheses", 1000, func(n int) string { return inAction("log " + strings.Repeat("(", n)) }},
	{"mixed brackets", 1000, func(n int) string { return inAction(strings.Repeat("([{", n)) }},
	{"missions not closed", 300, func(n int) string { return times(n, "mission M# {\n") }},
	{"actions not closed", 300, func(n int) string { return inMission(times(n, "action A# {\nlog x\n")) }},
	{"wrong steps", 300, func(n int) string { return inAction(strings.Repeat("frobnicate x y\n", n)) }},
	{"wrong expressions", 300, func(n int) string { return inAction(strings.Repeat("log + * /\n", n)) }},
	{"wrong expressions of a line", 300, func(n int) string { return inAction(strings.Repeat("log + ", n)) }},
	{"wrong arms", 300, func(n int) string { return inAction("match x {\n" + strings.Repeat("-> ->\n", n) + "}") }},
	{"wrong entries", 300, func(n int) string { return inAction("log { " + strings.Repeat(": ,", n) + "}") }},
	{"wrong types", 300, func(n int) string { return inMission("schema S {\n" + strings.Repeat("a: | |\n", n) + "}") }},
	{"wrong templates", 300, func(n int) string { return inAction(strings.Repeat("log `{+}`\n", n)) }},
	{"wrong escapes", 300, func(n int) string { return inAction("log \"" + strings.Repeat("\\q", n) + "\"") }},
	{"arrows", 500, func(n int) string { return inAction(strings.Repeat("-> ", n)) }},
	{"words with arrows far away", 300, func(n int) string { return inAction("match x {\n" + strings.Repeat("1 -> a\n- b ", n) + "\n}") }},
	{"objects or blocks", 300, func(n int) string { return inAction(strings.Repeat("for x in { a: 1 } {\n", n)) }},
	{"long numbers", 1000, func(n int) string { return inAction("log " + strings.Repeat("9", n)) }},
	{"long exponents", 1000, func(n int) string { return inAction("log 1e" + strings.Repeat("9", n)) }},
	{"long fractions", 1000, func(n int) string { return inAction("log 0." + strings.Repeat("0", n) + "1 * 3") }},
	{"long names", 1000, func(n int) string { return inAction("let a = 1\nlog " + strings.Repeat("b", n)) }},
	{"long names that are near", 200, func(n int) string {
		return inAction("let " + strings.Repeat("a", n) + " = 1\n" + strings.Repeat("log "+strings.Repeat("a", n)+"b\n", 4))
	}},
}

// nested1 nests n levels in one.
func nested(n int, open, middle, end string) string {
	return strings.Repeat(open, n) + middle + strings.Repeat(end, n)
}

// errorsOf are constructs that are mistakes, of which the source has some.
var errorsOf = []string{"circle", "without end", "same", "misspelt", "unknown", "every action", "duplicates", "one name", "wide letters", "near", "long names", "long exponents", "not closed"}

// TestGrowth: what a source costs is linear in what it means. Sources of some
// kilobytes for each construct, and of some hundred of them, are compiled and
// their diagnostics written; the second may take more only as it is longer.
func TestGrowth(t *testing.T) {
	for _, tt := range growing {
		t.Run(tt.name, func(t *testing.T) {
			n := tt.n
			for len(tt.source(n)) < 4<<10 && n < 1<<12 {
				n *= 2
			}
			small, large := tt.source(n), tt.source(8*n)
			took, used := cost(small)
			// A construct that names others may mean the square of its length. That is
			// still bounded.
			const room = 4 << 20
			longer := uint64(len(large))/uint64(len(small)) + 1
			long, much := cost(large)
			t.Logf("%d KB: %v, %d KB; %d KB: %v, %d KB", len(small)>>10, took, used>>10, len(large)>>10, long, much>>10)
			if used > 64<<20 || took > 2*time.Second {
				t.Errorf("%d KB take %v and %d KB", len(small)>>10, took, used>>10)
			}
			if much > 3*longer*used+room && much > 128<<20 || long > 3*time.Second+6*time.Duration(longer)*took {
				t.Errorf("%d KB take %v and %d KB; %d KB take %v and %d KB", len(small)>>10, took, used>>10, len(large)>>10, long, much>>10)
			}
		})
	}
}

// TestGrowthMeans: the constructs that are meant to be right compile, or the test
// above would measure something else.
func TestGrowthMeans(t *testing.T) {
	for _, tt := range growing {
		if tt.name == "zeros" || tt.name == "letters" {
			break // from here on they are mistakes
		}
		if slices.ContainsFunc(errorsOf, func(word string) bool { return strings.Contains(tt.name, word) }) {
			continue
		}
		if r := compileText(t, tt.source(min(tt.n, 40))); r.Failed() {
			t.Errorf("%s: %s %v", tt.name, firstError(r), r.Errors)
		}
	}
}

// cost is what compiling a source costs, with its diagnostics written out.
func cost(src string) (elapsed time.Duration, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	r := compiler.Compile(compiler.Unit{Main: "m.reqon"}, func(string) ([]byte, error) { return []byte(src), nil })
	if err := diag.Text(io.Discard, r.Diagnostics, diag.TextOptions{}); err != nil {
		panic(err)
	}
	elapsed = time.Since(began)
	runtime.ReadMemStats(&after)
	return elapsed, after.TotalAlloc - before.TotalAlloc
}
