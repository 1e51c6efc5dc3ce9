package syntax

import (
	"sort"
	"unicode/utf8"
)

// File is one source file: its name as shown to people, its bytes (without a
// byte order mark) and where its lines begin.
type File struct {
	Name string // as given on the command line or found below it, with forward slashes
	Src  []byte

	lines []int32 // byte offset of each line's first byte
	marks []mark  // one for each columnBlock of Src
}

// mark is a place up to which the code points of a file are counted, so that a
// column of a line of megabytes takes no count of the whole line.
type mark struct {
	offset int32 // the first byte of a code point
	points int32 // how many are before it
}

// columnBlock is how many bytes are counted at most to find a column, twice.
const columnBlock = 1 << 10

// NewFile returns a File over src. A leading byte order mark is dropped.
// src must not be larger than 1 GiB: offsets are 32 bits.
func NewFile(name string, src []byte) *File {
	const bom = "\xef\xbb\xbf"
	if len(src) >= len(bom) && string(src[:len(bom)]) == bom {
		src = src[len(bom):]
	}
	f := &File{Name: name, Src: src, lines: []int32{0}}
	for i, c := range src {
		if c == '\n' {
			f.lines = append(f.lines, int32(i+1))
		}
	}
	f.marks = make([]mark, 1, len(src)/columnBlock+1)
	for end := columnBlock; end <= len(src); end += columnBlock {
		last, at := f.marks[len(f.marks)-1], end
		for back := 0; back < utf8.UTFMax && end < len(src); back++ {
			if utf8.RuneStart(src[end-back]) {
				at = end - back
				break
			}
		}
		f.marks = append(f.marks, mark{int32(at), last.points + int32(utf8.RuneCount(src[last.offset:at]))})
	}
	return f
}

// points returns how many code points are before the byte offset.
func (f *File) points(offset int32) int {
	m := f.marks[offset/columnBlock]
	if m.offset <= offset {
		return int(m.points) + utf8.RuneCount(f.Src[m.offset:offset])
	}
	return int(m.points) - utf8.RuneCount(f.Src[offset:m.offset])
}

// Position is a place as people count: lines and columns from 1, columns in
// code points.
type Position struct {
	File         string
	Line, Column int
}

// Position returns the place of the byte offset.
func (f *File) Position(offset int32) Position {
	line := f.lineIndex(offset)
	start := f.lines[line]
	offset = min(offset, int32(len(f.Src)))
	return Position{File: f.Name, Line: line + 1, Column: f.column(start, offset) + 1}
}

// column returns how many code points are between the start of a line and an
// offset in it.
func (f *File) column(start, offset int32) int {
	if offset-start <= 2*columnBlock {
		return utf8.RuneCount(f.Src[start:offset])
	}
	return f.points(offset) - f.points(start)
}

func (f *File) lineIndex(offset int32) int {
	return sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset }) - 1
}

// Locator finds the lines and columns of many places of one file. It goes from
// the last place to the next, so that places near each other take no search, nor
// the count of a whole line.
type Locator struct {
	file   *File
	line   int   // index of the last place's line
	offset int32 // of the last place
	column int   // of the last place, from 0
}

// NewLocator returns a Locator at the start of a file.
func NewLocator(f *File) Locator { return Locator{file: f} }

// File returns the file; nil if l is the zero Locator.
func (l *Locator) File() *File { return l.file }

// Locate returns the line and column of a byte offset, as File.Position does.
func (l *Locator) Locate(offset int32) (line, column int) {
	f := l.file
	if !f.inLine(l.line, offset) {
		if f.inLine(l.line+1, offset) {
			l.line++
		} else {
			l.line = f.lineIndex(offset)
		}
		l.offset, l.column = f.lines[l.line], 0
	}
	offset = min(offset, int32(len(f.Src)))
	if start := f.lines[l.line]; offset < l.offset && offset-start < l.offset-offset {
		l.offset, l.column = start, 0
	}
	if offset >= l.offset {
		l.column += utf8.RuneCount(f.Src[l.offset:offset])
	} else {
		l.column -= utf8.RuneCount(f.Src[offset:l.offset])
	}
	l.offset = offset
	return l.line + 1, l.column + 1
}

// inLine reports whether an offset is in the line of that index.
func (f *File) inLine(line int, offset int32) bool {
	return line < len(f.lines) && f.lines[line] <= offset && (line+1 == len(f.lines) || offset < f.lines[line+1])
}

// LineSpan returns the place of a line, counted from 1, without its line ending;
// an empty one where there is no such line.
func (f *File) LineSpan(line int) Span {
	if line < 1 || line > len(f.lines) {
		return Span{File: f}
	}
	start, end := f.lines[line-1], int32(len(f.Src))
	if line < len(f.lines) {
		end = f.lines[line] - 1
	}
	if end > start && f.Src[end-1] == '\r' {
		end--
	}
	return Span{File: f, Start: start, End: end}
}

// Line returns the text of a line, counted from 1, without its line ending;
// "" where there is no such line.
func (f *File) Line(line int) string { return f.LineSpan(line).Text() }

// Span is a stretch of a file: the bytes from Start up to End. The zero Span
// is no place.
type Span struct {
	File       *File
	Start, End int32
}

// Place returns the span itself; it makes every node that embeds a Span a Node.
func (s Span) Place() Span { return s }

// IsValid reports whether the span is a place.
func (s Span) IsValid() bool { return s.File != nil }

// Position returns where the span starts.
func (s Span) Position() Position {
	if s.File == nil {
		return Position{}
	}
	return s.File.Position(s.Start)
}

// EndPosition returns the place just behind the span.
func (s Span) EndPosition() Position {
	if s.File == nil {
		return Position{}
	}
	return s.File.Position(s.End)
}

// Text returns the source text of the span.
func (s Span) Text() string {
	if s.File == nil {
		return ""
	}
	return string(s.File.Src[s.Start:s.End])
}

// To returns the span from the start of s to the end of t.
func (s Span) To(t Span) Span { return Span{File: s.File, Start: s.Start, End: t.End} }
