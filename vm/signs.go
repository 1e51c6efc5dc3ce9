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

// moreSign gives the path by which an answer with items says that there is
// more, other than the one read; "" if it does not say so. It looks at each key
// once: most answers have none of these.
func moreSign(body value.Value, read string) string {
	return moreIn(body, read, "", 0)
}

// maxWrapped is how many objects an answer may be wrapped in: GraphQL's pages
// are in data.orders, or deeper by one.
const maxWrapped = 3

// moreIn looks at the object of an answer at the path of prefix. Where it has no
// list, what is in its wrapper is the answer.
func moreIn(body value.Value, read, prefix string, depth int) string {
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
		key := shape.Key(i)
		if key == "_embedded" && v.Kind() == value.Object {
			array = array || len(arrayFields(v)) > 0
			continue
		}
		if sign != "" {
			continue
		}
		switch key {
		case "paging", "links", "_links", "response_metadata", "meta", "metadata", "pagination", "pageInfo", "page_info":
			sign = moreBeside(v, read, prefix+key+".")
		default:
			if saysNext(key, v) && prefix+key != read && !near.Alike(prefix+key, read) {
				sign = prefix + key
			}
		}
	}
	if array {
		return sign
	}
	if depth == maxWrapped {
		return ""
	}
	for i, v := range o.Slots() {
		key := shape.Key(i)
		if v.Kind() != value.Object || depth == 0 && key != "data" && key != "result" && key != "response" && key != "d" {
			continue
		}
		if _, record := v.Obj().Get("id"); record {
			continue
		}
		if sign := moreIn(v, read, prefix+key+".", depth+1); sign != "" {
			return sign
		}
	}
	return ""
}

// moreBeside looks at an object that speaks of pages.
func moreBeside(v value.Value, read, prefix string) string {
	if v.Kind() != value.Object {
		return ""
	}
	o := v.Obj()
	for i, slot := range o.Slots() {
		key := o.Shape().Key(i)
		if key == "next" && slot.Kind() == value.Object && leadsOn(value.Field(slot, "href")) && prefix+"next.href" != read && prefix+key != read {
			return prefix + "next.href"
		}
		// A `next_token` in the answer itself may as well be where the next sync begins.
		if (saysNext(key, slot) || key == "next_token" && leadsOn(slot)) && prefix+key != read {
			return prefix + key
		}
	}
	return ""
}

// saysNext reports whether a field says that another page follows.
func saysNext(key string, v value.Value) bool {
	switch key {
	case "next", "next_page", "nextPage", "next_cursor", "nextCursor", "nextPageToken", "next_page_token", "nextToken", "NextToken",
		"NextContinuationToken", "nextRecordsUrl", "next_page_uri", "next_page_url", "nextPageUrl", "next_url", "nextUrl", "nextLink", "@odata.nextLink":
		return leadsOn(v)
	case "has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage", "IsTruncated":
		return v.Kind() == value.Bool && v.Bool()
	case "LastEvaluatedKey":
		return v.Kind() == value.Object && v.Obj().Len() > 0
	}
	return false
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
