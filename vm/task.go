package vm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// noStatus is the status of a response that no request has set.
const noStatus = -1

// Task is one thread of a run: the pipeline, an action of a bracket, or an
// iteration of a concurrent loop.
//
// What it is bound to while it runs comes first; all else is plain data. mu
// guards the data while the task waits for others, who then use it.
type Task struct {
	m    *Machine
	run  *run
	host Host
	ctx  context.Context
	done <-chan struct{}
	up   *Task // that has begun it, and waits for it
	mu   sync.Mutex

	nap    time.Duration // to wait, where wake was set just now
	passed bool          // what is told of a step was told of the next
	apart  *apart        // what only a task needs that is kept; nil: nothing

	path    []Branch // how it was begun; none for the first task
	effects int64    // counts its effects
	uuids   int64    // counts those it was given
	wake    int64    // when it goes on, in milliseconds since 1970; 0: at once

	stack  []value.Value   // locals and operands of all frames
	lists  [][]value.Value // arrays under construction of all frames
	frames []frame

	response value.Value
	status   int         // HTTP status of response, or noStatus
	items    string      // path of the items in response, if it is merged of pages
	code     int         // HTTP status of the latest answer that a request got, or noStatus
	headers  value.Value // its headers, if the mission reads any
	sequence int64       // counts the responses
	loops    uint        // counts backward jumps
	eval     bool        // an evaluation, which no timeout stops

	answer *Reply // with the page under way; never at a step boundary
	closed closings

	failed *Failure // the latest request failed and nothing has handled it yet
	last   *Failure // the latest request's failure, also when handled
	caught *Error   // what a handler is handling

	failures failures // that it has passed over
	own      *run     // to be the run whose first task this is
}

// apart is what only tasks need that somebody keeps.
type apart struct {
	asked   []value.Value // what the host answered since the task was written down
	over    bool          // the task has ended, with outcome
	outcome *Error        // nil: well
	steps   uint          // that it was read again at

	answers []value.Value // data: what the host answered to the steps that are repeated
}

func (t *Task) aside() *apart {
	if t.apart == nil {
		t.apart = new(apart)
	}
	return t.apart
}

// answers gives what the host answered to the steps that are repeated.
func (t *Task) answers() []value.Value {
	if t.apart == nil {
		return nil
	}
	return t.apart.answers
}

// Branch is one step of the way from a run's first task to another: the task
// before had so many effects behind it when it began this one, as its iteration
// or action number Number.
type Branch struct {
	Count  int64
	Number int
}

// frame is one call.
type frame struct {
	fn     int // in Program.Funcs
	pc     int
	base   int // of the locals in Task.stack; operands lie above them
	lists  int // base of its arrays in Task.lists
	sp     int // behind the top operand, while the frame waits for a call
	action int // in Program.Actions, or bytecode.None
	from   int // where it began: behind a Parallel instruction, or 0 for the whole function
	pages  []pageState
	join   *join // what it waits for, at a Parallel or Bracket instruction
}

// failures collects what failed in a task whose policies are to carry on: items
// of loops, and actions of best-effort brackets.
type failures struct {
	count   int // of items
	first   *Error
	actions []*Error
}

func (f *failures) add(err *Error) {
	if f.count == 0 {
		f.first = err
	}
	f.count++
}

// fold adds what came later.
func (f *failures) fold(later *failures) {
	if f.count == 0 {
		f.first = later.first
	}
	f.count += later.count
	f.actions = append(f.actions, later.actions...)
}

// join returns the run's error: err, the failures, or all of them.
func (f *failures) join(err *Error) error {
	var all []error
	for _, action := range f.actions {
		all = append(all, action)
	}
	if err != nil {
		all = append(all, err)
	}
	if f.count > 0 {
		all = append(all, &ItemFailures{Count: f.count, First: f.first})
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

// push begins a call of fn, whose locals are null.
func (t *Task) push(number, action int) {
	fn := &t.m.funcs[number]
	base, lists := 0, 0
	if n := len(t.frames); n > 0 {
		top := &t.frames[n-1]
		caller := &t.m.funcs[top.fn]
		base = top.base + caller.Locals + caller.MaxStack
		lists = top.lists + caller.Lists
	}
	need := base + fn.Locals + fn.MaxStack
	if need > cap(t.stack) {
		grown := make([]value.Value, need, 2*need)
		copy(grown, t.stack)
		t.stack = grown
	}
	t.stack = t.stack[:need]
	clear(t.stack[base : base+fn.Locals])
	if fn.Lists > 0 {
		t.lists = slices.Grow(t.lists[:lists], fn.Lists)[:lists+fn.Lists]
		clear(t.lists[lists:])
	}
	f := frame{fn: number, base: base, lists: lists, sp: base + fn.Locals, action: action}
	if fn.Pages > 0 {
		f.pages = make([]pageState, fn.Pages)
	}
	t.frames = append(t.frames, f)
}

// pop ends the top call.
func (t *Task) pop() {
	n := len(t.frames) - 1
	t.frames[n] = frame{}
	t.frames = t.frames[:n]
	if n > 0 {
		top := &t.frames[n-1]
		fn := &t.m.funcs[top.fn]
		t.stack = t.stack[:top.base+fn.Locals+fn.MaxStack]
	}
}

// setResponse makes v the response, as no request's.
func (t *Task) setResponse(v value.Value) {
	t.response, t.status, t.items = v, noStatus, ""
	t.sequence++
}

// cancelled returns why the run must stop, or nil.
func (t *Task) cancelled() error {
	select {
	case <-t.done:
		return context.Cause(t.ctx)
	default:
		return nil
	}
}

// errTooLong is what a block of options gets that has not come to an end when
// any sensible one has.
var errTooLong = fmt.Errorf("it takes more than %d rounds of its loops", maxEvalLoops)

// goOn returns why the task must stop looping, or nil.
func (t *Task) goOn() error {
	if t.eval && t.loops > maxEvalLoops {
		return errTooLong
	}
	return t.cancelled()
}

// unwind finds the handler for err among the frames, innermost first, and goes
// there; ok is false where none handles it, and no frame is left then.
func (t *Task) unwind(err *Error) (ok bool) {
	for len(t.frames) > 0 {
		f := &t.frames[len(t.frames)-1]
		fn := &t.m.funcs[f.fn]
		if !err.Fatal {
			for i := range fn.Handlers {
				h := &fn.Handlers[i]
				// One around the loop whose iteration the frame is belongs to
				// the task that runs the loop.
				if h.Start <= f.pc && f.pc < h.End && h.Start >= f.from {
					t.hold(f, h.PageStart, h.PageEnd)
					f.pc, f.sp = h.Target, f.base+fn.Locals
					t.caught = err
					t.failed = nil
					return true
				}
			}
		}
		t.hold(f, 0, len(f.pages))
		if f.isAction(t.m) {
			t.host.ActionDone(f.action, err)
		}
		t.pop()
	}
	return false
}

// isAction reports whether the frame is that of the whole action, and not of
// a transform that the action called or of an iteration of a concurrent loop.
func (f *frame) isAction(m *Machine) bool {
	return f.from == 0 && f.action != bytecode.None && f.fn == m.prog.Actions[f.action].Func
}

// hold keeps the sync positions of the fetches that are open in the page slots
// from start up to end where they are: something of them was not fetched or
// not stored.
func (t *Task) hold(f *frame, start, end int) {
	for i := start; i < end && i < len(f.pages); i++ {
		t.holdFetch(&f.pages[i])
	}
}
