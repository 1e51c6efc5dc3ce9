package codegen_test

import (
	"path/filepath"
	"strings"
	"testing"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/testdata/lang/run/script"
)

// TestProgramsCompile holds the compiler against the programs of
// testdata/lang/run: those that are to run compile without an error, those with
// a mistake that can be seen without running are refused, with what they ask of
// the diagnostics.
func TestProgramsCompile(t *testing.T) {
	files, err := filepath.Glob("../../testdata/lang/run/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			p, err := script.Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			text, failed := compileProgram(t, p)
			if failed != (p.Status == script.CompileError) {
				t.Fatalf("does not compile: %t, want.status: %s\n%s", failed, p.Status, text)
			}
			if !failed {
				return
			}
			for _, want := range p.WantErrors {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
		})
	}
}

// compileProgram compiles a program, and returns the diagnostics and whether
// there is an error among them.
func compileProgram(t *testing.T, p *script.Program) (text string, failed bool) {
	path, err := p.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	result, err := compiler.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := diag.Text(&b, result.Diagnostics, diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, err := range result.Errors {
		b.WriteString(err.Error() + "\n")
	}
	return b.String(), result.Failed()
}
