package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// gcPercent returns the current setting.
func gcPercent() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

func TestCollectLateEndsWithTheFirstCollection(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	restore := collectLate()
	defer restore()
	if got := gcPercent(); got <= 100 {
		t.Fatalf("the setting is %d, expected a late collection", got)
	}
	for gcPercent() != 100 { // the test's own time limit ends this
		runtime.GC()
		runtime.Gosched()
	}
}

func TestCollectLateIsUndone(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	collectLate()()
	if got := gcPercent(); got != 100 {
		t.Errorf("the setting is %d behind restore, expected the 100 from before", got)
	}
}

func TestCollectLateKeepsWhatIsSet(t *testing.T) {
	t.Setenv("GOGC", "50")
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	defer collectLate()()
	if got := gcPercent(); got != 50 {
		t.Errorf("the setting is %d, expected the 50 of GOGC", got)
	}
}
