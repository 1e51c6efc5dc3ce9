package httpclient

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// windows1252 is what 0x80 to 0x9F stand for there (the Encoding standard,
// index windows-1252).
var windows1252 = [32]rune{
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
}

// toUTF8 returns data, which is in charset, in UTF-8. What is UTF-8 already is
// returned unchecked. UTF-16 is known by its byte order mark, or where charset
// says its byte order. The single-byte encodings of western Europe are known;
// any other is an error.
func toUTF8(data []byte, charset string) ([]byte, error) {
	charset = strings.ToLower(charset)
	switch charset {
	case "", "utf-8", "utf8", "utf-16", "utf16", "ucs-2":
		switch {
		case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
			return fromUTF16(data[2:], binary.LittleEndian)
		case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
			return fromUTF16(data[2:], binary.BigEndian)
		}
	}
	switch charset {
	case "utf-16", "utf16", "ucs-2":
		return nil, fmt.Errorf("the body says that it is %s, and has no byte order mark: expected one, or the charset utf-16le or utf-16be", charset)
	case "utf-16le":
		return fromUTF16(bytes.TrimPrefix(data, []byte{0xff, 0xfe}), binary.LittleEndian)
	case "utf-16be":
		return fromUTF16(bytes.TrimPrefix(data, []byte{0xfe, 0xff}), binary.BigEndian)
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return data, nil
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1":
		return fromSingleByte(data, nil), nil
	case "windows-1252", "cp1252", "cp-1252":
		return fromSingleByte(data, &windows1252), nil
	}
	return nil, fmt.Errorf("the body is in the charset %.40q, expected utf-8, utf-16, iso-8859-1 or windows-1252", charset)
}

// fromUTF16 decodes UTF-16. Half a pair, and half a unit, are errors.
func fromUTF16(data []byte, order binary.ByteOrder) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, errors.New("the body is UTF-16, and its last character is cut in half")
	}
	out := make([]byte, 0, len(data))
	line := 1
	for i := 0; i < len(data); i += 2 {
		r := rune(order.Uint16(data[i:]))
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if i+4 <= len(data) {
				low = rune(order.Uint16(data[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return nil, fmt.Errorf("the body is UTF-16, and line %d holds half of a surrogate pair", line)
			}
			i += 2
		}
		if r == '\n' {
			line++
		}
		out = utf8.AppendRune(out, r)
	}
	return out, nil
}

// xmlCharset is the encoding that the declaration of an XML document names, or "".
func xmlCharset(data []byte) string {
	head := data[:min(len(data), 200)]
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return ""
	}
	head, _, _ = bytes.Cut(head, []byte("?>"))
	_, value, found := bytes.Cut(head, []byte("encoding="))
	if !found || len(value) < 2 || value[0] != '"' && value[0] != '\'' {
		return ""
	}
	name, _, _ := bytes.Cut(value[1:], value[:1])
	return string(name)
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
