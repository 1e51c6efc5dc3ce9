package engine

import (
	"fmt"

	"reqon/vm/value"
)

// missing is what is known of a store whose file was not there when the run
// began.
type missing struct {
	place   string // what it is, and its name; "" if it was there
	removed bool   // it has been there
}

// noteMissing notes each store of which the mission's sync positions know more
// than its file holds: who removes the file to begin anew, or gives the store
// another one, gets only what has changed since the last run, and nothing else
// tells that the rest is missing. A store that never had a file counts from the
// run that stores something in it, since there may have been nothing to store
// before.
func (r *run) noteMissing() {
	p := &r.position
	p.mu.Lock()
	used := p.used
	p.mu.Unlock()
	if used.IsNull() {
		return
	}
	since := value.Describe(used)
	if used.Kind() == value.Time {
		since = value.Text(used)
	}
	for i, s := range r.stores {
		stored := s.inserted.Load() + s.updated.Load() + s.unchanged.Load()
		if s.missing.place == "" || !s.missing.removed && stored == 0 {
			continue
		}
		if !r.mission.prog.Stores[i].Filled {
			continue // dead letters: that there are none is nothing to tell
		}
		r.notes = append(r.notes, fmt.Sprintf("store %s: its %s was not there when the run began, but a sync position of %s was: only what has changed since then is fetched, and the store may lack the rest; `reqon run PATH --full-refresh` fetches everything",
			s.name, s.missing.place, r.engine.cfg.Redactor.Redact(since)))
	}
}
