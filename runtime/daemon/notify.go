package daemon

import (
	"net"
	"os"
	"strconv"
	"time"

	"reqon/runtime/telemetry"
)

// notifier tells systemd how the daemon stands (sd_notify(3)): datagrams to the
// socket that NOTIFY_SOCKET names. Without one it does nothing.
type notifier struct {
	socket string
	period time.Duration // between signs of life; 0: systemd wants none
	log    *telemetry.Logger
}

func newNotifier(env func(string) (string, bool), log *telemetry.Logger) *notifier {
	n := &notifier{log: log}
	n.socket, _ = env("NOTIFY_SOCKET")
	usec, _ := env("WATCHDOG_USEC")
	pid, hasPID := env("WATCHDOG_PID")
	if us, err := strconv.ParseInt(usec, 10, 64); err == nil && us > 1 && us < int64(time.Hour*24*365/time.Microsecond) && (!hasPID || pid == strconv.Itoa(os.Getpid())) {
		n.period = time.Duration(us) * time.Microsecond / 2 // as sd_watchdog_enabled(3) advises
	}
	return n
}

// send sends a message, lines of NAME=value.
func (n *notifier) send(message string) {
	if n.socket == "" {
		return
	}
	// A name that begins with @ is an abstract one; package net knows that form.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err == nil {
		_, err = conn.Write([]byte(message))
		conn.Close()
	}
	if err != nil {
		n.log.Debug("systemd can't be told", telemetry.String("message", message), telemetry.Err(err))
	}
}

func (n *notifier) ready(status string) { n.send("READY=1\nSTATUS=" + status) }

func (n *notifier) reloading() {
	n.send("RELOADING=1" + monotonicLine())
}

// watchdog returns a ticker that asks for a sign of life. It goes by the real
// clock: it is systemd that waits.
func (n *notifier) watchdog() *time.Ticker {
	if n.socket == "" || n.period <= 0 {
		t := time.NewTicker(time.Hour)
		t.Stop()
		return t
	}
	return time.NewTicker(n.period)
}
