//go:build unix

package state

import "syscall"

// openFlags keep an open from following a link, and from waiting where there is a
// pipe.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
