package examples

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"reqon/compiler"
	"reqon/vm/option"
)

// written lays the embedded missions out as the demo does.
func written(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, FS); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Not even an information: what a newcomer sees first has nothing to explain.
func TestNoDiagnostics(t *testing.T) {
	r, err := compiler.Load(written(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Errors {
		t.Error(e)
	}
	for _, d := range r.Diagnostics {
		p := d.Span.Position()
		t.Errorf("%s:%d:%d: %s %s: %s (%s)", p.File, p.Line, p.Column, d.Severity, d.Code, d.Message, d.Suggestion)
	}
	for _, m := range r.Missions {
		if m.Program == nil {
			t.Errorf("%s has no program", m.Name)
		}
	}
}

func TestAllAreDescribedAsTheyAre(t *testing.T) {
	dir := written(t)
	r, err := compiler.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{} // path by mission
	for _, m := range r.Missions {
		rel, err := filepath.Rel(dir, filepath.FromSlash(m.File))
		if err != nil {
			t.Fatal(err)
		}
		found[m.Name] = strings.TrimSuffix(filepath.ToSlash(rel), "/mission.reqon")
	}
	for _, e := range All() {
		if found[e.Mission] != e.Path {
			t.Errorf("%s is described as %q, and is at %q", e.Mission, e.Path, found[e.Mission])
		}
		delete(found, e.Mission)
		if got := fileStores(t, e.Path); !slices.Equal(got, slices.Sorted(slices.Values(e.Stores))) {
			t.Errorf("%s is described with the stores %v, and has %v", e.Mission, e.Stores, got)
		}
	}
	for name := range found {
		t.Errorf("%s is not described", name)
	}
}

// text returns all that a mission's files hold.
func text(t *testing.T, path string) string {
	t.Helper()
	var all strings.Builder
	err := fs.WalkDir(FS, path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(FS, name)
		all.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func fileStores(t *testing.T, path string) (targets []string) {
	for _, m := range regexp.MustCompile(`(?m)^ *store \w+: file\("([^"]+)"\)`).FindAllStringSubmatch(text(t, path), -1) {
		targets = append(targets, m[1])
	}
	slices.Sort(targets)
	return targets
}

// Each mission takes its address and token from where the demo puts them, is
// explained, and leaves nobody waiting for its first run.
func TestMissionsSuitTheDemo(t *testing.T) {
	for _, e := range All() {
		s := text(t, e.Path)
		for _, want := range []string{"// ", "source " + Source, `base: env("` + BaseEnv + `")`, "auth: bearer", "runImmediately: true"} {
			if !strings.Contains(s, want) {
				t.Errorf("%s lacks %q", e.Path, want)
			}
		}
		if strings.Contains(s, "reqon:allow") || strings.Contains(s, "\t") || strings.Contains(s, "\r") {
			t.Errorf("%s has an allow, a tab or a carriage return", e.Path)
		}
		for line := range strings.Lines(s) {
			if len([]rune(line)) > 101 || strings.HasSuffix(line, " \n") {
				t.Errorf("%s: too long, or white space at its end: %q", e.Path, line)
			}
		}
	}
}

// The examples are where people look for how an option is written. Those that
// the sample shop has no use for are listed here, so that none is forgotten.
func TestOptionsOfRequestsAreShown(t *testing.T) {
	unused := []string{
		"source", "form", "omitNull", "maxPages", "maxItems", "allowCut", "failWhen", "decode", "csv", "sinceHeader", "sinceZone", "syncKey", "rateLimit",
	}
	var all strings.Builder
	for _, e := range All() {
		all.WriteString(text(t, e.Path))
	}
	for _, name := range option.At(option.InRequest).Names() {
		shown := regexp.MustCompile(`\b` + name + `:`).MatchString(all.String())
		if listed := slices.Contains(unused, name); shown == listed {
			t.Errorf("the option %s is shown: %t, listed as not shown: %t", name, shown, listed)
		}
	}
}
