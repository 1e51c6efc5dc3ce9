package httpclient

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"reqon/vm/document"
	"reqon/vm/option"
)

// Decoding is what a request says of the body of a good answer.
type Decoding struct {
	option.Decoding               // without a form, what the type says
	CSV             *document.CSV // nil: as RFC 4180 has it
}

// DecodingOf reads the options decode and csv of a request; nil where neither is
// given.
func DecodingOf(o *option.Values) (*Decoding, error) {
	how, told := o.Decoding("decode")
	if !told && !o.Given("csv") {
		return nil, nil
	}
	d := &Decoding{Decoding: how}
	if !o.Given("csv") {
		return d, nil
	}
	csv, err := document.CSVOptions(o.Value("csv"))
	if err != nil {
		return nil, &option.Error{Path: "csv", Problem: "can't be read: " + err.Error()}
	}
	csv.Guess = csv.Delimiter == ""
	d.CSV = csv
	return d, nil
}

// form is what a decoding says that a body is.
func (d *Decoding) form() form {
	switch d.Form {
	case "json":
		return formJSON
	case "ndjson":
		return formLines
	case "csv", "tsv":
		return formCSV
	case "xml":
		return formXML
	}
	return formText
}

// unpack takes a body out of what it is packed in, of at most limit bytes at
// each step. No bytes at all are none packed, too.
func (d *Decoding) unpack(data []byte, limit int64) ([]byte, error) {
	for _, p := range d.Packed {
		if len(data) == 0 {
			return nil, nil
		}
		var err error
		if p.Kind == "gzip" {
			data, err = gunzip(data, limit)
		} else {
			data, err = unzip(data, p.Name, limit)
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
}

func gunzip(data []byte, limit int64) ([]byte, error) {
	out, err := decompress(bufio.NewReader(bytes.NewReader(data)), "gzip", limit)
	var tooLarge *tooLargeError
	if err == nil || errors.As(err, &tooLarge) {
		return out, err
	}
	return nil, fmt.Errorf("the body can't be read as gzip, which `decode` says that it is: %w", err)
}

// maxNamed is how many files of an archive an error names.
const maxNamed = 5

// unzip reads the one file of an archive, or the one that fits pattern: by its
// whole name, or by what stands behind the last slash. Folders are passed over,
// and so is what macOS puts beside files.
func unzip(data []byte, pattern string, limit int64) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("the body can't be read as zip, which `decode` says that it is: %w", err)
	}
	var found *zip.File
	var names, fit []string
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		names = append(names, f.Name)
		whole, _ := path.Match(pattern, f.Name) // the pattern was checked
		base, _ := path.Match(pattern, path.Base(f.Name))
		if pattern == "" || whole || base {
			found, fit = f, append(fit, f.Name)
		}
	}
	switch {
	case len(names) == 0:
		return nil, errors.New("the zip archive holds no file, expected one")
	case len(fit) == 0:
		return nil, fmt.Errorf("no file of the zip archive is named %q: it holds %s", pattern, listNames(names))
	case len(fit) > 1 && pattern == "":
		return nil, fmt.Errorf("the zip archive holds %d files, %s: say which one, as in `zip(%q)`", len(fit), listNames(fit), path.Base(fit[0]))
	case len(fit) > 1:
		return nil, fmt.Errorf("%d files of the zip archive are named %q, expected one: %s", len(fit), pattern, listNames(fit))
	case found.Flags&1 != 0:
		return nil, fmt.Errorf("the file %q of the zip archive is encrypted, which can't be read", found.Name)
	case found.UncompressedSize64 > uint64(limit):
		return nil, &tooLargeError{int64(min(found.UncompressedSize64, 1<<62)), limit}
	}
	r, err := found.Open()
	if err != nil {
		return nil, fmt.Errorf("the file %q of the zip archive can't be read: %w", found.Name, err)
	}
	defer r.Close()
	out, err := readUnsized(r, limit)
	var tooLarge *tooLargeError
	if err != nil && !errors.As(err, &tooLarge) {
		if err == io.ErrUnexpectedEOF {
			err = errors.New("it breaks off") // the archive's end is there
		}
		return nil, fmt.Errorf("the file %q of the zip archive can't be read: %w", found.Name, err)
	}
	return out, err
}

// listNames names some files.
func listNames(names []string) string {
	more := ""
	if len(names) > maxNamed {
		more = fmt.Sprintf(" and %d more", len(names)-maxNamed)
		names = names[:maxNamed]
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%.60q", n)
	}
	return strings.Join(quoted, ", ") + more
}

// isMarkup reports whether text begins as a page of HTML or XML does, such as
// that of a login or of a proxy. On one line it would be a header without
// records, an empty table.
func isMarkup(text string) bool {
	text = strings.TrimLeft(text, "\ufeff"+jsonSpace)
	for _, start := range [...]string{"<!doctype", "<html", "<?xml"} {
		if len(text) >= len(start) && strings.EqualFold(text[:len(start)], start) {
			return true
		}
	}
	return false
}

// brokenJSON reports whether a header line without records is rather the start
// of a JSON object or array, which must not pass as an empty table.
func brokenJSON(text string) bool {
	text = strings.TrimLeft(text, "\ufeff"+jsonSpace)
	if text == "" {
		return false
	}
	rest := strings.TrimLeft(text[1:], jsonSpace)
	switch text[0] {
	case '{':
		return rest == "" || rest[0] == '"'
	case '[':
		return rest == "" || strings.IndexByte(`{["`, rest[0]) >= 0
	}
	return false
}
