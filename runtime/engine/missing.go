package engine

import (
	"fmt"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// missing is what is known of a store whose file was not there when the run
// began.
type missing struct {
	file    string // its path; "" if it was there, or is no file
	removed bool   // it has been there
}

// use notes that the run goes by a sync position. Of several the earliest is
// kept. It needs mu.
func (p *positions) use(v value.Value) {
	if p.used.IsNull() {
		p.used = v
	} else if c, ok, err := value.Compare(v, p.used); err == nil && ok && c < 0 {
		p.used = v
	}
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
	var filled map[int]bool
	for i, s := range r.stores {
		stored := s.inserted.Load() + s.updated.Load() + s.unchanged.Load()
		if s.missing.file == "" || !s.missing.removed && stored == 0 {
			continue
		}
		if filled == nil {
			filled = filledStores(r.mission.prog)
		}
		if !filled[i] {
			continue
		}
		r.notes = append(r.notes, fmt.Sprintf("store %s: its file %s was not there when the run began, but a sync position of %s was: only what has changed since then is fetched, and the store may lack the rest; `reqon run PATH --full-refresh` fetches everything",
			s.name, s.missing.file, r.engine.cfg.Redactor.Redact(since)))
	}
}

// filledStores finds the stores that the program's `store` steps write to. What
// `onError queue` and a `queue` without an item of its own write are dead
// letters: that there are none, or that somebody has dealt with them and removed
// the file, is nothing to tell.
func filledStores(p *bytecode.Program) map[int]bool {
	filled := map[int]bool{}
	for i := range p.Funcs {
		code := p.Funcs[i].Code
		letter := false
		for pc := 0; pc < len(code); {
			op := bytecode.Op(code[pc])
			info, _ := bytecode.InfoOf(op) // the program is verified
			switch op {
			case bytecode.DeadLetter:
				letter = true
			case bytecode.StorePut:
				if !letter {
					filled[int(code[pc+1])|int(code[pc+2])<<8] = true
				}
				letter = false
			}
			pc += info.Size()
		}
	}
	return filled
}
