package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
)

// project is what `reqon init` writes.
//
//go:embed project
var project embed.FS

func initCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "write a small working project to begin with",
		ArgsUsage: "[DIR]",
		Action:    initProject,
	}
}

func initProject(c *cli.Context) error {
	if c.NArg() > 1 {
		return exit(exitConfig, fmt.Errorf("expected one folder at most, found %s", strings.Join(c.Args().Slice(), ", ")))
	}
	dir := c.Args().First()
	if dir == "" {
		dir = "."
	}
	files, err := projectFiles(dir)
	if err != nil {
		return exit(exitConfig, err)
	}
	for _, f := range files {
		if err := writeProjectFile(f); err != nil {
			return exit(exitConfig, err)
		}
		fmt.Fprintf(c.App.Writer, "wrote %s\n", f.target)
	}
	cd := ""
	if dir != "." {
		cd = "cd " + dir + " && "
	}
	fmt.Fprintf(c.App.Writer, "\nRun it once with\n  %sreqon ./missions/\nand read README.md for more.\n", cd)
	return nil
}

// projectFile is one file of the project and the place where it goes.
type projectFile struct{ source, target string }

// projectFiles lists the project's files. Where one of them is there already
// the project is not begun, and nothing of it is written.
func projectFiles(dir string) ([]projectFile, error) {
	var files []projectFile
	var there []string
	err := fs.WalkDir(project, "project", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, "project/")
		if name == "gitignore" { // under its own name it would be one for Reqon itself
			name = ".gitignore"
		}
		target := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Lstat(target); err == nil {
			there = append(there, target)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		files = append(files, projectFile{path, target})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("nothing is overwritten, and there are already %s: name another folder with reqon init DIR", strings.Join(there, ", "))
	}
	return files, nil
}

func writeProjectFile(f projectFile) error {
	data, err := project.ReadFile(f.source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.target), 0o777); err != nil {
		return err
	}
	w, err := os.OpenFile(f.target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return errors.Join(err, w.Close())
}
