package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reqon/runtime/credentials"
	"reqon/runtime/signin"
	"reqon/vm/option"
)

// answering starts a server that gives every request these headers, and status.
func answering(t testing.TB, n *atomic.Int64, fn func(n int64, h http.Header) (status int)) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil // each case says what it needs
		w.WriteHeader(fn(n.Add(1), w.Header()))
	}).URL
}

func ok(int64, http.Header) int { return 200 }

// times sends n requests, one after the other, and returns how long after the
// first each was sent.
func (r *rig) times(n int) (at []time.Duration) {
	r.t.Helper()
	for range n {
		at = append(at, r.get("/").Sent.Sub(testNow))
	}
	return at
}

func seconds(list ...float64) (out []time.Duration) {
	for _, s := range list {
		out = append(out, time.Duration(s*float64(time.Second)))
	}
	return out
}

func near(a, b []time.Duration) bool {
	return slices.EqualFunc(a, b, func(x, y time.Duration) bool { return (x - y).Abs() < time.Millisecond })
}

// What goes out when, worked out by hand.
func TestRateLimitTimes(t *testing.T) {
	for _, tt := range []struct {
		options string
		want    []time.Duration
	}{
		{`{"requestsPerSecond":2}`, seconds(0, 0, 0.5, 1, 1.5)},                               // burst 2, then one each half second
		{`{"requestsPerSecond":2,"burst":1}`, seconds(0, 0.5, 1, 1.5)},                        //
		{`{"requestsPerSecond":2,"burst":3}`, seconds(0, 0, 0, 0.5, 1)},                       //
		{`{"requestsPerSecond":2,"strategy":"throttle"}`, seconds(0, 0.5, 1, 1.5)},            // evenly, whatever the burst
		{`{"requestsPerMinute":30}`, seconds(0, 2, 4)},                                        // less than one a second: a burst of 1
		{`{"fallbackRpm":180}`, seconds(0, 0, 0, 1.0/3, 2.0/3)},                               //
		{`{"requestsPerHour":360}`, seconds(0, 10, 20)},                                       //
		{`{"requestsPerSecond":2,"burst":1,"requestsPerMinute":30}`, seconds(0, 2, 4)},        // the narrower holds
		{`{"requestsPerSecond":10,"burst":2,"requestsPerMinute":30}`, seconds(0, 0, 2, 4, 6)}, // the burst is that of each
		{`{"requestsPerSecond":0.1}`, seconds(0, 10, 20)},
	} {
		var n atomic.Int64
		r := newRig(t, answering(t, &n, ok), `{"rateLimit":`+tt.options+`}`, nil)
		if got := r.times(len(tt.want)); !near(got, tt.want) {
			t.Errorf("%s: sent at %v, want %v", tt.options, got, tt.want)
		}
	}
}

// At the limit, `fail` fails at once, and so does what would wait beyond maxWait;
// neither is sent, and neither takes anything away from those that come later.
func TestRateLimitFails(t *testing.T) {
	for options, want := range map[string]string{
		`{"requestsPerMinute":6,"strategy":"fail"}`: "not sent: the rate limit of API is reached, and its strategy is fail",
		`{"requestsPerMinute":6,"maxWait":"5s"}`:    "not sent: the rate limit of API asks to wait 10s, longer than rateLimit.maxWait of 5s",
	} {
		var n atomic.Int64
		r := newRig(t, answering(t, &n, ok), `{"rateLimit":`+options+`}`, nil)
		r.get("/")
		for range 3 {
			f := r.fail(&Request{Method: "get", Path: "/"})
			if f.Kind != KindRateLimit || f.Status != 0 || !strings.Contains(f.Error(), want) {
				t.Errorf("%s: %v", options, f)
			}
		}
		if n.Load() != 1 || len(r.clock.slept) != 0 {
			t.Errorf("%s: %d requests, slept %v", options, n.Load(), r.clock.slept)
		}
		r.clock.now = r.clock.now.Add(10 * time.Second)
		r.get("/")
	}
}

// Each attempt counts, not each request.
func TestRateLimitCountsAttempts(t *testing.T) {
	var n atomic.Int64
	r := newRig(t, answering(t, &n, func(n int64, h http.Header) int { return map[bool]int{true: 503, false: 200}[n < 3] }),
		`{"rateLimit":{"requestsPerMinute":6},"retry":{"initialDelay":"1ms","backoff":"constant"}}`, nil)
	r.get("/")
	if got := r.clock.now.Sub(testNow); got.Round(time.Second) != 20*time.Second {
		t.Errorf("three attempts took %s, want 20s", got)
	}
}

// A server that says how much is left is believed, in every dialect. The first
// answer says that nothing is left; the second request waits, or does not.
func TestAdaptiveDialects(t *testing.T) {
	epoch := testNow.Unix()
	for _, tt := range []struct {
		name    string
		headers []string
		wait    time.Duration
	}{
		{"seconds", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "30"}, 30 * time.Second},
		{"with a fraction", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset-After", "1.5"}, 1500 * time.Millisecond},
		{"epoch", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(epoch + 20)}, 20 * time.Second},
		{"epoch in milliseconds", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(epoch*1000 + 2500)}, 2500 * time.Millisecond},
		{"epoch by the server's clock", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(epoch + 3620),
			"Date", testNow.Add(time.Hour).Format(http.TimeFormat)}, 20 * time.Second},
		{"epoch beside an absurd clock", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(epoch + 20),
			"Date", "Tue, 05 Mar 2024 12:00:00 GMT"}, 20 * time.Second},
		{"several windows", []string{"X-RateLimit-Remaining", "0, 5", "X-RateLimit-Reset", "6, 60"}, 6 * time.Second},
		{"a policy without a time", []string{"RateLimit", `"default";r=0`, "RateLimit-Reset", "4"}, 4 * time.Second},
		{"a date", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", testNow.Add(7 * time.Second).Format(time.RFC3339)}, 7 * time.Second},
		{"Twitter", []string{"X-Rate-Limit-Remaining", "0", "X-Rate-Limit-Reset", fmt.Sprint(epoch + 9)}, 9 * time.Second},
		{"IETF, three headers", []string{"RateLimit-Limit", "100", "RateLimit-Remaining", "0", "RateLimit-Reset", "12"}, 12 * time.Second},
		{"IETF, one header", []string{"RateLimit", "limit=100, remaining=0, reset=13"}, 13 * time.Second},
		{"IETF, policies", []string{"RateLimit", `"burst";r=5;t=1, "daily";r=0;t=14`}, 14 * time.Second},
		{"Shopify", []string{"X-Shopify-Shop-Api-Call-Limit", "39/40"}, 500 * time.Millisecond},
		{"some are left", []string{"X-RateLimit-Remaining", "1", "X-RateLimit-Reset", "30"}, 0},
		{"Shopify, room", []string{"X-Shopify-Shop-Api-Call-Limit", "20/40"}, 0},
		{"past", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", fmt.Sprint(epoch - 5)}, 0},
		{"now", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "0"}, 0},
		{"no reset", []string{"X-RateLimit-Remaining", "0"}, 0},
		{"garbage", []string{"X-RateLimit-Remaining", "none", "X-RateLimit-Reset", "soon", "RateLimit", ";;=,\"", "X-Shopify-Shop-Api-Call-Limit", "a/b"}, 0},
		{"negative", []string{"X-RateLimit-Remaining", "-1", "X-RateLimit-Reset", "-30"}, 0},
		{"not a number", []string{"X-RateLimit-Remaining", "NaN", "X-RateLimit-Reset", "NaN"}, 0},
		{"a year that nobody sees", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "9999-12-31T23:59:59Z"}, 0},
		{"a year beyond all dates", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "900000000000"}, 0},
		{"too much", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1e300"}, 0},
		{"Retry-After of a good answer", []string{"Retry-After", "30"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			url := answering(t, &n, func(n int64, h http.Header) int {
				if n == 1 {
					for i := 0; i < len(tt.headers); i += 2 {
						h.Set(tt.headers[i], tt.headers[i+1])
					}
				}
				return 200
			})
			r := newRig(t, url, "", nil)
			if got := r.times(2); !near(got, []time.Duration{0, tt.wait}) {
				t.Errorf("sent at %v, want the second after %v", got, tt.wait)
			}
			n.Store(0)
			r = newRig(t, url, `{"rateLimit":{"adaptive":false}}`, nil)
			if got := r.times(2); got[1] != 0 {
				t.Errorf("not adaptive: sent at %v", got)
			}
		})
	}
}

// A reset beyond maxWait fails what comes next, unsent.
func TestAdaptiveBeyondMaxWait(t *testing.T) {
	var n atomic.Int64
	r := newRig(t, answering(t, &n, func(_ int64, h http.Header) int {
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Reset", "3600")
		return 200
	}), "", nil)
	r.get("/")
	if f := r.fail(&Request{Method: "get", Path: "/"}); f.Kind != KindRateLimit || !strings.Contains(f.Error(), "asks to wait 1h0m0s, longer than rateLimit.maxWait of 1m0s") {
		t.Errorf("%v", f)
	}
	if n.Load() != 1 {
		t.Errorf("%d requests", n.Load())
	}
}

// Requests on their way count as taken: with five left, five go out, however
// many want to.
func TestAdaptiveCountsRequestsInFlight(t *testing.T) {
	var n, most atomic.Int64
	release := make(chan struct{})
	url := answering(t, &n, func(n int64, h http.Header) int {
		if n == 1 {
			h.Set("RateLimit", "limit=100, remaining=5, reset=30")
			return 200
		}
		most.Add(1)
		<-release
		return 200
	})
	r := newRig(t, url, "", nil)
	waiting := make(chan struct{}, 20)
	hold := make(chan struct{})
	r.client.onWait = func(WaitEvent) func() { waiting <- struct{}{}; <-hold; return func() {} }
	r.get("/")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { r.get("/") })
	}
	for range 15 {
		<-waiting
	}
	for most.Load() < 5 {
		time.Sleep(time.Millisecond)
	}
	if most.Load() != 5 {
		t.Errorf("%d went out, want 5", most.Load())
	}
	close(release)
	close(hold)
	wg.Wait()
}

// A 429 that says nothing halves the pace, once for all that were on their way,
// and it recovers.
func TestAdaptiveHalvesAndRecovers(t *testing.T) {
	b := &budget{}
	b.say(1, &Rate{perSecond: 8, burst: 1, adaptive: true})
	now := testNow
	send := func() time.Time {
		t.Helper()
		_, wait, ok := b.reserve(now, time.Minute)
		if !ok {
			t.Fatal("no place within a minute")
		}
		now = now.Add(wait)
		if wait := b.take(now); wait != 0 {
			t.Fatalf("wait %v", wait)
		}
		return now
	}
	pace := func() float64 {
		if b.server.pace == nil {
			return 0
		}
		return float64(b.server.pace.Limit())
	}
	answer := func(status int, sent time.Time) { b.giveBack(status, http.Header{}, sent, now) }
	for range 16 {
		answer(200, send())
	}
	one, two := send(), send() // both are on their way when the first answer comes
	answer(429, one)
	if got := pace(); got < 3.5 || got > 4.5 {
		t.Fatalf("pace %v, want about 4: half of what went out", got)
	}
	answer(429, two)
	if got := pace(); got < 3.5 || got > 4.5 {
		t.Errorf("pace %v: a request of before halved it again", got)
	}
	before := pace()
	answer(429, send())
	if got := pace(); got != before/2 {
		t.Errorf("pace %v, want %v", got, before/2)
	}
	for range 400 {
		answer(200, send())
	}
	if got := pace(); got != 0 {
		t.Errorf("pace %v: it did not recover", got)
	}
}

// A request's limit narrows; one with a name is a budget of its own.
func TestRequestRateLimit(t *testing.T) {
	rateOf := func(text string) *Rate {
		o, err := option.At(option.InRequest).Spec("rateLimit").Sub.Decode(js(t, text))
		if err != nil {
			t.Fatal(err)
		}
		rate := RateOf(o)
		return &rate
	}
	var n atomic.Int64
	url := answering(t, &n, ok)
	sent := func(r *rig, req Request) time.Duration {
		t.Helper()
		req.Method = "get"
		return r.must(&req).Sent.Sub(testNow)
	}
	r := newRig(t, url, `{"rateLimit":{"requestsPerSecond":1}}`, nil)
	slow := Request{Path: "/search", Site: "m:1:1", Rate: rateOf(`{"requestsPerMinute":6}`)}
	other := Request{Path: "/search", Site: "m:2:1", Rate: rateOf(`{"requestsPerMinute":6}`)}
	got := []time.Duration{sent(r, slow), sent(r, Request{Path: "/"}), sent(r, other), sent(r, slow)}
	if want := seconds(0, 1, 2, 10); !near(got, want) {
		t.Errorf("sent at %v, want %v", got, want)
	}
	r = newRig(t, url, `{"rateLimit":{"requestsPerMinute":1}}`, nil)
	named := func(site string, text string) Request {
		return Request{Path: "/search", Site: site, Rate: rateOf(text)}
	}
	got = []time.Duration{
		sent(r, Request{Path: "/"}), sent(r, named("a", `{"name":"search","requestsPerMinute":30}`)), sent(r, named("b", `{"name":"search","requestsPerMinute":6}`)),
		sent(r, named("a", `{"name":"search","requestsPerMinute":30}`)),
	}
	if want := seconds(0, 0, 10, 20); !near(got[:2], want[:2]) || got[3]-got[2] < 9*time.Second {
		t.Errorf("sent at %v: a named budget is apart from the source's, and its narrowest limit holds", got)
	}
	fail := true
	r = newRig(t, url, `{"rateLimit":{"requestsPerMinute":1}}`, nil)
	sent(r, Request{Path: "/"})
	if f := r.fail(&Request{Method: "get", Path: "/", Rate: rateOf(`{}`), Site: "x", FailAtLimit: &fail}); !strings.Contains(f.Error(), "strategy is fail") {
		t.Errorf("%v", f)
	}
}

// Who waits can be cancelled, and takes nothing away from the others then.
func TestRateLimitCancelled(t *testing.T) {
	var n atomic.Int64
	r := newRig(t, answering(t, &n, ok), `{"rateLimit":{"requestsPerMinute":6}}`, nil)
	r.get("/")
	ctx, cancel := context.WithCancel(context.Background())
	r.clock.onWait = cancel
	if _, err := r.client.Do(ctx, r.source, &Request{Method: "get", Path: "/"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	r.clock.onWait = nil
	if got := r.get("/").Sent.Sub(testNow); got.Round(time.Second) != 10*time.Second {
		t.Errorf("sent after %v, want 10s", got)
	}
	if r.source.lease.gate.flight.count != 0 || r.source.lease.gate.budget.flying != 0 {
		t.Error("something is counted as under way")
	}
}

// Requests that wait go out in the order in which they came.
func TestRateLimitOrder(t *testing.T) {
	b := &budget{}
	b.say(1, &Rate{perSecond: 1, adaptive: true})
	var last time.Duration = -1
	for i := range 50 {
		_, wait, ok := b.reserve(testNow, time.Hour)
		if !ok || wait <= last {
			t.Fatalf("number %d waits %v, the one before %v", i, wait, last)
		}
		last = wait
	}
}

// A limit that changes keeps what was taken of it.
func TestRateLimitChanges(t *testing.T) {
	g := &Gates{}
	var n atomic.Int64
	url := answering(t, &n, ok)
	r := newRig(t, url, "", nil)
	r.source = openSource(t, g, "A", url, `{"rateLimit":{"requestsPerMinute":60}}`, nil)
	r.get("/")
	narrow := openSource(t, g, "B", url, `{"rateLimit":{"requestsPerMinute":6}}`, nil)
	if got := r.get("/").Sent.Sub(testNow); got < 9*time.Second {
		t.Errorf("sent after %v: the narrower limit does not hold", got)
	}
	narrow.Close()
	before := r.clock.now
	r.get("/")
	if got := r.get("/").Sent.Sub(before); got > 3*time.Second {
		t.Errorf("sent after %v: the limit that is gone still holds", got)
	}
}

func FuzzReadLimit(f *testing.F) {
	f.Add("0", "30", `limit=1, remaining=0, reset=5`, "1/2")
	f.Add("NaN", "1e308", `"a";r=0;t=99999999999999999999`, "/")
	f.Fuzz(func(t *testing.T, remaining, reset, one, bucket string) {
		h := http.Header{"X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}, "Ratelimit": {one}, "X-Shopify-Shop-Api-Call-Limit": {bucket}, "Retry-After": {reset}}
		for _, h := range []http.Header{h, {"Ratelimit": {one}}} {
			b := &budget{}
			b.say(1, &Rate{adaptive: true})
			b.take(testNow)
			b.giveBack(429, h, testNow, testNow)
			if wait := b.ahead(testNow); wait < 0 || wait > maxPause {
				t.Errorf("wait %v", wait)
			}
		}
	})
}

// What the limits, the breaker and the sign-in cost for each request stays
// within 5 allocations.
func TestGateAllocations(t *testing.T) {
	count := func(g *Gates, options string, cred *credentials.Credential) float64 {
		c := New(Config{Transport: stub{`{"id":1}`}})
		s := openSource(t, g, "API", "https://api.example.com/v1", options, cred)
		req := &Request{Method: "get", Path: "/orders/17"}
		return testing.AllocsPerRun(200, func() {
			if _, err := c.Do(context.Background(), s, req); err != nil {
				t.Fatal(err)
			}
		})
	}
	without := count(&Gates{}, `{"rateLimit":{"adaptive":false}}`, nil)
	g := &Gates{Accounts: &signin.Accounts{Store: signin.NewStore(t.TempDir()), Clock: systemClock{}}}
	with := count(g, `{"maxInFlight":10,"rateLimit":{"requestsPerSecond":1000000000,"requestsPerMinute":60000000000,"burst":1000000000},"circuitBreaker":{"failureRate":0.5}}`,
		credentialOf(t, `{"API":{"type":"oauth2","accessToken":"token-1"}}`))
	if with-without > 5 {
		t.Errorf("%v allocations, %v without: want 5 more at most", with, without)
	}
}
