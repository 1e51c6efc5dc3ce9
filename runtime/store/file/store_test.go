package file

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/storetest"
	"reqon/vm/value"
)

var ctx = context.Background()

// rec returns the record of a JSON object.
func rec(t testing.TB, key, json string) store.Record {
	t.Helper()
	v, err := value.ParseJSON(value.NewShapes(), json)
	if err != nil {
		t.Fatal(err)
	}
	return store.Record{Key: key, Value: v}
}

// recs returns records from pairs of key and JSON.
func recs(t testing.TB, pairs ...string) []store.Record {
	t.Helper()
	var rs []store.Record
	for i := 0; i < len(pairs); i += 2 {
		rs = append(rs, rec(t, pairs[i], pairs[i+1]))
	}
	return rs
}

func put(t testing.TB, s store.Store, mode store.Conflict, pairs ...string) store.Result {
	t.Helper()
	res, err := s.Put(ctx, store.Batch{Records: recs(t, pairs...), Conflict: mode})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// dump returns all records as `key=json`, in order.
func dump(t testing.TB, s store.Store) []string {
	t.Helper()
	all := []string{}
	err := store.Each(ctx, s, func(key string, v value.Value) error {
		all = append(all, key+"="+string(value.AppendJSON(nil, v)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Len(ctx)
	if err != nil || n != len(all) {
		t.Fatalf("Len = %d, %v; Each gave %d records", n, err, len(all))
	}
	return all
}

func expect(t testing.TB, s store.Store, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	if got := dump(t, s); !slices.Equal(got, want) {
		t.Errorf("store holds\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// quickDir returns a folder for a test, in memory where the system has such:
// there syncing costs nothing, which many small tests would else mostly wait
// for.
func quickDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "store-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func openDir(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path, value.NewShapes(), DirOptions{Notice: func(m string) { t.Log("notice:", m) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func openFile(t testing.TB, d *Dir, target string, opt store.Options) store.Store {
	t.Helper()
	s, err := d.File(target, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// subjects are the ways in which the suite uses a file: all that an index and
// the files can look like between two calls.
func subjects(t *testing.T) map[string]storetest.Subject {
	folders := func(stepped bool, open func(t testing.TB, path string, opt store.Options) store.Store) storetest.Subject {
		var mu sync.Mutex
		paths := map[string]string{}
		return storetest.Subject{Exact: true, Stepped: stepped, Open: func(tb testing.TB, name string, opt store.Options) store.Store {
			mu.Lock()
			defer mu.Unlock()
			if paths[name] == "" {
				paths[name] = quickDir(t)
			}
			return open(tb, paths[name], opt)
		}}
	}
	return map[string]storetest.Subject{
		"file": folders(false, func(t testing.TB, path string, opt store.Options) store.Store {
			return openFile(t, openDir(t, path), "s", opt)
		}),
		"synced after each step": folders(true, func(t testing.TB, path string, opt store.Options) store.Store {
			return &syncing{openFile(t, openDir(t, path), "s", opt)}
		}),
		"opened anew for each step": folders(true, func(t testing.TB, path string, opt store.Options) store.Store {
			return &reopening{t: t, path: path, opt: opt}
		}),
		"with a second process": folders(true, func(t testing.TB, path string, opt store.Options) store.Store {
			// A Dir shares nothing with another one but the files.
			return &alternating{stores: [2]store.Store{
				openFile(t, openDir(t, path), "s", opt),
				openFile(t, openDir(t, path), "s", opt),
			}}
		}),
	}
}

func TestSuite(t *testing.T) {
	for name, u := range subjects(t) {
		t.Run(name, func(t *testing.T) { storetest.Run(t, u) })
	}
}

// eachKind runs a test with each of the subjects.
func eachKind(t *testing.T, opt store.Options, test func(t *testing.T, s store.Store)) {
	for name, u := range subjects(t) {
		t.Run(name, func(t *testing.T) { test(t, u.Open(t, "s", opt)) })
	}
}

// syncing syncs after each change.
type syncing struct{ store.Store }

func (s *syncing) Put(ctx context.Context, batch store.Batch) (store.Result, error) {
	res, err := s.Store.Put(ctx, batch)
	return res, errors.Join(err, s.Store.Sync(ctx))
}

func (s *syncing) Delete(ctx context.Context, key string) (bool, error) {
	ok, err := s.Store.Delete(ctx, key)
	return ok, errors.Join(err, s.Store.Sync(ctx))
}

func (s *syncing) Clear(ctx context.Context) (int, error) {
	n, err := s.Store.Clear(ctx)
	return n, errors.Join(err, s.Store.Sync(ctx))
}

// reopening opens the file anew for each call, and leaves it without closing
// every other time, as a process does that is killed.
type reopening struct {
	t    testing.TB
	path string
	opt  store.Options
	n    int
}

func (r *reopening) with(fn func(s store.Store) error) error {
	d, err := OpenDir(r.path, value.NewShapes(), DirOptions{})
	if err != nil {
		return err
	}
	s, err := d.File("s", r.opt)
	if err != nil {
		return err
	}
	err = fn(s)
	if r.n++; r.n%2 == 0 {
		if cerr := errors.Join(s.Close(), d.Close()); cerr != nil {
			return errors.Join(err, cerr)
		}
		return err
	}
	rest(s.(*fileStore).f)
	r.t.Cleanup(func() { s.(*fileStore).f.stopFlushes() })
	return err
}

func (r *reopening) Put(ctx context.Context, batch store.Batch) (res store.Result, err error) {
	err = r.with(func(s store.Store) (err error) { res, err = s.Put(ctx, batch); return err })
	return res, err
}

func (r *reopening) Get(ctx context.Context, key string) (v value.Value, ok bool, err error) {
	err = r.with(func(s store.Store) (err error) { v, ok, err = s.Get(ctx, key); return err })
	return v, ok, err
}

func (r *reopening) Has(ctx context.Context, key string) (ok bool, err error) {
	err = r.with(func(s store.Store) (err error) { ok, err = s.Has(ctx, key); return err })
	return ok, err
}

func (r *reopening) Len(ctx context.Context) (n int, err error) {
	err = r.with(func(s store.Store) (err error) { n, err = s.Len(ctx); return err })
	return n, err
}

func (r *reopening) Page(ctx context.Context, cursor string, limit int, f *store.Filter) (p store.Page, err error) {
	err = r.with(func(s store.Store) (err error) { p, err = s.Page(ctx, cursor, limit, f); return err })
	return p, err
}

func (r *reopening) View(ctx context.Context, f *store.Filter) (v store.View, err error) {
	err = r.with(func(s store.Store) (err error) { v, err = store.Spool(ctx, s, f, value.NewShapes()); return err })
	return v, err
}

func (r *reopening) Delete(ctx context.Context, key string) (ok bool, err error) {
	err = r.with(func(s store.Store) (err error) { ok, err = s.Delete(ctx, key); return err })
	return ok, err
}

func (r *reopening) Clear(ctx context.Context) (n int, err error) {
	err = r.with(func(s store.Store) (err error) { n, err = s.Clear(ctx); return err })
	return n, err
}

func (r *reopening) Sync(ctx context.Context) error {
	return r.with(func(s store.Store) error { return s.Sync(ctx) })
}

func (r *reopening) Close() error { return nil }

// alternating uses two stores in turn, and syncs one now and then.
type alternating struct {
	stores [2]store.Store
	n      int
}

func (a *alternating) next() store.Store {
	for _, s := range a.stores {
		rest(s.(*fileStore).f) // else each step would wait for the other's lease
	}
	a.n++
	if a.n%5 == 0 {
		if err := a.stores[a.n%2].Sync(ctx); err != nil {
			panic(err)
		}
	}
	return a.stores[a.n%2]
}

func (a *alternating) Put(ctx context.Context, batch store.Batch) (store.Result, error) {
	return a.next().Put(ctx, batch)
}
func (a *alternating) Get(ctx context.Context, key string) (value.Value, bool, error) {
	return a.next().Get(ctx, key)
}
func (a *alternating) Has(ctx context.Context, key string) (bool, error) {
	return a.next().Has(ctx, key)
}
func (a *alternating) Len(ctx context.Context) (int, error) { return a.next().Len(ctx) }
func (a *alternating) Page(ctx context.Context, cursor string, limit int, f *store.Filter) (store.Page, error) {
	return a.next().Page(ctx, cursor, limit, f)
}
func (a *alternating) View(ctx context.Context, f *store.Filter) (store.View, error) {
	return a.next().View(ctx, f)
}
func (a *alternating) Delete(ctx context.Context, key string) (bool, error) {
	return a.next().Delete(ctx, key)
}
func (a *alternating) Clear(ctx context.Context) (int, error) { return a.next().Clear(ctx) }
func (a *alternating) Sync(ctx context.Context) error         { return a.next().Sync(ctx) }
func (a *alternating) Close() error                           { return errors.Join(a.stores[0].Close(), a.stores[1].Close()) }

func TestClockSetBack(t *testing.T) {
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	opt := store.Options{TTL: time.Hour, Now: func() time.Time { return now }}
	eachKind(t, opt, func(t *testing.T, s store.Store) {
		now = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
		put(t, s, store.Overwrite, "a", `{}`)
		now = now.Add(-30 * time.Minute)
		put(t, s, store.Overwrite, "b", `{}`)
		now = now.Add(90 * time.Minute) // an hour after a, by which b counts too
		expect(t, s, `a={}`, `b={}`)
		now = now.Add(time.Second)
		expect(t, s)
	})
}
