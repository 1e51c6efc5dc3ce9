package file

import (
	"encoding/binary"
	"fmt"
	"reqon/runtime/store/internal/table"
)

// fileBatch builds the journal frames of one batch, and writes them.
type fileBatch struct {
	f       *file
	rd      recordReader
	now     int64
	buf     []byte // the frame that is being built
	start   int64  // where in the journal it will be
	ops     int    // operations in it
	parts   bool   // frames before it were written
	changes int    // operations of the batch that change the snapshot
	touched bool   // the index may show some of the batch
}

// compareAhead is how much a batch reads at a time of stored records that lie
// one behind the other.
const compareAhead = 64 << 10

func (b *fileBatch) begin(now int64) {
	b.rd.ahead = compareAhead
	b.rd.reset(b.f.gen.snap, b.f.gen.journal)
	b.now, b.start = now, b.f.end
	b.buf = beginFrame(b.buf[:0])
	b.ops, b.changes, b.parts, b.touched = 0, 0, false, false
}

func (b *fileBatch) Raw(e table.Entry) ([]byte, error) {
	if off := e.Offset(); e.Loc&table.InJournal != 0 && off >= b.start {
		return b.buf[off-b.start:][:e.Size:e.Size], nil
	}
	return b.rd.raw(e)
}

func (b *fileBatch) Append(key string, json []byte) (uint64, error) {
	if len(b.buf) > frameTarget {
		if err := b.write(frameMore); err != nil {
			return 0, err
		}
		b.parts = true
	}
	b.op(opPut, key)
	b.changes++
	b.buf = binary.AppendUvarint(b.buf, uint64(len(json)))
	b.buf = append(b.buf, key...)
	at := b.start + int64(len(b.buf))
	b.buf = append(b.buf, json...)
	return uint64(at)<<table.LocShift | table.InJournal, nil
}

func (b *fileBatch) Touch(key string) error {
	b.op(opTouch, key)
	b.buf = append(b.buf, key...)
	return nil
}

func (b *fileBatch) Drop(key string) error {
	b.op(opDelete, key)
	b.changes++
	b.buf = append(b.buf, key...)
	return nil
}

func (b *fileBatch) clear() {
	b.op(opClear, "")
	b.changes++
}

// op begins an operation.
func (b *fileBatch) op(kind byte, key string) {
	b.touched = true
	b.ops++
	b.buf = append(b.buf, kind)
	b.buf = binary.AppendUvarint(b.buf, uint64(len(key)))
}

// write adds the frame to the journal with one call of the system.
func (b *fileBatch) write(kind byte) error {
	f := b.f
	sealFrame(b.buf, kind, f.gen.durable.Load(), b.now)
	if err := writeAt(f.gen.journal, b.buf, b.start); err != nil {
		err = f.fail("write", f.journalName(), err)
		// What was written of the batch goes again, so that nothing of it is
		// stored. Should that fail too, who reads the journal next cuts it off.
		if terr := f.gen.journal.Truncate(f.end); terr != nil {
			err = fmt.Errorf("%w (and undoing it: %w)", err, terr)
		}
		return err
	}
	b.start += int64(len(b.buf))
	b.buf = beginFrame(b.buf[:0])
	b.ops = 0
	return nil
}

// commit ends the batch. When it returns, the batch outlives the process.
func (b *fileBatch) commit() error {
	if b.ops > 0 || b.parts {
		if err := b.write(frameBatch); err != nil {
			return err
		}
	}
	b.f.end = b.start
	b.f.dirty = b.f.dirty || b.changes > 0
	if cap(b.buf) > table.MaxKeptBuffer+frameTarget {
		b.buf = nil
	}
	return nil
}
