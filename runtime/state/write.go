package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// writeOp is one caller's change, waiting for a transaction.
type writeOp struct {
	what  string
	apply func(*writer) error
	done  bool // guarded by DB.writerMu
	err   error
}

// write applies a change in a transaction and returns when it is on disk. An
// error of apply takes back what apply did, and nothing else.
//
// Whoever gets the writer first commits everything that has queued up meanwhile
// and so spares the others their own fsync; they find their change done.
func (db *DB) write(what string, apply func(*writer) error) error {
	op := &writeOp{what: what, apply: apply}
	db.queueMu.Lock()
	db.queue = append(db.queue, op)
	db.queueMu.Unlock()

	db.writerMu.Lock()
	defer db.writerMu.Unlock()
	if !op.done {
		db.queueMu.Lock()
		batch := db.queue
		db.queue = nil
		db.queueMu.Unlock()
		db.commit(batch)
	}
	return op.err
}

// commit runs the batch in one transaction. It sets done and err of each.
func (db *DB) commit(batch []*writeOp) {
	err := ErrClosed
	if !db.closed {
		db.turns.enter()
		err = db.writer.transaction(batch)
		db.turns.leave()
	}
	for _, op := range batch {
		op.done = true
		if err != nil {
			op.err = err
		}
		if op.err != nil {
			op.err = explain(db.path, op.what, op.err)
		}
	}
}

// writer is the one connection that writes, with its prepared statements.
type writer struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// transaction applies all of batch or, when it returns an error, none of it.
// An operation that fails for itself has its error in it; the others stand.
func (w *writer) transaction(batch []*writeOp) (err error) {
	// IMMEDIATE takes the write lock at once, where waiting for another
	// process is possible; a transaction that starts as a reader can't.
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// SQLite may have rolled back by itself (disk full, I/O error),
			// and then this fails: err is the error to tell.
			_ = w.exec("ROLLBACK")
		}
	}()
	for _, op := range batch {
		if err := w.exec("SAVEPOINT op"); err != nil {
			return err
		}
		if op.err = op.apply(w); op.err != nil {
			if err := w.exec("ROLLBACK TO op"); err != nil {
				return errors.Join(op.err, err)
			}
		}
		if err := w.exec("RELEASE op"); err != nil {
			return err
		}
	}
	return w.exec("COMMIT")
}

func (w *writer) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := w.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = stmt
	return stmt, nil
}

func (w *writer) exec(query string, args ...any) error {
	_, err := w.execCount(query, args...)
	return err
}

// execCount returns the number of rows changed.
func (w *writer) execCount(query string, args ...any) (int64, error) {
	stmt, err := w.prepare(query)
	if err != nil {
		return 0, err
	}
	res, err := stmt.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row scans the first row into dest; ok is false when there is none.
func (w *writer) row(query string, args []any, dest ...any) (ok bool, err error) {
	stmt, err := w.prepare(query)
	if err != nil {
		return false, err
	}
	err = stmt.QueryRow(args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (w *writer) close() error {
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close())
	}
	if err := w.conn.Close(); err != nil {
		errs = append(errs, fmt.Errorf("writer: %w", err))
	}
	return errors.Join(errs...)
}
