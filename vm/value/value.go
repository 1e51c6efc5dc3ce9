// Package value holds what a mission computes with: null, booleans, numbers,
// strings, timestamps, arrays and objects (language definition, section 3),
// with their JSON, equality, order and text.
//
// # Representation
//
// A Value is two words. Null, booleans, integers, floats, decimals and
// timestamps live in those two words and never allocate. A string is its data
// pointer and length, an array the pointer to its first element and its length,
// an object a pointer to its shape, with its slots right behind.
//
// Values are immutable: a string, array or object that has become a Value is
// never written again, so that tasks share them without locks and copying a
// Value is copying two words.
//
// # Numbers
//
// The language knows one kind of number. Here it has four forms, so that a
// number read from JSON and written unchanged keeps its text, digit for digit:
//
//   - Int: a 64-bit integer.
//   - Float: a float64, always the result of a computation, never NaN or Inf.
//   - Decimal: a plain decimal of JSON such as 19.90, held as an integer of at
//     most 15 digits and a count of decimals; converts to float64 exactly as
//     parsing its text would.
//   - NumText: every other number of JSON (1e3, -0, a 20-digit id), held as
//     its text.
//
// Which form a number has is never visible to a mission, only its text is.
package value

import (
	"math"
	"unsafe"
)

// Kind is the form of a Value. Int, Float, Decimal and NumText are all numbers
// to the language; see Value.IsNumber and TypeName.
type Kind uint8

// The kinds. The order is that of the encoding below, not of the language.
const (
	Null Kind = iota
	Bool
	String
	Array
	Object
	NumText // a number kept as its JSON text
	Int
	Float
	Decimal
	Time
)

// Value is one value of the language. The zero Value is null.
//
// For the kinds from Int on, p points into scalarTags and says the kind, and n
// holds the 64 bits. For the others the top byte of n is the kind, the two below
// how deep an Array or Object nests, and the rest a length (String, Array,
// NumText) or the truth (Bool).
type Value struct {
	p unsafe.Pointer
	n uint64
}

// scalarTags is never read or written: the addresses of its bytes, in the order
// of the kinds, mark those whose 64 bits leave no room for a kind.
var scalarTags [4]byte

const (
	tagInt = iota
	tagFloat
	tagDecimal
	tagTime
)

const (
	kindShift  = 56
	depthShift = 40
	depthMask  = 1<<kindShift - 1<<depthShift
	lenMask    = 1<<depthShift - 1
)

// TooDeep reports whether v nests so deep that to walk through it could
// overflow the stack: deeper than 2,000 levels, which is four times what
// a document may have. Whoever makes arrays and objects of values that he does
// not know asks this before he lets them on. No array or object of a document
// counts as less deep than MaxDepth, so that decoding need not count.
func TooDeep(v Value) bool { return v.nesting() > 4*MaxDepth<<depthShift }

// nesting returns the levels of arrays and objects in v at their place in n, or
// more for what came from a document.
func (v Value) nesting() uint64 {
	if uintptr(v.p)-uintptr(unsafe.Pointer(&scalarTags)) < uintptr(len(scalarTags)) {
		return 0
	}
	return v.n & depthMask
}

// nestingOf returns the nesting of an array or object of these values.
func nestingOf(values []Value) uint64 {
	deepest := uint64(0)
	for _, v := range values {
		deepest = max(deepest, v.nesting())
	}
	return min(deepest+1<<depthShift, depthMask)
}

// Kind returns the form of v.
func (v Value) Kind() Kind {
	if d := uintptr(v.p) - uintptr(unsafe.Pointer(&scalarTags)); d < uintptr(len(scalarTags)) {
		return Int + Kind(d)
	}
	return Kind(v.n >> kindShift)
}

// NullValue is null; so is the zero Value.
var NullValue = Value{}

// True and False are the booleans.
var (
	True  = Value{n: uint64(Bool)<<kindShift | 1}
	False = Value{n: uint64(Bool) << kindShift}
)

// FromBool returns True or False.
func FromBool(b bool) Value {
	if b {
		return True
	}
	return False
}

// FromInt returns an integer.
func FromInt(i int64) Value {
	return Value{p: unsafe.Pointer(&scalarTags[tagInt]), n: uint64(i)}
}

// FromFloat returns a computed number. A whole float stays a Float and is
// written without ".0". f must be finite: arithmetic reports an error instead
// of making a NaN or an infinity.
func FromFloat(f float64) Value {
	return Value{p: unsafe.Pointer(&scalarTags[tagFloat]), n: math.Float64bits(f)}
}

// FromTime returns the timestamp of ms milliseconds since 1970-01-01T00:00:00Z.
func FromTime(ms int64) Value {
	return Value{p: unsafe.Pointer(&scalarTags[tagTime]), n: uint64(ms)}
}

// decimalScaleBits is how many of a Decimal's low bits count its decimals.
const decimalScaleBits = 5

// FromDecimal returns the number mantissa / 10^scale, written with exactly
// scale decimals. The mantissa must have at most 15 digits and scale must be
// from 1 to 15; a negative number needs a mantissa other than 0 (-0.0 is
// a NumText).
func FromDecimal(mantissa int64, scale int) Value {
	return Value{p: unsafe.Pointer(&scalarTags[tagDecimal]), n: uint64(mantissa)<<decimalScaleBits | uint64(scale)}
}

// FromString returns a string. The Value shares s's bytes. s must be valid
// UTF-8; whoever takes text from outside checks it there.
func FromString(s string) Value {
	if len(s) == 0 {
		// An empty string may still point into a page, and would keep it alive.
		return Value{n: uint64(String) << kindShift}
	}
	return Value{p: unsafe.Pointer(unsafe.StringData(s)), n: uint64(String)<<kindShift | uint64(len(s))}
}

// FromNumText returns the number whose JSON text is s. s must be a valid JSON
// number that is neither an integer of 64 bits nor a plain decimal that
// FromDecimal holds; ParseNumber chooses the right form.
func FromNumText(s string) Value {
	return Value{p: unsafe.Pointer(unsafe.StringData(s)), n: uint64(NumText)<<kindShift | uint64(len(s))}
}

// FromArray returns an array that takes over elems: the caller must not write
// to it again.
func FromArray(elems []Value) Value {
	if len(elems) == 0 {
		return Value{n: uint64(Array) << kindShift}
	}
	return fromElems(elems, nestingOf(elems))
}

// fromElems is FromArray of at least one element, with a nesting that is known.
func fromElems(elems []Value, nesting uint64) Value {
	return Value{p: unsafe.Pointer(unsafe.SliceData(elems)), n: uint64(Array)<<kindShift | nesting | uint64(len(elems))}
}

// FromObject returns the object o.
func FromObject(o *Obj) Value {
	return Value{p: unsafe.Pointer(o), n: uint64(Object)<<kindShift | uint64(o.depth)<<depthShift}
}

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.p == nil && v.n == 0 }

// IsInt reports whether v is a 64-bit integer.
func (v Value) IsInt() bool { return v.p == unsafe.Pointer(&scalarTags[tagInt]) }

// IsFloat reports whether v is a computed float.
func (v Value) IsFloat() bool { return v.p == unsafe.Pointer(&scalarTags[tagFloat]) }

// IsNumber reports whether v is a number in any of its forms.
func (v Value) IsNumber() bool {
	k := v.Kind()
	return k == Int || k == Float || k == Decimal || k == NumText
}

// Bool returns the truth of a Bool; the Kind must be Bool.
func (v Value) Bool() bool { return v.n&1 != 0 }

// Int returns the integer of an Int; the Kind must be Int.
func (v Value) Int() int64 { return int64(v.n) }

// Float returns the number of a Float; the Kind must be Float.
func (v Value) Float() float64 { return math.Float64frombits(v.n) }

// Time returns the milliseconds since 1970 of a Time; the Kind must be Time.
func (v Value) Time() int64 { return int64(v.n) }

// Decimal returns mantissa and scale of a Decimal; the Kind must be Decimal.
func (v Value) Decimal() (mantissa int64, scale int) {
	return int64(v.n) >> decimalScaleBits, int(v.n & (1<<decimalScaleBits - 1))
}

// Str returns the text of a String or NumText; the Kind must be one of them.
// The text shares the Value's bytes.
func (v Value) Str() string {
	return unsafe.String((*byte)(v.p), int(v.n&lenMask))
}

// Place returns where in memory the text, the elements or the object of v are,
// for tables of values by their place; v must be held as long as it is used.
func (v Value) Place() uintptr { return uintptr(v.p) }

// Elems returns the elements of an Array; the Kind must be Array. They must
// not be written to.
func (v Value) Elems() []Value {
	return unsafe.Slice((*Value)(v.p), int(v.n&lenMask))
}

// Obj returns the object of an Object; the Kind must be Object.
func (v Value) Obj() *Obj { return (*Obj)(v.p) }
