package compiler_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reqon/compiler/check"
	"reqon/compiler/codegen"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
)

// FuzzGenerate: a mission that the checker finds nothing wrong with becomes
// a program, whose artifact can be read, or is told to be too large.
func FuzzGenerate(f *testing.F) {
	for _, pattern := range []string{"../testdata/lang/check/*.reqon", "../testdata/lang/run/*.txtar"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for part := range strings.SplitSeq(string(src), "\n-- ") {
				if i := strings.Index(part, "mission "); i >= 0 {
					f.Add(part[i:])
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		tree, errs := syntax.Parse(syntax.NewFile("m.reqon", []byte(src)))
		if len(errs) > 0 {
			return
		}
		for _, m := range tree.Missions {
			if errs, _ := diag.Count(check.Mission(m, nil)); errs > 0 {
				continue
			}
			p, err := codegen.Generate(m, nil)
			var large *codegen.LimitError
			if errors.As(err, &large) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bytecode.Decode(bytecode.Encode(p)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
