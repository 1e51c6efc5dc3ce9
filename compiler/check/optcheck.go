package check

import (
	"cmp"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/option"
	"reqon/vm/value"
)

// optionPlace is what an option's expression may use beyond what its step may.
type optionPlace struct {
	item *typ      // the subject of an Item option
	page *variable // the page parameter, nil without
}

// checkOptions checks an option block against its set.
func (c *checker) checkOptions(o *syntax.Options, set *option.Set, at syntax.Span) {
	c.checkOptionsAt(o, set, at, optionPlace{item: anyType})
}

func (c *checker) checkOptionsAt(o *syntax.Options, set *option.Set, at syntax.Span, p optionPlace) {
	var entries []*syntax.Option
	if o != nil {
		entries = o.Entries
	}
	c.checkEntries(entries, set, at, p)
}

func (c *checker) checkOptionList(entries []*syntax.Option, set *option.Set, at syntax.Span) {
	c.checkEntries(entries, set, at, optionPlace{item: anyType})
}

func (c *checker) checkEntries(entries []*syntax.Option, set *option.Set, at syntax.Span, p optionPlace) {
	given := map[string]*syntax.Option{}
	for _, o := range entries {
		if o.Key == nil {
			continue
		}
		spec := set.Spec(o.Key.Name)
		if spec == nil {
			c.unknownOption(o, set)
			continue
		}
		if first, ok := given[spec.Name]; ok {
			d := c.report(diag.CodeOptionTwice, o.Key.Span, "", "the option `%s` is given twice", spec.Name)
			note(d, first.Key.Span, "it is given here first")
			continue
		}
		given[spec.Name] = o
		if spec.NotYet != "" {
			c.notAvailable(spec.Name, spec.NotYet, o.Key.Span)
		}
		c.checkOption(spec, o.Value, p)
		if o.Block != nil {
			c.checkOptionsAt(o.Block, option.At(option.InSince), o.Block.Span, p)
		}
	}
	for s := range set.All {
		if s.Required && given[s.Name] == nil {
			c.report(diag.CodeOptionMissing, at, "", "%s needs the option `%s`: %s", set.Name, s.Name, s.Doc)
		}
	}
	c.checkOptionPairs(given, set)
}

func (c *checker) unknownOption(o *syntax.Option, set *option.Set) {
	name := o.Key.Name
	meant := set.Meant(name)
	suggestion := didYouMean(meant)
	if meant == "" {
		suggestion = foreignOption(set, name)
	}
	d := c.report(diag.CodeUnknownOption, o.Key.Span, suggestion, "`%s` is no option of %s", name, set.Name)
	if meant == "" && suggestion == "" {
		note(d, syntax.Span{}, "its options are %s", strings.Join(set.Names(), ", "))
	}
	// Its names may well be used: they are looked up, or they would be reported
	// as unused as well.
	if _, isWord := Word(o.Value); !isWord {
		c.quietly(func() { c.expr(o.Value) })
	}
}

// foreignOption says what to write for what other tools have as an option, or "".
func foreignOption(set *option.Set, name string) string {
	switch set {
	case option.At(option.InMission):
		switch name {
		case "every":
			return "write `schedule: every 5 minutes`"
		case "cron":
			return "write `schedule: cron \"0 9 * * *\"`"
		case "name":
			return "the name stands behind the word `mission`"
		case "description", "version":
			return "write a comment, `// …`"
		}
	case option.At(option.InRequest):
		switch name {
		case "page":
			return "write `params: { page: … }` to send a parameter, or `paginate: page(page, 100)` for all pages"
		case "id", "name":
			return "write `body: { " + name + ": … }` to send a body, or `params: { " + name + ": … }` for parameters"
		case "method":
			return "the method is the word before the path: `post \"/path\"`"
		}
	}
	return ""
}

// quietly runs f and forgets what it reports.
func (c *checker) quietly(f func()) {
	n := len(c.ds)
	f()
	c.ds = c.ds[:n]
}

// checkOption checks the value of one option.
func (c *checker) checkOption(spec *option.Spec, e syntax.Expr, p optionPlace) {
	switch e := e.(type) {
	case nil, *syntax.BadExpr:
		return
	case *syntax.BoolLit:
		if spec.OrBool {
			return
		}
	case *syntax.NullLit:
		if spec.Kind != option.Any {
			c.report(diag.CodeOptionKind, e.Span, "leave it out", "`%s` can't be null", spec.Name)
			return
		}
	}
	if spec.Constant && spec.Kind != option.Block && !Constant(e) {
		if _, isWord := Word(e); !isWord || spec.Kind != option.Words {
			c.report(diag.CodeNotConstant, e.Place(), "", "`%s` must be written out: it is needed before anything runs", spec.Name)
			return
		}
	}
	here := c.at
	if p.page != nil && spec.PageParam {
		here.scope = &scope{parent: c.at.scope, vars: []*variable{p.page}}
	}
	if spec.Kind == option.Item {
		here.item = p.item
	}
	if spec.Kind == option.Cost || spec.Name == "updateFrom" {
		here.response = anyType
	}
	switch spec.Kind {
	case option.Until, option.Pages:
		here.response = anyType
	case option.Answer:
		here.response, here.noStores = anyType, false // it is worked out when there is an answer
	}
	c.with(here, func() { c.checkOptionValue(spec, e) })
}

func (c *checker) checkOptionValue(spec *option.Spec, e syntax.Expr) {
	switch spec.Kind {
	case option.Any, option.Answer:
		c.expr(e)
	case option.Item:
		if t := c.expr(e); spec.Name == "key" && !t.can(stdlib.KText|stdlib.KTime|stdlib.KBool) {
			c.optionKind(spec, e, "text or a number", t, "")
		}
	case option.Until:
		c.condition(e)
	case option.Text:
		c.checkText(spec, e)
	case option.Bool:
		if t := c.expr(e); !t.can(stdlib.KBool) {
			c.optionKind(spec, e, "true or false", t, boolHint(e))
		}
	case option.Number, option.Count, option.Status:
		c.checkNumber(spec, e)
	case option.Time:
		c.checkTime(spec, e)
	case option.Seconds:
		c.checkSeconds(spec, e)
	case option.Size:
		c.checkSize(spec, e)
	case option.Words, option.TextOrWords:
		c.checkWords(spec, e)
	case option.Block:
		c.checkBlock(spec, e)
	case option.Object:
		c.checkFreeObject(spec, e)
	case option.List:
		c.checkList(spec, e)
	case option.SourceName:
		c.checkSourceName(e)
	case option.StoreName:
		c.checkStoreName(e)
	case option.SchemaName:
		c.checkSchemaName(e)
	case option.Decode:
		c.checkDecode(spec, e)
	case option.FieldNames:
		c.checkFieldNames(spec, e)
	case option.Pages:
		c.checkPages(e)
	case option.Signature:
		c.checkSign(spec, e)
	case option.Cost:
		if t := c.expr(e); !t.can(stdlib.KNumber) {
			c.optionKind(spec, e, "a number", t, "")
		}
	case option.Resume:
		c.checkResume(e)
	}
}

func (c *checker) optionKind(spec *option.Spec, e syntax.Expr, want string, found *typ, suggestion string) {
	c.report(diag.CodeOptionKind, e.Place(), suggestion, "`%s` must be %s, found %s", spec.Name, want, found.describe())
}

func boolHint(e syntax.Expr) string {
	if s, ok := e.(*syntax.StringLit); ok && (s.Value == "true" || s.Value == "false") {
		return "write `" + s.Value + "` without quotes"
	}
	return ""
}

func (c *checker) checkText(spec *option.Spec, e syntax.Expr) {
	t := c.expr(e)
	if !t.can(stdlib.KString) {
		c.optionKind(spec, e, "text", t, "")
		return
	}
	lit, ok := e.(*syntax.StringLit)
	if !ok {
		return
	}
	switch spec.Form {
	case option.Zone:
		c.checkZone(lit)
	case option.Address:
		c.checkBase(lit)
	case option.Proxy:
		if u, err := url.Parse(lit.Value); err != nil || u.Scheme == "" || u.Host == "" {
			c.report(diag.CodeBadURL, e.Place(), "write it as `http://proxy.example.com:8080`", "%q is no proxy's address", lit.Value)
		}
	case option.HookPath:
		if !strings.HasPrefix(lit.Value, "/") {
			c.report(diag.CodeBadURL, e.Place(), "write `\"/"+lit.Value+"\"`", "a webhook's path begins with `/`")
		}
	case option.HeaderName:
		if !headerName.MatchString(lit.Value) {
			c.report(diag.CodeBadHeader, e.Place(), "", "%q can't be the name of a header", lit.Value)
		}
	}
	if spec.Secret && lit.Value != "" {
		c.report(diag.CodeLiteralSecret, e.Place(), "write `env(\"NAME\")`, or leave it to the credentials file", "`%s` is a secret and should not stand in the source", spec.Name)
	}
}

// checkBase checks a literal base address.
func (c *checker) checkBase(lit *syntax.StringLit) {
	u, err := url.Parse(lit.Value)
	switch {
	case err != nil:
		c.report(diag.CodeBadURL, lit.Span, "", "%q can't be read as an address", lit.Value)
	case u.Scheme == "" || u.Scheme != "http" && u.Scheme != "https":
		suggestion := ""
		if !strings.Contains(lit.Value, "://") && lit.Value != "" {
			suggestion = "write `\"https://" + lit.Value + "\"`"
		}
		c.report(diag.CodeBadURL, lit.Span, suggestion, "`base` must begin with http:// or https://, found %q", lit.Value)
	case u.Host == "":
		c.report(diag.CodeBadURL, lit.Span, "", "`base` names no host")
	case u.RawQuery != "" || u.Fragment != "":
		c.report(diag.CodeBadURL, lit.Span, "give what is sent with every request in `params`", "`base` can't hold a query or fragment: paths are joined on to it")
	case u.User != nil:
		c.report(diag.CodeLiteralSecret, lit.Span, "use `auth: basic` with the credentials file", "this address holds credentials, which should not stand in the source")
	}
}

// literalNumber returns the number that an expression writes out, with its
// unit; ok is false for anything else.
func literalNumber(e syntax.Expr) (n float64, unit string, ok bool) {
	switch e := unparen(e).(type) {
	case *syntax.NumberLit:
		f, err := strconv.ParseFloat(e.Text, 64)
		return f, e.Unit, err == nil
	case *syntax.UnaryExpr:
		if e.Op == syntax.OpNeg {
			f, unit, ok := literalNumber(e.X)
			return -f, unit, ok
		}
	}
	return 0, "", false
}

func (c *checker) checkNumber(spec *option.Spec, e syntax.Expr) {
	c.checkNumberIn(spec, spec.Kind, e)
}

func (c *checker) checkNumberIn(spec *option.Spec, kind option.Kind, e syntax.Expr) {
	t := c.expr(e)
	want := "a number"
	whole := kind == option.Count || kind == option.Status
	if whole {
		want = "a whole number"
	}
	if !t.can(stdlib.KNumber) {
		suggestion := ""
		if s, ok := e.(*syntax.StringLit); ok && wholeText(s.Value) {
			suggestion = "write `" + s.Value + "` without quotes"
		}
		c.optionKind(spec, e, want, t, suggestion)
		return
	}
	n, unit, ok := literalNumber(e)
	if !ok {
		return
	}
	if unit != "" {
		c.report(diag.CodeOptionKind, e.Place(), "", "`%s` must be %s, found the duration `%s`", spec.Name, want, e.Place().Text())
		return
	}
	if whole && n != math.Trunc(n) {
		c.report(diag.CodeOptionKind, e.Place(), "", "`%s` must be a whole number, found %s", spec.Name, e.Place().Text())
		return
	}
	switch kind {
	case option.Count:
		if limit, ok := spec.InRange(n); !ok {
			c.report(diag.CodeOptionRange, e.Place(), "", "`%s` must be %s, found %s", spec.Name, limit, e.Place().Text())
		}
	case option.Status:
		c.checkStatus(spec, e, n)
	case option.Number:
		if n > 0 {
			break
		}
		c.report(diag.CodeOptionRange, e.Place(), "", "`%s` must be more than 0, found %s", spec.Name, e.Place().Text())
	}
}

// literalMillis returns the milliseconds that an expression writes out.
func literalMillis(e syntax.Expr) (ms float64, ok bool) {
	if s, isText := e.(*syntax.StringLit); isText {
		return value.ParseDuration(s.Value)
	}
	n, unit, ok := literalNumber(e)
	if unit != "" {
		n *= float64(value.DurationUnit(unit))
	}
	return n, ok
}

// checkTime checks an option that takes a time (language definition, section
// 2): a bare number is milliseconds, and often is meant to be seconds.
func (c *checker) checkTime(spec *option.Spec, e syntax.Expr) {
	t := c.expr(e)
	if !t.can(stdlib.KNumber | stdlib.KString) {
		c.optionKind(spec, e, "a time such as `30s`", t, "")
		return
	}
	ms, ok := literalMillis(e)
	if s, isText := e.(*syntax.StringLit); isText && !ok {
		c.report(diag.CodeOptionKind, e.Place(), durationHint(s.Value), "`%s` must be a time such as \"30s\", found %q", spec.Name, s.Value)
	}
	if !ok {
		return
	}
	what := ""
	switch {
	case ms < 0:
		what = "can't be negative"
	case ms >= value.MaxDuration:
		what = "must be less than 292 years"
	case ms == 0 && spec.Above0:
		what = "must be more than 0"
	}
	if what != "" {
		c.report(diag.CodeOptionRange, e.Place(), "", "`%s` %s, found %s", spec.Name, what, e.Place().Text())
		return
	}
	n, unit, isNumber := literalNumber(e)
	if !isNumber {
		return
	}
	least := float64(spec.Plausible)
	if least == 0 {
		least = 100
	}
	if unit == "" && n > 0 && n < least {
		text := e.Place().Text()
		c.report(diag.CodeImplausibleTime, e.Place(), "write `"+text+"s` for seconds, or `"+text+"ms` if it is meant",
			"`%s: %s` is %s milliseconds", spec.Name, text, text)
	}
}

// durationHint says what to write for text that is no duration.
func durationHint(text string) string {
	if wholeText(text) {
		return "write it with a unit, such as `" + text + "s`"
	}
	if joined := strings.Join(strings.Fields(text), ""); joined != text {
		if _, ok := value.ParseDuration(joined); ok {
			return "write it without spaces: `" + joined + "`"
		}
	}
	return "write a number with a unit: ms, s, m, h, d or w"
}

func (c *checker) checkSeconds(spec *option.Spec, e syntax.Expr) {
	t := c.expr(e)
	if !t.can(stdlib.KNumber) {
		c.optionKind(spec, e, "a number of seconds", t, "")
		return
	}
	n, unit, ok := literalNumber(e)
	switch {
	case !ok:
	case unit != "":
		seconds := strconv.FormatFloat(n*float64(value.DurationUnit(unit))/1000, 'f', -1, 64)
		c.report(diag.CodeOptionKind, e.Place(), "write `"+seconds+"`", "`%s` takes a number of seconds, and `%s` is a number of milliseconds", spec.Name, e.Place().Text())
	case n < 0:
		c.report(diag.CodeOptionRange, e.Place(), "", "`%s` can't be negative, found %s", spec.Name, e.Place().Text())
	case n >= 10000 && math.Mod(n, 1000) == 0:
		c.report(diag.CodeImplausibleTime, e.Place(), "write `"+strconv.FormatFloat(n/1000, 'f', -1, 64)+"` if it is meant in milliseconds",
			"`%s: %s` is %s hours", spec.Name, e.Place().Text(), strconv.FormatFloat(n/3600, 'f', 1, 64))
	}
}

func (c *checker) checkSize(spec *option.Spec, e syntax.Expr) {
	t := c.expr(e)
	if !t.can(stdlib.KNumber | stdlib.KString) {
		c.optionKind(spec, e, "a number of bytes, or text such as \"10MB\"", t, "")
		return
	}
	if s, ok := e.(*syntax.StringLit); ok {
		if _, ok := value.ParseSize(s.Value); !ok {
			c.report(diag.CodeOptionKind, e.Place(), "write a number with B, KB, MB or GB", "`%s` must be a size such as \"10MB\", found %q", spec.Name, s.Value)
		}
		return
	}
	n, unit, ok := literalNumber(e)
	switch {
	case !ok:
	case unit != "":
		c.report(diag.CodeOptionKind, e.Place(), "", "`%s` must be a size such as \"10MB\", found the duration `%s`", spec.Name, e.Place().Text())
	case n < 1:
		c.report(diag.CodeOptionRange, e.Place(), "", "`%s` must be at least 1, found %s", spec.Name, e.Place().Text())
	}
}

func (c *checker) checkWords(spec *option.Spec, e syntax.Expr) {
	word, isWord := Word(e)
	if isWord && slices.Contains(spec.Words, word) {
		return
	}
	if name, ok := e.(*syntax.Name); ok && !spec.Constant {
		if v := c.at.scope.lookup(name.Name); v != nil {
			v.used = true
			return
		}
	}
	if lit, ok := e.(*syntax.StringLit); ok && spec.Kind == option.TextOrWords {
		c.checkDatePattern(spec, lit)
		return
	}
	if !isWord {
		if call, ok := e.(*syntax.CallExpr); ok && slices.Contains(spec.Words, call.Fun.Name) {
			c.arguments(call.Args)
			c.report(diag.CodeOptionWord, e.Place(), "write `"+spec.Name+": "+call.Fun.Name+"`, and what belongs to it as options of their own",
				"`%s` must be %s, found a call", spec.Name, spec.WordList())
			return
		}
		if o, ok := e.(*syntax.ObjectExpr); ok {
			c.quietly(func() { c.expr(o) })
			c.report(diag.CodeOptionWord, e.Place(), "write the word alone, and what belongs to it as options of their own",
				"`%s` must be %s, found an object", spec.Name, spec.WordList())
			return
		}
		if t := c.expr(e); !t.can(stdlib.KString) {
			c.report(diag.CodeOptionWord, e.Place(), "", "`%s` must be %s, found %s", spec.Name, spec.WordList(), t.describe())
		}
		return
	}
	c.report(diag.CodeOptionWord, e.Place(), didYouMean(spec.MeantWord(word)), "`%s` must be %s, found `%s`", spec.Name, spec.WordList(), word)
}

func (c *checker) checkDatePattern(spec *option.Spec, lit *syntax.StringLit) {
	for _, w := range spec.Words {
		if strings.EqualFold(w, lit.Value) {
			c.report(diag.CodeOptionWord, lit.Span, didYouMean(w), "`%s` must be %s, found `%s`", spec.Name, spec.WordList(), lit.Value)
			return
		}
	}
	if !datePattern(lit.Value) {
		c.report(diag.CodeBadFormatOption, lit.Span, "", "`%s` must be %s, found %q", spec.Name, spec.WordList(), lit.Value)
		return
	}
	c.checkForeignPattern(lit)
}

func (c *checker) checkBlock(spec *option.Spec, e syntax.Expr) {
	o, ok := unparen(e).(*syntax.ObjectExpr)
	if !ok {
		want := "a block `{ … }` of its own options"
		if spec.OrBool {
			want = "true, false or " + want
		}
		t := c.expr(e)
		if spec.Constant || !t.can(stdlib.KObject) {
			suggestion := ""
			if first := spec.Sub.Spec(spec.Sub.Names()[0]); first.Kind == option.Count && t.kinds == stdlib.KNumber {
				suggestion = "write `{ " + first.Name + ": " + e.Place().Text() + " }`"
			}
			c.report(diag.CodeOptionKind, e.Place(), suggestion, "`%s` must be %s, found %s", spec.Name, want, t.describe())
		}
		return
	}
	var entries []*syntax.Option
	for _, entry := range o.Entries {
		if entry.Spread != nil {
			if spec.Constant {
				c.report(diag.CodeNotConstant, entry.Span, "", "`%s` must be written out: it is needed before anything runs", spec.Name)
				continue
			}
			c.expr(entry.Spread)
			continue
		}
		entries = append(entries, &syntax.Option{Span: entry.Span, Key: entry.Key, Value: entry.Value})
	}
	c.checkEntries(entries, spec.Sub, o.Span, optionPlace{item: anyType})
}

// headerName is a token of RFC 9110, section 5.6.2.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func (c *checker) checkFreeObject(spec *option.Spec, e syntax.Expr) {
	t := c.expr(e)
	if !t.can(stdlib.KObject) {
		c.optionKind(spec, e, "an object", t, "")
		return
	}
	o, ok := e.(*syntax.ObjectExpr)
	if !ok {
		return
	}
	for _, entry := range o.Entries {
		if entry.Spread != nil || entry.Key == nil {
			continue
		}
		switch spec.Name {
		case "headers":
			c.checkHeader(entry)
		case "params", "form":
			if v, ok := unparen(entry.Value).(*syntax.ObjectExpr); ok {
				c.report(diag.CodeOptionKind, v.Span, "write `toJSON(…)` around it if the server reads JSON", "the parameter `%s` can't be an object", entry.Key.Name)
			}
		}
	}
}

func (c *checker) checkHeader(entry *syntax.ObjectEntry) {
	name := entry.Key.Name
	if !headerName.MatchString(name) {
		c.report(diag.CodeBadHeader, entry.Key.Span, "", "%q can't be the name of a header", name)
		return
	}
	lit, ok := entry.Value.(*syntax.StringLit)
	if !ok {
		return
	}
	if strings.ContainsAny(lit.Value, "\r\n\x00") {
		c.report(diag.CodeBadHeader, lit.Span, "", "the value of the header `%s` can't hold a line break", name)
		return
	}
	secret := false
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		_, value, _ := strings.Cut(lit.Value, " ")
		secret = strings.TrimSpace(value) != ""
	case "x-api-key", "api-key", "x-auth-token", "x-access-token", "cookie":
		secret = lit.Value != ""
	}
	if secret {
		c.report(diag.CodeLiteralSecret, lit.Span, "use `auth` with the credentials file, or `env(\"NAME\")`", "the header `%s` holds a secret, which should not stand in the source", name)
	}
}

func (c *checker) checkList(spec *option.Spec, e syntax.Expr) {
	a, ok := unparen(e).(*syntax.ArrayExpr)
	if !ok {
		t := c.expr(e)
		if !t.can(stdlib.KArray) {
			suggestion := ""
			if _, _, isNumber := literalNumber(e); isNumber {
				suggestion = "write `[" + e.Place().Text() + "]`"
			}
			c.optionKind(spec, e, "an array", t, suggestion)
		}
		return
	}
	for _, el := range a.Elems {
		if el.Spread {
			c.expr(el.Value)
			continue
		}
		if spec.Elem == option.Text {
			if t := c.expr(el.Value); !t.can(stdlib.KString) {
				c.report(diag.CodeOptionKind, el.Value.Place(), "", "in `%s` expected text, found %s", spec.Name, t.describe())
			}
			continue
		}
		c.checkNumberIn(spec, spec.Elem, el.Value)
	}
}

// checkStatus checks a literal HTTP status.
func (c *checker) checkStatus(spec *option.Spec, e syntax.Expr, status float64) {
	switch {
	case status < 100 || status > 999:
		c.report(diag.CodeBadStatus, e.Place(), "", "%s is no HTTP status", e.Place().Text())
	case spec.Name == "on" && status >= 200 && status < 300:
		c.report(diag.CodeNoEffect, e.Place(), "write `failWhen`, and `when: true`", "a status of %s is no failure by itself, so that it is not repeated for it", e.Place().Text())
	case spec.Name != "allow":
	case slices.Contains([]float64{301, 302, 303, 307, 308}, status):
		c.report(diag.CodeNoEffect, e.Place(), "", "a redirect is followed, so that allowing %s has no effect", e.Place().Text())
	case status >= 200 && status < 300 && status != 206:
		c.report(diag.CodeNoEffect, e.Place(), "", "a status of %s is no failure, so that allowing it has no effect", e.Place().Text())
	}
}

func (c *checker) checkSourceName(e syntax.Expr) {
	word, ok := Word(e)
	if ok && c.sources.use(word) {
		return
	}
	if name, isName := e.(*syntax.Name); isName && c.at.scope.lookup(name.Name) != nil || !ok {
		if t := c.expr(e); !t.can(stdlib.KString) {
			c.report(diag.CodeOptionKind, e.Place(), "", "`source` must be the name of a source, found %s", t.describe())
		}
		for _, s := range c.sources.order {
			c.sources.use(s) // any of them may be chosen
		}
		return
	}
	c.unknownSource(word, e.Place())
}

func (c *checker) unknownSource(name string, span syntax.Span) {
	near := c.near(name, c.sources.names)
	c.sources.use(near)
	d := c.report(diag.CodeUnknownSource, span, didYouMean(near), "unknown source `%s`", name)
	if near == "" && len(c.sources.order) > 0 {
		note(d, syntax.Span{}, "this mission's sources are %s", listed(c.sources.order))
	}
}

func (c *checker) checkStoreName(e syntax.Expr) {
	word, ok := Word(e)
	if !ok {
		c.report(diag.CodeOptionKind, e.Place(), "", "expected the name of a store")
		return
	}
	c.stores.use(word)
}

func (c *checker) checkResume(e syntax.Expr) {
	if w, ok := Word(e); ok && w == "timeout" {
		return
	}
	call, ok := e.(*syntax.CallExpr)
	if !ok || call.Fun.Name != "webhook" {
		c.report(diag.CodeOptionWord, e.Place(), "", "`resumeOn` must be timeout or webhook \"/path\"")
		return
	}
	if len(call.Args) != 1 {
		c.report(diag.CodeArgumentCount, call.Fun.Span, "write `webhook \"/path\"`", "`webhook` takes one path, found %d", len(call.Args))
		return
	}
	c.checkText(&option.Spec{Name: "path", Form: option.HookPath}, call.Args[0])
}

// checkOptionPairs checks what options say together.
func (c *checker) checkOptionPairs(given map[string]*syntax.Option, set *option.Set) {
	for spec := range set.All {
		other := cmp.Or(spec.AliasOf, spec.Excludes)
		if other == "" {
			continue
		}
		a, b := given[spec.Name], given[other]
		if a == nil || b == nil || spec.Excludes != "" && b.Start > a.Start {
			continue // told once, where both say it
		}
		first, second := b, a
		if b.Start > a.Start {
			first, second = a, b
		}
		d := c.report(diag.CodeOptionsClash, second.Key.Span, "", "`%s` and `%s` can't be given together", first.Key.Name, second.Key.Name)
		note(d, first.Key.Span, "the other one is given here")
	}
	c.checkCSV(given)
	initial, longest := given["initialDelay"], given["maxDelay"]
	if initial != nil && longest != nil {
		a, okA := literalMillis(initial.Value)
		b, okB := literalMillis(longest.Value)
		if okA && okB && a > b {
			c.report(diag.CodeNoEffect, initial.Key.Span, "", "`initialDelay` is longer than `maxDelay`, so that every wait is `maxDelay`")
		}
	}
}

// Constant reports whether an expression is written out: a literal, arithmetic
// on such, or an array or object of such. The values of the options of
// a mission and its schedule are, since the daemon needs them before anything
// runs.
func Constant(e syntax.Expr) bool {
	switch e := e.(type) {
	case *syntax.NullLit, *syntax.BoolLit, *syntax.NumberLit, *syntax.StringLit:
		return true
	case *syntax.TemplateLit:
		return len(e.Exprs) == 0
	case *syntax.ParenExpr:
		return Constant(e.X)
	case *syntax.UnaryExpr:
		return Constant(e.X)
	case *syntax.BinaryExpr:
		switch e.Op {
		case syntax.OpAdd, syntax.OpSub, syntax.OpMul, syntax.OpDiv, syntax.OpMod:
			return Constant(e.X) && Constant(e.Y)
		}
	case *syntax.ArrayExpr:
		for _, el := range e.Elems {
			if el.Spread || !Constant(el.Value) {
				return false
			}
		}
		return true
	case *syntax.ObjectExpr:
		for _, entry := range e.Entries {
			if entry.Spread != nil || !Constant(entry.Value) {
				return false
			}
		}
		return true
	}
	return false
}
