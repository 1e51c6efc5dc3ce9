package check

import (
	"slices"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/option"
)

// collect enters all declarations into the tables, and reports those that have
// one name.
func (c *checker) collect(m *syntax.Mission, loose []syntax.Decl) {
	for _, d := range slices.Concat(m.Items, loose) {
		c.survey(d)
		switch d := d.(type) {
		case *syntax.Param:
			c.collectParam(d)
		case *syntax.Source:
			declare(c, c.sources, d.Name, d, "source")
		case *syntax.Store:
			declare(c, c.stores, d.Name, d, "store")
		case *syntax.Schema:
			declare(c, c.schemas, d.Name, d, "schema")
		case *syntax.Transform:
			declare(c, c.transforms, d.Name, d, "transform")
		case *syntax.Action:
			declare(c, c.actions, d.Name, d, "action")
		}
	}
	for _, name := range c.stores.order {
		e := c.stores.byName[name]
		if p := c.root.own(name); p != nil {
			d := c.report(diag.CodeClash, e.id.Span, "", "`%s` is a parameter as well, and in an expression it would hide the store", name)
			note(d, p.span, "the parameter is declared here")
		}
		switch name {
		case "response", "lastSync", "scheduledTime":
			c.report(diag.CodeClash, e.id.Span, "", "a store can't be called `%s`: in an expression that name has a meaning already", name)
		}
	}
	for _, name := range c.schemas.order {
		if _, ok := builtinTypes[name]; ok {
			c.schemas.use(name)
			c.report(diag.CodeClash, c.schemas.byName[name].id.Span, "", "a schema can't be called `%s`: that is a built-in type", name)
		}
	}
}

func (c *checker) collectParam(p *syntax.Param) {
	if p.Name == nil {
		return
	}
	if old := c.root.own(p.Name.Name); old != nil {
		d := c.report(diag.CodeDuplicate, p.Name.Span, "", "the parameter `%s` is declared twice", p.Name.Name)
		note(d, old.span, "it is declared here first")
		return
	}
	switch p.Name.Name {
	case "response", "lastSync", "scheduledTime":
		c.report(diag.CodeClash, p.Name.Span, "", "a parameter can't be called `%s`: that name has a meaning already", p.Name.Name)
		return
	}
	c.root.add(&variable{name: p.Name.Name, span: p.Name.Span, kind: varParam, typ: anyType})
}

func declare[D any](c *checker, t *table[D], id *syntax.Ident, decl D, kind string) {
	if id == nil {
		return
	}
	if old := t.add(id, decl); old != nil {
		d := c.report(diag.CodeDuplicate, id.Span, "", "the %s `%s` is declared twice", kind, id.Name)
		note(d, old.id.Span, "it is declared here first")
	}
}

// survey walks once over a declaration, for what has to be known before it is
// checked: whether parts of it could not be parsed, and which stores are stored
// to.
func (c *checker) survey(d syntax.Decl) {
	syntax.Walk(d, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.BadExpr, *syntax.BadStep:
			c.partial = true
		case *syntax.StoreStep:
			c.targets = append(c.targets, n.Store)
		case *syntax.ForStep:
			c.targets = append(c.targets, n.Queue)
		case *syntax.DirectiveStep:
			if n.Kind == syntax.DirQueue {
				c.targets = append(c.targets, n.Target)
			}
		case *syntax.WaitStep:
			if s := n.Options.Get("storage"); s != nil {
				c.targets = append(c.targets, storageTarget(s.Value))
			}
		}
		return true
	})
}

// declareTargets declares the stores that are only stored to (language
// definition, section 5): reading them may come first in the source.
func (c *checker) declareTargets() {
	for _, id := range c.targets {
		if id == nil || id.Name == "" {
			continue
		}
		if _, ok := c.stores.get(id.Name); ok {
			continue
		}
		if _, ok := c.autoStores[id.Name]; ok {
			continue
		}
		switch id.Name {
		case "response", "lastSync", "scheduledTime":
			c.report(diag.CodeClash, id.Span, "", "a store can't be called `%s`: in an expression that name has a meaning already", id.Name)
			continue
		}
		c.autoStores[id.Name] = id.Span
		if near := c.near(id.Name, c.stores.names); near != "" {
			c.report(diag.CodeStoreNearby, id.Span, didYouMean(near),
				"`%s` is not declared, so that this would store to a new file store of that name", id.Name)
			c.stores.use(near)
			continue
		}
		c.report(diag.CodeStoreDeclared, id.Span, "", "`%s` is not declared: this stores to `file(%q)`", id.Name, id.Name)
	}
}

// storageTarget returns the store that a wait's storage block names, or nil.
func storageTarget(e syntax.Expr) *syntax.Ident {
	o, ok := e.(*syntax.ObjectExpr)
	if !ok {
		return nil
	}
	for _, entry := range o.Entries {
		if entry.Key != nil && entry.Key.Name == "target" {
			if w, ok := Word(entry.Value); ok {
				return &syntax.Ident{Span: entry.Value.Place(), Name: w}
			}
		}
	}
	return nil
}

// checkDeclarations checks everything but the actions.
func (c *checker) checkDeclarations() {
	outside := place{scope: c.root, noStores: true}
	c.with(outside, func() {
		c.checkOptionList(c.mission.Options, option.At(option.InMission), c.mission.Span)
		if c.mission.Schedule != nil {
			c.checkSchedule(c.mission.Schedule)
		}
		for _, p := range c.mission.Params {
			c.checkParam(p)
		}
		for _, name := range c.schemas.order {
			c.checkObjectType(c.schemas.byName[name].decl.Body)
		}
		c.checkSchemaCycles()
		for _, s := range c.mission.Sources {
			c.checkSource(s)
		}
		for _, s := range c.mission.Stores {
			c.checkStoreDecl(s)
		}
	})
	for _, name := range c.transforms.order {
		c.checkTransform(c.transforms.byName[name].decl)
	}
}

func (c *checker) checkParam(p *syntax.Param) {
	if p.Name == nil {
		return
	}
	t := anyType
	if p.Type != nil {
		c.checkType(p.Type)
		t = c.resolve(p.Type)
	}
	if p.Default != nil {
		found := c.expr(p.Default)
		if m := misfit(found, t, maxMisfitDepth); m != "" {
			c.report(diag.CodeParamDefault, p.Default.Place(), "", "the default of `%s` does not fit its type: %s", p.Name.Name, m)
		}
	}
	if v := c.root.own(p.Name.Name); v != nil {
		v.typ = t
	}
}

func (c *checker) checkSource(s *syntax.Source) {
	if s.Options != nil {
		c.checkOptions(s.Options, option.At(option.InSource), s.Options.Span)
	}
	if s.From != nil && strings.TrimSpace(s.From.Value) == "" {
		c.report(diag.CodeOptionKind, s.From.Span, "", "the OpenAPI document's path is empty")
	}
	if s.From != nil {
		c.checkAvailable(bytecode.SourcePart, bytecode.OpenAPI, s.From.Span)
	}
	c.checkCredentials(s)
	c.checkLogin(s)
}

// checkCredentials reports inline credentials that `auth` does not use.
func (c *checker) checkCredentials(s *syntax.Source) {
	auth := s.Options.Get("auth")
	if auth == nil {
		return
	}
	kind, ok := Word(auth.Value)
	if !ok {
		return
	}
	uses := map[string][]string{
		"none": {}, "bearer": {"token"}, "basic": {"username", "password"},
		"api_key": {"apiKey", "apiKeyHeader", "apiKeyQuery"},
	}[kind]
	if uses == nil {
		return
	}
	for _, o := range s.Options.Entries {
		switch o.Key.Name {
		case "token", "username", "password", "apiKey", "apiKeyHeader", "apiKeyQuery":
			if !slices.Contains(uses, o.Key.Name) {
				c.report(diag.CodeNoEffect, o.Key.Span, "", "`%s` has no effect with `auth: %s`", o.Key.Name, kind)
			}
		}
	}
}

// checkSchemaCycles reports schemas that include each other in a circle, and
// those that no finite value can match since they need one of themselves.
func (c *checker) checkSchemaCycles() {
	includes := func(s *syntax.Schema) (out []edge) {
		if s.Body != nil {
			for _, f := range s.Body.Fields {
				if f.Spread != nil {
					out = append(out, edge{to: f.Spread.Name, span: f.Spread.Span, verb: "includes"})
				}
			}
		}
		return out
	}
	needs := func(s *syntax.Schema) (out []edge) { return c.neededSchemas(s.Body) }
	for _, g := range []struct {
		edges   func(*syntax.Schema) []edge
		code    string
		message string
		help    string
	}{
		{includes, diag.CodeSchemaCycle, "schemas include each other in a circle: %s", ""},
		{needs, diag.CodeEmptyType, "no value can match, since it would have to hold one of its own kind without end: %s", "make the field optional with `?`"},
	} {
		graph := map[string][]edge{}
		for _, name := range c.schemas.order {
			graph[name] = g.edges(c.schemas.byName[name].decl)
		}
		for _, cycle := range cycles(c.schemas.order, graph) {
			c.report(g.code, cycle.span, g.help, g.message, cycle.text)
		}
	}
}

// neededSchemas returns the schemas that a value of this type must hold.
func (c *checker) neededSchemas(t *syntax.ObjectType) (out []edge) {
	if t == nil {
		return nil
	}
	for _, f := range t.Fields {
		if f.Spread != nil || f.Optional {
			continue
		}
		switch ft := f.Type.(type) {
		case *syntax.NamedType:
			if _, ok := c.schemas.get(ft.Name); ok {
				out = append(out, edge{to: ft.Name, span: ft.Span, verb: "needs"})
			}
		case *syntax.ObjectType:
			out = append(out, c.neededSchemas(ft)...)
		}
	}
	return out
}

func (c *checker) checkPipeline() {
	if len(c.actions.order) == 0 {
		if name := c.mission.Name; name != nil {
			c.report(diag.CodeNoAction, name.Span, "", "the mission `%s` has no actions, so that running it does nothing", name.Name)
		}
	}
	if c.mission.Run == nil {
		for _, name := range c.actions.order {
			c.actions.use(name)
		}
		return
	}
	for _, s := range c.mission.Run.Stages {
		seen := map[string]syntax.Span{}
		for _, a := range s.Actions {
			c.useAction(a)
			if first, ok := seen[a.Name]; ok {
				d := c.report(diag.CodeDuplicate, a.Span, "", "`%s` stands twice in one bracket, so that it would run beside itself", a.Name)
				note(d, first, "it stands here first")
			}
			seen[a.Name] = a.Span
		}
		if s.Cond != nil {
			c.with(place{scope: c.root, response: anyType, lastSync: true}, func() { c.condition(s.Cond) })
		}
	}
}

// useAction marks an action as used, and reports an unknown one.
func (c *checker) useAction(id *syntax.Ident) (known bool) {
	if id == nil {
		return false
	}
	if c.actions.use(id.Name) {
		return true
	}
	near := c.near(id.Name, c.actions.names)
	c.actions.use(near)
	what := ""
	if _, ok := c.transforms.get(id.Name); ok {
		what = "; there is a transform of that name, which `apply " + id.Name + " to …` uses"
		c.transforms.use(id.Name)
	}
	c.report(diag.CodeUnknownAction, id.Span, didYouMean(near), "unknown action `%s`%s", id.Name, what)
	return false
}

// checkUnused reports declarations that nothing uses.
func (c *checker) checkUnused() {
	for _, v := range c.root.vars {
		if !v.used && v.name[0] != '_' {
			c.report(diag.CodeUnusedParam, v.span, "", "the parameter `%s` is never used", v.name)
		}
	}
	unused(c, c.sources, "source")
	unused(c, c.stores, "store")
	unused(c, c.schemas, "schema")
	unused(c, c.transforms, "transform")
	for _, name := range c.actions.order {
		if e := c.actions.byName[name]; !e.used && name[0] != '_' {
			c.report(diag.CodeUnusedDecl, e.id.Span, "add it to `run`, or remove it", "the action `%s` never runs: neither the mission's `run` nor another action names it", name)
		}
	}
}

func unused[D any](c *checker, t *table[D], kind string) {
	for _, name := range t.order {
		if e := t.byName[name]; !e.used && name[0] != '_' {
			c.report(diag.CodeUnusedDecl, e.id.Span, "", "the %s `%s` is never used", kind, name)
		}
	}
}
