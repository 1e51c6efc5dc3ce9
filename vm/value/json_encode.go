package value

import (
	"math"
	"slices"
	"strconv"
)

// AppendJSON appends v as compact JSON: keys in their order, numbers as they
// were read, timestamps as strings, and in strings only what must be escaped
// escaped (quotes, backslashes, control characters).
func AppendJSON(dst []byte, v Value) []byte {
	switch v.Kind() {
	case Null:
		return append(dst, "null"...)
	case Bool:
		if v.Bool() {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case String:
		return appendQuoted(dst, v.Str())
	case NumText:
		return append(dst, v.Str()...)
	case Int:
		return appendInt(dst, v.Int())
	case Float:
		return appendFloat(dst, v.Float())
	case Decimal:
		return appendDecimal(dst, v)
	case Time:
		return append(AppendTime(append(dst, '"'), v.Time()), '"')
	case Object:
		return appendObject(dst, v.Obj())
	}
	dst = append(dst, '[')
	for i, e := range v.Elems() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendJSON(dst, e)
	}
	return append(dst, ']')
}

func appendObject(dst []byte, o *Obj) []byte {
	slots := o.Slots()
	if len(slots) == 0 {
		return append(dst, '{', '}')
	}
	first := len(dst)
	if n := o.shape.node; n != nil && n.table != nil {
		for i, v := range slots {
			dst = AppendJSON(append(dst, n.encoded[i]...), v)
		}
	} else {
		for i, v := range slots {
			dst = AppendJSON(append(appendQuoted(append(dst, ','), o.shape.Key(i)), ':'), v)
		}
	}
	dst[first] = '{' // for the comma before the first key
	return append(dst, '}')
}

// AppendJSONIndent appends v as JSON over several lines. Each line but the
// first starts with prefix, and with indent once for each level. Empty arrays
// and objects stay on one line.
func AppendJSONIndent(dst []byte, v Value, prefix, indent string) []byte {
	return appendIndented(dst, v, prefix, indent, 0)
}

func appendIndented(dst []byte, v Value, prefix, indent string, level int) []byte {
	n, _ := Length(v)
	switch k := v.Kind(); {
	case n == 0 || k != Array && k != Object:
		return AppendJSON(dst, v)
	case k == Object:
		dst = append(dst, '{')
		o := v.Obj()
		for i, e := range o.Slots() {
			dst = appendLine(dst, i, prefix, indent, level+1)
			dst = append(appendQuoted(dst, o.shape.Key(i)), ": "...)
			dst = appendIndented(dst, e, prefix, indent, level+1)
		}
		return append(appendLine(dst, 0, prefix, indent, level), '}')
	}
	dst = append(dst, '[')
	for i, e := range v.Elems() {
		dst = appendLine(dst, i, prefix, indent, level+1)
		dst = appendIndented(dst, e, prefix, indent, level+1)
	}
	return append(appendLine(dst, 0, prefix, indent, level), ']')
}

// appendLine appends what stands before element i of a level: a comma unless it
// is the first, a line end, and the indentation.
func appendLine(dst []byte, i int, prefix, indent string, level int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	dst = append(append(dst, '\n'), prefix...)
	for range level {
		dst = append(dst, indent...)
	}
	return dst
}

// appendQuoted appends s as a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	p, _ := scanString(s, 0)
	if p < len(s) {
		return appendEscaped(dst, s, p)
	}
	n := len(dst)
	dst = slices.Grow(dst, len(s)+2)[:n+len(s)+2]
	dst[n] = '"'
	copy(dst[n+1:], s)
	dst[len(dst)-1] = '"'
	return dst
}

// appendEscaped is appendQuoted where the byte at p is the first one to escape.
func appendEscaped(dst []byte, s string, p int) []byte {
	dst = append(dst, '"')
	for p < len(s) {
		dst = appendEscape(append(dst, s[:p]...), s[p])
		s = s[p+1:]
		p, _ = scanString(s, 0)
	}
	return append(append(dst, s...), '"')
}

// appendEscape appends the escape sequence of a quote, a backslash or a control
// character.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		c = 'b'
	case '\f':
		c = 'f'
	case '\n':
		c = 'n'
	case '\r':
		c = 'r'
	case '\t':
		c = 't'
	default:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(dst, '\\', c)
}

func appendInt(dst []byte, i int64) []byte {
	return strconv.AppendInt(dst, i, 10)
}

// appendDecimal appends a decimal with all its decimals.
func appendDecimal(dst []byte, v Value) []byte {
	m, scale := v.Decimal()
	if m < 0 {
		dst = append(dst, '-')
		m = -m
	}
	dst = append(appendInt(dst, m/pow10[scale]), '.')
	rest := m % pow10[scale]
	for i := scale - 1; i >= 0; i-- {
		dst = append(dst, byte('0'+rest/pow10[i]%10))
	}
	return dst
}

// appendFloat appends f in the shortest form that reads as f again, as
// ECMAScript writes numbers: whole ones without a point, with an exponent below
// 1e-6 and from 1e21 on.
func appendFloat(dst []byte, f float64) []byte {
	if i, ok := floatToInt(f); ok && i < exactFrom && i > -exactFrom {
		return appendInt(dst, i)
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Exponents have at least two digits: 1e-07 is 1e-7 here.
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}
