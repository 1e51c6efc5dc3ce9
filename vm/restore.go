package vm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"reqon/vm/bytecode"
	"reqon/vm/snapshot"
)

// Restore gives the run that the snapshots were taken of, to go on with. Any
// input is safe: what is damaged or made to do harm is an error, and memory
// stays in proportion to the input.
//
// Snapshots are those of Run.Snapshot, Task.Snapshot and Effect.Snapshot, older
// ones first. Of each task the latest counts. A task that is not among them, and
// that has not ended by what another one says, begins anew; so that a task that
// others begin must be written down when it begins to wait for them, and how
// they end when they do.
func (m *Machine) Restore(host Host, k Keeper, snapshots ...[]byte) (*Run, error) {
	rs := restorer{m: m, parts: map[string]*parts{}}
	for _, data := range snapshots {
		if err := rs.add(data); err != nil {
			return nil, fmt.Errorf("the snapshot can't be used: %w", err)
		}
	}
	first := rs.parts[""]
	if first == nil || first.task == nil {
		return nil, errors.New("the snapshot can't be used: it lacks the run's first task")
	}
	s, err := rs.task(nil, nil)
	if err == nil && s.seed == "" {
		err = errors.New("it lacks what the run's ids are made from")
	}
	if err != nil {
		return nil, fmt.Errorf("the snapshot can't be used: %w", err)
	}
	r := m.newRun(host, k)
	r.t.load(s)
	return r, nil
}

// parts is what there is of one task.
type parts struct {
	path    []Branch
	task    []byte // the latest; nil if there is none
	end     []byte
	answers []byte
}

// restorer puts the parts of a run together.
type restorer struct {
	m        *Machine
	parts    map[string]*parts   // by path
	pages    int                 // slots that were read
	children map[string][]*parts // by path, and count of the one that waits
}

// add reads the head of a snapshot.
func (rs *restorer) add(data []byte) error {
	if !bytes.HasPrefix(data, []byte(snapshotMagic)) {
		return errors.New("it does not begin with REQS")
	}
	if len(data) < snapshotHeader {
		return errors.New("it is cut short")
	}
	if v := binary.LittleEndian.Uint16(data[len(snapshotMagic):]); v != SnapshotVersion {
		return fmt.Errorf("%w: it has version %d, this reqon reads version %d", ErrSnapshotVersion, v, SnapshotVersion)
	}
	if checksum(data) != binary.LittleEndian.Uint32(data[sumStart:]) {
		return errors.New("it is damaged: its checksum does not fit")
	}
	if hash := rs.m.hash(); !bytes.Equal(hash[:], data[sumStart+4:snapshotHeader]) {
		return ErrOtherProgram
	}
	r := snapshot.NewReader(data[snapshotHeader:], nil)
	form := r.Byte()
	var path []Branch
	for range r.Count() {
		path = append(path, Branch{Count: r.IntFrom(0, most), Number: int(r.IntFrom(0, 1<<40))})
		if r.Err() != nil {
			break
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	p := rs.of(path)
	switch rest := data[len(data)-r.Left():]; form {
	case formTask:
		p.task = rest
	case formEnd:
		p.end = rest
	case formAnswers:
		p.answers = rest
	default:
		return fmt.Errorf("no such form: %d", form)
	}
	return nil
}

// of gives the parts of a task.
func (rs *restorer) of(path []Branch) *parts {
	key := string(appendPath(nil, path))
	p := rs.parts[key]
	if p == nil {
		p = &parts{path: path}
		rs.parts[key] = p
		if n := len(path); n > 0 {
			if rs.children == nil {
				rs.children = map[string][]*parts{}
			}
			waits := waiting(path[:n-1], path[n-1].Count)
			rs.children[waits] = append(rs.children[waits], p)
		}
	}
	return p
}

// waiting names a join.
func waiting(path []Branch, count int64) string {
	return fmt.Sprintf("%s#%d", appendPath(nil, path), count)
}

// task reads the latest of a task; nil if there is nothing of it.
func (rs *restorer) task(path []Branch, up *saved) (*saved, error) {
	p := rs.parts[string(appendPath(nil, path))]
	if p == nil || p.task == nil {
		return nil, nil
	}
	r := &reader{Reader: snapshot.NewReader(p.task, rs.m.shapes), m: rs.m, parts: rs}
	s := r.task(path, up)
	if err := r.End(); err != nil {
		return nil, err
	}
	return s, nil
}

// later takes what came after the task was written down into a join: branches
// that have begun or ended since.
func (r *reader) later(s *saved, j *join, total int) {
	known := r.parts.children[waiting(s.path, j.count)]
	slices.SortFunc(known, func(a, b *parts) int {
		return a.path[len(a.path)-1].Number - b.path[len(b.path)-1].Number
	})
	place := make(map[int]int, len(j.branches))
	for i := range j.branches {
		place[j.branches[i].number] = i
	}
	for _, p := range known {
		number := p.path[len(p.path)-1].Number
		if number >= total {
			r.Fail("branch %d of %d", number, total)
			return
		}
		for ; j.next <= int64(number); j.next++ {
			// Others have begun before it.
			if len(j.branches) >= maxConcurrency {
				r.Fail("more under way than can be")
				return
			}
			place[int(j.next)] = len(j.branches)
			j.branches = append(j.branches, branch{number: int(j.next)})
		}
		at, ok := place[number]
		if !ok {
			continue // it was done before
		}
		b := &j.branches[at]
		switch {
		case p.end != nil:
			r.ended(j, b, p)
		case p.task != nil && b.kept == nil:
			kept, err := r.parts.task(p.path, s)
			if err != nil {
				r.Fail("%w", err)
			}
			b.kept = kept
		}
		if r.Err() != nil {
			return
		}
	}
	if j.err != nil && j.bracket == bytecode.None {
		j.next = int64(total) // no more items
	}
}

// ended takes the end of a branch into the join.
func (r *reader) ended(j *join, b *branch, p *parts) {
	end := &reader{Reader: snapshot.NewReader(p.end, r.m.shapes), m: r.m}
	f, closed := end.failures(), end.closings()
	err := end.error(0)
	if e := end.End(); e != nil {
		r.Fail("%w", e)
		return
	}
	j.end(b.number, &f, r.m.lasting(&closed), err)
	b.number = -1
}

// answered gives a task the answers that were noted for the effect it was about
// to have.
func (r *reader) answered(s *saved) {
	p := r.parts.parts[string(appendPath(nil, s.path))]
	if p == nil || p.answers == nil {
		return
	}
	a := snapshot.NewReader(p.answers, r.m.shapes)
	count, answers := a.IntFrom(0, most), a.Values()
	if err := a.End(); err != nil {
		r.Fail("%w", err)
	} else if count >= s.effects { // else the task has come beyond it since
		s.answers = answers
	}
}

// reload drops the data of the task and gives it what a fresh machine reads of
// its snapshot: so that everything the task is must be in there. So it does with
// those that wait for it, now and then.
func (t *Task) reload() {
	t.reloadUnder(t.up)
	n := t.aside().steps
	t.apart.steps++
	if t.up == nil || n&(n-1) != 0 || t.path[len(t.path)-1].Number > 16 {
		return
	}
	for up := t.up; up != nil; up = up.up {
		up.mu.Lock()
		up.reloadUnder(up.up)
		up.mu.Unlock()
	}
}

func (t *Task) reloadUnder(up *Task) {
	var upper *saved
	if up != nil {
		up.mu.Lock()
		defer up.mu.Unlock()
		upper = up.save()
	}
	w := t.m.begin(formTask, t.path, 0)
	before := t.save()
	before.write(w, upper, false)
	data, err := finish(w)
	if err != nil {
		panic(err)
	}
	m := t.m.fresh()
	r := restorer{m: m, parts: map[string]*parts{}}
	err = r.add(data)
	var s *saved
	if err == nil {
		s, err = r.task(before.path, upper)
	}
	if err != nil {
		panic(fmt.Errorf("vm: a snapshot can't be read: %w", err))
	}
	for i := range before.frames {
		from, to := &before.frames[i], &s.frames[i]
		for p := range from.pages {
			to.pages[p].ahead, from.pages[p].ahead = from.pages[p].ahead, nil
		}
		if from.join != nil {
			to.join.branches = from.join.branches // which run, and are not this task's data
		}
	}
	passed, nap := t.passed, t.nap
	for i := range t.stack[:cap(t.stack)] {
		t.stack[:cap(t.stack)][i] = dropped
	}
	t.stack, t.lists, t.frames = nil, nil, nil
	t.m = m
	t.load(s)
	t.passed, t.nap = passed, nap
}

// watch gives the machine the code in which steps are breaks.
func (m *Machine) watch() {
	m.once.watch.Do(func() {
		for i := range m.funcs {
			f := &m.funcs[i]
			f.breaks = f.Code
			if len(f.Steps) == 0 {
				continue
			}
			f.breaks = bytes.Clone(f.Code)
			for _, pc := range f.Steps {
				f.breaks[pc] = byte(opBreak)
			}
		}
	})
}

// Paranoid gives the machine as one under whose runs each task is written down,
// dropped, and read again at every step. It is slow, and for tests: that nothing
// else comes out shows that a snapshot holds all that a task is.
func (m *Machine) Paranoid() *Machine {
	m.watch()
	p := m.fresh()
	p.paranoid = true
	return p
}

// fresh gives a machine of the same program that has done nothing yet.
func (m *Machine) fresh() *Machine {
	f := &Machine{
		prog: m.prog, shapes: m.shapes, natives: m.natives, regexps: m.regexps, objects: m.objects,
		funcs: slices.Clone(m.funcs), once: m.once, paranoid: m.paranoid, checkpoints: m.checkpoints,
	}
	for i := range f.funcs {
		f.funcs[i].caches = make([]uint64, f.funcs[i].Caches)
	}
	f.tasks.New = m.tasks.New
	return f
}
