package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// TestCorpus holds the checker against the programs written from the
// definition: one that runs must have no errors, one that is a compile error
// must have one.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../../testdata/lang/run/*.txtar")
	if err != nil || len(files) == 0 {
		t.Skip("no programs in testdata/lang/run")
	}
	for _, name := range files {
		if strings.Contains(name, "two_missions_of_one_name") {
			continue // found by the loader
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			status := "success"
			var ds []diag.Diagnostic
			var trees []*syntax.SourceTree
			sections := txtar(string(data))
			for _, s := range sections {
				if s.name == "want.status" {
					status = strings.TrimSpace(s.body)
				}
			}
			for _, s := range sections {
				if ext := filepath.Ext(s.name); ext != ".reqon" && ext != ".vague" {
					continue
				}
				tree, errs := syntax.Parse(syntax.NewFile(s.name, []byte(s.body)))
				for _, e := range errs {
					ds = append(ds, diag.FromSyntax(e))
				}
				trees = append(trees, tree)
			}
			if len(ds) == 0 {
				for _, tree := range trees {
					loose := looseOf(tree, trees)
					for _, m := range tree.Missions {
						ds = append(ds, Mission(m, loose)...)
					}
				}
			}
			var text strings.Builder
			if err := diag.Text(&text, ds, diag.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			errors, _ := diag.Count(ds)
			switch {
			case status != "compile-error" && errors > 0:
				t.Errorf("errors in a program that is right:\n%s", text.String())
			case status == "compile-error" && errors == 0 && len(trees) == 1:
				t.Errorf("no error in a program that has one:\n%s", text.String())
			default:
				t.Logf("\n%s", text.String())
			}
		})
	}
}

// looseOf returns the declarations that belong to the missions of a file: those
// of the files below it, if it is the head of a mission folder.
func looseOf(head *syntax.SourceTree, trees []*syntax.SourceTree) (loose []syntax.Decl) {
	if filepath.Base(head.File.Name) != "mission.reqon" {
		return nil
	}
	for _, tree := range trees {
		if filepath.Dir(head.File.Name) == "." || strings.HasPrefix(tree.File.Name, filepath.Dir(head.File.Name)+"/") {
			loose = append(loose, tree.Loose...)
		}
	}
	return loose
}

type section struct{ name, body string }

// txtar splits the text of an archive of the form of golang.org/x/tools/txtar.
func txtar(text string) (sections []section) {
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(name, " --") {
			sections = append(sections, section{name: strings.TrimSuffix(name, " --")})
			continue
		}
		if len(sections) > 0 {
			sections[len(sections)-1].body += line
		}
	}
	return sections
}

// TestTables holds the checker against the tables of expressions: one that has
// a value must have no error. What is known of `o`, `xs` and `orders` is
// nothing, as for what a server sends.
func TestTables(t *testing.T) {
	files, err := filepath.Glob("../../testdata/lang/expr/*.txt")
	if err != nil || len(files) == 0 {
		t.Skip("no tables in testdata/lang/expr")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			expr, want, ok := cutLast(strings.TrimSpace(line), " => ")
			if !ok || strings.HasPrefix(line, "#") {
				continue
			}
			src := "mission M {\n  action A {\n    let o = parseJSON(env(\"O\")) let xs = o let orders = o\n    log `{o}{xs}{orders}`\n" +
				"    for it in o {\n      log \"x\" { v: " + expr + "\n }\n    }\n  }\n}\n"
			ds := checkSource(filepath.Base(name), src)
			errors, _ := diag.Count(ds)
			if mustFail := strings.HasPrefix(want, "error "); errors > 0 && !mustFail {
				t.Errorf("%s: %s\n%s", filepath.Base(name), expr, render(ds[0]))
			} else if errors == 0 && mustFail && testing.Verbose() {
				t.Logf("%s: not seen at compile time: %s", filepath.Base(name), strings.TrimSpace(line))
			}
		}
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
