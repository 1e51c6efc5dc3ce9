package mock

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ServiceAccount is an account that signs in with a key of its own.
type ServiceAccount struct {
	email string
	key   *rsa.PrivateKey
}

// NewServiceAccount makes an account with a new key.
func NewServiceAccount() (*ServiceAccount, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &ServiceAccount{email: "sync@acme.iam.gserviceaccount.test", key: key}, err
}

// File gives the key file, as Google's console hands it out.
func (a *ServiceAccount) File(tokenURL string) string {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		panic(err)
	}
	return string(jsonOf(Record{
		"type": "service_account", "project_id": "acme", "private_key_id": "key-1", "client_email": a.email, "client_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": tokenURL,
		"scopes": []string{"https://www.googleapis.com/auth/spreadsheets.readonly"},
	}))
}

// Verify checks a signed assertion (RFC 7523, section 3).
func (a *ServiceAccount) Verify(assertion, audience string, now time.Time) error {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return errors.New("the assertion is no JWT")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		return errors.New("Invalid JWT Signature.")
	}
	var claims struct {
		Iss, Aud, Scope string
		Iat, Exp        int64
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(text, &claims)
	}
	switch at := now.Unix(); {
	case err != nil:
		return err
	case claims.Iss != a.email:
		return fmt.Errorf("iss is %q", claims.Iss)
	case claims.Aud != audience:
		return fmt.Errorf("aud is %q", claims.Aud)
	case claims.Scope == "":
		return errors.New("Missing required parameter: scope")
	case claims.Iat > at+60 || claims.Exp < at || claims.Exp-claims.Iat > 3600:
		return errors.New("Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
	}
	return nil
}

func jsonOf(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
