package vm_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"reqon/vm"
	"reqon/vm/value"
)

func TestConcurrentInsideSequential(t *testing.T) {
	w := newWorld()
	err := w.run(t, `mission M {
  store out: memory
  action A {
    for a in [1, 2, 3] {
      for b in [1, 0, 2] concurrency 2 {
        store { id: a * 10 + b, v: 6 / b } -> out
      }
      store { id: a * 100 } -> out
    }
  }
}`)
	wantError(t, err, "3 items failed")
	got := w.records("out")
	slices.Sort(got)
	want(t, "out", got, `{"id":100}`, `{"id":11,"v":6}`, `{"id":12,"v":3}`, `{"id":200}`, `{"id":21,"v":6}`, `{"id":22,"v":3}`, `{"id":300}`, `{"id":31,"v":6}`, `{"id":32,"v":3}`)
	want(t, "failed", w.failed,
		"continue 1 : division by zero: number 6 / number 0",
		"continue 1 : division by zero: number 6 / number 0",
		"continue 1 : division by zero: number 6 / number 0")
	want(t, "actions", w.actions, "+A", "-A")
}

// many is a loop over 0 to 99 whose every tenth item fails.
const many = `mission M {
  store out: memory
  store dead: memory
  action A {
    for n in range(100) concurrency %s %s {
      store { id: n, v: 1 / (n %% 10) } -> out
    }
    store { id: "after" } -> out
  }
}`

// TestConcurrentPolicies: what becomes of failed items does not depend on how
// many run at once.
func TestConcurrentPolicies(t *testing.T) {
	for _, n := range []string{"1", "2", "7", "100", "10000"} {
		for _, test := range []struct {
			policy, err  string
			failed, dead int
			after        bool
		}{
			{"", "10 items failed", 10, 0, true},
			{"onError continue", "10 items failed", 10, 0, true},
			{"onError skip", "", 10, 0, true},
			{"onError queue dead", "", 10, 10, true},
			{"onError abort", "item 0: division by zero", 1, 0, false},
		} {
			w := newWorld()
			err := w.run(t, fmt.Sprintf(many, n, test.policy))
			wantError(t, err, test.err)
			failed := len(w.failed)
			if test.policy == "onError abort" && failed >= 1 && failed <= 10 {
				failed = 1 // and those that were in flight
			}
			if failed != test.failed || len(w.records("dead")) != test.dead {
				t.Errorf("%s with %s at once: %d failed, %d queued", test.policy, n, len(w.failed), len(w.records("dead")))
			}
			stored := w.records("out")
			if got := slices.Contains(stored, `{"id":"after"}`); got != test.after {
				t.Errorf("%s with %s at once: the step after the loop ran: %t", test.policy, n, got)
			}
			if test.after && len(stored) != 91 {
				t.Errorf("%s with %s at once: %d records", test.policy, n, len(stored))
			}
			balanced(t, w.actions)
			for i, line := range w.failed {
				if n == "1" && !strings.HasPrefix(line, fmt.Sprintf("%s %d ", strings.TrimPrefix(strings.Fields(line)[0], " "), i*10)) {
					t.Errorf("%s: %s", test.policy, line)
				}
			}
		}
	}
}

// TestConcurrentAtOnce: as many iterations as were asked for run at once, and
// no more; nested loops multiply.
func TestConcurrentAtOnce(t *testing.T) {
	for _, test := range []struct {
		loops string
		want  int
	}{
		{"for a in range(20) concurrency 1 { log `x` }", 1},
		{"for a in range(20) concurrency 5 { log `x` }", 5},
		{"for a in range(3) concurrency 5 { log `x` }", 3},
		{"for a in range(20) { for b in range(20) concurrency 4 { log `x` } }", 4},
		{"for a in range(20) concurrency 3 { for b in range(20) concurrency 4 { log `x` } }", 12},
	} {
		w := newWorld()
		var now, most int
		var mu sync.Mutex
		gather := make(chan struct{}) // closed when as many as wanted are there
		w.meet = func() {
			mu.Lock()
			now++
			if most = max(most, now); most == test.want {
				select {
				case <-gather:
				default:
					close(gather)
				}
			}
			mu.Unlock()
			<-gather
			mu.Lock()
			now--
			mu.Unlock()
		}
		err := w.run(t, "mission M { action A { "+strings.ReplaceAll(test.loops, "log `x`", `wait { path: "/x" }`)+" } }")
		wantError(t, err, "")
		if most != test.want {
			t.Errorf("%s: %d at once, expected %d", test.loops, most, test.want)
		}
	}
}

// TestConcurrentInConcurrent: a billion iterations at once are not tried.
func TestConcurrentInConcurrent(t *testing.T) {
	skipParanoid(t)
	w := newWorld()
	var now, most atomic.Int64
	w.meet = func() {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		runtime.Gosched()
		now.Add(-1)
	}
	err := w.run(t, `mission M { action A {
    for a in range(300) concurrency 10000 { for b in range(300) concurrency 10000 { wait { path: "/x" } } }
  } }`)
	wantError(t, err, "")
	if most.Load() > 40_000 {
		t.Errorf("%d at once", most.Load())
	}
}

// TestConcurrencyValue: a number of iterations that makes no sense is an error.
func TestConcurrencyValue(t *testing.T) {
	for _, n := range []string{"n - 1", "-n", "n / 2", "null ?? n * 10001"} {
		w := newWorld()
		w.params = []value.Value{value.FromInt(1)}
		err := w.run(t, `mission M { param n: any action A { for x in [1] concurrency (`+n+`) { log "x" } } }`)
		wantError(t, err, "concurrency must be a whole number from 1 to 10000")
	}
}

// TestAbortInConcurrent: abort ends the run whatever the policy says, and no
// further items are taken; those taken before finish. How many the second worker
// takes while the first is on its way to abort is up to the scheduler.
func TestAbortInConcurrent(t *testing.T) {
	for _, policy := range []string{"", "onError skip", "onError abort"} {
		for _, workers := range []int{1, 2} {
			w := newWorld()
			err := w.run(t, fmt.Sprintf(`mission M {
  store out: memory
  action A {
    for o in [1, 2] {
      for n in range(1000) concurrency %d %s {
        if n == 5 { abort `+"`stop at {n}`"+` }
        store { id: n } -> out
      }
    }
  }
}`, workers, policy))
			wantError(t, err, "stop at 5")
			got := w.records("out")
			for n := range 5 {
				if !slices.Contains(got, fmt.Sprintf(`{"id":%d}`, n)) {
					t.Errorf("%d workers, %q: item %d was taken and is not stored", workers, policy, n)
				}
			}
			if workers == 1 && len(got) != 5 {
				t.Errorf("%q: %d records stored", policy, len(got))
			}
			want(t, "actions", w.actions, "+A", "!A")
		}
	}
}

const brackets = `mission M {
  %s
  store out: memory
  action Bad { for n in [1] { log "bad" } abort "no" }
  action Wrong { store { id: "wrong", v: 1 / 0 * zero } -> out }
  action Other { validate zero { assume . == 0 : "other" } }
  action Good { let v = 1 store { id: "good" } -> out }
  action After { store { id: "after" } -> out }
  param zero: any
  run %s then After
}`

// TestBrackets: what the failure of an action does to the others.
func TestBrackets(t *testing.T) {
	for _, test := range []struct {
		mode   vm.ParallelMode
		limit  int
		stages string
		out    []string
		err    string
	}{
		{vm.WaitAll, 10, "[Good]", []string{`{"id":"after"}`, `{"id":"good"}`}, ""},
		{vm.WaitAll, 10, "[Good, Wrong]", []string{`{"id":"good"}`}, "division by zero"},
		{vm.WaitAll, 1, "[Wrong, Good]", []string{`{"id":"good"}`}, "division by zero"},
		{vm.WaitAll, 1, "[Wrong, Bad, Good]", []string{`{"id":"good"}`}, "no"},
		{vm.FailFast, 1, "[Wrong, Good]", nil, "division by zero"},
		{vm.FailFast, 1, "[Good, Wrong]", []string{`{"id":"good"}`}, "division by zero"},
		{vm.BestEffort, 1, "[Wrong, Good]", []string{`{"id":"after"}`, `{"id":"good"}`}, "division by zero"},
		{vm.BestEffort, 10, "[Wrong, Other, Good]", []string{`{"id":"after"}`, `{"id":"good"}`}, "division by zero"},
		{vm.BestEffort, 1, "[Wrong, Bad, Good]", []string{`{"id":"good"}`}, "no"},
	} {
		w := newWorld()
		w.mode, w.limit = test.mode, test.limit
		w.params = []value.Value{value.FromInt(1)}
		source := strings.Replace(fmt.Sprintf(brackets, "", test.stages), "1 / 0 * zero", "1 / (zero - 1)", 1)
		err := w.run(t, source)
		wantError(t, err, test.err)
		if strings.Contains(test.stages, "Other") {
			wantError(t, err, "other") // every failure is told
		}
		out := w.records("out")
		slices.Sort(out)
		want(t, fmt.Sprintf("mode %d, %s", test.mode, test.stages), out, test.out...)
		balanced(t, w.actions)
	}
}

// TestFailFastCancels: the others are stopped where they are.
func TestFailFastCancels(t *testing.T) {
	w := newWorld()
	w.mode = vm.FailFast
	waits := make(chan struct{})
	w.fetch = func(ctx context.Context, r *vm.Request) *vm.Reply {
		if r.Path == "/slow" {
			close(waits)
			<-ctx.Done()
			return nil
		}
		<-waits
		return failure(500, "broken")
	}
	err := w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  action Slow { for n in [1] onError skip { get "/slow" } store { id: 1 } -> out }
  action Fast { get "/fast" }
  run [Slow, Fast]
}`)
	wantError(t, err, "HTTP 500: broken")
	wantError(t, err, "cancelled: Fast failed")
	want(t, "out", w.records("out"))
	want(t, "failed", w.failed)
}

// TestCancel: a run that is cancelled ends soon, wherever it is, with the reason,
// and does nothing more.
func TestCancel(t *testing.T) {
	skipParanoid(t)
	for _, body := range []string{
		`log "go" let x = reduce(range(10000000), (a, x) => a + x, 0)`,
		`log "go" let x = count(range(10000000), . > 5)`,
		`log "go" for x in range(10000000) { let y = x }`,
		`for x in [1] concurrency 2 { log "go" for y in range(10000000) onError skip { let z = y } }`,
		`for x in range(10000000) concurrency 2 onError skip { if x == 10 { log "go" } let y = x }`,
		`for x in range(10000000) onError skip { if x == 10 { log "go" } let y = x / (x % 2) }`,
		`log "go" get "/x"`,
		`log "go" store { id: 1 } -> dead`,
		`log "go" let n = length(dead)`,
		`log "go" run B`,
		`for x in [1, 2] onError skip { log "go" get "/x" }`,
		`for x in [1, 2] onError queue dead { log "go" get "/x" }`,
		`get "/x" match response { 404 -> { log "go" retry { maxAttempts: 1000000, delay: 1h } } }`,
		`get "/x" match response { 404 -> { log "go" retry { maxAttempts: 1000000, delay: 0 } } }`,
		`get "/x" { paginate: page(page, 1), until: false } for x in response { log "go" }`,
	} {
		w := newWorld()
		m := w.link(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  store dead: memory
  action B { log "b" }
  action A { `+body+` store { id: "after" } -> out }
  run A
}`)
		if strings.Contains(body, "paginate") {
			w.numbered(1 << 30)
		}
		reason := errors.New("somebody pressed a key")
		ctx, cancel := context.WithCancelCause(context.Background())
		w.logged = func(text string) { cancel(reason) }
		err := m.Run(ctx, w)
		cancel(nil)
		if err == nil || !strings.Contains(err.Error(), reason.Error()) {
			t.Errorf("%s: %v", body, err)
		}
		var e *vm.Error
		if !errors.As(err, &e) || !e.Fatal {
			t.Errorf("%s: not fatal: %#v", body, err)
		}
		if len(w.records("out")) > 0 || len(w.records("dead")) > 0 || slices.Contains(w.log, "b") {
			t.Errorf("%s: went on", body)
		}
		balanced(t, w.actions)
	}
}
