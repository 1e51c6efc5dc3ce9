package stdlib

import (
	"strings"

	"reqon/vm/value"
)

// Kinds is a set of kinds of values, as the language tells them apart.
type Kinds uint16

// The kinds. KText is what a function takes where it wants text and a number
// may stand for its own, as a number does for the key of a record.
const (
	KNull Kinds = 1 << iota
	KBool
	KNumber
	KString
	KTime
	KArray
	KObject

	KAny  = KNull | KBool | KNumber | KString | KTime | KArray | KObject
	KText = KString | KNumber
)

// kDate is what a function of time takes: a timestamp, or text that reads as
// one.
const kDate = KTime | KString

// kindNames are the names of the kinds in the order in which String lists
// them.
var kindNames = [...]struct {
	kind Kinds
	name string
}{
	{KArray, "an array"},
	{KObject, "an object"},
	{KString, "a string"},
	{KNumber, "a number"},
	{KTime, "a timestamp"},
	{KBool, "a boolean"},
	{KNull, "null"},
}

// String returns the set in words, as in "must be an array or a string".
func (k Kinds) String() string {
	switch k & KAny {
	case KAny:
		return "any value"
	case KAny &^ KNull:
		return "any value but null"
	case 0:
		return "no value"
	}
	var names []string
	for _, n := range kindNames {
		if k&n.kind != 0 {
			names = append(names, n.name)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// kindOf maps the forms of package value to kinds.
var kindOf = [...]Kinds{
	value.Null:    KNull,
	value.Bool:    KBool,
	value.String:  KString,
	value.Array:   KArray,
	value.Object:  KObject,
	value.NumText: KNumber,
	value.Int:     KNumber,
	value.Float:   KNumber,
	value.Decimal: KNumber,
	value.Time:    KTime,
}

// KindOf returns the one kind that v has.
func KindOf(v value.Value) Kinds { return kindOf[v.Kind()] }
