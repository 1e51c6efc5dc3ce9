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
}

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
	return f
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
	return Position{File: f.Name, Line: line + 1, Column: utf8.RuneCount(f.Src[start:offset]) + 1}
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

// Line returns the text of a line, counted from 1, without its line ending;
// "" where there is no such line.
func (f *File) Line(line int) string {
	if line < 1 || line > len(f.lines) {
		return ""
	}
	start, end := int(f.lines[line-1]), len(f.Src)
	if line < len(f.lines) {
		end = int(f.lines[line]) - 1
	}
	if end > start && f.Src[end-1] == '\r' {
		end--
	}
	return string(f.Src[start:end])
}

// Lines returns how many lines the file has.
func (f *File) Lines() int { return len(f.lines) }

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
