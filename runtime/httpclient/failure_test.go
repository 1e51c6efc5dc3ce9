package httpclient

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"reqon/vm/value"
)

func TestEnvelope(t *testing.T) {
	tests := []struct {
		name, body, contentType string
		status                  int
		want                    string // without headers
	}{
		{"an object's own fields", `{"id":7,"error":"nope"}`, "application/json", 400,
			`{"id":7,"error":"nope","code":400,"status":400,"body":{"id":7,"error":"nope"},"kind":"http"}`},
		{"message", `{"message":"gone"}`, "application/json", 410,
			`{"message":"gone","error":"gone","code":410,"status":410,"body":{"message":"gone"},"kind":"http"}`},
		{"error that is an object stays", `{"error":{"code":"E1"},"message":"m"}`, "application/json", 400,
			`{"error":{"code":"E1"},"message":"m","code":400,"status":400,"body":{"error":{"code":"E1"},"message":"m"},"kind":"http"}`},
		{"null is as good as missing", `{"error":null,"message":"m","code":null}`, "application/json", 400,
			`{"error":"m","message":"m","code":400,"status":400,"body":{"error":null,"message":"m","code":null},"kind":"http"}`},
		{"fields of the names", `{"code":"E7","status":"failed","headers":1,"body":2}`, "application/json", 409,
			`{"code":"E7","status":"failed","headers":1,"body":2,"error":"http","kind":"http"}`},
		{"a message that is no text", `{"message":{"a":1}}`, "application/json", 400,
			`{"message":{"a":1},"error":"http","code":400,"status":400,"body":{"message":{"a":1}},"kind":"http"}`},
		{"an array", `[1]`, "application/json", 500, `{"error":"http","code":500,"status":500,"body":[1],"kind":"http"}`},
		{"text", `Not here`, "text/plain", 404, `{"error":"http","code":404,"status":404,"body":"Not here","kind":"http"}`},
		{"nothing", ``, "", 404, `{"error":"http","code":404,"status":404,"body":null,"kind":"http"}`},
		{"429", `{}`, "application/json", 429, `{"error":"rate_limit","code":429,"status":429,"body":{},"kind":"rate_limit"}`},
		{"429 with a message", `{"message":"slow down"}`, "application/json", 429,
			`{"message":"slow down","error":"slow down","code":429,"status":429,"body":{"message":"slow down"},"kind":"rate_limit"}`},
		{"malformed", `<b>`, "application/json", 502, `{"error":"http","code":502,"status":502,"body":"<b>","kind":"http"}`},
		{"malformed and not an error", `<b>`, "application/json", 200, `{"error":"invalid_json","code":200,"status":200,"body":"<b>","kind":"invalid_json"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			r := newRig(t, s.URL, `{"retry":{"maxAttempts":1}}`, nil)
			f := r.fail(&Request{Method: "get", Path: "/"})
			b := value.NewObjectBuilder(nil, 8)
			o := f.Envelope(value.NewShapes()).Obj()
			for i, v := range o.Slots() {
				if key := o.Shape().Key(i); key != "headers" || v.Kind() != value.Object {
					b.Set(key, v)
				}
			}
			if got := text(b.Value()); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if own, _ := o.Get("headers"); own.Kind() == value.Object {
				if got, _ := own.Obj().Get("content-type"); got.Str() != tt.contentType && tt.contentType != "" {
					t.Errorf("headers are %s", text(own))
				}
			}
		})
	}
}

func TestEnvelopeOfTransportFailure(t *testing.T) {
	for _, kind := range []Kind{KindTimeout, KindNetwork, KindDNS, KindTLS, KindCircuitOpen} {
		f := &Failure{Kind: kind}
		want := `{"error":"` + string(kind) + `","code":0,"status":0,"headers":{},"body":null,"kind":"` + string(kind) + `"}`
		if got := text(f.Envelope(nil)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestEnvelopeHeaders(t *testing.T) {
	f := &Failure{Kind: KindHTTP, Status: 400, Headers: http.Header{"X-B": {"1", "2"}, "Retry-After": {"5"}, "X-Bad": {"a\xff"}}}
	got, _ := f.Envelope(nil).Obj().Get("headers")
	if want := `{"retry-after":"5","x-b":"1, 2","x-bad":"a` + "\ufffd" + `"}`; text(got) != want {
		t.Errorf("got %s, want %s", text(got), want)
	}
}

func TestFailureError(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/odd" {
			w.WriteHeader(499)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(503)
		fmt.Fprintf(w, "{\"error\":\n\t%q}", strings.Repeat("é", 300))
	})
	r := newRig(t, s.URL, "", nil)
	f := r.fail(&Request{Method: "get", Path: "/a?b=1"})
	want := "GET " + s.URL + `/a?b=1: 503 Service Unavailable (3 attempts): {"error":  "` + strings.Repeat("é", 200-12)
	if got := f.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f = r.fail(&Request{Method: "delete", Path: "/odd"})
	if got, want := f.Error(), "DELETE "+s.URL+"/odd: status 499"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A server that sends back what it got does not get a secret into a log or a
// store.
func TestFailureShowsNoSecret(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		all := r.Header.Get("Authorization") + " " + r.URL.RawQuery
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "ftp://x/?"+all, http.StatusFound)
			return
		}
		w.Header().Set("X-Echo", all)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		if r.URL.Path == "/malformed" {
			fmt.Fprint(w, strings.Repeat("x", 195), all)
			return
		}
		fmt.Fprintf(w, `{"error":%q,"deep":[{%q:%q}]}`, all, all, all)
	})
	const secret, escaped = "s3cr3t/+&token", "s3cr3t%2F%2B%26token"
	for _, inline := range []map[string]string{
		{"token": secret},
		{"username": "alice", "password": secret},
		{"apiKey": secret, "apiKeyQuery": "key"},
	} {
		r := newRig(t, s.URL, "", credential(t, "", inline))
		for _, path := range []string{"/a", "/malformed", "/redirect", "/a?echo=" + escaped} {
			f := r.fail(&Request{Method: "get", Path: path})
			shown := f.Error() + f.URL + f.Snippet + text(f.Envelope(nil))
			for _, no := range []string{"s3cr3t", escaped} {
				if strings.Contains(shown, no) {
					t.Errorf("%v: %s", inline, shown)
				}
			}
		}
	}
}
