package stdlib

import (
	"fmt"
	"strconv"
	"strings"

	"reqon/vm/value"
)

func objectFuncs() []Func {
	o := Param{Name: "o", Kinds: KObject}
	keys := Param{Name: "keys", Kinds: KArray | KText, Optional: false}
	objects := []Param{o, {Name: "more", Kinds: KObject, Optional: true}}
	return group("objects", []Func{
		{Name: "keys", Doc: "array of the keys, in their order",
			Params: []Param{o}, Result: KArray, impl: keysOf},
		{Name: "values", Doc: "array of the values, in the order of the keys",
			Params: []Param{o}, Result: KArray, impl: valuesOf},
		{Name: "entries", Doc: "array of [key, value] arrays, in the order of the keys",
			Params: []Param{o}, Result: KArray, impl: entries},
		{Name: "fromEntries", Doc: "object of [key, value] arrays; of equal keys the last one wins",
			Params: []Param{{Name: "xs", Kinds: KArray}}, Result: KObject, impl: fromEntries},
		{Name: "hasKey", Doc: "whether an object has a key, even if its value is null",
			Params: []Param{o, {Name: "key", Kinds: KText}}, Result: KBool, impl: hasKey},
		{Name: "pick", Doc: "object of just these keys, given as an array or one by one, in that order, where it has them",
			Params: []Param{o, keys}, Variadic: true, Result: KObject, impl: pick},
		{Name: "omit", Doc: "object without these keys, given as an array or one by one",
			Params: []Param{o, keys}, Variadic: true, Result: KObject, impl: omit},
		{Name: "merge", Doc: "object of the keys of all objects; of equal keys the last one wins",
			Params: objects, Variadic: true, Result: KObject, impl: merge},
		{Name: "deepMerge", Doc: "as merge, with objects under the same key merged likewise; arrays are replaced",
			Params: objects, Variadic: true, Result: KObject, impl: deepMerge},
		{Name: "get", Doc: "value at a path such as \"a.b.0\", or an array of its parts; the default where that is missing or null",
			Params: []Param{{Name: "x", Kinds: KAny}, {Name: "path", Kinds: KArray | KText},
				{Name: "default", Kinds: KAny, Optional: true}},
			Result: KAny, impl: get},
	})
}

func keysOf(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := args[0].Obj().Shape()
	out := make([]value.Value, s.Len())
	for i := range out {
		out[i] = value.FromString(s.Key(i))
	}
	return value.FromArray(out), nil
}

func valuesOf(_ *value.Shapes, args []value.Value) (value.Value, error) {
	slots := args[0].Obj().Slots()
	return value.FromArray(append(make([]value.Value, 0, len(slots)), slots...)), nil
}

func entries(_ *value.Shapes, args []value.Value) (value.Value, error) {
	o := args[0].Obj()
	out := make([]value.Value, o.Len())
	cells := make([]value.Value, 2*o.Len())
	for i, v := range o.Slots() {
		pair := cells[2*i : 2*i+2 : 2*i+2]
		pair[0], pair[1] = value.FromString(o.Shape().Key(i)), v
		out[i] = value.FromArray(pair)
	}
	return value.FromArray(out), nil
}

// fromEntries makes an object of a private shape: its keys are data.
func fromEntries(_ *value.Shapes, args []value.Value) (value.Value, error) {
	xs := args[0].Elems()
	b := value.NewObjectBuilder(nil, len(xs))
	for i, x := range xs {
		if x.Kind() != value.Array || len(x.Elems()) != 2 || KindOf(x.Elems()[0])&KText == 0 {
			return value.Value{}, fmt.Errorf("xs[%d] must be an array of a key and a value, found %s", i, value.Describe(x))
		}
		b.Set(str(x.Elems()[0]), x.Elems()[1])
	}
	return b.Value(), nil
}

func hasKey(_ *value.Shapes, args []value.Value) (value.Value, error) {
	_, ok := args[0].Obj().Get(str(args[1]))
	return value.FromBool(ok), nil
}

// keyArgs returns the keys that follow an object: one by one, or in arrays.
func keyArgs(args []value.Value) ([]string, error) {
	var keys []string
	for _, a := range args[1:] {
		if a.Kind() != value.Array {
			keys = append(keys, str(a))
			continue
		}
		for i, k := range a.Elems() {
			if KindOf(k)&KText == 0 {
				return nil, fmt.Errorf("keys[%d] must be a string, found %s", i, value.Describe(k))
			}
			keys = append(keys, str(k))
		}
	}
	return keys, nil
}

func pick(t *value.Shapes, args []value.Value) (value.Value, error) {
	keys, err := keyArgs(args)
	if err != nil {
		return value.Value{}, err
	}
	o := args[0].Obj()
	b := value.NewObjectBuilder(t, min(len(keys), o.Len()))
	for _, k := range keys {
		if v, ok := o.Get(k); ok {
			b.Set(k, v)
		}
	}
	return b.Value(), nil
}

func omit(t *value.Shapes, args []value.Value) (value.Value, error) {
	keys, err := keyArgs(args)
	if err != nil {
		return value.Value{}, err
	}
	o := args[0].Obj()
	gone := make([]bool, o.Len())
	for _, k := range keys {
		if i := o.Shape().Index(k); i >= 0 {
			gone[i] = true
		}
	}
	b := value.NewObjectBuilder(t, o.Len())
	for i, v := range o.Slots() {
		if !gone[i] {
			b.Set(o.Shape().Key(i), v)
		}
	}
	return b.Value(), nil
}

func merge(t *value.Shapes, args []value.Value) (value.Value, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	n := 0
	for _, a := range args {
		n += a.Obj().Len()
	}
	b := value.NewObjectBuilder(t, n)
	for _, a := range args {
		b.SetAll(a.Obj())
	}
	return b.Value(), nil
}

func deepMerge(t *value.Shapes, args []value.Value) (value.Value, error) {
	merged := args[0]
	left := maxElems
	for _, a := range args[1:] {
		if merged = mergeInto(t, merged, a, &left); left < 0 {
			return value.Value{}, fmt.Errorf("the result has more than %d fields", maxElems)
		}
	}
	return merged, nil
}

// mergeInto returns the object a with b's values over it. It goes as deep as
// both nest, which the language bounds, and stops where room, from which it
// takes the fields it makes, is used up.
func mergeInto(t *value.Shapes, a, b value.Value, room *int) value.Value {
	left, right := a.Obj(), b.Obj()
	if *room -= 1 + left.Len() + right.Len(); *room < 0 {
		return a
	}
	out := value.NewObjectBuilder(t, left.Len()+right.Len())
	out.SetAll(left)
	for i, v := range right.Slots() {
		key := right.Shape().Key(i)
		if v.Kind() == value.Object {
			if before, ok := left.Get(key); ok && before.Kind() == value.Object {
				v = mergeInto(t, before, v, room)
			}
		}
		out.Set(key, v)
	}
	return out.Value()
}

func get(_ *value.Shapes, args []value.Value) (value.Value, error) {
	v := args[0]
	if path := args[1]; path.Kind() == value.Array {
		for i, k := range path.Elems() {
			if KindOf(k)&KText == 0 {
				return value.Value{}, fmt.Errorf("path[%d] must be a string or a number, found %s", i, value.Describe(k))
			}
			var err error
			if v, err = part(v, str(k)); err != nil {
				return value.Value{}, err
			}
		}
	} else {
		for rest, more := str(path), true; more; {
			var key string
			key, rest, more = strings.Cut(rest, ".")
			var err error
			if v, err = part(v, key); err != nil {
				return value.Value{}, err
			}
		}
	}
	if v.IsNull() && len(args) > 2 {
		return args[2], nil
	}
	return v, nil
}

// part reads one part of a path: a key of an object, a place in an array (from
// the end if negative), or else a field of all its elements.
func part(v value.Value, key string) (value.Value, error) {
	if v.Kind() == value.Array {
		if i, err := strconv.Atoi(key); err == nil {
			xs := v.Elems()
			if i < 0 {
				i += len(xs)
			}
			if i < 0 || i >= len(xs) {
				return value.Value{}, nil
			}
			return xs[i], nil
		}
	}
	return value.LimitedField(v, key, maxElems)
}
