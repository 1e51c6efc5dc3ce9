package stdlib

import (
	"testing"

	"reqon/vm/value"
)

func BenchmarkCalls(b *testing.B) {
	shapes := value.NewShapes()
	numbers := make([]value.Value, 1000)
	texts := make([]value.Value, 1000)
	for i := range numbers {
		numbers[i] = value.FromDecimal(int64(i*7919%100_000), 2)
		texts[i] = value.FromString("key-" + string(rune('a'+i%26)))
	}
	for _, c := range []struct {
		name string
		args []value.Value
	}{
		{"lowercase", []value.Value{value.FromString("ada.lovelace@example.com")}},
		{"lowercase", []value.Value{value.FromString("Ada.Lovelace@Example.COM")}},
		{"round", []value.Value{value.FromDecimal(123456, 3), value.FromInt(2)}},
		{"round", []value.Value{value.FromFloat(19.99 * 3), value.FromInt(2)}},
		{"round", []value.Value{value.FromFloat(0.1 + 0.2), value.FromInt(2)}},
		{"concat", []value.Value{value.FromString("Ada"), value.FromString(" "), value.FromString("Lovelace"), value.FromInt(1815)}},
		{"formatDate", []value.Value{value.FromTime(1768900087006), value.FromString("YYYY-MM-DD HH:mm:ss")}},
		{"formatDate", []value.Value{value.FromTime(1768900087006), value.FromString("YYYY-MM-DD HH:mm:ss"), value.FromString("Europe/Berlin")}},
		{"parseDate", []value.Value{value.FromString("2026-01-20T09:08:07Z")}},
		{"sum", []value.Value{value.FromArray(numbers)}},
		{"sortBy", []value.Value{value.FromArray(texts), value.FromArray(numbers)}},
		{"groupBy", []value.Value{value.FromArray(numbers), value.FromArray(texts)}},
		{"unique", []value.Value{value.FromArray(texts)}},
		{"slugify", []value.Value{value.FromString("Straße in Köln & Zürich!")}},
		{"matches", []value.Value{value.FromString("ada@example.com"), value.FromString("^[^@]+@[^@]+$")}},
	} {
		f := Lookup(c.name)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Impl(shapes, c.args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
