package table

// arena holds byte strings in chunks that are never moved or written again,
// so that what was read from it stays valid, and a copy of the arena is a
// frozen view of it.
type Arena struct {
	Shift  uint // a position is chunk number << shift | offset in the chunk
	chunks [][]byte
	cur    int // chunk that is being filled
	used   int // bytes of it in use
}

// firstArenaChunk is the size of the first chunk, so that a small store stays
// small; the next ones double up to 1 << shift.
const firstArenaChunk = 1 << 10

// arenaPut copies s into a and returns its position.
func ArenaPut[T string | []byte](a *Arena, s T) uint64 {
	if len(s) > 1<<a.Shift {
		// It gets a chunk of its own; the current one is filled on.
		b := make([]byte, len(s))
		copy(b, s)
		a.chunks = append(a.chunks, b)
		if len(a.chunks) == 1 {
			a.used = len(b)
		}
		return uint64(len(a.chunks)-1) << a.Shift
	}
	if len(a.chunks) == 0 || len(a.chunks[a.cur])-a.used < len(s) {
		size := 1 << a.Shift
		if n := len(a.chunks); n < 8 {
			size = min(size, max(firstArenaChunk<<n, len(s)))
		}
		a.chunks = append(a.chunks, make([]byte, size))
		a.cur, a.used = len(a.chunks)-1, 0
	}
	pos := uint64(a.cur)<<a.Shift | uint64(a.used)
	copy(a.chunks[a.cur][a.used:], s)
	a.used += len(s)
	return pos
}

// get returns the n bytes at pos, which must not be written to.
func (a *Arena) Get(pos uint64, n int) []byte {
	c := a.chunks[pos>>a.Shift]
	off := int(pos & (1<<a.Shift - 1))
	return c[off : off+n : off+n]
}
