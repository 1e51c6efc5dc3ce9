//go:build unix

package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipeInPlace: a pipe that takes a mission's place is reported and waited for
// by nobody. The mission keeps running as it was, and is taken up again.
func TestPipeInPlace(t *testing.T) {
	w := newWorld(t)
	text := syncMission("A", "every 1 hour")
	w.write("a.reqon", text)
	w.run()
	w.remove("a.reqon")
	if err := syscall.Mkfifo(filepath.Join(w.dir, "a.reqon"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.becomes("degraded")
	_, body := w.get("/health")
	if !strings.Contains(string(body), "it is a named pipe") || !strings.Contains(string(body), `"missionsLoaded":1`) {
		t.Errorf("%s", body)
	}
	w.remove("a.reqon")
	if err := os.Symlink("/dev/zero", filepath.Join(w.dir, "a.reqon")); err != nil {
		t.Fatal(err)
	}
	w.until("the device is told", func() bool {
		_, body := w.get("/health")
		return strings.Contains(string(body), "it is a device")
	})
	w.remove("a.reqon")
	w.write("a.reqon", text)
	w.becomes("ok")
}
