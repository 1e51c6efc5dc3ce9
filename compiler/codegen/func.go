package codegen

import (
	"encoding/binary"
	"math"

	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// fn generates the code of one function.
type fn struct {
	g   *generator
	out bytecode.Func

	depth    int         // operands on the stack here
	dead     bool        // the place here is not reached
	span     syntax.Span // what the code to come is that of
	lastSpan syntax.Span // what the last instruction was that of
	tables   tables
	nextSlot int
	nextList int
	nextPage int

	subject subject
	loop    *loop       // the innermost `for` of this action
	request *request    // the most recent request that `retry` can repeat
	match   *label      // behind the innermost match step, for `continue`
	sync    int         // page slot whose position lastSync is, or bytecode.None
	binds   syntax.Node // what the variables are bound to that patterns bind now
	action  string      // the action that it is, or ""
	after   []continuation
	invalid bool // in the block behind the `or` of a validate step
}

// subject is what `.` stands for: a local, or response.
type subject struct{ slot int }

// response as the subject.
var responseSubject = subject{slot: -1}

// loop is a `for` around the code.
type loop struct {
	name  string // of its variable
	item  int    // slot
	slot  int    // of the array, the index behind it; see bytecode.LoopSlots
	store int    // the only one that its items go to, or bytecode.None
	next  *label
	outer *loop
}

// request is a request that `retry` can repeat.
type request struct {
	start *label
	count int // slot that counts its attempts
	page  int // slot of its page state
}

// tables number what a function's code refers to, by what it is, and hold the
// variables in scope. They are used again by the next function, as is the room
// that the code is written to.
type tables struct {
	texts   map[string]int      // constants that are strings
	scalars map[value.Value]int // those that a Value holds without pointing anywhere
	others  map[string]int      // all others, by kind and JSON
	names   map[string]int
	vars    map[string]int // the innermost binding of each name
	bound   []binding      // of all blocks that are open
}

func newTables() tables {
	return tables{texts: map[string]int{}, scalars: map[value.Value]int{}, others: map[string]int{}, names: map[string]int{}, vars: map[string]int{}}
}

// keptEntries is up to how many entries a table is emptied for the next
// function: emptying one takes as long as the most that it ever held.
const keptEntries = 256

// empty gives the tables without what is in them.
func (t tables) empty() tables {
	if len(t.texts)+len(t.scalars)+len(t.others)+len(t.names) > keptEntries || cap(t.bound) > keptEntries {
		return newTables()
	}
	clear(t.texts)
	clear(t.scalars)
	clear(t.others)
	clear(t.names)
	clear(t.vars)
	t.bound = t.bound[:0]
	return t
}

// binding is a name that is a variable.
type binding struct {
	name string
	variable
	hidden int // the binding that it hides, or bytecode.None
}

// variable is a local slot, or with page set a page parameter.
type variable struct {
	slot int
	page bool
	item bool        // of a loop
	of   syntax.Node // what it is bound to, or part of that; nil: nothing that a sync position is kept by
	loop *loop       // around the binding
}

// lookup gives the innermost variable of a name.
func (f *fn) lookup(name string) (variable, bool) {
	if i, ok := f.tables.vars[name]; ok {
		return f.tables.bound[i].variable, true
	}
	return variable{}, false
}

// label is a place in the code that is jumped to.
type label struct {
	pc    int // -1 until it is placed
	depth int // operands there; -1 until known
	refs  []int
}

func newLabel() *label { return &label{pc: -1, depth: -1} }

// newFunc begins a function of so many arguments, in the room of one that is
// finished if there is one.
func (g *generator) newFunc(name string, args int) *fn {
	var f *fn
	if n := len(g.spare); n > 0 {
		f, g.spare = g.spare[n-1], g.spare[:n-1]
	} else {
		f = &fn{tables: newTables()}
	}
	room := &f.out
	*f = fn{
		g: g, tables: f.tables, nextSlot: args, subject: responseSubject, sync: bytecode.None, after: f.after[:0],
		out: bytecode.Func{Name: name, Args: args, Code: room.Code[:0], Consts: room.Consts[:0], Names: room.Names[:0], Lines: room.Lines[:0], Steps: room.Steps[:0]},
	}
	return f
}

// finish adds the function to the program and returns its number.
func (f *fn) finish() int {
	f.g.prog.Funcs = append(f.g.prog.Funcs, f.done())
	return len(f.g.prog.Funcs) - 1
}

// finishAt is finish for a function whose number was given out before.
func (f *fn) finishAt(i int) { f.g.prog.Funcs[i] = f.done() }

// done gives the function, and its room to the next.
func (f *fn) done() bytecode.Func {
	out := f.out
	out.Locals = max(out.Locals, f.nextSlot)
	out.Code, out.Consts, out.Names, out.Lines, out.Steps = exactly(out.Code), exactly(out.Consts), exactly(out.Names), exactly(out.Lines), exactly(out.Steps)
	f.tables = f.tables.empty()
	f.g.spare = append(f.g.spare, f)
	return out
}

// exactly gives a copy without room for more; nil if there is nothing.
func exactly[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	exact := make([]T, len(list))
	copy(exact, list)
	return exact
}

// at says that the code to come is that of n.
func (f *fn) at(n syntax.Node) { f.span = n.Place() }

// boundary marks the place here as one where a task may be put away.
func (f *fn) boundary() {
	pc := len(f.out.Code)
	if n := len(f.out.Steps); n == 0 || f.out.Steps[n-1] != pc {
		f.out.Steps = append(f.out.Steps, pc)
	}
}

// emit adds an instruction without a jump.
func (f *fn) emit(op bytecode.Op, operands ...int) {
	f.instruction(op, operands, nil)
}

// jump adds an instruction whose last operand is a place in the code.
func (f *fn) jump(op bytecode.Op, to *label, operands ...int) {
	f.instruction(op, operands, to)
}

func (f *fn) instruction(op bytecode.Op, operands []int, to *label) {
	if f.g.err != nil {
		return // there will be no program
	}
	info, _ := bytecode.InfoOf(op)
	if f.span != f.lastSpan && f.span.IsValid() {
		f.lastSpan = f.span
		pos := f.g.position(f.span)
		if n := len(f.out.Lines); n == 0 || f.out.Lines[n-1].Pos != pos {
			f.out.Lines = append(f.out.Lines, bytecode.Line{PC: len(f.out.Code), Pos: pos})
		}
	}
	code := append(f.out.Code, byte(op))
	pop := info.Pop
	i := 0
	for _, o := range info.Operands {
		if o == bytecode.OperandPC {
			to.refs = append(to.refs, len(code))
			code = append(code, 0, 0, 0, 0)
			continue
		}
		n := operands[i]
		i++
		switch o.Size() {
		case 1:
			if n > math.MaxUint8 {
				f.tooWide(o)
			}
			code = append(code, byte(n))
		default:
			if n > math.MaxUint16 {
				f.tooWide(o)
			}
			code = binary.LittleEndian.AppendUint16(code, uint16(n))
		}
		if pop < 0 && (o == bytecode.OperandN || o == bytecode.OperandN8) {
			pop = n
		}
		if o == bytecode.OperandShape {
			pop = len(f.g.prog.Shapes[n])
		}
	}
	f.out.Code = code
	rest := f.depth - pop
	if to != nil {
		to.reach(rest + info.PushJump)
	}
	f.depth = rest + info.Push
	f.out.MaxStack = max(f.out.MaxStack, f.depth, rest+info.PushJump)
	f.dead = info.Ends
	if f.out.MaxStack > bytecode.MaxOperands {
		f.stackLimit()
	}
	if len(code) > bytecode.MaxCode {
		f.codeLimit()
	}
	if to != nil && to.pc >= 0 {
		f.patch(to)
	}
}

func (l *label) reach(depth int) {
	if l.depth < 0 {
		l.depth = depth
	}
}

// place puts the label here.
func (f *fn) place(l *label) {
	if f.dead && l.depth >= 0 {
		f.depth = l.depth
	}
	l.reach(f.depth)
	f.dead = false
	l.pc = len(f.out.Code)
	f.patch(l)
}

// patch fills in the jumps to a label that has its place.
func (f *fn) patch(l *label) {
	for _, at := range l.refs {
		binary.LittleEndian.PutUint32(f.out.Code[at:], uint32(l.pc))
	}
	l.refs = l.refs[:0]
}

// newSlots gives n locals in a row.
func (f *fn) newSlots(n int) int {
	s := f.nextSlot
	f.nextSlot += n
	f.out.Locals = max(f.out.Locals, f.nextSlot)
	if f.nextSlot > bytecode.MaxLocals {
		f.slotLimit()
	}
	return s
}

// newPage gives a page slot.
func (f *fn) newPage() int {
	f.nextPage++
	f.out.Pages = f.nextPage
	if f.nextPage > bytecode.MaxPages {
		f.pageLimit()
	}
	return f.nextPage - 1
}

// block is what an open block goes back to at its end.
type block struct{ bound, slot int }

// open begins a block: its variables and their slots end with it.
func (f *fn) open() block { return block{bound: len(f.tables.bound), slot: f.nextSlot} }

// close ends the block that open began.
func (f *fn) close(b block) {
	t := &f.tables
	for i := len(t.bound) - 1; i >= b.bound; i-- {
		if hidden := t.bound[i].hidden; hidden == bytecode.None {
			delete(t.vars, t.bound[i].name)
		} else {
			t.vars[t.bound[i].name] = hidden
		}
	}
	t.bound = t.bound[:b.bound]
	f.nextSlot = b.slot
}

// temp begins a stretch whose slots end with it.
func (f *fn) temp() (end func()) {
	slot := f.nextSlot
	return func() { f.nextSlot = slot }
}

// withSubject sets the subject for a stretch.
func (f *fn) withSubject(s subject) (end func()) {
	outer := f.subject
	f.subject = s
	return func() { f.subject = outer }
}

// bind makes name a variable in slot.
func (f *fn) bind(name string, slot int) { f.bindTo(name, slot, f.binds) }

// bindTo is bind of a variable that holds what n gives, or a part of it.
func (f *fn) bindTo(name string, slot int, n syntax.Node) {
	f.bindVariable(name, variable{slot: slot, of: n, loop: f.loop})
}

func (f *fn) bindVariable(name string, v variable) {
	t := &f.tables
	hidden, ok := t.vars[name]
	if !ok {
		hidden = bytecode.None
	}
	t.vars[name] = len(t.bound)
	t.bound = append(t.bound, binding{name: name, variable: v, hidden: hidden})
}

// constant pushes a value.
func (f *fn) constant(v value.Value) {
	switch {
	case v.IsNull():
		f.emit(bytecode.Null)
	case v.Kind() == value.Bool && v.Bool():
		f.emit(bytecode.True)
	case v.Kind() == value.Bool:
		f.emit(bytecode.False)
	case v.IsInt() && v.Int() >= math.MinInt16 && v.Int() <= math.MaxInt16:
		f.emit(bytecode.Int, int(uint16(v.Int())))
	default:
		f.emit(bytecode.Const, f.constIndex(v))
	}
}

// text pushes a text.
func (f *fn) text(s string) { f.emit(bytecode.Const, f.textIndex(s)) }

func (f *fn) textIndex(s string) int { return f.constIndex(value.FromString(s)) }

// constIndex gives the number of a constant. Equal constants of one form share
// one: 1 and 1.0 do not, since their texts differ.
func (f *fn) constIndex(v value.Value) int {
	switch v.Kind() {
	case value.String:
		return numberOf(f.tables.texts, v.Str(), &f.out.Consts, v)
	case value.Array, value.Object, value.NumText:
		key := value.AppendJSON([]byte{byte(v.Kind())}, v)
		return numberOf(f.tables.others, string(key), &f.out.Consts, v)
	case value.Float:
		return numberOf(f.tables.scalars, value.FromFloat(v.Float()+0), &f.out.Consts, v) // -0 has the text of 0
	}
	return numberOf(f.tables.scalars, v, &f.out.Consts, v)
}

func (f *fn) name(s string) int { return numberOf(f.tables.names, s, &f.out.Names, s) }

// numberOf gives the number in list of what goes by key, and adds x under it
// where there is none yet.
func numberOf[K comparable, T any](numbers map[K]int, key K, list *[]T, x T) int {
	i, ok := numbers[key]
	if !ok {
		i = len(*list)
		*list = append(*list, x)
		numbers[key] = i
	}
	return i
}

// cache gives an inline cache.
func (f *fn) cache() int {
	f.out.Caches++
	return f.out.Caches - 1
}

// loadSubject pushes the subject.
func (f *fn) loadSubject() {
	if f.subject == responseSubject {
		f.emit(bytecode.Response)
	} else {
		f.emit(bytecode.Load, f.subject.slot)
	}
}
