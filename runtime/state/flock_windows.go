package state

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockedByte is far behind the content of any lock file, as the system keeps
// others from reading what is locked.
const lockedByte = 1 << 30

// flock takes the file's lock for this open file alone, or returns errHeld; with
// wait it waits instead.
func flock(f *os.File, wait bool) error {
	how := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK)
	if !wait {
		how |= windows.LOCKFILE_FAIL_IMMEDIATELY
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{Offset: lockedByte})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return os.NewSyscallError("LockFileEx", err)
}

func funlock(f *os.File) error {
	return os.NewSyscallError("UnlockFileEx",
		windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{Offset: lockedByte}))
}

// removeLocked gives up the lock and deletes the file, in this order: the system
// refuses to delete one that is open, here or in another process that has it by
// now and will remove it in its turn.
func removeLocked(f *os.File) error {
	err := f.Close()
	if rerr := os.Remove(f.Name()); !errors.Is(rerr, windows.ERROR_SHARING_VIOLATION) && !errors.Is(rerr, os.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}
