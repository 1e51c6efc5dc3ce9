package engine_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// sink is a store in a SQLite file, which does not hold its records in memory.
// A Put is a transaction.
type sink struct {
	db     *sql.DB
	shapes *value.Shapes
}

// sinks opens sinks in files of a folder.
type sinks struct {
	dir    string
	shapes *value.Shapes
}

func openSink(dir string) store.New {
	return func(env store.Env) (store.Adapter, error) { return sinks{dir, env.Shapes}, nil }
}

func (s sinks) Open(_ context.Context, d *store.Declaration) (store.Store, error) {
	db, err := openDatabase(filepath.Join(s.dir, d.Target+".db"))
	if err != nil {
		return nil, err
	}
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL)`)
	return &sink{db: db, shapes: s.shapes}, err
}

func (sinks) Close() error { return nil }

func openDatabase(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err == nil {
		db.SetMaxOpenConns(1) // so that those who write take turns
	}
	return db, err
}

func (s *sink) Put(ctx context.Context, b store.Batch) (res store.Result, err error) {
	if b.Conflict != store.Overwrite {
		return res, errors.New("a sink only replaces")
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return res, err
	}
	defer tx.Rollback() // after Commit it does nothing
	insert, err := tx.PrepareContext(ctx, `INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING`)
	if err != nil {
		return res, err
	}
	update, err := tx.PrepareContext(ctx, `UPDATE records SET value = ?2 WHERE key = ?1 AND value <> ?2`)
	if err != nil {
		return res, err
	}
	did := func(stmt *sql.Stmt, key, text string) (bool, error) {
		done, err := stmt.ExecContext(ctx, key, text)
		if err != nil {
			return false, err
		}
		n, err := done.RowsAffected()
		return n > 0, err
	}
	var text []byte
	for _, rec := range b.Records {
		text = value.AppendJSON(text[:0], rec.Value)
		inserted, err := did(insert, rec.Key, string(text))
		if err != nil {
			return store.Result{}, err
		}
		if inserted {
			res.Inserted++
			continue
		}
		updated, err := did(update, rec.Key, string(text))
		if err != nil {
			return store.Result{}, err
		}
		if updated {
			res.Updated++
		} else {
			res.Unchanged++
		}
	}
	return res, tx.Commit()
}

func (s *sink) Get(ctx context.Context, key string) (v value.Value, found bool, err error) {
	var text string
	err = s.db.QueryRowContext(ctx, `SELECT value FROM records WHERE key = ?`, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	if err == nil {
		v, err = value.ParseJSON(s.shapes, text)
	}
	return v, err == nil, err
}

func (s *sink) Has(ctx context.Context, key string) (bool, error) {
	_, found, err := s.Get(ctx, key)
	return found, err
}

func (s *sink) Len(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM records`).Scan(&n)
	return n, err
}

// Page reads records by their numbers.
func (s *sink) Page(ctx context.Context, cursor string, limit int, _ *store.Filter) (p store.Page, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT seq, key, value FROM records WHERE seq > CAST(? AS INTEGER) ORDER BY seq LIMIT ?`, cursor, limit)
	if err != nil {
		return p, err
	}
	defer rows.Close()
	for rows.Next() {
		var key, text string
		if err := rows.Scan(&p.Next, &key, &text); err != nil {
			return p, err
		}
		v, err := value.ParseJSON(s.shapes, text)
		if err != nil {
			return p, err
		}
		p.Records = append(p.Records, store.Record{Key: key, Value: v})
	}
	return p, rows.Err()
}

func (s *sink) View(ctx context.Context, f *store.Filter) (store.View, error) {
	return store.Spool(ctx, s, f, s.shapes)
}

func (s *sink) Delete(ctx context.Context, key string) (bool, error) {
	n, err := s.remove(ctx, `DELETE FROM records WHERE key = ?`, key)
	return n > 0, err
}

func (s *sink) Clear(ctx context.Context) (int, error) {
	return s.remove(ctx, `DELETE FROM records`)
}

func (s *sink) remove(ctx context.Context, statement string, args ...any) (int, error) {
	done, err := s.db.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// Sync has nothing to do for what a test looks at: each Put is committed.
func (s *sink) Sync(context.Context) error { return nil }

func (s *sink) Close() error { return s.db.Close() }
