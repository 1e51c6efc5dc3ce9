package state

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Trigger says what started a run.
type Trigger string

// The triggers of a run.
const (
	TriggerSchedule Trigger = "schedule" // a due time
	TriggerAdhoc    Trigger = "adhoc"    // `reqon PATH`
	TriggerOnce     Trigger = "once"     // `reqon PATH --once`
	TriggerRetry    Trigger = "retry"    // the schedule's retry after a failure
	TriggerCatchUp  Trigger = "catchup"  // a due time missed while nothing was running
)

func (t Trigger) known() bool {
	switch t {
	case TriggerSchedule, TriggerAdhoc, TriggerOnce, TriggerRetry, TriggerCatchUp:
		return true
	}
	return false
}

// Status is how a run stands.
type Status string

// The statuses of a run. All but StatusRunning are final.
const (
	StatusRunning     Status = "running"
	StatusSuccess     Status = "success"
	StatusFailure     Status = "failure"
	StatusIncomplete  Status = "incomplete" // did not fail, and has not fetched everything
	StatusCancelled   Status = "cancelled"
	StatusInterrupted Status = "interrupted" // its process ended before it did
)

// Final tells whether a run of this status has ended.
func (s Status) Final() bool {
	switch s {
	case StatusSuccess, StatusIncomplete, StatusFailure, StatusCancelled, StatusInterrupted:
		return true
	}
	return false
}

// Limits on what a run record keeps.
const (
	// MaxRunErrors is the number of errors kept; MoreErrors counts the rest.
	MaxRunErrors = 100
	// MaxErrorText is the length in bytes of an error text kept.
	MaxErrorText = 4096
)

// Run is the record of one run of a mission. Times are kept to the microsecond
// and are read back in UTC.
type Run struct {
	ID      string    `json:"id"` // a UUID (version 7): later runs have greater ids
	Mission string    `json:"mission"`
	Trigger Trigger   `json:"trigger"`
	Due     time.Time `json:"due,omitzero"` // zero where no schedule started it
	Start   time.Time `json:"start"`
	End     time.Time `json:"end,omitzero"` // zero while it runs, and of an interrupted run
	Status  Status    `json:"status"`
	Error   string    `json:"error,omitempty"`

	Actions    []ActionCount `json:"actions,omitempty"`
	Stores     []StoreCount  `json:"stores,omitempty"`
	Counts     Counts        `json:"counts,omitzero"`
	Errors     []RunError    `json:"errors,omitempty"`
	MoreErrors int           `json:"moreErrors,omitempty"` // left out of Errors

	PID int `json:"pid"` // of the process that ran it
}

// Duration is the time from start to end, 0 while there is no end.
func (r Run) Duration() time.Duration {
	if r.End.IsZero() {
		return 0
	}
	return r.End.Sub(r.Start)
}

// ActionCount is what one action did in a run.
type ActionCount struct {
	Name     string `json:"name"`
	Requests int64  `json:"requests"` // without retries
	Retries  int64  `json:"retries"`
	Records  int64  `json:"records"`
}

// StoreCount is what a run did to the records of one store.
type StoreCount struct {
	Name      string `json:"name"`
	Inserted  int64  `json:"inserted"`
	Updated   int64  `json:"updated"`
	Unchanged int64  `json:"unchanged"`
	Failed    int64  `json:"failed"`
}

// Counts are what a run counts beside its actions and stores: what it left
// out, and what it was told of. All zero is how a run should be.
type Counts struct {
	Skipped  int64 `json:"skipped,omitempty"`  // items that failed and were skipped
	Queued   int64 `json:"queued,omitempty"`   // items that failed and were queued
	Failed   int64 `json:"failed,omitempty"`   // items that failed and are nowhere else
	CutShort int64 `json:"cutShort,omitempty"` // fetches that have not fetched everything
	NoNext   int64 `json:"noNext,omitempty"`   // those of them whose answer named a next page that no request asked for
	Held     int64 `json:"held,omitempty"`     // sync positions that must not move
	Warnings int64 `json:"warnings,omitempty"` // `warn`s of validate steps that did not hold
	Redacted int64 `json:"redacted,omitempty"` // credentials that were taken out of stored data
}

// Complete tells whether everything was fetched, as far as a run that did not
// fail can know.
func (c Counts) Complete() bool { return c.CutShort == 0 && c.Held == 0 }

// Clean tells whether there is nothing to tell: everything was fetched, no item
// failed, and nobody was warned.
func (c Counts) Clean() bool { return c == Counts{} }

// Texts gives what is not zero in words, each as "2 items skipped".
func (c Counts) Texts() []string {
	var texts []string
	for _, n := range []struct {
		count     int64
		one, many string
	}{
		{c.Failed, "item failed", "items failed"},
		{c.Skipped, "item skipped", "items skipped"},
		{c.Queued, "item queued", "items queued"},
		{c.CutShort, "fetch cut short", "fetches cut short"},
		{c.NoNext, "next page not asked for", "next pages not asked for"},
		{c.Held, "sync position held", "sync positions held"},
		{c.Warnings, "validation warning", "validation warnings"},
		{c.Redacted, "credential redacted", "credentials redacted"},
	} {
		switch {
		case n.count == 1:
			texts = append(texts, "1 "+n.one)
		case n.count != 0:
			texts = append(texts, strconv.FormatInt(n.count, 10)+" "+n.many)
		}
	}
	return texts
}

// RunError is one failure within a run.
type RunError struct {
	Action  string `json:"action,omitempty"`
	Place   string `json:"position,omitempty"` // file:line:column
	Message string `json:"message"`
	Index   *int   `json:"index,omitempty"` // of the item in its loop, from 0
	ID      string `json:"id,omitempty"`    // of the item
}

// runDetail is the part of a run that is never searched, kept as JSON.
type runDetail struct {
	Actions    []ActionCount `json:"actions,omitempty"`
	Stores     []StoreCount  `json:"stores,omitempty"`
	Counts     Counts        `json:"counts,omitzero"`
	Errors     []RunError    `json:"errors,omitempty"`
	MoreErrors int           `json:"moreErrors,omitempty"`
}

// NewRunID returns a UUID of version 7 (RFC 9562, section 5.7) for a run that
// starts at start. The 12 bits behind the millisecond hold its fraction (section
// 6.2, method 3), so that ids sort by start to a quarter of a microsecond.
func NewRunID(start time.Time) (string, error) {
	id, err := uuid.NewRandom() // sets the variant, and version 4
	if err != nil {
		return "", fmt.Errorf("run id: %w", err)
	}
	ms := start.UnixMilli()
	fraction := uint64(start.Nanosecond()%1_000_000) << 12 / 1_000_000
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = 7<<4 | byte(fraction>>8)
	id[7] = byte(fraction)
	return id.String(), nil
}

// BeginRun records that a run has started. Mission, Trigger and Start must be
// set; BeginRun sets ID, unless it is set, and Status and PID.
func (db *DB) BeginRun(r *Run) error {
	if err := db.prepareRun(r); err != nil {
		return err
	}
	return db.write("begin a run of "+r.Mission, func(w *writer) error { return db.insertRun(w, r) })
}

// prepareRun makes r the record of a run of this process.
func (db *DB) prepareRun(r *Run) error {
	switch {
	case r.Mission == "":
		return errors.New("begin run: it has no mission")
	case !r.Trigger.known():
		return fmt.Errorf("begin run of %s: unknown trigger %q", r.Mission, r.Trigger)
	case r.Start.IsZero():
		return fmt.Errorf("begin run of %s: it has no start time", r.Mission)
	}
	if r.ID == "" {
		id, err := NewRunID(r.Start)
		if err != nil {
			return err
		}
		r.ID = id
	}
	if err := db.lockOwner(); err != nil {
		return err
	}
	r.Status, r.PID = StatusRunning, os.Getpid()
	return nil
}

func (db *DB) insertRun(w *writer, r *Run) error {
	return w.exec(`INSERT INTO runs (id, mission, trigger, due, started, status, owner, pid) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.Mission, string(r.Trigger), toMicros(r.Due), r.Start.UnixMicro(), string(StatusRunning), db.owner, r.PID)
}

// SaveProgress records what a run that goes on has done so far: its actions,
// stores, counts and errors. That is what its record holds if its process is
// killed. A run that is not running any more is left as it is.
func (db *DB) SaveProgress(r *Run) error {
	so := *r
	capErrors(&so)
	detail, err := so.detail()
	if err != nil {
		return err
	}
	return db.write("record the progress of a run of "+r.Mission, func(w *writer) error {
		_, err := w.execCount(`UPDATE runs SET detail = ? WHERE id = ? AND mission = ? AND status = 'running'`, detail, r.ID, r.Mission)
		return err
	})
}

// detail gives the part of a run that is never searched.
func (r *Run) detail() (string, error) {
	text, err := json.Marshal(runDetail{r.Actions, r.Stores, r.Counts, r.Errors, r.MoreErrors})
	if err != nil {
		return "", fmt.Errorf("record of the run %s of %s: %w", r.ID, r.Mission, err)
	}
	return string(text), nil
}

// FinishRun records how a run ended: Status must be final, and End be set. In
// the same transaction it saves the run's sync positions, if
// and only if Status is StatusSuccess or StatusIncomplete: of the latter those
// of the fetches that were whole (language definition, section 6.1). When
// it fails, nothing of it is saved.
//
// Beyond the limits, r's errors are counted in MoreErrors and its texts cut.
// Positions may be nil.
func (db *DB) FinishRun(r *Run, positions *Positions) error {
	if !r.Status.Final() {
		return fmt.Errorf("finish run %s of %s: %q is not a final status", r.ID, r.Mission, r.Status)
	}
	if r.End.IsZero() {
		return fmt.Errorf("finish run %s of %s: it has no end time", r.ID, r.Mission)
	}
	if positions == nil {
		positions = &Positions{}
	}
	saves := r.Status == StatusSuccess || r.Status == StatusIncomplete
	if saves {
		if err := positions.check(); err != nil {
			return fmt.Errorf("finish run %s of %s: %w", r.ID, r.Mission, err)
		}
	}
	capErrors(r)
	detail, err := r.detail()
	if err != nil {
		return err
	}
	end := runEnd{run: *r, detail: detail}
	err = db.write("finish a run of "+r.Mission, func(w *writer) error {
		found, err := end.record(w)
		if err != nil {
			return err
		}
		if !found {
			return notRunning(w, r)
		}
		if err := positions.touch(w, r.Mission, r.End); err != nil || !saves {
			return err
		}
		if err := positions.save(w, r.Mission, r.ID, r.End); err != nil || len(positions.Save) == 0 {
			return err
		}
		return positions.bound(w, r.Mission, r.End)
	})
	if err != nil {
		db.recordLater(end, err)
	}
	return err
}

// runEnd is how a run ended, as it is recorded.
type runEnd struct {
	run    Run
	detail string // JSON of runDetail
}

// record finishes the record of the run; found is false if it is not running.
func (e *runEnd) record(w *writer) (found bool, err error) {
	n, err := w.execCount(`UPDATE runs SET status = ?, ended = ?, error = ?, detail = ? WHERE id = ? AND mission = ? AND status = 'running'`,
		string(e.run.Status), e.run.End.UnixMicro(), e.run.Error, e.detail, e.run.ID, e.run.Mission)
	return n > 0, err
}

// recordLater keeps the end of a run that could not be recorded, as on a full
// disk, for recordLate. Without that the run would be shown as running for as long
// as this process lives, and then as cut off.
func (db *DB) recordLater(end runEnd, why error) {
	if end.run.Status == StatusSuccess || end.run.Status == StatusIncomplete {
		end.run.Status = StatusFailure // its sync positions have not been saved
	}
	text := "its end could not be recorded when it came, and its sync positions are not saved: " + why.Error()
	if end.run.Error != "" {
		text = end.run.Error + "; " + text
	}
	end.run.Error = cutText(text, MaxErrorText)
	db.pendingMu.Lock()
	defer db.pendingMu.Unlock()
	db.late = append(db.late, end)
}

// recordLate records the ends of runs that could not be recorded when they came.
// What can't be yet is left for the next time. It is called with writerMu held.
func (db *DB) recordLate() {
	db.pendingMu.Lock()
	late := db.late
	db.late = nil
	db.pendingMu.Unlock()
	if len(late) == 0 {
		return
	}
	op := &writeOp{apply: func(w *writer) error {
		for i := range late {
			// A run that is not running any more has been finished otherwise.
			if _, err := late[i].record(w); err != nil {
				return err
			}
		}
		return nil
	}}
	if err := db.writer.transaction([]*writeOp{op}); err != nil || op.err != nil {
		db.pendingMu.Lock()
		db.late = append(late, db.late...)
		db.pendingMu.Unlock()
	}
}

// notRunning says why a run can't be finished.
func notRunning(w *writer, r *Run) error {
	var status string
	ok, err := w.row(`SELECT status FROM runs WHERE id = ? AND mission = ?`, []any{r.ID, r.Mission}, &status)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("there is no run %s of %s", r.ID, r.Mission)
	}
	return fmt.Errorf("the run %s of %s is recorded as %s, not as running; its sync positions are not saved", r.ID, r.Mission, status)
}

func capErrors(r *Run) {
	if more := len(r.Errors) - MaxRunErrors; more > 0 {
		r.Errors = slices.Clone(r.Errors[:MaxRunErrors])
		r.MoreErrors += more
	}
	r.Error = cutText(r.Error, MaxErrorText)
	for i, e := range r.Errors {
		if len(e.Message) > MaxErrorText {
			r.Errors = slices.Clone(r.Errors) // the caller's own stays whole
			r.Errors[i].Message = cutText(e.Message, MaxErrorText)
		}
	}
}

// cutText cuts s to at most limit bytes, between characters, and shows it.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	n := limit - len(mark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + mark
}

// Filter chooses runs.
type Filter struct {
	Mission string    // "" for all
	Since   time.Time // started at this time or later; zero for all
	Limit   int       // at most as many; 0 for all
}

const runColumns = `id, mission, trigger, due, started, ended, status, error, detail, pid`

// Runs returns the records that f chooses, the newest first.
func (db *DB) Runs(f Filter) ([]Run, error) {
	query := `SELECT ` + runColumns + ` FROM runs`
	var conds []string
	var args []any
	if f.Mission != "" {
		conds, args = append(conds, `mission = ?`), append(args, f.Mission)
	}
	if !f.Since.IsZero() {
		conds, args = append(conds, `started >= ?`), append(args, f.Since.UnixMicro())
	}
	if len(conds) > 0 {
		query += ` WHERE ` + strings.Join(conds, ` AND `)
	}
	query += ` ORDER BY started DESC, id DESC`
	if f.Limit > 0 {
		query, args = query+` LIMIT ?`, append(args, f.Limit)
	}
	return db.queryRuns("read the runs", query, args...)
}

// LastRun returns the mission's newest run, whatever its status; ok is false
// when it has none.
func (db *DB) LastRun(mission string) (r Run, ok bool, err error) {
	runs, err := db.Runs(Filter{Mission: mission, Limit: 1})
	if err != nil || len(runs) == 0 {
		return Run{}, false, err
	}
	return runs[0], true, nil
}

// LastRuns returns the newest run of each mission that has one, by its name.
func (db *DB) LastRuns() (map[string]Run, error) {
	// For each mission, one step down the index to its newest run.
	runs, err := db.queryRuns("read the last runs", `
		WITH RECURSIVE missions (mission) AS (
			SELECT min(mission) FROM runs
			UNION ALL
			SELECT (SELECT min(r.mission) FROM runs r WHERE r.mission > missions.mission) FROM missions
			WHERE missions.mission IS NOT NULL
		)
		SELECT `+runColumns+` FROM runs WHERE id IN (
			SELECT (SELECT r.id FROM runs r WHERE r.mission = missions.mission ORDER BY r.started DESC, r.id DESC LIMIT 1)
			FROM missions WHERE missions.mission IS NOT NULL
		)`)
	if err != nil {
		return nil, err
	}
	last := make(map[string]Run, len(runs))
	for _, r := range runs {
		last[r.Mission] = r
	}
	return last, nil
}

func (db *DB) queryRuns(what, query string, args ...any) ([]Run, error) {
	rows, err := db.pool.Query(query, args...)
	if err != nil {
		return nil, explain(db.path, what, err)
	}
	runs, err := scanRuns(rows)
	if err != nil {
		return nil, explain(db.path, what, err)
	}
	return runs, nil
}

// scanRuns reads rows of runColumns to their end, and closes them.
func scanRuns(rows *sql.Rows) ([]Run, error) {
	defer rows.Close() // its error is that of rows.Err
	var runs []Run
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

func scanRun(rows *sql.Rows) (Run, error) {
	var r Run
	var due, ended sql.NullInt64
	var started int64
	var detail []byte
	err := rows.Scan(&r.ID, &r.Mission, &r.Trigger, &due, &started, &ended, &r.Status, &r.Error, &detail, &r.PID)
	if err != nil {
		return Run{}, err
	}
	var d runDetail
	if err := json.Unmarshal(detail, &d); err != nil {
		return Run{}, fmt.Errorf("run %s: %w: %w", r.ID, errUnreadable, err)
	}
	r.Due, r.Start, r.End = fromMicros(due), time.UnixMicro(started).UTC(), fromMicros(ended)
	r.Actions, r.Stores, r.Counts, r.Errors, r.MoreErrors = d.Actions, d.Stores, d.Counts, d.Errors, d.MoreErrors
	return r, nil
}

// cleanupBatch is the number of runs removed in one transaction, so that other
// writers wait for milliseconds only.
const cleanupBatch = 1000

// Cleanup removes the records of runs that started before olderThan and returns
// their number. It keeps runs in progress, and the newest of each mission: the
// schedule counts from it.
func (db *DB) Cleanup(olderThan time.Time) (removed int, err error) {
	for {
		var n int64
		err := db.write("remove old runs", func(w *writer) (err error) {
			n, err = w.execCount(`DELETE FROM runs WHERE id IN (
				SELECT id FROM runs AS old
				WHERE started < ? AND status != 'running' AND EXISTS (
					SELECT 1 FROM runs AS newer WHERE newer.mission = old.mission
					AND (newer.started, newer.id) > (old.started, old.id))
				ORDER BY started, id LIMIT ?)`, olderThan.UnixMicro(), cleanupBatch)
			return err
		})
		if err != nil {
			return removed, err
		}
		removed += int(n)
		if n < cleanupBatch {
			return removed, nil
		}
	}
}

// MarkInterrupted finds the runs whose process has ended without finishing
// them, records them as interrupted, and returns them, the oldest first.
//
// Each process holds a lock of its own from its first run to its end, which the
// kernel drops even on kill -9. A run whose owner's lock is free is nobody's
// any more. A pid would not do: it is given out again, and in a container means
// another process.
func (db *DB) MarkInterrupted() ([]Run, error) {
	const what = "look for interrupted runs"
	owners, err := db.otherOwners()
	if err != nil {
		return nil, explain(db.path, what, err)
	}
	var gone []string
	for _, owner := range owners {
		dead, err := db.ownerGone(owner)
		if err != nil {
			return nil, explain(db.path, what, err)
		}
		if dead {
			gone = append(gone, owner)
		}
	}
	if err := db.sweepLocks(); err != nil {
		return nil, explain(db.path, what, err)
	}
	var runs []Run
	for _, owner := range gone {
		marked, err := db.markOwner(owner)
		if err != nil {
			return nil, err
		}
		runs = append(runs, marked...)
	}
	slices.SortFunc(runs, func(a, b Run) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
	})
	return runs, nil
}

// otherOwners returns the owners of the runs in progress, without this DB.
func (db *DB) otherOwners() (owners []string, err error) {
	rows, err := db.pool.Query(`SELECT DISTINCT owner FROM runs WHERE status = 'running' AND owner != ?`, db.owner)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // its error is that of rows.Err
	for rows.Next() {
		var owner string
		if err := rows.Scan(&owner); err != nil {
			return nil, err
		}
		owners = append(owners, owner)
	}
	return owners, rows.Err()
}

// markOwner marks the runs of a process that is gone.
func (db *DB) markOwner(owner string) (runs []Run, err error) {
	err = db.write("mark interrupted runs", func(w *writer) error {
		stmt, err := w.prepare(`UPDATE runs SET status = 'interrupted',
			error = 'the process (pid ' || pid || ') ended before the run did'
			WHERE owner = ? AND status = 'running' RETURNING ` + runColumns)
		if err != nil {
			return err
		}
		rows, err := stmt.Query(owner)
		if err != nil {
			return err
		}
		runs, err = scanRuns(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return runs, nil
}

// toMicros returns null for the zero time.
func toMicros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func fromMicros(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64).UTC()
}
