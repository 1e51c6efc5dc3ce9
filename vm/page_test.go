package vm_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"reqon/vm"
	"reqon/vm/value"
)

// numbered answers page(page, …) requests with so many pages of two items.
func (w *world) numbered(pages int) {
	w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
		param := r.Param
		if param.IsNull() {
			param = value.Field(value.Field(r.Options, "params"), "page")
		}
		n, _ := value.AsInt(param)
		if int(n) > pages {
			return w.answer(1, "[]")
		}
		return w.answer(1, fmt.Sprintf(`[{"id":%d},{"id":%d}]`, 2*n-1, 2*n))
	}
}

// TestAheadAsksForNothingThatIsNotThere: that the next page is asked for early
// may not be seen in what a mission does.
func TestAheadOptions(t *testing.T) {
	w := newWorld()
	w.numbered(2)
	err := w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  action A {
    get "/x" { paginate: page(page, 2), params: { page: page, left: 12 / (3 - page) }, until: page == 2 }
    store response -> out
  }
}`)
	wantError(t, err, "")
	want(t, "out", w.records("out"), `{"id":1}`, `{"id":2}`, `{"id":3}`, `{"id":4}`)
}

// pages answers every request with the next of these bodies, the last one for
// ever, and keeps what page parameters it was asked with.
func (w *world) pages(bodies ...string) *[]string {
	asked := new([]string)
	w.fetch = func(_ context.Context, r *vm.Request) *vm.Reply {
		w.mu.Lock()
		defer w.mu.Unlock()
		n := len(*asked)
		*asked = append(*asked, value.Text(r.Param))
		body := bodies[min(n, len(bodies)-1)]
		if strings.HasPrefix(body, "!") {
			return failure(500, body[1:])
		}
		body, next, _ := strings.Cut(body, " > ")
		reply := w.answer(int64(n+1), body)
		reply.Next, reply.Linked = next, next != ""
		return reply
	}
	return asked
}

// TestPages walks the pages of a fetch, merged.
func TestPages(t *testing.T) {
	const never = `{"items":[]}`
	for _, test := range []struct {
		name    string
		options string
		pages   []string
		want    string // the merged response
		asked   string // page parameters
		early   string
		err     string
	}{
		{"page ends on an empty page", `paginate: page(p, 2)`, []string{`[1,2]`, `[3,4]`, `[]`}, `[1,2,3,4]`, "1 2 3", "", ""},
		{"a short page does not end it", `paginate: page(p, 2)`, []string{`[1]`, `[2]`, `[]`}, `[1,2]`, "1 2 3", "", ""},
		{"offset steps by its size", `paginate: offset(o, 2)`, []string{`[1,2]`, `[3]`, `[]`}, `[1,2,3]`, "0 2 4", "", ""},
		{"offset steps by what a capped page holds", `paginate: offset(o, 25)`, []string{`[1,2]`, `[3,4]`, `[5]`, `[]`}, `[1,2,3,4,5]`, "0 2 4 6", "", ""},
		{"offset never steps by more than its size", `paginate: offset(o, 2)`, []string{`[1,2,3]`, `[4]`, `[]`}, `[1,2,3,4]`, "0 2 4", "", ""},
		{"offset where records are left out of the first page", `paginate: offset(o, 3)`, []string{`[1,2]`, `[2,4,5]`, `[6]`, `[]`}, `[1,2,4,5,6]`, "0 2 5 8", "", ""},
		{"offset overlaps by as much as is left out", `paginate: offset(o, 9)`, []string{`[1,5,8]`, `[5,8,10]`, `[8,10,12,13]`, `[]`}, `[1,5,8,10,12,13]`, "0 3 6 10", "", ""},
		{"offset drops no more than the overlap", `paginate: offset(o, 3)`, []string{`[7,7]`, `[7,7,7]`, `[]`}, `[7,7,7,7]`, "0 2 5", "", ""},
		{"offset drops what a page beyond its size has had before", `paginate: offset(o, 2)`, []string{`[1,2,3]`, `[3,4,5]`, `[5,6]`, `[]`}, `[1,2,3,4,5,6]`, "0 2 4 6", "", ""},
		{"offset with full pages drops nothing", `paginate: offset(o, 2)`, []string{`[1,7]`, `[7,2]`, `[]`}, `[1,7,7,2]`, "0 2 4", "", ""},
		{"offset drops only what the page before ended with", `paginate: offset(o, 4)`, []string{`[1,2]`, `[1,3]`, `[]`}, `[1,2,1,3]`, "0 2 4", "", ""},
		{"offset before any items steps by its size", `paginate: offset(o, 4), until: o == 6`, []string{`[]`, `[1]`, `[2]`, `[3]`}, `[1,2,3]`, "0 4 5 6", "", ""},
		{"like pages while an offset steps over records that are left out", `paginate: offset(o, 4)`, []string{`[5]`, `[5]`, `[5]`, `[8]`, `[]`}, `[5,8]`, "0 1 2 3 4", "", ""},
		{"an offset that is not heeded", `paginate: offset(o, 2)`, []string{`[1,2]`, `[1,2]`}, "", "0 2", "", "page 2 is identical to the one before: the server does not seem to heed the page parameter o"},
		{"an offset that is not heeded, with fewer items than a page", `paginate: offset(o, 6)`, []string{`[1,2]`, `[1,2]`, `[1,2]`, `[1,2]`}, "", "0 2 4 6", "", "page 4 is identical"},
		{"a link in the header means nothing to an offset", `paginate: offset(o, 1)`, []string{`[1] > /elsewhere`, `[2] > /x?2`, `[]`}, `[1,2]`, "0 1 2", "", ""},
		{"a link in the header of the last page", `paginate: offset(o, 1)`, []string{`[1]`, `[] > /x?3`}, `[1]`, "0 1", "has ended on a page that says in its Link header that there is more: does `paginate` name what the server goes by?", ""},
		{"a link in the header means nothing to page", `paginate: page(p, 1)`, []string{`[1] > /elsewhere`, `[2] > /x?2`, `[]`}, `[1,2]`, "1 2 3", "", ""},
		{"a link in the header means nothing to a cursor", `paginate: cursor(c, 1, "next")`, []string{`{"i":[1],"next":"a"} > /elsewhere`, `{"i":[2],"next":null}`}, `{"i":[1,2],"next":null}`, " a", "", ""},
		{"a cursor means nothing to links", `paginate: link("i")`, []string{`{"i":[1],"next":"a"} > /x?2`, `{"i":[2],"next":null}`}, `{"i":[1,2],"next":null}`, " ", "", ""},
		{"nothing at all", `paginate: page(p, 2)`, []string{`[]`}, `[]`, "1", "", ""},
		{"no body", `paginate: page(p, 2)`, []string{`null`}, `[]`, "1", "", ""},
		{"a page that is neither", `paginate: page(p, 2)`, []string{`"x"`}, "", "1", "", "a page must be an array or an object, found string"},
		{"cursor until there is none", `paginate: cursor(c, 2, "next")`, []string{`{"i":[1],"next":"a"}`, `{"i":[2],"next":"b"}`, `{"i":[3],"next":null}`}, `{"i":[1,2,3],"next":null}`, " a b", "", ""},
		{"cursor ends on nothing", `paginate: cursor(c, 2, "next")`, []string{`{"i":[1],"next":1}`, `{"i":[2]}`}, `{"i":[1,2]}`, " 1", "", ""},
		{"cursor ends on empty text and false", `paginate: cursor(c, 2, "m.next")`, []string{`{"i":[1],"m":{"next":""}}`}, `{"i":[1],"m":{"next":""}}`, "", "", ""},
		{"a cursor that is false", `paginate: cursor(c, 2, "next")`, []string{`{"i":[1],"next":false}`}, `{"i":[1],"next":false}`, "", "", ""},
		{"a cursor that is no text", `paginate: cursor(c, 2, "next", "i")`, []string{`{"i":[1],"next":[1]}`}, "", "", "", "the next cursor must be text or a number, found array [1] in next"},
		{"a cursor that is true", `paginate: cursor(c, 2, "next")`, []string{`{"i":[1],"next":true}`}, "", "", "", "the next cursor must be text or a number"},
		{"a cursor a second time", `paginate: cursor(c, 2, "next")`, []string{`{"i":[1],"next":"a"}`, `{"i":[2],"next":"b"}`, `{"i":[3],"next":"a"}`}, "", " a b", "", "a second time"},
		{"a cursor that repeats itself", `paginate: cursor(c, 2, "next")`, []string{`{"i":[1],"next":7}`, `{"i":[2],"next":7}`}, "", " 7", "", "a second time"},
		{"a cursor goes over empty pages", `paginate: cursor(c, 2, "next")`, []string{`{"i":[],"next":"a"}`, `{"i":[],"next":"b"}`, `{"i":[1]}`}, `{"i":[1]}`, " a b", "", ""},
		{"links", `paginate: link()`, []string{`[1] > /x?2`, `[2] > /x?3`, `[3]`}, `[1,2,3]`, "  ", "", ""},
		{"links in a circle", `paginate: link()`, []string{`[1] > /x?2`, `[2] > /x?3`, `[3] > /x?2`}, "", "  ", "", "circle"},
		{"a page twice", `paginate: page(p, 2)`, []string{`[1,2]`, `[1,2]`}, "", "1 2", "", "page 2 is identical to the one before"},
		{"a page twice, keys in another order", `paginate: page(p, 2)`, []string{`{"a":[{"x":1,"y":2}],"n":1}`, `{"n":1,"a":[{"y":2,"x":1}]}`}, "", "1 2", "", "page 2 is identical"},
		{"the same items in another page", `paginate: page(p, 2)`, []string{`{"i":[1],"n":1}`, `{"i":[1],"n":2}`, `{"i":[]}`}, `{"i":[1,1]}`, "1 2 3", "", ""},
		{"empty pages are no circle", `paginate: page(p, 2), until: p == 4`, []string{`[]`, `[]`, `[]`, `[1]`}, `[1]`, "1 2 3 4", "", ""},
		{"the page where until holds is in", `paginate: page(p, 2), until: length(response) < 2`, []string{`[1,2]`, `[3]`, `[4]`}, `[1,2,3]`, "1 2", "", ""},
		{"until on the first page", `paginate: offset(o, 2), until: true`, []string{`[1,2]`}, `[1,2]`, "0", "", ""},
		{"until on cursors", `paginate: cursor(c, 2, "next"), until: length(response.i) == 0`, []string{`{"i":[1],"next":"a"}`, `{"i":[],"next":"b"}`}, `{"i":[1],"next":"b"}`, " a", "", ""},
		{"until can't go on without a cursor", `paginate: cursor(c, 2, "next"), until: false`, []string{`{"i":[1],"next":"a"}`, `{"i":[2],"next":null}`}, `{"i":[1,2],"next":null}`, " a", "", ""},
		{"until on links", `paginate: link(), until: response[0] == 2`, []string{`[1] > /2`, `[2] > /3`, `[3]`}, `[1,2]`, " ", "", ""},
		{"until can't go on without a link", `paginate: link(), until: false`, []string{`[1] > /2`, `[2]`}, `[1,2]`, " ", "", ""},
		{"until that never holds", `paginate: page(p, 2), until: false`, []string{`[]`}, "", strings.TrimSpace(numbers(1001)), "", "1001 empty pages in a row"},
		{"maxPages", `paginate: page(p, 2), maxPages: 2`, []string{`[1]`, `[2]`, `[3]`}, `[1,2]`, "1 2", "ended early at maxPages: 2", ""},
		{"maxPages that were all", `paginate: page(p, 2), maxPages: 2, until: p == 2`, []string{`[1]`, `[2]`}, `[1,2]`, "1 2", "", ""},
		{"maxItems in a page", `paginate: page(p, 2), maxItems: 3`, []string{`[1,2]`, `[3,4]`}, `[1,2,3]`, "1 2", "ended early at maxItems: 3", ""},
		{"maxItems at a page's end", `paginate: page(p, 2), maxItems: 2`, []string{`[1,2]`, `[3,4]`}, `[1,2]`, "1", "ended early at maxItems: 2", ""},
		{"maxItems that were all", `paginate: page(p, 2), maxItems: 2, until: true`, []string{`[1,2]`}, `[1,2]`, "1", "", ""},
		{"maxItems of nothing", `paginate: page(p, 2), maxItems: toNumber("0")`, []string{`[1,2]`}, "", "", "", "option maxItems is number 0, expected a whole number of at least 1"},
		{"several lists and none named", `paginate: page(p, 2)`, []string{`{"a":[1],"b":[2]}`}, "", "1", "", "its array fields are a, b"},
		{"errors in place of the items", `paginate: page(p, 2)`, []string{`{"ok":false,"errors":[{"message":"m"}]}`, `{"i":[]}`}, "", "1", "", `the page has no items, and says errors: array [{"message":"m"}]`},
		{"errors in place of the items, as a cursor's first page", `paginate: cursor(c, 2, "next")`, []string{`{"error":["m"],"next":null}`}, "", "", "", `the page has no items, and says error: array ["m"]`},
		{"an empty list of errors beside the items", `paginate: page(p, 2)`, []string{`{"errors":[],"i":[1]}`, `{"errors":[],"i":[]}`}, `{"errors":[],"i":[1]}`, "1 2", "", ""},
		{"errors beside the items, which nothing names", `paginate: page(p, 2)`, []string{`{"i":[1],"errors":["m"]}`, `{"i":[]}`}, `{"i":[1]}`, "1 2", `has an answer with items, which says errors beside them: array ["m"]`, ""},
		{"errors that are the items", `paginate: page(p, 2, "errors")`, []string{`{"errors":[1]}`, `{"errors":[]}`}, `{"errors":[1]}`, "1 2", "", ""},
		{"no list at all", `paginate: page(p, 2)`, []string{`{"a":{"b":[1]}}`}, "", "1", "", "no items in the page"},
		{"a list that is named", `paginate: page(p, 2, "b")`, []string{`{"a":[1],"b":[2]}`, `{"a":[1],"b":[]}`}, `{"a":[1],"b":[2]}`, "1 2", "", ""},
		{"a cursor under a key with dots", `paginate: cursor(c, 2, "@odata.next")`, []string{`{"i":[1],"@odata.next":"a"}`, `{"i":[2],"@odata.next":"b","@odata":{"next":"z"}}`, `{"i":[3]}`}, `{"i":[1,2,3]}`, " a b", "", ""},
		{"a cursor under a key with dots, further down", `paginate: cursor(c, 2, "m.odata.next")`, []string{`{"i":[1],"m":{"odata.next":"a"}}`, `{"i":[2],"m":{}}`}, `{"i":[1,2],"m":{}}`, " a", "", ""},
		{"a list under a key with dots", `paginate: page(p, 2, "d.results")`, []string{`{"d.results":[1],"d":{"results":[7]}}`, `{"d.results":[]}`}, `{"d.results":[1]}`, "1 2", "", ""},
		{"a list of an element", `paginate: page(p, 2, "0.a")`, []string{`{"0":{"a":[1]}}`, `{"0":{"a":[]}}`}, `{"0":{"a":[1]}}`, "1 2", "", ""},
		{"a list in the first element", `paginate: page(p, 2, "d.0.a")`, []string{`{"d":[{"a":[1],"b":2}]}`, `{"d":[{"a":[],"b":3}]}`}, `{"d":[{"a":[1],"b":3}]}`, "1 2", "", ""},
		{"a list elsewhere on a later page", `paginate: page(p, 2, "a")`, []string{`{"a":[1]}`, `{"b":[2]}`}, "", "1 2", "", "page 2 has nothing in a, where the items of the pages before it are, but has a list in b"},
		{"a list deeper on a later page", `paginate: page(p, 2)`, []string{`{"a":[1]}`, `{"data":{"a":[2]}}`}, "", "1 2", "", "but has a list in data.a"},
		{"another list that was there before", `paginate: page(p, 2, "a")`, []string{`{"a":[1],"facets":[7]}`, `{"facets":[7]}`}, `{"facets":[7],"a":[1]}`, "1 2", "", ""},
		{"the only list is empty at first", `paginate: page(p, 2), until: p == 2`, []string{`{"notes":[]}`, `{"a":[1]}`}, `{"a":[1]}`, "1 2", "", ""},
		{"the only list is empty at first, and another beside it", `paginate: page(p, 2), until: p == 2`, []string{`{"notes":[]}`, `{"notes":[],"a":[1]}`}, "", "1 2", "", "its array fields are notes, a"},
		{"the only list is always empty", `paginate: page(p, 2)`, []string{`{"a":[],"n":1}`}, `{"a":[],"n":1}`, "1", "", ""},
		{"a misspelt cursor", `paginate: cursor(c, 9, "nextCursor")`, []string{`{"i":[1],"next_cursor":"a"}`}, "", "", "", `the first page has nothing in nextCursor, where paginate says that the next cursor is, but it has next_cursor: write "next_cursor"`},
		{"a misspelt cursor, one edit", `paginate: cursor(c, 9, "meta.cursr")`, []string{`{"i":[1],"meta":{"cursor":7}}`}, "", "", "", `write "meta.cursor"`},
		{"a misspelt place of the cursor", `paginate: cursor(c, 9, "Meta.next")`, []string{`{"i":[1],"meta":{"next":"a"}}`}, "", "", "", `write "meta.next"`},
		{"two keys misspelt", `paginate: cursor(c, 9, "pagination.nxtPage")`, []string{`{"i":[1],"paginations":{"next_page":"a"}}`}, "", "", "", `write "paginations.next_page"`},
		{"a misspelt whole key", `paginate: cursor(c, 9, "@odata.nextlink")`, []string{`{"i":[1],"@odata.nextLink":"/x"}`}, "", "", "", `write "@odata.nextLink"`},
		{"a short key that is nearly the cursor's", `paginate: cursor(c, 9, "next")`, []string{`{"i":[1],"nest":"a"}`}, `{"i":[1],"nest":"a"}`, "", "", ""},
		{"a key that is nearly the cursor's and holds none", `paginate: cursor(c, 9, "next_page")`, []string{`{"i":[1],"nextPage":null,"next_pages":["a"]}`}, "", "", "", "its array fields are i, next_pages"},
		{"a key that is nearly the cursor's beside it", `paginate: cursor(c, 9, "next_page")`, []string{`{"i":[1],"next_page":null,"nextPage":"z"}`}, `{"i":[1],"next_page":null,"nextPage":"z"}`, "", "", ""},
		{"a later page says there is more elsewhere", `paginate: cursor(c, 2, "next")`, []string{`{"i":[1],"next":"a"}`, `{"i":[2],"next":null,"has_more":true}`}, `{"i":[1,2],"next":null,"has_more":true}`, " a", "has ended on a page that says in has_more that there is more: does `paginate` name what the server goes by?", ""},
		{"an empty page says there is more", `paginate: page(p, 2)`, []string{`{"i":[1],"next":"/2"}`, `{"i":[],"next":"/3"}`}, `{"i":[1],"next":"/3"}`, "1 2", "has ended on a page that says in next that there is more: does `paginate` name what the server goes by?", ""},
		{"what a page before the last says counts for nothing", `paginate: page(p, 2)`, []string{`{"i":[1],"next":"/2"}`, `{"i":[],"next":""}`}, `{"i":[1],"next":""}`, "1 2", "", ""},
		{"until ends it, whatever the page says", `paginate: page(p, 2), until: p == 1`, []string{`{"i":[1],"next":"/2"}`}, `{"i":[1],"next":"/2"}`, "1", "", ""},
		{"links where the body says it", `paginate: link()`, []string{`{"i":[1],"paging":{"next":"/2"}}`}, `{"i":[1],"paging":{"next":"/2"}}`, "", "has ended on a page that says in paging.next that there is more: does `paginate` name what the server goes by?", ""},
		{"errors beside items", `paginate: page(p, 2, "i")`, []string{`{"i":[1],"errors":[{"message":"m"}]}`, `{"i":[2]}`, `{"i":[]}`}, `{"i":[1,2]}`, "1 2 3", `has an answer with items, which says errors beside them: array [{"message":"m"}]`, ""},
		{"errors that are none", `paginate: page(p, 2, "i")`, []string{`{"i":[1],"errors":[null,null],"error":{}}`, `{"i":[2],"errors":[],"error":""}`, `{"i":[],"error":null}`}, `{"i":[1,2],"error":null}`, "1 2 3", "", ""},
		{"errors that are the items", `paginate: page(p, 2, "errors")`, []string{`{"errors":[1]}`, `{"errors":[]}`}, `{"errors":[1]}`, "1 2", "", ""},
		{"an error without items ends it", `paginate: page(p, 2, "i")`, []string{`{"i":[1]}`, `{"i":null,"error":{"code":7}}`}, "", "1 2", "", `page 2 has no items, and says error: object {"code":7}`},
		{"a list within", `paginate: page(p, 2, "a.b")`, []string{`{"a":{"b":[1],"c":2},"d":3}`, `{"a":{"b":[],"c":4},"d":5}`}, `{"a":{"b":[1],"c":4},"d":5}`, "1 2", "", ""},
		{"a list left out at the end", `paginate: page(p, 2, "a")`, []string{`{"a":[1],"n":1}`, `{"n":2}`}, `{"n":2,"a":[1]}`, "1 2", "", ""},
		{"a list that turns into something else", `paginate: page(p, 2)`, []string{`{"a":[1]}`, `{"a":"none"}`}, "", "1 2", "", "the items of a page must be an array, found string \"none\" in a"},
		{"an error in place of a list", `paginate: page(p, 2)`, []string{`{"a":[1]}`, `{"error":"overloaded"}`}, "", "1 2", "", `says error: string "overloaded"`},
		{"an empty first page that until names", `paginate: page(p, 2), until: length(response.a) == 0`, []string{`{"a":null,"n":5}`}, `{"a":[],"n":5}`, "1", "", ""},
		{"an object at last where pages were lists", `paginate: page(p, 2), until: p == 2`, []string{`[1]`, `{"a":[2]}`}, `{"a":[1,2]}`, "1 2", "", ""},
		{"a list at last where pages were objects", `paginate: page(p, 2), until: p == 2`, []string{`{"a":[1]}`, `[2]`}, `{"a":[1,2]}`, "1 2", "", ""},
		{"a page that fails", `paginate: page(p, 2)`, []string{`[1]`, `!broken`}, "", "1 2", "", "HTTP 500: broken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld()
			asked := w.pages(append(test.pages, never)...)
			err := w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  action A { get "/x" { `+test.options+`, since: lastSync } store { id: 1, r: response } -> out }
}`)
			wantError(t, err, test.err)
			if got := strings.Join(*asked, " "); got != test.asked {
				t.Errorf("asked for %q, expected %q", got, test.asked)
			}
			if test.want != "" {
				want(t, "out", w.records("out"), `{"id":1,"r":`+test.want+`}`)
			}
			want(t, "early", w.early, slices.DeleteFunc([]string{test.early}, func(s string) bool { return s == "" })...)
			position := map[bool]string{true: "held", false: "1970-01-01T00:00:01.000Z"}[test.early != "" || test.err != ""]
			if got := w.positions()["/x"]; got != position {
				t.Errorf("position %q, expected %q", got, position)
			}
		})
	}
}

// TestOnePage: what an answer without pages says beside its items.
func TestOnePage(t *testing.T) {
	const more = "has the first page only: the answer says in %s that there is more; say how its pages follow with `paginate`, or `paginate: none` if this one is meant"
	const errors = `has an answer with items, which says %s beside them: `
	for _, test := range []struct {
		name, options, body, sign, early string
	}{
		{"nothing", "", `{"i":[1],"next":null,"has_more":false}`, "", ""},
		{"a list with a link", "", `[1] > /2`, "its Link header", more},
		{"an object with a list and a link", "", `{"i":[1]} > /2`, "its Link header", more},
		{"one object with a link", "", `{"id":1} > /2`, "", ""},
		{"one object with a next", "", `{"id":1,"next":"x"}`, "", ""},
		{"next", "", `{"next":"x","i":[]}`, "next", more},
		{"next as a number", "", `{"i":[1],"next":2}`, "next", more},
		{"next as half a number", "", `{"i":[1],"next":2.5}`, "", ""},
		{"next as an object", "", `{"i":[1],"next":{"id":1}}`, "", ""},
		{"next_page", "", `{"i":[1],"next_page":2}`, "next_page", more},
		{"next_cursor", "", `{"i":[1],"next_cursor":"x"}`, "next_cursor", more},
		{"nextPageToken", "", `{"i":[1],"nextPageToken":"x"}`, "nextPageToken", more},
		{"next_page_token", "", `{"i":[1],"next_page_token":"x"}`, "next_page_token", more},
		{"nextRecordsUrl", "", `{"i":[1],"nextRecordsUrl":"/x"}`, "nextRecordsUrl", more},
		{"next_page_uri", "", `{"i":[1],"next_page_uri":"/x"}`, "next_page_uri", more},
		{"@odata.nextLink", "", `{"value":[1],"@odata.nextLink":"/x"}`, "@odata.nextLink", more},
		{"paging.next", "", `{"i":[1],"paging":{"next":"/x"}}`, "paging.next", more},
		{"links.next", "", `{"i":[1],"links":{"next":"/x","prev":null}}`, "links.next", more},
		{"links.next, null", "", `{"i":[1],"links":{"next":null}}`, "", ""},
		{"links, a list", "", `{"i":[1],"links":[{"next":"x"}]}`, "", ""},
		{"response_metadata.next_cursor", "", `{"i":[1],"response_metadata":{"next_cursor":"x"}}`, "response_metadata.next_cursor", more},
		{"has_more", "", `{"i":[1],"has_more":true}`, "has_more", more},
		{"hasMore", "", `{"i":[1],"hasMore":true}`, "hasMore", more},
		{"has_next_page", "", `{"i":[1],"has_next_page":true}`, "has_next_page", more},
		{"hasNextPage of GraphQL", "", `{"data":{"orders":{"nodes":[1],"pageInfo":{"hasNextPage":true,"endCursor":"x"}}}}`, "data.orders.pageInfo.hasNextPage", more},
		{"hasNextPage of GraphQL, false", "", `{"data":{"orders":{"nodes":[1],"pageInfo":{"hasNextPage":false,"endCursor":"x"}}}}`, "", ""},
		{"hasNextPage in a record of GraphQL", "", `{"data":{"order":{"id":1,"lines":{"nodes":[1],"pageInfo":{"hasNextPage":true}}}}}`, "", ""},
		{"HAL", "", `{"_embedded":{"i":[1]},"_links":{"self":{"href":"/"},"next":{"href":"/2"}}}`, "_links.next.href", more},
		{"HAL, one record", "", `{"name":"x","_links":{"next":{"href":"/2"}}}`, "", ""},
		{"JSON:API", "", `{"data":[1],"links":{"next":{"href":"/2"}}}`, "links.next.href", more},
		{"meta.next_token", "", `{"data":[1],"meta":{"next_token":"x"}}`, "meta.next_token", more},
		{"pagination.has_next", "", `{"data":[1],"pagination":{"has_next":true}}`, "pagination.has_next", more},
		{"nextLink", "", `{"value":[1],"nextLink":"/x"}`, "nextLink", more},
		{"next_page_url", "", `{"i":[1],"next_page_url":"/x"}`, "next_page_url", more},
		{"NextToken", "", `{"i":[1],"NextToken":"x"}`, "NextToken", more},
		{"IsTruncated", "", `{"i":[1],"IsTruncated":true}`, "IsTruncated", more},
		{"LastEvaluatedKey", "", `{"Items":[1],"LastEvaluatedKey":{"id":1}}`, "LastEvaluatedKey", more},
		{"in data", "", `{"data":{"i":[1],"next_cursor":"x"}}`, "data.next_cursor", more},
		{"in data, a record", "", `{"data":{"id":1,"tags":[1],"next":"x"}}`, "", ""},
		{"has_more as text", "", `{"i":[1],"has_more":"yes"}`, "", ""},
		{"paginate: none", "paginate: none,", `{"i":[1],"next":"x"} > /2`, "", ""},
		{"an error beside items", "paginate: none,", `{"i":[1],"error":"x"}`, "error", errors + `string "x"`},
		{"GraphQL's", "", `{"data":{"orders":{"edges":[{"node":1}]}},"errors":[{"message":"m"}]}`, "errors", errors + `array [{"message":"m"}]`},
		{"GraphQL's, deeper", "", `{"data":{"shop":{"orders":{"edges":[1]}}},"errors":[1]}`, "errors", errors + `array [1]`},
		{"GraphQL's of one object", "", `{"data":{"order":{"id":1},"user":null},"errors":[1]}`, "errors", errors + `array [1]`},
		{"GraphQL's without data", "", `{"data":null,"errors":[1]}`, "", ""},
		{"GraphQL's without anything in data", "", `{"data":{"order":null},"errors":[1]}`, "", ""},
		{"an error with lists of its own", "", `{"error":{"details":[1]}}`, "", ""},
		{"no error", "", `{"i":[1],"errors":[],"error":null}`, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld()
			w.pages(test.body)
			wantError(t, w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  action A { get "/x" { `+test.options+` since: lastSync } let r = response }
}`), "")
			var early []string
			position := "1970-01-01T00:00:01.000Z"
			if test.early != "" {
				early, position = []string{strings.Replace(test.early, "%s", test.sign, 1)}, "held"
			}
			want(t, "early", w.early, early...)
			if got := w.positions()["/x"]; got != position {
				t.Errorf("position %q, expected %q", got, position)
			}
		})
	}
}

// TestStepTakesSomethingElse: a later step that reads response.x names the items
// only if x is an array in the page.
func TestStepTakesSomethingElse(t *testing.T) {
	for _, test := range []struct {
		name, step string
		pages      []string
		want       []string
		err        string
	}{
		{"an object of the last page", `store response.summary -> out`, []string{`{"items":[1],"summary":{"n":1}}`, `{"items":[2],"summary":{"n":2}}`, `{"items":[],"summary":{"n":3}}`}, []string{`{"n":3}`}, ""},
		{"the items", `for x in response.rows { store { id: x } -> out }`, []string{`{"rows":[1],"notes":[7]}`, `{"rows":[2]}`, `{"rows":[]}`}, []string{`{"id":1}`, `{"id":2}`}, ""},
		{"no list", `for x in response.summary { store { id: x } -> out }`, []string{`{"items":[1],"summary":{"n":1}}`, `{"items":[]}`}, nil, "for"},
		{"what a page does not have", `for x in response.rows { store { id: x } -> out }`, []string{`{"items":[1]}`}, nil, "the next step takes the items from rows, which the page does not have; its array fields are items"},
		{"what the first page does not have", `for x in response.rows { store { id: x } -> out }`, []string{`{"n":1}`, `{"rows":[1]}`, `{"rows":[]}`}, []string{`{"id":1}`}, ""},
		{"an object, and the whole too", `let n = response.summary.n store { id: n, all: length(response.items) } -> out`, []string{`{"items":[1],"summary":{"n":1}}`, `{"items":[2],"summary":{"n":2}}`, `{"items":[],"summary":{"n":2}}`}, []string{`{"id":2,"all":2}`}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld()
			w.pages(test.pages...)
			options := `paginate: page(p, 2)`
			if strings.Contains(test.pages[0], `"n":1}`) && len(test.pages) == 3 && test.want != nil && !strings.Contains(test.pages[0], "items") {
				options += `, until: p == 3`
			}
			wantError(t, w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  action A { get "/x" { `+options+` } `+test.step+` }
}`), test.err)
			want(t, "out", w.records("out"), test.want...)
		})
	}
}

// numbers gives 1 to n, parted by blanks.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprint(&b, i+1, " ")
	}
	return b.String()
}

// TestPositions: the sync position of a fetch is held as soon as something of
// it was not fetched, or did not get through the step that its pages go through.
func TestPositions(t *testing.T) {
	const moved, held = "1970-01-01T00:00:01.000Z", "held"
	for _, test := range []struct {
		name  string
		pages []string
		body  string
		want  string
		err   string
	}{
		{"all went well", []string{`[1]`, `[]`}, `get "/x" { paginate: page(p, 1), since: lastSync } for x in response { log "x" }`, moved, ""},
		{"an item was skipped", []string{`[0]`, `[]`}, `get "/x" { paginate: page(p, 1), since: lastSync } for x in response onError skip { log "{1 / x}" let y = 1 / x }`, moved, ""},
		{"a page fails", []string{`[1]`, `!no`}, `for o in [1] onError skip { get "/x" { paginate: page(p, 1), since: lastSync } for x in response { log "x" } }`, held, ""},
		{"a page fails, side by side", []string{`[1]`, `!no`}, `for o in [1] concurrency 2 onError skip { get "/x" { paginate: page(p, 1), since: lastSync } for x in response { log "x" } }`, held, ""},
		{"a page fails, merged", []string{`[1]`, `!no`}, `for o in [1] onError skip { get "/x" { paginate: page(p, 1), since: lastSync } let x = response }`, held, ""},
		{"the only request fails", []string{`!no`}, `for o in [1] onError skip { get "/x" { since: lastSync } }`, held, ""},
		{"a failure that is handled", []string{`!no`}, `get "/x" { since: lastSync } match response { 500 -> continue }`, held, ""},
		{"a failure that is skipped", []string{`!no`}, `for o in [1] { get "/x" { since: lastSync } match response { _ -> skip } }`, held, ""},
		{"a failure that is queued", []string{`!no`}, `for o in [1] { get "/x" { since: lastSync } match response { _ -> queue dead } }`, held, ""},
		{"a failure that a retry mends", []string{`!no`, `[1]`}, `get "/x" { since: lastSync } match response { 500 -> retry { delay: 0 }, _ -> continue }`, "1970-01-01T00:00:02.000Z", ""},
		{"a failure that no retry mends", []string{`!no`, `!no`, `!no`}, `for o in [1] onError skip { get "/x" { since: lastSync } match response { 500 -> retry { delay: 0 }, _ -> continue } }`, held, ""},
		{"a failure that a retry mends beside one that none does", []string{`!no`, `[1]`, `!no`}, `for o in [1, 2] onError skip { get "/x" { since: lastSync } match response { 500 -> retry { maxAttempts: 3 - o, delay: 0 }, _ -> continue } }`, held, ""},
		{"an item of the pages aborts its loop", []string{`[1]`, `[0]`, `[]`}, `for o in [1] onError skip { get "/x" { paginate: page(p, 1), since: lastSync } for x in response onError abort { let y = 1 / x } }`, held, ""},
		{"a store of a page fails", []string{`[{"id":1}]`, `[2]`, `[]`}, `for o in [1] onError skip { get "/x" { paginate: page(p, 1), since: lastSync } store response -> out }`, held, ""},
		{"options of a page fail", []string{`[1]`, `[2]`}, `for o in [1] onError skip { get "/x" { paginate: page(p, 1), params: { p: p, n: 1 / (2 - p) }, since: lastSync } for x in response { log "x" } }`, held, ""},
		{"until of a page fails", []string{`[1]`, `[2]`}, `for o in [1] onError skip { get "/x" { paginate: page(p, 1), until: 1 / (2 - p) == 3, since: lastSync } for x in response { log "x" } }`, held, ""},
		{"in an action that is run inside", []string{`[1]`, `!no`}, `for o in [1] onError skip { run Inner }`, held, ""},
		{"one of two is held", []string{`[1]`, `!no`}, `for o in [1, 2] onError skip { get "/x" { since: lastSync } }`, held, ""},
		{"an early end", []string{`[1]`, `[2]`}, `get "/x" { paginate: page(p, 1), maxPages: 1, since: lastSync } store { id: 1, r: response } -> out`, held, ""},
		{"the greatest of a field", []string{`[{"at":3},{"at":9}]`, `[{"at":5}]`, `[]`}, `get "/x" { paginate: page(p, 1), updateFrom: "at" } for x in response { log "x" }`, "9", ""},
		{"the greatest of no field", []string{`[{"at":3},{"at":9}]`, `[]`}, `get "/x" { paginate: page(p, 1), updateFrom: "when" } for x in response { log "x" }`, held, ""},
		{"fields without an order", []string{`[{"at":3},{"at":"x"}]`, `[]`}, `for o in [1] onError skip { get "/x" { paginate: page(p, 1), updateFrom: "at" } for x in response { log "x" } }`, held, ""},
		{"after maxItems, of what was taken", []string{`[{"at":3},{"at":9}]`}, `get "/x" { paginate: page(p, 1), maxItems: 1, updateFrom: "at" } for x in response { log "x" }`, held, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld()
			w.pages(test.pages...)
			err := w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  store dead: memory
  action Inner { get "/x" { paginate: page(p, 1), since: lastSync } for x in response { log "x" } }
  action A { `+test.body+` }
  run A
}`)
			wantError(t, err, test.err)
			if got := w.positions()["/x"]; got != test.want {
				t.Errorf("position %q, expected %q: %v", got, test.want, w.failed)
			}
		})
	}
}

// TestAheadEndsWithTheRun: a page that was asked for early is given up, and
// waited for, when it is not needed: nothing goes on behind a run.
func TestAheadEndsWithTheRun(t *testing.T) {
	for _, body := range []string{
		`get "/x" { paginate: page(p, 1) } for x in response { let y = [x] validate x { assume x == 0 } }`, // policy continue: goes on
		`get "/x" { paginate: page(p, 1) } store response -> out { key: .none }`,
		`for o in [1] onError skip { get "/x" { paginate: page(p, 1) } store response -> out { key: .none } }`,
		`for o in [1] concurrency 2 onError skip { get "/x" { paginate: page(p, 1) } store response -> out { key: .none } }`,
	} {
		w := newWorld()
		asked := 0
		w.fetch = func(ctx context.Context, r *vm.Request) *vm.Reply {
			w.mu.Lock()
			asked++
			n := asked
			w.mu.Unlock()
			if n >= 3 {
				<-ctx.Done() // for as long as the fetch wants it
				return nil
			}
			return w.answer(1, fmt.Sprintf(`[{"id":%d}]`, n))
		}
		m := w.link(t, "mission M {\n  source API { base: \"http://x\" }\n  store out: memory\n  action A { "+body+" }\n}")
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		_ = m.Run(ctx, w)
		cancel()
		if n := w.open.Load(); n != 0 {
			t.Errorf("%s: %d requests go on behind the run", body, n)
		}
	}
}
