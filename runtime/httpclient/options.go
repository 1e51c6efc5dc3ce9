package httpclient

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"reqon/vm/value"
)

// sizeUnits of maxResponseSize in bytes: decimal, and binary with an i.
var sizeUnits = []struct {
	name  string
	bytes float64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"b", 1}}

// parsePlain reads digits, with a fraction or without.
func parsePlain(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

const wantSize = `a number of bytes or a size such as "10MB"`

// decodeSize returns a number of bytes, of at least 1.
func decodeSize(v value.Value) (int64, error) {
	size := -1.0
	switch {
	case v.IsNumber():
		if n, ok := value.AsInt(v); ok {
			size = float64(n)
		}
	case v.Kind() == value.String:
		text := strings.ToLower(strings.ReplaceAll(v.Str(), " ", ""))
		for _, u := range sizeUnits {
			if number, found := strings.CutSuffix(text, u.name); found {
				if n, ok := parsePlain(number); ok {
					size = n * u.bytes
				}
				break
			}
		}
	}
	if size < 1 || size > math.MaxInt64/2 {
		return 0, unexpected(v, wantSize)
	}
	return int64(size), nil
}

// unexpected is what an error says about a value.
func unexpected(v value.Value, expected string) error {
	return fmt.Errorf("is %s, expected %s", value.Describe(v), expected)
}

// optionError names the option that err is about.
func optionError(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("option %s %w", name, err)
}

// unknownOption is the error for an option that does not exist.
func unknownOption(prefix, name string, known []string) error {
	msg := fmt.Sprintf("%s%s is not an option", prefix, name)
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return fmt.Errorf("%s: did you mean %s%s?", msg, prefix, k)
		}
	}
	return fmt.Errorf("%s, expected one of %s", msg, strings.Join(known, ", "))
}

func decodeBool(v value.Value) (bool, error) {
	if v.Kind() != value.Bool {
		return false, unexpected(v, "true or false")
	}
	return v.Bool(), nil
}

// decodeCount returns a whole number of at least 1.
func decodeCount(v value.Value) (int, error) {
	n, ok := int64(0), false
	if v.IsNumber() {
		n, ok = value.AsInt(v)
	}
	if !ok || n < 1 || n > math.MaxInt32 {
		return 0, unexpected(v, "a whole number of at least 1")
	}
	return int(n), nil
}

// decodePositive checks for a number above 0.
func decodePositive(v value.Value) error {
	if !v.IsNumber() || value.Float64(v) <= 0 {
		return unexpected(v, "a number above 0")
	}
	return nil
}

// decodeWord returns one of a few words.
func decodeWord(v value.Value, words ...string) (string, error) {
	if v.Kind() == value.String {
		for _, w := range words {
			if v.Str() == w {
				return w, nil
			}
		}
	}
	return "", unexpected(v, strings.Join(words, ", "))
}

// decodeObject returns the object that an option holds.
func decodeObject(v value.Value) (*value.Obj, error) {
	if v.Kind() != value.Object {
		return nil, unexpected(v, "an object")
	}
	return v.Obj(), nil
}

// eachOption calls fn for every option that o gives. One that is null counts as
// not given, so that env("X") may leave it to the default.
func eachOption(o *value.Obj, fn func(name string, v value.Value) error) error {
	for i, v := range o.Slots() {
		if v.IsNull() {
			continue
		}
		if err := fn(o.Shape().Key(i), v); err != nil {
			return err
		}
	}
	return nil
}
