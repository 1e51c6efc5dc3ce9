package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"reqon/vm/backoff"
	"reqon/vm/option"
)

func TestRetryPolicyWith(t *testing.T) {
	base := RetryPolicy{MaxAttempts: 5, Policy: backoff.Policy{Kind: backoff.Linear, Initial: 10 * time.Second, Max: 20 * time.Second, Jitter: false}}
	tests := []struct {
		option string
		want   RetryPolicy
	}{
		{``, base},
		{`{}`, base},
		{`{"maxAttempts":null}`, base},
		{`{"maxAttempts":2,"jitter":true}`, RetryPolicy{MaxAttempts: 2, Policy: backoff.Policy{Kind: backoff.Linear, Initial: 10 * time.Second, Max: 20 * time.Second, Jitter: true}}},
		{`{"initialDelay":"1m"}`, RetryPolicy{MaxAttempts: 5, Policy: backoff.Policy{Kind: backoff.Linear, Initial: time.Minute, Max: time.Minute, Jitter: false}}},
		{`{"initialDelay":"1m","maxDelay":"50s"}`, RetryPolicy{MaxAttempts: 5, Policy: backoff.Policy{Kind: backoff.Linear, Initial: 50 * time.Second, Max: 50 * time.Second, Jitter: false}}},
		{`{"maxDelay":"1s"}`, RetryPolicy{MaxAttempts: 5, Policy: backoff.Policy{Kind: backoff.Linear, Initial: time.Second, Max: time.Second, Jitter: false}}},
		{`{"initialDelay":0,"backoff":"constant"}`, RetryPolicy{MaxAttempts: 5, Policy: backoff.Policy{Kind: backoff.Constant, Initial: 0, Max: 20 * time.Second, Jitter: false}}},
	}
	for _, tt := range tests {
		o, err := option.At(option.InRequest).Spec("retry").Sub.Decode(js(t, tt.option))
		if err != nil {
			t.Fatal(err)
		}
		if got := base.With(o); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.option, got, tt.want)
		}
	}
}

func TestRetryHookOfRequest(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	r := newRig(t, s.URL, "", nil)
	var own []RetryEvent
	f := r.fail(&Request{Method: "get", OnRetry: func(e RetryEvent) { own = append(own, e) }})
	if len(own) != 2 || own[0].Attempt != 1 || own[1].Attempt != 2 || own[1].Wait != 2*time.Second || own[0].Failure.Status != 502 || f.Attempts != 3 {
		t.Errorf("got %+v", own)
	}
	if !reflect.DeepEqual(r.source.Retry(), defaultRetry) || r.source.Name() != "API" {
		t.Errorf("source is %s with %+v", r.source.Name(), r.source.Retry())
	}
}

func TestClassify(t *testing.T) {
	tests := []struct {
		err       error
		kind      Kind
		permanent bool
	}{
		{io.EOF, KindNetwork, false},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, KindNetwork, false},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", IsTimeout: true}}, KindDNS, false},
		{&net.OpError{Op: "dial", Err: timeoutError{}}, KindTimeout, false},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, KindTLS, false},
		{errors.New("tls: no cipher suite supported"), KindTLS, false},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, KindTLS, true},
		{x509.HostnameError{Certificate: &x509.Certificate{}, Host: "x"}, KindTLS, true},
		{tls.RecordHeaderError{RecordHeader: [5]byte{'H', 'T', 'T', 'P', '/'}}, KindTLS, true},
		{tls.RecordHeaderError{}, KindTLS, false},
	}
	for _, tt := range tests {
		if kind, permanent := classify(tt.err); kind != tt.kind || permanent != tt.permanent {
			t.Errorf("%v: got %s, %v", tt.err, kind, permanent)
		}
	}
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

func TestSystemClock(t *testing.T) {
	var c systemClock
	ctx, cancel := context.WithCancel(context.Background())
	before := c.Now()
	for _, d := range []time.Duration{-1, 0, time.Millisecond} {
		if err := c.Sleep(ctx, d); err != nil {
			t.Error(err)
		}
	}
	if got := c.Now().Sub(before); got < time.Millisecond {
		t.Errorf("slept %v", got)
	}
	cancel()
	for _, d := range []time.Duration{0, time.Hour} {
		if err := c.Sleep(ctx, d); err != context.Canceled {
			t.Errorf("got %v", err)
		}
	}
}

// Whoever waits for one of maxInFlight slots can be cancelled.
func TestCancelledInQueue(t *testing.T) {
	f := &newTestSource(t, "https://x", `{"maxInFlight":1}`, nil).lease.gate.flight
	if err := f.enter(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if err := f.enter(ctx); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	f.leave()
	if err := f.enter(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestSplitQuery(t *testing.T) {
	q := splitQuery("&a=1&&b%zz=2&c%20d&=x&")
	var names []string
	for _, p := range q {
		names = append(names, p.name)
	}
	if got := strings.Join(names, ","); got != "a,b%zz,c d," || q.String() != "a=1&b%zz=2&c%20d&=x" {
		t.Errorf("got %q of %q", q.String(), got)
	}
}

func TestSameOrigin(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"https://x/a", "https://x:443/b?c", true},
		{"http://X.example", "http://x.EXAMPLE:80", true},
		{"http://x", "https://x", false},
		{"https://x", "https://x:8443", false},
		{"https://x", "https://y", false},
		{"https://x", "https://x.y", false},
		{"https://x", "https://x.", false},
		{"http://[::1]:80", "http://[::1]", true},
	}
	for _, tt := range tests {
		a, errA := url.Parse(tt.a)
		b, errB := url.Parse(tt.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if sameOrigin(a, b) != tt.want || sameOrigin(b, a) != tt.want {
			t.Errorf("%s and %s: want %v", tt.a, tt.b, tt.want)
		}
		if sameOrigin(a, nil) || sameOrigin(nil, nil) {
			t.Error("nothing has an origin")
		}
	}
}

func TestLinkToNowhere(t *testing.T) {
	for link, want := range map[string]string{
		`<>; rel="next"`:                 "does not say where to",
		`<mailto:a@b>; rel="next"`:       `"mailto"`,
		`<http://[::1>; rel="next"`:      "no valid address",
		`</a b?c=é#frag>; rel="next"`:    "",
		`<?page=2>; rel="next"`:          "",
		`<https://h:0/>; rel="previous"`: "",
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Link", link) })
		r := newRig(t, s.URL, "", nil)
		resp := r.get("/dir/x")
		switch {
		case want != "" && (resp.NextErr == nil || !strings.Contains(resp.NextErr.Error(), want) || resp.Next != ""):
			t.Errorf("%s: got %q, %v", link, resp.Next, resp.NextErr)
		case want == "" && resp.NextErr != nil:
			t.Errorf("%s: %v", link, resp.NextErr)
		case resp.Next != "":
			r.get(resp.Next)
			if strings.Contains(resp.Next, "#") || strings.HasPrefix(link, "<?") && resp.Next != s.URL+"/dir/x?page=2" {
				t.Errorf("%s leads to %s", link, resp.Next)
			}
		}
	}
}

func TestUserErrorsShowNoSecret(t *testing.T) {
	r := newRig(t, "https://x", "", bearer(t, "secret-token"))
	for _, req := range []*Request{
		{Method: "get", Path: "https://u:secret-token@y/"},
		{Method: "get", Path: "https://secret-token secret/"},
		{Method: "get", Headers: js(t, `{"X":"secret-token\n"}`)},
	} {
		_, err := r.client.Preview(r.source, req)
		if err == nil || strings.Contains(err.Error(), "secret-token") {
			t.Errorf("got %v", err)
		}
	}
}
