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
		bad    string // where it can't be read
	}{
		{"plain", []string{`</a?page=2>; rel="next"`}, "/a?page=2", ""},
		{"without quotes", []string{`</a>; rel=next`}, "/a", ""},
		{"GitHub's", []string{`<https://x/a?page=1>; rel="prev", <https://x/a?page=3>; rel="next", <https://x/a?page=9>; rel="last"`}, "https://x/a?page=3", ""},
		{"two lines", []string{`</a>; rel="prev"`, `</b>; rel="next"`}, "/b", ""},
		{"several relations", []string{`</a>; rel="last NEXT"`}, "/a", ""},
		{"other parameters", []string{`</a>; title="a, b; rel=\"no\""; rel="next"; type=x`}, "/a", ""},
		{"commas and semicolons in the target", []string{`</a;x=1,2?q=a,b>;rel="next"`}, "/a;x=1,2?q=a,b", ""},
		{"spaces", []string{` , < /a > ; rel = "next" `}, "/a", ""},
		{"the first rel counts", []string{`</a>; rel="prev"; rel="next"`}, "", ""},
		{"the first link counts", []string{`</a>; rel=next, </b>; rel=next`}, "/a", ""},
		{"about another resource", []string{`</a>; rel="next"; anchor="/b"`}, "", ""},
		{"none", []string{`</a>; rel="prev"`}, "", ""},
		{"not the word", []string{`</a>; rel="nextish"`}, "", ""},
		{"in capitals", []string{`</a>; REL="Next"`}, "/a", ""},
		{"a parameter without value", []string{`</a>; x; rel=next`}, "/a", ""},
		{"nothing", nil, "", ""},
		{"not a link", []string{`next: /a`, `<`, `</a`, `</a> rel=next`, `</b>; rel=next`}, "/b", "next: /a"},
		{"nothing in it", []string{``, ` , `}, "", ""},
		{"no semicolon", []string{`</n> rel="next"`}, "", `</n> rel="next"`},
		{"no brackets", []string{`http://h/n; rel="next"`}, "", `http://h/n; rel="next"`},
		{"no comma between two", []string{`</p>; rel="prev" </n>; rel="next"`}, "", `</p>; rel="prev" </n>; rel="next"`},
		{"no comma between two, without quotes", []string{`</p>; rel=prev </n>; rel=next`}, "", `</p>; rel=prev </n>; rel=next`},
		{"no comma between two, and another parameter", []string{`</p>; title=x </n>; rel="next"`}, "", `</p>; title=x </n>; rel="next"`},
		{"no comma between two, and a parameter without value", []string{`</p>; x </n>; rel="next"`}, "", `</p>; x </n>; rel="next"`},
		{"a semicolon between two", []string{`</p>; rel="prev"; </n>; rel="next"`}, "", `</p>; rel="prev"; </n>; rel="next"`},
		{"a bracket that is not closed", []string{`</p; rel="prev", </n>; rel="next"`}, "/n", `</p; rel="prev", </n>; rel="next"`},
		{"a quote that is not closed", []string{`</p>; rel="prev, </n>; rel=next`}, "/n", `</p>; rel="prev, </n>; rel=next`},
		{"a quote that swallows the rest", []string{`</p>; rel="prev; </n>; rel=next`}, "", `</p>; rel="prev; </n>; rel=next`},
		{"a good link behind a bad one", []string{`/p; rel="prev", </n>; rel="next"`}, "/n", `/p; rel="prev", </n>; rel="next"`},
		{"a good link behind a bad one with commas", []string{`/p?a=1,2; rel="prev" ,</n,3>; rel="next"`}, "/n,3", `/p?a=1,2; rel="prev" ,</n,3>; rel="next"`},
		{"a good link behind bad lines", []string{`{"next":"/x"}`, `</n>; rel="next"`}, "/n", `{"next":"/x"}`},
		{"a good link before a bad one", []string{`</n>; rel="next", /p`}, "/n", ""},
		{"the bad one is the next", []string{`</p>; rel="prev", </n> rel="next"`}, "", `</n> rel="next"`},
		{"single quotes", []string{`</n>; rel='next'`}, "/n", ""},
		{"single quotes and others", []string{`</n>; title='a, b'; rel='prev next', </m>; rel=next`}, "/n", ""},
		{"a quote in a word", []string{`</n>; title=don't; rel=next`}, "/n", ""},
		{"a single quote that is not closed", []string{`</n>; title='tis; rel=next`}, "/n", ""},
		{"relations with commas", []string{`</n>; rel="next,last"`}, "/n", ""},
		{"anchored at the page itself", []string{`</n>; rel="next"; anchor="/self"`}, "/n", ""},
		{"anchored elsewhere, then not", []string{`</n>; rel="next"; anchor="/b", </m>; rel="next"`}, "/m", ""},
		{"an empty target", []string{`<>; rel="next"`}, "<>", ""},
		{"open quote", []string{`</a>; rel="next`}, "/a", ""},
	}
	for _, tt := range tests {
		target, bad := linkNext(tt.values, func(anchor string) bool { return anchor == "/self" })
		got := ""
		if target != nil {
			got = *target
			if got == "" {
				got = "<>"
			}
		}
		if got != tt.want || bad != tt.bad {
			t.Errorf("%s: got %q, bad %q, want %q, bad %q", tt.name, got, bad, tt.want, tt.bad)
		}
	}
}

func FuzzLinkNext(f *testing.F) {
	for _, s := range []string{`</a>; rel="next"`, `<a>;rel=next,<b>`, `<`, `<>;`, `,,,`, `<a>;rel="\`, `<a>;=;"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		elsewhere := func(string) bool { return false }
		target, bad := linkNext([]string{s}, elsewhere)
		if target != nil && (!strings.Contains(s, *target) || !strings.Contains(strings.ToLower(s), "rel")) {
			t.Errorf("%q gives %q", s, *target)
		}
		if target == nil && bad == "" && strings.Trim(s, " \t,") != "" && s[strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(" \t,", r) })] != '<' {
			t.Errorf("%q is no link, and passes for one", s)
		}
		// A link that stands in front is found whatever follows, and one on
		// another line whatever comes before.
		for _, lines := range [][]string{{`</first>; rel="next", ` + s}, {s, `</first>; rel="next"`}} {
			if got, _ := linkNext(lines, elsewhere); got == nil || target == nil && *got != "/first" {
				t.Errorf("%q hides the link beside it", lines)
			}
		}
	})
}
