package check

import (
	"net/url"
	"reqon/compiler/constant"
	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/bytecode"
	"reqon/vm/near"
	"reqon/vm/option"
	"reqon/vm/target"
	"slices"
	"strings"
)

func (c *checker) checkStoreDecl(s *syntax.Store) {
	if s.Adapter != nil {
		c.checkAdapter(s.Adapter)
	}
	c.checkWriteOnly(s)
	if s.Options == nil {
		return
	}
	c.checkOptions(s.Options, option.At(option.InStore), s.Options.Span)
	c.checkStoreOptions(s)
}

// checkWriteOnly reports a store in a file of lines that says no mode, or one that
// it can't have.
func (c *checker) checkWriteOnly(s *syntax.Store) {
	if !c.writeOnly(s.Name.Name) {
		return
	}
	switch c.storeSays(s.Name.Name, "mode") {
	case "append", "replace", "?":
	default:
		c.report(diag.CodeStoreOption, s.Adapter.Place(), "add `{ mode: append }`, which adds records at the end, or `mode: replace`, which writes the file anew",
			"a `%s` file has no keys by which records could be merged", adaptersOf(s.Adapter)[0].Name)
	}
}

// writeOnly reports whether a store surely is one that can't be read.
func (c *checker) writeOnly(store string) bool {
	decl, ok := c.stores.get(store)
	if !ok || decl.Adapter == nil {
		return false
	}
	adapters := adaptersOf(decl.Adapter)
	return len(adapters) > 0 && !slices.ContainsFunc(adapters, func(a *option.Adapter) bool { return !a.WriteOnly })
}

// needsReading reports what reads a store that can't be read, or looks for a
// record in it.
func (c *checker) needsReading(store string, span syntax.Span) {
	if c.writeOnly(store) {
		decl, _ := c.stores.get(store)
		c.report(diag.CodeStoreOption, span, "store what is needed again in another store, too", "`%s` can't be read: a `%s` file is only written", store, adaptersOf(decl.Adapter)[0].Name)
	}
}

// adaptersOf returns the adapters that a store's declaration may choose.
func adaptersOf(e syntax.Expr) (list []*option.Adapter) {
	add := func(name string) {
		if a := option.FindAdapter(name); a != nil {
			list = append(list, a)
		}
	}
	switch e := e.(type) {
	case *syntax.ParenExpr:
		return adaptersOf(e.X)
	case *syntax.Name:
		add(e.Name)
	case *syntax.CallExpr:
		add(e.Fun.Name)
	case *syntax.CondExpr:
		return append(adaptersOf(e.Then), adaptersOf(e.Else)...)
	case *syntax.MatchExpr:
		for _, arm := range e.Arms {
			list = append(list, adaptersOf(arm.Value)...)
		}
	}
	return list
}

// checkStoreOptions checks what a store's options say together, and whether its
// adapter has them. One that is chosen by an if or match may have some of them:
// the others have no effect then.
func (c *checker) checkStoreOptions(s *syntax.Store) {
	adapters := adaptersOf(s.Adapter)
	set := option.At(option.InStore)
	for _, o := range s.Options.Entries {
		if o.Key == nil || set.Spec(o.Key.Name) == nil || len(adapters) == 0 {
			continue
		}
		if !slices.ContainsFunc(adapters, func(a *option.Adapter) bool { return a.Has(o.Key.Name) }) {
			d := c.report(diag.CodeStoreOption, o.Key.Span, "", "`%s` is no option of `%s` stores", o.Key.Name, adapters[0].Name)
			note(d, syntax.Span{}, "its options are %s", listed(adapters[0].All()))
		}
	}
	mode := ""
	if o := s.Options.Get("mode"); o != nil {
		mode, _ = Word(o.Value)
	}
	if mode == "history" && len(adapters) > 0 && !slices.ContainsFunc(adapters, func(a *option.Adapter) bool { return slices.Contains(a.Modes, mode) }) {
		c.report(diag.CodeStoreOption, s.Options.Get("mode").Key.Span, "", "`%s` stores have no `mode: history`; `sqlite` and `postgres` have", adapters[0].Name)
	}
	if o := s.Options.Get("maxDelete"); o != nil {
		if mode != "replace" {
			c.report(diag.CodeStoreOption, o.Key.Span, "", "`maxDelete` is for `mode: replace`, which alone removes what a run did not store")
		} else if v, ok := constant.Value(o.Value); ok {
			if _, _, err := option.MaxDelete(v); err != nil {
				c.report(diag.CodeOptionKind, o.Value.Place(), "", "`maxDelete` %s", err)
			}
		}
	}
	schema, key := s.Options.Get("schema"), s.Options.Get("key")
	needsSchema := func(name string) {
		if o := s.Options.Get(name); o != nil && schema == nil {
			c.report(diag.CodeStoreOption, o.Key.Span, "add `schema: Name`", "`%s` needs a `schema`, which says what fields there are", name)
		}
	}
	needsSchema("columns")
	needsSchema("key")
	if key != nil && (mode == "replace" || mode == "history") {
		c.report(diag.CodeStoreOption, s.Options.Get("mode").Key.Span, "", "a table that others have made (`key`) has the modes merge and append only")
	}
	if o := s.Options.Get("extra"); o != nil && key == nil {
		c.report(diag.CodeStoreOption, o.Key.Span, "take it out", "`extra` is for a table that others have made, whose `key` is named; in one that Reqon makes, such fields are kept in `_extra`")
	}
	for _, name := range []string{"keep", "ttl"} {
		if o := s.Options.Get(name); o != nil && key != nil {
			c.report(diag.CodeStoreOption, o.Key.Span, "", "`%s` can't be had in a table that others have made (`key`): it does not say when its rows were stored", name)
		}
	}
	if schema == nil {
		return
	}
	name, ok := Word(schema.Value)
	if decl, known := c.schemas.get(name); !ok || !known || decl.Body == nil {
		return
	}
	o := c.schemaType(name).obj
	c.checkColumnNames(schema, o, adapters, key != nil)
	if key != nil {
		names, ok := FieldNames(key.Value)
		for _, n := range names {
			if !ok {
				break // that has been told
			}
			if _, ok := o.fields[n]; !ok {
				c.report(diag.CodeStoreOption, key.Value.Place(), didYouMean(near.Nearest(n, o.order)), "the schema `%s` has no field `%s`", name, n)
			}
		}
	}
	if columns := s.Options.Get("columns"); columns != nil {
		if obj, ok := columns.Value.(*syntax.ObjectExpr); ok {
			for _, e := range obj.Entries {
				if e.Key == nil {
					continue
				}
				if _, ok := o.fields[e.Key.Name]; !ok {
					c.report(diag.CodeStoreOption, e.Key.Span, didYouMean(near.Nearest(e.Key.Name, o.order)), "the schema `%s` has no field `%s`", name, e.Key.Name)
				}
			}
		}
	}
}

// ownColumns are what Reqon's tables have besides the fields.
var ownColumns = []string{"_key", "_seq", "_run", "_stored", "_extra"}

// checkColumnNames reports fields that can't have columns of their names: the
// database would cut them, or take two for one.
func (c *checker) checkColumnNames(schema *syntax.Option, o *objType, adapters []*option.Adapter, foreign bool) {
	for _, a := range adapters {
		seen := map[string]string{}
		for _, f := range o.order {
			if a.Longest > 0 && len(f) > a.Longest {
				c.report(diag.CodeStoreOption, schema.Value.Place(), "", "the field `%s` is %d bytes long, and `%s` cuts the name of a column to %d", f, len(f), a.Name, a.Longest)
			}
			folded := f
			if a.Folds {
				folded = strings.ToLower(f)
			}
			if other, ok := seen[folded]; ok {
				c.report(diag.CodeStoreOption, schema.Value.Place(), "", "the fields `%s` and `%s` would be one column: `%s` does not tell names apart by their case", other, f, a.Name)
			}
			seen[folded] = f
			if !foreign && a.Has("schema") && !a.WriteOnly && slices.Contains(ownColumns, folded) {
				c.report(diag.CodeStoreOption, schema.Value.Place(), "", "the field `%s` can't have a column: Reqon's tables have one of that name", f)
			}
		}
	}
}

// FieldNames returns the names that the value of an option of that kind is.
func FieldNames(e syntax.Expr) (names []string, ok bool) {
	if a, isArray := e.(*syntax.ArrayExpr); isArray {
		for _, el := range a.Elems {
			name, ok := Word(el.Value)
			if !ok || el.Spread {
				return nil, false
			}
			names = append(names, name)
		}
		return names, len(names) > 0
	}
	name, ok := Word(e)
	return []string{name}, ok
}

func (c *checker) checkFieldNames(spec *option.Spec, e syntax.Expr) {
	names, ok := FieldNames(e)
	if !ok {
		c.report(diag.CodeOptionKind, e.Place(), "", "`%s` must be the name of a field, or several of them in brackets", spec.Name)
		return
	}
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n] {
			c.report(diag.CodeOptionKind, e.Place(), "", "`%s` names the field `%s` twice", spec.Name, n)
		}
		seen[n] = true
	}
}

func (c *checker) checkSchemaName(e syntax.Expr) {
	word, ok := Word(e)
	if !ok {
		c.report(diag.CodeOptionKind, e.Place(), "", "`schema` must be the name of a schema")
		return
	}
	c.useSchema(e.Place(), word)
}

// storeSays returns the word of a declared store's option, "" if it has none.
func (c *checker) storeSays(name, option string) string {
	decl, ok := c.stores.get(name)
	if !ok || decl.Options.Get(option) == nil {
		return ""
	}
	word, ok := Word(decl.Options.Get(option).Value)
	if !ok {
		return "?"
	}
	return word
}

// needsKeys reports what goes by keys, where a store has none to go by.
func (c *checker) needsKeys(store string, span syntax.Span, what string) {
	if c.storeSays(store, "mode") == "append" {
		c.report(diag.CodeStoreOption, span, "", "%s does not go with `mode: append`: `%s` gives each record a key of its own", what, store)
	}
}

// keyColumns returns how many columns the key of a store has.
func (c *checker) keyColumns(store string) int {
	decl, ok := c.stores.get(store)
	if !ok || decl.Options.Get("key") == nil {
		return 1
	}
	names, _ := FieldNames(decl.Options.Get("key").Value)
	return max(len(names), 1)
}

// checkRecordKey checks the key by which a record is asked for.
func (c *checker) checkRecordKey(store string, e syntax.Expr) {
	n := c.keyColumns(store)
	list, isArray := e.(*syntax.ArrayExpr)
	t := c.infer(e)
	switch {
	case n > 1 && isArray && len(list.Elems) != n:
		c.report(diag.CodeBadIndex, e.Place(), "", "the key of a record in `%s` has %d parts, found %d", store, n, len(list.Elems))
	case n > 1 && !t.can(stdlib.KArray):
		c.report(diag.CodeBadIndex, e.Place(), "write `"+store+"[[…, …]]`", "the key of a record in `%s` has %d parts, found %s", store, n, t.describe())
	case n == 1 && !t.can(stdlib.KText):
		c.report(diag.CodeBadIndex, e.Place(), "", "the key of a record must be text or a number, found %s", t.describe())
	}
}

func (c *checker) checkAdapter(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.BadExpr:
	case *syntax.ParenExpr:
		c.checkAdapter(e.X)
	case *syntax.Name:
		c.checkAdapterName(e.Name, e.Span)
	case *syntax.CallExpr:
		if !c.checkAdapterName(e.Fun.Name, e.Fun.Span) {
			return
		}
		if len(e.Args) > 1 {
			c.report(diag.CodeBadAdapter, e.Args[1].Place(), "", "`%s` takes one target, found %d", e.Fun.Name, len(e.Args))
			return
		}
		for _, a := range e.Args {
			c.checkTarget(e.Fun.Name, a)
		}
	case *syntax.CondExpr:
		c.condition(e.Cond)
		c.checkAdapter(e.Then)
		c.checkAdapter(e.Else)
	case *syntax.MatchExpr:
		c.matchWith(e, func(arm *syntax.MatchArm) *typ {
			c.checkAdapter(arm.Value)
			return anyType
		})
	default:
		c.report(diag.CodeBadAdapter, e.Place(), "write `file(\"name\")`, `memory` or the like",
			"expected a store adapter, or an `if` or `match` that chooses one")
	}
}

func (c *checker) checkAdapterName(name string, span syntax.Span) bool {
	if option.FindAdapter(name) != nil {
		c.checkAvailable(bytecode.AdapterPart, name, span)
		return true
	}
	synonyms := map[string]string{
		"postgresql": "postgres", "pg": "postgres", "mongo": "mongodb", "json": "file", "disk": "file",
		"mem": "memory", "ram": "memory", "mariadb": "mysql", "database": "sql", "db": "sql", "s3": "file",
	}
	meant := synonyms[strings.ToLower(name)]
	if meant == "" {
		meant = near.Nearest(name, option.AdapterNames())
	}
	c.report(diag.CodeBadAdapter, span, didYouMean(meant), "unknown store adapter `%s`; there are %s", name, strings.Join(option.AdapterNames(), ", "))
	return false
}

// checkTarget checks what an adapter stores to.
func (c *checker) checkTarget(adapter string, e syntax.Expr) {
	t := c.expr(e)
	if !t.can(stdlib.KString) {
		c.report(diag.CodeBadTarget, e.Place(), "", "the target of `%s` must be text, found %s", adapter, t.describe())
		return
	}
	lit, ok := e.(*syntax.StringLit)
	if !ok {
		return
	}
	switch option.FindAdapter(adapter).Target {
	case option.FileTarget:
		if _, err := target.File(lit.Value); err != nil {
			c.report(diag.CodeBadTarget, e.Place(), "", "%s; a file store's target is a name such as \"orders\" or \"exports/orders\"", err)
		}
	case option.PathTarget:
		if err := target.Database(lit.Value); err != nil {
			what, suffix := "database", "db"
			if option.FindAdapter(adapter).WriteOnly {
				what, suffix = "file", adapter
			}
			c.report(diag.CodeBadTarget, e.Place(), "", "%s; the target is the path of a %s, such as \"orders.%s\"", err, what, suffix)
		}
	case option.URLTarget:
		if bytecode.NotAvailable(bytecode.AdapterPart, adapter) != nil {
			return // nothing is connected to
		}
		c.checkDatabaseAddress(adapter, lit)
	}
}

// checkDatabaseAddress checks the literal address of a database.
func (c *checker) checkDatabaseAddress(adapter string, lit *syntax.StringLit) {
	a := option.FindAdapter(adapter)
	var schemes []string
	if adapter == "sql" {
		if option.AdapterOf(lit.Value, false) == nil {
			schemes = []string{"postgres", "mysql", "sqlite"}
		}
	} else if len(a.Schemes) > 0 && !slices.ContainsFunc(a.Schemes, func(s string) bool { return strings.HasPrefix(lit.Value, s+":") }) {
		schemes = a.Schemes[:1]
	}
	if schemes != nil {
		c.report(diag.CodeBadURL, lit.Span, "", "the target of `%s` is an address that begins with `%s://`, found %q", adapter, strings.Join(schemes, "://` or `"), lit.Value)
		return
	}
	u, err := url.Parse(lit.Value)
	if err != nil {
		c.report(diag.CodeBadURL, lit.Span, "", "the address of the database can't be read")
		return
	}
	if _, has := u.User.Password(); has {
		env := a.Env
		if env == "" {
			env = "DATABASE_URL"
		}
		c.report(diag.CodeLiteralSecret, lit.Span, "write `"+adapter+"(env(\""+env+"\"))`", "this address holds a password, which should not stand in the source")
	}
}
