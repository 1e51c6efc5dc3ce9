package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/vm/bytecode"
	"reqon/vm/target"
)

// loader keeps the missions in memory in step with their files. It is used by
// one goroutine at a time.
type loader struct {
	cfg    *Config
	engine *engine.Engine
	cache  *cache
	read   compiler.Read
	seed   string
	began  time.Time

	finder compiler.Finder
	units  []*unit // in the order of discovery
	owners map[string]*unit
	auth   authFile
	scan   error // why the last look at the path failed
	again  bool  // the last snapshot was not complete: there must be another
	told   map[string]bool
	// remembered are the missions whose past has been looked up, with the keys
	// of their schedules.
	remembered map[string]string
	past       bool // whether it is looked up at all
}

// authFile is the credentials file as it was last read.
type authFile struct {
	stamp stamp            // zero if what is there now isn't in use
	set   *credentials.Set // the last that is good; nil if there was none
	pipe  bool             // it came through a pipe, and there is no more of it
	err   error            // why what is there now isn't in use
}

// unit is what is compiled together, with what came of it.
type unit struct {
	compiler.Unit
	stamps   []stamp
	hash     string
	missions []*mission // ready to run; after a broken edit, the last that were
	pending  []*mission // compiled, but they lack something
	problems []Problem  // of the files as they are now

	late *lateWork // the compiling of the files as they are now that goes on and on; nil: there is none
}

// lateWork is what is not done in time. It goes on with a unit of its own.
type lateWork struct {
	unit    *unit
	began   time.Time
	changed bool // set before done is closed
	done    chan struct{}
}

const (
	// compilePatience is for how long a look waits for a unit to be read, compiled
	// and made ready. Then the others go on without it.
	compilePatience = 10 * time.Second
	patienceParts   = 10
	// hurriedPatience is that of the units behind one that took too long.
	hurriedPatience = time.Second
)

// mission is a program that was loaded.
type mission struct {
	name     string
	where    string // file:line:column of its name
	linked   *engine.Mission
	schedule *schedule // nil: none
}

// Problem is something that keeps a mission, or all that a file holds, from being
// loaded as the file now stands; in /health also what keeps one that is loaded
// from succeeding.
type Problem struct {
	Mission string `json:"mission,omitempty"` // "" where it is not known
	File    string `json:"file,omitempty"`
	Error   string `json:"error"`
	// Running says that the last good version of the mission is kept running.
	Running bool `json:"running"`

	config bool // it is a configuration error, and none of the source
}

// snapshot is what the loader found.
type snapshot struct {
	missions []loaded // in the order of discovery
	problems []Problem
	err      error // why the past of the new missions could not be looked up
}

// loaded is a mission of a snapshot.
type loaded struct {
	*mission
	past *past // nil where it has not been looked up anew
}

// past is what the state folder knows of a mission.
type past struct {
	firstSeen, lastDue time.Time
	lastRun            state.Run // zero if there was none
	attempts           int       // how often in a row the last due time has failed, if that may be retried
	lastSuccess        time.Time
}

// stamp tells whether a file has changed without reading it.
type stamp struct {
	size  int64
	mtime time.Time
	file  os.FileInfo // for os.SameFile: an editor that replaces the file
	// fresh says that the file was written so shortly before it was read that it
	// could be written again without a change of time or size.
	fresh bool
}

// freshness covers the coarsest clock of a file system in use: 2 s, on FAT.
const freshness = 2 * time.Second

// stampOf looks at a file, by the clock that also stamps files.
func stampOf(name string) (stamp, error) {
	info, err := os.Stat(name)
	if err != nil {
		return stamp{}, err
	}
	return stamp{size: info.Size(), mtime: info.ModTime(), file: info, fresh: time.Since(info.ModTime()) < freshness}, nil
}

func (s stamp) same(o stamp) bool {
	return s.file != nil && o.file != nil && !s.fresh && s.size == o.size && s.mtime.Equal(o.mtime) && os.SameFile(s.file, o.file)
}

// unchanged tells whether files look as they did. They may have been changed all
// the same, if they were fresh.
func unchanged(now, before []stamp) bool {
	return slices.EqualFunc(now, before, func(a, b stamp) bool {
		b.fresh = false
		return b.same(a)
	})
}

func newLoader(cfg *Config, e *engine.Engine, began time.Time) *loader {
	return &loader{
		cfg: cfg, engine: e, read: cfg.read(), began: began, seed: cfg.seed(), owners: map[string]*unit{}, told: map[string]bool{}, remembered: map[string]string{}, past: true,
		cache: &cache{dir: filepath.Join(cfg.Engine.StateDir, target.Cache), compiler: cfg.compilerID(), readOnly: cfg.DryRun},
	}
}

// look compares the files with what is loaded, and loads what has changed; with
// force it reads all of them again. It returns nil if nothing has changed.
func (l *loader) look(force bool) *snapshot {
	authChanged := l.lookAuth(force)
	found, moved, err := l.finder.Discover(l.cfg.Path)
	if err != nil {
		// The folder may come back, as a network drive does; what is loaded stays.
		changed := l.scan == nil || l.scan.Error() != err.Error()
		l.scan = err
		if !changed && !authChanged && !l.again {
			return nil
		}
		l.check(authChanged)
		return l.snapshot()
	}
	changed := l.scan != nil || authChanged || force || l.again
	l.scan = nil
	if l.lookUnits(found, moved, force) {
		changed = true
	}
	if !changed {
		return nil
	}
	l.check(authChanged)
	return l.snapshot()
}

// lookAuth reads the credentials file if it has changed, and tells whether it
// did. A pipe (--auth <(decrypt …)) is read once; to read it again would wait for
// ever, or find it empty.
func (l *loader) lookAuth(force bool) bool {
	if l.cfg.Auth == "" || l.auth.pipe {
		return false
	}
	now, err := stampOf(l.cfg.Auth)
	if err == nil && !force && now.same(l.auth.stamp) {
		return false
	}
	pipe := err == nil && !now.file.Mode().IsRegular() && !now.file.IsDir()
	if pipe && l.auth.set != nil {
		err = fmt.Errorf("%s was a file before and is none now, and is not read; put a file in its place", l.cfg.Auth)
	}
	var set *credentials.Set
	if err == nil {
		set, err = credentials.Load(l.cfg.Auth, l.cfg.Engine.Env)
	}
	before := l.auth
	if err != nil {
		l.auth = authFile{set: before.set, err: err}
		return before.err == nil || before.err.Error() != err.Error()
	}
	l.auth = authFile{stamp: now, set: set, pipe: pipe}
	if !force && before.stamp.file != nil && set.SameFile(before.set) {
		return false
	}
	if pipe {
		l.cfg.log().Info("The credentials have come through a pipe; they stay as they are until the daemon is started again")
	}
	for _, w := range set.Warnings {
		l.tell(w)
	}
	l.engine.SetCredentials(set)
	return true
}

// tell logs a warning, each once.
func (l *loader) tell(warning string) {
	if !l.told[warning] {
		l.told[warning] = true
		l.cfg.log().Warn(warning)
	}
}

// lookUnits brings the units in step with those found, and tells whether any has
// changed. moved says that there may be others than at the last look.
func (l *loader) lookUnits(found []compiler.Unit, moved, force bool) bool {
	changed := len(found) != len(l.units)
	if moved || changed {
		l.units = l.match(found)
	}
	var stale []*unit
	for i, f := range found {
		u := l.units[i]
		stamps, same := u.look(f)
		if u.late != nil && (same || unchanged(stamps, u.stamps)) {
			select {
			case <-u.late.done:
				u.takeOver(u.late.unit)
				changed = true
			default:
				continue // there is nothing new to begin
			}
		}
		if same && !force {
			continue
		}
		u.Unit, u.stamps = f, stamps
		stale = append(stale, u)
	}
	return l.compileAll(stale) || changed
}

// match gives the units of what was found, those that are known among them.
func (l *loader) match(found []compiler.Unit) []*unit {
	known := make(map[string]*unit, len(l.units))
	for _, u := range l.units {
		known[u.Main] = u
	}
	units := make([]*unit, len(found))
	for i, f := range found {
		if units[i] = known[f.Main]; units[i] == nil {
			units[i] = &unit{Unit: f}
		}
	}
	return units
}

// look stamps the files of the unit as it was found, and tells whether they are
// as they were.
func (u *unit) look(f compiler.Unit) (stamps []stamp, same bool) {
	same = slices.Equal(u.Others, f.Others) && len(u.stamps) == 1+len(f.Others)
	for i := -1; i < len(f.Others); i++ {
		name := f.Main
		if i >= 0 {
			name = f.Others[i]
		}
		now, err := stampOf(name)
		if err != nil || same && !now.same(u.stamps[i+1]) {
			same = false
		}
		if stamps == nil {
			stamps = make([]stamp, 0, 1+len(f.Others))
		}
		stamps = append(stamps, now)
	}
	return stamps, same
}

// compileAll compiles units side by side, and tells whether any has changed.
func (l *loader) compileAll(units []*unit) bool {
	var changed, hurried atomic.Bool
	var wg sync.WaitGroup
	work := make(chan *unit)
	for range min(runtime.GOMAXPROCS(0), len(units)) {
		wg.Go(func() {
			for u := range work {
				patience := compilePatience
				if hurried.Load() {
					patience = hurriedPatience
				}
				did, late := l.compileWithin(u, patience)
				if late {
					hurried.Store(true)
				}
				if did || late {
					changed.Store(true)
				}
			}
		})
	}
	for _, u := range units {
		work <- u
	}
	close(work)
	wg.Wait()
	return changed.Load()
}

// compileWithin is compile, which goes on by itself where it takes longer than
// that: late. The unit then stays as it was, with that problem, until a later look
// takes over what came of it. Nobody waits for it when the daemon ends: it may be
// reading from a disk that does not answer.
func (l *loader) compileWithin(u *unit, patience time.Duration) (changed, late bool) {
	own := *u
	own.late = nil
	w := &lateWork{unit: &own, began: l.cfg.now(), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.changed = l.compile(w.unit)
	}()
	for range patienceParts {
		// A clock that jumps, such as that of a machine that slept, takes one part.
		timer := l.cfg.Clock.NewTimer(patience / patienceParts)
		select {
		case <-w.done:
			timer.Stop()
			u.takeOver(w.unit)
			return w.changed, false
		case <-timer.Chan():
		}
	}
	u.late = w
	u.broken([]Problem{{File: u.Main, Error: fmt.Sprintf("%s has been read and compiled since %s and it is not done; the other missions go on without it", u.Main, l.cfg.text(w.began))}})
	return false, true
}

// takeOver takes over what came of compiling a copy of the unit.
func (u *unit) takeOver(done *unit) {
	stamps := u.stamps
	*u = *done
	if done.stamps != nil {
		u.stamps = stamps
	}
}

// compile brings a unit up to date, and tells whether its content has changed. A
// fault of the compiler in one unit must not end what runs.
func (l *loader) compile(u *unit) (changed bool) {
	defer func() {
		if fault := recover(); fault != nil {
			l.cfg.log().Error("Internal error", telemetry.String("stack", string(debug.Stack())))
			u.broken([]Problem{{File: u.Main, Error: fmt.Sprintf("%s: internal error of the compiler, please report it: %v", u.Main, fault)}})
			changed = true
		}
	}()
	return l.recompile(u)
}

func (l *loader) recompile(u *unit) bool {
	contents, err := l.readAll(u.Files())
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && u.hash != "" {
			u.stamps = nil // between two looks; the next one knows more
			return false
		}
		hash := "unreadable: " + err.Error()
		changed := u.hash != hash
		u.hash, u.stamps = hash, nil
		u.broken([]Problem{{File: u.Main, Error: err.Error()}})
		return changed
	}
	hash := l.cache.unitHash(u.Files(), contents)
	if hash == u.hash {
		return false
	}
	u.hash = hash
	read := func(name string) ([]byte, error) { return contents[name], nil }
	if compiler.IsArtifact(u.Main) {
		l.take(u, compiler.Compile(u.Unit, read), hash, nil)
		return true
	}
	if e := l.cache.get(hash); e != nil {
		l.takeEntry(u, e)
		return true
	}
	l.take(u, compiler.Compile(u.Unit, read), hash, l.cache)
	return true
}

// readAll reads each file, once: what it holds then is what is hashed, compiled
// and kept.
func (l *loader) readAll(names []string) (map[string][]byte, error) {
	contents := make(map[string][]byte, len(names))
	for _, name := range names {
		data, err := l.read(name)
		if err != nil {
			return nil, err
		}
		contents[name] = data
	}
	return contents, nil
}

// broken keeps the last good missions of a unit that has problems.
func (u *unit) broken(problems []Problem) {
	for i := range problems {
		problems[i].Running = slices.ContainsFunc(u.missions, func(m *mission) bool {
			return m.name == problems[i].Mission || problems[i].Mission == ""
		})
	}
	u.problems, u.pending = problems, nil
}

// take takes over what came of compiling a unit; what is without errors goes
// into the cache, if there is one.
func (l *loader) take(u *unit, r *compiler.Result, hash string, c *cache) {
	warnings := diagnosticLines(r, diag.Warning)
	for _, w := range warnings {
		l.cfg.log().Warn(w)
	}
	var programs []*bytecode.Program
	var problems []Problem
	for _, m := range r.Missions {
		if m.Program != nil {
			programs = append(programs, m.Program)
		}
	}
	if !r.Failed() {
		if c != nil {
			if err := c.put(hash, &entry{warnings: warnings, programs: programs}); err != nil {
				l.cfg.log().Warn("The compiled mission can't be kept; it is compiled again at the next start: " + err.Error())
			}
		}
		l.link(u, programs, nil)
		return
	}
	text := strings.Join(append(diagnosticLines(r, diag.Error), errorLines(r)...), "; ")
	for _, m := range r.Missions {
		if m.Program == nil {
			problems = append(problems, Problem{Mission: m.Name, File: u.Main, Error: text})
		}
	}
	if len(problems) == 0 {
		problems = []Problem{{File: u.Main, Error: text}}
	}
	l.link(u, programs, problems)
}

// maxDiagnostics is how many diagnostics of a unit are told in the log.
const maxDiagnostics = 10

// diagnosticLines gives the diagnostics of a severity, a line each.
func diagnosticLines(r *compiler.Result, severity diag.Severity) []string {
	var lines []string
	for _, d := range r.Diagnostics {
		if d.Severity != severity {
			continue
		}
		if len(lines) == maxDiagnostics {
			return append(lines, "and more; see `reqon check`")
		}
		line := d.Message
		if d.Span.IsValid() {
			p := d.Span.Position()
			line = fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, line)
		} else if d.Span.File != nil {
			line = d.Span.File.Name + ": " + line
		}
		if d.Suggestion != "" {
			line += " (" + d.Suggestion + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

func errorLines(r *compiler.Result) []string {
	var lines []string
	for _, e := range r.Errors {
		lines = append(lines, e.Error())
	}
	return lines
}

// takeEntry takes over what the cache has of a unit.
func (l *loader) takeEntry(u *unit, e *entry) {
	for _, w := range e.warnings {
		l.cfg.log().Warn(w)
	}
	l.link(u, e.programs, nil)
}

// link makes a unit's programs ready. If any has a problem, the missions that
// the unit had before stay where there is no good new one.
func (l *loader) link(u *unit, programs []*bytecode.Program, problems []Problem) {
	var good, pending []*mission
	for _, p := range programs {
		m, err := l.loadProgram(u.Main, p)
		if err == nil {
			if err = m.linked.Ready(l.cfg.Params); err == nil {
				good = append(good, m)
				continue
			}
			pending = append(pending, m)
		}
		problems = append(problems, Problem{Mission: p.Mission, File: u.Main, Error: err.Error(), config: true})
	}
	if len(problems) > 0 {
		for _, old := range u.missions {
			if !slices.ContainsFunc(good, func(m *mission) bool { return m.name == old.name }) && isAffected(old.name, problems) {
				good = append(good, old)
			}
		}
	}
	u.missions = good
	u.broken(problems)
	u.pending = pending
}

// isAffected tells whether one of the problems is, or may be, the mission's.
func isAffected(name string, problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Mission == name || p.Mission == "" })
}

func (l *loader) loadProgram(file string, p *bytecode.Program) (*mission, error) {
	m, err := l.engine.LoadFrom(file, p)
	if err != nil {
		return nil, err
	}
	s, err := newSchedule(p, m.Options(), l.cfg.Location, l.seed)
	if err != nil {
		return nil, err
	}
	where := p.Mission
	if len(p.Files) > 0 {
		where = fmt.Sprintf("%s:%d:%d", p.Files[p.Pos.File], p.Pos.Line, p.Pos.Column)
	}
	return &mission{name: p.Mission, where: where, linked: m, schedule: s}, nil
}

// check looks, after a change of the credentials, at what each mission needs.
func (l *loader) check(authChanged bool) {
	if !authChanged {
		return
	}
	for _, u := range l.units {
		var good, pending []*mission
		problems := slices.DeleteFunc(slices.Clone(u.problems), func(p Problem) bool {
			return slices.ContainsFunc(u.pending, func(m *mission) bool { return m.name == p.Mission })
		})
		for _, m := range slices.Concat(u.pending, u.missions) {
			if slices.ContainsFunc(good, func(o *mission) bool { return o.name == m.name }) {
				continue // a newer one of the same name has come to be ready
			}
			if err := m.linked.Ready(l.cfg.Params); err != nil {
				pending = append(pending, m)
				problems = append(problems, Problem{Mission: m.name, File: u.Main, Error: err.Error(), config: true})
				continue
			}
			good = append(good, m)
		}
		u.missions = good
		u.broken(problems)
		u.pending = pending
	}
}

// snapshot gives what is loaded now. Of two missions of one name the one that
// was loaded first stays.
func (l *loader) snapshot() *snapshot {
	s := &snapshot{}
	if l.scan != nil {
		s.problems = append(s.problems, Problem{File: l.cfg.Path, Error: l.scan.Error(), Running: true})
	}
	if l.auth.err != nil {
		s.problems = append(s.problems, Problem{File: l.cfg.Auth, Error: l.auth.err.Error(), Running: true})
	}
	owners := make(map[string]*unit, len(l.owners))
	for _, u := range l.units {
		for _, m := range u.missions {
			if l.owners[m.name] == u {
				owners[m.name] = u
			}
		}
	}
	for _, u := range l.units {
		seen := map[string]string{}
		for _, m := range u.missions {
			if owners[m.name] == nil {
				owners[m.name] = u
			}
			first, twice := seen[m.name]
			if owner := owners[m.name]; owner != u {
				first, twice = owner.whereOf(m.name), true
			}
			if twice {
				s.problems = append(s.problems, Problem{Mission: m.name, File: u.Main, Error: fmt.Sprintf(
					"%s: mission %s is there already, at %s; give one of them another name", m.where, m.name, first)})
				continue
			}
			seen[m.name] = m.where
			if len(l.cfg.Missions) == 0 || slices.Contains(l.cfg.Missions, m.name) {
				s.missions = append(s.missions, loaded{mission: m})
			}
		}
		for _, p := range u.problems {
			if len(l.cfg.Missions) == 0 || p.Mission == "" || slices.Contains(l.cfg.Missions, p.Mission) {
				s.problems = append(s.problems, p)
			}
		}
	}
	l.owners = owners
	l.retain()
	l.remember(s)
	return s
}

// retain lets the engine forget the missions that have been replaced.
func (l *loader) retain() {
	var all []*engine.Mission
	for _, u := range l.units {
		for _, m := range slices.Concat(u.missions, u.pending) {
			all = append(all, m.linked)
		}
	}
	l.engine.Retain(all)
}

func (u *unit) whereOf(name string) string {
	for _, m := range u.missions {
		if m.name == name {
			return m.where
		}
	}
	return u.Main
}

// remember looks up the past of the missions that are new, or have another
// schedule than before.
func (l *loader) remember(s *snapshot) {
	if !l.past {
		return
	}
	keys := make(map[string]string, len(s.missions))
	fresh := map[string]string{}
	for _, m := range s.missions {
		keys[m.name] = ""
		if m.schedule != nil {
			keys[m.name] = m.schedule.key()
		}
		if known, ok := l.remembered[m.name]; !ok || known != keys[m.name] {
			fresh[m.name] = keys[m.name]
		}
	}
	l.again = false
	if len(fresh) > 0 {
		pasts, err := l.pasts(s, fresh)
		if err != nil {
			s.err, l.again = err, true
			s.problems = append(s.problems, Problem{File: l.cfg.Engine.StateDir, Error: err.Error(), Running: true})
			return
		}
		for i := range s.missions {
			s.missions[i].past = pasts[s.missions[i].name]
		}
	}
	l.remembered = keys
}

// pasts looks up the past of the missions named in fresh, which says how their
// schedules are known.
func (l *loader) pasts(s *snapshot, fresh map[string]string) (map[string]*past, error) {
	now := l.cfg.now()
	all := make(map[string]*past, len(fresh))
	for name := range fresh {
		all[name] = &past{firstSeen: now}
	}
	db := l.engine.DB()
	if db == nil {
		return all, nil
	}
	if !l.cfg.DryRun {
		known, err := db.Seen(now, fresh)
		if err != nil {
			return nil, err
		}
		for name, k := range known {
			all[name].firstSeen, all[name].lastDue = k.FirstSeen, k.LastDue
		}
	}
	runs, err := db.LastRuns()
	if err != nil {
		return nil, err
	}
	for _, m := range s.missions {
		p := all[m.name]
		run, ok := runs[m.name]
		if p == nil || !ok {
			continue
		}
		p.lastRun = run
		if p.lastSuccess, err = lastSuccess(db, run); err != nil {
			return nil, err
		}
		if r := m.linked.Options().Retry; r != nil && run.Status == state.StatusFailure && !run.Due.IsZero() {
			if p.attempts, err = attempts(db, run, r.MaxAttempts); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// lookBack is how many runs of a mission are searched for one that succeeded.
const lookBack = 1000

// lastSuccess is the end of the last run that succeeded; zero if none is found.
func lastSuccess(db *state.DB, last state.Run) (time.Time, error) {
	if last.Status == state.StatusSuccess {
		return last.End, nil
	}
	runs, err := db.Runs(state.Filter{Mission: last.Mission, Limit: lookBack})
	for _, r := range runs {
		if r.Status == state.StatusSuccess {
			return r.End, err
		}
	}
	return time.Time{}, err
}

// attempts counts how often in a row the due time of a run has failed.
func attempts(db *state.DB, last state.Run, limit int) (int, error) {
	runs, err := db.Runs(state.Filter{Mission: last.Mission, Limit: limit})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range runs {
		if r.Status != state.StatusFailure || !r.Due.Equal(last.Due) {
			break
		}
		n++
	}
	return n, nil
}
