package httpclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"reqon/runtime/credentials"
	"reqon/runtime/signin"
)

// authenticate gets the token that the next attempt carries, which may take a
// request to its server. A source without a sign-in has none.
func (k *call) authenticate(ctx context.Context) error {
	if k.needsLogin() {
		return k.signIn(ctx)
	}
	if k.source.cred.Kind != credentials.OAuth2 || !k.home || k.ownAuth {
		return nil
	}
	oauth := k.source.lease.oauth
	if oauth == nil {
		return fmt.Errorf("source %s: nobody keeps its sign-in", k.source.name)
	}
	if k.token = oauth.Current(); k.token != nil {
		return nil
	}
	token, err := oauth.Token(ctx, k.wire())
	if err == nil {
		k.token = token
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := k.failure(KindHTTP, &hop{url: k.url, home: k.home})
	f.Err, f.final, f.Attempts = err, true, 0
	switch kind, _ := classify(err); {
	case errors.Is(err, context.DeadlineExceeded):
		f.Kind = KindTimeout
	case !signin.Answered(err):
		f.Kind = kind
	}
	return f
}

// wire is how the source's token endpoint is reached: by its own connections,
// time limit and policy.
func (k *call) wire() *signin.Wire { return k.client.Wire(k.source) }

// Wire returns how the token endpoint of a source is reached.
func (c *Client) Wire(s *Source) *signin.Wire {
	return &signin.Wire{
		Transport: c.transportOf(s.lease.gate), Timeout: s.timeout, Attempts: s.retry.MaxAttempts,
		Pause: func(h http.Header, failed int) (time.Duration, bool) {
			if after, given := retryAfter(h, c.clock.Now()); given {
				return after, after <= s.maxWait
			}
			return s.retry.Wait(int64(failed), c.random), true
		},
	}
}

// reauthenticate reports whether an attempt is to be made again with another
// token: once for a request, and only if its own origin did not take the one
// that it had.
func (k *call) reauthenticate(ctx context.Context, resp *Response, f *Failure) (bool, error) {
	refused := f != nil && f.Status == http.StatusUnauthorized && f.home || resp != nil && resp.Status == http.StatusUnauthorized && resp.at.home
	if k.renewed {
		return false, nil
	}
	if k.ticket != nil {
		if !refused {
			var err error
			if refused, err = k.over(ctx, resp, f); err != nil || !refused {
				return false, err
			}
		}
		k.renewed = true
		k.source.lease.login.Refused(k.ticket)
		return true, nil
	}
	if !refused || k.token == nil {
		return false, nil
	}
	k.renewed = true
	return k.source.lease.oauth.Refused(k.token), nil
}

// withToken returns the headers of an attempt. Those of usual requests are made
// once for each token.
func (k *call) withToken() http.Header {
	if k.token == nil {
		return k.headers
	}
	if k.usual {
		if u := k.source.usual.Load(); u != nil && u.client == k.client && u.token == k.token {
			return u.with
		}
	}
	h := maps.Clone(k.headers)
	h["Authorization"] = k.token.Authorization
	if k.usual {
		k.source.usual.Store(&usualHeaders{client: k.client, headers: k.headers, token: k.token, with: h})
	}
	return h
}
