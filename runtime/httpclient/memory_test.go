package httpclient

import (
	"runtime"
	"strings"
	"testing"
)

// TestDecodeMemory: a body of lines can't take many times its size in memory,
// whatever its shape. A record of CSV has a value of 16 bytes for each column,
// and a column may take a single byte, so it could not be less than 16 times.
// JSON documents are tested where they are decoded.
func TestDecodeMemory(t *testing.T) {
	const size = 4 << 20
	fill := func(line string) string { return strings.Repeat(line, size/len(line)) }
	// distinct gives lines that begin with n characters of which no two are alike.
	distinct := func(n int, rest string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			for j, k := 0, i; j < n; j++ {
				b.WriteByte(byte('0' + k%64))
				k /= 64
			}
			b.WriteString(rest)
		}
		return b.String()
	}
	names := strings.ReplaceAll(distinct(4, ","), "\\", "~")
	for _, test := range []struct {
		name, contentType, body string
		times                   float64
	}{
		{"NDJSON, zeros", "application/x-ndjson", fill("0\n"), 12},
		{"NDJSON, empty lines", "application/x-ndjson", fill("\n"), 12},
		{"NDJSON, objects", "application/x-ndjson", fill("{\"a\":1}\n"), 12},
		{"NDJSON, empty objects", "application/x-ndjson", fill("{}\n"), 12},
		{"NDJSON, lists", "application/x-ndjson", fill("[0,0,0,0,0,0,0,0]\n"), 12},
		{"NDJSON, uneven lines", "application/x-ndjson", fill("[[0],[0],[0],[0],[0],[0]]\n{\"a\":\"" + strings.Repeat("x", 1000) + "\"}\n"), 12},
		{"CSV, digits", "text/csv", "a\n" + fill("1\n2\n3\n"), 18},
		{"CSV, empty lines", "text/csv", "a\n" + fill("\n"), 18},
		{"CSV, pairs", "text/csv", "a,b\n" + fill(",\n"), 18},
		{"CSV, distinct", "text/csv", "a\n" + distinct(2, "\n"), 18},
		{"CSV, eight columns", "text/csv", "a,b,c,d,e,f,g,h\n" + distinct(3, ",,,,,,,\n"), 18},
		{"CSV, a hundred columns", "text/csv", "a" + columns(100) + "\n" + fill(strings.Repeat(",", 100)+"\n"), 18},
		{"CSV, a long header", "text/csv", names[:len(names)-1], 18},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := New(Config{})
			data := []byte(test.body)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := c.decode(test.contentType, data, nil)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			times := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(data))
			t.Logf("%.1f ×", times)
			if times > test.times {
				t.Errorf("%.1f × the size of the body is allocated, expected at most %.0f ×", times, test.times)
			}
		})
	}
}

// columns gives so many more names of columns.
func columns(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(",c")
		b.WriteByte(byte('0' + i/10))
		b.WriteByte(byte('0' + i%10))
	}
	return b.String()
}
