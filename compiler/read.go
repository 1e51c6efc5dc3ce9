package compiler

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Read gives the content of a file of a unit, by its name as it stands there.
// An editor's unsaved text, standard input, a cache and a test each have their
// own; [ReadFile] is that of files.
type Read func(name string) ([]byte, error)

// MaxFile is how large a source or an artifact may be, in bytes. Nobody writes
// this much, and what it costs to compile stays bounded.
const MaxFile = 16 << 20

// TooLargeError is that of a source or an artifact beyond [MaxFile].
type TooLargeError struct {
	Path string
}

// Error says how large a file may be.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is too large to be a mission: at most %d MiB are read; divide it into several files, or look whether it is one", e.Path, MaxFile>>20)
}

// errNoFile is wrapped by the errors of what is no regular file.
var errNoFile = errors.New("expected a regular file, or a link to one")

// ReadFile reads a source or an artifact. It must be a regular file, or a link to
// one: to open a pipe waits for who writes into it, and a device may never end.
// The error is a *fs.PathError, or a *TooLargeError.
func ReadFile(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := isFile(name, info); err != nil {
		return nil, err
	}
	// What stands there may be another thing by now, so that it is opened without
	// waiting and looked at again.
	f, err := os.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := isFile(name, info); err != nil {
		return nil, err
	}
	if info.Size() > MaxFile {
		return nil, &TooLargeError{Path: name}
	}
	// Its size may be another one by now, too, or mean nothing, as in /proc.
	data := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > MaxFile:
			return nil, &TooLargeError{Path: name}
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// isFile tells by the error whether something that was found is no regular file.
func isFile(name string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("it is %s, %w", kindOf(info.Mode()), errNoFile)}
}

// kindOf says what a file is that is no regular one.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "no regular file"
}
