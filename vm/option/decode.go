package option

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"reqon/vm/value"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// Error is what is wrong with the options of a block.
type Error struct {
	// Path is the option that it is about, "retry.maxAttempts" of a nested one.
	// It is "" if the block itself is none.
	Path string
	// Problem goes on from the option's name: what was found, and what was
	// expected. It does not show secrets.
	Problem string
	// Err is what the error wraps, ErrNotAvailable or nil.
	Err error
}

func (e *Error) Error() string {
	if e.Path == "" {
		return "the options are " + strings.TrimPrefix(e.Problem, "is ")
	}
	return "option " + e.Path + " " + e.Problem
}

func (e *Error) Unwrap() error { return e.Err }

// ErrNotAvailable is wrapped by the error for an option that this version does
// not carry out.
var ErrNotAvailable = errors.New("is not available in this version of reqon")

// Values are the options of a block as they count: given, or else by default.
// The methods that read one take its name, which must be one of the set's, and
// must be those of its kind: anything else is a fault of the program, and
// panics.
type Values struct {
	set   *Set
	given []given // few of many
}

// given is an option that was given: its value, and what was read of it.
type given struct {
	spec  *Spec
	value value.Value
	read  reading
}

// reading is a value by its kind.
type reading struct {
	whole  int64 // Count, Status; Size in bytes; Time and Seconds in nanoseconds
	number float64
	text   string // Text, Words (true and false, where these are accepted)
	truth  bool
	block  *Values
}

// Defaults returns the options of a block that gives none.
func (s *Set) Defaults() *Values { return &Values{set: s} }

// Decode reads the object of a block's options, or null where there is none.
// An option that is null counts as not given. The error is an *Error.
func (s *Set) Decode(v value.Value) (*Values, error) { return s.decode(v, "") }

func (s *Set) decode(v value.Value, prefix string) (*Values, error) {
	out := s.Defaults()
	switch v.Kind() {
	case value.Null:
	case value.Object:
		o := v.Obj()
		out.given = make([]given, 0, o.Len())
		for i, slot := range o.Slots() {
			if err := out.take(prefix, o.Shape().Key(i), slot); err != nil {
				return nil, err
			}
		}
	default:
		return nil, &Error{Path: strings.TrimSuffix(prefix, "."), Problem: found(v, "an object of its options")}
	}
	return out, out.complete(prefix)
}

// take takes in one option.
func (v *Values) take(prefix, name string, val value.Value) error {
	spec := v.set.find(name)
	if spec == nil {
		return v.set.unknown(prefix, name)
	}
	switch {
	case val.IsNull() && spec.NotNull:
		return &Error{Path: prefix + name, Problem: found(val, spec.expected()+": is an environment variable unset?")}
	case val.IsNull():
		return nil
	case spec.NotYet != "":
		return &Error{Path: prefix + name, Problem: ErrNotAvailable.Error() + "; " + spec.NotYet, Err: ErrNotAvailable}
	}
	read, err := spec.read(val, prefix)
	if err != nil {
		return err
	}
	if spec.AliasOf != "" {
		spec = v.set.find(spec.AliasOf)
	}
	if spec.Excludes != "" && v.Given(spec.Excludes) {
		return &Error{Path: prefix + name, Problem: "can't be given together with " + prefix + spec.Excludes}
	}
	if v.Given(spec.Name) {
		return &Error{Path: prefix + name, Problem: "is given twice, by two names"}
	}
	v.given = append(v.given, given{spec, val, read})
	return nil
}

// complete reports an option that must be given and is not.
func (v *Values) complete(prefix string) (err error) {
	v.set.each(func(spec *Spec) bool {
		if spec.Required && !v.Given(spec.Name) {
			err = &Error{Path: prefix + spec.Name, Problem: "must be given: " + spec.Doc}
		}
		return err == nil
	})
	return err
}

// unknown is the error for an option that there is not.
func (s *Set) unknown(prefix, name string) error {
	problem := "does not exist"
	if meant := s.Meant(name); meant != "" {
		problem += "; did you mean " + prefix + meant + "?"
	} else {
		problem += "; the options of " + s.Name + " are " + strings.Join(s.Names(), ", ")
	}
	return &Error{Path: prefix + name, Problem: problem}
}

// spec returns the option of that name, which there must be.
func (v *Values) spec(name string) *Spec {
	spec := v.set.find(name)
	if spec == nil {
		panic("option: " + v.set.Name + " has no option " + name)
	}
	return spec
}

// find returns the option if it was given, nil if not.
func (v *Values) find(spec *Spec) *given {
	for i := range v.given {
		if v.given[i].spec == spec {
			return &v.given[i]
		}
	}
	return nil
}

// Given reports whether the option was given, and is not null.
func (v *Values) Given(name string) bool { return v.find(v.spec(name)) != nil }

// Has reports whether the set has an option of that name.
func (v *Values) Has(name string) bool { return v.set.find(name) != nil }

// Value returns the option as it was given, null if it was not.
func (v *Values) Value(name string) value.Value {
	if g := v.find(v.spec(name)); g != nil {
		return g.value
	}
	return value.NullValue
}

// reading returns what was read of an option that is of one of the kinds, or its
// default.
func (v *Values) reading(name string, kinds ...Kind) reading {
	spec := v.spec(name)
	if !slices.Contains(kinds, spec.Kind) {
		panic("option: " + name + " of " + v.set.Name + " is read as what it is not")
	}
	if g := v.find(spec); g != nil {
		return g.read
	}
	if spec.Default == "" {
		return reading{}
	}
	read, err := spec.read(spec.defaultValue(), "")
	if err != nil {
		panic("option: the default of " + name + ": " + err.Error()) // a test looks at all
	}
	return read
}

// Int returns a Count; 0 if it was not given and has no default.
func (v *Values) Int(name string) int { return int(min(v.reading(name, Count).whole, math.MaxInt)) }

// Int64 returns a Count; 0 if it was not given and has no default.
func (v *Values) Int64(name string) int64 { return v.reading(name, Count).whole }

// Number returns a Number; 0 if it was not given and has no default.
func (v *Values) Number(name string) float64 { return v.reading(name, Number).number }

// Bytes returns a Size in bytes; 0 if it was not given and has no default.
func (v *Values) Bytes(name string) int64 { return v.reading(name, Size).whole }

// Duration returns a Time or Seconds; 0 if it was not given and has no default.
func (v *Values) Duration(name string) time.Duration {
	return time.Duration(v.reading(name, Time, Seconds).whole)
}

// Bool returns a Bool; false if it was not given and has no default.
func (v *Values) Bool(name string) bool { return v.reading(name, Bool).truth }

// Text returns a Text, or the word or other text of Words and TextOrWords; ""
// if it was not given and has no default. Of words that may be true or false,
// these are "true" and "false".
func (v *Values) Text(name string) string {
	return v.reading(name, Text, Words, TextOrWords, SourceName, StoreName, SchemaName).text
}

// Names returns the names of FieldNames.
func (v *Values) Names(name string) []string {
	given := v.Value(name)
	switch given.Kind() {
	case value.String:
		return []string{given.Str()}
	case value.Array:
		list := make([]string, len(given.Elems()))
		for i, e := range given.Elems() {
			list[i] = e.Str() // it was decoded
		}
		return list
	}
	return nil
}

// Zone returns the time zone of a Text of that form, nil if it was not given.
func (v *Values) Zone(name string) *time.Location {
	if !v.Given(name) {
		return nil
	}
	zone, err := time.LoadLocation(v.Text(name))
	if err != nil {
		return nil // it was there when the options were decoded
	}
	return zone
}

// Block returns the options of a nested block. If it was not given, and where it
// is true or false, these are its defaults: see Given and Enabled.
func (v *Values) Block(name string) *Values {
	if b := v.reading(name, Block).block; b != nil {
		return b
	}
	return v.spec(name).Sub.Defaults()
}

// Enabled returns what a block says that may be true or false: a block, too,
// says that it is wanted.
func (v *Values) Enabled(name string) bool {
	r := v.reading(name, Block)
	return r.truth || r.block != nil
}

// Statuses returns a list of HTTP statuses.
func (v *Values) Statuses(name string) []int {
	if !v.Given(name) {
		return nil
	}
	elems := v.Value(name).Elems()
	list := make([]int, len(elems))
	for i, e := range elems {
		n, _ := value.AsInt(e) // it was decoded
		list[i] = int(n)
	}
	return list
}

// Check says what is wrong with a value of the option, which is by itself. Null,
// which is none, is good. The error is an *Error.
func (s *Spec) Check(v value.Value) error {
	if v.IsNull() {
		return nil
	}
	_, err := s.read(v, "")
	return err
}

// defaultValue returns the default as a value.
func (s *Spec) defaultValue() value.Value {
	switch s.Default {
	case "true", "false":
		return value.FromBool(s.Default == "true")
	}
	if n, ok := value.ParseNumber(s.Default); ok {
		return n
	}
	return value.FromString(s.Default)
}

// found says what a value is and what was expected.
func found(v value.Value, expected string) string {
	return "is " + value.Describe(v) + ", expected " + expected
}

// read reads a value that is not null as the option's kind. prefix stands before
// the option's name in errors.
func (s *Spec) read(v value.Value, prefix string) (r reading, err error) {
	if s.OrBool && v.Kind() == value.Bool {
		text := "false"
		if v.Bool() {
			text = "true"
		}
		return reading{truth: v.Bool(), text: text}, nil
	}
	bad := func(expected string) (reading, error) {
		if s.Secret {
			return r, &Error{Path: prefix + s.Name, Problem: "is of type " + value.TypeName(v) + ", expected " + expected}
		}
		return r, &Error{Path: prefix + s.Name, Problem: found(v, expected)}
	}
	ok := true
	switch s.Kind {
	case Any, Item, Answer, Pages, Until, Resume, Signature, Cost:
	case Decode:
		words, isWords := decodingWords(v)
		if !isWords {
			return bad(wordList(decodeWords) + ", or an array of these")
		}
		if _, problem := ParseDecoding(words); problem != "" {
			return r, &Error{Path: prefix + s.Name, Problem: problem}
		}
	case FieldNames:
		if v.Kind() == value.String {
			break
		}
		ok = v.Kind() == value.Array && len(v.Elems()) > 0
		for _, e := range v.Elems() {
			ok = ok && e.Kind() == value.String
		}
	case Text, TextOrWords, SourceName, StoreName, SchemaName:
		if ok = v.Kind() == value.String; ok {
			r.text = v.Str()
		}
		if ok && s.Form == Zone {
			_, e := time.LoadLocation(r.text)
			ok = e == nil && r.text != ""
		}
	case Words:
		if ok = v.Kind() == value.String && slices.Contains(s.Words, v.Str()); ok {
			r.text = v.Str()
		} else if v.Kind() == value.String {
			if meant := s.MeantWord(v.Str()); meant != "" {
				return bad(s.expected() + "; did you mean " + meant + "?")
			}
		}
	case Bool:
		if ok = v.Kind() == value.Bool; ok {
			r.truth = v.Bool()
		}
	case Number:
		if ok = v.IsNumber() && value.Float64(v) > 0 && !math.IsInf(value.Float64(v), 0); ok {
			r.number = value.Float64(v)
		}
	case Count, Status:
		r.whole, ok = value.AsInt(v)
		if s.Kind == Status {
			ok = ok && r.whole >= minStatus && r.whole <= maxStatus
		} else if ok {
			var limit string
			if limit, ok = s.InRange(float64(r.whole)); !ok {
				return bad("a whole number of " + limit)
			}
		}
	case Time:
		d, e := value.Duration(v)
		if e != nil {
			return r, &Error{Path: prefix + s.Name, Problem: e.Error()}
		}
		if s.Above0 && d == 0 {
			return bad("a time above 0")
		}
		r.whole = int64(d)
	case Seconds:
		if ok = v.IsNumber() && value.Float64(v) >= 0; ok {
			n := value.Float64(v) * float64(time.Second)
			if !(n < math.MaxInt64) {
				return bad("a number of seconds, less than 292 years")
			}
			r.whole = int64(math.Round(n))
		}
	case Size:
		r.whole, ok = size(v)
	case Block:
		r.block, err = s.Sub.decode(v, prefix+s.Name+".")
		return r, err
	case Object:
		ok = v.Kind() == value.Object
	case List:
		if ok = v.Kind() == value.Array; !ok {
			break
		}
		elem := Spec{Kind: s.Elem, Min: s.Min, Max: s.Max}
		for i, e := range v.Elems() {
			if _, err := elem.read(e, ""); err != nil {
				elem.Name = s.Name + "[" + strconv.Itoa(i) + "]"
				_, err = elem.read(e, prefix)
				return r, err
			}
		}
	default:
		panic(fmt.Sprintf("option: kind %d is not read", s.Kind))
	}
	if !ok {
		return bad(s.expected())
	}
	return r, nil
}

// What a server may send as a status: three digits (RFC 9110, section 15).
const (
	minStatus = 100
	maxStatus = 999
)

// size returns a number of bytes, of at least 1.
func size(v value.Value) (bytes int64, ok bool) {
	if v.Kind() == value.String {
		n, ok := value.ParseSize(v.Str())
		return int64(n), ok && n >= 1 && n < math.MaxInt64/2
	}
	bytes, ok = value.AsInt(v)
	return bytes, ok && bytes >= 1
}

// expected says what the option takes.
func (s *Spec) expected() string {
	switch s.Kind {
	case Text, TextOrWords:
		switch s.Form {
		case Zone:
			return "an IANA time zone such as Europe/Berlin"
		case Address:
			return `an address such as "https://api.example.com/v1"`
		case Proxy:
			return `an address such as "http://proxy.example.com:8080"`
		}
		return "text"
	case Bool:
		return "true or false"
	case Number:
		return "a number above 0"
	case Count:
		return "a whole number of at least " + itoa(s.Min)
	case Status:
		return "an HTTP status from " + itoa(minStatus) + " to " + itoa(maxStatus)
	case Seconds:
		return "a number of seconds"
	case Size:
		return `a number of bytes or a size such as "10MB"`
	case Words:
		return s.WordList()
	case SourceName:
		return "the name of a source"
	case StoreName:
		return "the name of a store"
	case SchemaName:
		return "the name of a schema"
	case FieldNames:
		return "the name of a field, or an array of names"
	case List:
		return "an array"
	}
	return "an object"
}
