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

// What is written to a database that has no name any more is lost without a word.
func TestFolderRemovedOrReplaced(t *testing.T) {
	for name, do := range map[string]func(dir string) error{
		"removed": os.RemoveAll,
		"moved":   func(dir string) error { return os.Rename(dir, dir+".bak") },
		"replaced": func(dir string) error {
			if err := os.Rename(dir, dir+".bak"); err != nil {
				return err
			}
			db, err := Open(dir)
			if err != nil {
				return err
			}
			return db.Close()
		},
	} {
		dir := filepath.Join(t.TempDir(), "state")
		db := openDir(t, dir)
		r := begin(t, db, "M", t0)
		if err := do(dir); err != nil {
			t.Fatal(err)
		}
		ok, err := db.Claim("M", t0, ClaimAny)
		if ok || err == nil || !strings.Contains(err.Error(), "while it was in use") || !strings.Contains(err.Error(), "start this program again") {
			t.Errorf("%s: a claim: %v, %v", name, ok, err)
		}
		r.Status, r.End = StatusSuccess, t0
		if err := db.FinishRun(r, jsonPositions(map[string]string{"k": "1"})); err == nil {
			t.Errorf("%s: the end of a run was recorded", name)
		}
		if name == "moved" { // and back, which mends it
			if err := os.Rename(dir+".bak", dir); err != nil {
				t.Fatal(err)
			}
			if ok, err := db.Claim("M", t0, ClaimAny); !ok || err != nil {
				t.Errorf("moved back: a claim: %v, %v", ok, err)
			}
		}
		if err := db.Close(); err != nil {
			t.Errorf("%s: Close: %v", name, err)
		}
	}
}

func TestTooManyOpenFiles(t *testing.T) {
	db := openNew(t)
	begin(t, db, "M", t0)
	release := useUpFiles(t)
	_, _, err := positionValue(db, "M", "k") // which needs a connection that is not there yet
	release()
	if err == nil || !strings.Contains(err.Error(), "ulimit -n") || strings.Contains(err.Error(), "writable") {
		t.Errorf("error is %v", err)
	}
	if _, _, err := positionValue(db, "M", "k"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// useUpFiles opens all files that this process may, until release.
func useUpFiles(t *testing.T) (release func()) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	low := before
	low.Cur = 256
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	var open []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		open = append(open, f)
	}
	return func() {
		for _, f := range open {
			f.Close()
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	}
}
