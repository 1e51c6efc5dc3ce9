package vm

import (
	"fmt"
	"strings"

	"reqon/vm/near"
	"reqon/vm/value"
)

// This file reads what an answer says beside its items: that there is more, or
// that something went wrong.

// SaysNothing reports whether a value counts as none where it would tell of an
// error: null, false, 0, "", an empty
// array or object, or an array of nulls (language definition, section 6.1).
func SaysNothing(v value.Value) bool {
	switch v.Kind() {
	case value.Array:
		for _, e := range v.Elems() {
			if !e.IsNull() {
				return false
			}
		}
		return true
	case value.Object:
		return v.Obj().Len() == 0
	}
	return !value.Truth(v)
}

// problem gives the field of an answer that tells of an error: `error` or
// `errors`, if it holds anything; "" without one.
func problem(v value.Value) (name string, e value.Value) {
	if v.Kind() != value.Object {
		return "", e
	}
	for _, name := range [...]string{"error", "errors"} {
		if e, ok := v.Obj().Get(name); ok && !SaysNothing(e) {
			return name, e
		}
	}
	return "", e
}

// maxItemsDepth is how deep the items of an answer are looked for where nothing
// names them: GraphQL's are in data.orders.nodes, or deeper by one.
const maxItemsDepth = 4

// partial says how an answer has an error beside its items; "" if it does not.
// path is where the items are, "" where only what is there can tell.
func partial(body value.Value, path string) string {
	name, e := problem(body)
	if name == "" || name == path {
		return ""
	}
	if path == "" && !holdsItems(body, name) {
		return ""
	}
	return fmt.Sprintf("has an answer with items, which says %s beside them: %s", name, value.Describe(e))
}

// holdsItems reports whether an object has items in a field other than the one
// that tells of an error, or, as GraphQL answers, anything in `data`.
func holdsItems(body value.Value, problem string) bool {
	if data := value.Field(body, "data"); data.Kind() == value.Object {
		for _, v := range data.Obj().Slots() {
			if !SaysNothing(v) {
				return true
			}
		}
	}
	for _, path := range filledArrays(body, "", maxItemsDepth) {
		if path != problem && !strings.HasPrefix(path, problem+".") {
			return true
		}
	}
	return false
}

// moreSign gives the field by which an answer with items says that there is
// more, other than the one at the path read; "" if it does not say so. It looks
// at each key once: most answers have none of these.
func moreSign(body value.Value, read string) string {
	if body.Kind() != value.Object {
		return ""
	}
	o := body.Obj()
	shape := o.Shape()
	array, sign := false, ""
	for i, v := range o.Slots() {
		if v.Kind() == value.Array {
			array = true
			continue
		}
		if sign != "" {
			continue
		}
		switch key := shape.Key(i); key {
		case "next", "next_page", "next_cursor", "nextPageToken", "next_page_token", "nextRecordsUrl", "next_page_uri", "@odata.nextLink":
			if leadsOn(v) && key != read {
				sign = key
			}
		case "has_more", "hasMore", "has_next_page":
			if v.Kind() == value.Bool && v.Bool() && key != read {
				sign = key
			}
		case "paging", "links", "response_metadata":
			inner := "next"
			if key == "response_metadata" {
				inner = "next_cursor"
			}
			if path := key + "." + inner; leadsOn(value.Field(v, inner)) && path != read {
				sign = path
			}
		}
	}
	if !array {
		return ""
	}
	return sign
}

// leadsOn reports whether a value may lead to the next page: text that is not
// empty, or a whole number.
func leadsOn(v value.Value) bool {
	if v.Kind() == value.String {
		return v.Str() != ""
	}
	_, whole := value.AsInt(v)
	return whole
}

// misspelt gives the path that was most likely meant by one at which a page has
// nothing: it differs in keys that are nearly those of the page, and leads to
// what may be a cursor.
func misspelt(v value.Value, path string) string {
	if v.Kind() != value.Object {
		return ""
	}
	o := v.Obj()
	name, rest, more := strings.Cut(path, ".")
	if inner, ok := o.Get(name); ok && more {
		if found := misspelt(inner, rest); found != "" {
			return name + "." + found
		}
		return ""
	}
	for i, slot := range o.Slots() {
		key := o.Shape().Key(i)
		if near.Alike(path, key) && leadsOn(slot) {
			return key
		}
		if !more || !near.Alike(name, key) {
			continue
		}
		if inner, ok := lookUp(slot, rest); ok && leadsOn(inner) {
			return key + "." + rest
		}
		if found := misspelt(slot, rest); found != "" {
			return key + "." + found
		}
	}
	return ""
}
