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
// along, and not going there would lose what is on it.
func (k *call) next(h http.Header, base *url.URL) (string, error) {
	values := h["Link"]
	if len(values) == 0 {
		return "", nil
	}
	target, ok := linkNext(values)
	if !ok {
		return "", nil
	}
	u, err := resolve(base, target)
	if err != nil {
		return "", fmt.Errorf(`the Link header's rel="next" %w`, err)
	}
	if !sameOrigin(u, k.url) {
		return "", fmt.Errorf(`the Link header's rel="next" leads to %s, which is not of the origin %s://%s of the request`,
			k.displayURL(u), k.url.Scheme, k.url.Host)
	}
	return u.String(), nil
}

var errNotLink = errors.New("not a link")

// linkNext returns the target of the first link with the relation "next". A
// link about another resource (anchor) does not count. After something that is
// not a link, the rest of a header line is passed over.
func linkNext(values []string) (target string, ok bool) {
	for _, line := range values {
		for rest := line; rest != ""; {
			target, rel, after, err := parseLink(rest)
			if err != nil {
				break
			}
			for word := range strings.FieldsSeq(rel) {
				if strings.EqualFold(word, "next") {
					return target, true
				}
			}
			rest = after
		}
	}
	return "", false
}

// parseLink reads one <target>; name=value; … and the comma behind it. rel is
// "" if the link has an anchor.
func parseLink(s string) (target, rel, rest string, err error) {
	s = strings.TrimLeft(s, " \t,")
	if !strings.HasPrefix(s, "<") {
		return "", "", "", errNotLink
	}
	target, s, found := strings.Cut(s[1:], ">")
	if !found {
		return "", "", "", errNotLink
	}
	hasRel, anchored := false, false
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == ',' {
			break
		}
		if s[0] != ';' {
			return "", "", "", errNotLink
		}
		var name, text string
		name, text, s = linkParam(s[1:])
		switch {
		case strings.EqualFold(name, "rel") && !hasRel: // the first counts
			rel, hasRel = text, true
		case strings.EqualFold(name, "anchor"):
			anchored = true
		}
	}
	if anchored {
		rel = ""
	}
	return strings.TrimSpace(target), rel, s, nil
}

// linkParam reads name=value or name="value" behind a semicolon.
func linkParam(s string) (name, text, rest string) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 || s[end] != '=' {
		if end < 0 {
			end = len(s)
		}
		return strings.TrimSpace(s[:end]), "", s[end:]
	}
	name = strings.TrimSpace(s[:end])
	s = strings.TrimLeft(s[end+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, ";,")
		if end < 0 {
			end = len(s)
		}
		return name, strings.TrimSpace(s[:end]), s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return name, b.String(), s[i+1:]
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return name, b.String(), ""
}
