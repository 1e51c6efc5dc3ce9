package stdlib

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"reqon/vm/value"
)

// definition is the table of section 4 of the language definition, and the
// function that section 7 adds.
const definition = `
length lowercase uppercase trim trimStart trimEnd substring split join replace replaceAll concat contains startsWith endsWith padStart padEnd repeat slugify format matches capture base64 unbase64 urlEncode urlDecode hex unhex sha256 sha512 sha1 md5 hmac jwt uuid
length count first last includes isEmpty map filter reduce flatMap flatten unique uniqueBy sort sortBy reverse slice chunk zip range find findIndex any all groupBy countBy keyBy sum avg min max minBy maxBy concat
keys values entries fromEntries hasKey pick omit merge deepMerge get
round floor ceil abs min max pow sqrt log exp clamp parseNumber random
now timestamp parseDate formatDate fromUnix toUnix year month day hour minute second dayOfWeek addDays addHours addMinutes addMonths addYears subtractDays startOfDay startOfMonth diffDays diffHours windows isBefore isAfter milliseconds seconds minutes hours days weeks
toString toNumber toBoolean toArray parseJSON toJSON parseCSV parseXML typeOf exists env
webhookUrl`

func TestTableIsTheDefinitions(t *testing.T) {
	want := strings.Fields(definition)
	slices.Sort(want)
	want = slices.Compact(want)
	var got []string
	for _, f := range Table() {
		got = append(got, f.Name)
	}
	if !slices.Equal(got, want) { // also: ordered, and no name twice
		t.Errorf("the table has\n%v, the definition\n%v", got, want)
	}
}

func TestTableIsComplete(t *testing.T) {
	host := strings.Fields("now timestamp uuid random env webhookUrl exists")
	inline := strings.Fields("map filter find findIndex any all count reduce")
	mapped := strings.Fields("sum avg min max flatMap")
	keyed := strings.Fields("sortBy uniqueBy groupBy countBy keyBy minBy maxBy")
	withoutImpl := strings.Fields("now uuid random env webhookUrl map filter find findIndex reduce")
	groups := strings.Fields("strings arrays objects numbers time types")
	for _, f := range Table() {
		form := Native
		for _, of := range []struct {
			form  Form
			names []string
		}{{Host, host}, {Inline, inline}, {Mapped, mapped}, {Keyed, keyed}} {
			if slices.Contains(of.names, f.Name) {
				form = of.form
			}
		}
		if f.Form != form {
			t.Errorf("%s has form %d, want %d", f.Name, f.Form, form)
		}
		if hasImpl := f.Impl != nil; hasImpl == slices.Contains(withoutImpl, f.Name) {
			t.Errorf("%s has an implementation: %v", f.Name, hasImpl)
		}
		if takesItem := form >= Inline; takesItem != (f.Item == 1) || !takesItem && f.Item != -1 {
			t.Errorf("%s has its item expression at %d", f.Name, f.Item)
		}
		arity := 0
		if f.Name == "reduce" {
			arity = 2
		} else if f.Item > 0 {
			arity = 1
		}
		if f.LambdaArity != arity {
			t.Errorf("a lambda of %s takes %d, want %d", f.Name, f.LambdaArity, arity)
		}
		if f.Item > 0 && f.ItemOptional != f.Params[f.Item].Optional {
			t.Errorf("%s: ItemOptional and the parameter disagree", f.Name)
		}
		if f.Result == 0 || f.Doc == "" || strings.Contains(f.Doc, "\n") || !slices.Contains(groups, f.Group) {
			t.Errorf("%s lacks a result, a line of doc or a group: %v %q %q", f.Name, f.Result, f.Doc, f.Group)
		}
		optional := false
		for _, p := range f.Params {
			if p.Name == "" || p.Kinds == 0 || optional && !p.Optional {
				t.Errorf("%s: bad parameter %+v", f.Name, p)
			}
			optional = p.Optional
		}
		if Lookup(f.Name) == nil || Lookup(f.Name).Name != f.Name {
			t.Errorf("Lookup(%q) does not find it", f.Name)
		}
	}
	if Lookup("upper") != nil || Lookup("") != nil {
		t.Error("Lookup finds what is no function")
	}
	Table()[0].Name = "x"
	if Table()[0].Name == "x" {
		t.Error("Table gives out its own slice")
	}
}

func TestSignature(t *testing.T) {
	for name, want := range map[string]string{
		"substring": "substring(s, from, to?)",
		"now":       "now()",
		"concat":    "concat(a, more…)",
		"sum":       "sum(xs, item?)",
		"sortBy":    "sortBy(xs, item, order?)",
		"reduce":    "reduce(xs, (acc, x) => value, init)",
		"range":     "range(n) or range(from, to, step?)",
		"windows":   "windows(from, to, step)",
		"env":       "env(name, default?)",
	} {
		if got := Lookup(name).Signature(); got != want {
			t.Errorf("Signature of %s = %q, want %q", name, got, want)
		}
	}
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		kinds Kinds
		want  string
	}{
		{KNumber, "a number"},
		{KArray | KString, "an array or a string"},
		{KText, "a string or a number"},
		{KString | KTime | KNull, "a string, a timestamp or null"},
		{KAny, "any value"},
		{KAny &^ KNull, "any value but null"},
		{KBool, "a boolean"},
		{KObject, "an object"},
		{0, "no value"},
	} {
		if got := c.kinds.String(); got != c.want {
			t.Errorf("String of %b = %q, want %q", c.kinds, got, c.want)
		}
	}
	for text, want := range map[string]Kinds{
		`null`: KNull, `true`: KBool, `1`: KNumber, `1.5`: KNumber, `1e3`: KNumber, `"a"`: KString,
		`"@2026-01-20"`: KTime, `[]`: KArray, `{}`: KObject,
	} {
		if got := KindOf(parse(t, text)); got != want {
			t.Errorf("KindOf(%s) = %v, want %v", text, got, want)
		}
	}
	if got := KindOf(value.FromFloat(0.1)); got != KNumber {
		t.Errorf("KindOf(float) = %v", got)
	}
}

func TestCheckArgs(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"substring", `["a",0]`, ""},
		{"substring", `["a",0,1]`, ""},
		{"substring", `["a"]`, "substring takes 2 or 3 arguments, found 1: write substring(s, from, to?)"},
		{"substring", `["a",0,1,2]`, "substring takes 2 or 3 arguments, found 4: write substring(s, from, to?)"},
		{"substring", `["a","x"]`, `substring: argument 2 (from) must be a number, found string "x"; toNumber(x) reads a number from text`},
		{"now", `[1]`, "now takes no arguments, found 1: write now()"},
		{"random", `[1,2]`, "random takes 0 or 1 argument, found 2: write random(n?)"},
		{"merge", `[{},{},{},1]`, "merge: argument 4 (more) must be an object, found number 1"},
		{"merge", `[]`, "merge takes at least 1 argument, found 0: write merge(o, more…)"},
		{"env", `[1]`, "env: argument 1 (name) must be a string, found number 1; toString(x) makes text"},
		{"webhookUrl", `[]`, "webhookUrl takes 1 argument, found 0: write webhookUrl(path)"},
		{"sortBy", `[[1],[1],"asc"]`, ""},
		{"sortBy", `[[1],[1],5]`, "sortBy: argument 3 (order) must be a string, found number 5; toString(x) makes text"},
		{"sum", `[[1]]`, ""},
		{"count", `[[1]]`, ""},
		{"parseDate", `["a","b","c","d"]`, "parseDate takes 1 to 3 arguments, found 4: write parseDate(s, pattern?, zone?)"},
	} {
		err := CheckArgs(Lookup(c.name), parse(t, c.args).Elems())
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("CheckArgs(%s, %s) = %q, want %q", c.name, c.args, got, c.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"upper", "uppercase"}, {"lower", "lowercase"}, {"len", "length"}, {"size", "length"},
		{"toUpperCase", "uppercase"}, {"toLowerCase", "lowercase"}, {"to_string", "toString"}, {"tostring", "toString"},
		{"str", "toString"}, {"push", "concat"}, {"parseJson", "parseJSON"}, {"group_by", "groupBy"}, {"average", "avg"},
		{"lenght", "length"}, {"subtring", "substring"}, {"formatdate", "formatDate"}, {"uniq", "unique"}, {"strftime", "formatDate"},
		{"startOfDays", "startOfDay"}, {"rond", "round"}, {"Sum", "sum"}, {"includse", "includes"},
		{"x", ""}, {"xy", ""}, {"", ""}, {"customers", ""}, {"frobnicate", ""}, {strings.Repeat("a", 1000), ""},
	} {
		if got := Suggest(c.name); got != c.want {
			t.Errorf("Suggest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
	for other, real := range otherNames {
		if Lookup(real) == nil {
			t.Errorf("%s stands for %s, which is no function", other, real)
		}
		if other != strings.ToLower(other) {
			t.Errorf("%s would never be found", other)
		}
	}
	for _, f := range Table() {
		if got := Suggest(f.Name); got != f.Name {
			t.Errorf("Suggest(%q) = %q", f.Name, got)
		}
	}
}

func TestRegexpCache(t *testing.T) {
	c := newRegexpCache()
	get := func(expr string) {
		if _, err := c.get([]value.Value{value.FromString(expr)}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 * maxCachedRegexps {
		get(fmt.Sprintf("a{%d}", i))
		if len(c.byRE) > maxCachedRegexps {
			t.Fatalf("%d expressions are kept, want at most %d", len(c.byRE), maxCachedRegexps)
		}
	}
	n := len(c.byRE)
	get("a{700}")
	get(strings.Repeat("a", maxCachedRegexpText+1))
	if _, err := c.get([]value.Value{value.FromString("(")}, 0); err == nil {
		t.Error("( is taken for an expression")
	}
	if len(c.byRE) > n+1 {
		t.Errorf("%d expressions are kept, want no long or bad one", len(c.byRE))
	}
}

// No function makes a text beyond the limit, and none starts to where it can
// know before.
func TestTextLimit(t *testing.T) {
	mib := value.FromString(strings.Repeat("a", 1<<20))
	spaces := value.FromString(strings.Repeat(" ", 50<<20))
	many := make([]value.Value, 65)
	for i := range many {
		many[i] = mib
	}
	number := value.FromInt(1)
	for _, c := range []struct {
		name string
		args []value.Value
	}{
		{"join", []value.Value{value.FromArray(many), value.FromString("")}},
		{"join", []value.Value{value.FromArray([]value.Value{value.FromArray(many)}), value.FromString("")}},
		{"concat", many},
		{"concat", []value.Value{number, value.FromArray(many)}},
		{"format", slices.Concat([]value.Value{value.FromString(strings.Repeat("{}", len(many)))}, many)},
		{"replaceAll", []value.Value{mib, value.FromString("a"), value.FromString(strings.Repeat("b", 65))}},
		{"repeat", []value.Value{mib, value.FromInt(65)}},
		{"padEnd", []value.Value{number, value.FromInt(33 << 20), value.FromString("é→")}},
		{"urlEncode", []value.Value{spaces}},
		{"base64", []value.Value{spaces}},
		{"toJSON", []value.Value{value.FromArray(many)}},
	} {
		v, err := call(t, c.name, c.args...)
		if err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
			t.Errorf("%s made %d bytes, %v", c.name, len(v.Str()), err)
		}
	}
	if v, err := call(t, "replace", mib, value.FromString("a"), mib); err != nil || len(v.Str()) != 2<<20-1 {
		t.Errorf("replace: %v", err)
	}
}

// What went wrong inside can be told from the error.
func TestErrorsUnwrap(t *testing.T) {
	_, err := call(t, "parseJSON", value.FromString(`{"a":}`))
	var syntax *value.SyntaxError
	if !errors.As(err, &syntax) || syntax.Column != 6 {
		t.Errorf("parseJSON: %v", err)
	}
}

// Text that a function leaves as it is costs nothing.
func TestUnchangedTextIsFree(t *testing.T) {
	s := value.FromString("already lower, with ümlauts, and long enough not to be inlined")
	for _, c := range []struct {
		name string
		args []value.Value
	}{
		{"lowercase", []value.Value{s}},
		{"trim", []value.Value{s}},
		{"concat", []value.Value{s}},
		{"toString", []value.Value{s}},
		{"replaceAll", []value.Value{s, value.FromString("#"), value.FromString("")}},
		{"substring", []value.Value{s, value.FromInt(3), value.FromInt(30)}},
		{"padStart", []value.Value{s, value.FromInt(3)}},
		{"startsWith", []value.Value{s, value.FromString("already")}},
		{"round", []value.Value{value.FromDecimal(1005, 3), value.FromInt(2)}},
		{"urlDecode", []value.Value{s}},
		{"first", []value.Value{value.FromArray([]value.Value{s})}},
		{"slice", []value.Value{value.FromArray([]value.Value{s}), value.FromInt(0)}},
		{"merge", []value.Value{parse(t, `{"a":1}`)}},
	} {
		f := Lookup(c.name)
		if n := testing.AllocsPerRun(100, func() {
			if _, err := f.Impl(nil, c.args); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s allocates %v times", c.name, n)
		}
	}
}
