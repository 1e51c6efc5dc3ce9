// Package format lays out source canonically, without changing what it says.
//
// It works on the words of the source, not on a tree printed anew: texts,
// numbers, quotes, parentheses and comments are taken over as their author
// wrote them, and only the white space and the commas between them are made.
// The tree tells what the words are.
//
// # The layout
//
//   - Two spaces for each level, one space between words, none within `( )` and
//     `[ ]` and one within `{ }`; `{}` where nothing is in it.
//   - A list in braces is on one line if it was and fits into 100 columns; else
//     each item has its own line. A mission's items always have. A list that
//     holds a line break anywhere within is not on one line.
//   - What is in `( )` or `[ ]` is broken where its author broke it, and then
//     behind the opening and before the closing one too; one that is too long
//     and holds no braces to break has each item on its own line.
//   - Commas stand only where they are needed: between items on one line, and
//     between those in `( )` and `[ ]`. None is behind a line in braces, save
//     where the next line would go on with the item, and none behind the last
//     item. Steps on one line have commas between them.
//   - Other line breaks, such as those before an operator, stay, one level in;
//     `{`, and the `else` and `or` behind a `}`, go on with the line before.
//   - Of several blank lines between items one stays; there are none behind an
//     opening and before a closing brace.
//   - A comment stays at the end of its line, on a line of its own or between
//     the words where it stood. Lines of a block comment move with the first.
//   - No white space ends a line, lines end with LF, the file with one of them,
//     and it starts without a byte order mark. Within templates and raw
//     texts the text counts, so there only CRLF becomes LF, which says the same.
//
// A line below a `reqon:allow` comment is not broken for its length: the comment
// is for what stands on that line.
package format

import (
	"reqon/compiler/syntax"
)

// CodeUnlike is the code of the error that tells that the layout of a file
// would have changed what it says. No source is known for which it would.
const CodeUnlike = "RQ0199"

// Source returns the canonical layout of a source file; name is for errors. If
// the source has syntax errors, those are returned and nothing is formatted.
func Source(name string, src []byte) ([]byte, []*syntax.Error) {
	file := syntax.NewFile(name, src)
	tree, errs := syntax.Parse(file)
	if len(errs) > 0 {
		return nil, errs
	}
	out := layout(tree, width)
	again, errs := syntax.Parse(syntax.NewFile(name, out))
	if len(errs) > 0 || !syntax.Equal(tree, again) || len(tree.Comments) != len(again.Comments) {
		return nil, []*syntax.Error{{
			Span: syntax.Span{File: file}, Code: CodeUnlike,
			Msg:        "the layout of this file would change what it says, so it was left as it is",
			Suggestion: "this is a fault of the formatter: please report it with the file",
		}}
	}
	return out, nil
}

// width is how many columns (code points) a line should have at most.
const width = 100

// layout returns the layout of a file that was read without errors, for lines
// of that width.
func layout(tree *syntax.SourceTree, width int) []byte {
	s := scan(tree)
	s.width = width
	s.assignRoles(tree)
	s.pairUp()
	s.keepBreaks()
	for {
		s.spread()
		s.holdArms()
		out := s.write()
		if !s.breakLong() {
			return out
		}
	}
}
