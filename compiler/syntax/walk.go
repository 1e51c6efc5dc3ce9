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
	walker{visit}.below(n)
}

// WalkSteps calls visit for every step of a block, also of the blocks within
// its steps, in the order of the source. It looks at nothing else, which is much
// less than Walk does.
func WalkSteps(b *Block, visit func(Step)) {
	if b == nil {
		return
	}
	for _, s := range b.Steps {
		visit(s)
		switch s := s.(type) {
		case *ForStep:
			WalkSteps(s.Body, visit)
		case *ValidateStep:
			WalkSteps(s.Or, visit)
		case *MatchStep:
			for _, a := range s.Arms {
				WalkSteps(a.Body, visit)
			}
		case *IfStep:
			WalkSteps(s.Then, visit)
			WalkSteps(s.Else, visit)
		}
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

// below walks to the nodes below one.
func (w walker) below(n Node) {
	switch n := n.(type) {
	case *SourceTree:
		w.sourceTree(n)

	// declarations
	case *Option:
		w.to(n.Key, n.Value, n.Block)
	case *Schedule:
		w.to(n.Unit, n.Text, n.Options)
	case *Param:
		w.to(n.Name, n.Type, n.Default)
	case *Source:
		w.to(n.Name, n.From, n.Options)
		if n.Login != nil {
			w.to(n.Login)
		}
	case *Login:
		w.to(n.Word)
		if n.Request != nil {
			w.to(n.Request)
		}
		w.to(n.Options)
	case *Store:
		w.to(n.Name, n.Adapter, n.Options)
	case *Schema:
		w.to(n.Name, n.Body)
	case *Transform:
		w.to(n.Name, n.Src)
		all(w, n.Variants)
	case *Action:
		w.to(n.Name, n.Body)
	case *Pipeline:
		all(w, n.Stages)

	// parts of others
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

	// types
	case *ArrayType:
		w.to(n.Elem)
	case *ObjectType:
		all(w, n.Fields)
	case *LiteralType:
		w.to(n.Value)
	case *UnionType:
		all(w, n.Alts)

	// expressions
	case *TemplateLit:
		all(w, n.Exprs)
	case *FieldExpr:
		w.to(n.X, n.Name)
	case *IndexExpr:
		w.to(n.X, n.Index)
	case *CallExpr:
		args := n.Args
		if n.Form != CallPlain {
			w.to(args[0])
			args = args[1:]
		}
		w.to(n.Fun)
		all(w, args)
	case *UnaryExpr:
		w.to(n.X)
	case *BinaryExpr:
		w.to(n.X, n.Y)
	case *IsExpr:
		w.to(n.X, n.Type)
	case *CondExpr:
		w.to(n.Cond, n.Then, n.Else)
	case *LambdaExpr:
		all(w, n.Params)
		w.to(n.Body)
	case *WhereExpr:
		w.to(n.X, n.Cond)
	case *ObjectExpr:
		all(w, n.Entries)
	case *ArrayExpr:
		all(w, n.Elems)
	case *MatchExpr:
		w.to(n.Subject)
		all(w, n.Arms)
	case *ParenExpr:
		w.to(n.X)

	// patterns
	case *LiteralPattern:
		w.to(n.Value)
	case *SchemaPattern:
		w.to(n.Name)
	case *ArrayPattern:
		all(w, n.Elems)
		w.to(n.Rest)
	case *ObjectPattern:
		all(w, n.Fields)
	case *BindPattern:
		w.to(n.Name)

	// steps
	case *FetchStep:
		w.to(n.Source, n.Path, n.Operation, n.Options)
	case *LetStep:
		w.to(n.Name, n.Value)
	case *ForStep:
		w.to(n.Var, n.In)
		w.clauses(n)
		w.to(n.Body)
	case *MapStep:
		if n.Source == nil {
			w.to(n.Body, n.Name)
		} else {
			w.to(n.Source, n.Name, n.Body)
		}
	case *ApplyStep:
		w.to(n.Transform, n.To, n.As)
	case *ValidateStep:
		w.to(n.Target)
		all(w, n.Rules)
		w.to(n.Or)
	case *StoreStep:
		w.to(n.Value, n.Store, n.Options)
	case *DeleteStep:
		w.to(n.Store, n.Key)
	case *ClearStep:
		w.to(n.Store)
	case *ResetStep:
		w.to(n.What)
	case *MatchStep:
		w.to(n.Subject)
		all(w, n.Arms)
	case *IfStep:
		w.to(n.Cond, n.Then, n.Else)
	case *RunStep:
		w.to(n.Action)
	case *LogStep:
		w.to(n.Level, n.Message, n.Fields)
	case *WaitStep:
		w.to(n.Options)
	case *PauseStep:
		w.to(n.Options)
	case *DirectiveStep:
		w.to(n.Message, n.Target, n.Then, n.Options)
	}
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

// clauses walks to the clauses of a loop, which stand in any order.
func (w walker) clauses(s *ForStep) {
	list := slices.DeleteFunc([]Node{s.Where, s.Concurrency, s.OnError, s.Queue}, isNil)
	slices.SortStableFunc(list, func(a, b Node) int { return int(a.Place().Start - b.Place().Start) })
	w.to(list...)
}
