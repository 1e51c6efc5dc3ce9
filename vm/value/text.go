package value

import (
	"unicode/utf8"
)

// Text returns v as templates and concat have it; see AppendText.
func Text(v Value) string {
	switch v.Kind() {
	case Null:
		return ""
	case String, NumText:
		return v.Str()
	}
	var buf [64]byte
	return string(AppendText(buf[:0], v))
}

// AppendText appends v as templates and concat have it: nothing for null,
// a string itself, a timestamp as AppendTime writes it, and all else as compact
// JSON.
func AppendText(dst []byte, v Value) []byte {
	switch v.Kind() {
	case Null:
		return dst
	case String:
		return append(dst, v.Str()...)
	case Time:
		return AppendTime(dst, v.Time())
	}
	return AppendJSON(dst, v)
}

// TypeName returns what typeOf gives: null, boolean, number, string, date,
// array or object (language definition, section 4).
func TypeName(v Value) string {
	switch v.Kind() {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	case Time:
		return "date"
	}
	return "number"
}

// describeBytes is about how much of a value Describe shows.
const describeBytes = 80

// Describe returns v for an error message: its type and its compact JSON, cut
// at about 80 characters, as in `string "abc"` or `number 12`. Null is `null`.
// Only what is shown is looked at.
func Describe(v Value) string {
	if v.IsNull() {
		return "null"
	}
	dst := append(make([]byte, 0, 2*describeBytes), TypeName(v)...)
	dst = append(dst, ' ')
	start := len(dst)
	dst = appendStart(dst, v, start+describeBytes)
	if len(dst)-start <= describeBytes {
		return string(dst)
	}
	return cutText(string(dst), start+describeBytes)
}

// appendStart appends v as compact JSON, and may stop when dst has grown beyond
// limit.
func appendStart(dst []byte, v Value, limit int) []byte {
	switch v.Kind() {
	case String:
		if s := v.Str(); len(s) > describeBytes {
			dst = appendQuoted(dst, cutText(s, describeBytes))
			return append(dst, "…"...) // beyond the limit, so that it is cut
		}
	case NumText:
		return append(dst, cutText(v.Str(), describeBytes)...)
	case Array:
		dst = append(dst, '[')
		for i, e := range v.Elems() {
			if len(dst) > limit {
				return dst
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendStart(dst, e, limit)
		}
		return append(dst, ']')
	case Object:
		o := v.Obj()
		dst = append(dst, '{')
		for i, e := range o.Slots() {
			if len(dst) > limit {
				return dst
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, cutText(o.shape.Key(i), describeBytes)), ':')
			dst = appendStart(dst, e, limit)
		}
		return append(dst, '}')
	}
	return AppendJSON(dst, v)
}

// cutText returns s, cut to at most max bytes and … if it is longer.
func cutText(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max] + "…"
}
