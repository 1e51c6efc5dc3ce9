package check

import (
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
)

// pattern checks a pattern against a value of type t, binds its names in the
// scope at hand, and returns what is known of the value where it matches.
// status is set where a number stands for an HTTP status.
func (c *checker) pattern(p syntax.Pattern, t *typ, status bool) *typ {
	switch p := p.(type) {
	case *syntax.LiteralPattern:
		if n, _, ok := literalNumber(p.Value); ok && status {
			if n < 100 || n > 999 || n != float64(int(n)) {
				suggestion := ""
				if n == 0 {
					suggestion = "write `{ code: 0 }` for a request that got no answer"
				}
				c.report(diag.CodeBadStatus, p.Span, suggestion, "%s is no HTTP status, which a number is here", p.Span.Text())
			}
			return anyType
		}
		lit := litType(p.Value)
		if !(lit.date && t.can(stdlib.KTime)) { // a date equals its timestamp
			c.mayMatch(p, t, lit)
		}
		return lit
	case *syntax.SchemaPattern:
		return c.schemaPattern(p, t)
	case *syntax.ArrayPattern:
		c.mayMatch(p, t, &typ{kinds: stdlib.KArray})
		for _, e := range p.Elems {
			c.pattern(e, t.element(), false)
		}
		if p.Rest != nil {
			c.bind(p.Rest, varPattern, arrayOf(t.element()))
		}
		return arrayOf(t.element())
	case *syntax.ObjectPattern:
		if !c.mayMatch(p, t, recordType) {
			t = anyType
		}
		for _, f := range p.Fields {
			if f.Key == nil {
				continue
			}
			c.pattern(f.Pattern, c.patternField(t, f.Key), false)
		}
		return &typ{kinds: stdlib.KObject, obj: t.obj}
	case *syntax.BindPattern:
		if s, ok := c.schemas.get(p.Name.Name); ok {
			c.schemas.use(p.Name.Name)
			d := c.report(diag.CodeShadowing, p.Span, "begin the schema's name with a capital letter", "`%s` binds a variable here, and is not the schema of that name", p.Name.Name)
			note(d, s.Name.Span, "the schema is declared here")
			return t
		}
		c.bind(p.Name, varPattern, t)
	}
	return t
}

// patternField returns what is known of a field that a pattern looks at. A
// response may be an error envelope, whose fields no schema names.
func (c *checker) patternField(t *typ, key *syntax.Ident) *typ {
	if !t.can(stdlib.KObject) {
		return anyType
	}
	return without(c.objectField(&typ{kinds: stdlib.KObject, obj: t.obj}, key.Name, key.Span), stdlib.KNull)
}

func (c *checker) schemaPattern(p *syntax.SchemaPattern, t *typ) *typ {
	want := anyType
	if b, ok := builtinTypes[p.Name.Name]; ok {
		want = b
	} else if c.useSchema(p.Name.Span, p.Name.Name) {
		want = c.schemaType(p.Name.Name)
	}
	if p.Each {
		want = arrayOf(want)
	}
	c.mayMatch(p, t, want)
	return want
}

// mayMatch reports a pattern that no value of type t matches.
func (c *checker) mayMatch(p syntax.Pattern, t, want *typ) bool {
	m := misfit(t, want, 2)
	if m == "" {
		return true
	}
	c.report(diag.CodePatternMismatch, p.Place(), "", "this pattern never matches: the value is %s", t.describe())
	return false
}

// narrowed returns the place of an arm's body: the subject of the match, where
// it is a name, is known to be t there.
func (c *checker) narrow(subject syntax.Expr, t *typ) {
	switch s := unparen(subject).(type) {
	case *syntax.Name:
		if v := c.at.scope.lookup(s.Name); v != nil {
			c.at.scope.add(&variable{name: v.name, span: v.span, kind: varPattern, typ: t, used: true})
		} else if s.Name == "response" {
			c.at.response = t
		}
	case *syntax.SubjectExpr:
		if c.at.item != nil {
			c.at.item = t
		} else {
			c.at.response = t
		}
	}
}

// matchStep checks a match among steps. previous is the step before it.
func (c *checker) matchStep(s *syntax.MatchStep, previous syntax.Step) ending {
	t := anyType
	if s.Subject != nil {
		t = c.expr(s.Subject)
	}
	_, afterRequest := previous.(*syntax.FetchStep)
	name, ok := s.Subject.(*syntax.Name)
	afterRequest = afterRequest && ok && name.Name == "response" && c.at.scope.lookup("response") == nil
	around := c.flow
	c.flow.arm = true
	b := &branches{before: c.at.response}
	cover := &coverage{afterRequest: afterRequest}
	end := leaves
	for _, arm := range s.Arms {
		armEnd := c.branch(b, func() ending { return c.stepArm(s, arm, t, cover) })
		if armEnd != leaves {
			end = goesOn
		}
		if afterRequest && armEnd == goesOn {
			c.checkCarriesOn(arm)
		}
	}
	c.flow = around
	if !cover.good || afterRequest && !cover.failed {
		// Arms with statuses only let everything else pass.
		c.branch(b, func() ending { return goesOn })
		end = goesOn
	}
	c.join(b)
	return end
}

func (c *checker) stepArm(s *syntax.MatchStep, arm *syntax.StepArm, t *typ, cover *coverage) ending {
	outer := c.at
	c.at.scope = newScope(outer.scope)
	if s.Subject == nil {
		c.condition(arm.Cond)
	}
	if arm.Pattern != nil {
		matched := c.pattern(arm.Pattern, t, cover.afterRequest)
		c.guard(arm.Where, matched)
		if s.Subject != nil {
			c.narrow(s.Subject, matched)
		}
	} else if arm.Where != nil {
		c.condition(arm.Where)
	}
	end := c.block(arm.Body)
	c.checkReachable(cover, reach{
		pattern: arm.Pattern, cond: arm.Cond, guarded: arm.Where != nil, span: arm.Span,
		leaves: end == leaves || endsInQueueOrJump(arm.Body),
	})
	c.closeArm(c.at.scope)
	response := c.at.response
	c.at = outer
	c.at.response = response
	return end
}

// endsInQueueOrJump reports whether an arm is, or ends in, a directive that
// takes failed requests without leaving (language definition, section 6.1).
func endsInQueueOrJump(b *syntax.Block) bool {
	if b == nil || len(b.Steps) == 0 {
		return false
	}
	d, ok := b.Steps[len(b.Steps)-1].(*syntax.DirectiveStep)
	return ok && (d.Kind == syntax.DirQueue || d.Kind == syntax.DirJump)
}

// guard checks the `where` of an arm: its subject is the matched value.
func (c *checker) guard(where syntax.Expr, matched *typ) {
	if where == nil {
		return
	}
	inner := c.at
	inner.item = matched
	c.with(inner, func() { c.condition(where) })
}

// checkCarriesOn tells that a `_` that carries on never takes a failed request,
// where its body reads what only an error envelope has.
func (c *checker) checkCarriesOn(arm *syntax.StepArm) {
	if _, ok := arm.Pattern.(*syntax.WildcardPattern); !ok || arm.Body == nil || endsInQueueOrJump(arm.Body) {
		return
	}
	var read *syntax.Ident
	syntax.Walk(arm.Body, func(n syntax.Node) bool {
		f, ok := n.(*syntax.FieldExpr)
		if !ok || read != nil || f.Name == nil {
			return read == nil
		}
		_, isSubject := f.X.(*syntax.SubjectExpr)
		name, isName := f.X.(*syntax.Name)
		if !isSubject && !(isName && name.Name == "response") {
			return true
		}
		switch f.Name.Name {
		case "error", "code", "status":
			read = f.Name
		}
		return true
	})
	if read == nil {
		return
	}
	d := c.report(diag.CodeCarriesOn, arm.Pattern.Place(), "end the arm in abort, skip, retry, queue or jump, or write `{ error: _ } -> …`",
		"a `_` that carries on takes good responses only; a failed request fails the step")
	note(d, read.Span, "`%s` is a field of failed requests", read.Name)
}

// matchWith checks a match expression; value checks the value of an arm.
func (c *checker) matchWith(e *syntax.MatchExpr, value func(*syntax.MatchArm) *typ) *typ {
	t := anyType
	if e.Subject != nil {
		t = c.infer(e.Subject)
	}
	var result *typ
	cover := &coverage{}
	for _, arm := range e.Arms {
		inner := c.at
		inner.scope = newScope(c.at.scope)
		c.with(inner, func() {
			if e.Subject == nil && arm.Cond != nil {
				c.infer(arm.Cond)
				if truth, ok := constantTruth(arm.Cond); ok {
					c.report(diag.CodeConstant, arm.Cond.Place(), "", "this condition is always %s", truth)
				}
			}
			if arm.Pattern != nil {
				matched := c.pattern(arm.Pattern, t, false)
				c.guard(arm.Where, matched)
				if e.Subject != nil {
					c.narrow(e.Subject, matched)
				}
			}
			c.checkReachable(cover, reach{pattern: arm.Pattern, cond: arm.Cond, guarded: arm.Where != nil, span: arm.Span})
			v := value(arm)
			c.closeArm(c.at.scope)
			if result == nil {
				result = v
			} else {
				result = c.union(result, v)
			}
		})
	}
	if result == nil {
		result = nullType
	}
	if !cover.good && !cover.exhausts(t) {
		c.report(diag.CodeMissingDefault, matchWord(e), "add `_ => …`", "this match has no `_`, and is null where no arm fits")
		result = result.orNull()
	}
	return result
}

// matchWord returns the place of the word `match`.
func matchWord(e *syntax.MatchExpr) syntax.Span {
	s := e.Span
	s.End = min(s.End, s.Start+int32(len("match")))
	return s
}

// coverage is what the arms of a match take so far.
type coverage struct {
	afterRequest bool // the subject is the response of a request just sent
	good         bool // every value is taken, save those of failed requests
	failed       bool // every failed request is taken
	by           syntax.Span
	seen         map[string]syntax.Span // unguarded patterns
}

// reach is what decides whether an arm is reached.
type reach struct {
	pattern syntax.Pattern
	cond    syntax.Expr
	guarded bool
	span    syntax.Span
	leaves  bool // it takes failed requests, also under `_`
}

// checkReachable reports an arm that the arms before it leave nothing to take.
func (c *checker) checkReachable(cover *coverage, r reach) {
	catchAll := false
	switch r.pattern.(type) {
	case *syntax.WildcardPattern, *syntax.BindPattern:
		catchAll = true
	}
	takesFailed := cover.afterRequest && (!catchAll || r.leaves)
	if cover.good && (!takesFailed || cover.failed) {
		d := c.report(diag.CodeUnreachableArm, r.span, "", "this arm is never reached")
		note(d, cover.by, "everything is taken here")
		return
	}
	if key := patternKey(r.pattern); key != "" {
		if first, ok := cover.seen[key]; ok {
			d := c.report(diag.CodeUnreachableArm, r.span, "", "this arm is never reached: an arm before it has the same pattern")
			note(d, first, "it is here")
			return
		}
		if !r.guarded {
			if cover.seen == nil {
				cover.seen = map[string]syntax.Span{}
			}
			cover.seen[key] = r.span
		}
	}
	if catchAll && !r.guarded {
		cover.good = true
		cover.failed = !cover.afterRequest || r.leaves
		cover.by = r.span
	}
}

// patternKey returns a text that patterns which take the same values share; ""
// for those that are not compared.
func patternKey(p syntax.Pattern) string {
	switch p := p.(type) {
	case *syntax.LiteralPattern:
		if t := litType(p.Value); t.lits != nil {
			return t.lits[0]
		}
		return "null"
	case *syntax.SchemaPattern:
		if p.Each {
			return "[" + p.Name.Name + "]"
		}
		return p.Name.Name
	}
	return ""
}

// exhausts reports whether literal arms take every value that t can be.
func (cover *coverage) exhausts(t *typ) bool {
	lits := t.lits
	if t.kinds == stdlib.KBool && lits == nil {
		lits = []string{"true", "false"}
	}
	if lits == nil {
		return false
	}
	for _, l := range lits {
		if _, ok := cover.seen[l]; !ok {
			return false
		}
	}
	return !strings.Contains(strings.Join(lits, ""), "\x00")
}
