package bytecode_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	. "reqon/vm/bytecode"
)

// TestVerifyCode holds the verifier against code of an action: of the function
// that small returns, which has 8 locals, 2 page slots, a stack of 4, and one
// of everything else.
func TestVerifyCode(t *testing.T) {
	for _, test := range []struct {
		name string
		code []byte
		want string // in the error; "" is sound
	}{
		{"nothing", asm(Return), ""},
		{"every way the same depth", asm(True, JumpFalse, "no:", Int, 1, Jump, "end:", "no:", Int, 2, "end:", Pop, Return), ""},
		{"a loop", asm("top:", Null, Pop, Loop, "top:"), ""},
		{"an instruction that is not reached", asm(Return, Null), ""},
		{"a call of a transform", asm(Null, CallFunc, 3, Pop, Return), ""},
		{"an array under construction", asm(NewList, 0, Null, Append, 0, Null, Extend, 0, EndList, 0, Pop, Return), ""},
		{"a jump with a value", asm(Null, JumpTrueKeep, "end:", Null, "end:", Pop, Return), ""},
		{"as many operands as the shape has keys", asm(Null, Null, Object, 0, Pop, Return), ""},
		{"an empty object and array", asm(Object, 1, Array, 0, Pop, Pop, Return), ""},
		{"all slots of a loop", asm(Enter, 1, Leave, 1, Return), ""},
		{"the last pair", asm(Null, Iter, 8, 0, Return), ""},

		{"empty", nil, "a size is out of range"},
		{"no such instruction", asm(Op(250), Return), "no such instruction"},
		{"an operand cut short", append(asm(Return), byte(Const), 0), "no such instruction, or one cut short"},
		{"past the end", asm(Null, Pop), "where no instruction begins"},
		{"past the end by a branch", asm(True, JumpFalse, "end:", Return, "end:"), "where no instruction begins"},
		{"a jump into an operand", asm(Null, JumpFalse, 2, Return), "where no instruction begins"},
		{"a jump far out", asm(Jump, 1<<31, Return), "where no instruction begins"},
		{"a jump backwards", asm("top:", Null, Pop, Jump, "top:"), "Jump goes backwards"},
		{"a branch backwards", asm("top:", Null, JumpTrue, "top:", Return), "JumpTrue goes backwards"},
		{"a comparison that jumps backwards", asm("top:", Null, UnlessLtK, 1, "top:", Return), "UnlessLtK goes backwards"},
		{"a jump to itself", asm("top:", Jump, "top:"), "Jump goes backwards"},
		{"an end of loop to itself", asm("top:", Loop, "top:"), ""},
		{"a Next that goes backwards", asm("top:", Next, 0, "top:", Pop, Return), "Next goes backwards"},
		{"a Fetch that goes backwards", asm("top:", Null, Pop, Null, Null, Fetch, 0, 0, "top:", Return), ""}, // to 0: no target
		{"underflow", asm(Pop, Return), "Pop takes 1 operands, but there are 0"},
		{"underflow of a count", asm(Null, Text, 2, Pop, Return), "Text takes 2 operands, but there are 1"},
		{"underflow of a call", asm(Call, 0, 1, Pop, Return), "Call takes 1 operands, but there are 0"},
		{"underflow of a shape", asm(Null, Object, 0, Pop, Return), "Object takes 2 operands, but there are 1"},
		{"overflow", asm(Null, Null, Null, Null, Null, Return), "the stack grows to 5 operands, beyond 4"},
		{"a stack that grows in a loop", asm("top:", Null, Loop, "top:"), "is reached with 0 and with 1 operands"},
		{"ways of different depth", asm(True, JumpFalse, "end:", Null, "end:", Return), "operands"},
		{"a value only where it jumps", asm(Null, JumpTrueKeep, "end:", "end:", Return), "operands"},
		{"text of nothing", asm(Text, 0, Pop, Return), "Text of nothing"},
		{"merge of nothing", asm(Merge, 0, Pop, Return), "Merge of nothing"},

		{"a const", asm(Const, 2, Pop, Return), "operand 2 is out of range"},
		{"a text that is a number", asm(Null, Raise, 1), "no text constant 1"},
		{"no text", asm(Null, Raise, 2), "no text constant 2"},
		{"a name", asm(Null, Field, 1, 0, Pop, Return), "operand 1 is out of range"},
		{"a cache", asm(Null, Field, 0, 1, Pop, Return), "operand 1 is out of range"},
		{"a slot", asm(Load, 12, Pop, Return), "operand 12 is out of range"},
		{"a pair", asm(Null, Iter, 11, 0, Return), "operand 11 is out of range"},
		{"slots of a loop", asm(Enter, 2, Return), "operand 2 is out of range"},
		{"a list", asm(NewList, 1, Return), "operand 1 is out of range"},
		{"a shape", asm(Object, 2, Pop, Return), "operand 2 is out of range"},
		{"a regexp", asm(Null, MatchRE, 1, Pop, Return), "operand 1 is out of range"},
		{"a type", asm(Null, Is, 5, Pop, Return), "operand 5 is out of range"},
		{"a native", asm(Null, Call, 1, 1, Pop, Return), "operand 1 is out of range"},
		{"a host function", asm(CallHost, 99, 0, Pop, Return), "operand 99 is out of range"},
		{"a transform", asm(Null, CallFunc, 5, Pop, Return), "calls what is no transform"},
		{"an action as a transform", asm(Null, CallFunc, 4, Pop, Return), "calls what is no transform"},
		{"options as a transform", asm(Null, CallFunc, 2, Pop, Return), "takes 0"},
		{"an action", asm(CallAction, 2, Return), "calls what is not there"},
		{"a bracket that is not there", asm(Bracket, 1, Return), "calls what is not there"},
		{"a param", asm(Param, 1, Pop, Return), "operand 1 is out of range"},
		{"a fetch", asm(Null, Open, 1, 0, Return), "operand 1 is out of range"},
		{"a page", asm(Null, Open, 0, 2, Return), "operand 2 is out of range"},
		{"a store", asm(StoreClear, 1, Return), "operand 1 is out of range"},
		{"a level", asm(Null, Null, Log, 4, Return), "operand 4 is out of range"},
		{"a loop's number", asm(Int, 1, Parallel, 2, 0, "end:", Pop, EndItem, "end:", Return), "operand 2 is out of range"},

		{"a call of an action with operands", asm(Null, CallAction, 1, Pop, Return), "in the middle of an expression"},
		{"a fetch with operands", asm(Null, Null, Null, Fetch, 0, 0, "end:", "end:", Pop, Return), "in the middle of an expression"},
		{"iterations with operands", asm(Null, Int, 1, Parallel, 0, 0, "end:", Pop, EndItem, "end:", Pop, Return), "in the middle of an expression"},
		{"an action that gives a value", asm(Null, ReturnValue), "ReturnValue does not belong"},
		{"a call of an action while an array is made", asm(NewList, 0, CallAction, 1, EndList, 0, Pop, Return), "in the middle of an expression"},
		{"an array that is made on one way only", asm(True, JumpFalse, "no:", NewList, 0, "no:", Return), "arrays under construction"},
		{"an array made in a loop without end", asm("top:", NewList, 0, Loop, "top:"), "arrays under construction"},
		{"the end of no array", asm(EndList, 0, Pop, Return), "no array is under construction"},
		{"onto no array", asm(Null, Append, 0, Return), "no array is under construction"},
		{"all onto no array", asm(Null, Extend, 0, Return), "no array is under construction"},
		{"more arrays than it has", asm(NewList, 0, NewList, 0, EndList, 0, EndList, 0, Pop, Pop, Return), "more arrays are under construction than the 1"},
		{"a list that ended", asm(NewList, 0, EndList, 0, Pop, Null, Append, 0, EndList, 0, Pop, Return), "no array is under construction"},
		{"iterations that go on behind the loop", asm(Int, 1, Parallel, 0, 0, "end:", Pop, "end:", Return), "out of the iterations of Parallel, or into them"},
		{"iterations that jump behind the loop", asm(Int, 1, Parallel, 0, 0, "end:", JumpTrue, "end:", EndItem, "end:", Return), "out of the iterations of Parallel"},
		{"iterations that begin the loop again", asm("top:", Int, 1, Parallel, 0, 0, "end:", Pop, Loop, "top:", "end:", Return), "out of the iterations of Parallel"},
		{"a jump into iterations", asm(True, JumpTrue, "in:", Int, 1, Parallel, 0, 0, "end:", Pop, "in:", EndItem, "end:", Return), "or into them"},
		{"iterations in iterations", asm(Int, 1, Parallel, 0, 0, "end:", Pop, Int, 1, Parallel, 0, 0, "in:", Pop, EndItem, "in:", EndItem, "end:", Return), ""},
		{"iterations that end outside of those around", asm(Int, 1, Parallel, 0, 0, "end:", Pop, Int, 1, Parallel, 0, 0, "out:", Pop, EndItem, "end:", Null, Pop, "out:", Return), "out of the iterations of Parallel"},
		{"recursion", asm(CallAction, 0, Return), "calls itself"},
		{"recursion by a bracket", asm(Bracket, 0, Return), "calls itself"},
	} {
		t.Run(test.name, func(t *testing.T) { wantVerify(t, small(test.code), test.want) })
	}
}

// TestVerifySteps: a step is where an instruction begins, in order, with no
// operand and no array under construction, and in an action.
func TestVerifySteps(t *testing.T) {
	code := asm(Null, Pop, NewList, 0, EndList, 0, Pop, Return) // at 0, 1, 2, 5, 8, 9
	for _, test := range []struct {
		steps []int
		want  string
	}{
		{[]int{0, 2, 9}, ""},
		{[]int{0, 0}, "out of order"},
		{[]int{2, 0}, "out of order"},
		{[]int{-1}, "out of order"},
		{[]int{10}, "no instruction begins"},
		{[]int{3}, "no instruction begins"},
		{[]int{0, 1}, "in the middle of an expression"},
		{[]int{5}, "in the middle of an expression"},
		{[]int{8}, "in the middle of an expression"},
	} {
		p := small(code)
		p.Funcs[1].Steps = test.steps
		wantVerify(t, p, test.want)
	}
	p := small(asm(Int, 1, Parallel, 0, 0, "end:", Pop, EndItem, "end:", Return)) // at 0, 3, 12, 13, 14
	p.Funcs[1].Handlers = []Handler{{Start: 12, End: 13, Target: 14}}
	wantVerify(t, p, "out of the iterations of Parallel")
	p = small(asm(Return))
	p.Funcs[3].Steps = []int{0} // a transform
	wantVerify(t, p, "has steps and is no action")
}

// wantVerify verifies a program as it is, and as it comes out of its artifact.
func wantVerify(t *testing.T, p *Program, want string) {
	t.Helper()
	for _, err := range []error{Verify(p), decodeError(p)} {
		var verify *VerifyError
		switch {
		case want == "" && err != nil:
			t.Errorf("a sound program is refused: %v", err)
		case want != "" && err == nil:
			t.Errorf("goes through, expected %q", want)
		case want != "" && !strings.Contains(err.Error(), want):
			t.Errorf("%v, expected %q", err, want)
		case err != nil && !errors.As(err, &verify):
			t.Errorf("%T is no VerifyError: %v", err, err)
		}
	}
}

func decodeError(p *Program) error {
	_, err := Decode(Encode(p))
	return err
}

// TestVerifyTables holds the verifier against tables.
func TestVerifyTables(t *testing.T) {
	far := Pos{File: 1, Line: 1, Column: 1}
	for _, test := range []struct {
		name   string
		change func(p *Program)
		want   string
	}{
		{"sound", func(p *Program) {}, ""},
		{"no options", func(p *Program) { p.Options, p.Schedule = None, nil }, ""},
		{"a position in no file", func(p *Program) { p.Pos = far }, "bad position"},
		{"a column below 0", func(p *Program) { p.Pos.Column = -1 }, "bad position"},
		{"an option's position", func(p *Program) { p.OptionPos[0].Pos = far }, "bad position"},
		{"a line's position", func(p *Program) { p.Funcs[1].Lines[0].Pos = far }, "bad line table"},
		{"lines out of order", func(p *Program) { p.Funcs[1].Lines = []Line{{PC: 5}, {PC: 4}} }, "bad line table"},
		{"a use that is not in the code", func(p *Program) { p.Uses = []Use{{Part: StepPart, Name: "wait"}} }, "what it uses does not fit its code"},
		{"a wait that is not in the table", func(p *Program) { p.Funcs[1].Code = asm(Null, Wait, Return) }, "what it uses does not fit its code"},
		{"a pause that is not in the table", func(p *Program) { p.Funcs[4].Code, p.Funcs[4].MaxStack = asm(Null, Pause, Return), 1 }, "what it uses does not fit its code"},
		{"a host's function that is not in the table", func(p *Program) { p.Funcs[2].Code = asm(CallHost, 0, 0, ReturnValue) }, "what it uses does not fit its code"},
		{"a host's function in the table", func(p *Program) {
			p.Funcs[2].Code = asm(CallHost, 0, 0, ReturnValue)
			p.Funcs[2].Lines = []Line{{Pos: Pos{Line: 5, Column: 2}}}
			p.Uses = []Use{{Part: FunctionPart, Name: "now", Pos: Pos{Line: 5, Column: 2}}}
		}, ""},
		{"a use at another place", func(p *Program) {
			p.Funcs[2].Code = asm(CallHost, 0, 0, ReturnValue)
			p.Uses = []Use{{Part: FunctionPart, Name: "now", Pos: Pos{Line: 5, Column: 2}}}
		}, "what it uses does not fit its code"},
		{"options that are not there", func(p *Program) { p.Options = 5 }, "options: no such function"},
		{"options before the first", func(p *Program) { p.Options = -2 }, "options: no such function"},
		{"options with an argument", func(p *Program) { p.Options = 3 }, "options: no such function"},
		{"no pipeline", func(p *Program) { p.Main = None }, "pipeline: no such function"},
		{"a schedule of no kind", func(p *Program) { p.Schedule.Kind = 3 }, "bad schedule"},
		{"every 0", func(p *Program) { p.Schedule.Every = 0 }, "bad schedule"},
		{"a param's type", func(p *Program) { p.Params[0].Type = 5 }, "no such type"},
		{"a param's default", func(p *Program) { p.Params[0].Default = 9 }, "no such function"},
		{"a source's options", func(p *Program) { p.Sources[0].Options = 9 }, "no such function"},
		{"a login without a function", func(p *Program) { p.Sources[0].Login = &Login{Request: None, Result: None, When: None} }, "no such function"},
		{"a login's result of one argument", func(p *Program) { p.Sources[0].Login = &Login{Request: 3, Result: 3, When: None} }, "no such function"},
		{"a signature's function", func(p *Program) { p.Sources[0].Sign = []SignPart{{In: SignHeader, Name: "X", Func: 9}} }, "no such function"},
		{"a signature nowhere", func(p *Program) { p.Sources[0].Sign = []SignPart{{In: 3, Name: "X", Func: 3}} }, "a bad signature"},
		{"a signature without a name", func(p *Program) { p.Sources[0].Sign = []SignPart{{In: SignParam, Func: 3}} }, "a bad signature"},
		{"a cost's function", func(p *Program) { p.Sources[0].Cost = 1 }, "no such function"},
		{"a store without adapter", func(p *Program) { p.Stores[0].Adapter = None }, "no such function"},
		{"an action's function", func(p *Program) { p.Actions[0].Func = 5 }, "no such function"},
		{"a transform as an action", func(p *Program) { p.Actions[0].Func = 3 }, "no such function"},
		{"a bracket's action", func(p *Program) { p.Brackets[0][1] = 2 }, "no such action"},
		{"a fetch's source", func(p *Program) { p.Fetches[0].Source = 1 }, "no such source"},
		{"a fetch's judges that are not there", func(p *Program) { p.Fetches[0].Judges = &Judges{FailWhen: 99, RetryWhen: None, RetryWait: None} }, "no such function to judge its answers"},
		{"a fetch's judges below none", func(p *Program) { p.Fetches[0].Judges = &Judges{FailWhen: None, RetryWhen: -2, RetryWait: None} }, "no such function to judge its answers"},
		{"a fetch's judge that is an action", func(p *Program) { p.Fetches[0].Judges = &Judges{FailWhen: None, RetryWhen: None, RetryWait: 1} }, "judges answers, and is an action or gives options"},
		{"a fetch's pages", func(p *Program) { p.Fetches[0].Page = 6 }, "no such source or pagination"},
		{"a loop's policy", func(p *Program) { p.Loops[0].Policy = 4 }, "no such policy"},
		{"a loop's queue", func(p *Program) { p.Loops[0].Queue = 1 }, "no such policy"},
		{"a loop's page", func(p *Program) { p.Loops[1].Page = -2 }, "no such policy"},
		{"a shape with a key twice", func(p *Program) { p.Shapes[0][1] = "id" }, `"id" twice`},
		{"a kind of type", func(p *Program) { p.Types[0].Kind = 11 }, "no such type"},
		{"an element's type", func(p *Program) { p.Types[1].Elem = 5 }, "no such type"},
		{"an alternative's type", func(p *Program) { p.Types[2].Alts[0] = -1 }, "no such type"},
		{"a field's type", func(p *Program) { p.Types[3].Fields[0].Type = 5 }, "no such type"},
		{"a type with a field twice", func(p *Program) { p.Types[3].Fields[1].Name = "next" }, `"next" twice`},
		{"a union of itself", func(p *Program) { p.Types[2].Alts[0] = 2 }, "contains itself"},
		{"an array of itself", func(p *Program) { p.Types[1].Elem = 1 }, "contains itself"},
		{"a union of arrays of itself", func(p *Program) { p.Types[1].Elem = 2 }, "contains itself"},
		{"an object of itself", func(p *Program) { p.Types[3].Fields[0].Type = 3 }, ""},

		{"a negative stack", func(p *Program) { p.Funcs[4].MaxStack = -1 }, "out of range"},
		{"a huge stack", func(p *Program) { p.Funcs[4].MaxStack = 1 << 20 }, "too much memory"},
		{"a large stack", func(p *Program) { p.Funcs[4].MaxStack = 1<<12 + 1 }, "out of range"},
		{"too many locals", func(p *Program) { p.Funcs[4].Locals = 1<<16 + 1 }, "out of range"},
		{"fewer locals than arguments", func(p *Program) { p.Funcs[3].Locals = 0 }, "out of range"},
		{"too many pages", func(p *Program) { p.Funcs[4].Pages = 1<<10 + 1 }, "out of range"},
		{"too many lists", func(p *Program) { p.Funcs[4].Lists = 1<<16 + 1 }, "out of range"},
		{"more caches than code", func(p *Program) { p.Funcs[4].Caches = 2 }, "out of range"},

		{"options that read a store", func(p *Program) { p.Funcs[2].Code = asm(StoreLen, 0, ReturnValue) }, "does not belong"},
		{"options that read the response", func(p *Program) { p.Funcs[2].Code = asm(Response, ReturnValue) }, "does not belong"},
		{"options that return nothing", func(p *Program) { p.Funcs[2].Code = asm(Return) }, "does not belong"},
		{"options that call a transform", func(p *Program) { p.Funcs[2].Code = asm(Null, CallFunc, 3, ReturnValue) }, "does not belong"},
		{"options that abort", func(p *Program) { p.Funcs[2].Code = asm(Null, Abort) }, "does not belong"},
		{"a transform that reads a store", func(p *Program) { p.Funcs[3].Code = asm(StoreLen, 0, ReturnValue) }, ""},
		{"a transform that writes a store", func(p *Program) { p.Funcs[3].Code = asm(StoreClear, 0, Load, 0, ReturnValue) }, "does not belong"},
		{"a transform that returns nothing", func(p *Program) { p.Funcs[3].Code = asm(Return) }, "does not belong"},
		{"options with a handler", func(p *Program) { p.Funcs[2].Handlers = []Handler{{End: 1, Target: 1}} }, "has handlers"},
		{"an action as options", func(p *Program) { p.Options = 4 }, "is an action"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := small(asm(Return))
			test.change(p)
			wantVerify(t, p, test.want)
		})
	}
}

// TestVerifyHandlers: a handler stands behind what it covers, and is entered
// with an empty stack.
func TestVerifyHandlers(t *testing.T) {
	code := asm(Null, Pop, Return, WrapError, 0)
	const behind = 3
	for _, test := range []struct {
		name    string
		handler Handler
		want    string
	}{
		{"sound", Handler{Start: 0, End: behind, Target: behind, PageEnd: 2}, ""},
		{"of nothing", Handler{Start: 1, End: 1, Target: behind}, ""},
		{"in an operand", Handler{Start: 0, End: 1, Target: behind + 1}, "where no instruction begins"},
		{"before the code", Handler{Start: -1, End: 1, Target: behind}, "bad handler"},
		{"beyond the code", Handler{Start: 0, End: 7, Target: behind}, "bad handler"},
		{"back to front", Handler{Start: 2, End: 1, Target: behind}, "bad handler"},
		{"inside of what it covers", Handler{Start: 0, End: behind, Target: 1}, "bad handler"},
		{"before what it covers", Handler{Start: 1, End: behind, Target: 0}, "bad handler"},
		{"pages that are not there", Handler{End: 1, Target: behind, PageEnd: 3}, "bad handler"},
		{"pages below 0", Handler{End: 1, Target: behind, PageStart: -1}, "bad handler"},
		{"with an operand", Handler{End: 1, Target: 1}, "operands"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := small(code)
			p.Funcs[1].Handlers = []Handler{test.handler}
			wantVerify(t, p, test.want)
		})
	}
}

// TestVerifyCost: what costs little to write down must cost little to verify,
// and nothing may ask for room that the artifact does not pay for.
func TestVerifyCost(t *testing.T) {
	begin := time.Now()
	for _, test := range []struct {
		name   string
		change func(p *Program)
		want   string
	}{
		{"calls one inside of the other, each with many locals", func(p *Program) {
			for range 1000 {
				n := len(p.Actions)
				p.Actions = append(p.Actions, Action{Func: len(p.Funcs)})
				p.Funcs = append(p.Funcs, Func{Code: asm(CallAction, n+1, Return), Locals: 1 << 12})
			}
			p.Actions = append(p.Actions, Action{Func: 4})
		}, "too much memory"},
		{"many calls one inside of the other", func(p *Program) {
			for range 20_000 {
				n := len(p.Actions)
				p.Actions = append(p.Actions, Action{Func: len(p.Funcs)})
				p.Funcs = append(p.Funcs, Func{Code: asm(CallAction, n+1, Return)})
			}
			p.Actions = append(p.Actions, Action{Func: 4})
		}, "too many others"},
		{"many brackets of many actions", func(p *Program) {
			for range 20_000 {
				p.Brackets[0] = append(p.Brackets[0], 1)
			}
			p.Brackets[0][0] = 1
			var code []byte
			for range 20_000 {
				code = append(code, asm(Bracket, 0)...)
			}
			p.Funcs[1].Code = append(code, asm(Return)...)
		}, ""},
		{"unions that double", func(p *Program) {
			n := len(p.Types)
			p.Types = append(p.Types, Type{Kind: TypeNull, Elem: None})
			for i := range 100 {
				p.Types = append(p.Types, Type{Kind: TypeUnion, Elem: None, Alts: []int{n + i, n + i}})
			}
		}, "too large"},
		{"arrays very deep", func(p *Program) {
			n := len(p.Types)
			for i := range 5000 {
				p.Types = append(p.Types, Type{Kind: TypeArray, Elem: n + i + 1})
			}
			p.Types = append(p.Types, Type{Kind: TypeNull, Elem: None})
		}, "too large"},
		{"pages in many calls", func(p *Program) {
			for range 100 {
				n := len(p.Actions)
				p.Actions = append(p.Actions, Action{Func: len(p.Funcs)})
				p.Funcs = append(p.Funcs, Func{Code: asm(CallAction, n+1, Return), Pages: 1 << 10})
			}
			p.Actions = append(p.Actions, Action{Func: 4})
		}, "too much memory"},
		{"a shape of many keys", func(p *Program) {
			for i := range 60_000 {
				p.Shapes[1] = append(p.Shapes[1], fmt.Sprint(i))
			}
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := small(asm(Return))
			test.change(p)
			wantVerify(t, p, test.want)
		})
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestRooms(t *testing.T) {
	p := small(asm(CallAction, 1, Null, CallFunc, 3, Pop, Bracket, 0, Return))
	p.Brackets = [][]int{{1}}
	rooms, err := Rooms(p)
	if err != nil {
		t.Fatal(err)
	}
	// Each has its locals and its deepest stack; A also what it calls, one at
	// a time, and its pages and array; what a bracket runs are other tasks.
	if rooms[4] != 1 || rooms[3] != 3 || rooms[2] != 2 || rooms[1] <= 8+4+rooms[3] || rooms[0] != rooms[1]+1 {
		t.Errorf("rooms %v", rooms)
	}
	p.Funcs[4].Code = asm(CallAction, 0, Return)
	if _, err := Rooms(p); err == nil {
		t.Error("recursion has a room")
	}
}

// TestVerifyErrorText: the error names function and place.
func TestVerifyErrorText(t *testing.T) {
	err := Verify(small(asm(Null, Pop, Pop, Return)))
	if want := "invalid program: function A at 2: Pop takes 1 operands, but there are 0"; err == nil || err.Error() != want {
		t.Errorf("%v\nexpected %s", err, want)
	}
	p := small(asm(Return))
	p.Main = 9
	if err, want := Verify(p), "invalid program: pipeline: no such function"; err == nil || err.Error() != want {
		t.Errorf("%v\nexpected %s", err, want)
	}
}
