package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest"
	"reqon/runtime/store/storetest/pgtest"
	"reqon/vm/value"
)

func BenchmarkPut(b *testing.B) {
	address := pgtest.Start(b).Database(b)
	a := newAdapter(b)
	storetest.Bench(b, func(name string) store.Store {
		return open(b, a, &store.Declaration{Name: name, Run: "r", Target: address})
	})
}

// BenchmarkByHand is what one writes with pgx: an upsert of arrays.
func BenchmarkByHand(b *testing.B) {
	address := pgtest.Start(b).Database(b)
	recs := storetest.Orders(20_000)
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(ctx)
	for _, again := range []bool{false, true} {
		b.Run(map[bool]string{false: "New", true: "Unchanged"}[again], func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if _, err := c.Exec(ctx, "DROP TABLE IF EXISTS hand; CREATE TABLE hand (key text PRIMARY KEY, data jsonb NOT NULL)"); err != nil {
					b.Fatal(err)
				}
				put := func() {
					for i := 0; i < len(recs); i += 1000 {
						var keys, datas []string
						for _, r := range recs[i : i+1000] {
							keys, datas = append(keys, r.Key), append(datas, string(value.AppendJSON(nil, r.Value)))
						}
						if _, err := c.Exec(ctx, "INSERT INTO hand SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT (key) DO UPDATE SET data = excluded.data WHERE hand.data <> excluded.data", keys, datas); err != nil {
							b.Fatal(err)
						}
					}
				}
				if again {
					put()
				}
				b.StartTimer()
				put()
			}
			b.ReportMetric(float64(len(recs))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkTasks(b *testing.B) {
	address := pgtest.Start(b).Database(b)
	a := newAdapter(b)
	storetest.BenchTasks(b, func(name string) store.Store {
		return open(b, a, &store.Declaration{Name: name, Run: "r", Target: address})
	})
}
