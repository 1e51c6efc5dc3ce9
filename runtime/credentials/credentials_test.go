package credentials

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// environ returns a getenv over pairs of name and value.
func environ(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

// load writes text as a credentials file and loads it. With no text there is
// no file.
func load(t *testing.T, text string, env ...string) *Set {
	t.Helper()
	path := ""
	if text != "" {
		path = filepath.Join(t.TempDir(), "credentials.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Load(path, environ(env...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFor(t *testing.T) {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := []struct {
		name   string
		file   string
		env    []string
		auth   string
		inline map[string]string
		kind   string
		header []Field
		query  []Field
	}{
		{name: "bearer", file: `{"API":{"type":"bearer","token":"tok-1"}}`, auth: "bearer",
			kind: Bearer, header: []Field{{"Authorization", "Bearer tok-1"}}},
		{name: "basic", file: `{"API":{"type":"basic","username":"u","password":"p:w"}}`, auth: "basic",
			kind: Basic, header: []Field{{"Authorization", "Basic " + b64("u:p:w")}}},
		{name: "basic, empty password", file: `{"API":{"type":"basic","username":"sk_live_1","password":""}}`, auth: "basic",
			kind: Basic, header: []Field{{"Authorization", "Basic " + b64("sk_live_1:")}}},
		{name: "api key, default header", file: `{"API":{"type":"api_key","key":"k1"}}`, auth: "api_key",
			kind: APIKey, header: []Field{{"X-Api-Key", "k1"}}},
		{name: "api key, other name, header, prefix", file: `{"API":{"type":"api_key","apiKey":"k1","header":"authorization","prefix":"Token"}}`, auth: "api_key",
			kind: APIKey, header: []Field{{"Authorization", "Token k1"}}},
		{name: "api key in the query", file: `{"API":{"type":"api_key","key":"k1","query":"api_key"}}`, auth: "api_key",
			kind: APIKey, query: []Field{{"api_key", "k1"}}},
		{name: "additional headers in their order", file: `{"API":{"type":"api_key","key":"k1","additionalHeaders":{"x-b":"2","x-a":"$A"}}}`, auth: "api_key", env: []string{"A", "1"},
			kind: APIKey, header: []Field{{"X-Api-Key", "k1"}, {"X-B", "2"}, {"X-A", "1"}}},
		{name: "no auth, but an entry", file: `{"API":{"type":"bearer","token":"tok-1"}}`,
			kind: Bearer, header: []Field{{"Authorization", "Bearer tok-1"}}},
		{name: "no auth and nothing", kind: None},
		{name: "auth none beats an entry", file: `{"API":{"type":"bearer","token":"tok-1"}}`, auth: "none", kind: None},
		{name: "entry without a type", file: `{"API":{"token":"tok-1"}}`, auth: "bearer",
			kind: Bearer, header: []Field{{"Authorization", "Bearer tok-1"}}},
		{name: "an oauth2 source with a fixed token", file: `{"API":{"type":"bearer","token":"tok-1"}}`, auth: "oauth2",
			kind: Bearer, header: []Field{{"Authorization", "Bearer tok-1"}}},
		{name: "environment", auth: "bearer", env: []string{"REQON_API_TOKEN", "tok-2"},
			kind: Bearer, header: []Field{{"Authorization", "Bearer tok-2"}}},
		{name: "environment with a type", env: []string{"REQON_API_TYPE", "basic", "REQON_API_USERNAME", "u", "REQON_API_PASSWORD", ""},
			kind: Basic, header: []Field{{"Authorization", "Basic " + b64("u:")}}},
		{name: "environment, api key", auth: "api_key", env: []string{"REQON_API_API_KEY", "k2", "REQON_API_API_KEY_QUERY", "key"},
			kind: APIKey, query: []Field{{"key", "k2"}}},
		{name: "environment is not interpolated", auth: "bearer", env: []string{"REQON_API_TOKEN", "a$B"},
			kind: Bearer, header: []Field{{"Authorization", "Bearer a$B"}}},
		{name: "an entry shuts out the environment", file: `{"API":{"type":"bearer","token":"file"}}`, auth: "bearer", env: []string{"REQON_API_TOKEN", "env"},
			kind: Bearer, header: []Field{{"Authorization", "Bearer file"}}},
		{name: "inline beats the environment", auth: "bearer", env: []string{"REQON_API_TOKEN", "env"}, inline: map[string]string{"token": "inline"},
			kind: Bearer, header: []Field{{"Authorization", "Bearer inline"}}},
		{name: "the file beats inline", file: `{"API":{"type":"bearer","token":"file"}}`, auth: "bearer", inline: map[string]string{"token": "inline"},
			kind: Bearer, header: []Field{{"Authorization", "Bearer file"}}},
		{name: "inline completes the file", file: `{"API":{"type":"api_key","key":"k1"}}`, auth: "api_key", inline: map[string]string{"apiKeyHeader": "X-Token"},
			kind: APIKey, header: []Field{{"X-Token", "k1"}}},
		{name: "inline without auth", inline: map[string]string{"apiKey": "k3", "apiKeyQuery": "q"},
			kind: APIKey, query: []Field{{"q", "k3"}}},
		{name: "interpolated", file: `{"API":{"type":"$KIND","token":"a-${T}-${U:-d}$"}}`, auth: "bearer", env: []string{"KIND", "bearer", "T", "t"},
			kind: Bearer, header: []Field{{"Authorization", "Bearer a-t-d$"}}},
		{name: "a mistake in another entry", file: `{"API":{"type":"bearer","token":"tok-1"},"B":{"type":"bearer","token":"$NONE"},"C":7}`, auth: "bearer",
			kind: Bearer, header: []Field{{"Authorization", "Bearer tok-1"}}},
		{name: "byte order mark", file: "\ufeff" + `{"API":{"type":"bearer","token":"tok-1"}}`, auth: "bearer",
			kind: Bearer, header: []Field{{"Authorization", "Bearer tok-1"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := load(t, tt.file, tt.env...).For("API", tt.auth, tt.inline)
			if err != nil {
				t.Fatal(err)
			}
			if c.Kind != tt.kind || !reflect.DeepEqual(c.Headers, tt.header) || !reflect.DeepEqual(c.Query, tt.query) {
				t.Errorf("got %s, headers %q, query %q", c.Kind, c.Headers, c.Query)
			}
		})
	}
}

func TestForErrors(t *testing.T) {
	tests := []struct {
		name   string
		file   string
		env    []string
		auth   string
		inline map[string]string
		is     error
		want   []string // parts of the message
	}{
		{name: "nothing at all", auth: "bearer", is: ErrMissing,
			want: []string{"source API uses auth bearer", "--auth FILE", `"token"`, "REQON_API_TOKEN", "token: env(…)"}},
		{name: "file without the entry", file: `{"Other":{"type":"bearer","token":"hush-hush"}}`, auth: "basic", is: ErrMissing,
			want: []string{`entry "API"`, "credentials.json", "REQON_API_USERNAME"}},
		{name: "another case", file: `{"api":{"type":"bearer","token":"hush-hush"}}`, auth: "bearer", is: ErrMissing,
			want: []string{`entry "api"`, "match exactly"}},
		{name: "entry without the field", file: `{"API":{"type":"basic","username":"u"}}`, auth: "basic", is: ErrMissing,
			want: []string{`"password"`, `entry "API"`}},
		{name: "empty", file: `{"API":{"type":"bearer","token":"${T:-}"}}`, auth: "bearer", is: ErrMissing,
			want: []string{"credentials.json: API.token is empty"}},
		{name: "unset name", file: `{"API":{"type":"bearer","token":"hush-${SHOP_TOKEN}"}}`, auth: "bearer",
			want: []string{"credentials.json: API.token", "SHOP_TOKEN is not set"}},
		{name: "unknown type", file: `{"API":{"type":"hush-hush"}}`, auth: "bearer",
			want: []string{"credentials.json: API.type", "expected bearer, basic, api_key, oauth2"}},
		{name: "other type", file: `{"API":{"type":"basic","username":"u","password":"hush-hush"}}`, auth: "bearer",
			want: []string{"API.type is basic", "auth: bearer"}},
		{name: "entry is no object", file: `{"API":"hush-hush"}`, auth: "bearer",
			want: []string{"API is a string", "expected an object"}},
		{name: "token is no string", file: `{"API":{"type":"bearer","token":["hush-hush"]}}`, auth: "bearer",
			want: []string{"API.token is an array", "expected a string"}},
		{name: "line end in a token", file: `{"API":{"type":"bearer","token":"hush-hush\n"}}`, auth: "bearer",
			want: []string{"API.token holds a line end"}},
		{name: "line end in an inline token", auth: "bearer", inline: map[string]string{"token": "hush-hush\r\n"},
			want: []string{"the option token of source API holds a line end"}},
		{name: "header and query", file: `{"API":{"type":"api_key","key":"hush-hush","header":"X","query":"q"}}`, auth: "api_key",
			want: []string{"API.header", "API.query", "expected one"}},
		{name: "two keys", file: `{"API":{"type":"api_key","key":"hush-hush","apiKey":"hush-hush"}}`, auth: "api_key",
			want: []string{"API.key", "API.apiKey", "expected one"}},
		{name: "bad header name", file: `{"API":{"type":"api_key","key":"hush-hush","header":"X Y"}}`, auth: "api_key",
			want: []string{"API.header is not the name of a header"}},
		{name: "bad additional header", file: `{"API":{"type":"bearer","token":"hush-hush","additionalHeaders":{"a b":"c"}}}`, auth: "bearer",
			want: []string{"API.additionalHeaders", `"a b"`}},
		{name: "colon in a user name", file: `{"API":{"type":"basic","username":"hush:hush","password":"x"}}`, auth: "basic",
			want: []string{"API.username holds a colon"}},
		{name: "several kinds without auth", inline: map[string]string{"token": "hush-hush", "apiKey": "hush-hush"},
			want: []string{"bearer or api_key", "expected an auth option"}},
		{name: "no type, no fields", file: `{"API":{}}`, want: []string{"API has no type"}},
		{name: "unknown auth", auth: "digest", want: []string{`"digest"`, "expected bearer, basic"}},
		{name: "oauth2 without a secret", file: `{"API":{"type":"oauth2","clientId":"c","tokenEndpoint":"https://x/t"}}`, auth: "oauth2",
			is: ErrMissing, want: []string{"clientSecret"}},
		{name: "oauth2 bad address", file: `{"API":{"type":"oauth2","clientId":"c","clientSecret":"hush-hush","tokenUrl":"ftp://x"}}`, auth: "oauth2",
			want: []string{"API.tokenUrl is not an http"}},
		{name: "unset name in a type", file: `{"API":{"type":"$NONE"}}`, want: []string{"API.type", "NONE is not set"}},
		{name: "unset name in a password", file: `{"API":{"type":"basic","username":"u","password":"$NONE"}}`, want: []string{"API.password", "NONE is not set"}},
		{name: "unset name in a header's name", file: `{"API":{"type":"api_key","key":"hush-hush","header":"$NONE"}}`, want: []string{"API.header", "NONE is not set"}},
		{name: "unset name in a query's name", file: `{"API":{"type":"api_key","key":"hush-hush","query":"$NONE"}}`, want: []string{"API.query", "NONE is not set"}},
		{name: "empty query", file: `{"API":{"type":"api_key","key":"hush-hush","query":""}}`, want: []string{"API.query is empty"}},
		{name: "unset name in a prefix", file: `{"API":{"type":"api_key","key":"hush-hush","prefix":"$NONE"}}`, want: []string{"API.prefix", "NONE is not set"}},
		{name: "headers of another kind", file: `{"API":{"type":"bearer","token":"hush-hush","additionalHeaders":null,"additionalHeaders ":1}}`, auth: "basic", want: []string{"API.type is bearer"}},
		{name: "headers as a list", file: `{"API":{"type":"bearer","token":"hush-hush","additionalHeaders":["hush-hush"]}}`, want: []string{"API.additionalHeaders is an array"}},
		{name: "header value of another kind", file: `{"API":{"type":"bearer","token":"hush-hush","additionalHeaders":{"X":1}}}`, want: []string{"API.additionalHeaders.X is a number"}},
		{name: "oauth2 scopes of another kind", file: `{"API":{"type":"oauth2","accessToken":"hush-hush","scopes":[1]}}`, want: []string{"API.scopes[0] is a number"}},
		{name: "oauth2 refresh token of another kind", file: `{"API":{"type":"oauth2","accessToken":"hush-hush","refreshToken":1}}`, want: []string{"API.refreshToken is a number"}},
		{name: "oauth2 bad time", file: `{"API":{"type":"oauth2","accessToken":"hush-hush","expiresAt":"tomorrow"}}`, auth: "oauth2",
			want: []string{"API.expiresAt is not a time"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := load(t, tt.file, tt.env...).For("API", tt.auth, tt.inline)
			if err == nil {
				t.Fatalf("no error, got %+v", c)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%v: is not %v", err, tt.is)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v: lacks %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "hush") {
				t.Errorf("%v: shows a secret", err)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, "c.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.json"), "none.json"},
		{"a folder", dir, "is a folder"},
		{"empty", write(""), "line 1, column 1"},
	}
	for _, tt := range tests {
		if _, err := Load(tt.path, environ()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	for text, want := range map[string]string{
		`["hushhush"]`:                   "holds an array, expected an object",
		`{"API": {"token": hushhush}}`:   "line 1, column 19: expected a value",
		"{\"API\":\n  hushhush}":         "line 2, column 3",
		`{"API": {}, "API": {}}`:         "expected each key once",
		`{"API": {"token": "hushhush}`:   "expected",
		`{"hushhush": "` + "\xff" + `"}`: "expected UTF-8",
		strings.Repeat(" ", maxFile+1):   "larger than",
	} {
		_, err := Load(write(text), environ())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "c.json") {
			t.Errorf("%.40q: got %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%v: shows a secret", err)
		}
	}
}

func TestWarnings(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes mean nothing on Windows")
	}
	path := filepath.Join(t.TempDir(), "c.json")
	if err := os.WriteFile(path, []byte(`{"API":{"type":"bearer","token":"t","heder":"x"},"B":{"note":"any"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, wantOpen := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		s, err := Load(path, environ())
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(s.Warnings, "\n")
		if got := strings.Contains(text, "chmod 600"); got != wantOpen {
			t.Errorf("mode %o: warnings %q", mode, s.Warnings)
		}
		if !strings.Contains(text, "API.heder is not read") {
			t.Errorf("no warning about the misspelt field: %q", s.Warnings)
		}
	}
}

// A pipe is how a decrypted file is handed over without touching the disk.
func TestLoadPipe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no /dev/fd on Windows")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString(`{"API":{"type":"bearer","token":"tok"}}`); err != nil {
		t.Fatal(err)
	}
	w.Close()
	s, err := Load("/dev/fd/"+itoa(int(r.Fd())), environ())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Warnings) != 0 {
		t.Errorf("warnings %q", s.Warnings)
	}
	if _, err := s.For("API", "bearer", nil); err != nil {
		t.Error(err)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestSecrets(t *testing.T) {
	s := load(t, `{
		"A": {"type": "bearer", "token": "token-a", "additionalHeaders": {"X-App": "app-secret", "Accept": "application/json"}},
		"B": {"type": "basic", "username": "alice", "password": "wonderland"},
		"C": {"type": "basic", "username": "sk_live_1234", "password": ""},
		"D": {"type": "bearer", "token": "never asked for"}}`)
	for _, source := range []string{"A", "B", "C"} {
		if _, err := s.For(source, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.For("A", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if own := a.Secrets(); !reflect.DeepEqual(own, []string{"token-a", "app-secret"}) || (*Credential)(nil).Secrets() != nil {
		t.Errorf("secrets of A are %q", own)
	}
	got := " " + strings.Join(s.Secrets(), " ") + " "
	basic := base64.StdEncoding.EncodeToString([]byte("alice:wonderland"))
	for _, want := range []string{"token-a", "app-secret", "wonderland", "alice:wonderland", basic, "sk_live_1234"} {
		if !strings.Contains(got, " "+want+" ") {
			t.Errorf("secrets lack %q: %q", want, got)
		}
	}
	for _, no := range []string{" alice ", "application/json", "never"} {
		if strings.Contains(got, no) {
			t.Errorf("secrets hold %q: %q", no, got)
		}
	}
}

// No file and no kind of auth panics, and what an error quotes is never a value.
func FuzzFor(f *testing.F) {
	for _, s := range []string{
		`{"API":{"type":"bearer","token":"$T"}}`, `{"API":{"type":"basic","username":"a","password":"${P:-x}"}}`,
		`{"API":{"type":"oauth2","scopes":[],"expiresAt":1}}`, `{"API":{"key":"k","query":"q"}}`, `[]`, `{"API":null}`,
		`{"API":{"type":"api_key","key":"k","additionalHeaders":{"A":"b"}}}`,
		`{"API":{"type":"oauth2","grant":"password","clientAuth":"body","tokenUrl":"https://x","username":"u","password":"p","resource":["r"],"extra":{"a":"b"},"redirectPort":1}}`,
		`{"API":{"type":"oauth2","privateKey":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----","issuer":"i","subject":"s","keyId":"k","algorithm":"ES256"}}`,
		`{"API":{"type":"service_account","private_key":"x","client_email":"e","token_uri":"https://x"}}`,
		`{"API":{"type":"aws_sigv4","service":"s3","region":"r","accessKeyId":"a","secretAccessKey":"b","sessionToken":"c"}}`,
		`{"API":{"type":"api_key","key":"k","apiKeyLocation":"query","queryParam":"q"}}`,
	} {
		f.Add(s, "bearer")
	}
	f.Fuzz(func(t *testing.T, text, auth string) {
		s := &Set{file: "c.json", getenv: environ("T", "t"), secrets: make(map[string]struct{})}
		if err := s.parse(text); err != nil {
			return
		}
		c, err := s.For("API", auth, nil)
		if (c == nil) == (err == nil) {
			t.Errorf("%q: got %v, %v", text, c, err)
		}
		if err != nil {
			return
		}
		for _, h := range c.Headers {
			if !isToken(h.Name) || !isHeaderValue(h.Value) {
				t.Errorf("%q: header %q: %q", text, h.Name, h.Value)
			}
		}
	})
}
