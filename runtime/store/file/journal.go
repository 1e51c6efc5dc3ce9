package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"reqon/runtime/store/internal/table"
)

// The journal of a file store: a header, then frames, only ever added to. When
// the snapshot is replaced, a new journal takes the old one's name.
//
// Header, 64 bytes, little-endian:
//
//	 0  magic
//	 8  version, 4 bytes
//	12  flags, 4 bytes
//	16  identity of the snapshot that the frames go on top of: size (8 bytes),
//	    two checksums (4 bytes each)
//	32  size of the journal that this one replaced, 8 bytes
//	60  checksum of what is before, 4 bytes
//
// Frame:
//
//	 0  mark, 4 bytes
//	 4  checksum of the rest of the frame, 4 bytes
//	 8  length of the payload, 4 bytes
//	12  kind, 1 byte; 3 bytes of zero
//	16  how much of the journal was known to be on disk for good, 8 bytes
//	24  time, milliseconds since 1970, 8 bytes
//	32  payload
//
// The payload of a batch is operations: kind (1 byte), length of the key
// (uvarint), of a put also the length of the record (uvarint), key, record.
const (
	journalMagic   = "reqonjnl"
	journalVersion = 1
	headerSize     = 64

	frameMark   = 0x31664a52 // "RJf1"
	frameHeader = 32

	// frameTarget is about how large a frame grows before a batch goes on in
	// another.
	frameTarget = 4 << 20
)

// Flags of a journal's header.
const (
	hasSnapshot = 1 << iota // there is a snapshot; without it the identity is zero
	ownSnapshot             // this program wrote it, so that its form is known
	keepsAges               // a frame of ages comes first, and frames' times matter
	knownFlags  = hasSnapshot | ownSnapshot | keepsAges
)

// Kinds of frames.
const (
	frameBatch   = 1 + iota // a whole batch, or the last part of one
	frameMore               // a part of a batch that goes on in the next frame
	frameRetired            // another journal is about to take this one's place
	frameAges               // times of the snapshot's records, as varints in order, each less the one before
)

// Kinds of operations.
const (
	opPut = 1 + iota
	opTouch
	opDelete
	opClear
)

// identity tells one content of a snapshot from another. Two checksums of
// different polynomials are as good as one of 64 bits, and both are computed
// by hardware.
type identity struct {
	size       int64
	crcC, crcI uint32
}

func (id *identity) add(b []byte) {
	id.size += int64(len(b))
	id.crcC = crc32.Update(id.crcC, table.Castagnoli, b)
	id.crcI = crc32.Update(id.crcI, crc32.IEEETable, b)
}

// header is the header of a journal.
type header struct {
	flags    uint32
	base     identity
	replaced int64
}

func (h header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, journalMagic)
	binary.LittleEndian.PutUint32(b[8:], journalVersion)
	binary.LittleEndian.PutUint32(b[12:], h.flags)
	binary.LittleEndian.PutUint64(b[16:], uint64(h.base.size))
	binary.LittleEndian.PutUint32(b[24:], h.base.crcC)
	binary.LittleEndian.PutUint32(b[28:], h.base.crcI)
	binary.LittleEndian.PutUint64(b[32:], uint64(h.replaced))
	binary.LittleEndian.PutUint32(b[60:], table.Checksum(b[:60]))
	return b
}

// extends reports whether the journal goes on top of the snapshot with this
// identity, or of none.
func (h header) extends(id identity, exists bool) bool {
	return h.base == id && (h.flags&hasSnapshot != 0) == exists
}

var errNotJournal = errors.New("it is not a journal of a store, or its beginning is damaged")

func readHeader(r io.ReaderAt) (header, error) {
	b := make([]byte, headerSize)
	if _, err := r.ReadAt(b, 0); err == io.EOF {
		return header{}, errNotJournal
	} else if err != nil {
		return header{}, err
	}
	if string(b[:8]) != journalMagic || binary.LittleEndian.Uint32(b[60:]) != table.Checksum(b[:60]) {
		return header{}, errNotJournal
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != journalVersion {
		return header{}, fmt.Errorf("it has version %d; this program reads version %d", v, journalVersion)
	}
	h := header{
		flags:    binary.LittleEndian.Uint32(b[12:]),
		replaced: int64(binary.LittleEndian.Uint64(b[32:])),
	}
	h.base.size = int64(binary.LittleEndian.Uint64(b[16:]))
	h.base.crcC = binary.LittleEndian.Uint32(b[24:])
	h.base.crcI = binary.LittleEndian.Uint32(b[28:])
	if h.flags&^uint32(knownFlags) != 0 {
		return header{}, errNotJournal
	}
	return h, nil
}

// beginFrame appends room for a frame's header.
func beginFrame(b []byte) []byte {
	var h [frameHeader]byte
	return append(b, h[:]...)
}

// sealFrame fills in the header of the frame b.
func sealFrame(b []byte, kind byte, durable, time int64) {
	binary.LittleEndian.PutUint32(b[0:], frameMark)
	binary.LittleEndian.PutUint32(b[8:], uint32(len(b)-frameHeader))
	b[12] = kind
	binary.LittleEndian.PutUint64(b[16:], uint64(durable))
	binary.LittleEndian.PutUint64(b[24:], uint64(time))
	binary.LittleEndian.PutUint32(b[4:], table.Checksum(b[8:]))
}

// frame is a frame as read.
type frame struct {
	kind    byte
	durable int64
	time    int64
	payload []byte // valid until the reader reads on
	at      int64  // where the payload is in the journal
	next    int64  // where the next frame is
}

// errBroken is returned for what is no whole frame.
var errBroken = errors.New("broken frame")

// journalReader reads frames of a journal of a known size.
type journalReader struct {
	r    io.ReaderAt
	size int64
	buf  []byte
	work int64 // bytes of payload read so far
}

// read returns the frame at off. io.EOF says that the journal ends there,
// errBroken that no whole frame is there. It allocates no more than the
// journal's own size.
func (jr *journalReader) read(off int64) (frame, error) {
	if off == jr.size {
		return frame{}, io.EOF
	}
	if jr.size-off < frameHeader {
		return frame{}, errBroken
	}
	var h [frameHeader]byte
	if _, err := jr.r.ReadAt(h[:], off); err != nil {
		return frame{}, readError(err)
	}
	n := int64(binary.LittleEndian.Uint32(h[8:]))
	if binary.LittleEndian.Uint32(h[0:]) != frameMark || n > jr.size-off-frameHeader {
		return frame{}, errBroken
	}
	if int64(cap(jr.buf)) < n {
		jr.buf = make([]byte, n)
	}
	jr.buf = jr.buf[:n]
	jr.work += n
	if _, err := jr.r.ReadAt(jr.buf, off+frameHeader); err != nil && (err != io.EOF || n > 0) {
		return frame{}, readError(err)
	}
	sum := crc32.Update(table.Checksum(h[8:]), table.Castagnoli, jr.buf)
	if sum != binary.LittleEndian.Uint32(h[4:]) {
		return frame{}, errBroken
	}
	return frame{
		kind:    h[12],
		durable: int64(binary.LittleEndian.Uint64(h[16:])),
		time:    int64(binary.LittleEndian.Uint64(h[24:])),
		payload: jr.buf,
		at:      off + frameHeader,
		next:    off + frameHeader + n,
	}, nil
}

// readError turns the end of a file that was cut while it was read into a
// broken frame.
func readError(err error) error {
	if err == io.EOF {
		return errBroken
	}
	return err
}

// errRetired says that another journal has taken this one's place.
var errRetired = errors.New("the journal was replaced")

// damage is a journal that has lost what was on disk for good.
type damage struct {
	offset int64
	reason string
}

func (d *damage) Error() string {
	return fmt.Sprintf("it is damaged at byte %d: %s", d.offset, d.reason)
}

// replay applies the batches of a journal to an index.
type replay struct {
	jr      journalReader
	ix      *table.Index
	changes int // operations applied that change what the snapshot shows
	// follow makes a retired frame the end, as for a process that has worked on
	// the journal before. A fresh reader finds one only where the replacement
	// failed, and passes over it.
	follow bool
	// dropped is how many whole frames behind a broken one were not applied.
	dropped int
}

// run applies what is at off and after it, and returns where the good frames
// end. What follows that is the rest of a write that was cut off, by the end of
// its process or of power, and must be cut off before anything is added. The
// error is errRetired, a *damage, or one of reading.
func (rp *replay) run(off int64) (int64, error) {
	for {
		f, err := rp.jr.read(off)
		if err == io.EOF {
			return off, nil
		}
		start := off
		parts := err == nil && f.kind == frameMore
		for err == nil && f.kind == frameMore {
			// A batch in parts counts only if all of them are there.
			f, err = rp.jr.read(f.next)
		}
		if err == errBroken || err == io.EOF {
			return start, rp.broken(start)
		}
		if err != nil {
			return start, err
		}
		switch {
		case f.kind == frameBatch:
			if err := rp.batch(start); err != nil {
				return start, err
			}
		case parts || f.kind != frameRetired && f.kind != frameAges:
			return start, &damage{start, fmt.Sprintf("a frame of kind %d does not belong there", f.kind)}
		case f.kind == frameRetired && rp.follow:
			return start, errRetired
		}
		off = f.next
	}
}

// batch applies the frames of the whole batch at off.
func (rp *replay) batch(off int64) error {
	for {
		f, err := rp.jr.read(off)
		if err != nil {
			return err
		}
		if err := rp.apply(f); err != nil {
			return err
		}
		if f.kind != frameMore {
			return nil
		}
		off = f.next
	}
}

// apply applies the operations of one frame.
func (rp *replay) apply(f frame) error {
	p := f.payload
	for len(p) > 0 {
		kind := p[0]
		p = p[1:]
		var klen, vlen uint64
		var ok bool
		if klen, p, ok = cutUvarint(p); ok && kind == opPut {
			vlen, p, ok = cutUvarint(p)
		}
		if !ok || klen > uint64(len(p)) || vlen > uint64(len(p))-klen {
			return &damage{f.at + int64(len(f.payload)-len(p)), "an operation does not fit its frame"}
		}
		key, val := p[:klen], p[klen:klen+vlen]
		at := f.at + int64(len(f.payload)-len(p)) + int64(klen)
		p = p[klen+vlen:]
		if err := rp.op(kind, string(key), val, at, f.time); err != nil {
			return err
		}
		if kind != opTouch {
			rp.changes++
		}
	}
	return nil
}

// op applies one operation; a record's bytes are at offset at of the journal.
func (rp *replay) op(kind byte, key string, val []byte, at, time int64) error {
	if kind == opClear {
		rp.ix.Clear()
		return nil
	}
	i, hash, ok := rp.ix.Find(key)
	switch kind {
	case opPut:
		loc := uint64(at)<<table.LocShift | table.InJournal
		if ok {
			rp.ix.Update(i, loc, uint32(len(val)), table.Checksum(val))
		} else {
			if !rp.ix.Room(1, int64(len(key))) {
				return table.ErrFull
			}
			i = rp.ix.Insert(key, hash, table.Entry{Loc: loc, Size: uint32(len(val)), Hash: table.Checksum(val)})
		}
	case opTouch:
		if !ok {
			return nil
		}
	case opDelete:
		if ok {
			rp.ix.Kill(i)
		}
		return nil
	default:
		return &damage{at, fmt.Sprintf("there is no operation of kind %d", kind)}
	}
	if rp.ix.Ages != nil {
		rp.ix.Ages.Write(i, time)
	}
	return nil
}

func cutUvarint(p []byte) (uint64, []byte, bool) {
	v, n := binary.Uvarint(p)
	if n <= 0 {
		return 0, p, false
	}
	return v, p[n:], true
}

// broken decides about a frame at off that is not whole. If it lies where the
// journal is known to have been on disk for good, data was lost and the error
// says so. If not, it is the rest of a cut-off write; frames behind it can be
// whole only after a power cut, since a disk writes in any order, and are lost
// with it.
func (rp *replay) broken(off int64) error {
	const window = 64 << 10
	buf := make([]byte, window)
	// Many marks with great lengths could make the search quadratic.
	limit := rp.jr.work + 4*(rp.jr.size-off) + 1<<30
	for at := off + 1; at < rp.jr.size; {
		n, err := rp.jr.r.ReadAt(buf[:min(window, rp.jr.size-at)], at)
		if n == 0 {
			return readErrorAtEnd(err)
		}
		for i := 0; i+4 <= n; i++ {
			if binary.LittleEndian.Uint32(buf[i:]) != frameMark {
				continue
			}
			f, err := rp.jr.read(at + int64(i))
			if rp.jr.work > limit {
				return &damage{off, "what follows can't be made out"}
			}
			if err == nil {
				rp.dropped++
				if f.durable > off {
					return &damage{off, fmt.Sprintf("a batch that was on disk for good can't be read, and whole ones follow it at byte %d", at+int64(i))}
				}
			}
		}
		at += int64(max(n-3, 1))
	}
	return nil
}

func readErrorAtEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
