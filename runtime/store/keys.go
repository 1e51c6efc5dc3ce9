package store

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// Keys makes keys for records that have none: UUIDs of version 7 (RFC 9562,
// section 5.7) in lower case, whose text sorts by the time they were made.
// Within one Keys every key is greater than the one before, also when the
// clock stands still or is set back; over restarts and processes the order is
// that of their clocks. Safe for concurrent use.
type Keys struct {
	now  func() time.Time
	mu   sync.Mutex
	last uint64 // milliseconds << 12 | counter, of the newest key
	rnd  [512]byte
	left int // bytes of rnd not yet used, at its end
}

// NewKeys returns a source of keys by the given clock; nil is time.Now.
func NewKeys(now func() time.Time) *Keys {
	if now == nil {
		now = time.Now
	}
	return &Keys{now: now}
}

// Next returns a new key of 36 characters.
func (k *Keys) Next() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	stamp := k.reserve(1)
	if k.left == 0 {
		rand.Read(k.rnd[:]) // never fails (package crypto/rand)
		k.left = len(k.rnd)
	}
	random := [8]byte(k.rnd[len(k.rnd)-k.left:])
	k.left -= 8
	return KeyAt(stamp, random)
}

// Reserve returns the first of n stamps in a row that no other key of this Keys
// has, for KeyAt: the keys made of them sort behind those before, and who writes
// the stamp down can make the same keys again.
func (k *Keys) Reserve(n int) uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reserve(n)
}

func (k *Keys) reserve(n int) uint64 {
	t := k.now()
	// The 12 bits below the milliseconds hold their fraction, so that keys of
	// several processes sort well too (RFC 9562, section 6.2, method 3).
	frac := uint64(t.Nanosecond()%1e6) << 12 / 1e6
	stamp := uint64(max(t.UnixMilli(), 0))<<12 | frac
	if stamp <= k.last {
		stamp = k.last + 1
	}
	k.last = stamp + uint64(n) - 1
	return stamp
}

// KeyAt returns the key of a stamp that Reserve has given, or one behind it of
// those that were reserved, with what tells it from the keys of others.
func KeyAt(stamp uint64, random [8]byte) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], stamp>>12<<16|stamp&0xfff|0x7000)
	copy(id[8:], random[:])
	id[8] = id[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
