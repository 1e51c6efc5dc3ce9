package compiler_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reqon/compiler"
)

// TestReadFile: what is a file within the limit is read whole, and nothing else.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	sized := func(name string, size int64) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err == nil {
			err = errors.Join(f.Truncate(size), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, size := range []int64{0, 1, compiler.MaxFile} {
		data, err := compiler.ReadFile(sized("sized.reqon", size))
		if err != nil || int64(len(data)) != size {
			t.Errorf("%d bytes: %d, %v", size, len(data), err)
		}
	}
	for _, name := range []string{"large.reqon", "large.reqc"} {
		for _, size := range []int64{compiler.MaxFile + 1, 60 << 20, 1 << 40} {
			_, err := compiler.ReadFile(sized(name, size))
			var large *compiler.TooLargeError
			if !errors.As(err, &large) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "16 MiB") {
				t.Errorf("%s of %d bytes: %v", name, size, err)
			}
		}
	}
	var file *fs.PathError
	for path, says := range map[string]string{dir: "a folder", filepath.Join(dir, "none"): "none"} {
		if _, err := compiler.ReadFile(path); !errors.As(err, &file) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestCompileContents: the contents come from read alone, and each is asked for
// once. No file of these names is there.
func TestCompileContents(t *testing.T) {
	files := map[string]string{
		"none/mission.reqon": "mission M {\n  run Later\n}\n",
		"none/a.reqon":       "action Later { log \"x\" }\n",
		"none/b.reqon":       "",
	}
	asked := map[string]int{}
	r := compiler.Compile(compiler.Unit{Main: "none/mission.reqon", Others: []string{"none/a.reqon", "none/b.reqon", "none/c.reqon"}},
		func(name string) ([]byte, error) {
			asked[name]++
			text, ok := files[name]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			}
			return []byte(text), nil
		})
	for name := range files {
		if asked[name] != 1 {
			t.Errorf("%s was asked for %d times", name, asked[name])
		}
	}
	if len(r.Missions) != 1 || r.Missions[0].Program == nil || len(r.Errors) != 1 || !errors.Is(r.Errors[0], fs.ErrNotExist) {
		t.Errorf("%d missions, errors %v, %v", len(r.Missions), r.Errors, r.Diagnostics)
	}
}

// TestReadFileGrows: a file that grows while it is read is read as far as it went
// then, and never beyond the limit.
func TestReadFileGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grows.reqon")
	if err := os.WriteFile(path, []byte("mission"), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		for err == nil {
			select {
			case <-stop:
				done <- f.Close()
				return
			default:
				_, err = f.Write(bytes.Repeat([]byte(" "), 1<<16))
			}
		}
		done <- err
	}()
	for {
		data, err := compiler.ReadFile(path)
		var large *compiler.TooLargeError
		if errors.As(err, &large) {
			break
		}
		if err != nil || len(data) > compiler.MaxFile || !bytes.HasPrefix(data, []byte("mission")) {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
