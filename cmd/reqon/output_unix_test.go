//go:build unix

package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// asNobody makes a command of the site run as a user who owns nothing but the
// site. Who is no root owns nothing else anyway.
func (s *site) asNobody(args ...string) *exec.Cmd {
	s.t.Helper()
	cmd := s.command(args...)
	if os.Getuid() != 0 {
		return cmd
	}
	const nobody = 65534
	for d := s.dir; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	program := s.path("reqon")
	// Written by this process, it could be busy: open in what another test has
	// just forked.
	if out, err := exec.Command("cp", cmd.Path, program).CombinedOutput(); err != nil {
		s.t.Fatalf("%v %s", err, out)
	}
	err := filepath.WalkDir(s.dir, func(name string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(name, nobody, nobody))
	})
	if err != nil {
		s.t.Fatal(err)
	}
	cmd = exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// counted is an API that counts what it is asked for.
func counted(t *testing.T) (base string, requests *atomic.Int32) {
	requests = new(atomic.Int32)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `[{"id":1}]`)
	}))
	t.Cleanup(api.Close)
	return api.URL, requests
}

// TestOutputRefused: a file that can't be replaced, and the folder of a mission
// that can't be written to, are found before the first request, and are left as
// they were.
func TestOutputRefused(t *testing.T) {
	missions := func(base string) (text string) {
		for _, name := range []string{"A", "B"} {
			text += strings.NewReplacer("NAME", name, "BASE", base).Replace(`
mission NAME {
  source API { base: "BASE" }
  store s: memory
  action Sync {
    get "/x"
    store response -> s
  }
}
`)
		}
		return text
	}
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		output string
		locked string // what is there already, without the right to write to it
		stderr string
	}{
		"file of a folder":    {"out", "out/B/s.json", "reqon: --output: open out/B/s.json: permission denied; make the file writable for this user, move it away, or choose another --output\n"},
		"file":                {"out.json", "out.B.json", "reqon: --output: open out.B.json: permission denied; make the file writable"},
		"folder of a mission": {"out", "out/B/", "reqon: --output out/B: can't write there: open out/B/"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			base, requests := counted(t)
			s.write("m.reqon", missions(base))
			folder, isFolder := strings.CutSuffix(c.locked, "/")
			locked := s.path(folder)
			if isFolder {
				s.write(c.locked+"/s.json", "before")
			} else {
				s.write(c.locked, "before")
			}
			if err := os.Chtimes(locked, old, old); err != nil {
				t.Fatal(err)
			}
			cmd := s.asNobody("m.reqon", "--output", c.output)
			mode := os.FileMode(0o400)
			if isFolder {
				mode = 0o500
			}
			if err := os.Chmod(locked, mode); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Chmod(locked, 0o700) })
			before := s.files()
			var stderr strings.Builder
			cmd.Stderr = &stderr
			err := cmd.Run()
			var exit *exec.ExitError
			if errors.Is(err, os.ErrPermission) {
				t.Skipf("a program can't be started as another user here: %v", err)
			}
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if exit == nil || exit.ExitCode() != exitConfig || !strings.HasPrefix(stderr.String(), c.stderr) {
				t.Errorf("ended with %v:\n%s", err, stderr.String())
			}
			if n := requests.Load(); n > 0 {
				t.Errorf("%d requests were sent before it", n)
			}
			info, err := os.Stat(locked)
			if err != nil {
				t.Fatal(err)
			}
			if !info.ModTime().Equal(old) {
				t.Errorf("%s was changed at %s", c.locked, info.ModTime())
			}
			if after := s.files(); !slices.Equal(before, after) {
				t.Errorf("before: %s\nafter: %s", before, after)
			}
		})
	}
}

// files lists what is in the site, but for the state folder.
func (s *site) files() (names []string) {
	s.t.Helper()
	err := filepath.WalkDir(s.dir, func(name string, d os.DirEntry, err error) error {
		if d != nil && d.Name() == ".reqon-data" {
			return filepath.SkipDir
		}
		names = append(names, name)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return names
}

// TestOutputMounted: a file that is mounted by itself, as into a container, can
// be written to but not replaced.
func TestOutputMounted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("files are mounted on Linux")
	}
	s := newSite(t)
	base, requests := counted(t)
	s.write("m.reqon", "mission M {\n  source API { base: \""+base+"\" }\n  store s: memory\n  action A {\n    get \"/x\"\n    store response -> s\n  }\n}\n")
	s.write("host.json", "before")
	s.write("out.json", "")
	if out, err := exec.Command("mount", "--bind", s.path("host.json"), s.path("out.json")).CombinedOutput(); err != nil {
		t.Skipf("a file can't be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", s.path("out.json")).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	_, stderr := s.reqon(exitConfig, "m.reqon", "--output", "out.json")
	if want := "reqon: --output: out.json is mounted by itself and can't be replaced; mount its folder, or choose another --output\n"; stderr != want {
		t.Errorf("got %q, want %q", stderr, want)
	}
	if n := requests.Load(); n > 0 {
		t.Errorf("%d requests were sent before it", n)
	}
	if got := s.read("out.json"); got != "before" {
		t.Errorf("the file holds %q", got)
	}
}
