package value

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// maxDecoded is how many bytes are allocated at most for each byte of
// a document, whatever its shape. Two bytes of `[0,0]` make a Value of 16, so it
// could not be less than 8.
const maxDecoded = 12

// hostile returns documents that make the most values of the fewest bytes, each
// of about size bytes.
func hostile(size int) map[string]string {
	array := func(elem func(i int) string) string {
		var b strings.Builder
		b.WriteByte('[')
		for i := 0; b.Len() < size; i++ {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(elem(i))
		}
		return b.String() + "]"
	}
	object := func(member func(i int) string) string {
		text := array(member)
		return "{" + text[1:len(text)-1] + "}"
	}
	same := func(s string) func(int) string { return func(int) string { return s } }
	// key gives keys of n characters, as many as there are.
	key := func(i, n int) string {
		k := make([]byte, n)
		for j := range k {
			k[j] = byte('#' + i%54) // neither a quote nor a backslash
			i /= 54
		}
		return string(k)
	}
	zeros := "[" + strings.Repeat("0,", 9999) + "0]"
	return map[string]string{
		"zeros":                array(same("0")),
		"empty objects":        array(same("{}")),
		"empty arrays":         array(same("[]")),
		"arrays of one":        array(same("[0]")),
		"arrays of two":        array(same("[[0]]")),
		"objects":              array(same(`{"a":1}`)),
		"empty keys":           array(same(`{"":{}}`)),
		"empty text":           array(same(`""`)),
		"escapes":              array(same(`"\n"`)),
		"numbers of text":      array(same("1e0")),
		"arrays of 200":        array(same("[" + strings.Repeat("0,", 199) + "0]")),
		"long arrays":          array(same(zeros)),
		"text, then zeros":     `["` + strings.Repeat("x", size/4) + `",` + array(same("0"))[1:],
		"zeros in long arrays": strings.Repeat("[0"+strings.Repeat(",0", 2000)+",", 50) + array(same("0")) + strings.Repeat("]", 50),
		"members":              object(func(i int) string { return fmt.Sprintf(`"k%d":0`, i) }),
		"short keys":           object(func(i int) string { return fmt.Sprintf(`"%s":{}`, key(i, 4)) }),
		"private objects 1":    array(func(i int) string { return `{"` + string(rune('#'+i%54)) + string(rune('#'+i/54%54)) + `":0}` }),
		"private objects 4":    array(func(i int) string { return `{"` + key(i, 4) + `":0}` }),
		"private pairs":        array(func(i int) string { return `{"` + key(i, 2) + `":0,"` + key(i/2916, 3) + `":0}` }),
		"private tens": array(func(i int) string {
			var b strings.Builder
			for j := range 10 {
				fmt.Fprintf(&b, `,"%s":0`, key(i*10+j, 3))
			}
			return "{" + b.String()[1:] + "}"
		}),
	}
}

// TestDecodeMemory: a document can't make the decoder take many times its size.
// All that is allocated is counted, so that it does not matter when garbage is
// collected.
func TestDecodeMemory(t *testing.T) {
	for name, text := range hostile(4 << 20) {
		t.Run(name, func(t *testing.T) {
			d := NewDecoder(nil)
			data := []byte(text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			v, err := d.Decode(data)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			times := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(text))
			t.Logf("%.1f ×", times)
			if times > maxDecoded {
				t.Errorf("%.1f × the size of the document is allocated, expected at most %d ×", times, maxDecoded)
			}
			if got := string(AppendJSON(nil, v)); got != text {
				t.Errorf("written again it is %s…, expected %s…", got[:60], text[:60])
			}
		})
	}
}

// TestLongErrors: what is wrong behind the place from which on elements are
// counted is told as it is elsewhere.
func TestLongErrors(t *testing.T) {
	zeros := "[" + strings.Repeat("0,", longLength)
	var b strings.Builder
	for i := range longLength {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	members := "{" + b.String()
	for _, test := range []struct{ start, rest, msg string }{
		{zeros, "", "found the end of the document, expected a value"},
		{zeros, "]", "found ']', expected a value"},
		{zeros, "0", "found the end of the document, expected ',' or ']'"},
		{zeros, "0}", "found '}', expected ',' or ']'"},
		{zeros, "0 0]", "found '0', expected ',' or ']'"},
		{zeros, `"a`, "found the end of the document, expected '\"' at the end of the string"},
		{zeros, `"\`, "found the end of the document, expected an escape sequence"},
		{zeros, "01]", "found a number with a leading zero, expected none"},
		{zeros, strings.Repeat("[", MaxDepth), "found arrays and objects nested deeper than 500 levels, expected at most that"},
		{members, "", "found the end of the document, expected a key in double quotes"},
		{members, "}", "found '}', expected a key in double quotes"},
		{members, `"a"}`, "found '}', expected ':' behind the key"},
		{members, `"a":}`, "found '}', expected a value"},
		{members, `"a":0`, "found the end of the document, expected ',' or '}'"},
		{members, `"a":0]`, "found ']', expected ',' or '}'"},
		{members, `"a":[1,{"b":"}"}],"k\u0037":0}`, `found the key "k7" a second time in one object, expected each key once`},
	} {
		_, err := NewDecoder(nil).Decode([]byte(test.start + test.rest))
		var e *SyntaxError
		if !errors.As(err, &e) || e.Msg != test.msg {
			t.Errorf("…%.20s: %v, expected %s", test.rest, err, test.msg)
		} else if e.Offset < len(test.start) {
			t.Errorf("…%.20s: the error is at %d, expected at %d or behind", test.rest, e.Offset, len(test.start))
		}
	}
}
