package sampleapi

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Records of a page: how many unless the client says, and at most.
const (
	defaultSize = 100
	maxSize     = 250
	maxPage     = 1_000_000
)

// changedSince returns the indices of the first n records that were changed at
// or after a time.
func changedSince(n int, since time.Time, changed func(i int) time.Time) []int {
	list := make([]int, 0, n)
	for i := range n {
		if since.IsZero() || !changed(i).Before(since) {
			list = append(list, i)
		}
	}
	return list
}

// part returns at most n of a list from an offset on.
func part(list []int, offset, n int) []int {
	offset = min(offset, len(list))
	return list[offset:min(offset+n, len(list))]
}

// from returns the part of an ascending list that begins with index i.
func from(list []int, i int) []int {
	for n, x := range list {
		if x >= i {
			return list[n:]
		}
	}
	return nil
}

// records makes the records of some places.
func records[P, T any](list []P, record func(P) T) []T {
	out := make([]T, len(list))
	for n, p := range list {
		out[n] = record(p)
	}
	return out
}

// pagesOf returns how many pages n records have.
func pagesOf(n, size int) int { return (n + size - 1) / size }

func listCustomers(w http.ResponseWriter, _ *http.Request, q *query, m moment) *failure {
	page := q.count("page", 1, 1, maxPage)
	size := q.count("per_page", defaultSize, 1, maxSize)
	since := q.time("since")
	if f := q.done(); f != nil {
		return f
	}
	list := changedSince(m.customers(), since, func(i int) time.Time {
		at, _ := m.customerChanged(i)
		return at
	})
	type meta struct {
		Page    int `json:"page"`
		PerPage int `json:"per_page"`
		Pages   int `json:"pages"`
		Total   int `json:"total"`
	}
	writeJSON(w, http.StatusOK, struct {
		Data []customer `json:"data"`
		Meta meta       `json:"meta"`
	}{
		records(part(list, (page-1)*size, size), m.customer),
		meta{page, size, pagesOf(len(list), size), len(list)},
	})
	return nil
}

func listOrders(w http.ResponseWriter, _ *http.Request, q *query, m moment) *failure {
	byTime := q.word("sort", []string{"id", "updated_at"}) == "updated_at"
	after := cursor{time: byTime, index: -1}
	if text := q.text("cursor"); text != "" {
		var ok bool
		if after, ok = readCursor(text); !ok || after.time != byTime {
			q.fail(badRequest("cursor is %q, expected a next_cursor of this list", text))
		}
	}
	size := q.count("limit", defaultSize, 1, maxSize)
	since := q.time("updated_since")
	status := q.word("status", orderStatuses)
	if f := q.done(); f != nil {
		return f
	}
	list := m.ordersAfter(after, m.ordersWith(since, status, 0))
	var next *string
	if len(list) > size {
		next = new(m.cursorAt(byTime, list[size-1]).text())
	}
	writeJSON(w, http.StatusOK, struct {
		Items      []order `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}{records(part(list, 0, size), m.order), next})
	return nil
}

// cursor is the place of an order in a list: by index, or by the time of its last
// change. The next page begins behind it. In a list by time, an order that is
// changed while a client goes through moves on to the end, so that what has been
// read never has a gap: a client may take its next position from the times.
type cursor struct {
	time  bool
	nanos int64 // the time, if the list is by time
	index int
}

func (m moment) cursorAt(byTime bool, i int) cursor {
	c := cursor{time: byTime, index: i}
	if byTime {
		c.nanos = m.orderChanged(i).UnixNano()
	}
	return c
}

func (c cursor) compare(other cursor) int {
	return cmp.Or(cmp.Compare(c.nanos, other.nanos), cmp.Compare(c.index, other.index))
}

// text returns the cursor as clients see it: nothing that they should look into.
func (c cursor) text() string {
	text := strconv.Itoa(c.index)
	if c.time {
		text += "@" + strconv.FormatInt(c.nanos, 10)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(cursorPrefix + text))
}

const cursorPrefix = "order:"

func readCursor(text string) (c cursor, ok bool) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	rest, found := strings.CutPrefix(string(data), cursorPrefix)
	if err != nil || !found {
		return c, false
	}
	index, nanos, byTime := strings.Cut(rest, "@")
	if c.index, err = strconv.Atoi(index); err != nil || c.index < 0 {
		return c, false
	}
	if c.time = byTime; byTime {
		c.nanos, err = strconv.ParseInt(nanos, 10, 64)
	}
	return c, err == nil
}

// ordersAfter puts a list of orders into the order of a cursor, and returns what
// is behind it.
func (m moment) ordersAfter(after cursor, list []int) []int {
	places := make([]cursor, 0, len(list))
	for _, i := range list {
		if c := m.cursorAt(after.time, i); c.compare(after) > 0 {
			places = append(places, c)
		}
	}
	slices.SortFunc(places, cursor.compare)
	return records(places, func(c cursor) int { return c.index })
}

// ordersWith returns the indices of the orders changed since a time, with
// a status unless it is "", of a customer unless it is 0.
func (m moment) ordersWith(since time.Time, status string, customer int64) []int {
	list := changedSince(m.orders(), since, m.orderChanged)
	if status == "" && customer == 0 {
		return list
	}
	return slices.DeleteFunc(list, func(i int) bool {
		if customer != 0 && int64(buyerOf(i)+1) != customer {
			return true
		}
		states, _ := m.history(i)
		return status != "" && states[len(states)-1].Status != status
	})
}

func searchOrders(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure {
	if f := q.done(); f != nil {
		return f
	}
	body := struct {
		Status       *string `json:"status"`
		CustomerID   *int64  `json:"customer_id"`
		UpdatedSince *string `json:"updated_since"`
		Page         int     `json:"page"`
		Size         int     `json:"size"`
	}{Page: 1, Size: defaultSize}
	if f := readBody(r, &body); f != nil {
		return f
	}
	if body.Page < 1 || body.Page > maxPage || body.Size < 1 || body.Size > maxSize {
		return badRequest("page is %d and size %d, expected at least 1, and a size of at most %d", body.Page, body.Size, maxSize)
	}
	since, ok := parseTime(orZero(body.UpdatedSince))
	if !ok {
		return badRequest("updated_since is %q, expected a time such as 2026-01-20T09:00:00Z or 2026-01-20", *body.UpdatedSince)
	}
	list := m.ordersWith(since, orZero(body.Status), orZero(body.CustomerID))
	writeJSON(w, http.StatusOK, struct {
		Results []order `json:"results"`
		Page    int     `json:"page"`
		Pages   int     `json:"pages"`
		Total   int     `json:"total"`
	}{
		records(part(list, (body.Page-1)*body.Size, body.Size), m.order),
		body.Page, pagesOf(len(list), body.Size), len(list),
	})
	return nil
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func listProducts(w http.ResponseWriter, _ *http.Request, q *query, m moment) *failure {
	offset := q.count("offset", 0, 0, maxPage)
	size := q.count("limit", defaultSize, 1, maxSize)
	since := q.unix("modified_after")
	if f := q.done(); f != nil {
		return f
	}
	list := changedSince(fixedProducts, since, func(i int) time.Time {
		at, _ := m.productChanged(i)
		return at
	})
	w.Header().Set("X-Total-Count", strconv.Itoa(len(list)))
	writeJSON(w, http.StatusOK, records(part(list, offset, size), m.product))
	return nil
}

func listStock(w http.ResponseWriter, r *http.Request, q *query, m moment) *failure {
	first := q.count("from", 0, 0, maxPage)
	size := q.count("per_page", defaultSize, 1, maxSize)
	since := q.time("since")
	if f := q.done(); f != nil {
		return f
	}
	list := from(changedSince(m.stockLevels(), since, func(i int) time.Time {
		at, _ := m.productChanged(i / len(warehouses))
		return at
	}), first)
	if len(list) > size {
		next := url.Values{"from": {strconv.Itoa(list[size-1] + 1)}, "per_page": {strconv.Itoa(size)}}
		if text := q.text("since"); text != "" {
			next.Set("since", text)
		}
		// A reference without a host is resolved against the request (RFC 8288,
		// section 3.2).
		w.Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", r.URL.Path, next.Encode()))
	}
	writeJSON(w, http.StatusOK, records(part(list, 0, size), m.stockLevel))
	return nil
}
