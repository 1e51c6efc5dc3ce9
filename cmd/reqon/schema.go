package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"reqon/runtime/credentials"
	"reqon/runtime/engine"
	"reqon/runtime/store/all"
)

func schemaCommand() *cli.Command {
	return &cli.Command{
		Name:      "schema",
		Usage:     "print the SQL that makes the tables of the missions' stores",
		ArgsUsage: "PATH…",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "apply", Usage: "make the tables, and make those that are there follow the schemas"},
			&cli.StringSliceFlag{Name: "param", Usage: "`NAME=VALUE`: a parameter of the missions; repeatable (or REQON_PARAM_NAME)"},
			envFlag(""),
		},
		Action: schema,
	}
}

func schema(c *cli.Context) error {
	result, err := loadMissions(c, "schema")
	if err != nil {
		return err
	}
	env, err := environment(c.String("env"))
	if err != nil {
		return exit(exitConfig, err)
	}
	params, err := paramFlags(c.StringSlice("param"))
	if err != nil {
		return exit(exitConfig, err)
	}
	redactor := &credentials.Redactor{}
	e, err := engine.New(engine.Config{StateDir: stateDir(c, env), ReadOnly: true, Env: env, Redactor: redactor, Adapters: all.Adapters()})
	if err != nil {
		return exit(exitConfig, err)
	}
	defer e.Close()
	for _, m := range result.Missions {
		loaded, err := e.LoadFrom(m.File, m.Program)
		if err != nil {
			return exit(exitConfig, err)
		}
		list, err := loaded.Tables(context.Background(), params, c.Bool("apply"))
		for _, t := range list {
			writeTables(c, m.Name, t)
		}
		if err != nil {
			return exit(exitConfig, errors.New(redactor.Redact(err.Error())))
		}
	}
	return nil
}

// writeTables writes what a store needs as SQL that can be run.
func writeTables(c *cli.Context, mission string, t engine.Tables) {
	switch {
	case t.Statements == nil:
		return
	case t.Foreign:
		fmt.Fprintf(c.App.Writer, "-- %s, store %s (%s): others have made its table\n", mission, t.Store, t.Adapter)
	case c.Bool("apply"):
		fmt.Fprintf(c.App.Writer, "%s, store %s (%s): its table is as it should be\n", mission, t.Store, t.Adapter)
	default:
		fmt.Fprintf(c.App.Writer, "-- %s, store %s (%s)\n", mission, t.Store, t.Adapter)
		for _, s := range t.Statements {
			fmt.Fprintf(c.App.Writer, "%s;\n", s)
		}
	}
}
