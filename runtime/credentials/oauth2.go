package credentials

import (
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"reqon/stdlib"
	"reqon/vm/value"
)

// The grants by which an access token is come by, as `grant` names them.
const (
	GrantClient  = "client_credentials" // RFC 6749, section 4.4
	GrantRefresh = "refresh_token"      // section 6; the first token is in the entry or comes of a sign-in
	GrantJWT     = "jwt_bearer"         // RFC 7523
	GrantPass    = "password"           // section 4.3
	// GrantNone has an access token and no way to another one.
	GrantNone = ""
)

var grants = []string{GrantClient, GrantRefresh, GrantJWT, GrantPass}

// The places where a token endpoint looks for the client's name and secret.
const (
	ClientAuthHeader = "header" // HTTP basic authentication
	ClientAuthBody   = "body"   // client_id and client_secret
)

// OAuth is how a source comes by its access tokens. It is immutable.
type OAuth struct {
	Name  string // of the entry
	Where string // it stands, for a person
	Grant string

	ClientID, ClientSecret string
	ClientAuth             string // "": one is tried, then the other
	TokenURL               string // "" only without a grant
	AuthorizationURL       string // of a sign-in by a person; may be ""
	DeviceURL              string // likewise (RFC 8628)
	RedirectPort           int    // of a sign-in; 0: any that is free
	Scopes                 []string
	Audience               string
	Resource               []string   // RFC 8707
	Extra                  []Field    // further parameters of the token request
	Username, Password     string     // of the grant password
	JWT                    *Assertion // of the grant jwt_bearer

	AccessToken  string    // to begin with; may be ""
	Expires      time.Time // of AccessToken; zero if it is not known
	RefreshToken string    // to begin with; may be ""

	// Account names what is signed in, for the state folder: it stays the same
	// as long as a sign-in is good for the entry, also when a secret of the
	// client is replaced.
	Account string
	// Hash changes with everything that an access token depends on. It shows
	// nothing of the secrets.
	Hash string
}

// Assertion is what a grant jwt_bearer signs.
type Assertion struct {
	Key       []byte // PEM
	KeyID     string
	Issuer    string
	Subject   string
	Audience  string
	Algorithm string // RS256 or ES256
}

// NeedsLogin tells whether a person has to sign in first.
func (o *OAuth) NeedsLogin() bool { return o.Grant == GrantRefresh && o.RefreshToken == "" }

// MayLogin tells whether a person can sign in.
func (o *OAuth) MayLogin() bool { return o.AuthorizationURL != "" || o.DeviceURL != "" }

// oauth2 reads and checks everything that oauth2 needs.
func (l *lookup) oauth2(c *Credential) error {
	o := &OAuth{Name: l.source, Where: l.whereEntry()}
	c.OAuth = o
	if err := l.oauthTexts(o); err != nil {
		return err
	}
	if err := l.oauthRest(o); err != nil {
		return err
	}
	key, err := l.assertion(o)
	if err != nil {
		return err
	}
	o.JWT = key
	if err := l.grant(o); err != nil {
		return err
	}
	if o.Grant != GrantJWT {
		o.JWT = nil
	}
	o.identify()
	for _, s := range []string{o.ClientSecret, o.AccessToken, o.RefreshToken, o.Password} {
		if s != "" {
			c.secrets = append(c.secrets, s)
		}
	}
	if o.JWT != nil {
		c.secrets = append(c.secrets, string(o.JWT.Key))
	}
	for _, p := range o.Extra {
		if SecretName(p.Name) {
			c.secrets = append(c.secrets, p.Value)
		}
	}
	return nil
}

// whereEntry names the entry for a person.
func (l *lookup) whereEntry() string {
	if l.entry != nil {
		return l.set.file + ": " + l.source
	}
	return "the environment variables REQON_" + strings.ToUpper(l.source) + "_…"
}

// oauthTexts reads the fields that are text.
func (l *lookup) oauthTexts(o *OAuth) error {
	for _, t := range []struct {
		f  field
		to *string
	}{
		{fieldGrant, &o.Grant}, {fieldClientID, &o.ClientID}, {fieldClientSecret, &o.ClientSecret},
		{fieldClientAuth, &o.ClientAuth}, {fieldAccessToken, &o.AccessToken}, {fieldRefreshToken, &o.RefreshToken},
		{fieldTokenURL, &o.TokenURL}, {fieldAuthorizationURL, &o.AuthorizationURL}, {fieldDeviceURL, &o.DeviceURL},
		{fieldAudience, &o.Audience}, {fieldUsername, &o.Username}, {fieldPassword, &o.Password},
	} {
		v, ok, err := l.get(t.f)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		*t.to = v.text
		switch t.f.keys[0] {
		case "grant":
			if !slices.Contains(grants, v.text) {
				return fmt.Errorf("%s is no grant, expected %s", v.where, orList(quoted(grants)))
			}
		case "clientAuth":
			if v.text != ClientAuthHeader && v.text != ClientAuthBody {
				return fmt.Errorf(`%s is neither "header" nor "body"`, v.where)
			}
		case "tokenUrl", "authorizationUrl", "deviceUrl":
			if u, err := url.Parse(v.text); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" {
				return fmt.Errorf("%s is not an http or https address", v.where)
			}
		case "accessToken":
			if !isHeaderValue(v.text) {
				return fmt.Errorf("%s holds a line end or another control character, which no header can carry: remove it", v.where)
			}
		}
	}
	if l.google && o.TokenURL == "" {
		v, ok, err := l.get(field{keys: []string{"token_uri"}})
		if err != nil {
			return err
		}
		if o.TokenURL = googleTokenURL; ok {
			o.TokenURL = v.text
		}
	}
	return nil
}

// oauthRest reads the fields that are no text.
func (l *lookup) oauthRest(o *OAuth) (err error) {
	if o.Scopes, err = l.list(fieldScopes); err != nil {
		return err
	}
	if o.Resource, err = l.list(fieldResource); err != nil {
		return err
	}
	if o.Extra, err = l.object(fieldExtra); err != nil {
		return err
	}
	if n, where, ok, err := l.whole(fieldRedirectPort); err != nil {
		return err
	} else if ok {
		if n < 1 || n > 65535 {
			return fmt.Errorf("%s is not a port, expected 1 to 65535", where)
		}
		o.RedirectPort = int(n)
	}
	o.Expires, err = l.expiry()
	return err
}

// list reads a field that is a text, its parts separated by spaces, or a list
// of texts.
func (l *lookup) list(f field) ([]string, error) {
	if l.entry != nil {
		if v, ok := l.entry.Get(f.keys[0]); ok && v.Kind() == value.Array {
			var out []string
			for i, e := range v.Elems() {
				text, err := l.text(e, fmt.Sprintf("%s[%d]", jsonPath(l.source, f.keys[0]), i))
				if err != nil {
					return nil, err
				}
				out = append(out, text.text)
			}
			return out, nil
		}
	}
	v, _, err := l.get(f)
	return strings.Fields(v.text), err
}

// object reads a field that is an object of texts, sorted by name.
func (l *lookup) object(f field) ([]Field, error) {
	if l.entry == nil {
		return nil, nil
	}
	v, ok := l.entry.Get(f.keys[0])
	if !ok || v.IsNull() {
		return nil, nil
	}
	path := jsonPath(l.source, f.keys[0])
	if v.Kind() != value.Object {
		return nil, fmt.Errorf("%s: %s is %s, expected an object of names and texts", l.set.file, path, kindOf(v))
	}
	var out []Field
	o := v.Obj()
	for i, raw := range o.Slots() {
		name := o.Shape().Key(i)
		text, err := l.text(raw, jsonPath(path, name))
		if err != nil {
			return nil, err
		}
		switch name {
		case "grant_type", "client_id", "client_secret", "refresh_token", "assertion", "username", "password", "scope", "code", "code_verifier":
			return nil, fmt.Errorf("%s can't be set: it follows from the other fields", text.where)
		}
		out = append(out, Field{name, text.text})
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// whole reads a field that is a whole number, also as text.
func (l *lookup) whole(f field) (n int64, where string, ok bool, err error) {
	if l.entry != nil {
		where = l.set.file + ": " + jsonPath(l.source, f.keys[0])
		if v, there := l.entry.Get(f.keys[0]); there && v.IsNumber() {
			n, ok = value.AsInt(v)
			if !ok {
				return 0, where, false, fmt.Errorf("%s is not a whole number", where)
			}
			return n, where, true, nil
		}
	}
	v, ok, err := l.get(f)
	if !ok || err != nil {
		return 0, where, false, err
	}
	if n, err = strconv.ParseInt(v.text, 10, 64); err != nil {
		return 0, v.where, false, fmt.Errorf("%s is not a whole number", v.where)
	}
	return n, v.where, true, nil
}

// expiry reads when the access token of the entry expires.
func (l *lookup) expiry() (time.Time, error) {
	n, where, ok, err := l.whole(fieldExpiresAt)
	if err == nil && ok {
		if n < 0 || n > math.MaxInt32*100 {
			return time.Time{}, fmt.Errorf("%s is not a time, expected RFC 3339 (2026-01-20T09:00:00Z) or unix seconds", where)
		}
		return time.Unix(n, 0), nil
	}
	v, ok, err2 := l.get(fieldExpiresAt)
	if err2 != nil {
		return time.Time{}, err2
	}
	if !ok {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, v.text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is not a time, expected RFC 3339 (2026-01-20T09:00:00Z) or unix seconds", v.where)
	}
	return at, nil
}

// grant settles the grant, by what there is if the entry does not say, and
// checks that what it needs is there.
func (l *lookup) grant(o *OAuth) error {
	if o.Grant == "" {
		switch {
		case o.JWT != nil:
			o.Grant = GrantJWT
		case o.RefreshToken != "":
			o.Grant = GrantRefresh
		case o.MayLogin():
			o.Grant = GrantRefresh
		case o.Username != "":
			o.Grant = GrantPass
		case o.AccessToken != "" && (o.TokenURL == "" || o.ClientSecret == ""):
			o.Grant = GrantNone
			return nil
		default:
			o.Grant = GrantClient
		}
	}
	if _, err := l.needText(o.TokenURL, "the address that gives tokens", fieldTokenURL); err != nil {
		return err
	}
	switch o.Grant {
	case GrantClient:
		if _, err := l.need(OAuth2, "a client id, or an access token", fieldClientID); err != nil {
			return err
		}
		_, err := l.need(OAuth2, "a client secret", fieldClientSecret)
		return err
	case GrantRefresh:
		if o.RefreshToken == "" && !o.MayLogin() {
			return l.missing(OAuth2, "a refresh token (or authorizationUrl or deviceUrl, so that `reqon login` can get one)", fieldRefreshToken)
		}
		_, err := l.need(OAuth2, "a client id", fieldClientID)
		return err
	case GrantPass:
		if _, err := l.need(OAuth2, "a username", fieldUsername); err != nil {
			return err
		}
		_, err := l.need(OAuth2, "a password", fieldPassword)
		return err
	case GrantJWT:
		if o.JWT == nil {
			return l.missing(OAuth2, "a private key", fieldPrivateKey)
		}
	}
	return nil
}

// needText is need for a field that has been read.
func (l *lookup) needText(text, what string, f field) (found, error) {
	if text != "" {
		return found{text: text}, nil
	}
	return l.need(OAuth2, what, f)
}

// The key file of a service account that Google's console hands out.
const (
	googleType     = "service_account"
	googleTokenURL = "https://oauth2.googleapis.com/token"
)

var googleFields = []string{
	"project_id", "private_key_id", "private_key", "client_email", "client_id", "auth_uri", "token_uri",
	"auth_provider_x509_cert_url", "client_x509_cert_url", "universe_domain",
}

// assertion reads what a grant jwt_bearer signs; nil if there is no key.
func (l *lookup) assertion(o *OAuth) (*Assertion, error) {
	a := &Assertion{Algorithm: "RS256"}
	key, hasKey, err := l.get(fieldPrivateKey)
	if err != nil {
		return nil, err
	}
	file, hasFile, err := l.get(fieldPrivateKeyFile)
	if err != nil {
		return nil, err
	}
	switch {
	case l.google:
		if key, hasKey, err = l.get(field{keys: []string{"private_key"}}); err != nil {
			return nil, err
		}
		if !hasKey {
			return nil, fmt.Errorf("%w: %s: %s has no private_key", ErrMissing, l.set.file, l.source)
		}
		if err := l.googleNames(a); err != nil {
			return nil, err
		}
	case hasKey && hasFile:
		return nil, fmt.Errorf("%s and %s both give the key, expected one of them", key.where, file.where)
	case hasFile:
		if key, err = l.keyFile(file, a, o); err != nil {
			return nil, err
		}
	case !hasKey:
		return nil, nil
	}
	a.Key = []byte(key.text)
	for _, t := range []struct {
		f  field
		to *string
	}{{fieldIssuer, &a.Issuer}, {fieldSubject, &a.Subject}, {fieldKeyID, &a.KeyID}, {fieldAlgorithm, &a.Algorithm}} {
		v, ok, err := l.get(t.f)
		if err != nil {
			return nil, err
		}
		if ok {
			*t.to = v.text
		}
		if t.f.keys[0] == "algorithm" && a.Algorithm != "RS256" && a.Algorithm != "ES256" {
			return nil, fmt.Errorf(`%s is neither "RS256" nor "ES256"`, v.where)
		}
	}
	if a.Issuer == "" {
		if a.Issuer = o.ClientID; a.Issuer == "" {
			return nil, l.missing(OAuth2, "an issuer, who signs the assertion", fieldIssuer)
		}
	}
	if a.Audience = o.Audience; a.Audience == "" {
		a.Audience = o.TokenURL
	}
	if _, err := stdlib.SignJWT([]byte("{}"), []byte("{}"), a.Algorithm, a.Key); err != nil {
		return nil, fmt.Errorf("%s: %w", key.where, err)
	}
	return a, nil
}

// googleNames reads the other fields of an entry that is a key file of Google's.
func (l *lookup) googleNames(a *Assertion) error {
	for _, t := range []struct {
		key string
		to  *string
	}{{"client_email", &a.Issuer}, {"private_key_id", &a.KeyID}} {
		v, _, err := l.get(field{keys: []string{t.key}})
		if err != nil {
			return err
		}
		*t.to = v.text
	}
	return nil
}

// keyFile reads the file that holds the key: PEM, or a key file of Google's.
// Its name counts from the folder of the credentials file.
func (l *lookup) keyFile(name found, a *Assertion, o *OAuth) (found, error) {
	path := name.text
	if !filepath.IsAbs(path) && l.entry != nil {
		path = filepath.Join(filepath.Dir(l.set.file), path)
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return found{}, fmt.Errorf("%s is not the name of a file: there is none at %s", name.where, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return found{}, fmt.Errorf("%s can't be read: %w", name.where, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return found{}, fmt.Errorf("%s can't be read: %w", name.where, err)
	}
	key := found{string(data), name.where}
	if !strings.HasPrefix(strings.TrimSpace(key.text), "{") {
		return key, nil
	}
	doc, err := value.ParseJSON(nil, key.text)
	if err != nil {
		return found{}, fmt.Errorf("%s is not valid JSON: %s", name.where, harmless(err))
	}
	for _, t := range []struct {
		key string
		to  *string
	}{{"private_key", &key.text}, {"client_email", &a.Issuer}, {"private_key_id", &a.KeyID}, {"token_uri", &o.TokenURL}} {
		v := value.Field(doc, t.key)
		if v.IsNull() && t.key != "private_key" || t.key == "token_uri" && o.TokenURL != "" {
			continue
		}
		if v.Kind() != value.String {
			return found{}, fmt.Errorf("%s has no text %s: expected PEM, or the JSON key file of a service account", name.where, t.key)
		}
		*t.to = v.Str()
	}
	if o.TokenURL == "" {
		o.TokenURL = googleTokenURL
	}
	return key, nil
}

// identify works out Account and Hash.
func (o *OAuth) identify() {
	parts := []string{o.Grant, o.TokenURL, o.ClientID, strings.Join(o.Scopes, " "), o.Audience, strings.Join(o.Resource, " "), o.Username}
	for _, p := range o.Extra {
		parts = append(parts, p.Name, p.Value)
	}
	parts = append(parts, "")
	switch {
	case o.JWT != nil:
		parts = append(parts, o.JWT.Issuer, o.JWT.Subject, o.JWT.Audience)
	case o.MayLogin():
		// Who signs in is up to the person; only the name of the entry tells two
		// apart.
		parts = append(parts, o.Name, o.RefreshToken)
	case o.RefreshToken != "":
		parts = append(parts, o.RefreshToken)
	case o.Grant == GrantNone:
		parts = append(parts, o.AccessToken)
	}
	o.Account = digest(parts...)[:32]
	key := ""
	if o.JWT != nil {
		key = string(o.JWT.Key)
	}
	// A password may be so short that a hash gives it away.
	o.Hash = digest(append(parts, o.ClientSecret, o.AccessToken, o.RefreshToken, key)...)[:32]
}

// SecretName reports whether the name of a field or parameter says that its
// value is secret.
func SecretName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"authorization", "cookie", "token", "secret", "password", "key", "signature", "assertion"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
