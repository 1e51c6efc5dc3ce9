package check

import (
	"fmt"
	"strings"

	"reqon/vm/near"
)

// maxCompared bounds how many names one check compares: a source that is wrong
// in thousands of places must not take minutes for suggestions.
const maxCompared = 1 << 18

// near is near.Nearest among names that may be many. They are gathered only if they
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
	return near.Nearest(word, names)
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
