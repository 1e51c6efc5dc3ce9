package httpclient

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"reqon/runtime/credentials"
)

func TestRedirectMethods(t *testing.T) {
	tests := []struct {
		method string
		status int
		want   string // method and body of the second request
	}{
		{"get", 301, "GET "}, {"get", 302, "GET "}, {"get", 303, "GET "}, {"get", 307, "GET "}, {"get", 308, "GET "},
		{"post", 301, "GET "}, {"post", 302, "GET "}, {"post", 303, "GET "}, {"post", 307, `POST {"a":1}`}, {"post", 308, `POST {"a":1}`},
		{"put", 301, `PUT {"a":1}`}, {"put", 302, `PUT {"a":1}`}, {"put", 303, "GET "}, {"put", 307, `PUT {"a":1}`},
		{"delete", 302, "DELETE "}, {"delete", 303, "GET "}, {"patch", 308, `PATCH {"a":1}`},
	}
	for _, tt := range tests {
		var got string
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a" {
				w.Header().Set("Location", "done?x=1")
				w.WriteHeader(tt.status)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got = r.Method + " " + string(body)
			if strings.HasPrefix(got, "GET") && r.Header.Get("Content-Type") != "" {
				t.Errorf("a GET without a body says %s", r.Header.Get("Content-Type"))
			}
			if r.URL.RequestURI() != "/done?x=1" {
				t.Errorf("went to %s", r.URL)
			}
		})
		r := newRig(t, s.URL, "", nil)
		body := tt.method != "get" && tt.method != "delete"
		if _, err := r.do(&Request{Method: tt.method, Path: "/a", HasBody: body, Body: js(t, `{"a":1}`)}); err != nil {
			t.Errorf("%s %d: %v", tt.method, tt.status, err)
		}
		if got != tt.want {
			t.Errorf("%s %d: got %q, want %q", tt.method, tt.status, got, tt.want)
		}
	}
}

// A moved address must not turn a write into a read that looks like success.
func TestRedirectThatLosesTheBody(t *testing.T) {
	for _, status := range []int{301, 302} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a" {
				http.Redirect(w, r, "/a/", status)
			}
		})
		r := newRig(t, s.URL, "", nil)
		f := r.fail(&Request{Method: "post", Path: "/a", HasBody: true})
		if f.Status != status || f.Attempts != 1 || !strings.Contains(f.Error(), s.URL+"/a/") || !strings.Contains(f.Error(), "would be lost") {
			t.Errorf("%d: %v", status, f)
		}
		r.get("/a")
	}
}

func TestRedirectCount(t *testing.T) {
	var n atomic.Int64
	limit := 10
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if i := int(n.Add(1)); i <= limit {
			http.Redirect(w, r, fmt.Sprintf("/%d", i), http.StatusFound)
		}
	})
	r := newRig(t, s.URL, "", nil)
	r.get("/")
	n.Store(0)
	limit = 1 << 30 // a loop
	f := r.fail(&Request{Method: "get", Path: "/"})
	if n.Load() != 11 || f.Kind != KindHTTP || f.Status != 302 || !strings.Contains(f.Error(), "more than 10 redirects") {
		t.Errorf("%d requests, %v", n.Load(), f)
	}
}

func TestRedirectTargets(t *testing.T) {
	location := ""
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/a" {
			if location != "none" {
				w.Header().Set("Location", location)
			}
			w.WriteHeader(302)
		}
	})
	r := newRig(t, s.URL, "", nil)
	for loc, want := range map[string]string{
		"none":                "does not say where to",
		"":                    "does not say where to",
		"ftp://x/y":           `not http or https, but "ftp"`,
		"javascript:alert(1)": `but "javascript"`,
		"http://[::1":         "no valid address",
		"http://a:99999/":     "port 99999",
		"https:///x":          "not http or https",
	} {
		location = loc
		if f := r.fail(&Request{Method: "get", Path: "/a"}); f.Status != 302 || !strings.Contains(f.Error(), want) || f.Attempts != 1 {
			t.Errorf("%q: %v", loc, f)
		}
	}
	for _, loc := range []string{"/b", "b#frag", "//" + strings.TrimPrefix(s.URL, "http://") + "/b", s.URL + "/b?é= x"} {
		location = loc
		if _, err := r.do(&Request{Method: "get", Path: "/a"}); err != nil {
			t.Errorf("%q: %v", loc, err)
		}
	}
}

// TestStatuses: which answers are good by their status.
func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		status  string
		headers string
		allow   []int
		good    bool
	}{
		{status: "200", good: true}, {status: "201", good: true}, {status: "203", good: true}, {status: "204", good: true},
		{status: "207", good: true}, {status: "226", good: true}, {status: "299", good: true},
		{status: "206"}, {status: "206", headers: `{"range":"items=0-9"}`, good: true}, {status: "206", allow: []int{206}, good: true},
		{status: "300"}, {status: "300", allow: []int{300}, good: true}, {status: "305"}, {status: "306"}, {status: "310"}, {status: "399"},
		{status: "304"}, {status: "304", headers: `{"if-none-match":"x"}`, good: true}, {status: "304", allow: []int{304}, good: true},
		{status: "304", headers: `{"If-Modified-Since":"Tue, 20 Jan 2026 08:59:58 GMT"}`, good: true},
		{status: "404"}, {status: "404", allow: []int{404}, good: true}, {status: "599"}, {status: "600"}, {status: "999"},
		{status: "999", allow: []int{999}, good: true}, {status: "099"}, {status: "000"},
	} {
		base := rawServer(t, func(conn net.Conn, _ *http.Request) {
			write(conn, "HTTP/1.1 "+tt.status+" X\r\nContent-Length: 0\r\n\r\n")
		})
		rig := newRig(t, base, `{"retry":{"maxAttempts":1}}`, nil)
		req := &Request{Method: "get", Path: "/", Allow: tt.allow}
		if tt.headers != "" {
			req.Headers = js(t, tt.headers)
		}
		resp, err := rig.do(req)
		if tt.good {
			if err != nil || fmt.Sprint(resp.Status) != tt.status {
				t.Errorf("%s %v %v: %v", tt.status, tt.headers, tt.allow, err)
			}
			continue
		}
		var f *Failure
		if !errors.As(err, &f) || fmt.Sprintf("%03d", f.Status) != tt.status || f.Status > 0 && !f.ByStatus() {
			t.Errorf("%s %v %v: %v", tt.status, tt.headers, tt.allow, err)
		}
	}
}

// TestDroppedQuery: a redirect that loses what was asked for is told.
func TestDroppedQuery(t *testing.T) {
	var status int
	var location string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/a" {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
		}
	})
	for _, tt := range []struct {
		path     string
		status   int
		location string
		lost     string
	}{
		{"/a?x=1&y=2", 308, "/a/", "x, y"},
		{"/a?x=1&y=2", 301, "/a/?x=1&y=2", ""},
		{"/a?x=1&y=2", 302, "/a/?y=2", "x"},
		{"/a?x=1&x=2", 307, "/elsewhere", "x"},
		{"/a?x=1", 303, "/elsewhere", "x"},
		{"/a?x=1", 302, "/signed?token=z", ""},
		{"/a", 302, "/b", ""},
	} {
		status, location = tt.status, tt.location
		r := newRig(t, s.URL, "", credential(t, "api_key", map[string]string{"apiKey": "k0123456789abcdef", "apiKeyQuery": "key"}))
		resp, err := r.do(&Request{Method: "get", Path: tt.path})
		if err != nil {
			t.Fatal(err)
		}
		if (resp.Dropped == "") != (tt.lost == "") || !strings.Contains(resp.Dropped, "what was asked for by "+tt.lost) && tt.lost != "" || strings.Contains(resp.Dropped, "k0123456789abcdef") {
			t.Errorf("%+v: %q", tt, resp.Dropped)
		}
	}
}

func TestRedirectCredentials(t *testing.T) {
	var away *httptest.Server
	var got http.Header
	var uri string
	back := ""
	home := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			// The server may copy our query into where it sends us.
			http.Redirect(w, r, away.URL+"/x?keep=1&"+r.URL.RawQuery, http.StatusTemporaryRedirect)
		case "/stay":
			http.Redirect(w, r, "/end?a=1", http.StatusFound)
		default:
			got, uri = r.Header, r.RequestURI
		}
	})
	away = serve(t, func(w http.ResponseWriter, r *http.Request) {
		got, uri = r.Header, r.RequestURI
		if back != "" {
			http.Redirect(w, r, back, http.StatusFound)
		}
	})
	headers := `{"X-Api-Key":"request-key","Cookie":"c=1","Accept":"text/plain","Proxy-Authorization":"Basic x"}`
	for name, cred := range map[string]*credentials.Credential{
		"bearer": bearer(t, "secret-token"),
		"query":  credential(t, "api_key", map[string]string{"apiKey": "secret-key", "apiKeyQuery": "key"}),
		"header": credential(t, "api_key", map[string]string{"apiKey": "secret-key", "apiKeyHeader": "X-Secret"}),
	} {
		r := newRig(t, home.URL, `{"headers":{"X-Tenant":"t1"}}`, cred)
		req := &Request{Method: "get", Path: "/stay", Headers: js(t, headers)}
		r.must(req)
		all := fmt.Sprint(uri, got)
		if !strings.Contains(all, "secret-") || got.Get("X-Tenant") != "t1" || got.Get("X-Api-Key") != "request-key" {
			t.Errorf("%s: lost on the same origin: %s", name, all)
		}
		for _, back = range []string{"", home.URL + "/end"} {
			req.Path = "/away"
			r.must(req)
			all := fmt.Sprint(uri, got)
			for _, no := range []string{"secret-", "t1", "request-key", "c=1", "Basic"} {
				if strings.Contains(all, no) {
					t.Errorf("%s, back to %q: %q went along: %s", name, back, no, all)
				}
			}
			if got.Get("Accept") != "text/plain" || back == "" && uri != "/x?keep=1" && uri != "/x?keep=1&" {
				t.Errorf("%s: too much was left behind: %s %v", name, uri, got)
			}
		}
		back = ""
	}
}

// The error says why an answer behind a redirect may be a 401.
func TestRedirectNote(t *testing.T) {
	away := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) })
	home := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, away.URL+"/x", http.StatusFound) })
	r := newRig(t, home.URL, "", bearer(t, "secret-token"))
	f := r.fail(&Request{Method: "get", Path: "/a"})
	if want := "GET " + home.URL + "/a: 401 Unauthorized, after a redirect to " + away.URL + "/x, where no credentials"; !strings.HasPrefix(f.Error(), want) {
		t.Errorf("got %v, want %s…", f, want)
	}
}

// A post whose result a 303 leads to has been processed: it is not sent again
// when that result can't be had.
func TestRedirectedPostIsNotRepeated(t *testing.T) {
	var posts atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
			http.Redirect(w, r, "/result", http.StatusSeeOther)
			return
		}
		w.WriteHeader(503)
	})
	r := newRig(t, s.URL, "", nil)
	r.fail(&Request{Method: "post", Path: "/a"})
	if posts.Load() != 1 {
		t.Errorf("posted %d times", posts.Load())
	}
}
