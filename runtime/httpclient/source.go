package httpclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"reqon/runtime/credentials"
	"reqon/runtime/signin"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// Limits that hold for a source that says nothing (language definition,
// section 5).
const (
	defaultTimeout  = 30 * time.Second
	defaultMaxBytes = 64 << 20
	defaultMaxWait  = 60 * time.Second
)

// ErrNotAvailable is wrapped by the error for an option that this version does
// not carry out.
var ErrNotAvailable = errors.New("is not available yet")

// Source is where requests go: the evaluated options of a `source` declaration
// and its credential. What it shares with other sources is behind its lease:
// nobody's until [Gates.Open] is called. It is safe for concurrent use.
type Source struct {
	name        string
	base        *url.URL // nil if it has none
	basePath    string   // of base, escaped, without the slash at its end
	query       query    // of base, then the source's params
	credQuery   query
	headers     http.Header // fixed ones, and those of the credential
	timeout     time.Duration
	retry       RetryPolicy
	maxBytes    int64
	maxWait     time.Duration
	idempotency bool
	limits      limits
	lease       *Lease
	cred        *credentials.Credential
	taught      atomic.Pointer[credentials.Redactor] // that knows the secrets of cred
	usual       atomic.Pointer[usualHeaders]
}

// usualHeaders are the headers of a client's requests to the source that bring
// none of their own and no body. They are made once and then only read, which
// is all that a RoundTripper may do with a request.
type usualHeaders struct {
	client  *Client
	headers http.Header
	// with are the headers and token.
	token *signin.Token
	with  http.Header
}

// sourceOptions are all options of a source (language definition, section 5).
var sourceOptions = []string{
	"auth", "base", "headers", "params", "timeout", "retry", "rateLimit", "circuitBreaker", "idempotency",
	"proxy", "tls", "maxResponseSize", "maxInFlight", "validateResponses", "validationMode", "specAuth",
	"token", "username", "password", "apiKey", "apiKeyHeader", "apiKeyQuery",
}

// NewSource returns the source called name. options is the evaluated object of
// its options, or null; those that say how it authenticates have already gone
// into cred, which may be nil. An option of the wrong kind is an error that
// names the option, its value and what was expected.
func NewSource(name string, options value.Value, cred *credentials.Credential) (*Source, error) {
	s := &Source{
		name: name, timeout: defaultTimeout, retry: DefaultRetry(),
		maxBytes: defaultMaxBytes, maxWait: defaultMaxWait, cred: cred,
	}
	if cred == nil {
		s.cred = &credentials.Credential{Kind: credentials.None}
	}
	var params, headers value.Value
	if !options.IsNull() {
		o, err := decodeObject(options)
		if err != nil {
			return nil, fmt.Errorf("source %s: the options value %w", name, err)
		}
		if base, ok := o.Get("base"); ok && base.IsNull() {
			return nil, fmt.Errorf("source %s: option base is null, expected an address: is an environment variable unset?", name)
		}
		if err := eachOption(o, s.option); err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		params, headers = value.Field(options, "params"), value.Field(options, "headers")
	}
	if err := s.setFixed(params, headers); err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	s.lease = privateLease(s.limits)
	return s, nil
}

// Retry returns the policy of the source's requests.
func (s *Source) Retry() RetryPolicy { return s.retry }

// Name returns the name that the mission gives the source.
func (s *Source) Name() string { return s.name }

// option takes in one option.
func (s *Source) option(name string, v value.Value) (err error) {
	if u := bytecode.NotAvailable(bytecode.SourceOptionPart, name); u != nil {
		return optionError(name, fmt.Errorf("%w; %s", ErrNotAvailable, u.Advice))
	}
	switch name {
	case "base":
		err = s.setBase(v)
	case "timeout":
		if s.timeout, err = value.Duration(v); err == nil && s.timeout == 0 {
			err = unexpected(v, "a time above 0")
		}
	case "retry":
		s.retry, err = s.retry.With(v)
		return err
	case "maxResponseSize":
		s.maxBytes, err = decodeSize(v)
	case "idempotency":
		s.idempotency, err = decodeBool(v)
	case "maxInFlight":
		s.limits.inFlight, err = decodeCount(v)
	case "rateLimit":
		return s.rateLimit(v)
	case "circuitBreaker":
		return circuitBreaker(v)
	case "validateResponses", "specAuth":
		_, err = decodeBool(v)
	case "validationMode":
		_, err = decodeWord(v, "strict", "warn")
	case "params", "headers":
		// Taken in when the base is known.
	case "auth", "token", "username", "password", "apiKey", "apiKeyHeader", "apiKeyQuery":
		// Package credentials has read them.
	default:
		return unknownOption("", name, sourceOptions)
	}
	return optionError(name, err)
}

var rateLimitOptions = []string{"requestsPerMinute", "fallbackRpm", "requestsPerSecond", "burst", "strategy", "maxWait", "adaptive"}

// rateLimit checks the option and takes in how long to wait for a server that
// says when to come back.
func (s *Source) rateLimit(option value.Value) error {
	o, err := decodeObject(option)
	if err != nil {
		return optionError("rateLimit", err)
	}
	return eachOption(o, func(name string, v value.Value) (err error) {
		switch name {
		case "requestsPerMinute", "fallbackRpm", "requestsPerSecond":
			err = decodePositive(v)
		case "burst":
			_, err = decodeCount(v)
		case "strategy":
			_, err = decodeWord(v, "pause", "throttle", "fail")
		case "maxWait":
			s.maxWait, err = value.Duration(v)
		case "adaptive":
			_, err = decodeBool(v)
		default:
			return unknownOption("rateLimit.", name, rateLimitOptions)
		}
		return optionError("rateLimit."+name, err)
	})
}

var breakerOptions = []string{"failureThreshold", "resetTimeout", "successThreshold", "failureWindow"}

// circuitBreaker checks the option.
func circuitBreaker(option value.Value) error {
	o, err := decodeObject(option)
	if err != nil {
		return optionError("circuitBreaker", err)
	}
	return eachOption(o, func(name string, v value.Value) (err error) {
		switch name {
		case "failureThreshold", "successThreshold":
			_, err = decodeCount(v)
		case "resetTimeout", "failureWindow":
			_, err = value.Duration(v)
		default:
			return unknownOption("circuitBreaker.", name, breakerOptions)
		}
		return optionError("circuitBreaker."+name, err)
	})
}

const wantBase = `an address such as "https://api.example.com/v1"`

// setBase takes in the address that paths join on to.
func (s *Source) setBase(v value.Value) error {
	if v.Kind() != value.String {
		return unexpected(v, wantBase)
	}
	text := strings.TrimSpace(v.Str())
	if !isAbsolute(text) {
		return unexpected(v, wantBase)
	}
	u, err := parseAbsolute(text)
	if err != nil {
		// The text may hold a password: it is not shown.
		return fmt.Errorf("%w, expected %s", err, wantBase)
	}
	s.query = splitQuery(u.RawQuery)
	s.basePath = strings.TrimRight(u.EscapedPath(), "/")
	s.base = u
	return nil
}

// setFixed takes in the params and headers that go with every request.
func (s *Source) setFixed(params, headers value.Value) error {
	layer, err := encodeParams(params)
	if err != nil {
		return err
	}
	s.query = s.query.with(layer)
	s.headers = make(http.Header)
	if err := addHeaders(s.headers, headers); err != nil {
		return err
	}
	if s.base == nil && (len(s.query) > 0 || len(s.headers) > 0 || s.cred.Kind != credentials.None) {
		return errors.New("there is no base, expected one: params, headers and credentials are only sent to its origin")
	}
	for _, h := range s.cred.Headers {
		s.headers[h.Name] = []string{h.Value}
	}
	for _, q := range s.cred.Query {
		s.credQuery = append(s.credQuery, param(q.Name, q.Value))
	}
	return nil
}

// teach makes sure that r knows the source's secrets.
func (s *Source) teach(r *credentials.Redactor) {
	if s.taught.Load() != r {
		r.Add(s.cred.Secrets()...)
		s.taught.Store(r)
	}
}
