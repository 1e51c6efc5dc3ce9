//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package file

import (
	"os"
	"syscall"
)

// errQuota is the system's error for a user who has no more space.
const errQuota = syscall.EDQUOT

// writeAt writes b to an open file at off.
func writeAt(f *os.File, b []byte, off int64) error {
	_, err := f.WriteAt(b, off)
	return err
}

func unlinked(*os.File) bool { return false }

func syncFolder(*os.Root) error { return nil }
