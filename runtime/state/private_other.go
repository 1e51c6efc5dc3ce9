//go:build !unix

package state

// openFlags are none: what stands at a path is looked at before it is opened.
const openFlags = 0
