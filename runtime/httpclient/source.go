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
	"reqon/vm/option"
	"reqon/vm/value"
)

// Source is where requests go: the evaluated options of a `source` declaration
// and its credential. What it shares with other sources is behind its lease:
// nobody's until [Gates.Open] is called. It is safe for concurrent use.
type Source struct {
	name        string
	base        *url.URL   // nil if it has none
	origins     []*url.URL // others that it trusts as its own
	basePath    string     // of base, escaped, without the slash at its end
	query       query      // of base, then the source's params
	credQuery   query
	headers     http.Header // fixed ones, and those of the credential
	timeout     time.Duration
	retry       RetryPolicy
	maxBytes    int64
	maxWait     time.Duration
	idempotency bool
	limits      limits
	login       *Login     // nil: none
	sign        *Signature // nil: none
	cost        Cost       // nil: each answer has cost 1
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

// NewSource returns the source called name. o are its options; those that say
// how it authenticates have already gone into cred, which may be nil. The error
// is an *option.Error where it is about one of them.
func NewSource(name string, o *option.Values, cred *credentials.Credential) (*Source, error) {
	if cred == nil {
		cred = &credentials.Credential{Kind: credentials.None}
	}
	s := &Source{
		name: name, cred: cred, timeout: o.Duration("timeout"), retry: retryOf(o.Block("retry")),
		maxBytes: o.Bytes("maxResponseSize"), maxWait: o.Block("rateLimit").Duration("maxWait"),
		idempotency: o.Bool("idempotency"),
	}
	s.limits = limits{inFlight: o.Int("maxInFlight"), rate: RateOf(o.Block("rateLimit"))}
	if o.Given("circuitBreaker") {
		s.limits.breaker = breakerOf(o.Block("circuitBreaker"))
	}
	if o.Given("base") {
		if err := s.setBase(o.Value("base")); err != nil {
			return nil, err
		}
	}
	if err := s.setOrigins(o.Value("origins")); err != nil {
		return nil, err
	}
	if err := s.setFixed(o.Value("params"), o.Value("headers")); err != nil {
		return nil, err
	}
	s.lease = privateLease(s.limits)
	return s, nil
}

// Retry returns the policy of the source's requests.
func (s *Source) Retry() RetryPolicy { return s.retry }

// Name returns the name that the mission gives the source.
func (s *Source) Name() string { return s.name }

const wantBase = `an address such as "https://api.example.com/v1"`

// setBase takes in the address that paths join on to.
func (s *Source) setBase(v value.Value) error {
	text := strings.TrimSpace(v.Str())
	if !isAbsolute(text) {
		return &option.Error{Path: "base", Problem: unexpected(v, wantBase).Error()}
	}
	u, err := parseAbsolute(text)
	if err != nil {
		// The text may hold a password: it is not shown.
		return &option.Error{Path: "base", Problem: err.Error() + ", expected " + wantBase}
	}
	s.query = splitQuery(u.RawQuery)
	s.basePath = strings.TrimRight(u.EscapedPath(), "/")
	s.base = u
	return nil
}

// setOrigins takes in the origins that next pages may have beside the source's.
func (s *Source) setOrigins(list value.Value) error {
	if list.IsNull() {
		return nil
	}
	for i, v := range list.Elems() {
		const want = `an origin such as "https://files.example.com"`
		bad := func(problem string) error {
			return &option.Error{Path: fmt.Sprintf("origins[%d]", i), Problem: problem}
		}
		if !isAbsolute(v.Str()) {
			return bad(unexpected(v, want).Error())
		}
		u, err := parseAbsolute(v.Str())
		if err != nil {
			return bad(err.Error() + ", expected " + want)
		}
		if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return bad("has more than an origin: write " + originOf(u))
		}
		s.origins = append(s.origins, u)
	}
	return nil
}

// trusts reports whether an address has the source's origin, or one of those that
// it names: its headers and credentials may go there.
func (s *Source) trusts(u *url.URL) bool {
	if sameOrigin(u, s.base) {
		return true
	}
	for _, o := range s.origins {
		if sameOrigin(u, o) {
			return true
		}
	}
	return false
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
