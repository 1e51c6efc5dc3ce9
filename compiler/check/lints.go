package check

import (
	"regexp"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
)

// plainName is a name as a field may have it; fieldName may have fields of its
// own behind it.
var (
	plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
)

// checkConstantKey reports a key that is the same for every record, so that
// each one replaces the one before. One object that is written out may well be
// kept under a fixed key; many records can't.
func (c *checker) checkConstantKey(s *syntax.StoreStep, t, record *typ) {
	o := s.Options.Get("key")
	if o == nil || o.Value == nil || !Constant(o.Value) {
		return
	}
	text := o.Value.Place().Text()
	lit, isText := unparen(o.Value).(*syntax.StringLit)
	if isText {
		text = lit.Value
	}
	_, literal := unparen(s.Value).(*syntax.ObjectExpr)
	field := isText && record.obj != nil && record.obj.fields[lit.Value] != nil
	if !field && (literal || !c.flow.loop && !t.can(stdlib.KArray)) {
		return
	}
	suggestion := "write an expression over the record, such as `.id`"
	if isText && plainName.MatchString(lit.Value) {
		suggestion = "write `." + lit.Value + "`"
	}
	c.report(diag.CodeConstantKey, o.Value.Place(), suggestion, "every record gets the key `%s`, so that each replaces the one before", text)
}

// checkInStore reports a key that is looked for among the records of a store,
// none of which it equals: what was meant to skip known records would skip none.
func (c *checker) checkInStore(e *syntax.BinaryExpr, elem, whole *typ, wholeExpr syntax.Expr) {
	if whole != storeType {
		return
	}
	key := e.X
	if e.X == wholeExpr {
		key = e.Y
	}
	if _, field := unparen(key).(*syntax.FieldExpr); !field && elem.can(stdlib.KObject) {
		return
	}
	c.report(diag.CodeNeverEqual, e.Span, "write `exists("+wholeExpr.Place().Text()+"["+key.Place().Text()+"])`",
		"a store reads as the list of its records here, and a key is none of them")
}

// checkPageLength reports an `until` that counts the fields of a page where it
// means its items: they are few from the first page on, and the fetch ends there.
// after is the step behind the request, or nil.
func (c *checker) checkPageLength(s *syntax.FetchStep, after syntax.Step) {
	until, paginate := s.Options.Get("until"), s.Options.Get("paginate")
	if until == nil || until.Value == nil || paginate == nil {
		return
	}
	counted, field := countsResponse(until.Value)
	if counted == nil {
		return
	}
	items := ""
	pages, _ := ReadPagination(paginate.Value)
	if lit, ok := pages.Items.(*syntax.StringLit); ok {
		items = "response." + lit.Value
	}
	var used syntax.Expr
	switch after := after.(type) {
	case *syntax.ForStep:
		used = unparen(after.In)
	case *syntax.StoreStep:
		used = unparen(after.Value)
	}
	if f, ok := used.(*syntax.FieldExpr); ok && items == "" && isResponse(f.X) {
		items = f.Place().Text()
	}
	switch {
	case items != "":
	case field:
		items = "response.items"
	default:
		return
	}
	c.report(diag.CodeFieldsCounted, counted.Place(), "write `length("+items+")`", "the pages are objects, of which this counts the fields, not the items")
}

// countsResponse finds `length(response)` in an expression, and whether it reads
// a field of response besides.
func countsResponse(e syntax.Expr) (counted syntax.Expr, field bool) {
	syntax.Walk(e, func(n syntax.Node) bool {
		switch e := n.(type) {
		case *syntax.CallExpr:
			if e.Fun.Name == "length" && len(e.Args) == 1 && isResponse(e.Args[0]) {
				counted = e.Args[0]
			}
		case *syntax.FieldExpr:
			switch {
			case !isResponse(e.X):
			case e.Name != nil && e.Name.Name == "length":
				counted = e.X
			default:
				field = true
			}
		}
		return true
	})
	return counted, field
}

func isResponse(e syntax.Expr) bool {
	name, ok := unparen(e).(*syntax.Name)
	return ok && name.Name == "response"
}

// checkDollars reports the `${…}` of other languages' templates.
func (c *checker) checkDollars(e *syntax.TemplateLit) {
	for i, x := range e.Exprs {
		if strings.HasSuffix(e.Texts[i], "$") && x != nil {
			c.report(diag.CodeDollarBraces, e.Span, "write `{"+x.Place().Text()+"}`", "the `$` stands for itself: a template's expression is in braces alone")
			return
		}
	}
}

// checkEscapedURL reports a path that begins with an interpolated address: what
// stands in braces is escaped as one path segment and joined on to `base`
// (language definition, section 6.1, "Path"), so that an address with its
// slashes would be asked for as the name of one resource.
func (c *checker) checkEscapedURL(s *syntax.FetchStep) {
	t, ok := s.Path.(*syntax.TemplateLit)
	if !ok || len(t.Exprs) == 0 || !holdsURL(t.Exprs[0]) {
		return
	}
	text := t.Exprs[0].Place().Text()
	suggestion := "write `" + strings.ToLower(s.Method) + " " + text + "`: an expression in the place of the path is not escaped"
	switch {
	case len(t.Exprs) > 1 || t.Texts[1] != "":
		suggestion = "write an expression in the place of the path, which is not escaped, such as `" + strings.ToLower(s.Method) + " " + text + " + \"/…\"`, or put the address into the `base` of a source"
	case s.Source != nil:
		suggestion = "write `" + strings.ToLower(s.Method) + " " + s.Source.Name + " " + text + "`: an expression in the place of the path is not escaped"
	}
	c.report(diag.CodeEscapedURL, t.Exprs[0].Place(), suggestion, "`{%s}` is escaped as one segment of the path, its slashes too: an address is not asked for so", text)
}

// holdsURL reports whether an expression is an address by the name that it has.
func holdsURL(e syntax.Expr) bool {
	name := ""
	switch e := unparen(e).(type) {
	case *syntax.Name:
		name = e.Name
	case *syntax.FieldExpr:
		name = e.Name.Name
	case *syntax.IndexExpr:
		if lit, ok := unparen(e.Index).(*syntax.StringLit); ok {
			name = lit.Value
		}
	case *syntax.CallExpr:
		if lit, ok := firstText(e); ok && e.Fun.Name == "env" {
			name = lit
		}
	}
	return urlName.MatchString(name)
}

// firstText returns the first argument of a call, if it is text.
func firstText(e *syntax.CallExpr) (string, bool) {
	if len(e.Args) == 0 {
		return "", false
	}
	lit, ok := unparen(e.Args[0]).(*syntax.StringLit)
	if !ok {
		return "", false
	}
	return lit.Value, true
}

// urlName is the end of names that stand for addresses: nextUrl, self_link, href.
var urlName = regexp.MustCompile(`^(.*[a-z0-9](URL|Url|URI|Uri|Href|Link)|(.*_)?(url|uri|href|link|URL|URI))$`)

// checkEnvelope reports a match that lets a failed request go on to a step that
// takes `response` for data, while it is the error envelope (language
// definition, section 6.1, "Failure").
func (c *checker) checkEnvelope(m *syntax.MatchStep, after []syntax.Step) {
	var status string
	var arm *syntax.StepArm
	for _, a := range m.Arms {
		if s, ok := a.Pattern.(*syntax.SchemaPattern); ok && a.Where == nil && c.fitsAnyObject(s) && !leavesAtEnd(a.Body) {
			c.report(diag.CodeEnvelopeAsData, s.Span, "give `"+s.Name.Name+"` a field that is not optional, or put the statuses of failures before it",
				"`%s` has no required field, so that the error envelope of a failed request fits it, too", s.Name.Name)
		}
		if lit, ok := a.Pattern.(*syntax.LiteralPattern); ok {
			if n, _, ok := literalNumber(lit.Value); ok && n >= 400 && n < 600 && keepsResponse(a.Body) {
				status, arm = lit.Span.Text(), a
				break
			}
		}
	}
	if arm == nil {
		return
	}
	for _, s := range after {
		var data syntax.Expr
		switch s := s.(type) {
		case *syntax.StoreStep:
			data = s.Value
		case *syntax.ForStep:
			data = s.In
		case *syntax.MapStep:
			data = s.Source
		case *syntax.ApplyStep:
			data = s.To
		case *syntax.LetStep, *syntax.LogStep, *syntax.DeleteStep, *syntax.ClearStep:
		default:
			return
		}
		if data != nil && c.ofResponse(data) {
			d := c.report(diag.CodeEnvelopeAsData, arm.Pattern.Place(), "write `"+status+" -> skip`, or do what is to be done within the arm",
				"after a %s `response` is the error envelope, and a later step takes it for data", status)
			note(d, data.Place(), "it is used here")
			return
		}
		switch s.(type) {
		case *syntax.MapStep, *syntax.ApplyStep:
			return // response is another now
		}
	}
}

// fitsAnyObject reports whether a pattern is a schema whose fields are all
// optional.
func (c *checker) fitsAnyObject(p *syntax.SchemaPattern) bool {
	if _, ok := c.schemas.get(p.Name.Name); !ok || p.Each {
		return false
	}
	t := c.schemaType(p.Name.Name)
	if t == nil || t.obj == nil {
		return false
	}
	for _, f := range t.obj.fields {
		if !f.optional {
			return false
		}
	}
	return true
}

// leavesAtEnd reports whether a block ends in a directive that leaves the match.
func leavesAtEnd(b *syntax.Block) bool {
	if b == nil || len(b.Steps) == 0 {
		return false
	}
	d, ok := b.Steps[len(b.Steps)-1].(*syntax.DirectiveStep)
	return ok && d.Kind != syntax.DirContinue
}

// keepsResponse reports whether a block goes on behind its match with response
// as it was.
func keepsResponse(b *syntax.Block) bool {
	if b == nil {
		return false
	}
	for i, s := range b.Steps {
		switch s := s.(type) {
		case *syntax.StoreStep, *syntax.LogStep, *syntax.LetStep, *syntax.DeleteStep, *syntax.ClearStep:
		case *syntax.DirectiveStep:
			if s.Kind == syntax.DirQueue && i < len(b.Steps)-1 {
				continue
			}
			return s.Kind == syntax.DirContinue
		default:
			return false
		}
	}
	return true
}

// ofResponse reports whether an expression begins with `response`, also as the
// subject.
func (c *checker) ofResponse(e syntax.Expr) bool {
	switch e := unparen(e).(type) {
	case *syntax.Name:
		return e.Name == "response"
	case *syntax.SubjectExpr:
		return !c.flow.loop
	case *syntax.FieldExpr:
		return c.ofResponse(e.X)
	case *syntax.IndexExpr:
		return c.ofResponse(e.X)
	case *syntax.WhereExpr:
		return c.ofResponse(e.X)
	}
	return false
}

// checkAvailable warns of what a run would refuse, since this version does not
// carry it out: otherwise production would tell what the check could.
func (c *checker) checkAvailable(part bytecode.Part, name string, span syntax.Span) {
	if u := bytecode.NotAvailable(part, name); u != nil {
		c.notAvailable(name, u.Advice, span)
	}
}

func (c *checker) notAvailable(name, advice string, span syntax.Span) {
	c.report(diag.CodeNotAvailable, span, advice, "`%s` is not available in this version of reqon: a run refuses it", name)
}

// verb is the word that a step begins with.
func verb(step syntax.Span, word string) syntax.Span {
	step.End = step.Start + int32(len(word))
	return step
}
