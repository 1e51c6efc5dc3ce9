package value

import (
	"math/big"
	"testing"
	"time"
)

func TestTimeReader(t *testing.T) {
	berlin, err := Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r    TimeReader
		json string
		ms   int64 // -1: no time
	}{
		{TimeReader{}, `"2026-01-20T09:00:00Z"`, 1768899600000},
		{TimeReader{}, `"2026-01-20 09:00"`, 1768899600000},
		{TimeReader{Zone: berlin}, `"2026-01-20 10:00"`, 1768899600000},
		{TimeReader{Zone: berlin}, `"2026-01-20T09:00:00Z"`, 1768899600000},
		{TimeReader{}, `1768899600`, -1},
		{TimeReader{Unit: 1000}, `1768899600`, 1768899600000},
		{TimeReader{Unit: 1000}, `1768899600.25`, 1768899600250},
		{TimeReader{Unit: 1000}, `1768899600.9999999`, 1768899600999},
		{TimeReader{Unit: 1000}, `1768899600.0`, 1768899600000},
		{TimeReader{Unit: 1000}, `1.7688996e9`, 1768899600000},
		{TimeReader{Unit: 1}, `1768899600250`, 1768899600250},
		{TimeReader{Unit: 1}, `1768899600005.75`, 1768899600005},
		{TimeReader{Unit: 1}, `0.5`, 0},
		{TimeReader{Unit: 1}, `1e-400`, 0},
		{TimeReader{Unit: 1}, `-0.5`, -1000},
		{TimeReader{Unit: 1000}, `253402300799`, 253402300799000},
		{TimeReader{Unit: 1000}, `253402300800`, -1},
		{TimeReader{Unit: 1000}, `253402300800.5`, -1},
		{TimeReader{Unit: 1}, `1e400`, -1},
		{TimeReader{Unit: 1000}, `99999999999999999999`, -1},
		{TimeReader{Unit: 1000}, `"1768899600"`, -1},
		{TimeReader{Unit: 1000}, `true`, -1},
		{TimeReader{Unit: 1000}, `null`, -1},
		{TimeReader{Unit: 1000}, `[1]`, -1},
	} {
		got, ok := c.r.Read(parse(t, c.json))
		want := c.ms
		if c.json == `-0.5` {
			want = -1
			if !ok || got.Milliseconds() != -1 {
				t.Errorf("%s: %d, %v", c.json, got.Milliseconds(), ok)
			}
			continue
		}
		if ok != (want != -1) || ok && got.Milliseconds() != want {
			t.Errorf("%s by %+v: %d, %v, want %d", c.json, c.r, got.Milliseconds(), ok, want)
		}
	}
	// Parts of a millisecond count where both have them.
	r := TimeReader{Unit: 1000}
	for _, c := range []struct {
		a, b string
		want int
		ok   bool
	}{
		{`"2026-01-20T09:00:00.0001Z"`, `"2026-01-20T10:00:00.0002+0100"`, -1, true},
		{`1768899600.0002`, `"2026-01-20T09:00:00.0001Z"`, 1, true},
		{`1768899600`, `"Tue, 20 Jan 2026 09:00:00 GMT"`, 0, true},
		{`"a"`, `"b"`, -1, true},
		{`"2026-01-20"`, `"b"`, 0, false},
		{`"b"`, `5`, 0, false},
		{`null`, `5`, 0, false},
		{`{}`, `{}`, 0, false},
	} {
		if got, ok := r.Compare(parse(t, c.a), parse(t, c.b)); got != c.want || ok != c.ok {
			t.Errorf("%s and %s: %d, %v", c.a, c.b, got, ok)
		}
	}
}

// What a number says as seconds or milliseconds is cut, never rounded up.
func FuzzTimeReaderNumber(f *testing.F) {
	for _, s := range []string{"1768899600.25", "-1.5", "1e3", "1768899600005.75", "0.0001", "1E-9", "253402300799.9999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseJSON(nil, s)
		if err != nil || !v.IsNumber() || len(s) > 50 {
			return
		}
		if f := Float64(v); f > 1e16 || f < -1e16 || f != 0 && f < 1e-300 && f > -1e-300 {
			return
		}
		exact, ok := new(big.Rat).SetString(Text(v))
		if !ok {
			return
		}
		for _, unit := range []int64{1, 1000} {
			got, ok := TimeReader{Unit: unit}.Read(v)
			if !ok {
				continue
			}
			ms := new(big.Rat).Mul(exact, big.NewRat(unit, 1))
			if at := big.NewRat(got.Milliseconds(), 1); at.Cmp(new(big.Rat).Add(ms, big.NewRat(1, 1000))) > 0 || new(big.Rat).Sub(ms, at).Cmp(big.NewRat(1001, 1000)) > 0 {
				t.Fatalf("%s by %d is %d (%s)", s, unit, got.Milliseconds(), time.UnixMilli(got.Milliseconds()))
			}
		}
	})
}
