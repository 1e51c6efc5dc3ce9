package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxRedirects is how many redirects of one request are followed (language
// definition, section 6.1).
const maxRedirects = 10

// follow sends the hop at, and goes where redirects lead. at is then the last
// hop that was sent.
func (k *call) follow(ctx context.Context, at *hop) (*http.Response, *Failure) {
	for followed := 0; ; followed++ {
		resp, err := k.send(ctx, at)
		if err != nil {
			return nil, k.transportFailure(ctx, err, at)
		}
		if resp.StatusCode != http.StatusSwitchingProtocols && !isRedirect(resp.StatusCode) {
			return resp, nil
		}
		next, err := k.redirect(resp, at)
		if err == nil && followed == maxRedirects {
			err = fmt.Errorf("more than %d redirects, the last one to %s", maxRedirects, k.displayURL(next.url))
		}
		if err != nil {
			f := k.failure(KindHTTP, at)
			f.answered(resp)
			f.Err = err
			f.final = true
			return nil, f
		}
		*at = *next
	}
}

// droppedQuery says what redirects have lost of the query that was asked with, ""
// if nothing. A redirect with a query of its own may have put it into other
// words, unless it leads to the same place.
func (k *call) droppedQuery(at *hop) string {
	if k.url.RawQuery == "" || at.method != k.method {
		return ""
	}
	got := splitQuery(k.source.unauthorize(at.url).RawQuery)
	if len(got) > 0 && !isMove(k.url, at.url) {
		return ""
	}
	var lost []string
	for _, p := range splitQuery(k.url.RawQuery) {
		same := func(q queryParam) bool { return q.name == p.name }
		if !slices.ContainsFunc(got, same) && !slices.Contains(lost, p.name) {
			lost = append(lost, p.name)
		}
	}
	if len(lost) == 0 {
		return ""
	}
	return k.client.redactor.Redact(fmt.Sprintf("%s %s was redirected to %s, which loses what was asked for by %s: ask at that address, if it is the right one",
		k.method, k.displayURL(k.url), k.displayURL(at.url), strings.Join(lost, ", ")))
}

// isRedirect reports whether a status says to go elsewhere. 300 and 304 don't.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// redirect is done with resp, and returns the hop that it asks for.
func (k *call) redirect(resp *http.Response, at *hop) (*hop, error) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// Its body is the bare connection, which no time limit ends.
		resp.Body.Close()
		return nil, errors.New("the server switched to another protocol, which nobody asked for")
	}
	drain(resp.Body)
	target, err := resolve(at.url, resp.Header.Get("Location"))
	if err != nil {
		return nil, fmt.Errorf("a redirect %w", err)
	}
	next := &hop{method: at.method, url: target, headers: at.headers, body: at.body, home: at.home}
	if becomesGet(resp.StatusCode, at.method) {
		if resp.StatusCode != http.StatusSeeOther && isMove(at.url, target) {
			// Followed the usual way, as a GET without the body, this would
			// look like success while nothing was written.
			return nil, fmt.Errorf("the server has moved this address to %s, and by its %d the %s would be lost on the way: use that address",
				k.displayURL(target), resp.StatusCode, at.method)
		}
		next.method, next.body = http.MethodGet, nil
		next.headers = next.headers.Clone()
		next.headers.Del("Content-Type")
		next.headers.Del("Idempotency-Key")
	}
	switch {
	case !sameOrigin(at.url, target):
		next.home = false
		next.headers = forForeign(next.headers)
		next.url = k.withoutPass(k.source.unauthorize(target))
	case next.home:
		next.url = k.source.authorize(target)
	}
	return next, nil
}

// becomesGet reports whether a redirect changes the method, by the Fetch
// standard (section 4.4, HTTP-redirect fetch): 303 does, 301 and 302 do to POST.
func becomesGet(status int, method string) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound:
		return method == http.MethodPost
	case http.StatusSeeOther:
		return method != http.MethodGet && method != http.MethodHead
	}
	return false
}

// isMove reports whether a redirect leads to the same resource at another
// address (https for http, another host, a slash at the end) rather than to
// a page about what was done.
func isMove(from, to *url.URL) bool {
	trim := func(u *url.URL) string { return strings.TrimRight(u.EscapedPath(), "/") }
	return trim(from) == trim(to)
}

// resolve returns the address of a Location or Link, which may be relative to
// base.
// What an address can't hold is escaped, as in a request's path.
func resolve(base *url.URL, text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("does not say where to")
	}
	u, err := base.Parse(escape(text, referenceSet, true))
	if err != nil {
		return nil, errors.New("leads to no valid address")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("leads to an address that is not http or https, but %q", u.Scheme)
	}
	if _, err := port(u); err != nil {
		return nil, fmt.Errorf("leads to an address that %w", err)
	}
	u.User = nil
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}
