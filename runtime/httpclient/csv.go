package httpclient

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"reqon/vm/value"
)

// decodeCSV reads comma-separated values (RFC 4180) whose first line names the
// columns: an array of objects of text. The values share text's memory.
//
// A field in quotes may hold commas, line ends and doubled quotes; in one
// without, a quote is a character like others. Line ends are LF, CRLF or a CR
// alone. Empty lines are passed over. A line with more or fewer fields than the header, or a
// column named twice, is an error that names the line: guessing which value
// belongs where would lose some.
//
// A record has a value of 16 bytes for each of its columns, and a column may
// take one byte of text; what else a short record takes is shared with others
// of the same text. So all that is allocated is at most 18 times the text.
func decodeCSV(text string, shapes *value.Shapes) (value.Value, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if isMarkup(text) {
		return value.NullValue, errors.New("the body says that it is CSV, and is a page of HTML or XML")
	}
	header := strings.TrimLeft(text, "\r\n")
	if end := strings.IndexAny(header, "\r\n"); end >= 0 {
		header = header[:end]
	}
	p := csvParser{text: text, line: 1, fields: make([]string, 0, strings.Count(header, ",")+1)}
	ok, err := p.next()
	if err != nil || !ok {
		return value.FromArray(nil), err
	}
	names := slices.Clone(p.fields)
	slices.Sort(p.fields)
	for i, name := range p.fields[1:] {
		if name == p.fields[i] {
			return value.NullValue, fmt.Errorf("the CSV header in line %d names the column %q twice, expected each once", p.started, name)
		}
	}
	shape := shapes.Of(names...)
	slots := make([]value.Value, len(names))
	// A line that holds anything has two bytes at least, its end included.
	lines := strings.Count(p.text, "\n")
	if lines == 0 {
		lines = strings.Count(p.text, "\r")
	}
	rows := make([]value.Value, 0, min(lines, len(p.text)/2))
	known := map[string]value.Value{} // short records by their text
	for {
		ok, err := p.next()
		if err != nil {
			return value.NullValue, err
		}
		if !ok {
			if len(rows) == 0 && brokenJSON(text) {
				return value.NullValue, errors.New("the body says that it is CSV, and is JSON that breaks off or can't be read")
			}
			return value.FromArray(rows), nil
		}
		if len(p.fields) != len(names) {
			return value.NullValue, fmt.Errorf("CSV line %d has %s, expected %d as in the header",
				p.started, countFields(len(p.fields)), len(names))
		}
		record := p.text[p.start:p.pos]
		short := len(record) <= shortRecord
		if short {
			if row, ok := known[record]; ok {
				rows = append(rows, row)
				continue
			}
		}
		for i, f := range p.fields {
			slots[i] = value.FromString(f)
		}
		row := value.FromObject(value.NewObj(shape, slots))
		rows = append(rows, row)
		if short && len(known) < maxKnown {
			known[record] = row
		}
	}
}

// isMarkup reports whether text begins as a page of HTML or XML does, such as
// that of a login or of a proxy. On one line it would be a header without
// records, an empty table.
func isMarkup(text string) bool {
	text = strings.TrimLeft(text, jsonSpace)
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
	text = strings.TrimLeft(text, jsonSpace)
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

const (
	shortRecord = 16   // bytes, with the line end, of a record that may be shared
	maxKnown    = 4096 // records that are looked out for
)

func countFields(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

// csvParser goes through text record by record.
type csvParser struct {
	text    string
	pos     int
	line    int      // at pos, from 1
	fields  []string // of the last record
	started int      // the line on which it began
	start   int      // where it began
}

// next reads the next record into fields. ok is false at the end.
func (p *csvParser) next() (ok bool, err error) {
	for p.endLine() {
		// an empty line
	}
	if p.pos >= len(p.text) {
		return false, nil
	}
	p.fields = p.fields[:0]
	p.started, p.start = p.line, p.pos
	for {
		field, err := p.field()
		if err != nil {
			return false, err
		}
		p.fields = append(p.fields, field)
		switch {
		case p.pos < len(p.text) && p.text[p.pos] == ',':
			p.pos++
		case p.pos >= len(p.text) || p.endLine():
			return true, nil
		default:
			return false, fmt.Errorf("CSV line %d has %q behind a closing quote, expected a comma or the end of the line",
				p.line, p.text[p.pos:p.pos+1])
		}
	}
}

// endLine passes over a line end, if one stands here.
func (p *csvParser) endLine() bool {
	rest := p.text[p.pos:]
	switch {
	case strings.HasPrefix(rest, "\r\n"):
		p.pos += 2
	case strings.HasPrefix(rest, "\n"), strings.HasPrefix(rest, "\r"):
		p.pos++
	default:
		return false
	}
	p.line++
	return true
}

// field reads one field, up to what ends it.
func (p *csvParser) field() (string, error) {
	rest := p.text[p.pos:]
	if strings.HasPrefix(rest, `"`) {
		return p.quoted()
	}
	end := strings.IndexAny(rest, ",\r\n")
	if end < 0 {
		end = len(rest)
	}
	p.pos += end
	return rest[:end], nil
}

// quoted reads a field in quotes.
func (p *csvParser) quoted() (string, error) {
	start, first := p.pos+1, p.line
	doubled := false
	for at := start; ; {
		quote := strings.IndexByte(p.text[at:], '"')
		if quote < 0 {
			return "", fmt.Errorf("CSV line %d opens a quote that is never closed", first)
		}
		at += quote
		if strings.HasPrefix(p.text[at+1:], `"`) {
			doubled = true
			at += 2
			continue
		}
		field := p.text[start:at]
		p.line += strings.Count(field, "\n") + strings.Count(field, "\r") - strings.Count(field, "\r\n")
		p.pos = at + 1
		if doubled {
			field = strings.ReplaceAll(field, `""`, `"`)
		}
		return field, nil
	}
}
