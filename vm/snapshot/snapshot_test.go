package snapshot

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"reqon/vm/value"
)

// values are of every form.
var values = []string{
	`null`, `true`, `false`, `0`, `1`, `223`, `224`, `-1`, `9223372036854775807`, `-9223372036854775808`,
	`1.10`, `-0.5`, `0.000000000000001`, `999999999999999.9`, `1e3`, `-0`, `12345678901234567890`, `1.0`,
	`""`, `"text"`, `"a text that is longer than sixteen bytes"`, `"ümläut\u0000"`, `[]`, `{}`, `[[],{}]`,
	`{"id":1,"name":"x","list":[1,2.50,"three"],"inner":{"id":2}}`, `[{"a":1,"b":2},{"a":3,"b":4},{"b":5,"a":6}]`,
}

func again(t testing.TB, v value.Value) value.Value {
	t.Helper()
	var w Writer
	w.Value(v)
	r := NewReader(w.Bytes(), value.NewShapes())
	got := r.Value()
	if err := r.End(); err != nil {
		t.Fatalf("%s: %v", value.Describe(v), err)
	}
	return got
}

func same(t testing.TB, got, v value.Value) {
	t.Helper()
	if a, b := value.AppendJSON(nil, got), value.AppendJSON(nil, v); !bytes.Equal(a, b) || got.Kind() != v.Kind() {
		t.Errorf("%s comes back as %s", b, a)
	}
}

// TestValues: a value comes back in its form, digit for digit.
func TestValues(t *testing.T) {
	for _, text := range values {
		v, err := value.ParseJSON(value.NewShapes(), text)
		if err != nil {
			t.Fatal(err)
		}
		same(t, again(t, v), v)
	}
	for _, v := range []value.Value{value.FromFloat(0.1), value.FromFloat(-1e300), value.FromTime(0), value.FromTime(1_700_000_000_123), value.FromTime(-1)} {
		same(t, again(t, v), v)
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		v := random(rnd, value.NewShapes(), 5)
		same(t, again(t, v), v)
	}
}

// random makes a value, some of whose parts are in it several times.
func random(rnd *rand.Rand, shapes *value.Shapes, depth int) value.Value {
	n := rnd.IntN(10)
	if depth == 0 {
		n = rnd.IntN(5)
	}
	switch n {
	case 0:
		return value.FromInt(rnd.Int64() >> rnd.IntN(64))
	case 1:
		return value.FromDecimal(rnd.Int64N(1e15-1)+1, 1+rnd.IntN(15))
	case 2:
		return value.FromString(strings.Repeat("é", rnd.IntN(30)))
	case 3:
		return value.NullValue
	case 4:
		return value.FromBool(true)
	case 5, 6:
		part := random(rnd, shapes, depth-1)
		return value.FromArray([]value.Value{part, random(rnd, shapes, depth-1), part})
	}
	table := shapes
	if rnd.IntN(3) == 0 {
		table = nil
	}
	b := value.NewObjectBuilder(table, 4)
	for range rnd.IntN(12) {
		b.Set(fmt.Sprintf("k%d", rnd.IntN(20)), random(rnd, shapes, depth-1))
	}
	return b.Value()
}

// TestShared: what is in several places is written once, comes back as one, and
// takes no more memory than before. Forty levels of pairs are a terabyte of JSON.
func TestShared(t *testing.T) {
	v := value.FromString("what is held very often")
	for range 40 {
		v = value.FromArray([]value.Value{v, v})
	}
	var w Writer
	w.Value(v)
	if n := len(w.Bytes()); n > 300 {
		t.Errorf("forty arrays of two take %d bytes", n)
	}
	got := again(t, v)
	for range 40 {
		if got.Elems()[0] != got.Elems()[1] {
			t.Fatal("what was one array is two")
		}
		got = got.Elems()[0]
	}
	var page []value.Value
	shapes := value.NewShapes()
	for i := range 1000 {
		o, _ := value.ParseJSON(shapes, fmt.Sprintf(`{"a_rather_long_key":%d,"another_rather_long_key":null}`, i))
		page = append(page, o)
	}
	w.Reset()
	w.Values(page)
	if n := len(w.Bytes()); n > 8_000 {
		t.Errorf("a thousand like records take %d bytes: their keys more than once", n)
	}
	r := NewReader(w.Bytes(), value.NewShapes())
	back := r.Values()
	if err := r.End(); err != nil || back[0].Obj().Shape() != back[999].Obj().Shape() {
		t.Errorf("the records share no shape: %v", err)
	}
}

// TestPrivateShapes: objects that are keyed by ids do not fill the table of
// shapes by being read again.
func TestPrivateShapes(t *testing.T) {
	b := value.NewObjectBuilder(nil, 4)
	b.Set("id-1", value.True)
	b.Set("id-2", value.False)
	v := again(t, b.Value())
	if v.Obj().Shape().ID() != 0 {
		t.Error("a private shape comes back as a shared one")
	}
}

// TestLimit: a Writer ends at its limit, whatever it is given.
func TestLimit(t *testing.T) {
	w := Writer{Limit: 1000}
	list := make([]value.Value, 100_000)
	w.Values(list)
	w.Text(strings.Repeat("x", 1_000_000))
	if w.Err() != ErrTooLarge || len(w.Bytes()) > 2000 {
		t.Errorf("%d bytes, %v", len(w.Bytes()), w.Err())
	}
}

// TestRefused: what no Writer writes is told.
func TestRefused(t *testing.T) {
	count := func(n uint64) []byte { return binary.AppendUvarint(nil, n) }
	for _, test := range []struct {
		name, want string
		data       []byte
	}{
		{"nothing", "ends too early", nil},
		{"no such kind", "no such kind of value", []byte{tagCount}},
		{"a float cut short", "ends too early", []byte{tagFloat, 1, 2}},
		{"an infinity", "finite", append([]byte{tagFloat}, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f)},
		{"a decimal of no decimals", "0 decimals", []byte{tagDecimal, 2, 0}},
		{"a decimal of many digits", "is not from", append(binary.AppendVarint([]byte{tagDecimal}, 1e15), 1)},
		{"a number that is none", "a number that is none", []byte{tagNumText, 1, 'x'}},
		{"an integer as text", "wrong form", []byte{tagNumText, 1, '1'}},
		{"a time of the year 20000", "no time", binary.AppendVarint([]byte{tagTime}, 600_000_000_000_000)},
		{"text that is none", "not UTF-8", []byte{tagText, 1, 0xff}},
		{"a long text cut short", "bad count", append([]byte{tagText}, count(1<<40)...)},
		{"a long array", "bad count", append([]byte{tagArray}, count(1<<60)...)},
		{"what was not there", "not there before", []byte{tagShared, 0}},
		{"itself", "not there before", []byte{tagArray, 1, tagShared, 0}},
		{"a shape from nowhere", "a shape that was not there", []byte{tagObject, 7}},
		{"a key twice", "stands twice", []byte{tagObject, 0, 1, 2, 1, 'a', 1, 'a', tagNull, tagNull}},
		{"a shape that is neither", "a truth is 2", []byte{tagObject, 0, 2, 0}},
		{"fewer slots than keys", "bad count", []byte{tagObject, 0, 0, 2, 1, 'a', 1, 'b', tagNull}},
		{"very deep", "too deep", append(bytes.Repeat([]byte{tagArray, 1}, 100_000), tagNull)},
	} {
		r := NewReader(test.data, value.NewShapes())
		r.Value()
		if err := r.End(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, expected %q", test.name, err, test.want)
		}
	}
	deep := value.True
	for range 1500 {
		deep = value.FromArray([]value.Value{deep})
	}
	same(t, again(t, deep), deep)
}

// FuzzReader reads anything, in memory that is in proportion to it, and what it
// takes comes back the same.
func FuzzReader(f *testing.F) {
	for _, text := range values {
		v, _ := value.ParseJSON(value.NewShapes(), text)
		var w Writer
		w.Value(v)
		f.Add(w.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		shapes := value.NewShapes()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := NewReader(data, shapes)
		v := r.Value()
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 100_000+400*uint64(len(data)) {
			t.Errorf("%d bytes take %d", len(data), took)
		}
		if r.Err() == nil && value.Fits(v, 1<<20) {
			same(t, again(t, v), v)
		}
	})
}
