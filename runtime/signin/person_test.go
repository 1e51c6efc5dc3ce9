package signin

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"reqon/runtime/signin/signintest"
)

// The example of RFC 7636, appendix B.
func TestPKCEVector(t *testing.T) {
	if got := oauth2.S256ChallengeFromVerifier("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("got %s", got)
	}
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// person signs in, with what the browser does once it has the address.
func (p *process) person(s *signintest.Server, in io.Reader, browser func(address string), more ...string) (*Record, string, error) {
	p.t.Helper()
	cfg := p.oauth.Entry()
	var out buffer
	var wg sync.WaitGroup
	person := Person{Config: cfg, Wire: p.wire, Out: &out, In: in, Limit: 20 * time.Second}
	if p.clicks != nil {
		person.clicked = func(string) { p.clicks <- struct{}{} }
	}
	person.ready = func(address string) {
		if browser != nil {
			wg.Go(func() { browser(address) })
		}
	}
	r, err := p.accounts.SignIn(context.Background(), person)
	wg.Wait()
	return r, out.String(), err
}

// visit opens an address as a browser does, and returns the page it ends on.
func visit(t testing.TB, address string) (status int, text string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(address)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// comesBack returns the address to which the authorization page leads.
func comesBack(t testing.TB, address string) *url.URL {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	u, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (p *process) entry(s *signintest.Server, more ...string) *process {
	return start(p.t, p.t.TempDir(), config(p.t, s.Entry(append([]string{"authorizationUrl", s.URL + "/authorize"}, more...)...)))
}

// A person signs in in a browser; a mission goes on with the tokens.
func TestSignInBrowser(t *testing.T) {
	s := signintest.New(t)
	s.Life = 100
	p := (&process{t: t}).entry(s, "scopes", "a b", "audience", "aud")
	r, out, err := p.person(s, nil, func(address string) {
		if status, text := visit(t, address); status != 200 || !strings.Contains(text, "You are signed in") {
			t.Errorf("%d %s", status, text)
		}
		q := must(url.Parse(address)).Query()
		if q.Get("scope") != "a b" || q.Get("audience") != "aud" || q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 20 {
			t.Errorf("address %s", address)
		}
	})
	if err != nil || r.RefreshToken == "" || !p.learned[r.RefreshToken] || !p.learned[r.AccessToken] {
		t.Fatalf("%+v %v", r, err)
	}
	if !strings.Contains(out, s.URL+"/authorize?") || strings.Contains(out, r.AccessToken) || strings.Contains(out, r.RefreshToken) {
		t.Errorf("said %s", out)
	}
	if got := p.token(); got != "access-1" {
		t.Errorf("got %s", got)
	}
	p.clock.add(time.Hour)
	if got := p.token(); got != "access-2" {
		t.Errorf("got %s", got)
	}
	equal(t, sentTokens(s), "", "refresh-1")
}

// What does not belong to the sign-in is turned away, and the sign-in goes on;
// a second click does no harm.
func TestSignInWrongStateAndSecondClick(t *testing.T) {
	s := signintest.New(t)
	p := (&process{t: t}).entry(s)
	// The server takes its time, so that the second click comes while the first
	// one waits.
	answer := make(chan struct{})
	p.clicks = make(chan struct{}, 9)
	direct := p.wire.Transport
	p.wire.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		<-answer
		return direct.RoundTrip(r)
	})
	_, _, err := p.person(s, nil, func(address string) {
		back := comesBack(t, address)
		wrong := *back
		q := wrong.Query()
		q.Set("state", "of-somebody-else")
		wrong.RawQuery = q.Encode()
		if status, text := visit(t, wrong.String()); status != 400 || !strings.Contains(text, "does not belong") {
			t.Errorf("%d %s", status, text)
		}
		q.Del("state")
		wrong.RawQuery = q.Encode()
		if status, _ := visit(t, wrong.String()); status != 400 {
			t.Errorf("without a state: %d", status)
		}
		wrong.Path = "/favicon.ico"
		if status, _ := visit(t, wrong.String()); status != 404 {
			t.Errorf("another path: %d", status)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if status, text := visit(t, back.String()); status != 200 || !strings.Contains(text, "signed in") {
					t.Errorf("%d %s", status, text)
				}
			})
		}
		for range 2 {
			<-p.clicks
		}
		close(answer)
		wg.Wait()
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

func TestSignInRefused(t *testing.T) {
	s := signintest.New(t)
	s.Deny()
	p := (&process{t: t}).entry(s)
	_, _, err := p.person(s, nil, func(address string) {
		if status, text := visit(t, address); status != 400 || !strings.Contains(text, "not signed in") {
			t.Errorf("%d %s", status, text)
		}
	})
	if err == nil || !strings.Contains(err.Error(), "the server refuses: access_denied the person said no") {
		t.Errorf("got %v", err)
	}
	// A sign-in that fails leaves the one before it alone.
	if r, err := p.accounts.Store.Read(p.oauth.account); r != nil || err != nil {
		t.Errorf("%v %v", r, err)
	}
}

// Over SSH the browser can't come back; the address that it ended on is pasted.
func TestSignInPasted(t *testing.T) {
	s := signintest.New(t)
	p := (&process{t: t}).entry(s)
	in, paste := io.Pipe()
	_, out, err := p.person(s, in, func(address string) {
		back := comesBack(t, address)
		for _, line := range []string{"", "what?", "http://127.0.0.1:1/callback?code=x&state=wrong", back.String()} {
			if _, err := io.WriteString(paste, line+"\n"); err != nil {
				t.Error(err)
			}
		}
		paste.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(out, "That is not the address") != 2 {
		t.Errorf("said %s", out)
	}
}

func TestSignInNobodyComes(t *testing.T) {
	s := signintest.New(t)
	p := (&process{t: t}).entry(s)
	_, err := p.accounts.SignIn(context.Background(), Person{Config: p.oauth.Entry(), Wire: p.wire, Out: io.Discard, Limit: 30 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "nobody has signed in for 30ms") {
		t.Errorf("got %v", err)
	}
}

func TestSignInPortTaken(t *testing.T) {
	s := signintest.New(t)
	port := must(url.Parse(s.URL)).Port()
	p := (&process{t: t}).entry(s, "redirectPort", port)
	_, _, err := p.person(s, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "the browser can't come back") || !strings.Contains(err.Error(), "redirectPort") {
		t.Errorf("got %v", err)
	}
}

// At another device (RFC 8628): the code is shown, and the server is asked until
// somebody has entered it.
func TestSignInDevice(t *testing.T) {
	s := signintest.New(t)
	s.Pend(1)
	p := start(t, t.TempDir(), config(t, s.Entry("deviceUrl", s.URL+"/device")))
	r, out, err := p.person(s, nil, nil)
	if err != nil || r.RefreshToken == "" {
		t.Fatalf("%+v %v", r, err)
	}
	if !strings.Contains(out, s.URL+"/verify") || !strings.Contains(out, "WDJB-MJHT") {
		t.Errorf("said %s", out)
	}
	p.token()
}

func TestSignInDeviceRefused(t *testing.T) {
	s := signintest.New(t)
	s.Deny()
	p := start(t, t.TempDir(), config(t, s.Entry("deviceUrl", s.URL+"/device")))
	_, _, err := p.person(s, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "access_denied") {
		t.Errorf("got %v", err)
	}
	p = (&process{t: t}).entry(s)
	if _, err := p.accounts.SignIn(context.Background(), Person{Config: p.oauth.Entry(), Wire: p.wire, Out: io.Discard, Device: true}); err == nil || !strings.Contains(err.Error(), "no deviceUrl") {
		t.Errorf("got %v", err)
	}
}

func TestWho(t *testing.T) {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for claims, want := range map[string]string{
		`{"email":"ada@example.com","sub":"7"}`: "ada@example.com", `{"preferred_username":"ada","sub":"7"}`: "ada", `{"sub":"7"}`: "7",
		`[]`: "", `{"email":5}`: "", "{\"email\":\"a\\nb\"}": "a b",
	} {
		tok := (&oauth2.Token{}).WithExtra(map[string]any{"id_token": "x." + part(claims) + ".y"})
		if got := who(tok); got != want {
			t.Errorf("%s: got %q, want %q", claims, got, want)
		}
	}
	for _, text := range []any{nil, 5, "", "a.b", "a.!.c"} {
		if got := who((&oauth2.Token{}).WithExtra(map[string]any{"id_token": text})); got != "" {
			t.Errorf("%v: got %q", text, got)
		}
	}
}
