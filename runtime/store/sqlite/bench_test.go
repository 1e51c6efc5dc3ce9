package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest"
	"reqon/vm/value"
)

func BenchmarkPut(b *testing.B) {
	dir := b.TempDir()
	a := newAdapter(b)
	storetest.Bench(b, func(name string) store.Store {
		return open(b, a, &store.Declaration{Name: "orders", Run: "r", Target: filepath.Join(dir, name+".db")})
	})
}

// BenchmarkByHand is what one writes with database/sql: a prepared upsert.
func BenchmarkByHand(b *testing.B) {
	recs := storetest.Orders(20_000)
	dir := b.TempDir()
	n := 0
	for _, again := range []bool{false, true} {
		b.Run(map[bool]string{false: "New", true: "Unchanged"}[again], func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				n++
				db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, fmt.Sprintf("h%d.db", n))+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
				if err != nil {
					b.Fatal(err)
				}
				if _, err := db.Exec("CREATE TABLE orders (key TEXT PRIMARY KEY, data TEXT NOT NULL)"); err != nil {
					b.Fatal(err)
				}
				put := func() {
					for i := 0; i < len(recs); i += 1000 {
						tx, err := db.Begin()
						if err != nil {
							b.Fatal(err)
						}
						stmt, err := tx.Prepare("INSERT INTO orders VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data WHERE data <> excluded.data")
						if err != nil {
							b.Fatal(err)
						}
						for _, r := range recs[i : i+1000] {
							if _, err := stmt.Exec(r.Key, string(value.AppendJSON(nil, r.Value))); err != nil {
								b.Fatal(err)
							}
						}
						if err := tx.Commit(); err != nil {
							b.Fatal(err)
						}
					}
				}
				if again {
					put()
				}
				b.StartTimer()
				put()
				b.StopTimer()
				db.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(len(recs))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkTasks(b *testing.B) {
	dir := b.TempDir()
	a := newAdapter(b)
	storetest.BenchTasks(b, func(name string) store.Store {
		return open(b, a, &store.Declaration{Name: "orders", Run: "r", Target: filepath.Join(dir, name+".db")})
	})
}
