package codegen

import (
	"errors"
	"fmt"
	"math"

	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
)

// LimitError is that of a mission that is larger than a program can be: where
// it goes beyond which limit, and what to do.
type LimitError struct {
	Span       syntax.Span
	Msg        string // names the part, what there is too much of, and the limit
	Suggestion string
}

// Error returns what is too large.
func (e *LimitError) Error() string { return e.Msg }

// part is the part of a mission that is being generated.
type part struct {
	kind string // "action", "transform" and so on
	name string
	span syntax.Span
}

// String names the part, as in "action `Sync`".
func (p part) String() string {
	if p.kind == pipelinePart {
		return "the mission's `run`"
	}
	return p.kind + " `" + p.name + "`"
}

const pipelinePart = "run"

// split says what to do about a part that is too large.
func (p part) split() string {
	switch p.kind {
	case "action":
		return "split the action: put some of its steps into another one, and `run` that"
	case "transform":
		return "split the transform: have a second one, or a step, build some of the fields"
	case "mission", pipelinePart:
		return splitMission
	}
	return "build the value in an action, or of fewer parts"
}

const (
	splitMission = "split the mission into several"
	splitValue   = "build the value in several parts, each with a `let` of its own"
)

// exceeds notes that a limit was gone beyond. Of several the first one counts.
func (g *generator) exceeds(span syntax.Span, suggestion, format string, args ...any) {
	if g.err != nil {
		return
	}
	if !span.IsValid() {
		span = g.part.span
	}
	g.err = &LimitError{Span: span, Msg: fmt.Sprintf(format, args...), Suggestion: suggestion}
}

// wide is how many things an operand of two bytes tells apart.
const wide = math.MaxUint16 + 1

// tooWide notes that a number does not fit an operand.
func (f *fn) tooWide(o bytecode.Operand) {
	g := f.g
	ofPart := func(what string) { g.exceeds(f.span, g.part.split(), "%s %s", g.part, what) }
	ofMission := func(what string) { g.exceeds(f.span, splitMission, "mission `%s` has %s", g.prog.Mission, what) }
	count := func(what string) { ofMission(fmt.Sprintf("more than %d %s", wide, what)) }
	switch o {
	case bytecode.OperandConst, bytecode.OperandText:
		ofPart(fmt.Sprintf("has more than %d different texts and numbers", wide))
	case bytecode.OperandName, bytecode.OperandCache:
		ofPart(fmt.Sprintf("reads fields at more than %d places", wide))
	case bytecode.OperandN8:
		g.exceeds(f.span, "call it several times, or give it an array", "a call has more than %d arguments, the most that a call can have", math.MaxUint8)
	case bytecode.OperandShape:
		ofMission(fmt.Sprintf("objects of more than %d different lists of keys", wide))
	case bytecode.OperandRegexp:
		count("different regular expressions")
	case bytecode.OperandType:
		count("types")
	case bytecode.OperandFunc:
		count("transforms")
	case bytecode.OperandAction:
		count("actions")
	case bytecode.OperandBracket:
		count("brackets in its `run`")
	case bytecode.OperandParam:
		count("params")
	case bytecode.OperandFetch:
		count("requests")
	case bytecode.OperandStore:
		count("stores")
	case bytecode.OperandLoop:
		count("loops")
	default:
		ofPart("is too large")
	}
}

// stackLimit notes that the operand stack can't be as deep as the expression
// makes it.
func (f *fn) stackLimit() {
	f.g.exceeds(f.span, splitValue, "an expression holds more than %d values at once, the most that one can", bytecode.MaxOperands)
}

func (f *fn) codeLimit() {
	f.g.exceeds(f.span, f.g.part.split(), "%s has more than %d MiB of code, the most that one can have", f.g.part, bytecode.MaxCode>>20)
}

func (f *fn) slotLimit() {
	f.g.exceeds(f.span, f.g.part.split(), "%s has more than %d variables, with those that its steps need themselves", f.g.part, bytecode.MaxLocals)
}

func (f *fn) pageLimit() {
	f.g.exceeds(f.span, f.g.part.split(), "%s has more than %d requests, the most that one can have", f.g.part, bytecode.MaxPages)
}

// verified gives the error of a program that the verifier refuses: that of
// a limit that only the whole program shows, or that the generator is wrong.
func (g *generator) verified(err error, m *syntax.Mission) error {
	var e *bytecode.VerifyError
	if !errors.As(err, &e) || e.Limit == bytecode.NoLimit {
		return fmt.Errorf("mission %s: internal error of the compiler, please report it: %w", m.Name.Name, err)
	}
	p := g.partOf(e.Index, m)
	if e.Limit == bytecode.LimitCalls {
		g.exceeds(p.span, "run some of them as stages of the mission's `run`", "%s is run by more than %d others, one inside of the other", p, bytecode.MaxCalls)
	} else {
		g.exceeds(p.span, "run some of them as stages of the mission's `run`, or split them",
			"%s and those that it runs inside of itself have too many requests and variables: more than %d values in all, with %d for a request", p, bytecode.MaxRoom, bytecode.PageValues)
	}
	return g.err
}

// partOf gives the part that a function was made from.
func (g *generator) partOf(fn int, m *syntax.Mission) part {
	if fn < len(g.transformDecls) {
		t := g.transformDecls[fn]
		return part{"transform", t.Name.Name, t.Name.Span}
	}
	if i := fn - len(g.transformDecls); i < len(g.actionDecls) {
		a := g.actionDecls[i]
		return part{"action", a.Name.Name, a.Name.Span}
	}
	return part{"mission", m.Name.Name, m.Name.Span}
}
