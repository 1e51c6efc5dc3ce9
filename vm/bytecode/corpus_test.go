package bytecode_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"reqon/compiler/check"
	"reqon/compiler/codegen"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
)

// named is a program and where it is from.
type named struct {
	name string
	prog *bytecode.Program
}

// corpus compiles the programs of testdata/lang/run that compile one file at
// a time.
var corpus = sync.OnceValue(func() (list []named) {
	files, err := filepath.Glob("../../testdata/lang/run/*.txtar")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		for _, f := range txtar.Parse(data).Files {
			if !strings.HasSuffix(f.Name, ".reqon") {
				continue
			}
			if p, err := compile(f.Name, f.Data); err == nil {
				list = append(list, named{filepath.Base(file) + "/" + f.Name, p})
			}
		}
	}
	if len(list) < 200 {
		panic("the programs are gone")
	}
	return list
})

// compile compiles a file of one mission.
func compile(name string, data []byte) (*bytecode.Program, error) {
	tree, errs := syntax.Parse(syntax.NewFile(name, data))
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if len(tree.Missions) != 1 {
		return nil, fmt.Errorf("%d missions", len(tree.Missions))
	}
	for _, d := range check.Mission(tree.Missions[0], nil) {
		if d.Severity == diag.Error {
			return nil, fmt.Errorf("%d: %s (%s)", d.Span.Position().Line, d.Message, d.Suggestion)
		}
	}
	return codegen.Generate(tree.Missions[0], nil)
}

// mustCompile is compile of a source that has no mistake.
func mustCompile(t *testing.T, source string) *bytecode.Program {
	t.Helper()
	p, err := compile("test.reqon", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
