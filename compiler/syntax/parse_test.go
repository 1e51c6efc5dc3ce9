package syntax

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const everything = `// a comment
mission SyncOrders {
  schedule: every 15 minutes { skipIfRunning: true, retry: { maxRetries: 2, delaySeconds: 5 } }
  timeout: 30m
  parallelMode: "fail-fast"
  param region: string = "eu"
  param limit: int | null
  param tags: array<string>= []

  source API { auth: bearer, base: env("API_BASE", "https://api.example.com") }
  source Spec from "./openapi.yaml" {
    headers: { "X-Region": region }
    rateLimit: { requestsPerMinute: 60, strategy: pause }
  }
  store orders: file("orders")
  store cache: memory { keep: 1_000, ttl: 30d }
  store big: if env("DB", "") == "pg" then postgres("orders") else sqlite("orders.db") { ttl: 1.5h }
  schema Order {
    id: string
    total: number, note: string?
    status: "open" | "closed" | null
    lines: [ { sku: string, n: int } ]
    tags: array<string | int>?
    ...Base
    "odd-key": -1 | true,
  }
  transform ToRow: Order -> Row { id: .id, cents: round(.total * 100), ...extra }
  transform Plain -> Row { id: .id }
  transform Many {
    (Order) where .total > 10 -> Row { id: .id },
    ([Order]) -> Row { n: length(.) }
    (_) { raw: . }
  }
  action Sync {
    get "/customers/{id}/orders/{name | urlEncode()}" { since: lastSync, paginate: page(page, 100), until: length(response) == 0 }
    get API "/plain" , post Spec url { body: { a: 1 } }
    put API .next
    patch API (base + "/x")
    get ` + "`/t/{a}/{`in {b} {{x}}`}`" + `
    delete "/x/{id}"
    delete orders["k"]
    clear orders
    call Spec.listOrders { params: { a: null, if: 1, in: 2, ...rest } }
    call Spec."list-orders"
    let x = response.items where .status == "open" and not (.total is null)
    for o in x where .total > 1 concurrency 4 onError queue dead {
      map o -> Row { id: .id, total: .price * .quantity ?? 0, name: .name or "Unknown" }
      store . -> orders { key: .id, upsert: true }
    }
    for o in orders onError abort {}
    map { a: 1 } -> Thing
    map { a: 1 } -> Thing { b: .a }
    apply ToRow to response as rows
    validate rows { assume .id != null : "no id", assume length(.lines) > 0, warn .total >= 0 } or { skip }
    validate { assume a }
    match response {
      404 -> skip
      [Order] where length(response) > 3 -> { store response -> orders, continue }
      [] -> continue,
      [a, ...rest] -> log "x"
      { id, error: e, code: 500 } -> { store response -> errors, abort response.message }
      -1 -> abort
      "x" -> abort "msg"
      Order -> retry { maxAttempts: 5, delay: 2s }
      [b] -> queue dead
      { x: _ } -> jump Login then retry
      n where n > 5 -> jump Login
      null -> run Other
      _ -> queue dead { item: response, key: .id }
    }
    match {
      x > 5 -> skip
      .y -> skip
      -x > 3 -> abort "a" + .b
      .z > 1 -> skip
      contains(x, "a") -> abort y
      contains(x, "b") -> skip
      _ -> skip
    }
    if a and b { skip } else if c { abort } else { log warn "w" { a: 1 } }
    run Other
    wait { path: "/hook", timeout: 5m }
    pause { duration: 5m, resumeOn: webhook "/path" }
    let y = match x { "a" => 1, n where n > 5 => 2, -1 => 5, _ => 3 }
    let z = match {
      a => b
      [1] contains b => c
      _ => d
    }
    let f = filter(orders, o => o.total > 10).map(.x) | sum((a, b) => a + b) | first()
    let t = a ? b : c ? d : if e then f else g
    let g = [1, ...rest, -x.y[0], items[-1]["k"].z, "a\n\"é", 'it\'s' ]
  }
  run Sync then [B, C] then D if x > 1
}
action Loose { }
schema L { }
transform T2 { }
`

func TestEverything(t *testing.T) {
	tree := parse(t, everything)
	checkPrinted(t, tree)
	m := tree.Missions[0]
	got := []int{len(m.Options), len(m.Params), len(m.Sources), len(m.Stores), len(m.Schemas), len(m.Transforms), len(m.Actions)}
	want := []int{2, 3, 2, 3, 1, 3, 1}
	if !slices.Equal(got, want) || m.Schedule == nil || m.Run == nil {
		t.Errorf("the mission has %v, want %v", got, want)
	}
	if len(m.Items) != 2+3+2+3+1+3+1+2 {
		t.Errorf("the mission has %d items", len(m.Items))
	}
	if len(tree.Loose) != 3 || len(tree.Comments) != 1 || tree.Comments[0].Text != "// a comment" {
		t.Errorf("the file has %d loose declarations, comments %v", len(tree.Loose), tree.Comments)
	}
}

// The missions of the language's own tests are written and read again.
func TestPrintReadsBack(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/lang/run/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no missions to read: %v", err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, mission := range missionsIn(string(src)) {
			if tree, errs := Parse(NewFile(path, []byte(mission))); len(errs) == 0 {
				checkPrinted(t, tree)
			}
		}
	}
}

func TestFiles(t *testing.T) {
	for _, src := range []string{"", "\n", "// only a comment", "/* a\n b */", "\xef\xbb\xbf"} {
		if tree := parse(t, src); len(tree.Missions)+len(tree.Loose) != 0 {
			t.Errorf("%q has declarations", src)
		}
	}
	tree := parse(t, "mission A { }\nschema S { }\nmission B { }")
	if len(tree.Missions) != 2 || len(tree.Loose) != 1 {
		t.Errorf("%d missions, %d loose", len(tree.Missions), len(tree.Loose))
	}
	var kinds []string
	Walk(tree, func(n Node) bool { kinds = append(kinds, fmt.Sprintf("%T", n)); return true })
	want := "*syntax.SourceTree *syntax.Mission *syntax.Ident *syntax.Schema *syntax.Ident *syntax.ObjectType *syntax.Mission *syntax.Ident"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("nodes are %s", got)
	}
}

func TestComments(t *testing.T) {
	src := "// a\r\nmission M { // b\n  /* c\n d */ timeout /* e */ : 5m//f\n  run A /**/ then B\n}\n//"
	var got []string
	for _, c := range parse(t, src).Comments {
		got = append(got, c.Text)
		if c.Span.Text() != c.Text {
			t.Errorf("%q has the place of %q", c.Text, c.Span.Text())
		}
	}
	want := []string{"// a", "// b", "/* c\n d */", "/* e */", "//f", "/**/", "//"}
	if !slices.Equal(got, want) {
		t.Errorf("comments are %q", got)
	}
}

func TestSchedules(t *testing.T) {
	cases := []struct {
		src   string
		kind  ScheduleKind
		count int64
		unit  string
		text  string
	}{
		{"every 15 minutes", ScheduleEvery, 15, "minutes", ""},
		{"every 1 second", ScheduleEvery, 1, "second", ""},
		{"every 1_000 hours { jitter: 5s }", ScheduleEvery, 1000, "hours", ""},
		{"every 2 days", ScheduleEvery, 2, "days", ""},
		{"every 1 week", ScheduleEvery, 1, "week", ""},
		{`cron "0 9 * * *"`, ScheduleCron, 0, "", "0 9 * * *"},
		{`cron("@hourly") { timezone: "UTC" }`, ScheduleCron, 0, "", "@hourly"},
		{`at '2026-01-20 09:00 UTC'`, ScheduleAt, 0, "", "2026-01-20 09:00 UTC"},
	}
	for _, c := range cases {
		s := parse(t, "mission M { schedule: "+c.src+"\n run A }").Missions[0].Schedule
		unit, text := "", ""
		if s.Unit != nil {
			unit = s.Unit.Name
		}
		if s.Text != nil {
			text = s.Text.Value
		}
		if s.Kind != c.kind || s.Count != c.count || unit != c.unit || text != c.text || (s.Options != nil) != strings.Contains(c.src, "{") {
			t.Errorf("%s was read as %+v", c.src, s)
		}
	}
}

func TestTypes(t *testing.T) {
	cases := []struct{ src, want string }{
		{"string", "string"}, {"array", "array"}, {"array<int>", "array<int>"}, {"[int]", "array<int>"},
		{"array<array<[A]>>", "array<array<array<A>>>"}, {`"a" | 'b' | null`, `"a" | "b" | null`},
		{"1 | -2 | true", "1 | -2 | true"}, {"{ a: int?, ...B, \"c d\": any }", `{ a: int?, ...B, "c d": any }`},
		{"[{ a: int }] | null", "array<{ a: int }> | null"}, {"A\n | B", "A | B"},
	}
	for _, c := range cases {
		tree := parse(t, "schema S { x: "+c.src+"\n y: int? }")
		f := tree.Loose[0].(*Schema).Body.Fields
		if len(f) != 2 || TypeString(f[0].Type) != c.want || f[0].Optional || !f[1].Optional {
			t.Errorf("%s was read as %s", c.src, TypeString(f[0].Type))
		}
	}
}

func TestPatterns(t *testing.T) {
	cases := []struct{ src, want string }{
		{"_", "*Wildcard _"}, {"404", "*Literal 404"}, {"-1", "*Literal -1"}, {`"a"`, `*Literal "a"`}, {"null", "*Literal null"},
		{"true", "*Literal true"}, {"30s", "*Literal 30s"}, {"Order", "*Schema Order"}, {"[Order]", "*Schema [Order]"}, {"order", "*Bind order"},
		{"_x", "*Bind _x"}, {"[]", "*Array []"}, {"[a, b]", "*Array [a, b]"}, {"[a, ...rest]", "*Array [a, ...rest]"},
		{"[...all,]", "*Array [...all]"}, {"[A, B]", "*Array [A, B]"}, {"[[A]]", "*Array [[A]]"}, {"{}", "*Object {}"},
		{"{ a: 1, b: [_], c }", "*Object { a: 1, b: [_], c: c }"}, {"{ a\n b: B\n _\n \"c d\": null }", `*Object { a: a, b: B, _: _, "c d": null }`},
		{"{ store\n delete\n action }", "*Object { store: store, delete: delete, action: action }"},
	}
	for _, c := range cases {
		m := parseExpr(t, "match x { "+c.src+" => 1 }").(*MatchExpr)
		p := m.Arms[0].Pattern
		got := strings.TrimSuffix(strings.Replace(fmt.Sprintf("%T", p), "syntax.", "", 1), "Pattern") + " " + PatternString(p)
		if got != c.want {
			t.Errorf("%s was read as %s, want %s", c.src, got, c.want)
		}
	}
}

// Which word is the source of a request, the level of a log step, a message.
func TestSteps(t *testing.T) {
	cases := []struct{ src, want string }{
		{`get "/x"`, `FETCH GET - "/x"`},
		{`post API "/x" {}`, `FETCH POST API "/x" {}`},
		{"put api `/x`", "FETCH PUT api T(/x; )"},
		{"patch url", "FETCH PATCH - url"},
		{"get API url", "FETCH GET API url"},
		{"get API next.url", "FETCH GET API next.url"},
		{"get API .url", "FETCH GET API @.url"},
		{"get page.url", "FETCH GET - page.url"},
		{"get .url", "FETCH GET - @.url"},
		{"get url(x)", "FETCH GET - url(x)"},
		{"get API (x)", "FETCH GET API x"},
		{"get base + \"/x\"", `FETCH GET - (base + "/x")`},
		{"get a ?? b", "FETCH GET - (a ?? b)"},
		{"get urls[0]", "FETCH GET - urls[0]"},
		{"get url\nskip", "FETCH GET - url; DIR skip"},
		{"get url skip", "FETCH GET - url; DIR skip"},
		{`get "/x", get "/y"`, `FETCH GET - "/x"; FETCH GET - "/y"`},
		{"get if a then b else c", "FETCH GET - (a ? b : c)"},
		{`call API.op { a: 1 }`, "CALL API op {1}"},
		{`call API."list-x"`, "CALL API list-x"},
		{`delete "/x"`, `FETCH DELETE - "/x"`},
		{`delete API "/x"`, `FETCH DELETE API "/x"`},
		{`delete orders["k"]`, `DELETE orders "k"`},
		{`delete orders[.id]`, `DELETE orders @.id`},
		{`delete urls[0] {}`, "FETCH DELETE - urls[0] {}"},
		{`delete urls[0].x`, "FETCH DELETE - urls[0].x"},
		{`delete url`, "FETCH DELETE - url"},
		{"clear orders", "CLEAR orders"},
		{`log "x"`, `LOG - "x"`},
		{`log warn "x" { a: 1 }`, `LOG warn "x" {a: 1}`},
		{"log warn", "LOG - warn"},
		{"log error.message", "LOG - error.message"},
		{"log error .message", "LOG error @.message"},
		{"log warn msg", "LOG warn msg"},
		{"log msg\nskip", "LOG - msg; DIR skip"},
		{"log error + \"x\"", `LOG - (error + "x")`},
		{"log error { a: 1 }", "LOG - error {a: 1}"},
		{"abort\nstore a -> b", "DIR abort; STORE a b"},
		{"abort response.message", "DIR abort response.message"},
		{"skip", "DIR skip"},
		{"abort, skip", "DIR abort; DIR skip"},
		{"retry", "DIR retry"},
		{"retry { delay: 2s }", "DIR retry {1}"},
		{"queue dead", "DIR queue dead"},
		{"queue dead { item: . }", "DIR queue dead {1}"},
		{"jump A", "DIR jump A"},
		{"jump A then retry", "DIR jump A then retry"},
		{"jump A then continue\ncontinue", "DIR jump A then continue; DIR continue"},
		{"store { a: 1 } -> health", "STORE {a: 1} health"},
		{"store . -> queue {}", "STORE @ queue {}"},
		{"map x -> Y { a: .b }", "MAP x Y {a: @.b}"},
		{"map { a: 1 } -> Y", "MAP - Y {a: 1}"},
		{"map { a: 1 } -> Y { b: 2 }", "MAP {a: 1} Y {b: 2}"},
		{"apply T to xs where .a as ys", "APPLY T (xs where @.a) ys"},
		{"apply T to x", "APPLY T x -"},
		{"run A\nrun B", "RUN A; RUN B"},
		{"let x = a\nmatch x { _ -> skip }", "LET x a; MATCH x"},
		{"let x = a\nif b { skip }", "LET x a; IF b"},
		{"for x in xs where .a or .b concurrency 2 onError queue q {}", "FOR x xs where (@.a or @.b) concurrency 2 queue q"},
		{"for x in xs onError skip concurrency n + 1 {}", "FOR x xs where - concurrency (n + 1) skip -"},
		{"for x in if a then b else c where d {}", "FOR x (a ? b : c) where d concurrency - - -"},
		{"for x in (xs where .a) {}", "FOR x (xs where @.a) where - concurrency - - -"},
		{"pause { duration: 5m, resumeOn: webhook \"/p\" }", `PAUSE 5m webhook("/p")`},
		{"pause { resumeOn: timeout }", "PAUSE timeout"},
	}
	for _, c := range cases {
		steps := parseSteps(t, c.src)
		var got []string
		for _, s := range steps {
			got = append(got, describeStep(s))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s was read as %s, want %s", c.src, strings.Join(got, "; "), c.want)
		}
	}
}

// describeStep writes what a step was read as.
func describeStep(s Step) string {
	parts := []string{}
	add := func(x any) {
		switch x := x.(type) {
		case string:
			parts = append(parts, x)
		case *Ident:
			if x == nil {
				parts = append(parts, "-")
			} else {
				parts = append(parts, x.Name)
			}
		case *Options:
			if x == nil {
			} else if len(x.Entries) == 0 {
				parts = append(parts, "{}")
			} else {
				parts = append(parts, fmt.Sprintf("{%d}", len(x.Entries)))
			}
		case *ObjectExpr:
			if x != nil {
				parts = append(parts, full(x))
			}
		case Expr:
			parts = append(parts, full(x))
		case nil:
			parts = append(parts, "-")
		}
	}
	switch s := s.(type) {
	case *FetchStep:
		if s.Operation != nil {
			add("CALL")
			add(s.Source)
			add(s.Operation)
		} else {
			add("FETCH " + s.Method)
			add(s.Source)
			add(s.Path)
		}
		add(s.Options)
	case *DeleteStep:
		add("DELETE")
		add(s.Store)
		add(s.Key)
	case *ClearStep:
		add("CLEAR")
		add(s.Store)
	case *CheckpointStep:
		add("CHECKPOINT")
	case *ResetStep:
		add("RESET")
		add(s.What)
	case *LogStep:
		add("LOG")
		add(s.Level)
		add(s.Message)
		add(s.Fields)
	case *StoreStep:
		add("STORE")
		add(s.Value)
		add(s.Store)
		add(s.Options)
	case *MapStep:
		add("MAP")
		add(s.Source)
		add(s.Name)
		add(s.Body)
	case *ApplyStep:
		add("APPLY")
		add(s.Transform)
		add(s.To)
		add(s.As)
	case *RunStep:
		add("RUN")
		add(s.Action)
	case *LetStep:
		add("LET")
		add(s.Name)
		add(s.Value)
	case *MatchStep:
		add("MATCH")
		add(s.Subject)
	case *IfStep:
		add("IF")
		add(s.Cond)
	case *ForStep:
		add("FOR")
		add(s.Var)
		add(s.In)
		add("where")
		add(s.Where)
		add("concurrency")
		add(s.Concurrency)
		add(s.OnError)
		add(s.Queue)
	case *PauseStep:
		add("PAUSE")
		for _, o := range s.Options.Entries {
			add(o.Value)
		}
	case *DirectiveStep:
		add("DIR " + s.Kind.String())
		if s.Target != nil {
			add(s.Target)
		}
		if s.Then != nil {
			add("then " + s.Then.Name)
		}
		if s.Message != nil {
			add(s.Message)
		}
		add(s.Options)
	}
	return strings.Join(parts, " ")
}

// Arms go by lines: what starts a line and has an arrow on it is the next arm.
func TestStepArms(t *testing.T) {
	steps := parseSteps(t, `match response {
  404 -> skip
  [Order] -> abort
  -1 -> abort "a"
  [a] -> abort a
    .b
  { error: e } -> retry
  { id } -> queue dead
  { x: 1 } -> get "/x"
  { y: 1 } -> store . -> s
  { z: 1 } -> { log "x" }
  n where n > 5 -> if n { skip } else { abort }
  "x" -> log msg
  Order -> continue
  _ -> store response -> errors
}`)
	m := steps[0].(*MatchStep)
	var got []string
	for _, a := range m.Arms {
		got = append(got, PatternString(a.Pattern)+" "+describeStep(a.Body.Steps[0]))
	}
	want := []string{"404 DIR skip", "[Order] DIR abort", `-1 DIR abort "a"`, "[a] DIR abort a.b", "{ error: e } DIR retry",
		"{ id: id } DIR queue dead", `{ x: 1 } FETCH GET - "/x"`, "{ y: 1 } STORE @ s", `{ z: 1 } LOG - "x"`, "n IF n",
		`"x" LOG - msg`, "Order DIR continue", "_ STORE response errors"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A tree's places follow the source: each node lies within the one it belongs
// to, and no node comes before the one that Walk visits before it.
func TestWalkFollowsTheSource(t *testing.T) {
	tree := parse(t, everything)
	last := int32(0)
	seen := map[string]bool{}
	var below func(n Node)
	below = func(n Node) {
		seen[fmt.Sprintf("%T", n)] = true
		at := n.Place()
		if at.Start < last {
			t.Errorf("%T %q comes after offset %d", n, at.Text(), last)
		}
		last = at.Start
		Walk(n, func(c Node) bool {
			if c == n {
				return true
			}
			if in := c.Place(); in.Start < at.Start || in.End > at.End || in.Start == in.End {
				t.Errorf("%T %q is not within %T %q", c, in.Text(), n, at.Text())
			}
			below(c)
			return false
		})
	}
	below(tree)
	for _, n := range []Node{&Option{}, &Schedule{}, &Variant{}, &Stage{}, &FieldType{}, &ObjectEntry{}, &ArrayElem{}, &MatchArm{},
		&FieldPattern{}, &Block{}, &Rule{}, &StepArm{}, &DirectiveStep{}, &PauseStep{}, &UnionType{}, &LambdaExpr{}, &TemplateLit{}} {
		if !seen[fmt.Sprintf("%T", n)] {
			t.Errorf("no %T was visited", n)
		}
	}
	count := 0
	Walk(tree, func(n Node) bool { count++; _, mission := n.(*Mission); return !mission })
	if count >= 20 {
		t.Errorf("%d nodes were visited, those below a mission too", count)
	}
}

func TestEqual(t *testing.T) {
	a, b := parse(t, "action A { skip }"), parse(t, "// c\naction A {\n  skip }")
	if !Equal(a, b) {
		t.Error("trees that differ in places and comments alone are unequal")
	}
	for _, src := range []string{"action B { skip }", "action A { abort }", "action A { skip skip }", "action A {}"} {
		if Equal(a, parse(t, src)) {
			t.Errorf("%s is equal to another tree", src)
		}
	}
	if Equal(a, nil) || !Equal(nil, nil) {
		t.Error("nil is equal to a tree, or not to nil")
	}
}

// 500 levels are fine, of anything; 501 are one error.
func TestNesting(t *testing.T) {
	repeat := strings.Repeat
	cases := []struct {
		name string
		src  func(n int) string
		base int // levels around it
	}{
		{"parentheses", func(n int) string { return repeat("(", n) + "a" + repeat(")", n) }, 0},
		{"arrays", func(n int) string { return repeat("[", n) + repeat("]", n) }, 0},
		{"objects", func(n int) string { return repeat("{ a: ", n) + "1" + repeat(" }", n) }, 0},
		{"calls", func(n int) string { return repeat("f(", n) + "a" + repeat(")", n) }, 0},
		{"indexes", func(n int) string { return repeat("a[", n) + "a" + repeat("]", n) }, 0},
		{"minus signs", func(n int) string { return repeat("-", n) + "a" }, 0},
		{"not", func(n int) string { return repeat("not ", n) + "a" }, 0},
		{"conditions", func(n int) string { return repeat("if a then b else ", n) + "c" }, 0},
		{"? :", func(n int) string { return repeat("a ? b : ", n) + "c" }, 0},
		{"sums", func(n int) string { return "a" + repeat(" + a", n) }, 0},
		{"fields", func(n int) string { return "a" + repeat(".b", n) }, 0},
		{"pipes", func(n int) string { return "a" + repeat(" | f()", n) }, 0},
		{"methods", func(n int) string { return "a" + repeat(".f()", n) }, 0},
		{"filters", func(n int) string { return "a" + repeat(" where b", n) }, 0},
		{"matches", func(n int) string { return repeat("match { _ => ", n) + "a" + repeat(" }", n) }, 0},
		{"templates", func(n int) string { return repeat("`{", n) + "a" + repeat("}`", n) }, 0},
	}
	for _, c := range cases {
		parseExpr(t, c.src(500))
		for _, n := range []int{501, 20_000} {
			_, errs := ParseExpr(NewFile("t", []byte(c.src(n))))
			if len(errs) != 1 || errs[0].Code != CodeTooDeep {
				t.Errorf("%d %s: %v", n, c.name, errs)
			}
		}
	}
	// A mission, an action and the like are levels too.
	blocks := []struct {
		name string
		src  func(n int) string
	}{
		{"ifs", func(n int) string { return "action A {" + repeat("if a {", n-1) + repeat("}", n-1) + "}" }},
		{"loops", func(n int) string { return "action A {" + repeat("for x in y {", n-1) + repeat("}", n-1) + "}" }},
		{"else-ifs", func(n int) string { return "action A { if a { " + repeat("} else if b { ", n-2) + "} }" }},
		{"types", func(n int) string { return "schema S { a: " + repeat("[", n-1) + "int" + repeat("]", n-1) + " }" }},
		{"object types", func(n int) string { return "schema S " + repeat("{ a: ", n-1) + "{}" + repeat(" }", n-1) }},
		{"generic types", func(n int) string { return "schema S { a: " + repeat("array<", n-1) + "int" + repeat(">", n-1) + " }" }},
		{"patterns", func(n int) string {
			return "action A { match x { " + repeat("[", n-2) + repeat("]", n-2) + " -> skip } }"
		}},
		{"object patterns", func(n int) string {
			return "action A { match x { " + repeat("{a: ", n-2) + "_" + repeat("}", n-2) + " -> skip } }"
		}},
		{"options", func(n int) string { return "mission M { a: " + repeat("{ b: ", n-1) + "1" + repeat(" }", n-1) + " }" }},
	}
	for _, c := range blocks {
		checkPrinted(t, parse(t, c.src(500)))
		for _, n := range []int{501, 20_000} {
			_, errs := Parse(NewFile("t", []byte(c.src(n))))
			if len(errs) != 1 || errs[0].Code != CodeTooDeep {
				t.Errorf("%d %s: %v", n, c.name, errs)
			}
		}
	}
	// Nesting on both sides adds up: no path through the tree is longer.
	both := repeat("(", 250) + "a" + repeat(" + b)", 250)
	if _, errs := ParseExpr(NewFile("t", []byte(both))); len(errs) != 0 {
		t.Errorf("250 sums in parentheses: %v", errs)
	}
	if _, errs := ParseExpr(NewFile("t", []byte("("+both+")"))); len(errs) != 1 || errs[0].Code != CodeTooDeep {
		t.Errorf("251 parentheses and 250 sums: %v", errs)
	}
}

// Long runs of anything are read in time that grows with their length alone.
func TestRepetition(t *testing.T) {
	units := strings.Split("(\x00[\x00{\x00{a:\x00a.\x00a|f()|\x00if a then \x00not \x00-\x00!\x00`{\x00`\x00match {\x00match x {\x00a where \x00x => \x00f(x => \x00"+
		"if a {\x00if a {} else \x00array<\x00a\n.b => \x00run A then \x00a ? b : \x00a ? \x00a=\x00a<\x00...\x00..\x00\\\x00\"\x00'\x00/*\x00}\x00)\x00]\x00,\x00:\x00a: b \x00"+
		"mission M {\x00action A {\x00match x { _ -> \x00match x { {a:\x00transform T { (\x00(a,\x00get \"/{\x00get \"{a}{\"\n\x00let x = \n\x00#\x00;\x00é\x00\xff\x00{ a b\n\x00a)(\x00"+
		"match { a => b\n\x00a => b\n-\x00schedule: every\n\x00\"\\u\x00stor x -> {\n", "\x00")
	for _, unit := range units {
		for _, before := range []string{"", "mission M {\n", "mission M { action A {\n", "mission M { action A {\n let x = ", "mission M { schema S { a: "} {
			f := NewFile("t", []byte(before+strings.Repeat(unit, 20_000/len(unit))))
			tree, errs := Parse(f)
			checkPlaces(t, f, tree, errs)
		}
	}
}
