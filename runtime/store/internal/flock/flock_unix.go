//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package flock

import (
	"os"

	"golang.org/x/sys/unix"
)

// Try takes the lock of an open file for this process alone, or reports
// that another has it. The system gives it back when the process ends.
func Try(f *os.File) (bool, error) {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case nil:
			return true, nil
		case unix.EWOULDBLOCK:
			return false, nil
		case unix.EINTR:
		default:
			return false, os.NewSyscallError("flock", err)
		}
	}
}

// Release gives the lock back.
func Release(f *os.File) error {
	return os.NewSyscallError("flock", unix.Flock(int(f.Fd()), unix.LOCK_UN))
}
