package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"reqon/vm/value"
)

var ctx = context.Background()

// rec returns the record of a JSON object.
func rec(t testing.TB, key, json string) Record {
	t.Helper()
	v, err := value.ParseJSON(value.NewShapes(), json)
	if err != nil {
		t.Fatal(err)
	}
	return Record{key, v}
}

// recs returns records from pairs of key and JSON.
func recs(t testing.TB, pairs ...string) []Record {
	t.Helper()
	var rs []Record
	for i := 0; i < len(pairs); i += 2 {
		rs = append(rs, rec(t, pairs[i], pairs[i+1]))
	}
	return rs
}

func put(t testing.TB, s Store, mode Mode, pairs ...string) Result {
	t.Helper()
	res, err := s.Put(ctx, recs(t, pairs...), mode)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// dump returns all records as `key=json`, in order.
func dump(t testing.TB, s Store) []string {
	t.Helper()
	all := []string{}
	err := s.Each(ctx, func(key string, v value.Value) error {
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

func expect(t testing.TB, s Store, want ...string) {
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

func openFile(t testing.TB, d *Dir, target string, opt Options) Store {
	t.Helper()
	s, err := d.File(target, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eachKind runs a test with a store in memory and one in a file.
func eachKind(t *testing.T, opt Options, test func(t *testing.T, s Store)) {
	t.Run("memory", func(t *testing.T) { test(t, NewMemory(value.NewShapes(), opt)) })
	t.Run("file", func(t *testing.T) { test(t, openFile(t, openDir(t, quickDir(t)), "s", opt)) })
	t.Run("file synced after each step", func(t *testing.T) {
		test(t, &syncing{openFile(t, openDir(t, quickDir(t)), "s", opt)})
	})
	t.Run("file opened anew for each step", func(t *testing.T) {
		test(t, &reopening{t: t, path: quickDir(t), opt: opt})
	})
	t.Run("file with a second process", func(t *testing.T) {
		// A Dir shares nothing with another one but the files.
		path := quickDir(t)
		test(t, &alternating{stores: [2]Store{
			openFile(t, openDir(t, path), "s", opt),
			openFile(t, openDir(t, path), "s", opt),
		}})
	})
}

// syncing syncs after each change.
type syncing struct{ Store }

func (s *syncing) Put(ctx context.Context, recs []Record, mode Mode) (Result, error) {
	res, err := s.Store.Put(ctx, recs, mode)
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
	t    *testing.T
	path string
	opt  Options
	n    int
}

func (r *reopening) with(fn func(s Store) error) error {
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

func (r *reopening) Put(ctx context.Context, recs []Record, mode Mode) (res Result, err error) {
	err = r.with(func(s Store) (err error) { res, err = s.Put(ctx, recs, mode); return err })
	return res, err
}

func (r *reopening) Get(ctx context.Context, key string) (v value.Value, ok bool, err error) {
	err = r.with(func(s Store) (err error) { v, ok, err = s.Get(ctx, key); return err })
	return v, ok, err
}

func (r *reopening) Has(ctx context.Context, key string) (ok bool, err error) {
	err = r.with(func(s Store) (err error) { ok, err = s.Has(ctx, key); return err })
	return ok, err
}

func (r *reopening) Len(ctx context.Context) (n int, err error) {
	err = r.with(func(s Store) (err error) { n, err = s.Len(ctx); return err })
	return n, err
}

func (r *reopening) Each(ctx context.Context, fn func(string, value.Value) error) error {
	return r.with(func(s Store) error { return s.Each(ctx, fn) })
}

func (r *reopening) Delete(ctx context.Context, key string) (ok bool, err error) {
	err = r.with(func(s Store) (err error) { ok, err = s.Delete(ctx, key); return err })
	return ok, err
}

func (r *reopening) Clear(ctx context.Context) (n int, err error) {
	err = r.with(func(s Store) (err error) { n, err = s.Clear(ctx); return err })
	return n, err
}

func (r *reopening) Sync(ctx context.Context) error {
	return r.with(func(s Store) error { return s.Sync(ctx) })
}

func (r *reopening) Close() error { return nil }

// alternating uses two stores in turn, and syncs one now and then.
type alternating struct {
	stores [2]Store
	n      int
}

func (a *alternating) next() Store {
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

func (a *alternating) Put(ctx context.Context, recs []Record, mode Mode) (Result, error) {
	return a.next().Put(ctx, recs, mode)
}
func (a *alternating) Get(ctx context.Context, key string) (value.Value, bool, error) {
	return a.next().Get(ctx, key)
}
func (a *alternating) Has(ctx context.Context, key string) (bool, error) {
	return a.next().Has(ctx, key)
}
func (a *alternating) Len(ctx context.Context) (int, error) { return a.next().Len(ctx) }
func (a *alternating) Each(ctx context.Context, fn func(string, value.Value) error) error {
	return a.next().Each(ctx, fn)
}
func (a *alternating) Delete(ctx context.Context, key string) (bool, error) {
	return a.next().Delete(ctx, key)
}
func (a *alternating) Clear(ctx context.Context) (int, error) { return a.next().Clear(ctx) }
func (a *alternating) Sync(ctx context.Context) error         { return a.next().Sync(ctx) }
func (a *alternating) Close() error                           { return errors.Join(a.stores[0].Close(), a.stores[1].Close()) }

func TestPut(t *testing.T) {
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		expect(t, s)
		if got := put(t, s, Replace, "b", `{"n":1}`, "a", `{"n":2}`, "c", `{"n":3}`); got != (Result{Inserted: 3}) {
			t.Errorf("insert: %+v", got)
		}
		expect(t, s, `b={"n":1}`, `a={"n":2}`, `c={"n":3}`)
		// One stays as it is, one changes in its place, one is new.
		if got := put(t, s, Replace, "c", `{"n":3}`, "b", `{"m":1}`, "d", `{}`); got != (Result{1, 1, 1}) {
			t.Errorf("replace: %+v", got)
		}
		expect(t, s, `b={"m":1}`, `a={"n":2}`, `c={"n":3}`, `d={}`)
		// The order of fields is part of what is stored.
		put(t, s, Replace, "a", `{"x":1,"y":2}`)
		if got := put(t, s, Replace, "a", `{"y":2,"x":1}`); got != (Result{Updated: 1}) {
			t.Errorf("other order of fields: %+v", got)
		}
		expect(t, s, `b={"m":1}`, `a={"y":2,"x":1}`, `c={"n":3}`, `d={}`)
	})
}

func TestMerge(t *testing.T) {
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		put(t, s, Merge, "k", `{"a":1,"b":{"x":1},"c":3}`)
		if got := put(t, s, Merge, "k", `{"b":{"y":2},"d":null,"a":1}`, "l", `{"new":true}`); got != (Result{Inserted: 1, Updated: 1}) {
			t.Errorf("merge: %+v", got)
		}
		// Only top-level fields merge; b is replaced as a whole.
		expect(t, s, `k={"a":1,"b":{"y":2},"c":3,"d":null}`, `l={"new":true}`)
		if got := put(t, s, Merge, "k", `{"c":3}`, "l", `{"new":true}`, "l", `{}`); got != (Result{Unchanged: 3}) {
			t.Errorf("merge of what is there: %+v", got)
		}
	})
}

func TestSameKeyTwiceInBatch(t *testing.T) {
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		if got := put(t, s, Merge, "k", `{"a":1}`, "k", `{"b":2}`, "k", `{"a":1}`); got != (Result{1, 1, 1}) {
			t.Errorf("merge: %+v", got)
		}
		expect(t, s, `k={"a":1,"b":2}`)
		if got := put(t, s, Replace, "k", `{"c":1}`, "j", `{}`, "k", `{"d":1}`); got != (Result{Inserted: 1, Updated: 2}) {
			t.Errorf("replace: %+v", got)
		}
		expect(t, s, `k={"d":1}`, `j={}`)
	})
}

func TestGetHasDeleteClear(t *testing.T) {
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		if ok, err := s.Delete(ctx, "a"); ok || err != nil {
			t.Errorf("Delete in a store that never was: %v, %v", ok, err)
		}
		if n, err := s.Clear(ctx); n != 0 || err != nil {
			t.Errorf("Clear of a store that never was: %v, %v", n, err)
		}
		put(t, s, Replace, "a", `{"n":1}`, "b", `{"n":2}`, "", `{"empty":"key"}`)
		v, ok, err := s.Get(ctx, "b")
		if !ok || err != nil || string(value.AppendJSON(nil, v)) != `{"n":2}` {
			t.Errorf("Get = %s, %v, %v", value.Describe(v), ok, err)
		}
		if _, ok, err := s.Get(ctx, "c"); ok || err != nil {
			t.Errorf("Get of no record: %v, %v", ok, err)
		}
		if ok, err := s.Has(ctx, ""); !ok || err != nil {
			t.Errorf("Has of the empty key: %v, %v", ok, err)
		}
		if ok, err := s.Delete(ctx, "a"); !ok || err != nil {
			t.Errorf("Delete: %v, %v", ok, err)
		}
		if ok, err := s.Delete(ctx, "a"); ok || err != nil {
			t.Errorf("Delete again: %v, %v", ok, err)
		}
		if ok, err := s.Has(ctx, "a"); ok || err != nil {
			t.Errorf("Has of a deleted record: %v, %v", ok, err)
		}
		// What was deleted and is stored again goes to the end.
		put(t, s, Replace, "a", `{"n":3}`)
		expect(t, s, `b={"n":2}`, `={"empty":"key"}`, `a={"n":3}`)
		if n, err := s.Clear(ctx); n != 3 || err != nil {
			t.Errorf("Clear: %v, %v", n, err)
		}
		expect(t, s)
		put(t, s, Replace, "b", `{}`)
		expect(t, s, `b={}`)
	})
}

func TestKeep(t *testing.T) {
	eachKind(t, Options{Keep: 3}, func(t *testing.T, s Store) {
		put(t, s, Replace, "a", `{}`, "b", `{}`, "c", `{}`)
		put(t, s, Replace, "a", `{"n":1}`)
		expect(t, s, `a={"n":1}`, `b={}`, `c={}`)
		// The newest by when their keys were first stored.
		put(t, s, Replace, "d", `{}`)
		expect(t, s, `b={}`, `c={}`, `d={}`)
		if got := put(t, s, Replace, "e", `{}`, "f", `{}`, "g", `{}`, "h", `{}`); got != (Result{Inserted: 4}) {
			t.Errorf("a batch larger than keep: %+v", got)
		}
		expect(t, s, `f={}`, `g={}`, `h={}`)
	})
}

func TestTTL(t *testing.T) {
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	opt := Options{TTL: time.Hour, Now: func() time.Time { return now }}
	eachKind(t, opt, func(t *testing.T, s Store) {
		now = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
		put(t, s, Replace, "a", `{"n":1}`, "b", `{}`, "c", `{}`)
		now = now.Add(30 * time.Minute)
		// Storing an unchanged record is a write.
		if got := put(t, s, Replace, "b", `{}`, "a", `{"n":2}`); got != (Result{Updated: 1, Unchanged: 1}) {
			t.Errorf("%+v", got)
		}
		now = now.Add(30 * time.Minute)
		expect(t, s, `a={"n":2}`, `b={}`, `c={}`) // c is an hour old, not older
		now = now.Add(time.Millisecond)
		if ok, err := s.Has(ctx, "c"); ok || err != nil {
			t.Errorf("Has of an expired record: %v, %v", ok, err)
		}
		expect(t, s, `a={"n":2}`, `b={}`)
		now = now.Add(30 * time.Minute)
		// An expired record is not there to be merged with.
		if got := put(t, s, Merge, "a", `{"m":1}`); got != (Result{Inserted: 1}) {
			t.Errorf("put of an expired record: %+v", got)
		}
		expect(t, s, `a={"m":1}`)
		now = now.Add(2 * time.Hour)
		if _, ok, err := s.Get(ctx, "a"); ok || err != nil {
			t.Errorf("Get of an expired record: %v, %v", ok, err)
		}
		expect(t, s)
	})
}

func TestClockSetBack(t *testing.T) {
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	opt := Options{TTL: time.Hour, Now: func() time.Time { return now }}
	eachKind(t, opt, func(t *testing.T, s Store) {
		now = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
		put(t, s, Replace, "a", `{}`)
		now = now.Add(-30 * time.Minute)
		put(t, s, Replace, "b", `{}`)
		now = now.Add(90 * time.Minute) // an hour after a, by which b counts too
		expect(t, s, `a={}`, `b={}`)
		now = now.Add(time.Second)
		expect(t, s)
	})
}

func TestRefusedRecords(t *testing.T) {
	deep := value.FromInt(1)
	for range value.MaxDepth + 1 {
		deep = value.FromArray([]value.Value{deep})
	}
	object := func(v value.Value) value.Value {
		b := value.NewObjectBuilder(nil, 1)
		b.Set("f", v)
		return b.Value()
	}
	for name, bad := range map[string]Record{
		"number":     {"k", value.FromInt(1)},
		"null":       {"k", value.NullValue},
		"array":      {"k", value.FromArray([]value.Value{object(value.True)})},
		"key":        {"a\xff", object(value.True)},
		"text":       {"k", object(value.FromString("a\xff"))},
		"too nested": {"k", object(deep)},
	} {
		t.Run(name, func(t *testing.T) {
			eachKind(t, Options{}, func(t *testing.T, s Store) {
				put(t, s, Replace, "a", `{"n":1}`)
				for _, mode := range []Mode{Replace, Merge} {
					batch := append(recs(t, "a", `{"n":2}`, "b", `{}`), bad)
					if res, err := s.Put(ctx, batch, mode); err == nil || res != (Result{}) {
						t.Fatalf("Put = %+v, %v; want an error", res, err)
					}
					expect(t, s, `a={"n":1}`) // all or nothing
				}
			})
		})
	}
}

func TestEachSeesTheStoreAsItWas(t *testing.T) {
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		var want []string
		var batch []Record
		for i := range 3 * chunkLen {
			key := fmt.Sprint(i)
			batch = append(batch, rec(t, key, `{"old":true}`))
			want = append(want, key+`={"old":true}`)
		}
		if _, err := s.Put(ctx, batch, Replace); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := s.Each(ctx, func(key string, v value.Value) error {
			if len(got) == 10 {
				// fn may use the store, and change it.
				put(t, s, Replace, "0", `{"new":1}`, "2000", `{"new":1}`, "x", `{}`)
				if _, err := s.Delete(ctx, "3000"); err != nil {
					return err
				}
				if err := s.Sync(ctx); err != nil {
					return err
				}
			}
			if len(got) == 20 {
				if _, err := s.Clear(ctx); err != nil {
					return err
				}
				put(t, s, Replace, "y", `{}`)
				if err := s.Sync(ctx); err != nil {
					return err
				}
			}
			got = append(got, key+"="+string(value.AppendJSON(nil, v)))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Each gave %d records, want the %d as they were", len(got), len(want))
		}
		expect(t, s, `y={}`)
	})
}

func TestEachReturnsTheFunctionsError(t *testing.T) {
	stop := errors.New("stop")
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		put(t, s, Replace, "a", `{}`, "b", `{}`)
		n := 0
		err := s.Each(ctx, func(string, value.Value) error { n++; return stop })
		if err != stop || n != 1 {
			t.Errorf("Each = %v after %d calls", err, n)
		}
	})
}

func TestValuesAreWhatJSONCarries(t *testing.T) {
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		in := `{"id":12345678901234567890,"price":1.10,"e":1e3,"text":"a\"\\\n\u0001é😀</script>","list":[1,[],{}],"nil":null}`
		put(t, s, Replace, `quote " back \ slash`+"\nline", in)
		v, ok, err := s.Get(ctx, `quote " back \ slash`+"\nline")
		if got := string(value.AppendJSON(nil, v)); !ok || err != nil || got != in {
			t.Errorf("got %s, %v, %v\nwant %s", got, ok, err, in)
		}
		b := value.NewObjectBuilder(nil, 1)
		b.Set("at", value.FromTime(0))
		if _, err := s.Put(ctx, []Record{{"t", b.Value()}}, Replace); err != nil {
			t.Fatal(err)
		}
		v, _, err = s.Get(ctx, "t")
		if got := string(value.AppendJSON(nil, v)); err != nil || got != `{"at":"1970-01-01T00:00:00.000Z"}` {
			t.Errorf("a timestamp came back as %s, %v", got, err)
		}
		if at := value.Field(v, "at"); at.Kind() != value.String {
			t.Errorf("a timestamp came back as %s", value.Describe(at))
		}
	})
}

func TestClosed(t *testing.T) {
	for _, s := range []Store{NewMemory(value.NewShapes(), Options{}), openFile(t, openDir(t, t.TempDir()), "s", Options{})} {
		put(t, s, Replace, "a", `{}`)
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		_, err1 := s.Put(ctx, recs(t, "a", `{}`), Replace)
		_, _, err2 := s.Get(ctx, "a")
		_, err3 := s.Has(ctx, "a")
		_, err4 := s.Len(ctx)
		err5 := s.Each(ctx, func(string, value.Value) error { return nil })
		_, err6 := s.Delete(ctx, "a")
		_, err7 := s.Clear(ctx)
		err8 := s.Sync(ctx)
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("call %d on a closed %T: %v", i+1, s, err)
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	done, cancel := context.WithCancel(ctx)
	cancel()
	eachKind(t, Options{}, func(t *testing.T, s Store) {
		put(t, s, Replace, "a", `{}`)
		if _, err := s.Put(done, recs(t, "b", `{}`), Replace); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v", err)
		}
		if _, _, err := s.Get(done, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("Get: %v", err)
		}
		if err := s.Each(done, func(string, value.Value) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("Each: %v", err)
		}
		expect(t, s, `a={}`)
	})
}
