// Package sampleapi is a small shop behind an HTTP API, for `reqon demo` and for
// tests: customers, orders and products that are the same in every process,
// and that change as its clock goes on.
//
// It does what the APIs do that missions meet: it pages in every way that the
// language definition (section 6.1) knows, filters by time of change, wants
// a bearer token, fails now and then and says when to come back.
//
// What it holds is a function of the clock alone, save for the alerts that
// clients post; nothing is kept on disk.
package sampleapi

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// DefaultTick is how often something changes in the shop, unless Options say
// otherwise. A mission that runs every 15 seconds finds about a dozen orders.
const DefaultTick = 5 * time.Second

// Options are what an API works with. All may be left out.
type Options struct {
	// Token is what requests must carry as `Authorization: Bearer TOKEN`; with
	// none, no token is asked for.
	Token string
	// Now is the clock, time.Now if it is nil. It also makes the Date header.
	Now func() time.Time
	// Start is when the records begin to change, to the second; if it is zero,
	// the time at which New is called, and never before 2026, when the last of
	// the fixed records was changed. With the same Start another process goes on
	// where this one ended.
	Start time.Time
	// Tick is the time between two changes, DefaultTick if it is 0.
	Tick time.Duration
	// Faults makes some requests fail once with 503, or with 429 and
	// a Retry-After of one second. Which ones depends on method and URL alone,
	// and the next attempt succeeds.
	Faults bool
}

// API is the handler. It is safe for concurrent use.
type API struct {
	token  string
	now    func() time.Time
	start  time.Time
	tick   time.Duration
	routes *http.ServeMux

	mu     sync.Mutex // over what follows
	stats  Stats
	faults *faults // nil: none
	alerts alertBook
}

// Stats counts the requests that an API has answered.
type Stats struct {
	Requests     int // all of them
	Unauthorized int // 401
	RateLimited  int // 429
	Unavailable  int // 503
}

// New returns an API.
func New(o Options) *API {
	a := &API{token: o.Token, now: o.Now, start: o.Start, tick: o.Tick}
	if a.now == nil {
		a.now = time.Now
	}
	if a.start.IsZero() {
		a.start = a.now()
	}
	a.start = a.start.UTC().Truncate(time.Second)
	if a.start.Before(fixedEnd) {
		a.start = fixedEnd
	}
	if a.tick <= 0 {
		a.tick = DefaultTick
	}
	if o.Faults {
		a.faults = newFaults()
	}
	a.routes = newRoutes(a)
	return a
}

// Stats returns what has been counted up to now.
func (a *API) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stats
}

// ServeHTTP answers one request. One time holds for all of it, the Date header
// included, so that a client which takes its sync position from there misses
// nothing.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := a.now().UTC()
	w.Header().Set("Date", now.Format(http.TimeFormat))
	f := a.admit(r, now)
	if f == nil {
		f = a.serve(w, r, now)
	}
	if f != nil {
		f.write(w)
	}
}

// admit counts a request; it returns how it fails before it is looked at.
func (a *API) admit(r *http.Request, now time.Time) *failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.Requests++
	switch {
	case r.URL.Path == "/":
		return nil
	case !a.authorized(r):
		a.stats.Unauthorized++
		f := failf(http.StatusUnauthorized, "unauthorized", "expected the header Authorization: Bearer TOKEN with the token of this server")
		f.header = [2]string{"WWW-Authenticate", `Bearer realm="sample shop"`}
		return f
	case a.faults == nil:
		return nil
	}
	switch a.faults.next(r, now) {
	case http.StatusTooManyRequests:
		a.stats.RateLimited++
		f := failf(http.StatusTooManyRequests, "rate_limited", "too many requests: come back in a second")
		f.header = [2]string{"Retry-After", "1"}
		return f
	case http.StatusServiceUnavailable:
		a.stats.Unavailable++
		return failf(http.StatusServiceUnavailable, "unavailable", "the shop is busy: try again")
	}
	return nil
}

func (a *API) authorized(r *http.Request) bool {
	if a.token == "" {
		return true
	}
	// The scheme is case-insensitive (RFC 9110, section 11.1).
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(token), []byte(a.token)) == 1
}

// moment returns the shop at a time.
func (a *API) moment(now time.Time) moment {
	m := moment{now: now, start: a.start, tick: a.tick}
	if d := now.Sub(a.start); d > 0 {
		m.ticks = int64(d / a.tick)
	}
	return m
}

// failure is an answer of 400 or more.
type failure struct {
	status  int
	code    string
	message string
	header  [2]string // one more header; none if its name is empty
}

func failf(status int, code, format string, args ...any) *failure {
	return &failure{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *failure {
	return failf(http.StatusBadRequest, "bad_request", format, args...)
}

func (f *failure) write(w http.ResponseWriter) {
	if f.header[0] != "" {
		w.Header().Set(f.header[0], f.header[1])
	}
	writeJSON(w, f.status, struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}{f.code, f.message})
}

// writeJSON sends a value. All that are sent can be encoded; that the client has
// gone is nothing that a server can do something about.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
}
