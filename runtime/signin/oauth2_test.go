package signin

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/credentials"
	"reqon/runtime/signin/signintest"
)

// clock stands still but for Sleep and what a test adds.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.add(d)
	return ctx.Err()
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var testNow = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)

// process is what one process has of an account.
type process struct {
	t        testing.TB
	clock    *clock
	accounts *Accounts
	oauth    *OAuth2
	wire     *Wire
	learned  map[string]bool
	states   []bool
	clicks   chan struct{} // of browsers that come back; nil: nobody counts
}

func config(t testing.TB, entry map[string]any) *credentials.OAuth {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Shop": entry})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := credentials.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.For("Shop", credentials.OAuth2, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.OAuth
}

// start starts a process over a state folder.
func start(t testing.TB, dir string, cfg *credentials.OAuth) *process {
	t.Helper()
	p := &process{t: t, clock: &clock{now: testNow}, learned: map[string]bool{}}
	var mu sync.Mutex
	p.accounts = &Accounts{
		Store: NewStore(dir), Clock: p.clock,
		Learn: func(list ...string) {
			mu.Lock()
			defer mu.Unlock()
			for _, s := range list {
				p.learned[s] = true
			}
		},
		Forget: func(list ...string) {
			mu.Lock()
			defer mu.Unlock()
			for _, s := range list {
				delete(p.learned, s)
			}
		},
		OnState: func(_ string, ok bool) { p.states = append(p.states, ok) },
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	p.wire = &Wire{
		Transport: transport, Timeout: 10 * time.Second, Attempts: 3,
		Pause: func(http.Header, int) (time.Duration, bool) { return time.Second, true },
	}
	p.oauth = p.accounts.Open(cfg)
	t.Cleanup(func() { p.accounts.Close(p.oauth) })
	return p
}

// token wants a token.
func (p *process) token() string {
	p.t.Helper()
	tok, err := p.oauth.Token(context.Background(), p.wire)
	if err != nil {
		p.t.Fatal(err)
	}
	if !p.learned[tok.access] {
		p.t.Errorf("%s is used and not redacted", tok.access)
	}
	return tok.access
}

// refuse gives back the current token as the API's 401 does.
func (p *process) refuse() {
	p.t.Helper()
	if !p.oauth.Refused(p.oauth.current.Load()) {
		p.t.Fatal("there should be a way to another token")
	}
}

// fails wants no token.
func (p *process) fails(want ...string) error {
	p.t.Helper()
	tok, err := p.oauth.Token(context.Background(), p.wire)
	if err == nil {
		p.t.Fatalf("got %s, want an error with %q", tok.access, want)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			p.t.Errorf("%v: lacks %q", err, part)
		}
	}
	for _, secret := range []string{"client-secret-1", "access-", "refresh-", "password-1"} {
		if strings.Contains(err.Error(), secret) {
			p.t.Errorf("%v: shows a secret", err)
		}
	}
	return err
}

func sentTokens(s *signintest.Server) []string {
	var list []string
	for _, r := range s.Requests() {
		list = append(list, r.Get("refresh_token"))
	}
	return list
}

func equal(t testing.TB, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Each grant sends what its RFC asks for.
func TestGrants(t *testing.T) {
	for name, tt := range map[string]struct {
		more []string
		want url.Values
	}{
		"client credentials": {[]string{"scopes", "a b", "audience", "aud", "resource", "https://r"},
			url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}, "audience": {"aud"}, "resource": {"https://r"}}},
		"password": {[]string{"username", "user-1", "password", "password-1"},
			url.Values{"grant_type": {"password"}, "username": {"user-1"}, "password": {"password-1"}}},
		"refresh token": {[]string{"refreshToken", "refresh-0", "scopes", "a"},
			url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"refresh-0"}}},
	} {
		t.Run(name, func(t *testing.T) {
			s := signintest.New(t)
			s.Grant("refresh-0")
			p := start(t, t.TempDir(), config(t, s.Entry(tt.more...)))
			if got := p.token(); got != "access-1" {
				t.Errorf("got %s", got)
			}
			if got := s.Requests()[0]; got.Encode() != tt.want.Encode() {
				t.Errorf("got  %s\nwant %s", got.Encode(), tt.want.Encode())
			}
		})
	}
}

// A service account signs an assertion (RFC 7523), which the server can check.
func TestAssertion(t *testing.T) {
	s := signintest.New(t)
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	der := must(x509.MarshalPKCS8PrivateKey(key))
	entry := map[string]any{
		"type": "oauth2", "tokenUrl": s.URL + "/token", "issuer": "svc@example.com", "subject": "user@example.com", "keyId": "kid-1", "scopes": "a b",
		"privateKey": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
	p := start(t, t.TempDir(), config(t, entry))
	p.token()
	sent := s.Requests()[0]
	if sent.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		t.Errorf("sent %v", sent)
	}
	parts := strings.Split(sent.Get("assertion"), ".")
	if len(parts) != 3 {
		t.Fatalf("sent %v", sent)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], must(base64.RawURLEncoding.DecodeString(parts[2]))); err != nil {
		t.Error(err)
	}
	var header, claims map[string]any
	for i, to := range []*map[string]any{&header, &claims} {
		if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[i])), to); err != nil {
			t.Fatal(err)
		}
	}
	if header["alg"] != "RS256" || header["kid"] != "kid-1" || claims["iss"] != "svc@example.com" || claims["sub"] != "user@example.com" ||
		claims["aud"] != s.URL+"/token" || claims["scope"] != "a b" || claims["jti"] == "" ||
		claims["iat"] != float64(testNow.Unix()-10) || claims["exp"] != float64(testNow.Unix()+3590) {
		t.Errorf("header %v, claims %v", header, claims)
	}
}

// An end that has passed already is taken for none.
func TestExpiresInThePast(t *testing.T) {
	for _, life := range []string{"-5", "0", `"-1"`} {
		s := signintest.New(t)
		s.Answer(`{"access_token":"access-1","expires_in":` + life + `}`)
		p := start(t, t.TempDir(), config(t, s.Entry()))
		p.token()
		p.token()
		if n := len(s.Requests()); n != 1 {
			t.Errorf("expires_in %s: %d requests, want 1", life, n)
		}
	}
}

// A client's secret goes into the header, or, where a server does not take it
// there, into the body; which of both is remembered.
func TestClientAuthentication(t *testing.T) {
	s := signintest.New(t)
	s.Body = true
	dir := t.TempDir()
	cfg := config(t, s.Entry())
	p := start(t, dir, cfg)
	p.token()
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	p.refuse()
	p.token()
	start(t, dir, cfg).token()
	if n := len(s.Requests()); n != 3 {
		t.Errorf("%d requests, want 3: the form is known, and the second process has the first one's token", n)
	}
	p = start(t, t.TempDir(), config(t, s.Entry("clientAuth", "header")))
	p.fails("401 invalid_client", "check the entry in the credentials")
}

// A token is renewed when nine tenths of its life are over, at most a minute
// before its end.
func TestRenewedAhead(t *testing.T) {
	for life, ahead := range map[int]time.Duration{100: 10 * time.Second, 3600: time.Minute} {
		s := signintest.New(t)
		s.Life = life
		p := start(t, t.TempDir(), config(t, s.Entry()))
		p.token()
		p.clock.add(time.Duration(life)*time.Second - ahead - time.Millisecond)
		if got := p.token(); got != "access-1" {
			t.Errorf("life %d: %s too early", life, got)
		}
		p.clock.add(2 * time.Millisecond)
		if got := p.token(); got != "access-2" {
			t.Errorf("life %d: got %s, want the next", life, got)
		}
	}
}

// Without an end, a token is good until the API refuses it.
func TestRenewedAfterRefusal(t *testing.T) {
	s := signintest.New(t)
	p := start(t, t.TempDir(), config(t, s.Entry()))
	p.token()
	p.clock.add(1000 * time.Hour)
	if got := p.token(); got != "access-1" {
		t.Errorf("got %s", got)
	}
	p.refuse()
	if got := p.token(); got != "access-2" {
		t.Errorf("got %s", got)
	}
}

// A renewal ahead of time that fails leaves the token in use that still holds.
func TestFailedAheadOfTime(t *testing.T) {
	s := signintest.New(t)
	s.Life = 100
	p := start(t, t.TempDir(), config(t, s.Entry()))
	p.token()
	p.clock.add(92 * time.Second)
	s.Fail(500, 500, 500)
	if got := p.token(); got != "access-1" {
		t.Errorf("got %s", got)
	}
	if list := p.accounts.Problems(); len(list) != 0 || len(p.states) != 0 {
		t.Errorf("%v, states %v: the sign-in still works", list, p.states)
	}
	p.clock.add(2 * time.Second)
	if got := p.token(); got != "access-2" {
		t.Errorf("got %s", got)
	}
}

// 500 tasks that wait for a token make one request, and as few where it fails.
func TestSingleFlightOverTasks(t *testing.T) {
	s := signintest.New(t)
	p := start(t, t.TempDir(), config(t, s.Entry()))
	ask := func() {
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() { _, _ = p.oauth.Token(context.Background(), p.wire) })
		}
		wg.Wait()
	}
	ask()
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	p.refuse()
	s.Fail(503, 503, 503)
	ask()
	if n := len(s.Requests()); n != 4 {
		t.Errorf("%d requests, want 4: three attempts of one task", n)
	}
}

// Of several processes that share a state folder, one renews a token that is
// replaced with each use; the others take what it has got.
func TestSingleFlightOverProcesses(t *testing.T) {
	s := signintest.New(t)
	s.Grant("refresh-0")
	dir := t.TempDir()
	cfg := config(t, s.Entry("refreshToken", "refresh-0"))
	var processes []*process
	for range 6 {
		processes = append(processes, start(t, dir, cfg))
	}
	for round := range 3 {
		var wg sync.WaitGroup
		for _, p := range processes {
			wg.Go(func() {
				if _, err := p.oauth.Token(context.Background(), p.wire); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(s.Requests()); n != round+1 {
			t.Errorf("round %d: %d requests", round, n)
		}
		for _, p := range processes {
			p.refuse()
		}
	}
	equal(t, sentTokens(s), "refresh-0", "refresh-2", "refresh-3")
	if s.Revoked() {
		t.Error("a token that was replaced was sent again")
	}
}

// A new refresh token is on disk before it is used, readable by its owner only,
// and a process that starts anew goes on with it.
func TestNewTokenIsOnDisk(t *testing.T) {
	s := signintest.New(t)
	s.Grant("refresh-0")
	dir := t.TempDir()
	cfg := config(t, s.Entry("refreshToken", "refresh-0"))
	p := start(t, dir, cfg)
	p.token()
	files, err := filepath.Glob(filepath.Join(dir, "tokens", "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(text), `"refresh-2"`) {
		t.Errorf("%s %v", text, err)
	}
	if info, err := os.Stat(files[0]); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	again := start(t, dir, cfg)
	if got := again.token(); got != "access-1" {
		t.Errorf("got %s: the token that holds was not taken", got)
	}
	again.refuse()
	again.token()
	equal(t, sentTokens(s), "refresh-0", "refresh-2")
}

// A token that can't be written to disk is not used before it could be, and not
// lost either.
func TestTokenThatCantBeKept(t *testing.T) {
	s := signintest.New(t)
	s.Grant("refresh-0")
	dir := t.TempDir()
	p := start(t, dir, config(t, s.Entry("refreshToken", "refresh-0")))
	// A folder in the place of the file can't be replaced by one.
	path := p.accounts.Store.path(p.oauth.account)
	p.wire.Transport = after(p.wire.Transport, func() { // between reading and writing
		if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
	})
	p.fails("can't be kept in the state folder")
	p.clock.add(time.Minute)
	p.fails("can't be kept in the state folder")
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	p.clock.add(time.Minute)
	if got := p.token(); got != "access-1" {
		t.Errorf("got %s", got)
	}
	equal(t, sentTokens(s), "refresh-0")
	if len(p.states) != 2 || p.states[0] || !p.states[1] {
		t.Errorf("states %v", p.states)
	}
}

// after calls fn when an answer has come.
func after(rt http.RoundTripper, fn func()) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := rt.RoundTrip(r)
		fn()
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A server that dies between issuing and answering gets the refresh token once
// more; if it does not take it any longer, a person is told what to do.
func TestServerDiesBeforeAnswering(t *testing.T) {
	s := signintest.New(t)
	s.Grace = true
	s.Grant("refresh-0")
	p := start(t, t.TempDir(), config(t, s.Entry("refreshToken", "refresh-0")))
	s.Die(1)
	p.token()
	equal(t, sentTokens(s), "refresh-0", "refresh-0")
	p.refuse()
	p.token()
	equal(t, sentTokens(s)[2:], "refresh-2")

	s = signintest.New(t)
	s.Grant("refresh-0")
	p = start(t, t.TempDir(), config(t, s.Entry("refreshToken", "refresh-0", "authorizationUrl", s.URL+"/authorize")))
	s.Die(1)
	err := p.fails("400 invalid_grant", "run `reqon login Shop PATH`")
	if !IsGone(err) {
		t.Errorf("%v: somebody has to sign in", err)
	}
	equal(t, sentTokens(s), "refresh-0", "refresh-0")
	// It is not sent a third time, by nobody.
	p.clock.add(time.Hour)
	p.fails("run `reqon login Shop PATH`")
	equal(t, sentTokens(s), "refresh-0", "refresh-0")

	s = signintest.New(t)
	s.Grace = true
	s.Grant("refresh-0")
	p = start(t, t.TempDir(), config(t, s.Entry("refreshToken", "refresh-0")))
	p.wire.Attempts = 9
	s.Die(9)
	p.fails("EOF")
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d requests, want 2: it is sent once more, and no oftener", n)
	}
}

// Where nobody has answered at all, the token was not used up: such attempts go
// by the source's policy.
func TestServerIsDown(t *testing.T) {
	s := signintest.New(t)
	s.Grant("refresh-0")
	cfg := config(t, s.Entry("refreshToken", "refresh-0"))
	p := start(t, t.TempDir(), cfg)
	attempts := 0
	p.wire.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
		attempts++
		return (&http.Transport{}).RoundTrip(must(http.NewRequest("POST", "http://127.0.0.1:1/", nil)))
	})
	p.wire.Attempts = 4
	p.fails("connection refused")
	if attempts != 4 {
		t.Errorf("%d attempts, want 4", attempts)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A dead sign-in shows, and one that is made elsewhere mends it at once.
func TestDeadAndMended(t *testing.T) {
	s := signintest.New(t)
	dir := t.TempDir()
	cfg := config(t, s.Entry("authorizationUrl", s.URL+"/authorize"))
	p := start(t, dir, cfg)
	p.fails("nobody is signed in for", "run `reqon login Shop PATH`")
	if list := p.accounts.Problems(); len(list) != 1 || list[0].Source != "Shop" {
		t.Errorf("problems %v", list)
	}
	s.Grant("refresh-0")
	if err := NewStore(dir).Write(&Record{Account: cfg.Account, Entry: cfg.Hash, RefreshToken: "refresh-0"}); err != nil {
		t.Fatal(err)
	}
	p.token()
	if list := p.accounts.Problems(); len(list) != 0 {
		t.Errorf("problems %v", list)
	}
	s.Revoke()
	p.refuse()
	p.fails("invalid_grant")
	s.Grant("refresh-7")
	if err := NewStore(dir).Write(&Record{Account: cfg.Account, Entry: cfg.Hash, RefreshToken: "refresh-7"}); err != nil {
		t.Fatal(err)
	}
	p.token()
	if got := p.states; len(got) != 4 || got[0] || !got[1] || got[2] || !got[3] {
		t.Errorf("states %v", got)
	}
	// Signing out ends it.
	if err := NewStore(dir).Forget(context.Background(), cfg.Account); err != nil {
		t.Fatal(err)
	}
	p.refuse()
	p.fails("signed out", "run `reqon login Shop PATH`")
}

// The refresh token of the credentials is not sent again after a sign-out, and
// not after an answer has replaced it.
func TestReplacedTokenStaysReplaced(t *testing.T) {
	s := signintest.New(t)
	s.Grant("refresh-0")
	dir := t.TempDir()
	cfg := config(t, s.Entry("refreshToken", "refresh-0"))
	p := start(t, dir, cfg)
	p.token()
	if err := p.accounts.Store.Forget(context.Background(), cfg.Account); err != nil {
		t.Fatal(err)
	}
	start(t, dir, cfg).fails("signed out", "put a new refreshToken into the credentials")
	equal(t, sentTokens(s), "refresh-0")
	// A new secret of the client makes no other sign-in.
	entry := s.Entry("refreshToken", "refresh-0")
	entry["clientSecret"] = "another"
	start(t, dir, config(t, entry)).fails("signed out")
	equal(t, sentTokens(s), "refresh-0")
}

// The token of the credentials is used first, and renewed when it is over.
func TestFirstTokenOfTheEntry(t *testing.T) {
	s := signintest.New(t)
	p := start(t, t.TempDir(), config(t, s.Entry("accessToken", "first-token", "expiresAt", "2026-01-20T10:00:00Z")))
	if got := p.token(); got != "first-token" {
		t.Errorf("got %s", got)
	}
	p.clock.add(time.Hour)
	if got := p.token(); got != "access-1" {
		t.Errorf("got %s", got)
	}
	p = start(t, t.TempDir(), config(t, map[string]any{"type": "oauth2", "accessToken": "first-token"}))
	p.token()
	if p.oauth.Refused(p.oauth.current.Load()) {
		t.Error("there is no way to another token")
	}
	p.fails("is used up, and there is nothing to renew it with")
}

// An entry that has changed discards tokens that can be had again.
func TestChangedEntryDiscards(t *testing.T) {
	s := signintest.New(t)
	dir := t.TempDir()
	p := start(t, dir, config(t, s.Entry()))
	p.token()
	s.Secret = "client-secret-2"
	cfg := config(t, s.Entry())
	if again := p.accounts.Open(cfg); again != p.oauth {
		t.Error("the account is another")
	} else {
		defer p.accounts.Close(again)
	}
	if got := p.token(); got != "access-2" {
		t.Errorf("got %s", got)
	}
}

// What a server answers may be anything; nothing of it is taken for a token that
// is none, and nothing panics.
func TestMalformedAnswers(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                        "missing access_token",
		`[]`:                        "cannot parse json",
		`not json`:                  "cannot parse json",
		`{"access_token":5}`:        "cannot parse json",
		`{"access_token":""}`:       "missing access_token",
		`{"access_token":"a\nb"}`:   "control character",
		`{"error":"invalid_scope"}`: "the server answers 200 invalid_scope",
		`{"error":"x","error_description":"two\nlines"}`: "x two lines",
	} {
		s := signintest.New(t)
		s.Answer(body)
		p := start(t, t.TempDir(), config(t, s.Entry()))
		err := p.fails(want)
		if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q: more than one line: %q", body, err)
		}
		s.Answer("")
		p.clock.add(time.Minute)
		p.token()
	}
}

// Old tokens are forgotten, so that a process that runs for years does not keep
// them all.
func TestForgetsOldTokens(t *testing.T) {
	s := signintest.New(t)
	p := start(t, t.TempDir(), config(t, s.Entry()))
	for range 50 {
		p.token()
		p.refuse()
	}
	if len(p.learned) > keptSecrets {
		t.Errorf("%d secrets are known, want %d at most", len(p.learned), keptSecrets)
	}
}

// A wait for somebody else's renewal ends with the one who waits.
func TestCancelled(t *testing.T) {
	s := signintest.New(t)
	p := start(t, t.TempDir(), config(t, s.Entry()))
	unlock, err := p.accounts.Store.Lock(context.Background(), p.oauth.account)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if _, err := p.oauth.Token(ctx, p.wire); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
	unlock()
	p.token()
	if len(p.states) != 0 {
		t.Errorf("a wait that was given up counts as a failure: %v", p.states)
	}
}

// A damaged record is told, and never taken for none: a refresh token may be in
// it that can't be had again.
func TestDamagedRecord(t *testing.T) {
	s := signintest.New(t)
	s.Grant("refresh-0")
	cfg := config(t, s.Entry("refreshToken", "refresh-0"))
	p := start(t, t.TempDir(), cfg)
	path := p.accounts.Store.path(cfg.Account)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(`{"refreshToken": "hush`), 0o600); err != nil {
		t.Fatal(err)
	}
	err := p.fails("is damaged", path, "reqon login")
	if strings.Contains(err.Error(), "hush") || len(s.Requests()) > 0 {
		t.Errorf("%v, %d requests", err, len(s.Requests()))
	}
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"access_token":"a","expires_in":3600,"refresh_token":"b","scope":"x y","token_type":"Bearer"}`, `{"access_token":"a","expires_in":"99999999999"}`,
		`{"error":"invalid_grant","error_description":"\u0000"}`, `[]`, `access_token=a&expires_in=5`, `{"access_token":"a\u0001"}`, `{"access_token":"a","expires_in":-5}`,
	} {
		f.Add(s, 200)
		f.Add(s, 400)
	}
	f.Fuzz(func(t *testing.T, body string, status int) {
		if status < 200 || status > 599 {
			return
		}
		cfg := &credentials.OAuth{Name: "Shop", Where: "c.json: Shop", Grant: credentials.GrantRefresh, ClientID: "c", TokenURL: "http://x/t", RefreshToken: "r", Account: "a", Hash: "h"}
		c := &clock{now: testNow}
		s := (&Accounts{Store: NewStore(t.TempDir()), Clock: c}).Open(cfg)
		w := &Wire{Timeout: time.Second, Attempts: 1, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: readCloser{strings.NewReader(body)}, Request: r}, nil
		})}
		tok, err := s.Token(context.Background(), w)
		if (tok == nil) == (err == nil) {
			t.Fatalf("got %v, %v", tok, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("more than one line: %q", err)
		}
		if tok != nil && strings.ContainsFunc(tok.Authorization[0], func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("a header can't carry %q", tok.Authorization)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
