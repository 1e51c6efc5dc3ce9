package store

import (
	"hash/crc32"
	"hash/maphash"
	"unsafe"
)

// castagnoli is the polynomial that processors compute in hardware.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is the hash kept for each record's bytes. It tells most changed
// records from the stored ones without reading those, and a record that was
// damaged on disk from a good one.
func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// entry says where a record is. Entries are numbered in the order in which
// their keys were first stored.
type entry struct {
	loc  uint64 // where its bytes are << locShift | flags
	size uint32 // how many bytes
	hash uint32 // their checksum
	key  uint32 // position of the key in the arena
	klen uint32
}

// Flags of entry.loc.
const (
	inJournal = 1 << iota // the bytes are in the journal, not in the snapshot
	dead                  // the record was removed
	odd                   // the bytes are valid JSON but not as this program writes it
	locShift  = 3
)

func (e entry) offset() int64 { return int64(e.loc >> locShift) }

// Entries come in chunks, which grow without copying.
const (
	chunkBits = 10
	chunkLen  = 1 << chunkBits
)

type chunk struct {
	epoch uint64 // the index's when the chunk was made
	e     [chunkLen]entry
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
type index struct {
	seed  maphash.Seed
	slots []uint64 // open addressing: key's hash << 32 | entry number + 1; 0 is free
	used  int      // slots not free, those of dead entries included

	chunks    []*chunk
	n         uint32 // entries, dead ones included
	oldest    uint32 // no live entry is before this one
	live      int
	liveBytes int64 // of live records and their keys
	keys      arena
	ages      *ages // nil if times of writing aren't kept

	epoch uint64 // counts views
	views int    // open ones; while there is one, chunks are copied before a change
}

func newIndex(withAges bool) *index {
	ix := &index{seed: maphash.MakeSeed(), keys: arena{shift: keyArenaShift}}
	if withAges {
		ix.ages = &ages{}
	}
	return ix
}

func (ix *index) hash(key string) uint32 { return uint32(maphash.String(ix.seed, key) >> 32) }

// at returns entry number i.
func (ix *index) at(i uint32) entry { return ix.chunks[i>>chunkBits].e[i&(chunkLen-1)] }

// key returns e's key, which shares the arena's bytes.
func (ix *index) key(e entry) string { return arenaKey(&ix.keys, e) }

func arenaKey(a *arena, e entry) string {
	if e.klen == 0 {
		return ""
	}
	b := a.get(uint64(e.key), int(e.klen))
	return unsafe.String(&b[0], len(b))
}

// find returns the number of key's live entry. The hash is for insert.
func (ix *index) find(key string) (i, hash uint32, ok bool) {
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
			if e := ix.at(i); e.loc&dead == 0 && ix.key(e) == key {
				return i, hash, true
			}
		}
	}
}

// room reports whether n more records with keyBytes of keys surely fit. Any two
// chunks of the arena in a row hold more keys than one has room for.
func (ix *index) room(n int, keyBytes int64) bool {
	chunks := int64(len(ix.keys.chunks)) + 2*(keyBytes>>keyArenaShift) + 2
	return int64(ix.n)+int64(n) <= maxEntries && chunks <= maxKeyChunks
}

// insert adds a key that is not there, with its hash from find. There must be
// room.
func (ix *index) insert(key string, hash uint32, e entry) uint32 {
	if (ix.used+1)*4 > len(ix.slots)*3 {
		ix.growSlots()
	}
	i := ix.n
	e.key, e.klen = uint32(arenaPut(&ix.keys, key)), uint32(len(key))
	if int(i>>chunkBits) == len(ix.chunks) {
		ix.chunks = append(ix.chunks, &chunk{epoch: ix.epoch})
	}
	*ix.slot(i) = e
	ix.n++
	ix.used++
	ix.live++
	ix.liveBytes += int64(e.size) + int64(e.klen)
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
func (ix *index) slot(i uint32) *entry {
	c := ix.chunks[i>>chunkBits]
	if ix.views > 0 && c.epoch < ix.epoch {
		copied := *c
		copied.epoch = ix.epoch
		c = &copied
		ix.chunks[i>>chunkBits] = c
	}
	return &c.e[i&(chunkLen-1)]
}

// update points live entry i to new bytes.
func (ix *index) update(i uint32, loc uint64, size, hash uint32) {
	e := ix.slot(i)
	ix.liveBytes += int64(size) - int64(e.size)
	e.loc, e.size, e.hash = loc, size, hash
}

// kill removes live entry i.
func (ix *index) kill(i uint32) {
	e := ix.slot(i)
	e.loc |= dead
	ix.live--
	ix.liveBytes -= int64(e.size) + int64(e.klen)
	if ix.ages != nil {
		ix.ages.unlink(i)
	}
}

// clear removes all entries. Views stay as they are.
func (ix *index) clear() {
	fresh := newIndex(ix.ages != nil)
	fresh.epoch, fresh.views = ix.epoch, ix.views
	*ix = *fresh
}

// first returns the live entry whose key was stored first; there must be one.
func (ix *index) first() uint32 {
	for ix.at(ix.oldest).loc&dead != 0 {
		ix.oldest++
	}
	return ix.oldest
}

// growSlots makes room in the hash table and forgets dead entries' slots.
func (ix *index) growSlots() {
	size := 16
	for size*2 < (ix.live+1)*4 {
		size *= 2
	}
	old, forget := ix.slots, ix.used > ix.live
	ix.slots = make([]uint64, size)
	ix.used = 0
	mask := uint32(size - 1)
	for _, s := range old {
		if s == 0 || forget && ix.at(uint32(s)-1).loc&dead != 0 {
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
func (ix *index) wasteful() bool { return int(ix.n)-ix.live > ix.live+64*chunkLen }

// rebuilt returns an index of the live entries only, as move places them.
// Their order and times stay.
func (ix *index) rebuilt(move func(entry) entry) *index {
	nx := newIndex(false)
	nx.seed = ix.seed
	var renumbered []uint32
	if ix.ages != nil {
		renumbered = make([]uint32, ix.n)
	}
	for i := range ix.n {
		e := ix.at(i)
		if e.loc&dead != 0 {
			continue
		}
		key := ix.key(e)
		n := nx.insert(key, ix.hash(key), move(e))
		if renumbered != nil {
			renumbered[i] = n
		}
	}
	if ix.ages != nil {
		nx.ages = &ages{}
		for i, ok := ix.ages.head(); ok; i, ok = ix.ages.after(i) {
			nx.ages.write(renumbered[i], ix.ages.at(i).time)
		}
	}
	return nx
}

// moved returns an index in which move has placed the live entries. ix stays as
// it is, and must not be changed beside the new one, since they share what does
// not move. Views may be taken of ix meanwhile.
func (ix *index) moved(move func(entry) entry) *index {
	if (int(ix.n)-ix.live)*8 > int(ix.n) {
		return ix.rebuilt(move)
	}
	// Views are of ix; the new one has chunks that nobody else reads.
	nx := &index{
		seed: ix.seed, slots: ix.slots, used: ix.used,
		chunks: make([]*chunk, 0, len(ix.chunks)), n: ix.n, oldest: ix.oldest,
		live: ix.live, keys: ix.keys, ages: ix.ages,
	}
	for i := range ix.n {
		if i&(chunkLen-1) == 0 {
			nx.chunks = append(nx.chunks, &chunk{e: ix.chunks[i>>chunkBits].e})
		}
		if e := ix.at(i); e.loc&dead == 0 {
			e = move(e)
			nx.liveBytes += int64(e.size) + int64(e.klen)
			nx.chunks[i>>chunkBits].e[i&(chunkLen-1)] = e
		}
	}
	return nx
}

// view is a frozen picture of an index.
type view struct {
	chunks []*chunk
	keys   arena
	n      uint32
}

// freeze returns a view. As a change of the index, it needs to be alone with
// it, and so does thaw, which says that the view is done with.
func (ix *index) freeze() view {
	ix.epoch++
	ix.views++
	return view{chunks: append([]*chunk(nil), ix.chunks...), keys: ix.keys, n: ix.n}
}

func (ix *index) thaw() { ix.views-- }

func (v *view) at(i uint32) entry { return v.chunks[i>>chunkBits].e[i&(chunkLen-1)] }

func (v *view) key(e entry) string { return arenaKey(&v.keys, e) }
