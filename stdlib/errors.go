package stdlib

import (
	"fmt"
	"strconv"

	"reqon/vm/value"
)

// argError is what an implementation returns about one of its arguments. The
// table puts the names of function and parameter and the value before it.
type argError struct {
	arg  int    // index in the arguments
	want string // what it must be: "a whole number"
	hint string // what to do, or ""
}

func (e *argError) Error() string { return "argument " + strconv.Itoa(e.arg+1) + " must be " + e.want }

// arityError is a call with too few or too many arguments.
type arityError struct {
	f     *Func
	found int
}

func (e *arityError) Error() string {
	f := e.f
	least, most := f.required, len(f.in)
	if f.Form == Keyed || f.Form == Mapped || f.Form == Inline {
		least, most = 0, len(f.Params)
		for _, p := range f.Params {
			if !p.Optional {
				least++
			}
		}
	}
	want := strconv.Itoa(least)
	switch {
	case f.Variadic:
		want = "at least " + want
		most = least
	case most == least+1:
		want += " or " + strconv.Itoa(most)
	case most > least:
		want += " to " + strconv.Itoa(most)
	case most == 0:
		want = "no"
	}
	noun := "arguments"
	if most == 1 {
		noun = "argument"
	}
	return fmt.Sprintf("%s takes %s %s, found %d: write %s", f.Name, want, noun, e.found, f.Signature())
}

// callError is an error of a call of a function, for which the text is made
// only if it is read: an author may well try many texts as dates.
type callError struct {
	f     *Func
	err   error
	value value.Value // the argument, if err is an *argError
}

// wrap says which function err comes from, and of which argument and value.
func (f *Func) wrap(err error, args []value.Value) error {
	e := &callError{f: f, err: err}
	if a, ok := err.(*argError); ok {
		e.value = args[a.arg]
	}
	return e
}

func (e *callError) Error() string {
	a, ok := e.err.(*argError)
	if !ok {
		return e.f.Name + ": " + e.err.Error()
	}
	s := fmt.Sprintf("%s: argument %d (%s) must be %s, found %s",
		e.f.Name, a.arg+1, e.f.param(a.arg).Name, a.want, value.Describe(e.value))
	if a.hint != "" {
		s += "; " + a.hint
	}
	return s
}

// Unwrap returns the error of the implementation.
func (e *callError) Unwrap() error { return e.err }

// badArg returns the error that the argument at index i is not what it must
// be. The hint says what to do; it may be "".
func badArg(i int, want, hint string) error {
	return &argError{arg: i, want: want, hint: hint}
}

// hint says what an author probably has to do who gave v where kinds are
// wanted, or "".
func hint(kinds Kinds, v value.Value) string {
	k := KindOf(v)
	switch {
	case k == KNull && kinds&KArray != 0:
		return "where it may be missing, write `?? []`"
	case k == KNull && kinds&KObject != 0:
		return "where it may be missing, write `?? {}`"
	case k == KNull:
		return "where it may be missing, give a default with `??`"
	case k == KString && kinds&KNumber != 0:
		return "toNumber(x) reads a number from text"
	case k == KString && kinds&KArray != 0:
		return "split(s, sep) makes an array of text"
	case k == KString && kinds&KObject != 0:
		return "parseJSON(s) reads an object from text"
	case kinds == kDate && k == KNumber:
		return "fromUnix(seconds) makes a timestamp of a number"
	case kinds&KString != 0 && k&(KNumber|KBool|KTime) != 0:
		return "toString(x) makes text"
	case k == KObject && kinds&KArray != 0:
		return "values(o) and entries(o) make an array of an object"
	}
	return ""
}
