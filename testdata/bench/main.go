// Command bench does the same work with Reqon's machine and decoder, with
// hand-written Go, and with other expression engines and JSON libraries, all in
// one run, and prints how they compare.
//
// Only the ratios count. Contestants take short turns, one after the other, and
// of each the fastest turn counts: what else the machine does can only add.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 20, "turns that each contestant gets")
	turn := flag.Duration("turn", 25*time.Millisecond, "length of a turn")
	flag.Parse()
	met := true
	for _, w := range works() {
		results, err := measure(w, *rounds, *turn)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		met = report(w, results) && met
	}
	if !met {
		fmt.Println("Not every target is met.")
	}
}

// result is what one contestant took for a record: nanoseconds and allocations.
type result struct{ ns, allocs float64 }

// measure gives every contestant its turns.
func measure(w work, rounds int, turn time.Duration) (map[string]result, error) {
	results := map[string]result{}
	for range rounds {
		for _, c := range w.contestants {
			r, err := takeTurn(c, turn)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", w.name, c.name, err)
			}
			if best, ok := results[c.name]; !ok || r.ns < best.ns {
				results[c.name] = r
			}
		}
	}
	return results, nil
}

// takeTurn runs a contestant for about so long.
func takeTurn(c contestant, turn time.Duration) (result, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	n := 0
	for time.Since(start) < turn {
		if _, err := c.run(); err != nil {
			return result{}, err
		}
		n++
	}
	spent := time.Since(start)
	runtime.ReadMemStats(&after)
	records := float64(n * batch)
	return result{float64(spent.Nanoseconds()) / records, float64(after.Mallocs-before.Mallocs) / records}, nil
}

// report prints one work's rows, and tells whether its target is met.
func report(w work, results map[string]result) bool {
	base, ours := results[w.against], results["reqon"]
	ratio := ours.ns / base.ns
	met := ratio <= w.target && (!w.noAllocs || ours.allocs < 0.01)
	fmt.Printf("%-32s %12s %10s   × %s\n", w.name, "ns/record", "allocs", w.against)
	for _, c := range w.contestants {
		r := results[c.name]
		fmt.Printf("  %-30s %12.1f %10.2f %10.2f\n", c.name, r.ns, r.allocs, r.ns/base.ns)
	}
	verdict, also := "MISSED", ""
	if met {
		verdict = "met"
	}
	if w.noAllocs {
		also = " and no allocation"
	}
	fmt.Printf("  target: at most %.2f × %s%s: %.2f, %s\n\n", w.target, w.against, also, ratio, verdict)
	return met
}
