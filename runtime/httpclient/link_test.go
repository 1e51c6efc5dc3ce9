package httpclient

import (
	"strings"
	"testing"
)

func TestLinkNext(t *testing.T) {
	tests := []struct {
		name   string
		values []string
		want   string
	}{
		{"plain", []string{`</a?page=2>; rel="next"`}, "/a?page=2"},
		{"without quotes", []string{`</a>; rel=next`}, "/a"},
		{"GitHub's", []string{`<https://x/a?page=1>; rel="prev", <https://x/a?page=3>; rel="next", <https://x/a?page=9>; rel="last"`}, "https://x/a?page=3"},
		{"two lines", []string{`</a>; rel="prev"`, `</b>; rel="next"`}, "/b"},
		{"several relations", []string{`</a>; rel="last NEXT"`}, "/a"},
		{"other parameters", []string{`</a>; title="a, b; rel=\"no\""; rel="next"; type=x`}, "/a"},
		{"commas and semicolons in the target", []string{`</a;x=1,2?q=a,b>;rel="next"`}, "/a;x=1,2?q=a,b"},
		{"spaces", []string{` , < /a > ; rel = "next" `}, "/a"},
		{"the first rel counts", []string{`</a>; rel="prev"; rel="next"`}, ""},
		{"the first link counts", []string{`</a>; rel=next, </b>; rel=next`}, "/a"},
		{"about another resource", []string{`</a>; rel="next"; anchor="/b"`}, ""},
		{"none", []string{`</a>; rel="prev"`}, ""},
		{"not the word", []string{`</a>; rel="nextish"`}, ""},
		{"in capitals", []string{`</a>; REL="Next"`}, "/a"},
		{"a parameter without value", []string{`</a>; x; rel=next`}, "/a"},
		{"nothing", nil, ""},
		{"not a link", []string{`next: /a`, `<`, `</a`, `</a> rel=next`, `</b>; rel=next`}, "/b"},
		{"open quote", []string{`</a>; rel="next`}, "/a"},
	}
	for _, tt := range tests {
		got, ok := linkNext(tt.values)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}

func FuzzLinkNext(f *testing.F) {
	for _, s := range []string{`</a>; rel="next"`, `<a>;rel=next,<b>`, `<`, `<>;`, `,,,`, `<a>;rel="\`, `<a>;=;"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, ok := linkNext([]string{s})
		if ok && (!strings.Contains(s, target) || !strings.Contains(strings.ToLower(s), "rel")) {
			t.Errorf("%q gives %q", s, target)
		}
		// A link that stands in front is found whatever follows.
		if got, ok := linkNext([]string{`</first>; rel="next", ` + s}); !ok || got != "/first" {
			t.Errorf("%q hides the link before it: %q", s, got)
		}
	})
}
