package httpclient

import (
	"math"
	"net/http"
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
