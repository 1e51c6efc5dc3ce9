package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reqon/runtime/store/internal/flock"
	"reqon/runtime/store/internal/table"
	"slices"
)

// load reads the store from disk, whatever is in memory. It needs the lock.
func (f *file) load() error {
	f.gen.unlock() // for the one that is opened now, which may be the same file
	g := newGeneration()
	l, err := f.loadInto(g)
	if err != nil {
		g.release()
		return err
	}
	f.dirty, f.stale = l.dirty, l.stale
	f.replaced, f.took = f.dir.now(), 0
	f.wantAges = f.wantAges || l.ix.Ages != nil
	f.publish(l.ix, g, l.end)
	return nil
}

// loaded is a store as read from disk.
type loaded struct {
	ix    *table.Index
	end   int64 // of the journal
	dirty bool  // the journal holds what the snapshot doesn't
	stale bool  // the journal is empty and goes on top of another snapshot
}

// publish makes readers see a new index and its files.
func (f *file) publish(ix *table.Index, g *generation, end int64) {
	f.mu.Lock()
	old := f.gen
	old.unlock()
	f.ix, f.gen, f.end, f.loaded = ix, g, end, true
	f.mu.Unlock()
	old.release()
}

func (f *file) loadInto(g *generation) (l loaded, err error) {
	h, err := f.openJournal(g)
	if err != nil {
		return l, err
	}
	f.folder.Remove(f.tempName()) // of a process that was killed while it replaced the snapshot
	next, err := f.nextHeader()
	if err != nil {
		return l, err
	}
	if l.ix, err = f.loadSnapshot(g, h, next); err != nil {
		return l, err
	}
	if next != nil {
		if h, err = f.finishReplacing(g, h, next); err != nil {
			return l, err
		}
	}
	if g.journal == nil {
		agesOf(l.ix, nil, g)
		return l, nil
	}
	matches := h.extends(g.base, g.snap != nil)
	if err = f.loadAges(l.ix, g, matches); err != nil {
		return l, err
	}
	size := g.journalInfo.Size()
	rp := replay{jr: journalReader{r: g.journal, size: size}, ix: l.ix}
	if l.end, err = rp.run(headerSize); err != nil {
		return l, f.journalError(err)
	}
	if err = f.cutTail(g.journal, l.end, size, rp.dropped); err != nil {
		return l, err
	}
	if !matches && rp.changes > 0 {
		f.dir.notice(fmt.Sprintf("%s was changed by hand while finished steps waited in its journal; they were applied on top of it as it is", f.show(f.snapshotName())))
	}
	l.dirty = rp.changes > 0
	l.stale = !matches && !l.dirty
	return l, nil
}

// openJournal opens and locks the journal, if there is one, and returns its
// header.
func (f *file) openJournal(g *generation) (*header, error) {
	j, err := openRegular(f.folder, f.journalName(), os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, f.fail("open", f.journalName(), err)
	}
	g.journal = j
	if err := f.lockJournal(g); err != nil {
		return nil, err
	}
	if g.journalInfo, err = j.Stat(); err != nil {
		return nil, f.fail("read", f.journalName(), err)
	}
	if named, err := f.folder.Lstat(f.journalName()); err != nil || !os.SameFile(named, g.journalInfo) {
		return nil, errHeld // replaced or removed before it was locked
	}
	h, err := readHeader(j)
	if err == errNotJournal {
		if never, nerr := neverWritten(j, g.journalInfo.Size()); nerr != nil {
			return nil, f.fail("read", f.journalName(), nerr)
		} else if never {
			return nil, f.dropEmpty(g)
		}
	}
	if err != nil {
		return nil, f.journalError(err)
	}
	return &h, nil
}

// neverWritten reports whether there is nothing but zeros in a file.
func neverWritten(r io.Reader, size int64) (bool, error) {
	buf := make([]byte, min(size, 64<<10))
	for {
		n, err := r.Read(buf)
		if slices.ContainsFunc(buf[:n], func(b byte) bool { return b != 0 }) {
			return false, nil
		}
		if err == io.EOF || n == 0 && err == nil {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// dropEmpty removes a journal of which the power was cut before anything reached
// the disk but its name: see startJournal and rewrite. A flush makes a journal
// durable from its first byte on, so that nothing of it was ever flushed.
func (f *file) dropEmpty(g *generation) error {
	if err := f.folder.Remove(f.journalName()); err != nil {
		return f.fail("remove", f.journalName(), err)
	}
	g.journal.Close()
	g.journal, g.journalInfo, g.locked = nil, nil, false
	f.dir.notice(fmt.Sprintf("%s: the last batches before a power cut had not reached the disk and are lost; what they held will be fetched again", f.show(f.snapshotName())))
	return nil
}

// lockJournal locks the journal of g, so that a process that found no lock file
// leaves it alone.
func (f *file) lockJournal(g *generation) error {
	if g.locked {
		return nil
	}
	ok, err := flock.Try(g.journal)
	if err != nil {
		return f.fail("lock", f.journalName(), err)
	}
	if !ok {
		return errHeld
	}
	g.locked = true
	return nil
}

// nextHeader returns the header of the journal that was to replace the present
// one, if a process was killed while it did that.
func (f *file) nextHeader() (*header, error) {
	n, err := openRegular(f.folder, f.nextName(), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, f.fail("open", f.nextName(), err)
	}
	defer n.Close()
	h, err := readHeader(n)
	if err != nil {
		// It was never finished, and so the snapshot not replaced.
		return &header{replaced: -1}, nil
	}
	return &h, nil
}

// finishReplacing makes the next journal the present one if the snapshot that
// it goes on top of is in place, and removes it if not.
func (f *file) finishReplacing(g *generation, h, next *header) (*header, error) {
	took := next.extends(g.base, g.snap != nil) && next.replaced >= 0 &&
		(g.journal == nil || g.journalInfo.Size() <= next.replaced)
	if !took {
		if err := f.folder.Remove(f.nextName()); err != nil {
			return nil, f.fail("remove", f.nextName(), err)
		}
		return h, nil
	}
	if err := f.folder.Rename(f.nextName(), f.journalName()); err != nil {
		return nil, f.fail("replace", f.journalName(), err)
	}
	if err := syncFolder(f.folder); err != nil {
		return nil, f.fail("sync the folder of", f.journalName(), err)
	}
	if g.journal != nil {
		g.journal.Close()
		g.journal, g.locked = nil, false
	}
	return f.openJournal(g)
}

// loadSnapshot reads the snapshot, if there is one. One that this program
// wrote, by the header of a journal, is only looked through.
func (f *file) loadSnapshot(g *generation, journal, next *header) (*table.Index, error) {
	ages := f.wantAges
	for _, h := range []*header{journal, next} {
		ages = ages || h != nil && h.flags&keepsAges != 0
	}
	ix := table.NewIndex(ages)
	s, err := openRegular(f.folder, f.snapshotName(), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return ix, nil
	}
	if err != nil {
		return nil, f.fail("open", f.snapshotName(), err)
	}
	g.snap = s
	if g.snapInfo, err = s.Stat(); err != nil {
		return nil, f.fail("read", f.snapshotName(), err)
	}
	g.flags = hasSnapshot
	size := g.snapInfo.Size()
	own := func(fits func(*header) bool) bool {
		return slices.ContainsFunc([]*header{journal, next}, func(h *header) bool {
			return h != nil && h.flags&ownSnapshot != 0 && fits(h)
		})
	}
	if own(func(h *header) bool { return h.base.size == size }) {
		sr := snapshotReader{r: s, size: size}
		err := sr.readOwn(ix)
		if err == nil && own(func(h *header) bool { return h.base == sr.id }) {
			g.base, g.flags = sr.id, hasSnapshot|ownSnapshot
			return ix, nil
		}
		if err != nil && err != errForm {
			return nil, f.fail("read", f.snapshotName(), err)
		}
		ix = table.NewIndex(ages)
	}
	return ix, f.loadForeign(g, ix, size)
}

func (f *file) loadForeign(g *generation, ix *table.Index, size int64) error {
	dec := f.dir.scratch.Decoder()
	defer f.dir.scratch.Release(dec)
	sr := snapshotReader{r: g.snap, size: size}
	err := sr.readAny(ix, dec)
	g.base = sr.id
	var wrong *contentError
	if errors.As(err, &wrong) {
		line, column, lerr := lineColumn(g.snap, wrong.offset)
		if lerr != nil {
			return f.fail("read", f.snapshotName(), lerr)
		}
		return fmt.Errorf("%s:%d:%d: %w; mend the file, restore it from a backup, or move it away to begin with an empty store. It was left as it is", f.show(f.snapshotName()), line, column, err)
	}
	if err != nil {
		return f.fail("read", f.snapshotName(), err)
	}
	return nil
}

// loadAges gives the snapshot's records their times of writing: those that
// the journal begins with, or that of the file.
func (f *file) loadAges(ix *table.Index, g *generation, matches bool) error {
	if ix.Ages == nil {
		return nil
	}
	var times []int64
	if matches {
		jr := journalReader{r: g.journal, size: g.journalInfo.Size()}
		fr, err := jr.read(headerSize)
		if err == nil && fr.kind == frameAges {
			if times, err = decodeAges(fr.payload, ix.Live); err != nil {
				return f.journalError(&damage{headerSize, err.Error()})
			}
		}
	}
	agesOf(ix, times, g)
	return nil
}

// agesOf sets the times of writing of the snapshot's records; without times,
// to when the file was written.
func agesOf(ix *table.Index, times []int64, g *generation) {
	if ix.Ages == nil {
		return
	}
	if times == nil {
		for i := range ix.N {
			ix.Ages.Write(i, g.snapInfo.ModTime().UnixMilli())
		}
		return
	}
	order := make([]uint32, len(times))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int {
		switch ta, tb := times[a], times[b]; {
		case ta < tb:
			return -1
		case ta > tb:
			return 1
		}
		return 0
	})
	for _, i := range order {
		ix.Ages.Write(i, times[i])
	}
}

// encodeAges appends the times of live entries, in order.
func encodeAges(b []byte, ix *table.Index) []byte {
	last := int64(0)
	for i := range ix.N {
		if ix.At(i).Loc&table.Dead != 0 {
			continue
		}
		t := ix.Ages.At(i).Time
		b = binary.AppendVarint(b, t-last)
		last = t
	}
	return b
}

func decodeAges(p []byte, want int) ([]int64, error) {
	times := make([]int64, 0, want)
	last := int64(0)
	for len(p) > 0 && len(times) < want {
		d, n := binary.Varint(p)
		if n <= 0 {
			break
		}
		last += d
		times = append(times, last)
		p = p[n:]
	}
	if len(times) != want || len(p) > 0 {
		return nil, fmt.Errorf("it does not hold the times of %d records", want)
	}
	return times, nil
}

// startJournal puts an empty journal on top of the snapshot as it is.
//
// Where it begins a new store, it does not wait for the disk: there is nothing
// that a power cut could take back but what the journal will hold itself, and
// who finds it without its bytes knows that none of it was ever synced.
func (f *file) startJournal() error {
	flags := f.gen.flags
	first := f.gen.journal == nil && f.gen.snap == nil
	if f.ix.Ages != nil {
		// The records keep the time of the file until they are written again.
		flags |= keepsAges
	}
	if err := f.writeNext(flags, f.gen.base, f.ix, !first); err != nil {
		return err
	}
	if err := f.retire(); err != nil {
		return err
	}
	if err := f.folder.Rename(f.nextName(), f.journalName()); err != nil {
		return f.fail("create", f.journalName(), err)
	}
	if err := f.load(); err != nil {
		return err
	}
	f.gen.first = first
	return nil
}

// writeNext writes the journal that will take the present one's place: ages of
// ix's records, if it keeps them, and no batches. It is on disk then, if durably.
func (f *file) writeNext(flags uint32, base identity, ix *table.Index, durably bool) (err error) {
	n, err := openRegular(f.folder, f.nextName(), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return f.fail("create", f.nextName(), err)
	}
	b := header{flags: flags, base: base, replaced: f.end + frameHeader}.encode()
	if ix.Ages != nil {
		fr := encodeAges(beginFrame(nil), ix)
		sealFrame(fr, frameAges, 0, 0)
		b = append(b, fr...)
	}
	_, err = n.Write(b)
	if err == nil && durably {
		err = n.Sync()
	}
	if cerr := n.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		f.folder.Remove(f.nextName())
		return f.fail("write", f.nextName(), err)
	}
	return nil
}

// retire tells processes that work on the present journal to look for another.
func (f *file) retire() error {
	if f.gen.journal == nil {
		return nil
	}
	b := beginFrame(nil)
	sealFrame(b, frameRetired, f.gen.durable.Load(), 0)
	if _, err := f.gen.journal.WriteAt(b, f.end); err != nil {
		err = f.fail("write", f.journalName(), err)
		if terr := f.gen.journal.Truncate(f.end); terr != nil {
			err = fmt.Errorf("%w (and undoing it: %w)", err, terr)
		}
		f.folder.Remove(f.nextName())
		return err
	}
	f.mu.Lock()
	f.end += int64(len(b))
	f.mu.Unlock()
	return nil
}

// replace writes all records to a new snapshot, puts it in the old one's place,
// and begins a new journal. Should the process or the power end on the way, the
// next process finds the old snapshot and the old journal, or the new snapshot
// and, by its header, the journal that belongs to it.
func (f *file) replace() error {
	if err := f.respectEdits(); err != nil {
		return err
	}
	return f.rewrite()
}

// rewrite is replace without a look at what it overwrites.
func (f *file) rewrite() error {
	began := f.dir.now()
	if err := f.rewriteNow(); err != nil {
		return err
	}
	f.replaced = f.dir.now()
	f.took = f.replaced.Sub(began)
	return nil
}

func (f *file) rewriteNow() error {
	t, err := openRegular(f.folder, f.tempName(), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return f.fail("create", f.tempName(), err)
	}
	ix, id, err := f.copyRecords(t)
	flags := uint32(hasSnapshot | ownSnapshot)
	if err == nil && ix.Ages != nil {
		flags |= keepsAges
	}
	// The new journal of a store that was never synced replaces one that may be
	// lost as well, and is empty: see startJournal.
	first := f.gen.first && f.gen.durable.Load() == 0 && ix.Ages == nil
	if err == nil {
		// Both must be on disk before either gets its name.
		next := make(chan error, 1)
		go func() { next <- f.writeNext(flags, id, ix, !first) }()
		if err = t.Sync(); err != nil {
			err = f.fail("sync", f.tempName(), err)
		}
		err = errors.Join(err, <-next)
	}
	if cerr := t.Close(); err == nil && cerr != nil {
		err = f.fail("write", f.tempName(), cerr)
	}
	if err == nil {
		err = f.retire()
	}
	if err != nil {
		f.folder.Remove(f.tempName())
		f.folder.Remove(f.nextName())
		return err
	}
	return f.swap(ix, id, flags, first)
}

// swap puts the new snapshot and journal in place. The first sync of the folder
// keeps a power cut from leaving the new, empty journal with the old snapshot,
// which would lose what the old journal held; the second is what Sync promises.
// On a file system that keeps the order of renames one would do, but nothing
// says which do. A store that is synced for the first time has nothing to lose
// by the first one.
func (f *file) swap(ix *table.Index, id identity, flags uint32, first bool) error {
	rename := func(from, to string, durably bool) error {
		if err := f.folder.Rename(from, to); err != nil {
			return f.fail("replace", to, err)
		}
		if !durably {
			return nil
		}
		if err := syncFolder(f.folder); err != nil {
			return f.fail("sync the folder of", to, err)
		}
		return nil
	}
	if err := rename(f.tempName(), f.snapshotName(), !first); err != nil {
		f.forget()
		return err
	}
	if err := rename(f.nextName(), f.journalName(), true); err != nil {
		f.forget()
		return err
	}
	g := newGeneration()
	g.base, g.flags = id, flags
	if _, err := f.openJournal(g); err != nil {
		g.release()
		f.forget()
		return err
	}
	s, err := openRegular(f.folder, f.snapshotName(), os.O_RDONLY)
	if err == nil {
		g.snap = s
		g.snapInfo, err = s.Stat()
	}
	if err != nil {
		g.release()
		f.forget()
		return f.fail("open", f.snapshotName(), err)
	}
	end := g.journalInfo.Size()
	if !first {
		g.durable.Store(end)
	}
	f.dirty, f.stale = false, false
	f.flushMu.Lock()
	f.flushed = nil
	f.flushMu.Unlock()
	f.publish(ix, g, end)
	return nil
}

// forget makes the next use read the store from disk.
func (f *file) forget() {
	f.mu.Lock()
	f.loaded = false
	f.mu.Unlock()
}

// respectEdits reads the store anew if somebody has changed or removed the
// snapshot by hand, so that it is not overwritten unseen.
func (f *file) respectEdits() error {
	edited, err := f.edited()
	if err != nil {
		return err
	}
	if edited || f.gen.snap != nil && !f.there(f.snapshotName()) {
		return f.load()
	}
	return nil
}

// edited reports whether a snapshot is in place that is not the one this process
// works with.
func (f *file) edited() (bool, error) {
	info, err := f.folder.Lstat(f.snapshotName())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, f.fail("read", f.snapshotName(), err)
	}
	known := f.gen.snapInfo
	return known == nil || !os.SameFile(info, known) || info.Size() != known.Size() || !info.ModTime().Equal(known.ModTime()), nil
}

// replaceAhead is how much is read at a time when the snapshot is replaced.
const replaceAhead = 256 << 10

// copyRecords writes all records to the temporary file, and returns the index of
// them there.
func (f *file) copyRecords(t *os.File) (*table.Index, identity, error) {
	dec := f.dir.scratch.Decoder()
	defer f.dir.scratch.Release(dec)
	rd := recordReader{ahead: replaceAhead}
	rd.reset(f.gen.snap, f.gen.journal)
	// Most stores are small, and a daemon may sync many of them each second.
	room := min(f.ix.LiveBytes+f.ix.LiveBytes/2+1024, snapshotBuffer+snapshotBuffer/4)
	sw := snapshotWriter{w: t, buf: make([]byte, 0, room)}
	var failed error
	ix := f.ix.Moved(func(e table.Entry) table.Entry {
		if failed != nil {
			return e
		}
		b, err := rd.raw(e)
		if err == nil && e.Loc&table.Odd != 0 {
			b, err = table.Canonical(dec, b)
			e.Size, e.Hash = uint32(len(b)), table.Checksum(b)
		}
		if err != nil {
			failed = f.recordError(f.ix.Key(e), err)
			return e
		}
		at, err := sw.add(f.ix.Key(e), b)
		if err != nil {
			failed = f.fail("write", f.tempName(), err)
		}
		e.Loc = uint64(at) << table.LocShift
		return e
	})
	if failed == nil {
		if err := sw.finish(); err != nil {
			failed = f.fail("write", f.tempName(), err)
		}
	}
	return ix, sw.id, failed
}
