package codegen

import (
	"math"
	"slices"

	"reqon/compiler/check"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/option"
)

// A sync position belongs to what a request asks for: to its path as it is
// sent, and to the values in its params, headers and body that come of a loop's
// item or a parameter of the mission. A new parent (another repository, another
// tenant) must not begin at somebody else's position. A tie says which of these
// a value comes of.
type tie struct {
	roots    []int // slots of loops' items, -1-i for the mission's parameter i, or callerRoot
	response bool  // by way of a response, which may hold anything, also what is another in each run
}

// callerRoot is the root of the response in an action that is run for an item of
// a loop elsewhere.
const callerRoot = 1 << 20

func (t tie) some() bool { return len(t.roots) > 0 }

func (t tie) and(u tie) tie {
	for _, r := range u.roots {
		if !slices.Contains(t.roots, r) {
			t.roots = append(slices.Clip(t.roots), r)
		}
	}
	t.response = t.response || u.response
	return t
}

// ties works out what the values of a request come of. What a variable is bound to
// is looked at only here: few requests have a sync position.
type ties struct {
	f    *fn
	of   map[int]tie // by binding
	seen int         // names looked at
}

// everything is the place behind all bindings: that of the request itself.
const everything = math.MaxInt

// maxTies bounds how many names are looked at. What is beyond counts as of the
// items of all loops around.
const maxTies = 100_000

// in gives what an expression or another part of a step comes of that stands
// within the loop l, or in none, and behind so many bindings.
func (t *ties) in(n syntax.Node, before int, l *loop) (out tie) {
	syntax.Walk(n, func(n syntax.Node) bool {
		if t.seen++; t.seen > maxTies {
			out = out.and(t.response(t.f.loop))
			return false
		}
		switch n := n.(type) {
		case *syntax.Name:
			out = out.and(t.name(n.Name, before, l))
		case *syntax.SubjectExpr:
			out = out.and(t.subject(l))
		}
		return true
	})
	return out
}

func (t *ties) name(name string, before int, l *loop) tie {
	b := &t.f.tables
	if i, ok := b.vars[name]; ok {
		for i >= before && i != bytecode.None {
			i = b.bound[i].hidden
		}
		if i != bytecode.None {
			return t.binding(i)
		}
	}
	if i, ok := t.f.g.params[name]; ok {
		return tie{roots: []int{-1 - i}}
	}
	if name == "response" {
		return t.response(l)
	}
	return tie{}
}

func (t *ties) binding(i int) tie {
	v := &t.f.tables.bound[i].variable
	switch {
	case v.item:
		return tie{roots: []int{v.slot}}
	case v.of == nil:
		return tie{}
	}
	known, ok := t.of[i]
	if !ok {
		known = t.in(v.of, i, v.loop)
		if t.of == nil {
			t.of = map[int]tie{}
		}
		t.of[i] = known
	}
	return known
}

// subject gives what `.` comes of: in a loop it is the item, else response.
func (t *ties) subject(l *loop) tie {
	if l != nil {
		return tie{roots: []int{l.item}}
	}
	return t.response(nil)
}

// response gives what the response comes of: within a loop, of its item.
func (t *ties) response(l *loop) (out tie) {
	for ; l != nil; l = l.outer {
		out = out.and(tie{roots: []int{l.item}, response: true})
	}
	if !out.some() && t.f.g.runInLoop(t.f.action) {
		return tie{roots: []int{callerRoot}}
	}
	return out
}

// loopIdentity is the part of a key that tells the items of a loop apart.
func (f *fn) loopIdentity(l *loop) syncPart {
	return syncPart{label: "each " + l.name, roots: []int{l.item}, push: func() {
		end := newLabel()
		f.emit(bytecode.Load, l.item)
		f.emit(bytecode.Field, f.name("id"), f.cache())
		f.jump(bytecode.JumpValueKeep, end)
		f.emit(bytecode.Load, l.item)
		f.place(end)
	}}
}

// syncPart is a value that a sync position is kept by.
type syncPart struct {
	label string
	roots []int
	push  func()
}

// syncParts gathers the parts of a request's key.
type syncParts struct {
	f    *fn
	ties ties
	list []syncPart
	seen map[string]bool
}

func (p *syncParts) add(part syncPart) {
	if p.seen[part.label] {
		return
	}
	p.see(part.label)
	p.list = append(p.list, part)
}

// see says that a value needs no part of its own.
func (p *syncParts) see(label string) {
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[label] = true
}

// from adds what a part of a request depends on. Fields of variables are taken
// as far as they are read: another field of the same item may change with each
// run. headers tells that what a response gave is no part of it: it may be a
// token.
func (p *syncParts) from(n syntax.Node, headers bool) {
	syntax.Walk(n, func(n syntax.Node) bool {
		e, ok := n.(syntax.Expr)
		if !ok {
			return true
		}
		root := chainRoot(e)
		if root == nil {
			return true
		}
		t := p.ties.in(root, everything, p.f.loop)
		switch {
		case !t.some():
		case t.response:
			for l := p.f.loop; l != nil; l = l.outer {
				if slices.Contains(t.roots, l.item) {
					p.add(p.f.loopIdentity(l))
				}
			}
			for _, r := range t.roots {
				if r < 0 {
					p.add(p.f.paramPart(-1 - r))
				}
			}
		case slices.Contains(t.roots, callerRoot) && headers:
		default:
			p.add(syncPart{label: syntax.ExprString(e), roots: t.roots, push: func() { p.f.expr(e) }})
		}
		return false
	})
}

// chainRoot gives the name or subject that a chain of fields begins with, or nil
// if e is no such chain.
func chainRoot(e syntax.Expr) syntax.Expr {
	for {
		switch x := e.(type) {
		case *syntax.Name, *syntax.SubjectExpr:
			return e
		case *syntax.FieldExpr:
			e = x.X
		case *syntax.ParenExpr:
			e = x.X
		case *syntax.IndexExpr:
			if !check.Constant(x.Index) {
				return nil
			}
			e = x.X
		default:
			return nil
		}
	}
}

// paramPart is a parameter of the mission as a part of a key.
func (f *fn) paramPart(i int) syncPart {
	return syncPart{label: f.g.prog.Params[i].Name, roots: []int{-1 - i}, push: func() { f.emit(bytecode.Param, i) }}
}

// openFetch pushes what the sync position of a request is kept by and read with, see
// bytecode.SyncFields, and begins the fetch.
func (f *fn) openFetch(s *syntax.FetchStep, number, page int) {
	f.at(s)
	if f.g.prog.Fetches[number].Incremental {
		f.optionObject(f.syncEntries(s))
	} else {
		f.emit(bytecode.Null)
	}
	f.at(s)
	f.emit(bytecode.Open, number, page)
}

func (f *fn) syncEntries(s *syntax.FetchStep) (list []entry) {
	add := func(key string, e syntax.Expr) {
		list = append(list, entry{key: key, value: func() { f.expr(e) }, expr: e})
	}
	parts := syncParts{f: f, ties: ties{f: f}}
	inPath := s.Path != nil && mentions(s.Path, "lastSync")
	key := s.Options.Get("syncKey")
	template := &syntax.StringLit{Span: s.Span, Value: pathTemplate(s)}
	switch {
	case s.Path == nil || check.Constant(s.Path):
		add("path", template)
	case inPath:
		parts.from(s.Path, false)
		if key == nil {
			add("key", template)
		}
	default:
		list = append(list, entry{key: "path", value: func() { f.path(s) }})
		if key != nil {
			parts.from(s.Path, false)
		} else if t, ok := s.Path.(*syntax.TemplateLit); ok {
			for _, e := range t.Exprs {
				parts.see(syntax.ExprString(e)) // it is in the path as it is sent
			}
		}
	}
	for _, name := range []string{"params", "headers", "body", "form"} {
		if o := s.Options.Get(name); o != nil {
			parts.from(o.Value, name == "headers")
		}
	}
	if source := f.sourceOf(s); source != bytecode.None {
		for _, i := range f.g.sourceParams[source] {
			parts.add(f.paramPart(i))
		}
	}
	if key != nil {
		add("key", key.Value)
		covered := parts.ties.in(key.Value, everything, f.loop).roots
		parts.list = slices.DeleteFunc(parts.list, func(p syncPart) bool {
			return !slices.ContainsFunc(p.roots, func(r int) bool { return !slices.Contains(covered, r) })
		})
	}
	if len(parts.list) > 0 {
		list = append(list, entry{key: "parts", value: func() { f.partsObject(parts.list) }})
	}
	for _, o := range [][2]string{{"sinceFormat", "format"}, {"sinceZone", "zone"}} {
		if opt := s.Options.Get(o[0]); opt != nil {
			e := f.entry(o[0], opt.Value, option.At(option.InRequest))
			e.key = o[1]
			list = append(list, e)
		}
	}
	return list
}

func (f *fn) partsObject(parts []syncPart) {
	keys := make([]string, len(parts))
	for i, p := range parts {
		keys[i] = p.label
		p.push()
	}
	f.emit(bytecode.Object, f.g.shape(keys))
}

// updateFrom generates the new position of a request whose updateFrom is worked
// out, over the last page as response.
func (f *fn) updateFrom(s *syntax.FetchStep, param string, page int) {
	e := opaque(s)
	if e == nil {
		return
	}
	use := bytecode.UseAnywhere
	if s.Path != nil && mentions(s.Path, "lastSync") {
		use = bytecode.UseInPath
	}
	f.withPageParam(param, page, func() { f.expr(e) })
	f.at(e)
	f.emit(bytecode.UpdateFrom, page, int(use))
}

// opaque gives the updateFrom that is an expression and no field's name, or nil.
func opaque(s *syntax.FetchStep) syntax.Expr {
	o := s.Options.Get("updateFrom")
	if o == nil || check.IsFieldName(o.Value) {
		return nil
	}
	return o.Value
}

// withSync generates code in which lastSync is the position of the fetch in the
// page slot.
func (f *fn) withSync(page int, generate func()) {
	outer := f.sync
	f.sync = page
	defer func() { f.sync = outer }()
	generate()
}

// shiftSync generates `lastSync ± d` within a request, and reports whether e is
// that.
func (f *fn) shiftSync(e *syntax.BinaryExpr) bool {
	n, ok := unparen(e.X).(*syntax.Name)
	if !ok || e.Op != syntax.OpAdd && e.Op != syntax.OpSub || f.sync == bytecode.None || !f.isGlobal(n, "lastSync") {
		return false
	}
	mode := bytecode.ShiftMode(0)
	if e.Op == syntax.OpSub {
		mode |= bytecode.ShiftBack
	}
	if lit, ok := unparen(e.Y).(*syntax.NumberLit); ok && lit.Unit == "" {
		mode |= bytecode.ShiftPlain
	}
	end := newLabel()
	f.expr(e.X)
	f.jump(bytecode.JumpNullKeep, end)
	f.expr(e.Y)
	f.at(e)
	f.emit(bytecode.ShiftSync, f.sync, int(mode))
	f.place(end)
	return true
}

// sourcesParams finds the parameters that each source's address, parameters and
// headers come of.
func (g *generator) sourcesParams(sources []*syntax.Source) {
	g.sourceParams = make([][]int, len(sources))
	for i, s := range sources {
		for _, name := range []string{"base", "params", "headers"} {
			o := s.Options.Get(name)
			if o == nil {
				continue
			}
			syntax.Walk(o.Value, func(n syntax.Node) bool {
				if name, ok := n.(*syntax.Name); ok {
					if p, ok := g.params[name.Name]; ok && !slices.Contains(g.sourceParams[i], p) {
						g.sourceParams[i] = append(g.sourceParams[i], p)
					}
				}
				return true
			})
		}
	}
}

// runInLoop reports whether an action is run from within a loop, also by way of
// others.
func (g *generator) runInLoop(action string) bool {
	if action == "" {
		return false
	}
	if g.inLoops == nil {
		g.findInLoops()
	}
	return g.inLoops[action]
}

func (g *generator) findInLoops() {
	g.inLoops = map[string]bool{}
	runs := map[string][]string{}
	var add func(name string)
	add = func(name string) {
		if !g.inLoops[name] {
			g.inLoops[name] = true
			for _, next := range runs[name] {
				add(next)
			}
		}
	}
	var direct []string
	for _, a := range g.actionDecls {
		syntax.WalkSteps(a.Body, func(s syntax.Step) {
			if name := runName(s); name != "" {
				runs[a.Name.Name] = append(runs[a.Name.Name], name)
			}
			if loop, ok := s.(*syntax.ForStep); ok {
				syntax.WalkSteps(loop.Body, func(s syntax.Step) {
					if name := runName(s); name != "" {
						direct = append(direct, name)
					}
				})
			}
		})
	}
	for _, name := range direct {
		add(name)
	}
}

// runName gives the action that a step runs, or "".
func runName(s syntax.Step) string {
	switch s := s.(type) {
	case *syntax.RunStep:
		return s.Action.Name
	case *syntax.DirectiveStep:
		if s.Kind == syntax.DirJump && s.Target != nil {
			return s.Target.Name
		}
	}
	return ""
}
