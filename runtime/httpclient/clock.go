package httpclient

import (
	"context"
	"time"
)

// Clock is the time that a client goes by between attempts. The time limit of
// an attempt itself runs on the system's clock.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or until ctx is done: then it returns ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// systemClock is the system's clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
