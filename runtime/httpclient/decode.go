package httpclient

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"unsafe"

	"reqon/vm/document"
	"reqon/vm/value"
)

// decode returns the value of a body by its content type (language definition,
// section 6.1, "Response"): JSON, newline-delimited JSON, CSV, else text.
// Without a content type, a JSON object or array is one, and all else text. An
// empty body is null, save that no lines of newline-delimited JSON or CSV are an
// empty array: that is how such an API says that there is nothing new. decode
// takes over data. how says what the request says of its body.
func (c *Client) decode(contentType string, data []byte, how *Decoding) (value.Value, error) {
	form, charset := formOf(contentType)
	told := how != nil && how.Form != ""
	o := document.CSV{Guess: true}
	if how != nil && how.CSV != nil {
		o = *how.CSV
	}
	if told {
		form, o.Guess = how.form(), false
		if how.Form == "tsv" {
			tsv := document.TSV()
			o.Delimiter, o.NoQuotes = tsv.Delimiter, tsv.NoQuotes
		}
	}
	if len(data) == 0 {
		if form == formLines || form == formCSV {
			return value.FromArray(nil), nil
		}
		return value.NullValue, nil
	}
	if charset == "" && form == formXML {
		charset = xmlCharset(data)
	}
	data, err := toUTF8(data, charset)
	if err != nil {
		return value.NullValue, err
	}
	switch form {
	case formJSON:
		return c.decodeJSON(data)
	case formLines:
		return c.decodeLines(data)
	case formCSV:
		if err := checkUTF8(data); err != nil {
			return value.NullValue, err
		}
		if v, ok := c.looksJSON(data); ok {
			if told {
				return value.NullValue, fmt.Errorf("the body is JSON, expected %s as `decode` says", how.Form)
			}
			return v, nil
		}
		if isMarkup(textOf(data)) {
			return value.NullValue, errors.New("the body says that it is CSV, and is a page of HTML or XML")
		}
		v, err := document.ParseCSV(c.shapes, textOf(data), &o)
		if err == nil && len(v.Elems()) == 0 && brokenJSON(textOf(data)) {
			err = errors.New("the body says that it is CSV, and is JSON that breaks off or can't be read")
		}
		return v, err
	case formXML:
		if err := checkUTF8(data); err != nil {
			return value.NullValue, err
		}
		return document.ParseXML(c.shapes, textOf(data))
	case formUnknown:
		if v, ok := c.looksJSON(data); ok {
			return v, nil
		}
	}
	if err := checkUTF8(data); err != nil {
		return value.NullValue, err
	}
	return value.FromString(textOf(bytes.TrimPrefix(data, bom))), nil
}

// looksJSON decodes data if it is a whole JSON object or array, whatever its
// content type says. One that goes as CSV would be a header line without
// records, and all of it be lost.
func (c *Client) looksJSON(data []byte) (v value.Value, ok bool) {
	start := bytes.TrimLeft(bytes.TrimPrefix(data, bom), jsonSpace)
	if len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return v, false
	}
	v, err := c.decodeJSON(data)
	return v, err == nil
}

// The forms of a body.
type form uint8

const (
	formUnknown form = iota
	formJSON
	formLines
	formCSV
	formText
	formXML // only where the request says so
)

// formOf returns what a Content-Type header says about a body.
func formOf(header string) (f form, charset string) {
	switch header {
	case "":
		return formUnknown, ""
	case typeJSON, "application/json; charset=utf-8", "application/json;charset=utf-8":
		return formJSON, ""
	}
	if _, params, err := mime.ParseMediaType(header); err == nil {
		charset = params["charset"]
	}
	switch mediaType := mediaTypeOf(header); {
	case mediaType == "":
		return formUnknown, charset
	case isJSON(mediaType):
		return formJSON, charset
	case mediaType == "text/csv" || mediaType == "application/csv":
		return formCSV, charset
	case isLines(mediaType):
		return formLines, charset
	}
	return formText, charset
}

// isLines reports whether a media type holds newline-delimited JSON. None of
// them is registered; these are the ones in use.
func isLines(mediaType string) bool {
	switch mediaType {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl",
		"application/jsonlines", "application/x-jsonlines", "application/json-lines", "application/x-json-lines",
		"application/json-l", "text/x-ndjson", "text/jsonl":
		return true
	}
	return false
}

// jsonSpace is the white space of RFC 8259.
const jsonSpace = " \t\r\n"

var bom = []byte("\ufeff")

// textOf returns data as text that shares its memory.
func textOf(data []byte) string { return unsafe.String(unsafe.SliceData(data), len(data)) }

// decodeJSON reads one document. White space alone counts as empty: some
// servers answer a HEAD-like request with a single space.
func (c *Client) decodeJSON(data []byte) (value.Value, error) {
	if c := data[0]; c <= ' ' && len(bytes.TrimLeft(data, jsonSpace)) == 0 {
		return value.NullValue, nil
	}
	d := c.decoders.Get().(*value.Decoder)
	defer c.decoders.Put(d)
	v, err := d.Decode(data)
	if err != nil {
		return value.NullValue, fmt.Errorf("the body is not valid JSON: %w", err)
	}
	return v, nil
}

// decodeLines reads newline-delimited JSON: an array of the documents. Empty
// lines are passed over.
func (c *Client) decodeLines(data []byte) (value.Value, error) {
	d := c.decoders.Get().(*value.Decoder)
	defer c.decoders.Put(d)
	// A line that holds anything has two bytes at least, its end included.
	end := []byte{'\n'}
	if bytes.IndexByte(data, '\n') < 0 {
		end[0] = '\r' // no document holds one
	}
	elems := make([]value.Value, 0, min(bytes.Count(data, end), len(data)/2)+1)
	rest := bytes.TrimPrefix(data, bom)
	start := len(data) - len(rest)
	for line := 1; len(rest) > 0; line++ {
		text, after, _ := bytes.Cut(rest, end)
		if len(bytes.Trim(text, jsonSpace)) > 0 {
			v, err := d.Decode(text)
			if err != nil {
				return value.NullValue, lineError(err, line, start)
			}
			elems = append(elems, v)
		}
		start += len(text) + 1
		rest = after
	}
	return value.FromArray(elems), nil
}

// lineError places the error of one line in the whole body.
func lineError(err error, line, start int) error {
	var syntax *value.SyntaxError
	if errors.As(err, &syntax) {
		err = &value.SyntaxError{Offset: start + syntax.Offset, Line: line, Column: syntax.Column, Msg: syntax.Msg}
	}
	return fmt.Errorf("the body is not valid newline-delimited JSON: %w", err)
}
