package vm_test

import (
	"strings"
	"testing"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// expression runs `store { id: 1, v: e } -> out` and gives the record.
func expression(t *testing.T, e string) (string, error) {
	t.Helper()
	w := newWorld()
	err := w.run(t, "mission M {\n  store out: memory\n  action A {\n    store { id: 1, v: "+e+" } -> out\n  }\n}")
	return strings.Join(w.records("out"), ""), err
}

// TestNestingHasAnEnd: a value that nests deeper than the stack of Go could
// bear, which ends the process, can't be made.
func TestNestingHasAnEnd(t *testing.T) {
	for _, test := range []string{
		"length(toJSON(reduce(range(3000000), (a, x) => [a], 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => { a: a }, 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => { ...null, a: a }, 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => { ...{ b: a }, b: a }, 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => [...[a]], 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => map([a], y => [y]), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => chunk([a], 1), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => keyBy([{ a: a }], 1), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => groupBy([a], 1), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => zip([a], [a]), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => fromEntries([[\"a\", a]]), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => entries({ a: a }), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => toArray({ a: a }), 0)))",
		"length(toJSON(reduce(range(3000000), (a, x) => match { _ => [a] }, 0)))",
	} {
		_, err := expression(t, test)
		wantError(t, err, "the value nests too deep")
	}
}

// TestNestingWithinReason: what is as deep as that still works in full.
func TestNestingWithinReason(t *testing.T) {
	for _, test := range []struct{ e, want string }{
		{"length(toJSON(reduce(range(2000), (a, x) => [a], 0)))", `{"id":1,"v":4001}`},
		{"reduce(range(1999), (a, x) => [a], 0) == reduce(range(1999), (a, x) => [a], 0)", `{"id":1,"v":true}`},
		{"length(unique([reduce(range(1999), (a, x) => [a], 0), 1, reduce(range(1999), (a, x) => [a], 0)]))", `{"id":1,"v":2}`},
		{"length(flatten(parseJSON(toJSON(reduce(range(500), (a, x) => [a], 0)))))", `{"id":1,"v":1}`},
		{"length(deepMerge(reduce(range(1999), (a, x) => { a: a }, 0), reduce(range(1999), (a, x) => { a: a }, 0)))", `{"id":1,"v":1}`},
		{"length(`{reduce(range(1000), (a, x) => { a: a }, 0)}`)", `{"id":1,"v":6001}`},
	} {
		got, err := expression(t, test.e)
		wantError(t, err, "")
		if got != test.want {
			t.Errorf("%s: %s, expected %s", test.e, got, test.want)
		}
	}
}

// TestSizesHaveAnEnd: what doubles and doubles fails before memory does.
func TestSizesHaveAnEnd(t *testing.T) {
	skipParanoid(t)
	if testing.Short() {
		t.Skip("one task that computes for long: nothing for the race detector")
	}
	for _, test := range []struct{ e, want string }{
		{`length(reduce(range(60), (a, x) => a + a, "text"))`, "longer than 64 MiB"},
		{"length(reduce(range(60), (a, x) => `{a}{a}`, \"text\"))", "longer than 64 MiB"},
		{`length(reduce(range(60), (a, x) => a + [a], "text"))`, "longer than 64 MiB"},
		{`length(reduce(range(60), (a, x) => concat(a, a), "text"))`, "longer than 64 MiB"},
		{"length(reduce(range(60), (a, x) => [...a, ...a], [1]))", "longer than 10000000 elements"},
		{"length(reduce(range(60), (a, x) => concat(a, a), [1]))", "concat: the result is longer than 10000000 elements"},
		{"length(reduce(range(60), (a, x) => flatten([a, a]), [1]))", "flatten: the result is longer than 10000000 elements"},
		{"length(reduce(range(60), (a, x) => flatMap([a, a], y => y), [1]))", "flatMap: the result is longer than 10000000 elements"},
		{"length(flatten(reduce(range(60), (a, x) => [a, a], []), 100))", "flatten: the result is longer than 10000000 elements"},
		{"length(zip(range(9000000), [1], [2], [3]))", "zip: the result is longer than 10000000 elements"},
		{`length(split(repeat("x", 20000000), ""))`, "split: the result is longer than 10000000 elements"},
		{`length(split(repeat("x", 20000000), "x"))`, "split: the result is longer than 10000000 elements"},
	} {
		_, err := expression(t, test.e)
		wantError(t, err, test.want)
	}
}

// TestSharedValues: a value that holds another one twice, level by level, is
// small, and would be a terabyte if it were written. Whatever walks through it
// says so before long.
func TestSharedValues(t *testing.T) {
	skipParanoid(t)
	if testing.Short() {
		t.Skip("one task that computes for long: nothing for the race detector")
	}
	const array = "reduce(range(40), (a, x) => [a, a], [])"
	const object = "reduce(range(40), (a, x) => { b: a, c: a }, {})"
	for _, shared := range []string{array, object} {
		for _, test := range []struct{ e, want string }{
			{"length(toJSON(%))", "toJSON: the result is longer than 64 MiB"},
			{"length(toJSON(%, 2))", "toJSON: the result is longer than 64 MiB"},
			{"length(toString(%))", "toString: the result is longer than 64 MiB"},
			{"length(`{%}`)", "longer than 64 MiB"},
			{`length("" + %)`, "longer than 64 MiB"},
			{`length(concat("", %))`, "concat: the result is longer than 64 MiB"},
			{`length(join([%], ""))`, "join: the result is longer than 64 MiB"},
			{`length(format("{}", %))`, "format: the result is longer than 64 MiB"},
			{"%", "the record at index 0 has more than 128 MiB when it is written"},
		} {
			_, err := expression(t, strings.ReplaceAll(test.e, "%", shared))
			wantError(t, err, test.want)
		}
	}
	for _, test := range []struct{ e, want string }{
		{array + " == " + array, "comparing takes more than 100,000,000 steps"},
		{array + " in [" + array + "]", "comparing takes more than 100,000,000 steps"},
		{"length(unique([" + array + ", 1]))", "unique: the values to tell apart have more than 1024 MiB"},
		{"length(groupBy([1], " + array + "))", "groupBy: the values to tell apart have more than 1024 MiB"},
		{array + ".x", `the field "x" of an array of arrays has more than 10000000 elements`},
		{`get(` + array + `, "x")`, `get: the field "x" of an array of arrays has more than 10000000 elements`},
		{"length(deepMerge(" + object + ", " + object + "))", "deepMerge: the result has more than 10000000 fields"},
	} {
		_, err := expression(t, test.e)
		wantError(t, err, test.want)
	}
	for _, step := range []string{`log "x" { a: all }`, `abort all`, `validate { assume 1 == 2 : all }`, `get "/x" { body: all }`, `queue out { item: all }`} {
		w := newWorld()
		err := w.run(t, "mission M {\n  source API { auth: none, base: \"http://a.test\" }\n  store out: memory\n  action A {\n    let all = "+object+"\n    "+step+"\n  }\n}")
		wantError(t, err, "more than 128 MiB")
	}
	w := newWorld()
	err := w.run(t, "mission M {\n  schema T { b: T?, c: T? }\n  store out: memory\n  action A {\n    let all = "+object+"\n    store { id: 1, is: all is T } -> out\n  }\n}")
	wantError(t, err, "")
	want(t, "out", w.records("out"), `{"id":1,"is":true}`)
}

// TestTypesInReasonableTime: schemas whose alternatives lead to each other look
// at every value once, not once for every way that leads there.
func TestTypesInReasonableTime(t *testing.T) {
	w := newWorld()
	deep := strings.Repeat(`{"next":`, 200) + "null" + strings.Repeat("}", 200)
	good := strings.Repeat(`{"y":"","next":`, 200) + "null" + strings.Repeat("}", 200)
	wide := "[" + strings.Repeat(deep+","+good+",", 50) + "null]"
	for _, text := range []string{deep, good, wide} {
		v, err := value.ParseJSON(w.shapes, text)
		if err != nil {
			t.Fatal(err)
		}
		w.params = append(w.params, v)
	}
	err := w.run(t, `mission M {
  param deep: any
  param good: any
  param wide: any
  schema A { next: A | B | null, x: string }
  schema B { next: A | B | null, y: string }
  store out: memory
  action Do {
    store { id: 1, a: deep is A, b: deep is B, c: good is A, d: good is B, e: count(wide, . is A or . is B) } -> out
    validate good { assume . is A }
  }
}`)
	wantError(t, err, "`. is A` does not hold")
	want(t, "out", w.records("out"), `{"id":1,"a":false,"b":false,"c":false,"d":true,"e":50}`)
}

// TestMinOfMin: min and max of two arguments tell by the first whether the second
// is a value or an item expression, also one inside of the other.
func TestMinOfMin(t *testing.T) {
	for _, test := range []struct{ e, want string }{
		{"min(3, 2)", "2"},
		{"min(3, min(2, 1))", "1"},
		{"max(min(5, 4), min(3, max(1, 2)))", "4"},
		{"min([5, 3], . * 2)", "6"},
		{"min([5, 3], min(., 4))", "3"},
		{"min([5, 3], max(., 4))", "4"},
		{"max([[1, 2], [3]], max(., -.))", "-1"},
		{"map([{ a: 1, b: 5, c: 3 }, { a: 9, b: 2, c: 4 }], max(.a, min(.b, .c)))", "[3,9]"},
		{"map([{ xs: [1, 2], k: 10 }], x => max(x.xs, max(., 2) + x.k))", "[12]"},
		{"sum([[1, 2], [3, 4]], max(., max(., 0)))", "6"},
		{"min(null, min(2, 1))", "1"},
		{"min([], min(., 1))", "null"},
	} {
		got, err := expression(t, test.e)
		wantError(t, err, "")
		if want := `{"id":1,"v":` + test.want + `}`; got != want {
			t.Errorf("%s: %s, expected %s", test.e, got, want)
		}
	}
	deep := "1"
	for range 100 {
		deep = "min(2, " + deep + ")"
	}
	p, err := compile("mission M { param n: number = " + deep + " store out: memory action A { store { id: n } -> out } }")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(bytecode.Encode(p)); n > 50_000 {
		t.Errorf("100 calls take %d bytes", n)
	}
}
