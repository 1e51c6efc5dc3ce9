//go:build !linux

package daemon

// monotonicLine is empty where there is no systemd.
func monotonicLine() string { return "" }
