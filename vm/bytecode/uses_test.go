package bytecode_test

import (
	"slices"
	"testing"

	. "reqon/vm/bytecode"
)

// TestUsesOf: each use once, at its first place, in the order of the code.
func TestUsesOf(t *testing.T) {
	p := small(asm(Null, Wait, CallHost, 4, 0, Pop, Null, Pause, Null, Wait, CallHost, 0, 0, Pop, CallHost, 4, 0, Pop, Return))
	at := func(column int) Pos { return Pos{Line: 9, Column: column} }
	p.Funcs[1].Lines = []Line{{PC: 0, Pos: at(1)}, {PC: 2, Pos: at(2)}, {PC: 6, Pos: at(3)}, {PC: 8, Pos: at(4)}, {PC: 10, Pos: at(5)}}
	want := []Use{{StepPart, "wait", at(1)}, {FunctionPart, "env", at(2)}, {StepPart, "pause", at(3)}, {FunctionPart, "now", at(5)}}
	if got := UsesOf(p); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	p.Funcs[1].Code = append(p.Funcs[1].Code, byte(CallHost)) // cut short
	if got := UsesOf(p); !slices.Equal(got, want) {
		t.Errorf("of damaged code: %v", got)
	}
}
