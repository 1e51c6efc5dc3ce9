package storetest

import (
	"fmt"
	"math/rand/v2"
	"reqon/runtime/store"
	"reqon/vm/value"
	"slices"
	"strings"
	"testing"
	"time"
)

// model is a store as the language definition has it, in the plainest code.
type model struct {
	opt  store.Options
	keys []string
	recs map[string]modelRecord
}

type modelRecord struct {
	fields  [][2]string // name and JSON
	written int64
}

func (r modelRecord) json() string {
	s := "{"
	for i, f := range r.fields {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf("%q:%s", f[0], f[1])
	}
	return s + "}"
}

func (m *model) remove(key string) {
	m.keys = slices.DeleteFunc(m.keys, func(k string) bool { return k == key })
	delete(m.recs, key)
}

func (m *model) expire() {
	if m.opt.TTL == 0 {
		return
	}
	for _, k := range slices.Clone(m.keys) {
		if m.opt.Now().UnixMilli()-m.recs[k].written > m.opt.TTL.Milliseconds() {
			m.remove(k)
		}
	}
}

func (m *model) put(u Subject, key string, fields [][2]string, mode store.Conflict, res *store.Result) {
	old, ok := m.recs[key]
	if !ok {
		m.keys = append(m.keys, key)
		m.recs[key] = modelRecord{fields, m.opt.Now().UnixMilli()}
		res.Inserted++
		return
	}
	if mode == store.MergeFields {
		merged := slices.Clone(old.fields)
		for _, f := range fields {
			if i := slices.IndexFunc(merged, func(o [2]string) bool { return o[0] == f[0] }); i >= 0 {
				merged[i] = f
			} else {
				merged = append(merged, f)
			}
		}
		fields = merged
	}
	m.recs[key] = modelRecord{fields, m.opt.Now().UnixMilli()}
	if equalFields(old.fields, fields, u.Exact) {
		res.Unchanged++
	} else {
		res.Updated++
	}
}

func (m *model) dump(u Subject) []string {
	all := []string{}
	for _, k := range m.keys {
		v, _ := value.ParseJSON(nil, m.recs[k].json())
		all = append(all, u.line(k, v))
	}
	return all
}

// TestModel does random things to a store and to the model of one, and compares
// them after each.
func (u Subject) testModel(t *testing.T) {
	now := time.UnixMilli(0)
	clock := func() time.Time { return now }
	for name, opt := range map[string]store.Options{
		"plain":    {Now: clock},
		"keep":     {Now: clock, Keep: 12},
		"ttl":      {Now: clock, TTL: 40 * time.Millisecond},
		"keep+ttl": {Now: clock, Keep: 15, TTL: 60 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			u.with(t, opt, func(t *testing.T, s store.Store) {
				now = time.UnixMilli(0)
				m := &model{opt: opt, recs: map[string]modelRecord{}}
				rnd := rand.New(rand.NewPCG(1, 2))
				for step := range 200 {
					now = now.Add(time.Duration(rnd.IntN(8)) * time.Millisecond)
					m.expire()
					u.modelStep(t, rnd, m, s)
					if got, want := u.dump(t, s), m.dump(u); !slices.Equal(got, want) {
						t.Fatalf("step %d: store holds\n%q\nwant\n%q", step, got, want)
					}
				}
			})
		})
	}
}

func (u Subject) modelStep(t *testing.T, rnd *rand.Rand, m *model, s store.Store) {
	key := func() string { return fmt.Sprintf("k%d", rnd.IntN(25)) }
	switch p := rnd.IntN(100); {
	case p < 70:
		mode := store.Conflict(rnd.IntN(2))
		var batch []store.Record
		var want store.Result
		for range 1 + rnd.IntN(8) {
			k := key()
			var fields [][2]string
			b := value.NewObjectBuilder(nil, 2)
			for _, name := range []string{"a", "b", "c"} {
				if n := rnd.IntN(6); n < 3 {
					fields = append(fields, [2]string{name, fmt.Sprint(n)})
					b.Set(name, value.FromInt(int64(n)))
				}
			}
			batch = append(batch, store.Record{Key: k, Value: b.Value()})
			m.put(u, k, fields, mode, &want)
		}
		for m.opt.Keep > 0 && len(m.keys) > m.opt.Keep {
			m.remove(m.keys[0])
		}
		if got, err := s.Put(ctx, store.Batch{Records: batch, Conflict: mode}); got != want || err != nil {
			t.Fatalf("Put = %+v, %v; want %+v", got, err, want)
		}
	case p < 85:
		k := key()
		_, want := m.recs[k]
		m.remove(k)
		if got, err := s.Delete(ctx, k); got != want || err != nil {
			t.Fatalf("Delete = %v, %v; want %v", got, err, want)
		}
	case p < 87:
		want := len(m.keys)
		m.keys, m.recs = nil, map[string]modelRecord{}
		if got, err := s.Clear(ctx); got != want || err != nil {
			t.Fatalf("Clear = %v, %v; want %v", got, err, want)
		}
	case p < 92:
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
	default:
		k := key()
		want, there := m.recs[k]
		v, ok, err := s.Get(ctx, k)
		if ok != there || err != nil || ok && u.line("", v) != u.line("", parsed(want.json())) {
			t.Fatalf("Get = %s, %v, %v; want %s, %v", value.Describe(v), ok, err, want.json(), there)
		}
	}
}

// equalFields compares records, with or without the order of their fields.
func equalFields(a, b [][2]string, exact bool) bool {
	if !exact {
		compare := func(x, y [2]string) int { return strings.Compare(x[0], y[0]) }
		a, b = slices.Clone(a), slices.Clone(b)
		slices.SortFunc(a, compare)
		slices.SortFunc(b, compare)
	}
	return slices.Equal(a, b)
}

func parsed(json string) value.Value {
	v, err := value.ParseJSON(nil, json)
	if err != nil {
		panic(err)
	}
	return v
}
