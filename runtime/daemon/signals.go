package daemon

import (
	"os"
	"time"
)

// repeatWithin is how soon after a signal another one of its kind is the same
// wish: timeout(1) of GNU signals a process and then its group, and a terminal, a
// shell and a supervisor may each pass on one Ctrl+C.
const repeatWithin = 200 * time.Millisecond

// SignalFilter tells a new signal from the repetition of the last one of its kind.
// The zero SignalFilter has seen none. It is for one goroutine at a time.
type SignalFilter struct {
	last map[os.Signal]time.Time
}

// Repeats reports whether a signal that comes now is the one before once more. It
// counts from the one that was no repetition.
func (f *SignalFilter) Repeats(sig os.Signal, now time.Time) bool {
	if at, ok := f.last[sig]; ok && now.Sub(at) < repeatWithin && !now.Before(at) {
		return true
	}
	if f.last == nil {
		f.last = map[os.Signal]time.Time{}
	}
	f.last[sig] = now
	return false
}
