package engine

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"reqon/runtime/httpclient"
	"reqon/runtime/telemetry"
)

// Waiting is what the requests of a run wait for.
type Waiting struct {
	Source string
	For    string    // "limit" or "circuit breaker"
	Until  time.Time // of the wait that ends last
}

// waits is what the requests of a run wait for, and for how long they have. The
// time is that of each request, so that twenty that wait for a second are twenty
// seconds.
type waits struct {
	mu    sync.Mutex
	total map[waitKey]time.Duration
}

type waitKey struct {
	source string
	what   httpclient.WaitKind
}

// tellWaitsFrom is from when on a wait is worth a line in the log.
const tellWaitsFrom = 5 * time.Second

// onWait shows and counts a wait.
func (r *run) onWait(e httpclient.WaitEvent) (over func()) {
	if e.For == httpclient.WaitLimit {
		r.engine.cfg.Metrics.RateLimitWait(e.Source, e.Wait.Seconds())
	}
	w := &r.waits
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.total == nil {
		w.total = map[waitKey]time.Duration{}
	}
	key := waitKey{e.Source, e.For}
	if _, told := w.total[key]; !told && e.Wait >= tellWaitsFrom {
		r.log.Info(fmt.Sprintf("Waiting %s for the %s of %s", e.Wait.Round(time.Second), e.For, e.Source), telemetry.Duration("wait", e.Wait.Round(time.Millisecond)))
	}
	w.total[key] += e.Wait
	p := r.opts.Progress
	mine := &Waiting{Source: e.Source, For: string(e.For), Until: r.engine.cfg.Clock.Now().Add(e.Wait)}
	p.waiting.Store(mine)
	return func() { p.waiting.CompareAndSwap(mine, nil) }
}

// Waiting returns what requests wait for now; nil if they don't.
func (p *Progress) Waiting() *Waiting { return p.waiting.Load() }

// Wait says what requests wait for now; nil that they don't.
func (p *Progress) Wait(w *Waiting) { p.waiting.Store(w) }

// notes says for how long requests have waited.
func (w *waits) notes() (list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var keys []waitKey
	for k := range w.total {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b waitKey) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.what, b.what))
	})
	for _, k := range keys {
		if d := w.total[k]; d >= time.Second {
			list = append(list, fmt.Sprintf("requests waited %s in all for the %s of %s", d.Round(time.Second), k.what, k.source))
		}
	}
	return list
}
