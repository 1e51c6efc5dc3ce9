package stdlib

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"reqon/vm/value"
)

// maxText is the size, in bytes, of the longest text that a function makes.
const maxText = 64 << 20

// maxElems is the length of the longest array that a function makes of others,
// of a text or of a number.
const maxElems = 10_000_000

// maxKeys is the size, in bytes of their JSON, of all values by which a function
// tells elements apart.
const maxKeys = 1 << 30

var (
	errTextTooLong  = errors.New("the result is longer than 64 MiB")
	errArrayTooLong = fmt.Errorf("the result is longer than %d elements", maxElems)
	errKeysTooLong  = fmt.Errorf("the values to tell apart have more than %d MiB", maxKeys>>20)
	errNotUTF8      = errors.New("the result is not UTF-8 text")
)

// str returns the text of an argument of KText: a string, or a number's text.
func str(v value.Value) string {
	if v.Kind() == value.String {
		return v.Str()
	}
	return value.Text(v)
}

// text returns s as a value. Text that a function leaves as it is keeps its
// bytes, and so costs nothing.
func text(s string) (value.Value, error) { return value.FromString(s), nil }

// madeText returns bytes as a string value that takes them over, or an error if
// there are too many.
func madeText(b []byte) (value.Value, error) {
	if len(b) > maxText {
		return value.Value{}, errTextTooLong
	}
	return value.FromString(string(b)), nil
}

// numberSize is about as long as the text of a number gets.
const numberSize = 20

// textSize returns how much room to make for the text of v: just right for
// a string, a guess for the rest.
func textSize(v value.Value) int {
	switch v.Kind() {
	case value.String:
		return len(v.Str())
	case value.Null:
		return 0
	}
	return numberSize
}

// writeText writes the text of v as value.AppendText has it, without memory of
// its own for what most texts are made of.
func writeText(out *strings.Builder, v value.Value) error {
	var room [numberSize + 4]byte
	switch v.Kind() {
	case value.Null:
	case value.Int:
		out.Write(strconv.AppendInt(room[:0], v.Int(), 10))
	case value.Time:
		out.Write(value.AppendTime(room[:0], v.Time()))
	default:
		s, err := value.LimitedText(v)
		if err != nil {
			return errTextTooLong
		}
		out.WriteString(s)
	}
	if out.Len() > maxText {
		return errTextTooLong
	}
	return nil
}

// wholeArg returns the whole number that is the argument at index i.
func wholeArg(args []value.Value, i int) (int64, error) {
	if v := args[i]; v.IsInt() {
		return v.Int(), nil
	}
	n, ok := value.AsInt(args[i])
	if !ok {
		return 0, badArg(i, "a whole number", "")
	}
	return n, nil
}

// span returns the positions that an optional from and to at args[1] and
// args[2] stand for among n elements: a negative one counts from the end, and
// what is out of range is clipped.
func span(args []value.Value, n int) (from, to int, err error) {
	to = n
	f, err := wholeArg(args, 1)
	if err != nil {
		return 0, 0, err
	}
	from = clip(f, n)
	if len(args) > 2 {
		t, err := wholeArg(args, 2)
		if err != nil {
			return 0, 0, err
		}
		to = clip(t, n)
	}
	return from, max(from, to), nil
}

func clip(i int64, n int) int {
	if i < 0 {
		i = max(i+int64(n), 0)
	}
	return int(min(i, int64(n)))
}

// isASCII reports whether a byte of s is a code point.
func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// byteOffset returns where the code point number n of s starts, or len(s).
func byteOffset(s string, n int) int {
	if n == 0 {
		return 0
	}
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// number returns f as a number of the language: whole ones as integers, so
// that computing with them stays exact.
func number(f float64) (value.Value, error) {
	switch {
	case math.IsNaN(f):
		return value.Value{}, errors.New("the result is no number")
	case math.IsInf(f, 0):
		return value.Value{}, errors.New("the result is too large")
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return value.FromInt(int64(f)), nil
	}
	return value.FromFloat(f), nil
}
