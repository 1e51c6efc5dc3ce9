package diag

import "reqon/compiler/syntax"

// syntaxCodes returns the codes of the parser. All of them are errors.
func syntaxCodes() []Code {
	titles := []struct{ code, title string }{
		{syntax.CodeInvalidUTF8, "a byte that is not UTF-8"},
		{syntax.CodeNUL, "a NUL byte"},
		{syntax.CodeCharacter, "a character that means nothing where it stands"},
		{syntax.CodeStringOpen, "a string that its line does not close"},
		{syntax.CodeEscape, "an escape that is not one of JSON's, or half a surrogate pair"},
		{syntax.CodeControl, "a control character in a string"},
		{syntax.CodeTemplateOpen, "a template, a `{` in one, or a raw text that is not closed"},
		{syntax.CodeCommentOpen, "a comment that is not closed"},
		{syntax.CodeNumber, "a malformed number or duration"},
		{syntax.CodeTemplateBrace, "a lone `}` in the text of a template or path"},
		{syntax.CodeTemplateComment, "a comment within a template or path"},
		{syntax.CodeTooLarge, "a file that is too large, or of more than 3145728 words and marks"},
		{syntax.CodeTooDeep, "nesting deeper than 500 levels"},
		{syntax.CodeTooMany, "more errors than are shown"},
		{syntax.CodeUnexpected, "something else stands where one certain thing must"},
		{syntax.CodeUnclosed, "a `{`, `(` or `[` without its other half"},
		{syntax.CodeUnmatched, "a `}`, `)` or `]` too many"},
		{syntax.CodeSeparator, "neither a comma nor a new line between two items"},
		{syntax.CodeReserved, "a reserved word as a name"},
		{syntax.CodeArrow, "the wrong one of `->`, `=>` and `:`"},
		{syntax.CodeExpression, "no expression where one must be"},
		{syntax.CodeChain, "comparisons in a chain"},
		{syntax.CodeAssign, "`=` where `==` is meant"},
		{syntax.CodeOperator, "an operator of another language"},
		{syntax.CodeParens, "an operand that needs parentheses"},
		{syntax.CodeLambda, "a lambda that is no argument"},
		{syntax.CodeCall, "a call of something other than a name"},
		{syntax.CodePipe, "`|` without a call behind it"},
		{syntax.CodeIs, "`is` without a type's name behind it"},
		{syntax.CodeElse, "an `if` expression without `else`"},
		{syntax.CodeField, "no field name behind a dot"},
		{syntax.CodeKey, "no key, or no value, where `key: value` must be"},
		{syntax.CodePattern, "no pattern where one must be"},
		{syntax.CodeType, "no type where one must be"},
		{syntax.CodeOptional, "a `?` that is not behind the whole type of a field, or a second one"},
		{syntax.CodeStep, "no step where one must be"},
		{syntax.CodeElseIf, "`elif` and its kin, or an `else` without `if`"},
		{syntax.CodeChoice, "not one of the few words that may stand there"},
		{syntax.CodeTwice, "a clause that is there already"},
		{syntax.CodeDeclaration, "no declaration where one must be"},
		{syntax.CodeMisplaced, "a declaration or step in the wrong place"},
		{syntax.CodeDuplicate, "a second schedule or `run` in a mission"},
		{syntax.CodeSchedule, "a malformed schedule"},
	}
	codes := make([]Code, len(titles))
	for i, t := range titles {
		codes[i] = Code{t.code, Error, StageSyntax, t.title}
	}
	return codes
}
