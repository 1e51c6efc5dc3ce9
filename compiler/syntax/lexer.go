package syntax

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFileSize is the largest source that is read: offsets are 32 bits, and
// need room for arithmetic.
const maxFileSize = 1 << 30

// maxTokens is how many tokens a file may have: in 16 MiB of what people write
// there are fewer, and each takes many times its length in the tree.
const maxTokens = 3 << 20

// lexer cuts a stretch of a file into tokens (language definition, section 2).
// It knows no keywords; it follows braces only within templates, to see where
// their text goes on.
type lexer struct {
	file *File
	src  string // the whole file
	pos  int
	end  int // where the stretch ends
	nl   bool

	toks      []token
	comments  []Comment
	templates []openTemplate
	report    func(*Error)

	muted    bool  // the text was checked before: report nothing about it
	eofQuiet bool  // the end was reached for want of a closing mark
	misread  int32 // where a template starts that is not closed

	noClosing int // up to here no typographic quote closes on the line
}

// openTemplate is a template whose `{expr}` is being read.
type openTemplate struct {
	quote byte
	start int // of the template
	brace int // of the `{`
	depth int // braces open within the expression
}

// lex cuts a whole file into tokens. The last one is a tEOF.
func (l *lexer) lex() {
	l.checkEncoding()
	l.nl = true
	l.run()
	if n := len(l.templates); n > 0 {
		l.templateNotClosed(l.templates[0])
		l.emit(tBad, l.end)
	}
	end := 0
	if n := len(l.toks); n > 0 {
		end = int(l.toks[n-1].end)
	}
	l.toks = append(l.toks, token{start: int32(end), end: int32(end), kind: tEOF, nl: true})
}

// lexPath cuts a string literal that is a path into the tokens of a template.
// The text was checked when the string was read.
func (l *lexer) lexPath(str token) {
	l.pos, l.end = int(str.start), int(str.end)
	l.template(l.src[l.pos], l.pos, l.pos, true)
	if len(l.templates) > 0 { // else it was all text
		l.end-- // an expression can't reach into the closing quote
		l.run()
		if len(l.templates) > 0 {
			l.templateNotClosed(l.templates[0])
			l.emit(tBad, l.pos)
		}
	}
	l.toks = append(l.toks, token{start: str.end, end: str.end, kind: tEOF})
}

func pathBraceHint(quote byte) string {
	other := "'"
	if quote == '\'' {
		other = `"`
	}
	return "write `{{` for a brace that is meant as such; a string within `{ }` takes the other quotes, " + other
}

// run reads tokens up to the end of the stretch.
func (l *lexer) run() {
	for l.pos < l.end {
		if len(l.toks) >= maxTokens {
			l.err(CodeTooLarge, l.pos, l.pos+1, "the file has more than 3145728 words and marks, the most that one can have", "divide it into several files")
			l.pos, l.templates, l.eofQuiet = l.end, nil, true
			return
		}
		c := l.src[l.pos]
		switch {
		case c == '\n':
			l.nl = true
			l.pos++
		case c == ' ' || c == '\t' || c == '\r':
			l.pos++
		case isLetter(c):
			l.ident()
		case isDigit(c):
			l.number()
		case c == '"' && strings.HasPrefix(l.src[l.pos:l.end], rawQuotes):
			l.raw()
		case c == '"' || c == '\'':
			l.str(c)
		case c == '`':
			start := l.pos
			l.template('`', start, start, false)
		case c == '}' && len(l.templates) > 0 && l.templates[len(l.templates)-1].depth == 0:
			n := len(l.templates) - 1
			t := l.templates[n]
			l.templates = l.templates[:n]
			if t.quote != '`' {
				l.end++ // the text may reach to its closing quote again
			}
			l.template(t.quote, t.start, l.pos, t.quote != '`')
			if t.quote != '`' && len(l.templates) > n {
				l.end--
			}
		default:
			l.symbol(c)
		}
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func (l *lexer) at(i int) byte {
	if i < l.end {
		return l.src[i]
	}
	return 0
}

// emit adds a token from start to the current position.
func (l *lexer) emit(kind tokenKind, start int) {
	l.toks = append(l.toks, token{start: int32(start), end: int32(l.pos), kind: kind, nl: l.nl})
	l.nl = false
}

func (l *lexer) emitFlags(kind tokenKind, start int, flags tokenFlags) {
	l.emit(kind, start)
	l.toks[len(l.toks)-1].flags = flags
}

func (l *lexer) span(start, end int) Span {
	return Span{File: l.file, Start: int32(start), End: int32(end)}
}

func (l *lexer) err(code string, start, end int, msg, suggestion string, notes ...Note) {
	if l.muted {
		return
	}
	l.report(&Error{Span: l.span(start, end), Code: code, Msg: msg, Suggestion: suggestion, Notes: notes})
}

// checkEncoding reports bytes that are not UTF-8, and NULs, once for each
// stretch of them and ten times at most.
func (l *lexer) checkEncoding() {
	if utf8.ValidString(l.src) && strings.IndexByte(l.src, 0) < 0 {
		return
	}
	if strings.HasPrefix(l.src, "\xff\xfe") || strings.HasPrefix(l.src, "\xfe\xff") {
		l.err(CodeInvalidUTF8, 0, 2, "the file is UTF-16, source must be UTF-8", "save the file as UTF-8")
		l.end, l.eofQuiet = 0, true
		return
	}
	last := -2
	for i, n := 0, 0; i < len(l.src) && n < 10; {
		r, size := utf8.DecodeRuneInString(l.src[i:])
		bad := r == utf8.RuneError && size == 1
		if (bad || r == 0) && i != last+1 {
			n++
			if bad {
				l.err(CodeInvalidUTF8, i, i+1, "the byte 0x"+strconv.FormatUint(uint64(l.src[i]), 16)+
					" is not UTF-8", "save the file as UTF-8")
			} else {
				l.err(CodeNUL, i, i+1, "a NUL byte can't stand in source", "remove it")
			}
		}
		if bad || r == 0 {
			last = i
		}
		i += size
	}
}

func (l *lexer) ident() {
	start := l.pos
	for l.pos < l.end && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos])) {
		l.pos++
	}
	l.emit(tIdent, start)
	l.toks[len(l.toks)-1].word = wordOf(l.src[start:l.pos])
}

// symbol reads a comment, an operator or a mark.
func (l *lexer) symbol(c byte) {
	start := l.pos
	c1, c2 := l.at(start+1), l.at(start+2)
	one := func(kind tokenKind) { l.pos++; l.emit(kind, start) }
	two := func(kind tokenKind) { l.pos += 2; l.emit(kind, start) }
	three := func(kind tokenKind) { l.pos += 3; l.emit(kind, start) }
	switch c {
	case '{':
		if n := len(l.templates); n > 0 {
			l.templates[n-1].depth++
		}
		one(tLBrace)
	case '}':
		if n := len(l.templates); n > 0 {
			l.templates[n-1].depth--
		}
		one(tRBrace)
	case '(':
		one(tLParen)
	case ')':
		one(tRParen)
	case '[':
		one(tLBrack)
	case ']':
		one(tRBrack)
	case ',':
		one(tComma)
	case ':':
		one(tColon)
	case '+':
		one(tPlus)
	case '*':
		one(tStar)
	case '%':
		one(tPercent)
	case '.':
		l.dot(c1, c2)
	case '-':
		if c1 == '>' {
			two(tArrow)
		} else {
			one(tMinus)
		}
	case '=':
		switch {
		case c1 == '=' && c2 == '=':
			three(tEqEqEq)
		case c1 == '=':
			two(tEq)
		case c1 == '>':
			two(tFatArrow)
		default:
			one(tAssign)
		}
	case '!':
		switch {
		case c1 == '=' && c2 == '=':
			three(tNeEqEq)
		case c1 == '=':
			two(tNe)
		default:
			one(tBang)
		}
	case '<':
		if c1 == '=' {
			two(tLe)
		} else {
			one(tLt)
		}
	case '>':
		if c1 == '=' {
			two(tGe)
		} else {
			one(tGt)
		}
	case '?':
		if c1 == '?' {
			two(tCoalesce)
		} else {
			one(tQuestion)
		}
	case '|':
		if c1 == '|' {
			two(tOrOr)
		} else {
			one(tPipe)
		}
	case '&':
		if c1 == '&' {
			two(tAndAnd)
		} else {
			l.unexpected()
		}
	case '/':
		switch c1 {
		case '/':
			l.lineComment()
		case '*':
			l.blockComment()
		default:
			one(tSlash)
		}
	default:
		l.unexpected()
	}
}

// dot reads `.` or `...`. A number can't start with a dot.
func (l *lexer) dot(c1, c2 byte) {
	start := l.pos
	switch {
	case c1 == '.' && c2 == '.':
		l.pos += 3
		l.emit(tSpread, start)
	case isDigit(c1):
		l.pos++
		for l.pos < l.end && (isDigit(l.src[l.pos]) || isLetter(l.src[l.pos])) {
			l.pos++
		}
		text := l.src[start:l.pos]
		if n := len(l.toks); n > 0 && int(l.toks[n-1].end) == start && endsOperand(l.toks[n-1].kind) {
			l.err(CodeField, start, l.pos, "`"+text+"` is not a field", "write `["+text[1:]+"]` to index")
			return // read on as if it were not there
		}
		l.err(CodeNumber, start, l.pos, "a number can't start with a dot", "write `0"+text+"`")
		l.emitFlags(tNumber, start, flagBad)
	default:
		l.pos++
		l.emit(tDot, start)
	}
}

// endsOperand reports whether an operand can end with such a token.
func endsOperand(kind tokenKind) bool {
	switch kind {
	case tIdent, tString, tTemplate, tTemplateTail, tRParen, tRBrack, tRBrace:
		return true
	}
	return false
}

func (l *lexer) lineComment() {
	start := l.pos
	end := strings.IndexByte(l.src[l.pos:l.end], '\n')
	if end < 0 {
		l.pos = l.end
	} else {
		l.pos += end
	}
	l.comment(start, len(strings.TrimRight(l.src[start:l.pos], "\r")))
}

func (l *lexer) blockComment() {
	start := l.pos
	end := strings.Index(l.src[l.pos+2:l.end], "*/")
	if end < 0 {
		l.err(CodeCommentOpen, start, start+2, "this comment is not closed", "end it with `*/`; comments do not nest")
		l.pos = l.end
		l.eofQuiet = true
		l.emit(tBad, start)
		return
	}
	l.pos += 2 + end + 2
	if strings.IndexByte(l.src[start:l.pos], '\n') >= 0 {
		l.nl = true
	}
	l.comment(start, l.pos-start)
}

func (l *lexer) comment(start, length int) {
	if len(l.templates) > 0 {
		l.err(CodeTemplateComment, start, start+2, "a comment can't stand within a template or path",
			"put it above the template")
		return
	}
	l.comments = append(l.comments, Comment{Span: l.span(start, start+length), Text: l.src[start : start+length]})
}

// unreadable reports whether a character is none, or NUL.
func unreadable(r rune, size int) bool { return r == 0 || r == utf8.RuneError && size == 1 }

// unexpected reports a character that means nothing in Reqon, and passes over
// what it stands for.
func (l *lexer) unexpected() {
	start := l.pos
	r, size := utf8.DecodeRuneInString(l.src[start:l.end])
	l.pos += size
	if unreadable(r, size) {
		// Reported by checkEncoding. However many they are, they are one token.
		for l.pos < l.end {
			if r, size = utf8.DecodeRuneInString(l.src[l.pos:l.end]); !unreadable(r, size) {
				break
			}
			l.pos += size
		}
		l.emit(tBad, start)
		return
	}
	kind, msg, suggestion := tBad, "unexpected character "+quoteRune(r), ""
	skip := false
	switch {
	case r == ';':
		suggestion, skip = "remove it: steps need no separator, and the items of a block take `,`", true
	case r == '#':
		suggestion, skip = "a comment starts with `//`", true
		if end := strings.IndexByte(l.src[l.pos:l.end], '\n'); end >= 0 {
			l.pos += end
		} else {
			l.pos = l.end
		}
	case r == '~':
		suggestion = "write `matches \"…\"` for a regular expression"
	case r == '&':
		kind, suggestion = tAndAnd, "write `and`"
	case r == '\\' && len(l.templates) > 0 && l.templates[len(l.templates)-1].quote != '`':
		l.err(CodeCharacter, start, l.pos, "unexpected `\\` within `{ }` of a path", pathBraceHint(l.templates[len(l.templates)-1].quote))
		l.templates, l.pos = nil, l.end // one error is enough for the path
		return
	case strings.ContainsRune("“”„‘’«»", r):
		suggestion = "write strings in plain quotes, `\"` or `'`"
		if l.pos < l.noClosing {
			break
		}
		line := l.src[l.pos:l.end]
		if end := strings.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		if end := strings.IndexAny(line, "“”‘’«»"); end < 0 {
			l.noClosing = l.pos + len(line)
		} else {
			_, size := utf8.DecodeRuneInString(line[end:])
			l.pos += end + size
		}
	case unicode.IsSpace(r) || unicode.Is(unicode.Cf, r):
		suggestion, skip = "replace it by a plain space", true
	case r == '$':
		suggestion, skip = "names have no `$` in front", true
	case unicode.IsLetter(r):
		for l.pos < l.end {
			r, size := utf8.DecodeRuneInString(l.src[l.pos:l.end])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
				break
			}
			l.pos += size
		}
		suggestion = "names are of the letters a-z, A-Z, digits and `_`"
		kind = tIdent
		if n := len(l.toks) - 1; n >= 0 && l.toks[n].kind == tIdent && int(l.toks[n].end) == start {
			l.toks[n].end, l.toks[n].word, l.toks[n].flags = int32(l.pos), wNone, flagBad
			skip = true
		}
	}
	l.err(CodeCharacter, start, start+size, msg, suggestion)
	if !skip {
		l.emitFlags(kind, start, flagBad)
	}
}

// quoteRune writes a character so that it can be seen.
func quoteRune(r rune) string {
	if unicode.IsPrint(r) && r < 0x3000 {
		return "`" + string(r) + "`"
	}
	return "U+" + strings.ToUpper(pad4(strconv.FormatUint(uint64(r), 16)))
}

func pad4(s string) string { return strings.Repeat("0", max(0, 4-len(s))) + s }

// ---- strings and templates

// str reads a plain string.
func (l *lexer) str(quote byte) {
	start := l.pos
	l.pos++
	var flags tokenFlags
	for l.pos < l.end {
		switch c := l.src[l.pos]; {
		case c == quote:
			l.pos++
			l.emitFlags(tString, start, flags)
			return
		case c == '\\':
			flags |= flagEscaped
			if !l.escape(quote) {
				flags |= flagBad
			}
		case c == '\n' || c == '\r' && l.at(l.pos+1) == '\n':
			l.stringNotClosed(start, quote)
			return
		case c < 0x20 && c != '\t' && c != 0:
			l.err(CodeControl, l.pos, l.pos+1, "a control character can't stand in a string",
				"write `\\u"+pad4(strconv.FormatUint(uint64(c), 16))+"`")
			l.pos++
		default:
			if c == '{' || c == '}' {
				flags |= flagBrace
			}
			l.pos++
		}
	}
	l.stringNotClosed(start, quote)
}

// rawQuotes open and close a raw text.
const rawQuotes = `"""`

// raw reads a raw text, in which nothing but its closing quotes means anything.
func (l *lexer) raw() {
	start := l.pos
	l.pos += len(rawQuotes)
	length := strings.Index(l.src[l.pos:l.end], rawQuotes)
	if length < 0 {
		l.eofQuiet, l.misread = true, int32(start)
		l.err(CodeTemplateOpen, start, start+len(rawQuotes), "this raw text is not closed", "end it with `"+rawQuotes+"`")
		l.pos, l.templates = l.end, nil
		l.emit(tBad, start)
		return
	}
	flags := flagRaw
	for end := l.pos + length; l.pos < end; l.pos++ {
		c := l.src[l.pos]
		if c < 0x20 && c != '\t' && c != '\n' && c != 0 && !(c == '\r' && l.at(l.pos+1) == '\n') {
			flags |= flagBad
			l.err(CodeControl, l.pos, l.pos+1, "a control character can't stand in a raw text",
				"write a string in plain quotes, with `\\u"+pad4(strconv.FormatUint(uint64(c), 16))+"`")
		}
	}
	l.pos += len(rawQuotes)
	l.emitFlags(tString, start, flags)
}

// rawText is what a raw text says, by what stands between its quotes: lines end
// with LF, a first line without anything and a last one of white space alone are
// none, and the white space that all lines begin with is taken away. Lines of
// white space alone do not count for that, and neither does one that begins
// right behind the quotes.
func rawText(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	if len(lines) == 1 {
		return s
	}
	blank := func(line string) bool { return strings.Trim(line, " \t") == "" }
	if last := len(lines) - 1; blank(lines[last]) {
		lines = lines[:last]
	}
	first := 1 // the first line whose indentation counts
	if blank(lines[0]) {
		lines, first = lines[1:], 0
	}
	common, found := "", false
	for i := first; i < len(lines); i++ {
		if line := lines[i]; !blank(line) {
			indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
			if !found {
				common, found = indent, true
			}
			for !strings.HasPrefix(indent, common) {
				common = common[:len(common)-1]
			}
		}
	}
	for i := first; i < len(lines); i++ {
		if rest, ok := strings.CutPrefix(lines[i], common); ok {
			lines[i] = rest
		} else {
			lines[i] = "" // of less white space
		}
	}
	return strings.Join(lines, "\n")
}

// stringNotClosed reports a string that reaches the end of its line. What it
// swallowed may have closed braces, so that those can't be missed then.
func (l *lexer) stringNotClosed(start int, quote byte) {
	l.err(CodeStringOpen, start, start+1, "this string is not closed on its line",
		"end it with `"+string(quote)+"`; a new line in it is written `\\n`")
	if strings.ContainsAny(l.src[start:l.pos], "{}") {
		l.eofQuiet = true
	}
	l.emit(tBad, start)
}

// template reads the text of a template from its quote, or from the `}` that
// ends an expression in it, up to its end or the next `{`. A path is a
// template whose text was checked before.
func (l *lexer) template(quote byte, open, start int, path bool) {
	head := start == open
	muted := l.muted
	l.muted = muted || path
	defer func() { l.muted = muted }()
	l.pos = start + 1
	var flags tokenFlags
	for l.pos < l.end {
		switch c := l.src[l.pos]; {
		case c == quote:
			l.pos++
			l.emitFlags(pick(head, tTemplate, tTemplateTail), start, flags)
			return
		case c == '\\':
			flags |= flagEscaped
			l.escape(quote)
		case c == '{' && l.at(l.pos+1) == '{' || c == '}' && l.at(l.pos+1) == '}':
			flags |= flagEscaped
			l.pos += 2
		case c == '{':
			l.pos++
			l.emitFlags(pick(head, tTemplateHead, tTemplateMid), start, flags)
			l.templates = append(l.templates, openTemplate{quote: quote, start: open, brace: l.pos - 1})
			return
		case c == '}':
			l.muted = muted
			l.err(CodeTemplateBrace, l.pos, l.pos+1, "this `}` closes nothing", "write `}}` for a brace that is meant as such")
			l.muted = muted || path
			flags |= flagEscaped
			l.pos++
		case c < 0x20 && c != '\t' && c != 0 && c != '\n' && c != '\r':
			l.err(CodeControl, l.pos, l.pos+1, "a control character can't stand in a template",
				"write `\\u"+pad4(strconv.FormatUint(uint64(c), 16))+"`")
			l.pos++
		default:
			if c == '\r' {
				flags |= flagEscaped
			}
			l.pos++
		}
	}
	outer := openTemplate{quote: quote, start: open, brace: -1}
	if len(l.templates) > 0 {
		outer = l.templates[0]
	}
	l.templateNotClosed(outer)
	l.emit(tBad, start)
}

func pick(first bool, a, b tokenKind) tokenKind {
	if first {
		return a
	}
	return b
}

func (l *lexer) templateNotClosed(t openTemplate) {
	l.templates = nil
	if t.quote != '`' {
		l.err(CodeTemplateOpen, t.brace, t.brace+1, "this `{` of the path is not closed", pathBraceHint(t.quote))
		return
	}
	l.eofQuiet, l.misread = true, int32(t.start)
	if t.brace < 0 {
		l.err(CodeTemplateOpen, t.start, t.start+1, "this template is not closed", "end it with a backquote")
		return
	}
	l.err(CodeTemplateOpen, t.start, t.start+1, "this template is not closed", "close its `{` with `}`, and it with a backquote",
		Note{Span: l.span(t.brace, t.brace+1), Msg: "the `{` that is open is here"})
}

// escape passes over one escape and reports one that JSON does not have.
func (l *lexer) escape(quote byte) bool {
	start := l.pos
	c := l.at(start + 1)
	switch c {
	case '"', '\'', '\\', '/', 'b', 'f', 'n', 'r', 't':
		l.pos += 2
		return true
	case '`', '{', '}':
		if quote == '`' && c == '`' {
			l.pos += 2
			return true
		}
	case 'u':
		return l.unicodeEscape()
	case 0, '\n', '\r':
		l.pos++ // the string is not closed, which is reported there
		return false
	}
	_, size := utf8.DecodeRuneInString(l.src[start+1 : l.end])
	l.pos += 1 + size
	text := l.src[start:l.pos]
	suggestion := "write `\\" + text + "` for a backslash"
	switch c {
	case '{', '}':
		suggestion = "write `" + string(c) + string(c) + "` for a brace"
		if quote != '`' {
			suggestion = "write `" + string(c) + "`: braces need no escape here"
		}
	case '`':
		suggestion = "write a backquote as it is: it needs no escape here"
	case '0', 'x':
		suggestion = "write `\\u00` and two hex digits"
	}
	l.err(CodeEscape, start, l.pos, "`"+text+"` is not an escape", suggestion)
	return false
}

func (l *lexer) unicodeEscape() bool {
	start := l.pos
	r, ok := hex4(l.src[:l.end], start+2)
	if !ok {
		l.pos += 2
		l.err(CodeEscape, start, l.pos, "`\\u` must have four hex digits behind it", "write it like `\\u00e9`")
		return false
	}
	l.pos += 6
	if r < 0xd800 || r > 0xdfff {
		return true
	}
	if low, ok := hex4(l.src[:l.end], start+8); r < 0xdc00 && ok && low >= 0xdc00 && low <= 0xdfff && l.src[start+6:start+8] == `\u` {
		l.pos += 6
		return true
	}
	l.err(CodeEscape, start, l.pos, "`"+l.src[start:l.pos]+"` is half of a surrogate pair",
		"write both halves, or the character itself")
	return false
}

// hex4 reads four hex digits at i.
func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unescape resolves the escapes of a string's text, and in a template doubled
// braces and CRLF too. Faulty escapes, reported before, stand for themselves.
func unescape(s string, template bool) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		c := s[i]
		next := byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch {
		case template && (c == '{' || c == '}') && next == c:
			b.WriteByte(c)
			i += 2
		case template && c == '\r' && next == '\n':
			i++
		case c != '\\':
			b.WriteByte(c)
			i++
		case next == 'u':
			r, ok := hex4(s, i+2)
			if !ok {
				b.WriteByte(c)
				i++
				break
			}
			i += 6
			if low, ok := hex4(s, i+2); ok && r >= 0xd800 && r < 0xdc00 && low >= 0xdc00 && low <= 0xdfff && s[i:i+2] == `\u` {
				r = (r-0xd800)<<10 | (low - 0xdc00) + 0x10000
				i += 6
			}
			b.WriteRune(r)
		default:
			b.WriteByte(unescapeByte(next))
			i += 2
		}
	}
	return b.String()
}

func unescapeByte(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// ---- numbers

// number reads a number or duration. What can't be one is taken whole, so
// that a mistake in it is one mistake.
func (l *lexer) number() {
	start := l.pos
	l.digits()
	if l.at(l.pos) == '.' && (isDigit(l.at(l.pos+1)) || l.at(l.pos+1) == '_') {
		l.pos++
		l.digits()
	}
	if c := l.at(l.pos); c == 'e' || c == 'E' {
		sign := l.pos + 1
		if c := l.at(sign); c == '+' || c == '-' {
			sign++
		}
		if isDigit(l.at(sign)) {
			l.pos = sign
			l.digits()
		}
	}
	text := l.src[start:l.pos]
	for l.pos < l.end && (isLetter(l.src[l.pos]) || isDigit(l.src[l.pos])) {
		l.pos++
	}
	unit := l.src[start+len(text) : l.pos]
	if l.at(l.pos) == '.' && (l.at(l.pos+1) == '.' && l.at(l.pos+2) != '.' || isDigit(l.at(l.pos+1))) {
		l.badTail(start)
		return
	}
	if l.at(l.pos) == '.' && !isLetter(l.at(l.pos+1)) && l.at(l.pos+1) != '.' {
		l.pos++
		l.badNumber(start, "a digit must follow the dot of a number", "write `"+text+"` or `"+text+".0`")
		return
	}
	if msg, suggestion := numberMistake(text, unit); msg != "" {
		l.badNumber(start, msg, suggestion)
		return
	}
	l.emit(tNumber, start)
}

func (l *lexer) digits() {
	for l.pos < l.end && (isDigit(l.src[l.pos]) || l.src[l.pos] == '_') {
		l.pos++
	}
}

// badTail reports a number with more dots than one.
func (l *lexer) badTail(start int) {
	first := l.src[start:l.pos]
	for l.pos < l.end && (isDigit(l.src[l.pos]) || isLetter(l.src[l.pos]) || l.src[l.pos] == '.') {
		l.pos++
	}
	text := l.src[start:l.pos]
	suggestion := "write `\"" + text + "\"` if it is text"
	if rest, ok := strings.CutPrefix(text[len(first):], ".."); ok {
		suggestion = "write `range(" + first + ", n)` for the numbers from " + first + " up to, but without, n"
		if n, err := strconv.Atoi(rest); err == nil {
			suggestion = "write `range(" + first + ", " + strconv.Itoa(n+1) + ")` for the numbers from " + first + " to " + rest
		}
	}
	l.badNumber(start, "`"+clip(text)+"` is not a number", suggestion)
}

func (l *lexer) badNumber(start int, msg, suggestion string) {
	l.err(CodeNumber, start, l.pos, msg, suggestion)
	l.emitFlags(tNumber, start, flagBad)
}

// numberMistake says what is wrong with a number and what stands for its unit.
func numberMistake(text, unit string) (msg, suggestion string) {
	clean := text
	if strings.IndexByte(text, '_') >= 0 {
		clean = strings.ReplaceAll(text, "_", "")
	}
	if unit == "" && clean == text && (text[0] != '0' || len(text) == 1) && !tooLarge(text) {
		return "", "" // the usual case
	}
	whole := "`" + clip(text+unit) + "`"
	if clean != text || strings.HasPrefix(unit, "_") {
		fixed := fixUnderscores(text + unit)
		if fixed != text+unit && isNumber(fixed) {
			return "`_` stands only between two digits of a number", "write `" + fixed + "`"
		}
	}
	intPart, _, _ := strings.Cut(clean, ".")
	if len(intPart) > 1 && intPart[0] == '0' && isDigit(intPart[1]) {
		fixed := strings.TrimLeft(clean, "0")
		if fixed == "" || !isDigit(fixed[0]) {
			fixed = "0" + fixed
		}
		return "a number can't start with a zero", "write `" + fixed + unit + "`, or `\"" + text + unit + "\"` if it is text"
	}
	switch unit {
	case "":
		if tooLarge(clean) {
			return "the number " + whole + " is too large", "the largest is about 1.8e308"
		}
		return "", ""
	case "ms", "s", "m", "h", "d", "w":
		if tooLarge(clean) {
			return "the duration " + whole + " is too large", ""
		}
		return "", ""
	}
	if text == "0" && (unit[0] == 'x' || unit[0] == 'b' || unit[0] == 'o') {
		if n, err := strconv.ParseInt(text+unit, 0, 64); err == nil {
			return whole + " is not a number", "write `" + strconv.FormatInt(n, 10) + "`: numbers are decimal"
		}
	}
	if unit == "e" || unit == "E" {
		return whole + " is not a number: its exponent has no digits", "write `" + text + "e3` or the like"
	}
	if unit == "xx" && len(text) == 1 {
		return whole + " is not a pattern", "name each status (`" + text + "00 -> …`), or test `.code` in a guard"
	}
	if u := unitOf(unit); u != "" {
		return whole + " has an unknown unit", "write `" + text + u + "`: the units are ms, s, m, h, d and w"
	}
	return whole + " is neither a number nor a name", "write `\"" + clip(text+unit) + "\"` if it is text"
}

// tooLarge reports whether a number is out of the range of floats.
func tooLarge(s string) bool {
	if len(s) < 300 && !strings.ContainsAny(s, "eE") {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err != nil
}

// isNumber reports whether the text is a number or duration.
func isNumber(s string) bool {
	n := strings.TrimRight(s, "mshdw")
	_, err := strconv.ParseFloat(strings.ReplaceAll(n, "_", ""), 64)
	switch s[len(n):] {
	case "", "ms", "s", "m", "h", "d", "w":
		return err == nil
	}
	return false
}

// unitOf returns the duration unit that was likely meant, or "".
func unitOf(s string) string {
	switch strings.TrimSuffix(strings.ToLower(s), "s") {
	case "m", "min", "minute":
		return "m"
	case "millisecond", "milli", "msec":
		return "ms"
	case "", "sec", "second":
		return "s"
	case "h", "hr", "hour":
		return "h"
	case "d", "day":
		return "d"
	case "w", "wk", "week":
		return "w"
	}
	return ""
}

// fixUnderscores leaves one `_` between two digits and none elsewhere.
func fixUnderscores(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '_' {
			b.WriteByte(s[i])
			continue
		}
		first := i
		for i+1 < len(s) && s[i+1] == '_' {
			i++
		}
		if first > 0 && isDigit(s[first-1]) && i+1 < len(s) && isDigit(s[i+1]) {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// clip shortens a text from the source for a message.
func clip(s string) string {
	const limit = 40
	n := 0
	for i := range s {
		if n == limit {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
