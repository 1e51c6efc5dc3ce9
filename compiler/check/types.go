package check

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"reqon/compiler/diag"
	"reqon/compiler/syntax"
	"reqon/stdlib"
	"reqon/vm/value"
)

// typ is what is known about a value. It promises nothing about values of
// other kinds than it names: the fields of obj are those of the value if it is
// an object, elem is of its elements if it is an array.
type typ struct {
	kinds stdlib.Kinds
	elem  *typ     // nil: elements of any kind
	obj   *objType // nil: any fields
	lits  []string // if not nil: one of these literals, in the form of litText
	whole bool     // a number is whole
	date  bool     // a string is of date form
}

// objType is what is known about an object.
type objType struct {
	schema string // its schema's name, or ""
	fields map[string]*fieldType
	order  []string
	closed bool // it has no other fields
}

type fieldType struct {
	typ      *typ
	optional bool
}

var (
	anyType    = &typ{kinds: stdlib.KAny}
	nullType   = &typ{kinds: stdlib.KNull}
	boolType   = &typ{kinds: stdlib.KBool}
	numberType = &typ{kinds: stdlib.KNumber}
	stringType = &typ{kinds: stdlib.KString}
	timeType   = &typ{kinds: stdlib.KTime}
	recordType = &typ{kinds: stdlib.KObject}
	storeType  = &typ{kinds: stdlib.KArray, elem: recordType}
)

func ofKinds(k stdlib.Kinds) *typ {
	if k == stdlib.KAny {
		return anyType
	}
	return &typ{kinds: k}
}

func (t *typ) can(k stdlib.Kinds) bool { return t.kinds&k != 0 }

// orNull returns t, which may be null as well.
func (t *typ) orNull() *typ {
	if t.can(stdlib.KNull) {
		return t
	}
	u := *t
	u.kinds |= stdlib.KNull
	if u.lits != nil {
		u.lits = append(slices.Clip(u.lits), "null")
	}
	return &u
}

// maxMerged bounds how many fields are brought together, in one mission, from
// values that are spread or may be one of two: a chain of such values, each made
// of the ones before, may mean any number.
const maxMerged = 1 << 18

// merges reports whether so many fields more may be brought together. Where they
// may not, nothing is known of the object.
func (c *checker) merges(fields int) bool {
	c.merged += fields
	return c.merged <= maxMerged
}

// union returns what is known of a value that is an a or a b.
func (c *checker) union(a, b *typ) *typ {
	if a == b || a == anyType {
		return a
	}
	if b == anyType {
		return b
	}
	u := &typ{kinds: a.kinds | b.kinds}
	u.lits = unionLits(a.lits, b.lits)
	var both bool
	if u.elem, both = joint(a, b, stdlib.KArray, a.elem, b.elem); both {
		u.elem = c.union(a.elem, b.elem)
	}
	if u.obj, both = joint(a, b, stdlib.KObject, a.obj, b.obj); both {
		switch x, y := a.obj, b.obj; {
		case x == y:
			u.obj = x
		case x.closed && y.closed && c.merges(len(x.order)+len(y.order)):
			u.obj = c.unionObject(x, y)
		}
	}
	u.whole = (a.whole || !a.can(stdlib.KNumber)) && (b.whole || !b.can(stdlib.KNumber))
	u.date = (a.date || !a.can(stdlib.KString)) && (b.date || !b.can(stdlib.KString))
	return u
}

// maxLits bounds how many literals are kept of what a value may be: a schema's
// words, not the elements of a long array.
const maxLits = 32

func unionLits(a, b []string) []string {
	if a == nil || b == nil {
		return nil
	}
	all := slices.Clip(a)
	for _, l := range b {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	if len(all) > maxLits {
		return nil
	}
	return all
}

// unionObject returns what is known of an object that is one or the other of
// two that are written out. Schemas, which may be recursive, are not merged.
func (c *checker) unionObject(x, y *objType) *objType {
	o := &objType{closed: true}
	for _, name := range x.order {
		f := x.fields[name]
		if g, ok := y.fields[name]; ok {
			o.set(name, c.union(f.typ, g.typ), f.optional || g.optional)
		} else {
			o.set(name, f.typ.orNull(), true)
		}
	}
	for _, name := range y.order {
		if _, ok := x.fields[name]; !ok {
			o.set(name, y.fields[name].typ.orNull(), true)
		}
	}
	return o
}

// joint gives what a and b know together about their values of kind k; both says
// that each knows something, which is to be merged.
func joint[T any](a, b *typ, k stdlib.Kinds, x, y *T) (known *T, both bool) {
	switch {
	case !a.can(k):
		return y, false
	case !b.can(k):
		return x, false
	}
	return nil, x != nil && y != nil
}

// element returns what is known of the elements of t, if it is an array.
func (t *typ) element() *typ {
	if t.elem != nil {
		return t.elem
	}
	return anyType
}

func arrayOf(elem *typ) *typ { return &typ{kinds: stdlib.KArray, elem: elem} }

// describe returns t in words: "a number", "the schema `Order`".
func (t *typ) describe() string {
	switch {
	case len(t.lits) == 1:
		return t.kinds.String() + " (" + t.lits[0] + ")"
	case t.kinds == stdlib.KObject && t.obj != nil && t.obj.schema != "":
		return "an object of schema `" + t.obj.schema + "`"
	case t.kinds == stdlib.KArray && t.elem != nil && t.elem.obj != nil && t.elem.obj.schema != "":
		return "an array of schema `" + t.elem.obj.schema + "`"
	case t.kinds == stdlib.KNumber && t.whole:
		return "a whole number"
	case t.kinds == stdlib.KString && t.date, t.kinds == stdlib.KString|stdlib.KTime && t.date:
		return "a date"
	case t.lits != nil:
		return strings.Join(t.lits, " | ")
	}
	return t.kinds.String()
}

// literal types

// oneOf returns the type of one literal of that text, in one piece of memory.
func oneOf(t typ, text string) *typ {
	lit := &struct {
		typ
		text [1]string
	}{t, [1]string{text}}
	lit.lits = lit.text[:]
	return &lit.typ
}

func litType(e syntax.Expr) *typ {
	switch e := e.(type) {
	case *syntax.NullLit:
		return nullType
	case *syntax.BoolLit:
		return oneOf(typ{kinds: stdlib.KBool}, strconv.FormatBool(e.Value))
	case *syntax.StringLit:
		return oneOf(typ{kinds: stdlib.KString, date: dateForm(e.Value)}, strconv.Quote(e.Value))
	case *syntax.NumberLit:
		return oneOf(typ{kinds: stdlib.KNumber, whole: wholeText(e.Text) || e.Unit != ""}, e.Text+e.Unit)
	case *syntax.UnaryExpr:
		if n, ok := e.X.(*syntax.NumberLit); ok && e.Op == syntax.OpNeg {
			return oneOf(typ{kinds: stdlib.KNumber, whole: wholeText(n.Text)}, "-"+n.Text+n.Unit)
		}
	}
	return anyType
}

// wholeText reports whether a number's text is that of a whole number.
func wholeText(text string) bool {
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && f == math.Trunc(f)
}

// dateForm reports whether text is a date to the language: of RFC 3339 form,
// or YYYY-MM-DD (language definition, section 4).
func dateForm(text string) bool { return value.IsDateText(text) }

// readableDate reports whether text is what functions of time read as a date.
func readableDate(text string) bool {
	_, ok := value.ParseTime(text)
	return ok
}

// schema types

// builtinTypes are the names of the built-in types and their aliases
// (language definition, section 5).
var builtinTypes = map[string]*typ{
	"string":  stringType,
	"number":  numberType,
	"int":     {kinds: stdlib.KNumber, whole: true},
	"integer": {kinds: stdlib.KNumber, whole: true},
	"decimal": numberType,
	"float":   numberType,
	"double":  numberType,
	"boolean": boolType,
	"bool":    boolType,
	"date":    {kinds: stdlib.KTime | stdlib.KString, date: true},
	"datetime": {
		kinds: stdlib.KTime | stdlib.KString, date: true,
	},
	"array":  {kinds: stdlib.KArray},
	"object": recordType,
	"any":    anyType,
	"null":   nullType,
}

// resolve returns what is known of values of a type. Names are reported by
// checkType, not here.
func (c *checker) resolve(t syntax.TypeExpr) *typ {
	switch t := t.(type) {
	case *syntax.NamedType:
		if b, ok := builtinTypes[t.Name]; ok {
			return b
		}
		return c.schemaType(t.Name)
	case *syntax.ArrayType:
		return arrayOf(c.resolve(t.Elem))
	case *syntax.ObjectType:
		o, ok := c.objectTypes[t]
		if !ok {
			o = &objType{}
			c.objectTypes[t] = o
			c.fillLater(o, func() []*syntax.FieldType { return c.flat.ObjectFields(t) })
		}
		return &typ{kinds: stdlib.KObject, obj: o}
	case *syntax.LiteralType:
		return litType(t.Value)
	case *syntax.UnionType:
		var u *typ
		for _, alt := range t.Alts {
			a := c.resolve(alt)
			if alt, ok := alt.(*syntax.LiteralType); ok && a == nullType {
				a = &typ{kinds: stdlib.KNull, lits: []string{alt.Value.Place().Text()}}
			}
			if u == nil {
				u = a
			} else {
				u = c.union(u, a)
			}
		}
		if u != nil {
			return u
		}
	}
	return anyType
}

// schemaType returns the type of a schema's objects; any for an unknown name.
func (c *checker) schemaType(name string) *typ {
	if _, ok := c.schemas.get(name); !ok {
		return anyType
	}
	o, ok := c.schemaObj[name]
	if !ok {
		o = &objType{schema: name}
		c.schemaObj[name] = o // before the fields: schemas may be recursive
		c.fillLater(o, func() []*syntax.FieldType { return c.flat.Fields(name) })
	}
	return &typ{kinds: stdlib.KObject, obj: o}
}

// unfilled is an object type of which the fields are not resolved yet.
type unfilled struct {
	o      *objType
	fields func() []*syntax.FieldType
}

// fillLater sees to it that o has its fields when the resolve under way from
// outside returns. Within it nothing reads fields, and a chain of schemas that
// name each other makes no chain of calls.
func (c *checker) fillLater(o *objType, fields func() []*syntax.FieldType) {
	o.fields = map[string]*fieldType{}
	c.unfilled = append(c.unfilled, unfilled{o, fields})
	if c.filling {
		return
	}
	c.filling = true
	for len(c.unfilled) > 0 {
		last := len(c.unfilled) - 1
		u := c.unfilled[last]
		c.unfilled = c.unfilled[:last]
		for _, f := range u.fields() {
			t := c.resolve(f.Type)
			if f.Optional {
				t = t.orNull()
			}
			u.o.set(f.Name.Name, t, f.Optional)
		}
	}
	c.filling = false
	if c.flat.Exceeded() && !c.inheritsTooMuch {
		c.inheritsTooMuch = true
		c.report(diag.CodeTooLarge, c.mission.Name.Span, "split the mission into several, or name the fields once, in a schema that the others have as a field",
			"the schemas of mission `%s` take over more than %d fields from others with `...`", c.mission.Name.Name, maxInherited)
	}
}

func (o *objType) set(name string, t *typ, optional bool) {
	if o.fields == nil {
		o.fields = map[string]*fieldType{}
	}
	if _, ok := o.fields[name]; !ok {
		o.order = append(o.order, name)
	}
	o.fields[name] = &fieldType{t, optional}
}

// misfit says why a value of type t can't be a value of type want, "" if it
// may be one. It looks no deeper than depth levels, since schemas may be
// recursive, and at each pair of objects once.
func misfit(t, want *typ, depth int) string {
	var seen misfits
	return seen.of(t, want, depth)
}

// misfits holds the pairs of objects that were compared, and how deep.
type misfits struct{ depth map[[2]*objType]int }

// maxPairs bounds how many pairs are compared for one answer.
const maxPairs = 10_000

func (seen *misfits) of(t, want *typ, depth int) string {
	if depth == 0 || t.kinds == 0 {
		return ""
	}
	if t.kinds&want.kinds == 0 {
		return "expected " + want.describe() + ", found " + t.describe()
	}
	if t.lits != nil && want.lits != nil && !slices.ContainsFunc(t.lits, func(l string) bool { return slices.Contains(want.lits, l) }) {
		return "expected " + strings.Join(want.lits, " | ") + ", found " + strings.Join(t.lits, " | ")
	}
	common := t.kinds & want.kinds
	switch {
	case common == stdlib.KNumber && want.whole && t.lits != nil && !t.whole:
		return "expected a whole number, found " + strings.Join(t.lits, " | ")
	case common == stdlib.KString && want.date && t.lits != nil && !t.date:
		return "expected a date, found " + strings.Join(t.lits, " | ")
	case common == stdlib.KArray && t.elem != nil && want.elem != nil:
		if m := seen.of(t.elem, want.elem, depth-1); m != "" {
			return "in its elements: " + m
		}
	case common == stdlib.KObject && t.obj != nil && want.obj != nil && t.obj != want.obj:
		return seen.object(t.obj, want.obj, depth-1)
	}
	return ""
}

func (seen *misfits) object(o, want *objType, depth int) string {
	pair := [2]*objType{o, want}
	if seen.depth[pair] >= depth || len(seen.depth) > maxPairs {
		return "" // what is wrong is told where they were first compared
	}
	if seen.depth == nil {
		seen.depth = map[[2]*objType]int{}
	}
	seen.depth[pair] = depth
	for _, name := range want.order {
		w := want.fields[name]
		f, ok := o.fields[name]
		switch {
		case !ok && o.closed && !w.optional:
			return "the field `" + name + "` is missing"
		case ok:
			if m := seen.of(f.typ, w.typ, depth); m != "" {
				return "field `" + name + "`: " + m
			}
		}
	}
	return ""
}

// maxMisfitDepth bounds how deep misfit compares.
const maxMisfitDepth = 8

// checkType reports unknown names in a type.
func (c *checker) checkType(t syntax.TypeExpr) {
	switch t := t.(type) {
	case *syntax.NamedType:
		if _, ok := builtinTypes[t.Name]; !ok {
			c.useSchema(t.Span, t.Name)
		}
	case *syntax.ArrayType:
		c.checkType(t.Elem)
	case *syntax.ObjectType:
		c.checkObjectType(t)
	case *syntax.UnionType:
		for _, a := range t.Alts {
			c.checkType(a)
		}
	}
}

func (c *checker) checkObjectType(t *syntax.ObjectType) {
	if t == nil {
		return
	}
	seen := map[string]syntax.Span{}
	for _, f := range t.Fields {
		if f.Spread != nil {
			c.useSchema(f.Spread.Span, f.Spread.Name)
			continue
		}
		if f.Name != nil {
			if first, ok := seen[f.Name.Name]; ok {
				d := c.report(diag.CodeDuplicate, f.Name.Span, "", "the field `%s` is declared twice", f.Name.Name)
				note(d, first, "it is declared here first")
			} else {
				seen[f.Name.Name] = f.Name.Span
			}
		}
		if f.Type != nil {
			c.checkType(f.Type)
		}
	}
}

// useSchema reports an unknown schema, and marks a known one as used.
func (c *checker) useSchema(span syntax.Span, name string) (known bool) {
	if c.schemas.use(name) {
		return true
	}
	near := typeSynonyms[name]
	if near == "" {
		near = c.near(name, c.schemas.names, func() []string { return slices.Collect(maps.Keys(builtinTypes)) })
	}
	c.schemas.use(near)
	c.report(diag.CodeUnknownSchema, span, didYouMean(near), "unknown type `%s`: it is neither built in nor a schema of this mission", name)
	return false
}

// typeSynonyms are names of types in other languages.
var typeSynonyms = map[string]string{
	"str": "string", "text": "string", "String": "string", "varchar": "string", "uuid": "string",
	"Number": "number", "numeric": "number", "real": "decimal", "long": "int", "Int": "int", "bigint": "int",
	"Boolean": "boolean", "Bool": "boolean", "Date": "date", "timestamp": "date", "time": "date", "DateTime": "date",
	"list": "array", "Array": "array", "map": "object", "dict": "object", "record": "object", "json": "any", "unknown": "any",
	"undefined": "null", "nil": "null", "None": "null",
}
