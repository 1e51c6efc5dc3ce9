package format

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	cases := []struct{ name, a, b, want string }{
		{"equal", "a\nb\n", "a\nb\n", ""},
		{"one line", "a\nb\nc\n", "a\nB\nc\n", "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
		{"from nothing", "", "a\n", "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n"},
		{"to nothing", "a\n", "", "--- f\n+++ f\n@@ -1,1 +0,0 @@\n-a\n"},
		{"no new line at the end", "a", "a\n", "--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"three lines around", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
			"--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
		{"two hunks", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
			"--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
		{"near changes are one hunk", "a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
			"--- f\n+++ f\n@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
		{"lines put in", "a\nb\n", "a\nx\ny\nb\n", "--- f\n+++ f\n@@ -1,2 +1,4 @@\n a\n+x\n+y\n b\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Diff("f", []byte(c.a), []byte(c.b)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// patch applies a diff, holding it against the old text on the way.
func patch(old, diff string) (string, error) {
	lines := splitLines([]byte(old))
	var out []string
	done := 0
	rest := strings.SplitAfter(diff, "\n")
	for k := 0; k < len(rest); k++ {
		line := rest[k]
		switch {
		case line == "" || strings.HasPrefix(line, "---") && k == 0 || strings.HasPrefix(line, "+++") && k == 1:
			continue
		case strings.HasPrefix(line, "@@"):
			var a, countA, b, countB int
			if _, err := fmt.Sscanf(line, "@@ -%d,%d +%d,%d @@", &a, &countA, &b, &countB); err != nil {
				return "", err
			}
			if countA > 0 {
				a--
			}
			if a < done || a > len(lines) {
				return "", fmt.Errorf("hunk at line %d behind %d", a, done)
			}
			out = append(out, lines[done:a]...)
			done = a
			if want := b - min(1, countB); len(out) != want {
				return "", fmt.Errorf("hunk %q stands at line %d of the new text", line, len(out))
			}
			continue
		}
		text := line[1:]
		if k+1 < len(rest) && strings.HasPrefix(rest[k+1], "\\") {
			text = strings.TrimSuffix(text, "\n")
		}
		switch line[0] {
		case '\\':
		case '+':
			out = append(out, text)
		case ' ', '-':
			if done >= len(lines) || lines[done] != text {
				return "", fmt.Errorf("line %d is not %q", done+1, text)
			}
			done++
			if line[0] == ' ' {
				out = append(out, text)
			}
		default:
			return "", fmt.Errorf("unexpected line %q", line)
		}
	}
	return strings.Join(append(out, lines[done:]...), ""), nil
}

func checkDiff(t *testing.T, a, b string) {
	t.Helper()
	diff := Diff("f", []byte(a), []byte(b))
	got, err := patch(a, diff)
	if err != nil {
		t.Fatalf("%v in\n%s", err, diff)
	}
	if got != b {
		t.Fatalf("the diff from %q to %q makes %q:\n%s", a, b, got, diff)
	}
}

// TestDiffRandom applies diffs of texts of few different lines, in which little
// is unique.
func TestDiffRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range r.IntN(25) {
			fmt.Fprintf(&b, "%d\n", r.IntN(1+r.IntN(20)))
		}
		if r.IntN(4) == 0 {
			b.WriteString("end")
		}
		return b.String()
	}
	for range 20_000 {
		checkDiff(t, text(), text())
	}
}

// TestDiffPatch holds the diffs against the program that people apply them with.
func TestDiffPatch(t *testing.T) {
	program, err := exec.LookPath("patch")
	if err != nil {
		t.Skip("there is no patch program")
	}
	n := 0
	for name, src := range corpus(t) {
		out, _ := Source(name, src)
		if string(out) == string(src) || n == 20 || strings.Contains(string(src), "\r") {
			continue
		}
		n++
		file := filepath.Join(t.TempDir(), "f.reqon")
		if err := os.WriteFile(file, src, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-s", file)
		cmd.Stdin = strings.NewReader(Diff("f.reqon", src, out))
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, msg)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != string(out) {
			t.Errorf("%s: patched to\n%s\nwant\n%s (%v)", name, got, out, err)
		}
	}
}

func FuzzDiff(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc\nd")
	f.Add("", "\n")
	f.Add("x", "x\n")
	f.Fuzz(checkDiff)
}

func TestDiffLarge(t *testing.T) {
	var a, b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&a, "  line %d\n}\n", i)
		fmt.Fprintf(&b, "    line %d\n}\n", i)
	}
	checkDiff(t, a.String(), b.String())
}
