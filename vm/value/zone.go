package value

import (
	"fmt"
	"time"
	_ "time/tzdata" // a container may have no zones of its own
)

// Zone returns the IANA time zone of that name. Zones are part of the program
// and need no files of the system. Loading one takes a hundred times as long as
// a conversion, so that who needs it often keeps it.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" { // which the time package takes, and means something else by
		return nil, fmt.Errorf("unknown time zone %q: an IANA name such as Europe/Berlin, or UTC, is expected", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("unknown time zone %q: an IANA name such as Europe/Berlin, or UTC, is expected", name)
	}
	return loc, nil
}

const msPerDay = 1000 * secondsPerDay

// FromClock returns the instant at which clocks in loc show wall, which is
// given as the milliseconds since 1970 at which UTC's do. Of two it is the
// first; if they skip it, it is later by what they skip. ok is false for an
// instant that can't be written.
func FromClock(wall int64, loc *time.Location) (ms int64, ok bool) {
	if loc != time.UTC {
		before := wall - zoneOffset(wall-msPerDay, loc)
		after := wall - zoneOffset(wall+msPerDay, loc)
		// Both offsets are the same but near a change.
		switch {
		case before == after || before+zoneOffset(before, loc) == wall:
			wall = before
		case after+zoneOffset(after, loc) == wall:
			wall = after
		default:
			wall = before
		}
	}
	return wall, ValidTime(wall)
}

// zoneOffset returns how far clocks in loc are before UTC, in milliseconds.
func zoneOffset(ms int64, loc *time.Location) int64 {
	_, seconds := time.UnixMilli(ms).In(loc).Zone()
	return int64(seconds) * 1000
}
