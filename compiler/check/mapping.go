package check

import (
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
)

func (c *checker) mapStep(s *syntax.MapStep) {
	inner := c.at
	if s.Source != nil {
		inner.item = c.mapSource(s.Source)
	}
	t := recordType
	c.with(inner, func() {
		if s.Body != nil {
			t = c.object(s.Body)
		}
	})
	if s.Name != nil {
		c.checkResult(s.Name, s.Body, t)
		c.bind(s.Name, varMap, t)
	}
	c.at.response = t
}

// mapSource checks the source of a map, and reports `x in xs`, which other
// languages have for a loop: it is whether xs holds x.
func (c *checker) mapSource(e syntax.Expr) *typ {
	in, ok := e.(*syntax.BinaryExpr)
	if !ok || in.Op != syntax.OpIn {
		return c.expr(e)
	}
	name, ok := in.X.(*syntax.Name)
	if !ok || c.at.scope.lookup(name.Name) != nil || c.isStore(name.Name) || name.Name == "response" {
		return c.expr(e)
	}
	c.expr(in.Y)
	c.report(diag.CodeUnknownName, name.Span, "write `for "+name.Name+" in "+in.Y.Place().Text()+" { map "+name.Name+" -> … { … } }`",
		"unknown name `%s`: a map builds one object, and does not go through a collection", name.Name)
	c.at.scope.add(&variable{name: name.Name, span: name.Span, kind: varPattern, typ: anyType, used: true})
	return anyType
}

// schemaAlike gives the schema whose name differs from this one by case or
// plural alone. Most missions map to many names that are no schema, so it is
// looked up and not searched for.
func (c *checker) schemaAlike(name string) string {
	bare := func(name string) string { return strings.TrimRight(strings.ToLower(name), "s") }
	if c.bareSchemas == nil {
		c.bareSchemas = map[string]string{}
		for _, n := range c.schemas.names() {
			if _, ok := c.bareSchemas[bare(n)]; !ok {
				c.bareSchemas[bare(n)] = n
			}
		}
	}
	return c.bareSchemas[bare(name)]
}

// checkResult holds the object that a map or a transform builds against the
// schema that its target's name declares, if it does.
func (c *checker) checkResult(dst *syntax.Ident, body *syntax.ObjectExpr, t *typ) {
	if dst == nil || body == nil || t.obj == nil {
		return
	}
	if !c.schemas.use(dst.Name) {
		if near := c.schemaAlike(dst.Name); near != "" {
			c.report(diag.CodeSchemaNearby, dst.Span, didYouMean(near), "`%s` is no schema, so that the fields are held against none", dst.Name)
			c.schemas.use(near)
		}
		return
	}
	want := c.schemaType(dst.Name).obj
	var missing []string
	for _, name := range want.order {
		if _, ok := t.obj.fields[name]; !ok && t.obj.closed && !want.fields[name].optional {
			missing = append(missing, name)
		}
	}
	for _, entry := range body.Entries {
		if entry.Key == nil || entry.Value == nil {
			continue
		}
		name := entry.Key.Name
		w, ok := want.fields[name]
		if !ok {
			c.checkExtra(dst, entry.Key, want, t.obj)
			continue
		}
		if m := misfit(t.obj.fields[name].typ, w.typ, maxMisfitDepth); m != "" {
			c.report(diag.CodeFieldType, entry.Value.Place(), "", "the field `%s` does not fit the schema `%s`: %s", name, dst.Name, m)
		}
	}
	c.reportMissing(dst, missing, t.obj)
}

// checkExtra reports a field that the schema does not have, if it is much like
// an optional one that is left out. Other fields are fine: schemas are open.
func (c *checker) checkExtra(dst, key *syntax.Ident, want, found *objType) {
	absent := func() (names []string) {
		c.compared += len(want.order)
		for _, name := range want.order {
			if found.fields[name] == nil && want.fields[name].optional {
				names = append(names, name)
			}
		}
		return names
	}
	if near := c.near(key.Name, absent); near != "" {
		c.report(diag.CodeExtraField, key.Span, didYouMean(near), "the schema `%s` has no field `%s`", dst.Name, key.Name)
	}
}

func (c *checker) reportMissing(dst *syntax.Ident, missing []string, found *objType) {
	if len(missing) == 0 {
		return
	}
	quoted := make([]string, len(missing))
	for i, name := range missing {
		quoted[i] = "`" + name + "`"
	}
	list := listed(quoted)
	noun, verb := "field", "is"
	if len(missing) > 1 {
		noun, verb = "fields", "are"
	}
	suggestion := "add " + list + ", or make it optional in the schema with `?`"
	if len(missing) == 1 {
		if near := c.near(missing[0], these(found.order)); near != "" {
			suggestion = "is `" + near + "` meant to be " + list + "?"
		}
	}
	c.report(diag.CodeMissingField, dst.Span, suggestion, "the required %s %s of the schema `%s` %s missing", noun, list, dst.Name, verb)
}

// checkTransform checks a transform and keeps what is known of its result.
func (c *checker) checkTransform(t *syntax.Transform) {
	src := anyType
	if t.Src != nil {
		c.checkType(t.Src)
		src = c.resolve(t.Src)
	}
	var result *typ
	cover := &coverage{}
	for _, v := range t.Variants {
		c.with(place{scope: newScope(c.root), item: src}, func() {
			if v.Pattern != nil {
				c.at.item = c.pattern(v.Pattern, src, false)
				c.checkReachable(cover, reach{pattern: v.Pattern, guarded: v.Where != nil, span: v.Pattern.Place()})
			}
			c.condition(v.Where)
			r := recordType
			if v.Body != nil {
				if v.Dst == nil {
					brace := v.Body.Span
					brace.End = brace.Start + 1
					c.report(syntax.CodeArrow, brace, "write `-> Name {`; a schema of that name need not be declared", "a transform says what it makes: expected `->` and the name of the result, found its fields")
				}
				r = c.object(v.Body)
				c.checkResult(v.Dst, v.Body, r)
			}
			if result == nil {
				result = r
			} else {
				result = c.union(result, r)
			}
			c.closeArm(c.at.scope)
		})
	}
	if t.Name != nil && result != nil {
		c.results[t.Name.Name] = result
	}
}

func (c *checker) apply(s *syntax.ApplyStep) {
	t := c.expr(s.To)
	result := anyType
	if s.Transform != nil && c.useTransform(s.Transform) {
		decl, _ := c.transforms.get(s.Transform.Name)
		c.checkApplied(s, decl, t)
		if r := c.results[s.Transform.Name]; r != nil {
			switch {
			case t.kinds == stdlib.KArray:
				result = arrayOf(r)
			case !t.can(stdlib.KArray):
				result = r
			}
		}
	}
	if s.As != nil {
		c.bind(s.As, varApply, result)
	}
	c.at.response = result
}

func (c *checker) useTransform(id *syntax.Ident) bool {
	if c.transforms.use(id.Name) {
		return true
	}
	near := c.near(id.Name, c.transforms.names)
	c.transforms.use(near)
	what := ""
	if c.actions.use(id.Name) {
		what = "; there is an action of that name, which `run " + id.Name + "` runs"
	} else if c.schemas.use(id.Name) {
		what = "; there is a schema of that name"
	}
	c.report(diag.CodeUnknownTransform, id.Span, didYouMean(near), "unknown transform `%s`%s", id.Name, what)
	return false
}

// checkApplied holds what a transform is applied to against its source type.
// An array stands for its elements.
func (c *checker) checkApplied(s *syntax.ApplyStep, decl *syntax.Transform, t *typ) {
	if decl.Src == nil {
		return
	}
	want := c.resolve(decl.Src)
	if want.can(stdlib.KArray) {
		return // whether it takes the array or its elements is not seen from here
	}
	if t.kinds == stdlib.KArray {
		t = t.element()
	} else if t.can(stdlib.KArray) {
		return
	}
	if m := misfit(t, want, maxMisfitDepth); m != "" {
		d := c.report(diag.CodeFieldType, s.To.Place(), "", "`%s` can't be applied to this: %s", s.Transform.Name, m)
		note(d, decl.Src.Place(), "this is what it takes")
	}
}
