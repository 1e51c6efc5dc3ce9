package httpclient

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"reqon/vm/value"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

// encodeBody returns the body that r carries, nil if none, and says in h what
// it is if h does not say yet (language definition, section 6.1, "Body").
func encodeBody(r *Request, h http.Header) ([]byte, error) {
	if r.HasBody && !r.Form.IsNull() {
		return nil, errors.New("the request has both body and form, expected one of them")
	}
	given := h.Get("Content-Type")
	mediaType := mediaTypeOf(given)
	switch {
	case !r.Form.IsNull():
		if given != "" && mediaType != typeForm {
			return nil, fmt.Errorf("the request has a form and the Content-Type %s, expected %s or none", given, typeForm)
		}
		setDefault(h, "Content-Type", typeForm)
		return encodeForm("form", r.Form)
	case !r.HasBody:
		return nil, nil
	case given == "" || isJSON(mediaType):
		setDefault(h, "Content-Type", typeJSON)
		return value.AppendJSON(make([]byte, 0, 256), r.Body), nil
	case mediaType == typeForm && r.Body.Kind() != value.String:
		return encodeForm("body", r.Body)
	case r.Body.Kind() == value.String:
		return append([]byte{}, r.Body.Str()...), nil
	}
	return nil, fmt.Errorf("body %w", unexpected(r.Body, "text, as the Content-Type is "+given))
}

// encodeForm writes an object as application/x-www-form-urlencoded (the URL
// standard, section 5.2). Never nil.
func encodeForm(what string, object value.Value) ([]byte, error) {
	out := []byte{}
	err := eachField(what, object, func(name, text string) {
		if len(out) > 0 {
			out = append(out, '&')
		}
		out = append(out, url.QueryEscape(name)...)
		out = append(out, '=')
		out = append(out, url.QueryEscape(text)...)
	})
	return out, err
}

// mediaTypeOf returns the type of a Content-Type header without parameters, in
// lower case.
func mediaTypeOf(header string) string {
	if header == typeJSON {
		return header
	}
	mediaType, _, err := mime.ParseMediaType(header)
	if err != nil {
		mediaType, _, _ = strings.Cut(header, ";")
		mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	}
	return mediaType
}

// isJSON reports whether a media type holds one JSON document (RFC 8259,
// RFC 6839 for +json).
func isJSON(mediaType string) bool {
	return mediaType == typeJSON || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}
