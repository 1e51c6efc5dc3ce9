package check

import (
	"slices"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// losses finds where an incremental request may lose records without a failure:
// what was fetched once is not fetched again, so that it must not be left out,
// cleared away or kept under no key (language definition, section 6.1).
type losses struct {
	c *checker

	fills map[string]*syntax.StoreStep // of an incremental request, by store
	clear []*syntax.ClearStep
	told  map[syntax.Node]bool

	vars    []origin            // of the variables in scope
	closed  []*syntax.FetchStep // the requests so far that no checkpoint has covered
	covered map[*syntax.FetchStep]bool

	// What look looks for, and has found: one function for all values.
	look  func(syntax.Node) bool
	t     *trail
	found *syntax.FetchStep
}

// origin is the request that a variable's value comes of.
type origin struct {
	name string
	of   *syntax.FetchStep
}

// trail is where the values at a place come from.
type trail struct {
	response *syntax.FetchStep // what response comes of
	item     *syntax.FetchStep // and the subject, in a loop
	loop     bool
	first    int // of losses.closed: those before belong to what is around the loop
}

// checkLosses looks through all actions.
func (c *checker) checkLosses() {
	l := losses{c: c}
	l.look = l.lookAt
	for _, name := range c.actions.order {
		l.vars, l.closed = l.vars[:0], l.closed[:0]
		l.block(c.actions.byName[name].decl.Body, trail{})
	}
	for _, s := range l.clear {
		if stored := l.fills[s.Store.Name]; stored != nil {
			d := c.report(diag.CodeClearedSync, s.Span, "let the request ask for everything (without `since`), or keep the store",
				"`%s` is filled by a request that asks for changes only: what is cleared away is not fetched again", s.Store.Name)
			note(d, stored.Span, "it is filled here")
		}
	}
	for _, name := range c.stores.order {
		if s, _ := c.stores.get(name); s != nil && l.fills[name] != nil {
			l.forgetful(s)
		}
	}
}

// forgetful reports a store that does not keep what an incremental request has
// fetched.
func (l *losses) forgetful(s *syntax.Store) {
	name := s.Name.Name
	if word, ok := unparen(s.Adapter).(*syntax.Name); ok && word.Name == "memory" {
		d := l.c.report(diag.CodeForgetfulSync, word.Span, "choose a store that stays, such as `file(\""+name+"\")`, or fetch everything (without `since`)",
			"`%s` begins empty in each run, and is filled by a request that asks for changes only", name)
		note(d, l.fills[name].Span, "it is filled here")
	}
	// A ttl is no oversight: it says for how long a record is wanted.
	if o := s.Options.Get("keep"); o != nil {
		d := l.c.report(diag.CodeForgetfulSync, o.Key.Span, "leave `keep` out",
			"`%s` lets the oldest records go, and is filled by a request that asks for changes only: they are not fetched again", name)
		note(d, l.fills[name].Span, "it is filled here")
	}
	if l.c.storeSays(name, "mode") == "replace" {
		d := l.c.report(diag.CodeForgetfulSync, s.Options.Get("mode").Key.Span, "write `mode: merge`, or let the request ask for everything (without `since`)",
			"each run puts what it has stored in the place of all of `%s`, and it is filled by a request that asks for changes only", name)
		note(d, l.fills[name].Span, "it is filled here")
	}
}

func (l *losses) block(b *syntax.Block, t trail) {
	if b == nil {
		return
	}
	outer := len(l.vars)
	l.steps(b.Steps, &t)
	l.vars = l.vars[:outer]
}

func (l *losses) bind(name *syntax.Ident, of *syntax.FetchStep) {
	if name != nil {
		l.vars = append(l.vars, origin{name.Name, of})
	}
}

// steps goes through the steps of a block. What they make of response stays in t.
func (l *losses) steps(steps []syntax.Step, t *trail) {
	var failing map[string]*syntax.ForStep // by store: a loop before it whose items come of a request that reads it
	for i, s := range steps {
		l.checkUse(s, t)
		switch s := s.(type) {
		case *syntax.FetchStep:
			l.fetch(s, steps[i+1:])
			t.response = s
			if l.c.syncs[s] {
				l.closed = append(l.closed, s)
			}
		case *syntax.CheckpointStep:
			for _, f := range l.closed[t.first:] {
				if l.covered == nil {
					l.covered = map[*syntax.FetchStep]bool{}
				}
				l.covered[f] = true
			}
			l.closed = l.closed[:t.first]
		case *syntax.LetStep:
			l.bind(s.Name, l.origin(s.Value, t))
		case *syntax.MapStep:
			if t.response = nil; s.Source != nil {
				t.response = l.origin(s.Source, t)
			}
			l.bind(s.Name, t.response)
		case *syntax.ApplyStep:
			t.response = l.origin(s.To, t)
			l.bind(s.As, t.response)
		case *syntax.ForStep:
			f := l.origin(s.In, t)
			l.loop(s, f, t)
			if f != nil && (s.OnError == nil || s.OnError.Name != "abort") {
				l.read(f, func(name string) {
					if failing == nil {
						failing = map[string]*syntax.ForStep{}
					}
					failing[name] = s
				})
			}
		case *syntax.StoreStep:
			l.store(s, t)
			if s.Store != nil && failing[s.Store.Name] != nil {
				d := l.c.report(diag.CodeOwnPosition, s.Span, "use `since: lastSync`, whose position is held where an item fails, or end the loop with `onError abort`",
					"the request reads `%s`, and this moves it on though items of the loop before it may have failed", s.Store.Name)
				note(d, failing[s.Store.Name].Span, "this is the loop")
			}
		case *syntax.ClearStep:
			if s.Store != nil {
				l.clear = append(l.clear, s)
			}
		case *syntax.MatchStep:
			l.match(s, steps, i, t)
		case *syntax.IfStep:
			l.block(s.Then, *t)
			l.block(s.Else, *t)
		case *syntax.ValidateStep:
			l.block(s.Or, *t)
		}
	}
}

// origin gives the request that a value comes of, nil if that can't be seen.
func (l *losses) origin(n syntax.Node, t *trail) *syntax.FetchStep {
	l.t, l.found = t, nil
	syntax.Walk(n, l.look)
	return l.found
}

func (l *losses) lookAt(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Name:
		for i := len(l.vars) - 1; i >= 0; i-- {
			if l.vars[i].name == n.Name {
				l.found = l.vars[i].of
				return l.found == nil
			}
		}
		if n.Name == "response" {
			l.found = l.t.response
		}
	case *syntax.SubjectExpr:
		if l.found = l.t.response; l.t.loop {
			l.found = l.t.item
		}
	}
	return l.found == nil
}

// checkUse reports a value that a request has fetched whose position a checkpoint
// has saved already.
func (l *losses) checkUse(s syntax.Step, t *trail) {
	if len(l.covered) == 0 {
		return
	}
	var used syntax.Node
	switch s := s.(type) {
	case *syntax.StoreStep:
		used = s.Value
	case *syntax.ForStep:
		used = s.In
	case *syntax.MapStep:
		if s.Source != nil {
			used = s.Source
		}
	case *syntax.ApplyStep:
		used = s.To
	}
	if used == nil {
		return
	}
	f := l.origin(used, t)
	if f == nil || !l.covered[f] || !l.once(f) {
		return
	}
	d := l.c.report(diag.CodeUsedBehindCheckpoint, used.Place(), "move the `checkpoint` behind it",
		"this was fetched before the `checkpoint`, which has saved the request's position: what fails from here on is not fetched again")
	note(d, f.Span, "this is the request")
}

// once reports whether nothing has been told of n yet.
func (l *losses) once(n syntax.Node) bool {
	if l.told[n] {
		return false
	}
	if l.told == nil {
		l.told = map[syntax.Node]bool{}
	}
	l.told[n] = true
	return true
}

// fetch checks the options of an incremental request.
func (l *losses) fetch(s *syntax.FetchStep, after []syntax.Step) {
	if !l.c.syncs[s] || s.Options == nil {
		return
	}
	for _, name := range []string{"maxPages", "maxItems"} {
		if o := s.Options.Get(name); o != nil && s.Options.Get("updateFrom") == nil && s.Options.Get("allowCut") == nil {
			l.c.report(diag.CodeSamePages, o.Key.Span, "add `updateFrom: \"updated_at\"`, as the items call it, or leave `"+name+"` out",
				"where `%s` ends the fetch, its position does not move: each run fetches the same pages", name)
			break
		}
	}
	o := s.Options.Get("allow")
	if o == nil || !stores(after) {
		return
	}
	list, ok := unparen(o.Value).(*syntax.ArrayExpr)
	if !ok {
		return
	}
	for _, e := range list.Elems {
		if n, _, ok := literalNumber(e.Value); ok && losing(n) {
			l.c.report(diag.CodeSkippedSync, e.Value.Place(), "leave it out: a failed request holds its position",
				"with `allow: [%s]` the request counts as good, and its position moves though nothing was fetched", e.Value.Place().Text())
		}
	}
}

// losing reports whether a status says that an answer lacks what there is.
func losing(status float64) bool {
	return status == 401 || status == 403 || status >= 500 && status < 600
}

// stores reports whether steps store something, at any depth.
func stores(steps []syntax.Step) (found bool) {
	syntax.WalkSteps(&syntax.Block{Steps: steps}, func(s syntax.Step) {
		_, store := s.(*syntax.StoreStep)
		found = found || store
	})
	return found
}

// read calls visit with the stores that a request's path and options read.
func (l *losses) read(f *syntax.FetchStep, visit func(string)) {
	look := func(n syntax.Node) bool {
		if name, ok := n.(*syntax.Name); ok && l.c.isStore(name.Name) {
			visit(name.Name)
		}
		return true
	}
	if f.Path != nil {
		syntax.Walk(f.Path, look)
	}
	for _, o := range f.Options.All() {
		if o.Value != nil && o.Key.Name != "source" {
			syntax.Walk(o.Value, look)
		}
	}
}

// loop checks a loop whose items come of f.
func (l *losses) loop(s *syntax.ForStep, f *syntax.FetchStep, t *trail) {
	outer := len(l.vars)
	l.bind(s.Var, f)
	l.block(s.Body, trail{response: t.response, item: f, loop: true, first: len(l.closed)})
	l.vars = l.vars[:outer]
	if s.OnError == nil || s.Body == nil {
		return
	}
	if s.OnError.Name == "skip" && l.c.syncs[f] && stores(s.Body.Steps) {
		d := l.c.report(diag.CodeSkippedSync, s.OnError.Span, "write `onError queue failed`, or `continue`, with which the position is held",
			"an item that fails is skipped, and the request's position moves on: it is not fetched again")
		note(d, f.Span, "this is the request")
	}
	if s.OnError.Name != "queue" || s.Queue == nil {
		return
	}
	syntax.WalkSteps(s.Body, func(step syntax.Step) {
		if data, ok := step.(*syntax.StoreStep); ok && data.Store != nil && data.Store.Name == s.Queue.Name && l.once(s) {
			d := l.c.report(diag.CodeMixedLetters, s.Queue.Span, "queue in a store of its own, such as `failed_"+s.Queue.Name+"`",
				"what fails is queued in `%s`, among the data itself", s.Queue.Name)
			note(d, data.Span, "the data is stored here")
		}
	})
}

// store notes which store an incremental request fills, and reports records that
// nothing tells apart.
func (l *losses) store(s *syntax.StoreStep, t *trail) {
	f := l.origin(s.Value, t)
	if f == nil || s.Store == nil || !l.c.syncs[f] {
		return
	}
	if l.fills == nil {
		l.fills = map[string]*syntax.StoreStep{}
	}
	if l.fills[s.Store.Name] == nil {
		l.fills[s.Store.Name] = s
	}
	if l.c.keyless[s] && l.c.storeSays(s.Store.Name, "key") == "" {
		d := l.c.report(diag.CodeKeylessSync, s.Span, "add `key: …`, an expression over the record",
			"these records have neither a `key` nor an `id`: one that has changed is stored once more, beside the old one")
		note(d, f.Span, "they are of this request, which asks for changes")
	}
}

// match checks the arms of a match behind an incremental request that leave out
// what there is.
func (l *losses) match(s *syntax.MatchStep, steps []syntax.Step, i int, t *trail) {
	var f *syntax.FetchStep
	if i > 0 && s.Subject != nil && isResponse(s.Subject) {
		f, _ = steps[i-1].(*syntax.FetchStep)
	}
	for _, arm := range s.Arms {
		l.block(arm.Body, *t)
		lit, ok := arm.Pattern.(*syntax.LiteralPattern)
		if !ok || f == nil || !l.c.syncs[f] || arm.Body == nil || len(arm.Body.Steps) == 0 {
			continue
		}
		others := func(a *syntax.StepArm) bool { return a != arm && a.Body != nil && stores(a.Body.Steps) }
		if !stores(steps[i+1:]) && !slices.ContainsFunc(s.Arms, others) {
			continue
		}
		d, ok := arm.Body.Steps[len(arm.Body.Steps)-1].(*syntax.DirectiveStep)
		if n, _, number := literalNumber(lit.Value); ok && number && d.Kind == syntax.DirSkip && losing(n) {
			text := strings.TrimSpace(lit.Span.Text())
			d := l.c.report(diag.CodeSkippedSync, arm.Span, "leave it out, so that the run fails, or write `abort`",
				"with a %s the rest is skipped, and the run goes on as if there were nothing", text)
			note(d, f.Span, "this is the request")
		}
	}
}
