//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package file

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// errQuota is the system's error for a user who has no more space.
const errQuota = unix.EDQUOT

// writeAt writes b to an open file at off. It is what WriteAt of os.File does,
// without the lock against closing that it takes for each call: nobody closes a
// file that is written to.
func writeAt(f *os.File, b []byte, off int64) error {
	for fd := int(f.Fd()); len(b) > 0; {
		n, err := unix.Pwrite(fd, b, off)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return os.NewSyscallError("pwrite", err)
		}
		b, off = b[n:], off+int64(n)
	}
	runtime.KeepAlive(f)
	return nil
}

// unlinked reports whether an open file has lost its name.
func unlinked(f *os.File) bool {
	var st unix.Stat_t
	return unix.Fstat(int(f.Fd()), &st) == nil && st.Nlink == 0
}

// syncFolder makes the names in a folder durable.
func syncFolder(r *os.Root) error {
	d, err := r.Open(".")
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
