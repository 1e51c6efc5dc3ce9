// Package diag is what the compiler says about a program: diagnostics with a
// stable code, a place, notes and a suggested fix, and their renderings as
// text, JSON, SARIF and GitHub annotations.
package diag

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"reqon/compiler/syntax"
)

// Severity is how grave a diagnostic is.
type Severity uint8

// The severities. Only an Error keeps a mission from being compiled; an Info
// tells something that a reader may want to know and is not counted.
const (
	Error Severity = iota
	Warning
	Info
)

// String returns the word that the JSON form and the text form use.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "info"
	}
}

// Stage is the part of the compiler that found something.
type Stage string

// The stages, in the order in which they look at a program.
const (
	StageSyntax Stage = "syntax"
	StageNames  Stage = "names"
	StageTypes  Stage = "types"
	StageLint   Stage = "lint"
	StageCode   Stage = "code"
)

// Diagnostic is one thing that the compiler has to say. Message says what was
// found and what was expected, in one line without a full stop; Suggestion
// says what to write instead ("" if there is nothing to suggest).
type Diagnostic struct {
	Code       string
	Severity   Severity
	Stage      Stage
	Message    string
	Span       syntax.Span // invalid: the diagnostic is about no place in a file
	Notes      []Note
	Suggestion string
}

// Note is a remark to a diagnostic. Its Span may be invalid: a plain remark.
type Note struct {
	Span    syntax.Span
	Message string
}

// New returns the diagnostic of that code, with the severity and stage that
// the table of codes gives it.
func New(code string, span syntax.Span, message string) Diagnostic {
	d := Diagnostic{Code: code, Severity: Error, Stage: StageSyntax, Message: Short(message), Span: span}
	if c := Lookup(code); c != nil {
		d.Severity, d.Stage = c.Severity, c.Stage
	}
	return d
}

// maxWord is how many bytes of a word without a space a message shows, and
// keptOfWord how many remain of a longer one.
const maxWord, keptOfWord = 240, 160

// Short returns a text with its long words cut: a name may have megabytes. What
// stands behind a name, as its closing quote, stays.
func Short(text string) string {
	if len(text) <= maxWord {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		n := strings.IndexByte(text, ' ') + 1
		if n == 0 {
			n = len(text)
		}
		word := text[:n]
		text = text[n:]
		if len(word) <= maxWord {
			b.WriteString(word)
			continue
		}
		head, tail := keptOfWord, len(word)-8
		for head > 0 && !utf8.RuneStart(word[head]) {
			head--
		}
		if i := strings.LastIndexAny(word[tail:], "`\"'"); i >= 0 {
			tail += i
		} else {
			tail = len(strings.TrimRight(word, " "))
		}
		b.WriteString(word[:head] + "…" + word[tail:])
	}
	return b.String()
}

// FromSyntax returns the diagnostic of a syntax error.
func FromSyntax(e *syntax.Error) Diagnostic {
	d := Diagnostic{
		Code: e.Code, Severity: Error, Stage: StageSyntax,
		Message: Short(e.Msg), Span: e.Span, Suggestion: Short(e.Suggestion),
	}
	for _, n := range e.Notes {
		d.Notes = append(d.Notes, Note{Span: n.Span, Message: n.Msg})
	}
	return d
}

// Sort orders diagnostics by file name, place, severity and code. Those
// without a place come first.
func Sort(ds []Diagnostic) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(fileName(a.Span), fileName(b.Span)),
			cmp.Compare(a.Span.Start, b.Span.Start),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Code, b.Code),
		)
	})
}

// Count returns how many errors and how many warnings there are.
func Count(ds []Diagnostic) (errors, warnings int) {
	for i := range ds {
		switch ds[i].Severity {
		case Error:
			errors++
		case Warning:
			warnings++
		}
	}
	return errors, warnings
}

func fileName(s syntax.Span) string {
	if s.File == nil {
		return ""
	}
	return s.File.Name
}
