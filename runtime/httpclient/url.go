package httpclient

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

const upperHex = "0123456789ABCDEF"

// Sets of bytes that stay as they are. RFC 3986 calls the first unreserved, the
// second adds the rest of a path segment and the slash (section 3.3), the third
// what a query may hold (section 3.4) and the brackets that many APIs use, the
// last what begins a fragment.
const (
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	pathBytes  = unreserved + "!$&'()*+,;=:@/"
	queryBytes = pathBytes + "?[]"
	allBytes   = queryBytes + "#"
)

// byteSet is a set of bytes.
type byteSet [256]bool

func setOf(s string) *byteSet {
	set := &byteSet{}
	for i := range len(s) {
		set[s[i]] = true
	}
	return set
}

var (
	unreservedSet = setOf(unreserved)
	pathSet       = setOf(pathBytes)
	querySet      = setOf(queryBytes)
	referenceSet  = setOf(allBytes)
)

// escape percent-escapes the bytes of s that are not in keep. With
// keepEscapes, escapes that s already has stay too.
func escape(s string, keep *byteSet, keepEscapes bool) string {
	odd := 0
	for i := range len(s) {
		if !keep[s[i]] {
			odd++
		}
	}
	if odd == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*odd)
	for i := range len(s) {
		c := s[i]
		if keep[c] || keepEscapes && c == '%' && isEscape(s[i:]) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}

// isEscape reports whether s begins with a percent sign and two hex digits.
func isEscape(s string) bool {
	return len(s) >= 3 && s[0] == '%' && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// JoinPath joins a path on to the path of a base (language definition,
// section 5): "/v1" and "/users" give "/v1/users", with one slash between them
// however many they have. An empty path is the base itself.
func JoinPath(base, path string) string {
	if path == "" {
		return base
	}
	return strings.TrimRight(base, "/") + "/" + strings.TrimPrefix(path, "/")
}

// isAbsolute reports whether path is an absolute http or https URL rather than
// a path.
func isAbsolute(path string) bool {
	scheme, _, ok := strings.Cut(path, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// splitPath takes apart what stands behind the authority. A relative path has
// no fragment: there # is a character like others.
func splitPath(s string, absolute bool) (path, rawQuery string) {
	if absolute {
		s, _, _ = strings.Cut(s, "#")
	}
	path, rawQuery, _ = strings.Cut(s, "?")
	return escape(path, pathSet, true), escape(rawQuery, querySet, true)
}

var errUserInfo = errors.New("has a user name or password in it: put it into the credentials and say auth: basic")

// parseAbsolute reads an absolute URL. What a URL can't hold in its path and
// query is escaped; the fragment is dropped, as it is never sent. Errors don't
// show the URL, which may hold secrets.
func parseAbsolute(text string) (*url.URL, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	host, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, tail = rest[:i], rest[i:]
	}
	if strings.Contains(host, "@") {
		return nil, errUserInfo
	}
	u, err := url.Parse(strings.ToLower(scheme) + "://" + host)
	if err != nil || u.Hostname() == "" || strings.ContainsAny(host, " \\<>\"^`{|}") {
		return nil, errors.New("has no valid host")
	}
	if _, err := port(u); err != nil {
		return nil, err
	}
	path, rawQuery := splitPath(tail, true)
	if err := setPath(u, path); err != nil {
		return nil, err
	}
	u.RawQuery = rawQuery
	return u, nil
}

// setPath sets the path of u to an escaped one, which is sent as it is.
func setPath(u *url.URL, escaped string) error {
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return fmt.Errorf("has a path that can't be read: %w", err)
	}
	u.Path, u.RawPath = path, ""
	if path != escaped || u.EscapedPath() != escaped {
		u.RawPath = escaped
	}
	return nil
}

// port returns the port of u, also where it is the scheme's own.
func port(u *url.URL) (string, error) {
	p := u.Port()
	switch {
	case p == "" && u.Scheme == "https":
		return "443", nil
	case p == "":
		return "80", nil
	case len(p) > 5 || len(p) == 5 && p > "65535":
		return "", fmt.Errorf("has the port %s, expected one up to 65535", p)
	}
	return p, nil
}

// sameOrigin reports whether a and b have one origin: scheme, host and port
// (RFC 6454). Nothing has the origin of nil.
func sameOrigin(a, b *url.URL) bool {
	if a == nil || b == nil || a.Scheme != b.Scheme || !strings.EqualFold(a.Hostname(), b.Hostname()) {
		return false
	}
	pa, errA := port(a)
	pb, errB := port(b)
	return errA == nil && errB == nil && pa == pb
}

// originOf returns the origin of u as text: scheme, host in lower case and port,
// also where it is the scheme's own.
func originOf(u *url.URL) string {
	p, _ := port(u) // parseAbsolute has checked it
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), p)
}

// buildURL returns the address that a request of s goes to, without the
// credential. The query is put together from base, the source's params, the
// path, the request's params and the page parameter; where two of these name
// one parameter, the later one replaces it. The base's query and the source's
// params only go to its own origin: home reports whether the address has that.
func buildURL(s *Source, r *Request) (u *url.URL, home bool, err error) {
	return buildURLAt(s, s.place(), r)
}

// place is where a source is.
type place struct {
	base     *url.URL // nil if it has none
	basePath string   // of base, escaped, without the slash at its end
}

func (s *Source) place() *place { return &place{s.base, s.basePath} }

// buildURLAt is buildURL for a source that is somewhere else.
func buildURLAt(s *Source, at *place, r *Request) (u *url.URL, home bool, err error) {
	var rawQuery string
	if isAbsolute(r.Path) {
		if u, err = parseAbsolute(r.Path); err != nil {
			return nil, false, fmt.Errorf("the address of the request %w", err)
		}
		rawQuery = u.RawQuery
		home = sameOrigin(u, at.base) || s.trusts(u)
	} else {
		if at.base == nil {
			return nil, false, fmt.Errorf("source %s has no base for the path %q: give it one, or use an absolute address", s.name, r.Path)
		}
		home = true
		var path string
		path, rawQuery = splitPath(r.Path, false)
		u = &url.URL{Scheme: at.base.Scheme, Host: at.base.Host}
		if path == "" {
			u.Path, u.RawPath = at.base.Path, at.base.RawPath
		} else if err := setPath(u, JoinPath(at.basePath, path)); err != nil {
			return nil, false, fmt.Errorf("the request's address %w", err)
		}
	}
	var q query
	if home && !r.Complete {
		q = s.query
	}
	q = q.with(splitQuery(rawQuery))
	params, err := encodeParams(r.Params)
	if err != nil {
		return nil, false, err
	}
	q = q.with(params)
	for name := range nullNames(r.Params) {
		q = q.without(name)
	}
	page, err := encodePageParam(r.PageParam)
	if err != nil {
		return nil, false, err
	}
	u.RawQuery = q.with(page).String()
	return u, home, nil
}
