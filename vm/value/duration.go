package value

import (
	"fmt"
	"strings"
)

// durationUnits are the units of a duration in milliseconds (language
// definition, section 2). "5ms" ends in "s" too, but "5m" is no number.
var durationUnits = []struct {
	name string
	ms   float64
}{{"ms", 1}, {"s", 1000}, {"m", 60_000}, {"h", 3_600_000}, {"d", 86_400_000}, {"w", 604_800_000}}

// maxDuration is the longest time that an option may give, in milliseconds:
// 292 years, what a time.Duration holds.
const maxDuration = 9.2e15 / 1000

// Milliseconds reads a value that gives a time: a number of milliseconds, or
// text of a number and a unit such as "30s" (language definition, section 2).
// The error says what was found and expected.
func Milliseconds(v Value) (float64, error) {
	ms := -1.0
	switch {
	case v.IsNumber():
		ms = Float64(v)
	case v.Kind() == String:
		for _, u := range durationUnits {
			text, found := strings.CutSuffix(strings.TrimSpace(v.Str()), u.name)
			if n, ok := ParseNumber(text); found && ok {
				ms = Float64(n) * u.ms
				break
			}
		}
	}
	if ms < 0 || ms > maxDuration {
		return 0, fmt.Errorf("must be a time such as 30s or a number of milliseconds, found %s", Describe(v))
	}
	return ms, nil
}
