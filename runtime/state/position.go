package state

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Bounds of the sync positions of a mission. A fetch without its position asks
// for everything, so that one that goes costs time and loses nothing.
const (
	// MaxPositions is the most that a mission keeps.
	MaxPositions = 100_000
	// PositionAge is after how long one goes that no run has asked for.
	PositionAge = 366 * 24 * time.Hour
)

// seenEvery is how exact it is kept when a position was last asked for: to write
// it at each run would cost as much as to save it.
const seenEvery = 24 * time.Hour

// Position is a saved sync position.
type Position struct {
	Mission string    `json:"mission"`
	Key     string    `json:"key"` // "" is the start of the mission's last success
	Value   string    `json:"value"`
	Origin  string    `json:"origin,omitempty"` // scheme and host that it is of; "" where none is known
	Run     string    `json:"run,omitempty"`    // that saved it; "" where a person did
	Saved   time.Time `json:"saved"`
	Seen    time.Time `json:"seen"` // when a run last asked for it, to the day
}

// Positions are what a run leaves of sync positions.
type Positions struct {
	Save []Position // Key, Value and Origin
	Seen []string   // the keys that it asked for
	// Dropped is set by [DB.FinishRun]: so many positions have gone, since there
	// were more than MaxPositions or nothing has asked for them in PositionAge.
	Dropped int
}

// check refuses what is not JSON. Positions are saved in the order of their keys.
func (p *Positions) check() error {
	slices.SortFunc(p.Save, func(a, b Position) int { return cmp.Compare(a.Key, b.Key) })
	for i := range p.Save {
		if s := &p.Save[i]; !json.Valid([]byte(s.Value)) {
			return fmt.Errorf("the sync position %q is not JSON: %s", s.Key, cutText(s.Value, 80))
		}
	}
	return nil
}

// Position returns the mission's sync position of this key; ok is false when it
// has none.
func (db *DB) Position(mission, key string) (p Position, ok bool, err error) {
	list, err := db.positions(mission, `SELECT `+positionColumns+` FROM positions WHERE mission = ? AND key = ?`, mission, key)
	if err != nil || len(list) == 0 {
		return Position{}, false, err
	}
	return list[0], true, nil
}

// Positions returns all sync positions of a mission, or with "" of all missions,
// in the order of missions and keys.
func (db *DB) Positions(mission string) ([]Position, error) {
	return db.positions(cmp.Or(mission, "all missions"), `SELECT `+positionColumns+` FROM positions WHERE ? IN ('', mission) ORDER BY mission, key`, mission)
}

const positionColumns = `mission, key, value, origin, run, saved, seen`

func (db *DB) positions(what, query string, args ...any) (list []Position, err error) {
	defer func() {
		if err != nil {
			list, err = nil, explain(db.path, "read a sync position of "+what, err)
		}
	}()
	rows, err := db.pool.Query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // its error is that of rows.Err
	for rows.Next() {
		var p Position
		var saved, seen int64
		if err := rows.Scan(&p.Mission, &p.Key, &p.Value, &p.Origin, &p.Run, &saved, &seen); err != nil {
			return nil, err
		}
		p.Saved, p.Seen = time.UnixMicro(saved).UTC(), time.UnixMicro(seen).UTC()
		list = append(list, p)
	}
	return list, rows.Err()
}

// SavePositions saves sync positions of a mission before its run ends, or for
// a person; run is "" then.
func (db *DB) SavePositions(mission, run string, at time.Time, list []Position) error {
	p := Positions{Save: list}
	if err := p.check(); err != nil {
		return fmt.Errorf("save sync positions of %s: %w", mission, err)
	}
	return db.write("save sync positions of "+mission, func(w *writer) error { return p.save(w, mission, run, at) })
}

// DeletePosition removes a sync position; found is false where there is none.
func (db *DB) DeletePosition(mission, key string) (found bool, err error) {
	err = db.write("remove a sync position of "+mission, func(w *writer) error {
		n, err := w.execCount(`DELETE FROM positions WHERE mission = ? AND key = ?`, mission, key)
		found = n > 0
		return err
	})
	return found && err == nil, err
}

func (p *Positions) save(w *writer, mission, run string, at time.Time) error {
	for i := range p.Save {
		s := &p.Save[i]
		err := w.exec(`INSERT INTO positions (mission, key, value, origin, run, saved, seen) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (mission, key) DO UPDATE SET value = excluded.value, origin = excluded.origin, run = excluded.run, saved = excluded.saved, seen = excluded.seen`,
			mission, s.Key, s.Value, s.Origin, run, at.UnixMicro(), at.UnixMicro())
		if err != nil {
			return err
		}
	}
	return nil
}

// touch notes that the run has asked for its positions.
func (p *Positions) touch(w *writer, mission string, at time.Time) error {
	for _, key := range p.Seen {
		err := w.exec(`UPDATE positions SET seen = ? WHERE mission = ? AND key = ? AND seen < ?`,
			at.UnixMicro(), mission, key, at.Add(-seenEvery).UnixMicro())
		if err != nil {
			return err
		}
	}
	return nil
}

// bound lets the positions go that are beyond the bounds, the oldest first.
func (p *Positions) bound(w *writer, mission string, at time.Time) error {
	aged, err := w.execCount(`DELETE FROM positions WHERE mission = ? AND key != '' AND seen < ?`, mission, at.Add(-PositionAge).UnixMicro())
	if err != nil {
		return err
	}
	var count int64
	if _, err := w.row(`SELECT count(*) FROM positions WHERE mission = ? AND key != ''`, []any{mission}, &count); err != nil {
		return err
	}
	surplus := int64(0)
	if count > MaxPositions {
		surplus, err = w.execCount(`DELETE FROM positions WHERE mission = ?1 AND key IN
			(SELECT key FROM positions WHERE mission = ?1 AND key != '' ORDER BY seen, saved, key LIMIT ?2)`, mission, count-MaxPositions)
	}
	p.Dropped = int(aged + surplus)
	return err
}
