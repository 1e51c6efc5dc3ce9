package vm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"reqon/vm"
)

// scripted answers requests by their path, each path's answers in turn, the last
// one for ever. An answer is a status and a JSON body; without a status it is
// 200. What was asked for is kept in order.
func (w *world) scripted(answers map[string][]string) *[]string {
	var mu sync.Mutex
	turn := map[string]int{}
	asked := new([]string)
	w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
		mu.Lock()
		defer mu.Unlock()
		*asked = append(*asked, r.Path)
		list := answers[r.Path]
		if len(list) == 0 {
			return failure(404, "no "+r.Path)
		}
		text := list[min(turn[r.Path], len(list)-1)]
		turn[r.Path]++
		var status int
		if n, _ := fmt.Sscanf(text, "%d", &status); n == 1 && status >= 100 && status < 600 {
			_, body, _ := strings.Cut(text, " ")
			if status >= 400 {
				return failure(status, body)
			}
			reply := w.answer(1, body)
			reply.Status = status
			return reply
		}
		return w.answer(1, text)
	}
	return asked
}

// flow is a mission with what must come of it.
type flow struct {
	name    string
	answers map[string][]string
	source  string // of the mission's body
	out     []string
	dead    []string
	failed  []string
	log     []string
	asked   []string
	err     string
	sorted  bool // the order does not count
}

func (f *flow) run(t *testing.T) {
	w := newWorld()
	asked := w.scripted(f.answers)
	err := w.run(t, "mission M {\n  source API { base: \"http://x\" }\n  store out: memory\n  store dead: memory\n"+f.source+"\n}")
	wantError(t, err, f.err)
	out, dead, log := w.records("out"), w.records("dead"), w.log
	if f.sorted {
		for _, list := range [][]string{out, dead, log, w.failed, *asked} {
			slices.Sort(list)
		}
	}
	want(t, "out", out, f.out...)
	want(t, "dead", dead, f.dead...)
	want(t, "failed", w.failed, f.failed...)
	if f.log != nil {
		want(t, "log", log, f.log...)
	}
	if f.asked != nil {
		want(t, "asked", *asked, f.asked...)
	}
	balanced(t, w.actions)
}

// balanced checks that every action that started was done once.
func balanced(t *testing.T, actions []string) {
	t.Helper()
	count := map[string]int{}
	for _, a := range actions {
		if a[0] == '+' {
			count[a[1:]]++
		} else {
			count[a[1:]]--
		}
	}
	for name, n := range count {
		if n != 0 {
			t.Errorf("action %s was started and done a different number of times: %v", name, actions)
		}
	}
}

func TestFlow(t *testing.T) {
	for _, test := range []flow{
		{
			name:    "every iteration begins with the response that the loop began with",
			answers: map[string][]string{"/list": {`[1,2]`}, "/one": {`{"id":9}`}, "/two": {`{"id":8}`}},
			source: `action A {
    get "/list"
    for n in response {
      store { id: n * 10, r: response } -> out
      get "/one"
      store { id: n * 10 + 1, r: response } -> out
      for m in [7] {
        get "/two"
      }
      store { id: n * 10 + 2, r: response } -> out
    }
    store { id: 99, r: response } -> out
  }`,
			out: []string{
				`{"id":10,"r":[1,2]}`, `{"id":11,"r":{"id":9}}`, `{"id":12,"r":{"id":9}}`,
				`{"id":20,"r":[1,2]}`, `{"id":21,"r":{"id":9}}`, `{"id":22,"r":{"id":9}}`, `{"id":99,"r":[1,2]}`,
			},
		},
		{
			name:    "a failed iteration leaves nothing behind for the next",
			answers: map[string][]string{"/list": {`[1,2,3]`}, "/1": {`{"id":1}`}, "/2": {`500 broken`}, "/3": {`{"id":3}`}},
			source: `action A {
    get "/list"
    for n in response onError skip {
      let before = response
      get ` + "`/{n}`" + `
      store { id: n, r: response, before: before } -> out
    }
    store { id: 99, r: response } -> out
  }`,
			out:    []string{`{"id":1,"r":{"id":1},"before":[1,2,3]}`, `{"id":3,"r":{"id":3},"before":[1,2,3]}`, `{"id":99,"r":[1,2,3]}`},
			failed: []string{"skip 1 : HTTP 500: broken"},
		},
		{
			name:    "the same with concurrency",
			answers: map[string][]string{"/list": {`[1,2,3]`}, "/1": {`{"id":1}`}, "/2": {`500 broken`}, "/3": {`{"id":3}`}},
			source: `action A {
    get "/list"
    for n in response concurrency 3 onError skip {
      let before = response
      get ` + "`/{n}`" + `
      store { id: n, r: response, before: before } -> out
    }
    store { id: 99, r: response } -> out
  }`,
			out:    []string{`{"id":1,"r":{"id":1},"before":[1,2,3]}`, `{"id":3,"r":{"id":3},"before":[1,2,3]}`, `{"id":99,"r":[1,2,3]}`},
			failed: []string{"skip 1 : HTTP 500: broken"},
			sorted: true,
		},
		{
			name:    "a queued item has the response of its own iteration, or none",
			answers: map[string][]string{"/list": {`[1,2,3]`}, "/1": {`{"id":1}`}, "/2": {`500 broken`}},
			source: `action A {
    get "/list"
    for n in response onError queue dead {
      if n != 3 { get ` + "`/{n}`" + ` }
      store { id: n, v: 1 / (n - 1) % (n - 3) } -> out
    }
  }`,
			failed: []string{
				"queue 0 : division by zero: number 1 / number 0", "queue 1 : HTTP 500: broken",
				"queue 2 : modulo by zero: number 0.5 % number 0",
			},
			dead: []string{
				`{"item":1,"index":0,"error":"division by zero: number 1 / number 0","response":{"id":1},"action":"A","run":"run-1","at":"1970-01-01T00:16:40.000Z"}`,
				`{"item":2,"index":1,"error":"HTTP 500: broken","response":null,"action":"A","run":"run-1","at":"1970-01-01T00:16:40.000Z"}`,
				`{"item":3,"index":2,"error":"modulo by zero: number 0.5 % number 0","response":null,"action":"A","run":"run-1","at":"1970-01-01T00:16:40.000Z"}`,
			},
		},
		{
			name:    "the queue directive does not tell of an earlier iteration's failure",
			answers: map[string][]string{"/1": {`500 broken`}},
			source: `action A {
    for n in [1, 2] {
      if n == 1 {
        get "/1"
        match response { 500 -> queue dead }
      }
      match n { _ -> queue dead }
    }
  }`,
			dead: []string{
				`{"item":1,"index":0,"error":"HTTP 500: broken","response":{"error":"broken","status":500},"action":"A","run":"run-1","at":"1970-01-01T00:16:40.000Z"}`,
				`{"item":2,"index":1,"error":null,"response":null,"action":"A","run":"run-1","at":"1970-01-01T00:16:40.000Z"}`,
			},
		},
		{
			name:    "skip, continue and retry in matches of a concurrent loop",
			answers: map[string][]string{"/1": {"503 busy", `{"ok":1}`}, "/2": {`{"ok":2}`}, "/3": {"404 none"}, "/4": {"503 busy"}},
			source: `action A {
    for n in [1, 2, 3, 4] concurrency 4 onError skip {
      get ` + "`/{n}`" + `
      match response {
        503 -> retry { maxAttempts: 2, delay: 0 },
        404 -> skip,
        { ok: 2 } -> { match n { 2 -> continue, _ -> abort "no" } store { id: "inner" } -> out },
        _ -> continue
      }
      store { id: n, r: response } -> out
    }
  }`,
			out:    []string{`{"id":"inner"}`, `{"id":1,"r":{"ok":1}}`, `{"id":2,"r":{"ok":2}}`},
			failed: []string{"skip 3 : HTTP 503: busy"},
			sorted: true,
		},
		{
			name:    "retry in an inner block repeats the request of the block around it",
			answers: map[string][]string{"/a": {`{"n":1}`, `{"n":2}`, `{"n":3}`}, "/b": {`{}`}},
			source: `action A {
    get "/b"
    get "/a"
    let n = response.n
    if n < 3 { if true { match n { _ -> retry { maxAttempts: 5, delay: 0 } } } }
    store { id: n } -> out
  }`,
			out:   []string{`{"id":3}`},
			asked: []string{"/b", "/a", "/a", "/a"},
		},
		{
			name:    "retry counts anew for each time that the request is come to",
			answers: map[string][]string{"/a": {"500 a", `1`, "500 b", `2`, "500 c", "500 d", "500 e"}},
			source: `action A {
    for n in [1, 2, 3] onError skip {
      get "/a"
      match response { 500 -> retry { maxAttempts: 2, delay: 0 }, _ -> continue }
      store { id: n, r: response } -> out
    }
  }`,
			out:    []string{`{"id":1,"r":1}`, `{"id":2,"r":2}`},
			failed: []string{"skip 2 : HTTP 500: d"},
		},
		{
			name:    "jump and then retry, in a loop, with an action that asks itself",
			answers: map[string][]string{"/token": {`{"t":1}`}, "/a": {"401 who", `{"id":5}`}, "/b": {"401 who", "401 still"}},
			source: `action Login { get "/token" store { id: "token" } -> out }
  action A {
    for path in ["/a", "/b"] onError skip {
      get path
      match response { 401 -> jump Login then retry, _ -> continue }
      store { id: path, r: response } -> out
    }
  }
  run A`,
			out:    []string{`{"id":"token"}`, `{"id":"/a","r":{"id":5}}`},
			failed: []string{"skip 1 : HTTP 401: still"},
			asked:  []string{"/a", "/token", "/a", "/b", "/token", "/b", "/token", "/b", "/token"},
		},
		{
			name:    "jump that goes on",
			answers: map[string][]string{"/a": {"500 x"}, "/b": {`{"b":1}`}},
			source: `action Fix { get "/b" }
  action A {
    get "/a"
    match response { _ -> jump Fix }
    store { id: 1, r: response } -> out
  }
  run A`,
			out: []string{`{"id":1,"r":{"b":1}}`},
		},
		{
			name:    "a failed request in an action that is run inside",
			answers: map[string][]string{"/a": {"500 x"}},
			source: `action B { for n in [1] onError skip { get "/a" } get "/a" }
  action A {
    for n in [1, 2] onError skip { run B }
    store { id: 1 } -> out
  }
  run A`,
			out:    []string{`{"id":1}`},
			failed: []string{"skip 0 : HTTP 500: x", "skip 0 : HTTP 500: x", "skip 0 : HTTP 500: x", "skip 1 : HTTP 500: x"},
		},
		{
			name: "validate with or, nested",
			source: `action A {
    for n in [1, 2, 3, 4] {
      validate n { assume n < 3, assume n != 2 : "two" } or {
        validate n { assume n < 4 } or { store { id: n, four: true } -> out, skip }
        store { id: n, or: true } -> out
        if n == 2 { skip }
      }
      store { id: n, end: true } -> dead
    }
  }`,
			out:  []string{`{"id":2,"or":true}`, `{"id":3,"or":true}`, `{"id":4,"four":true}`},
			dead: []string{`{"id":1,"end":true}`, `{"id":3,"end":true}`},
		},
		{
			name: "apply in loops, to one and to many, and its failures",
			source: `transform T { (x) where x.id > 0 -> Pos { id: .id, p: true }, (x) where x.id < 0 -> Neg { id: .id, p: false } }
  action A {
    for x in [{ id: 1 }, [{ id: 2 }, { id: -3 }], [{ id: 4 }, { id: 0 }], { id: 0 }, [], { id: 5 }] onError skip {
      apply T to x as y
      store y -> out
    }
  }`,
			out: []string{`{"id":1,"p":true}`, `{"id":2,"p":true}`, `{"id":-3,"p":false}`, `{"id":5,"p":true}`},
			failed: []string{
				`skip 2 : item 1 (id 0): transform T: no variant fits object {"id":0}`,
				`skip 3 0: transform T: no variant fits object {"id":0}`,
			},
		},
		{
			name:    "the value that a match looks at is worked out once and bound",
			answers: map[string][]string{"/a": {`{"k":"x","list":[1,2,3]}`}},
			source: `action A {
    get "/a"
    match response {
      { list: [first, ...rest], k: key } where length(rest) == 2 and .k == "x" -> {
        match rest { [a, b] -> { let sum = first + a + b store { id: key, sum: sum, n: length(response.list) } -> out } }
      },
      _ -> continue
    }
    match { response.k == "y" -> abort "y", response.list[0] == 1 -> store { id: "cond" } -> out, _ -> abort "none" }
  }`,
			out: []string{`{"id":"x","sum":6,"n":3}`, `{"id":"cond"}`},
		},
		{
			name: "item expressions in each other keep their own items and lists",
			source: `action A {
    let xs = [[1, 2], [3], []]
    store {
      id: 1,
      a: map(xs, map(., x => x * length(xs))),
      b: filter(xs, any(., . > 2) or length(filter(., . == 1)) == 1),
      c: reduce(xs, (acc, x) => acc + reduce(x, (a, y) => a + y, 0), 0),
      d: [...map(xs, sum(.)), ...[9], ...xs[0]],
      e: groupBy(flatten(xs), . % 2 == 0),
      f: sortBy([3, 1, 2], -(. + count(xs, length(.) > 0))),
      g: xs where (. where . > 1) == [2],
      h: find(xs, y => length([...y, ...map(y, x => x)]) == 2),
      i: max(map(xs, x => max(x))),
      j: map([1, 2], n => { n: n, m: map([n, n + 1], m => { n: n, m: m, s: [n, ...[m]] }) })
    } -> out
  }`,
			err: "",
			out: []string{`{"id":1,"a":[[3,6],[9],[]],"b":[[1,2],[3]],"c":6,"d":[3,3,0,9,1,2],"e":{"false":[1,3],"true":[2]},"f":[3,2,1],"g":[[1,2]],"h":[3],"i":3,"j":[{"n":1,"m":[{"n":1,"m":1,"s":[1,1]},{"n":1,"m":2,"s":[1,2]}]},{"n":2,"m":[{"n":2,"m":2,"s":[2,2]},{"n":2,"m":3,"s":[2,3]}]}]}`},
		},
	} {
		t.Run(test.name, test.run)
	}
}
