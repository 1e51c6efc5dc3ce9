package httpclient

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestLimitReset: how long to wait where a limit is used up, in the spellings in
// use. The clock stands at 2026-01-20T09:00:00Z, which is 1768899600.
func TestLimitReset(t *testing.T) {
	const no = -1
	for _, tt := range []struct {
		headers string // name: value | …
		want    time.Duration
	}{
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1768899605", 5 * time.Second},
		{"x-rate-limit-remaining: 0 | x-rate-limit-reset: 1768899605", 5 * time.Second},
		{"RateLimit-Remaining: 0 | RateLimit-Reset: 7", 7 * time.Second},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1768899605500", 5500 * time.Millisecond},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: Tue, 20 Jan 2026 09:00:09 GMT", 9 * time.Second},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: Tuesday, 20-Jan-26 09:59:60 GMT", time.Hour},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 2026-01-20T09:00:08Z", 8 * time.Second},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset-After: 1.5", 1500 * time.Millisecond},
		{"X-RateLimit-Remaining: 0, 0 | X-RateLimit-Reset: 3", 3 * time.Second},
		{`RateLimit: "default";r=0;t=30`, 30 * time.Second},
		{`RateLimit: "burst";r=9;t=1, "daily";r=0;t=60`, 60 * time.Second},
		{`RateLimit: "default";r=0 | RateLimit-Reset: 4`, 4 * time.Second},
		// By the server's clock, where that can be believed.
		{"Date: Tue, 20 Jan 2026 08:58:00 GMT | X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1768899605", 125 * time.Second},
		{"Date: Tue, 05 Mar 2024 12:00:00 GMT | X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1768899605", 5 * time.Second},
		{"Date: Fri, 31 Dec 9999 23:59:59 GMT | X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1768899605", 5 * time.Second},
		{"X-RateLimit-Remaining: 1 | X-RateLimit-Reset: 1768899605", no},
		{"X-RateLimit-Remaining: 0", no},
		{"X-RateLimit-Reset: 1768899605", no},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1768899600", no},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1768890000", no},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: -3", no},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: soon", no},
		{"X-RateLimit-Remaining: none | X-RateLimit-Reset: 3", no},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: NaN", no},
		{"X-RateLimit-Remaining: 0 | X-RateLimit-Reset: 1e400", no},
		{`RateLimit: "default";r=5;t=30`, no},
		{`RateLimit: r=0`, no},
		{`RateLimit: ;;;=,r;r=`, no},
	} {
		h := http.Header{}
		for part := range strings.SplitSeq(tt.headers, " | ") {
			name, text, _ := strings.Cut(part, ": ")
			h.Set(name, text)
		}
		got, ok := limitReset(h, testNow)
		if !ok {
			got = no
		}
		if got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.headers, got, tt.want)
		}
	}
}

// TestForbiddenForNow: a 403 that says when to come back is waited for, also by
// a POST: it was not processed. Any other 403 is final.
func TestForbiddenForNow(t *testing.T) {
	for _, tt := range []struct {
		header, value string
		want          time.Duration // -1: fails at once
		kind          Kind
	}{
		{"Retry-After", "7", 7 * time.Second, ""},
		{"X-RateLimit-Reset", "9", 9 * time.Second, ""},
		{"X-RateLimit-Reset", "99", -1, KindRateLimit},
		{"Retry-After", "99", -1, KindRateLimit},
		{"X-Other", "7", -1, KindHTTP},
	} {
		n := 0
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 1 {
				w.Header().Set("X-RateLimit-Remaining", "0")
				w.Header().Set(tt.header, tt.value)
				w.WriteHeader(403)
			}
		})
		r := newRig(t, s.URL, "", nil)
		req := &Request{Method: "post", Path: "/"}
		if tt.want < 0 {
			if f := r.fail(req); f.Status != 403 || f.Kind != tt.kind || f.Attempts != 1 {
				t.Errorf("%s: %s: %v, %s", tt.header, tt.value, f, f.Kind)
			}
			continue
		}
		if _, err := r.do(req); err != nil || len(r.clock.slept) != 1 || r.clock.slept[0] != tt.want {
			t.Errorf("%s: %s: %v, slept %v", tt.header, tt.value, err, r.clock.slept)
		}
	}
}

func FuzzLimitReset(f *testing.F) {
	for _, s := range []string{"0", "1768899605", "1e9", "Tue, 20 Jan 2026 09:00:09 GMT", `"x";r=0;t=9`, "9999999999999999999999"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, remaining, reset string) {
		for _, h := range []http.Header{
			{"X-Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {reset}},
			{"Ratelimit": {remaining}, "Ratelimit-Reset": {reset}},
		} {
			if wait, ok := limitReset(h, testNow); ok && wait <= 0 {
				t.Errorf("%q, %q: waits %v", remaining, reset, wait)
			}
		}
	})
}
