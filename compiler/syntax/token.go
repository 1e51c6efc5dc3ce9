package syntax

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	tEOF tokenKind = iota
	tBad           // something the lexer has reported already
	tIdent
	tNumber
	tString
	tTemplate     // `text`
	tTemplateHead // `text{
	tTemplateMid  // }text{
	tTemplateTail // }text`
	tLBrace
	tRBrace
	tLParen
	tRParen
	tLBrack
	tRBrack
	tComma
	tColon
	tDot
	tSpread   // ...
	tArrow    // ->
	tFatArrow // =>
	tAssign   // =
	tEq       // ==
	tNe       // !=
	tLt
	tLe
	tGt
	tGe
	tQuestion // ?
	tCoalesce // ??
	tPipe     // |
	tPlus
	tMinus
	tStar
	tSlash
	tPercent

	// Operators of other languages; the parser names Reqon's.
	tBang   // !
	tAndAnd // &&
	tOrOr   // ||
	tEqEqEq // ===
	tNeEqEq // !==
)

var tokenText = [...]string{
	tLBrace: "{", tRBrace: "}", tLParen: "(", tRParen: ")", tLBrack: "[", tRBrack: "]",
	tComma: ",", tColon: ":", tDot: ".", tSpread: "...", tArrow: "->", tFatArrow: "=>",
	tAssign: "=", tEq: "==", tNe: "!=", tLt: "<", tLe: "<=", tGt: ">", tGe: ">=",
	tQuestion: "?", tCoalesce: "??", tPipe: "|", tPlus: "+", tMinus: "-", tStar: "*",
	tSlash: "/", tPercent: "%", tBang: "!", tAndAnd: "&&", tOrOr: "||", tEqEqEq: "===", tNeEqEq: "!==",
}

// token is a token: where it stands, and what the parser needs to know to
// decide without looking at the text.
type token struct {
	start, end int32
	kind       tokenKind
	word       word // tIdent: which contextual word it may be
	nl         bool // the first token of its line
	flags      tokenFlags
}

type tokenFlags uint8

const (
	flagEscaped tokenFlags = 1 << iota // text holds escapes or doubled braces
	flagBad                            // an error has been reported about the inside of it
	flagBrace                          // a string with a brace in it: may be a path to interpolate
	flagRaw                            // a string that is a raw text
)

// word is an identifier that means something in some place. Only the parser
// knows whether that place is here.
type word uint8

const (
	wNone word = iota

	// Reserved: these can't name a variable (language definition, section 2).
	wTrue
	wFalse
	wNull
	wAnd
	wOr
	wNot
	wIn
	wIs
	wIf
	wThen
	wElse
	wMatch

	// Operators that are words, besides and, or, not, in, is.
	wContains
	wStartsWith
	wEndsWith
	wMatches
	wWhere

	// Steps, besides if and match.
	wGet
	wPost
	wPut
	wPatch
	wDelete
	wCall
	wLet
	wFor
	wMap
	wApply
	wValidate
	wStore
	wClear
	wCheckpoint
	wReset
	wRun
	wLog
	wWait
	wPause
	wContinue
	wSkip
	wAbort
	wRetry
	wQueue
	wJump

	// Declarations, besides store and run.
	wMission
	wSchedule
	wParam
	wSource
	wSchema
	wTransform
	wAction
)

// reserved reports whether the word can't name a variable.
func (w word) reserved() bool { return w >= wTrue && w <= wMatch }

// step reports whether the word starts a step.
// method reports whether the word is the method of a request.
func (w word) method() bool { return w >= wGet && w <= wDelete }

func (w word) step() bool { return w >= wGet && w <= wJump || w == wIf || w == wMatch }

// operator reports whether the word is an infix operator.
func (w word) operator() bool {
	return w >= wContains && w <= wWhere || w == wAnd || w == wOr || w == wIn || w == wIs
}

// declaration reports whether the word starts a declaration and nothing else.
func (w word) declaration() bool { return w >= wMission && w <= wAction }

// wordOf returns which word an identifier may be.
func wordOf(s string) word {
	switch s {
	case "true":
		return wTrue
	case "false":
		return wFalse
	case "null":
		return wNull
	case "and":
		return wAnd
	case "or":
		return wOr
	case "not":
		return wNot
	case "in":
		return wIn
	case "is":
		return wIs
	case "if":
		return wIf
	case "then":
		return wThen
	case "else":
		return wElse
	case "match":
		return wMatch
	case "contains":
		return wContains
	case "startsWith":
		return wStartsWith
	case "endsWith":
		return wEndsWith
	case "matches":
		return wMatches
	case "where":
		return wWhere
	case "get":
		return wGet
	case "post":
		return wPost
	case "put":
		return wPut
	case "patch":
		return wPatch
	case "delete":
		return wDelete
	case "call":
		return wCall
	case "let":
		return wLet
	case "for":
		return wFor
	case "map":
		return wMap
	case "apply":
		return wApply
	case "validate":
		return wValidate
	case "store":
		return wStore
	case "clear":
		return wClear
	case "checkpoint":
		return wCheckpoint
	case "reset":
		return wReset
	case "run":
		return wRun
	case "log":
		return wLog
	case "wait":
		return wWait
	case "pause":
		return wPause
	case "continue":
		return wContinue
	case "skip":
		return wSkip
	case "abort":
		return wAbort
	case "retry":
		return wRetry
	case "queue":
		return wQueue
	case "jump":
		return wJump
	case "mission":
		return wMission
	case "schedule":
		return wSchedule
	case "param":
		return wParam
	case "source":
		return wSource
	case "schema":
		return wSchema
	case "transform":
		return wTransform
	case "action":
		return wAction
	}
	return wNone
}

// stepWords are the words that start a step, for suggestions.
func stepWords() []string {
	return []string{
		"get", "post", "put", "patch", "delete", "call", "let", "for", "map", "apply", "validate",
		"store", "clear", "checkpoint", "reset", "match", "if", "run", "log", "wait", "pause",
		"continue", "skip", "abort", "retry", "queue", "jump",
	}
}

// declWords are the words that start an item of a mission, for suggestions.
func declWords() []string {
	return []string{"schedule", "param", "source", "store", "schema", "transform", "action", "run"}
}
