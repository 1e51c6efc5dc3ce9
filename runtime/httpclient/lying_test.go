package httpclient

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Servers that break off, lie, or never come to an end. Every answer of theirs
// is a failed request, never data.
func TestLyingServer(t *testing.T) {
	big := strings.Repeat("x", 5000)
	tests := []struct {
		name     string
		options  string
		raw      string // what goes over the wire, then the connection is closed
		kind     Kind
		status   int
		attempts int
		want     string // in the error
	}{
		{name: "no answer", kind: KindNetwork, attempts: 3, want: "broke off"},
		{name: "half a status line", raw: "HTTP/1.1 20", kind: KindNetwork, attempts: 3},
		{name: "not HTTP", raw: "SSH-2.0-OpenSSH_9\r\n\r\n", kind: KindNetwork, attempts: 3, want: "malformed HTTP"},
		{name: "half the headers", raw: "HTTP/1.1 200 OK\r\nContent-Type: app", kind: KindNetwork, attempts: 3, want: "broke off"},
		{name: "short body", raw: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1,2]", kind: KindNetwork, attempts: 3, want: "broke off before the answer was complete"},
		{name: "no body at all", raw: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", kind: KindNetwork, attempts: 3},
		{name: "cut chunk", raw: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2]\r\n", kind: KindNetwork, attempts: 3, want: "broke off"},
		{name: "cut, of unknown length", raw: "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[1,2", kind: KindNetwork, attempts: 3, want: "broke off"},
		{name: "cut lines of unknown length", raw: "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n{\"a\":1}\n{\"a\":", kind: KindNetwork, attempts: 3, want: "broke off"},
		{name: "cut gzip of unknown length", raw: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzipped("[1,2,3]")[:15], kind: KindNetwork, attempts: 3, want: "broke off"},
		{name: "malformed, whole", raw: page("200 OK", "application/json", "[1,2"), kind: KindInvalidJSON, status: 200, attempts: 1, want: "line 1, column 5"},
		{name: "HTML as JSON", raw: page("200 OK", "application/json", "<html>Log in</html>"), kind: KindInvalidJSON, status: 200, attempts: 1, want: "<html>Log in"},
		{name: "duplicate key", raw: page("200 OK", "application/json", `{"id":1,"id":2}`), kind: KindInvalidJSON, status: 200, attempts: 1, want: `the key "id"`},
		{name: "invalid UTF-8", raw: page("200 OK", "application/json", "\"a\xff\""), kind: KindInvalidJSON, status: 200, attempts: 1, want: "0xff"},
		{name: "invalid UTF-8 text", raw: page("200 OK", "text/plain", "a\nb\xff"), kind: KindInvalidJSON, status: 200, attempts: 1, want: "line 2 holds the byte 0xff"},
		{name: "half a surrogate", raw: page("200 OK", "application/json", `"\ud800"`), kind: KindInvalidJSON, status: 200, attempts: 1, want: "surrogate"},
		{name: "too deep", raw: page("200 OK", "application/json", strings.Repeat("[", 5000)), kind: KindInvalidJSON, status: 200, attempts: 1, want: "500 levels"},
		{name: "two documents", raw: page("200 OK", "application/json", `{} {}`), kind: KindInvalidJSON, status: 200, attempts: 1, want: "expected the end"},
		{name: "ragged CSV", raw: page("200 OK", "text/csv", "a,b\n1,2\n3\n"), kind: KindInvalidJSON, status: 200, attempts: 1, want: "CSV line 3 has 1 field, expected 2"},
		{name: "not gzip", raw: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", kind: KindInvalidJSON, status: 200, attempts: 1, want: "Content-Encoding gzip"},
		{name: "cut gzip in a whole body", raw: func() string {
			cut := gzipped("[1,2,3]")[:15]
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(cut), cut)
		}(), kind: KindInvalidJSON, status: 200, attempts: 1, want: "Content-Encoding gzip"},
		{name: "unknown encoding", raw: "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", kind: KindInvalidJSON, status: 200, attempts: 1, want: "Content-Encoding br"},
		{name: "unknown charset", raw: page("200 OK", "application/json; charset=utf-7", "{}"), kind: KindInvalidJSON, status: 200, attempts: 1, want: `charset "utf-7"`},
		{name: "huge, by its own word", options: `{"maxResponseSize":"1KB"}`, raw: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{}", kind: KindHTTP, status: 200, attempts: 1,
			want: "of 99999999999999 bytes, more than the 1000 bytes that maxResponseSize allows"},
		{name: "a gigabyte, by its own word", options: `{"maxResponseSize":"4GB"}`, raw: "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{}", kind: KindNetwork, attempts: 3, want: "broke off"},
		{name: "too large", options: `{"maxResponseSize":"4KiB"}`, raw: page("200 OK", "text/plain", big), kind: KindHTTP, status: 200, attempts: 1, want: "of 5000 bytes"},
		{name: "too large in chunks", options: `{"maxResponseSize":"4KiB"}`, raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + big + "\r\n0\r\n\r\n", kind: KindHTTP, status: 200, attempts: 1,
			want: "larger than the 4096 bytes that maxResponseSize allows"},
		{name: "bomb", options: `{"maxResponseSize":"4KiB"}`, raw: func() string {
			bomb := gzipped(strings.Repeat("0", 1<<20))
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(bomb), bomb)
		}(), kind: KindHTTP, status: 200, attempts: 1, want: "larger than the 4096 bytes"},
		{name: "a long header", raw: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", kind: KindNetwork, attempts: 3},
		{name: "another protocol", raw: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", kind: KindHTTP, status: 101, attempts: 1, want: "switched to another protocol"},
		{name: "an error with a cut body", raw: "HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n{\"err", kind: KindHTTP, status: 404, attempts: 1},
		{name: "an error with a malformed body", raw: page("400 Bad Request", "application/json", "<b>bad</b>"), kind: KindHTTP, status: 400, attempts: 1, want: "<b>bad</b>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			base := rawServer(t, func(conn net.Conn, _ *http.Request) {
				n.Add(1)
				write(conn, tt.raw)
			})
			r := newRig(t, base, tt.options, nil)
			f := r.fail(&Request{Method: "get", Path: "/"})
			if f.Kind != tt.kind || f.Status != tt.status || f.Attempts != tt.attempts || !strings.Contains(f.Error(), tt.want) {
				t.Errorf("%s, status %d, %d attempts: %v", f.Kind, f.Status, f.Attempts, f)
			}
			// net/http itself may send a request again that a connection
			// died under; it only does so for connections used before.
			if got := int(n.Load()); got != tt.attempts {
				t.Errorf("%d requests for %d attempts", got, tt.attempts)
			}
			if strings.ContainsAny(f.Error(), "\r\n") {
				t.Errorf("more than one line: %q", f.Error())
			}
		})
	}
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s) // a buffer takes everything
	w.Close()
	return b.String()
}

// What breaks once may work the next time.
func TestBrokenOffIsRetried(t *testing.T) {
	var n atomic.Int64
	base := rawServer(t, func(conn net.Conn, _ *http.Request) {
		if n.Add(1) == 1 {
			write(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[1,2]")
			return
		}
		write(conn, page("200 OK", "application/json", "[1,2,3]"))
	})
	r := newRig(t, base, "", nil)
	if resp := r.get("/"); text(resp.Body) != "[1,2,3]" || resp.Attempts != 2 {
		t.Errorf("%s after %d attempts", text(resp.Body), resp.Attempts)
	}
}

func TestReset(t *testing.T) {
	base := rawServer(t, func(conn net.Conn, _ *http.Request) {
		write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1")
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Error(err)
		}
	})
	r := newRig(t, base, "", nil)
	if f := r.fail(&Request{Method: "get", Path: "/"}); f.Kind != KindNetwork || f.Attempts != 3 || f.Status != 0 {
		t.Errorf("%v", f)
	}
	if f := r.fail(&Request{Method: "post", Path: "/"}); f.Kind != KindNetwork || f.Attempts != 1 {
		t.Errorf("a post that may have been processed: %v", f)
	}
}

func TestTimeout(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	tests := map[string]func(conn net.Conn){
		"no headers": func(conn net.Conn) {},
		"headers drip": func(conn net.Conn) {
			write(conn, "HTTP/1.1 200 OK\r\nX-A: 1\r\n")
		},
		"body never ends": func(conn net.Conn) {
			write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,")
		},
		"error body never ends": func(conn net.Conn) {
			write(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n")
		},
	}
	for name, fn := range tests {
		t.Run(name, func(t *testing.T) {
			base := rawServer(t, func(conn net.Conn, _ *http.Request) {
				fn(conn)
				<-hold
			})
			r := newRig(t, base, `{"timeout":40,"retry":{"maxAttempts":2}}`, nil)
			f := r.fail(&Request{Method: "get", Path: "/"})
			if f.Kind != KindTimeout || f.Attempts != 2 || f.Status != 0 || !errors.Is(f, context.DeadlineExceeded) || !strings.Contains(f.Error(), "within 40ms (timeout)") {
				t.Errorf("%s: %v", f.Kind, f)
			}
			if f := r.fail(&Request{Method: "post", Path: "/", Timeout: 20 * time.Millisecond}); f.Attempts != 1 || !strings.Contains(f.Error(), "20ms") {
				t.Errorf("post: %v", f)
			}
		})
	}
}

// An endless body ends at the size limit.
func TestEndlessBody(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte("x"), 64<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	r := newRig(t, s.URL, `{"maxResponseSize":"1MiB"}`, nil)
	if f := r.fail(&Request{Method: "get", Path: "/"}); f.Attempts != 1 || !strings.Contains(f.Error(), "1048576 bytes that maxResponseSize") {
		t.Errorf("%v", f)
	}
}

// A post is sent again when nobody was there to process it.
func TestConnectionRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	l.Close()
	r := newRig(t, base, "", nil)
	for _, method := range []string{"get", "post"} {
		f := r.fail(&Request{Method: method, Path: "/a"})
		if f.Kind != KindNetwork || f.Attempts != 3 || !strings.Contains(f.Error(), "connection refused") {
			t.Errorf("%s: %s, %v", method, f.Kind, f)
		}
	}
}

func TestDNS(t *testing.T) {
	r := newRig(t, "http://api.invalid", "", nil)
	transport := NewTransport()
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.invalid", IsNotFound: true}}
	}
	r.client.transport = transport
	f := r.fail(&Request{Method: "post", Path: "/a"})
	if f.Kind != KindDNS || f.Attempts != 3 || !strings.Contains(f.Error(), "api.invalid: no such host") {
		t.Errorf("%s, %v", f.Kind, f)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto)
	}))
	s.EnableHTTP2 = true
	s.Config.ErrorLog = quietLog()
	s.StartTLS()
	defer s.Close()
	r := newRig(t, s.URL, "", nil)
	if f := r.fail(&Request{Method: "get", Path: "/"}); f.Kind != KindTLS || f.Attempts != 1 || !strings.Contains(f.Error(), "certificate") {
		t.Errorf("%s: %v", f.Kind, f)
	}
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	r = newRig(t, strings.Replace(plain.URL, "http://", "https://", 1), "", nil)
	if f := r.fail(&Request{Method: "get", Path: "/"}); f.Kind != KindTLS || f.Attempts != 1 {
		t.Errorf("%s: %v", f.Kind, f)
	}
	// With the certificate known, it works, over HTTP/2.
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	r = newRig(t, s.URL, "", nil)
	r.client.transport = transport
	if resp := r.get("/"); resp.Body.Str() != "HTTP/2.0" {
		t.Errorf("got %s", text(resp.Body))
	}
}

// Answers that are compressed, or that have no body.
func TestEncodings(t *testing.T) {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = io.WriteString(w, "[1,2]") // a buffer takes everything
	w.Close()
	tests := []struct{ name, encoding, body, want string }{
		{"gzip", "gzip", gzipped("[1,2]"), "[1,2]"},
		{"gzip in capitals", " GZIP", gzipped("[1,2]"), "[1,2]"},
		{"gzip in two parts", "gzip", gzipped("[1,") + gzipped("2]"), "[1,2]"},
		{"deflate", "deflate", z.String(), "[1,2]"},
		{"identity", "identity", "[1,2]", "[1,2]"},
		{"gzip of nothing", "gzip", gzipped(""), "null"},
		{"nothing, called gzip", "gzip", "", "null"},
		{"large", "gzip", gzipped("[" + strings.Repeat("1,", 1<<20) + "2]"), "[" + strings.Repeat("1,", 1<<20) + "2]"},
	}
	for _, tt := range tests {
		for _, chunked := range []bool{false, true} {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if got := r.Header.Get("Accept-Encoding"); got != "gzip" {
					t.Errorf("Accept-Encoding is %q", got)
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Encoding", tt.encoding)
				if chunked {
					w.(http.Flusher).Flush()
				}
				_, _ = io.WriteString(w, tt.body)
			})
			r := newRig(t, s.URL, "", nil)
			if got := text(r.get("/").Body); got != tt.want {
				t.Errorf("%s, chunked %v: got %.40s", tt.name, chunked, got)
			}
		}
	}
}

func TestLargeBody(t *testing.T) {
	want := strings.Repeat("0123456789abcdef", 200_000) // 3.2 MB, beyond the first read
	for _, sized := range []bool{false, true} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			if sized {
				w.Header().Set("Content-Length", fmt.Sprint(len(want)))
			}
			_, _ = io.WriteString(w, want)
		})
		r := newRig(t, s.URL, "", nil)
		if resp := r.get("/"); resp.Body.Str() != want || resp.Bytes != int64(len(want)) {
			t.Errorf("sized %v: got %d bytes", sized, len(resp.Body.Str()))
		}
	}
}

// One connection serves one request after the other, whatever they are like.
func TestConnectionReuse(t *testing.T) {
	var conns atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/json", http.StatusFound)
		case "/json":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "[1]")
		case "/chunked":
			w.(http.Flusher).Flush()
			fmt.Fprint(w, "text")
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, gzipped("text"))
		case "/404":
			http.NotFound(w, r)
		case "/malformed":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "oops")
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	r := newRig(t, s.URL, "", nil)
	for range 3 {
		for _, path := range []string{"/empty", "/json", "/redirect", "/chunked", "/gzip"} {
			r.get(path)
		}
		r.fail(&Request{Method: "get", Path: "/404"})
		r.fail(&Request{Method: "get", Path: "/malformed"})
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
