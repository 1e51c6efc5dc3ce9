package check

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// nearest returns the name that was most likely meant by word, "" if none is
// near: one that differs in case only, or in so few letters that a slip of the
// finger explains it: one in three letters, and at least one. Names of one
// letter are like all others of their kind, and never near.
func nearest(word string, names []string) string {
	if word == "" {
		return ""
	}
	low := strings.ToLower(word)
	best, bestDistance := "", max(1, utf8.RuneCountInString(word)/3)+1
	folded := false // best differs in case only
	for _, n := range names {
		if n == word || n == "" {
			continue
		}
		// Of names that are as near the first one in alphabetical order: the same
		// answer every time.
		if strings.EqualFold(n, word) {
			if !folded || n < best {
				best, folded = n, true
			}
			continue
		}
		if folded || min(len(n), len(word)) <= 1 || max(len(n), len(word)) <= 2 {
			continue
		}
		limit := bestDistance
		if best != "" && n < best {
			limit++ // as near is near enough
		}
		if d := editDistance(low, strings.ToLower(n), limit); d < limit {
			best, bestDistance = n, d
		}
	}
	return best
}

// maxCompared bounds how many names one check compares: a source that is wrong
// in thousands of places must not take minutes for suggestions.
const maxCompared = 1 << 18

// near is nearest among names that may be many. They are gathered only if they
// are compared.
func (c *checker) near(word string, lists ...func() []string) string {
	if c.compared > maxCompared {
		return ""
	}
	var names []string
	for _, l := range lists {
		names = append(names, l()...)
	}
	c.compared += len(names) + 1
	return nearest(word, names)
}

// these gives names that are gathered already.
func these(names []string) func() []string { return func() []string { return names } }

// maxListed is how many names a message lists.
const maxListed = 20

// listed is a list of names, which may be many, for a message.
func listed(names []string) string {
	if len(names) <= maxListed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
}

// editDistance returns how many letters have to be inserted, removed, replaced
// or swapped with their neighbour to make b of a; limit if it is limit or more.
func editDistance(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if d := len(s) - len(t); d >= limit || -d >= limit {
		return limit
	}
	// Three rows of the table: the one at hand and the two before it.
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			least = min(least, d)
		}
		if least >= limit {
			return limit
		}
		before, last, row = last, row, before
	}
	return min(last[len(t)], limit)
}
