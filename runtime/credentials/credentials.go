// Package credentials finds out how a source proves who it is: from the
// credentials file, from options of the source, or from the environment
// (operations, "Credentials"), and keeps the secrets among them out of
// everything that is written (Redactor).
//
// Every error of this package is a configuration error: it is known before the
// first request is made, names the file and the place in it, says what to put
// there, and never shows a secret.
package credentials

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"reqon/vm/value"
)

// Kinds of authentication, as the `auth` option of a source and `type` in the
// credentials file name them.
const (
	None   = "none"
	Bearer = "bearer"
	Basic  = "basic"
	APIKey = "api_key"
	OAuth2 = "oauth2"
	SigV4  = "aws_sigv4"
)

// ErrMissing is wrapped by the error for a source whose `auth` needs
// credentials that are nowhere to be found.
var ErrMissing = errors.New("credentials are missing")

// maxFile is how large a credentials file may be, in bytes. A larger one is
// another file given by mistake.
const maxFile = 1 << 20

// Set is what a credentials file and the environment hold. It is safe for
// concurrent use.
type Set struct {
	// Warnings says what a person should mend although it does no harm to a
	// run: a file that others can read, a field that nothing reads. They hold
	// no secrets.
	Warnings []string

	file    string                 // as it was named, "" if there is none
	text    string                 // of the file
	entries map[string]value.Value // by source
	getenv  func(string) (string, bool)

	mu      sync.Mutex
	secrets map[string]struct{} // of the credentials handed out so far
}

// Load reads the credentials file at path, or none if path is "". Each entry
// is only looked into when its source asks for it, so that a mistake in one
// stops no other source. getenv looks up environment variables; nil means
// os.LookupEnv.
func Load(path string, getenv func(string) (string, bool)) (*Set, error) {
	if getenv == nil {
		getenv = os.LookupEnv
	}
	s := &Set{file: path, getenv: getenv, secrets: make(map[string]struct{})}
	if path == "" {
		return s, nil
	}
	text, err := s.read()
	if err != nil {
		return nil, err
	}
	if err := s.parse(text); err != nil {
		return nil, err
	}
	s.text = text
	return s, nil
}

// SameFile tells whether the files of both sets held the same.
func (s *Set) SameFile(o *Set) bool { return s.text == o.text }

// read returns the text of the file, and warns if others can read it too.
func (s *Set) read() (string, error) {
	f, err := os.Open(s.file)
	if err != nil {
		return "", fmt.Errorf("the credentials file can't be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("the credentials file can't be read: %w", err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("the credentials file %s is a folder, expected a JSON file", s.file)
	}
	// A pipe (--auth <(decrypt …)) has no readers to worry about, and Windows
	// reports modes that mean nothing.
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o044 != 0 && runtime.GOOS != "windows" {
		s.Warnings = append(s.Warnings, fmt.Sprintf(
			"the credentials file %s can be read by other users (mode %04o): run chmod 600 on it", s.file, mode.Perm()))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("the credentials file can't be read: %w", err)
	}
	if len(data) > maxFile {
		return "", fmt.Errorf("the credentials file %s is larger than %d bytes, expected a small JSON object by source name", s.file, maxFile)
	}
	return string(data), nil
}

// parse takes apart the file's text into entries.
func (s *Set) parse(text string) error {
	doc, err := value.ParseJSON(nil, text)
	if err != nil {
		return fmt.Errorf("the credentials file %s is not valid JSON: %s", s.file, harmless(err))
	}
	if doc.Kind() != value.Object {
		return fmt.Errorf(`the credentials file %s holds %s, expected an object by source name: { "API": { "type": "bearer", "token": "…" } }`,
			s.file, kindOf(doc))
	}
	s.entries = make(map[string]value.Value)
	o := doc.Obj()
	for i, v := range o.Slots() {
		name := o.Shape().Key(i)
		s.entries[name] = v
		if v.Kind() == value.Object {
			s.warnUnknown(name, v.Obj())
		}
	}
	return nil
}

// harmless returns a JSON error without what was found, which may be a secret
// that lacks its quotes.
func harmless(err error) string {
	var syntax *value.SyntaxError
	if !errors.As(err, &syntax) {
		return "it can't be parsed"
	}
	msg := syntax.Msg
	if i := strings.LastIndex(msg, "expected "); i >= 0 {
		msg = msg[i:]
	} else {
		msg = "it can't be parsed here"
	}
	return fmt.Sprintf("line %d, column %d: %s", syntax.Line, syntax.Column, msg)
}

// kindOf names the type of v, with its article and without its text.
func kindOf(v value.Value) string {
	switch name := value.TypeName(v); name {
	case "null":
		return name
	case "array", "object":
		return "an " + name
	default:
		return "a " + name
	}
}

// Secrets returns the secrets of all credentials handed out so far, sorted,
// for a Redactor.
func (s *Set) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.secrets))
}

// Names returns the names of all entries of the file, sorted.
func (s *Set) Names() []string { return slices.Sorted(maps.Keys(s.entries)) }

// Field is one header or query parameter.
type Field struct{ Name, Value string }

// Credential is what a source adds to each request to its own origin. It is
// immutable.
type Credential struct {
	Kind    string  // None, Bearer, Basic, APIKey, OAuth2 or SigV4
	Headers []Field // names in canonical form
	Query   []Field
	// Account tells one user of an API from another: two credentials with the
	// same one sign in as the same user, whatever the sources are called. It
	// shows nothing of the secrets.
	Account string
	OAuth   *OAuth // of kind OAuth2: how to come by the token to send
	AWS     *AWS   // of kind SigV4: what to sign with

	secrets []string
}

// Secrets returns the texts of the credential that must never be shown, for a
// Redactor. c may be nil.
func (c *Credential) Secrets() []string {
	if c == nil {
		return nil
	}
	return slices.Clone(c.secrets)
}

// For returns the credential of a source. authKind is the source's `auth`
// option, or "" if it has none: then the entry's type counts, or else what the
// fields that are there are good for. inline holds those of the options token,
// username, password, apiKey, apiKeyHeader and apiKeyQuery that the source
// gives. A field is looked for in the source's entry of the file, then in
// inline, then, if the file has no entry for the source, in the environment
// as REQON_<SOURCE>_<FIELD>.
//
// Without `auth` and anything to go by, the credential is of kind None. Errors
// wrap ErrMissing where it fits.
func (s *Set) For(source, authKind string, inline map[string]string) (*Credential, error) {
	if authKind == None {
		return &Credential{Kind: None}, nil
	}
	l := &lookup{set: s, source: source, inline: inline}
	if err := l.open(); err != nil {
		return nil, err
	}
	kind, err := l.kind(authKind)
	if err != nil {
		return nil, err
	}
	c := &Credential{Kind: kind}
	switch kind {
	case None:
	case Bearer:
		err = l.bearer(c)
	case Basic:
		err = l.basic(c)
	case APIKey:
		err = l.apiKey(c)
	case OAuth2:
		err = l.oauth2(c)
	case SigV4:
		err = l.sigV4(c)
	}
	if err != nil {
		return nil, err
	}
	if kind != None {
		if err := l.additionalHeaders(c); err != nil {
			return nil, err
		}
	}
	c.Account = c.account()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range c.secrets {
		s.secrets[secret] = struct{}{}
	}
	return c, nil
}
