package option

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"reqon/vm/value"
)

// MaxDelete reads the option maxDelete: below 1, or as text with a percent sign,
// it is a share; a whole number is a count. Null is none of both.
func MaxDelete(v value.Value) (share float64, count int, err error) {
	expected := errors.New("must be a share such as \"60%\" or 0.6, or a whole number of records, found " + value.Describe(v))
	switch {
	case v.IsNull():
		return 0, 0, nil
	case v.Kind() == value.String:
		text, ok := strings.CutSuffix(strings.TrimSpace(v.Str()), "%")
		n, e := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if !ok || e != nil || !(n > 0 && n <= 100) {
			return 0, 0, expected
		}
		return n / 100, 0, nil
	case !v.IsNumber():
		return 0, 0, expected
	}
	if i, ok := value.AsInt(v); ok && i >= 1 && i <= math.MaxInt32 {
		return 0, int(i), nil
	}
	if f := value.Float64(v); f > 0 && f < 1 {
		return f, 0, nil
	}
	return 0, 0, expected
}
