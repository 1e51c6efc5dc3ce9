package store

import (
	"regexp"
	"sync"
	"testing"
	"time"
)

func TestKeys(t *testing.T) {
	now := time.Date(2026, 1, 20, 9, 0, 0, 123_456_789, time.UTC)
	k := NewKeys(func() time.Time { return now })
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	first := k.Next()
	// 2026-01-20T09:00:00.123Z is 1768899600123 ms, 0x19bdaa1defb; .456789 of
	// a millisecond is 1871/4096, 0x74f.
	if !form.MatchString(first) || first[:18] != "019bdaa1-defb-774f" {
		t.Errorf("first key %s", first)
	}
	last := first
	for _, step := range []time.Duration{0, 0, time.Millisecond, -time.Hour, 0, time.Hour, 10 * time.Hour} {
		now = now.Add(step)
		next := k.Next()
		if !form.MatchString(next) || next <= last {
			t.Errorf("after %v: %s follows %s", step, next, last)
		}
		last = next
	}
	for range 10_000 { // more than the counter's 4,096 within one millisecond
		next := k.Next()
		if next <= last {
			t.Fatalf("%s follows %s", next, last)
		}
		last = next
	}
}

// TestReserve: keys of reserved stamps sort among the others by when they were
// reserved, and can be made again.
func TestReserve(t *testing.T) {
	now := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	k := NewKeys(func() time.Time { return now })
	last := k.Next()
	first := k.Reserve(3)
	behind := k.Next()
	for i := range uint64(3) {
		key := KeyAt(first+i, [8]byte{1, 2, 3})
		if key <= last || key >= behind || key != KeyAt(first+i, [8]byte{1, 2, 3}) {
			t.Errorf("%s, expected to be between %s and %s", key, last, behind)
		}
		last = key
	}
}

func TestKeysAreUniqueAmongTasks(t *testing.T) {
	k := NewKeys(nil)
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				key := k.Next()
				mu.Lock()
				if seen[key] {
					t.Errorf("%s twice", key)
				}
				seen[key] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func BenchmarkKeys(b *testing.B) {
	k := NewKeys(nil)
	for b.Loop() {
		k.Next()
	}
}
