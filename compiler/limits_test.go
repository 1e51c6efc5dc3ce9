package compiler_test

import (
	"fmt"
	"strings"
	"testing"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/vm/bytecode"
)

// times is n copies of a text, in which # is the number of the copy.
func times(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)))
	}
	return b.String()
}

// inAction is a mission of one action.
func inAction(steps string) string {
	return "mission M {\nsource API { auth: none, base: \"http://x\" }\naction A {\nlet x = env(\"X\")\n" + steps + "\n}\n}\n"
}

// inActions spreads copies of a step over actions of 1000 each.
func inActions(n int, step string) string {
	var b strings.Builder
	b.WriteString("mission M {\nsource API { auth: none, base: \"http://x\" }\nparam x: any = null\n")
	for i := range (n + 999) / 1000 {
		fmt.Fprintf(&b, "action A%d {\n", i)
		for j := i * 1000; j < min(n, (i+1)*1000); j++ {
			b.WriteString(strings.ReplaceAll(step, "#", fmt.Sprint(j)) + "\n")
		}
		b.WriteString("}\n")
	}
	return b.String() + "}\n"
}

// nestedActions is a mission of n actions, each of which runs the next.
func nestedActions(n int, steps string) string {
	var b strings.Builder
	b.WriteString("mission M {\nsource API { auth: none, base: \"http://x\" }\n")
	for i := range n {
		fmt.Fprintf(&b, "action A%d {\n%slog \"x\"\n", i, steps)
		if i < n-1 {
			fmt.Fprintf(&b, "run A%d\n", i+1)
		}
		b.WriteString("}\n")
	}
	return b.String() + "run A0\n}\n"
}

// compileText compiles one file.
func compileText(t *testing.T, src string) *compiler.Result {
	t.Helper()
	return compiler.Compile(compiler.Unit{Main: "m.reqon"}, func(string) ([]byte, error) { return []byte(src), nil })
}

// TestLimits goes up to each limit of the program's form and one beyond it:
// what is at the limit compiles to an artifact that can be read, and what is
// beyond is one error with a place, the limit and what to do.
func TestLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long, in one task")
	}
	const wide = 1 << 16 // what an operand of two bytes tells apart
	for _, tt := range []struct {
		name   string
		most   int
		source func(n int) string
		says   string // by the message, of what there is too much
		at     string // what the error points at, # being the number of the first too many; "" for not looked at
	}{
		{"requests of an action", 1024, func(n int) string { return inAction(times(n, "get \"/p#\"\n")) }, "action `A` has more than 1024 requests", `get "/p#"`},
		{"variables", wide - 1, func(n int) string { return inAction(times(n, "let v# = x\n")) }, "action `A` has more than 65536 variables", "let v# = x"},
		{"variables of a loop", wide - bytecode.LoopSlots - 2, func(n int) string { return inAction(times(n, "let v# = x\n") + "for y in x { log y }") }, "action `A` has more than 65536 variables", ""},
		{"constants", wide, func(n int) string { return inAction(times(n-1, "log \"t#\"\n")) }, "action `A` has more than 65536 different texts and numbers", ""},
		{"fields", wide, func(n int) string { return inAction(times(n, "log x.f\n")) }, "action `A` reads fields at more than 65536 places", "x.f"},
		{"fields of a pattern", wide - 2, func(n int) string {
			return inAction("match x { { " + times(n, "f#: _, ") + "} -> skip, _ -> skip }")
		}, "action `A` has more than 65536 variables", "f#: _"},
		{"elements of an array", 4096, func(n int) string { return inAction("log [" + times(n, "x,") + "]") }, "more than 4096 values at once", "x"},
		{"fields of an object", 4096, func(n int) string { return inAction("map x -> R {" + times(n, "f#: .g, ") + "}") }, "more than 4096 values at once", ""},
		{"parts of a template", 4096, func(n int) string { return inAction("log `" + times(n, "{x}") + "`") }, "more than 4096 values at once", "x"},
		{"parts of a path", 4096, func(n int) string { return inAction("get \"" + times(n, "{x}") + "\"") }, "more than 4096 values at once", ""},
		{"values of nested calls", 4096, func(n int) string {
			return inAction("log " + times(17, "concat("+times(239, "x,")) + "concat(" + times(n-17*239, "x,") + ")" + times(17, ")"))
		}, "more than 4096 values at once", "x"},
		{"arguments", 255, func(n int) string { return inAction("log concat(" + times(n, "x,") + ")") }, "more than 255 arguments", ""},
		{"objects of different keys", wide, func(n int) string { return inActions(n, "log \"x\" { k#: x }") }, "mission `M` has objects of more than 65536 different lists of keys", ""},
		{"regular expressions", wide, func(n int) string { return inActions(n, "log x matches \"r#\"") }, "mission `M` has more than 65536 different regular expressions", ""},
		{"types", wide - 2, func(n int) string { // two more are `any` and `string`
			schemas := times(n, "schema S# { f: string }\n")
			return strings.Replace(inActions(n, "log x is S#"), "mission M {", "mission M {\n"+schemas, 1)
		}, "mission `M` has more than 65536 types", "x is S#"},
		{"transforms", wide, func(n int) string {
			return "mission M {\n" + times(n, "transform T# -> X { id: .id }\n") + fmt.Sprintf("action A { apply T%d to { a: 1 } }\n}\n", n-1)
		}, "mission `M` has more than 65536 transforms", "T#"},
		{"actions", wide, func(n int) string { return "mission M {\n" + times(n, "action A# { log \"x\" }\n") + "}\n" }, "mission `M` has more than 65536 actions", "A#"},
		{"brackets", wide, func(n int) string {
			return "mission M {\naction A { log \"x\" }\naction B { log \"x\" }\nrun A" + times(n, " then [A, B]") + "\n}\n"
		}, "mission `M` has more than 65536 brackets", "[A, B]"},
		{"params", wide, func(n int) string {
			return "mission M {\n" + times(n, "param p#: any = null\n") + fmt.Sprintf("action A { log p%d }\n}\n", n-1)
		}, "mission `M` has more than 65536 params", "p#"},
		{"requests of a mission", wide, func(n int) string { return inActions(n, "get \"/\"") }, "mission `M` has more than 65536 requests", `get "/"`},
		{"stores", wide, func(n int) string {
			return "mission M {\n" + times(n, "store s#: memory\n") + fmt.Sprintf("action A { clear s%d }\n}\n", n-1)
		}, "mission `M` has more than 65536 stores", "clear s#"},
		{"stores that are implied", wide, func(n int) string { return inActions(n, "store { id: x } -> s#") }, "mission `M` has more than 65536 stores", "store { id: x } -> s#"},
		{"loops", wide, func(n int) string { return inActions(n, "for y in [] { log y }") }, "mission `M` has more than 65536 loops", ""},
		{"elements before a rest", 1<<15 - 1, func(n int) string {
			return inAction("match x { [" + times(n, "_, ") + "...rest] -> log rest, _ -> skip }")
		}, "more than 32767 elements before its rest", ""},
		{"alternatives of a union", 1<<14 - 1, func(n int) string {
			return "mission M {\nparam p: " + strings.TrimSuffix(times(n, "\"v#\" | "), " | ") + " = \"v0\"\naction A { log p }\n}\n"
		}, "more than 16384 types", ""},
		{"names in the path of the items", 1001, func(n int) string {
			return inAction("get \"/\" { paginate: page(p, 10, \"a" + times(n-1, ".a") + "\") }")
		}, "more than 1001 names", ""},
		{"names in the path of a cursor", 1001, func(n int) string {
			return inAction("get \"/\" { paginate: cursor(c, 10, \"a" + times(n-1, ".a") + "\") }")
		}, "more than 1001 names", ""},
		{"actions one inside of the other", 10_001, func(n int) string { return nestedActions(n, "") }, "is run by more than 10000 others", "A#"},
		{"memory of actions one inside of the other", 7, func(n int) string { return nestedActions(n, times(1024, "get \"/\"\n")) }, "more than 262144 values in all", "A0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := compileText(t, tt.source(tt.most))
			if errs, _ := diag.Count(r.Diagnostics); errs > 0 || len(r.Errors) > 0 {
				t.Fatalf("at the limit: %v\n%s", r.Errors, firstError(r))
			}
			if _, err := bytecode.Decode(bytecode.Encode(r.Missions[0].Program)); err != nil {
				t.Fatalf("at the limit: the artifact can't be read: %v", err)
			}
			beyond(t, tt.source(tt.most+1), tt.says, strings.ReplaceAll(tt.at, "#", fmt.Sprint(tt.most)))
		})
	}
}

// beyond compiles what is too large.
func beyond(t *testing.T, src, says, at string) {
	t.Helper()
	r := compileText(t, src)
	if len(r.Errors) > 0 {
		t.Fatalf("beyond the limit: %v", r.Errors)
	}
	errs := 0
	for _, d := range r.Diagnostics {
		if d.Severity != diag.Error {
			continue
		}
		errs++
		if d.Code != diag.CodeTooLarge || !strings.Contains(d.Message, says) || d.Suggestion == "" || !d.Span.IsValid() {
			t.Errorf("beyond the limit: %s", firstError(r))
		} else if at != "" && d.Span.Text() != at {
			t.Errorf("points at %.80q, not at %q", d.Span.Text(), at)
		}
	}
	if errs != 1 || r.Missions[0].Program != nil {
		t.Errorf("beyond the limit: %d errors, program %v", errs, r.Missions[0].Program != nil)
	}
}

func firstError(r *compiler.Result) string {
	for _, d := range r.Diagnostics {
		if d.Severity == diag.Error {
			return fmt.Sprintf("%s %v: %s; %s", d.Code, d.Span.Position(), d.Message, d.Suggestion)
		}
	}
	return "no error"
}

// TestLimitOfCode is TestLimits for the size of a function's code, of which the
// source is small beside it: each condition stands four times in the code.
func TestLimitOfCode(t *testing.T) {
	rules := func(n int) string {
		return inAction("validate x {\n" + times(n, "assume min(x, ["+times(4000, "any(x,.),")+"]) is number\n") + "}")
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	beyond(t, rules(100), "action `A` has more than 64 MiB of code", "")
}

// TestLargeMissions compiles what is large and goes beyond no limit.
func TestLargeMissions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long, in one task")
	}
	const n = 70_000
	nest := func(levels int, open, middle, end string) string {
		return strings.Repeat(open, levels) + middle + strings.Repeat(end, levels)
	}
	for name, src := range map[string]string{
		"sources":         "mission M {\n" + times(n, "source S# { auth: none, base: \"http://x\", headers: { a: env(\"A\") } }\n") + "action A { get S0 \"/\" }\n}\n",
		"fields":          "mission M {\nschema S {\n" + times(n, "f#: \"v#\"\n") + "}\naction A { log env(\"X\") is S }\n}\n",
		"stages":          "mission M {\naction A { log \"x\" }\nrun A" + times(n, " then A") + "\n}\n",
		"arms":            inAction("match x {\n" + times(60_000, "# -> log \"x\"\n") + "_ -> skip\n}"),
		"ifs":             inAction(times(n, "if x { let y = x log y }\n")),
		"elements":        inAction("log [" + times(n, "#,") + "]"),
		"spreads":         inAction("log [...x," + times(n, "x,") + "]"),
		"options":         inAction("get \"/\" { params: {" + times(n, "p#: #,") + "} }"),
		"rules":           inAction("validate x {\n" + times(60_000, "warn .a == # : \"x\"\n") + "}"),
		"a type's levels": "mission M {\nparam p: " + nest(499, "[", "\"a\" | \"b\"", " | null]") + " = []\naction A { log p }\n}\n",
		"types in types":  "mission M {\nparam p: " + nest(240, "array<array<", "string", " | null> | null>") + " = []\naction A { log p }\n}\n",
		"objects' levels": "mission M {\nschema S { f: " + nest(249, "{ a: [", "string", " | null] }") + " }\naction A { log env(\"X\") is S }\n}\n",
		"constants":       inAction("log " + nest(490, "[", "1", "]")),
		"option levels":   inAction("get \"/\" { body: " + nest(490, "{ a: ", "1", "}") + " }"),
		"a path of names": inAction("get \"/\" { paginate: page(p, 1) }\nfor y in response" + times(490, ".a") + " { log y }"),
		"large floats":    inAction("log 1e308 * 10\nlog -1e308 - 1e308\nlog 1e-999 * 1e-999\nlog 5e-324 / 10"),
		"large durations": inAction("log 99999999999999999999w * 1" + strings.Repeat("0", 300) + "\nlog 1" + strings.Repeat("0", 300) + "w"),
		"a long text":     inAction("log \"" + strings.Repeat("x", 1<<20) + "\""),
		"a long name":     inAction("let " + strings.Repeat("y", 1<<20) + " = 1"),
		"a long schedule": "mission M {\nschedule: every 36525 days\naction A { log \"x\" }\n}\n",
		"circle of types": "mission M {\nschema A { b: [B]?, c: A | null }\nschema B { a: A | B | null }\naction X { log env(\"X\") is A }\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := compileText(t, src)
			if len(r.Errors) > 0 {
				t.Fatal(r.Errors)
			}
			if r.Failed() {
				t.Fatal(firstError(r))
			}
			if _, err := bytecode.Decode(bytecode.Encode(r.Missions[0].Program)); err != nil {
				t.Fatalf("the artifact can't be read: %v", err)
			}
		})
	}
}
