package format

import (
	"bytes"
	"sort"
	"strings"

	"reqon/compiler/syntax"
)

// kind is what a word of the source is, as far as the layout needs to know.
type kind uint8

const (
	kindEnd   kind = iota // behind the last word
	kindIdent             // a name or word
	kindText              // a number, string or template: what stands in it is its own
	kindMark              // brackets, operators
)

// word is one token of the source, save commas, which are made anew.
type word struct {
	text       string
	start, end int32
	kind       kind
	roles      role

	// What stood in the source between the word before and this one.
	notes   []note
	lines   int  // line breaks behind the last note
	comma   bool // there was a comma
	touches bool // nothing at all stood there

	// What is decided, and where it came to stand.
	item    bool // the first word of an item of the list that it stands in
	brk     bool // a line break before it
	bracket int  // an opening or closing bracket: which pair; else -1
	line    int
	col     int // code points before it on its line
}

// role is what a word means where its text alone doesn't say.
type role uint8

const (
	roleTight   role = 1 << iota // no space before it
	roleHug                      // no space behind it
	roleJoin                     // goes on with the line before
	roleArm                      // starts an arm of a match
	roleCall                     // the `(` of a call, or the `[` of an array: may be broken
	roleMission                  // the `{` of a mission
	roleSpaced                   // a `:` with a space before it
	rolePostfix                  // the dot of a field
)

// note is a comment that stands before a word.
type note struct {
	text   string // without white space at the ends of its lines
	indent string // the white space before it, where it was the first on its line
	lines  int    // line breaks before it
	line   bool   // it is one of those that end with the line
	comma  bool   // a comma stood before it in this gap
}

// broken reports whether the comment is of several lines.
func (n *note) broken() bool { return !n.line && strings.IndexByte(n.text, '\n') >= 0 }

// sheet is a file that is being laid out.
type sheet struct {
	src   string
	words []word // the last is of kindEnd
	pairs []pair

	branches [][2]int // the `{` of the block of an `if`, and that of its `else` or `else if`

	width  int
	widths map[int]int  // of the lines that are too long
	fixed  map[int]bool // lines that are not to be broken
}

// scan cuts the source into words. It is known to have no errors, so that
// a word is told by how it starts.
func scan(tree *syntax.SourceTree) *sheet {
	src := string(tree.File.Src)
	s := &sheet{src: src, words: make([]word, 0, len(src)/5+1)}
	opaque, generic := landmarks(tree)
	comments := tree.Comments
	w := word{bracket: -1}
	last := 0 // where the word, comma or comment before ends
	for pos := 0; pos < len(src); {
		switch c := src[pos]; {
		case c == '\n':
			w.lines++
			pos++
		case c == ' ' || c == '\t' || c == '\r':
			pos++
		case len(comments) > 0 && int(comments[0].Start) == pos:
			w.notes = append(w.notes, noteOf(src, comments[0], w.lines, w.comma))
			w.lines = 0
			pos = int(comments[0].End)
			comments = comments[1:]
		case c == ',':
			w.comma = true
			pos++
		default:
			end, k := wordEnd(src, pos, opaque, generic)
			w.text, w.kind, w.start, w.end = src[pos:end], k, int32(pos), int32(end)
			w.touches = pos == last
			s.words = append(s.words, w)
			w = word{bracket: -1}
			pos, last = end, end
		}
	}
	w.start, w.end = int32(len(src)), int32(len(src))
	s.words = append(s.words, w)
	return s
}

// landmarks returns where templates end, by where they start, and where the
// `>` of types end: neither is told by the text alone.
func landmarks(tree *syntax.SourceTree) (templates, generics map[int]int) {
	templates, generics = map[int]int{}, map[int]int{}
	syntax.Walk(tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.TemplateLit:
			if !n.Quoted {
				templates[int(n.Start)] = int(n.End)
			}
		case *syntax.ArrayType:
			generics[int(n.End)] = int(n.Start)
		}
		return true
	})
	return templates, generics
}

// rawQuotes open and close a raw text.
const rawQuotes = `"""`

func wordEnd(src string, pos int, templates, generics map[int]int) (end int, k kind) {
	switch c := src[pos]; {
	case isLetter(c):
		for end = pos; end < len(src) && (isLetter(src[end]) || isDigit(src[end])); {
			end++
		}
		return end, kindIdent
	case isDigit(c):
		return numberEnd(src, pos), kindText
	case c == '`':
		return templates[pos], kindText
	case strings.HasPrefix(src[pos:], rawQuotes):
		pos += len(rawQuotes)
		return pos + strings.Index(src[pos:], rawQuotes) + len(rawQuotes), kindText
	case c == '"' || c == '\'':
		for end = pos + 1; src[end] != c; end++ {
			if src[end] == '\\' {
				end++
			}
		}
		return end + 1, kindText
	}
	if _, ok := generics[pos+1]; ok && src[pos] == '>' {
		return pos + 1, kindMark
	}
	for _, mark := range []string{"...", "->", "=>", "==", "!=", "<=", ">=", "??"} {
		if strings.HasPrefix(src[pos:], mark) {
			return pos + len(mark), kindMark
		}
	}
	return pos + 1, kindMark
}

// numberEnd returns where the number or duration at pos ends.
func numberEnd(src string, pos int) int {
	at := func(i int) byte {
		if i < len(src) {
			return src[i]
		}
		return 0
	}
	for isDigit(at(pos)) || at(pos) == '_' {
		pos++
	}
	if at(pos) == '.' && isDigit(at(pos+1)) {
		for pos++; isDigit(at(pos)) || at(pos) == '_'; {
			pos++
		}
	}
	if at(pos)|0x20 == 'e' && (at(pos+1) == '+' || at(pos+1) == '-') && isDigit(at(pos+2)) {
		pos += 2
	}
	for isDigit(at(pos)) || isLetter(at(pos)) { // the exponent, the unit
		pos++
	}
	return pos
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func noteOf(src string, c syntax.Comment, lines int, comma bool) note {
	n := note{text: trimLines(c.Text), lines: lines, line: c.Text[1] == '/', comma: comma}
	start := strings.LastIndexByte(src[:c.Start], '\n') + 1
	if before := src[start:c.Start]; strings.Trim(before, " \t") == "" {
		n.indent = before
	}
	return n
}

// trimLines takes the white space from the ends of a text's lines.
func trimLines(s string) string {
	if strings.IndexByte(s, '\n') < 0 {
		return strings.TrimRight(s, " \t\r")
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	return strings.Join(lines, "\n")
}

// moved returns the text of a block comment whose first line moves from one
// indentation to another: the others go with it, if they are in as far.
func (n *note) moved(indent string) string {
	if n.line || strings.IndexByte(n.text, '\n') < 0 || n.indent == indent {
		return n.text
	}
	lines := strings.Split(n.text, "\n")
	for i, line := range lines[1:] {
		if line == "" {
			continue
		}
		rest, ok := strings.CutPrefix(line, n.indent)
		if !ok {
			return n.text
		}
		lines[i+1] = indent + rest
	}
	return strings.Join(lines, "\n")
}

// plainEnds turns the CRLF of a template into LF, which the language reads as
// the same. A CR before them is text, and the CRLF behind it must stay then.
func plainEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	var b bytes.Buffer
	for i := 0; i < len(s); i++ {
		if s[i] == '\r' && i+1 < len(s) && s[i+1] == '\n' && (i == 0 || s[i-1] != '\r') {
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// find returns the first word that starts at the offset or behind it.
func (s *sheet) find(offset int32) int {
	return sort.Search(len(s.words)-1, func(i int) bool { return s.words[i].start >= offset })
}
