package bytecode_test

import (
	"bytes"
	"os"
	"strconv"
	"testing"

	"reqon/compiler/codegen"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
)

// longProgram is the program of a mission of 10,000 lines.
func longProgram(tb testing.TB) *bytecode.Program {
	part, err := os.ReadFile("../../testdata/bench/data/part.txt")
	if err != nil {
		tb.Fatal(err)
	}
	src := []byte("mission Long {\n  param region: string = \"eu\"\n  source API { base: \"https://api.example.com\" }\n")
	for i := range 10_000 / bytes.Count(part, []byte("\n")) {
		src = append(src, bytes.ReplaceAll(part, []byte("#"), []byte(strconv.Itoa(i)))...)
	}
	tree, errs := syntax.Parse(syntax.NewFile("long.reqon", append(src, "}\n"...)))
	if len(errs) > 0 {
		tb.Fatal(errs[0])
	}
	p, err := codegen.Generate(tree.Missions[0], nil)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func BenchmarkEncode(b *testing.B) {
	p := longProgram(b)
	b.SetBytes(int64(len(bytecode.Encode(p))))
	b.ReportAllocs()
	for b.Loop() {
		bytecode.Encode(p)
	}
}

// BenchmarkDecode includes the verifier, which Decode runs.
func BenchmarkDecode(b *testing.B) {
	data := bytecode.Encode(longProgram(b))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bytecode.Decode(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	p := longProgram(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := bytecode.Verify(p); err != nil {
			b.Fatal(err)
		}
	}
}
