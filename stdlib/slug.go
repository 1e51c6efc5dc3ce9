package stdlib

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"reqon/vm/value"
)

// slugify folds Latin letters with diacritics to ASCII, capital and small ones alike.
// A letter is taken apart first (NFD) and its marks are dropped, so that it does not
// matter in which form it is written.
func slugify(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := str(args[0])
	if isSlug(s) {
		return text(s)
	}
	out := make([]byte, 0, len(s))
	gap := false
	add := func(letters string) {
		if gap && len(out) > 0 {
			out = append(out, '-')
		}
		gap = false
		out = append(out, letters...)
	}
	if !isASCII(s) {
		s = norm.NFD.String(s)
	}
	for i, r := range s {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			add(s[i : i+1])
		case 'A' <= r && r <= 'Z':
			add(string(r + 'a' - 'A'))
		case r < utf8.RuneSelf:
			gap = true
		case unicode.Is(unicode.Mn, r):
		default:
			if f := foldLatin(r); f != "" {
				add(f)
			} else {
				gap = true
			}
		}
	}
	return madeText(out)
}

// isSlug reports whether s is what slugify makes of it.
func isSlug(s string) bool {
	gap := true // as if after a `-`
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			gap = false
		case c == '-' && !gap:
			gap = true
		default:
			return false
		}
	}
	return !gap || s == ""
}

// The ASCII letters, in lower case, of Latin letters with diacritics by code
// point; `.` where there is none: those of a ligature, and letters that no
// language of Latin script in use today folds to one of ASCII.
const (
	foldFirst = 0x00C0 // Latin-1, Latin Extended-A and -B
	folds     = "" +
		"aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y" +
		"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkkklllllll" +
		"lllnnnnnnn..oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs" +
		"bb.......dd...ee.ff....ikkl.....oo.............uu..yyzz........." +
		".............aaiioouuuuuuuuuueaaaa..ggggkkoooo..j...gg..nnaa...." +
		"aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy......acclt." +
		"...bu.eejj..rryy"

	foldAddFirst = 0x1E00 // Latin Extended Additional, which has Vietnamese
	foldsAdd     = "" +
		"aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm" +
		"mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv" +
		"wwwwwwwwwwxxxxyyzzzzzzhtwy......aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee" +
		"eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......"
)

// foldLatin returns the ASCII letters, in lower case, of a Latin letter with
// diacritics or a ligature, or "". It goes by the small letter alone, so that a
// capital one gives the same; of some the table has the capital only.
func foldLatin(r rune) string {
	small := unicode.ToLower(r)
	if f := foldLetter(small); f != "" {
		return f
	}
	return foldLetter(unicode.ToUpper(small))
}

func foldLetter(r rune) string {
	if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
		return string(r | 0x20)
	}
	switch r {
	case 'ß', 'ẞ':
		return "ss"
	case 'Æ', 'æ', 'Ǽ', 'ǽ', 'Ǣ', 'ǣ':
		return "ae"
	case 'Œ', 'œ':
		return "oe"
	case 'Þ', 'þ':
		return "th"
	case 'Ŋ', 'ŋ':
		return "ng"
	case 'Ĳ', 'ĳ':
		return "ij"
	case 'Ǆ', 'ǅ', 'ǆ', 'Ǳ', 'ǲ', 'ǳ':
		return "dz"
	case 'Ǉ', 'ǈ', 'ǉ':
		return "lj"
	case 'Ǌ', 'ǋ', 'ǌ':
		return "nj"
	}
	table, i := folds, int(r)-foldFirst
	if r >= foldAddFirst {
		table, i = foldsAdd, int(r)-foldAddFirst
	}
	if i < 0 || i >= len(table) || table[i] == '.' {
		return ""
	}
	return table[i : i+1]
}
