package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/runtime/state"
)

// TestDueTime: a run that the schedule asks for takes its due time and is
// recorded together, also where it can't be prepared; and nobody runs a due time
// a second time.
func TestDueTime(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "m.reqon")
	if err := os.WriteFile(src, []byte(`mission M {
  param name: string
  store seen: memory
  action A { store { id: name } -> seen }
}`), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(engine.Config{StateDir: filepath.Join(dir, "state"), Env: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	compiled, err := compiler.Load(src)
	if err != nil || compiled.Failed() {
		t.Fatal(err, compiled)
	}
	m, err := e.Load(compiled.Missions[0].Program)
	if err != nil {
		t.Fatal(err)
	}
	due := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	rule := state.ClaimAny
	run := func(due time.Time, params map[string]string) (rep *engine.Report, started int) {
		rep = m.Run(context.Background(), engine.RunOptions{
			Params: params, Trigger: state.TriggerSchedule, Due: due, Claim: &rule, Started: func() { started++ },
		})
		return rep, started
	}

	rep, started := run(due, map[string]string{"name": "x"})
	if rep.Err != nil || !rep.Begun || started != 1 || rep.Status != state.StatusSuccess {
		t.Errorf("first run: %+v, started %d times", rep, started)
	}
	rep, started = run(due, map[string]string{"name": "x"})
	if rep.Err != nil || rep.Begun || started != 0 {
		t.Errorf("the same due time again: %+v, started %d times", rep, started)
	}
	later := due.Add(time.Hour)
	rep, started = run(later, nil)
	var config *engine.ConfigError
	if !errors.As(rep.Err, &config) {
		t.Fatalf("without its parameter: %v", rep.Err)
	}
	if !rep.Begun || started != 1 || rep.Status != state.StatusFailure {
		t.Errorf("without its parameter: %+v, started %d times", rep, started)
	}
	if rep, _ = run(later, map[string]string{"name": "x"}); rep.Begun {
		t.Error("the due time of the run that could not be prepared was given out again")
	}
	runs, err := e.DB().Runs(state.Filter{})
	if err != nil || len(runs) != 2 {
		t.Fatalf("recorded: %+v, %v", runs, err)
	}
	if r := runs[0]; r.Status != state.StatusFailure || !r.Due.Equal(later) || r.Error != config.Error() {
		t.Errorf("the record of the run that could not be prepared: %+v", r)
	}
}
