package stdlib

import (
	"slices"
	"strings"
	"testing"

	"reqon/vm/value"
)

// parse reads a value from JSON in which a string that starts with @ stands for
// a timestamp.
func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.ParseJSON(nil, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return withTimes(t, v)
}

func withTimes(t testing.TB, v value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		if s, ok := strings.CutPrefix(v.Str(), "@"); ok {
			ms, ok := value.ParseTime(s)
			if !ok {
				t.Fatalf("%s is no time", s)
			}
			return value.FromTime(ms)
		}
	case value.Array:
		out := slices.Clone(v.Elems())
		for i := range out {
			out[i] = withTimes(t, out[i])
		}
		return value.FromArray(out)
	case value.Object:
		b := value.NewObjectBuilder(nil, v.Obj().Len())
		for i, e := range v.Obj().Slots() {
			b.Set(v.Obj().Shape().Key(i), withTimes(t, e))
		}
		return b.Value()
	}
	return v
}

// show writes a value as parse reads it.
func show(v value.Value) string {
	return string(value.AppendJSON(nil, marked(v)))
}

func marked(v value.Value) value.Value {
	switch v.Kind() {
	case value.Time:
		return value.FromString("@" + value.Text(v))
	case value.Array:
		out := slices.Clone(v.Elems())
		for i := range out {
			out[i] = marked(out[i])
		}
		return value.FromArray(out)
	case value.Object:
		b := value.NewObjectBuilder(nil, v.Obj().Len())
		for i, e := range v.Obj().Slots() {
			b.Set(v.Obj().Shape().Key(i), marked(e))
		}
		return b.Value()
	}
	return v
}

func call(t testing.TB, name string, args ...value.Value) (value.Value, error) {
	t.Helper()
	f := Lookup(name)
	if f == nil || f.Impl == nil {
		t.Fatalf("there is no function %s to call", name)
	}
	return f.Impl(value.NewShapes(), args)
}

// example is a call: arguments as a JSON array, and the result as JSON, or
// "error: " and a part of the error's text.
type example struct{ name, args, want string }

func run(t *testing.T, examples []example) {
	t.Helper()
	for _, e := range examples {
		args := parse(t, e.args).Elems()
		got, err := call(t, e.name, args...)
		want, wantErr := strings.CutPrefix(e.want, "error: ")
		switch {
		case wantErr && err == nil:
			t.Errorf("%s%s = %s, want an error with %q", e.name, e.args, show(got), want)
		case wantErr && !strings.Contains(err.Error(), want):
			t.Errorf("%s%s:\n got error %q\n want       %q", e.name, e.args, err, want)
		case wantErr && !strings.HasPrefix(err.Error(), e.name):
			t.Errorf("%s%s: the error %q does not name the function", e.name, e.args, err)
		case !wantErr && err != nil:
			t.Errorf("%s%s: unexpected error %q", e.name, e.args, err)
		case !wantErr && show(got) != want:
			t.Errorf("%s%s = %s, want %s", e.name, e.args, show(got), want)
		}
	}
}

func TestStrings(t *testing.T) {
	run(t, []example{
		{"length", `["héllo"]`, `5`},
		{"length", `["👍🏽"]`, `2`},
		{"length", `[[1,2,3]]`, `3`},
		{"length", `[{"a":1,"b":2}]`, `2`},
		{"length", `[null]`, `0`},
		{"length", `[""]`, `0`},
		{"length", `[5]`, `error: length: argument 1 (x) must be an array, an object, a string or null, found number 5`},
		{"length", `[]`, `error: length takes 1 argument, found 0: write length(x)`},
		{"length", `["a","b"]`, `error: length takes 1 argument, found 2`},

		{"lowercase", `["ÄBC Straße"]`, `"äbc straße"`},
		{"lowercase", `[""]`, `""`},
		{"lowercase", `[null]`, "error: lowercase: argument 1 (s) must be a string, found null; where it may be missing, give a default with `??`"},
		{"lowercase", `[12]`, `error: must be a string, found number 12; toString(x) makes text`},
		{"uppercase", `["äbc 1"]`, `"ÄBC 1"`},
		{"uppercase", `[["a"]]`, `error: must be a string, found array ["a"]`},

		{"trim", `[" \t\r\n\u00a0a b\ufeff "]`, `"a b"`},
		{"trimStart", `["  a  "]`, `"a  "`},
		{"trimEnd", `["  a  "]`, `"  a"`},
		{"trim", `["   "]`, `""`},
		{"trim", `[true]`, `error: found boolean true`},

		{"substring", `["hello",1,3]`, `"el"`},
		{"substring", `["hello",1]`, `"ello"`},
		{"substring", `["hello",-3]`, `"llo"`},
		{"substring", `["hello",-3,-1]`, `"ll"`},
		{"substring", `["hello",0,99]`, `"hello"`},
		{"substring", `["hello",-99,2]`, `"he"`},
		{"substring", `["hello",3,1]`, `""`},
		{"substring", `["hello",99]`, `""`},
		{"substring", `["hello",1.0,3e0]`, `"el"`},
		{"substring", `["héé→lo",1,4]`, `"éé→"`},
		{"substring", `["héé→lo",-3,-1]`, `"→l"`},
		{"substring", `["héé",3]`, `""`},
		{"substring", `["hello","x"]`, `error: substring: argument 2 (from) must be a number, found string "x"; toNumber(x) reads a number from text`},
		{"substring", `["hello",1.5]`, `error: substring: argument 2 (from) must be a whole number, found number 1.5`},
		{"substring", `["hello",0,0.5]`, `error: argument 3 (to) must be a whole number`},
		{"substring", `["hello",0,null]`, `error: argument 3 (to) must be a number, found null`},
		{"substring", `["hello"]`, `error: substring takes 2 or 3 arguments, found 1: write substring(s, from, to?)`},

		{"split", `["a,b,,c",","]`, `["a","b","","c"]`},
		{"split", `["","," ]`, `[""]`},
		{"split", `["aé→",""]`, `["a","é","→"]`},
		{"split", `["",""]`, `[]`},
		{"split", `["a::b::","::"]`, `["a","b",""]`},
		{"split", `["a",null]`, `error: argument 2 (separator) must be a string, found null`},

		{"join", `[["a",null,1,true,[1],{"b":2}],"-"]`, `"a--1-true-[1]-{\"b\":2}"`},
		{"join", `[[],","]`, `""`},
		{"join", `[["a"],","]`, `"a"`},
		{"join", `[["@2026-01-20T09:00:00Z"],""]`, `"2026-01-20T09:00:00.000Z"`},
		{"join", `["abc",","]`, `error: argument 1 (xs) must be an array, found string "abc"; split(s, sep) makes an array of text`},
		{"join", `[["a"]]`, `error: join takes 2 arguments, found 1`},

		{"replace", `["a.b.c",".","-"]`, `"a-b.c"`},
		{"replaceAll", `["a.b.c",".","-"]`, `"a-b-c"`},
		{"replaceAll", `["a.b","x","-"]`, `"a.b"`},
		{"replaceAll", `["$1","$","\\"]`, `"\\1"`},
		{"replaceAll", `["a1b1",1,2]`, `"a2b2"`},
		{"replaceAll", `["aaa","a",""]`, `""`},
		{"replace", `["a","b",null]`, `error: argument 3 (new) must be a string or a number, found null`},

		{"concat", `["a",null,1,1.10,true]`, `"a11.10true"`},
		{"concat", `[null]`, `""`},
		{"concat", `[1,2]`, `"12"`},
		{"concat", `[[1],[2,3],[]]`, `[1,2,3]`},
		{"concat", `[[1]]`, `[1]`},
		{"concat", `[[1],2]`, "error: concat: argument 2 (more) must be an array, as the first one is, found number 2; write `[x]` to add one element"},
		{"concat", `[[1],[2],null]`, "error: argument 3 (more) must be an array, as the first one is, found null; where it may be missing, write `?? []`"},
		{"concat", `["a",[1]]`, `"a[1]"`},
		{"concat", `[]`, `error: concat takes at least 1 argument, found 0: write concat(a, more…)`},

		{"contains", `["hello","ell"]`, `true`},
		{"contains", `["hello",""]`, `true`},
		{"contains", `["hello","x"]`, `false`},
		{"contains", `["a1",1]`, `true`},
		{"contains", `[[1,[2]],[2]]`, `true`},
		{"contains", `[["1"],1]`, `false`},
		{"contains", `["a",null]`, `error: contains: argument 2 (part) must be a string, to be found in one, found null`},
		{"contains", `[null,"a"]`, `error: argument 1 (s) must be an array or a string, found null`},
		{"startsWith", `["hello","he"]`, `true`},
		{"startsWith", `["hello","lo"]`, `false`},
		{"endsWith", `["hello","lo"]`, `true`},
		{"endsWith", `["hello",true]`, `error: argument 2 (part) must be a string or a number, found boolean true`},

		{"padStart", `["7",3,"0"]`, `"007"`},
		{"padStart", `[7,3,0]`, `"007"`},
		{"padStart", `["ab",7,"xyz"]`, `"xyzxyab"`},
		{"padStart", `["→",3,"é→"]`, `"é→→"`},
		{"padStart", `["abc",2]`, `"abc"`},
		{"padStart", `["abc",-5]`, `"abc"`},
		{"padEnd", `["ab",5]`, `"ab   "`},
		{"padEnd", `["ab",5,"xy"]`, `"abxyx"`},
		{"padEnd", `["ab",5,""]`, `error: argument 3 (fill) must be text that is not empty`},
		{"padStart", `["ab",1e9]`, `error: padStart: the result is longer than 64 MiB`},
		{"padStart", `["ab",2.5]`, `error: argument 2 (length) must be a whole number`},

		{"repeat", `["ab",3]`, `"ababab"`},
		{"repeat", `["ab",0]`, `""`},
		{"repeat", `["",1000000000000]`, `""`},
		{"repeat", `["ab",-1]`, `error: repeat: argument 2 (n) must be 0 or more, found number -1`},
		{"repeat", `["ab",1000000000000]`, `error: longer than 64 MiB`},

		{"slugify", `["Straße in Köln & Zürich!"]`, `"strasse-in-koln-zurich"`},
		{"slugify", `["--a--b--"]`, `"a-b"`},
		{"slugify", `[""]`, `""`},
		{"slugify", `["!!!"]`, `""`},
		{"slugify", `[42]`, `"42"`},
		{"slugify", `[null]`, `error: must be a string or a number, found null`},

		{"format", `["{} of {}",1,"b"]`, `"1 of b"`},
		{"format", `["{{}} {{{}}}",1]`, `"{} {1}"`},
		{"format", `["{}|{}",null,[1]]`, `"|[1]"`},
		{"format", `["plain"]`, `"plain"`},
		{"format", `["{} {}",1]`, `error: format: string "{} {}" takes 2 values, found 1 value`},
		{"format", `["{}",1,2]`, `error: takes 1 value, found 2 values`},
		{"format", `["é {x}",1]`, "error: found a lone `{` at position 2"},
		{"format", `["a }",1]`, "error: found a lone `}` at position 2 of string \"a }\": write {} for a value, `}}` for a brace"},
		{"format", `["{"]`, "error: found a lone `{`"},

		{"matches", `["abc123","[a-z]+\\d+"]`, `true`},
		{"matches", `["abc","^b"]`, `false`},
		{"matches", `["abc","("]`, `error: matches: string "(" is no regular expression: error parsing regexp: missing closing )`},
		{"matches", `["abc",null]`, `error: argument 2 (re) must be a string`},
		{"capture", `["order-42-x","(\\w+)-(\\d+)"]`, `["order-42","order","42"]`},
		{"capture", `["ac","a(b)?c"]`, `["ac",null]`},
		{"capture", `["x","y"]`, `null`},
		{"capture", `["x","y**"]`, `error: is no regular expression`},

		{"base64", `["hello"]`, `"aGVsbG8="`},
		{"base64", `["é>?"]`, `"w6k+Pw=="`},
		{"base64", `[""]`, `""`},
		{"unbase64", `["aGVsbG8="]`, `"hello"`},
		{"unbase64", `["aGVsbG8"]`, `"hello"`},
		{"unbase64", `["w6k-Pw"]`, `"é>?"`},
		{"unbase64", `["w6k+Pw=="]`, `"é>?"`},
		{"unbase64", `["aGVs\nbG8="]`, `"hello"`},
		{"unbase64", `[""]`, `""`},
		{"unbase64", `["a"]`, `error: unbase64: string "a" is no base64`},
		{"unbase64", `["!!!!"]`, `error: is no base64`},
		{"unbase64", `["/w=="]`, `error: does not hold UTF-8 text`},

		{"urlEncode", `["a b/c?d=é&~-._"]`, `"a%20b%2Fc%3Fd%3D%C3%A9%26~-._"`},
		{"urlEncode", `[42]`, `"42"`},
		{"urlDecode", `["a%20b%2fc+d%C3%A9"]`, `"a b/c+dé"`},
		{"urlDecode", `["a%2"]`, `error: urlDecode: found "%2" in string "a%2"`},
		{"urlDecode", `["a%zz"]`, "error: `%` must be followed by two hex digits"},
		{"urlDecode", `["%ff"]`, `error: the result is not UTF-8 text`},

		// RFC 1321, FIPS 180-4 and RFC 4231 (test case 2).
		{"md5", `["abc"]`, `"900150983cd24fb0d6963f7d28e17f72"`},
		{"md5", `[""]`, `"d41d8cd98f00b204e9800998ecf8427e"`},
		{"sha256", `["abc"]`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{"hmac", `["sha256","Jefe","what do ya want for nothing?"]`, `"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"`},
		{"hmac", `["sha512","Jefe","what do ya want for nothing?"]`, `"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"`},
		// RFC 2202, test case 2 of each.
		{"hmac", `["md5","Jefe","what do ya want for nothing?"]`, `"750c783e6ab0b503eaa86e310a5db738"`},
		{"hmac", `["sha1","Jefe","what do ya want for nothing?"]`, `"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"`},
		{"hmac", `["sha3","k","s"]`, `error: hmac: argument 1 (algorithm) must be "md5", "sha1", "sha256" or "sha512", found string "sha3"`},
		{"hmac", `["sha256","k"]`, `error: hmac takes 3 to 6 arguments, found 2`},
	})
}

func TestSlugifyFoldsLatin(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Ça va, François?", "ca-va-francois"},
		{"Łódź", "lodz"},
		{"Ærøskøbing", "aeroskobing"},
		{"Þingvellir", "thingvellir"},
		{"İstanbul ığ", "istanbul-ig"},
		{"Đặng Thị Ngọc Thịnh", "dang-thi-ngoc-thinh"},
		{"Timișoara Ţara", "timisoara-tara"},
		{"œuvre", "oeuvre"},
		{"cafe\u0301", "cafe"},
		{"ẞ", "ss"},
		{"日本 2026", "2026"},
		{"a×b÷c", "a-b-c"},
		{"Ŋaŋa ĳs ǆep Ǉubav ǌive Ǽ", "nganga-ijs-dzep-ljubav-njive-ae"},
		{"x\u2014y", "x-y"},
	} {
		got, err := call(t, "slugify", value.FromString(c.in))
		if err != nil || got.Str() != c.want {
			t.Errorf("slugify(%q) = %q, %v, want %q", c.in, show(got), err, c.want)
		}
	}
}

func TestArrays(t *testing.T) {
	run(t, []example{
		{"count", `[[1,null,0]]`, `3`},
		{"first", `[[1,2]]`, `1`},
		{"first", `[[]]`, `null`},
		{"last", `[[1,2]]`, `2`},
		{"last", `[[]]`, `null`},
		{"first", `[null]`, "error: first: argument 1 (xs) must be an array, found null; where it may be missing, write `?? []`"},
		{"first", `[{"a":1}]`, `error: must be an array, found object {"a":1}; values(o) and entries(o) make an array of an object`},
		{"includes", `[[1,null],null]`, `true`},
		{"includes", `[[1,{"a":1,"b":2}],{"b":2,"a":1.0}]`, `true`},
		{"includes", `[["@2026-01-20T09:00:00Z"],"2026-01-20T10:00:00+01:00"]`, `true`},
		{"includes", `["abc","b"]`, `true`},
		{"includes", `["abc",null]`, `error: argument 2 (x) must be a string, to be found in one, found null`},
		{"isEmpty", `[null]`, `true`},
		{"isEmpty", `[""]`, `true`},
		{"isEmpty", `[" "]`, `false`},
		{"isEmpty", `[[]]`, `true`},
		{"isEmpty", `[[null]]`, `false`},
		{"isEmpty", `[{}]`, `true`},
		{"isEmpty", `[{"a":null}]`, `false`},
		{"isEmpty", `[0]`, `error: isEmpty: argument 1 (x) must be`},
		{"any", `[[0,null,""]]`, `false`},
		{"any", `[[0,"a"]]`, `true`},
		{"any", `[[]]`, `false`},
		{"all", `[[1,"a"]]`, `true`},
		{"all", `[[1,0]]`, `false`},
		{"all", `[[]]`, `true`},
		{"flatMap", `[[[1,2],3,[],[[4]]]]`, `[1,2,3,[4]]`},
		{"flatten", `[[1,[2,[3,[4]]]]]`, `[1,2,[3,[4]]]`},
		{"flatten", `[[1,[2,[3,[4]]]],2]`, `[1,2,3,[4]]`},
		{"flatten", `[[1,[2,[3,[4]]]],1000000]`, `[1,2,3,4]`},
		{"flatten", `[[1,[2]],0]`, `[1,[2]]`},
		{"flatten", `[[1],-1]`, `error: argument 2 (depth) must be 0 or more`},
		{"unique", `[[1,1.0,"1",1e0,null,null,{"a":1,"b":2},{"b":2,"a":1}]]`, `[1,"1",null,{"a":1,"b":2}]`},
		{"unique", `[[]]`, `[]`},
		{"uniqueBy", `[["a","b","c"],[1,2,1]]`, `["a","b"]`},
		{"uniqueBy", `[["a","b"],[1]]`, `error: uniqueBy: found 1 key for 2 elements`},
		{"uniqueBy", `[["a"]]`, `error: uniqueBy takes 2 arguments, found 1: write uniqueBy(xs, item)`},

		{"sort", `[[3,1.5,null,-2]]`, `[-2,1.5,3,null]`},
		{"sort", `[[3,1,null,2],"desc"]`, `[3,2,1,null]`},
		{"sort", `[[3,1,2],"asc"]`, `[1,2,3]`},
		{"sort", `[["b","a","B","é"]]`, `["B","a","b","é"]`},
		{"sort", `[["@2026-01-20T09:00:00Z","2026-01-19"]]`, `["2026-01-19","@2026-01-20T09:00:00.000Z"]`},
		{"sort", `[["2026-01-20T09:00:00Z","2026-01-20T09:30:00+01:00"]]`, `["2026-01-20T09:30:00+01:00","2026-01-20T09:00:00Z"]`},
		{"sort", `[["2026-01-20T09:00:00.0002Z","2026-01-20T09:00:00.0001Z"]]`, `["2026-01-20T09:00:00.0001Z","2026-01-20T09:00:00.0002Z"]`},
		// One that is no date makes all of them text.
		{"sort", `[["2026-01-20T09:00:00Z","2026-01-20T09:30:00+01:00","x"]]`, `["2026-01-20T09:00:00Z","2026-01-20T09:30:00+01:00","x"]`},
		{"sort", `[[]]`, `[]`},
		{"sort", `[[null,null]]`, `[null,null]`},
		{"sort", `[[12345678901234567891,12345678901234567890]]`, `[12345678901234567890,12345678901234567891]`},
		{"sort", `[[1,"a"]]`, `error: sort: xs must be all numbers, all strings or all timestamps, found number 1 in xs[0] and string "a" in xs[1]`},
		{"sort", `[["@2026-01-20T09:00:00Z","x"]]`, `error: sort: xs[1] must be a timestamp or date text, as is xs[0], found string "x"`},
		{"sort", `[[true,false]]`, `error: xs[0] must be a number, a string, a timestamp or null, found boolean true`},
		{"sort", `[[1],"down"]`, `error: sort: argument 2 (order) must be "asc" or "desc", found string "down"`},
		{"sortBy", `[["a","b","c","d"],[2,1,2,null]]`, `["b","a","c","d"]`},
		{"sortBy", `[["a","b","c","d"],[2,1,2,null],"desc"]`, `["a","c","b","d"]`},
		{"sortBy", `[["a","b"],[2,"x"]]`, `error: sortBy: keys must be all numbers`},
		{"sortBy", `[["a","b"],[2,1],"up"]`, `error: sortBy: argument 3 (order) must be "asc" or "desc", found string "up"`},
		{"sortBy", `[["a"],[2],1]`, `error: argument 3 (order) must be a string, found number 1`},

		{"reverse", `[[1,2,3]]`, `[3,2,1]`},
		{"reverse", `[[]]`, `[]`},
		{"reverse", `["abc"]`, `error: must be an array`},
		{"slice", `[[1,2,3,4],1,3]`, `[2,3]`},
		{"slice", `[[1,2,3,4],-2]`, `[3,4]`},
		{"slice", `[[1,2,3,4],0,-1]`, `[1,2,3]`},
		{"slice", `[[1,2,3,4],9]`, `[]`},
		{"slice", `[[1,2],0.5]`, `error: must be a whole number`},
		{"chunk", `[[1,2,3,4,5],2]`, `[[1,2],[3,4],[5]]`},
		{"chunk", `[[],2]`, `[]`},
		{"chunk", `[[1],9000000000000000000]`, `[[1]]`},
		{"chunk", `[[1],0]`, `error: chunk: argument 2 (n) must be 1 or more, found number 0`},
		{"zip", `[[1,2,3],["a","b"]]`, `[[1,"a"],[2,"b"],[3,null]]`},
		{"zip", `[[1]]`, `[[1]]`},
		{"zip", `[[],[]]`, `[]`},
		{"zip", `[[1],[2],[3,4]]`, `[[1,2,3],[null,null,4]]`},
		{"zip", `[[1],"a"]`, `error: argument 2 (more) must be an array`},
		{"range", `[3]`, `[0,1,2]`},
		{"range", `[0]`, `[]`},
		{"range", `[-2]`, `[]`},
		{"range", `[1,4]`, `[1,2,3]`},
		{"range", `[4,1]`, `[]`},
		{"range", `[0,10,4]`, `[0,4,8]`},
		{"range", `[0,8,4]`, `[0,4]`},
		{"range", `[3,0,-1]`, `[3,2,1]`},
		{"range", `[9223372036854775806,9223372036854775807,5]`, `[9223372036854775806]`},
		{"range", `[-9223372036854775808,9223372036854775807,9223372036854775807]`, `[-9223372036854775808,-1,9223372036854775806]`},
		{"range", `[9223372036854775807,-9223372036854775808,-9223372036854775808]`, `[9223372036854775807,-1]`},
		{"range", `[1,2,0]`, `error: range: argument 3 (step) must be a step other than 0, found number 0`},
		{"range", `[10000001]`, `error: range: the result has more than 10 million elements`},
		{"range", `[-9223372036854775808,9223372036854775807]`, `error: more than 10 million`},
		{"range", `[1.5]`, `error: must be a whole number`},

		{"groupBy", `[["a","b","c"],["x","y","x"]]`, `{"x":["a","c"],"y":["b"]}`},
		{"groupBy", `[["a","b"],[null,1.50]]`, `{"null":["a"],"1.50":["b"]}`},
		{"groupBy", `[[],[]]`, `{}`},
		{"countBy", `[["a","b","c"],["x","y","x"]]`, `{"x":2,"y":1}`},
		{"countBy", `[[1,2],[true,true]]`, `{"true":2}`},
		{"keyBy", `[["a","b","c"],["x","y","x"]]`, `{"x":"c","y":"b"}`},
		{"keyBy", `[[1],[]]`, `error: keyBy: found 0 keys for 1 element`},
		{"minBy", `[["a","b","c"],[2,1,1]]`, `"b"`},
		{"maxBy", `[["a","b","c"],[null,1,1]]`, `"b"`},
		{"maxBy", `[["a"],[null]]`, `null`},
		{"minBy", `[[],[]]`, `null`},
		{"minBy", `[["a","b"],[1,{}]]`, `error: minBy: keys[1] must be a number, a string, a timestamp or null, found object {}`},
	})
}

func TestAggregates(t *testing.T) {
	run(t, []example{
		{"sum", `[[]]`, `0`},
		{"sum", `[[null]]`, `0`},
		{"sum", `[[1,2,null,3]]`, `6`},
		{"sum", `[[0.1,0.2]]`, `0.3`},
		{"sum", `[[1.10,2.20,-3.30]]`, `0`},
		{"sum", `[[19.99,19.99,19.99]]`, `59.97`},
		{"sum", `[[1.5,1.5]]`, `3`},
		{"sum", `[[9223372036854775807,1]]`, `9223372036854776000`},
		{"sum", `[[9223372036854775800,7]]`, `9223372036854775807`},
		{"sum", `[[1e308,1e308]]`, `error: sum: the result is too large`},
		{"sum", `[[1e400]]`, `error: sum: the result is too large`},
		{"sum", `[[12345678901234567890,0.5]]`, `12345678901234567000`},
		{"sum", `[[1,"2"]]`, `error: sum: xs[1] must be a number or null, found string "2"; toNumber(x) reads a number from text`},
		{"sum", `[5]`, `error: sum: argument 1 (xs) must be an array, found number 5`},
		{"sum", `[[1],[2],[3]]`, `error: sum takes 1 or 2 arguments, found 3: write sum(xs, item?)`},
		{"sum", `[[9007199254740993,0.5]]`, `9007199254740994`}, // the nearest float64
		{"sum", `[[9007199254740993,1.0000000000001]]`, `9007199254740994`},
		{"avg", `[[9007199254740993,9007199254740994]]`, `9007199254740994`},
		{"avg", `[[]]`, `null`},
		{"avg", `[[null]]`, `null`},
		{"avg", `[[1,2,null]]`, `1.5`},
		{"avg", `[[2,4]]`, `3`},
		{"avg", `[[0.1,0.1,0.1]]`, `0.1`},
		{"avg", `[[0.1,0.2]]`, `0.15`},
		{"avg", `[[1,1,2]]`, `1.3333333333333333`},
		{"avg", `[["x"]]`, `error: avg: xs[0] must be a number or null`},
		{"min", `[[3,1.10,null,2]]`, `1.10`},
		{"max", `[[3,1,null]]`, `3`},
		{"min", `[[]]`, `null`},
		{"min", `[[null]]`, `null`},
		{"min", `[["b","a"]]`, `"a"`},
		{"max", `[["@2026-01-20T09:00:00Z","@2025-01-20T09:00:00Z"]]`, `"@2026-01-20T09:00:00.000Z"`},
		{"min", `[2,1]`, `1`},
		{"max", `[2,null,7,1]`, `7`},
		{"min", `[null,null]`, `null`},
		{"max", `["2026-01-20","@2026-01-21T09:00:00Z"]`, `"@2026-01-21T09:00:00.000Z"`},
		{"min", `[5]`, `error: min: argument 1 (a) must be an array, where it is the only one, found number 5`},
		{"min", `[[1],2]`, `error: min: argument 1 (a) must be a number, a string or a timestamp, where more follow`},
		{"min", `[1,[2]]`, `error: min: argument 2 (b) must be`},
		{"min", `[1,"a"]`, `error: min: arguments must be all numbers, all strings or all timestamps, found number 1 in arguments[0] and string "a" in arguments[1]`},
		{"min", `[true]`, `error: min: argument 1 (a) must be`},
		{"min", `[]`, `error: min takes at least 1 argument, found 0: write min(xs, item?) or min(a, b…)`},
	})
}

func TestObjects(t *testing.T) {
	run(t, []example{
		{"keys", `[{"b":1,"a":2}]`, `["b","a"]`},
		{"keys", `[{}]`, `[]`},
		{"keys", `[null]`, "error: keys: argument 1 (o) must be an object, found null; where it may be missing, write `?? {}`"},
		{"values", `[{"b":1,"a":[2]}]`, `[1,[2]]`},
		{"entries", `[{"b":1,"a":null}]`, `[["b",1],["a",null]]`},
		{"entries", `[{}]`, `[]`},
		{"fromEntries", `[[["b",1],["a",null]]]`, `{"b":1,"a":null}`},
		{"fromEntries", `[[["b",1],[5,2],["b",3]]]`, `{"b":3,"5":2}`},
		{"fromEntries", `[[]]`, `{}`},
		{"fromEntries", `[[["a"]]]`, `error: fromEntries: xs[0] must be an array of a key and a value, found array ["a"]`},
		{"fromEntries", `[[["a",1],[null,1]]]`, `error: xs[1] must be an array of a key and a value`},
		{"fromEntries", `[[1]]`, `error: xs[0] must be`},
		{"hasKey", `[{"a":null},"a"]`, `true`},
		{"hasKey", `[{"a":null},"b"]`, `false`},
		{"hasKey", `[{"5":null},5]`, `true`},
		{"hasKey", `[null,"a"]`, `error: must be an object`},
		{"pick", `[{"a":1,"b":2,"c":3},["c","a","x"]]`, `{"c":3,"a":1}`},
		{"pick", `[{"a":1,"b":2,"c":3},"c","a"]`, `{"c":3,"a":1}`},
		{"pick", `[{"a":1},[]]`, `{}`},
		{"pick", `[{"a":1},[null]]`, `error: pick: keys[0] must be a string, found null`},
		{"pick", `[{"a":1}]`, `error: pick takes at least 2 arguments, found 1: write pick(o, keys…)`},
		{"omit", `[{"a":1,"b":2,"c":3},["b","x"]]`, `{"a":1,"c":3}`},
		{"omit", `[{"a":1,"b":2,"c":3},"a","c"]`, `{"b":2}`},
		{"omit", `[[{"a":1}],"a"]`, `error: omit: argument 1 (o) must be an object, found array`},
		{"merge", `[{"a":1,"b":{"x":1}},{"b":{"y":2},"c":3}]`, `{"a":1,"b":{"y":2},"c":3}`},
		{"merge", `[{"a":1}]`, `{"a":1}`},
		{"merge", `[{"a":1},{"a":null},{"b":2}]`, `{"a":null,"b":2}`},
		{"merge", `[{"a":1},null]`, "error: merge: argument 2 (more) must be an object, found null; where it may be missing, write `?? {}`"},
		{"deepMerge", `[{"a":1,"b":{"x":1,"z":[1,2]}},{"b":{"y":2,"z":[3]},"c":3}]`, `{"a":1,"b":{"x":1,"z":[3],"y":2},"c":3}`},
		{"deepMerge", `[{"a":{"b":1}},{"a":2},{"a":{"c":3}}]`, `{"a":{"c":3}}`},
		{"get", `[{"a":{"b":[10,20]}},"a.b.0"]`, `10`},
		{"get", `[{"a":{"b":[10,20]}},"a.b.-1"]`, `20`},
		{"get", `[{"a":{"b":[10,20]}},"a.b.7"]`, `null`},
		{"get", `[{"a":{"b":[10,20]}},"a.b.7","none"]`, `"none"`},
		{"get", `[{"a":null},"a","none"]`, `"none"`},
		{"get", `[{"a":false},"a","none"]`, `false`},
		{"get", `[null,"a.b",0]`, `0`},
		{"get", `[{"xs":[{"n":1},{"n":2}]},"xs.n"]`, `[1,2]`},
		{"get", `[{"a.b":{"0":1}},["a.b",0]]`, `1`},
		{"get", `[[5,6],1]`, `6`},
		{"get", `[{"":1},""]`, `1`},
		{"get", `[{"a":1},[null]]`, `error: get: path[0] must be a string or a number, found null`},
		{"get", `[{"a":1},null]`, `error: get: argument 2 (path) must be an array, a string or a number`},
	})
}

func TestNumbers(t *testing.T) {
	run(t, []example{
		{"round", `[1.005,2]`, `1.01`},
		{"round", `[-1.005,2]`, `-1.01`},
		{"round", `[2.5]`, `3`},
		{"round", `[-2.5]`, `-3`},
		{"round", `[2.4999]`, `2`},
		{"round", `[0.5]`, `1`},
		{"round", `[-0.4]`, `0`},
		{"round", `[1.10,2]`, `1.1`},
		{"round", `[1.10,5]`, `1.1`},
		{"round", `[7,2]`, `7`},
		{"round", `[1234,-2]`, `1200`},
		{"round", `[1250,-2]`, `1300`},
		{"round", `[49,-2]`, `0`},
		{"round", `[50,-2]`, `100`},
		{"round", `[5,-20]`, `0`},
		{"round", `[9223372036854775807,-1]`, `9223372036854775810`},
		{"round", `[9223372036854775807,-19]`, `10000000000000000000`},
		{"round", `[1e3,2]`, `1000`},
		{"round", `[1.5e300,-300]`, `2e+300`},
		{"round", `[12345678901234567890.5]`, `12345678901234567891`},
		{"round", `[99999999999999999999.5]`, `100000000000000000000`},
		{"round", `[12345678901234567890.125,2]`, `12345678901234567000`}, // nearest float64
		{"round", `[12345678901234567890.12,2]`, `12345678901234567890.12`},
		{"round", `[12345678901234567890]`, `12345678901234567890`},
		{"round", `[1e-400,5]`, `0`},
		{"round", `[-0]`, `0`},
		{"round", `[1e400]`, `1e400`},
		{"round", `[0.000000125,8]`, `1.3e-7`},
		{"round", `[1.23,1e15]`, `1.23`},
		{"round", `[1.23,-1e15]`, `0`},
		{"round", `[1e99999999999999999999,1]`, `1e99999999999999999999`},
		{"round", `[1e-99999999999999999999,1]`, `0`},
		{"round", `[1.5,0.5]`, `error: round: argument 2 (digits) must be a whole number, found number 0.5`},
		{"round", `["1.5"]`, `error: round: argument 1 (x) must be a number, found string "1.5"; toNumber(x) reads a number from text`},
		{"round", `[null,2]`, `error: must be a number, found null`},

		{"floor", `[1.9]`, `1`},
		{"floor", `[-1.1]`, `-2`},
		{"floor", `[-0.0000001]`, `-1`},
		{"floor", `[5]`, `5`},
		{"floor", `[12345678901234567890.9]`, `12345678901234567890`},
		{"floor", `[-12345678901234567890.1]`, `-12345678901234567891`},
		{"floor", `[-1e-400]`, `-1`},
		{"floor", `[1e20]`, `100000000000000000000`},
		{"ceil", `[1.1]`, `2`},
		{"ceil", `[-1.9]`, `-1`},
		{"ceil", `[1e-400]`, `1`},
		{"ceil", `[2.0]`, `2`},
		{"abs", `[-5]`, `5`},
		{"abs", `[-1.5]`, `1.5`},
		{"abs", `[1.50]`, `1.50`},
		{"abs", `[0]`, `0`},
		{"abs", `[-9223372036854775808]`, `9223372036854776000`},

		{"pow", `[2,10]`, `1024`},
		{"pow", `[2,62]`, `4611686018427387904`},
		{"pow", `[2,63]`, `9223372036854776000`},
		{"pow", `[-2,63]`, `-9223372036854775808`},
		{"pow", `[3,0]`, `1`},
		{"pow", `[0,0]`, `1`},
		{"pow", `[1,9000000000000000000]`, `1`},
		{"pow", `[-1,9000000000000000001]`, `-1`},
		{"pow", `[7,20]`, `79792266297612001`},
		{"pow", `[2,-1]`, `0.5`},
		{"pow", `[9,0.5]`, `3`},
		{"pow", `[0,-1]`, `error: pow: 0 has no negative power`},
		{"pow", `[-8,0.5]`, `error: a negative number has only whole powers, found number -8 and number 0.5`},
		{"pow", `[10,400]`, `error: pow: the result is too large`},
		{"sqrt", `[9]`, `3`},
		{"sqrt", `[2]`, `1.4142135623730951`},
		{"sqrt", `[-1]`, `error: sqrt: argument 1 (x) must be 0 or more: a negative number has no square root, found number -1`},
		{"sqrt", `[1e400]`, `error: sqrt: the result is too large`},
		{"log", `[1]`, `0`},
		{"log", `[0]`, `error: log: argument 1 (x) must be more than 0 to have a logarithm, found number 0`},
		{"exp", `[0]`, `1`},
		{"exp", `[1000]`, `error: exp: the result is too large`},
		{"clamp", `[5,1,3]`, `3`},
		{"clamp", `[0,1,3]`, `1`},
		{"clamp", `[2.50,1,3]`, `2.50`},
		{"clamp", `[2,3,1]`, `error: clamp: the lower bound 3 is above the upper bound 1`},
		{"clamp", `[2,3]`, `error: clamp takes 3 arguments, found 2`},

		{"parseNumber", `["12.50"]`, `12.50`},
		{"parseNumber", `[" -7\n"]`, `-7`},
		{"parseNumber", `["+7"]`, `7`},
		{"parseNumber", `["007"]`, `7`},
		{"parseNumber", `["-007.50"]`, `-7.50`},
		{"parseNumber", `[".5"]`, `0.5`},
		{"parseNumber", `["5."]`, `5`},
		{"parseNumber", `["1e3"]`, `1e3`},
		{"parseNumber", `["12345678901234567890"]`, `12345678901234567890`},
		{"parseNumber", `["0"]`, `0`},
		{"parseNumber", `["000"]`, `0`},
		{"parseNumber", `[5]`, `5`},
		{"parseNumber", `["1,234"]`, `error: parseNumber: argument 1 (s) must be the text of a number such as 42, -1.5 or 1e6, found string "1,234"; thousands separators`},
		{"parseNumber", `[""]`, `error: must be the text of a number`},
		{"parseNumber", `["."]`, `error: must be the text of a number`},
		{"parseNumber", `["-"]`, `error: must be the text of a number`},
		{"parseNumber", `["+-7"]`, `error: must be the text of a number`},
		{"parseNumber", `["- 7"]`, `error: must be the text of a number`},
		{"parseNumber", `["1.2.3"]`, `error: must be the text of a number`},
		{"parseNumber", `["1e"]`, `error: must be the text of a number`},
		{"parseNumber", `["0x10"]`, `error: must be the text of a number`},
		{"parseNumber", `["1_000"]`, `error: must be the text of a number`},
		{"parseNumber", `["NaN"]`, `error: must be the text of a number`},
		{"parseNumber", `["Infinity"]`, `error: must be the text of a number`},
		{"parseNumber", `[null]`, `error: must be a string or a number, found null`},
	})
}

func TestTypes(t *testing.T) {
	run(t, []example{
		{"toString", `[null]`, `""`},
		{"toString", `["a"]`, `"a"`},
		{"toString", `[1.10]`, `"1.10"`},
		{"toString", `[true]`, `"true"`},
		{"toString", `["@2026-01-20T09:00:00Z"]`, `"2026-01-20T09:00:00.000Z"`},
		{"toString", `[{"a":[1]}]`, `"{\"a\":[1]}"`},
		{"toNumber", `["12.50"]`, `12.50`},
		{"toNumber", `[7]`, `7`},
		{"toNumber", `[true]`, `1`},
		{"toNumber", `[false]`, `0`},
		{"toNumber", `["@1970-01-01T00:00:01.5Z"]`, `1500`},
		{"toNumber", `["x"]`, `error: toNumber: argument 1 (x) must be the text of a number such as 42, -1.5 or 1e6, found string "x"`},
		{"toNumber", `[null]`, `error: toNumber: argument 1 (x) must be`},
		{"toNumber", `[[1]]`, `error: toNumber: argument 1 (x) must be`},
		{"toBoolean", `[true]`, `true`},
		{"toBoolean", `[0]`, `false`},
		{"toBoolean", `[2]`, `true`},
		{"toBoolean", `["true"]`, `true`},
		{"toBoolean", `["Yes"]`, `true`},
		{"toBoolean", `["1"]`, `true`},
		{"toBoolean", `["false"]`, `false`},
		{"toBoolean", `["no"]`, `false`},
		{"toBoolean", `["0"]`, `false`},
		{"toBoolean", `["on"]`, `error: toBoolean: argument 1 (x) must be "true", "false", "1", "0", "yes" or "no" where it is text, found string "on"`},
		{"toBoolean", `[""]`, `error: toBoolean`},
		{"toBoolean", `[null]`, `error: toBoolean: argument 1 (x) must be a string, a number or a boolean, found null`},
		{"toArray", `[null]`, `[]`},
		{"toArray", `[[1]]`, `[1]`},
		{"toArray", `["a"]`, `["a"]`},
		{"toArray", `[{"a":1}]`, `[{"a":1}]`},
		{"parseJSON", `["{\"a\":[1.10,null]}"]`, `{"a":[1.10,null]}`},
		{"parseJSON", `["{\"a\":"]`, `error: parseJSON: `},
		{"parseJSON", `[""]`, `error: parseJSON: `},
		{"parseJSON", `[null]`, `error: parseJSON: argument 1 (s) must be a string`},
		{"parseCSV", `["a,b\n1,\"x\"\"y\"\n"]`, `[{"a":"1","b":"x\"y"}]`},
		{"parseCSV", `[""]`, `[]`},
		{"parseCSV", `["a;b\n1;2",{"delimiter":";"}]`, `[{"a":"1","b":"2"}]`},
		{"parseCSV", `["1,2\n3,4",{"header":false}]`, `[["1","2"],["3","4"]]`},
		{"parseCSV", `["1,NULL\n\"NULL\",4",{"header":["x","y"],"nullValues":["NULL"]}]`, `[{"x":"1","y":null},{"x":"NULL","y":"4"}]`},
		{"parseCSV", `["made today\n\n#c\na\n#1\n2",{"skip":1,"comment":"#"}]`, `[{"a":"2"}]`},
		{"parseCSV", `["'a,b',c\n1,2",{"quote":"'"}]`, `[{"a,b":"1","c":"2"}]`},
		{"parseCSV", `["a",{"delimeter":";"}]`, `error: there is no option "delimeter"`},
		{"parseCSV", `["a",{"delimiter":";;"}]`, `error: delimiter must be one character`},
		{"parseCSV", `["a",{"header":["x","x"]}]`, `error: header names the column "x" twice`},
		{"parseCSV", `["a,b\n1"]`, `error: CSV line 2 has 1 field, expected 2`},
		{"parseXML", `["<a><b>1</b></a>"]`, `{"b":"1"}`},
		{"parseXML", `["<a>"]`, `error: parseXML: XML line 1`},
		{"parseXML", `["<!DOCTYPE a><a/>"]`, `error: a document type definition`},
		{"toJSON", `[{"a":[1,"x"]}]`, `"{\"a\":[1,\"x\"]}"`},
		{"toJSON", `[{"a":1},2]`, `"{\n  \"a\": 1\n}"`},
		{"toJSON", `[{"a":1},0]`, `"{\"a\":1}"`},
		{"toJSON", `["@2026-01-20T09:00:00Z"]`, `"\"2026-01-20T09:00:00.000Z\""`},
		{"toJSON", `[1,11]`, `error: toJSON: argument 2 (indent) must be from 0 to 10`},
		{"typeOf", `[null]`, `"null"`},
		{"typeOf", `[true]`, `"boolean"`},
		{"typeOf", `[1.5]`, `"number"`},
		{"typeOf", `["2026-01-20"]`, `"string"`},
		{"typeOf", `["@2026-01-20T09:00:00Z"]`, `"date"`},
		{"typeOf", `[[]]`, `"array"`},
		{"typeOf", `[{}]`, `"object"`},
		{"exists", `[null]`, `false`},
		{"exists", `[false]`, `true`},
	})
}
