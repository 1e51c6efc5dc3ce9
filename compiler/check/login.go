package check

import (
	"slices"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/vm/option"
)

// checkLogin checks the `login` block of a source. In it, `login` is what the
// last sign-in has kept, and behind the request `response` is the answer.
func (c *checker) checkLogin(s *syntax.Source) {
	d := s.Login
	if d == nil {
		return
	}
	if auth := s.Options.Get("auth"); auth != nil {
		c.report(diag.CodeOptionsClash, auth.Key.Span, "leave out one of them", "`login` and `auth` can't be given together")
	}
	if s.Options.Get("base") == nil && s.From == nil {
		c.report(diag.CodeOptionMissing, d.Word.Span, "", "a source with `login` needs the option `base`: what it sends then goes to that origin only")
	}
	if d.Request == nil {
		c.report(diag.CodeOptionMissing, d.Word.Span, "write it like `post \"/session\" { body: { … } }`", "`login` needs a request that signs in")
	} else {
		c.with(c.inSource("login", nil), func() { c.checkLoginRequest(d.Request) })
	}
	here := c.inSource("login", anyType)
	c.with(here, func() { c.checkOptions(d.Options, option.At(option.InLogin), d.Span) })
	if !slices.ContainsFunc(d.Options.Entries, func(o *syntax.Option) bool {
		return slices.Contains([]string{"headers", "token", "params", "cookies"}, o.Key.Name)
	}) {
		c.report(diag.CodeOptionMissing, d.Word.Span, "", "`login` says nothing that requests carry then: expected `headers`, `token`, `params` or `cookies: true`")
	}
}

func (c *checker) checkLoginRequest(s *syntax.FetchStep) {
	if s.Source != nil {
		c.report(diag.CodeNoEffect, s.Source.Span, "leave it out", "the request of `login` goes to its own source")
	}
	c.expr(s.Path)
	if s.Options == nil {
		return
	}
	c.checkOptions(s.Options, option.At(option.InLoginRequest), s.Options.Span)
	for _, name := range []string{"body", "form", "params"} {
		if o := s.Options.Get(name); o != nil {
			c.literalSecrets(o.Value)
		}
	}
}

// literalSecrets warns of what is named like a secret and written out.
func (c *checker) literalSecrets(e syntax.Expr) {
	o, ok := unparen(e).(*syntax.ObjectExpr)
	if !ok {
		return
	}
	for _, entry := range o.Entries {
		if lit, ok := entry.Value.(*syntax.StringLit); ok && entry.Key != nil && lit.Value != "" && namesSecret(entry.Key.Name) {
			c.report(diag.CodeLiteralSecret, lit.Span, "write `env(\"NAME\")`", "`%s` is a secret and should not stand in the source", entry.Key.Name)
		}
	}
}

// inSource is a place in a source with a variable of its own.
func (c *checker) inSource(name string, response *typ) place {
	here := c.at
	here.scope = &scope{parent: c.at.scope, vars: []*variable{{name: name, kind: varPage, typ: anyType, used: true}}}
	here.response, here.item = response, nil
	here.noStores, here.secrets = true, true
	return here
}

// SignEntries calls fn for each entry of a `sign` option: in is "params" or
// "form" for those of these objects, and "" for headers.
func SignEntries(e syntax.Expr, fn func(in string, entry *syntax.ObjectEntry)) {
	o, ok := unparen(e).(*syntax.ObjectExpr)
	if !ok {
		return
	}
	for _, entry := range o.Entries {
		if entry.Key != nil && (entry.Key.Name == "params" || entry.Key.Name == "form") {
			if list, ok := unparen(entry.Value).(*syntax.ObjectExpr); ok {
				for _, inner := range list.Entries {
					fn(entry.Key.Name, inner)
				}
				continue
			}
		}
		fn("", entry)
	}
}

// checkSign checks the option `sign`. Its entries are worked out one by one, so
// they must be written out.
func (c *checker) checkSign(spec *option.Spec, e syntax.Expr) {
	if _, ok := unparen(e).(*syntax.ObjectExpr); !ok {
		c.report(diag.CodeOptionKind, e.Place(), "write `sign: { \"X-Signature\": … }`", "`%s` must be an object that is written out", spec.Name)
		return
	}
	c.with(c.inSource("request", nil), func() {
		SignEntries(e, func(in string, entry *syntax.ObjectEntry) {
			switch {
			case entry.Spread != nil || entry.Value == nil:
				c.report(diag.CodeOptionKind, entry.Place(), "write each entry out", "`%s` takes names with values only", spec.Name)
				return
			case in == "" && (entry.Key.Name == "params" || entry.Key.Name == "form"):
				c.report(diag.CodeOptionKind, entry.Value.Place(), "", "`%s` of `sign` must be an object that is written out", entry.Key.Name)
				return
			case in == "":
				c.checkHeader(entry)
			}
			c.expr(entry.Value)
		})
	})
}

// namesSecret reports whether a name says that its value is secret.
func namesSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "passwd", "secret", "token", "apikey", "api_key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
