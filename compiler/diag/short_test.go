package diag

import (
	"strings"
	"testing"

	"reqon/compiler/syntax"
)

// A name of megabytes is cut, in whatever text it stands; what is around it stays.
func TestLongNamesAreCut(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"the mission `M` has no actions", "the mission `M` has no actions"},
		{"the mission `" + strings.Repeat("M", 5<<20) + "` has no actions", "the mission `" + strings.Repeat("M", 159) + "…` has no actions"},
		{"found " + strings.Repeat("é", 1000), "found " + strings.Repeat("é", 80) + "…"},
		{strings.Repeat("word ", 1000), strings.Repeat("word ", 1000)},
		{"did you mean `" + strings.Repeat("a", 1000) + "`?", "did you mean `" + strings.Repeat("a", 159) + "…`?"},
	} {
		if got := New(CodeNoAction, syntax.Span{}, c.text).Message; got != c.want {
			t.Errorf("%.40s…: %d bytes, %.300s", c.text, len(got), got)
		}
		d := FromSyntax(&syntax.Error{Code: "RQ0101", Msg: c.text, Suggestion: c.text})
		if d.Message != c.want || d.Suggestion != c.want {
			t.Errorf("of a syntax error: %.300s", d.Message)
		}
	}
}
