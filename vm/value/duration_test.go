package value

import (
	"strings"
	"testing"
	"time"
)

// durations are spellings of a time as text, with what they mean; "" is none.
// The rule is that of a literal (language definition, section 2): a number
// without sign, then a unit, nothing else.
var durations = map[string]string{
	"500ms": "500ms", "30s": "30s", "5m": "5m", "2h": "2h", "7d": "168h", "1w": "168h", "0s": "0s", "0ms": "0s",
	"1.5h": "90m", "0.5ms": "500µs", "1.25d": "30h", "1.10s": "1100ms", "4.35s": "4350ms", "0.000001ms": "1ns",
	"1e3ms": "1s", "1E3ms": "1s", "1e+3ms": "1s", "1e-3s": "1ms", "1.5e3ms": "1500ms", "1_000ms": "1s", "1_0.0_1s": "10010ms", "1e0_1s": "10s",
	// What is no number, or no unit.
	"": "", "s": "", "ms": "", "30": "", "1.s": "", ".5s": "", "1..5s": "", "1.2.3s": "", "e3s": "", "1es": "", "1e+s": "", "1e3.5s": "",
	"01s": "", "00s": "", "0_1s": "", "1_s": "", "_1s": "", "1__0s": "", "1_.5s": "", "1._5s": "", "1e_3s": "", "1_e3s": "",
	"5y": "", "5sec": "", "5 min": "", "5S": "", "5M": "", "5us": "", "5ns": "", "5µs": "", "1h30m": "", "5sm": "", "5mss": "", "5ss": "",
	// A sign, and anything around or between.
	"-1s": "", "+5s": "", "-0s": "", "--1s": "", " 30s": "", "30s ": "", "30 s": "", "\t30s": "", "30s\n": "", "30\u00a0s": "", `"30s"`: "", "30s;": "",
	// Numbers of other languages.
	"0x5s": "", "0b1s": "", "1,5s": "", "1'000ms": "", "Infs": "", "infinitys": "", "NaNs": "", "nans": "", "٣s": "", "３０s": "",
	// Too large for a float, and for a time.
	"1e999s": "", "1e308w": "", "99999999w": "", "292y": "", "106752d": "",
	"106751d": "2562024h",
}

func TestDuration(t *testing.T) {
	for text, want := range durations {
		got, err := Duration(FromString(text))
		if want == "" {
			if err == nil {
				t.Errorf("%q: got %v, want an error", text, got)
			} else if s := err.Error(); !strings.HasPrefix(s, `is string "`) || !strings.Contains(s, ", expected a time ") {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if d, e := time.ParseDuration(want); e != nil || err != nil || got != d {
			t.Errorf("%q: got %v, %v, want %s", text, got, err, want)
		}
	}
}

func TestDurationOfValues(t *testing.T) {
	for in, want := range map[string]time.Duration{
		`0`: 0, `-0`: 0, `250`: 250 * time.Millisecond, `1.5`: 1500 * time.Microsecond, `1e3`: time.Second, `0.0000004`: 0, `0.0000005`: 1,
	} {
		if got, err := Duration(decoded(t, in)); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		`null`: "is null, expected a time such as 30s or a number of milliseconds",
		`true`: "is boolean true, expected a time such as 30s or a number of milliseconds",
		`[]`:   "is array [], expected a time such as 30s or a number of milliseconds",
		`{}`:   "is object {}, expected a time such as 30s or a number of milliseconds",
		`"x"`:  `is string "x", expected a time such as 30s or a number of milliseconds`,
		`-1`:   "is number -1, expected a time that is not negative",
		// 2^63 nanoseconds are 9223372036854.775807 ms.
		`9223372036854.775808`:           "is number 9223372036854.775808, expected a time of less than 292 years",
		`1e300`:                          "is number 1e300, expected a time of less than 292 years",
		`123456789012345678901234567890`: "is number 123456789012345678901234567890, expected a time of less than 292 years",
	} {
		if got, err := Duration(decoded(t, in)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, %v, want the error %s", in, got, err, want)
		}
	}
}

func decoded(t *testing.T, text string) Value {
	t.Helper()
	v, err := ParseJSON(nil, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// FuzzDuration checks that a time that is read is one that a time.Duration
// holds, and that a duration means the same with its fraction written longer.
func FuzzDuration(f *testing.F) {
	for text := range durations {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ms, ok := ParseDuration(text)
		if ok && !(ms >= 0) {
			t.Errorf("%q is %v ms", text, ms)
		}
		d, err := Duration(FromString(text))
		if ok != (err == nil) && ms < MaxDuration || d < 0 {
			t.Errorf("%q: ParseDuration gives %v, %v, Duration %v, %v", text, ms, ok, d, err)
		}
		if strings.TrimSpace(text) != text && ok {
			t.Errorf("%q is read", text)
		}
	})
}
