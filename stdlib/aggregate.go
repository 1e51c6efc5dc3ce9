package stdlib

import (
	"errors"
	"fmt"
	"math"

	"reqon/vm/value"
)

var errTooLarge = errors.New("the result is too large")

// aggregateFuncs are min and max, which belong to arrays and to numbers alike.
func aggregateFuncs() []Func {
	const scalar = KNumber | KString | KTime | KNull
	params := []Param{{Name: "xs", Kinds: KArray | scalar}, {Name: "item", Kinds: KAny, Optional: true}}
	in := []Param{{Name: "a", Kinds: KArray | scalar}, {Name: "b", Kinds: scalar, Optional: true}}
	return []Func{
		{Name: "min", Doc: "the least of an array's numbers, strings or timestamps, or of two or more of them; nulls are passed over",
			Params: params, in: in, Variadic: true, Item: 1, Result: scalar, Form: Mapped, impl: least,
			signature: "min(xs, item?) or min(a, b…)"},
		{Name: "max", Doc: "the greatest of an array's numbers, strings or timestamps, or of two or more of them; nulls are passed over",
			Params: params, in: in, Variadic: true, Item: 1, Result: scalar, Form: Mapped, impl: greatest,
			signature: "max(xs, item?) or max(a, b…)"},
	}
}

func least(_ *value.Shapes, args []value.Value) (value.Value, error) { return extremeOf(args, -1) }

func greatest(_ *value.Shapes, args []value.Value) (value.Value, error) { return extremeOf(args, 1) }

// extremeOf takes one array or two or more values.
func extremeOf(args []value.Value, sign int) (value.Value, error) {
	values, name := args, "arguments"
	switch isArray := args[0].Kind() == value.Array; {
	case isArray && len(args) == 1:
		values, name = args[0].Elems(), "xs"
	case isArray:
		return value.Value{}, badArg(0, "a number, a string or a timestamp, where more follow", "")
	case len(args) == 1:
		return value.Value{}, badArg(0, "an array, where it is the only one", hint(KArray, args[0]))
	}
	o, err := newOrdering(values, name)
	if err != nil {
		return value.Value{}, err
	}
	if i := o.extreme(sign); i >= 0 {
		return values[i], nil
	}
	return value.Value{}, nil
}

func sum(_ *value.Shapes, args []value.Value) (value.Value, error) {
	t, err := total(args[0].Elems())
	if err != nil {
		return value.Value{}, err
	}
	return t.over(1)
}

func avg(_ *value.Shapes, args []value.Value) (value.Value, error) {
	t, err := total(args[0].Elems())
	if err != nil || t.n == 0 {
		return value.Value{}, err
	}
	return t.over(t.n)
}

// totals is a sum of n numbers. It is exact by the numbers as they are written,
// so that amounts of money add up, as long as its digits fit 64 bits; beyond, it
// is a float.
type totals struct {
	n     int64
	exact bool
	sum   decimal
	float compensated
}

// total adds the numbers of an array and passes over nulls.
func total(xs []value.Value) (totals, error) {
	t := totals{exact: true}
	for i, x := range xs {
		k := KindOf(x)
		if k == KNull {
			continue
		}
		if k != KNumber {
			return t, fmt.Errorf("xs[%d] must be a number or null, found %s", i, describeWithHint(KNumber, x))
		}
		t.n++
		if t.exact {
			d, ok := decimalOf(x)
			if ok {
				d, ok = t.sum.add(d)
			}
			if ok {
				t.sum = d
				continue
			}
			t.exact = false
			for _, before := range xs[:i] {
				if !before.IsNull() {
					t.float.add(value.Float64(before))
				}
			}
		}
		t.float.add(value.Float64(x))
	}
	return t, nil
}

// over returns the sum divided by n.
func (t *totals) over(n int64) (value.Value, error) {
	if !t.exact {
		f := t.float.sum + t.float.lost
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return value.Value{}, errTooLarge
		}
		return number(f / float64(n))
	}
	if t.sum.mantissa%n == 0 {
		return decimal{t.sum.mantissa / n, t.sum.scale}.value(), nil
	}
	m, p := t.sum.mantissa, pow10[t.sum.scale]
	if -1<<53 <= m && m <= 1<<53 && n <= (1<<53)/p {
		return number(float64(m) / float64(p*n)) // both exact: rounded once
	}
	return number(t.sum.float() / float64(n))
}

// compensated is a sum of floats that keeps what each addition loses
// (Neumaier's variant of Kahan's).
type compensated struct{ sum, lost float64 }

func (c *compensated) add(f float64) {
	s := c.sum + f
	if math.Abs(c.sum) >= math.Abs(f) {
		c.lost += (c.sum - s) + f
	} else {
		c.lost += (f - s) + c.sum
	}
	c.sum = s
}

// describeWithHint is value.Describe with what to do about it.
func describeWithHint(kinds Kinds, v value.Value) string {
	s := value.Describe(v)
	if h := hint(kinds, v); h != "" {
		s += "; " + h
	}
	return s
}
