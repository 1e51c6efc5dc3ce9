package main

import (
	"fmt"
	"time"
)

func heading(text string) {
	fmt.Printf("\n%s\n  %-30s %12s %12s %12s\n", text, "", "wall", "CPU", "peak memory")
}

// show prints Reqon's row, those of the programs written by hand, and how they
// compare.
func show(us []usage, names ...string) {
	printUsage("  reqon", us[0])
	for i, name := range names {
		u := us[i+1]
		printUsage("  "+name, u)
		fmt.Printf("  %-30s %11.2f× %11.2f× %11.2f×\n", "    reqon to that", ratio(us[0].wall, u.wall), ratio(us[0].cpu, u.cpu), us[0].memory/u.memory)
	}
}

func printUsage(name string, u usage) {
	fmt.Printf("%-32s %9.1f ms %9.1f ms %8.1f MiB\n", name, milliseconds(u.wall), milliseconds(u.cpu), u.memory)
}

// target says whether a target is met.
func target(what string, found, most float64, unit string) {
	verdict := "met"
	if found > most {
		verdict = "MISSED"
	}
	fmt.Printf("  target, %s: at most %.2f %s: %.2f, %s\n", what, most, unit, found, verdict)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// thousands writes a count with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
