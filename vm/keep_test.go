package vm_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// kept are missions with something of everything that a task can be in the
// middle of. Records have keys, so that what is stored twice is there once.
var kept = map[string]string{
	"steps": `action B { let u = uuid() store { id: "b", u: u } -> out }
  action A { let x = [1, "two", 3.50, now(), { a: null }] map x -> Y { all: x } run B store { id: "a", y: Y, all: response } -> out }`,
	"loops": `action A {
    for a in [1, 2, 3] { for b in [1, 0, 2] onError queue dead { store { id: a * 10 + b, v: 6 / b, u: uuid() } -> out } store { id: a } -> out }
    for x in [1, 2] onError skip { if x == 1 { log "one" } else { let y = 1 / (x - 2) } }
    store { id: "n", n: length(out) } -> out
  }`,
	"concurrency": `action A {
    let all = range(9)
    for a in all concurrency 3 { let v = 12 / (a % 4) store { id: a, v: v, n: length(all) } -> out log ` + "`${a}`" + ` store { id: a, again: true } -> out { upsert: true } }
    store { id: "end" } -> out
  }`,
	"nested": `action A {
    for a in [1, 2, 3] concurrency 2 {
      let s = a * 100
      for b in range(4) concurrency 2 onError queue dead { get "/x" store { id: s + b, got: response, v: 1 / (b % 3) } -> out }
      store { id: a, s: s } -> out
    }
  }`,
	"bracket": `action A { get "/x" store { id: "a", r: response } -> out }
  action B { for x in [1, 2, 3] concurrency 2 { store { id: x, u: uuid() } -> out } }
  action C { log "c" store { id: "c" } -> out let y = 1 / length(dead) store { id: "never" } -> out }
  action D { store { id: "d", n: length(out) >= 0 } -> out }
  run [A, B] then D then [A, C, B]`,
	"pages": `action A {
    get "/pages" { paginate: page(page, 2), since: lastSync }
    for x in response { store x -> out }
    get "/pages" { paginate: offset(o, 2) }
    let all = response
    store { id: "all", all: all } -> out
    get "/pages" { paginate: page(page, 2) }
    store response -> out
    get "/pages" { paginate: page(page, 2), updateFrom: "at" }
    for x in response concurrency 2 { get "/x" store { id: x.id, x: response } -> out }
  }`,
	"failures": `action Mend { store { id: "mended" } -> out }
  action A {
    get "/fails" match response { 404 -> { store { id: "404", e: response.error } -> out } }
    get "/twice" match response { 503 -> retry { maxAttempts: 5, delay: 10s }, 200 -> { store { id: "ok", r: response } -> out } }
    for x in [1, 2] onError continue { post "/fails" { body: { x: x } } }
    get "/third" match response { 404 -> jump Mend then retry, 200 -> { store { id: "third", r: response } -> out } }
    for x in [1, 2, 3] { validate x { assume x != 2 } or { queue dead { item: { id: x } } } store { id: x } -> out }
  }`,
	"abort": `action A { for x in range(6) concurrency 2 { if x == 3 { abort "enough" } store { id: x } -> out } }`,
}

// keptMission gives one of them whole.
func keptMission(name string) string {
	return "mission M {\n  source API { base: \"http://x\" }\n  store out: memory\n  store dead: memory\n  " + kept[name] + "\n}"
}

// keptWorld answers the requests of kept.
func keptWorld() *world {
	w := newWorld()
	var mu sync.Mutex
	tries := map[string]int{}
	w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
		mu.Lock()
		defer mu.Unlock()
		tries[r.Path]++
		switch {
		case r.Path == "/x":
			return w.answer(1, `{"x":1,"list":[1,2.50,"three"]}`)
		case r.Path == "/twice" && tries[r.Path] < 3:
			return failure(503, "not now")
		case r.Path == "/third" && len(w.store(0).keys) > 0 && w.has("out", "mended"), r.Path == "/twice":
			return w.answer(1, `{"good":true}`)
		case r.Path != "/pages":
			return failure(404, "nothing here")
		}
		n, _ := value.AsInt(r.Param)
		if r.Fetch.Page == bytecode.PageOffset {
			n = n/2 + 1
		}
		if n > 3 {
			return w.answer(n, `[]`)
		}
		return w.answer(n, fmt.Sprintf(`[{"id":"p%d","at":"2026-01-0%d"},{"id":"q%d","at":"2026-01-0%d"}]`, n, n, n, n))
	}
	return w
}

func (w *world) has(store, key string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.prog.Stores {
		if s.Name == store && w.stores[i] != nil {
			_, ok := w.stores[i].records[key]
			return ok
		}
	}
	return false
}

// outcome is what a run leaves behind, whatever the order of what went on side
// by side.
func (w *world) outcome(err error) string {
	var b strings.Builder
	for _, store := range []string{"out", "dead"} {
		records := w.records(store)
		slices.Sort(records)
		fmt.Fprintf(&b, "%s: %s\n", store, strings.Join(records, "\n  "))
	}
	fmt.Fprintf(&b, "positions: %v\nerror: %v\n", w.positions(), err)
	return b.String()
}

// told is what was told besides, once for each time that it happened.
func (w *world) told() string {
	all := slices.Concat(w.log, w.failed, w.actions, w.warned)
	slices.Sort(all)
	slept := time.Duration(0)
	for _, d := range w.slept {
		slept += d
	}
	return strings.Join(all, "\n") + "\nslept " + slept.String()
}

// withoutChance leaves out what a run of kept that is cut off may do otherwise:
// which items go on beside one that aborts, and the positions that the fetches
// before the cut have told, as the host keeps them.
func withoutChance(name, outcome string) string {
	positions, end := strings.LastIndex(outcome, "\npositions: "), strings.LastIndex(outcome, "\nerror: ")
	if name == "abort" {
		return outcome[end:]
	}
	return outcome[:positions] + outcome[end:]
}

// within is a context that a test's run must end in.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// stopper is a Keeper that puts the run away at one of its steps, or at all.
type stopper struct {
	mu    sync.Mutex
	steps int
	at    int // 0: at every step; negative: at none
	run   *vm.Run
}

func (k *stopper) Step(*vm.Task) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.steps++
	if k.at == 0 || k.steps == k.at {
		k.run.PutAway()
		return true
	}
	return false
}

func (k *stopper) Before(vm.Effect) error { return nil }
func (k *stopper) After(vm.Effect, error) {}
func (k *stopper) Ended(*vm.Task)         {}

// TestPutAway: a run that is put away at any step, or at each, and goes on from
// its snapshot with a machine that knows nothing of it, comes to the same end.
func TestPutAway(t *testing.T) {
	for name := range kept {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := keptWorld()
			m := w.link(t, keptMission(name))
			k := &stopper{at: -1}
			k.run = m.Begin(w, k)
			want := withoutChance(name, w.outcome(k.run.Go(within(t))))
			told, steps := w.told(), k.steps
			if steps < 3 {
				t.Fatalf("only %d steps", steps)
			}
			for at := range steps + 1 {
				w := keptWorld()
				k := &stopper{at: at}
				k.run = w.link(t, keptMission(name)).Begin(w, k)
				err := k.run.Go(within(t))
				stops := 0
				for ; errors.Is(err, vm.ErrPutAway); stops++ {
					data, e := k.run.Snapshot(0)
					if e != nil {
						t.Fatal(e)
					}
					if k.run, e = w.link(t, keptMission(name)).Restore(w, k, data); e != nil {
						t.Fatalf("at step %d: %v", at, e)
					}
					err = k.run.Go(within(t))
				}
				if got := withoutChance(name, w.outcome(err)); got != want {
					t.Fatalf("put away at step %d:\n%s\nexpected\n%s", at, got, want)
				}
				if got := w.told(); got != told && name != "abort" {
					t.Fatalf("put away at step %d told:\n%s\nexpected\n%s", at, got, told)
				}
				if at == 0 && stops < 3 || at > 0 && stops > 1 {
					t.Errorf("at step %d: put away %d times", at, stops)
				}
			}
		})
	}
}

// journal is a Keeper that writes down what it is told, until the process is
// killed at one of the effects.
type journal struct {
	mu      sync.Mutex
	written [][]byte
	effects map[string][16]byte
	count   int
	at      int  // the effect at which it is killed; 0: none
	after   bool // when it has happened, but nobody was told
	dead    bool
	kill    context.CancelFunc
}

func (j *journal) write(data []byte, err error) {
	if err != nil {
		panic(err)
	}
	if !j.dead {
		j.written = append(j.written, data)
	}
}

func (j *journal) Step(t *vm.Task) bool {
	data, err := t.Snapshot(0)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(data, err)
	return false
}

func (j *journal) Before(e vm.Effect) error {
	data := e.Snapshot()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dead {
		return errors.New("killed")
	}
	j.write(data, nil)
	name, id := e.String(), e.ID(0)
	if before, ok := j.effects[name]; ok && before != id {
		panic("the effect " + name + " has two ids")
	}
	j.effects[name] = id
	if j.count++; j.count == j.at && !j.after {
		j.dead = true
		j.kill()
		return errors.New("killed")
	}
	return nil
}

func (j *journal) After(vm.Effect, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count == j.at && j.after && !j.dead {
		j.dead = true
		j.kill()
	}
}

func (j *journal) Ended(t *vm.Task) {
	data, err := t.Snapshot(0)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(data, err)
}

// TestKilled: a run that is killed before or after any of its effects goes on
// from what was written down. What it leaves is what it would have left, it does
// few requests again, and effects that it repeats have their names and ids.
func TestKilled(t *testing.T) {
	for name := range kept {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := func(at int, after bool) (outcome string, requests int, j *journal) {
				w := keptWorld()
				var mu sync.Mutex
				answer := w.fetch
				w.fetch = func(ctx context.Context, r *vm.Request) *vm.Reply {
					mu.Lock()
					requests++
					mu.Unlock()
					return answer(ctx, r)
				}
				ctx, cancel := context.WithCancel(within(t))
				j = &journal{at: at, after: after, kill: cancel, effects: map[string][16]byte{}}
				err := w.link(t, keptMission(name)).Begin(w, j).Go(ctx)
				if !j.dead {
					return w.outcome(err), requests, j
				}
				j.dead, j.at = false, 0
				r, e := w.link(t, keptMission(name)).Restore(w, j, j.written...)
				if e != nil {
					t.Fatalf("killed at effect %d (after it: %t): %v", at, after, e)
				}
				return w.outcome(r.Go(within(t))), requests, j
			}
			want, requests, first := run(0, false)
			want = withoutChance(name, want)
			for at := 1; at <= first.count; at++ {
				for _, after := range []bool{false, true} {
					got, n, j := run(at, after)
					if got = withoutChance(name, got); got != want {
						t.Fatalf("killed at effect %d (after it: %t):\n%s\nexpected\n%s", at, after, got, want)
					}
					if n > requests+4 { // one a task: that many are at work at most
						t.Errorf("killed at effect %d (after it: %t): %d requests instead of %d", at, after, n, requests)
					}
					// A server that has got better meanwhile is asked less often.
					if name != "abort" && name != "failures" && !maps.Equal(j.effects, first.effects) {
						t.Errorf("killed at effect %d (after it: %t): other effects: %v, expected %v", at, after, slices.Sorted(maps.Keys(j.effects)), slices.Sorted(maps.Keys(first.effects)))
					}
				}
			}
		})
	}
}

// ticking is a world whose clock goes on each time that somebody looks.
type ticking struct {
	*world
	now int64
}

func (w *ticking) Call(f bytecode.HostFunc, args []value.Value) (value.Value, error) {
	if f == bytecode.HostNow {
		w.now += 1000
		return value.FromTime(w.now), nil
	}
	return w.world.Call(f, args)
}

// TestSameTime: an effect that is repeated says the time that it said at first,
// and so do the steps before it that are.
func TestSameTime(t *testing.T) {
	const source = `mission M {
  store out: memory
  action A { let a = now() let b = now() store { id: "x", a: a, b: b, c: now(), u: uuid() } -> out }
}`
	w := &ticking{world: newWorld()}
	ctx, cancel := context.WithCancel(within(t))
	j := &journal{at: 1, after: true, kill: cancel, effects: map[string][16]byte{}}
	k := &firstStep{journal: j}
	if err := w.link(t, source).Begin(w, k).Go(ctx); err != nil {
		t.Fatal(err) // the kill comes too late to stop it
	}
	first := w.records("out")
	j.dead, j.at = false, 0
	r, err := w.link(t, source).Restore(w, j, j.written...)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Go(within(t)); err != nil {
		t.Fatal(err)
	}
	want(t, "out", w.records("out"), first...)
}

// firstStep writes down the first step only.
type firstStep struct {
	*journal
	done bool
}

func (k *firstStep) Step(t *vm.Task) bool {
	if k.done {
		return false
	}
	k.done = true
	return k.journal.Step(t)
}

// TestWaitGoesOn: a wait of a retry that was put away ends when it would have.
func TestWaitGoesOn(t *testing.T) {
	w := &ticking{world: keptWorld()}
	asleep := make(chan struct{})
	w.sleep = func(ctx context.Context, d time.Duration) error {
		close(asleep)
		<-ctx.Done()
		return ctx.Err()
	}
	r := w.link(t, keptMission("failures")).Begin(w, nil)
	go func() {
		<-asleep
		r.PutAway()
	}()
	if err := r.Go(within(t)); !errors.Is(err, vm.ErrPutAway) {
		t.Fatal(err)
	}
	data, err := r.Snapshot(0)
	if err != nil {
		t.Fatal(err)
	}
	w.now += 4000
	w.sleep, w.slept = nil, nil
	if r, err = w.link(t, keptMission("failures")).Restore(w, nil, data); err != nil {
		t.Fatal(err)
	}
	r.Go(within(t))
	if len(w.slept) == 0 || w.slept[0] != 5*time.Second { // of 10s; the clock ticks once as it looks
		t.Errorf("waits %v more", w.slept)
	}
}

// snapshots gives a snapshot of each step of a mission.
func snapshots(t testing.TB, name string) (w *world, all [][]byte) {
	w = keptWorld()
	k := &stopper{}
	k.run = w.link(t, keptMission(name)).Begin(w, k)
	for errors.Is(k.run.Go(within(t)), vm.ErrPutAway) {
		data, err := k.run.Snapshot(0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data)
		if k.run, err = w.link(t, keptMission(name)).Restore(w, k, data); err != nil {
			t.Fatal(err)
		}
	}
	return w, all
}

// resum mends the checksum of a snapshot that was changed.
func resum(data []byte) []byte {
	const start = 4 + 2
	if len(data) >= start+4 {
		binary.LittleEndian.PutUint32(data[start:], crc32.Checksum(data[start+4:], crc32.MakeTable(crc32.Castagnoli)))
	}
	return data
}

// goOn goes on with a snapshot that may be anything. It must be refused, or run
// to an end.
func goOn(t testing.TB, w *world, m *vm.Machine, data []byte) {
	r, err := m.Restore(w, nil, data)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	r.Go(ctx)
}

// TestSnapshotDamage: what is cut short or changed is refused, or if its
// checksum is made to fit, does no harm.
func TestSnapshotDamage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for name := range kept {
		w, all := snapshots(t, name)
		m := w.link(t, keptMission(name))
		for _, data := range []([]byte){all[0], all[len(all)/2], all[len(all)-1]} {
			for n := range data {
				if _, err := m.Restore(w, nil, data[:n]); err == nil {
					t.Fatalf("%s: the first %d of %d bytes go through", name, n, len(data))
				}
				goOn(t, w, m, resum(slices.Clone(data[:n])))
				changed := slices.Clone(data)
				changed[n] ^= 1 << rnd.IntN(8)
				if _, err := m.Restore(w, nil, changed); err == nil {
					t.Fatalf("%s: byte %d of %d can be changed", name, n, len(data))
				}
				goOn(t, w, m, resum(changed))
			}
		}
	}
}

// TestSnapshotRefused: each kind of snapshot that is not for this machine is
// told by its name.
func TestSnapshotRefused(t *testing.T) {
	w, all := snapshots(t, "steps")
	m := w.link(t, keptMission("steps"))
	data := all[0]
	if _, err := m.Restore(w, nil, []byte("no snapshot")); err == nil || !strings.Contains(err.Error(), "does not begin with REQS") {
		t.Error(err)
	}
	later := slices.Clone(data)
	later[4]++
	if _, err := m.Restore(w, nil, later); !errors.Is(err, vm.ErrSnapshotVersion) {
		t.Error(err)
	}
	if _, err := w.link(t, keptMission("loops")).Restore(w, nil, data); !errors.Is(err, vm.ErrOtherProgram) {
		t.Error(err)
	}
	if _, err := m.Restore(w, nil); err == nil || !strings.Contains(err.Error(), "lacks the run's first task") {
		t.Error(err)
	}
	k := &stopper{}
	k.run = w.link(t, keptMission("steps")).Begin(w, k)
	if err := k.run.Go(within(t)); !errors.Is(err, vm.ErrPutAway) {
		t.Fatal(err)
	}
	if _, err := k.run.Snapshot(20); err == nil || !strings.Contains(err.Error(), "larger than its limit") {
		t.Errorf("a limit of 20 bytes: %v", err)
	}
}

// FuzzRestore goes on with anything that says it is a snapshot.
func FuzzRestore(f *testing.F) {
	for name := range kept {
		_, all := snapshots(f, name)
		for _, data := range all {
			f.Add(name, data[42:])
		}
	}
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		if kept[name] == "" {
			t.Skip()
		}
		w, all := keptWorld(), []byte(nil)
		m := w.link(t, keptMission(name))
		k := &stopper{}
		k.run = m.Begin(w, k)
		k.run.Go(within(t))
		all, err := k.run.Snapshot(0)
		if err != nil {
			t.Fatal(err)
		}
		goOn(t, w, m, resum(append(all[:42:42], body...)))
	})
}
