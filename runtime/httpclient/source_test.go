package httpclient

import (
	"errors"
	"strings"
	"testing"
	"time"

	"reqon/vm/backoff"
	"reqon/vm/value"
)

func TestNewSource(t *testing.T) {
	s, err := NewSource("API", js(t, `{
		"auth": "none", "base": "https://x/v1", "headers": {"X-A": 1}, "params": {"p": "q"}, "timeout": "1.5s",
		"retry": {"maxAttempts": 5, "backoff": "linear", "initialDelay": 10, "maxDelay": "1m", "jitter": false},
		"rateLimit": {"requestsPerMinute": 60, "burst": 5, "strategy": "pause", "maxWait": "2m", "adaptive": true},
		"circuitBreaker": {"failureThreshold": 5, "resetTimeout": "30s"},
		"idempotency": true, "maxResponseSize": "10MB", "maxInFlight": 4, "validateResponses": true, "validationMode": "warn",
		"specAuth": false, "proxy": null, "tls": null}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.timeout != 1500*time.Millisecond || s.maxBytes != 10_000_000 || s.maxWait != 2*time.Minute || !s.idempotency || s.limits.inFlight != 4 {
		t.Errorf("got timeout %v, maxBytes %d, maxWait %v, idempotency %v, inFlight %d", s.timeout, s.maxBytes, s.maxWait, s.idempotency, s.limits.inFlight)
	}
	if want := (RetryPolicy{5, backoff.Policy{Kind: backoff.Linear, Initial: 10 * time.Millisecond, Max: time.Minute, Jitter: false}}); s.retry != want {
		t.Errorf("got %+v, want %+v", s.retry, want)
	}
	s, err = NewSource("API", value.NullValue, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.timeout != 30*time.Second || s.maxBytes != 64<<20 || s.maxWait != time.Minute || s.retry != DefaultRetry() || s.limits.inFlight != 0 {
		t.Errorf("defaults: %+v", s)
	}
}

func TestNewSourceErrors(t *testing.T) {
	tests := []struct{ options, want string }{
		{`[]`, "is array [], expected an object"},
		{`{"bse": 1}`, "bse is not an option, expected one of auth, base"},
		{`{"Timeout": 1}`, "did you mean timeout?"},
		{`{"timeout": "soon"}`, `option timeout is string "soon", expected a time such as 30s`},
		{`{"timeout": true}`, "option timeout is boolean true, expected a time such as 30s"},
		{`{"timeout": 0}`, "option timeout is number 0, expected a time above 0"},
		{`{"timeout": -5}`, "not negative"},
		{`{"base": null}`, "base is null, expected an address: is an environment variable unset?"},
		{`{"base": 5}`, "option base is number 5, expected an address"},
		{`{"base": "api.example.com"}`, `option base is string "api.example.com", expected an address`},
		{`{"base": "https://u:hush@x/"}`, "option base has a user name or password"},
		{`{"base": "https:///v1"}`, "option base has no valid host"},
		{`{"base": "https://x", "headers": {"a b": 1}}`, `headers has the key "a b"`},
		{`{"base": "https://x", "headers": {"X": "hush\nY: 1"}}`, "headers.X holds a line end"},
		{`{"base": "https://x", "headers": {"Content-Length": 1}}`, "headers.Content-Length can't be set"},
		{`{"base": "https://x", "headers": {"X": {}}}`, "headers.X is object {}, expected text"},
		{`{"base": "https://x", "params": 7}`, "params is number 7, expected an object"},
		{`{"headers": {"X": 1}}`, "there is no base"},
		{`{"retry": 3}`, "option retry is number 3, expected an object"},
		{`{"retry": {"maxAttempts": 0}}`, "option retry.maxAttempts is number 0, expected a whole number of at least 1"},
		{`{"retry": {"maxAttempts": 1.5}}`, "option retry.maxAttempts"},
		{`{"retry": {"backoff": "fast"}}`, `option retry.backoff is string "fast", expected exponential, linear, constant`},
		{`{"retry": {"maxattempts": 1}}`, "did you mean retry.maxAttempts?"},
		{`{"retry": {"jitter": 1}}`, "option retry.jitter is number 1, expected true or false"},
		{`{"maxResponseSize": "big"}`, `option maxResponseSize is string "big", expected a number of bytes`},
		{`{"maxResponseSize": 0}`, "option maxResponseSize"},
		{`{"maxInFlight": "4"}`, `option maxInFlight is string "4"`},
		{`{"rateLimit": {"rpm": 5}}`, "rateLimit.rpm is not an option"},
		{`{"rateLimit": {"requestsPerMinute": 0}}`, "option rateLimit.requestsPerMinute is number 0, expected a number above 0"},
		{`{"circuitBreaker": {"failureThreshold": "x"}}`, "option circuitBreaker.failureThreshold"},
		{`{"validationMode": "loose"}`, "option validationMode"},
	}
	for _, tt := range tests {
		_, err := NewSource("API", js(t, tt.options), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "source API: ") {
			t.Errorf("%s: got %v, want %q", tt.options, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%v shows a secret", err)
		}
	}
	for _, name := range []string{"proxy", "tls"} {
		_, err := NewSource("API", js(t, `{"`+name+`": {}}`), nil)
		if !errors.Is(err, ErrNotAvailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := NewSource("API", value.NullValue, bearer(t, "token-1")); err == nil || !strings.Contains(err.Error(), "no base") {
		t.Errorf("credentials without a base: %v", err)
	}
}

func TestDecodeSize(t *testing.T) {
	for in, want := range map[string]int64{
		`1`: 1, `1024`: 1024, `"10MB"`: 10_000_000, `"64MiB"`: 64 << 20, `"1 KB"`: 1000, `"512B"`: 512, `"1.5kib"`: 1536, `"1GB"`: 1e9, `1e3`: 1000,
	} {
		if got, err := decodeSize(js(t, in)); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{`null`, `0`, `-1`, `1.5`, `"10"`, `"MB"`, `"10XB"`, `""`, `true`, `1e300`, `"9999999999GB"`} {
		if got, err := decodeSize(js(t, in)); err == nil {
			t.Errorf("%s: got %v, want an error", in, got)
		}
	}
}
