package codegen

import (
	"slices"
	"strings"

	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
)

// A paginated response streams when the next step, a `for` or `store`, is its
// only use (language definition, section 6.1, "Memory"). This file finds out
// whether it is: whether the response is live behind that step, going through
// what follows in this block, the blocks around it, the loops that come round
// again, and the actions that run later.
//
// The answer errs on the side of a use: then the pages are merged, which is
// right but takes more memory.

// continuation is what runs after the step being generated: the rest of its
// block, or the end of the iteration of the loop around it.
type continuation struct {
	rest []syntax.Step
	loop bool
}

// effect is what steps do to the response that is there before them.
type effect uint8

const (
	passes effect = iota // neither
	uses                 // may read it
	kills                // replaces it before anything reads it
)

// streams gives the step that the pages of a request go through, or nil where
// they are to be merged.
func (f *fn) streams(info *bytecode.FetchInfo, rest []syntax.Step) syntax.Step {
	if len(rest) == 0 {
		return nil
	}
	var subject syntax.Expr
	switch s := rest[0].(type) {
	case *syntax.ForStep:
		if f.g.live.expr(s.Where, false) || f.g.live.expr(s.Concurrency, true) || f.g.live.steps(s.Body.Steps, false) == uses {
			return nil
		}
		subject = s.In
	case *syntax.StoreStep:
		if f.g.live.options(s.Options, false) {
			return nil
		}
		subject = s.Value
	default:
		return nil
	}
	path, ok := f.responsePath(subject)
	if !ok || info.Items != "" && path != "" && path != info.Items {
		return nil
	}
	if f.responseLive(rest[1:]) {
		return nil
	}
	if path != info.Items {
		info.Taken = path
	}
	return rest[0]
}

// responsePath gives the path of an expression that is response or a field of
// it by a path: "" for response itself.
func (f *fn) responsePath(e syntax.Expr) (path string, ok bool) {
	switch e := unparen(e).(type) {
	case *syntax.Name:
		return "", f.isGlobal(e, "response")
	case *syntax.SubjectExpr:
		return "", f.subject == responseSubject
	case *syntax.FieldExpr:
		outer, ok := f.responsePath(e.X)
		return strings.TrimPrefix(outer+"."+e.Name.Name, "."), ok
	}
	return "", false
}

// responseLive reports whether the response may be read once the step that the
// pages go through is done.
func (f *fn) responseLive(rest []syntax.Step) bool {
	inLoop := f.loop != nil
	switch f.g.live.steps(rest, !inLoop) {
	case uses:
		return true
	case kills:
		return false
	}
	// The last continuation is that of the request itself: it begins with the
	// step just looked at.
	for i := len(f.after) - 2; i >= 0; i-- {
		c := f.after[i]
		if c.loop {
			return false // an iteration's response ends with it
		}
		switch f.g.live.steps(c.rest, !inLoop) {
		case uses:
			return true
		case kills:
			return false
		}
	}
	return f.g.live.afterAction || f.g.live.inside[f.out.Name]
}

// itemNames lists the paths of the response that `until` and the steps behind
// a request name, the shorter ones first: at run time the first that is an
// array of the page is where its items are.
func (f *fn) itemNames(until *syntax.Option, rest []syntax.Step) (names []string) {
	seen := map[string]bool{}
	note := func(n syntax.Node) {
		syntax.Walk(n, func(n syntax.Node) bool {
			field, ok := n.(*syntax.FieldExpr)
			if !ok {
				return true
			}
			path, ok := f.responsePath(field)
			if !ok {
				return true
			}
			for end := range len(path) + 1 {
				if (end == len(path) || path[end] == '.') && !seen[path[:end]] {
					seen[path[:end]] = true
					names = append(names, path[:end])
				}
			}
			return false
		})
	}
	if until != nil {
		note(until.Value)
	}
	for _, s := range rest {
		switch s.(type) {
		case *syntax.FetchStep, *syntax.ApplyStep, *syntax.MapStep:
			note(s)
			return names
		}
		note(s)
	}
	return names
}

// untilNames lists the paths of the response that `until` reads.
func (f *fn) untilNames(until *syntax.Option) (names []string) {
	if until == nil {
		return nil
	}
	syntax.Walk(until.Value, func(n syntax.Node) bool {
		field, ok := n.(*syntax.FieldExpr)
		if !ok {
			return true
		}
		path, ok := f.responsePath(field)
		if !ok {
			return true
		}
		if !slices.Contains(names, path) {
			names = append(names, path)
		}
		return false
	})
	return names
}

// liveness knows which actions read the response that was there before them.
type liveness struct {
	actions     map[string]*syntax.Action
	known       map[string]bool // what reads found
	inside      map[string]bool // that others run inside of themselves, and return into them
	afterAction bool            // something that may run after a stage reads the response
}

// newLiveness looks through the actions.
func newLiveness(m *syntax.Mission, actions []*syntax.Action) *liveness {
	l := &liveness{actions: make(map[string]*syntax.Action, len(actions)), known: make(map[string]bool, len(actions)), inside: map[string]bool{}}
	for _, a := range actions {
		l.actions[a.Name.Name] = a
	}
	for _, a := range actions {
		l.afterAction = l.reads(a.Name.Name) || l.afterAction
		syntax.WalkSteps(a.Body, func(s syntax.Step) {
			switch s := s.(type) {
			case *syntax.RunStep:
				l.inside[s.Action.Name] = true
			case *syntax.DirectiveStep:
				if s.Kind == syntax.DirJump {
					l.inside[s.Target.Name] = true
				}
			}
		})
	}
	if m.Run != nil {
		for _, s := range m.Run.Stages {
			l.afterAction = l.afterAction || l.expr(s.Cond, true)
		}
	}
	return l
}

// reads reports whether an action reads the response that was there before it.
// One that runs another reads what that one reads; they never run each other in
// a circle.
func (l *liveness) reads(action string) bool {
	reads, ok := l.known[action]
	if !ok {
		reads = l.steps(l.actions[action].Body.Steps, true) == uses
		l.known[action] = reads
	}
	return reads
}

// steps tells what steps do to the response. subject says that `.` is the
// response in them.
func (l *liveness) steps(steps []syntax.Step, subject bool) effect {
	for _, s := range steps {
		if e := l.step(s, subject); e != passes {
			return e
		}
	}
	return passes
}

func (l *liveness) step(s syntax.Step, subject bool) effect {
	used := func(b bool, otherwise effect) effect {
		if b {
			return uses
		}
		return otherwise
	}
	switch s := s.(type) {
	case *syntax.FetchStep:
		return used(l.expr(s.Path, subject) || l.request(s.Options, subject), kills)
	case *syntax.MapStep:
		return used(l.expr(s.Source, subject) || l.expr(s.Body, subject && s.Source == nil), kills)
	case *syntax.ApplyStep:
		return used(l.expr(s.To, subject), kills)
	case *syntax.LetStep:
		return used(l.expr(s.Value, subject), passes)
	case *syntax.ForStep:
		return used(l.expr(s.In, subject) || l.expr(s.Where, false) || l.expr(s.Concurrency, subject) ||
			l.steps(s.Body.Steps, false) == uses, passes)
	case *syntax.ValidateStep:
		return used(l.validate(s, subject), passes)
	case *syntax.StoreStep:
		return used(l.expr(s.Value, subject) || l.options(s.Options, false), passes)
	case *syntax.DeleteStep:
		return used(l.expr(s.Key, subject), passes)
	case *syntax.MatchStep:
		return l.match(s, subject)
	case *syntax.IfStep:
		return l.branches(l.expr(s.Cond, subject), subject, s.Then, s.Else)
	case *syntax.RunStep:
		return used(l.reads(s.Action.Name), passes)
	case *syntax.LogStep:
		return used(l.expr(s.Message, subject) || s.Fields != nil && l.expr(s.Fields, subject), passes)
	case *syntax.WaitStep:
		return used(l.options(s.Options, subject), kills)
	case *syntax.PauseStep:
		return used(l.options(s.Options, subject), passes)
	case *syntax.DirectiveStep:
		if s.Kind == syntax.DirJump && l.reads(s.Target.Name) {
			return uses
		}
		// What queue writes by default has the response in it.
		return used(s.Kind == syntax.DirQueue && s.Options.Get("item") == nil || l.expr(s.Message, subject) || l.options(s.Options, subject), passes)
	}
	return passes
}

func (l *liveness) validate(s *syntax.ValidateStep, subject bool) bool {
	if l.expr(s.Target, subject) || s.Or != nil && l.steps(s.Or.Steps, subject) == uses {
		return true
	}
	for _, r := range s.Rules {
		inner := subject && s.Target == nil
		if l.expr(r.Cond, inner) || l.expr(r.Message, inner) {
			return true
		}
	}
	return false
}

func (l *liveness) match(s *syntax.MatchStep, subject bool) effect {
	if l.expr(s.Subject, subject) {
		return uses
	}
	for _, a := range s.Arms {
		if l.expr(a.Cond, subject) || l.expr(a.Where, subject && s.Subject == nil) || l.steps(a.Body.Steps, subject) == uses {
			return uses
		}
	}
	return passes
}

// branches joins the ways of an if: it kills only if both ways do.
func (l *liveness) branches(cond, subject bool, then, other *syntax.Block) effect {
	if cond {
		return uses
	}
	a, b := l.steps(then.Steps, subject), passes
	if other != nil {
		b = l.steps(other.Steps, subject)
	}
	switch {
	case a == uses || b == uses:
		return uses
	case a == kills && b == kills:
		return kills
	}
	return passes
}

// request reports whether the options of a request may read the response that was
// there before it. What `until`, `failWhen`, the next page and what decides about
// another attempt read is the answer.
func (l *liveness) request(o *syntax.Options, subject bool) bool {
	if o == nil {
		return false
	}
	if x := o.Get("paginate"); x != nil {
		if size := pageForm(x.Value).size; size != nil && l.expr(size, subject) {
			return true
		}
	}
	if x := o.Get("retry"); x != nil {
		object, ok := unparen(x.Value).(*syntax.ObjectExpr)
		if !ok || !plain(object) {
			return l.expr(x.Value, subject) || l.options(o, subject, "until", "failWhen", "paginate", "retry")
		}
		for _, e := range object.Entries {
			if e.Key.Name != "when" && e.Key.Name != "wait" && l.expr(e.Value, subject) {
				return true
			}
		}
	}
	return l.options(o, subject, "until", "failWhen", "paginate", "retry")
}

// options reports whether options, less those in skip, may read the response.
func (l *liveness) options(o *syntax.Options, subject bool, skip ...string) bool {
	if o == nil {
		return false
	}
	for _, e := range o.Entries {
		if !contains(skip, e.Key.Name) && l.expr(e.Value, subject) {
			return true
		}
	}
	return false
}

// expr reports whether an expression may read the response. In item expressions
// `.` is the item.
func (l *liveness) expr(e syntax.Expr, subject bool) bool {
	if isNil(e) {
		return false
	}
	found := false
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Name:
			found = found || n.Name == "response"
		case *syntax.SubjectExpr:
			found = found || subject
		case *syntax.WhereExpr:
			found = found || l.expr(n.X, subject) || l.expr(n.Cond, false)
			return false
		case *syntax.CallExpr:
			found = found || l.call(n, subject)
			return false
		}
		return !found
	})
	return found
}

func (l *liveness) call(c *syntax.CallExpr, subject bool) bool {
	item := -1
	if b := stdlib.Lookup(c.Fun.Name); b != nil && c.Fun.Name != "min" && c.Fun.Name != "max" {
		item = b.Item
	}
	for i, a := range c.Args {
		if l.expr(a, subject && i != item) {
			return true
		}
	}
	return false
}

// isNil reports whether an expression is absent, also as a nil node.
func isNil(e syntax.Expr) bool {
	if e == nil {
		return true
	}
	o, ok := e.(*syntax.ObjectExpr)
	return ok && o == nil
}
