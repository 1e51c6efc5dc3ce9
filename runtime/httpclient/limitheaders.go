package httpclient

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"reqon/vm/value"
)

// This file reads what the headers of an answer say of the server's limit: how
// many requests are left, and when there are more. None of the spellings in use
// is a standard (language definition, section 6.1, "Retry"; IETF
// draft-ietf-httpapi-ratelimit-headers, in its forms up to 06 and from 07 on).

// serverLimit is what headers say.
type serverLimit struct {
	remaining    float64
	hasRemaining bool
	reset        time.Time // by this side's clock
}

// limitHeaders are the headers that say how many requests are left, and when
// there are more. Names are in their canonical form.
var limitHeaders = [...][3]string{
	{"X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Ratelimit-Reset-After"},
	{"X-Rate-Limit-Remaining", "X-Rate-Limit-Reset", "X-Rate-Limit-Reset-After"},
	{"Ratelimit-Remaining", "Ratelimit-Reset", "Ratelimit-Reset-After"},
}

// readLimit reads the headers of a server's limit. Of several the one counts
// that has the least left. What can't be read, or is past, is passed over.
func readLimit(h http.Header, now time.Time) (l serverLimit, ok bool) {
	for _, names := range &limitHeaders {
		one := serverLimit{}
		one.remaining, one.hasRemaining = readCount(first(h, names[0]))
		for _, name := range names[1:] {
			if reset, good := readReset(first(h, name), h, now); good {
				one.reset = reset
				l, ok = tighter(l, ok, one), true
				break
			}
		}
	}
	for _, line := range h["Ratelimit"] {
		if strings.Contains(line, "remaining") { // limit=100, remaining=5, reset=30
			line = strings.ReplaceAll(line, ",", ";")
		}
		for policy := range strings.SplitSeq(line, ",") { // "default";r=5;t=30
			if one, good := readPolicy(policy, h, now); good {
				l, ok = tighter(l, ok, one), true
			}
		}
	}
	return l, ok
}

// readPolicy reads one policy of the header RateLimit.
func readPolicy(policy string, h http.Header, now time.Time) (one serverLimit, ok bool) {
	reset := ""
	for part := range strings.SplitSeq(policy, ";") {
		switch name, text, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "r", "remaining":
			one.remaining, one.hasRemaining = readCount(text)
		case "t", "reset":
			reset = text
		}
	}
	if reset == "" {
		reset = first(h, "Ratelimit-Reset")
	}
	one.reset, ok = readReset(reset, h, now)
	return one, ok && one.hasRemaining
}

// tighter gives the one of two limits that has less left; of equal ones that
// which lasts longer.
func tighter(a serverLimit, there bool, b serverLimit) serverLimit {
	switch {
	case !there:
		return b
	case a.hasRemaining != b.hasRemaining:
		if a.hasRemaining {
			return a
		}
		return b
	case b.remaining < a.remaining, b.remaining == a.remaining && b.reset.After(a.reset):
		return b
	}
	return a
}

// limitReset returns how long to wait until a limit that is used up is no more. ok
// is false if the headers don't say that it is, or until when.
func limitReset(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	l, ok := readLimit(h, now)
	if !ok || !l.hasRemaining || l.remaining >= 1 {
		return 0, false
	}
	return l.reset.Sub(now), true
}

// limited reports whether an answer says that there were too many requests: a 429,
// or a 403 that says when to come back. It was not processed.
func limited(status int, h http.Header, now time.Time) bool {
	switch status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		if _, ok := retryAfter(h, now); ok {
			return true
		}
		_, ok := limitReset(h, now)
		return ok
	}
	return false
}

// first returns a header by its canonical name, without looking up that name.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// readCount reads a number that is not negative. Of several, by different
// windows, the first is the one that counts.
func readCount(text string) (float64, bool) {
	if text == "" {
		return 0, false // the error of ParseFloat would be made on the heap
	}
	text, _, _ = strings.Cut(text, ",")
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

// Numbers from leastEpoch on are a time in seconds since 1970, from
// leastEpochMillis on one in milliseconds.
const (
	leastEpoch       = 1e9
	leastEpochMillis = 1e12
)

// readReset reads when there are more requests: a number of seconds from now on,
// a time in seconds or milliseconds since 1970, or a date. A time is compared
// with the server's own clock. What has passed says nothing, nor does what is more
// than a lifetime off.
func readReset(text string, h http.Header, now time.Time) (time.Time, bool) {
	text, _, _ = strings.Cut(strings.Trim(text, ` "`), ";")
	if text == "" {
		return time.Time{}, false
	}
	var at time.Time
	if n, ok := readCount(text); ok {
		switch {
		case n == 0:
			return at, false
		case n < leastEpoch:
			return now.Add(time.Duration(n * float64(time.Second))), true
		case n < leastEpochMillis:
			n *= 1000
		}
		if n > 1e15 {
			return at, false // beyond what UnixMilli is for
		}
		at = time.UnixMilli(int64(n))
	} else if t, err := parseHTTPTime(text); err == nil {
		at = t
	} else if ms, ok := value.ParseTime(text); ok {
		at = time.UnixMilli(ms)
	} else {
		return at, false
	}
	wait := at.Sub(serverClock(h, now))
	return now.Add(wait), wait > 0 && wait <= maxPause
}

// serverClock returns what time it is for the server: its Date header, where it
// is less than a day from this side's clock. One that is further off is of a
// cache or of a clock that nobody sets, and a wait that goes by it is absurd.
func serverClock(h http.Header, now time.Time) time.Time {
	if date := serverDate(h); !date.IsZero() && date.Sub(now).Abs() < 24*time.Hour {
		return date
	}
	return now
}
