package state

import (
	"os"
	"path/filepath"
	"time"
)

// maxTurnWait is how long a writer stands in line before it leaves the matter
// to SQLite.
const maxTurnWait = 5 * time.Second

// writeTurns makes the processes that write to one folder take turns.
//
// SQLite alone keeps them apart, but a process that finds the database locked
// looks again after a while only, up to 100 ms later. Beside one that writes all
// the time it could miss every gap until its wait is over. Here a writer waits
// for a lock, which wakes it; and it does so while it holds the lock in front of
// that one, so that who has just written can't go first again.
//
// It is a matter of fairness only: where locking fails or takes too long, the
// writer goes on, and SQLite decides.
type writeTurns struct {
	wait        time.Duration
	front, turn turnLock
}

func newWriteTurns(dir string) *writeTurns {
	locks := filepath.Join(dir, locksDirName)
	return &writeTurns{
		wait:  maxTurnWait,
		front: turnLock{path: filepath.Join(locks, "write.front")},
		turn:  turnLock{path: filepath.Join(locks, "write.turn")},
	}
}

func (t *writeTurns) enter() {
	t.front.lock(t.wait)
	t.turn.lock(t.wait)
	t.front.unlock()
}

func (t *writeTurns) leave() { t.turn.unlock() }

func (t *writeTurns) close() {
	t.front.close()
	t.turn.close()
}

// turnLock is a lock that may be missed.
type turnLock struct {
	path string
	file *os.File // nil until it is needed, or where it can't be had
	held bool
}

func (l *turnLock) lock(wait time.Duration) {
	if l.file == nil && !l.open() {
		return
	}
	err := flock(l.file, false)
	if err == errHeld {
		err = l.await(wait)
	}
	l.held = err == nil
}

func (l *turnLock) open() bool {
	if err := MakeFolder(filepath.Dir(l.path)); err != nil {
		return false
	}
	f, err := OpenFile(l.path, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return false
	}
	l.file = f
	return true
}

// await waits for the lock. The system call can't be told to give up; when the
// time is over its goroutine keeps the file, and closes it once it has the lock.
func (l *turnLock) await(wait time.Duration) error {
	file, got := l.file, make(chan error, 1)
	go func() { got <- flock(file, true) }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case err := <-got:
		return err
	case <-timer.C:
		go func() {
			<-got
			file.Close()
		}()
		l.file = nil
		return errHeld
	}
}

func (l *turnLock) unlock() {
	if !l.held {
		return
	}
	l.held = false
	if funlock(l.file) != nil {
		l.close() // which unlocks it too
	}
}

func (l *turnLock) close() {
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
