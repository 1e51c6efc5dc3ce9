package codegen

import (
	"reqon/compiler/constant"
	"strings"

	"reqon/compiler/check"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/option"
	"reqon/vm/value"
)

// entry is one option that becomes a field of an option object.
type entry struct {
	key   string
	value func()      // pushes the value
	expr  syntax.Expr // what it is, so that an object of constants folds; nil if value does more
}

// entries gives the options of a block that are in its set, less those in skip.
func (f *fn) entries(o *syntax.Options, set *option.Set, skip ...string) (list []entry) {
	for _, opt := range o.All() {
		if !contains(skip, opt.Key.Name) {
			list = append(list, f.entry(opt.Key.Name, opt.Value, set))
		}
	}
	return list
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// entry gives one option. A bare word becomes text; a block becomes an object
// of its own options.
func (f *fn) entry(key string, e syntax.Expr, set *option.Set) entry {
	spec := set.Spec(key)
	if spec == nil {
		return entry{key: key, value: func() { f.expr(e) }, expr: e}
	}
	if word, ok := wordOf(e, spec); ok {
		lit := &syntax.StringLit{Span: e.Place(), Value: word}
		return entry{key: key, value: func() { f.expr(lit) }, expr: lit}
	}
	switch spec.Kind {
	case option.Decode:
		if words, ok := check.DecodeWords(e); ok {
			list := &syntax.ArrayExpr{Span: e.Place()}
			for _, w := range words {
				list.Elems = append(list.Elems, &syntax.ArrayElem{Span: e.Place(), Value: &syntax.StringLit{Span: e.Place(), Value: w}})
			}
			return entry{key: key, value: func() { f.expr(list) }, expr: list}
		}
	case option.FieldNames:
		if names, ok := check.FieldNames(e); ok {
			list := &syntax.ArrayExpr{Span: e.Place()}
			for _, n := range names {
				list.Elems = append(list.Elems, &syntax.ArrayElem{Span: e.Place(), Value: &syntax.StringLit{Span: e.Place(), Value: n}})
			}
			return entry{key: key, value: func() { f.expr(list) }, expr: list}
		}
	case option.Item, option.Cost, option.Answer:
		// Worked out for each record, event or answer by whoever has it.
		null := &syntax.NullLit{Span: e.Place()}
		return entry{key: key, value: func() { f.expr(null) }, expr: null}
	case option.Resume:
		return entry{key: key, value: func() { f.resume(e) }}
	case option.Block:
		// An empty one is an object all the same: `circuitBreaker: {}` asks for one.
		if o, ok := unparen(e).(*syntax.ObjectExpr); ok && plain(o) && len(o.Entries) > 0 {
			return entry{key: key, value: func() { f.at(o); f.optionObject(f.blockEntries(o, spec.Sub)) }}
		}
	}
	return entry{key: key, value: func() { f.expr(e) }, expr: e}
}

// wordOf gives the word that an option's value is, if it is one of its words
// written bare.
func wordOf(e syntax.Expr, spec *option.Spec) (string, bool) {
	word, ok := check.Word(e)
	if !ok {
		return "", false
	}
	switch spec.Kind {
	case option.Words, option.TextOrWords, option.Resume:
		return word, contains(spec.Words, word)
	case option.SourceName, option.StoreName, option.SchemaName:
		return word, true
	}
	return "", false
}

// plain reports whether an object has just keys and values.
func plain(o *syntax.ObjectExpr) bool {
	for _, e := range o.Entries {
		if e.Spread != nil || e.Value == nil {
			return false
		}
	}
	return true
}

func (f *fn) blockEntries(o *syntax.ObjectExpr, set *option.Set) (list []entry) {
	for _, e := range o.Entries {
		list = append(list, f.entry(e.Key.Name, e.Value, set))
	}
	return list
}

// resume pushes the value of resumeOn other than timeout: { webhook: path }.
func (f *fn) resume(e syntax.Expr) {
	if c, ok := e.(*syntax.CallExpr); ok && len(c.Args) == 1 {
		f.expr(c.Args[0])
		f.emit(bytecode.Object, f.g.shape([]string{c.Fun.Name}))
		return
	}
	f.expr(e)
}

// optionObject pushes the object of the options; null where there are none. Of
// an option that stands twice the last counts.
func (f *fn) optionObject(list []entry) {
	var seen keySet
	first := len(list)
	for i := len(list) - 1; i >= 0; i-- {
		if seen.add(list[i].key) {
			first--
			list[first] = list[i]
		}
	}
	kept := list[first:]
	if len(kept) == 0 {
		f.emit(bytecode.Null)
		return
	}
	if v, ok := foldEntries(kept); ok {
		f.constant(v)
		return
	}
	keys := make([]string, len(kept))
	for i, e := range kept {
		keys[i] = e.key
		e.value()
	}
	f.emit(bytecode.Object, f.g.shape(keys))
}

// foldEntries works out options that are all constant.
func foldEntries(list []entry) (value.Value, bool) {
	b := value.NewObjectBuilder(nil, len(list))
	for _, e := range list {
		if e.expr == nil {
			return value.NullValue, false
		}
		v, ok := constant.Value(e.expr)
		if !ok {
			return value.NullValue, false
		}
		b.Set(e.key, v)
	}
	return b.Value(), true
}

// optionFunc makes the function of a block of options, or bytecode.None.
func (g *generator) optionFunc(name string, list func(*fn) []entry) int {
	f := g.newFunc(name, 0)
	entries := list(f)
	if len(entries) == 0 {
		return bytecode.None
	}
	f.optionObject(entries)
	f.emit(bytecode.ReturnValue)
	return f.finish()
}

// optionPositions notes where options stand, nested ones by their path.
func (g *generator) optionPositions(list []*syntax.Option) (out []bytecode.OptionPos) {
	var nested func(prefix string, e syntax.Expr)
	nested = func(prefix string, e syntax.Expr) {
		o, ok := unparen(e).(*syntax.ObjectExpr)
		if !ok {
			return
		}
		for _, entry := range o.Entries {
			if entry.Key != nil && entry.Value != nil {
				out = append(out, bytecode.OptionPos{Path: prefix + entry.Key.Name, Pos: g.position(entry.Value.Place())})
				nested(prefix+entry.Key.Name+".", entry.Value)
			}
		}
	}
	for _, o := range list {
		out = append(out, bytecode.OptionPos{Path: o.Key.Name, Pos: g.position(o.Value.Place())})
		nested(o.Key.Name+".", o.Value)
	}
	return out
}

func optionList(o *syntax.Options) []*syntax.Option {
	if o == nil {
		return nil
	}
	return o.Entries
}

// missionOptions generates the mission's schedule and options. Those in the
// block behind the schedule stand over those of the mission.
func (g *generator) missionOptions(m *syntax.Mission) {
	g.part = part{"mission", m.Name.Name, m.Name.Span}
	p := g.prog
	if s := m.Schedule; s != nil {
		p.Schedule = &bytecode.Schedule{Kind: bytecode.ScheduleKind(s.Kind), Pos: g.position(s.Span)}
		if s.Text != nil {
			p.Schedule.Text = s.Text.Value
		}
		if s.Unit != nil {
			p.Schedule.Every = s.Count * scheduleUnit(s.Unit.Name)
		}
	}
	list := append(m.Options[:len(m.Options):len(m.Options)], scheduleEntries(m)...)
	p.OptionPos = g.optionPositions(list)
	p.Options = g.optionFunc("options", func(f *fn) (entries []entry) {
		for _, o := range list {
			entries = append(entries, f.entry(o.Key.Name, o.Value, option.At(option.InMission)))
		}
		return entries
	})
}

func scheduleEntries(m *syntax.Mission) []*syntax.Option {
	if m.Schedule == nil {
		return nil
	}
	return optionList(m.Schedule.Options)
}

// scheduleUnit gives the milliseconds of second(s) to week(s).
func scheduleUnit(word string) int64 {
	switch strings.TrimSuffix(word, "s") {
	case "second":
		return value.DurationUnit("s")
	case "minute":
		return value.DurationUnit("m")
	case "hour":
		return value.DurationUnit("h")
	case "day":
		return value.DurationUnit("d")
	}
	return value.DurationUnit("w")
}

// source generates a source's options.
func (g *generator) source(s *syntax.Source) {
	g.part = part{"source", s.Name.Name, s.Name.Span}
	src := bytecode.Source{Name: s.Name.Name, Pos: g.position(s.Name.Span), OptionPos: g.optionPositions(optionList(s.Options))}
	if s.From != nil {
		src.From = s.From.Value
	}
	src.Options = g.optionFunc("source "+s.Name.Name, func(f *fn) []entry { return f.entries(s.Options, option.At(option.InSource), "sign") })
	src.Sign, src.Cost = g.sign(s), g.cost(s)
	if s.Login != nil && s.Login.Request != nil {
		src.Login = g.login(s)
	}
	g.judges = append(g.judges, g.sourceJudges(s))
	g.prog.Sources = append(g.prog.Sources, src)
}

// login generates the functions of a source's `login` block. In each, `login` is
// what the last sign-in has kept, and `response` the answer.
func (g *generator) login(s *syntax.Source) *bytecode.Login {
	d := s.Login
	name := "login of " + s.Name.Name
	l := &bytecode.Login{Method: d.Request.Method, When: bytecode.None, Pos: g.position(d.Word.Span)}
	f := g.newFunc(name, 1)
	f.bind("login", 0)
	f.at(d.Request)
	f.path(d.Request)
	f.optionObject(f.entries(d.Request.Options, option.At(option.InLoginRequest)))
	f.emit(bytecode.Object, g.shape([]string{"path", "options"}))
	f.emit(bytecode.ReturnValue)
	l.Request = f.finish()

	f = g.newFunc(name, 2)
	f.bind("response", 0)
	f.bind("login", 1)
	f.subject = subject{slot: 0}
	f.at(d)
	f.optionObject(f.entries(d.Options, option.At(option.InLogin), "when"))
	f.emit(bytecode.ReturnValue)
	l.Result = f.finish()

	if when := d.Options.Get("when"); when != nil {
		f = g.newFunc(name, 1)
		f.bind("response", 0)
		f.subject = subject{slot: 0}
		f.at(when)
		f.expr(when.Value)
		f.emit(bytecode.ReturnValue)
		l.When = f.finish()
	}
	return l
}

// cost generates the function of an answer that gives what it has cost, or None.
func (g *generator) cost(s *syntax.Source) int {
	limit := s.Options.Get("rateLimit")
	if limit == nil {
		return bytecode.None
	}
	o, ok := unparen(limit.Value).(*syntax.ObjectExpr)
	if !ok {
		return bytecode.None
	}
	cost := bytecode.None
	for _, e := range o.Entries {
		if e.Key == nil || e.Key.Name != "cost" || e.Value == nil {
			continue
		}
		f := g.newFunc("cost of "+s.Name.Name, 1)
		f.bind("response", 0)
		f.subject = subject{slot: 0}
		f.at(e)
		f.expr(e.Value)
		f.emit(bytecode.ReturnValue)
		cost = f.finish()
	}
	return cost
}

// sign generates a function for each entry of a source's `sign`, in the order in
// which they are worked out.
func (g *generator) sign(s *syntax.Source) []bytecode.SignPart {
	o := s.Options.Get("sign")
	if o == nil {
		return nil
	}
	var parts [3][]bytecode.SignPart
	add := func(in bytecode.SignIn, e *syntax.ObjectEntry) {
		if e.Key == nil || e.Value == nil {
			return // the checker has reported it
		}
		f := g.newFunc("signature of "+s.Name.Name, 1)
		f.bind("request", 0)
		f.at(e)
		f.expr(e.Value)
		f.emit(bytecode.ReturnValue)
		parts[in] = append(parts[in], bytecode.SignPart{In: in, Name: e.Key.Name, Func: f.finish()})
	}
	check.SignEntries(o.Value, func(in string, e *syntax.ObjectEntry) {
		switch in {
		case "params":
			add(bytecode.SignParam, e)
		case "form":
			add(bytecode.SignForm, e)
		default:
			add(bytecode.SignHeader, e)
		}
	})
	return append(append(parts[0], parts[1]...), parts[2]...)
}

// store generates a store's adapter and options.
func (g *generator) store(s *syntax.Store) {
	g.part = part{"store", s.Name.Name, s.Name.Span}
	f := g.newFunc("store "+s.Name.Name, 0)
	f.at(s.Adapter)
	f.adapter(s.Adapter)
	f.emit(bytecode.ReturnValue)
	st := bytecode.Store{Name: s.Name.Name, Adapter: f.finish(), Pos: g.position(s.Name.Span), OptionPos: g.optionPositions(optionList(s.Options))}
	st.Schema = bytecode.None
	if o := s.Options.Get("schema"); o != nil {
		if name, ok := check.Word(o.Value); ok {
			st.Schema = g.namedType(name)
		}
	}
	if o := s.Options.Get("key"); o != nil {
		st.Key, _ = check.FieldNames(o.Value)
	}
	st.Options = g.optionFunc("store "+s.Name.Name+" options", func(f *fn) []entry { return f.entries(s.Options, option.At(option.InStore)) })
	g.prog.Stores = append(g.prog.Stores, st)
}

// adapter pushes [adapter, target] of `file("x")`, of `memory`, or of the
// branch that an `if` or `match` chooses.
func (f *fn) adapter(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		f.adapter(e.X)
	case *syntax.CondExpr:
		f.conditional(e, f.adapter)
	case *syntax.MatchExpr:
		f.matchExpr(e, f.adapter)
	case *syntax.CallExpr:
		f.text(e.Fun.Name)
		if len(e.Args) > 0 {
			f.expr(e.Args[0])
		} else {
			f.emit(bytecode.Null)
		}
		f.emit(bytecode.Array, 2)
	case *syntax.Name:
		f.text(e.Name)
		f.emit(bytecode.Null)
		f.emit(bytecode.Array, 2)
	default:
		f.expr(e)
	}
}
