package value

import (
	"strings"
	"testing"
)

// TestTooDeep counts the levels of what is made value by value. What a document
// holds counts as MaxDepth levels.
func TestTooDeep(t *testing.T) {
	const most = 4 * MaxDepth
	shapes := NewShapes()
	wrap := map[string]func(v Value) Value{
		"array":   func(v Value) Value { return FromArray([]Value{FromInt(1 << 62), v, True, FromString("x")}) },
		"object":  func(v Value) Value { return FromObject(NewObj(shapes.Of("a", "b"), []Value{FromFloat(-1), v})) },
		"builder": func(v Value) Value { b := NewObjectBuilder(nil, 1); b.Set("a", v); return b.Value() },
		"field": func(v Value) Value {
			return Field(FromArray([]Value{FromObject(NewObj(shapes.Of("a"), []Value{v}))}), "a")
		},
		"clone": func(v Value) Value { return Clone(FromArray([]Value{v})) },
	}
	document, err := ParseJSON(nil, "[1]")
	if err != nil {
		t.Fatal(err)
	}
	for name, wrap := range wrap {
		for _, from := range []struct {
			v      Value
			levels int
		}{{FromInt(-1), 0}, {True, 0}, {FromTime(-1), 0}, {FromString(strings.Repeat("x", 1000)), 0}, {FromArray(nil), 0}, {document, MaxDepth}} {
			if name == "clone" && from.levels > 0 {
				continue // a copy is counted anew
			}
			v := from.v
			for range most - from.levels {
				if TooDeep(v) {
					t.Fatalf("%s: too deep too early", name)
				}
				v = wrap(v)
			}
			if TooDeep(v) {
				t.Errorf("%s of %s: %d levels are too deep", name, Describe(from.v), most)
			}
			for range 70_000 { // counting stops at some number and must not wrap round
				if v = wrap(v); !TooDeep(v) {
					t.Fatalf("%s of %s: not too deep", name, Describe(from.v))
				}
				if name == "clone" {
					break // it copies all levels
				}
			}
		}
	}
}

// TestNestingLeavesLengths: the count of levels shares a word with the length.
func TestNestingLeavesLengths(t *testing.T) {
	deep := FromArray([]Value{FromArray([]Value{FromArray([]Value{True, False})})})
	if n := len(deep.Elems()); n != 1 {
		t.Errorf("%d elements", n)
	}
	inner := deep.Elems()[0].Elems()[0]
	if n, _ := Length(inner); n != 2 || inner.Kind() != Array || len(inner.Elems()) != 2 {
		t.Errorf("%d elements of %v", n, inner.Kind())
	}
	o := FromObject(NewObj(NewShapes().Of("a", "b"), []Value{deep, Value{}}))
	if o.Kind() != Object || o.Obj().Len() != 2 || len(o.Obj().Slots()) != 2 {
		t.Errorf("%v of %d", o.Kind(), o.Obj().Len())
	}
	a, _ := ParseJSON(nil, `{"a":[[[true,false]]],"b":null}`)
	if !Equal(a, o) || string(AppendKey(nil, a)) != string(AppendKey(nil, o)) {
		t.Error("a document's value is not equal to the same one built")
	}
}
