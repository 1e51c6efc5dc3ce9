package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"reqon/vm/target"
)

const (
	daemonLockName = target.DaemonLock
	locksDirName   = target.Locks
	lockSuffix     = ".lock"
)

// errHeld says that another open file holds the lock.
var errHeld = errors.New("held by another process")

// fileLock is an exclusive lock on an open file. The system drops it when its
// process ends, however that happens, so it can't be left behind; and unlike a
// pid it means the same in every container that shares the folder.
type fileLock struct{ file *os.File }

// lockFile locks the file at path, which it creates if flags has os.O_CREATE.
// Where the lock is taken it waits, or without wait returns errHeld.
func lockFile(path string, flags int, wait bool) (*fileLock, error) {
	for {
		f, err := OpenFile(path, flags|os.O_RDWR)
		if err != nil {
			return nil, err
		}
		if err := flock(f, wait); err != nil {
			f.Close()
			if errors.Is(err, errHeld) {
				return nil, errHeld
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// Between the two calls somebody may have removed the file, and a lock
		// on a file without a name keeps nobody out.
		if sameFile(f, path) {
			return &fileLock{f}, nil
		}
		f.Close()
	}
}

// TryLock locks the file at path, which it creates, until unlock is called or
// the process ends. It does not wait: ok tells whether the lock was free.
func TryLock(path string) (unlock func() error, ok bool, err error) {
	lock, err := lockFile(path, os.O_CREATE, false)
	if errors.Is(err, errHeld) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return lock.release, true, nil
}

func sameFile(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func (l *fileLock) release() error { return l.file.Close() }

func (l *fileLock) remove() error { return removeLocked(l.file) }

// LockDaemon makes this process the daemon of the state folder until release is
// called or the process ends. The error is a [*LockedError] with the pid of the
// daemon that owns the folder already.
func (db *DB) LockDaemon() (release func() error, err error) {
	path := filepath.Join(db.dir, daemonLockName)
	lock, err := lockFile(path, os.O_CREATE, false)
	if errors.Is(err, errHeld) {
		return nil, &LockedError{Dir: db.dir, PID: readPID(path)}
	}
	if err != nil {
		return nil, fmt.Errorf("state folder %s: %w", db.dir, err)
	}
	if err := writePID(lock.file); err != nil {
		return nil, errors.Join(fmt.Errorf("state folder %s: write %s: %w", db.dir, daemonLockName, err), lock.release())
	}
	return func() error {
		// The file stays, so that nobody locks one that is about to go; empty,
		// so that it names no pid that means something else by now.
		return errors.Join(lock.file.Truncate(0), lock.release())
	}, nil
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// readPID returns 0 where the file does not hold one.
func readPID(path string) int {
	f, err := OpenFile(path, os.O_RDONLY)
	if err != nil {
		return 0
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 0 {
		return 0
	}
	return pid
}

// lockOwner takes the lock that shows others that this DB lives. It must be
// held before a run record with this owner is written.
func (db *DB) lockOwner() error {
	db.ownerMu.Lock()
	defer db.ownerMu.Unlock()
	if db.ownerClosed {
		return ErrClosed
	}
	if db.ownerLock != nil {
		return nil
	}
	dir := filepath.Join(db.dir, locksDirName)
	if err := MakeFolder(dir); err != nil {
		return fmt.Errorf("state folder %s: %w", db.dir, err)
	}
	// No other DB has this name; one that sweeps may hold the file for a moment.
	lock, err := lockFile(db.ownerPath(db.owner), os.O_CREATE, true)
	if err != nil {
		return fmt.Errorf("state folder %s: %w", db.dir, err)
	}
	db.ownerLock = lock
	return nil
}

func (db *DB) ownerPath(owner string) string {
	return filepath.Join(db.dir, locksDirName, owner+lockSuffix)
}

// ownerGone tells whether the process that took the lock has ended, and then
// removes what it left behind.
func (db *DB) ownerGone(owner string) (bool, error) {
	if _, err := uuid.Parse(owner); err != nil {
		return true, nil // not ours to look for: no DB has such a name
	}
	lock, err := lockFile(db.ownerPath(owner), 0, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case errors.Is(err, errHeld):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, lock.remove()
}

// sweepLocks removes the lock files of processes that ended without Close.
func (db *DB) sweepLocks() error {
	entries, err := os.ReadDir(filepath.Join(db.dir, locksDirName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if owner, ok := strings.CutSuffix(e.Name(), lockSuffix); ok {
			if _, err := db.ownerGone(owner); err != nil {
				return err
			}
		}
	}
	return nil
}
