package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"reqon/vm/option"
)

// breakerLimits is what a `circuitBreaker` option says; the zero one is none.
type breakerLimits struct {
	failures  int     // within window open it; 0: no number does
	rate      float64 // share of failures that opens it, of at least minimum attempts; 0: none does
	minimum   int
	window    time.Duration
	reset     time.Duration // how long it stays open
	successes int           // in a row close it
}

func breakerOf(o *option.Values) breakerLimits {
	b := breakerLimits{
		failures: o.Int("failureThreshold"), rate: o.Number("failureRate"), minimum: o.Int("minimumRequests"),
		window: o.Duration("failureWindow"), reset: o.Duration("resetTimeout"), successes: o.Int("successThreshold"),
	}
	if b.rate > 0 && !o.Given("failureThreshold") {
		b.failures = 0
	}
	return b
}

func (b breakerLimits) none() bool { return b == breakerLimits{} }

// narrower returns what opens sooner and closes later, of both.
func (b breakerLimits) narrower(o breakerLimits) breakerLimits {
	switch {
	case b.none():
		return o
	case o.none():
		return b
	}
	out := breakerLimits{
		failures: b.failures, rate: b.rate, minimum: b.minimum,
		window: max(b.window, o.window), reset: max(b.reset, o.reset), successes: max(b.successes, o.successes),
	}
	if out.failures == 0 || o.failures > 0 && o.failures < out.failures {
		out.failures = o.failures
	}
	if out.rate == 0 || o.rate > 0 && o.rate < out.rate {
		out.rate, out.minimum = o.rate, o.minimum
	}
	return out
}

// BreakerState is how a circuit breaker stands.
type BreakerState int

// The states of a circuit breaker.
const (
	BreakerClosed   BreakerState = iota // requests go out
	BreakerHalfOpen                     // one at a time, to see whether it works again
	BreakerOpen                         // none
)

// breaker is the circuit breaker of a gate. It is safe for concurrent use. Its
// windows run on the system's clock.
type breaker struct {
	mu       sync.Mutex
	limits   breakerLimits
	circuit  *gobreaker.TwoStepCircuitBreaker[any] // nil: none
	state    BreakerState
	openedAt time.Time
	last     string        // what failed last
	probing  bool          // a request is out to see whether it works again
	changed  chan struct{} // closed at the next change of state, or end of a probe
	onState  func(BreakerState)
}

// buckets is into how many parts the window of failures is divided.
const buckets = 10

// set puts limits in force. The breaker begins anew if they are others.
func (b *breaker) set(l breakerLimits) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l == b.limits {
		if b.onState != nil && b.circuit != nil {
			b.onState(b.state) // for a source that is new
		}
		return
	}
	b.limits, b.circuit = l, nil
	if l.none() {
		b.turned(BreakerClosed)
		return
	}
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests: uint32(l.successes), Timeout: max(l.reset, 1), Interval: max(l.window, buckets), BucketPeriod: max(l.window/buckets, 1),
		ReadyToTrip: func(c gobreaker.Counts) bool {
			attempts := c.TotalSuccesses + c.TotalFailures
			return l.failures > 0 && int(c.TotalFailures) >= l.failures ||
				l.rate > 0 && int(attempts) >= l.minimum && float64(c.TotalFailures) >= l.rate*float64(attempts)
		},
		IsSuccessful: func(err error) bool { return err == nil },
		IsExcluded:   func(err error) bool { return errors.Is(err, errNoVerdict) },
	})
	b.turned(BreakerClosed)
}

// errNoVerdict says that an attempt tells nothing of how the server does.
var errNoVerdict = errors.New("no verdict")

// turned notes a state. The caller has the mutex.
func (b *breaker) turned(s BreakerState) {
	b.state = s
	b.wake()
	if b.onState != nil && b.circuit != nil {
		b.onState(s)
	}
}

func (b *breaker) wake() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// passage is a request that the breaker has let out, and that it wants to hear
// of. The zero one is of no breaker.
type passage struct {
	breaker *breaker
	circuit *gobreaker.TwoStepCircuitBreaker[any]
	report  func(error)
	probe   bool
}

// allow lets a request out, or says how long to wait: for a time, or until
// changed is closed.
func (b *breaker) allow() (p passage, ok bool, wait time.Duration, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.circuit == nil {
		return p, true, 0, nil
	}
	if b.state == BreakerHalfOpen && b.probing {
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		return p, false, 0, b.changed
	}
	report, err := b.circuit.Allow()
	b.sync()
	if err != nil {
		return p, false, max(b.limits.reset-time.Since(b.openedAt), time.Millisecond), nil
	}
	p = passage{breaker: b, circuit: b.circuit, report: report, probe: b.state == BreakerHalfOpen}
	b.probing = b.probing || p.probe
	return p, true, 0, nil
}

// done tells the breaker what came of the request: nil if the server does well,
// errNoVerdict if it says nothing of that.
func (p passage) done(err error) {
	b := p.breaker
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p.report(err)
	var f *Failure
	if err != nil && errors.As(err, &f) {
		b.last = f.reason()
	}
	if p.circuit == b.circuit {
		b.sync()
	}
	if p.probe {
		b.probing = false
		b.wake()
	}
}

// sync takes over the state of the circuit. The caller has the mutex.
func (b *breaker) sync() {
	s := BreakerClosed
	switch b.circuit.State() {
	case gobreaker.StateOpen:
		s = BreakerOpen
	case gobreaker.StateHalfOpen:
		s = BreakerHalfOpen
	}
	if s == b.state {
		return
	}
	if s == BreakerOpen {
		b.openedAt = time.Now()
	}
	b.turned(s)
}

// verdict is what an attempt tells the breaker: nil that the server does well.
// A 429 is a matter of limits; what was wrong with the request says nothing
// against the server.
func verdict(f *Failure) error {
	switch {
	case f == nil:
		return nil
	case f.Status == http.StatusTooManyRequests:
		return errNoVerdict
	case f.Status == 0, f.Status >= 500, f.Status == http.StatusRequestTimeout, f.Kind == KindInvalidJSON:
		return f
	}
	return nil
}

// pass waits until the breaker lets the request out. What it returns must be told
// what came of it. The error is ctx's, or a *Failure: it is open for too long.
func (k *call) pass(ctx context.Context) (passage, error) {
	b := &k.gate.breaker
	longest := k.maxWait
	for {
		p, ok, wait, changed := b.allow()
		if ok {
			return p, nil
		}
		if wait > longest || longest <= 0 {
			return p, k.open(wait)
		}
		began := time.Now()
		if changed != nil {
			t := time.NewTimer(longest)
			select {
			case <-changed:
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return p, ctx.Err()
			}
			t.Stop()
			longest -= time.Since(began)
			continue
		}
		if err := k.wait(ctx, wait, WaitBreaker); err != nil {
			return p, err
		}
		longest -= wait
	}
}

// open is the failure of a request that is not sent as the breaker is open.
func (k *call) open(wait time.Duration) *Failure {
	f := k.failure(KindCircuitOpen, &hop{url: k.url, home: k.home})
	f.final, f.Attempts = true, 0
	b := &k.gate.breaker
	b.mu.Lock()
	last := b.last
	b.mu.Unlock()
	f.Err = fmt.Errorf("not sent: the circuit breaker of %s is open, as it fails too often (last: %s)", k.source.name, last)
	if wait > 0 {
		f.Err = fmt.Errorf("%w; the next attempt is in %s", f.Err, shownWait(wait))
	}
	return f
}
