package format

import "reqon/compiler/syntax"

// assignRoles notes at the words what the tree tells about them.
func (s *sheet) assignRoles(tree *syntax.SourceTree) {
	syntax.Walk(tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.TemplateLit:
			return false // a word of its own, whatever stands in it
		case *syntax.SourceTree:
			items(s, n.Missions)
			items(s, n.Loose)
		case syntax.Decl:
			s.declRoles(n)
		case syntax.Expr:
			s.exprRoles(n)
		case syntax.Step:
			s.stepRoles(n)
		default:
			s.partRoles(n)
		}
		return true
	})
}

// items notes where the items of a list start.
func items[T syntax.Node](s *sheet, list []T) {
	for _, n := range list {
		s.words[s.find(n.Place().Start)].item = true
	}
}

// arms notes where the arms of a match start.
func arms[T syntax.Node](s *sheet, list []T) {
	items(s, list)
	for _, n := range list {
		s.give(s.find(n.Place().Start), roleArm)
	}
}

func (s *sheet) give(i int, r role) { s.words[i].roles |= r }

// next returns the first word behind a node.
func (s *sheet) next(n syntax.Node) int { return s.find(n.Place().End) }

func (s *sheet) declRoles(d syntax.Decl) {
	switch d := d.(type) {
	case *syntax.Schedule:
		if d.Text == nil {
			return
		}
		if i := s.find(d.Text.Start) - 1; s.words[i].text == "(" {
			s.give(i, roleTight|roleCall)
		}
	case *syntax.Source:
		if d.Login != nil {
			s.words[s.find(d.Login.Start)].item = true
		}
	case *syntax.Transform:
		if d.Listed {
			items(s, d.Variants)
		}
	}
}

func (s *sheet) partRoles(n syntax.Node) {
	switch n := n.(type) {
	case *syntax.Mission:
		items(s, n.Items)
		s.give(s.next(n.Name), roleMission)
	case *syntax.Options:
		items(s, n.Entries)
	case *syntax.Login:
		if n.Request != nil {
			s.words[s.find(n.Request.Start)].item = true
		}
	case *syntax.ObjectType:
		items(s, n.Fields)
	case *syntax.FieldType:
		if n.Optional {
			s.give(s.next(n)-1, roleTight)
		}
	case *syntax.ArrayType:
		if open := s.find(n.Start) + 1; s.words[open].text == "<" {
			s.give(open, roleTight|roleHug)
			s.give(s.next(n)-1, roleTight)
		}
	case *syntax.ObjectPattern:
		items(s, n.Fields)
	case *syntax.ArrayPattern:
		s.give(s.find(n.Start), roleCall)
	case *syntax.Block:
		if n.Braces {
			items(s, n.Steps)
		}
	case *syntax.Rule:
		if n.Message != nil {
			s.give(s.next(n.Cond), roleSpaced)
		}
	}
}

func (s *sheet) exprRoles(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.ObjectExpr:
		items(s, e.Entries)
	case *syntax.MatchExpr:
		arms(s, e.Arms)
	case *syntax.ArrayExpr:
		s.give(s.find(e.Start), roleCall)
	case *syntax.UnaryExpr:
		if e.Op == syntax.OpNeg {
			s.give(s.find(e.Start), roleHug)
		}
	case *syntax.CondExpr:
		if e.Question {
			s.give(s.next(e.Then), roleSpaced)
		}
	case *syntax.IndexExpr:
		s.give(s.next(e.X), roleTight)
	case *syntax.FieldExpr:
		s.dot(e.X, e.Name)
	case *syntax.CallExpr:
		if e.Form == syntax.CallMethod {
			s.dot(e.Args[0], e.Fun)
		}
		// `resumeOn: webhook "/path"` is a call without parentheses.
		if i := s.next(e.Fun); s.words[i].text == "(" {
			s.give(i, roleTight|roleCall)
		}
	}
}

// dot notes what the dot before a field's name is: the subject, or that of
// a field of x.
func (s *sheet) dot(x syntax.Expr, name *syntax.Ident) {
	i := s.find(name.Start) - 1
	if s.words[i].start == x.Place().Start {
		s.give(i, roleHug) // the subject
		return
	}
	s.give(i, roleTight|roleHug|rolePostfix)
}

func (s *sheet) stepRoles(step syntax.Step) {
	switch n := step.(type) {
	case *syntax.FetchStep:
		if n.Operation != nil {
			s.give(s.find(n.Operation.Start)-1, roleTight|roleHug|rolePostfix)
		}
	case *syntax.DeleteStep:
		s.give(s.next(n.Store), roleTight)
	case *syntax.ValidateStep:
		items(s, n.Rules)
		if n.Or != nil {
			s.give(s.find(n.Or.Start)-1, roleJoin)
		}
	case *syntax.MatchStep:
		arms(s, n.Arms)
	case *syntax.IfStep:
		s.ifRoles(n)
	}
}

// ifRoles joins an `else` to the `}` before it.
func (s *sheet) ifRoles(n *syntax.IfStep) {
	if n.Else == nil {
		return
	}
	s.give(s.find(n.Else.Start)-1, roleJoin)
	other := n.Else
	if !other.Braces {
		other = other.Steps[0].(*syntax.IfStep).Then
	}
	s.branches = append(s.branches, [2]int{s.find(n.Then.Start), s.find(other.Start)})
}
