package compiler_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/vm/bytecode"
)

// mission is a mission that compiles without remarks.
func mission(name string) string {
	return "mission " + name + " {\n  action A { log \"x\" }\n  run A\n}\n"
}

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func artifact(t *testing.T, name string) string {
	t.Helper()
	r, err := compiler.Load(filepath.Join(folder(t, map[string]string{"m.reqon": mission(name)}), "m.reqon"))
	if err != nil || r.Failed() {
		t.Fatalf("%v %v", err, r)
	}
	return string(bytecode.Encode(r.Missions[0].Program))
}

// TestLoad holds the rules of the language definition, section 1.
func TestLoad(t *testing.T) {
	compiled := artifact(t, "Compiled")
	for _, tt := range []struct {
		name     string
		files    map[string]string
		path     string // "" for the folder
		missions string // names in order
		codes    string // of the errors
	}{
		{"a file of several", map[string]string{"a.reqon": mission("A") + mission("B")}, "a.reqon", "A B", ""},
		{"the alias", map[string]string{"a.vague": mission("A")}, "", "A", ""},
		{"a collection, by name, with its folders", map[string]string{"b.reqon": mission("B"), "a.reqon": mission("A"), "sub/c.reqon": mission("C")}, "", "A B C", ""},
		{"a mission folder takes what lies below", map[string]string{
			"mission.reqon": "mission M {\n  run Later\n}\n", "deep/er/x.reqon": "action Later { log \"x\" }\n"}, "", "M", ""},
		{"mission.reqon given by itself is its folder", map[string]string{
			"mission.reqon": "mission M {\n  run Later\n}\n", "x.reqon": "action Later { log \"x\" }\n"}, "mission.reqon", "M", ""},
		{"a mission folder in a collection", map[string]string{
			"a.reqon": mission("A"), "sync/mission.reqon": "mission M {\n  run Later\n}\n", "sync/x.reqon": "action Later { log \"x\" }\n"}, "", "A M", ""},
		{"loose declarations", map[string]string{"a.reqon": "action Loose { log \"x\" }\n" + mission("A")}, "", "A", diag.CodeLoose},
		{"two of one name", map[string]string{"a.reqon": mission("A"), "b.reqon": mission("A")}, "", "A A", diag.CodeDuplicate},
		{"a second mission in a mission folder", map[string]string{"mission.reqon": mission("A"), "b.reqon": mission("B")}, "", "A", diag.CodeStrayMission},
		{"no mission in a file", map[string]string{"a.reqon": "// nothing\n"}, "", "", diag.CodeNoMission},
		{"no mission in mission.reqon", map[string]string{"mission.reqon": "action A { log \"x\" }\n"}, "", "", diag.CodeNoMission},
		{"an artifact", map[string]string{"a.reqc": compiled}, "", "Compiled", ""},
		{"an artifact beside its source is passed over", map[string]string{"a.reqc": compiled, "a.reqon": mission("A")}, "", "A", ""},
		{"names with a dot are passed over", map[string]string{"a.reqon": mission("A"), ".b.reqon": mission("B"), ".git/c.reqon": mission("C")}, "", "A", ""},
		{"byte order mark and CRLF", map[string]string{"a.reqon": "\xef\xbb\xbf" + strings.ReplaceAll(mission("A"), "\n", "\r\n")}, "", "A", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := compiler.Load(filepath.Join(folder(t, tt.files), tt.path))
			if err != nil {
				t.Fatal(err)
			}
			var names, codes []string
			for _, m := range r.Missions {
				names = append(names, m.Name)
			}
			for _, d := range r.Diagnostics {
				if d.Severity == diag.Error {
					codes = append(codes, d.Code)
				}
			}
			if diff := cmp.Diff(strings.Fields(tt.missions), names, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("missions, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(strings.Fields(tt.codes), codes, cmpopts.EquateEmpty()); diff != "" || len(r.Errors) > 0 {
				t.Errorf("%v, and errors, -want +got:\n%s", r.Errors, diff)
			}
		})
	}
}

// TestLoadTwiceByPath: one file that several paths lead to is one file.
func TestLoadTwiceByPath(t *testing.T) {
	dir := folder(t, map[string]string{"a.reqon": mission("A")})
	r, err := compiler.Load(dir, filepath.Join(dir, "a.reqon"))
	if err != nil || r.Failed() || len(r.Missions) != 1 {
		t.Errorf("%v, %d missions, %v", err, len(r.Missions), r.Diagnostics)
	}
}

// TestMissionsApart: of several missions in a file one with errors does not stop
// the others, wherever it stands.
func TestMissionsApart(t *testing.T) {
	bad := "mission Bad {\n  action A { log nothing }\n  run A\n}\n"
	for _, text := range []string{bad + mission("Good"), mission("Good") + bad} {
		r, err := compiler.Load(filepath.Join(folder(t, map[string]string{"m.reqon": text}), "m.reqon"))
		if err != nil || !r.Failed() {
			t.Fatalf("%v, %v", err, r)
		}
		for _, m := range r.Missions {
			if (m.Program != nil) != (m.Name == "Good") {
				t.Errorf("%s has a program: %t", m.Name, m.Program != nil)
			}
		}
	}
}

// TestLoadDamaged: what can't be read is an error of its own, and nothing else
// is lost by it.
func TestLoadDamaged(t *testing.T) {
	compiled := artifact(t, "Compiled")
	dir := folder(t, map[string]string{"a.reqon": mission("A"), "b.reqc": compiled[:len(compiled)-1], "c.reqc": "no artifact"})
	r, err := compiler.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Missions) != 1 || len(r.Errors) != 2 {
		t.Errorf("%d missions and the errors %v, want A and two errors", len(r.Missions), r.Errors)
	}
	for _, path := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "none.reqon")} {
		if _, err := compiler.Load(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
