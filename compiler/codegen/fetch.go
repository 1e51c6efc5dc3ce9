package codegen

import (
	"strings"

	"reqon/compiler/check"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/option"
)

// pagination is the paginate option, taken apart.
type pagination struct {
	kind   bytecode.PageKind
	param  string
	size   syntax.Expr // nil if not given
	cursor string
	next   syntax.Expr // gives the next cursor or address, in place of a path
	items  string
}

// fetch generates a request, and returns how many of the steps behind it are
// part of it: the match that may handle its failure, or the step that its pages
// stream through.
//
//	      Int 1; Set count          attempts, for the retry directive
//	start: key; Open
//	page:  (what judges the answer takes); Judge
//	       path; options; Fetch     jumps to failed where a match handles that
//	       until; next; PageDone
//	       (the step that the pages go through)
//	       MorePages page
//	       Close
//	failed: (the match)
func (f *fn) fetch(s *syntax.FetchStep, rest []syntax.Step) (taken int) {
	handler := f.handler(rest)
	info := bytecode.FetchInfo{Method: s.Method, Source: f.sourceOf(s), Pos: f.g.position(f.span), Handled: handler != nil}
	var p pagination
	if o := s.Options.Get("paginate"); o != nil {
		p = pageForm(o.Value)
		info.Single = p.kind == bytecode.PageNone
		for _, path := range []string{p.items, p.cursor} {
			if strings.Count(path, ".") >= bytecode.MaxNames {
				f.g.exceeds(o.Value.Place(), "name a place less deep", "a path in `paginate` has more than %d names, the most that one can have", bytecode.MaxNames)
			}
		}
	}
	info.Page, info.PageParam, info.Cursor, info.Items = p.kind, p.param, p.cursor, p.items
	until := s.Options.Get("until")
	info.Until = until != nil
	if s.Operation != nil {
		info.Operation = s.Operation.Name
	}
	var consumer syntax.Step
	if p.kind != bytecode.PageNone && handler == nil {
		consumer = f.streams(&info, rest)
		info.Stream = consumer != nil
	}
	if p.kind != bytecode.PageNone {
		info.ItemNames, info.UntilNames = f.itemNames(until, rest), f.untilNames(until)
	}
	info.Incremental = incremental(s)
	info.Opaque = info.Incremental && opaque(s) != nil
	info.PageCarried = p.param != "" && carries(s, p.param)
	info.Headers = f.g.headers
	judged := f.judges(&info, s, p)

	f.g.prog.Fetches = append(f.g.prog.Fetches, info)
	number, page := len(f.g.prog.Fetches)-1, f.newPage()
	req := &request{start: newLabel(), count: f.newSlots(1), page: page}
	f.emit(bytecode.Int, 1)
	f.emit(bytecode.Set, req.count)
	f.place(req.start)
	f.boundary()
	f.openFetch(s, number, page)

	next, failed := newLabel(), newLabel()
	f.place(next)
	f.boundary()
	f.exchange(s, p, until, judged, number, page, failed)
	f.boundary() // an answer is a part of the state once it is known to be a page
	f.request = req
	if consumer != nil {
		if f.mayFetchAhead(s, p, consumer) {
			f.judge(judged, p, number, page)
			f.withSync(page, func() { f.path(s) })
			f.withPageParam(p.param, page, func() { f.requestOptions(s, p) })
			f.at(s)
			f.emit(bytecode.Ahead, number, page)
		}
		f.consume(consumer, page)
		taken = 1
	}
	if p.kind != bytecode.PageNone {
		f.at(s)
		f.boundary()
		f.jump(bytecode.MorePages, next, page)
	}
	f.updateFrom(s, p.param, page)
	f.at(s)
	f.emit(bytecode.Close, number, page)
	f.place(failed)
	if handler != nil {
		f.after[len(f.after)-1].rest = rest[1:] // what follows its arms
		f.matchStep(handler, true)
		taken = 1
	}
	return taken
}

// exchange generates one request and what becomes of its page. In its options
// and `until` the page parameter is a variable, and lastSync the position of
// this fetch.
func (f *fn) exchange(s *syntax.FetchStep, p pagination, until *syntax.Option, judged []*syntax.Name, number, page int, failed *label) {
	f.at(s)
	raised := &label{pc: 0, depth: 0} // no place: what fails is raised
	f.judge(judged, p, number, page)
	f.withSync(page, func() { f.path(s) })
	f.withPageParam(p.param, page, func() {
		f.requestOptions(s, p)
		f.at(s)
		if f.g.prog.Fetches[number].Handled {
			f.jump(bytecode.Fetch, failed, number, page)
		} else {
			f.jump(bytecode.Fetch, raised, number, page)
		}
		if p.kind == bytecode.PageNone {
			return
		}
		start := len(f.out.Code)
		if until != nil {
			// In `until` the response is the page.
			f.expr(until.Value)
		} else {
			f.emit(bytecode.Null)
		}
		if p.next != nil {
			f.expr(p.next)
		} else {
			f.emit(bytecode.Null)
		}
		f.at(s)
		if !f.g.prog.Fetches[number].Handled {
			f.jump(bytecode.PageDone, raised, number, page)
			return
		}
		if until != nil || p.next != nil {
			f.failPage(start, number, page, failed)
		}
		f.jump(bytecode.PageDone, failed, number, page)
	})
}

// failPage makes what fails in the code from start on the failure of the page's
// request.
func (f *fn) failPage(start, number, page int, failed *label) {
	good, bad := newLabel(), newLabel()
	h := bytecode.Handler{Start: start, End: len(f.out.Code), PageStart: page, PageEnd: page}
	f.jump(bytecode.Jump, good)
	bad.depth = 0
	f.place(bad)
	h.Target = bad.pc
	f.out.Handlers = append(f.out.Handlers, h)
	f.jump(bytecode.PageError, failed, number, page)
	f.place(good)
}

// withPageParam generates code in which lastSync is the position of the fetch in
// the page slot, and the page parameter, if there is one, a variable.
func (f *fn) withPageParam(param string, page int, generate func()) {
	defer f.close(f.open())
	if param != "" {
		f.bindVariable(param, variable{slot: page, page: true})
	}
	f.withSync(page, generate)
}

// mayFetchAhead reports whether the next page may be asked for while the items
// of the current one are worked on: the request changes nothing at the server,
// what is sent does not depend on what that work does, and the work does not
// end the run on purpose.
func (f *fn) mayFetchAhead(s *syntax.FetchStep, p pagination, consumer syntax.Step) bool {
	if s.Method != "GET" || s.Options.Get("maxItems") != nil {
		return false
	}
	ends := false
	if loop, ok := consumer.(*syntax.ForStep); ok {
		ends = loop.OnError != nil && loop.OnError.Name == "abort"
		syntax.Walk(loop.Body, func(n syntax.Node) bool {
			d, ok := n.(*syntax.DirectiveStep)
			ends = ends || ok && (d.Kind == syntax.DirAbort || d.Kind == syntax.DirRetry)
			return !ends
		})
	}
	return !ends && f.steady(s.Path) && (p.size == nil || f.steady(p.size)) && (s.Options == nil || f.steady(s.Options) && p.surely(s.Options))
}

// surely reports whether a request's options can be worked out for a page that
// may not exist: what they make of the page parameter can't fail. All else in
// them is as it was for the current page.
func (p pagination) surely(o *syntax.Options) bool {
	sure := true
	for _, opt := range o.Entries {
		if p.param == "" || contains([]string{"until", "paginate", "failWhen"}, opt.Key.Name) || !mentions(opt.Value, p.param) {
			continue
		}
		syntax.Walk(opt.Value, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.ObjectEntry:
				sure = sure && n.Spread == nil
			case *syntax.ArrayElem:
				sure = sure && !n.Spread
			case *syntax.Name, *syntax.Ident, *syntax.FieldExpr, *syntax.ParenExpr, *syntax.TemplateLit, *syntax.ObjectExpr, *syntax.ArrayExpr,
				*syntax.NullLit, *syntax.BoolLit, *syntax.NumberLit, *syntax.StringLit:
			default:
				sure = false
			}
			return sure
		})
	}
	return sure
}

// steady reports whether nothing in a part of a request depends on stores, the
// response, the clock or chance.
func (f *fn) steady(n syntax.Node) bool {
	steady := true
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Name:
			_, store := f.storeName(n)
			steady = steady && !store && n.Name != "response" && !f.isGlobal(n, "status") && !f.isGlobal(n, "headers")
		case *syntax.SubjectExpr:
			steady = steady && f.subject != responseSubject
		case *syntax.CallExpr:
			h, host := hostFuncs[n.Fun.Name]
			steady = steady && (!host || h == bytecode.HostEnv)
		case *syntax.Option:
			switch n.Key.Name {
			case "until", "updateFrom", "paginate", "failWhen":
				return false // worked out over the page, or by whoever asks for it
			case "retry":
				object, ok := unparen(n.Value).(*syntax.ObjectExpr)
				if !ok || !plain(object) {
					return true
				}
				for _, e := range object.Entries {
					steady = steady && (e.Key.Name == "when" || e.Key.Name == "wait" || f.steady(e.Value))
				}
				return false
			}
		}
		return steady
	})
	return steady
}

// consume generates the step that the pages stream through.
func (f *fn) consume(step syntax.Step, page int) {
	items := func() { f.emit(bytecode.PageItems, page) }
	f.boundary()
	switch step := step.(type) {
	case *syntax.ForStep:
		f.forStep(step, items, page)
	case *syntax.StoreStep:
		f.at(step)
		f.storeStep(step, items)
	}
}

// path pushes a request's path. A template in its place escapes its values.
func (f *fn) path(s *syntax.FetchStep) {
	if s.Operation != nil {
		f.text(s.Operation.Name)
		return
	}
	if t, ok := s.Path.(*syntax.TemplateLit); ok {
		f.at(t)
		f.template(t, true)
		return
	}
	f.expr(s.Path)
}

// requestOptions pushes the options that the host needs.
func (f *fn) requestOptions(s *syntax.FetchStep, p pagination) {
	skip := []string{"source", "paginate", "until", "syncKey", "failWhen"}
	if opaque(s) != nil {
		skip = append(skip, "updateFrom")
	}
	list := f.entries(s.Options, option.At(option.InRequest), skip...)
	if p.size != nil {
		list = append(list, entry{key: "paginate.size", value: func() { f.expr(p.size) }, expr: p.size})
	}
	f.optionObject(list)
}

// pathTemplate is a request's path as it is written, without what is put in
// for its parts.
func pathTemplate(s *syntax.FetchStep) string {
	switch p := s.Path.(type) {
	case nil:
		return s.Operation.Name
	case *syntax.StringLit:
		return p.Value
	case *syntax.TemplateLit:
		var b strings.Builder
		for i, text := range p.Texts {
			b.WriteString(text)
			if i < len(p.Exprs) {
				b.WriteString("{" + syntax.ExprString(p.Exprs[i]) + "}")
			}
		}
		return b.String()
	}
	return syntax.ExprString(s.Path)
}

// sourceOf gives the source of a request: named in front of the path, by the
// option, or the first declared.
func (f *fn) sourceOf(s *syntax.FetchStep) int {
	name := ""
	if s.Source != nil {
		name = s.Source.Name
	} else if o := s.Options.Get("source"); o != nil {
		name, _ = check.Word(o.Value)
	}
	if name == "" {
		if len(f.g.prog.Sources) == 0 {
			return bytecode.None
		}
		return 0
	}
	return f.g.sources[name]
}

// handler gives the match that directly follows a request, if it is one of the
// response: only that may take the request's failure.
func (f *fn) handler(rest []syntax.Step) *syntax.MatchStep {
	if len(rest) == 0 {
		return nil
	}
	m, ok := rest[0].(*syntax.MatchStep)
	if !ok || m.Subject == nil || !f.isResponse(m.Subject) {
		return nil
	}
	return m
}

// incremental reports whether a request has a sync position: it says since,
// syncKey or updateFrom, or uses lastSync in its path or any option.
func incremental(s *syntax.FetchStep) bool {
	found := s.Path != nil && mentions(s.Path, "lastSync")
	if s.Options == nil {
		return found
	}
	for _, o := range s.Options.Entries {
		switch o.Key.Name {
		case "since", "syncKey", "updateFrom":
			found = true
		}
		found = found || mentions(o.Value, "lastSync")
	}
	return found
}

// mentions reports whether an expression uses a name.
func mentions(n syntax.Node, name string) bool {
	found := false
	syntax.Walk(n, func(n syntax.Node) bool {
		if x, ok := n.(*syntax.Name); ok && x.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// carries reports whether a request says itself where its page parameter goes.
func carries(s *syntax.FetchStep, param string) bool {
	for _, name := range []string{"params", "headers", "body"} {
		if o := s.Options.Get(name); o != nil && mentions(o.Value, param) {
			return true
		}
	}
	return false
}

// pageForm takes the paginate option apart.
func pageForm(e syntax.Expr) (p pagination) {
	c, ok := unparen(e).(*syntax.CallExpr)
	if !ok {
		return p
	}
	args := c.Args
	takeText := func() (s string) {
		if len(args) > 0 {
			s, _ = check.Word(args[0])
			args = args[1:]
		}
		return s
	}
	takeSize := func() {
		if len(args) > 0 {
			if _, text := args[0].(*syntax.StringLit); !text {
				p.size = args[0]
				args = args[1:]
			}
		}
	}
	switch c.Fun.Name {
	case "page":
		p.kind, p.param = bytecode.PageNumber, takeText()
		takeSize()
	case "offset":
		p.kind, p.param = bytecode.PageOffset, takeText()
		takeSize()
	case "cursor":
		p.kind, p.param = bytecode.PageCursor, takeText()
		takeSize()
		if len(args) > 0 {
			if lit, ok := unparen(args[0]).(*syntax.StringLit); ok {
				p.cursor = lit.Value
			} else {
				p.next = args[0]
			}
			args = args[1:]
		}
	case "link":
		p.kind = bytecode.PageLink
	case "next":
		p.kind = bytecode.PageNext
		if len(args) > 0 {
			p.next = args[0]
			args = args[1:]
		}
	}
	p.items = takeText()
	return p
}
