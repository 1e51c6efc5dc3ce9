package engine

import (
	"sync"
	"sync/atomic"

	"reqon/runtime/state"
	"reqon/runtime/telemetry"
	"reqon/vm"
	"reqon/vm/bytecode"
)

// outcome counts what a run did beside its actions and stores: what it left out,
// and what a person should know of. It is safe for concurrent use.
type outcome struct {
	skipped, queued, failed    atomic.Int64
	cutShort, noNext, warnings atomic.Int64
	redacted                   atomic.Int64 // credentials taken out of what is stored

	mu    sync.Mutex
	told  map[toldCut]bool
	notes map[toldNotice]bool
}

// toldCut is what the log is told once a run: a step that cuts a thousand
// fetches short says nothing new with the second.
type toldCut struct {
	pos  bytecode.Pos
	kind vm.CutKind
}

// firstCut tells whether this has not been told yet.
func (o *outcome) firstCut(pos bytecode.Pos, kind vm.CutKind) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := toldCut{pos, kind}
	if o.told[key] {
		return false
	}
	if o.told == nil {
		o.told = map[toldCut]bool{}
	}
	o.told[key] = true
	return true
}

// toldNotice is a notice of a step that the log has had in this run.
type toldNotice struct {
	pos  bytecode.Pos
	kind vm.NoticeKind
}

// Notice logs what a person should know of a request, once a step.
func (r *run) Notice(n *vm.Notice) {
	if r.opts.DryRun {
		return // nothing was asked
	}
	key := toldNotice{n.At.Pos, n.Kind}
	r.outcome.mu.Lock()
	told := r.outcome.notes[key]
	if r.outcome.notes == nil {
		r.outcome.notes = map[toldNotice]bool{}
	}
	r.outcome.notes[key] = true
	r.outcome.mu.Unlock()
	switch {
	case told:
		r.log.Debug(n.Text, r.place(n.At)...)
	case n.Kind <= vm.NoticeRedirect:
		r.log.Warn(n.Text, r.place(n.At)...)
	default:
		r.log.Info(n.Text, r.place(n.At)...)
	}
}

// counts gives what was counted so far.
func (r *run) counts() state.Counts {
	o := &r.outcome
	return state.Counts{
		Skipped: o.skipped.Load(), Queued: o.queued.Load(), Failed: o.failed.Load(),
		CutShort: o.cutShort.Load(), NoNext: o.noNext.Load(), Held: r.position.holds(),
		Warnings: o.warnings.Load(), Redacted: o.redacted.Load(),
	}
}

// CutShort counts a fetch that did not fetch everything, and logs each kind of
// reason once a step.
func (r *run) CutShort(c *vm.Cut) {
	if r.opts.DryRun {
		return // nothing was fetched at all
	}
	position, cut := "", 0
	if c.Held {
		position = "; the sync position is held"
	}
	for _, reason := range c.Reasons {
		if reason.Kind != vm.CutUpdateFrom {
			cut = 1 // once, for however many reasons; of that one everything has come
		}
		if reason.Kind == vm.CutNext {
			r.count(&r.outcome.noNext, telemetry.CountNoNext, 1)
		}
		tell := r.log.Debug
		if r.outcome.firstCut(c.At.Pos, reason.Kind) {
			tell = r.log.Warn
		}
		hint := ""
		if reason.Kind == vm.CutLimit {
			hint = "; `allowCut: true` says that it is meant"
		}
		tell("Fetch "+reason.Text+position+hint, r.place(c.At)...)
	}
	r.count(&r.outcome.cutShort, telemetry.CountCutShort, cut)
}

// Warned counts and logs a `warn` of a validate step.
func (r *run) Warned(text string, at vm.At) {
	r.count(&r.outcome.warnings, telemetry.CountWarnings, 1)
	r.log.Warn("Validation warning: "+text, r.place(at)...)
}

// ItemLeft counts what a directive skipped or queued.
func (r *run) ItemLeft(policy bytecode.Policy, _ vm.At) {
	if !r.opts.DryRun {
		r.countItem(policy)
	}
}

// countItem counts a failed item by what was made of it.
func (r *run) countItem(policy bytecode.Policy) {
	switch policy {
	case bytecode.PolicySkip:
		r.count(&r.outcome.skipped, telemetry.CountSkipped, 1)
	case bytecode.PolicyQueue:
		r.count(&r.outcome.queued, telemetry.CountQueued, 1)
	default:
		r.outcome.failed.Add(1) // whose metric counts records that failed otherwise, too
	}
}

// count adds n to a counter of the run and to its metric.
func (r *run) count(counter *atomic.Int64, c telemetry.Count, n int) {
	counter.Add(int64(n))
	r.engine.cfg.Metrics.Count(r.mission.Name(), c, n)
}
