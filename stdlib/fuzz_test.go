package stdlib

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"reqon/vm/value"
)

// interesting are values that functions may trip over.
var interesting = strings.Fields(`
null true false 0 1 -1 2 -0 0.5 1.10 1e3 1e400 1e-400 -1e400 12345678901234567890 -12345678901234567890.5
9223372036854775807 -9223372036854775808 1e99999999999999999999 0.000000001
"" "a" "," "é→👍" "2026-01-20" "2026-01-20T09:00:00.123+02:00" "@2026-01-20T09:00:00Z" "@0000-01-01" "@9999-12-31"
"Europe/Berlin" "UTC" "YYYY-MM-DD" "asc" "desc" "sha256" "{}" "{" "[" "(a)|b" "(" "%41" "%4" "aGk=" "12.50" "true" "a.b.0"
[] {} [null] [[]] [1,2,3] ["b","a"] [1,"a"] [[1,[2]]] [["a",1]] {"a":1} {"a":{"b":[1]}} [{"a":1},{"a":2}]`)

// letters are those that mean something to one function or another.
var letters = []rune("ab0 .,-:/{}[]()%YMDHmsZé→👍\\\x00")

// randomValue makes a value of any kind, small enough that a call is fast.
func randomValue(rnd *rand.Rand, known []value.Value, depth int) value.Value {
	switch n := rnd.IntN(20); {
	case n < 12:
		return known[rnd.IntN(len(known))]
	case n == 12:
		return value.FromInt(int64(rnd.Uint64()))
	case n == 13:
		return value.FromInt(rnd.Int64N(200) - 100)
	case n == 14:
		for {
			if f := math.Float64frombits(rnd.Uint64()); !math.IsNaN(f) && !math.IsInf(f, 0) {
				return value.FromFloat(f)
			}
		}
	case n == 15:
		return value.FromTime(value.MinTime + rnd.Int64N(value.MaxTime-value.MinTime))
	case n == 16:
		var b strings.Builder
		for range rnd.IntN(12) {
			b.WriteRune(letters[rnd.IntN(len(letters))])
		}
		return value.FromString(b.String())
	case n < 19 && depth > 0:
		xs := make([]value.Value, rnd.IntN(5))
		for i := range xs {
			xs[i] = randomValue(rnd, known, depth-1)
		}
		return value.FromArray(xs)
	case depth > 0:
		b := value.NewObjectBuilder(nil, 3)
		for range rnd.IntN(4) {
			b.Set(string(rune('a'+rnd.IntN(4))), randomValue(rnd, known, depth-1))
		}
		return b.Value()
	}
	return value.NullValue
}

// check makes sure that a value is one that the machine may hold.
func check(t *testing.T, name string, v value.Value) {
	t.Helper()
	switch v.Kind() {
	case value.String:
		if !utf8.ValidString(v.Str()) {
			t.Errorf("%s made text that is not UTF-8: %q", name, v.Str())
		}
	case value.Float:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			t.Errorf("%s made %v", name, f)
		}
	case value.Time:
		if ms := v.Time(); ms < value.MinTime || ms > value.MaxTime {
			t.Errorf("%s made a timestamp out of range: %d", name, ms)
		}
	case value.Array:
		if len(v.Elems()) > 1000 {
			return // of range, whose elements are all alike
		}
		for _, e := range v.Elems() {
			check(t, name, e)
		}
	case value.Object:
		for _, e := range v.Obj().Slots() {
			check(t, name, e)
		}
	}
}

// tryAll calls every function with random values, and makes sure that each call
// gives a result of the promised kind or an error that names the function.
func tryAll(t *testing.T, seed uint64, rounds int) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	var known []value.Value
	for _, text := range interesting {
		known = append(known, parse(t, text))
	}
	shapes := value.NewShapes()
	for _, f := range Table() {
		if f.Impl == nil {
			continue
		}
		for range rounds {
			args := make([]value.Value, rnd.IntN(5))
			for i := range args {
				args[i] = randomValue(rnd, known, 2)
				// Mostly of a kind that gets past the check.
				for try := 0; try < 8 && i < len(f.in) && f.in[i].Kinds&KindOf(args[i]) == 0; try++ {
					args[i] = randomValue(rnd, known, 2)
				}
			}
			before := show(value.FromArray(slices.Clone(args)))
			v, err := f.Impl(shapes, args)
			if err != nil {
				if !v.IsNull() {
					t.Errorf("%s%s gave a value and an error", f.Name, before)
				}
				if s := err.Error(); !strings.HasPrefix(s, f.Name) || !utf8.ValidString(s) {
					t.Errorf("%s%s: bad error %q", f.Name, before, s)
				}
				continue
			}
			if f.Result&KindOf(v) == 0 {
				t.Errorf("%s%s gave %s, promised %v", f.Name, before, value.Describe(v), f.Result)
			}
			check(t, f.Name, v)
			if after := show(value.FromArray(slices.Clone(args))); after != before {
				t.Errorf("%s changed its arguments from %s to %s", f.Name, before, after)
			}
		}
	}
}

func TestNoCallPanics(t *testing.T) {
	tryAll(t, 1, 300)
}

func FuzzCalls(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { tryAll(t, seed, 10) })
}

// FuzzRound holds rounding against exact arithmetic.
func FuzzRound(f *testing.F) {
	for _, s := range []string{"1.005", "-2.5", "0.5", "1e3", "12345678901234567890.5", "-0", "9223372036854775807", "0.1", "1e-7", "99.995"} {
		for _, digits := range []int{-3, 0, 2} {
			f.Add(s, digits)
		}
	}
	f.Fuzz(func(t *testing.T, s string, digits int) {
		v, ok := value.ParseNumber(s)
		if !ok || digits < -40 || digits > 40 || len(s) > 60 {
			return
		}
		if e := strings.IndexAny(s, "eE"); e >= 0 && len(s)-e > 4 {
			return // too long for the oracle
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(digits, -digits))), nil))
		if digits < 0 {
			unit.Inv(unit)
		}
		scaled := new(big.Rat).Mul(exact, unit) // whole where exact has that many digits
		for _, mode := range []struct {
			name string
			want *big.Int
		}{
			{"round", halfAwayFromZero(scaled)},
			{"floor", floorOf(exact)},
			{"ceil", new(big.Int).Neg(floorOf(new(big.Rat).Neg(exact)))},
		} {
			args, want := []value.Value{v}, new(big.Rat).SetInt(mode.want)
			if mode.name == "round" {
				args = append(args, value.FromInt(int64(digits)))
				want.Quo(want, unit)
			}
			got, err := call(t, mode.name, args...)
			if err != nil {
				t.Fatalf("%s(%s, %d): %v", mode.name, s, digits, err)
			}
			result, _ := new(big.Rat).SetString(value.Text(got))
			if result.Cmp(want) == 0 {
				continue
			}
			near, _ := want.Float64()
			if value.Float64(got) != near {
				t.Errorf("%s(%s, %d) = %s, want %s", mode.name, s, digits, value.Text(got), want.FloatString(40))
			}
		}
	})
}

func floorOf(r *big.Rat) *big.Int {
	return new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: the denominator is positive
}

func halfAwayFromZero(r *big.Rat) *big.Int {
	n := floorOf(new(big.Rat).Add(new(big.Rat).Abs(r), big.NewRat(1, 2)))
	if r.Sign() < 0 {
		n.Neg(n)
	}
	return n
}

// The decimal found for a float is the one that it is written as.
func TestDecimalOfFloat(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	found := 0
	for range 200_000 {
		f := float64(rnd.Int64N(2e12)-1e12) / float64(pow10[rnd.IntN(10)])
		if rnd.IntN(3) == 0 {
			f *= rnd.Float64()
		}
		d, ok := decimalOfFloat(f)
		if !ok {
			continue
		}
		found++
		if got, want := value.Text(d.value()), value.Text(value.FromFloat(f)); got != want && f != 0 {
			t.Fatalf("%v is taken for %s", f, got)
		}
	}
	if found < 100_000 {
		t.Errorf("only %d of 200,000 were found", found)
	}
}

// The sum of amounts is exact, and that of other numbers near.
func TestSumIsExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		var xs []value.Value
		exact := new(big.Rat)
		for range rnd.IntN(20) {
			scale := 1 + rnd.IntN(4)
			m := rnd.Int64N(1e9) - 5e8
			v := value.FromDecimal(m, scale)
			if m == 0 || rnd.IntN(3) == 0 {
				v = value.FromInt(m)
			}
			r, _ := new(big.Rat).SetString(value.Text(v))
			exact.Add(exact, r)
			xs = append(xs, v)
		}
		got, err := call(t, "sum", value.FromArray(xs))
		if err != nil {
			t.Fatal(err)
		}
		if r, _ := new(big.Rat).SetString(value.Text(got)); r.Cmp(exact) != 0 {
			t.Fatalf("sum(%s) = %s, want %s", show(value.FromArray(xs)), value.Text(got), exact.FloatString(6))
		}
	}
}

// Sorting is stable, in order, and loses nothing.
func TestSortProperties(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	texts := []string{`"2026-01-20"`, `"2026-01-20T00:00:00Z"`, `"2026-01-20T01:00:00+01:00"`, `"2026-01-20T00:00:00.0001Z"`, `"@2026-01-20"`, `"@2026-01-21"`, `null`}
	for range 2000 {
		var xs, keys []value.Value
		for i := range rnd.IntN(12) {
			xs = append(xs, value.FromInt(int64(i)))
			keys = append(keys, parse(t, texts[rnd.IntN(len(texts))]))
		}
		keys = append(keys, parse(t, `"@2026-01-19"`)) // so that all are instants
		xs = append(xs, value.FromInt(int64(len(xs))))
		got, err := call(t, "sortBy", value.FromArray(xs), value.FromArray(keys))
		if err != nil {
			t.Fatal(err)
		}
		order := got.Elems()
		if len(order) != len(xs) {
			t.Fatal("elements were lost")
		}
		for i := 1; i < len(order); i++ {
			a, b := keys[order[i-1].Int()], keys[order[i].Int()]
			c := compareInstants(a, b)
			if c > 0 || c == 0 && order[i-1].Int() > order[i].Int() {
				t.Fatalf("%s: %s comes before %s", show(value.FromArray(keys)), show(a), show(b))
			}
		}
	}
}

// compareInstants orders times and date texts, nulls last.
func compareInstants(a, b value.Value) int {
	if a.IsNull() || b.IsNull() {
		switch {
		case a.IsNull() && b.IsNull():
			return 0
		case a.IsNull():
			return 1
		}
		return -1
	}
	instant := func(v value.Value) value.Value {
		if v.Kind() == value.String && len(v.Str()) == len("2006-01-02") {
			ms, _ := value.ParseTime(v.Str())
			return value.FromTime(ms)
		}
		return v
	}
	c, _, _ := value.Compare(instant(a), instant(b))
	return c
}
