package check

import (
	"net/url"
	"regexp"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
	"reqon/vm/near"
	"reqon/vm/option"
)

// Pagination is the value of a request's `paginate` (language definition, section
// 6.1).
type Pagination struct {
	Form  string      // page, offset, cursor, link or next
	Param string      // the parameter that pages are asked for with; "" for link and next
	Size  syntax.Expr // nil for link and next
	Next  syntax.Expr // cursor: the path of the next cursor, or what gives it; next: what gives the next address
	Items syntax.Expr // where the items are; nil if it is left out
}

// pageForms are the forms of paginate and their arguments.
var pageForms = []struct {
	name        string
	least, most int
	signature   string
}{
	{"page", 2, 3, "page(param, size, items?)"},
	{"offset", 2, 3, "offset(param, size, items?)"},
	{"cursor", 3, 4, "cursor(param, size, \"path.to.next\", items?)"},
	{"link", 0, 1, "link(items?)"},
	{"next", 1, 2, "next(response.next, items?)"},
}

// OnePage reports whether the value of `paginate` is none: one page is meant.
func OnePage(e syntax.Expr) bool {
	w, ok := Word(unparen(e))
	return ok && w == "none"
}

// ReadPagination reads the value of `paginate`; ok is false if it has no such form,
// which the checker reports.
func ReadPagination(e syntax.Expr) (p Pagination, ok bool) {
	call, isCall := unparen(e).(*syntax.CallExpr)
	if !isCall || call.Form != syntax.CallPlain {
		return p, false
	}
	n := len(call.Args)
	for _, f := range pageForms {
		if f.name != call.Fun.Name || n < f.least || n > f.most {
			continue
		}
		p.Form = f.name
		if n == f.most {
			p.Items = call.Args[n-1]
		}
		switch f.name {
		case "link":
			return p, true
		case "next":
			p.Next = call.Args[0]
			return p, true
		}
		if p.Param, ok = Word(call.Args[0]); !ok || p.Param == "" {
			return p, false
		}
		p.Size = call.Args[1]
		if f.name == "cursor" {
			p.Next = call.Args[2]
		}
		return p, true
	}
	return p, false
}

// checkPages checks the value of `paginate`.
func (c *checker) checkPages(e syntax.Expr) {
	if OnePage(e) {
		return
	}
	call, ok := unparen(e).(*syntax.CallExpr)
	var names []string
	for _, f := range pageForms {
		names = append(names, f.name)
	}
	if !ok {
		suggestion := "write `page(page, 100)`, `offset(offset, 100)`, `cursor(cursor, 100, \"next\")`, `link()` or `next(response.next)`"
		if name, isName := e.(*syntax.Name); isName && name.Name == "link" {
			suggestion = "write `link()`"
		}
		c.report(diag.CodeBadPaginate, e.Place(), suggestion, "`paginate` must be page(…), offset(…), cursor(…), link(), next(…) or none")
		return
	}
	for _, f := range pageForms {
		if f.name != call.Fun.Name {
			continue
		}
		if n := len(call.Args); n < f.least || n > f.most {
			c.report(diag.CodeBadPaginate, call.Fun.Span, "write `"+f.signature+"`", "`%s` takes %s, found %d", f.name, arityText(f.least, f.most), n)
			return
		}
		c.checkPageArguments(f.name, call.Args)
		return
	}
	c.report(diag.CodeBadPaginate, call.Fun.Span, didYouMean(near.Nearest(call.Fun.Name, names)), "`%s` is no way to paginate; there are page, offset, cursor, link and next", call.Fun.Name)
}

func (c *checker) checkPageArguments(form string, args []syntax.Expr) {
	texts := args
	switch form {
	case "link":
	case "next":
		c.pageExpr(args[0], "the next page's address")
		texts = args[1:]
	default:
		if w, ok := Word(args[0]); !ok || w == "" {
			c.report(diag.CodeBadPaginate, args[0].Place(), "", "the parameter of `%s` must be a bare word or a string", form)
			return
		}
		c.checkNumberIn(&option.Spec{Name: form, Min: 1}, option.Count, args[1])
		texts = args[2:]
		if form != "cursor" {
			break
		}
		if !Constant(args[2]) { // else it is a path
			c.pageExpr(args[2], "the next cursor")
			texts = args[3:]
		}
	}
	for _, a := range texts {
		if t := c.expr(a); !t.can(stdlib.KString) {
			c.report(diag.CodeBadPaginate, a.Place(), "", "expected a path such as \"data.items\" as text, found %s", t.describe())
		} else if lit, ok := a.(*syntax.StringLit); ok && !fieldPath.MatchString(lit.Value) {
			suggestion := ""
			if dotted := indexes.ReplaceAllString(lit.Value, ".$1"); fieldPath.MatchString(dotted) {
				suggestion = "write \"" + dotted + "\""
			}
			c.report(diag.CodeBadPaginate, a.Place(), suggestion, "%q is no path of fields such as \"data.items\"", lit.Value)
		}
	}
}

// pageExpr checks an expression that is worked out over each page, and gives what.
func (c *checker) pageExpr(e syntax.Expr, what string) {
	if t := c.expr(e); !t.can(stdlib.KString | stdlib.KNumber | stdlib.KNull) {
		c.report(diag.CodeBadPaginate, e.Place(), "", "%s must be text, found %s", what, t.describe())
	}
	if Constant(e) {
		c.report(diag.CodeBadPaginate, e.Place(), "write an expression over the page, such as `response.next`", "%s is the same for every page", what)
	}
}

// fieldPath is a path as it is written in an option; indexes are what other
// languages have in it.
var (
	fieldPath = regexp.MustCompile(`^[^.\s\[\]]+(\.[^.\s\[\]]+)*$`)
	indexes   = regexp.MustCompile(`\[["']?([^"'\[\]]+)["']?\]`)
)

// fetch checks a request (language definition, section 6.1).
func (c *checker) fetch(s *syntax.FetchStep) {
	source := c.requestSource(s)
	if s.Path != nil {
		c.checkPath(s, source)
	}
	if s.Operation != nil && (source == nil || source.From == nil) { // or its `from` has told
		c.checkAvailable(bytecode.StepPart, "call", verb(s.Span, "call"))
	}
	if s.Operation != nil && source != nil && source.From == nil {
		c.report(diag.CodeUnknownSource, s.Source.Span, "declare it as `source "+source.Name.Name+" from \"./openapi.yaml\" { … }`",
			"`call` needs an OpenAPI document, and the source `%s` has none", source.Name.Name)
	}
	place := optionPlace{item: anyType}
	pages, paged := Pagination{}, false
	if o := s.Options.Get("paginate"); o != nil {
		if pages, paged = ReadPagination(o.Value); paged && pages.Param != "" {
			place.page = &variable{name: pages.Param, span: o.Value.Place(), kind: varPage, typ: anyType}
		}
	}
	c.checkOptionsAt(s.Options, option.At(option.InRequest), s.Span, place)
	if usesLastSync(s) {
		c.syncs[s] = true
	}
	if s.Options != nil {
		c.checkRequestOptions(s, source, pages)
	}
	c.flow.request, c.flow.incremental = true, c.syncs[s]
	c.at.response = anyType
}

// requestSource returns the source that a request is sent to, nil if that can't
// be seen.
func (c *checker) requestSource(s *syntax.FetchStep) *syntax.Source {
	if s.Source != nil {
		if !c.sources.use(s.Source.Name) {
			c.unknownSource(s.Source.Name, s.Source.Span)
		}
		source, _ := c.sources.get(s.Source.Name)
		return source
	}
	if o := s.Options.Get("source"); o != nil {
		if w, ok := Word(o.Value); ok {
			source, _ := c.sources.get(w)
			return source
		}
		return nil
	}
	if len(c.sources.order) == 0 {
		return nil
	}
	c.sources.use(c.sources.order[0])
	source, _ := c.sources.get(c.sources.order[0])
	return source
}

// absoluteURL finds the scheme of an absolute URL.
var absoluteURL = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

func (c *checker) checkPath(s *syntax.FetchStep, source *syntax.Source) {
	t := c.expr(s.Path)
	if !t.can(stdlib.KString) {
		c.report(diag.CodeOptionKind, s.Path.Place(), c.storeMeant(s), "the path of a request must be text, found %s", t.describe())
		return
	}
	start, known := pathStart(s.Path)
	if !known {
		c.checkEscapedURL(s)
		return
	}
	if scheme := absoluteURL.FindString(start); scheme != "" {
		c.checkAbsolute(s, start, scheme)
		return
	}
	switch {
	case len(c.sources.order) == 0:
		c.report(diag.CodeNoSource, s.Path.Place(), "declare one: `source API { base: \"https://…\" }`",
			"this path is relative, and the mission has no source to join it on to")
	case source != nil && source.From == nil && source.Options.Get("base") == nil && !baseMisnamed(source):
		d := c.report(diag.CodeOptionMissing, s.Path.Place(), "add `base: \"https://…\"` to the source",
			"this path is relative, and the source `%s` has no `base` to join it on to", source.Name.Name)
		note(d, source.Name.Span, "the source is declared here")
	}
}

// baseMisnamed reports whether a source has its base under another name, which
// is told there.
func baseMisnamed(source *syntax.Source) bool {
	if source.Options == nil {
		return false
	}
	for _, o := range source.Options.Entries {
		if set := option.At(option.InSource); o.Key != nil && set.Spec(o.Key.Name) == nil && set.Meant(o.Key.Name) == "base" {
			return true
		}
	}
	return false
}

// storeMeant says how records are deleted, where a DELETE has a store for its
// path.
func (c *checker) storeMeant(s *syntax.FetchStep) string {
	path := unparen(s.Path)
	if where, ok := path.(*syntax.WhereExpr); ok {
		path = unparen(where.X)
	}
	if field, ok := path.(*syntax.FieldExpr); ok {
		path = unparen(field.X)
	}
	name, ok := path.(*syntax.Name)
	if !ok || s.Method != "DELETE" || !c.isStore(name.Name) {
		return ""
	}
	return "write `delete " + name.Name + "[key]` to remove a record, or `clear " + name.Name + "` to remove all"
}

// pathStart returns the text that a path begins with, if it is written out.
func pathStart(e syntax.Expr) (text string, known bool) {
	switch e := unparen(e).(type) {
	case *syntax.StringLit:
		return e.Value, true
	case *syntax.TemplateLit:
		return e.Texts[0], e.Texts[0] != ""
	}
	return "", false
}

func (c *checker) checkAbsolute(s *syntax.FetchStep, text, scheme string) {
	if scheme = strings.ToLower(scheme); scheme != "http://" && scheme != "https://" {
		c.report(diag.CodeBadURL, s.Path.Place(), "", "only http:// and https:// can be requested, found %s", scheme)
		return
	}
	lit, ok := unparen(s.Path).(*syntax.StringLit)
	if !ok {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		c.report(diag.CodeBadURL, s.Path.Place(), "", "%q can't be read as an address", lit.Value)
	case u.Host == "":
		c.report(diag.CodeBadURL, s.Path.Place(), "", "this address names no host")
	case u.User != nil:
		c.report(diag.CodeLiteralSecret, s.Path.Place(), "use `auth: basic` with the credentials file", "this address holds credentials, which should not stand in the source")
	}
}

// checkRequestOptions checks what the options of a request say together.
func (c *checker) checkRequestOptions(s *syntax.FetchStep, source *syntax.Source, pages Pagination) {
	o := s.Options
	if s.Method == "GET" {
		for _, name := range []string{"body", "form"} {
			if b := o.Get(name); b != nil && o.Get("params") == nil {
				c.report(diag.CodeGetWithBody, b.Key.Span, "write `params` to send it in the query", "a GET with `%s` and no `params` sends it as its body, which most servers ignore", name)
			}
		}
	}
	if p := o.Get("paginate"); p == nil || OnePage(p.Value) {
		for _, name := range []string{"until", "maxPages", "maxItems"} {
			if x := o.Get(name); x != nil {
				c.report(diag.CodeNoEffect, x.Key.Span, "say in `paginate` how pages follow", "`%s` has no effect without `paginate`", name)
			}
		}
	}
	usesSync := c.syncs[s]
	if o.Get("since") == nil {
		for _, name := range []string{"sinceParam", "sinceHeader", "sinceFormat", "sinceZone"} {
			if x := o.Get(name); x != nil && !(usesSync && (name == "sinceFormat" || name == "sinceZone")) {
				c.report(diag.CodeNoEffect, x.Key.Span, "add `since: lastSync`", "`%s` has no effect without `since`", name)
			}
		}
	}
	c.checkSinceBlock(o)
	c.checkHTTPDate(o)
	c.checkUpdateFrom(o)
	if !usesSync {
		for _, name := range []string{"updateFrom", "syncKey"} {
			if x := o.Get(name); x != nil {
				c.report(diag.CodeNoEffect, x.Key.Span, "add `since: lastSync`", "`%s` has no effect: the request does not use `lastSync`", name)
			}
		}
	}
	if pages.Form == "offset" || pages.Form == "page" {
		c.checkPageSize(s, source, pages)
	}
	c.checkIncremental(s)
}

// checkIncremental reports a `since` that never moves, and requests that would
// move one another's sync position: it is kept per source and path
// (language definition, section 6.1), and is when the last of them was sent.
func (c *checker) checkIncremental(s *syntax.FetchStep) {
	if !c.syncs[s] {
		if o := s.Options.Get("since"); o != nil && Constant(o.Value) {
			suggestion := "write `lastSync ?? " + o.Value.Place().Text() + "`"
			if lit, ok := unparen(o.Value).(*syntax.StringLit); ok && strings.EqualFold(lit.Value, "lastSync") {
				suggestion = "write `lastSync` without quotes"
			}
			c.report(diag.CodeNotIncremental, o.Value.Place(), suggestion, "this `since` is the same in every run")
		}
		return
	}
	c.checkChangingPath(s)
	key, ok := c.positionKey(s)
	if !ok {
		return
	}
	place := s.Span
	if s.Path != nil {
		place = s.Path.Place()
	}
	if first, ok := c.positions[key]; ok {
		d := c.report(diag.CodeSharedPosition, place, "give each of them a `syncKey`",
			"two requests share one sync position, so that what changes between them may be missed")
		note(d, first, "the other request is here")
		return
	}
	c.positions[key] = place
}

// checkChangingPath reports a path that is another in each run, so that its
// position is never found again.
func (c *checker) checkChangingPath(s *syntax.FetchStep) {
	if _, constant := s.Path.(*syntax.StringLit); constant || s.Path == nil || s.Options.Get("syncKey") != nil {
		return
	}
	changing := ""
	syntax.Walk(s.Path, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			if n.Fun.Name == "now" || n.Fun.Name == "uuid" || n.Fun.Name == "random" || n.Fun.Name == "timestamp" && len(n.Args) == 0 {
				changing = n.Fun.Name + "()"
			}
		case *syntax.Name:
			if n.Name == "scheduledTime" && c.at.scope.lookup(n.Name) == nil {
				changing = n.Name
			}
		}
		return changing == ""
	})
	if changing != "" && !mentionsName(s.Path, "lastSync") { // else it is kept by the expression
		c.report(diag.CodeNotIncremental, s.Path.Place(), "add a `syncKey`, under which the position is kept",
			"this path is another in each run (`%s`), and with it the position, which is kept by the path: every run fetches everything", changing)
	}
}

func mentionsName(n syntax.Node, name string) bool {
	found := false
	syntax.Walk(n, func(n syntax.Node) bool {
		if x, ok := n.(*syntax.Name); ok && x.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// positionKey returns what a request's sync position is kept by, if it can be
// seen.
func (c *checker) positionKey(s *syntax.FetchStep) (key string, ok bool) {
	if o := s.Options.Get("syncKey"); o != nil {
		lit, ok := o.Value.(*syntax.StringLit)
		if !ok {
			return "", false
		}
		return "key " + lit.Value, true
	}
	source := ""
	if s.Source != nil {
		source = s.Source.Name
	} else if len(c.sources.order) > 0 {
		source = c.sources.order[0]
	}
	if o := s.Options.Get("source"); o != nil {
		if source, ok = Word(o.Value); !ok {
			return "", false
		}
	}
	switch path := unparen(s.Path).(type) {
	case *syntax.StringLit, *syntax.TemplateLit:
		return source + " " + path.Place().Text(), true
	}
	return "", false
}

// usesLastSync reports whether a request is incremental: its path or an option
// uses lastSync.
func usesLastSync(s *syntax.FetchStep) bool {
	found := false
	look := func(n syntax.Node) bool {
		if name, ok := n.(*syntax.Name); ok && name.Name == "lastSync" {
			found = true
		}
		return !found
	}
	if s.Path != nil {
		syntax.Walk(s.Path, look)
	}
	for _, e := range s.Options.All() {
		if e.Value != nil {
			syntax.Walk(e.Value, look)
		}
	}
	return found
}

// checkSinceBlock reports what stands both in the block behind `since` and beside
// it.
func (c *checker) checkSinceBlock(o *syntax.Options) {
	since := o.Get("since")
	if since == nil || since.Block == nil {
		return
	}
	for _, names := range syntax.SinceOptions {
		inside := since.Block.Get(names[0])
		if inside == nil {
			continue
		}
		for _, e := range o.Entries {
			if e.Key != nil && e.Key.Name == names[1] {
				d := c.report(diag.CodeOptionTwice, e.Key.Span, "", "`%s` is given here and in the block of `since`", names[1])
				note(d, inside.Key.Span, "it is given here, too")
			}
		}
	}
}

// checkHTTPDate reports a header of HTTP that would get a date of another form,
// which a server passes over: it would answer with everything, each time.
func (c *checker) checkHTTPDate(o *syntax.Options) {
	header, format := o.Get("sinceHeader"), o.Get("sinceFormat")
	if header == nil {
		return
	}
	lit, ok := unparen(header.Value).(*syntax.StringLit)
	if !ok || !strings.EqualFold(lit.Value, "If-Modified-Since") {
		return
	}
	if from := o.Get("updateFrom"); from != nil && !IsFieldName(from.Value) {
		return // it is sent as it came
	}
	if format != nil {
		if word, ok := Word(format.Value); !ok || word == "http" {
			return
		}
	}
	c.report(diag.CodeNoEffect, lit.Span, "add `sinceFormat: \"http\"`", "`%s` has no effect with a date of another form than that of HTTP", lit.Value)
}

// checkUpdateFrom reports an `updateFrom` that is worked out and has nothing of
// the answer in it: most likely it is to name a field.
func (c *checker) checkUpdateFrom(o *syntax.Options) {
	x := o.Get("updateFrom")
	if x == nil || x.Value == nil || IsFieldName(x.Value) {
		return
	}
	if _, bad := x.Value.(*syntax.BadExpr); bad {
		return
	}
	found := false
	syntax.Walk(x.Value, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Name:
			found = found || n.Name == "response" || n.Name == "headers" || n.Name == "status"
		case *syntax.SubjectExpr:
			found = true
		}
		return !found
	})
	if !found {
		c.report(diag.CodeNotIncremental, x.Value.Place(), "write the name of the items' field as text, or an expression over `response`",
			"`updateFrom` is worked out over the last page, and this has nothing of it")
	}
}

// resetStep checks `reset position`.
func (c *checker) resetStep(s *syntax.ResetStep) {
	switch {
	case !c.flow.request || !c.flow.arm:
		c.report(diag.CodeMisplaced, s.Span, "write it in an arm of the `match response` behind the request: `410 -> { reset position, retry }`",
			"`reset position` forgets the sync position of a request, and stands in an arm of a match behind it")
	case !c.flow.incremental:
		c.report(diag.CodeNoEffect, s.Span, "add `since: lastSync` to the request", "the request before it has no sync position")
	}
}

// IsFieldName reports whether the value of `updateFrom` names a field; else it is
// worked out over the last page.
func IsFieldName(e syntax.Expr) bool {
	switch e := unparen(e).(type) {
	case *syntax.StringLit:
		return true
	case *syntax.TemplateLit:
		return len(e.Exprs) == 0
	}
	return false
}
