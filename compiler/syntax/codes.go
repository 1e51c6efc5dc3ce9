package syntax

// The codes of syntax errors. A code is stable: it keeps its meaning over
// versions and is never used again for another mistake.
const (
	// The text as such.

	CodeInvalidUTF8     = "RQ0101" // a byte that is not UTF-8
	CodeNUL             = "RQ0102" // a NUL byte
	CodeCharacter       = "RQ0103" // a character that means nothing here
	CodeStringOpen      = "RQ0104" // a string that its line does not close
	CodeEscape          = "RQ0105" // an escape that is not one of JSON's, or half a surrogate pair
	CodeControl         = "RQ0106" // a control character in a string or raw text
	CodeTemplateOpen    = "RQ0107" // a template, a `{` in one, or a raw text that is not closed
	CodeCommentOpen     = "RQ0108" // a comment that is not closed
	CodeNumber          = "RQ0109" // a malformed number or duration
	CodeTemplateBrace   = "RQ0110" // a lone `}` in the text of a template or path
	CodeTemplateComment = "RQ0111" // a comment within a template or path
	CodeTooLarge        = "RQ0112" // a file of more than 1 GiB
	CodeTooDeep         = "RQ0113" // nesting deeper than 500 levels
	CodeTooMany         = "RQ0114" // more errors than are shown

	// Any construct.

	CodeUnexpected = "RQ0120" // something else stands where one certain thing must
	CodeUnclosed   = "RQ0121" // a `{`, `(` or `[` without its other half
	CodeUnmatched  = "RQ0122" // a `}`, `)` or `]` too many
	CodeSeparator  = "RQ0123" // neither a comma nor a new line between two items
	CodeReserved   = "RQ0124" // a reserved word as a name
	CodeArrow      = "RQ0125" // the wrong one of `->`, `=>` and `:`

	// Expressions.

	CodeExpression = "RQ0130" // no expression where one must be
	CodeChain      = "RQ0131" // comparisons in a chain
	CodeAssign     = "RQ0132" // `=` where `==` is meant
	CodeOperator   = "RQ0133" // an operator of another language
	CodeParens     = "RQ0134" // an operand that needs parentheses
	CodeLambda     = "RQ0135" // a lambda that is no argument
	CodeCall       = "RQ0136" // a call of something other than a name
	CodePipe       = "RQ0137" // `|` without a call behind it
	CodeIs         = "RQ0138" // `is` without a type's name behind it
	CodeElse       = "RQ0139" // an `if` expression without `else`
	CodeField      = "RQ0140" // no field name behind a dot
	CodeKey        = "RQ0141" // no key, or no value, where `key: value` must be

	// Patterns and types.

	CodePattern  = "RQ0150" // no pattern where one must be
	CodeType     = "RQ0151" // no type where one must be
	CodeOptional = "RQ0152" // a `?` that is not behind the whole type of a field, or a second one

	// Steps.

	CodeStep   = "RQ0160" // no step where one must be
	CodeElseIf = "RQ0161" // `elif` and its kin, or an `else` without `if`
	CodeChoice = "RQ0162" // not one of the few words that may stand here
	CodeTwice  = "RQ0163" // a clause that is there already

	// Declarations.

	CodeDeclaration = "RQ0170" // no declaration where one must be
	CodeMisplaced   = "RQ0171" // a declaration or step in the wrong place
	CodeDuplicate   = "RQ0172" // a second schedule or `run` in a mission
	CodeSchedule    = "RQ0173" // a malformed schedule
)

// Error is a syntax error: where, what was found and what was expected, and
// what to do about it.
type Error struct {
	Span
	Code       string // one of the Code constants
	Msg        string // one line, no period
	Suggestion string // what to write instead; "" where nothing likely is known
	Notes      []Note
}

// Note points at another place that matters to an Error.
type Note struct {
	Span
	Msg string
}

// Error returns `file:line:column: message [code]`.
func (e *Error) Error() string {
	at := e.Position()
	return at.File + ":" + itoa(at.Line) + ":" + itoa(at.Column) + ": " + e.Msg + " [" + e.Code + "]"
}
