package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/flock"
	"reqon/vm/value"
)

// leased opens a store whose leases end only when a test says so.
func leased(t testing.TB, path string) (store.Store, *file) {
	t.Helper()
	d := openDir(t, path)
	d.leaseIdle, d.leaseMost = time.Hour, time.Hour
	s := openFile(t, d, "s", store.Options{})
	return s, s.(*fileStore).f
}

// within is a context that ends before a lease of leased does.
func within(t testing.TB, d time.Duration) context.Context {
	c, cancel := context.WithTimeout(ctx, d)
	t.Cleanup(cancel)
	return c
}

// free reports whether another process could take the lock of a file.
func free(t testing.TB, parts ...string) bool {
	t.Helper()
	l, err := os.OpenFile(filepath.Join(parts...), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ok, err := flock.Try(l)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// blocked checks that a Put waits for another process.
func blocked(t testing.TB, s store.Store, key string) {
	t.Helper()
	if _, err := s.Put(within(t, 5*time.Millisecond), store.Batch{Records: recs(t, key, `{}`)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Put of %s: %v", key, err)
	}
}

// watcherLooks does what the watcher of a lease does when its time has come.
func watcherLooks(f *file) {
	f.turn <- struct{}{}
	defer f.passTurn()
	f.inspect(f.lease)
}

func TestLeaseEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(s store.Store, f *file)
		free bool
	}{
		"not at once":          {func(s store.Store, f *file) {}, false},
		"when idle":            {func(s store.Store, f *file) { watcherLooks(f) }, true},
		"not while it is used": {func(s store.Store, f *file) { put(t, s, store.Overwrite, "b", `{}`); watcherLooks(f) }, false},
		"when idle after use": {func(s store.Store, f *file) {
			put(t, s, store.Overwrite, "b", `{}`)
			watcherLooks(f)
			watcherLooks(f)
		}, true},
		"when it has lasted long enough": {func(s store.Store, f *file) {
			put(t, s, store.Overwrite, "b", `{}`)
			f.dir.leaseMost = 0
			watcherLooks(f)
		}, true},
		"with Sync":  {func(s store.Store, f *file) { s.Sync(ctx) }, true},
		"with Close": {func(s store.Store, f *file) { s.Close() }, true},
		"when a change fails": {func(s store.Store, f *file) {
			if _, err := s.Put(ctx, store.Batch{Records: recs(t, "b", `{}`)}); err != nil {
				t.Error(err)
			}
			f.gen.journal.Close()
			if _, err := s.Put(ctx, store.Batch{Records: recs(t, "c", `{}`)}); err == nil {
				t.Error("no error")
			}
		}, true},
		"not with a read": {func(s store.Store, f *file) { expect(t, s, `a={}`) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			s, f := leased(t, path)
			put(t, s, store.Overwrite, "a", `{}`)
			c.do(s, f)
			if got := free(t, path, ".s.lock"); got != c.free {
				t.Errorf("the lock is free: %v", got)
			}
			if _, err := os.Stat(filepath.Join(path, ".s.queue")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("one process alone made a queue: %v", err)
			}
		})
	}
}

// TestLeaseEndsByItself: nothing more is done with the store, and the lock
// becomes free, and nothing goes on.
func TestLeaseEndsByItself(t *testing.T) {
	path := t.TempDir()
	s := openFile(t, openDir(t, path), "s", store.Options{})
	f := s.(*fileStore).f
	put(t, s, store.Overwrite, "a", `{}`)
	f.watchers.Wait()
	if !free(t, path, ".s.lock") || !free(t, path, ".s.journal") {
		t.Error("a lock is left")
	}
	if f.leased.Load() {
		t.Error("readers still see a lease")
	}
}

func TestNothingOutlivesClose(t *testing.T) {
	s, _ := leased(t, t.TempDir())
	put(t, s, store.Overwrite, "a", `{}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	if stacks := string(buf[:runtime.Stack(buf, true)]); strings.Contains(stacks, "(*file)") {
		t.Errorf("a goroutine is left:\n%s", stacks)
	}
}

// TestLeaseKeepsOthersOut: another process changes nothing while a lease lasts,
// and goes on from what was stored in it.
func TestLeaseKeepsOthersOut(t *testing.T) {
	path := t.TempDir()
	s, f := leased(t, path)
	other, _ := leased(t, path)
	put(t, s, store.Overwrite, "a", `{}`)
	blocked(t, other, "x")
	put(t, s, store.Overwrite, "b", `{}`)
	rest(f)
	put(t, other, store.Overwrite, "x", `{}`)
	blocked(t, s, "y")
	expect(t, other, `a={}`, `b={}`, `x={}`)
}

// TestReadingUnderAnothersLease: who reads does not wait for who writes.
func TestReadingUnderAnothersLease(t *testing.T) {
	path := t.TempDir()
	s, f := leased(t, path)
	put(t, s, store.Overwrite, "a", `{}`)
	rest(f)
	d := openDir(t, path)
	other := openFile(t, d, "s", store.Options{})
	expiring := openFile(t, openDir(t, path), "s", store.Options{TTL: time.Hour})
	expect(t, other, `a={}`)
	expect(t, expiring, `a={}`)
	rest(expiring.(*fileStore).f)
	put(t, s, store.Overwrite, "b", `{}`, "c", `{}`)
	if _, err := s.Delete(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]store.Store{"other": other, "expiring": expiring} {
		if n, err := r.Len(within(t, 10*time.Second)); n != 2 || err != nil {
			t.Errorf("%s: Len = %d, %v", name, n, err)
		}
		if _, ok, err := r.Get(within(t, 10*time.Second), "c"); !ok || err != nil {
			t.Errorf("%s: Get = %v, %v", name, ok, err)
		}
	}
	put(t, s, store.Overwrite, "d", `{}`)
	expect(t, other, `b={}`, `c={}`, `d={}`)

	// Half a batch could be one that is being written. Only with the lock can
	// one know.
	full := read(t, path, ".s.journal")
	put(t, s, store.Overwrite, "e", `{"long":"0123456789"}`)
	whole := read(t, path, ".s.journal")
	write(t, whole[:len(whole)-5], path, ".s.journal")
	if _, err := other.Len(within(t, 5*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Len with half a batch: %v", err)
	}
	write(t, whole, path, ".s.journal")
	if n, err := other.Len(within(t, 10*time.Second)); n != 4 || err != nil {
		t.Errorf("Len = %d, %v", n, err)
	}
	if len(whole) <= len(full) {
		t.Error("the last batch is not in the journal")
	}

	// A journal that was replaced: what goes on is in another file.
	if err := s.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	put(t, s, store.Overwrite, "f", `{}`)
	rest(f)
	if n, err := other.Len(ctx); n != 5 || err != nil {
		t.Errorf("Len = %d, %v", n, err)
	}
}

// TestQueue: the lock is not taken past a process that waits for it.
func TestQueue(t *testing.T) {
	path := t.TempDir()
	s, f := leased(t, path)
	put(t, s, store.Overwrite, "a", `{}`)
	other, of := leased(t, path)
	blocked(t, other, "x") // makes the queue
	rest(f)
	q, err := os.OpenFile(filepath.Join(path, ".s.queue"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if ok, err := flock.Try(q); !ok || err != nil {
		t.Fatal("who gave up waiting is still in the queue:", ok, err)
	}
	blocked(t, s, "b")
	if !free(t, path, ".s.lock") {
		t.Error("the lock was taken")
	}
	if err := flock.Release(q); err != nil {
		t.Fatal(err)
	}
	put(t, s, store.Overwrite, "b", `{}`)
	if !free(t, path, ".s.queue") {
		t.Error("who has the lock still waits for it")
	}
	rest(f)

	// The queue removed by hand is made again by the next who has to wait.
	os.Remove(filepath.Join(path, ".s.queue"))
	put(t, other, store.Overwrite, "c", `{}`)
	blocked(t, s, "x")
	if !free(t, path, ".s.queue") {
		t.Error("who gave up waiting is still in the queue")
	}
	rest(of)
	expect(t, s, `a={}`, `b={}`, `c={}`)
}

// TestLockRemovedUnderALease: another process, which finds no lock file and
// makes one, leaves the journal alone until the lease is over. Nothing is lost.
func TestLockRemovedUnderALease(t *testing.T) {
	for _, loaded := range []bool{false, true} {
		path := t.TempDir()
		other, of := leased(t, path)
		s, f := leased(t, path)
		put(t, s, store.Overwrite, "a", `{}`)
		rest(f)
		if loaded {
			expect(t, other, `a={}`)
		}
		put(t, s, store.Overwrite, "b", `{}`)
		os.Remove(filepath.Join(path, ".s.lock"))
		blocked(t, other, "x")
		put(t, s, store.Overwrite, "c", `{}`)
		rest(f)
		put(t, other, store.Overwrite, "x", `{}`)
		blocked(t, s, "y")
		rest(of)
		put(t, s, store.Overwrite, "d", `{}`)
		expect(t, other, `a={}`, `b={}`, `c={}`, `x={}`, `d={}`)
		// While one replaces the files under a lock that is gone, too.
		os.Remove(filepath.Join(path, ".s.lock"))
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		put(t, other, store.Overwrite, "z", `{}`)
		rest(of)
		expect(t, s, `a={}`, `b={}`, `c={}`, `x={}`, `d={}`, `z={}`)
	}
}

// TestEditsUnderALease: what is done to the files by hand while a lease lasts is
// noticed when it is over, or at the next Sync.
func TestEditsUnderALease(t *testing.T) {
	start := func(t *testing.T) (path string, s store.Store, f *file) {
		path = t.TempDir()
		s, f = leased(t, path)
		put(t, s, store.Overwrite, "a", `{}`)
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		put(t, s, store.Overwrite, "b", `{}`)
		return path, s, f
	}
	reopened := func(t *testing.T, path string, want ...string) {
		t.Helper()
		expect(t, openFile(t, openDir(t, path), "s", store.Options{}), want...)
	}
	t.Run("journal removed", func(t *testing.T) {
		path, s, f := start(t)
		os.Remove(filepath.Join(path, ".s.journal"))
		put(t, s, store.Overwrite, "c", `{}`)
		rest(f)
		put(t, s, store.Overwrite, "d", `{}`)
		kill(f.dir)
		reopened(t, path, `a={}`, `b={}`, `c={}`, `d={}`)
	})
	t.Run("journal removed, then synced", func(t *testing.T) {
		path, s, f := start(t)
		os.Remove(filepath.Join(path, ".s.journal"))
		put(t, s, store.Overwrite, "c", `{}`)
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		kill(f.dir)
		reopened(t, path, `a={}`, `b={}`, `c={}`)
	})
	t.Run("all removed, then synced", func(t *testing.T) {
		path, s, f := start(t)
		for name := range tree(t, path) {
			os.Remove(filepath.Join(path, name))
		}
		put(t, s, store.Overwrite, "c", `{}`)
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		kill(f.dir)
		reopened(t, path, `a={}`, `b={}`, `c={}`)
	})
	t.Run("all removed, then the journal outgrown", func(t *testing.T) {
		path, s, f := start(t)
		for name := range tree(t, path) {
			os.Remove(filepath.Join(path, name))
		}
		text := strings.Repeat("x", 6<<20)
		for range 4 {
			put(t, s, store.Overwrite, "c", `{"text":"`+text+`"}`)
			put(t, s, store.Overwrite, "c", `{}`)
		}
		if f.end > replaceAbove {
			t.Fatalf("the journal has %d bytes", f.end)
		}
		kill(f.dir)
		reopened(t, path, `a={}`, `b={}`, `c={}`)
	})
	t.Run("all removed, and another store begun", func(t *testing.T) {
		path := t.TempDir()
		d, notices := noticed(t, path)
		d.leaseIdle, d.leaseMost = time.Hour, time.Hour
		s := openFile(t, d, "s", store.Options{})
		put(t, s, store.Overwrite, "a", `{}`)
		for name := range tree(t, path) {
			os.Remove(filepath.Join(path, name))
		}
		other := openFile(t, openDir(t, path), "s", store.Options{})
		put(t, other, store.Overwrite, "x", `{}`)
		put(t, s, store.Overwrite, "b", `{}`)
		rest(s.(*fileStore).f)
		put(t, s, store.Overwrite, "y", `{}`)
		expect(t, s, `x={}`, `y={}`)
		rest(s.(*fileStore).f)
		if len(*notices) != 1 || !strings.Contains((*notices)[0], "is gone") {
			t.Errorf("notices: %q", *notices)
		}
	})
	t.Run("snapshot replaced", func(t *testing.T) {
		path, s, f := start(t)
		write(t, `{"a":{"n":2}}`, path, "new")
		os.Rename(filepath.Join(path, "new"), filepath.Join(path, "s.json"))
		put(t, s, store.Overwrite, "c", `{}`)
		rest(f)
		put(t, s, store.Overwrite, "d", `{}`)
		expect(t, s, `a={}`, `b={}`, `c={}`, `d={}`)
		if err := s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		reopened(t, path, `a={"n":2}`, `b={}`, `c={}`, `d={}`)
	})
	t.Run("journal cut", func(t *testing.T) {
		path, s, f := start(t)
		if err := os.Truncate(filepath.Join(path, ".s.journal"), headerSize); err != nil {
			t.Fatal(err)
		}
		rest(f)
		put(t, s, store.Overwrite, "c", `{}`)
		expect(t, s, `a={}`, `c={}`)
	})
	t.Run("journal cut, and written on", func(t *testing.T) {
		path, s, f := start(t)
		if err := os.Truncate(filepath.Join(path, ".s.journal"), 0); err != nil {
			t.Fatal(err)
		}
		put(t, s, store.Overwrite, "c", `{}`)
		rest(f)
		// What was cut off is gone, and said to be; nothing is overwritten.
		if err := s.Sync(ctx); err == nil || !strings.Contains(err.Error(), "the journal") {
			t.Errorf("Sync: %v", err)
		}
		if got := read(t, path, "s.json"); !strings.Contains(got, `"a": {}`) {
			t.Errorf("snapshot: %s", got)
		}
	})
}

// TestFinishedIsSeen: what one process has finished another sees at once, while
// both write, sync and read, and somebody removes the lock and queue files now
// and then.
func TestFinishedIsSeen(t *testing.T) {
	path := quickDir(t)
	stores := [2]store.Store{}
	for i := range stores {
		d := openDir(t, path)
		d.leaseIdle, d.leaseMost = time.Millisecond, 2*time.Millisecond
		stores[i] = openFile(t, d, "s", store.Options{})
	}
	const tasks, steps = 2, 150
	var wg sync.WaitGroup
	for task := range 2 * tasks {
		mine, other := stores[task%2], stores[1-task%2]
		wg.Go(func() {
			for i := range steps {
				key := fmt.Sprintf("%d-%d", task, i)
				if _, err := mine.Put(ctx, store.Batch{Records: []store.Record{rec(t, key, fmt.Sprintf(`{"i":%d}`, i))}}); err != nil {
					t.Error(err)
				}
				if v, ok, err := other.Get(ctx, key); !ok || err != nil || value.Field(v, "i").Int() != int64(i) {
					t.Errorf("%s is not seen: %v, %v", key, ok, err)
				}
				switch {
				case i%40 == 39:
					if err := mine.Sync(ctx); err != nil {
						t.Error(err)
					}
				case i%50 == 25:
					os.Remove(filepath.Join(path, []string{".s.lock", ".s.queue"}[task%2]))
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		if n, err := s.Len(ctx); n != 2*tasks*steps || err != nil {
			t.Errorf("%d records, %v", n, err)
		}
	}
}
