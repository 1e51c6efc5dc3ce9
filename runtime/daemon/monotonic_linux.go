package daemon

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// monotonicLine is the time that systemd wants with RELOADING=1, by the clock of
// the kernel that never goes back (sd_notify(3), Type=notify-reload).
func monotonicLine() string {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return ""
	}
	return fmt.Sprintf("\nMONOTONIC_USEC=%d", ts.Nano()/1000)
}
