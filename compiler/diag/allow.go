package diag

import (
	"bytes"
	"fmt"
	"strings"

	"reqon/compiler/syntax"
)

// allowed is what one comment silences.
type allowed struct {
	file *syntax.File
	line int
	code string
}

// ApplyAllows returns the diagnostics without those that a comment of the trees
// silences:
//
//	// reqon:allow RQ0403, RQ0406 -- the reason
//
// silences the named warnings and infos of the next line; lines that hold
// nothing but a comment are passed over, so that comments can be stacked.
// Errors can't be silenced: naming one, or an unknown code, adds a warning.
func ApplyAllows(ds []Diagnostic, trees []*syntax.SourceTree) []Diagnostic {
	silenced := map[allowed]bool{}
	var complaints []Diagnostic
	for _, t := range trees {
		complaints = append(complaints, collectAllows(t, silenced)...)
	}
	if len(silenced) == 0 && len(complaints) == 0 {
		return ds
	}
	kept := make([]Diagnostic, 0, len(ds))
	for _, d := range ds {
		if d.Severity != Error && d.Span.IsValid() &&
			silenced[allowed{d.Span.File, d.Span.Position().Line, d.Code}] {
			continue
		}
		kept = append(kept, d)
	}
	return append(kept, complaints...)
}

func collectAllows(t *syntax.SourceTree, silenced map[allowed]bool) (complaints []Diagnostic) {
	code := codeLines(t)
	for _, c := range t.Comments {
		words, ok := directiveWords(c)
		if !ok {
			continue
		}
		line := c.EndPosition().Line + 1
		if next, ok := code[line]; ok {
			line = next
		}
		for _, w := range words {
			if problem := allowProblem(w.text); problem != "" {
				d := New(CodeUnknownAllow, w.span, problem)
				if near := nearestCode(w.text); near != "" {
					d.Suggestion = fmt.Sprintf("did you mean `%s`?", near)
				}
				complaints = append(complaints, d)
				continue
			}
			silenced[allowed{t.File, line, w.text}] = true
		}
	}
	return complaints
}

func allowProblem(code string) string {
	c := Lookup(code)
	switch {
	case code == "":
		return "`reqon:allow` names no code; write the codes to silence behind it, such as `reqon:allow RQ0403`"
	case c == nil:
		return fmt.Sprintf("`%s` is no code of a diagnostic", code)
	case c.Severity == Error:
		return fmt.Sprintf("`%s` is an error, and errors can't be silenced", code)
	}
	return ""
}

// codeLines gives, for each line that holds nothing but comments, the next line
// that is none of those. It looks at each byte of the source a few times at most,
// however many comments a line has.
func codeLines(t *syntax.SourceTree) map[int]int {
	code := map[int]int{}
	var runs [][2]int // of lines, in order; those that touch are one
	for i := 0; i < len(t.Comments); {
		first, last := t.Comments[i], t.Comments[i]
		for i++; i < len(t.Comments) && isBlank(t.File.Src[last.End:t.Comments[i].Start]); i++ {
			last = t.Comments[i]
		}
		if !startsLine(t.File.Src[:first.Start]) || !endsLine(t.File.Src[last.End:]) {
			continue // code stands before or behind it
		}
		from, to := first.Position().Line, last.EndPosition().Line
		if n := len(runs); n > 0 && runs[n-1][1]+1 >= from {
			runs[n-1][1] = to
		} else {
			runs = append(runs, [2]int{from, to})
		}
	}
	for _, r := range runs {
		for line := r[0]; line <= r[1]; line++ {
			code[line] = r[1] + 1
		}
	}
	return code
}

// isBlank reports whether text is white space of one line.
func isBlank(text []byte) bool {
	return len(bytes.TrimLeft(text, " \t\r")) == 0
}

// startsLine reports whether what follows text is the first on its line.
func startsLine(text []byte) bool {
	text = bytes.TrimRight(text, " \t\r")
	return len(text) == 0 || text[len(text)-1] == '\n' || bytes.HasSuffix(text, []byte("\ufeff"))
}

// endsLine reports whether what stands before text is the last on its line.
func endsLine(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r")
	return len(text) == 0 || text[0] == '\n'
}

type allowWord struct {
	text string
	span syntax.Span
}

// directiveWords returns the codes behind `reqon:allow` in a comment, at least
// one (which is "" where none is named); ok is false for other comments.
func directiveWords(c syntax.Comment) (words []allowWord, ok bool) {
	const marker = "reqon:allow"
	text := strings.TrimSuffix(c.Span.Text(), "*/")
	if len(text) < 2 {
		return nil, false
	}
	body := strings.TrimLeft(text[2:], " \t")
	rest, ok := strings.CutPrefix(body, marker)
	if !ok || (rest != "" && !strings.ContainsAny(rest[:1], " \t:,\r\n")) {
		return nil, false
	}
	reason := strings.Index(rest, "--")
	if reason >= 0 {
		rest = rest[:reason]
	}
	offset := len(text) - len(body) + len(marker) // of rest in text
	for i := 0; i < len(rest); {
		n := strings.IndexAny(rest[i:], " \t:,\r\n")
		if n < 0 {
			n = len(rest) - i
		}
		if n > 0 {
			start := c.Start + int32(offset+i)
			words = append(words, allowWord{rest[i : i+n], syntax.Span{File: c.File, Start: start, End: start + int32(n)}})
		}
		i += n + 1
	}
	if len(words) == 0 {
		words = []allowWord{{"", c.Span}}
	}
	return words, true
}

// nearestCode returns the code that differs from text only in the case of its
// letters or lacks a zero, "" if there is none.
func nearestCode(text string) string {
	digits := strings.TrimLeft(strings.ToUpper(text), "RQ")
	for len(digits) > 0 && len(digits) < 4 {
		digits = "0" + digits
	}
	if c := Lookup("RQ" + digits); c != nil && c.Code != text && c.Severity != Error {
		return c.Code
	}
	return ""
}
