package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"reqon/runtime/credentials"
	"reqon/stdlib"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// renew finds a token that holds: one that another process has got meanwhile,
// that of the credentials, or a new one. The caller holds the lock.
func (s *OAuth2) renew(ctx context.Context, w *Wire, refused *Token) (*Record, error) {
	cfg := s.cfg.Load()
	if s.unsaved != nil {
		// The server knows only this one any longer.
		if err := s.accounts.Store.Write(s.unsaved); err != nil {
			return nil, err
		}
		s.unsaved = nil
	}
	r, err := s.accounts.Store.Read(s.account)
	if err != nil {
		return nil, &goneError{err}
	}
	if r == nil {
		r = &Record{Account: s.account}
	}
	now := s.accounts.Clock.Now()
	usable := func(r *Record) bool {
		t := Token{expires: r.Expires, ahead: ahead(r)}
		return r.AccessToken != "" && (refused == nil || r.AccessToken != refused.access) && t.valid(now) && t.fresh(now)
	}
	// A sign-in that is only renewed outlives a change of the entry; any other
	// can be had again for nothing.
	if usable(r) && (cfg.Grant == credentials.GrantRefresh || r.Entry == cfg.Hash) {
		s.learn(r.RefreshToken)
		return r, nil
	}
	if r.Obtained.IsZero() && !r.Replaced {
		if first := (&Record{AccessToken: cfg.AccessToken, Expires: cfg.Expires}); usable(first) {
			return first, nil
		}
	}
	next, err := s.ask(ctx, w, cfg, r)
	if err != nil {
		return nil, err
	}
	if err := s.accounts.Store.Write(next); err != nil {
		s.unsaved = next
		return nil, err
	}
	return next, nil
}

// ask gets a new token from the server.
func (s *OAuth2) ask(ctx context.Context, w *Wire, cfg *credentials.OAuth, r *Record) (*Record, error) {
	params := url.Values{}
	sent := ""
	switch cfg.Grant {
	case credentials.GrantNone:
		return nil, gone("the access token of %s is used up, and there is nothing to renew it with: put in a new one, or clientId, clientSecret and tokenUrl", cfg.Where)
	case credentials.GrantRefresh:
		if sent = r.RefreshToken; sent == "" && !r.Replaced {
			sent = cfg.RefreshToken
		}
		if sent == "" && r.Refused == "" {
			return nil, gone("nobody is signed in for %s: %s", cfg.Where, signInAdvice(cfg))
		}
		if r.Refused != "" && (sent == "" || r.Entry == cfg.Hash) {
			return nil, gone("the sign-in for %s is over (%s): %s", cfg.Where, r.Refused, signInAdvice(cfg))
		}
		s.learn(sent)
		params.Set("refresh_token", sent)
	case credentials.GrantPass:
		params.Set("username", cfg.Username)
		params.Set("password", cfg.Password)
	case credentials.GrantJWT:
		text, err := assertion(cfg, s.accounts.Clock.Now())
		if err != nil {
			return nil, &goneError{fmt.Errorf("%s: %w", cfg.Where, err)}
		}
		params.Set("assertion", text)
	}
	tok, style, err := request(ctx, w, s.accounts.Clock, cfg, r.ClientAuth, params)
	if err != nil {
		return nil, s.refusal(cfg, r, sent, err)
	}
	if cfg.Grant == credentials.GrantRefresh && tok.RefreshToken == "" {
		tok.RefreshToken = sent
	}
	next := recordOf(tok, cfg, s.accounts.Clock.Now())
	next.ClientAuth = style
	if next.Who = r.Who; cfg.Username != "" {
		next.Who = cfg.Username
	} else if cfg.JWT != nil {
		next.Who = cfg.JWT.Issuer
		if cfg.JWT.Subject != "" {
			next.Who = cfg.JWT.Subject
		}
	}
	next.Replaced = r.Replaced || cfg.RefreshToken != "" && next.RefreshToken != cfg.RefreshToken
	return next, nil
}

// recordOf makes a record of a server's answer.
func recordOf(tok *oauth2.Token, cfg *credentials.OAuth, now time.Time) *Record {
	r := &Record{
		Account: cfg.Account, Name: cfg.Name, Server: cfg.TokenURL, Entry: cfg.Hash,
		AccessToken: tok.AccessToken, TokenType: tok.TokenType, RefreshToken: tok.RefreshToken,
		Scopes: cfg.Scopes, Obtained: now,
	}
	// An end that has passed already is none: the token would be asked for anew
	// for each request.
	if life := time.Until(tok.Expiry).Round(time.Second); !tok.Expiry.IsZero() && life > 0 {
		r.Expires = now.Add(life)
	}
	if scope, ok := tok.Extra("scope").(string); ok && scope != "" {
		r.Scopes = strings.Fields(scope)
	}
	return r
}

// signInAdvice says how to sign in again.
func signInAdvice(cfg *credentials.OAuth) string {
	if cfg.MayLogin() {
		return fmt.Sprintf("run `reqon login %s PATH`", cfg.Name)
	}
	return "put a new refreshToken into the credentials, or an authorizationUrl or deviceUrl, and run `reqon login " + cfg.Name + " PATH`"
}

// refusal says what it means that the server gave no token. That it does not
// take the refresh token is kept: to send it again would be in vain, for other
// processes too.
func (s *OAuth2) refusal(cfg *credentials.OAuth, r *Record, sent string, err error) error {
	where := fmt.Sprintf("no access token for %s from %s: ", cfg.Where, cfg.TokenURL)
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return fmt.Errorf("%s%w", where, err)
	}
	text := answerText(answer)
	if cfg.Grant == credentials.GrantRefresh && answer.ErrorCode == "invalid_grant" {
		over := *r
		over.Account, over.Name, over.Server, over.Entry = s.account, cfg.Name, cfg.TokenURL, cfg.Hash
		over.AccessToken, over.RefreshToken, over.Refused = "", sent, text
		if e := s.accounts.Store.Write(&over); e != nil {
			return errors.Join(gone("%s%s: %s", where, text, signInAdvice(cfg)), e)
		}
		return gone("%s%s: %s", where, text, signInAdvice(cfg))
	}
	if status := answer.Response.StatusCode; status >= 400 && status < 500 && !retried(status) || status < 300 {
		return &answerError{fmt.Errorf("%s%s: check the entry in the credentials", where, text), status}
	}
	return &answerError{fmt.Errorf("%s%s", where, text), answer.Response.StatusCode}
}

// answerError is the error of an answer without a token.
type answerError struct {
	err    error
	status int
}

func (e *answerError) Error() string { return e.err.Error() }
func (e *answerError) Unwrap() error { return e.err }

// answerText says in one line what a server answered.
func answerText(e *oauth2.RetrieveError) string {
	text := fmt.Sprintf("the server answers %d", e.Response.StatusCode)
	for _, part := range []string{e.ErrorCode, e.ErrorDescription} {
		if part = oneLine(part); part != "" {
			text += " " + part
		}
	}
	return text
}

// oneLine makes what a server says fit for a log.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return strings.TrimSpace(s)
}

// retried reports whether a status may be another the next time.
func retried(status int) bool {
	return slices.Contains([]int{408, 425, 429, 500, 502, 503, 504}, status)
}

// request asks the token endpoint, again where that may help, and tells which
// form of the client's authentication it took.
func request(ctx context.Context, w *Wire, clock Clock, cfg *credentials.OAuth, known string, params url.Values) (*oauth2.Token, string, error) {
	styles := clientStyles(cfg, known)
	for i, style := range styles {
		tok, err := attempts(ctx, w, clock, cfg, style, params)
		var answer *oauth2.RetrieveError
		if err != nil && i+1 < len(styles) && errors.As(err, &answer) && asksOtherwise(answer) {
			continue
		}
		return tok, style, err
	}
	panic("there is a last style")
}

// clientStyles are the places in which the client's name and secret are tried, of
// which known is the one that the server took the last time.
func clientStyles(cfg *credentials.OAuth, known string) []string {
	switch {
	case cfg.ClientAuth != "":
		return []string{cfg.ClientAuth}
	case known != "":
		return []string{known}
	case cfg.ClientID == "" || cfg.ClientSecret == "":
		return []string{credentials.ClientAuthBody}
	}
	return []string{credentials.ClientAuthHeader, credentials.ClientAuthBody}
}

// asksOtherwise reports whether a server may want the client's name and secret
// in another place.
func asksOtherwise(e *oauth2.RetrieveError) bool {
	if e.Response.StatusCode != http.StatusUnauthorized && e.Response.StatusCode != http.StatusBadRequest {
		return false
	}
	return slices.Contains([]string{"", "invalid_client", "invalid_request", "unauthorized_client"}, e.ErrorCode)
}

// grantType is a grant as a token endpoint names it.
func grantType(grant string) string {
	if grant == credentials.GrantJWT {
		return "urn:ietf:params:oauth:grant-type:jwt-bearer"
	}
	return grant // the others are called so
}

// attempts asks until there is an answer that counts. A request with a refresh
// token that got no answer is sent once more, and not as often as others: the
// server may have replaced the token, and then must not see the old one often.
func attempts(ctx context.Context, w *Wire, clock Clock, cfg *credentials.OAuth, style string, params url.Values) (*oauth2.Token, error) {
	conf := clientcredentials.Config{
		ClientID: cfg.ClientID, ClientSecret: cfg.ClientSecret, TokenURL: cfg.TokenURL, Scopes: cfg.Scopes,
		EndpointParams: url.Values{"grant_type": {grantType(cfg.Grant)}}, AuthStyle: oauth2.AuthStyleInParams,
	}
	if style == credentials.ClientAuthHeader {
		conf.AuthStyle = oauth2.AuthStyleInHeader
	}
	if cfg.Audience != "" && cfg.Grant != credentials.GrantJWT {
		conf.EndpointParams.Set("audience", cfg.Audience)
	}
	if cfg.Grant == credentials.GrantRefresh {
		conf.Scopes = nil // those that were granted (RFC 6749, section 6)
	}
	for _, r := range cfg.Resource {
		conf.EndpointParams.Add("resource", r)
	}
	for _, p := range cfg.Extra {
		conf.EndpointParams.Set(p.Name, p.Value)
	}
	for name, values := range params {
		conf.EndpointParams[name] = values
	}
	unanswered := 0
	for attempt := 1; ; attempt++ {
		tok, sent, err := once(ctx, w, &conf)
		if err == nil {
			return tok, checkToken(tok)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var answer *oauth2.RetrieveError
		var headers http.Header
		again := attempt < w.Attempts
		if errors.As(err, &answer) {
			if !retried(answer.Response.StatusCode) {
				return nil, err
			}
			headers = answer.Response.Header
		} else if sent && cfg.Grant == credentials.GrantRefresh {
			unanswered++
			again = unanswered == 1
		}
		if !again {
			return nil, err
		}
		wait, ok := w.Pause(headers, attempt)
		if !ok {
			return nil, fmt.Errorf("%w (the server asks to wait %s, longer than rateLimit.maxWait)", err, wait.Round(time.Second))
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// errMalformed is wrapped by the error for a token that can't be used.
var errMalformed = errors.New("the token of the server's answer can't be sent")

func checkToken(tok *oauth2.Token) error {
	for _, c := range tok.TokenType + tok.AccessToken {
		if c < ' ' || c == 0x7f {
			return fmt.Errorf("%w: it holds a line end or another control character", errMalformed)
		}
	}
	return nil
}

// once sends one request, and tells whether it has reached a server.
func once(ctx context.Context, w *Wire, conf *clientcredentials.Config) (tok *oauth2.Token, sent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	client := &http.Client{
		Transport: w.Transport,
		// Where a token endpoint redirects to is nobody to give secrets to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	tok, err = conf.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	var answer *oauth2.RetrieveError
	if err != nil && !errors.As(err, &answer) {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // which repeats neither the method nor the address
		}
		if ctx.Err() != nil {
			err = fmt.Errorf("no complete answer within %s (timeout): %w", w.Timeout, context.DeadlineExceeded)
		}
	}
	return tok, connected.Load(), err
}

// assertionLife is how long an assertion is good for: the most that Google and
// others take.
const assertionLife = time.Hour

// clockSkew is by how much this side's clock may be ahead: an assertion from the
// future is not taken.
const clockSkew = 10 * time.Second

// assertion makes the text that a grant jwt_bearer sends (RFC 7523, section 3).
func assertion(cfg *credentials.OAuth, now time.Time) (string, error) {
	a := cfg.JWT
	header := map[string]any{"alg": a.Algorithm, "typ": "JWT"}
	if a.KeyID != "" {
		header["kid"] = a.KeyID
	}
	claims := map[string]any{
		"iss": a.Issuer, "aud": a.Audience, "jti": uuid.NewString(),
		"iat": now.Add(-clockSkew).Unix(), "exp": now.Add(assertionLife - clockSkew).Unix(),
	}
	if a.Subject != "" {
		claims["sub"] = a.Subject
	}
	if len(cfg.Scopes) > 0 {
		claims["scope"] = strings.Join(cfg.Scopes, " ") // there is where Google looks
	}
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return stdlib.SignJWT(h, c, a.Algorithm, a.Key)
}
