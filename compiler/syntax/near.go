package syntax

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// didYouMean suggests the word nearest to s, or "" if none is near.
func didYouMean(s string, words []string) string {
	if w := nearest(s, words); w != "" {
		return "did you mean `" + w + "`?"
	}
	return ""
}

// nearest returns the word with the fewest changes from s, case aside, or ""
// if all are too far off for a slip of the hand: a third of the letters.
func nearest(s string, words []string) string {
	if len(s) > 40 {
		return ""
	}
	low := strings.ToLower(s)
	best, fewest := "", max(1, (len(s)+1)/3)+1
	for _, w := range words {
		if d := distance(low, strings.ToLower(w)); d < fewest {
			best, fewest = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, change or swap with their
// neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
