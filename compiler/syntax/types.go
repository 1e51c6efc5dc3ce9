package syntax

import "strings"

// typeExpr reads a type (language definition, section 5, schema).
func (p *parser) typeExpr() TypeExpr {
	t := p.oneType()
	if p.kind != tPipe {
		return t
	}
	u := &UnionType{Alts: []TypeExpr{t}}
	for p.got(tPipe) {
		u.Alts = append(u.Alts, p.oneType())
	}
	u.Span = p.from(t.Place().Start)
	return u
}

// oneType reads a type that is no union, and reports a `?` where more of the
// type follows.
func (p *parser) oneType() TypeExpr {
	t := p.plainType()
	for p.kind == tLBrack && p.sameLine() && p.peek(1).kind == tRBrack {
		p.errHere(CodeType, "expected the end of the type, found `[`", "write `["+clip(t.Place().Text())+"]`")
		p.next()
		p.next()
		t = &ArrayType{Span: p.from(t.Place().Start), Elem: t}
	}
	if (p.kind == tQuestion || p.kind == tCoalesce) && p.peek(1).kind == tPipe {
		p.errHere(CodeOptional, "`"+p.text()+"` stands behind the whole type", "put one `?` at the end, or write `| null`")
		p.next()
	}
	return t
}

// noOptional reports a `?` where no field's type ends.
func (p *parser) noOptional(suggestion string) {
	if p.kind == tQuestion || p.kind == tCoalesce {
		p.errHere(CodeOptional, "`"+p.text()+"` stands only behind the type of a field", suggestion)
		p.next()
	}
}

func (p *parser) plainType() TypeExpr {
	at := p.here()
	switch p.kind {
	case tIdent:
		return p.namedType()
	case tString:
		return &LiteralType{Span: at, Value: p.stringLit("a string")}
	case tNumber:
		return &LiteralType{Span: at, Value: p.numberLit()}
	case tMinus:
		n := p.negativeNumber(CodeType)
		return &LiteralType{Span: n.Place(), Value: n}
	case tLBrace:
		return p.objectType()
	case tLBrack:
		l := p.enter()
		p.brackets++
		p.next()
		elem := p.typeExpr()
		p.noOptional("write `| null` for an element that may be null")
		p.closeBracket(tRBrack, at.Start)
		p.brackets--
		p.leave(l)
		return &ArrayType{Span: p.from(at.Start), Elem: elem}
	}
	p.failHere(CodeType, "expected a type, found "+p.found(), "")
	return &NamedType{Span: p.missing()}
}

func (p *parser) namedType() TypeExpr {
	at := p.here()
	switch w := p.word(); {
	case w == wTrue || w == wFalse:
		p.next()
		return &LiteralType{Span: at, Value: &BoolLit{Span: at, Value: w == wTrue}}
	case w == wNull:
		p.next()
		return &LiteralType{Span: at, Value: &NullLit{Span: at}}
	case w.reserved():
		p.failHere(CodeType, "expected a type, found "+p.found(), "")
		return &NamedType{Span: p.missing()}
	}
	id := p.anyIdent()
	if p.kind != tLt || !p.sameLine() {
		return &NamedType{Span: at, Name: id.Name}
	}
	if id.Name != "array" {
		suggestion := didYouMean(id.Name, []string{"array"})
		switch strings.ToLower(id.Name) {
		case "list", "set", "sequence", "vec", "iterable":
			suggestion = "write `array<…>`"
		case "map", "dict", "record", "object", "hash":
			suggestion = "write `object`, or the fields: `{ name: type }`"
		case "optional", "maybe", "option", "nullable":
			suggestion = "write `T?`"
		}
		p.failHere(CodeType, "only `array` takes a type in `< >`", suggestion)
		return &NamedType{Span: at, Name: id.Name}
	}
	open := p.start()
	l := p.enter()
	p.next()
	elem := p.typeExpr()
	p.noOptional("write `| null` for an element that may be null")
	if p.kind == tGe { // `array<int>=`: two tokens in truth
		p.toks[p.pos].kind = tAssign
		p.toks[p.pos].start++
		p.kind, p.end = tAssign, p.toks[p.pos].start
	} else if !p.got(tGt) {
		p.failHere(CodeUnclosed, "expected `>`, found "+p.found(), "",
			Note{Span: Span{File: p.file, Start: open, End: open + 1}, Msg: "the `<` that is not closed is here"})
	}
	p.leave(l)
	return &ArrayType{Span: p.from(at.Start), Elem: elem}
}

// objectType reads a list of fields; the current token is its `{`.
func (p *parser) objectType() *ObjectType {
	open := p.start()
	o := &ObjectType{}
	l := p.enter()
	p.next()
	p.items(open, &list{what: "a field", keyed: true, starts: p.atEntry, item: func() {
		if f := p.fieldType(); !p.failing {
			o.Fields = append(o.Fields, f)
		}
	}})
	p.leave(l)
	o.Span = p.from(open)
	return o
}

func (p *parser) fieldType() *FieldType {
	start := p.start()
	f := &FieldType{}
	if p.got(tSpread) {
		f.Spread = p.ident("a schema's name")
		f.Span = p.from(start)
		return f
	}
	if p.kind == tIdent && p.peek(1).kind == tQuestion && p.peek(2).kind == tColon {
		f.Name = p.anyIdent()
		p.errHere(CodeOptional, "`?` stands behind the type of a field, not behind its name", "write `"+f.Name.Name+": T?`")
		p.next()
		p.next()
		f.Optional = true
	} else {
		f.Name = p.key("a field")
	}
	f.Type = p.typeExpr()
	if p.kind == tCoalesce {
		p.errHere(CodeOptional, "a second `?` behind a type", "one is enough: write `"+clip(f.Type.Place().Text())+"?`")
		p.next()
		f.Optional = true
	} else if p.got(tQuestion) {
		f.Optional = true
	}
	if suggestion := p.afterType(f.Type); suggestion != "" && p.sameLine() {
		p.failHere(CodeType, "expected the end of the field's type, found "+p.found(), suggestion)
	}
	f.Span = p.from(start)
	return f
}

// afterType says what to write for what other languages have behind a field's
// type.
func (p *parser) afterType(t TypeExpr) string {
	switch p.kind {
	case tAssign:
		return "a schema has no defaults: give the value where it is read, as in `.x ?? 0`"
	case tBang:
		return "a field is required unless its type ends in `?`"
	case tLParen:
		if name, ok := t.(*NamedType); ok && strings.EqualFold(name.Name, "enum") {
			return "write the choices as a union: `\"a\" | \"b\"`"
		}
		return "types have no size: write `string` or `number`"
	}
	return ""
}
