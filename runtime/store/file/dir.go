// Package file keeps the records of stores in JSON files under the state folder
// (language definition, section 6.4).
//
// # Files of a file store
//
// For the target "exports/orders" the folder exports holds
//
//	orders.json       the records, as of the last Sync or not long before: one
//	                  JSON object by key, one record a line; replaced as a
//	                  whole, never in part
//	.orders.journal   the batches finished since then
//	.orders.lock      held while a process works on the other two
//	.orders.queue     held by who waits for the lock; made when a process first
//	                  has to wait
//
// A batch is appended to the journal with one write before Put returns, so a
// process killed at any moment loses no batch that was finished. The journal
// reaches the disk itself about a second later and at Sync; a power cut can
// therefore take back what was put since the last Sync, which is why a sync
// position must be saved only after Sync has returned: what was lost will
// then be fetched again.
//
// The .json is there from the first batch on, and follows while batches go on: it
// is replaced when the journal holds more than it does, every few seconds at most.
// So it shows half of what was stored at least, and all behind a Sync, and what
// it costs grows no faster than the store.
//
// # Several processes
//
// Processes share a store: each sees what the others have finished, and they
// take turns in changing it. A process that has changed a store keeps the lock
// for a few milliseconds, so that the next change costs one write and nothing
// else; while others wait, for 20 at a time. The lock ends with its process,
// however that ends, but not while a process is stopped (SIGSTOP, Ctrl-Z) right
// after a change: others that want to change the same store wait until it goes
// on. Reading never waits for a change in progress, save for the first read of
// a store and the first after its .json was replaced.
//
// # Editing a file by hand
//
// The .json file may be edited or replaced while nothing runs, and is then the
// truth. A journal with finished batches in it, left there by a process that
// was killed before it could write the .json, is applied on top of the file as
// it is found (puts, deletes and clears, in order), and a notice says so. A
// file that can't be read as an object of objects is an error and is never
// overwritten. An edit made while a process works on the store counts from that
// process's next Sync on, or sooner; what the process put since its last Sync
// goes on top of it. Files that are removed then are written anew by the
// process, at its next change that comes 20 milliseconds later, or its next
// Sync.
package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/table"
	"reqon/vm/value"
)

// Dir owns the file stores of one state folder in this process. Other
// processes may use the same folder at the same time.
type Dir struct {
	path    string
	scratch *table.Scratch
	notice  func(string)

	leaseIdle, leaseMost time.Duration // see the constants
	now                  func() time.Time
	still                bool // in tests: a snapshot is replaced by Sync only

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
	d := &Dir{path: path, scratch: table.NewScratch(shapes), notice: opt.Notice, files: map[string]*file{}, leaseIdle: leaseIdle, leaseMost: leaseMost, now: time.Now}
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
func (d *Dir) File(target string, opt store.Options) (store.Store, error) {
	name, err := cleanTarget(target)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, store.ErrClosed
	}
	f := d.files[name]
	if f == nil {
		f = newFile(d, name)
		d.files[name] = f
	}
	f.users++
	return &fileStore{f: f, opt: opt}, nil
}

// Target returns the target of a declaration: the store's name, unless it gives
// another.
func Target(s *store.Declaration) string {
	if s.Target == "" {
		return s.Name
	}
	return s.Target
}

// Open opens the store of a declaration, as File does.
func (d *Dir) Open(_ context.Context, s *store.Declaration) (store.Store, error) {
	f, err := d.File(Target(s), s.Options)
	if err != nil {
		return nil, &store.ConfigError{Err: err}
	}
	return f, nil
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
