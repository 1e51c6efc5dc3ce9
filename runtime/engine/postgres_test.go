package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/runtime/store/all"
	"reqon/runtime/store/storetest/pgtest"
)

// TestPostgres syncs an API into a real PostgreSQL: pages into columns, all at
// once, row by row side by side, and into what the address names.
func TestPostgres(t *testing.T) {
	server := pgtest.Start(t)
	address := server.Database(t)
	pages := []string{`[{"id":1,"total":1.10,"at":"2026-01-20T09:00:00Z"},{"id":2,"total":2}]`, `[{"id":3,"total":3,"extra":{"a":1}}]`, `[]`}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		var n int
		fmt.Sscan(r.URL.Query().Get("page"), &n)
		fmt.Fprint(w, pages[n-1])
	}))
	defer api.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "mission.reqon")
	source := `mission Sync {
  source API { base: "` + api.URL + `" }
  schema Order { id: int, total: decimal, at: date? }
  store orders: postgres { table: "crm.orders", schema: Order, nul: replace, pool: 3 }
  store now: postgres(env("DATABASE_URL")) { mode: replace }
  store rows: sql(env("DATABASE_URL")) { mode: append }
  store past: postgres { mode: history, json: exact }
  action A {
    get "/orders" { paginate: page(page, 2), since: lastSync }
    for o in response concurrency 4 {
      store o -> orders { upsert: true }
      store o -> now
      store o -> rows
      store o -> past
    }
    log "n" { n: length(orders), one: orders[1].total, big: length(orders where .total > 1.5) }
  }
}`
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Load(path)
	if err != nil || compiled.Failed() {
		t.Fatal(err, compiled.Diagnostics)
	}
	e, err := engine.New(engine.Config{
		StateDir: filepath.Join(dir, "state"), Adapters: all.Adapters(),
		Env: func(name string) (string, bool) { return address, name == "DATABASE_URL" },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	m, err := e.LoadFrom(path, compiled.Missions[0].Program)
	if err != nil {
		t.Fatal(err)
	}
	run := func(want string) {
		t.Helper()
		report := m.Run(context.Background(), engine.RunOptions{})
		if report.Err != nil {
			t.Fatal(report.Err)
		}
		var counts []string
		for _, s := range report.Stores {
			counts = append(counts, fmt.Sprintf("%s %d/%d/%d", s.Name, s.Inserted, s.Updated, s.Unchanged))
		}
		if got := strings.Join(counts, " "); got != want {
			t.Errorf("counts %s, want %s", got, want)
		}
	}
	rows := func(query string, want ...string) {
		t.Helper()
		if got := server.Query(t, address, query); !slices.Equal(got, want) {
			t.Errorf("%s\ngives %q\nwant %q", query, got, want)
		}
	}
	run("orders 3/0/0 now 3/0/0 rows 3/0/0 past 3/0/0")
	rows(`SELECT id, total, at AT TIME ZONE 'UTC', _extra FROM crm.orders ORDER BY id`, "1|1.10|2026-01-20 09:00:00|NULL", "2|2|NULL|NULL", `3|3|NULL|{"extra": {"a": 1}}`)
	pages = []string{`[{"id":1,"total":1.1,"at":"2026-01-20T10:00:00+01:00"},{"id":2,"total":20}]`, `[]`}
	run("orders 0/1/1 now 0/2/0 rows 2/0/0 past 0/2/0")
	rows(`SELECT id, total FROM crm.orders ORDER BY id`, "1|1.10", "2|20", "3|3")
	rows(`SELECT _key, data->>'total' FROM "now" ORDER BY 1`, "1|1.1", "2|20")
	rows(`SELECT count(*), count(DISTINCT _key) FROM "rows"`, "5|5")
	rows(`SELECT _key, data->>'total', _valid_to IS NULL FROM past ORDER BY _key, _valid_from`, "1|1.10|f", "1|1.1|t", "2|2|f", "2|20|t", "3|3|t")
	rows(`SELECT count(DISTINCT _run) FROM crm.orders`, "2")

	// What the API sends does not fit: the item fails, its position is held, and
	// nothing of it is anywhere.
	pages = []string{`[{"id":1,"total":"much"},{"id":4,"total":4}]`, `[]`}
	report := m.Run(context.Background(), engine.RunOptions{})
	if report.Err == nil || !strings.Contains(report.Err.Error(), `store orders: record (key "1"): field "total": found string "much", expected a number (column "total", numeric)`) {
		t.Errorf("what does not fit: %v", report.Err)
	}
	rows(`SELECT id, total FROM crm.orders ORDER BY id`, "1|1.10", "2|20", "3|3", "4|4")
	rows(`SELECT _key FROM "now" ORDER BY 1`, "1", "2")
}
