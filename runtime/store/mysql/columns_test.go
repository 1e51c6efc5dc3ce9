package mysql_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest/mysqltest"
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
	server := mysqltest.Start(t)
	db, address := server.Database(t)
	d := &store.Declaration{Name: "orders", Run: "run-1", Target: address, Schema: orderSchema(), Options: store.Options{Table: db + "x.Orders"}}
	s := open(t, newAdapter(t), d)
	put(t, s, store.Overwrite, "",
		`{"more":1,"id":1,"status":"open","total":1.10,"paid":true,"at":"2026-01-20T10:00:00.123456+01:00","lines":[1,{"a":"x\\'"}],"address":{"z":1,"a":12345678901234567890.1},"any":"t\u0000"}`,
		`{"id":2,"total":12345678901234567890.123456789,"at":"0001-01-01","any":null,"paid":false}`, `{"id":3,"total":-1.5e3}`, `{"id":4,"total":100}`)
	same(t, list(t, s),
		`{"id":1,"status":"open","total":1.1,"paid":true,"at":"2026-01-20T09:00:00.123456Z","lines":[1,{"a":"x\\'"}],"address":{"z":1,"a":12345678901234567890.1},"any":"t\u0000","more":1}`,
		`{"id":2,"total":12345678901234567890.123456789,"paid":false,"at":"0001-01-01T00:00:00.000Z"}`, `{"id":3,"total":-1500}`, `{"id":4,"total":100}`)
	same(t, server.Query(t, db+"x", "SELECT `_key`, `_run`, id, total + 0, at, paid, JSON_EXTRACT(`lines`, '$[0]'), `_extra` FROM Orders WHERE id = 1"),
		`1|run-1|1|1.100000000000000000000000000000|2026-01-20 09:00:00.123456|1|1|{"more":1}`)

	// By value nothing has changed; nor by instant.
	if got := put(t, s, store.Overwrite, "", `{"id":2,"total":12345678901234567890.1234567890,"at":"0001-01-01T01:00:00+01:00","paid":false}`, `{"id":3,"total":-1500.0}`); got != (store.Result{Unchanged: 2}) {
		t.Errorf("the same by value: %+v", got)
	}
	// A merge keeps what it does not name, in _extra too.
	if got := put(t, s, store.MergeFields, "", `{"id":1,"paid":null,"other":2}`, `{"id":2,"status":"void"}`); got != (store.Result{Updated: 2}) {
		t.Errorf("merge: %+v", got)
	}
	same(t, list(t, s)[:2],
		`{"id":1,"status":"open","total":1.1,"at":"2026-01-20T09:00:00.123456Z","lines":[1,{"a":"x\\'"}],"address":{"z":1,"a":12345678901234567890.1},"any":"t\u0000","more":1,"other":2}`,
		`{"id":2,"status":"void","total":12345678901234567890.123456789,"paid":false,"at":"0001-01-01T00:00:00.000Z"}`)
	// An id beyond 64 bits widens the column.
	put(t, s, store.Overwrite, "", `{"id":123456789012345678901234567890}`)
	same(t, server.Query(t, db+"x", "SELECT count(*) FROM Orders WHERE id = 123456789012345678901234567890"), "1")
	put(t, s, store.Overwrite, "the column takes 35", `{"id":1234567890123456789012345678901234567}`)
	// Opened again, everything is as it was.
	same(t, list(t, open(t, newAdapter(t), d)), list(t, s)...)
}

func TestWhatDoesNotFit(t *testing.T) {
	server := mysqltest.Start(t)
	_, address := server.Database(t)
	a := newAdapter(t)
	schema := orderSchema()
	for _, name := range []string{"tiny", "small", "note", "day", "doc", "uid", "ratio"} {
		typ := map[string]store.Type{"tiny": store.Int, "small": store.Int, "day": store.Date, "doc": store.Any, "ratio": store.Number}[name]
		if typ == store.Any && name != "doc" {
			typ = store.Text
		}
		schema.Fields = append(schema.Fields, field(name, typ))
	}
	d := &store.Declaration{Name: "orders", Run: "r", Target: address, Schema: schema, Options: store.Options{Columns: map[string]string{
		"total": "decimal(6,2)", "status": "varchar(4)", "tiny": "tinyint", "small": "smallint unsigned", "note": "tinytext", "day": "datetime", "doc": "json", "uid": "char(36)", "ratio": "double"}}}
	s := open(t, a, d)
	fits := `{"id":1,"status":"open","total":9999.99,"tiny":-128,"small":65535,"note":"` + strings.Repeat("x", 255) + `","day":"2026-01-20T09:00:00.000Z","doc":{"a":[0.5,9007199254740993]},"uid":"0190b5a0-0000-7000-8000-000000000000","ratio":0.1}`
	put(t, s, store.Overwrite, "", fits)
	for record, want := range map[string]string{
		`{"id":2,"total":10000}`:                                   `field "total": 10000 has 5 digits before the point, the column takes 4 (column "total", decimal(6,2))`,
		`{"id":2,"total":1.005}`:                                   `has 3 digits behind the point`,
		`{"id":2,"total":"1"}`:                                     `field "total": found string "1", expected`,
		`{"id":2,"status":"gone"}`:                                 `field "status": found string "gone"`,
		`{"id":2.5}`:                                               `field "id": found`,
		`{"id":null,"total":1}`:                                    `field "id": found null`,
		`{"id":2,"at":"0000-01-01"}`:                               `the year 0000`,
		`{"id":2,"at":"2026-01-20T00:00:00.1234567Z"}`:             `more digits behind the seconds than the column keeps, 6`,
		`{"id":2,"day":"2026-01-20T00:00:00.5Z"}`:                  `more digits behind the seconds than the column keeps, 0`,
		`{"id":2,"tiny":128}`:                                      `beyond what the column takes, 8 bits`,
		`{"id":2,"small":-1}`:                                      `16 bits without a sign`,
		`{"id":2,"small":65536}`:                                   `16 bits without a sign`,
		`{"id":2,"note":"` + strings.Repeat("ä", 128) + `"}`:       `256 bytes`,
		`{"id":2,"doc":{"n":12345678901234567890.5}}`:              `would round`,
		`{"id":2,"uid":"0190B5A0-0000-7000-8000-000000000000"}`:    `expected a UUID in lower case`,
		`{"id":2,"ratio":0.12345678901234567890}`:                  `more digits than the column keeps`,
		`{"id":2,"any":1` + strings.Repeat("0", 70) + `,"paid":1}`: `field "paid"`,
	} {
		put(t, s, store.Overwrite, want, `{"id":3}`, record)
	}
	same(t, list(t, s), fits) // nothing of those batches
	if _, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: strings.Repeat("k", 3073), Value: object(t, `{"id":1}`)}}}); err == nil || !strings.Contains(err.Error(), "MySQL takes 3072") {
		t.Errorf("a key that is too long: %v", err)
	}
	// What the columns take counts, and not what another declaration says of them.
	wide := *d
	wide.Options.Columns = map[string]string{"total": "decimal(4,1)", "status": "varchar(3)", "doc": "json", "uid": "char(36)", "ratio": "double"}
	w := open(t, a, &wide)
	put(t, w, store.Overwrite, "", `{"id":9,"total":1000.01,"status":"void"}`)
	// It asks for more digits of `day`, and for a longer `note`: they were made wider.
	put(t, w, store.Overwrite, "", `{"id":9,"day":"2026-01-20T00:00:00.5Z","note":"`+strings.Repeat("x", 256)+`"}`)
	for typ, field := range map[string]string{"char(10)": "note", "date": "day", "set('a')": "note", "decimal(70,2)": "total", "datetime(7)": "day", "blob": "note"} {
		bad := *d
		bad.Name, bad.Options.Columns = "others", map[string]string{field: typ}
		var config *store.ConfigError
		if _, err := a.Open(ctx, &bad); !errors.As(err, &config) || !strings.Contains(err.Error(), "is no type of MySQL that Reqon can write") {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestEvolve(t *testing.T) {
	server := mysqltest.Start(t)
	db, address := server.Database(t)
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
	refused(declare(strict, field("id", store.Int)), "is not there", "CREATE TABLE IF NOT EXISTS `orders`")
	s := open(t, a, declare(store.Options{}, field("id", store.Int)))
	put(t, s, store.Overwrite, "", `{"id":1,"note":"a","n":1}`, `{"id":2}`, `{"id":3,"note":"c"}`)
	refused(declare(strict, field("id", store.Int), field("note", store.Text)), "ALTER TABLE `orders` ADD COLUMN `note` longtext")
	dry := declare(store.Options{}, field("id", store.Int), field("note", store.Text))
	dry.DryRun = true
	if _, err := a.Open(ctx, dry); err != nil {
		t.Fatal(err)
	}
	same(t, server.Query(t, db, "SHOW COLUMNS FROM orders LIKE 'note'"))
	s = open(t, a, declare(store.Options{}, field("id", store.Int), field("note", store.Text)))
	same(t, list(t, s), `{"id":1,"note":"a","n":1}`, `{"id":2}`, `{"id":3,"note":"c"}`)
	same(t, server.Query(t, db, "SELECT note, `_extra` FROM orders ORDER BY `_seq`"), `a|{"n":1}`, "NULL|NULL", "c|NULL")
	s = open(t, a, declare(store.Options{}, field("id", store.Number), field("note", store.Text)))
	put(t, s, store.Overwrite, "", `{"id":1.5}`)
	s = open(t, a, declare(store.Options{}, field("id", store.Int), field("note", store.Text)))
	put(t, s, store.Overwrite, "", `{"id":7}`)
	refused(declare(store.Options{}, field("id", store.Int), field("note", store.Boolean)), `the column "note"`, "MODIFY COLUMN `note` tinyint(1)")
	refused(declare(store.Options{}, field("id", store.Int), field("ID", store.Int)), "would have the same column")
	refused(declare(store.Options{}, field("_Key", store.Int)), "would have the same column")
	refused(declare(store.Options{Table: strings.Repeat("t", 65)}, field("id", store.Int)), "would cut it to 64")
	refused(&store.Declaration{Name: "orders", Target: address}, "has columns for fields")
	refused(declare(store.Options{Mode: store.History}, field("id", store.Int)), "no `mode: history`")
}

func TestTableOfOthers(t *testing.T) {
	server := mysqltest.Start(t)
	db, address := server.Database(t)
	server.Exec(t, db, `CREATE TABLE customers (tenant varchar(10), nr int unsigned, name varchar(5), born datetime, doc json, created timestamp DEFAULT now(), PRIMARY KEY (tenant, nr)) CHARSET utf8mb4 COLLATE utf8mb4_bin`,
		`INSERT INTO customers (tenant, nr, name, born, doc) VALUES ('b', 2, 'B', '2026-01-01 10:00', '{"a": [1]}'), ('a', 10, 'A', NULL, NULL)`,
		`CREATE TABLE folds (code varchar(10) PRIMARY KEY, mail varchar(20) UNIQUE) CHARSET utf8mb4 COLLATE utf8mb4_general_ci`, `INSERT INTO folds VALUES ('Aa', 'a@x')`,
		`CREATE TABLE loose (id bigint, name text)`)
	a := newAdapter(t)
	schema := &store.Schema{Name: "C", Fields: []store.Field{field("tenant", store.Text), field("nr", store.Int), field("name", store.Text), field("born", store.Date), field("doc", store.Object)}}
	s := open(t, a, &store.Declaration{Name: "customers", Target: address, Schema: schema, Options: store.Options{Key: []string{"tenant", "nr"}}})
	same(t, list(t, s), `{"tenant":"a","nr":10,"name":"A"}`, `{"tenant":"b","nr":2,"name":"B","born":"2026-01-01T10:00:00.000Z","doc":{"a":[1]}}`)
	if v, ok, err := s.Get(ctx, `["b",2]`); !ok || err != nil || value.Field(v, "name").Str() != "B" {
		t.Errorf("Get: %s, %v, %v", value.Describe(v), ok, err)
	}
	one := func(json string) store.Batch {
		return store.Batch{Conflict: store.MergeFields, Records: []store.Record{{Value: object(t, json)}}}
	}
	if res, err := s.Put(ctx, one(`{"tenant":"b","nr":2,"born":"2026-01-01T10:00:01Z"}`)); err != nil || res != (store.Result{Updated: 1}) {
		t.Errorf("merge: %+v, %v", res, err)
	}
	if res, err := s.Put(ctx, one(`{"tenant":"c","nr":4294967295,"name":"C"}`)); err != nil || res != (store.Result{Inserted: 1}) {
		t.Errorf("insert: %+v, %v", res, err)
	}
	same(t, server.Query(t, db, "SELECT tenant, nr, name, born, created IS NOT NULL FROM customers ORDER BY 1"),
		"a|10|A|NULL|1", "b|2|B|2026-01-01 10:00:01|1", "c|4294967295|C|NULL|1")
	for json, want := range map[string]string{
		`{"tenant":"c","nr":1,"what":1}`:                           "neither does the table",
		`{"nr":1}`:                                                 "part of the table's key",
		`{"tenant":"c","nr":1,"name":"too long"}`:                  "8 characters",
		`{"tenant":"c","nr":-1}`:                                   "32 bits without a sign",
		`{"tenant":"c","nr":1,"doc":{"n":0.12345678901234567890}}`: "would round",
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
	same(t, keys, `["a",10]`, `["b",2]`, `["c",4294967295]`)
	if ok, err := s.Delete(ctx, `["c",4294967295]`); !ok || err != nil {
		t.Errorf("Delete: %v, %v", ok, err)
	}

	// Its collation takes `aa` for `Aa`: no record is taken for another one.
	f := open(t, a, &store.Declaration{Name: "folds", Target: address, Schema: &store.Schema{Name: "F", Fields: []store.Field{field("code", store.Text), field("mail", store.Text)}}, Options: store.Options{Key: []string{"code"}}})
	if _, err := f.Put(ctx, one(`{"code":"aa","mail":"b@x"}`)); err == nil || !strings.Contains(err.Error(), "binary collation") {
		t.Errorf("a key that folds: %v", err)
	}
	if _, err := f.Put(ctx, one(`{"code":"b","mail":"A@x"}`)); err == nil || !strings.Contains(err.Error(), "Duplicate entry") {
		t.Errorf("another unique column: %v", err)
	}
	if _, err := f.Put(ctx, store.Batch{Records: []store.Record{{Value: object(t, `{"code":"n"}`)}, {Value: object(t, `{"code":"N"}`)}}}); err == nil || !strings.Contains(err.Error(), "Duplicate entry") {
		t.Errorf("two keys of one batch that fold: %v", err)
	}
	same(t, server.Query(t, db, "SELECT * FROM folds"), "Aa|a@x")
	_, err := a.Open(ctx, &store.Declaration{Name: "loose", Target: address, Schema: &store.Schema{Name: "P", Fields: []store.Field{field("id", store.Int)}}, Options: store.Options{Key: []string{"id"}}})
	if err == nil || !strings.Contains(err.Error(), "is not unique") {
		t.Errorf("a key that is not unique: %v", err)
	}
}

// TestRights: a user that may not create works in a table that is there, and is
// told what it lacks where none is.
func TestRights(t *testing.T) {
	server := mysqltest.Start(t)
	db, address := server.Database(t)
	open(t, newAdapter(t), &store.Declaration{Name: "orders", Target: address})
	server.Exec(t, db, "CREATE USER small IDENTIFIED BY 'p@ss/w:rd'", "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON "+db+".* TO small")
	small := strings.Replace(address, "root@", "small:p%40ss%2Fw%3Ard@", 1)
	a := newAdapter(t)
	s := open(t, a, &store.Declaration{Name: "orders", Target: small})
	put(t, s, store.Overwrite, "", `{"id":1}`)
	_, err := a.Open(ctx, &store.Declaration{Name: "others", Target: small})
	var config *store.ConfigError
	if !errors.As(err, &config) || !strings.Contains(err.Error(), "give the user that right") || !strings.Contains(err.Error(), "CREATE TABLE") {
		t.Errorf("without the right to create: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	server := mysqltest.Start(t)
	db, address := server.Database(t)
	server.Exec(t, db, "CREATE USER IF NOT EXISTS other IDENTIFIED BY 'right'")
	host := fmt.Sprintf("127.0.0.1:%d", server.Port)
	a := newAdapter(t)
	for target, want := range map[string]string{
		"mysql://other:wr0ngsecret@" + host + "/" + db: "check user and password",
		"mysql://root@" + host + "/nowhere":            "make the database, or name another",
		"mysql://root@" + host:                         "names no database",
		"mysql:///x":                                   "names no host",
		"postgres://root@" + host + "/x":               "it has the form mysql://",
		"mysql://root:s3cr%ZZ@" + host + "/x":          "can't be read",
		address + "?sslmode=require":                   `"sslmode" is no setting`,
		address + "?tls=perhaps":                       `tls is "perhaps"`,
		address + "?ca=/no/such/file":                  "no such file",
		address + "?tls=true":                          "TLS",
	} {
		_, err := a.Open(ctx, &store.Declaration{Name: "orders", Target: target})
		var config *store.ConfigError
		if !errors.As(err, &config) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr") || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v; want %q", target, err, want)
		}
	}
	_, err := a.Open(ctx, &store.Declaration{Name: "orders", Target: "mysql://me:s3cr@127.0.0.1:1/d", Options: store.Options{Retry: store.Retry{MaxAttempts: 2, Initial: time.Millisecond}}})
	var away *store.Unavailable
	if !errors.As(err, &away) || !strings.Contains(err.Error(), "MySQL at mysql://127.0.0.1:1/d can't be reached") || strings.Contains(err.Error(), "s3cr") {
		t.Errorf("a server that is not there: %v", err)
	}
	open(t, a, &store.Declaration{Name: "orders", Target: strings.Replace(address, "mysql:", "mariadb:", 1)})
	open(t, a, &store.Declaration{Name: "orders", Target: "mysql://root@/" + db + "?socket=" + server.Dir + "/s"})
}

// TestStatementTimeout: a statement that waits for somebody else's lock ends.
func TestStatementTimeout(t *testing.T) {
	server := mysqltest.Start(t)
	_, address := server.Database(t)
	s := open(t, newAdapter(t), &store.Declaration{Name: "orders", Target: address})
	put(t, s, store.Overwrite, "", `{"id":1}`)
	tx := server.Begin(t, address)
	defer tx.Rollback()
	if _, err := tx.Exec("UPDATE orders SET _run = 'x'"); err != nil {
		t.Fatal(err)
	}
	slow := open(t, newAdapter(t), &store.Declaration{Name: "orders", Target: address, Options: store.Options{StatementTimeout: 50 * time.Millisecond, Retry: store.Retry{MaxAttempts: 1}}})
	put(t, slow, store.Overwrite, "took longer than `statementTimeout`", `{"id":1,"n":2}`)
}

// TestOpenTogether opens one new table from many places at once.
func TestOpenTogether(t *testing.T) {
	server := mysqltest.Start(t)
	db, address := server.Database(t)
	var wg sync.WaitGroup
	for i := range 8 {
		a := newAdapter(t)
		wg.Go(func() {
			s, err := a.Open(ctx, &store.Declaration{Name: "orders", Target: address, Options: store.Options{Table: db + "s.orders"}})
			if err != nil {
				t.Error(err)
				return
			}
			put(t, s, store.MergeFields, "", fmt.Sprintf(`{"id":1,"f%d":1}`, i), fmt.Sprintf(`{"id":"o%d"}`, i))
			s.Close()
		})
	}
	wg.Wait()
	same(t, server.Query(t, db+"s", "SELECT count(*), (SELECT json_length(data) FROM orders WHERE _key = '1') FROM orders"), "9|9")
}

// proxy stands between a store and the server, and cuts connections: when a
// COMMIT is asked for, before or behind the server.
type proxy struct {
	net.Listener
	to     string
	commit atomic.Int64 // commits seen
}

func newProxy(t *testing.T, port int) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: fmt.Sprintf("127.0.0.1:%d", port)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	var cut atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if n > 0 && !cut.Load() {
				if _, err := client.Write(buf[:n]); err != nil {
					server.Close()
					return
				}
			}
			if err != nil || n > 0 && cut.Load() {
				client.Close() // the server has answered; nobody will know
				return
			}
		}
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if n > 0 && strings.Contains(string(buf[:n]), "COMMIT") && !strings.Contains(string(buf[:n]), "READ COMMITTED") {
			switch p.commit.Add(1) % 3 {
			case 1: // never gets there
				server.Close()
				wg.Wait()
				return
			case 2: // gets there, and the answer is lost
				cut.Store(true)
			}
		}
		if n > 0 {
			if _, err := server.Write(buf[:n]); err != nil {
				break
			}
		}
		if err != nil {
			if err != io.EOF && cut.Load() {
				break
			}
			server.Close()
			break
		}
	}
	wg.Wait()
}

// TestCutInCommit cuts the connection in the middle of two commits of three.
func TestCutInCommit(t *testing.T) {
	server := mysqltest.Start(t)
	db, address := server.Database(t)
	p := newProxy(t, server.Port)
	through := strings.Replace(address, fmt.Sprint(server.Port), fmt.Sprint(p.Addr().(*net.TCPAddr).Port), 1)
	retry := store.Retry{MaxAttempts: 10, Initial: time.Millisecond}
	open(t, newAdapter(t), &store.Declaration{Name: "orders", Target: address})
	open(t, newAdapter(t), &store.Declaration{Name: "log", Target: address, Options: store.Options{Mode: store.Append}})
	s := open(t, newAdapter(t), &store.Declaration{Name: "orders", Target: through, Options: store.Options{Retry: retry}})
	log := open(t, newAdapter(t), &store.Declaration{Name: "log", Target: through, Options: store.Options{Retry: retry, Mode: store.Append}})
	const n = 30
	for i := range n {
		put(t, s, store.MergeFields, "", fmt.Sprintf(`{"id":1,"f%d":1}`, i), fmt.Sprintf(`{"id":"o%d"}`, i))
		put(t, log, store.Overwrite, "", fmt.Sprintf(`{"id":"l%d"}`, i))
	}
	if p.commit.Load() < 2*n {
		t.Errorf("only %d commits were seen", p.commit.Load())
	}
	same(t, server.Query(t, db, "SELECT count(*), (SELECT json_length(data) FROM orders WHERE _key = '1'), (SELECT count(*) FROM log) FROM orders"), fmt.Sprintf("%d|%d|%d", n+1, n+1, n))
}

// TestServerGoesAway kills the server under a store, and starts it again.
func TestServerGoesAway(t *testing.T) {
	server := mysqltest.Start(t)
	db, address := server.Database(t)
	d := &store.Declaration{Name: "orders", Target: address, Options: store.Options{Retry: store.Retry{MaxAttempts: 100, Initial: 20 * time.Millisecond, Max: 100 * time.Millisecond}}}
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
		same(t, server.Query(t, db, fmt.Sprintf("SELECT json_value(data, '$.n') FROM orders WHERE _key = 'last%d'", task)), fmt.Sprint(n-1))
	}
	same(t, server.Query(t, db, "SELECT count(*) FROM orders WHERE _key LIKE 't%'"), fmt.Sprint(total))
	same(t, server.Query(t, db, "SELECT count(*) FROM log"), fmt.Sprint(total)) // once, each
}
