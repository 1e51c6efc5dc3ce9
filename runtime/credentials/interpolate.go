package credentials

import (
	"fmt"
	"strings"
)

// maxNesting bounds how deep defaults may hold further names:
// ${A:-${B:-${C}}}.
const maxNesting = 20

// unsetError is a name that a value refers to and the environment lacks.
type unsetError struct{ Name string }

func (e *unsetError) Error() string {
	return fmt.Sprintf("the environment variable %s is not set: set it, or give it a default with ${%s:-default}"+
		" (if the dollar sign is part of the value itself, put the whole value in an environment variable)", e.Name, e.Name)
}

// interpolate replaces $NAME, ${NAME} and ${NAME:-default} in s by values of
// the environment (operations, "Credentials"). As in the shell, a default
// stands in for a name that is unset or empty, and may itself hold names. A
// dollar sign that neither a name nor a brace follows stands for itself; what
// comes from the environment is taken as it is. No error shows any part of s
// but names.
func interpolate(s string, getenv func(string) (string, bool)) (string, error) {
	return interpolateAt(s, getenv, 0)
}

func interpolateAt(s string, getenv func(string) (string, bool), depth int) (string, error) {
	if strings.IndexByte(s, '$') < 0 {
		return s, nil
	}
	if depth > maxNesting {
		return "", fmt.Errorf("defaults are nested deeper than %d levels", maxNesting)
	}
	var b strings.Builder
	for {
		dollar := strings.IndexByte(s, '$')
		if dollar < 0 {
			b.WriteString(s)
			return b.String(), nil
		}
		b.WriteString(s[:dollar])
		s = s[dollar+1:]
		if strings.HasPrefix(s, "{") {
			end := closingBrace(s)
			if end < 0 {
				return "", fmt.Errorf("a ${ has no closing }: expected ${NAME} or ${NAME:-default}")
			}
			text, err := braced(s[1:end], getenv, depth)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
			s = s[end+1:]
			continue
		}
		n := nameLength(s)
		if n == 0 {
			b.WriteByte('$')
			continue
		}
		text, ok := getenv(s[:n])
		if !ok {
			return "", &unsetError{Name: s[:n]}
		}
		b.WriteString(text)
		s = s[n:]
	}
}

// braced resolves what stands between the braces of ${…}.
func braced(inner string, getenv func(string) (string, bool), depth int) (string, error) {
	n := nameLength(inner)
	name, rest := inner[:n], inner[n:]
	switch {
	case n == 0:
		return "", fmt.Errorf("no name follows ${: expected ${NAME} or ${NAME:-default}, a name being letters, digits and _")
	case rest == "":
		text, ok := getenv(name)
		if !ok {
			return "", &unsetError{Name: name}
		}
		return text, nil
	case strings.HasPrefix(rest, ":-"):
		if text, ok := getenv(name); ok && text != "" {
			return text, nil
		}
		return interpolateAt(rest[2:], getenv, depth+1)
	}
	return "", fmt.Errorf("expected } or :- after ${%s", name)
}

// closingBrace returns where the brace that opens s is closed, or -1. Only ${
// nests: a lone { in a default is text.
func closingBrace(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '{' && (i == 0 || s[i-1] == '$'):
			depth++
		case s[i] == '}':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// nameLength returns the length of the name that s begins with.
func nameLength(s string) int {
	i := 0
	for i < len(s) && (s[i] == '_' || 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z' || i > 0 && '0' <= s[i] && s[i] <= '9') {
		i++
	}
	return i
}
