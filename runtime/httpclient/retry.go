package httpclient

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"reqon/vm/value"
)

// The ways in which the delay between attempts grows.
const (
	Exponential = "exponential" // initialDelay, twice, four times, …
	Linear      = "linear"      // initialDelay, twice, three times, …
	Constant    = "constant"    // initialDelay each time
)

// RetryPolicy says how often a request is tried, and how long to wait in
// between (language definition, section 6.1, "Retry").
type RetryPolicy struct {
	MaxAttempts  int // counts the first; at least 1
	Backoff      string
	InitialDelay time.Duration
	MaxDelay     time.Duration
	// Jitter takes a random part off each delay, up to half of it, so that
	// clients that failed together don't come back together.
	Jitter bool
}

// DefaultRetry is the policy of a source that says nothing: 3 attempts,
// exponential from 1s to 30s, with jitter.
func DefaultRetry() RetryPolicy {
	return RetryPolicy{MaxAttempts: 3, Backoff: Exponential, InitialDelay: time.Second, MaxDelay: 30 * time.Second, Jitter: true}
}

var retryOptions = []string{"maxAttempts", "backoff", "initialDelay", "maxDelay", "jitter"}

// With returns p with what a `retry` option sets on top. An initialDelay beyond
// maxDelay raises it, unless both are given and contradict each other: that is
// an error. Null changes nothing.
func (p RetryPolicy) With(option value.Value) (RetryPolicy, error) {
	if option.IsNull() {
		return p, nil
	}
	o, err := decodeObject(option)
	if err != nil {
		return p, optionError("retry", err)
	}
	hasMax := false
	err = eachOption(o, func(name string, v value.Value) (err error) {
		switch name {
		case "maxAttempts":
			p.MaxAttempts, err = decodeCount(v)
		case "backoff":
			p.Backoff, err = decodeWord(v, Exponential, Linear, Constant)
		case "initialDelay":
			p.InitialDelay, err = value.Duration(v)
		case "maxDelay":
			hasMax = true
			p.MaxDelay, err = value.Duration(v)
		case "jitter":
			p.Jitter, err = decodeBool(v)
		default:
			return unknownOption("retry.", name, retryOptions)
		}
		return optionError("retry."+name, err)
	})
	if err != nil {
		return p, err
	}
	if p.InitialDelay > p.MaxDelay {
		if _, given := o.Get("initialDelay"); hasMax && given {
			return p, optionError("retry.initialDelay", unexpected(mustGet(o, "initialDelay"), "at most maxDelay, "+p.MaxDelay.String()))
		}
		if hasMax {
			p.InitialDelay = p.MaxDelay
		} else {
			p.MaxDelay = p.InitialDelay
		}
	}
	return p, nil
}

func mustGet(o *value.Obj, key string) value.Value {
	v, _ := o.Get(key)
	return v
}

// Delay returns how long to wait after attempt number failed, which counts from
// 1. random gives numbers in [0, 1).
func (p RetryPolicy) Delay(failed int, random func() float64) time.Duration {
	factor := 1.0
	switch p.Backoff {
	case Exponential:
		factor = math.Pow(2, float64(failed-1))
	case Linear:
		factor = float64(failed)
	}
	delay := p.MaxDelay
	if d := float64(p.InitialDelay) * factor; d < float64(p.MaxDelay) {
		delay = time.Duration(d)
	}
	if p.Jitter {
		delay -= time.Duration(random() * float64(delay) / 2)
	}
	return delay
}

// retriedStatus are the answers that may be others the next time.
var retriedStatus = []int{
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
	http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// mayRetry reports whether the call may be sent again after f. A request that
// creates something is only sent again when it can't have been processed
// (language definition, section 6.1).
func (c *call) mayRetry(f *Failure) bool {
	if f.final {
		return false
	}
	transport := f.Status == 0
	if c.repeatable {
		return transport || slices.Contains(retriedStatus, f.Status)
	}
	if f.processed {
		return false
	}
	if transport {
		return f.unsent
	}
	return f.Status == http.StatusTooManyRequests || f.Status == http.StatusServiceUnavailable
}

// pause returns how long to wait after f. ok is false if that is longer than
// the source waits for anyone.
func (c *call) pause(f *Failure, failed int) (wait time.Duration, ok bool) {
	after, given := retryAfter(f.Headers, c.client.clock.Now())
	if !given {
		return c.retry.Delay(failed, c.client.random), true
	}
	return after, after <= c.maxWait
}

// retryAfter reads the Retry-After header (RFC 9110, section 10.2.3): seconds,
// or a date, which is compared with the server's own Date if it sent one, as
// its clock need not be ours.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		switch {
		case !(seconds >= 0):
			return 0, false // negative or NaN: no answer to how long
		case seconds > math.MaxInt64/float64(time.Second)/2:
			return math.MaxInt64, true
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if date := serverDate(h); !date.IsZero() {
		now = date
	}
	return max(at.Sub(now), 0), true
}

// serverDate returns the time of the Date header, or the zero time.
func serverDate(h http.Header) time.Time {
	text := h.Get("Date")
	if text == "" {
		return time.Time{}
	}
	t, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return t
}
