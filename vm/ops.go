package vm

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// compare answers < <= > >= (language definition, section 3).
func compare(op bytecode.Op, a, b value.Value) (value.Value, error) {
	order, ok, err := value.Compare(a, b)
	if err != nil {
		return value.NullValue, err
	}
	return value.FromBool(ok && holds(op, order)), nil
}

// equal answers == if same is true, else !=.
func equal(a, b value.Value, same bool) (value.Value, error) {
	if k := a.Kind(); k == value.Array || k == value.Object {
		var c value.Comparison
		is := c.Equal(a, b)
		return value.FromBool(is == same), c.Err()
	}
	return value.FromBool(value.Equal(a, b) == same), nil
}

// holds reports whether the comparison holds of two values in that order.
func holds(op bytecode.Op, order int) bool {
	switch op {
	case bytecode.Lt:
		return order < 0
	case bytecode.Le:
		return order <= 0
	case bytecode.Gt:
		return order > 0
	}
	return order >= 0
}

// relate answers in, contains, startsWith, endsWith and matches. With null on
// the left they are false, as an order with null is.
func relate(op bytecode.Op, a, b value.Value) (value.Value, error) {
	switch op {
	case bytecode.In:
		return isIn(a, b)
	case bytecode.Contains:
		if a.IsNull() {
			return value.False, nil
		}
		return contains(a, b)
	}
	if a.IsNull() || b.IsNull() {
		return value.False, nil
	}
	if a.Kind() != value.String || b.Kind() != value.String {
		return value.NullValue, fmt.Errorf("`%s` needs text on both sides, found %s and %s", opWord[op], value.Describe(a), value.Describe(b))
	}
	switch op {
	case bytecode.StartsWith:
		return value.FromBool(strings.HasPrefix(a.Str(), b.Str())), nil
	case bytecode.EndsWith:
		return value.FromBool(strings.HasSuffix(a.Str(), b.Str())), nil
	}
	re, err := regexp.Compile(b.Str())
	if err != nil {
		return value.NullValue, fmt.Errorf("`matches`: %w", err)
	}
	return value.FromBool(re.MatchString(a.Str())), nil
}

var opWord = map[bytecode.Op]string{
	bytecode.StartsWith: "startsWith", bytecode.EndsWith: "endsWith", bytecode.Matches: "matches",
}

// isIn answers `a in b`: an element of an array, a key of an object, part of
// a text.
func isIn(a, b value.Value) (value.Value, error) {
	switch b.Kind() {
	case value.Null:
		return value.False, nil
	case value.Array:
		var c value.Comparison
		for _, e := range b.Elems() {
			if c.Equal(a, e) {
				return value.True, nil
			}
		}
		return value.False, c.Err()
	case value.Object:
		if a.IsNull() {
			return value.False, nil
		}
		if a.Kind() == value.Array || a.Kind() == value.Object {
			return value.NullValue, fmt.Errorf("`in` an object needs a key, found %s", value.Describe(a))
		}
		_, ok := b.Obj().Get(value.Text(a))
		return value.FromBool(ok), nil
	case value.String:
		if a.IsNull() {
			return value.False, nil
		}
		if a.Kind() == value.String {
			return value.FromBool(strings.Contains(b.Str(), a.Str())), nil
		}
	}
	return value.NullValue, fmt.Errorf("`in` needs an array, an object or text on the right, found %s in %s", value.Describe(a), value.Describe(b))
}

// contains answers `a contains b`, which is `b in a` for arrays and text.
func contains(a, b value.Value) (value.Value, error) {
	if k := a.Kind(); k != value.Array && k != value.String && k != value.Object {
		return value.NullValue, fmt.Errorf("`contains` needs text, an array or an object on the left, found %s", value.Describe(a))
	}
	return isIn(b, a)
}

func matchRE(re *regexp.Regexp, v value.Value) (value.Value, error) {
	switch v.Kind() {
	case value.Null:
		return value.False, nil
	case value.String:
		return value.FromBool(re.MatchString(v.Str())), nil
	}
	return value.NullValue, fmt.Errorf("`matches` needs text on the left, found %s", value.Describe(v))
}

// mergeObjects merges objects into one; later keys win, null adds nothing.
func mergeObjects(shapes *value.Shapes, parts []value.Value) (value.Value, error) {
	b := value.NewObjectBuilder(shapes, 8)
	for _, p := range parts {
		switch p.Kind() {
		case value.Null:
		case value.Object:
			b.SetAll(p.Obj())
		default:
			return value.NullValue, fmt.Errorf("`...` in an object needs an object, found %s", value.Describe(p))
		}
	}
	v := b.Value()
	if value.TooDeep(v) {
		return v, errTooDeep
	}
	return v, nil
}

// maxElems is the length of the longest array that spreading others makes. One
// that doubles a few dozen times would take all memory.
const maxElems = 10_000_000

// What leaves the machine is written, copied and searched for secrets, so it has
// an end, in bytes of its JSON: each record and each operand of an effect, and
// all records of one batch.
const (
	maxWritten = 128 << 20
	maxBatch   = 1 << 30
)

// errWritten is what a value beyond maxWritten or maxBatch gets.
func errWritten(what string, size int) error {
	return fmt.Errorf("%s more than %d MiB when it is written: it holds too much, or the same too often", what, size>>20)
}

// writable returns why operands of an effect can't leave the machine, or nil.
func writable(args []value.Value) error {
	for _, a := range args {
		if k := a.Kind(); (k == value.Array || k == value.Object) && !value.Fits(a, maxWritten) {
			return errWritten("the value has", maxWritten)
		}
	}
	return nil
}

// writableRecords is writable of the records of a batch.
func writableRecords(records []value.Value) error {
	for i, r := range records {
		if !value.Fits(r, maxWritten) {
			return errWritten(fmt.Sprintf("the record at index %d has", i), maxWritten)
		}
	}
	if !value.Fits(value.FromArray(records), maxBatch) {
		return errWritten("the batch has", maxBatch)
	}
	return nil
}

// extend appends all of an array to one under construction; null adds nothing.
func extend(list []value.Value, v value.Value) ([]value.Value, error) {
	switch v.Kind() {
	case value.Null:
		return list, nil
	case value.Array:
		if len(list)+len(v.Elems()) > maxElems {
			return list, fmt.Errorf("the array is longer than %d elements", maxElems)
		}
		return append(list, v.Elems()...), nil
	}
	return list, fmt.Errorf("`...` in an array needs an array, found %s", value.Describe(v))
}

// sliceFrom gives the elements of an array from n on.
func sliceFrom(v value.Value, n int) value.Value {
	if v.Kind() != value.Array || n < 0 || n > len(v.Elems()) {
		return value.NullValue
	}
	return value.FromArray(v.Elems()[n:])
}

func hasKey(v value.Value, key string) bool {
	if v.Kind() != value.Object {
		return false
	}
	_, ok := v.Obj().Get(key)
	return ok
}

// fill puts the description of v into text in place of "{}".
func fill(text string, v value.Value) string {
	return strings.ReplaceAll(text, "{}", value.Describe(v))
}

// segment escapes a value as one path segment (RFC 3986, section 3.3), so that
// it can't add a slash. A "." or ".." can't be escaped, for servers take %2E%2E
// for "..": checkPath refuses it. What has no text would turn a request for one
// thing into a request for all of them.
func segment(v value.Value) (value.Value, error) {
	switch v.Kind() {
	case value.Null:
		return v, errors.New("a value in the path is null")
	case value.Array, value.Object:
		return v, fmt.Errorf("a value in the path must be text or a number, found %s", value.Describe(v))
	}
	text := value.Text(v)
	if text == "" {
		return v, errors.New("a value in the path is empty text")
	}
	const hex = "0123456789ABCDEF"
	plain := true
	for i := range len(text) {
		plain = plain && unreserved(text[i])
	}
	if plain {
		return value.FromString(text), nil
	}
	escaped := make([]byte, 0, len(text)+16)
	for i := range len(text) {
		if c := text[i]; unreserved(c) {
			escaped = append(escaped, c)
		} else {
			escaped = append(escaped, '%', hex[c>>4], hex[c&15])
		}
	}
	return value.FromString(string(escaped)), nil
}

// unreserved is RFC 3986, section 2.3.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
