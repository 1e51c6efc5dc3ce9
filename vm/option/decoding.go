package option

import (
	"path"
	"slices"
	"strings"

	"reqon/vm/value"
)

// Decoding is what a body is, whatever its type says: a form, behind packings.
type Decoding struct {
	Packed []Packing // the outermost first
	Form   string    // one of DecodeForms
}

// Packing is what a body is packed in.
type Packing struct {
	Kind string // gzip or zip
	Name string // of the file in a zip archive, a pattern of path.Match; "": it has one
}

// maxPacked is how often a body is packed at most.
const maxPacked = 3

// decodeWords are the forms of a body, and then its packings.
var decodeWords = []string{"json", "ndjson", "csv", "tsv", "xml", "text", "gzip", "zip"}

// DecodeForms returns the forms of a body.
func DecodeForms() []string { return decodeWords[:6] }

// ZipWord is the word of a packing zip that names its file.
func ZipWord(pattern string) string { return "zip(" + pattern + ")" }

// ParseDecoding reads the words of `decode`. problem goes on from the option's
// name; it is "" if they are right.
func ParseDecoding(words []string) (d Decoding, problem string) {
	for i, w := range words {
		pattern, named := strings.CutPrefix(w, "zip(")
		last := i == len(words)-1
		switch {
		case named:
			pattern = strings.TrimSuffix(pattern, ")")
			if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
				return d, "names no file by zip(\"" + pattern + "\"), expected a name or a pattern such as \"orders*.csv\""
			}
			d.Packed = append(d.Packed, Packing{Kind: "zip", Name: pattern})
		case w == "gzip" || w == "zip":
			d.Packed = append(d.Packed, Packing{Kind: w})
		case !slices.Contains(DecodeForms(), w):
			return d, "is \"" + w + "\", expected " + wordList(decodeWords)
		case !last:
			return d, "has \"" + words[i+1] + "\" behind \"" + w + "\", expected the form last, and before it what it is packed in"
		default:
			d.Form = w
		}
	}
	switch {
	case d.Form == "":
		return d, "does not say what the packed body is, expected " + wordList(DecodeForms()) + " as its last word"
	case len(d.Packed) > maxPacked:
		return d, "is packed more than " + itoa(maxPacked) + " times"
	}
	return d, ""
}

func wordList(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// decodingWords are the words of a value of the option.
func decodingWords(v value.Value) (words []string, ok bool) {
	switch v.Kind() {
	case value.String:
		return []string{v.Str()}, true
	case value.Array:
		for _, e := range v.Elems() {
			if e.Kind() != value.String {
				return nil, false
			}
			words = append(words, e.Str())
		}
		return words, true
	}
	return nil, false
}

// Decoding returns what a body is; ok is false if the option was not given.
func (v *Values) Decoding(name string) (d Decoding, ok bool) {
	words, ok := decodingWords(v.Value(name))
	if !ok {
		return d, false
	}
	d, _ = ParseDecoding(words) // it was decoded
	return d, true
}
