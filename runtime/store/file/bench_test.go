package file

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/memory"
	"reqon/vm/value"
)

// order returns a record of about 350 bytes, as APIs send them.
func order(shapes *value.Shapes, i int) store.Record {
	v, err := value.ParseJSON(shapes, fmt.Sprintf(`{"id":%d,"number":"SO-%08d","status":"open","total":%d.%02d,"currency":"EUR",`+
		`"customer":{"id":%d,"name":"Customer number %d","email":"customer%d@example.com","country":"NL"},`+
		`"lines":[{"sku":"A-%d","quantity":2,"price":19.90},{"sku":"B-%d","quantity":1,"price":5.00}],`+
		`"tags":["web","priority"],"createdAt":"2026-01-20T09:00:00Z","updatedAt":"2026-01-21T10:30:00Z"}`,
		i, i, i%1000, i%100, i%5000, i%5000, i%5000, i%100, i%77))
	if err != nil {
		panic(err)
	}
	return store.Record{Key: fmt.Sprint(i), Value: v}
}

func orders(from, n int) []store.Record {
	shapes := value.NewShapes()
	rs := make([]store.Record, n)
	for i := range rs {
		rs[i] = order(shapes, from+i)
	}
	return rs
}

func mustPut(tb testing.TB, s store.Store, rs []store.Record, mode store.Conflict) {
	if _, err := s.Put(ctx, store.Batch{Records: rs, Conflict: mode}); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkPutOne stores one new record per batch.
func BenchmarkPutOne(b *testing.B) {
	rs := orders(0, 1)
	s := openFile(b, openDir(b, b.TempDir()), "s", store.Options{})
	i := 0
	for b.Loop() {
		rs[0].Key = fmt.Sprint(i)
		i++
		mustPut(b, s, rs, store.Overwrite)
	}
}

// BenchmarkPutOneByOne stores 100,000 new records of about 150 bytes, one per
// batch, as a mission does that stores each record in a step of its own.
func BenchmarkPutOneByOne(b *testing.B) {
	shapes := value.NewShapes()
	rs := make([]store.Record, 100_000)
	for i := range rs {
		v, err := value.ParseJSON(shapes, fmt.Sprintf(`{"id":%d,"number":"SO-%08d","status":"open","total":%d.%02d,"currency":"EUR",`+
			`"customer":%d,"createdAt":"2026-01-20T09:00:00Z","paid":false,"note":null}`, i, i, i%1000, i%100, i%5000))
		if err != nil {
			b.Fatal(err)
		}
		rs[i] = store.Record{Key: fmt.Sprint(i), Value: v}
	}
	var put, closed time.Duration
	for b.Loop() {
		s := openFile(b, openDir(b, b.TempDir()), "s", store.Options{})
		start := time.Now()
		for i := range rs {
			mustPut(b, s, rs[i:i+1], store.Overwrite)
		}
		put += time.Since(start)
		start = time.Now()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		closed += time.Since(start)
	}
	b.ReportMetric(float64(put.Nanoseconds())/float64(b.N)/1e5, "ns/record")
	b.ReportMetric(float64(closed.Milliseconds())/float64(b.N), "ms-close")
}

// BenchmarkPut100k stores 100,000 new records in batches of 1,000, and syncs.
func BenchmarkPut100k(b *testing.B) {
	rs := orders(0, 100_000)
	for b.Loop() {
		s := openFile(b, openDir(b, b.TempDir()), "s", store.Options{})
		for i := 0; i < len(rs); i += 1000 {
			mustPut(b, s, rs[i:i+1000], store.Overwrite)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e5, "ns/record")
}

// BenchmarkUpsert merges batches of 1,000 into 100,000 records that are there.
func BenchmarkUpsert(b *testing.B) {
	rs := orders(0, 100_000)
	changed := orders(0, 100_000)
	shapes := value.NewShapes()
	for i := range changed {
		b := value.NewObjectBuilder(shapes, 20)
		b.SetAll(changed[i].Value.Obj())
		b.Set("status", value.FromString("sent"))
		changed[i].Value = b.Value()
	}
	for _, c := range []struct {
		name   string
		batch  int
		mode   store.Conflict
		synced bool
		recs   [2][]store.Record
	}{
		{"Unchanged", 1000, store.MergeFields, true, [2][]store.Record{rs, rs}},
		{"UnchangedInJournal", 1000, store.MergeFields, false, [2][]store.Record{rs, rs}},
		{"Merge", 1000, store.MergeFields, true, [2][]store.Record{changed, rs}},
		{"Replace", 1000, store.Overwrite, true, [2][]store.Record{changed, rs}},
		{"MergeOne", 1, store.MergeFields, true, [2][]store.Record{changed, rs}},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := openFile(b, openDir(b, b.TempDir()), "s", store.Options{})
			mustPut(b, s, rs, store.Overwrite)
			if c.synced {
				if err := s.Sync(ctx); err != nil {
					b.Fatal(err)
				}
			}
			i := 0
			for b.Loop() {
				at := i % len(rs)
				mustPut(b, s, c.recs[i/len(rs)%2][at:at+c.batch], c.mode)
				i += c.batch
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(i), "ns/record")
		})
	}
}

func BenchmarkGet(b *testing.B) {
	rs := orders(0, 100_000)
	for _, kind := range []string{"memory", "journal", "snapshot"} {
		b.Run(kind, func(b *testing.B) {
			s := memory.NewStore(value.NewShapes(), store.Options{})
			if kind != "memory" {
				s = openFile(b, openDir(b, b.TempDir()), "s", store.Options{})
			}
			mustPut(b, s, rs, store.Overwrite)
			if kind == "snapshot" {
				s.Sync(ctx)
			}
			i := 0
			for b.Loop() {
				if _, ok, err := s.Get(ctx, rs[i%len(rs)].Key); !ok || err != nil {
					b.Fatal(ok, err)
				}
				i += 7919
			}
		})
	}
}

func BenchmarkEach(b *testing.B) {
	rs := orders(0, 100_000)
	for _, kind := range []string{"memory", "journal", "snapshot"} {
		b.Run(kind, func(b *testing.B) {
			s := memory.NewStore(value.NewShapes(), store.Options{})
			if kind != "memory" {
				s = openFile(b, openDir(b, b.TempDir()), "s", store.Options{})
			}
			mustPut(b, s, rs, store.Overwrite)
			if kind == "snapshot" {
				s.Sync(ctx)
			}
			for b.Loop() {
				if err := store.Each(ctx, s, func(string, value.Value) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e5, "ns/record")
		})
	}
}

// BenchmarkMillion measures what a million records cost: memory while they are
// stored and after, the time of Sync, and the time to open the file again.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		path := b.TempDir()
		d := openDir(b, path)
		s := openFile(b, d, "s", store.Options{})
		base := heap()
		peak := base
		shapes := value.NewShapes()
		batch := make([]store.Record, 1000)
		start := time.Now()
		for i := 0; i < 1_000_000; i += len(batch) {
			for j := range batch {
				batch[j] = order(shapes, i+j)
			}
			mustPut(b, s, batch, store.Overwrite)
			var m runtime.MemStats
			if i%50_000 == 0 {
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapSys)
			}
		}
		b.ReportMetric(time.Since(start).Seconds(), "s-put")
		b.ReportMetric(float64(heap()-base)/1e6, "MB-index")
		b.ReportMetric(float64(peak)/1e6, "MB-peak")
		start = time.Now()
		if err := s.Sync(ctx); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s-sync")
		if info, err := os.Stat(filepath.Join(path, "s.json")); err == nil {
			b.ReportMetric(float64(info.Size())/1e6, "MB-file")
		}
		d.Close()
		base = heap()
		s = openFile(b, openDir(b, path), "s", store.Options{})
		start = time.Now()
		if n, err := s.Len(ctx); n != 1_000_000 || err != nil {
			b.Fatal(n, err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s-open")
		b.ReportMetric(float64(heap()-base)/1e6, "MB-opened")
		s.Close()
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
