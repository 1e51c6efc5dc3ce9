package vm

import (
	"context"
	"errors"
	"fmt"

	"reqon/vm/bytecode"
)

// Error is a failure of a running mission: where, and why.
type Error struct {
	Action string // "" outside of actions
	File   string
	Line   int
	Column int
	Err    error
	// Fatal fails the run whatever the policies of loops say: abort, and
	// cancellation.
	Fatal bool
}

// Error says the place and the reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// AbortError is the message of an abort directive.
type AbortError struct{ Message string }

// Error returns the message.
func (e *AbortError) Error() string { return e.Message }

// itemError says which element of a collection failed.
type itemError struct {
	index int
	id    string
	err   error
}

func (e *itemError) Error() string {
	if e.id != "" {
		return fmt.Sprintf("item %d (id %s): %s", e.index, e.id, reason(e.err))
	}
	return fmt.Sprintf("item %d: %s", e.index, reason(e.err))
}

func (e *itemError) Unwrap() error { return e.err }

// reason returns the text of err without the place that an Error around it
// gives.
func reason(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}

// Reason returns the text of a run's error without its place.
func Reason(err error) string { return reason(err) }

// BracketError holds the errors of several actions of a bracket.
type BracketError struct{ Errs []error }

// Error tells them all.
func (e *BracketError) Error() string { return errors.Join(e.Errs...).Error() }

// Unwrap returns them.
func (e *BracketError) Unwrap() []error { return e.Errs }

// ItemFailures is the error of a run in which items of loops failed though the
// steps after them went on.
type ItemFailures struct {
	Count int
	First error
}

// Error tells how many failed, and the first.
func (e *ItemFailures) Error() string {
	if e.Count == 1 {
		return fmt.Sprintf("1 item failed: %s", e.First)
	}
	return fmt.Sprintf("%d items failed; the first: %s", e.Count, e.First)
}

// Unwrap returns the first failure.
func (e *ItemFailures) Unwrap() error { return e.First }

// locate gives err its place, unless it has one.
func (t *Task) locate(f *frame, err error) *Error {
	err = t.whyStopped(err)
	var e *Error
	if errors.As(err, &e) {
		fatal := e.Fatal || t.ctx.Err() != nil
		if e == err && e.Fatal == fatal {
			return e
		}
		return &Error{Action: e.Action, File: e.File, Line: e.Line, Column: e.Column, Err: err, Fatal: fatal}
	}
	at := t.at(f, f.pc)
	e = &Error{Action: t.m.actionName(at.Action), Line: at.Pos.Line, Column: at.Pos.Column, Err: err}
	if at.Pos.Line > 0 {
		e.File = t.m.prog.Files[at.Pos.File]
	}
	var abort *AbortError
	e.Fatal = errors.As(err, &abort) || t.ctx.Err() != nil
	return e
}

// whyStopped makes sure that the error of a run that was cancelled says why it
// was, and not only what that did to the step under way.
func (t *Task) whyStopped(err error) error {
	stopped := t.ctx.Err()
	if stopped == nil {
		return err
	}
	switch why := context.Cause(t.ctx); {
	case errors.Is(err, why):
		return err
	case errors.Is(err, stopped):
		return why
	default:
		return fmt.Errorf("%w (%w)", why, err)
	}
}

// at returns where in the mission the instruction at pc of f is.
func (t *Task) at(f *frame, pc int) At {
	return At{Action: f.action, Pos: f.fn.PosAt(pc)}
}

// actionName returns the name of an action by number.
func (m *Machine) actionName(i int) string {
	if i == bytecode.None {
		return ""
	}
	return m.prog.Actions[i].Name
}
