package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// NewTransport returns a pool of connections for all clients of a process. It
// keeps many to one host, as a sync talks to few hosts with many requests at
// once, and goes through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY
// say. It neither follows redirects nor decompresses: that is done here.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    15 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ReadBufferSize:         16 << 10,
		DisableCompression:     true,
		// A dead HTTP/2 connection would otherwise hold all requests on it
		// until each has timed out.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// transportFailure is the failure of an attempt that err ended before its
// answer was complete.
func (k *call) transportFailure(ctx context.Context, err error, at *hop) *Failure {
	kind, permanent := classify(err)
	f := k.failure(kind, at)
	f.final = permanent
	var unsigned *signError
	switch {
	case errors.As(err, &unsigned):
		f.Kind, f.final, f.Err = KindHTTP, true, err
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		f.Kind, f.final = KindTimeout, false
		f.Err = fmt.Errorf("no complete answer within %s (timeout): %w", k.timeout, context.DeadlineExceeded)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		f.Err = fmt.Errorf("the connection broke off before the answer was complete: %w", err)
	case isPlainHTTP(err):
		f.Err = fmt.Errorf("the server answers in plain http: say http instead of https, or use its https port: %w", err)
	case errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE):
		f.Err = fmt.Errorf("%w; raise the limit of open files (ulimit -n; LimitNOFILE= in a systemd unit), or allow fewer requests at once with the source's maxInFlight", err)
	default:
		f.Err = err
	}
	return f
}

// isPlainHTTP reports whether a server answered a TLS handshake with HTTP.
func isPlainHTTP(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/"
}

// classify returns the kind of a transport error, and whether trying again is
// pointless.
func classify(err error) (kind Kind, permanent bool) {
	var dnsErr *net.DNSError
	if errors.As(err, &dnsErr) {
		return KindDNS, false
	}
	var certErr *tls.CertificateVerificationError
	var hostErr x509.HostnameError
	var authorityErr x509.UnknownAuthorityError
	var invalidErr x509.CertificateInvalidError
	if errors.As(err, &certErr) || errors.As(err, &hostErr) || errors.As(err, &authorityErr) || errors.As(err, &invalidErr) ||
		isPlainHTTP(err) {
		return KindTLS, true
	}
	var recordErr tls.RecordHeaderError
	var alertErr tls.AlertError
	// The rest of crypto/tls's errors have no type, only their prefix.
	if errors.As(err, &recordErr) || errors.As(err, &alertErr) || strings.Contains(err.Error(), "tls: ") {
		return KindTLS, false
	}
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return KindTimeout, false
	}
	return KindNetwork, false
}
