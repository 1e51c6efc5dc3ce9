package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

const (
	untidy  = "mission M {\naction A { log   \"x\" }\n\n\n  run A }\n"
	tidy    = "mission M {\n  action A { log \"x\" }\n\n  run A\n}\n"
	invalid = "mission M {\n  action { }\n}\n"
)

// fmtCommand runs the command in a folder with those files, by their paths.
func fmtCommand(t *testing.T, files map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fmtHere(t, args...)
}

func fmtHere(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	app := newApp(&out, &errOut)
	app.Commands = []*cli.Command{formatCommand()}
	err := app.Run(append([]string{"reqon", "fmt"}, args...))
	if err != nil {
		var e *exitError
		if !errors.As(err, &e) {
			t.Fatalf("an error without an exit code: %v", err)
		}
		code = e.code
		if e.err != nil {
			errOut.WriteString(e.err.Error())
		}
	}
	return code, out.String(), errOut.String()
}

func holds(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", name, got, err, want)
	}
}

func TestFormatInPlace(t *testing.T) {
	code, stdout, stderr := fmtCommand(t, map[string]string{
		"m/a.reqon": untidy, "m/b.vague": untidy, "m/deep/er/c.reqon": untidy, "m/tidy.reqon": tidy,
		"m/.hidden.reqon": untidy, "m/.git/d.reqon": untidy, "m/e.txt": untidy, "other.reqon": untidy,
	}, "m")
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if want := "m/a.reqon\nm/b.vague\nm/deep/er/c.reqon\n"; filepath.ToSlash(stdout) != want {
		t.Errorf("it says %q, want %q", stdout, want)
	}
	for _, name := range []string{"m/a.reqon", "m/b.vague", "m/deep/er/c.reqon", "m/tidy.reqon"} {
		holds(t, name, tidy)
	}
	for _, name := range []string{"m/.hidden.reqon", "m/.git/d.reqon", "m/e.txt", "other.reqon"} {
		holds(t, name, untidy)
	}
	if code, stdout, stderr := fmtHere(t, "--check", "m"); code != 0 || stdout+stderr != "" {
		t.Errorf("what was formatted is to be changed again: exit %d, %s%s", code, stdout, stderr)
	}
}

func TestFormatCheckAndDiff(t *testing.T) {
	diff := "--- a.reqon\n+++ a.reqon\n@@ -1,5 +1,5 @@\n mission M {\n-action A { log   \"x\" }\n+  action A { log \"x\" }\n \n" +
		"-\n-  run A }\n+  run A\n+}\n"
	cases := []struct {
		options string
		code    int
		want    string
	}{
		{"--check", 1, "a.reqon\n"},
		{"--diff", 0, diff},
		{"--check --diff", 1, diff},
	}
	for _, c := range cases {
		t.Run(c.options, func(t *testing.T) {
			files := map[string]string{"a.reqon": untidy, "b.reqon": tidy}
			code, stdout, stderr := fmtCommand(t, files, append(strings.Fields(c.options), "a.reqon", "b.reqon")...)
			if code != c.code || stdout != c.want || stderr != "" {
				t.Errorf("exit %d, %q, %q; want exit %d, %q", code, stdout, stderr, c.code, c.want)
			}
			holds(t, "a.reqon", untidy)
			holds(t, "b.reqon", tidy)
		})
	}
}

func TestFormatFaultySource(t *testing.T) {
	for _, options := range []string{"", "--check", "--diff"} {
		args := append(strings.Fields(options), "a.reqon", "bad.reqon", "z.reqon")
		code, stdout, stderr := fmtCommand(t, map[string]string{"a.reqon": untidy, "bad.reqon": invalid, "z.reqon": untidy}, args...)
		if code != 2 || !strings.Contains(stderr, "bad.reqon:2:10") {
			t.Errorf("%s: exit %d, %q", options, code, stderr)
		}
		holds(t, "bad.reqon", invalid)
		if strings.Contains(stdout, "bad.reqon") || !strings.Contains(stdout, "z.reqon") {
			t.Errorf("%s: it says %q", options, stdout)
		}
		if options == "" {
			holds(t, "z.reqon", tidy)
		}
	}
}

func TestFormatBadPaths(t *testing.T) {
	files := map[string]string{"a.reqon": untidy, "notes.txt": "x", "empty/.x.reqon": untidy, "c.reqc": "x"}
	cases := map[string][]string{
		"expected a source":  {},
		"missing.reqon: no":  {"a.reqon", "missing.reqon"},
		"notes.txt is no":    {"a.reqon", "notes.txt"},
		"c.reqc is no":       {"c.reqc"},
		"no source at empty": {"empty"},
	}
	for want, args := range cases {
		code, stdout, stderr := fmtCommand(t, files, args...)
		if code != 3 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit %d, %q, %q", args, code, stdout, stderr)
		}
		holds(t, "a.reqon", untidy)
	}
}

// TestFormatKeepsFile holds that a file is replaced as one expects who has
// linked to it or has set its permissions.
func TestFormatKeepsFile(t *testing.T) {
	fmtCommand(t, map[string]string{"real/a.reqon": untidy, "m/keep.txt": ""}, "--check", "real")
	if err := os.Chmod("real/a.reqon", 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "real", "a.reqon"), "m/link.reqon"); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := os.Symlink(".", "m/loop"); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := fmtHere(t, "m", "real")
	if code != 0 || stderr != "" || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	holds(t, "real/a.reqon", tidy)
	info, err := os.Lstat("m/link.reqon")
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link has become %v (%v)", info.Mode(), err)
	}
	if info, err := os.Stat("real/a.reqon"); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the permissions have become %v (%v)", info.Mode(), err)
	}
	entries, err := os.ReadDir("real")
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

func TestFormatUnwritable(t *testing.T) {
	fmtCommand(t, map[string]string{"a.reqon": untidy, "b.reqon": untidy}, "--check", ".")
	if err := os.Chmod("a.reqon", 0o400); err != nil {
		t.Fatal(err)
	}
	if f, err := os.OpenFile("a.reqon", os.O_WRONLY, 0); err == nil {
		f.Close()
		t.Skip("this user may write everything")
	}
	code, stdout, stderr := fmtHere(t, ".")
	if code != 3 || stdout != "b.reqon\n" || !strings.Contains(stderr, "a.reqon") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	holds(t, "a.reqon", untidy)
	holds(t, "b.reqon", tidy)
}

func TestFormatInOrder(t *testing.T) {
	_, stdout, _ := fmtCommand(t, map[string]string{"c.reqon": untidy, "a.reqon": untidy, "b/x.reqon": untidy}, ".", "a.reqon")
	got := strings.Fields(filepath.ToSlash(stdout))
	if !slices.Equal(got, []string{"a.reqon", "b/x.reqon", "c.reqon"}) {
		t.Errorf("formatted %q", got)
	}
}
