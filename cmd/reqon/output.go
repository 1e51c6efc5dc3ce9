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

// outputPlace is the file or folder of a mission's records: with several
// missions each has one of its own name.
func outputPlace(path, mission string, several bool) string {
	switch {
	case !several:
		return path
	case isOutputFile(path):
		return strings.TrimSuffix(path, ".json") + "." + mission + ".json"
	}
	return filepath.Join(path, mission)
}

// outputFiles are the files that a mission's records are written to, and the
// folder of theirs.
func outputFiles(path string, m *engine.Mission, several bool) (folder string, files []string) {
	place := outputPlace(path, m.Name(), several)
	if isOutputFile(path) {
		return filepath.Dir(place), []string{place}
	}
	for _, store := range m.Program().Stores {
		files = append(files, filepath.Join(place, store.Name+".json"))
	}
	return place, files
}

// makeOutput sees to it that the missions' records can be written, so that this
// is told before the runs and not behind them, and makes the folder of --output.
// A dry run leaves all as it is.
func (s *session) makeOutput(missions []*engine.Mission) error {
	if s.output == "" {
		return nil
	}
	top := s.output
	if isOutputFile(top) {
		top = filepath.Dir(top)
	}
	var folders []string // of single missions, that are there
	for _, m := range missions {
		folder, files := outputFiles(s.output, m, len(missions) > 1)
		there, err := s.checkOutputFolder(folder, m.Name())
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		for _, name := range files {
			if err := checkReplaceable(name); err != nil {
				return err
			}
		}
		if folder != top {
			folders = append(folders, folder)
		}
	}
	if s.dryRun {
		return nil
	}
	if err := os.MkdirAll(top, 0o777); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	if err := probe(top, s.output); err != nil {
		return err
	}
	for _, folder := range folders {
		if err := probe(folder, folder); err != nil {
			return err
		}
	}
	return nil
}

// checkOutputFolder reports what stands in the way of a folder that a mission's
// records are written to, and whether the folder is there already. In the state
// folder they would replace the stores.
func (s *session) checkOutputFolder(folder, mission string) (there bool, err error) {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("--output: %w", err)
	case !info.IsDir():
		return false, fmt.Errorf("--output: %s is a file, expected a folder for the stores of mission %s; %s", folder, mission, moveAway)
	}
	if state, err := os.Stat(s.stateDir); err == nil && os.SameFile(info, state) {
		return false, fmt.Errorf("--output %s: that is in the state folder, which holds the stores themselves; name another folder", s.output)
	}
	return true, nil
}

// probe reports whether files can be made in a folder; output is what the error
// names.
func probe(folder, output string) error {
	f, err := os.CreateTemp(folder, ".reqon-*")
	if err != nil {
		return fmt.Errorf("--output %s: can't write there: %w; make the folder writable for this user, or choose another --output", output, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// moveAway is what to do about what stands in the way of an output.
const moveAway = "move it away, or choose another --output"

// checkReplaceable reports a file that could not be replaced, or should not be
// since it is protected. The file is left as it is.
func checkReplaceable(name string) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("--output: %w", err)
	case info.IsDir():
		return fmt.Errorf("--output: %s is a folder, expected a file to replace; %s", name, moveAway)
	case info.Mode()&fs.ModeSymlink != 0:
		return nil // the link is replaced, not what it leads to
	case !info.Mode().IsRegular():
		return fmt.Errorf("--output: %s is a device, pipe or socket, expected a file to replace; %s", name, moveAway)
	case isMount(name):
		return fmt.Errorf("--output: %s is mounted by itself and can't be replaced; mount its folder, or choose another --output", name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("--output: %w; make the file writable for this user, %s", err, moveAway)
	}
	return f.Close()
}

// writeOutput writes the records of a run's stores for --output: into a folder
// one JSON array a store, or into a .json file one object of such arrays. With
// several missions each has a folder, or a file, of its own name.
func writeOutput(ctx context.Context, path, mission string, several bool, o *engine.Output) error {
	path = outputPlace(path, mission, several)
	if isOutputFile(path) {
		return writeOutputFile(path, func(w *bufio.Writer) error { return writeStores(ctx, w, o) })
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
