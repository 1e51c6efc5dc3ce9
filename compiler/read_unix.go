//go:build unix

package compiler

import "syscall"

// openFlags keep opening a file from waiting, as for the writer of a pipe, and
// from taking over a terminal.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY
