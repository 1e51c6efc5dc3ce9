package syntax

import "slices"

// Place returns the whole file.
func (t *SourceTree) Place() Span {
	if t.File == nil {
		return Span{}
	}
	return Span{File: t.File, End: int32(len(t.File.Src))}
}

// Walk calls visit for n and then, if that returns true, for every node below
// it, in the order of the source: declarations, steps, options, expressions,
// patterns, types, and names where they are declared or used (*Ident). A nil
// node is passed over.
func Walk(n Node, visit func(Node) bool) {
	if isNil(n) || !visit(n) {
		return
	}
	w := walker{visit}
	switch n := n.(type) {
	case *SourceTree:
		w.sourceTree(n)
	case Decl:
		w.decl(n)
	case TypeExpr:
		w.typeExpr(n)
	case Expr:
		w.expr(n)
	case Pattern:
		w.pattern(n)
	case Step:
		w.step(n)
	default:
		w.part(n)
	}
}

// walker walks to the nodes below one.
type walker struct{ visit func(Node) bool }

func (w walker) to(nodes ...Node) {
	for _, n := range nodes {
		Walk(n, w.visit)
	}
}

// all walks to the nodes of a list.
func all[T Node](w walker, list []T) {
	for _, n := range list {
		Walk(n, w.visit)
	}
}

// isNil reports whether there is no node, also where a nil pointer of one of
// the optional parts is in the interface.
func isNil(n Node) bool {
	switch n := n.(type) {
	case nil:
		return true
	case *Ident:
		return n == nil
	case *Options:
		return n == nil
	case *Block:
		return n == nil
	case *StringLit:
		return n == nil
	case *ObjectExpr:
		return n == nil
	case *ObjectType:
		return n == nil
	case *Schedule:
		return n == nil
	case *Pipeline:
		return n == nil
	case *SourceTree:
		return n == nil
	}
	return false
}

func (w walker) sourceTree(t *SourceTree) {
	i, j := 0, 0
	for i < len(t.Missions) || j < len(t.Loose) {
		if j == len(t.Loose) || i < len(t.Missions) && t.Missions[i].Start <= t.Loose[j].Place().Start {
			w.to(t.Missions[i])
			i++
		} else {
			w.to(t.Loose[j])
			j++
		}
	}
}

func (w walker) decl(d Decl) {
	switch d := d.(type) {
	case *Option:
		w.to(d.Key, d.Value)
	case *Schedule:
		w.to(d.Unit, d.Text, d.Options)
	case *Param:
		w.to(d.Name, d.Type, d.Default)
	case *Source:
		w.to(d.Name, d.From, d.Options)
	case *Store:
		w.to(d.Name, d.Adapter, d.Options)
	case *Schema:
		w.to(d.Name, d.Body)
	case *Transform:
		w.to(d.Name, d.Src)
		all(w, d.Variants)
	case *Action:
		w.to(d.Name, d.Body)
	case *Pipeline:
		all(w, d.Stages)
	}
}

// part walks below the nodes that are parts of others.
func (w walker) part(n Node) {
	switch n := n.(type) {
	case *Mission:
		w.to(n.Name)
		all(w, n.Items)
	case *Options:
		all(w, n.Entries)
	case *Variant:
		w.to(n.Pattern, n.Where, n.Dst, n.Body)
	case *Stage:
		all(w, n.Actions)
		w.to(n.Cond)
	case *FieldType:
		w.to(n.Name, n.Type, n.Spread)
	case *ObjectEntry:
		w.to(n.Key, n.Value, n.Spread)
	case *ArrayElem:
		w.to(n.Value)
	case *MatchArm:
		w.to(n.Pattern, n.Cond, n.Where, n.Value)
	case *FieldPattern:
		w.to(n.Key, n.Pattern)
	case *Block:
		all(w, n.Steps)
	case *Rule:
		w.to(n.Cond, n.Message)
	case *StepArm:
		w.to(n.Pattern, n.Cond, n.Where, n.Body)
	}
}

func (w walker) typeExpr(t TypeExpr) {
	switch t := t.(type) {
	case *ArrayType:
		w.to(t.Elem)
	case *ObjectType:
		all(w, t.Fields)
	case *LiteralType:
		w.to(t.Value)
	case *UnionType:
		all(w, t.Alts)
	}
}

func (w walker) expr(e Expr) {
	switch e := e.(type) {
	case *TemplateLit:
		all(w, e.Exprs)
	case *FieldExpr:
		w.to(e.X, e.Name)
	case *IndexExpr:
		w.to(e.X, e.Index)
	case *CallExpr:
		args := e.Args
		if e.Form != CallPlain {
			w.to(args[0])
			args = args[1:]
		}
		w.to(e.Fun)
		all(w, args)
	case *UnaryExpr:
		w.to(e.X)
	case *BinaryExpr:
		w.to(e.X, e.Y)
	case *IsExpr:
		w.to(e.X, e.Type)
	case *CondExpr:
		w.to(e.Cond, e.Then, e.Else)
	case *LambdaExpr:
		all(w, e.Params)
		w.to(e.Body)
	case *WhereExpr:
		w.to(e.X, e.Cond)
	case *ObjectExpr:
		all(w, e.Entries)
	case *ArrayExpr:
		all(w, e.Elems)
	case *MatchExpr:
		w.to(e.Subject)
		all(w, e.Arms)
	case *ParenExpr:
		w.to(e.X)
	}
}

func (w walker) pattern(p Pattern) {
	switch p := p.(type) {
	case *LiteralPattern:
		w.to(p.Value)
	case *SchemaPattern:
		w.to(p.Name)
	case *ArrayPattern:
		all(w, p.Elems)
		w.to(p.Rest)
	case *ObjectPattern:
		all(w, p.Fields)
	case *BindPattern:
		w.to(p.Name)
	}
}

func (w walker) step(s Step) {
	switch s := s.(type) {
	case *FetchStep:
		w.to(s.Source, s.Path, s.Operation, s.Options)
	case *LetStep:
		w.to(s.Name, s.Value)
	case *ForStep:
		w.to(s.Var, s.In)
		w.clauses(s)
		w.to(s.Body)
	case *MapStep:
		if s.Source == nil {
			w.to(s.Body, s.Name)
		} else {
			w.to(s.Source, s.Name, s.Body)
		}
	case *ApplyStep:
		w.to(s.Transform, s.To, s.As)
	case *ValidateStep:
		w.to(s.Target)
		all(w, s.Rules)
		w.to(s.Or)
	case *StoreStep:
		w.to(s.Value, s.Store, s.Options)
	case *DeleteStep:
		w.to(s.Store, s.Key)
	case *ClearStep:
		w.to(s.Store)
	case *MatchStep:
		w.to(s.Subject)
		all(w, s.Arms)
	case *IfStep:
		w.to(s.Cond, s.Then, s.Else)
	case *RunStep:
		w.to(s.Action)
	case *LogStep:
		w.to(s.Level, s.Message, s.Fields)
	case *WaitStep:
		w.to(s.Options)
	case *PauseStep:
		w.to(s.Options)
	case *DirectiveStep:
		w.to(s.Message, s.Target, s.Then, s.Options)
	}
}

// clauses walks to the clauses of a loop, which stand in any order.
func (w walker) clauses(s *ForStep) {
	list := slices.DeleteFunc([]Node{s.Where, s.Concurrency, s.OnError, s.Queue}, isNil)
	slices.SortStableFunc(list, func(a, b Node) int { return int(a.Place().Start - b.Place().Start) })
	w.to(list...)
}
