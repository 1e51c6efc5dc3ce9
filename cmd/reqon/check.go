package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

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
