package vm

import (
	"context"
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

// tasks gives how many of so many tasks of fn there is room for, at least one,
// and what to call when they are done.
func (t *Task) tasks(fn *function, wanted int) (granted int, done func()) {
	room := int64(max(fn.room, leastTaskRoom))
	for granted = 1; granted < wanted; granted++ {
		if t.failures.room.Add(room) > maxRunRoom {
			t.failures.room.Add(-room)
			break
		}
	}
	return granted, func() { t.failures.room.Add(-room * int64(granted-1)) }
}

// parallel runs the iterations of a concurrent loop, each as a task of its own
// that begins behind the Parallel instruction of f with a copy of its locals.
// Variables bind once, so a copy is as good as the original.
func (t *Task) parallel(f *frame, loop, slot int, n value.Value, locals []value.Value) error {
	workers, ok := value.AsInt(n)
	if !ok || workers < 1 || workers > maxConcurrency {
		return fmt.Errorf("concurrency must be a whole number from 1 to %d, found %s", maxConcurrency, value.Describe(n))
	}
	if locals[slot].Kind() != value.Array {
		return errBadProgram
	}
	items := locals[slot].Elems()
	ctx, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)

	var (
		taken atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error // in order of the items, so that a run's error does not depend on timing
		at    = len(items)
		abort = func(index int, err error) {
			mu.Lock()
			defer mu.Unlock()
			if index < at {
				first, at = err, index
			}
			taken.Store(int64(len(items))) // no more items; those in flight finish
		}
	)
	granted, done := t.tasks(f.fn, min(int(workers), len(items)))
	defer done()
	for range granted {
		wg.Go(func() {
			for {
				i := int(taken.Add(1)) - 1
				if i >= len(items) {
					return
				}
				if err := t.cancelled(); err != nil {
					abort(i, err)
				} else if err := t.iteration(ctx, f, loop, slot, items[i], i); err != nil {
					abort(i, err)
				}
			}
		})
	}
	wg.Wait()
	locals[slot] = value.NullValue
	return first
}

// iteration runs one iteration of a concurrent loop. An error is one that ends
// the loop: the loop's policy has seen to the others.
func (t *Task) iteration(ctx context.Context, f *frame, loop, slot int, item value.Value, index int) error {
	child := t.m.newTask(ctx, t.host, t.failures)
	defer t.m.release(child)
	child.response, child.status, child.items = t.response, t.status, t.items
	child.sequence = t.sequence
	child.push(f.fn, f.action)
	top := &child.frames[0]
	copy(child.stack[:f.fn.Locals], t.stack[f.base:f.base+f.fn.Locals])
	child.stack[slot+1] = value.FromInt(int64(index + 1))
	info, _ := bytecode.InfoOf(bytecode.Parallel)
	top.pc = f.pc + info.Size()
	top.from = top.pc
	child.stack[top.sp] = item
	top.sp++
	_, err := child.run()
	if err == nil {
		return nil
	}
	if err.Fatal {
		return err.ofItem(index, itemID(item))
	}
	child.last = nil
	return child.itemFailed(f, loop, item, index, t.sequence, err)
}

// bracket runs actions side by side, each with its own response and variables,
// sharing stores (language definition, section 5). What a failure does to the
// others is the mission's parallelMode.
func (t *Task) bracket(actions []int) error {
	mode, limit := t.host.Parallelism()
	ctx, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)
	slots := make(chan struct{}, max(1, min(limit, len(actions))))
	errs := make([]*Error, len(actions))
	var wg sync.WaitGroup
	for i, action := range actions {
		slots <- struct{}{}
		if mode == FailFast && ctx.Err() != nil {
			<-slots
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if errs[i] = t.branch(ctx, action); errs[i] != nil && mode == FailFast {
				cancel(fmt.Errorf("cancelled: %s failed", t.m.actionName(action)))
			}
		})
	}
	wg.Wait()
	return t.bracketError(mode, errs)
}

// bracketError makes one error of those of a bracket's actions. With best
// effort they are kept for the end of the run; an abort fails it at once all
// the same.
func (t *Task) bracketError(mode ParallelMode, errs []*Error) error {
	var failed []*Error
	fatal := false
	for _, err := range errs {
		if err == nil {
			continue
		}
		fatal = fatal || err.Fatal || t.ctx.Err() != nil
		failed = append(failed, err)
	}
	if mode == BestEffort && !fatal {
		for _, err := range failed {
			t.failures.addAction(err)
		}
		return nil
	}
	if len(failed) == 0 {
		return nil
	}
	return joinErrors(failed)
}

// branch runs one action of a bracket as a task of its own.
func (t *Task) branch(ctx context.Context, action int) *Error {
	child := t.m.newTask(ctx, t.host, t.failures)
	defer t.m.release(child)
	child.response, child.status, child.items = t.response, t.status, t.items
	t.host.ActionStarted(action)
	child.push(&t.m.funcs[t.m.prog.Actions[action].Func], action)
	_, err := child.run()
	return err
}
