package syntax

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWalkStepsFindsAllSteps holds WalkSteps against Walk over the examples, and
// over one of each step that holds others.
func TestWalkStepsFindsAllSteps(t *testing.T) {
	sources := []string{`mission M { action A {
	for x in response { log "1" for y in x { log "2" } }
	validate response { assume .a } or { log "3" if .b { log "4" } }
	match response { 404 -> skip, { a: 1 } -> { log "5" log "6" }, _ -> log "7" }
	if .a { log "8" } else if .b { log "9" } else { log "10" }
} }`}
	err := filepath.WalkDir("../../testdata", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".reqon") {
			return err
		}
		src, err := os.ReadFile(path)
		sources = append(sources, string(src))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, src := range sources {
		tree, _ := Parse(NewFile("test.reqon", []byte(src)))
		Walk(tree, func(n Node) bool {
			a, ok := n.(*Action)
			if !ok {
				return true
			}
			var all, steps []Step
			Walk(a, func(n Node) bool {
				if s, ok := n.(Step); ok {
					all = append(all, s)
				}
				return true
			})
			WalkSteps(a.Body, func(s Step) { steps = append(steps, s) })
			if !slices.Equal(steps, all) {
				t.Errorf("action %s: WalkSteps found %d steps, Walk %d, or in another order", a.Name.Name, len(steps), len(all))
			}
			count += len(all)
			return true
		})
	}
	if count < 100 {
		t.Errorf("only %d steps were looked at", count)
	}
}

// TestLocator holds a Locator, which goes from place to place, against Position,
// which counts anew.
func TestLocator(t *testing.T) {
	src := "one\r\n\n  zwei „zwei“ 2\n" + strings.Repeat("é", 300) + strings.Repeat("x", 300) + "\nlast"
	f := NewFile("test.reqon", []byte(src))
	var places []int32
	for i := range src { // where characters start
		places = append(places, int32(i))
	}
	places = append(places, int32(len(src)))
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		l := NewLocator(f)
		for i := range 2 * len(places) {
			at := places[i%len(places)] // in order, then at random
			if i >= len(places) {
				at = places[r.IntN(len(places))]
			}
			line, column := l.Locate(at)
			if want := f.Position(at); line != want.Line || column != want.Column {
				t.Fatalf("offset %d is at %d:%d, expected %d:%d", at, line, column, want.Line, want.Column)
			}
		}
	}
}
