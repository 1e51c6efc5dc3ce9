package diag

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"reqon/compiler/syntax"
)

// TextOptions says how Text writes.
type TextOptions struct {
	Color bool // with ANSI escape sequences
}

// maxExcerpt is how many code points of a source line an excerpt shows: a
// minified file must not flood a terminal.
const maxExcerpt = 160

const (
	ansiReset  = "\x1b[0m"
	ansiBold   = "\x1b[1m"
	ansiRed    = "\x1b[1;31m"
	ansiYellow = "\x1b[1;33m"
	ansiCyan   = "\x1b[1;36m"
	ansiBlue   = "\x1b[1;34m"
)

// Text writes the diagnostics for people, with an empty line between two:
//
//	error[RQ0201]: unknown name `respones`
//	 --> sync.reqon:12:11
//	   |
//	12 |     store respones -> orders
//	   |           ^^^^^^^^
//	   = help: did you mean `response`?
//
// Columns and underlines count code points. Control characters of the source
// are shown as U+FFFD, so that a file can't write to the terminal.
func Text(w io.Writer, ds []Diagnostic, opt TextOptions) error {
	p := textPrinter{color: opt.Color}
	for i := range ds {
		if i > 0 {
			p.b.WriteByte('\n')
		}
		p.diagnostic(&ds[i])
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

type textPrinter struct {
	b     strings.Builder
	color bool
	width int // of the gutter's line numbers
}

func (p *textPrinter) diagnostic(d *Diagnostic) {
	p.width = gutterWidth(d)
	head := d.Severity.String()
	if d.Code != "" {
		head += "[" + d.Code + "]"
	}
	p.paint(severityColor(d.Severity), head)
	p.paint(ansiBold, ": "+visible(d.Message))
	p.b.WriteByte('\n')
	p.excerpt(d.Span, '^', severityColor(d.Severity))
	for _, n := range d.Notes {
		p.remark("note", n.Message)
		if n.Span.IsValid() {
			p.excerpt(n.Span, '-', ansiBlue)
		}
	}
	if d.Suggestion != "" {
		p.remark("help", d.Suggestion)
	}
}

func (p *textPrinter) remark(label, text string) {
	p.b.WriteString(strings.Repeat(" ", p.width+1))
	p.paint(ansiBlue, "= ")
	p.paint(ansiBold, label)
	p.b.WriteString(": " + visible(text) + "\n")
}

// excerpt writes the place of a span, its first source line and the underline.
func (p *textPrinter) excerpt(s syntax.Span, mark rune, color string) {
	if !s.IsValid() {
		return
	}
	pos := s.Position()
	indent := strings.Repeat(" ", p.width)
	p.b.WriteString(indent)
	p.paint(ansiBlue, "-->")
	fmt.Fprintf(&p.b, " %s:%d:%d\n", visible(pos.File), pos.Line, pos.Column)

	line, from, to := cutLine(s, pos)
	p.b.WriteString(indent)
	p.paint(ansiBlue, " |")
	p.b.WriteByte('\n')
	p.paint(ansiBlue, fmt.Sprintf("%*d |", p.width, pos.Line))
	p.b.WriteString(" " + string(line) + "\n" + indent)
	p.paint(ansiBlue, " |")
	p.b.WriteByte(' ')
	for _, r := range line[:from] {
		if r != '\t' {
			r = ' '
		}
		p.b.WriteRune(r)
	}
	p.paint(color, strings.Repeat(string(mark), to-from))
	p.b.WriteByte('\n')
}

// cutLine returns the code points to show of a span's first line and which of
// them the span covers: at least one, which may stand behind the line's end. Of
// a line of megabytes it looks only at what may be shown.
func cutLine(s syntax.Span, pos syntax.Position) (line []rune, from, to int) {
	src, whole := s.File.Src, s.File.LineSpan(pos.Line)
	at := min(s.Start, whole.End)
	first, last := at, at
	for n := 0; n <= maxExcerpt && first > whole.Start; n++ {
		_, size := utf8.DecodeLastRune(src[whole.Start:first])
		first -= int32(size)
	}
	for n := 0; n <= maxExcerpt && last < whole.End; n++ {
		_, size := utf8.DecodeRune(src[last:whole.End])
		last += int32(size)
	}
	line = make([]rune, 0, 2*maxExcerpt+2)
	for _, r := range string(src[first:last]) {
		line = append(line, visibleRune(r))
	}
	from = utf8.RuneCount(src[first:at])
	to = max(from+1, utf8.RuneCount(src[first:max(at, min(s.End, last))]))
	if len(line) <= maxExcerpt {
		return line, from, to
	}
	start := max(0, from-maxExcerpt/3)
	end := min(len(line), start+maxExcerpt)
	cut := append([]rune(nil), line[start:end]...)
	if start > 0 || first > whole.Start {
		cut[0] = '…'
	}
	if end < len(line) || last < whole.End {
		cut[len(cut)-1] = '…'
	}
	return cut, from - start, max(min(to, end)-start, from-start+1)
}

func (p *textPrinter) paint(color, text string) {
	if p.color {
		p.b.WriteString(color + text + ansiReset)
		return
	}
	p.b.WriteString(text)
}

func severityColor(s Severity) string {
	switch s {
	case Error:
		return ansiRed
	case Warning:
		return ansiYellow
	default:
		return ansiCyan
	}
}

func gutterWidth(d *Diagnostic) int {
	last := 1
	if d.Span.IsValid() {
		last = d.Span.Position().Line
	}
	for _, n := range d.Notes {
		if n.Span.IsValid() {
			last = max(last, n.Span.Position().Line)
		}
	}
	return len(strconv.Itoa(last))
}

// visible returns text with its control characters made visible.
func visible(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return visibleRune(r) != r }) < 0 && utf8.ValidString(text) {
		return text
	}
	return strings.Map(visibleRune, text)
}

// visibleRune maps control characters, and those that turn the direction of
// writing, to U+FFFD. Tabs stay.
func visibleRune(r rune) rune {
	if r == '\t' {
		return r
	}
	if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
		return utf8.RuneError
	}
	return r
}
