package stdlib

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"reqon/vm/value"
)

// ordering compares the values of one array by index. `<` alone would not do:
// it takes strings as text or as dates from pair to pair, and an order must be
// the same for all.
type ordering struct {
	values []value.Value
	// instants has the milliseconds of each value if the values are dates,
	// floats each number if a float64 tells all of them apart.
	instants []int64
	floats   []float64
	compare  func(o *ordering, i, j int) int
}

// newOrdering returns the order of the values that are not null. They must be
// all numbers, all strings, or all timestamps and date text. name is what the
// values are called in the error.
func newOrdering(values []value.Value, name string) (*ordering, error) {
	o := &ordering{values: values}
	var seen Kinds
	firstOf := func(k Kinds) int {
		return slices.IndexFunc(values, func(v value.Value) bool { return KindOf(v) == k })
	}
	ints, floats, dates, instants := true, true, true, true
	for i, v := range values {
		k := KindOf(v)
		if k == KNull {
			continue
		}
		if k&(KNumber|KString|KTime) == 0 {
			return nil, fmt.Errorf("%s[%d] must be a number, a string, a timestamp or null, found %s", name, i, value.Describe(v))
		}
		if other := seen &^ k; other != 0 && (other|k)&^kDate != 0 {
			j := firstOf(other & -other)
			return nil, fmt.Errorf("%s must be all numbers, all strings or all timestamps, found %s in %s[%d] and %s in %s[%d]",
				name, value.Describe(values[j]), name, j, value.Describe(v), name, i)
		}
		seen |= k
		ints = ints && v.IsInt()
		floats = floats && isExactFloat(v)
		if k == KString {
			_, date := value.ParseTime(v.Str())
			dates = dates && date
			// Between strings alone it is their form that makes them times.
			instants = instants && value.IsDateText(v.Str()) && len(v.Str()) > len("2006-01-02")
		}
	}
	switch {
	case seen == KNumber && ints:
		o.compare = (*ordering).compareInts
	case seen&KTime != 0:
		if !dates {
			j := slices.IndexFunc(values, func(v value.Value) bool {
				_, date := value.ParseTime(v.Str())
				return v.Kind() == value.String && !date
			})
			i := firstOf(KTime)
			return nil, fmt.Errorf("%s[%d] must be a timestamp or date text, as is %s[%d], found %s",
				name, j, name, i, value.Describe(values[j]))
		}
		o.setInstants()
	case seen == KString && instants:
		o.setInstants()
	case seen == KString:
		o.compare = (*ordering).compareText
	case seen == KNumber && floats:
		o.setFloats()
	default:
		o.compare = (*ordering).compareValues
	}
	return o, nil
}

// isExactFloat reports whether v is a number that is compared as a float64:
// not an integer or a text with more digits than that holds.
func isExactFloat(v value.Value) bool {
	switch v.Kind() {
	case value.Int:
		return -1<<53 <= v.Int() && v.Int() <= 1<<53
	case value.Float, value.Decimal:
		return true
	}
	return false
}

func (o *ordering) setFloats() {
	o.floats = make([]float64, len(o.values))
	for i, v := range o.values {
		if !v.IsNull() {
			o.floats[i] = value.Float64(v)
		}
	}
	o.compare = (*ordering).compareFloats
}

func (o *ordering) compareFloats(i, j int) int {
	return cmp.Compare(o.floats[i], o.floats[j])
}

func (o *ordering) setInstants() {
	o.instants = make([]int64, len(o.values))
	for i, v := range o.values {
		switch v.Kind() {
		case value.Time:
			o.instants[i] = v.Time()
		case value.String:
			o.instants[i], _ = value.ParseTime(v.Str())
		}
	}
	o.compare = (*ordering).compareInstants
}

func (o *ordering) compareInts(i, j int) int {
	return cmp.Compare(o.values[i].Int(), o.values[j].Int())
}

func (o *ordering) compareText(i, j int) int {
	return strings.Compare(o.values[i].Str(), o.values[j].Str())
}

func (o *ordering) compareInstants(i, j int) int {
	if c := cmp.Compare(o.instants[i], o.instants[j]); c != 0 {
		return c
	}
	c, _, _ := value.Compare(o.instant(i), o.instant(j)) // within a millisecond
	return c
}

// instant returns the value at i in a form that compares as an instant with
// every other: between strings, only date-times of RFC 3339 form do.
func (o *ordering) instant(i int) value.Value {
	if v := o.values[i]; v.Kind() == value.Time || len(v.Str()) > len("2006-01-02") && value.IsDateText(v.Str()) {
		return v
	}
	return value.FromTime(o.instants[i])
}

// compareValues is for kinds that newOrdering found to have an order.
func (o *ordering) compareValues(i, j int) int {
	c, _, _ := value.Compare(o.values[i], o.values[j])
	return c
}

// sorted returns the indices of the values in order. Equal ones keep their
// order, and nulls come last, whichever the direction.
func (o *ordering) sorted(descending bool) []int {
	order := make([]int, 0, len(o.values))
	var nulls []int
	for i, v := range o.values {
		if v.IsNull() {
			nulls = append(nulls, i)
		} else {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int {
		c := o.compare(o, i, j)
		if descending {
			c = -c
		}
		if c == 0 {
			return i - j
		}
		return c
	})
	return append(order, nulls...)
}

// extreme returns the index of the first least value (sign -1) or the first
// greatest one (sign 1), or -1 if all are null.
func (o *ordering) extreme(sign int) int {
	best := -1
	for i, v := range o.values {
		if !v.IsNull() && (best < 0 || o.compare(o, i, best)*sign > 0) {
			best = i
		}
	}
	return best
}

func sortValues(_ *value.Shapes, args []value.Value) (value.Value, error) {
	return sortedBy(args, args[0].Elems(), 1, "xs")
}

func sortBy(_ *value.Shapes, args []value.Value) (value.Value, error) {
	if err := sameLength(args); err != nil {
		return value.Value{}, err
	}
	return sortedBy(args, args[1].Elems(), 2, "keys")
}

// sortedBy returns args[0] in the order of the keys; the argument at index
// direction says which way.
func sortedBy(args []value.Value, keys []value.Value, direction int, name string) (value.Value, error) {
	descending := false
	if len(args) > direction {
		switch args[direction].Str() {
		case "asc":
		case "desc":
			descending = true
		default:
			return value.Value{}, badArg(direction, `"asc" or "desc"`, "")
		}
	}
	o, err := newOrdering(keys, name)
	if err != nil {
		return value.Value{}, err
	}
	xs := args[0].Elems()
	out := make([]value.Value, len(xs))
	for i, j := range o.sorted(descending) {
		out[i] = xs[j]
	}
	return value.FromArray(out), nil
}

func minBy(_ *value.Shapes, args []value.Value) (value.Value, error) { return extremeBy(args, -1) }

func maxBy(_ *value.Shapes, args []value.Value) (value.Value, error) { return extremeBy(args, 1) }

func extremeBy(args []value.Value, sign int) (value.Value, error) {
	if err := sameLength(args); err != nil {
		return value.Value{}, err
	}
	o, err := newOrdering(args[1].Elems(), "keys")
	if err != nil {
		return value.Value{}, err
	}
	if i := o.extreme(sign); i >= 0 {
		return args[0].Elems()[i], nil
	}
	return value.Value{}, nil
}
