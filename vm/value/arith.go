package value

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

var (
	errTooLarge  = errors.New("the result is too large for a number, expected at most 1.8e308 either way")
	errDateRange = errors.New("date out of range, expected a year from 0000 to 9999")

	// ErrTextTooLong is of text beyond MaxText.
	ErrTextTooLong = errors.New("the text is longer than 64 MiB")
)

// quick returns a number as a float64 where that is no work: in every form but
// its text.
func (v Value) quick() (f float64, ok bool) {
	switch v.Kind() {
	case Int:
		return float64(v.Int()), true
	case Float:
		return v.Float(), true
	case Decimal:
		m, scale := v.Decimal()
		return float64(m) / floatPow10[scale], true
	}
	return 0, false
}

// quickPair is quick of two numbers. Two of these forms make most of the
// arithmetic of a mission, and the general way costs three times as much.
func quickPair(a, b Value) (x, y float64, ok bool) {
	x, okX := a.quick()
	y, okY := b.quick()
	return x, y, okX && okY
}

// floatPow10 are the powers of ten by which a Decimal is divided; exact.
var floatPow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31}

// isFinite reports whether f is neither infinite nor NaN.
func isFinite(f float64) bool { return f-f == 0 }

// Add returns a + b: text if either is a string, with null as ""; a timestamp
// shifted by milliseconds; or a sum, an integer unless it overflows (language
// definition, sections 3 and 4).
func Add(a, b Value) (Value, error) {
	ka, kb := a.Kind(), b.Kind()
	switch {
	case ka == Int && kb == Int:
		x, y := a.Int(), b.Int()
		if sum := x + y; (sum > x) == (y > 0) {
			return FromInt(sum), nil
		}
		return FromFloat(float64(x) + float64(y)), nil
	case ka >= Int && kb >= Int:
		if x, y, ok := quickPair(a, b); ok && isFinite(x+y) {
			return FromFloat(x + y), nil
		}
	}
	switch {
	case ka == String || kb == String:
		return joinText(a, b)
	case ka == Time && b.IsNumber():
		return shiftTime(a, b, 1)
	case kb == Time && a.IsNumber():
		return shiftTime(b, a, 1)
	}
	x, y, ok := operands(a, b)
	if !ok {
		return Value{}, fmt.Errorf("`+` needs two numbers, a date and a number, or a string, found %s and %s", Describe(a), Describe(b))
	}
	return finite("+", a, b, x+y)
}

// MaxText is the size, in bytes, of the longest text that a computation makes.
// Text that doubles a few dozen times would take all memory.
const MaxText = 64 << 20

// joinText returns the texts of a and b as one string.
func joinText(a, b Value) (Value, error) {
	if a.Kind() == String && b.Kind() == String {
		if len(a.Str())+len(b.Str()) > MaxText {
			return Value{}, ErrTextTooLong
		}
		return FromString(a.Str() + b.Str()), nil
	}
	return JoinText(a, b)
}

// JoinText returns the texts of values as one string, as a template has it; it
// fails with ErrTextTooLong beyond MaxText. Of long strings it knows so before it
// has built anything, and what they need is taken at once: text that grows step
// by step takes several times its length.
func JoinText(parts ...Value) (Value, error) {
	var buf [128]byte
	text := buf[:0]
	known := 0
	for _, p := range parts {
		if p.Kind() == String {
			known += len(p.Str())
		}
	}
	if known > MaxText {
		return Value{}, ErrTextTooLong
	}
	if known > len(buf) {
		text = make([]byte, 0, known+len(buf))
	}
	for _, p := range parts {
		if k := p.Kind(); (k == Array || k == Object) && !Fits(p, MaxText) {
			return Value{}, ErrTextTooLong
		}
		if text = AppendText(text, p); len(text) > MaxText {
			return Value{}, ErrTextTooLong
		}
	}
	return FromString(string(text)), nil
}

// Sub returns a - b: a difference; the milliseconds between two timestamps, or
// between a timestamp and a string that reads as one; or a timestamp shifted
// back by milliseconds.
func Sub(a, b Value) (Value, error) {
	ka, kb := a.Kind(), b.Kind()
	if ka == Int && kb == Int {
		x, y := a.Int(), b.Int()
		if diff := x - y; (diff < x) == (y > 0) {
			return FromInt(diff), nil
		}
		return FromFloat(float64(x) - float64(y)), nil
	}
	if x, y, ok := quickPair(a, b); ok && isFinite(x-y) {
		return FromFloat(x - y), nil
	}
	if ka == Time && b.IsNumber() {
		return shiftTime(a, b, -1)
	}
	if ka == Time || kb == Time {
		if x, ok := asTime(a); ok {
			if y, ok := asTime(b); ok {
				return FromInt(x - y), nil
			}
		}
	}
	x, y, ok := operands(a, b)
	if !ok {
		return Value{}, fmt.Errorf("`-` needs two numbers, two dates, or a date and a number, found %s and %s", Describe(a), Describe(b))
	}
	return finite("-", a, b, x-y)
}

// asTime returns the instant of a timestamp or a date string.
func asTime(v Value) (ms int64, ok bool) {
	switch v.Kind() {
	case Time:
		return v.Time(), true
	case String:
		return ParseTime(v.Str())
	}
	return 0, false
}

// shiftTime returns t and sign times by milliseconds; a part of a millisecond
// is rounded.
func shiftTime(t, by Value, sign int64) (Value, error) {
	ms, ok := AsInt(by)
	if !ok {
		if ms, ok = floatToInt(math.Round(Float64(by))); !ok {
			return Value{}, fmt.Errorf("%w: %s shifted by %s ms", errDateRange, Describe(t), Describe(by))
		}
	}
	const farthest = MaxTime - MinTime
	if ms < -farthest || ms > farthest {
		return Value{}, fmt.Errorf("%w: %s shifted by %s ms", errDateRange, Describe(t), Describe(by))
	}
	shifted := t.Time() + sign*ms
	if shifted < MinTime || shifted > MaxTime {
		return Value{}, fmt.Errorf("%w: %s shifted by %s ms", errDateRange, Describe(t), Describe(by))
	}
	return FromTime(shifted), nil
}

// Mul returns a * b, an integer if both are and it does not overflow.
func Mul(a, b Value) (Value, error) {
	if a.IsInt() && b.IsInt() {
		x, y := a.Int(), b.Int()
		if hi, lo := mulSigned(x, y); hi == lo>>63 {
			return FromInt(lo), nil
		}
		return FromFloat(float64(x) * float64(y)), nil
	}
	if x, y, ok := quickPair(a, b); ok && isFinite(x*y) {
		return FromFloat(x * y), nil
	}
	x, y, ok := operands(a, b)
	if !ok {
		return Value{}, needNumbers("*", a, b)
	}
	return finite("*", a, b, x*y)
}

// mulSigned returns the 128-bit product of x and y.
func mulSigned(x, y int64) (hi, lo int64) {
	h, l := bits.Mul64(uint64(x), uint64(y))
	hi = int64(h) - (x>>63)&y - (y>>63)&x
	return hi, int64(l)
}

// Div returns a / b: of two integers an integer if it divides evenly, else
// a float. Division by zero is an error.
func Div(a, b Value) (Value, error) {
	if a.IsInt() && b.IsInt() && b.Int() != 0 {
		x, y := a.Int(), b.Int()
		if y == -1 {
			return Neg(a) // the one quotient that may overflow
		}
		if x%y == 0 {
			return FromInt(x / y), nil
		}
		return FromFloat(float64(x) / float64(y)), nil
	}
	x, y, ok := operands(a, b)
	switch {
	case !ok:
		return Value{}, needNumbers("/", a, b)
	case y == 0:
		return Value{}, byZero("/", a, b)
	case math.IsInf(y, 0):
		return Value{}, tooLarge("/", a, b)
	}
	return finite("/", a, b, x/y)
}

// Mod returns a % b, the remainder with the sign of a. Modulo by zero is an
// error.
func Mod(a, b Value) (Value, error) {
	if a.IsInt() && b.IsInt() && b.Int() != 0 {
		return FromInt(a.Int() % b.Int()), nil
	}
	x, y, ok := operands(a, b)
	switch {
	case !ok:
		return Value{}, needNumbers("%", a, b)
	case y == 0:
		return Value{}, byZero("%", a, b)
	case math.IsInf(y, 0):
		return Value{}, tooLarge("%", a, b)
	}
	return finite("%", a, b, math.Mod(x, y))
}

// Neg returns -a.
func Neg(a Value) (Value, error) {
	switch a.Kind() {
	case Int:
		if a.Int() == math.MinInt64 {
			return FromFloat(1 << 63), nil
		}
		return FromInt(-a.Int()), nil
	case NumText:
		if a.Str() == "9223372036854775808" {
			return FromInt(math.MinInt64), nil
		}
	}
	if !a.IsNumber() {
		return Value{}, fmt.Errorf("`-` needs a number, found %s", Describe(a))
	}
	f := -Float64(a)
	if math.IsInf(f, 0) {
		return Value{}, fmt.Errorf("%w: -%s", errTooLarge, Text(a))
	}
	return FromFloat(f), nil
}

// operands returns two numbers as floats; ok is false if either is no number.
func operands(a, b Value) (x, y float64, ok bool) {
	if !a.IsNumber() || !b.IsNumber() {
		return 0, 0, false
	}
	return Float64(a), Float64(b), true
}

// finite returns the result f of a op b, or an error if a float can't hold it.
func finite(op string, a, b Value, f float64) (Value, error) {
	if f-f != 0 { // an infinity or not a number
		return Value{}, tooLarge(op, a, b)
	}
	return FromFloat(f), nil
}

func tooLarge(op string, a, b Value) error {
	return fmt.Errorf("%w: %s %s %s", errTooLarge, Describe(a), op, Describe(b))
}

func needNumbers(op string, a, b Value) error {
	return fmt.Errorf("`%s` needs two numbers, found %s and %s", op, Describe(a), Describe(b))
}

func byZero(op string, a, b Value) error {
	what := "division"
	if op == "%" {
		what = "modulo"
	}
	return fmt.Errorf("%s by zero: %s %s %s", what, Describe(a), op, Describe(b))
}
