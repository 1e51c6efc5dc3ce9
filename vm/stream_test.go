package vm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"reqon/vm"
)

// paged is a generated API with pages, and the part of a mission that reads it.
type paged struct {
	rnd   *rand.Rand
	kind  string   // of pagination
	form  string   // of a page: with its items in place of %s, and the next cursor of #
	pages []string // items of each
	step  string   // the step that takes the items
	fetch string
}

func (g *paged) pick(of ...string) string { return of[g.rnd.IntN(len(of))] }

// generate makes an API of up to six pages and a mission that stores what they
// hold.
func generate(seed uint64) *paged {
	g := &paged{rnd: rand.New(rand.NewPCG(seed, 7))}
	g.kind = g.pick("page", "offset", "cursor", "link")
	path := g.pick("", "items", "data.list", "a")
	g.form = map[string]string{
		"": `%s`, "items": `{"items":%s,"total":7,"next":#}`, "data.list": `{"data":{"x":1,"list":%s},"next":#}`, "a": `{"a":%s,"next":#}`,
	}[path]
	if path == "" && g.kind == "cursor" {
		path, g.form = "items", `{"items":%s,"next":#}`
	}
	id := 0
	for range 1 + g.rnd.IntN(6) {
		var items []string
		for range 1 + g.rnd.IntN(4) {
			id++
			items = append(items, fmt.Sprintf(`{"id":%d,"v":%d,"at":"2026-01-%02d"}`, id, g.rnd.IntN(5), 1+g.rnd.IntN(28)))
		}
		switch g.rnd.IntN(12) {
		case 0:
			g.pages = append(g.pages, "[]")
		case 1:
			g.pages = append(g.pages, "null")
		case 2:
			g.pages = append(g.pages, "nothing")
		default:
			g.pages = append(g.pages, "["+strings.Join(items, ",")+"]")
		}
	}
	named := ""
	if path != "" && (path == "data.list" || g.rnd.IntN(2) == 0) {
		named = fmt.Sprintf(`, "%s"`, path)
	}
	subject := "response"
	if path != "" && g.rnd.IntN(2) == 0 {
		subject += "." + path
	}
	paginate := map[string]string{
		"page": "page(page, 2" + named + ")", "offset": "offset(offset, 4" + named + ")",
		"cursor": `cursor(cursor, 2, "next"` + named + ")", "link": "link(" + strings.TrimPrefix(named, ", ") + ")",
	}[g.kind]
	options := []string{"paginate: " + paginate}
	switch g.rnd.IntN(4) {
	case 0:
		options = append(options, fmt.Sprintf("maxItems: %d", 1+g.rnd.IntN(id+2)))
	case 1:
		options = append(options, fmt.Sprintf("maxPages: %d", 1+g.rnd.IntN(len(g.pages)+1)))
	case 2:
		page := strings.TrimSuffix("response."+path, ".")
		options = append(options, fmt.Sprintf("until: any(%s, .id >= %d)", page, 1+g.rnd.IntN(id)))
	}
	switch g.rnd.IntN(3) {
	case 0:
		options = append(options, "since: lastSync")
	case 1:
		options = append(options, `updateFrom: "at"`)
	}
	// A request of each item, with answers of all kinds.
	const one = "get `/y/{x.id}` match response { 404 -> skip, 503 -> retry { maxAttempts: 2, delay: 0 }, { ok: ok } where ok > 1 -> { match ok { 2 -> continue, _ -> jump Note } store { id: `in {x.id}` } -> out }, 500 -> queue dead { item: { id: x.id } }, _ -> continue }"
	g.fetch = `get "/x" { ` + strings.Join(options, ", ") + " }"
	g.step = g.pick(
		"store "+subject+" -> out",
		"store "+subject+" -> out { key: .v, upsert: true }",
		"for x in "+subject+" { store x -> out { key: x.v } }",
		"for x in "+subject+" where .v > 1 { store { id: x.id, v: .v } -> out }",
		"for x in "+subject+" concurrency 3 onError skip { store { id: x.id, v: 6 / x.v } -> out }",
		"for x in "+subject+" onError queue dead { store { id: x.id, v: 6 / .v } -> out }",
		"for x in "+subject+" { for y in [1, 2] { store { id: x.id * 10 + y } -> out } }",
		"for x in "+subject+" { match x { { v: 0 } -> skip, _ -> continue } map x -> R { id: .id, w: .v + 1 } store R -> out }",
		"for x in "+subject+" concurrency 4 onError queue dead { "+one+" store { id: x.id, r: response } -> out }",
		"for x in "+subject+" onError skip { "+one+" store { id: x.id, r: response } -> out }",
		"for x in "+subject+" concurrency 2 { for y in [x, { id: x.id + 100, v: x.v }] onError skip { "+strings.ReplaceAll(one, "x.", "y.")+" store { id: y.id, r: response } -> out } }",
		"for x in "+subject+" { for y in [x.id, -x.id] concurrency 2 onError skip { if y < 0 { skip } store { id: y, v: 1 / x.v } -> out } }",
		"for x in "+subject+" concurrency 3 { apply T to x as y validate y { assume .w > 2, assume .id != 3 } or { store y -> dead, skip } store y -> out }",
		"for x in "+subject+" where x.v != 4 { run Note let y = x.v match y { n where n > 2 -> { apply T to [x, x] as ys store ys -> out { key: .w, partial: true } }, 0 -> skip, _ -> store x -> dead } }",
	)
	return g
}

// serve answers as the API does.
func (g *paged) serve(w *world) {
	page := func(i int) string {
		items, next := "[]", "null"
		if i < len(g.pages) {
			items = g.pages[i]
		}
		if i+1 < len(g.pages) {
			next = fmt.Sprintf(`"c%d"`, i+1)
		}
		form := g.form
		if items == "nothing" { // the page has no such field
			items = "null"
			for _, field := range []string{`"items":%s,`, `,"list":%s`, `"a":%s,`} {
				form = strings.Replace(form, field, "", 1)
			}
		}
		return strings.Replace(strings.Replace(form, "%s", items, 1), "#", next, 1)
	}
	var mu sync.Mutex
	tries := map[string]int{}
	var offsets []int64
	w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
		i := 0
		if n, _ := fmt.Sscanf(r.Path, "/y/%d", &i); n == 1 {
			mu.Lock()
			tries[r.Path]++
			try := tries[r.Path]
			mu.Unlock()
			switch i % 6 {
			case 0:
				return failure(404, "none")
			case 1, 2:
				if try < i%6*2 { // the second try will do, or is not enough
					return failure(503, "busy")
				}
			case 3:
				return failure(500, "broken")
			}
			return w.answer(1, fmt.Sprintf(`{"ok":%d}`, i%4))
		}
		switch g.kind {
		case "page":
			i = int(r.Param.Int()) - 1
		case "offset":
			// Its pages hold what they hold: the offsets are in the order of the pages.
			mu.Lock()
			if i = slices.Index(offsets, r.Param.Int()); i < 0 {
				i, offsets = len(offsets), append(offsets, r.Param.Int())
			}
			mu.Unlock()
		case "cursor":
			if !r.Param.IsNull() {
				fmt.Sscanf(r.Param.Str(), "c%d", &i)
			}
		case "link":
			fmt.Sscanf(r.Path, "/next/%d", &i)
		}
		reply := w.answer(int64(i+1), page(i))
		if g.kind == "link" && i+1 < len(g.pages) {
			reply.Next = fmt.Sprintf("/next/%d", i+1)
		}
		return reply
	}
}

// TestStreamedIsMerged: whether the pages of a fetch stream through the next
// step or are merged first can't be seen in what the mission does.
func TestStreamedIsMerged(t *testing.T) {
	streamed := 0
	for seed := range uint64(3000) {
		g := generate(seed)
		one, merged := g.run(t, ""), g.run(t, " log `{typeOf(response)}`")
		if merged.streams() {
			t.Fatalf("seed %d: merged pages stream: %s %s", seed, g.fetch, g.step)
		}
		if one.streams() {
			streamed++
		}
		same := one.err == merged.err
		if strings.Contains(g.step, "concurrency") { // which failure is the first is chance
			same = (one.err == "") == (merged.err == "")
		}
		for _, list := range [][2][]string{
			{one.w.records("out"), merged.w.records("out")}, {one.w.records("dead"), merged.w.records("dead")},
			{one.w.failed, merged.w.failed}, {one.w.early, merged.w.early}, {[]string{fmt.Sprint(one.w.positions())}, []string{fmt.Sprint(merged.w.positions())}},
		} {
			if strings.Contains(g.step, "concurrency") {
				slices.Sort(list[0])
				slices.Sort(list[1])
			}
			// Before a fetch fails, what has come has gone through.
			same = same && (one.err != "" || slices.Equal(list[0], list[1]))
		}
		if !same {
			t.Errorf("seed %d: %s\n%s\n%s\nstreamed: %s\nmerged: %s", seed, g.fetch, g.step, strings.Join(g.pages, "\n"), one, merged)
			if t.Failed() {
				return
			}
		}
	}
	if streamed < 3000 {
		t.Errorf("only %d missions stream", streamed)
	}
}

// outcome is what a mission has done.
type outcome struct {
	w   *world
	err string
}

func (o *outcome) streams() bool { return o.w.prog.Fetches[0].Stream }

func (o *outcome) String() string {
	return fmt.Sprintf("%q\n out %v\n dead %v\n failed %v\n early %v\n positions %v", o.err, o.w.records("out"), o.w.records("dead"), o.w.failed, o.w.early, o.w.positions())
}

func (g *paged) run(t *testing.T, after string) *outcome {
	t.Helper()
	o := &outcome{w: newWorld()}
	g.serve(o.w)
	err := o.w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  store dead: memory
  transform T -> R { id: .id, w: 6 / .v }
  action Note { log "note" }
  action A { `+g.fetch+` `+g.step+after+` }
  run A
}`)
	if err != nil {
		o.err = vm.Reason(err)
	}
	return o
}

// TestStreams: pages stream when the step behind the request is the response's
// only use, and not when anything else may see it.
func TestStreams(t *testing.T) {
	const fetch = `get "/x" { paginate: page(p, 10) } `
	const loop = `for x in response { store x -> out } `
	for _, test := range []struct {
		body string // of action A
		want bool   // for the first request with pages
	}{
		{fetch + loop, true},
		{fetch + `store response -> out`, true},
		{fetch + `store response.items -> out { key: .k }`, true},
		{fetch + `for x in .items { store x -> out }`, true},
		{`get "/x" { paginate: page(p, 10), until: length(response) < 5 } ` + loop, true},
		{fetch + loop + `get "/y" store response -> out`, true},
		{fetch + loop + `map { a: 1 } -> R store response -> out`, true},
		{fetch + loop + `let response2 = 1 log "{response2}"`, true},
		{fetch + "for x in response { get `/y/{x.id}` store response -> out }", true},
		{fetch + `for x in response where .a { validate x { assume .b } }`, true},
		{fetch + `for x in response { for y in x.ys { store y -> out } }`, true},
		{`for a in [1] { ` + fetch + loop + `}`, true},
		{`for a in [1] { ` + fetch + loop + `} get "/y" log "{response}"`, true},
		{`if env("X") { ` + fetch + loop + ` }`, true},
		{`get "/a" match response { 404 -> continue, _ -> { ` + fetch + loop + `skip } }`, true},
		{`get "/a" match response { 404 -> { ` + fetch + loop + `}, _ -> continue }`, true},
		{`get "/a" for a in response { ` + fetch + loop + `}`, true},
		{fetch + `for x in response { let y = x match y { { a: b } -> store { id: b } -> out, _ -> skip } }`, true},

		{fetch + `let all = response ` + loop, false},
		{fetch + loop + `log "{length(response)}"`, false},
		{fetch + loop + `store response -> out`, false},
		{fetch + loop + `if env("X") { get "/y" } log "{response}"`, false},
		{fetch + loop + `for y in [1] { get "/y" } log "{response}"`, false},
		{fetch + loop + `for y in [1] { log "{response}" }`, false},
		{fetch + loop + `for y in [1] { queue dead }`, false},
		{fetch + loop + `match env("X") { "1" -> abort response.message, _ -> continue }`, false},
		{fetch + loop + `validate { assume .a }`, false},
		{fetch + loop + `get "/y" { params: { after: response.last } }`, false},
		{fetch + loop + "get `/y/{response.last}`", false},
		{fetch + loop + `store . -> out`, false},
		{fetch + loop + `run Reads`, false},
		{fetch + `for x in response { log "{length(response)}" }`, false},
		{fetch + `for x in response { queue dead }`, false},
		{fetch + `for x in response { run Reads }`, false},
		{fetch + loop + `run Other`, true},
		{fetch + `for x in response { run Other }`, true},
		{fetch + `for x in response { match x.a { 1 -> jump Other, _ -> continue } }`, true},
		{fetch + `for x in response { queue dead { item: x } }`, true},
		{fetch + `for x in response { queue dead { item: response } }`, false},
		{fetch + `for x in response where x.id == response[0].id { store x -> out }`, false},
		{fetch + `for x in response concurrency length(response) { store x -> out }`, false},
		{fetch + `store response -> out { key: response[0].id }`, false},
		{fetch + `match response { _ -> continue } ` + loop, false},
		{fetch + `apply T to response`, false},
		{fetch + `for x in filter(response, .a) { store x -> out }`, false},
		{`if env("X") { ` + fetch + loop + ` } log "{response}"`, false},
		{`match env("X") { _ -> { ` + fetch + loop + ` } } log "{response}"`, false},
		{`validate { assume env("X") } or { ` + fetch + loop + ` } log "{response}"`, false},
	} {
		source := `mission M {
  source API { base: "http://x" }
  store out: memory
  store dead: memory
  transform T -> R { id: .id }
  action Other { log "other" }
  action A { ` + test.body + ` }
  run A
}`
		if strings.Contains(test.body, "Reads") {
			source = strings.Replace(source, "  run A", `  action Reads { log "{response}" } run A`, 1)
		}
		source = strings.ReplaceAll(source, `"{`, "`{")
		source = strings.ReplaceAll(source, `}"`, "}`")
		p, err := compile(source)
		if err != nil {
			t.Errorf("%s: %v", test.body, err)
			continue
		}
		for _, f := range p.Fetches {
			if f.PageParam != "" {
				if f.Stream != test.want {
					t.Errorf("%s: streams: %t", test.body, f.Stream)
				}
				break
			}
		}
	}
}

// TestStreamsInside: the pages of an action that others run inside of themselves
// are merged, since what its callers do with the response is theirs.
func TestStreamsInside(t *testing.T) {
	const body = `get "/x" { paginate: page(p, 10) } for x in response { store x -> out }`
	for _, test := range []struct {
		rest string
		want bool
	}{
		{`action B { log "b" } run A then B`, true},
		{`action B { get "/y" store response -> out } run A then B`, true},
		{`action B { log "b" } run B then A`, true},
		{`action B { store response -> out } run B then A`, false},
		{`action B { log "b" } run A then B if response.more`, false},
		{`action B { run A log "b" } run B`, false},
		{`action B { get "/y" match response { 404 -> jump A, _ -> continue } } run B`, false},
	} {
		p, err := compile("mission M { source API { base: \"http://x\" } store out: memory action A { " + body + " } " + test.rest + " }")
		if err != nil {
			if !strings.Contains(err.Error(), "response") { // where there can be none, the checker says so
				t.Errorf("%s: %v", test.rest, err)
			}
			continue
		}
		for _, f := range p.Fetches {
			if f.PageParam != "" && f.Stream != test.want {
				t.Errorf("%s: streams: %t", test.rest, f.Stream)
			}
		}
	}
}
