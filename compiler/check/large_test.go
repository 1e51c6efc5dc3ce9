package check

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// TestManyMistakesAreLinear checks missions with thousands of mistakes, each of
// a kind for which names are compared or listed. The memory that the check
// allocates, which doesn't depend on how busy the machine is, must grow as the
// mission does.
func TestManyMistakesAreLinear(t *testing.T) {
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	for name, source := range map[string]func(n int) string{
		"names":  func(n int) string { return repeat(n, "action A# { let x# = undefinedname# }\n") },
		"locals": func(n int) string { return "action A {\n" + repeat(n, "let x# = undefinedname#\n") + "}" },
		"stores": func(n int) string {
			return repeat(n, "store st#: memory\n") + "action A {\n" + repeat(n, "clear other#\n") + "}"
		},
		"actions": func(n int) string { return repeat(n, "action Abc# { }\n") + "run Abd0" + repeat(n, " then Abd#") },
		"sources": func(n int) string {
			return repeat(n, "source Sa# { auth: none, base: \"http://x\" }\n") + "action A {\n" + repeat(n, "get Zz# \"/x\"\n") + "}"
		},
		"transforms": func(n int) string {
			return repeat(n, "transform Tr# -> X { id: .id }\n") + "action A {\n" + repeat(n, "apply Tq# to { a: 1 }\n") + "}"
		},
		"schemas": func(n int) string {
			return repeat(n, "schema Sc# { id: string }\n") + "action A {\n" + repeat(n, "let x# = 1 is Sd#\n") + "}"
		},
		"fields": func(n int) string {
			return "action A {\nlet o = {\n" + repeat(n, "f#: 1\n") + "}\n" + repeat(n, "let x# = o.g#\n") + "}"
		},
		"extra": func(n int) string {
			return "schema S {\n" + repeat(n, "field#: number?\n") + "}\naction A {\nmap 1 -> S {\n" + repeat(n, "feild#: 1\n") + "} }"
		},
		"missing": func(n int) string {
			return "schema S {\n" + repeat(n, "f#: number\n") + "}\naction A {\nmap 1 -> S {\n" + repeat(n, "g#: 1\n") + "} }"
		},
		"circle": func(n int) string { return repeat(n, "action A# { run A# }\n") },
	} {
		bytes := func(n int) int64 {
			tree, errs := syntax.Parse(syntax.NewFile("m.reqon", []byte("mission M {\n"+source(n)+"\n}")))
			if len(errs) > 0 {
				t.Fatalf("%s: %s", name, errs[0].Msg)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			ds := Mission(tree.Missions[0], nil)
			runtime.ReadMemStats(&after)
			if len(ds) == 0 {
				t.Fatalf("%s: nothing was found", name)
			}
			return int64(after.TotalAlloc - before.TotalAlloc)
		}
		// Up to the bound of what is compared, small ones may do more for each.
		const small = 4000
		a, b := bytes(small), bytes(4*small)
		if b > 6*a {
			t.Errorf("%s: %d bytes for %d, %d for %d", name, a, small, b, 4*small)
		}
	}
}

// A message lists no more names than a reader can use.
func TestLongListsAreCut(t *testing.T) {
	var b strings.Builder
	b.WriteString("mission M {\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "source Source%d { auth: none, base: \"http://x\" }\n", i)
	}
	b.WriteString("action A { get Zzz \"/x\" } }")
	tree, errs := syntax.Parse(syntax.NewFile("m.reqon", []byte(b.String())))
	if len(errs) > 0 {
		t.Fatal(errs[0].Msg)
	}
	for _, d := range Mission(tree.Missions[0], nil) {
		if d.Code == diag.CodeUnknownSource && !strings.HasSuffix(d.Notes[0].Message, "Source18, Source19 and 980 more") {
			t.Errorf("the note is %q", d.Notes[0].Message)
		}
	}
}
