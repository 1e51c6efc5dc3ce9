//go:build !unix

package daemon

// openFileLimit is how many files this process may have open.
func openFileLimit() uint64 { return usualOpenFiles }
