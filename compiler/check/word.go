package check

import "reqon/compiler/syntax"

// Word returns the word that an expression stands for as the value of an option
// that takes words: a bare name, a string, or bare words joined by hyphens
// (`fail-fast`, which the parser reads as a difference).
func Word(e syntax.Expr) (word string, ok bool) {
	switch e := e.(type) {
	case *syntax.Name:
		return e.Name, true
	case *syntax.StringLit:
		return e.Value, true
	case *syntax.BinaryExpr:
		x, okX := e.X.(*syntax.Name)
		y, okY := e.Y.(*syntax.Name)
		if e.Op == syntax.OpSub && okX && okY && x.End == e.OpSpan.Start && e.OpSpan.End == y.Start {
			return x.Name + "-" + y.Name, true
		}
	}
	return "", false
}
