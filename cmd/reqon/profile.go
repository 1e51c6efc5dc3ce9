package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/urfave/cli/v2"
)

// profileFlags are for those who work on Reqon itself; the help does not list
// them.
func profileFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "cpuprofile", Hidden: true, Usage: "`FILE`: write a CPU profile"},
		&cli.StringFlag{Name: "memprofile", Hidden: true, Usage: "`FILE`: write a heap profile at the end"},
		&cli.StringFlag{Name: "trace", Hidden: true, Usage: "`FILE`: write an execution trace"},
	}
}

// profiled makes an action that writes the profiles of profileFlags.
func profiled(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		stop, err := startProfiles(c)
		if err != nil {
			return exit(exitConfig, errors.Join(err, stop()))
		}
		err = action(c)
		if e := stop(); e != nil && err == nil {
			return exit(exitConfig, e)
		}
		return err
	}
}

// startProfiles begins the profiles that are wanted. stop ends and writes them,
// also after an error.
func startProfiles(c *cli.Context) (stop func() error, err error) {
	var ends []func() error
	stop = func() error {
		var errs []error
		for _, end := range ends {
			errs = append(errs, end())
		}
		return errors.Join(errs...)
	}
	for _, p := range []struct {
		flag       string
		start      func(*os.File) error
		stopBefore func(*os.File) error
	}{
		{"trace", func(f *os.File) error { return trace.Start(f) }, func(*os.File) error { trace.Stop(); return nil }},
		{"cpuprofile", func(f *os.File) error { return pprof.StartCPUProfile(f) }, func(*os.File) error { pprof.StopCPUProfile(); return nil }},
		{"memprofile", func(*os.File) error { return nil }, func(f *os.File) error { runtime.GC(); return pprof.WriteHeapProfile(f) }},
	} {
		name := c.String(p.flag)
		if name == "" {
			continue
		}
		f, err := os.Create(name)
		if err != nil {
			return stop, fmt.Errorf("--%s: %w", p.flag, err)
		}
		if err := p.start(f); err != nil {
			return stop, errors.Join(fmt.Errorf("--%s: %w", p.flag, err), f.Close())
		}
		ends = append(ends, func() error { return errors.Join(p.stopBefore(f), f.Close()) })
	}
	return stop, nil
}
