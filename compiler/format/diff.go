package format

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
)

// context is how many unchanged lines stand around each change of a Diff.
const context = 3

// maxTable bounds a stretch that is compared line by line: how many lines of
// one text there are times how many of the other.
const maxTable = 1 << 18

// Diff returns the unified diff from a to b, both called name, or "" if they
// are equal. Lines that are there once in a and once in b and in the same order
// are taken for the same, with all equal ones around them, and between those the
// most lines that can be: that reads well, and takes time in proportion to
// n log n for n lines and no more than maxTable for each stretch between.
func Diff(name string, a, b []byte) string {
	if bytes.Equal(a, b) {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	edits := compare(splitLines(a), splitLines(b))
	for from := 0; from < len(edits); {
		if edits[from].op == ' ' {
			from++
			continue
		}
		to := from + 1 // behind the last change of the hunk
		for i := to; i < len(edits) && i < to+2*context+1; i++ {
			if edits[i].op != ' ' {
				to = i + 1
			}
		}
		writeHunk(&out, edits, max(0, from-context), min(len(edits), to+context))
		from = to
	}
	return out.String()
}

// edit is a line that is in both (' '), only in the old ('-') or only in the
// new ('+').
type edit struct {
	op   byte
	text string
	a, b int // how many lines of either come before
}

// writeHunk writes the edits from..to.
func writeHunk(out *strings.Builder, edits []edit, from, to int) {
	var countA, countB int
	for _, e := range edits[from:to] {
		if e.op != '+' {
			countA++
		}
		if e.op != '-' {
			countB++
		}
	}
	// An empty range is named by the line before it.
	startA, startB := edits[from].a+min(1, countA), edits[from].b+min(1, countB)
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n", startA, countA, startB, countB)
	for _, e := range edits[from:to] {
		out.WriteByte(e.op)
		out.WriteString(e.text)
		if !strings.HasSuffix(e.text, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

func splitLines(text []byte) []string {
	lines := strings.SplitAfter(string(text), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

// compare returns the edits that make b of a.
func compare(a, b []string) []edit {
	edits := make([]edit, 0, max(len(a), len(b)))
	i, j := 0, 0 // what is done
	change := func(x, y int) {
		for ; i < x; i++ {
			edits = append(edits, edit{'-', a[i], i, j})
		}
		for ; j < y; j++ {
			edits = append(edits, edit{'+', b[j], i, j})
		}
	}
	keep := func() {
		edits = append(edits, edit{' ', a[i], i, j})
		i++
		j++
	}
	same := func() {
		for i < len(a) && j < len(b) && a[i] == b[j] {
			keep()
		}
	}
	same()
	for _, anchor := range append(anchors(a, b), [2]int{len(a), len(b)}) {
		x, y := anchor[0], anchor[1]
		if x < i {
			continue // it was among those around the one before
		}
		for x > i && y > j && a[x-1] == b[y-1] {
			x--
			y--
		}
		x0, y0 := i, j
		for _, p := range common(a[i:x], b[j:y]) {
			change(x0+p[0], y0+p[1])
			keep()
		}
		change(x, y)
		same()
	}
	return edits
}

// common returns the places of the most lines that are in both texts in the
// same order, or none where the texts are too long to look for them.
func common(a, b []string) [][2]int {
	if len(a) == 0 || len(b) == 0 || len(a)*len(b) > maxTable {
		return nil
	}
	width := len(b) + 1
	most := make([]int32, (len(a)+1)*width) // in a[i:] and b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				most[i*width+j] = most[(i+1)*width+j+1] + 1
			} else {
				most[i*width+j] = max(most[(i+1)*width+j], most[i*width+j+1])
			}
		}
	}
	var found [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			found = append(found, [2]int{i, j})
			i++
			j++
		case most[(i+1)*width+j] > most[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return found
}

// anchors returns the longest run of lines, by where they are in a and b, that
// are there once in both and come in the same order (patience diff).
func anchors(a, b []string) [][2]int {
	type places struct{ inA, inB, x, y int }
	found := map[string]*places{}
	at := func(line string) *places {
		p := found[line]
		if p == nil {
			p = &places{}
			found[line] = p
		}
		return p
	}
	for i, line := range a {
		p := at(line)
		p.inA, p.x = p.inA+1, i
	}
	for i, line := range b {
		p := at(line)
		p.inB, p.y = p.inB+1, i
	}
	var once [][2]int // in the order of a
	for i, line := range a {
		if p := found[line]; p.inA == 1 && p.inB == 1 {
			once = append(once, [2]int{i, p.y})
		}
	}
	// The longest increasing subsequence of the places in b: ends[n] is the
	// line with the smallest place that ends one of n+1 lines.
	var ends []int
	before := make([]int, len(once))
	for k, p := range once {
		n := sort.Search(len(ends), func(n int) bool { return once[ends[n]][1] >= p[1] })
		before[k] = -1
		if n > 0 {
			before[k] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, k)
		} else {
			ends[n] = k
		}
	}
	run := make([][2]int, len(ends))
	if len(ends) > 0 {
		for n, k := len(ends)-1, ends[len(ends)-1]; n >= 0; n, k = n-1, before[k] {
			run[n] = once[k]
		}
	}
	return run
}
