package syntax

import (
	"slices"
	"strconv"
	"strings"
)

// sourceFile reads the declarations of a file.
func (p *parser) sourceFile() *SourceTree {
	t := &SourceTree{File: p.file, Comments: p.comments}
	for !p.stopped && p.toks[p.pos].kind != tEOF {
		start := p.pos
		p.topLevel(t)
		if p.failing {
			p.closed = true // what is left over follows from this
			p.recoverTop(start)
		}
	}
	return t
}

// topLevel reads one mission or loose declaration.
func (p *parser) topLevel(t *SourceTree) {
	switch w := p.word(); {
	case w == wMission:
		if m := p.mission(); !p.failing {
			t.Missions = append(t.Missions, m)
		}
	case w == wAction || w == wSchema || w == wTransform:
		if d := p.declaration(); !p.failing {
			t.Loose = append(t.Loose, d)
		}
	case p.kind == tRBrace:
		if !p.closed {
			p.report(&Error{Span: p.here(), Code: CodeUnmatched, Msg: "this `}` closes nothing",
				Suggestion: "remove it, or look for one too many above", Notes: t.lastEnd()})
			p.closed = true
		}
		p.next()
	case w == wSchedule || w == wParam || w == wSource || w == wStore || w == wRun:
		p.misplaced("`"+p.text()+"` stands within a mission", "put it within `mission Name { … }`", t)
	case w.step():
		p.misplaced("`"+p.text()+"` stands within an action", "put it within `action Name { … }` of a mission", t)
	default:
		suggestion := didYouMean(p.text(), []string{"mission", "action", "schema", "transform"})
		if suggestion == "" {
			suggestion = "a file begins with `mission Name { … }`"
		}
		p.failHere(CodeDeclaration, "expected `mission`, `action`, `schema` or `transform`, found "+p.found(), suggestion)
	}
}

// misplaced gives up on what stands outside of its mission. It says so once:
// the rest follows from a `}` too many.
func (p *parser) misplaced(msg, suggestion string, t *SourceTree) {
	if p.closed {
		p.giveUp()
		return
	}
	p.closed = true
	p.failHere(CodeMisplaced, msg, suggestion, t.lastEnd()...)
}

// lastEnd notes where the last mission ends, if there is one.
func (t *SourceTree) lastEnd() []Note {
	n := len(t.Missions)
	if n == 0 {
		return nil
	}
	end := t.Missions[n-1].End
	return []Note{{Span: Span{File: t.File, Start: end - 1, End: end}, Msg: "the mission above ends here"}}
}

// recoverTop skips to the next declaration.
func (p *parser) recoverTop(start int) {
	if p.stopped {
		return
	}
	p.failing = false
	p.kind = p.toks[p.pos].kind
	for ; p.kind != tEOF; p.next() {
		if p.pos > start && p.tok().nl && p.peek(1).kind == tIdent {
			switch p.word() {
			case wMission, wAction, wSchema, wTransform:
				return
			}
		}
		if p.kind == tLBrace {
			p.skipBraces()
		}
	}
}

// mission reads a mission; the current token is the word.
func (p *parser) mission() *Mission {
	start := p.start()
	m := &Mission{}
	p.next()
	m.Name = p.ident("the mission's name")
	p.strayMark()
	p.needBody("mission", m.Name)
	open := p.start()
	l := p.enter()
	if p.expect(tLBrace) {
		p.items(open, &list{what: "a declaration", steps: true, body: true, starts: p.declStarts,
			item: func() { p.missionItem(m) }})
	}
	p.leave(l)
	m.Span = p.from(start)
	return m
}

// declStarts reports whether an item of a mission starts here.
func (p *parser) declStarts() bool {
	switch p.word() {
	case wStore:
		return p.peek(1).kind == tIdent && p.peek(2).kind == tColon || p.atKey()
	case wRun:
		return p.peek(1).kind == tIdent || p.peek(1).kind == tLBrack || p.atKey()
	case wNone: // perhaps a declaration that is misspelt
		if p.peek(1).kind == tIdent && (p.peek(2).kind == tLBrace || p.peek(2).kind == tColon) {
			return true
		}
	}
	return p.word().declaration() || p.atKey()
}

// missionItem reads one declaration or option of a mission.
func (p *parser) missionItem(m *Mission) {
	w := p.word()
	if w != wSchedule && p.atKey() && !p.declAsKey() {
		o := p.option(nil)
		if !p.failing {
			m.Options = append(m.Options, o)
			m.Items = append(m.Items, o)
		}
		return
	}
	switch {
	case w.declaration() && w != wMission, w == wStore && p.peek(1).kind == tIdent && p.peek(2).kind != tArrow, w == wRun:
		d := p.declaration()
		if !p.failing {
			p.addTo(m, d)
		}
	case w == wMission:
		p.failHere(CodeMisplaced, "a mission can't stand within a mission", "close the mission above first")
	case w.step():
		if p.closed {
			p.giveUp()
			return
		}
		p.closed = true
		p.failHere(CodeMisplaced, "`"+p.text()+"` is a step and stands within an action", "put it within `action Name { … }`",
			Note{Span: Span{File: p.file, Start: max(p.end-1, 0), End: p.end}, Msg: "what is above ends here"})
	default:
		suggestion := ""
		if p.kind == tIdent {
			suggestion = didYouMean(p.text(), declWords())
			if unit := p.unitMeant(); unit != "" {
				suggestion = unit
			} else if synonym := declSynonym(p.text()); synonym != "" {
				suggestion = synonym
			} else if next := p.peek(1); suggestion == "" && !next.nl && (next.kind == tNumber || next.kind == tAssign || next.kind == tString) {
				suggestion = "write `" + clip(p.text()) + ": …`"
			}
		}
		p.failHere(CodeDeclaration, "expected a declaration ("+strings.Join(declWords(), ", ")+") or an option, found "+p.found(), suggestion)
	}
}

// declAsKey gives up on a declaration that is written as if it were an option.
func (p *parser) declAsKey() bool {
	w := p.word()
	if !w.declaration() && w != wStore && w != wRun {
		return false
	}
	text := p.text()
	suggestion := "write `" + text + " Name …`"
	if w == wRun {
		suggestion = "write `run` without a colon"
	}
	p.next()
	p.failHere(CodeUnexpected, "expected a name behind `"+text+"`, found `:`", suggestion)
	return true
}

// addTo puts a declaration into a mission. A second schedule or run is an error.
func (p *parser) addTo(m *Mission, d Decl) {
	switch d := d.(type) {
	case *Schedule:
		if m.Schedule != nil {
			p.twice("schedule", d.Span, m.Schedule.Span)
			return
		}
		m.Schedule = d
	case *Pipeline:
		if m.Run != nil {
			p.twice("`run`", d.Span, m.Run.Span)
			return
		}
		m.Run = d
	case *Param:
		m.Params = append(m.Params, d)
	case *Source:
		m.Sources = append(m.Sources, d)
	case *Store:
		m.Stores = append(m.Stores, d)
	case *Schema:
		m.Schemas = append(m.Schemas, d)
	case *Transform:
		m.Transforms = append(m.Transforms, d)
	case *Action:
		m.Actions = append(m.Actions, d)
	}
	m.Items = append(m.Items, d)
}

func (p *parser) twice(what string, second, first Span) {
	if p.closed {
		return
	}
	suggestion := "keep one of them"
	if what == "`run`" {
		suggestion = "join them: `run A then B`, or `run [A, B]` side by side"
	}
	p.report(&Error{Span: second, Code: CodeDuplicate, Msg: "a mission has one " + what, Suggestion: suggestion,
		Notes: []Note{{Span: first, Msg: "the first is here"}}})
}

// declaration reads a declaration; the current token is its word.
func (p *parser) declaration() Decl {
	switch p.word() {
	case wSchedule:
		return p.schedule()
	case wParam:
		return p.param()
	case wSource:
		return p.source()
	case wStore:
		return p.store()
	case wSchema:
		return p.schema()
	case wTransform:
		return p.transform()
	case wRun:
		return p.pipeline()
	}
	return p.action()
}

func (p *parser) schedule() *Schedule {
	start := p.start()
	s := &Schedule{}
	p.next()
	if p.kind == tIdent {
		p.errHere(CodeUnexpected, "expected `:` behind `schedule`, found "+p.found(), "write `schedule: "+p.text()+" …`")
	} else if p.kind == tAssign {
		p.errHere(CodeUnexpected, "expected `:` behind `schedule`, found `=`", "write `:`")
		p.next()
	} else {
		p.expect(tColon)
	}
	switch {
	case p.isText("every"):
		p.next()
		p.every(s)
	case p.isText("cron"):
		s.Kind = ScheduleCron
		p.next()
		s.Text = p.scheduleText("a cron expression, such as \"0 9 * * *\"")
	case p.isText("at"):
		s.Kind = ScheduleAt
		p.next()
		s.Text = p.scheduleText("a time, such as \"2026-01-20 09:00 UTC\"")
	default:
		p.noSchedule()
	}
	if p.kind == tLBrace {
		s.Options = p.options(nil)
	}
	s.Span = p.from(start)
	return s
}

// noSchedule gives up on a schedule of no known form.
func (p *parser) noSchedule() {
	suggestion := ""
	switch {
	case p.kind == tString:
		suggestion = "write `cron " + clip(p.text()) + "`, or `at " + clip(p.text()) + "`"
		if text := p.stringValue(p.tok()); strings.HasPrefix(text, "every ") {
			suggestion = "write `" + clip(text) + "` without quotes"
		}
	case p.kind == tNumber:
		if s := p.everyOf(p.text()); s != "" {
			suggestion = "write `" + s + "`"
		}
	case p.kind == tIdent:
		switch p.text() {
		case "hourly", "daily", "weekly":
			unit := map[string]string{"hourly": "hour", "daily": "day", "weekly": "week"}[p.text()]
			suggestion = "write `every 1 " + unit + "`"
		default:
			suggestion = didYouMean(p.text(), []string{"every", "cron", "at"})
		}
	}
	p.failHere(CodeSchedule, "expected `every`, `cron` or `at`, found "+p.found(), suggestion)
}

func (p *parser) scheduleText(what string) *StringLit {
	if p.kind != tLParen {
		if p.kind == tStar || p.kind == tNumber {
			p.failHere(CodeUnexpected, "expected "+what+", found "+p.found(), "write it in quotes")
		}
		return p.stringLit(what)
	}
	open := p.start()
	p.brackets++
	p.next()
	s := p.stringLit(what)
	p.closeBracket(tRParen, open)
	p.brackets--
	return s
}

func scheduleUnits() []string {
	return []string{"second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks"}
}

// everyOf writes a duration literal as `every` has it, or "" if it can't be.
func (p *parser) everyOf(duration string) string {
	n := len(duration)
	for n > 0 && isLetter(duration[n-1]) {
		n--
	}
	count, err := strconv.ParseInt(strings.ReplaceAll(duration[:n], "_", ""), 10, 64)
	unit := map[string]string{"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}[duration[n:]]
	if err != nil || count <= 0 || unit == "" {
		return ""
	}
	if count != 1 {
		unit += "s"
	}
	return "every " + strconv.FormatInt(count, 10) + " " + unit
}

// every reads the count and unit of a schedule.
func (p *parser) every(s *Schedule) {
	if p.kind == tIdent && slices.Contains(scheduleUnits(), p.text()) {
		p.failHere(CodeSchedule, "expected a count behind `every`, found "+p.found(), "write `every 1 "+strings.TrimSuffix(p.text(), "s")+"`")
		return
	}
	if p.kind != tNumber {
		p.failHere(CodeSchedule, "expected a count behind `every`, found "+p.found(), "write it like `every 15 minutes`")
		return
	}
	text := p.text()
	if isLetter(text[len(text)-1]) {
		suggestion := "write it like `every 15 minutes`"
		if e := p.everyOf(text); e != "" {
			suggestion = "write `" + e + "`"
		}
		p.failHere(CodeSchedule, "`every` takes a count and a unit, found the duration `"+clip(text)+"`", suggestion)
		return
	}
	count, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	if err != nil || count <= 0 {
		p.failHere(CodeSchedule, "`every` takes a whole number from 1 on, found `"+clip(text)+"`", "write it like `every 15 minutes`")
		return
	}
	s.Count = count
	p.next()
	if p.kind != tIdent {
		p.failHere(CodeSchedule, "expected a unit (seconds, minutes, hours, days, weeks), found "+p.found(), "write `every "+text+" minutes`")
		return
	}
	if !slices.Contains(scheduleUnits(), p.text()) {
		p.errHere(CodeSchedule, "expected a unit (seconds, minutes, hours, days, weeks), found "+p.found(), unitHint(text, p.text()))
	}
	s.Unit = p.anyIdent()
}

func unitHint(count, unit string) string {
	long := map[string]string{"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
	if u := long[unitOf(unit)]; u != "" {
		return "write `every " + count + " " + u + "`"
	}
	switch strings.ToLower(unit) {
	case "month", "months":
		return "write `cron \"0 0 1 * *\"` for the first of each month"
	case "year", "years":
		return "write `cron \"0 0 1 1 *\"` for the first of each year"
	}
	return didYouMean(unit, scheduleUnits())
}

func (p *parser) param() *Param {
	start := p.start()
	d := &Param{}
	p.next()
	d.Name = p.ident("the parameter's name")
	if p.kind == tAssign {
		p.failHere(CodeUnexpected, "expected `:` and a type, found `=`", "write `"+d.Name.Name+": string = …`")
	}
	if p.kind == tIdent && p.sameLine() {
		p.failHere(CodeUnexpected, "expected `:` and a type, found "+p.found(), "write `"+clip(p.text())+": "+clip(d.Name.Name)+"`")
	}
	p.expect(tColon)
	d.Type = p.typeExpr()
	p.noOptional("give the parameter a default: `= null`")
	if p.got(tAssign) {
		d.Default = p.expr()
	}
	d.Span = p.from(start)
	return d
}

func (p *parser) source() *Source {
	start := p.start()
	d := &Source{}
	p.next()
	d.Name = p.ident("the source's name")
	if p.isText("from") {
		p.next()
		d.From = p.stringLit("the path of an OpenAPI document, in quotes")
	}
	if p.kind == tColon || p.kind == tAssign {
		p.failHere(CodeUnexpected, "expected `{`, found "+p.found(), "write `source "+d.Name.Name+" { … }`")
	}
	if p.kind == tLBrace {
		p.sourceBlock(d)
	} else if d.From == nil {
		p.expect(tLBrace)
	}
	d.Span = p.from(start)
	return d
}

// sourceBlock reads the options of a source, and its `login` block.
func (p *parser) sourceBlock(d *Source) {
	atLogin := func() bool { return p.isText("login") && p.peek(1).kind == tLBrace }
	start := p.start()
	l := p.enter()
	p.next()
	d.Options = &Options{}
	p.items(start, &list{what: "an option", keyed: true, starts: func() bool { return p.atKey() || atLogin() }, item: func() {
		if atLogin() {
			if d.Login != nil {
				p.errHere(CodeUnexpected, "this source has a `login` already", "put all of it into one block")
			}
			d.Login = p.login()
			return
		}
		p.optionInto(d.Options, nil)
	}})
	p.leave(l)
	d.Options.Span = p.from(start)
}

// login reads `login { post "/path" { … } option: value … }`.
func (p *parser) login() *Login {
	start := p.start()
	d := &Login{Word: p.anyIdent(), Options: &Options{}}
	open := p.start()
	l := p.enter()
	p.next()
	atRequest := func() bool {
		return p.kind == tIdent && p.word().method() && p.peek(1).kind != tColon
	}
	p.items(open, &list{what: "a request or an option", keyed: true, login: true, starts: func() bool { return p.atKey() || atRequest() }, item: func() {
		if !atRequest() {
			p.optionInto(d.Options, nil)
			return
		}
		if d.Request != nil {
			p.errHere(CodeUnexpected, "this `login` has a request already", "one request signs in")
		}
		if s, ok := p.fetch().(*FetchStep); ok {
			d.Request = s
		}
	}})
	p.leave(l)
	d.Options.Span = p.from(open)
	d.Span = p.from(start)
	return d
}

func (p *parser) store() *Store {
	start := p.start()
	d := &Store{}
	p.next()
	d.Name = p.ident("the store's name")
	if p.kind != tColon {
		p.failHere(CodeUnexpected, "expected `:` and the store's adapter, found "+p.found(),
			"write `store "+d.Name.Name+": file(\""+d.Name.Name+"\")`")
	}
	p.next()
	d.Adapter = p.expr()
	if p.kind == tLBrace {
		d.Options = p.options(nil)
	}
	d.Span = p.from(start)
	return d
}

func (p *parser) schema() *Schema {
	start := p.start()
	d := &Schema{}
	p.next()
	d.Name = p.ident("the schema's name")
	p.strayMark()
	if p.kind != tLBrace {
		p.unexpected("`{` and the fields")
		return d
	}
	d.Body = p.objectType()
	d.Span = p.from(start)
	return d
}

// needBody gives up where the `{` of a mission or an action is missing.
func (p *parser) needBody(word string, name *Ident) {
	if p.kind != tLBrace {
		p.failHere(CodeUnexpected, "expected `{`, found "+p.found(), "write `"+word+" "+clip(name.Name)+" { … }`")
	}
}

// strayMark reports a `:` or `=` in front of a `{`.
func (p *parser) strayMark() {
	if (p.kind == tColon || p.kind == tAssign) && p.peek(1).kind == tLBrace {
		p.errHere(CodeUnexpected, "expected `{`, found "+p.found(), "remove the `"+p.text()+"`")
		p.next()
	}
}

func (p *parser) transform() *Transform {
	start := p.start()
	d := &Transform{}
	p.next()
	d.Name = p.ident("the transform's name")
	if p.kind == tLParen {
		p.failHere(CodeUnexpected, "expected `:`, `->` or `{`, found `(`", "a transform has no parameters: in it `.` is the record, and `.name` its field")
	}
	if p.got(tColon) {
		d.Src = p.typeExpr()
		p.noOptional("write `| null` for a value that may be null")
	}
	if p.kind == tLBrace && p.peek(1).kind == tLParen {
		d.Listed = true
		open := p.start()
		l := p.enter()
		p.next()
		p.items(open, &list{what: "a variant", starts: func() bool { return p.kind == tLParen }, item: func() {
			if v := p.variant(); !p.failing {
				d.Variants = append(d.Variants, v)
			}
		}})
		p.leave(l)
	} else {
		v := &Variant{}
		at := p.start()
		v.Dst = p.dst()
		if p.kind != tLBrace {
			p.unexpected("`{` and the fields")
			return d
		}
		v.Body = p.object()
		v.Span = p.from(at)
		d.Variants = []*Variant{v}
	}
	d.Span = p.from(start)
	return d
}

// dst reads `-> Name`, if it is there.
func (p *parser) dst() *Ident {
	if p.kind == tFatArrow {
		p.errHere(CodeArrow, "expected `->`, found `=>`", "write `->`")
	} else if p.kind != tArrow {
		return nil
	}
	p.next()
	if p.kind == tLBrace {
		return nil
	}
	return p.ident("the name of the result's schema")
}

// variant reads `(pattern) where c -> Dst { … }`.
func (p *parser) variant() *Variant {
	open := p.start()
	v := &Variant{}
	if p.kind != tLParen {
		p.failHere(CodePattern, "expected a variant, found "+p.found(), "a variant starts with its pattern, such as `(Order)` or `(_)`")
		return v
	}
	p.brackets++
	p.next()
	v.Pattern = p.pattern()
	p.closeBracket(tRParen, open)
	p.brackets--
	if p.gotWord(wWhere) {
		v.Where = p.condition()
	}
	v.Dst = p.dst()
	if p.kind != tLBrace {
		p.unexpected("`->` and the result, or `{`")
		return v
	}
	v.Body = p.object()
	v.Span = p.from(open)
	return v
}

func (p *parser) action() *Action {
	start := p.start()
	d := &Action{}
	p.next()
	d.Name = p.ident("the action's name")
	if p.kind == tLParen {
		p.failHere(CodeUnexpected, "expected `{`, found `(`", "actions take no arguments; they share stores, and the mission's `param`s")
	}
	p.strayMark()
	p.needBody("action", d.Name)
	d.Body = p.block()
	d.Span = p.from(start)
	return d
}

// pipeline reads the mission's `run`.
func (p *parser) pipeline() *Pipeline {
	start := p.start()
	d := &Pipeline{}
	p.next()
	for {
		d.Stages = append(d.Stages, p.stage())
		if !p.gotWord(wThen) {
			break
		}
	}
	if (p.kind == tComma || p.kind == tArrow || p.kind == tFatArrow) && p.peek(1).kind == tIdent && !p.peek(1).nl && p.peek(2).kind != tColon {
		p.failHere(CodeUnexpected, "expected `then`, found "+p.found(), "write `run A then B`, or `run [A, B]` side by side")
	}
	d.Span = p.from(start)
	return d
}

func (p *parser) stage() *Stage {
	start := p.start()
	s := &Stage{}
	if p.kind == tLBrack {
		s.Bracket = true
		p.brackets++
		p.next()
		for p.kind != tRBrack && !p.failing {
			s.Actions = append(s.Actions, p.ident("an action's name"))
			if !p.got(tComma) {
				break
			}
		}
		if len(s.Actions) == 0 {
			p.unexpected("an action's name")
		}
		p.closeList(tRBrack, start)
		p.brackets--
	} else {
		s.Actions = []*Ident{p.ident("an action's name")}
	}
	if p.gotWord(wIf) {
		s.Cond = p.expr()
	}
	s.Span = p.from(start)
	return s
}
