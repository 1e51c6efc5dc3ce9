package value

import "errors"

// A value that holds another one several times is small in memory, and doubles
// with each level: `[b, b]`, forty levels deep, has a JSON of a terabyte. So
// whoever walks through values that a mission made does it with an end: what
// makes text asks Fits first, and what compares counts its steps.

// ErrTooManySteps is of two values that are too much work to compare.
var ErrTooManySteps = errors.New("comparing takes more than 100,000,000 steps: a value holds another one too often")

// maxSteps is how many values a comparison looks at, all in all: a second or
// two. Nothing that fits into memory, without parts that it holds more than
// once, comes near it.
const maxSteps = 100_000_000

// Fits reports whether v's JSON has at most max bytes. It builds nothing. What is
// far from the end is counted roughly, what is near it exactly.
func Fits(v Value, max int) bool {
	left := max
	if !fits(v, &left) {
		return false
	}
	if max-left <= max/grows {
		return true
	}
	return FitsIndented(v, max, 0)
}

// grows is how many times longer a JSON may be than fits counts: a control
// character has six bytes, and a number, which counts as one, has 24 at most.
const grows = 24

// fits counts no more than there is, and looks at no more values than bytes are
// left: a value that holds another one many times ends it.
func fits(v Value, left *int) bool {
	switch v.Kind() {
	case String:
		*left -= len(v.Str()) + 2
	case NumText:
		*left -= len(v.Str())
	case Array:
		items := v.Elems()
		if *left -= 2 + max(len(items)-1, 0); *left < 0 {
			return false
		}
		for _, e := range items {
			if !fits(e, left) {
				return false
			}
		}
	case Object:
		o := v.Obj()
		if *left -= 2 + max(4*o.Len()-1, 0); *left < 0 {
			return false
		}
		for i, e := range o.Slots() {
			*left -= len(o.shape.Key(i))
			if !fits(e, left) {
				return false
			}
		}
	default:
		*left--
	}
	return *left >= 0
}

// FitsIndented reports whether v's JSON, each level indented by so many spaces (0:
// all on one line), has at most max bytes. It builds nothing.
func FitsIndented(v Value, max, indent int) bool {
	m := measure{left: max, indent: indent}
	m.value(v, 0)
	return m.left >= 0
}

// measure counts the bytes of a JSON.
type measure struct {
	left    int // negative: it is too long, and nothing is counted any more
	indent  int
	scratch [64]byte
}

func (m *measure) value(v Value, level int) {
	if m.left < 0 {
		return
	}
	switch v.Kind() {
	case String:
		m.quoted(v.Str())
	case NumText:
		m.left -= len(v.Str())
	case Array:
		items := v.Elems()
		m.container(len(items), level)
		for _, e := range items {
			if m.value(e, level+1); m.left < 0 {
				return
			}
		}
	case Object:
		o := v.Obj()
		m.container(o.Len(), level)
		if m.indent > 0 {
			m.left -= o.Len() // a space behind each colon
		}
		for i, e := range o.Slots() {
			m.quoted(o.shape.Key(i))
			if m.left--; m.left < 0 {
				return
			}
			m.value(e, level+1)
		}
	default:
		m.left -= len(AppendJSON(m.scratch[:0], v))
	}
}

// container counts the brackets, the commas and the white space of n values.
func (m *measure) container(n, level int) {
	m.left -= 2 + max(n-1, 0)
	if m.indent > 0 && n > 0 {
		m.left -= n*(1+(level+1)*m.indent) + 1 + level*m.indent
	}
}

func (m *measure) quoted(s string) {
	m.left -= len(s) + 2
	for {
		p, _ := scanString(s, 0)
		if p >= len(s) {
			return
		}
		m.left -= len(appendEscape(m.scratch[:0], s[p])) - 1
		s = s[p+1:]
	}
}

// LimitedText is Text of any value, of at most MaxText bytes; beyond it fails
// with ErrTextTooLong.
func LimitedText(v Value) (string, error) {
	if k := v.Kind(); (k == Array || k == Object) && !Fits(v, MaxText) {
		return "", ErrTextTooLong
	}
	text := Text(v)
	if len(text) > MaxText {
		return "", ErrTextTooLong
	}
	return text, nil
}

// Comparison compares values of a mission with an end: all that it is asked, it
// answers in maxSteps steps, or Err says that it did not. The zero Comparison
// has made none yet.
type Comparison struct{ steps int }

// Equal is the function Equal; after an error its answer means nothing.
func (c *Comparison) Equal(a, b Value) bool {
	if a == b {
		return true // the same words: no form has two meanings
	}
	ka, kb := a.Kind(), b.Kind()
	switch {
	case ka == Object && kb == Object:
		return c.equalObjects(a.Obj(), b.Obj())
	case ka == Array && kb == Array:
		return c.equalLists(a.Elems(), b.Elems())
	}
	return equalScalars(a, b)
}

// Err returns ErrTooManySteps once there were too many.
func (c *Comparison) Err() error {
	if c.steps > maxSteps {
		return ErrTooManySteps
	}
	return nil
}

func (c *Comparison) equalLists(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i, v := range a {
		if c.steps++; c.steps > maxSteps || !c.Equal(v, b[i]) {
			return false
		}
	}
	return true
}

func (c *Comparison) equalObjects(a, b *Obj) bool {
	if a.shape == b.shape {
		return c.equalLists(a.Slots(), b.Slots())
	}
	if a.n != b.n {
		return false
	}
	for i, v := range a.Slots() {
		if c.steps++; c.steps > maxSteps {
			return false
		}
		if w, ok := b.Get(a.shape.Key(i)); !ok || !c.Equal(v, w) {
			return false
		}
	}
	return true
}
