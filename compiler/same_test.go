package compiler_test

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"testing"

	"reqon/compiler"
	"reqon/vm/bytecode"
)

// TestSameBytes compiles every mission under testdata several times: equal
// sources have equal artifacts, whatever order a map is walked in.
func TestSameBytes(t *testing.T) {
	compiled := 0
	err := filepath.WalkDir("../testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !compiler.IsSource(path) {
			return err
		}
		var first []*compiler.Mission
		for turn := range 3 {
			r, err := compiler.Load(path)
			if err != nil {
				return err
			}
			if turn == 0 {
				first = r.Missions
				continue
			}
			if len(r.Missions) != len(first) {
				t.Errorf("%s: %d missions, then %d", path, len(first), len(r.Missions))
				break
			}
			for i, m := range r.Missions {
				was := first[i].Program
				if (m.Program == nil) != (was == nil) || was != nil && !bytes.Equal(bytecode.Encode(m.Program), bytecode.Encode(was)) {
					t.Errorf("%s: mission %s came out otherwise the second time", path, m.Name)
				}
				if was != nil {
					compiled++
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compiled < 20 {
		t.Errorf("only %d missions compiled", compiled)
	}
}
