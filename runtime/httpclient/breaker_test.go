package httpclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// serverStub answers without a network, so that time can be that of a bubble.
type serverStub struct {
	requests atomic.Int64
	status   atomic.Int64 // 0: the connection breaks
	delay    atomic.Int64
}

func (s *serverStub) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests.Add(1)
	select {
	case <-time.After(time.Duration(s.delay.Load())):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	status := int(s.status.Load())
	if status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// bubble runs a test on time of its own, with a source that is tried once.
func bubble(t *testing.T, options string, fn func(t *testing.T, s *serverStub, get func(ctx context.Context) error, states *[]BreakerState)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &serverStub{}
		s.status.Store(200)
		var mu sync.Mutex
		var states []BreakerState
		g := &Gates{OnBreaker: func(name string, state BreakerState) {
			mu.Lock()
			defer mu.Unlock()
			if name != "API" {
				t.Errorf("state of %s", name)
			}
			states = append(states, state)
		}}
		c := New(Config{Transport: s})
		source := openSource(t, g, "API", "https://x", `{"retry":{"maxAttempts":1},`+options+`}`, nil)
		get := func(ctx context.Context) error {
			_, err := c.Do(ctx, source, &Request{Method: "get", Path: "/"})
			return err
		}
		fn(t, s, get, &states)
	})
}

func kindOf(err error) Kind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

const failFast = `"rateLimit":{"maxWait":"1ms"}`

// It opens after the threshold, sends nothing while it is open, and closes after
// the requests it takes to.
func TestBreakerOpensAndCloses(t *testing.T) {
	bubble(t, failFast+`,"circuitBreaker":{"failureThreshold":3,"resetTimeout":"30s","successThreshold":2}`,
		func(t *testing.T, s *serverStub, get func(context.Context) error, states *[]BreakerState) {
			ctx := context.Background()
			s.status.Store(503)
			for range 3 {
				if kind := kindOf(get(ctx)); kind != KindHTTP {
					t.Errorf("got %s", kind)
				}
			}
			for range 1000 {
				err := get(ctx)
				if kindOf(err) != KindCircuitOpen {
					t.Fatalf("got %v", err)
				}
				if text := err.Error(); !strings.Contains(text, "not sent: the circuit breaker of API is open, as it fails too often (last: 503); the next attempt is in 30s") {
					t.Fatalf("%s", text)
				}
			}
			if n := s.requests.Load(); n != 3 {
				t.Errorf("%d requests, want 3", n)
			}
			time.Sleep(31 * time.Second)
			if err := get(ctx); kindOf(err) != KindHTTP { // the probe fails: it opens again
				t.Errorf("got %v", err)
			}
			if err := get(ctx); kindOf(err) != KindCircuitOpen {
				t.Errorf("got %v", err)
			}
			time.Sleep(31 * time.Second)
			s.status.Store(200)
			for range 5 {
				if err := get(ctx); err != nil {
					t.Error(err)
				}
			}
			want := []BreakerState{BreakerClosed, BreakerOpen, BreakerHalfOpen, BreakerOpen, BreakerHalfOpen, BreakerClosed}
			if len(*states) != len(want) {
				t.Fatalf("states %v, want %v", *states, want)
			}
			for i := range want {
				if (*states)[i] != want[i] {
					t.Fatalf("states %v, want %v", *states, want)
				}
			}
		})
}

// While it is open a request waits, if maxWait allows: a loop does not burn
// through its items.
func TestBreakerWaits(t *testing.T) {
	bubble(t, `"circuitBreaker":{"failureThreshold":2,"resetTimeout":"20s","successThreshold":1}`,
		func(t *testing.T, s *serverStub, get func(context.Context) error, _ *[]BreakerState) {
			ctx := context.Background()
			s.status.Store(0)
			_, _ = get(ctx), get(ctx)
			s.status.Store(200)
			began := time.Now()
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if err := get(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if d := time.Since(began); d < 20*time.Second || d > 21*time.Second {
				t.Errorf("waited %v", d)
			}
			// The other way about: it stays down, and the request is given up after
			// maxWait, not sooner and not later.
			s.status.Store(0)
			_, _ = get(ctx), get(ctx)
			began = time.Now()
			if err := get(ctx); kindOf(err) != KindNetwork || time.Since(began) < 20*time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		})
}

// One probe at a time: the others wait for what comes of it. A probe that is
// cancelled frees its place.
func TestBreakerProbes(t *testing.T) {
	bubble(t, `"circuitBreaker":{"failureThreshold":1,"resetTimeout":"10s","successThreshold":3}`,
		func(t *testing.T, s *serverStub, get func(context.Context) error, _ *[]BreakerState) {
			s.status.Store(500)
			_ = get(context.Background())
			time.Sleep(11 * time.Second)
			s.status.Store(200)
			s.delay.Store(int64(time.Second))
			s.requests.Store(0)
			ctx, cancel := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := get(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
			synctest.Wait()
			for range 9 {
				wg.Go(func() {
					if err := get(context.Background()); err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait()
			if n := s.requests.Load(); n != 1 {
				t.Errorf("%d requests at once, want 1", n)
			}
			cancel()
			synctest.Wait()
			if n := s.requests.Load(); n != 2 {
				t.Errorf("%d requests, want 2: the place of the one that was cancelled is free", n)
			}
			began := time.Now()
			wg.Wait()
			// Three probes of a second, one after the other; then the others at once.
			if d := time.Since(began); d < 3*time.Second || d > 4100*time.Millisecond {
				t.Errorf("took %v", d)
			}
		})
}

// What says nothing against the server does not count; old failures neither.
func TestBreakerCounts(t *testing.T) {
	bubble(t, failFast+`,"circuitBreaker":{"failureThreshold":3,"failureWindow":"60s"}`,
		func(t *testing.T, s *serverStub, get func(context.Context) error, _ *[]BreakerState) {
			ctx := context.Background()
			for _, status := range []int64{400, 401, 404, 409, 422, 200} {
				s.status.Store(status)
				for range 10 {
					if kindOf(get(ctx)) == KindCircuitOpen {
						t.Fatalf("%d opened it", status)
					}
				}
			}
			s.status.Store(408)
			for range 6 { // two within any window
				_ = get(ctx)
				time.Sleep(40 * time.Second)
			}
			if kindOf(get(ctx)) == KindCircuitOpen {
				t.Error("failures from before the window opened it")
			}
			_, _ = get(ctx), get(ctx)
			if err := get(ctx); kindOf(err) != KindCircuitOpen {
				t.Errorf("got %v", err)
			}
		})
	// A 429 is the limiter's matter.
	bubble(t, `"rateLimit":{"adaptive":false},"circuitBreaker":{"failureThreshold":1}`,
		func(t *testing.T, s *serverStub, get func(context.Context) error, _ *[]BreakerState) {
			s.status.Store(429)
			for range 20 {
				if err := get(context.Background()); kindOf(err) != KindRateLimit {
					t.Fatalf("got %v", err)
				}
			}
		})
}

// A share of failures opens it, once there are enough attempts; without a
// threshold of its own, no number does.
func TestBreakerFailureRate(t *testing.T) {
	bubble(t, failFast+`,"circuitBreaker":{"failureRate":0.5,"minimumRequests":20}`,
		func(t *testing.T, s *serverStub, get func(context.Context) error, _ *[]BreakerState) {
			ctx := context.Background()
			for i := range 19 {
				s.status.Store(map[bool]int64{true: 500, false: 200}[i < 9 || i == 18])
				if kindOf(get(ctx)) == KindCircuitOpen {
					t.Fatalf("open after %d attempts", i)
				}
			}
			s.status.Store(200)
			if kindOf(get(ctx)) == KindCircuitOpen {
				t.Fatal("open: half of 20 attempts, but the last was a good one")
			}
			s.status.Store(500)
			_ = get(ctx)
			if err := get(ctx); kindOf(err) != KindCircuitOpen {
				t.Errorf("got %v: 11 of 21 have failed", err)
			}
		})
}

// Without the option there is none.
func TestNoBreaker(t *testing.T) {
	bubble(t, failFast, func(t *testing.T, s *serverStub, get func(context.Context) error, states *[]BreakerState) {
		s.status.Store(500)
		for range 100 {
			if err := get(context.Background()); kindOf(err) != KindHTTP {
				t.Fatalf("got %v", err)
			}
		}
		if len(*states) != 0 {
			t.Errorf("states %v", *states)
		}
	})
}

// Of two missions' breakers, the one that opens sooner and stays open longer
// holds, as long as it is loaded.
func TestBreakerNarrowest(t *testing.T) {
	g := &Gates{}
	a := openSource(t, g, "A", "https://x", `{"circuitBreaker":{"failureThreshold":9,"resetTimeout":"5s"}}`, nil)
	b := openSource(t, g, "B", "https://x", `{"circuitBreaker":{"failureThreshold":2,"resetTimeout":"1s"}}`, nil)
	if l := a.lease.gate.breaker.limits; l.failures != 2 || l.reset != 5*time.Second {
		t.Errorf("%+v", l)
	}
	b.Close()
	if l := a.lease.gate.breaker.limits; l.failures != 9 {
		t.Errorf("%+v", l)
	}
	hold := a.Hold()
	a.Close()
	if l := hold.gate.breaker.limits; l.none() {
		t.Error("it is gone while it is held")
	}
	hold.Close()
}

// A real server that flaps, over real sockets: what the mission sees, and what
// the server saw.
func TestBreakerFlappingServer(t *testing.T) {
	var n atomic.Int64
	down := atomic.Bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
	})
	s.Config.ErrorLog = quietLog()
	r := newRig(t, s.URL, `{"retry":{"maxAttempts":1},"rateLimit":{"maxWait":"1ms"},"circuitBreaker":{"failureThreshold":2,"resetTimeout":"50ms","successThreshold":1}}`, nil)
	for range 3 {
		down.Store(true)
		for range 2 {
			if f := r.fail(&Request{Method: "post", Path: "/"}); f.Kind != KindNetwork {
				t.Errorf("%v", f)
			}
		}
		before := n.Load()
		for range 20 {
			if f := r.fail(&Request{Method: "get", Path: "/"}); f.Kind != KindCircuitOpen {
				t.Errorf("%v", f)
			}
		}
		if n.Load() != before {
			t.Errorf("%d requests while it was open", n.Load()-before)
		}
		down.Store(false)
		time.Sleep(60 * time.Millisecond)
		r.get("/")
	}
}
