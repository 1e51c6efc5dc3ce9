package lines_test

import (
	"bufio"
	"context"
	encoding "encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"reqon/runtime/store"
	"reqon/runtime/store/lines"
	"reqon/runtime/store/memory"
	"reqon/vm/value"
)

var ctx = context.Background()

// newAdapter returns an adapter of its own, as another process has it.
func newAdapter(t testing.TB, format string) store.Adapter {
	t.Helper()
	a, err := map[string]store.New{"jsonl": lines.NewJSONL, "csv": lines.NewCSV}[format](store.Env{Shapes: value.NewShapes()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func open(t testing.TB, a store.Adapter, d *store.Declaration) store.Store {
	t.Helper()
	s, err := a.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func object(t testing.TB, json string) value.Value {
	t.Helper()
	v, err := value.ParseJSON(value.NewShapes(), json)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// batch makes records of pairs of key and JSON.
func batch(t testing.TB, pairs ...string) (b store.Batch) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		b.Records = append(b.Records, store.Record{Key: pairs[i], Value: object(t, pairs[i+1])})
	}
	return b
}

func put(t testing.TB, s store.Store, want store.Result, pairs ...string) {
	t.Helper()
	if got, err := s.Put(ctx, batch(t, pairs...)); err != nil || got != want {
		t.Fatalf("Put = %+v, %v; want %+v", got, err, want)
	}
}

func holds(t testing.TB, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Fatalf("the file holds\n%s\nwant\n%s\n%v", got, want, err)
	}
}

func appending(dir, run, name string) *store.Declaration {
	return &store.Declaration{Name: "orders", Run: run, Folder: dir, Target: name, Options: store.Options{Mode: store.Append}}
}

func TestAppend(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "orders.jsonl")
	s := open(t, newAdapter(t, "jsonl"), appending(dir, "r1", ""))
	if place, begins := s.(store.Beginner).Begins(); !begins || !strings.Contains(place, path) {
		t.Errorf("Begins = %q, %v", place, begins)
	}
	put(t, s, store.Result{Inserted: 2}, "k1", `{"id":1,"t":"a\nb","n":1.10}`, "k2", `{"id":2}`)
	put(t, s, store.Result{Inserted: 1}, "k3", `{"id":1,"t":"a\nb","n":1.10}`)
	want := `{"id":1,"t":"a\nb","n":1.10}` + "\n" + `{"id":2}` + "\n" + `{"id":1,"t":"a\nb","n":1.10}` + "\n"
	holds(t, path, want)
	if err := errors.Join(s.Sync(ctx), s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, batch(t, "k", `{}`)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Put on a closed store: %v", err)
	}
	// The run is resumed, and repeats what it may have done, with the same keys.
	s = open(t, newAdapter(t, "jsonl"), appending(dir, "r1", ""))
	put(t, s, store.Result{Unchanged: 1}, "k3", `{"id":1}`)
	put(t, s, store.Result{Unchanged: 2}, "k1", `{"id":1}`, "k2", `{"id":2}`)
	holds(t, path, want)
	// Another run has its own.
	s = open(t, newAdapter(t, "jsonl"), appending(dir, "r2", ""))
	if _, begins := s.(store.Beginner).Begins(); begins {
		t.Error("a file that is there begins")
	}
	put(t, s, store.Result{Inserted: 1}, "k3", `{}`)
	holds(t, path, want+"{}\n")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	for _, err := range []error{second(s.Len(ctx)), second(s.Has(ctx, "k")), second(s.View(ctx, nil)), second(s.Page(ctx, "", 1, nil)), second(s.Delete(ctx, "k")), second(s.Clear(ctx))} {
		if err == nil || !strings.Contains(err.Error(), "only written") {
			t.Errorf("reading: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestCutOff cuts what was added last off at each of its bytes, as the end of the
// process may have done, and stores it again.
func TestCutOff(t *testing.T) {
	for _, format := range []string{"jsonl", "csv"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "o."+format)
		s := open(t, newAdapter(t, format), appending(dir, "r", "o."+format))
		put(t, s, store.Result{Inserted: 1}, "a", `{"t":"first"}`)
		before, _ := os.ReadFile(path)
		put(t, s, store.Result{Inserted: 2}, "b", `{"t":"x\"\n,y"}`, "c", `{"t":"z"}`)
		after, _ := os.ReadFile(path)
		for size := len(before); size < len(after); size++ {
			if err := os.Truncate(path, int64(size)); err != nil {
				t.Fatal(err)
			}
			again := open(t, newAdapter(t, format), appending(dir, "r", "o."+format))
			holds(t, path, string(before))
			put(t, again, store.Result{Unchanged: 1}, "a", `{"t":"first"}`)
			put(t, again, store.Result{Inserted: 2}, "b", `{"t":"x\"\n,y"}`, "c", `{"t":"z"}`)
			put(t, again, store.Result{Unchanged: 2}, "b", `{"t":"x\"\n,y"}`, "c", `{"t":"z"}`)
			holds(t, path, string(after))
		}
	}
}

// TestFilesOfOthers: a file without an end of line, one that was moved away, one
// whose notes are damaged.
func TestFilesOfOthers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "o.jsonl")
	os.WriteFile(path, []byte(`{"by":"hand"}`), 0o640)
	s := open(t, newAdapter(t, "jsonl"), appending(dir, "r", "o.jsonl"))
	put(t, s, store.Result{Inserted: 1}, "a", `{"n":1}`)
	holds(t, path, `{"by":"hand"}`+"\n"+`{"n":1}`+"\n")
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	put(t, s, store.Result{Inserted: 1}, "b", `{"n":2}`)
	holds(t, path, `{"n":2}`+"\n")
	notes, _ := os.OpenFile(path+".added", os.O_APPEND|os.O_WRONLY, 0)
	notes.WriteString("{\"run\":\"half a no")
	put(t, s, store.Result{Inserted: 1}, "c", `{"n":3}`) // that batch was never begun
	notes.WriteString("rubbish\n")
	notes.Close()
	_, err := newAdapter(t, "jsonl").Open(ctx, appending(dir, "r", "o.jsonl"))
	if err == nil || !strings.Contains(err.Error(), "o.jsonl.added is damaged") {
		t.Errorf("notes that are damaged: %v", err)
	}
}

func TestCSV(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "o.csv")
	s := open(t, newAdapter(t, "csv"), appending(dir, "r", "o.csv"))
	put(t, s, store.Result{Inserted: 2}, "a", `{"id":1,"t":"a, \"b\"\r\nc","n":1.10,"ok":true}`, "b", `{"list":[1,"x"],"id":2,"t":null}`)
	holds(t, path, "id,t,n,ok,list\n1,\"a, \"\"b\"\"\r\nc\",1.10,true,\n2,,,,\"[1,\"\"x\"\"]\"\n")
	// Another run goes on in the columns that are there.
	s = open(t, newAdapter(t, "csv"), appending(dir, "r2", "o.csv"))
	put(t, s, store.Result{Inserted: 1}, "a", `{"ok":false,"id":3}`)
	var refused *store.BatchError
	_, err := s.Put(ctx, batch(t, "b", `{"id":4}`, "c", `{"id":5,"new":1}`))
	if !errors.As(err, &refused) || len(refused.Records) != 1 || refused.Records[0].Index != 1 || refused.Records[0].Field != "new" {
		t.Errorf("a field without a column: %v", err)
	}
	holds(t, path, "id,t,n,ok,list\n1,\"a, \"\"b\"\"\r\nc\",1.10,true,\n2,,,,\"[1,\"\"x\"\"]\"\n3,,,false,\n")

	// With a schema.
	schema := &store.Schema{Name: "O", Fields: []store.Field{{Name: "id", Type: store.Int, Written: "an int"}, {Name: "t", Type: store.Text, Optional: true, Written: "a string"}}}
	d := appending(dir, "r", "s.csv")
	d.Schema = schema
	s = open(t, newAdapter(t, "csv"), d)
	for record, want := range map[string]string{
		`{"id":"x"}`:         `field "id": found string "x", expected an int`,
		`{"t":"x"}`:          `field "id": found null`,
		`{"id":1,"t":5}`:     `field "t": found`,
		`{"id":1,"other":5}`: `field "other": the schema O does not have it`,
	} {
		if _, err := s.Put(ctx, batch(t, "a", `{"id":1}`, "b", record)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", record, err, want)
		}
	}
	put(t, s, store.Result{Inserted: 1}, "c", `{"t":" x","id":1}`)
	holds(t, filepath.Join(dir, "s.csv"), "id,t\n1,\" x\"\n")
	d = appending(dir, "r", "o.csv")
	d.Schema = schema
	var config *store.ConfigError
	if _, err := newAdapter(t, "csv").Open(ctx, d); !errors.As(err, &config) || !strings.Contains(err.Error(), "has the columns id, t, n, ok, list") {
		t.Errorf("other columns: %v", err)
	}
	// Its columns may stand in another order, behind the mark that some programs
	// put first.
	os.WriteFile(filepath.Join(dir, "x.csv"), []byte("\ufefft,id\r\nold,1\r\n"), 0o600)
	d.Target = "x.csv"
	put(t, open(t, newAdapter(t, "csv"), d), store.Result{Inserted: 1}, "a", `{"id":2,"t":"new"}`)
	holds(t, filepath.Join(dir, "x.csv"), "\ufefft,id\r\nold,1\r\nnew,2\n")
}

// FuzzCSV reads what was written with another reader.
func FuzzCSV(f *testing.F) {
	f.Add("a", "b")
	f.Add("", "")
	f.Add("x\ny", `"`)
	f.Add(" ,", `\.`)
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(strings.ReplaceAll(a, "\r", ""), ""), strings.ToValidUTF8(strings.ReplaceAll(b, "\r", ""), "")
		dir := t.TempDir()
		for _, two := range []bool{true, false} {
			name := fmt.Sprintf("%v.csv", two)
			rec := value.NewObjectBuilder(nil, 2)
			rec.Set("a", value.FromString(a))
			want := []string{a}
			if two {
				rec.Set("b", value.FromString(b))
				want = append(want, b)
			}
			s := open(t, newAdapter(t, "csv"), appending(dir, "r", name))
			if _, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: "k", Value: rec.Value()}}}); err != nil {
				t.Fatal(err)
			}
			file, err := os.Open(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			rows, err := encoding.NewReader(file).ReadAll()
			if err != nil || len(rows) != 2 || !slices.Equal(rows[1], want) {
				t.Fatalf("%q is read as %q, %v", want, rows, err)
			}
		}
	})
}

func TestReplace(t *testing.T) {
	for format, want := range map[string]string{"jsonl": "{\"id\":1}\n{\"id\":2,\"t\":\"x\\ny\"}\n", "csv": "id,t\n1,\n2,\"x\ny\"\n"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "out."+format)
		os.WriteFile(path, []byte("id\n1\n2\n3\n\n\"4\n\"\n5\n"), 0o644)
		there := map[string]int{"jsonl": 7, "csv": 5}[format]
		d := &store.Declaration{Name: "out", Run: "r", Folder: dir, Options: store.Options{Mode: store.Replace}}
		s := open(t, newAdapter(t, format), d).(store.Replacer)
		with := memory.NewStore(nil, store.Options{})
		if _, err := with.Put(ctx, batch(t, "a", `{"id":1}`, "b", `{"id":2,"t":"x\ny"}`)); err != nil {
			t.Fatal(err)
		}
		stop := errors.New("stop")
		if _, _, err := s.Replace(ctx, with, func(n, gone int) error {
			if n != there || gone != there-2 {
				t.Errorf("%s: %d are there and %d would go", format, n, gone)
			}
			return stop
		}); !errors.Is(err, stop) {
			t.Errorf("not allowed: %v", err)
		}
		holds(t, path, "id\n1\n2\n3\n\n\"4\n\"\n5\n")
		res, removed, err := s.Replace(ctx, with, func(int, int) error { return nil })
		if err != nil || res != (store.Result{Inserted: 2}) || removed != there-2 {
			t.Errorf("Replace = %+v, %d, %v", res, removed, err)
		}
		holds(t, path, want)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("the mode is not kept: %v", info.Mode())
		}
		left, _ := os.ReadDir(dir)
		if len(left) != 2 {
			t.Errorf("left in the folder: %v", left)
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, "folder"), 0o700)
	for target, want := range map[string]string{
		"folder": "is a folder, expected a file", "none/o.jsonl": "make it, or name another path", "reqon.db": "keeps its runs", "a\x00": "NUL", "x/": "names a folder",
		"/dev/null": "is no file",
	} {
		var config *store.ConfigError
		if _, err := newAdapter(t, "jsonl").Open(ctx, appending(dir, "r", target)); !errors.As(err, &config) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", target, err, want)
		}
	}
	for _, mode := range []store.Mode{store.Merge, store.History} {
		if _, err := newAdapter(t, "csv").Open(ctx, &store.Declaration{Name: "o", Folder: dir, Options: store.Options{Mode: mode}}); err == nil || !strings.Contains(err.Error(), "has no keys") {
			t.Errorf("mode %d: %v", mode, err)
		}
	}
	s := open(t, newAdapter(t, "csv"), appending(dir, "r", "empty.csv"))
	if _, err := s.Put(ctx, batch(t, "k", `{}`)); err == nil || !strings.Contains(err.Error(), "needs columns") {
		t.Errorf("no columns: %v", err)
	}
	if _, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: "k", Value: value.FromInt(1)}}}); err == nil {
		t.Error("a number was stored")
	}
	dry := appending(dir, "r", "dry.jsonl")
	dry.DryRun = true
	open(t, newAdapter(t, "jsonl"), dry)
	if _, err := os.Stat(filepath.Join(dir, "dry.jsonl.added")); err == nil {
		t.Error("a dry run makes files")
	}
}

// TestTogether has many tasks and adapters add to one file.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	const tasks, steps = 6, 20
	for task := range tasks {
		s := open(t, newAdapter(t, "csv"), appending(dir, fmt.Sprint("r", task%3), "o.csv"))
		wg.Go(func() {
			for i := range steps {
				if _, err := s.Put(ctx, batch(t, fmt.Sprint(task, "-", i), fmt.Sprintf(`{"task":%d,"i":%d}`, task, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	f, err := os.Open(filepath.Join(dir, "o.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := encoding.NewReader(f).ReadAll()
	seen := map[string]bool{}
	for _, r := range rows[1:] {
		seen[r[0]+" "+r[1]] = true
	}
	if err != nil || len(rows) != 1+tasks*steps || len(seen) != tasks*steps || rows[0][0] != "task" {
		t.Errorf("%d rows, %d different, %v", len(rows), len(seen), err)
	}
}

// TestKilled kills a process that adds batches, and does what a resumed run does.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("LINES_CHILD"); dir != "" {
		s := open(t, newAdapter(t, "jsonl"), appending(dir, "r", "o.jsonl"))
		for i := range 100_000 {
			if _, err := s.Put(ctx, step(t, i)); err != nil {
				t.Fatal(err)
			}
			fmt.Println("stored", i)
		}
		return
	}
	for round := range 3 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.v")
		cmd.Env = append(os.Environ(), "LINES_CHILD="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewScanner(out)
		n := 0
		for in.Scan() {
			if strings.HasPrefix(in.Text(), "stored ") {
				if n++; n == 20+30*round {
					cmd.Process.Kill()
				}
			}
		}
		cmd.Wait()
		s := open(t, newAdapter(t, "jsonl"), appending(dir, "r", "o.jsonl"))
		for i := range n + 5 {
			if _, err := s.Put(ctx, step(t, i)); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(filepath.Join(dir, "o.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for line := range strings.Lines(string(data)) {
			object(t, line)
			seen[line]++
		}
		for line, times := range seen {
			if times != 1 {
				t.Errorf("%d times: %s", times, line)
			}
		}
		if len(seen) < 3*(n+5) {
			t.Errorf("there are %d lines, want at least %d", len(seen), 3*(n+5))
		}
	}
}

func step(t testing.TB, i int) store.Batch {
	var pairs []string
	for j := range 3 {
		pairs = append(pairs, fmt.Sprintf("k%d-%d", i, j), fmt.Sprintf(`{"step":%d,"n":%d,"pad":%q}`, i, j, strings.Repeat("x", 500)))
	}
	return batch(t, pairs...)
}
