package stdlib

import (
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"reqon/vm/value"
)

// latinBlocks are the blocks of Unicode that have Latin letters.
var latinBlocks = [][2]rune{
	{0x41, 0x7A}, {0xC0, 0x24F}, {0x250, 0x2AF}, {0x1D00, 0x1D7F}, {0x1E00, 0x1EFF}, {0x2C60, 0x2C7F}, {0xA720, 0xA7FF}, {0xAB30, 0xAB6F},
}

// TestSlugifyAlike: each Latin letter gives the same slug composed and decomposed,
// capital and small.
func TestSlugifyAlike(t *testing.T) {
	slug := func(s string) string {
		v, err := slugify(nil, []value.Value{value.FromString("x" + s + "y")})
		if err != nil {
			t.Fatal(err)
		}
		return v.Str()
	}
	for _, block := range latinBlocks {
		for r := block[0]; r <= block[1]; r++ {
			if !unicode.IsLetter(r) {
				continue
			}
			want := slug(string(r))
			for how, form := range map[string]string{
				"decomposed": norm.NFD.String(string(r)), "composed": norm.NFC.String(string(r)),
				"capital": string(unicode.ToUpper(r)), "small": string(unicode.ToLower(r)), "title": string(unicode.ToTitle(r)),
				"capital, decomposed": norm.NFD.String(string(unicode.ToUpper(r))),
			} {
				if got := slug(form); got != want {
					t.Errorf("%c (%U): %s, %s (%q) is %s", r, r, want, how, form, got)
				}
			}
		}
	}
	for s, want := range map[string]string{
		"ǿ": "xoy", "ø\u0301": "xoy", "Ǿ": "xoy", "ɓ": "xby", "Ɓ": "xby", "ǽ": "xaey", "æ\u0301": "xaey", "ß": "xssy", "ẞ": "xssy",
		"ữ": "xuy", "u\u031b\u0303": "xuy", "İ": "xiy", "ı": "xiy", "ɗ": "xdy", "ⱥ": "xay", "ж": "x-y", "й": "x-y", "и\u0306": "x-y", "한": "x-y",
	} {
		if got := slug(s); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
}
