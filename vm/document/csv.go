// Package document reads documents other than JSON into values: CSV and TSV,
// and XML. Like the JSON reader, it refuses what it would have to guess at, and
// what it makes of a hostile text is bounded by the text's length.
package document

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"reqon/vm/value"
)

// CSV says how a text of separated values is written. The zero value is what
// RFC 4180 says, with a header line.
type CSV struct {
	Delimiter  string   // one character; "" is a comma
	Quote      string   // one character; "" is `"`
	NoQuotes   bool     // a quote is a character like others, as in TSV
	NoHeader   bool     // there is no header line: rows are arrays of text
	Names      []string // not nil: the columns' names; there is no header line
	Comment    string   // what lines to pass over begin with; "": none
	Skip       int      // lines to pass over at the start
	NullValues []string // texts that stand for null, where they are not quoted
	// Guess: nobody has said what the delimiter is. A header of one column that
	// looks as if it were separated by another one is an error then.
	Guess bool
}

// TSV is what tab-separated values are: without quotes.
func TSV() CSV { return CSV{Delimiter: "\t", NoQuotes: true} }

// Check says what is wrong with the options, nil if nothing is.
func (o *CSV) Check() error {
	one := func(name, s string) error {
		if s != "" && (utf8.RuneCountInString(s) != 1 || strings.ContainsAny(s, "\r\n")) {
			return fmt.Errorf("%s must be one character, found %q", name, s)
		}
		return nil
	}
	if err := errors.Join(one("delimiter", o.Delimiter), one("quote", o.Quote)); err != nil {
		return err
	}
	switch {
	case !o.NoQuotes && o.delimiter() == o.quote():
		return fmt.Errorf("delimiter and quote are both %q, expected two characters", o.quote())
	case strings.ContainsAny(o.Comment, "\r\n"):
		return fmt.Errorf("comment must be what a line begins with, found %q", o.Comment)
	case o.Skip < 0:
		return fmt.Errorf("skip must be at least 0, found %d", o.Skip)
	case o.Names != nil && len(o.Names) == 0:
		return errors.New("header names no column, expected one at least")
	}
	if name, twice := duplicate(o.Names); twice {
		return fmt.Errorf("header names the column %q twice, expected each once", name)
	}
	return nil
}

func (o *CSV) delimiter() string {
	if o.Delimiter == "" {
		return ","
	}
	return o.Delimiter
}

func (o *CSV) quote() string {
	if o.Quote == "" {
		return `"`
	}
	return o.Quote
}

// duplicate gives a name that stands twice.
func duplicate(names []string) (name string, twice bool) {
	if len(names) < 2 {
		return "", false
	}
	return duplicateIn(slices.Clone(names))
}

// duplicateIn is duplicate, and sorts the names.
func duplicateIn(names []string) (name string, twice bool) {
	if len(names) < 2 {
		return "", false
	}
	slices.Sort(names)
	for i, name := range names[1:] {
		if name == names[i] {
			return name, true
		}
	}
	return "", false
}

// ParseCSV reads a text of separated values: an array of objects of text, or of
// arrays where there is no header. The values share text's memory.
//
// A field in quotes may hold delimiters, line ends and doubled quotes; in one
// without, a quote is a character like others. Line ends are LF, CRLF or a CR
// alone. Empty lines are passed over. A row with more or fewer fields than the
// header (or the first row, without one), or a column named twice, is an error
// that names the line: guessing which value belongs where would lose some.
//
// A record has a value of 16 bytes for each of its columns, and a column may
// take one byte of text; what else a short record takes is shared with others
// of the same text. So all that is allocated is at most 18 times the text.
func ParseCSV(t *value.Shapes, text string, o *CSV) (value.Value, error) {
	if t == nil {
		t = value.NewShapes()
	}
	p := newParser(text, o)
	names, err := p.columns()
	if err != nil {
		return value.NullValue, err
	}
	if names == nil && !o.NoHeader {
		return value.FromArray(nil), nil
	}
	var shape *value.Shape
	width := -1
	if !o.NoHeader {
		shape, width = t.Of(names...), len(names)
	}
	// A line that holds anything has two bytes at least, its end included.
	rest := p.text[p.pos:]
	lines := strings.Count(rest, "\n")
	if lines == 0 {
		lines = strings.Count(rest, "\r")
	}
	rows := make([]value.Value, 0, min(lines, len(rest)/2)+1)
	slots := make([]value.Value, 0, max(width, 0))
	known := map[string]value.Value{} // short records by their text
	for {
		ok, err := p.next()
		if err != nil {
			return value.NullValue, err
		}
		if !ok {
			return value.FromArray(rows), nil
		}
		if width < 0 {
			width = len(p.fields)
		}
		if len(p.fields) != width {
			return value.NullValue, fmt.Errorf("CSV line %d has %s, expected %d as in the %s",
				p.started, countFields(len(p.fields)), width, p.widthFrom())
		}
		record := p.text[p.start:p.pos]
		short := len(record) <= shortRecord
		if short {
			if row, ok := known[record]; ok {
				rows = append(rows, row)
				continue
			}
		}
		slots = slots[:0]
		for i := range p.fields {
			slots = append(slots, p.value(i))
		}
		var row value.Value
		if shape != nil {
			row = value.FromObject(value.NewObj(shape, slots))
		} else {
			row = value.FromArray(slices.Clone(slots))
		}
		rows = append(rows, row)
		if short && len(known) < maxKnown {
			known[record] = row
		}
	}
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

// parser goes through text record by record.
type parser struct {
	*CSV
	text    string
	pos     int
	line    int      // at pos, from 1
	fields  []string // of the last record
	quoted  []bool   // which of them were in quotes
	started int      // the line on which it began
	start   int      // where it began
	delim   string
	mark    string // the quote
	ends    string // what ends a field without quotes
}

func newParser(text string, o *CSV) *parser {
	p := &parser{CSV: o, text: strings.TrimPrefix(text, "\ufeff"), line: 1, delim: o.delimiter(), mark: o.quote()}
	p.ends = p.delim + "\r\n"
	for n := 0; n < o.Skip && p.pos < len(p.text); n++ {
		p.passLine()
	}
	return p
}

// columns gives the columns' names: those of the options, or of the header line,
// which is read. It is nil of a text without lines.
func (p *parser) columns() ([]string, error) {
	switch {
	case p.NoHeader:
		p.expect()
		return nil, nil
	case p.Names != nil:
		p.expect()
		return p.Names, nil
	}
	p.expect()
	ok, err := p.next()
	if err != nil || !ok {
		return nil, err
	}
	names := slices.Clone(p.fields)
	if name, twice := duplicateIn(p.fields); twice {
		return nil, fmt.Errorf("the CSV header in line %d names the column %q twice, expected each once", p.started, name)
	}
	if p.Guess && len(names) == 1 && !p.quoted[0] {
		if i := strings.IndexAny(names[0], ";\t|"); i >= 0 {
			say := fmt.Sprintf("csv: { delimiter: %q }", names[0][i:i+1])
			if names[0][i] == '\t' {
				say = "decode: tsv"
			}
			return nil, fmt.Errorf("the CSV header in line %d is one column, %.60q, which looks separated by %q: write `%s`, or `csv: { delimiter: \",\" }` if it is one column",
				p.started, names[0], names[0][i:i+1], say)
		}
		// An error in words, which as a header would be a table without records.
		if p.pos >= len(p.text) && !p.endsLine() && strings.Contains(strings.TrimSpace(names[0]), " ") &&
			!strings.ContainsAny(names[0][:1], "{[<") { // JSON and HTML are told apart by who knows them
			return nil, fmt.Errorf("the CSV is one line of words without an end, %.60q, which is no header; write `csv: { delimiter: \",\" }` if it is one", names[0])
		}
	}
	return names, nil
}

// endsLine tells whether the text ends with the end of a line.
func (p *parser) endsLine() bool {
	return strings.HasSuffix(p.text, "\n") || strings.HasSuffix(p.text, "\r")
}

// expect makes room for the fields of the next line, once and just enough.
func (p *parser) expect() {
	line := strings.TrimLeft(p.text[p.pos:], "\r\n")
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	n := strings.Count(line, p.delim) + 1
	p.fields, p.quoted = make([]string, 0, n), make([]bool, 0, n)
}

func (p *parser) widthFrom() string {
	switch {
	case p.NoHeader:
		return "first row"
	case p.Names != nil:
		return "header that the mission gives"
	}
	return "header"
}

// value gives a field of the last record.
func (p *parser) value(i int) value.Value {
	f := p.fields[i]
	if p.NullValues != nil && !p.quoted[i] && slices.Contains(p.NullValues, f) {
		return value.NullValue
	}
	return value.FromString(f)
}

// passLine passes over what is left of a line, and its end.
func (p *parser) passLine() {
	if end := strings.IndexAny(p.text[p.pos:], "\r\n"); end >= 0 {
		p.pos += end
		p.endLine()
		return
	}
	p.pos = len(p.text)
}

// next reads the next record into fields. ok is false at the end.
func (p *parser) next() (ok bool, err error) {
	for {
		if p.Comment != "" && strings.HasPrefix(p.text[p.pos:], p.Comment) {
			p.passLine()
		} else if !p.endLine() {
			break // no empty line
		}
	}
	if p.pos >= len(p.text) {
		return false, nil
	}
	p.fields, p.quoted = p.fields[:0], p.quoted[:0]
	p.started, p.start = p.line, p.pos
	for {
		field, quoted, err := p.field()
		if err != nil {
			return false, err
		}
		p.fields, p.quoted = append(p.fields, field), append(p.quoted, quoted)
		switch {
		case strings.HasPrefix(p.text[p.pos:], p.delim):
			p.pos += len(p.delim)
		case p.pos >= len(p.text) || p.endLine():
			return true, nil
		default:
			_, size := utf8.DecodeRuneInString(p.text[p.pos:])
			expected := "a comma"
			if p.delim != "," {
				expected = fmt.Sprintf("%q", p.delim)
			}
			return false, fmt.Errorf("CSV line %d has %q behind a closing quote, expected %s or the end of the line",
				p.line, p.text[p.pos:p.pos+size], expected)
		}
	}
}

// endLine passes over a line end, if one stands here.
func (p *parser) endLine() bool {
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
func (p *parser) field() (field string, quoted bool, err error) {
	rest := p.text[p.pos:]
	if !p.NoQuotes && strings.HasPrefix(rest, p.mark) {
		field, err = p.inQuotes()
		return field, true, err
	}
	end := strings.IndexAny(rest, p.ends)
	if end < 0 {
		end = len(rest)
	}
	p.pos += end
	return rest[:end], false, nil
}

// inQuotes reads a field in quotes.
func (p *parser) inQuotes() (string, error) {
	start, first := p.pos+len(p.mark), p.line
	doubled := false
	for at := start; ; {
		quote := strings.Index(p.text[at:], p.mark)
		if quote < 0 {
			return "", fmt.Errorf("CSV line %d opens a quote that is never closed", first)
		}
		at += quote
		if strings.HasPrefix(p.text[at+len(p.mark):], p.mark) {
			doubled = true
			at += 2 * len(p.mark)
			continue
		}
		field := p.text[start:at]
		p.line += strings.Count(field, "\n") + strings.Count(field, "\r") - strings.Count(field, "\r\n")
		p.pos = at + len(p.mark)
		if doubled {
			field = strings.ReplaceAll(field, p.mark+p.mark, p.mark)
		}
		return field, nil
	}
}

// SetHeader takes what `header` says: true or null (there is a header line),
// false (there is none, and rows are arrays), or the columns' names (there is no
// header line).
func (o *CSV) SetHeader(v value.Value) error {
	switch v.Kind() {
	case value.Null:
		return nil
	case value.Bool:
		o.NoHeader = !v.Bool()
		return nil
	case value.Array:
		o.Names = []string{}
		for _, e := range v.Elems() {
			if e.Kind() != value.String {
				return fmt.Errorf("header holds %s, expected names of columns", value.Describe(e))
			}
			o.Names = append(o.Names, e.Str())
		}
		return nil
	}
	return fmt.Errorf("header is %s, expected true, false or an array of names", value.Describe(v))
}

// CSVOptions reads an object of options: delimiter, quote, header, comment, skip
// and nullValues. One that is null is as if it were not given.
func CSVOptions(v value.Value) (*CSV, error) {
	o := &CSV{}
	if v.IsNull() {
		return o, nil
	}
	if v.Kind() != value.Object {
		return nil, fmt.Errorf("the options are %s, expected an object", value.Describe(v))
	}
	for i, slot := range v.Obj().Slots() {
		if slot.IsNull() {
			continue
		}
		if err := o.set(v.Obj().Shape().Key(i), slot); err != nil {
			return nil, err
		}
	}
	return o, o.Check()
}

// set takes in one option.
func (o *CSV) set(name string, v value.Value) error {
	text := func(to *string, empty string) error {
		if v.Kind() != value.String || v.Str() == "" {
			return fmt.Errorf("%s is %s, expected %s", name, value.Describe(v), empty)
		}
		*to = v.Str()
		return nil
	}
	switch name {
	case "delimiter":
		return text(&o.Delimiter, "one character")
	case "quote":
		return text(&o.Quote, "one character")
	case "comment":
		return text(&o.Comment, "what the lines begin with that are passed over")
	case "header":
		return o.SetHeader(v)
	case "skip":
		n, ok := value.AsInt(v)
		if !ok || n < 0 || n > maxSkip {
			return fmt.Errorf("skip is %s, expected a whole number of lines", value.Describe(v))
		}
		o.Skip = int(n)
		return nil
	case "nullValues":
		if v.Kind() != value.Array {
			return fmt.Errorf("nullValues is %s, expected an array of text", value.Describe(v))
		}
		for _, e := range v.Elems() {
			if e.Kind() != value.String {
				return fmt.Errorf("nullValues holds %s, expected text", value.Describe(e))
			}
			o.NullValues = append(o.NullValues, e.Str())
		}
		return nil
	}
	return fmt.Errorf("there is no option %q, expected delimiter, quote, header, comment, skip or nullValues", name)
}

// maxSkip is how many lines are passed over at most: no text has more.
const maxSkip = 1<<31 - 1
