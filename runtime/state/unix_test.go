//go:build unix

package state

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOpenMakesPrivateFiles(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "a", "state")
	db := openDir(t, dir)
	begin(t, db, "M", t0)
	if _, err := db.LockDaemon(); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{
		".": 0o700 | fs.ModeDir, "reqon.db": 0o600, "reqon.db-wal": 0o600, "reqon.db-shm": 0o600,
		"daemon.lock": 0o600, "locks": 0o700 | fs.ModeDir,
	}
	for name, mode := range want {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
		}
	}
}

// The superuser may write anywhere, so that this runs as another user.
func TestUnwritableFolder(t *testing.T) {
	dir := t.TempDir()
	for d := dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	full := filepath.Join(dir, "full")
	db := openDir(t, full)
	begin(t, db, "M", t0)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	mode := map[string]fs.FileMode{empty: 0o555, full: 0o555, filepath.Join(full, fileName): 0o444, filepath.Join(full, "locks"): 0o555}
	for path, m := range mode {
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for path := range mode {
			os.Chmod(path, 0o700)
		}
	})
	for _, state := range []string{empty, full, filepath.Join(empty, "below")} {
		out, ok := runAsNobody(t, state)
		if ok {
			t.Errorf("%s: no error", state)
		}
		for _, want := range []string{state, "--state-dir"} {
			if !strings.Contains(out, want) {
				t.Errorf("the error does not say %q: %s", want, out)
			}
		}
	}
}

// runAsNobody runs the helper "runs" on dir as a user who owns nothing.
func runAsNobody(t *testing.T, dir string) (out string, ok bool) {
	t.Helper()
	program := os.Args[0]
	cmd := exec.Command(program)
	if os.Getuid() == 0 {
		data, err := os.ReadFile(program)
		if err != nil {
			t.Fatal(err)
		}
		public := t.TempDir()
		for d := public; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		program = filepath.Join(public, "helper")
		if err := os.WriteFile(program, data, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd = exec.Command(program)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "STATE_HELPER=runs", "STATE_DIR="+dir)
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skipf("cannot start a program as another user here: %v", err)
	}
	return string(text), err == nil
}
