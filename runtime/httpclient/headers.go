package httpclient

import (
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"reqon/vm/value"
)

// addHeaders sets the headers of an object in h. A null removes what h has, an
// array sends the header several times.
func addHeaders(h http.Header, object value.Value) error {
	if object.IsNull() {
		return nil
	}
	fresh := make(http.Header)
	var invalid error
	err := eachField("headers", object, func(name, text string) {
		if invalid == nil {
			invalid = checkHeader(name, text)
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		fresh[key] = append(fresh[key], strings.Trim(text, " \t"))
	})
	if err != nil {
		return err
	}
	if invalid != nil {
		return invalid
	}
	for name := range nullNames(object) {
		delete(h, textproto.CanonicalMIMEHeaderKey(name))
	}
	for key, values := range fresh {
		h[key] = values
	}
	return nil
}

// checkHeader refuses what can't be sent as a header (RFC 9110, section 5), and
// the headers that the client itself is in charge of.
func checkHeader(name, text string) error {
	if !isToken(name) {
		return fmt.Errorf("headers has the key %q, expected the name of a header: letters, digits and -", name)
	}
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
		return fmt.Errorf("headers.%s can't be set: it follows from the body and the connection", name)
	}
	for i := range len(text) {
		if text[i] < ' ' && text[i] != '\t' || text[i] == 0x7f {
			// The value may be a secret: it is not shown.
			return fmt.Errorf("headers.%s holds a line end or another control character, which no header can carry", name)
		}
	}
	return nil
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// setDefault sets a header that is not there.
func setDefault(h http.Header, name, text string) {
	if _, ok := h[name]; !ok {
		h[name] = []string{text}
	}
}

// namesHeader reports whether an object of headers has one, also with null.
func namesHeader(object value.Value, name string) bool {
	if object.Kind() != value.Object {
		return false
	}
	o := object.Obj()
	for i := range o.Len() {
		if strings.EqualFold(o.Shape().Key(i), name) {
			return true
		}
	}
	return false
}
