package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"reqon/runtime/store"
	"reqon/runtime/store/internal/flock"
	"time"
)

// Taking the lock, looking whether another process has written, and giving the
// lock back are several calls of the system, more than storing one record
// takes. So who takes the lock for a change keeps it for the next ones, as a
// lease: while it lasts, no other process can have written, and nothing is
// looked at. It ends when the store has not been changed for a moment, when it
// has lasted long enough, and with whatever else needs the lock for longer.
//
// A process that would take the lock again right after its lease would leave
// the others, who can only look now and then, no chance. So who waits for the
// lock holds the queue file's lock meanwhile, and nobody takes the lock past
// that.
//
// Should somebody remove the lock file under a lease, another process could
// make and lock a new one. The journal itself is locked too, therefore, for as
// long as the lock is held.
const (
	// leaseIdle is how long a lease outlasts the last change. It may be twice
	// as long.
	leaseIdle = 5 * time.Millisecond
	// leaseMost is how long a lease lasts at most, which is how long others wait.
	leaseMost = 20 * time.Millisecond

	// Who waits looks at the lock this often; and seldom, once it has waited
	// for long.
	pollFirst  = 50 * time.Microsecond
	pollOften  = time.Millisecond
	pollSeldom = 10 * time.Millisecond
	pollLong   = 10 * time.Second
)

// lease is a lock that is kept from one change to the next. It belongs to who
// has the turn.
type lease struct {
	since time.Time
	used  bool          // since its watcher last looked
	over  chan struct{} // closed when the lock is given back
}

// purpose says what the lock is taken for.
type purpose uint8

const (
	// toRead fails with errNothing if the store has no files.
	toRead purpose = iota
	// toChange does too, and keeps the lock as a lease.
	toChange
	// toCreate makes what is not there, and keeps the lock as a lease.
	toCreate
)

// errNothing says that there is no file of the store yet.
var errNothing = errors.New("there is no such store yet")

// errHeld says that another process works on the journal, though the lock file
// was free, or that the journal has just been replaced: somebody has removed
// the lock file. It never leaves withLock.
var errHeld = errors.New("another process works on the journal")

// locked calls fn with the turn and the lock.
func (f *file) locked(ctx context.Context, to purpose, fn func() error) error {
	if err := f.takeTurn(ctx); err != nil {
		return err
	}
	defer f.passTurn()
	return f.withLock(ctx, to, fn)
}

func (f *file) takeTurn(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}: // at once, which is quicker to find out
		return nil
	default:
	}
	select {
	case f.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *file) passTurn() { <-f.turn }

// withLock is locked for who has the turn. It may call fn again, if that failed
// with errHeld.
func (f *file) withLock(ctx context.Context, to purpose, fn func() error) error {
	if f.closed {
		return store.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.lease == nil || to == toRead {
		if err := f.takeLock(ctx, to == toCreate); err != nil {
			return err
		}
	}
	err := fn()
	if errors.Is(err, errHeld) {
		err = f.again(ctx, fn)
	}
	if to != toRead && err == nil && f.loaded && f.gen.locked {
		f.keepLock()
	} else {
		f.giveLock()
	}
	return err
}

// again calls fn until it has the journal for itself.
func (f *file) again(ctx context.Context, fn func() error) error {
	var err error
	werr := f.poll(ctx, func() (bool, error) {
		err = fn()
		return !errors.Is(err, errHeld), nil
	})
	if werr != nil {
		return werr
	}
	return err
}

// keepLock makes the lock a lease, or the lease last.
func (f *file) keepLock() {
	if f.lease != nil {
		f.lease.used = true
		return
	}
	l := &lease{since: time.Now(), over: make(chan struct{})}
	f.lease = l
	f.leased.Store(true)
	f.watchers.Go(func() { f.watch(l) })
}

// endLease ends the lease, if there is one. The lock stays, but the files are
// looked at anew.
func (f *file) endLease() {
	if f.lease != nil {
		f.leased.Store(false)
		close(f.lease.over)
		f.lease = nil
	}
}

// giveLock ends the lease and gives the lock back.
func (f *file) giveLock() {
	f.endLease()
	f.gen.unlock()
	f.lock = letGo(f.lock)
}

// letGo gives the lock of an open file back and returns the file; nil if only
// closing it did.
func letGo(l *os.File) *os.File {
	if flock.Release(l) == nil {
		return l
	}
	l.Close()
	return nil
}

// watch gives the lock back when l has not been used for a while, or has lasted
// long enough.
func (f *file) watch(l *lease) {
	tick := time.NewTicker(f.dir.leaseIdle)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.over:
			return
		}
		select {
		case f.turn <- struct{}{}:
		case <-l.over:
			return
		}
		f.inspect(l)
		f.passTurn()
	}
}

// inspect ends l when it is time. It needs the turn.
func (f *file) inspect(l *lease) {
	if f.lease != l {
		return
	}
	if l.used && time.Since(l.since) < f.dir.leaseMost {
		l.used = false
		return
	}
	f.giveLock()
}

// takeLock opens the lock file and waits for the lock, unless that was kept.
func (f *file) takeLock(ctx context.Context, create bool) error {
	if f.lease != nil {
		f.endLease()
	} else if err := f.openLock(create); err != nil {
		return err
	} else if err := f.waitForLock(ctx); err != nil {
		return err
	}
	if !unlinked(f.lock) {
		return nil
	}
	// Somebody removed the lock file, so that other processes use another one.
	f.gen.unlock()
	f.lock.Close()
	f.lock = nil
	if err := f.openLock(true); err != nil {
		return err
	}
	return f.waitForLock(ctx)
}

func (f *file) openLock(create bool) error {
	if f.lock != nil {
		return nil
	}
	if f.folder == nil {
		folder, err := f.openFolder(create)
		if !create && errors.Is(err, fs.ErrNotExist) {
			return errNothing
		}
		if err != nil {
			return f.fail("open the folder of", f.snapshotName(), err)
		}
		f.folder = folder
	}
	if !create && !f.there(f.snapshotName()) && !f.there(f.journalName()) {
		return errNothing
	}
	l, err := openRegular(f.folder, f.lockName(), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return f.fail("open", f.lockName(), err)
	}
	f.lock = l
	return nil
}

func (f *file) openFolder(create bool) (*os.Root, error) {
	root, err := f.dir.open(create)
	if err != nil {
		return nil, err
	}
	return openFolder(root, path.Dir(f.name), create)
}

// there reports whether the folder has something of that name, or can't say.
func (f *file) there(name string) bool {
	_, err := f.folder.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// waitForLock takes the lock when no other process has it and none has waited
// before.
func (f *file) waitForLock(ctx context.Context) error {
	if f.queue != nil && unlinked(f.queue) {
		f.queue.Close()
		f.queue = nil
	}
	if f.queue == nil && !f.there(f.queueName()) {
		// No two processes have met here yet.
		ok, err := flock.Try(f.lock)
		if err != nil {
			return f.fail("lock", f.lockName(), err)
		}
		if ok {
			return nil
		}
	}
	if err := f.openQueue(); err != nil {
		return err
	}
	if err := f.pollLock(ctx, f.queue, f.queueName()); err != nil {
		return err
	}
	err := f.pollLock(ctx, f.lock, f.lockName())
	f.queue = letGo(f.queue)
	return err
}

// openQueue opens the queue file, which is made when a process first has to
// wait.
func (f *file) openQueue() error {
	if f.queue != nil {
		return nil
	}
	q, err := openRegular(f.folder, f.queueName(), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return f.fail("open", f.queueName(), err)
	}
	f.queue = q
	return nil
}

// pollLock takes the lock of an open file as soon as nobody else has it.
func (f *file) pollLock(ctx context.Context, l *os.File, name string) error {
	return f.poll(ctx, func() (bool, error) {
		ok, err := flock.Try(l)
		if err != nil {
			return false, f.fail("lock", name, err)
		}
		return ok, nil
	})
}

// poll calls try until it returns true or an error, or ctx ends. A system can
// wait for a lock by itself, but that can't be called off.
func (f *file) poll(ctx context.Context, try func() (bool, error)) error {
	var began time.Time
	for wait := pollFirst; ; {
		if ok, err := try(); ok || err != nil {
			return err
		}
		if began.IsZero() {
			began = time.Now()
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("waiting for another process that works on %s: %w", f.show(f.snapshotName()), ctx.Err())
		}
		wait = min(2*wait, pollOften)
		if time.Since(began) > pollLong {
			wait = pollSeldom
		}
	}
}
