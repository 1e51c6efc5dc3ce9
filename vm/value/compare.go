package value

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Truth returns the truth of v: null, false, 0 and "" are false, all else is
// true (language definition, section 3).
func Truth(v Value) bool {
	switch v.Kind() {
	case Null:
		return false
	case Bool:
		return v.Bool()
	case String:
		return v.n&lenMask != 0
	case Int:
		return v.n != 0
	case Float, Decimal, NumText:
		return Float64(v) != 0
	}
	return true
}

// Equal reports whether a == b in the language (definition, section 3): deep,
// whatever the order of keys, and never converting, save that a timestamp
// equals a string that reads as the same instant.
//
// Numbers are equal if their values are, whatever their forms: 1.10 is 1.1 and
// 1e3 is 1000. Integers of any size are compared exactly, also with floats.
// Another number has the value of the nearest float64 if that is below 2^53,
// else its exact one.
//
// It compares to the end. Of values that a mission made, which may hold others
// any number of times, a Comparison is to be asked.
func Equal(a, b Value) bool {
	if a == b {
		return true // the same words: no form has two meanings
	}
	if k := a.Kind(); k == Array || k == Object {
		c := Comparison{steps: math.MinInt}
		return c.Equal(a, b)
	}
	return equalScalars(a, b)
}

// equalScalars is Equal where not both are arrays or both objects.
func equalScalars(a, b Value) bool {
	ka, kb := a.Kind(), b.Kind()
	switch ka {
	case String:
		return kb == String && a.Str() == b.Str() || kb == Time && timeEqualsText(b.Time(), a.Str())
	case Int, Float, Decimal, NumText:
		return b.IsNumber() && compareNumbers(a, b) == 0
	case Time:
		return kb == String && timeEqualsText(a.Time(), b.Str())
	}
	return false
}

func timeEqualsText(ms int64, text string) bool {
	t, _, ok := readInstant(text)
	return ok && t.compare(instantOf(ms)) == 0
}

// Compare orders a and b (language definition, section 3): negative if a comes
// first, 0, or positive. Two numbers, two strings, two timestamps, or
// a timestamp and a date string have an order; two date strings of RFC 3339
// form are ordered as instants. ok is false if either is null, for then no
// comparison holds. Between other kinds there is an error, which shows both.
func Compare(a, b Value) (order int, ok bool, err error) {
	ka, kb := a.Kind(), b.Kind()
	if ka >= Int && kb >= Int {
		if x, y, ok := quickPair(a, b); ok && exact(x) && exact(y) {
			return cmp.Compare(x, y), true, nil
		}
	}
	switch {
	case ka == Int && kb == Int:
		return cmp.Compare(a.Int(), b.Int()), true, nil
	case ka == Null || kb == Null:
		return 0, false, nil
	case ka == String && kb == String:
		return compareText(a.Str(), b.Str()), true, nil
	case ka == Time && kb == Time:
		return cmp.Compare(a.Time(), b.Time()), true, nil
	case ka == Time && kb == String:
		if t, _, ok := readInstant(b.Str()); ok {
			return instantOf(a.Time()).compare(t), true, nil
		}
		return 0, false, fmt.Errorf("can't order %s and %s: the string is no time, expected a form such as 2026-01-20T09:00:00Z or 2026-01-20", Describe(a), Describe(b))
	case ka == String && kb == Time:
		if t, _, ok := readInstant(a.Str()); ok {
			return t.compare(instantOf(b.Time())), true, nil
		}
		return 0, false, fmt.Errorf("can't order %s and %s: the string is no time, expected a form such as 2026-01-20T09:00:00Z or 2026-01-20", Describe(a), Describe(b))
	case a.IsNumber() && b.IsNumber():
		return compareNumbers(a, b), true, nil
	}
	return 0, false, fmt.Errorf("can't order %s and %s, expected two numbers, two strings or two dates", Describe(a), Describe(b))
}

// exact reports whether a float64 of this size holds whole numbers without
// rounding, so that numbers can be compared as floats.
func exact(f float64) bool { return -1<<53 < f && f < 1<<53 }

// compareText orders strings by their bytes, which is the order of their code
// points, save that two timestamps of RFC 3339 form are ordered in time.
func compareText(a, b string) int {
	if hasTimeForm(a) && hasTimeForm(b) {
		if t, ok := parseInstant(a); ok {
			if u, ok := parseInstant(b); ok {
				return t.compare(u)
			}
		}
	}
	return strings.Compare(a, b)
}

// compareNumbers orders two numbers by the values that Equal documents.
func compareNumbers(a, b Value) int {
	ka, kb := a.Kind(), b.Kind()
	switch {
	case ka == NumText || kb == NumText:
		return compareNormal(normalNumber(a), normalNumber(b))
	case ka == Int && kb == Int:
		return cmp.Compare(a.Int(), b.Int())
	case ka == Int:
		return compareIntFloat(a.Int(), Float64(b))
	case kb == Int:
		return -compareIntFloat(b.Int(), Float64(a))
	}
	// Floats and decimals: a decimal has at most 15 digits, and so many make
	// different floats.
	return cmp.Compare(Float64(a), Float64(b))
}

// compareIntFloat orders i and f without rounding i.
func compareIntFloat(i int64, f float64) int {
	switch {
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(i, int64(whole)); c != 0 {
		return c
	}
	return cmp.Compare(whole, f)
}

// exactFrom is 2^53: from it on every float64 is whole, and numbers with
// decimals are taken at their exact value.
const exactFrom = 1 << 53

// normal is the value of a number, apart from its form: an integer of 64 bits;
// a float below 2^53 that is not whole; or any other number by its digits.
type normal struct {
	kind Kind // Int, Float or NumText
	i    int64
	f    float64
	d    digits
}

// whole reports whether n is an integer.
func (n normal) whole() bool { return n.kind == Int || n.kind == NumText && n.d.whole() }

func normalNumber(v Value) normal {
	if i, ok := AsInt(v); ok {
		return normal{kind: Int, i: i}
	}
	f := Float64(v)
	if math.Abs(f) < exactFrom {
		// A number of text may round to a whole one, even to zero.
		if i, ok := floatToInt(f); ok {
			return normal{kind: Int, i: i}
		}
		return normal{kind: Float, f: f}
	}
	if v.IsFloat() {
		return normal{kind: NumText, d: parseDigits(strconv.FormatFloat(f, 'f', 0, 64))}
	}
	d := parseDigits(v.Str())
	if i, ok := d.int(); ok {
		return normal{kind: Int, i: i}
	}
	return normal{kind: NumText, d: d}
}

func compareNormal(a, b normal) int {
	switch {
	case a.kind == NumText || b.kind == NumText:
		return compareDigits(a, b)
	case a.kind == Int && b.kind == Int:
		return cmp.Compare(a.i, b.i)
	case a.kind == Int:
		return compareIntFloat(a.i, b.f)
	case b.kind == Int:
		return -compareIntFloat(b.i, a.f)
	}
	return cmp.Compare(a.f, b.f)
}

// compareDigits orders two numbers of which at least one is held by its digits.
func compareDigits(a, b normal) int {
	switch {
	case a.kind == Float:
		return -b.d.sign() // b is at least 2^53 away from 0, a is not
	case b.kind == Float:
		return a.d.sign()
	}
	for _, n := range []*normal{&a, &b} {
		if n.kind == Int {
			n.d = parseDigits(strconv.FormatInt(n.i, 10))
		}
	}
	return a.d.compare(b.d)
}

// The first byte of a key of AppendKey.
const (
	keyNull   = 'z'
	keyFalse  = 'f'
	keyTrue   = 't'
	keyString = 's'
	keyInt    = 'i'
	keyFloat  = 'd'
	keyDigits = 'n'
	keyArray  = 'a'
	keyObject = 'o'
)

// AppendKey appends bytes that are the same for two values if and only if these
// are Equal, for use as keys of maps. The one exception: a timestamp has the key
// of its text, and so not that of another string that reads as the same
// instant; two such strings are not equal to each other either.
//
// No key is the start of another one. The form may change between versions and
// must not be stored.
func AppendKey(dst []byte, v Value) []byte {
	switch v.Kind() {
	case Null:
		return append(dst, keyNull)
	case Bool:
		if v.Bool() {
			return append(dst, keyTrue)
		}
		return append(dst, keyFalse)
	case String:
		return appendKeyText(append(dst, keyString), v.Str())
	case Time:
		var text [32]byte
		return appendKeyText(append(dst, keyString), string(AppendTime(text[:0], v.Time())))
	case Int:
		return binary.BigEndian.AppendUint64(append(dst, keyInt), uint64(v.Int()))
	case Array:
		items := v.Elems()
		dst = binary.AppendUvarint(append(dst, keyArray), uint64(len(items)))
		for _, e := range items {
			dst = AppendKey(dst, e)
		}
		return dst
	case Object:
		return appendObjectKey(dst, v.Obj())
	}
	return appendNumberKey(dst, normalNumber(v))
}

func appendKeyText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendNumberKey(dst []byte, n normal) []byte {
	switch n.kind {
	case Int:
		return binary.BigEndian.AppendUint64(append(dst, keyInt), uint64(n.i))
	case Float:
		return binary.BigEndian.AppendUint64(append(dst, keyFloat), math.Float64bits(n.f))
	}
	dst = append(dst, keyDigits, byte(n.d.sign()))
	dst = binary.AppendVarint(dst, n.d.exp)
	return appendKeyText(dst, n.d.text)
}

func appendObjectKey(dst []byte, o *Obj) []byte {
	order := make([]int, o.Len())
	for i := range order {
		order[i] = i
	}
	keys := o.shape.all()
	slices.SortFunc(order, func(i, j int) int { return strings.Compare(keys[i], keys[j]) })
	dst = binary.AppendUvarint(append(dst, keyObject), uint64(len(order)))
	slots := o.Slots()
	for _, i := range order {
		dst = AppendKey(appendKeyText(dst, keys[i]), slots[i])
	}
	return dst
}
