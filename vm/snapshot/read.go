package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"reqon/vm/value"
)

// Reader reads what a Writer wrote. After the first error it gives zeros, and
// Err says what is wrong.
type Reader struct {
	b      []byte
	table  *value.Shapes
	shapes []*value.Shape
	shared []value.Value
	depth  int
	err    error
}

// NewReader returns a reader of data, which it does not keep. Objects get their
// shapes from the table.
func NewReader(data []byte, table *value.Shapes) *Reader {
	return &Reader{b: data, table: table}
}

// Err returns the first error, or nil.
func (r *Reader) Err() error { return r.err }

// Fail notes an error: what was read makes no sense.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

// End fails unless all was read.
func (r *Reader) End() error {
	if r.err == nil && len(r.b) > 0 {
		r.Fail("%d bytes too many", len(r.b))
	}
	return r.err
}

// Left gives how many bytes are left.
func (r *Reader) Left() int { return len(r.b) }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.Fail("it ends too early")
		return 0
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b
}

// Bool reads a truth.
func (r *Reader) Bool() bool {
	b := r.Byte()
	if b > 1 {
		r.Fail("a truth is %d", b)
	}
	return b == 1
}

// Int reads an integer.
func (r *Reader) Int() int64 {
	i, n := binary.Varint(r.b)
	if n <= 0 {
		r.Fail("bad number")
		return 0
	}
	r.b = r.b[n:]
	return i
}

// IntFrom reads an integer that is from low up to high.
func (r *Reader) IntFrom(low, high int64) int64 {
	i := r.Int()
	if i < low || i > high {
		r.Fail("number %d is not from %d to %d", i, low, high)
		return low
	}
	return i
}

func (r *Reader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.Fail("bad number")
		return 0
	}
	r.b = r.b[size:]
	return n
}

// Count reads a number of things of which each takes at least a byte of what is
// left.
func (r *Reader) Count() int {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.Fail("bad count")
		return 0
	}
	return int(n)
}

// Raw reads bytes, which it copies.
func (r *Reader) Raw() string {
	n := r.Count()
	if r.err != nil {
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// Text reads a text, which is UTF-8.
func (r *Reader) Text() string {
	s := r.Raw()
	if !utf8.ValidString(s) {
		r.Fail("text that is not UTF-8")
		return ""
	}
	return s
}

// Values reads a list of values; nil if it is empty.
func (r *Reader) Values() []value.Value {
	n := r.Count()
	if n == 0 {
		return nil
	}
	list := make([]value.Value, n)
	for i := range list {
		if list[i] = r.Value(); r.err != nil {
			return nil
		}
	}
	return list
}

// Value reads a value.
func (r *Reader) Value() value.Value {
	tag := r.Byte()
	if tag >= tagSmall {
		return value.FromInt(int64(tag - tagSmall))
	}
	switch tag {
	case tagNull:
		return value.NullValue
	case tagFalse:
		return value.False
	case tagTrue:
		return value.True
	case tagInt:
		return value.FromInt(r.Int())
	case tagFloat:
		return r.float()
	case tagDecimal:
		return r.decimal()
	case tagNumText:
		v, ok := value.ParseNumber(r.Text())
		if !ok || v.Kind() != value.NumText {
			r.Fail("a number that is none, or in a wrong form")
			return value.NullValue
		}
		return v
	case tagText:
		v := value.FromString(r.Text())
		if len(v.Str()) >= sharedText {
			r.shared = append(r.shared, v)
		}
		return v
	case tagTime:
		ms := r.Int()
		if !value.ValidTime(ms) {
			r.Fail("no time that can be written")
			return value.NullValue
		}
		return value.FromTime(ms)
	case tagArray, tagObject:
		return r.nested(tag)
	case tagShared:
		n := r.uint()
		if n >= uint64(len(r.shared)) {
			r.Fail("a value that was not there before")
			return value.NullValue
		}
		return r.shared[n]
	}
	r.Fail("no such kind of value: %d", tag)
	return value.NullValue
}

func (r *Reader) float() value.Value {
	if len(r.b) < 8 {
		r.Fail("it ends too early")
		return value.NullValue
	}
	f := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
	r.b = r.b[8:]
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.Fail("not a finite number")
		return value.NullValue
	}
	return value.FromFloat(f)
}

// decimal reads a decimal, which has 15 digits at most and 1 to 15 decimals.
func (r *Reader) decimal() value.Value {
	const most = 1e15 - 1
	mantissa, scale := r.IntFrom(-most, most), r.Byte()
	if scale < 1 || scale > 15 {
		r.Fail("a number of %d decimals", scale)
		return value.NullValue
	}
	return value.FromDecimal(mantissa, int(scale))
}

func (r *Reader) nested(tag byte) value.Value {
	if r.depth++; r.depth > maxDepth {
		r.Fail("it nests too deep")
		return value.NullValue
	}
	defer func() { r.depth-- }()
	var v value.Value
	if tag == tagArray {
		v = value.FromArray(r.Values())
	} else {
		v = r.object()
	}
	if r.err == nil && value.TooDeep(v) { // by way of what it shares
		r.Fail("it nests too deep")
	}
	if r.err != nil {
		return value.NullValue
	}
	r.shared = append(r.shared, v)
	return v
}

func (r *Reader) object() value.Value {
	s := r.shape()
	if r.err == nil && s.Len() > len(r.b) {
		r.Fail("bad count")
	}
	if r.err != nil {
		return value.NullValue
	}
	slots := make([]value.Value, s.Len())
	for i := range slots {
		if slots[i] = r.Value(); r.err != nil {
			return value.NullValue
		}
	}
	return value.FromObject(value.NewObj(s, slots))
}

// errKey is of an object that has a key twice.
var errKey = errors.New("a key stands twice")

func (r *Reader) shape() *value.Shape {
	n := r.uint()
	if n < uint64(len(r.shapes)) {
		return r.shapes[n]
	}
	if n > uint64(len(r.shapes)) {
		r.Fail("a shape that was not there before")
		return nil
	}
	table := r.table
	if !r.Bool() {
		table = nil
	}
	count := r.Count()
	b := value.NewObjectBuilder(table, min(count, 64))
	for range count {
		b.Set(r.Text(), value.NullValue)
		if r.err != nil {
			return nil
		}
	}
	if b.Len() != count {
		r.Fail("%w", errKey)
		return nil
	}
	s := b.Value().Obj().Shape()
	r.shapes = append(r.shapes, s)
	return s
}
