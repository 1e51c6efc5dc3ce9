package check

import (
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
	"reqon/vm/option"
)

// flow is what the steps at hand may do, given the steps around them.
type flow struct {
	arm     bool // they stand in an arm of a match, and in no loop within it
	loop    bool // they stand in a loop
	request bool // a request of this block or an enclosing one came before
	// incremental: that request has a sync position
	incremental bool
}

// ending says how a step or a block ends.
type ending uint8

const (
	goesOn      ending = iota // the next step follows
	leavesMatch               // `continue`: the step after the match follows
	leaves                    // what follows is never reached
)

func (c *checker) checkActions() {
	for _, name := range c.actions.order {
		a := c.actions.byName[name].decl
		c.action = name
		c.flow = flow{}
		c.with(place{scope: c.root, response: anyType, lastSync: true}, func() {
			if a.Body != nil {
				c.block(a.Body)
				if len(a.Body.Steps) == 0 {
					c.report(diag.CodeNoAction, a.Name.Span, "", "the action `%s` has no steps, so that running it does nothing", name)
				}
			}
		})
		c.action = ""
	}
}

// block checks a block in a scope of its own. What it does to response stays.
func (c *checker) block(b *syntax.Block) ending {
	if b == nil {
		return goesOn
	}
	outer, request, incremental := c.at, c.flow.request, c.flow.incremental
	c.at.scope = newScope(outer.scope)
	end := c.steps(b.Steps)
	c.closeScope(c.at.scope)
	outer.response = c.at.response
	c.at, c.flow.request, c.flow.incremental = outer, request, incremental
	return end
}

func (c *checker) steps(steps []syntax.Step) ending {
	end := goesOn
	var mapped *mappedSource
	for i, s := range steps {
		if end != goesOn {
			d := c.report(diag.CodeUnreachableStep, s.Place(), "", "this step is never reached")
			note(d, steps[i-1].Place(), "nothing goes on behind this step")
			end = goesOn // the rest is checked as if it were reached
		}
		var previous syntax.Step
		if i > 0 {
			previous = steps[i-1]
		}
		if m, ok := s.(*syntax.MatchStep); ok {
			end = c.matchStep(m, previous)
			if _, afterRequest := previous.(*syntax.FetchStep); afterRequest && m.Subject != nil && isResponse(m.Subject) {
				c.checkEnvelope(m, steps[i+1:])
			}
		} else {
			end = c.step(s)
		}
		if f, ok := s.(*syntax.FetchStep); ok {
			var after syntax.Step
			if i+1 < len(steps) {
				after = steps[i+1]
			}
			c.checkPageLength(f, after)
		}
		mapped = c.followMapped(mapped, s, previous)
	}
	c.reportUnmapped(mapped)
	return end
}

// branch checks one of several ways to go on and merges what is known of
// response behind all of them.
type branches struct {
	before *typ // response before the branches
	after  *typ // response behind those that go on; nil: none does
}

func (c *checker) branch(b *branches, f func() ending) ending {
	c.at.response = b.before
	end := f()
	if end != leaves {
		if b.after == nil {
			b.after = c.at.response
		} else {
			b.after = c.union(b.after, c.at.response)
		}
	}
	return end
}

func (c *checker) join(b *branches) {
	c.at.response = b.after
	if b.after == nil {
		c.at.response = b.before // nothing goes on; what follows is reported as unreachable
	}
}

func (c *checker) step(s syntax.Step) ending {
	switch s := s.(type) {
	case *syntax.FetchStep:
		c.fetch(s)
	case *syntax.LetStep:
		t := c.expr(s.Value)
		if s.Name != nil {
			c.bind(s.Name, varLet, t)
		}
	case *syntax.ForStep:
		c.loop(s)
	case *syntax.MapStep:
		c.mapStep(s)
	case *syntax.ApplyStep:
		c.apply(s)
	case *syntax.ValidateStep:
		c.validate(s)
	case *syntax.StoreStep:
		c.store(s)
	case *syntax.DeleteStep:
		c.existingStore(s.Store)
		if s.Store == nil {
			c.expr(s.Key)
			break
		}
		c.checkRecordKey(s.Store.Name, s.Key)
		c.needsKeys(s.Store.Name, s.Span, "`delete`")
		c.needsReading(s.Store.Name, s.Span)
	case *syntax.ClearStep:
		c.existingStore(s.Store)
		if s.Store != nil {
			c.needsReading(s.Store.Name, s.Span)
		}
		if s.Store != nil && c.storeSays(s.Store.Name, "key") != "" {
			c.report(diag.CodeStoreOption, s.Span, "", "`clear` is not for a table that others have made (`key`)")
		}
	case *syntax.CheckpointStep:
	case *syntax.ResetStep:
		c.resetStep(s)
	case *syntax.IfStep:
		return c.ifStep(s)
	case *syntax.RunStep:
		c.runAction(s.Action, "runs")
	case *syntax.LogStep:
		c.expr(s.Message)
		if s.Fields != nil {
			c.expr(s.Fields)
		}
	case *syntax.WaitStep:
		c.checkAvailable(bytecode.StepPart, "wait", verb(s.Span, "wait"))
		c.checkOptions(s.Options, option.At(option.InWait), s.Span)
		c.at.response = anyType
	case *syntax.PauseStep:
		c.checkAvailable(bytecode.StepPart, "pause", verb(s.Span, "pause"))
		c.checkOptions(s.Options, option.At(option.InPause), s.Span)
		if s.Options.Get("duration") == nil && s.Options.Get("resumeOn") == nil {
			c.report(diag.CodeOptionMissing, s.Span, "add `duration: 1h` or `resumeOn: webhook \"/path\"`", "this pause says neither how long it lasts nor what ends it")
		}
		c.at.response = anyType
	case *syntax.DirectiveStep:
		return c.directive(s)
	}
	return goesOn
}

func (c *checker) runAction(id *syntax.Ident, verb string) {
	if c.useAction(id) {
		c.runs[c.action] = append(c.runs[c.action], edge{to: id.Name, span: id.Span, verb: verb})
	}
	c.at.response = anyType
}

func (c *checker) ifStep(s *syntax.IfStep) ending {
	c.condition(s.Cond)
	b := &branches{before: c.at.response}
	end := c.branch(b, func() ending { return c.block(s.Then) })
	otherwise := goesOn
	if s.Else != nil {
		otherwise = c.branch(b, func() ending { return c.block(s.Else) })
	} else {
		c.branch(b, func() ending { return goesOn })
	}
	c.join(b)
	return min(end, otherwise)
}

func (c *checker) loop(s *syntax.ForStep) {
	t := c.expr(s.In)
	if !t.can(stdlib.KArray) {
		suggestion := ""
		switch {
		case t.kinds == stdlib.KObject:
			suggestion = "write `entries(…)` or `values(…)` to go through an object"
		case t.kinds == stdlib.KNumber:
			suggestion = "write `range(" + s.In.Place().Text() + ")`"
		}
		c.report(diag.CodeNotIterable, s.In.Place(), suggestion, "`for` goes through an array, found %s", t.describe())
	}
	if s.Concurrency != nil {
		c.checkNumberIn(&option.Spec{Name: "concurrency", Min: 1}, option.Count, s.Concurrency)
	}
	if s.Queue != nil {
		c.stores.use(s.Queue.Name)
	}
	outer, around := c.at, c.flow
	c.at.scope = newScope(outer.scope)
	c.at.item = t.element()
	c.at.response = anyType // each iteration has its own
	c.flow = flow{loop: true}
	if s.Var != nil {
		c.bind(s.Var, varLoop, t.element())
	}
	c.condition(s.Where)
	c.block(s.Body)
	c.at, c.flow = outer, around
	c.at.response = anyType
}

func (c *checker) validate(s *syntax.ValidateStep) {
	inner := c.at
	if s.Target != nil {
		inner.item = c.expr(s.Target)
	}
	for _, r := range s.Rules {
		c.with(inner, func() {
			c.condition(r.Cond)
			if r.Message != nil {
				c.expr(r.Message)
			}
		})
	}
	if s.Or != nil {
		b := &branches{before: c.at.response, after: c.at.response}
		c.branch(b, func() ending { return c.block(s.Or) })
		c.join(b)
	}
}

func (c *checker) store(s *syntax.StoreStep) {
	t := c.expr(s.Value)
	record := t
	switch {
	case t.kinds&^stdlib.KNull == stdlib.KArray:
		record = t.element()
	case t.can(stdlib.KArray):
		record = anyType
	}
	if !t.can(stdlib.KArray | stdlib.KObject) {
		c.report(diag.CodeNotRecord, s.Value.Place(), "write `store { value: … } -> …`", "only an object, or an array of objects, can be stored, found %s", t.describe())
	} else if !record.can(stdlib.KObject) && record.kinds != 0 {
		c.report(diag.CodeNotRecord, s.Value.Place(), "", "every element of what is stored must be an object, found %s", t.elem.describe())
	}
	if s.Store != nil {
		c.stores.use(s.Store.Name)
	}
	c.checkOptionsAt(s.Options, option.At(option.InStoreStep), s.Span, optionPlace{item: record})
	for _, name := range []string{"key", "upsert", "partial"} {
		if o := s.Options.Get(name); o != nil && s.Store != nil {
			c.needsKeys(s.Store.Name, o.Key.Span, "`"+name+"`")
			if name == "key" && c.storeSays(s.Store.Name, "key") != "" {
				c.report(diag.CodeStoreOption, o.Key.Span, "take it out", "the key of a record in `%s` is in the columns that the store's `key` names", s.Store.Name)
			}
		}
	}
	if s.Options.Get("key") == nil && record.obj != nil && record.obj.closed && record.obj.fields["id"] == nil {
		c.keyless[s] = true
	}
	c.checkKeyless(s, record)
	c.checkConstantKey(s, t, record)
}

// checkKeyless reports an upsert of records that have no key: each of them gets
// a new one, and none is ever merged.
func (c *checker) checkKeyless(s *syntax.StoreStep, record *typ) {
	if s.Options.Get("key") != nil || record.obj == nil || !record.obj.closed || record.obj.fields["id"] != nil {
		return
	}
	for _, name := range []string{"upsert", "partial"} {
		if o := s.Options.Get(name); o != nil {
			if truth, ok := constantTruth(o.Value); ok && truth == "true" {
				c.report(diag.CodeNoEffect, o.Key.Span, "add `key: …`", "`%s` has no effect: the record has neither a `key` nor an `id`, so that each one gets a new key", name)
				return
			}
		}
	}
}

// existingStore reports a store that is neither declared nor stored to.
func (c *checker) existingStore(id *syntax.Ident) {
	if id == nil {
		return
	}
	if c.isStore(id.Name) {
		c.stores.use(id.Name)
		return
	}
	near := c.near(id.Name, c.storeNames)
	c.stores.use(near)
	c.report(diag.CodeUnknownStore, id.Span, didYouMean(near), "unknown store `%s`: it is neither declared nor stored to", id.Name)
}

// directive checks a directive and where it stands (language definition,
// section 6.2).
func (c *checker) directive(s *syntax.DirectiveStep) ending {
	switch s.Kind {
	case syntax.DirContinue:
		if !c.flow.arm {
			suggestion := "leave it out: the next step follows by itself"
			if c.flow.loop {
				suggestion = "write `skip` to go on to the next item"
			}
			c.report(diag.CodeMisplaced, s.Span, suggestion, "`continue` goes on behind a `match`, and there is none around it")
			return goesOn
		}
		return leavesMatch
	case syntax.DirAbort:
		if s.Message != nil {
			c.expr(s.Message)
		}
		return leaves
	case syntax.DirSkip:
		return leaves
	case syntax.DirRetry:
		c.needRequest(s.Span, "`retry`")
		c.checkOptions(s.Options, option.At(option.InRetryDirective), s.Span)
		return leaves
	case syntax.DirQueue:
		if s.Target != nil {
			c.stores.use(s.Target.Name)
		}
		c.checkOptions(s.Options, option.At(option.InQueue), s.Span)
	case syntax.DirJump:
		c.runAction(s.Target, "jumps to")
		if s.Then != nil && s.Then.Name == "retry" {
			c.needRequest(s.Then.Span, "`then retry`")
			return leaves
		}
	}
	return goesOn
}

func (c *checker) needRequest(span syntax.Span, what string) {
	if c.flow.request {
		return
	}
	where := "in this action"
	if c.flow.loop {
		where = "in this iteration"
	}
	c.report(diag.CodeMisplaced, span, "", "%s repeats the most recent request of this block or one around it, and there is none %s before it", what, where)
}

// mappedSource is a map step whose source may be stored in place of its result.
type mappedSource struct {
	step   *syntax.MapStep
	source string
	result *variable
	reads  int               // how often response was read before
	stored *syntax.StoreStep // the step behind it that stores the source
}

// followMapped looks for `map x -> Post { … }` with `store x -> posts` behind
// it: most likely the result was meant to be stored.
func (c *checker) followMapped(m *mappedSource, s, previous syntax.Step) *mappedSource {
	switch s := s.(type) {
	case *syntax.MapStep:
		c.reportUnmapped(m)
		name, ok := s.Source.(*syntax.Name)
		if !ok || name.Name == "response" || s.Name == nil {
			return nil
		}
		return &mappedSource{step: s, source: name.Name, result: c.at.scope.own(s.Name.Name), reads: c.reads}
	case *syntax.StoreStep:
		if m != nil && m.stored == nil && previous == syntax.Step(m.step) {
			if v, ok := s.Value.(*syntax.Name); ok && v.Name == m.source {
				m.stored = s
			}
		}
	}
	return m
}

func (c *checker) reportUnmapped(m *mappedSource) {
	if m == nil || m.stored == nil || m.result == nil || m.result.used || c.reads != m.reads {
		return
	}
	name := m.result.name
	d := c.report(diag.CodeUnmappedStored, m.stored.Value.Place(), "write `store "+name+" -> …`",
		"`%s` is what was mapped, not the result of the `map`, which is never used", m.source)
	note(d, m.step.Name.Span, "the result is called `%s`, or `response`", name)
}
