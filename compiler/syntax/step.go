package syntax

import (
	"slices"
	"strings"
)

// block reads `{ step … }`.
func (p *parser) block() *Block {
	open := p.start()
	b := &Block{Braces: true}
	l := p.enter()
	if p.expect(tLBrace) {
		p.items(open, &list{what: "a step", steps: true, starts: p.stepStarts, item: func() {
			start := p.start()
			s := p.step()
			if p.failing {
				s = &BadStep{Span: p.from(start)}
			}
			b.Steps = append(b.Steps, s)
		}})
	}
	p.leave(l)
	b.Span = p.from(open)
	return b
}

// stepStarts reports whether a step starts here.
func (p *parser) stepStarts() bool { return p.word().step() && p.peek(1).kind != tColon }

// step reads a step (language definition, section 6).
func (p *parser) step() Step {
	start := p.start()
	switch p.word() {
	case wGet, wPost, wPut, wPatch:
		return p.fetch()
	case wDelete:
		return p.deleteStep()
	case wCall:
		return p.call()
	case wLet:
		return p.let()
	case wFor:
		return p.forStep()
	case wMap:
		return p.mapStep()
	case wApply:
		return p.apply()
	case wValidate:
		return p.validate()
	case wStore:
		return p.storeStep()
	case wClear:
		p.next()
		s := &ClearStep{Store: p.ident("the name of the store to clear")}
		if p.kind == tLBrack && p.start() == p.end {
			p.failHere(CodeStep, "`clear` empties the whole store, found `[`", "write `delete "+s.Store.Name+"[…]` to remove one record")
		}
		s.Span = p.from(start)
		return s
	case wCheckpoint:
		p.next()
		return &CheckpointStep{Span: p.from(start)}
	case wReset:
		p.next()
		s := &ResetStep{What: p.choice("what to reset", "position")}
		s.Span = p.from(start)
		return s
	case wMatch:
		return p.matchStep()
	case wIf:
		return p.ifStep()
	case wRun:
		return p.runStep()
	case wLog:
		return p.log()
	case wWait:
		p.next()
		s := &WaitStep{Options: p.stepOptions("wait { path: \"/hook\" }", nil)}
		s.Span = p.from(start)
		return s
	case wPause:
		p.next()
		s := &PauseStep{Options: p.stepOptions("pause { duration: 5m }", p.resumeOn)}
		s.Span = p.from(start)
		return s
	case wContinue, wSkip, wAbort, wRetry, wQueue, wJump:
		return p.directive()
	}
	p.noStep()
	return &BadStep{Span: p.missing()}
}

// stepOptions reads the option block that a step must have.
func (p *parser) stepOptions(example string, value func(*Ident) Expr) *Options {
	if p.kind != tLBrace {
		p.failHere(CodeUnexpected, "expected `{` and options, found "+p.found(), "write it like `"+example+"`")
		return &Options{Span: p.missing()}
	}
	return p.options(value)
}

// noStep gives up: no step starts here.
func (p *parser) noStep() {
	switch p.kind {
	case tIdent:
	case tFatArrow:
		p.failHere(CodeLambda, "a lambda stands only as an argument of a call", "")
		return
	case tRParen, tRBrack:
		p.failHere(CodeUnmatched, "this "+p.found()+" closes nothing", "remove it")
		return
	default:
		p.failHere(CodeStep, "expected a step, found "+p.found(), "")
		return
	}
	text := p.text()
	switch {
	case elseIfWord(text) || p.word() == wElse:
		p.failHere(CodeElseIf, "`"+text+"` without an `if` before it", "it stands right behind the `}` of an `if`")
	case assigns(p.peek(1).kind, p.peek(2).kind):
		p.failHere(CodeStep, "expected a step, found `"+clip(text)+"`",
			"a name is bound once: bind the result to another with `let`, or work it out over a collection (`sum(xs, .n)`, `reduce(…)`)")
	case p.peek(1).kind == tAssign:
		p.failHere(CodeStep, "expected a step, found `"+clip(text)+"`", "write `let "+clip(text)+" = …`; a name is bound once in a block")
	case (text == "assume" || text == "warn") && !p.peek(1).nl:
		p.failHere(CodeStep, "`"+text+"` stands only within `validate`", "write `validate { "+text+" … }`")
	case p.word().declaration():
		p.failHere(CodeMisplaced, "`"+text+"` stands in the mission, not in an action", "close the action before it")
	default:
		suggestion := ""
		if text == "try" || text == "catch" {
			suggestion = "a failed request is taken by `match response { … }` behind it, a failed item by the loop's `onError`"
		} else if text == "function" || text == "func" || text == "fn" {
			suggestion = "write an `action` or a `transform` of the mission"
		} else if w := stepSynonym(text); w != "" {
			suggestion = "did you mean `" + w + "`?"
		} else if h := p.habit(); h != "" {
			suggestion = h
		} else {
			suggestion = didYouMean(text, stepWords())
		}
		p.failHere(CodeStep, "expected a step, found `"+clip(text)+"`", suggestion)
	}
}

// assigns reports whether two operators behind a name change it in other
// languages: `x += 1`, `x++`.
func assigns(first, second tokenKind) bool {
	switch first {
	case tPlus, tMinus, tStar, tSlash:
		return second == tAssign || second == first && first != tSlash && first != tStar
	}
	return false
}

// elseIfWord reports whether other languages have that word for `else if`.
func elseIfWord(s string) bool { return s == "elif" || s == "elsif" || s == "elseif" || s == "elsfi" }

// stepSynonym returns the step that other languages call by that word.
func stepSynonym(s string) string {
	switch strings.ToLower(s) {
	case "const", "var", "set", "def":
		return "let"
	case "foreach", "each", "while", "loop":
		return "for"
	case "fetch", "request", "http":
		return "get"
	case "print", "echo", "info", "debug", "error", "console":
		return "log"
	case "switch", "case", "when":
		return "match"
	case "save", "insert", "upsert", "write":
		return "store"
	case "return", "break", "exit":
		return "skip"
	case "throw", "raise", "fail", "panic":
		return "abort"
	case "sleep", "delay":
		return "pause"
	case "remove":
		return "delete"
	case "transform":
		return "apply"
	case "assert", "ensure", "require", "check":
		return "validate"
	}
	return ""
}

// ---- requests

// fetch reads a request: `get [Source] path { options }`.
func (p *parser) fetch() Step {
	start := p.start()
	s := &FetchStep{Method: strings.ToUpper(p.text())}
	word := p.text()
	p.next()
	p.requestSource(s)
	p.needPath(word)
	s.Path = p.path()
	s.Options = p.optionsIf()
	s.Span = p.from(start)
	return s
}

// requestSource reads the source of a request, if it is named, and reports a mark
// behind it that other languages have there.
func (p *parser) requestSource(s *FetchStep) {
	if p.atSource() {
		s.Source = p.anyIdent()
		return
	}
	if p.kind != tIdent || !p.sameLine() {
		return
	}
	mark, path := p.peek(1), p.peek(2)
	switch mark.kind {
	case tDot, tComma, tColon, tArrow:
	default:
		return
	}
	switch path.kind {
	case tString, tTemplate, tTemplateHead:
	default:
		return
	}
	if mark.nl || path.nl {
		return
	}
	s.Source = p.anyIdent()
	p.errHere(CodeUnexpected, "expected the path behind the source, found "+p.found(),
		"write `"+strings.ToLower(s.Method)+" "+clip(s.Source.Name)+" \"/path\"`, with nothing but a space between them")
	p.next()
}

// needPath gives up where no path follows on the line.
func (p *parser) needPath(word string) {
	if p.kind == tLBrace || p.kind == tRBrace || !p.sameLine() {
		p.failHere(CodeExpression, "expected the path of the request, found "+p.found(), "write it like `"+word+" \"/path\"`")
	}
}

// atSource reports whether the current identifier is the source of a request:
// something that can start a path follows on the same line.
func (p *parser) atSource() bool {
	if p.kind != tIdent || p.word().reserved() || !p.sameLine() {
		return false
	}
	next := p.peek(1)
	if next.nl {
		return false
	}
	spaced := next.start > p.tok().end
	switch next.kind {
	case tString, tTemplate, tTemplateHead:
		return true
	case tIdent:
		return !next.word.reserved() && !next.word.operator() && !next.word.step()
	case tDot:
		after := p.peek(2)
		return spaced && after.kind == tIdent && after.start == next.end
	case tLParen:
		return spaced
	}
	return false
}

// deleteStep reads `delete name[key]`, or a request of that method.
func (p *parser) deleteStep() Step {
	start := p.start()
	p.next()
	s := &FetchStep{Method: "DELETE"}
	if p.isText("from") && p.peek(1).kind == tIdent && !p.peek(1).nl {
		name := clip(p.textOf(p.peek(1)))
		p.failHere(CodeStep, "expected a store and a key, or a path, found `from`", "write `delete "+name+"[key]` to remove a record, or `clear "+name+"` to remove all")
	}
	p.requestSource(s)
	p.needPath("delete")
	s.Path = p.path()
	s.Options = p.optionsIf()
	s.Span = p.from(start)
	if i, ok := s.Path.(*IndexExpr); ok && s.Source == nil && s.Options == nil {
		if name, ok := i.X.(*Name); ok {
			return &DeleteStep{Span: s.Span, Store: &Ident{Span: name.Span, Name: name.Name}, Key: i.Index}
		}
	}
	return s
}

// call reads `call Source.operationId { options }`.
func (p *parser) call() Step {
	start := p.start()
	s := &FetchStep{}
	p.next()
	s.Source = p.ident("a source's name")
	if p.kind != tDot {
		p.failHere(CodeUnexpected, "expected `.` and an operation, found "+p.found(), "write `call Source.operationId`")
	}
	p.next()
	switch p.kind {
	case tIdent:
		s.Operation = p.anyIdent()
	case tString:
		s.Operation = &Ident{Span: p.here(), Name: p.stringValue(p.tok())}
		p.next()
	default:
		p.unexpected("an operation's id")
	}
	s.Options = p.optionsIf()
	s.Span = p.from(start)
	return s
}

// ---- data

func (p *parser) let() Step {
	start := p.start()
	s := &LetStep{}
	p.next()
	if p.kind == tLBrace || p.kind == tLBrack {
		p.failHere(CodeUnexpected, "expected a variable's name, found "+p.found(), "bind each by itself: `let x = value.x`, or take them apart in the pattern of a `match`")
	}
	s.Name = p.ident("a variable's name")
	switch p.kind {
	case tAssign:
		p.next()
	case tColon:
		p.failHere(CodeUnexpected, "expected `=`, found `:`", "write `let "+s.Name.Name+" = …`: variables have no declared type")
	case tEq:
		p.errHere(CodeUnexpected, "expected `=`, found `==`", "write `=`")
		p.next()
	default:
		p.expect(tAssign)
	}
	if p.atRequest() {
		p.failHere(CodeStep, "a request is a step of its own, and no value", "write `get …`, and behind it `let "+s.Name.Name+" = response`")
	}
	s.Value = p.expr()
	s.Span = p.from(start)
	return s
}

// atRequest reports whether a request stands where a value must, as in other
// languages.
func (p *parser) atRequest() bool {
	switch p.text() {
	case "await":
		return p.peek(1).kind == tIdent && !p.peek(1).nl
	case "get", "post", "put", "patch", "delete":
		next := p.peek(1)
		return !next.nl && (next.kind == tString || next.kind == tTemplate || next.kind == tTemplateHead)
	}
	return false
}

// forStep reads a loop (language definition, section 6.3).
func (p *parser) forStep() Step {
	start := p.start()
	s := &ForStep{}
	p.next()
	if p.kind == tLParen {
		suggestion := "write `for x in xs { … }` without parentheses"
		if p.withoutSemicolons() {
			suggestion = "write `for i in range(10) { … }`, or go through the elements: `for x in xs { … }`"
		}
		p.failHere(CodeUnexpected, "expected a variable's name, found `(`", suggestion)
	}
	if p.word() == wIn && p.peek(1).word != wIn {
		p.unexpected("a variable's name")
	}
	s.Var = p.ident("a variable's name")
	switch {
	case p.word() == wIn:
		p.next()
	case p.isText("of"):
		p.errHere(CodeUnexpected, "expected `in`, found `of`", "write `in`")
		p.next()
	case p.kind == tComma:
		p.failHere(CodeUnexpected, "expected `in`, found `,`", "a loop has one variable: write `for i in range(length(xs)) { … }` where the index is needed")
	default:
		p.unexpected("`in`")
	}
	s.In = p.condition()
	for p.forClause(s) {
	}
	s.Body = p.block()
	s.Span = p.from(start)
	return s
}

// withoutSemicolons reports whether semicolons follow on the line, and takes back
// what the lexer said of them: they are not what is wrong with it.
func (p *parser) withoutSemicolons() bool {
	end := int32(len(p.src))
	if n := strings.IndexByte(p.src[p.start():], '\n'); n >= 0 {
		end = p.start() + int32(n)
	}
	before := len(p.errs)
	p.errs = slices.DeleteFunc(p.errs, func(e *Error) bool {
		return e.Code == CodeCharacter && e.Start > p.start() && e.Start < end && e.Text() == ";"
	})
	return len(p.errs) < before
}

// forClause reads one of the clauses before the body, which come in any order.
func (p *parser) forClause(s *ForStep) bool {
	at := p.here()
	again := false
	switch {
	case p.word() == wWhere:
		p.next()
		again = s.Where != nil
		s.Where = p.condition()
	case p.isText("concurrency"):
		p.next()
		if p.kind == tColon {
			p.errHere(CodeUnexpected, "expected a number, found `:`", "write `concurrency N` without it")
			p.next()
		}
		again = s.Concurrency != nil
		s.Concurrency = p.condition()
	case p.isText("onError"):
		p.next()
		if p.kind == tColon {
			p.errHere(CodeUnexpected, "expected a policy, found `:`", "write `onError POLICY` without it")
			p.next()
		}
		again = s.OnError != nil
		s.OnError = p.choice("a policy", "continue", "queue", "skip", "abort")
		if s.OnError.Name == "queue" {
			s.Queue = p.ident("the store to queue in")
		}
	case p.kind == tLBrace || p.failing:
		return false
	default:
		suggestion := ""
		if p.kind == tIdent {
			suggestion = didYouMean(p.text(), []string{"where", "concurrency", "onError"})
			if p.text() == "parallel" {
				suggestion = "did you mean `concurrency`?"
			}
		} else if p.kind == tColon {
			suggestion = "write the body in braces"
		}
		p.failHere(CodeUnexpected, "expected `{`, `where`, `concurrency` or `onError`, found "+p.found(), suggestion)
		return false
	}
	if again && !p.failing {
		p.report(&Error{Span: at, Code: CodeTwice, Msg: "a loop has one `" + at.Text() + "`", Suggestion: "keep one of them"})
	}
	return true
}

// mapStep reads `map expr -> Name { … }`, or `map { … } -> Name`.
func (p *parser) mapStep() Step {
	start := p.start()
	s := &MapStep{}
	p.next()
	if p.kind == tLBrace {
		o := p.object()
		p.height = 0
		p.arrow("the name of what is built")
		s.Name = p.ident("the name of what is built")
		if p.kind != tLBrace || p.inArm && p.tok().nl {
			s.Body = o
			s.Span = p.from(start)
			return s
		}
		s.Source = o
	} else {
		s.Source = p.expr()
		p.arrow("the name of what is built")
		s.Name = p.ident("the name of what is built")
	}
	if p.kind != tLBrace {
		p.unexpected("`{` and the fields")
		return s
	}
	s.Body = p.object()
	s.Span = p.from(start)
	return s
}

// arrow consumes the `->` of a step.
func (p *parser) arrow(what string) {
	switch {
	case p.kind == tArrow:
		p.next()
	case p.kind == tFatArrow:
		p.errHere(CodeArrow, "expected `->`, found `=>`", "write `->`")
		p.next()
	case p.kind == tIdent && slices.Contains([]string{"to", "into", "as"}, p.text()):
		p.errHere(CodeArrow, "expected `->`, found "+p.found(), "write `->`")
		p.next()
	case p.kind == tMinus && p.peek(1).kind == tGt:
		p.errHere(CodeArrow, "expected `->`, found `- >`", "write `->`")
		p.next()
		p.next()
	case p.kind == tIdent && !p.tok().nl:
		p.failHere(CodeUnexpected, "expected `->` and "+what+", found "+p.found(), "write `-> "+clip(p.text())+"`")
	default:
		p.unexpected("`->` and " + what)
	}
}

func (p *parser) apply() Step {
	start := p.start()
	s := &ApplyStep{}
	p.next()
	s.Transform = p.ident("a transform's name")
	switch {
	case p.isText("to"):
		p.next()
	case p.kind == tArrow || p.isText("on") || p.isText("with") || p.kind == tColon:
		p.errHere(CodeUnexpected, "expected `to`, found "+p.found(), "write `apply "+clip(s.Transform.Name)+" to …`")
		p.next()
	case p.kind == tLParen:
		p.errHere(CodeUnexpected, "expected `to`, found `(`", "write `apply "+clip(s.Transform.Name)+" to …`")
	default:
		p.unexpected("`to`")
	}
	s.To = p.expr()
	if p.isText("as") {
		p.next()
		s.As = p.ident("a variable's name")
	}
	s.Span = p.from(start)
	return s
}

func (p *parser) validate() Step {
	start := p.start()
	s := &ValidateStep{}
	p.next()
	if p.kind != tLBrace {
		s.Target = p.expr()
	}
	open := p.start()
	l := p.enter()
	if p.expect(tLBrace) {
		p.items(open, &list{what: "a rule", keyed: true, starts: p.atRule, item: func() {
			if r := p.rule(); !p.failing {
				s.Rules = append(s.Rules, r)
			}
		}})
	}
	p.leave(l)
	if p.gotWord(wOr) {
		s.Or = p.block()
	}
	s.Span = p.from(start)
	return s
}

func (p *parser) atRule() bool { return p.isText("assume") || p.isText("warn") }

func (p *parser) rule() *Rule {
	start := p.start()
	r := &Rule{}
	if !p.atRule() {
		suggestion := ""
		if p.kind == tIdent {
			suggestion = didYouMean(p.text(), []string{"assume", "warn"})
			if stepSynonym(p.text()) == "validate" {
				suggestion = "did you mean `assume`?"
			}
		}
		if suggestion == "" {
			suggestion = "write `assume` before the condition"
		}
		p.failHere(CodeChoice, "expected `assume` or `warn`, found "+p.found(), suggestion)
		return r
	}
	r.Warn = p.text() == "warn"
	p.next()
	r.Cond = p.expr()
	if p.got(tColon) {
		r.Message = p.expr()
	} else if p.kind == tComma && p.peek(1).kind == tString || p.kind == tString && p.sameLine() {
		p.failHere(CodeUnexpected, "expected `:` and the message, found "+p.found(), "write `:` before the message")
	}
	r.Span = p.from(start)
	return r
}

// storeStep reads `store expr -> name { … }`.
func (p *parser) storeStep() Step {
	start := p.start()
	s := &StoreStep{}
	p.next()
	if p.kind == tIdent && p.peek(1).kind == tColon {
		p.next()
		p.failHere(CodeMisplaced, "expected `->` and the name of a store, found `:`", "a store is declared in the mission, not in an action")
	}
	s.Value = p.expr()
	if in, ok := s.Value.(*BinaryExpr); ok && in.Op == OpIn && p.kind != tArrow {
		p.fail(&Error{Span: in.OpSpan, Code: CodeUnexpected, Msg: "expected `->` and the name of a store, found `in`", Suggestion: "write `->`"})
	}
	p.arrow("the name of a store")
	if p.kind == tString {
		p.failHere(CodeUnexpected, "expected the name of a store, found "+p.found(), "write the name without quotes")
	}
	s.Store = p.ident("the name of a store")
	s.Options = p.optionsIf()
	s.Span = p.from(start)
	return s
}

// ---- control

func (p *parser) matchStep() Step {
	start := p.start()
	s := &MatchStep{}
	wrong := false
	p.next()
	if p.kind != tLBrace || p.matchesObject() {
		s.Subject = p.expr()
	}
	open := p.start()
	l := p.enter()
	if p.expect(tLBrace) {
		p.items(open, &list{what: "an arm", starts: p.arrowOnLine, item: func() {
			start := p.start()
			a := &StepArm{}
			a.Pattern, a.Cond, a.Where = p.armHead(s.Subject != nil, tArrow, &wrong)
			a.Body = p.armBody()
			a.Span = p.from(start)
			if !p.failing {
				s.Arms = append(s.Arms, a)
			}
		}})
	}
	p.leave(l)
	s.Span = p.from(start)
	return s
}

// matchesObject reports an object literal as the subject of a match, which needs
// parentheses: a `{` behind `match` begins the arms. It is one if a second
// block follows on the line of its end.
func (p *parser) matchesObject() bool {
	depth := 0
	for n := 0; p.peek(n).kind != tEOF; n++ {
		switch p.peek(n).kind {
		case tLBrace:
			depth++
		case tRBrace:
			depth--
		}
		if depth > 0 {
			continue
		}
		if next := p.peek(n + 1); n == 1 || next.kind != tLBrace || next.nl {
			return false
		}
		p.errHere(CodeUnexpected, "expected the arms of the match, found an object", "put the object in parentheses: `match ({ … }) { … }`")
		return true
	}
	return false
}

// armBody reads what an arm does: a block, or one step.
func (p *parser) armBody() *Block {
	if p.kind == tLBrace {
		return p.block()
	}
	p.inArm = true
	s := p.step()
	p.inArm = false
	return &Block{Span: s.Place(), Steps: []Step{s}}
}

// ifStep reads `if c { … } else if … else { … }`.
func (p *parser) ifStep() *IfStep {
	start := p.start()
	s := &IfStep{}
	p.next()
	if p.kind == tLBrace {
		p.failHere(CodeExpression, "expected a condition behind `if`, found `{`", "")
	}
	s.Cond = p.expr()
	switch {
	case p.word() == wThen && p.peek(1).kind == tLBrace:
		p.errHere(CodeUnexpected, "expected `{`, found `then`", "remove `then`")
		p.next()
	case p.word() == wThen:
		p.failHere(CodeUnexpected, "expected `{`, found `then`", "the `if` of a step is written `if c { … } else { … }`")
	case p.word() == wElse:
		p.failHere(CodeUnexpected, "expected `{`, found `else`", "a value is chosen by `if c then a else b`")
	case p.kind != tLBrace && !p.failing:
		p.failHere(CodeUnexpected, "expected `{`, found "+p.found(), "put the steps in braces")
	}
	s.Then = p.block()
	s.Else = p.elseBlock()
	s.Span = p.from(start)
	return s
}

// elseBlock reads what follows on the block of an `if`, or nil.
func (p *parser) elseBlock() *Block {
	switch {
	case p.word() == wElse:
		p.next()
		if p.word() != wIf {
			return p.block()
		}
	case p.kind == tIdent && elseIfWord(p.text()):
		p.errHere(CodeElseIf, "expected `else if`, found `"+p.text()+"`", "write `else if`")
	default:
		return nil
	}
	p.deeper()
	s := p.ifStep()
	p.depth--
	return &Block{Span: s.Span, Steps: []Step{s}}
}

func (p *parser) runStep() Step {
	start := p.start()
	s := &RunStep{}
	p.next()
	if p.kind == tLBrack {
		p.failHere(CodeUnexpected, "expected an action's name, found `[`", "actions run side by side only in the mission's `run`")
	}
	s.Action = p.ident("an action's name")
	if p.word() == wThen {
		p.failHere(CodeUnexpected, "expected the end of the step, found `then`", "in an action, write each `run` as a step of its own")
	}
	s.Span = p.from(start)
	return s
}

// log reads `log [level] message [{ fields }]`.
func (p *parser) log() Step {
	start := p.start()
	s := &LogStep{}
	p.next()
	if p.atLevel() {
		s.Level = p.choice("a level", "debug", "info", "warn", "error")
	}
	if p.kind == tLBrace || !p.sameLine() {
		p.failHere(CodeExpression, "expected a message behind `log`, found "+p.found(), "write it like `log \"synced\" { count: 3 }`")
	}
	s.Message = p.expr()
	if p.kind == tLBrace && !(p.inArm && p.tok().nl) {
		s.Fields = p.object()
	}
	s.Span = p.from(start)
	return s
}

// atLevel reports whether the current identifier is the level of a log step:
// a message follows on the same line.
func (p *parser) atLevel() bool {
	if p.kind != tIdent || p.word().reserved() || !p.sameLine() {
		return false
	}
	next := p.peek(1)
	switch next.kind {
	case tString, tTemplate, tTemplateHead:
		return !next.nl
	case tIdent, tDot, tLParen, tNumber:
		if next.nl || next.start == p.tok().end || next.word.operator() || next.word.step() {
			return false
		}
		switch p.text() {
		case "debug", "info", "warn", "error":
			return true
		}
	}
	return false
}

// resumeOn reads the value of an option of pause, where `webhook "/path"` is
// a call without parentheses.
func (p *parser) resumeOn(key *Ident) Expr {
	if key.Name == "resumeOn" && p.isText("webhook") && p.peek(1).kind == tString {
		fun := p.anyIdent()
		path := p.stringLit("the webhook's path")
		return &CallExpr{Span: p.from(fun.Start), Fun: fun, Args: []Expr{path}}
	}
	return p.expr()
}

// directive reads a directive (language definition, section 6.2).
func (p *parser) directive() Step {
	start := p.start()
	s := &DirectiveStep{}
	w := p.word()
	p.next()
	switch w {
	case wContinue:
		s.Kind = DirContinue
	case wSkip:
		s.Kind = DirSkip
	case wAbort:
		s.Kind = DirAbort
		if p.atMessage() {
			s.Message = p.expr()
		}
	case wRetry:
		s.Kind = DirRetry
		if p.kind == tNumber && p.sameLine() {
			p.failHere(CodeUnexpected, "expected `{`, found "+p.found(), "write `retry { maxAttempts: "+p.text()+" }`")
		}
		s.Options = p.optionsIf()
	case wQueue:
		s.Kind = DirQueue
		s.Target = p.ident("the store to queue in")
		s.Options = p.optionsIf()
	case wJump:
		s.Kind = DirJump
		s.Target = p.ident("the action to jump to")
		if p.gotWord(wThen) {
			s.Then = p.choice("what follows", "retry", "continue")
		}
	}
	s.Span = p.from(start)
	return s
}

// atMessage reports whether a message follows on the line of `abort`.
func (p *parser) atMessage() bool {
	if !p.sameLine() {
		return false
	}
	switch p.kind {
	case tRBrace, tComma, tEOF:
		return false
	}
	return true
}
