package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reqon/runtime/store/internal/flock"
	"reqon/runtime/store/internal/table"
	"sync/atomic"
)

// errChanged says that a record's bytes are not those that were stored: the
// file was written over, or damaged.
var errChanged = errors.New("its bytes changed on disk")

// generation is a snapshot and the journal on top of it, open for reading
// until nobody holds them any more. Files that have been replaced stay
// readable in it.
type generation struct {
	snap, journal         *os.File     // nil if there is none
	snapInfo, journalInfo os.FileInfo  // when they were opened
	base                  identity     // of snap
	flags                 uint32       // hasSnapshot, ownSnapshot, keepsAges
	locked                bool         // the journal is, by this process; with the turn
	durable               atomic.Int64 // how much of the journal is on disk for good
	first                 bool         // this process made the store with it, and has not synced it yet
	holders               atomic.Int32
}

// hold keeps g's files open until release. The caller must know that somebody
// else holds them while it is called.
func (g *generation) hold() { g.holders.Add(1) }

func (g *generation) release() {
	if g.holders.Add(-1) > 0 {
		return
	}
	// Read-only by now, or written and synced: closing can't lose anything.
	if g.snap != nil {
		g.snap.Close()
	}
	if g.journal != nil {
		g.journal.Close()
	}
}

// unlock gives the journal's lock back. Should that fail, closing the file does.
func (g *generation) unlock() {
	if g.locked {
		flock.Release(g.journal)
		g.locked = false
	}
}

// recordReader reads records of a generation, for one task. Records that lie
// one behind the other it reads many at a time.
type recordReader struct {
	snap, journal *os.File
	ahead         int       // bytes to read at a time
	fresh         bool      // never read into a buffer twice: somebody keeps the bytes
	windows       [2]window // of the snapshot and of the journal
}

// window is a part of a file.
type window struct {
	at   int64 // where buf is in the file
	buf  []byte
	last int64 // where the last record read ends
}

// nearby is how far behind a record the next one may begin to count as lying
// behind it, in bytes.
const nearby = 4 << 10

// reset makes r read from other files, or from the same ones anew.
func (r *recordReader) reset(snap, journal *os.File) {
	r.snap, r.journal = snap, journal
	for i := range r.windows {
		w := &r.windows[i]
		w.buf, w.last = w.buf[:0], -1
	}
}

// raw returns the bytes of e, valid until the next call unless r is fresh. The
// error is errChanged where they are not those that were stored.
func (r *recordReader) raw(e table.Entry) ([]byte, error) {
	f, w := r.snap, &r.windows[0]
	if e.Loc&table.InJournal != 0 {
		f, w = r.journal, &r.windows[1]
	}
	off, size := e.Offset(), int(e.Size)
	if off < w.at || off+int64(size) > w.at+int64(len(w.buf)) {
		if err := r.fill(f, w, off, size); err != nil {
			return nil, err
		}
	}
	w.last = off + int64(size)
	b := w.buf[off-w.at:][:size:size]
	if table.Checksum(b) != e.Hash {
		return nil, fmt.Errorf("%w: %d bytes at byte %d of %s", errChanged, size, off, f.Name())
	}
	return b, nil
}

// fill reads the size bytes at off, and more behind them if the last record
// read was just before.
func (r *recordReader) fill(f *os.File, w *window, off int64, size int) error {
	want := size
	if w.last >= 0 && off >= w.last && off-w.last <= nearby {
		want = max(size, r.ahead)
	}
	if r.fresh || cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	n, err := f.ReadAt(w.buf[:want], off)
	w.at, w.buf = off, w.buf[:n]
	if n >= size {
		return nil
	}
	w.buf = w.buf[:0]
	if err == io.EOF {
		return fmt.Errorf("%w: %s ends before byte %d", errChanged, f.Name(), off+int64(size))
	}
	return err
}
