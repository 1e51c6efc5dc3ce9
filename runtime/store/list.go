package store

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"reqon/vm/value"
)

// eachPage is how many records Each asks for at a time.
const eachPage = 512

// Each calls fn for every record, in the order of the store, as it was when Each
// began. fn may use the store. An error of fn ends Each and is returned as it is.
func Each(ctx context.Context, s Store, fn func(key string, v value.Value) error) error {
	v, err := s.View(ctx, nil)
	if err != nil {
		return err
	}
	err = drain(ctx, v, fn)
	if cerr := v.Close(); err == nil {
		err = cerr
	}
	return err
}

func drain(ctx context.Context, v View, fn func(key string, v value.Value) error) error {
	for {
		recs, err := v.Next(ctx, eachPage)
		if err != nil || len(recs) == 0 {
			return err
		}
		for i := range recs {
			if err := fn(recs[i].Key, recs[i].Value); err != nil {
				return err
			}
		}
	}
}

const (
	// spoolPage is how many records are read at a time into a spool.
	spoolPage = 1000
	// spoolMemory is how large a spool grows, in bytes of JSON, before it goes
	// to a file.
	spoolMemory = 4 << 20
)

// Spool reads all of a store's records page by page, and returns the list of
// them: in memory while it is small, else in a temporary file that has no name,
// so that nothing is left behind. It is the View of an adapter that can't hold
// one.
func Spool(ctx context.Context, s Store, f *Filter, shapes *value.Shapes) (View, error) {
	sp := &spool{shapes: shapes}
	cursor := ""
	for {
		p, err := s.Page(ctx, cursor, spoolPage, f)
		if err == nil {
			err = sp.add(p.Records)
		}
		if err != nil {
			sp.Close()
			return nil, err
		}
		if p.Next == "" {
			break
		}
		cursor = p.Next
	}
	if err := sp.rewind(); err != nil {
		sp.Close()
		return nil, err
	}
	return sp, nil
}

// spool is records one behind the other: lengths of key and JSON as uvarints,
// then both.
type spool struct {
	shapes *value.Shapes
	buf    []byte
	file   *os.File // nil while all is in buf
	in     *bufio.Reader
	dec    *value.Decoder
	out    []Record
}

func (sp *spool) add(recs []Record) error {
	var json []byte
	for i := range recs {
		json = value.AppendJSON(json[:0], recs[i].Value)
		sp.buf = binary.AppendUvarint(sp.buf, uint64(len(recs[i].Key)))
		sp.buf = binary.AppendUvarint(sp.buf, uint64(len(json)))
		sp.buf = append(sp.buf, recs[i].Key...)
		sp.buf = append(sp.buf, json...)
	}
	if len(sp.buf) < spoolMemory {
		return nil
	}
	return sp.flush()
}

func (sp *spool) flush() error {
	if sp.file == nil {
		f, err := os.CreateTemp("", "reqon-list-*")
		if err != nil {
			return fmt.Errorf("a list of records needs a temporary file: %w; make room there, or set TMPDIR to another folder", err)
		}
		// Where an open file can't be removed, Close does it.
		os.Remove(f.Name())
		sp.file = f
	}
	if _, err := sp.file.Write(sp.buf); err != nil {
		return fmt.Errorf("a list of records needs a temporary file: %w; make room there, or set TMPDIR to another folder", err)
	}
	sp.buf = sp.buf[:0]
	return nil
}

// rewind ends writing.
func (sp *spool) rewind() error {
	sp.dec = value.NewDecoder(sp.shapes)
	if sp.file == nil {
		return nil
	}
	if err := sp.flush(); err != nil {
		return err
	}
	if _, err := sp.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sp.in, sp.buf = bufio.NewReaderSize(sp.file, 64<<10), nil
	return nil
}

func (sp *spool) Next(ctx context.Context, limit int) ([]Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	clear(sp.out)
	sp.out = sp.out[:0]
	for len(sp.out) < limit {
		key, json, err := sp.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the temporary file of a list of records can't be read: %w", err)
		}
		v, err := sp.dec.Decode(json)
		if err != nil {
			return nil, err
		}
		sp.out = append(sp.out, Record{Key: key, Value: v})
	}
	return sp.out, nil
}

// next returns the next record; its JSON is the caller's.
func (sp *spool) next() (key string, json []byte, err error) {
	if sp.file == nil {
		if len(sp.buf) == 0 {
			return "", nil, io.EOF
		}
		k, n := binary.Uvarint(sp.buf)
		j, m := binary.Uvarint(sp.buf[n:])
		rest := sp.buf[n+m:]
		key, json, sp.buf = string(rest[:k]), rest[k:k+j:k+j], rest[k+j:]
		return key, json, nil
	}
	k, err := binary.ReadUvarint(sp.in)
	if err != nil {
		return "", nil, err
	}
	j, err := binary.ReadUvarint(sp.in)
	if err != nil {
		return "", nil, unexpected(err)
	}
	b := make([]byte, k+j)
	if _, err := io.ReadFull(sp.in, b); err != nil {
		return "", nil, unexpected(err)
	}
	return string(b[:k]), b[k:], nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (sp *spool) Close() error {
	if sp.file == nil {
		return nil
	}
	f := sp.file
	sp.file, sp.in = nil, nil
	err := f.Close()
	os.Remove(f.Name())
	return err
}
