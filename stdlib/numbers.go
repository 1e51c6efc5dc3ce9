package stdlib

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"reqon/vm/value"
)

func numberFuncs() []Func {
	x := Param{Name: "x", Kinds: KNumber}
	return group("numbers", []Func{
		{Name: "round", Doc: "nearest number of so many decimals (0), halves away from zero, by the number as it is written",
			Params: []Param{x, {Name: "digits", Kinds: KNumber, Optional: true}}, Result: KNumber, impl: round},
		{Name: "floor", Doc: "the next lower whole number",
			Params: []Param{x}, Result: KNumber, impl: floor},
		{Name: "ceil", Doc: "the next higher whole number",
			Params: []Param{x}, Result: KNumber, impl: ceil},
		{Name: "abs", Doc: "the number without its sign",
			Params: []Param{x}, Result: KNumber, impl: abs},
		{Name: "pow", Doc: "a number to the power of another; exact of whole ones as long as the result has 64 bits",
			Params: []Param{x, {Name: "exponent", Kinds: KNumber}}, Result: KNumber, impl: pow},
		{Name: "sqrt", Doc: "square root",
			Params: []Param{x}, Result: KNumber, impl: sqrt},
		{Name: "log", Doc: "natural logarithm",
			Params: []Param{x}, Result: KNumber, impl: logarithm},
		{Name: "exp", Doc: "e to the power of a number",
			Params: []Param{x}, Result: KNumber, impl: exponential},
		{Name: "clamp", Doc: "the number, or the bound that it is beyond",
			Params: []Param{x, {Name: "low", Kinds: KNumber}, {Name: "high", Kinds: KNumber}}, Result: KNumber, impl: clamp},
		{Name: "parseNumber", Doc: "number that a text is",
			Params: []Param{{Name: "s", Kinds: KText}}, Result: KNumber, impl: parseNumber},
		{Name: "random", Doc: "a random number from 0 up to, not including, 1; or a whole one from 0 to n-1",
			Params: []Param{{Name: "n", Kinds: KNumber, Optional: true}}, Result: KNumber, Form: Host},
	})
}

func round(_ *value.Shapes, args []value.Value) (value.Value, error) {
	digits := int64(0)
	if len(args) > 1 {
		var err error
		if digits, err = wholeArg(args, 1); err != nil {
			return value.Value{}, err
		}
		const far = maxExponent // beyond it a number of digits says no more
		digits = min(max(digits, -far), far)
	}
	return roundTo(args[0], halfAway, digits)
}

func floor(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return roundTo(args[0], down, 0)
}

func ceil(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return roundTo(args[0], up, 0)
}

// roundTo rounds v, by the number as it is written, to this many digits behind
// the point.
func roundTo(v value.Value, r rounding, digits int64) (value.Value, error) {
	if v.IsInt() && digits >= 0 {
		return v, nil
	}
	if -int64(len(pow10)) < digits && digits < int64(len(pow10)) {
		if d, ok := decimalOf(v); ok {
			if d, ok = d.round(r, int(digits)); ok {
				return d.value(), nil
			}
		}
	}
	long := parseLong(value.Text(v))
	if whole := long.exponent >= 0; !whole && -long.exponent <= digits {
		return v, nil // as many decimals, or fewer: not one digit is lost
	}
	rounded := long.round(r, digits)
	if rounded == long && int64(len(long.digits))+long.exponent > maxWholeDigits {
		return v, nil
	}
	return rounded.value()
}

func abs(_ *value.Shapes, args []value.Value) (value.Value, error) {
	v := args[0]
	if v.IsInt() && v.Int() >= 0 || !strings.HasPrefix(value.Text(v), "-") {
		return v, nil
	}
	return value.Neg(v)
}

func pow(_ *value.Shapes, args []value.Value) (value.Value, error) {
	x, y := args[0], args[1]
	if base, ok := value.AsInt(x); ok {
		if exponent, ok := value.AsInt(y); ok && exponent >= 0 {
			if n, ok := intPow(base, exponent); ok {
				return value.FromInt(n), nil
			}
		}
	}
	f, e := value.Float64(x), value.Float64(y)
	switch {
	case f == 0 && e < 0:
		return value.Value{}, errors.New("0 has no negative power: that is a division by zero")
	case f < 0 && e != math.Trunc(e):
		return value.Value{}, fmt.Errorf("a negative number has only whole powers, found %s and %s", value.Describe(x), value.Describe(y))
	}
	return number(math.Pow(f, e))
}

// intPow returns base to the power of exponent, which must not be negative, if
// it fits 64 bits.
func intPow(base, exponent int64) (result int64, ok bool) {
	result = 1
	for {
		if exponent&1 != 0 {
			if result, ok = mul(result, base); !ok {
				return 0, false
			}
		}
		if exponent >>= 1; exponent == 0 {
			return result, true
		}
		if base, ok = mul(base, base); !ok {
			return 0, false
		}
	}
}

// mul returns a*b, and false if it doesn't fit 64 bits.
func mul(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	if a == -1 && b == math.MinInt64 || b == -1 && a == math.MinInt64 || p/b != a {
		return 0, false
	}
	return p, true
}

func sqrt(_ *value.Shapes, args []value.Value) (value.Value, error) {
	f := value.Float64(args[0])
	if f < 0 {
		return value.Value{}, badArg(0, "0 or more: a negative number has no square root", "")
	}
	return number(math.Sqrt(f))
}

func logarithm(_ *value.Shapes, args []value.Value) (value.Value, error) {
	f := value.Float64(args[0])
	if f <= 0 {
		return value.Value{}, badArg(0, "more than 0 to have a logarithm", "")
	}
	return number(math.Log(f))
}

func exponential(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return number(math.Exp(value.Float64(args[0])))
}

func clamp(_ *value.Shapes, args []value.Value) (value.Value, error) {
	x, low, high := args[0], args[1], args[2]
	// Numbers always compare: the table let nothing else through.
	if c, _, _ := value.Compare(low, high); c > 0 {
		return value.Value{}, fmt.Errorf("the lower bound %s is above the upper bound %s", value.Text(low), value.Text(high))
	}
	if c, _, _ := value.Compare(x, low); c < 0 {
		return low, nil
	}
	if c, _, _ := value.Compare(x, high); c > 0 {
		return high, nil
	}
	return x, nil
}

func parseNumber(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return numberOf(args)
}

// numberOf reads the number that args[0] is or whose text it is.
func numberOf(args []value.Value) (value.Value, error) {
	if args[0].Kind() != value.String {
		return args[0], nil
	}
	s := strings.TrimFunc(args[0].Str(), isSpace)
	v, ok := value.ParseNumber(s)
	if !ok {
		v, ok = value.ParseNumber(jsonNumber(s))
	}
	if !ok {
		h := ""
		if strings.Contains(s, ",") {
			h = "thousands separators and decimal commas are not read: take them out with replaceAll"
		}
		return value.Value{}, badArg(0, "the text of a number such as 42, -1.5 or 1e6", h)
	}
	return v, nil
}

// jsonNumber puts right what people and CSV files write and JSON does not
// allow: a leading plus, leading zeros, no digit before or after the point.
// What it can't put right it leaves for ParseNumber to reject.
func jsonNumber(s string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(s, "+"); ok {
		s = rest
	} else if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = "-", rest
	}
	end := strings.IndexAny(s, "eE")
	if end < 0 {
		end = len(s)
	}
	mantissa, exponent := s[:end], s[end:]
	whole, frac, _ := strings.Cut(mantissa, ".")
	if whole == "" && frac == "" || strings.HasPrefix(whole, "+") || strings.HasPrefix(whole, "-") {
		return ""
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if frac != "" {
		frac = "." + frac
	}
	return sign + whole + frac + exponent
}
