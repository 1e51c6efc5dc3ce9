// Command e2e measures whole processes: the real reqon binary beside Go programs
// written by hand for the same work, against an API in a process of its own on
// loopback. It prints ratios with the targets that they are held against.
//
// Both sides take turns, and medians are compared. `-rounds 1 -more 0` is
// a quick look.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"time"
)

func main() {
	if err := role(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}

// role is what this process is for: it starts itself for the other sides.
func role() error {
	args := os.Args[1:]
	if len(args) > 1 {
		switch args[0] {
		case "serve":
			records, err := strconv.Atoi(args[1])
			if err != nil {
				return err
			}
			lines, err := os.ReadFile(filepath.Join("data", "records.ndjson"))
			if err != nil {
				return err
			}
			return serve(records, lines)
		case "sync", "sync-plainly":
			return syncByHand(args[1], args[2], args[0] == "sync-plainly")
		case "requests":
			count, err := strconv.Atoi(args[2])
			if err != nil {
				return err
			}
			return requestsByHand(args[1], count)
		case "compare":
			return sameRecords(args[1], args[2])
		case "start":
			return startByHand(args[1])
		}
	}
	return measure()
}

// bench is one run of this command.
type bench struct {
	reqon, self, dir string
	rounds           int
	limit            time.Duration
	count            int // of folders made
}

func measure() error {
	var (
		records  = flag.Int("records", 100_000, "records of the smaller sync, a multiple of 1,000")
		more     = flag.Int("more", 1_000_000, "records of the larger one; 0 leaves it out")
		requests = flag.Int("requests", 2_000, "requests of 5 ms")
		lines    = flag.Int("lines", 10_000, "lines of the mission to compile")
		rounds   = flag.Int("rounds", 5, "turns of each side")
		limit    = flag.Duration("limit", 3*time.Minute, "longest time of one process")
		binary   = flag.String("reqon", "", "reqon binary; built if not given")
		dir      = flag.String("dir", "", "folder for states and stores; a temporary one if not given")
		only     = flag.String("only", "", "one part alone: sync, stream, requests, start, compile")
	)
	flag.Parse()
	b := &bench{reqon: *binary, rounds: *rounds, limit: *limit}
	var err error
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(*dir, "reqon-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.reqon == "" {
		b.reqon = filepath.Join(b.dir, "reqon")
		build := exec.Command("go", "build", "-o", b.reqon, "reqon/cmd/reqon")
		build.Dir, build.Stderr = filepath.Join("..", ".."), os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building reqon: %w", err)
		}
	}
	var failed error
	for _, part := range []struct {
		name string
		run  func() error
	}{
		{"sync", func() error { return b.syncs(*records, *more) }},
		{"stream", func() error { return b.streams(*records, *more) }},
		{"requests", func() error { return b.requests(*requests) }},
		{"start", b.start},
		{"compile", func() error { return b.compile(*lines) }},
	} {
		if *only != "" && *only != part.name {
			continue
		}
		if err := part.run(); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", part.name, err))
		}
	}
	return failed
}

// mission gives the path of a mission of this folder.
func mission(name string) string { return filepath.Join("e2e", "missions", name+".reqon") }

// folder makes a new empty folder.
func (b *bench) folder() (string, error) {
	b.count++
	name := filepath.Join(b.dir, fmt.Sprint(b.count))
	return name, os.Mkdir(name, 0o700)
}

// turns has each side run in turn; each gets an empty folder, which is gone
// after it unless keep looks at it first.
func (b *bench) turns(sides []func(dir string) (usage, error), keep func(dirs []string) error) ([]usage, error) {
	all := make([][]usage, len(sides))
	for range b.rounds {
		dirs := make([]string, len(sides))
		for i, side := range sides {
			var err error
			if dirs[i], err = b.folder(); err != nil {
				return nil, err
			}
			u, err := side(dirs[i])
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], u)
		}
		if keep != nil {
			if err := keep(dirs); err != nil {
				return nil, err
			}
			keep = nil
		}
		for _, dir := range dirs {
			if err := os.RemoveAll(dir); err != nil {
				return nil, err
			}
		}
	}
	medians := make([]usage, len(sides))
	for i := range sides {
		medians[i] = median(all[i])
	}
	return medians, nil
}

// run is a side that runs a mission.
func (b *bench) run(name, base string, args ...string) func(dir string) (usage, error) {
	return func(dir string) (usage, error) {
		args := append([]string{mission(name), "--state-dir", dir, "--no-progress"}, args...)
		return spawn(b.limit, []string{"BENCH_API=" + base}, b.reqon, args...)
	}
}

// byHand is a side that runs this program in another role.
func (b *bench) byHand(args ...string) func(dir string) (usage, error) {
	return func(dir string) (usage, error) { return spawn(b.limit, nil, b.self, append(args, dir)...) }
}

// syncs measures fetch, map, validate and store.
func (b *bench) syncs(records, more int) error {
	small, err := b.sync(records, true)
	if err != nil {
		return err
	}
	heading(fmt.Sprintf("%s records: fetch, map, validate, file store", thousands(records)))
	show(small, "by hand", "by hand, writing row by row")
	target("time", ratio(small[0].wall, small[1].wall), 0.8, "× by hand")
	target("memory", small[0].memory/small[1].memory, 0.5, "× by hand")
	if more == 0 {
		return nil
	}
	large, err := b.sync(more, false)
	if err != nil {
		return err
	}
	heading(fmt.Sprintf("%s records", thousands(more)))
	show(large, "by hand", "by hand, writing row by row")
	target("growth in time", ratio(large[0].wall, small[0].wall), ratio(large[1].wall, small[1].wall), "×, as by hand")
	target("memory", large[0].memory/large[1].memory, 0.5, "× by hand (the target of the smaller one)")
	return nil
}

func (b *bench) sync(records int, compare bool) ([]usage, error) {
	base, stop, err := startAPI(b.self, records)
	if err != nil {
		return nil, err
	}
	defer stop()
	var keep func([]string) error
	if compare {
		keep = func(dirs []string) error {
			_, err := spawn(b.limit, nil, b.self, "compare", dirs[0], dirs[1])
			return err
		}
	}
	return b.turns([]func(string) (usage, error){b.run("sync", base), b.byHand("sync-plainly", base), b.byHand("sync", base)}, keep)
}

// sameRecords holds that both sides stored the same. It takes so much memory that
// it is a process of its own: see spawn.
func sameRecords(dirs ...string) error {
	var stored []map[string]any
	for _, dir := range dirs {
		data, err := os.ReadFile(filepath.Join(dir, "orders.json"))
		if err != nil {
			return err
		}
		var records map[string]any
		if err := json.Unmarshal(data, &records); err != nil {
			return err
		}
		stored = append(stored, records)
	}
	for key, record := range stored[1] {
		if !reflect.DeepEqual(stored[0][key], record) {
			return fmt.Errorf("the two sides stored different records: %v and %v", stored[0][key], record)
		}
	}
	if len(stored[0]) != len(stored[1]) {
		return fmt.Errorf("the two sides stored %d and %d records", len(stored[0]), len(stored[1]))
	}
	return nil
}

// streams measures what streaming keeps in memory.
func (b *bench) streams(records, more int) error {
	if more == 0 {
		more = 4 * records
	}
	var sizes []usage
	for _, n := range []int{records, more} {
		base, stop, err := startAPI(b.self, n)
		if err != nil {
			return err
		}
		us, err := b.turns([]func(string) (usage, error){b.run("stream", base)}, nil)
		stop()
		if err != nil {
			return err
		}
		sizes = append(sizes, us...)
	}
	heading(fmt.Sprintf("%s and %s records, streamed into a sink that keeps nothing", thousands(records), thousands(more)))
	printUsage("  "+thousands(records), sizes[0])
	printUsage("  "+thousands(more), sizes[1])
	target("growth in memory", sizes[1].memory/sizes[0].memory, 1.3, "×")
	return nil
}

// requests measures many slow requests at once.
func (b *bench) requests(count int) error {
	base, stop, err := startAPI(b.self, 0)
	if err != nil {
		return err
	}
	defer stop()
	us, err := b.turns([]func(string) (usage, error){
		b.run("requests", base, "--param", fmt.Sprintf("count=%d", count)),
		b.byHand("requests", base, fmt.Sprint(count)),
	}, nil)
	if err != nil {
		return err
	}
	ideal := slowDelay * time.Duration(count) / 32
	heading(fmt.Sprintf("%s requests of 5 ms, 32 at once (ideal %s)", thousands(count), ideal))
	show(us, "by hand")
	target("time", ratio(us[0].wall, us[1].wall), 1.1, "× by hand")
	return nil
}

// compile measures `reqon compile`.
func (b *bench) compile(lines int) error {
	name := filepath.Join(b.dir, "long.reqon")
	src, err := longMission(lines)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, src, 0o600); err != nil {
		return err
	}
	us, err := b.turns([]func(string) (usage, error){func(dir string) (usage, error) {
		return spawn(b.limit, nil, b.reqon, "compile", name, "-o", filepath.Join(dir, "long.reqc"))
	}, func(string) (usage, error) {
		return spawn(b.limit, nil, b.reqon, "version")
	}}, nil)
	if err != nil {
		return err
	}
	heading(fmt.Sprintf("reqon compile of %s lines", thousands(lines)))
	printUsage("  compile", us[0])
	printUsage("  version, for the bare process", us[1])
	target("time", milliseconds(us[0].wall), 100, "ms")
	return nil
}
