package syntax

import (
	"strconv"

	"reqon/vm/near"
)

func itoa(n int) string { return strconv.Itoa(n) }

// didYouMean suggests the word nearest to s, or "" if none is near.
func didYouMean(s string, words []string) string {
	if w := near.Nearest(s, words); w != "" {
		return "did you mean `" + w + "`?"
	}
	return ""
}
