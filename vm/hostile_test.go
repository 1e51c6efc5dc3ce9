package vm_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"reqon/vm"
	. "reqon/vm/bytecode"
	"reqon/vm/value"
)

// asm puts code together: an opcode, then its operands as numbers. A text is
// a label, and as an operand the place of that label.
func asm(parts ...any) []byte {
	var code []byte
	labels := map[string]int{}
	refs := map[int]string{}
	for len(parts) > 0 {
		if label, ok := parts[0].(string); ok {
			labels[label] = len(code)
			parts = parts[1:]
			continue
		}
		op := parts[0].(Op)
		info, _ := InfoOf(op)
		code = append(code, byte(op))
		for i, o := range info.Operands {
			n, _ := parts[1+i].(int)
			if label, ok := parts[1+i].(string); ok {
				refs[len(code)] = label
			}
			for shift := range o.Size() {
				code = append(code, byte(n>>(8*shift)))
			}
		}
		parts = parts[1+len(info.Operands):]
	}
	for at, label := range refs {
		binary.LittleEndian.PutUint32(code[at:], uint32(labels[label]))
	}
	return code
}

// handmade is a program of one action with this code, which has two stores, a
// paginated fetch and an unpaginated one, a loop with the policy continue and
// one with queue.
func handmade(code []byte) *Program {
	return &Program{
		Mission: "Handmade", Options: None, Files: []string{"x"},
		Stores:   []Store{{Name: "a", Adapter: 2, Options: None, Schema: None}, {Name: "b", Adapter: 2, Options: None, Schema: None}},
		Actions:  []Action{{Name: "A", Func: 1}, {Name: "B", Func: 4}},
		Brackets: [][]int{{1, 1}},
		Fetches: []FetchInfo{
			{Method: "GET", Source: None, Page: PageNumber, PageParam: "page"},
			{Method: "POST", Source: None, Incremental: true, Handled: true},
			{Method: "GET", Source: None, Page: PageCursor, Cursor: "next", Until: true},
			{Method: "GET", Source: None, Page: PageOffset, PageParam: "o"},
		},
		Loops:  []LoopInfo{{Page: None}, {Policy: PolicyQueue, Queue: 1, Page: 0}},
		Types:  []Type{{Kind: TypeString, Name: "string", Elem: None}},
		Shapes: [][]string{{"maxItems"}, {"maxPages"}, {"key"}, {"format"}},
		Funcs: []Func{
			{Name: "run", Code: asm(CallAction, 0, Return)},
			{
				Name: "A", Code: code, Locals: 16, MaxStack: 8, Lists: 2, Caches: 1, Pages: 2,
				Consts: []value.Value{
					value.FromString("text"), value.FromInt(1 << 40),
					value.FromArray([]value.Value{value.True, value.FromInt(2)}),
					retryOptions(1<<31-1, 0), retryOptions(1<<31-1, 9e12),
				},
				Names: []string{"id"},
			},
			{Name: "adapter", Code: asm(Null, ReturnValue), MaxStack: 1},
			{Name: "T", Code: asm(Load, 0, ReturnValue), Args: 1, Locals: 1, MaxStack: 1},
			{Name: "B", Code: asm(Return)},
		},
	}
}

func retryOptions(attempts int64, delay float64) value.Value {
	b := value.NewObjectBuilder(nil, 4)
	b.Set("maxAttempts", value.FromInt(attempts))
	b.Set("initialDelay", value.FromFloat(delay))
	b.Set("maxDelay", value.FromFloat(9.1e12))
	return b.Value()
}

// attack runs a program, which must end, one way or another, soon after
// its deadline.
func attack(t *testing.T, p *Program, w *world) error {
	t.Helper()
	p.Uses = UsesOf(p)
	if err := Verify(p); err != nil {
		t.Fatalf("the program does not get through the verifier: %v", err)
	}
	m, err := vm.Link(p, w.shapes, natives)
	if err != nil {
		t.Fatal(err)
	}
	w.prog = p
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, w) }()
	select {
	case err := <-done:
		if n := w.open.Load(); n != 0 {
			t.Errorf("%d requests go on behind the run", n)
		}
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the run does not end")
		return nil
	}
}

const damaged = "the compiled program is damaged"

// TestHandmade runs code that the verifier lets through and no compiler makes:
// it must end in an error, or do no harm.
func TestHandmade(t *testing.T) {
	pages := func(w *world) {
		w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
			return w.answer(1, `[{"id":`+value.Text(r.Param)+`1},{"id":`+value.Text(r.Param)+`2}]`)
		}
	}
	endless := func(w *world) {
		var first atomic.Bool
		w.fetch = func(ctx context.Context, r *vm.Request) *vm.Reply {
			if first.CompareAndSwap(false, true) {
				return w.answer(1, `[1]`)
			}
			<-ctx.Done()
			return nil
		}
	}
	for _, test := range []struct {
		name  string
		code  []byte
		world func(w *world)
		want  string // in the error; "" is none
	}{
		{"next of no array", asm(Next, 0, "end", Pop, "end", Return), nil, damaged},
		{"next of no index", asm(Array, 0, Set, 0, Next, 0, "end", Pop, "end", Return), nil, damaged},
		{"next before the first", asm(Const, 2, Iter, 0, 0, Int, 0xFFFF, Set, 1, Next, 0, "end", Pop, "end", Return), nil, damaged},
		{"next far behind the last", asm(Const, 2, Iter, 0, 0, Const, 1, Set, 1, Next, 0, "end", Pop, "end", Return), nil, ""},
		{"restore without enter", asm(Restore, 0, Return), nil, damaged},
		{"restore of something else", asm(Enter, 0, Null, Set, 4, Restore, 0, Return), nil, damaged},
		{"restore of no path", asm(Enter, 0, Null, Set, 5, Restore, 0, Return), nil, damaged},
		{"an item's error without one", asm(Const, 2, Iter, 0, 0, Int, 1, Set, 1, Enter, 0, ItemError, 0, 0, Return), nil, damaged},
		{"an item's error of no item", asm(Enter, 0, ItemError, 0, 0, Return), nil, damaged},
		{"an error to wrap without one", asm(WrapError, 0), nil, damaged},
		{"the latest failure without one", asm(RaiseLast, Handled, Return), nil, ""},
		{"the end of an iteration outside of one", asm(EndItem), nil, damaged},
		{"extend by no array", asm(NewList, 0, True, Extend, 0, Return), nil, "needs an array"},
		{"a slice of no array", asm(True, Slice, 3, Pop, Return), nil, ""},
		{"a slice behind the end", asm(Const, 2, Slice, 3, Pop, Return), nil, ""},
		{"a slice before the beginning", asm(Const, 2, Slice, 0xFFFF, Pop, Return), nil, ""},

		{"records that are none", asm(True, Null, Null, Null, StorePut, 0, Return), nil, damaged},
		{"records of no objects", asm(Const, 2, Null, Null, Null, StorePut, 0, Return), nil, damaged},
		{"fewer keys than records", asm(Null, Object, 0, Null, Object, 0, Array, 2, Array, 0, Null, Null, StorePut, 0, Return), nil, damaged},
		{"more keys than records", asm(Array, 0, Const, 2, Null, Null, StorePut, 0, Return), nil, damaged},
		{"keys that are none", asm(Null, Object, 0, Array, 1, True, Null, Null, StorePut, 0, Return), nil, damaged},
		{"validate no list", asm(True, Validate, Return), nil, damaged},
		{"messages that are no text", asm(Const, 2, Validate, Return), nil, "2 conditions do not hold: true; 2"},
		{"a dead letter of anything", asm(Null, True, Null, DeadLetter, Pop, Return), nil, ""},
		{"a log of anything", asm(Const, 2, Const, 2, Log, 0, Const, 2, Warn, Return), nil, ""},
		{"an abort with anything", asm(Const, 2, Abort), nil, "[true,2]"},
		{"a wait and a pause with anything", asm(True, Wait, True, Pause, Return), nil, ""},

		{"a page's items without a fetch", asm(PageItems, 0, Pop, PageParam, 0, Pop, MorePages, 0, "end", "end", Return), nil, ""},
		{"the position of no fetch", asm(LastSync, 0, Pop, Return), nil, damaged},
		{"a fetch that is not open", asm(Null, Null, Fetch, 0, 0, 0, Return), nil, damaged},
		{"another fetch than the open one", asm(Null, Open, 0, 0, Null, Null, Fetch, 2, 0, 0, Return), nil, damaged},
		{"a page done of no fetch", asm(Null, Null, PageDone, 0, 0, 0, Return), nil, damaged},
		{"a page done before it came", asm(Null, Open, 0, 0, Null, Null, PageDone, 0, 0, 0, Close, 0, 0, Return), nil, damaged},
		{"closed twice", asm(Null, Open, 0, 0, Close, 0, 0, Close, 0, 0, Return), nil, damaged},
		{"a path that is no text", asm(Null, Open, 0, 0, True, Null, Fetch, 0, 0, 0, Return), nil, "must be text, found boolean true"},
		{"options that are no object", asm(Null, Open, 0, 0, Const, 0, Const, 2, Fetch, 0, 0, 0, Return), pages, "the options are array [true,2], expected an object of its options"},
		{"options that are text", asm(Null, Open, 0, 0, Const, 0, Const, 0, Fetch, 0, 0, 0, Return), pages, `the options are string "text", expected an object of its options`},
		{"a sync position that is kept by nothing", asm(Null, Open, 1, 0, Return), nil, ""},
		{"a sync position that is kept by text", asm(Const, 0, Open, 1, 0, Return), nil, ""},
		{"a sync key that is no text", asm(Const, 2, Object, 2, Open, 1, 0, Return), nil, "syncKey: a key must be text or a number"},
		{"a sinceFormat that is no text", asm(Null, Object, 3, Open, 1, 0, Return), nil, ""},
		{"a sinceFormat that is a list", asm(Const, 2, Object, 3, Open, 1, 0, Return), nil, "format must be text"},
		{"the shifted position of no fetch", asm(Null, Null, ShiftSync, 0, 3, Pop, Return), nil, damaged},
		{"a new position of no fetch", asm(Null, UpdateFrom, 0, 1, Return), nil, damaged},
		{"a position that was never asked for, reset", asm(ResetSync, 0, Return), nil, ""},
		{"a checkpoint of nothing", asm(Checkpoint, Return), nil, ""},
		{"a loop left that was not entered", asm(Leave, 0, Return), nil, damaged},
		{"a failure that nothing takes", asm(Const, 0, Open, 1, 0, Const, 0, Null, Fetch, 1, 0, 0, Return), nil, damaged},
		{"a failure left behind", asm(Const, 0, Open, 1, 0, Const, 0, Null, Fetch, 1, 0, "end", "end", Return), nil, ""},
		{"a judge of no fetch", asm(Null, Judge, 0, 0, Return), nil, damaged},
		{"a judge that takes no list", asm(Null, Open, 0, 0, Null, Judge, 0, 0, Return), nil, damaged},
		{"a page error of no fetch", asm(PageError, 0, 0, "end", "end", Return), nil, damaged},
		{"a page error that nothing caught", asm(Null, Open, 0, 0, Const, 0, Null, Fetch, 0, 0, 0, PageError, 0, 0, "end", "end", Return), pages, damaged},
		{"a page done of an unpaginated fetch", asm(Const, 0, Open, 1, 0, Const, 0, Null, Fetch, 1, 0, "end", Null, Null, PageDone, 1, 0, 0, MorePages, 0, "top", "top", Close, 1, 0, "end", Return), pages, ""},
		{"more pages told twice", asm(
			Null, Open, 0, 0, Int, 3, Object, 0, Set, 0,
			"page", Const, 0, Load, 0, Fetch, 0, 0, 0, Null, Null, PageDone, 0, 0, 0,
			MorePages, 0, "again", "again", MorePages, 0, "more", "more",
			Const, 0, Load, 0, Fetch, 0, 0, 0, Null, Null, PageDone, 0, 0, 0, Close, 0, 0, Return), pages, ""},
		{"more pages for ever", asm(
			Null, Open, 0, 0, Const, 0, Null, Fetch, 0, 0, 0, Null, Null, PageDone, 0, 0, 0, "again", MorePages, 0, "again", Return), pages, ""},
		{"the same page for ever", asm(
			Null, Open, 0, 0, Const, 0, Null, Fetch, 0, 0, 0, "again", Null, Null, PageDone, 0, 0, 0, Loop, "again"), pages, damaged},
		{"a fetch for ever", asm(Null, Open, 0, 0, "again", Const, 0, Null, Fetch, 0, 0, 0, Loop, "again"), pages, "context deadline exceeded"},

		{"a page asked for ahead and left behind", asm(
			Null, Open, 0, 0, Const, 0, Null, Fetch, 0, 0, 0, Null, Null, PageDone, 0, 0, 0, Const, 0, Null, Ahead, 0, 0, Return), endless, ""},
		{"a page asked for ahead in an iteration", asm(Const, 2, Iter, 0, 0, Int, 2, Parallel, 0, 0, "end", Pop,
			Null, Open, 0, 0, Const, 0, Null, Fetch, 0, 0, 0, Null, Null, PageDone, 0, 0, 0, Const, 0, Null, Ahead, 0, 0, EndItem, "end", Return), endless, "context deadline exceeded"},
		{"a page asked for ahead of nothing", asm(Null, Open, 0, 0, Const, 0, Null, Ahead, 0, 0, Null, Open, 0, 0, Return), endless, ""},
		{"a page asked for ahead twice", asm(
			Null, Open, 0, 0, Const, 0, Null, Fetch, 0, 0, 0, Null, Null, PageDone, 0, 0, 0, Const, 0, Null, Ahead, 0, 0, Const, 0, Null, Ahead, 0, 0,
			Null, Open, 0, 0, Return), endless, ""},
		{"a page asked for ahead where the fetch ends", asm(
			Null, Open, 0, 0, Const, 0, Null, Fetch, 0, 0, 0, Null, Null, PageDone, 0, 0, 0, Const, 0, Null, Ahead, 0, 0, Close, 0, 0, Return), endless, ""},
		{"retry without a count", asm(Null, Retry, 0, 0, 0), nil, damaged},
		{"retry of no fetch", asm(Int, 1, Set, 0, "again", Null, Retry, 0, 0, "again"), nil, "given up after 3 attempts"},
		{"retry with options that are none", asm(Int, 1, Set, 0, "again", Const, 2, Retry, 0, 0, "again"), nil, "retry: the options are array [true,2], expected an object of its options"},
		{"retry very often without waiting", asm(Int, 1, Set, 0, "again", Const, 3, Retry, 0, 0, "again"), nil, "context deadline exceeded"},
		{"retry after very many attempts", asm(Const, 1, Set, 0, "again", Const, 3, Retry, 0, 0, "again"), nil, "given up after 1099511627776 attempts"},
		{"retry after a very long time", asm(Int, 60, Set, 0, "again", Const, 4, Retry, 0, 0, "again"), func(w *world) {
			w.sleep = func(ctx context.Context, d time.Duration) error {
				if d < 24*time.Hour {
					return errors.New("too short a wait")
				}
				return errors.New("a long wait")
			}
		}, "a long wait"},

		{"a loop for ever", asm("again", Loop, "again"), nil, "context deadline exceeded"},
		{"iterations over nothing", asm(Int, 2, Parallel, 0, 0, "end", Pop, EndItem, "end", Return), nil, damaged},
		{"too many at once", asm(Const, 2, Iter, 0, 0, Const, 1, Parallel, 0, 0, "end", Pop, EndItem, "end", Return), nil, "concurrency must be a whole number"},
		{"iterations that never end", asm(Const, 2, Iter, 0, 0, Int, 2, Parallel, 0, 0, "end", Pop, "again", Loop, "again", "end", Return), nil, "context deadline exceeded"},
		{"iterations that call the end of one", asm(Const, 2, Iter, 0, 0, Int, 2, Parallel, 0, 0, "end", Pop, CallAction, 1, EndItem, "end", Bracket, 0, Return), nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld()
			if test.world != nil {
				test.world(w)
			}
			wantError(t, attack(t, handmade(test.code), w), test.want)
		})
	}
}

// TestHandmadeHandlers runs handlers that cover more than a compiler's do.
func TestHandmadeHandlers(t *testing.T) {
	for _, test := range []struct {
		name     string
		code     []byte
		handlers []Handler
		want     string
	}{
		{"a handler that goes back into what it covers",
			asm("again", Null, Raise, 0, Loop, "again"), []Handler{{Start: 0, End: 4, Target: 4}}, "text"},
		{"handlers that wrap for ever",
			asm("again", Null, Raise, 0, WrapError, 0, Loop, "again"), []Handler{{Start: 0, End: 4, Target: 4}, {Start: 0, End: 7, Target: 7}}, "e"}, // one or the other error,
		{"handlers that wrap an item's error for ever",
			asm(Const, 2, Iter, 0, 0, Int, 1, Set, 1, "again", Null, Raise, 0, WrapError, 0, Loop, "again"),
			[]Handler{{Start: 8, End: 18, Target: 18}, {Start: 8, End: 21, Target: 21}}, "text"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := handmade(test.code)
			p.Funcs[1].Handlers = test.handlers
			wantError(t, attack(t, p, newWorld()), test.want)
		})
	}
}

// TestEvalEnds: options that loop for ever are an error, without a timeout.
func TestEvalEnds(t *testing.T) {
	p := handmade(asm(Return))
	p.Options = 2
	p.Funcs[2].Code = asm("again", Loop, "again")
	m, err := vm.Link(p, value.NewShapes(), natives)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.prog = p
	_, err = m.Eval(context.Background(), w, 2)
	wantError(t, err, "it takes more than 1000000 rounds of its loops")
	p.Funcs[1].Code = asm("again", Loop, "again")
	wantError(t, attack(t, p, newWorld()), "context deadline exceeded")
}
