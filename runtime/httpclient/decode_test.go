package httpclient

import (
	"encoding/csv"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"reqon/vm/document"
	"reqon/vm/value"
)

func TestDecode(t *testing.T) {
	tests := []struct{ name, contentType, body, want string }{
		{"JSON", "application/json", `{"a":1}`, `{"a":1}`},
		{"JSON, charset", "application/json; charset=UTF-8", `"é"`, `"é"`},
		{"JSON by suffix", "application/vnd.api+json; version=1", `[1]`, `[1]`},
		{"problem", "application/problem+json", `{}`, `{}`},
		{"text/json", "Text/JSON", `7`, `7`},
		{"a trailing semicolon", "application/json;", `7`, `7`},
		{"a broken parameter", "application/json; charset", `7`, `7`},
		{"byte order mark", "application/json", "\ufeff[1]", `[1]`},
		{"numbers keep their text", "application/json", `[12345678901234567890,1.10,1e3,-0]`, `[12345678901234567890,1.10,1e3,-0]`},
		{"Latin-1", "application/json; charset=iso-8859-1", "\"\xe9\"", `"é"`},
		{"Windows-1252", "text/plain; charset=windows-1252", "\x80 \xe9", `"€ é"`},
		{"white space alone", "application/json", " \r\n", `null`},
		{"empty", "application/json", "", `null`},
		{"empty text", "text/plain", "", `null`},
		{"empty CSV", "text/csv", "", `[]`},
		{"no lines", "application/x-ndjson", "", `[]`},
		{"text", "text/plain", `{"a":1}`, `"{\"a\":1}"`},
		{"HTML", "text/html", "<p>", `"<p>"`},
		{"text of spaces", "text/plain", " ", `" "`},
		{"no type, object", "", ` {"a":1}`, `{"a":1}`},
		{"no type, array", "", "\ufeff[1]", `[1]`},
		{"no type, number", "", "12", `"12"`},
		{"no type, looks like JSON", "", "[x]", `"[x]"`},
		{"no type, text", "", "hello", `"hello"`},
		{"no media type", "; charset=utf-8", "[1]", `[1]`},
		{"lines", "application/x-ndjson", "{\"a\":1}\n\n {\"a\":2} \r\n[3]", `[{"a":1},{"a":2},[3]]`},
		{"lines, one", "application/jsonl", "1\n", `[1]`},
		{"lines, none", "application/json-lines", "\n", `[]`},
		{"lines with a mark", "application/x-ndjson; charset=utf-8", "\ufeff1\n2", `[1,2]`},
		{"CSV", "text/csv", "a,b\n1,x y\n2,\n", `[{"a":"1","b":"x y"},{"a":"2","b":""}]`},
		{"CSV, CRLF, no last line end", "text/csv; header=present", "a,b\r\n1,2\r\n3,4", `[{"a":"1","b":"2"},{"a":"3","b":"4"}]`},
		{"CSV, quotes", "text/csv", "a,\"b \"\"c\"\"\"\n\"1,\n\r\n2\",5\" pipe\n", `[{"a":"1,\n\r\n2","b \"c\"":"5\" pipe"}]`},
		{"CSV, empty lines", "text/csv", "\na\n\n1\n\r\n\"\"\n", `[{"a":"1"},{"a":""}]`},
		{"CSV, header alone", "text/csv", "a,b\n", `[]`},
		{"CSV, mark and charset", "text/csv; charset=latin1", "a\n\xe9\n", `[{"a":"é"}]`},
		{"CSV, lone CR", "text/csv", "a,b\r1,2\r\r3,4\r", `[{"a":"1","b":"2"},{"a":"3","b":"4"}]`},
		{"CSV, lone CR and quotes", "text/csv", "a,b\r\"1\r2\",\"3\"\r5,6", `[{"a":"1\r2","b":"3"},{"a":"5","b":"6"}]`},
		{"CSV, line ends mixed", "text/csv", "a\r\n1\r2\n3\r\r\n4", `[{"a":"1"},{"a":"2"},{"a":"3"},{"a":"4"}]`},
		{"CSV, a name that begins with a mark", "text/csv", "<10,<htm\n1,2\n", `[{"<10":"1","<htm":"2"}]`},
		{"CSV, brackets", "text/csv", "[a],{b}\r\n", `[]`},
		{"CSV, a name in brackets", "text/csv", "[a]\n", `[]`},
		{"lines, lone CR", "application/x-ndjson", "{\"a\":1}\r{\"a\":2}\r\r3", `[{"a":1},{"a":2},3]`},
		{"CSV, an empty name", "text/csv", "a,\n1,2", `[{"a":"1","":"2"}]`},
	}
	c := New(Config{})
	for _, tt := range tests {
		v, err := c.decode(tt.contentType, []byte(tt.body), nil)
		if err != nil || text(v) != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.name, text(v), err, tt.want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ name, contentType, body, want string }{
		{"JSON", "application/json", "{\n \"a\": x}", "line 2, column 7: found 'x', expected a value"},
		{"JSON by suffix", "application/hal+json", "<html>", "not valid JSON"},
		{"lines", "application/x-ndjson", "{}\n\n{\"é\": }\n", "line 3, column 7"},
		{"lines, two on one", "application/x-ndjson", "{} {}\n", "line 1, column 4"},
		{"CSV, long", "text/csv", "a,b\n\"1\n2\",3\n1,2,3\n", "CSV line 4 has 3 fields, expected 2"},
		{"CSV, twice the same", "text/csv", "\nid,a,id\n", `line 2 names the column "id" twice`},
		{"CSV, lone CR", "text/csv", "a,b\r\"1\r2\",3\r1,2,3\r", "CSV line 4 has 3 fields, expected 2"},
		{"CSV that is JSON, cut off", "text/csv", `{"error": "too ma`, "is JSON that breaks off"},
		{"CSV that is JSON, cut off in a list", "text/csv", "[\n", "is JSON that breaks off"},
		{"CSV that is bad JSON", "text/csv", `[{"a":1},]`, "is JSON that breaks off"},
		{"CSV that is HTML, on a line", "text/csv", "<html><body>Please log in</body></html>", "is a page of HTML or XML"},
		{"CSV that is HTML", "text/csv", "\r\n <!DOCTYPE html>\n<p>\n", "is a page of HTML or XML"},
		{"CSV that is XML", "text/csv", "\ufeff<?xml version=\"1.0\"?><error/>", "is a page of HTML or XML"},
		{"CSV, open quote", "text/csv", "a\n1\n\"2\n3", "line 3 opens a quote that is never closed"},
		{"CSV, behind a quote", "text/csv", "a\n\"1\"x\n", `line 2 has "x" behind a closing quote`},
		{"CSV, not UTF-8", "text/csv", "a\n1\n\xe9\n", "line 3 holds the byte 0xe9"},
		{"text, not UTF-8", "image/png", "\x89PNG", "0x89"},
		{"charset", "text/plain; charset=shift_jis", "x", `"shift_jis"`},
	}
	c := New(Config{})
	for _, tt := range tests {
		v, err := c.decode(tt.contentType, []byte(tt.body), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %s, %v, want %q", tt.name, text(v), err, tt.want)
		}
	}
}

// encoding/csv accepts what document.ParseCSV accepts, with the same fields, but for
// carriage returns before line ends in quotes, which it drops.
func FuzzDecodeCSV(f *testing.F) {
	for _, s := range []string{"", "a,b\n1,2\n", "a\r\n\"x\"\"y\"\r\n", "\"a\nb\",c\n1,\"2,\n3\"", "a\n\n\n1", "\"", "a,a", "\ufeffx\n1", "a\n\"\"\n", "\r", "a\r\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		v, err := document.ParseCSV(value.NewShapes(), s, &document.CSV{})
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(s, "\ufeff")))
		rows, theirs := r.ReadAll()
		if err != nil || strings.Contains(s, "\r") {
			return
		}
		if theirs != nil {
			// Only a bare quote is more than it takes.
			if !strings.Contains(theirs.Error(), `bare "`) {
				t.Fatalf("%q: encoding/csv says %v", s, theirs)
			}
			return
		}
		if len(rows) == 0 {
			rows = append(rows, nil)
		}
		if len(v.Elems()) != len(rows)-1 {
			t.Fatalf("%q: %d rows, want %d", s, len(v.Elems()), len(rows)-1)
		}
		for i, e := range v.Elems() {
			o := e.Obj()
			var got, names []string
			for j, cell := range o.Slots() {
				got = append(got, cell.Str())
				names = append(names, o.Shape().Key(j))
			}
			if !reflect.DeepEqual(got, rows[i+1]) || !reflect.DeepEqual(names, rows[0]) {
				t.Fatalf("%q: row %d is %q of %q, want %q of %q", s, i, got, names, rows[i+1], rows[0])
			}
		}
	})
}

// Each line alone gives what it gives among others.
func FuzzDecodeLines(f *testing.F) {
	for _, s := range []string{"", "1\n2\n", "{\"a\":1}\r\n\r\n[]", "\ufeff1", "\n\n", "{\n}", "1\r2"} {
		f.Add(s)
	}
	c := New(Config{})
	f.Fuzz(func(t *testing.T, s string) {
		v, err := c.decodeLines([]byte(s))
		var want []value.Value
		bad := false
		end := "\n"
		if !strings.Contains(s, end) {
			end = "\r"
		}
		for line := range strings.SplitSeq(strings.TrimPrefix(s, "\ufeff"), end) {
			if strings.Trim(line, " \t\r") == "" {
				continue
			}
			one, err := value.ParseJSON(nil, line)
			bad = bad || err != nil
			want = append(want, one)
		}
		if (err != nil) != bad {
			t.Fatalf("%q: got %v", s, err)
		}
		if err == nil && !value.Equal(v, value.FromArray(want)) {
			t.Errorf("%q: got %s", s, text(v))
		}
	})
}

// No body of any type panics, and what is an answer is valid.
func FuzzDecode(f *testing.F) {
	f.Add("application/json", []byte(`{"a":1}`))
	f.Add("text/csv; charset=latin1", []byte("a\n\xe9"))
	f.Add("", []byte("[1"))
	f.Add("; charset=\"", []byte(" "))
	f.Add("text/plain;charset=cp1252", []byte("\x80"))
	c := New(Config{})
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		v, err := c.decode(contentType, body, nil)
		if err == nil && !utf8.Valid(value.AppendJSON(nil, v)) {
			t.Errorf("%q: %q gives text that is not UTF-8", contentType, body)
		}
	})
}
