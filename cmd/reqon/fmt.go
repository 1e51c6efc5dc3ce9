package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/compiler/diag"
	"reqon/compiler/format"
)

func formatCommand() *cli.Command {
	return &cli.Command{
		Name:      "fmt",
		Usage:     "lay sources out canonically, in place",
		ArgsUsage: "PATH…",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "write nothing, name what would change; exit 1 if anything would"},
			&cli.BoolFlag{Name: "diff", Usage: "write nothing, show what would change"},
		},
		Action: formatSources,
	}
}

// formatSources formats what is at the paths. A file that can't be read or has
// syntax errors is told and does not keep the others from being formatted.
func formatSources(c *cli.Context) error {
	if c.NArg() == 0 {
		return exit(exitConfig, errors.New("expected a source or a folder of sources: reqon fmt PATH"))
	}
	files, err := findSources(c.Args().Slice())
	if err != nil {
		return exit(exitConfig, err)
	}
	f := &formatter{out: c.App.Writer, errOut: c.App.ErrWriter, check: c.Bool("check"), diff: c.Bool("diff")}
	for _, name := range files {
		if err := f.file(name); err != nil {
			return exit(exitConfig, err)
		}
	}
	switch {
	case f.faulty:
		return exit(exitSource, nil)
	case f.failed:
		return exit(exitConfig, nil)
	case f.check && f.changes:
		return exit(exitFailed, nil)
	}
	return nil
}

// formatter formats files one by one.
type formatter struct {
	out, errOut io.Writer
	check, diff bool

	changes bool // some file is, or was, not laid out canonically
	faulty  bool // some file has syntax errors
	failed  bool // some file could not be read or written
}

// file formats one file. The error is that of writing to the terminal.
func (f *formatter) file(name string) error {
	src, err := compiler.ReadFile(name)
	if err != nil {
		f.failed = true
		_, err = fmt.Fprintf(f.errOut, "reqon: %s\n", err)
		return err
	}
	shown := filepath.ToSlash(name)
	text, faults := format.Source(shown, src)
	if len(faults) > 0 {
		f.faulty = true
		ds := make([]diag.Diagnostic, len(faults))
		for i, e := range faults {
			ds[i] = diag.FromSyntax(e)
		}
		return diag.Text(f.errOut, ds, diag.TextOptions{Color: isColored(f.errOut)})
	}
	if bytes.Equal(src, text) {
		return nil
	}
	f.changes = true
	if f.diff {
		_, err = io.WriteString(f.out, format.Diff(shown, src, text))
		return err
	}
	if !f.check {
		if err := replaceFile(name, text); err != nil {
			f.failed = true
			_, err = fmt.Fprintf(f.errOut, "reqon: %s\n", err)
			return err
		}
	}
	_, err = fmt.Fprintln(f.out, name)
	return err
}

// replaceFile gives a file that is there another text: all of it or, if that
// fails, none. The file keeps its permissions; behind a symbolic link it is the
// file that changes, not the link. One that may not be written is not replaced.
func replaceFile(name string, text []byte) (err error) {
	fail := func(err error) error { return fmt.Errorf("format %s: %w", name, err) }
	name, err = filepath.EvalSymlinks(name)
	if err != nil {
		return fail(err)
	}
	old, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return fail(err)
	}
	info, err := old.Stat()
	if e := old.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fail(err)
	}
	// The name begins with a dot, so that a daemon which watches the folder
	// passes over it.
	tmp, err := os.CreateTemp(filepath.Dir(name), ".reqon-*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(tmp.Name()) // it has gone when all went well
	_, err = tmp.Write(text)
	if e := tmp.Chmod(info.Mode().Perm()); err == nil {
		err = e
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// findSources returns the files that the paths name, and all sources below the
// folders among them, each file once. Names in a folder that begin with a dot
// are passed over.
func findSources(paths []string) ([]string, error) {
	s := &sources{seen: map[string]bool{}}
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: no such file or folder; expected sources: a folder, or a file ending in .reqon or .vague", path)
		}
		if err != nil {
			return nil, err
		}
		switch {
		case info.IsDir():
			err = s.folder(path)
		case !compiler.IsSource(path):
			err = fmt.Errorf("%s is no source: expected a folder or a file ending in .reqon or .vague", path)
		default:
			err = s.add(path)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(s.files) == 0 {
		return nil, fmt.Errorf("no source at %s: expected files ending in .reqon or .vague", strings.Join(paths, ", "))
	}
	return s.files, nil
}

// sources collects files.
type sources struct {
	files []string
	seen  map[string]bool // files and folders by their real paths: links may lead to one twice
}

// first reports whether it is the first time that a file or folder is met.
func (s *sources) first(path string) (bool, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, err
	}
	if real, err = filepath.Abs(real); err != nil || s.seen[real] {
		return false, err
	}
	s.seen[real] = true
	return true, nil
}

func (s *sources) add(path string) error {
	first, err := s.first(path)
	if first {
		s.files = append(s.files, path)
	}
	return err
}

// folder collects the sources below a folder, in the order of their names.
func (s *sources) folder(dir string) error {
	if first, err := s.first(dir); !first {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			switch {
			case err == nil:
				mode = info.Mode().Type()
			case compiler.IsSource(path):
				return err
			default:
				continue // a link to nowhere that is no source
			}
		}
		switch {
		case mode.IsDir():
			err = s.folder(path)
		case compiler.IsSource(path):
			err = s.add(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
