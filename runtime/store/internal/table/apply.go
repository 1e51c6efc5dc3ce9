package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// errFull is returned when an index can't number any more records.
var ErrFull = errors.New("the store can't hold more records: the limits are 4 billion records and about 2 GiB of keys")

// backing is where records' bytes are: a journal and a snapshot, or memory.
type backing interface {
	// raw returns the bytes of e, valid until the next call of any method.
	Raw(e Entry) ([]byte, error)
	// Append stores json as key's record and returns its entry.loc.
	Append(key string, json []byte) (loc uint64, err error)
	// touch notes that key's record was written, unchanged.
	Touch(key string) error
	// drop notes that key's record was removed.
	Drop(key string) error
}

// change applies one batch to an index and its backing.
type Change struct {
	Ix  *Index
	b   backing
	sc  *Scratch
	dec *value.Decoder // nil until decoder
	now int64          // time of the batch, in milliseconds
	buf []byte         // of merged records
}

// begin makes c ready for a batch.
func (c *Change) Begin(ix *Index, b backing, sc *Scratch, now int64) {
	c.Ix, c.b, c.sc, c.now = ix, b, sc, now
}

// decoder returns a decoder for the rest of the batch.
func (c *Change) decoder() *value.Decoder {
	if c.dec == nil {
		c.dec = c.sc.Decoder()
	}
	return c.dec
}

// end gives back what the batch used.
func (c *Change) End() {
	if c.dec != nil {
		c.sc.Release(c.dec)
		c.dec = nil
	}
	if cap(c.buf) > MaxKeptBuffer {
		c.buf = nil
	}
}

// encoded is the JSON of records in a row of a batch, one behind the other.
type Encoded struct {
	from int // number of the first record
	json []byte
	ends []int
}

// encodeAhead is how many records of a batch are encoded at a time. The first
// are encoded before the batch takes the store's lock.
const encodeAhead = 4096

// scratch holds what batches and readers use for a moment, one at a time.
type Scratch struct {
	shapes  *value.Shapes
	decs    sync.Pool // of *value.Decoder
	encodes sync.Pool // of *encoded
}

func NewScratch(shapes *value.Shapes) *Scratch {
	return &Scratch{
		shapes:  shapes,
		decs:    sync.Pool{New: func() any { return value.NewDecoder(shapes) }},
		encodes: sync.Pool{New: func() any { return new(Encoded) }},
	}
}

func (s *Scratch) Decoder() *value.Decoder { return s.decs.Get().(*value.Decoder) }

func (s *Scratch) Release(d *value.Decoder) { s.decs.Put(d) }

// decode reads one stored record and takes data over.
func (s *Scratch) Decode(data []byte) (value.Value, error) {
	dec := s.Decoder()
	defer s.Release(dec)
	return DecodeRecord(dec, data)
}

// encode returns the JSON of the first records of a batch.
func (s *Scratch) Encode(recs []store.Record) *Encoded {
	enc := s.encodes.Get().(*Encoded)
	enc.fill(recs, 0)
	return enc
}

// done gives enc's buffer back, unless one large batch has blown it up.
func (s *Scratch) Done(enc *Encoded) {
	if cap(enc.json) <= MaxKeptBuffer {
		s.encodes.Put(enc)
	}
}

func (enc *Encoded) fill(recs []store.Record, from int) {
	enc.from, enc.json, enc.ends = from, enc.json[:0], enc.ends[:0]
	for _, r := range recs[from:min(from+encodeAhead, len(recs))] {
		enc.json = value.AppendJSON(enc.json, r.Value)
		enc.ends = append(enc.ends, len(enc.json))
	}
}

// record returns the JSON of record i of recs; i must not go back.
func (enc *Encoded) Record(recs []store.Record, i int) []byte {
	if i-enc.from == len(enc.ends) {
		enc.fill(recs, i)
	}
	n := i - enc.from
	if n == 0 {
		return enc.json[:enc.ends[0]]
	}
	return enc.json[enc.ends[n-1]:enc.ends[n]]
}

// rewind makes record start from the first again.
func (enc *Encoded) Rewind(recs []store.Record) {
	if enc.from > 0 {
		enc.fill(recs, 0)
	}
}

// maxKeptBuffer is the largest buffer, in bytes, that is kept for reuse.
const MaxKeptBuffer = 4 << 20

// putAll stores recs and then drops what is beyond keep.
func (c *Change) PutAll(recs []store.Record, enc *Encoded, mode store.Conflict, keep int) (store.Result, error) {
	var res store.Result
	var keyBytes int64
	for i := range recs {
		keyBytes += int64(len(recs[i].Key))
	}
	if !c.Ix.Room(len(recs), keyBytes) {
		return res, ErrFull
	}
	for i := range recs {
		if err := c.putOne(recs[i], enc.Record(recs, i), mode, &res); err != nil {
			return res, err
		}
	}
	for keep > 0 && c.Ix.Live > keep {
		if err := c.Remove(c.Ix.first()); err != nil {
			return res, err
		}
	}
	return res, nil
}

func (c *Change) putOne(rec store.Record, json []byte, mode store.Conflict, res *store.Result) error {
	if err := CheckJSON(rec.Key, json); err != nil {
		return err
	}
	i, hash, ok := c.Ix.Find(rec.Key)
	if !ok {
		loc, err := c.b.Append(rec.Key, json)
		if err != nil {
			return err
		}
		i = c.Ix.Insert(rec.Key, hash, Entry{Loc: loc, Size: uint32(len(json)), Hash: Checksum(json)})
		c.written(i)
		res.Inserted++
		return nil
	}
	e := c.Ix.At(i)
	sum := Checksum(json)
	same, err := c.same(e, json, sum)
	if err == nil && !same && mode == store.MergeFields {
		if json, err = c.merged(e, rec.Value.Obj()); err == nil {
			sum = Checksum(json)
			same, err = c.same(e, json, sum)
		}
	}
	if err != nil {
		return fmt.Errorf("record %q: %w", rec.Key, err)
	}
	if same {
		res.Unchanged++
		if c.Ix.Ages != nil {
			c.written(i)
			return c.b.Touch(rec.Key)
		}
		return nil
	}
	if len(json) > math.MaxUint32 {
		return fmt.Errorf("the merged record %q is %d bytes of JSON; the limit is %d", rec.Key, len(json), math.MaxUint32)
	}
	loc, err := c.b.Append(rec.Key, json)
	if err != nil {
		return err
	}
	c.Ix.Update(i, loc, uint32(len(json)), sum)
	c.written(i)
	res.Updated++
	return nil
}

// checkJSON refuses a record that could not be read again.
func CheckJSON(key string, json []byte) error {
	if len(json) > store.MaxRecord {
		return fmt.Errorf("the record %q is %d bytes of JSON; the limit is %d", key, len(json), store.MaxRecord)
	}
	if !utf8.Valid(json) {
		return fmt.Errorf("the record %q holds text that is not valid UTF-8", key)
	}
	return nil
}

func (c *Change) written(i uint32) {
	if c.Ix.Ages != nil {
		c.Ix.Ages.Write(i, c.now)
	}
}

// same reports whether e's record is json, byte for byte. The bytes are read
// only if size and checksum say they may be.
func (c *Change) same(e Entry, json []byte, sum uint32) (bool, error) {
	if e.Loc&Odd == 0 && (int(e.Size) != len(json) || e.Hash != sum) {
		return false, nil
	}
	old, err := c.b.Raw(e)
	if err != nil {
		return false, err
	}
	if e.Loc&Odd != 0 {
		if old, err = Canonical(c.decoder(), old); err != nil {
			return false, err
		}
	}
	return bytes.Equal(old, json), nil
}

// merged returns the JSON of e's record with the fields of o on top.
func (c *Change) merged(e Entry, o *value.Obj) ([]byte, error) {
	raw, err := c.b.Raw(e)
	if err != nil {
		return nil, err
	}
	// The value shares raw's bytes, but is done with before those change.
	old, err := DecodeRecord(c.decoder(), raw)
	if err != nil {
		return nil, err
	}
	b := value.NewObjectBuilder(c.sc.shapes, old.Obj().Len()+o.Len())
	b.SetAll(old.Obj())
	b.SetAll(o)
	c.buf = value.AppendJSON(c.buf[:0], b.Value())
	return c.buf, nil
}

// expire removes the records last written before cutoff.
func (c *Change) Expire(cutoff int64) error {
	for c.Ix.Ages.Expired(cutoff) {
		i, _ := c.Ix.Ages.head()
		if err := c.Remove(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *Change) Remove(i uint32) error {
	key := c.Ix.Key(c.Ix.At(i))
	c.Ix.Kill(i)
	return c.b.Drop(key)
}

// decodeRecord reads a stored record and takes data over.
func DecodeRecord(dec *value.Decoder, data []byte) (value.Value, error) {
	v, err := dec.Decode(data)
	if err != nil {
		return value.Value{}, err
	}
	if v.Kind() != value.Object {
		return value.Value{}, fmt.Errorf("found %s, expected an object", value.Describe(v))
	}
	return v, nil
}

// canonical returns the JSON of a record as this program writes it.
func Canonical(dec *value.Decoder, raw []byte) ([]byte, error) {
	v, err := DecodeRecord(dec, raw) // shares raw's bytes, for as long as this call
	if err != nil {
		return nil, err
	}
	return value.AppendJSON(nil, v), nil
}

// Others returns the entries whose keys another store does not have, which is
// read page by page.
func (c *Change) Others(ctx context.Context, s store.Store) (others []uint32, err error) {
	there := make([]bool, c.Ix.N)
	for cursor := ""; ; {
		p, err := s.Page(ctx, cursor, 1000, nil)
		if err != nil {
			return nil, err
		}
		for _, r := range p.Records {
			if i, _, ok := c.Ix.Find(r.Key); ok {
				there[i] = true
			}
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	for i := range c.Ix.N {
		if !there[i] && c.Ix.At(i).Loc&Dead == 0 {
			others = append(others, i)
		}
	}
	return others, nil
}
