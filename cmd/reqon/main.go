// Command reqon keeps data in step with HTTP APIs: it checks, compiles and runs
// missions, once or on schedule. One file per command; this one puts them
// together, reorders the command line and turns errors into exit codes.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"reqon/runtime/engine"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

// The exit codes of every command.
const (
	exitSuccess = 0
	exitFailed  = 1 // a run failed or was cancelled, or `fmt --check` found work
	exitSource  = 2 // the source has errors, or an artifact is damaged
	exitConfig  = 3 // a bad option, an unreadable file, a missing credential or parameter
)

// exitError is an error with the exit code that it leads to. A nil Err has been
// told already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exit gives an error its exit code. With a nil err the code alone is returned:
// what there was to say has been said.
func exit(code int, err error) error { return &exitError{code: code, err: err} }

func main() { os.Exit(run(os.Args, os.Stdout, os.Stderr)) }

// run is the program: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	app := newApp(stdout, stderr)
	args, err := reorder(app, args)
	if err == nil {
		err = app.Run(args)
	}
	if err == nil {
		return exitSuccess
	}
	code := exitConfig
	var e *exitError
	if errors.As(err, &e) {
		code = e.code
		if e.err == nil {
			return code
		}
	}
	var c *engine.ConfigError
	if errors.As(err, &c) {
		code = exitConfig
	}
	fmt.Fprintf(stderr, "reqon: %s\n", err)
	return code
}

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:            "reqon",
		Usage:           "keep data in step with HTTP APIs",
		UsageText:       "reqon PATH [options]        run the missions at PATH once\n   reqon PATH --daemon         run them on schedule until stopped\n   reqon COMMAND [options]",
		Version:         version,
		HideVersion:     true,
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		Commands:        commands(),
		// Errors come back to run, which gives them their exit codes.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
	}
}

// commands are all commands, in the order in which the help lists them.
func commands() []*cli.Command {
	list := []*cli.Command{
		runCommand(), checkCommand(), compileCommand(), disasmCommand(), demoCommand(), versionCommand(),
	}
	for _, c := range list {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
	}
	return list
}

func usageError(c *cli.Context, err error, _ bool) error {
	return exit(exitConfig, fmt.Errorf("%w; see reqon %s --help", err, c.Command.Name))
}

// reorder puts the command first, then its options, then everything else, since
// the flag parser stops at the first argument that is no option. What is no
// command is the PATH of `run`. Unknown options are told with the nearest known.
func reorder(app *cli.App, args []string) ([]string, error) {
	rest := args[1:]
	if len(rest) == 0 {
		return []string{args[0], "--help"}, nil
	}
	command, rest := takeCommand(app, rest)
	if command == nil {
		return args, nil // --help and the like of the program itself
	}
	var options, others []string
	for i := 0; i < len(rest); i++ {
		arg := rest[i]
		if arg == "--" {
			others = append(others, rest[i+1:]...)
			break
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			others = append(others, arg)
			continue
		}
		options = append(options, arg)
		name, _, inline := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		flag := findFlag(command, name)
		if flag == nil {
			return nil, unknownOption(command, name)
		}
		if _, isBool := flag.(*cli.BoolFlag); isBool || inline {
			continue
		}
		if i+1 >= len(rest) {
			return nil, exit(exitConfig, fmt.Errorf("option --%s needs a value", name))
		}
		i++
		options = append(options, rest[i])
	}
	out := append([]string{args[0], command.Name}, options...)
	return append(append(out, "--"), others...), nil
}

// takeCommand finds the command of the line: the first argument that is no
// option or its value, if it names one; else it is `run`.
func takeCommand(app *cli.App, args []string) (*cli.Command, []string) {
	runs := app.Command("run")
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			break
		}
		if !strings.HasPrefix(arg, "-") {
			if c := app.Command(arg); c != nil {
				return c, slices.Concat(args[:i], args[i+1:])
			}
			return runs, args
		}
		name, _, inline := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		flag := findFlag(runs, name)
		if _, isBool := flag.(*cli.BoolFlag); flag != nil && !isBool && !inline {
			i++
		}
	}
	if slices.Contains([]string{"-h", "--help", "-help"}, args[0]) {
		return nil, args
	}
	return runs, args
}

// helpFlag stands for the option that every command has.
var helpFlag = &cli.BoolFlag{Name: "help", Aliases: []string{"h"}}

func findFlag(c *cli.Command, name string) cli.Flag {
	for _, f := range append(c.Flags, helpFlag) {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func unknownOption(c *cli.Command, name string) error {
	best, distance := "", 3
	for _, f := range c.Flags {
		for _, known := range f.Names() {
			if d := editDistance(name, known); d < distance && len(known) > 1 {
				best, distance = known, d
			}
		}
	}
	if best != "" {
		return exit(exitConfig, fmt.Errorf("unknown option --%s of reqon %s; did you mean --%s?", name, c.Name, best))
	}
	return exit(exitConfig, fmt.Errorf("unknown option --%s; see reqon %s --help", name, c.Name))
}

// editDistance is the Levenshtein distance of two names.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
