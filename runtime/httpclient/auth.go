package httpclient

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// What proves who the source is, and all else that it sends with every request,
// is for its own origin only (language definition, section 6.1): not for an
// absolute address elsewhere, nor for where a redirect leads.

// authorize returns the URL with the credential's parameters.
func (s *Source) authorize(u *url.URL) *url.URL {
	if len(s.credQuery) == 0 {
		return u
	}
	with := *u
	with.RawQuery = splitQuery(u.RawQuery).with(s.credQuery).String()
	return &with
}

// unauthorize returns u, which leads to another origin, without the
// credential's parameters: a server may copy our query into where it redirects
// to.
func (s *Source) unauthorize(u *url.URL) *url.URL {
	if len(s.credQuery) == 0 {
		return u
	}
	q := slices.DeleteFunc(splitQuery(u.RawQuery), func(p queryParam) bool {
		_, text, _ := strings.Cut(p.raw, "=")
		plain, err := url.QueryUnescape(text)
		for _, c := range s.cred.Query {
			if p.name == c.Name && (err != nil || plain == c.Value) {
				return true
			}
		}
		return false
	})
	without := *u
	without.RawQuery = q.String()
	return &without
}

// foreignHeaders are the headers of a request that may follow a redirect to
// another origin. Any other may be a secret of the author's: X-Api-Key, Cookie.
var foreignHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Content-Type", "Idempotency-Key", "Prefer", "Range", "User-Agent",
}

// forForeign returns the headers of h that may go to another origin.
func forForeign(h http.Header) http.Header {
	out := make(http.Header, len(foreignHeaders))
	for _, name := range foreignHeaders {
		if values, ok := h[name]; ok {
			out[name] = values
		}
	}
	return out
}

// displayURL returns u for a person to read: without the credential's
// parameters, however short they are, and with all known secrets redacted.
func (k *call) displayURL(u *url.URL) string {
	text := u.String()
	if len(k.source.credQuery) > 0 && u.RawQuery != "" {
		q := splitQuery(u.RawQuery)
		for i, p := range q {
			for _, secret := range k.source.credQuery {
				if p.name == secret.name {
					key, _, _ := strings.Cut(p.raw, "=")
					q[i].raw = key + "=[redacted]"
				}
			}
		}
		shown := *u
		shown.RawQuery = q.String()
		text = shown.String()
	}
	return k.client.redactor.Redact(text)
}
