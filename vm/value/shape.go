package value

import (
	"encoding/binary"
	"math"
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

// shapeKey is a key with its forms for output.
type shapeKey struct {
	text string
	// encoded is `,"text":` with the text escaped as AppendJSON does it. Empty
	// in a private shape, which is rarely written twice.
	encoded string
}

// Shape is the ordered keys of an object. It is immutable and safe for
// concurrent use. Its keys are its own copies: they share no memory with
// a document.
//
// The shapes of a table are a tree: a shape's parent has the same keys save
// the last.
type Shape struct {
	// What decides whether a document's next key is this shape's last one, kept
	// together for the decoder. quoted is `"key":`, and first and last are its
	// first and last eight bytes; firstMask blanks what a shorter key has not.
	first, firstMask, last uint64
	quoted                 string
	next                   atomic.Pointer[Shape] // first child
	sibling                atomic.Pointer[Shape] // next child of the same parent
	keys                   []shapeKey
	table                  *Shapes // nil: private

	id       uint32
	children int // guarded by table.mu
	index    atomic.Pointer[map[string]int]
}

// ID returns a number that no other shape of this process has, or 0 for
// a private shape, which must not be cached.
func (s *Shape) ID() uint32 { return s.id }

// Len returns the number of keys.
func (s *Shape) Len() int { return len(s.keys) }

// Key returns the key of slot i, which must be from 0 to Len()-1.
func (s *Shape) Key(i int) string { return s.keys[i].text }

// Index returns the slot of key, or -1.
func (s *Shape) Index(key string) int {
	if len(s.keys) > linearKeys {
		m := s.index.Load()
		if m == nil {
			m = s.buildIndex()
		}
		if i, ok := (*m)[key]; ok {
			return i
		}
		return -1
	}
	return s.find(key)
}

// find is Index without the map: a shape on the way to a longer one should not
// get a map just because its keys were once checked.
func (s *Shape) find(key string) int {
	for i := range s.keys {
		if s.keys[i].text == key {
			return i
		}
	}
	return -1
}

func (s *Shape) buildIndex() *map[string]int {
	m := make(map[string]int, len(s.keys))
	for i := len(s.keys) - 1; i >= 0; i-- {
		m[s.keys[i].text] = i
	}
	s.index.Store(&m) // if two get here at once, either map will do
	return &m
}

// child returns the shape that follows s by key, or nil if there is none yet.
func (s *Shape) child(key string) *Shape {
	for c := s.next.Load(); c != nil; c = c.sibling.Load() {
		if c.keys[len(c.keys)-1].text == key {
			return c
		}
	}
	return nil
}

// follow returns the shape that follows s by key, which s must not have,
// making it if need be. It returns nil where only a private shape will do.
func (s *Shape) follow(key string) *Shape {
	if c := s.child(key); c != nil {
		return c
	}
	if s.table == nil {
		return nil
	}
	return s.table.add(s, key)
}

// Shapes is the table of the shapes of one program. It only grows, up to
// a limit, and is safe for concurrent use.
type Shapes struct {
	root *Shape

	mu    sync.Mutex
	count int
}

// NewShapes returns a table that knows the shape without keys.
func NewShapes() *Shapes {
	t := &Shapes{}
	t.root = &Shape{table: t, id: newShapeID()}
	return t
}

// Of returns the shape of these keys in this order. The keys must be distinct.
// Beyond the limits of the table it returns a private shape.
func (t *Shapes) Of(keys ...string) *Shape {
	s := t.root
	for _, k := range keys {
		if s = s.follow(k); s == nil {
			return newPrivateShape(keys)
		}
	}
	return s
}

// add makes the shape that follows s by key, or returns nil if the table's
// limits or a key that s already has forbid it.
func (t *Shapes) add(s *Shape, key string) *Shape {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := s.child(key); c != nil {
		return c
	}
	if t.count >= maxShapes || len(s.keys) >= maxShapeKeys || s.children >= maxShapeNext ||
		len(key) > maxShapeKeyText || s.find(key) >= 0 {
		return nil
	}
	c := newChild(s, key)
	if s.children == 0 {
		s.next.Store(c)
	} else {
		last := s.next.Load()
		for n := last.sibling.Load(); n != nil; n = last.sibling.Load() {
			last = n
		}
		last.sibling.Store(c)
	}
	s.children++
	t.count++
	return c
}

// newChild makes the shape of s's keys and key. The table must be locked.
func newChild(s *Shape, key string) *Shape {
	encoded := append(make([]byte, 0, len(key)+4), ',')
	encoded = append(appendQuoted(encoded, key), ':')
	k := shapeKey{encoded: string(encoded)}
	if len(k.encoded) == len(key)+4 { // nothing was escaped
		k.text = k.encoded[2 : len(key)+2]
	} else {
		k.text = string([]byte(key))
	}
	keys := s.keys
	if s.children > 0 {
		keys = keys[:len(keys):len(keys)] // the room behind is the first child's
	}
	c := &Shape{table: s.table, id: newShapeID(), keys: append(keys, k), quoted: k.encoded[1:]}
	q := c.quoted
	if len(q) >= 8 {
		c.first, c.firstMask = load64(q, 0), math.MaxUint64
		c.last = load64(q, len(q)-8)
	} else {
		var b [8]byte
		copy(b[:], q)
		c.first = binary.LittleEndian.Uint64(b[:])
		c.firstMask = 1<<(8*len(q)) - 1
	}
	return c
}

// matches reports whether the text at p of data starts with s's last key in
// quotes and a colon.
func (s *Shape) matches(data string, p int) bool {
	n := len(s.quoted)
	if p+max(n, 8) > len(data) {
		return len(data)-p >= n && data[p:p+n] == s.quoted
	}
	if (load64(data, p)^s.first)&s.firstMask != 0 {
		return false
	}
	return n <= 8 || load64(data, p+n-8) == s.last && (n <= 16 || data[p:p+n] == s.quoted)
}

// newPrivateShape returns a shape of its own for copies of keys.
func newPrivateShape(keys []string) *Shape {
	size := 0
	for _, k := range keys {
		size += len(k)
	}
	text := make([]byte, 0, size)
	s := &Shape{keys: make([]shapeKey, len(keys))}
	for i, k := range keys {
		if len(k) == 0 {
			continue
		}
		text = append(text, k...)
		s.keys[i].text = unsafe.String(&text[len(text)-len(k)], len(k))
	}
	return s
}

// load64 returns the eight bytes of s from i, of which s must have that many,
// the first one lowest.
func load64(s string, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.StringData(s)), i))[:])
}
