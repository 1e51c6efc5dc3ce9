package table

import (
	"context"
	"strings"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// Reader reads the records of a frozen index, in order. It is a store.View.
type Reader struct {
	v    view
	i    uint32
	lost bool // the record to begin with is not there
	raw  func(Entry) ([]byte, error)
	wrap func(key string, err error) error
	done func() // nil once it was called
	sc   *Scratch
	dec  *value.Decoder
	out  []store.Record
}

// NewReader returns a reader of ix, which it freezes. raw gives an entry's bytes,
// for good; wrap says whose record can't be read; done is called by Close, and
// must thaw the index. As a change of the index, it needs to be alone with it.
func NewReader(ix *Index, sc *Scratch, raw func(Entry) ([]byte, error), wrap func(string, error) error, done func()) *Reader {
	return &Reader{v: ix.Freeze(), raw: raw, wrap: wrap, done: done, sc: sc, dec: sc.Decoder()}
}

// Next returns the next records.
func (r *Reader) Next(ctx context.Context, limit int) ([]store.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	clear(r.out)
	r.out = r.out[:0]
	for ; r.i < r.v.N && len(r.out) < limit; r.i++ {
		e := r.v.At(r.i)
		if e.Loc&Dead != 0 {
			continue
		}
		b, err := r.raw(e)
		if err == nil {
			var v value.Value
			if v, err = DecodeRecord(r.dec, b); err == nil {
				r.out = append(r.out, store.Record{Key: r.v.Key(e), Value: v})
				continue
			}
		}
		return nil, r.wrap(r.v.Key(e), err)
	}
	return r.out, nil
}

// Close gives the index free.
func (r *Reader) Close() error {
	if r.done == nil {
		return nil
	}
	r.done()
	r.done = nil
	r.sc.Release(r.dec)
	return nil
}

// Page reads the page of a store from where Start has put the reader, and closes
// it. A cursor is = and the key of the record that comes next: entries have no
// numbers that another process knows.
func (r *Reader) Page(ctx context.Context, limit int) (p store.Page, err error) {
	defer r.Close()
	if r.lost {
		return p, store.ErrCursor
	}
	recs, err := r.Next(ctx, limit)
	if err != nil {
		return p, err
	}
	p.Records = append(p.Records, recs...)
	for ; r.i < r.v.N; r.i++ {
		if e := r.v.At(r.i); e.Loc&Dead == 0 {
			p.Next = "=" + r.v.Key(e)
			break
		}
	}
	return p, nil
}

// Start makes a reader begin at the record that a cursor names. It needs to be
// alone with the index, as NewReader does.
func (r *Reader) Start(ix *Index, cursor string) {
	if cursor == "" {
		return
	}
	key, ok := strings.CutPrefix(cursor, "=")
	if i, _, found := ix.Find(key); ok && found {
		r.i = i
		return
	}
	r.lost = true
}
