package stdlib

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
)

// SignJWT returns a JSON Web Token in its compact form (RFC 7519; RFC 7515,
// section 3.1): header and claims, which are JSON, signed with an algorithm of
// RFC 7518. For RS256 and ES256 the key is a private one in PEM; for HS256 it is
// the secret itself. Errors don't show the key.
func SignJWT(header, claims []byte, algorithm string, key []byte) (string, error) {
	enc := base64.RawURLEncoding
	signed := enc.EncodeToString(header) + "." + enc.EncodeToString(claims)
	signature, err := signJWS(signed, algorithm, key)
	if err != nil {
		return "", err
	}
	return signed + "." + enc.EncodeToString(signature), nil
}

func signJWS(text, algorithm string, key []byte) ([]byte, error) {
	digest := sha256.Sum256([]byte(text))
	switch algorithm {
	case "HS256":
		if len(key) == 0 {
			return nil, errors.New("the key is empty")
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil), nil
	case "RS256":
		private, err := PrivateKey(key)
		if err != nil {
			return nil, err
		}
		k, ok := private.(*rsa.PrivateKey)
		if !ok {
			return nil, errors.New("the key is not an RSA key, which RS256 needs")
		}
		return rsa.SignPKCS1v15(nil, k, crypto.SHA256, digest[:])
	case "ES256":
		private, err := PrivateKey(key)
		if err != nil {
			return nil, err
		}
		k, ok := private.(*ecdsa.PrivateKey)
		if !ok || k.Curve != elliptic.P256() {
			return nil, errors.New("the key is not a P-256 key, which ES256 needs")
		}
		r, s, err := ecdsa.Sign(rand.Reader, k, digest[:])
		if err != nil {
			return nil, err
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out, nil
	}
	return nil, fmt.Errorf("the algorithm must be RS256, ES256 or HS256, found %q", algorithm)
}

// PrivateKey reads a private key in PEM: PKCS #8, PKCS #1 (RSA) or SEC 1 (EC).
// It gives an *rsa.PrivateKey or *ecdsa.PrivateKey; errors don't show the key.
func PrivateKey(text []byte) (crypto.Signer, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, errors.New("the key is not a private key in PEM, which begins with -----BEGIN PRIVATE KEY-----")
		}
		text = rest
		switch block.Type {
		case "EC PARAMETERS":
			continue // openssl writes it in front of the key
		case "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("the key is encrypted: decrypt it first (openssl pkey)")
		case "PRIVATE KEY":
			if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				switch k := k.(type) {
				case *rsa.PrivateKey:
					return k, nil
				case *ecdsa.PrivateKey:
					return k, nil
				}
				return nil, errors.New("the key is neither an RSA nor an EC key")
			}
		case "RSA PRIVATE KEY":
			if _, encrypted := block.Headers["DEK-Info"]; encrypted {
				return nil, errors.New("the key is encrypted: decrypt it first (openssl pkey)")
			}
			if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
				return k, nil
			}
		case "EC PRIVATE KEY":
			if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
				return k, nil
			}
		default:
			return nil, fmt.Errorf("the key holds a %q, expected a private key", block.Type)
		}
		return nil, errors.New("the key is damaged: its PEM can't be read as a private key")
	}
}
