package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func parse(t testing.TB, text string) Value {
	t.Helper()
	v, err := ParseJSON(nil, text)
	if err != nil {
		t.Fatalf("ParseJSON(%q): %v", text, err)
	}
	return v
}

func TestJSONKeepsText(t *testing.T) {
	for _, text := range []string{
		`null`, `true`, `false`, `0`, `-0`, `-0.0`, `1`, `-1`, `1.10`, `-1.10`, `0.000000000000001`, `1e3`, `1E+3`, `1.5e-7`,
		`9223372036854775807`, `-9223372036854775808`, `9223372036854775808`, `12345678901234567890`, `123456789012345.0`,
		`99999999999999.9`, `0.1234567890123456`, `1e400`, `0.00`, `-0.01`, `""`, `"abc"`, `"ünï😀"`,
		`"a\"b\\c\n\r\t\b\f\u0001\u001f"`, "\"\u2028\u2029</>&\x7f\"",
		`[]`, `{}`, `[1,2.50,"x",null,true,{"a":[{}]}]`, `{"id":1,"name":"x","nested":{"a":{"b":[1,2]}},"":0}`,
		`{"a\"b":1,"long key of more than sixteen bytes":2,"7 bytes":3,"12345":4,"123456":5,"1234567890123":6}`,
		`{"a\"b":1,"long key of more than sixteen bytez":2,"8 bytes.":3,"12345":4,"1234567":5,"12345678901234":6}`,
	} {
		table := NewShapes()
		for range 2 { // with keys that are new, and with keys that are known
			v, err := ParseJSON(table, " "+text+"\n")
			if err != nil {
				t.Errorf("%s: %v", text, err)
			} else if got := string(AppendJSON(nil, v)); got != text {
				t.Errorf("%s: got %s", text, got)
			}
		}
	}
}

func TestDecodeForms(t *testing.T) {
	for _, c := range []struct {
		text string
		kind Kind
	}{
		{`1`, Int}, {`-1`, Int}, {`0`, Int}, {`9223372036854775807`, Int}, {`-9223372036854775808`, Int},
		{`9223372036854775808`, NumText}, {`-9223372036854775809`, NumText}, {`18446744073709551617`, NumText},
		{`-0`, NumText}, {`-0.0`, NumText}, {`1e3`, NumText}, {`1.5E2`, NumText},
		{`1.5`, Decimal}, {`0.0`, Decimal}, {`999999999999999.9`, NumText}, {`99999999999999.9`, Decimal},
		{`0.999999999999999`, Decimal}, {`0.9999999999999999`, NumText}, {`0.0000000000000000`, NumText},
		{`""`, String}, {`[]`, Array}, {`{}`, Object}, {`null`, Null}, {`true`, Bool},
	} {
		if got := parse(t, c.text).Kind(); got != c.kind {
			t.Errorf("%s: kind %d, want %d", c.text, got, c.kind)
		}
	}
}

func TestDecodeStrings(t *testing.T) {
	for text, want := range map[string]string{
		`"\u0041\u00e9\u20AC\ud83d\uDE00"`:      "Aé€😀",
		`"\"\\\/\b\f\n\r\t"`:                    "\"\\/\b\f\n\r\t",
		`"plain\nthen plain again, and long"`:   "plain\nthen plain again, and long",
		`"é\né"`:                                "é\né",
		`"\u0000"`:                              "\x00",
		`"12345678901234567890\\"`:              `12345678901234567890\`,
		"\ufeff \"after a byte order mark\" ":   "after a byte order mark",
		`"` + strings.Repeat(`\\x`, 3000) + `"`: strings.Repeat(`\x`, 3000),
	} {
		if got := parse(t, text).Str(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// Strings of every length, with each odd byte at each place, because they are
// scanned eight bytes at a time.
func TestDecodeStringLengths(t *testing.T) {
	for n := range 40 {
		for at := 0; at < n; at++ {
			for _, odd := range []string{"\n", "\"", "\\", "é", "\x1f", "a", "\x7f"} {
				s := strings.Repeat("a", at) + odd + strings.Repeat("b", n-at-1)
				text := string(AppendJSON(nil, FromString(s)))
				if want := marshal(s); text != want {
					t.Fatalf("encoding %q: got %s, want %s", s, text, want)
				}
				if got := parse(t, text).Str(); got != s {
					t.Fatalf("decoding %s: got %q", text, got)
				}
				if _, err := ParseJSON(nil, text[:len(text)-1]); err == nil {
					t.Fatalf("%s without its end was accepted", text)
				}
			}
		}
	}
}

// marshal encodes as AppendJSON does, with the standard library.
func marshal(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	return strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(text)
}

func TestDecodeErrors(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if _, err := ParseJSON(nil, deep(500)); err != nil {
		t.Errorf("500 levels: %v", err)
	}
	for _, c := range []struct {
		text         string
		line, column int
		msg          string
	}{
		{``, 1, 1, `found the end of the document, expected a value`},
		{"  \n ", 2, 2, `found the end of the document, expected a value`},
		{`[1,]`, 1, 4, `found ']', expected a value`},
		{`[1 2]`, 1, 4, `found '2', expected ',' or ']'`},
		{`[1`, 1, 3, `found the end of the document, expected ',' or ']'`},
		{`{"a":1,}`, 1, 8, `found '}', expected a key in double quotes`},
		{`{"a":1 "b":2}`, 1, 8, `found '"', expected ',' or '}'`},
		{`{"a" 1}`, 1, 6, `found '1', expected ':' behind the key`},
		{`{a:1}`, 1, 2, `found 'a', expected a key in double quotes`},
		{`{'a':1}`, 1, 2, `found "'", expected a key in double quotes`},
		{`{"a":}`, 1, 6, `found '}', expected a value`},
		{`{`, 1, 2, `found the end of the document, expected a key in double quotes`},
		{"{\n  \"é\": \"é\", \"a\": nil\n}", 2, 18, `found 'nil', expected a value`},
		{"\ufeff[x]", 1, 2, `found 'x', expected a value`},
		{`{"a":1,"a":2}`, 1, 8, `found the key "a" a second time in one object, expected each key once`},
		{`{"a":1,"b":2,"\u0061":3}`, 1, 14, `found the key "a" a second time in one object, expected each key once`},
		{`"abc`, 1, 5, `found the end of the document, expected '"' at the end of the string`},
		{"\"a\nb\"", 1, 3, `found a line end in a string, expected control characters as escapes`},
		{"\"a\x01b\"", 1, 3, `found U+0001 in a string, expected control characters as escapes`},
		{`"a\x"`, 1, 4, `found 'x', expected one of "\/bfnrtu behind a backslash`},
		{`"\`, 1, 3, `found the end of the document, expected an escape sequence`},
		{`"\u12"`, 1, 2, `found \u without four hexadecimal digits, expected four`},
		{`"\u12g4"`, 1, 2, `found \u without four hexadecimal digits, expected four`},
		{`"\ud800"`, 1, 2, `found \ud800, half of a surrogate pair, expected both halves`},
		{`"\ud800\ud800"`, 1, 2, `found \ud800, half of a surrogate pair, expected both halves`},
		{`"ab\udc00"`, 1, 4, `found \udc00, half of a surrogate pair, expected both halves`},
		{"\"é\xff\"", 1, 3, `found byte 0xff, which is not UTF-8, in a string, expected UTF-8`},
		{"\"é\xc3\"", 1, 3, `found byte 0xc3, which is not UTF-8, in a string, expected UTF-8`},
		{"\xff", 1, 1, `found byte 0xff, expected a value`},
		{`01`, 1, 1, `found a number with a leading zero, expected none`},
		{`-01`, 1, 2, `found a number with a leading zero, expected none`},
		{`-`, 1, 2, `found the end of the document, expected a digit`},
		{`-a`, 1, 2, `found 'a', expected a digit`},
		{`1.`, 1, 3, `found the end of the document, expected a digit behind the decimal point`},
		{`1.e3`, 1, 3, `found 'e3', expected a digit behind the decimal point`},
		{`1e`, 1, 3, `found the end of the document, expected a digit of the exponent`},
		{`1.5e+x`, 1, 6, `found 'x', expected a digit of the exponent`},
		{`+1`, 1, 1, `found '+', expected a value`},
		{`.5`, 1, 1, `found '.', expected a value`},
		{`1 2`, 1, 3, `found '2', expected the end of the document`},
		{`NaN`, 1, 1, `found 'NaN', expected a value`},
		{`truE`, 1, 1, `found 'truE', expected a value`},
		{`<html>`, 1, 1, `found '<', expected a value`},
		{deep(501), 1, 501, `found arrays and objects nested deeper than 500 levels, expected at most that`},
		{strings.Repeat(`{"a":`, 501) + "1" + strings.Repeat("}", 501), 1, 2501, `found arrays and objects nested deeper than 500 levels, expected at most that`},
	} {
		_, err := ParseJSON(nil, c.text)
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: got error %v", c.text, err)
			continue
		}
		if e.Line != c.line || e.Column != c.column || e.Msg != c.msg {
			t.Errorf("%.60s: got line %d, column %d: %s", c.text, e.Line, e.Column, e.Msg)
		}
		if want := fmt.Sprintf("line %d, column %d: %s", c.line, c.column, c.msg); err.Error() != want {
			t.Errorf("%.60s: error text %q", c.text, err)
		}
	}
}

// A key must be found twice, whatever the shape of the object and whichever way
// its keys are read.
func TestDecodeDuplicateKeys(t *testing.T) {
	for _, n := range []int{1, 5, 9, 100, 127, 128, 129, 300, longLength, longLength + 1, 3 * longLength} {
		for _, at := range []int{0, n / 2, n - 1} {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, `%q:%d,`, fmt.Sprint("key", i), i)
			}
			key := fmt.Sprint("key", at)
			text := "{" + b.String() + fmt.Sprintf(`%q:0}`, key)
			d := NewDecoder(nil)
			if _, err := d.Decode([]byte("{" + strings.TrimSuffix(b.String(), ",") + "}")); err != nil {
				t.Fatalf("%d distinct keys: %v", n, err)
			}
			for range 2 {
				_, err := d.Decode([]byte(text))
				var e *SyntaxError
				if !errors.As(err, &e) || !strings.Contains(e.Msg, fmt.Sprintf("%q a second time", key)) || e.Offset != strings.LastIndex(text, `"`+key) {
					t.Errorf("%d keys and %s again: %v", n, key, err)
				}
			}
		}
	}
}

// After an error, the decoder must be as new.
func TestDecoderReuse(t *testing.T) {
	d := NewDecoder(nil)
	for _, bad := range []string{`[1,[2,{"a":[`, `{"a":1,"a":2}`, `[{"x":"\n\q"}]`} {
		if _, err := d.Decode([]byte(bad)); err == nil {
			t.Fatalf("%s was accepted", bad)
		}
		const good = `{"a":[1,{"b":"x\ny"}],"c":{}}`
		v, err := d.Decode([]byte(good))
		if err != nil || string(AppendJSON(nil, v)) != good {
			t.Fatalf("after %s: %s, %v", bad, AppendJSON(nil, v), err)
		}
	}
}

func TestDecodeKeepsValuesOfEarlierDocuments(t *testing.T) {
	d := NewDecoder(nil)
	var texts []string
	var values []Value
	for i := range 200 {
		text := fmt.Sprintf(`{"id":%d,"s":"text %d","esc":"a\n%d","list":[%s1]}`, i, i, i, strings.Repeat("1,", i*7%300))
		v, err := d.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		texts, values = append(texts, text), append(values, v)
	}
	for i, v := range values {
		if got := string(AppendJSON(nil, v)); got != texts[i] {
			t.Fatalf("document %d became %s", i, got)
		}
	}
}

func TestAppendJSONIndent(t *testing.T) {
	for _, text := range []string{
		`{"a":[1,{"b":[],"c":{}}],"d":"x\ny"}`, `[]`, `{}`, `3.10`, `[[1],[2,[3]]]`, `{"a":{"b":{"c":null}}}`,
	} {
		for _, c := range [][2]string{{"", "  "}, {">", "\t"}, {"", ""}} {
			var want bytes.Buffer
			if err := json.Indent(&want, []byte(text), c[0], c[1]); err != nil {
				t.Fatal(err)
			}
			if got := string(AppendJSONIndent(nil, parse(t, text), c[0], c[1])); got != want.String() {
				t.Errorf("%s: got\n%s\nwant\n%s", text, got, want.String())
			}
		}
	}
}

func TestAppendJSONComputed(t *testing.T) {
	for _, c := range []struct {
		v    Value
		want string
	}{
		{FromFloat(2), `2`}, {FromFloat(-2), `-2`}, {FromFloat(0), `0`}, {FromFloat(math.Copysign(0, -1)), `0`},
		{FromFloat(0.1), `0.1`}, {FromFloat(0.30000000000000004), `0.30000000000000004`},
		{FromFloat(1e20), `100000000000000000000`}, {FromFloat(1e21), `1e+21`}, {FromFloat(-1.5e300), `-1.5e+300`},
		{FromFloat(1e-6), `0.000001`}, {FromFloat(1e-7), `1e-7`}, {FromFloat(1.25e-10), `1.25e-10`}, {FromFloat(5e-324), `5e-324`},
		{FromFloat(1 << 53), `9007199254740992`}, {FromFloat(1 << 63), `9223372036854776000`}, {FromFloat(math.MaxFloat64), `1.7976931348623157e+308`},
		{FromInt(math.MinInt64), `-9223372036854775808`}, {FromInt(math.MaxInt64), `9223372036854775807`},
		{FromDecimal(110, 2), `1.10`}, {FromDecimal(-5, 3), `-0.005`}, {FromDecimal(999999999999999, 15), `0.999999999999999`},
		{FromTime(1768899600000), `"2026-01-20T09:00:00.000Z"`},
		{FromArray([]Value{FromInt(1), True}), `[1,true]`},
		{FromArray(nil), `[]`}, {FromString(""), `""`},
	} {
		if got := string(AppendJSON(nil, c.v)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// toGo turns v into what encoding/json makes with UseNumber.
func toGo(v Value) any {
	switch v.Kind() {
	case Null:
		return nil
	case Bool:
		return v.Bool()
	case String:
		return v.Str()
	case Array:
		list := []any{}
		for _, e := range v.Elems() {
			list = append(list, toGo(e))
		}
		return list
	case Object:
		m := map[string]any{}
		for i, e := range v.Obj().Slots() {
			m[v.Obj().Shape().Key(i)] = toGo(e)
		}
		return m
	}
	return json.Number(Text(v))
}

// stricter reports whether text, which encoding/json accepts, breaks one of the
// rules that only this package has.
func stricter(text []byte) bool {
	if !utf8.Valid(text) || bytes.Contains(bytes.ToLower(text), []byte(`\ud`)) {
		return true
	}
	depth, deepest := 0, 0
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	type level struct {
		keys  map[string]bool // nil in an array
		isKey bool
	}
	var levels []level
	for {
		token, err := d.Token()
		if err == io.EOF {
			return deepest > MaxDepth
		}
		if len(levels) > 0 {
			l := &levels[len(levels)-1]
			if s, ok := token.(string); ok && l.isKey {
				if l.keys[s] {
					return true
				}
				l.keys[s] = true
			}
			l.isKey = l.keys != nil && !l.isKey
		}
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{map[string]bool{}, true})
			depth++
		case json.Delim('['):
			levels = append(levels, level{})
			depth++
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
			depth--
			if len(levels) > 0 {
				levels[len(levels)-1].isKey = levels[len(levels)-1].keys != nil
			}
		}
		deepest = max(deepest, depth)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"name":"Ann","tags":["a","b"],"nested":{"price":19.90,"big":12345678901234567890}}`,
		`[{"a":1},{"a":2,"b":null},{"b":1,"a":2},{"a" : 3}]`, `{"a":1,"a":2}`, `{"a":{"a":{"a":1}},"b":[{"a":1}]}`,
		`-0`, `1e5`, `1.50`, `"\ud83d\ude00"`, `"\ud83d"`, "\"\xff\"", "\ufeff[]", ` { } `, `[[[[]]]]`, `tru`, `"\u00`, `[1,2`, `{"\u0061":0}`,
		strings.Repeat("[", 501) + strings.Repeat("]", 501), "\"long string over eight bytes \\\" and on\"", `{"12345678":1,"1234567890123456":2,"12345678901234567890":3}`,
	} {
		f.Add([]byte(s))
	}
	table := NewShapes() // shared: the keys of one input are those another may hit
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := NewDecoder(table).Decode(bytes.Clone(data))
		plain := bytes.TrimPrefix(data, []byte("\ufeff"))
		d := json.NewDecoder(bytes.NewReader(plain))
		d.UseNumber()
		var want any
		valid := json.Valid(plain) && d.Decode(&want) == nil
		if err != nil {
			if valid && !stricter(plain) {
				t.Fatalf("%q was rejected: %v", data, err)
			}
			var e *SyntaxError
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(data) || e.Line < 1 || e.Column < 1 || !utf8.ValidString(e.Msg) {
				t.Fatalf("%q: bad error %#v", data, err)
			}
			return
		}
		if !valid {
			t.Fatalf("%q was accepted: %s", data, AppendJSON(nil, v))
		}
		if got := toGo(v); !deepEqual(got, want) {
			t.Fatalf("%q: got %v, want %v", data, got, want)
		}
		checkEncoding(t, v, want)
	})
}

// checkEncoding holds that v, whose value encoding/json has as want, is written
// as it was read, and that its copy is equal to it.
func checkEncoding(t *testing.T, v Value, want any) {
	text := AppendJSON(nil, v)
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var again any
	if err := d.Decode(&again); err != nil || !deepEqual(again, want) {
		t.Fatalf("written as %s: %v", text, err)
	}
	w, err := ParseJSON(nil, string(text))
	if err != nil || !Equal(v, w) || !bytes.Equal(AppendKey(nil, v), AppendKey(nil, w)) {
		t.Fatalf("%s is not equal to itself: %v", text, err)
	}
	if c := Clone(v); !Equal(v, c) || !bytes.Equal(AppendJSON(nil, c), text) {
		t.Fatalf("the copy of %s is %s", text, AppendJSON(nil, c))
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, text, "", " "); err != nil || indented.String() != string(AppendJSONIndent(nil, v, "", " ")) {
		t.Fatalf("indented: %s", AppendJSONIndent(nil, v, "", " "))
	}
	if s := Describe(v); !utf8.ValidString(s) || len(s) > 100 {
		t.Fatalf("described as %q", s)
	}
}

// deepEqual is reflect.DeepEqual for what encoding/json makes.
func deepEqual(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !deepEqual(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if w, ok := b[k]; !ok || !deepEqual(a[k], w) {
				return false
			}
		}
		return true
	}
	return a == b
}
