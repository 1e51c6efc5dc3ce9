//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package state

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// flock takes the file's lock for this open file alone, or returns errHeld; with
// wait it waits instead.
func flock(f *os.File, wait bool) error {
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		switch err := unix.Flock(int(f.Fd()), how); err {
		case nil:
			return nil
		case unix.EWOULDBLOCK:
			return errHeld
		case unix.EINTR:
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}

func funlock(f *os.File) error {
	return os.NewSyscallError("flock", unix.Flock(int(f.Fd()), unix.LOCK_UN))
}

// removeLocked deletes a locked file and then gives up its lock, in this order:
// whoever locks it in between finds that its name is gone. One that has been
// deleted already, with its folder, is as it should be.
func removeLocked(f *os.File) error {
	err := os.Remove(f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
