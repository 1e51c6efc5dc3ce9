package vm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"reqon/vm/bytecode"
	"reqon/vm/snapshot"
	"reqon/vm/value"
)

// Keeper is told where the tasks of a run stand and what they are about to do,
// so that it can write that down, and the run go on elsewhere. Its methods are
// called from all tasks of the run, several at once; they may not call the run.
type Keeper interface {
	// Step tells that a task stands at a step, or has begun to wait for others
	// (a concurrent loop, a bracket). Until Step returns, the task is plain data
	// and Task.Snapshot gives it. With away the task goes no further; when no
	// task of the run can, Run.Go returns ErrPutAway.
	Step(t *Task) (away bool)
	// Before tells of an effect that is about to happen: an error fails its
	// step. Where it may not be repeated, Effect.Snapshot is to be written down
	// first.
	Before(e Effect) error
	// After tells that it has happened, or why not.
	After(e Effect, err error)
	// Ended tells that a task is over which another one waits for; Task.Snapshot
	// then gives how. It is no more to be done, whatever of it was written down.
	Ended(t *Task)
}

// ErrPutAway is what Run.Go returns of a run that is not over: it stands at
// steps, and Run.Snapshot gives it.
var ErrPutAway = errors.New("the run was put away")

// Run is one run of a mission that can be put away and go on elsewhere.
type Run struct {
	m    *Machine
	host Host
	run  run
	t    *Task
	wake context.CancelFunc
}

// Begin gives a new run, whose tasks tell k where they stand; k may be nil.
func (m *Machine) Begin(host Host, k Keeper) *Run {
	r := m.newRun(host, k)
	r.t.push(m.prog.Main, bytecode.None)
	r.run.start(host)
	return r
}

func (m *Machine) newRun(host Host, k Keeper) *Run {
	m.watch()
	r := &Run{m: m, host: host}
	r.run.keeper, r.run.watched, r.run.paranoid = k, true, m.paranoid
	r.run.awake, r.wake = context.WithCancel(context.Background())
	r.t = m.newTask(context.Background(), host, &r.run)
	return r
}

// Go runs the run, or goes on with it. The error is as that of Machine.Run, or
// ErrPutAway. No goroutine of it is left then.
func (r *Run) Go(ctx context.Context) error {
	r.t.attach(ctx, r.host, &r.run)
	_, err := r.t.execute()
	if err == putAway {
		return ErrPutAway
	}
	r.wake()
	return r.t.failures.join(err)
}

// PutAway has every task stop at its next step; those that wait for a time stop
// at once. Whoever does not want to wait for effects under way cancels Go's
// context instead, and goes on from what Keeper.Step was shown.
func (r *Run) PutAway() {
	r.run.away.Store(true)
	r.wake()
}

// Snapshot gives a run that was put away, with all its tasks. With a limit, in
// bytes, it fails with snapshot.ErrTooLarge beyond it.
func (r *Run) Snapshot(limit int) ([]byte, error) {
	return r.t.snapshot(limit, true)
}

// run is what the tasks of a run have in common.
type run struct {
	room atomic.Int64 // on the stacks of the tasks of concurrent loops, in values
	away atomic.Bool  // the run is being put away: no task goes beyond its next step

	keeper   Keeper          // nil: nobody wants to keep the run
	watched  bool            // tasks stop at steps, to tell and to be put away
	paranoid bool            // and are written, dropped and read there
	awake    context.Context // over when who waits for a time is to stop; nil: never

	once sync.Once
	seed string // what the run's ids are made from
}

// start sees to it that the run has a seed. It is random, and no part of what
// a mission can see.
func (r *run) start(host Host) {
	r.once.Do(func() {
		if r.seed != "" {
			return
		}
		id, err := host.Call(bytecode.HostUUID, nil)
		if err != nil {
			id = value.FromString(host.RunID())
		}
		r.seed = value.Text(id)
	})
}

// Effect is something that a step does to the world, or asks of it. Run, task
// and count name it: a step that is repeated after its run was cut off does the
// same effects by the same names.
type Effect struct {
	Path  []Branch // of the task; not to be kept
	Count int64    // effects of the task before it
	Op    bytecode.Op
	Func  int // and PC: the instruction
	PC    int

	task *Task // nil: it asks ahead, beside its task
}

// String gives the name within the run: the path of the task and the count, with
// the place behind it.
func (e Effect) String() string {
	b := appendPath(nil, e.Path)
	b = append(b, '#')
	b = strconv.AppendInt(b, e.Count, 10)
	return string(fmt.Appendf(b, "@%d:%d", e.Func, e.PC))
}

// appendPath writes a path such as 3.0/12.7: in the task's effect 3, branch 0;
// in that one's effect 12, branch 7. That of the first task is empty.
func appendPath(b []byte, path []Branch) []byte {
	for i, p := range path {
		if i > 0 {
			b = append(b, '/')
		}
		b = strconv.AppendInt(b, p.Count, 10)
		b = append(b, '.')
		b = strconv.AppendInt(b, int64(p.Number), 10)
	}
	return b
}

// begin counts an effect of the instruction at which f stands, and tells of it.
func (t *Task) begin(f *frame, op bytecode.Op) (Effect, error) {
	e := Effect{Path: t.path, Count: t.effects, Op: op, Func: f.fn, PC: f.pc, task: t}
	t.effects++
	t.run.start(t.host) // here, so that Effect.ID asks the host nothing
	if t.run.keeper == nil {
		return e, nil
	}
	return e, t.run.keeper.Before(e)
}

// end tells what came of an effect.
func (t *Task) end(e Effect, err error) {
	if t.run.keeper != nil {
		t.run.keeper.After(e, err)
	}
}

// ID gives 16 bytes that no other effect has, of any run, and that this one has
// each time that it is repeated. n tells several apart that one effect needs.
func (e Effect) ID(n int) [16]byte {
	if e.task == nil {
		return [16]byte{}
	}
	return e.task.derive('e', e.Count, n)
}

// derive makes 16 bytes of the run's seed, the task's path and two numbers.
func (t *Task) derive(what byte, a int64, b int) (id [16]byte) {
	t.run.start(t.host)
	text := append(make([]byte, 0, 128), t.run.seed...)
	text = append(text, 0, what)
	text = appendPath(text, t.path)
	text = binary.AppendVarint(append(text, 0), a)
	text = binary.AppendVarint(text, int64(b))
	sum := sha256.Sum256(text)
	copy(id[:], sum[:])
	return id
}

// uuidText writes a UUID of version 4 (RFC 9562, section 5.4), whose random bits
// are given.
func uuidText(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var text [36]byte
	hex.Encode(text[0:8], b[0:4])
	hex.Encode(text[9:13], b[4:6])
	hex.Encode(text[14:18], b[6:8])
	hex.Encode(text[19:23], b[8:10])
	hex.Encode(text[24:36], b[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// maxAsked is how many answers a task notes until it is written down. Beyond
// them a repeated step asks anew.
const maxAsked = 10_000

// call asks the host for what is no pure function of its arguments, so that
// a step which is repeated gets the same: uuid follows from where the task is,
// the clock and chance from what was noted of the first time.
func (t *Task) call(f bytecode.HostFunc, args []value.Value) (value.Value, error) {
	switch f {
	case bytecode.HostUUID:
		if t.eval {
			break
		}
		t.uuids++
		return value.FromString(uuidText(t.derive('u', t.uuids, 0))), nil
	case bytecode.HostNow, bytecode.HostTimestamp, bytecode.HostRandom:
		if v, ok := t.answered(); ok {
			return v, nil
		}
		v, err := t.host.Call(f, args)
		if err == nil {
			t.note(v)
		}
		return v, err
	}
	return t.host.Call(f, args)
}

// answered gives what the host answered the first time, if that was written
// down.
func (t *Task) answered() (v value.Value, ok bool) {
	a := t.apart
	if a == nil || len(a.answers) == 0 {
		return v, false
	}
	v, a.answers = a.answers[0], a.answers[1:]
	t.note(v)
	return v, true
}

// note notes an answer, if there is somebody to write it down.
func (t *Task) note(v value.Value) {
	if t.run.keeper == nil {
		return
	}
	if a := t.aside(); len(a.asked) < maxAsked {
		a.asked = append(a.asked, v)
	}
}

// Once gives what ask gives, and the same when the effect is repeated, if it was
// written down. It is for what the host adds on its own to an effect that
// a task waits for, such as a time.
func (e Effect) Once(ask func() value.Value) value.Value {
	if e.task == nil {
		return ask()
	}
	if v, ok := e.task.answered(); ok {
		return v
	}
	v := ask()
	e.task.note(v)
	return v
}

// atStep tells that the task stands at a step. moved says that it was dropped
// and read again; the error is errPutAway.
func (t *Task) atStep() (moved bool, err error) {
	if t.run.paranoid {
		t.reload()
		moved = true
	}
	if t.run.keeper != nil && t.run.keeper.Step(t) || t.run.away.Load() {
		return moved, errPutAway
	}
	return moved, nil
}

// sleep waits until the task's time has come.
func (t *Task) sleep() error {
	d := t.nap
	if d == 0 { // it waited before, elsewhere
		now, err := t.host.Call(bytecode.HostNow, nil)
		if err != nil {
			return err
		}
		if now.Kind() == value.Time {
			d = time.Duration(max(0, t.wake-now.Time())) * time.Millisecond
		}
	}
	ctx := t.ctx
	if t.run.awake != nil {
		c, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(t.run.awake, cancel)()
		ctx = c
	}
	if d > 0 {
		if err := t.host.Sleep(ctx, d); err != nil {
			if t.ctx.Err() == nil && t.run.away.Load() {
				t.nap = 0
				return errPutAway
			}
			return err
		}
	}
	t.wake, t.nap = 0, 0
	return nil
}

// A snapshot is magic, version, a checksum of the rest, the hash of the program,
// the form, the path of the task and what there is of it.
const (
	snapshotMagic = "REQS"
	// SnapshotVersion is that of the form of snapshots. One of another version
	// is not read.
	SnapshotVersion = 1

	sumStart       = len(snapshotMagic) + 2
	snapshotHeader = sumStart + 4 + sha256.Size
)

// The forms of a snapshot.
const (
	formTask    byte = 1 + iota // a task at a step
	formEnd                     // how a task has ended
	formAnswers                 // what the host answered since the task was written down
)

// ErrSnapshotVersion is wrapped by the error of a snapshot of another version of
// reqon.
var ErrSnapshotVersion = errors.New("written by another version of reqon")

// ErrOtherProgram is wrapped by the error of a snapshot of another program.
var ErrOtherProgram = errors.New("it is of another program")

// Snapshot gives the task as it stands at a step, or how it has ended: see
// Keeper. The tasks that it waits for write themselves down. Limit is as that
// of Run.Snapshot.
func (t *Task) Snapshot(limit int) ([]byte, error) {
	if t.apart != nil && t.apart.over {
		w := t.m.begin(formEnd, t.path, limit)
		t.failures.write(w)
		t.closed.write(w)
		writeError(w, t.apart.outcome)
		return finish(w)
	}
	return t.snapshot(limit, false)
}

// Path gives the path of the task as text: see Effect.
func (t *Task) Path() string { return string(appendPath(nil, t.path)) }

// At gives where in the mission the task stands.
func (t *Task) At() At {
	f := &t.frames[len(t.frames)-1]
	return t.at(f, f.pc)
}

func (t *Task) snapshot(limit int, deep bool) ([]byte, error) {
	var up *saved
	if t.up != nil {
		t.up.mu.Lock()
		defer t.up.mu.Unlock()
		up = t.up.save()
	}
	w := t.m.begin(formTask, t.path, limit)
	t.save().write(w, up, deep)
	data, err := finish(w)
	if err == nil && t.apart != nil {
		t.apart.asked = t.apart.asked[:0]
	}
	return data, err
}

// Snapshot gives what the task has asked of the host since it was written down,
// so that a repetition of the effect is the same.
func (e Effect) Snapshot() []byte {
	if e.task == nil {
		return nil
	}
	w := e.task.m.begin(formAnswers, e.Path, 0)
	w.Int(e.Count)
	w.Values(e.task.aside().asked)
	data, _ := finish(w)
	return data
}

// begin begins a snapshot.
func (m *Machine) begin(form byte, path []Branch, limit int) *snapshot.Writer {
	w := &snapshot.Writer{Limit: limit}
	for _, b := range []byte(snapshotMagic) {
		w.Byte(b)
	}
	w.Byte(SnapshotVersion & 0xff)
	w.Byte(SnapshotVersion >> 8)
	for range 4 {
		w.Byte(0)
	}
	hash := m.hash()
	for _, b := range hash {
		w.Byte(b)
	}
	w.Byte(form)
	w.Count(len(path))
	for _, p := range path {
		w.Int(p.Count)
		w.Int(int64(p.Number))
	}
	return w
}

func finish(w *snapshot.Writer) ([]byte, error) {
	if err := w.Err(); err != nil {
		return nil, err
	}
	data := w.Bytes()
	binary.LittleEndian.PutUint32(data[sumStart:], checksum(data))
	return data, nil
}

// checksum is that of a whole snapshot.
func checksum(data []byte) uint32 {
	return crc32.Checksum(data[sumStart+4:], crc32.MakeTable(crc32.Castagnoli))
}
