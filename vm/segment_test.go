package vm

import (
	"net/url"
	"strings"
	"testing"

	"reqon/vm/value"
)

func TestSegment(t *testing.T) {
	for text, want := range map[string]string{
		"abc-_.~09AZ": "abc-_.~09AZ",
		"a/b":         "a%2Fb",
		"...":         "...",
		"../x":        "..%2Fx",
		"a b+c?d#e%":  "a%20b%2Bc%3Fd%23e%25",
		"é":           "%C3%A9",
		"a:b@c;d=e":   "a%3Ab%40c%3Bd%3De",
		"\x00\n\\":    "%00%0A%5C",
	} {
		if got, err := segment(value.FromString(text)); err != nil || value.Text(got) != want {
			t.Errorf("%q: got %q, %v, want %q", text, value.Text(got), err, want)
		}
	}
}

// Whatever a text holds, it is one segment of the path that it stands in, and
// the server reads the text back; or the request is refused.
func FuzzSegment(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a/b", "é", "\x00", "%2e%2e", "?#", "..;", "%", "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := segment(value.FromString(text))
		if (err != nil) != (text == "") {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			return
		}
		path := "/a/" + value.Text(v) + "/b"
		if err := checkPath(path); (err != nil) != (text == "." || text == "..") {
			t.Fatalf("%q: %v", path, err)
		} else if err != nil {
			return
		}
		if strings.ContainsAny(path, "?#\\") || strings.Count(path, "/") != 3 {
			t.Errorf("%q: %q is not one segment", text, path)
		}
		u, err := url.Parse("https://x.example" + path)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if u.Path != "/a/"+text+"/b" || u.RawQuery != "" {
			t.Errorf("%q: %q is read back as %q", text, path, u)
		}
		if clean := u.JoinPath(); clean.EscapedPath() != path {
			t.Errorf("%q: %q leads to %q", text, path, clean.EscapedPath())
		}
	})
}
