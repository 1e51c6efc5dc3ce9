package check

import (
	"testing"

	"reqon/compiler/syntax"
)

func parseExpr(t *testing.T, src string) syntax.Expr {
	t.Helper()
	e, errs := syntax.ParseExpr(syntax.NewFile("expr", []byte(src)))
	if len(errs) > 0 {
		t.Fatalf("%s: %v", src, errs[0])
	}
	return e
}

func TestWord(t *testing.T) {
	for src, want := range map[string]string{
		"bearer": "bearer", `"bearer"`: "bearer", "fail-fast": "fail-fast", `'best-effort'`: "best-effort",
		"fail - fast": "", "1": "", "a.b": "", "a-b-c": "", "a-1": "",
	} {
		word, ok := Word(parseExpr(t, src))
		if ok != (want != "") || word != want {
			t.Errorf("%s: %q, %v", src, word, ok)
		}
	}
}

func TestConstant(t *testing.T) {
	for src, want := range map[string]bool{
		"1": true, "-1": true, "30s": true, `"a"`: true, "true": true, "null": true, "2 * 30s + 1": true, "(1)": true, "`a`": true,
		"[1, 2]": true, "{ a: 1, b: [2] }": true, "a": false, "`{a}`": false, "[a]": false, "[...[1]]": false, "{ ...o }": false,
		"{ a: b }": false, "now()": false, "1 + a": false, "1 < 2": false, ".": false,
	} {
		if got := Constant(parseExpr(t, src)); got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
}

func TestReadPagination(t *testing.T) {
	for _, c := range []struct{ src, form, param, size, next, items string }{
		{`page(p, 100)`, "page", "p", "100", "", ""},
		{`page("page[number]", 100, "data")`, "page", "page[number]", "100", "", `"data"`},
		{`(offset(skip, size))`, "offset", "skip", "size", "", ""},
		{`cursor(c, 10, "next")`, "cursor", "c", "10", `"next"`, ""},
		{`cursor(c, 10, "next", "items")`, "cursor", "c", "10", `"next"`, `"items"`},
		{`link()`, "link", "", "", "", ""},
		{`link("items")`, "link", "", "", "", `"items"`},
		{`page(p)`, "", "", "", "", ""},
		{`page(1, 100)`, "", "", "", "", ""},
		{`page("", 100)`, "", "", "", "", ""},
		{`cursor(c, 10)`, "", "", "", "", ""},
		{`link`, "", "", "", "", ""},
		{`pages(p, 1)`, "", "", "", "", ""},
		{`p | page(100)`, "", "", "", "", ""},
	} {
		text := func(e syntax.Expr) string {
			if e == nil {
				return ""
			}
			return e.Place().Text()
		}
		p, ok := ReadPagination(parseExpr(t, c.src))
		if ok != (c.form != "") {
			t.Errorf("%s: %v", c.src, ok)
		}
		if ok && (p.Form != c.form || p.Param != c.param || text(p.Size) != c.size || text(p.Next) != c.next || text(p.Items) != c.items) {
			t.Errorf("%s: %+v", c.src, p)
		}
	}
}
