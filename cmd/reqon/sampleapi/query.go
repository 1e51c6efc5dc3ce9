package sampleapi

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query reads the parameters of a request and keeps the first mistake. One that
// an endpoint does not know is a mistake too: a misspelt filter that is passed
// over gives all records where a few were meant.
type query struct {
	values url.Values
	known  []string
	bad    *failure
}

func newQuery(u *url.URL) *query {
	values, err := url.ParseQuery(u.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.bad = badRequest("the query can't be read: %s", err)
	}
	return q
}

func (q *query) fail(f *failure) {
	if q.bad == nil {
		q.bad = f
	}
}

// text returns a parameter, "" without it.
func (q *query) text(name string) string {
	q.known = append(q.known, name)
	list := q.values[name]
	if len(list) > 1 {
		q.fail(badRequest("%s is given %d times, expected it once", name, len(list)))
	}
	return q.values.Get(name)
}

// count returns a whole number from least to most, otherwise without it.
func (q *query) count(name string, otherwise, least, most int) int {
	text := q.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.fail(badRequest("%s is %q, expected a whole number from %d to %d", name, text, least, most))
		return otherwise
	}
	return n
}

// time returns a time, the zero time without it.
func (q *query) time(name string) time.Time {
	text := q.text(name)
	t, ok := parseTime(text)
	if !ok {
		q.fail(badRequest("%s is %q, expected a time such as 2026-01-20T09:00:00Z or 2026-01-20", name, text))
	}
	return t
}

func parseTime(text string) (t time.Time, ok bool) {
	if text == "" {
		return t, true
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return t, false
}

// unix returns a time that is given in unix seconds, the zero time without it.
func (q *query) unix(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		q.fail(badRequest("%s is %q, expected unix seconds such as 1768900800", name, text))
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// word returns one of a few words, "" without it.
func (q *query) word(name string, words []string) string {
	text := q.text(name)
	if text != "" && !slices.Contains(words, text) {
		q.fail(badRequest("%s is %q, expected one of %s", name, text, strings.Join(words, ", ")))
	}
	return text
}

// done returns the first mistake, when all parameters have been read.
func (q *query) done() *failure {
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		if slices.Contains(q.known, name) {
			continue
		}
		if len(q.known) == 0 {
			q.fail(badRequest("unknown parameter %q, expected none", name))
		}
		q.fail(badRequest("unknown parameter %q, expected %s", name, strings.Join(q.known, ", ")))
	}
	return q.bad
}
