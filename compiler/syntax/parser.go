package syntax

import (
	"math"
	"slices"
	"strings"
)

const (
	maxDepth  = 500 // levels of nesting (language definition, section 1)
	maxErrors = 50  // that are reported of one file
)

// Parse reads a file. The tree is never nil; where there are errors it holds
// what could be read, with a *BadExpr or *BadStep in places. Errors come in
// the order of their places, 50 at most.
func Parse(f *File) (*SourceTree, []*Error) {
	p := newParser(f)
	tree := p.sourceFile()
	return tree, p.finish()
}

// ParseExpr reads a file that holds one expression.
func ParseExpr(f *File) (Expr, []*Error) {
	p := newParser(f)
	x := p.expr()
	if p.kind != tEOF {
		p.unexpected("the end of the expression")
	}
	return x, p.finish()
}

// parser reads tokens by recursive descent. It has one way to give up: fail
// reports an error and from then on every token reads as the end of the file,
// so that all loops end and all callers return, silently, up to the innermost
// list of items. That one finds the next item and goes on (see recover).
type parser struct {
	file *File
	src  string
	toks []token
	pos  int
	kind tokenKind // of the current token; tEOF while failing
	end  int32     // where the last consumed token ended

	errs     []*Error
	misread  int32 // from here on the text was taken for that of a template, which is not closed
	comments []Comment
	braces   *imbalance // see balance; nil until it is asked for
	eofQuiet bool       // the lexer reported why the file ends too early
	failing  bool
	stopped  bool // nothing more is read after a fatal error
	failed   int  // brackets that were open where it failed

	depth    int  // levels of nesting around the current token
	height   int  // levels of nesting in the expression read last
	brackets int  // open ( and [, which recovery has to get out of
	inArm    bool // directly in the value of a match arm: see startsArm
	idents   slab[Ident]
	names    slab[Name]
	fields   slab[FieldExpr]
	subjects slab[SubjectExpr]
	entries  slab[ObjectEntry]
	strs     slab[StringLit]
	numbers  slab[NumberLit]
	opened   bool // a `{` too many was reported: the one that is left open follows from it
	closed   bool // a `}` too many was reported: those that are left over follow from it
}

func newParser(f *File) *parser {
	p := &parser{file: f, misread: math.MaxInt32}
	if len(f.Src) > maxFileSize {
		p.errs = append(p.errs, &Error{Span: Span{File: f}, Code: CodeTooLarge, Msg: "the file is larger than 1 GiB"})
		p.toks = []token{{kind: tEOF}}
		p.stopped, p.failing = true, true
		return p
	}
	p.src = string(f.Src)
	l := &lexer{
		file: f, src: p.src, end: len(p.src), misread: p.misread,
		toks: make([]token, 0, len(p.src)/4+16),
		report: func(e *Error) {
			// The one that makes others follow is kept whatever their number.
			if len(p.errs) <= maxErrors || e.Code == CodeTemplateOpen {
				p.errs = append(p.errs, e)
			}
		},
	}
	l.lex()
	p.toks, p.comments, p.eofQuiet, p.misread = l.toks, l.comments, l.eofQuiet, l.misread
	p.kind = p.toks[0].kind
	return p
}

// finish puts the errors in order, and leaves out those above the limit and
// those that a template without end set off.
func (p *parser) finish() []*Error {
	if p.misread < math.MaxInt32 {
		p.errs = p.errsOfMisread()
	}
	slices.SortStableFunc(p.errs, func(a, b *Error) int { return int(a.Start - b.Start) })
	if len(p.errs) > 1 {
		p.errs = p.withoutCascade(p.errs)
	}
	if len(p.errs) > maxErrors {
		last := p.errs[maxErrors-1]
		p.errs = append(p.errs[:maxErrors-1:maxErrors-1], &Error{Span: last.Span, Code: CodeTooMany,
			Msg: "there are more errors from here on; mend those above first"})
	}
	return p.errs
}

// errsOfMisread returns what is worth saying of a file with a template that is
// not closed: that, and the first error before it, where a backquote may be
// missing or too many.
func (p *parser) errsOfMisread() []*Error {
	var first, template *Error
	for _, e := range p.errs {
		switch {
		case e.Code == CodeTemplateOpen && e.Start == p.misread:
			template = e
		case e.Start < p.misread && (first == nil || e.Start < first.Start):
			first = e
		}
	}
	return slices.DeleteFunc([]*Error{first, template}, func(e *Error) bool { return e == nil })
}

// ---- tokens

func (p *parser) tok() *token { return &p.toks[p.pos] }

// peek returns the token n places on; the last one is the end of the file.
func (p *parser) peek(n int) *token {
	if p.failing {
		return &p.toks[len(p.toks)-1]
	}
	return &p.toks[min(p.pos+n, len(p.toks)-1)]
}

func (p *parser) next() {
	if p.failing {
		return
	}
	p.end = p.toks[p.pos].end
	if p.pos+1 < len(p.toks) {
		p.pos++
	}
	p.kind = p.toks[p.pos].kind
}

// word returns which word the current token may be.
func (p *parser) word() word {
	if p.failing {
		return wNone
	}
	return p.toks[p.pos].word
}

// isText reports whether the current token is an identifier of that text.
func (p *parser) isText(s string) bool { return p.kind == tIdent && p.text() == s }

func (p *parser) text() string {
	t := p.tok()
	return p.src[t.start:t.end]
}

func (p *parser) textOf(t *token) string { return p.src[t.start:t.end] }

func (p *parser) got(kind tokenKind) bool {
	if p.kind != kind {
		return false
	}
	p.next()
	return true
}

func (p *parser) gotWord(w word) bool {
	if p.word() != w {
		return false
	}
	p.next()
	return true
}

// sameLine reports whether the current token goes on with the line of the one
// before.
func (p *parser) sameLine() bool { return !p.failing && !p.toks[p.pos].nl }

// start returns where the current token begins.
func (p *parser) start() int32 { return p.toks[p.pos].start }

// from returns the span from start to the last consumed token.
func (p *parser) from(start int32) Span {
	return Span{File: p.file, Start: start, End: max(start, p.end)}
}

func (p *parser) spanOf(t *token) Span { return Span{File: p.file, Start: t.start, End: t.end} }

// here returns the span of the current token.
func (p *parser) here() Span { return p.spanOf(p.tok()) }

// ---- errors

// report adds an error and goes on reading. Of several about one place the
// first is kept: the others follow from it.
func (p *parser) report(e *Error) {
	if p.failing || e.Start == p.toks[len(p.toks)-1].start && p.eofQuiet {
		return
	}
	if n := len(p.errs); n > 0 && p.errs[n-1].Start == e.Start {
		return
	}
	p.errs = append(p.errs, e)
	if len(p.errs) > maxErrors {
		p.stop()
	}
}

// fail reports an error and gives up on the construct that is being read.
func (p *parser) fail(e *Error) {
	if p.failing || p.sqlComment() {
		return
	}
	if t := p.tok(); t.kind != tBad && t.flags&flagBad == 0 { // else the lexer has reported it
		if e.Suggestion == "" && e.Start == t.start {
			e.Suggestion = p.habit()
		}
		p.report(e)
	}
	p.giveUp()
}

// sqlComment gives up on a line that can't be read if it has a comment of SQL,
// which is all that is wrong with it. Two dashes alone are no mistake: they are
// a minus and a sign.
func (p *parser) sqlComment() bool {
	i := p.pos
	if p.toks[i].nl && i > 0 && p.toks[i-1].kind == tMinus {
		i-- // dashes with nothing behind them
	}
	for ; ; i-- {
		t := &p.toks[i]
		if t.kind == tMinus && i+1 < len(p.toks) && p.toks[i+1].kind == tMinus && p.toks[i+1].start == t.end && p.spaceAt(p.toks[i+1].end) {
			break
		}
		if t.nl || i == 0 {
			return false
		}
	}
	dashes := Span{File: p.file, Start: p.toks[i].start, End: p.toks[i+1].end}
	end := int32(len(p.src))
	if n := strings.IndexByte(p.src[dashes.End:], '\n'); n >= 0 {
		end = dashes.End + int32(n)
	}
	// What the lexer found within the comment follows from it.
	p.errs = slices.DeleteFunc(p.errs, func(e *Error) bool { return e.Start > dashes.Start && e.Start < end })
	p.report(&Error{Span: dashes, Code: CodeCharacter, Msg: "unexpected `--`", Suggestion: "a comment starts with `//`"})
	opened := 0
	for j := i; j < p.pos; j++ {
		switch p.toks[j].kind {
		case tLParen, tLBrack:
			opened++
		case tRParen, tRBrack:
			opened--
		}
	}
	p.giveUp()
	p.failed -= max(opened, 0)
	for ; i+1 < len(p.toks) && p.toks[i].start < end; i++ {
		p.toks[i].kind = tBad // no brace of it counts
	}
	p.pos, p.braces = max(p.pos, i), nil
	return true
}

// spaceAt reports whether a space or the end of the line stands there.
func (p *parser) spaceAt(at int32) bool {
	return int(at) >= len(p.src) || strings.IndexByte(" \t\r\n", p.src[at]) >= 0
}

// giveUp gives up without an error of its own.
func (p *parser) giveUp() {
	if !p.failing {
		p.failing, p.failed, p.kind = true, p.brackets, tEOF
	}
}

// stop ends the reading of the file.
func (p *parser) stop() {
	p.stopped, p.failing, p.kind = true, true, tEOF
}

func (p *parser) errHere(code, msg, suggestion string) {
	p.report(&Error{Span: p.here(), Code: code, Msg: msg, Suggestion: suggestion})
}

func (p *parser) failHere(code, msg, suggestion string, notes ...Note) {
	p.fail(&Error{Span: p.here(), Code: code, Msg: msg, Suggestion: suggestion, Notes: notes})
}

// unexpected gives up: something else was expected here.
func (p *parser) unexpected(what string) {
	p.failHere(CodeUnexpected, "expected "+what+", found "+p.found(), "")
}

// found describes the current token.
func (p *parser) found() string {
	if p.failing {
		return ""
	}
	return p.describe(p.tok())
}

func (p *parser) describe(t *token) string {
	switch t.kind {
	case tEOF:
		return "the end of the file"
	case tString:
		if t.flags&flagRaw != 0 {
			return "a raw text"
		}
		return "the string " + clip(p.textOf(t))
	case tNumber:
		return "the number `" + clip(p.textOf(t)) + "`"
	case tTemplate, tTemplateHead:
		return "a template"
	case tTemplateMid, tTemplateTail:
		return "`}`"
	}
	return "`" + clip(p.textOf(t)) + "`"
}

// expect consumes a mark or gives up.
func (p *parser) expect(kind tokenKind) bool {
	if p.kind == kind {
		p.next()
		return true
	}
	p.unexpected("`" + tokenText[kind] + "`")
	return false
}

// ---- nesting

// enter goes one level of nesting down. It returns what leave has to restore.
func (p *parser) enter() (inArm bool) {
	inArm = p.inArm
	p.inArm = false
	p.deeper()
	return inArm
}

func (p *parser) leave(inArm bool) {
	p.depth--
	p.inArm = inArm
}

// deeper counts a level of nesting that has no brackets of its own.
func (p *parser) deeper() {
	p.depth++
	if p.depth > maxDepth {
		p.tooDeep(p.here())
	}
}

// grow counts a node around two expressions, the one read last and one of
// height other.
func (p *parser) grow(other int) {
	p.height = max(p.height, other) + 1
	if p.depth+p.height > maxDepth {
		p.tooDeep(p.here())
	}
}

func (p *parser) tooDeep(at Span) {
	p.report(&Error{Span: at, Code: CodeTooDeep, Msg: "nested deeper than 500 levels",
		Suggestion: "give parts of it names with `let`, or move them to an action of their own"})
	p.stop()
}

// ---- lists of items

// list says how the items of a list in braces look.
type list struct {
	what   string      // one item, for messages
	item   func()      // reads one
	starts func() bool // whether one starts at the current token, which is the first of its line
	keyed  bool        // items are `key: value`: a step or declaration can't be one
	login  bool        // a request may be an item all the same
	steps  bool        // a block of steps or a mission: items need no separator
	body   bool        // a mission: declarations are its items
}

// items reads the items of a list up to and with its `}`. The `{` is consumed.
func (p *parser) items(open int32, l *list) {
	for {
		switch {
		case p.got(tRBrace):
			return
		case p.failing:
			return
		case p.kind == tEOF:
			p.unclosed(open)
			return
		case p.tok().nl && p.startsOuter(l):
			p.unclosed(open)
			return
		}
		start := p.pos
		l.item()
		if p.pos == start {
			p.unexpected(l.what) // an item must not stand still
		}
		switch {
		case p.failing:
			if !p.recover(start, l) {
				return
			}
		case p.got(tComma):
		case p.kind == tRBrace || p.kind == tEOF || p.tok().nl || l.steps:
		case (p.kind == tRParen || p.kind == tRBrack) && p.brackets > 0, p.kind == tArrow && l.keyed:
			p.unclosed(open)
			return // it belongs to what is around the list
		default:
			p.missingSeparator(l)
			if p.failing && !p.recover(start, l) {
				return
			}
		}
	}
}

// missingSeparator reports that an item goes on with what can't belong to it.
func (p *parser) missingSeparator(l *list) {
	if strings.Contains(p.src[min(p.end, p.start()):p.start()], ";") {
		return // which the lexer reported
	}
	switch p.kind {
	case tRParen, tRBrack:
		p.failHere(CodeUnmatched, "this "+p.found()+" closes nothing", "remove it")
		return
	case tFatArrow:
		if !l.keyed {
			break
		}
		p.failHere(CodeLambda, "a lambda stands only as an argument of a call", "")
		return
	}
	if l.starts() {
		p.errHere(CodeSeparator, "expected `,` or a new line before "+p.found(), "put a comma between the items")
		return
	}
	suggestion := p.unitMeant()
	if p.kind == tColon && strings.HasPrefix(p.src[p.start():], "://") {
		suggestion = "write the address in quotes"
	}
	p.failHere(CodeSeparator, "expected `,`, a new line or `}`, found "+p.found(), suggestion)
}

// startsOuter reports whether the current token, the first of its line, starts
// something that can only stand outside of the list, whose `}` is missing then.
func (p *parser) startsOuter(l *list) bool {
	w := p.word()
	if w == wNone {
		return false
	}
	after := p.peek(1)
	if l.body {
		return w == wMission && after.kind == tIdent && p.peek(2).kind == tLBrace
	}
	if w.declaration() {
		return w == wSchedule && after.kind == tColon && !l.keyed ||
			w != wSchedule && after.kind == tIdent && !after.nl && !after.word.operator()
	}
	if !l.keyed || !w.step() || l.login && w.method() {
		return false
	}
	switch after.kind {
	case tColon, tComma, tRBrace, tAssign, tLBrace:
		return false // a key, perhaps one without its colon
	}
	return true
}

// recover skips to where the next item of a list may start, and reports
// whether the list goes on.
func (p *parser) recover(start int, l *list) bool {
	if p.stopped {
		return false
	}
	open := p.failed - p.brackets
	p.failing = false
	p.kind = p.toks[p.pos].kind
	for ; ; p.next() {
		moved := p.pos > start
		switch p.kind {
		case tEOF:
			return true
		case tRBrace:
			if next := p.peek(1); !l.steps || p.tok().nl || next.kind != tArrow || next.nl {
				return true
			} // else one too many: the step goes on behind it
		case tComma:
			if open == 0 && moved {
				if p.next(); l.starts() || p.kind == tRBrace {
					return true
				}
			}
		case tLParen, tLBrack:
			open++
		case tRParen, tRBrack:
			open = max(0, open-1)
		case tLBrace:
			if !moved && p.sameLine() && p.peek(1).nl {
				p.opened = true // one too many: what follows may be items
				break
			}
			p.skipBraces()
			if p.kind == tEOF {
				return true
			}
		}
		if p.tok().nl {
			if p.startsOuter(l) {
				return false
			}
			if moved && (l.starts() || open == 0 && l.steps && p.atUnknownStep()) {
				return true
			}
		}
	}
}

// atUnknownStep reports whether a line of a block starts with a word that may
// be a misspelt step.
func (p *parser) atUnknownStep() bool {
	return p.kind == tIdent && p.word() == wNone && p.peek(1).kind != tColon
}

// skipBraces goes from a `{` to its `}`, without consuming that.
func (p *parser) skipBraces() {
	for depth := 0; p.kind != tEOF; p.next() {
		switch p.kind {
		case tLBrace:
			depth++
		case tRBrace:
			if depth--; depth == 0 {
				return
			}
		}
	}
}

// skipToBrace goes to the `}` that ends the current list, without consuming it.
func (p *parser) skipToBrace() {
	for p.kind != tEOF && p.kind != tRBrace {
		if p.kind == tLBrace {
			p.skipBraces()
		}
		p.next()
	}
}

// unclosed reports that the `{` at open has no `}`: the current token can't
// follow.
func (p *parser) unclosed(open int32) {
	if p.opened && p.kind == tEOF {
		return
	}
	at := p.suspect(open)
	p.report(&Error{Span: p.here(), Code: CodeUnclosed, Msg: "expected `}`, found " + p.found(),
		Suggestion: "close the `{` of line " + itoa(p.file.Position(at).Line),
		Notes:      []Note{{Span: Span{File: p.file, Start: at, End: at + 1}, Msg: "the `{` that is not closed is here"}}})
}

// suspect returns the `{` that most likely lacks its `}` when the one at open
// is found without.
func (p *parser) suspect(open int32) int32 {
	if b := p.balance(); b.found && b.opener && b.at > open {
		return b.at
	}
	return open
}

// closeBracket consumes the `)` or `]` of the bracket at open, or gives up.
func (p *parser) closeBracket(kind tokenKind, open int32) {
	if p.kind == kind {
		p.next()
		return
	}
	p.unclosedBracket(open, "`"+tokenText[kind]+"`", "")
}

// closeList is closeBracket for a bracket with items between commas.
func (p *parser) closeList(kind tokenKind, open int32) {
	if p.kind == kind {
		p.next()
		return
	}
	suggestion := ""
	switch p.kind {
	case tIdent, tNumber, tString, tTemplate, tTemplateHead, tLBrace, tLBrack, tLParen, tDot, tSpread:
		if suggestion = p.habit(); suggestion == "" && p.sameLine() {
			suggestion = "put a comma between the items"
		}
	}
	p.unclosedBracket(open, "`,` or `"+tokenText[kind]+"`", suggestion)
}

func (p *parser) unclosedBracket(open int32, expected, suggestion string) {
	p.failHere(CodeUnclosed, "expected "+expected+", found "+p.found(), suggestion,
		Note{Span: Span{File: p.file, Start: open, End: open + 1}, Msg: "the `" + p.src[open:open+1] + "` that is not closed is here"})
}

// ---- names and keys

// ident reads a name that is declared or used, which can't be a reserved word.
func (p *parser) ident(what string) *Ident {
	if p.kind != tIdent || p.tok().nl && (p.word().step() || p.word().declaration()) {
		if p.kind == tString {
			p.failHere(CodeUnexpected, "expected "+what+", found "+p.found(), "write the name without quotes")
		} else {
			p.unexpected(what)
		}
		return &Ident{Span: p.missing()}
	}
	if p.word().reserved() {
		p.errHere(CodeReserved, "`"+p.text()+"` is a reserved word and can't be "+what, "choose another name, such as `"+p.text()+"_`")
	}
	id := p.anyIdent()
	p.undash(id)
	return id
}

// anyIdent reads the current identifier, whatever it is.
func (p *parser) anyIdent() *Ident {
	id := p.idents.new(Ident{Span: p.here(), Name: p.text()})
	p.next()
	return id
}

// dashed returns the word that starts there and goes on with dashes, such as
// `my-orders`, or "" if the current token is no dash of one.
func (p *parser) dashed(start int32) string {
	if p.kind != tMinus || p.start() != p.end || p.peek(1).start != p.tok().end {
		return ""
	}
	end := int(start)
	for end < len(p.src) && (p.src[end] == '-' || p.src[end] == '_' || isLetter(p.src[end]) || isDigit(p.src[end])) {
		end++
	}
	return strings.TrimRight(p.src[start:end], "-")
}

// undash reports a name with dashes in it, which other tools allow, and goes on
// behind it.
func (p *parser) undash(id *Ident) {
	word := p.dashed(id.Start)
	if word == "" {
		return
	}
	name := strings.ReplaceAll(word, "-", "_")
	p.errHere(CodeUnexpected, "a name can't hold `-`", "write `"+clip(name)+"`")
	for !p.failing && p.kind != tEOF && int(p.start()) < int(id.Start)+len(word) {
		p.next()
	}
	id.Name, id.End = name, p.end
}

// unitMeant returns what to write for a number with a unit as a word behind it,
// such as `30 minutes`.
func (p *parser) unitMeant() string {
	if p.kind != tIdent || p.pos == 0 || p.toks[p.pos-1].kind != tNumber {
		return ""
	}
	unit := map[string]string{
		"milliseconds": "ms", "millis": "ms", "second": "s", "seconds": "s", "sec": "s", "secs": "s", "minute": "m", "minutes": "m",
		"min": "m", "mins": "m", "hour": "h", "hours": "h", "day": "d", "days": "d", "week": "w", "weeks": "w",
		"ms": "ms", "s": "s", "m": "m", "h": "h", "d": "d", "w": "w",
	}[strings.ToLower(p.text())]
	if unit == "" {
		return ""
	}
	return "write `" + p.textOf(&p.toks[p.pos-1]) + unit + "`"
}

// missing returns the empty span where something is missing.
func (p *parser) missing() Span {
	at := p.start()
	return Span{File: p.file, Start: at, End: at}
}

// atKey reports whether a `key:` stands here.
func (p *parser) atKey() bool {
	return (p.kind == tIdent || p.kind == tString) && p.peek(1).kind == tColon
}

// atEntry reports whether a `key:` or `...` stands here.
func (p *parser) atEntry() bool { return p.kind == tSpread || p.atKey() }

// key reads a key and the colon behind it.
func (p *parser) key(what string) *Ident {
	var id *Ident
	switch p.kind {
	case tIdent:
		id = p.anyIdent()
	case tString:
		id = &Ident{Span: p.here(), Name: p.stringValue(p.tok())}
		p.next()
	case tNumber:
		p.failHere(CodeKey, "expected "+what+", found "+p.found(), "write the key in quotes: `\""+p.text()+"\"`")
	case tLBrack:
		p.failHere(CodeKey, "expected "+what+", found `[`", "keys are names or strings; build others with `fromEntries`")
	default:
		p.failHere(CodeKey, "expected "+what+", found "+p.found(), "")
	}
	if id == nil {
		return &Ident{Span: p.missing()}
	}
	switch p.kind {
	case tColon:
		p.next()
	case tAssign, tFatArrow, tArrow:
		p.errHere(CodeArrow, "expected `:` behind the key, found "+p.found(), "write `"+keyText(id.Name)+": …`")
		p.next()
	case tComma, tRBrace:
		p.fail(&Error{Span: id.Span, Code: CodeKey, Msg: "the key `" + clip(id.Name) + "` has no value",
			Suggestion: "write `" + keyText(id.Name) + ": …`"})
	default:
		suggestion := "write `" + keyText(id.Name) + ": …`"
		if word := p.dashed(id.Start); word != "" {
			suggestion = "write the key in quotes: `\"" + clip(word) + "\": …`"
		}
		p.failHere(CodeKey, "expected `:` behind the key `"+clip(id.Name)+"`, found "+p.found(), suggestion)
	}
	return id
}

// stringValue returns the text of a string token.
func (p *parser) stringValue(t *token) string {
	if t.flags&flagRaw != 0 {
		return rawText(p.src[int(t.start)+len(rawQuotes) : int(t.end)-len(rawQuotes)])
	}
	s := p.src[t.start+1 : t.end-1]
	if t.flags&flagEscaped != 0 {
		return unescape(s, false)
	}
	return s
}

// stringLit reads a plain string.
func (p *parser) stringLit(what string) *StringLit {
	if p.kind != tString {
		p.unexpected(what)
		return &StringLit{Span: p.missing()}
	}
	s := p.strs.new(StringLit{Span: p.here(), Value: p.stringValue(p.tok()), Raw: p.tok().flags&flagRaw != 0})
	p.next()
	return s
}

// options reads an option block; the current token is its `{`.
func (p *parser) options(value func(key *Ident) Expr) *Options {
	start := p.start()
	l := p.enter()
	p.next()
	o := &Options{}
	p.items(start, &list{what: "an option", keyed: true, starts: p.atKey, item: func() {
		p.optionInto(o, value)
	}})
	p.leave(l)
	o.Span = p.from(start)
	return o
}

// optionInto reads one option of a block.
func (p *parser) optionInto(o *Options, value func(key *Ident) Expr) {
	if p.kind == tSpread {
		p.failHere(CodeKey, "expected an option, found `...`", "options can't be spread; write them out")
		return
	}
	if e := p.option(value); !p.failing {
		o.Entries = append(o.Entries, e)
	}
}

// option reads one `key: value`.
func (p *parser) option(value func(key *Ident) Expr) *Option {
	start := p.start()
	o := &Option{Key: p.key("an option")}
	if value != nil {
		o.Value = value(o.Key)
	} else {
		o.Value = p.expr()
	}
	if o.Key != nil && o.Key.Name == "since" && p.kind == tLBrace && p.sameLine() {
		o.Block = p.options(nil)
	}
	o.Span = p.from(start)
	return o
}

// optionsIf reads an option block if one is here. In an arm its `{` stands on
// the same line: one on the next starts a pattern.
func (p *parser) optionsIf() *Options {
	if p.kind != tLBrace || p.inArm && p.tok().nl {
		return nil
	}
	return p.options(nil)
}

// startsArm reports whether the current token, which could go on with the
// value of a match arm, starts the next arm instead: it is the first of its
// line, and an arrow comes on that line.
func (p *parser) startsArm() bool {
	if !p.inArm || p.failing || !p.tok().nl {
		return false
	}
	return p.arrowOnLine()
}

// arrowOnLine reports whether an arrow outside of brackets comes on the line
// that the current token starts.
func (p *parser) arrowOnLine() bool {
	depth := 0
	for i := p.pos; i < len(p.toks); i++ {
		t := &p.toks[i]
		if i > p.pos && t.nl {
			return false
		}
		switch t.kind {
		case tLParen, tLBrack, tLBrace, tTemplateHead:
			depth++
		case tRParen, tRBrack, tRBrace, tTemplateTail:
			if depth--; depth < 0 {
				return false
			}
		case tArrow, tFatArrow:
			if depth == 0 {
				return true
			}
		case tComma:
			if depth == 0 {
				return false
			}
		case tEOF:
			return false
		}
	}
	return false
}

// choice reads one of a few words.
func (p *parser) choice(what string, words ...string) *Ident {
	if p.kind != tIdent {
		p.failHere(CodeChoice, "expected "+what+" ("+strings.Join(words, ", ")+"), found "+p.found(), "")
		return &Ident{Span: p.missing()}
	}
	if !slices.Contains(words, p.text()) {
		p.errHere(CodeChoice, "expected "+what+" ("+strings.Join(words, ", ")+"), found "+p.found(), didYouMean(p.text(), words))
	}
	return p.anyIdent()
}
