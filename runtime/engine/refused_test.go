package engine_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"reqon/compiler"
	"reqon/runtime/engine"
)

// TestRefusedBeforeTheFirstRequest: a step that this version does not carry out
// is refused before anything is requested or stored, and not when a run comes to
// it.
func TestRefusedBeforeTheFirstRequest(t *testing.T) {
	for name, step := range map[string]string{
		"wait":       `wait { path: "/hook" }`,
		"pause":      `if response.a == 1 { pause { duration: 1h } }`,
		"webhookUrl": `for x in [1] { log webhookUrl("/hook") }`,
	} {
		var requests atomic.Int32
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"id": "1"}`))
		}))
		dir := t.TempDir()
		path := filepath.Join(dir, "m.reqon")
		source := "mission M {\nsource API { auth: none, base: \"" + api.URL + "\" }\naction A {\nget \"/x\"\nstore response -> s\n" + step + "\n}\n}\n"
		if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		compiled, err := compiler.Load(path)
		if err != nil || compiled.Failed() {
			t.Fatalf("%s does not compile: %v %v", name, err, compiled.Diagnostics)
		}
		e, err := engine.New(engine.Config{StateDir: filepath.Join(dir, "state")})
		if err != nil {
			t.Fatal(err)
		}
		m, err := e.Load(compiled.Missions[0].Program)
		if err != nil {
			t.Fatal(err)
		}
		var config *engine.ConfigError
		if err := m.Ready(nil); !errors.As(err, &config) {
			t.Errorf("%s: Ready gives %v", name, err)
		}
		err = m.Run(context.Background(), engine.RunOptions{}).Err
		if !errors.As(err, &config) || !strings.Contains(err.Error(), "`"+name+"` is not available") || !strings.Contains(err.Error(), "m.reqon:6:") {
			t.Errorf("%s: the run ends with %v", name, err)
		}
		if n := requests.Load(); n > 0 {
			t.Errorf("%s: %d requests were sent before it", name, n)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		api.Close()
	}
}
