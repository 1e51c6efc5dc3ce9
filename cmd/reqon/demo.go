package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/cmd/reqon/sampleapi"
	"reqon/runtime/credentials"
	"reqon/runtime/daemon"
	"reqon/runtime/engine"
	"reqon/runtime/telemetry"
	"reqon/testdata/examples"
)

// demoToken is what the sample API asks for. It is no secret: the API is
// reached from this machine only, and lives as long as the demo.
const demoToken = "demo-token-of-the-sample-shop"

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "a sample API on this machine, and a daemon with missions that sync from it",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Value: "reqon-demo", Usage: "`FOLDER` for the missions, the credentials and what they sync"},
			&cli.BoolFlag{Name: "once", Usage: "run every mission once, then exit"},
			&cli.BoolFlag{Name: "no-progress", Usage: "no progress line"},
			&cli.StringFlag{Name: "port", Value: "0", Usage: "`PORT` of health and metrics (default: a free one)"},
		},
		Action: demo,
	}
}

// demoFolder is where a demo lives. A later demo in the same folder goes on
// where the last one ended, so that its missions fetch only what has changed.
type demoFolder struct {
	dir     string
	started time.Time // of the first demo here
}

func (d demoFolder) missions() string    { return filepath.Join(d.dir, "missions") }
func (d demoFolder) credentials() string { return filepath.Join(d.dir, "credentials.json") }
func (d demoFolder) state() string       { return filepath.Join(d.dir, ".reqon-data") }

func demo(c *cli.Context) error {
	ports, err := address(c, "port")
	if err != nil {
		return exit(exitConfig, err)
	}
	d, err := makeDemo(c.String("dir"))
	if err != nil {
		return exit(exitConfig, err)
	}
	api, err := sampleapi.New(sampleapi.Options{Token: demoToken, Start: d.started, Faults: true}).Listen()
	if err != nil {
		return exit(exitConfig, err)
	}
	defer api.Close()
	out := c.App.Writer
	fmt.Fprintf(out, "A sample shop API listens on %s (its token is in %s).\n", api.URL, d.credentials())
	fmt.Fprintf(out, "The missions are in %s:\n", d.missions())
	for _, e := range examples.All() {
		fmt.Fprintf(out, "  %-16s %s\n", e.Mission, e.Shows)
	}
	fmt.Fprintln(out)
	if err := os.Setenv(examples.BaseEnv, api.URL); err != nil {
		return exit(exitConfig, err)
	}
	if !c.Bool("once") {
		return demoDaemon(c, d, ports)
	}
	err = demoOnce(c, d)
	fmt.Fprintf(out, "\nThe results lie in %s, one JSON object by key a store:\n", d.state())
	for _, e := range examples.All() {
		for _, store := range e.Stores {
			name := filepath.Join(d.state(), store+".json")
			if info, err := os.Stat(name); err == nil {
				fmt.Fprintf(out, "  %-40s %7d bytes\n", name, info.Size())
			}
		}
	}
	fmt.Fprintln(out, "Run it again, and only what has changed in the shop since is fetched.")
	return err
}

// demoOnce runs every example once.
func demoOnce(c *cli.Context, d demoFolder) error {
	args := []string{"reqon", "run", "--auth", d.credentials(), "--state-dir", d.state()}
	if c.Bool("no-progress") {
		args = append(args, "--no-progress")
	}
	return newApp(c.App.Writer, c.App.ErrWriter).Run(append(args, d.missions()))
}

// demoDaemon keeps the examples on their schedules, which are short, until
// Ctrl+C. ports is the address of health and metrics.
func demoDaemon(c *cli.Context, d demoFolder, ports string) error {
	redactor := &credentials.Redactor{}
	log := telemetry.New(telemetry.Options{Writer: c.App.ErrWriter, Redact: redactor.Redact, Level: telemetry.LevelInfo})
	detach(log)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	return daemonExit(daemon.Run(context.Background(), daemon.Config{
		Path: d.missions(), Auth: d.credentials(), Version: version, Signals: signals,
		HealthAddr: ports, MetricsAddr: ports, PortOption: "--port",
		Engine: engine.Config{StateDir: d.state(), Log: log, Redactor: redactor},
		Started: func(health, metrics string) {
			fmt.Fprintf(c.App.Writer, "The daemon runs until Ctrl+C. What to look at:\n")
			fmt.Fprintf(c.App.Writer, "  http://%s/health\n  http://%s/metrics\n", health, metrics)
			fmt.Fprintf(c.App.Writer, "  %s, one JSON object by key a store\n", filepath.Join(d.state(), "*.json"))
			fmt.Fprintf(c.App.Writer, "  reqon history --state-dir %s\n\n", d.state())
		},
	}))
}

// makeDemo writes the example missions and the credentials. What is there
// already is left alone: it may have been edited.
func makeDemo(dir string) (d demoFolder, err error) {
	d.dir = dir
	err = fs.WalkDir(examples.FS, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(d.missions(), filepath.FromSlash(path))
		if e.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := fs.ReadFile(examples.FS, path)
		if err != nil {
			return err
		}
		return writeNew(target, data, 0o644)
	})
	if err != nil {
		return d, fmt.Errorf("the demo's folder: %w; name another with --dir", err)
	}
	credentials, err := json.MarshalIndent(map[string]any{examples.Source: map[string]string{"type": "bearer", "token": demoToken}}, "", "  ")
	if err != nil {
		return d, err
	}
	if err := writeNew(d.credentials(), append(credentials, '\n'), 0o600); err != nil {
		return d, fmt.Errorf("the demo's credentials: %w", err)
	}
	info, err := os.Stat(d.credentials())
	if err != nil {
		return d, err
	}
	d.started = info.ModTime()
	return d, nil
}

// writeNew writes a file unless it is there.
func writeNew(name string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
