package value

import "unsafe"

const (
	// chunkCells is how many Values are allocated at once at most: 16 KiB less
	// room for the allocator's header, so that it takes exactly that. One
	// record that is kept then holds no more than this of its neighbours.
	chunkCells = 1022
	// chunkText is the same for text, in bytes.
	chunkText = 4096
)

// arena hands out Values from larger allocations. Chunks are never shared
// between documents: through them a value that is kept would hold the document
// before, and that one the one before it.
type arena struct {
	free     []Value
	foreseen int // cells that are yet to be asked for, as far as known
	size     int // of the last chunk
	used     int
}

func (a *arena) begin(cells int) {
	a.free, a.foreseen, a.size, a.used = nil, cells, 0, 0
}

// end lets go of what is left, and returns how many cells were used.
func (a *arena) end() int {
	a.free = nil
	return a.used
}

// alloc returns n zero Values.
func (a *arena) alloc(n int) []Value {
	a.used += n
	if n > len(a.free) {
		return a.allocSlow(n)
	}
	cells := a.free[:n:n]
	a.free = a.free[n:]
	return cells
}

func (a *arena) allocSlow(n int) []Value {
	if n > chunkCells/4 {
		return make([]Value, n)
	}
	left := a.foreseen - a.used + n
	size := min(max(n, left, 2*a.size, 8), chunkCells)
	if left > 0 {
		size = max(n, min(left, chunkCells))
	}
	a.size = size
	chunk := make([]Value, size)
	a.free = chunk[n:]
	return chunk[:n:n]
}

// textArena hands out text from larger allocations.
type textArena struct {
	free []byte // its length is 0
	size int    // of the last chunk
}

// scratch returns an empty slice to append to; keep makes its text final.
func (a *textArena) scratch() []byte {
	const little = 32
	if cap(a.free) < little {
		a.size = min(max(2*a.size, 2*little), chunkText)
		a.free = make([]byte, 0, a.size)
	}
	return a.free
}

// keep returns the text of b, what has been appended to the last scratch. If
// that has outgrown the chunk, b has memory of its own.
func (a *textArena) keep(b []byte) string {
	if len(b) <= cap(a.free) {
		a.free = b[len(b):]
	}
	return bytesText(b)
}

// bytesText returns b, which is never written again, as a string.
func bytesText(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
