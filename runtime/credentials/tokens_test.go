package credentials

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestTokens: only a whole token of twelve characters or more is taken out.
func TestTokens(t *testing.T) {
	var none Tokens
	if got, n := none.Redact("tok-01234567"); got != "tok-01234567" || n != 0 || none.Holds(got) {
		t.Errorf("%q, %d", got, n)
	}
	var k Tokens
	k.Add("1234", "test", "eleven-char", "tok-01234567", "ключ-доступа", "pass word/with&")
	for _, tt := range []struct {
		in, want string
		found    int
	}{
		{"", "", 0},
		{"555-1234, the latest contest", "555-1234, the latest contest", 0},
		{"eleven-char", "eleven-char", 0},
		{"tok-01234567", "[redacted]", 1},
		{"Bearer tok-01234567, tok-01234567.", "Bearer [redacted], [redacted].", 2},
		{"tok-012345678", "tok-012345678", 0},
		{"atok-01234567", "atok-01234567", 0},
		{"étok-01234567", "étok-01234567", 0},
		{"tok-01234567é", "tok-01234567é", 0},
		{"_tok-01234567_", "_[redacted]_", 1},
		{"tok-0123456", "tok-0123456", 0},
		{"ключ-доступа", "[redacted]", 1},
		{"x=pass+word%2Fwith%26", "x=[redacted]", 1},
		{base64.StdEncoding.EncodeToString([]byte("tok-01234567")), "[redacted]", 1},
		{base64.StdEncoding.EncodeToString([]byte("1234test")), base64.StdEncoding.EncodeToString([]byte("1234test")), 0},
	} {
		got, found := k.Redact(tt.in)
		if got != tt.want || found != tt.found || k.Holds(tt.in) != (tt.found > 0) {
			t.Errorf("%q: %q, %d; want %q, %d", tt.in, got, found, tt.want, tt.found)
		}
	}
	k.Forget("tok-01234567")
	if k.Holds("tok-01234567") {
		t.Error("it is not forgotten")
	}
}

// TestRedactWithinBase64: a secret within a longer text that is written in base64
// is redacted wherever in a group of three bytes it begins, and nothing of it is
// left but what is shared with its neighbours.
func TestRedactWithinBase64(t *testing.T) {
	var r Redactor
	const secret = "s3cr3t-k3y!~"
	r.Add(secret)
	for before := range 7 {
		for behind := range 7 {
			text := strings.Repeat("u", before) + secret + strings.Repeat(":", behind)
			for name, enc := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw": base64.RawStdEncoding} {
				form := enc.EncodeToString([]byte(text))
				got := r.Redact("Basic " + form + ";")
				if !strings.Contains(got, "[redacted]") {
					t.Errorf("%s, %d before, %d behind: %q", name, before, behind, got)
				}
				left := len(got) - len("Basic [redacted];")
				if most := (before*8+7)/6 + (behind*8+7)/6 + 4; left > most {
					t.Errorf("%s, %d before, %d behind: %q leaves %d characters, at most %d", name, before, behind, got, left, most)
				}
			}
		}
	}
}
