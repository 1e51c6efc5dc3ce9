package check

import (
	"strings"
	"testing"

	"reqon/compiler/diag"
)

// One mistake of syntax sets off nothing else, whatever the parser had to leave
// out.
func TestPartial(t *testing.T) {
	for name, src := range map[string]string{
		"variable":   "action A { let x = \n get \"/x\" log \"a\" { x: x } store response -> s }",
		"call":       "action A { let total = sum(items, .price \n get \"/x\" log \"a\" { x: total } store response -> s }",
		"store":      "store t memory\n action A { get \"/x\" store response -> s for x in t { delete t[x.id] } }",
		"schema":     "schema Order { id: , total: number }\n transform T: Order -> Row { id: .id }\n action A { get \"/x\" apply T to response store response -> s }",
		"request":    "action A { get \"/x\" { params { a: 1 } } match response { 404 -> retry, _ -> continue } store response -> s }",
		"action":     "action A { get \"/x\" store response -> s }\n action { log \"x\" }\n action C { run B }\n run A then C",
		"only one":   "action { get \"/x\" store response -> s }",
		"loop":       "action A { get \"/x\" for in response { store response -> s } }",
		"no default": "action A { get \"/x\" log \"x\" { a: match response { 1 => 2, => 3 } } store response -> s }",
	} {
		t.Run(name, func(t *testing.T) {
			ds := checkSource("partial.reqon", "mission M {\n source API { base: \"https://api.example.com\" }\n store s: memory\n "+src+"\n}\n")
			syntax := 0
			for _, d := range ds {
				if d.Stage == diag.StageSyntax {
					syntax++
				} else {
					t.Error(render(d))
				}
			}
			if syntax == 0 {
				t.Error("no error of syntax")
			}
		})
	}
}

// What a mission says by itself is told beside errors of syntax.
func TestPartialTells(t *testing.T) {
	ds := checkSource("partial.reqon", "mission M {\n source API { base: \"api.example.com\", tokn: 1 }\n action A { let x = \n log upper(\"a\") { b: 1 / 0 } }\n}\n")
	var codes []string
	for _, d := range ds {
		codes = append(codes, d.Code)
	}
	for _, want := range []string{diag.CodeBadURL, diag.CodeUnknownOption, diag.CodeUnknownFunction, diag.CodeDivisionByZero} {
		if !strings.Contains(strings.Join(codes, " "), want) {
			t.Errorf("no %s among %v", want, codes)
		}
	}
}
