package credentials

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// account works out who the credential signs in as: everything that it sends.
// A source without credentials is nobody, "".
func (c *Credential) account() string {
	if c.Kind == None {
		return ""
	}
	parts := []string{c.Kind}
	for _, h := range c.Headers {
		parts = append(parts, h.Name, h.Value)
	}
	parts = append(parts, "")
	for _, q := range c.Query {
		parts = append(parts, q.Name, q.Value)
	}
	if c.OAuth != nil {
		parts = append(parts, c.OAuth.Account)
	}
	if c.AWS != nil {
		parts = append(parts, c.AWS.AccessKeyID, c.AWS.SessionToken, c.AWS.Region, c.AWS.Service)
	}
	return digest(parts...)
}

// digest is a hash of texts of which none can be mistaken for two others.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}
