package format

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"reqon/compiler/syntax"
)

// corpus returns every source below the testdata of the repository that has no
// syntax errors, by a name that says where it is.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir("../../testdata", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".reqon", ".vague":
			all[path] = data
		case ".txtar":
			for _, f := range txtar.Parse(data).Files {
				if ext := filepath.Ext(f.Name); ext == ".reqon" || ext == ".vague" {
					all[path+"/"+f.Name] = f.Data
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range all {
		if _, errs := syntax.Parse(syntax.NewFile(name, src)); len(errs) > 0 {
			delete(all, name)
		}
	}
	if len(all) < 300 {
		t.Fatalf("found only %d sources in testdata", len(all))
	}
	return all
}

// check holds what is true of the layout of any source, for lines of several
// widths.
func check(t *testing.T, src []byte) {
	t.Helper()
	for _, columns := range []int{width, 40, 10} {
		checkWidth(t, src, columns)
	}
}

func checkWidth(t *testing.T, src []byte, columns int) {
	t.Helper()
	tree, errs := syntax.Parse(syntax.NewFile("t.reqon", src))
	if len(errs) > 0 {
		t.Fatalf("the source has an error: %v", errs[0])
	}
	out := layout(tree, columns)
	again, errs := syntax.Parse(syntax.NewFile("t.reqon", out))
	if len(errs) > 0 {
		t.Fatalf("the layout has an error: %v\n%s", errs[0], out)
	}
	if !syntax.Equal(tree, again) {
		t.Fatalf("the layout says something else:\n%s\n--- of\n%s", out, src)
	}
	checkComments(t, tree, again, out)
	if twice := layout(again, columns); string(twice) != string(out) {
		t.Fatalf("the layout of the layout differs:\n%s", Diff("t.reqon", out, twice))
	}
	checkForm(t, again, string(out))
}

// checkComments holds that all comments are there, in order. White space at
// the start and end of their lines may change.
func checkComments(t *testing.T, before, after *syntax.SourceTree, out []byte) {
	t.Helper()
	if len(before.Comments) != len(after.Comments) {
		t.Fatalf("%d comments became %d:\n%s", len(before.Comments), len(after.Comments), out)
	}
	text := func(c syntax.Comment) string {
		lines := strings.Split(c.Text, "\n")
		for i, line := range lines {
			lines[i] = strings.Trim(line, " \t\r")
		}
		return strings.Join(lines, "\n")
	}
	for i := range before.Comments {
		if a, b := text(before.Comments[i]), text(after.Comments[i]); a != b {
			t.Fatalf("the comment %q became %q:\n%s", a, b, out)
		}
	}
}

// checkForm holds what is true of every line. Lines within templates are text.
func checkForm(t *testing.T, tree *syntax.SourceTree, out string) {
	t.Helper()
	if out == "" {
		return
	}
	if strings.HasPrefix(out, "\n") || !strings.HasSuffix(out, "\n") || strings.HasSuffix(out, "\n\n") {
		t.Fatalf("the file does not start with text and end with one new line: %q", out)
	}
	text := make([]bool, len(out)+1)
	syntax.Walk(tree, func(n syntax.Node) bool {
		if lit, ok := n.(*syntax.TemplateLit); ok {
			for i := lit.Start; i < lit.End; i++ {
				text[i] = true
			}
		}
		return true
	})
	for _, c := range tree.Comments {
		for i := c.Start; i < c.End; i++ {
			text[i] = true
		}
	}
	for i := 1; i < len(out); i++ {
		if out[i] != '\n' || text[i] {
			continue
		}
		if c := out[i-1]; c == ' ' || c == '\t' || c == '\r' {
			t.Fatalf("white space at the end of a line: %q", out[max(0, i-30):i])
		}
		if i > 1 && out[i-1] == '\n' && out[i-2] == '\n' && !text[i-1] {
			t.Fatalf("two blank lines behind %q", out[max(0, i-30):i])
		}
	}
}

func TestCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		t.Run(name, func(t *testing.T) { check(t, src) })
	}
}
