package store

import (
	"reqon/vm/value"
	"strings"
)

// Filter is a part of a `where` that a store may work out by itself.
type Filter struct {
	Op    FilterOp
	Args  []Filter    // of And and Or
	Field string      // of the others: a top-level field of the record
	Value value.Value // what the field is compared with; of In an array
}

// FilterOp is what a Filter does.
type FilterOp uint8

// The operations of a filter. They mean what they mean in the language (section
// 4): Equal never converts, an order with null is false.
const (
	And FilterOp = iota
	Or
	Equal
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
	In
)

// Match works the filter out for a record, as the language does: And and Or go
// from left to right and only as far as they must; an order between kinds that
// have none is an error.
func (f *Filter) Match(record value.Value) (bool, error) {
	switch f.Op {
	case And, Or:
		for i := range f.Args {
			if pass, err := f.Args[i].Match(record); err != nil || pass == (f.Op == Or) {
				return pass, err
			}
		}
		return f.Op == And, nil
	}
	v := value.Field(record, f.Field)
	switch f.Op {
	case Equal:
		return value.Equal(v, f.Value), nil
	case NotEqual:
		return !value.Equal(v, f.Value), nil
	case In:
		for _, e := range f.Value.Elems() {
			if value.Equal(v, e) {
				return true, nil
			}
		}
		return false, nil
	}
	c, ok, err := value.Compare(v, f.Value)
	if err != nil || !ok {
		return false, err
	}
	switch f.Op {
	case Less:
		return c < 0, nil
	case LessEqual:
		return c <= 0, nil
	case Greater:
		return c > 0, nil
	}
	return c >= 0, nil
}

var opText = [...]string{And: "and", Or: "or", Equal: "==", NotEqual: "!=", Less: "<", LessEqual: "<=", Greater: ">", GreaterEqual: ">=", In: "in"}

// String returns the filter as the language writes it.
func (f Filter) String() string {
	if f.Op > Or {
		return "." + f.Field + " " + opText[f.Op] + " " + string(value.AppendJSON(nil, f.Value))
	}
	parts := make([]string, len(f.Args))
	for i := range f.Args {
		parts[i] = f.Args[i].String()
	}
	return "(" + strings.Join(parts, " "+opText[f.Op]+" ") + ")"
}
