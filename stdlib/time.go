package stdlib

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"reqon/vm/value"
)

// Milliseconds of a unit of time. A day has 24 hours: UTC knows no other.
const (
	msSecond = 1000
	msMinute = 60 * msSecond
	msHour   = 60 * msMinute
	msDay    = 24 * msHour
	msWeek   = 7 * msDay
)

// maxWindows bounds what windows gives. Each one is to be a request.
const maxWindows = 1_000_000

var errDateRange = errors.New("date out of range: the years 0000 to 9999 can be written")

func timeFuncs(zones *zoneCache) []Func {
	t := Param{Name: "t", Kinds: kDate}
	n := Param{Name: "n", Kinds: KNumber}
	zone := Param{Name: "zone", Kinds: KString, Optional: true}
	pattern := Param{Name: "pattern", Kinds: KString}
	two := []Param{{Name: "a", Kinds: kDate}, {Name: "b", Kinds: kDate}}
	funcs := []Func{
		{Name: "now", Doc: "the present instant",
			Result: KTime, Form: Host},
		{Name: "timestamp", Doc: "milliseconds since 1970 of the present instant, or of a time",
			Params: []Param{{Name: "t", Kinds: kDate, Optional: true}}, Result: KNumber, Form: Host, impl: timestamp},
		{Name: "parseDate", Doc: "timestamp of a text: RFC 3339, YYYY-MM-DD, YYYY-MM-DD HH:mm[:ss], or of a pattern; local to the zone if it names none itself",
			Params: []Param{{Name: "s", Kinds: kDate}, {Name: "pattern", Kinds: KString, Optional: true}, zone},
			Result: KTime, impl: zones.parseDate},
		{Name: "formatDate", Doc: "text of a time by a pattern of YYYY YY MM M DD D HH H mm ss SSS MMM MMMM ddd dddd Z; [text] is literal",
			Params: []Param{t, pattern, zone}, Result: KString, impl: zones.formatDate},
		{Name: "fromUnix", Doc: "timestamp of seconds since 1970",
			Params: []Param{{Name: "seconds", Kinds: KNumber}}, Result: KTime, impl: fromUnix},
		{Name: "toUnix", Doc: "seconds since 1970, with a fraction only if there is one",
			Params: []Param{t}, Result: KNumber, impl: toUnix},
		{Name: "addMonths", Doc: "time so many months later, on the month's last day if it has no such day",
			Params: []Param{t, n, zone}, Result: KTime, impl: zones.addMonths(1)},
		{Name: "addYears", Doc: "time so many years later, on 28 February where there is no 29th",
			Params: []Param{t, n, zone}, Result: KTime, impl: zones.addMonths(12)},
		{Name: "addDays", Doc: "time so many days later; in a zone, at the same time of day",
			Params: []Param{t, n, zone}, Result: KTime, impl: zones.addDays(1)},
		{Name: "subtractDays", Doc: "time so many days earlier; in a zone, at the same time of day",
			Params: []Param{t, n, zone}, Result: KTime, impl: zones.addDays(-1)},
		{Name: "addHours", Doc: "time so many hours later",
			Params: []Param{t, n}, Result: KTime, impl: addUnit(msHour)},
		{Name: "addMinutes", Doc: "time so many minutes later",
			Params: []Param{t, n}, Result: KTime, impl: addUnit(msMinute)},
		{Name: "startOfDay", Doc: "first instant of the day",
			Params: []Param{t, zone}, Result: KTime, impl: zones.startOf(func(int) int { return 0 })},
		{Name: "startOfMonth", Doc: "first instant of the month",
			Params: []Param{t, zone}, Result: KTime, impl: zones.startOf(func(day int) int { return day - 1 })},
		{Name: "diffDays", Doc: "whole days of 24 hours from one time to another, negative if that is earlier",
			Params: two, Result: KNumber, impl: diff(msDay)},
		{Name: "diffHours", Doc: "whole hours from one time to another, negative if that is earlier",
			Params: two, Result: KNumber, impl: diff(msHour)},
		{Name: "windows", Doc: "array of { from, to }: the time from one instant up to, not including, another, cut into parts of a duration; the last one is shorter",
			Params: []Param{{Name: "from", Kinds: kDate}, {Name: "to", Kinds: kDate}, {Name: "step", Kinds: KNumber}},
			Result: KArray, impl: windows},
		{Name: "isBefore", Doc: "whether the first time is earlier than the second",
			Params: two, Result: KBool, impl: isBefore},
		{Name: "isAfter", Doc: "whether the first time is later than the second",
			Params: two, Result: KBool, impl: isAfter},
	}
	for _, p := range []struct {
		name, doc string
		of        func(time.Time) int
	}{
		{"year", "year", time.Time.Year},
		{"month", "month, 1 to 12", func(t time.Time) int { return int(t.Month()) }},
		{"day", "day of the month, 1 to 31", time.Time.Day},
		{"hour", "hour, 0 to 23", time.Time.Hour},
		{"minute", "minute, 0 to 59; minutes(n) is a duration", time.Time.Minute},
		{"second", "second, 0 to 59; seconds(n) is a duration", time.Time.Second},
		{"dayOfWeek", "day of the week, 0 Sunday to 6 Saturday", func(t time.Time) int { return int(t.Weekday()) }},
	} {
		funcs = append(funcs, Func{Name: p.name, Doc: p.doc,
			Params: []Param{t, zone}, Result: KNumber, impl: zones.part(p.of)})
	}
	for _, d := range []struct {
		name string
		unit int64
	}{
		{"milliseconds", 1}, {"seconds", msSecond}, {"minutes", msMinute},
		{"hours", msHour}, {"days", msDay}, {"weeks", msWeek},
	} {
		funcs = append(funcs, Func{Name: d.name, Doc: "duration of so many " + d.name + ", in milliseconds",
			Params: []Param{n}, Result: KNumber, impl: duration(d.unit)})
	}
	return group("time", funcs)
}

// instantArg returns the milliseconds since 1970 of the argument at index i,
// a timestamp or date text. A date or time without offset is one of loc.
func instantArg(args []value.Value, i int, loc *time.Location) (int64, error) {
	v := args[i]
	if v.Kind() == value.Time {
		return v.Time(), nil
	}
	if loc == time.UTC {
		if ms, ok := value.ParseTime(v.Str()); ok {
			return ms, nil
		}
	} else if ms, ok := value.ParseTimeIn(v.Str(), loc); ok {
		return ms, nil
	}
	return 0, badArg(i, "a date such as 2026-01-20, 2026-01-20 09:00 or 2026-01-20T09:00:00Z",
		"parseDate(s, pattern) reads other forms")
}

// timeValue returns a timestamp, if it can be written.
func timeValue(ms int64) (value.Value, error) {
	if ms < value.MinTime || ms > value.MaxTime {
		return value.Value{}, errDateRange
	}
	return value.FromTime(ms), nil
}

func timestamp(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if len(args) == 0 {
		return value.Value{}, errors.New("the present instant is known to the host only")
	}
	ms, err := instantArg(args, 0, time.UTC)
	if err != nil {
		return value.Value{}, err
	}
	return value.FromInt(ms), nil
}

func (z *zoneCache) parseDate(_ *value.Shapes, args []value.Value) (value.Value, error) {
	pattern, loc, err := z.patternAndZone(args)
	if err != nil {
		return value.Value{}, err
	}
	if args[0].Kind() == value.Time {
		return args[0], nil
	}
	if pattern == "" {
		ms, err := instantArg(args, 0, loc)
		if err != nil {
			return value.Value{}, err
		}
		return value.FromTime(ms), nil
	}
	ms, err := parsePattern(args[0].Str(), pattern, loc)
	if err != nil {
		return value.Value{}, err
	}
	return timeValue(ms)
}

// patternAndZone returns the arguments of parseDate that follow the text: a
// pattern, a zone, or both. A pattern has a year in it, and no name of a zone
// has YY.
func (z *zoneCache) patternAndZone(args []value.Value) (pattern string, loc *time.Location, err error) {
	if len(args) == 1 {
		return "", time.UTC, nil
	}
	pattern = args[1].Str()
	if hasYear := strings.Contains(pattern, "YY"); len(args) == 2 && !hasYear {
		loc, err = z.get(args, 1)
		if err != nil {
			err = badArg(1, "a pattern with YYYY or YY, or an IANA time zone", "")
		}
		return "", loc, err
	} else if !hasYear {
		return "", nil, badArg(1, "a pattern with YYYY or YY", "")
	}
	loc = time.UTC
	if len(args) == 3 {
		loc, err = z.get(args, 2)
	}
	return pattern, loc, err
}

func (z *zoneCache) formatDate(_ *value.Shapes, args []value.Value) (value.Value, error) {
	t, err := z.local(args, 2)
	if err != nil {
		return value.Value{}, err
	}
	var room [64]byte
	out, err := appendPattern(room[:0], t, args[1].Str())
	if err != nil {
		return value.Value{}, err
	}
	return madeText(out)
}

// local returns the time args[0] in the zone that is the argument at index i,
// if there is one, else in UTC.
func (z *zoneCache) local(args []value.Value, i int) (time.Time, error) {
	loc := time.UTC
	if i < len(args) {
		var err error
		if loc, err = z.get(args, i); err != nil {
			return time.Time{}, err
		}
	}
	ms, err := instantArg(args, 0, loc)
	return time.UnixMilli(ms).In(loc), err
}

func fromUnix(_ *value.Shapes, args []value.Value) (value.Value, error) {
	ms, err := milliseconds(args[0], msSecond)
	if err != nil || ms < value.MinTime || ms > value.MaxTime {
		return value.Value{}, badArg(0, "seconds since 1970 of a year from 0000 to 9999",
			"where it is milliseconds, divide by 1000")
	}
	return value.FromTime(ms), nil
}

func toUnix(_ *value.Shapes, args []value.Value) (value.Value, error) {
	ms, err := instantArg(args, 0, time.UTC)
	if err != nil {
		return value.Value{}, err
	}
	return decimal{ms, 3}.value(), nil
}

// times returns n * unit, exact by the number as it is written: 4.35 seconds
// are 4350 milliseconds.
func times(n value.Value, unit int64) (value.Value, error) {
	if d, ok := decimalOf(n); ok {
		if m, ok := mul(d.mantissa, unit); ok {
			return decimal{m, d.scale}.value(), nil
		}
	}
	return value.Mul(n, value.FromInt(unit))
}

// milliseconds returns n units as whole milliseconds, a half rounded away from
// zero.
func milliseconds(n value.Value, unit int64) (int64, error) {
	v, err := times(n, unit)
	if err != nil {
		return 0, err
	}
	if v, err = roundTo(v, halfAway, 0); err != nil {
		return 0, err
	}
	ms, ok := value.AsInt(v)
	if !ok {
		return 0, errDateRange
	}
	return ms, nil
}

// shift returns the timestamp that is n units after ms.
func shift(ms int64, n value.Value, unit int64) (value.Value, error) {
	by, err := milliseconds(n, unit)
	if err != nil || by > value.MaxTime-value.MinTime || by < value.MinTime-value.MaxTime {
		return value.Value{}, errDateRange
	}
	return timeValue(ms + by)
}

func addUnit(unit int64) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		ms, err := instantArg(args, 0, time.UTC)
		if err != nil {
			return value.Value{}, err
		}
		return shift(ms, args[1], unit)
	}
}

// windows cuts the time from args[0] up to args[1] into parts. They touch, and
// none overlaps, so that what happens at an instant is in exactly one of them.
func windows(t *value.Shapes, args []value.Value) (value.Value, error) {
	var bounds [2]int64
	for i := range bounds {
		ms, err := instantArg(args, i, time.UTC)
		if err != nil {
			return value.Value{}, err
		}
		bounds[i] = ms
	}
	step, err := wholeArg(args, 2)
	if err != nil {
		return value.Value{}, err
	}
	if step <= 0 {
		return value.Value{}, badArg(2, "a duration above 0, such as 7d", "")
	}
	from, to := bounds[0], bounds[1]
	if from >= to {
		return value.FromArray(nil), nil
	}
	n := (to-from-1)/step + 1
	if n > maxWindows {
		return value.Value{}, fmt.Errorf("the result has %d windows, more than 1 million: take a longer step", n)
	}
	out := make([]value.Value, n)
	for i := range out {
		end := to
		if step < to-from {
			end = from + step
		}
		b := value.NewObjectBuilder(t, 2)
		b.Set("from", value.FromTime(from))
		b.Set("to", value.FromTime(end))
		out[i], from = b.Value(), end
	}
	return value.FromArray(out), nil
}

// wholeUnits returns the argument at index 1, a whole number of days or months,
// times sign.
func wholeUnits(args []value.Value, sign int) (int, error) {
	n, err := wholeArg(args, 1)
	if err != nil {
		return 0, err
	}
	const far = 10_000 * 366 // days: more than there are between two timestamps
	if n > far || n < -far {
		return 0, errDateRange
	}
	return int(n) * sign, nil
}

// addDays counts whole days by the calendar where a zone is given, else days of
// 24 hours, of which there may be a fraction.
func (z *zoneCache) addDays(sign int) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		t, err := z.local(args, 2)
		if err != nil {
			return value.Value{}, err
		}
		if len(args) < 3 {
			return shift(t.UnixMilli(), args[1], int64(sign)*msDay)
		}
		n, err := wholeUnits(args, sign)
		if err != nil {
			return value.Value{}, err
		}
		return fromClock(t, wallOf(t)+int64(n)*msDay)
	}
}

// wallOf returns what clocks in t's zone show, as the milliseconds since 1970
// at which UTC's do.
func wallOf(t time.Time) int64 {
	_, offset := t.Zone()
	return t.UnixMilli() + int64(offset)*msSecond
}

// fromClock returns the timestamp at which clocks in t's zone show wall.
func fromClock(t time.Time, wall int64) (value.Value, error) {
	ms, ok := value.FromClock(wall, t.Location())
	if !ok {
		return value.Value{}, errDateRange
	}
	return value.FromTime(ms), nil
}

func (z *zoneCache) addMonths(unit int) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		t, err := z.local(args, 2)
		if err != nil {
			return value.Value{}, err
		}
		n, err := wholeUnits(args, unit)
		if err != nil {
			return value.Value{}, err
		}
		year, month, day := t.Date()
		first := time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		if last := first.AddDate(0, 1, -1).Day(); day > last {
			day = last
		}
		wall := wallOf(t)
		timeOfDay := wall - floorTo(wall, msDay)
		return fromClock(t, first.UnixMilli()+int64(day-1)*msDay+timeOfDay)
	}
}

// floorTo returns the greatest multiple of unit that is not above n.
func floorTo(n, unit int64) int64 {
	r := n % unit
	if r < 0 {
		r += unit
	}
	return n - r
}

// startOf returns the first instant of a day: the one that is as many days
// before as back says of the day of the month.
func (z *zoneCache) startOf(back func(day int) int) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		t, err := z.local(args, 1)
		if err != nil {
			return value.Value{}, err
		}
		return fromClock(t, floorTo(wallOf(t), msDay)-int64(back(t.Day()))*msDay)
	}
}

func (z *zoneCache) part(of func(time.Time) int) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		t, err := z.local(args, 1)
		if err != nil {
			return value.Value{}, err
		}
		return value.FromInt(int64(of(t))), nil
	}
}

// bothInstants returns the times args[0] and args[1].
func bothInstants(args []value.Value) (a, b int64, err error) {
	if a, err = instantArg(args, 0, time.UTC); err != nil {
		return 0, 0, err
	}
	b, err = instantArg(args, 1, time.UTC)
	return a, b, err
}

func diff(unit int64) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		a, b, err := bothInstants(args)
		if err != nil {
			return value.Value{}, err
		}
		return value.FromInt((b - a) / unit), nil
	}
}

func isBefore(_ *value.Shapes, args []value.Value) (value.Value, error) {
	a, b, err := bothInstants(args)
	return value.FromBool(a < b), err
}

func isAfter(_ *value.Shapes, args []value.Value) (value.Value, error) {
	a, b, err := bothInstants(args)
	return value.FromBool(a > b), err
}

func duration(unit int64) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		return times(args[0], unit)
	}
}
