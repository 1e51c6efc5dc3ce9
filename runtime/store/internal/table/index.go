package table

import (
	"hash/crc32"
	"hash/maphash"
	"unsafe"
)

// castagnoli is the polynomial that processors compute in hardware.
var Castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the hash kept for each record's bytes. It tells most changed
// records from the stored ones without reading those, and a record that was
// damaged on disk from a good one.
func Checksum(b []byte) uint32 { return crc32.Checksum(b, Castagnoli) }

// entry says where a record is. Entries are numbered in the order in which
// their keys were first stored.
type Entry struct {
	Loc  uint64 // where its bytes are << locShift | flags
	Size uint32 // how many bytes
	Hash uint32 // their checksum
	key  uint32 // position of the key in the arena
	klen uint32
}

// Flags of entry.loc.
const (
	InJournal = 1 << iota // the bytes are in the journal, not in the snapshot
	Dead                  // the record was removed
	Odd                   // the bytes are valid JSON but not as this program writes it
	LocShift  = 3
)

func (e Entry) Offset() int64 { return int64(e.Loc >> LocShift) }

// Entries come in chunks, which grow without copying.
const (
	chunkBits = 10
	ChunkLen  = 1 << chunkBits
)

type chunk struct {
	epoch uint64 // the index's when the chunk was made
	e     [ChunkLen]Entry
}

const (
	keyArenaShift = 16
	// maxEntries and maxKeyChunks bound an index: entries hold 32-bit numbers.
	maxEntries   = 1<<32 - 2
	maxKeyChunks = 1 << (32 - keyArenaShift)
)

// index finds records by key and keeps their order, at about 35 bytes a record
// besides its key. It holds no records. Readers share it; who changes it must
// be alone, save for views.
type Index struct {
	seed  maphash.Seed
	slots []uint64 // open addressing: key's hash << 32 | entry number + 1; 0 is free
	used  int      // slots not free, those of dead entries included

	chunks    []*chunk
	N         uint32 // entries, dead ones included
	oldest    uint32 // no live entry is before this one
	Live      int
	LiveBytes int64 // of live records and their keys
	keys      Arena
	Ages      *ages // nil if times of writing aren't kept

	epoch uint64 // counts views
	views int    // open ones; while there is one, chunks are copied before a change
}

func NewIndex(withAges bool) *Index {
	ix := &Index{seed: maphash.MakeSeed(), keys: Arena{Shift: keyArenaShift}}
	if withAges {
		ix.Ages = &ages{}
	}
	return ix
}

func (ix *Index) hash(key string) uint32 { return uint32(maphash.String(ix.seed, key) >> 32) }

// at returns entry number i.
func (ix *Index) At(i uint32) Entry { return ix.chunks[i>>chunkBits].e[i&(ChunkLen-1)] }

// key returns e's key, which shares the arena's bytes.
func (ix *Index) Key(e Entry) string { return arenaKey(&ix.keys, e) }

func arenaKey(a *Arena, e Entry) string {
	if e.klen == 0 {
		return ""
	}
	b := a.Get(uint64(e.key), int(e.klen))
	return unsafe.String(&b[0], len(b))
}

// find returns the number of key's live entry. The hash is for insert.
func (ix *Index) Find(key string) (i, hash uint32, ok bool) {
	hash = ix.hash(key)
	if len(ix.slots) == 0 {
		return 0, hash, false
	}
	mask := uint32(len(ix.slots) - 1)
	for p := hash & mask; ; p = (p + 1) & mask {
		s := ix.slots[p]
		if s == 0 {
			return 0, hash, false
		}
		if uint32(s>>32) == hash {
			i := uint32(s) - 1
			if e := ix.At(i); e.Loc&Dead == 0 && ix.Key(e) == key {
				return i, hash, true
			}
		}
	}
}

// room reports whether n more records with keyBytes of keys surely fit. Any two
// chunks of the arena in a row hold more keys than one has room for.
func (ix *Index) Room(n int, keyBytes int64) bool {
	chunks := int64(len(ix.keys.chunks)) + 2*(keyBytes>>keyArenaShift) + 2
	return int64(ix.N)+int64(n) <= maxEntries && chunks <= maxKeyChunks
}

// insert adds a key that is not there, with its hash from find. There must be
// room.
func (ix *Index) Insert(key string, hash uint32, e Entry) uint32 {
	if (ix.used+1)*4 > len(ix.slots)*3 {
		ix.growSlots()
	}
	i := ix.N
	e.key, e.klen = uint32(ArenaPut(&ix.keys, key)), uint32(len(key))
	if int(i>>chunkBits) == len(ix.chunks) {
		ix.chunks = append(ix.chunks, &chunk{epoch: ix.epoch})
	}
	*ix.slot(i) = e
	ix.N++
	ix.used++
	ix.Live++
	ix.LiveBytes += int64(e.Size) + int64(e.klen)
	mask := uint32(len(ix.slots) - 1)
	p := hash & mask
	for ix.slots[p] != 0 {
		p = (p + 1) & mask
	}
	ix.slots[p] = uint64(hash)<<32 | uint64(i+1)
	return i
}

// slot returns the place of entry i for writing: in a copy of its chunk if a
// view may be reading that.
func (ix *Index) slot(i uint32) *Entry {
	c := ix.chunks[i>>chunkBits]
	if ix.views > 0 && c.epoch < ix.epoch {
		copied := *c
		copied.epoch = ix.epoch
		c = &copied
		ix.chunks[i>>chunkBits] = c
	}
	return &c.e[i&(ChunkLen-1)]
}

// update points live entry i to new bytes.
func (ix *Index) Update(i uint32, loc uint64, size, hash uint32) {
	e := ix.slot(i)
	ix.LiveBytes += int64(size) - int64(e.Size)
	e.Loc, e.Size, e.Hash = loc, size, hash
}

// kill removes live entry i.
func (ix *Index) Kill(i uint32) {
	e := ix.slot(i)
	e.Loc |= Dead
	ix.Live--
	ix.LiveBytes -= int64(e.Size) + int64(e.klen)
	if ix.Ages != nil {
		ix.Ages.unlink(i)
	}
}

// clear removes all entries. Views stay as they are.
func (ix *Index) Clear() {
	fresh := NewIndex(ix.Ages != nil)
	fresh.epoch, fresh.views = ix.epoch, ix.views
	*ix = *fresh
}

// first returns the live entry whose key was stored first; there must be one.
func (ix *Index) first() uint32 {
	for ix.At(ix.oldest).Loc&Dead != 0 {
		ix.oldest++
	}
	return ix.oldest
}

// growSlots makes room in the hash table and forgets dead entries' slots.
func (ix *Index) growSlots() {
	size := 16
	for size*2 < (ix.Live+1)*4 {
		size *= 2
	}
	old, forget := ix.slots, ix.used > ix.Live
	ix.slots = make([]uint64, size)
	ix.used = 0
	mask := uint32(size - 1)
	for _, s := range old {
		if s == 0 || forget && ix.At(uint32(s)-1).Loc&Dead != 0 {
			continue
		}
		p := uint32(s>>32) & mask
		for ix.slots[p] != 0 {
			p = (p + 1) & mask
		}
		ix.slots[p] = s
		ix.used++
	}
}

// wasteful reports whether dead entries take so much room that the index
// should be rebuilt.
func (ix *Index) Wasteful() bool { return int(ix.N)-ix.Live > ix.Live+64*ChunkLen }

// rebuilt returns an index of the live entries only, as move places them.
// Their order and times stay.
func (ix *Index) Rebuilt(move func(Entry) Entry) *Index {
	nx := NewIndex(false)
	nx.seed = ix.seed
	var renumbered []uint32
	if ix.Ages != nil {
		renumbered = make([]uint32, ix.N)
	}
	for i := range ix.N {
		e := ix.At(i)
		if e.Loc&Dead != 0 {
			continue
		}
		key := ix.Key(e)
		n := nx.Insert(key, ix.hash(key), move(e))
		if renumbered != nil {
			renumbered[i] = n
		}
	}
	if ix.Ages != nil {
		nx.Ages = &ages{}
		for i, ok := ix.Ages.head(); ok; i, ok = ix.Ages.after(i) {
			nx.Ages.Write(renumbered[i], ix.Ages.At(i).Time)
		}
	}
	return nx
}

// moved returns an index in which move has placed the live entries. ix stays as
// it is, and must not be changed beside the new one, since they share what does
// not move. Views may be taken of ix meanwhile.
func (ix *Index) Moved(move func(Entry) Entry) *Index {
	if (int(ix.N)-ix.Live)*8 > int(ix.N) {
		return ix.Rebuilt(move)
	}
	// Views are of ix; the new one has chunks that nobody else reads.
	nx := &Index{
		seed: ix.seed, slots: ix.slots, used: ix.used,
		chunks: make([]*chunk, 0, len(ix.chunks)), N: ix.N, oldest: ix.oldest,
		Live: ix.Live, keys: ix.keys, Ages: ix.Ages,
	}
	for i := range ix.N {
		if i&(ChunkLen-1) == 0 {
			nx.chunks = append(nx.chunks, &chunk{e: ix.chunks[i>>chunkBits].e})
		}
		if e := ix.At(i); e.Loc&Dead == 0 {
			e = move(e)
			nx.LiveBytes += int64(e.Size) + int64(e.klen)
			nx.chunks[i>>chunkBits].e[i&(ChunkLen-1)] = e
		}
	}
	return nx
}

// view is a frozen picture of an index.
type view struct {
	chunks []*chunk
	keys   Arena
	N      uint32
}

// freeze returns a view. As a change of the index, it needs to be alone with
// it, and so does thaw, which says that the view is done with.
func (ix *Index) Freeze() view {
	ix.epoch++
	ix.views++
	return view{chunks: append([]*chunk(nil), ix.chunks...), keys: ix.keys, N: ix.N}
}

func (ix *Index) Thaw() { ix.views-- }

func (v *view) At(i uint32) Entry { return v.chunks[i>>chunkBits].e[i&(ChunkLen-1)] }

func (v *view) Key(e Entry) string { return arenaKey(&v.keys, e) }
