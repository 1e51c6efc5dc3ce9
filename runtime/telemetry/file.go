package telemetry

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// File is a log file (--log-file). Lines are appended to it, also beside other
// processes. It is safe for concurrent use.
//
// A file that was renamed or removed is followed by a new one at the next line,
// whether or not somebody asks for Reopen: logrotate without a postrotate
// compresses and then removes the renamed file, and what is written there is
// lost.
type File struct {
	path string
	mu   sync.Mutex
	file *os.File    // nil once closed
	info os.FileInfo // of file
}

// OpenFile opens the log file at path, which it makes (mode 0600) if need be.
func OpenFile(path string) (*File, error) {
	file, info, err := openAppend(path)
	if err != nil {
		return nil, err
	}
	return &File{path: path, file: file, info: info}, nil
}

func openAppend(path string) (*os.File, os.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot open the log file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("cannot open the log file: %w", err), f.Close())
	}
	return f, info, nil
}

// Write appends p. If the file was moved away and no new one can be opened, p is
// appended to the old one, and the error says why.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return 0, os.ErrClosed
	}
	var moved error
	if now, err := os.Stat(f.path); err != nil || !os.SameFile(now, f.info) {
		moved = f.reopen()
	}
	n, err := f.file.Write(p)
	return n, errors.Join(err, moved)
}

// Reopen goes on in the file that has the path now (SIGHUP). If that can't be
// opened, the old one stays in use.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return os.ErrClosed
	}
	return f.reopen()
}

// reopen is Reopen, with f locked.
func (f *File) reopen() error {
	next, info, err := openAppend(f.path)
	if err != nil {
		return err
	}
	old := f.file
	f.file, f.info = next, info
	if err := old.Close(); err != nil {
		return fmt.Errorf("close the old log file: %w", err)
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
