package codegen_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"reqon/compiler/syntax"
	"reqon/vm/value"
)

// The variables of testdata/lang/expr/README.md, as JSON text. The subject is o.
const (
	varO      = `{"id":7,"name":"Ada","total":12.50,"tags":["a","b"],"nested":{"x":1},"none":null}`
	varXs     = `[3,1,2]`
	varOrders = `[{"id":1,"total":10,"status":"open"},{"id":2,"total":20.5,"status":"closed"},{"id":3,"status":"open"}]`

	tableNow = 1768899600000 // 2026-01-20T09:00:00Z
)

const tableDir = "../../testdata/lang/expr"

// tableLine is a line of a table: an expression and what it gives.
type tableLine struct {
	place string
	expr  string
	json  string // compact; "" if it is an error
	err   string // must be in the error
}

func readTables(t *testing.T) []tableLine {
	files, err := filepath.Glob(filepath.Join(tableDir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables in %s: %v", tableDir, err)
	}
	var lines []tableLine
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			l := tableLine{place: fmt.Sprintf("%s:%d", filepath.Base(file), i+1)}
			cut := strings.LastIndex(line, " => ")
			if cut < 0 {
				t.Fatalf("%s: no ` => `", l.place)
			}
			want := line[cut+4:]
			l.expr = line[:cut]
			if quoted, ok := strings.CutPrefix(want, "error "); ok {
				if l.err, err = strconv.Unquote(quoted); err != nil {
					t.Fatalf("%s: %s: %v", l.place, quoted, err)
				}
			} else {
				v, err := value.ParseJSON(nil, want)
				if err != nil {
					t.Fatalf("%s: %s: %v", l.place, want, err)
				}
				l.json = string(value.AppendJSON(nil, v))
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// referenceEval evaluates source text with the reference.
func referenceEval(src string) (value.Value, error) {
	shapes := value.NewShapes()
	e, errs := syntax.ParseExpr(syntax.NewFile("expr", []byte(src)))
	if len(errs) > 0 {
		return value.NullValue, errs[0]
	}
	names := map[string]value.Value{}
	for name, text := range map[string]string{"o": varO, "xs": varXs, "orders": varOrders} {
		v, err := value.ParseJSON(shapes, text)
		if err != nil {
			return v, err
		}
		names[name] = v
	}
	r := &reference{shapes: shapes, now: tableNow}
	return r.eval(e, &scope{names: names, subject: names["o"]})
}

// compare tells where a result is not what the line says. What an error says is
// compared if text is set.
func (l tableLine) compare(t *testing.T, v value.Value, err error, text bool) {
	t.Helper()
	got := outcome(v, err)
	switch {
	case l.json == "" && err == nil:
		t.Errorf("%s: %s\n  got  %s\n  want an error with %q", l.place, l.expr, got, l.err)
	case l.json != "" && err != nil:
		t.Errorf("%s: %s\n  got  error %v\n  want %s", l.place, l.expr, err, l.json)
	case err == nil && got != l.json:
		t.Errorf("%s: %s\n  got  %s\n  want %s", l.place, l.expr, got, l.json)
	case err != nil && text && !strings.Contains(err.Error(), l.err):
		t.Errorf("%s: %s\n  got  error %v\n  want an error with %q", l.place, l.expr, err, l.err)
	}
}

// TestReferenceTables holds the reference against the tables: the two were
// written apart from each other. What its errors say is not its matter.
func TestReferenceTables(t *testing.T) {
	for _, l := range readTables(t) {
		v, err := referenceEval(l.expr)
		l.compare(t, v, err, false)
	}
}
