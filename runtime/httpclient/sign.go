package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"reqon/vm/bytecode"
	"reqon/vm/value"
)

// Signature is the `sign` of a source: its entries, and who evaluates them.
type Signature struct {
	Parts []bytecode.SignPart
	// Value works out an entry for a request as it is about to be sent.
	Value func(ctx context.Context, part bytecode.SignPart, request value.Value) (value.Value, error)
	// Account tells who signs from others.
	Account string
}

// SetSignature makes the source sign its requests. It must come before
// Gates.Open.
func (s *Source) SetSignature(sig *Signature) error {
	if s.base == nil {
		return errors.New("there is no base, expected one: what `sign` makes is only sent to its origin")
	}
	s.sign = sig
	return nil
}

// signed adds the source's signature to a hop to its own origin, in the order of
// its parts: each sees what those before it have added.
func (k *call) signed(ctx context.Context, at *hop) error {
	sig := k.source.sign
	now := value.FromTime(k.client.clock.Now().UnixMilli())
	out := *at
	out.headers = at.headers.Clone()
	for _, part := range sig.Parts {
		v, err := sig.Value(ctx, part, requestValue(&out, now))
		if err != nil {
			return fmt.Errorf("sign.%s: %w", part.Name, err)
		}
		if v.IsNull() {
			continue
		}
		text, err := fieldText(v)
		if err != nil {
			return fmt.Errorf("sign.%s %w", part.Name, err)
		}
		switch part.In {
		case bytecode.SignParam:
			u := *out.url
			u.RawQuery = splitQuery(u.RawQuery).without(part.Name).with(query{param(part.Name, text)}).String()
			out.url = &u
		case bytecode.SignForm:
			if err := appendForm(&out, part.Name, text); err != nil {
				return err
			}
		default:
			if err := checkHeader(part.Name, text); err != nil {
				return err
			}
			out.headers[textproto.CanonicalMIMEHeaderKey(part.Name)] = []string{text}
		}
	}
	*at = out
	return nil
}

// appendForm adds an entry to a form-encoded body.
func appendForm(at *hop, name, text string) error {
	if given := at.headers.Get("Content-Type"); given != "" && mediaTypeOf(given) != typeForm {
		return fmt.Errorf("sign.form.%s goes into a form, and the body is %s: give the request `form` instead of `body`", name, given)
	}
	setDefault(at.headers, "Content-Type", typeForm)
	body := slices.Clone(at.body)
	if len(body) > 0 {
		body = append(body, '&')
	}
	at.body = append(body, url.QueryEscape(name)+"="+url.QueryEscape(text)...)
	return nil
}

// signError is why a request could not be signed: it was not sent.
type signError struct{ err error }

func (e *signError) Error() string { return "not sent: it could not be signed: " + e.err.Error() }
func (e *signError) Unwrap() error { return e.err }

// requestValue is a hop as `sign` sees it.
func requestValue(at *hop, now value.Value) value.Value {
	b := value.NewObjectBuilder(nil, 8)
	b.Set("method", value.FromString(at.method))
	b.Set("url", value.FromString(at.url.String()))
	b.Set("path", value.FromString(at.url.EscapedPath()))
	b.Set("query", value.FromString(at.url.RawQuery))
	body := value.NullValue
	if at.body != nil {
		body = value.FromString(validText(at.body))
	}
	b.Set("body", body)
	names := make([]string, 0, len(at.headers))
	for name := range at.headers {
		names = append(names, name)
	}
	slices.Sort(names)
	h := value.NewObjectBuilder(nil, len(names))
	for _, name := range names {
		h.Set(strings.ToLower(name), value.FromString(strings.ToValidUTF8(strings.Join(at.headers[name], ", "), "\ufffd")))
	}
	b.Set("headers", h.Value())
	b.Set("timestamp", now)
	return b.Value()
}
