// Package script reads the programs of testdata/lang/run, plays the server that
// they talk to, and holds what came out of a run against what they want. The
// form of a program is told in ../README.md.
//
// It knows nothing of the engine: a test runs the program in its own way and
// hands over an Outcome.
package script

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// Statuses of a run, as want.status has them.
const (
	Success      = "success"
	Incomplete   = "incomplete"
	Failure      = "failure"
	CompileError = "compile-error"
	ConfigError  = "config-error"
)

// Any in a wanted record stands for any value that is there.
const Any = "<any>"

// Program is one file of testdata/lang/run.
type Program struct {
	Name    string // of the file, without its extension
	Comment string // the sentences that it tests
	Sources []Source
	Flags   []string

	Stores    map[string]string // text of the file stores before the run, by target
	Positions map[string]string // sync positions before the run, by "<Source> <key>"

	Status        string
	WantErrors    []string
	WantLog       []string
	WantStores    map[string][]string // compact JSON records in order, by store
	WantPositions map[string]string   // nil if they don't matter
	WantRequests  int                 // -1 if it doesn't matter
	WantRetries   int                 // -1 if it doesn't matter
	WantCounts    map[string]int      // of Outcome.Counts, those that matter

	env    []string
	blocks []block
}

// Source is one source file of a program.
type Source struct {
	Path string // with forward slashes
	Text []byte
}

// Parse reads a program. The error tells the file, the section and what is
// wrong in it.
func Parse(file string) (*Program, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	p := &Program{
		Name:    strings.TrimSuffix(filepath.Base(file), ".txtar"),
		Comment: string(archive.Comment),
		Stores:  map[string]string{}, WantStores: map[string][]string{}, WantCounts: map[string]int{},
		Status: Success, WantRequests: -1, WantRetries: -1,
	}
	for _, f := range archive.Files {
		if err := p.section(f.Name, f.Data); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, f.Name, err)
		}
	}
	if len(p.Sources) == 0 {
		return nil, fmt.Errorf("%s: no source", file)
	}
	if p.Comment == "" {
		return nil, fmt.Errorf("%s: does not say what it tests", file)
	}
	return p, nil
}

func (p *Program) section(name string, data []byte) (err error) {
	if ext := filepath.Ext(name); ext == ".reqon" || ext == ".vague" {
		p.Sources = append(p.Sources, Source{Path: name, Text: data})
		return nil
	}
	text := strings.TrimSpace(string(data))
	switch name {
	case "api":
		p.blocks, err = parseBlocks(string(data))
	case "env":
		p.env = lines(text)
	case "flags":
		p.Flags = strings.Fields(text)
	case "state/positions.json":
		p.Positions, err = object(data)
	case "want.status":
		p.Status = text
		if !slices.Contains([]string{Success, Incomplete, Failure, CompileError, ConfigError}, text) {
			err = fmt.Errorf("no status %q", text)
		}
	case "want.error":
		p.WantErrors = lines(text)
	case "want.log":
		p.WantLog = lines(text)
	case "want.positions.json":
		p.WantPositions, err = object(data)
	case "want.counts":
		err = p.counts(text)
	default:
		err = p.store(name, data)
	}
	return err
}

// store reads state/<store>.json and want/<store>.json.
func (p *Program) store(name string, data []byte) error {
	store, ok := strings.CutSuffix(name, ".json")
	if target, before := strings.CutPrefix(store, "state/"); ok && before {
		_, err := object(data)
		p.Stores[target] = string(data)
		return err
	}
	if store, after := strings.CutPrefix(store, "want/"); ok && after {
		var records []json.RawMessage
		if err := json.Unmarshal(data, &records); err != nil {
			return err
		}
		want := []string{}
		for _, r := range records {
			want = append(want, compact(r))
		}
		p.WantStores[store] = want
		return nil
	}
	return fmt.Errorf("no such section")
}

func (p *Program) counts(text string) error {
	for _, line := range lines(text) {
		name, number, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		switch name {
		case "requests":
			p.WantRequests = n
		case "retries":
			p.WantRetries = n
		case "skipped", "queued", "failed", "cutShort", "noNext", "held", "warnings", "redacted":
			p.WantCounts[name] = n
		default:
			return fmt.Errorf("no count %q", name)
		}
	}
	return nil
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// object returns the values of a JSON object as compact text.
func object(data []byte) (map[string]string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for name, v := range fields {
		texts[name] = compact(v)
	}
	return texts, nil
}

// compact returns JSON without white space, keys in order and numbers as
// written.
func compact(raw []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// Write writes the sources below dir and returns the path to run: the file, or
// dir if there are several.
func (p *Program) Write(dir string) (string, error) {
	for _, s := range p.Sources {
		path := filepath.Join(dir, filepath.FromSlash(s.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, s.Text, 0o600); err != nil {
			return "", err
		}
		if len(p.Sources) == 1 {
			return path, nil
		}
	}
	return dir, nil
}

// Env returns the environment of the run, with the server's addresses in it.
// s may be nil.
func (p *Program) Env(s *Server) map[string]string {
	env := map[string]string{}
	if s != nil {
		env["API"], env["ALT"] = s.URL, s.Alt
	}
	for _, line := range p.env {
		name, v, _ := strings.Cut(line, "=")
		env[name] = s.expand(v)
	}
	return env
}

// Outcome is what came out of a run.
type Outcome struct {
	Status string
	Report string   // the errors of the run, or the diagnostics
	Log    []string // lines in text form
	// Records returns the records of a store in order, as compact JSON.
	Records   func(store string) ([]string, error)
	Positions map[string]string // all saved positions as compact JSON, by "<Source> <key>"
	Retries   int
	Counts    map[string]int // what else the run counted, by the names of its record; what is missing is 0
}

// Compare returns what is not as the program wants it, a sentence each; none if
// all is well.
func (p *Program) Compare(o *Outcome, s *Server) []string {
	c := &complaints{}
	if o.Status != p.Status {
		c.add("status is %s, want %s", o.Status, p.Status)
	}
	for _, want := range p.WantErrors {
		if want = s.expand(want); !strings.Contains(o.Report, want) {
			c.add("the report has no %q", want)
		}
	}
	for _, want := range p.WantLog {
		want = s.expand(want)
		if !slices.ContainsFunc(o.Log, func(line string) bool { return strings.Contains(line, want) }) {
			c.add("no line of the log has %q", want)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.WantStores)) {
		got, err := o.Records(name)
		if err != nil {
			c.add("store %s: %v", name, err)
			continue
		}
		compareRecords(c, name, got, p.WantStores[name])
	}
	if p.WantPositions != nil && !maps.Equal(o.Positions, p.WantPositions) {
		c.add("positions are %v, want %v", o.Positions, p.WantPositions)
	}
	if p.WantRetries >= 0 && o.Retries != p.WantRetries {
		c.add("%d retries, want %d", o.Retries, p.WantRetries)
	}
	for _, name := range slices.Sorted(maps.Keys(p.WantCounts)) {
		if n := o.Counts[name]; n != p.WantCounts[name] {
			c.add("%s is counted %d times, want %d", name, n, p.WantCounts[name])
		}
	}
	if s != nil {
		if n := s.Requests(); p.WantRequests >= 0 && n != p.WantRequests {
			c.add("%d requests, want %d", n, p.WantRequests)
		}
		c.list = append(c.list, s.Complaints()...)
	}
	return c.list
}

type complaints struct{ list []string }

func (c *complaints) add(format string, args ...any) {
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

func compareRecords(c *complaints, store string, got, want []string) {
	if len(got) != len(want) {
		c.add("store %s has %d records, want %d:\n  got  %s\n  want %s", store, len(got), len(want), strings.Join(got, "\n       "), strings.Join(want, "\n       "))
		return
	}
	for i := range want {
		if !sameRecord(got[i], want[i]) {
			c.add("store %s, record %d:\n  got  %s\n  want %s", store, i, got[i], want[i])
		}
	}
}

// sameRecord compares records as text, save for the fields of which the wanted
// one says that they may be anything.
func sameRecord(got, want string) bool {
	if got == want {
		return true
	}
	if !strings.Contains(want, `"`+Any+`"`) {
		return false
	}
	gotFields, gotErr := fields(got)
	wantFields, wantErr := fields(want)
	return gotErr == nil && wantErr == nil && slices.EqualFunc(gotFields, wantFields, func(g, w field) bool {
		return g.name == w.name && (g.text == w.text || w.text == `"`+Any+`"`)
	})
}

type field struct{ name, text string }

// fields returns the fields of a JSON object in order.
func fields(object string) ([]field, error) {
	d := json.NewDecoder(strings.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var list []field
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		list = append(list, field{fmt.Sprint(name), compact(v)})
	}
	return list, nil
}
