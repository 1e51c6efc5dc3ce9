package httpclient

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"reqon/runtime/credentials"
	"reqon/vm/option"
	"reqon/vm/value"
)

// js returns the value of a JSON text.
func js(t testing.TB, text string) value.Value {
	t.Helper()
	if text == "" {
		return value.NullValue
	}
	v, err := value.ParseJSON(nil, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// text returns v as compact JSON.
func text(v value.Value) string { return string(value.AppendJSON(nil, v)) }

// fakeClock stands still but for Sleep, which returns at once.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	slept  []time.Duration
	onWait func()
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	if c.onWait != nil {
		c.onWait()
	}
	return ctx.Err()
}

var testNow = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)

// rig is a client with a source for tests.
type rig struct {
	t      testing.TB
	clock  *fakeClock
	client *Client
	source *Source
}

// newRig returns a client whose source has these options, JSON that may say
// BASE for base. Jitter takes nothing off.
func newRig(t testing.TB, base, options string, cred *credentials.Credential) *rig {
	t.Helper()
	r := &rig{t: t, clock: &fakeClock{now: testNow}}
	transport := NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	r.client = New(Config{
		Transport: transport, Clock: r.clock, Random: func() float64 { return 0 },
		NewKey: func() string { return "key-1" }, Redactor: &credentials.Redactor{},
	})
	r.source = newTestSource(t, base, options, cred)
	return r
}

// sourceOf makes the source API of the value of its options.
func sourceOf(options value.Value, cred *credentials.Credential) (*Source, error) {
	o, err := option.At(option.InSource).Decode(options)
	if err != nil {
		return nil, err
	}
	return NewSource("API", o, cred)
}

func newTestSource(t testing.TB, base, options string, cred *credentials.Credential) *Source {
	t.Helper()
	b := value.NewObjectBuilder(nil, 4)
	if options != "" {
		b.SetAll(js(t, options).Obj())
	}
	if base != "" {
		b.Set("base", value.FromString(base))
	}
	s, err := sourceOf(b.Value(), cred)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks for a path and wants it to work.
func (r *rig) get(path string) *Response {
	r.t.Helper()
	resp, err := r.do(&Request{Method: "get", Path: path})
	if err != nil {
		r.t.Fatalf("%s: %v", path, err)
	}
	return resp
}

func (r *rig) do(req *Request) (*Response, error) {
	return r.client.Do(context.Background(), r.source, req)
}

// fail wants a request to fail, and returns how.
func (r *rig) fail(req *Request) *Failure {
	r.t.Helper()
	resp, err := r.do(req)
	if err == nil {
		r.t.Fatalf("%s %s: no failure, but %d %s", req.Method, req.Path, resp.Status, text(resp.Body))
	}
	var f *Failure
	if !errors.As(err, &f) {
		r.t.Fatalf("%s %s: not a failed request: %v", req.Method, req.Path, err)
	}
	return f
}

// serve starts a server that answers with fn.
func serve(t testing.TB, fn http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(fn)
	t.Cleanup(s.Close)
	return s
}

// rawServer starts a server that reads each request's head and then hands over
// the connection.
func rawServer(t testing.TB, fn func(conn net.Conn, request *http.Request)) string {
	t.Helper()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fn(conn, r)
	})
	return s.URL
}

// write sends raw text; the client may have gone.
func write(conn net.Conn, text string) { _, _ = conn.Write([]byte(text)) }

// page is a whole HTTP/1.1 answer.
func page(status, contentType, body string) string {
	return "HTTP/1.1 " + status + "\r\nContent-Type: " + contentType + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// bearer returns a credential with a token.
func bearer(t testing.TB, token string) *credentials.Credential {
	return credential(t, "bearer", map[string]string{"token": token})
}

func credential(t testing.TB, kind string, inline map[string]string) *credentials.Credential {
	t.Helper()
	set, err := credentials.Load("", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.For("API", kind, inline)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// credentialOf returns the credential that a file gives the source API.
func credentialOf(t testing.TB, file string) *credentials.Credential {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := credentials.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.For("API", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// quietLog takes what a test server says about clients that turn it down.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
