package httpclient

import (
	"net"
	"net/netip"
	"net/url"
)

// Origin returns the origin that a request for the path goes to, as scheme, host
// and port: https://api.example.com:443. A path that is no absolute address goes
// to that of base. It is "" where there is none.
func (s *Source) Origin(path string) string {
	u := s.base
	if isAbsolute(path) {
		var err error
		if u, err = parseAbsolute(path); err != nil {
			return "" // the request will tell
		}
	}
	if u == nil {
		return ""
	}
	return originOf(u)
}

// IsLoopback reports whether an origin, as Origin returns it, is this machine.
func IsLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	host, _, err := net.SplitHostPort(u.Host)
	if err != nil {
		host = u.Hostname()
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
