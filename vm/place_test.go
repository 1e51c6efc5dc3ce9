package vm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"reqon/vm"
	"reqon/vm/value"
)

// TestPlaces: an error names the place of what failed, which the § stands before
// here.
func TestPlaces(t *testing.T) {
	for _, body := range []string{
		"let x = 1 + §zero / zero",
		"let x = [1, 2,\n  §1 % zero]",
		"let x = map([1, 2], y => y + §y / zero)",
		"let x = [1, 2] where §. / zero > 1",
		"let x = if zero == 0 then §1 / zero else 2",
		"let x = `a {§1 / zero} b`",
		"let x = §substring(zero, 0, 1)",
		"let x = match zero { 0 => §1 / zero, _ => 2 }",
		"for a in [1] onError abort {\n  let x = §1 / zero\n}",
		"for a in [1] concurrency 2 onError abort {\n  let x = §1 / zero\n}",
		"for a in §zero { log `x` }",
		"for a in [1] where §1 / zero onError abort { log `x` }",
		"§get `/fails`",
		"get `/{§none}`",
		"get `/x/{§none}`",
		"§get none",
		"§get `/x` { maxPages: zero, paginate: page(p, 1) }",
		"get `/x` { params: { a: §1 / zero } }",
		"get `/x` { paginate: page(p, 1), until: §1 / zero }",
		"§store zero -> out",
		"§store [{ id: 1 }, 2] -> out",
		"store { id: 1 } -> out { key: §1 / zero }",
		"§store { id: { a: 1 } } -> out",
		"§match zero { 5 -> continue, 6 -> skip }",
		"§match { zero == 1 -> continue, zero == 2 -> continue }",
		"§validate zero { assume . == 5 }",
		"validate zero { assume §1 / . == 5 }",
		"§abort `x`",
		"apply §T to { id: zero }",
		"apply §T to [{ id: 1 }, { id: zero }]",
		"apply §U to { id: zero }",
		"apply W to { id: zero }",
		"delete out[§1 / zero]",
		"§delete out[none]",
		"run Inner",
		"if §1 / zero { log `x` }",
		"log `x` { a: §1 / zero }",
	} {
		inner := strings.Contains(body, "run Inner")
		rest := map[bool]string{true: "§1 / zero", false: "1"}[inner]
		own := map[bool]string{true: "§6 / .id", false: "6 / .id"}[strings.Contains(body, "apply W")]
		source := `mission M {
  param zero: any
  param none: any
  source API { base: "http://x" }
  store out: memory
  schema S { id: string }
  transform T { (x) where x.id > 0 -> P { id: 1 } }
  transform U: S -> R { id: 1 }
  transform W -> R { id: ` + own + ` }
  action Inner { let x = ` + rest + ` }
  action A {
    ` + body + `
  }
  run A
}`
		marked := source[:strings.LastIndex(source, "§")] // of several the last
		line := 1 + strings.Count(marked, "\n")
		marked = strings.ReplaceAll(marked[strings.LastIndex(marked, "\n")+1:], "§", "")
		if _, err := compile(strings.ReplaceAll(source, "§", "")); err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		w := newWorld()
		w.params = []value.Value{value.FromInt(0), value.NullValue}
		w.scripted(map[string][]string{"/x": {"[1]"}})
		err := w.run(t, strings.ReplaceAll(source, "§", ""))
		var e *vm.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: no place: %v", body, err)
			continue
		}
		if got, want := fmt.Sprintf("%d:%d", e.Line, e.Column), fmt.Sprintf("%d:%d", line, len(marked)+1); got != want {
			t.Errorf("%s:\n  is told of %s, expected %s: %v", body, got, want, err)
		}
		if wantAction := map[bool]string{true: "Inner", false: "A"}[inner]; e.Action != wantAction {
			t.Errorf("%s: is told of action %s", body, e.Action)
		}
	}
}
