package bytecode_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	. "reqon/vm/bytecode"
)

// pictures reads the stack picture of every opcode from the comments of op.go.
func pictures(t *testing.T) map[string]string {
	t.Helper()
	src, err := os.ReadFile("op.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(src), "// The opcodes.")
	block, _, _ = strings.Cut(block, "opCount")
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t([A-Z]\w*)(?: +Op = iota)? *// (.*)$`).FindAllStringSubmatch(block, -1) {
		picture, _, _ := strings.Cut(m[2], "  ") // behind more than one space: what else is to say
		out[m[1]] = picture
	}
	return out
}

// operandWords are the words that stand for operands in pictures.
var operandWords = map[string][]Operand{
	"i16": {OperandInt}, "n": {OperandN, OperandN8, OperandInt}, "const": {OperandConst, OperandText}, "name": {OperandName},
	"cache": {OperandCache}, "slot": {OperandSlot, OperandPair, OperandItem, OperandLoopSlots}, "list": {OperandList}, "pc": {OperandPC},
	"shape": {OperandShape}, "regexp": {OperandRegexp}, "type": {OperandType}, "native": {OperandNative}, "host": {OperandHost},
	"func": {OperandFunc}, "action": {OperandAction}, "bracket": {OperandBracket}, "param": {OperandParam}, "fetch": {OperandFetch},
	"page": {OperandPage}, "store": {OperandStore}, "level": {OperandLevel}, "loop": {OperandLoop},
}

// TestPictures holds the table of opcodes against the comments that specify
// them: operands, and what each takes and gives.
func TestPictures(t *testing.T) {
	all := pictures(t)
	count := 0
	for op := Op(0); ; op++ {
		info, ok := InfoOf(op)
		if !ok {
			break
		}
		count++
		picture, ok := all[info.Name]
		if !ok || op.String() != info.Name {
			t.Errorf("%s (%d): no picture, or another name: %s", info.Name, op, op)
			continue
		}
		m := regexp.MustCompile(`^(.*) ` + info.Name + `(?:<([\w,]+)>)? -(.*)$`).FindStringSubmatch(picture)
		if m == nil {
			t.Errorf("%s: can't read the picture %q", info.Name, picture)
			continue
		}
		checkOperands(t, info, m[2])
		if take := strings.TrimSpace(m[1]); strings.Contains(take, "…") {
			if info.Pop >= 0 && !info.Ends {
				t.Errorf("%s takes %d values, in the picture any number", info.Name, info.Pop)
			}
		} else if n := len(strings.Fields(strings.TrimPrefix(take, "-"))); n != info.Pop {
			t.Errorf("%s takes %d values, in the picture %d", info.Name, info.Pop, n)
		}
		checkGiven(t, info, strings.TrimSpace(m[3]))
	}
	if count != len(all) {
		t.Errorf("%d opcodes, %d pictures", count, len(all))
	}
}

func checkOperands(t *testing.T, info *Info, list string) {
	t.Helper()
	var words []string
	if list != "" {
		words = strings.Split(list, ",")
	}
	if len(words) != len(info.Operands) {
		t.Errorf("%s has %d operands, in the picture %d", info.Name, len(info.Operands), len(words))
		return
	}
	size := 1
	for i, o := range info.Operands {
		if !slices.Contains(operandWords[words[i]], o) {
			t.Errorf("%s: operand %d is no <%s>", info.Name, i, words[i])
		}
		size += o.Size()
	}
	if size != info.Size() {
		t.Errorf("%s: size %d, its operands make %d", info.Name, info.Size(), size)
	}
}

// checkGiven compares what an opcode gives where it goes on and where it jumps.
// In a picture `x | -` one of them is nothing.
func checkGiven(t *testing.T, info *Info, given string) {
	t.Helper()
	jumps := slices.Contains(info.Operands, OperandPC)
	if first, rest, _ := strings.Cut(given, " | "); rest == "-" {
		n := len(strings.Fields(first))
		if !jumps || min(info.Push, info.PushJump) != 0 || max(info.Push, info.PushJump) != n {
			t.Errorf("%s gives %d or, jumping, %d values, in the picture %q", info.Name, info.Push, info.PushJump, given)
		}
		return
	} else if rest != "" {
		given = first // one or another value
	}
	n := len(strings.Fields(given))
	if info.Ends {
		if n != 0 && info.Name != "Jump" {
			t.Errorf("%s ends and gives %q", info.Name, given)
		}
		return
	}
	if info.Push != n || jumps && info.PushJump != n {
		t.Errorf("%s gives %d or, jumping, %d values, in the picture %q", info.Name, info.Push, info.PushJump, given)
	}
}

// TestOpcodesAreUsed: every opcode stands in some program of testdata, so that
// none is left from an earlier form of the compiler.
func TestOpcodesAreUsed(t *testing.T) {
	used := map[Op]bool{Pop: true} // Pop is for code made by hand: a test of the verifier can hardly do without
	rest := mustCompile(t, `mission Rest {
  param p: any
  param q: any
  store out: memory
  action A {
    let r = [p != q, p <= q, p contains q, p startsWith q, p endsWith q]
    if p != 1 { log "a" }
    if p <= 1 { log "b" }
    if p >= 1 { log "c" }
    wait { path: "/hook" }
    pause { duration: 1h }
    store { id: 1, r: r } -> out
  }
}`)
	for _, c := range append(corpus(), named{"rest", rest}) {
		for i := range c.prog.Funcs {
			code := c.prog.Funcs[i].Code
			for pc := 0; pc < len(code); {
				used[Op(code[pc])] = true
				info, _ := InfoOf(Op(code[pc]))
				pc += info.Size()
			}
		}
	}
	for op := Op(0); ; op++ {
		info, ok := InfoOf(op)
		if !ok {
			break
		}
		if !used[op] {
			t.Errorf("%s is in no program", info.Name)
		}
	}
	if _, ok := InfoOf(255); ok || Op(255).String() != "?" {
		t.Error("there is an opcode 255")
	}
}

// TestScopes: what touches pages, loops and actions is for steps alone, and what
// touches stores for runs.
func TestScopes(t *testing.T) {
	for op := Op(0); ; op++ {
		info, ok := InfoOf(op)
		if !ok {
			return
		}
		for _, o := range info.Operands {
			least := Anywhere
			switch o {
			case OperandStore:
				least = InRun
			case OperandFetch, OperandPage, OperandLoop, OperandLoopSlots, OperandAction, OperandBracket, OperandFunc:
				least = InStep
			}
			if info.Scope < least {
				t.Errorf("%s may stand where it has nothing to work on", info.Name)
			}
		}
	}
}

func TestPosAt(t *testing.T) {
	f := Func{Lines: []Line{{PC: 2, Pos: Pos{Line: 1}}, {PC: 5, Pos: Pos{Line: 2}}, {PC: 5, Pos: Pos{Line: 3}}, {PC: 9, Pos: Pos{}}}}
	for pc, want := range map[int]int{-1: 0, 0: 0, 1: 0, 2: 1, 4: 1, 5: 3, 8: 3, 9: 0, 100: 0} {
		if got := f.PosAt(pc).Line; got != want {
			t.Errorf("line %d at %d, expected %d", got, pc, want)
		}
	}
}
