package value

import (
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// MaxDepth is how deep arrays and objects may nest in a document (language
// definition, section 1: nothing nests deeper).
const MaxDepth = 500

// documentNesting is the nesting of all arrays and objects of a document.
const documentNesting = MaxDepth << depthShift

// SyntaxError says where a document is not JSON, and why.
type SyntaxError struct {
	Offset int // bytes before the place
	Line   int // from 1
	Column int // in code points, from 1
	Msg    string
}

// Error returns the place and the message.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// Decoder reads JSON documents (RFC 8259) into values. It may be used for any
// number of documents, one at a time.
//
// It is stricter than the RFC asks where data would be lost or made up: two
// members of one object with the same name, text that is not UTF-8 and \u
// escapes that are half a surrogate pair are errors. A byte order mark at the
// start is passed over.
//
// Objects find their shape while they are read: after each key, the next one
// is first compared in place with the keys that have followed so far in other
// objects, so that in a page of like records no key is scanned or copied.
//
// A document may come from a server that means harm. Whatever its shape, all
// that is allocated for it is at most 12 times its size: an array of many
// elements of a few bytes, and an object of many keys, are counted before they
// are read, so that they get room once and just enough.
type Decoder struct {
	root  *node
	empty Value // the object without keys
	data  string
	err   *SyntaxError

	// stack holds the elements and slots of the arrays and objects that are
	// still open; a closed one moves to cells that are just enough for it.
	stack []Value
	keys  []string // the same for the keys of open objects with private shapes
	mem   arena
	text  textArena

	// counts has the elements of each long array, and the keys of each long
	// object, that counting another one has passed over, by the offset of its
	// bracket.
	counts map[int]int

	used, read int // cells and bytes of the last document, to foresee the next
}

// NewDecoder returns a Decoder whose objects get their shapes from t, or from
// a table of the decoder's own if t is nil.
func NewDecoder(t *Shapes) *Decoder {
	if t == nil {
		t = NewShapes()
	}
	empty := FromObject(objectOf(&t.root.Shape, make([]Value, 1), documentNesting))
	return &Decoder{root: t.root, empty: empty}
}

// ParseJSON returns the value of a JSON document; see Decoder. Strings of the
// value share the memory of text. Errors are of type *SyntaxError.
func ParseJSON(t *Shapes, text string) (Value, error) {
	return NewDecoder(t).decode(text)
}

// Decode returns the value of one JSON document, which may have white space
// around it. It takes over data: strings of the value share its memory, so that
// it must not be written to again. Errors are of type *SyntaxError.
func (d *Decoder) Decode(data []byte) (Value, error) {
	return d.decode(unsafe.String(unsafe.SliceData(data), len(data)))
}

func (d *Decoder) decode(text string) (Value, error) {
	d.data = text
	p := 0
	if strings.HasPrefix(text, "\ufeff") {
		p = len("\ufeff")
	}
	d.mem.begin(d.foresee(len(text)))
	v, p := d.value(p, 0)
	if p >= 0 {
		if p = skipSpace(text, p); p < len(text) {
			p = d.fail(p, "expected the end of the document")
		}
	}
	d.used, d.read = d.mem.end(), len(text)
	return v, d.finish(p)
}

// foresee returns how many cells a document of n bytes may need.
func (d *Decoder) foresee(n int) int {
	if d.used == 0 {
		return n / 12
	}
	return int(float64(n)/float64(d.read)*float64(d.used)) + 1
}

// finish lets go of everything that belongs to the document, and returns the
// error if there was one.
func (d *Decoder) finish(p int) error {
	const keep = 4096 // values of scratch worth keeping from one document to the next
	if cap(d.stack) > keep {
		d.stack = nil
	} else {
		clear(d.stack[:cap(d.stack)])
		d.stack = d.stack[:0]
	}
	if cap(d.keys) > 0 {
		d.keys = nil
	}
	d.text, d.counts = textArena{}, nil
	if p >= 0 {
		d.data = ""
		return nil
	}
	err := d.err
	before := d.data[:err.Offset]
	err.Line = 1 + strings.Count(before, "\n")
	line := before[strings.LastIndexByte(before, '\n')+1:]
	err.Column = 1 + utf8.RuneCountInString(strings.TrimPrefix(line, "\ufeff"))
	d.data, d.err = "", nil
	return err
}

// fail records an error at offset p, says what stands there, and returns -1.
func (d *Decoder) fail(p int, expected string) int {
	return d.failMsg(p, describeFound(d.data, p)+", "+expected)
}

func (d *Decoder) failMsg(p int, msg string) int {
	d.err = &SyntaxError{Offset: p, Msg: msg}
	return -1
}

// describeFound says what stands at offset p.
func describeFound(data string, p int) string {
	if p >= len(data) {
		return "found the end of the document"
	}
	r, size := utf8.DecodeRuneInString(data[p:])
	switch {
	case r == utf8.RuneError && size == 1:
		return fmt.Sprintf("found byte 0x%02x", data[p])
	case r == '\n':
		return "found a line end"
	case r == '\'':
		return `found "'"`
	case r < ' ' || r == 0x7f || r == '\ufeff':
		return fmt.Sprintf("found U+%04X", r)
	case isWordByte(data[p]):
		end := p
		for end < len(data) && isWordByte(data[end]) && end < p+20 {
			end++
		}
		return "found '" + data[p:end] + "'"
	}
	return "found '" + string(r) + "'"
}

func isWordByte(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '_'
}

func skipSpace(data string, p int) int {
	for p < len(data) {
		switch data[p] {
		case ' ', '\t', '\n', '\r':
			p++
		default:
			return p
		}
	}
	return p
}

// value reads the value at p, before which white space may stand, inside of
// depth arrays and objects. Like all methods below it returns the offset behind
// what it read, or -1 after an error.
func (d *Decoder) value(p, depth int) (Value, int) {
	data := d.data
	if p >= len(data) || data[p] <= ' ' {
		if p = skipSpace(data, p); p >= len(data) {
			return Value{}, d.fail(p, "expected a value")
		}
	}
	switch c := data[p]; c {
	case '"':
		return d.str(p)
	case '{':
		return d.object(p, depth+1)
	case '[':
		return d.array(p, depth+1)
	case 't':
		if strings.HasPrefix(data[p:], "true") {
			return True, p + 4
		}
	case 'f':
		if strings.HasPrefix(data[p:], "false") {
			return False, p + 5
		}
	case 'n':
		if strings.HasPrefix(data[p:], "null") {
			return Value{}, p + 4
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if v, end := scanNumber(data, p); end >= 0 {
			return v, end
		}
		return Value{}, d.badNumber(p)
	}
	return Value{}, d.fail(p, "expected a value")
}

// badNumber explains why no number could be read at p.
func (d *Decoder) badNumber(p int) int {
	data := d.data
	if data[p] == '-' {
		p++
	}
	if p < len(data) && data[p] == '0' && p+1 < len(data) && isDigit(data[p+1]) {
		return d.failMsg(p, "found a number with a leading zero, expected none")
	}
	for p < len(data) && (isDigit(data[p]) || (data[p] == '.' || data[p]|0x20 == 'e') && p+1 < len(data) && isDigit(data[p+1])) {
		p++
	}
	if p < len(data) && data[p] == '.' {
		return d.fail(p+1, "expected a digit behind the decimal point")
	}
	if p < len(data) && data[p]|0x20 == 'e' {
		if p++; p < len(data) && (data[p] == '+' || data[p] == '-') {
			p++
		}
		return d.fail(p, "expected a digit of the exponent")
	}
	return d.fail(p, "expected a digit")
}

// array reads the array whose bracket stands at p.
func (d *Decoder) array(p, depth int) (Value, int) {
	if depth > MaxDepth {
		return Value{}, d.tooDeep(p)
	}
	data := d.data
	mark, start := len(d.stack), p
	look := mark + longLength // how high the stack is when to see whether to count
	p = skipSpace(data, p+1)
	if p < len(data) && data[p] == ']' {
		return FromArray(nil), p + 1
	}
	for {
		v, end := d.value(p, depth)
		if end < 0 {
			return Value{}, -1
		}
		p = end
		if d.stack = append(d.stack, v); len(d.stack) == look {
			n := look - mark
			if (p-start)/n < sparse {
				return d.longArray(p, depth, mark, n+d.count(start, p))
			}
			look += n
		}
		if p >= len(data) || data[p] <= ' ' {
			p = skipSpace(data, p)
		}
		if p < len(data) && data[p] == ',' {
			p++
			continue
		}
		if p < len(data) && data[p] == ']' {
			break
		}
		return Value{}, d.fail(p, "expected ',' or ']'")
	}
	elems := d.mem.alloc(len(d.stack) - mark)
	copy(elems, d.stack[mark:])
	d.stack = d.stack[:mark]
	return fromElems(elems, documentNesting), p + 1
}

const (
	longLength = 4096 // elements or keys from which on counting them pays
	sparse     = 32   // bytes of an element from which on it does not
)

// longArray reads on, behind an element at p, an array of count elements, of
// which those so far stand on the stack from mark.
func (d *Decoder) longArray(p, depth, mark, count int) (Value, int) {
	data := d.data
	elems := append(make([]Value, 0, count), d.stack[mark:]...)
	d.stack = d.stack[:mark]
	for {
		if p = skipSpace(data, p); p < len(data) && data[p] == ']' {
			return fromElems(elems, documentNesting), p + 1
		}
		if p >= len(data) || data[p] != ',' {
			return Value{}, d.fail(p, "expected ',' or ']'")
		}
		v, end := d.value(p+1, depth)
		if end < 0 {
			return Value{}, -1
		}
		elems = append(elems, v)
		p = end
	}
}

// count returns how many elements or members follow the one that ends at p, in
// the array or object whose bracket stands at start. Each byte of a document is
// looked at once only, however arrays nest: what is inside of another one that
// was counted is known.
func (d *Decoder) count(start, p int) int {
	if n, ok := d.counts[start]; ok {
		return n - longLength
	}
	more, _ := d.skim(p, -1)
	return more
}

// skim passes over the rest, from p on, of an array or object: up to the comma
// number most, or its closing bracket if most is negative. It returns the commas
// it met and the offset where it ended, and keeps the counts of what is long in
// it. In what is not JSON it ends somewhere.
func (d *Decoder) skim(p, most int) (commas, end int) {
	type bracket struct{ offset, commas int }
	open := make([]bracket, 0, MaxDepth)
	data := d.data
	for p < len(data) {
		switch data[p] {
		case '"':
			p, _ = scanString(data, p+1)
			for p < len(data) && data[p] != '"' {
				if data[p] == '\\' {
					p++
				}
				p, _ = scanString(data, min(p+1, len(data)))
			}
		case ',':
			if commas++; len(open) == 0 && commas == most {
				return commas, p
			}
		case '[', '{':
			if len(open) == MaxDepth {
				return commas, p
			}
			open = append(open, bracket{p, commas})
			commas = 0
		case ']', '}':
			if len(open) == 0 {
				return commas, p
			}
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if commas >= longLength {
				if d.counts == nil {
					d.counts = map[int]int{}
				}
				d.counts[last.offset] = commas + 1
			}
			commas = last.commas
		}
		p++
	}
	return commas, p
}

// object reads the object whose brace stands at p.
func (d *Decoder) object(p, depth int) (Value, int) {
	if depth > MaxDepth {
		return Value{}, d.tooDeep(p)
	}
	data := d.data
	mark, start := len(d.stack), p
	shape := d.root
	p = skipSpace(data, p+1)
	if p < len(data) && data[p] == '}' {
		return d.empty, p + 1
	}
	for {
		// The usual key costs one load and a comparison.
		next := shape.likely.Load()
		if next != nil && next.matches(data, p) {
			p += len(next.quoted)
		} else {
			end := 0
			if next, end = d.nextShape(shape, p); end < 0 {
				return Value{}, -1
			}
			if next == nil {
				return d.privateObject(p, depth, mark, start, shape)
			}
			p = end
		}
		shape = next
		// Most values of objects are plain strings: spare them two calls.
		var v Value
		start := p + 1
		end, wide := len(data), uint64(0)
		if p < len(data) && data[p] == '"' {
			end, wide = scanString(data, start)
		}
		if end < len(data) && data[end] == '"' && wide == 0 {
			v, p = FromString(data[start:end]), end+1
		} else if v, p = d.value(p, depth); p < 0 {
			return Value{}, -1
		}
		d.stack = append(d.stack, v)
		if p >= len(data) || data[p] <= ' ' {
			p = skipSpace(data, p)
		}
		if p < len(data) && data[p] == ',' {
			if p++; p < len(data) && data[p] <= ' ' {
				p = skipSpace(data, p)
			}
			continue
		}
		if p < len(data) && data[p] == '}' {
			break
		}
		return Value{}, d.fail(p, "expected ',' or '}'")
	}
	return d.closeObject(&shape.Shape, mark), p + 1
}

// nextShape returns the shape that follows s by the key at p, nil if only
// a private shape will do.
func (d *Decoder) nextShape(s *node, p int) (*node, int) {
	if next := s.nextInText(d.data, p); next != nil {
		return next, p + len(next.quoted)
	}
	key, end := d.key(p)
	if end < 0 {
		return nil, -1
	}
	next := s.follow(key)
	if next == nil && s.find(key) >= 0 {
		return nil, d.duplicate(p, key)
	}
	return next, end
}

// closeObject makes the object of the values from mark.
func (d *Decoder) closeObject(s *Shape, mark int) Value {
	cells := d.mem.alloc(1 + len(d.stack) - mark)
	copy(cells[1:], d.stack[mark:])
	d.stack = d.stack[:mark]
	return FromObject(objectOf(s, cells, documentNesting))
}

// privateObject reads on, from the key at p, the object whose brace stands at
// start. Its keys so far are those of prefix, for which there is no shared
// shape; its values so far stand on the stack from mark.
func (d *Decoder) privateObject(p, depth, mark, start int, prefix *node) (Value, int) {
	data := d.data
	keyMark := len(d.keys)
	d.keys = append(d.keys, prefix.keys...)
	for {
		key, end := d.key(p)
		if end < 0 {
			return Value{}, -1
		}
		v, end := d.value(end, depth)
		if end < 0 {
			return Value{}, -1
		}
		d.keys = append(d.keys, key)
		d.stack = append(d.stack, v)
		p = skipSpace(data, end)
		if p < len(data) && data[p] == ',' {
			if len(d.keys)-keyMark == longLength {
				return d.longObject(p, depth, mark, start, keyMark)
			}
			p = skipSpace(data, p+1)
			continue
		}
		if p < len(data) && data[p] == '}' {
			break
		}
		return Value{}, d.fail(p, "expected ',' or '}'")
	}
	keys := append(make([]string, 0, len(d.keys)-keyMark), d.keys[keyMark:]...)
	d.keys = d.keys[:keyMark]
	shape := d.privateShape(keys, start)
	if shape == nil {
		return Value{}, -1
	}
	return d.closeObject(shape, mark), p + 1
}

// longObject reads on, from the comma at p, what privateObject began.
func (d *Decoder) longObject(p, depth, mark, start, keyMark int) (Value, int) {
	data := d.data
	n := len(d.keys) - keyMark
	n += d.count(start, p)
	keys := append(make([]string, 0, n), d.keys[keyMark:]...)
	cells := append(make([]Value, 1, 1+n), d.stack[mark:]...)
	d.keys, d.stack = d.keys[:keyMark], d.stack[:mark]
	for data[p] == ',' {
		key, end := d.key(skipSpace(data, p+1))
		if end < 0 {
			return Value{}, -1
		}
		v, end := d.value(end, depth)
		if end < 0 {
			return Value{}, -1
		}
		keys, cells = append(keys, key), append(cells, v)
		p = skipSpace(data, end)
		if p >= len(data) || data[p] != ',' && data[p] != '}' {
			return Value{}, d.fail(p, "expected ',' or '}'")
		}
	}
	shape := d.privateShape(keys, start)
	if shape == nil {
		return Value{}, -1
	}
	return FromObject(objectOf(shape, cells, documentNesting)), p + 1
}

// privateShape returns the shape of keys, which it takes over, or nil after an
// error: a key of the object whose brace stands at start is there twice.
func (d *Decoder) privateShape(keys []string, start int) *Shape {
	var index keyIndex
	twice := -1
	if len(keys) <= linearKeys {
		twice = firstDuplicate(keys)
	} else {
		index, twice = newKeyIndex(keys)
	}
	if twice < 0 {
		return newPrivateShape(keys, index)
	}
	p := start
	if twice > 0 {
		_, p = d.skim(start+1, twice)
	}
	d.duplicate(skipSpace(d.data, p+1), keys[twice])
	return nil
}

// firstDuplicate returns the index of the first of a few keys that stands
// earlier too, or -1.
func firstDuplicate(keys []string) int {
	for i, k := range keys {
		for _, earlier := range keys[:i] {
			if k == earlier {
				return i
			}
		}
	}
	return -1
}

// key reads the key at p and the colon behind it.
func (d *Decoder) key(p int) (string, int) {
	if p >= len(d.data) || d.data[p] != '"' {
		return "", d.fail(p, "expected a key in double quotes")
	}
	v, p := d.str(p)
	if p < 0 {
		return "", -1
	}
	if p = skipSpace(d.data, p); p >= len(d.data) || d.data[p] != ':' {
		return "", d.fail(p, "expected ':' behind the key")
	}
	return v.Str(), p + 1
}

func (d *Decoder) duplicate(p int, key string) int {
	return d.failMsg(p, "found the key "+string(appendQuoted(nil, cutText(key, 60)))+" a second time in one object, expected each key once")
}

func (d *Decoder) tooDeep(p int) int {
	return d.failMsg(p, fmt.Sprintf("found arrays and objects nested deeper than %d levels, expected at most that", MaxDepth))
}

// str reads the string whose quote stands at p.
func (d *Decoder) str(p int) (Value, int) {
	start := p + 1
	end, wide := scanString(d.data, start)
	if end < len(d.data) && d.data[end] == '"' && wide == 0 {
		return FromString(d.data[start:end]), end + 1
	}
	return d.oddString(start, end, wide != 0)
}

// Each byte of lowBits has its lowest bit set, each of highBits its highest.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// stringStops returns a word whose highest bits mark bytes of x that a string
// can't hold as they are: quotes, backslashes and control characters. Only the
// lowest mark is certain; a borrow may have set those above it.
func stringStops(x uint64) uint64 {
	quote := (x ^ '"'*lowBits) - lowBits
	slash := (x ^ '\\'*lowBits) - lowBits
	return (quote | slash | (x - ' '*lowBits)) &^ x & highBits
}

// scanString returns the offset of the first quote, backslash or control
// character from p on, or the end of data, and whether (not 0) it passed any
// byte that is not ASCII.
func scanString(data string, p int) (end int, wide uint64) {
	for p+8 <= len(data) {
		x := load64(data, p)
		if m := stringStops(x); m != 0 {
			first := m & -m
			return p + bits.TrailingZeros64(m)/8, wide | x&highBits&(first-1)
		}
		wide |= x & highBits
		p += 8
	}
	if rest := len(data) - p; rest > 0 && len(data) >= 8 {
		// The last bytes, and behind them zeros, which stop the scan as well.
		x := load64(data, len(data)-8) >> (64 - 8*rest)
		m := stringStops(x)
		first := m & -m
		return p + bits.TrailingZeros64(m)/8, wide | x&highBits&(first-1)
	}
	for ; p < len(data); p++ {
		c := data[p]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		wide |= uint64(c & 0x80)
	}
	return p, wide
}

// oddString reads on, at p, a string that began at start and is not plain
// ASCII up to its quote.
func (d *Decoder) oddString(start, p int, wide bool) (Value, int) {
	data := d.data
	var text []byte // what is unescaped so far, of data up to from
	from := start
	for {
		if wide && !utf8.ValidString(data[from:p]) {
			for from < p {
				r, n := utf8.DecodeRuneInString(data[from:])
				if r == utf8.RuneError && n == 1 {
					break
				}
				from += n
			}
			return Value{}, d.failMsg(from, fmt.Sprintf("found byte 0x%02x, which is not UTF-8, in a string, expected UTF-8", data[from]))
		}
		if p >= len(data) {
			return Value{}, d.fail(p, `expected '"' at the end of the string`)
		}
		switch c := data[p]; {
		case c == '"' && text == nil:
			return FromString(data[start:p]), p + 1
		case c == '"':
			text = append(text, data[from:p]...)
			return FromString(d.text.keep(text)), p + 1
		case c < ' ':
			return Value{}, d.failMsg(p, describeFound(data, p)+" in a string, expected control characters as escapes")
		}
		if text == nil {
			text = d.text.scratch()
		}
		text = append(text, data[from:p]...)
		if text, p = d.escape(text, p); p < 0 {
			return Value{}, -1
		}
		from = p
		var w uint64
		p, w = scanString(data, p)
		wide = w != 0
	}
}

// escape appends what the escape sequence at p stands for.
func (d *Decoder) escape(text []byte, p int) ([]byte, int) {
	if p+1 >= len(d.data) {
		return text, d.fail(p+1, "expected an escape sequence")
	}
	c := d.data[p+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r := hex4(d.data, p+2)
		if r < 0 {
			return text, d.failMsg(p, `found \u without four hexadecimal digits, expected four`)
		}
		size := 6
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if strings.HasPrefix(d.data[p+6:], `\u`) {
				low = hex4(d.data, p+8)
			}
			pair := utf16.DecodeRune(r, low)
			if pair == utf8.RuneError {
				return text, d.failMsg(p, fmt.Sprintf(`found %s, half of a surrogate pair, expected both halves`, d.data[p:p+6]))
			}
			r, size = pair, 12
		}
		return utf8.AppendRune(text, r), p + size
	default:
		return text, d.fail(p+1, `expected one of "\/bfnrtu behind a backslash`)
	}
	return append(text, c), p + 2
}

// hex4 returns the number of the four hexadecimal digits at p, or -1.
func hex4(data string, p int) rune {
	if p+4 > len(data) {
		return -1
	}
	var r rune
	for _, c := range []byte(data[p : p+4]) {
		switch {
		case isDigit(c):
			c -= '0'
		case c|0x20-'a' < 6:
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}
