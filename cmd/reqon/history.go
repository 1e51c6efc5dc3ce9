package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/urfave/cli/v2"

	"reqon/runtime/state"
	"reqon/vm/value"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "show the last run of each mission",
		ArgsUsage: "[MISSION]",
		Flags:     pastRunFlags(),
		Action:    func(c *cli.Context) error { return withPastRuns(c, status) },
	}
}

func historyCommand() *cli.Command {
	return &cli.Command{
		Name:      "history",
		Usage:     "list past runs, the newest first",
		ArgsUsage: "[MISSION]",
		Flags: append([]cli.Flag{
			&cli.IntFlag{Name: "limit", Value: 20, Usage: "`N`: show at most so many (default 20)"},
		}, pastRunFlags()...),
		Action: func(c *cli.Context) error { return withPastRuns(c, history) },
	}
}

func cleanupCommand() *cli.Command {
	return &cli.Command{
		Name:  "cleanup",
		Usage: "remove the records of old runs; the newest of each mission stays",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "older-than", Usage: "`TIME`: those that started longer ago, such as 30d, 12h or 2w (required)"},
		}, pastRunFlags()...),
		Action: func(c *cli.Context) error { return withPastRuns(c, cleanup) },
	}
}

// pastRunFlags are the options of all commands on run records.
func pastRunFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "json", Usage: "write JSON"},
		stateDirFlag(""),
		envFlag(""),
	}
}

// pastRuns are the run records of a state folder; db is nil where there are none.
type pastRuns struct {
	dir string
	db  *state.DB
}

// withPastRuns opens the run records for a command. Runs whose process was killed
// are first recorded as interrupted: they must not seem to run for ever.
func withPastRuns(c *cli.Context, command func(*cli.Context, *pastRuns) error) error {
	env, err := environment(c.String("env"))
	if err != nil {
		return exit(exitConfig, err)
	}
	r := &pastRuns{dir: stateDir(c, env)}
	r.db, err = state.OpenExisting(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		r.db = nil
		return command(c, r)
	}
	if err != nil {
		return exit(exitConfig, err)
	}
	if _, err := r.db.MarkInterrupted(); err != nil {
		return exit(exitConfig, errors.Join(err, r.db.Close()))
	}
	err = command(c, r)
	if e := r.db.Close(); e != nil && err == nil {
		return exit(exitConfig, e)
	}
	return err
}

// mission is the argument of a command that takes at most a mission's name.
func missionArgument(c *cli.Context) (string, error) {
	if c.NArg() > 1 {
		return "", exit(exitConfig, fmt.Errorf("expected one mission at most, found %s", strings.Join(c.Args().Slice(), ", ")))
	}
	return c.Args().First(), nil
}

// last returns the newest run of each mission by name, or of the one named.
func (r *pastRuns) last(mission string) ([]state.Run, error) {
	if r.db == nil {
		return nil, r.known(mission, nil)
	}
	last, err := r.db.LastRuns()
	if err != nil {
		return nil, exit(exitConfig, err)
	}
	names := slices.Sorted(maps.Keys(last))
	if mission != "" {
		if err := r.known(mission, names); err != nil {
			return nil, err
		}
		return []state.Run{last[mission]}, nil
	}
	runs := make([]state.Run, len(names))
	for i, name := range names {
		runs[i] = last[name]
	}
	return runs, nil
}

// known reports a mission of which there is no run.
func (r *pastRuns) known(mission string, names []string) error {
	switch {
	case mission == "" || slices.Contains(names, mission):
		return nil
	case len(names) == 0:
		return exit(exitConfig, fmt.Errorf("no run of %s is recorded in %s: there are no runs at all", mission, r.dir))
	}
	return exit(exitConfig, fmt.Errorf("no run of %s is recorded in %s; %s", mission, r.dir, suggest(mission, names)))
}

func status(c *cli.Context, r *pastRuns) error {
	mission, err := missionArgument(c)
	if err != nil {
		return err
	}
	runs, err := r.last(mission)
	if err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		return writeRunsJSON(c.App.Writer, runs)
	case mission != "":
		writeRun(c.App.Writer, &runs[0], time.Now())
	default:
		r.writeRuns(c.App.Writer, runs, time.Now())
	}
	return nil
}

func history(c *cli.Context, r *pastRuns) error {
	mission, err := missionArgument(c)
	if err != nil {
		return err
	}
	limit := c.Int("limit")
	if limit < 1 {
		return exit(exitConfig, fmt.Errorf("--limit %d: expected a whole number of at least 1", limit))
	}
	if _, err := r.last(mission); err != nil {
		return err
	}
	var runs []state.Run
	if r.db != nil {
		if runs, err = r.db.Runs(state.Filter{Mission: mission, Limit: limit}); err != nil {
			return exit(exitConfig, err)
		}
	}
	if c.Bool("json") {
		return writeRunsJSON(c.App.Writer, runs)
	}
	r.writeRuns(c.App.Writer, runs, time.Now())
	return nil
}

func cleanup(c *cli.Context, r *pastRuns) error {
	if c.NArg() > 0 {
		return exit(exitConfig, fmt.Errorf("unexpected %s: reqon cleanup --older-than 30d", c.Args().First()))
	}
	text := c.String("older-than")
	if text == "" {
		return exit(exitConfig, errors.New("expected how old the records to remove are: reqon cleanup --older-than 30d"))
	}
	age, err := value.Duration(value.FromString(text))
	if err != nil {
		return exit(exitConfig, fmt.Errorf("--older-than %s: expected a number and a unit (s, m, h, d or w), such as 30d", text))
	}
	before, removed := time.Now().Add(-age), 0
	if r.db != nil {
		if removed, err = r.db.Cleanup(before); err == nil {
			err = r.db.Shrink()
		}
		if err != nil {
			return exit(exitConfig, err)
		}
	}
	if c.Bool("json") {
		return writeJSON(c.App.Writer, struct {
			Removed int       `json:"removed"`
			Before  time.Time `json:"before"`
		}{removed, before.UTC().Truncate(time.Second)})
	}
	fmt.Fprintf(c.App.Writer, "Removed the records of %s that started before %s.\n", plural(removed, "run"), before.Format(time.DateTime))
	return nil
}

func writeRunsJSON(w io.Writer, runs []state.Run) error {
	if runs == nil {
		runs = []state.Run{}
	}
	return writeJSON(w, runs)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeRun writes all that is known about a run.
func writeRun(w io.Writer, run *state.Run, now time.Time) {
	fmt.Fprintf(w, "%s: %s (%s)\n", run.Mission, run.Status, took(run, now))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  run\t%s\n", run.ID)
	fmt.Fprintf(t, "  started\t%s (%s)\n", localTime(run.Start), run.Trigger)
	if !run.Due.IsZero() {
		fmt.Fprintf(t, "  due\t%s\n", localTime(run.Due))
	}
	if !run.End.IsZero() {
		fmt.Fprintf(t, "  ended\t%s\n", localTime(run.End))
	}
	t.Flush() // what can't be written to a closed terminal is nobody's loss
	writeCounts(w, run)
	for _, e := range run.Errors {
		writeError(w, run.Mission, e)
	}
	switch {
	case run.MoreErrors > 0:
		fmt.Fprintf(w, "error: and %d more\n", run.MoreErrors)
	case len(run.Errors) == 0 && run.Error != "":
		fmt.Fprintf(w, "error: %s\n", run.Error)
	}
}

// writeRuns writes a table of runs.
func (r *pastRuns) writeRuns(w io.Writer, runs []state.Run, now time.Time) {
	if len(runs) == 0 {
		fmt.Fprintf(w, "No runs are recorded in %s.\n", r.dir)
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MISSION\tSTARTED\tTRIGGER\tSTATUS\tTOOK\tREQUESTS\tRECORDS\tERRORS\tOUTCOME\tERROR")
	for i := range runs {
		run := &runs[i]
		var requests, stored int64
		for _, a := range run.Actions {
			requests += a.Requests
			stored += a.Records
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", run.Mission, localTime(run.Start), run.Trigger, run.Status,
			took(run, now), requests, stored, len(run.Errors)+run.MoreErrors, strings.Join(run.Counts.Texts(), ", "), oneLine(run.Error, 80))
	}
	t.Flush() // what can't be written to a closed terminal is nobody's loss
}

// took is how long a run took, or has taken so far; - where nobody knows.
func took(run *state.Run, now time.Time) string {
	switch {
	case !run.End.IsZero():
		return seconds(run.Duration())
	case run.Status == state.StatusRunning:
		return seconds(now.Sub(run.Start))
	}
	return "-"
}

func localTime(t time.Time) string { return t.Local().Format(time.DateTime) }

// oneLine makes of a text at most limit characters that stay on one line of a
// terminal.
func oneLine(text string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n++; n > limit {
			return b.String() + "…"
		}
		if !unicode.IsPrint(r) {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}
