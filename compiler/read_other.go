//go:build !unix

package compiler

// openFlags are none: there are no pipes among the files here.
const openFlags = 0
