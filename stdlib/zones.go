package stdlib

import (
	"strings"
	"sync"
	"time"

	"reqon/vm/value"
)

// zoneCache keeps the time zones that were asked for: loading one takes a
// hundred times as long as a conversion. There are some 600 of them, so it is
// bounded. It is safe for concurrent use.
type zoneCache struct {
	mu     sync.RWMutex
	byName map[string]*time.Location
}

func newZoneCache() *zoneCache {
	return &zoneCache{byName: make(map[string]*time.Location)}
}

// get returns the zone whose name is the argument at index i.
func (z *zoneCache) get(args []value.Value, i int) (*time.Location, error) {
	name := args[i].Str()
	if name == "UTC" {
		return time.UTC, nil
	}
	z.mu.RLock()
	loc := z.byName[name]
	z.mu.RUnlock()
	if loc != nil {
		return loc, nil
	}
	loc, err := value.Zone(name)
	if err != nil {
		return nil, badArg(i, "an IANA time zone such as Europe/Berlin, or UTC", "")
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.byName[strings.Clone(name)] = loc // not the page's bytes
	return loc, nil
}
