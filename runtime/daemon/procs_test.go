package daemon

import (
	"runtime"
	"testing"
)

func TestRaiseProcs(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, c := range []struct {
		env        string
		have, want int
	}{
		{"", 1, minProcs},
		{"", minProcs, minProcs},
		{"", minProcs + 1, minProcs + 1},
		{"1", 1, 1}, // the user's own choice
	} {
		t.Setenv("GOMAXPROCS", c.env)
		runtime.GOMAXPROCS(c.have)
		raiseProcs()
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("GOMAXPROCS=%q, %d processors: now %d, want %d", c.env, c.have, got, c.want)
		}
	}
}
