package main

import (
	"fmt"
	"time"
)

func heading(text string) {
	fmt.Printf("\n%s\n  %-30s %12s %12s %12s\n", text, "", "wall", "CPU", "peak memory")
}

// show prints Reqon's row, that of a program written by hand with some care, how
// they compare, and where there is one that of a plainer program.
func show(us []usage) {
	printUsage("  reqon", us[0])
	printUsage("  by hand", us[1])
	if len(us) > 2 {
		printUsage("  by hand, file in one piece", us[2])
	}
	fmt.Printf("  %-30s %11.2f× %11.2f× %11.2f×\n", "ratio", ratio(us[0].wall, us[1].wall), ratio(us[0].cpu, us[1].cpu), us[0].memory/us[1].memory)
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
