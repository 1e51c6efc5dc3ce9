package stdlib

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func unb64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("\n", "", " ", "").Replace(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func num(t testing.TB, s string) *big.Int { return new(big.Int).SetBytes(unb64(t, s)) }

func pemOf(t testing.TB, kind string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

const (
	rfc7515Claims = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
	// RFC 7515, appendix A.1.1.
	hsHeader = "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"
	hsKey    = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
	hsToken  = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	// RFC 7515, appendix A.2.1.
	rsN = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	rsD = "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"
	rsP = "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc"
	rsQ = "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"
	// The token of appendix A.2.1.
	rsToken = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	// RFC 7515, appendix A.3.1.
	esX = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	esY = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	esD = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
)

func rfcRSA(t testing.TB) *rsa.PrivateKey {
	k := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: num(t, rsN), E: 65537}, D: num(t, rsD),
		Primes: []*big.Int{num(t, rsP), num(t, rsQ)},
	}
	k.Precompute()
	if err := k.Validate(); err != nil {
		t.Fatal(err)
	}
	return k
}

func rfcEC(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), unb64(t, esD))
	if err != nil {
		t.Fatal(err)
	}
	public, err := k.PublicKey.Bytes()
	if err != nil || !bytes.Equal(public, slices.Concat([]byte{4}, unb64(t, esX), unb64(t, esY))) {
		t.Fatalf("the public key is %x, %v", public, err)
	}
	return k
}

// The examples of RFC 7515, appendices A.1 to A.3.
func TestSignJWTVectors(t *testing.T) {
	got, err := SignJWT([]byte(hsHeader), []byte(rfc7515Claims), "HS256", unb64(t, hsKey))
	if err != nil || got != hsToken {
		t.Errorf("HS256: %s %v", got, err)
	}
	k := rfcRSA(t)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	for name, key := range map[string][]byte{
		"PKCS 8": pemOf(t, "PRIVATE KEY", der, err),
		"PKCS 1": pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), nil),
	} {
		got, err := SignJWT([]byte(`{"alg":"RS256"}`), []byte(rfc7515Claims), "RS256", key)
		if err != nil || got != rsToken {
			t.Errorf("RS256 with %s: %s %v", name, got, err)
		}
	}
	ec := rfcEC(t)
	sec1, err := x509.MarshalECPrivateKey(ec)
	key := append(pemOf(t, "EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil), pemOf(t, "EC PRIVATE KEY", sec1, err)...)
	got, err = SignJWT([]byte(`{"alg":"ES256"}`), []byte(rfc7515Claims), "ES256", key)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(got, ".")
	signature := unb64(t, parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if len(signature) != 64 || !ecdsa.Verify(&ec.PublicKey, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Errorf("ES256: %s does not hold", got)
	}
	// The signature that the RFC shows is one of many; it must hold as well.
	theirs := unb64(t, "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
	if !ecdsa.Verify(&ec.PublicKey, digest[:], new(big.Int).SetBytes(theirs[:32]), new(big.Int).SetBytes(theirs[32:])) {
		t.Error("ES256: the text that is signed is not that of the RFC")
	}
}

func TestSignJWTErrors(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der384, err := x509.MarshalPKCS8PrivateKey(p384)
	ec := pemOf(t, "PRIVATE KEY", der384, err)
	rsaKey := pemOf(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rfcRSA(t)), nil)
	for _, tt := range []struct{ alg, key, want string }{
		{"none", "x", "RS256, ES256 or HS256"},
		{"HS256", "", "the key is empty"},
		{"RS256", "hush-hush", "not a private key in PEM"},
		{"RS256", string(ec), "not an RSA key"},
		{"ES256", string(ec), "not a P-256 key"},
		{"ES256", string(rsaKey), "not a P-256 key"},
		{"RS256", string(pemOf(t, "PRIVATE KEY", []byte("hush-hush"), nil)), "damaged"},
		{"RS256", string(pemOf(t, "ENCRYPTED PRIVATE KEY", []byte("hush-hush"), nil)), "encrypted"},
		{"RS256", string(pemOf(t, "CERTIFICATE", []byte("hush-hush"), nil)), `holds a "CERTIFICATE"`},
	} {
		got, err := SignJWT([]byte(`{}`), []byte(`{}`), tt.alg, []byte(tt.key))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %q, %v, want %q", tt.alg, got, err, tt.want)
		}
	}
}
