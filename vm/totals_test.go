package vm_test

import (
	"strings"
	"testing"
)

// TestWhole: what an answer says of the whole is held against what has come
// (language definition, section 6.1, "Cut short").
func TestWhole(t *testing.T) {
	const numbered = "paginate: page(page, 2), "
	const (
		only  = "has the first page only: the answer says in %s that there is more"
		ended = "has ended on a page that says in %s that there is more"
		until = "was ended by `until`, but no page has %s"
		zero  = "begins with page 1, which says in %s that there is a page before it"
		none  = "has an answer without items, which says %s"
	)
	for _, test := range []struct {
		name, options string
		pages         []string
		early, what   string
	}{
		{"no pages, a count", "", []string{`{"i":[1,2],"total_count":3}`}, only, "total_count: 3, of which 2 came,"},
		{"no pages, a count that is met", "", []string{`{"i":[1,2],"total_count":2}`}, "", ""},
		{"no pages, a sum", "", []string{`{"i":[1,2],"total":300}`}, "", ""},
		{"no pages, a total beside a limit", "", []string{`{"i":[1,2],"total":300,"limit":2}`}, only, "total: 300, of which 2 came,"},
		{"no pages, a total in meta", "", []string{`{"i":[1,2],"meta":{"pagination":{"total":3,"page":1}}}`}, only, "meta.pagination.total: 3, of which 2 came,"},
		{"no pages, a record with a list", "", []string{`{"id":1,"i":[1,2],"total_items":3}`}, "", ""},
		{"no pages, two lists", "", []string{`{"i":[1,2],"j":[],"total_items":3}`}, "", ""},
		{"no pages, the number alone", "", []string{`{"i":[],"total_items":3}`}, "", ""},
		{"no pages, the number of pages", "", []string{`{"i":[1,2],"page":1,"total_pages":3}`}, only, "total_pages: 3, of which this is page 1,"},
		{"no pages, the number of pages in meta", "", []string{`{"i":[1,2],"meta":{"current_page":2,"last_page":3}}`}, only, "meta.last_page: 3, of which this is page 2,"},
		{"no pages, the last of them", "", []string{`{"i":[1,2],"page":3,"total_pages":3}`}, "", ""},
		{"no pages, a book", "", []string{`{"i":[1,2],"total_pages":300}`}, "", ""},
		{"until reads nothing, the number of pages", numbered + "until: not response.going_on, ", []string{`{"i":[1,2],"page":1,"total_pages":2}`}, until, "going_on, which it reads, and the last one says in total_pages: 2"},
		{"one page is meant", "paginate: none, ", []string{`{"i":[1,2],"total_count":3}`}, "", ""},
		{"cut on purpose", "allowCut: true, ", []string{`{"i":[1,2],"total_count":3}`}, "", ""},

		{"pages end before the count", numbered, []string{`{"i":[1,2],"total_count":9}`, `{"i":[3,4],"total_count":9}`, `{"i":[],"total_count":9}`}, ended, "total_count: 9, of which 4 came,"},
		{"pages leave items out that they count", numbered, []string{`{"i":[1,2],"total_count":5}`, `{"i":[3],"total_count":5}`, `{"i":[5],"total_count":5}`, `{"i":[],"total_count":5}`}, "", ""},
		{"items go while pages are read", numbered, []string{`{"i":[1,2],"total_count":5}`, `{"i":[3],"total_count":3}`, `{"i":[],"total_count":3}`}, "", ""},
		{"offsets end before the count", "paginate: offset(page, 2), ", []string{`{"i":[1,2],"total_count":9}`, `{"i":[],"total_count":9}`}, ended, "total_count: 9, of which 2 came,"},
		{"offsets reach the count", "paginate: offset(page, 2), ", []string{`{"i":[1,2],"total_count":3}`, `{"i":[3],"total_count":3}`, `{"i":[],"total_count":3}`}, "", ""},
		{"a cursor that has ended is believed", `paginate: cursor(page, 2, "next"), `, []string{`{"i":[1,2],"next":null,"total_count":9}`}, "", ""},
		{"no link at all", "paginate: link(), ", []string{`{"i":[1,2],"total_count":9}`}, ended, "total_count: 9, of which 2 came,"},
		{"a link that has ended is believed", "paginate: link(), ", []string{`[1,2] > /2`, `[3]`}, "", ""},

		{"until reads nothing, a sign", numbered + "until: not response.going_on, ", []string{`{"i":[1,2],"has_more":true}`}, until, "going_on, which it reads, and the last one says in has_more"},
		{"until reads nothing, a count", numbered + "until: not response.going_on, ", []string{`{"i":[1,2],"total_count":3}`}, until, "going_on, which it reads, and the last one says in total_count: 3"},
		{"until is misspelt", numbered + "until: not response.hasMore, ", []string{`{"i":[1,2],"has_more":false}`}, until, "hasMore, which it reads, but they have has_more"},
		{"until is misspelt in an object", numbered + "until: not response.meta.hasMore, ", []string{`{"i":[1,2],"meta":{"has_more":false}}`}, until, "meta.hasMore, which it reads, but they have meta.has_more"},
		{"until reads what the only page leaves out", numbered + "until: not response.has_more, ", []string{`{"i":[1,2]}`}, "", ""},
		{"until reads what the last page leaves out", numbered + "until: not response.going_on, ", []string{`{"i":[1,2],"going_on":true}`, `{"i":[3],"total_count":9}`}, "", ""},
		{"until ends it on purpose", numbered + "until: response.i[-1] > 1, ", []string{`{"i":[1,2],"has_more":true,"total_count":9}`}, "", ""},

		{"pages from 0, Spring's", numbered + "until: response.last, ", []string{`{"i":[3],"first":false,"last":true}`}, zero, "first"},
		{"pages from 0, a link", numbered + "until: response.last, ", []string{`{"i":[3],"previous":"/x?page=0","last":true}`}, zero, "previous"},
		{"pages from 0, in meta", numbered + "until: response.last, ", []string{`{"i":[3],"meta":{"has_prev":true},"last":true}`}, zero, "meta.has_prev"},
		{"pages from 1", numbered + "until: response.last, ", []string{`{"i":[3],"first":true,"last":true,"previous":null,"prev_page":0}`}, "", ""},

		{"an empty list and an error", "", []string{`{"i":[],"error":"down"}`}, none, `error: string "down"`},
		{"an empty list that is no success", "", []string{`{"i":[],"success":false}`}, none, "success: false"},
		{"a job that has failed", "", []string{`{"id":1,"i":[],"success":false,"error":"x"}`}, "", ""},
		{"an empty list", "", []string{`{"i":[],"success":true,"error":null}`}, "", ""},
		{"an empty page and an error", numbered, []string{`{"i":[1,2]}`, `{"i":[],"error":"down"}`}, none, `error: string "down"`},
		{"an empty page that is not ok", numbered, []string{`{"i":[1,2],"ok":true}`, `{"i":[],"ok":false}`}, none, "ok: false"},
		{"a page that is null and an error", numbered, []string{`{"i":[1,2]}`, `{"i":null,"status":"error"}`}, none, `status: string "error"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld()
			w.pages(test.pages...)
			wantError(t, w.run(t, `mission M {
  source API { base: "http://x" }
  store out: memory
  action A { get "/x" { `+test.options+` since: lastSync } let r = response }
}`), "")
			position := "held"
			if test.early == "" {
				position = "1970-01-01T00:00:01.000Z"
				want(t, "early", w.early)
			} else if text := strings.Replace(test.early, "%s", test.what, 1); len(w.early) != 1 || !strings.Contains(w.early[0], text) {
				t.Errorf("early: %q\nexpected: %q", w.early, text)
			}
			if got := w.positions()["/x"]; got != position {
				t.Errorf("position %q, expected %q", got, position)
			}
		})
	}
}
