package check

import (
	"math/bits"
	"time"
)

// Cron is a cron expression that was read, to find its times. The fields are
// sets: bit n stands for the value n.
type Cron struct {
	minutes, hours, days, months, weekdays uint64
	// anyDay and anyWeekday say that the field is `*`. Where neither is, a day
	// that one of them names is enough (POSIX, crontab).
	anyDay, anyWeekday bool
}

// allHours is the set of every hour.
const allHours = 1<<24 - 1

func newCron(sets [5][]int, anyDay, anyWeekday bool) *Cron {
	var b [5]uint64
	for i, set := range sets {
		for _, v := range set {
			b[i] |= 1 << v
		}
	}
	if b[4]&(1<<7) != 0 { // the other name of Sunday
		b[4] |= 1
	}
	return &Cron{minutes: b[0], hours: b[1], days: b[2], months: b[3], weekdays: b[4], anyDay: anyDay, anyWeekday: anyWeekday}
}

// cronHorizon is how many days ahead a time is looked for. The rarest are those
// of 29 February, which the year 2100 does not have: 2096 is followed by 2104.
const cronHorizon = 9 * 366

// Next returns the first time of the expression after t, in the zone loc; the
// zero time if there is none.
//
// Where the clocks change, an expression for certain hours runs once a day all
// the same: what falls into the hour that is left out is due at its end, and in
// the hour that comes twice the first one counts. An expression for every hour
// goes by the time that passes: it has no time in the hour left out, and one in
// each of the two. Cron itself does so.
func (c *Cron) Next(t time.Time, loc *time.Location) time.Time {
	t = t.In(loc)
	year, month, day := t.Date()
	// Days are counted in UTC, where each has its place and 24 hours.
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	for range cronHorizon {
		if c.months>>date.Month()&1 == 0 {
			date = time.Date(date.Year(), date.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		if c.onDay(date.Day(), date.Weekday()) {
			if next := c.inDay(date, t, loc); !next.IsZero() {
				return next
			}
		}
		date = date.AddDate(0, 0, 1)
	}
	return time.Time{}
}

// onDay tells whether the day fields name the day.
func (c *Cron) onDay(day int, weekday time.Weekday) bool {
	byDay, byWeekday := c.days>>day&1 != 0, c.weekdays>>weekday&1 != 0
	if c.anyDay || c.anyWeekday {
		return byDay && byWeekday
	}
	return byDay || byWeekday
}

// clockMargin is more than the clocks are ever set: a whole day, when Samoa went
// over the date line.
const clockMargin = 26 * time.Hour

// inDay returns the first time after t on a date, or the zero time.
func (c *Cron) inDay(date, t time.Time, loc *time.Location) time.Time {
	noon := time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, loc)
	before := noon.Add(-12*time.Hour - clockMargin)
	if _, change := before.ZoneBounds(); !change.IsZero() && change.Before(noon.Add(12*time.Hour+clockMargin)) {
		return c.inChangingDay(date, t, change)
	}
	midnight := noon.Add(-12 * time.Hour)
	minute := 0 // of the day: the first that is not yet over
	if !t.Before(midnight) {
		minute = int(t.Sub(midnight)/time.Minute) + 1
	}
	for minute < 24*60 {
		hours := c.hours >> (minute / 60)
		if hours == 0 {
			break
		}
		if skip := bits.TrailingZeros64(hours); skip > 0 {
			minute = (minute/60 + skip) * 60
		}
		if minutes := c.minutes >> (minute % 60); minutes != 0 {
			return midnight.Add(time.Duration(minute+bits.TrailingZeros64(minutes)) * time.Minute)
		}
		minute = (minute/60 + 1) * 60
	}
	return time.Time{}
}

// inChangingDay is inDay for a day around which the clocks are changed, at the
// time change: each time of the day is looked at by itself.
func (c *Cron) inChangingDay(date, t, change time.Time) time.Time {
	_, offset := change.Add(-1).Zone()
	_, newOffset := change.Zone()
	var first time.Time
	take := func(x time.Time) {
		if x.After(t) && (first.IsZero() || x.Before(first)) {
			first = x
		}
	}
	for hours := c.hours; hours != 0; hours &= hours - 1 {
		for minutes := c.minutes; minutes != 0; minutes &= minutes - 1 {
			wall := date.Add(time.Duration(bits.TrailingZeros64(hours)*60+bits.TrailingZeros64(minutes)) * time.Minute)
			early := wall.Add(-time.Duration(offset) * time.Second).In(change.Location())
			late := wall.Add(-time.Duration(newOffset) * time.Second).In(change.Location())
			isEarly, isLate := early.Before(change), !late.Before(change)
			switch {
			case isEarly && isLate: // it comes twice
				take(early)
				if c.hours == allHours {
					take(late)
				}
			case isEarly:
				take(early)
			case isLate:
				take(late)
			case c.hours != allHours: // it is left out
				take(change)
			}
		}
	}
	return first
}
