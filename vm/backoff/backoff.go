// Package backoff says how long to wait between attempts: those of a request, of
// the directive retry, and of runs after a failed one (language definition,
// sections 5, 6.1 and 6.2).
package backoff

import (
	"math"
	"time"
)

// Kind is how waits grow. Its values are the words of the option backoff.
type Kind string

// The ways in which waits grow.
const (
	Exponential Kind = "exponential" // Initial, twice, four times, …
	Linear      Kind = "linear"      // Initial, twice, three times, …
	Constant    Kind = "constant"    // Initial each time
)

// Policy says how long to wait between attempts. Without Kind, it is constant.
type Policy struct {
	Kind    Kind
	Initial time.Duration // before the second attempt
	Max     time.Duration // no wait is longer; 0: no bound
	// Jitter takes a random part off each wait, up to half of it, so that
	// those that failed together don't come back together.
	Jitter bool
}

// Wait returns how long to wait after so many failed attempts, of which the
// first counts as 1. random gives numbers in [0, 1), and is asked only if the
// policy has Jitter. Waits never overflow, however many attempts there are.
func (p Policy) Wait(failed int64, random func() float64) time.Duration {
	limit := p.Max
	if limit <= 0 {
		limit = math.MaxInt64
	}
	failed = max(failed, 1)
	wait := min(p.Initial, limit)
	switch {
	case wait <= 0:
		return 0
	case p.Kind == Exponential:
		if doublings := failed - 1; doublings > 62 || wait > limit>>doublings {
			wait = limit
		} else {
			wait <<= doublings
		}
	case p.Kind == Linear:
		if int64(wait) > int64(limit)/failed {
			wait = limit
		} else {
			wait *= time.Duration(failed)
		}
	}
	if p.Jitter {
		wait -= time.Duration(random() * float64(wait) / 2)
	}
	return wait
}
