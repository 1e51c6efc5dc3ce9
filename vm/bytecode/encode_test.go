package bytecode_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	. "reqon/vm/bytecode"
	"reqon/vm/value"
)

// The form of an artifact: REQC, a version of two bytes, the SHA-256 of the
// rest, the rest.
const (
	versionAt = 4
	sumAt     = 6
	bodyAt    = sumAt + sha256.Size
)

// fixSum gives an artifact that was changed its right checksum.
func fixSum(artifact []byte) []byte {
	if len(artifact) >= bodyAt {
		sum := sha256.Sum256(artifact[bodyAt:])
		copy(artifact[sumAt:], sum[:])
	}
	return artifact
}

// equal compares what programs are made of. Nil and empty lists are the same,
// and values are if they are of one kind and have one text.
func equal(a, b reflect.Value) bool {
	if v, ok := a.Interface().(value.Value); ok {
		w := b.Interface().(value.Value)
		return v.Kind() == w.Kind() && string(value.AppendJSON(nil, v)) == string(value.AppendJSON(nil, w))
	}
	switch a.Kind() {
	case reflect.Pointer:
		return a.IsNil() == b.IsNil() && (a.IsNil() || equal(a.Elem(), b.Elem()))
	case reflect.Struct:
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	}
	return a.Interface() == b.Interface()
}

func wantRoundTrip(t *testing.T, name string, p *Program) {
	t.Helper()
	artifact := Encode(p)
	back, err := Decode(artifact)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !equal(reflect.ValueOf(p), reflect.ValueOf(back)) {
		t.Errorf("%s: is not the same program when it comes back:\n%+v\n%+v", name, p, back)
	}
	if !bytes.Equal(artifact, Encode(back)) {
		t.Errorf("%s: has other bytes when it comes back", name)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, c := range corpus() {
		wantRoundTrip(t, c.name, c.prog)
	}
	wantRoundTrip(t, "small", small(asm(Return)))
}

// TestRoundTripConstants: every value that can stand in a program comes back in
// its form.
func TestRoundTripConstants(t *testing.T) {
	var consts []value.Value
	for _, text := range strings.Fields(`null true false 0 -1 9223372036854775807 -9223372036854775808 1.10 -0 1e400 0.000 12345678901234567890
		"" "é\u0000→" [] [1,[null,{}]] {} {"b":1,"a":{"b":[true]}} {"":"","ü":1}
		{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"j":10}`) {
		v, err := value.ParseJSON(nil, text)
		if err != nil {
			t.Fatal(err)
		}
		consts = append(consts, v)
	}
	for _, f := range []float64{0, math.Copysign(0, -1), 0.1, -1e300, 5e-324, math.MaxFloat64} {
		consts = append(consts, value.FromFloat(f))
	}
	for _, ms := range []int64{0, -1, 1769000000123, -62167219200000, 253402300799999} {
		consts = append(consts, value.FromTime(ms))
	}
	p := small(asm(Return))
	p.Funcs[1].Consts = consts
	wantRoundTrip(t, "constants", p)
}

// TestRoundTripFields sets every field of every part to something of its own,
// so that none can be left out or mixed up.
func TestRoundTripFields(t *testing.T) {
	p := small(asm(Return))
	n := 0
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		n++
		switch v.Kind() {
		case reflect.Struct:
			if _, ok := v.Interface().(value.Value); ok {
				v.Set(reflect.ValueOf(value.FromInt(int64(n))))
				return
			}
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem())
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0))
			fill(v.Index(1))
		case reflect.String:
			v.SetString(fmt.Sprintf("text %d", n))
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int, reflect.Int64:
			v.SetInt(int64(n))
		case reflect.Uint8:
			v.SetUint(uint64(n % 3))
		default:
			t.Fatalf("a field of kind %v", v.Kind())
		}
	}
	fill(reflect.ValueOf(&p.Schedule).Elem())
	for _, table := range []any{&p.OptionPos, &p.Params, &p.Sources, &p.Stores, &p.Actions, &p.Brackets, &p.Fetches, &p.Loops, &p.Types, &p.Shapes, &p.Regexps, &p.Natives, &p.Funcs} {
		fill(reflect.ValueOf(table).Elem())
	}
	// The verifier would refuse it, so only the two forms are compared: the
	// reader says so of what it read, and would say otherwise of what it could
	// not read.
	_, err := Decode(Encode(p))
	var verify *VerifyError
	if !errors.As(err, &verify) {
		t.Fatalf("the reader can't read it: %v", err)
	}
	for i := range reflect.TypeFor[Func]().NumField() {
		other := *p
		other.Funcs = append([]Func(nil), p.Funcs...)
		field := reflect.ValueOf(&other.Funcs[0]).Elem().Field(i)
		field.SetZero()
		if bytes.Equal(Encode(p), Encode(&other)) {
			t.Errorf("Func.%s is not written", reflect.TypeFor[Func]().Field(i).Name)
		}
	}
}

// TestEncodeIsOneForm: compiling the same source twice gives the same bytes.
func TestEncodeIsOneForm(t *testing.T) {
	const src = `mission M {
  source API { base: "https://x", headers: { a: 1, b: 2, c: 3, d: 4, e: 5 } }
  store out: memory
  schema S { a: string, b: number, c: [S], d: "x" | "y" | null }
  action A { get "/x" { params: { z: 1, y: 2, x: now() } } for x in response { store { ...x, b: 1, a: 2 } -> out } }
}`
	first := Encode(mustCompile(t, src))
	for range 20 {
		if !bytes.Equal(first, Encode(mustCompile(t, src))) {
			t.Fatal("the bytes differ")
		}
	}
}

// TestDecodeHeader: what is wrong with a file as a whole is said as such.
func TestDecodeHeader(t *testing.T) {
	good := Encode(small(asm(Return)))
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "does not begin with REQC"},
		{"text", []byte("mission M { }"), "does not begin with REQC"},
		{"the beginning", []byte("REQC"), "cut short"},
		{"the header", good[:bodyAt], "damaged"},
		{"another version", change(func(b []byte) []byte { b[versionAt]++; return b }), "this reqon reads version"},
		{"a damaged byte", change(func(b []byte) []byte { b[bodyAt+20] ^= 1; return b }), "checksum"},
		{"a damaged checksum", change(func(b []byte) []byte { b[sumAt] ^= 1; return b }), "checksum"},
		{"a byte too many", change(func(b []byte) []byte { return append(b, 0) }), "checksum"},
		{"a byte too many, with its checksum", change(func(b []byte) []byte { return fixSum(append(b, 0)) }), "bytes too many"},
		{"no section", change(func(b []byte) []byte { return fixSum(b[:bodyAt]) }), "ends too early"},
		{"another section first", change(func(b []byte) []byte { b[bodyAt] = 2; return fixSum(b) }), "section 2 where 1 was expected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Decode(test.data)
			if err == nil || p != nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, expected %q", err, test.want)
			}
			if strings.Contains(test.name, "version") != errors.Is(err, ErrVersion) {
				t.Errorf("is an ErrVersion: %t", errors.Is(err, ErrVersion))
			}
		})
	}
	if IsArtifact([]byte("REQ")) || !IsArtifact(good) {
		t.Error("IsArtifact")
	}
}

// TestTruncated: no part of an artifact is an artifact, not even with the right
// checksum.
func TestTruncated(t *testing.T) {
	for _, c := range append(corpus()[:20:20], named{"small", small(asm(Return))}) {
		artifact := Encode(c.prog)
		for n := range artifact {
			for _, data := range [][]byte{artifact[:n], fixSum(bytes.Clone(artifact[:n]))} {
				if _, err := Decode(data); err == nil {
					t.Fatalf("%s: the first %d of %d bytes are an artifact", c.name, n, len(artifact))
				}
			}
		}
	}
}

// TestCorrupted: an artifact with a wrong byte is an error; where somebody has
// put the right checksum to it, it is one or a sound program.
func TestCorrupted(t *testing.T) {
	for _, c := range append(corpus()[:10:10], named{"small", small(asm(Return))}) {
		artifact := Encode(c.prog)
		refused := 0
		for at := range artifact {
			for _, flip := range []byte{1, 0x80, 0xff} {
				data := bytes.Clone(artifact)
				data[at] ^= flip
				if _, err := Decode(data); err == nil {
					t.Fatalf("%s: byte %d is wrong, and nobody notices", c.name, at)
				}
				if at < bodyAt {
					continue
				}
				p, err := Decode(fixSum(data))
				if err != nil {
					refused++
				} else if err := Verify(p); err != nil {
					t.Fatalf("%s: byte %d: decoded, and then not sound: %v", c.name, at, err)
				}
			}
		}
		if refused == 0 {
			t.Errorf("%s: no wrong byte was refused", c.name)
		}
	}
}

// TestDecodeConstants: constants that the machine could not bear are refused.
func TestDecodeConstants(t *testing.T) {
	deep := func(levels int) value.Value {
		v := value.True
		for range levels {
			v = value.FromArray([]value.Value{v})
		}
		return v
	}
	for _, test := range []struct {
		name string
		v    value.Value
		want string
	}{
		{"deep", deep(1000), ""},
		{"too deep", deep(1001), "nests too deep"},
		{"not a number", value.FromFloat(math.NaN()), "not a finite number"},
		{"infinite", value.FromFloat(math.Inf(-1)), "not a finite number"},
		{"no number", value.FromNumText("0x10"), "not a number"},
		{"no text of a number", value.FromNumText(""), "not a number"},
		{"not UTF-8", value.FromString("a\xff"), "not UTF-8"},
		{"before all time", value.FromTime(math.MinInt64), "no time"},
		{"after all time", value.FromTime(253402300800000), "no time"},
	} {
		p := small(asm(Return))
		p.Funcs[1].Consts = append(p.Funcs[1].Consts, test.v)
		_, err := Decode(Encode(p))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, expected %q", test.name, err, test.want)
		}
	}
	p := small(asm(Return))
	p.Shapes[0][0] = "\xfe"
	if _, err := Decode(Encode(p)); err == nil {
		t.Error("a key that is not UTF-8 goes through")
	}
	p = small(asm(Return))
	p.Files[0] = "\xfe.reqon" // as a file's name may be
	if _, err := Decode(Encode(p)); err != nil {
		t.Errorf("a file whose name is not UTF-8: %v", err)
	}
}

// TestDecodeCounts: a count larger than what is there costs nothing.
func TestDecodeCounts(t *testing.T) {
	huge := binary.AppendUvarint(nil, math.MaxUint64)
	large := binary.AppendUvarint(nil, 1<<40)
	for _, count := range [][]byte{huge, large, {0xff}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}} {
		section := append([]byte{1}, 'x') // mission: a name of one byte
		section = append(section, count...)
		body := append([]byte{1, byte(len(section))}, section...)
		artifact := fixSum(append([]byte("REQC"+string([]byte{Version, 0})+strings.Repeat("\x00", sha256.Size)), body...))
		allocs := testing.AllocsPerRun(1, func() {
			if _, err := Decode(artifact); err == nil || !strings.Contains(err.Error(), "bad count") {
				t.Errorf("count %x: %v", count, err)
			}
		})
		if allocs > 50 {
			t.Errorf("count %x: %v allocations", count, allocs)
		}
	}
}

// FuzzDecode reads artifacts that were changed and given the right checksum.
// What is read can be shown, and written and read again.
func FuzzDecode(f *testing.F) {
	for i, c := range corpus() {
		if i%10 == 0 {
			f.Add(Encode(c.prog))
		}
	}
	f.Add(Encode(small(asm(Return))))
	f.Add([]byte("REQC"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		p, err := Decode(fixSum(bytes.Clone(data)))
		if err != nil {
			return
		}
		var text bytes.Buffer
		if err := Disassemble(&text, p); err != nil {
			t.Fatal(err)
		}
		artifact := Encode(p)
		again, err := Decode(artifact)
		if err != nil {
			t.Fatalf("can't be read again: %v", err)
		}
		if !bytes.Equal(artifact, Encode(again)) {
			t.Fatal("has other bytes the second time")
		}
	})
}
