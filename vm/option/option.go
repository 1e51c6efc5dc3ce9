// Package option knows every option of the language: where it may stand, what
// its value is, what it is without one, and what it does (language definition,
// sections 5 to 7). The checker holds a source against these tables, the runtime
// reads values by them, and help and editors show them, so that none of them can
// mean something else than the others.
//
// A new option is one line in a table of tables.go, and then in force where the
// runtime asks for it by its name.
package option

import (
	"strings"

	"reqon/vm/near"
)

// Kind is what an option's value is.
type Kind uint8

// The kinds of options. Where a kind says "expression", the value is worked out
// when the mission runs, and the checker holds against it what it can see.
const (
	// Any is any expression.
	Any Kind = iota
	// Text is an expression that gives a string; Form says more of it.
	Text
	// Bool is an expression that gives a boolean.
	Bool
	// Number is an expression that gives a number above 0.
	Number
	// Count is an expression that gives a whole number from Min to Max.
	Count
	// Status is an expression that gives an HTTP status, 100 to 999.
	Status
	// Time is an expression that gives milliseconds, or text such as "30s".
	Time
	// Seconds is an expression that gives a number of seconds.
	Seconds
	// Size is an expression that gives a number of bytes, or text such as "10MB".
	Size
	// Words takes one of Words, bare or as a string.
	Words
	// TextOrWords takes one of Words, bare or as a string, or any other text.
	TextOrWords
	// Block is an option block whose options are those of Sub.
	Block
	// Object is an expression that gives an object with free keys.
	Object
	// List is an expression that gives an array; Elem says of what.
	List
	// Item is an expression whose subject is the record or event at hand. It is
	// worked out for each of them: as a value of the block it is null.
	Item
	// Answer is an expression over the answer to a request, which is `response` in
	// it, with `status` and `headers`. It is worked out for each answer: as a value
	// of the block it is null.
	Answer
	// SourceName names a source of the mission, bare or as a string.
	SourceName
	// StoreName names a store, bare or as a string.
	StoreName
	// SchemaName names a schema, bare or as a string.
	SchemaName
	// FieldNames is a name, or an array of names, bare or as strings.
	FieldNames
	// Pages is the value of paginate: a call of page, offset, cursor or link,
	// which are no functions but forms of this option alone.
	Pages
	// Until is a condition with `response`, the page, and the page parameter.
	Until
	// Signature is the value of sign: an object whose values are worked out for
	// each attempt, with `request`.
	Signature
	// Cost is an expression over `response` that gives a number. It is worked out
	// for each answer: as a value of the block it is null.
	Cost
	// Decode is what a body is: a form such as csv, or an array of what it is
	// packed in and the form. It is written out.
	Decode
	// Resume is the value of resumeOn: the word timeout, or webhook "/path".
	Resume
	kindCount
)

// Form is what the text of an option is.
type Form uint8

// The forms of text.
const (
	AnyText    Form = iota
	Zone            // an IANA time zone
	Address         // an http or https address that paths join on to
	Proxy           // the address of a proxy
	HookPath        // the path of a webhook, from its slash on
	HeaderName      // the name of a header
	formCount
)

// Spec is one option of a set.
type Spec struct {
	Name string
	Kind Kind
	// Doc is one line that says what the option does, without its default.
	Doc string
	// Default is what the option is where it is not given, as it would be
	// written in a source without quotes; "" where there is no such value.
	Default string

	// Words are the words it takes bare or as a string. A bare name that is one
	// of them is the word, even if a variable has that name.
	Words []string
	// Sub holds the options of a Block.
	Sub *Set
	// OrBool: true and false are accepted as well.
	OrBool bool
	// Elem is the kind of the elements of a List.
	Elem Kind
	// Form says more of a Text.
	Form Form
	// Min is the least Count.
	Min int64
	// Max is the greatest Count; 0 takes the general one, MaxCount.
	Max int64
	// Above0: a Time of 0 is not accepted.
	Above0 bool
	// Plausible is the least bare number of milliseconds that a Time is likely
	// to be meant; below it the checker asks. 0 takes the general least, 100.
	Plausible int64
	// Required: it must be given.
	Required bool
	// NotNull: null is an error. Without it, null counts as not given, so that
	// env("X") may leave an option to its default.
	NotNull bool
	// AliasOf is the option that this is another name of, or "".
	AliasOf string
	// Excludes is the option that can't be given together with it, or "".
	Excludes string
	// Constant: the value must be written out, since it is needed before
	// anything runs.
	Constant bool
	// Secret: a literal value is warned about, and messages don't show it.
	Secret bool
	// PageParam: the page parameter is a variable in it.
	PageParam bool
	// NotYet says what to do instead of an option that this version does not
	// carry out: the checker warns of it, and a run refuses it.
	NotYet string
	// Made: the compiler makes it of another option; it can't be written.
	Made bool
}

// MaxCount is the greatest Count where an option says no other.
const MaxCount = 1<<31 - 1

// most returns the greatest Count that the option takes.
func (s *Spec) most() int64 {
	if s.Max > 0 {
		return s.Max
	}
	return MaxCount
}

// InRange reports whether a whole number is one that a Count takes. If not,
// expected says what it does take.
func (s *Spec) InRange(n float64) (expected string, ok bool) {
	switch {
	case n < float64(s.Min):
		return "at least " + itoa(s.Min), false
	case n > float64(s.most()):
		return "at most " + itoa(s.most()), false
	}
	return "", true
}

// Help is Doc with the default behind it, for people.
func (s *Spec) Help() string {
	if s.Default == "" {
		return s.Doc
	}
	return s.Doc + " (default " + s.Default + ")"
}

// WordList names the words that the option takes, as in "a, b or c".
func (s *Spec) WordList() string {
	words := s.Words
	if s.OrBool {
		words = append([]string{"true", "false"}, words...)
	}
	if s.Kind == TextOrWords {
		words = append(words[:len(words):len(words)], `a pattern such as "YYYY-MM-DD"`)
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// Set is the options that one block takes. It is never written to.
type Set struct {
	Name  string // as in "`timeot` is no option of a source"
	base  *Set   // options that come before its own
	specs []Spec
}

// Spec returns the option of that name that can be written, or nil.
func (s *Set) Spec(name string) *Spec {
	if spec := s.find(name); spec != nil && !spec.Made {
		return spec
	}
	return nil
}

// find returns the option of that name, also one that the compiler makes.
func (s *Set) find(name string) *Spec {
	for ; s != nil; s = s.base {
		for i := range s.specs {
			if s.specs[i].Name == name {
				return &s.specs[i]
			}
		}
	}
	return nil
}

// All calls yield for each option that can be written, in the order of the
// definition.
func (s *Set) All(yield func(*Spec) bool) {
	s.each(func(spec *Spec) bool { return spec.Made || yield(spec) })
}

// each calls yield for each option.
func (s *Set) each(yield func(*Spec) bool) bool {
	if s.base != nil && !s.base.each(yield) {
		return false
	}
	for i := range s.specs {
		if !yield(&s.specs[i]) {
			return false
		}
	}
	return true
}

// Names returns the names of all options that can be written, in the order of
// the definition.
func (s *Set) Names() []string {
	var names []string
	for spec := range s.All {
		names = append(names, spec.Name)
	}
	return names
}

// Meant returns the option that is likely meant by a name that is none, or "":
// what other tools call it, or a name that is near.
func (s *Set) Meant(name string) string {
	if meant := synonym(near.Bare(name)); s.Spec(meant) != nil {
		return meant
	}
	return near.Nearest(name, s.Names())
}

// MeantWord returns the word of the option that is likely meant by one that is
// none, or "".
func (s *Spec) MeantWord(word string) string {
	meant := wordSynonym(strings.ToLower(word))
	for _, w := range s.Words {
		if w == meant {
			return w
		}
	}
	return near.Nearest(word, s.Words)
}
