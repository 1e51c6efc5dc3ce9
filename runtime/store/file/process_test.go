//go:build unix

package file

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reqon/runtime/store"
	"reqon/vm/value"
)

// TestMain makes the test binary a process that works on a store, when it is
// started as one by a test.
func TestMain(m *testing.M) {
	if job := os.Getenv("STORE_TEST_JOB"); job != "" {
		if err := jobs[job](os.Getenv("STORE_TEST_DIR"), os.Getenv("STORE_TEST_ARG")); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var jobs = map[string]func(dir, arg string) error{
	"batches": writeBatches,
	"full":    fillDisk,
	"turns":   takeTurns,
	"leased":  putUnderLease,
}

func startJob(t *testing.T, job, dir, arg string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "STORE_TEST_JOB="+job, "STORE_TEST_DIR="+dir, "STORE_TEST_ARG="+arg)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewScanner(out)
}

// batchSize is how many records each batch of writeBatches has.
const batchSize = 5

// writeBatches stores batches of records named in arg, "name:count", and says
// after each that it is finished. Without a count it goes on behind the batches
// that are there until it is killed.
func writeBatches(dir, arg string) error {
	name, count, _ := strings.Cut(arg, ":")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	d, err := OpenDir(dir, value.NewShapes(), DirOptions{})
	if err != nil {
		return err
	}
	s, err := d.File("s", store.Options{})
	if err != nil {
		return err
	}
	from := 0
	if n == 0 {
		if from, err = s.Len(ctx); err != nil {
			return err
		}
	}
	shapes := value.NewShapes()
	for i := from / batchSize; n == 0 || i < n; i++ {
		var batch []store.Record
		for j := range batchSize {
			batch = append(batch, store.Record{Key: fmt.Sprintf("%s-%d-%d", name, i, j), Value: batchRecord(shapes, i)})
		}
		if _, err := s.Put(ctx, store.Batch{Records: batch}); err != nil {
			return err
		}
		fmt.Println(i)
		if i%7 == 0 {
			if err := s.Sync(ctx); err != nil {
				return err
			}
		}
	}
	return d.Close()
}

func batchRecord(shapes *value.Shapes, i int) value.Value {
	b := value.NewObjectBuilder(shapes, 2)
	b.Set("batch", value.FromInt(int64(i)))
	b.Set("text", value.FromString(strings.Repeat("x", i%300)))
	return b.Value()
}

// TestKill: a process killed at any moment loses no batch that it finished, and
// leaves none in part.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	finished := -1
	for round := range rounds {
		c, out := startJob(t, "batches", dir, "k:0")
		timer := time.AfterFunc(time.Duration(15_000+rand.IntN(60_000))*time.Microsecond, func() { c.Process.Kill() })
		for out.Scan() {
			n, err := strconv.Atoi(out.Text())
			if err != nil {
				t.Fatalf("round %d: %s", round, out.Text())
			}
			finished = n
		}
		c.Wait()
		timer.Stop()
		s := openFile(t, openDir(t, dir), "s", store.Options{})
		if round%3 == 0 {
			// The snapshot alone is whole too, whatever the moment.
			if b, err := os.ReadFile(filepath.Join(dir, "s.json")); err == nil && !json.Valid(b) {
				t.Fatalf("round %d: the snapshot is not JSON", round)
			}
		}
		n := 0
		err := store.Each(ctx, s, func(key string, v value.Value) error {
			batch := n / batchSize
			if want := fmt.Sprintf("k-%d-%d", batch, n%batchSize); key != want || value.Field(v, "batch").Int() != int64(batch) || len(value.Field(v, "text").Str()) != batch%300 {
				return fmt.Errorf("record %d is %s: %s", n, key, value.Describe(v))
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if n%batchSize != 0 || n/batchSize < finished+1 || n/batchSize > finished+2 {
			t.Fatalf("round %d: %d records, after batch %d was finished", round, n, finished)
		}
		finished = n/batchSize - 1
		s.(*fileStore).f.lock.Close()
	}
	t.Logf("%d batches in %d rounds", finished+1, rounds)
}

// TestTwoProcesses: processes that write one store at once lose nothing of
// each other, while readers of the snapshot always see a whole one.
func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	const batches = 300
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		wg.Go(func() {
			c, out := startJob(t, "batches", dir, name+":"+strconv.Itoa(batches))
			for out.Scan() {
				if _, err := strconv.Atoi(out.Text()); err != nil {
					t.Error(name, out.Text())
				}
			}
			if err := c.Wait(); err != nil {
				t.Error(name, err)
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	looks := 0
	for running := true; running; looks++ {
		select {
		case <-done:
			running = false
		default:
		}
		if b, err := os.ReadFile(filepath.Join(dir, "s.json")); err == nil && !json.Valid(b) {
			t.Fatal("a reader saw a snapshot that is not whole")
		}
		time.Sleep(time.Millisecond)
	}
	s := openFile(t, openDir(t, dir), "s", store.Options{})
	count := map[string]int{}
	err := store.Each(ctx, s, func(key string, v value.Value) error {
		p := strings.Split(key, "-")
		batch, _ := strconv.Atoi(p[1])
		j, _ := strconv.Atoi(p[2])
		if at := batch*batchSize + j; at != count[p[0]] {
			return fmt.Errorf("%s is number %d of its process", key, count[p[0]])
		}
		count[p[0]]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if count[name] != batches*batchSize {
			t.Errorf("%s has %d records, want %d", name, count[name], batches*batchSize)
		}
	}
	t.Logf("records %v, %d looks at the snapshot", count, looks)
}

// takeTurns stores one record after another for as long as arg says, and says
// how many those were and how long the longest took.
func takeTurns(dir, arg string) error {
	name, length, _ := strings.Cut(arg, ":")
	during, err := time.ParseDuration(length)
	if err != nil {
		return err
	}
	d, err := OpenDir(dir, value.NewShapes(), DirOptions{})
	if err != nil {
		return err
	}
	s, err := d.File("s", store.Options{})
	if err != nil {
		return err
	}
	rec := []store.Record{{Value: batchRecord(value.NewShapes(), 100)}}
	put := func(n int) error {
		rec[0].Key = fmt.Sprintf("%s-%d", name, n%5000)
		_, err := s.Put(ctx, store.Batch{Records: rec})
		return err
	}
	if err := put(0); err != nil {
		return err
	}
	fmt.Println("ready")
	time.Sleep(time.Until(time.Now().Truncate(100 * time.Millisecond).Add(200 * time.Millisecond)))
	var longest time.Duration
	n := 0
	for start := time.Now(); time.Since(start) < during; n++ {
		before := time.Now()
		if err := put(n); err != nil {
			return err
		}
		longest = max(longest, time.Since(before))
	}
	fmt.Println(n, longest.Microseconds())
	return d.Close()
}

// TestTurns: processes that store single records at the same time each get
// their share, and none waits for long.
func TestTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	// On a quiet machine the longest step takes about 50 ms. A busy one can hold a
	// process up for longer than any lease does; starved, it would wait for a
	// second.
	const most = 300 * time.Millisecond
	for attempt := 1; ; attempt++ {
		counts, longest := turns(t, 2, time.Second)
		t.Logf("steps %v, longest %v", counts, longest)
		share := float64(slices.Min(counts)) / float64(counts[0]+counts[1])
		if share >= 0.25 && longest <= most {
			return
		}
		if attempt == 3 {
			t.Fatalf("one process had %.0f%% of the steps; the longest step took %v", 100*share, longest)
		}
	}
}

// turns runs takeTurns in several processes, and returns how many steps each
// took and how long the longest of them was.
func turns(t *testing.T, processes int, during time.Duration) (counts []int, longest time.Duration) {
	dir := t.TempDir()
	counts = make([]int, processes)
	times := make([]int, processes)
	var wg sync.WaitGroup
	for i := range processes {
		wg.Go(func() {
			c, out := startJob(t, "turns", dir, fmt.Sprintf("%d:%v", i, during))
			for out.Scan() {
				if out.Text() == "ready" {
					continue
				}
				if _, err := fmt.Sscan(out.Text(), &counts[i], &times[i]); err != nil {
					t.Error(out.Text())
				}
			}
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return counts, time.Duration(slices.Max(times)) * time.Microsecond
}

// putUnderLease stores records without ever giving the lock back, and says
// after each that it is finished.
func putUnderLease(dir, _ string) error {
	d, err := OpenDir(dir, value.NewShapes(), DirOptions{})
	if err != nil {
		return err
	}
	d.leaseIdle, d.leaseMost = time.Hour, time.Hour
	s, err := d.File("s", store.Options{})
	if err != nil {
		return err
	}
	shapes := value.NewShapes()
	for i := 0; ; i++ {
		if _, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: strconv.Itoa(i), Value: batchRecord(shapes, i)}}}); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// TestKillUnderALease: the end of a process ends its lease, and takes nothing
// that was finished under it.
func TestKillUnderALease(t *testing.T) {
	dir := t.TempDir()
	c, out := startJob(t, "leased", dir, "")
	last := -1
	for out.Scan() {
		n, err := strconv.Atoi(out.Text())
		if err != nil {
			t.Error(out.Text())
		}
		if last = n; n == 1000 {
			if free(t, dir, ".s.lock") {
				t.Error("there is no lease")
			}
			c.Process.Kill()
		}
	}
	c.Wait()
	s := openFile(t, openDir(t, dir), "s", store.Options{})
	n, err := s.Len(within(t, 10*time.Second))
	if err != nil || n < last+1 || n > last+2 {
		t.Errorf("%d records, %v; %d was finished", n, err, last)
	}
	if _, err := s.Put(within(t, 10*time.Second), store.Batch{Records: recs(t, "a", `{}`)}); err != nil {
		t.Error(err)
	}
}

// fillDisk stores records until the disk, here a limit of 1 MiB on the size of a
// file, is full, and checks what is left. Then it does the same to Sync.
func fillDisk(dir, _ string) error {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	d, err := OpenDir(dir, value.NewShapes(), DirOptions{})
	if err != nil {
		return err
	}
	d.still = true
	s, err := d.File("s", store.Options{})
	if err != nil {
		return err
	}
	shapes := value.NewShapes()
	large := func(key int) error {
		b := value.NewObjectBuilder(shapes, 1)
		b.Set("text", value.FromString(strings.Repeat("x", 100_000)))
		_, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: strconv.Itoa(key), Value: b.Value()}}})
		return err
	}
	n := 0
	for ; err == nil; n++ {
		err = large(n)
	}
	n-- // the last one failed
	if err := failedOn(err, ".s.journal"); err != nil || n != 10 {
		return fmt.Errorf("%d records: %w", n, err)
	}
	if got, err := s.Len(ctx); got != n || err != nil {
		return fmt.Errorf("%d records after %d batches and a failed one, %v", got, n, err)
	}
	// The store is usable: what fits is stored.
	for i := range 3 {
		b := value.NewObjectBuilder(shapes, 1)
		b.Set("small", value.FromInt(int64(i)))
		if _, err := s.Put(ctx, store.Batch{Records: []store.Record{{Key: "small", Value: b.Value()}}}); err != nil {
			return err
		}
	}
	if v, ok, err := s.Get(ctx, "small"); !ok || err != nil || value.Field(v, "small").Int() != 2 {
		return fmt.Errorf("Get after a failed batch: %v, %v", ok, err)
	}
	if err := s.Sync(ctx); err != nil {
		return err
	}
	// A new snapshot would be too large; the old one and the journal stay.
	for i := range 5 {
		if err := large(100 + i); err != nil {
			return err
		}
	}
	if err := failedOn(s.Sync(ctx), ".s.tmp"); err != nil {
		return err
	}
	if got, err := s.Len(ctx); got != n+6 || err != nil {
		return fmt.Errorf("%d records after a failed sync, %v", got, err)
	}
	for i := range 6 {
		if _, err := s.Delete(ctx, strconv.Itoa(i)); err != nil {
			return err
		}
	}
	if err := s.Sync(ctx); err != nil {
		return err
	}
	return d.Close()
}

func failedOn(err error, file string) error {
	for _, want := range []string{`store "s"`, file, "file too large"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			return fmt.Errorf("the error %v does not say %q", err, want)
		}
	}
	return nil
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	c, out := startJob(t, "full", dir, "")
	for out.Scan() {
		t.Error(out.Text())
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	s := openFile(t, openDir(t, dir), "s", store.Options{})
	if got, err := s.Len(ctx); got != 10 || err != nil {
		t.Errorf("%d records, %v", got, err)
	}
	left := slices.Sorted(maps.Keys(tree(t, dir)))
	if want := []string{".s.journal", ".s.lock", "s.json"}; !slices.Equal(left, want) {
		t.Errorf("files left: %v", left)
	}
}

// TestSingleRecordStepsAreLinear: ten times the single-record steps cost about
// ten times as much, into a store that grows with them.
func TestSingleRecordStepsAreLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second or two")
	}
	r := orders(0, 1)
	measure := func(n int) cost {
		s := openFile(t, openDir(t, t.TempDir()), "s", store.Options{})
		defer s.Close()
		start := costNow(t)
		for i := range n {
			r[0].Key = strconv.Itoa(i)
			mustPut(t, s, r, store.MergeFields)
		}
		return costNow(t).minus(start)
	}
	measure(1000)
	small, large := measure(10_000), measure(100_000)
	t.Logf("10,000: %+v, 100,000: %+v", small, large)
	// What is written and allocated is the same in every run; the factor leaves
	// room for the snapshots, which come at powers of two.
	if small.written > 0 && large.written > 14*small.written {
		t.Errorf("100,000 steps wrote %d bytes, 10,000 wrote %d", large.written, small.written)
	}
	if large.allocated > 14*small.allocated {
		t.Errorf("100,000 steps allocated %d bytes, 10,000 allocated %d", large.allocated, small.allocated)
	}
	// Time varies with what else the machine does. A step that went through all
	// records would take a hundred times as long in all.
	for range 3 {
		if large.cpu <= 40*small.cpu {
			return
		}
		small, large = measure(10_000), measure(100_000)
	}
	t.Errorf("100,000 steps took %v, 10,000 took %v", large.cpu, small.cpu)
}

// cost is what a piece of work has taken of this process.
type cost struct {
	written   int64 // bytes; 0 where the system does not count them
	allocated int64 // bytes
	cpu       time.Duration
}

func (c cost) minus(d cost) cost {
	return cost{c.written - d.written, c.allocated - d.allocated, c.cpu - d.cpu}
}

func costNow(t *testing.T) cost {
	t.Helper()
	var c cost
	if text, err := os.ReadFile("/proc/self/io"); err == nil {
		_, after, _ := strings.Cut(string(text), "wchar: ")
		if _, err := fmt.Sscan(after, &c.written); err != nil {
			t.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.allocated = int64(m.TotalAlloc)
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	c.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	return c
}

// A store says what helps against the limit of open files, and goes on when there
// are some again.
func TestTooManyOpenFiles(t *testing.T) {
	s := openFile(t, openDir(t, t.TempDir()), "a", store.Options{})
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	low := before
	low.Cur = 256
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	var open []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		open = append(open, f)
	}
	_, err := s.Put(t.Context(), store.Batch{Records: recs(t, "1", `{"id":1}`), Conflict: store.MergeFields})
	for _, f := range open {
		f.Close()
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("error is %v", err)
	}
	put(t, s, store.MergeFields, "1", `{"id":1}`)
	expect(t, s, `1={"id":1}`)
}
