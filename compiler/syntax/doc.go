// Package syntax turns source text into a tree: positions, tokens, lexer, the
// tree's nodes, the parser (recursive descent for declarations and steps, Pratt
// for expressions) and a printer that writes a tree back as source.
//
// # Words
//
// The lexer knows no keywords. It notes which word an identifier may be, and
// the parser decides by place: a step starts with a step's word, an operator
// follows on an operand, and in front of a colon every word is a key. Only the
// reserved words of language definition, section 2, name no variable.
//
// # Lines
//
// A new line ends nothing by itself: an expression goes on as long as an
// operator or a dot follows. These are the places where lines count, each
// because the text would mean two things otherwise:
//
//   - the `(` of a call and the `[` of an index stand on the line of what they
//     follow on;
//   - the message of `abort`, the source of a request and the level of `log`
//     are recognised by what follows on their line;
//   - a comma may be left out between two items in braces where the second
//     starts a line;
//   - in a match arm, a line that could go on with the arm's value (`- .`, or
//     an operator that is a function too, such as `contains (`) starts the next
//     arm if an arrow stands on it, and a `{` that starts a line is a pattern.
//
// # Mistakes
//
// See parser for how it gives up and goes on, and codes.go for the kinds of
// mistakes. Two rules keep one mistake from setting off others: of several
// errors at one place the first is reported, and what follows from a `}` too
// many or a template without end is not.
package syntax
