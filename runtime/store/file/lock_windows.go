package file

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// errQuota is the system's error for a user who has no more space.
const errQuota = windows.ERROR_DISK_QUOTA_EXCEEDED

// lockedAt is the place of the byte of a file that is locked, far behind any
// content: the system lets nobody else read a byte that is locked.
const lockedAt = 1 << 62

func lockPlace() *windows.Overlapped {
	return &windows.Overlapped{Offset: lockedAt & 0xffffffff, OffsetHigh: lockedAt >> 32}
}

// tryLock takes the lock of an open file for this process alone, or reports
// that another has it. The system gives it back when the process ends.
func tryLock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, lockPlace())
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, os.NewSyscallError("LockFileEx", err)
}

func unlock(f *os.File) error {
	return os.NewSyscallError("UnlockFileEx", windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, lockPlace()))
}

// writeAt writes b to an open file at off.
func writeAt(f *os.File, b []byte, off int64) error {
	_, err := f.WriteAt(b, off)
	return err
}

// unlinked reports whether an open file has lost its name, which it can't here.
func unlinked(*os.File) bool { return false }

// syncFolder does nothing: NTFS journals the names in a folder by itself.
func syncFolder(*os.Root) error { return nil }
