package value

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAccessors(t *testing.T) {
	for _, i := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 56} {
		if v := FromInt(i); v.Kind() != Int || v.Int() != i || !v.IsInt() || !v.IsNumber() || v.IsNull() {
			t.Errorf("FromInt(%d): kind %d, %d", i, v.Kind(), v.Int())
		}
		if v := FromTime(i); v.Kind() != Time || v.Time() != i || v.IsNumber() {
			t.Errorf("FromTime(%d): kind %d, %d", i, v.Kind(), v.Time())
		}
	}
	for _, f := range []float64{0, 1.5, -math.MaxFloat64, 5e-324} {
		if v := FromFloat(f); v.Kind() != Float || v.Float() != f || !v.IsFloat() {
			t.Errorf("FromFloat(%v): kind %d, %v", f, v.Kind(), v.Float())
		}
	}
	for _, m := range []int64{0, 1, -1, 999999999999999, -999999999999999} {
		for _, s := range []int{1, 15} {
			v := FromDecimal(m, s)
			if gm, gs := v.Decimal(); v.Kind() != Decimal || gm != m || gs != s || !v.IsNumber() {
				t.Errorf("FromDecimal(%d, %d): kind %d, %d, %d", m, s, v.Kind(), gm, gs)
			}
		}
	}
	if !FromBool(true).Bool() || FromBool(false).Bool() || True.Kind() != Bool || False.IsNull() {
		t.Error("a boolean is wrong")
	}
	if v := FromString("abc"); v.Kind() != String || v.Str() != "abc" {
		t.Error("a string is wrong")
	}
	if v := FromArray([]Value{True, False}); v.Kind() != Array || len(v.Elems()) != 2 || v.Elems()[1] != False || cap(v.Elems()) != 2 {
		t.Error("an array is wrong")
	}
}

func TestTruth(t *testing.T) {
	for _, text := range []string{`null`, `false`, `0`, `-0`, `0.0`, `0e5`, `""`} {
		if Truth(parse(t, text)) {
			t.Errorf("%s is true", text)
		}
	}
	for _, text := range []string{`true`, `1`, `-1`, `0.1`, `1e-5`, `"0"`, `" "`, `[]`, `{}`, `[0]`, `12345678901234567890`} {
		if !Truth(parse(t, text)) {
			t.Errorf("%s is false", text)
		}
	}
	if Truth(FromFloat(0)) || Truth(FromFloat(math.Copysign(0, -1))) || !Truth(FromFloat(0.5)) || !Truth(FromTime(0)) {
		t.Error("a computed value has the wrong truth")
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`null`, `null`, true}, {`null`, `false`, false}, {`null`, `0`, false}, {`null`, `""`, false}, {`false`, `0`, false},
		{`"1"`, `1`, false}, {`1`, `1.0`, true}, {`1.10`, `1.1`, true}, {`true`, `true`, true}, {`true`, `false`, false},
		{`"a"`, `"a"`, true}, {`"a"`, `"b"`, false}, {`""`, `[]`, false}, {`[]`, `{}`, false},
		{`[1,[2,"x"]]`, `[1.0,[2,"x"]]`, true}, {`[1,2]`, `[2,1]`, false}, {`[1]`, `[1,2]`, false},
		{`{"a":1,"b":{"c":[1]}}`, `{"b":{"c":[1e0]},"a":1}`, true}, {`{"a":1}`, `{"a":1,"b":2}`, false}, {`{"a":null}`, `{}`, false}, {`{"a":null}`, `{"b":null}`, false},
		{`"2026-01-20T09:00:00Z"`, `"2026-01-20T09:00:00.000Z"`, false}, // two strings
	} {
		a, b := parse(t, c.a), parse(t, c.b)
		if Equal(a, b) != c.want || Equal(b, a) != c.want {
			t.Errorf("%s == %s: got %v", c.a, c.b, Equal(a, b))
		}
		if got := bytes.Equal(AppendKey(nil, a), AppendKey(nil, b)); got != c.want {
			t.Errorf("the keys of %s and %s are the same: %v", c.a, c.b, got)
		}
	}
	at := FromTime(1768899600000)
	for text, want := range map[string]bool{
		"2026-01-20T09:00:00Z": true, "2026-01-20T09:00:00.000Z": true, "2026-01-20t10:30:00.0+01:30": true, "2026-01-20T09:00:00.0000000Z": true,
		"2026-01-20T09:00:00.0001Z": false, "2026-01-20T09:00:01Z": false, "2026-01-20": false, "2026-01-20 09:00:00Z": true, "2026-01-20 09:00": true, "2026-01-20T10:00:00+0100": true, "Tue, 20 Jan 2026 09:00:00 GMT": true, "": false, "x": false,
	} {
		if s := FromString(text); Equal(at, s) != want || Equal(s, at) != want {
			t.Errorf("the timestamp == %q: got %v", text, Equal(at, s))
		}
	}
	if !Equal(FromTime(1768867200000), FromString("2026-01-20")) {
		t.Error("a timestamp of midnight is not its date")
	}
	if Equal(at, FromInt(1768899600000)) || !Equal(at, FromTime(1768899600000)) {
		t.Error("a timestamp is equal to a number, or not to itself")
	}
	if !bytes.Equal(AppendKey(nil, at), AppendKey(nil, FromString("2026-01-20T09:00:00.000Z"))) {
		t.Error("a timestamp has not the key of its text")
	}
}

func TestCompare(t *testing.T) {
	at := func(ms int64) Value { return FromTime(ms) }
	str := FromString
	for _, c := range []struct {
		a, b Value
		want int
	}{
		{FromInt(1), FromInt(2), -1}, {FromInt(2), FromDecimal(15, 1), 1}, {FromFloat(0.5), FromDecimal(50, 2), 0},
		{FromInt(math.MaxInt64), FromFloat(1 << 63), -1}, {FromInt(1<<53 + 1), FromFloat(1 << 53), 1},
		{str("a"), str("b"), -1}, {str("a"), str("A"), 1}, {str(""), str("a"), -1}, {str("é"), str("z"), 1}, {str("\ufffd"), str("😀"), -1}, {str("10"), str("9"), -1},
		{at(1), at(2), -1}, {at(2), at(2), 0},
		{at(1768899600000), str("2026-01-20T09:00:00Z"), 0}, {at(1768899600000), str("2026-01-20"), 1}, {at(1768899600000), str("2026-01-20T09:00:00.0001Z"), -1},
		{str("2026-01-20T10:00:00+01:00"), str("2026-01-20T09:30:00Z"), -1}, {str("2026-01-20T09:00:00.10Z"), str("2026-01-20T09:00:00.1Z"), 0},
		{str("2026-01-20T09:00:00.1234567891Z"), str("2026-01-20T09:00:00.1234567890Z"), 1}, {str("2026-01-20T09:00:00.9Z"), str("2026-01-20T09:00:00.10Z"), 1},
		{str("1969-12-31T23:59:59.5Z"), at(-500), 0}, {str("1969-12-31T23:59:59.4Z"), at(-500), -1},
		{str("2026-01-20"), str("2026-01-21"), -1}, {str("2026-01-20T09:00:00Z"), str("x"), -1}, {str("2026-13-20T09:00:00Z"), str("2026-12-20T09:00:00+10:00"), 1},
	} {
		if got, ok, err := Compare(c.a, c.b); got != c.want || !ok || err != nil {
			t.Errorf("Compare(%s, %s): got %d, %v, %v, want %d", Describe(c.a), Describe(c.b), got, ok, err, c.want)
		}
		if got, ok, err := Compare(c.b, c.a); got != -c.want || !ok || err != nil {
			t.Errorf("Compare(%s, %s): got %d, %v, %v, want %d", Describe(c.b), Describe(c.a), got, ok, err, -c.want)
		}
	}
	for _, v := range []Value{{}, FromInt(1), str("a"), True, at(1), FromArray(nil)} {
		for _, pair := range [][2]Value{{v, {}}, {{}, v}} {
			if _, ok, err := Compare(pair[0], pair[1]); ok || err != nil {
				t.Errorf("Compare(%s, %s): got %v, %v", Describe(pair[0]), Describe(pair[1]), ok, err)
			}
		}
	}
	for _, c := range []struct{ a, b, want string }{
		{`1`, `"a"`, "can't order number 1 and string \"a\", expected two numbers, two strings or two dates"},
		{`true`, `false`, "can't order boolean true and boolean false, expected two numbers, two strings or two dates"},
		{`[1]`, `[2]`, "can't order array [1] and array [2], expected two numbers, two strings or two dates"},
		{`{}`, `1`, "can't order object {} and number 1, expected two numbers, two strings or two dates"},
	} {
		if _, _, err := Compare(parse(t, c.a), parse(t, c.b)); err == nil || err.Error() != c.want {
			t.Errorf("Compare(%s, %s): error %v", c.a, c.b, err)
		}
	}
	const want = `can't order date "1970-01-01T00:00:00.000Z" and string "x": the string is no time, expected a form such as 2026-01-20T09:00:00Z or 2026-01-20`
	if _, _, err := Compare(at(0), str("x")); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
	if _, _, err := Compare(str("x"), at(0)); err == nil {
		t.Error("a string that is no date is ordered with a timestamp")
	}
	if _, _, err := Compare(at(0), FromInt(0)); err == nil {
		t.Error("a number is ordered with a timestamp")
	}
}

// randomValue makes values that are often equal in different forms.
func randomValue(r *rand.Rand, depth int) Value {
	n := 9
	if depth > 0 {
		n = 12
	}
	i := r.IntN(4)
	switch r.IntN(n) {
	case 0:
		return Value{}
	case 1:
		return FromBool(i&1 == 0)
	case 2:
		return FromInt(int64(i))
	case 3:
		return FromFloat(float64(i) / 2)
	case 4:
		return FromDecimal(int64(i)*50, 2)
	case 5:
		v, _ := ParseNumber([]string{"1e0", "-0", "12345678901234567890", "1.2345678901234567890e19"}[i])
		return v
	case 6:
		return FromString([]string{"", "a", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.001Z"}[i])
	case 7:
		return FromTime(int64(i))
	case 8:
		return FromString(strings.Repeat("x", i))
	case 9:
		var elems []Value
		for range i {
			elems = append(elems, randomValue(r, depth-1))
		}
		return FromArray(elems)
	}
	b := &ObjectBuilder{}
	keys := []string{"a", "b", "c"}
	r.Shuffle(3, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, k := range keys[:i%3] {
		b.Set(k, randomValue(r, depth-1))
	}
	return b.Value()
}

func TestEqualKeyAndOrderAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	equal := 0
	for range 200_000 {
		a, b := randomValue(r, 2), randomValue(r, 2)
		eq := Equal(a, b)
		if eq != Equal(b, a) || !Equal(a, a) {
			t.Fatalf("%s == %s depends on the side", Describe(a), Describe(b))
		}
		ka, kb := AppendKey(nil, a), AppendKey(nil, b)
		if bytes.Equal(ka, kb) != eq {
			t.Fatalf("%s == %s: %v, but their keys are %q and %q", Describe(a), Describe(b), eq, ka, kb)
		}
		if len(ka) != len(kb) && (bytes.HasPrefix(ka, kb) || bytes.HasPrefix(kb, ka)) {
			t.Fatalf("the key of %s and that of %s start alike", Describe(a), Describe(b))
		}
		x, ok, err := Compare(a, b)
		y, ok2, err2 := Compare(b, a)
		if x != -y || ok != ok2 || (err == nil) != (err2 == nil) {
			t.Fatalf("Compare(%s, %s): %d and %d", Describe(a), Describe(b), x, y)
		}
		if ok && (x == 0) != eq {
			t.Fatalf("Compare(%s, %s) is %d, Equal %v", Describe(a), Describe(b), x, eq)
		}
		if eq {
			equal++
		}
		Describe(a)
		if c := Clone(a); !Equal(a, c) || Text(c) != Text(a) {
			t.Fatalf("the copy of %s is %s", Describe(a), Describe(c))
		}
	}
	if equal < 1000 {
		t.Errorf("only %d pairs were equal", equal)
	}
}

func TestField(t *testing.T) {
	v := parse(t, `{"a":{"b":[{"c":1},{"d":2},null,{"c":null},[{"c":3}],"x"]},"s":"häß","length":7,"n":1}`)
	for path, want := range map[string]string{
		"a.b.c": `[1,null,null,null,[3],null]`, "a.x": `null`, "x.y.z": `null`, "s.length": `3`, "a.b.length": `6`, "length": `7`, "n.length": `null`, "s.x": `null`, "a.length": `null`,
	} {
		got := v
		for name := range strings.SplitSeq(path, ".") {
			got = Field(got, name)
		}
		if text := string(AppendJSON(nil, got)); text != want {
			t.Errorf("%s: got %s, want %s", path, text, want)
		}
	}
	if got := Field(FromArray([]Value{True}), "length"); got != FromInt(1) {
		t.Errorf("the length of a list is %s", Describe(got))
	}
}

func TestIndex(t *testing.T) {
	for _, c := range []struct{ v, i, want string }{
		{`[1,2,3]`, `0`, `1`}, {`[1,2,3]`, `2`, `3`}, {`[1,2,3]`, `3`, `null`}, {`[1,2,3]`, `-1`, `3`}, {`[1,2,3]`, `-3`, `1`}, {`[1,2,3]`, `-4`, `null`},
		{`[1,2,3]`, `1.0`, `2`}, {`[1,2,3]`, `1e0`, `2`}, {`[1,2,3]`, `12345678901234567890`, `null`}, {`[1]`, `-1e30`, `null`}, {`[1]`, `-9223372036854775808`, `null`}, {`[1]`, `9223372036854775807`, `null`},
		{`{"a":1}`, `"a"`, `1`}, {`{"a":1}`, `"b"`, `null`}, {`{"42":1}`, `42`, `1`}, {`{"1.50":1}`, `1.50`, `1`},
		{`"aé😀"`, `1`, `"é"`}, {`"aé😀"`, `-1`, `"😀"`}, {`"aé😀"`, `3`, `null`}, {`"aé😀"`, `-4`, `null`}, {`""`, `0`, `null`}, {`"abc"`, `-9223372036854775808`, `null`},
		{`null`, `0`, `null`}, {`null`, `"a"`, `null`}, {`null`, `[]`, `null`},
	} {
		got, err := Index(parse(t, c.v), parse(t, c.i))
		if text := string(AppendJSON(nil, got)); text != c.want || err != nil {
			t.Errorf("%s[%s]: got %s, %v, want %s", c.v, c.i, text, err, c.want)
		}
	}
	for _, c := range []struct{ v, i, want string }{
		{`[1]`, `"a"`, `an array is indexed by a whole number, found string "a"`}, {`[1]`, `0.5`, `an array is indexed by a whole number, found number 0.5`},
		{`[1]`, `null`, `an array is indexed by a whole number, found null`}, {`"a"`, `true`, `a string is indexed by a whole number, found boolean true`},
		{`"a"`, `9007199254740993.5`, `a string is indexed by a whole number, found number 9007199254740993.5`},
		{`{}`, `null`, `an object is indexed by a string, found null`}, {`1`, `0`, `only arrays, objects and strings have an index, found number 1 indexed by number 0`},
	} {
		if got, err := Index(parse(t, c.v), parse(t, c.i)); err == nil || err.Error() != c.want {
			t.Errorf("%s[%s]: got %s, %v", c.v, c.i, Describe(got), err)
		}
	}
}

func TestLength(t *testing.T) {
	for text, want := range map[string]int{`null`: 0, `""`: 0, `"aé😀"`: 3, `[]`: 0, `[1,null]`: 2, `{"a":1}`: 1} {
		if n, ok := Length(parse(t, text)); n != want || !ok {
			t.Errorf("%s: got %d, %v", text, n, ok)
		}
	}
	for _, v := range []Value{True, FromInt(1), FromFloat(1.5), FromTime(0)} {
		if _, ok := Length(v); ok {
			t.Errorf("%s has a length", Describe(v))
		}
	}
}

func TestArithmetic(t *testing.T) {
	ops := map[string]func(a, b Value) (Value, error){"+": Add, "-": Sub, "*": Mul, "/": Div, "%": Mod}
	const maxInt, minInt = `9223372036854775807`, `-9223372036854775808`
	for _, c := range []struct{ a, op, b, want string }{
		{`1`, `+`, `2`, `3`}, {maxInt, `+`, `1`, `9223372036854776000`}, {minInt, `+`, `-1`, `-9223372036854776000`}, {maxInt, `+`, minInt, `-1`}, {`5`, `+`, `0`, `5`}, {`-5`, `+`, `0`, `-5`},
		{`0.1`, `+`, `0.2`, `0.30000000000000004`}, {`1.5`, `+`, `1.5`, `3`}, {`1.50`, `+`, `1`, `2.5`}, {`1e3`, `+`, `1`, `1001`},
		{`12345678901234567890`, `+`, `1`, `12345678901234567000`}, {`"a"`, `+`, `1`, `"a1"`}, {`1.50`, `+`, `"a"`, `"1.50a"`}, {`null`, `+`, `"a"`, `"a"`}, {`"a"`, `+`, `null`, `"a"`},
		{`"a"`, `+`, `"b"`, `"ab"`}, {`""`, `+`, `""`, `""`}, {`"a"`, `+`, `[1,{"b":null}]`, `"a[1,{\"b\":null}]"`}, {`true`, `+`, `" x"`, `"true x"`},
		{`3`, `-`, `5`, `-2`}, {minInt, `-`, `1`, `-9223372036854776000`}, {`0`, `-`, minInt, `9223372036854776000`}, {`-1`, `-`, minInt, maxInt}, {`7`, `-`, `0`, `7`}, {`0.3`, `-`, `0.1`, `0.19999999999999998`},
		{`6`, `*`, `7`, `42`}, {`-6`, `*`, `7`, `-42`}, {maxInt, `*`, `2`, `18446744073709552000`}, {`3037000500`, `*`, `3037000500`, `9223372037000250000`}, {minInt, `*`, `-1`, `9223372036854776000`},
		{`-1`, `*`, minInt, `9223372036854776000`}, {minInt, `*`, `1`, minInt}, {`4294967296`, `*`, `-2147483648`, minInt}, {`4294967296`, `*`, `2147483648`, `9223372036854776000`}, {`19.90`, `*`, `100`, `1989.9999999999998`}, {`2.5`, `*`, `4`, `10`},
		{`6`, `/`, `3`, `2`}, {`7`, `/`, `2`, `3.5`}, {`-7`, `/`, `7`, `-1`}, {`1`, `/`, `3`, `0.3333333333333333`}, {`0`, `/`, `5`, `0`}, {minInt, `/`, `-1`, `9223372036854776000`}, {`5.0`, `/`, `2.5`, `2`},
		{`7`, `%`, `3`, `1`}, {`-7`, `%`, `3`, `-1`}, {`7`, `%`, `-3`, `1`}, {minInt, `%`, `-1`, `0`}, {`7.5`, `%`, `2`, `1.5`}, {`-7.5`, `%`, `2`, `-1.5`},
	} {
		got, err := ops[c.op](parse(t, c.a), parse(t, c.b))
		if text := string(AppendJSON(nil, got)); text != c.want || err != nil {
			t.Errorf("%s %s %s: got %s, %v, want %s", c.a, c.op, c.b, text, err, c.want)
		}
	}
	for _, c := range []struct{ a, op, b, want string }{
		{`1`, `/`, `0`, "division by zero: number 1 / number 0"}, {`1.5`, `/`, `0.0`, "division by zero: number 1.5 / number 0.0"}, {`5`, `%`, `0`, "modulo by zero: number 5 % number 0"}, {`5`, `%`, `-0`, "modulo by zero: number 5 % number -0"},
		{`null`, `+`, `1`, "`+` needs two numbers, a date and a number, or a string, found null and number 1"}, {`true`, `+`, `1`, "`+` needs two numbers, a date and a number, or a string, found boolean true and number 1"},
		{`[]`, `+`, `[]`, "`+` needs two numbers, a date and a number, or a string, found array [] and array []"},
		{`null`, `*`, `3`, "`*` needs two numbers, found null and number 3"}, {`"2"`, `*`, `3`, "`*` needs two numbers, found string \"2\" and number 3"}, {`1`, `/`, `null`, "`/` needs two numbers, found number 1 and null"}, {`{}`, `%`, `1`, "`%` needs two numbers, found object {} and number 1"},
		{`null`, `-`, `null`, "`-` needs two numbers, two dates, or a date and a number, found null and null"}, {`"2026-01-20"`, `-`, `"2026-01-19"`, "`-` needs two numbers, two dates, or a date and a number, found string \"2026-01-20\" and string \"2026-01-19\""},
		{`1e308`, `*`, `10`, "the result is too large for a number, expected at most 1.8e308 either way: number 1e308 * number 10"}, {`1e308`, `+`, `1e308`, "the result is too large for a number, expected at most 1.8e308 either way: number 1e308 + number 1e308"},
		{`1e400`, `*`, `0`, "the result is too large for a number, expected at most 1.8e308 either way: number 1e400 * number 0"}, {`1`, `/`, `1e400`, "the result is too large for a number, expected at most 1.8e308 either way: number 1 / number 1e400"},
		{`5`, `%`, `1e400`, "the result is too large for a number, expected at most 1.8e308 either way: number 5 % number 1e400"}, {`1e308`, `/`, `0.1`, "the result is too large for a number, expected at most 1.8e308 either way: number 1e308 / number 0.1"},
	} {
		if got, err := ops[c.op](parse(t, c.a), parse(t, c.b)); err == nil || err.Error() != c.want {
			t.Errorf("%s %s %s: got %s, %v", c.a, c.op, c.b, Describe(got), err)
		}
	}
}

func TestNeg(t *testing.T) {
	for text, want := range map[string]string{
		`5`: `-5`, `-5`: `5`, `0`: `0`, `1.10`: `-1.1`, `9223372036854775808`: `-9223372036854775808`, `-9223372036854775808`: `9223372036854776000`, `1e3`: `-1000`, `0.0`: `0`,
	} {
		if got, err := Neg(parse(t, text)); err != nil || Text(got) != want {
			t.Errorf("-%s: got %s, %v, want %s", text, Text(got), err, want)
		}
	}
	for text, want := range map[string]string{
		`null`: "`-` needs a number, found null", `"1"`: "`-` needs a number, found string \"1\"", `1e400`: "the result is too large for a number, expected at most 1.8e308 either way: -1e400",
	} {
		if _, err := Neg(parse(t, text)); err == nil || err.Error() != want {
			t.Errorf("-%s: error %v", text, err)
		}
	}
}

func TestTimeArithmetic(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	at, str := FromTime(10*day), FromString
	last, first := FromTime(MaxTime), FromTime(MinTime)
	for _, c := range []struct {
		op   func(a, b Value) (Value, error)
		a, b Value
		want Value
	}{
		{Add, at, FromInt(day), FromTime(11 * day)}, {Add, FromInt(day), at, FromTime(11 * day)}, {Add, at, FromFloat(0.5), FromTime(10*day + 1)}, {Add, at, FromDecimal(14, 1), FromTime(10*day + 1)},
		{Sub, at, FromInt(day), FromTime(9 * day)}, {Sub, at, FromInt(-day), FromTime(11 * day)}, {Sub, at, FromTime(day), FromInt(9 * day)}, {Sub, FromTime(day), at, FromInt(-9 * day)},
		{Sub, at, str("1970-01-02T00:00:00Z"), FromInt(9 * day)}, {Sub, str("1970-01-02T01:00:00+01:00"), at, FromInt(-9 * day)}, {Sub, at, str("1970-01-01"), FromInt(10 * day)},
		{Sub, last, first, FromInt(MaxTime - MinTime)}, {Add, first, FromInt(MaxTime - MinTime), last}, {Sub, last, FromInt(MaxTime - MinTime), first},
		{Add, at, str("!"), str("1970-01-11T00:00:00.000Z!")}, {Add, str("at "), at, str("at 1970-01-11T00:00:00.000Z")},
	} {
		if got, err := c.op(c.a, c.b); err != nil || got != c.want && Text(got) != Text(c.want) || got.Kind() != c.want.Kind() {
			t.Errorf("%s and %s: got %s, %v, want %s", Describe(c.a), Describe(c.b), Describe(got), err, Describe(c.want))
		}
	}
	for _, c := range []struct {
		op   func(a, b Value) (Value, error)
		a, b Value
		want string
	}{
		{Add, last, FromInt(1), `date out of range, expected a year from 0000 to 9999: date "9999-12-31T23:59:59.999Z" shifted by number 1 ms`},
		{Sub, first, FromInt(1), `date out of range, expected a year from 0000 to 9999: date "0000-01-01T00:00:00.000Z" shifted by number 1 ms`},
		{Sub, at, FromInt(math.MinInt64), `date out of range`}, {Add, at, FromInt(math.MaxInt64), `date out of range`}, {Add, at, FromFloat(1e300), `date out of range`}, {Sub, at, FromNumText("1e400"), `date out of range`},
		{Add, at, at, "`+` needs two numbers, a date and a number, or a string, found date"}, {Sub, FromInt(1), at, "`-` needs two numbers, two dates, or a date and a number, found number 1 and date"},
		{Sub, at, str("yesterday"), "`-` needs two numbers, two dates, or a date and a number, found date"}, {Sub, at, Value{}, "`-` needs"}, {Add, Value{}, at, "`+` needs"}, {Mul, at, FromInt(2), "`*` needs two numbers, found date"},
	} {
		if got, err := c.op(c.a, c.b); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s and %s: got %s, %v", Describe(c.a), Describe(c.b), Describe(got), err)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		`null`: "", `true`: "true", `"a\nb"`: "a\nb", `1.10`: "1.10", `12345678901234567890`: "12345678901234567890", `[1, "a"]`: `[1,"a"]`, `{"a": {}}`: `{"a":{}}`, `""`: "",
	} {
		if v := parse(t, text); Text(v) != want || string(AppendText([]byte("x"), v)) != "x"+want {
			t.Errorf("%s: got %q, want %q", text, Text(v), want)
		}
	}
	if got := Text(FromTime(1768899600001)); got != "2026-01-20T09:00:00.001Z" {
		t.Errorf("a timestamp is %s", got)
	}
}

func TestTypeNameAndDescribe(t *testing.T) {
	for _, c := range []struct {
		v              Value
		name, describe string
	}{
		{Value{}, "null", "null"}, {True, "boolean", "boolean true"}, {FromInt(12), "number", "number 12"}, {FromDecimal(110, 2), "number", "number 1.10"}, {FromFloat(1.5), "number", "number 1.5"}, {FromNumText("1e3"), "number", "number 1e3"},
		{FromString("a\"b"), "string", `string "a\"b"`}, {FromTime(0), "date", `date "1970-01-01T00:00:00.000Z"`}, {parse(t, `[1,"a"]`), "array", `array [1,"a"]`}, {parse(t, `{"a":[]}`), "object", `object {"a":[]}`},
		{FromArray([]Value{True}), "array", "array [true]"},
		{FromString(strings.Repeat("é", 100)), "string", `string "` + strings.Repeat("é", 39) + `…`},
		{FromString(strings.Repeat("x", 78)), "string", `string "` + strings.Repeat("x", 78) + `"`},
		{FromString(strings.Repeat("x", 79)), "string", `string "` + strings.Repeat("x", 79) + `…`},
		{FromNumText(strings.Repeat("9", 100)), "number", "number " + strings.Repeat("9", 80) + "…"},
	} {
		if got := TypeName(c.v); got != c.name {
			t.Errorf("%s: type %s, want %s", Text(c.v), got, c.name)
		}
		if got := Describe(c.v); got != c.describe {
			t.Errorf("got %s, want %s", got, c.describe)
		}
	}
	b := &ObjectBuilder{}
	for i := range 100_000 {
		b.Set(fmt.Sprint("key", i), FromString(strings.Repeat("y", 1000)))
	}
	v := b.Value()
	for _, v := range []Value{v, FromArray([]Value{v, v})} {
		if got := Describe(v); len(got) > 100 || !strings.HasSuffix(got, "…") || !utf8.ValidString(got) {
			t.Errorf("got %s", got)
		}
		if n := testing.AllocsPerRun(10, func() { Describe(v) }); n > 8 {
			t.Errorf("describing a big value takes %v allocations", n)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]int64{
		"1970-01-01": 0, "1970-01-01T00:00:00Z": 0, "2026-01-20T09:00:00Z": 1768899600000, "2026-01-20t09:00:00z": 1768899600000, "2026-01-20T10:30:00+01:30": 1768899600000, "2026-01-20T03:30:00-05:30": 1768899600000, "2026-01-20T09:00:00-00:00": 1768899600000,
		"2026-01-20T09:00:00.5Z": 1768899600500, "2026-01-20T09:00:00.123456789Z": 1768899600123, "2026-01-20T09:00:00.0009Z": 1768899600001, "2026-01-20T09:00:00.0004999Z": 1768899600000, "2026-01-20T09:00:00.0005Z": 1768899600001, "1969-12-31T23:59:59.999Z": -1, "1969-12-31T23:59:59.9999Z": 0, "1969-12-31T23:59:59.9994Z": -1, "2017-01-01T05:29:60+05:30": 1483228800000, "1969-12-31": -86400000,
		"2000-02-29": 951782400000, "2024-02-29T00:00:00Z": 1709164800000, "0000-01-01": MinTime, "9999-12-31T23:59:59.999Z": MaxTime, "9999-12-31T23:59:59.9999Z": MaxTime,
	} {
		if got, ok := ParseTime(text); got != want || !ok || !IsDateText(text) {
			t.Errorf("%s: got %d, %v, want %d", text, got, ok, want)
		}
	}
	// What is read as a time, and is none to a schema's `date`.
	for text, want := range map[string]int64{
		"2026-01-20T09:00:00": 1768899600000, "2026-01-20 09:00:00": 1768899600000, "2026-01-20 09:00": 1768899600000, "2026-01-20T09:00": 1768899600000,
		"2026-01-20 09:00:00.25": 1768899600250, "2026-01-20T09:00:00.5": 1768899600500, "2026-01-20T09:00Z": 1768899600000, "2026-01-20 09:00:00Z": 1768899600000,
		"2026-01-20T10:00:00+0100": 1768899600000, "2026-01-20T10:00:00+01": 1768899600000, "2026-01-20T10:00:00.000+0100": 1768899600000, "2026-01-20 03:30-0530": 1768899600000,
		"2026-01-20 10:00:00 +0100": 1768899600000, "2026-01-20 10:00:00 +01:00": 1768899600000, "2026-01-20 09:00:00 UTC": 1768899600000, "2026-01-20T09:00:00 GMT": 1768899600000,
		"Tue, 20 Jan 2026 09:00:00 GMT": 1768899600000, "Tue, 20 Jan 2026 10:00:00 +0100": 1768899600000, "20 Jan 2026 09:00:00 UT": 1768899600000, "tue, 20 JAN 2026 09:00 gmt": 1768899600000,
		"Tue,  6 Jan 2026 09:00:00 GMT": 1767690000000, "6 Jan 2026 09:00:00 +00:00": 1767690000000, "Mon, 20 Jan 2026 09:00:00 GMT": 1768899600000,
	} {
		if got, ok := ParseTime(text); got != want || !ok || IsDateText(text) {
			t.Errorf("%s: got %d, %v, want %d; a date: %v", text, got, ok, want, IsDateText(text))
		}
	}
	for text, want := range map[string]int64{"2016-12-31T23:59:60Z": 1483228800000, "2017-01-01T00:59:60.5+01:00": 1483228800500} {
		if got, ok := ParseTime(text); got != want || !ok {
			t.Errorf("the leap second %s: got %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "2026", "2026-1-20", "2026-01-32", "2026-00-10", "2026-13-10", "2025-02-29", "1900-02-29", "2026-04-31", "2026-01-00", "20260120", "2026-01-20T", "2026-01-20T24:00:00Z", "2026-01-20T09:60:00Z", "2026-01-20T09:00:60Z", "2026-01-20T09:59:61Z",
		"2026-01-20T09:00:00.Z", "2026-01-20T09:00:00,5Z", "2026-01-20T09:00:00.", "2026-01-20T09:00:00+24:00", "2026-01-20T09:00:00+01:60", "2026-01-20T9:00:00Z", " 2026-01-20", "2026-01-20 ", "2026-01-20T09:00:00ZZ", "+2026-01-20", "-026-01-20", "2026-01-2٣",
		"0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2026-01-20T09:00:00.5+", "2026/01/20", "a026-01-20", "2026-0a-20", "2026-01-20T09", "2026-01-20T09:0", "2026-01-20T09:00:0", "2026-01-20  09:00", "2026-01-20 09:00:00  UTC",
		"2026-01-20 09:00:00 EST", "2026-01-20_09:00:00", "2026-01-20T09:00:00+2400", "2026-01-20T09:00:00+01:0",
		"Tue, 20 Jan 2026 09:00:00", "Tue, 20 Jan 2026 09:00:00 EST", "Tue, 32 Jan 2026 09:00:00 GMT", "Tue, 20 Jax 2026 09:00:00 GMT", "Xyz, 20 Jan 2026 09:00:00 GMT", "Tuesday, 20-Jan-26 09:00:00 GMT", "Tue Jan 20 09:00:00 2026", "Tue, 20 Jan 2026", "Tue,", "2 ", "20 Jan", "Tue, 20 Jan 26 09:00:00 GMT", "never", "N/A", "1768899600",
	} {
		if got, ok := ParseTime(text); ok || IsDateText(text) {
			t.Errorf("%s was read as %d", text, got)
		}
	}
}

func TestParseTimeInZone(t *testing.T) {
	zone, err := Zone("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-01-20T04:00:00": "2026-01-20T09:00:00.000Z", "2026-07-20 05:00": "2026-07-20T09:00:00.000Z", "2026-01-20": "2026-01-20T05:00:00.000Z",
		"2026-01-20T04:00:00Z": "2026-01-20T04:00:00.000Z", "2026-01-20T10:00:00+0100": "2026-01-20T09:00:00.000Z", "Tue, 20 Jan 2026 09:00:00 GMT": "2026-01-20T09:00:00.000Z",
		// The clock goes from 02:00 to 03:00, and in autumn back from 02:00 to 01:00.
		"2026-03-08T02:30:00": "2026-03-08T07:30:00.000Z", "2026-11-01T01:30:00.250": "2026-11-01T05:30:00.250Z", "1969-12-31T18:59:59.5": "1969-12-31T23:59:59.500Z",
	} {
		ms, ok := ParseTimeIn(text, zone)
		if got := string(AppendTime(nil, ms)); !ok || got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, ok, want)
		}
	}
	if ms, ok := ParseTimeIn("9999-12-31T23:00:00", zone); ok {
		t.Errorf("a time that can't be written was read as %d", ms)
	}
	for _, name := range []string{"", "Local", "Mars/Olympus", "EST5"} {
		if _, err := Zone(name); err == nil {
			t.Errorf("the zone %q exists", name)
		}
	}
}

// rfc3339 is the grammar of RFC 3339, section 5.6; time.Parse is laxer.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

var leapSecond = regexp.MustCompile(`^....-..-..[Tt]..:(14|29|44|59):60`)

// parseTimeSlowly is ParseTime by way of the standard library.
func parseTimeSlowly(s string) (ms int64, ok bool) {
	layout := time.DateOnly
	leap := int64(0)
	if leapSecond.MatchString(s) { // which time.Parse does not read
		s, leap = s[:17]+"59"+s[19:], 1000
	}
	if rfc3339.MatchString(s) {
		layout, s = time.RFC3339, strings.ToUpper(s)
	}
	t, err := time.Parse(layout, s)
	t = t.Add(time.Duration(leap) * time.Millisecond)
	year := t.UTC().Year()
	ms = t.UnixMilli()
	if t.Nanosecond()%1e6 >= 5e5 {
		ms = min(ms+1, MaxTime)
	}
	return ms, err == nil && year >= 0 && year <= 9999
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{
		"2026-01-20", "2026-01-20T09:00:00Z", "2026-01-20T09:00:00.123+05:30", "2024-02-29T23:59:59.9-23:59", "2026-01-20t09:00:00z",
		"0000-01-01T00:00:00+00:01", "1969-12-31T23:59:59.99999Z", "0000-01-10t0:00:00Z", "2026-01-20T09:00:00,5Z",
		"Tue, 20 Jan 2026 09:00:00 GMT", "2026-01-20 09:00", "2026-01-20 10:00:00 +0100", "2016-12-31T23:59:60Z", "6 Jan 2026 09:00 UT",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, valid := parseTimeSlowly(s)
		got, ok := ParseTime(s)
		if date := IsDateText(s); date != valid || date && got != want {
			t.Fatalf("%q: got %d, %v, want %d, %v", s, got, date, want, valid)
		}
		if utc, okUTC := ParseTimeIn(s, time.UTC); ok != okUTC || utc != got {
			t.Fatalf("%q: got %d, %v, in UTC %d, %v", s, got, ok, utc, okUTC)
		}
		if ok {
			text := string(AppendTime(nil, got))
			if back, ok := ParseTime(text); !ok || back != got {
				t.Fatalf("%q is written as %s", s, text)
			}
		}
	})
}

func TestAppendTime(t *testing.T) {
	for range 200_000 {
		ms := MinTime + rand.Int64N(MaxTime-MinTime+1)
		want := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
		if got := string(AppendTime(nil, ms)); got != want {
			t.Fatalf("%d: got %s, want %s", ms, got, want)
		}
		if back, ok := ParseTime(want); !ok || back != ms {
			t.Fatalf("%s: got %d, want %d", want, back, ms)
		}
	}
	for ms, want := range map[int64]string{
		MinTime: "0000-01-01T00:00:00.000Z", MaxTime: "9999-12-31T23:59:59.999Z", MaxTime + 1: "+010000-01-01T00:00:00.000Z", MinTime - 1: "-000001-12-31T23:59:59.999Z",
		math.MaxInt64: "+292278994-08-17T07:12:55.807Z", math.MinInt64: "-292275055-05-16T16:47:04.192Z",
	} {
		if got := string(AppendTime(nil, ms)); got != want {
			t.Errorf("%d: got %s, want %s", ms, got, want)
		}
	}
}
