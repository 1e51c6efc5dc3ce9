package value

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"unsafe"
)

func keysOf(s *Shape) []string {
	var keys []string
	for i := range s.Len() {
		keys = append(keys, s.Key(i))
	}
	return keys
}

func TestShapes(t *testing.T) {
	table := NewShapes()
	ab, ba := table.Of("a", "b"), table.Of("b", "a")
	if ab == ba || ab != table.Of("a", "b") || ab.ID() == 0 || ab.ID() == ba.ID() {
		t.Error("a shape is its keys in their order")
	}
	if table.Of().Len() != 0 || table.Of().Index("a") != -1 {
		t.Error("the empty shape has a key")
	}
	if NewShapes().Of("a", "b").ID() == ab.ID() {
		t.Error("two tables have the same id")
	}
	// Shapes that branch off must not write into each other's keys.
	abc, abd, abcd := table.Of("a", "b", "c"), table.Of("a", "b", "d"), table.Of("a", "b", "c", "d")
	for s, want := range map[*Shape][]string{
		ab: {"a", "b"}, ba: {"b", "a"}, abc: {"a", "b", "c"}, abd: {"a", "b", "d"}, abcd: {"a", "b", "c", "d"},
	} {
		if got := keysOf(s); !slices.Equal(got, want) {
			t.Errorf("got keys %q, want %q", got, want)
		}
		for i, k := range want {
			if s.Index(k) != i {
				t.Errorf("%q: slot of %q is %d", want, k, s.Index(k))
			}
		}
		if s.Index("x") != -1 || s.Index("") != -1 {
			t.Errorf("%q has a slot for a key that it lacks", want)
		}
	}
	// Keys that are not distinct are the caller's mistake, but must do no harm.
	if s := table.Of("a", "a"); s.ID() != 0 || s.Len() != 2 {
		t.Error("a shape with a key twice is shared")
	}
}

func TestShapeOfManyKeys(t *testing.T) {
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprint("key", i))
	}
	for _, n := range []int{7, 8, 9, 128, 129, 300} {
		s := NewShapes().Of(keys[:n]...)
		if (s.ID() == 0) != (n > maxShapeKeys) {
			t.Errorf("%d keys: id %d", n, s.ID())
		}
		for i, k := range keys[:n] {
			if s.Index(k) != i || s.Key(i) != k {
				t.Fatalf("%d keys: %q is in slot %d", n, k, s.Index(k))
			}
		}
		if s.Index("other") != -1 {
			t.Errorf("%d keys: found one that is not there", n)
		}
	}
}

// Objects keyed by ids must not grow a table without end, and must still work.
func TestShapesAreBounded(t *testing.T) {
	table := NewShapes()
	d := NewDecoder(table)
	for i := range 30_000 {
		text := fmt.Sprintf(`{"a%d":{"b%d":1,"c%d":2}}`, i%100, i, i)
		v, err := d.Decode([]byte(text))
		if err != nil || string(AppendJSON(nil, v)) != text {
			t.Fatalf("%s: %s, %v", text, AppendJSON(nil, v), err)
		}
		inner, _ := v.Obj().Get(fmt.Sprint("a", i%100))
		if c, _ := inner.Obj().Get(fmt.Sprint("c", i)); c != FromInt(2) {
			t.Fatalf("%s: field is %s", text, Describe(c))
		}
	}
	if n := table.root.children; n != maxShapeNext {
		t.Errorf("%d shapes of one key", n)
	}
	for i := range 300 {
		for j := range 64 {
			table.Of(table.root.child.Load().Key(0), fmt.Sprint("x", i), fmt.Sprint("y", j), fmt.Sprint("z", i))
		}
	}
	if table.count > maxShapes {
		t.Errorf("%d shapes", table.count)
	}
}

// Ids and dates as keys must not take the place of the names of fields.
func TestDigitKeysLeaveRoom(t *testing.T) {
	table := NewShapes()
	d := NewDecoder(table)
	for i := range 2000 {
		if _, err := d.Decode(fmt.Appendf(nil, `{"%d":{"%d":{"%d":1,"0%d":2}}}`, i%50, i%100, i%200, i)); err != nil {
			t.Fatal(err)
		}
	}
	if table.digits > maxDigitShapes || table.root.children > maxDigitNext {
		t.Errorf("%d shapes with a key that begins with a digit, %d of them of one key", table.digits, table.root.children)
	}
	if table.Of("id", "name").ID() == 0 || table.Of("24h_change").ID() != 0 {
		t.Error("an ordinary shape is private, or one more with a digit is not")
	}
}

// With many shapes that begin alike, the last one used is tried first.
func TestLikelyChild(t *testing.T) {
	table := NewShapes()
	for i := range 10 {
		table.Of(fmt.Sprint("k", i))
	}
	d := NewDecoder(table)
	for _, text := range []string{`{"k7":1}`, `{"k7":2}`, `{"k1":3}`, `{"k9":4}`, `{"k7":5}`} {
		if v, err := d.Decode([]byte(text)); err != nil || string(AppendJSON(nil, v)) != text || v.Obj().Shape() != table.Of(text[2:4]) {
			t.Fatalf("%s: %s, %v", text, AppendJSON(nil, v), err)
		}
	}
	if got := table.root.likely.Load(); &got.Shape != table.Of("k7") {
		t.Errorf("%q is the likely first key", got.Key(0))
	}
}

// A shape must not keep the document alive that it was made from.
func TestShapesOwnTheirKeys(t *testing.T) {
	for _, text := range []string{`{"first key":1,"second key":{"a\"b":2}}`, `{"` + string(make([]byte, 0)) + `k":1,"l":2}`} {
		data := []byte(text)
		v, err := NewDecoder(nil).Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		var check func(v Value)
		check = func(v Value) {
			if v.Kind() != Object {
				return
			}
			for i, e := range v.Obj().Slots() {
				if within(v.Obj().Shape().Key(i), data) {
					t.Errorf("the key %q is part of the document", v.Obj().Shape().Key(i))
				}
				check(e)
			}
		}
		check(v)
	}
	key := []byte("private")
	b := NewObjectBuilder(nil, 1)
	b.Set(unsafe.String(&key[0], len(key)), True)
	if o := b.Value().Obj(); within(o.Shape().Key(0), key) {
		t.Error("a private shape shares its key with the builder's caller")
	}
}

// within reports whether s lies in the memory of data.
func within(s string, data []byte) bool {
	if len(s) == 0 {
		return false
	}
	p, start := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(&data[0]))
	return p >= start && p < start+uintptr(len(data))
}

func TestConcurrentDecoders(t *testing.T) {
	table := NewShapes()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			d := NewDecoder(table)
			for i := range 500 {
				text := fmt.Sprintf(`{"id":%d,"k%d":{"a":1,"b":[{"x%d":null,"y":2,"z":3}]},"k%d":3,"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7}`,
					worker, i%70, (i*worker)%90, 100+i%30)
				v, err := d.Decode([]byte(text))
				if err != nil || string(AppendJSON(nil, v)) != text {
					t.Errorf("%s: %s, %v", text, AppendJSON(nil, v), err)
					return
				}
				if n, ok := v.Obj().Get("7"); !ok || n != FromInt(7) {
					t.Errorf("%s: field 7 is %s", text, Describe(n))
					return
				}
				table.Of("id", fmt.Sprint("k", i%70))
			}
		})
	}
	wg.Wait()
}

func TestObj(t *testing.T) {
	s := NewShapes().Of("a", "b")
	slots := []Value{FromInt(1), FromString("x")}
	o := NewObj(s, slots)
	slots[0] = Value{}
	if o.Shape() != s || o.Len() != 2 || !slices.Equal(o.Slots(), []Value{FromInt(1), FromString("x")}) {
		t.Errorf("got %s", AppendJSON(nil, FromObject(o)))
	}
	if v, ok := o.Get("b"); !ok || v != FromString("x") && v.Str() != "x" {
		t.Errorf("b is %s, %v", Describe(v), ok)
	}
	if v, ok := o.Get("c"); ok || !v.IsNull() {
		t.Errorf("c is %s, %v", Describe(v), ok)
	}
	if e := NewObj(NewShapes().Of(), nil); e.Len() != 0 || len(e.Slots()) != 0 {
		t.Error("the empty object is not empty")
	}
}

func TestObjectBuilder(t *testing.T) {
	table := NewShapes()
	for name, b := range map[string]*ObjectBuilder{
		"shared": NewObjectBuilder(table, 0), "roomy": NewObjectBuilder(table, 500), "private": NewObjectBuilder(nil, 2), "zero": {},
	} {
		for round := range 2 { // a builder can be used again
			if got := string(AppendJSON(nil, b.Value())); got != "{}" {
				t.Errorf("%s: of nothing: %s", name, got)
			}
			b.Set("a", FromInt(1))
			b.Set("b", FromInt(2))
			b.Set("a", FromInt(3))
			b.Set("c", FromInt(4))
			b.Set("b", Value{})
			if b.Len() != 3 {
				t.Errorf("%s: %d keys", name, b.Len())
			}
			v := b.Value()
			if got, want := string(AppendJSON(nil, v)), `{"a":3,"b":null,"c":4}`; got != want {
				t.Errorf("%s, round %d: got %s, want %s", name, round, got, want)
			}
			if shared := v.Obj().Shape() == table.Of("a", "b", "c"); shared != (b.table != nil) {
				t.Errorf("%s: its shape is shared: %v", name, shared)
			}
		}
	}
}

func TestObjectBuilderSetAll(t *testing.T) {
	table := NewShapes()
	decode := func(text string) *Obj {
		v, err := ParseJSON(table, text)
		if err != nil {
			t.Fatal(err)
		}
		return v.Obj()
	}
	base := decode(`{"a":1,"b":2}`)
	foreign := parse(t, `{"b":5,"z":6}`).Obj()
	for name, b := range map[string]*ObjectBuilder{"shared": NewObjectBuilder(table, 0), "private": NewObjectBuilder(nil, 0), "zero": {}} {
		b.SetAll(base)
		b.Set("b", FromInt(3))
		b.Set("c", FromInt(4))
		b.SetAll(foreign)
		if got, want := string(AppendJSON(nil, b.Value())), `{"a":1,"b":5,"c":4,"z":6}`; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		b.SetAll(foreign)
		b.SetAll(base)
		if got, want := string(AppendJSON(nil, b.Value())), `{"b":2,"z":6,"a":1}`; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		b.SetAll(base)
		if got, want := string(AppendJSON(nil, b.Value())), `{"a":1,"b":2}`; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := string(AppendJSON(nil, FromObject(base))); got != `{"a":1,"b":2}` {
		t.Errorf("the object that was spread became %s", got)
	}
}

func TestObjectBuilderOfManyKeys(t *testing.T) {
	for _, table := range []*Shapes{nil, NewShapes()} {
		b := NewObjectBuilder(table, 0)
		const n = 5000
		for round := range 2 {
			for i := range n {
				b.Set(fmt.Sprint("k", i), FromInt(int64(i*round)))
			}
		}
		o := b.Value().Obj()
		if o.Len() != n {
			t.Fatalf("%d keys", o.Len())
		}
		for i := range n {
			if v, ok := o.Get(fmt.Sprint("k", i)); !ok || v != FromInt(int64(i)) || o.Shape().Key(i) != fmt.Sprint("k", i) {
				t.Fatalf("key %d: %s", i, Describe(v))
			}
		}
	}
}

func TestClone(t *testing.T) {
	const text = `{"id":12345678901234567890,"s":"text","list":["a",1.50,{"x":"ü","y":[]},""],"e":{},"n":null,"t":true}`
	data := []byte(text)
	d := NewDecoder(nil)
	v, err := d.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	c := Clone(v)
	clear(data) // whatever still shared memory with the document is now zeros
	if got := string(AppendJSON(nil, c)); got != text {
		t.Errorf("the copy became %s", got)
	}
	if c.Obj().Shape() != v.Obj().Shape() {
		t.Error("the copy has another shape")
	}
	big := make([]Value, 3000)
	for i := range big {
		big[i] = FromString(fmt.Sprint("a string that takes some room ", i))
	}
	if v := FromArray(big); !Equal(Clone(v), v) {
		t.Error("the copy of a big array differs")
	}
	for _, v := range []Value{{}, True, FromInt(1), FromFloat(1.5), FromDecimal(15, 1), FromTime(7), FromString(""), FromArray(nil)} {
		if Clone(v) != v {
			t.Errorf("the copy of %s is %s", Describe(v), Describe(Clone(v)))
		}
	}
}

// What is empty must not keep the memory alive that it was cut from.
func TestEmptyKeepsNothing(t *testing.T) {
	s, a := "page", []Value{True}
	if FromString(s[2:2]) != FromString("") || FromArray(a[:0]) != FromArray(nil) {
		t.Error("an empty value has a pointer")
	}
	if FromString("").Kind() != String || FromString("").IsNull() || FromArray(nil).Kind() != Array || FromArray(nil).IsNull() || !NullValue.IsNull() {
		t.Error("an empty value has the wrong kind")
	}
}
