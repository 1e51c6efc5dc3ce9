//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package flock

import (
	"errors"
	"os"
)

// Try fails: without locks two processes could damage a file.
func Try(*os.File) (bool, error) {
	return false, errors.New("stores in files need a system that can lock files; use another kind of store")
}

// Release does nothing.
func Release(*os.File) error { return nil }
