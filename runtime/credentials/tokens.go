package credentials

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// minToken is how many characters a secret must have to be taken out of stored
// data. `1234` and `test` are data far more often than they are a password.
const minToken = 12

// Tokens finds secrets in data that is stored, where a wrong guess changes what
// somebody relies on. A secret counts only as a whole token, with no letter or digit
// beside it, and only from 12 characters on; in its URL-escaped, JSON-escaped and
// base64 forms, too. It is safe for concurrent use, and the zero Tokens finds
// nothing.
type Tokens struct {
	known Redactor
}

// Add makes t find the secrets from now on.
func (t *Tokens) Add(secrets ...string) { t.known.Add(longEnough(secrets)...) }

// Forget makes t leave the secrets alone from now on.
func (t *Tokens) Forget(secrets ...string) { t.known.Forget(longEnough(secrets)...) }

func longEnough(secrets []string) []string {
	var long []string
	for _, s := range secrets {
		if utf8.RuneCountInString(s) >= minToken {
			long = append(long, s)
		}
	}
	return long
}

// None reports whether there is no secret to be found at all.
func (t *Tokens) None() bool {
	f := t.known.load()
	return f == nil || len(f.all) == 0
}

// Holds reports whether a text holds a secret.
func (t *Tokens) Holds(s string) bool {
	f := t.known.load()
	if f == nil {
		return false
	}
	from, _ := f.nextToken(s, 0)
	return from >= 0
}

// Redact returns s with each secret replaced by "[redacted]", and how many there
// were. Text without a secret costs one pass and no allocation.
func (t *Tokens) Redact(s string) (clean string, found int) {
	f := t.known.load()
	if f == nil {
		return s, 0
	}
	from, to := f.nextToken(s, 0)
	if from < 0 {
		return s, 0
	}
	var b strings.Builder
	at := 0
	for from >= 0 {
		b.WriteString(s[at:from])
		b.WriteString(redacted)
		at = to
		found++
		from, to = f.nextToken(s, at)
	}
	b.WriteString(s[at:])
	return b.String(), found
}

// nextToken returns where the next secret that is a whole token lies in s at or
// after start, or -1.
func (f *forms) nextToken(s string, start int) (from, to int) {
	if len(s)-start < minToken {
		return -1, 0
	}
	for i := start; i < len(s); i++ {
		for _, form := range f.byFirst[s[i]] {
			if len(form) >= minToken && strings.HasPrefix(s[i:], form) && !letterBefore(s[:i]) && !letterBehind(s[i+len(form):]) {
				return i, i + len(form)
			}
		}
	}
	return -1, 0
}

func letterBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

func letterBehind(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}
