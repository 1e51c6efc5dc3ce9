package check

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

const testdata = "../../testdata/lang/check"

// expectation is a comment `//! severity code [@column] ["substring"]` on the
// line where a diagnostic must be.
type expectation struct {
	line     int
	severity string
	code     string
	column   int // 0: any
	text     string
}

var expectationPattern = regexp.MustCompile(`//! (error|warning|info) (RQ\d{4})(?: @(\d+))?(?: "((?:[^"\\]|\\.)*)")?`)

func expectations(t *testing.T, src string) (want []expectation) {
	t.Helper()
	for i, line := range strings.Split(src, "\n") {
		found := expectationPattern.FindAllStringSubmatch(line, -1)
		if len(found) != strings.Count(line, "//!") {
			t.Fatalf("line %d: malformed expectation: %s", i+1, line)
		}
		for _, m := range found {
			column, _ := strconv.Atoi(m[3])
			text, err := strconv.Unquote(`"` + m[4] + `"`)
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			want = append(want, expectation{i + 1, m[1], m[2], column, text})
		}
	}
	return want
}

func (e expectation) fits(d diag.Diagnostic) bool {
	pos := d.Span.Position()
	text := d.Message + "\n" + d.Suggestion
	for _, n := range d.Notes {
		text += "\n" + n.Message
	}
	return pos.Line == e.line && d.Severity.String() == e.severity && d.Code == e.code &&
		(e.column == 0 || e.column == pos.Column) &&
		strings.Contains(text, e.text)
}

// checkSource parses and checks a file as the loader does.
func checkSource(name, src string) []diag.Diagnostic {
	tree, errs := syntax.Parse(syntax.NewFile(name, []byte(src)))
	var ds []diag.Diagnostic
	for _, e := range errs {
		ds = append(ds, diag.FromSyntax(e))
	}
	check := Mission
	if len(errs) > 0 {
		check = Partial
	}
	for _, m := range tree.Missions {
		ds = append(ds, check(m, tree.Loose)...)
	}
	return diag.ApplyAllows(ds, []*syntax.SourceTree{tree})
}

// TestFiles holds the diagnostics of each file in testdata/lang/check against
// the comments in it: no one may be missing, and no other may be there.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testdata, "*.reqon"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", testdata, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".reqon"), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			want := expectations(t, string(data))
			for _, d := range checkSource(filepath.Base(name), string(data)) {
				i := slices.IndexFunc(want, func(e expectation) bool { return e.fits(d) })
				if i < 0 {
					t.Errorf("unexpected:\n%s", render(d))
					continue
				}
				want = slices.Delete(want, i, i+1)
			}
			for _, e := range want {
				t.Errorf("missing: %s:%d: %s %s %q", filepath.Base(name), e.line, e.severity, e.code, e.text)
			}
		})
	}
}

// TestEveryCode requires at least one case for every code of the checker.
func TestEveryCode(t *testing.T) {
	seen := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(testdata, "*.reqon"))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range expectations(t, string(data)) {
			seen[e.code] = true
		}
	}
	elsewhere := []string{"RQ0222", "RQ0223", "RQ0224", "RQ0601"} // about files and programs, not missions
	for _, c := range diag.Codes() {
		if c.Code >= "RQ0200" && !seen[c.Code] && !slices.Contains(elsewhere, c.Code) {
			t.Errorf("no case for %s: %s", c.Code, c.Title)
		}
	}
}

func render(d diag.Diagnostic) string {
	var b strings.Builder
	if err := diag.Text(&b, []diag.Diagnostic{d}, diag.TextOptions{}); err != nil {
		return fmt.Sprint(err)
	}
	return b.String()
}
