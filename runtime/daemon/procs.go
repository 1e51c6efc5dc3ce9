package daemon

import (
	"os"
	"runtime"
)

// minProcs is on how many processors the Go scheduler is to work at least.
//
// A run mostly waits for the disk, in calls of the system that the scheduler does
// not know to be waiting: each keeps one of its processors until it is taken away,
// tens of microseconds later. With one or two of them everything stands still for
// that long, again and again, while the real ones are idle. With four, 300 new
// missions that are due at once begin in 270 ms instead of 330, on two cores
// (BenchmarkBurst); more than four gain nothing.
const minProcs = 4

// raiseProcs gives the scheduler minProcs processors, unless it has as many, or
// the user has set their number.
func raiseProcs() {
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < minProcs {
		runtime.GOMAXPROCS(minProcs)
	}
}
