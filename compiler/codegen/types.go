package codegen

import (
	"reqon/compiler/constant"
	"reqon/compiler/syntax"
	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// builtinTypes are the types that need no declaration, with their aliases
// (language definition, section 5).
var builtinTypes = map[string]bytecode.TypeKind{
	"any": bytecode.TypeAny, "null": bytecode.TypeNull, "boolean": bytecode.TypeBoolean, "bool": bytecode.TypeBoolean,
	"string": bytecode.TypeString, "number": bytecode.TypeNumber, "decimal": bytecode.TypeNumber,
	"float": bytecode.TypeNumber, "double": bytecode.TypeNumber, "int": bytecode.TypeInt, "integer": bytecode.TypeInt,
	"date": bytecode.TypeDate, "datetime": bytecode.TypeDate, "array": bytecode.TypeArray, "object": bytecode.TypeObject,
}

// addType adds a type and returns its number.
func (g *generator) addType(t bytecode.Type) int {
	g.prog.Types = append(g.prog.Types, t)
	return len(g.prog.Types) - 1
}

// namedType gives a built-in type or a schema. A schema has its number before
// its fields are known, so that schemas may refer to each other and themselves.
func (g *generator) namedType(name string) int {
	if i, ok := g.types[name]; ok {
		return i
	}
	if _, ok := g.schemas[name]; ok {
		i := g.addType(bytecode.Type{Kind: bytecode.TypeObject, Name: name, Elem: bytecode.None})
		g.types[name] = i
		g.fieldsLater(i, func() []*syntax.FieldType { return g.flat.Fields(name) })
		return i
	}
	i := g.addType(bytecode.Type{Kind: builtinTypes[name], Name: name, Elem: bytecode.None})
	g.types[name] = i
	return i
}

// unfilled is a type of which the fields are not generated yet.
type unfilled struct {
	typ    int
	fields func() []*syntax.FieldType
}

// fieldsLater sees to it that a type has its fields when the type under way from
// outside is done. A chain of schemas that name each other makes no chain of
// calls.
func (g *generator) fieldsLater(typ int, fields func() []*syntax.FieldType) {
	g.unfilled = append(g.unfilled, unfilled{typ, fields})
	if g.filling {
		return
	}
	g.filling = true
	for len(g.unfilled) > 0 && g.err == nil {
		last := len(g.unfilled) - 1
		u := g.unfilled[last]
		g.unfilled = g.unfilled[:last]
		var list []bytecode.TypeField
		for _, f := range u.fields() {
			list = append(list, bytecode.TypeField{Name: f.Name.Name, Type: g.typeOf(f.Type), Optional: f.Optional})
		}
		g.prog.Types[u.typ].Fields = list
	}
	g.filling = false
}

// typeOf gives the number of a type. Equal types written alike share one.
func (g *generator) typeOf(t syntax.TypeExpr) int {
	switch t := t.(type) {
	case *syntax.NamedType:
		return g.namedType(t.Name)
	case *syntax.ArrayType:
		return g.arrayOf(g.typeOf(t.Elem))
	case *syntax.ObjectType:
		i, ok := g.objectTypes[t]
		if !ok {
			i = g.addType(bytecode.Type{Kind: bytecode.TypeObject, Elem: bytecode.None})
			g.objectTypes[t] = i
			g.fieldsLater(i, func() []*syntax.FieldType { return g.flat.ObjectFields(t) })
		}
		return i
	case *syntax.LiteralType:
		v, _ := constant.Value(t.Value)
		return g.addType(bytecode.Type{Kind: bytecode.TypeLiteral, Elem: bytecode.None, Const: v})
	case *syntax.UnionType:
		u := bytecode.Type{Kind: bytecode.TypeUnion, Elem: bytecode.None}
		for _, alt := range t.Alts {
			u.Alts = append(u.Alts, g.typeOf(alt))
		}
		if g.err == nil && g.width(u) > bytecode.MaxWidth {
			g.exceeds(t.Span, "name a part of it as a schema, or take `string`", "a type is made up of more than %d types, the most that one can be", bytecode.MaxWidth)
		}
		return g.addType(u)
	}
	return g.namedType("any")
}

// arrayOf gives the type of arrays of a type.
func (g *generator) arrayOf(elem int) int {
	i, ok := g.arrays[elem]
	if !ok {
		i = g.addType(bytecode.Type{Kind: bytecode.TypeArray, Elem: elem, Const: value.NullValue})
		g.arrays[elem] = i
	}
	return i
}

// width counts the types that unions and elements bring together in one, as the
// verifier does.
func (g *generator) width(t bytecode.Type) int {
	width := 1
	switch t.Kind {
	case bytecode.TypeArray:
		if t.Elem != bytecode.None {
			width += g.width(g.prog.Types[t.Elem])
		}
	case bytecode.TypeUnion:
		for _, alt := range t.Alts {
			width += g.width(g.prog.Types[alt])
		}
	}
	return width
}
