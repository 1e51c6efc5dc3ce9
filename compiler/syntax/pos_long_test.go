package syntax

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestColumnsOfLongLines holds the columns of a long line, of characters of all
// lengths and of bytes that are none, against a count of the whole line.
func TestColumnsOfLongLines(t *testing.T) {
	for _, unit := range []string{"a", "é", "漢", "🦓", "a漢🦓é", "\x80", "a\xe6\xbc", "\xf0\x9f🦓\x80\x80\x80\x80\x80"} {
		src := "first\n" + strings.Repeat(unit, 5000) + "\nlast"
		f := NewFile("a.reqon", []byte(src))
		start := len("first\n")
		end := len(src) - len("\nlast")
		for offset := start; offset <= end; offset += 37 {
			for offset < end && !utf8.RuneStart(src[offset]) {
				offset++
			}
			want := Position{File: "a.reqon", Line: 2, Column: utf8.RuneCountInString(src[start:offset]) + 1}
			if got := f.Position(int32(offset)); got != want {
				t.Fatalf("%q: %d is %v, want %v", unit, offset, got, want)
			}
		}
	}
}

// TestFarColumnIsCheap: a column far into a line takes as little of the file as
// a near one, or thousands of mistakes in one long line would take minutes.
func TestFarColumnIsCheap(t *testing.T) {
	f := NewFile("a.reqon", []byte(strings.Repeat("a", 1<<20)))
	last := f.marks[len(f.marks)-1]
	if int(last.offset) != len(f.Src) || int(last.points) != len(f.Src) {
		t.Errorf("the last mark is %+v", last)
	}
	for i, m := range f.marks[1:] {
		if gap := m.offset - f.marks[i].offset; gap > columnBlock+utf8.UTFMax {
			t.Fatalf("%d bytes between two marks", gap)
		}
	}
}
