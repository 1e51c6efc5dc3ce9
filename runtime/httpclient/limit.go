package httpclient

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"reqon/vm/option"
	"reqon/vm/value"
)

// Rate is what a `rateLimit` option says (language definition, section 5).
type Rate struct {
	perSecond, perMinute, perHour float64 // 0: no such limit
	burst                         int     // 0: what may go out in one second
	throttle                      bool    // evenly spaced
	adaptive                      bool    // goes by what the server says

	fail bool   // at the limit a request fails, instead of waiting
	name string // of the budget; of a request's limit only
}

// RateOf returns what a block of rateLimit says.
func RateOf(o *option.Values) Rate {
	name := ""
	if o.Has("name") {
		name = o.Text("name")
	}
	return Rate{
		perSecond: o.Number("requestsPerSecond"), perMinute: o.Number("requestsPerMinute"), perHour: o.Number("requestsPerHour"),
		burst: o.Int("burst"), throttle: o.Text("strategy") == "throttle", adaptive: o.Bool("adaptive"),
		fail: o.Text("strategy") == "fail", name: name,
	}
}

// limited reports whether there is any limit that is known beforehand.
func (r Rate) limited() bool { return r.perSecond > 0 || r.perMinute > 0 || r.perHour > 0 }

// narrower returns the narrower of both in every respect.
func (r Rate) narrower(o Rate) Rate {
	least := func(a, b float64) float64 {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	return Rate{
		perSecond: least(r.perSecond, o.perSecond), perMinute: least(r.perMinute, o.perMinute), perHour: least(r.perHour, o.perHour),
		burst: int(least(float64(r.burst), float64(o.burst))), throttle: r.throttle || o.throttle, adaptive: r.adaptive || o.adaptive,
	}
}

// budget is what requests may take of what an API allows. It is safe for
// concurrent use.
type budget struct {
	mu     sync.Mutex
	said   map[any]Rate // by who says it
	rate   Rate         // the narrowest of all
	fresh  bool         // limits are made by rate
	limits [3]*rate.Limiter
	flying int // requests that have gone out and are not answered
	server server
}

// say takes in what somebody says, in place of what they said before; with nil
// it is taken back.
func (b *budget) say(who any, r *Rate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if old, ok := b.said[who]; r != nil && ok && old == *r || r == nil && !ok {
		return
	}
	if r == nil {
		delete(b.said, who)
	} else {
		if b.said == nil {
			b.said = map[any]Rate{}
		}
		b.said[who] = *r
	}
	b.rate, b.fresh = Rate{}, false
	for r := range maps.Values(b.said) {
		b.rate = b.rate.narrower(r)
	}
}

// refresh makes the limits be those of rate. What was taken of them stays taken.
func (b *budget) refresh(now time.Time) {
	if b.fresh {
		return
	}
	b.fresh = true
	for i, perSecond := range []float64{b.rate.perSecond, b.rate.perMinute / 60, b.rate.perHour / 3600} {
		if perSecond == 0 {
			b.limits[i] = nil
			continue
		}
		burst := max(int(perSecond), 1)
		if b.rate.burst > 0 {
			burst = b.rate.burst
		}
		if b.rate.throttle {
			burst = 1
		}
		if l := b.limits[i]; l != nil {
			l.SetLimitAt(now, rate.Limit(perSecond))
			l.SetBurstAt(now, burst)
		} else {
			b.limits[i] = rate.NewLimiter(rate.Limit(perSecond), burst)
		}
	}
}

// places are those that a request has taken in the order in which requests go
// out, one for each limit.
type places struct {
	taken [len(budget{}.limits) + 1]*rate.Reservation
	n     int
}

func (p *places) take(l *rate.Limiter, now time.Time) (wait time.Duration) {
	r := l.ReserveN(now, 1)
	p.taken[p.n] = r
	p.n++
	return r.DelayFrom(now)
}

// giveUp leaves the places to others.
func (p *places) giveUp(now time.Time) {
	for _, r := range slices.Backward(p.taken[:p.n]) {
		r.CancelAt(now)
	}
	p.n = 0
}

// reserve takes places in the order in which requests go out, and returns when
// it is their turn. Beyond longest none is taken: ok is false then.
func (b *budget) reserve(now time.Time, longest time.Duration) (p places, wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refresh(now)
	for _, l := range b.limits {
		if l != nil {
			wait = max(wait, p.take(l, now))
		}
	}
	if l := b.server.pace; l != nil && b.rate.adaptive {
		wait = max(wait, p.take(l, now))
	}
	if wait > longest {
		p.giveUp(now)
		return p, wait, false
	}
	return p, wait, true
}

// take lets a request out, or returns how long the server wants it to wait. Each
// request that is let out must be given back.
func (b *budget) take(now time.Time) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rate.adaptive {
		if wait = b.server.wait(now); wait > 0 {
			return wait
		}
	}
	b.server.take(now)
	b.flying++
	return 0
}

// Cost works out what an answer says that it has cost.
type Cost func(ctx context.Context, answer value.Value) (float64, error)

// SetCost makes answers say what they have cost of the source's rate limit.
func (s *Source) SetCost(c Cost) { s.cost = c }

// charge takes what an answer has cost beyond the 1 that was taken for it. That
// may leave a debt, which those that come next wait for.
func (b *budget) charge(cost float64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	more := int(math.Ceil(math.Min(cost, maxCost))) - 1
	for _, l := range b.limits {
		if l == nil {
			continue
		}
		for left := more; left > 0; left -= l.Burst() {
			l.ReserveN(now, min(left, l.Burst())) // no more than a burst at once
		}
	}
}

// maxCost is the most that one answer may cost: more is no cost of a request.
const maxCost = 1e6

// charge works out what an answer has cost.
func (k *call) charge(ctx context.Context, resp *Response) error {
	if k.source.cost == nil || !resp.at.home {
		return nil
	}
	cost, err := k.source.cost(ctx, resp.Body)
	if err != nil {
		return fmt.Errorf("source %s: rateLimit.cost: %w", k.source.name, err)
	}
	k.budget.charge(cost, k.client.clock.Now())
	return nil
}

// giveBack says what came of a request that was let out at sent. h is nil if
// there was no answer.
func (b *budget) giveBack(status int, h http.Header, sent, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying--
	if b.rate.adaptive && h != nil {
		b.server.observe(status, h, b.flying, sent, now, &b.rate)
	}
}

// budgets returns those that the request takes from: of the account, and one of
// its own. A named one stands in for that of the account.
func (k *call) setBudgets(r *Request) {
	k.budget = &k.gate.budget
	if r.Rate == nil {
		return
	}
	if r.FailAtLimit != nil {
		k.fail = *r.FailAtLimit
	}
	own := r.Rate.name
	if own == "" {
		if !r.Rate.limited() {
			return
		}
		own = "\x00" + r.Site
	}
	b := k.gate.own(own)
	b.say(r.Site, r.Rate)
	if r.Rate.name != "" {
		k.budget = b
	} else {
		k.own = b
	}
}

// own returns a budget of some requests alone.
func (t *gate) own(name string) *budget {
	t.ownMu.Lock()
	defer t.ownMu.Unlock()
	b := t.owns[name]
	if b == nil {
		b = &budget{}
		if t.owns == nil {
			t.owns = map[string]*budget{}
		}
		t.owns[name] = b
	}
	return b
}

// admit waits until the limits let the request out. Unless it returns an error,
// k.answered must follow. The error is ctx's, or a *Failure: the wait would be
// too long.
func (k *call) admit(ctx context.Context) error {
	waited := time.Duration(0)
	if err := k.admitTo(ctx, k.budget, &waited); err != nil {
		return err
	}
	if k.own == nil {
		return nil
	}
	if err := k.admitTo(ctx, k.own, &waited); err != nil {
		k.budget.giveBack(0, nil, time.Time{}, time.Time{})
		return err
	}
	return nil
}

func (k *call) admitTo(ctx context.Context, b *budget, waited *time.Duration) error {
	var own places
	reserved := false
	for {
		now := k.client.clock.Now()
		longest := k.maxWait - *waited
		if k.fail {
			longest = 0
		}
		wait, ok := time.Duration(0), true
		if !reserved {
			// Who comes while the server wants everybody to wait queues up behind
			// that, and not before.
			if wait = b.ahead(now); wait == 0 {
				own, wait, ok = b.reserve(now, longest)
				reserved = ok
			}
		}
		if wait == 0 && ok {
			if wait = b.take(now); wait == 0 {
				return nil
			}
		}
		if wait > longest {
			own.giveUp(now)
			return k.limited(wait + *waited)
		}
		if err := k.wait(ctx, wait, WaitLimit); err != nil {
			own.giveUp(k.client.clock.Now())
			return err
		}
		*waited += wait
	}
}

// ahead is how long the server wants everybody to wait.
func (b *budget) ahead(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.rate.adaptive {
		return 0
	}
	return b.server.wait(now)
}

// wait waits for a limit or a breaker, and tells that it does.
func (k *call) wait(ctx context.Context, d time.Duration, what WaitKind) error {
	if on := k.client.onWait; on != nil {
		defer on(WaitEvent{Source: k.source.name, Wait: d, For: what})()
	}
	return k.client.clock.Sleep(ctx, d)
}

// limited is the failure of a request that is not sent, as it would have to wait
// for too long.
func (k *call) limited(wait time.Duration) *Failure {
	f := k.failure(KindRateLimit, &hop{url: k.url, home: k.home})
	f.final, f.Attempts = true, 0
	if k.fail {
		f.Err = fmt.Errorf("not sent: the rate limit of %s is reached, and its strategy is fail", k.source.name)
	} else {
		f.Err = fmt.Errorf("not sent: the rate limit of %s asks to wait %s, longer than rateLimit.maxWait of %s", k.source.name, shownWait(wait), k.maxWait)
	}
	return f
}

func shownWait(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return time.Duration(math.Ceil(d.Seconds())) * time.Second
}

// answered tells the limits what came of the request that they let out.
func (k *call) answered(resp *Response, f *Failure, sent time.Time) {
	status, h := 0, http.Header(nil)
	switch {
	case resp != nil:
		status, h = resp.Status, resp.Headers
		if !resp.at.home && k.home {
			h = nil // another origin has limits of its own
		}
	case f != nil && f.Status != 0 && f.home == k.home:
		status, h = f.Status, f.Headers
	}
	now := k.client.clock.Now()
	k.budget.giveBack(status, h, sent, now)
	if k.own != nil {
		k.own.giveBack(0, nil, sent, now)
	}
}

// WaitEvent tells that a request waits for its source.
type WaitEvent struct {
	Source string
	Wait   time.Duration
	For    WaitKind
}

// WaitKind is what a request waits for.
type WaitKind string

// What requests wait for, in words for people.
const (
	WaitLimit   WaitKind = "limit"
	WaitBreaker WaitKind = "circuit breaker"
)
