package value

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// DurationUnit returns the milliseconds of a duration's unit: ms, s, m, h, d or
// w (language definition, section 2). It is 0 for any other text.
func DurationUnit(unit string) int64 {
	switch unit {
	case "ms":
		return 1
	case "s":
		return 1000
	case "m":
		return 60_000
	case "h":
		return 3_600_000
	case "d":
		return 86_400_000
	case "w":
		return 604_800_000
	}
	return 0
}

// ParseDuration reads the text of a duration and returns its milliseconds. Text
// is a duration exactly if it is one where it stands in a source without its
// quotes (language definition, section 2): a number without sign, and a unit,
// with nothing around or between them, as in 30s, 1.5h, 1_000ms or 1e3ms. The
// milliseconds may be more than MaxDuration.
func ParseDuration(text string) (ms float64, ok bool) {
	number := strings.TrimRight(text, "mshdw")
	unit := DurationUnit(text[len(number):])
	n, ok := plainNumber(number)
	if unit == 0 || !ok {
		return 0, false
	}
	return n * float64(unit), true
}

// plainNumber reads a number without sign, as it is written in a source.
func plainNumber(number string) (n float64, ok bool) {
	if number == "" || number[0] == '-' {
		return 0, false
	}
	if strings.IndexByte(number, '_') >= 0 {
		if number, ok = withoutUnderscores(number); !ok {
			return 0, false
		}
	}
	v, ok := ParseNumber(number)
	n = Float64(v)
	return n, ok && !math.IsInf(n, 0)
}

// withoutUnderscores takes them out of a number. ok is false if one of them
// stands elsewhere than between two digits.
func withoutUnderscores(number string) (clean string, ok bool) {
	for i := range len(number) {
		if number[i] == '_' && (i == 0 || i == len(number)-1 || !isDigit(number[i-1]) || !isDigit(number[i+1])) {
			return "", false
		}
	}
	return strings.ReplaceAll(number, "_", ""), true
}

// MaxDuration is the longest time that an option may give, in milliseconds: what
// a time.Duration holds, 292 years.
const MaxDuration = float64(math.MaxInt64 / int64(time.Millisecond))

// Duration returns the time that the value of an option gives: a number of
// milliseconds, or the text of a duration (language definition, section 2).
// Parts of a nanosecond are rounded. The error says what was found and what was
// expected, but not where: it goes on from the name of an option.
func Duration(v Value) (time.Duration, error) {
	var ms float64
	ok := true
	switch {
	case v.IsNumber():
		ms = Float64(v)
	case v.Kind() == String:
		ms, ok = ParseDuration(v.Str())
	default:
		ok = false
	}
	expected := ""
	switch {
	case !ok:
		expected = "a time such as 30s or a number of milliseconds"
	case ms < 0:
		expected = "a time that is not negative"
	case !(ms < MaxDuration):
		expected = "a time of less than 292 years"
	default:
		return time.Duration(math.Round(ms * float64(time.Millisecond))), nil
	}
	return 0, fmt.Errorf("is %s, expected %s", Describe(v), expected)
}
