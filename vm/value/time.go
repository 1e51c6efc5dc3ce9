package value

import (
	"cmp"
	"strings"
	"time"
)

// The timestamps that can be written: 0000-01-01T00:00:00.000Z to
// 9999-12-31T23:59:59.999Z, in milliseconds since 1970.
const (
	MinTime = -62167219200000
	MaxTime = 253402300799999
)

// ValidTime reports whether a timestamp is one that can be written: of a year
// from 0000 to 9999. The operations of the language make no other.
func ValidTime(ms int64) bool { return MinTime <= ms && ms <= MaxTime }

const secondsPerDay = 24 * 60 * 60

// ParseTime returns the milliseconds since 1970 of a text that is a time; less
// than a millisecond is cut off. It is the one reader of times: functions,
// comparisons with timestamps, and sync positions all go by it. It reads
//
//   - a date-time of RFC 3339 (section 5.6, any offset, any fraction), and a date
//     YYYY-MM-DD, which means its midnight;
//   - the same with a space for the T, without seconds, and with an offset of
//     the forms +0200 and +02, UTC or GMT, with or without a space before it;
//   - the date of RFC 1123 (Tue, 05 Mar 2024 10:00:00 GMT), which HTTP has, also
//     with a numeric offset and without the name of the day.
//
// A time without an offset is in UTC. A leap second, 23:59:60, is the next
// second. ok is false for any other text, for dates that do not exist, and
// instants before the year 0000 or after 9999 in UTC. Parts of a millisecond are
// rounded.
func ParseTime(s string) (ms int64, ok bool) {
	t, ok := parseInstant(s)
	if !ok {
		if t, _, ok = readInstant(s); !ok {
			return 0, false
		}
	}
	return t.rounded(), true
}

// ParseTimeIn is ParseTime with a time without an offset, also a date, in a time
// zone: of a time that comes twice the first is meant, and one that is skipped
// is as much later as is skipped.
func ParseTimeIn(s string, zone *time.Location) (ms int64, ok bool) {
	t, ok := readInstantIn(s, zone)
	if !ok {
		return 0, false
	}
	return t.rounded(), true
}

// IsDateText reports whether s is a date or date-time of the form that a schema's
// `date` takes: RFC 3339 or YYYY-MM-DD.
func IsDateText(s string) bool {
	_, ok := parseInstant(s)
	return ok
}

// instant is a point in time as exact as its text.
type instant struct {
	seconds  int64  // since 1970, rounded down
	fraction string // decimals of a second, without zeros at the end
}

func (t instant) ms() int64 {
	ms := t.seconds * 1000
	unit := int64(100)
	for i := 0; i < len(t.fraction) && i < 3; i++ {
		ms += unit * int64(t.fraction[i]-'0')
		unit /= 10
	}
	return ms
}

// rounded is ms with what is less than a millisecond rounded. The last instant that
// can be written stays itself: many databases write it with all nines.
func (t instant) rounded() int64 {
	ms := t.ms()
	if len(t.fraction) > 3 && t.fraction[3] >= '5' {
		ms = min(ms+1, MaxTime)
	}
	return ms
}

func (t instant) compare(u instant) int {
	if c := cmp.Compare(t.seconds, u.seconds); c != 0 {
		return c
	}
	return strings.Compare(t.fraction, u.fraction)
}

// instantOf returns the instant of a timestamp.
func instantOf(ms int64) instant {
	seconds, rest := floorDiv(ms, 1000)
	if rest == 0 {
		return instant{seconds: seconds}
	}
	b := [3]byte{byte('0' + rest/100), byte('0' + rest/10%10), byte('0' + rest%10)}
	return instant{seconds, strings.TrimRight(string(b[:]), "0")}
}

func floorDiv(a, b int64) (quotient, rest int64) {
	if quotient, rest = a/b, a%b; rest < 0 {
		return quotient - 1, rest + b
	}
	return quotient, rest
}

// hasTimeForm reports, at a glance, whether s may be a date-time of RFC 3339.
func hasTimeForm(s string) bool {
	return len(s) >= len("2006-01-02T15:04:05Z") && s[4] == '-' && s[7] == '-' && s[10]|0x20 == 't' && s[13] == ':' && s[16] == ':'
}

// parseInstant reads the forms of IsDateText, in UTC.
func parseInstant(s string) (instant, bool) {
	days, ok := parseDate(s)
	if !ok {
		return instant{}, false
	}
	t := instant{seconds: days * secondsPerDay}
	if len(s) == len("2006-01-02") {
		return t, true
	}
	if !hasTimeForm(s) {
		return instant{}, false
	}
	clock, rest, ok := parseClock(s[11:], &t)
	if !ok {
		return instant{}, false
	}
	offset, ok := parseOffset(rest)
	t.seconds += clock - offset
	return t, ok && t.writable()
}

// parseDate reads the YYYY-MM-DD that s begins with, as days since 1970.
func parseDate(s string) (days int64, ok bool) {
	if len(s) < len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	return dayNumber(two(s, 0)*100+two(s, 2), two(s, 5), two(s, 8))
}

// dayNumber returns the days since 1970 of a date, if it exists. What two could
// not read is negative.
func dayNumber(year, month, day int) (days int64, ok bool) {
	if year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysSince1970(year, month, day), true
}

// IsLeapMinute reports whether a minute of an hour may have a leap second: it is the
// last of an hour in UTC, and zones differ from that by quarters of an hour.
func IsLeapMinute(minute int) bool { return minute%15 == 14 }

// parseClock reads the hh:mm or hh:mm:ss that s begins with as seconds, and the
// fraction behind seconds into t; rest is what follows.
func parseClock(s string, t *instant) (seconds int64, rest string, ok bool) {
	if len(s) < len("15:04") || s[2] != ':' {
		return 0, "", false
	}
	hour, minute, second := two(s, 0), two(s, 3), 0
	rest = s[5:]
	if len(rest) >= len(":05") && rest[0] == ':' {
		second = two(rest, 1)
		rest = rest[3:]
		if rest != "" && rest[0] == '.' {
			n := 1
			for n < len(rest) && isDigit(rest[n]) {
				n++
			}
			if n == 1 {
				return 0, "", false
			}
			t.fraction = strings.TrimRight(rest[1:n], "0")
			rest = rest[n:]
		}
	}
	if hour|minute|second < 0 || hour > 23 || minute > 59 || second > 60 || second == 60 && !IsLeapMinute(minute) {
		return 0, "", false
	}
	return int64(hour*3600 + minute*60 + second), rest, true
}

// writable reports whether the instant is one that can be written.
func (t instant) writable() bool { return t.seconds >= MinTime/1000 && t.seconds <= MaxTime/1000 }

// readInstantIn reads any form of a time. What has no offset is in zone.
func readInstantIn(s string, zone *time.Location) (instant, bool) {
	t, local, ok := readInstant(s)
	if ok && local && zone != time.UTC {
		var ms int64
		if ms, ok = FromClock(t.seconds*1000, zone); ok {
			t.seconds = ms / 1000
			if ms%1000 < 0 {
				t.seconds--
			}
		}
	}
	return t, ok
}

// readInstant reads any form of a time. local says that it has no offset.
func readInstant(s string) (t instant, local, ok bool) {
	if len(s) > 0 && !isDigit(s[0]) || len(s) > 1 && s[1] == ' ' || len(s) > 2 && s[2] == ' ' {
		t, ok = parseMailDate(s)
		return t, false, ok
	}
	days, ok := parseDate(s)
	if !ok {
		return t, false, false
	}
	t.seconds = days * secondsPerDay
	s = s[len("2006-01-02"):]
	if s == "" {
		return t, true, true
	}
	if s[0] != ' ' && s[0]|0x20 != 't' {
		return t, false, false
	}
	clock, rest, ok := parseClock(s[1:], &t)
	if !ok {
		return t, false, false
	}
	t.seconds += clock
	if rest == "" {
		return t, true, t.writable()
	}
	offset, ok := readOffset(rest)
	t.seconds -= offset
	return t, false, ok && t.writable()
}

// parseMailDate reads a date of RFC 1123, section 5.2.14, as HTTP and mail have
// it. The name of the day is not held against the date: which of them is wrong
// can't be told.
func parseMailDate(s string) (t instant, ok bool) {
	if len(s) > 4 && s[3] == ',' {
		if nameIndex(dayNames, s[:3]) < 0 {
			return t, false
		}
		s = strings.TrimLeft(s[4:], " ")
	}
	if len(s) > 1 && s[1] == ' ' {
		s = "0" + s
	}
	if len(s) < len("02 Jan 2006 15:04 Z") || s[2] != ' ' || s[6] != ' ' || s[11] != ' ' {
		return t, false
	}
	days, ok := dayNumber(two(s, 7)*100+two(s, 9), nameIndex(monthNames, s[3:6])/3+1, two(s, 0))
	if !ok || nameIndex(monthNames, s[3:6]) < 0 {
		return t, false
	}
	clock, rest, ok := parseClock(s[12:], &t)
	if !ok || rest == "" {
		return t, false
	}
	offset, ok := readOffset(rest)
	t.seconds = days*secondsPerDay + clock - offset
	return t, ok && t.writable()
}

const (
	dayNames   = "sunmontuewedthufrisat"
	monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"
)

// nameIndex finds a name of three letters, in any case, among names of three; it
// is negative if it is none of them.
func nameIndex(names, name string) int {
	for i := 0; i < len(names); i += 3 {
		if strings.EqualFold(names[i:i+3], name) {
			return i
		}
	}
	return -1
}

// readOffset reads the seconds east of UTC behind a time: what parseOffset
// reads, ±hhmm, ±hh, UTC, UT or GMT, each behind a space or not.
func readOffset(s string) (seconds int64, ok bool) {
	s = strings.TrimPrefix(s, " ")
	switch {
	case strings.EqualFold(s, "UTC") || strings.EqualFold(s, "GMT") || strings.EqualFold(s, "UT"):
		return 0, true
	case len(s) == len("+0000") && (s[0] == '+' || s[0] == '-'):
		return parseOffset(s[:3] + ":" + s[3:])
	case len(s) == len("+00"):
		return parseOffset(s + ":00")
	}
	return parseOffset(s)
}

// parseOffset returns the seconds east of UTC that Z or ±hh:mm says.
func parseOffset(s string) (seconds int64, ok bool) {
	if len(s) == 1 {
		return 0, s[0]|0x20 == 'z'
	}
	if len(s) != len("+00:00") || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hour, minute := two(s, 1), two(s, 4)
	if hour|minute < 0 || hour > 23 || minute > 59 {
		return 0, false
	}
	seconds = int64(hour*3600 + minute*60)
	if s[0] == '-' {
		return -seconds, true
	}
	return seconds, true
}

// two returns the number of the two digits at i of s, or a negative one.
func two(s string, i int) int {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1 << 20 // stays negative in sums
	}
	return int(a)*10 + int(b)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 returns the day number of a date of the Gregorian calendar. It
// counts in years that begin in March, so that the leap day comes last, and in
// eras of 400 years, which all have the same days.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era, yearOfEra := floorDiv(int64(year), 400)
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + int64(dayOfYear) - 719468
}

// dateOf is the inverse of daysSince1970.
func dateOf(days int64) (year int64, month, day int) {
	era, dayOfEra := floorDiv(days+719468, 146097)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*dayOfYear + 2) / 153
	year = era*400 + yearOfEra
	day = int(dayOfYear-(153*m+2)/5) + 1
	if month = int(m) + 3; month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
}

// AppendTime appends the timestamp of ms milliseconds since 1970 as RFC 3339 in
// UTC with milliseconds, 2026-01-20T09:00:00.000Z. A year outside of 0000 to
// 9999, which no operation of the language makes, is written with a sign and
// at least six digits, as ISO 8601 has it.
func AppendTime(dst []byte, ms int64) []byte {
	days, rest := floorDiv(ms, 1000*secondsPerDay)
	year, month, day := dateOf(days)
	if year < 0 || year > 9999 {
		dst = appendFarYear(dst, year)
	} else {
		dst = appendTwo(appendTwo(dst, int(year)/100), int(year)%100)
	}
	dst = appendTwo(append(dst, '-'), month)
	dst = appendTwo(append(dst, '-'), day)
	second := int(rest / 1000)
	dst = appendTwo(append(dst, 'T'), second/3600)
	dst = appendTwo(append(dst, ':'), second/60%60)
	dst = appendTwo(append(dst, ':'), second%60)
	milli := int(rest % 1000)
	return append(appendTwo(append(dst, '.', byte('0'+milli/100)), milli%100), 'Z')
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}

func appendFarYear(dst []byte, year int64) []byte {
	sign := byte('+')
	if year < 0 {
		sign, year = '-', -year
	}
	dst = append(dst, sign)
	for limit := int64(100_000); limit > year && limit > 1; limit /= 10 {
		dst = append(dst, '0')
	}
	return appendInt(dst, year)
}
