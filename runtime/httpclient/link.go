package httpclient

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// next returns where the Link header (RFC 8288) says that the next page is. A
// page of another origin is an error: going there would take the credentials
// along, and not going there would lose what is on it. So is a header that
// can't be read, unless it has a link to the next page all the same: it may have
// meant one. there tells whether the header names a next page.
func (k *call) next(h http.Header, base *url.URL) (to string, there bool, err error) {
	values := h["Link"]
	if len(values) == 0 {
		return "", false, nil
	}
	target, bad := linkNext(values, func(anchor string) bool {
		if anchor == "" {
			return true
		}
		u, err := resolve(base, anchor)
		return err == nil && k.source.unauthorize(u).String() == k.source.unauthorize(base).String()
	})
	if target == nil {
		if bad == "" {
			return "", false, nil
		}
		return "", false, fmt.Errorf(`the Link header can't be read at %q, expected <address>; rel="next": whether another page follows is not known`,
			k.client.redactor.Head(bad, snippetLength))
	}
	u, err := resolve(base, *target)
	if err != nil {
		return "", true, fmt.Errorf(`the Link header's rel="next" %w`, err)
	}
	if !sameOrigin(u, k.url) {
		return "", true, fmt.Errorf(`the Link header's rel="next" leads to %s, which is not of the origin %s://%s of the request`,
			k.displayURL(u), k.url.Scheme, k.url.Host)
	}
	return u.String(), true, nil
}

// Resolve returns the absolute address of a reference to the next page, which
// may be relative to the address of this one. It must have the source's origin,
// or that of the request, or one of the source's `origins`. A credential in its
// query is left out: the source adds its own.
func (r *Response) Resolve(reference string) (string, error) {
	k := r.call
	u, err := resolve(r.at.url, reference)
	if err != nil {
		return "", err
	}
	if !sameOrigin(u, k.url) && !k.source.trusts(u) {
		return "", fmt.Errorf("leads to %s, which is not of the origin %s; if that is right, name its origin in the source's option `origins`",
			k.displayURL(u), originOf(k.url))
	}
	return k.source.unauthorize(u).String(), nil
}

var errNotLink = errors.New("not a link")

// linkNext returns the target of the first link with the relation "next", nil
// without one. A link about another resource does not count: self tells whether
// an anchor is the page itself. bad is where the header first can't be read; what
// follows is looked for behind it.
func linkNext(values []string, self func(anchor string) bool) (target *string, bad string) {
	for _, line := range values {
		for rest := strings.TrimLeft(line, " \t,"); rest != ""; rest = strings.TrimLeft(rest, " \t,") {
			l, after, err := parseLink(rest)
			if err != nil {
				if bad == "" {
					bad = rest
				}
				rest = afterBad(rest)
				continue
			}
			if l.isNext() && (!l.anchored || self(l.anchor)) {
				return &l.target, bad
			}
			rest = after
		}
	}
	return nil, bad
}

// afterBad returns what follows something that is not a link: from the next
// comma on behind which a target begins.
func afterBad(s string) string {
	for {
		_, after, found := strings.Cut(s, ",")
		if !found {
			return ""
		}
		if s = after; strings.HasPrefix(strings.TrimLeft(s, " \t"), "<") {
			return s
		}
	}
}

// link is one link of a header.
type link struct {
	target, rel, anchor string
	anchored            bool
}

// isNext reports whether the link has the relation "next", among others.
func (l *link) isNext() bool {
	for word := range strings.FieldsFuncSeq(l.rel, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		if strings.EqualFold(word, "next") {
			return true
		}
	}
	return false
}

// parseLink reads one <target>; name=value; … up to the comma behind it.
func parseLink(s string) (l link, rest string, err error) {
	if !strings.HasPrefix(s, "<") {
		return l, "", errNotLink
	}
	target, s, found := strings.Cut(s[1:], ">")
	if !found || strings.Contains(target, "<") {
		return l, "", errNotLink
	}
	l.target = strings.TrimSpace(target)
	hasRel := false
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			return l, s, nil
		}
		if s[0] != ';' {
			return l, "", errNotLink
		}
		var name, text string
		if name, text, s, err = linkParam(s[1:]); err != nil {
			return l, "", err
		}
		switch {
		case strings.EqualFold(name, "rel") && !hasRel: // the first counts
			l.rel, hasRel = text, true
		case strings.EqualFold(name, "anchor"):
			l.anchor, l.anchored = text, true
		}
	}
}

// linkParam reads name=value, name="value" or, as some write it, name='value'
// behind a semicolon. A value without quotes, or one whose quote is never
// closed, that holds another link's signs is none.
func linkParam(s string) (name, text, rest string, err error) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 || s[end] != '=' {
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), "", s[end:], plainName(s[:end])
	}
	name = strings.TrimSpace(s[:end])
	if err := plainName(name); err != nil {
		return "", "", "", err
	}
	s = strings.TrimLeft(s[end+1:], " \t")
	if strings.HasPrefix(s, `"`) {
		return quotedParam(name, s)
	}
	if strings.HasPrefix(s, "'") {
		if text, rest, ok := strings.Cut(s[1:], "'"); ok {
			return name, text, rest, nil
		}
	}
	if end = strings.IndexAny(s, ";,"); end < 0 {
		end = len(s)
	}
	if strings.ContainsAny(s[:end], `<>"`) {
		return "", "", "", errNotLink
	}
	return name, strings.TrimSpace(s[:end]), s[end:], nil
}

// plainName refuses what is no name of a parameter.
func plainName(s string) error {
	if strings.ContainsAny(s, `<>"'`) {
		return errNotLink
	}
	return nil
}

// quotedParam reads the value of a parameter that begins with a quote.
func quotedParam(name, s string) (_, text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return name, b.String(), s[i+1:], nil
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	if strings.ContainsAny(b.String(), "<>,;=") {
		return "", "", "", errNotLink
	}
	return name, b.String(), "", nil
}
