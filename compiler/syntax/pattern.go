package syntax

// armHead reads an arm up to and with its arrow: a pattern, or a condition
// where the match has no subject, and a guard. A wrong arrow is reported once
// in a match: wrong says that it was.
func (p *parser) armHead(subject bool, arrow tokenKind, wrong *bool) (pat Pattern, cond, where Expr) {
	p.height = 0
	height := 0
	switch {
	case subject:
		pat = p.pattern()
	case p.isText("_") && p.peek(1).kind != tDot:
		pat = &WildcardPattern{Span: p.here()}
		p.next()
	default:
		cond = p.expr()
		height = p.height
	}
	if p.gotWord(wWhere) {
		where = p.condition()
		height = max(height, p.height)
	}
	p.height = height
	switch p.kind {
	case arrow:
		p.next()
	case tArrow, tFatArrow, tColon:
		msg := "an arm of a match that is a value takes `=>`, found "
		if arrow == tArrow {
			msg = "an arm of a match that is a step takes `->`, found "
		}
		if !*wrong {
			p.errHere(CodeArrow, msg+p.found(), "write `"+tokenText[arrow]+"`")
		}
		*wrong = true
		p.next()
	case tPipe, tOrOr, tComma:
		if subject && where == nil {
			p.failHere(CodePattern, "expected `"+tokenText[arrow]+"` behind the pattern, found "+p.found(),
				"an arm has one pattern: write an arm for each")
			return pat, cond, where
		}
		p.unexpected("`" + tokenText[arrow] + "`")
	default:
		p.unexpected("`" + tokenText[arrow] + "`")
	}
	return pat, cond, where
}

// pattern reads a pattern (language definition, section 6.2).
func (p *parser) pattern() Pattern {
	at := p.here()
	switch p.kind {
	case tIdent:
		return p.namePattern()
	case tNumber:
		return &LiteralPattern{Span: at, Value: p.numberLit()}
	case tString:
		return &LiteralPattern{Span: at, Value: p.stringLit("a string")}
	case tMinus:
		n := p.negativeNumber(CodePattern)
		return &LiteralPattern{Span: n.Place(), Value: n}
	case tLBrack:
		return p.arrayPattern()
	case tLBrace:
		return p.objectPattern()
	}
	suggestion := ""
	switch p.kind {
	case tLt, tLe, tGt, tGe, tEq, tNe:
		suggestion = "bind a name and test it: `n where n " + p.text() + " …`"
	case tDot:
		suggestion = "test it in a guard: `_ where ." + p.textOf(p.peek(1)) + " …`"
	case tTemplate, tTemplateHead:
		suggestion = "write a plain string"
	case tSpread:
		suggestion = "`...` stands only before the last name of an array pattern"
	}
	p.failHere(CodePattern, "expected a pattern, found "+p.found(), suggestion)
	return &WildcardPattern{Span: p.missing()}
}

func (p *parser) namePattern() Pattern {
	at := p.here()
	switch w := p.word(); w {
	case wTrue, wFalse:
		p.next()
		return &LiteralPattern{Span: at, Value: &BoolLit{Span: at, Value: w == wTrue}}
	case wNull:
		p.next()
		return &LiteralPattern{Span: at, Value: &NullLit{Span: at}}
	}
	if p.text() == "_" {
		p.next()
		return &WildcardPattern{Span: at}
	}
	if p.word() == wElse {
		p.failHere(CodePattern, "expected a pattern, found `else`", "write `_` for all the rest")
		return &WildcardPattern{Span: p.missing()}
	}
	id := p.ident("a pattern's name")
	if upper(id.Name) {
		return &SchemaPattern{Span: at, Name: id}
	}
	return &BindPattern{Span: at, Name: id}
}

// upper reports whether a name starts with an upper-case letter, as those of
// schemas do in patterns.
func upper(name string) bool { return name != "" && name[0] >= 'A' && name[0] <= 'Z' }

// negativeNumber reads a minus sign and the number that must follow.
func (p *parser) negativeNumber(code string) Expr {
	start := p.start()
	p.next()
	if p.kind != tNumber {
		p.failHere(code, "expected a number behind `-`, found "+p.found(), "")
		return &BadExpr{Span: p.missing()}
	}
	n := p.numberLit()
	return &UnaryExpr{Span: p.from(start), Op: OpNeg, X: n}
}

func (p *parser) arrayPattern() Pattern {
	open := p.start()
	a := &ArrayPattern{}
	l := p.enter()
	p.brackets++
	p.next()
	for p.kind != tRBrack && !p.failing {
		if p.got(tSpread) {
			a.Rest = p.ident("the name of the rest")
			p.got(tComma)
			break
		}
		a.Elems = append(a.Elems, p.pattern())
		if !p.got(tComma) {
			break
		}
	}
	if a.Rest != nil && p.kind != tRBrack {
		p.failHere(CodePattern, "expected `]` behind the rest, found "+p.found(), "`...` stands before the last name")
	}
	p.closeList(tRBrack, open)
	p.brackets--
	p.leave(l)
	a.Span = p.from(open)
	if len(a.Elems) == 1 && a.Rest == nil {
		if s, ok := a.Elems[0].(*SchemaPattern); ok && !s.Each {
			return &SchemaPattern{Span: a.Span, Name: s.Name, Each: true}
		}
	}
	return a
}

func (p *parser) objectPattern() Pattern {
	open := p.start()
	o := &ObjectPattern{}
	l := p.enter()
	p.next()
	p.items(open, &list{what: "a field", starts: p.atFieldPattern, item: func() {
		if f := p.fieldPattern(); !p.failing {
			o.Fields = append(o.Fields, f)
		}
	}})
	p.leave(l)
	o.Span = p.from(open)
	return o
}

func (p *parser) atFieldPattern() bool { return p.kind == tIdent || p.kind == tString }

// fieldPattern reads `key: pattern`, or `name` for `name: name`.
func (p *parser) fieldPattern() *FieldPattern {
	start := p.start()
	f := &FieldPattern{}
	switch {
	case p.kind == tSpread:
		p.failHere(CodePattern, "expected a field, found `...`", "leave it out: other fields are allowed anyway")
		return f
	case p.kind == tIdent && p.peek(1).kind != tColon && !p.word().reserved():
		if next := p.peek(1); next.kind != tComma && next.kind != tRBrace && !next.nl {
			break
		}
		id := p.anyIdent()
		if upper(id.Name) {
			p.report(&Error{Span: id.Span, Code: CodePattern, Msg: "a name that binds starts with a lower-case letter",
				Suggestion: "write `" + id.Name + ": name`"})
		}
		f.Key, f.Pattern = id, &BindPattern{Span: id.Span, Name: &Ident{Span: id.Span, Name: id.Name}}
		if id.Name == "_" {
			f.Pattern = &WildcardPattern{Span: id.Span}
		}
		f.Span = p.from(start)
		return f
	}
	f.Key = p.key("a field")
	f.Pattern = p.pattern()
	f.Span = p.from(start)
	return f
}
