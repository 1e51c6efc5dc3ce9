package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// Orders returns records of about 350 bytes, as APIs send them.
func Orders(n int) []store.Record {
	shapes := value.NewShapes()
	recs := make([]store.Record, n)
	for i := range recs {
		v, err := value.ParseJSON(shapes, fmt.Sprintf(`{"id":%d,"number":"SO-%08d","status":"open","total":%d.%02d,"currency":"EUR",`+
			`"customer":{"id":%d,"name":"Customer number %d","email":"customer%d@example.com","country":"NL"},`+
			`"lines":[{"sku":"A-%d","quantity":2,"price":19.90},{"sku":"B-%d","quantity":1,"price":5.00}],`+
			`"tags":["web","priority"],"createdAt":"2026-01-20T09:00:00Z","updatedAt":"2026-01-21T10:30:00Z"}`,
			i, i, i%1000, i%100, i%5000, i%5000, i%5000, i%100, i%77))
		if err != nil {
			panic(err)
		}
		recs[i] = store.Record{Key: fmt.Sprint(i), Value: v}
	}
	return recs
}

// Bench stores 20,000 new records in batches of 1,000, and again as they are.
func Bench(b *testing.B, open func(name string) store.Store) {
	recs := Orders(20_000)
	for _, again := range []bool{false, true} {
		name := "New"
		if again {
			name = "Unchanged"
		}
		b.Run(name, func(b *testing.B) {
			put := func(s store.Store) {
				for i := 0; i < len(recs); i += 1000 {
					if _, err := s.Put(ctx, store.Batch{Records: recs[i : i+1000]}); err != nil {
						b.Fatal(err)
					}
				}
			}
			for b.Loop() {
				b.StopTimer()
				s := open(newName())
				if again {
					put(s)
				}
				b.StartTimer()
				put(s)
				b.StopTimer()
				s.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(len(recs))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchTasks has 16 tasks store 4,000 records, one a batch.
func BenchTasks(b *testing.B, open func(name string) store.Store) {
	recs := Orders(4_000)
	for b.Loop() {
		s := open(newName())
		var wg sync.WaitGroup
		var next atomic.Int64
		for range 16 {
			wg.Go(func() {
				for i := next.Add(1) - 1; int(i) < len(recs); i = next.Add(1) - 1 {
					if _, err := s.Put(ctx, store.Batch{Records: recs[i : i+1]}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		s.Close()
	}
	b.ReportMetric(float64(len(recs))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
