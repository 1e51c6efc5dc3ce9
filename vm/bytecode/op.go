package bytecode

// Op is an opcode. An instruction is one opcode byte and its operands, in
// little-endian order with the widths that Info gives.
type Op uint8

// The opcodes. The picture behind each shows the stack before and after, top
// at the right. Operands stand in angle brackets: <const> indexes the
// function's Consts, <name> its Names, <cache> its inline caches, <slot> its
// locals, <list> its arrays under construction, <pc> is a place in the code; <type>, <fetch>, <store>, <shape>,
// <native>, <regexp>, <func> and <action> index the Program's tables.
const (
	// values
	Null      Op = iota // - Null - null
	True                // - True - true
	False               // - False - false
	Int                 // - Int<i16> - i
	Const               // - Const<const> - v
	Load                // - Load<slot> - v
	Set                 // v Set<slot> -
	Pop                 // v Pop -
	Dup                 // v Dup - v v
	Field               // x Field<name,cache> - x.name
	LoadField           // - LoadField<slot,name,cache> - local.name
	Index               // x i Index - x[i]
	Text                // v1 … vn Text<n> - text       joined, null as ""
	Segment             // v Segment - text             percent-escaped as one path segment; null, "" and collections are errors
	Array               // v1 … vn Array<n> - array
	Object              // v1 … vn Object<shape> - object
	Merge               // o1 … on Merge<n> - object    later keys win; null adds nothing
	NewList             // - NewList<list> -            begins an array under construction
	Append              // v Append<list> -             onto the array under construction
	Extend              // xs Extend<list> -            all of xs onto the array under construction
	EndList             // - EndList<list> - array      the array that was under construction
	Slice               // xs Slice<n> - xs[n:]

	// operators
	Add        // a b Add - a+b
	Sub        // a b Sub - a-b
	Mul        // a b Mul - a*b
	Div        // a b Div - a/b
	Mod        // a b Mod - a%b
	Neg        // a Neg - -a
	Not        // a Not - bool
	Eq         // a b Eq - bool
	Ne         // a b Ne - bool
	Lt         // a b Lt - bool
	Le         // a b Le - bool
	Gt         // a b Gt - bool
	Ge         // a b Ge - bool
	In         // a b In - bool
	Contains   // a b Contains - bool
	StartsWith // a b StartsWith - bool
	EndsWith   // a b EndsWith - bool
	Matches    // s re Matches - bool                a pattern known only at run time
	MatchRE    // s MatchRE<regexp> - bool           a literal pattern
	Is         // v Is<type> - bool
	HasKey     // o HasKey<name> - bool              false of what is no object
	Length     // xs Length - n                      of an array
	StatusIs   // v StatusIs<const> - bool           v equals the number, or stands for a response with that HTTP status

	// operators with a constant right operand: one dispatch instead of two
	AddK // a AddK<const> - a+k
	SubK // a SubK<const> - a-k
	MulK // a MulK<const> - a*k
	EqK  // a EqK<const> - bool
	NeK  // a NeK<const> - bool
	LtK  // a LtK<const> - bool
	LeK  // a LeK<const> - bool
	GtK  // a GtK<const> - bool
	GeK  // a GeK<const> - bool

	// flow
	Jump          // - Jump<pc> -
	Loop          // - Loop<pc> -                    a jump backwards; checks for cancellation
	JumpFalse     // v JumpFalse<pc> -
	JumpTrue      // v JumpTrue<pc> -
	UnlessEqK     // a UnlessEqK<const,pc> -         jumps where a == k does not hold; and so on
	UnlessNeK     // a UnlessNeK<const,pc> -
	UnlessLtK     // a UnlessLtK<const,pc> -
	UnlessLeK     // a UnlessLeK<const,pc> -
	UnlessGtK     // a UnlessGtK<const,pc> -
	UnlessGeK     // a UnlessGeK<const,pc> -
	JumpFalseKeep // v JumpFalseKeep<pc> - v | -     jumps with v where it is false, else drops it
	JumpTrueKeep  // v JumpTrueKeep<pc> - v | -
	JumpValueKeep // v JumpValueKeep<pc> - v | -     jumps with v where it is not null, else drops it
	JumpNullKeep  // v JumpNullKeep<pc> - v          jumps where v is null; keeps it either way
	JumpFailed    // - JumpFailed<pc> -              jumps where the latest request failed
	Iter          // xs Iter<slot,const> -           slot holds xs, slot+1 the next index; const says for whom, in errors
	Next          // - Next<slot,pc> - x | -         the next element, or jumps
	NextItem      // - NextItem<slot,pc> -             the next element into slot+2, or jumps
	Call          // a1 … an Call<native,n> - v      a built-in function
	CallHost      // a1 … an CallHost<host,n> - v    what the host answers: now, uuid, random, env, …
	CallFunc      // v CallFunc<func> - result       a transform
	CallAction    // - CallAction<action> -
	Bracket       // - Bracket<bracket> -            actions side by side
	Return        // … Return -                      ends the action
	ReturnValue   // v ReturnValue -                 ends a transform or config function
	Raise         // v Raise<const> -                fails with the text const, "{}" replaced by v

	// the run
	Response    // - Response - response
	SetResponse // v SetResponse -
	Status      // - Status - n | null               HTTP status of the latest response that a request got
	Headers     // - Headers - object | null         its headers
	Items       // - Items - items                   response, or the items field of a merged one
	LastRun     // - LastRun - time | null           when the last successful run started
	Enter       // - Enter<slot> -                   notes in the loop's slots which response the iterations begin with
	Restore     // - Restore<slot> -                 makes that the response again
	Leave       // - Leave<slot> -                   the loop of Enter and Restore is over
	Scheduled   // - Scheduled - time
	Param       // - Param<param> - v

	// requests
	Open       // sync Open<fetch,page> -             begins a fetch in a page slot; sync has what its position is kept by and read with (see SyncFields), or is null
	LastSync   // - LastSync<page> - v | null         the position of the fetch in the page slot
	ShiftSync  // v d ShiftSync<page,n> - v | null     the position v so much later or earlier, as the ShiftMode n says
	UpdateFrom // v UpdateFrom<page,n> -              makes v the new position of the fetch; n is a PositionUse
	ResetSync  // - ResetSync<page> -                 forgets the position of the fetch that the page slot had last
	Checkpoint // - Checkpoint -                      saves the positions of the fetches that the task has closed since the last one
	PageParam  // - PageParam<page> - v               the page parameter's current value
	Fetch      // path options Fetch<fetch,page,pc> -    sets response; a failure that may be handled goes to pc, with pc 0 it is raised
	Judge      // array Judge<fetch,page> -           what the functions take that judge the answers to come: FetchInfo.Judges
	PageDone   // until next PageDone<fetch,page,pc> -    the page's place in the fetch: what it adds, whether another follows; what fails in that is as for Fetch
	PageError  // - PageError<fetch,page,pc> -        in a handler: what failed is the failure of the page's request; goes to pc
	PageItems  // - PageItems<page> - items           of the current page, or what the step takes of the last one
	Ahead      // path options Ahead<fetch,page> -    if another page follows, asks for it while the current one is worked on
	MorePages  // - MorePages<page,pc> -              jumps where another page follows
	Close      // - Close<fetch,page> -               ends the fetch: merged response, new sync position
	Handled    // - Handled -                         an arm has taken the failure
	Retry      // options Retry<slot,page,pc> -       again from pc, or the error; slot counts the attempts
	RaiseLast  // - RaiseLast -                       the failure of the latest request, if it failed

	// stores
	StoreList   // - StoreList<store> - records
	StoreGet    // key StoreGet<store> - record | null
	StoreHas    // key StoreHas<store> - bool
	StoreLen    // - StoreLen<store> - n
	Records     // v Records - array                 what a store step writes, as an array of objects
	StorePut    // records keys upsert partial StorePut<store> -    keys is null or one for each
	StoreDelete // key StoreDelete<store> -
	StoreClear  // - StoreClear<store> -
	DeadLetter  // item index sequence DeadLetter - object    what `queue` writes by default; sequence is the number of the response before the iteration, or null

	// steps
	Validate  // list Validate -                     raises what the list holds, if anything
	Warn      // text Warn -                         a validation warning
	Log       // text fields Log<level> -
	Abort     // text Abort -
	Wait      // options Wait -
	Pause     // options Pause -
	ItemError // - ItemError<loop,slot> -            in a handler: the loop's policy for the failed item; slot as for Iter and Enter
	WrapError // - WrapError<slot> -                 in a handler: says which element, and raises again
	Parallel  // n Parallel<loop,slot,pc> - x | -    runs up to n iterations side by side, each a task that goes on with its element; then jumps behind the body
	EndItem   // - EndItem -                         ends an iteration of Parallel
	BadType   // v BadType<type,const> -             raises why v is not of the type
	Skipped   // - Skipped<n> -                      `skip` leaves out what failed: with n 0 only if the latest request did
	Queued    // - Queued -                          `queue` has written a letter

	opCount
)

// Operand is what an operand of an instruction means; it sets its width.
type Operand uint8

// The operands. All but OperandPC, OperandN8 and OperandHost are two bytes
// wide; OperandPC is four, the other two are one.
const (
	OperandNone Operand = iota
	OperandInt
	OperandConst
	OperandText // a Const that is a string
	OperandName
	OperandCache
	OperandSlot
	OperandPair      // a slot whose next slot is used too
	OperandItem      // a slot whose next two slots are used too
	OperandLoopSlots // the first of LoopSlots slots
	OperandList
	OperandN // a count
	OperandN8
	OperandShape
	OperandRegexp
	OperandType
	OperandPC
	OperandNative
	OperandHost
	OperandFunc
	OperandAction
	OperandBracket
	OperandParam
	OperandFetch
	OperandPage
	OperandStore
	OperandLevel
	OperandLoop
)

// LoopSlots is how many slots a `for` loop has in a row: the array, the next
// index, and what Enter notes: the number of the response, the response, its
// status, and the path of its items; of the fetches that the task has closed,
// which a `checkpoint` around the loop does not cover and how many there were when
// the iteration began; what Status and Headers give. The last tells whether the item has reached the loop's
// store.
const LoopSlots = 11

// ShiftMode says how ShiftSync works.
type ShiftMode uint8

// The bits of a ShiftMode.
const (
	ShiftBack  ShiftMode = 1 << iota // minus, else plus
	ShiftPlain                       // d is a number without a unit, which also an id can be moved by
)

// PositionUse says what a position that is worked out is for.
type PositionUse uint8

// The uses of a position.
const (
	UseAnywhere PositionUse = iota
	UseInPath               // the path of the next run's request is made of it
)

// SyncFields are the fields of the object that Open takes: the path as it is
// sent, or null where it needs the position itself; the key if it is not the
// path; an object of values that tell one parent from another, or null; and
// sinceFormat and sinceZone.
var SyncFields = [...]string{"path", "key", "parts", "format", "zone"}

// Size returns the operand's width in bytes.
func (o Operand) Size() int {
	switch o {
	case OperandNone:
		return 0
	case OperandN8, OperandHost, OperandLevel:
		return 1
	case OperandPC:
		return 4
	}
	return 2
}

// Effect on the stack that depends on an operand or on the way taken.
const (
	popN     = -1 // pops as many as the count operand says
	popShape = -2 // pops as many as the shape has keys
)

// Info is what the verifier, the disassembler and the machine need to know of
// an opcode.
type Info struct {
	Name     string
	Operands []Operand
	Pop      int  // how many values it takes, or popN, popShape
	Push     int  // how many it gives where it goes on
	PushJump int  // how many it gives where it jumps
	Ends     bool // never goes on to the next instruction
	Scope    Scope
}

// Scope says in which functions an instruction may stand.
type Scope uint8

const (
	// Anywhere is for what computes from values, or asks the host what it can
	// tell at any time.
	Anywhere Scope = iota
	// InRun is for what reads the response or a store: not in options,
	// adapters and defaults of parameters, which are worked out before there
	// are any.
	InRun
	// InStep is for what steps are made of: only in actions and the pipeline.
	InStep
)

var infos = [opCount]Info{
	Null:          {Name: "Null", Push: 1},
	True:          {Name: "True", Push: 1},
	False:         {Name: "False", Push: 1},
	Int:           {Name: "Int", Operands: []Operand{OperandInt}, Push: 1},
	Const:         {Name: "Const", Operands: []Operand{OperandConst}, Push: 1},
	Load:          {Name: "Load", Operands: []Operand{OperandSlot}, Push: 1},
	Set:           {Name: "Set", Operands: []Operand{OperandSlot}, Pop: 1},
	Pop:           {Name: "Pop", Pop: 1},
	Dup:           {Name: "Dup", Pop: 1, Push: 2},
	Field:         {Name: "Field", Operands: []Operand{OperandName, OperandCache}, Pop: 1, Push: 1},
	LoadField:     {Name: "LoadField", Operands: []Operand{OperandSlot, OperandName, OperandCache}, Push: 1},
	Index:         {Name: "Index", Pop: 2, Push: 1},
	Text:          {Name: "Text", Operands: []Operand{OperandN}, Pop: popN, Push: 1},
	Segment:       {Name: "Segment", Pop: 1, Push: 1},
	Array:         {Name: "Array", Operands: []Operand{OperandN}, Pop: popN, Push: 1},
	Object:        {Name: "Object", Operands: []Operand{OperandShape}, Pop: popShape, Push: 1},
	Merge:         {Name: "Merge", Operands: []Operand{OperandN}, Pop: popN, Push: 1},
	NewList:       {Name: "NewList", Operands: []Operand{OperandList}},
	Append:        {Name: "Append", Operands: []Operand{OperandList}, Pop: 1},
	Extend:        {Name: "Extend", Operands: []Operand{OperandList}, Pop: 1},
	EndList:       {Name: "EndList", Operands: []Operand{OperandList}, Push: 1},
	Slice:         {Name: "Slice", Operands: []Operand{OperandInt}, Pop: 1, Push: 1},
	Add:           {Name: "Add", Pop: 2, Push: 1},
	Sub:           {Name: "Sub", Pop: 2, Push: 1},
	Mul:           {Name: "Mul", Pop: 2, Push: 1},
	Div:           {Name: "Div", Pop: 2, Push: 1},
	Mod:           {Name: "Mod", Pop: 2, Push: 1},
	Neg:           {Name: "Neg", Pop: 1, Push: 1},
	Not:           {Name: "Not", Pop: 1, Push: 1},
	Eq:            {Name: "Eq", Pop: 2, Push: 1},
	Ne:            {Name: "Ne", Pop: 2, Push: 1},
	Lt:            {Name: "Lt", Pop: 2, Push: 1},
	Le:            {Name: "Le", Pop: 2, Push: 1},
	Gt:            {Name: "Gt", Pop: 2, Push: 1},
	Ge:            {Name: "Ge", Pop: 2, Push: 1},
	In:            {Name: "In", Pop: 2, Push: 1},
	Contains:      {Name: "Contains", Pop: 2, Push: 1},
	StartsWith:    {Name: "StartsWith", Pop: 2, Push: 1},
	EndsWith:      {Name: "EndsWith", Pop: 2, Push: 1},
	Matches:       {Name: "Matches", Pop: 2, Push: 1},
	MatchRE:       {Name: "MatchRE", Operands: []Operand{OperandRegexp}, Pop: 1, Push: 1},
	Is:            {Name: "Is", Operands: []Operand{OperandType}, Pop: 1, Push: 1},
	HasKey:        {Name: "HasKey", Operands: []Operand{OperandName}, Pop: 1, Push: 1},
	Length:        {Name: "Length", Pop: 1, Push: 1},
	StatusIs:      {Name: "StatusIs", Operands: []Operand{OperandConst}, Pop: 1, Push: 1, Scope: InRun},
	AddK:          {Name: "AddK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	SubK:          {Name: "SubK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	MulK:          {Name: "MulK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	EqK:           {Name: "EqK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	NeK:           {Name: "NeK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	LtK:           {Name: "LtK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	LeK:           {Name: "LeK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	GtK:           {Name: "GtK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	GeK:           {Name: "GeK", Operands: []Operand{OperandConst}, Pop: 1, Push: 1},
	Jump:          {Name: "Jump", Operands: []Operand{OperandPC}, Ends: true},
	Loop:          {Name: "Loop", Operands: []Operand{OperandPC}, Ends: true},
	JumpFalse:     {Name: "JumpFalse", Operands: []Operand{OperandPC}, Pop: 1},
	JumpTrue:      {Name: "JumpTrue", Operands: []Operand{OperandPC}, Pop: 1},
	UnlessEqK:     {Name: "UnlessEqK", Operands: []Operand{OperandConst, OperandPC}, Pop: 1},
	UnlessNeK:     {Name: "UnlessNeK", Operands: []Operand{OperandConst, OperandPC}, Pop: 1},
	UnlessLtK:     {Name: "UnlessLtK", Operands: []Operand{OperandConst, OperandPC}, Pop: 1},
	UnlessLeK:     {Name: "UnlessLeK", Operands: []Operand{OperandConst, OperandPC}, Pop: 1},
	UnlessGtK:     {Name: "UnlessGtK", Operands: []Operand{OperandConst, OperandPC}, Pop: 1},
	UnlessGeK:     {Name: "UnlessGeK", Operands: []Operand{OperandConst, OperandPC}, Pop: 1},
	JumpFalseKeep: {Name: "JumpFalseKeep", Operands: []Operand{OperandPC}, Pop: 1, PushJump: 1},
	JumpTrueKeep:  {Name: "JumpTrueKeep", Operands: []Operand{OperandPC}, Pop: 1, PushJump: 1},
	JumpValueKeep: {Name: "JumpValueKeep", Operands: []Operand{OperandPC}, Pop: 1, PushJump: 1},
	JumpNullKeep:  {Name: "JumpNullKeep", Operands: []Operand{OperandPC}, Pop: 1, Push: 1, PushJump: 1},
	JumpFailed:    {Name: "JumpFailed", Operands: []Operand{OperandPC}, Scope: InStep},
	Iter:          {Name: "Iter", Operands: []Operand{OperandPair, OperandText}, Pop: 1},
	Next:          {Name: "Next", Operands: []Operand{OperandPair, OperandPC}, Push: 1},
	NextItem:      {Name: "NextItem", Operands: []Operand{OperandItem, OperandPC}},
	Call:          {Name: "Call", Operands: []Operand{OperandNative, OperandN8}, Pop: popN, Push: 1},
	CallHost:      {Name: "CallHost", Operands: []Operand{OperandHost, OperandN8}, Pop: popN, Push: 1},
	CallFunc:      {Name: "CallFunc", Operands: []Operand{OperandFunc}, Pop: 1, Push: 1, Scope: InStep},
	CallAction:    {Name: "CallAction", Operands: []Operand{OperandAction}, Scope: InStep},
	Bracket:       {Name: "Bracket", Operands: []Operand{OperandBracket}, Scope: InStep},
	Return:        {Name: "Return", Ends: true, Scope: InStep},
	ReturnValue:   {Name: "ReturnValue", Pop: 1, Ends: true},
	Raise:         {Name: "Raise", Operands: []Operand{OperandText}, Pop: 1, Ends: true},
	Response:      {Name: "Response", Push: 1, Scope: InRun},
	SetResponse:   {Name: "SetResponse", Pop: 1, Scope: InStep},
	Status:        {Name: "Status", Push: 1, Scope: InRun},
	Headers:       {Name: "Headers", Push: 1, Scope: InRun},
	Items:         {Name: "Items", Push: 1, Scope: InRun},
	LastRun:       {Name: "LastRun", Push: 1, Scope: InRun},
	Enter:         {Name: "Enter", Operands: []Operand{OperandLoopSlots}, Scope: InStep},
	Restore:       {Name: "Restore", Operands: []Operand{OperandLoopSlots}, Scope: InStep},
	Scheduled:     {Name: "Scheduled", Push: 1},
	Param:         {Name: "Param", Operands: []Operand{OperandParam}, Push: 1},
	Leave:         {Name: "Leave", Operands: []Operand{OperandLoopSlots}, Scope: InStep},
	Open:          {Name: "Open", Operands: []Operand{OperandFetch, OperandPage}, Pop: 1, Scope: InStep},
	ShiftSync:     {Name: "ShiftSync", Operands: []Operand{OperandPage, OperandN8}, Pop: 2, Push: 1, Scope: InStep},
	UpdateFrom:    {Name: "UpdateFrom", Operands: []Operand{OperandPage, OperandN8}, Pop: 1, Scope: InStep},
	ResetSync:     {Name: "ResetSync", Operands: []Operand{OperandPage}, Scope: InStep},
	Checkpoint:    {Name: "Checkpoint", Scope: InStep},
	LastSync:      {Name: "LastSync", Operands: []Operand{OperandPage}, Push: 1, Scope: InStep},
	PageParam:     {Name: "PageParam", Operands: []Operand{OperandPage}, Push: 1, Scope: InStep},
	Fetch:         {Name: "Fetch", Operands: []Operand{OperandFetch, OperandPage, OperandPC}, Pop: 2, Scope: InStep},
	PageDone:      {Name: "PageDone", Operands: []Operand{OperandFetch, OperandPage, OperandPC}, Pop: 2, Scope: InStep},
	Judge:         {Name: "Judge", Operands: []Operand{OperandFetch, OperandPage}, Pop: 1, Scope: InStep},
	PageError:     {Name: "PageError", Operands: []Operand{OperandFetch, OperandPage, OperandPC}, Scope: InStep, Ends: true},
	MorePages:     {Name: "MorePages", Operands: []Operand{OperandPage, OperandPC}, Scope: InStep},
	PageItems:     {Name: "PageItems", Operands: []Operand{OperandPage}, Push: 1, Scope: InStep},
	Ahead:         {Name: "Ahead", Operands: []Operand{OperandFetch, OperandPage}, Pop: 2, Scope: InStep},
	Close:         {Name: "Close", Operands: []Operand{OperandFetch, OperandPage}, Scope: InStep},
	Handled:       {Name: "Handled", Scope: InStep},
	Retry:         {Name: "Retry", Operands: []Operand{OperandSlot, OperandPage, OperandPC}, Pop: 1, Ends: true, Scope: InStep},
	RaiseLast:     {Name: "RaiseLast", Scope: InStep},
	StoreList:     {Name: "StoreList", Operands: []Operand{OperandStore}, Push: 1, Scope: InRun},
	StoreGet:      {Name: "StoreGet", Operands: []Operand{OperandStore}, Pop: 1, Push: 1, Scope: InRun},
	StoreHas:      {Name: "StoreHas", Operands: []Operand{OperandStore}, Pop: 1, Push: 1, Scope: InRun},
	StoreLen:      {Name: "StoreLen", Operands: []Operand{OperandStore}, Push: 1, Scope: InRun},
	Records:       {Name: "Records", Pop: 1, Push: 1, Scope: InStep},
	StorePut:      {Name: "StorePut", Operands: []Operand{OperandStore}, Pop: 4, Scope: InStep},
	StoreDelete:   {Name: "StoreDelete", Operands: []Operand{OperandStore}, Pop: 1, Scope: InStep},
	StoreClear:    {Name: "StoreClear", Operands: []Operand{OperandStore}, Scope: InStep},
	DeadLetter:    {Name: "DeadLetter", Pop: 3, Push: 1, Scope: InStep},
	Validate:      {Name: "Validate", Pop: 1, Scope: InStep},
	Warn:          {Name: "Warn", Pop: 1, Scope: InStep},
	Log:           {Name: "Log", Operands: []Operand{OperandLevel}, Pop: 2, Scope: InStep},
	Abort:         {Name: "Abort", Pop: 1, Ends: true, Scope: InStep},
	Wait:          {Name: "Wait", Pop: 1, Scope: InStep},
	Pause:         {Name: "Pause", Pop: 1, Scope: InStep},
	ItemError:     {Name: "ItemError", Operands: []Operand{OperandLoop, OperandLoopSlots}, Scope: InStep},
	WrapError:     {Name: "WrapError", Operands: []Operand{OperandPair}, Ends: true, Scope: InStep},
	Parallel:      {Name: "Parallel", Operands: []Operand{OperandLoop, OperandLoopSlots, OperandPC}, Pop: 1, Push: 1, Scope: InStep},
	EndItem:       {Name: "EndItem", Ends: true, Scope: InStep},
	BadType:       {Name: "BadType", Operands: []Operand{OperandType, OperandText}, Pop: 1, Ends: true},
	Skipped:       {Name: "Skipped", Operands: []Operand{OperandN8}, Scope: InStep},
	Queued:        {Name: "Queued", Scope: InStep},
}

// InfoOf returns what is known of op; ok is false where there is no such op.
func InfoOf(op Op) (info *Info, ok bool) {
	if op >= opCount {
		return nil, false
	}
	return &infos[op], true
}

// Size returns the length of an instruction with this opcode, in bytes.
func (i *Info) Size() int {
	n := 1
	for _, o := range i.Operands {
		n += o.Size()
	}
	return n
}

// String returns the opcode's name.
func (op Op) String() string {
	if op < opCount {
		return infos[op].Name
	}
	return "?"
}

// HostFunc is a function that the host answers, because its result is no pure
// function of its arguments.
type HostFunc uint8

// The functions of the host.
const (
	HostNow HostFunc = iota
	HostTimestamp
	HostUUID
	HostRandom
	HostEnv
	HostWebhookURL
	hostFuncCount
)

// HostFuncs holds the names of the host's functions in the language.
var HostFuncs = [hostFuncCount]string{"now", "timestamp", "uuid", "random", "env", "webhookUrl"}

// Level is the level of a log step.
type Level uint8

// The levels of a log step.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
	levelCount
)
