package value

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Limits of a Shapes table. Beyond them a shape is private to its object, so
// that objects keyed by ids can't grow the memory of a daemon that runs for
// months.
const (
	maxShapes       = 10_000 // shapes of one table
	maxShapeKeys    = 128    // keys of one shared shape
	maxShapeNext    = 64     // shapes that follow one shape by one more key
	maxShapeKeyText = 256    // bytes of a key of a shared shape

	// A key that begins with a digit is more often an id or a date than the
	// name of a field. Such keys may not crowd out the others.
	maxDigitShapes = 500 // shapes of one table whose last key is of that kind
	maxDigitNext   = 8   // and of those that follow one shape
)

// linearKeys is the number of keys up to which looking at each is faster than
// a map.
const linearKeys = 8

// lastShapeID is the only variable of the package that is written after start.
// The ids must differ between all tables of a process: an inline cache of the
// machine trusts an id without asking which table it is from.
var lastShapeID atomic.Uint64

func newShapeID() uint32 {
	if id := lastShapeID.Add(1); id <= math.MaxUint32 {
		return uint32(id)
	}
	return 0 // used up: nothing is cached from here on, and all else works
}

// Shape is the ordered keys of an object. It is immutable and safe for
// concurrent use. Its keys are its own copies: they share no memory with
// a document.
//
// A document can make every object of a few bytes have a shape of its own, so
// a private one is small: what only shared ones need is in their node.
type Shape struct {
	first *string // the first of n keys
	n     uint32
	id    uint32
	node  *node // nil: private, and of at most linearKeys keys
}

// node is a shape in the tree of its table, or a private one of many keys, which
// only has an index. A shape's parent has the same keys save the last.
type node struct {
	// What decides whether a document's next key is this shape's last one, kept
	// together for the decoder. quoted is `"key":`, and head and tail are its
	// first and last eight bytes; headMask blanks what a shorter key has not.
	head, headMask, tail uint64
	quoted               string

	// likely is the child to try before the others: the first one, or one from
	// far behind that was the last to be found.
	likely atomic.Pointer[node]
	Shape
	child   atomic.Pointer[node] // the first child
	sibling atomic.Pointer[node] // the next child of the same parent

	keys []string // those of the Shape
	// encoded has, for each key of a shared shape, `,"key":` as AppendJSON
	// writes it. A private shape is rarely written twice, and has none.
	encoded []string

	table    *Shapes // nil: private
	children int     // guarded by table.mu, as is the next
	digits   int     // children whose last key begins with a digit
	index    atomic.Pointer[keyIndex]
}

// ID returns a number that no other shape of this process has, or 0 for
// a private shape, which must not be cached.
func (s *Shape) ID() uint32 { return s.id }

// Len returns the number of keys.
func (s *Shape) Len() int { return int(s.n) }

// Key returns the key of slot i, which must be from 0 to Len()-1.
func (s *Shape) Key(i int) string { return s.all()[i] }

// all returns the keys.
func (s *Shape) all() []string { return unsafe.Slice(s.first, s.n) }

// table returns the table that shares s, or nil if s is private.
func (s *Shape) table() *Shapes {
	if s.node == nil {
		return nil
	}
	return s.node.table
}

// Index returns the slot of key, or -1.
func (s *Shape) Index(key string) int {
	if s.n > linearKeys {
		x := s.node.index.Load()
		if x == nil {
			built, _ := newKeyIndex(s.all())
			x = &built
			s.node.index.Store(x) // if two get here at once, either will do
		}
		return x.find(s.all(), key)
	}
	return s.find(key)
}

// find is Index without the index: a shape on the way to a longer one should
// not get one just because its keys were once checked.
func (s *Shape) find(key string) int {
	for i, k := range s.all() {
		if k == key {
			return i
		}
	}
	return -1
}

// keyIndex finds keys by their hash: a place holds 1 + the slot of a key, or 0.
// A key stands at the first place from that of its hash on which was free. It
// takes a fifth of the memory of a map, which a document of many keys would
// make.
type keyIndex []uint32

var keySeed = maphash.MakeSeed()

// newKeyIndex returns the index of keys, and the slot of the first key that
// stands earlier too, or -1.
func newKeyIndex(keys []string) (x keyIndex, duplicate int) {
	x = make(keyIndex, 1<<bits.Len(uint(len(keys)+len(keys)/4)))
	duplicate = -1
	for i, k := range keys {
		p := x.place(k)
		for x[p] != 0 && keys[x[p]-1] != k {
			p = (p + 1) & (len(x) - 1)
		}
		switch {
		case x[p] == 0:
			x[p] = uint32(i + 1)
		case duplicate < 0:
			duplicate = i
		}
	}
	return x, duplicate
}

// place returns where to look for key first.
func (x keyIndex) place(key string) int { return int(maphash.String(keySeed, key)) & (len(x) - 1) }

// find returns the slot of key among keys, or -1.
func (x keyIndex) find(keys []string, key string) int {
	for p := x.place(key); x[p] != 0; p = (p + 1) & (len(x) - 1) {
		if keys[x[p]-1] == key {
			return int(x[p] - 1)
		}
	}
	return -1
}

// next returns the shape that follows s by key, or nil if there is none yet.
func (s *node) next(key string) *node {
	c := s.likely.Load()
	if c == nil || c.lastKey() == key {
		return c
	}
	for c = s.child.Load(); c != nil; c = c.sibling.Load() {
		if c.lastKey() == key {
			return c
		}
	}
	return nil
}

// lastKey returns the key that s has and its parent has not.
func (s *node) lastKey() string { return s.keys[len(s.keys)-1] }

// follow returns the shape that follows s by key, which s must not have,
// making it if need be. It returns nil where only a private shape will do.
func (s *node) follow(key string) *node {
	if c := s.next(key); c != nil {
		return c
	}
	return s.table.add(s, key)
}

// nextInText returns the shape that follows s by the key that stands, in quotes
// and with a colon, at p of data, or nil if there is none yet.
func (s *node) nextInText(data string, p int) *node {
	const far = 3 // children that are found as fast without being likely
	passed := 0
	for c := s.child.Load(); c != nil; c = c.sibling.Load() {
		if c.matches(data, p) {
			if passed >= far {
				s.likely.Store(c)
			}
			return c
		}
		passed++
	}
	return nil
}

// Shapes is the table of the shapes of one program. It only grows, up to
// a limit, and is safe for concurrent use.
type Shapes struct {
	root *node

	mu     sync.Mutex
	count  int
	digits int // shapes whose last key begins with a digit
}

// NewShapes returns a table that knows the shape without keys.
func NewShapes() *Shapes {
	t := &Shapes{}
	t.root = &node{table: t}
	t.root.Shape = Shape{id: newShapeID(), node: t.root}
	return t
}

// Of returns the shape of these keys in this order. The keys must be distinct.
// Beyond the limits of the table it returns a private shape.
func (t *Shapes) Of(keys ...string) *Shape {
	s := t.root
	for _, k := range keys {
		if s = s.follow(k); s == nil {
			return newPrivateShape(slices.Clone(keys), nil)
		}
	}
	return &s.Shape
}

// add makes the shape that follows s by key, or returns nil if the table's
// limits or a key that s already has forbid it.
func (t *Shapes) add(s *node, key string) *node {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := s.next(key); c != nil {
		return c
	}
	digit := 0
	if key != "" && isDigit(key[0]) {
		digit = 1
	}
	switch {
	case t.count >= maxShapes, len(s.keys) >= maxShapeKeys, s.children >= maxShapeNext, len(key) > maxShapeKeyText,
		digit == 1 && (t.digits >= maxDigitShapes || s.digits >= maxDigitNext),
		s.find(key) >= 0:
		return nil
	}
	c := newChild(s, key)
	if first := s.child.Load(); first == nil {
		s.child.Store(c)
		s.likely.Store(c)
	} else {
		last := first
		for n := last.sibling.Load(); n != nil; n = last.sibling.Load() {
			last = n
		}
		last.sibling.Store(c)
	}
	s.children++
	s.digits += digit
	t.count++
	t.digits += digit
	return c
}

// newChild makes the shape of s's keys and key. The table must be locked.
func newChild(s *node, key string) *node {
	encoded := append(make([]byte, 0, len(key)+4), ',')
	text := bytesText(append(appendQuoted(encoded, key), ':'))
	if len(text) == len(key)+4 { // nothing was escaped
		key = text[2 : len(key)+2]
	} else {
		key = strings.Clone(key)
	}
	keys, texts := s.keys, s.encoded
	if s.children > 0 { // the room behind them is the first child's
		keys, texts = slices.Clip(keys), slices.Clip(texts)
	}
	c := &node{table: s.table, keys: append(keys, key), encoded: append(texts, text), quoted: text[1:]}
	c.Shape = Shape{first: &c.keys[0], n: uint32(len(c.keys)), id: newShapeID(), node: c}
	q := c.quoted
	if len(q) >= 8 {
		c.head, c.headMask = load64(q, 0), math.MaxUint64
		c.tail = load64(q, len(q)-8)
	} else {
		var b [8]byte
		copy(b[:], q)
		c.head = binary.LittleEndian.Uint64(b[:])
		c.headMask = 1<<(8*len(q)) - 1
	}
	return c
}

// matches reports whether the text at p of data starts with s's last key in
// quotes and a colon.
func (s *node) matches(data string, p int) bool {
	n := len(s.quoted)
	if p+max(n, 8) > len(data) {
		return len(data)-p >= n && data[p:p+n] == s.quoted
	}
	if (load64(data, p)^s.head)&s.headMask != 0 {
		return false
	}
	return n <= 8 || load64(data, p+n-8) == s.tail && (n <= 16 || data[p:p+n] == s.quoted)
}

// newPrivateShape returns a shape of its own for keys, of which it takes over
// the slice and copies the text. index is that of the keys, if there is one.
func newPrivateShape(keys []string, index keyIndex) *Shape {
	size := 0
	for _, k := range keys {
		size += len(k)
	}
	text := make([]byte, 0, size)
	for _, k := range keys {
		text = append(text, k...)
	}
	rest := bytesText(text)
	for i, k := range keys {
		keys[i], rest = rest[:len(k)], rest[len(k):]
	}
	s := &Shape{first: unsafe.SliceData(keys), n: uint32(len(keys))}
	if len(keys) > linearKeys {
		n := &node{Shape: *s, keys: keys}
		n.node = n
		if index != nil {
			kept := index // its address is: index itself would be on the heap for every object
			n.index.Store(&kept)
		}
		s = &n.Shape
	}
	return s
}

// load64 returns the eight bytes of s from i, of which s must have that many,
// the first one lowest.
func load64(s string, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))[:])
}
