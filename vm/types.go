package vm

import (
	"errors"
	"fmt"
	"strings"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// Check holds a value against a type of the program. The error says where they
// differ.
func (m *Machine) Check(v value.Value, typ int) error {
	if m.is(v, typ) {
		return nil
	}
	return errors.New(m.mismatch(v, typ))
}

// is reports whether v is of the type: deep, open, never converting (language
// definition, section 5). Types may be recursive; the depth of v bounds it.
func (m *Machine) is(v value.Value, typ int) bool {
	c := matcher{types: m.prog.Types}
	return c.is(v, typ)
}

// matcher holds values against types. The alternatives of a union may lead to
// the same values again, and those of a union in there once more: with each
// level twice as often. So a union that turns out to be costly remembers what
// it has found.
type matcher struct {
	types  []bytecode.Type
	unions int // around the value
	steps  int // in the outermost of them
	all    int // outside of unions
	known  map[match]bool
}

// match is an array or object, by its place in memory, and a type.
type match struct {
	v   value.Value
	typ int
}

// manySteps is from where on a matcher remembers.
const manySteps = 1000

// sharedSteps is the same outside of unions, where only a value that holds
// another one several times, level by level, has so many.
const sharedSteps = 10_000_000

func (c *matcher) is(v value.Value, typ int) bool {
	t := &c.types[typ]
	switch t.Kind {
	case bytecode.TypeAny:
		return true
	case bytecode.TypeNull:
		return v.IsNull()
	case bytecode.TypeBoolean:
		return v.Kind() == value.Bool
	case bytecode.TypeString:
		return v.Kind() == value.String
	case bytecode.TypeNumber:
		return v.IsNumber()
	case bytecode.TypeInt:
		return isWhole(v)
	case bytecode.TypeDate:
		return v.Kind() == value.Time || v.Kind() == value.String && value.IsDateText(v.Str())
	case bytecode.TypeLiteral:
		return value.Equal(v, t.Const)
	case bytecode.TypeUnion:
		return c.isUnion(v, t)
	case bytecode.TypeArray:
		if v.Kind() != value.Array {
			return false
		}
	case bytecode.TypeObject:
		if v.Kind() != value.Object {
			return false
		}
	default:
		return false
	}
	if c.unions == 0 {
		if c.all++; c.all < sharedSteps {
			return c.within(v, t)
		}
	} else if c.steps++; c.steps < manySteps {
		return c.within(v, t)
	}
	key := match{v, typ}
	is, ok := c.known[key]
	if !ok {
		is = c.within(v, t)
		if c.known == nil {
			c.known = map[match]bool{}
		}
		c.known[key] = is
	}
	return is
}

func (c *matcher) isUnion(v value.Value, t *bytecode.Type) bool {
	if c.unions == 0 && c.all < sharedSteps {
		c.steps, c.known = 0, nil
	}
	c.unions++
	is := false
	for i := 0; i < len(t.Alts) && !is; i++ {
		is = c.is(v, t.Alts[i])
	}
	c.unions--
	return is
}

// within reports whether what an array or object holds is of the type.
func (c *matcher) within(v value.Value, t *bytecode.Type) bool {
	if t.Kind == bytecode.TypeArray {
		if t.Elem != bytecode.None {
			for _, e := range v.Elems() {
				if !c.is(e, t.Elem) {
					return false
				}
			}
		}
		return true
	}
	o := v.Obj()
	for i := range t.Fields {
		f := &t.Fields[i]
		field, ok := o.Get(f.Name)
		if f.Optional && field.IsNull() {
			continue
		}
		if !ok || !c.is(field, f.Type) {
			return false
		}
	}
	return true
}

// isWhole reports whether v is a whole number, whatever its form and size.
func isWhole(v value.Value) bool {
	switch v.Kind() {
	case value.Int:
		return true
	case value.Float, value.Decimal, value.NumText:
		f := value.Float64(v)
		return f == float64(int64(f)) || f >= 1<<53 || f <= -1<<53
	}
	return false
}

// mismatch says why v is not of the type: the path to the first place, what was
// expected and what was found.
func (m *Machine) mismatch(v value.Value, typ int) string {
	path, expected, found := m.explain(v, typ, "")
	if path != "" {
		path += ": "
	}
	return fmt.Sprintf("%sexpected %s, found %s", path, expected, found)
}

func (m *Machine) explain(v value.Value, typ int, path string) (at, expected, found string) {
	t := &m.prog.Types[typ]
	switch {
	case t.Kind == bytecode.TypeObject && v.Kind() == value.Object:
		for i := range t.Fields {
			f := &t.Fields[i]
			field, ok := v.Obj().Get(f.Name)
			if f.Optional && field.IsNull() || ok && m.is(field, f.Type) {
				continue
			}
			at := strings.TrimPrefix(path+"."+f.Name, ".")
			if !ok {
				return at, m.typeName(f.Type), "nothing: the field is missing"
			}
			return m.explain(field, f.Type, at)
		}
	case t.Kind == bytecode.TypeArray && v.Kind() == value.Array && t.Elem != bytecode.None:
		for i, e := range v.Elems() {
			if !m.is(e, t.Elem) {
				return m.explain(e, t.Elem, fmt.Sprintf("%s[%d]", path, i))
			}
		}
	}
	return path, m.typeName(typ), value.Describe(v)
}

// typeName returns a type as people write it.
func (m *Machine) typeName(typ int) string {
	t := &m.prog.Types[typ]
	if t.Name != "" {
		return t.Name
	}
	switch t.Kind {
	case bytecode.TypeLiteral:
		return value.Describe(t.Const)
	case bytecode.TypeUnion:
		names := make([]string, len(t.Alts))
		for i, alt := range t.Alts {
			names[i] = m.typeName(alt)
		}
		return strings.Join(names, " | ")
	case bytecode.TypeArray:
		if t.Elem != bytecode.None {
			return "array<" + m.typeName(t.Elem) + ">"
		}
	}
	return t.Kind.String()
}
