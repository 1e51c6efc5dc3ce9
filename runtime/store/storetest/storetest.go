// Package storetest is what every adapter of stores must do, as tests. An
// adapter's own tests call Run with a Subject that opens its stores.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// Subject is the adapter under test.
type Subject struct {
	// Open opens the store of a name: an empty one if the name is new, else the
	// same one again, as another process would. t.Cleanup closes it.
	Open func(t testing.TB, name string, o store.Options) store.Store
	// Volatile says that a name can't be opened again.
	Volatile bool
	// Exact says that what is read is, byte for byte, the JSON that was stored:
	// the order of fields and the texts of numbers. Else they are equal.
	Exact bool
	// NoNUL says that neither keys nor texts can hold the character NUL.
	NoNUL bool
	// Stepped says that Open gives a store that does something between two calls,
	// for one task, and that Close does not end it.
	Stepped bool
	// LongestKey is the length that every adapter must take, or what this one
	// takes if that is less; 0 is 64 KiB.
	LongestKey int
}

var ctx = context.Background()

// Run runs the suite.
func Run(t *testing.T, u Subject) {
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"Put", u.testPut},
		{"Merge", u.testMerge},
		{"SameKeyTwiceInBatch", u.testSameKeyTwiceInBatch},
		{"GetHasDeleteClear", u.testGetHasDeleteClear},
		{"Keep", u.testKeep},
		{"TTL", u.testTTL},
		{"RefusedRecords", u.testRefusedRecords},
		{"EachSeesTheStoreAsItWas", u.testEachSeesTheStoreAsItWas},
		{"EachReturnsTheFunctionsError", u.testEachReturnsTheFunctionsError},
		{"ValuesAreWhatJSONCarries", u.testValuesAreWhatJSONCarries},
		{"Cancelled", u.testCancelled},
		{"Keys", u.testKeys},
		{"Pages", u.testPages},
		{"Resume", u.testResume},
		{"Concurrent", u.testConcurrent},
		{"Closed", u.testClosed},
		{"Model", u.testModel},
		{"Differential", u.testDifferential},
		{"Replace", u.testReplace},
		{"AppendTwice", u.testAppendTwice},
	} {
		t.Run(c.name, c.test)
	}
}

var names struct {
	sync.Mutex
	last int
}

// newName returns a name that no test of this process has used.
func newName() string {
	names.Lock()
	defer names.Unlock()
	names.last++
	return fmt.Sprintf("s%d", names.last)
}

// with runs a test with an empty store.
func (u Subject) with(t *testing.T, o store.Options, test func(t *testing.T, s store.Store)) {
	t.Helper()
	test(t, u.Open(t, newName(), o))
}

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
func (u Subject) dump(t testing.TB, s store.Store) []string {
	t.Helper()
	all := []string{}
	err := store.Each(ctx, s, func(key string, v value.Value) error {
		all = append(all, u.line(key, v))
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

// line is a record for people, and for comparing.
func (u Subject) line(key string, v value.Value) string {
	if !u.Exact {
		v = sorted(v)
	}
	return key + "=" + string(value.AppendJSON(nil, v))
}

// sorted puts the fields of objects into the order of their names.
func sorted(v value.Value) value.Value {
	switch v.Kind() {
	case value.Object:
		o := v.Obj()
		keys := make([]string, o.Len())
		for i := range keys {
			keys[i] = o.Shape().Key(i)
		}
		slices.Sort(keys)
		b := value.NewObjectBuilder(nil, len(keys))
		for _, k := range keys {
			b.Set(k, sorted(value.Field(v, k)))
		}
		return b.Value()
	case value.Array:
		var out []value.Value
		for _, e := range v.Elems() {
			out = append(out, sorted(e))
		}
		return value.FromArray(out)
	}
	return v
}

func (u Subject) expect(t testing.TB, s store.Store, want ...string) {
	t.Helper()
	lines := []string{}
	for _, w := range want {
		key, json, _ := strings.Cut(w, "=")
		lines = append(lines, u.line(key, rec(t, key, json).Value))
	}
	if got := u.dump(t, s); !slices.Equal(got, lines) {
		t.Errorf("store holds\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

func (u Subject) testPut(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		u.expect(t, s)
		if got := put(t, s, store.Overwrite, "b", `{"n":1}`, "a", `{"n":2}`, "c", `{"n":3}`); got != (store.Result{Inserted: 3}) {
			t.Errorf("insert: %+v", got)
		}
		u.expect(t, s, `b={"n":1}`, `a={"n":2}`, `c={"n":3}`)
		// One stays as it is, one changes in its place, one is new.
		if got := put(t, s, store.Overwrite, "c", `{"n":3}`, "b", `{"m":1}`, "d", `{}`); got != (store.Result{Inserted: 1, Updated: 1, Unchanged: 1}) {
			t.Errorf("replace: %+v", got)
		}
		u.expect(t, s, `b={"m":1}`, `a={"n":2}`, `c={"n":3}`, `d={}`)
		put(t, s, store.Overwrite, "a", `{"x":1,"y":2}`)
		if got := put(t, s, store.Overwrite, "a", `{"y":2,"x":1}`); u.Exact && got != (store.Result{Updated: 1}) || !u.Exact && got != (store.Result{Unchanged: 1}) {
			t.Errorf("other order of fields: %+v", got)
		}
		u.expect(t, s, `b={"m":1}`, `a={"y":2,"x":1}`, `c={"n":3}`, `d={}`)
	})
}

func (u Subject) testMerge(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		put(t, s, store.MergeFields, "k", `{"a":1,"b":{"x":1},"c":3}`)
		if got := put(t, s, store.MergeFields, "k", `{"b":{"y":2},"d":null,"a":1}`, "l", `{"new":true}`); got != (store.Result{Inserted: 1, Updated: 1}) {
			t.Errorf("merge: %+v", got)
		}
		// Only top-level fields merge; b is replaced as a whole.
		u.expect(t, s, `k={"a":1,"b":{"y":2},"c":3,"d":null}`, `l={"new":true}`)
		if got := put(t, s, store.MergeFields, "k", `{"c":3}`, "l", `{"new":true}`, "l", `{}`); got != (store.Result{Unchanged: 3}) {
			t.Errorf("merge of what is there: %+v", got)
		}
	})
}

func (u Subject) testSameKeyTwiceInBatch(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		if got := put(t, s, store.MergeFields, "k", `{"a":1}`, "k", `{"b":2}`, "k", `{"a":1}`); got != (store.Result{Inserted: 1, Updated: 1, Unchanged: 1}) {
			t.Errorf("merge: %+v", got)
		}
		u.expect(t, s, `k={"a":1,"b":2}`)
		if got := put(t, s, store.Overwrite, "k", `{"c":1}`, "j", `{}`, "k", `{"d":1}`); got != (store.Result{Inserted: 1, Updated: 2}) {
			t.Errorf("replace: %+v", got)
		}
		u.expect(t, s, `k={"d":1}`, `j={}`)
	})
}

func (u Subject) testGetHasDeleteClear(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		if ok, err := s.Delete(ctx, "a"); ok || err != nil {
			t.Errorf("Delete in a store that never was: %v, %v", ok, err)
		}
		if n, err := s.Clear(ctx); n != 0 || err != nil {
			t.Errorf("Clear of a store that never was: %v, %v", n, err)
		}
		put(t, s, store.Overwrite, "a", `{"n":1}`, "b", `{"n":2}`, "", `{"empty":"key"}`)
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
		put(t, s, store.Overwrite, "a", `{"n":3}`)
		u.expect(t, s, `b={"n":2}`, `={"empty":"key"}`, `a={"n":3}`)
		if n, err := s.Clear(ctx); n != 3 || err != nil {
			t.Errorf("Clear: %v, %v", n, err)
		}
		u.expect(t, s)
		put(t, s, store.Overwrite, "b", `{}`)
		u.expect(t, s, `b={}`)
	})
}

func (u Subject) testKeep(t *testing.T) {
	u.with(t, store.Options{Keep: 3}, func(t *testing.T, s store.Store) {
		put(t, s, store.Overwrite, "a", `{}`, "b", `{}`, "c", `{}`)
		put(t, s, store.Overwrite, "a", `{"n":1}`)
		u.expect(t, s, `a={"n":1}`, `b={}`, `c={}`)
		// The newest by when their keys were first stored.
		put(t, s, store.Overwrite, "d", `{}`)
		u.expect(t, s, `b={}`, `c={}`, `d={}`)
		if got := put(t, s, store.Overwrite, "e", `{}`, "f", `{}`, "g", `{}`, "h", `{}`); got != (store.Result{Inserted: 4}) {
			t.Errorf("a batch larger than keep: %+v", got)
		}
		u.expect(t, s, `f={}`, `g={}`, `h={}`)
	})
}

func (u Subject) testTTL(t *testing.T) {
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	opt := store.Options{TTL: time.Hour, Now: func() time.Time { return now }}
	u.with(t, opt, func(t *testing.T, s store.Store) {
		now = time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
		put(t, s, store.Overwrite, "a", `{"n":1}`, "b", `{}`, "c", `{}`)
		now = now.Add(30 * time.Minute)
		// Storing an unchanged record is a write.
		if got := put(t, s, store.Overwrite, "b", `{}`, "a", `{"n":2}`); got != (store.Result{Updated: 1, Unchanged: 1}) {
			t.Errorf("%+v", got)
		}
		now = now.Add(30 * time.Minute)
		u.expect(t, s, `a={"n":2}`, `b={}`, `c={}`) // c is an hour old, not older
		now = now.Add(time.Millisecond)
		if ok, err := s.Has(ctx, "c"); ok || err != nil {
			t.Errorf("Has of an expired record: %v, %v", ok, err)
		}
		u.expect(t, s, `a={"n":2}`, `b={}`)
		now = now.Add(30 * time.Minute)
		// An expired record is not there to be merged with.
		if got := put(t, s, store.MergeFields, "a", `{"m":1}`); got != (store.Result{Inserted: 1}) {
			t.Errorf("put of an expired record: %+v", got)
		}
		u.expect(t, s, `a={"m":1}`)
		now = now.Add(2 * time.Hour)
		if _, ok, err := s.Get(ctx, "a"); ok || err != nil {
			t.Errorf("Get of an expired record: %v, %v", ok, err)
		}
		u.expect(t, s)
	})
}

func (u Subject) testRefusedRecords(t *testing.T) {
	deep := value.FromInt(1)
	for range value.MaxDepth + 1 {
		deep = value.FromArray([]value.Value{deep})
	}
	object := func(v value.Value) value.Value {
		b := value.NewObjectBuilder(nil, 1)
		b.Set("f", v)
		return b.Value()
	}
	for name, bad := range map[string]store.Record{
		"number":     {Key: "k", Value: value.FromInt(1)},
		"null":       {Key: "k", Value: value.NullValue},
		"array":      {Key: "k", Value: value.FromArray([]value.Value{object(value.True)})},
		"key":        {Key: "a\xff", Value: object(value.True)},
		"text":       {Key: "k", Value: object(value.FromString("a\xff"))},
		"too nested": {Key: "k", Value: object(deep)},
	} {
		t.Run(name, func(t *testing.T) {
			u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
				put(t, s, store.Overwrite, "a", `{"n":1}`)
				for _, mode := range []store.Conflict{store.Overwrite, store.MergeFields} {
					batch := append(recs(t, "a", `{"n":2}`, "b", `{}`), bad)
					if res, err := s.Put(ctx, store.Batch{Records: batch, Conflict: mode}); err == nil || res != (store.Result{}) {
						t.Fatalf("Put = %+v, %v; want an error", res, err)
					}
					u.expect(t, s, `a={"n":1}`) // all or nothing
				}
			})
		})
	}
}

func (u Subject) testEachSeesTheStoreAsItWas(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		var want []string
		var batch []store.Record
		for i := range 3000 {
			key := fmt.Sprint(i)
			batch = append(batch, rec(t, key, `{"old":true}`))
			want = append(want, key+`={"old":true}`)
		}
		if _, err := s.Put(ctx, store.Batch{Records: batch}); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := store.Each(ctx, s, func(key string, v value.Value) error {
			if len(got) == 10 {
				// fn may use the store, and change it.
				put(t, s, store.Overwrite, "0", `{"new":1}`, "2000", `{"new":1}`, "x", `{}`)
				if _, err := s.Delete(ctx, "2900"); err != nil {
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
				put(t, s, store.Overwrite, "y", `{}`)
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
		u.expect(t, s, `y={}`)
	})
}

func (u Subject) testEachReturnsTheFunctionsError(t *testing.T) {
	stop := errors.New("stop")
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		put(t, s, store.Overwrite, "a", `{}`, "b", `{}`)
		n := 0
		err := store.Each(ctx, s, func(string, value.Value) error { n++; return stop })
		if err != stop || n != 1 {
			t.Errorf("Each = %v after %d calls", err, n)
		}
	})
}

func (u Subject) testValuesAreWhatJSONCarries(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		in := `{"id":12345678901234567890,"price":1.10,"e":1e3,"text":"a\"\\\n\u0001é😀</script>","list":[1,[],{}],"nil":null}`
		put(t, s, store.Overwrite, `quote " back \ slash`+"\nline", in)
		v, ok, err := s.Get(ctx, `quote " back \ slash`+"\nline")
		want, perr := value.ParseJSON(nil, in)
		if got := string(value.AppendJSON(nil, v)); !ok || err != nil || perr != nil || u.Exact && got != in || !value.Equal(v, want) {
			t.Errorf("got %s, %v, %v\nwant %s", got, ok, err, in)
		}
		b := value.NewObjectBuilder(nil, 1)
		b.Set("at", value.FromTime(0))
		if _, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: "t", Value: b.Value()}}}); err != nil {
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

func (u Subject) testCancelled(t *testing.T) {
	done, cancel := context.WithCancel(ctx)
	cancel()
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		put(t, s, store.Overwrite, "a", `{}`)
		if _, err := s.Put(done, store.Batch{Records: recs(t, "b", `{}`)}); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v", err)
		}
		if _, _, err := s.Get(done, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("Get: %v", err)
		}
		if err := store.Each(done, s, func(string, value.Value) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("Each: %v", err)
		}
		u.expect(t, s, `a={}`)
	})
}

// keysOfEveryKind are different keys that a store might take for one another, or
// not take.
func (u Subject) keysOfEveryKind() []string {
	longest := u.LongestKey
	if longest == 0 {
		longest = 64 << 10
	}
	keys := []string{
		"a", "A", "a ", " a", "a\t", "a\n", "ä", "a\u0308", "Ä", "ß", "ss", "SS", "é", "e\u0301", "😀", "\u200b", "\ufeff", "\ufffd",
		"1", "01", "1.0", "1e0", "+1", "-0", "0", "null", "true", "NaN", "ı", "i", "I", "İ",
		"'", "''", "\"", "`", "\\", "\\'", "%", "_", "*", "?", "$1", ":a", "a:b", "a:b:c", "a/b", "a.b", "a;b", "--", "/*", "{}", "[]", "\x01", "\x7f",
		strings.Repeat("k", 300), strings.Repeat("k", 301), strings.Repeat("x", longest),
	}
	if !u.NoNUL {
		keys = append(keys, "\x00", "a\x00", "a\x00b")
	}
	return keys
}

func (u Subject) testKeys(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		keys := u.keysOfEveryKind()
		var want []string
		var batch []store.Record
		for i, k := range keys {
			json := fmt.Sprintf(`{"n":%d}`, i)
			batch = append(batch, rec(t, k, json))
			want = append(want, k+"="+json)
		}
		if got, err := s.Put(ctx, store.Batch{Records: batch}); err != nil || got != (store.Result{Inserted: len(keys)}) {
			t.Fatalf("Put = %+v, %v", got, err)
		}
		if got := u.dump(t, s); !slices.Equal(got, want) {
			t.Fatalf("store holds\n%q\nwant\n%q", got, want)
		}
		for i, k := range keys {
			v, ok, err := s.Get(ctx, k)
			if n := value.Field(v, "n"); !ok || err != nil || !n.IsInt() || n.Int() != int64(i) {
				t.Errorf("Get of %.40q = %s, %v, %v", k, value.Describe(v), ok, err)
			}
			if got := put(t, s, store.Overwrite, k, fmt.Sprintf(`{"n":%d}`, i)); got != (store.Result{Unchanged: 1}) {
				t.Errorf("storing %.40q again: %+v", k, got)
			}
			if ok, err := s.Delete(ctx, k); !ok || err != nil {
				t.Errorf("Delete of %.40q = %v, %v", k, ok, err)
			}
			if n, err := s.Len(ctx); n != len(keys)-i-1 || err != nil {
				t.Fatalf("after deleting %.40q there are %d, %v", k, n, err)
			}
		}
	})
}

// pages reads a store by pages.
func pages(t testing.TB, s store.Store, cursor string, limit int) (keys []string) {
	t.Helper()
	for {
		p, err := s.Page(ctx, cursor, limit, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Records) > limit {
			t.Fatalf("a page of %d has %d records", limit, len(p.Records))
		}
		for _, r := range p.Records {
			keys = append(keys, r.Key)
		}
		if p.Next == "" {
			return keys
		}
		if p.Next == cursor {
			t.Fatalf("the cursor %q leads to itself", cursor)
		}
		cursor = p.Next
	}
}

func numbered(t testing.TB, from, to int) (batch []store.Record, keys []string) {
	for i := from; i < to; i++ {
		k := fmt.Sprintf("k%d", i)
		batch = append(batch, rec(t, k, fmt.Sprintf(`{"n":%d}`, i)))
		keys = append(keys, k)
	}
	return batch, keys
}

func (u Subject) testPages(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		if p, err := s.Page(ctx, "", 10, nil); err != nil || len(p.Records) > 0 || p.Next != "" {
			t.Errorf("a page of an empty store: %+v, %v", p, err)
		}
		batch, want := numbered(t, 0, 25)
		if _, err := s.Put(ctx, store.Batch{Records: batch}); err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{1, 7, 25, 26, 1000} {
			if got := pages(t, s, "", limit); !slices.Equal(got, want) {
				t.Errorf("by pages of %d: %q", limit, got)
			}
		}
	})
}

// testResume takes reading up with a cursor, as another process does, after the
// store has changed.
func (u Subject) testResume(t *testing.T) {
	if u.Volatile {
		t.Skip("the store ends with its session")
	}
	name := newName()
	s := u.Open(t, name, store.Options{})
	batch, keys := numbered(t, 0, 30)
	if _, err := s.Put(ctx, store.Batch{Records: batch}); err != nil {
		t.Fatal(err)
	}
	p, err := s.Page(ctx, "", 10, nil)
	if err != nil || len(p.Records) != 10 || p.Next == "" {
		t.Fatalf("the first page: %d records, %q, %v", len(p.Records), p.Next, err)
	}
	for _, r := range p.Records { // as a loop that works a queue off
		if _, err := s.Delete(ctx, r.Key); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, store.Overwrite, "k12", `{"changed":true}`, "k0", `{"again":true}`)
	if _, err := s.Delete(ctx, "k20"); err != nil {
		t.Fatal(err)
	}
	again := u.Open(t, name, store.Options{})
	got := pages(t, again, p.Next, 4)
	want := slices.Concat(keys[10:20], keys[21:])
	if !slices.Equal(got[:min(len(got), len(want))], want) {
		t.Errorf("taken up again: %q\nwant %q, and then what is new", got, want)
	}
	if rest := got[min(len(got), len(want)):]; len(rest) > 0 && !slices.Equal(rest, []string{"k0"}) {
		t.Errorf("and then %q", rest)
	}
	if _, err := again.Page(ctx, "no cursor of this store", 4, nil); err == nil {
		t.Error("a cursor that means nothing is no error")
	}
}

// testConcurrent has many tasks merge into the same records: no update is lost,
// and nobody waits for ever.
func (u Subject) testConcurrent(t *testing.T) {
	if u.Stepped {
		t.Skip("the store is for one task, and does not end")
	}
	const tasks, steps, shared = 8, 12, 16 // shared has no divisor with an odd number
	name := newName()
	first := u.Open(t, name, store.Options{})
	var wg sync.WaitGroup
	for task := range tasks {
		s := first
		if !u.Volatile && task%2 == 1 {
			s = u.Open(t, name, store.Options{})
		}
		wg.Go(func() {
			for i := range steps {
				var batch []store.Record
				for j := range shared { // each in an order of his own
					k := (j*(2*task+1) + i) % shared
					batch = append(batch, rec(t, fmt.Sprintf("k%d", k), fmt.Sprintf(`{"t%d":%d}`, task, i)))
				}
				if _, err := s.Put(ctx, store.Batch{Records: batch, Conflict: store.MergeFields}); err != nil {
					t.Errorf("task %d: %v", task, err)
					return
				}
				if _, err := s.Put(ctx, store.Batch{Records: []store.Record{rec(t, fmt.Sprintf("own%d-%d", task, i), `{}`)}}); err != nil {
					t.Errorf("task %d: %v", task, err)
					return
				}
				if _, _, err := s.Get(ctx, "k1"); err != nil {
					t.Errorf("task %d: %v", task, err)
				}
			}
		})
	}
	wg.Wait()
	n, err := first.Len(ctx)
	if err != nil || n != shared+tasks*steps {
		t.Errorf("there are %d records, %v; want %d", n, err, shared+tasks*steps)
	}
	for k := range shared {
		v, ok, err := first.Get(ctx, fmt.Sprintf("k%d", k))
		if !ok || err != nil {
			t.Fatalf("k%d: %v, %v", k, ok, err)
		}
		for task := range tasks {
			if got := value.Field(v, fmt.Sprintf("t%d", task)); !got.IsInt() || got.Int() != steps-1 {
				t.Errorf("k%d has lost what task %d wrote: %s", k, task, value.Describe(v))
			}
		}
	}
}

// testAppendTwice repeats an append, as a run does that goes on after a crash:
// the keys are the same, and the records are there once.
func (u Subject) testAppendTwice(t *testing.T) {
	u.with(t, store.Options{Mode: store.Append}, func(t *testing.T, s store.Store) {
		put(t, s, store.Overwrite, "k1", `{"n":1}`, "k2", `{"n":2}`)
		if got := put(t, s, store.Overwrite, "k3", `{"n":3}`, "k4", `{"n":4}`); got != (store.Result{Inserted: 2}) {
			t.Errorf("append: %+v", got)
		}
		if got := put(t, s, store.Overwrite, "k3", `{"n":3}`, "k4", `{"n":4}`); got != (store.Result{Unchanged: 2}) {
			t.Errorf("the same again: %+v", got)
		}
		u.expect(t, s, `k1={"n":1}`, `k2={"n":2}`, `k3={"n":3}`, `k4={"n":4}`)
	})
}

// testReplace puts the records of another store in the place of those that are
// there, if the store can.
func (u Subject) testReplace(t *testing.T) {
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		r, ok := s.(store.Replacer)
		if !ok {
			t.Skip("the store can't replace what is there")
		}
		put(t, s, store.Overwrite, "a", `{"n":1}`, "b", `{"n":2}`, "c", `{"n":3}`, "d", `{"n":4}`)
		with := func(pairs ...string) store.Store {
			other := u.Open(t, newName(), store.Options{})
			put(t, other, store.Overwrite, pairs...)
			return other
		}
		other := with("e", `{"n":5}`, "c", `{"n":30}`, "b", `{"n":2}`)
		stop := errors.New("stop")
		if _, _, err := r.Replace(ctx, other, func(there, gone int) error {
			if there != 4 || gone != 2 {
				t.Errorf("%d are there and %d would go, want 4 and 2", there, gone)
			}
			return stop
		}); !errors.Is(err, stop) {
			t.Errorf("a replacement that is not allowed: %v", err)
		}
		u.expect(t, s, `a={"n":1}`, `b={"n":2}`, `c={"n":3}`, `d={"n":4}`)
		yes := func(int, int) error { return nil }
		res, removed, err := r.Replace(ctx, other, yes)
		if err != nil || removed != 2 || res != (store.Result{Inserted: 1, Updated: 1, Unchanged: 1}) {
			t.Errorf("Replace = %+v, %d, %v", res, removed, err)
		}
		// What was there keeps its place.
		u.expect(t, s, `b={"n":2}`, `c={"n":30}`, `e={"n":5}`)

		// More than a page, while others read: they see all of the one or all of
		// the other.
		batch, keys := numbered(t, 0, 2500)
		many := u.Open(t, newName(), store.Options{})
		if _, err := many.Put(ctx, store.Batch{Records: batch}); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if n, err := s.Len(ctx); err != nil || n != 3 && n != len(keys) {
					t.Errorf("a reader sees %d records, %v", n, err)
					return
				}
			}
		})
		res, removed, err = r.Replace(ctx, many, yes)
		close(done)
		wg.Wait()
		if err != nil || removed != 3 || res.Inserted != len(keys) {
			t.Errorf("Replace = %+v, %d, %v", res, removed, err)
		}
		if got := pages(t, s, "", 1000); !slices.Equal(got, keys) {
			t.Errorf("after it there are %d records", len(got))
		}
	})
}

func (u Subject) testClosed(t *testing.T) {
	if u.Stepped {
		t.Skip("the store is for one task, and does not end")
	}
	s := u.Open(t, newName(), store.Options{})
	put(t, s, store.Overwrite, "a", `{}`)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	_, err1 := s.Put(ctx, store.Batch{Records: recs(t, "a", `{}`)})
	_, _, err2 := s.Get(ctx, "a")
	_, err3 := s.Has(ctx, "a")
	_, err4 := s.Len(ctx)
	_, err5 := s.View(ctx, nil)
	_, err6 := s.Page(ctx, "", 1, nil)
	_, err7 := s.Delete(ctx, "a")
	_, err8 := s.Clear(ctx)
	err9 := s.Sync(ctx)
	for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8, err9} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("call %d on a closed store: %v", i+1, err)
		}
	}
}
