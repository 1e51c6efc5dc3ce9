package vm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// maxConcurrency bounds `concurrency N`: more goroutines than this only cost
// memory.
const maxConcurrency = 10_000

// Concurrent loops inside of concurrent loops multiply. Beyond maxRunRoom, in
// values on the stacks of a run's tasks (of 16 bytes each), an inner loop runs
// one iteration at a time. A task counts as at least leastTaskRoom values, for
// what it takes besides its stack.
const (
	maxRunRoom    = 1 << 24
	leastTaskRoom = 512
)

// join is what a task waits for: the iterations of a concurrent loop, or the
// actions of a bracket. It is plain data in the frame that stands at the
// instruction; the goroutines that work on it own nothing of it. While they do,
// mu of the task guards it.
type join struct {
	bracket int   // in Program.Brackets, or bytecode.None: a loop
	count   int64 // the task's effects before it: part of its branches' names
	workers int   // branches that may run at once, at most
	next    int64 // number of the next branch to begin: index of an item, or place in the bracket
	// branches are those that have begun and are not over. All others before
	// next are done.
	branches []branch

	// Of a loop: the first error that ended it, in the order of the items, so
	// that a run's error does not depend on timing. Of a bracket: one place for
	// each action.
	err    *Error
	at     int // number of the branch that err is of
	errs   []*Error
	failed failures // of the branches that are over

	closed closings // of the branches that are over

	first int // number of the branch that failed.first is of
}

// branch is one iteration or action. A free place has no task, and a number of
// -1.
type branch struct {
	number int
	task   *Task  // nil: nobody has worked on it here
	kept   *saved // with no task: where it goes on; nil: at its beginning
}

// iterations begins a concurrent loop over the items in slot, with n at once.
func (t *Task) iterations(f *frame, slot int, n value.Value) error {
	workers, ok := value.AsInt(n)
	if !ok || workers < 1 || workers > maxConcurrency {
		return fmt.Errorf("concurrency must be a whole number from 1 to %d, found %s", maxConcurrency, value.Describe(n))
	}
	if t.stack[f.base+slot].Kind() != value.Array {
		return errBadProgram
	}
	f.join = &join{bracket: bytecode.None, count: t.effects, workers: int(workers)}
	t.effects++
	return nil
}

// bracket begins a bracket (language definition, section 5). How many of its
// actions run at once, and what a failure does to the others, the mission says.
func (t *Task) bracket(f *frame, number int) {
	n := len(t.m.prog.Brackets[number])
	f.join = &join{bracket: number, count: t.effects, workers: n, errs: make([]*Error, n)}
	t.effects++
}

// wait waits for a time, or works on the join of the top frame. The error is
// what the instruction fails with, or errPutAway.
func (t *Task) wait() error {
	if t.run.watched && !t.passed {
		if _, err := t.atStep(); err != nil {
			return err
		}
		t.passed = true
	}
	if t.wake != 0 {
		return t.sleep() // and then goes on from the step that it stands at
	}
	t.passed = false
	return t.waitJoin()
}

// waitJoin works on the join of the top frame until it is over, and goes on
// behind it.
func (t *Task) waitJoin() error {
	f := &t.frames[len(t.frames)-1]
	var err error
	if f.join.bracket == bytecode.None {
		err = t.waitIterations(f)
	} else {
		err = t.waitBracket(f)
	}
	if err == errPutAway {
		return err
	}
	f = &t.frames[len(t.frames)-1]
	j, code := f.join, t.m.funcs[f.fn].Code
	f.join = nil
	t.failures.fold(&j.failed)
	t.takeOver(j)
	if err != nil {
		return err
	}
	if j.bracket == bytecode.None {
		t.stack[f.base+u16(code, f.pc+3)] = value.NullValue // so that no page outlives its loop
		f.pc = u32(code, f.pc+5)
	} else {
		f.pc += 3
	}
	return nil
}

func (t *Task) waitIterations(f *frame) error {
	fn := &t.m.funcs[f.fn]
	slot := u16(fn.Code, f.pc+3)
	if t.stack[f.base+slot].Kind() != value.Array {
		return errBadProgram
	}
	items := t.stack[f.base+slot].Elems()
	w := work{t: t, ctx: t.ctx, items: items, total: int64(len(items))}
	granted, done := t.tasks(fn, min(f.join.workers, f.join.left(w.total)))
	defer done()
	w.run(granted)
	if err := w.result(); err != nil {
		return err
	}
	if j := t.frames[len(t.frames)-1].join; j.err != nil {
		return j.err
	}
	return w.stopped
}

func (t *Task) waitBracket(f *frame) error {
	mode, limit := t.host.Parallelism()
	ctx, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)
	w := work{t: t, ctx: ctx, actions: t.m.prog.Brackets[f.join.bracket]}
	w.total = int64(len(w.actions))
	if mode == FailFast {
		w.cancel = cancel
	}
	w.run(max(1, min(limit, f.join.left(w.total))))
	if err := w.result(); err != nil {
		return err
	}
	return t.bracketError(mode, t.frames[len(t.frames)-1].join)
}

// tasks gives how many of so many tasks of fn there is room for, at least one,
// and what to call when they are done.
func (t *Task) tasks(fn *function, wanted int) (granted int, done func()) {
	room := int64(max(fn.room, leastTaskRoom))
	for granted = 1; granted < wanted; granted++ {
		if t.run.room.Add(room) > maxRunRoom {
			t.run.room.Add(-room)
			break
		}
	}
	return granted, func() { t.run.room.Add(-room * int64(granted-1)) }
}

// left gives how many branches are not over.
func (j *join) left(total int64) int { return int(total-j.next) + j.underWay() }

// over reports whether no branch is under way, nor to begin.
func (j *join) over(total int64) bool { return j.next >= total && j.underWay() == 0 }

func (j *join) underWay() int {
	n := 0
	for i := range j.branches {
		if j.branches[i].number >= 0 {
			n++
		}
	}
	return n
}

// work executes a join, with goroutines of which each has a place in branches.
type work struct {
	t       *Task
	ctx     context.Context
	items   []value.Value
	actions []int // nil: it is a loop
	total   int64
	workers int
	cancel  context.CancelCauseFunc // of a bracket that fails fast, or nil

	mu      sync.Mutex // of what follows, and of what the join gathers
	kept    int        // the next place behind the workers' that may hold a branch that was put away
	stopped error      // why the run was cancelled before all items had begun
}

// run has so many workers work until nothing is left that they can do.
func (w *work) run(workers int) {
	j := w.t.frames[len(w.t.frames)-1].join
	for len(j.branches) < workers {
		j.branches = append(j.branches, branch{number: -1})
	}
	w.workers, w.kept = workers, workers
	var wg sync.WaitGroup
	for place := range workers {
		wg.Go(func() { w.work(place) })
	}
	wg.Wait()
	if j = w.t.frames[len(w.t.frames)-1].join; j.next > w.total {
		j.next = w.total // several were told at once that none is left
	}
}

// result tells a join that can't go on now from one that is over.
func (w *work) result() error {
	if j := w.t.frames[len(w.t.frames)-1].join; !j.over(w.total) {
		return errPutAway
	}
	return nil
}

// work runs one branch after the other.
func (w *work) work(place int) {
	for {
		child, number := w.take(place)
		if child == nil {
			return
		}
		_, err := child.execute()
		if err == putAway {
			return // it stays where it is, and so does the place of its worker
		}
		if err != nil && w.actions == nil {
			err = w.t.iterationFailed(child, number, w.items[number], err)
		}
		w.over(place, number, child, err)
	}
}

// take gives the next branch to a worker: one that was put away, or a new one.
// It is nil where none is left, or none is to be begun any more.
//
// Each worker writes its own place only, and the next number is counted
// atomically, so that short iterations do not queue for a lock. Where the task
// that waits may be read again meanwhile, all go by the lock.
func (w *work) take(place int) (*Task, int) {
	t := w.t
	if t.run.paranoid {
		t.mu.Lock()
		defer t.mu.Unlock()
	}
	f := &t.frames[len(t.frames)-1]
	b := &f.join.branches[place]
	if b.number < 0 && len(f.join.branches) > w.workers {
		w.takeKept(f.join, b)
	}
	if b.number < 0 && !w.claim(f.join, b) {
		return nil, 0
	}
	switch {
	case b.task != nil:
		b.task.attach(w.ctx, t.host, t.run)
	case b.kept != nil:
		b.task = t.m.newTask(w.ctx, t.host, t.run)
		b.task.up = t
		b.task.load(b.kept)
		b.kept = nil
	default:
		b.task = w.begin(f, b.number)
	}
	return b.task, b.number
}

// takeKept moves a branch that was put away, if there is one left, to the place
// of a worker.
func (w *work) takeKept(j *join, b *branch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; b.number < 0 && w.kept < len(j.branches); w.kept++ {
		*b, j.branches[w.kept] = j.branches[w.kept], branch{number: -1}
	}
}

// claim gives a new branch to the place, unless none is to begin: there is none,
// or not now, or the run or the bracket was cancelled.
func (w *work) claim(j *join, b *branch) bool {
	if w.t.run.away.Load() {
		return false
	}
	var stopped error
	if w.actions == nil {
		stopped = w.t.cancelled()
	} else if w.cancel != nil {
		stopped = w.ctx.Err()
	}
	if stopped != nil {
		if atomic.SwapInt64(&j.next, w.total) < w.total && w.actions == nil {
			w.mu.Lock()
			w.stopped = stopped
			w.mu.Unlock()
		}
		return false
	}
	if atomic.LoadInt64(&j.next) >= w.total {
		return false
	}
	number := atomic.AddInt64(&j.next, 1) - 1
	if number >= w.total { // others were faster
		return false
	}
	b.number = int(number)
	return true
}

// over notes that a branch has ended.
func (w *work) over(place, number int, child *Task, err *Error) {
	t := w.t
	if err != nil {
		child.holdClosed(0, false)
	}
	if t.run.paranoid {
		t.mu.Lock()
	}
	j := t.frames[len(t.frames)-1].join
	j.branches[place] = branch{number: -1}
	if err != nil || child.failures.count > 0 || len(child.failures.actions) > 0 || len(child.closed.keys) > 0 || child.closed.spoiled {
		w.mu.Lock()
		j.end(number, &child.failures, t.m.lasting(&child.closed), err)
		if j.err != nil {
			atomic.StoreInt64(&j.next, w.total) // no more items; those in flight finish
		}
		w.mu.Unlock()
	}
	if t.run.paranoid {
		t.mu.Unlock()
	}
	if t.run.keeper != nil {
		child.aside().over, child.apart.outcome = true, err
		t.run.keeper.Ended(child)
	}
	if err != nil && w.cancel != nil {
		w.cancel(fmt.Errorf("cancelled: %s failed", child.m.actionName(w.actions[number])))
	}
	child.m.release(child)
}

// end notes how a branch has ended.
func (j *join) end(number int, f *failures, closed *closings, err *Error) {
	j.closed.add(closed)
	if f.count > 0 && (j.failed.count == 0 || number < j.first) {
		j.failed.first, j.first = f.first, number
	}
	j.failed.count += f.count
	j.failed.actions = append(j.failed.actions, f.actions...)
	switch {
	case err == nil:
	case j.bracket != bytecode.None:
		j.errs[number] = err
	case j.err == nil || number < j.at:
		j.err, j.at = err, number
	}
}

// begin makes the task of a branch. That of an iteration begins behind the
// Parallel instruction of f with a copy of its locals: variables bind once, so
// a copy is as good as the original.
func (w *work) begin(f *frame, number int) *Task {
	t := w.t
	child := t.m.newTask(w.ctx, t.host, t.run)
	child.up = t
	child.response, child.status, child.items = t.response, t.status, t.items
	child.code, child.headers = t.code, t.headers
	child.path = append(append(child.path[:0], t.path...), Branch{Count: f.join.count, Number: number})
	if w.actions != nil {
		action := w.actions[number]
		t.host.ActionStarted(action)
		child.push(t.m.prog.Actions[action].Func, action)
		return child
	}
	fn := &t.m.funcs[f.fn]
	child.sequence = t.sequence
	child.push(f.fn, f.action)
	top := &child.frames[0]
	copy(child.stack[:fn.Locals], t.stack[f.base:f.base+fn.Locals])
	slot := u16(fn.Code, f.pc+3)
	child.stack[slot+1] = value.FromInt(int64(number + 1))
	top.pc = f.pc + parallelSize
	top.from = top.pc
	child.stack[top.sp] = w.items[number]
	top.sp++
	return child
}

// parallelSize is the length of a Parallel instruction.
const parallelSize = 1 + 2 + 2 + 4

// iterationFailed does what the loop's policy says of an iteration that failed.
// The error is nil, or ends the loop.
func (t *Task) iterationFailed(child *Task, number int, item value.Value, err *Error) *Error {
	if err.Fatal {
		return err.ofItem(number, itemID(item))
	}
	t.mu.Lock()
	f, sequence := t.frames[len(t.frames)-1], t.sequence
	t.mu.Unlock()
	child.last = nil
	code := child.m.funcs[f.fn].Code
	loop, slot := u16(code, f.pc+1), u16(code, f.pc+3)
	reached := value.Truth(child.stack[slot+bytecode.LoopSlots-1])
	if e := child.itemFailed(&f, loop, item, number, sequence, 0, reached, err); e != nil {
		return child.locate(&f, e)
	}
	return nil
}

// bracketError makes one error of those of a bracket's actions. With best
// effort they are kept for the end of the run; an abort fails it at once all
// the same.
func (t *Task) bracketError(mode ParallelMode, j *join) error {
	var failed []*Error
	fatal := false
	for _, err := range j.errs {
		if err == nil {
			continue
		}
		fatal = fatal || err.Fatal || t.ctx.Err() != nil
		failed = append(failed, err)
	}
	if mode == BestEffort && !fatal {
		t.failures.actions = append(t.failures.actions, failed...)
		return nil
	}
	if len(failed) == 0 {
		return nil
	}
	return joinErrors(failed)
}

// errPutAway is no failure: the task stands at a step and goes on later.
var errPutAway = errors.New("put away")

// putAway is errPutAway as run gives it.
var putAway = &Error{Text: "put away"}
