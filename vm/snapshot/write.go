// Package snapshot writes down values and what is made of them, so that
// a process can end and another one go on: the codec below the snapshots of
// package vm.
//
// Integers are varints, and text is its length and bytes. Values that hold
// others share them: an array, object or longer text that is in several places
// is written once, as is each shape, so that what is small in memory is small
// here, too. What is read is the same values in the same form, digit for digit,
// and shares its parts as before.
//
// What is read is not trusted. A count is believed as far as bytes are there to
// back it: a byte of input takes at most some twenty bytes of memory.
package snapshot

import (
	"encoding/binary"
	"errors"
	"math"

	"reqon/vm/value"
)

// The forms of a value. From tagSmall on a byte is an integer from 0.
const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagDecimal
	tagNumText
	tagText
	tagTime
	tagArray
	tagObject
	tagShared // a value that was written before, by its number
	tagCount

	tagSmall = 32
	maxSmall = 255 - tagSmall
)

// sharedText is the length from which a text is written once though it is in
// several places. It takes as much to refer to a shorter one.
const sharedText = 16

// maxDepth is how deep values may nest; the machine's own limit is less.
const maxDepth = 2200

// ErrTooLarge is what a Writer fails with that has written more than its limit.
var ErrTooLarge = errors.New("the snapshot is larger than its limit")

// Writer writes parts one after the other. The zero Writer has no limit.
type Writer struct {
	// Limit is how many bytes it may write; 0 is no limit. Beyond it nothing
	// more is written, and Err says so.
	Limit int

	b      []byte
	shapes map[*value.Shape]uint64
	shared places
	err    error
}

// Bytes returns what was written.
func (w *Writer) Bytes() []byte { return w.b }

// Err returns ErrTooLarge once the limit was reached.
func (w *Writer) Err() error { return w.err }

// Reset empties the writer, and keeps its room.
func (w *Writer) Reset() {
	w.b, w.err = w.b[:0], nil
	clear(w.shapes)
	w.shared.reset()
}

func (w *Writer) full() bool {
	if w.err == nil && w.Limit > 0 && len(w.b) > w.Limit {
		w.err = ErrTooLarge
	}
	return w.err != nil
}

// Byte writes one byte.
func (w *Writer) Byte(b byte) { w.b = append(w.b, b) }

// Bool writes a truth.
func (w *Writer) Bool(b bool) {
	if b {
		w.Byte(1)
	} else {
		w.Byte(0)
	}
}

// Int writes an integer.
func (w *Writer) Int(i int64) { w.b = binary.AppendVarint(w.b, i) }

// Count writes a number that is not negative.
func (w *Writer) Count(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) }

// Text writes a text.
func (w *Writer) Text(s string) {
	if w.full() {
		return
	}
	w.Count(len(s))
	w.b = append(w.b, s...)
}

// Values writes a list of values.
func (w *Writer) Values(list []value.Value) {
	w.Count(len(list))
	for _, v := range list {
		w.Value(v)
	}
}

// Value writes a value. One that it has written before, by its place in memory,
// it refers to.
func (w *Writer) Value(v value.Value) {
	if w.full() {
		return
	}
	switch v.Kind() {
	case value.Bool:
		if v.Bool() {
			w.Byte(tagTrue)
		} else {
			w.Byte(tagFalse)
		}
	case value.Int:
		if i := v.Int(); 0 <= i && i <= maxSmall {
			w.Byte(tagSmall + byte(i))
		} else {
			w.Byte(tagInt)
			w.Int(i)
		}
	case value.Float:
		w.Byte(tagFloat)
		w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v.Float()))
	case value.Decimal:
		mantissa, scale := v.Decimal()
		w.Byte(tagDecimal)
		w.Int(mantissa)
		w.Byte(byte(scale))
	case value.NumText:
		w.Byte(tagNumText)
		w.Text(v.Str())
	case value.Time:
		w.Byte(tagTime)
		w.Int(v.Time())
	case value.String:
		if len(v.Str()) < sharedText {
			w.Byte(tagText)
			w.Text(v.Str())
		} else if !w.again(v) {
			w.Byte(tagText)
			w.Text(v.Str())
			w.number(v)
		}
	case value.Array:
		if w.again(v) {
			return
		}
		w.Byte(tagArray)
		w.Values(v.Elems())
		w.number(v)
	case value.Object:
		if w.again(v) {
			return
		}
		o := v.Obj()
		w.Byte(tagObject)
		w.shape(o.Shape())
		for _, slot := range o.Slots() {
			w.Value(slot)
		}
		w.number(v)
	default:
		w.Byte(tagNull)
	}
}

// again refers to v if it was written before.
func (w *Writer) again(v value.Value) bool {
	n := w.shared.number(v)
	if n == 0 {
		return false
	}
	w.Byte(tagShared)
	w.b = binary.AppendUvarint(w.b, uint64(n-1))
	return true
}

// number gives v the next number. The reader counts alike.
func (w *Writer) number(v value.Value) { w.shared.add(v) }

// places numbers values by their place in memory, from 1. It is a hash table
// with open addressing: most of what is written down is in one place only, so
// that looking is nearly all the work there is.
type places struct {
	slots []place // a power of two of them
	n     uint32
}

type place struct {
	v      value.Value
	number uint32 // 0: free
}

func (p *places) reset() {
	clear(p.slots)
	p.n = 0
}

// find gives the slot of v, or the free one where it belongs.
func (p *places) find(v value.Value) *place {
	i := uint64(v.Place()) * 0x9E3779B97F4A7C15 >> 20
	for ; ; i++ {
		s := &p.slots[i&uint64(len(p.slots)-1)]
		if s.number == 0 || s.v == v {
			return s
		}
	}
}

// number gives the number of v, or 0.
func (p *places) number(v value.Value) uint32 {
	if p.n == 0 {
		return 0
	}
	return p.find(v).number
}

// add gives v the next number.
func (p *places) add(v value.Value) {
	if int(p.n)*2 >= len(p.slots) {
		old := p.slots
		p.slots = make([]place, max(64, 4*len(old)))
		for _, s := range old {
			if s.number != 0 {
				*p.find(s.v) = s
			}
		}
	}
	p.n++
	*p.find(v) = place{v, p.n}
}

// shape writes the keys of an object, or which ones of before they are.
func (w *Writer) shape(s *value.Shape) {
	if n, ok := w.shapes[s]; ok {
		w.b = binary.AppendUvarint(w.b, n)
		return
	}
	if w.shapes == nil {
		w.shapes = make(map[*value.Shape]uint64)
	}
	next := uint64(len(w.shapes))
	w.shapes[s] = next
	w.b = binary.AppendUvarint(w.b, next)
	w.Bool(s.ID() != 0) // a private shape stays one
	w.Count(s.Len())
	for i := range s.Len() {
		w.Text(s.Key(i))
	}
}
