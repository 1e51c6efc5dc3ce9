package stdlib

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"reqon/vm/value"
)

func toBase64(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := str(args[0])
	if base64.StdEncoding.EncodedLen(len(s)) > maxText {
		return value.Value{}, errTextTooLong
	}
	return text(base64.StdEncoding.EncodeToString([]byte(s)))
}

// errNotText says what to do with bytes that are no text.
var errNotText = errors.New(`does not hold UTF-8 text: bytes stay in their encoding; functions that take them have the parameter textAs (or keyAs), as in sha256(x, "hex", "base64")`)

func fromBase64(_ *value.Shapes, args []value.Value) (value.Value, error) {
	out, err := decodeBase64(args[0].Str())
	if err != nil {
		return value.Value{}, fmt.Errorf("%s is no base64: %w", value.Describe(args[0]), err)
	}
	if !utf8.Valid(out) {
		return value.Value{}, fmt.Errorf("%s %w", value.Describe(args[0]), errNotText)
	}
	return text(string(out))
}

// decodeBase64 takes both alphabets of RFC 4648, with and without padding, and
// skips white space between, since long texts often come in lines.
func decodeBase64(s string) ([]byte, error) {
	src := make([]byte, 0, len(s))
	for _, c := range []byte(s) {
		switch c {
		case '-':
			c = '+'
		case '_':
			c = '/'
		case ' ', '\t', '\r', '\n':
			continue
		}
		src = append(src, c)
	}
	enc := base64.StdEncoding
	if n := len(src); n == 0 || src[n-1] != '=' {
		enc = base64.RawStdEncoding
	}
	out := make([]byte, enc.DecodedLen(len(src)))
	n, err := enc.Decode(out, src)
	return out[:n], err
}

func toHex(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := str(args[0])
	if hex.EncodedLen(len(s)) > maxText {
		return value.Value{}, errTextTooLong
	}
	return text(hex.EncodeToString([]byte(s)))
}

func fromHex(_ *value.Shapes, args []value.Value) (value.Value, error) {
	out, err := hex.DecodeString(args[0].Str())
	if err != nil {
		return value.Value{}, fmt.Errorf("%s is no hex: %w", value.Describe(args[0]), err)
	}
	if !utf8.Valid(out) {
		return value.Value{}, fmt.Errorf("%s %w", value.Describe(args[0]), errNotText)
	}
	return text(string(out))
}

// isUnreserved reports whether c stands for itself in a component of a URL
// (RFC 3986, section 2.3).
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func urlEncode(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := str(args[0])
	escapes := 0
	for i := 0; i < len(s); i++ {
		if !isUnreserved(s[i]) {
			escapes++
		}
	}
	size := len(s) + 2*escapes
	if escapes == 0 {
		return text(s)
	}
	if size > maxText {
		return value.Value{}, errTextTooLong
	}
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, size)
	for i := 0; i < len(s); i++ {
		if c := s[i]; isUnreserved(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return madeText(out)
}

// urlDecode leaves `+` as it is: that it stands for a space is a rule of HTML
// forms, not of RFC 3986.
func urlDecode(_ *value.Shapes, args []value.Value) (value.Value, error) {
	s := args[0].Str()
	if strings.IndexByte(s, '%') < 0 {
		return args[0], nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		var b [1]byte
		if i+2 >= len(s) {
			return value.Value{}, badEscape(args[0], s[i:])
		}
		if _, err := hex.Decode(b[:], []byte(s[i+1:i+3])); err != nil {
			return value.Value{}, badEscape(args[0], s[i:i+3])
		}
		out = append(out, b[0])
		i += 2
	}
	if !utf8.Valid(out) {
		return value.Value{}, fmt.Errorf("%s: %w", value.Describe(args[0]), errNotUTF8)
	}
	return madeText(out)
}

func badEscape(v value.Value, escape string) error {
	return fmt.Errorf("found %q in %s: `%%` must be followed by two hex digits", escape, value.Describe(v))
}
