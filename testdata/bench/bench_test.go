package main

import "testing"

// BenchmarkPeers runs every contestant; `go run .` compares them in turns.
func BenchmarkPeers(b *testing.B) {
	for _, w := range works() {
		for _, c := range w.contestants {
			b.Run(w.name+"/"+c.name, func(b *testing.B) {
				for b.Loop() {
					if _, err := c.run(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/record")
			})
		}
	}
}

// TestContestantsAgree holds that all do the same work.
func TestContestantsAgree(t *testing.T) {
	for _, w := range works() {
		hits, first := -1, ""
		for _, c := range w.contestants {
			n, err := c.run()
			if err != nil {
				t.Errorf("%s: %s: %v", w.name, c.name, err)
				continue
			}
			if n >= 0 {
				if hits < 0 {
					hits = n
				}
				if n != hits {
					t.Errorf("%s: %s finds %d, the first one %d", w.name, c.name, n, hits)
				}
			}
			if c.result == nil {
				continue
			}
			text, err := c.result()
			if err != nil {
				t.Errorf("%s: %s: %v", w.name, c.name, err)
				continue
			}
			if first == "" {
				first = text
			}
			if text != first {
				t.Errorf("%s: %s gives\n%s, the first one\n%s", w.name, c.name, text, first)
			}
		}
	}
}
