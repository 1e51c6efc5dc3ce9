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
	wake  chan struct{} // gets one value: the change is done, or its caller's turn to commit has come
	done  bool          // set before wake
	err   error
}

// errCutOff is the error of changes whose transaction ended in a panic.
var errCutOff = errors.New("the transaction was cut off by a failure of the program")

// write applies a change in a transaction and returns when it is on disk. An
// error of apply takes back what apply did, and nothing else.
//
// Who finds nobody at work commits everything that is pending, and so spares
// the others their own fsync; then the first of those who have come meanwhile
// does the same. Each is woken by itself and once, so that the next transaction
// begins while the callers of the last one go their ways: a mutex would let them
// pass one behind the other before it.
func (db *DB) write(what string, apply func(*writer) error) error {
	op := &writeOp{what: what, apply: apply, wake: make(chan struct{}, 1)}
	db.pendingMu.Lock()
	db.pending = append(db.pending, op)
	first := !db.committing
	db.committing = true
	db.pendingMu.Unlock()

	if !first {
		if <-op.wake; op.done {
			return op.err
		}
	}
	db.commitPending(op)
	return op.err
}

// commitPending commits what is pending, mine among it, and hands over to the
// next.
func (db *DB) commitPending(mine *writeOp) {
	var batch []*writeOp
	defer func() {
		db.pendingMu.Lock()
		if len(db.pending) > 0 {
			db.pending[0].wake <- struct{}{}
		} else {
			db.committing = false
		}
		db.pendingMu.Unlock()
		for _, op := range batch {
			if op != mine {
				op.wake <- struct{}{}
			}
		}
	}()
	db.writerMu.Lock()
	defer db.writerMu.Unlock()
	db.pendingMu.Lock()
	batch, db.pending = db.pending, nil
	db.pendingMu.Unlock()
	db.commit(batch)
}

// commit runs the batch in one transaction. It sets done and err of each.
func (db *DB) commit(batch []*writeOp) {
	err := errCutOff
	defer func() {
		for _, op := range batch {
			op.done = true
			if err != nil {
				op.err = err
			}
			if op.err != nil {
				op.err = explain(db.path, op.what, op.err)
			}
		}
	}()
	if db.closed {
		err = ErrClosed
		return
	}
	if e := db.checkPlace(); e != nil {
		err = e
		return
	}
	db.turns.enter()
	defer db.turns.leave()
	if err = db.writer.transaction(batch); err == nil {
		db.recordLate()
	}
}

// writer is the one connection that writes, with its prepared statements.
type writer struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// transaction applies all of batch or, when it returns an error, none of it.
// An operation that fails for itself has its error in it; the others stand.
func (w *writer) transaction(batch []*writeOp) error {
	// IMMEDIATE takes the write lock at once, where waiting for another
	// process is possible; a transaction that starts as a reader can't.
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			// SQLite may have rolled back by itself (disk full, I/O error),
			// and then this fails: the first error is the one to tell.
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
	err := w.exec("COMMIT")
	committed = err == nil
	return err
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
