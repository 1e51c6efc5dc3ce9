package syntax

import "slices"

// imbalance is what indentation tells about a file whose braces do not pair up.
type imbalance struct {
	found  bool
	at     int32 // the brace from which on they pair up wrongly; -1 if that is before the first
	opener bool  // it is a `{` without its `}`; else a `}` too many, or one whose `{` is missing
}

// brace is a pair of braces, or its first half.
type brace struct {
	open, close int32
	indent      int // of the line that opens it
}

// balance pairs up the braces of the file. If some are left over, it looks for
// the first pair in which the `}` starts a line that is not indented as the
// line of its `{`: there its author meant another pair.
func (p *parser) balance() imbalance {
	if p.braces == nil {
		b := p.pairUp()
		p.braces = &b
	}
	return *p.braces
}

func (p *parser) pairUp() imbalance {
	var stack, pairs []brace
	var first imbalance
	extra := false
	indent := indents{file: p.file, line: -1}
	for i := range p.toks {
		t := &p.toks[i]
		switch {
		case t.kind == tLBrace:
			stack = append(stack, brace{open: t.start, indent: indent.of(t.start)})
		case t.kind != tRBrace:
		case len(stack) == 0:
			extra = true
			if !first.found {
				first = imbalance{found: true, at: closedTooEarly(pairs, indent.of(t.start))}
			}
		default:
			b := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			b.close = t.start
			if n := indent.of(t.start); t.nl && !first.found && n < b.indent {
				first = imbalance{found: true, at: b.open, opener: true}
			} else if t.nl && !first.found && n > b.indent {
				first = imbalance{found: true, at: closedTooEarly(pairs, n)}
			}
			pairs = append(pairs, b)
		}
	}
	if !extra && len(stack) == 0 {
		return imbalance{}
	}
	return first
}

// closedTooEarly returns the `}` that was taken for the one of a line of that
// indentation, or -1 if its `{` is missing altogether.
func closedTooEarly(pairs []brace, indent int) int32 {
	for _, b := range slices.Backward(pairs) {
		if b.indent == indent {
			return b.close
		}
	}
	return -1
}

// indents tells how far lines are indented, in bytes. It remembers the last
// one: a line may have many braces.
type indents struct {
	file *File
	line int
	n    int
}

// of returns the indentation of the line of that offset.
func (in *indents) of(offset int32) int {
	line := in.file.lineIndex(offset)
	if line == in.line {
		return in.n
	}
	start := int(in.file.lines[line])
	n := 0
	for start+n < len(in.file.Src) && (in.file.Src[start+n] == ' ' || in.file.Src[start+n] == '\t') {
		n++
	}
	in.line, in.n = line, n
	return n
}

// withoutCascade returns what is worth saying of a file whose braces do not
// pair up: the errors before the place where that starts, and one about it.
// What comes behind was read as part of the wrong thing.
func (p *parser) withoutCascade(errs []*Error) []*Error {
	b := p.balance()
	if !b.found {
		return errs
	}
	n := 0
	for n < len(errs) && errs[n].Start <= b.at {
		n++
	}
	before, after := errs[:n:n], errs[n:]
	if len(after) == 0 || !b.opener && n > 0 && p.file.lineIndex(before[n-1].Start) == p.file.lineIndex(b.at) {
		return before
	}
	about := after[0]
	if i := slices.IndexFunc(after, func(e *Error) bool { return e.Code == CodeUnclosed }); b.opener && i >= 0 {
		about = after[i]
	}
	return append(before, about)
}
