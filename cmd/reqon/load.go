package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/compiler/diag"
)

// load compiles what is at the paths of the command line.
func load(c *cli.Context, command string) (*compiler.Result, error) {
	if c.NArg() == 0 {
		return nil, exit(exitConfig, fmt.Errorf("expected a file or folder of missions: reqon %s PATH", command))
	}
	return loadPaths(c.App, c.Args().Slice()...)
}

// loadPaths compiles what is at some paths.
func loadPaths(app *cli.App, paths ...string) (*compiler.Result, error) {
	for _, path := range paths {
		if err := missingPath(app, path); err != nil {
			return nil, exit(exitConfig, err)
		}
	}
	result, err := compiler.Load(paths...)
	if err != nil {
		return nil, exit(exitConfig, err)
	}
	return result, nil
}

// loadMissions compiles what is at the paths of the command line and reports
// what is wrong. It fails where there is an error, or no mission.
func loadMissions(c *cli.Context, command string) (*compiler.Result, error) {
	result, err := load(c, command)
	if err != nil {
		return nil, err
	}
	return goodMissions(c.App, result, c.Args().Slice())
}

// goodMissions reports what is wrong with missions. It fails where there is an
// error, or no mission.
func goodMissions(app *cli.App, result *compiler.Result, paths []string) (*compiler.Result, error) {
	var shown []diag.Diagnostic
	for _, d := range result.Diagnostics {
		if d.Severity != diag.Info {
			shown = append(shown, d)
		}
	}
	if err := diag.Text(app.ErrWriter, shown, diag.TextOptions{Color: isColored(app.ErrWriter)}); err != nil {
		return nil, exit(exitConfig, err)
	}
	tellLoadErrors(app.ErrWriter, result)
	if result.Failed() {
		return nil, exit(failedCode(result), nil)
	}
	if len(result.Missions) == 0 {
		return nil, exit(exitConfig, noMission(paths))
	}
	return result, nil
}

// tellLoadErrors writes the errors that have no place in a source.
func tellLoadErrors(w io.Writer, r *compiler.Result) {
	for _, e := range r.Errors {
		fmt.Fprintf(w, "reqon: %s\n", e)
	}
}

// failedCode is the exit code of what could not be compiled: that of a source
// with errors, unless nothing but reading files went wrong.
func failedCode(r *compiler.Result) int {
	if errs, _ := diag.Count(r.Diagnostics); errs > 0 {
		return exitSource
	}
	for _, err := range r.Errors {
		if !isFileError(err) {
			return exitSource
		}
	}
	return exitConfig
}

func noMission(paths []string) error {
	return errors.New("no mission at " + strings.Join(paths, ", ") + ": expected files ending in .reqon, .vague or .reqc")
}
