package document

import (
	"fmt"
	"strings"
	"testing"

	"reqon/vm/value"
)

func js(v value.Value) string { return string(value.AppendJSON(nil, v)) }

func TestCSV(t *testing.T) {
	for _, c := range []struct {
		text string
		o    CSV
		want string // JSON, or what the error says
	}{
		{"", CSV{}, `[]`},
		{"a\n", CSV{}, `[]`},
		{"a,b\r\n1,\"x\r\ny\"\r\n", CSV{}, `[{"a":"1","b":"x\r\ny"}]`},
		{"a\r1\r2", CSV{}, `[{"a":"1"},{"a":"2"}]`},
		{"a;b\n1,5;\"2;3\"", CSV{Delimiter: ";"}, `[{"a":"1,5","b":"2;3"}]`},
		{"a¦b\n1¦2", CSV{Delimiter: "¦"}, `[{"a":"1","b":"2"}]`},
		{"a\tb\n\"1\t2\"", TSV(), `[{"a":"\"1","b":"2\""}]`},
		{"1,2\n3,4", CSV{NoHeader: true}, `[["1","2"],["3","4"]]`},
		{"1,2\n3", CSV{NoHeader: true}, `CSV line 2 has 1 field, expected 2 as in the first row`},
		{"1,2\n3", CSV{Names: []string{"a", "b"}}, `expected 2 as in the header that the mission gives`},
		{"a\n#1\n2\n#", CSV{Comment: "#"}, `[{"a":"2"}]`},
		{"made\n\"today\na\n2", CSV{Skip: 2}, `[{"a":"2"}]`},
		{"a", CSV{Skip: 1 << 30}, `[]`},
		{"a,b\n,\"\"\n-,\"-\"", CSV{NullValues: []string{"", "-"}}, `[{"a":null,"b":""},{"a":null,"b":"-"}]`},
		{"a;b\n1;2", CSV{Guess: true}, "write `csv: { delimiter: \";\" }`"},
		{"a\tb\n1\t2", CSV{Guess: true}, "write `decode: tsv`"},
		{"a|b", CSV{Guess: true}, "write `csv: { delimiter: \"|\" }`"},
		{"\"a;b\"\n1", CSV{Guess: true}, `[{"a;b":"1"}]`},
		{"a;b\n1;2", CSV{}, `[{"a;b":"1;2"}]`},
		{"a\n\"1", CSV{}, `CSV line 2 opens a quote that is never closed`},
		{"a\n\"1\"2", CSV{}, `line 2 has "2" behind a closing quote, expected a comma`},
		{"a,a", CSV{}, `names the column "a" twice`},
		{"a\n" + strings.Repeat("x", 20<<20), CSV{}, `[{"a":"` + strings.Repeat("x", 20<<20) + `"}]`},
	} {
		v, err := ParseCSV(nil, c.text, &c.o)
		got := js(v)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%.60q: got %.200s, want %.200s", c.text, got, c.want)
		}
	}
}

func TestXML(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`<a/>`, `null`},
		{`<a></a>`, `null`},
		{`<a> x </a>`, `" x "`},
		{"\ufeff<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><a>x</a>\n<!-- c -->", `"x"`},
		{`<a><b>1</b> <c/></a>`, `{"b":"1","c":null}`},
		{`<a><b>1</b><c/><b>2</b><b/></a>`, `{"b":["1","2",null],"c":null}`},
		{`<a x="1" y='&lt;'>t</a>`, `{"@x":"1","@y":"<","#text":"t"}`},
		{`<a>x<b/>y</a>`, `{"b":null,"#text":"xy"}`},
		{`<a>&amp;&lt;&gt;&apos;&quot;&#65;&#x42;<![CDATA[<b>]]></a>`, `"&<>'\"AB<b>"`},
		{`<s:a xmlns:s="u"><s:b s:c="1"/></s:a>`, `{"@xmlns:s":"u","s:b":{"@s:c":"1"}}`},
		{"<a>x\r\ny</a>", `"x\ny"`},
		{`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, `a document type definition, expected none`},
		{`<a>&b;</a>`, `XML line 1`},
		{`<a>&#0;</a>`, `XML line 1`},
		{`<a x="1" x="2"/>`, `the attribute "x" stands twice`},
		{`<a><b></a></b>`, "`</a>`, expected `</b>` for the element of line 1"},
		{`<a><b>`, "the end of the document, expected `</b>`"},
		{`<a/><b/>`, `behind the end of the root`},
		{`<a/>x`, `text outside of the root element`},
		{`</a>`, "closes nothing"},
		{``, `no element, expected one`},
		{`{"a":1}`, `text outside of the root element`},
		{strings.Repeat("<a>", 10_000), `nest deeper than 500 levels`},
		{"<a>\x01</a>", `XML line 1`},
		{"<a>\xff</a>", `XML line 1`},
	} {
		v, err := ParseXML(nil, c.text)
		got := js(v)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
			t.Errorf("%.60q: got %.200s, want %.200s", c.text, got, c.want)
		}
	}
	deep := strings.Repeat("<a>", 500) + strings.Repeat("</a>", 500)
	if _, err := ParseXML(nil, deep); err != nil {
		t.Errorf("500 levels: %v", err)
	}
}

// Many children of different names, or of one, take time and room in line with
// their number.
func TestXMLOfManyNames(t *testing.T) {
	var b strings.Builder
	b.WriteString("<a>")
	for i := range 100_000 {
		fmt.Fprintf(&b, "<n%d/><m>1</m>", i)
	}
	b.WriteString("</a>")
	v, err := ParseXML(value.NewShapes(), b.String())
	if err != nil || v.Obj().Len() != 100_001 {
		t.Fatalf("%d fields, %v", v.Obj().Len(), err)
	}
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{`<a/>`, `<a b="1">x<c/></a>`, `<a>&amp;<![CDATA[x]]></a>`, `<!DOCTYPE a>`, `<a:b></a:b>`, `<a`, `</a>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseXML(nil, s)
		if err != nil {
			return
		}
		if _, err := value.ParseJSON(nil, js(v)); err != nil {
			t.Fatalf("%q gives %s, which is no JSON: %v", s, js(v), err)
		}
	})
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"", "a,b\n1,2\n", "a;b\n\"1;\";2", "#\na\r\n\"", "a\tb\n\"1\t2", "'a''b'\n"} {
		f.Add(s, ",", `"`, false, 0)
		f.Add(s, ";", "'", true, 1)
		f.Add(s, "\t", "", false, 0)
	}
	f.Fuzz(func(t *testing.T, s, delimiter, quote string, noHeader bool, skip int) {
		o := CSV{Delimiter: delimiter, Quote: quote, NoHeader: noHeader, Skip: skip, Comment: "#", NullValues: []string{""}}
		if o.Check() != nil {
			return
		}
		v, err := ParseCSV(nil, s, &o)
		if err != nil {
			return
		}
		width := -1
		for _, row := range v.Elems() {
			n := len(row.Elems())
			if !noHeader {
				n = row.Obj().Len()
			}
			if width >= 0 && n != width {
				t.Fatalf("%q: rows of %d and %d fields", s, width, n)
			}
			width = n
		}
	})
}

// TestWordsAreNoHeader: an error in words is no table without records. A header
// alone is one where it ends its line, is one word, or was said to be CSV.
func TestWordsAreNoHeader(t *testing.T) {
	for text, good := range map[string]bool{
		"Rate limit exceeded": false, "Internal error": false,
		"Rate limit exceeded\n": true, "name": true, " name ": true, `"full name"`: true, "full name\nAda": true, "id,full name": true, "": true,
	} {
		if _, err := ParseCSV(nil, text, &CSV{Guess: true}); (err == nil) != good {
			t.Errorf("%q: %v, want it read: %t", text, err, good)
		}
		if _, err := ParseCSV(nil, text, &CSV{}); err != nil {
			t.Errorf("%q, said to be CSV: %v", text, err)
		}
	}
}
