package value

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func num(t testing.TB, text string) Value {
	t.Helper()
	v, ok := ParseNumber(text)
	if !ok {
		t.Fatalf("ParseNumber(%q) failed", text)
	}
	return v
}

func TestParseNumber(t *testing.T) {
	for _, bad := range []string{"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1_000", " 1", "1 ", "NaN", "Infinity", "--1", "1.5.2", "1e5.5", "٣"} {
		if v, ok := ParseNumber(bad); ok {
			t.Errorf("%q was read as %s", bad, Describe(v))
		}
	}
	if num(t, "42") != FromInt(42) || num(t, "19.90") != FromDecimal(1990, 2) || num(t, "1e3").Str() != "1e3" {
		t.Error("a number has the wrong form")
	}
}

func TestFloat64(t *testing.T) {
	for _, text := range []string{
		"0", "1", "-1", "0.1", "1.10", "-19.90", "123456789012345", "0.123456789012345", "99999999999999.9", "9007199254740993", "9223372036854775807",
		"12345678901234567890", "1e400", "-1e400", "1e-400", "1.7976931348623157e308", "5e-324", "2.5e-324", "0.30000000000000004", "-0",
	} {
		want, _ := strconv.ParseFloat(text, 64)
		if got := Float64(num(t, text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	for range 100_000 {
		m, scale := rand.Int64N(1e15), 1+rand.IntN(15)
		v := FromDecimal(m, scale)
		want, err := strconv.ParseFloat(string(AppendJSON(nil, v)), 64)
		if got := Float64(v); err != nil || got != want {
			t.Fatalf("%d / 10^%d: got %v, want %v", m, scale, got, want)
		}
		if w, ok := ParseNumber(Text(v)); !ok || w != v {
			t.Fatalf("%s is read as %s", Text(v), Describe(w))
		}
	}
	if !math.IsNaN(Float64(FromString("1"))) {
		t.Error("a string has a number")
	}
}

func TestAsInt(t *testing.T) {
	for text, want := range map[string]int64{
		"5": 5, "5.0": 5, "-5.00": -5, "1e3": 1000, "1E+3": 1000, "1.5e1": 15, "-0": 0, "0.0": 0, "0e99": 0, "100e-2": 1, "-0.0e5": 0,
		"9223372036854775807": math.MaxInt64, "9223372036854775807.0": math.MaxInt64, "-9223372036854775808.000": math.MinInt64,
		"-9.223372036854775808e18": math.MinInt64, "0.0000000000000000000005e22": 5, "1e18": 1e18,
	} {
		if got, ok := AsInt(num(t, text)); !ok || got != want {
			t.Errorf("%s: got %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"5.5", "0.1", "9223372036854775808", "-9223372036854775809", "1e19", "9.3e18", "1e-1", "1e400", "12345678901234567890.0", "1e99999999999999999999", "1e-99999999999999999999"} {
		if got, ok := AsInt(num(t, text)); ok {
			t.Errorf("%s: got %d", text, got)
		}
	}
	for _, c := range []struct {
		f    float64
		want int64
		ok   bool
	}{{5, 5, true}, {math.Copysign(0, -1), 0, true}, {5.5, 0, false}, {1 << 63, 0, false}, {-1 << 63, math.MinInt64, true}, {1e300, 0, false}} {
		if got, ok := AsInt(FromFloat(c.f)); got != c.want || ok != c.ok {
			t.Errorf("%v: got %d, %v", c.f, got, ok)
		}
	}
	if _, ok := AsInt(FromString("5")); ok {
		t.Error("a string is an integer")
	}
}

// A float is written in ECMAScript's form and reads as itself again.
func TestFloatText(t *testing.T) {
	for range 100_000 {
		f := math.Float64frombits(rand.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		text := Text(FromFloat(f))
		if back, err := strconv.ParseFloat(text, 64); err != nil || back != f {
			t.Fatalf("%v is written as %s", f, text)
		}
		if _, ok := ParseNumber(text); !ok {
			t.Fatalf("%s is no number of JSON", text)
		}
	}
}

// exactValue is the value that Equal documents, in exact arithmetic: that of
// the nearest float64, where that is below 2^53, for what is not whole.
func exactValue(t *testing.T, v Value) *big.Rat {
	var r *big.Rat
	if v.IsFloat() {
		r = new(big.Rat).SetFloat64(v.Float())
	} else {
		var ok bool
		if r, ok = new(big.Rat).SetString(Text(v)); !ok {
			t.Fatalf("no number: %s", Text(v))
		}
	}
	if f, _ := r.Float64(); !r.IsInt() && math.Abs(f) < 1<<53 {
		r.SetFloat64(f)
	}
	return r
}

// numbers are the forms and borders of numbers.
func numbers(t *testing.T) []Value {
	var list []Value
	for _, s := range []string{
		"0", "-0", "0.0", "-0.0", "0e5", "1e-400", "-1e-400", "1", "1.0", "1.00", "1e0", "10e-1", "-1", "-1.0", "0.1", "0.10", "1e-1", "0.1000000000000000055511151231257827",
		"0.3", "0.30000000000000004", "1.5", "1.50", "15e-1", "-1.5", "2", "1000", "1e3", "1E3", "9007199254740991", "9007199254740991.9", "9007199254740991.4",
		"9007199254740992", "9007199254740992.0", "9007199254740992.5", "9007199254740993", "9007199254740993.0", "-9007199254740993",
		"9223372036854775807", "9223372036854775807.0", "9223372036854775807.5", "9223372036854775808", "9223372036854775809", "9223372036854775808.0", "-9223372036854775808", "-9223372036854775809",
		"12345678901234567890", "12345678901234567891", "1.2345678901234567890e19", "12345678901234567890.5", "-12345678901234567890", "12345678901234567168",
		"18446744073709551616", "1e19", "1e20", "100000000000000000000", "1e100", "1e400", "10e399", "1.5e400", "-1e400", "1e308", "123456789012345.6", "99999999999999.9",
	} {
		list = append(list, num(t, s))
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 0.3, 0.1 + 0.2, 1.5, 1000, 1 << 53, 1<<53 - 1, 1 << 63, -1 << 63, 1 << 64, 12345678901234567890, 1e19, 1e20, 1e100, 1e308, 5e-324, 1.0 / 3} {
		list = append(list, FromFloat(f))
	}
	return list
}

func TestNumbersCompareByValue(t *testing.T) {
	list := numbers(t)
	exact := make([]*big.Rat, len(list))
	for i, v := range list {
		exact[i] = exactValue(t, v)
	}
	for i, a := range list {
		for j, b := range list {
			want := exact[i].Cmp(exact[j])
			if got, ok, err := Compare(a, b); got != want || !ok || err != nil {
				t.Errorf("Compare(%s, %s): got %d, want %d", Text(a), Text(b), got, want)
			}
			if got := Equal(a, b); got != (want == 0) {
				t.Errorf("Equal(%s, %s): got %v", Text(a), Text(b), got)
			}
			if got := bytes.Equal(AppendKey(nil, a), AppendKey(nil, b)); got != (want == 0) {
				t.Errorf("the keys of %s and %s are the same: %v", Text(a), Text(b), got)
			}
		}
	}
}

func FuzzCompareNumbers(f *testing.F) {
	f.Add("1.10", "1.1")
	f.Add("12345678901234567890", "1.234567890123456789e19")
	f.Add("-0", "0e7")
	f.Add("9007199254740993", "9007199254740992.9")
	f.Fuzz(func(t *testing.T, s, u string) {
		a, ok := ParseNumber(s)
		b, ok2 := ParseNumber(u)
		if !ok || !ok2 || len(s) > 400 || len(u) > 400 || exponentIsLong(s) || exponentIsLong(u) {
			return
		}
		want := exactValue(t, a).Cmp(exactValue(t, b))
		if got, _, err := Compare(a, b); got != want || err != nil {
			t.Errorf("Compare(%s, %s): got %d, want %d, %v", s, u, got, want, err)
		}
		if got := Equal(a, b); got != (want == 0) {
			t.Errorf("Equal(%s, %s): got %v", s, u, got)
		}
		if got := bytes.Equal(AppendKey(nil, a), AppendKey(nil, b)); got != (want == 0) {
			t.Errorf("the keys of %s and %s are the same: %v", s, u, got)
		}
		i, whole := AsInt(a)
		if exact := new(big.Rat); whole {
			if exact.SetString(s); exact.Cmp(new(big.Rat).SetInt64(i)) != 0 {
				t.Errorf("AsInt(%s): got %d", s, i)
			}
		} else if exact.SetString(s); exact.IsInt() && exact.Num().IsInt64() {
			t.Errorf("AsInt(%s) failed", s)
		}
	})
}

// exponentIsLong reports whether exact arithmetic would take long with s.
func exponentIsLong(s string) bool {
	i := strings.IndexAny(s, "eE")
	return i >= 0 && len(s)-i > 5
}
