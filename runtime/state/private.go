package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// errOdd is wrapped by the errors of what stands in the place of a file of the state
// folder and is none.
var errOdd = errors.New("is not followed in a state folder: remove it, or put a file in its place")

// OpenFile opens a file of the state folder that is this program's own, and creates
// it with flag os.O_CREATE for its owner alone (0600). It never goes through a link:
// who can put one there could have another file read, locked or written.
func OpenFile(path string, flag int) (*os.File, error) {
	if err := checkOwn(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, flag|openFlags, 0o600)
	if err != nil {
		// Between the two calls somebody may have put a link there.
		if odd := checkOwn(path); odd != nil {
			err = odd
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = odd(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkOwn reports a link, or what else is neither a file nor a folder, at path.
func checkOwn(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().IsRegular() || info.IsDir() {
		return nil // opening it says what is wrong, if anything is
	}
	return odd(path, info)
}

func odd(path string, info fs.FileInfo) error {
	kind := "what is no file"
	if info.Mode()&fs.ModeSymlink != 0 {
		kind = "a link"
	}
	return &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%s %w", kind, errOdd)}
}

// MakeFolder makes a folder within the state folder, for its owner alone. A link in
// its place is an error.
func MakeFolder(path string) error {
	if err := checkOwn(path); err != nil {
		return err
	}
	return os.MkdirAll(path, 0o700)
}

// databaseFiles are the database and what SQLite keeps beside it.
func databaseFiles(path string) []string {
	return []string{path, path + "-wal", path + "-shm", path + "-journal"}
}

// checkDatabase reports a link in the place of one of the database's files, which
// SQLite would follow.
func checkDatabase(path string) error {
	for _, name := range databaseFiles(path) {
		if err := checkOwn(name); err != nil {
			return err
		}
	}
	return nil
}
