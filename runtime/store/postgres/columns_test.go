package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest/pgtest"
	"reqon/vm/value"
)

// field makes a field of a schema.
func field(name string, typ store.Type, words ...string) store.Field {
	return store.Field{Name: name, Type: typ, Words: words, Optional: name != "id", Written: fmt.Sprintf("a value of the type %d", typ)}
}

func orderSchema() *store.Schema {
	return &store.Schema{Name: "Order", Fields: []store.Field{
		field("id", store.Int), field("status", store.Text, "open", "void"), field("total", store.Number), field("paid", store.Boolean),
		field("at", store.Date), field("lines", store.Array), field("address", store.Object), field("any", store.Any),
	}}
}

func object(t testing.TB, json string) value.Value {
	t.Helper()
	v, err := value.ParseJSON(value.NewShapes(), json)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// put stores objects under their ids, and expects an error that holds a text, or
// none.
func put(t testing.TB, s store.Store, conflict store.Conflict, wantErr string, jsons ...string) store.Result {
	t.Helper()
	var batch store.Batch
	batch.Conflict = conflict
	for _, j := range jsons {
		v := object(t, j)
		batch.Records = append(batch.Records, store.Record{Key: value.Text(value.Field(v, "id")), Value: v})
	}
	res, err := s.Put(ctx, batch)
	if wantErr == "" && err != nil || wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)) {
		t.Fatalf("Put: %v; want %q", err, wantErr)
	}
	return res
}

func list(t testing.TB, s store.Store) (all []string) {
	t.Helper()
	if err := store.Each(ctx, s, func(_ string, v value.Value) error {
		all = append(all, string(value.AppendJSON(nil, v)))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestColumns(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	d := &store.Declaration{Name: "orders", Run: "run-1", Target: address, Schema: orderSchema(), Options: store.Options{Table: "crm.Orders"}}
	s := open(t, newAdapter(t), d)
	put(t, s, store.Overwrite, "",
		`{"more":1,"id":1,"status":"open","total":1.10,"paid":true,"at":"2026-01-20T10:00:00.123456+01:00","lines":[1,{"a":"x"}],"address":{"z":1,"a":2},"any":"t"}`,
		`{"id":2,"total":12345678901234567890.123456789,"at":"2026-01-20","any":null}`)
	same(t, list(t, s),
		`{"id":1,"status":"open","total":1.10,"paid":true,"at":"2026-01-20T09:00:00.123456Z","lines":[1,{"a":"x"}],"address":{"a":2,"z":1},"any":"t","more":1}`,
		`{"id":2,"total":12345678901234567890.123456789,"at":"2026-01-20T00:00:00.000Z"}`)
	same(t, server.Query(t, address, `SELECT "_key", "_run", id, total, at AT TIME ZONE 'UTC', paid, lines, "_extra" FROM crm."Orders" ORDER BY "_seq"`),
		`1|run-1|1|1.10|2026-01-20 09:00:00.123456|t|[1, {"a": "x"}]|{"more": 1}`,
		`2|run-1|2|12345678901234567890.123456789|2026-01-20 00:00:00|NULL|NULL|NULL`)

	// By value nothing has changed; nor by instant.
	if got := put(t, s, store.Overwrite, "", `{"id":2,"total":12345678901234567890.1234567890,"at":"2026-01-20T01:00:00+01:00"}`); got != (store.Result{Unchanged: 1}) {
		t.Errorf("the same by value: %+v", got)
	}
	// A merge keeps what it does not name, in _extra too.
	if got := put(t, s, store.MergeFields, "", `{"id":1,"paid":null,"other":2}`); got != (store.Result{Updated: 1}) {
		t.Errorf("merge: %+v", got)
	}
	v, ok, err := s.Get(ctx, "1")
	if got := string(value.AppendJSON(nil, v)); !ok || err != nil || got != `{"id":1,"status":"open","total":1.10,"at":"2026-01-20T09:00:00.123456Z","lines":[1,{"a":"x"}],"address":{"a":2,"z":1},"any":"t","more":1,"other":2}` {
		t.Errorf("merged: %s, %v, %v", got, ok, err)
	}
	// An id beyond 64 bits widens the column.
	put(t, s, store.Overwrite, "", `{"id":123456789012345678901234567890}`)
	same(t, server.Query(t, address, `SELECT id FROM crm."Orders" ORDER BY "_seq"`), "1", "2", "123456789012345678901234567890")
}

func TestWhatDoesNotFit(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	a := newAdapter(t)
	d := &store.Declaration{Name: "orders", Run: "r", Target: address, Schema: orderSchema(),
		Options: store.Options{Columns: map[string]string{"total": "numeric(6,2)", "status": "varchar(4)", "lines": "text[]"}}}
	s := open(t, a, d)
	put(t, s, store.Overwrite, "", `{"id":1,"total":9999.99,"status":"open","lines":["a","b\"c",""]}`)
	for record, want := range map[string]string{
		`{"id":2,"total":10000}`:                       `field "total": 10000 has 5 digits before the point, the column takes 4 (column "total", numeric(6,2))`,
		`{"id":2,"total":1.005}`:                       `has 3 digits behind the point`,
		`{"id":2,"total":"1"}`:                         `field "total": found string "1", expected`,
		`{"id":2,"status":"gone"}`:                     `field "status": found string "gone"`,
		`{"id":2.5}`:                                   `field "id": found`,
		`{"id":null,"total":1}`:                        `field "id": found null`,
		`{"id":2,"paid":1}`:                            `field "paid"`,
		`{"id":2,"at":"yesterday"}`:                    `field "at"`,
		`{"id":2,"at":"0000-01-01"}`:                   `the year 0000`,
		`{"id":2,"at":"2026-01-20T00:00:00.1234567Z"}`: `more digits behind the seconds`,
		`{"id":2,"lines":[1]}`:                         `expected texts`,
		`{"id":2,"address":[]}`:                        `field "address"`,
		`{"id":2,"any":"a\u0000b"}`:                    "NUL",
		`{"id":2,"more":{"a\u0000":1}}`:                "NUL",
		`{"id":2,"any":1e200000}`:                      "beyond what the database takes",
	} {
		put(t, s, store.Overwrite, want, `{"id":3}`, record)
	}
	same(t, list(t, s), `{"id":1,"status":"open","total":9999.99,"lines":["a","b\"c",""]}`) // nothing of those batches
	_, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: "a\x00", Value: object(t, `{"id":1}`)}, {Key: strings.Repeat("k", 2601), Value: object(t, `{"id":1}`)}}})
	if err == nil {
		t.Error("keys that can't be stored are stored")
	}
	var batch *store.BatchError
	_, err = s.Put(ctx, store.Batch{Records: []store.Record{{Key: "a\x00", Value: object(t, `{"id":1}`)}, {Key: "b", Value: object(t, `{"id":"x"}`)}}})
	if !errors.As(err, &batch) || len(batch.Records) != 2 || batch.Records[1].Field != "id" || batch.Records[1].Index != 1 {
		t.Errorf("each refused record is told: %v", err)
	}

	// nul: replace
	var notices []string
	replace := *d
	replace.Name, replace.Schema, replace.Options = "raw", nil, store.Options{NUL: true}
	r, err := a.Open(ctx, &replace)
	if err != nil {
		t.Fatal(err)
	}
	put(t, r, store.Overwrite, "", `{"id":1,"a":"x\u0000y","b":"\\u0000"}`)
	same(t, list(t, r), `{"a":"x`+"\uFFFD"+`y","b":"\\u0000","id":1}`)
	r.Close()
	_ = notices
}

func TestEvolve(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	a := newAdapter(t)
	declare := func(o store.Options, fields ...store.Field) *store.Declaration {
		return &store.Declaration{Name: "orders", Run: "r", Target: address, Schema: &store.Schema{Name: "Order", Fields: fields}, Options: o}
	}
	refused := func(d *store.Declaration, want ...string) {
		t.Helper()
		_, err := a.Open(ctx, d)
		var config *store.ConfigError
		for _, w := range want {
			if !errors.As(err, &config) || !strings.Contains(err.Error(), w) {
				t.Fatalf("Open: %v; want %q", err, w)
			}
		}
	}
	strict := store.Options{Strict: true}
	refused(declare(strict, field("id", store.Int)), "is not there", `CREATE TABLE IF NOT EXISTS "orders"`)

	s := open(t, a, declare(store.Options{}, field("id", store.Int)))
	put(t, s, store.Overwrite, "", `{"id":1,"note":"a","n":1}`, `{"id":2}`, `{"id":3,"note":"c"}`)
	refused(declare(strict, field("id", store.Int), field("note", store.Text)), `ALTER TABLE "orders" ADD COLUMN IF NOT EXISTS "note" text`)

	// A dry run changes nothing.
	dry := declare(store.Options{}, field("id", store.Int), field("note", store.Text))
	dry.DryRun = true
	if _, err := a.Open(ctx, dry); err != nil {
		t.Fatal(err)
	}
	same(t, server.Query(t, address, `SELECT count(*) FROM information_schema.columns WHERE column_name = 'note'`), "0")

	// A new column takes its values out of _extra.
	s = open(t, a, declare(store.Options{}, field("id", store.Int), field("note", store.Text)))
	same(t, list(t, s), `{"id":1,"note":"a","n":1}`, `{"id":2}`, `{"id":3,"note":"c"}`)
	same(t, server.Query(t, address, `SELECT note, "_extra" FROM orders ORDER BY "_seq"`), `a|{"n": 1}`, "NULL|NULL", "c|NULL")

	// One that does not fit is told, and nothing is changed.
	refused(declare(store.Options{}, field("id", store.Int), field("note", store.Text), field("n", store.Boolean)), `field "n" can't take what was stored: record "1"`)
	same(t, server.Query(t, address, `SELECT count(*) FROM information_schema.columns WHERE column_name = 'n'`), "0")

	// int becomes number; the other way would narrow it, and the column stays as
	// it is since it takes more.
	s = open(t, a, declare(store.Options{}, field("id", store.Number), field("note", store.Text)))
	put(t, s, store.Overwrite, "", `{"id":1.5}`)
	s = open(t, a, declare(store.Options{}, field("id", store.Int), field("note", store.Text)))
	put(t, s, store.Overwrite, "", `{"id":7}`)
	refused(declare(store.Options{}, field("id", store.Int), field("note", store.Boolean)), `the column "note"`, `ALTER COLUMN "note" TYPE boolean`)
	refused(&store.Declaration{Name: "orders", Target: address}, "has columns for fields")
}

func TestTableOfOthers(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	server.Exec(t, address, `CREATE TABLE customers (tenant text, nr integer, name varchar(5), born timestamp, tags text[], created timestamptz DEFAULT now(), PRIMARY KEY (tenant, nr))`,
		`INSERT INTO customers VALUES ('b', 2, 'B', '2026-01-01 10:00'), ('a', 10, 'A', NULL)`,
		`CREATE TABLE plain (id bigint PRIMARY KEY, name text NOT NULL)`, `CREATE TABLE loose (id bigint, name text)`)
	a := newAdapter(t)
	schema := &store.Schema{Name: "C", Fields: []store.Field{field("tenant", store.Text), field("nr", store.Int), field("name", store.Text), field("born", store.Date), field("tags", store.Array)}}
	d := &store.Declaration{Name: "customers", Target: address, Schema: schema, Options: store.Options{Key: []string{"tenant", "nr"}}}
	s := open(t, a, d)
	same(t, list(t, s), `{"tenant":"a","nr":10,"name":"A"}`, `{"tenant":"b","nr":2,"name":"B","born":"2026-01-01T10:00:00.000Z"}`)
	v, ok, err := s.Get(ctx, `["b",2]`)
	if !ok || err != nil || value.Field(v, "name").Str() != "B" {
		t.Errorf("Get: %s, %v, %v", value.Describe(v), ok, err)
	}
	one := func(json string) store.Batch {
		return store.Batch{Conflict: store.MergeFields, Records: []store.Record{{Value: object(t, json)}}}
	}
	if res, err := s.Put(ctx, one(`{"tenant":"b","nr":2,"tags":["x"]}`)); err != nil || res != (store.Result{Updated: 1}) {
		t.Errorf("merge: %+v, %v", res, err)
	}
	if res, err := s.Put(ctx, one(`{"tenant":"c","nr":1,"name":"C"}`)); err != nil || res != (store.Result{Inserted: 1}) {
		t.Errorf("insert: %+v, %v", res, err)
	}
	same(t, server.Query(t, address, "SELECT tenant, nr, name, born, tags, created IS NOT NULL FROM customers ORDER BY 1"),
		"a|10|A|NULL|NULL|t", "b|2|B|2026-01-01 10:00:00|{x}|t", "c|1|C|NULL|NULL|t")
	for json, want := range map[string]string{
		`{"tenant":"c","nr":1,"what":1}`:          "neither does the table",
		`{"nr":1}`:                                "part of the table's key",
		`{"tenant":"c","nr":1,"name":"too long"}`: "8 characters",
		`{"tenant":"c","nr":3000000000}`:          "32 bits",
	} {
		if _, err := s.Put(ctx, one(json)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", json, err, want)
		}
	}
	var keys []string
	for cursor := ""; ; {
		p, err := s.Page(ctx, cursor, 2, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			keys = append(keys, r.Key)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	same(t, keys, `["a",10]`, `["b",2]`, `["c",1]`)
	if ok, err := s.Delete(ctx, `["c",1]`); !ok || err != nil {
		t.Errorf("Delete: %v, %v", ok, err)
	}
	if _, err := s.Clear(ctx); err == nil {
		t.Error("the table of others was cleared")
	}

	// A NOT NULL of theirs is an error of the server, which names the column.
	p := open(t, a, &store.Declaration{Name: "plain", Target: address, Schema: &store.Schema{Name: "P", Fields: []store.Field{field("id", store.Int), field("name", store.Text)}}, Options: store.Options{Key: []string{"id"}, Drop: true}})
	if _, err := p.Put(ctx, one(`{"id":1}`)); err == nil || !strings.Contains(err.Error(), "null value in column") {
		t.Errorf("NOT NULL: %v", err)
	}
	if _, err := p.Put(ctx, one(`{"id":1,"name":"x","dropped":1}`)); err != nil {
		t.Error(err)
	}
	if v, ok, err := p.Get(ctx, "1"); !ok || err != nil || value.Field(v, "name").Str() != "x" {
		t.Errorf("Get: %v, %v", ok, err)
	}
	_, err = a.Open(ctx, &store.Declaration{Name: "loose", Target: address, Schema: &store.Schema{Name: "P", Fields: []store.Field{field("id", store.Int)}}, Options: store.Options{Key: []string{"id"}}})
	if err == nil || !strings.Contains(err.Error(), "is not unique") {
		t.Errorf("a key that is not unique: %v", err)
	}
}

// TestRights: a role that may not create works in a table that is there, and is
// told what it lacks where none is.
func TestRights(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	open(t, newAdapter(t), &store.Declaration{Name: "orders", Target: address})
	server.Exec(t, address, `DROP ROLE IF EXISTS small`, `CREATE ROLE small LOGIN`, `GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO small`,
		`GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO small`, `REVOKE CREATE ON SCHEMA public FROM PUBLIC`)
	small := strings.Replace(address, "reqon@", "small@", 1)
	a := newAdapter(t)
	s := open(t, a, &store.Declaration{Name: "orders", Target: small})
	put(t, s, store.Overwrite, "", `{"id":1}`)
	_, err := a.Open(ctx, &store.Declaration{Name: "others", Target: small})
	var config *store.ConfigError
	if !errors.As(err, &config) || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "CREATE TABLE") {
		t.Errorf("without the right to create: %v", err)
	}
}

// TestOpenTogether opens one new table from many places at once.
func TestOpenTogether(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	var wg sync.WaitGroup
	for i := range 8 {
		a := newAdapter(t)
		wg.Go(func() {
			s, err := a.Open(ctx, &store.Declaration{Name: "orders", Target: address, Options: store.Options{Table: "s.orders"}})
			if err != nil {
				t.Error(err)
				return
			}
			put(t, s, store.MergeFields, "", fmt.Sprintf(`{"id":1,"f%d":1}`, i), fmt.Sprintf(`{"id":"o%d"}`, i))
			s.Close()
		})
	}
	wg.Wait()
	same(t, server.Query(t, address, `SELECT count(*), (SELECT count(*) FROM jsonb_object_keys((SELECT data FROM s.orders WHERE _key = '1'))) FROM s.orders`), "9|9")
}

// TestServerGoesAway kills the server under a store, and starts it again.
func TestServerGoesAway(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	d := &store.Declaration{Name: "orders", Target: address, Options: store.Options{Retry: store.Retry{MaxAttempts: 50, Initial: 20 * time.Millisecond, Max: 100 * time.Millisecond}}}
	s := open(t, newAdapter(t), d)
	d2 := *d
	d2.Name, d2.Options.Mode = "log", store.Append
	log := open(t, newAdapter(t), &d2)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	stored := make([]int, 4)
	for task := range stored {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				put(t, s, store.MergeFields, "", fmt.Sprintf(`{"id":"t%d-%d","n":%d}`, task, i, i), fmt.Sprintf(`{"id":"last%d","n":%d}`, task, i))
				put(t, log, store.Overwrite, "", fmt.Sprintf(`{"id":"t%d-%d"}`, task, i))
				stored[task] = i + 1
			}
		})
	}
	for range 2 {
		time.Sleep(150 * time.Millisecond) // work goes on
		server.Kill()
		if err := server.Run(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(100 * time.Millisecond)
	close(stop)
	wg.Wait()
	total := 0
	for task, n := range stored {
		total += n
		same(t, server.Query(t, address, fmt.Sprintf(`SELECT data->>'n' FROM orders WHERE _key = 'last%d'`, task)), fmt.Sprint(n-1))
	}
	same(t, server.Query(t, address, "SELECT count(*) FROM orders WHERE _key LIKE 't%'"), fmt.Sprint(total))
	same(t, server.Query(t, address, "SELECT count(*) FROM log"), fmt.Sprint(total)) // once, each

	// Away for longer than `retry`: the run fails, and says so.
	server.Kill()
	defer server.Run()
	_, err := newAdapter(t).Open(ctx, &store.Declaration{Name: "orders", Target: address, Options: store.Options{Retry: store.Retry{MaxAttempts: 2, Initial: time.Millisecond}}})
	var away *store.Unavailable
	if !errors.As(err, &away) || !strings.Contains(err.Error(), "can't be reached") {
		t.Errorf("Open of a server that is away: %v", err)
	}
}
