package check

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// FuzzMission checks that no source, however broken, makes the checker or the
// renderers panic or hang, and that every diagnostic is in its table and has
// a place in the file.
func FuzzMission(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join(testdata, "*.reqon"))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, mission := range strings.SplitAfter(string(data), "\n}\n") {
			f.Add(mission)
		}
	}
	programs, _ := filepath.Glob("../../testdata/lang/run/*.txtar")
	for _, name := range programs {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, s := range txtar(string(data)) {
			if filepath.Ext(s.name) == ".reqon" {
				f.Add(s.body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		file := syntax.NewFile("fuzz.reqon", []byte(src))
		tree, errs := syntax.Parse(file)
		var ds []diag.Diagnostic
		for _, e := range errs {
			ds = append(ds, diag.FromSyntax(e))
		}
		for _, m := range tree.Missions {
			ds = append(append(ds, Mission(m, tree.Loose)...), Partial(m, tree.Loose)...)
		}
		ds = diag.ApplyAllows(ds, []*syntax.SourceTree{tree})
		diag.Sort(ds)
		for _, d := range ds {
			if diag.Lookup(d.Code) == nil || d.Message == "" {
				t.Errorf("%+v", d)
			}
			if !d.Span.IsValid() || d.Span.Start < 0 || d.Span.Start > d.Span.End || int(d.Span.End) > len(file.Src) {
				t.Errorf("%s has no place: %+v", d.Message, d.Span)
			}
		}
		var out strings.Builder
		if diag.Text(&out, ds, diag.TextOptions{Color: true}) != nil || diag.JSON(&out, ds) != nil ||
			diag.SARIF(&out, ds, "") != nil || diag.GitHub(&out, ds) != nil {
			t.Error("a renderer failed")
		}
	})
}

// large returns a mission of about so many lines.
func large(lines int) string {
	var b strings.Builder
	b.WriteString("mission Large {\n  source API { base: \"https://api.example.com\" }\n  schema Row { id: int, name: string, total: number }\n")
	for i := 0; i < lines/12; i++ {
		fmt.Fprintf(&b, `  action A%d {
    get "/rows/%d" { params: { a: 1, since: lastSync }, paginate: page(page, 100), until: length(response) == 0 }
    match response { 404 -> skip, [Row] -> continue, _ -> abort }
    for row in response where row.total > %d {
      let name = lowercase(trim(row.name)) + "-" + row.id
      map row -> Out%d { id: .id, name: name, total: round(.total * 1.19, 2) }
      validate Out%d { assume .total >= 0 : "negative", warn .name != "" }
      store Out%d -> rows { key: .id, upsert: true }
    }
    log "done" { n: length(rows), sum: sum(rows, .total) }
  }

`, i, i, i, i, i, i)
	}
	b.WriteString("  store rows: file(\"rows\")\n}\n")
	return b.String()
}

func parseMission(tb testing.TB, src string) *syntax.Mission {
	tb.Helper()
	tree, errs := syntax.Parse(syntax.NewFile("large.reqon", []byte(src)))
	if len(errs) > 0 {
		tb.Fatal(errs[0])
	}
	return tree.Missions[0]
}

func TestLargeMission(t *testing.T) {
	if ds := Mission(parseMission(t, large(1200)), nil); len(ds) > 0 {
		t.Errorf("%s", render(ds[0]))
	}
}

// Nothing may grow faster than the source: deep nests, long chains, many
// declarations, one name misspelt everywhere.
func TestLinearTime(t *testing.T) {
	wrap := func(body string) string { return "mission M {\n action A {\n" + body + "\n }\n}\n" }
	for name, source := range map[string]func(n int) string{
		"declarations": func(n int) string { return large(n) },
		"lets": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "let v%d = %d\n", i, i)
			}
			return wrap(b.String())
		},
		"array": func(n int) string {
			return wrap("log \"x\" { a: [" + strings.Repeat("{ a: 1, b: \"c\" }, ", n) + "] }")
		},
		"lits": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "%d, ", i)
			}
			return wrap("log \"x\" { a: [" + b.String() + "] }")
		},
		"unknown names": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "let v%d = w%d\n", i, i+n)
			}
			return wrap(b.String())
		},
		"unknown stores": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "store { id: 1 } -> orders%d\n", i)
			}
			return "mission M {\n store orders: memory\n action A {\n" + b.String() + "\n }\n}\n"
		},
		"arms": func(n int) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "%d -> skip\n", i)
			}
			return wrap("match 1 {\n" + b.String() + "}")
		},
	} {
		t.Run(name, func(t *testing.T) {
			measure := func(n int) time.Duration {
				m := parseMission(t, source(n))
				best := time.Hour
				for range 3 {
					start := time.Now()
					Mission(m, nil)
					best = min(best, time.Since(start))
				}
				return best
			}
			// A busy machine may stretch one measurement, hardly all of them.
			var small, big time.Duration
			for range 5 {
				small, big = measure(1000), measure(10000)
				if big <= 40*small || big <= 100*time.Millisecond {
					return
				}
			}
			t.Errorf("ten times the source takes %v instead of %v", big, small)
		})
	}
}

func BenchmarkMission(b *testing.B) {
	m := parseMission(b, large(10000))
	b.ReportAllocs()
	for b.Loop() {
		Mission(m, nil)
	}
}
