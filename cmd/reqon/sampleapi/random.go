package sampleapi

// random makes the numbers that a record's fields are worked out from: SplitMix64
// (Steele, Lea, Flood 2014), which is good enough for names and prices and, unlike
// what the standard library has, never changes.
type random struct{ state uint64 }

// Kinds of records, so that record 7 of one has nothing to do with record 7 of
// another.
const (
	seedCustomer uint64 = iota + 1
	seedOrder
	seedProduct
	seedStock
)

// randomFor returns the generator of a record.
func randomFor(kind uint64, numbers ...int64) random {
	r := random{kind * 0x9e3779b97f4a7c15}
	for _, n := range numbers {
		r.state = r.next() ^ uint64(n)
	}
	r.next()
	return r
}

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1.
func (r *random) below(n int) int { return int(r.next() % uint64(n)) }

// chance reports true in so many of a hundred cases.
func (r *random) chance(percent int) bool { return r.below(100) < percent }

// pick returns one of a list.
func pick[T any](r *random, list []T) T { return list[r.below(len(list))] }

// hashText is FNV-1a, mixed once more since its low bits are poor.
func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	r := random{h}
	return r.next()
}
