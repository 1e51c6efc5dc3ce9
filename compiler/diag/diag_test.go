package diag

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"reqon/compiler/syntax"
)

// at returns the span of the nth (from 0) occurrence of text in f.
func at(t *testing.T, f *syntax.File, text string, n int) syntax.Span {
	t.Helper()
	from := 0
	for range n {
		i := bytes.Index(f.Src[from:], []byte(text))
		if i < 0 {
			t.Fatalf("%q is not in the source so often", text)
		}
		from += i + len(text)
	}
	i := bytes.Index(f.Src[from:], []byte(text))
	if i < 0 {
		t.Fatalf("%q is not in the source", text)
	}
	start := int32(from + i)
	return syntax.Span{File: f, Start: start, End: start + int32(len(text))}
}

func text(t *testing.T, opt TextOptions, ds ...Diagnostic) string {
	t.Helper()
	var b strings.Builder
	if err := Text(&b, ds, opt); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	src := "mission M {\n  action A {\n    store respones -> orders\n\tlog \"ä€😀\", zebra\n  }\n}\n"
	f := syntax.NewFile("sync.reqon", []byte(src))

	unknown := New(CodeUnknownName, at(t, f, "respones", 0), "unknown name `respones`")
	unknown.Suggestion = "did you mean `response`?"
	if got, want := text(t, TextOptions{}, unknown), ""+
		"error[RQ0201]: unknown name `respones`\n"+
		" --> sync.reqon:3:11\n"+
		"  |\n"+
		"3 |     store respones -> orders\n"+
		"  |           ^^^^^^^^\n"+
		"  = help: did you mean `response`?\n"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}

	// Columns count code points, tabs stay tabs.
	wide := New(CodeUnknownName, at(t, f, "zebra", 0), "m")
	if got, want := text(t, TextOptions{}, wide), ""+
		"error[RQ0201]: m\n"+
		" --> sync.reqon:4:13\n"+
		"  |\n"+
		"4 | \tlog \"ä€😀\", zebra\n"+
		"  | \t           ^^^^^\n"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}

	// A span over several lines is underlined to the end of its first; a note
	// has its own excerpt; one without a place is a plain remark.
	long := New(CodeShadowing, at(t, f, "action A {\n    store", 0), "m")
	long.Notes = []Note{{at(t, f, "orders", 0), "here"}, {Message: "plain"}}
	if got, want := text(t, TextOptions{}, long), ""+
		"warning[RQ0213]: m\n"+
		" --> sync.reqon:2:3\n"+
		"  |\n"+
		"2 |   action A {\n"+
		"  |   ^^^^^^^^^^\n"+
		"  = note: here\n"+
		" --> sync.reqon:3:23\n"+
		"  |\n"+
		"3 |     store respones -> orders\n"+
		"  |                       ------\n"+
		"  = note: plain\n"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}

	// The end of the file is a place without text.
	end := New(CodeUnknownName, syntax.Span{File: f, Start: int32(len(src)), End: int32(len(src))}, "m")
	if got := text(t, TextOptions{}, end); !strings.Contains(got, "sync.reqon:7:1\n  |\n7 | \n  | ^\n") {
		t.Errorf("got:\n%s", got)
	}

	// No place at all; two diagnostics have an empty line between them.
	if got, want := text(t, TextOptions{}, Diagnostic{Message: "a"}, Diagnostic{Severity: Info, Message: "b"}), "error: a\n\ninfo: b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	colored := text(t, TextOptions{Color: true}, unknown)
	if !strings.Contains(colored, "\x1b[1;31merror[RQ0201]\x1b[0m") {
		t.Errorf("no color in %q", colored)
	}
	if plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, ""); plain != text(t, TextOptions{}, unknown) {
		t.Errorf("color changes more than color:\n%s", plain)
	}
}

// The gutter is as wide as the greatest line number.
func TestTextGutter(t *testing.T) {
	f := syntax.NewFile("a.reqon", []byte(strings.Repeat("x\n", 9)+"zebra\n"))
	d := New(CodeUnknownName, at(t, f, "zebra", 0), "m")
	d.Notes = []Note{{at(t, f, "x", 0), "n"}}
	if got := text(t, TextOptions{}, d); !strings.Contains(got, "  --> a.reqon:10:1\n   |\n10 | zebra\n   | ^^^^^\n   = note: n\n  --> a.reqon:1:1\n   |\n 1 | x\n") {
		t.Errorf("got:\n%s", got)
	}
}

// A source can't write to the terminal, and a minified one doesn't flood it.
func TestTextHostile(t *testing.T) {
	f := syntax.NewFile("a\x1b[2J.reqon", []byte("log \x1b[31m\u202e zebra \xff"))
	d := New(CodeUnknownName, at(t, f, "zebra", 0), "unknown \x07 name")
	got := text(t, TextOptions{}, d)
	if strings.ContainsAny(got, "\x1b\x07\u202e") || !utf8.ValidString(got) {
		t.Errorf("control characters in %q", got)
	}

	long := strings.Repeat("a ", 5000) + "zebra" + strings.Repeat(" b", 5000)
	f = syntax.NewFile("a.reqon", []byte(long))
	for _, span := range []syntax.Span{at(t, f, "zebra", 0), {File: f, Start: 0, End: 3}, {File: f, Start: 0, End: int32(len(long))}, {File: f, Start: int32(len(long)), End: int32(len(long))}} {
		for _, line := range strings.Split(text(t, TextOptions{}, New(CodeUnknownName, span, "m")), "\n") {
			if n := utf8.RuneCountInString(line); n > maxExcerpt+10 {
				t.Errorf("a line of %d characters for %v", n, span.Position())
			}
		}
	}
	got = text(t, TextOptions{}, New(CodeUnknownName, at(t, f, "zebra", 0), "m"))
	lines := strings.Split(got, "\n")
	mark := strings.Index(lines[4], "^^^^^")
	if mark < 0 || !strings.HasPrefix(string([]rune(lines[3])[mark:]), "zebra") {
		t.Errorf("the underline is not below the name:\n%s", got)
	}
}

// Many mistakes in one long line take memory, and with it time, by what is shown
// of them and not by the length of the line.
func TestTextOfLongLineIsLinear(t *testing.T) {
	const mistakes = 1000
	src := "// é" + strings.Repeat("zebra é ", mistakes)
	f := syntax.NewFile("a.reqon", []byte(src))
	var ds []Diagnostic
	for i := range mistakes {
		ds = append(ds, New(CodeUnknownName, at(t, f, "zebra", i), "m"))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Text(io.Discard, ds, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / mistakes; each > 8<<10 {
		t.Errorf("%d bytes allocated for each", each)
	}
}

func TestSortAndCount(t *testing.T) {
	a := syntax.NewFile("a.reqon", []byte("0123456789"))
	b := syntax.NewFile("b.reqon", []byte("0123456789"))
	span := func(f *syntax.File, n int32) syntax.Span { return syntax.Span{File: f, Start: n, End: n + 1} }
	ds := []Diagnostic{
		New(CodeShadowing, span(b, 1), "5"),
		New(CodeStoreDeclared, span(a, 3), "4"),
		New(CodeShadowing, span(a, 3), "3"),
		New(CodeUnknownName, span(a, 3), "2"),
		New(CodeUnknownName, span(a, 1), "1"),
		{Message: "0"},
	}
	Sort(ds)
	for i, d := range ds {
		if d.Message != strconv.Itoa(i) {
			t.Errorf("place %d holds %s", i, d.Message)
		}
	}
	if errors, warnings := Count(ds); errors != 3 || warnings != 2 {
		t.Errorf("%d errors, %d warnings", errors, warnings)
	}
}

func TestFromSyntax(t *testing.T) {
	f := syntax.NewFile("a.reqon", []byte("abc"))
	span := syntax.Span{File: f, Start: 1, End: 2}
	d := FromSyntax(&syntax.Error{Span: span, Code: syntax.CodeArrow, Msg: "m", Suggestion: "s", Notes: []syntax.Note{{Span: span, Msg: "n"}}})
	if d.Code != "RQ0125" || d.Severity != Error || d.Stage != StageSyntax || d.Message != "m" || d.Suggestion != "s" ||
		d.Span != span || len(d.Notes) != 1 || d.Notes[0].Message != "n" || d.Notes[0].Span != span {
		t.Errorf("got %+v", d)
	}
}

func TestJSON(t *testing.T) {
	var b strings.Builder
	if err := JSON(&b, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("of nothing: %q, %v", b.String(), err)
	}
	f := syntax.NewFile("a.reqon", []byte("log \"€\" zebra\n  b"))
	d := New(CodeUnknownName, at(t, f, "zebra\n  b", 0), "a < b")
	d.Suggestion = "s"
	d.Notes = []Note{{at(t, f, "log", 0), "n"}, {Message: "plain"}}
	b.Reset()
	if err := JSON(&b, []Diagnostic{d, {Severity: Warning, Message: "m"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "a < b") {
		t.Errorf("the message is escaped as for HTML: %s", b.String())
	}
	var got any
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	compact, _ := json.Marshal(got) // keys in order of the alphabet
	const want = `[{"code":"RQ0201","column":9,"endColumn":4,"endLine":2,"file":"a.reqon","line":1,"message":"a \u003c b",` +
		`"notes":[{"column":1,"endColumn":4,"endLine":1,"file":"a.reqon","line":1,"message":"n"},{"message":"plain"}],` +
		`"severity":"error","stage":"names","suggestion":"s"},` +
		`{"code":"","column":0,"endColumn":0,"endLine":0,"file":"","line":0,"message":"m","severity":"warning","stage":"","suggestion":""}]`
	if string(compact) != want {
		t.Errorf("got  %s\nwant %s", compact, want)
	}
}

func TestSARIF(t *testing.T) {
	f := syntax.NewFile("dir/a b.reqon", []byte("log zebra"))
	d := New(CodeUnknownName, at(t, f, "zebra", 0), "m")
	d.Suggestion = "s"
	d.Notes = []Note{{at(t, f, "log", 0), "n"}, {Message: "plain"}}
	var b strings.Builder
	if err := SARIF(&b, []Diagnostic{d, New(CodeStoreDeclared, d.Span, "i"), New(CodeUnknownName, d.Span, "again"), {Message: "bare"}}, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name, Version string
					Rules         []struct{ ID string }
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex *int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
					}
				}
				RelatedLocations []struct{ Message struct{ Text string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || log.Schema == "" || run.ColumnKind != "unicodeCodePoints" || run.Tool.Driver.Name != "reqon" || run.Tool.Driver.Version != "1.2.3" {
		t.Errorf("head: %s", b.String())
	}
	if rules := run.Tool.Driver.Rules; len(rules) != 2 || rules[0].ID != "RQ0201" || rules[1].ID != "RQ0208" {
		t.Errorf("rules: %+v", rules)
	}
	r := run.Results[0]
	place := r.Locations[0].PhysicalLocation
	if r.RuleID != "RQ0201" || *r.RuleIndex != 0 || r.Level != "error" || r.Message.Text != "m; s" ||
		place.ArtifactLocation.URI != "dir/a%20b.reqon" || place.Region.StartLine != 1 || place.Region.StartColumn != 5 || place.Region.EndColumn != 10 ||
		len(r.RelatedLocations) != 1 || r.RelatedLocations[0].Message.Text != "n" {
		t.Errorf("result: %+v", r)
	}
	if run.Results[1].Level != "note" || *run.Results[1].RuleIndex != 1 || *run.Results[2].RuleIndex != 0 {
		t.Errorf("results: %+v", run.Results)
	}
	if bare := run.Results[3]; bare.RuleIndex != nil || bare.Locations != nil {
		t.Errorf("without code and place: %+v", bare)
	}
}

func TestGitHub(t *testing.T) {
	f := syntax.NewFile("a,b:c.reqon", []byte("log zebra\nx"))
	ds := []Diagnostic{
		New(CodeUnknownName, at(t, f, "zebra", 0), "100%\nmore"),
		New(CodeStoreDeclared, at(t, f, "zebra\nx", 0), "i"),
		{Severity: Warning, Code: "X", Message: "no place"},
	}
	ds[0].Suggestion = "s"
	var b strings.Builder
	if err := GitHub(&b, ds); err != nil {
		t.Fatal(err)
	}
	const want = "::error file=a%2Cb%3Ac.reqon,line=1,col=5,endLine=1,endColumn=10,title=RQ0201::100%25%0Amore; s\n" +
		"::notice file=a%2Cb%3Ac.reqon,line=1,col=5,title=RQ0208::i\n" +
		"::warning title=X::no place\n"
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

// comments finds the line comments of a source as the parser does.
func comments(f *syntax.File) *syntax.SourceTree {
	tree := &syntax.SourceTree{File: f}
	for _, m := range regexp.MustCompile(`//[^\n]*|/\*(?s:.*?)\*/`).FindAllIndex(f.Src, -1) {
		span := syntax.Span{File: f, Start: int32(m[0]), End: int32(m[1])}
		tree.Comments = append(tree.Comments, syntax.Comment{Span: span, Text: span.Text()})
	}
	return tree
}

func TestApplyAllows(t *testing.T) {
	f := syntax.NewFile("a.reqon", []byte(`a1
// reqon:allow RQ0213
a2
a3
// reqon:allow RQ0213,RQ0403 -- a reason with RQ0404
// another comment
  /* and one more */
a4
/* reqon:allow RQ0213 */
a5
/* reqon:allow RQ0213 */ a6
a7
// reqon:allowed RQ0213
a8
`))
	var ds []Diagnostic
	for i := range 8 {
		span := at(t, f, "a"+strconv.Itoa(i+1), 0)
		for _, code := range []string{CodeShadowing, CodeUnusedVariable, CodeUnusedParam, CodeUnknownName} {
			ds = append(ds, New(code, span, code))
		}
	}
	silenced := map[string]bool{}
	kept := ApplyAllows(ds, []*syntax.SourceTree{comments(f)})
	for _, d := range ds {
		silenced[d.Span.Text()+" "+d.Code] = true
	}
	for _, d := range kept {
		delete(silenced, d.Span.Text()+" "+d.Code)
	}
	// The last comment stands before code, so it is about the line below.
	for _, want := range []string{"a2 RQ0213", "a4 RQ0213", "a4 RQ0403", "a5 RQ0213", "a7 RQ0213"} {
		if !silenced[want] {
			t.Errorf("%s is not silenced", want)
		}
		delete(silenced, want)
	}
	for s := range silenced {
		t.Errorf("%s is silenced", s)
	}
}

func TestApplyAllowsComplains(t *testing.T) {
	f := syntax.NewFile("a.reqon", []byte("// reqon:allow RQ0201, RQ9999 rq213\n// reqon:allow\n// reqon:allow: RQ0213\nx"))
	got := ApplyAllows(nil, []*syntax.SourceTree{comments(f)})
	want := []struct{ place, message, suggestion string }{
		{"RQ0201", "errors can't be silenced", ""},
		{"RQ9999", "no code of a diagnostic", ""},
		{"rq213", "no code of a diagnostic", "did you mean `RQ0213`?"},
		{"// reqon:allow", "names no code", ""},
	}
	if len(got) != len(want) {
		t.Fatalf("%d complaints, want %d", len(got), len(want))
	}
	for i, w := range want {
		d := got[i]
		if d.Code != CodeUnknownAllow || d.Severity != Warning || d.Span.Text() != w.place || !strings.Contains(d.Message, w.message) || d.Suggestion != w.suggestion {
			t.Errorf("complaint %d: %+v", i, d)
		}
	}
}

func TestCodes(t *testing.T) {
	form := regexp.MustCompile(`^RQ0[1-6]\d\d$`)
	last := ""
	for _, c := range Codes() {
		if !form.MatchString(c.Code) || c.Code <= last {
			t.Errorf("%s behind %s", c.Code, last)
		}
		if c.Title == "" || c.Stage == "" {
			t.Errorf("%s has no title or stage", c.Code)
		}
		if found := Lookup(c.Code); found == nil || *found != c {
			t.Errorf("Lookup(%s) = %v", c.Code, found)
		}
		last = c.Code
	}
	if Lookup("RQ0000") != nil {
		t.Error("there is a RQ0000")
	}
}

// Every code that the parser or the checker can report is in the table.
func TestCodesAreComplete(t *testing.T) {
	for _, name := range []string{"../syntax/codes.go", "codes.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if code, _ := strconv.Unquote(lit.Value); strings.HasPrefix(code, "RQ") && Lookup(code) == nil {
				t.Errorf("%s of %s is not in the table", code, name)
			}
			return true
		})
	}
}
