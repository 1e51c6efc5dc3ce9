package value

import (
	"fmt"
	"unsafe"
)

// Obj is an object: a shape, and in memory right behind this header a slot for
// each of its keys. One allocation holds both, and reading a field is one load
// once the shape is known. An Obj is therefore never copied or made by hand.
//
// The header has the layout of a Value (a pointer and a word), so that header
// and slots can be allocated as so many Values.
type Obj struct {
	shape *Shape
	n     uint32 // slots, equal to shape.Len()
	depth uint32 // levels of arrays and objects; see Value
}

// NewObj returns the object of shape s with these slots, as many as s has keys;
// another number is a programming error and panics. The slots are copied.
func NewObj(s *Shape, slots []Value) *Obj {
	if len(slots) != s.Len() {
		panic(fmt.Sprintf("value: %d slots for a shape of %d keys", len(slots), s.Len()))
	}
	cells := make([]Value, 1+len(slots))
	copy(cells[1:], slots)
	return objectOf(s, cells, nestingOf(slots))
}

// objectOf turns cells, of which the first is unused and the others are the
// slots, into the object it then is.
func objectOf(s *Shape, cells []Value, nesting uint64) *Obj {
	o := (*Obj)(unsafe.Pointer(unsafe.SliceData(cells)))
	o.shape = s
	o.n = uint32(len(cells) - 1)
	o.depth = uint32(nesting >> depthShift)
	return o
}

// Shape returns the keys.
func (o *Obj) Shape() *Shape { return o.shape }

// Slots returns the values in the order of the keys. They must not be written
// to.
func (o *Obj) Slots() []Value {
	if o.n == 0 {
		return nil // what follows the header is not this object's
	}
	return unsafe.Slice((*Value)(unsafe.Add(unsafe.Pointer(o), unsafe.Sizeof(Value{}))), o.n)
}

// Len returns the number of keys.
func (o *Obj) Len() int { return int(o.n) }

// Get returns the value of key and whether the object has it.
func (o *Obj) Get(key string) (Value, bool) {
	if i := o.shape.Index(key); i >= 0 {
		return o.Slots()[i], true
	}
	return Value{}, false
}

// ObjectBuilder makes an object key by key. The zero ObjectBuilder makes
// objects with private shapes, which suits keys that come from data (groupBy)
// rather than from a program or a document's form.
type ObjectBuilder struct {
	table *Shapes
	shape *Shape   // the keys so far, while they are those of a shape
	keys  []string // the keys so far, once they are not; then shape is nil
	index map[string]int
	cells []Value // an unused one for the header, then the slots
}

// NewObjectBuilder returns a builder with room for capacity keys. If t is nil
// the object gets a private shape.
func NewObjectBuilder(t *Shapes, capacity int) *ObjectBuilder {
	b := &ObjectBuilder{table: t, cells: make([]Value, 1, 1+max(capacity, 0))}
	if t != nil {
		b.shape = &t.root.Shape
	}
	return b
}

// Len returns the number of keys so far.
func (b *ObjectBuilder) Len() int { return max(len(b.cells)-1, 0) }

// Set gives key the value v. A key that is already there keeps its place and
// gets the new value.
func (b *ObjectBuilder) Set(key string, v Value) {
	if b.shape != nil && b.table != nil {
		// A new key in the usual order needs no search for an old one.
		if c := b.shape.node.next(key); c != nil {
			b.shape = &c.Shape
			b.push(v)
			return
		}
	}
	if i := b.find(key); i >= 0 {
		b.cells[1+i] = v
		return
	}
	b.add(key, v)
}

// SetAll sets every key of o, in o's order.
func (b *ObjectBuilder) SetAll(o *Obj) {
	if b.Len() == 0 && (b.table == nil || o.shape.table() == b.table) {
		b.shape = o.shape
		b.keys, b.index = b.keys[:0], nil
		b.cells = append(append(b.cells[:0], Value{}), o.Slots()...)
		return
	}
	for i, v := range o.Slots() {
		b.Set(o.shape.Key(i), v)
	}
}

// Value returns the object. The builder is empty afterwards and may be used for
// another object.
func (b *ObjectBuilder) Value() Value {
	cells := b.cells
	if cells == nil {
		cells = make([]Value, 1)
	}
	if spare := cap(cells) - len(cells); spare > len(cells)/4 {
		cells = append(make([]Value, 0, len(cells)), cells...)
	}
	s := b.shape
	if s == nil {
		s = newPrivateShape(b.keys, nil)
	}
	*b = ObjectBuilder{table: b.table}
	if b.table != nil {
		b.shape = &b.table.root.Shape
	}
	return FromObject(objectOf(s, cells, nestingOf(cells[1:])))
}

// find returns the slot of key, or -1.
func (b *ObjectBuilder) find(key string) int {
	switch {
	case b.shape != nil && b.table != nil:
		return b.shape.find(key)
	case b.shape != nil:
		return b.shape.Index(key)
	case b.index != nil:
		if i, ok := b.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range b.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// push appends a slot.
func (b *ObjectBuilder) push(v Value) {
	if b.cells == nil {
		b.cells = make([]Value, 1, 8)
	}
	b.cells = append(b.cells, v)
}

// add appends a key that is not there yet.
func (b *ObjectBuilder) add(key string, v Value) {
	b.push(v)
	if b.shape != nil && b.table != nil {
		if c := b.shape.node.follow(key); c != nil {
			b.shape = &c.Shape
			return
		}
	}
	if b.shape != nil {
		b.keys = append(b.keys[:0], b.shape.all()...)
		b.shape = nil
	}
	b.keys = append(b.keys, key)
	switch n := len(b.keys); {
	case b.index != nil:
		b.index[key] = n - 1
	case n > linearKeys:
		b.index = make(map[string]int, 2*n)
		for i, k := range b.keys {
			b.index[k] = i
		}
	}
}
