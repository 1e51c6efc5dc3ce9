package httpclient

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"reqon/vm/backoff"
	"reqon/vm/option"
	"reqon/vm/value"
)

// defaultRetry is the policy of the definition, section 6.1.
var defaultRetry = RetryPolicy{MaxAttempts: 3, Policy: backoff.Policy{Kind: backoff.Exponential, Initial: time.Second, Max: 30 * time.Second, Jitter: true}}

func TestNewSource(t *testing.T) {
	s, err := sourceOf(js(t, `{
		"auth": "none", "base": "https://x/v1", "headers": {"X-A": 1}, "params": {"p": "q"}, "timeout": "1.5s",
		"retry": {"maxAttempts": 5, "backoff": "linear", "initialDelay": 10, "maxDelay": "1m", "jitter": false},
		"rateLimit": {"requestsPerMinute": 60, "burst": 5, "strategy": "pause", "maxWait": "2m", "adaptive": true},
		"circuitBreaker": {"failureThreshold": 5, "resetTimeout": "30s"},
		"idempotency": true, "maxResponseSize": "10MB", "maxInFlight": 4, "validateResponses": null, "validationMode": null, "specAuth": null,
		"proxy": null, "tls": null}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.timeout != 1500*time.Millisecond || s.maxBytes != 10_000_000 || s.maxWait != 2*time.Minute || !s.idempotency || s.limits.inFlight != 4 {
		t.Errorf("got timeout %v, maxBytes %d, maxWait %v, idempotency %v, inFlight %d", s.timeout, s.maxBytes, s.maxWait, s.idempotency, s.limits.inFlight)
	}
	if want := (RetryPolicy{MaxAttempts: 5, Policy: backoff.Policy{Kind: backoff.Linear, Initial: 10 * time.Millisecond, Max: time.Minute, Jitter: false}}); !reflect.DeepEqual(s.retry, want) {
		t.Errorf("got %+v, want %+v", s.retry, want)
	}
	s, err = sourceOf(value.NullValue, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.timeout != 30*time.Second || s.maxBytes != 64<<20 || s.maxWait != time.Minute || !reflect.DeepEqual(s.retry, defaultRetry) || s.limits.inFlight != 0 {
		t.Errorf("defaults: %+v", s)
	}
}

func TestNewSourceErrors(t *testing.T) {
	tests := []struct{ options, want string }{
		{`[]`, "the options are array [], expected an object"},
		{`{"bsse": 1}`, "option bsse does not exist; did you mean base?"},
		{`{"zzz": null}`, "option zzz does not exist; the options of a source are auth, base, headers"},
		{`{"Timeout": 1}`, "did you mean timeout?"},
		{`{"timeout": "soon"}`, `option timeout is string "soon", expected a time such as 30s`},
		{`{"timeout": true}`, "option timeout is boolean true, expected a time such as 30s"},
		{`{"timeout": 0}`, "option timeout is number 0, expected a time above 0"},
		{`{"timeout": -5}`, "not negative"},
		{`{"base": null}`, "option base is null, expected an address such as \"https://api.example.com/v1\": is an environment variable unset?"},
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
		{`{"retry": {"backoff": "fast"}}`, `option retry.backoff is string "fast", expected exponential, linear or constant`},
		{`{"retry": {"maxattempts": 1}}`, "did you mean retry.maxAttempts?"},
		{`{"retry": {"jitter": 1}}`, "option retry.jitter is number 1, expected true or false"},
		{`{"maxResponseSize": "big"}`, `option maxResponseSize is string "big", expected a number of bytes`},
		{`{"maxResponseSize": 0}`, "option maxResponseSize"},
		{`{"maxInFlight": "4"}`, `option maxInFlight is string "4"`},
		{`{"rateLimit": {"rpm": 5}}`, "option rateLimit.rpm does not exist; did you mean rateLimit.requestsPerMinute?"},
		{`{"rateLimit": {"requestsPerMinute": 0}}`, "option rateLimit.requestsPerMinute is number 0, expected a number above 0"},
		{`{"circuitBreaker": {"failureThreshold": "x"}}`, "option circuitBreaker.failureThreshold"},
		{`{"validationMode": "warn"}`, "option validationMode is not available"},
	}
	for _, tt := range tests {
		_, err := sourceOf(js(t, tt.options), nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.options, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%v shows a secret", err)
		}
	}
	for _, name := range []string{"proxy", "tls"} {
		_, err := sourceOf(js(t, `{"`+name+`": {}}`), nil)
		if !errors.Is(err, option.ErrNotAvailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := sourceOf(value.NullValue, bearer(t, "token-1")); err == nil || !strings.Contains(err.Error(), "no base") {
		t.Errorf("credentials without a base: %v", err)
	}
}
