package examples

import (
	"testing"

	"reqon/compiler"
)

func TestNoDiagnostics(t *testing.T) {
	r, err := compiler.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Errors {
		t.Error(e)
	}
	for _, d := range r.Diagnostics {
		p := d.Span.Position()
		t.Errorf("%s:%d:%d: %s %s: %s (%s)", p.File, p.Line, p.Column, d.Severity, d.Code, d.Message, d.Suggestion)
	}
}
