package syntax

import "strings"

// habit says what to write in place of what the current token begins, where
// that is how another language has it; "" if it is none that is known. It is
// asked for an error that has nothing else to suggest.
func (p *parser) habit() string {
	t := p.tok()
	if t.kind == tEOF {
		return ""
	}
	if t.nl || p.pos == 0 {
		return p.habitOfLine()
	}
	prev := &p.toks[p.pos-1]
	switch t.kind {
	case tIdent:
		return p.habitOfWord(prev)
	case tString, tTemplate, tTemplateHead:
		if p.textOf(prev) == "case" {
			return "an arm is written `\"a\" -> step`, without `case`"
		}
		if prev.kind == tIdent && prev.end == t.start && len(p.textOf(prev)) == 1 {
			return "a text with `{expr}` in it stands in backquotes"
		}
		if prev.kind == tString && prev.end == t.start {
			return "write the text in one pair of quotes, with `\\n` where a line ends"
		}
	case tArrow:
		if p.stepBefore().request() {
			return "a request sets `response`: write `let x = response` behind it, or `store response -> name`"
		}
		if prev.kind == tIdent && p.toks[max(p.pos-2, 0)].kind == tLParen {
			return "a lambda is written `" + clip(p.textOf(prev)) + " => …`"
		}
	case tLBrace:
		if prev.kind == tComma && p.stepBefore().request() {
			return "the options follow the path without a comma"
		}
	case tLParen:
		switch {
		case p.stepBefore() == wRun:
			return "an action takes no arguments: write `run " + clip(p.textOf(prev)) + "`"
		case p.textOf(prev) == "retry":
			return "write `retry { maxAttempts: … }`"
		}
	case tComma:
		if p.tupleBefore() {
			return "an array stands in brackets: `x in [1, 2]`"
		}
	case tSlash:
		if prev.word.request() {
			return "write the path in quotes"
		}
		if p.textOf(prev) == "matches" {
			return "write the regular expression in quotes"
		}
	case tStar:
		if prev.kind == tLBrack && p.peek(1).kind == tRBrack {
			return "leave it out: a field of an array is the array of that field"
		}
		if p.peek(1).kind == tStar {
			return "write `...` before an object whose fields are to be in this one"
		}
	case tDot:
		if next := p.peek(1); next.kind == tIdent && (prev.kind == tLBrace || prev.kind == tComma) {
			return "write `" + clip(p.textOf(next)) + ": ." + clip(p.textOf(next)) + "`"
		}
	case tColon:
		if strings.HasPrefix(p.src[t.start:], "://") {
			return "write the address in quotes"
		}
		if p.toks[max(p.pos-2, 0)].kind == tLBrack {
			return "write `slice(xs, from, to)`, or of a text `substring(s, from, to)`"
		}
		if prev.kind == tQuestion {
			return "write `??`, or `or`"
		}
	}
	return ""
}

// tupleBefore reports whether the current token is the comma of a list in
// parentheses behind `in`.
func (p *parser) tupleBefore() bool {
	for i := p.pos - 1; i > 0 && i > p.pos-8; i-- {
		if p.toks[i].kind == tLParen {
			return p.toks[i-1].word == wIn
		}
	}
	return false
}

// stepBefore gives the step whose word stands before the current token on its
// line.
func (p *parser) stepBefore() word {
	for i := p.pos; i > 0 && !p.toks[i].nl; {
		i--
		if t := &p.toks[i]; t.kind == tIdent && t.word.step() {
			return t.word
		}
	}
	return wNone
}

// request reports whether a word begins a request.
func (w word) request() bool {
	switch w {
	case wGet, wPost, wPut, wPatch, wDelete, wCall:
		return true
	}
	return false
}

// requestWords are options of requests, and what other tools call them, that
// are found behind a path without braces.
var requestWords = []string{"with", "timeout", "body", "params", "headers", "query", "json", "form", "paginate", "retry", "since", "until"}

// habitOfWord is habit for a word that does not begin its line.
func (p *parser) habitOfWord(prev *token) string {
	text := p.text()
	step := p.stepBefore()
	switch strings.ToLower(text) {
	case "like":
		return "write `contains`, `startsWith` or `endsWith`, or `matches` with a regular expression"
	case "between":
		return "write it as two comparisons: `x >= a and x <= b`"
	case "as":
		if step.request() {
			return "a request sets `response`: write `let x = response` behind it"
		}
		return "`toString(…)`, `toNumber(…)` and `toBoolean(…)` convert"
	case "extends":
		return "include the other schema: `{ ...Base, … }`"
	case "for":
		return "write `xs where cond` to choose elements, and `map(xs, …)` to build new ones"
	case "on", "key", "by":
		if step == wStore {
			return "options stand in braces: `{ key: .id }`"
		}
	}
	if lower := strings.ToLower(text); lower != text {
		switch lower {
		case "where", "and", "or", "in", "if", "then", "else", "is", "not":
			return "write `" + lower + "`: the case of letters counts"
		}
	}
	switch before := p.textOf(prev); {
	case strings.EqualFold(before, "select"):
		return "read a store by its name: `store_name where .id == 1`"
	case before == "lambda":
		return "a lambda is written `" + clip(text) + " => …`"
	case before == "case" || before == "switch":
		return "write `match x { 1 => …, _ => … }`"
	case before == "apply" && step == wApply:
		return "`apply` is a step and no value: write `apply " + clip(text) + " to … as x`"
	case prev.kind == tComma && step == wLog:
		return "the fields of a log line stand in braces: `log \"text\" { name: … }`"
	case step.request() && containsText(requestWords, text):
		return "the options of a request stand in braces: `{ timeout: 5s, params: { … } }`"
	}
	return ""
}

// habitOfLine is habit for the first token of a line.
func (p *parser) habitOfLine() string {
	if p.kind != tIdent {
		return ""
	}
	next := p.peek(1)
	switch strings.ToLower(p.text()) {
	case "select":
		return "read a store by its name: `store_name where .id == 1`"
	case "update":
		return "write `store { … } -> name { upsert: true }`"
	case "pass":
		return "leave it out: a block may be empty"
	case "end":
		return "a block ends with its `}`"
	}
	switch {
	case next.nl:
	case next.kind == tColon && p.peek(2).kind == tAssign:
		return "write `let " + clip(p.text()) + " = …`"
	case next.kind == tLParen && upper(p.text()):
		return "write `run " + clip(p.text()) + "` for an action, or `apply " + clip(p.text()) + " to …` for a transform"
	case next.kind == tDot || next.kind == tPipe:
		return "a value alone does nothing: bind it with `let x = …`, or write it to a store with `store … -> name`"
	case next.kind == tLBrack:
		return "write `store … -> " + clip(p.text()) + " { key: … }` to set a record"
	}
	return ""
}

func containsText(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// declSynonym says what to write for a word that begins a declaration in other
// languages.
func declSynonym(word string) string {
	switch strings.ToLower(word) {
	case "var", "variable", "let", "const", "input":
		return "write `param name: string = …`, or `let` within an action"
	case "env":
		return "read it where it is used: `env(\"NAME\")`"
	case "import", "include", "require", "use", "from":
		return "there are no imports: the files below a mission.reqon belong to its mission"
	case "provider", "api", "endpoint", "connection":
		return "write `source Name { base: … }`"
	case "type", "interface", "table", "model", "struct", "class", "record":
		return "write `schema Name { … }`"
	case "def", "function", "func", "fn":
		return "write `action Name { … }`, or `transform Name -> Row { … }` for what maps one record"
	case "task", "step", "steps", "job", "jobs", "stage":
		return "write `action Name { … }`"
	case "on", "catch", "finally":
		return "a failed request is taken by `match response { … }` behind it, a failed item by its loop's `onError`"
	case "database", "db", "collection":
		return "write `store name: file(\"name\")`"
	}
	return ""
}
