package httpclient

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"

	"reqon/vm/value"
)

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
	at := hop{method: k.method, url: k.url, headers: k.headers, body: k.body, home: k.home}
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
	req := (&http.Request{
		Method: at.method, URL: at.url, Host: at.url.Host, Header: at.headers,
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
	if t := k.gate.transport; t != nil {
		return t.RoundTrip(req)
	}
	return k.client.transport.RoundTrip(req)
}

// answer reads the response that the last hop got.
func (k *call) answer(ctx context.Context, resp *http.Response, at *hop) (*Response, *Failure) {
	defer resp.Body.Close()
	failed := resp.StatusCode >= 400 && !slices.Contains(k.allow, resp.StatusCode)
	data, err := readBody(resp, k.source.maxBytes)
	if failed {
		return nil, k.statusFailure(resp, data, err, at)
	}
	if err != nil {
		return nil, k.bodyFailure(ctx, resp, err, at)
	}
	body, err := k.client.decode(resp.Header.Get("Content-Type"), data)
	if err != nil {
		if brokeOff(resp, err, len(data)) {
			return nil, k.transportFailure(ctx, io.ErrUnexpectedEOF, at)
		}
		return nil, k.malformed(resp, data, err, at)
	}
	out := &Response{
		Status: resp.StatusCode, Headers: resp.Header, Body: body,
		Date: serverDate(resp.Header), Bytes: int64(len(data)),
	}
	out.Next, out.NextErr = k.next(resp.Header, at.url)
	return out, nil
}

// statusFailure is the failure of an answer that says so by its status. The
// status counts even if the body can't be read or parsed.
func (k *call) statusFailure(resp *http.Response, data []byte, readErr error, at *hop) *Failure {
	f := k.failure(KindHTTP, at)
	if resp.StatusCode == http.StatusTooManyRequests {
		f.Kind = KindRateLimit
	}
	f.answered(resp)
	f.Snippet = k.snippet(data)
	if readErr != nil {
		return f
	}
	body, err := k.client.decode(resp.Header.Get("Content-Type"), data)
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
