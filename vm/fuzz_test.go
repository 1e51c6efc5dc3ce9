package vm_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"reqon/vm"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// programs compiles the programs of testdata/lang/run that are one file and
// compile.
var programs = sync.OnceValue(func() (list []*bytecode.Program) {
	files, err := filepath.Glob("../testdata/lang/run/*.txtar")
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		for _, f := range txtar.Parse(data).Files {
			if !strings.HasSuffix(f.Name, ".reqon") {
				continue
			}
			if p, err := compile(string(f.Data)); err == nil {
				list = append(list, p)
			}
		}
	}
	return list
})

// dice makes decisions of bytes, and goes on with zeros when they are used up.
type dice []byte

func (d *dice) roll(sides int) int {
	if sides < 2 {
		return 0
	}
	n := 0
	for width := sides - 1; width > 0; width >>= 8 {
		if len(*d) > 0 {
			n, *d = n<<8|int((*d)[0]), (*d)[1:]
		}
	}
	return n % sides
}

// FuzzProgram runs real programs in which something was changed, as an artifact
// would bring them: nothing may crash, hang or take all memory. A change that
// the verifier refuses is as good.
func FuzzProgram(f *testing.F) {
	all := programs()
	if len(all) < 200 {
		f.Fatalf("only %d programs", len(all))
	}
	for i := range all {
		f.Add(uint16(i), []byte{})
		f.Add(uint16(i), binary.LittleEndian.AppendUint64(nil, uint64(i)*0x9e3779b97f4a7c15))
	}
	f.Fuzz(func(t *testing.T, which uint16, choices []byte) {
		d := dice(choices)
		artifact := bytecode.Encode(all[int(which)%len(all)])
		p, err := bytecode.Decode(artifact)
		if err != nil {
			t.Fatalf("a program as it was: %v", err)
		}
		for range d.roll(6) {
			mutate(p, &d)
		}
		if p, err = bytecode.Decode(bytecode.Encode(p)); err != nil {
			return
		}
		live(t, p, &d)
	})
}

// live does with a program all that the machine can do with it.
func live(t *testing.T, p *bytecode.Program, d *dice) {
	w := newWorld()
	w.prog = p
	w.mode = vm.ParallelMode(d.roll(3))
	var mu sync.Mutex
	w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
		mu.Lock()
		defer mu.Unlock()
		return w.anyReply(d)
	}
	for range p.Params {
		w.params = append(w.params, anyValue(d, 2))
	}
	m, err := vm.Link(p, w.shapes, natives)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	watch := time.AfterFunc(5*time.Second, func() {
		buf := make([]byte, 1<<20)
		panic("hangs\n" + string(buf[:runtime.Stack(buf, true)]))
	})
	defer watch.Stop()
	_ = m.Run(ctx, w)
	k := &stopper{at: d.roll(20)}
	k.run = m.Begin(w, k)
	for stops := 0; errors.Is(k.run.Go(ctx), vm.ErrPutAway) && stops < 20; stops++ {
		// What a program does that no compiler has made may be refused.
		if data, err := k.run.Snapshot(1 << 20); err != nil {
			break
		} else if k.run, err = m.Restore(w, k, data); err != nil {
			break
		}
	}
	for _, fn := range []int{p.Options} {
		if fn != bytecode.None {
			_, _ = m.Eval(ctx, w, fn)
		}
	}
	for i := range p.Params {
		_ = m.Check(w.params[i], p.Params[i].Type)
	}
	_ = bytecode.Disassemble(discard{}, p)
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// anyReply is an answer of a server that is up to no good.
func (w *world) anyReply(d *dice) *vm.Reply {
	switch d.roll(4) {
	case 0:
		return failure(400+d.roll(200), "no")
	case 1:
		return &vm.Reply{Body: anyValue(d, 3), Status: d.roll(600), Next: []string{"", "/x?a=1", ".."}[d.roll(3)], Last: d.roll(2) == 0}
	}
	bodies := []string{
		`[]`, `{}`, `[{"id":1},{"id":2,"ok":true}]`, `{"items":[{"id":1}],"next":"a"}`, `{"items":[{"id":3}],"next":"b"}`,
		`{"data":[{"id":1,"updated_at":"2026-01-01"}],"meta":{"next":null}}`, `[1,"a",null]`, `{"items":{}}`, `null`,
	}
	return w.answer(int64(d.roll(256)), bodies[d.roll(len(bodies))])
}

// anyValue is a value of any kind.
func anyValue(d *dice, depth int) value.Value {
	switch d.roll(12) {
	case 0:
		return value.True
	case 1:
		return value.FromInt(int64(d.roll(1<<16)) - 1<<15)
	case 2:
		return value.FromInt([]int64{-1 << 63, 1<<63 - 1, 0, -1, 1 << 31}[d.roll(5)])
	case 3:
		return value.FromFloat([]float64{0.5, -1e300, 1e18, 5e-324}[d.roll(4)])
	case 4:
		return value.FromString([]string{"", "a", "id", "2026-01-20", "2026-01-20T09:00:00Z", "30s", "items", "/x/../y", "é"}[d.roll(9)])
	case 5:
		return value.FromTime(int64(d.roll(1<<16)) * 1e6)
	case 6:
		v, _ := value.ParseNumber([]string{"1e400", "12345678901234567890", "1.10", "-0"}[d.roll(4)])
		return v
	case 7, 8:
		if depth == 0 {
			return value.False
		}
		elems := make([]value.Value, d.roll(4))
		for i := range elems {
			elems[i] = anyValue(d, depth-1)
		}
		return value.FromArray(elems)
	case 9, 10:
		if depth == 0 {
			return value.FromInt(0)
		}
		b := value.NewObjectBuilder(nil, 3)
		for range d.roll(4) {
			b.Set([]string{"id", "items", "next", "maxItems", "maxPages", "maxAttempts", "delay", "error", "a.b", ""}[d.roll(10)], anyValue(d, depth-1))
		}
		return b.Value()
	}
	return value.NullValue
}

// mutate changes one thing of a program.
func mutate(p *bytecode.Program, d *dice) {
	fn := &p.Funcs[d.roll(len(p.Funcs))]
	switch d.roll(12) {
	case 0, 1, 2, 3:
		mutateOperand(p, fn, d)
	case 4, 5, 6:
		mutateOp(fn, d)
	case 7:
		if len(fn.Consts) > 0 {
			fn.Consts[d.roll(len(fn.Consts))] = anyValue(d, 2)
		}
	case 8:
		if len(fn.Handlers) > 0 {
			h := &fn.Handlers[d.roll(len(fn.Handlers))]
			*[]*int{&h.Start, &h.End, &h.Target, &h.PageStart, &h.PageEnd}[d.roll(5)] += d.roll(16) - 8
		} else if len(fn.Code) > 0 {
			n := len(fn.Code)
			fn.Handlers = append(fn.Handlers, bytecode.Handler{Start: d.roll(n), End: d.roll(n), Target: d.roll(n)})
		}
	case 9:
		mutateFetch(p, d)
	case 10:
		if len(p.Types) > 0 {
			x := &p.Types[d.roll(len(p.Types))]
			x.Kind, x.Elem = bytecode.TypeKind(d.roll(11)), d.roll(len(p.Types)+1)-1
			if d.roll(2) == 0 {
				x.Alts = append(x.Alts, d.roll(len(p.Types)), d.roll(len(p.Types)))
				x.Fields = append(x.Fields, bytecode.TypeField{Name: "id", Type: d.roll(len(p.Types)), Optional: d.roll(2) == 0})
			}
		}
	case 11:
		if len(p.Loops) > 0 {
			l := &p.Loops[d.roll(len(p.Loops))]
			l.Policy, l.Queue, l.Page = bytecode.Policy(d.roll(4)), d.roll(len(p.Stores)+1), d.roll(3)-1
		}
	}
}

// starts lists where the instructions of a function begin.
func starts(fn *bytecode.Func) (list []int) {
	for pc := 0; pc < len(fn.Code); {
		list = append(list, pc)
		info, ok := bytecode.InfoOf(bytecode.Op(fn.Code[pc]))
		if !ok {
			return list
		}
		pc += info.Size()
	}
	return list
}

// mutateOperand gives an operand another value, mostly one that is in range; of
// a jump another instruction.
func mutateOperand(p *bytecode.Program, fn *bytecode.Func, d *dice) {
	list := starts(fn)
	pc := list[d.roll(len(list))]
	info, ok := bytecode.InfoOf(bytecode.Op(fn.Code[pc]))
	if !ok || len(info.Operands) == 0 || pc+info.Size() > len(fn.Code) {
		return
	}
	which := d.roll(len(info.Operands))
	at := pc + 1
	for _, o := range info.Operands[:which] {
		at += o.Size()
	}
	switch o := info.Operands[which]; o.Size() {
	case 1:
		fn.Code[at] = byte(d.roll(6))
	case 2:
		binary.LittleEndian.PutUint16(fn.Code[at:], uint16(d.roll(max(fn.Locals, len(fn.Consts), len(p.Types), 4))))
	case 4:
		binary.LittleEndian.PutUint32(fn.Code[at:], uint32(list[d.roll(len(list))]))
	}
}

// mutateOp puts another instruction of the same size in the place of one.
func mutateOp(fn *bytecode.Func, d *dice) {
	list := starts(fn)
	pc := list[d.roll(len(list))]
	info, ok := bytecode.InfoOf(bytecode.Op(fn.Code[pc]))
	if !ok {
		return
	}
	var others []byte
	for op := byte(0); ; op++ {
		other, ok := bytecode.InfoOf(bytecode.Op(op))
		if !ok {
			break
		}
		if other.Size() == info.Size() && (other.Pop == info.Pop && other.Push == info.Push && other.Ends == info.Ends || d.roll(16) == 15) {
			others = append(others, op)
		}
	}
	if len(others) > 0 {
		fn.Code[pc] = others[d.roll(len(others))]
	}
}

func mutateFetch(p *bytecode.Program, d *dice) {
	if len(p.Fetches) == 0 {
		return
	}
	x := &p.Fetches[d.roll(len(p.Fetches))]
	switch d.roll(8) {
	case 0, 1:
		x.Page = bytecode.PageKind(d.roll(5))
	case 2:
		x.Stream = !x.Stream
	case 3:
		x.Until = !x.Until
	case 4:
		x.Handled = !x.Handled
	case 5:
		x.Incremental = !x.Incremental
	case 6:
		x.Items = []string{"", "items", "a.b.c", ".", "id"}[d.roll(5)]
	case 7:
		x.Cursor = []string{"", "next", "meta.next", "."}[d.roll(4)]
	}
}
