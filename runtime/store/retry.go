package store

import (
	"context"
	"time"

	"reqon/vm/backoff"
)

// Attempts is how often something is tried in all that fails for a passing
// reason.
func (r Retry) Attempts() int {
	if r.MaxAttempts > 0 {
		return r.MaxAttempts
	}
	return 3
}

// Wait waits before the next attempt, after so many that have failed.
func (r Retry) Wait(ctx context.Context, failed int) error {
	p := backoff.Policy{Kind: backoff.Exponential, Initial: r.Initial, Max: r.Max}
	if p.Initial == 0 {
		p.Initial = time.Second
	}
	if p.Max == 0 {
		p.Max = 30 * time.Second
	}
	t := time.NewTimer(p.Wait(int64(failed), nil))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
