package vm

import (
	"reqon/vm/bytecode"
	"reqon/vm/snapshot"
	"reqon/vm/value"
)

// closings are what a task knows of the fetches that it has closed.
type closings struct {
	keys    []string // of the positions that no checkpoint has covered yet
	covered int      // how many of them, from the first on, are not for a checkpoint here
	spoiled bool     // an item has failed, here or in an iteration: what it was fetched with is held
}

// add takes over what a branch has closed that has ended.
func (c *closings) add(of *closings) {
	c.keys = append(c.keys, of.keys...)
	c.spoiled = c.spoiled || of.spoiled
}

// lasting gives what is to be known of a branch that is over. Without a checkpoint
// there is nothing to cover, and what a thousand branches have closed would be
// written down with each step of the task that waits for them.
func (m *Machine) lasting(c *closings) *closings {
	if m.checkpoints {
		return c
	}
	return &closings{spoiled: c.spoiled}
}

// hasCheckpoint finds the step checkpoint in the code of a function.
func hasCheckpoint(code []byte) bool {
	for pc := 0; pc < len(code); {
		if bytecode.Op(code[pc]) == bytecode.Checkpoint {
			return true
		}
		info, _ := bytecode.InfoOf(bytecode.Op(code[pc])) // the program is verified
		pc += info.Size()
	}
	return false
}

func (c *closings) write(w *snapshot.Writer) {
	w.Count(len(c.keys))
	for _, key := range c.keys {
		w.Text(key)
	}
	w.Int(int64(c.covered))
	w.Bool(c.spoiled)
}

func (r *reader) closings() (c closings) {
	for range r.Count() {
		if r.Err() != nil {
			return c
		}
		c.keys = append(c.keys, r.Text())
	}
	c.covered, c.spoiled = int(r.IntFrom(0, 1<<40)), r.Bool()
	return c
}

// checkpoint saves the positions of the fetches that this task has closed. In an
// iteration of a loop these are its own: what the loop works through has been
// fetched before it, and is done behind it.
func (t *Task) checkpoint(f *frame) error {
	if err := t.cancelled(); err != nil {
		return err
	}
	e, err := t.begin(f, bytecode.Checkpoint)
	if err != nil {
		return err
	}
	covered := min(t.closed.covered, len(t.closed.keys))
	err = t.host.Checkpoint(t.ctx, t.closed.keys[covered:])
	t.end(e, err)
	if err == nil {
		t.closed.keys = t.closed.keys[:covered]
	}
	return err
}

// leave ends a loop.
func (t *Task) leave(slots []value.Value) error {
	if !slots[6].IsInt() || slots[6].Int() < 0 {
		return errBadProgram
	}
	t.closed.covered = int(slots[6].Int())
	return nil
}

// holdIteration keeps the positions of the fetches where they are that an
// iteration has closed and that then failed. from is how many the task had
// closed when it began. Where the failure is one of the run, what the items were
// fetched with is held too.
func (t *Task) holdIteration(from int, policy bytecode.Policy) {
	if policy == bytecode.PolicySkip || policy == bytecode.PolicyQueue {
		t.holdClosed(from, true)
	} else {
		t.spoil()
	}
}

// holdClosed holds the positions of the fetches from that one on.
func (t *Task) holdClosed(from int, skipped bool) {
	c := &t.closed
	from = max(0, min(from, len(c.keys)))
	for _, key := range c.keys[from:] {
		t.host.Fetched(&Fetched{SyncKey: SyncKey{Key: key}, Held: true, Skipped: skipped})
	}
	c.keys = c.keys[:from]
}

// spoil notes that an item has failed. Nobody can tell which of the fetches
// that are not yet covered it came with: all are held.
func (t *Task) spoil() {
	t.closed.spoiled = true
	t.holdClosed(0, false)
	for i := range t.frames {
		for j := range t.frames[i].pages {
			t.frames[i].pages[j].spoiled = true
		}
	}
}

// takeOver takes over what the branches of a join have closed.
func (t *Task) takeOver(j *join) {
	t.closed.keys = append(t.closed.keys, j.closed.keys...)
	if j.closed.spoiled {
		t.spoil()
	}
}
