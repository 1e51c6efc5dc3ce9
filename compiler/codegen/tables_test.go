package codegen_test

import (
	"fmt"
	"testing"

	"reqon/compiler/codegen"
	"reqon/compiler/syntax"
)

// TestTables: what a program says of itself, so that who runs it need not read
// its code.
func TestTables(t *testing.T) {
	const src = `mission M {
  source API { base: env("BASE") }
  store plain: file("a")
  store chosen: file("b")
  store letters: file("c")
  store failed: file("d")
  store idle: file("e")
  action A {
    get "/x"
    match response { 500 -> queue letters, 501 -> queue chosen { item: response }, _ -> continue }
    for x in response onError queue failed { store x -> plain { key: uuid() } }
    pause { duration: 1h }
    store { id: uuid(), at: now() } -> undeclared
    pause { duration: 2h }
  }
}`
	tree, errs := syntax.Parse(syntax.NewFile("m.reqon", []byte(src)))
	if len(errs) > 0 {
		t.Fatal(errs[0])
	}
	p, err := codegen.Generate(tree.Missions[0], tree.Loose)
	if err != nil {
		t.Fatal(err)
	}
	filled := ""
	for _, s := range p.Stores {
		filled += fmt.Sprintf("%s %v, ", s.Name, s.Filled)
	}
	if want := "plain true, chosen true, letters false, failed false, idle false, undeclared true, "; filled != want {
		t.Errorf("filled: got %s want %s", filled, want)
	}
	uses := ""
	for _, u := range p.Uses {
		uses += fmt.Sprintf("%s %d:%d, ", u.Name, u.Pos.Line, u.Pos.Column)
	}
	if want := "uuid 11:70, pause 12:5, now 13:29, env 2:22, "; uses != want {
		t.Errorf("uses: got %s want %s", uses, want)
	}
}
