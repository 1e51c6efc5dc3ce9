package lines

import (
	"bufio"
	"bytes"
	encoding "encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"reqon/runtime/store"
	"reqon/runtime/store/relational"
	"reqon/vm/value"
)

// columns gives the columns that the schema names, nil without one.
func (s *Store) columns() (names []string) {
	if s.decl.Schema == nil {
		return nil
	}
	for _, f := range s.decl.Schema.Fields {
		names = append(names, f.Name)
	}
	return names
}

// check refuses a record that the schema, or the columns of the file, do not take.
func (s *Store) check(r *store.Record) *store.RecordError {
	refuse := func(field string, err error) *store.RecordError {
		return &store.RecordError{Key: r.Key, Field: field, Err: err}
	}
	o := r.Value.Obj()
	if s.decl.Schema == nil {
		return nil
	}
	for i := range s.decl.Schema.Fields {
		f := &s.decl.Schema.Fields[i]
		if err := relational.Fits(f, value.Field(r.Value, f.Name)); err != nil {
			return refuse(f.Name, err)
		}
	}
	if s.file.format == csv {
		for i := range o.Len() {
			name := o.Shape().Key(i)
			if !slices.ContainsFunc(s.decl.Schema.Fields, func(f store.Field) bool { return f.Name == name }) {
				return refuse(name, fmt.Errorf("the schema %s does not have it, so that the file has no column for it; add it, or leave it out of what is stored", s.decl.Schema.Name))
			}
		}
	}
	return nil
}

// fieldsOf adds the fields of records to a list, in the order in which they come.
func fieldsOf(names []string, recs []store.Record) []string {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		seen[n] = true
	}
	for i := range recs {
		o := recs[i].Value.Obj()
		for j := range o.Len() {
			if k := o.Shape().Key(j); !seen[k] {
				seen[k] = true
				names = append(names, k)
			}
		}
	}
	return names
}

// checkHeader reads the columns of the file, which others may have replaced since,
// and holds them against the schema.
func (s *Store) checkHeader() error {
	f := s.file
	if f.format != csv {
		return nil
	}
	size, err := f.size()
	if err != nil {
		return err
	}
	if size == 0 {
		f.header = nil
		return nil
	}
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close()
	header, err := encoding.NewReader(bufio.NewReader(r)).Read()
	if err != nil {
		return mistake("the first line of %s has no names of columns: %w; name another file", f.path, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	f.header = header
	if want := s.columns(); want != nil {
		a, b := slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(f.header))
		if !slices.Equal(a, b) {
			return mistake("the file %s has the columns %s, and the schema %s the fields %s; a column can't be added to lines that are there: name another file, or use `mode: replace`",
				f.path, strings.Join(f.header, ", "), s.decl.Schema.Name, strings.Join(want, ", "))
		}
	}
	return nil
}

// writeCSV writes records under columns.
func writeCSV(out *bytes.Buffer, columns []string, recs []store.Record) error {
	at := make(map[string]int, len(columns))
	for i, c := range columns {
		at[c] = i
	}
	var refused []*store.RecordError
	cells := make([]string, len(columns))
	for i := range recs {
		clear(cells)
		o := recs[i].Value.Obj()
		for j, v := range o.Slots() {
			name := o.Shape().Key(j)
			n, ok := at[name]
			if !ok {
				refused = append(refused, &store.RecordError{Index: i, Key: recs[i].Key, Field: name,
					Err: errors.New("the file has no column for it; name all columns with `schema`, or begin another file")})
				break
			}
			cells[n] = cell(v)
		}
		writeRow(out, cells)
	}
	if refused != nil {
		return &store.BatchError{Total: len(recs), Records: refused}
	}
	return nil
}

// cell is a value as text: arrays and objects are JSON, and null is empty.
func cell(v value.Value) string {
	switch v.Kind() {
	case value.Null:
		return ""
	case value.String:
		return v.Str()
	case value.Time:
		return string(value.AppendTime(nil, v.Time()))
	}
	return string(value.AppendJSON(nil, v))
}

// writeRow writes a line.
func writeRow(out *bytes.Buffer, cells []string) {
	for i, c := range cells {
		if i > 0 {
			out.WriteByte(',')
		}
		// A line without anything would be none.
		if strings.ContainsAny(c, ",\"\r\n") || c == "" && len(cells) == 1 || c != "" && (c[0] == ' ' || c[len(c)-1] == ' ') {
			out.WriteByte('"')
			out.WriteString(strings.ReplaceAll(c, `"`, `""`))
			out.WriteByte('"')
			continue
		}
		out.WriteString(c)
	}
	out.WriteByte('\n')
}

// count counts the records of the file.
func (f *file) count() (n int, err error) {
	r, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer r.Close()
	in := bufio.NewReaderSize(r, 64<<10)
	quoted, any := false, false
	for {
		b, err := in.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		switch {
		case b == '"' && f.format == csv:
			quoted, any = !quoted, true
		case b == '\n' && !quoted:
			if any {
				n++
			}
			any = false
		case b != '\r':
			any = true
		}
	}
	if any {
		n++
	}
	if f.format == csv {
		n = max(n-1, 0)
	}
	return n, nil
}
