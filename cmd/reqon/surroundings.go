package main

import (
	"log"
	"os/signal"
	"syscall"

	"reqon/runtime/telemetry"
)

// detach keeps runs apart from what happens around this process.
func detach(logger *telemetry.Logger) {
	// Who reads the output may end first, as tee does by Ctrl+C. A line that can't
	// be written then must not kill runs in progress.
	signal.Ignore(syscall.SIGPIPE)
	// Packages such as net/http tell some things in the standard library's log,
	// parts of responses among them. They are to have the form of this log, and
	// none of the secrets.
	log.SetFlags(0)
	log.SetOutput(logger.StdLog(telemetry.LevelDebug).Writer())
}
