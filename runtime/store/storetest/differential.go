package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// testDifferential asks for random records by random conditions: a store may
// leave out only what surely does not pass.
func (u Subject) testDifferential(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	u.with(t, store.Options{}, func(t *testing.T, s store.Store) {
		var batch []store.Record
		for i := range 300 {
			var fields []string
			for _, f := range []string{"a", "b", "c"} {
				if j := randomValue(rnd); j != "" {
					fields = append(fields, fmt.Sprintf("%q:%s", f, j))
				}
			}
			batch = append(batch, rec(t, fmt.Sprintf("k%d", i), "{"+strings.Join(fields, ",")+"}"))
		}
		if _, err := s.Put(ctx, store.Batch{Records: batch}); err != nil {
			t.Fatal(err)
		}
		for range 300 {
			f := randomFilter(rnd, 3)
			var want, got []string
			for _, r := range batch {
				if pass, err := f.Match(r.Value); pass || err != nil {
					want = append(want, r.Key)
				}
			}
			all := 0
			cursor := ""
			for {
				p, err := s.Page(ctx, cursor, 70, &f)
				if err != nil {
					t.Fatalf("%s: %v", f, err)
				}
				for _, r := range p.Records {
					all++
					if pass, err := f.Match(r.Value); pass || err != nil {
						got = append(got, r.Key)
					}
				}
				if cursor = p.Next; cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s gives\n%q of %d\nwant\n%q", f, got, all, want)
			}
		}
	})
}

// randomValue returns JSON, or "" for a field that is not there.
func randomValue(rnd *rand.Rand) string {
	choices := []string{"", "null", "true", "false", "0", "1", "-1", "1.0", "1.5", "10", "9", "12345678901234567890", "1e3", "1000",
		`""`, `"a"`, `"A"`, `"a "`, `"b"`, `"ä"`, `"1"`, `"10"`, `"9"`, `"2026-01-20T09:00:00Z"`, `"2026-01-20T10:00:00+01:00"`, `"2026-01-20T09:00:00.000Z"`, `"2026-01-20"`,
		`[]`, `["a"]`, `{}`, `{"x":1}`}
	return choices[rnd.IntN(len(choices))]
}

func randomFilter(rnd *rand.Rand, depth int) store.Filter {
	constant := func() value.Value {
		for {
			if j := randomValue(rnd); j != "" {
				return parsed(j)
			}
		}
	}
	if depth > 0 && rnd.IntN(3) > 0 {
		f := store.Filter{Op: store.And}
		if rnd.IntN(2) == 0 {
			f.Op = store.Or
		}
		for range 1 + rnd.IntN(3) {
			f.Args = append(f.Args, randomFilter(rnd, depth-1))
		}
		return f
	}
	f := store.Filter{Field: []string{"a", "b", "c", "d"}[rnd.IntN(4)], Op: store.Equal + store.FilterOp(rnd.IntN(7))}
	if f.Value = constant(); f.Op == store.In {
		var list []value.Value
		for range rnd.IntN(4) {
			list = append(list, constant())
		}
		f.Value = value.FromArray(list)
	}
	return f
}
