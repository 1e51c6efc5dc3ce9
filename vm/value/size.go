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

// Fits reports whether v's JSON has at most about max bytes. It counts a number
// or a boolean as four, so that it may be wrong by a few times, and looks at no
// more than max values.
func Fits(v Value, max int) bool {
	left := max
	return fits(v, &left)
}

func fits(v Value, left *int) bool {
	switch v.Kind() {
	case String, NumText:
		*left -= len(v.Str()) + 2
	case Array:
		items := v.Elems()
		if *left -= 2 + len(items); *left < 0 {
			return false
		}
		for _, e := range items {
			if !fits(e, left) {
				return false
			}
		}
	case Object:
		o := v.Obj()
		if *left -= 2 + 4*o.Len(); *left < 0 {
			return false
		}
		for i, e := range o.Slots() {
			*left -= len(o.shape.Key(i))
			if !fits(e, left) {
				return false
			}
		}
	default:
		*left -= 4
	}
	return *left >= 0
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
