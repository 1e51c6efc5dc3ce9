package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
	"reqon/vm/near"
)

// call checks a call of a built-in function.
func (c *checker) call(e *syntax.CallExpr) *typ {
	f := stdlib.Lookup(e.Fun.Name)
	if f == nil {
		c.unknownFunction(e)
		c.arguments(e.Args)
		return anyType
	}
	c.checkAvailable(bytecode.FunctionPart, f.Name, e.Fun.Span)
	if !c.checkArity(e, f) {
		c.arguments(e.Args)
		return ofKinds(f.Result)
	}
	types := c.callArguments(e, f)
	for i, t := range types {
		if i == f.Item {
			continue
		}
		p := f.Params[min(i, len(f.Params)-1)]
		if t.can(p.Kinds) {
			continue
		}
		want := p.Kinds.String()
		if p.Kinds == stdlib.KTime|stdlib.KString {
			want = "a timestamp or date text"
		}
		c.report(diag.CodeArgumentKind, e.Args[i].Place(), argumentHint(p.Kinds, t), "argument %d (%s) of `%s` must be %s, found %s",
			i+1, p.Name, f.Name, want, t.describe())
		return ofKinds(f.Result)
	}
	found := len(c.ds)
	c.checkLiteralArguments(e, f)
	if len(c.ds) == found {
		c.checkConstantCall(e, f)
	}
	return c.resultOf(f, types)
}

// arguments checks the arguments of a call that is wrong itself.
func (c *checker) arguments(args []syntax.Expr) {
	for _, a := range args {
		if l, ok := a.(*syntax.LambdaExpr); ok {
			c.lambda(l, anyType)
			continue
		}
		c.infer(a)
	}
}

func (c *checker) unknownFunction(e *syntax.CallExpr) {
	name := e.Fun.Name
	near := stdlib.Suggest(name)
	suggestion := ""
	if near != "" {
		suggestion = "did you mean `" + near + "`?"
	}
	switch {
	case c.at.scope.lookup(name) != nil:
		c.at.scope.lookup(name).used = true
		c.report(diag.CodeUnknownFunction, e.Fun.Span, suggestion, "`%s` is a variable, and only built-in functions can be called", name)
	case c.transforms.use(name):
		c.report(diag.CodeUnknownFunction, e.Fun.Span, "write `apply "+name+" to …`", "`%s` is a transform, and a transform is applied by a step", name)
	case e.Form == syntax.CallMethod:
		c.report(diag.CodeUnknownFunction, e.Fun.Span, suggestion, "unknown function `%s`: `x.%s(…)` calls a built-in function", name, name)
	default:
		c.report(diag.CodeUnknownFunction, e.Fun.Span, suggestion, "unknown function `%s`", name)
	}
}

// arity returns how many arguments f takes; most is -1 without limit.
func arity(f *stdlib.Func) (least, most int) {
	for _, p := range f.Params {
		if !p.Optional {
			least++
		}
	}
	if f.Variadic {
		return least, -1
	}
	return least, len(f.Params)
}

func (c *checker) checkArity(e *syntax.CallExpr, f *stdlib.Func) bool {
	least, most := arity(f)
	if most < 0 && (f.Name == "min" || f.Name == "max") {
		least = 1
	}
	n := len(e.Args)
	if n >= least && (most < 0 || n <= most) {
		return true
	}
	c.report(diag.CodeArgumentCount, e.Fun.Span, "write `"+f.Signature()+"`", "`%s` takes %s, found %d", f.Name, arityText(least, most), n)
	return false
}

func arityText(least, most int) string {
	noun := func(n int) string {
		if n == 1 {
			return "argument"
		}
		return "arguments"
	}
	switch {
	case most < 0:
		return fmt.Sprintf("at least %d %s", least, noun(least))
	case most == 0:
		return "no arguments"
	case least == most:
		return fmt.Sprintf("%d %s", most, noun(most))
	case least+1 == most:
		return fmt.Sprintf("%d or %d arguments", least, most)
	}
	return fmt.Sprintf("%d to %d arguments", least, most)
}

// callArguments checks the arguments and returns what is known of each; for an
// item expression, what is known of its value for one element.
func (c *checker) callArguments(e *syntax.CallExpr, f *stdlib.Func) []*typ {
	types := make([]*typ, len(e.Args))
	for i, a := range e.Args {
		lambda, isLambda := a.(*syntax.LambdaExpr)
		switch {
		case i == f.Item && i > 0:
			types[i] = c.itemArgument(e, f, a, types[0])
		case isLambda:
			c.report(diag.CodeItemExpression, a.Place(), "", "argument %d of `%s` can't be a lambda: %s", i+1, f.Name, f.Signature())
			types[i] = anyType
			c.lambda(lambda, anyType)
		default:
			types[i] = c.infer(a)
		}
	}
	return types
}

// itemArgument checks an item expression over a collection of type xs.
func (c *checker) itemArgument(e *syntax.CallExpr, f *stdlib.Func, a syntax.Expr, xs *typ) *typ {
	elem := xs.element()
	if l, ok := a.(*syntax.LambdaExpr); ok {
		if len(l.Params) != f.LambdaArity {
			c.report(diag.CodeItemExpression, l.Span, "write `"+lambdaExample(f)+"`", "`%s` gives its lambda %s, found %s",
				f.Name, count(f.LambdaArity, "parameter"), count(len(l.Params), "parameter"))
		}
		return c.lambda(l, elem)
	}
	if f.LambdaArity > 1 {
		c.report(diag.CodeItemExpression, a.Place(), "write `"+lambdaExample(f)+"`", "`%s` needs a lambda here", f.Name)
		return c.infer(a)
	}
	// min(a, b) compares two plain values: which it is, is known from the first.
	plain := f.Variadic && !xs.can(stdlib.KArray)
	if lit, ok := unparen(a).(*syntax.StringLit); ok && !plain && (!f.Variadic || xs.kinds == stdlib.KArray) && fieldName.MatchString(lit.Value) {
		// Other languages' libraries take a field's name; here every item would
		// give the same text.
		c.report(diag.CodeItemExpression, a.Place(), "write `."+lit.Value+"`", "`%s` takes an expression over the item, and %s is the same text for each", f.Name, a.Place().Text())
		return anyType
	}
	inner := c.at
	if !plain {
		inner.item = elem
		if f.Variadic && xs.kinds != stdlib.KArray {
			inner.item = anyType
		}
	}
	var t *typ
	c.with(inner, func() { t = c.infer(a) })
	return t
}

func lambdaExample(f *stdlib.Func) string {
	if f.LambdaArity == 2 {
		return f.Name + "(xs, (acc, x) => …, init)"
	}
	return f.Name + "(xs, x => …)"
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// lambda checks a lambda's body; its last parameter is an element, one before
// it is of any kind.
func (c *checker) lambda(l *syntax.LambdaExpr, elem *typ) *typ {
	inner := c.at
	inner.scope = newScope(c.at.scope)
	if inner.item != nil || inner.response == nil {
		inner.item = anyType
	}
	var t *typ
	c.with(inner, func() {
		for i, p := range l.Params {
			pt := anyType
			if i == len(l.Params)-1 {
				pt = elem
			}
			c.bind(p, varLambda, pt)
		}
		t = c.infer(l.Body)
	})
	return t
}

// resultOf returns what is known of a call's value.
func (c *checker) resultOf(f *stdlib.Func, args []*typ) *typ {
	var xs *typ
	if len(args) > 0 {
		xs = args[0]
	}
	switch f.Name {
	case "filter", "unique", "uniqueBy", "sort", "sortBy", "reverse", "slice":
		if xs.elem != nil {
			return arrayOf(xs.elem)
		}
	case "first", "last", "find", "minBy", "maxBy":
		return xs.element().orNull()
	case "map":
		return arrayOf(args[1])
	case "split", "keys":
		return arrayOf(stringType)
	case "range":
		return arrayOf(&typ{kinds: stdlib.KNumber, whole: true})
	case "windows":
		ends := &objType{closed: true, order: []string{"from", "to"}, fields: map[string]*fieldType{"from": {typ: timeType}, "to": {typ: timeType}}}
		return arrayOf(&typ{kinds: stdlib.KObject, obj: ends})
	case "chunk":
		return arrayOf(arrayOf(xs.element()))
	case "env":
		if len(args) > 1 {
			return c.union(stringType, without(args[1], 0))
		}
	case "concat":
		if !xs.can(stdlib.KArray) {
			return stringType
		}
	case "min", "max":
		if len(args) == 1 && xs.kinds == stdlib.KArray && xs.elem != nil {
			return xs.elem.orNull()
		}
	}
	return ofKinds(f.Result)
}

// argumentHint says how to make a value fit, "" if nothing is at hand.
func argumentHint(want stdlib.Kinds, t *typ) string {
	switch {
	case t.kinds == stdlib.KNull && want&stdlib.KArray != 0:
		return "write `?? []` where it may be missing"
	case t.kinds == stdlib.KString && want&stdlib.KNumber != 0:
		return "write `toNumber(…)` to make a number of text"
	case t.kinds == stdlib.KString && want&stdlib.KArray != 0:
		return "write `split(s, separator)` to make an array of text"
	case t.kinds == stdlib.KObject && want&stdlib.KArray != 0:
		return "write `values(…)` or `entries(…)` to make an array of an object"
	case want&stdlib.KString != 0 && t.kinds&^(stdlib.KNumber|stdlib.KBool|stdlib.KTime) == 0:
		return "write `toString(…)` to make text of it"
	}
	return ""
}

// checkLiteralArguments checks what kinds can't say of arguments written out.
func (c *checker) checkLiteralArguments(e *syntax.CallExpr, f *stdlib.Func) {
	switch f.Name {
	case "matches", "capture":
		c.checkRegexp(e.Args[1], anyType)
		return
	case "format":
		c.checkFormat(e)
		return
	case "env":
		if lit, ok := e.Args[0].(*syntax.StringLit); ok && (lit.Value == "" || strings.ContainsAny(lit.Value, "=\x00 $")) {
			c.report(diag.CodeBadArgument, lit.Span, "", "`%s` can't be the name of an environment variable", lit.Value)
		}
		return
	case "hmac", "jwt", "sha256", "sha512", "sha1", "md5":
		c.checkEncodings(e, f)
		return
	case "sort", "sortBy":
		last := e.Args[len(e.Args)-1]
		if lit, ok := last.(*syntax.StringLit); ok && f.Params[len(e.Args)-1].Name == "order" && lit.Value != "asc" && lit.Value != "desc" {
			c.report(diag.CodeBadArgument, lit.Span, "write `\"asc\"` or `\"desc\"`", "unknown order `%s`", lit.Value)
		}
		return
	}
	if f.Group == "time" {
		c.checkTimeArguments(e, f)
	}
}

// argumentWords are the words that a parameter of a function that hashes or signs
// takes; nil if it takes any text.
func argumentWords(function, param string) []string {
	switch param {
	case "out":
		return []string{"hex", "base64", "base64url"}
	case "textAs", "keyAs":
		return []string{"text", "hex", "base64"}
	case "algorithm":
		if function == "hmac" {
			return []string{"md5", "sha1", "sha256", "sha512"}
		}
		return []string{"HS256", "RS256", "ES256"}
	}
	return nil
}

// checkEncodings checks the words of a hash, an HMAC or a JSON Web Token.
func (c *checker) checkEncodings(e *syntax.CallExpr, f *stdlib.Func) {
	for i, arg := range e.Args {
		lit, ok := arg.(*syntax.StringLit)
		if !ok || i >= len(f.Params) {
			continue
		}
		name := f.Params[i].Name
		if name == "key" && c.at.secrets && lit.Value != "" {
			c.report(diag.CodeLiteralSecret, lit.Span, "write `env(\"NAME\")`", "a key is a secret and should not stand in the source")
		}
		words := argumentWords(f.Name, name)
		if words != nil && !slices.Contains(words, lit.Value) {
			c.report(diag.CodeBadArgument, lit.Span, didYouMean(near.Nearest(lit.Value, words)),
				"unknown %s `%s`; there are %s", name, lit.Value, strings.Join(words, ", "))
		}
	}
}

// checkTimeArguments checks literal dates and zones.
func (c *checker) checkTimeArguments(e *syntax.CallExpr, f *stdlib.Func) {
	for i, a := range e.Args {
		lit, ok := a.(*syntax.StringLit)
		if !ok {
			continue
		}
		p := f.Params[min(i, len(f.Params)-1)]
		switch {
		case p.Name == "zone":
			c.checkZone(lit)
		case p.Kinds == stdlib.KTime|stdlib.KString && !(f.Name == "parseDate" && len(e.Args) > 1) && !readableDate(lit.Value):
			c.report(diag.CodeBadDate, lit.Span, "write it as `2026-01-20` or `2026-01-20T09:00:00Z`", "%q is no date", lit.Value)
		case f.Name == "formatDate" && p.Name == "pattern" && !datePattern(lit.Value):
			c.report(diag.CodeBadFormatOption, lit.Span, "write a pattern such as `YYYY-MM-DD`", "the pattern %q has no part of a date in it", lit.Value)
		case p.Name == "pattern":
			c.checkForeignPattern(lit)
		}
	}
}

// datePattern reports whether text holds at least one part of a date pattern
// (language definition, section 4).
func datePattern(text string) bool {
	for _, part := range []string{"YY", "MM", "DD", "HH", "mm", "ss", "SSS", "ddd", "M", "D", "H", "Z"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// foreignPattern finds parts that other tools' date patterns have.
var foreignPattern = regexp.MustCompile(`yyyy|\bdd\b|%[A-Za-z]`)

// checkForeignPattern reports a pattern with letters that stand for parts of
// a date elsewhere, and for themselves here.
func (c *checker) checkForeignPattern(lit *syntax.StringLit) {
	found := foreignPattern.FindString(lit.Value)
	if found == "" {
		return
	}
	suggestion := "the parts are YYYY MM DD HH mm ss SSS MMM MMMM ddd Z"
	if found[0] != '%' {
		suggestion = "write `" + strings.ToUpper(found) + "`"
	}
	c.report(diag.CodeForeignPattern, lit.Span, suggestion, "`%s` is no part of a date pattern, and stands for itself", found)
}

// checkZone checks the name of a time zone.
func (c *checker) checkZone(lit *syntax.StringLit) {
	if problem, near := zoneProblem(lit.Value); problem != "" {
		c.report(diag.CodeBadTimezone, lit.Span, didYouMean(near), "%s", problem)
	}
}

// zoneProblem says why a zone can't be used, "" if it can.
func zoneProblem(name string) (problem, near string) {
	if name != "" && name != "Local" {
		if _, err := time.LoadLocation(name); err == nil {
			return "", ""
		}
	}
	zones := map[string]string{
		"pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "edt": "America/New_York",
		"cst": "America/Chicago", "cdt": "America/Chicago", "mdt": "America/Denver", "bst": "Europe/London", "cest": "Europe/Berlin",
		"ist": "Asia/Kolkata", "jst": "Asia/Tokyo", "z": "UTC", "utc+0": "UTC",
	}
	near = zones[strings.ToLower(name)]
	if near == "" {
		fixed := capitalized(name)
		if _, err := time.LoadLocation(fixed); err == nil && fixed != "Local" && fixed != name && fixed != "" {
			near = fixed
		}
	}
	return fmt.Sprintf("unknown time zone %q; expected an IANA name such as \"Europe/Berlin\", or \"UTC\"", name), near
}

// capitalized writes a zone's name as IANA does: America/New_York.
func capitalized(name string) string {
	out := []byte(strings.ReplaceAll(strings.TrimSpace(name), " ", "_"))
	start := true
	for i, b := range out {
		switch {
		case start && b >= 'a' && b <= 'z':
			out[i] = b - 'a' + 'A'
		case !start && b >= 'A' && b <= 'Z':
			out[i] = b - 'A' + 'a'
		}
		start = b == '/' || b == '_' || b == '-'
	}
	if s := string(out); s == "Utc" || s == "Gmt" {
		return strings.ToUpper(s)
	}
	return string(out)
}

// checkFormat holds the placeholders of a literal format against its values.
func (c *checker) checkFormat(e *syntax.CallExpr) {
	lit, ok := e.Args[0].(*syntax.StringLit)
	if !ok {
		return
	}
	text := strings.NewReplacer("{{", "", "}}", "").Replace(lit.Value)
	if holes := strings.Count(text, "{}"); holes != len(e.Args)-1 {
		c.report(diag.CodeBadArgument, lit.Span, "", "this text has %s for %s", count(holes, "placeholder"), count(len(e.Args)-1, "value"))
	}
}
