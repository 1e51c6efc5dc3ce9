package httpclient

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// windows1252 is what 0x80 to 0x9F stand for there (the Encoding standard,
// index windows-1252).
var windows1252 = [32]rune{
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
}

// toUTF8 returns data, which is in charset, in UTF-8. What is UTF-8 already is
// returned unchecked. The single-byte encodings of western Europe are known;
// any other is an error.
func toUTF8(data []byte, charset string) ([]byte, error) {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return data, nil
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1":
		return fromSingleByte(data, nil), nil
	case "windows-1252", "cp1252", "cp-1252":
		return fromSingleByte(data, &windows1252), nil
	}
	return nil, fmt.Errorf("the body is in the charset %.40q, expected utf-8, iso-8859-1 or windows-1252", charset)
}

// fromSingleByte decodes Latin-1, with c1 in the place of the controls from
// 0x80 on if it is given.
func fromSingleByte(data []byte, c1 *[32]rune) []byte {
	out := make([]byte, 0, len(data)+len(data)/8)
	for _, b := range data {
		r := rune(b)
		if c1 != nil && 0x80 <= b && b < 0xA0 {
			r = c1[b-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}

// checkUTF8 says where data is not UTF-8.
func checkUTF8(data []byte) error {
	if utf8.Valid(data) {
		return nil
	}
	at := 0
	for at < len(data) {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return fmt.Errorf("the body is not text: line %d holds the byte 0x%02x, expected UTF-8 (or a charset in the Content-Type)",
		1+bytes.Count(data[:at], []byte{'\n'}), data[at])
}

// validText returns data as text, for people, with U+FFFD for what is not
// UTF-8.
func validText(data []byte) string {
	return strings.ToValidUTF8(string(data), "\ufffd")
}
