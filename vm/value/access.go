package value

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Field returns v.name (language definition, section 3). A missing field and
// a field of null are null; a field of an array is the array of that field of
// every element; the length of an array or a string is its elements or code
// points. Other values have no fields: null.
func Field(v Value, name string) Value {
	switch v.Kind() {
	case Object:
		f, _ := v.Obj().Get(name)
		return f
	case Array:
		items := v.Elems()
		if name == "length" {
			return FromInt(int64(len(items)))
		}
		left := math.MaxInt
		f, _ := fieldOfAll(items, name, &left)
		return f
	case String:
		if name == "length" {
			return FromInt(int64(utf8.RuneCountInString(v.Str())))
		}
	}
	return Value{}
}

// LimitedField is Field of any value: it fails where the field of an array of
// arrays, which may hold the same ones many times, has more than max elements.
func LimitedField(v Value, name string, max int) (Value, error) {
	if v.Kind() != Array || name == "length" {
		return Field(v, name), nil
	}
	left := max
	f, ok := fieldOfAll(v.Elems(), name, &left)
	if !ok {
		return Value{}, fmt.Errorf("the field %q of an array of arrays has more than %d elements", name, max)
	}
	return f, nil
}

// fieldOfAll returns the array of the field of every element. What is in arrays
// among them counts against left.
func fieldOfAll(items []Value, name string, left *int) (Value, bool) {
	fields := make([]Value, len(items))
	for i, e := range items {
		if e.Kind() != Array || name == "length" {
			fields[i] = Field(e, name)
			continue
		}
		if *left -= 1 + len(e.Elems()); *left < 0 {
			return Value{}, false
		}
		f, ok := fieldOfAll(e.Elems(), name, left)
		if !ok {
			return Value{}, false
		}
		fields[i] = f
	}
	return FromArray(fields), true
}

// Index returns v[i] (language definition, section 3): an element of an array
// or a code point of a string, from the end if i is negative; or a field of an
// object, where a number stands for its text. What is not there is null, and
// so is anything of null. Every other pair is an error.
func Index(v, i Value) (Value, error) {
	switch v.Kind() {
	case Null:
		return Value{}, nil
	case Object:
		switch {
		case i.Kind() == String:
			f, _ := v.Obj().Get(i.Str())
			return f, nil
		case i.IsNumber():
			var text [32]byte
			f, _ := v.Obj().Get(string(AppendText(text[:0], i)))
			return f, nil
		}
		return Value{}, fmt.Errorf("an object is indexed by a string, found %s", Describe(i))
	case Array:
		n, err := position(v, i)
		if err != nil {
			return Value{}, err
		}
		items := v.Elems()
		if n < 0 {
			n += int64(len(items))
		}
		if n < 0 || n >= int64(len(items)) {
			return Value{}, nil
		}
		return items[n], nil
	case String:
		n, err := position(v, i)
		if err != nil {
			return Value{}, err
		}
		return runeAt(v.Str(), n), nil
	}
	return Value{}, fmt.Errorf("only arrays, objects and strings have an index, found %s indexed by %s", Describe(v), Describe(i))
}

// position returns the number that i stands for as an index of v.
func position(v, i Value) (int64, error) {
	if n, ok := AsInt(i); ok {
		return n, nil
	}
	if !i.IsNumber() {
		return 0, badPosition(v, i)
	}
	f := Float64(i)
	if normalNumber(i).whole() {
		// Whole, but beyond 64 bits: out of range of whatever there is.
		if f < 0 {
			return -1 << 63, nil
		}
		return 1<<63 - 1, nil
	}
	return 0, badPosition(v, i)
}

func badPosition(v, i Value) error {
	what := "an array"
	if v.Kind() == String {
		what = "a string"
	}
	return fmt.Errorf("%s is indexed by a whole number, found %s", what, Describe(i))
}

// runeAt returns the code point of s at position n, or null.
func runeAt(s string, n int64) Value {
	if n < 0 {
		n += int64(utf8.RuneCountInString(s))
	}
	if n < 0 || n >= int64(len(s)) {
		return Value{}
	}
	for i := range s {
		if n == 0 {
			_, size := utf8.DecodeRuneInString(s[i:])
			return FromString(s[i : i+size])
		}
		n--
	}
	return Value{}
}

// Length returns the number of code points of a string, elements of an array
// or keys of an object; that of null is 0. ok is false for all else.
func Length(v Value) (n int, ok bool) {
	switch v.Kind() {
	case Null:
		return 0, true
	case String:
		return utf8.RuneCountInString(v.Str()), true
	case Array:
		return len(v.Elems()), true
	case Object:
		return v.Obj().Len(), true
	}
	return 0, false
}
