package value

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// anyValue makes a value at random.
func anyValue(r *rand.Rand, depth int) Value {
	switch n := r.IntN(12); {
	case depth > 0 && n < 3:
		list := make([]Value, r.IntN(5))
		for i := range list {
			list[i] = anyValue(r, depth-1)
		}
		return FromArray(list)
	case depth > 0 && n < 6:
		b := NewObjectBuilder(nil, 0)
		for i := range r.IntN(5) {
			b.Set(fmt.Sprintf("k%d\"\n\x01é", i), anyValue(r, depth-1))
		}
		return b.Value()
	case n < 7:
		return FromInt(r.Int64() >> r.IntN(64))
	case n < 8:
		return FromFloat(math.Float64frombits(r.Uint64()&^(0x7ff<<52) | uint64(r.IntN(2046)+1)<<52))
	case n < 10:
		return FromString(strings.Repeat("a\t\x02\"é", r.IntN(4)))
	case n < 11:
		return FromBool(n%2 == 0)
	}
	return NullValue
}

// TestFitsIsExact: what is said to fit is what its JSON has, to the byte.
func TestFitsIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		v := anyValue(r, 4)
		for indent := range 4 {
			text := AppendJSON(nil, v)
			if indent > 0 {
				text = AppendJSONIndent(nil, v, "", strings.Repeat(" ", indent))
			}
			if !FitsIndented(v, len(text), indent) || FitsIndented(v, len(text)-1, indent) {
				t.Fatalf("%d bytes, indented by %d: %s", len(text), indent, text)
			}
		}
		size := len(AppendJSON(nil, v))
		if !Fits(v, size) || Fits(v, size-1) {
			t.Fatalf("%d bytes: %s", size, AppendJSON(nil, v))
		}
	}
}

// TestFitsBuildsNothing: a value whose JSON would be endless is measured at once,
// also where only its indentation is.
func TestFitsBuildsNothing(t *testing.T) {
	double := FromArray([]Value{FromInt(1)})
	for range 60 {
		double = FromArray([]Value{double, double})
	}
	deep := FromArray(make([]Value, 100_000))
	for range 400 {
		deep = FromArray([]Value{deep})
	}
	floats := make([]Value, 300_000)
	for i := range floats {
		floats[i] = FromFloat(0.1234567890123456)
	}
	for name, tt := range map[string]struct {
		v      Value
		indent int
	}{"doubled": {double, 0}, "doubled, indented": {double, 10}, "deep, indented": {deep, 10}, "long numbers": {FromArray(floats), 0}} {
		allocs := testing.AllocsPerRun(1, func() {
			if FitsIndented(tt.v, 4<<20, tt.indent) || tt.indent == 0 && Fits(tt.v, 4<<20) {
				t.Errorf("%s: it fits", name)
			}
		})
		if allocs > 2 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}
