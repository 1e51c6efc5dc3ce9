package httpclient

import (
	"net/url"
	"strings"
	"testing"

	"reqon/vm/value"
)

func TestJoinPath(t *testing.T) {
	for _, tt := range []struct{ base, path, want string }{
		{"/v1", "/users", "/v1/users"},
		{"/v1/", "/users", "/v1/users"},
		{"/v1", "users", "/v1/users"},
		{"", "users", "/users"},
		{"", "/", "/"},
		{"/v1", "", "/v1"},
		{"/v1", "/", "/v1/"},
		{"/v1", "/users/", "/v1/users/"},
	} {
		if got := JoinPath(tt.base, tt.path); got != tt.want {
			t.Errorf("%q + %q: got %q, want %q", tt.base, tt.path, got, tt.want)
		}
	}
}

func TestBuildURL(t *testing.T) {
	tests := []struct {
		name, base, source, path, params string
		page                             *Param
		want                             string
	}{
		{name: "the definition's example", base: "https://x/v1", path: "/users", want: "https://x/v1/users"},
		{name: "slashes", base: "https://x/v1/", path: "users/", want: "https://x/v1/users/"},
		{name: "no path", base: "https://x/v1", path: "", want: "https://x/v1"},
		{name: "no path, base with a slash", base: "https://x/v1/", path: "?a=1", want: "https://x/v1/?a=1"},
		{name: "no path at all", base: "https://x", path: "", want: "https://x"},
		{name: "port and case", base: "HTTPS://Api.Example.com:8443", path: "/a", want: "https://Api.Example.com:8443/a"},
		{name: "params", base: "https://x", path: "/a", params: `{"s":"a b&c=d+é","n":1.50,"t":true,"none":null}`,
			want: "https://x/a?s=a%20b%26c%3Dd%2B%C3%A9&n=1.50&t=true"},
		{name: "arrays repeat", base: "https://x", path: "/a", params: `{"id":[1,null,"b"],"none":[]}`, want: "https://x/a?id=1&id=b"},
		{name: "query in the path goes with params", base: "https://x", path: "/a?q=1", params: `{"p":2}`, want: "https://x/a?q=1&p=2"},
		{name: "a query keeps its writing", base: "https://x", path: "/a?q=a+b&f[x]=%7e&flag", want: "https://x/a?q=a+b&f[x]=%7e&flag"},
		{name: "later ones win", base: "https://x?a=base&b=base&k=base", source: `{"params":{"b":"source","c":"source"}}`, path: "/p?c=path&d=path",
			params: `{"d":"request","e":"request"}`, page: &Param{"e", value.FromInt(1)},
			want: "https://x/p?a=base&k=base&b=source&c=path&d=request&e=1"},
		{name: "null takes away", base: "https://x", source: `{"params":{"a":1,"b":2}}`, path: "/p", params: `{"a":null}`, want: "https://x/p?b=2"},
		{name: "page parameter", base: "https://x", path: "/p", page: &Param{"page", value.FromInt(1)}, want: "https://x/p?page=1"},
		{name: "no cursor yet", base: "https://x", path: "/p", page: &Param{"cursor", value.NullValue}, want: "https://x/p"},
		{name: "what a URL can't hold is escaped", base: "https://x", path: "/a b/é|\"?q= é", want: "https://x/a%20b/%C3%A9%7C%22?q=%20%C3%A9"},
		{name: "escapes stay", base: "https://x", path: "/a%2Fb/%2E%2E/100%", want: "https://x/a%2Fb/%2E%2E/100%25"},
		{name: "a number sign is a character", base: "https://x", path: "/#1", want: "https://x/%231"},
		{name: "two slashes don't leave the origin", base: "https://x", path: "//evil/a", want: "https://x//evil/a"},
		{name: "an @ does not either", base: "https://x", path: "@evil/a", want: "https://x/@evil/a"},
		{name: "absolute, same origin", base: "https://x/v1", source: `{"params":{"s":1}}`, path: "https://X:443/v2?a=1#frag", want: "https://X:443/v2?s=1&a=1"},
		{name: "absolute, other origin", base: "https://x/v1", source: `{"params":{"s":1}}`, path: "https://y/v2?a=1", params: `{"b":2}`, want: "https://y/v2?a=1&b=2"},
		{name: "absolute, other scheme", base: "https://x/v1", source: `{"params":{"s":1}}`, path: "HTTP://x/v2", want: "http://x/v2"},
		{name: "absolute without a path", path: "https://x?a=1", want: "https://x?a=1"},
		{name: "IPv6", base: "http://[::1]:8080/", path: "a", want: "http://[::1]:8080/a"},
		{name: "another scheme is a path", base: "https://x", path: "ftp://y/z", want: "https://x/ftp://y/z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSource(t, tt.base, tt.source, nil)
			u, _, err := buildURL(s, &Request{Path: tt.path, Params: js(t, tt.params), PageParam: tt.page})
			if err != nil {
				t.Fatal(err)
			}
			if got := u.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestBuildURLTimestamp(t *testing.T) {
	s := newTestSource(t, "https://x", "", nil)
	b := value.NewObjectBuilder(nil, 1)
	b.Set("since", value.FromTime(testNow.UnixMilli()))
	u, _, err := buildURL(s, &Request{Path: "/p", Params: b.Value()})
	if err != nil {
		t.Fatal(err)
	}
	if want := "since=2026-01-20T09%3A00%3A00.000Z"; u.RawQuery != want {
		t.Errorf("got %q, want %q", u.RawQuery, want)
	}
}

func TestBuildURLErrors(t *testing.T) {
	tests := []struct{ name, base, path, params, want string }{
		{"nested object", "https://x", "/", `{"f":{"a":1}}`, `params.f is object {"a":1}, expected text`},
		{"nested array", "https://x", "/", `{"f":[[1]]}`, `params.f is array [1], expected`},
		{"params of another kind", "https://x", "/", `[1]`, "params is array [1], expected an object"},
		{"no base", "", "/a", "", `no base for the path "/a"`},
		{"user info", "https://x", "https://u:hush@y/", "", "user name or password"},
		{"no host", "https://x", "https:///a", "", "no valid host"},
		{"bad host", "https://x", "https://a b/c", "", "no valid host"},
		{"bad port", "https://x", "https://a:99999/c", "", "port 99999"},
	}
	for _, tt := range tests {
		s := newTestSource(t, tt.base, "", nil)
		_, _, err := buildURL(s, &Request{Path: tt.path, Params: js(t, tt.params)})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v shows a password", tt.name, err)
		}
	}
}

// A relative path never leaves the base's origin and path, and what goes out is
// an address that parses to the same.
func FuzzBuildURL(f *testing.F) {
	for _, s := range []string{"/a", "//evil/x", "@evil", "?a=1&b", "#", "/%zz", "\\\\evil", ":80/", "https://y/z", "http://x:1?#"} {
		f.Add(s, "k", "v")
	}
	s, err := sourceOf(js(f, `{"base":"https://x.example/v1"}`), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path, key, text string) {
		b := value.NewObjectBuilder(nil, 1)
		b.Set(key, value.FromString(text))
		u, home, err := buildURL(s, &Request{Path: path, Params: b.Value()})
		if err != nil {
			return
		}
		if !isAbsolute(path) && (!home || u.Scheme != "https" || u.Host != "x.example" || !strings.HasPrefix(u.EscapedPath(), "/v1")) {
			t.Errorf("%q leaves the base: %s", path, u)
		}
		back, err := url.Parse(u.String())
		if err != nil {
			t.Fatalf("%q: %s does not parse: %v", path, u, err)
		}
		if back.Host != u.Host || back.EscapedPath() != u.EscapedPath() && u.EscapedPath() != "" || back.RawQuery != u.RawQuery {
			t.Errorf("%q: %s reads back as %s", path, u, back)
		}
		if got := back.Query()[key]; len(got) != 1 || got[0] != text {
			t.Errorf("%q: %q=%q arrives as %q", path, key, text, got)
		}
	})
}
