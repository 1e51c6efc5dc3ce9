package check

import (
	"strings"
	"testing"
	"time"
)

func TestParseCron(t *testing.T) {
	for _, text := range []string{
		"* * * * *", "0 9 * * *", "*/15 8-18 * * mon-fri", "0 0 1,15 * *", "5/15 * * * *", "0 0 * JAN,jul SUN",
		"0 0 29 2 *", "0 0 31 1-2 *", "0 0 30 2 mon", "0 0 * * 7", "0 0 * * fri-sun", "0 0 * * 5-7", " 0  0 * *\t* ",
		"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@HOURLY", "59 23 31 12 6", "0-59/59 * * * *",
	} {
		if err := ParseCron(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, c := range []struct{ text, message, suggestion string }{
		{"", "empty", ""},
		{"* * * *", "five fields (minute, hour, day of the month, month, day of the week), found 4", ""},
		{"0 */5 * * * *", "found 6; there is no field for seconds", "write `*/5 * * * *`"},
		{"0 0 9 * * mon 2026", "found 7", ""},
		{"60 * * * *", "60 is no minute: it must be 0 to 59", ""},
		{"* 24 * * *", "24 is no hour: it must be 0 to 23", ""},
		{"* * 0 * *", "0 is no day of the month: it must be 1 to 31", ""},
		{"* * * 13 *", "13 is no month", ""},
		{"* * * * 8", "8 is no day of the week: it must be 0 to 7", ""},
		{"* * * janu *", "`janu` is no month", "did you mean `jan`?"},
		{"* * * * mno", "`mno` is no day of the week: expected a number from 0 to 6 or a name such as `mon`", "did you mean `mon`?"},
		{"* * * * monday", "`monday`", "did you mean `mon`?"},
		{"x * * * *", "`x` is no minute: expected a number from 0 to 59", ""},
		{"-1 * * * *", "a number is missing in `-1`", ""},
		{"+1 * * * *", "`+1` is no minute", ""},
		{"1- * * * *", "a number is missing in `1-`", ""},
		{"1,,2 * * * *", "an empty part in `1,,2`", ""},
		{", * * * *", "an empty part", ""},
		{"* 22-2 * * *", "the range `22-2` for the hour runs backwards", "write `22-23,0-2`"},
		{"* * * * fri-mon", "runs backwards", "write `5-6,0-1`"},
		{"*/0 * * * *", "the step of `*/0` must be a whole number from 1 on, found `0`", ""},
		{"*/ * * * *", "the step of `*/`", ""},
		{"*/-5 * * * *", "the step", ""},
		{"*/90 * * * *", "longer than the whole field for the minute (0 to 59)", ""},
		{"*/99999999999999999999 * * * *", "the step", ""},
		{"99999999999999999999 * * * *", "is no minute", ""},
		{"? * * * *", "`?` is not supported", "write `*`"},
		{"* * L * *", "`L` is no day of the month", ""},
		{"* * * * 5#2", "`5#2` is no day of the week", ""},
		{"0 0 30 2 *", "`30 2` never comes", ""},
		{"0 0 31 2,4,6,9,11 *", "never comes", ""},
		{"@hourli", "unknown cron macro `@hourli`", "did you mean `@hourly`?"},
		{"@reboot", "not supported", "runImmediately"},
		{"@every 5m", "not supported", "every 15 minutes"},
		{"TZ=UTC * * * * *", "no zone of its own", "timezone"},
	} {
		err := ParseCron(c.text)
		if err == nil {
			t.Errorf("%q: no error", c.text)
			continue
		}
		e, ok := err.(*CronError)
		if !ok || !strings.Contains(e.Message, c.message) || !strings.Contains(e.Suggestion, c.suggestion) || c.suggestion == "" && e.Suggestion != "" {
			t.Errorf("%q: %q (%q)", c.text, e.Message, e.Suggestion)
		}
	}
}

func FuzzParseCron(f *testing.F) {
	f.Add("*/15 8-18 * * mon-fri")
	f.Add("@hourly")
	f.Add("0 0 1,15,31 feb ?")
	f.Fuzz(func(t *testing.T, text string) {
		if err := ParseCron(text); err != nil && err.Error() == "" {
			t.Error("an error without a message")
		}
	})
}

func TestParseAt(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-01-20 09:00 UTC":           "2026-01-20T09:00:00Z",
		"2026-01-20T09:00:00Z":           "2026-01-20T09:00:00Z",
		"2026-01-20T09:00:00.5+01:00":    "2026-01-20T08:00:00.5Z",
		"2026-01-20 09:00":               "2026-01-20T08:00:00Z", // in the zone given
		"2026-01-20T09:00":               "2026-01-20T08:00:00Z",
		"2026-01-20 09:00:30":            "2026-01-20T08:00:30Z",
		"2026-01-20 09:00 Z":             "2026-01-20T09:00:00Z",
		"2026-01-20 09:00 +02:00":        "2026-01-20T07:00:00Z",
		"2026-07-20 09:00 Europe/Berlin": "2026-07-20T07:00:00Z",
		"2016-12-31T23:59:60Z":           "2017-01-01T00:00:00Z",
		"2016-12-31 23:59:60 UTC":        "2017-01-01T00:00:00Z",
		"2017-01-01 00:59:60":            "2017-01-01T00:00:00Z",
	} {
		got, err := ParseAt(text, berlin)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if s := got.UTC().Format(time.RFC3339Nano); s != want {
			t.Errorf("%q is %s, want %s", text, s, want)
		}
	}
	for _, text := range []string{"", "2026-01-20", "tomorrow", "2026-02-30 09:00", "2026-01-20T09:00:60Z", "2016-12-31T23:60:00Z", "2016-12-31T23:59:60:60Z", "2026-01-20 25:00", "2026-01-20 09:00 Nowhere", "2026-01-20 09:00 Local", "2026-01-20 09:00 UTC please", "20.01.2026 09:00"} {
		if got, err := ParseAt(text, berlin); err == nil {
			t.Errorf("%q is %v", text, got)
		} else if !strings.Contains(err.Error(), "is no time to run at") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
