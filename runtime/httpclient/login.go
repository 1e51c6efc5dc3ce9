package httpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"reqon/runtime/credentials"
	"reqon/runtime/signin"
	"reqon/vm/value"
)

// Login is the `login` block of a source (docs/credentials.md, "Other
// sign-ins"): its functions, for whoever can evaluate them.
type Login struct {
	// Request returns the request that signs in. keep is what the last sign-in
	// has kept, or null.
	Request func(ctx context.Context, keep value.Value) (*Request, error)
	// Result returns the options of the block: an object with headers, token,
	// params, cookies, base, expires and keep, as far as they are given.
	Result func(ctx context.Context, answer, keep value.Value) (value.Value, error)
	// When tells of an answer whether it says that the sign-in is over; nil: no
	// answer does but a 401.
	When func(ctx context.Context, answer value.Value) (bool, error)
	// Account tells who signs in from others.
	Account string
}

// SetLogin makes the source sign in by itself. It must come before Gates.Open.
func (s *Source) SetLogin(l *Login) error {
	if s.base == nil {
		return errors.New("there is no base, expected one: what `login` gives is only sent to its origin")
	}
	s.login = l
	return nil
}

// pass is what requests carry after a login. It is immutable but for its jar.
type pass struct {
	Headers map[string]string `json:"headers,omitempty"`
	Params  []signField       `json:"params,omitempty"`
	Base    string            `json:"base,omitempty"`
	Cookies []string          `json:"cookies,omitempty"` // lines of Set-Cookie
	At      string            `json:"at,omitempty"`      // the address that they are of

	base *url.URL
	jar  *cookiejar.Jar // nil: no cookies
}

type signField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// signIn gets what the call carries, which may take the source's login.
func (k *call) signIn(ctx context.Context) error {
	l := k.source.lease.login
	if l == nil {
		return fmt.Errorf("source %s: nobody keeps its sign-in", k.source.name)
	}
	t := l.Current()
	if t == nil {
		var err error
		if t, err = l.Ticket(ctx, signin.Asker{Ask: k.askLogin, Read: readPass}); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return k.notSignedIn(err)
		}
	}
	if t == k.ticket {
		return nil
	}
	k.ticket, k.carried = t, t.Value.(*pass)
	return k.rebase()
}

// needsLogin reports whether the call carries what the source's login gives: it
// goes to the origin of its base, or of the one that the login has given.
func (k *call) needsLogin() bool {
	if k.source.login == nil || k.request.forLogin {
		return false
	}
	if k.home || k.source.lease.login == nil {
		return k.home
	}
	t := k.source.lease.login.Current()
	return t != nil && sameOrigin(k.url, t.Value.(*pass).base)
}

// rebase makes the call go to where its sign-in says.
func (k *call) rebase() error {
	if k.carried.base == nil {
		return nil
	}
	was := k.home
	moved := *k.source.place()
	moved.base = k.carried.base
	moved.basePath = strings.TrimRight(moved.base.EscapedPath(), "/")
	u, home, err := buildURLAt(k.source, &moved, k.request)
	if err != nil {
		return err
	}
	if k.url, k.home = u, home; home == was {
		return nil
	}
	if err := k.setHeaders(k.request); err != nil {
		return err
	}
	k.body, err = encodeBody(k.request, k.headers)
	return err
}

// withoutPass returns u, which leads to another origin, without the parameters
// of the login: a server may copy our query into where it redirects to.
func (k *call) withoutPass(u *url.URL) *url.URL {
	if k.carried == nil || len(k.carried.Params) == 0 {
		return u
	}
	q := splitQuery(u.RawQuery)
	for _, f := range k.carried.Params {
		q = q.without(f.Name)
	}
	without := *u
	without.RawQuery = q.String()
	return &without
}

// notSignedIn is the failure of a request whose source can't sign in.
func (k *call) notSignedIn(err error) *Failure {
	f := k.failure(KindHTTP, &hop{url: k.url, home: k.home})
	var inner *Failure
	if errors.As(err, &inner) {
		f.Kind = inner.Kind
	}
	f.final, f.Attempts = true, 0
	f.Err = fmt.Errorf("the login of source %s does not work: %w", k.source.name, err)
	return f
}

// askLogin makes the request of the login, through the limits of its source, and
// without signing in for itself.
func (k *call) askLogin(ctx context.Context, kept json.RawMessage) (*signin.Ticket, error) {
	keep := value.NullValue
	if len(kept) > 0 {
		v, err := value.ParseJSON(nil, string(kept))
		if err != nil {
			return nil, errors.New("what the last login has kept can't be read")
		}
		keep = v
	}
	r, err := k.source.login.Request(ctx, keep)
	if err != nil {
		return nil, err
	}
	k.client.redactor.Add(sentSecrets(r)...)
	r.Retry, r.MaxWait, r.forLogin = &k.source.retry, &k.source.maxWait, true
	resp, err := k.client.Do(ctx, k.source, r)
	if err != nil {
		return nil, err
	}
	if !resp.at.home {
		return nil, errors.New("its request was redirected to another origin, whose answer is not taken")
	}
	options, err := k.source.login.Result(ctx, resp.Body, keep)
	if err != nil {
		return nil, err
	}
	return newTicket(options, resp, k.client.clock.Now())
}

// sentSecrets are the texts of a login's request that are named like secrets.
func sentSecrets(r *Request) (list []string) {
	var walk func(name string, v value.Value)
	walk = func(name string, v value.Value) {
		switch v.Kind() {
		case value.String:
			if len(v.Str()) >= 8 && credentials.SecretName(name) {
				list = append(list, v.Str())
			}
		case value.Array:
			for _, e := range v.Elems() {
				walk(name, e)
			}
		case value.Object:
			o := v.Obj()
			for i, e := range o.Slots() {
				walk(o.Shape().Key(i), e)
			}
		}
	}
	for _, v := range []value.Value{r.Body, r.Form, r.Params, r.Headers} {
		walk("", v)
	}
	return list
}

// newTicket makes a ticket of what the block gives.
func newTicket(options value.Value, resp *Response, now time.Time) (*signin.Ticket, error) {
	p := &pass{Headers: map[string]string{}}
	t := &signin.Ticket{}
	h := make(http.Header)
	if err := addHeaders(h, value.Field(options, "headers")); err != nil {
		return nil, err
	}
	for name, values := range h {
		p.Headers[name] = strings.Join(values, ", ")
	}
	if v := value.Field(options, "token"); !v.IsNull() {
		if v.Kind() != value.String || v.Str() == "" || checkHeader("Authorization", v.Str()) != nil {
			return nil, fmt.Errorf("option token is %s, expected text that a header can carry", value.TypeName(v))
		}
		p.Headers["Authorization"] = "Bearer " + v.Str()
	}
	err := eachField("params", value.Field(options, "params"), func(name, text string) {
		p.Params = append(p.Params, signField{name, text})
	})
	if err != nil {
		return nil, err
	}
	if v := value.Field(options, "base"); !v.IsNull() {
		if v.Kind() != value.String {
			return nil, fmt.Errorf("option base is %s, expected an address", value.TypeName(v))
		}
		p.Base = v.Str()
	}
	if v := value.Field(options, "cookies"); !v.IsNull() {
		if v.Kind() != value.Bool {
			return nil, fmt.Errorf("option cookies is %s, expected true or false", value.TypeName(v))
		}
		if v.Bool() {
			p.Cookies, p.At = append([]string{}, resp.Headers["Set-Cookie"]...), resp.at.url.String()
			if len(p.Cookies) == 0 {
				return nil, errors.New("the answer sets no cookie, and the block says cookies: true")
			}
		}
	}
	if len(p.Headers) == 0 && len(p.Params) == 0 && len(p.Cookies) == 0 {
		return nil, errors.New("the answer has given nothing that requests could carry: is there another name for it?")
	}
	if t.Expires, err = expiryOf(value.Field(options, "expires"), now); err != nil {
		return nil, err
	}
	if v := value.Field(options, "keep"); !v.IsNull() {
		t.Keep = value.AppendJSON(nil, v)
		t.Secrets = append(t.Secrets, texts(v)...)
	}
	if t.Data, err = json.Marshal(p); err != nil {
		return nil, err
	}
	v, secrets, err := readPass(t.Data)
	t.Value, t.Secrets = v, append(t.Secrets, secrets...)
	return t, err
}

// expiryOf reads the option expires: a time, the text of one, or a number of
// milliseconds from now on.
func expiryOf(v value.Value, now time.Time) (time.Time, error) {
	switch {
	case v.IsNull():
		return time.Time{}, nil
	case v.Kind() == value.Time:
		return time.UnixMilli(v.Time()), nil
	case v.Kind() == value.String:
		if ms, ok := value.ParseTime(v.Str()); ok {
			return time.UnixMilli(ms), nil
		}
	}
	return time.Time{}, fmt.Errorf("option expires is %s, expected a timestamp, such as now() + seconds(response.expires_in)", value.TypeName(v))
}

// texts are all texts in a value.
func texts(v value.Value) (list []string) {
	switch v.Kind() {
	case value.String:
		return []string{v.Str()}
	case value.Array:
		for _, e := range v.Elems() {
			list = append(list, texts(e)...)
		}
	case value.Object:
		for _, e := range v.Obj().Slots() {
			list = append(list, texts(e)...)
		}
	}
	return list
}

// readPass reads what requests carry, as it is kept.
func readPass(data json.RawMessage) (any, []string, error) {
	p := &pass{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, nil, errors.New("what the last login has given can't be read")
	}
	var secrets []string
	for name, text := range p.Headers {
		if !isToken(name) || checkHeader(name, text) != nil {
			return nil, nil, errors.New("what the last login has given can't be sent")
		}
		secrets = append(secrets, text)
		if token, ok := strings.CutPrefix(text, "Bearer "); ok {
			secrets = append(secrets, token)
		}
	}
	for _, f := range p.Params {
		secrets = append(secrets, f.Value)
	}
	if p.Base != "" {
		base, err := parseAbsolute(p.Base)
		if !isAbsolute(p.Base) || err != nil {
			return nil, nil, errors.New("option base of `login` is no address")
		}
		p.base = base
	}
	if len(p.Cookies) > 0 {
		at, err := url.Parse(p.At)
		if err != nil {
			return nil, nil, errors.New("what the last login has given can't be read")
		}
		p.jar, _ = cookiejar.New(nil) // without options it never fails
		cookies := (&http.Response{Header: http.Header{"Set-Cookie": p.Cookies}}).Cookies()
		p.jar.SetCookies(at, cookies)
		for _, c := range cookies {
			secrets = append(secrets, c.Value)
		}
	}
	return p, secrets, nil
}

// carry adds what the login has given to a hop to the source's own origin.
func (k *call) carry(at *hop) {
	p := k.carried
	if len(p.Headers) > 0 || p.jar != nil {
		at.headers = at.headers.Clone()
	}
	for name, text := range p.Headers {
		if name == "Authorization" && k.ownAuth {
			continue
		}
		at.headers[textproto.CanonicalMIMEHeaderKey(name)] = []string{text}
	}
	if p.jar != nil {
		var list []string
		for _, c := range p.jar.Cookies(at.url) {
			list = append(list, c.Name+"="+c.Value)
		}
		if len(list) > 0 {
			at.headers["Cookie"] = append(slices.Clone(at.headers["Cookie"]), strings.Join(list, "; "))
			if len(at.headers["Cookie"]) > 1 {
				at.headers["Cookie"] = []string{strings.Join(at.headers["Cookie"], "; ")}
			}
		}
	}
	if len(p.Params) > 0 {
		q := splitQuery(at.url.RawQuery)
		for _, f := range p.Params {
			q = q.without(f.Name).with(query{param(f.Name, f.Value)})
		}
		u := *at.url
		u.RawQuery = q.String()
		at.url = &u
	}
}

// over reports whether an answer says that the sign-in is over.
func (k *call) over(ctx context.Context, resp *Response, f *Failure) (bool, error) {
	when := k.source.login.When
	if when == nil {
		return false, nil
	}
	switch {
	case resp != nil && resp.at.home:
		return when(ctx, resp.Body)
	case f != nil && f.Status != 0 && f.home:
		return when(ctx, f.Body)
	}
	return false, nil
}
