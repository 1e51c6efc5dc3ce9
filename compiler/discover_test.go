package compiler

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestFinder: after any change of names, a Finder that has looked before finds
// what one finds that looks for the first time; and it notices that nothing has
// changed once the folders' times are old enough to tell.
func TestFinder(t *testing.T) {
	root := t.TempDir()
	write := func(name string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settle := func() {
		t.Helper()
		past := time.Now().Add(-time.Hour)
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() {
				return err
			}
			past = past.Add(-time.Second)
			return os.Chtimes(path, past, past)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a.reqon", "b.vague", "note.txt", "sub/c.reqon", "sub/d.reqc", "folder/mission.reqon", "folder/x/y.reqon"} {
		write(name)
	}
	var f Finder
	look := func(step string) (changed bool) {
		t.Helper()
		got, changed, err := f.Discover(root)
		want, werr := Discover(root)
		if !reflect.DeepEqual(got, want) || (err == nil) != (werr == nil) {
			t.Fatalf("%s: found %v, %v; want %v, %v", step, got, err, want, werr)
		}
		return changed
	}
	settle()
	if !look("first") {
		t.Error("the first look tells no change")
	}
	if look("second") {
		t.Error("the second look tells a change")
	}

	remove := func(name string) func() error {
		return func() error { return os.RemoveAll(filepath.Join(root, name)) }
	}
	move := func(from, to string) func() error {
		return func() error { return os.Rename(filepath.Join(root, from), filepath.Join(root, to)) }
	}
	add := func(name string) func() error {
		return func() error { write(name); return nil }
	}
	link := func(to, name string) func() error {
		return func() error {
			_ = os.Remove(filepath.Join(root, name)) // may not be there
			return os.Symlink(filepath.Join(root, to), filepath.Join(root, name))
		}
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"a file is added", add("n.reqon")},
		{"a source appears beside its artifact", add("sub/d.reqon")},
		{"and goes", remove("sub/d.reqon")},
		{"a mission folder grows deep down", add("folder/x/z.reqon")},
		{"a folder of it is added", add("folder/w/v.reqon")},
		{"it is no mission folder any more", remove("folder/mission.reqon")},
		{"a file takes a folder's name", func() error { return os.Rename(filepath.Join(root, "sub"), filepath.Join(root, "sub.reqon")) }},
		{"and back", move("sub.reqon", "sub")},
		{"a link to a folder", link("folder", "link")},
		{"which leads elsewhere", link("sub", "link")},
		{"a link to a file", link("a.reqon", "l.reqon")},
		{"which leads nowhere", remove("a.reqon")},
		{"a link back up", link(".", "sub/up")},
		{"the dead link is removed", remove("l.reqon")},
		{"all is removed", remove("sub")},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if !look(step.name) {
			t.Errorf("%s: no change is told", step.name)
		}
		settle()
		look(step.name + ", settled")
		look(step.name + ", settled, again")
	}

	// What changes behind a link changes no folder that is looked at.
	if err := link("folder", "link")(); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		name := string(rune('a' + rng.IntN(6)))
		full := filepath.Join([]string{"", "p", "folder", "p/q"}[rng.IntN(4)], name+[]string{".reqon", ".reqc", ".vague"}[rng.IntN(3)])
		if rng.IntN(2) == 0 {
			write(full)
		} else if err := os.RemoveAll(filepath.Join(root, full)); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(3) == 0 {
			settle()
		}
		look(full)
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if !look("the path is gone") {
		t.Error("the path is gone: no change is told")
	}
}
