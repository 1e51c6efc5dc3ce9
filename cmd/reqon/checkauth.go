package main

import (
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/runtime/credentials"
	"reqon/runtime/engine"
)

// checkAuth says what is wrong with a credentials file, and which sources of the
// missions lack their credentials. Nothing is sent, and nothing written.
func checkAuth(c *cli.Context, file string, missions []*compiler.Mission) error {
	env, err := environment(c.String("env"))
	if err != nil {
		return exit(exitConfig, err)
	}
	set, err := credentials.Load(file, env)
	if err != nil {
		return exit(exitConfig, err)
	}
	var wrong []string
	tell := func(err error) {
		if text := err.Error(); !slices.Contains(wrong, text) {
			wrong = append(wrong, text)
			fmt.Fprintf(c.App.ErrWriter, "reqon: %s\n", text)
		}
	}
	for _, w := range set.Warnings {
		fmt.Fprintf(c.App.ErrWriter, "reqon: warning: %s\n", w)
	}
	// The entries first: what is wrong with one is told once, with its field.
	bad := map[string]bool{}
	for _, name := range set.Names() {
		if _, err := set.For(name, "", nil); err != nil {
			bad[name] = true
			tell(err)
		}
	}
	used, err := checkSources(c, set, env, missions, bad, tell)
	if err != nil {
		return exit(exitConfig, err)
	}
	if len(missions) > 0 {
		for _, name := range set.Names() {
			if !used[name] {
				fmt.Fprintf(c.App.ErrWriter, "reqon: warning: %s: no source of these missions is called %s\n", file, name)
			}
		}
	}
	if len(wrong) > 0 {
		return exit(exitConfig, nil)
	}
	fmt.Fprintf(c.App.Writer, "%s: %s, no problems\n", file, pluralOf(len(set.Names()), "entry", "entries"))
	return nil
}

// checkSources says what the sources of the missions lack, unless it is the
// fault of an entry that was told already.
func checkSources(c *cli.Context, set *credentials.Set, env func(string) (string, bool), missions []*compiler.Mission, bad map[string]bool, tell func(error)) (used map[string]bool, err error) {
	used = map[string]bool{}
	if len(missions) == 0 {
		return used, nil
	}
	e, err := engine.New(engine.Config{StateDir: stateDir(c, env), ReadOnly: true, Credentials: set, Env: env})
	if err != nil {
		return nil, err
	}
	for _, m := range missions {
		loaded, err := e.Load(m.Program)
		if err != nil {
			tell(err)
			continue
		}
		for _, name := range loaded.SourceNames() {
			used[name] = true
		}
		for _, err := range loaded.CheckSources(bad) {
			tell(err)
		}
	}
	return used, e.Close()
}
