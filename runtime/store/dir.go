package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"reqon/vm/value"
)

// Dir owns the file stores of one state folder in this process. Other
// processes may use the same folder at the same time.
type Dir struct {
	path    string
	scratch *scratch
	notice  func(string)

	leaseIdle, leaseMost time.Duration // see the constants

	mu     sync.Mutex
	root   *os.Root // nil until the folder is there
	files  map[string]*file
	closed bool
}

// DirOptions are the options of a Dir.
type DirOptions struct {
	// Notice is told, in a sentence, what a person should know though it is no
	// error: that a file was edited by hand under a journal, or that a power
	// cut took finished batches. Nil drops it. It must be safe for concurrent
	// use.
	Notice func(message string)
}

// OpenDir returns the file stores under path. The folder is made, for this
// user alone, when the first record is stored. Values read from the stores are
// made with shapes.
func OpenDir(path string, shapes *value.Shapes, opt DirOptions) (*Dir, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("the state folder %s is a file; move it away, or name another folder", path)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the state folder: %w; make it readable for this user, or name another folder", err)
	}
	d := &Dir{path: path, scratch: newScratch(shapes), notice: opt.Notice, files: map[string]*file{}, leaseIdle: leaseIdle, leaseMost: leaseMost}
	if d.notice == nil {
		d.notice = func(string) {}
	}
	return d, nil
}

// open returns the root of the state folder, which it makes if asked to. The
// error is os.ErrNotExist if there is none.
func (d *Dir) open(make bool) (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil {
		return d.root, nil
	}
	if make {
		if err := os.MkdirAll(d.path, 0o700); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	d.root = root
	return root, nil
}

// File returns the store in the file of a target, such as "orders" or
// "exports/orders" (see CheckTarget). Stores of one target share its records;
// each has its own options. Nothing is read or written before the first use.
func (d *Dir) File(target string, opt Options) (Store, error) {
	name, err := cleanTarget(target)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, ErrClosed
	}
	f := d.files[name]
	if f == nil {
		f = newFile(d, name)
		d.files[name] = f
	}
	f.users++
	return &fileStore{f: f, opt: opt}, nil
}

// leave is called once by each store of f that is closed. The last one syncs
// and closes the file.
func (d *Dir) leave(f *file) error {
	d.mu.Lock()
	f.users--
	last := f.users == 0 && d.files[f.name] == f
	if last {
		delete(d.files, f.name)
	}
	d.mu.Unlock()
	if !last {
		return nil
	}
	return f.shutdown()
}

// Close syncs and closes all stores that are still open, and gives the folder
// up.
func (d *Dir) Close() error {
	d.mu.Lock()
	files := d.files
	d.files, d.closed = map[string]*file{}, true
	d.mu.Unlock()
	var errs []error
	for _, f := range files {
		errs = append(errs, f.shutdown())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil {
		errs = append(errs, d.root.Close())
		d.root = nil
	}
	return errors.Join(errs...)
}

// show returns a file's path for people.
func (d *Dir) show(name string) string { return filepath.Join(d.path, filepath.FromSlash(name)) }
