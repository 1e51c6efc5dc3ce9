//go:build unix

package compiler_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"reqon/compiler"
)

// odd makes what is no regular file at path.
var odd = map[string]func(path string) error{
	"a named pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
	"a device":     func(path string) error { return os.Symlink("/dev/zero", path) },
	"a folder":     func(path string) error { return os.Symlink(filepath.Dir(path), path) },
	"too many":     func(path string) error { return os.Symlink(path, path) },
	"no such file": func(path string) error { return os.Symlink(path+".none", path) },
	"it is a named pipe, ex": func(path string) error {
		return errors.Join(syscall.Mkfifo(path+".pipe", 0o600), os.Symlink(path+".pipe", path))
	},
	"a socket": func(path string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		if err == nil {
			l.SetUnlinkOnClose(false)
			err = l.Close()
		}
		return err
	},
}

// TestReadOdd: what is no regular file is an error that says what it is, given by
// itself and beside another mission, which is not lost by it. Nothing waits.
func TestReadOdd(t *testing.T) {
	for says, create := range odd {
		t.Run(says, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "reqon") // a socket's path must be short
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			path := filepath.Join(dir, "m.reqon")
			if err := create(path); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "good.reqon"), []byte(mission("Good")), 0o600); err != nil {
				t.Fatal(err)
			}
			within(t, func() {
				var file *fs.PathError
				if _, err := compiler.ReadFile(path); !errors.As(err, &file) || !strings.Contains(err.Error(), says) {
					t.Errorf("read: %v", err)
				}
				if says == "a folder" {
					return // by itself it is the folder's missions, and inside of it nothing
				}
				if _, err := compiler.Load(path); !errors.As(err, &file) || !strings.Contains(err.Error(), says) {
					t.Errorf("loaded by itself: %v", err)
				}
				r, err := compiler.Load(dir)
				if err != nil || len(r.Missions) != 1 || r.Missions[0].Program == nil || len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Error(), says) {
					t.Errorf("loaded with another: %v, %d missions, %v", err, len(r.Missions), r.Errors)
				}
			})
		})
	}
}

// within fails a test in which something waits.
func within(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it waits")
	}
}

// TestReadLink: links to regular files are files, as a ConfigMap's are: a link to
// a file below a link to a folder.
func TestReadLink(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "..2024"), 0o700),
		os.WriteFile(filepath.Join(dir, "..2024", "m.reqon"), []byte(mission("Linked")), 0o600),
		os.Symlink("..2024", filepath.Join(dir, "..data")),
		os.Symlink(filepath.Join("..data", "m.reqon"), filepath.Join(dir, "m.reqon")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "m.reqon")} {
		r, err := compiler.Load(path)
		if err != nil || r.Failed() || len(r.Missions) != 1 || r.Missions[0].Name != "Linked" {
			t.Errorf("%s: %v, %v", path, err, r)
		}
	}
}

// TestReadSwapped: a file that becomes a pipe, a link and a file again while it is
// read never makes the reader wait.
func TestReadSwapped(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.reqon")
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		fresh := filepath.Join(dir, "fresh")
		for {
			for _, create := range []func() error{
				func() error { return os.WriteFile(fresh, []byte("mission"), 0o600) },
				func() error { return syscall.Mkfifo(fresh, 0o600) },
				func() error { return os.Symlink("/dev/zero", fresh) },
			} {
				if err := errors.Join(create(), os.Rename(fresh, path)); err != nil {
					done <- err
					return
				}
			}
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
		}
	}()
	within(t, func() {
		for range 2000 {
			data, err := compiler.ReadFile(path)
			var file *fs.PathError
			if err == nil && string(data) != "mission" || err != nil && !errors.As(err, &file) {
				t.Errorf("%q, %v", data, err)
				return
			}
		}
	})
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
