package stdlib

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"reqon/vm/value"
)

func stringFuncs(regexps *regexpCache) []Func {
	s := Param{Name: "s", Kinds: KString}
	any := Param{Name: "s", Kinds: KText}
	out := Param{Name: "out", Kinds: KString, Optional: true}
	textAs := Param{Name: "textAs", Kinds: KString, Optional: true}
	pattern := Param{Name: "re", Kinds: KString}
	pad := []Param{any, {Name: "length", Kinds: KNumber}, {Name: "fill", Kinds: KText, Optional: true}}
	part := []Param{s, {Name: "part", Kinds: KText}}
	swap := []Param{s, {Name: "old", Kinds: KText}, {Name: "new", Kinds: KText}}
	return group("strings", []Func{
		{Name: "length", Doc: "number of code points, elements or keys; 0 of null",
			Params: []Param{{Name: "x", Kinds: KString | KArray | KObject | KNull}}, Result: KNumber, impl: length},
		{Name: "lowercase", Doc: "text in lower case",
			Params: []Param{s}, Result: KString, impl: lowercase},
		{Name: "uppercase", Doc: "text in upper case",
			Params: []Param{s}, Result: KString, impl: uppercase},
		{Name: "trim", Doc: "text without white space at both ends",
			Params: []Param{s}, Result: KString, impl: trim},
		{Name: "trimStart", Doc: "text without white space at its start",
			Params: []Param{s}, Result: KString, impl: trimStart},
		{Name: "trimEnd", Doc: "text without white space at its end",
			Params: []Param{s}, Result: KString, impl: trimEnd},
		{Name: "substring", Doc: "text from one position up to, not including, another; negative ones count from the end",
			Params: []Param{s, {Name: "from", Kinds: KNumber}, {Name: "to", Kinds: KNumber, Optional: true}},
			Result: KString, impl: substring},
		{Name: "split", Doc: "array of the text between separators; an empty separator gives the code points",
			Params: []Param{s, {Name: "separator", Kinds: KString}}, Result: KArray, impl: split},
		{Name: "join", Doc: "texts of the elements with a separator between them, null as \"\"",
			Params: []Param{{Name: "xs", Kinds: KArray}, {Name: "separator", Kinds: KString}}, Result: KString, impl: join},
		{Name: "replace", Doc: "text with the first occurrence of a text replaced",
			Params: swap, Result: KString, impl: replaceFirst},
		{Name: "replaceAll", Doc: "text with every occurrence of a text replaced",
			Params: swap, Result: KString, impl: replaceAll},
		{Name: "concat", Doc: "arrays joined if the first is one, else the texts of all, null as \"\"",
			Params:   []Param{{Name: "a", Kinds: KAny}, {Name: "more", Kinds: KAny, Optional: true}},
			Variadic: true, Result: KString | KArray, impl: concat},
		{Name: "contains", Doc: "whether a text holds another, or an array an element",
			Params: []Param{{Name: "s", Kinds: KString | KArray}, {Name: "part", Kinds: KAny}}, Result: KBool, impl: contains},
		{Name: "startsWith", Doc: "whether a text starts with another",
			Params: part, Result: KBool, impl: startsWith},
		{Name: "endsWith", Doc: "whether a text ends with another",
			Params: part, Result: KBool, impl: endsWith},
		{Name: "padStart", Doc: "text filled up at its start to a length in code points",
			Params: pad, Result: KString, impl: padStart},
		{Name: "padEnd", Doc: "text filled up at its end to a length in code points",
			Params: pad, Result: KString, impl: padEnd},
		{Name: "repeat", Doc: "text a number of times",
			Params: []Param{s, {Name: "n", Kinds: KNumber}}, Result: KString, impl: repeat},
		{Name: "slugify", Doc: "lower-case ASCII letters and digits, with a `-` for each run of anything else",
			Params: []Param{any}, Result: KString, impl: slugify},
		{Name: "format", Doc: "text with each {} replaced by the next value; {{ and }} are braces",
			Params:   []Param{{Name: "pattern", Kinds: KString}, {Name: "values", Kinds: KAny, Optional: true}},
			Variadic: true, Result: KString, impl: format},
		{Name: "matches", Doc: "whether an RE2 regular expression matches somewhere in a text",
			Params: []Param{s, pattern}, Result: KBool, impl: regexps.matches},
		{Name: "capture", Doc: "array of the first match and its groups, or null",
			Params: []Param{s, pattern}, Result: KArray | KNull, impl: regexps.capture},
		{Name: "base64", Doc: "base64 of the text's UTF-8, standard alphabet with padding",
			Params: []Param{any}, Result: KString, impl: toBase64},
		{Name: "unbase64", Doc: "text of base64, standard or URL alphabet, with or without padding",
			Params: []Param{s}, Result: KString, impl: fromBase64},
		{Name: "urlEncode", Doc: "text as one component of a URL (RFC 3986)",
			Params: []Param{any}, Result: KString, impl: urlEncode},
		{Name: "urlDecode", Doc: "text of one component of a URL (RFC 3986)",
			Params: []Param{s}, Result: KString, impl: urlDecode},
		{Name: "hex", Doc: "lower-case hex of the text's UTF-8",
			Params: []Param{any}, Result: KString, impl: toHex},
		{Name: "unhex", Doc: "text of hex",
			Params: []Param{s}, Result: KString, impl: fromHex},
		{Name: "sha256", Doc: "SHA-256, in hex, base64 or base64url; textAs says how the text is encoded",
			Params: []Param{any, out, textAs}, Result: KString, impl: hasher("sha256")},
		{Name: "sha512", Doc: "SHA-512, likewise",
			Params: []Param{any, out, textAs}, Result: KString, impl: hasher("sha512")},
		{Name: "sha1", Doc: "SHA-1, likewise",
			Params: []Param{any, out, textAs}, Result: KString, impl: hasher("sha1")},
		{Name: "md5", Doc: "MD5, likewise",
			Params: []Param{any, out, textAs}, Result: KString, impl: hasher("md5")},
		{Name: "hmac", Doc: "HMAC, likewise; the algorithm is md5, sha1, sha256 or sha512",
			Params: []Param{{Name: "algorithm", Kinds: KString}, {Name: "key", Kinds: KText}, any, out, {Name: "keyAs", Kinds: KString, Optional: true}, textAs},
			Result: KString, impl: hmacOf},
		{Name: "jwt", Doc: "JSON Web Token (RFC 7519), signed with HS256, RS256 or ES256",
			Params: []Param{{Name: "claims", Kinds: KObject}, {Name: "key", Kinds: KString}, {Name: "algorithm", Kinds: KString, Optional: true},
				{Name: "header", Kinds: KObject | KNull, Optional: true}, {Name: "keyAs", Kinds: KString, Optional: true}},
			Result: KString, impl: jwtOf},
		{Name: "uuid", Doc: "a new random UUID (RFC 9562)",
			Result: KString, Form: Host},
	})
}

func length(_ *value.Shapes, args []value.Value) (value.Value, error) {
	n, _ := value.Length(args[0]) // the kinds it takes all have one
	return value.FromInt(int64(n)), nil
}

func lowercase(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := args[0].Str()
	if out, ok := swapCase(s, 'A', 'Z'); ok {
		return text(out)
	}
	return text(strings.ToLower(s))
}

func uppercase(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := args[0].Str()
	if out, ok := swapCase(s, 'a', 'z'); ok {
		return text(out)
	}
	return text(strings.ToUpper(s))
}

// swapCase changes the case of the letters from first to last. It does so for
// short texts of ASCII, most of what records hold, at half the price of package
// strings; ok is false for any other.
func swapCase(s string, first, last byte) (out string, ok bool) {
	var room [64]byte
	if len(s) > len(room) {
		return "", false
	}
	var seen, changed byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		seen |= c
		if c-first <= last-first {
			c ^= 'a' - 'A'
			changed = 1
		}
		room[i] = c
	}
	if seen >= utf8.RuneSelf {
		return "", false
	}
	if changed == 0 {
		return s, true
	}
	return string(room[:len(s)]), true
}

// isSpace counts the byte order mark, which the text of some APIs starts with.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' }

func trim(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return text(strings.TrimFunc(args[0].Str(), isSpace))
}

func trimStart(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return text(strings.TrimLeftFunc(args[0].Str(), isSpace))
}

func trimEnd(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return text(strings.TrimRightFunc(args[0].Str(), isSpace))
}

func substring(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := args[0].Str()
	if isASCII(s) {
		from, to, err := span(args, len(s))
		if err != nil {
			return value.Value{}, err
		}
		return value.FromString(s[from:to]), nil
	}
	from, to, err := span(args, utf8.RuneCountInString(s))
	if err != nil {
		return value.Value{}, err
	}
	s = s[byteOffset(s, from):]
	return value.FromString(s[:byteOffset(s, to-from)]), nil
}

func split(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s, sep := args[0].Str(), args[1].Str()
	n := strings.Count(s, sep) + 1
	if sep == "" {
		n = utf8.RuneCountInString(s)
	}
	if n > maxElems {
		return value.Value{}, errArrayTooLong
	}
	parts := make([]value.Value, 0, n)
	if sep == "" {
		for s != "" {
			_, size := utf8.DecodeRuneInString(s)
			parts = append(parts, value.FromString(s[:size]))
			s = s[size:]
		}
		return value.FromArray(parts), nil
	}
	for {
		part, rest, more := strings.Cut(s, sep)
		parts = append(parts, value.FromString(part))
		if !more {
			return value.FromArray(parts), nil
		}
		s = rest
	}
}

func join(_ *value.Shapes, args []value.Value) (value.Value, error) {
	xs, sep := args[0].Elems(), args[1].Str()
	size := len(sep) * max(len(xs)-1, 0)
	for _, x := range xs {
		size += textSize(x)
	}
	if size > maxText+len(xs)*numberSize {
		return value.Value{}, errTextTooLong
	}
	var out strings.Builder
	out.Grow(min(size, maxText))
	for i, x := range xs {
		if i > 0 {
			out.WriteString(sep)
		}
		if err := writeText(&out, x); err != nil {
			return value.Value{}, err
		}
	}
	return text(out.String())
}

func replaceFirst(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return replaceN(args, 1)
}

func replaceAll(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return replaceN(args, -1)
}

func replaceN(args []value.Value, n int) (value.Value, error) {
	s, from, to := args[0].Str(), str(args[1]), str(args[2])
	if n < 0 && len(to) > len(from) {
		if len(s)+strings.Count(s, from)*(len(to)-len(from)) > maxText {
			return value.Value{}, errTextTooLong
		}
	}
	return text(strings.Replace(s, from, to, n))
}

func concat(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if args[0].Kind() == value.Array {
		return concatArrays(args)
	}
	if len(args) == 1 && args[0].Kind() == value.String {
		return args[0], nil
	}
	var out strings.Builder
	size := 0
	for _, a := range args {
		size += textSize(a)
	}
	if size > maxText {
		return value.Value{}, errTextTooLong
	}
	out.Grow(size)
	for _, a := range args {
		if err := writeText(&out, a); err != nil {
			return value.Value{}, err
		}
	}
	return text(out.String())
}

func concatArrays(args []value.Value) (value.Value, error) {
	n := 0
	for i, a := range args {
		if a.Kind() != value.Array {
			h := "write `[x]` to add one element"
			if a.IsNull() {
				h = hint(KArray, a)
			}
			return value.Value{}, badArg(i, "an array, as the first one is", h)
		}
		n += len(a.Elems())
	}
	if n == len(args[0].Elems()) {
		return args[0], nil
	}
	if n > maxElems {
		return value.Value{}, errArrayTooLong
	}
	out := make([]value.Value, 0, n)
	for _, a := range args {
		out = append(out, a.Elems()...)
	}
	return value.FromArray(out), nil
}

func contains(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return holds(args)
}

// holds reports whether the text args[0] holds the text args[1], or the array
// args[0] an element equal to it.
func holds(args []value.Value) (value.Value, error) {
	if args[0].Kind() == value.Array {
		var c value.Comparison
		for _, x := range args[0].Elems() {
			if c.Equal(x, args[1]) {
				return value.True, nil
			}
		}
		return value.False, c.Err()
	}
	if KindOf(args[1])&KText == 0 {
		return value.Value{}, badArg(1, "a string, to be found in one", hint(KString, args[1]))
	}
	return value.FromBool(strings.Contains(args[0].Str(), str(args[1]))), nil
}

func startsWith(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return value.FromBool(strings.HasPrefix(args[0].Str(), str(args[1]))), nil
}

func endsWith(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return value.FromBool(strings.HasSuffix(args[0].Str(), str(args[1]))), nil
}

func padStart(_ *value.Shapes, args []value.Value) (value.Value, error) {
	fill, err := padding(args)
	if err != nil || fill == nil {
		return value.FromString(str(args[0])), err
	}
	return madeText(append(fill, str(args[0])...))
}

func padEnd(_ *value.Shapes, args []value.Value) (value.Value, error) {
	fill, err := padding(args)
	if err != nil || fill == nil {
		return value.FromString(str(args[0])), err
	}
	return madeText(append([]byte(str(args[0])), fill...))
}

// padding returns what the text args[0] lacks to be args[1] code points long,
// made of args[2], or nil if it is that long.
func padding(args []value.Value) ([]byte, error) {
	want, err := wholeArg(args, 1)
	if err != nil {
		return nil, err
	}
	fill := " "
	if len(args) > 2 {
		if fill = str(args[2]); fill == "" {
			return nil, badArg(2, "text that is not empty", "")
		}
	}
	s := str(args[0])
	lacks := want - int64(utf8.RuneCountInString(s))
	if lacks <= 0 {
		return nil, nil
	}
	if lacks > maxText {
		return nil, errTextTooLong
	}
	points := int64(utf8.RuneCountInString(fill))
	times, rest := lacks/points, fill[:byteOffset(fill, int(lacks%points))]
	size := int(times)*len(fill) + len(rest) + len(s)
	if size > maxText {
		return nil, errTextTooLong
	}
	out := make([]byte, 0, size)
	for range times {
		out = append(out, fill...)
	}
	return append(out, rest...), nil
}

func repeat(_ *value.Shapes, args []value.Value) (value.Value, error) {
	n, err := wholeArg(args, 1)
	if err != nil {
		return value.Value{}, err
	}
	if n < 0 {
		return value.Value{}, badArg(1, "0 or more", "")
	}
	s := args[0].Str()
	if len(s) > 0 && n > int64(maxText/len(s)) {
		return value.Value{}, errTextTooLong
	}
	if len(s) == 0 {
		return args[0], nil
	}
	return text(strings.Repeat(s, int(n)))
}

// format replaces each {} of a pattern by the text of the next value. What is
// no placeholder must not look like half of one, so that none is overlooked.
func format(_ *value.Shapes, args []value.Value) (value.Value, error) {
	pattern, values := args[0].Str(), args[1:]
	var out strings.Builder
	out.Grow(len(pattern) + 16*len(values))
	used := 0
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c != '{' && c != '}' {
			out.WriteByte(c)
			continue
		}
		next := byte(0)
		if i+1 < len(pattern) {
			next = pattern[i+1]
		}
		switch {
		case next == c: // {{ or }}
			out.WriteByte(c)
		case c == '{' && next == '}':
			if used < len(values) {
				if err := writeText(&out, values[used]); err != nil {
					return value.Value{}, err
				}
			}
			used++
		default:
			return value.Value{}, fmt.Errorf("found a lone `%c` at position %d of %s: write {} for a value, `%c%c` for a brace",
				c, utf8.RuneCountInString(pattern[:i]), value.Describe(args[0]), c, c)
		}
		i++
		if out.Len() > maxText {
			return value.Value{}, errTextTooLong
		}
	}
	if used != len(values) {
		return value.Value{}, fmt.Errorf("%s takes %s, found %s",
			value.Describe(args[0]), count(used, "value"), count(len(values), "value"))
	}
	return text(out.String())
}

// count returns a number and a noun, such as "1 value" or "2 values".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
