package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// ecKey returns a private key in PEM.
func ecKey(t testing.TB) string {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// entryOf returns a credentials file with one entry.
func entryOf(t testing.TB, fields map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"API": fields})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func oauthOf(t *testing.T, file string, env ...string) *OAuth {
	t.Helper()
	c, err := load(t, file, env...).For("API", OAuth2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.OAuth == nil || c.Account == "" || c.OAuth.Account == "" || c.OAuth.Hash == "" {
		t.Fatalf("got %+v", c)
	}
	return c.OAuth
}

func TestOAuthFields(t *testing.T) {
	o := oauthOf(t, `{"API":{"type":"oauth2","grant":"client_credentials","clientId":"c","clientSecret":"$S","tokenEndpoint":"https://x/t",
		"authorizationUrl":"https://x/a","deviceUrl":"https://x/d","clientAuth":"body","scopes":["a","b"],"audience":"aud","resource":"r1 r2",
		"extra":{"z":"1","account":"2"},"redirectPort":8085,"accessToken":"tok","expiresAt":"2026-01-20T09:00:00Z"}}`, "S", "hush-hush")
	o.Account, o.Hash, o.Where = "", "", ""
	want := &OAuth{
		Name: "API", Grant: GrantClient, ClientID: "c", ClientSecret: "hush-hush", ClientAuth: ClientAuthBody, TokenURL: "https://x/t",
		AuthorizationURL: "https://x/a", DeviceURL: "https://x/d", RedirectPort: 8085, Scopes: []string{"a", "b"}, Audience: "aud",
		Resource: []string{"r1", "r2"}, Extra: []Field{{"account", "2"}, {"z", "1"}}, AccessToken: "tok",
		Expires: time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC),
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got  %+v\nwant %+v", o, want)
	}
}

// Without a grant, the one counts for which there is everything.
func TestOAuthGrantByWhatIsThere(t *testing.T) {
	key := ecKey(t)
	base := func(more map[string]any) map[string]any {
		f := map[string]any{"type": "oauth2", "clientId": "c", "tokenUrl": "https://x/t"}
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	for _, tt := range []struct {
		fields map[string]any
		grant  string
		login  bool
	}{
		{base(map[string]any{"clientSecret": "s"}), GrantClient, false},
		{base(map[string]any{"clientSecret": "s", "accessToken": "tok"}), GrantClient, false},
		{base(map[string]any{"clientSecret": "s", "refreshToken": "r"}), GrantRefresh, false},
		{base(map[string]any{"refreshToken": "r"}), GrantRefresh, false},
		{base(map[string]any{"authorizationUrl": "https://x/a"}), GrantRefresh, true},
		{base(map[string]any{"clientSecret": "s", "deviceUrl": "https://x/d"}), GrantRefresh, true},
		{base(map[string]any{"username": "u", "password": "p"}), GrantPass, false},
		{base(map[string]any{"privateKey": key, "algorithm": "ES256"}), GrantJWT, false},
		{map[string]any{"type": "oauth2", "accessToken": "tok"}, GrantNone, false},
		{map[string]any{"type": "oauth2", "accessToken": "tok", "expiresAt": 1768899600}, GrantNone, false},
		{map[string]any{"type": "oauth2", "accessToken": "tok", "expiresAt": "1768899600"}, GrantNone, false},
	} {
		o := oauthOf(t, entryOf(t, tt.fields))
		if o.Grant != tt.grant || o.NeedsLogin() != tt.login {
			t.Errorf("%v: grant %q, needs a login %v; want %q, %v", tt.fields, o.Grant, o.NeedsLogin(), tt.grant, tt.login)
		}
	}
}

func TestOAuthByEnvironment(t *testing.T) {
	o := oauthOf(t, "", "REQON_API_CLIENT_ID", "c", "REQON_API_CLIENT_SECRET", "hush", "REQON_API_TOKEN_URL", "https://x/t",
		"REQON_API_SCOPES", "a b", "REQON_API_REDIRECT_PORT", "99", "REQON_API_EXPIRES_AT", "1768899600")
	if o.Grant != GrantClient || o.ClientSecret != "hush" || len(o.Scopes) != 2 || o.RedirectPort != 99 || o.Expires.Unix() != 1768899600 {
		t.Errorf("got %+v", o)
	}
}

// Google's key file works as the entry itself and as privateKeyFile.
func TestGoogleKeyFile(t *testing.T) {
	google := map[string]any{
		"type": "service_account", "project_id": "p", "private_key_id": "kid", "private_key": ecKey(t), "client_email": "sync@p.example",
		"client_id": "1", "auth_uri": "https://a", "token_uri": "https://oauth2.example/token", "auth_provider_x509_cert_url": "https://b",
		"client_x509_cert_url": "https://c", "universe_domain": "googleapis.com",
	}
	check := func(o *OAuth, subject string) {
		t.Helper()
		if o.Grant != GrantJWT || o.TokenURL != "https://oauth2.example/token" || o.JWT.Issuer != "sync@p.example" || o.JWT.KeyID != "kid" ||
			o.JWT.Audience != "https://oauth2.example/token" || o.JWT.Subject != subject || len(o.Scopes) != 1 {
			t.Errorf("got %+v, %+v", o, o.JWT)
		}
	}
	plain, err := json.Marshal(google)
	if err != nil {
		t.Fatal(err)
	}
	google["scopes"], google["subject"], google["algorithm"] = "https://scope", "user@p.example", "ES256"
	set := load(t, entryOf(t, google))
	if len(set.Warnings) > 0 {
		t.Errorf("warnings: %q", set.Warnings)
	}
	c, err := set.For("API", OAuth2, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(c.OAuth, "user@p.example")

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "google.json"), plain, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "credentials.json")
	if err := os.WriteFile(file, []byte(`{"API":{"type":"oauth2","privateKeyFile":"google.json","scopes":["https://scope"],"algorithm":"ES256"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err = Load(file, environ())
	if err != nil {
		t.Fatal(err)
	}
	if c, err = set.For("API", "", nil); err != nil {
		t.Fatal(err)
	}
	check(c.OAuth, "")
}

func TestOAuthErrors(t *testing.T) {
	key := ecKey(t)
	full := func(more ...any) string {
		f := map[string]any{"type": "oauth2", "clientId": "c", "clientSecret": "hush-hush", "tokenUrl": "https://x/t"}
		for i := 0; i < len(more); i += 2 {
			f[more[i].(string)] = more[i+1]
		}
		return entryOf(t, f)
	}
	for _, tt := range []struct {
		file string
		is   error
		want string
	}{
		{full("grant", "hush"), nil, `API.grant is no grant, expected "client_credentials", "refresh_token", "jwt_bearer" or "password"`},
		{full("grant", "refresh_token"), ErrMissing, "a refresh token (or authorizationUrl or deviceUrl, so that `reqon login` can get one)"},
		{full("grant", "jwt_bearer"), ErrMissing, "a private key"},
		{full("grant", "password"), ErrMissing, "a username"},
		{full("clientAuth", "hush"), nil, `API.clientAuth is neither "header" nor "body"`},
		{full("tokenUrl", "https://u:hush@x"), nil, "API.tokenUrl is not an http or https address"},
		{full("authorizationUrl", "hush"), nil, "API.authorizationUrl is not an http or https address"},
		{full("deviceUrl", "hush"), nil, "API.deviceUrl is not an http or https address"},
		{full("redirectPort", 0), nil, "API.redirectPort is not a port, expected 1 to 65535"},
		{full("redirectPort", 1.5), nil, "API.redirectPort is not a whole number"},
		{full("redirectPort", "hush"), nil, "API.redirectPort is not a whole number"},
		{full("redirectPort", []int{1}), nil, "API.redirectPort is an array, expected a string"},
		{full("extra", "hush"), nil, "API.extra is a string, expected an object of names and texts"},
		{full("extra", map[string]any{"a": 1}), nil, "API.extra.a is a number"},
		{full("extra", map[string]any{"client_secret": "hush"}), nil, "API.extra.client_secret can't be set"},
		{full("scopes", 5), nil, "API.scopes is a number"},
		{full("expiresAt", -5), nil, "API.expiresAt is not a time"},
		{full("accessToken", "hush\nhush"), nil, "API.accessToken holds a line end"},
		{full("privateKey", "hush-hush"), nil, "API.privateKey: the key is not a private key in PEM"},
		{full("privateKey", key), nil, "API.privateKey: the key is not an RSA key, which RS256 needs"},
		{full("privateKey", key, "algorithm", "hush"), nil, `API.algorithm is neither "RS256" nor "ES256"`},
		{full("privateKey", key, "privateKeyFile", "x"), nil, "API.privateKey and"},
		{full("privateKeyFile", "no-such-file"), nil, "API.privateKeyFile is not the name of a file"},
		{entryOf(t, map[string]any{"type": "service_account"}), ErrMissing, "API has no private_key"},
		{entryOf(t, map[string]any{"type": "service_account", "private_key": 5}), nil, "API.private_key is a number"},
		{entryOf(t, map[string]any{"type": "oauth2", "clientId": "c", "clientSecret": "hush"}), ErrMissing, "tokenUrl"},
	} {
		c, err := load(t, tt.file).For("API", OAuth2, nil)
		if err == nil {
			t.Errorf("%s: no error, got %+v", tt.file, c.OAuth)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v, want %q", tt.file, err, tt.want)
		}
		if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: shows a value, or is no single line", err)
		}
	}
}

// A sign-in stays with its entry when a secret of the client is replaced, and
// with it alone.
func TestOAuthAccount(t *testing.T) {
	entry := func(name, secret, refresh, scopes string) *OAuth {
		t.Helper()
		file := `{"` + name + `":{"type":"oauth2","clientId":"c","clientSecret":"` + secret + `","refreshToken":"` + refresh + `","tokenUrl":"https://x/t","scopes":"` + scopes + `"}}`
		c, err := load(t, file).For(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.OAuth
	}
	a := entry("A", "s1", "r1", "x")
	if b := entry("B", "s1", "r1", "x"); b.Account != a.Account || b.Hash != a.Hash {
		t.Error("the name of a source counts")
	}
	if b := entry("A", "s2", "r1", "x"); b.Account != a.Account || b.Hash == a.Hash {
		t.Error("another secret of the client: want the same account, and another hash")
	}
	if b := entry("A", "s1", "r2", "x"); b.Account == a.Account {
		t.Error("another refresh token is another sign-in")
	}
	if b := entry("A", "s1", "r1", "y"); b.Account == a.Account {
		t.Error("other scopes are another sign-in")
	}
	login := func(name string) string {
		t.Helper()
		c, err := load(t, `{"`+name+`":{"type":"oauth2","clientId":"c","authorizationUrl":"https://x/a","tokenUrl":"https://x/t"}}`).For(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.OAuth.Account
	}
	if login("A") == login("B") {
		t.Error("two sign-ins by persons share an account")
	}
}

func TestAPIKeySpellings(t *testing.T) {
	for _, tt := range []struct {
		file   string
		header []Field
		query  []Field
		err    string
	}{
		{`{"type":"api_key","key":"k1","headerName":"X-K"}`, []Field{{"X-K", "k1"}}, nil, ""},
		{`{"type":"api_key","key":"k1","queryParam":"k"}`, nil, []Field{{"k", "k1"}}, ""},
		{`{"type":"api_key","key":"k1","apiKeyLocation":"query","queryParam":"k"}`, nil, []Field{{"k", "k1"}}, ""},
		{`{"type":"api_key","key":"k1","apiKeyLocation":"query"}`, nil, []Field{{"api_key", "k1"}}, ""},
		{`{"type":"api_key","key":"k1","apiKeyLocation":"header","headerName":"X-K"}`, []Field{{"X-K", "k1"}}, nil, ""},
		{`{"type":"api_key","key":"k1","apiKeyLocation":"header"}`, []Field{{"X-Api-Key", "k1"}}, nil, ""},
		{`{"type":"api_key","key":"hush","apiKeyLocation":"body"}`, nil, nil, `API.apiKeyLocation is neither "header" nor "query"`},
		{`{"type":"api_key","key":"hush","apiKeyLocation":"query","headerName":"X"}`, nil, nil, "says that the key goes into the query"},
		{`{"type":"api_key","key":"hush","apiKeyLocation":"header","queryParam":"X"}`, nil, nil, "says that the key goes into a header"},
		{`{"type":"api_key","key":"hush","header":"X","headerName":"X"}`, nil, nil, "mean the same"},
	} {
		c, err := load(t, `{"API":`+tt.file+`}`).For("API", APIKey, nil)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%s: %v, want %q", tt.file, err, tt.err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(c.Headers, tt.header) || !reflect.DeepEqual(c.Query, tt.query) {
			t.Errorf("%s: %v %v %v", tt.file, c, err, tt.header)
		}
	}
}

func TestSigV4(t *testing.T) {
	env := []string{"AWS_ACCESS_KEY_ID", "AKID", "AWS_SECRET_ACCESS_KEY", "hush-hush", "AWS_SESSION_TOKEN", "session", "AWS_REGION", "eu-central-1"}
	c, err := load(t, `{"API":{"type":"aws_sigv4","service":"execute-api"}}`, env...).For("API", SigV4, nil)
	if err != nil || *c.AWS != (AWS{"execute-api", "eu-central-1", "AKID", "hush-hush", "session"}) {
		t.Fatalf("got %+v %v", c, err)
	}
	// The session token of the environment is not that of a key of the entry.
	c, err = load(t, `{"API":{"type":"aws_sigv4","service":"s3","region":"us-east-1","accessKeyId":"A","secretAccessKey":"hush-hush"}}`, env...).For("API", "", nil)
	if err != nil || *c.AWS != (AWS{"s3", "us-east-1", "A", "hush-hush", ""}) {
		t.Fatalf("got %+v %v", c.AWS, err)
	}
	if c, err = load(t, "", env...).For("API", "", nil); err != nil || c.Kind != None {
		t.Errorf("variables of AWS's own make a source sign: %+v %v", c, err)
	}
	_, err = load(t, `{"API":{"type":"aws_sigv4"}}`).For("API", "", nil)
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "a service") {
		t.Errorf("got %v", err)
	}
}
