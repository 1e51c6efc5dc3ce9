package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/runtime/engine"
	"reqon/vm/bytecode"
	"reqon/vm/option"
)

// TestUnavailable requires of everything that is not available that the checker
// warns of it at its place, and that a run refuses it as a matter of
// configuration.
func TestUnavailable(t *testing.T) {
	const api = `source API { base: "http://127.0.0.1:1" } `
	steps := map[bytecode.Part]map[string]string{
		bytecode.StepPart: {
			"call":  `source API from "./openapi.yaml" { base: "http://127.0.0.1:1" } action A { call API.list }`,
			"wait":  `action A { wait { path: "/hook" } }`,
			"pause": `action A { pause { duration: 1h } }`,
		},
		bytecode.FunctionPart: {"webhookUrl": `action A { log webhookUrl("/hook") }`},
		bytecode.SourcePart:   {"from": `source API from "./openapi.yaml" { base: "http://127.0.0.1:1" } action A { get "/x" }`},
	}
	for _, u := range bytecode.AllUnavailable() {
		t.Run(u.Name, func(t *testing.T) {
			body := steps[u.Part][u.Name]
			if u.Part == bytecode.AdapterPart {
				body = api + `store s: if env("X") == "1" then memory else ` + u.Name + `("x") action A { get "/x" store response -> s }`
			}
			named := u.Name
			if named == "call" {
				named = bytecode.OpenAPI // the source's `from` tells, once for all its calls
			}
			refused(t, body, named)
		})
	}
	options := map[string]string{
		"checkpoint":        `checkpoint: afterStep action A { log "x" }`,
		"trace":             `trace: full action A { log "x" }`,
		"proxy":             `source API { base: "http://127.0.0.1:1", proxy: "http://127.0.0.1:1" } action A { get "/x" }`,
		"validateResponses": `source API { base: "http://127.0.0.1:1", validateResponses: true } action A { get "/x" }`,
		"validationMode":    `source API { base: "http://127.0.0.1:1", validationMode: warn } action A { get "/x" }`,
		"specAuth":          `source API { base: "http://127.0.0.1:1", specAuth: true } action A { get "/x" }`,
		"tls":               `source API { base: "http://127.0.0.1:1", tls: { ca: "ca.pem" } } action A { get "/x" }`,
	}
	for _, set := range option.Places {
		for spec := range set.All {
			if spec.NotYet != "" {
				t.Run(spec.Name, func(t *testing.T) { refused(t, options[spec.Name], spec.Name) })
			}
		}
	}
}

// refused requires that the checker warns of what is named in a mission's body,
// and that a run refuses it.
func refused(t *testing.T, body, named string) {
	if body == "" {
		t.Fatalf("no mission uses %s", named)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "m.reqon")
	if err := os.WriteFile(path, []byte("mission M {\n"+body+"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Load(path)
	if err != nil || compiled.Failed() {
		t.Fatalf("does not compile: %v %v", err, compiled.Diagnostics)
	}
	if !slices.ContainsFunc(compiled.Diagnostics, func(d diag.Diagnostic) bool {
		return d.Code == diag.CodeNotAvailable && strings.Contains(d.Message, "`"+named+"`")
	}) {
		t.Errorf("the checker does not warn: %v", compiled.Diagnostics)
	}
	e, err := engine.New(engine.Config{StateDir: filepath.Join(dir, "state"), Env: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := e.Load(compiled.Missions[0].Program)
	if err == nil {
		err = m.Run(context.Background(), engine.RunOptions{}).Err
	}
	var config *engine.ConfigError
	if !errors.As(err, &config) || !strings.Contains(err.Error(), "not available") || !strings.Contains(err.Error(), "m.reqon:2:") {
		t.Errorf("the run ends with %v, want a configuration error with its place", err)
	}
}
