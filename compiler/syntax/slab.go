package syntax

// slab hands out values from chunks, for the nodes of which a file has tens of
// thousands. A chunk lives as long as any node in it: trees are kept or
// dropped whole.
type slab[T any] struct {
	free []T
	size int // of the last chunk
}

func (s *slab[T]) new(value T) *T {
	if len(s.free) == 0 {
		s.size = min(max(8, s.size*2), 256)
		s.free = make([]T, s.size)
	}
	x := &s.free[0]
	s.free = s.free[1:]
	*x = value
	return x
}
