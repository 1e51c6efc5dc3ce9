package state

import (
	"context"
	"fmt"
	"time"
)

// DefaultKeepHistory is for how long run records are kept.
const DefaultKeepHistory = 90 * 24 * time.Hour

const (
	// leastFree is how much of the database must be free, in bytes, for it to be
	// worth writing it anew.
	leastFree = 1 << 20
	// freeShare is the part of it that must be: one in so many.
	freeShare = 4
)

// KeepHistory removes the records of runs that started longer ago than keep, as
// [DB.Cleanup] does, and makes the file smaller where that has left much of it
// empty. Other writers wait meanwhile, for less than a second by the hundred
// megabytes that are left.
func (db *DB) KeepHistory(now time.Time, keep time.Duration) (removed int, err error) {
	if removed, err = db.Cleanup(now.Add(-keep)); err != nil || removed == 0 {
		return removed, err
	}
	return removed, db.Shrink()
}

// Shrink gives the disk back what the database does not use any more, if it is much.
func (db *DB) Shrink() error {
	const what = "make the database smaller"
	ctx := context.Background()
	var pages, free, size int64
	for pragma, to := range map[string]*int64{"page_count": &pages, "freelist_count": &free, "page_size": &size} {
		if err := db.pool.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(to); err != nil {
			return explain(db.path, what, err)
		}
	}
	if free*size < leastFree || free < pages/freeShare {
		return nil
	}
	db.writerMu.Lock()
	defer db.writerMu.Unlock()
	if db.closed {
		return ErrClosed
	}
	if err := db.checkPlace(); err != nil {
		return err
	}
	db.turns.enter()
	defer db.turns.leave()
	// The new file is written to the journal first, which is emptied at once: else it
	// would be as large as the database.
	for _, statement := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := db.writer.conn.ExecContext(ctx, statement); err != nil {
			return explain(db.path, what, fmt.Errorf("%s: %w", statement, err))
		}
	}
	return nil
}
