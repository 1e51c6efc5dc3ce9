package stdlib

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"reqon/vm/value"
)

// Hashes work on bytes, and values are text. So what goes in may be hex or
// base64, and what comes out is hex, base64 or base64url.

// newHash returns a hash by its name, nil if there is none.
func newHash(name string) func() hash.Hash {
	switch name {
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// hasher returns the implementation of the function called by a hash's name:
// sha256(text, out, textAs).
func hasher(name string) implementation {
	return func(_ *value.Shapes, args []value.Value) (value.Value, error) {
		data, err := bytesOf(args, 0, 2)
		if err != nil {
			return value.Value{}, err
		}
		h := newHash(name)()
		h.Write(data) // a hash never fails
		return encoded(h.Sum(nil), args, 1)
	}
}

// hmacOf is hmac(algorithm, key, text, out, keyAs, textAs) (RFC 2104).
func hmacOf(_ *value.Shapes, args []value.Value) (value.Value, error) {
	algorithm := newHash(args[0].Str())
	if algorithm == nil {
		return value.Value{}, badArg(0, `"md5", "sha1", "sha256" or "sha512"`, "")
	}
	key, err := bytesOf(args, 1, 4)
	if err != nil {
		return value.Value{}, err
	}
	data, err := bytesOf(args, 2, 5)
	if err != nil {
		return value.Value{}, err
	}
	mac := hmac.New(algorithm, key)
	mac.Write(data) // a hash never fails
	return encoded(mac.Sum(nil), args, 3)
}

// bytesOf returns the bytes of the argument at i, which is text unless the
// argument at as says otherwise. Errors don't show it: it may be a key.
func bytesOf(args []value.Value, i, as int) ([]byte, error) {
	how := "text"
	if as < len(args) {
		how = args[as].Str()
	}
	s := str(args[i])
	switch how {
	case "text":
		return []byte(s), nil
	case "hex":
		data, err := hex.DecodeString(s)
		if err != nil {
			return nil, fmt.Errorf("argument %d is no hex, as argument %d says", i+1, as+1)
		}
		return data, nil
	case "base64":
		data, err := decodeBase64(s)
		if err != nil {
			return nil, fmt.Errorf("argument %d is no base64, as argument %d says", i+1, as+1)
		}
		return data, nil
	}
	return nil, badArg(as, `"text", "hex" or "base64"`, "")
}

// encoded writes bytes as the argument at out says, in hex if there is none.
func encoded(data []byte, args []value.Value, out int) (value.Value, error) {
	how := "hex"
	if out < len(args) {
		how = args[out].Str()
	}
	switch how {
	case "hex":
		return text(hex.EncodeToString(data))
	case "base64":
		return text(base64.StdEncoding.EncodeToString(data))
	case "base64url":
		return text(base64.RawURLEncoding.EncodeToString(data))
	}
	return value.Value{}, badArg(out, `"hex", "base64" or "base64url"`, "")
}

// jwtOf is jwt(claims, key, algorithm, header, keyAs).
func jwtOf(t *value.Shapes, args []value.Value) (value.Value, error) {
	algorithm := "HS256"
	if len(args) > 2 {
		algorithm = args[2].Str()
	}
	b := value.NewObjectBuilder(t, 4)
	b.Set("alg", value.FromString(algorithm))
	b.Set("typ", value.FromString("JWT"))
	if len(args) > 3 && args[3].Kind() == value.Object {
		if v, ok := args[3].Obj().Get("alg"); ok && value.Text(v) != algorithm {
			return value.Value{}, errors.New("alg in the header is another than the algorithm: leave it out")
		}
		b.SetAll(args[3].Obj())
	}
	key, err := bytesOf(args, 1, 4)
	if err != nil {
		return value.Value{}, err
	}
	token, err := SignJWT(value.AppendJSON(nil, b.Value()), value.AppendJSON(nil, args[0]), algorithm, key)
	if err != nil {
		return value.Value{}, err
	}
	return text(token)
}
