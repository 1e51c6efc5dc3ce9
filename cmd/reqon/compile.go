package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/vm/bytecode"
)

func compileCommand() *cli.Command {
	return &cli.Command{
		Name:      "compile",
		Usage:     "write compiled missions (.reqc)",
		ArgsUsage: "PATH…",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`OUT`: a .reqc file for one mission, a folder for several (default beside the source)"},
		}, profileFlags()...),
		Action: profiled(compile),
	}
}

func compile(c *cli.Context) error {
	defer collectLate()()
	result, err := loadMissions(c, "compile")
	if err != nil {
		return err
	}
	targets, err := compileTargets(result.Missions, c.String("output"))
	if err != nil {
		return exit(exitConfig, err)
	}
	for i, m := range result.Missions {
		if err := os.MkdirAll(filepath.Dir(targets[i]), 0o777); err != nil {
			return exit(exitConfig, err)
		}
		data := bytecode.Encode(m.Program)
		if len(data) > compiler.MaxFile {
			return exit(exitSource, fmt.Errorf("mission %s (%s) compiles to %d MiB, and no artifact of more than %d MiB is read: divide it into several missions",
				m.Name, m.File, len(data)>>20, compiler.MaxFile>>20))
		}
		if err := writeFileAtomic(targets[i], data); err != nil {
			return exit(exitConfig, err)
		}
		fmt.Fprintf(c.App.Writer, "%s: %s\n", m.Name, targets[i])
	}
	if c.String("output") == "" {
		noteTwice(c.App.ErrWriter, result.Missions)
	}
	return nil
}

// noteTwice warns of artifacts that a folder does not pass over for the source
// beside them, as they have not its base name (language definition, section 1).
func noteTwice(w io.Writer, missions []*compiler.Mission) {
	perFile := missionsPerFile(missions)
	for _, file := range slices.Sorted(maps.Keys(perFile)) {
		if n := perFile[file]; n > 1 {
			fmt.Fprintf(w, "reqon: warning: %s holds %d missions, and their artifacts now lie beside it: a run of the whole folder finds them twice; keep them apart with -o DIR\n", file, n)
		}
	}
}

func missionsPerFile(missions []*compiler.Mission) map[string]int {
	perFile := map[string]int{}
	for _, m := range missions {
		perFile[m.File]++
	}
	return perFile
}

// compileTargets gives each mission its file. Several missions of one source
// are told apart by their names.
func compileTargets(missions []*compiler.Mission, output string) ([]string, error) {
	info, err := os.Stat(output)
	folder := err == nil && info.IsDir() || strings.HasSuffix(output, "/") || strings.HasSuffix(output, string(filepath.Separator))
	switch {
	case output == "" || folder:
	case len(missions) == 1 && compiler.IsArtifact(output):
		return []string{output}, nil
	case len(missions) == 1:
		return nil, fmt.Errorf("-o %s: expected a file ending in .reqc, as only that is run as a compiled mission, or a folder: -o %s/", output, output)
	case err == nil:
		return nil, fmt.Errorf("-o %s is a file, but there are %d missions: name a folder", output, len(missions))
	case compiler.IsArtifact(output):
		return nil, fmt.Errorf("-o %s names one file, but there are %d missions: name a folder", output, len(missions))
	}
	perFile := missionsPerFile(missions)
	targets := make([]string, len(missions))
	owner := map[string]*compiler.Mission{}
	for i, m := range missions {
		file := filepath.FromSlash(m.File)
		dir, base := filepath.Dir(file), strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		if output != "" {
			dir, base = output, m.Name
		} else if perFile[m.File] > 1 {
			base = m.Name
		}
		targets[i] = filepath.Join(dir, base+".reqc")
		if first := owner[targets[i]]; first != nil {
			return nil, fmt.Errorf("the missions %s (%s) and %s (%s) would both be written to %s: name a folder with -o",
				first.Name, first.File, m.Name, m.File, targets[i])
		}
		owner[targets[i]] = m
	}
	return targets, nil
}

// writeFileAtomic writes a file as a whole or not at all.
func writeFileAtomic(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".reqon-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(f.Name()) // it has gone when all went well
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

// isFileError reports whether err came of reading a file, not of what is in it.
func isFileError(err error) bool {
	var artifact *compiler.ArtifactError
	var path *fs.PathError
	return !errors.As(err, &artifact) && errors.As(err, &path)
}

func disasmCommand() *cli.Command {
	return &cli.Command{
		Name:      "disasm",
		Usage:     "show the bytecode of a mission, from source or compiled",
		ArgsUsage: "FILE",
		Action:    disasm,
	}
}

func disasm(c *cli.Context) error {
	if c.NArg() > 1 {
		return exit(exitConfig, fmt.Errorf("expected one file, found %s", strings.Join(c.Args().Slice(), ", ")))
	}
	result, err := loadMissions(c, "disasm")
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
}
