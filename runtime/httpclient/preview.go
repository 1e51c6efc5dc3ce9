package httpclient

import (
	"fmt"
	"slices"
	"strings"

	"reqon/runtime/credentials"
	"reqon/vm/bytecode"
)

// Preview is a request that was not sent, for a person to read. It holds no
// secrets that are known or that stand where secrets usually do.
type Preview struct {
	Method  string
	URL     string
	Headers []credentials.Field // sorted by name
	Body    string              // "" if there is none
}

// Preview returns what Do would send. Errors are those of a request that can't
// be sent.
func (c *Client) Preview(s *Source, r *Request) (*Preview, error) {
	k, err := c.prepare(s, r)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.name, err)
	}
	u := k.url
	if k.home {
		u = s.authorize(u)
	}
	p := &Preview{Method: k.method, URL: k.displayURL(u), Body: c.redactor.Redact(validText(k.body))}
	for name, values := range k.headers {
		text := c.redactor.Redact(strings.Join(values, ", "))
		if isSecretHeader(name) {
			text = "[redacted]"
		}
		p.Headers = append(p.Headers, credentials.Field{Name: name, Value: text})
	}
	if (s.cred.Kind == credentials.OAuth2 || s.cred.Kind == credentials.SigV4) && k.home && !k.ownAuth {
		p.Headers = append(p.Headers, credentials.Field{Name: "Authorization", Value: "[redacted]"})
	}
	if s.sign != nil && k.home {
		for _, part := range s.sign.Parts {
			if part.In == bytecode.SignHeader {
				p.Headers = append(p.Headers, credentials.Field{Name: part.Name, Value: "[redacted]"})
			}
		}
	}
	slices.SortFunc(p.Headers, func(a, b credentials.Field) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}

// isSecretHeader reports whether a header's name says that its value is secret,
// wherever that came from.
func isSecretHeader(name string) bool {
	name = strings.ToLower(name)
	if name == "idempotency-key" {
		return false
	}
	for _, word := range []string{"authorization", "cookie", "token", "secret", "password", "key", "signature"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
