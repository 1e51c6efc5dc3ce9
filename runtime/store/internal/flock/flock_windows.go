package flock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockedAt is the place of the byte of a file that is locked, far behind any
// content: the system lets nobody else read a byte that is locked.
const lockedAt = 1 << 62

func lockPlace() *windows.Overlapped {
	return &windows.Overlapped{Offset: lockedAt & 0xffffffff, OffsetHigh: lockedAt >> 32}
}

// Try takes the lock of an open file for this process alone, or reports
// that another has it. The system gives it back when the process ends.
func Try(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, lockPlace())
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, os.NewSyscallError("LockFileEx", err)
}

// Release gives the lock back.
func Release(f *os.File) error {
	return os.NewSyscallError("UnlockFileEx", windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, lockPlace()))
}
