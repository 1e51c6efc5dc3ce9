package format

import (
	"strings"
	"unicode/utf8"
)

// writer puts the words together.
type writer struct {
	*sheet
	out    []byte
	level  int // of the current line
	col    int // code points in the current line
	line   int
	frames []frame
	fix    bool // the next word's line is not to be broken
}

// frame is the file, or a bracket that is open.
type frame struct {
	pair  int // -1: the file
	inner int // level of its items' lines
	cont  int // level of lines that go on with its current item
}

// write lays the words out as it was decided, and notes where they come to
// stand and which lines are too long.
func (s *sheet) write() []byte {
	s.widths, s.fixed = map[int]int{}, map[int]bool{}
	w := &writer{sheet: s, out: make([]byte, 0, len(s.src)+len(s.src)/8), frames: []frame{{pair: -1, cont: 1}}}
	for i := range s.words {
		w.word(i)
	}
	if len(w.out) > 0 {
		w.out = append(w.out, '\n')
	}
	return w.out
}

func (w *writer) top() *frame { return &w.frames[len(w.frames)-1] }

// opens reports whether the word is an opening bracket.
func (s *sheet) opens(i int) bool {
	b := s.words[i].bracket
	return b >= 0 && s.pairs[b].open == i
}

// closes reports whether the word is a closing bracket.
func (s *sheet) closes(i int) bool {
	b := s.words[i].bracket
	return b >= 0 && s.pairs[b].close == i
}

func (w *writer) word(i int) {
	t := &w.words[i]
	w.gap(i)
	if t.kind == kindEnd {
		return
	}
	if w.closes(i) {
		w.frames = w.frames[:len(w.frames)-1]
	}
	if t.item {
		w.top().cont = w.level + 1
	}
	if w.fix {
		w.fixed[w.line], w.fix = true, false
	}
	t.line, t.col = w.line, w.col
	w.text(plainEnds(t.text))
	w.measure()
	if w.opens(i) {
		w.frames = append(w.frames, frame{pair: t.bracket, inner: w.level + 1, cont: w.level + 1})
	}
}

// measure notes the width of the current line up to here. What stands behind
// the last word, a comment, does not count.
func (w *writer) measure() {
	if w.col > w.width {
		w.widths[w.line] = w.col
	}
}

// text writes a text, which may have several lines.
func (w *writer) text(s string) {
	w.out = append(w.out, s...)
	for {
		first, rest, more := strings.Cut(s, "\n")
		w.col += utf8.RuneCountInString(first)
		if !more {
			return
		}
		w.line++
		w.col, s = 0, rest
	}
}

// newline starts a line at that level, behind a blank one if asked.
func (w *writer) newline(level int, blank bool) {
	if len(w.out) > 0 {
		w.text("\n")
		if blank {
			w.text("\n")
		}
	}
	w.level = level
	w.text(indentation(level))
}

func indentation(level int) string { return strings.Repeat("  ", level) }

// gap writes what stands before a word: comma, comments, white space.
func (w *writer) gap(i int) {
	t := &w.words[i]
	comma := w.comma(i)
	same := len(t.notes) // comments on the line of the word before
	if t.brk {
		same = w.behind(i)
	}
	for k := range same {
		n := &t.notes[k]
		if comma && (n.line || n.comma || !t.comma) {
			w.putComma(k == 0)
			comma = false
		}
		if len(w.out) > 0 && (k > 0 || !w.opens(i-1) || w.words[i-1].text == "{") {
			w.text(" ")
		}
		w.note(n, n.text)
	}
	if comma {
		w.putComma(same == 0)
	}
	switch {
	case t.brk:
		w.lines(i, same)
	case w.space(i):
		w.text(" ")
	}
}

// putComma writes a comma, which counts as a word if it stands right behind one.
func (w *writer) putComma(right bool) {
	w.text(",")
	if right {
		w.measure()
	}
}

// note writes a comment.
func (w *writer) note(n *note, text string) {
	w.text(text)
	if strings.Contains(text, "reqon:allow") {
		w.fix = true
	}
}

// behind returns how many of the comments before a word, which is to start
// a line, stay on the line of the word before that one.
func (w *writer) behind(i int) int {
	t := &w.words[i]
	n := 0
	for n < len(t.notes) && t.notes[n].lines == 0 {
		n++
	}
	switch {
	case n < len(t.notes) || t.lines > 0:
		return n // a line ended behind them
	case w.closes(i) || t.kind == kindEnd:
		return n
	case w.opens(i-1) || !t.comma:
		return 0
	}
	for n > 0 && t.notes[n-1].comma {
		n--
	}
	return n
}

// lines writes the line break before a word, with the comments from the given
// one on, which have lines of their own or stand on that of the word.
func (w *writer) lines(i, from int) {
	t := &w.words[i]
	f := w.top()
	level, last := f.cont, f.cont
	listed := true
	switch {
	case t.item || t.kind == kindEnd:
		level, last = f.inner, f.inner
	case w.closes(i):
		level, last = f.inner, f.inner-1
	case t.roles&roleJoin != 0 || t.text == "{":
		level, last, listed = f.cont-1, f.cont-1, false
	default:
		listed = false
	}
	blank := listed && (i > 0 && !w.opens(i-1) || i == 0 && from > 0)
	started := false
	for k := from; k < len(t.notes); k++ {
		n := &t.notes[k]
		switch {
		case n.lines > 0:
			w.newline(level, blank && n.lines > 1)
			w.note(n, n.moved(indentation(level)))
		case !started:
			w.newline(level, false)
			w.note(n, n.text)
		default:
			w.text(" ")
			w.note(n, n.text)
		}
		started, blank = true, listed
	}
	switch {
	case t.kind == kindEnd:
	case w.closes(i):
		w.newline(last, false)
	case !started || t.lines > 0:
		w.newline(last, blank && t.lines > 1)
	default:
		w.text(" ")
	}
}

// comma reports whether a comma stands before the word.
func (w *writer) comma(i int) bool {
	t, f := &w.words[i], w.top()
	if !t.item || f.pair < 0 || w.opens(i-1) {
		return false
	}
	return !t.brk || !w.pairs[f.pair].braces || w.needsComma(i, w.words[w.pairs[f.pair].open].roles&roleMission != 0)
}

// space reports whether there is a space before a word that goes on with
// a line.
func (w *writer) space(i int) bool {
	t := &w.words[i]
	switch {
	case t.kind == kindEnd || t.text == ")" || t.text == "]":
		return false
	case len(t.notes) > 0:
		return true
	case i == 0:
		return false
	}
	before := &w.words[i-1]
	switch {
	case w.comma(i):
		return true
	case before.text == "(" || before.text == "[" || before.text == "...":
		return false
	case before.text == "{" && t.text == "}":
		return false
	case before.roles&rolePostfix != 0 && len(before.notes) > 0:
		return !t.touches // `get x /* … */ . y` and `.y` are not the same
	case t.roles&rolePostfix != 0 && isDigit(before.text[0]):
		// A dot right behind a number is part of it, if no name follows.
		return w.words[i+1].brk || len(w.words[i+1].notes) > 0
	case t.roles&roleTight != 0 || before.roles&roleHug != 0:
		return false
	}
	return t.text != ":" || t.roles&roleSpaced != 0
}
