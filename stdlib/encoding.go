package stdlib

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
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

// fromBase64 takes both alphabets of RFC 4648, with and without padding, and
// skips white space between, since long texts often come in lines.
func fromBase64(_ *value.Shapes, args []value.Value) (value.Value, error) {
	src := make([]byte, 0, len(args[0].Str()))
	for _, c := range []byte(args[0].Str()) {
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
	if err != nil {
		return value.Value{}, fmt.Errorf("%s is no base64: %w", value.Describe(args[0]), err)
	}
	if !utf8.Valid(out[:n]) {
		return value.Value{}, fmt.Errorf("%s: %w", value.Describe(args[0]), errNotUTF8)
	}
	return text(string(out[:n]))
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

func sha256Hex(_ *value.Shapes, args []value.Value) (value.Value, error) {
	sum := sha256.Sum256([]byte(str(args[0])))
	return text(hex.EncodeToString(sum[:]))
}

func md5Hex(_ *value.Shapes, args []value.Value) (value.Value, error) {
	sum := md5.Sum([]byte(str(args[0])))
	return text(hex.EncodeToString(sum[:]))
}

func hmacHex(_ *value.Shapes, args []value.Value) (value.Value, error) {
	var algorithm func() hash.Hash
	switch args[0].Str() {
	case "md5":
		algorithm = md5.New
	case "sha1":
		algorithm = sha1.New
	case "sha256":
		algorithm = sha256.New
	case "sha512":
		algorithm = sha512.New
	default:
		return value.Value{}, badArg(0, `"md5", "sha1", "sha256" or "sha512"`, "")
	}
	mac := hmac.New(algorithm, []byte(str(args[1])))
	mac.Write([]byte(str(args[2]))) // a hash never fails
	return text(hex.EncodeToString(mac.Sum(nil)))
}
