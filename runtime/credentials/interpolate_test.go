package credentials

import (
	"strings"
	"testing"
)

func TestInterpolate(t *testing.T) {
	env := environ("A", "1", "B_2", "two", "EMPTY", "", "DOLLAR", "$A")
	tests := []struct{ in, want, err string }{
		{"", "", ""},
		{"plain", "plain", ""},
		{"$A", "1", ""},
		{"${A}", "1", ""},
		{"x$A.y", "x1.y", ""},
		{"${A}${B_2}", "1two", ""},
		{"$B_2-", "two-", ""},
		{"${NO:-d}", "d", ""},
		{"${A:-d}", "1", ""},
		{"${EMPTY:-d}", "d", ""},
		{"${EMPTY}", "", ""},
		{"$EMPTY", "", ""},
		{"${NO:-}", "", ""},
		{"${NO:-${A}}", "1", ""},
		{"${NO:-a${NO:-b}c}d", "abcd", ""},
		{"${NO:-{}}", "{}", ""}, // the default is {, and a } follows
		{"$DOLLAR", "$A", ""},   // what comes out is not looked at again
		{"${_:-$}A", "$A", ""},
		{"$", "$", ""},
		{"5$", "5$", ""},
		{"$5", "$5", ""},
		{"a$ b", "a$ b", ""},
		{"$$", "$$", ""},
		{"$NO", "", "NO is not set"},
		{"${NO}", "", "NO is not set"},
		{"$é", "$é", ""},
		{"${A", "", "no closing }"},
		{"${}", "", "no name follows"},
		{"${1}", "", "no name follows"},
		{"${A-x}", "", "expected } or :-"},
		{"${A:x}", "", "expected } or :-"},
		{strings.Repeat("${N:-", 30) + strings.Repeat("}", 30), "", "nested deeper"},
	}
	for _, tt := range tests {
		got, err := interpolate(tt.in, env)
		if tt.err == "" && (err != nil || got != tt.want) {
			t.Errorf("%q: got %q, %v, want %q", tt.in, got, err, tt.want)
		}
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%q: got %q, %v, want error %q", tt.in, got, err, tt.err)
		}
	}
}

// Text without a dollar sign stays as it is, whatever it is; no input panics;
// an error shows nothing but names.
func FuzzInterpolate(f *testing.F) {
	for _, s := range []string{"", "$A", "${A}", "${A:-b}", "${A:-${B:-c}}", "${", "$$", "a$1", "${A:-{}}"} {
		f.Add(s)
	}
	env := environ("A", "1")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := interpolate(s, env)
		if !strings.Contains(s, "$") && (err != nil || got != s) {
			t.Errorf("%q became %q, %v", s, got, err)
		}
		if _, err := interpolate("${X:-hush hush"+s, env); err != nil && strings.Contains(err.Error(), "hush hush") {
			t.Errorf("%v shows a default", err)
		}
	})
}
