package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"
	"time"
)

// Ticket is what a `login` has given: what requests carry, and what the next
// `login` finds. It is immutable.
type Ticket struct {
	Data    json.RawMessage // what requests carry, for who has asked
	Keep    json.RawMessage // nil: nothing
	Expires time.Time       // zero: not known
	Secrets []string        // among all this
	Value   any             // of Data, as who has asked reads it

	obtained time.Time
}

func (t *Ticket) fresh(now time.Time) bool {
	return t.Expires.IsZero() || now.Before(ahead(&Record{Expires: t.Expires, Obtained: t.obtained}))
}

// Asker signs in. It is called by one task at a time.
type Asker struct {
	// Ask makes the request, with what the last sign-in has kept; null at first.
	Ask func(ctx context.Context, keep json.RawMessage) (*Ticket, error)
	// Read reads what requests carry; it gives the value and the secrets.
	Read func(data json.RawMessage) (value any, secrets []string, err error)
}

// Login is the sign-in of a source with a `login` block. It is safe for
// concurrent use.
type Login struct {
	session
	current atomic.Pointer[Ticket]
	refused atomic.Pointer[Ticket]
}

// OpenLogin returns the sign-in of an account that signs in by itself. All who
// open the same account share it. Each OpenLogin needs a CloseLogin.
func (a *Accounts) OpenLogin(account, name string) *Login {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.logins[account]
	if l == nil {
		l = &Login{session: a.session(account)}
		if a.logins == nil {
			a.logins = map[string]*Login{}
		}
		a.logins[account] = l
	}
	l.users++
	l.name.Store(&name)
	return l
}

// CloseLogin gives back what OpenLogin has given.
func (a *Accounts) CloseLogin(l *Login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(a.logins, l.account)
	}
}

// Current returns what requests carry; nil if it is time to sign in.
func (l *Login) Current() *Ticket {
	t := l.current.Load()
	if t == nil || t == l.refused.Load() || !t.fresh(l.accounts.Clock.Now()) {
		return nil
	}
	return t
}

// Refused says that the API did not take the ticket.
func (l *Login) Refused(t *Ticket) { l.refused.Store(t) }

// Ticket returns what requests carry, and signs in first if need be: one task of
// one process does.
func (l *Login) Ticket(ctx context.Context, by Asker) (*Ticket, error) {
	if t := l.Current(); t != nil {
		return t, nil
	}
	if _, err := l.takeTurn(ctx, true); err != nil {
		return nil, err
	}
	defer l.endTurn()
	if t := l.Current(); t != nil {
		return t, nil // somebody else was faster
	}
	if err := l.quiet(); err != nil {
		return nil, err
	}
	unlock, err := l.accounts.Store.Lock(ctx, l.account)
	if err != nil {
		return nil, err
	}
	defer unlock()
	t, err := l.renew(ctx, by)
	if err != nil {
		if ctx.Err() == nil {
			l.fail(err, false)
		}
		return nil, err
	}
	l.learn(t.Secrets...)
	l.current.Store(t)
	l.works()
	return t, nil
}

// renew takes what another process has got, or signs in. The caller has the turn
// and the lock.
func (l *Login) renew(ctx context.Context, by Asker) (*Ticket, error) {
	r, err := l.accounts.Store.Read(l.account)
	if err != nil {
		return nil, &goneError{err}
	}
	var keep json.RawMessage
	if r != nil {
		keep = r.Keep
		if t := l.kept(r, by); t != nil {
			return t, nil
		}
	}
	if keep == nil {
		if t := l.current.Load(); t != nil {
			keep = t.Keep
		}
	}
	t, err := by.Ask(ctx, keep)
	if err != nil {
		return nil, err
	}
	l.learn(t.Secrets...)
	t.obtained = l.accounts.Clock.Now()
	next := &Record{Account: l.account, Name: *l.name.Load(), Obtained: t.obtained, Keep: t.Keep}
	if !t.Expires.IsZero() {
		// Without an end it is good for this process only.
		next.Login, next.Expires = t.Data, t.Expires
	}
	if next.Login == nil && next.Keep == nil && r == nil {
		return t, nil
	}
	return t, l.accounts.Store.Write(next)
}

// kept returns the ticket of a record, if it is still good and another than the
// one that was refused.
func (l *Login) kept(r *Record, by Asker) *Ticket {
	if len(r.Login) == 0 || r.Expires.IsZero() {
		return nil
	}
	t := &Ticket{Data: r.Login, Keep: r.Keep, Expires: r.Expires, obtained: r.Obtained}
	if refused := l.refused.Load(); refused != nil && bytes.Equal(compact(refused.Data), compact(t.Data)) {
		return nil
	}
	if !t.fresh(l.accounts.Clock.Now()) {
		return nil
	}
	var err error
	if t.Value, t.Secrets, err = by.Read(t.Data); err != nil {
		return nil // of another version; signing in again mends it
	}
	return t
}

// compact returns JSON without white space, which a file of it may have.
func compact(data json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data
	}
	return b.Bytes()
}
