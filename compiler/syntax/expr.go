package syntax

import "strings"

// precedence is how tightly an operator binds, loosest first (language
// definition, section 4). A lambda, looser than all, stands only as an argument.
type precedence uint8

const (
	precNone precedence = iota
	precWhere
	precCond
	precOr
	precAnd
	precNot
	precCompare
	precCoalesce
	precPipe
	precAdd
	precMul
	precNeg
	precPostfix
)

// expr reads an expression.
func (p *parser) expr() Expr { return p.binary(precWhere) }

// condition reads an expression that ends before a `where`: that belongs to
// what stands around it.
func (p *parser) condition() Expr { return p.binary(precCond) }

// binary reads an expression of operators that bind at least as tightly as
// least (a Pratt parser).
func (p *parser) binary(least precedence) Expr {
	x := p.prefix(least)
	for {
		op, prec := p.infix()
		if prec == precNone || prec < least {
			return x
		}
		switch p.kind {
		case tQuestion:
			x = p.question(x)
			continue
		case tPipe:
			x = p.pipe(x)
			continue
		}
		switch p.word() {
		case wWhere:
			x = p.where(x)
			continue
		case wIs:
			x = p.is(x)
		default:
			x = p.operation(x, op, prec)
		}
		if prec == precCompare && !p.failing {
			x = p.chain(x)
		}
	}
}

// infix returns which operator the current token is, and how tightly it binds;
// precNone if it is none, or starts something else here.
func (p *parser) infix() (Op, precedence) {
	switch p.kind {
	case tIdent:
		return p.infixWord()
	case tMinus:
		if p.startsArm() {
			return OpNone, precNone
		}
		return OpSub, precAdd
	case tPlus:
		return OpAdd, precAdd
	case tStar:
		return OpMul, precMul
	case tSlash:
		return OpDiv, precMul
	case tPercent:
		return OpMod, precMul
	case tEq, tAssign, tEqEqEq:
		return OpEq, precCompare
	case tNe, tNeEqEq:
		return OpNe, precCompare
	case tLt:
		if next := p.peek(1); next.kind == tGt && next.start == p.tok().end {
			return OpNe, precCompare // <>
		}
		return OpLt, precCompare
	case tLe:
		return OpLe, precCompare
	case tGt:
		return OpGt, precCompare
	case tGe:
		return OpGe, precCompare
	case tCoalesce:
		return OpCoalesce, precCoalesce
	case tPipe:
		return OpNone, precPipe
	case tQuestion:
		return OpNone, precCond
	case tOrOr:
		return OpOr, precOr
	case tAndAnd:
		return OpAnd, precAnd
	}
	return OpNone, precNone
}

func (p *parser) infixWord() (Op, precedence) {
	w := p.word()
	if !w.operator() && w != wNot || p.peek(1).kind == tColon {
		return OpNone, precNone // in front of a colon it is a key
	}
	switch w {
	case wOr:
		return OpOr, precOr
	case wAnd:
		return OpAnd, precAnd
	case wIn:
		return OpIn, precCompare
	case wIs:
		return OpNone, precCompare
	case wWhere:
		return OpNone, precWhere
	case wNot:
		switch p.peek(1).word {
		case wIn, wContains, wStartsWith, wEndsWith, wMatches:
			return OpNot, precCompare
		}
		return OpNone, precNone
	}
	if p.peek(1).kind == tLParen && p.startsArm() {
		return OpNone, precNone // a call of the function of that name
	}
	switch w {
	case wContains:
		return OpContains, precCompare
	case wStartsWith:
		return OpStartsWith, precCompare
	case wEndsWith:
		return OpEndsWith, precCompare
	}
	return OpMatches, precCompare
}

// operation reads the operator and right operand of x.
func (p *parser) operation(x Expr, op Op, prec precedence) Expr {
	height := p.height
	at := p.here()
	p.foreignOperator(x)
	negated := op == OpNot
	if negated { // `a not in b`, which is not of the language
		p.next()
		op, _ = p.infixWord()
		at = p.here()
	}
	p.next()
	y := p.binary(prec + 1)
	p.grow(height)
	b := &BinaryExpr{Span: x.Place().To(y.Place()), Op: op, OpSpan: at, X: x, Y: y}
	if !negated || p.failing {
		return b
	}
	p.report(&Error{Span: at, Code: CodeOperator, Msg: "`not` can't stand before `" + op.String() + "`",
		Suggestion: "write `not (" + clip(ExprString(b)) + ")`"})
	return &UnaryExpr{Span: b.Span, Op: OpNot, X: b}
}

// foreignOperator reports an operator that other languages write so.
func (p *parser) foreignOperator(x Expr) {
	code, instead := CodeOperator, ""
	switch p.kind {
	case tAssign:
		code, instead = CodeAssign, "=="
	case tEqEqEq:
		instead = "=="
	case tNeEqEq:
		instead = "!="
	case tAndAnd:
		instead = "and"
	case tOrOr:
		instead = "or"
	case tLt:
		if next := p.peek(1); next.kind == tGt && next.start == p.tok().end {
			p.errHere(code, "found `<>`, expected `!=`", "write `!=`")
			p.next()
		}
		return
	case tStar, tPlus:
		next := p.peek(1)
		switch {
		case next.kind == tStar && next.start == p.tok().end:
			p.errHere(code, "`**` is not an operator", "write `pow("+clip(ExprString(x))+", …)`")
			p.next()
		case next.kind == tAssign && next.start == p.tok().end:
			p.failHere(code, "`"+p.text()+"=` is not an operator: a name is bound once", "bind another name with `let`")
		}
		return
	default:
		return
	}
	if p.tok().flags&flagBad != 0 {
		return // the lexer has reported it
	}
	p.errHere(code, "found "+p.found()+", expected `"+instead+"`", "write `"+instead+"`")
}

// chain reports comparisons that follow on x without `and` between.
func (p *parser) chain(x Expr) Expr {
	op, prec := p.infix()
	if prec != precCompare {
		return x
	}
	at := p.here()
	var y Expr
	if p.word() == wIs {
		y = p.is(x)
	} else {
		y = p.operation(x, op, prec)
	}
	if p.failing {
		return y
	}
	suggestion := "put parentheses around one of them"
	if second, ok := y.(*BinaryExpr); ok {
		suggestion = "write `" + chainInstead(x, second) + "`"
	}
	p.report(&Error{Span: at, Code: CodeChain, Msg: "comparisons don't chain", Suggestion: suggestion})
	return p.chain(y)
}

// chainInstead writes what a chain x op z was likely meant to be: two
// comparisons of the middle operand, or one of the first comparison's result.
func chainInstead(x Expr, second *BinaryExpr) string {
	first, ok := x.(*BinaryExpr)
	if !ok || isOrder(first.Op) != isOrder(second.Op) || !isOrder(first.Op) && (first.Op != OpEq || second.Op != OpEq) {
		return ExprString(&BinaryExpr{Op: second.Op, X: &ParenExpr{X: x}, Y: second.Y})
	}
	again := &BinaryExpr{Op: second.Op, X: first.Y, Y: second.Y}
	return ExprString(&BinaryExpr{Op: OpAnd, X: first, Y: again})
}

func isOrder(op Op) bool { return op >= OpLt && op <= OpGe }

func (p *parser) question(c Expr) Expr {
	height := p.height
	at, start := p.here(), c.Place().Start
	optional := p.peek(1).kind == tDot && p.peek(1).start == at.End
	p.next()
	p.deeper()
	then := p.expr()
	height = max(height, p.height)
	if p.kind != tColon {
		if optional {
			p.fail(&Error{Span: at, Code: CodeOperator, Msg: "`?.` is not an operator",
				Suggestion: "write `.`: a field of null is null"})
		}
		p.unexpected("`:` and the other value of `? :`")
	}
	p.next()
	other := p.binary(precCond)
	p.depth--
	p.grow(height)
	return &CondExpr{Span: p.from(start), Cond: c, Then: then, Else: other, Question: true}
}

func (p *parser) where(x Expr) Expr {
	height := p.height
	p.next()
	p.deeper()
	c := p.condition()
	p.depth--
	p.grow(height)
	return &WhereExpr{Span: x.Place().To(c.Place()), X: x, Cond: c}
}

// is reads `is T` behind x.
func (p *parser) is(x Expr) Expr {
	height := p.height
	p.next()
	if at := p.here(); p.gotWord(wNot) {
		t := p.isType()
		p.height = 0
		p.grow(height)
		e := &IsExpr{Span: x.Place().To(t.Place()), X: x, Type: t}
		if !p.failing {
			p.report(&Error{Span: at, Code: CodeOperator, Msg: "`not` can't stand behind `is`",
				Suggestion: "write `not (" + clip(ExprString(e)) + ")`"})
		}
		return &UnaryExpr{Span: e.Span, Op: OpNot, X: e}
	}
	t := p.isType()
	p.height = 0
	p.grow(height)
	e := &IsExpr{Span: x.Place().To(t.Place()), X: x, Type: t}
	switch _, prec := p.infix(); {
	case prec == precPipe:
		p.failHere(CodeIs, "`is` takes the name of one type", "write `x is A or x is B`, or declare a schema")
	case prec > precCompare:
		p.failHere(CodeIs, p.found()+" can't follow on the name of a type", "write `("+clip(ExprString(e))+") "+p.text()+" …`")
	}
	return e
}

// isType reads the type behind `is`: a name, or null.
func (p *parser) isType() TypeExpr {
	if p.kind == tIdent && p.word() == wNull {
		null := &NullLit{Span: p.here()}
		p.next()
		return &LiteralType{Span: null.Span, Value: null}
	}
	if p.kind != tIdent || p.word().reserved() {
		suggestion := "write a type such as `string`, or a schema's name"
		if p.kind == tString || p.word() == wTrue || p.word() == wFalse || p.kind == tNumber {
			suggestion = "write `==` to compare with a value"
		}
		p.failHere(CodeIs, "expected the name of a type behind `is`, found "+p.found(), suggestion)
		return &NamedType{Span: p.missing()}
	}
	t := &NamedType{Span: p.here(), Name: p.text()}
	p.next()
	return t
}

// pipe reads `| f(a)` behind x.
func (p *parser) pipe(x Expr) Expr {
	height := p.height
	bar := p.here()
	p.next()
	if p.kind != tIdent || p.word().reserved() || p.peek(1).kind != tLParen {
		suggestion := "write `x | f(a)` for `f(x, a)`"
		if p.kind == tIdent && !p.word().reserved() {
			suggestion = "write `" + p.text() + "()`"
		}
		p.failHere(CodePipe, "expected a call behind `|`, found "+p.found(), suggestion)
		return &BadExpr{Span: bar}
	}
	fun := p.anyIdent()
	args := p.args(x, height)
	call := &CallExpr{Span: p.from(x.Place().Start), Fun: fun, Args: args, Form: CallPipe}
	if p.kind == tDot && p.sameLine() || p.kind == tLBrack && p.sameLine() {
		p.tighter(call)
	}
	switch p.kind {
	case tPlus, tMinus, tStar, tSlash, tPercent:
		if !p.startsArm() {
			p.tighter(call)
		}
	}
	return call
}

// tighter reports an operator that binds tighter than the `|` before it, and
// so would belong to the call alone.
func (p *parser) tighter(call Expr) {
	p.failHere(CodePipe, p.found()+" binds tighter than `|`", "write `("+clip(ExprString(call))+")` before it")
}

// prefix reads an operand, with what stands before it.
func (p *parser) prefix(least precedence) Expr {
	start := p.start()
	switch p.kind {
	case tMinus:
		p.next()
		p.deeper()
		x := p.prefix(precNeg)
		p.depth--
		p.grow(0)
		return &UnaryExpr{Span: p.from(start), Op: OpNeg, X: x}
	case tBang:
		p.errHere(CodeOperator, "found `!`, expected `not`", "write `not`")
		p.next()
		p.deeper()
		x := p.prefix(precNeg)
		p.depth--
		p.grow(0)
		return &UnaryExpr{Span: p.from(start), Op: OpNot, X: x}
	case tIdent:
		switch p.word() {
		case wNot:
			return p.not(least)
		case wIf:
			return p.ifElse(least)
		}
	}
	return p.postfix(p.operand())
}

func (p *parser) not(least precedence) Expr {
	at := p.here()
	p.next()
	p.deeper()
	x := p.binary(precNot)
	p.depth--
	p.grow(0)
	n := &UnaryExpr{Span: p.from(at.Start), Op: OpNot, X: x}
	p.needsParens(n, at, least, precNot)
	return n
}

// needsParens reports a construct that binds more loosely than where it stands.
func (p *parser) needsParens(x Expr, at Span, least, prec precedence) {
	if least > prec && !p.failing {
		p.report(&Error{Span: at, Code: CodeParens, Msg: "`" + at.Text() + "` needs parentheses as an operand",
			Suggestion: "write `(" + clip(ExprString(x)) + ")`"})
	}
}

// ifElse reads `if c then a else b`.
func (p *parser) ifElse(least precedence) Expr {
	at := p.here()
	p.next()
	p.deeper()
	c := p.expr()
	height := p.height
	if p.word() != wThen {
		if p.kind == tLBrace {
			p.failHere(CodeUnexpected, "expected `then`, found `{`", "an `if` that is a value is written `if c then a else b`")
		}
		p.unexpected("`then`")
	}
	p.next()
	then := p.expr()
	height = max(height, p.height)
	e := &CondExpr{Cond: c, Then: then}
	if p.word() == wElse && p.peek(1).kind != tColon {
		p.next()
		e.Else = p.binary(precCond)
	} else {
		p.fail(&Error{Span: at, Code: CodeElse, Msg: "an `if` that is a value must have an `else`", Suggestion: "add `else null`"})
		e.Else = &BadExpr{Span: p.missing()}
	}
	p.depth--
	p.grow(height)
	e.Span = p.from(at.Start)
	p.needsParens(e, at, least, precCond)
	return e
}

// postfix reads what follows on an operand: fields, indexes, calls.
func (p *parser) postfix(x Expr) Expr {
	for {
		switch p.kind {
		case tDot:
			if p.startsArm() {
				return x
			}
			x = p.field(x)
		case tLBrack:
			if !p.sameLine() {
				return x // an index stands on the line of what it indexes
			}
			x = p.index(x)
		case tLParen:
			if p.sameLine() {
				p.failHere(CodeCall, "only a function's name can be called", "write `f(x)` or `x.f()`")
			}
			return x
		default:
			return x
		}
	}
}

// field reads `.name` or `.f(a)` behind x.
func (p *parser) field(x Expr) Expr {
	height := p.height
	dot := p.here()
	p.next()
	if p.kind != tIdent {
		suggestion := ""
		if p.kind == tString {
			suggestion = "write `[" + clip(p.text()) + "]`"
		} else if p.kind == tLBrack {
			suggestion = "leave out the dot before `[`"
		}
		p.failHere(CodeField, "expected a field's name behind the dot, found "+p.found(), suggestion)
		return &BadExpr{Span: dot}
	}
	name := p.anyIdent()
	if p.kind == tLParen && p.sameLine() {
		args := p.args(x, height)
		return &CallExpr{Span: p.from(x.Place().Start), Fun: name, Args: args, Form: CallMethod}
	}
	p.height = height
	p.grow(0)
	return p.fields.new(FieldExpr{Span: p.from(x.Place().Start), X: x, Name: name})
}

func (p *parser) index(x Expr) Expr {
	height := p.height
	open := p.start()
	l := p.enter()
	p.brackets++
	p.next()
	i := p.expr()
	p.closeBracket(tRBrack, open)
	p.brackets--
	p.leave(l)
	p.grow(height)
	return &IndexExpr{Span: p.from(x.Place().Start), X: x, Index: i}
}

// args reads the arguments of a call; the current token is the `(`. A receiver
// comes first.
func (p *parser) args(receiver Expr, height int) []Expr {
	var args []Expr
	if receiver != nil {
		args = append(args, receiver)
	}
	open := p.start()
	l := p.enter()
	p.brackets++
	p.next()
	for p.kind != tRParen && !p.failing {
		args = append(args, p.arg())
		height = max(height, p.height)
		if !p.got(tComma) {
			break
		}
	}
	p.closeList(tRParen, open)
	p.brackets--
	p.leave(l)
	p.height = height
	p.grow(0)
	return args
}

// arg reads one argument: an expression or a lambda.
func (p *parser) arg() Expr {
	switch {
	case p.kind == tIdent && p.peek(1).kind == tFatArrow:
		return p.lambda(false)
	case p.kind == tLParen && p.lambdaAhead():
		return p.lambda(true)
	case p.kind == tSpread:
		p.failHere(CodeExpression, "expected an argument, found `...`", "only arrays and objects can be spread into")
	case p.atKey():
		p.failHere(CodeKey, "arguments have no names", "leave out `"+p.text()+":`")
	}
	return p.expr()
}

// lambdaAhead reports whether a list of names in parentheses with `=>` behind
// it comes here.
func (p *parser) lambdaAhead() bool {
	i := 1
	for p.peek(i).kind == tIdent {
		i++
		if p.peek(i).kind != tComma {
			break
		}
		i++
	}
	return p.peek(i).kind == tRParen && p.peek(i+1).kind == tFatArrow
}

func (p *parser) lambda(parens bool) Expr {
	start := p.start()
	f := &LambdaExpr{}
	if parens {
		p.next()
		for p.kind == tIdent {
			f.Params = append(f.Params, p.ident("a parameter's name"))
			p.got(tComma)
		}
		p.next()
	} else {
		f.Params = []*Ident{p.ident("a parameter's name")}
	}
	p.next() // =>
	p.deeper()
	f.Body = p.expr()
	p.depth--
	p.grow(0)
	if p.kind == tFatArrow {
		p.failHere(CodeLambda, "a lambda stands only as an argument of a call", "a lambda of two parameters is written `(a, b) => …`")
	}
	f.Span = p.from(start)
	return f
}

// operand reads a literal, a name, a call, or something in brackets.
func (p *parser) operand() Expr {
	p.height = 0
	switch p.kind {
	case tIdent:
		if p.atNextStep() {
			break
		}
		return p.nameOrWord()
	case tNumber:
		return p.numberLit()
	case tString:
		return p.stringLit("a string")
	case tTemplate, tTemplateHead:
		return p.template()
	case tDot:
		return p.subject()
	case tLParen:
		return p.parens()
	case tLBrack:
		return p.array()
	case tLBrace:
		return p.object()
	}
	p.noExpression()
	return &BadExpr{Span: p.missing()}
}

// atNextStep reports whether the current token, the first of its line, starts
// a step for sure: what follows on its line can't follow on a name.
func (p *parser) atNextStep() bool {
	w := p.word()
	if p.sameLine() || !w.step() || w.reserved() {
		return false
	}
	next := p.peek(1)
	switch next.kind {
	case tString, tTemplate, tTemplateHead, tNumber:
		return !next.nl
	case tIdent:
		return !next.nl && !next.word.reserved() && !next.word.operator()
	}
	return false
}

// noExpression gives up: no expression starts here.
func (p *parser) noExpression() {
	suggestion := ""
	switch p.kind {
	case tEqEqEq, tEq, tAssign, tNe, tLt, tLe, tGt, tGe, tCoalesce, tPipe, tPlus, tStar, tSlash, tPercent, tAndAnd, tOrOr:
		if suggestion = p.habit(); suggestion == "" {
			suggestion = "an operand is missing before " + p.found()
		}
	case tSpread:
		suggestion = "`...` stands only before an entry of an array or object"
	}
	p.failHere(CodeExpression, "expected an expression, found "+p.found(), suggestion)
}

// nameOrWord reads what starts with an identifier.
func (p *parser) nameOrWord() Expr {
	at := p.here()
	switch w := p.word(); w {
	case wTrue, wFalse:
		p.next()
		return &BoolLit{Span: at, Value: w == wTrue}
	case wNull:
		p.next()
		return &NullLit{Span: at}
	case wMatch:
		return p.match()
	case wAnd, wOr, wIn, wIs, wThen, wElse:
		p.noExpression()
		return &BadExpr{Span: p.missing()}
	}
	text := p.text()
	p.next()
	if p.kind == tLParen && p.sameLine() {
		fun := p.idents.new(Ident{Span: at, Name: text})
		args := p.args(nil, 0)
		return &CallExpr{Span: p.from(at.Start), Fun: fun, Args: args}
	}
	return p.names.new(Name{Span: at, Name: text})
}

// numberLit reads a number or duration.
func (p *parser) numberLit() Expr {
	at := p.here()
	text := p.text()
	bad := p.tok().flags&flagBad != 0
	p.next()
	if bad {
		return &BadExpr{Span: at}
	}
	if strings.IndexByte(text, '_') >= 0 {
		text = strings.ReplaceAll(text, "_", "")
	}
	n := len(text)
	for n > 0 && isLetter(text[n-1]) {
		n--
	}
	return p.numbers.new(NumberLit{Span: at, Text: text[:n], Unit: text[n:]})
}

// subject reads `.` or `.field`: a name follows on the dot without a space.
func (p *parser) subject() Expr {
	dot := p.here()
	s := p.subjects.new(SubjectExpr{Span: dot})
	if next := p.peek(1); next.kind == tIdent && next.start == dot.End {
		return p.field(s)
	}
	p.next()
	return s
}

func (p *parser) parens() Expr {
	open := p.start()
	if p.lambdaAhead() && p.peek(2).kind != tRParen { // `(a) =>` may be a guard and its arrow
		p.failHere(CodeLambda, "a lambda stands only as an argument of a call", "")
		return &BadExpr{Span: p.missing()}
	}
	l := p.enter()
	p.brackets++
	p.next()
	x := p.expr()
	p.closeBracket(tRParen, open)
	p.brackets--
	p.leave(l)
	p.grow(0)
	return &ParenExpr{Span: p.from(open), X: x}
}

func (p *parser) array() Expr {
	open := p.start()
	a := &ArrayExpr{}
	height := 0
	l := p.enter()
	p.brackets++
	p.next()
	for p.kind != tRBrack && !p.failing {
		start := p.start()
		e := &ArrayElem{Spread: p.got(tSpread)}
		e.Value = p.expr()
		e.Span = p.from(start)
		a.Elems = append(a.Elems, e)
		height = max(height, p.height)
		if !p.got(tComma) {
			break
		}
	}
	p.closeList(tRBrack, open)
	p.brackets--
	p.leave(l)
	p.height = height
	p.grow(0)
	a.Span = p.from(open)
	return a
}

// object reads an object; the current token is its `{`.
func (p *parser) object() *ObjectExpr {
	open := p.start()
	o := &ObjectExpr{}
	height := 0
	l := p.enter()
	p.next()
	p.items(open, &list{what: "an entry", keyed: true, starts: p.atEntry, item: func() {
		start := p.start()
		e := p.entries.new(ObjectEntry{})
		if p.got(tSpread) {
			e.Spread = p.expr()
		} else {
			e.Key = p.key("a key")
			e.Value = p.expr()
		}
		height = max(height, p.height)
		e.Span = p.from(start)
		if !p.failing {
			o.Entries = append(o.Entries, e)
		}
	}})
	p.leave(l)
	p.height = height
	p.grow(0)
	o.Span = p.from(open)
	return o
}

// match reads a match that is a value.
func (p *parser) match() Expr {
	start := p.start()
	m := &MatchExpr{}
	height, wrong := 0, false
	p.next()
	if p.kind != tLBrace || p.matchesObject() {
		m.Subject = p.expr()
		height = p.height
	}
	open := p.start()
	l := p.enter()
	if p.expect(tLBrace) {
		p.items(open, &list{what: "an arm", starts: p.arrowOnLine, item: func() {
			start := p.start()
			a := &MatchArm{}
			a.Pattern, a.Cond, a.Where = p.armHead(m.Subject != nil, tFatArrow, &wrong)
			height = max(height, p.height)
			if wrong { // the arms may hold steps, which are no values
				p.skipToBrace()
				return
			}
			p.inArm = true
			a.Value = p.expr()
			p.inArm = false
			height = max(height, p.height)
			a.Span = p.from(start)
			if !p.failing {
				m.Arms = append(m.Arms, a)
			}
		}})
	}
	p.leave(l)
	p.height = height
	p.grow(0)
	m.Span = p.from(start)
	return m
}

// ---- templates and paths

// template reads a template; the current token is its first.
func (p *parser) template() Expr {
	at := p.start()
	t := &TemplateLit{}
	height := 0
	for {
		t.Texts = append(t.Texts, p.templateText())
		last := p.kind == tTemplate || p.kind == tTemplateTail
		p.next()
		if last {
			break
		}
		l := p.enter()
		x := p.templateExpr()
		p.leave(l)
		height = max(height, p.height)
		t.Exprs = append(t.Exprs, x)
		if p.failing {
			return &BadExpr{Span: p.from(at)}
		}
	}
	t.Span = p.from(at)
	p.height = height
	p.grow(0)
	return t
}

func (p *parser) templateText() string {
	t := p.tok()
	s := p.src[t.start+1 : t.end-1]
	if t.flags&flagEscaped != 0 {
		return unescape(s, true)
	}
	return s
}

// templateExpr reads the expression of a template, up to where its text goes
// on. An error in it ends there.
func (p *parser) templateExpr() Expr {
	start := p.start()
	if p.kind == tTemplateMid || p.kind == tTemplateTail {
		p.errHere(CodeExpression, "expected an expression, found "+p.found(), "write `{{` and `}}` for braces that are meant as such")
		return &BadExpr{Span: p.missing()}
	}
	x := p.expr()
	if p.kind == tTemplateMid || p.kind == tTemplateTail {
		return x
	}
	p.unexpected("`}`")
	if p.stopped {
		return x
	}
	p.failing, p.kind = false, p.toks[p.pos].kind
	for depth := 0; p.kind != tEOF; p.next() {
		switch p.kind {
		case tTemplateHead:
			depth++
		case tTemplateMid, tTemplateTail:
			if depth == 0 {
				return &BadExpr{Span: p.from(start)}
			}
			if p.kind == tTemplateTail {
				depth--
			}
		}
	}
	p.giveUp()
	return x
}

// path reads the path of a request: an expression, in which a string literal
// that stands alone is interpolated.
func (p *parser) path() Expr {
	t := *p.tok()
	x := p.expr()
	if s, ok := x.(*StringLit); ok && t.flags&flagBrace != 0 && t.flags&flagBad == 0 && !p.failing {
		return p.interpolate(s, t)
	}
	return x
}

// interpolate reads the expressions in a path.
func (p *parser) interpolate(s *StringLit, str token) Expr {
	faults := 0
	l := &lexer{file: p.file, src: p.src, report: func(e *Error) { p.report(e); faults++ }}
	l.lexPath(str)
	if faults > 0 {
		if p.sameLine() && p.start() == str.end {
			p.giveUp() // the quotes within the path ended it early
		}
		return &BadExpr{Span: s.Span}
	}
	toks, pos, end := p.toks, p.pos, p.end
	p.toks, p.pos, p.kind = l.toks, 0, l.toks[0].kind
	x := p.template()
	p.toks, p.pos, p.end = toks, pos, end
	if p.stopped {
		return x
	}
	p.failing, p.kind = false, toks[pos].kind
	if t, ok := x.(*TemplateLit); ok {
		t.Span, t.Quoted = s.Span, true
	}
	return x
}
