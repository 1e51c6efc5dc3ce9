package compiler_test

import (
	"testing"

	"reqon/compiler/diag"
)

// TestLongChains: a chain of declarations that name each other is no chain of
// calls, which would end the process when it is long enough.
func TestLongChains(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n = 150_000
	for _, tt := range []struct{ name, src, code string }{
		{"fields", inMission(chain(n, "schema S# { a: S#+? }\n", "schema S# { a: int }\n") + "action F { log env(\"X\") is S0 }"), ""},
		{"sums", inMission(chain(n, "schema S# { a#: int, ...S#+ }\n", "schema S# { a: int }\n") + "action F { log env(\"X\") is S0 }"), diag.CodeTooLarge},
		{"circles", inMission(chain(n, "schema S# { ...S#+, ...S0 }\n", "schema S# { ...S0 }\n") + "action F { log env(\"X\") is S0 }"), diag.CodeSchemaCycle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := compileText(t, tt.src)
			code := ""
			for _, d := range r.Diagnostics {
				if d.Severity == diag.Error {
					code = d.Code
					break
				}
			}
			if code != tt.code || len(r.Errors) > 0 {
				t.Errorf("%s, %v", firstError(r), r.Errors)
			}
		})
	}
}
