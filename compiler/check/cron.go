package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"reqon/vm/near"
)

// CronError says what is wrong with a cron expression, and what may be meant.
type CronError struct {
	Message    string
	Suggestion string // "" if nothing is likely
}

func (e *CronError) Error() string { return e.Message }

// cronField is one of the five fields of a cron expression.
type cronField struct {
	name     string
	min, max int
	names    []string // of the values from min on
}

var cronFields = [5]cronField{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of the month", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"day of the week", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

// cronMacros are the names of common expressions.
var cronMacros = []string{"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}

// cronMacroFields are what the macros stand for, in their order.
var cronMacroFields = []string{"0 0 1 1 *", "0 0 1 1 *", "0 0 1 * *", "0 0 * * 0", "0 0 * * *", "0 0 * * *", "0 * * * *"}

// ParseCron checks a cron expression: five fields (minute, hour, day of the
// month, month, day of the week: 0 or 7 is Sunday), each `*`, a value, a range
// `1-5`, either of them with a step `/2`, or a list of such; months and days of
// the week may be named; or a macro such as @hourly. An error is a *CronError.
func ParseCron(text string) error {
	_, err := NewCron(text)
	return err
}

// NewCron reads a cron expression as [ParseCron] does, to find its times.
func NewCron(text string) (*Cron, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, cronError("", "the cron expression is empty; it has five fields: minute, hour, day of the month, month, day of the week")
	case strings.HasPrefix(text, "@"):
		fields, err := parseCronMacro(text)
		if err != nil {
			return nil, err
		}
		text = fields
	case strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="):
		return nil, cronError("use the option `timezone`", "a cron expression has no zone of its own")
	}
	parts := strings.Fields(text)
	if len(parts) != len(cronFields) {
		return nil, cronFieldCount(parts)
	}
	var sets [5][]int
	for i, part := range parts {
		set, err := cronFields[i].parse(part)
		if err != nil {
			return nil, err
		}
		sets[i] = set
	}
	if parts[4] == "*" && !cronDayExists(sets[2], sets[3]) {
		return nil, cronError("", "`%s %s` never comes: no month named has such a day", parts[2], parts[3])
	}
	return newCron(sets, parts[2] == "*", parts[4] == "*"), nil
}

// parseCronMacro gives the five fields that a macro stands for.
func parseCronMacro(text string) (string, error) {
	if i := slices.Index(cronMacros, strings.ToLower(text)); i >= 0 {
		return cronMacroFields[i], nil
	}
	switch {
	case text == "@reboot":
		return "", cronError("use the option `runImmediately: true`", "`@reboot` is not supported")
	case strings.HasPrefix(text, "@every"):
		return "", cronError("write `schedule: every 15 minutes`", "`@every` is not supported")
	}
	return "", cronError(didYouMean(near.Nearest(text, cronMacros)), "unknown cron macro `%s`; there are %s", text, strings.Join(cronMacros, ", "))
}

func cronFieldCount(parts []string) error {
	const want = "a cron expression has five fields (minute, hour, day of the month, month, day of the week), found "
	if n := len(parts); n == 6 || n == 7 {
		suggestion := "write `" + strings.Join(parts[1:6], " ") + "`"
		if n == 7 || ParseCron(strings.Join(parts[1:6], " ")) != nil {
			suggestion = ""
		}
		return cronError(suggestion, want+"%d; there is no field for seconds or years", n)
	}
	return cronError("", want+"%d", len(parts))
}

func cronError(suggestion, format string, args ...any) error {
	return &CronError{Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
}

// parse returns the values that a field's text stands for.
func (f *cronField) parse(text string) ([]int, error) {
	if text == "?" {
		return nil, cronError("write `*`", "`?` is not supported in the field for the %s", f.name)
	}
	var set []int
	for item := range strings.SplitSeq(text, ",") {
		values, err := f.parseItem(item, text)
		if err != nil {
			return nil, err
		}
		set = append(set, values...)
	}
	return set, nil
}

// parseItem parses one part of a list: `*`, a value or a range, and a step.
func (f *cronField) parseItem(item, whole string) ([]int, error) {
	if item == "" {
		return nil, cronError("", "an empty part in `%s`, the field for the %s", whole, f.name)
	}
	span, stepText, hasStep := strings.Cut(item, "/")
	from, to := f.min, f.max
	if span != "*" {
		first, last, isRange := strings.Cut(span, "-")
		var err error
		if from, err = f.value(first, item); err != nil {
			return nil, err
		}
		to = from
		switch {
		case isRange:
			if to, err = f.value(last, item); err != nil {
				return nil, err
			}
			if f.max == 7 && to == 0 && from > 0 {
				to = 7 // fri-sun; sun-sun is a day
			}
		case hasStep:
			to = f.max
		}
	}
	step := 1
	if hasStep {
		n, err := strconv.Atoi(stepText)
		if err != nil || n < 1 {
			return nil, cronError("", "the step of `%s` must be a whole number from 1 on, found `%s`", item, stepText)
		}
		if n > f.max-f.min+1 {
			return nil, cronError("", "the step of `%s` is longer than the whole field for the %s (%d to %d)", item, f.name, f.min, f.last())
		}
		step = n
	}
	if from > to {
		return nil, cronError("write `"+f.forwards(from, to, step)+"`", "the range `%s` for the %s runs backwards", span, f.name)
	}
	var values []int
	for v := from; v <= to; v += step {
		values = append(values, v)
	}
	return values, nil
}

// forwards writes what a range that runs backwards means, over the end of the field
// and with its step kept up: 22-4/2 is 22-23/2,0-4/2, and 23-4/2 is 23,1-4/2.
func (f *cronField) forwards(from, to, step int) string {
	if from > f.last() {
		from = f.min // the other name of Sunday
	}
	part := func(from, to int) string {
		switch {
		case from+step > to:
			return strconv.Itoa(from)
		case step == 1:
			return fmt.Sprintf("%d-%d", from, to)
		}
		return fmt.Sprintf("%d-%d/%d", from, to, step)
	}
	if from <= to {
		return part(from, to)
	}
	text := part(from, f.last())
	over := from + (f.last()-from)/step*step + step - f.last() - 1 // how far the first step beyond the end leads
	if next := f.min + over; next <= to {
		text += "," + part(next, to)
	}
	return text
}

// last is the greatest value without the second name of Sunday.
func (f *cronField) last() int {
	if f.max == 7 {
		return 6
	}
	return f.max
}

// value parses one number or name of the field.
func (f *cronField) value(text, item string) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && text[0] != '+' && text[0] != '-' {
		if n < f.min || n > f.max {
			return 0, cronError("", "%d is no %s: it must be %d to %d", n, f.name, f.min, f.max)
		}
		return n, nil
	}
	lower := strings.ToLower(text)
	if i := slices.Index(f.names, lower); i >= 0 {
		return f.min + i, nil
	}
	if f.names != nil {
		meant := near.Nearest(lower, f.names)
		if len(lower) > 3 && slices.Contains(f.names, lower[:3]) {
			meant = lower[:3]
		}
		return 0, cronError(didYouMean(meant), "`%s` is no %s: expected a number from %d to %d or a name such as `%s`",
			text, f.name, f.min, f.last(), f.names[1])
	}
	if text == "" {
		return 0, cronError("", "a number is missing in `%s`, the field for the %s", item, f.name)
	}
	return 0, cronError("", "`%s` is no %s: expected a number from %d to %d", text, f.name, f.min, f.max)
}

// cronDayExists reports whether one of the months has one of the days.
func cronDayExists(days, months []int) bool {
	length := [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	for _, m := range months {
		if slices.Min(days) <= length[m] {
			return true
		}
	}
	return false
}
