package engine_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to read the saved positions

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/store/all"
	"reqon/runtime/telemetry"
	"reqon/testdata/lang/run/script"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// TestPrograms runs every program of testdata/lang/run.
func TestPrograms(t *testing.T) { runPrograms(t, false) }

// TestProgramsParanoid runs them with each task written down, dropped, and read
// again by a fresh machine at every step: the outcomes are the same, so
// a snapshot holds all that a task is.
func TestProgramsParanoid(t *testing.T) { runPrograms(t, true) }

func runPrograms(t *testing.T, paranoid bool) {
	files, err := filepath.Glob("../../testdata/lang/run/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			p, err := script.Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			server := p.Serve()
			defer server.Close()
			r := &runner{t: t, program: p, paranoid: paranoid, env: p.Env(server), dir: t.TempDir(), clock: &fakeClock{now: start}, records: map[string][]string{}, counts: map[string]int{}}
			r.run()
			o := r.outcome()
			for _, complaint := range p.Compare(o, server) {
				t.Error(complaint)
			}
			if t.Failed() {
				t.Logf("tests: %s\nreport:\n%s\nlog:\n%s", p.Comment, o.Report, strings.Join(o.Log, "\n"))
			}
		})
	}
}

var start = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)

// runner runs one program with the engine.
type runner struct {
	t        *testing.T
	program  *script.Program
	paranoid bool
	env      map[string]string
	dir      string // with the sources in src and the state in state
	clock    *fakeClock

	log     lockedBuffer
	status  string
	report  strings.Builder
	retries int
	counts  map[string]int
	records map[string][]string // by store, after the run
}

func (r *runner) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *runner) stateDir() string { return filepath.Join(r.dir, "state") }

// run compiles the program and runs its missions one after the other.
func (r *runner) run() {
	path, err := r.program.Write(filepath.Join(r.dir, "src"))
	r.must(err)
	compiled, err := compiler.Load(path)
	r.must(err)
	if compiled.Failed() {
		r.status = script.CompileError
		r.must(diag.Text(&r.report, compiled.Diagnostics, diag.TextOptions{}))
		for _, err := range compiled.Errors {
			fmt.Fprintln(&r.report, err)
		}
		return
	}
	r.status = script.Success
	r.before(compiled)
	e := r.engine()
	for _, m := range compiled.Missions {
		r.mission(e, m.File, m.Program)
	}
	r.must(e.Close())
}

func (r *runner) engine() *engine.Engine {
	redactor := &credentials.Redactor{}
	e, err := engine.New(engine.Config{
		Adapters: all.Adapters(),
		StateDir: r.stateDir(), Clock: r.clock, Redactor: redactor, Paranoid: r.paranoid,
		Env: func(name string) (string, bool) { v, ok := r.env[name]; return v, ok },
		Log: telemetry.New(telemetry.Options{Writer: &r.log, Level: telemetry.LevelDebug, Now: r.clock.Now, Location: time.UTC, Redact: redactor.Redact}),
	})
	r.must(err)
	return e
}

// before lays out the state that the run begins with.
func (r *runner) before(compiled *compiler.Result) {
	r.must(os.MkdirAll(r.stateDir(), 0o700))
	for target, text := range r.program.Stores {
		path := filepath.Join(r.stateDir(), filepath.FromSlash(target)+".json")
		r.must(os.MkdirAll(filepath.Dir(path), 0o700))
		r.must(os.WriteFile(path, []byte(text), 0o600))
	}
	if r.program.Positions == nil {
		return
	}
	db, err := state.Open(r.stateDir())
	r.must(err)
	earlier := start.Add(-24 * time.Hour)
	for _, m := range compiled.Missions {
		id, err := state.NewRunID(earlier)
		r.must(err)
		run := state.Run{ID: id, Mission: m.Name, Trigger: state.TriggerAdhoc, Start: earlier}
		r.must(db.BeginRun(&run))
		run.End, run.Status = earlier, state.StatusSuccess
		positions := &state.Positions{}
		for key, text := range r.program.Positions {
			positions.Save = append(positions.Save, state.Position{Key: key, Value: text})
		}
		r.must(db.FinishRun(&run, positions))
	}
	r.must(db.Close())
}

func (r *runner) mission(e *engine.Engine, file string, prog *bytecode.Program) {
	defer func() { // one broken program must not hide the others
		if p := recover(); p != nil {
			r.status = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	m, err := e.LoadFrom(file, prog)
	if err != nil {
		r.failed(err)
		return
	}
	report := m.Run(context.Background(), engine.RunOptions{Params: r.params(), Output: r.output})
	for _, a := range report.Actions {
		r.retries += int(a.Retries)
	}
	switch {
	case report.Err != nil:
		r.failed(report.Err)
	case report.Status != state.StatusSuccess && r.status == script.Success:
		r.status = string(report.Status)
	}
	text, err := json.Marshal(report.Counts)
	r.must(err)
	counts := map[string]int{}
	r.must(json.Unmarshal(text, &counts))
	for name, n := range counts {
		r.counts[name] += n
	}
	for _, e := range report.Errors {
		fmt.Fprintf(&r.report, "%s: %s: %s", e.Action, e.Place, e.Message)
		if e.Index != nil {
			fmt.Fprintf(&r.report, " (index %d, id %s)", *e.Index, e.ID)
		}
		r.report.WriteByte('\n')
	}
}

func (r *runner) failed(err error) {
	r.status = script.Failure
	var config *engine.ConfigError
	if errors.As(err, &config) {
		r.status = script.ConfigError
	}
	fmt.Fprintln(&r.report, err)
}

// params reads the options --param name=value.
func (r *runner) params() map[string]string {
	params := map[string]string{}
	for i, f := range r.program.Flags {
		if i%2 == 0 {
			if f != "--param" {
				r.t.Fatalf("the option %s is not for this test", f)
			}
			continue
		}
		name, v, _ := strings.Cut(f, "=")
		params[name] = v
	}
	return params
}

func (r *runner) output(ctx context.Context, out *engine.Output) error {
	for _, s := range out.Stores {
		records := []string{}
		if err := s.Each(ctx, func(v value.Value) error {
			records = append(records, string(value.AppendJSON(nil, v)))
			return nil
		}); err != nil {
			return err
		}
		r.records[s.Name] = records
	}
	return nil
}

func (r *runner) outcome() *script.Outcome {
	o := &script.Outcome{
		Status: r.status, Report: r.report.String(), Log: strings.Split(r.log.String(), "\n"), Retries: r.retries, Counts: r.counts,
		Records: func(store string) ([]string, error) {
			records, ok := r.records[store]
			if !ok {
				return nil, errors.New("there is no such store")
			}
			return records, nil
		},
	}
	if r.program.WantPositions != nil {
		o.Positions = r.positions()
	}
	return o
}

// positions reads all saved positions; the entry without a key is the mission's
// last run.
func (r *runner) positions() map[string]string {
	db, err := sql.Open("sqlite", filepath.Join(r.stateDir(), "reqon.db"))
	r.must(err)
	defer db.Close()
	rows, err := db.Query("SELECT key, value FROM positions WHERE key <> ''")
	r.must(err)
	defer rows.Close()
	positions := map[string]string{}
	for rows.Next() {
		var key, v string
		r.must(rows.Scan(&key, &v))
		positions[key] = v
	}
	r.must(rows.Err())
	return positions
}

// fakeClock moves only when somebody waits, and then at once.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return nil
}

// lockedBuffer is a buffer that several may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
