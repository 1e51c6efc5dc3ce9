package file

import (
	"os"

	"golang.org/x/sys/windows"
)

// errQuota is the system's error for a user who has no more space.
const errQuota = windows.ERROR_DISK_QUOTA_EXCEEDED

// writeAt writes b to an open file at off.
func writeAt(f *os.File, b []byte, off int64) error {
	_, err := f.WriteAt(b, off)
	return err
}

// unlinked reports whether an open file has lost its name, which it can't here.
func unlinked(*os.File) bool { return false }

// syncFolder does nothing: NTFS journals the names in a folder by itself.
func syncFolder(*os.Root) error { return nil }
