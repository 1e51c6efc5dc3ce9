package check

import (
	"net/url"
	"strconv"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
)

// sizeNames are what APIs call the size of a page, without the case of letters,
// signs and brackets, in which they differ.
var sizeNames = []string{"limit", "perpage", "pagesize", "size", "top", "maxresults"}

// isSizeName reports whether a parameter's name is one of a page size: limit,
// per_page, page_size, pageSize, size, top, $top, maxResults, page[size].
func isSizeName(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-$[].", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
	for _, n := range sizeNames {
		if plain == n {
			return true
		}
	}
	return false
}

// pageSizes looks for the page size in what a request sends.
type pageSizes struct {
	size  int64
	param string // the page parameter, which says nothing of the size
	sent  bool   // it is sent, or may be: something that is not known here is
	other *sentSize
}

// sentSize is a parameter that is called like a page size, and is another.
type sentSize struct {
	name string
	size int64
	span syntax.Span
}

// checkPageSize tells of a page or offset pagination whose size is sent nowhere,
// and of one that differs from the size that is sent: `size` is what offsets
// step by, and what tells a full page.
func (c *checker) checkPageSize(s *syntax.FetchStep, source *syntax.Source, pages Pagination) {
	lit, ok := unparen(pages.Size).(*syntax.NumberLit)
	if !ok || lit.Unit != "" {
		return
	}
	size, ok := wholeSize(lit.Text)
	if !ok || size < 1 {
		return
	}
	look := pageSizes{size: size, param: pages.Param}
	// What comes first is sent: a parameter of the request replaces one of the
	// path, and that one of the source.
	seen := map[string]bool{}
	look.fields(s.Options.Get("params"), seen)
	look.path(s.Path, seen)
	if source != nil {
		look.fields(source.Options.Get("params"), seen)
		if base := source.Options.Get("base"); base != nil {
			if lit, ok := unparen(base.Value).(*syntax.StringLit); ok {
				look.path(lit, seen)
			}
		}
	}
	for _, name := range []string{"body", "form", "headers"} {
		look.fields(s.Options.Get(name), nil)
	}
	switch {
	case look.sent:
	case look.other != nil:
		d := c.report(diag.CodePageSize, lit.Span, "write the same number in both places",
			"`%s` asks for pages of %d, and `paginate` says %s", look.other.name, look.other.size, lit.Text)
		note(d, look.other.span, "the size that is sent is here")
	default:
		c.report(diag.CodePageSize, lit.Span, "add `params: { limit: "+lit.Text+" }`, as the server calls it",
			"the page size %s is not sent: the server chooses how much a page holds", lit.Text)
	}
}

// wholeSize reads a whole number as it is written in the source.
func wholeSize(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	return n, err == nil
}

// fields looks through an option such as params or body. seen are the names of
// parameters that others have replaced.
func (l *pageSizes) fields(o *syntax.Option, seen map[string]bool) {
	if o == nil || o.Value == nil {
		return
	}
	object, ok := unparen(o.Value).(*syntax.ObjectExpr)
	if !ok {
		l.value("", o.Value)
		return
	}
	if seen == nil {
		seen = make(map[string]bool, len(object.Entries))
	}
	for _, e := range object.Entries {
		switch {
		case e.Spread != nil:
			l.sent = true // it may be
		case e.Key == nil || seen[e.Key.Name]:
		default:
			seen[e.Key.Name] = true
			l.value(e.Key.Name, e.Value)
		}
	}
}

// value looks at what a parameter is.
func (l *pageSizes) value(name string, e syntax.Expr) {
	switch x := unparen(e).(type) {
	case nil:
	case *syntax.NumberLit:
		if n, ok := wholeSize(x.Text); ok && x.Unit == "" {
			l.number(name, n, x.Span)
		}
	case *syntax.StringLit:
		if n, ok := wholeSize(strings.TrimSpace(x.Value)); ok {
			l.number(name, n, x.Span)
			return
		}
		l.text(x.Value)
	case *syntax.ObjectExpr:
		l.fields(&syntax.Option{Value: x}, nil)
	case *syntax.ArrayExpr:
		for _, elem := range x.Elems {
			l.value("", elem.Value)
		}
	case *syntax.BoolLit, *syntax.NullLit:
	case *syntax.TemplateLit:
		for _, text := range x.Texts {
			l.text(text)
		}
	case *syntax.Name:
		l.sent = l.sent || x.Name != l.param // it may be
	default:
		// An expression may give it, unless it is of the page parameter alone.
		syntax.Walk(e, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.NumberLit:
				if size, ok := wholeSize(n.Text); ok && size == l.size {
					l.sent = true
				}
			case *syntax.Name:
				l.sent = l.sent || n.Name != l.param
			case *syntax.CallExpr:
				l.sent = l.sent || len(n.Args) == 0 || n.Fun.Name == "env"
			}
			return !l.sent
		})
	}
}

// number takes in a whole number that is sent.
func (l *pageSizes) number(name string, n int64, span syntax.Span) {
	switch {
	case n == l.size:
		l.sent = true
	case isSizeName(name) && l.other == nil:
		l.other = &sentSize{name, n, span}
	}
}

// text looks for the size as a number of its own in a text that is sent, such
// as a GraphQL query.
func (l *pageSizes) text(s string) {
	number := strconv.FormatInt(l.size, 10)
	for i := 0; ; {
		at := strings.Index(s[i:], number)
		if at < 0 {
			return
		}
		i += at + len(number)
		if !isWordByte(s, i-len(number)-1) && !isWordByte(s, i) {
			l.sent = true
			return
		}
	}
}

func isWordByte(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	c := s[i]
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'
}

// path looks at the address of a request, or the base of a source.
func (l *pageSizes) path(e syntax.Expr, seen map[string]bool) {
	switch x := unparen(e).(type) {
	case nil:
	case *syntax.StringLit:
		path, query, _ := strings.Cut(x.Value, "?")
		l.text(path)
		for part := range strings.SplitSeq(query, "&") {
			key, text, _ := strings.Cut(part, "=")
			name, err := url.QueryUnescape(key)
			if err != nil || seen[name] {
				continue
			}
			seen[name] = true
			if n, ok := wholeSize(text); ok {
				l.number(name, n, x.Span)
			} else {
				l.text(text)
			}
		}
	case *syntax.TemplateLit:
		for _, text := range x.Texts {
			l.text(text)
		}
		l.templateQuery(x, seen)
	default:
		l.value("", e)
	}
}

// templateQuery looks at the parameters that are written out in a path with
// values in it. One that a value follows is not known here.
func (l *pageSizes) templateQuery(t *syntax.TemplateLit, seen map[string]bool) {
	const hole = "\x00"
	_, query, _ := strings.Cut(strings.Join(t.Texts, hole), "?")
	for part := range strings.SplitSeq(query, "&") {
		name, text, _ := strings.Cut(part, "=")
		n, ok := wholeSize(text)
		switch {
		case seen[name]:
		case strings.Contains(part, hole):
			l.sent = l.sent || isSizeName(name)
		case ok:
			seen[name] = true
			l.number(name, n, t.Span)
		}
	}
}
