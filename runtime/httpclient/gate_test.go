package httpclient

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"reqon/runtime/credentials"
)

// openSource opens a source that may share its gate.
func openSource(t testing.TB, g *Gates, name, base, options string, cred *credentials.Credential) *Source {
	t.Helper()
	s := newTestSource(t, base, options, cred)
	s.name = name
	g.Open(s)
	t.Cleanup(s.Close)
	return s
}

func (s *Source) sharesGate(o *Source) bool { return s.lease.gate == o.lease.gate }

// One origin and one account have one gate, whatever the sources are called.
func TestGatesByOriginAndAccount(t *testing.T) {
	g := &Gates{}
	first := openSource(t, g, "Shop", "https://API.example.com/v1", "", bearer(t, "token-1"))
	for _, tt := range []struct {
		name, base string
		cred       *credentials.Credential
		shared     bool
	}{
		{"Store", "https://api.example.com:443/v2?x=1", bearer(t, "token-1"), true},
		{"Shop", "https://api.example.com/v1", bearer(t, "token-2"), false},
		{"Shop", "https://api.example.com/v1", nil, false},
		{"Shop", "http://api.example.com/v1", bearer(t, "token-1"), false},
		{"Shop", "https://api.example.com:8443/v1", bearer(t, "token-1"), false},
		{"Shop", "https://api.example.org/v1", bearer(t, "token-1"), false},
	} {
		s := openSource(t, g, tt.name, tt.base, "", tt.cred)
		if s.sharesGate(first) != tt.shared {
			t.Errorf("%s at %s: shared %v, want %v", tt.name, tt.base, !tt.shared, tt.shared)
		}
	}
	if a, b := openSource(t, g, "A", "", "", nil), openSource(t, g, "B", "", "", nil); a.sharesGate(b) {
		t.Error("two sources without a base share a gate")
	}
}

// Of several limits the narrowest one holds, for as long as it is loaded.
func TestNarrowestLimitHolds(t *testing.T) {
	g := &Gates{}
	a := openSource(t, g, "A", "https://x", `{"maxInFlight":5}`, nil)
	b := openSource(t, g, "B", "https://x", `{"maxInFlight":2}`, nil)
	c := openSource(t, g, "C", "https://x", "", nil)
	limit := func() int { return c.lease.gate.flight.limit }
	if limit() != 2 {
		t.Errorf("limit %d, want 2", limit())
	}
	hold := b.Hold()
	b.Close()
	b.Close()
	if limit() != 2 {
		t.Errorf("limit %d, want 2: it is still held", limit())
	}
	hold.Close()
	if limit() != 5 {
		t.Errorf("limit %d, want 5", limit())
	}
	a.Close()
	if limit() != 0 {
		t.Errorf("limit %d, want none", limit())
	}
}

// The last one closes the gate, and only the last one.
func TestLastLeaseClosesGate(t *testing.T) {
	var closed int
	g := &Gates{NewTransport: func() http.RoundTripper { return closing{&closed} }}
	a := openSource(t, g, "A", "https://x", "", nil)
	gate := a.lease.gate
	hold := a.Hold()
	a.Close()
	a.Close()
	if closed != 0 {
		t.Fatal("closed while it is held")
	}
	if b := openSource(t, g, "B", "https://x", "", nil); b.lease.gate != gate {
		t.Error("the gate did not survive")
	} else {
		b.Close()
	}
	hold.Close()
	hold.Close()
	if closed != 1 || len(g.open) != 0 {
		t.Errorf("closed %d times, %d gates open", closed, len(g.open))
	}
}

type closing struct{ n *int }

func (c closing) RoundTrip(*http.Request) (*http.Response, error) { return nil, context.Canceled }
func (c closing) CloseIdleConnections()                           { *c.n++ }

// Requests get in in the order in which they came, and a narrower limit lets
// nobody in until enough have left.
func TestFlightIsFair(t *testing.T) {
	f := &flight{limit: 2}
	for range 2 {
		if err := f.enter(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	order := make(chan int, 5)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if err := f.enter(context.Background()); err != nil {
				t.Error(err)
			}
			order <- i
		})
		for f.queued() != i+1 {
			time.Sleep(time.Millisecond)
		}
	}
	f.setLimit(1)
	f.leave()
	if len(order) != 0 {
		t.Fatal("somebody got in beyond the new limit")
	}
	for i := range 5 {
		f.leave()
		if got := <-order; got != i {
			t.Errorf("number %d got in, want %d", got, i)
		}
	}
	wg.Wait()
	f.leave()
	if f.count != 0 {
		t.Errorf("%d in flight, want 0", f.count)
	}
}

func (f *flight) queued() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiting)
}

// A slot that is handed over while its owner gives up is not lost.
func TestFlightCancelled(t *testing.T) {
	f := &flight{limit: 1}
	for range 2000 {
		if err := f.enter(context.Background()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- f.enter(ctx) }()
		go cancel()
		f.leave()
		if err := <-done; err == nil {
			f.leave()
		}
	}
	if f.count != 0 || len(f.waiting) != 0 {
		t.Errorf("%d in flight, %d waiting", f.count, len(f.waiting))
	}
}
