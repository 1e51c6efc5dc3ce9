package syntax

import (
	"strconv"
	"strings"
)

// treePrinter writes whole trees, for the tests: what is read of what it writes
// must be an equal tree.
type treePrinter struct {
	printer
	indent int
}

// Print writes a tree as source, without its comments: declarations and steps
// on lines of their own, and parentheses where the tree has them or needs them.
// Reading that again gives an equal tree (see Equal), if the tree was read
// without errors.
func Print(t *SourceTree) string {
	p := &treePrinter{}
	for _, m := range t.Missions {
		p.mission(m)
	}
	for _, d := range t.Loose {
		p.decl(d)
		p.line()
	}
	return p.String()
}

// TypeString writes a type on one line.
func TypeString(t TypeExpr) string {
	p := &treePrinter{}
	p.typeExpr(t)
	return p.String()
}

// PatternString writes a pattern on one line.
func PatternString(pat Pattern) string {
	p := &treePrinter{}
	p.pattern(pat)
	return p.String()
}

// line starts a new line.
func (p *treePrinter) line() {
	p.s("\n")
	for range p.indent {
		p.s("  ")
	}
}

// body writes n items, each on a line of its own, in braces.
func (p *treePrinter) body(n int, item func(i int)) {
	if n == 0 {
		p.s("{}")
		return
	}
	p.s("{")
	p.indent++
	for i := range n {
		p.line()
		item(i)
	}
	p.indent--
	p.line()
	p.s("}")
}

func (p *treePrinter) name(id *Ident) {
	if id != nil {
		p.s(id.Name)
	}
}

// ---- declarations

func (p *treePrinter) mission(m *Mission) {
	p.s("mission ")
	p.name(m.Name)
	p.s(" ")
	p.body(len(m.Items), func(i int) { p.decl(m.Items[i]) })
	p.line()
}

func (p *treePrinter) decl(d Decl) {
	switch d := d.(type) {
	case *Option:
		p.option(d)
	case *Schedule:
		p.schedule(d)
	case *Param:
		p.s("param ", d.Name.Name, ": ")
		p.typeExpr(d.Type)
		if d.Default != nil {
			p.s(" = ")
			p.expr(d.Default, precWhere)
		}
	case *Source:
		p.s("source ", d.Name.Name)
		if d.From != nil {
			p.s(" from ", quote(d.From.Value, '"'))
		}
		if d.Login == nil {
			p.options(d.Options)
			break
		}
		p.s(" { ")
		for _, o := range d.Options.Entries {
			p.option(o)
			p.s(", ")
		}
		p.s("login { ")
		if d.Login.Request != nil {
			p.fetch(d.Login.Request)
			p.s(", ")
		}
		for _, o := range d.Login.Options.Entries {
			p.option(o)
			p.s(", ")
		}
		p.s("} }")
	case *Store:
		p.s("store ", d.Name.Name, ": ")
		p.expr(d.Adapter, precWhere)
		p.options(d.Options)
	case *Schema:
		p.s("schema ", d.Name.Name, " ")
		p.objectType(d.Body)
	case *Transform:
		p.transform(d)
	case *Action:
		p.s("action ", d.Name.Name, " ")
		p.block(d.Body)
	case *Pipeline:
		p.pipeline(d)
	}
}

func (p *treePrinter) option(o *Option) {
	p.s(keyText(o.Key.Name), ": ")
	p.expr(o.Value, precWhere)
	p.options(o.Block)
}

// options writes an option block behind something, if there is one.
func (p *treePrinter) options(o *Options) {
	if o == nil {
		return
	}
	p.s(" {")
	p.commas(len(o.Entries), func(i int) { p.pad(i); p.option(o.Entries[i]) })
	p.close(len(o.Entries))
}

func (p *treePrinter) schedule(d *Schedule) {
	p.s("schedule: ")
	switch d.Kind {
	case ScheduleEvery:
		p.s("every ", strconv.FormatInt(d.Count, 10), " ")
		p.name(d.Unit)
	case ScheduleCron:
		p.s("cron ", quote(d.Text.Value, '"'))
	case ScheduleAt:
		p.s("at ", quote(d.Text.Value, '"'))
	}
	p.options(d.Options)
}

func (p *treePrinter) transform(d *Transform) {
	p.s("transform ", d.Name.Name)
	if d.Src != nil {
		p.s(": ")
		p.typeExpr(d.Src)
	}
	p.s(" ")
	if !d.Listed {
		p.variant(d.Variants[0])
		return
	}
	p.body(len(d.Variants), func(i int) {
		p.variant(d.Variants[i])
		p.s(",")
	})
}

func (p *treePrinter) variant(v *Variant) {
	if v.Pattern != nil {
		p.s("(")
		p.pattern(v.Pattern)
		p.s(") ")
		if v.Where != nil {
			p.s("where ")
			p.expr(v.Where, precCond)
			p.s(" ")
		}
	}
	if v.Dst != nil {
		p.s("-> ", v.Dst.Name, " ")
	}
	p.object(v.Body)
}

func (p *treePrinter) pipeline(d *Pipeline) {
	p.s("run ")
	for i, s := range d.Stages {
		if i > 0 {
			p.s(" then ")
		}
		if s.Bracket {
			p.s("[")
		}
		p.commas(len(s.Actions), func(i int) { p.s(s.Actions[i].Name) })
		if s.Bracket {
			p.s("]")
		}
		if s.Cond != nil {
			p.s(" if ")
			p.expr(s.Cond, precWhere)
		}
	}
}

// ---- steps

func (p *treePrinter) block(b *Block) {
	if !b.Braces && len(b.Steps) == 1 {
		p.step(b.Steps[0])
		return
	}
	p.body(len(b.Steps), func(i int) { p.step(b.Steps[i]) })
}

func (p *treePrinter) step(s Step) {
	switch s := s.(type) {
	case *FetchStep:
		p.fetch(s)
	case *LetStep:
		p.s("let ", s.Name.Name, " = ")
		p.expr(s.Value, precWhere)
	case *ForStep:
		p.forStep(s)
	case *MapStep:
		p.s("map ")
		if s.Source == nil {
			p.object(s.Body)
			p.s(" -> ", s.Name.Name)
			return
		}
		p.expr(s.Source, precWhere)
		p.s(" -> ", s.Name.Name, " ")
		p.object(s.Body)
	case *ApplyStep:
		p.s("apply ", s.Transform.Name, " to ")
		p.expr(s.To, precWhere)
		if s.As != nil {
			p.s(" as ", s.As.Name)
		}
	case *ValidateStep:
		p.validate(s)
	case *StoreStep:
		p.s("store ")
		p.expr(s.Value, precWhere)
		p.s(" -> ", s.Store.Name)
		p.options(s.Options)
	case *DeleteStep:
		p.s("delete ", s.Store.Name, "[")
		p.expr(s.Key, precWhere)
		p.s("]")
	case *ClearStep:
		p.s("clear ", s.Store.Name)
	case *CheckpointStep:
		p.s("checkpoint")
	case *ResetStep:
		p.s("reset ", s.What.Name)
	case *MatchStep:
		p.matchStep(s)
	case *IfStep:
		p.s("if ")
		p.expr(s.Cond, precWhere)
		p.s(" ")
		p.block(s.Then)
		if s.Else != nil {
			p.s(" else ")
			p.block(s.Else)
		}
	case *RunStep:
		p.s("run ", s.Action.Name)
	case *LogStep:
		p.s("log ")
		if s.Level != nil {
			p.s(s.Level.Name, " ")
		}
		p.expr(s.Message, precWhere)
		if s.Fields != nil {
			p.s(" ")
			p.object(s.Fields)
		}
	case *WaitStep:
		p.s("wait")
		p.options(s.Options)
	case *PauseStep:
		p.s("pause")
		p.options(s.Options)
	case *DirectiveStep:
		p.directive(s)
	}
}

func (p *treePrinter) fetch(s *FetchStep) {
	if s.Operation != nil {
		p.s("call ", s.Source.Name, ".", keyText(s.Operation.Name))
	} else {
		p.s(strings.ToLower(s.Method), " ")
		if s.Source != nil {
			p.s(s.Source.Name, " ")
		}
		if lit, ok := s.Path.(*StringLit); ok {
			p.s(quotePath(lit.Value))
		} else {
			p.expr(s.Path, precWhere)
		}
	}
	p.options(s.Options)
}

func (p *treePrinter) forStep(s *ForStep) {
	p.s("for ", s.Var.Name, " in ")
	p.expr(s.In, precCond)
	if s.Where != nil {
		p.s(" where ")
		p.expr(s.Where, precCond)
	}
	if s.Concurrency != nil {
		p.s(" concurrency ")
		p.expr(s.Concurrency, precCond)
	}
	if s.OnError != nil {
		p.s(" onError ", s.OnError.Name)
		if s.Queue != nil {
			p.s(" ", s.Queue.Name)
		}
	}
	p.s(" ")
	p.block(s.Body)
}

func (p *treePrinter) validate(s *ValidateStep) {
	p.s("validate ")
	if s.Target != nil {
		p.expr(s.Target, precWhere)
		p.s(" ")
	}
	p.body(len(s.Rules), func(i int) {
		r := s.Rules[i]
		if r.Warn {
			p.s("warn ")
		} else {
			p.s("assume ")
		}
		p.expr(r.Cond, precWhere)
		if r.Message != nil {
			p.s(": ")
			p.expr(r.Message, precWhere)
		}
		p.s(",")
	})
	if s.Or != nil {
		p.s(" or ")
		p.block(s.Or)
	}
}

func (p *treePrinter) matchStep(s *MatchStep) {
	p.s("match ")
	if s.Subject != nil {
		p.expr(s.Subject, precWhere)
		p.s(" ")
	}
	p.body(len(s.Arms), func(i int) {
		a := s.Arms[i]
		p.armHead(a.Pattern, a.Cond, a.Where)
		p.s(" -> ")
		p.block(a.Body)
		p.s(",")
	})
}

func (p *treePrinter) directive(s *DirectiveStep) {
	p.s(s.Kind.String())
	if s.Message != nil {
		p.s(" ")
		p.expr(s.Message, precWhere)
	}
	if s.Target != nil {
		p.s(" ", s.Target.Name)
	}
	if s.Then != nil {
		p.s(" then ", s.Then.Name)
	}
	p.options(s.Options)
}

// ---- text

// quotePath writes a path without expressions: its braces, if it has any, are
// escaped.
func quotePath(s string) string {
	return strings.NewReplacer("{", `\u007b`, "}", `\u007d`).Replace(quote(s, '"'))
}
