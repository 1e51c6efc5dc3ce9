// Package lines writes the records of stores to files that other programs read:
// JSON Lines and CSV. Records are added at the end, or the whole file is replaced
// when a run has succeeded. A mission can't read such a store.
//
// # What is in the folder
//
// Beside a file that is added to, orders.jsonl, is orders.jsonl.added: one line a
// batch, with the run, a hash of the batch's keys, and the bytes of the file that
// it takes. It is written before the batch. So a batch that was cut off by the
// end of the process is taken out again, one that a resumed run repeats is found
// to be there, and several processes may write to one file: it is also what they
// lock.
package lines

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"reqon/runtime/store"
	"reqon/runtime/store/internal/flock"
	"reqon/vm/target"
	"reqon/vm/value"
)

// Adapter opens the files of one format.
type Adapter struct {
	format format

	mu    sync.Mutex
	files map[string]*file // by path
}

// format is how records are written.
type format uint8

const (
	jsonl format = iota
	csv
)

func (f format) String() string { return [...]string{"jsonl", "csv"}[f] }

// NewJSONL returns the adapter of JSON Lines: a JSON object a line.
func NewJSONL(store.Env) (store.Adapter, error) {
	return &Adapter{format: jsonl, files: map[string]*file{}}, nil
}

// NewCSV returns the adapter of CSV (RFC 4180, in UTF-8): a line with the names of
// the columns, and then a line a record.
func NewCSV(store.Env) (store.Adapter, error) {
	return &Adapter{format: csv, files: map[string]*file{}}, nil
}

// file is a file that some stores write to.
type file struct {
	path   string
	format format
	turn   chan struct{} // holds a token while somebody here uses what follows

	notes  *os.File // what was added; nil until it is needed
	read   int64    // how much of it is known
	last   note     // the newest
	known  map[string]note
	header []string // of CSV, nil if there is none yet
}

// note is a line of the file beside.
type note struct {
	Run   string `json:"run"`
	Batch string `json:"batch"`
	From  int64  `json:"from"`
	To    int64  `json:"to"`
}

func mistake(format string, args ...any) error {
	return &store.ConfigError{Err: fmt.Errorf(format, args...)}
}

// Open opens the store of a declaration.
func (a *Adapter) Open(ctx context.Context, d *store.Declaration) (store.Store, error) {
	if d.Options.Mode != store.Append && d.Options.Mode != store.Replace {
		return nil, mistake("a %s file has no keys: say `mode: append` or `mode: replace`", a.format)
	}
	name := d.Target
	if name == "" {
		name = d.Name + "." + a.format.String()
	}
	if err := target.Database(name); err != nil {
		return nil, mistake("file %q: %w", name, err)
	}
	path := filepath.FromSlash(name)
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.Folder, path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, &store.ConfigError{Err: err}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, mistake("%s is a folder, expected a file", path)
	case err == nil && !info.Mode().IsRegular():
		return nil, mistake("%s is no file, but %s", path, info.Mode().Type())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, &store.ConfigError{Err: err}
	}
	s := &Store{decl: d, file: a.file(path), empty: err != nil || info.Size() == 0}
	if d.DryRun {
		return s, nil
	}
	if err == nil && d.Options.Mode == store.Append {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, mistake("%w; make the file writable for this user, or name another path", err)
		}
		f.Close()
	}
	if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
		return nil, mistake("the folder of the file %s is not there: make it, or name another path", path)
	}
	if d.Options.Mode == store.Replace {
		return s, nil
	}
	if err := s.file.lock(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, &store.ConfigError{Err: err}
	}
	defer s.file.unlock()
	if err := s.file.repair(); err != nil {
		return nil, &store.ConfigError{Err: err}
	}
	if err := s.checkHeader(); err != nil {
		return nil, err
	}
	return s, nil
}

func (a *Adapter) file(path string) *file {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.files[path]
	if f == nil {
		f = &file{path: path, format: a.format, turn: make(chan struct{}, 1), known: map[string]note{}}
		a.files[path] = f
	}
	return f
}

// Close closes the files.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for path, f := range a.files {
		if f.notes != nil {
			errs = append(errs, f.notes.Close())
		}
		delete(a.files, path)
	}
	return errors.Join(errs...)
}

const (
	notesName = ".added"
	// lockPoll is how often is looked whether another process has finished.
	lockPoll = 5 * time.Millisecond
	// mostNotes is how large the file beside may become, in bytes, before what is
	// of no use any more is taken out.
	mostNotes = 4 << 20
	// runsKept are the runs whose notes stay then.
	runsKept = 16
)

// lock takes the file for the caller alone, against tasks and processes, and
// reads what others have noted.
func (f *file) lock(ctx context.Context) (err error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() {
		if err != nil {
			<-f.turn
		}
	}()
	if f.notes == nil {
		f.notes, err = os.OpenFile(f.path+notesName, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("%w; Reqon notes there what it has added to the file: make the folder writable for this user", err)
		}
	}
	for {
		ok, err := flock.Try(f.notes)
		if err != nil {
			return err
		}
		if ok {
			break
		}
		select {
		case <-time.After(lockPoll):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := f.readNotes(); err != nil {
		flock.Release(f.notes)
		return err
	}
	return nil
}

func (f *file) unlock() {
	flock.Release(f.notes)
	<-f.turn
}

// readNotes reads what was noted since the last time. A line without an end was
// cut off before its batch was begun.
func (f *file) readNotes() error {
	info, err := f.notes.Stat()
	if err != nil {
		return err
	}
	if info.Size() < f.read { // somebody has shortened it
		f.read, f.last, f.known = 0, note{}, map[string]note{}
	}
	r := bufio.NewReader(io.NewSectionReader(f.notes, f.read, info.Size()-f.read))
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break
		}
		var n note
		if err := json.Unmarshal(line, &n); err != nil {
			return fmt.Errorf("%s%s is damaged: %w; see that the file %s is complete, then remove the other one", f.path, notesName, err, f.path)
		}
		f.read += int64(len(line))
		f.last = n
		f.known[n.Run+" "+n.Batch] = n
	}
	return nil
}

// writeNote writes a note behind the others.
func (f *file) writeNote(n note) error {
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if f.read > mostNotes {
		if err := f.shorten(); err != nil {
			return err
		}
	}
	if err := f.notes.Truncate(f.read); err != nil { // of a line that was cut off
		return err
	}
	if _, err := f.notes.WriteAt(line, f.read); err != nil {
		return err
	}
	f.read += int64(len(line))
	f.last = n
	f.known[n.Run+" "+n.Batch] = n
	return nil
}

// shorten takes the notes of all but the newest runs out.
func (f *file) shorten() error {
	all, err := io.ReadAll(io.NewSectionReader(f.notes, 0, f.read))
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(all, []byte("\n"))
	runs := map[string]bool{}
	from := len(lines)
	for from > 0 {
		var n note
		if len(lines[from-1]) > 0 {
			if err := json.Unmarshal(lines[from-1], &n); err != nil {
				return err
			}
			if !runs[n.Run] && len(runs) == runsKept {
				break
			}
			runs[n.Run] = true
		}
		from--
	}
	kept := bytes.Join(lines[from:], nil)
	if len(kept) > mostNotes/2 {
		return nil // of runs that may go on
	}
	// Where this is cut off, batches of runs that are resumed may be there twice,
	// and none is lost.
	if err := f.notes.Truncate(0); err != nil {
		return err
	}
	f.read = 0
	if _, err := f.notes.WriteAt(kept, 0); err != nil {
		return err
	}
	f.known, f.last = map[string]note{}, note{}
	return f.readNotes()
}

// size is the file's size, 0 where it is not there.
func (f *file) size() (int64, error) {
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// repair takes out a batch that was cut off.
func (f *file) repair() error {
	size, err := f.size()
	if err != nil || size <= f.last.From || size >= f.last.To {
		return err
	}
	if err := os.Truncate(f.path, f.last.From); err != nil {
		return fmt.Errorf("%s ends within what was added last, which can't be taken out: %w", f.path, err)
	}
	return nil
}

// batchOf names a batch by the keys of its records, which are the same when a
// resumed run stores it again.
func batchOf(recs []store.Record) string {
	h := sha256.New()
	var size [8]byte
	for _, r := range recs {
		binary.LittleEndian.PutUint64(size[:], uint64(len(r.Key)))
		h.Write(size[:])
		io.WriteString(h, r.Key)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Store is one run's use of a file.
type Store struct {
	decl   *store.Declaration
	file   *file
	empty  bool // nothing was there when it was opened
	closed atomic.Bool
}

// Begins reports whether nothing was there when the store was opened.
func (s *Store) Begins() (place string, begins bool) {
	return "content in the file " + s.file.path, s.empty
}

func (s *Store) use(ctx context.Context) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Put adds a batch at the end of the file.
func (s *Store) Put(ctx context.Context, b store.Batch) (store.Result, error) {
	var none store.Result
	if err := s.use(ctx); err != nil {
		return none, err
	}
	if err := s.Check(b.Records); err != nil || len(b.Records) == 0 {
		return none, err
	}
	f := s.file
	if err := f.lock(ctx); err != nil {
		return none, err
	}
	defer f.unlock()
	if err := f.repair(); err != nil {
		return none, err
	}
	size, err := f.size()
	if err != nil {
		return none, err
	}
	n := note{Run: s.decl.Run, Batch: batchOf(b.Records)}
	if old, ok := f.known[n.Run+" "+n.Batch]; ok && size >= old.To {
		return store.Result{Unchanged: len(b.Records)}, nil // this run was here before
	}
	if err := s.checkHeader(); err != nil {
		return none, err
	}
	var out bytes.Buffer
	if size > 0 {
		if err := f.endLine(&out, size); err != nil {
			return none, err
		}
	}
	columns := f.header
	if f.format == csv && columns == nil {
		if columns = s.columns(); columns == nil {
			if columns = fieldsOf(nil, b.Records); len(columns) == 0 {
				return none, errors.New("the first records have no fields, and a CSV file needs columns; name them with `schema`")
			}
		}
		writeRow(&out, columns)
	}
	if err := write(&out, f.format, columns, b.Records); err != nil {
		return none, err
	}
	n.From, n.To = size, size+int64(out.Len())
	if err := f.writeNote(n); err != nil {
		return none, err
	}
	if err := f.add(out.Bytes(), size); err != nil {
		// What was written of it is taken out by the next one, if not here.
		return none, errors.Join(fmt.Errorf("can't write to %s: %w", f.path, err), f.repair())
	}
	return store.Result{Inserted: len(b.Records)}, nil
}

// endLine ends the last line of a file that somebody has left without an end.
func (f *file) endLine(out *bytes.Buffer, size int64) error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close()
	var last [1]byte
	if _, err := r.ReadAt(last[:], size-1); err != nil {
		return err
	}
	if last[0] != '\n' {
		out.WriteByte('\n')
	}
	return nil
}

// add writes at the end of the file.
func (f *file) add(data []byte, size int64) error {
	w, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = w.WriteAt(data, size)
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}

// Check refuses records that can't be written as they are.
func (s *Store) Check(recs []store.Record) error {
	if err := store.CheckRecords(recs); err != nil {
		return err
	}
	var refused []*store.RecordError
	for i := range recs {
		if re := s.check(&recs[i]); re != nil {
			re.Index = i
			refused = append(refused, re)
		}
	}
	if refused != nil {
		return &store.BatchError{Total: len(recs), Records: refused}
	}
	return nil
}

// write writes records.
func write(out *bytes.Buffer, f format, columns []string, recs []store.Record) error {
	if f == jsonl {
		for i := range recs {
			out.Write(value.AppendJSON(out.AvailableBuffer(), recs[i].Value))
			out.WriteByte('\n')
		}
		return nil
	}
	return writeCSV(out, columns, recs)
}

// replacePage is how many records Replace writes at a time.
const replacePage = 1000

// Replace writes the records of another store to a new file, which then takes the
// place of the one that is there. What has no keys is counted: as many as are
// fewer now are gone.
func (s *Store) Replace(ctx context.Context, by store.Store, allow func(there, gone int) error) (res store.Result, removed int, err error) {
	if err := s.use(ctx); err != nil {
		return res, 0, err
	}
	f := s.file
	if err := f.lock(ctx); err != nil {
		return res, 0, err
	}
	defer f.unlock()
	there, err := f.count()
	if err != nil {
		return res, 0, err
	}
	n, err := by.Len(ctx)
	if err != nil {
		return res, 0, err
	}
	removed = max(there-n, 0)
	if err := allow(there, removed); err != nil {
		return res, 0, err
	}
	columns := s.columns()
	if f.format == csv && columns == nil {
		if err := eachPage(ctx, by, func(recs []store.Record) error {
			columns = fieldsOf(columns, recs)
			return nil
		}); err != nil {
			return res, 0, err
		}
		if len(columns) == 0 {
			return res, 0, errors.New("the records have no fields, and a CSV file needs columns; name them with `schema`")
		}
	}
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(f.path); err == nil {
		mode = info.Mode().Perm()
	}
	w, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+"-*")
	if err != nil {
		return res, 0, fmt.Errorf("can't write beside %s: %w; make the folder writable for this user", f.path, err)
	}
	defer os.Remove(w.Name()) // it has another name then, if all went well
	defer w.Close()
	var out bytes.Buffer
	if f.format == csv {
		writeRow(&out, columns)
	}
	err = eachPage(ctx, by, func(recs []store.Record) error {
		if err := write(&out, f.format, columns, recs); err != nil {
			return err
		}
		_, err := w.Write(out.Bytes())
		out.Reset()
		return err
	})
	if err == nil {
		err = errors.Join(w.Chmod(mode), w.Sync(), w.Close())
	}
	if err != nil {
		return res, 0, err
	}
	// What is noted is about the old file.
	if err := f.notes.Truncate(0); err != nil {
		return res, 0, err
	}
	f.read, f.last, f.known, f.header = 0, note{}, map[string]note{}, nil
	if err := os.Rename(w.Name(), f.path); err != nil {
		return res, 0, err
	}
	if err := syncFolder(filepath.Dir(f.path)); err != nil {
		return res, 0, err
	}
	return store.Result{Inserted: n}, removed, nil
}

func eachPage(ctx context.Context, s store.Store, fn func(recs []store.Record) error) error {
	for cursor := ""; ; {
		p, err := s.Page(ctx, cursor, replacePage, nil)
		if err != nil {
			return err
		}
		if err := fn(p.Records); err != nil {
			return err
		}
		if cursor = p.Next; cursor == "" {
			return nil
		}
	}
}

// Sync returns when all that was added is on the disk for good.
func (s *Store) Sync(ctx context.Context) error {
	if err := s.use(ctx); err != nil {
		return err
	}
	return s.sync()
}

func (s *Store) sync() error {
	if s.decl.DryRun || s.decl.Options.Mode != store.Append {
		return nil
	}
	f, err := os.OpenFile(s.file.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was added
	}
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && s.empty {
		err = syncFolder(filepath.Dir(s.file.path))
	}
	return err
}

// syncFolder makes the names in a folder durable, where that can be asked for.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	d.Sync() // some systems refuse it, and need none
	return nil
}

// Close ends the session.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.sync()
}

func (s *Store) unread(ctx context.Context) error {
	if err := s.use(ctx); err != nil {
		return err
	}
	return fmt.Errorf("a %s file is only written, and can't be read or changed by its records; keep what is needed again in another store as well", s.file.format)
}

// Get fails: the file is only written. So do the other methods that read.
func (s *Store) Get(ctx context.Context, _ string) (value.Value, bool, error) {
	return value.NullValue, false, s.unread(ctx)
}

// Has fails.
func (s *Store) Has(ctx context.Context, _ string) (bool, error) { return false, s.unread(ctx) }

// Len fails.
func (s *Store) Len(ctx context.Context) (int, error) { return 0, s.unread(ctx) }

// Page fails.
func (s *Store) Page(ctx context.Context, _ string, _ int, _ *store.Filter) (store.Page, error) {
	return store.Page{}, s.unread(ctx)
}

// View fails.
func (s *Store) View(ctx context.Context, _ *store.Filter) (store.View, error) {
	return nil, s.unread(ctx)
}

// Delete fails.
func (s *Store) Delete(ctx context.Context, _ string) (bool, error) { return false, s.unread(ctx) }

// Clear fails.
func (s *Store) Clear(ctx context.Context) (int, error) { return 0, s.unread(ctx) }
