// Package state keeps what Reqon must remember between runs, in the SQLite
// database reqon.db of the state folder: run records, sync positions, and
// which due times of a schedule have been claimed. It also holds the locks
// that tell which processes use the folder. (operations, "The state folder")
//
// # What is on disk when
//
// The database is in WAL mode with synchronous=FULL: a method that writes
// returns only when its change has reached the disk, so that a power cut takes
// back neither a claim (the run would start twice) nor a sync position that
// another system has already been told of. With synchronous=NORMAL the last
// commits before a power cut could be gone. The price, one fsync a commit, is
// shared: writes that arrive while another one is being committed go into the
// next transaction together.
//
// # Several processes
//
// Any number of processes may use one folder at a time; SQLite's own locks keep
// them apart, and locks make them take turns. Only one of them may be its daemon, see [DB.LockDaemon].
package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the "sqlite" driver of database/sql

	"reqon/vm/target"
)

const (
	fileName = target.Runs

	// busyTimeoutMS is how long a write waits for another process' write.
	// Transactions here take milliseconds; ten seconds mean that the other
	// process hangs or its disk does.
	busyTimeoutMS = 10_000

	// maxConns bounds the connections of one DB: the writer and three readers.
	maxConns = 4
)

// DB is an open state folder. It is safe for concurrent use.
type DB struct {
	dir   string
	path  string
	file  fs.FileInfo // of the database that was opened
	owner string      // names this DB in the run records, and its lock file

	pool *sql.DB

	pendingMu  sync.Mutex
	pending    []*writeOp // to be committed next
	committing bool       // somebody commits, or was woken to do so
	late       []runEnd   // ends of runs that could not be recorded when they came

	writerMu sync.Mutex // held while a transaction is under way; guards what follows
	writer   *writer
	turns    *writeTurns // with the writers of other processes
	closed   bool

	ownerMu     sync.Mutex
	ownerLock   *fileLock // nil until the first BeginRun
	ownerClosed bool
}

// Open opens the state folder dir, and makes it (mode 0700) and its database
// (mode 0600) where they are missing. An older database is brought up to date.
// Opening an existing one takes about a millisecond.
//
// Errors: [*CorruptError] when reqon.db is damaged or something else,
// [*VersionError] when a newer Reqon wrote it. Neither changes the file.
func Open(dir string) (*DB, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state folder %s: %w", dir, err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create the state folder %s: %w; choose another with --state-dir", dir, err)
	}
	path := filepath.Join(abs, fileName)
	if err := checkDatabase(path); err != nil {
		return nil, fmt.Errorf("the state database can't be opened: %w", err)
	}
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("cannot create the state database %s: %w; "+
			"make the folder writable, or choose another with --state-dir", path, err)
	}
	return open(abs, path)
}

// OpenExisting is [Open] for commands that only look: where there is no state
// yet it creates nothing, and its error is [fs.ErrNotExist].
func OpenExisting(dir string) (*DB, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state folder %s: %w", dir, err)
	}
	path := filepath.Join(abs, fileName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("no state in %s yet: %w", dir, err)
	}
	if err := checkDatabase(path); err != nil {
		return nil, fmt.Errorf("the state database can't be opened: %w", err)
	}
	return open(abs, path)
}

// createPrivate makes an empty file that only its owner can read. SQLite would
// create it with the umask's mode; its -wal and -shm files take over the mode
// of the database. An existing file is never opened here: closing it again
// would drop the POSIX locks that another DB of this process holds on it.
func createPrivate(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func open(dir, path string) (_ *DB, err error) {
	owner, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("state folder %s: %w", dir, err)
	}
	pool, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, explain(path, "open", err)
	}
	pool.SetMaxOpenConns(maxConns)
	pool.SetMaxIdleConns(maxConns)
	defer func() {
		if err != nil {
			pool.Close() // the first error is the one to tell
		}
	}()

	conn, err := pool.Conn(context.Background())
	if err != nil {
		return nil, explain(path, "open", err)
	}
	if err := prepareSchema(conn, dir, path, migrations); err != nil {
		return nil, err
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, explain(path, "open", err)
	}
	return &DB{
		dir:    dir,
		path:   path,
		file:   file,
		owner:  owner.String(),
		pool:   pool,
		writer: &writer{conn: conn, stmts: map[string]*sql.Stmt{}},
		turns:  newWriteTurns(dir),
	}, nil
}

// dsn is the driver's name for path. It is a URI, so that a path may hold any
// character; journal_mode is not set here because the file remembers it.
func dsn(path string) string {
	u := url.URL{Path: filepath.ToSlash(path)}
	return fmt.Sprintf("file:%s?_pragma=busy_timeout(%d)&_pragma=synchronous(FULL)", u.EscapedPath(), busyTimeoutMS)
}

// Dir returns the absolute path of the state folder.
func (db *DB) Dir() string { return db.dir }

// checkPlace returns an error if the database has been removed or replaced. The
// system lets one go on writing to a file without a name, of which nothing is
// left at the end: due times would be run twice, and records be lost.
func (db *DB) checkPlace() error {
	now, err := os.Stat(db.path)
	what := "removed"
	switch {
	case err == nil && os.SameFile(db.file, now):
		return nil
	case err == nil:
		what = "replaced by another file"
	case !errors.Is(err, fs.ErrNotExist):
		return nil // it can't be looked at, which is for SQLite to judge
	}
	return fmt.Errorf("it was %s while it was in use, and what is recorded now would be lost; "+
		"put it back with its -wal file, or start this program again to go on with what is there", what)
}

// Close waits for the write under way and closes the database. Runs that this
// DB began and did not finish count as interrupted from now on.
func (db *DB) Close() error {
	db.writerMu.Lock()
	defer db.writerMu.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	db.recordLate()
	db.turns.close()
	err := errors.Join(db.writer.close(), db.pool.Close())

	db.ownerMu.Lock()
	defer db.ownerMu.Unlock()
	db.ownerClosed = true
	if db.ownerLock != nil {
		err = errors.Join(err, db.ownerLock.remove())
		db.ownerLock = nil
	}
	if err != nil {
		return explain(db.path, "close", err)
	}
	return nil
}
