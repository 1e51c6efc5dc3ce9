package credentials

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
)

func TestRedact(t *testing.T) {
	r := &Redactor{}
	r.Add("s3cr3t", "abc", "tok/en+1 &\"x", "overlap1", "lap12345", "s3cr3t-longer", "")
	tests := []struct{ in, want string }{
		{"", ""},
		{"nothing here", "nothing here"},
		{"s3cr3t", "[redacted]"},
		{"a s3cr3t b s3cr3t", "a [redacted] b [redacted]"},
		{"s3cr3ts3cr3t", "[redacted][redacted]"},
		{"s3cr3t-longer!", "[redacted]!"}, // the longest counts
		{"abc stays, being short", "abc stays, being short"},
		{"xoverlap12345y", "x[redacted]y"}, // overlapping ones are one
		{"é s3cr3t é", "é [redacted] é"},
		{"s3cr3", "s3cr3"},
	}
	for _, tt := range tests {
		if got := r.Redact(tt.in); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
	secret := "tok/en+1 &\"x"
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{
		secret,
		url.QueryEscape(secret),
		url.PathEscape(secret),
		strings.ToLower("tok%2Fen%2B1%20%26%22x"),
		base64.StdEncoding.EncodeToString([]byte(secret)),
		string(quoted),
		`"tok/en+1 &\"x"`,
		`"tok\/en+1 &\"x"`,
	} {
		if got := r.Redact("<" + form + ">"); strings.Contains(got, "en") || !strings.Contains(got, "[redacted]") {
			t.Errorf("%q: got %q", form, got)
		}
	}
}

func TestRedactNil(t *testing.T) {
	var none *Redactor
	if got := none.Redact("text"); got != "text" {
		t.Errorf("got %q", got)
	}
	if got := none.Head("text", 2); got != "te" {
		t.Errorf("got %q", got)
	}
	if got := (&Redactor{}).Redact("text"); got != "text" {
		t.Errorf("got %q", got)
	}
}

func TestRedactHead(t *testing.T) {
	r := &Redactor{}
	r.Add("secret-secret")
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"", 5, ""},
		{"short", 10, "short"},
		{"héllo wörld", 8, "héllo wö"},
		{"12345", 5, "12345"},
		{"secret-secret", 4, "[redacted]"},
		{"ab secret-secret cd", 20, "ab [redacted] cd"},
		{"0123456789secret-secret", 10, "0123456789"},
		{"0123456789secret-secret", 11, "0123456789[redacted]"},
		{strings.Repeat("€", 10) + "secret-secret", 12, strings.Repeat("€", 10) + "[redacted]"},
		{"a\xffb", 3, "a\ufffdb"},
	}
	for _, tt := range tests {
		if got := r.Head(tt.in, tt.n); got != tt.want {
			t.Errorf("%q, %d: got %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestRedactConcurrent(t *testing.T) {
	r := &Redactor{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			secret := strings.Repeat(string(rune('a'+i)), 8)
			r.Add(secret)
			for range 100 {
				if got := r.Redact("x " + secret); got != "x [redacted]" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzRedact(f *testing.F) {
	f.Add("secret", "a secret text", 5)
	f.Add("aaaa", "aaaaaaa", 3)
	f.Add("\xff\xfe\x00x", "y\xff\xfe\x00x", 9)
	f.Fuzz(func(t *testing.T, secret, text string, n int) {
		if n < 0 || n > 1000 {
			return
		}
		r := &Redactor{}
		r.Add(secret)
		got := r.Redact(text)
		if len(secret) >= minSecret && !strings.Contains(redacted, secret) {
			if strings.Contains(strings.ReplaceAll(got, redacted, "\x01\x01"), secret) && !strings.Contains(secret, "\x01") {
				t.Errorf("%q still shows %q", got, secret)
			}
		}
		if len(secret) < minSecret && got != text {
			t.Errorf("%q changed to %q", text, got)
		}
		r.Head(text, n)
	})
}

func BenchmarkRedactNothing(b *testing.B) {
	r := &Redactor{}
	for _, s := range []string{"sk_live_0123456789", "Bearer-token-abcdef", "wonderland", "api-key-987654"} {
		r.Add(s)
	}
	line := "GET https://api.example.com/v1/orders?page=3: 503 Service Unavailable, attempt 2 of 3: the service is being maintained, try again later"
	b.ReportAllocs()
	for b.Loop() {
		r.Redact(line)
	}
}
