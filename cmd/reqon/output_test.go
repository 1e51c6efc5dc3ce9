package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reqon/runtime/engine"
	"reqon/vm/value"
)

// storeOf is a store of records in JSON; err ends it.
func storeOf(t *testing.T, name string, err error, records ...string) engine.OutputStore {
	return engine.OutputStore{Name: name, Each: func(_ context.Context, fn func(value.Value) error) error {
		for _, text := range records {
			v, parseErr := value.ParseJSON(nil, text)
			if parseErr != nil {
				t.Fatal(parseErr)
			}
			if err := fn(v); err != nil {
				return err
			}
		}
		return err
	}}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWriteOutput(t *testing.T) {
	dir := t.TempDir()
	out := &engine.Output{Stores: []engine.OutputStore{
		storeOf(t, "a", nil, `{"n":1.10}`, `{"n":"ü\u0000"}`), storeOf(t, "b", nil),
	}}
	if err := writeOutput(t.Context(), filepath.Join(dir, "all.json"), "M", false, out); err != nil {
		t.Fatal(err)
	}
	if got, want := readFile(t, filepath.Join(dir, "all.json")), "{\n\"a\": [\n{\"n\":1.10},\n{\"n\":\"ü\\u0000\"}\n],\n\"b\": []\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := writeOutput(t.Context(), filepath.Join(dir, "sub"), "M", true, out); err != nil {
		t.Fatal(err)
	}
	if got, want := readFile(t, filepath.Join(dir, "sub", "M", "b.json")), "[]\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := writeOutput(t.Context(), filepath.Join(dir, "none.json"), "M", true, &engine.Output{}); err != nil {
		t.Fatal(err)
	}
	if got, want := readFile(t, filepath.Join(dir, "none.M.json")), "{\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What can't be written as a whole leaves the file of before, and nothing else.
func TestWriteOutputKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "all.json")
	if err := os.WriteFile(name, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is gone")
	err := writeOutput(t.Context(), name, "M", false, &engine.Output{Stores: []engine.OutputStore{storeOf(t, "a", broken, `{}`)}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), name) {
		t.Errorf("the error is %v", err)
	}
	if got := readFile(t, name); got != "before" {
		t.Errorf("the file holds %q", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
