package daemon

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard keeps what listens on loopback from answering to names that it does not
// have. A page in a browser may give its own name the address 127.0.0.1 once it is
// loaded (DNS rebinding), and would read the answers as its own. Who opens a port
// wider wants it to be reached by other names.
func guard(h http.Handler, at net.Addr, allowed []string) http.Handler {
	tcp, ok := at.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := hostName(r.Host); !isOwnHost(name, allowed) {
			writeJSON(w, http.StatusMisdirectedRequest, struct {
				Error string `json:"error"`
			}{"this port answers to IP addresses and localhost, not to " + shortName(name) + "; to have it answer to that, start with --allow-host"})
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostName gives the name of a Host header, without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isOwnHost reports whether a request may name the host. One without a name is of
// no browser.
func isOwnHost(name string, allowed []string) bool {
	if name == "" || name == "localhost" {
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, a := range allowed {
		if name == hostName(a) {
			return true
		}
	}
	return false
}

// shortName is a name as it is safe to answer.
func shortName(name string) string {
	if len(name) > 100 {
		return name[:100] + "…"
	}
	return name
}
