package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/compiler/diag"
)

// checkFormats are the values of --format.
var checkFormats = []string{"text", "json", "sarif", "github"}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "compile without running, and report what is wrong",
		ArgsUsage: "PATH…",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "`FORMAT`: " + strings.Join(checkFormats, ", ") + " (default text)"},
			&cli.BoolFlag{Name: "strict", Usage: "warnings fail, too"},
			&cli.StringFlag{Name: "auth", Usage: "`FILE`: check these credentials, too, and which sources lack theirs; PATH may be left out"},
			envFlag(""),
		}, profileFlags()...),
		Action: profiled(check),
	}
}

func check(c *cli.Context) error {
	defer collectLate()()
	format := c.String("format")
	if !slices.Contains(checkFormats, format) {
		return exit(exitConfig, fmt.Errorf("--format %s: expected %s", format, strings.Join(checkFormats, ", ")))
	}
	auth := c.String("auth")
	if auth != "" && c.NArg() == 0 {
		return checkAuth(c, auth, nil)
	}
	result, err := load(c, "check")
	if err != nil {
		return err
	}
	if err := writeDiagnostics(c.App.Writer, format, result.Diagnostics); err != nil {
		return exit(exitConfig, err)
	}
	tellLoadErrors(c.App.ErrWriter, result)
	errs, warnings := diag.Count(result.Diagnostics)
	errs += len(result.Errors)
	if format == "text" {
		if len(result.Diagnostics) > 0 {
			fmt.Fprintln(c.App.Writer)
		}
		fmt.Fprintln(c.App.Writer, checkSummary(len(result.Missions), errs, warnings))
	}
	switch {
	case result.Failed():
		return exit(failedCode(result), nil)
	case c.Bool("strict") && warnings > 0:
		return exit(exitSource, nil)
	case len(result.Missions) == 0:
		return exit(exitConfig, noMission(c.Args().Slice()))
	case auth != "":
		return checkAuth(c, auth, result.Missions)
	}
	return nil
}

// writeDiagnostics writes them in one of checkFormats.
func writeDiagnostics(w io.Writer, format string, ds []diag.Diagnostic) error {
	switch format {
	case "json":
		return diag.JSON(w, ds)
	case "sarif":
		return diag.SARIF(w, ds, version)
	case "github":
		return diag.GitHub(w, ds)
	}
	return diag.Text(w, ds, diag.TextOptions{Color: isColored(w)})
}

func checkSummary(missions, errs, warnings int) string {
	if errs == 0 && warnings == 0 {
		return plural(missions, "mission") + ", no problems"
	}
	return fmt.Sprintf("%s, %s, %s", plural(missions, "mission"), plural(errs, "error"), plural(warnings, "warning"))
}

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
