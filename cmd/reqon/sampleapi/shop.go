package sampleapi

import (
	"fmt"
	"time"
)

// How many records there are before anything changes.
const (
	fixedCustomers = 1200
	fixedOrders    = 3000
	fixedProducts  = 800 // and never more
)

// The fixed records were made and changed in the two years between these.
var (
	fixedStart = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	fixedEnd   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// moment is the shop at one time. Ticks are counted from the API's start; with
// each of them something changes, as the kinds of records say.
//
// Records are addressed by index. An index keeps its record for ever, times of
// change only grow, and new records come last: a client that pages in this order
// while the shop changes may see a record twice, and misses none.
type moment struct {
	now   time.Time
	start time.Time
	tick  time.Duration
	ticks int64 // that have passed
}

// at returns the time of a tick.
func (m moment) at(tick int64) time.Time { return m.start.Add(time.Duration(tick) * m.tick) }

// rota says which of the fixed records of a kind is changed when: one with every
// so many ticks, in an order that jumps about and comes round to all.
type rota struct {
	size  int64 // records
	every int64 // ticks
}

// rotaStride leads from one record to the next. It is a prime that divides no
// size.
const rotaStride = 389

// changes returns how often record i has been changed, and with which tick last.
func (r rota) changes(i, ticks int64) (count, last int64) {
	first := i * r.inverse() % r.size
	if first == 0 {
		first = r.size
	}
	turns := ticks / r.every
	if turns < first {
		return 0, 0
	}
	count = (turns-first)/r.size + 1
	return count, (first + (count-1)*r.size) * r.every
}

// inverse of rotaStride modulo size, by the extended Euclidean algorithm.
func (r rota) inverse() int64 {
	a, b, x, y := int64(rotaStride), r.size, int64(1), int64(0)
	for b != 0 {
		q := a / b
		a, b, x, y = b, a-q*b, y, x-q*y
	}
	return (x%r.size + r.size) % r.size
}

// fixedTimes returns when the i-th of n fixed records was made, in the order of
// i, and last changed.
func fixedTimes(r *random, i, n int) (created, updated time.Time) {
	step := fixedEnd.Sub(fixedStart) / time.Duration(n)
	created = fixedStart.Add(time.Duration(i)*step + time.Duration(r.below(int(step/time.Second)))*time.Second).Truncate(time.Second)
	left := fixedEnd.Sub(created)
	updated = created.Add(time.Duration(r.below(int(min(left, 30*24*time.Hour)/time.Second))) * time.Second)
	return created, updated
}

// money is an amount in hundredths. In JSON it always has its two digits, 19.90,
// as those of most shops do.
type money int64

// MarshalJSON writes the amount as a number.
func (m money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// String returns the amount with two digits.
func (m money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	return fmt.Sprintf("%s%d.%02d", sign, m/100, m%100)
}
