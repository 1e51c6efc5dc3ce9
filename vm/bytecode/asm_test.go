package bytecode_test

import (
	"encoding/binary"
	"fmt"
	"strings"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// asm puts code together: an opcode, then its operands as numbers. A text that
// ends in a colon is a label, and as an operand the place of that label.
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
		op := parts[0].(bytecode.Op)
		parts = parts[1:]
		info, ok := bytecode.InfoOf(op)
		code = append(code, byte(op))
		if !ok {
			continue
		}
		for _, o := range info.Operands {
			n := 0
			switch x := parts[0].(type) {
			case string:
				refs[len(code)] = x
			case int:
				n = x
			}
			parts = parts[1:]
			switch o.Size() {
			case 1:
				code = append(code, byte(n))
			case 2:
				code = binary.LittleEndian.AppendUint16(code, uint16(n))
			case 4:
				code = binary.LittleEndian.AppendUint32(code, uint32(n))
			}
		}
	}
	for at, label := range refs {
		pc, ok := labels[label]
		if !ok || !strings.HasSuffix(label, ":") {
			panic(fmt.Sprintf("no label %q", label))
		}
		binary.LittleEndian.PutUint32(code[at:], uint32(pc))
	}
	return code
}

// small returns a sound program with something in each table, whose action 0,
// function 1, has this code.
func small(code []byte) *bytecode.Program {
	place := bytecode.Pos{Line: 3, Column: 7}
	p := &bytecode.Program{
		Mission: "Small", Files: []string{"small.reqon"}, Pos: place,
		Schedule: &bytecode.Schedule{Kind: bytecode.Every, Every: 60_000, Pos: place},
		Options:  2, OptionPos: []bytecode.OptionPos{{Path: "timeout", Pos: place}},
		Params:   []bytecode.ParamInfo{{Name: "region", Type: 0, Default: 2, Pos: place}},
		Sources:  []bytecode.Source{{Name: "API", Options: 2, Cost: bytecode.None, Pos: place}},
		Stores:   []bytecode.Store{{Name: "out", Adapter: 2, Options: bytecode.None, Schema: bytecode.None, Filled: true, Pos: place}},
		Actions:  []bytecode.Action{{Name: "A", Func: 1, Pos: place}, {Name: "B", Func: 4, Pos: place}},
		Brackets: [][]int{{0, 1}},
		Main:     0,
		Fetches:  []bytecode.FetchInfo{{Method: "GET", Page: bytecode.PageNumber, PageParam: "page", Pos: place}},
		Loops:    []bytecode.LoopInfo{{Policy: bytecode.PolicyQueue, Page: bytecode.None, Pos: place}, {Page: 0, Store: bytecode.None}},
		Types: []bytecode.Type{
			{Kind: bytecode.TypeString, Name: "string", Elem: bytecode.None},
			{Kind: bytecode.TypeArray, Elem: 0},
			{Kind: bytecode.TypeUnion, Elem: bytecode.None, Alts: []int{0, 1}},
			{Kind: bytecode.TypeObject, Name: "Node", Elem: bytecode.None, Fields: []bytecode.TypeField{{Name: "next", Type: 3, Optional: true}, {Name: "kind", Type: 4}}},
			{Kind: bytecode.TypeLiteral, Elem: bytecode.None, Const: value.FromString("leaf")},
		},
		Shapes:  [][]string{{"id", "name"}, nil},
		Regexps: []string{"^a+$"},
		Natives: []string{"length"},
		Funcs: []bytecode.Func{
			{Name: "run", Code: asm(bytecode.CallAction, 0, bytecode.Return)},
			{
				Name: "A", Code: code, Locals: 12, MaxStack: 4, Lists: 1, Caches: 1, Pages: 2,
				Consts: []value.Value{value.FromString("text"), value.FromInt(70_000)},
				Names:  []string{"id"}, Lines: []bytecode.Line{{PC: 0, Pos: place}},
			},
			{Name: "options", Code: asm(bytecode.Null, bytecode.ReturnValue), MaxStack: 1},
			{Name: "T", Code: asm(bytecode.Load, 0, bytecode.ReturnValue), Args: 1, Locals: 1, MaxStack: 1},
			{Name: "B", Code: asm(bytecode.Return)},
		},
	}
	p.Uses = bytecode.UsesOf(p)
	return p
}
