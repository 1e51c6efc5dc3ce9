package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reqon/runtime/httpclient"
	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// RunOptions say how one run goes.
type RunOptions struct {
	Params  map[string]string // texts of --param; others come from the environment
	Trigger state.Trigger     // default TriggerAdhoc
	Due     time.Time         // when the schedule wanted it; zero if ad hoc
	Claim   *state.ClaimRule  // the run takes Due by this rule, or does not begin; nil: it has been taken, or there is none
	Started func()            // told when the run is recorded, before its first step
	DryRun  bool              // nothing is sent and nothing stored
	// FullRefresh passes over the saved sync positions: lastSync is null. Those
	// of the run itself are saved as usual.
	FullRefresh bool
	Preview     func(Preview) // told each request of a dry run
	Progress    *Progress     // counts while the run goes on
	Output      func(context.Context, *Output) error
}

// Preview is a request that a dry run would have sent.
type Preview struct {
	Action  string
	Place   string // file:line:column, or ""
	Request *httpclient.Preview
}

// Progress counts what a run does, for whoever shows it.
type Progress struct {
	Requests, Retries, Records, Failures atomic.Int64

	waiting atomic.Pointer[Waiting]
}

// Report is what came of a run.
type Report struct {
	state.Run
	// Err is why the run failed: a *vm.Error, a *vm.ItemFailures, several of
	// them joined, or a *ConfigError. Nil if it did not: its Status says whether
	// it succeeded or is incomplete.
	Err error
	// Begun tells whether the run has begun. One that has not is not recorded,
	// and its due time was not taken: another run has it, or Err says what
	// kept it from being recorded.
	Begun bool
	// Notes are what a person should know though it is no error: what a dry run
	// could not go on with, and stores that lack what is not fetched any more.
	Notes []string
}

// run is one run of a mission, and the machine's host.
type run struct {
	engine      *Engine
	mission     *Mission
	opts        RunOptions
	log         *telemetry.Logger
	client      *httpclient.Client
	record      state.Run
	params      []value.Value
	sources     []*httpclient.Source
	secrets     []*sourceSecrets // of each of them
	stores      []*runStore
	declared    []placed // the stores that are open
	position    positions
	counters    []actionCounter // by action; the last is for what is outside of actions
	outcome     outcome
	overwritten overwritten
	repeats     repeats
	begun       bool        // and recorded
	sent        atomic.Bool // a dry run has come to its first request

	waits waits

	// noSource is the source of requests without one: they share what servers
	// say of their limits.
	noSourceOnce sync.Once
	noSource     *httpclient.Source
	noSourceErr  error

	redactions sync.Map // the store steps, by place, of which it was told that a credential was taken out

	named sync.Map // environment variables whose values are secrets by their names

	mu      sync.Mutex
	errs    []state.RunError
	more    int
	notes   []string
	config  error
	refused bool // a function that is not available was called
}

// actionCounter counts what an action did.
type actionCounter struct{ requests, retries, records atomic.Int64 }

// Run runs the mission once, and records it. The report is never nil; its Err
// says how the run failed, with a *ConfigError before its first request.
func (m *Mission) Run(ctx context.Context, opts RunOptions) *Report {
	if opts.Trigger == "" {
		opts.Trigger = state.TriggerAdhoc
	}
	if opts.Progress == nil {
		opts.Progress = new(Progress)
	}
	r := &run{engine: m.engine, mission: m, opts: opts, counters: make([]actionCounter, len(m.prog.Actions)+1)}
	r.record = state.Run{Mission: m.prog.Mission, Trigger: opts.Trigger, Due: opts.Due, Start: m.engine.cfg.Clock.Now()}
	defer r.closeSources()
	err := r.prepare(ctx)
	var config *ConfigError
	if errors.As(err, &config) && opts.Claim == nil {
		return r.notBegun(ctx, err)
	}
	// A run that can't be prepared uses up its due time too, and is recorded.
	if e := r.begin(); e != nil || !r.begun {
		return r.notBegun(ctx, e)
	}
	if err == nil {
		stop := r.recordProgress()
		err = r.execute(ctx)
		stop()
	}
	return r.report(r.finish(ctx, err))
}

// prepare prepares the run: parameters, sources with their credentials, stores.
// Everything that can be known to be missing is found here, before the first
// request.
func (r *run) prepare(ctx context.Context) error {
	id, err := state.NewRunID(r.record.Start)
	if err != nil {
		return err
	}
	r.record.ID = id
	r.log = r.engine.cfg.Log.With(r.mission.Name(), id)
	r.client = r.newClient()
	for _, prepare := range []func() error{r.checkAvailable, r.prepareParams, r.prepareSources} {
		if err := prepare(); err != nil {
			return &ConfigError{Err: err}
		}
	}
	return r.prepareStores(ctx)
}

// begin takes the run's due time and records the run. It sets begun, unless
// another run has that due time.
func (r *run) begin() (err error) {
	switch {
	case r.opts.DryRun || r.engine.db == nil:
		r.begun = true
	case r.opts.Claim != nil:
		r.begun, err = r.engine.db.BeginDue(&r.record, *r.opts.Claim)
	default:
		err = r.engine.db.BeginRun(&r.record)
		r.begun = err == nil
	}
	if r.begun && r.opts.Started != nil {
		r.opts.Started()
	}
	return err
}

// notBegun ends a run before it has begun.
func (r *run) notBegun(ctx context.Context, err error) *Report {
	if err = errors.Join(err, r.closeStores(ctx)); err != nil {
		r.record.Status = state.StatusFailure
	}
	r.record.End = r.engine.cfg.Clock.Now()
	return r.report(err)
}

// execute runs the program, within the mission's timeout.
func (r *run) execute(ctx context.Context) error {
	if d := r.mission.options.Timeout; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, fmt.Errorf("the mission's timeout of %s is over", d))
		defer cancel()
	}
	return r.mission.machine.Run(ctx, r)
}

// finish syncs the stores, and only then records the run with its new sync
// positions. It works under a context of its own: a cancelled run is recorded
// too.
func (r *run) finish(ctx context.Context, err error) error {
	cancelled := ctx.Err() != nil
	r.tellRepeats(r.repeats.rest())
	ctx = context.WithoutCancel(ctx)
	if r.opts.DryRun {
		err = r.dryError(err)
	}
	if e := r.publish(ctx, err); e != nil {
		err = errors.Join(err, e)
	}
	r.noteMissing()
	r.tellOverwritten()
	r.notes = append(r.notes, r.waits.notes()...)
	if e := r.writeOutput(ctx); e != nil {
		err = errors.Join(err, e)
	}
	if e := r.closeStores(ctx); e != nil {
		err = errors.Join(err, e)
	}
	if r.config != nil {
		err = r.config
	} else if err != nil && r.refused {
		err = &ConfigError{Err: err}
	}
	r.record.End = r.engine.cfg.Clock.Now()
	r.record.Counts = r.counts()
	r.engine.cfg.Metrics.Count(r.mission.Name(), telemetry.CountHeld, int(r.record.Counts.Held))
	switch {
	case err == nil && r.record.Counts.Complete():
		r.record.Status = state.StatusSuccess
	case err == nil:
		r.record.Status = state.StatusIncomplete
	case cancelled:
		r.record.Status = state.StatusCancelled
	default:
		r.record.Status = state.StatusFailure
	}
	r.fill(err)
	if r.opts.DryRun || r.engine.db == nil {
		return err
	}
	left := r.position.leave(&r.record)
	if e := r.engine.db.FinishRun(&r.record, left); e != nil {
		r.record.Status = state.StatusFailure
		err = errors.Join(err, e)
	}
	if left.Dropped > 0 {
		r.log.Warn("The oldest sync positions have gone: a mission keeps 100,000, and none that no run has asked for in a year. What they were of is fetched whole when it comes again",
			telemetry.Int("gone", left.Dropped))
	}
	return err
}

// fill puts counts and errors into the record.
func (r *run) fill(err error) {
	if err != nil {
		r.record.Error = r.engine.cfg.Redactor.Redact(describe(err))
	}
	for _, e := range split(err) {
		var items *vm.ItemFailures
		if errors.As(e, &items) {
			continue // each has been noted when it happened
		}
		r.note(runError(e))
	}
	counts := r.record.Counts
	r.tally(&r.record)
	r.record.Counts = counts // the status goes by them
}

// tally puts into a record what the run has done so far.
func (r *run) tally(into *state.Run) {
	into.Actions, into.Stores, into.Counts = nil, nil, r.counts()
	for i := range r.mission.prog.Actions {
		c := &r.counters[i]
		into.Actions = append(into.Actions, state.ActionCount{
			Name: r.mission.prog.Actions[i].Name, Requests: c.requests.Load(), Retries: c.retries.Load(), Records: c.records.Load(),
		})
	}
	for _, s := range r.stores {
		into.Stores = append(into.Stores, state.StoreCount{
			Name: s.name, Inserted: s.inserted.Load(), Updated: s.updated.Load(), Unchanged: s.unchanged.Load(), Failed: s.failed.Load(),
		})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	into.Errors, into.MoreErrors = slices.Clone(r.errs), r.more
	for i := range into.Errors {
		into.Errors[i].Message = r.engine.cfg.Redactor.Redact(into.Errors[i].Message)
	}
}

// progressEvery is how often the record of a run that goes on is brought up to
// date. Each time costs one write to the disk, beside the run.
const progressEvery = 2 * time.Second

// recordProgress brings the run's record up to date while the run goes on, so
// that it tells something if the process is killed, until stop is called.
func (r *run) recordProgress() (stop func()) {
	if r.opts.DryRun || r.engine.db == nil {
		return func() {}
	}
	done := make(chan struct{})
	var work sync.WaitGroup
	so := r.record
	work.Go(func() {
		ticker := time.NewTicker(r.engine.cfg.ProgressEvery)
		defer ticker.Stop()
		var saved state.Run
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			if r.tally(&so); reflect.DeepEqual(so, saved) {
				continue
			}
			if err := r.engine.db.SaveProgress(&so); err != nil {
				r.log.Debug("What the run has done so far can't be recorded", telemetry.Err(err))
				continue
			}
			saved = so
		}
	})
	return func() { close(done); work.Wait() }
}

func (r *run) report(err error) *Report {
	if err != nil && r.record.Error == "" {
		r.record.Error = r.engine.cfg.Redactor.Redact(describe(err))
	}
	return &Report{Run: r.record, Err: err, Begun: r.begun, Notes: r.notes}
}

// note keeps an error for the record; of very many only their number.
func (r *run) note(e state.RunError) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.errs) < state.MaxRunErrors {
		r.errs = append(r.errs, e)
	} else {
		r.more++
	}
}

// split takes apart errors that were joined.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*vm.Error); ok && len(e.Parts) > 0 {
		var all []error
		for _, part := range e.Parts {
			all = append(all, split(part)...)
		}
		return all
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range j.Unwrap() {
			all = append(all, split(e)...)
		}
		return all
	}
	return []error{err}
}

// describe gives a run's error as one line.
func describe(err error) string {
	var texts []string
	for _, e := range split(err) {
		texts = append(texts, e.Error())
	}
	return strings.Join(texts, "; ")
}

// runError gives an error as the run's record keeps it.
func runError(err error) state.RunError {
	out := state.RunError{Message: vm.Reason(err)}
	var e *vm.Error
	if errors.As(err, &e) {
		out.Action = e.Action
		if e.Line > 0 {
			out.Place = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
		}
	}
	return out
}

// dryError makes notes of the errors of a dry run that come from there being no
// answers; others stay errors.
func (r *run) dryError(err error) error {
	var kept []error
	for _, e := range split(err) {
		if r.sent.Load() && r.config == nil {
			r.notes = append(r.notes, "the rest depends on an answer: "+e.Error())
			continue
		}
		kept = append(kept, e)
	}
	return errors.Join(kept...)
}

// counter gives the counters of an action, or of what is outside of actions.
func (r *run) counter(action int) *actionCounter {
	if action == bytecode.None {
		return &r.counters[len(r.counters)-1]
	}
	return &r.counters[action]
}

// place gives the log fields of a place in the mission.
func (r *run) place(at vm.At) []telemetry.Field {
	var fields []telemetry.Field
	if at.Action != bytecode.None {
		fields = append(fields, telemetry.String("action", r.mission.prog.Actions[at.Action].Name))
	}
	if p := r.mission.where(at.Pos); p != "" {
		fields = append(fields, telemetry.String("at", p))
	}
	return fields
}
