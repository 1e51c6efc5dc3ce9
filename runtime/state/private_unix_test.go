//go:build unix

package state

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNoLinks: nothing of the state folder's own is opened through a link, or where
// there is a pipe, and what a link leads to stays as it is. The folder itself may be
// behind one.
func TestNoLinks(t *testing.T) {
	for _, name := range []string{fileName, fileName + "-wal", fileName + "-shm", fileName + "-journal", daemonLockName, locksDirName} {
		for _, kind := range []string{"link", "dangling", "pipe"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				base := t.TempDir()
				dir := filepath.Join(base, "state")
				outside := filepath.Join(base, "outside")
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				at := filepath.Join(dir, name)
				var err error
				switch kind {
				case "link":
					if name == locksDirName {
						err = os.Mkdir(outside, 0o700)
					} else {
						err = os.WriteFile(outside, []byte("not yours"), 0o600)
					}
					if err == nil {
						err = os.Symlink(outside, at)
					}
				case "dangling":
					err = os.Symlink(outside, at)
				case "pipe":
					err = syscall.Mkfifo(at, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() {
					db, err := Open(dir)
					if err == nil {
						if name == daemonLockName {
							_, err = db.LockDaemon()
						} else {
							err = db.BeginRun(&Run{Mission: "M", Trigger: TriggerAdhoc, Start: time.Now()})
						}
						db.Close()
					}
					done <- err
				}()
				select {
				case err = <-done:
				case <-time.After(20 * time.Second):
					t.Fatal("it waits")
				}
				if err == nil || !strings.Contains(err.Error(), "is not followed in a state folder") || !strings.Contains(err.Error(), name) {
					t.Errorf("%v", err)
				}
				if kind == "dangling" {
					if _, err := os.Lstat(outside); err == nil {
						t.Error("what the link names was made")
					}
				}
				if kind == "link" && name != locksDirName {
					if text, err := os.ReadFile(outside); err != nil || string(text) != "not yours" {
						t.Errorf("it was changed: %q, %v", text, err)
					}
				}
				if kind == "link" && name == locksDirName {
					if list, err := os.ReadDir(outside); err != nil || len(list) > 0 {
						t.Errorf("it was written to: %v, %v", list, err)
					}
				}
			})
		}
	}
}

// TestPrivateFiles: whatever the umask, no file is wider than 0600, and the folder
// may itself be behind a link.
func TestPrivateFiles(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	base := t.TempDir()
	real, link := filepath.Join(base, "real"), filepath.Join(base, "link")
	if err := os.Mkdir(real, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	db, err := Open(link)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	release, err := db.LockDaemon()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := db.BeginRun(&Run{Mission: "M", Trigger: TriggerAdhoc, Start: time.Now()}); err != nil {
		t.Fatal(err)
	}
	files := 0
	err = filepath.WalkDir(real, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if wide := info.Mode().Perm() &^ 0o700; wide != 0 || !d.IsDir() && info.Mode().Perm()&^0o600 != 0 {
			t.Errorf("%s has the mode %04o", path, info.Mode().Perm())
		}
		files++
		return nil
	})
	if err != nil || files < 5 {
		t.Errorf("%d files, %v", files, err)
	}
}
