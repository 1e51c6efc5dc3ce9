package syntax

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse holds that no input makes the parser panic or hang, that errors
// and nodes lie within the file, and that what is read without errors can be
// written and read again to an equal tree.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	for _, c := range errorCases() {
		src, _, _ := c.source()
		f.Add([]byte(src))
	}
	paths, err := filepath.Glob("../../testdata/lang/run/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, mission := range missionsIn(string(src)) {
			f.Add([]byte(mission))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file := NewFile("fuzz.reqon", src)
		tree, errs := Parse(file)
		checkPlaces(t, file, tree, errs)
		if len(errs) == 0 {
			checkPrinted(t, tree)
		}
	})
}

// FuzzParseExpr is FuzzParse for a lone expression.
func FuzzParseExpr(f *testing.F) {
	for _, c := range precedenceCases() {
		f.Add([]byte(c.src))
	}
	f.Add([]byte("`" + strings.Repeat("\x01", 60)))
	f.Fuzz(func(t *testing.T, src []byte) {
		x, errs := ParseExpr(NewFile("fuzz.reqon", src))
		if len(errs) > 0 {
			return
		}
		text := ExprString(x)
		again, errs := ParseExpr(NewFile("printed.reqon", []byte(text)))
		if len(errs) > 0 {
			t.Fatalf("printed expression %q has an error: %v", text, errs[0])
		}
		if !Equal(x, again) {
			t.Fatalf("%q was printed as %q and read as %q", src, text, ExprString(again))
		}
	})
}
