package httpclient

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"reqon/vm/option"
	"reqon/vm/value"
)

func packed(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipped packs files, given as name and content in turn.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// damaged changes a byte of the first file's data.
func damaged(archive []byte) []byte {
	archive[38] ^= 0x55
	return archive
}

func utf16le(s string) string {
	out := "\xff\xfe"
	for _, c := range []byte(s) {
		out += string([]byte{c, 0})
	}
	return out
}

// TestDecode: what `decode` and `csv` say of a body holds, whatever its type,
// and what can't be read by it is a failed request.
func TestDecodeOption(t *testing.T) {
	tests := []struct {
		name, options, contentType string
		body                       []byte
		want                       string // JSON, or a part of the error
	}{
		{"gzip", `{"decode":["gzip","csv"]}`, "application/gzip", packed(t, []byte("a,b\n1,2\n")), `[{"a":"1","b":"2"}]`},
		{"gzip twice", `{"decode":["gzip","gzip","text"]}`, "", packed(t, packed(t, []byte("x"))), `"x"`},
		{"none", `{"decode":["gzip","csv"]}`, "", nil, `[]`},
		{"no lines", `{"decode":"ndjson"}`, "", nil, `[]`},
		{"ndjson", `{"decode":"ndjson"}`, "text/plain", []byte("{\"a\":1}\n{\"a\":2}"), `[{"a":1},{"a":2}]`},
		{"json as text", `{"decode":"text"}`, "application/json", []byte(`{"a":1}`), `"{\"a\":1}"`},
		{"text as json", `{"decode":"json"}`, "text/html", []byte(`{"a":1}`), `{"a":1}`},
		{"tsv", `{"decode":"tsv"}`, "text/plain", []byte("a\tb\n\"\t2"), `[{"a":"\"","b":"2"}]`},
		{"tsv without header", `{"decode":"tsv","csv":{"header":["x","y"]}}`, "", []byte("1\t2"), `[{"x":"1","y":"2"}]`},
		{"csv by its type", `{"csv":{"delimiter":";","nullValues":["-"]}}`, "text/csv", []byte("a;b\n1;-"), `[{"a":"1","b":null}]`},
		{"xml", `{"decode":"xml"}`, "text/xml", []byte("<a><b>1</b></a>"), `{"b":"1"}`},
		{"xml in Latin-1", `{"decode":"xml"}`, "text/xml", []byte("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>"), `"é"`},
		{"xml of its type alone", `{}`, "text/xml", []byte("<a/>"), `"<a/>"`},
		{"UTF-16", `{"decode":"csv"}`, "", []byte(utf16le("a,b\r\n1,2")), `[{"a":"1","b":"2"}]`},
		{"UTF-16 JSON", `{}`, "application/json", []byte(utf16le(`{"a":1}`)), `{"a":1}`},
		{"half of UTF-16", `{"decode":"csv"}`, "", []byte("\xff\xfea\x00b"), `cut in half`},
		{"half a pair", `{"decode":"csv"}`, "", []byte("\xff\xfe\x00\xd8a\x00"), `half of a surrogate pair`},
		{"zip", `{"decode":["zip","csv"]}`, "", zipped(t, "x/", "", "x/a.csv", "a\n1", "__MACOSX/x/._a.csv", "?"), `[{"a":"1"}]`},
		{"zip by name", `{"decode":["zip(or*.csv)","csv"]}`, "", zipped(t, "a.csv", "b\n2", "x/orders 1.csv", "a\n1"), `[{"a":"1"}]`},
		{"zip with a path", `{"decode":["zip(../a.csv)","csv"]}`, "", zipped(t, "../a.csv", "a\n1", "a.csv", "b\n1"), `[{"a":"1"}]`},
		{"gzip in zip", `{"decode":["zip","gzip","csv"]}`, "", zipped(t, "a.csv.gz", string(packed(t, []byte("a\n1")))), `[{"a":"1"}]`},
		{"empty zip", `{"decode":["zip","csv"]}`, "", zipped(t), `holds no file`},
		{"several files", `{"decode":["zip","csv"]}`, "", zipped(t, "a.csv", "", "b.csv", ""), "holds 2 files, \"a.csv\", \"b.csv\": say which one, as in `zip(\"a.csv\")`"},
		{"several by name", `{"decode":["zip(*.csv)","csv"]}`, "", zipped(t, "a.csv", "", "b.csv", ""), `2 files of the zip archive are named "*.csv"`},
		{"none by name", `{"decode":["zip(c*)","csv"]}`, "", zipped(t, "a.csv", ""), `no file of the zip archive is named "c*": it holds "a.csv"`},
		{"no zip", `{"decode":["zip","csv"]}`, "", []byte("PK\x03\x04"), `can't be read as zip`},
		{"broken zip", `{"decode":["zip","csv"]}`, "", damaged(zipped(t, "a.csv", strings.Repeat("a\n1\n", 99))), `the file "a.csv" of the zip archive can't be read`},
		{"no gzip", `{"decode":["gzip","csv"]}`, "", []byte("a,b"), `can't be read as gzip`},
		{"half a gzip", `{"decode":["gzip","csv"]}`, "", packed(t, []byte("a,b"))[:20], `can't be read as gzip`},
		{"gzip bomb", `{"decode":["gzip","text"]}`, "", packed(t, make([]byte, 2<<20)), `maxResponseSize`},
		{"zip bomb", `{"decode":["zip","text"]}`, "", zipped(t, "a", string(make([]byte, 2<<20))), `maxResponseSize`},
		{"JSON for CSV", `{"decode":"csv"}`, "text/csv", []byte(`{"error":"x"}`), "the body is JSON, expected csv as `decode` says"},
		{"the delimiter", `{}`, "text/csv", []byte("a;b\n1;2"), `csv: { delimiter: ";" }`},
		{"the delimiter with decode", `{"decode":"csv"}`, "text/csv", []byte("a;b\n1;2"), `[{"a;b":"1;2"}]`},
		{"DTD", `{"decode":"xml"}`, "", []byte("<!DOCTYPE a><a/>"), `document type definition`},
	}
	var body []byte
	var contentType string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	settings, err := option.At(option.InSource).Decode(js(t, `{"base":"`+server.URL+`","maxResponseSize":"1MB"}`))
	if err != nil {
		t.Fatal(err)
	}
	source, err := NewSource("S", settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := New(Config{})
	defer client.CloseIdle()
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			body, contentType = c.body, c.contentType
			o, err := option.At(option.InRequest).Decode(js(t, c.options))
			if err != nil {
				t.Fatal(err)
			}
			how, err := DecodingOf(o)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(context.Background(), source, &Request{Method: "get", Path: "/", Decode: how})
			switch {
			case err != nil && !strings.Contains(err.Error(), c.want):
				t.Errorf("got %v, want %s", err, c.want)
			case err == nil && string(value.AppendJSON(nil, resp.Body)) != c.want:
				t.Errorf("got %s, want %s", value.AppendJSON(nil, resp.Body), c.want)
			}
		})
	}
}

func TestDecodeOptionIsChecked(t *testing.T) {
	for options, want := range map[string]string{
		`{"decode":"yaml"}`:                              `option decode is "yaml", expected json, ndjson`,
		`{"decode":["gzip"]}`:                            `does not say what the packed body is`,
		`{"decode":["csv","gzip"]}`:                      `has "gzip" behind "csv"`,
		`{"decode":["zip([)","csv"]}`:                    `names no file`,
		`{"decode":5}`:                                   `expected json`,
		`{"decode":["gzip","gzip","gzip","gzip","csv"]}`: `more than 3 times`,
		`{"csv":{"delimiter":"ab"}}`:                     `delimiter must be one character, found "ab"`,
		`{"csv":{"delimiter":"\""}}`:                     `delimiter and quote are both`,
		`{"csv":{"header":"no"}}`:                        `header is string "no", expected true, false or an array of names`,
		`{"csv":{"header":[]}}`:                          `header names no column`,
		`{"csv":{"nullValues":[1]}}`:                     `nullValues[0]`,
	} {
		o, err := option.At(option.InRequest).Decode(js(t, options))
		if err == nil {
			_, err = DecodingOf(o)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", options, err, want)
		}
	}
}

func FuzzUnzip(f *testing.F) {
	f.Add(zipped(f, "a.csv", "a\n1"), "")
	f.Add(zipped(f, "a.csv", "a", "b.csv", "b"), "a*")
	f.Add([]byte("PK\x05\x06"+strings.Repeat("\x00", 18)), "")
	f.Fuzz(func(t *testing.T, data []byte, pattern string) {
		if out, err := unzip(data, pattern, 1<<16); err == nil && len(out) > 1<<16 {
			t.Fatalf("%d bytes", len(out))
		}
		if out, err := gunzip(data, 1<<16); err == nil && len(out) > 1<<16 {
			t.Fatalf("%d bytes", len(out))
		}
	})
}
