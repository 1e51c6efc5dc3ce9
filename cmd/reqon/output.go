package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"reqon/runtime/engine"
	"reqon/vm/value"
)

// isOutputFile reports whether --output names one file for all stores.
func isOutputFile(path string) bool { return strings.HasSuffix(path, ".json") }

// checkOutput reports an --output that can't be written to, before anything is
// asked of any source.
func checkOutput(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	switch {
	case isOutputFile(path) && info.IsDir():
		return fmt.Errorf("--output %s is a folder: name a folder without .json, or a file", path)
	case !isOutputFile(path) && !info.IsDir():
		return fmt.Errorf("--output %s is a file that does not end in .json: name a folder, or a .json file", path)
	}
	return nil
}

// makeOutput makes the folder of --output. A dry run leaves all as it is.
func (s *session) makeOutput() error {
	if s.output == "" || s.dryRun {
		return nil
	}
	dir := s.output
	if isOutputFile(dir) {
		dir = filepath.Dir(dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".reqon-*") // found before the run, not behind it
	if err != nil {
		return fmt.Errorf("--output %s: can't write there: %w", s.output, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// writeOutput writes the records of a run's stores for --output: into a folder
// one JSON array a store, or into a .json file one object of such arrays. With
// several missions each has a folder, or a file, of its own name.
func writeOutput(ctx context.Context, path, mission string, several bool, o *engine.Output) error {
	if isOutputFile(path) {
		if several {
			path = strings.TrimSuffix(path, ".json") + "." + mission + ".json"
		}
		return writeOutputFile(path, func(w *bufio.Writer) error { return writeStores(ctx, w, o) })
	}
	if several {
		path = filepath.Join(path, mission)
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	for _, s := range o.Stores {
		err := writeOutputFile(filepath.Join(path, s.Name+".json"), func(w *bufio.Writer) error {
			if err := writeRecords(ctx, w, s); err != nil {
				return err
			}
			return w.WriteByte('\n')
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeStores writes an object of the stores' arrays by store name.
func writeStores(ctx context.Context, w *bufio.Writer, o *engine.Output) error {
	separator := "{\n"
	for _, s := range o.Stores {
		name, err := json.Marshal(s.Name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s%s: ", separator, name) // a bufio.Writer keeps its error
		if err := writeRecords(ctx, w, s); err != nil {
			return err
		}
		separator = ",\n"
	}
	if len(o.Stores) == 0 {
		w.WriteString("{") // a bufio.Writer keeps its error
	}
	_, err := w.WriteString("\n}\n")
	return err
}

// writeRecords writes an array, one record a line.
func writeRecords(ctx context.Context, w *bufio.Writer, s engine.OutputStore) error {
	separator := "[\n"
	var line []byte
	err := s.Each(ctx, func(v value.Value) error {
		line = value.AppendJSON(append(line[:0], separator...), v)
		separator = ",\n"
		_, err := w.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	if separator == "[\n" {
		_, err = w.WriteString("[]")
	} else {
		_, err = w.WriteString("\n]")
	}
	return err
}

// writeOutputFile replaces a file as a whole.
func writeOutputFile(name string, fill func(*bufio.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("--output %s: %w", name, err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(name), ".reqon-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it has gone when all went well
	w := bufio.NewWriterSize(f, 64<<10)
	err = fill(w)
	if e := w.Flush(); err == nil {
		err = e
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
