package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"reqon/vm/near"
)

// helpFlag stands for the option that every command has.
var helpFlag = &cli.BoolFlag{Name: "help", Aliases: []string{"h"}}

// helpLine is the option that shows help, which makes all others idle.
const helpLine = "--help"

// reorder puts the command first, then its options, then everything else, since
// the flag parser stops at the first argument that is no option (operations,
// "Commands"). What is no command is the PATH of `run`. An unknown option is an
// error that names the nearest known one. args begins with the program's name.
func reorder(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		args = []string{app.Name}
	}
	rest := args[1:]
	if len(rest) == 0 {
		return []string{args[0], helpLine}, nil
	}
	switch rest[0] {
	case "-h", "-help", "--help":
		return helpFor(app, args[0], rest[1:]), nil
	case "-version", "--version":
		if len(rest) == 1 {
			return []string{args[0], "version"}, nil
		}
	case "help":
		if _, err := os.Stat("help"); err != nil {
			return helpFor(app, args[0], rest[1:]), nil
		}
	}
	command, rest := takeCommand(app, rest)
	options, others, err := part(command, rest)
	if err != nil {
		return nil, err
	}
	if slices.Contains(options, helpLine) {
		return []string{args[0], command.Name, helpLine}, nil
	}
	out := append([]string{args[0], command.Name}, options...)
	return append(append(out, "--"), others...), nil
}

// helpFor is the command line that shows the help of the command named, or of
// the program.
func helpFor(app *cli.App, program string, names []string) []string {
	if len(names) > 0 {
		if c := app.Command(names[0]); c != nil {
			return []string{program, c.Name, helpLine}
		}
	}
	return []string{program, helpLine}
}

// part parts a command's arguments into options, each with its value, and
// everything else.
func part(c *cli.Command, args []string) (options, others []string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return options, append(others, args[i+1:]...), nil
		}
		if !isOption(arg) {
			others = append(others, arg)
			continue
		}
		name, text, inline := cutOption(arg)
		flag := findFlag(c, name)
		if flag == nil {
			return nil, nil, unknownOption(c, arg, name)
		}
		if flag == helpFlag {
			return []string{helpLine}, nil, nil
		}
		options = append(options, arg)
		if isSwitch(flag) && !inline {
			continue
		}
		if !inline {
			if i++; i == len(args) {
				return nil, nil, exit(exitConfig, fmt.Errorf("the option %s needs a value; see reqon %s --help", arg, c.Name))
			}
			text = args[i]
			options = append(options, text)
		}
		if err := checkValue(flag, text); err != nil {
			return nil, nil, exit(exitConfig, fmt.Errorf("%s %s: %w", strings.TrimSuffix(arg, "="+text), cmp.Or(text, `""`), err))
		}
	}
	return options, others, nil
}

// checkValue reports a value that the flag parser would not take, in words that
// say what it does take.
func checkValue(f cli.Flag, text string) error {
	switch f.(type) {
	case *cli.BoolFlag:
		if _, err := strconv.ParseBool(text); err != nil {
			return errors.New("expected true or false")
		}
	case *cli.IntFlag:
		if _, err := strconv.Atoi(text); err != nil {
			return errors.New("expected a whole number")
		}
	}
	return nil
}

// isOption reports whether an argument is an option. A lone - is a name.
func isOption(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// cutOption takes apart --name, -name or --name=value.
func cutOption(arg string) (name, text string, inline bool) {
	return strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
}

// isSwitch reports whether an option takes no value.
func isSwitch(f cli.Flag) bool {
	_, ok := f.(*cli.BoolFlag)
	return ok
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
		if !isOption(arg) {
			if c := app.Command(arg); c != nil {
				return c, slices.Concat(args[:i], args[i+1:])
			}
			break
		}
		name, _, inline := cutOption(arg)
		if f := findAnyFlag(app, runs, name); f != nil && !isSwitch(f) && !inline {
			i++
		}
	}
	return runs, args
}

// findAnyFlag finds an option while its command is not known yet: that of `run`
// before that of any other.
func findAnyFlag(app *cli.App, runs *cli.Command, name string) cli.Flag {
	for _, c := range append([]*cli.Command{runs}, app.Commands...) {
		if f := findFlag(c, name); f != nil {
			return f
		}
	}
	return nil
}

func findFlag(c *cli.Command, name string) cli.Flag {
	for _, f := range c.Flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	if slices.Contains(helpFlag.Names(), name) {
		return helpFlag
	}
	return nil
}

func unknownOption(c *cli.Command, arg, name string) error {
	var known []string
	for _, f := range c.Flags {
		if v, ok := f.(cli.VisibleFlag); !ok || v.IsVisible() {
			known = append(known, f.Names()...)
		}
	}
	arg, _, _ = strings.Cut(arg, "=")
	if best := near.Nearest(name, known); best != "" {
		return exit(exitConfig, fmt.Errorf("unknown option %s of reqon %s; did you mean --%s?", arg, c.Name, best))
	}
	return exit(exitConfig, fmt.Errorf("unknown option %s of reqon %s; see reqon %s --help", arg, c.Name, c.Name))
}

// missingPath says that there is no such file or folder, and which command may
// have been meant. It is nil if the path is there.
func missingPath(app *cli.App, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !strings.ContainsAny(path, "/.\\") {
		var known []string
		for _, c := range app.Commands {
			known = append(known, c.Name)
		}
		if path == "daemon" {
			return errors.New("daemon: no such command, file or folder; to run missions on schedule, write reqon PATH --daemon")
		}
		if best := near.Nearest(path, known); best != "" {
			return fmt.Errorf("%s: no such command, file or folder; did you mean reqon %s?", path, best)
		}
	}
	return fmt.Errorf("%s: no such file or folder; expected missions: a folder, or a file ending in .reqon, .vague or .reqc", path)
}
