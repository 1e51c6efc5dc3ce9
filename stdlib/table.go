package stdlib

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	"reqon/vm/value"
)

// Param is a parameter of a function.
type Param struct {
	Name     string
	Kinds    Kinds // of the arguments it takes
	Optional bool  // may be left out, as may all that follow it
}

// Form says who computes a function, and what Impl is called with.
type Form uint8

const (
	// Native is a call of Impl with the arguments as written.
	Native Form = iota
	// Host is no pure function: the machine asks its host. Impl is nil, save
	// where some calls need no host: timestamp(t), and exists of what is no
	// record of a store.
	Host
	// Inline is a loop that the compiler writes out. Impl, where there is one,
	// takes the call without item expression: any(xs), all(xs), count(xs).
	Inline
	// Mapped is a loop that computes the array of the item expression's values,
	// and a call of Impl with that array. Without item expression Impl gets the
	// array itself. min and max take two or more plain values as well: where
	// the first argument is no array, Impl gets the arguments as written.
	Mapped
	// Keyed is a loop that computes the array of the item expression's values,
	// one for each element, and a call of Impl with the collection, those keys
	// and what follows the item expression.
	Keyed
)

// An implementation is called with unchecked values. t is the table of shapes
// of the program, for objects it makes; it may be nil.
type implementation func(t *value.Shapes, args []value.Value) (value.Value, error)

// Func is a built-in function. The table's functions are shared: they must not
// be written to.
type Func struct {
	Name   string
	Group  string // strings, arrays, objects, numbers, time or types
	Doc    string // one line
	Params []Param
	// Variadic is set if the last parameter repeats.
	Variadic bool
	// Item is the index of the parameter that takes an item expression or
	// a lambda, or -1. ItemOptional is set if it may be left out.
	Item         int
	ItemOptional bool
	// LambdaArity is the number of parameters of a lambda in place of the item
	// expression: 1, or 2 for reduce; 0 if there is no such parameter.
	LambdaArity int
	Result      Kinds
	Form        Form
	// Impl computes the function, and checks arity and kinds first: it is safe
	// to call with any values. Errors name function, argument and value.
	// See Form for what it is called with, and when it is nil.
	Impl func(t *value.Shapes, args []value.Value) (value.Value, error)

	signature string // where it is not that of Params
	impl      implementation
	in        []Param // what Impl is called with
	required  int     // how many of in are not optional
}

// Table returns all functions ordered by name. The slice is the caller's.
func Table() []Func {
	return slices.Clone(library().funcs)
}

// Lookup returns the function of that name, or nil. Names are case-sensitive.
func Lookup(name string) *Func {
	return library().byName[name]
}

type funcTable struct {
	funcs  []Func
	byName map[string]*Func
}

// library is the one table of the process. It is never written after it is
// made. Its functions of regular expressions and of time zones share a cache
// each: an expression or a zone is the same for every run of the process, both
// caches are bounded, and no result depends on what is in them.
var library = sync.OnceValue(newTable)

func newTable() *funcTable {
	funcs := slices.Concat(
		stringFuncs(newRegexpCache()),
		arrayFuncs(),
		objectFuncs(),
		numberFuncs(),
		timeFuncs(newZoneCache()),
		typeFuncs(),
	)
	slices.SortFunc(funcs, func(a, b Func) int { return cmp.Compare(a.Name, b.Name) })
	t := &funcTable{funcs: funcs, byName: make(map[string]*Func, len(funcs))}
	for i := range funcs {
		f := &funcs[i]
		f.link()
		t.byName[f.Name] = f
	}
	return t
}

// group fills in what all functions of a group share.
func group(name string, funcs []Func) []Func {
	for i := range funcs {
		f := &funcs[i]
		f.Group = name
		if f.Item == 0 {
			f.Item = -1 // the collection comes first, so 0 is never an item expression
		} else {
			f.ItemOptional = f.Params[f.Item].Optional
			f.LambdaArity = max(f.LambdaArity, 1)
		}
	}
	return funcs
}

// link works out what Impl is called with, and puts the check before impl.
func (f *Func) link() {
	if f.in == nil {
		f.in = f.Params
		switch f.Form {
		case Mapped:
			f.in = slices.Delete(slices.Clone(f.Params), f.Item, f.Item+1)
		case Inline:
			f.in = f.Params[:1]
		case Keyed:
			f.in = slices.Clone(f.Params)
			f.in[f.Item] = Param{Name: "keys", Kinds: KArray}
		}
	}
	for _, p := range f.in {
		if !p.Optional {
			f.required++
		}
	}
	impl := f.impl
	if impl == nil {
		return
	}
	f.Impl = func(t *value.Shapes, args []value.Value) (value.Value, error) {
		if !f.accepts(args) {
			return value.Value{}, CheckArgs(f, args)
		}
		v, err := impl(t, args)
		if err != nil {
			return value.Value{}, f.wrap(err, args)
		}
		return v, nil
	}
}

// Signature returns the form of a call, such as `substring(s, from, to?)`.
func (f *Func) Signature() string {
	if f.signature != "" {
		return f.signature
	}
	var b strings.Builder
	b.WriteString(f.Name)
	b.WriteByte('(')
	for i, p := range f.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name)
		switch {
		case f.Variadic && i == len(f.Params)-1:
			b.WriteString("…")
		case p.Optional:
			b.WriteByte('?')
		}
	}
	b.WriteByte(')')
	return b.String()
}

// accepts reports whether arity and kinds of args fit.
func (f *Func) accepts(args []value.Value) bool {
	in := f.in
	if len(args) < f.required {
		return false
	}
	if len(args) > len(in) {
		if !f.Variadic {
			return false
		}
		last := in[len(in)-1].Kinds
		for _, a := range args[len(in):] {
			if last&kindOf[a.Kind()] == 0 {
				return false
			}
		}
		args = args[:len(in)]
	}
	for i, a := range args {
		if in[i].Kinds&kindOf[a.Kind()] == 0 {
			return false
		}
	}
	return true
}

// param returns the parameter that takes the argument at index i of Impl's,
// which must be one that the arity allows.
func (f *Func) param(i int) Param { return f.in[min(i, len(f.in)-1)] }

// CheckArgs checks number and kinds of the arguments that Impl is called with
// (see Form), and returns an error that names function, argument and value, or
// nil. Impl does so by itself.
func CheckArgs(f *Func, args []value.Value) error {
	if f.accepts(args) {
		return nil
	}
	if len(args) < f.required || len(args) > len(f.in) && !f.Variadic {
		return &arityError{f, len(args)}
	}
	for i, a := range args {
		p := f.param(i)
		if p.Kinds&KindOf(a) == 0 {
			want := p.Kinds.String()
			if p.Kinds == kDate {
				want = "a timestamp or date text"
			}
			return f.wrap(&argError{arg: i, want: want, hint: hint(p.Kinds, a)}, args)
		}
	}
	return errors.New("stdlib: arguments changed during the call") // accepts and the loop above agree
}
