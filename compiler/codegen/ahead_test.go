package codegen_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reqon/compiler"
	"reqon/vm/bytecode"
)

// TestAhead holds for which requests the next page is asked for while the
// current one is worked on.
func TestAhead(t *testing.T) {
	for _, tt := range []struct {
		request, body string
		want          bool
	}{
		{`get "/x" { paginate: page(page, 10) }`, `store x -> out`, true},
		{`get "/x" { paginate: offset(offset, 10), params: { limit: 10, at: offset } }`, `store x -> out`, true},
		{`get "/x" { paginate: cursor(after, 10, "next"), since: lastSync }`, `store x -> out`, true},
		{`get "/x" { paginate: link() }`, `store x -> out`, true},
		{`post "/x" { paginate: page(page, 10) }`, `store x -> out`, false},
		{`get "/x" { paginate: page(page, 10), params: { left: 12 / (3 - page) } }`, `store x -> out`, false},
		{`get "/x" { paginate: page(page, 10), params: { n: length(out) } }`, `store x -> out`, false},
		{`get "/x" { paginate: page(page, 10), params: { at: now() } }`, `store x -> out`, false},
		{`get "/x" { paginate: page(page, 10), maxItems: 5 }`, `store x -> out`, false},
		{`get "/x" { paginate: page(page, 10) }`, `if x.id == 3 { abort "three" } store x -> out`, false},
	} {
		name := filepath.Join(t.TempDir(), "m.reqon")
		source := "mission M {\n  source API { base: \"http://x\" }\n  store out: memory\n  action A {\n    " +
			tt.request + "\n    for x in response {\n      " + strings.ReplaceAll(tt.body, "} store", "}\n      store") + "\n    }\n  }\n}\n"
		if err := os.WriteFile(name, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := compiler.Load(name)
		if err != nil || r.Failed() {
			t.Fatalf("%s: %v %v", tt.request, err, r.Diagnostics)
		}
		var out bytes.Buffer
		if err := bytecode.Disassemble(&out, r.Missions[0].Program); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), " Ahead "); got != tt.want {
			t.Errorf("%s with %s: asked for ahead is %t, want %t", tt.request, tt.body, got, tt.want)
		}
	}
}
