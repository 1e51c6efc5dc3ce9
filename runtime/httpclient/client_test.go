package httpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reqon/vm/option"
	"reqon/vm/value"
)

// seen is what a server got.
type seen struct {
	method, uri, host, body string
	header                  http.Header
	length                  int64
}

// recorder answers {} and keeps what it got.
func recorder(t testing.TB) (base string, last func() seen) {
	t.Helper()
	var mu sync.Mutex
	var got seen
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		got = seen{r.Method, r.RequestURI, r.Host, string(body), r.Header, r.ContentLength}
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "{}")
	})
	return s.URL, func() seen {
		mu.Lock()
		defer mu.Unlock()
		return got
	}
}

func TestRequestAsSent(t *testing.T) {
	base, last := recorder(t)
	tests := []struct {
		name                       string
		source                     string
		req                        Request
		headers, body, form        string
		method, uri, want, mtype   string
		wantHeaders, absentHeaders map[string]string
	}{
		{name: "get", req: Request{Method: "get", Path: "/a"}, method: "GET", uri: "/a",
			wantHeaders: map[string]string{"User-Agent": "reqon", "Accept": "application/json, */*;q=0.5"}},
		{name: "post JSON", req: Request{Method: "post", Path: "/a", HasBody: true}, body: `{"id":12345678901234567890,"x":1.10,"s":"<é>"}`,
			method: "POST", uri: "/a", want: `{"id":12345678901234567890,"x":1.10,"s":"<é>"}`, mtype: "application/json"},
		{name: "null body", req: Request{Method: "put", Path: "/a", HasBody: true}, method: "PUT", uri: "/a", want: `null`, mtype: "application/json"},
		{name: "string body is JSON", req: Request{Method: "put", Path: "/a", HasBody: true}, body: `"hi"`, method: "PUT", uri: "/a", want: `"hi"`, mtype: "application/json"},
		{name: "no body", req: Request{Method: "post", Path: "/a"}, method: "POST", uri: "/a"},
		{name: "get with a body", req: Request{Method: "get", Path: "/a", HasBody: true}, body: `{"q":1}`, method: "GET", uri: "/a", want: `{"q":1}`, mtype: "application/json"},
		{name: "form", req: Request{Method: "post", Path: "/a"}, form: `{"a":"x y&z","n":1.0,"none":null,"l":[1,true]}`,
			method: "POST", uri: "/a", want: "a=x+y%26z&n=1.0&l=1&l=true", mtype: "application/x-www-form-urlencoded"},
		{name: "form by header", req: Request{Method: "post", Path: "/a", HasBody: true}, headers: `{"content-type":"application/x-www-form-urlencoded"}`, body: `{"a":"é"}`,
			method: "POST", uri: "/a", want: "a=%C3%A9", mtype: "application/x-www-form-urlencoded"},
		{name: "text as it is", req: Request{Method: "post", Path: "/a", HasBody: true}, headers: `{"Content-Type":"application/xml"}`, body: `"<a/>"`,
			method: "POST", uri: "/a", want: "<a/>", mtype: "application/xml"},
		{name: "JSON of another name", req: Request{Method: "patch", Path: "/a", HasBody: true}, headers: `{"Content-Type":"application/merge-patch+json"}`, body: `{"a":null}`,
			method: "PATCH", uri: "/a", want: `{"a":null}`, mtype: "application/merge-patch+json"},
		{name: "headers: the request's win, null removes", source: `{"headers":{"X-A":"source","X-B":"source","X-C":"source","User-Agent":"mine"}}`,
			req: Request{Method: "get", Path: "/a"}, headers: `{"x-a":"request","X-B":null,"X-N":7,"Accept":"text/csv"}`, method: "GET", uri: "/a",
			wantHeaders:   map[string]string{"X-A": "request", "X-C": "source", "X-N": "7", "User-Agent": "mine", "Accept": "text/csv"},
			absentHeaders: map[string]string{"X-B": ""}},
		{name: "delete", req: Request{Method: "DELETE", Path: "/a%2Fb"}, method: "DELETE", uri: "/a%2Fb"},
		{name: "dots stay", req: Request{Method: "get", Path: "/a/%2E%2E/b"}, method: "GET", uri: "/a/%2E%2E/b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, base, tt.source, nil)
			req := tt.req
			req.Headers, req.Body, req.Form = js(t, tt.headers), js(t, tt.body), js(t, tt.form)
			if _, err := r.do(&req); err != nil {
				t.Fatal(err)
			}
			got := last()
			if got.method != tt.method || got.uri != tt.uri || got.body != tt.want || got.header.Get("Content-Type") != tt.mtype || got.length != int64(len(tt.want)) {
				t.Errorf("got %s %s %q (%d bytes of %s)", got.method, got.uri, got.body, got.length, got.header.Get("Content-Type"))
			}
			for name, want := range tt.wantHeaders {
				if got := got.header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			for name := range tt.absentHeaders {
				if got, ok := got.header[name]; ok {
					t.Errorf("%s is there: %q", name, got)
				}
			}
		})
	}
}

func TestHostHeader(t *testing.T) {
	base, last := recorder(t)
	r := newRig(t, base, `{"headers":{"Host":"tenant.example"}}`, nil)
	r.get("/")
	if got := last().host; got != "tenant.example" {
		t.Errorf("got host %q", got)
	}
}

func TestRequestErrors(t *testing.T) {
	base, last := recorder(t)
	tests := []struct {
		name string
		req  Request
		want string
	}{
		{"method", Request{Method: "get it"}, `method is "get it"`},
		{"no method", Request{}, `method is ""`},
		{"headers", Request{Method: "get", Headers: js(t, `{"X":[[1]]}`)}, "headers.X is array"},
		{"body and form", Request{Method: "post", HasBody: true, Form: js(t, `{}`)}, "both body and form"},
		{"nested form", Request{Method: "post", Form: js(t, `{"a":{"b":1}}`)}, `form.a is object {"b":1}`},
		{"form of another type", Request{Method: "post", Form: js(t, `{}`), Headers: js(t, `{"Content-Type":"application/json"}`)}, "expected application/x-www-form-urlencoded"},
		{"an object as text", Request{Method: "post", HasBody: true, Body: js(t, `{"a":1}`), Headers: js(t, `{"Content-Type":"text/plain"}`)}, `body is object {"a":1}, expected text, as the Content-Type is text/plain`},
		{"page parameter", Request{Method: "get", PageParam: &Param{"page", js(t, `[]`)}}, "the page parameter page is array"},
	}
	r := newRig(t, base, "", nil)
	for _, tt := range tests {
		_, err := r.do(&tt.req)
		var f *Failure
		if err == nil || errors.As(err, &f) || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "source API: ") {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	if got := last(); got.method != "" {
		t.Errorf("something was sent: %+v", got)
	}
}

func TestCredentialsAreSent(t *testing.T) {
	base, last := recorder(t)
	r := newRig(t, base, "", bearer(t, "token-1"))
	r.get("/a")
	if got := last().header.Get("Authorization"); got != "Bearer token-1" {
		t.Errorf("got %q", got)
	}
	r.source = newTestSource(t, base, "", credential(t, "api_key", map[string]string{"apiKey": "k 1", "apiKeyQuery": "key"}))
	r.get("/a?key=old&b=2")
	if got, want := last().uri, "/a?b=2&key=k%201"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// What the author writes at the request itself wins.
	r.source = newTestSource(t, base, "", bearer(t, "token-1"))
	if _, err := r.do(&Request{Method: "get", Headers: js(t, `{"authorization":"Basic other"}`)}); err != nil {
		t.Fatal(err)
	}
	if got := last().header["Authorization"]; !reflect.DeepEqual(got, []string{"Basic other"}) {
		t.Errorf("got %q", got)
	}
}

func TestForeignAddress(t *testing.T) {
	home, _ := recorder(t)
	away, last := recorder(t)
	r := newRig(t, home, `{"headers":{"X-Tenant":"t1"},"params":{"p":1}}`, credential(t, "api_key", map[string]string{"apiKey": "key-12345", "apiKeyQuery": "key"}))
	r.get(away + "/x?a=1")
	if got := last(); got.uri != "/x?a=1" || got.header.Get("X-Tenant") != "" || got.header.Get("Authorization") != "" {
		t.Errorf("got %s %v", got.uri, got.header)
	}
}

func TestResponse(t *testing.T) {
	date := time.Date(2026, 1, 20, 8, 59, 30, 0, time.UTC)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Date", date.Format(http.TimeFormat))
		h.Set("Content-Type", "application/json")
		h.Set("Link", `</a?page=2>; rel="next"`)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id": 12345678901234567890, "price": 1.10, "list": [1, null]}`)
	})
	r := newRig(t, s.URL, "", nil)
	resp := r.get("/a")
	if got, want := text(resp.Body), `{"id":12345678901234567890,"price":1.10,"list":[1,null]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if resp.Status != 201 || !resp.Date.Equal(date) || !resp.Sent.Equal(testNow) || resp.Attempts != 1 || resp.Bytes != 62 {
		t.Errorf("got %+v", resp)
	}
	if resp.Next != s.URL+"/a?page=2" || resp.NextErr != nil {
		t.Errorf("next is %q, %v", resp.Next, resp.NextErr)
	}
}

func TestLinkToAnotherOrigin(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", `<https://elsewhere.example/a?page=2&key=secret-key>; rel="next"`)
	})
	r := newRig(t, s.URL, "", credential(t, "api_key", map[string]string{"apiKey": "secret-key", "apiKeyQuery": "key"}))
	resp := r.get("/a")
	if resp.Next != "" || resp.NextErr == nil || !strings.Contains(resp.NextErr.Error(), "https://elsewhere.example") || strings.Contains(resp.NextErr.Error(), "secret-key") {
		t.Errorf("next is %q, %v", resp.Next, resp.NextErr)
	}
}

func TestRetry(t *testing.T) {
	tests := []struct {
		name     string
		method   string
		options  string
		headers  string
		statuses []int // of each attempt; the last one repeats
		attempts int
		slept    []time.Duration
		ok       bool
	}{
		{name: "none needed", method: "get", statuses: []int{200}, attempts: 1, ok: true},
		{name: "default policy", method: "get", statuses: []int{503}, attempts: 3, slept: []time.Duration{1e9, 2e9}},
		{name: "second time works", method: "get", statuses: []int{500, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "exponential to the maximum", method: "get", options: `{"retry":{"maxAttempts":6,"initialDelay":"1s","maxDelay":"5s"}}`, statuses: []int{502}, attempts: 6,
			slept: []time.Duration{1e9, 2e9, 4e9, 5e9, 5e9}},
		{name: "linear", method: "get", options: `{"retry":{"maxAttempts":4,"backoff":"linear","initialDelay":100}}`, statuses: []int{504}, attempts: 4,
			slept: []time.Duration{1e8, 2e8, 3e8}},
		{name: "constant", method: "get", options: `{"retry":{"maxAttempts":3,"backoff":"constant","initialDelay":100}}`, statuses: []int{408}, attempts: 3,
			slept: []time.Duration{1e8, 1e8}},
		{name: "only one", method: "get", options: `{"retry":{"maxAttempts":1}}`, statuses: []int{503}, attempts: 1},
		{name: "425", method: "get", statuses: []int{425, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "429", method: "get", statuses: []int{429, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "404 is an answer", method: "get", statuses: []int{404}, attempts: 1},
		{name: "501 is an answer", method: "get", statuses: []int{501}, attempts: 1},
		{name: "put", method: "put", statuses: []int{500, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "delete", method: "delete", statuses: []int{500, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "post may have been processed", method: "post", statuses: []int{500}, attempts: 1},
		{name: "patch may have been processed", method: "patch", statuses: []int{504}, attempts: 1},
		{name: "post 425", method: "post", statuses: []int{425}, attempts: 1},
		{name: "post 503", method: "post", statuses: []int{503, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "post 429", method: "post", statuses: []int{429, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "post with idempotency", method: "post", options: `{"idempotency":true}`, statuses: []int{500, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
		{name: "post with its own key", method: "post", headers: `{"Idempotency-Key":"mine"}`, statuses: []int{500, 200}, attempts: 2, slept: []time.Duration{1e9}, ok: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			var keys sync.Map
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				i := int(n.Add(1)) - 1
				keys.Store(i, r.Header.Get("Idempotency-Key"))
				w.WriteHeader(tt.statuses[min(i, len(tt.statuses)-1)])
			})
			r := newRig(t, s.URL, tt.options, nil)
			resp, err := r.do(&Request{Method: tt.method, Path: "/", Headers: js(t, tt.headers)})
			if (err == nil) != tt.ok || int(n.Load()) != tt.attempts || !reflect.DeepEqual(r.clock.slept, tt.slept) {
				t.Errorf("%d attempts, slept %v, %v", n.Load(), r.clock.slept, err)
			}
			var f *Failure
			if err == nil && resp.Attempts != tt.attempts {
				t.Errorf("response counts %d attempts", resp.Attempts)
			} else if errors.As(err, &f) && f.Attempts != tt.attempts {
				t.Errorf("failure counts %d attempts", f.Attempts)
			}
			want := ""
			if tt.headers != "" {
				want = "mine"
			} else if tt.options == `{"idempotency":true}` {
				want = "key-1"
			}
			keys.Range(func(i, key any) bool {
				if key != want {
					t.Errorf("attempt %d has the key %q, want %q", i, key, want)
				}
				return true
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	tests := []struct {
		name, status, after, date string
		options                   string
		want                      time.Duration // -1: fails at once
	}{
		{name: "seconds", after: "7", want: 7 * time.Second},
		{name: "none", after: "0", want: 0},
		{name: "a fraction", after: "1.5", want: 1500 * time.Millisecond},
		{name: "date by our clock", after: testNow.Add(20 * time.Second).Format(http.TimeFormat), want: 20 * time.Second},
		{name: "date by the server's clock", after: "Tue, 20 Jan 2026 12:00:05 GMT", date: "Tue, 20 Jan 2026 12:00:00 GMT", want: 5 * time.Second},
		{name: "a date beside an absurd clock", after: testNow.Add(9 * time.Second).Format(http.TimeFormat), date: "Tue, 05 Mar 2024 12:00:00 GMT", want: 9 * time.Second},
		{name: "a past date", after: "Tue, 20 Jan 2015 12:00:05 GMT", want: 0},
		{name: "nonsense", after: "soon", want: time.Second},
		{name: "negative", after: "-5", want: time.Second},
		{name: "not a number", after: "NaN", want: time.Second},
		{name: "as long as allowed", after: "60", want: 60 * time.Second},
		{name: "longer", after: "61", want: -1},
		{name: "far longer", after: "99999999999999999999999", want: -1},
		{name: "of more digits than any number has", after: strings.Repeat("9", 5000), want: -1},
		{name: "of many digits before a point", after: strings.Repeat("9", 400) + ".5", want: -1},
		{name: "of many zeros", after: strings.Repeat("0", 5000) + "7", want: 7 * time.Second},
		{name: "of many digits, negative", after: "-" + strings.Repeat("9", 5000), want: time.Second},
		{name: "infinite", after: "Inf", want: -1},
		{name: "longer date", after: testNow.Add(2 * time.Minute).Format(http.TimeFormat), want: -1},
		{name: "maxWait", after: "61", options: `{"rateLimit":{"maxWait":"2m"}}`, want: 61 * time.Second},
		{name: "maxWait 0", after: "1", options: `{"rateLimit":{"maxWait":0}}`, want: -1},
		{name: "of a 503", status: "503", after: "3", want: 3 * time.Second},
		{name: "of a 503, longer", status: "503", after: "300", want: -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Date"] = nil
				if tt.date != "" {
					w.Header().Set("Date", tt.date)
				}
				if n.Add(1) > 1 {
					return
				}
				w.Header().Set("Retry-After", tt.after)
				if tt.status == "503" {
					w.WriteHeader(503)
				} else {
					w.WriteHeader(429)
				}
			})
			r := newRig(t, s.URL, tt.options, nil)
			if tt.want >= 0 {
				r.get("/")
				if !reflect.DeepEqual(r.clock.slept, []time.Duration{tt.want}) {
					t.Errorf("slept %v, want %v", r.clock.slept, tt.want)
				}
				return
			}
			f := r.fail(&Request{Method: "get", Path: "/"})
			if f.Kind != KindRateLimit || len(r.clock.slept) != 0 || f.Attempts != 1 || !strings.Contains(f.Error(), "rateLimit.maxWait") {
				t.Errorf("%s, %v, slept %v", f.Kind, f, r.clock.slept)
			}
			if got, _ := f.Envelope(nil).Obj().Get("error"); got.Str() != "rate_limit" {
				t.Errorf("envelope says %s", text(got))
			}
		})
	}
}

func TestRequestOverridesSource(t *testing.T) {
	var n atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(429)
	})
	r := newRig(t, s.URL, `{"retry":{"maxAttempts":4}}`, nil)
	o, err := option.At(option.InRequest).Spec("retry").Sub.Decode(js(t, `{"maxAttempts":2}`))
	if err != nil {
		t.Fatal(err)
	}
	policy := r.source.retry.With(o)
	r.fail(&Request{Method: "get", Path: "/", Retry: &policy})
	if n.Load() != 2 {
		t.Errorf("%d attempts", n.Load())
	}
	wait := time.Second
	if f := r.fail(&Request{Method: "get", Path: "/", MaxWait: &wait}); f.Attempts != 0 || f.Kind != KindRateLimit || n.Load() != 2 {
		t.Errorf("%v, %d requests", f, n.Load()) // the server's last answer asks everybody to wait
	}
	if got := r.must(&Request{Method: "get", Path: "/", Allow: []int{404, 429}}); got.Status != 429 {
		t.Errorf("allowed status: %+v", got)
	}
}

func (r *rig) must(req *Request) *Response {
	r.t.Helper()
	resp, err := r.do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

func TestCancelled(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	r := newRig(t, s.URL, "", nil)
	ctx, cancel := context.WithCancel(context.Background())
	r.clock.onWait = cancel // while it waits for the second attempt
	if _, err := r.client.Do(ctx, r.source, &Request{Method: "get", Path: "/"}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if len(r.clock.slept) != 1 {
		t.Errorf("slept %v", r.clock.slept)
	}
	// Cancelled beforehand, nothing is sent.
	if _, err := r.client.Do(ctx, r.source, &Request{Method: "get", Path: "/"}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

func TestCancelledInFlight(t *testing.T) {
	started := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	})
	r := newRig(t, s.URL, "", nil)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-started
		cancel()
	}()
	if _, err := r.client.Do(ctx, r.source, &Request{Method: "get", Path: "/"}); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if len(r.clock.slept) != 0 {
		t.Errorf("a cancelled request was retried")
	}
}

func TestMaxInFlight(t *testing.T) {
	var now, most atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		time.Sleep(2 * time.Millisecond)
		now.Add(-1)
	})
	r := newRig(t, s.URL, `{"maxInFlight":3}`, nil)
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if _, err := r.do(&Request{Method: "get", Path: "/"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 || r.source.lease.gate.flight.count != 0 {
		t.Errorf("%d at once, %d slots held", most.Load(), r.source.lease.gate.flight.count)
	}
}

func TestEvents(t *testing.T) {
	var n atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			w.WriteHeader(503)
		}
	})
	clock := &fakeClock{now: testNow}
	var requests []RequestEvent
	var retries []RetryEvent
	c := New(Config{
		Clock: clock, Random: func() float64 { return 0 },
		OnRequest: func(e RequestEvent) { requests = append(requests, e) },
		OnRetry:   func(e RetryEvent) { e.Failure = nil; retries = append(retries, e) },
	})
	defer c.CloseIdle()
	src := newTestSource(t, s.URL, "", credential(t, "api_key", map[string]string{"apiKey": "abc", "apiKeyQuery": "k"}))
	if _, err := c.Do(context.Background(), src, &Request{Method: "get", Path: "/x"}); err != nil {
		t.Fatal(err)
	}
	if want := []RequestEvent{{Source: "API", Method: "GET", Status: 503}, {Source: "API", Method: "GET", Status: 200}}; !reflect.DeepEqual(requests, want) {
		t.Errorf("got %+v", requests)
	}
	want := []RetryEvent{{Source: "API", Method: "GET", URL: s.URL + "/x", Reason: "503", Attempt: 1, MaxAttempts: 3, Wait: time.Second}}
	if !reflect.DeepEqual(retries, want) {
		t.Errorf("got %+v, want %+v", retries, want)
	}
}

func TestPreview(t *testing.T) {
	r := newRig(t, "https://x/v1", `{"idempotency":true,"headers":{"X-Session-Token":"abcdef"}}`, credential(t, "api_key", map[string]string{"apiKey": "key-12345", "apiKeyQuery": "k"}))
	p, err := r.client.Preview(r.source, &Request{Method: "post", Path: "/a?b=key-12345", Body: js(t, `{"echo":"key-12345","n":1}`), HasBody: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://x/v1/a?b=[redacted]&k=[redacted]"; p.URL != want || p.Method != "POST" {
		t.Errorf("got %s %s, want %s", p.Method, p.URL, want)
	}
	if want := `{"echo":"[redacted]","n":1}`; p.Body != want {
		t.Errorf("got %s", p.Body)
	}
	got, err := json.Marshal(p.Headers)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"Name":"Idempotency-Key","Value":"key-1"}`, `{"Name":"X-Session-Token","Value":"[redacted]"}`, `{"Name":"Content-Type","Value":"application/json"}`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}

// Values of one client's answers share the shapes of its program.
func TestShapes(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `[{"a":1,"b":2},{"a":3,"b":4}]`)
	})
	shapes := value.NewShapes()
	c := New(Config{Shapes: shapes})
	defer c.CloseIdle()
	resp, err := c.Do(context.Background(), newTestSource(t, s.URL, "", nil), &Request{Method: "get"})
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Body.Elems()[1].Obj().Shape(); got != shapes.Of("a", "b") {
		t.Errorf("got another shape")
	}
}

// TestHeadersAreEachRequestsOwn: what one request, or a redirect of it, adds to
// the headers is not sent with the next, nor by another client.
func TestHeadersAreEachRequestsOwn(t *testing.T) {
	var got []http.Header
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Clone())
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/there", http.StatusSeeOther)
		}
	})
	s := newTestSource(t, server.URL, `{"headers":{"X-Team":"a","Accept":"text/plain"}}`, nil)
	one, other := New(Config{UserAgent: "one"}), New(Config{UserAgent: "other"})
	defer one.CloseIdle()
	defer other.CloseIdle()
	for _, test := range []struct {
		client            *Client
		req               Request
		agent, team, body string // of all that it sends
	}{
		{one, Request{Method: "get", Path: "/"}, "one", "a", ""},
		{one, Request{Method: "get", Path: "/", Headers: js(t, `{"X-Team":"b"}`)}, "one", "b", ""},
		{one, Request{Method: "get", Path: "/"}, "one", "a", ""},
		{one, Request{Method: "put", Path: "/", HasBody: true, Body: js(t, `{}`)}, "one", "a", "application/json"},
		{one, Request{Method: "put", Path: "/", Form: js(t, `{"a":1}`)}, "one", "a", "application/x-www-form-urlencoded"},
		{one, Request{Method: "delete", Path: "/moved"}, "one", "a", ""},
		{one, Request{Method: "get", Path: "/"}, "one", "a", ""},
		{other, Request{Method: "get", Path: "/"}, "other", "a", ""},
		{one, Request{Method: "get", Path: "/", Headers: js(t, `{"X-Team":null}`)}, "one", "", ""},
		{one, Request{Method: "get", Path: "/"}, "one", "a", ""},
	} {
		got = nil
		if _, err := test.client.Do(context.Background(), s, &test.req); err != nil {
			t.Fatal(err)
		}
		for _, h := range got {
			if h.Get("User-Agent") != test.agent || h.Get("X-Team") != test.team || h.Get("Content-Type") != test.body || h.Get("Accept") != "text/plain" {
				t.Errorf("%s %s was sent with %v, expected User-Agent %q, X-Team %q and Content-Type %q", test.req.Method, test.req.Path, h, test.agent, test.team, test.body)
			}
		}
	}
}
