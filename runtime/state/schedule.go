package state

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// How many claims of a mission are remembered. Beyond keepClaims+trimClaims the
// oldest are forgotten but for the greatest of them: no due time up to that one
// is given out again. Catching up takes at most 100 (language definition,
// section 5), so that no open due time is as old.
const (
	keepClaims = 1000
	trimClaims = 1000
)

// Schedule is what is remembered of a mission's schedule.
type Schedule struct {
	// FirstSeen is when a daemon first saw the mission with this schedule. What
	// was due before was not missed: it never was to run.
	FirstSeen time.Time
	// LastDue is the greatest due time claimed, zero if none was.
	LastDue time.Time
}

// Seen records at what time each mission was seen with its schedule, texts by
// mission, and returns what is known of them. A mission that is new, or has
// another schedule than last time, counts as first seen at that time.
func (db *DB) Seen(at time.Time, schedules map[string]string) (map[string]Schedule, error) {
	if at.IsZero() {
		return nil, errors.New("schedules seen: the time is missing")
	}
	known := make(map[string]Schedule, len(schedules))
	err := db.write("record the schedules", func(w *writer) error {
		for _, mission := range slices.Sorted(maps.Keys(schedules)) {
			err := w.exec(`INSERT INTO schedules (mission, schedule, first_seen) VALUES (?, ?, ?)
				ON CONFLICT (mission) DO UPDATE SET schedule = excluded.schedule, first_seen = excluded.first_seen
				WHERE schedule IS NOT excluded.schedule`, mission, schedules[mission], at.UnixMicro())
			if err != nil {
				return err
			}
			var first, due sql.NullInt64
			if _, err := w.row(`SELECT first_seen, (SELECT max(due) FROM claims WHERE mission = schedules.mission)
				FROM schedules WHERE mission = ?`, []any{mission}, &first, &due); err != nil {
				return err
			}
			known[mission] = Schedule{FirstSeen: fromMicros(first), LastDue: fromMicros(due)}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return known, nil
}

// ClaimRule says which due times of a mission may be taken.
type ClaimRule uint8

const (
	// ClaimAny takes a due time that has not been taken: each is given out once,
	// whichever process asks, also after a restart and when the clock is set back.
	// They may be claimed in any order, and are told apart to the microsecond.
	ClaimAny ClaimRule = iota
	// ClaimLater is for intervals, whose due times follow from the last run: it
	// refuses each that is not later than all claimed before.
	//
	// After the clock was set back by more than one interval, that would be every
	// one for as long; a daemon that sees a last due time beyond now and one
	// interval counts from now and uses ClaimAny.
	ClaimLater
)

// refused is the query, over mission and due, that has a row if the due time
// may not be taken.
func (c ClaimRule) refused() string {
	if c == ClaimLater {
		return `SELECT 1 FROM claims WHERE mission = ?1 AND due >= ?2
			UNION ALL SELECT 1 FROM schedules WHERE mission = ?1 AND floor >= ?2`
	}
	return `SELECT 1 FROM claims WHERE mission = ?1 AND due = ?2
		UNION ALL SELECT 1 FROM schedules WHERE mission = ?1 AND floor >= ?2`
}

// BeginDue takes the due time of a run for the caller and records that the run
// has started, as [DB.BeginRun] does, in one transaction: a process that ends at
// any moment has either left the due time to be run, or a run that is found to
// be interrupted. The caller must run it only if the answer is true.
func (db *DB) BeginDue(r *Run, rule ClaimRule) (claimed bool, err error) {
	if err := checkDue(r.Mission, r.Due); err != nil {
		return false, err
	}
	if err := db.prepareRun(r); err != nil {
		return false, err
	}
	err = db.write("begin a run of "+r.Mission, func(w *writer) (err error) {
		if claimed, err = claim(w, r.Mission, r.Due, rule); err != nil || !claimed {
			return err
		}
		return db.insertRun(w, r)
	})
	return claimed && err == nil, err
}

// Claim takes a due time of the mission for the caller, who must run it only if
// the answer is true. It is for due times that are left out; those that are run
// are taken by [DB.BeginDue].
func (db *DB) Claim(mission string, due time.Time, rule ClaimRule) (claimed bool, err error) {
	if err := checkDue(mission, due); err != nil {
		return false, err
	}
	err = db.write("claim a due time of "+mission, func(w *writer) (err error) {
		claimed, err = claim(w, mission, due, rule)
		return err
	})
	return claimed && err == nil, err
}

func checkDue(mission string, due time.Time) error {
	if mission == "" || due.IsZero() {
		return fmt.Errorf("claim a due time of %q: the mission or the time is missing", mission)
	}
	return nil
}

// claim takes due unless rule refuses it.
func claim(w *writer, mission string, due time.Time, rule ClaimRule) (claimed bool, err error) {
	var one int
	taken, err := w.row(rule.refused(), []any{mission, due.UnixMicro()}, &one)
	if err != nil || taken {
		return false, err
	}
	if err := w.exec(`INSERT INTO claims (mission, due) VALUES (?, ?)`, mission, due.UnixMicro()); err != nil {
		return false, err
	}
	var claims int
	if _, err := w.row(`INSERT INTO schedules (mission, claims) VALUES (?, 1)
		ON CONFLICT (mission) DO UPDATE SET claims = claims + 1 RETURNING claims`, []any{mission}, &claims); err != nil {
		return false, err
	}
	if claims > keepClaims+trimClaims {
		if err := trim(w, mission); err != nil {
			return false, err
		}
	}
	return true, nil
}

// trim forgets all but the newest keepClaims claims of the mission.
func trim(w *writer, mission string) error {
	var floor int64
	ok, err := w.row(`SELECT due FROM claims WHERE mission = ? ORDER BY due DESC LIMIT 1 OFFSET ?`,
		[]any{mission, keepClaims}, &floor)
	if err != nil || !ok {
		return err
	}
	if err := w.exec(`DELETE FROM claims WHERE mission = ? AND due <= ?`, mission, floor); err != nil {
		return err
	}
	return w.exec(`UPDATE schedules SET claims = ?, floor = ? WHERE mission = ?`, keepClaims, floor, mission)
}

// LastClaim returns the greatest due time of the mission that was claimed; ok is
// false when none was.
func (db *DB) LastClaim(mission string) (due time.Time, ok bool, err error) {
	var last sql.NullInt64
	if err := db.pool.QueryRow(`SELECT max(due) FROM claims WHERE mission = ?`, mission).Scan(&last); err != nil {
		return time.Time{}, false, explain(db.path, "read the last claim of "+mission, err)
	}
	return fromMicros(last), last.Valid, nil
}

// Claims returns the due times of the mission that were claimed and are not
// before since, the oldest first. At least the newest 1,000 are remembered.
func (db *DB) Claims(mission string, since time.Time) (dues []time.Time, err error) {
	what := "read the claims of " + mission
	rows, err := db.pool.Query(`SELECT due FROM claims WHERE mission = ? AND due >= ? ORDER BY due`, mission, since.UnixMicro())
	if err != nil {
		return nil, explain(db.path, what, err)
	}
	defer rows.Close() // its error is that of rows.Err
	for rows.Next() {
		var due int64
		if err := rows.Scan(&due); err != nil {
			return nil, explain(db.path, what, err)
		}
		dues = append(dues, time.UnixMicro(due).UTC())
	}
	if err := rows.Err(); err != nil {
		return nil, explain(db.path, what, err)
	}
	return dues, nil
}
