package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/vm/bytecode"
)

func compileCommand() *cli.Command {
	return &cli.Command{
		Name:      "compile",
		Usage:     "write compiled missions (.reqc)",
		ArgsUsage: "PATH…",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "a file for one mission, a folder for several (default: beside the source)"},
		},
		Action: compile,
	}
}

func compile(c *cli.Context) error {
	if c.NArg() == 0 {
		return exit(exitConfig, errors.New("compile needs a file or folder: reqon compile PATH"))
	}
	result, err := loadMissions(c, c.Args().Slice()...)
	if err != nil {
		return err
	}
	targets, err := compileTargets(result.Missions, c.String("output"))
	if err != nil {
		return exit(exitConfig, err)
	}
	for i, m := range result.Missions {
		if err := writeFileAtomic(targets[i], bytecode.Encode(m.Program)); err != nil {
			return exit(exitConfig, err)
		}
		fmt.Fprintf(c.App.Writer, "%s: %s\n", m.Name, targets[i])
	}
	return nil
}

// compileTargets gives each mission its file. Several missions of one source
// are told apart by their names.
func compileTargets(missions []*compiler.Mission, output string) ([]string, error) {
	info, err := os.Stat(output)
	folder := err == nil && info.IsDir() || strings.HasSuffix(output, "/")
	if output != "" && len(missions) == 1 && !folder {
		return []string{output}, nil
	}
	if output != "" && !folder {
		if err == nil {
			return nil, fmt.Errorf("-o %s is a file, but there are %d missions: name a folder", output, len(missions))
		}
		folder = true
	}
	if folder {
		if err := os.MkdirAll(output, 0o777); err != nil {
			return nil, err
		}
	}
	perFile := map[string]int{}
	for _, m := range missions {
		perFile[m.File]++
	}
	var targets []string
	for _, m := range missions {
		base := strings.TrimSuffix(filepath.Base(m.File), filepath.Ext(m.File))
		if perFile[m.File] > 1 || folder {
			base = m.Name
		}
		dir := filepath.Dir(filepath.FromSlash(m.File))
		if folder {
			dir = output
		}
		targets = append(targets, filepath.Join(dir, base+".reqc"))
	}
	return targets, nil
}

// writeFileAtomic writes a file as a whole or not at all.
func writeFileAtomic(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".reqon-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if e := f.Chmod(0o644); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// loadMissions compiles what is at the paths and reports what is wrong. It
// fails where there is an error, or no mission.
func loadMissions(c *cli.Context, paths ...string) (*compiler.Result, error) {
	result, err := compiler.Load(paths...)
	if err != nil {
		return nil, exit(exitConfig, err)
	}
	var shown []diag.Diagnostic
	for _, d := range result.Diagnostics {
		if d.Severity != diag.Info {
			shown = append(shown, d)
		}
	}
	if err := diag.Text(c.App.ErrWriter, shown, diag.TextOptions{Color: isTerminal(c.App.ErrWriter)}); err != nil {
		return nil, exit(exitConfig, err)
	}
	for _, e := range result.Errors {
		fmt.Fprintf(c.App.ErrWriter, "reqon: %s\n", e)
	}
	if result.Failed() {
		return nil, exit(exitSource, nil)
	}
	if len(result.Missions) == 0 {
		return nil, exit(exitConfig, fmt.Errorf("no mission at %s: expected files ending in .reqon, .vague or .reqc", strings.Join(paths, ", ")))
	}
	return result, nil
}

func disasmCommand() *cli.Command {
	return &cli.Command{
		Name:      "disasm",
		Usage:     "show the bytecode of a mission, from source or compiled",
		ArgsUsage: "FILE",
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return exit(exitConfig, errors.New("disasm needs one file: reqon disasm FILE"))
			}
			result, err := loadMissions(c, c.Args().First())
			if err != nil {
				return err
			}
			var out bytes.Buffer
			for i, m := range result.Missions {
				if i > 0 {
					out.WriteString("\n")
				}
				if err := bytecode.Disassemble(&out, m.Program); err != nil {
					return exit(exitConfig, err)
				}
			}
			_, err = c.App.Writer.Write(out.Bytes())
			return err
		},
	}
}
