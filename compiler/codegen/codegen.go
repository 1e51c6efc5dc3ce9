// Package codegen turns a checked mission into a bytecode.Program.
//
// It trusts the checker: the tree has no errors. Names are resolved to slots,
// stores and parameters while the code is written; what a block binds lives in
// local slots that are given out again when the block ends.
//
// Item expressions (`filter(xs, .total > 10)`) become loops in the code, never
// calls back into the machine. A paginated request whose response is used by
// the next `for` or `store` alone becomes a loop over its pages around that
// step, so that memory stays flat; see stream.go.
package codegen

import (
	"bytes"
	"encoding/binary"
	"slices"

	"reqon/compiler/check"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// Generate returns the program of a checked mission. loose are the declarations
// of the other files of its mission folder. The error is a *LimitError if the
// mission is larger than a program can be.
func Generate(m *syntax.Mission, loose []syntax.Decl) (p *bytecode.Program, err error) {
	g := &generator{
		prog:    &bytecode.Program{Mission: m.Name.Name, Options: bytecode.None},
		files:   map[*syntax.File]int{},
		natives: map[string]int{}, shapes: map[string]int{}, regexps: map[string]int{},
		types: map[string]int{}, stores: map[string]int{}, params: map[string]int{},
		schemas: map[string]*syntax.Schema{}, actions: map[string]int{}, transforms: map[string]int{},
		sources: map[string]int{}, arrays: map[int]int{}, objectTypes: map[*syntax.ObjectType]int{}, filled: map[int]bool{},
	}
	g.flat.Schema = func(name string) *syntax.Schema { return g.schemas[name] }
	g.collect(m, loose)
	g.mission(m)
	if g.err != nil {
		return nil, g.err
	}
	g.prog.Uses = bytecode.UsesOf(g.prog)
	for i := range g.prog.Stores {
		g.prog.Stores[i].Filled = g.filled[i]
	}
	if err := bytecode.Verify(g.prog); err != nil {
		return nil, g.verified(err, m)
	}
	return g.prog, nil
}

// generator holds the tables of the program that is being made.
type generator struct {
	prog  *bytecode.Program
	files map[*syntax.File]int
	place syntax.Locator
	file  int    // the number of the locator's file
	part  part   // the one being generated, for errors
	err   error  // the first limit that was gone beyond
	spare []*fn  // finished, whose room is free
	key   []byte // room for the key of a shape

	natives, shapes, regexps, types     map[string]int
	stores, params, actions, transforms map[string]int
	sources                             map[string]int
	filled                              map[int]bool // the stores that more than dead letters go to
	schemas                             map[string]*syntax.Schema
	arrays                              map[int]int // the array type of each type of elements
	objectTypes                         map[*syntax.ObjectType]int
	flat                                check.Flattener
	unfilled                            []unfilled // see fieldsLater
	filling                             bool

	sourceParams [][]int         // the parameters that each source comes of
	inLoops      map[string]bool // actions that are run from within a loop

	actionDecls    []*syntax.Action
	transformDecls []*syntax.Transform
	live           *liveness
	judges         []bytecode.Judges // of the sources
	headers        bool              // the mission reads the headers of answers
}

// position gives a span's start as the program notes it.
func (g *generator) position(s syntax.Span) bytecode.Pos {
	if !s.IsValid() {
		return bytecode.Pos{}
	}
	if s.File != g.place.File() {
		g.place = syntax.NewLocator(s.File)
		i, ok := g.files[s.File]
		if !ok {
			i = len(g.prog.Files)
			g.files[s.File] = i
			g.prog.Files = append(g.prog.Files, s.File.Name)
		}
		g.file = i
	}
	line, column := g.place.Locate(s.Start)
	return bytecode.Pos{File: g.file, Line: line, Column: column}
}

// collect gives every declaration its number, so that they may refer to each
// other in any order.
func (g *generator) collect(m *syntax.Mission, loose []syntax.Decl) {
	g.actionDecls, g.transformDecls = m.Actions, m.Transforms
	schemas := m.Schemas
	for _, d := range loose {
		switch d := d.(type) {
		case *syntax.Action:
			g.actionDecls = append(g.actionDecls[:len(g.actionDecls):len(g.actionDecls)], d)
		case *syntax.Transform:
			g.transformDecls = append(g.transformDecls[:len(g.transformDecls):len(g.transformDecls)], d)
		case *syntax.Schema:
			schemas = append(schemas[:len(schemas):len(schemas)], d)
		}
	}
	for _, s := range schemas {
		g.schemas[s.Name.Name] = s
	}
	for i, p := range m.Params {
		g.params[p.Name.Name] = i
	}
	for i, s := range m.Sources {
		g.sources[s.Name.Name] = i
	}
	for i, s := range m.Stores {
		g.stores[s.Name.Name] = i
	}
	for i, a := range g.actionDecls {
		g.actions[a.Name.Name] = i
	}
}

// mission generates everything.
func (g *generator) mission(m *syntax.Mission) {
	p := g.prog
	p.Pos = g.position(m.Name.Span)
	// Functions of transforms and actions are numbered first: actions call
	// each other and transforms.
	for i, t := range g.transformDecls {
		g.transforms[t.Name.Name] = i
		p.Funcs = append(p.Funcs, bytecode.Func{})
	}
	first := len(p.Funcs)
	for i, a := range g.actionDecls {
		p.Actions = append(p.Actions, bytecode.Action{Name: a.Name.Name, Func: first + i, Pos: g.position(a.Name.Span)})
		p.Funcs = append(p.Funcs, bytecode.Func{})
	}
	for _, s := range m.Stores {
		g.store(s)
	}
	for _, a := range g.actionDecls {
		g.impliedStores(a)
	}
	g.live = newLiveness(m, g.actionDecls)
	g.sourcesParams(m.Sources)
	g.headers = readsHeaders(m, g.actionDecls)
	g.missionOptions(m)
	for _, d := range m.Params {
		g.param(d)
	}
	for _, s := range m.Sources {
		g.source(s)
	}
	for i, t := range g.transformDecls {
		g.transform(t, i)
	}
	for i, a := range g.actionDecls {
		g.action(a, first+i)
	}
	g.pipeline(m)
}

// readsHeaders reports whether a mission may read the headers of answers: it has
// that name anywhere. It looks at the text, which takes far less than going
// through the tree; a comment that has the word only costs a little at run time.
func readsHeaders(m *syntax.Mission, actions []*syntax.Action) bool {
	for _, s := range m.Sources {
		if s.Options != nil && namesHeaders(s.Options.Place()) {
			return true
		}
	}
	for _, a := range actions {
		if namesHeaders(a.Place()) {
			return true
		}
	}
	return m.Run != nil && namesHeaders(m.Run.Place())
}

// namesHeaders reports whether the word headers stands in a part of a source other
// than as a key or a field.
func namesHeaders(part syntax.Span) bool {
	if part.File == nil {
		return false
	}
	const word = "headers"
	text := part.File.Src[part.Start:part.End]
	for {
		i := bytes.Index(text, []byte(word))
		if i < 0 {
			return false
		}
		before, after := text[:i], bytes.TrimLeft(text[i+len(word):], " \t\r\n\"'")
		text = text[i+len(word):]
		if !bytes.HasPrefix(after, []byte(":")) && !bytes.HasSuffix(before, []byte(".")) {
			return true
		}
	}
}

func (g *generator) param(d *syntax.Param) {
	g.part = part{"param", d.Name.Name, d.Name.Span}
	info := bytecode.ParamInfo{Name: d.Name.Name, Default: bytecode.None, Pos: g.position(d.Name.Span)}
	if d.Type != nil {
		info.Type = g.typeOf(d.Type)
	} else {
		info.Type = g.namedType("any")
	}
	if d.Default != nil {
		f := g.newFunc("param "+d.Name.Name, 0)
		f.expr(d.Default)
		f.emit(bytecode.ReturnValue)
		info.Default = f.finish()
	}
	g.prog.Params = append(g.prog.Params, info)
}

// impliedStores declares the stores that an action writes to without their
// being declared: file(name), as the language definition says in section 5.
func (g *generator) impliedStores(a *syntax.Action) {
	imply := func(name *syntax.Ident) {
		if name == nil {
			return
		}
		if _, ok := g.stores[name.Name]; ok {
			return
		}
		g.stores[name.Name] = len(g.prog.Stores)
		f := g.newFunc("store "+name.Name, 0)
		f.constant(value.FromArray([]value.Value{value.FromString("file"), value.FromString(name.Name)}))
		f.emit(bytecode.ReturnValue)
		g.prog.Stores = append(g.prog.Stores, bytecode.Store{
			Name: name.Name, Adapter: f.finish(), Options: bytecode.None, Schema: bytecode.None, Implied: true, Pos: g.position(name.Span),
		})
	}
	syntax.WalkSteps(a.Body, func(s syntax.Step) {
		switch s := s.(type) {
		case *syntax.StoreStep:
			imply(s.Store)
		case *syntax.ForStep:
			imply(s.Queue)
		case *syntax.DeleteStep:
			imply(s.Store)
		case *syntax.ClearStep:
			imply(s.Store)
		case *syntax.DirectiveStep:
			if s.Kind == syntax.DirQueue {
				imply(s.Target)
			}
		}
	})
}

// action generates an action.
func (g *generator) action(a *syntax.Action, number int) {
	g.part = part{"action", a.Name.Name, a.Name.Span}
	f := g.newFunc(a.Name.Name, 0)
	f.action = a.Name.Name
	f.block(a.Body)
	f.at(a.Name)
	f.emit(bytecode.Return)
	f.finishAt(number)
}

// pipeline generates `run`; without one all actions run in order.
func (g *generator) pipeline(m *syntax.Mission) {
	g.part = part{pipelinePart, "", m.Name.Span}
	f := g.newFunc("run", 0)
	if m.Run == nil {
		for i, a := range g.actionDecls {
			f.at(a.Name)
			f.boundary()
			f.emit(bytecode.CallAction, i)
		}
	} else {
		f.at(m.Run)
		for _, s := range m.Run.Stages {
			f.stage(s)
		}
	}
	f.emit(bytecode.Return)
	g.prog.Main = f.finish()
}

func (f *fn) stage(s *syntax.Stage) {
	f.at(s)
	f.boundary()
	end := newLabel()
	if s.Cond != nil {
		f.condition(s.Cond, end)
	}
	if s.Bracket {
		var actions []int
		for _, name := range s.Actions {
			actions = append(actions, f.g.actions[name.Name])
		}
		f.g.prog.Brackets = append(f.g.prog.Brackets, actions)
		f.emit(bytecode.Bracket, len(f.g.prog.Brackets)-1)
	} else {
		for _, name := range s.Actions {
			f.at(name)
			f.boundary()
			f.emit(bytecode.CallAction, f.g.actions[name.Name])
		}
	}
	f.place(end)
}

// transform generates a transform: a function of one argument in slot 0.
func (g *generator) transform(t *syntax.Transform, number int) {
	g.part = part{"transform", t.Name.Name, t.Name.Span}
	f := g.newFunc(t.Name.Name, 1)
	f.at(t.Name)
	f.subject = subject{slot: 0}
	if t.Src != nil {
		ok := newLabel()
		typ := g.typeOf(t.Src)
		f.emit(bytecode.Load, 0)
		f.emit(bytecode.Is, typ)
		f.jump(bytecode.JumpTrue, ok)
		f.emit(bytecode.Load, 0)
		f.emit(bytecode.BadType, typ, f.textIndex("transform "+t.Name.Name))
		f.place(ok)
	}
	for _, v := range t.Variants {
		variant := f.open()
		next := newLabel()
		if v.Pattern != nil {
			f.pattern(v.Pattern, 0, next, false)
		}
		if v.Where != nil {
			f.condition(v.Where, next)
		}
		f.object(v.Body)
		f.emit(bytecode.ReturnValue)
		f.place(next)
		f.close(variant)
	}
	f.at(t.Name)
	f.emit(bytecode.Load, 0)
	f.emit(bytecode.Raise, f.textIndex("transform "+t.Name.Name+": no variant fits {}"))
	f.finishAt(number)
}

// native gives the number of a built-in function.
func (g *generator) native(fn *stdlib.Func) int {
	if i, ok := g.natives[fn.Name]; ok {
		return i
	}
	g.prog.Natives = append(g.prog.Natives, fn.Name)
	g.natives[fn.Name] = len(g.prog.Natives) - 1
	return len(g.prog.Natives) - 1
}

// shape gives the number of a list of keys.
func (g *generator) shape(keys []string) int {
	g.key = g.key[:0]
	for _, k := range keys {
		g.key = binary.AppendUvarint(g.key, uint64(len(k)))
		g.key = append(g.key, k...)
	}
	if i, ok := g.shapes[string(g.key)]; ok {
		return i
	}
	g.prog.Shapes = append(g.prog.Shapes, slices.Clone(keys))
	g.shapes[string(g.key)] = len(g.prog.Shapes) - 1
	return len(g.prog.Shapes) - 1
}

// regexp gives the number of a regular expression.
func (g *generator) regexp(text string) int {
	if i, ok := g.regexps[text]; ok {
		return i
	}
	g.prog.Regexps = append(g.prog.Regexps, text)
	g.regexps[text] = len(g.prog.Regexps) - 1
	return len(g.prog.Regexps) - 1
}
