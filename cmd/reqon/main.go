// Command reqon keeps data in step with HTTP APIs: it checks, compiles and runs
// missions, once or on schedule. One file per command; this one puts them
// together and turns errors into exit codes, args.go reorders the command line,
// help.go writes the help texts.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"reqon/runtime/engine"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

// The exit codes of every command (operations, "Commands").
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
	return tell(stderr, err)
}

// tell writes an error that has not been told yet and returns its exit code.
// What has no code of its own is a matter of configuration: a file that can't
// be written, a folder that can't be read.
func tell(w io.Writer, err error) int {
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
	fmt.Fprintf(w, "reqon: %s\n", err)
	return code
}

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:            "reqon",
		Usage:           "keep data in step with HTTP APIs",
		Version:         version,
		HideVersion:     true,
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		Commands:        commands(),
		// A comma in --param tags=a,b is part of the value.
		DisableSliceFlagSeparator: true,
		// Errors come back to run, which gives them their exit codes.
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   usageError,
	}
	for _, c := range app.Commands {
		c.OnUsageError = usageError
		c.HideHelpCommand = true
		c.CustomHelpTemplate = verbatim(commandHelp(c))
	}
	app.CustomAppHelpTemplate = verbatim(appHelp(app))
	return app
}

// commands are all commands, in the order in which the help lists them.
func commands() []*cli.Command {
	return []*cli.Command{
		runCommand(), checkCommand(), formatCommand(), compileCommand(), disasmCommand(), schemaCommand(),
		statusCommand(), historyCommand(), positionsCommand(), cleanupCommand(), healthCommand(), cronCommand(),
		loginCommand(), logoutCommand(), tokensCommand(),
		initCommand(), demoCommand(), versionCommand(), completionCommand(),
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	return exit(exitConfig, fmt.Errorf("%w; see reqon %s --help", err, c.Command.Name))
}
