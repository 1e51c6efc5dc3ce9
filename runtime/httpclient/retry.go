package httpclient

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"reqon/vm/backoff"
	"reqon/vm/option"
)

// RetryPolicy says how often a request is tried, and how long to wait in
// between (language definition, section 6.1, "Retry").
type RetryPolicy struct {
	MaxAttempts int // counts the first; at least 1
	backoff.Policy
	On []int // statuses that are repeated as well, for every method
}

// retryOf returns the policy that the options of a source's retry say.
func retryOf(o *option.Values) RetryPolicy {
	return RetryPolicy{MaxAttempts: o.Int("maxAttempts"), Policy: backoff.Of(o), On: o.Statuses("on")}
}

// With returns p with what the options of a request's retry give on top.
func (p RetryPolicy) With(o *option.Values) RetryPolicy {
	if o.Given("maxAttempts") {
		p.MaxAttempts = o.Int("maxAttempts")
	}
	if o.Given("on") {
		p.On = o.Statuses("on")
	}
	p.Policy = p.Policy.With(o)
	return p
}

// retriedStatus are the answers that may be others the next time.
var retriedStatus = []int{
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// mayRetry reports whether the call may be sent again after f. A request that
// creates something is only sent again when it can't have been processed
// (language definition, section 6.1).
//
// What the request's `retry` says by `when` counts before that, and so do the
// statuses of its `on`.
func (c *call) mayRetry(ctx context.Context, f *Failure) bool {
	if c.again != nil {
		if again, decided := c.again(ctx, f); decided {
			return again
		}
	}
	if f.byStatus && slices.Contains(c.retry.On, f.Status) {
		return true
	}
	if f.final {
		return false
	}
	transport := f.Status == 0
	if c.repeatable {
		return transport || slices.Contains(retriedStatus, f.Status) || f.Kind == KindRateLimit
	}
	if f.processed {
		return false
	}
	if transport {
		return f.unsent
	}
	return f.Kind == KindRateLimit || f.Status == http.StatusServiceUnavailable
}

// pause returns how long to wait after f. ok is false if that is longer than
// the source waits for anyone; asked says who wants it.
func (c *call) pause(ctx context.Context, f *Failure, failed int) (wait time.Duration, asked string, ok bool) {
	if c.delay != nil {
		if wait, given := c.delay(ctx, f); given {
			return wait, "the option retry.wait says", wait <= c.maxWait
		}
	}
	now := c.client.clock.Now()
	after, given := retryAfter(f.Headers, now)
	if !given && f.Kind == KindRateLimit {
		after, given = limitReset(f.Headers, now)
	}
	if !given {
		return c.retry.Wait(int64(failed), c.client.random), "", true
	}
	return after, "the server asks", after <= c.maxWait
}

// retryAfter reads the Retry-After header (RFC 9110, section 10.2.3): seconds,
// or a date, which is compared with the server's own Date if it sent one, as
// its clock need not be ours.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	// Of more digits than fit, ParseFloat gives infinity with its error: a long wait.
	if seconds, err := strconv.ParseFloat(text, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		switch {
		case !(seconds >= 0):
			return 0, false // negative or NaN: no answer to how long
		case seconds > math.MaxInt64/float64(time.Second)/2:
			return math.MaxInt64, true
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	at, err := parseHTTPTime(text)
	if err != nil {
		return 0, false
	}
	return max(at.Sub(serverClock(h, now)), 0), true
}

// parseHTTPTime reads a date of HTTP. A leap second, 23:59:60, is the next second.
func parseHTTPTime(text string) (time.Time, error) {
	if before, after, ok := strings.Cut(text, ":59:60 "); ok {
		t, err := http.ParseTime(before + ":59:59 " + after)
		return t.Add(time.Second), err
	}
	return http.ParseTime(text)
}

// serverDate returns the time of the Date header, or the zero time.
func serverDate(h http.Header) time.Time {
	text := h.Get("Date")
	if text == "" {
		return time.Time{}
	}
	t, err := parseHTTPTime(text)
	if err != nil {
		return time.Time{}
	}
	return t
}
