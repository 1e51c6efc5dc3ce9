package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reqon/runtime/credentials"
)

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Wire is how a token endpoint is reached: as the requests of the source are
// that needs the token.
type Wire struct {
	Transport http.RoundTripper
	Timeout   time.Duration // of one attempt
	Attempts  int           // at most, the first included
	// Pause returns how long to wait before the next attempt; headers are those
	// of the answer, or nil. ok is false if that is longer than anybody waits.
	Pause func(headers http.Header, failed int) (wait time.Duration, ok bool)
}

// Accounts are the sign-ins of a process, which all its sources share. It is
// safe for concurrent use.
type Accounts struct {
	Store *Store
	Clock Clock
	// Learn is told the secrets that come of sign-ins, before anybody uses them,
	// and Forget those that are no use to anybody any longer.
	Learn, Forget func(secrets ...string)
	// OnState is told whether the sign-in of a source works, when that changes.
	OnState func(source string, ok bool)

	mu     sync.Mutex
	open   map[string]*OAuth2
	logins map[string]*Login
}

// session is what all sign-ins have: one task renews it, and what came of that
// counts for all others.
type session struct {
	accounts *Accounts
	account  string
	users    int // under Accounts.mu
	name     atomic.Pointer[string]
	state    atomic.Pointer[failure]

	turn chan struct{} // holds an element while somebody renews it
	// The rest is for whoever has the turn.
	known  []string // secrets that the redactor knows, oldest first
	failed int      // in a row
}

func (a *Accounts) session(account string) session {
	return session{accounts: a, account: account, turn: make(chan struct{}, 1)}
}

// Open returns the sign-in that an entry of the credentials describes. All who
// open the same account share it, and the entry that was opened last counts.
// Each Open needs a Close.
func (a *Accounts) Open(cfg *credentials.OAuth) *OAuth2 {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.open[cfg.Account]
	if s == nil {
		s = &OAuth2{session: a.session(cfg.Account)}
		if a.open == nil {
			a.open = map[string]*OAuth2{}
		}
		a.open[cfg.Account] = s
	}
	s.users++
	s.name.Store(&cfg.Name)
	if old := s.cfg.Swap(cfg); old != nil && old.Hash != cfg.Hash {
		s.state.Store(nil) // what did not work may work now
		s.current.Store(nil)
	}
	return s
}

// Close gives back what Open has given.
func (a *Accounts) Close(s *OAuth2) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(a.open, s.account)
	}
}

// Problem is a sign-in that does not work.
type Problem struct {
	Source string
	Err    error
}

// Problems returns the sign-ins that do not work, sorted by source.
func (a *Accounts) Problems() []Problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []Problem
	add := func(s *session) {
		if f := s.state.Load(); f != nil && !f.early {
			list = append(list, Problem{*s.name.Load(), f.err})
		}
	}
	for _, s := range a.open {
		add(&s.session)
	}
	for _, s := range a.logins {
		add(&s.session)
	}
	slices.SortFunc(list, func(x, y Problem) int {
		if x.Source < y.Source {
			return -1
		}
		return 1
	})
	return list
}

// Token is an access token.
type Token struct {
	// Authorization is the header that carries it; it is only read.
	Authorization []string

	access  string
	ahead   time.Time // when to renew it; zero: when it is refused
	expires time.Time // zero: not known
}

func (t *Token) fresh(now time.Time) bool { return t.ahead.IsZero() || now.Before(t.ahead) }
func (t *Token) valid(now time.Time) bool { return t.expires.IsZero() || now.Before(t.expires) }

// OAuth2 is the sign-in of one account. It is safe for concurrent use.
type OAuth2 struct {
	session
	cfg     atomic.Pointer[credentials.OAuth]
	current atomic.Pointer[Token]
	refused atomic.Pointer[Token] // the last that the API did not take
	unsaved *Record               // an answer that could not be written to disk yet; for whoever has the turn
}

// failure is why there is no token, and until when nobody needs to ask again.
type failure struct {
	err   error
	until time.Time
	dead  bool // only another sign-in helps: it is looked for each time
	early bool // the token from before still holds
}

// Current returns the access token to send, nil if it is time to ask Token for
// another one.
func (s *OAuth2) Current() *Token {
	t := s.current.Load()
	if t == nil || t == s.refused.Load() {
		return nil
	}
	if now := s.accounts.Clock.Now(); t.fresh(now) && t.valid(now) {
		return t
	}
	return nil
}

// Token returns the access token to send, and renews it first if that is due.
// While somebody renews a token that still holds, others go on with it.
func (s *OAuth2) Token(ctx context.Context, w *Wire) (*Token, error) {
	if t := s.Current(); t != nil {
		return t, nil
	}
	t := s.current.Load()
	usable := t != nil && t != s.refused.Load() && t.valid(s.accounts.Clock.Now())
	switch got, err := s.takeTurn(ctx, !usable); {
	case err != nil:
		return nil, err
	case !got:
		return t, nil
	}
	defer s.endTurn()
	next, err := s.renewed(ctx, w, usable)
	if err != nil && usable && ctx.Err() == nil {
		return t, nil // it holds for a while; there is time to try again
	}
	return next, err
}

// takeTurn makes the caller the one who renews the sign-in. Without wait it does
// so only if nobody else is at it.
func (s *session) takeTurn(ctx context.Context, wait bool) (got bool, err error) {
	if !wait {
		select {
		case s.turn <- struct{}{}:
			return true, nil
		default:
			return false, nil
		}
	}
	select {
	case s.turn <- struct{}{}:
		return true, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

func (s *session) endTurn() { <-s.turn }

// quiet returns the error that everybody gets for a while after a failure.
func (s *session) quiet() error {
	if f := s.state.Load(); f != nil && !f.dead && s.accounts.Clock.Now().Before(f.until) {
		return f.err
	}
	return nil
}

// renewed returns a token that holds. The caller has the turn.
func (s *OAuth2) renewed(ctx context.Context, w *Wire, usable bool) (*Token, error) {
	refused := s.refused.Load()
	if t := s.Current(); t != nil {
		return t, nil // somebody else was faster
	}
	if err := s.quiet(); err != nil {
		return nil, err
	}
	unlock, err := s.accounts.Store.Lock(ctx, s.account)
	if err != nil {
		return nil, err
	}
	defer unlock()
	r, err := s.renew(ctx, w, refused)
	if err != nil {
		if ctx.Err() == nil {
			s.fail(err, usable)
		}
		return nil, err
	}
	return s.use(r), nil
}

// The waits after a failed renewal: everybody who needs the token in this time
// gets the same error, without asking again.
const (
	firstQuiet = time.Second
	maxQuiet   = 30 * time.Second
)

func (s *session) fail(err error, early bool) {
	quiet := min(firstQuiet<<min(s.failed, 10), maxQuiet)
	s.failed++
	var gone *goneError
	f := &failure{err: err, until: s.accounts.Clock.Now().Add(quiet), dead: errors.As(err, &gone), early: early}
	if old := s.state.Swap(f); (old == nil || old.early) && !early && s.accounts.OnState != nil {
		s.accounts.OnState(*s.name.Load(), false)
	}
}

// use makes the record's token the current one.
func (s *OAuth2) use(r *Record) *Token {
	s.learn(r.AccessToken, r.RefreshToken)
	kind := r.TokenType
	if kind == "" || equalFold(kind, "bearer") {
		kind = "Bearer"
	}
	t := &Token{Authorization: []string{kind + " " + r.AccessToken}, access: r.AccessToken, expires: r.Expires, ahead: ahead(r)}
	s.current.Store(t)
	s.works()
	return t
}

// works says that the sign-in works.
func (s *session) works() {
	s.failed = 0
	if old := s.state.Swap(nil); old != nil && !old.early && s.accounts.OnState != nil {
		s.accounts.OnState(*s.name.Load(), true)
	}
}

// maxAhead is how long before its end a token is renewed, at most.
const maxAhead = time.Minute

// ahead is when to renew the token: a tenth of its life before its end.
func ahead(r *Record) time.Time {
	if r.Expires.IsZero() {
		return time.Time{}
	}
	before := maxAhead
	if !r.Obtained.IsZero() {
		before = min(before, r.Expires.Sub(r.Obtained)/10)
	}
	return r.Expires.Add(-before)
}

// keptSecrets is how many tokens of an account stay redacted: the current ones,
// and those before, which requests may still be on their way with.
const keptSecrets = 8

func (s *session) learn(secrets ...string) {
	a := s.accounts
	if a.Learn == nil {
		return
	}
	for _, secret := range secrets {
		if secret == "" || slices.Contains(s.known, secret) {
			continue
		}
		a.Learn(secret)
		s.known = append(s.known, secret)
	}
	for len(s.known) > max(keptSecrets, 4*len(secrets)) {
		if a.Forget != nil {
			a.Forget(s.known[0])
		}
		s.known = s.known[1:]
	}
}

// Refused says that the API did not take the token. It tells whether it makes
// sense to ask for another one: not if there is no way to get one.
func (s *OAuth2) Refused(t *Token) bool {
	s.refused.Store(t)
	return s.cfg.Load().Grant != credentials.GrantNone || s.current.Load() != t
}

// Entry returns the entry of the credentials that the sign-in is of.
func (s *OAuth2) Entry() *credentials.OAuth { return s.cfg.Load() }

// goneError says that no token can be had before somebody has done something.
type goneError struct{ err error }

func (e *goneError) Error() string { return e.err.Error() }
func (e *goneError) Unwrap() error { return e.err }

// IsGone tells whether err says that somebody has to sign in again, or mend the
// credentials, before there is a token.
func IsGone(err error) bool {
	var gone *goneError
	return errors.As(err, &gone)
}

// Answered tells whether err is of a server that has answered, and not of the
// way to it.
func Answered(err error) bool {
	var answer *answerError
	return IsGone(err) || errors.As(err, &answer)
}

func gone(format string, args ...any) error { return &goneError{fmt.Errorf(format, args...)} }
