package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestReorder(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		// The usual form of the user guide.
		{"./missions/ --daemon --auth ./credentials.json --verbose",
			"run --daemon --auth ./credentials.json --verbose -- ./missions/"},
		{"run ./missions/ --daemon", "run --daemon -- ./missions/"},
		{"--daemon ./missions/", "run --daemon -- ./missions/"},
		{"--auth=a.json m.reqon --param x=1 --param y=2", "run --auth=a.json --param x=1 --param y=2 -- m.reqon"},
		{"--auth check m.reqon", "run --auth check -- m.reqon"},
		{"check --format json a b", "check --format json -- a b"},
		{"--format json check a", "check --format json -- a"},
		{"--strict check a", "check --strict -- a"},
		{"compile a -o out", "compile -o out -- a"},
		{"cron -n 5 @daily", "cron -n 5 -- @daily"},
		{"--validate-cron @daily", "run --validate-cron @daily --"},
		{"--verbose -- --auth", "run --verbose -- --auth"},
		{"-- check", "run -- check"},
		{"./check", "run -- ./check"},
		{"check", "check --"},
		{"-", "run -- -"},
		{"--help", "--help"},
		{"-h", "--help"},
		{"help", "--help"},
		{"help check", "check --help"},
		{"help nothing", "--help"},
		{"--help check", "check --help"},
		{"check a --help", "check --help"},
		{"m.reqon -h --verbose", "run --help"},
		{"--version", "version"},
		{"", "--help"},
	} {
		got, err := reorder(newApp(io.Discard, io.Discard), append([]string{"reqon"}, strings.Fields(c.line)...))
		if want := append([]string{"reqon"}, strings.Fields(c.want)...); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q gives %q, %v; want %q", c.line, got, err, want)
		}
	}
}

func TestReorderRefuses(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"m.reqon --auht x", "unknown option --auht of reqon run; did you mean --auth?"},
		{"m.reqon --zzzz", "unknown option --zzzz of reqon run; see reqon run --help"},
		{"m.reqon --cpuprofil x", "unknown option --cpuprofil of reqon run; see reqon run --help"}, // a hidden one is not told
		{"check --daemon m.reqon", "unknown option --daemon of reqon check; see reqon check --help"},
		{"m.reqon --=x", "unknown option -- of reqon run; see reqon run --help"},
		{"m.reqon --auth", "the option --auth needs a value; see reqon run --help"},
		{"m.reqon --verbose=2", "--verbose 2: expected true or false"},
		{"history --limit=", "--limit \"\": expected a whole number"},
		{"--version --verbose", "unknown option --version of reqon run; see reqon run --help"},
	} {
		_, err := reorder(newApp(io.Discard, io.Discard), append([]string{"reqon"}, strings.Fields(c.line)...))
		if err == nil || err.Error() != c.want {
			t.Errorf("%q: %v; want %q", c.line, err, c.want)
		}
	}
}

func FuzzReorder(f *testing.F) {
	for _, s := range []string{"m.reqon\x00--auth\x00x", "check\x00--format=json\x00a", "--\x00-x", "-\x00--=\x00---x", "help\x00run", "--version", "-o\x00"} {
		f.Add(s)
	}
	app := newApp(io.Discard, io.Discard)
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, "\x00")
		got, err := reorder(app, append([]string{"reqon"}, args...))
		if err != nil {
			var out bytes.Buffer
			if tell(&out, err) != exitConfig || out.Len() == 0 {
				t.Fatalf("%q: told as %q", args, out.String())
			}
			return
		}
		switch {
		case len(got) < 2 || got[0] != "reqon":
			t.Fatalf("%q gives %q", args, got)
		case got[1] == helpLine || slices.Contains(got, helpLine) || got[1] == "version":
			return
		case app.Command(got[1]) == nil || !slices.Contains(got, "--"):
			t.Fatalf("%q gives %q", args, got)
		}
		// Nothing but the command's name and the first -- may come or go.
		if n := len(got) - 1 - len(args); n < -1 || n > 2 {
			t.Fatalf("%q gives %q", args, got)
		}
	})
}
