package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"reqon/runtime/engine"
	"reqon/vm/value"
)

// writeOutput writes the records of a run's stores for --output: into a folder
// one JSON array a store, or into a .json file one object of such arrays. With
// several missions each has a folder, or a file, of its own name.
func writeOutput(ctx context.Context, path, mission string, several bool, o *engine.Output) error {
	if strings.HasSuffix(path, ".json") {
		if several {
			path = strings.TrimSuffix(path, ".json") + "." + mission + ".json"
		}
		return writeOutputFile(path, func(w *bufio.Writer) error {
			for i, s := range o.Stores {
				separator := ",\n"
				if i == 0 {
					separator = "{\n"
				}
				name, err := json.Marshal(s.Name)
				if err != nil {
					return err
				}
				fmt.Fprintf(w, "%s%s: ", separator, name)
				if err := writeRecords(ctx, w, s); err != nil {
					return err
				}
			}
			if len(o.Stores) == 0 {
				w.WriteString("{")
			}
			_, err := w.WriteString("\n}\n")
			return err
		})
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

// writeRecords writes an array, one record a line.
func writeRecords(ctx context.Context, w *bufio.Writer, s engine.OutputStore) error {
	w.WriteByte('[')
	first := true
	var line []byte
	err := s.Each(ctx, func(v value.Value) error {
		line = line[:0]
		if !first {
			line = append(line, ',')
		}
		first = false
		line = value.AppendJSON(append(line, '\n'), v)
		_, err := w.Write(line)
		return err
	})
	if err != nil {
		return err
	}
	if !first {
		w.WriteByte('\n')
	}
	return w.WriteByte(']')
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
	defer os.Remove(f.Name())
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
