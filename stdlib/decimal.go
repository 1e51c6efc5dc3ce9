package stdlib

import (
	"math"
	"strconv"
	"strings"

	"reqon/vm/value"
)

// pow10 are the powers of ten that an int64 holds.
var pow10 = [19]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// decimal is the number mantissa / 10^scale, with a scale from 0 to 18.
type decimal struct {
	mantissa int64
	scale    int
}

// decimalOf returns the number v as it is written, if it fits.
func decimalOf(v value.Value) (decimal, bool) {
	switch v.Kind() {
	case value.Int:
		return decimal{v.Int(), 0}, true
	case value.Decimal:
		m, scale := v.Decimal()
		return decimal{m, scale}, true
	case value.Float:
		return decimalOfFloat(v.Float())
	}
	return decimalOfText(v.Str())
}

// decimalOfFloat finds the decimal of at most 15 digits and 9 decimals that
// reads as f. There is at most one, since a float64 tells all decimals of 15
// digits apart, so it is the one that f is written as.
func decimalOfFloat(f float64) (decimal, bool) {
	if f == 0 {
		return decimal{}, true
	}
	for scale := range 10 {
		p := float64(pow10[scale])
		m := math.Round(f * p)
		if math.Abs(m) >= 1e15 {
			return decimal{}, false
		}
		if m/p == f { // rounded correctly, so this is how the text would be read
			return decimal{int64(m), scale}, true
		}
	}
	return decimal{}, false
}

// decimalOfText reads a number of JSON without exponent.
func decimalOfText(s string) (decimal, bool) {
	digits, scale := s, 0
	if point := strings.IndexByte(s, '.'); point >= 0 {
		frac := s[point+1:]
		digits, scale = s[:point]+frac, len(frac)
	}
	m, err := strconv.ParseInt(digits, 10, 64)
	return decimal{m, scale}, err == nil && scale < len(pow10)
}

// add returns d + e, if it fits.
func (d decimal) add(e decimal) (decimal, bool) {
	if d.scale < e.scale {
		d, e = e, d
	}
	if shift := d.scale - e.scale; shift > 0 {
		var ok bool
		if e.mantissa, ok = mul(e.mantissa, pow10[shift]); !ok {
			return d, false
		}
	}
	sum := d.mantissa + e.mantissa
	if (sum < d.mantissa) != (e.mantissa < 0) {
		return d, false
	}
	return decimal{sum, d.scale}, true
}

// value returns d as a computed number: in its shortest form.
func (d decimal) value() value.Value {
	for d.scale > 0 && d.mantissa%10 == 0 {
		d.mantissa /= 10
		d.scale--
	}
	switch {
	case d.scale == 0:
		return value.FromInt(d.mantissa)
	case d.scale <= 6 && -1e15 < d.mantissa && d.mantissa < 1e15:
		return value.FromDecimal(d.mantissa, d.scale) // written as the float would be
	}
	return value.FromFloat(d.float())
}

// float returns the float64 nearest to d.
func (d decimal) float() float64 {
	if -1<<53 <= d.mantissa && d.mantissa <= 1<<53 && d.scale <= 15 {
		return float64(d.mantissa) / float64(pow10[d.scale]) // both exact: rounded once
	}
	f, _ := strconv.ParseFloat(strconv.FormatInt(d.mantissa, 10)+"e-"+strconv.Itoa(d.scale), 64)
	return f // never out of range
}

// rounding is a way to make a number of fewer digits.
type rounding uint8

const (
	halfAway rounding = iota // to the nearest, a half away from zero
	down                     // to the next lower
	up                       // to the next higher
)

// away reports whether a number whose first digit to go is digit, with rest
// telling if any but zeros are among those behind it, gets further from zero.
func (r rounding) away(negative bool, digit byte, rest bool) bool {
	switch r {
	case down:
		return negative && (digit > 0 || rest)
	case up:
		return !negative && (digit > 0 || rest)
	}
	return digit >= 5
}

// round returns d with at most this many digits behind the point, from -18 on.
func (d decimal) round(r rounding, digits int) (decimal, bool) {
	drop := d.scale - digits
	if drop <= 0 {
		return d, true
	}
	if drop >= len(pow10) {
		return d, false
	}
	p := pow10[drop]
	q, rem := d.mantissa/p, d.mantissa%p
	if rem < 0 {
		rem = -rem
	}
	digit := rem / (p / 10)
	if r.away(d.mantissa < 0, byte(digit), rem%(p/10) != 0) {
		if d.mantissa < 0 {
			q--
		} else {
			q++
		}
	}
	if digits >= 0 {
		return decimal{q, digits}, true
	}
	if digits <= -len(pow10) {
		return d, false
	}
	m, ok := mul(q, pow10[-digits])
	return decimal{m, 0}, ok
}

// longDecimal is a number of any size: digits * 10^exponent.
type longDecimal struct {
	negative bool
	digits   string // no leading zeros; "" is zero
	exponent int64
}

// maxExponent is where an exponent is cut off. No number that long or short is
// held otherwise than as text, so only its sign matters then.
const maxExponent = 1 << 40

// parseLong reads the text of a number.
func parseLong(s string) longDecimal {
	var d longDecimal
	s, d.negative = strings.CutPrefix(s, "-")
	if e := strings.IndexAny(s, "eE"); e >= 0 {
		exp, err := strconv.ParseInt(s[e+1:], 10, 64)
		if err != nil { // only the range can be wrong
			exp = maxExponent
			if s[e+1] == '-' {
				exp = -maxExponent
			}
		}
		d.exponent = min(max(exp, -maxExponent), maxExponent)
		s = s[:e]
	}
	whole, frac, _ := strings.Cut(s, ".")
	d.exponent -= int64(len(frac))
	d.digits = strings.TrimLeft(whole+frac, "0")
	return d
}

// round returns d with at most this many digits behind the point.
func (d longDecimal) round(r rounding, digits int64) longDecimal {
	drop := -d.exponent - digits
	if drop <= 0 || d.digits == "" {
		return d
	}
	keep := int64(len(d.digits)) - drop
	var digit byte
	rest := true // the number is not zero
	if keep >= 0 {
		digit = d.digits[keep] - '0'
		rest = strings.Trim(d.digits[keep+1:], "0") != ""
	}
	kept := d.digits[:max(keep, 0)]
	if r.away(d.negative, digit, rest) {
		kept = increment(kept)
	}
	return longDecimal{d.negative, kept, -digits}
}

// increment returns the digits of a number one larger.
func increment(digits string) string {
	out := []byte(digits)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i] < '9' {
			out[i]++
			return string(out)
		}
		out[i] = '0'
	}
	return "1" + string(out)
}

// maxWholeDigits is how long a whole number may be to be written out.
const maxWholeDigits = 40

// value returns d as a number: a whole one of up to maxWholeDigits exactly,
// else the nearest float.
func (d longDecimal) value() (value.Value, error) {
	if d.digits == "" {
		return value.FromInt(0), nil
	}
	sign := ""
	if d.negative {
		sign = "-"
	}
	if n := int64(len(d.digits)) + d.exponent; d.exponent >= 0 && n <= maxWholeDigits {
		v, _ := value.ParseNumber(sign + d.digits + strings.Repeat("0", int(d.exponent)))
		return v, nil
	}
	f, err := strconv.ParseFloat(sign+d.digits+"e"+strconv.FormatInt(d.exponent, 10), 64)
	if err != nil {
		return value.Value{}, errTooLarge
	}
	return number(f)
}
