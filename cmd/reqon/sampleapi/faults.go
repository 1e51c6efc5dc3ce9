package sampleapi

import (
	"net/http"
	"time"
)

const (
	// faultEvery is one in how many URLs fails.
	faultEvery = 14
	// faultRest is for how long a URL that failed is answered. It is longer than
	// any client should wait before its next attempt, so that none is used up by
	// attempts that fail.
	faultRest = time.Minute
	// faultsKept bounds the URLs that are remembered.
	faultsKept = 1000
)

// faults decides which requests fail. A client that repeats them as it should
// sees each fail once, however many requests go on at once: nothing hangs on
// their order.
type faults struct {
	failed map[string]time.Time // by method and URL: when it last did
}

func newFaults() *faults { return &faults{failed: map[string]time.Time{}} }

// next returns the status with which a request fails, 0 if it does not.
func (f *faults) next(r *http.Request, now time.Time) int {
	key := r.Method + " " + r.URL.RequestURI()
	n := hashText(key)
	if n%faultEvery != 0 {
		return 0
	}
	if last, ok := f.failed[key]; ok && now.Sub(last) < faultRest {
		return 0
	}
	if len(f.failed) >= faultsKept {
		for k, last := range f.failed {
			if now.Sub(last) >= faultRest {
				delete(f.failed, k)
			}
		}
		if len(f.failed) >= faultsKept {
			return 0
		}
	}
	f.failed[key] = now
	if n/faultEvery%3 == 0 {
		return http.StatusTooManyRequests
	}
	return http.StatusServiceUnavailable
}
