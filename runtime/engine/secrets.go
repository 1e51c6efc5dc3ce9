package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"reqon/runtime/credentials"
	"reqon/runtime/telemetry"
	"reqon/vm"
	"reqon/vm/value"
)

// minNamedSecret is the length in bytes below which what a variable holds is no
// secret for its name's sake: TOKEN=dev must not take every "dev" out of a log.
const minNamedSecret = 8

// learnNamed takes what an environment variable holds for a secret if its name
// says so. Such a value is kept out of logs and errors; what a mission stores
// of it stays as it is, since it may store it to use it later.
func (r *run) learnNamed(name, text string) {
	if len(text) < minNamedSecret || !namesSecret(name) {
		return
	}
	if _, known := r.named.LoadOrStore(name, struct{}{}); !known {
		r.engine.cfg.Redactor.Add(text)
	}
}

// namesSecret reports whether the name of an environment variable says that it
// holds a secret.
func namesSecret(name string) bool {
	words := strings.Split(strings.ToUpper(name), "_")
	for i, w := range words {
		switch w {
		case "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PWD", "APIKEY", "CREDENTIALS":
			return true
		case "KEY":
			if i == len(words)-1 && i > 0 && slices.Contains([]string{"API", "ACCESS", "PRIVATE", "SIGNING", "ENCRYPTION", "AUTH"}, words[i-1]) {
				return true
			}
		}
	}
	return false
}

// sourceSecrets are the secrets of a source's credential, as a run's stores are
// kept from them.
type sourceSecrets struct {
	source  string
	tokens  credentials.Tokens
	signsIn bool        // it sends what sign-ins bring, too
	asked   atomic.Bool // it was sent a request in this run
}

// withoutSecrets gives a record as it is stored: a server that echoes a request must
// not put its credentials into a store (operations, "Credentials"). Only sources
// that were asked can have echoed one; where none was, the mission itself stores
// what it has. Only whole tokens of some length are taken out, as a guess changes
// data: found counts them, for the run to tell. A
// key or a field name that holds one is an error: to write another one would mix up
// records. v stays as it is; what holds no secret is not copied.
func (r *run) withoutSecrets(key string, v value.Value) (clean value.Value, found int, err error) {
	asked := slices.ContainsFunc(r.secrets, func(own *sourceSecrets) bool { return own.asked.Load() })
	for _, own := range r.secrets {
		if asked && !own.asked.Load() {
			continue
		}
		lists := [2]*credentials.Tokens{&own.tokens, nil}
		if own.signsIn {
			lists[1] = &r.engine.signedIn
		}
		for _, tokens := range lists {
			if tokens == nil || tokens.None() {
				continue
			}
			c := cleaner{tokens: tokens}
			v = c.clean(v)
			found += c.found
			switch {
			case tokens.Holds(key):
				return v, found, fmt.Errorf("the key of the record holds a credential of the source %s, and a key is not changed: use another `key`", own.source)
			case c.named:
				return v, found, fmt.Errorf("the name of a field of the record holds a credential of the source %s, and a name is not changed: `map` the record to other fields, or leave that one out", own.source)
			}
		}
	}
	return v, found, nil
}

// tellRedacted counts and logs what was taken out of the records of a store step:
// the log has it once a step, and the count says how often.
func (r *run) tellRedacted(s *runStore, found int, at vm.At) {
	if found == 0 {
		return
	}
	r.count(&r.outcome.redacted, telemetry.CountRedacted, found)
	tell := r.log.Debug
	if _, told := r.redactions.LoadOrStore(at.Pos, struct{}{}); !told {
		tell = r.log.Warn
	}
	tell(fmt.Sprintf("Store %s: a record held a credential, which is stored as [redacted]", s.name), r.place(at)...)
}

// cleaner takes tokens out of a value.
type cleaner struct {
	tokens *credentials.Tokens
	found  int  // in values
	named  bool // one stands in the name of a field
}

func (c *cleaner) clean(v value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		if clean, found := c.tokens.Redact(v.Str()); found > 0 {
			c.found += found
			return value.FromString(clean)
		}
	case value.Array:
		if list := c.cleanAll(v.Elems()); list != nil {
			return value.FromArray(list)
		}
	case value.Object:
		o := v.Obj()
		for i := range o.Slots() {
			c.named = c.named || c.tokens.Holds(o.Shape().Key(i))
		}
		if slots := c.cleanAll(o.Slots()); slots != nil {
			return value.FromObject(value.NewObj(o.Shape(), slots))
		}
	}
	return v
}

// cleanAll gives list without tokens, or nil if it holds none.
func (c *cleaner) cleanAll(list []value.Value) []value.Value {
	var clean []value.Value
	for i, e := range list {
		if e.Kind() != value.String && e.Kind() != value.Array && e.Kind() != value.Object {
			continue
		}
		before := c.found
		e = c.clean(e)
		if c.found == before {
			continue
		}
		if clean == nil {
			clean = slices.Clone(list)
		}
		clean[i] = e
	}
	return clean
}
