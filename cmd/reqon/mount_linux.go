package main

import "golang.org/x/sys/unix"

// isMount reports whether something is mounted at a path, as single files are
// into containers. It can be written to, but not replaced.
func isMount(name string) bool {
	var info unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, name, unix.AT_SYMLINK_NOFOLLOW, 0, &info)
	return err == nil && info.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}
