package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// applicationID marks the file as Reqon's ("Reqn"), for SQLite's application_id.
const applicationID = 0x5265716e

// schemaLockName is the file that is locked while the schema is brought up to
// date. It does not outlast that.
const schemaLockName = "schema.lock"

// migrations lead from one schema version to the next: after migrations[0] the
// file has version 1. A released one is never changed again.
//
// Times are microseconds since 1970 UTC, null where there is none.
var migrations = []string{`
CREATE TABLE runs (
	id       TEXT PRIMARY KEY,
	mission  TEXT NOT NULL,
	trigger  TEXT NOT NULL,
	due      INTEGER,
	started  INTEGER NOT NULL,
	ended    INTEGER,
	status   TEXT NOT NULL,
	error    TEXT NOT NULL DEFAULT '',
	owner    TEXT NOT NULL,
	pid      INTEGER NOT NULL,
	detail   TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX runs_by_mission ON runs (mission, started, id);
CREATE INDEX runs_by_start ON runs (started, id);
CREATE INDEX runs_running ON runs (owner) WHERE status = 'running';

CREATE TABLE positions (
	mission TEXT NOT NULL,
	key     TEXT NOT NULL,
	value   TEXT NOT NULL,
	run     TEXT NOT NULL,
	saved   INTEGER NOT NULL,
	PRIMARY KEY (mission, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
	mission    TEXT NOT NULL PRIMARY KEY,
	schedule   TEXT,
	first_seen INTEGER,
	claims     INTEGER NOT NULL DEFAULT 0,
	floor      INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE claims (
	mission TEXT NOT NULL,
	due     INTEGER NOT NULL,
	PRIMARY KEY (mission, due)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE positions ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE positions ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
UPDATE positions SET seen = saved;
`}

// prepareSchema makes sure that the file has the newest schema version.
func prepareSchema(conn *sql.Conn, dir, path string, migrations []string) error {
	version, application, err := readMarks(conn)
	if err != nil {
		return explain(path, "open", err)
	}
	if application == applicationID && version == len(migrations) {
		return nil
	}
	// Several processes may come here at once. SQLite's own lock does not cover
	// the switch to WAL, nor all that checkMarks looks at.
	lock, err := lockFile(filepath.Join(dir, schemaLockName), os.O_CREATE, true)
	if err != nil {
		return explain(path, "lock", err)
	}
	defer lock.remove() // a file that stays behind does no harm
	version, err = checkMarks(conn, path, len(migrations))
	if err != nil || version == len(migrations) {
		return err
	}
	if err := migrate(conn, version, migrations); err != nil {
		return explain(path, fmt.Sprintf("bring version %d up to date", version), err)
	}
	return nil
}

func readMarks(conn *sql.Conn) (version, application int, err error) {
	err = conn.QueryRowContext(context.Background(),
		"SELECT user_version, application_id FROM pragma_user_version, pragma_application_id").Scan(&version, &application)
	return version, application, err
}

// checkMarks returns the file's version, 0 for a new one. It refuses what is not
// Reqon's, and what is newer than this program.
func checkMarks(conn *sql.Conn, path string, newest int) (version int, err error) {
	version, application, err := readMarks(conn)
	if err != nil {
		return 0, explain(path, "open", err)
	}
	if version == 0 { // a new file, unless there is something in it
		var tables int
		if err := conn.QueryRowContext(context.Background(), "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
			return 0, explain(path, "open", err)
		}
		if tables == 0 {
			return 0, nil
		}
	}
	if application != applicationID {
		return 0, &CorruptError{Path: path, Err: errors.New("it is a database of another program")}
	}
	if version <= 0 {
		return 0, &CorruptError{Path: path, Err: fmt.Errorf("its version is %d", version)}
	}
	if version > newest {
		return 0, &VersionError{Path: path, Found: version, Known: newest}
	}
	return version, nil
}

// migrate runs the migrations from version on, all of them or none.
func migrate(conn *sql.Conn, version int, migrations []string) (err error) {
	ctx := context.Background()
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the file system does not support write-ahead logging (journal mode is %q); "+
			"choose a folder on a local disk with --state-dir", mode)
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = conn.ExecContext(ctx, "ROLLBACK") // err is the error to tell
		}
	}()
	for i := version; i < len(migrations); i++ {
		if _, err := conn.ExecContext(ctx, migrations[i]); err != nil {
			return fmt.Errorf("migration to version %d: %w", i+1, err)
		}
	}
	// A pragma takes no parameters; both numbers are this program's own.
	marks := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(migrations))
	if _, err := conn.ExecContext(ctx, marks); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}
