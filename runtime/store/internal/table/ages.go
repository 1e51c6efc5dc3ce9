package table

// ages keeps when each entry of an index was last written, in a list from the
// longest ago to the latest, so that expired records are found without
// looking at the others.
type ages struct {
	chunks      [][]age
	front, back uint32 // entry number + 1; 0 is none
}

type age struct {
	Time       int64  // of the last write, in milliseconds since 1970
	prev, next uint32 // neighbours in the list: entry number + 1, 0 is none
}

func (a *ages) At(i uint32) *age { return &a.chunks[i>>chunkBits][i&(ChunkLen-1)] }

// write notes that entry i was written at time t, and moves it to the end of
// the list. A time before the last one (the clock was set back) counts as that
// one, so that the list stays in order.
func (a *ages) Write(i uint32, t int64) {
	for int(i>>chunkBits) >= len(a.chunks) {
		a.chunks = append(a.chunks, make([]age, ChunkLen))
	}
	a.unlink(i)
	if a.back != 0 {
		last := a.At(a.back - 1)
		t = max(t, last.Time)
		last.next = i + 1
	} else {
		a.front = i + 1
	}
	*a.At(i) = age{Time: t, prev: a.back}
	a.back = i + 1
}

// unlink takes entry i out of the list, if it is in it.
func (a *ages) unlink(i uint32) {
	e := a.At(i)
	if e.prev == 0 && e.next == 0 && a.front != i+1 {
		return
	}
	if e.prev != 0 {
		a.At(e.prev - 1).next = e.next
	} else {
		a.front = e.next
	}
	if e.next != 0 {
		a.At(e.next - 1).prev = e.prev
	} else {
		a.back = e.prev
	}
	*e = age{Time: e.Time}
}

// head returns the entry that was written longest ago.
func (a *ages) head() (uint32, bool) { return a.front - 1, a.front != 0 }

// after returns the entry that was written next after i.
func (a *ages) after(i uint32) (uint32, bool) {
	next := a.At(i).next
	return next - 1, next != 0
}

// expired reports whether some entry was last written before cutoff.
func (a *ages) Expired(cutoff int64) bool {
	i, ok := a.head()
	return ok && a.At(i).Time < cutoff
}
