package httpclient

import (
	"testing"

	"reqon/vm/option"
	"reqon/vm/value"
)

func TestOrigin(t *testing.T) {
	b := value.NewObjectBuilder(nil, 1)
	b.Set("base", value.FromString("https://API.example.com/v1"))
	options, err := option.At(option.InSource).Decode(b.Value())
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSource("A", options, nil)
	if err != nil {
		t.Fatal(err)
	}
	none, err := NewSource("none", option.At(option.InSource).Defaults(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s          *Source
		path, want string
	}{
		{s, "", "https://api.example.com:443"}, {s, "/orders", "https://api.example.com:443"},
		{s, "http://Other:8080/x?q=1", "http://other:8080"}, {s, "https://api.example.com/x", "https://api.example.com:443"},
		{none, "/x", ""}, {none, "", ""}, {none, "http://[::1]:99/x", "http://[::1]:99"}, {s, "http://a b/", ""},
	} {
		if got := c.s.Origin(c.path); got != c.want {
			t.Errorf("%q: %q, want %q", c.path, got, c.want)
		}
	}
	for origin, want := range map[string]bool{
		"http://127.0.0.1:80": true, "http://127.9.0.1:8080": true, "https://localhost:443": true, "http://[::1]:99": true,
		"https://api.example.com:443": false, "http://10.0.0.1:80": false, "http://localhost.example.com:80": false, "": false, "http://[::ffff:127.0.0.1]:1": true,
	} {
		if IsLoopback(origin) != want {
			t.Errorf("%q: %v", origin, !want)
		}
	}
}
