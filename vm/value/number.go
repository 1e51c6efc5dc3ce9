package value

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// maxDecimalDigits is how many digits a Decimal has at most: so many fit
// a float64 exactly, and so do the powers of ten up to it, so that one division
// gives the nearest float.
const maxDecimalDigits = 15

// pow10 are the powers of ten a Decimal's scale may have.
var pow10 = [maxDecimalDigits + 1]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

func isDigit(c byte) bool { return c-'0' < 10 }

// ParseNumber returns the number whose text, by the grammar of JSON, is text,
// in the form that keeps it; ok is false if text is no such number. The Value
// may share text's bytes.
func ParseNumber(text string) (v Value, ok bool) {
	v, end := scanNumber(text, 0)
	return v, end == len(text) && end > 0
}

// scanNumber reads the JSON number at p of data and returns the offset behind
// it, or -1 if there is none.
func scanNumber(data string, p int) (Value, int) {
	start := p
	negative := p < len(data) && data[p] == '-'
	if negative {
		p++
	}
	first := p
	var m uint64 // wraps beyond 19 digits, where it is not used
	for p < len(data) && isDigit(data[p]) {
		m = m*10 + uint64(data[p]-'0')
		p++
	}
	digits := p - first
	if digits == 0 || digits > 1 && data[first] == '0' {
		return Value{}, -1
	}
	if p < len(data) && (data[p] == '.' || data[p]|0x20 == 'e') {
		return scanFraction(data, start, p, m, digits)
	}
	switch {
	case digits > 19 || digits == 19 && m > math.MaxInt64:
		if negative && digits == 19 && m == 1<<63 {
			return FromInt(math.MinInt64), p
		}
		return FromNumText(data[start:p]), p
	case !negative:
		return FromInt(int64(m)), p
	case m == 0:
		return FromNumText(data[start:p]), p
	}
	return FromInt(-int64(m)), p
}

// scanFraction reads on, at the point or exponent at p, the number that began
// at start with these digits, whose value is m.
func scanFraction(data string, start, p int, m uint64, digits int) (Value, int) {
	scale := 0
	if data[p] == '.' {
		p++
		first := p
		for p < len(data) && isDigit(data[p]) {
			m = m*10 + uint64(data[p]-'0')
			p++
		}
		if scale = p - first; scale == 0 {
			return Value{}, -1
		}
	}
	if p < len(data) && data[p]|0x20 == 'e' {
		p++
		if p < len(data) && (data[p] == '+' || data[p] == '-') {
			p++
		}
		first := p
		for p < len(data) && isDigit(data[p]) {
			p++
		}
		if p == first {
			return Value{}, -1
		}
		return FromNumText(data[start:p]), p
	}
	negative := data[start] == '-'
	if digits+scale > maxDecimalDigits+1 || m >= 1e15 || scale > maxDecimalDigits || negative && m == 0 {
		return FromNumText(data[start:p]), p
	}
	if negative {
		return FromDecimal(-int64(m), scale), p
	}
	return FromDecimal(int64(m), scale), p
}

// Float64 returns the float64 nearest to the number v, of any form; beyond the
// range of float64 that is an infinity. Of what is no number it returns NaN.
func Float64(v Value) float64 {
	switch v.Kind() {
	case Int:
		return float64(v.Int())
	case Float:
		return v.Float()
	case Decimal:
		m, scale := v.Decimal()
		return float64(m) / float64(pow10[scale])
	case NumText:
		f, _ := strconv.ParseFloat(v.Str(), 64) // out of range gives an infinity
		return f
	}
	return math.NaN()
}

// AsInt returns the number v as a 64-bit integer; ok is false if it is none, or
// v no number. The form does not matter: 5.0 and 5e0 are 5.
func AsInt(v Value) (i int64, ok bool) {
	switch v.Kind() {
	case Int:
		return v.Int(), true
	case Float:
		return floatToInt(v.Float())
	case Decimal:
		m, scale := v.Decimal()
		return m / pow10[scale], m%pow10[scale] == 0
	case NumText:
		return parseDigits(v.Str()).int()
	}
	return 0, false
}

// floatToInt returns f as an integer if it is whole and one of 64 bits.
func floatToInt(f float64) (int64, bool) {
	if f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// digits is a number as its decimal digits: ± 0.text × 10^exp. The text neither
// starts nor ends with a zero; of 0 it is empty.
type digits struct {
	negative bool
	text     string
	exp      int64 // saturates at ±maxExp
}

// maxExp bounds exponents, so that sums with lengths don't overflow. Numbers
// beyond it are told apart by their digits only.
const maxExp = 1 << 60

// parseDigits takes the JSON number s apart.
func parseDigits(s string) digits {
	var d digits
	if d.negative = s[0] == '-'; d.negative {
		s = s[1:]
	}
	mantissa := s
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa = s[:i]
		d.exp = parseExponent(s[i+1:])
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	d.exp += int64(len(whole))
	text := whole
	if fraction != "" {
		text = whole + fraction
	}
	trimmed := strings.TrimLeft(text, "0")
	d.exp -= int64(len(text) - len(trimmed))
	d.text = strings.TrimRight(trimmed, "0")
	if d.text == "" {
		return digits{}
	}
	return d
}

func parseExponent(s string) int64 {
	negative := s[0] == '-'
	s = strings.TrimLeft(s, "+-")
	var e int64
	for _, c := range []byte(s) {
		if e = e*10 + int64(c-'0'); e > maxExp {
			e = maxExp
			break
		}
	}
	if negative {
		return -e
	}
	return e
}

// whole reports whether d is an integer.
func (d digits) whole() bool { return d.exp >= int64(len(d.text)) }

// int returns d as a 64-bit integer if it is one.
func (d digits) int() (int64, bool) {
	if !d.whole() || d.exp > 19 {
		return 0, false
	}
	var m uint64
	for i := range int(d.exp) {
		m *= 10
		if i < len(d.text) {
			m += uint64(d.text[i] - '0')
		}
	}
	if d.negative {
		return -int64(m), m <= 1<<63
	}
	return int64(m), m <= math.MaxInt64
}

// compare orders d and e by value.
func (d digits) compare(e digits) int {
	sign := 1
	switch {
	case d.text == "" || e.text == "" || d.negative != e.negative:
		return cmp.Compare(d.sign(), e.sign())
	case d.negative:
		sign = -1
	}
	if d.exp != e.exp {
		if d.exp < e.exp {
			return -sign
		}
		return sign
	}
	return sign * strings.Compare(d.text, e.text)
}

// sign returns -1, 0 or 1.
func (d digits) sign() int {
	switch {
	case d.text == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}
