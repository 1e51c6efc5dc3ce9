package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/runtime/state"
	"reqon/vm/value"
)

func positionsCommand() *cli.Command {
	return &cli.Command{
		Name:      "positions",
		Usage:     "show the saved sync positions, and change them",
		ArgsUsage: "[MISSION]",
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "reset", Usage: "`KEY`: forget this position, so that everything is fetched; may be given several times"},
			&cli.StringSliceFlag{Name: "set", Usage: "`KEY=VALUE`: save this position; VALUE is JSON, or else text; may be given several times"},
		}, pastRunFlags()...),
		Action: func(c *cli.Context) error { return withPastRuns(c, positions) },
	}
}

// lastSuccessKey stands for the empty key, under which the start of a mission's
// last success is kept.
const lastSuccessKey = "(last success)"

// longestKey bounds what a table shows of a key. A key is to be copied from it, so
// that only what nobody would write by hand is cut.
const longestKey = 2000

// positionJSON is a position as --json writes it.
type positionJSON struct {
	Mission string    `json:"mission"`
	Key     string    `json:"key"`
	Value   rawJSON   `json:"value"`
	Origin  string    `json:"origin,omitempty"`
	Since   time.Time `json:"since"`         // when it was saved
	Run     string    `json:"run,omitempty"` // that saved it; left out where a person did
}

// rawJSON is JSON as it was saved: each digit of a number counts.
type rawJSON string

// MarshalJSON gives the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func positions(c *cli.Context, r *pastRuns) error {
	mission, err := missionArgument(c)
	if err != nil {
		return err
	}
	reset, set := c.StringSlice("reset"), c.StringSlice("set")
	if len(reset)+len(set) > 0 {
		return changePositions(c, r, mission, reset, set)
	}
	list, err := r.positions(mission)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		out := make([]positionJSON, len(list))
		for i, p := range list {
			out[i] = positionJSON{Mission: p.Mission, Key: shownKey(p.Key), Value: rawJSON(p.Value), Origin: p.Origin, Since: p.Saved, Run: p.Run}
		}
		return writeJSON(c.App.Writer, out)
	}
	r.writePositions(c.App.Writer, mission, list)
	return nil
}

// positions returns the positions of a mission, or of all.
func (r *pastRuns) positions(mission string) ([]state.Position, error) {
	if r.db == nil {
		return nil, r.known(mission, nil)
	}
	list, err := r.db.Positions(mission)
	if err != nil {
		return nil, exit(exitConfig, err)
	}
	if mission != "" && len(list) == 0 {
		if _, err := r.last(mission); err != nil { // there is no such mission
			return nil, err
		}
	}
	return list, nil
}

func shownKey(key string) string {
	if key == "" {
		return lastSuccessKey
	}
	return key
}

func (r *pastRuns) writePositions(w io.Writer, mission string, list []state.Position) {
	if len(list) == 0 {
		of := ""
		if mission != "" {
			of = " of " + mission
		}
		fmt.Fprintf(w, "No sync positions%s are saved in %s.\n", of, r.dir)
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "MISSION\tKEY\tVALUE\tSINCE\tRUN")
	for _, p := range list {
		run := p.Run
		if run == "" {
			run = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", p.Mission, oneLine(shownKey(p.Key), longestKey), oneLine(plainJSON(p.Value), 60), localTime(p.Saved), run)
	}
	t.Flush() // what can't be written to a closed terminal is nobody's loss
}

// plainJSON is JSON as people read it: text without its quotes.
func plainJSON(text string) string {
	v, err := value.ParseJSON(nil, text)
	if err != nil || v.Kind() != value.String {
		return text
	}
	return v.Str()
}

// changePositions forgets and saves positions of one mission. Nothing is changed
// if one of them is wrong.
func changePositions(c *cli.Context, r *pastRuns, mission string, reset, set []string) error {
	if mission == "" {
		return exit(exitConfig, errors.New("--reset and --set need the mission: reqon positions MISSION --reset KEY"))
	}
	list, err := r.positions(mission)
	if err != nil {
		return err
	}
	keys := make([]string, len(list))
	for i, p := range list {
		keys[i] = shownKey(p.Key)
	}
	for _, key := range reset {
		if !slices.Contains(keys, key) {
			return exit(exitConfig, fmt.Errorf("%s has no sync position %q; %s", mission, key, suggest(key, keys)))
		}
	}
	var save []state.Position
	for _, text := range set {
		key, v, err := keyAndValue(text, keys)
		if err != nil {
			return exit(exitConfig, err)
		}
		p := state.Position{Key: storedKey(key), Value: v}
		if i := slices.Index(keys, key); i >= 0 {
			p.Origin = list[i].Origin
		}
		save = append(save, p)
	}
	if err := r.idle(mission); err != nil {
		return err
	}
	for _, key := range reset {
		if _, err := r.db.DeletePosition(mission, storedKey(key)); err != nil {
			return exit(exitConfig, err)
		}
	}
	if err := r.db.SavePositions(mission, "", time.Now(), save); err != nil {
		return exit(exitConfig, err)
	}
	if c.Bool("json") {
		return writeJSON(c.App.Writer, struct {
			Reset int `json:"reset"`
			Set   int `json:"set"`
		}{len(reset), len(save)})
	}
	for _, key := range reset {
		fmt.Fprintf(c.App.Writer, "%s: %s is forgotten; the next run fetches everything.\n", mission, key)
	}
	for _, p := range save {
		fmt.Fprintf(c.App.Writer, "%s: %s is %s; the next run goes by it.\n", mission, shownKey(p.Key), plainJSON(p.Value))
	}
	return nil
}

func storedKey(key string) string {
	if key == lastSuccessKey {
		return ""
	}
	return key
}

// keyAndValue takes KEY=VALUE apart. A key may have = in it: one that is there
// already is taken, else the first part.
func keyAndValue(text string, keys []string) (key, json string, err error) {
	key, v, ok := strings.Cut(text, "=")
	for _, k := range keys {
		if rest, found := strings.CutPrefix(text, k+"="); found && len(k) > len(key) {
			key, v = k, rest
		}
	}
	switch {
	case !ok || key == "":
		return "", "", fmt.Errorf("--set %s: expected KEY=VALUE, such as 'API /orders=2026-01-20T09:00:00Z'", text)
	case v == "":
		return "", "", fmt.Errorf("--set %s: the value is missing; --reset %s forgets the position", text, key)
	}
	if parsed, err := value.ParseJSON(nil, v); err == nil {
		if parsed.IsNull() {
			return "", "", fmt.Errorf("--set %s: null is no position; --reset %s forgets it", text, key)
		}
		return key, v, nil
	}
	return key, string(value.AppendJSON(nil, value.FromString(v))), nil
}

// idle refuses to change the positions of a mission that runs: its end would
// write over them.
func (r *pastRuns) idle(mission string) error {
	runs, err := r.db.Runs(state.Filter{Mission: mission, Limit: 20})
	if err != nil {
		return exit(exitConfig, err)
	}
	for _, run := range runs {
		if run.Status == state.StatusRunning {
			return exit(exitConfig, fmt.Errorf("%s is running (since %s), and its end saves positions of its own: wait for it, or stop it first", mission, localTime(run.Start)))
		}
	}
	return nil
}
