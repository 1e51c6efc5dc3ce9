package file

import (
	"os"
	"path/filepath"
	"testing"

	"reqon/runtime/store"
	"reqon/vm/value"
)

func TestMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	d, err := OpenDir(path, value.NewShapes(), DirOptions{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, "exports", "orders.json")
	hold := func(when string, missing, removed bool) {
		t.Helper()
		for _, target := range []string{"exports/orders", "exports/orders.json"} {
			name, m, r := d.Missing(target)
			if name != file || m != missing || r != removed {
				t.Errorf("%s, %s: %s %v %v, want %s %v %v", when, target, name, m, r, file, missing, removed)
			}
		}
	}
	hold("no state folder", true, false)
	s, err := d.File("exports/orders", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Len(t.Context()); err != nil {
		t.Fatal(err)
	}
	hold("only read", true, false)
	b := value.NewObjectBuilder(nil, 1)
	b.Set("id", value.FromInt(1))
	if _, err := s.Put(t.Context(), store.Batch{Records: []store.Record{{Key: "1", Value: b.Value()}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	hold("stored", false, false)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	hold("removed", true, true)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if name, missing, removed := d.Missing("../orders"); name != "" || missing || removed {
		t.Errorf("a target that is none: %q %v %v", name, missing, removed)
	}
}
