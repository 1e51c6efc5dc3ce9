// Package signintest plays an authorization server, and an API behind it, for
// tests over real sockets. It is as strict as the strictest: a refresh token is
// good once, and whoever sends one again that was replaced loses the sign-in.
package signintest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is an authorization server with an API. Its fields may be set before
// the first request.
type Server struct {
	URL      string
	ClientID string
	Secret   string        // "" for a public client
	Body     bool          // the client's secret is taken from the body only, not from the header
	Life     int           // of access tokens in seconds; 0: the answer does not say
	Static   bool          // refresh tokens are not replaced
	Slow     time.Duration // that the API takes for an answer
	Grace    bool          // one that was replaced is taken as long as its successor was not used

	mu        sync.Mutex
	issued    int
	access    map[string]bool   // that are good
	refresh   map[string]string // by refresh token: its successor, "" for the current one
	used      map[string]bool   // refresh tokens that were sent
	revoked   bool
	die       int   // so many answers are lost after their tokens were issued
	fail      []int // statuses of the next answers
	raw       string
	requests  []url.Values
	codes     map[string]url.Values // by code: the authorization request
	deny      bool
	pending   int // device polls that are answered "pending"
	devices   map[string]bool
	served    int // API requests with a good token
	refusedBy int // API requests without one
}

// New starts a server that knows one client.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		ClientID: "client-1", Secret: "client-secret-1", access: map[string]bool{}, refresh: map[string]string{}, used: map[string]bool{},
		codes: map[string]url.Values{}, devices: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /device", s.device)
	mux.HandleFunc("/api/", s.api)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Entry returns an entry of the credentials for this server, with more fields.
func (s *Server) Entry(more ...string) map[string]any {
	e := map[string]any{"type": "oauth2", "clientId": s.ClientID, "tokenUrl": s.URL + "/token"}
	if s.Secret != "" {
		e["clientSecret"] = s.Secret
	}
	for i := 0; i < len(more); i += 2 {
		e[more[i]] = more[i+1]
	}
	return e
}

// Grant makes a refresh token that is good.
func (s *Server) Grant(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh[token] = ""
	s.revoked = false
}

// Die loses the next n answers after their tokens were issued.
func (s *Server) Die(n int) { s.with(func() { s.die = n }) }

// Fail gives the next token requests these statuses.
func (s *Server) Fail(statuses ...int) { s.with(func() { s.fail = statuses }) }

// Answer gives all token requests this body, with status 200; "" ends it.
func (s *Server) Answer(body string) { s.with(func() { s.raw = body }) }

// Deny makes persons refuse to sign in.
func (s *Server) Deny() { s.with(func() { s.deny = true }) }

// Pend answers so many polls of a device that nobody has signed in yet.
func (s *Server) Pend(n int) { s.with(func() { s.pending = n }) }

// Expire makes no access token be good any longer.
func (s *Server) Expire() { s.with(func() { s.access = map[string]bool{} }) }

// Revoke makes no refresh token be good any longer.
func (s *Server) Revoke() { s.with(func() { s.revoked = true }) }

// Revoked tells whether the sign-in was taken away.
func (s *Server) Revoked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revoked
}

// Requests returns the token requests so far.
func (s *Server) Requests() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.requests...)
}

// Served returns how many API requests had a good token, and how many had not.
func (s *Server) Served() (good, bad int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served, s.refusedBy
}

func (s *Server) with(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

func (s *Server) api(w http.ResponseWriter, r *http.Request) {
	time.Sleep(s.Slow)
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || !s.access[token] {
		s.refusedBy++
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"unauthorized"}`)
		return
	}
	s.served++
	fmt.Fprintf(w, `{"id":%d}`, s.served)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": "as the test wants it"})
}

// client reports whether the request proves to be the client's.
func (s *Server) client(r *http.Request) bool {
	id, secret, ok := r.BasicAuth()
	if s.Body || !ok {
		if ok {
			return false
		}
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return id == s.ClientID && secret == s.Secret
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, 400, "invalid_request")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.PostForm)
	if len(s.fail) > 0 {
		status := s.fail[0]
		s.fail = s.fail[1:]
		w.WriteHeader(status)
		return
	}
	if s.raw != "" {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, s.raw)
		return
	}
	grant := r.PostForm.Get("grant_type")
	if grant != "urn:ietf:params:oauth:grant-type:jwt-bearer" && !s.client(r) {
		refuse(w, 401, "invalid_client")
		return
	}
	refresh := ""
	switch grant {
	case "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer":
	case "password":
		if r.PostForm.Get("username") != "user-1" || r.PostForm.Get("password") != "password-1" {
			refuse(w, 400, "invalid_grant")
			return
		}
	case "refresh_token":
		old := r.PostForm.Get("refresh_token")
		successor, known := s.refresh[old]
		if !known || s.revoked {
			refuse(w, 400, "invalid_grant")
			return
		}
		if successor != "" && !(s.Grace && !s.used[successor]) {
			s.revoked = true
			s.access = map[string]bool{}
			refuse(w, 400, "invalid_grant")
			return
		}
		s.used[old] = true
		if refresh = successor; refresh == "" && !s.Static {
			refresh = fmt.Sprintf("refresh-%d", len(s.refresh)+1)
			s.refresh[refresh] = ""
			s.refresh[old] = refresh
		}
	case "authorization_code":
		asked, ok := s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code"))
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if !ok || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) ||
			asked.Get("redirect_uri") != r.PostForm.Get("redirect_uri") {
			refuse(w, 400, "invalid_grant")
			return
		}
		refresh = s.fresh()
	case "urn:ietf:params:oauth:grant-type:device_code":
		switch {
		case !s.devices[r.PostForm.Get("device_code")]:
			refuse(w, 400, "invalid_grant")
			return
		case s.pending > 0:
			s.pending--
			refuse(w, 400, "authorization_pending")
			return
		case s.deny:
			refuse(w, 400, "access_denied")
			return
		}
		refresh = s.fresh()
	default:
		refuse(w, 400, "unsupported_grant_type")
		return
	}
	s.issued++
	access := fmt.Sprintf("access-%d", s.issued)
	s.access[access] = true
	if s.die > 0 {
		s.die--
		panic(http.ErrAbortHandler)
	}
	answer := map[string]any{"access_token": access, "token_type": "bearer"}
	if s.Life > 0 {
		answer["expires_in"] = s.Life
	}
	if refresh != "" {
		answer["refresh_token"] = refresh
	}
	if scope := r.PostForm.Get("scope"); scope != "" {
		answer["scope"] = scope
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// fresh makes the refresh token of a new sign-in.
func (s *Server) fresh() string {
	token := fmt.Sprintf("refresh-%d", len(s.refresh)+1)
	s.refresh[token] = ""
	s.revoked = false
	return token
}

// authorize is the page on which a person signs in: it goes on at once.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != s.ClientID || q.Get("response_type") != "code" || q.Get("state") == "" || back.Hostname() != "127.0.0.1" {
		http.Error(w, "wrong request", http.StatusBadRequest)
		return
	}
	answer := url.Values{"state": {q.Get("state")}}
	if s.deny {
		answer.Set("error", "access_denied")
		answer.Set("error_description", "the person said no")
	} else {
		code := fmt.Sprintf("code-%d", len(s.codes)+1)
		s.codes[code] = q
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	code := fmt.Sprintf("device-%d", len(s.devices)+1)
	s.devices[code] = true
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": s.URL + "/verify", "expires_in": 600, "interval": 1,
	})
}
