package syntax

// Node is a part of the tree: it knows its place in the source.
type Node interface{ Place() Span }

// Ident is a name where it is declared or used.
type Ident struct {
	Span
	Name string
}

// SourceTree is one parsed file.
type SourceTree struct {
	File     *File
	Missions []*Mission
	Loose    []Decl // top-level action, schema and transform declarations
	Comments []Comment
}

// Comment is one comment of the file, with its marks.
type Comment struct {
	Span
	Text string
}

// Mission is one mission. Items holds everything in its body in source order;
// the other fields hold the same items by kind.
type Mission struct {
	Span
	Name  *Ident
	Items []Decl

	Schedule   *Schedule // nil if there is none
	Options    []*Option // timeout, parallelMode, maxParallel, skipIfRunning, checkpoint, …
	Params     []*Param
	Sources    []*Source
	Stores     []*Store
	Schemas    []*Schema
	Transforms []*Transform
	Actions    []*Action
	Run        *Pipeline // nil: all actions in order
}

// Decl is a declaration in a mission or a loose one.
type Decl interface {
	Node
	decl()
}

func (*Option) decl()    {}
func (*Schedule) decl()  {}
func (*Param) decl()     {}
func (*Source) decl()    {}
func (*Store) decl()     {}
func (*Schema) decl()    {}
func (*Transform) decl() {}
func (*Action) decl()    {}
func (*Pipeline) decl()  {}

// Option is `key: value` in an option block or a mission. A value that is
// a bare word is an *Name; which options take words is the checker's matter.
// Key keeps the text of a quoted key.
type Option struct {
	Span
	Key   *Ident
	Value Expr
	Block *Options // of `since: lastSync { … }`, else nil
}

// Options is an option block `{ a: 1, b: 2 }`. A nil *Options is none.
type Options struct {
	Span
	Entries []*Option
}

// SinceOptions are the options of the block behind the value of `since`, and what
// each is called where it stands beside `since`.
var SinceOptions = [...][2]string{
	{"param", "sinceParam"}, {"header", "sinceHeader"}, {"format", "sinceFormat"}, {"zone", "sinceZone"}, {"updateFrom", "updateFrom"},
}

// Get returns the option of that name, or nil. What the block behind `since` says
// counts as if it stood beside it.
func (o *Options) Get(name string) *Option {
	if o == nil {
		return nil
	}
	for _, e := range o.Entries {
		if e.Key.Name == name {
			return e
		}
	}
	for _, e := range o.Entries {
		if e.Block == nil {
			continue
		}
		for _, s := range SinceOptions {
			if s[1] == name {
				return e.Block.Get(s[0])
			}
		}
	}
	return nil
}

// All returns the options, with those of the block behind `since` as if they stood
// beside it.
func (o *Options) All() []*Option {
	if o == nil {
		return nil
	}
	list := o.Entries
	for _, e := range o.Entries {
		if e.Block == nil {
			continue
		}
		list = list[:len(list):len(list)]
		for _, b := range e.Block.Entries {
			for _, s := range SinceOptions {
				if s[0] == b.Key.Name {
					list = append(list, &Option{Span: b.Span, Key: &Ident{Span: b.Key.Span, Name: s[1]}, Value: b.Value})
				}
			}
		}
	}
	return list
}

// ScheduleKind is the form of a schedule.
type ScheduleKind uint8

// The forms of a schedule (language definition, section 5).
const (
	ScheduleEvery ScheduleKind = iota
	ScheduleCron
	ScheduleAt
)

// Schedule is the mission's `schedule:`.
type Schedule struct {
	Span
	Kind    ScheduleKind
	Count   int64      // every: the N
	Unit    *Ident     // every: second, minutes, … as written
	Text    *StringLit // cron, at
	Options *Options   // the block behind it; may be nil
}

// Param is `param name: type = default`.
type Param struct {
	Span
	Name    *Ident
	Type    TypeExpr
	Default Expr // nil: it must be given
}

// Source is `source Name { … }` or `source Name from "./openapi.yaml" { … }`.
type Source struct {
	Span
	Name    *Ident
	From    *StringLit // nil without `from`
	Options *Options
	Login   *Login // nil without `login { … }`
}

// Login is the block `login { post "/session" { … } headers: … }` of a source:
// one request, and what is made of its answer.
type Login struct {
	Span
	Word    *Ident
	Request *FetchStep // nil if there is none, which is an error
	Options *Options
}

// Store is `store name: adapter("target") { … }`. Adapter is a *CallExpr, a
// *Name, or a choice (*CondExpr, *MatchExpr) between such.
type Store struct {
	Span
	Name    *Ident
	Adapter Expr
	Options *Options
}

// Schema is `schema Name { … }`.
type Schema struct {
	Span
	Name *Ident
	Body *ObjectType
}

// Transform is `transform Name: Src -> Dst { … }` and its other forms. The
// forms without variants have one Variant whose Pattern is nil.
type Transform struct {
	Span
	Name     *Ident
	Src      TypeExpr // nil if not given
	Variants []*Variant
	Listed   bool // written as a list of variants in braces
}

// Variant is one way of a transform: `(A) where c -> Dst { … }`.
type Variant struct {
	Span
	Pattern Pattern // nil in the forms without variants
	Where   Expr    // nil without `where`
	Dst     *Ident  // nil where it is left out
	Body    *ObjectExpr
}

// Action is `action Name { … }`.
type Action struct {
	Span
	Name *Ident
	Body *Block
}

// Pipeline is the mission's `run A then [B, C] then D if cond`.
type Pipeline struct {
	Span
	Stages []*Stage
}

// Stage is one stage of a pipeline.
type Stage struct {
	Span
	Actions []*Ident
	Bracket bool // written in brackets: side by side
	Cond    Expr // nil without `if`
}

// ---- types

// TypeExpr is a type of a schema field or a param, or what stands behind `is`.
type TypeExpr interface {
	Node
	typeExpr()
}

func (*NamedType) typeExpr()   {}
func (*ArrayType) typeExpr()   {}
func (*ObjectType) typeExpr()  {}
func (*LiteralType) typeExpr() {}
func (*UnionType) typeExpr()   {}

// NamedType is a built-in type or a schema's name.
type NamedType struct {
	Span
	Name string
}

// ArrayType is `array<T>` or `[T]`.
type ArrayType struct {
	Span
	Elem TypeExpr
}

// ObjectType is `{ field: type, …Base }`.
type ObjectType struct {
	Span
	Fields []*FieldType
}

// FieldType is one field of an ObjectType, or (Spread set) an included schema.
type FieldType struct {
	Span
	Name     *Ident
	Type     TypeExpr
	Optional bool   // `T?`
	Spread   *Ident // `...Base`; Name and Type are nil
}

// LiteralType is a literal as a type: "open", 1, true, null.
type LiteralType struct {
	Span
	Value Expr // *StringLit, *NumberLit, *UnaryExpr (a negative number), *BoolLit, *NullLit
}

// UnionType is `A | B`.
type UnionType struct {
	Span
	Alts []TypeExpr
}

// ---- expressions

// Expr is an expression.
type Expr interface {
	Node
	expr()
}

func (*NullLit) expr()     {}
func (*BoolLit) expr()     {}
func (*NumberLit) expr()   {}
func (*StringLit) expr()   {}
func (*TemplateLit) expr() {}
func (*Name) expr()        {}
func (*SubjectExpr) expr() {}
func (*FieldExpr) expr()   {}
func (*IndexExpr) expr()   {}
func (*CallExpr) expr()    {}
func (*UnaryExpr) expr()   {}
func (*BinaryExpr) expr()  {}
func (*IsExpr) expr()      {}
func (*CondExpr) expr()    {}
func (*LambdaExpr) expr()  {}
func (*WhereExpr) expr()   {}
func (*ObjectExpr) expr()  {}
func (*ArrayExpr) expr()   {}
func (*MatchExpr) expr()   {}
func (*ParenExpr) expr()   {}
func (*BadExpr) expr()     {}

// NullLit is `null`.
type NullLit struct{ Span }

// BoolLit is `true` or `false`.
type BoolLit struct {
	Span
	Value bool
}

// NumberLit is a number or a duration. Text is the number without `_` and
// unit, as JSON would have it; a duration has its unit in Unit ("" if none)
// and stands for a number of milliseconds. A minus sign is a *UnaryExpr.
type NumberLit struct {
	Span
	Text string
	Unit string // "", ms, s, m, h, d, w
}

// StringLit is a plain string, or a raw text; Value has its escapes resolved,
// its indentation removed.
type StringLit struct {
	Span
	Value string
	Raw   bool
}

// TemplateLit is a template or a path literal with `{expr}` in it. Texts and
// Exprs alternate: Texts[0], Exprs[0], Texts[1], …; there is one Text more. A
// path with doubled braces alone has no Exprs.
type TemplateLit struct {
	Span
	Texts  []string
	Exprs  []Expr
	Quoted bool // a path in plain quotes, not backquotes
}

// Name is a use of a name: a variable, response, a store, a bare word.
type Name struct {
	Span
	Name string
}

// SubjectExpr is the subject, a lone `.`; `.field` is a FieldExpr on it.
type SubjectExpr struct{ Span }

// FieldExpr is `x.name`.
type FieldExpr struct {
	Span
	X    Expr
	Name *Ident
}

// IndexExpr is `x[i]`.
type IndexExpr struct {
	Span
	X, Index Expr
}

// CallForm is how a call was written.
type CallForm uint8

// The three ways to write f(x, a).
const (
	CallPlain  CallForm = iota // f(x, a)
	CallPipe                   // x | f(a)
	CallMethod                 // x.f(a)
)

// CallExpr is a call of a built-in function. With CallPipe and CallMethod the
// receiver is Args[0] already.
type CallExpr struct {
	Span
	Fun  *Ident
	Args []Expr
	Form CallForm
}

// UnaryExpr is `-x` or `not x`.
type UnaryExpr struct {
	Span
	Op Op
	X  Expr
}

// BinaryExpr is `x op y`.
type BinaryExpr struct {
	Span
	Op     Op
	OpSpan Span
	X, Y   Expr
}

// IsExpr is `x is T`. Type is a *NamedType, or for null a *LiteralType.
type IsExpr struct {
	Span
	X    Expr
	Type TypeExpr
}

// CondExpr is `if c then a else b` or `c ? a : b`.
type CondExpr struct {
	Span
	Cond, Then, Else Expr
	Question         bool // written with ? and :
}

// LambdaExpr is `x => e` or `(a, b) => e`; it stands only as an argument.
type LambdaExpr struct {
	Span
	Params []*Ident
	Body   Expr
}

// WhereExpr is `xs where cond`.
type WhereExpr struct {
	Span
	X, Cond Expr
}

// ObjectExpr is `{ a: 1, "b-c": 2, ...other }`.
type ObjectExpr struct {
	Span
	Entries []*ObjectEntry
}

// ObjectEntry is one entry of an ObjectExpr, or (Spread set) `...other`.
type ObjectEntry struct {
	Span
	Key    *Ident // Name keeps the text of a quoted key
	Value  Expr
	Spread Expr
}

// ArrayExpr is `[1, ...rest]`.
type ArrayExpr struct {
	Span
	Elems []*ArrayElem
}

// ArrayElem is one element of an ArrayExpr, or all of another array.
type ArrayElem struct {
	Span
	Value  Expr
	Spread bool
}

// MatchExpr is `match x { pattern => value }`, or without a subject
// `match { cond => value }`.
type MatchExpr struct {
	Span
	Subject Expr // nil without a subject
	Arms    []*MatchArm
}

// MatchArm is one arm of a MatchExpr. Without a subject Cond stands for the
// pattern (nil in the `_` arm, whose Pattern is a *WildcardPattern).
type MatchArm struct {
	Span
	Pattern Pattern
	Cond    Expr
	Where   Expr
	Value   Expr
}

// ParenExpr is an expression in parentheses.
type ParenExpr struct {
	Span
	X Expr
}

// BadExpr stands where an expression could not be parsed; an error has been
// reported for it.
type BadExpr struct{ Span }

// Op is an operator.
type Op uint8

// The operators, loosest first (language definition, section 4).
const (
	OpNone Op = iota
	OpOr
	OpAnd
	OpNot
	OpEq
	OpNe
	OpLt
	OpLe
	OpGt
	OpGe
	OpIn
	OpContains
	OpStartsWith
	OpEndsWith
	OpMatches
	OpCoalesce
	OpAdd
	OpSub
	OpMul
	OpDiv
	OpMod
	OpNeg
)

var opText = [...]string{
	OpNone: "", OpOr: "or", OpAnd: "and", OpNot: "not", OpEq: "==", OpNe: "!=",
	OpLt: "<", OpLe: "<=", OpGt: ">", OpGe: ">=", OpIn: "in", OpContains: "contains",
	OpStartsWith: "startsWith", OpEndsWith: "endsWith", OpMatches: "matches",
	OpCoalesce: "??", OpAdd: "+", OpSub: "-", OpMul: "*", OpDiv: "/", OpMod: "%", OpNeg: "-",
}

// String returns the operator as written.
func (op Op) String() string { return opText[op] }

// ---- patterns

// Pattern is a pattern of a match arm (language definition, section 6.2).
type Pattern interface {
	Node
	pattern()
}

func (*WildcardPattern) pattern() {}
func (*LiteralPattern) pattern()  {}
func (*SchemaPattern) pattern()   {}
func (*ArrayPattern) pattern()    {}
func (*ObjectPattern) pattern()   {}
func (*BindPattern) pattern()     {}

// WildcardPattern is `_`.
type WildcardPattern struct{ Span }

// LiteralPattern is a literal: string, number (a negative one is a *UnaryExpr),
// boolean, null.
// A number against response after a request is its HTTP status.
type LiteralPattern struct {
	Span
	Value Expr
}

// SchemaPattern is a schema's name (upper-case first letter), or a built-in
// type's name where that is written `is`-like; `[Schema]` has Each set.
type SchemaPattern struct {
	Span
	Name *Ident
	Each bool
}

// ArrayPattern is `[]`, `[a, b]`, `[first, ...rest]`.
type ArrayPattern struct {
	Span
	Elems []Pattern
	Rest  *Ident // nil without `...rest`; Name "_" binds nothing
}

// ObjectPattern is `{ key: pattern, … }`.
type ObjectPattern struct {
	Span
	Fields []*FieldPattern
}

// FieldPattern is one field of an ObjectPattern. `{ id }` is short for
// `{ id: id }`.
type FieldPattern struct {
	Span
	Key     *Ident
	Pattern Pattern
}

// BindPattern is a lower-case name, which binds.
type BindPattern struct {
	Span
	Name *Ident
}

// ---- steps

// Step is a step of an action (language definition, section 6).
type Step interface {
	Node
	step()
}

func (*FetchStep) step()      {}
func (*LetStep) step()        {}
func (*ForStep) step()        {}
func (*MapStep) step()        {}
func (*ApplyStep) step()      {}
func (*ValidateStep) step()   {}
func (*StoreStep) step()      {}
func (*DeleteStep) step()     {}
func (*ClearStep) step()      {}
func (*CheckpointStep) step() {}
func (*ResetStep) step()      {}
func (*MatchStep) step()      {}
func (*IfStep) step()         {}
func (*RunStep) step()        {}
func (*LogStep) step()        {}
func (*WaitStep) step()       {}
func (*PauseStep) step()      {}
func (*DirectiveStep) step()  {}
func (*BadStep) step()        {}

// Block is `{ step … }`. A single step that stands where a block may (an arm
// `404 -> skip`) is a Block without Braces.
type Block struct {
	Span
	Steps  []Step
	Braces bool
}

// FetchStep is a request: `get [Source] path { options }`, or
// `call Source.operationId { options }`.
type FetchStep struct {
	Span
	Method    string // upper case; "" for call
	Source    *Ident // nil: the `source` option, else the first source
	Path      Expr   // *StringLit, *TemplateLit, or any expression; nil for call
	Operation *Ident // call only; may be written as a string, and then be no name
	Options   *Options
}

// LetStep is `let x = expr`.
type LetStep struct {
	Span
	Name  *Ident
	Value Expr
}

// ForStep is `for x in expr [where c] [concurrency N] [onError policy] { … }`.
type ForStep struct {
	Span
	Var         *Ident
	In          Expr
	Where       Expr   // nil without
	Concurrency Expr   // nil without
	OnError     *Ident // continue, skip, abort, queue; nil without
	Queue       *Ident // the store of `onError queue s`
	Body        *Block
}

// MapStep is `map expr -> Name { … }`; Source is nil in `map { … } -> Name`.
type MapStep struct {
	Span
	Source Expr
	Name   *Ident
	Body   *ObjectExpr
}

// ApplyStep is `apply T to expr [as x]`.
type ApplyStep struct {
	Span
	Transform *Ident
	To        Expr
	As        *Ident // nil without
}

// ValidateStep is `validate [expr] { … } [or { … }]`.
type ValidateStep struct {
	Span
	Target Expr // nil without
	Rules  []*Rule
	Or     *Block // nil without
}

// Rule is `assume cond [: message]` or `warn cond [: message]`.
type Rule struct {
	Span
	Warn    bool
	Cond    Expr
	Message Expr // nil without
}

// StoreStep is `store expr -> name { key, upsert, partial }`.
type StoreStep struct {
	Span
	Value   Expr
	Store   *Ident
	Options *Options
}

// DeleteStep is `delete name[key]`.
type DeleteStep struct {
	Span
	Store *Ident
	Key   Expr
}

// ClearStep is `clear name`.
type ClearStep struct {
	Span
	Store *Ident
}

// CheckpointStep is `checkpoint`.
type CheckpointStep struct{ Span }

// ResetStep is `reset position`.
type ResetStep struct {
	Span
	What *Ident // position
}

// MatchStep is `match expr { pattern -> … }`; without a subject the arms have
// conditions.
type MatchStep struct {
	Span
	Subject Expr // nil without a subject
	Arms    []*StepArm
}

// StepArm is one arm of a MatchStep; see MatchArm.
type StepArm struct {
	Span
	Pattern Pattern
	Cond    Expr
	Where   Expr
	Body    *Block
}

// IfStep is `if c { … } else if … else { … }`. Else is a *Block, an *IfStep
// wrapped in a Block without Braces, or nil.
type IfStep struct {
	Span
	Cond Expr
	Then *Block
	Else *Block
}

// RunStep is `run Action` inside an action.
type RunStep struct {
	Span
	Action *Ident
}

// LogStep is `log "text" { field: expr }` or `log warn "…"`.
type LogStep struct {
	Span
	Level   *Ident // nil: info
	Message Expr
	Fields  *ObjectExpr // nil without
}

// WaitStep is `wait { … }`.
type WaitStep struct {
	Span
	Options *Options
}

// PauseStep is `pause { … }`. In its resumeOn option `webhook "/path"` is
// a *CallExpr of webhook.
type PauseStep struct {
	Span
	Options *Options
}

// DirectiveKind is which directive a DirectiveStep is.
type DirectiveKind uint8

// The directives (language definition, section 6.2).
const (
	DirContinue DirectiveKind = iota
	DirSkip
	DirAbort
	DirRetry
	DirQueue
	DirJump
)

var directiveText = [...]string{"continue", "skip", "abort", "retry", "queue", "jump"}

// String returns the directive's word.
func (k DirectiveKind) String() string { return directiveText[k] }

// DirectiveStep is a directive.
type DirectiveStep struct {
	Span
	Kind    DirectiveKind
	Message Expr     // abort; nil without
	Options *Options // retry, queue; nil without
	Target  *Ident   // queue: the store; jump: the action
	Then    *Ident   // jump: retry or continue; nil without
}

// BadStep stands where a step could not be parsed; an error has been reported
// for it.
type BadStep struct{ Span }
