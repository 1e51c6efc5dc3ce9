package telemetry

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// File is a log file (--log-file). Lines are appended to it, also beside other
// processes. It is safe for concurrent use.
type File struct {
	path string
	mu   sync.Mutex
	file *os.File // nil once closed
}

// OpenFile opens the log file at path, which it makes (mode 0600) if need be.
func OpenFile(path string) (*File, error) {
	f, err := openAppend(path)
	if err != nil {
		return nil, err
	}
	return &File{path: path, file: f}, nil
}

func openAppend(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log file: %w", err)
	}
	return f, nil
}

// Write appends p.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return 0, os.ErrClosed
	}
	return f.file.Write(p)
}

// Reopen goes on in the file that has the path now, as it must after a rotation
// has renamed the old one (SIGHUP). If that can't be opened, the old one stays
// in use.
func (f *File) Reopen() error {
	next, err := openAppend(f.path)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return errors.Join(os.ErrClosed, next.Close())
	}
	old := f.file
	f.file = next
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
