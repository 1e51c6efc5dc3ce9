package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// usage is what a process took.
type usage struct {
	wall, cpu time.Duration
	memory    float64 // peak, in MiB
}

// spawn runs a program to its end, for at most limit.
//
// The kernel counts into a process's peak memory what its parent had when it
// began it, so this program must stay small: that is why the API is a process
// of its own.
func spawn(limit time.Duration, env []string, name string, args ...string) (usage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	started := time.Now()
	err := cmd.Run()
	wall := time.Since(started)
	if err != nil {
		return usage{}, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out.Bytes())
	}
	r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, fmt.Errorf("%s: the system does not tell what a process used", name)
	}
	return usage{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), memory: float64(r.Maxrss) / 1024}, nil
}

// startAPI starts the API's process.
func startAPI(self string, records int) (base string, stop func(), err error) {
	cmd := exec.Command(self, "serve", fmt.Sprint(records))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = in.Close() // which ends it
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the API did not start: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

// median returns the medians of what several runs took.
func median(us []usage) usage {
	return usage{
		wall:   middle(us, func(u usage) time.Duration { return u.wall }),
		cpu:    middle(us, func(u usage) time.Duration { return u.cpu }),
		memory: middle(us, func(u usage) float64 { return u.memory }),
	}
}

func middle[T time.Duration | float64](us []usage, get func(usage) T) T {
	var list []T
	for _, u := range us {
		list = append(list, get(u))
	}
	slices.Sort(list)
	return list[len(list)/2]
}
