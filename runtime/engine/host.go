package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"strings"
	"time"

	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

var _ vm.Host = (*run)(nil)

// Log writes a log step.
func (r *run) Log(level bytecode.Level, text string, fields value.Value, at vm.At) {
	var list []telemetry.Field
	if fields.Kind() == value.Object {
		o := fields.Obj()
		for i, v := range o.Slots() {
			if v.Kind() == value.String {
				list = append(list, telemetry.String(o.Shape().Key(i), v.Str()))
			} else {
				list = append(list, telemetry.JSON(o.Shape().Key(i), string(value.AppendJSON(nil, v))))
			}
		}
	}
	levels := [...]telemetry.Level{telemetry.LevelDebug, telemetry.LevelInfo, telemetry.LevelWarn, telemetry.LevelError}
	r.log.Log(levels[level], text, append(list, r.place(at)...)...)
}

// ItemFailed logs and counts a failed item of a loop. It counts as failed for
// the store that it would have gone to.
func (r *run) ItemFailed(policy bytecode.Policy, f *vm.ItemFailure) {
	if r.opts.DryRun && r.sent.Load() {
		return // it lacks an answer; dryError says so
	}
	if f.Store != bytecode.None {
		r.stores[f.Store].failed.Add(1)
	}
	r.opts.Progress.Failures.Add(1)
	r.countItem(policy)
	if policy == bytecode.PolicyAbort {
		r.engine.cfg.Metrics.Failed(r.mission.Name(), 1)
		return // the run's error tells it
	}
	r.engine.cfg.Metrics.Failed(r.mission.Name(), 1)
	e := runError(f.Err)
	fields := []telemetry.Field{telemetry.Int("index", f.Index)}
	if !f.ID.IsNull() {
		e.ID = strings.Clone(value.Text(f.ID)) // the report must not hold the page until the run ends
		fields = append(fields, telemetry.String("id", e.ID))
	}
	if e.Action != "" {
		fields = append(fields, telemetry.String("action", e.Action))
	}
	if e.Place != "" {
		fields = append(fields, telemetry.String("at", e.Place))
	}
	index := f.Index
	e.Index = &index
	switch policy {
	case bytecode.PolicyContinue:
		r.note(e)
		r.log.Error("Item failed: "+e.Message, fields...)
	case bytecode.PolicyQueue:
		r.log.Warn("Item failed and was queued: "+e.Message, fields...)
	default:
		r.log.Warn("Item failed and was skipped: "+e.Message, fields...)
	}
}

// ActionStarted and ActionDone log an action's course.
func (r *run) ActionStarted(action int) {
	r.log.Debug("Action started", telemetry.String("action", r.mission.prog.Actions[action].Name))
}

// ActionDone logs that an action has ended.
func (r *run) ActionDone(action int, err error) {
	name := telemetry.String("action", r.mission.prog.Actions[action].Name)
	if err != nil {
		r.log.Debug("Action failed", name, telemetry.Err(err))
		return
	}
	r.log.Debug("Action completed", name)
}

// Sleep waits. A dry run does not.
func (r *run) Sleep(ctx context.Context, d time.Duration) error {
	if r.opts.DryRun {
		return nil
	}
	return r.engine.cfg.Clock.Sleep(ctx, d)
}

// Wait and Pause are for a later version.
func (r *run) Wait(_ context.Context, _ value.Value, at vm.At) (value.Value, error) {
	return value.NullValue, r.refuse(bytecode.StepPart, "wait", at)
}

// Pause is for a later version.
func (r *run) Pause(_ context.Context, _ value.Value, at vm.At) error {
	return r.refuse(bytecode.StepPart, "pause", at)
}

// notAvailable is the error for what the language has and this version has not;
// nil for what it has.
func notAvailable(part bytecode.Part, name string) error {
	u := bytecode.NotAvailable(part, name)
	if u == nil {
		return nil
	}
	return fmt.Errorf("`%s` is not available in this version of reqon; %s", name, u.Advice)
}

// refuse ends the run at something that is not available.
func (r *run) refuse(part bytecode.Part, name string, at vm.At) error {
	err := configError("%s: %w", r.mission.where(at.Pos), notAvailable(part, name))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.config = err
	return err
}

// Call answers the functions that are no pure functions of their arguments.
func (r *run) Call(f bytecode.HostFunc, args []value.Value) (value.Value, error) {
	switch f {
	case bytecode.HostNow:
		return value.FromTime(r.engine.cfg.Clock.Now().UnixMilli()), nil
	case bytecode.HostTimestamp:
		return value.FromInt(r.engine.cfg.Clock.Now().UnixMilli()), nil
	case bytecode.HostUUID:
		return value.FromString(r.engine.cfg.NewUUID()), nil
	case bytecode.HostRandom:
		return r.random(args)
	case bytecode.HostEnv:
		return r.env(args)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = true
	return value.NullValue, notAvailable(bytecode.FunctionPart, bytecode.HostFuncs[f])
}

func (r *run) random(args []value.Value) (value.Value, error) {
	x := r.engine.cfg.Random()
	if len(args) == 0 {
		return value.FromFloat(x), nil
	}
	n, ok := value.AsInt(args[0])
	if !ok || n < 1 {
		return value.NullValue, fmt.Errorf("random: n must be a whole number of at least 1, found %s", value.Describe(args[0]))
	}
	return value.FromInt(min(int64(x*float64(n)), n-1)), nil
}

// env gives an environment variable, else the default, else null.
func (r *run) env(args []value.Value) (value.Value, error) {
	if len(args) == 0 || args[0].Kind() != value.String {
		return value.NullValue, fmt.Errorf("env needs the name of a variable as text")
	}
	name := args[0].Str()
	if name == "REQON_SCHEDULED" && r.opts.Trigger != "" && r.opts.Trigger != state.TriggerAdhoc {
		return value.FromString("true"), nil
	}
	if text, ok := r.engine.cfg.Env(name); ok {
		text = validText(text)
		r.learnNamed(name, text)
		return value.FromString(text), nil
	}
	if len(args) > 1 {
		return args[1], nil
	}
	return value.NullValue, nil
}

// Param gives a parameter of the run.
func (r *run) Param(i int) value.Value {
	if i >= len(r.params) {
		return value.NullValue
	}
	return r.params[i]
}

// Scheduled gives when the run was due; its start if no schedule started it.
func (r *run) Scheduled() value.Value {
	if r.opts.Due.IsZero() {
		return value.FromTime(r.record.Start.UnixMilli())
	}
	return value.FromTime(r.opts.Due.UnixMilli())
}

// RunID gives the run's id.
func (r *run) RunID() string { return r.record.ID }

// Parallelism gives the mission's parallelMode and maxParallel.
func (r *run) Parallelism() (vm.ParallelMode, int) {
	limit := r.mission.options.MaxParallel
	if limit == 0 {
		limit = math.MaxInt
	}
	return r.mission.options.ParallelMode, limit
}

// newUUID makes a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, says its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
