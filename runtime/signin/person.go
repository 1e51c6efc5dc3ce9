package signin

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"reqon/runtime/credentials"
)

// Person is a sign-in by a person.
type Person struct {
	Config *credentials.OAuth
	Wire   *Wire
	Device bool             // at another device (RFC 8628), instead of in a browser
	Out    io.Writer        // tells the person what to do
	In     io.Reader        // where addresses are pasted; nil: nowhere
	Browse func(url string) // opens an address in a browser; nil: the person does
	Limit  time.Duration    // how long to wait for the person; 0: 10 minutes

	// For tests: told where to begin, and when a browser has come back.
	ready, clicked func(addr string)
}

const personLimit = 10 * time.Minute

// SignIn lets a person sign in, and keeps what comes of it for all processes
// that share the state folder.
func (a *Accounts) SignIn(ctx context.Context, p Person) (*Record, error) {
	if p.Limit == 0 {
		p.Limit = personLimit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.Limit, fmt.Errorf("nobody has signed in for %s", p.Limit))
	defer cancel()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{
		Transport: p.Wire.Transport, Timeout: p.Wire.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	var tok *oauth2.Token
	var style string
	var err error
	switch {
	case p.Device && p.Config.DeviceURL == "":
		return nil, fmt.Errorf("%s has no deviceUrl, which a sign-in at another device needs", p.Config.Where)
	case p.Device || p.Config.AuthorizationURL == "" && p.Config.DeviceURL != "":
		tok, style, err = p.atDevice(ctx)
	case p.Config.AuthorizationURL == "":
		return nil, fmt.Errorf("%s has no authorizationUrl, which a sign-in in a browser needs, and no deviceUrl", p.Config.Where)
	default:
		tok, style, err = p.inBrowser(ctx)
	}
	if err != nil {
		var answer *oauth2.RetrieveError
		if errors.As(err, &answer) {
			err = fmt.Errorf("%s: %s", p.Config.TokenURL, answerText(answer))
		}
		return nil, fmt.Errorf("nobody is signed in: %w", err)
	}
	if err := checkToken(tok); err != nil {
		return nil, err
	}
	if a.Learn != nil {
		a.Learn(tok.AccessToken)
		if tok.RefreshToken != "" {
			a.Learn(tok.RefreshToken)
		}
	}
	r := recordOf(tok, p.Config, a.Clock.Now())
	r.ClientAuth = style
	r.Who = who(tok)
	r.Replaced = p.Config.RefreshToken != ""
	unlock, err := a.Store.Lock(ctx, p.Config.Account)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return r, a.Store.Write(r)
}

// conf is the entry as x/oauth2 takes it.
func (p *Person) conf(style, redirect string) *oauth2.Config {
	c := &oauth2.Config{
		ClientID: p.Config.ClientID, ClientSecret: p.Config.ClientSecret, Scopes: p.Config.Scopes, RedirectURL: redirect,
		Endpoint: oauth2.Endpoint{
			AuthURL: p.Config.AuthorizationURL, DeviceAuthURL: p.Config.DeviceURL, TokenURL: p.Config.TokenURL, AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	if style == credentials.ClientAuthHeader {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	return c
}

// options are the further parameters of the entry.
func (p *Person) options() (list []oauth2.AuthCodeOption) {
	if p.Config.Audience != "" {
		list = append(list, oauth2.SetAuthURLParam("audience", p.Config.Audience))
	}
	for _, r := range p.Config.Resource {
		list = append(list, oauth2.SetAuthURLParam("resource", r))
	}
	for _, f := range p.Config.Extra {
		list = append(list, oauth2.SetAuthURLParam(f.Name, f.Value))
	}
	return list
}

// redeem gets the tokens, and finds out where the server wants the client's
// secret.
func (p *Person) redeem(ask func(style string) (*oauth2.Token, error)) (*oauth2.Token, string, error) {
	styles := clientStyles(p.Config, "")
	for i, style := range styles {
		tok, err := ask(style)
		var answer *oauth2.RetrieveError
		if err != nil && i+1 < len(styles) && errors.As(err, &answer) && asksOtherwise(answer) {
			continue
		}
		return tok, style, err
	}
	panic("there is a last style")
}

func (p *Person) atDevice(ctx context.Context) (*oauth2.Token, string, error) {
	device, err := p.conf("", "").DeviceAuth(ctx, p.options()...)
	if err != nil {
		return nil, "", err
	}
	address := device.VerificationURI
	fmt.Fprintf(p.Out, "Open %s at any device, and enter the code %s\n", oneLine(address), oneLine(device.UserCode))
	if device.VerificationURIComplete != "" {
		address = device.VerificationURIComplete
		fmt.Fprintf(p.Out, "or open %s\n", oneLine(address))
	}
	p.browse(address)
	fmt.Fprintln(p.Out, "Waiting for you to sign in …")
	tok, style, err := p.redeem(func(style string) (*oauth2.Token, error) {
		return p.conf(style, "").DeviceAccessToken(ctx, device)
	})
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return tok, style, err
}

func (p *Person) browse(address string) {
	u, err := url.Parse(address)
	if p.Browse != nil && err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		p.Browse(address)
	}
}

// callback is the path that a browser comes back to.
const callback = "/callback"

// inBrowser goes by RFC 8252: a server on the loopback interface takes the code
// that the browser comes back with; PKCE (RFC 7636) makes it worthless to anyone
// else.
func (p *Person) inBrowser(ctx context.Context) (*oauth2.Token, string, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p.Config.RedirectPort))
	if err != nil {
		return nil, "", fmt.Errorf("the browser can't come back: %w (see redirectPort)", err)
	}
	redirect := "http://" + l.Addr().String() + callback
	state, verifier := randomText(), oauth2.GenerateVerifier()
	options := append(p.options(), oauth2.S256ChallengeOption(verifier))
	address := p.conf("", redirect).AuthCodeURL(state, options...)

	back := &returned{state: state, answers: make(chan url.Values, 1), over: make(chan struct{}), clicked: p.clicked}
	server := &http.Server{Handler: back, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l) // it ends when it is closed
	}()
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if server.Shutdown(ending) != nil {
			_ = server.Close()
		}
		<-served
	}()

	fmt.Fprintf(p.Out, "Open this address in a browser and sign in:\n\n  %s\n\n", address)
	if p.In != nil {
		fmt.Fprintf(p.Out, "The browser comes back to %s. If it runs on another machine and can't reach that, paste the address that it ended on here.\n", redirect)
		// Reading can't be interrupted: this ends with the input.
		go back.read(p.In, p.Out)
	}
	p.browse(address)
	if p.ready != nil {
		p.ready(address)
	}
	var answer url.Values
	select {
	case answer = <-back.answers:
	case <-ctx.Done():
		return nil, "", context.Cause(ctx)
	}
	tok, style, err := p.take(ctx, redirect, verifier, answer)
	back.end(err)
	return tok, style, err
}

// take makes tokens of what the browser came back with.
func (p *Person) take(ctx context.Context, redirect, verifier string, answer url.Values) (*oauth2.Token, string, error) {
	if code := answer.Get("error"); code != "" {
		return nil, "", fmt.Errorf("the server refuses: %s", strings.TrimSpace(oneLine(code)+" "+oneLine(answer.Get("error_description"))))
	}
	return p.redeem(func(style string) (*oauth2.Token, error) {
		return p.conf(style, redirect).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	})
}

// returned takes what browsers come back with, of which the first that belongs
// to this sign-in counts.
type returned struct {
	state   string
	answers chan url.Values // takes one
	over    chan struct{}   // closed when it is known what came of it
	err     error           // what came of it
	clicked func(string)
}

func (b *returned) end(err error) {
	b.err = err
	close(b.over)
}

// offer takes an answer. taken is false for one that does not belong here.
func (b *returned) offer(q url.Values) (taken bool) {
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(b.state)) != 1 || q.Get("code") == "" && q.Get("error") == "" {
		return false
	}
	select {
	case b.answers <- q:
	default: // a second click: what comes of the first counts for both
	}
	return true
}

func (b *returned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close")
	if r.Method != http.MethodGet || r.URL.Path != callback {
		page(w, http.StatusNotFound, "There is nothing here.")
		return
	}
	if !b.offer(r.URL.Query()) {
		page(w, http.StatusBadRequest, "This address does not belong to the sign-in that is waiting. Start again at the address that reqon has printed.")
		return
	}
	if b.clicked != nil {
		b.clicked(r.RemoteAddr)
	}
	select {
	case <-b.over:
	case <-r.Context().Done():
		return
	}
	if b.err != nil {
		page(w, http.StatusBadRequest, "You are not signed in. The terminal says why.")
		return
	}
	page(w, http.StatusOK, "You are signed in, and can close this page.")
}

func page(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<!doctype html><title>reqon</title><p>"+html.EscapeString(text)+"</p>\n") // the browser may have gone
}

// read takes addresses that are pasted, until one belongs here.
func (b *returned) read(in io.Reader, out io.Writer) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err == nil && b.offer(u.Query()) {
			return
		}
		fmt.Fprintf(out, "That is not the address that the browser ended on, which begins with http://127.0.0.1 and has a code and a state in it.\n")
	}
}

// randomText is a text that nobody can guess.
func randomText() string {
	var b [24]byte
	rand.Read(b[:]) // never fails, says its documentation
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// who returns the name of who signed in, for people: what an ID token (OpenID
// Connect) says. It is not checked, as nothing depends on it.
func who(tok *oauth2.Token) string {
	text, _ := tok.Extra("id_token").(string)
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return ""
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Email string `json:"email"`
		Name  string `json:"preferred_username"`
		Sub   string `json:"sub"`
	}
	if json.Unmarshal(data, &claims) != nil {
		return ""
	}
	for _, name := range []string{claims.Email, claims.Name, claims.Sub} {
		if name != "" {
			return oneLine(name)
		}
	}
	return ""
}
