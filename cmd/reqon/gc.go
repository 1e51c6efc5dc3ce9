package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// lateHeap is the size of the heap, in MiB, at which garbage is collected for
// the first time while missions are compiled. A mission of 10,000 lines stays
// below it.
const lateHeap = 64

// collectLate puts the first garbage collection off: a short process that
// compiles makes little garbage, and collecting it takes a fifth of the CPU time
// and gains nothing. Without this the heap is collected from 4 MiB on. With the
// first collection, or when restore is called, the usual rule is back, so that
// this never takes more than lateHeap beyond what the usual rule takes. Who sets
// GOGC keeps what he set.
func collectLate() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	usual := debug.SetGCPercent(100 * lateHeap / 4)
	restore = func() { debug.SetGCPercent(usual) }
	runtime.AddCleanup(new(gcMark), func(restore func()) { restore() }, restore)
	return restore
}

// gcMark is reachable from nowhere, so that the first collection finds it. It is
// large enough not to share its memory with anything that is.
type gcMark struct{ _ [64]byte }
