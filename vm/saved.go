package vm

import (
	"reqon/vm/bytecode"
	"reqon/vm/snapshot"
	"reqon/vm/value"
)

// saved is a task without what it runs with: what a snapshot holds of it.
// Operands and arrays under construction it has none of, for it stands at
// a step.
type saved struct {
	path     []Branch
	effects  int64
	uuids    int64
	wake     int64
	frames   []savedFrame // at least one
	response value.Value
	status   int
	items    string
	code     int
	headers  value.Value
	sequence int64
	failed   *Failure
	last     *Failure
	failures failures
	closed   closings
	answers  []value.Value
	seed     string // of the run, with its first task
}

type savedFrame struct {
	fn, pc, action, from int
	locals               []value.Value
	pages                []pageState
	join                 *join
}

// save gives the data of the task, which stands at a step. The data is not
// copied.
func (t *Task) save() *saved {
	s := &saved{
		path: t.path, effects: t.effects, uuids: t.uuids, wake: t.wake,
		response: t.response, status: t.status, items: t.items, sequence: t.sequence,
		code: t.code, headers: t.headers,
		failed: t.failed, last: t.last, failures: t.failures, closed: t.closed, answers: t.answers(),
		frames: make([]savedFrame, len(t.frames)),
	}
	if len(t.path) == 0 {
		s.seed = t.run.seed
	}
	for i := range t.frames {
		f := &t.frames[i]
		s.frames[i] = savedFrame{
			fn: f.fn, pc: f.pc, action: f.action, from: f.from, pages: f.pages, join: f.join,
			locals: t.stack[f.base : f.base+t.m.funcs[f.fn].Locals],
		}
	}
	return s
}

// load makes the task what was saved, which its machine must have checked. What
// it runs with stays as it is.
func (t *Task) load(s *saved) {
	t.path = append(t.path[:0], s.path...)
	t.effects, t.uuids, t.wake, t.nap = s.effects, s.uuids, s.wake, 0
	t.response, t.status, t.items, t.sequence = s.response, s.status, s.items, s.sequence
	t.code, t.headers = s.code, s.headers
	t.failed, t.last, t.caught, t.failures, t.closed = s.failed, s.last, nil, s.failures, s.closed
	if len(s.answers) > 0 || t.apart != nil {
		t.aside().answers = s.answers
	}
	t.stack, t.lists, t.frames = t.stack[:0], t.lists[:0], t.frames[:0]
	for i := range s.frames {
		from := &s.frames[i]
		t.push(from.fn, from.action)
		f := &t.frames[i]
		f.pc, f.from, f.pages, f.join = from.pc, from.from, from.pages, from.join
		copy(t.stack[f.base:], from.locals)
	}
	if len(t.path) == 0 && t.run.seed == "" {
		t.run.seed = s.seed
	}
	t.passed = true
}

// The forms of a branch that is under way, and of a local.
const (
	branchFresh byte = iota // begins at its beginning
	branchHere              // follows
	branchElsewhere
)

const (
	localHere   byte = iota // follows
	localShared             // is that of the task which began the iteration
)

// write writes the task. up is the task that began it, nil of the first; with
// deep the branches that it waits for are written with it.
func (s *saved) write(w *snapshot.Writer, up *saved, deep bool) {
	w.Int(s.effects)
	w.Int(s.uuids)
	w.Int(s.wake)
	w.Text(s.seed)
	w.Value(s.response)
	w.Int(int64(s.status))
	w.Text(s.items)
	w.Int(s.sequence)
	w.Int(int64(s.code))
	w.Value(s.headers)
	writeFailure(w, s.failed)
	writeFailure(w, s.last)
	s.failures.write(w)
	s.closed.write(w)
	w.Values(s.answers)
	w.Count(len(s.frames))
	for i := range s.frames {
		f := &s.frames[i]
		w.Int(int64(f.fn))
		w.Int(int64(f.pc))
		w.Int(int64(f.action))
		w.Int(int64(f.from))
		for l, v := range f.locals {
			// Variables bind once, so most of an iteration's are its loop's.
			if f.from > 0 && v == up.top().locals[l] {
				w.Byte(localShared)
				continue
			}
			w.Byte(localHere)
			w.Value(v)
		}
		for p := range f.pages {
			f.pages[p].write(w)
		}
		w.Bool(f.join != nil)
		if f.join != nil {
			f.join.write(w, s, deep)
		}
	}
}

func (s *saved) top() *savedFrame { return &s.frames[len(s.frames)-1] }

func (j *join) write(w *snapshot.Writer, of *saved, deep bool) {
	w.Int(j.count)
	w.Int(int64(j.workers))
	w.Int(j.next)
	w.Count(j.underWay())
	for i := range j.branches {
		b := &j.branches[i]
		if b.number < 0 {
			continue
		}
		w.Int(int64(b.number))
		kept := b.kept
		if b.task != nil {
			if !deep {
				w.Byte(branchElsewhere)
				continue
			}
			kept = b.task.save()
		}
		if kept == nil {
			w.Byte(branchFresh)
			continue
		}
		w.Byte(branchHere)
		kept.write(w, of, deep)
	}
	writeError(w, j.err)
	w.Int(int64(j.at))
	for _, err := range j.errs {
		writeError(w, err)
	}
	j.failed.write(w)
	w.Int(int64(j.first))
	j.closed.write(w)
}

func (f *failures) write(w *snapshot.Writer) {
	w.Int(int64(f.count))
	writeError(w, f.first)
	w.Count(len(f.actions))
	for _, err := range f.actions {
		writeError(w, err)
	}
}

func writeFailure(w *snapshot.Writer, f *Failure) {
	w.Bool(f != nil)
	if f != nil {
		w.Value(f.Envelope)
		w.Text(f.Text)
		w.Bool(f.ByStatus)
	}
}

func writeError(w *snapshot.Writer, e *Error) {
	w.Bool(e != nil)
	if e == nil {
		return
	}
	w.Text(e.Action)
	w.Text(e.File)
	w.Int(int64(e.Line))
	w.Int(int64(e.Column))
	w.Text(e.Text)
	w.Bool(e.Fatal)
	w.Count(len(e.Parts))
	for _, part := range e.Parts {
		writeError(w, part)
	}
}

// reader reads tasks and checks them against the program, so that the machine
// can go on with them without looking.
type reader struct {
	*snapshot.Reader
	m *Machine
	// parts are what else there is of the run; nil if what is read has no part
	// in other snapshots.
	parts *restorer
}

// most is the largest number of anything that is counted.
const most = 1 << 62

// task reads a task that up has begun, nil for the first.
func (r *reader) task(path []Branch, up *saved) *saved {
	prog := r.m.prog
	s := &saved{path: path}
	s.effects, s.uuids, s.wake = r.IntFrom(0, most), r.IntFrom(0, most), r.Int()
	s.seed = r.Text()
	s.response = r.Value()
	s.status, s.items, s.sequence = int(r.IntFrom(noStatus, 1<<31)), r.Text(), r.IntFrom(0, most)
	s.code, s.headers = int(r.IntFrom(noStatus, 1<<31)), r.Value()
	s.failed, s.last = r.failure(), r.failure()
	s.failures = r.failures()
	s.closed = r.closings()
	s.answers = r.Values()
	count := r.Count()
	for range count {
		var before *savedFrame
		if len(s.frames) > 0 {
			before = s.top()
		}
		s.frames = append(s.frames, savedFrame{})
		if r.frame(s, up, before); r.Err() != nil {
			return nil
		}
	}
	if count == 0 || count > bytecode.MaxCalls {
		r.Fail("a task of %d calls", count)
		return nil
	}
	if f := s.top(); f.join == nil && !prog.Funcs[f.fn].IsStep(f.pc) {
		r.Fail("%s at %d: it stands at no step", prog.Funcs[f.fn].Name, f.pc)
		return nil
	}
	if r.parts != nil {
		r.answered(s)
	}
	return s
}

// frame reads the last frame of s, which before has called, or up has begun.
func (r *reader) frame(s, up *saved, before *savedFrame) {
	f := s.top()
	prog := r.m.prog
	f.fn = int(r.IntFrom(0, int64(len(prog.Funcs)-1)))
	fn := &prog.Funcs[f.fn]
	f.pc, f.action, f.from = int(r.IntFrom(0, int64(len(fn.Code)))), int(r.IntFrom(bytecode.None, int64(len(prog.Actions)-1))), int(r.IntFrom(0, int64(len(fn.Code))))
	if r.Err() != nil {
		return
	}
	if why := r.began(f, before, up, s.path); why != "" {
		r.Fail("a call of %s: %s", fn.Name, why)
		return
	}
	var shared []value.Value
	if f.from > 0 {
		shared = up.top().locals
	}
	for l := range fn.Locals {
		switch form := r.Byte(); {
		case form == localShared && shared != nil:
			f.locals = append(f.locals, shared[l])
		case form == localHere:
			f.locals = append(f.locals, r.Value())
		default:
			r.Fail("no local %d", l)
		}
		if r.Err() != nil {
			return
		}
	}
	// A page slot takes more than the few bytes that an unused one is written
	// with. So the machine's own limit for what tasks take together holds here.
	if r.parts != nil {
		if r.parts.pages += fn.Pages; r.parts.pages > maxRunRoom/bytecode.PageValues {
			r.Fail("more fetches than a run has room for")
			return
		}
	}
	for range fn.Pages {
		f.pages = append(f.pages, r.page())
		if r.Err() != nil {
			return
		}
	}
	if r.Bool() {
		r.join(s, f, fn)
	}
}

// began gives why a frame can't have begun as it is said to, or "".
func (r *reader) began(f, before *savedFrame, up *saved, path []Branch) string {
	prog := r.m.prog
	fn := &prog.Funcs[f.fn]
	if f.pc >= len(fn.Code) {
		return "it stands behind its end"
	}
	action, from, end := bytecode.None, 0, len(fn.Code)
	switch {
	case before != nil:
		code := prog.Funcs[before.fn].Code
		if before.join != nil || bytecode.Op(code[before.pc]) != bytecode.CallAction {
			return "nothing calls it"
		}
		action = u16(code, before.pc+1)
	case up == nil:
		if f.fn != prog.Main {
			return "it is not the pipeline"
		}
	default:
		top := up.top()
		if top.join.bracket != bytecode.None {
			action = prog.Brackets[top.join.bracket][path[len(path)-1].Number]
			break
		}
		if f.fn != top.fn {
			return "it is of another function than its loop"
		}
		action, from, end = top.action, top.pc+parallelSize, u32(fn.Code, top.pc+5)
	}
	switch {
	case f.action != action || f.from != from || f.from == 0 && action != bytecode.None && prog.Actions[action].Func != f.fn:
		return "it is not what was called"
	case f.pc < from || f.pc >= end:
		return "it stands outside of its loop"
	}
	return ""
}

// join reads what the frame waits for.
func (r *reader) join(s *saved, f *savedFrame, fn *bytecode.Func) {
	j := &join{bracket: bytecode.None}
	total := 0
	switch bytecode.Op(fn.Code[f.pc]) {
	case bytecode.Parallel:
		items := f.locals[u16(fn.Code, f.pc+3)]
		if items.Kind() != value.Array {
			r.Fail("%s at %d: a loop over no array", fn.Name, f.pc)
			return
		}
		total = len(items.Elems())
	case bytecode.Bracket:
		j.bracket = u16(fn.Code, f.pc+1)
		total = len(r.m.prog.Brackets[j.bracket])
		j.errs = make([]*Error, total)
	default:
		r.Fail("%s at %d: nothing to wait for", fn.Name, f.pc)
		return
	}
	j.count, j.workers, j.next = r.IntFrom(0, s.effects), int(r.IntFrom(0, maxConcurrency)), r.IntFrom(0, int64(total))
	f.join = j // what follows looks at it
	under := r.Count()
	if int64(under) > j.next || j.workers == 0 && total > 0 {
		r.Fail("%s at %d: more under way than have begun", fn.Name, f.pc)
		return
	}
	seen := make(map[int]bool, under)
	for range under {
		number := int(r.IntFrom(0, j.next-1))
		if seen[number] {
			r.Fail("%s at %d: branch %d twice", fn.Name, f.pc, number)
		}
		seen[number] = true
		b := branch{number: number}
		path := append(append([]Branch(nil), s.path...), Branch{Count: j.count, Number: number})
		switch r.Byte() {
		case branchFresh:
		case branchHere:
			b.kept = r.task(path, s)
		case branchElsewhere:
			if r.parts == nil {
				r.Fail("no such branch")
				return
			}
			var err error
			if b.kept, err = r.parts.task(path, s); err != nil {
				r.Fail("%w", err)
			}
		default:
			r.Fail("no such branch")
		}
		if r.Err() != nil {
			return
		}
		j.branches = append(j.branches, b)
	}
	j.err, j.at = r.error(0), int(r.IntFrom(0, max(0, int64(total-1))))
	for i := range j.errs {
		j.errs[i] = r.error(0)
	}
	j.failed = r.failures()
	j.first = int(r.IntFrom(0, max(0, int64(total-1))))
	j.closed = r.closings()
	if r.Err() == nil && r.parts != nil {
		r.later(s, j, total)
	}
}

func (r *reader) failures() (f failures) {
	f.count = int(r.IntFrom(0, 1<<40))
	f.first = r.error(0)
	if f.count > 0 && f.first == nil {
		r.Fail("failures without the first")
	}
	for range r.Count() {
		e := r.error(0)
		if r.Err() == nil && e == nil {
			r.Fail("a failure that is none")
		}
		if r.Err() != nil {
			return f
		}
		f.actions = append(f.actions, e)
	}
	return f
}

func (r *reader) failure() *Failure {
	if !r.Bool() {
		return nil
	}
	return &Failure{Envelope: r.Value(), Text: r.Text(), ByStatus: r.Bool()}
}

// maxErrorParts is how deep errors are made of errors: those of a bracket's
// actions, of which one may have run a bracket.
const maxErrorParts = 16

func (r *reader) error(depth int) *Error {
	if !r.Bool() {
		return nil
	}
	if depth > maxErrorParts {
		r.Fail("errors nest too deep")
		return nil
	}
	e := &Error{Action: r.Text(), File: r.Raw(), Line: int(r.IntFrom(0, 1<<31)), Column: int(r.IntFrom(0, 1<<31)), Text: r.Text(), Fatal: r.Bool()}
	for range r.Count() {
		part := r.error(depth + 1)
		if r.Err() == nil && part == nil {
			r.Fail("a failure that is none")
		}
		if r.Err() != nil {
			return e
		}
		e.Parts = append(e.Parts, part)
	}
	return e
}
