package httpclient

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"

	"reqon/runtime/credentials"
	"reqon/runtime/signin"
	"reqon/vm/value"
)

// Config is what a client works with. Everything may be left out.
type Config struct {
	// Transport sends the requests of sources whose gate has no connections of
	// its own. Clients that are given one share its connections. Default:
	// NewTransport().
	Transport http.RoundTripper
	Clock     Clock                 // default: the system's
	Redactor  *credentials.Redactor // learns the secrets of each source that is used
	Shapes    *value.Shapes         // of the program that gets the values
	UserAgent string                // default "reqon"
	Random    func() float64        // for jitter, in [0, 1)
	NewKey    func() string         // makes an Idempotency-Key; default: a random UUID
	OnRequest func(RequestEvent)    // called after every attempt
	// OnWait is called when a request begins to wait for its source's limit or
	// circuit breaker; what it returns is called when the wait is over.
	OnWait  func(WaitEvent) (over func())
	OnRetry func(RetryEvent) // called before the wait for another attempt, if the request has no OnRetry
}

// RequestEvent tells of one attempt.
type RequestEvent struct {
	Source   string
	Method   string
	Status   int // 0 if there was no answer
	Duration time.Duration
}

// RetryEvent tells that a request will be sent again.
type RetryEvent struct {
	Source      string
	Method      string
	URL         string // redacted
	Reason      string // the status, or the Kind of a transport error
	Attempt     int    // that failed, from 1
	MaxAttempts int
	Wait        time.Duration
	Failure     *Failure
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	transport http.RoundTripper
	clock     Clock
	redactor  *credentials.Redactor
	shapes    *value.Shapes
	userAgent string
	random    func() float64
	newKey    func() string
	onRequest func(RequestEvent)
	onRetry   func(RetryEvent)
	onWait    func(WaitEvent) func()
	decoders  sync.Pool // of *value.Decoder
}

// New returns a client. Making one is cheap; connections belong to the
// transport.
func New(cfg Config) *Client {
	c := &Client{
		transport: cfg.Transport, clock: cfg.Clock, redactor: cfg.Redactor, shapes: cfg.Shapes,
		userAgent: cfg.UserAgent, random: cfg.Random, newKey: cfg.NewKey,
		onRequest: cfg.OnRequest, onRetry: cfg.OnRetry, onWait: cfg.OnWait,
	}
	if c.transport == nil {
		c.transport = NewTransport()
	}
	if c.clock == nil {
		c.clock = systemClock{}
	}
	if c.redactor == nil {
		c.redactor = &credentials.Redactor{}
	}
	if c.shapes == nil {
		c.shapes = value.NewShapes()
	}
	if c.userAgent == "" {
		c.userAgent = "reqon"
	}
	if c.random == nil {
		c.random = rand.Float64
	}
	if c.newKey == nil {
		c.newKey = uuid.NewString
	}
	c.decoders.New = func() any { return value.NewDecoder(c.shapes) }
	return c
}

// CloseIdle closes the connections that no request is using.
func (c *Client) CloseIdle() { closeIdle(c.transport) }

// Param is one query parameter.
type Param struct {
	Name  string
	Value value.Value // null: not sent
}

// Request is one request, its options evaluated.
type Request struct {
	Method string // in any case
	// Path joins on to the source's base, or is an absolute URL. The machine
	// has escaped the values that are interpolated into it, each as one segment;
	// characters of the rest that a URL can't hold are escaped here.
	Path    string
	Params  value.Value // object or null
	Headers value.Value // object or null
	Body    value.Value // sent if HasBody, also when null
	HasBody bool
	Form    value.Value    // object or null
	Timeout time.Duration  // of an attempt; 0: the source's
	Retry   *RetryPolicy   // nil: the source's
	MaxWait *time.Duration // for limits and Retry-After; nil: the source's
	// Rate narrows what the source says of its limits; nil: it does not. Site
	// tells such requests from others.
	Rate     *Rate
	Site     string
	forLogin bool // it signs in, so that it does not need to be signed in
	// FailAtLimit says whether the request fails at a limit instead of waiting;
	// nil: the source's.
	FailAtLimit *bool
	Allow       []int // statuses that are no failures, beside the good ones
	// PageParam says which page is asked for. It replaces a parameter of its
	// name that came from elsewhere.
	PageParam *Param
	// IdempotencyKey is sent if the source says `idempotency: true` and the
	// method is post or patch. "" makes a new one. A caller that repeats a
	// request gives the key it gave before.
	IdempotencyKey string
	// Decode says what the body of a good answer is; nil: what its type says.
	Decode *Decoding
	// OnRetry is called before the wait for another attempt; nil takes the
	// client's.
	OnRetry func(RetryEvent)
	// Complete: Path is the address of a next page, whose query is complete: the
	// source's params are not added.
	Complete bool
	// Refuse says why an answer that is good so far is none all the same, nil if
	// it is one. The second error is that of the question.
	Refuse func(context.Context, *Response) (why, err error)
	// Again says whether to make a failed request again: decided is false where
	// that is left to the rules.
	Again func(context.Context, *Failure) (again, decided bool)
	// Wait says how long to wait before that; given is false where that is left
	// to the rules.
	Wait func(context.Context, *Failure) (wait time.Duration, given bool)
}

// Response is a good answer.
type Response struct {
	Status  int
	Headers http.Header
	Body    value.Value
	Date    time.Time // of the server's Date header, zero without one
	// Sent is when the first attempt was sent, and Received when the headers
	// of the answer had come, by the client's clock.
	Sent, Received time.Time
	// Next is where the Link header says that the next page is, "" if it says
	// nothing. NextErr is set instead if that is of another origin or no
	// address: whoever pages by link must fail with it, as pages are missing.
	Next     string
	NextErr  error
	Total    int64 // by X-Total-Count, how many items there are on all pages; 0: unknown
	HasNext  bool  // the Link header names a next page, of whatever origin
	Attempts int
	Bytes    int64 // of the body, decompressed
	// Dropped says that redirects have lost the query that was asked with: the
	// answer may be one to another question. "" if they have not.
	Dropped string

	call *call
	at   *hop // the last one
}

// call is a request on its way.
type call struct {
	client  *Client
	source  *Source
	gate    *gate
	method  string
	url     *url.URL
	home    bool // the source's origin
	headers http.Header
	body    []byte // nil: none
	retry   RetryPolicy
	timeout time.Duration
	maxWait time.Duration
	allow   []int
	again   func(context.Context, *Failure) (again, decided bool)
	delay   func(context.Context, *Failure) (wait time.Duration, given bool)
	// repeatable: sending it twice does what sending it once does.
	repeatable bool
	onRetry    func(RetryEvent)

	budget *budget
	own    *budget // beside it; nil: none
	fail   bool    // at a limit the request fails

	request *Request
	ticket  *signin.Ticket // of the source's login; nil: none
	carried *pass          // what it gives

	usual   bool // headers are those of source.usual
	ownAuth bool // the request says by itself what its Authorization is
	token   *signin.Token
	renewed bool // the token has been, after a 401
}

// prepare checks a request and puts together what will be sent.
func (c *Client) prepare(s *Source, r *Request) (*call, error) {
	method, err := methodOf(r.Method)
	if err != nil {
		return nil, err
	}
	s.teach(c.redactor)
	k := &call{client: c, source: s, request: r, gate: s.lease.gate, method: method, retry: s.retry, timeout: s.timeout, maxWait: s.maxWait, allow: r.Allow, again: r.Again, delay: r.Wait, onRetry: c.onRetry}
	if k.url, k.home, err = buildURL(s, r); err != nil {
		return nil, err
	}
	if r.Retry != nil {
		k.retry = *r.Retry
	}
	if r.OnRetry != nil {
		k.onRetry = r.OnRetry
	}
	if r.Timeout > 0 {
		k.timeout = r.Timeout
	}
	if r.MaxWait != nil {
		k.maxWait = *r.MaxWait
	}
	k.fail = s.limits.rate.fail
	k.setBudgets(r)
	if err := k.setHeaders(r); err != nil {
		return nil, err
	}
	if k.body, err = encodeBody(r, k.headers); err != nil {
		return nil, err
	}
	_, hasKey := k.headers["Idempotency-Key"]
	k.repeatable = hasKey || method != http.MethodPost && method != http.MethodPatch
	return k, nil
}

// methodOf returns the method as it is sent.
func methodOf(name string) (string, error) {
	upper := make([]byte, len(name))
	for i := range len(name) {
		c := name[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	if m := string(upper); isToken(m) && m != http.MethodConnect {
		return m, nil
	}
	return "", fmt.Errorf("the method is %q, expected get, post, put, patch or delete", name)
}

// setHeaders puts together the headers: of the source and its credential, of
// the request, which win, and of the client, which stand in for what is not
// there.
func (k *call) setHeaders(r *Request) error {
	k.usual = k.home && r.Headers.IsNull() && !r.HasBody && r.Form.IsNull() && !k.sendsKey()
	if k.usual {
		if u := k.source.usual.Load(); u != nil && u.client == k.client {
			k.headers = u.headers
			return nil
		}
	}
	h := make(http.Header, 8)
	if k.home {
		for name, values := range k.source.headers {
			h[name] = values
		}
	}
	if err := addHeaders(h, r.Headers); err != nil {
		return err
	}
	k.ownAuth = namesHeader(r.Headers, "Authorization")
	setDefault(h, "Accept", "application/json, */*;q=0.5")
	setDefault(h, "Accept-Encoding", "gzip")
	setDefault(h, "User-Agent", k.client.userAgent)
	if k.sendsKey() {
		key := r.IdempotencyKey
		if key == "" {
			key = k.client.newKey()
		}
		setDefault(h, "Idempotency-Key", key)
	}
	k.headers = h
	if k.usual {
		k.source.usual.Store(&usualHeaders{client: k.client, headers: h})
	}
	return nil
}

// sendsKey reports whether the request has an Idempotency-Key of the client's.
func (k *call) sendsKey() bool {
	return k.source.idempotency && (k.method == http.MethodPost || k.method == http.MethodPatch)
}

// Do sends r, again if the policy says so, and returns the answer with its body
// read and parsed. A failed request is a *Failure; when ctx is done the error
// is ctx's; any other error means that r is not a request that can be sent.
func (c *Client) Do(ctx context.Context, s *Source, r *Request) (*Response, error) {
	k, err := c.prepare(s, r)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.name, err)
	}
	var sent time.Time
	for attempt := 1; ; attempt++ {
		if err := k.authenticate(ctx); err != nil {
			return nil, err
		}
		resp, failure, start, err := k.try(ctx)
		if err != nil {
			return nil, err
		}
		if sent.IsZero() {
			sent = start
		}
		again, err := k.reauthenticate(ctx, resp, failure)
		if err != nil {
			return nil, fmt.Errorf("source %s: login.when: %w", s.name, err)
		}
		if again {
			attempt--
			continue
		}
		if failure == nil {
			resp.Sent, resp.Attempts = sent, attempt
			if err := k.charge(ctx, resp); err != nil {
				return nil, err
			}
			if failure = k.refused(ctx, r, resp); failure == nil {
				return resp, nil
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		failure.Attempts = attempt
		if attempt >= k.retry.MaxAttempts || !k.mayRetry(ctx, failure) {
			return nil, failure
		}
		wait, asked, ok := k.pause(ctx, failure, attempt)
		if !ok {
			failure.Kind = KindRateLimit
			failure.Err = fmt.Errorf("%s to wait %s before the next attempt, longer than rateLimit.maxWait of %s",
				asked, roundWait(wait), k.maxWait)
			return nil, failure
		}
		k.observeRetry(failure, wait)
		if err := c.clock.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// try sends the request once, when everything that bounds the source's requests
// lets it, and tells all of that what came of it. The error is ctx's, or a
// *Failure of a request that is not sent.
func (k *call) try(ctx context.Context) (resp *Response, f *Failure, start time.Time, err error) {
	if err := k.gate.flight.enter(ctx); err != nil {
		return nil, nil, start, err
	}
	defer k.gate.flight.leave()
	if err := k.admit(ctx); err != nil {
		return nil, nil, start, err
	}
	start = k.client.clock.Now()
	passage, err := k.pass(ctx)
	if err != nil {
		k.answered(nil, nil, start)
		return nil, nil, start, err
	}
	start = k.client.clock.Now()
	resp, f = k.attempt(ctx)
	if err := ctx.Err(); err != nil && f != nil {
		passage.done(errNoVerdict)
		k.answered(nil, nil, start)
		k.observe(f.Status, start)
		return nil, nil, start, err
	}
	passage.done(verdict(f))
	k.answered(resp, f, start)
	if f != nil {
		k.observe(f.Status, start)
	} else {
		k.observe(resp.Status, start)
	}
	return resp, f, start, nil
}

// maxShown is the size up to which a body that was refused is shown.
const maxShown = 1 << 20

// refused returns the failure of an answer that is none for the request's Refuse.
func (k *call) refused(ctx context.Context, r *Request, resp *Response) *Failure {
	if r.Refuse == nil {
		return nil
	}
	why, err := r.Refuse(ctx, resp)
	if err != nil {
		return resp.Reject(KindRejected, err)
	}
	if why == nil {
		return nil
	}
	f := resp.Reject(KindRejected, why)
	if f.refused = why != ErrRefused; !f.refused && resp.Bytes <= maxShown {
		f.Snippet = k.snippet(value.AppendJSON(nil, resp.Body))
	}
	return f
}

// roundWait makes a duration short to read.
func roundWait(d time.Duration) time.Duration { return d.Round(time.Second) }

func (k *call) observe(status int, start time.Time) {
	if f := k.client.onRequest; f != nil {
		f(RequestEvent{Source: k.source.name, Method: k.method, Status: status, Duration: k.client.clock.Now().Sub(start)})
	}
}

func (k *call) observeRetry(f *Failure, wait time.Duration) {
	if on := k.onRetry; on != nil {
		on(RetryEvent{
			Source: k.source.name, Method: k.method, URL: f.URL, Reason: f.reason(),
			Attempt: f.Attempts, MaxAttempts: k.retry.MaxAttempts, Wait: wait, Failure: f,
		})
	}
}
