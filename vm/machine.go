// Package vm runs compiled missions: frames, tasks, the dispatch loop, the
// pages of a fetch, and the Host interface through which a running mission
// touches the world. Package bytecode specifies the instructions.
//
// A Machine is a Program linked with its built-in functions; it is immutable
// but for its caches, and any number of runs may share it. A run is one Task,
// which begins others for brackets and concurrent loops and waits for them. All
// that a task is lies in its frames, as plain data: at a step (Func.Steps)
// nothing of it hides in a closure, a pointer or on a Go stack. What it waits
// for is a record in its top frame, a failure its text and place, a wait a time.
// Goroutines only execute; the one live thing that a task may have is a page
// that was asked for ahead, and that is asked for again.
//
// So a task can be written down at every step, and read by another process: see
// Machine.Begin, Keeper and Machine.Restore. What it does to the world has a name
// that a repetition has again: see Effect.
package vm

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"sync"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// Native is a built-in function as the machine calls it.
type Native func(t *value.Shapes, args []value.Value) (value.Value, error)

// Machine is a linked program.
type Machine struct {
	prog    *bytecode.Program
	shapes  *value.Shapes
	funcs   []function
	natives []Native
	regexps []*regexp.Regexp
	objects []*value.Shape // of Program.Shapes
	tasks   sync.Pool      // of *Task, for the iterations of concurrent loops

	once     *onces
	paranoid bool // each task is written down, dropped and read again at every step

	checkpoints bool // the program has the step checkpoint
}

// onces are what is made of a program when it is first needed.
type onces struct {
	watch, hash, stores sync.Once
	sum                 [sha256.Size]byte
	written             []bool // stores
}

// hash gives what tells the program from others.
func (m *Machine) hash() [sha256.Size]byte {
	m.once.hash.Do(func() { m.once.sum = sha256.Sum256(bytecode.Encode(m.prog)) })
	return m.once.sum
}

// function is a function with its inline caches: shape id in the upper half of
// a word, slot in the lower. They are read and written atomically; a lost write
// costs a lookup.
type function struct {
	*bytecode.Func
	caches []uint64
	breaks []byte // the code with opBreak at each step; nil until it is needed
	room   int    // on the stack of a task, with all that it calls, in values
}

// Link verifies p and links it with its built-in functions, which natives finds
// by name. shapes is the table that the values of its runs are made with.
func Link(p *bytecode.Program, shapes *value.Shapes, natives func(name string) (Native, bool)) (*Machine, error) {
	if err := bytecode.Verify(p); err != nil {
		return nil, err
	}
	m := &Machine{prog: p, shapes: shapes, once: new(onces)}
	for _, name := range p.Natives {
		n, ok := natives(name)
		if !ok {
			return nil, fmt.Errorf("the program calls the built-in function %q, which this version does not have; compile the mission again", name)
		}
		m.natives = append(m.natives, n)
	}
	for _, text := range p.Regexps {
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("regular expression %q: %w", text, err)
		}
		m.regexps = append(m.regexps, re)
	}
	for _, keys := range p.Shapes {
		m.objects = append(m.objects, shapes.Of(keys...))
	}
	rooms, err := bytecode.Rooms(p)
	if err != nil {
		return nil, err
	}
	m.funcs = make([]function, len(p.Funcs))
	for i := range p.Funcs {
		m.funcs[i] = function{Func: &p.Funcs[i], caches: make([]uint64, p.Funcs[i].Caches), room: rooms[i]}
		m.checkpoints = m.checkpoints || hasCheckpoint(p.Funcs[i].Code)
	}
	m.tasks.New = func() any { return new(Task) }
	return m, nil
}

// Program returns the program.
func (m *Machine) Program() *bytecode.Program { return m.prog }

// Shapes returns the table that the run's values are to be made with.
func (m *Machine) Shapes() *value.Shapes { return m.shapes }

// Run runs the mission's pipeline. The error is an *Error, an *ItemFailures
// where only items of loops failed, or both joined.
func (m *Machine) Run(ctx context.Context, host Host) error {
	t := m.newTask(ctx, host, nil)
	defer func() { t.m.release(t) }() // the machine may be another one then
	t.run.watched, t.run.paranoid = m.paranoid, m.paranoid
	if m.paranoid {
		t.run.start(host)
	}
	t.push(m.prog.Main, bytecode.None)
	_, err := t.execute()
	return t.failures.join(err)
}

// maxEvalLoops is how many backward jumps an evaluation may take: options are
// worked out before there is a run, and so a timeout, that would stop them.
const maxEvalLoops = 1_000_000

// Eval runs one function of the program that takes args, such as a block of
// options, and returns its result.
func (m *Machine) Eval(ctx context.Context, host Host, fn int, args ...value.Value) (value.Value, error) {
	t := m.newTask(ctx, host, nil)
	defer m.release(t)
	t.push(fn, bytecode.None)
	copy(t.stack[t.frames[0].base:], args)
	t.eval = true
	v, err := t.execute()
	if err != nil {
		return v, err
	}
	return v, writable([]value.Value{v})
}

// newTask gives a task of a run; with nil it is the first of one.
func (m *Machine) newTask(ctx context.Context, host Host, r *run) *Task {
	t := m.tasks.Get().(*Task)
	t.m = m
	if r == nil {
		if r = t.own; r == nil {
			r = new(run)
			t.own = r
		}
	}
	t.attach(ctx, host, r)
	t.status, t.code = noStatus, noStatus
	return t
}

// attach binds the task to what it runs with.
func (t *Task) attach(ctx context.Context, host Host, r *run) {
	t.run, t.host, t.ctx, t.done = r, host, ctx, ctx.Done()
}

// release gives a task back, without what it held.
func (m *Machine) release(t *Task) {
	clear(t.stack[:cap(t.stack)])
	clear(t.lists[:cap(t.lists)])
	clear(t.frames[:cap(t.frames)])
	*t = Task{stack: t.stack[:0], lists: t.lists[:0], frames: t.frames[:0], path: t.path[:0], own: t.own}
	if t.own != nil && t.own.seed != "" {
		t.own = nil // it has been a run, and is none again
	}
	m.tasks.Put(t)
}
