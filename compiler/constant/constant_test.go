package constant

import (
	"testing"

	"reqon/compiler/syntax"
	"reqon/vm/value"
)

// What is constant, and its value as JSON, from sections 2 to 4 of the language
// definition; "" is for what is none.
func TestValue(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"null", "null"},
		{"true", "true"},
		{`"a"`, `"a"`},
		{"1.10", "1.10"},
		{"-1.10", "-1.10"}, // a literal keeps its digits with its sign
		{"- -1.10", "1.1"},
		{"30s", "30000"},
		{"2h", "7200000"},
		{"500ms", "500"},
		{"1w", "604800000"},
		{"(1 + 2) * 3", "9"},
		{"7 % 4", "3"},
		{`"a" + "b"`, `"ab"`},
		{"1 / 0", ""}, // an error is told where it happens
		{`-"a"`, ""},
		{"not null", "true"},
		{"1 < 2", "true"},
		{"2 <= 1", "false"},
		{`"b" > "a"`, "true"},
		{"null >= 1", "false"}, // null has no order
		{`1 < "a"`, ""},        // nor have values of different kinds
		{"1 == 1.0", "true"},
		{`1 != "1"`, "true"},
		{`null or "x"`, `"x"`},
		{`0 or x`, ""},
		{`"" and x`, `""`}, // whatever x is
		{`1 or x`, "1"},
		{"[1, [2], 30s]", "[1,[2],30000]"},
		{"[1, x]", ""},
		{"[1, ...[2]]", ""},
		{`{ a: 1, b: { c: "d" } }`, `{"a":1,"b":{"c":"d"}}`},
		{"{ a: 1, a: 2 }", ""},
		{"{}", ""},
		{"x", ""},
		{"now()", ""},
		{".a", ""},
		{"`a`", `"a"`},
		{"`a${1}`", ""},
	} {
		e, errs := syntax.ParseExpr(syntax.NewFile("t.reqon", []byte(c.src)))
		if len(errs) > 0 {
			t.Errorf("%s: %v", c.src, errs[0])
			continue
		}
		v, ok := Value(e)
		got := ""
		if ok {
			got = string(value.AppendJSON(nil, v))
		}
		if got != c.want {
			t.Errorf("%s is %q, want %q", c.src, got, c.want)
		}
	}
}
