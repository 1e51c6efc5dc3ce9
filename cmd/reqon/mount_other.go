//go:build !linux

package main

// isMount reports whether something is mounted at a path. Single files are on
// Linux only.
func isMount(string) bool { return false }
