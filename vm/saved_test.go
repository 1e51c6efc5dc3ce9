package vm

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"reqon/vm/bytecode"
	"reqon/vm/snapshot"
	"reqon/vm/value"
)

// TestPageStateSaved: each field of a fetch's state comes back; one that is added
// and not written down fails here.
func TestPageStateSaved(t *testing.T) {
	m := &Machine{prog: &bytecode.Program{Fetches: make([]bytecode.FetchInfo, 3)}, shapes: value.NewShapes()}
	full := pageState{index: 2, fetch: &m.prog.Fetches[2]}
	v := reflect.ValueOf(&full).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		field := reflect.NewAt(v.Field(i).Type(), unsafe.Pointer(v.Field(i).UnsafeAddr())).Elem()
		switch name {
		case "index", "fetch":
			continue
		case "ahead": // what is on its way is asked for again
			continue
		}
		switch field.Interface().(type) {
		case bool:
			field.SetBool(true)
		case int, int64:
			field.SetInt(int64(1000 + i))
		case string:
			field.SetString("text of " + name)
		case value.Value:
			field.Set(reflect.ValueOf(value.FromString("value of " + name)))
		case []value.Value:
			field.Set(reflect.ValueOf([]value.Value{value.FromString("item of " + name)}))
		case map[string]struct{}:
			field.Set(reflect.ValueOf(map[string]struct{}{name: {}, "other": {}}))
		case []CutReason:
			field.Set(reflect.ValueOf([]CutReason{{Kind: CutCursor, Text: name}}))
		case *Failure:
			field.Set(reflect.ValueOf(&Failure{Envelope: value.FromInt(int64(i)), Text: name, ByStatus: true}))
		case SyncKey:
			key := reflect.ValueOf(field.Addr().Interface()).Elem()
			for j := range key.NumField() {
				switch key.Field(j).Kind() {
				case reflect.String:
					key.Field(j).SetString("text of " + key.Type().Field(j).Name)
				case reflect.Bool:
					key.Field(j).SetBool(true)
				default:
					t.Fatalf("the test does not know how to fill SyncKey.%s", key.Type().Field(j).Name)
				}
			}
		default:
			t.Fatalf("the test does not know how to fill %s %s", name, field.Type())
		}
	}
	full.before, full.maxItems = 5, 500 // which must fit together
	var w snapshot.Writer
	full.write(&w)
	r := reader{Reader: snapshot.NewReader(w.Bytes(), m.shapes), m: m}
	got := r.page()
	if err := r.End(); err != nil {
		t.Fatal(err)
	}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		g := reflect.ValueOf(&got).Elem().Field(i)
		a := reflect.NewAt(g.Type(), unsafe.Pointer(g.UnsafeAddr())).Elem().Interface()
		b := reflect.NewAt(g.Type(), unsafe.Pointer(v.Field(i).UnsafeAddr())).Elem().Interface()
		if v, ok := a.(value.Value); ok {
			if !value.Equal(v, b.(value.Value)) {
				t.Errorf("%s is %s", name, value.Describe(v))
			}
			continue
		}
		if list, ok := a.([]value.Value); ok {
			if !value.Equal(value.FromArray(list), value.FromArray(b.([]value.Value))) {
				t.Errorf("%s is %s", name, value.Describe(value.FromArray(list)))
			}
			continue
		}
		if f, ok := a.(*Failure); ok {
			if other := b.(*Failure); f == nil || f.Text != other.Text || f.ByStatus != other.ByStatus || !value.Equal(f.Envelope, other.Envelope) {
				t.Errorf("%s is %v", name, f)
			}
			continue
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s is %v, expected %v", name, a, b)
		}
	}
}

// TestTaskSaved: each field of a task is either data that is written down, or
// named here as what it is bound to.
func TestTaskSaved(t *testing.T) {
	bound := map[string]bool{
		"m": true, "run": true, "host": true, "ctx": true, "done": true, "up": true, "mu": true, "own": true,
		"passed": true, "nap": true, // between two steps
		"apart": true,                // its answers are data; TestSameTime
		"eval":  true, "loops": true, // of no run; only when to look
		"lists": true, "caught": true, "answer": true, // of no step: Func.Steps
	}
	data := map[string]string{"stack": "frames"} // by way of another name
	fields := reflect.TypeFor[saved]()
	for i := range reflect.TypeFor[Task]().NumField() {
		name := reflect.TypeFor[Task]().Field(i).Name
		if other := data[name]; other != "" {
			name = other
		}
		if _, ok := fields.FieldByName(name); !ok && !bound[name] {
			t.Errorf("Task.%s is neither written down nor said to be no data", name)
		}
	}
}

// handSaved is a task in the middle of a concurrent loop over three items, of
// which the first is done and the second under way, and the machine it is of.
func handSaved(t *testing.T) (*Machine, *saved) {
	u16 := func(n int) []byte { return []byte{byte(n), byte(n >> 8)} }
	main := append([]byte{byte(bytecode.CallAction)}, u16(0)...)
	main = append(main, byte(bytecode.Return))
	code := append([]byte{byte(bytecode.Array)}, u16(0)...)
	code = append(append(append(code, byte(bytecode.Iter)), u16(0)...), u16(0)...)
	code = append(append(code, byte(bytecode.Int)), u16(2)...)
	parallel := len(code)
	end := parallel + parallelSize + 2
	code = append(append(append(code, byte(bytecode.Parallel)), u16(0)...), u16(0)...)
	code = append(code, byte(end), 0, 0, 0, byte(bytecode.Pop), byte(bytecode.EndItem), byte(bytecode.Return))
	pop := parallel + parallelSize
	p := &bytecode.Program{
		Options: bytecode.None, Main: 0, Loops: []bytecode.LoopInfo{{Page: bytecode.None, Store: bytecode.None}},
		Actions: []bytecode.Action{{Name: "A", Func: 1}},
		Funcs: []bytecode.Func{
			{Name: "run", Code: main, Steps: []int{0}},
			{Name: "A", Code: code, Consts: []value.Value{value.FromString("for")}, Locals: bytecode.LoopSlots, MaxStack: 1, Steps: []int{0, pop + 1, end}},
		},
	}
	m, err := Link(p, value.NewShapes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	locals := make([]value.Value, bytecode.LoopSlots)
	locals[0] = value.FromArray([]value.Value{value.True, value.False, value.NullValue})
	child := &saved{
		path: []Branch{{Count: 0, Number: 1}}, status: noStatus,
		frames: []savedFrame{{fn: 1, pc: pop + 1, action: 0, from: pop, locals: locals}},
	}
	return m, &saved{
		effects: 1, seed: "seed", status: noStatus,
		frames: []savedFrame{
			{fn: 0, pc: 0, action: bytecode.None},
			{fn: 1, pc: parallel, action: 0, locals: locals, join: &join{
				bracket: bytecode.None, workers: 2, next: 2, branches: []branch{{number: 1, kept: child}},
			}},
		},
	}
}

// TestRestoreChecks: what no run can have come to is refused, and told.
func TestRestoreChecks(t *testing.T) {
	for _, test := range []struct {
		name, want string
		change     func(s *saved, loop *savedFrame, child *saved)
	}{
		{"as it is", "", func(*saved, *savedFrame, *saved) {}},
		{"no seed", "lacks what the run's ids are made from", func(s *saved, _ *savedFrame, _ *saved) { s.seed = "" }},
		{"no frames", "a task of 0 calls", func(s *saved, _ *savedFrame, _ *saved) { s.frames = nil }},
		{"another pipeline", "it is not the pipeline", func(s *saved, _ *savedFrame, _ *saved) { s.frames = s.frames[1:] }},
		{"no such function", "is not from 0 to 1", func(s *saved, _ *savedFrame, _ *saved) { s.frames[0].fn = 2 }},
		{"behind the end", "stands behind its end", func(s *saved, _ *savedFrame, _ *saved) { s.frames[0].pc = 4 }},
		{"a call that nothing calls", "nothing calls it", func(s *saved, _ *savedFrame, _ *saved) { s.frames[0].pc = 3 }},
		{"an action that was not called", "not what was called", func(s *saved, f *savedFrame, _ *saved) { f.action = bytecode.None }},
		{"no step", "it stands at no step", func(s *saved, f *savedFrame, _ *saved) { f.pc, f.join = 3, nil }},
		{"nothing to wait for", "nothing to wait for", func(s *saved, f *savedFrame, _ *saved) { f.pc = 0 }},
		{"a loop over no array", "a loop over no array", func(s *saved, f *savedFrame, _ *saved) { f.locals[0] = value.True }},
		{"more items than there are", "is not from 0 to 3", func(s *saved, f *savedFrame, _ *saved) { f.join.next = 4 }},
		{"too many at once", "is not from 0 to 10000", func(s *saved, f *savedFrame, _ *saved) { f.join.workers = maxConcurrency + 1 }},
		{"none at once", "more under way than have begun", func(s *saved, f *savedFrame, _ *saved) { f.join.workers = 0 }},
		{"an effect to come", "is not from 0 to 1", func(s *saved, f *savedFrame, _ *saved) { f.join.count = 2 }},
		{"a branch to come", "is not from 0 to 1", func(s *saved, f *savedFrame, _ *saved) { f.join.branches[0].number = 2 }},
		{"a branch twice", "branch 1 twice", func(s *saved, f *savedFrame, _ *saved) {
			f.join.branches = append(f.join.branches, f.join.branches[0])
		}},
		{"an iteration of another function", "another function than its loop", func(_ *saved, _ *savedFrame, c *saved) { c.frames[0].fn, c.frames[0].pc, c.frames[0].from = 0, 0, 0 }},
		{"an iteration that began elsewhere", "not what was called", func(_ *saved, _ *savedFrame, c *saved) { c.frames[0].from++ }},
		{"an iteration outside of its loop", "outside of its loop", func(_ *saved, _ *savedFrame, c *saved) { c.frames[0].pc += 1 }},
		{"an iteration in the loop itself", "outside of its loop", func(_ *saved, _ *savedFrame, c *saved) { c.frames[0].pc = 0 }},
		{"failures without the first", "failures without the first", func(s *saved, _ *savedFrame, _ *saved) { s.failures.count = 1 }},
		{"a failure that is none", "a failure that is none", func(s *saved, _ *savedFrame, _ *saved) { s.failures.actions = []*Error{nil} }},
		{"fewer locals", "no local", func(_ *saved, f *savedFrame, c *saved) { f.locals, c.frames[0].locals = f.locals[:2], nil }},
	} {
		m, s := handSaved(t)
		loop := &s.frames[1]
		test.change(s, loop, loop.join.branches[0].kept)
		w := m.begin(formTask, nil, 0)
		s.write(w, nil, true)
		data, err := finish(w)
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Restore(nil, nil, data)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, expected %q", test.name, err, test.want)
		}
	}
}
