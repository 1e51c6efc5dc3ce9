// Package bytecode defines what the compiler hands to the machine: opcodes with
// their stack pictures, the Program with its tables, its binary form (.reqc),
// the verifier that makes an untrusted Program safe to run, and the
// disassembler.
//
// # The machine
//
// Each function (an action, a transform, the pipeline, an option block) has its
// own code, constants, names and positions. A frame of the machine is
// a function, a place in its code, its locals and its operands. Operands are
// pushed and popped; locals are numbered slots that the compiler hands out, and
// loops and bindings live in them. Arrays under construction are no values:
// they have slots of their own, so that nothing can see or share one before it
// is complete. At the start of every step of an action the operand stack of its
// frame is empty and no array is under construction, so a frame at a step
// boundary is just its place, its locals and its page slots. Func.Steps lists
// these places; the verifier holds them to it.
//
// Errors are handled by tables, not by instructions: a Handler covers a range
// of code, and a failure in it goes on at the handler's place with an empty
// operand stack. Jumping out of the range needs no care.
package bytecode

import (
	"slices"

	"reqon/vm/value"
)

// Program is one compiled mission.
type Program struct {
	Mission string
	Files   []string // source files by number, for positions
	Pos     Pos      // of the mission's name

	Schedule  *Schedule // nil: none
	Options   int       // function that gives the mission's options as an object, or None
	OptionPos []OptionPos
	Params    []ParamInfo
	Sources   []Source
	Stores    []Store
	Actions   []Action
	Brackets  [][]int // actions by number, side by side
	Main      int     // function of the pipeline
	Fetches   []FetchInfo
	Loops     []LoopInfo
	Types     []Type
	Shapes    [][]string // the keys of object literals
	Regexps   []string
	Natives   []string // built-in functions by name; linked when the program is loaded
	Uses      []Use    // of steps and functions that not every version or host has
	Funcs     []Func
}

// None stands for no function.
const None = -1

// Pos is a place in the source; File indexes Program.Files. Line and Column
// count from 1; a zero Line is no place.
type Pos struct {
	File, Line, Column int
}

// OptionPos is where an option was written, so that a wrong value found at run
// time can be told with its place. Path is "retry.maxDelay" for a nested one.
type OptionPos struct {
	Path string
	Pos  Pos
}

// ScheduleKind is the form of a schedule.
type ScheduleKind uint8

// The forms of a schedule (language definition, section 5).
const (
	Every ScheduleKind = iota
	Cron
	At
)

// Schedule is when a mission is due. Its options are in Program.Options.
type Schedule struct {
	Kind  ScheduleKind
	Every int64  // milliseconds between runs, for Every
	Text  string // the expression or time, for Cron and At
	Pos   Pos
}

// ParamInfo is a mission parameter.
type ParamInfo struct {
	Name    string
	Type    int // in Types
	Default int // function, or None: it must be given
	Pos     Pos
}

// Source is an API.
type Source struct {
	Name      string
	From      string // path of an OpenAPI document, or ""
	Options   int    // function that gives its options as an object, or None
	OptionPos []OptionPos
	Login     *Login // nil: none
	Sign      []SignPart
	Cost      int // function of an answer that gives what it has cost, or None
	Pos       Pos
}

// Login is how a source signs in. Request is a function of what the last sign-in
// has kept, or null, and gives { path, options }; Result is one of the answer
// and what was kept, and gives the options of `login`; When is one of an answer,
// and tells whether the sign-in is over, or None.
type Login struct {
	Method  string
	Request int
	Result  int
	When    int
	Pos     Pos
}

// SignPart is an entry of a source's `sign`: Func is a function of the request,
// and gives the value.
type SignPart struct {
	In   SignIn
	Name string
	Func int
}

// SignIn is where an entry of a signature goes.
type SignIn uint8

// The places of a signature, in the order in which they are worked out.
const (
	SignParam  SignIn = iota // appended to the query
	SignForm                 // appended to the form-encoded body
	SignHeader               // a header
	signInCount
)

// Store is a store. Adapter is a function that gives [adapter, target]; target
// is null where none was written.
type Store struct {
	Name      string
	Adapter   int
	Options   int // function, or None
	OptionPos []OptionPos
	Implied   bool     // declared by being stored to
	Filled    bool     // `store` steps write to it, or a `queue` with an item of its own, and not dead letters alone
	Schema    int      // in Types: an object type, or None
	Key       []string // the option `key`: columns of a table that others have made
	Pos       Pos
}

// Use is the first place at which a program does something that not every
// version, and not every host, can do: a step that waits, or a function that asks
// the host. The verifier holds the table against the code, so that who runs a
// program need not read that.
type Use struct {
	Part Part   // StepPart or FunctionPart
	Name string // as a mission writes it
	Pos  Pos
}

// Action is a named part of the pipeline.
type Action struct {
	Name string
	Func int
	Pos  Pos
}

// PageKind is how a request's pages follow each other.
type PageKind uint8

// The kinds of pagination (language definition, section 6.1).
const (
	PageNone PageKind = iota
	PageNumber
	PageOffset
	PageCursor
	PageLink
	PageNext // an expression gives the next page's address
	pageKindCount
)

// FetchInfo is what is fixed of a request. Its other options come as an object on
// the stack: params, headers, body, form, timeout, retry, allow, maxPages,
// maxItems, since, sinceParam, sinceFormat, updateFrom, rateLimit, paginate.size.
type FetchInfo struct {
	Method      string
	Source      int    // in Sources, or None where the path must be absolute
	Operation   string // of `call`
	Page        PageKind
	PageParam   string   // the page parameter's name
	PageCarried bool     // the request carries the page parameter itself
	Cursor      string   // path of the next cursor in a page; "" if an expression gives it
	Items       string   // where the items are, if named in paginate
	Taken       string   // of the response, what the step takes that the pages go through; "" for its items
	ItemNames   []string // fields of the response that `until` or later steps name, in order
	UntilNames  []string // fields of the response that `until` names
	Stream      bool     // each page goes through the step that follows
	Until       bool     // `until` decides
	Incremental bool     // has a sync position
	Opaque      bool     // what updateFrom gives is the position, as it is
	Handled     bool     // a match of the response follows
	Single      bool     // one page is meant, whatever it says
	Headers     bool     // the mission reads the headers of answers
	Judges      *Judges  // nil: none
	Pos         Pos
}

// Judges are the functions that are worked out over the answers of a request,
// which are the response in them; None where there is no such function. Each
// takes the values that the instruction Judge has noted, from the first on.
type Judges struct {
	FailWhen  int // what makes a good answer a failed request
	RetryWhen int // whether a failed request is made again
	RetryWait int // after how long it is
}

// None reports whether there is no such function at all.
func (j *Judges) None() bool { return j.FailWhen == None && j.RetryWhen == None && j.RetryWait == None }

// Policy is what happens to a failed item of a loop (language definition,
// section 6.3).
type Policy uint8

// The policies of `onError`.
const (
	PolicyContinue Policy = iota
	PolicyQueue
	PolicySkip
	PolicyAbort
	policyCount
)

// LoopInfo is what is fixed of a `for` loop.
type LoopInfo struct {
	Policy Policy
	Queue  int // in Stores, with PolicyQueue
	Page   int // page slot whose items the loop takes one page at a time, or None
	Store  int // in Stores: the only one that a step of its body stores to, or None
	Pos    Pos
}

// TypeKind is the kind of a Type.
type TypeKind uint8

// The kinds of types (language definition, sections 4 and 5).
const (
	TypeAny TypeKind = iota
	TypeNull
	TypeBoolean
	TypeString
	TypeNumber
	TypeInt
	TypeDate
	TypeArray   // of Elem, or of anything where Elem is None
	TypeObject  // with Fields; open
	TypeLiteral // equal to Const
	TypeUnion   // one of Alts
	typeKindCount
)

// Type is what a value is held against by `is`, schemas, patterns and params.
type Type struct {
	Kind   TypeKind
	Name   string // a schema's name, or how the type is written
	Elem   int
	Alts   []int
	Fields []TypeField
	Const  value.Value
}

// TypeField is one field of an object type.
type TypeField struct {
	Name     string
	Type     int
	Optional bool // may be missing or null
}

// Func is a function: an action, a transform, the pipeline, or a block of
// options.
type Func struct {
	Name     string
	Code     []byte
	Consts   []value.Value
	Names    []string
	Locals   int // slots; the first Args of them hold the arguments
	Args     int
	MaxStack int // deepest operand stack
	Lists    int // arrays under construction at once
	Caches   int // inline caches
	Pages    int // page slots
	Handlers []Handler
	Lines    []Line // ascending by PC
	// Steps are the places, ascending, where a task may be put away: no operand
	// is on the stack and no array under construction, so that a frame there is
	// its place, its locals and its page slots. Every step of an action begins
	// at one, every page of a fetch too, and what follows an answer.
	Steps []int
}

// IsStep reports whether pc is one of the function's steps.
func (f *Func) IsStep(pc int) bool {
	_, ok := slices.BinarySearch(f.Steps, pc)
	return ok
}

// Handler is where a failure in the code from Start up to End goes on. Of
// several that cover a place the first in the table is taken: inner ones stand
// before outer ones.
//
// PageStart and PageEnd are the page slots of the requests inside the range: one
// that is open when a failure arrives at the handler was not finished, so its
// sync position is held.
type Handler struct {
	Start, End, Target int
	PageStart, PageEnd int
}

// Line says that the instructions from PC on come from Pos.
type Line struct {
	PC  int
	Pos Pos
}

// PosAt returns the place in the source of the instruction at pc.
func (f *Func) PosAt(pc int) Pos {
	lo, hi := 0, len(f.Lines)
	for lo < hi {
		if mid := (lo + hi) / 2; f.Lines[mid].PC <= pc {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return Pos{}
	}
	return f.Lines[lo-1].Pos
}

var typeKindText = [typeKindCount]string{"any", "null", "boolean", "string", "number", "int", "date", "array", "object", "literal", "union"}

// String returns the kind as it is written in a schema.
func (k TypeKind) String() string {
	if k < typeKindCount {
		return typeKindText[k]
	}
	return "?"
}
