package httpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"

	"reqon/vm/value"
)

// maxTotal is beyond what X-Total-Count may say to be believed.
const maxTotal = 1 << 53

// hop is one request of an attempt: the first, and one more for each redirect.
type hop struct {
	method  string
	url     *url.URL
	headers http.Header
	body    []byte
	home    bool // every hop so far had the source's origin
}

// attempt sends the call once and reads the answer, within its time limit. If
// the caller's context is done, what it returns means nothing.
func (k *call) attempt(ctx context.Context) (*Response, *Failure) {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	var connected atomic.Bool
	if !k.repeatable {
		// Whether a request that must not be sent twice may be is known by
		// whether there ever was a connection to send it on.
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
		})
	}
	at := hop{method: k.method, url: k.url, headers: k.withToken(), body: k.body, home: k.home}
	if at.home {
		at.url = k.source.authorize(at.url)
	}
	resp, failure := k.follow(ctx, &at)
	if failure == nil {
		received := k.client.clock.Now()
		var answer *Response
		if answer, failure = k.answer(ctx, resp, &at); failure == nil {
			answer.Received = received
			return answer, nil
		}
	}
	failure.unsent = !k.repeatable && !connected.Load()
	failure.processed = at.method != k.method
	return nil, failure
}

// send sends one hop.
func (k *call) send(ctx context.Context, at *hop) (*http.Response, error) {
	sent := *at
	if at.home && k.carried != nil {
		k.carry(&sent)
	}
	if at.home && k.source.sign != nil {
		if err := k.signed(ctx, &sent); err != nil {
			return nil, &signError{err}
		}
	}
	at = &sent
	headers := at.headers
	if a := k.source.cred.AWS; a != nil && at.home && !k.ownAuth {
		headers = signAWS(a, at.method, at.url, headers, at.body, k.client.clock.Now())
	}
	req := (&http.Request{
		Method: at.method, URL: at.url, Host: at.url.Host, Header: headers,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if host, ok := at.headers["Host"]; ok {
		req.Host = host[0]
	}
	if len(at.body) > 0 {
		req.ContentLength = int64(len(at.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(at.body)), nil }
		req.Body, _ = req.GetBody()
	} else if at.body != nil {
		req.Body = http.NoBody
	}
	return k.client.transportOf(k.gate).RoundTrip(req)
}

// transportOf is the connections of a gate, or the client's if it has none.
func (c *Client) transportOf(g *gate) http.RoundTripper {
	if g.transport != nil {
		return g.transport
	}
	return c.transport
}

// answer reads the response that the last hop got.
func (k *call) answer(ctx context.Context, resp *http.Response, at *hop) (*Response, *Failure) {
	defer resp.Body.Close()
	failed := !k.accepts(resp.StatusCode, at)
	data, err := readBody(resp, k.source.maxBytes)
	if failed {
		return nil, k.statusFailure(resp, data, err, at)
	}
	if err != nil {
		return nil, k.bodyFailure(ctx, resp, err, at)
	}
	how := k.request.Decode
	packed := how != nil && len(how.Packed) > 0
	if packed {
		if data, err = how.unpack(data, k.source.maxBytes); err != nil {
			var tooLarge *tooLargeError
			switch {
			case errors.As(err, &tooLarge):
				return nil, k.bodyFailure(ctx, resp, err, at)
			case errors.Is(err, io.ErrUnexpectedEOF) && untilClose(resp):
				return nil, k.transportFailure(ctx, io.ErrUnexpectedEOF, at)
			}
			return nil, k.malformed(resp, nil, err, at) // bytes that nobody can read are not shown
		}
	}
	body, err := k.client.decode(resp.Header.Get("Content-Type"), data, how)
	if err != nil {
		if !packed && brokeOff(resp, err, len(data)) {
			return nil, k.transportFailure(ctx, io.ErrUnexpectedEOF, at)
		}
		return nil, k.malformed(resp, data, err, at)
	}
	out := &Response{
		Status: resp.StatusCode, Headers: resp.Header, Body: body,
		Date: serverDate(resp.Header), Bytes: int64(len(data)),
		call: k, at: at,
	}
	if at.url != k.url {
		out.Dropped = k.droppedQuery(at)
	}
	out.Next, out.HasNext, out.NextErr = k.next(resp.Header, at.url)
	if n, err := strconv.ParseInt(resp.Header.Get("X-Total-Count"), 10, 64); err == nil && n > 0 && n < maxTotal {
		out.Total = n
	}
	return out, nil
}

// accepts reports whether the status of an answer to the hop is a good one: 2xx,
// or one that the request allows. A part of what was asked for (206), and the
// word that it has not changed (304), are good answers only to a request that
// has asked for them.
func (k *call) accepts(status int, at *hop) bool {
	switch {
	case slices.Contains(k.allow, status):
		return true
	case status == http.StatusPartialContent:
		return len(at.headers["Range"]) > 0
	case status == http.StatusNotModified:
		return len(at.headers["If-None-Match"]) > 0 || len(at.headers["If-Modified-Since"]) > 0
	}
	return status >= 200 && status < 300
}

// Reject returns the failure of an answer that is good by its status and can be
// read, but is not what the request needs: err says why. Another attempt would
// not help.
func (r *Response) Reject(kind Kind, err error) *Failure {
	f := r.call.failure(kind, r.at)
	f.Status, f.Headers, f.Body = r.Status, r.Headers, r.Body
	f.Attempts, f.Err, f.final = r.Attempts, err, true
	return f
}

// statusFailure is the failure of an answer that says so by its status. The
// status counts even if the body can't be read or parsed.
func (k *call) statusFailure(resp *http.Response, data []byte, readErr error, at *hop) *Failure {
	f := k.failure(KindHTTP, at)
	if limited(resp.StatusCode, resp.Header, k.client.clock.Now()) {
		f.Kind = KindRateLimit
	}
	f.answered(resp)
	f.byStatus = true
	if resp.StatusCode == 0 {
		f.Err = errors.New("the server answered with the status 000, which there is not")
	}
	f.Snippet = k.snippet(data)
	if readErr != nil {
		return f
	}
	body, err := k.client.decode(resp.Header.Get("Content-Type"), data, nil)
	if err != nil {
		body = value.FromString(validText(data))
	}
	f.Body = body
	return f
}

// malformed is the failure of an answer whose body is whole but not what it
// says to be.
func (k *call) malformed(resp *http.Response, data []byte, err error, at *hop) *Failure {
	f := k.failure(KindInvalidJSON, at)
	f.answered(resp)
	f.Body = value.FromString(validText(data))
	f.Snippet = k.snippet(data)
	f.Err = err
	f.final = true
	return f
}

// maxDrain is how many bytes of a redirect's body are read to keep its
// connection.
const maxDrain = 16 << 10

func drain(body io.ReadCloser) {
	// Whether this fails only decides about the connection.
	_, _ = io.CopyN(io.Discard, body, maxDrain)
	body.Close()
}
