package syntax

import (
	"strings"
	"testing"
)

// parse reads a source that must have no errors.
func parse(t *testing.T, src string) *SourceTree {
	t.Helper()
	tree, errs := Parse(NewFile("t.reqon", []byte(src)))
	for _, e := range errs {
		t.Errorf("%v (%s)", e, e.Suggestion)
	}
	return tree
}

// parseExpr reads an expression that must have no errors.
func parseExpr(t *testing.T, src string) Expr {
	t.Helper()
	x, errs := ParseExpr(NewFile("e", []byte(src)))
	for _, e := range errs {
		t.Errorf("%s: %v (%s)", src, e, e.Suggestion)
	}
	return x
}

// parseSteps reads the steps of an action.
func parseSteps(t *testing.T, steps string) []Step {
	t.Helper()
	tree := parse(t, "action A {\n"+steps+"\n}")
	if len(tree.Loose) != 1 {
		t.Fatalf("no action was read from %q", steps)
	}
	return tree.Loose[0].(*Action).Body.Steps
}

// checkPrinted holds that a tree read without errors can be written and read
// again.
func checkPrinted(t *testing.T, tree *SourceTree) {
	t.Helper()
	text := Print(tree)
	again, errs := Parse(NewFile("printed.reqon", []byte(text)))
	if len(errs) > 0 {
		t.Fatalf("the printed tree has an error: %v\n%s", errs[0], text)
	}
	if !Equal(tree, again) {
		t.Fatalf("the printed tree differs:\n%s\n---\n%s", text, Print(again))
	}
}

// checkPlaces holds that errors and nodes lie within the file, and nodes
// within the ones they belong to.
func checkPlaces(t *testing.T, file *File, tree *SourceTree, errs []*Error) {
	t.Helper()
	inside := func(what string, s Span) {
		if s.File != file || s.Start < 0 || s.End < s.Start || int(s.End) > len(file.Src) {
			t.Fatalf("%s has the place %d-%d of a file of %d bytes", what, s.Start, s.End, len(file.Src))
		}
	}
	for _, e := range errs {
		inside(e.Msg, e.Span)
		for _, n := range e.Notes {
			inside(n.Msg, n.Span)
		}
		if e.Code == "" || e.Msg == "" {
			t.Fatalf("an error without code or message: %+v", e)
		}
	}
	Walk(tree, func(n Node) bool {
		inside("a node", n.Place())
		return true
	})
}

// missionsIn returns the .reqon files of a txtar archive.
func missionsIn(archive string) []string {
	var out []string
	for _, part := range strings.Split("\n"+archive, "\n-- ")[1:] {
		name, text, _ := strings.Cut(part, " --\n")
		if strings.HasSuffix(name, ".reqon") {
			out = append(out, text)
		}
	}
	return out
}
