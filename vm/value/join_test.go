package value

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// TestJoinTextMemory: text that is too long is refused before it is built, and
// long text takes no more than it and its copy.
func TestJoinTextMemory(t *testing.T) {
	half := FromString(strings.Repeat("x", MaxText/2))
	for _, test := range []struct {
		name  string
		parts []Value
		want  int // bytes; -1: too long
		most  uint64
	}{
		{"as long as it may be", []Value{half, half}, MaxText, 2*MaxText + 1<<20},
		{"a byte too long", []Value{half, half, FromInt(1)}, -1, 2*MaxText + 1<<20},
		{"a letter too long", []Value{half, half, FromString("x")}, -1, 1 << 20},
		{"many times too long", []Value{half, half, half, half, half, half}, -1, 1 << 20},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := JoinText(test.parts...)
		runtime.ReadMemStats(&after)
		switch {
		case test.want < 0 && !errors.Is(err, ErrTextTooLong):
			t.Errorf("%s: error %v, want %v", test.name, err, ErrTextTooLong)
		case test.want >= 0 && (err != nil || len(v.Str()) != test.want):
			t.Errorf("%s: %d bytes (%v), want %d", test.name, len(v.Str()), err, test.want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > test.most {
			t.Errorf("%s: took %d bytes, want at most %d", test.name, took, test.most)
		}
	}
}
