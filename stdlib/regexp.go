package stdlib

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"reqon/vm/value"
)

// Limits of the cache of regular expressions. A literal one never gets here:
// the compiler makes it part of the program.
const (
	maxCachedRegexps    = 256
	maxCachedRegexpText = 1 << 10 // bytes
)

// regexpCache keeps compiled regular expressions by their text. It is safe for
// concurrent use.
type regexpCache struct {
	mu   sync.RWMutex
	byRE map[string]*regexp.Regexp
}

func newRegexpCache() *regexpCache {
	return &regexpCache{byRE: make(map[string]*regexp.Regexp)}
}

// get returns the compiled expression that is the argument at index i.
func (c *regexpCache) get(args []value.Value, i int) (*regexp.Regexp, error) {
	expr := args[i].Str()
	c.mu.RLock()
	re := c.byRE[expr]
	c.mu.RUnlock()
	if re != nil {
		return re, nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, fmt.Errorf("%s is no regular expression: %w", value.Describe(args[i]), err)
	}
	if len(expr) > maxCachedRegexpText {
		return re, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byRE) >= maxCachedRegexps {
		clear(c.byRE) // expressions made of data: none is likely to come back
	}
	c.byRE[strings.Clone(expr)] = re // a key that shared a page's bytes would keep the page
	return re, nil
}

func (c *regexpCache) matches(_ *value.Shapes, args []value.Value) (value.Value, error) {
	re, err := c.get(args, 1)
	if err != nil {
		return value.Value{}, err
	}
	return value.FromBool(re.MatchString(args[0].Str())), nil
}

// capture gives null for a group that took no part in the match, as for no
// match at all.
func (c *regexpCache) capture(_ *value.Shapes, args []value.Value) (value.Value, error) {
	re, err := c.get(args, 1)
	if err != nil {
		return value.Value{}, err
	}
	s := args[0].Str()
	at := re.FindStringSubmatchIndex(s)
	if at == nil {
		return value.Value{}, nil
	}
	groups := make([]value.Value, len(at)/2)
	for i := range groups {
		if from := at[2*i]; from >= 0 {
			groups[i] = value.FromString(s[from:at[2*i+1]])
		}
	}
	return value.FromArray(groups), nil
}
