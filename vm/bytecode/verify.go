package bytecode

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"reqon/vm/value"
)

// Limits of a Program. They are far beyond what the compiler makes of real
// missions and keep a hostile artifact from asking for memory. The compiler
// tells a mission that goes beyond one where it does.
const (
	MaxOperands = 1 << 12           // operands on the stack of one function
	MaxLocals   = 1 << 16           // slots of one function
	MaxPages    = 1 << 10           // page slots of one function
	MaxCode     = 1 << 26           // bytes of one function
	MaxWidth    = 1 << 14           // types that make up one
	MaxNames    = maxConstDepth + 1 // names in the path of a request's items or cursor
	MaxCalls    = 10_000            // calls one inside of the other
	MaxRoom     = 1 << 18           // values on the stack of one task

	// What a page slot and an array under construction take, in values.
	PageValues = 32
	ListValues = 2
)

// VerifyError says what is wrong with a Program.
type VerifyError struct {
	Func  string // "" where it is not in a function
	PC    int
	Msg   string
	Limit Limit // that the program goes beyond, if it is that
	Index int   // number of the function that goes beyond the limit
}

// Limit is a limit that only the whole program shows to be kept.
type Limit uint8

const (
	// NoLimit is that of an error that is none of size.
	NoLimit Limit = iota
	// LimitCalls is MaxCalls.
	LimitCalls
	// LimitRoom is MaxRoom.
	LimitRoom
)

// Error says the function and place, and what is wrong there.
func (e *VerifyError) Error() string {
	if e.Func == "" {
		return "invalid program: " + e.Msg
	}
	return fmt.Sprintf("invalid program: function %s at %d: %s", e.Func, e.PC, e.Msg)
}

// Verify checks that the machine can run p without looking: every index is in
// range, every jump goes to an instruction, only those that look for
// cancellation go backwards, on every path the operand stack has what an
// instruction takes and is as deep as on every other path, and no deeper than
// MaxStack. What a value is, the machine looks at itself.
func Verify(p *Program) error {
	if err := verifyTables(p); err != nil {
		return err
	}
	v := verifier{p: p}
	for i := range p.Funcs {
		v.f, v.work = &p.Funcs[i], v.work[:0]
		if err := v.verify(); err != nil {
			return err
		}
	}
	if !slices.Equal(p.Uses, UsesOf(p)) {
		return &VerifyError{Msg: "the table of what it uses does not fit its code"}
	}
	return nil
}

// verifyTables checks the tables' references to each other.
func verifyTables(p *Program) error {
	bad := func(format string, args ...any) error { return &VerifyError{Msg: fmt.Sprintf(format, args...)} }
	funcRef := func(what string, fn, args int, optional bool) error {
		if optional && fn == None {
			return nil
		}
		if fn < 0 || fn >= len(p.Funcs) || p.Funcs[fn].Args != args {
			return bad("%s: no such function", what)
		}
		return nil
	}
	place := func(what string, pos Pos) error {
		if pos.Line < 0 || pos.Column < 0 || pos.Line > 0 && (pos.File < 0 || pos.File >= len(p.Files)) {
			return bad("%s: bad position", what)
		}
		return nil
	}
	places := func(what string, list []OptionPos) error {
		for _, o := range list {
			if err := place(what, o.Pos); err != nil {
				return err
			}
		}
		return nil
	}
	errs := []error{
		place("mission", p.Pos), places("options", p.OptionPos),
		funcRef("options", p.Options, 0, true), funcRef("pipeline", p.Main, 0, false),
	}
	if p.Schedule != nil {
		errs = append(errs, place("schedule", p.Schedule.Pos))
		if p.Schedule.Kind > At || p.Schedule.Kind == Every && p.Schedule.Every <= 0 {
			errs = append(errs, bad("bad schedule"))
		}
	}
	for _, x := range p.Params {
		errs = append(errs, funcRef("param "+x.Name, x.Default, 0, true), place("param", x.Pos))
		if x.Type < 0 || x.Type >= len(p.Types) {
			errs = append(errs, bad("param %s: no such type", x.Name))
		}
	}
	for _, x := range p.Sources {
		errs = append(errs, funcRef("source "+x.Name, x.Options, 0, true), funcRef("cost of "+x.Name, x.Cost, 1, true), place("source", x.Pos), places("source", x.OptionPos))
		if l := x.Login; l != nil {
			errs = append(errs, funcRef("login of "+x.Name, l.Request, 1, false), funcRef("login of "+x.Name, l.Result, 2, false),
				funcRef("login of "+x.Name, l.When, 1, true), place("login", l.Pos))
		}
		for _, s := range x.Sign {
			errs = append(errs, funcRef("signature of "+x.Name, s.Func, 1, false))
			if s.In >= signInCount || s.Name == "" {
				errs = append(errs, bad("source %s: a bad signature", x.Name))
			}
		}
	}
	for _, x := range p.Stores {
		errs = append(errs, funcRef("store "+x.Name, x.Adapter, 0, false), funcRef("store "+x.Name, x.Options, 0, true), place("store", x.Pos), places("store", x.OptionPos))
		if x.Schema != None && (x.Schema < 0 || x.Schema >= len(p.Types) || p.Types[x.Schema].Kind != TypeObject) {
			errs = append(errs, bad("store %s: its schema is no object type", x.Name))
		}
	}
	for _, x := range p.Actions {
		errs = append(errs, funcRef("action "+x.Name, x.Func, 0, false), place("action", x.Pos))
	}
	for _, b := range p.Brackets {
		for _, a := range b {
			if a < 0 || a >= len(p.Actions) {
				errs = append(errs, bad("bracket: no such action"))
			}
		}
	}
	for _, x := range p.Fetches {
		if x.Source < None || x.Source >= len(p.Sources) || x.Page >= pageKindCount {
			errs = append(errs, bad("request: no such source or pagination"))
		}
		for _, path := range slices.Concat([]string{x.Items, x.Cursor, x.Taken}, x.ItemNames, x.UntilNames) {
			if strings.Count(path, ".") >= MaxNames {
				errs = append(errs, bad("request: a path of too many names"))
			}
		}
		if j := x.Judges; j != nil {
			for _, fn := range []int{j.FailWhen, j.RetryWhen, j.RetryWait} {
				if fn < None || fn >= len(p.Funcs) {
					errs = append(errs, bad("request: no such function to judge its answers"))
				}
			}
		}
		errs = append(errs, place("request", x.Pos))
	}
	for _, x := range p.Loops {
		if x.Policy >= policyCount || x.Policy == PolicyQueue && (x.Queue < 0 || x.Queue >= len(p.Stores)) || x.Page < None || x.Store < None || x.Store >= len(p.Stores) {
			errs = append(errs, bad("loop: no such policy, store or page"))
		}
		errs = append(errs, place("loop", x.Pos))
	}
	for _, x := range p.Shapes {
		if key, ok := twice(len(x), func(i int) string { return x[i] }); ok {
			errs = append(errs, bad("shape with the key %q twice", key))
		}
	}
	errs = append(errs, verifyTypes(p, bad)...)
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if err := verifyRoles(p); err != nil {
		return err
	}
	_, err := Rooms(p)
	return err
}

// twice finds the first of n names that stands twice. A few are compared one by
// one, which is faster than a map.
func twice(n int, name func(int) string) (string, bool) {
	if n <= 12 {
		for i := range n {
			for j := range i {
				if name(i) == name(j) {
					return name(i), true
				}
			}
		}
		return "", false
	}
	seen := make(map[string]bool, n)
	for i := range n {
		if seen[name(i)] {
			return name(i), true
		}
		seen[name(i)] = true
	}
	return "", false
}

// verifyTypes checks the references between types. A type must not contain
// itself by way of unions and elements alone: only through a field does
// matching get on to another value, and naming a type to an end.
func verifyTypes(p *Program, bad func(string, ...any) error) (errs []error) {
	ref := func(i int) bool { return i >= 0 && i < len(p.Types) }
	for i := range p.Types {
		t := &p.Types[i]
		ok := t.Kind < typeKindCount && (t.Kind != TypeArray || t.Elem == None || ref(t.Elem))
		for _, a := range t.Alts {
			ok = ok && ref(a)
		}
		for _, f := range t.Fields {
			ok = ok && ref(f.Type)
		}
		if name, ok := twice(len(t.Fields), func(i int) string { return t.Fields[i].Name }); ok {
			return append(errs, bad("type %s with the field %q twice", t.Name, name))
		}
		if !ok {
			return append(errs, bad("type %s: no such type", t.Name))
		}
	}
	w := widths{types: p.Types, of: make([]int, len(p.Types))}
	for i := range p.Types {
		if w.visit(i, 0) > MaxWidth {
			return append(errs, bad("type %s: contains itself, or is too large", p.Types[i].Name))
		}
	}
	return errs
}

// widths counts the types that unions and elements bring together in one.
type widths struct {
	types []Type
	of    []int // 0: not known yet
}

func (w *widths) visit(i, depth int) int {
	if w.of[i] != 0 {
		return w.of[i]
	}
	w.of[i] = MaxWidth + 1 // until it is known, so that one that contains itself is too wide
	if depth > maxConstDepth {
		return w.of[i]
	}
	width, t := 1, &w.types[i]
	if t.Kind == TypeArray && t.Elem != None {
		width += w.visit(t.Elem, depth+1)
	}
	if t.Kind == TypeUnion {
		for _, a := range t.Alts {
			width = min(width+w.visit(a, depth+1), MaxWidth+1)
		}
	}
	w.of[i] = width
	return width
}

// verifyRoles checks that the functions of options, adapters and defaults only
// compute, that transforms do nothing but read, and that each gives a value if
// and only if its caller takes one.
func verifyRoles(p *Program) error {
	role := make([]Scope, len(p.Funcs)) // the most that each may do; Anywhere and InRun give a value
	for i := range role {
		role[i] = InRun
	}
	for _, a := range p.Actions {
		role[a.Func] = InStep
	}
	role[p.Main] = InStep
	for _, fn := range p.configFuncs() {
		if fn != None && role[fn] == InStep {
			return &VerifyError{Func: p.Funcs[fn].Name, Msg: "is an action and gives options"}
		} else if fn != None {
			role[fn] = Anywhere
		}
	}
	for i := range p.Fetches {
		if j := p.Fetches[i].Judges; j != nil {
			for _, fn := range []int{j.FailWhen, j.RetryWhen, j.RetryWait} {
				if fn != None && role[fn] != InRun {
					return &VerifyError{Func: p.Funcs[fn].Name, Msg: "judges answers, and is an action or gives options"}
				}
			}
		}
	}
	for i := range p.Funcs {
		f := &p.Funcs[i]
		if role[i] != InStep && len(f.Handlers) > 0 {
			return &VerifyError{Func: f.Name, Msg: "has handlers and is no action"}
		}
		if role[i] != InStep && len(f.Steps) > 0 {
			return &VerifyError{Func: f.Name, Msg: "has steps and is no action"}
		}
		for pc := 0; pc < len(f.Code); {
			op := Op(f.Code[pc])
			info, ok := InfoOf(op)
			switch {
			case !ok || pc+info.Size() > len(f.Code):
				return &VerifyError{Func: f.Name, PC: pc, Msg: "no such instruction, or one cut short"}
			case info.Scope > role[i] || op == ReturnValue && role[i] == InStep:
				return &VerifyError{Func: f.Name, PC: pc, Msg: info.Name + " does not belong in this function"}
			case op == CallFunc:
				if fn := operandAt(f.Code, pc+1, OperandFunc); fn >= len(p.Funcs) || role[fn] == InStep {
					return &VerifyError{Func: f.Name, PC: pc, Msg: "calls what is no transform"}
				}
			}
			pc += info.Size()
		}
	}
	return nil
}

// configFuncs lists the functions that are run outside of the pipeline, or None
// where there is none.
func (p *Program) configFuncs() []int {
	list := []int{p.Options}
	for i := range p.Params {
		list = append(list, p.Params[i].Default)
	}
	for i := range p.Sources {
		list = append(list, p.Sources[i].Options, p.Sources[i].Cost)
		if l := p.Sources[i].Login; l != nil {
			list = append(list, l.Request, l.Result, l.When)
		}
		for _, s := range p.Sources[i].Sign {
			list = append(list, s.Func)
		}
	}
	for i := range p.Stores {
		list = append(list, p.Stores[i].Adapter, p.Stores[i].Options)
	}
	return list
}

// Rooms returns how many values each function takes on the stack of a task,
// with all that it calls in that task. It is an error if one calls itself by
// any way round, since that room would have no bound, or if a room is beyond
// all reason.
func Rooms(p *Program) ([]int, error) {
	r := rooms{p: p, funcs: make([]int, len(p.Funcs)), brackets: make([]int, len(p.Brackets))}
	for i := range p.Funcs {
		if err := r.visit(i, 0); err != nil {
			return nil, err
		}
	}
	return r.funcs, nil
}

// rooms holds the rooms found so far: 0 is unknown, openRoom being looked at.
type rooms struct {
	p        *Program
	funcs    []int
	brackets []int // all their actions have been looked at, if not 0
}

const openRoom = -1

func (r *rooms) visit(i, depth int) error {
	f := &r.p.Funcs[i]
	switch {
	case r.funcs[i] > 0:
		return nil
	case r.funcs[i] == openRoom:
		return &VerifyError{Func: f.Name, Msg: "calls itself"}
	case depth > MaxCalls:
		return &VerifyError{Func: f.Name, Msg: "is called by too many others one inside of the other", Limit: LimitCalls, Index: i}
	}
	r.funcs[i] = openRoom
	deepest := 0
	for pc := 0; pc < len(f.Code); {
		op := Op(f.Code[pc])
		info, ok := InfoOf(op)
		if !ok || pc+info.Size() > len(f.Code) {
			return &VerifyError{Func: f.Name, PC: pc, Msg: "no such instruction, or one cut short"}
		}
		if op == CallFunc || op == CallAction || op == Bracket {
			room, err := r.call(f, op, pc, depth)
			if err != nil {
				return err
			}
			deepest = max(deepest, room)
		}
		pc += info.Size()
	}
	room := 1 + f.Locals + f.MaxStack + f.Lists*ListValues + f.Pages*PageValues + deepest
	if room > MaxRoom {
		return &VerifyError{Func: f.Name, Msg: "takes too much memory", Limit: LimitRoom, Index: i}
	}
	r.funcs[i] = room
	return nil
}

// call gives the room of what the instruction at pc calls. The actions of
// a bracket are tasks of their own.
func (r *rooms) call(f *Func, op Op, pc, depth int) (room int, err error) {
	i := operandAt(f.Code, pc+1, OperandFunc)
	switch {
	case op == CallFunc && i < len(r.p.Funcs):
	case op == CallAction && i < len(r.p.Actions):
		i = r.p.Actions[i].Func
	case op == Bracket && i < len(r.p.Brackets):
		if r.brackets[i] == 0 {
			for _, a := range r.p.Brackets[i] {
				if err := r.visit(r.p.Actions[a].Func, depth+1); err != nil {
					return 0, err
				}
			}
			r.brackets[i] = 1
		}
		return 0, nil
	default:
		return 0, &VerifyError{Func: f.Name, PC: pc, Msg: "calls what is not there"}
	}
	if err := r.visit(i, depth+1); err != nil {
		return 0, err
	}
	return r.funcs[i], nil
}

// verifier checks one function by following every path once.
type verifier struct {
	p     *Program
	f     *Func
	depth []int32 // before the instruction at a place: operands, and arrays under construction times openList; -1 not reached, -2 no instruction
	work  []int
	// iterations are the bodies of concurrent loops: what lies in one is run by
	// tasks of their own, which neither leave it nor get in elsewhere.
	iterations []stretch
}

// stretch is the code from start up to end.
type stretch struct{ start, end int }

// openList is what an array under construction adds to the depth of a place: an
// operand stack is never as deep.
const openList = 1 << 16

const (
	unreached     = -1
	noInstruction = -2
)

func (v *verifier) fail(pc int, format string, args ...any) error {
	return &VerifyError{Func: v.f.Name, PC: pc, Msg: fmt.Sprintf(format, args...)}
}

func (v *verifier) verify() error {
	f := v.f
	if len(f.Code) == 0 || len(f.Code) > MaxCode || f.MaxStack < 0 || f.MaxStack > MaxOperands ||
		f.Locals < 0 || f.Locals > MaxLocals || f.Args < 0 || f.Args > f.Locals ||
		f.Lists < 0 || f.Lists > MaxLocals || f.Caches < 0 || f.Caches > len(f.Code) || f.Pages < 0 || f.Pages > MaxPages {
		return v.fail(0, "a size is out of range")
	}
	if err := v.scan(); err != nil {
		return err
	}
	for i, l := range f.Lines {
		if i > 0 && l.PC < f.Lines[i-1].PC || l.Pos.Line < 0 || l.Pos.Line > 0 && (l.Pos.File < 0 || l.Pos.File >= len(v.p.Files)) {
			return v.fail(l.PC, "bad line table")
		}
	}
	if err := v.reach(0, 0, 0); err != nil {
		return err
	}
	for _, h := range f.Handlers {
		// A handler stands behind what it covers: one inside could fail for ever.
		if h.Start < 0 || h.End > len(f.Code) || h.Start > h.End || h.Target < h.End || h.PageStart < 0 || h.PageEnd > f.Pages || h.PageStart > h.PageEnd {
			return v.fail(h.Start, "bad handler")
		}
		if err := v.reach(h.Start, h.Target, 0); err != nil {
			return err
		}
	}
	for len(v.work) > 0 {
		pc := v.work[len(v.work)-1]
		v.work = v.work[:len(v.work)-1]
		if err := v.step(pc); err != nil {
			return err
		}
	}
	return v.steps()
}

// steps checks the places where a task may be put away. Only actions and the
// pipeline have any: what else there is, is part of a step.
func (v *verifier) steps() error {
	last := -1
	for _, pc := range v.f.Steps {
		switch {
		case pc <= last || pc >= len(v.depth) || v.depth[pc] == noInstruction:
			return v.fail(pc, "a step where no instruction begins, or out of order")
		case v.depth[pc] > 0:
			return v.fail(pc, "a step in the middle of an expression")
		}
		last = pc
	}
	return nil
}

// scan finds where instructions begin and checks their operands.
func (v *verifier) scan() error {
	code := v.f.Code
	v.iterations = v.iterations[:0]
	v.depth = slices.Grow(v.depth[:0], len(code))[:len(code)]
	for i := range v.depth {
		v.depth[i] = noInstruction
	}
	for pc := 0; pc < len(code); {
		info, ok := InfoOf(Op(code[pc]))
		if !ok {
			return v.fail(pc, "no such instruction")
		}
		if pc+info.Size() > len(code) {
			return v.fail(pc, "%s is cut short", info.Name)
		}
		v.depth[pc] = unreached
		if Op(code[pc]) == Parallel {
			v.iterations = append(v.iterations, stretch{pc + parallelSize, operandAt(code, pc+5, OperandPC)})
		}
		at := pc + 1
		for _, o := range info.Operands {
			if err := v.operand(pc, o, operandAt(code, at, o)); err != nil {
				return err
			}
			at += o.Size()
		}
		pc += info.Size()
	}
	return nil
}

// operandAt reads an operand.
func operandAt(code []byte, at int, o Operand) int {
	switch o.Size() {
	case 1:
		return int(code[at])
	case 4:
		return int(binary.LittleEndian.Uint32(code[at:]))
	}
	return int(binary.LittleEndian.Uint16(code[at:]))
}

// operand checks that an operand is in range. Places in the code are checked
// when they are reached.
func (v *verifier) operand(pc int, o Operand, n int) error {
	f, p := v.f, v.p
	limit := -1
	switch o {
	case OperandConst:
		limit = len(f.Consts)
	case OperandText:
		if n >= len(f.Consts) || f.Consts[n].Kind() != value.String {
			return v.fail(pc, "no text constant %d", n)
		}
		return nil
	case OperandName:
		limit = len(f.Names)
	case OperandCache:
		limit = f.Caches
	case OperandSlot:
		limit = f.Locals
	case OperandPair:
		limit = f.Locals - 1
	case OperandItem:
		limit = f.Locals - 2
	case OperandLoopSlots:
		limit = f.Locals - LoopSlots + 1
	case OperandList:
		limit = f.Lists
	case OperandShape:
		limit = len(p.Shapes)
	case OperandRegexp:
		limit = len(p.Regexps)
	case OperandType:
		limit = len(p.Types)
	case OperandNative:
		limit = len(p.Natives)
	case OperandHost:
		limit = int(hostFuncCount)
	case OperandFunc:
		limit = len(p.Funcs)
	case OperandAction:
		limit = len(p.Actions)
	case OperandBracket:
		limit = len(p.Brackets)
	case OperandParam:
		limit = len(p.Params)
	case OperandFetch:
		limit = len(p.Fetches)
	case OperandPage:
		limit = f.Pages
	case OperandStore:
		limit = len(p.Stores)
	case OperandLevel:
		limit = int(levelCount)
	case OperandLoop:
		if n < len(p.Loops) && p.Loops[n].Page >= f.Pages {
			return v.fail(pc, "no page %d", p.Loops[n].Page)
		}
		limit = len(p.Loops)
	default:
		return nil
	}
	if n >= limit {
		return v.fail(pc, "operand %d is out of range", n)
	}
	return nil
}

// reach notes that the instruction at target is reached from pc with so many
// operands on the stack.
func (v *verifier) reach(pc, target, depth int) error {
	if target < 0 || target >= len(v.depth) || v.depth[target] == noInstruction {
		return v.fail(pc, "goes to %d, where no instruction begins", target)
	}
	if op := Op(v.f.Code[pc]); len(v.iterations) > 0 && v.iteration(pc) != v.iteration(target) && (op != Parallel || target != pc+parallelSize) {
		return v.fail(pc, "goes to %d, out of the iterations of Parallel, or into them", target)
	}
	switch int(v.depth[target]) {
	case unreached:
		v.depth[target] = int32(depth)
		v.work = append(v.work, target)
	case depth:
	default:
		was := int(v.depth[target])
		if was%openList == depth%openList {
			return v.fail(target, "is reached with %d and with %d arrays under construction", was/openList, depth/openList)
		}
		return v.fail(target, "is reached with %d and with %d operands", was%openList, depth%openList)
	}
	return nil
}

// parallelSize is the length of a Parallel, behind which its iterations begin.
const parallelSize = 1 + 2 + 2 + 4

// iteration gives the number of the innermost concurrent loop whose iterations
// pc is a part of, or None.
func (v *verifier) iteration(pc int) int {
	for i := len(v.iterations) - 1; i >= 0; i-- {
		if s := v.iterations[i]; s.start <= pc && pc < s.end {
			return i
		}
	}
	return None
}

// step follows one instruction to all that may come after it.
func (v *verifier) step(pc int) error {
	code := v.f.Code
	op := Op(code[pc])
	info, _ := InfoOf(op)
	pop := info.Pop
	switch pop {
	case popN:
		at := pc + 1
		for _, o := range info.Operands {
			if o == OperandN || o == OperandN8 {
				pop = operandAt(code, at, o)
			}
			at += o.Size()
		}
		if pop == 0 && (op == Text || op == Merge) {
			return v.fail(pc, "%s of nothing", info.Name)
		}
	case popShape:
		pop = len(v.p.Shapes[operandAt(code, pc+1, OperandShape)])
	}
	depth, open := int(v.depth[pc])%openList, int(v.depth[pc])/openList
	if depth < pop {
		return v.fail(pc, "%s takes %d operands, but there are %d", info.Name, pop, depth)
	}
	rest := depth - pop
	if deepest := rest + max(info.Push, info.PushJump); deepest > v.f.MaxStack || depth > v.f.MaxStack {
		return v.fail(pc, "the stack grows to %d operands, beyond %d", deepest, v.f.MaxStack)
	}
	if err := v.special(pc, op, rest, open); err != nil {
		return err
	}
	switch op {
	case NewList:
		if open++; open > v.f.Lists {
			return v.fail(pc, "more arrays are under construction than the %d of the function", v.f.Lists)
		}
	case EndList:
		open--
	}
	rest += open * openList
	at := pc + 1
	for _, o := range info.Operands {
		// A Fetch or PageDone whose failure nothing handles has no target.
		if o == OperandPC && !((op == Fetch || op == PageDone) && operandAt(code, at, o) == 0) {
			target := operandAt(code, at, o)
			if target <= pc && op != Loop && op != Retry && op != MorePages {
				return v.fail(pc, "%s goes backwards", info.Name)
			}
			if err := v.reach(pc, target, rest+info.PushJump); err != nil {
				return err
			}
		}
		at += o.Size()
	}
	if info.Ends {
		return nil
	}
	return v.reach(pc, pc+info.Size(), rest+info.Push)
}

// special checks what only some instructions need.
func (v *verifier) special(pc int, op Op, rest, open int) error {
	code := v.f.Code
	switch op {
	case CallFunc:
		if callee := &v.p.Funcs[operandAt(code, pc+1, OperandFunc)]; callee.Args != 1 {
			return v.fail(pc, "calls %s with one argument, but it takes %d", callee.Name, callee.Args)
		}
	case CallAction, Bracket, Fetch, PageDone, PageError, Judge, Parallel, Checkpoint:
		// Handlers and other tasks find a frame at a step boundary, with no
		// operands.
		if rest != 0 || open != 0 {
			return v.fail(pc, "%s in the middle of an expression", op)
		}
	case Append, Extend, EndList:
		if open == 0 {
			return v.fail(pc, "%s, but no array is under construction", op)
		}
	}
	return nil
}
