package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/vm/value"
)

// Status returns the newest run of each mission that has one, or of the one
// named, by name (`reqon status`). The error is a *engine.ConfigError.
func Status(stateDir, mission string) (runs []state.Run, err error) {
	err = withState(stateDir, func(db *state.DB) error {
		last, err := db.LastRuns()
		for name, r := range last {
			if mission == "" || mission == name {
				runs = append(runs, r)
			}
		}
		return err
	})
	slices.SortFunc(runs, func(a, b state.Run) int { return cmp.Compare(a.Mission, b.Mission) })
	return runs, knownMission(mission, len(runs), err)
}

// History returns the newest runs, at most limit, of all missions or of the one
// named, the newest first (`reqon history`). The error is a *engine.ConfigError.
func History(stateDir, mission string, limit int) (runs []state.Run, err error) {
	if limit < 1 {
		return nil, configError("--limit must be at least 1, found %d", limit)
	}
	err = withState(stateDir, func(db *state.DB) error {
		runs, err = db.Runs(state.Filter{Mission: mission, Limit: limit})
		return err
	})
	return runs, knownMission(mission, len(runs), err)
}

func knownMission(mission string, found int, err error) error {
	if err == nil && found == 0 && mission != "" {
		return configError("no run of a mission named %s is recorded; `reqon status` lists those there are", mission)
	}
	return err
}

// Cleanup removes the records of runs that started more than age ago, and returns
// their number (`reqon cleanup`). The newest of each mission stays, and what is in
// progress. age is a duration as the language writes it, such as 30d.
func Cleanup(stateDir, age string, now time.Time) (removed int, err error) {
	ms, err := value.Milliseconds(value.FromString(age))
	if err != nil || !strings.ContainsAny(age, "smhdw") || ms < 0 || ms > float64(now.UnixMilli()) {
		return 0, configError("--older-than: expected a duration such as 30d or 12h, found %q", age)
	}
	err = withState(stateDir, func(db *state.DB) error {
		removed, err = db.Cleanup(now.Add(-time.Duration(ms) * time.Millisecond))
		return err
	})
	return removed, err
}

// withState does something with an existing state folder.
func withState(dir string, do func(*state.DB) error) error {
	db, err := state.OpenExisting(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return configError("%s holds no state: nothing has been run with it; name another folder with --state-dir", dir)
	}
	if err != nil {
		return &engine.ConfigError{Err: err}
	}
	if err := errors.Join(do(db), db.Close()); err != nil {
		return &engine.ConfigError{Err: err}
	}
	return nil
}

// maxHealth is how much of an answer is read, in bytes.
const maxHealth = 16 << 20

// CheckHealth asks a daemon how it is, at the URL of its /health (`reqon health
// URL`, for containers that have no other client). It returns the status, "ok"
// or "degraded"; with any other answer, or none, an error.
func CheckHealth(ctx context.Context, address string) (status string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", configError("%q is no address of a daemon; expected one such as http://127.0.0.1:8080/health", address)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/health"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("no daemon answers: %w", err)
	}
	defer resp.Body.Close()
	var h Health
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxHealth)).Decode(&h); err != nil {
		return "", fmt.Errorf("%s answers %s, and not as a daemon does", u, resp.Status)
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the daemon is not ready: %s (%s)", cmp.Or(h.Status, "unknown"), resp.Status)
	}
	return h.Status, nil
}
