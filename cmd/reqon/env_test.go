package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseEnv(t *testing.T) {
	const text = "\ufeffPLAIN=a value\r\n" +
		"# a comment\n" +
		"   \n" +
		"export EXPORTED=1\n" +
		" SPACES = b c  # a comment\n" +
		"HASH=a#b\n" +
		"ONLY_COMMENT= # nothing\n" +
		"HASH_FIRST=#x\n" +
		"EMPTY=\n" +
		"EQUALS=a=b==\n" +
		`DOUBLE="a # b\n\"c\" \$x \\ \q" # a comment` + "\n" +
		`SINGLE='a # b\n"c"'` + "\n" +
		"export=2\n" +
		"DOTTED.name-x=3\n" +
		"PLAIN=last"
	want := map[string]string{
		"PLAIN": "last", "EXPORTED": "1", "SPACES": "b c", "HASH": "a#b", "ONLY_COMMENT": "", "HASH_FIRST": "#x", "EMPTY": "",
		"EQUALS": "a=b==", "DOUBLE": "a # b\n\"c\" $x \\ \\q", "SINGLE": `a # b\n"c"`, "export": "2", "DOTTED.name-x": "3",
	}
	got, err := parseEnv(".env", text)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
}

func TestParseEnvRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nhunter2":         ".env:2: expected NAME=value",
		"=hunter2":             ".env:1: expected NAME=value",
		"A B=hunter2":          ".env:1: expected NAME=value",
		"export =hunter2":      "", // a variable named export, as a shell would not read it
		"export A B=hunter2":   ".env:1: expected NAME=value",
		"'A'=hunter2":          ".env:1: expected NAME=value",
		"A=\"hunter2":          ".env:1: A: the quote \" that opens the value is not closed on this line",
		"A='hunter2\nB=1":      ".env:1: A: the quote ' that opens the value is not closed on this line",
		"A=\"hunter2\\\"":      ".env:1: A: the quote \" that opens the value is not closed on this line",
		"A='hunter2' and more": ".env:1: A: there is more text behind the closing quote; put a quote of the other kind around the whole value",
		"A=hunter2\x00":        ".env:1: A: the value holds a zero byte",
	} {
		_, err := parseEnv(".env", text)
		switch {
		case want == "" && err == nil:
		case err == nil || err.Error() != want:
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("REQON_TEST_BOTH", "process")
	t.Setenv("REQON_TEST_EMPTY", "")
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	get, err := environment("")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := get("REQON_TEST_FILE"); ok {
		t.Error("a variable from nowhere")
	}
	write(".env", "REQON_TEST_BOTH=file\nREQON_TEST_EMPTY=file\nREQON_TEST_FILE=file\n")
	if get, err = environment(""); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"REQON_TEST_BOTH": "process", "REQON_TEST_EMPTY": "", "REQON_TEST_FILE": "file"} {
		if got, ok := get(name); !ok || got != want {
			t.Errorf("%s is %q, %t; want %q", name, got, ok, want)
		}
	}
	write("large", strings.Repeat("#", maxEnvFile+1))
	for _, name := range []string{"no such file", "large", "."} {
		if _, err := environment(name); err == nil || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseEnv(f *testing.F) {
	for _, s := range []string{"A=1", "export A='x' # y", `A="\"\\"`, "A=\"", "\ufeffA=", "#", "=", "A=\r\nB", "export ="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vars, err := parseEnv("f", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		for name, v := range vars {
			if !isVariable(name) || strings.ContainsRune(v, 0) {
				t.Fatalf("%q is %q", name, v)
			}
			// What can be a value can also be written: in double quotes.
			quoted := strings.NewReplacer("\\", `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(v)
			again, err := parseEnv("f", "A=\""+quoted+"\"")
			if err != nil || again["A"] != v {
				t.Fatalf("%q in quotes is %q, %v", v, again["A"], err)
			}
		}
	})
}
