package engine

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"reqon/vm"
	"reqon/vm/backoff"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// Mission is a program that is linked and ready to run. Any number of its runs
// may go on at once.
type Mission struct {
	engine  *Engine
	folder  string // where relative paths of stores begin
	prog    *bytecode.Program
	machine *vm.Machine
	options Options
}

// Options are a mission's own options (language definition, section 5),
// evaluated when it is loaded.
type Options struct {
	Timezone       *time.Location // nil: the system's
	SkipIfRunning  bool
	MaxConcurrency int
	RunImmediately bool
	Jitter         time.Duration
	CatchUp        CatchUp
	Timeout        time.Duration // of a run; 0: none
	Retry          *Retry        // nil: none
	ParallelMode   vm.ParallelMode
	MaxParallel    int // 0: no bound
}

// CatchUp is what happens to cron times that were missed.
type CatchUp uint8

// The values of catchUp.
const (
	CatchUpNone CatchUp = iota
	CatchUpOne
	CatchUpAll
)

// Retry is how failed runs are repeated.
type Retry struct {
	MaxAttempts    int // runs, the first included
	backoff.Policy     // without jitter
}

// Load is LoadFrom of a program that was read from no file: relative paths begin
// at the working folder.
func (e *Engine) Load(p *bytecode.Program) (*Mission, error) { return e.LoadFrom("", p) }

// LoadFrom links a program and evaluates the mission's options. file is the one
// that the program was read from, a source or an artifact: relative paths of its
// stores begin in its folder. The error is a *ConfigError.
func (e *Engine) LoadFrom(file string, p *bytecode.Program) (*Mission, error) {
	machine, err := vm.Link(p, e.shapes, natives)
	if err != nil {
		return nil, configError("mission %s: %w", p.Mission, err)
	}
	if e.cfg.Paranoid {
		machine = machine.Paranoid()
	}
	m := &Mission{engine: e, folder: filepath.Dir(file), prog: p, machine: machine}
	o, err := m.eval(p.Options, nil)
	if err != nil {
		return nil, configError("mission %s: %w", p.Mission, err)
	}
	values, err := m.decode(option.InMission, o, p.OptionPos)
	if err != nil {
		return nil, configError("mission %s: %w", p.Mission, err)
	}
	m.options = missionOptions(values)
	e.loadedMu.Lock()
	defer e.loadedMu.Unlock()
	e.loaded[m] = nil
	return m, nil
}

// Name returns the mission's name.
func (m *Mission) Name() string { return m.prog.Mission }

// Program returns the mission's program.
func (m *Mission) Program() *bytecode.Program { return m.prog }

// Options returns the mission's options.
func (m *Mission) Options() Options { return m.options }

// eval evaluates a function of options. params are those of a run, nil before
// there is one.
func (m *Mission) eval(fn int, r *run) (value.Value, error) {
	if fn == bytecode.None {
		return value.NullValue, nil
	}
	if r == nil {
		r = &run{engine: m.engine, mission: m}
	}
	return m.machine.Eval(context.Background(), r, fn)
}

// decode reads the options of a place. The error names the place in the source
// of the one that it is about.
func (m *Mission) decode(p option.Place, v value.Value, places []bytecode.OptionPos) (*option.Values, error) {
	values, err := option.At(p).Decode(v)
	if err != nil {
		return nil, m.located(err, places)
	}
	return values, nil
}

// located adds the place in the source to an error about an option.
func (m *Mission) located(err error, places []bytecode.OptionPos) error {
	var wrong *option.Error
	if errors.As(err, &wrong) {
		return fmt.Errorf("%w%s", err, m.placeOf(places, wrong.Path))
	}
	return err
}

// placeOf returns " (file:line:column)" of an option, or of the block around it
// where it was not written out.
func (m *Mission) placeOf(places []bytecode.OptionPos, path string) string {
	for path != "" {
		for _, p := range places {
			if p.Path == path {
				return " (" + m.where(p.Pos) + ")"
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return ""
}

// where returns a place as file:line:column, or "".
func (m *Mission) where(p bytecode.Pos) string {
	if p.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", m.prog.Files[p.File], p.Line, p.Column)
}

// missionOptions reads a mission's options.
func missionOptions(o *option.Values) Options {
	out := Options{
		Timezone:       o.Zone("timezone"),
		SkipIfRunning:  o.Bool("skipIfRunning"),
		MaxConcurrency: o.Int("maxConcurrency"),
		RunImmediately: o.Bool("runImmediately"),
		Jitter:         o.Duration("jitter"),
		Timeout:        o.Duration("timeout"),
		MaxParallel:    o.Int("maxParallel"),
		Retry:          missionRetry(o),
	}
	switch o.Text("parallelMode") {
	case "fail-fast":
		out.ParallelMode = vm.FailFast
	case "best-effort":
		out.ParallelMode = vm.BestEffort
	}
	switch o.Text("catchUp") {
	case "true":
		out.CatchUp = CatchUpOne
	case "all":
		out.CatchUp = CatchUpAll
	}
	return out
}

// missionRetry reads either form of a schedule's retry.
func missionRetry(o *option.Values) *Retry {
	switch {
	case o.Given("retry"):
		retry := o.Block("retry")
		return &Retry{MaxAttempts: 1 + retry.Int("maxRetries"), Policy: backoff.Policy{Kind: backoff.Constant, Initial: retry.Duration("delaySeconds")}}
	case o.Given("retryOnFailure"):
		retry := o.Block("retryOnFailure")
		return &Retry{MaxAttempts: retry.Int("maxAttempts"), Policy: backoff.Of(retry)}
	}
	return nil
}
