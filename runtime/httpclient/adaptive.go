package httpclient

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// server is what a server has said of its limits. The budget's mutex guards it.
type server struct {
	until time.Time // nobody sends before
	left  float64   // requests that may go out before reset; counts if reset is set
	reset time.Time

	// pace is how fast requests go out after a 429 that did not say when to come
	// back; nil: as fast as they come.
	pace    *rate.Limiter
	ceiling float64   // requests a second at which pace is given up
	changed time.Time // when pace was changed last

	window time.Time // since when requests are counted
	sent   int       // since then
}

// wait is how long the server wants requests to wait; 0 if it does not.
func (s *server) wait(now time.Time) time.Duration {
	wait := max(s.until.Sub(now), 0)
	if !s.reset.IsZero() {
		if !now.Before(s.reset) {
			s.reset = time.Time{}
		} else if s.left < 1 {
			wait = max(wait, s.reset.Sub(now))
		}
	}
	return wait
}

// paceWindow is the time over which the pace of requests is measured.
const paceWindow = 10 * time.Second

// take counts a request that goes out.
func (s *server) take(now time.Time) {
	s.left--
	if now.Sub(s.window) > paceWindow {
		s.window, s.sent = now, 0
	}
	s.sent++
}

// observe takes in what the headers of an answer say. flying is how many other
// requests are on their way, of which the server may not know yet.
func (s *server) observe(status int, h http.Header, flying int, sent, now time.Time, known *Rate) {
	said := false
	if status >= 400 {
		if after, ok := retryAfter(h, now); ok {
			said = true
			if at := now.Add(min(after, maxPause)); at.After(s.until) {
				s.until = at
			}
		}
	}
	if l, ok := readLimit(h, now); ok {
		if status == http.StatusTooManyRequests && !l.hasRemaining {
			l.remaining, l.hasRemaining = 0, true
		}
		if l.hasRemaining && l.reset.After(now) {
			said = said || l.remaining < 1
			left := l.remaining - float64(flying)
			// An answer that was overtaken by another says more than there is.
			if s.reset.IsZero() || left < s.left || l.reset.Sub(s.reset) > time.Second {
				s.left = left
			}
			s.reset = l.reset
		}
	}
	if calls, size, ok := readBucket(h); ok && calls >= size-1 {
		said = true
		// Such a bucket drains in 20 seconds.
		if at := now.Add(time.Duration(20 / size * float64(time.Second))); at.After(s.until) {
			s.until = at
		}
	}
	switch {
	case status == http.StatusTooManyRequests && !said:
		s.slower(sent, now, known)
	case s.pace != nil && status < 400:
		s.faster(now)
	}
}

// maxPause keeps times within what can be counted; who waits has a bound of its
// own.
const maxPause = 100 * 365 * 24 * time.Hour

const (
	leastPace    = 0.1 // requests a second
	firstPace    = 1.0 // of the first time, whatever was measured
	recoverEvery = 10 * time.Second
	recoverBy    = 1.25
)

// slower halves the pace. Requests that had gone out before the last time it was
// changed say nothing new.
func (s *server) slower(sent, now time.Time, known *Rate) {
	if s.pace == nil {
		base := float64(s.sent) / math.Max(now.Sub(s.window).Seconds(), 1)
		for _, r := range []float64{known.perSecond, known.perMinute / 60, known.perHour / 3600} {
			if r > 0 {
				base = math.Min(base, r)
			}
		}
		s.ceiling = math.Max(base, firstPace)
		s.pace = rate.NewLimiter(rate.Limit(math.Max(base/2, firstPace)), 1)
		s.pace.AllowN(now, 1) // the first goes out after a while, too
		s.changed = now
		return
	}
	if !sent.After(s.changed) {
		return
	}
	s.pace.SetLimitAt(now, max(s.pace.Limit()/2, leastPace))
	s.changed = now
}

// faster raises the pace step by step, as long as the server does not object.
func (s *server) faster(now time.Time) {
	if now.Sub(s.changed) < recoverEvery {
		return
	}
	s.changed = now
	next := s.pace.Limit() * recoverBy
	if float64(next) > s.ceiling {
		s.pace = nil
		return
	}
	s.pace.SetLimitAt(now, next)
}

// serverLimit is what headers say.
type serverLimit struct {
	remaining    float64
	hasRemaining bool
	reset        time.Time
}

// limitHeaders are the headers that say how many requests are left, and when
// there are more. Names are in their canonical form.
var limitHeaders = [...][2]string{
	{"X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"X-Ratelimit-Remaining", "X-Ratelimit-Reset-After"},
	{"X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"},
	{"Ratelimit-Remaining", "Ratelimit-Reset"}, // draft-ietf-httpapi-ratelimit-headers up to 06
}

// readLimit reads the headers of a server's limit. What can't be read, or is
// past, is passed over.
func readLimit(h http.Header, now time.Time) (l serverLimit, ok bool) {
	for _, names := range &limitHeaders {
		resets, there := h[names[1]]
		if !there || len(resets) == 0 {
			continue
		}
		reset, good := readReset(resets[0], h, now)
		if !good {
			continue
		}
		l = serverLimit{reset: reset}
		if values := h[names[0]]; len(values) > 0 {
			l.remaining, l.hasRemaining = readCount(values[0])
		}
		return l, true
	}
	if values, there := h["Ratelimit"]; there {
		return readRateLimit(strings.Join(values, ","), now)
	}
	return l, false
}

// readRateLimit reads the one header of the drafts from 07 on: `limit=100,
// remaining=5, reset=30`, or, from 08 on, `"default";r=5;t=30` for each policy,
// of which the one counts that has the least left.
func readRateLimit(text string, now time.Time) (l serverLimit, ok bool) {
	if strings.Contains(text, "remaining") {
		text = strings.ReplaceAll(text, ",", ";")
	}
	for policy := range strings.SplitSeq(text, ",") {
		one := serverLimit{}
		for part := range strings.SplitSeq(policy, ";") {
			name, n, _ := strings.Cut(strings.TrimSpace(part), "=")
			switch name {
			case "r", "remaining":
				one.remaining, one.hasRemaining = readCount(n)
			case "t", "reset":
				if seconds, good := readCount(n); good && seconds > 0 && seconds < maxPause.Seconds() {
					one.reset = now.Add(time.Duration(seconds * float64(time.Second)))
				}
			}
		}
		if one.reset.IsZero() || !one.hasRemaining {
			continue
		}
		if !ok || one.remaining < l.remaining || one.remaining == l.remaining && one.reset.After(l.reset) {
			l, ok = one, true
		}
	}
	return l, ok
}

// readCount reads a number that is not negative.
func readCount(text string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}

// readReset reads when there are more requests: seconds from now on, or, if the
// number is so great, a time in seconds or milliseconds since 1970, or a date. A
// time is compared with the server's own clock.
func readReset(text string, h http.Header, now time.Time) (time.Time, bool) {
	clock := now
	if date := serverDate(h); !date.IsZero() {
		clock = date
	}
	var at time.Time
	if n, ok := readCount(text); ok {
		switch {
		case n > 1e15:
			return at, false
		case n > 1e12:
			at = time.UnixMilli(int64(n))
		case n > 1e9:
			at = time.Unix(0, int64(n*float64(time.Second)))
		default:
			if n == 0 {
				return at, false
			}
			return now.Add(time.Duration(n * float64(time.Second))), true
		}
	} else if t, err := time.Parse(time.RFC3339, strings.TrimSpace(text)); err == nil {
		at = t
	} else if t, err := http.ParseTime(strings.TrimSpace(text)); err == nil {
		at = t
	} else {
		return at, false
	}
	if !at.After(clock) {
		return at, false
	}
	return now.Add(at.Sub(clock)), true
}

// readBucket reads Shopify's header of calls in a bucket and its size, 32/40.
func readBucket(h http.Header) (calls, size float64, ok bool) {
	values := h["X-Shopify-Shop-Api-Call-Limit"]
	if len(values) == 0 {
		return 0, 0, false
	}
	a, b, _ := strings.Cut(values[0], "/")
	calls, okCalls := readCount(a)
	size, okSize := readCount(b)
	return calls, size, okCalls && okSize && size >= 1
}
