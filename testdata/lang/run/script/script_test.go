package script_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reqon/testdata/lang/run/script"
)

const sample = `What it tests.
-- main.reqon --
mission M { action A { log "x" } }
-- api --
GET /a?x=1&y=a%2Fb&*
> X-A: 1
!> X-B
< 200
< Link: <$API/b>; rel="next"
{"a":
 1}

POST /b
> body: {"n":1}
< 201
< Content-Type: text/plain
one

POST /b
> form: a=1&b=2
< 204

GET /r
< 401 repeat

GET /t
< 200
< truncate
0123456789

GET /c
< close

GET /never (optional)
< 200

GET /asked
< 200
-- want/out.json --
[{"id": 1, "v": "<any>"}]
-- want.positions.json --
{"API /a": "p"}
-- want.error --
$API is down
-- want.counts --
requests 8
retries 2
`

func parse(t *testing.T, text string) (*script.Program, error) {
	file := filepath.Join(t.TempDir(), "sample.txtar")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return script.Parse(file)
}

// ask sends a request and returns status, body and what went wrong.
func ask(t *testing.T, method, url, body string, headers ...string) (int, string, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	// A connection that is used again would hide an answer that never came: the
	// transport repeats the request by itself.
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func TestServerPlaysTheScript(t *testing.T) {
	p, err := parse(t, sample)
	if err != nil {
		t.Fatal(err)
	}
	s := p.Serve()
	defer s.Close()
	expect := func(wantStatus int, wantBody string, wantErr bool, method, target, body string, headers ...string) {
		t.Helper()
		status, text, err := ask(t, method, s.URL+target, body, headers...)
		if (err != nil) != wantErr || err == nil && (status != wantStatus || text != wantBody) {
			t.Errorf("%s %s: %d %q %v", method, target, status, text, err)
		}
	}
	expect(200, "{\"a\":\n 1}", false, "GET", "/a?y=a/b&x=1&z=9", "", "X-A", "1")
	expect(201, "one", false, "POST", "/b", `{"n":1}`)
	expect(204, "", false, "POST", "/b", "b=2&a=1")
	expect(401, "", false, "GET", "/r", "")
	expect(401, "", false, "GET", "/r", "")
	expect(0, "", true, "GET", "/t", "")
	expect(501, "the script has no answer to this\n", false, "POST", "/c", "")
	expect(0, "", true, "GET", "/c", "")
	want := []string{"no answer (left) for POST /c\n  body: ", "never asked for: GET /asked (block 8)"}
	if got := s.Complaints(); !slices.Equal(got, want) {
		t.Errorf("complaints %q, want %q", got, want)
	}
}

func TestServerComplains(t *testing.T) {
	for _, c := range []struct{ method, target, body, header, want string }{
		{"GET", "/a?x=1", "", "", "no answer (left)"},
		{"GET", "/a?x=2&y=a/b", "", "", "no answer (left)"},
		{"GET", "/a?x=1&y=a/b", "", "", "header X-A"},
		{"GET", "/a?x=1&y=a/b", "", "X-B", "header X-B"},
		{"POST", "/b", `{"n": 1}`, "", "body is"},
		{"POST", "/b?q=1", `{"n":1}`, "", "no answer (left)"},
		{"GET", "/elsewhere", "", "", "no answer (left)"},
	} {
		p, err := parse(t, sample)
		if err != nil {
			t.Fatal(err)
		}
		s := p.Serve()
		var headers []string
		if c.header != "" {
			headers = []string{c.header, "1"}
		}
		_, _, _ = ask(t, c.method, s.URL+c.target, c.body, headers...)
		if got := strings.Join(s.Complaints(), "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s %s: complaints %q, want %q", c.method, c.target, got, c.want)
		}
		s.Close()
	}
}

func TestCompare(t *testing.T) {
	p, err := parse(t, sample)
	if err != nil {
		t.Fatal(err)
	}
	good := func() *script.Outcome {
		return &script.Outcome{
			Status: script.Success, Report: "$API is down", Retries: 2,
			Records:   func(string) ([]string, error) { return []string{`{"id":1,"v":[2]}`}, nil },
			Positions: map[string]string{"API /a": `"p"`},
		}
	}
	records := func(r ...string) func(o *script.Outcome) {
		return func(o *script.Outcome) {
			o.Records = func(string) ([]string, error) { return r, nil }
		}
	}
	for _, c := range []struct {
		change func(o *script.Outcome)
		want   string // "" for no complaint
	}{
		{func(*script.Outcome) {}, ""},
		{func(o *script.Outcome) { o.Status = script.Failure }, "status is failure"},
		{func(o *script.Outcome) { o.Report = "" }, "the report has no"},
		{func(o *script.Outcome) { o.Retries = 1 }, "1 retries"},
		{func(o *script.Outcome) { o.Positions = nil }, "positions are"},
		{records(), "has 0 records"},
		{records(`{"id":1}`), "record 0"},
		{records(`{"id":2,"v":1}`), "record 0"},
		{records(`{"v":1,"id":1}`), "record 0"},
		{records(`{"id":1,"v":null}`), ""},
	} {
		o := good()
		c.change(o)
		got := strings.Join(p.Compare(o, nil), "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("complaints %q, want %q", got, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const source = "x\n-- main.reqon --\nmission M {}\n"
	for _, text := range []string{
		"-- main.reqon --\nmission M {}\n", // says nothing
		"x\n-- want.status --\nsuccess\n",  // no source
		source + "-- want.stats --\nfailure\n",
		source + "-- want.status --\nfine\n",
		source + "-- want/out.json --\n{}\n",
		source + "-- want.counts --\nrequest 1\n",
		source + "-- api --\n/x\n< 200\n",
		source + "-- api --\nGET /x\n{}\n",
		source + "-- api --\nGET /x\n< OK\n",
	} {
		if _, err := parse(t, text); err == nil {
			t.Errorf("no error for %q", text)
		}
	}
}
