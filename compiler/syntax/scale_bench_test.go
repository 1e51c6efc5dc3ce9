package syntax

import (
	"bytes"
	"fmt"
	"testing"
)

// BenchmarkScale lexes and parses missions of very different lengths: the cost
// of a line must stay the same.
func BenchmarkScale(b *testing.B) {
	lex := func(f *File) []*Error { return newParser(f).errs }
	parse := func(f *File) []*Error { _, errs := Parse(f); return errs }
	for _, stage := range []struct {
		name string
		run  func(*File) []*Error
	}{{"Lex", lex}, {"Parse", parse}} {
		for _, size := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprint(stage.name, "/", size), func(b *testing.B) {
				src := longMission(size)
				lines := bytes.Count(src, []byte("\n"))
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					if errs := stage.run(NewFile("long.reqon", src)); len(errs) > 0 {
						b.Fatal(errs[0])
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
			})
		}
	}
}
