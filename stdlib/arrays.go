package stdlib

import (
	"errors"
	"fmt"
	"slices"

	"reqon/vm/value"
)

func arrayFuncs() []Func {
	xs := Param{Name: "xs", Kinds: KArray}
	item := Param{Name: "item", Kinds: KAny}
	itemOpt := Param{Name: "item", Kinds: KAny, Optional: true}
	cond := Param{Name: "condition", Kinds: KAny}
	condOpt := Param{Name: "condition", Kinds: KAny, Optional: true}
	order := Param{Name: "order", Kinds: KString, Optional: true}
	return group("arrays", append(aggregateFuncs(), []Func{
		{Name: "count", Doc: "number of elements, or of those for which the condition is true",
			Params: []Param{xs, condOpt}, Item: 1, Result: KNumber, Form: Inline, impl: countAll},
		{Name: "first", Doc: "the first element, or null",
			Params: []Param{xs}, Result: KAny, impl: first},
		{Name: "last", Doc: "the last element, or null",
			Params: []Param{xs}, Result: KAny, impl: last},
		{Name: "includes", Doc: "whether an element equals a value, or a text holds another",
			Params: []Param{{Name: "xs", Kinds: KArray | KString}, {Name: "x", Kinds: KAny}}, Result: KBool, impl: includes},
		{Name: "isEmpty", Doc: "whether there is nothing in it: null, \"\", [] or {}",
			Params: []Param{{Name: "x", Kinds: KString | KArray | KObject | KNull}}, Result: KBool, impl: isEmpty},
		{Name: "map", Doc: "array of the item expression's values",
			Params: []Param{xs, item}, Item: 1, Result: KArray, Form: Inline},
		{Name: "filter", Doc: "array of the elements for which the condition is true",
			Params: []Param{xs, cond}, Item: 1, Result: KArray, Form: Inline},
		{Name: "reduce", Doc: "the value that a lambda makes of the value so far and each element in turn",
			Params: []Param{xs, {Name: "fn", Kinds: KAny}, {Name: "init", Kinds: KAny}},
			Item:   1, LambdaArity: 2, Result: KAny, Form: Inline, signature: "reduce(xs, (acc, x) => value, init)"},
		{Name: "flatMap", Doc: "array of the item expression's values, of which arrays are spread out",
			Params: []Param{xs, item}, Item: 1, Result: KArray, Form: Mapped, impl: flatMap},
		{Name: "flatten", Doc: "array with arrays in it spread out, one level deep or as many as said",
			Params: []Param{xs, {Name: "depth", Kinds: KNumber, Optional: true}}, Result: KArray, impl: flatten},
		{Name: "unique", Doc: "array without what equals an earlier element",
			Params: []Param{xs}, Result: KArray, impl: unique},
		{Name: "uniqueBy", Doc: "array of the first element for each value of the item expression",
			Params: []Param{xs, item}, Item: 1, Result: KArray, Form: Keyed, impl: uniqueBy},
		{Name: "sort", Doc: "array in order, \"asc\" or \"desc\"; nulls last",
			Params: []Param{xs, order}, Result: KArray, impl: sortValues},
		{Name: "sortBy", Doc: "array in the order of the item expression's values, \"asc\" or \"desc\"; nulls last",
			Params: []Param{xs, item, order}, Item: 1, Result: KArray, Form: Keyed, impl: sortBy},
		{Name: "reverse", Doc: "array from its last element to its first",
			Params: []Param{xs}, Result: KArray, impl: reverse},
		{Name: "slice", Doc: "array from one position up to, not including, another; negative ones count from the end",
			Params: []Param{xs, {Name: "from", Kinds: KNumber}, {Name: "to", Kinds: KNumber, Optional: true}},
			Result: KArray, impl: slice},
		{Name: "chunk", Doc: "array of arrays of n elements; the last one has what is left",
			Params: []Param{xs, {Name: "n", Kinds: KNumber}}, Result: KArray, impl: chunk},
		{Name: "zip", Doc: "array of arrays of the elements at the same place, null where an array is shorter",
			Params: []Param{xs, {Name: "more", Kinds: KArray, Optional: true}}, Variadic: true, Result: KArray, impl: zip},
		{Name: "range", Doc: "array of whole numbers: 0 to n-1, or from one up to, not including, another",
			Params: []Param{{Name: "from", Kinds: KNumber}, {Name: "to", Kinds: KNumber, Optional: true},
				{Name: "step", Kinds: KNumber, Optional: true}},
			Result: KArray, impl: numberRange, signature: "range(n) or range(from, to, step?)"},
		{Name: "find", Doc: "the first element for which the condition is true, or null",
			Params: []Param{xs, cond}, Item: 1, Result: KAny, Form: Inline},
		{Name: "findIndex", Doc: "the place, from 0, of the first element for which the condition is true, or -1",
			Params: []Param{xs, cond}, Item: 1, Result: KNumber, Form: Inline},
		{Name: "any", Doc: "whether the condition, or else the element, is true for at least one",
			Params: []Param{xs, condOpt}, Item: 1, Result: KBool, Form: Inline, impl: anyTrue},
		{Name: "all", Doc: "whether the condition, or else the element, is true for every one",
			Params: []Param{xs, condOpt}, Item: 1, Result: KBool, Form: Inline, impl: allTrue},
		{Name: "groupBy", Doc: "object of arrays of elements by text of the item expression",
			Params: []Param{xs, item}, Item: 1, Result: KObject, Form: Keyed, impl: groupBy},
		{Name: "countBy", Doc: "object of numbers of elements by text of the item expression",
			Params: []Param{xs, item}, Item: 1, Result: KObject, Form: Keyed, impl: countBy},
		{Name: "keyBy", Doc: "object of the last element by text of the item expression",
			Params: []Param{xs, item}, Item: 1, Result: KObject, Form: Keyed, impl: keyBy},
		{Name: "sum", Doc: "sum of numbers, exact as they are written; nulls are passed over; 0 of nothing",
			Params: []Param{xs, itemOpt}, Item: 1, Result: KNumber, Form: Mapped, impl: sum},
		{Name: "avg", Doc: "average of numbers; nulls are passed over; null of nothing",
			Params: []Param{xs, itemOpt}, Item: 1, Result: KNumber | KNull, Form: Mapped, impl: avg},
		{Name: "minBy", Doc: "the first element with the least value of the item expression; null values are passed over",
			Params: []Param{xs, item}, Item: 1, Result: KAny, Form: Keyed, impl: minBy},
		{Name: "maxBy", Doc: "the first element with the greatest value of the item expression; null values are passed over",
			Params: []Param{xs, item}, Item: 1, Result: KAny, Form: Keyed, impl: maxBy},
	}...))
}

func countAll(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return value.FromInt(int64(len(args[0].Elems()))), nil
}

func first(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if xs := args[0].Elems(); len(xs) > 0 {
		return xs[0], nil
	}
	return value.Value{}, nil
}

func last(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if xs := args[0].Elems(); len(xs) > 0 {
		return xs[len(xs)-1], nil
	}
	return value.Value{}, nil
}

func includes(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return holds(args)
}

func isEmpty(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if args[0].Kind() == value.String { // without counting code points
		return value.FromBool(args[0].Str() == ""), nil
	}
	n, _ := value.Length(args[0])
	return value.FromBool(n == 0), nil
}

func anyTrue(_ *value.Shapes, args []value.Value) (value.Value, error) {
	for _, x := range args[0].Elems() {
		if value.Truth(x) {
			return value.True, nil
		}
	}
	return value.False, nil
}

func allTrue(_ *value.Shapes, args []value.Value) (value.Value, error) {
	for _, x := range args[0].Elems() {
		if !value.Truth(x) {
			return value.False, nil
		}
	}
	return value.True, nil
}

func flatMap(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return flattenTo(args[0], 1)
}

func flatten(_ *value.Shapes, args []value.Value) (value.Value, error) {
	depth := int64(1)
	if len(args) > 1 {
		var err error
		if depth, err = wholeArg(args, 1); err != nil {
			return value.Value{}, err
		}
		if depth < 0 {
			return value.Value{}, badArg(1, "0 or more", "")
		}
	}
	return flattenTo(args[0], depth)
}

// flattenTo spreads out the arrays in xs, depth levels deep. Nothing nests
// deeper than the language allows, so it ends however large depth is.
func flattenTo(xs value.Value, depth int64) (value.Value, error) {
	isArray := func(x value.Value) bool { return x.Kind() == value.Array }
	if depth == 0 || !slices.ContainsFunc(xs.Elems(), isArray) {
		return xs, nil
	}
	left := 2 * maxElems // of elements and arrays: what is in neither is no work
	n := flatLen(xs.Elems(), depth, &left)
	if left < 0 || n > maxElems {
		return value.Value{}, errArrayTooLong
	}
	return value.FromArray(appendFlat(make([]value.Value, 0, n), xs.Elems(), depth)), nil
}

// flatLen returns how many elements xs has when flattened. It stops where left,
// from which it takes all that it looks at, is used up.
func flatLen(xs []value.Value, depth int64, left *int) int {
	if *left -= len(xs); depth == 0 || *left < 0 {
		return len(xs)
	}
	n := 0
	for _, x := range xs {
		if x.Kind() != value.Array {
			n++
		} else if n += flatLen(x.Elems(), depth-1, left); *left < 0 {
			break
		}
	}
	return n
}

func appendFlat(dst, xs []value.Value, depth int64) []value.Value {
	for _, x := range xs {
		if depth > 0 && x.Kind() == value.Array {
			dst = appendFlat(dst, x.Elems(), depth-1)
		} else {
			dst = append(dst, x)
		}
	}
	return dst
}

func unique(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return firstOfEach(args[0].Elems(), args[0])
}

func uniqueBy(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if err := sameLength(args); err != nil {
		return value.Value{}, err
	}
	return firstOfEach(args[0].Elems(), args[1])
}

// firstOfEach returns the elements of xs whose key equals that of no earlier
// one.
func firstOfEach(xs []value.Value, by value.Value) (value.Value, error) {
	if !value.Fits(by, maxKeys) {
		return value.Value{}, errKeysTooLong
	}
	keys := by.Elems()
	seen := make(map[string]struct{}, len(xs))
	out := make([]value.Value, 0, len(xs))
	var key []byte
	for i, x := range xs {
		key = value.AppendKey(key[:0], keys[i])
		if _, ok := seen[string(key)]; ok {
			continue
		}
		seen[string(key)] = struct{}{}
		out = append(out, x)
	}
	return value.FromArray(out), nil
}

// sameLength makes sure that a caller gave one key for each element.
func sameLength(args []value.Value) error {
	if n, keys := len(args[0].Elems()), len(args[1].Elems()); n != keys {
		return fmt.Errorf("found %s for %s", count(keys, "key"), count(n, "element"))
	}
	return nil
}

func reverse(_ *value.Shapes, args []value.Value) (value.Value, error) {
	xs := args[0].Elems()
	out := make([]value.Value, len(xs))
	for i, x := range xs {
		out[len(xs)-1-i] = x
	}
	return value.FromArray(out), nil
}

func slice(_ *value.Shapes, args []value.Value) (value.Value, error) {
	xs := args[0].Elems()
	from, to, err := span(args, len(xs))
	if err != nil {
		return value.Value{}, err
	}
	return value.FromArray(xs[from:to:to]), nil
}

func chunk(_ *value.Shapes, args []value.Value) (value.Value, error) {
	size, err := wholeArg(args, 1)
	if err != nil {
		return value.Value{}, err
	}
	if size < 1 {
		return value.Value{}, badArg(1, "1 or more", "")
	}
	xs := args[0].Elems()
	n := int(min(size, int64(len(xs))))
	var out []value.Value
	for len(xs) > 0 {
		n = min(n, len(xs))
		out = append(out, value.FromArray(xs[:n:n]))
		xs = xs[n:]
	}
	return value.FromArray(out), nil
}

// zip is as long as its longest array, so that no element is lost.
func zip(_ *value.Shapes, args []value.Value) (value.Value, error) {
	n := 0
	for _, a := range args {
		n = max(n, len(a.Elems()))
	}
	if n > maxElems/(1+len(args)) {
		return value.Value{}, errArrayTooLong
	}
	out := make([]value.Value, n)
	cells := make([]value.Value, n*len(args))
	for i := range out {
		row := cells[:len(args):len(args)]
		cells = cells[len(args):]
		for j, a := range args {
			if xs := a.Elems(); i < len(xs) {
				row[j] = xs[i]
			}
		}
		out[i] = value.FromArray(row)
	}
	return value.FromArray(out), nil
}

func numberRange(_ *value.Shapes, args []value.Value) (value.Value, error) {
	bounds := [3]int64{0, 0, 1}
	for i := range args {
		n, err := wholeArg(args, i)
		if err != nil {
			return value.Value{}, err
		}
		bounds[i] = n
	}
	from, to, step := bounds[0], bounds[1], bounds[2]
	if len(args) == 1 {
		from, to = 0, from
	}
	// The distance is computed without sign, where it can't overflow.
	var distance, stride uint64
	switch {
	case step > 0 && to > from:
		distance, stride = uint64(to)-uint64(from), uint64(step)
	case step < 0 && to < from:
		distance, stride = uint64(from)-uint64(to), -uint64(step)
	case step == 0:
		return value.Value{}, badArg(2, "a step other than 0", "")
	default:
		return value.FromArray(nil), nil
	}
	n := (distance-1)/stride + 1
	if n > maxElems {
		return value.Value{}, errors.New("the result has more than 10 million elements")
	}
	out := make([]value.Value, n)
	for i := range out {
		out[i] = value.FromInt(from + int64(i)*step)
	}
	return value.FromArray(out), nil
}

// groupKey is the text by which groupBy and its kin file an element. Null has
// a group that can be seen, not one without a name.
func groupKey(v value.Value) string {
	switch v.Kind() {
	case value.String:
		return v.Str()
	case value.Null:
		return "null"
	}
	return value.Text(v)
}

// objectBy makes the object that has a value for each key, in the order in
// which the keys first came. Its shape is private: keys that are data have no
// place in the program's table.
func objectBy(keys []string, values func(i int) value.Value) value.Value {
	b := value.NewObjectBuilder(nil, len(keys))
	for i, k := range keys {
		b.Set(k, values(i))
	}
	return b.Value()
}

// groups files each element of args[0] under the text of its key in args[1].
// It returns the texts in the order in which they first came, and for each
// element the index of its text.
func groups(args []value.Value) (keys []string, of []int, err error) {
	if err := sameLength(args); err != nil {
		return nil, nil, err
	}
	if !value.Fits(args[1], maxKeys) {
		return nil, nil, errKeysTooLong
	}
	index := make(map[string]int)
	of = make([]int, len(args[1].Elems()))
	for i, k := range args[1].Elems() {
		key := groupKey(k)
		g, ok := index[key]
		if !ok {
			g = len(keys)
			index[key] = g
			keys = append(keys, key)
		}
		of[i] = g
	}
	return keys, of, nil
}

func groupBy(_ *value.Shapes, args []value.Value) (value.Value, error) {
	keys, of, err := groups(args)
	if err != nil {
		return value.Value{}, err
	}
	sizes := make([]int, len(keys))
	for _, g := range of {
		sizes[g]++
	}
	members := make([][]value.Value, len(keys))
	for i, x := range args[0].Elems() {
		g := of[i]
		if members[g] == nil {
			members[g] = make([]value.Value, 0, sizes[g])
		}
		members[g] = append(members[g], x)
	}
	return objectBy(keys, func(i int) value.Value { return value.FromArray(members[i]) }), nil
}

func countBy(_ *value.Shapes, args []value.Value) (value.Value, error) {
	keys, of, err := groups(args)
	if err != nil {
		return value.Value{}, err
	}
	counts := make([]int64, len(keys))
	for _, g := range of {
		counts[g]++
	}
	return objectBy(keys, func(i int) value.Value { return value.FromInt(counts[i]) }), nil
}

func keyBy(_ *value.Shapes, args []value.Value) (value.Value, error) {
	keys, of, err := groups(args)
	if err != nil {
		return value.Value{}, err
	}
	lasts := make([]value.Value, len(keys))
	for i, x := range args[0].Elems() {
		lasts[of[i]] = x
	}
	return objectBy(keys, func(i int) value.Value { return lasts[i] }), nil
}
