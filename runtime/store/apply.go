package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sync"
	"unicode/utf8"

	"reqon/vm/value"
)

// errFull is returned when an index can't number any more records.
var errFull = errors.New("the store can't hold more records: the limits are 4 billion records and about 2 GiB of keys")

// backing is where records' bytes are: a journal and a snapshot, or memory.
type backing interface {
	// raw returns the bytes of e, valid until the next call of any method.
	raw(e entry) ([]byte, error)
	// put stores json as key's record and returns its entry.loc.
	put(key string, json []byte) (loc uint64, err error)
	// touch notes that key's record was written, unchanged.
	touch(key string) error
	// drop notes that key's record was removed.
	drop(key string) error
}

// change applies one batch to an index and its backing.
type change struct {
	ix  *index
	b   backing
	sc  *scratch
	dec *value.Decoder // nil until decoder
	now int64          // time of the batch, in milliseconds
	buf []byte         // of merged records
}

// begin makes c ready for a batch.
func (c *change) begin(ix *index, b backing, sc *scratch, now int64) {
	c.ix, c.b, c.sc, c.now = ix, b, sc, now
}

// decoder returns a decoder for the rest of the batch.
func (c *change) decoder() *value.Decoder {
	if c.dec == nil {
		c.dec = c.sc.decoder()
	}
	return c.dec
}

// end gives back what the batch used.
func (c *change) end() {
	if c.dec != nil {
		c.sc.release(c.dec)
		c.dec = nil
	}
	if cap(c.buf) > maxKeptBuffer {
		c.buf = nil
	}
}

// encoded is the JSON of records in a row of a batch, one behind the other.
type encoded struct {
	from int // number of the first record
	json []byte
	ends []int
}

// encodeAhead is how many records of a batch are encoded at a time. The first
// are encoded before the batch takes the store's lock.
const encodeAhead = 4096

// scratch holds what batches and readers use for a moment, one at a time.
type scratch struct {
	shapes  *value.Shapes
	decs    sync.Pool // of *value.Decoder
	encodes sync.Pool // of *encoded
}

func newScratch(shapes *value.Shapes) *scratch {
	return &scratch{
		shapes:  shapes,
		decs:    sync.Pool{New: func() any { return value.NewDecoder(shapes) }},
		encodes: sync.Pool{New: func() any { return new(encoded) }},
	}
}

func (s *scratch) decoder() *value.Decoder { return s.decs.Get().(*value.Decoder) }

func (s *scratch) release(d *value.Decoder) { s.decs.Put(d) }

// decode reads one stored record and takes data over.
func (s *scratch) decode(data []byte) (value.Value, error) {
	dec := s.decoder()
	defer s.release(dec)
	return decodeRecord(dec, data)
}

// encode returns the JSON of the first records of a batch.
func (s *scratch) encode(recs []Record) *encoded {
	enc := s.encodes.Get().(*encoded)
	enc.fill(recs, 0)
	return enc
}

// done gives enc's buffer back, unless one large batch has blown it up.
func (s *scratch) done(enc *encoded) {
	if cap(enc.json) <= maxKeptBuffer {
		s.encodes.Put(enc)
	}
}

func (enc *encoded) fill(recs []Record, from int) {
	enc.from, enc.json, enc.ends = from, enc.json[:0], enc.ends[:0]
	for _, r := range recs[from:min(from+encodeAhead, len(recs))] {
		enc.json = value.AppendJSON(enc.json, r.Value)
		enc.ends = append(enc.ends, len(enc.json))
	}
}

// record returns the JSON of record i of recs; i must not go back.
func (enc *encoded) record(recs []Record, i int) []byte {
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
func (enc *encoded) rewind(recs []Record) {
	if enc.from > 0 {
		enc.fill(recs, 0)
	}
}

// maxKeptBuffer is the largest buffer, in bytes, that is kept for reuse.
const maxKeptBuffer = 4 << 20

// putAll stores recs and then drops what is beyond keep.
func (c *change) putAll(recs []Record, enc *encoded, mode Mode, keep int) (Result, error) {
	var res Result
	var keyBytes int64
	for i := range recs {
		keyBytes += int64(len(recs[i].Key))
	}
	if !c.ix.room(len(recs), keyBytes) {
		return res, errFull
	}
	for i := range recs {
		if err := c.putOne(recs[i], enc.record(recs, i), mode, &res); err != nil {
			return res, err
		}
	}
	for keep > 0 && c.ix.live > keep {
		if err := c.remove(c.ix.first()); err != nil {
			return res, err
		}
	}
	return res, nil
}

func (c *change) putOne(rec Record, json []byte, mode Mode, res *Result) error {
	if err := checkJSON(rec.Key, json); err != nil {
		return err
	}
	i, hash, ok := c.ix.find(rec.Key)
	if !ok {
		loc, err := c.b.put(rec.Key, json)
		if err != nil {
			return err
		}
		i = c.ix.insert(rec.Key, hash, entry{loc: loc, size: uint32(len(json)), hash: checksum(json)})
		c.written(i)
		res.Inserted++
		return nil
	}
	e := c.ix.at(i)
	sum := checksum(json)
	same, err := c.same(e, json, sum)
	if err == nil && !same && mode == Merge {
		if json, err = c.merged(e, rec.Value.Obj()); err == nil {
			sum = checksum(json)
			same, err = c.same(e, json, sum)
		}
	}
	if err != nil {
		return fmt.Errorf("record %q: %w", rec.Key, err)
	}
	if same {
		res.Unchanged++
		if c.ix.ages != nil {
			c.written(i)
			return c.b.touch(rec.Key)
		}
		return nil
	}
	if len(json) > math.MaxUint32 {
		return fmt.Errorf("the merged record %q is %d bytes of JSON; the limit is %d", rec.Key, len(json), math.MaxUint32)
	}
	loc, err := c.b.put(rec.Key, json)
	if err != nil {
		return err
	}
	c.ix.update(i, loc, uint32(len(json)), sum)
	c.written(i)
	res.Updated++
	return nil
}

// checkJSON refuses a record that could not be read again.
func checkJSON(key string, json []byte) error {
	if len(json) > maxRecord {
		return fmt.Errorf("the record %q is %d bytes of JSON; the limit is %d", key, len(json), maxRecord)
	}
	if !utf8.Valid(json) {
		return fmt.Errorf("the record %q holds text that is not valid UTF-8", key)
	}
	return nil
}

func (c *change) written(i uint32) {
	if c.ix.ages != nil {
		c.ix.ages.write(i, c.now)
	}
}

// same reports whether e's record is json, byte for byte. The bytes are read
// only if size and checksum say they may be.
func (c *change) same(e entry, json []byte, sum uint32) (bool, error) {
	if e.loc&odd == 0 && (int(e.size) != len(json) || e.hash != sum) {
		return false, nil
	}
	old, err := c.b.raw(e)
	if err != nil {
		return false, err
	}
	if e.loc&odd != 0 {
		if old, err = canonical(c.decoder(), old); err != nil {
			return false, err
		}
	}
	return bytes.Equal(old, json), nil
}

// merged returns the JSON of e's record with the fields of o on top.
func (c *change) merged(e entry, o *value.Obj) ([]byte, error) {
	raw, err := c.b.raw(e)
	if err != nil {
		return nil, err
	}
	// The value shares raw's bytes, but is done with before those change.
	old, err := decodeRecord(c.decoder(), raw)
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
func (c *change) expire(cutoff int64) error {
	for c.ix.ages.expired(cutoff) {
		i, _ := c.ix.ages.head()
		if err := c.remove(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) remove(i uint32) error {
	key := c.ix.key(c.ix.at(i))
	c.ix.kill(i)
	return c.b.drop(key)
}

// decodeRecord reads a stored record and takes data over.
func decodeRecord(dec *value.Decoder, data []byte) (value.Value, error) {
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
func canonical(dec *value.Decoder, raw []byte) ([]byte, error) {
	v, err := decodeRecord(dec, raw) // shares raw's bytes, for as long as this call
	if err != nil {
		return nil, err
	}
	return value.AppendJSON(nil, v), nil
}
