package check

import (
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// varKind is how a variable was bound.
type varKind uint8

const (
	varLet varKind = iota
	varApply
	varMap
	varLoop
	varPattern
	varLambda
	varPage
	varParam
)

// variable is a name bound in a scope.
type variable struct {
	name string
	span syntax.Span
	kind varKind
	typ  *typ
	used bool
}

// scope is a block's variables.
type scope struct {
	parent *scope
	vars   []*variable
	byName map[string]*variable // of a scope with many of them
}

// manyVars is from how many variables on a scope is worth a map.
const manyVars = 12

func (s *scope) add(v *variable) {
	s.vars = append(s.vars, v)
	if len(s.vars) < manyVars {
		return
	}
	if s.byName == nil {
		s.byName = make(map[string]*variable, 2*manyVars)
		for _, v := range s.vars {
			s.byName[v.name] = v
		}
	}
	s.byName[v.name] = v
}

func newScope(parent *scope) *scope { return &scope{parent: parent} }

// own returns the variable that this very scope binds, or nil.
func (s *scope) own(name string) *variable {
	if s.byName != nil {
		return s.byName[name]
	}
	for i := len(s.vars) - 1; i >= 0; i-- {
		if s.vars[i].name == name {
			return s.vars[i]
		}
	}
	return nil
}

// lookup returns the innermost variable of that name, or nil.
func (s *scope) lookup(name string) *variable {
	for ; s != nil; s = s.parent {
		if v := s.own(name); v != nil {
			return v
		}
	}
	return nil
}

// names returns the names of all variables that can be seen.
func (s *scope) names() []string {
	var names []string
	for ; s != nil; s = s.parent {
		for _, v := range s.vars {
			names = append(names, v.name)
		}
	}
	return names
}

// bind adds a variable to the scope at hand, and reports one that is bound
// twice or hides another (language definition, section 6).
func (c *checker) bind(id *syntax.Ident, kind varKind, t *typ) *variable {
	v := &variable{name: id.Name, span: id.Span, kind: kind, typ: t}
	if id.Name == "_" {
		return v
	}
	s := c.at.scope
	if old := s.own(id.Name); old != nil {
		rebound := (old.kind == varMap || old.kind == varApply) && old.kind == kind
		if !rebound {
			d := c.report(diag.CodeDuplicateVariable, id.Span, "", "`%s` is bound already in this block; choose another name", id.Name)
			note(d, old.span, "it is bound here first")
			old.used = true
		}
	} else if kind != varMap && kind != varPage {
		c.checkShadowing(id, s.parent)
	}
	s.add(v)
	return v
}

func (c *checker) checkShadowing(id *syntax.Ident, outer *scope) {
	if old := outer.lookup(id.Name); old != nil {
		d := c.report(diag.CodeShadowing, id.Span, "", "`%s` hides a variable of the same name", id.Name)
		note(d, old.span, "the hidden one is bound here")
		return
	}
	switch id.Name {
	case "response", "lastSync", "scheduledTime":
		c.report(diag.CodeShadowing, id.Span, "", "`%s` hides the built-in name `%s` for the rest of the block", id.Name, id.Name)
	}
}

// closeArm reports the names of types that an arm's pattern binds, if nothing
// uses them: they are meant to test the type.
func (c *checker) closeArm(s *scope) {
	for _, v := range s.vars {
		if _, isType := builtinTypes[v.name]; isType && v.kind == varPattern && !v.used {
			c.report(diag.CodeTypeBinds, v.span, "to test the type, bind a name `x` here and write `where x is "+v.name+"` behind the pattern",
				"`%s` binds a variable here, and does not test the type", v.name)
		}
	}
}

// closeScope reports the variables of a scope that were never used.
func (c *checker) closeScope(s *scope) {
	for _, v := range s.vars {
		if v.used || v.name[0] == '_' || v.kind != varLet && v.kind != varApply {
			continue
		}
		if v.kind == varApply {
			c.report(diag.CodeUnusedVariable, v.span, "leave out `as "+v.name+"`", "`%s` is never used", v.name)
			continue
		}
		c.report(diag.CodeUnusedVariable, v.span, "remove it, or call it `_"+v.name+"`", "the variable `%s` is never used", v.name)
	}
}

// table is the declarations of one kind by name.
type table[D any] struct {
	byName map[string]*entry[D]
	order  []string
}

type entry[D any] struct {
	decl D
	id   *syntax.Ident
	used bool
}

func newTable[D any]() *table[D] { return &table[D]{byName: map[string]*entry[D]{}} }

// add adds a declaration; it returns the one that has the name already, or nil.
func (t *table[D]) add(id *syntax.Ident, decl D) *entry[D] {
	if old, ok := t.byName[id.Name]; ok {
		return old
	}
	t.byName[id.Name] = &entry[D]{decl: decl, id: id}
	t.order = append(t.order, id.Name)
	return nil
}

func (t *table[D]) get(name string) (decl D, ok bool) {
	e, ok := t.byName[name]
	if !ok {
		return decl, false
	}
	return e.decl, true
}

// use marks a declaration as used; it reports whether there is one.
func (t *table[D]) use(name string) bool {
	e, ok := t.byName[name]
	if ok {
		e.used = true
	}
	return ok
}

func (t *table[D]) names() []string { return t.order }
