package check

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/option"
	"reqon/vm/value"
)

// checkSchedule checks a mission's schedule (language definition, section 5).
func (c *checker) checkSchedule(s *syntax.Schedule) {
	switch s.Kind {
	case syntax.ScheduleEvery:
		if s.Unit != nil && s.Count > longestEvery(s.Unit.Name) {
			span := s.Unit.Span
			span.Start = s.Start
			c.report(diag.CodeOptionRange, span, "a mission that need not run again has no schedule",
				"the interval is too long: at most %d %s", longestEvery(s.Unit.Name), s.Unit.Name)
		}
	case syntax.ScheduleCron:
		if s.Text != nil {
			if err := ParseCron(s.Text.Value); err != nil {
				d := c.report(diag.CodeBadCron, s.Text.Span, "", "%s", err)
				if e, ok := err.(*CronError); ok {
					d.Suggestion = e.Suggestion
				}
			}
		}
	case syntax.ScheduleAt:
		if s.Text != nil {
			if _, err := ParseAt(s.Text.Value, time.UTC); err != nil {
				c.report(diag.CodeBadAt, s.Text.Span, "", "%s", err)
			}
		}
	}
	if s.Options != nil {
		c.checkOptions(s.Options, option.At(option.InSchedule), s.Options.Span)
	}
	c.checkScheduleOptions(s)
}

// longestEvery is how many of a unit an interval may have: 100 years' time, far
// below what the daemon can count.
func longestEvery(unit string) int64 {
	const days = 36_525
	switch strings.TrimSuffix(unit, "s") {
	case "second":
		return days * 24 * 60 * 60
	case "minute":
		return days * 24 * 60
	case "hour":
		return days * 24
	case "day":
		return days
	}
	return days / 7
}

// checkScheduleOptions reports options given both behind the schedule and in
// the mission, and those that this kind of schedule has no use for.
func (c *checker) checkScheduleOptions(s *syntax.Schedule) {
	all := append([]*syntax.Option(nil), c.mission.Options...)
	if s.Options != nil {
		for _, o := range s.Options.Entries {
			for _, m := range c.mission.Options {
				if o.Key != nil && m.Key != nil && o.Key.Name == m.Key.Name {
					d := c.report(diag.CodeOptionTwice, o.Key.Span, "", "the option `%s` is given behind the schedule and in the mission", o.Key.Name)
					note(d, m.Key.Span, "it is given here in the mission")
				}
			}
			all = append(all, o)
		}
	}
	for _, o := range all {
		if o.Key != nil && s.Kind == syntax.ScheduleEvery && o.Key.Name == "timezone" {
			c.report(diag.CodeNoEffect, o.Key.Span, "", "`timezone` has no effect on `every`: an interval counts from the last run")
		}
	}
}

// ParseAt reads the time of a schedule `at "…"`: RFC 3339, or a date and time
// with a zone behind them (`2026-01-20 09:00 UTC`), which is loc where it is
// left out.
//
// A leap second (23:59:60) is the next second.
func ParseAt(text string, loc *time.Location) (time.Time, error) {
	if before, after, ok := strings.Cut(text, ":60"); ok && len(before) > 2 && !strings.Contains(after, ":60") {
		minute, err := strconv.Atoi(before[len(before)-2:])
		if t, e := ParseAt(before+":59"+after, loc); err == nil && e == nil && value.IsLeapMinute(minute) {
			return t.Add(time.Second), nil
		}
		return time.Time{}, atError(text)
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	day := text
	if len(day) > 10 && day[10] == 'T' {
		day = day[:10] + " " + day[11:]
	}
	fields := strings.Fields(day)
	if len(fields) > 3 || len(fields) < 2 {
		return time.Time{}, atError(text)
	}
	if len(fields) == 3 && fields[2] != "Z" {
		zone, err := time.LoadLocation(fields[2])
		if err != nil || fields[2] == "Local" {
			offset, err := time.Parse("Z07:00", fields[2])
			if err != nil {
				problem, _ := zoneProblem(fields[2])
				return time.Time{}, fmt.Errorf("%q is no time to run at: %s", text, problem)
			}
			zone = offset.Location()
		}
		loc = zone
	}
	if len(fields) == 3 && fields[2] == "Z" {
		loc = time.UTC
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, fields[0]+" "+fields[1], loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, atError(text)
}

func atError(text string) error {
	return fmt.Errorf("%q is no time to run at; expected one such as \"2026-01-20 09:00 UTC\" or \"2026-01-20T09:00:00Z\"", text)
}
