package credentials

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// redacted stands in the place of a secret.
const redacted = "[redacted]"

// minSecret is the length in bytes below which a secret is not redacted by
// value: replacing every "abc" in every text would shred it, and tell more
// about the secret than leaving it.
const minSecret = 4

// Redactor replaces secrets in text by "[redacted]", wherever they stand and
// also in their URL-escaped, JSON-escaped and base64 forms (operations,
// "Credentials": secrets are redacted by value). Secrets shorter than 4 bytes
// are left alone. It is safe for concurrent use; the zero Redactor and a nil
// one redact nothing. Text without a secret costs one pass and no allocation.
type Redactor struct {
	mu    sync.Mutex // held while forms are added
	forms atomic.Pointer[forms]
}

// forms is every written form of every secret. It is immutable.
type forms struct {
	all     map[string]struct{}
	byFirst [256][]string // by first byte, longest first
	longest int
}

// Add makes r redact the secrets from now on. Adding one again does nothing.
func (r *Redactor) Add(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.forms.Load()
	next := &forms{all: make(map[string]struct{})}
	if old != nil {
		for f := range old.all {
			next.all[f] = struct{}{}
		}
	}
	for _, s := range secrets {
		for _, f := range writtenForms(s) {
			next.all[f] = struct{}{}
		}
	}
	if old != nil && len(next.all) == len(old.all) {
		return
	}
	next.index()
	r.forms.Store(next)
}

// Forget makes r leave the secrets alone from now on: tokens that have long been
// replaced must not pile up in a process that runs for years. Those that share a
// written form with a secret that is not forgotten lose that form.
func (r *Redactor) Forget(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.forms.Load()
	if old == nil {
		return
	}
	gone := make(map[string]struct{})
	for _, s := range secrets {
		for _, f := range writtenForms(s) {
			gone[f] = struct{}{}
		}
	}
	next := &forms{all: make(map[string]struct{}, len(old.all))}
	for f := range old.all {
		if _, ok := gone[f]; !ok {
			next.all[f] = struct{}{}
		}
	}
	next.index()
	r.forms.Store(next)
}

// index prepares the forms for searching.
func (f *forms) index() {
	for form := range f.all {
		f.byFirst[form[0]] = append(f.byFirst[form[0]], form)
		f.longest = max(f.longest, len(form))
	}
	for i := range f.byFirst {
		slices.SortFunc(f.byFirst[i], func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
}

// writtenForms returns secret as logs, URLs, JSON and headers would show it.
func writtenForms(secret string) []string {
	if len(secret) < minSecret {
		return nil
	}
	quoted, _ := json.Marshal(secret) // a string always marshals
	html := string(quoted[1 : len(quoted)-1])
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(html)
	out := []string{
		secret,
		html,
		plain,
		strings.ReplaceAll(plain, "/", `\/`),
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.URLEncoding.EncodeToString([]byte(secret)),
	}
	out = append(out, withinBase64(secret)...)
	for _, esc := range []string{
		url.QueryEscape(secret),
		url.PathEscape(secret),
		strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
	} {
		out = append(out, esc, lowerEscapes(esc))
	}
	return out
}

// minWithin is the length below which the part of a base64 text that a secret
// makes up alone is not looked for: it would be found in other texts, too.
const minWithin = 8

// withinBase64 returns what is always the same in the base64 form of a text that
// the secret stands in: it depends on where the secret begins in a group of three
// bytes, and its first and last digit on what stands beside it.
func withinBase64(secret string) []string {
	var out []string
	for shift := range 3 {
		padded := append(make([]byte, shift, shift+len(secret)), secret...)
		from, to := (8*shift+5)/6, 8*len(padded)/6
		if to-from < minWithin {
			continue
		}
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			out = append(out, enc.EncodeToString(padded)[from:to])
		}
	}
	return out
}

// lowerEscapes writes the digits of the percent-escapes in s in lower case.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(s[i+1:i+3]))
			i += 2
		}
	}
	return string(b)
}

// Redact returns s with every secret replaced by "[redacted]". Secrets that
// overlap in s are replaced as one.
func (r *Redactor) Redact(s string) string {
	f := r.load()
	if f == nil {
		return s
	}
	from, to := f.next(s, 0)
	if from < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	at := 0
	for from >= 0 {
		b.WriteString(s[at:from])
		b.WriteString(redacted)
		at = to
		from, to = f.next(s, at)
	}
	b.WriteString(s[at:])
	return b.String()
}

// Head returns the first n characters of s, redacted. It looks at secrets that
// reach beyond the cut, so that no part of one is shown, and never at more of
// s than it needs. Each byte that is not UTF-8 shows as U+FFFD.
func (r *Redactor) Head(s string, n int) string {
	// A character has at most four bytes: the cut lies within the window.
	window, reach := s[:min(len(s), n*utf8.UTFMax)], s
	f := r.load()
	if f != nil {
		reach = s[:min(len(s), n*utf8.UTFMax+f.longest)]
	}
	var b strings.Builder
	count := 0
	at := 0
	for at < len(window) && count < n {
		from, to := -1, 0
		if f != nil {
			from, to = f.next(reach, at)
		}
		end := len(window)
		if from >= 0 {
			end = min(end, from)
		}
		for _, c := range window[at:end] {
			if count == n {
				return b.String()
			}
			b.WriteRune(c)
			count++
		}
		if from < 0 || from >= len(window) || count == n {
			break
		}
		b.WriteString(redacted)
		count += len(redacted)
		at = to
	}
	return b.String()
}

func (r *Redactor) load() *forms {
	if r == nil {
		return nil
	}
	return r.forms.Load()
}

// next returns where the next secret in s at or after start lies, grown over
// those that overlap it, or -1.
func (f *forms) next(s string, start int) (from, to int) {
	from = -1
	for i := start; i < len(s); i++ {
		if from >= 0 && i >= to {
			return from, to
		}
		for _, form := range f.byFirst[s[i]] {
			if strings.HasPrefix(s[i:], form) {
				if from < 0 {
					from = i
				}
				to = max(to, i+len(form))
				break // longest first
			}
		}
	}
	return from, to
}
