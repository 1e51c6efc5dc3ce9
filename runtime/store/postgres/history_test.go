package postgres_test

import (
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest/pgtest"
)

func TestHistory(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	a := newAdapter(t)
	schema := &store.Schema{Name: "O", Fields: []store.Field{field("id", store.Int), field("n", store.Number)}}
	d := &store.Declaration{Name: "orders", Run: "r", Target: address, Schema: schema, Options: store.Options{Mode: store.History}}
	s := open(t, a, d)
	put(t, s, store.Overwrite, "", `{"id":1,"n":1}`, `{"id":2,"n":2}`)
	// One changes in two steps and in one batch, one stays.
	if got := put(t, s, store.MergeFields, "", `{"id":1,"n":10}`, `{"id":2,"n":2.0}`); got != (store.Result{Updated: 1, Unchanged: 1}) {
		t.Errorf("%+v", got)
	}
	put(t, s, store.Overwrite, "", `{"id":1,"n":100}`, `{"id":1,"n":101}`)
	if ok, err := s.Delete(ctx, "2"); !ok || err != nil {
		t.Errorf("Delete: %v, %v", ok, err)
	}
	put(t, s, store.Overwrite, "", `{"id":2,"n":3}`)
	same(t, list(t, s), `{"id":1,"n":101}`, `{"id":2,"n":3}`)
	same(t, server.Query(t, address, `SELECT "_key", n, "_valid_to" IS NULL, "_valid_from" < coalesce("_valid_to", 'infinity') FROM orders ORDER BY "_key", "_valid_from"`),
		"1|1|f|t", "1|10|f|t", "1|101|t|t", "2|2|f|t", "2|3|t|t")
	// The states of a record follow each other without a gap, save while it was
	// deleted; none overlaps another.
	same(t, server.Query(t, address, `SELECT count(*) FROM orders a JOIN orders b USING ("_key") WHERE a."_valid_from" < b."_valid_from" AND (a."_valid_to" IS NULL OR a."_valid_to" > b."_valid_from")`), "0")
	same(t, server.Query(t, address, `SELECT count(*) FROM orders a JOIN orders b ON a."_key" = b."_key" AND a."_valid_to" = b."_valid_from"`), "2")

	for _, other := range []store.Options{{}, {Mode: store.Append}} {
		d := *d
		d.Options = other
		if _, err := a.Open(ctx, &d); err == nil {
			t.Error("a table with history is opened as one without")
		}
	}
	plain := &store.Declaration{Name: "plain", Target: address, Schema: schema}
	open(t, a, plain)
	plain.Options.Mode = store.History
	if _, err := a.Open(ctx, plain); err == nil {
		t.Error("a table without history is opened as one with")
	}
}
