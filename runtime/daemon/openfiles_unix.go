//go:build unix

package daemon

import "golang.org/x/sys/unix"

// openFileLimit is how many files this process may have open.
func openFileLimit() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return usualOpenFiles
	}
	return uint64(limit.Cur)
}
