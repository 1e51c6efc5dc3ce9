package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"reqon/compiler"
	"reqon/runtime/engine"
	"reqon/runtime/state"
	"reqon/runtime/store"
	"reqon/runtime/store/storetest/pgtest"
	"reqon/vm"
	"reqon/vm/value"
)

// maxSinkMemory is what a run may take that stores into a store which does not
// hold its records in memory, however many they are.
const maxSinkMemory = 80 << 20

const (
	sinkPage    = 1000
	firstSinkID = 10_000_000 // so that every id has as many digits
)

// sinkChild names the variable that makes the test binary a process that runs
// one mission and nothing else, so that its peak memory is the run's own. It
// holds the folder with mission.reqon, the state and the sinks.
const sinkChild = "REQON_TEST_SINK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(sinkChild); dir != "" {
		if err := json.NewEncoder(os.Stdout).Encode(runIntoSink(dir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	pgtest.Main(m)
}

// sinkRun is what a child tells of its run.
type sinkRun struct {
	Err    string
	Stores []state.StoreCount
	Peak   int // of its memory, in bytes
}

func runIntoSink(dir string) (out sinkRun) {
	report, err := runMission(dir)
	if err == nil {
		out.Stores = report.Stores
		out.Peak, err = peakMemory()
	}
	if err != nil {
		out.Err = err.Error()
	}
	return out
}

// runMission runs dir/mission.reqon with a sink for `sqlite`.
func runMission(dir string) (*engine.Report, error) {
	compiled, err := compiler.Load(filepath.Join(dir, "mission.reqon"))
	if err != nil {
		return nil, err
	}
	if compiled.Failed() {
		return nil, fmt.Errorf("the mission does not compile: %v", compiled.Diagnostics)
	}
	e, err := engine.New(engine.Config{
		StateDir: filepath.Join(dir, "state"),
		Adapters: map[string]store.New{"sqlite": openSink(dir)},
	})
	if err != nil {
		return nil, err
	}
	m, err := e.Load(compiled.Missions[0].Program)
	if err != nil {
		return nil, err
	}
	report := m.Run(context.Background(), engine.RunOptions{})
	if report.Err != nil {
		return nil, report.Err
	}
	return report, e.Close()
}

// peakMemory is the most that this process has had in memory since it began.
// What getrusage tells would count its parent's as well.
func peakMemory() (int, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(text, "kB")))
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no VmHWM", f.Name())
}

// sinkAPI serves records in pages. A page is written once with places for the
// ids, which are filled in for each request: serving costs next to nothing, and
// holds one page for each request under way.
type sinkAPI struct {
	records [][]byte // of a page, with its places
	page    []byte
	places  [][]int // by record
	buffers sync.Pool
}

func newSinkAPI(t *testing.T) *sinkAPI {
	data, err := os.ReadFile("../../testdata/bench/data/records.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	a := &sinkAPI{page: []byte{'['}, places: make([][]int, sinkPage)}
	for i := range sinkPage {
		if i > 0 {
			a.page = append(a.page, ',')
		}
		line := lines[i%len(lines)]
		a.records = append(a.records, line)
		for j, part := range bytes.Split(line, []byte("#")) {
			if j > 0 {
				a.places[i] = append(a.places[i], len(a.page))
				a.page = strconv.AppendInt(a.page, firstSinkID, 10)
			}
			a.page = append(a.page, part...)
		}
	}
	a.page = append(a.page, ']')
	a.buffers.New = func() any { b := bytes.Clone(a.page); return &b }
	return a
}

// record is the n-th record as it is served, from 0.
func (a *sinkAPI) record(n int) string {
	return strings.ReplaceAll(string(a.records[n%sinkPage]), "#", strconv.Itoa(firstSinkID+n))
}

func (a *sinkAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	last, err2 := strconv.Atoi(r.URL.Query().Get("last"))
	if err != nil || err2 != nil || page < 1 {
		http.Error(w, "no such page", http.StatusBadRequest)
		return
	}
	if page > last {
		_, _ = w.Write([]byte("[]")) // a client that has gone is its own affair
		return
	}
	buffer := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	for i, places := range a.places {
		for _, at := range places {
			strconv.AppendInt((*buffer)[:at], int64(firstSinkID+(page-1)*sinkPage+i), 10)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(*buffer)))
	_, _ = w.Write(*buffer)
}

// TestSinkMemory: what a run takes does not grow with its records, if its store
// does not hold them: a million of them fit below 80 MB. In -short and under
// the race detector they are fewer.
func TestSinkMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peak memory of a process is read from /proc")
	}
	stored, mapped := 1_000_000, 50_000
	if testing.Short() || raceDetector {
		stored, mapped = 100_000, 5_000
	}
	api := newSinkAPI(t)
	server := httptest.NewServer(api)
	defer server.Close()
	dir := t.TempDir()

	run := func(pages int, step string) sinkRun {
		src := fmt.Sprintf(`mission Sink {
  source API { auth: none, base: %q, params: { last: %d } }
  store orders: sqlite("orders")
  action Sync {
    get "/orders" { paginate: page(page, %d) }
    %s
  }
}
`, server.URL, pages, sinkPage, step)
		if err := os.WriteFile(filepath.Join(dir, "mission.reqon"), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), sinkChild+"="+dir)
		child.Stderr = os.Stderr
		text, err := child.Output()
		if err != nil {
			t.Fatal(err)
		}
		var out sinkRun
		if err := json.Unmarshal(text, &out); err != nil || out.Err != "" {
			t.Fatal(err, out.Err)
		}
		t.Logf("%d pages: peak memory %.1f MB", pages, float64(out.Peak)/(1<<20))
		if out.Peak > maxSinkMemory && !raceDetector {
			t.Errorf("%d pages took %d MB of memory, expected at most %d", pages, out.Peak>>20, maxSinkMemory>>20)
		}
		return out
	}

	// All records, a page a step.
	out := run(stored/sinkPage, `store response -> orders { key: .id }`)
	if want := int64(stored); len(out.Stores) != 1 || out.Stores[0].Inserted != want || out.Stores[0].Updated != 0 {
		t.Fatalf("the run counts %+v, expected %d inserted", out.Stores, want)
	}
	// The first of them again, each by a step of its own, as other records.
	out = run(mapped/sinkPage, `for order in response {
      validate order { assume .price > 0, assume .email contains "@", assume length(.address.city) > 0 }
      map order -> Row { number: .number, city: .address.city, name: concat(.first, " ", .last) }
      store Row -> orders { key: order.id }
    }`)
	if want := int64(mapped); len(out.Stores) != 1 || out.Stores[0].Updated != want || out.Stores[0].Inserted != 0 {
		t.Fatalf("the run counts %+v, expected %d updated", out.Stores, want)
	}

	db, err := openDatabase(filepath.Join(dir, "orders.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var count, sum int64
	if err := db.QueryRow(`SELECT count(*), sum(CAST(key AS INTEGER)) FROM records`).Scan(&count, &sum); err != nil {
		t.Fatal(err)
	}
	if n := int64(stored); count != n || sum != n*firstSinkID+n*(n-1)/2 {
		t.Errorf("the sink holds %d records whose ids add up to %d, expected %d and %d", count, sum, n, n*firstSinkID+n*(n-1)/2)
	}
	// Every 97th, and the last: 97 and the records of a page have no divisor
	// in common, so that every place of a page has its turn.
	for n := 0; n < stored; n = next(n, 97, stored-1) {
		want := api.record(n)
		if n < mapped {
			want = mappedRecord(t, want)
		}
		var text string
		if err := db.QueryRow(`SELECT value FROM records WHERE key = ?`, strconv.Itoa(firstSinkID+n)).Scan(&text); err != nil {
			t.Fatalf("record %d: %v", n, err)
		}
		if text != want {
			t.Fatalf("record %d is\n%s, expected\n%s", n, text, want)
		}
	}
}

// next counts in steps to last, which it does not pass over.
func next(n, step, last int) int {
	if n < last {
		return min(n+step, last)
	}
	return last + 1
}

// mappedRecord is the record that TestSinkMemory's mission makes of one.
func mappedRecord(t *testing.T, record string) string {
	var order struct {
		Number, First, Last string
		Address             struct{ City string }
	}
	if err := json.Unmarshal([]byte(record), &order); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"number":%q,"city":%q,"name":%q}`, order.Number, order.Address.City, order.First+" "+order.Last)
}

// TestKeptFieldMemory: what is kept of a page holds no more of it than itself:
// not the record in a store, nor what the report tells of an item that failed.
func TestKeptFieldMemory(t *testing.T) {
	const (
		records  = 1000 // of a page, of about 1 KB each
		maxGrown = 10 << 20
	)
	pages := 1000
	if raceDetector {
		pages = 50
	} else if testing.Short() {
		pages = 200
	}
	filler := strings.Repeat("0123456789abcdef", 64)
	// document is a page with one id that is its own.
	document := func(form string) []byte {
		var b bytes.Buffer
		line, end := `{"id":"%s","text":"%s"},`, "]"
		if form == "text/csv" {
			b.WriteString("id,text\n")
			line, end = "%s,%s\n", ""
		} else {
			b.WriteByte('[')
		}
		for i := range records {
			id := "------"
			if i == 0 {
				id = "######"
			}
			fmt.Fprintf(&b, line, id, filler)
		}
		return append(bytes.TrimSuffix(b.Bytes(), []byte{','}), end...)
	}
	const keepOne = `for item in response where .id != "------" { map item -> Kept { id: .id } store Kept -> kept }`
	const failOne = `for item in response onError continue { validate item { assume .id == "------" } }`
	for _, test := range []struct {
		name, form, step string
		failures         int // of the run
	}{
		{"JSON, stored", "application/json", keepOne, 0},
		{"CSV, stored", "text/csv", keepOne, 0},
		{"JSON, failed", "application/json", failOne, pages},
		{"CSV, failed", "text/csv", failOne, pages},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := document(test.form)
			parts := bytes.Split(doc, []byte("######"))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", test.form)
				page, err := strconv.Atoi(r.URL.Query().Get("page"))
				if err != nil || page > pages {
					return // an empty body: no records
				}
				for _, part := range [][]byte{parts[0], fmt.Appendf(nil, "%06d", page), parts[1]} {
					_, _ = w.Write(part) // a client that has gone is its own affair
				}
			}))
			defer server.Close()
			prog := benchMission(t, server.URL, test.step)
			e, err := engine.New(engine.Config{StateDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			m, err := e.Load(prog)
			if err != nil {
				t.Fatal(err)
			}
			before, kept, grown := heap(), 0, int64(0)
			report := m.Run(context.Background(), engine.RunOptions{Output: func(ctx context.Context, out *engine.Output) error {
				grown = heap() - before
				return out.Stores[0].Each(ctx, func(value.Value) error { kept++; return nil })
			}})
			var failed *vm.ItemFailures
			if errors.As(report.Err, &failed); report.Err != nil && failed == nil {
				t.Fatal(report.Err)
			}
			failures := 0
			if failed != nil {
				failures = failed.Count
			}
			if failures != test.failures || kept != pages-test.failures {
				t.Errorf("%d records are kept and %d items have failed, expected %d and %d", kept, failures, pages-test.failures, test.failures)
			}
			t.Logf("%d pages of %d KB: the heap has grown by %d KB", pages, len(doc)>>10, grown>>10)
			if grown > maxGrown {
				t.Errorf("the heap has grown by %d MB, expected at most %d", grown>>20, maxGrown>>20)
			}
		})
	}
}

// heap is how much memory is in use, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC() // pools give up what they hold at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
