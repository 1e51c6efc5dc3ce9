package check

import (
	"slices"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/option"
)

// DecodeWords returns the words that a value of `decode` stands for, as package
// option reads them: a word, or an array of words and calls zip("pattern").
func DecodeWords(e syntax.Expr) (words []string, ok bool) {
	switch e := e.(type) {
	case *syntax.ArrayExpr:
		for _, elem := range e.Elems {
			w, ok := decodeWord(elem.Value)
			if !ok || elem.Spread {
				return nil, false
			}
			words = append(words, w)
		}
		return words, true
	}
	w, ok := decodeWord(e)
	return []string{w}, ok
}

func decodeWord(e syntax.Expr) (string, bool) {
	if call, ok := e.(*syntax.CallExpr); ok {
		if call.Fun.Name != "zip" || len(call.Args) != 1 {
			return "", false
		}
		lit, ok := call.Args[0].(*syntax.StringLit)
		if !ok {
			return "", false
		}
		return option.ZipWord(lit.Value), true
	}
	return Word(e)
}

// checkDecode checks what `decode` says that a body is.
func (c *checker) checkDecode(spec *option.Spec, e syntax.Expr) {
	words, ok := DecodeWords(e)
	if !ok {
		c.report(diag.CodeOptionKind, e.Place(), "write it like `decode: csv`, `decode: [gzip, tsv]` or `decode: [zip(\"orders*.csv\"), csv]`",
			"`%s` must be written out: %s", spec.Name, spec.WordList())
		return
	}
	for _, w := range words {
		if !slices.Contains(spec.Words, w) && !strings.HasPrefix(w, "zip(") {
			c.report(diag.CodeOptionWord, e.Place(), didYouMean(spec.MeantWord(w)), "`%s` must be %s, found `%s`", spec.Name, spec.WordList(), w)
			return
		}
	}
	if _, problem := option.ParseDecoding(words); problem != "" {
		c.report(diag.CodeOptionWord, e.Place(), "", "`%s` %s", spec.Name, problem)
	}
}

// checkCSV checks `csv` against `decode`, and what can be seen of its header.
func (c *checker) checkCSV(given map[string]*syntax.Option) {
	csv := given["csv"]
	if csv == nil {
		return
	}
	block, _ := unparen(csv.Value).(*syntax.ObjectExpr)
	entry := func(name string) *syntax.ObjectEntry {
		if block != nil {
			for _, e := range block.Entries {
				if e.Key != nil && e.Key.Name == name {
					return e
				}
			}
		}
		return nil
	}
	if decode := given["decode"]; decode != nil {
		words, _ := DecodeWords(decode.Value)
		switch how, problem := option.ParseDecoding(words); {
		case problem != "":
		case how.Form == "tsv":
			for _, name := range []string{"delimiter", "quote"} {
				if e := entry(name); e != nil {
					c.report(diag.CodeOptionsClash, e.Key.Span, "write `csv` in `decode`", "`%s` and `decode: tsv` can't be given together: tabs part its fields, and nothing quotes them", name)
				}
			}
		case how.Form != "csv":
			d := c.report(diag.CodeOptionsClash, csv.Key.Span, "take it out, or write `csv` in `decode`", "`csv` is for a body of separated values, and `decode` says that it is %s", how.Form)
			note(d, decode.Key.Span, "the other one is given here")
		}
	}
	if e := entry("header"); e != nil {
		switch e.Value.(type) {
		case *syntax.StringLit, *syntax.NumberLit, *syntax.ObjectExpr, *syntax.NullLit:
			c.report(diag.CodeOptionKind, e.Value.Place(), "", "`header` must be true, false or an array of names, found %s", e.Value.Place().Text())
		}
	}
}
