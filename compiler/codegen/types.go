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
	if s, ok := g.schemas[name]; ok {
		i := g.addType(bytecode.Type{Kind: bytecode.TypeObject, Name: name, Elem: bytecode.None})
		g.types[name] = i
		fields := g.fields(s.Body, map[string]bool{name: true})
		g.prog.Types[i].Fields = fields
		return i
	}
	i := g.addType(bytecode.Type{Kind: builtinTypes[name], Name: name, Elem: bytecode.None})
	g.types[name] = i
	return i
}

// fields gives the fields of an object type with those of the schemas it
// includes; a later field of the same name wins. open are the schemas being
// included, so that one that includes itself ends.
func (g *generator) fields(o *syntax.ObjectType, open map[string]bool) (fields []bytecode.TypeField) {
	index := map[string]int{}
	add := func(f bytecode.TypeField) {
		if i, ok := index[f.Name]; ok {
			fields[i] = f
			return
		}
		index[f.Name] = len(fields)
		fields = append(fields, f)
	}
	for _, f := range o.Fields {
		if f.Spread == nil {
			add(bytecode.TypeField{Name: f.Name.Name, Type: g.typeOf(f.Type), Optional: f.Optional})
			continue
		}
		base := f.Spread.Name
		s, ok := g.schemas[base]
		if !ok || open[base] {
			continue
		}
		open[base] = true
		for _, inherited := range g.fields(s.Body, open) {
			add(inherited)
		}
		delete(open, base)
	}
	return fields
}

// typeOf gives the number of a type. Equal types written alike share one.
func (g *generator) typeOf(t syntax.TypeExpr) int {
	switch t := t.(type) {
	case *syntax.NamedType:
		return g.namedType(t.Name)
	case *syntax.ArrayType:
		return g.arrayOf(g.typeOf(t.Elem))
	case *syntax.ObjectType:
		return g.addType(bytecode.Type{Kind: bytecode.TypeObject, Elem: bytecode.None, Fields: g.fields(t, map[string]bool{})})
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
