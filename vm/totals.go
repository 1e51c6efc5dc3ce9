package vm

import (
	"fmt"
	"strings"

	"reqon/vm/bytecode"
	"reqon/vm/near"
	"reqon/vm/value"
)

// This file holds what an answer says of the whole against what has come: how
// many items and pages there are, and whether one lies before the first.

// countFields are the names under which APIs say how many items there are on
// all pages. A lone `total` may as well be a sum of money, so it counts only
// beside a field that speaks of pages.
var countFields = [...]string{"total_count", "totalCount", "total_items", "totalItems", "total_records", "totalRecords",
	"total_elements", "totalElements", "total_results", "totalSize", "@odata.count"}

// pageFields are names that speak of pages.
var pageFields = [...]string{"limit", "offset", "page", "per_page", "perPage", "page_size", "pageSize", "current_page", "currentPage",
	"startAt", "maxResults", "skip", "start", "from", "total_pages", "totalPages", "last_page"}

// pagingObjects are the names of the objects in which they stand, if not in the
// answer itself.
var pagingObjects = [...]string{"meta", "pagination", "paging", "page", "metadata", "_metadata", "_meta"}

// whole gives the whole number above 0 in the first of the fields that has one.
func whole(v value.Value, names ...string) (n int64, name string) {
	for _, name := range names {
		if n, ok := value.AsInt(value.Field(v, name)); ok && n > 0 {
			return n, name
		}
	}
	return 0, ""
}

// total gives how many items there are on all pages, and the path of the field
// that says so; "" if none does.
func total(body value.Value) (n int64, path string) {
	return inPaging(body, func(v value.Value) (int64, string) {
		if n, name := whole(v, countFields[:]...); n > 0 {
			return n, name
		}
		if n, name := whole(v, "total"); n > 0 {
			for _, other := range pageFields {
				if _, ok := value.AsInt(value.Field(v, other)); ok {
					return n, name
				}
			}
		}
		return 0, ""
	})
}

// inPaging looks for a number in an answer, and in the object in it that speaks
// of pages.
func inPaging(body value.Value, look func(value.Value) (int64, string)) (n int64, path string) {
	if body.Kind() != value.Object {
		return 0, ""
	}
	if n, name := look(body); name != "" {
		return n, name
	}
	for _, outer := range pagingObjects {
		v := value.Field(body, outer)
		if v.Kind() != value.Object {
			continue
		}
		if n, name := look(v); name != "" {
			return n, outer + "." + name
		}
		if inner := value.Field(v, "pagination"); inner.Kind() == value.Object {
			if n, name := look(inner); name != "" {
				return n, outer + ".pagination." + name
			}
		}
	}
	return 0, ""
}

// saysTotal gives where the current page says that there are more items than n.
func (p *pageState) saysTotal(n int64) string {
	if all, path := total(p.body); all > n {
		return fmt.Sprintf("%s: %d, of which %d came,", path, all, n)
	}
	if p.total > n {
		return fmt.Sprintf("X-Total-Count: %d, of which %d came,", p.total, n)
	}
	return ""
}

// onlyTotal tells where the answer to a request without pages says that it is
// not the whole.
func (p *pageState) onlyTotal() string {
	switch p.body.Kind() {
	case value.Array:
	case value.Object:
		if _, record := p.body.Obj().Get("id"); record || len(arrayFields(p.body)) != 1 {
			return "" // an order with its lines; or which of them is counted is not known
		}
	default:
		return ""
	}
	if len(p.items) == 0 {
		return "" // a page beyond the end, or one that asks for the number alone
	}
	if sign := p.saysTotal(int64(len(p.items))); sign != "" {
		return sign
	}
	return morePages(p.body)
}

// morePages gives where an answer says that it is not the last of its pages; ""
// if it does not say so. Which page it is must stand beside their number.
func morePages(body value.Value) string {
	var page, pages int64
	_, path := inPaging(body, func(v value.Value) (int64, string) {
		page, _ = whole(v, "page", "current_page", "currentPage", "page_number", "pageNumber")
		all, name := whole(v, "total_pages", "totalPages", "last_page", "lastPage", "page_count", "pageCount")
		if pages = all; page > 0 && pages > page {
			return pages, name
		}
		return 0, ""
	})
	if path == "" {
		return ""
	}
	return fmt.Sprintf("%s: %d, of which this is page %d,", path, pages, page)
}

// endTotal tells where the last page says that there are more items than the
// fetch can have gone over. A server may leave items out of its pages that it
// counts, so it is places that count here, and a cursor or link that has ended
// is believed.
func (p *pageState) endTotal() string {
	switch p.fetch.Page {
	case bytecode.PageNumber:
		places := int64(p.number-p.empties) * max(p.size, p.most)
		if places > 0 && p.before+len(p.items) > 0 {
			if sign := p.saysTotal(places); sign != "" {
				return p.saysTotal(int64(p.before + len(p.items)))
			}
		}
	case bytecode.PageOffset:
		if at := p.param.Int() - p.step(); at > 0 && p.before+len(p.items) > 0 && p.saysTotal(at) != "" {
			return p.saysTotal(int64(p.before + len(p.items)))
		}
	case bytecode.PageCursor:
		if p.number == 1 && !p.hadNext && len(p.items) > 0 {
			return p.saysTotal(int64(len(p.items)))
		}
	case bytecode.PageLink:
		if p.number == 1 && len(p.items) > 0 {
			return p.saysTotal(int64(len(p.items)))
		}
	}
	return ""
}

// untilReads reports whether the current page has all that `until` reads.
func (p *pageState) untilReads() bool {
	for _, path := range p.fetch.UntilNames {
		if _, there := lookUp(p.body, path); !there {
			return false
		}
	}
	return true
}

// untilMissed looks at a fetch that `until` has ended: where no page had what it
// reads, and the last one says that there is more, the field is misspelt.
func (p *pageState) untilMissed() {
	if p.hadUntil || p.body.Kind() != value.Object || p.before+len(p.items) == 0 {
		return
	}
	missing := ""
	for _, path := range p.fetch.UntilNames {
		if _, there := lookUp(p.body, path); !there {
			missing = path
			break
		}
	}
	sign := moreSign(p.body, "")
	if sign == "" {
		sign = p.saysTotal(int64(p.before + len(p.items)))
	}
	if sign == "" {
		sign = morePages(p.body)
	}
	if sign != "" {
		p.cutShort(CutNext, "was ended by `until`, but no page has %s, which it reads, and the last one says in %s that there is more", missing, sign)
		return
	}
	if meant := nearly(p.body, missing); meant != "" {
		p.cutShort(CutNext, "was ended by `until`, but no page has %s, which it reads, but they have %s: most likely that is meant", missing, meant)
	}
}

// nearly gives the path of a field that the one at a path which is not there is
// nearly spelt as; "" if there is none.
func nearly(v value.Value, path string) string {
	if v.Kind() != value.Object {
		return ""
	}
	name, rest, more := strings.Cut(path, ".")
	if inner, ok := v.Obj().Get(name); ok && more {
		if found := nearly(inner, rest); found != "" {
			return name + "." + found
		}
		return ""
	}
	for i := range v.Obj().Slots() {
		if key := v.Obj().Shape().Key(i); near.Alike(name, key) {
			if !more {
				return key
			}
			return key + "." + rest
		}
	}
	return ""
}

// beforeSign gives the field by which a page says that there is one before it.
func beforeSign(body value.Value) string {
	if body.Kind() != value.Object {
		return ""
	}
	at := func(v value.Value, prefix string) string {
		for _, name := range [...]string{"has_previous", "hasPrevious", "has_prev", "hasPrev", "has_previous_page", "hasPreviousPage", "hasPrevPage"} {
			if x := value.Field(v, name); x.Kind() == value.Bool && x.Bool() {
				return prefix + name
			}
		}
		for _, name := range [...]string{"previous", "prev", "previous_page_url", "prev_page_url"} {
			if x := value.Field(v, name); x.Kind() == value.String && x.Str() != "" {
				return prefix + name
			}
		}
		first, last := value.Field(v, "first"), value.Field(v, "last")
		if first.Kind() == value.Bool && last.Kind() == value.Bool && !first.Bool() {
			return prefix + "first"
		}
		return ""
	}
	if sign := at(body, ""); sign != "" {
		return sign
	}
	for _, outer := range [...]string{"meta", "pagination", "paging", "page", "links"} {
		if v := value.Field(body, outer); v.Kind() == value.Object {
			if sign := at(v, outer+"."); sign != "" {
				return sign
			}
		}
	}
	return ""
}

// refusal says how an answer without items tells of an error in their place; ""
// if it does not. An empty list in it is no word of the server that there is
// nothing. path is where the items are, "" where only what is there can tell.
func refusal(body value.Value, path string) string {
	if body.Kind() != value.Object {
		return ""
	}
	if path == "" {
		if _, record := body.Obj().Get("id"); record {
			return "" // a job that has failed, say
		}
		empty := false
		for i, v := range body.Obj().Slots() {
			switch key := body.Obj().Shape().Key(i); {
			case key == "error", key == "errors":
			case v.Kind() == value.Array:
				if len(v.Elems()) > 0 {
					return ""
				}
				empty = true
			}
		}
		if !empty {
			return ""
		}
	}
	if name, e := problem(body); name != "" && name != path {
		return fmt.Sprintf("has an answer without items, which says %s: %s", name, value.Describe(e))
	}
	for _, name := range [...]string{"ok", "success"} {
		if v := value.Field(body, name); v.Kind() == value.Bool && !v.Bool() {
			return fmt.Sprintf("has an answer without items, which says %s: false", name)
		}
	}
	if s := value.Field(body, "status"); path != "" && s.Kind() == value.String {
		switch s.Str() {
		case "error", "fail", "failed", "failure":
			return fmt.Sprintf("has an answer without items, which says status: %s", value.Describe(s))
		}
	}
	return ""
}
