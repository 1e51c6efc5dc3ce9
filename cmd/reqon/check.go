package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/compiler/diag"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "compile without running, and report what is wrong",
		ArgsUsage: "PATH…",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text, json, sarif or github"},
			&cli.BoolFlag{Name: "strict", Usage: "warnings fail, too"},
		},
		Action: check,
	}
}

func check(c *cli.Context) error {
	if c.NArg() == 0 {
		return exit(exitConfig, errors.New("check needs a file or folder: reqon check PATH"))
	}
	result, err := compiler.Load(c.Args().Slice()...)
	if err != nil {
		return exit(exitConfig, err)
	}
	if err := writeDiagnostics(c.App.Writer, c.String("format"), result.Diagnostics); err != nil {
		return exit(exitConfig, err)
	}
	for _, e := range result.Errors {
		fmt.Fprintf(c.App.ErrWriter, "reqon: %s\n", e)
	}
	errs, warnings := diag.Count(result.Diagnostics)
	errs += len(result.Errors)
	if c.String("format") == "text" {
		summarize(c.App.Writer, len(result.Missions), errs, warnings)
	}
	switch {
	case errs > 0, c.Bool("strict") && warnings > 0:
		return exit(exitSource, nil)
	case len(result.Missions) == 0:
		return exit(exitConfig, fmt.Errorf("no mission at %s", c.Args().First()))
	}
	return nil
}

// writeDiagnostics writes them in one of the formats of --format.
func writeDiagnostics(w io.Writer, format string, ds []diag.Diagnostic) error {
	switch format {
	case "text":
		return diag.Text(w, ds, diag.TextOptions{Color: isTerminal(w)})
	case "json":
		return diag.JSON(w, ds)
	case "sarif":
		return diag.SARIF(w, ds, version)
	case "github":
		return diag.GitHub(w, ds)
	}
	return fmt.Errorf("--format %s: expected text, json, sarif or github", format)
}

func summarize(w io.Writer, missions, errs, warnings int) {
	if errs == 0 && warnings == 0 {
		fmt.Fprintf(w, "%s, no problems\n", plural(missions, "mission"))
		return
	}
	fmt.Fprintf(w, "%s, %s, %s\n", plural(missions, "mission"), plural(errs, "error"), plural(warnings, "warning"))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
