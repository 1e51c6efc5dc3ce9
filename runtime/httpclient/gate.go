package httpclient

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"reqon/runtime/signin"
)

// Gates are what the sources of a process share for longer than a run: one gate
// for each origin and account (language definition, section 5). A gate is
// there as long as somebody holds a Lease of it; the last one closes it. The
// zero Gates is ready to use, and safe for concurrent use.
type Gates struct {
	// NewTransport makes the connections of a gate. Without it, requests go over
	// those of the client.
	NewTransport func() http.RoundTripper
	// Accounts are the sign-ins of sources whose credential is of kind OAuth2,
	// which need them.
	Accounts *signin.Accounts
	// OnBreaker is told how the circuit breaker of a source stands, when that
	// changes. It must not call back.
	OnBreaker func(source string, s BreakerState)

	mu   sync.Mutex
	open map[gateKey]*gate
}

// gateKey says whose gate it is. The name of a source does not count: two
// missions that ask one API as the same user share what it allows them.
type gateKey struct {
	origin  string // scheme, host and port; "" without a base
	account string // of the credential; without a base, the source's name
}

// gate is what all requests to one origin by one account go through.
type gate struct {
	transport http.RoundTripper // nil: the client's
	flight    flight
	budget    budget
	breaker   breaker

	names atomic.Pointer[[]string] // of the sources; who tells must not need a mutex
	ownMu sync.Mutex
	owns  map[string]*budget // of some requests alone

	// The rest belongs to Gates, under its mutex.
	key    gateKey
	leases map[*Lease]struct{}
}

// limits are what a source says of how its gate may be used.
type limits struct {
	inFlight int // requests at once; 0: any number
	rate     Rate
	breaker  breakerLimits
}

// Lease keeps a gate open, and its limits in force.
type Lease struct {
	name   string // of the source
	gates  *Gates // nil: the gate belongs to one source alone
	gate   *gate
	limits limits
	oauth  *signin.OAuth2 // nil: the source does not use it
	login  *signin.Login  // likewise
}

// Open leases the gate of a source, which from now on sends through it. Close
// the source when it is not used any longer.
func (g *Gates) Open(s *Source) {
	s.lease = g.lease(s, s.gateKey())
}

func (g *Gates) lease(s *Source, key gateKey) *Lease {
	lease := &Lease{name: s.name, gates: g, limits: s.limits}
	if o := s.cred.OAuth; o != nil && g.Accounts != nil {
		lease.oauth = g.Accounts.Open(o)
	}
	if s.login != nil && g.Accounts != nil {
		lease.login = g.Accounts.OpenLogin(hexSHA256([]byte(originOf(s.base) + " " + s.login.Account))[:32], s.name)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.open[key]
	if t == nil {
		t = &gate{key: key, leases: map[*Lease]struct{}{}}
		if g.OnBreaker != nil {
			t.breaker.onState = func(s BreakerState) { t.tell(g.OnBreaker, s) }
		}
		if g.NewTransport != nil {
			t.transport = g.NewTransport()
		}
		if g.open == nil {
			g.open = map[gateKey]*gate{}
		}
		g.open[key] = t
	}
	lease.gate = t
	t.leases[lease] = struct{}{}
	t.budget.say(lease, &lease.limits.rate)
	t.narrow()
	return lease
}

// privateLease is the lease of a source that shares its gate with nobody.
func privateLease(l limits) *Lease {
	lease := &Lease{gate: &gate{leases: map[*Lease]struct{}{}}, limits: l}
	lease.gate.leases[lease] = struct{}{}
	lease.gate.budget.say(lease, &l.rate)
	lease.gate.narrow()
	return lease
}

// Hold returns another lease of the source's gate, with the same limits.
func (s *Source) Hold() *Lease {
	if s.lease.gates == nil {
		return s.lease
	}
	return s.lease.gates.lease(s, s.lease.gate.key)
}

// Close gives the source's lease back. Requests in flight go on.
func (s *Source) Close() { s.lease.Close() }

// Close gives the lease back; its limits are not in force any longer. Closing
// it again does nothing.
func (l *Lease) Close() {
	g := l.gates
	if g == nil {
		return
	}
	g.mu.Lock()
	_, held := l.gate.leases[l]
	delete(l.gate.leases, l)
	last := held && len(l.gate.leases) == 0
	if last {
		delete(g.open, l.gate.key)
	} else if held {
		l.gate.budget.say(l, nil)
		l.gate.narrow()
	}
	g.mu.Unlock()
	if held && l.oauth != nil {
		g.Accounts.Close(l.oauth)
	}
	if held && l.login != nil {
		g.Accounts.CloseLogin(l.login)
	}
	if last {
		closeIdle(l.gate.transport)
	}
}

// narrow puts the narrowest of the leases' limits in force.
func (t *gate) narrow() {
	inFlight, breaker := 0, breakerLimits{}
	var names []string
	for l := range t.leases {
		if n := l.limits.inFlight; n > 0 && (inFlight == 0 || n < inFlight) {
			inFlight = n
		}
		breaker = breaker.narrower(l.limits.breaker)
		if !slices.Contains(names, l.name) {
			names = append(names, l.name)
		}
	}
	t.names.Store(&names)
	t.flight.setLimit(inFlight)
	t.breaker.set(breaker)
}

// tell tells how the breaker stands, for each source that uses the gate.
func (t *gate) tell(on func(string, BreakerState), s BreakerState) {
	if names := t.names.Load(); names != nil {
		for _, name := range *names {
			on(name, s)
		}
	}
}

// closeIdle closes the connections of a transport that no request is using.
func closeIdle(t http.RoundTripper) {
	if t, ok := t.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// gateKey returns whose gate the source uses.
func (s *Source) gateKey() gateKey {
	if s.base == nil {
		return gateKey{account: s.name}
	}
	key := gateKey{origin: originOf(s.base), account: s.cred.Account}
	if s.login != nil {
		key.account += " " + s.login.Account
	}
	if s.sign != nil {
		key.account += " " + s.sign.Account
	}
	return key
}

// flight counts the requests that are on their way, and keeps them to a limit.
// Who has to wait gets in in the order of arrival.
type flight struct {
	mu      sync.Mutex
	limit   int // 0: none
	count   int
	waiting []chan struct{} // closed when its owner has got in
}

// enter waits until the request may go out. Each enter needs a leave, unless it
// returns an error, which is ctx's.
func (f *flight) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	if len(f.waiting) == 0 && f.free() {
		f.count++
		f.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	f.waiting = append(f.waiting, turn)
	f.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.waiting, turn); i >= 0 {
		f.waiting = slices.Delete(f.waiting, i, i+1)
	} else {
		// Its turn came at the same moment: it goes to the next.
		f.count--
		f.admit()
	}
	return ctx.Err()
}

func (f *flight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count--
	f.admit()
}

func (f *flight) setLimit(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limit = n
	f.admit()
}

func (f *flight) free() bool { return f.limit == 0 || f.count < f.limit }

// admit lets in as many of those waiting as may.
func (f *flight) admit() {
	n := 0
	for n < len(f.waiting) && f.free() {
		f.count++
		close(f.waiting[n])
		n++
	}
	f.waiting = slices.Delete(f.waiting, 0, n)
}
