package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"reqon/vm/bytecode"
)

// Error is a failure of a running mission: where, and why. It is plain data, made
// once of the error of whoever failed, so that it can be written down with
// the task that it belongs to.
type Error struct {
	Action string // "" outside of actions
	File   string
	Line   int
	Column int
	Text   string // the reason
	// Fatal fails the run whatever the policies of loops say: abort, and
	// cancellation.
	Fatal bool
	// Parts are the failures of several actions of a bracket, of which this
	// one is made.
	Parts []*Error
}

// Error says the place and the reason.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// abortError is the message of an abort directive.
type abortError struct{ message string }

func (e *abortError) Error() string { return e.message }

// ofItem returns e as the failure of an element of a collection.
func (e *Error) ofItem(index int, id string) *Error {
	item := *e
	if id != "" {
		item.Text = fmt.Sprintf("item %d (id %s): %s", index, id, e.Text)
	} else {
		item.Text = fmt.Sprintf("item %d: %s", index, e.Text)
	}
	return &item
}

// reason returns the text of err without its place.
func reason(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Text
	}
	return err.Error()
}

// Reason returns the text of a run's error without its place.
func Reason(err error) string { return reason(err) }

// joinErrors makes one error of those of several actions, of which there is
// at least one.
func joinErrors(parts []*Error) *Error {
	if len(parts) == 1 {
		return parts[0]
	}
	all := *parts[0]
	all.Parts = parts
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.Error()
		all.Fatal = all.Fatal || p.Fatal
	}
	all.Text = strings.Join(texts, "\n")
	return &all
}

// ItemFailures is the error of a run in which items of loops failed though the
// steps after them went on.
type ItemFailures struct {
	Count int
	First *Error
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

// locate makes the failure of what went wrong at the place of f. One that has
// its place keeps it.
func (t *Task) locate(f *frame, err error) *Error {
	stopped := t.ctx.Err() != nil
	if e, ok := err.(*Error); ok {
		if !stopped || e.Fatal {
			return e
		}
		fatal := *e
		fatal.Fatal = true
		if why := context.Cause(t.ctx).Error(); !strings.Contains(e.Text, why) {
			fatal.Text = why + " (" + e.Text + ")"
		}
		return &fatal
	}
	err = t.whyStopped(err)
	at := t.at(f, f.pc)
	e := &Error{Action: t.m.actionName(at.Action), Line: at.Pos.Line, Column: at.Pos.Column, Text: strings.ToValidUTF8(err.Error(), "\uFFFD")}
	if at.Pos.Line > 0 {
		e.File = t.m.prog.Files[at.Pos.File]
	}
	var abort *abortError
	e.Fatal = stopped || errors.As(err, &abort)
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
	return At{Action: f.action, Pos: t.m.funcs[f.fn].PosAt(pc)}
}

// actionName returns the name of an action by number.
func (m *Machine) actionName(i int) string {
	if i == bytecode.None {
		return ""
	}
	return m.prog.Actions[i].Name
}
