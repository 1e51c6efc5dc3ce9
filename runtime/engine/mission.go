package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"reqon/vm"
	"reqon/vm/backoff"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// Mission is a program that is linked and ready to run. Any number of its runs
// may go on at once.
type Mission struct {
	engine  *Engine
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

// Load links a program and evaluates the mission's options. The error is
// a *ConfigError.
func (e *Engine) Load(p *bytecode.Program) (*Mission, error) {
	machine, err := vm.Link(p, e.shapes, natives)
	if err != nil {
		return nil, configError("mission %s: %w", p.Mission, err)
	}
	m := &Mission{engine: e, prog: p, machine: machine}
	o, err := m.eval(p.Options, nil)
	if err != nil {
		return nil, configError("mission %s: %w", p.Mission, err)
	}
	d := decoder{m: m, what: "mission " + p.Mission, places: p.OptionPos, object: o}
	m.options = d.mission()
	if d.err != nil {
		return nil, &ConfigError{Err: d.err}
	}
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

// decoder reads an object of options, noting the first mistake with its place.
type decoder struct {
	m      *Mission
	what   string
	places []bytecode.OptionPos
	object value.Value
	err    error
}

// fail notes a mistake in an option.
func (d *decoder) fail(path string, err error) {
	if d.err == nil {
		d.err = fmt.Errorf("%s: option %s %w%s", d.what, path, err, d.m.placeOf(d.places, path))
	}
}

// placeOf returns " (file:line:column)" of an option.
func (m *Mission) placeOf(places []bytecode.OptionPos, path string) string {
	for _, p := range places {
		if p.Path == path {
			return " (" + m.position(p.Pos) + ")"
		}
	}
	return ""
}

// position returns a place as file:line:column, or "".
func (m *Mission) position(p bytecode.Pos) string {
	if p.Line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", m.prog.Files[p.File], p.Line, p.Column)
}

func (d *decoder) get(path string) value.Value {
	v := d.object
	start := 0
	for i := 0; i <= len(path); i++ {
		if i == len(path) || path[i] == '.' {
			v = value.Field(v, path[start:i])
			start = i + 1
		}
	}
	return v
}

func (d *decoder) time(path string, otherwise time.Duration) time.Duration {
	v := d.get(path)
	if v.IsNull() {
		return otherwise
	}
	t, err := value.Duration(v)
	if err != nil {
		d.fail(path, err)
	}
	return t
}

func (d *decoder) count(path string, least, otherwise int) int {
	v := d.get(path)
	if v.IsNull() {
		return otherwise
	}
	n, ok := value.AsInt(v)
	if !ok || n < int64(least) || n > math.MaxInt32 {
		d.fail(path, fmt.Errorf("must be a whole number of at least %d, found %s", least, value.Describe(v)))
		return otherwise
	}
	return int(n)
}

func (d *decoder) bool(path string, otherwise bool) bool {
	v := d.get(path)
	if v.IsNull() {
		return otherwise
	}
	if v.Kind() != value.Bool {
		d.fail(path, fmt.Errorf("must be true or false, found %s", value.Describe(v)))
		return otherwise
	}
	return v.Bool()
}

// word reads an option that takes one of a few words; "" without it.
func (d *decoder) word(path string, words ...string) string {
	v := d.get(path)
	if v.IsNull() {
		return ""
	}
	if v.Kind() != value.String || !slices.Contains(words, v.Str()) {
		d.fail(path, fmt.Errorf("must be one of %s, found %s", joinWords(words), value.Describe(v)))
		return ""
	}
	return v.Str()
}

func joinWords(words []string) string {
	text := ""
	for i, w := range words {
		if i > 0 {
			text += ", "
		}
		text += w
	}
	return text
}

// mission reads a mission's options.
func (d *decoder) mission() Options {
	o := Options{
		SkipIfRunning:  d.bool("skipIfRunning", true),
		MaxConcurrency: d.count("maxConcurrency", 1, 1),
		RunImmediately: d.bool("runImmediately", false),
		Jitter:         d.time("jitter", 0),
		Timeout:        d.time("timeout", 0),
		MaxParallel:    d.count("maxParallel", 1, 0),
		Retry:          d.retry(),
	}
	switch d.word("parallelMode", "wait", "fail-fast", "best-effort") {
	case "fail-fast":
		o.ParallelMode = vm.FailFast
	case "best-effort":
		o.ParallelMode = vm.BestEffort
	}
	switch v := d.get("catchUp"); {
	case v.IsNull(), v.Kind() == value.Bool && !v.Bool():
	case v.Kind() == value.Bool:
		o.CatchUp = CatchUpOne
	case v.Kind() == value.String && v.Str() == "all":
		o.CatchUp = CatchUpAll
	default:
		d.fail("catchUp", fmt.Errorf(`must be true, false or "all", found %s`, value.Describe(v)))
	}
	if v := d.get("timezone"); !v.IsNull() {
		zone, err := time.LoadLocation(value.Text(v))
		if err != nil || v.Kind() != value.String || v.Str() == "" {
			d.fail("timezone", fmt.Errorf("must be an IANA time zone such as Europe/Berlin, found %s", value.Describe(v)))
		}
		o.Timezone = zone
	}
	for _, name := range []string{"checkpoint", "trace"} {
		if err := notAvailable(bytecode.MissionOptionPart, name); err != nil && !d.get(name).IsNull() {
			d.fail(name, err)
		}
	}
	return o
}

// retry reads either form of a schedule's retry.
func (d *decoder) retry() *Retry {
	if !d.get("retry").IsNull() {
		v := d.get("retry.delaySeconds")
		wait := time.Duration(0)
		if !v.IsNull() {
			if !v.IsNumber() || value.Float64(v) < 0 || value.Float64(v) > 1e9 {
				d.fail("retry.delaySeconds", fmt.Errorf("must be a number of seconds, found %s", value.Describe(v)))
			} else {
				wait = time.Duration(value.Float64(v) * float64(time.Second))
			}
		}
		return &Retry{MaxAttempts: 1 + d.count("retry.maxRetries", 0, 3), Policy: backoff.Policy{Kind: backoff.Constant, Initial: wait}}
	}
	if d.get("retryOnFailure").IsNull() {
		return nil
	}
	p := backoff.Default()
	r := &Retry{MaxAttempts: d.count("retryOnFailure.maxAttempts", 1, 3), Policy: backoff.Policy{
		Kind:    backoff.Kind(cmp.Or(d.word("retryOnFailure.backoff", "exponential", "linear", "constant"), string(p.Kind))),
		Initial: d.time("retryOnFailure.initialDelay", p.Initial),
		Max:     d.time("retryOnFailure.maxDelay", p.Max),
	}}
	r.Fit(!d.get("retryOnFailure.initialDelay").IsNull(), !d.get("retryOnFailure.maxDelay").IsNull())
	return r
}
