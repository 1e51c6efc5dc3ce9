package stdlib

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"reqon/vm/value"
)

// field is a part of a date pattern.
type field uint8

const (
	literal    field = iota // text that stands for itself
	year4                   // YYYY
	year2                   // YY: 1970 to 2069
	monthName               // MMMM
	monthShort              // MMM
	month2                  // MM
	month1                  // M
	day2                    // DD
	day1                    // D
	hour2                   // HH
	hour1                   // H
	minute2                 // mm
	second2                 // ss
	milli3                  // SSS
	dayName                 // dddd
	dayShort                // ddd
	offset                  // Z: +00:00
)

// fieldNames are the fields as they are written, longer ones before those that
// they start with.
var fieldNames = [...]struct {
	name  string
	field field
}{
	{"YYYY", year4}, {"YY", year2},
	{"MMMM", monthName}, {"MMM", monthShort}, {"MM", month2}, {"M", month1},
	{"DD", day2}, {"D", day1},
	{"HH", hour2}, {"H", hour1},
	{"mm", minute2}, {"ss", second2}, {"SSS", milli3},
	{"dddd", dayName}, {"ddd", dayShort},
	{"Z", offset},
}

// foreignFields are what patterns of other languages write, and what it is
// here. Taken as text they would go into every date unseen. Those of two
// letters may be part of a word, and are taken for a field only apart.
var foreignFields = [...]struct {
	found, meant string
	apart        bool
}{
	{"yyyy", "YYYY", false}, {"yy", "YY", true}, {"dd", "DD", true}, {"hh", "HH", true}, {"h:mm", "H:mm", true},
	{"%Y", "YYYY", false}, {"%m", "MM", false}, {"%d", "DD", false}, {"%H", "HH", false}, {"%M", "mm", false},
	{"%S", "ss", false}, {"2006", "YYYY", false},
}

// scanField returns the part of a pattern that starts at a byte, and the part's
// length in bytes. Of a literal it also returns the text.
func scanField(pattern string, at int) (f field, text string, size int, err error) {
	p := pattern[at:]
	if p[0] == '[' {
		end := strings.IndexByte(p, ']')
		if end < 0 {
			return 0, "", 0, errors.New("found `[` without `]` in the pattern, expected [text]")
		}
		return literal, p[1:end], end + 1, nil
	}
	switch p[0] {
	case 'Y', 'M', 'D', 'H', 'm', 's', 'S', 'd', 'Z':
		for _, n := range &fieldNames {
			if p[0] == n.name[0] && strings.HasPrefix(p, n.name) {
				if len(n.name) == 1 && startsWord(p) {
					break
				}
				return n.field, "", len(n.name), nil
			}
		}
	}
	switch p[0] {
	case 'y', 'd', 'h', '%', '2':
		if err := foreignField(pattern, at); err != nil {
			return 0, "", 0, err
		}
	}
	_, size = utf8.DecodeRuneInString(p)
	return literal, p[:size], size, nil
}

// foreignField returns an error if a field of another language starts at a byte
// of the pattern.
func foreignField(pattern string, at int) error {
	p := pattern[at:]
	for _, n := range &foreignFields {
		if !strings.HasPrefix(p, n.found) {
			continue
		}
		end := len(n.found)
		if n.apart && (at > 0 && isLower(pattern[at-1]) || end < len(p) && isLower(p[end])) {
			continue
		}
		return fmt.Errorf("`%s` is no pattern of dates: write %s, or [%s] for the text", n.found, n.meant, n.found)
	}
	return nil
}

// startsWord reports whether p starts with a word, such as Date or Month, and
// not with a field of one letter: two lower-case letters follow with which no
// field begins.
func startsWord(p string) bool {
	return len(p) >= 3 && isLower(p[1]) && isLower(p[2]) && !lowerField(p[1:]) && !lowerField(p[2:])
}

// lowerField reports whether p starts with a field in lower case.
func lowerField(p string) bool {
	return strings.HasPrefix(p, "mm") || strings.HasPrefix(p, "ss") || strings.HasPrefix(p, "ddd")
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// appendPattern appends a time by a pattern as formatDate has it, in the time's
// own zone.
func appendPattern(dst []byte, t time.Time, pattern string) ([]byte, error) {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	for at := 0; at < len(pattern); {
		f, text, size, err := scanField(pattern, at)
		if err != nil {
			return nil, err
		}
		at += size
		switch f {
		case literal:
			dst = append(dst, text...)
		case year4:
			dst = appendDigits(dst, year, 4)
		case year2:
			dst = appendDigits(dst, year%100, 2)
		case monthName:
			dst = append(dst, month.String()...)
		case monthShort:
			dst = append(dst, month.String()[:3]...)
		case month2:
			dst = appendDigits(dst, int(month), 2)
		case month1:
			dst = appendDigits(dst, int(month), 1)
		case day2:
			dst = appendDigits(dst, day, 2)
		case day1:
			dst = appendDigits(dst, day, 1)
		case hour2:
			dst = appendDigits(dst, hour, 2)
		case hour1:
			dst = appendDigits(dst, hour, 1)
		case minute2:
			dst = appendDigits(dst, minute, 2)
		case second2:
			dst = appendDigits(dst, second, 2)
		case milli3:
			dst = appendDigits(dst, t.Nanosecond()/1e6, 3)
		case dayName:
			dst = append(dst, t.Weekday().String()...)
		case dayShort:
			dst = append(dst, t.Weekday().String()[:3]...)
		case offset:
			dst = appendOffset(dst, t)
		}
	}
	return dst, nil
}

// appendDigits appends n, which is not negative in the years that can be
// written, with at least this many digits.
func appendDigits(dst []byte, n, digits int) []byte {
	switch {
	case digits == 2 && 0 <= n && n < 100:
		return append(dst, byte('0'+n/10), byte('0'+n%10))
	case n < 0:
		dst, n = append(dst, '-'), -n
	}
	for limit := 10; digits > 1; digits-- {
		if n < limit {
			for range digits - 1 {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendOffset appends how far t's zone is before UTC as ±hh:mm. What zones had
// in seconds, before 1972, is cut off.
func appendOffset(dst []byte, t time.Time) []byte {
	_, seconds := t.Zone()
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	dst = appendDigits(append(dst, sign), seconds/3600, 2)
	return appendDigits(append(dst, ':'), seconds/60%60, 2)
}

// wallClock is what parsePattern reads.
type wallClock struct {
	year, month, day, hour, minute, second, milli int
	offset                                        int // seconds before UTC
	hasYear, hasOffset                            bool
}

// parsePattern returns the milliseconds since 1970 of a text that has the form
// of the pattern, local to loc if the pattern has no Z. Month and day are 1,
// the time of day is midnight where the pattern has none.
func parsePattern(text, pattern string, loc *time.Location) (int64, error) {
	w := wallClock{month: 1, day: 1}
	rest := text
	for at := 0; at < len(pattern); {
		f, lit, size, err := scanField(pattern, at)
		if err != nil {
			return 0, err
		}
		name := pattern[at : at+size]
		n := w.read(rest, f, lit)
		if n < 0 {
			return 0, fmt.Errorf("%s is not of the form %s: expected %s, found %s",
				quoteShort(text), quoteShort(pattern), name, foundText(rest))
		}
		rest = rest[n:]
		at += size
	}
	if rest != "" {
		return 0, fmt.Errorf("%s is not of the form %s: expected its end, found %s",
			quoteShort(text), quoteShort(pattern), foundText(rest))
	}
	if !w.hasYear {
		return 0, fmt.Errorf("the pattern %s has no year: write YYYY or YY", quoteShort(pattern))
	}
	last := time.Date(w.year, time.Month(w.month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if w.month < 1 || w.month > 12 || w.day < 1 || w.day > last || w.hour > 23 || w.minute > 59 || w.second > 60 || w.second == 60 && !value.IsLeapMinute(w.minute) {
		return 0, fmt.Errorf("there is no such date as %s", quoteShort(text))
	}
	wall := time.Date(w.year, time.Month(w.month), w.day, w.hour, w.minute, w.second, w.milli*1e6, time.UTC).UnixMilli()
	if w.hasOffset {
		return wall - int64(w.offset)*msSecond, nil
	}
	ms, ok := value.FromClock(wall, loc)
	if !ok {
		return 0, errDateRange
	}
	return ms, nil
}

// read reads a field from the start of s and returns its length, or -1 if s
// does not start with one.
func (w *wallClock) read(s string, f field, lit string) int {
	switch f {
	case literal:
		if !strings.HasPrefix(s, lit) {
			return -1
		}
		return len(lit)
	case year4:
		w.hasYear = true
		return readDigits(s, 4, 4, &w.year)
	case year2:
		w.hasYear = true
		n := readDigits(s, 2, 2, &w.year)
		if w.year += 1900; w.year < 1970 {
			w.year += 100
		}
		return n
	case monthName, monthShort:
		n, i := readName(s, f == monthShort, 12, func(i int) string { return time.Month(i + 1).String() })
		w.month = i + 1
		return n
	case dayName, dayShort: // the date says it already
		n, _ := readName(s, f == dayShort, 7, func(i int) string { return time.Weekday(i).String() })
		return n
	case month2:
		return readDigits(s, 2, 2, &w.month)
	case month1:
		return readDigits(s, 1, 2, &w.month)
	case day2:
		return readDigits(s, 2, 2, &w.day)
	case day1:
		return readDigits(s, 1, 2, &w.day)
	case hour2:
		return readDigits(s, 2, 2, &w.hour)
	case hour1:
		return readDigits(s, 1, 2, &w.hour)
	case minute2:
		return readDigits(s, 2, 2, &w.minute)
	case second2:
		return readDigits(s, 2, 2, &w.second)
	case milli3:
		return readDigits(s, 3, 3, &w.milli)
	}
	return w.readOffset(s)
}

// readDigits reads a number of so many digits, as many as there are.
func readDigits(s string, least, most int, to *int) int {
	n, value := 0, 0
	for n < most && n < len(s) && '0' <= s[n] && s[n] <= '9' {
		value = value*10 + int(s[n]-'0')
		n++
	}
	if n < least {
		return -1
	}
	*to = value
	return n
}

// readName reads one of count names, in any case, or of their first three
// letters, and returns its length and index.
func readName(s string, short bool, count int, name func(i int) string) (n, index int) {
	for i := range count {
		full := name(i)
		if short {
			full = full[:3]
		}
		if len(s) >= len(full) && strings.EqualFold(s[:len(full)], full) {
			return len(full), i
		}
	}
	return -1, 0
}

// readOffset reads Z, ±hh:mm or ±hhmm.
func (w *wallClock) readOffset(s string) int {
	w.hasOffset = true
	if s == "" {
		return -1
	}
	sign := 1
	switch s[0] {
	case 'Z', 'z':
		return 1
	case '-':
		sign = -1
	case '+':
	default:
		return -1
	}
	var hours, minutes int
	at := 1
	if readDigits(s[at:], 2, 2, &hours) < 0 {
		return -1
	}
	at += 2
	if at < len(s) && s[at] == ':' {
		at++
	}
	if readDigits(s[at:], 2, 2, &minutes) < 0 || hours > 23 || minutes > 59 {
		return -1
	}
	w.offset = sign * (hours*3600 + minutes*60)
	return at + 2
}

// quoteShort quotes text for an error, cut where it is long.
func quoteShort(s string) string {
	const most = 80
	if len(s) > most {
		cut := most
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return strconv.Quote(s)
}

func foundText(s string) string {
	if s == "" {
		return "the end of the text"
	}
	return quoteShort(s)
}
