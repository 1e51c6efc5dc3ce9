package vm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reqon/compiler/check"
	"reqon/compiler/codegen"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// world is a Host that keeps everything in memory: what the stores hold, and
// what the machine told.
type world struct {
	shapes *value.Shapes

	// fetch answers requests; without it each fails. It may be called from
	// several tasks at once.
	fetch    func(ctx context.Context, r *vm.Request) *vm.Reply
	position func(key string) value.Value
	sleep    func(ctx context.Context, d time.Duration) error
	logged   func(text string) // told each log line
	meet     func()            // called by every wait step
	params   []value.Value
	mode     vm.ParallelMode
	limit    int

	open        atomic.Int64 // requests under way
	mu          sync.Mutex
	stores      map[int]*memory
	fetched     []vm.Fetched
	failed      []string // items, as "policy index id: reason"
	early       []string
	checkpoints []string
	notices     []string
	left        []string
	warned      []string
	log         []string
	actions     []string // "+A" for each that started, "-A" or "!A" for its end
	slept       []time.Duration
	calls       int

	prog *bytecode.Program
}

// memory is a store.
type memory struct {
	keys    []string
	records map[string]value.Value
}

func newWorld() *world {
	return &world{shapes: value.NewShapes(), stores: map[int]*memory{}, limit: 100}
}

func (w *world) store(i int) *memory {
	if w.stores[i] == nil {
		w.stores[i] = &memory{records: map[string]value.Value{}}
	}
	return w.stores[i]
}

func (w *world) Fetch(ctx context.Context, r *vm.Request) (*vm.Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	w.open.Add(1)
	defer w.open.Add(-1)
	if w.fetch == nil {
		return failure(404, "nothing here"), nil
	}
	reply := w.fetch(ctx, r)
	if reply == nil {
		return nil, context.Cause(ctx)
	}
	return reply, nil
}

// failure is the reply of a failed request.
func failure(status int, message string) *vm.Reply {
	b := value.NewObjectBuilder(nil, 2)
	b.Set("error", value.FromString(message))
	b.Set("status", value.FromInt(int64(status)))
	return &vm.Reply{Status: status, Failure: &vm.Failure{Envelope: b.Value(), Text: fmt.Sprintf("HTTP %d: %s", status, message)}}
}

// answer is a good reply with a JSON body, sent at the given second.
func (w *world) answer(second int64, body string) *vm.Reply {
	v, err := value.ParseJSON(w.shapes, body)
	if err != nil {
		panic(err)
	}
	return &vm.Reply{Body: v, Status: 200, Time: second * 1000}
}

func (w *world) SyncKey(_ int, name, _ string, parts value.Value) (key, origin string) {
	if !parts.IsNull() {
		name += " " + string(value.AppendJSON(nil, parts))
	}
	return name, ""
}

func (w *world) Position(k *vm.SyncKey, _ vm.At) value.Value {
	if w.position == nil {
		return value.NullValue
	}
	return k.Position(w.position(k.Key))
}

func (w *world) ResetPosition(k *vm.SyncKey, held bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetched = slices.DeleteFunc(w.fetched, func(f vm.Fetched) bool { return f.Key == k.Key })
	return nil
}

func (w *world) Checkpoint(_ context.Context, keys []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	sorted := slices.Sorted(slices.Values(keys))
	w.checkpoints = append(w.checkpoints, strings.Join(sorted, " "))
	return nil
}

func (w *world) Fetched(f *vm.Fetched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetched = append(w.fetched, *f)
}

// positions gives what the run leaves behind, by key: "held", or the position.
// A fetch that was held holds its key whatever others say.
func (w *world) positions() map[string]string {
	out := map[string]string{}
	held := map[string]int{}
	for _, f := range w.fetched {
		if f.Held {
			held[f.Key]++
		}
		if f.Repeated {
			held[f.Key]--
		}
	}
	for _, f := range w.fetched {
		switch {
		case held[f.Key] > 0:
			out[f.Key] = "held"
		case f.Held || f.Repeated:
		default:
			out[f.Key] = value.Text(f.Position)
		}
	}
	return out
}

func (w *world) StorePut(ctx context.Context, p *vm.Put) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if p.Err != nil {
		return p.Err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.store(p.Store)
	keys := make([]string, len(p.Records))
	for i, r := range p.Records {
		if r.Kind() != value.Object {
			return fmt.Errorf("not an object: %s", value.Describe(r))
		}
		if p.Keys != nil {
			if i == len(p.Keys) {
				return p.BadKey
			}
			keys[i] = p.Keys[i]
			continue
		}
		var key value.Value
		if key = value.Field(r, "id"); key.IsNull() {
			key = value.FromString(fmt.Sprintf("auto%x", p.Effect.ID(i))) // which a repetition has again
		}
		text, err := vm.KeyText(key)
		if err != nil {
			return err
		}
		keys[i] = text
	}
	for i, r := range p.Records {
		old, there := s.records[keys[i]]
		if !there {
			s.keys = append(s.keys, keys[i])
		} else if p.Merge {
			b := value.NewObjectBuilder(w.shapes, 8)
			b.SetAll(old.Obj())
			b.SetAll(r.Obj())
			r = b.Value()
		}
		s.records[keys[i]] = r
	}
	return nil
}

func (w *world) StoreGet(_ context.Context, store int, key string) (value.Value, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, ok := w.store(store).records[key]
	return v, ok, nil
}

func (w *world) StoreHas(ctx context.Context, store int, key string) (bool, error) {
	_, ok, err := w.StoreGet(ctx, store, key)
	return ok, err
}

func (w *world) StoreLen(_ context.Context, store int) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.store(store).keys), nil
}

func (w *world) StoreList(_ context.Context, store int) ([]value.Value, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []value.Value
	s := w.store(store)
	for _, k := range s.keys {
		list = append(list, s.records[k])
	}
	return list, nil
}

func (w *world) StoreDelete(_ context.Context, store int, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.store(store)
	if _, ok := s.records[key]; ok {
		delete(s.records, key)
		s.keys = slices.DeleteFunc(s.keys, func(k string) bool { return k == key })
	}
	return nil
}

func (w *world) StoreClear(_ context.Context, store int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stores[store] = nil
	return nil
}

func (w *world) Log(_ bytecode.Level, text string, fields value.Value, _ vm.At) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !fields.IsNull() {
		text += " " + value.Text(fields)
	}
	w.log = append(w.log, text)
	if w.logged != nil {
		w.logged(text)
	}
}

func (w *world) Warned(text string, _ vm.At) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.warned = append(w.warned, text)
}

func (w *world) ItemFailed(policy bytecode.Policy, f *vm.ItemFailure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, fmt.Sprintf("%s %d %s: %s", policy, f.Index, value.Text(f.ID), vm.Reason(f.Err)))
}

func (w *world) Notice(n *vm.Notice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices = append(w.notices, n.Text)
}

func (w *world) ItemLeft(policy bytecode.Policy, _ vm.At) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left = append(w.left, policy.String())
}

func (w *world) CutShort(c *vm.Cut) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range c.Reasons {
		w.early = append(w.early, r.Text)
	}
}

func (w *world) ActionStarted(action int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.actions = append(w.actions, "+"+w.prog.Actions[action].Name)
}

func (w *world) ActionDone(action int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	mark := "-"
	if err != nil {
		mark = "!"
	}
	w.actions = append(w.actions, mark+w.prog.Actions[action].Name)
}

func (w *world) Sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	w.slept = append(w.slept, d)
	w.mu.Unlock()
	if w.sleep != nil {
		return w.sleep(ctx, d)
	}
	return ctx.Err()
}

func (w *world) Wait(context.Context, value.Value, vm.At) (value.Value, error) {
	if w.meet != nil {
		w.meet()
	}
	return value.FromString("payload"), nil
}

func (w *world) Pause(context.Context, value.Value, vm.At) error { return nil }

// Call answers with what never changes, save for uuids, which count.
func (w *world) Call(f bytecode.HostFunc, args []value.Value) (value.Value, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch f {
	case bytecode.HostNow:
		return value.FromTime(1_000_000), nil
	case bytecode.HostTimestamp:
		return value.FromInt(1_000_000), nil
	case bytecode.HostUUID:
		w.calls++
		return value.FromString(fmt.Sprintf("uuid-%d", w.calls)), nil
	case bytecode.HostRandom:
		return value.FromInt(0), nil
	case bytecode.HostEnv:
		return value.NullValue, nil
	}
	return value.NullValue, errors.New("not available")
}

func (w *world) Param(i int) value.Value {
	if i < len(w.params) {
		return w.params[i]
	}
	return value.NullValue
}

func (w *world) Scheduled() value.Value { return value.FromTime(0) }

func (w *world) LastRun() value.Value { return value.NullValue }

func (w *world) RunID() string { return "run-1" }

func (w *world) Parallelism() (vm.ParallelMode, int) { return w.mode, w.limit }

// records gives a store's records as compact JSON, in their order.
func (w *world) records(name string) []string {
	for i, s := range w.prog.Stores {
		if s.Name != name || w.stores[i] == nil {
			continue
		}
		var out []string
		for _, k := range w.stores[i].keys {
			out = append(out, string(value.AppendJSON(nil, w.stores[i].records[k])))
		}
		return out
	}
	return nil
}

// compile compiles a mission's source.
func compile(source string) (*bytecode.Program, error) {
	tree, errs := syntax.Parse(syntax.NewFile("test.reqon", []byte(source)))
	if len(errs) > 0 {
		return nil, errs[0]
	}
	if len(tree.Missions) != 1 {
		return nil, fmt.Errorf("%d missions", len(tree.Missions))
	}
	for _, d := range check.Mission(tree.Missions[0], nil) {
		if d.Severity == diag.Error {
			return nil, fmt.Errorf("%s (%s)", d.Message, d.Suggestion)
		}
	}
	return codegen.Generate(tree.Missions[0], nil)
}

func natives(name string) (vm.Native, bool) {
	f := stdlib.Lookup(name)
	if f == nil || f.Impl == nil {
		return nil, false
	}
	return f.Impl, true
}

// link compiles and links a mission for the world.
func (w *world) link(t testing.TB, source string) *vm.Machine {
	t.Helper()
	p, err := compile(source)
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	m, err := vm.Link(p, w.shapes, natives)
	if err != nil {
		t.Fatal(err)
	}
	w.prog = p
	if paranoid {
		m = m.Paranoid()
	}
	return m
}

// paranoid has all tests of the package, where they hold what comes out, run
// with each task written down, dropped and read again at every step:
// REQON_PARANOID=1 go test ./vm.
var paranoid = os.Getenv("REQON_PARANOID") != ""

// skipParanoid skips a test of so many steps, or such large values, that writing
// all of it down at each step takes minutes.
func skipParanoid(t *testing.T) {
	if paranoid {
		t.Skip("takes minutes with a snapshot at each step")
	}
}

// TestParanoid runs the tests of this package once more with each task written
// down, dropped and read again at every step: what comes out is the same.
func TestParanoid(t *testing.T) {
	if paranoid || testing.Short() {
		t.Skip("the tests run so already, or are to be short")
	}
	cmd := exec.Command(os.Args[0], "-test.short", "-test.skip", "Fuzz|Benchmark|TestParanoid|TestPutAway|TestKilled|TestSnapshot|AllocatesNothing", "-test.timeout", "5m")
	cmd.Env = append(os.Environ(), "REQON_PARANOID=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// run compiles and runs a mission, which must end within a minute.
func (w *world) run(t testing.TB, source string) error {
	t.Helper()
	m := w.link(t, source)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := m.Run(ctx, w)
	if ctx.Err() != nil {
		t.Fatalf("the run does not end; stores: %v", slices.Collect(maps.Keys(w.stores)))
	}
	return err
}

// want compares lists of text.
func want(t testing.TB, what string, got []string, expected ...string) {
	t.Helper()
	if !slices.Equal(got, expected) {
		t.Errorf("%s:\n  %s\nexpected:\n  %s", what, strings.Join(got, "\n  "), strings.Join(expected, "\n  "))
	}
}

// wantError compares an error's text with what it must hold; "" is none.
func wantError(t testing.TB, err error, text string) {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Errorf("failed: %v", err)
	case text != "" && err == nil:
		t.Errorf("did not fail, expected %q", text)
	case text != "" && !strings.Contains(err.Error(), text):
		t.Errorf("failed with %q, expected %q", err, text)
	}
}
