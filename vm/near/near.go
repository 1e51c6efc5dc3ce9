// Package near finds the name that was meant by one that there is not: of
// a function, an option, a field, a command. All suggestions go by it.
package near

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLength is the length in bytes beyond which a name is near none: it takes as
// many steps as the product of two lengths to compare them.
const maxLength = 200

// Nearest returns the name that was most likely meant by word, "" if none is
// near: one that differs in case only, or in so few letters that a slip of the
// finger explains it: one in three letters, and at least one. Names of one
// letter are like all others of their kind, and never near. Of names that are
// as near it is the first one in alphabetical order, whatever order they come in.
// A name that is the word itself is passed over.
func Nearest(word string, names []string) string {
	if word == "" || len(word) > maxLength {
		return ""
	}
	low := strings.ToLower(word)
	best, bestDistance := "", max(1, utf8.RuneCountInString(word)/3)+1
	folded := false // best differs in case only
	for _, n := range names {
		if n == word || n == "" || len(n) > maxLength {
			continue
		}
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
		if d := Distance(low, strings.ToLower(n), limit); d < limit {
			best, bestDistance = n, d
		}
	}
	return best
}

// slipLetters is the length from which on a name that is one edit away counts
// as the same name, misspelt. Shorter ones may well be two names: "id", "ids".
const slipLetters = 5

// Alike reports whether two different names are most likely one name, once
// misspelt: the same letters but for case, `_` and `-` (nextPage, next_page), or
// one edit, if both have five letters or more (nextPage, netxPage). It is
// stricter than Nearest, for names that are data and not chosen from a list.
func Alike(a, b string) bool {
	if a == b || a == "" || b == "" {
		return false
	}
	low, other := Bare(a), Bare(b)
	if low == other {
		return low != ""
	}
	if min(utf8.RuneCountInString(low), utf8.RuneCountInString(other)) < slipLetters {
		return false
	}
	return Distance(low, other, 2) == 1
}

// Bare returns the letters of a name: in lower case, without `_` and `-`.
func Bare(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// Distance returns how many letters have to be inserted, removed, replaced or
// swapped with their neighbour to make b of a (optimal string alignment); limit
// if it is limit or more. It takes no longer than the limit asks for where
// lengths differ.
func Distance(a, b string, limit int) int {
	if d := utf8.RuneCountInString(a) - utf8.RuneCountInString(b); d >= limit || -d >= limit {
		return limit
	}
	s, t := []rune(a), []rune(b)
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
