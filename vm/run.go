package vm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// loopsPerCheck is how many backward jumps go by between two looks whether the
// run was cancelled. It must be a power of two.
const loopsPerCheck = 256

// opBreak stands in the code of a run that is watched where its steps are. No
// program has it.
const opBreak = bytecode.Op(255)

// dropped is what the stack of a dropped task holds.
var dropped = value.FromString("of a task that was dropped")

// errBadProgram is what a damaged artifact gets that the verifier could not
// tell from a sound one: an instruction met a value of another kind than the
// compiler would have put there.
var errBadProgram = errors.New("the compiled program is damaged: compile the mission again")

// errTooDeep is what a program gets that nests values without end.
var errTooDeep = errors.New("the value nests too deep: arrays and objects go 2,000 levels at most")

// execute runs the task until its last frame has returned, and gives that frame's
// result. putAway is no failure: the task stands at a step.
func (t *Task) execute() (value.Value, *Error) {
	for {
		v, err := t.dispatch()
		if err == nil {
			return v, nil
		}
		if err == errPutAway {
			t.passed = true
			for i := range t.frames {
				for p := range t.frames[i].pages {
					t.frames[i].pages[p].abandon()
				}
			}
			return v, putAway
		}
		located := t.locate(t.blamed(), err)
		if !t.unwind(located) {
			return value.NullValue, located
		}
	}
}

// blamed gives the frame whose place an error of the top frame is told with:
// that a value does not fit a transform is said where it is applied.
func (t *Task) blamed() *frame {
	n := len(t.frames) - 1
	top := &t.frames[n]
	op := bytecode.Op(t.m.funcs[top.fn].Code[top.pc])
	if n > 0 && (op == bytecode.BadType || op == bytecode.Raise) && !top.isAction(t.m) {
		return &t.frames[n-1]
	}
	return top
}

// dispatch runs instructions until the last frame returns or one fails. In the
// latter case the top frame's pc is at the instruction that failed.
//
// The verifier has seen to it that operands are in range and that the operand
// stack neither underflows nor grows beyond MaxStack, so nothing of that is
// checked here. sp is the index behind the top operand.
func (t *Task) dispatch() (value.Value, error) {
	for {
		if t.wake != 0 || t.frames[len(t.frames)-1].join != nil {
			if err := t.wait(); err != nil {
				return value.NullValue, err
			}
		}
		result, again, err := t.exec()
		if !again {
			return result, err
		}
	}
}

// exec runs instructions of the top frame until it calls another or returns;
// again says that another frame is on top then. What is fixed for a frame is set
// once here, so that it stays in registers: a loop that also changes frames
// writes all of it to memory at every instruction, a tenth of its time.
func (t *Task) exec() (result value.Value, again bool, err error) {
	f := &t.frames[len(t.frames)-1]
	fn := &t.m.funcs[f.fn]
	code, base, pc := fn.Code, f.base, f.pc
	stack, sp := t.stack, f.sp
	if t.run.watched {
		code = fn.breaks
	}

	for {
		op := bytecode.Op(code[pc])
	execute:
		switch op {
		// ---- values
		case bytecode.Null:
			stack[sp] = value.NullValue
			sp++
			pc++
		case bytecode.True:
			stack[sp] = value.True
			sp++
			pc++
		case bytecode.False:
			stack[sp] = value.False
			sp++
			pc++
		case bytecode.Int:
			stack[sp] = value.FromInt(int64(int16(u16(code, pc+1))))
			sp++
			pc += 3
		case bytecode.Const:
			stack[sp] = fn.Consts[u16(code, pc+1)]
			sp++
			pc += 3
		case bytecode.Load:
			stack[sp] = stack[base+u16(code, pc+1)]
			sp++
			pc += 3
		case bytecode.Set:
			sp--
			stack[base+u16(code, pc+1)] = stack[sp]
			pc += 3
		case bytecode.Pop:
			sp--
			pc++
		case bytecode.Dup:
			stack[sp] = stack[sp-1]
			sp++
			pc++
		case bytecode.Field:
			if stack[sp-1], err = fn.field(stack[sp-1], u16(code, pc+1), u16(code, pc+3)); err != nil {
				goto fail
			}
			pc += 5
		case bytecode.LoadField:
			v := stack[base+u16(code, pc+1)]
			if v.Kind() == value.Object {
				o := v.Obj()
				if c := atomic.LoadUint64(&fn.caches[u16(code, pc+5)]); c>>32 == uint64(o.Shape().ID()) && c != 0 {
					stack[sp] = o.Slots()[uint32(c)]
					sp++
					pc += 7
					continue
				}
			}
			if stack[sp], err = fn.field(v, u16(code, pc+3), u16(code, pc+5)); err != nil {
				goto fail
			}
			sp++
			pc += 7
		case bytecode.Index:
			if stack[sp-2], err = value.Index(stack[sp-2], stack[sp-1]); err != nil {
				goto fail
			}
			sp--
			pc++
		case bytecode.Text:
			n := u16(code, pc+1)
			if stack[sp-n], err = value.JoinText(stack[sp-n : sp]...); err != nil {
				goto fail
			}
			sp -= n - 1
			pc += 3
		case bytecode.Segment:
			if stack[sp-1], err = segment(stack[sp-1]); err != nil {
				goto fail
			}
			pc++
		case bytecode.Array:
			n := u16(code, pc+1)
			elems := make([]value.Value, n)
			copy(elems, stack[sp-n:sp])
			sp -= n
			if stack[sp] = value.FromArray(elems); value.TooDeep(stack[sp]) {
				err = errTooDeep
				goto fail
			}
			sp++
			pc += 3
		case bytecode.Object:
			shape := t.m.objects[u16(code, pc+1)]
			n := shape.Len()
			o := value.NewObj(shape, stack[sp-n:sp]) // copies them
			sp -= n
			if stack[sp] = value.FromObject(o); value.TooDeep(stack[sp]) {
				err = errTooDeep
				goto fail
			}
			sp++
			pc += 3
		case bytecode.Merge:
			n := u16(code, pc+1)
			if stack[sp-n], err = mergeObjects(t.m.shapes, stack[sp-n:sp]); err != nil {
				goto fail
			}
			sp -= n - 1
			pc += 3
		case bytecode.NewList:
			t.lists[f.lists+u16(code, pc+1)] = nil
			pc += 3
		case bytecode.Append:
			sp--
			l := &t.lists[f.lists+u16(code, pc+1)]
			*l = append(*l, stack[sp])
			pc += 3
		case bytecode.Extend:
			sp--
			l := &t.lists[f.lists+u16(code, pc+1)]
			if *l, err = extend(*l, stack[sp]); err != nil {
				goto fail
			}
			pc += 3
		case bytecode.EndList:
			l := &t.lists[f.lists+u16(code, pc+1)]
			stack[sp] = value.FromArray(*l)
			*l = nil // it is a value now, and never written again
			if value.TooDeep(stack[sp]) {
				err = errTooDeep
				goto fail
			}
			sp++
			pc += 3
		case bytecode.Slice:
			stack[sp-1] = sliceFrom(stack[sp-1], int(int16(u16(code, pc+1))))
			pc += 3

		// ---- operators
		case bytecode.Add:
			if stack[sp-2], err = value.Add(stack[sp-2], stack[sp-1]); err != nil {
				goto fail
			}
			sp--
			pc++
		case bytecode.Sub:
			if stack[sp-2], err = value.Sub(stack[sp-2], stack[sp-1]); err != nil {
				goto fail
			}
			sp--
			pc++
		case bytecode.Mul:
			if stack[sp-2], err = value.Mul(stack[sp-2], stack[sp-1]); err != nil {
				goto fail
			}
			sp--
			pc++
		case bytecode.Div:
			if stack[sp-2], err = value.Div(stack[sp-2], stack[sp-1]); err != nil {
				goto fail
			}
			sp--
			pc++
		case bytecode.Mod:
			if stack[sp-2], err = value.Mod(stack[sp-2], stack[sp-1]); err != nil {
				goto fail
			}
			sp--
			pc++
		case bytecode.Neg:
			if stack[sp-1], err = value.Neg(stack[sp-1]); err != nil {
				goto fail
			}
			pc++
		case bytecode.Not:
			stack[sp-1] = value.FromBool(!value.Truth(stack[sp-1]))
			pc++
		case bytecode.Eq:
			sp--
			if stack[sp-1], err = equal(stack[sp-1], stack[sp], true); err != nil {
				goto fail
			}
			pc++
		case bytecode.Ne:
			sp--
			if stack[sp-1], err = equal(stack[sp-1], stack[sp], false); err != nil {
				goto fail
			}
			pc++
		case bytecode.Lt, bytecode.Le, bytecode.Gt, bytecode.Ge:
			sp--
			if stack[sp-1], err = compare(op, stack[sp-1], stack[sp]); err != nil {
				goto fail
			}
			pc++
		case bytecode.In, bytecode.Contains, bytecode.StartsWith, bytecode.EndsWith, bytecode.Matches:
			sp--
			if stack[sp-1], err = relate(op, stack[sp-1], stack[sp]); err != nil {
				goto fail
			}
			pc++
		case bytecode.MatchRE:
			if stack[sp-1], err = matchRE(t.m.regexps[u16(code, pc+1)], stack[sp-1]); err != nil {
				goto fail
			}
			pc += 3
		case bytecode.Is:
			stack[sp-1] = value.FromBool(t.m.is(stack[sp-1], u16(code, pc+1)))
			pc += 3
		case bytecode.HasKey:
			stack[sp-1] = value.FromBool(hasKey(stack[sp-1], fn.Names[u16(code, pc+1)]))
			pc += 3
		case bytecode.Length:
			n, _ := value.Length(stack[sp-1])
			stack[sp-1] = value.FromInt(int64(n))
			pc++
		case bytecode.StatusIs:
			stack[sp-1] = value.FromBool(t.statusIs(stack[sp-1], fn.Consts[u16(code, pc+1)]))
			pc += 3
		case bytecode.AddK:
			if stack[sp-1], err = value.Add(stack[sp-1], fn.Consts[u16(code, pc+1)]); err != nil {
				goto fail
			}
			pc += 3
		case bytecode.SubK:
			if stack[sp-1], err = value.Sub(stack[sp-1], fn.Consts[u16(code, pc+1)]); err != nil {
				goto fail
			}
			pc += 3
		case bytecode.MulK:
			if stack[sp-1], err = value.Mul(stack[sp-1], fn.Consts[u16(code, pc+1)]); err != nil {
				goto fail
			}
			pc += 3
		case bytecode.EqK:
			stack[sp-1] = value.FromBool(value.Equal(stack[sp-1], fn.Consts[u16(code, pc+1)]))
			pc += 3
		case bytecode.NeK:
			stack[sp-1] = value.FromBool(!value.Equal(stack[sp-1], fn.Consts[u16(code, pc+1)]))
			pc += 3
		case bytecode.LtK, bytecode.LeK, bytecode.GtK, bytecode.GeK:
			if stack[sp-1], err = compare(op-bytecode.LtK+bytecode.Lt, stack[sp-1], fn.Consts[u16(code, pc+1)]); err != nil {
				goto fail
			}
			pc += 3

		// ---- flow
		case bytecode.Jump:
			pc = u32(code, pc+1)
		case bytecode.Loop:
			if t.loops++; t.loops&(loopsPerCheck-1) == 0 {
				if err = t.goOn(); err != nil {
					goto fail
				}
			}
			pc = u32(code, pc+1)
		case bytecode.JumpFalse:
			sp--
			if value.Truth(stack[sp]) {
				pc += 5
			} else {
				pc = u32(code, pc+1)
			}
		case bytecode.JumpTrue:
			sp--
			if value.Truth(stack[sp]) {
				pc = u32(code, pc+1)
			} else {
				pc += 5
			}
		case bytecode.UnlessEqK, bytecode.UnlessNeK:
			sp--
			if value.Equal(stack[sp], fn.Consts[u16(code, pc+1)]) == (op == bytecode.UnlessEqK) {
				pc += 7
			} else {
				pc = u32(code, pc+3)
			}
		case bytecode.UnlessLtK, bytecode.UnlessLeK, bytecode.UnlessGtK, bytecode.UnlessGeK:
			sp--
			order, ok, e := value.Compare(stack[sp], fn.Consts[u16(code, pc+1)])
			if e != nil {
				err = e
				goto fail
			}
			if ok && holds(op-bytecode.UnlessLtK+bytecode.Lt, order) {
				pc += 7
			} else {
				pc = u32(code, pc+3)
			}
		case bytecode.JumpFalseKeep:
			if value.Truth(stack[sp-1]) {
				sp--
				pc += 5
			} else {
				pc = u32(code, pc+1)
			}
		case bytecode.JumpTrueKeep:
			if value.Truth(stack[sp-1]) {
				pc = u32(code, pc+1)
			} else {
				sp--
				pc += 5
			}
		case bytecode.JumpValueKeep:
			if stack[sp-1].IsNull() {
				sp--
				pc += 5
			} else {
				pc = u32(code, pc+1)
			}
		case bytecode.JumpNullKeep:
			if stack[sp-1].IsNull() {
				pc = u32(code, pc+1)
			} else {
				pc += 5
			}
		case bytecode.JumpFailed:
			if t.failed != nil {
				pc = u32(code, pc+1)
			} else {
				pc += 5
			}
		case bytecode.Iter:
			sp--
			if k := stack[sp].Kind(); k != value.Array {
				err = fmt.Errorf("%s needs an array, found %s", fn.Consts[u16(code, pc+3)].Str(), value.Describe(stack[sp]))
				goto fail
			}
			s := base + u16(code, pc+1)
			stack[s], stack[s+1] = stack[sp], value.FromInt(0)
			pc += 5
		case bytecode.Next, bytecode.NextItem:
			s := base + u16(code, pc+1)
			if !stack[s+1].IsInt() || stack[s].Kind() != value.Array {
				err = errBadProgram
				goto fail
			}
			i := stack[s+1].Int()
			if elems := stack[s].Elems(); uint64(i) < uint64(len(elems)) {
				stack[s+1] = value.FromInt(i + 1)
				if op == bytecode.NextItem {
					stack[s+2] = elems[i]
				} else {
					stack[sp] = elems[i]
					sp++
				}
				pc += 7
			} else if i < 0 {
				err = errBadProgram
				goto fail
			} else {
				stack[s] = value.NullValue // so that no page outlives its loop
				pc = u32(code, pc+3)
			}
		case bytecode.Call:
			n := int(code[pc+3])
			v, e := t.m.natives[u16(code, pc+1)](t.m.shapes, stack[sp-n:sp:sp])
			if e == nil && value.TooDeep(v) {
				e = errTooDeep
			}
			if e != nil {
				err = e
				goto fail
			}
			sp -= n
			stack[sp] = v
			sp++
			pc += 4
		case bytecode.CallHost:
			n := int(code[pc+2])
			v, e := t.call(bytecode.HostFunc(code[pc+1]), stack[sp-n:sp:sp])
			if e != nil {
				err = e
				goto fail
			}
			sp -= n
			stack[sp] = v
			sp++
			pc += 3
		case bytecode.CallFunc:
			arg := stack[sp-1]
			f.pc, f.sp = pc, sp-1
			t.push(u16(code, pc+1), f.action)
			t.stack[t.frames[len(t.frames)-1].base] = arg
			return result, true, nil
		case bytecode.CallAction:
			if err = t.cancelled(); err != nil {
				goto fail
			}
			action := u16(code, pc+1)
			f.pc, f.sp = pc, sp
			t.host.ActionStarted(action)
			t.push(t.m.prog.Actions[action].Func, action)
			return result, true, nil
		case bytecode.Return, bytecode.ReturnValue:
			if op == bytecode.ReturnValue {
				sp--
				result = stack[sp]
			} else {
				t.hold(f, 0, len(f.pages))
				if f.isAction(t.m) {
					t.host.ActionDone(f.action, nil)
				}
			}
			t.pop()
			if len(t.frames) == 0 {
				return result, false, nil
			}
			f := &t.frames[len(t.frames)-1]
			f.pc += 3 // a call is one opcode and one operand of two bytes
			if op == bytecode.ReturnValue {
				t.stack[f.sp] = result
				f.sp++
			}
			return result, true, nil
		case bytecode.Raise:
			sp--
			err = errors.New(fill(fn.Consts[u16(code, pc+1)].Str(), stack[sp]))
			goto fail
		case bytecode.Parallel:
			sp--
			f.pc, f.sp = pc, sp
			if err = t.iterations(f, u16(code, pc+3), stack[sp]); err != nil {
				goto fail
			}
			return result, true, nil
		case bytecode.Bracket:
			f.pc, f.sp = pc, sp
			t.bracket(f, u16(code, pc+1))
			return result, true, nil
		case bytecode.EndItem:
			if t.frames[0].from == 0 {
				err = errBadProgram // no iteration
				goto fail
			}
			t.hold(&t.frames[0], 0, len(t.frames[0].pages))
			t.frames = t.frames[:0]
			return value.NullValue, false, nil

		default:
			// What is not on the hot path: steps and effects.
			f.pc = pc
			if op == opBreak {
				if !t.passed {
					f.sp = sp
					moved, e := t.atStep()
					if e != nil {
						return value.NullValue, false, e
					}
					if moved {
						t.passed = true
						return result, true, nil
					}
				}
				t.passed = false
				op = bytecode.Op(fn.Code[pc])
				goto execute
			}
			info, _ := bytecode.InfoOf(op)
			v, target, e := t.effect(f, op, code[pc+1:], stack[base:base+fn.Locals], stack[sp-info.Pop:sp])
			if e != nil {
				err = e
				goto fail
			}
			sp -= info.Pop
			push := info.Push
			if target != next {
				push = info.PushJump
				pc = target
				if t.wake != 0 {
					f.pc, f.sp = pc, base+fn.Locals
					return result, true, nil
				}
			} else {
				pc += info.Size()
			}
			if push > 0 {
				stack[sp] = v
				sp++
			}
		}
	}

fail:
	f.pc = pc
	return value.NullValue, false, err
}

// u16 reads an operand of two bytes.
func u16(code []byte, pc int) int { return int(binary.LittleEndian.Uint16(code[pc:])) }

// u32 reads an operand of four bytes.
func u32(code []byte, pc int) int { return int(binary.LittleEndian.Uint32(code[pc:])) }

// field reads a field by name and keeps where it was found in the cache.
func (fn *function) field(v value.Value, name, cache int) (value.Value, error) {
	if v.Kind() != value.Object {
		return value.LimitedField(v, fn.Names[name], maxElems)
	}
	o := v.Obj()
	id := o.Shape().ID()
	c := atomic.LoadUint64(&fn.caches[cache])
	if id != 0 && c>>32 == uint64(id) {
		return o.Slots()[uint32(c)], nil
	}
	slot := o.Shape().Index(fn.Names[name])
	if slot < 0 {
		return value.NullValue, nil
	}
	if id != 0 {
		atomic.StoreUint64(&fn.caches[cache], uint64(id)<<32|uint64(slot))
	}
	return o.Slots()[slot], nil
}
