package httpclient

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"reqon/vm/value"
)

// This file reads what servers say of a limit that is used up: 403 or 429 with
// nothing left and the time from which on there is again, in one of the
// spellings of which none is a standard (language definition, section 6.1,
// "Retry").

// limitPrefixes are how the names of such headers begin. Behind them stand
// Remaining, and Reset or Reset-After.
var limitPrefixes = [...]string{"X-Ratelimit-", "Ratelimit-", "X-Rate-Limit-"}

// limitReset returns how long to wait until a limit that is used up is no more. ok
// is false if the headers don't say that it is, or until when.
func limitReset(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	for _, prefix := range limitPrefixes {
		if remaining := strings.TrimSpace(first(h, prefix+"Remaining")); remaining != "" && isZero(remaining) {
			if wait, ok = resetIn(first(h, prefix+"Reset"), h, now); ok {
				return wait, true
			}
			if wait, ok = resetIn(first(h, prefix+"Reset-After"), h, now); ok {
				return wait, true
			}
		}
	}
	// One of several policies, the last of a draft: "default";r=0;t=30
	for _, line := range h["Ratelimit"] {
		for policy := range strings.SplitSeq(line, ",") {
			left, reset := "", ""
			for i, part := range strings.Split(policy, ";") {
				name, text, _ := strings.Cut(strings.TrimSpace(part), "=")
				switch {
				case name == "r" && i > 0:
					left = text
				case name == "t" && i > 0:
					reset = text
				}
			}
			if left == "" || !isZero(left) {
				continue
			}
			if reset == "" {
				reset = first(h, "Ratelimit-Reset")
			}
			if wait, ok = resetIn(reset, h, now); ok {
				return wait, true
			}
		}
	}
	return 0, false
}

// first returns a header by its name in its usual spelling, without looking up
// that spelling.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// isZero reports whether a count is 0. Of several, by different windows, the
// first is the one that counts.
func isZero(text string) bool {
	text, _, _ = strings.Cut(text, ",")
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err == nil && n <= 0
}

// Numbers from leastEpoch on are a time in seconds since 1970, from
// leastEpochMillis on one in milliseconds: nobody waits for ten years.
const (
	leastEpoch       = 315_360_000
	leastEpochMillis = 100_000_000_000
)

// resetIn reads when a limit begins anew: a number of seconds from now, a time
// in seconds or milliseconds since 1970, or a date. What has passed is no answer
// to how long to wait.
func resetIn(text string, h http.Header, now time.Time) (time.Duration, bool) {
	text, _, _ = strings.Cut(strings.Trim(text, ` "`), ";")
	if text == "" {
		return 0, false
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		switch {
		case !(n > 0):
			return 0, false
		case n < leastEpoch:
			return time.Duration(n * float64(time.Second)), true
		case n < leastEpochMillis:
			n *= 1000
		}
		if n > math.MaxInt64/float64(time.Millisecond) {
			return math.MaxInt64, true
		}
		return until(time.UnixMilli(int64(n)), h, now)
	}
	if at, err := http.ParseTime(text); err == nil {
		return until(at, h, now)
	}
	if ms, ok := value.ParseTime(text); ok {
		return until(time.UnixMilli(ms), h, now)
	}
	return 0, false
}

// until returns how long it is until a time of the server's clock, which its Date
// header tells, unless that is absurd.
func until(at time.Time, h http.Header, now time.Time) (time.Duration, bool) {
	if date := serverDate(h); !date.IsZero() && date.Sub(now).Abs() < 24*time.Hour {
		now = date
	}
	wait := at.Sub(now)
	return wait, wait > 0
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
