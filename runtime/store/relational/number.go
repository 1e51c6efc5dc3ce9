package relational

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"reqon/vm/value"
)

// decimal is the parts of a number's text: -1.50e3 has the digits 150, of which
// the point stands 4 places behind the first.
type decimal struct {
	digits string // without zeros at either end; "" for zero
	point  int    // digits before the decimal point, negative for zeros behind it
}

// parseDecimal reads the text of a JSON number. ok is false where its exponent is
// beyond any column.
func parseDecimal(text string) (d decimal, ok bool) {
	text = strings.TrimPrefix(text, "-")
	exp := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil || e > 1e6 || e < -1e6 {
			if strings.Trim(text[:i], "0.") == "" {
				return decimal{}, true
			}
			return decimal{}, false
		}
		exp, text = e, text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	d.point = len(whole) + exp
	all := whole + fraction
	trimmed := strings.TrimLeft(all, "0")
	d.point -= len(all) - len(trimmed)
	d.digits = strings.TrimRight(trimmed, "0")
	if d.digits == "" {
		d.point = 0
	}
	return d, true
}

// behind is how many digits are behind the point.
func (d decimal) behind() int { return max(len(d.digits)-d.point, 0) }

// before is how many are before it.
func (d decimal) before() int { return max(d.point, 0) }

// Bounds of a numeric without any, as PostgreSQL has them.
const (
	mostBefore = 131072
	mostBehind = 16383
)

// ExactFloat returns the float whose shortest text has the digits of a number's
// text, and whether there is one: what is stored as a float is read as it was.
// (The language takes two numbers for equal that make the same float; a store
// does not lose digits for that.)
func ExactFloat(text string) (f float64, ok bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false
	}
	a, okA := parseDecimal(text)
	b, okB := parseDecimal(strconv.FormatFloat(f, 'g', -1, 64))
	return f, okA && okB && a == b
}

func wholeNumber(v value.Value) bool {
	if v.IsInt() {
		return true
	}
	d, ok := parseDecimal(value.Text(v))
	return ok && d.behind() == 0
}

// number returns the text of a number that fits the column.
func (c *Column) number(v value.Value) (string, error) {
	text := value.Text(v)
	switch c.Kind {
	case Int:
		i, ok := value.AsInt(v)
		if !ok {
			if wholeNumber(v) {
				return "", fmt.Errorf("%s: %w", text, ErrWide)
			}
			return "", fmt.Errorf("%s is no whole number", text)
		}
		if c.Unsigned {
			if i < 0 || c.Bits < 64 && i >= 1<<c.Bits {
				return "", fmt.Errorf("%s is beyond what the column takes, %d bits without a sign", text, c.Bits)
			}
		} else if c.Bits < 64 && (i >= 1<<(c.Bits-1) || i < -1<<(c.Bits-1)) {
			return "", fmt.Errorf("%s is beyond what the column takes, %d bits", text, c.Bits)
		}
		return strconv.FormatInt(i, 10), nil
	case Double:
		if _, ok := ExactFloat(text); !ok {
			return "", fmt.Errorf("%s has more digits than the column keeps", text)
		}
		return text, nil
	}
	d, ok := parseDecimal(text)
	if !ok || d.before() > mostBefore || d.behind() > mostBehind {
		return "", errors.New("the number is beyond what the column takes")
	}
	if c.Precision > 0 {
		if d.behind() > c.Scale {
			return "", fmt.Errorf("%s has %d digits behind the point, the column takes %d", text, d.behind(), c.Scale)
		}
		if d.before() > c.Precision-c.Scale {
			return "", fmt.Errorf("%s has %d digits before the point, the column takes %d", text, d.before(), c.Precision-c.Scale)
		}
	}
	return text, nil
}

// utc gives the text of a date as an instant in UTC, with 3 digits behind the
// seconds, or with 6 where it needs them and most allows it.
func utc(text string, most int) (string, error) {
	if !value.IsDateText(text) {
		return "", fmt.Errorf("%q is no date", text)
	}
	if len(text) == len("2006-01-02") {
		return text + "T00:00:00.000Z", nil
	}
	ms, ok := value.ParseTime(text)
	if !ok {
		return "", fmt.Errorf("%q is no date", text)
	}
	fraction := ""
	if i := strings.IndexByte(text, '.'); i >= 0 {
		rest := text[i+1:]
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		fraction = strings.TrimRight(rest[:n], "0")
	}
	if len(fraction) > most {
		return "", fmt.Errorf("%q has more digits behind the seconds than the column keeps, %d", text, most)
	}
	if len(fraction) <= 3 {
		return string(value.AppendTime(nil, ms)), nil
	}
	// ParseTime has rounded to milliseconds: take the seconds alone.
	at := strings.IndexByte(text, '.')
	end := at + 1
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	seconds, ok := value.ParseTime(text[:at] + text[end:])
	if !ok {
		return "", fmt.Errorf("%q is no date", text)
	}
	base := string(value.AppendTime(nil, seconds))
	return base[:len(base)-len("000Z")] + (fraction + "000000")[:6] + "Z", nil
}

// shortTime takes zeros off that a database has put behind the milliseconds.
func shortTime(text string) string {
	if s, ok := strings.CutSuffix(text, "000Z"); ok && len(s) == len("2006-01-02T15:04:05.000") {
		return s + "Z"
	}
	return text
}

// Stamp returns the text of a moment, as _stored keeps it.
func Stamp(t time.Time) string { return string(value.AppendTime(nil, t.UnixMilli())) }

// StampMilli is Stamp of milliseconds since 1970.
func StampMilli(ms int64) string { return string(value.AppendTime(nil, ms)) }
