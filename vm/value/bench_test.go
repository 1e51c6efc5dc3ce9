package value

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// record is 350 bytes: a dozen fields, a nested object, a small array.
const record = `{"id":1048576,"order_number":"SO-2024-004217","status":"active","email":"ann.miller@example.com","price":19.90,"quantity":12,"currency":"EUR","created_at":"2024-01-20T09:00:00Z","updated_at":"2024-02-11T17:45:12Z","customer":{"id":88123,"name":"Ann Miller","vip":true,"address":null},"tags":["new","priority","eu-west"],"notes":"leave at the front desk"}`

// page is a thousand such records that differ.
func page() []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range 1000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strings.NewReplacer("1048576", fmt.Sprint(1048576+i*37), "004217", fmt.Sprint(100000+i), "Ann Miller", fmt.Sprint("Ann Miller", i%100), "19.90", fmt.Sprint(i%500, ".", 10+i%90)).Replace(record))
	}
	b.WriteByte(']')
	return b.Bytes()
}

func benchmarkDecode(b *testing.B, text []byte) {
	b.Run("value", func(b *testing.B) {
		d := NewDecoder(nil)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.Decode(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := json.Unmarshal(text, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeRecord(b *testing.B) { benchmarkDecode(b, []byte(record)) }

func BenchmarkDecodePage(b *testing.B) { benchmarkDecode(b, page()) }

// Nothing in it is as the decoder likes it: white space, escapes, text that is
// not ASCII, keys in changing order.
func BenchmarkDecodeIndented(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("[")
	for i := range 100 {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, "{\n  \"id\" : %d,\n  \"k%d\": \"größe\\n\\u00e9\\/ %d\",\n  \"path\": \"https:\\/\\/example.com\\/a\",\n  \"list\": [ 1.5e3, -0, 12345678901234567890 ]\n}", i, i%5, i)
	}
	text.WriteString("]")
	benchmarkDecode(b, text.Bytes())
}

// Objects whose keys are ids get shapes of their own.
func BenchmarkDecodeKeyedByID(b *testing.B) {
	var text bytes.Buffer
	text.WriteString("{")
	for i := range 1000 {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, `"cus_%d":{"%d":{"name":"x"}}`, i*7919, i)
	}
	text.WriteString("}")
	benchmarkDecode(b, text.Bytes())
}

func benchmarkEncode(b *testing.B, text []byte) {
	b.Run("value", func(b *testing.B) {
		v, err := ParseJSON(nil, string(text))
		if err != nil {
			b.Fatal(err)
		}
		var dst []byte
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			dst = AppendJSON(dst[:0], v)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncodeRecord(b *testing.B) { benchmarkEncode(b, []byte(record)) }

func BenchmarkEncodePage(b *testing.B) { benchmarkEncode(b, page()) }

func BenchmarkClone(b *testing.B) {
	v := parse(b, record)
	b.ReportAllocs()
	for b.Loop() {
		Clone(v)
	}
}

func BenchmarkEqual(b *testing.B) {
	v, w := parse(b, record), parse(b, record)
	b.ReportAllocs()
	for b.Loop() {
		if !Equal(v, w) {
			b.Fatal("not equal")
		}
	}
}

func BenchmarkField(b *testing.B) {
	v := parse(b, record)
	for b.Loop() {
		Field(v, "notes")
	}
}

func BenchmarkParseTime(b *testing.B) {
	for b.Loop() {
		ParseTime("2024-01-20T09:00:00.123Z")
	}
}
