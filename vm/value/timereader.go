package value

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"
)

// TimeReader reads values as times, as a server has them.
type TimeReader struct {
	Zone *time.Location // of texts without an offset; nil: UTC
	Unit int64          // milliseconds that a number counts since 1970, 1 or 1000; 0: a number is no time
}

// Instant is a point in time as exact as it was written.
type Instant struct{ instant }

// Milliseconds returns the milliseconds since 1970; less than one is cut off.
func (t Instant) Milliseconds() int64 { return t.ms() }

// Compare orders two instants: negative if t is the earlier one, 0, or positive.
func (t Instant) Compare(u Instant) int { return t.compare(u.instant) }

// Read returns the instant that v stands for; ok is false if it is no time. A
// number is one by its unit if it is of a year from 0000 to 9999.
func (r TimeReader) Read(v Value) (t Instant, ok bool) {
	switch v.Kind() {
	case Time:
		return Instant{instantOf(v.Time())}, true
	case String:
		zone := r.Zone
		if zone == nil {
			zone = time.UTC
		}
		t.instant, ok = readInstantIn(v.Str(), zone)
		return t, ok
	}
	if r.Unit == 0 || !v.IsNumber() {
		return t, false
	}
	if n, whole := AsInt(v); whole {
		if n > MaxTime/r.Unit || n < MinTime/r.Unit {
			return t, false
		}
		return Instant{instantOf(n * r.Unit)}, true
	}
	return r.fraction(v)
}

// fraction reads a number that is not whole, exactly if it is written with its
// digits alone.
func (r TimeReader) fraction(v Value) (t Instant, ok bool) {
	ms := Float64(v) * float64(r.Unit)
	if !(ms >= MinTime && ms < MaxTime+1) {
		return t, false
	}
	whole, decimals, digits := strings.Cut(Text(v), ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || !digits || ms < 0 || len(decimals) > 1000 || strings.Trim(decimals, "0123456789") != "" {
		return Instant{instantOf(int64(math.Floor(ms)))}, true
	}
	t.seconds = seconds
	if r.Unit == 1 {
		t.instant = instantOf(seconds)
		decimals = ("00" + strconv.FormatInt(seconds%1000, 10))[len(strconv.FormatInt(seconds%1000, 10))-1:] + decimals
	}
	t.fraction = strings.TrimRight(decimals, "0")
	return t, true
}

// Compare orders two values: as instants if both are times to r, else as the
// language does. ok is false where they have no order.
func (r TimeReader) Compare(a, b Value) (order int, ok bool) {
	t, timeA := r.Read(a)
	u, timeB := r.Read(b)
	if timeA && timeB {
		return t.Compare(u), true
	}
	if timeA != timeB {
		return 0, false
	}
	order, ok, err := Compare(a, b)
	return cmp.Compare(order, 0), ok && err == nil
}
