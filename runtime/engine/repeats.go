package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reqon/runtime/httpclient"
	"reqon/runtime/telemetry"
	"reqon/vm"
)

// repeatWindow is how often the log tells of repeated requests of one source and
// action. An API that is down for an hour must not fill a disk, nor hide what
// else the log has to say.
const repeatWindow = 10 * time.Second

// repeats gathers the requests of a run that are sent again, for the log. The
// first is told at once; those behind it each repeatWindow, in one line. It has
// no timer of its own: what is gathered is told when the run makes a request
// behind the window's end, and when it ends. It is safe for concurrent use.
type repeats struct {
	due atomic.Int64 // when the next line is, in nanoseconds since 1970; 0: nothing is gathered

	mu   sync.Mutex
	last map[repeated]*gathered
}

// repeated is what one line is about.
type repeated struct {
	source string
	action int
}

// gathered are the repeats since the last line.
type gathered struct {
	until   time.Time // the window's end
	count   int
	reasons map[string]int
	longest time.Duration
	latest  string // the failure behind the latest, and where
	at      vm.At
}

// add takes in a repeat. first tells whether it begins a window, and is to be
// told by itself; lines are those that are due.
func (p *repeats) add(key repeated, at vm.At, e *httpclient.RetryEvent, now time.Time) (first bool, due []repeatLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	due = p.take(now)
	g := p.last[key]
	if g == nil || !now.Before(g.until) {
		if p.last == nil {
			p.last = map[repeated]*gathered{}
		}
		p.last[key] = &gathered{until: now.Add(repeatWindow)}
		return true, due
	}
	if g.reasons == nil {
		g.reasons = map[string]int{}
	}
	g.count++
	g.reasons[e.Reason]++
	g.longest = max(g.longest, e.Wait)
	g.latest, g.at = e.Failure.Error(), at
	if end := g.until.UnixNano(); p.due.Load() == 0 || end < p.due.Load() {
		p.due.Store(end)
	}
	return false, due
}

// repeatLine is what is to be told.
type repeatLine struct {
	key repeated
	gathered
}

// since gives the lines that are due; cheap where none is.
func (p *repeats) since(now time.Time) []repeatLine {
	if due := p.due.Load(); due == 0 || now.UnixNano() < due {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.take(now)
}

// rest gives all that has not been told.
func (p *repeats) rest() []repeatLine {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.take(time.Time{})
}

// take gives the lines whose window is over, or all with the zero time, and
// begins another window for each: what goes on is told ten seconds later.
func (p *repeats) take(now time.Time) (lines []repeatLine) {
	next := int64(0)
	for key, g := range p.last {
		if g.count == 0 {
			continue
		}
		if !now.IsZero() && now.Before(g.until) {
			if end := g.until.UnixNano(); next == 0 || end < next {
				next = end
			}
			continue
		}
		lines = append(lines, repeatLine{key, *g})
		*g = gathered{until: now.Add(repeatWindow)}
	}
	p.due.Store(next)
	slices.SortFunc(lines, func(a, b repeatLine) int {
		return cmp.Or(strings.Compare(a.key.source, b.key.source), a.key.action-b.key.action)
	})
	return lines
}

// onRetry counts and logs that a request will be sent again.
func (r *run) onRetry(at vm.At) func(httpclient.RetryEvent) {
	return func(e httpclient.RetryEvent) {
		r.counter(at.Action).retries.Add(1)
		r.opts.Progress.Retries.Add(1)
		r.engine.cfg.Metrics.Retry(e.Source, e.Reason)
		first, due := r.repeats.add(repeated{e.Source, at.Action}, at, &e, r.engine.cfg.Clock.Now())
		r.tellRepeats(due)
		tell := r.log.Debug
		if first {
			tell = r.log.Warn
		}
		tell("Request will be repeated: "+e.Failure.Error(), append(r.place(at),
			telemetry.Int("attempt", e.Attempt), telemetry.Int("of", e.MaxAttempts), telemetry.Duration("wait", e.Wait.Round(time.Millisecond)))...)
	}
}

// tellRepeats logs what was gathered: how many, why, and the longest wait.
func (r *run) tellRepeats(lines []repeatLine) {
	for _, l := range lines {
		reasons := slices.SortedFunc(maps.Keys(l.reasons), func(a, b string) int { // the most frequent first
			return cmp.Or(l.reasons[b]-l.reasons[a], strings.Compare(a, b))
		})
		for i, reason := range reasons {
			reasons[i] = fmt.Sprintf("%s %d×", reason, l.reasons[reason])
		}
		times := "1 more time"
		if l.count > 1 {
			times = fmt.Sprintf("%d more times", l.count)
		}
		r.log.Warn(fmt.Sprintf("Requests repeated %s (%s); the latest: %s", times, strings.Join(reasons, ", "), l.latest),
			append(r.place(l.at), telemetry.String("source", l.key.source), telemetry.Duration("longestWait", l.longest.Round(time.Millisecond)))...)
	}
}
