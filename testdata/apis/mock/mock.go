// Package mock plays real APIs as their public documentation describes them:
// how one signs in, how they page, what they cap, how they throttle and what
// they refuse. Each API is a file. None of them is complete: it has what the
// mission beside it asks, and everything that the documentation says of that.
//
// A mock is strict. What the real API would refuse (a null cursor, a page beyond
// the cap, a missing header) it refuses with the documented answer, so that a
// mission that does it fails.
package mock

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Record is a record of an API, or of a store.
type Record = map[string]any

// API is one API with its data.
type API struct {
	Name string // of the mission's file
	// Env gives the environment that the mission needs, for the address at
	// which the API is served.
	Env func(base string) map[string]string
	// Credentials is the credentials file, or "".
	Credentials string
	// Handle answers a request. Requests come one at a time.
	Handle func(*Call)
	// Want gives what each store must hold now, by key.
	Want func() map[string]map[string]any
	// Change changes the data between the first and the second run.
	Change func()
	// Ends is how the second run ends; "" is "success".
	Ends string
	// Again checks what the second run asked for. Nil where a run always asks
	// for everything.
	Again func(calls []*Call) error
}

// World is what the mocks of a test share with its mission: the time, and the
// requests that came.
type World struct {
	Now  func() time.Time
	Base string // address of the server

	mu    sync.Mutex
	calls []*Call
	fault map[int]func(*Call) // what goes wrong, by number of the request from 1
	count int
}

// Call is one request and its answer.
type Call struct {
	*World
	Method   string
	Path     string
	RawQuery string
	Query    url.Values
	Header   http.Header
	Body     []byte
	Status   int

	w http.ResponseWriter
}

// Serve returns the handler of an API.
func (w *World) Serve(api *API) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.count++
		c := &Call{World: w, Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery, Query: r.URL.Query(), Header: r.Header, Body: body, w: rw}
		w.calls = append(w.calls, c)
		rw.Header().Set("Date", w.Now().UTC().Format(http.TimeFormat))
		if f := w.fault[w.count]; f != nil {
			delete(w.fault, w.count)
			f(c)
			return
		}
		api.Handle(c)
	})
}

// Fail makes the nth request from now on fail.
func (w *World) Fail(n int, f func(*Call)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault == nil {
		w.fault = map[int]func(*Call){}
	}
	w.fault[w.count+n] = f
}

// Calls returns the requests so far and forgets them.
func (w *World) Calls() []*Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return calls
}

// Reply answers with JSON. Headers are pairs of name and value.
func (c *Call) Reply(status int, body any, headers ...string) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	c.Send(status, "application/json; charset=utf-8", text, headers...)
}

// Send answers with bytes.
func (c *Call) Send(status int, contentType string, body []byte, headers ...string) {
	h := c.w.Header()
	for i := 0; i+1 < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	c.Status = status
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // a client that has gone needs no answer
}

// Arg gives a query parameter, and whether it was sent.
func (c *Call) Arg(name string) (string, bool) {
	v, ok := c.Query[name]
	if !ok || len(v) == 0 {
		return "", false
	}
	return v[0], true
}

// Int gives a whole number of the query, or the default. ok is false where it
// is none.
func (c *Call) Int(name string, otherwise int) (n int, ok bool) {
	text, sent := c.Arg(name)
	if !sent {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// JSON reads the body, an object.
func (c *Call) JSON() (Record, bool) {
	var v Record
	err := json.Unmarshal(c.Body, &v)
	return v, err == nil && v != nil
}

// Bearer tells whether the request carries the token.
func (c *Call) Bearer(token string) bool {
	return c.Header.Get("Authorization") == "Bearer "+token
}

// Served counts the good answers to a path.
func Served(calls []*Call, path string) (n int) {
	for _, c := range calls {
		if c.Status < 300 && strings.HasPrefix(c.Path, path) {
			n++
		}
	}
	return n
}

// EachHas checks that the first good request of a path carries a parameter.
func EachHas(calls []*Call, path, name, want string) error {
	for _, c := range calls {
		if c.Path != path || c.Status >= 300 {
			continue
		}
		if got, _ := c.Arg(name); got != want {
			return fmt.Errorf("%s %s asks with %s=%q, want %q", c.Method, c.Path, name, got, want)
		}
		return nil
	}
	return fmt.Errorf("nothing has asked for %s", path)
}

// window is a limit of so many requests in a window of time, as most APIs have
// it: the count begins anew with each window.
type window struct {
	limit int
	every time.Duration
	ends  time.Time
	used  int
}

// take counts a request. left is what remains, below 0 beyond the limit.
func (w *window) take(now time.Time) (left int) {
	if !now.Before(w.ends) {
		w.ends, w.used = now.Truncate(time.Second).Add(w.every), 0
	}
	w.used++
	return w.limit - w.used
}

// clip gives the part of a list from an offset on.
func clip[T any](xs []T, from, n int) []T {
	from = min(max(from, 0), len(xs))
	return xs[from:min(from+n, len(xs))]
}

// byKey gives records by a field, for Want.
func byKey(xs []Record, key string) map[string]any {
	out := map[string]any{}
	for _, x := range xs {
		out[fmt.Sprint(x[key])] = x
	}
	return out
}

// stamp writes a time as most APIs do.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
