package compiler_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"reqon/compiler"
	"reqon/compiler/check"
	"reqon/compiler/codegen"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
)

// longMission returns a mission of at least that many lines, of the constructs
// that missions are mostly made of, and how many it has.
func longMission(tb testing.TB, lines int) (src []byte, n int) {
	part, err := os.ReadFile("../testdata/bench/data/part.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	b.WriteString("mission Long {\n  param region: string = \"eu\"\n  source API { auth: none, base: \"https://api.example.com\" }\n" +
		"  store orders: file(\"orders\")\n  store rejected: file(\"rejected\")\n")
	each := bytes.Count(part, []byte("\n"))
	n = 6
	for i := 0; n < lines; i, n = i+1, n+each {
		b.Write(bytes.ReplaceAll(part, []byte("#"), []byte(strconv.Itoa(i))))
	}
	b.WriteString("}\n")
	return b.Bytes(), n
}

// sizes are the lengths over which the cost of a line must stay the same.
var sizes = []int{1_000, 10_000, 100_000}

func perLine(b *testing.B, lines int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
}

func parse(tb testing.TB, src []byte) *syntax.Mission {
	tree, errs := syntax.Parse(syntax.NewFile("long.reqon", src))
	if len(errs) > 0 {
		tb.Fatal(errs[0])
	}
	return tree.Missions[0]
}

// TestCostOfALine holds what compiling a line allocates: it is a measure of the
// work that, unlike time, is the same on every machine, and it must not grow with
// the length of the mission.
func TestCostOfALine(t *testing.T) {
	for _, size := range []int{1_000, 10_000} {
		src, lines := longMission(t, size)
		name := filepath.Join(t.TempDir(), "long.reqon")
		load(t, name, src)
		count := testing.AllocsPerRun(1, func() { load(t, name, nil) }) / float64(lines)
		if count > mostAllocs {
			t.Errorf("compiling a mission of %d lines takes %.1f allocations a line, expected at most %d", lines, count, mostAllocs)
		}
	}
}

// mostAllocs is how many allocations a line may take, a fifth above what it took
// when this was written; 27 were too many.
const mostAllocs = 21

func BenchmarkCheck(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			src, lines := longMission(b, size)
			m := parse(b, src)
			b.ReportAllocs()
			for b.Loop() {
				if ds := check.Mission(m, nil); len(ds) > 0 {
					b.Fatal(ds[0])
				}
			}
			perLine(b, lines)
		})
	}
}

// BenchmarkGenerate includes the verifier, which Generate runs.
func BenchmarkGenerate(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			src, lines := longMission(b, size)
			m := parse(b, src)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := codegen.Generate(m, nil); err != nil {
					b.Fatal(err)
				}
			}
			perLine(b, lines)
		})
	}
}

// BenchmarkCompile goes from a source file to a program.
func BenchmarkCompile(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			src, lines := longMission(b, size)
			name := filepath.Join(b.TempDir(), "long.reqon")
			load(b, name, src)
			b.ReportAllocs()
			for b.Loop() {
				load(b, name, nil)
			}
			perLine(b, lines)
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			src, lines := longMission(b, size)
			p := load(b, filepath.Join(b.TempDir(), "long.reqon"), src)
			b.ReportAllocs()
			for b.Loop() {
				bytecode.Encode(p)
			}
			perLine(b, lines)
		})
	}
}

// BenchmarkArtifact loads what BenchmarkCompile compiles from its .reqc.
func BenchmarkArtifact(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			src, lines := longMission(b, size)
			dir := b.TempDir()
			p := load(b, filepath.Join(dir, "long.reqon"), src)
			name := filepath.Join(dir, "artifact.reqc")
			data := bytecode.Encode(p)
			load(b, name, data)
			b.ReportAllocs()
			for b.Loop() {
				load(b, name, nil)
			}
			perLine(b, lines)
			b.ReportMetric(float64(len(data))/float64(lines), "B/line")
		})
	}
}

// load loads the one mission of a file, which it writes first if data is given.
func load(tb testing.TB, name string, data []byte) *bytecode.Program {
	if data != nil {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	r, err := compiler.Load(name)
	if err != nil || r.Failed() || len(r.Missions) != 1 {
		tb.Fatal(err, r)
	}
	return r.Missions[0].Program
}
