package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrClosed is the error of a write after Close.
var ErrClosed = errors.New("the state folder is closed")

// errUnreadable marks content that this package can't have written.
var errUnreadable = errors.New("its content is unreadable")

// LockedError says that another daemon owns the state folder. It is a
// configuration error (exit code 3).
type LockedError struct {
	Dir string
	PID int // of the daemon that owns it; 0 when it has not said yet
}

func (e *LockedError) Error() string {
	who := "another daemon"
	if e.PID != 0 {
		who = fmt.Sprintf("the daemon with pid %d", e.PID)
	}
	return fmt.Sprintf("the state folder %s is in use by %s; stop it first, or choose another folder with --state-dir", e.Dir, who)
}

// CorruptError says that reqon.db is damaged, or is no database of Reqon's. The
// file is left as it is: it holds the sync positions, and what can be saved of
// it is for a person to decide.
type CorruptError struct {
	Path string // of reqon.db
	Err  error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("the state database %s is damaged: %v; restore it from a backup, or move it away together with "+
		"its -wal and -shm files to start anew: missions then fetch from the beginning, as they have no sync position",
		e.Path, e.Err)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// VersionError says that a newer Reqon wrote reqon.db.
type VersionError struct {
	Path         string // of reqon.db
	Found, Known int    // schema versions: the file's, and the newest this program knows
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("the state database %s has version %d, written by a newer Reqon; this one knows versions up to %d: "+
		"use the newer program, or another folder with --state-dir", e.Path, e.Found, e.Known)
}

// explain makes an error of the driver one that says what to do.
func explain(path, what string, err error) error {
	var corrupt *CorruptError
	if errors.As(err, &corrupt) || errors.Is(err, ErrClosed) {
		return err
	}
	if errors.Is(err, errUnreadable) {
		return &CorruptError{Path: path, Err: err}
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("state database %s: %s: %w; make it readable and writable for this user, "+
				"or choose another folder with --state-dir", path, what, err)
		}
		return fmt.Errorf("state database %s: %s: %w", path, what, err)
	}
	if se.Code() == sqlite3.SQLITE_IOERR_SHORT_READ {
		return &CorruptError{Path: path, Err: err} // a page is missing at the end
	}
	advice := ""
	switch se.Code() & 0xff { // the primary code; the rest tells its variants apart
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return &CorruptError{Path: path, Err: err}
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		if outOfFiles(path) {
			advice = "; too many files are open: raise the limit (ulimit -n; LimitNOFILE= in a systemd unit), " +
				"or allow fewer runs at once with --max-concurrent-runs"
			break
		}
		advice = "; make the folder and its files readable and writable for this user, or choose another with --state-dir"
	case sqlite3.SQLITE_FULL:
		advice = "; the disk is full: free some space"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		advice = fmt.Sprintf("; another process has kept it locked for %d s: see what hangs there", busyTimeoutMS/1000)
	case sqlite3.SQLITE_IOERR:
		// On a full disk it is this too: the file beside the database that
		// processes share can't be made.
		advice = "; free some space if the disk is full, else look into its health and the system log"
	}
	return fmt.Errorf("state database %s: %s: %w%s", path, what, err, advice)
}

// outOfFiles tells whether no more files can be opened, which SQLite does not tell
// apart from a file that may not be. It tries the folder: to open and close the
// database itself would drop the POSIX locks on it.
func outOfFiles(path string) bool {
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
	}
	f.Close()
	return false
}
