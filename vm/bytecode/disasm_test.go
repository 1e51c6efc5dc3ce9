package bytecode_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	. "reqon/vm/bytecode"
)

var update = flag.Bool("update", false, "write the expected listing anew")

// TestDisassemble holds the listing of a program with something of everything
// against the one in testdata/reqc, which was read through line by line.
func TestDisassemble(t *testing.T) {
	p := small(asm(
		Int, 0xFFFF, Set, 7, Const, 0, Pop,
		NewList, 0, LoadField, 7, 0, 0, Append, 0, EndList, 0, Iter, 2, 0,
		"next:", Next, 2, "end:", MatchRE, 0, JumpFalse, "no:",
		Null, Is, 3, Null, Object, 0, Pop, "no:", Loop, "next:",
		"end:", Param, 0, Text, 1, CallHost, 4, 1, Call, 0, 1, CallFunc, 3, Pop,
		Null, Open, 0, 1, CallAction, 1, Bracket, 0, Null, Null, Log, 2, StoreClear, 0,
		Int, 3, Parallel, 0, 1, "all:", Pop, EndItem, "all:", Skipped, 1, Queued, Return, WrapError, 2,
	))
	p.Brackets[0] = []int{1, 1}
	p.Funcs[1].Handlers = []Handler{{Start: 0, End: 40, Target: len(p.Funcs[1].Code) - 3}}
	p.Funcs[1].Steps = []int{0, 6}
	p.Funcs[1].Lines = append(p.Funcs[1].Lines, Line{PC: 3, Pos: Pos{Line: 4, Column: 1}}, Line{PC: 6, Pos: Pos{}})
	p.Uses = UsesOf(p)
	if err := Verify(p); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := Disassemble(&got, p); err != nil {
		t.Fatal(err)
	}
	const file = "../../testdata/reqc/listing.txt"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the listing is another one; look through it, and run the test with -update:\n%s", got.Bytes())
	}
}

// TestDisassembleAll: every program can be shown.
func TestDisassembleAll(t *testing.T) {
	for _, c := range corpus() {
		var b bytes.Buffer
		if err := Disassemble(&b, c.prog); err != nil || b.Len() == 0 {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
