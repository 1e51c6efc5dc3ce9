package httpclient

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"reqon/vm/value"
)

// Kind is what went wrong with a request, in the words of the error envelope
// (language definition, section 6.1, "Failure").
type Kind string

// The kinds of failure.
const (
	KindTimeout     Kind = "timeout"
	KindNetwork     Kind = "network"
	KindDNS         Kind = "dns"
	KindTLS         Kind = "tls"
	KindCircuitOpen Kind = "circuit_open"
	KindRateLimit   Kind = "rate_limit"   // a 429, a 403 that says when to come back, or a wait beyond maxWait
	KindInvalidJSON Kind = "invalid_json" // a body that is whole but not what it says to be
	KindHTTP        Kind = "http"
	KindRejected    Kind = "rejected" // an answer that is not what the request needs, whatever its status
)

// ErrRefused is why an answer is refused where it must say so itself.
var ErrRefused = errors.New("failWhen holds")

// Failure is a failed request, after its last attempt.
type Failure struct {
	Kind     Kind
	Status   int // of the answer, 0 if there was none
	Source   string
	Method   string
	URL      string      // without secrets
	Headers  http.Header // of the answer; may hold secrets
	Body     value.Value // of the answer: its value, or text if it can't be parsed; may hold secrets
	Attempts int
	Snippet  string // the first 200 characters of the body, without secrets, on one line
	Err      error  // what happened, if it is not just the status

	refused   bool   // the request's Refuse is why it is a failure
	byStatus  bool   // its status is why it is a failure
	note      string // a redirect that matters to understand the failure
	redact    func(string) string
	final     bool // another attempt would fail as well
	home      bool // it is of the source's own origin
	unsent    bool // there never was a connection to send it on
	processed bool // a redirect says that it has been processed
}

// snippetLength is how much of a body an error shows (operations, "Logs").
const snippetLength = 200

// failure returns a new failure of the call, of which at is the last hop.
func (k *call) failure(kind Kind, at *hop) *Failure {
	f := &Failure{Kind: kind, Source: k.source.name, Method: k.method, URL: k.displayURL(k.url), redact: k.client.redactor.Redact, Attempts: 1, home: at.home}
	if at.home != k.home {
		f.note = "after a redirect to " + k.displayURL(at.url) + ", where no credentials or headers of the source were sent, as it is another origin"
	} else if !sameOrigin(at.url, k.url) || at.url.Path != k.url.Path {
		f.note = "after a redirect to " + k.displayURL(at.url)
	}
	return f
}

// answered adds what the server said.
func (f *Failure) answered(resp *http.Response) {
	f.Status = resp.StatusCode
	f.Headers = resp.Header
}

// snippet returns the start of a body for people.
func (k *call) snippet(data []byte) string {
	return oneLine(k.client.redactor.Head(textOf(data), snippetLength))
}

// oneLine puts text on one line, so that no answer can forge a line of a log.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// Error says in one line what was asked, what happened and what came back.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", f.Method, f.URL)
	switch {
	case f.Status == 0 && f.Err != nil:
		// The cause says more than the kind.
	case f.Status == 0:
		b.WriteString(string(f.Kind))
	case http.StatusText(f.Status) != "":
		fmt.Fprintf(&b, "%d %s", f.Status, http.StatusText(f.Status))
	default:
		fmt.Fprintf(&b, "status %d", f.Status)
	}
	if f.Err != nil {
		if f.Status != 0 {
			b.WriteString(": ")
		}
		b.WriteString(f.clean(oneLine(f.Err.Error())))
	}
	if f.note != "" {
		b.WriteString(", " + f.note)
	}
	if f.Attempts > 1 {
		fmt.Fprintf(&b, " (%d attempts)", f.Attempts)
	}
	if f.Snippet != "" {
		b.WriteString(": " + f.Snippet)
	}
	return b.String()
}

// ByStatus reports whether the failure is one by its status, and not by what is
// wrong with its answer or with the way to it.
func (f *Failure) ByStatus() bool { return f.byStatus }

// Unwrap returns what caused the failure.
func (f *Failure) Unwrap() error { return f.Err }

func (f *Failure) clean(text string) string {
	if f.redact == nil {
		return text
	}
	return f.redact(text)
}

// reason is why another attempt is made, in a few possible words.
func (f *Failure) reason() string {
	if f.Status != 0 {
		return strconv.Itoa(f.Status)
	}
	return string(f.Kind)
}

// Envelope returns the failure as a mission sees it (language definition,
// section 6.1): the body's own fields if it is an object and, where it has no
// such field or only null, error, code, status, headers (an object with
// names in lower case), body and kind. Of an answer that Refuse has refused, error is
// the reason, whatever the body has. Secrets are redacted throughout. Objects get their
// shapes from t, which may be nil.
func (f *Failure) Envelope(t *value.Shapes) value.Value {
	body := f.redactValue(f.Body, t)
	b := value.NewObjectBuilder(t, 8)
	var own *value.Obj
	if body.Kind() == value.Object {
		own = body.Obj()
		b.SetAll(own)
	}
	set := func(key string, v value.Value) {
		if own != nil {
			if had, ok := own.Get(key); ok && !had.IsNull() {
				return
			}
		}
		b.Set(key, v)
	}
	if f.refused {
		b.Set("error", value.FromString(f.clean(oneLine(f.Err.Error()))))
	} else {
		set("error", value.FromString(f.message(own)))
	}
	set("code", value.FromInt(int64(f.Status)))
	set("status", value.FromInt(int64(f.Status)))
	set("headers", f.headersValue())
	set("body", body)
	set("kind", value.FromString(string(f.Kind)))
	return b.Value()
}

// message is the text of the envelope's error field: why an answer was
// rejected, the body's message, else the kind.
func (f *Failure) message(own *value.Obj) string {
	if f.Kind == KindRejected && f.Err != nil && f.Err != ErrRefused {
		return f.clean(oneLine(f.Err.Error()))
	}
	if own != nil {
		for _, key := range []string{"error", "message"} {
			if v, ok := own.Get(key); ok && v.Kind() == value.String && v.Str() != "" {
				return v.Str()
			}
		}
	}
	return string(f.Kind)
}

// headersValue returns the headers as an object. Several lines of one name are
// joined by commas, as RFC 9110, section 5.3 has it. Which headers come is the
// server's whim, so the object's shape is private.
func (f *Failure) headersValue() value.Value { return headersValue(f.Headers, f.clean) }

func headersValue(h http.Header, clean func(string) string) value.Value {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	b := value.NewObjectBuilder(nil, len(names))
	for _, name := range names {
		text := strings.ToValidUTF8(strings.Join(h[name], ", "), "\ufffd")
		b.Set(strings.ToLower(name), value.FromString(clean(text)))
	}
	return b.Value()
}

// HeadersValue returns the headers of the answer as a mission sees them.
func (f *Failure) HeadersValue() value.Value { return f.headersValue() }

// HeadersValue returns the headers as a mission sees them: an object by names in
// lower case, several of one name joined by commas. Secrets are redacted.
func (r *Response) HeadersValue() value.Value {
	return headersValue(r.Headers, r.call.client.redactor.Redact)
}

// redactValue returns v with the secrets in its texts redacted. What holds none
// is v itself.
func (f *Failure) redactValue(v value.Value, t *value.Shapes) value.Value {
	switch v.Kind() {
	case value.String:
		return value.FromString(f.clean(v.Str()))
	case value.Array:
		elems := make([]value.Value, len(v.Elems()))
		for i, e := range v.Elems() {
			elems[i] = f.redactValue(e, t)
		}
		return value.FromArray(elems)
	case value.Object:
		o := v.Obj()
		b := value.NewObjectBuilder(t, o.Len())
		for i, e := range o.Slots() {
			b.Set(f.clean(o.Shape().Key(i)), f.redactValue(e, t))
		}
		return b.Value()
	}
	return v
}
