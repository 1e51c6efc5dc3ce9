package codegen

import (
	"encoding/binary"
	"fmt"
	"math"

	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// fn generates the code of one function.
type fn struct {
	g   *generator
	out *bytecode.Func

	depth    int  // operands on the stack here
	dead     bool // the place here is not reached
	pos      bytecode.Pos
	consts   map[string]int
	names    map[string]int
	nextSlot int
	nextList int
	nextPage int

	scope   *scope
	subject subject
	loop    *loop    // the innermost `for` of this action
	request *request // the most recent request that `retry` can repeat
	match   *label   // behind the innermost match step, for `continue`
	sync    int      // page slot whose position lastSync is, or bytecode.None
	after   []continuation
}

// subject is what `.` stands for: a local, or response.
type subject struct{ slot int }

// response as the subject.
var responseSubject = subject{slot: -1}

// loop is a `for` around the code.
type loop struct {
	item  int // slot
	slot  int // of the array, the index behind it
	next  *label
	outer *loop
}

// request is a request that `retry` can repeat.
type request struct {
	start *label
	count int // slot that counts its attempts
	page  int // slot of its page state
}

// scope is a block's variables.
type scope struct {
	parent *scope
	vars   map[string]variable
}

// variable is a local slot, or with page set a page parameter.
type variable struct {
	slot int
	page bool
}

func (s *scope) lookup(name string) (variable, bool) {
	for ; s != nil; s = s.parent {
		if v, ok := s.vars[name]; ok {
			return v, true
		}
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

// newFunc begins a function of so many arguments.
func (g *generator) newFunc(name string, args int) *fn {
	return &fn{
		g: g, out: &bytecode.Func{Name: name, Args: args},
		consts: map[string]int{}, names: map[string]int{}, nextSlot: args,
		subject: responseSubject, sync: bytecode.None, scope: &scope{vars: map[string]variable{}},
	}
}

// finish adds the function to the program and returns its number.
func (f *fn) finish() int {
	f.out.Locals = max(f.out.Locals, f.nextSlot)
	f.g.prog.Funcs = append(f.g.prog.Funcs, *f.out)
	return len(f.g.prog.Funcs) - 1
}

// finishAt is finish for a function whose number was given out before.
func (f *fn) finishAt(i int) {
	f.out.Locals = max(f.out.Locals, f.nextSlot)
	f.g.prog.Funcs[i] = *f.out
}

// at says that the code to come is that of n.
func (f *fn) at(n syntax.Node) { f.pos = f.g.position(n.Place()) }

// emit adds an instruction without a jump.
func (f *fn) emit(op bytecode.Op, operands ...int) {
	f.instruction(op, operands, nil)
}

// jump adds an instruction whose last operand is a place in the code.
func (f *fn) jump(op bytecode.Op, to *label, operands ...int) {
	f.instruction(op, operands, to)
}

func (f *fn) instruction(op bytecode.Op, operands []int, to *label) {
	info, _ := bytecode.InfoOf(op)
	if f.pos.Line > 0 {
		if n := len(f.out.Lines); n == 0 || f.out.Lines[n-1].Pos != f.pos {
			f.out.Lines = append(f.out.Lines, bytecode.Line{PC: len(f.out.Code), Pos: f.pos})
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
			f.g.limit(n, math.MaxUint8, "operands")
			code = append(code, byte(n))
		default:
			f.g.limit(n, math.MaxUint16, "constants, names, variables or steps")
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
	return s
}

// newPage gives a page slot.
func (f *fn) newPage() int {
	f.nextPage++
	f.out.Pages = f.nextPage
	return f.nextPage - 1
}

// open begins a block: its variables and their slots end with it.
func (f *fn) open() (end func()) {
	outer, slot := f.scope, f.nextSlot
	f.scope = &scope{parent: outer, vars: map[string]variable{}}
	return func() { f.scope, f.nextSlot = outer, slot }
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
func (f *fn) bind(name string, slot int) { f.scope.vars[name] = variable{slot: slot} }

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
	key := fmt.Sprintf("%d %s", v.Kind(), value.AppendJSON(nil, v))
	if i, ok := f.consts[key]; ok {
		return i
	}
	f.out.Consts = append(f.out.Consts, v)
	f.consts[key] = len(f.out.Consts) - 1
	return len(f.out.Consts) - 1
}

func (f *fn) name(s string) int {
	if i, ok := f.names[s]; ok {
		return i
	}
	f.out.Names = append(f.out.Names, s)
	f.names[s] = len(f.out.Names) - 1
	return len(f.out.Names) - 1
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
