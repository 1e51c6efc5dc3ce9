package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/runtime/engine"
	"reqon/runtime/state"
)

func TestTell(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{exit(exitFailed, nil), 1, ""},
		{exit(exitSource, errors.New("x")), 2, "reqon: x\n"},
		{errors.New("x"), 3, "reqon: x\n"},
		{&engine.ConfigError{Err: errors.New("x")}, 3, "reqon: x\n"},
		{exit(exitFailed, fmt.Errorf("y: %w", &engine.ConfigError{Err: errors.New("x")})), 3, "reqon: y: x\n"},
	} {
		var out bytes.Buffer
		if code := tell(&out, c.err); code != c.code || out.String() != c.text {
			t.Errorf("%v: %d, %q; want %d, %q", c.err, code, out.String(), c.code, c.text)
		}
	}
}

// Every option of every command has a usage and is in the command's help and in
// the completions, unless it is hidden.
func TestEveryOptionIsTold(t *testing.T) {
	app := newApp(io.Discard, io.Discard)
	known := completions(app)
	for _, c := range app.Commands {
		help := commandHelp(c)
		i := slices.IndexFunc(known, func(e completion) bool { return e.name == c.Name })
		if i < 0 {
			t.Fatalf("%s is not completed", c.Name)
		}
		if !strings.Contains(appHelp(app), "\n  "+c.Name+" ") || c.Usage == "" {
			t.Errorf("%s is not in the help", c.Name)
		}
		for _, f := range c.Flags {
			d := f.(cli.DocGenerationFlag)
			if d.GetUsage() == "" {
				t.Errorf("%s --%s has no usage", c.Name, f.Names()[0])
			}
			told := strings.Contains(help, "\n  "+flagNames(d)+" ")
			completed := slices.ContainsFunc(known[i].options, func(o completionOption) bool { return slices.Contains(o.names, "--"+f.Names()[0]) }) ||
				slices.ContainsFunc(known[i].options, func(o completionOption) bool { return slices.Contains(o.names, "-"+f.Names()[0]) })
			if told != visible(f) || completed != visible(f) {
				t.Errorf("%s --%s: visible %t, in the help %t, completed %t", c.Name, f.Names()[0], visible(f), told, completed)
			}
		}
		for line := range strings.SplitSeq(help, "\n") {
			if len([]rune(line)) > 110 {
				t.Errorf("%s: a line of the help is too long: %s", c.Name, line)
			}
		}
	}
}

// The times on the day when Berlin's clocks go forward: 2:30 does not exist.
func TestCronTimes(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeCronTimes(&out, "0 9 * * *", zone, time.Date(2026, 3, 28, 9, 0, 0, 0, zone), 2); err != nil {
		t.Fatal(err)
	}
	const want = `"0 9 * * *" is valid. Next runs:
  2026-03-29 09:00:00 Sun +02:00 CEST
  2026-03-30 09:00:00 Mon +02:00 CEST
`
	if out.String() != want {
		t.Errorf("got %s", out.String())
	}
}

func TestHealthURL(t *testing.T) {
	for text, want := range map[string]string{
		"localhost:8080":              "http://localhost:8080/health",
		"http://localhost:8080":       "http://localhost:8080/health",
		"http://localhost:8080/":      "http://localhost:8080/health",
		"https://x/health/ready":      "https://x/health/ready",
		"[::1]:8080":                  "http://[::1]:8080/health",
		"127.0.0.1:8080/health/live":  "http://127.0.0.1:8080/health/live",
		"http://x?verbose":            "http://x/health?verbose",
		"":                            "",
		"ftp://x":                     "",
		"http://":                     "",
		"http://x:port":               "",
		"http://a b":                  "",
		"file:///etc/passwd":          "",
		"http://x/%zz":                "",
		"localhost:8080/health\x00\n": "",
	} {
		got, err := healthURL(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q gives %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		"short":              "short",
		"two\nlines\x1b[31m": "two lines …",
		"üüüüüüüüüü":         "üüüüüüüüüü",
		"üüüüüüüüüüü":        "üüüüüüüüüü…",
		"a\xffb":             "a\uFFFDb",
	} {
		if got := oneLine(text, 10); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

func TestTook(t *testing.T) {
	start := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		run  state.Run
		want string
	}{
		{state.Run{Start: start, End: start.Add(2100 * time.Millisecond), Status: state.StatusSuccess}, "2.1s"},
		{state.Run{Start: start, Status: state.StatusRunning}, "60.0s"},
		{state.Run{Start: start, Status: state.StatusInterrupted}, "-"},
	} {
		if got := took(&c.run, start.Add(time.Minute)); got != c.want {
			t.Errorf("%v: %q, want %q", c.run.Status, got, c.want)
		}
	}
}

// Of a hundred thousand failed items the report shows some, and tells of the rest.
func TestWriteErrors(t *testing.T) {
	index := 3
	r := &engine.Report{Err: errors.New("x"), Run: state.Run{Mission: "M", Error: "x", MoreErrors: 5, Errors: []state.RunError{
		{Message: "boom", Action: "A", Place: "m.reqon:1:2"},
		{Message: "bad", Action: "A", Place: "m.reqon:3:4", Index: &index, ID: "x7"},
	}}}
	for _, c := range []struct {
		items bool
		want  string
	}{
		{true, "error: m.reqon:1:2: boom\n  in action A of mission M\n" +
			"error: m.reqon:3:4: item 3 (id x7): bad\n  in action A of mission M\nerror: and 5 more\n"},
		{false, "error: m.reqon:1:2: boom\n  in action A of mission M\nerror: 6 items of mission M failed\n"},
	} {
		var out bytes.Buffer
		if writeErrors(&out, r, c.items); out.String() != c.want {
			t.Errorf("got  %q\nwant %q", out.String(), c.want)
		}
	}
	var out bytes.Buffer
	if writeErrors(&out, &engine.Report{Run: r.Run}, true); out.Len() > 0 {
		t.Errorf("errors of a run that did not fail: %q", out.String())
	}
}
