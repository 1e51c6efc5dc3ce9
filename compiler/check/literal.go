package check

import (
	"math"
	"strings"

	"reqon/compiler/constant"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/value"
)

// constantTruth returns the truth of a condition that is written out.
func constantTruth(e syntax.Expr) (truth string, ok bool) {
	v, ok := constant.Value(e)
	if !ok {
		return "", false
	}
	if value.Truth(v) {
		return "true", true
	}
	return "false", true
}

// checkConstantCall calls a function whose arguments are all written out, and
// reports the error that it would be at run time.
func (c *checker) checkConstantCall(e *syntax.CallExpr, f *stdlib.Func) {
	if f.Form != stdlib.Native || f.Impl == nil || len(e.Args) == 0 {
		return
	}
	args := make([]value.Value, len(e.Args))
	for i, a := range e.Args {
		v, ok := constant.Value(a)
		if !ok {
			return
		}
		args[i] = v
	}
	if !cheap(f, args) {
		return
	}
	if _, err := f.Impl(nil, args); err != nil {
		c.report(diag.CodeBadArgument, e.Span, "", "%s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
}

// cheap reports whether a call can be made just to see whether it fails: those
// that make as much as their arguments say are left to run time if it is much,
// save where it is more than they allow.
func cheap(f *stdlib.Func, args []value.Value) bool {
	switch f.Name {
	case "range", "repeat", "padStart", "padEnd":
		for _, a := range args {
			if a.IsNumber() {
				if n := math.Abs(value.Float64(a)); n > 1e5 && n < 1e10 {
					return false
				}
			}
		}
	}
	return true
}
