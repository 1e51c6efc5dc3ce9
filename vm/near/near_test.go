package near

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNearest(t *testing.T) {
	names := []string{"response", "lastSync", "orders", "customers", "id", "a", "total", "log-level", "dry-run"}
	for word, want := range map[string]string{
		"respones": "response", "RESPONSE": "response", "lastsync": "lastSync", "order": "orders", "custmers": "customers",
		"idd": "id", "b": "", "zebra": "", "totla": "total", "toal": "total", "": "", "x": "", "orders": "",
		"loglevel": "log-level", "dryrun": "dry-run", strings.Repeat("x", 1<<20): "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	// As near as each other: the first by the alphabet, in whatever order.
	for _, list := range [][]string{{"cat", "bat", "hat"}, {"hat", "cat", "bat"}, {"bat", "hat", "cat"}} {
		if got := Nearest("rat", list); got != "bat" {
			t.Errorf("%v: %q", list, got)
		}
	}
	if got := Nearest("ID", []string{"Id", "iD", "IDs"}); got != "Id" {
		t.Errorf("got %q", got)
	}
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"nextPage", "next_page", true}, {"nextPage", "NEXT-PAGE", true}, {"next_cursor", "nextcursor", true},
		{"id", "ID", true}, {"id", "_id", true}, {"a", "A", true},
		{"cursor", "cursr", true}, {"cursor", "curosr", true}, {"cursor", "cursors", true}, {"cursor", "cussor", true},
		{"next_page_tokn", "nextPageToken", true}, {"äöüßé", "äöüßè", true},
		// One edit away and short; two edits; the same; nothing.
		{"id", "ids", false}, {"next", "nest", false}, {"next", "nexts", false}, {"link", "links", false},
		{"cursor", "cusrro", false}, {"cursor", "curs", false}, {"nextPage", "nextPageToken", false}, {"after", "before", false},
		{"cursor", "cursor", false}, {"", "", false}, {"", "_", false}, {"_", "-", false}, {"__", "_", false},
	} {
		if got := Alike(c.a, c.b); got != c.want {
			t.Errorf("Alike(%q, %q) = %v", c.a, c.b, got)
		}
		if got := Alike(c.b, c.a); got != c.want {
			t.Errorf("Alike(%q, %q) = %v", c.b, c.a, got)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "ab", 1}, {"abc", "xabc", 1}, {"abc", "axc", 1},
		{"kitten", "sitting", 3}, {"äöü", "äü", 1}, {"abcdef", "x", 5}, {"abcdef", "ghijkl", 5}, {"ca", "abc", 3},
	} {
		if got := Distance(c.a, c.b, 5); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// FuzzDistance holds the distance against its recursive definition, and checks
// what does not depend on it.
func FuzzDistance(f *testing.F) {
	for _, s := range []string{"kitten sitting", "abc acb", "ca abc", " ", "äöü äü", "\xff \xfe"} {
		a, b, _ := strings.Cut(s, " ")
		f.Add(a, b, 3)
	}
	f.Fuzz(func(t *testing.T, a, b string, limit int) {
		if len(a) > 12 || len(b) > 12 || limit < 0 {
			return
		}
		s, u := []rune(a), []rune(b)
		want := min(defined(s, u), limit)
		if got := Distance(a, b, limit); got != want {
			t.Errorf("%q, %q: %d, want %d", a, b, got, want)
		}
		if got := Distance(b, a, limit); got != want {
			t.Errorf("%q, %q: %d, and the other way %d", a, b, want, got)
		}
		if n := Nearest(a, []string{b}); n != "" && n != b {
			t.Errorf("%q is near %q", n, a)
		}
		if utf8.ValidString(a) && utf8.ValidString(b) && Alike(a, b) != Alike(b, a) {
			t.Errorf("%q, %q: alike one way only", a, b)
		}
	})
}

func defined(a, b []rune) int {
	if len(a) == 0 || len(b) == 0 {
		return len(a) + len(b)
	}
	m, n := len(a)-1, len(b)-1
	if a[m] == b[n] {
		return defined(a[:m], b[:n])
	}
	d := 1 + min(defined(a[:m], b[:n]), defined(a[:m], b), defined(a, b[:n]))
	if m > 0 && n > 0 && slices.Equal(a[m-1:], []rune{b[n], b[n-1]}) {
		d = min(d, 1+defined(a[:m-1], b[:n-1]))
	}
	return d
}
