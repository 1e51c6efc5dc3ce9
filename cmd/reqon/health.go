package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/urfave/cli/v2"
)

func healthCommand() *cli.Command {
	return &cli.Command{
		Name:      "health",
		Usage:     "ask a daemon whether it is well: exit code 0 if it says ok, else 1",
		ArgsUsage: "URL",
		Description: `URL is the address that --health-port gives the daemon, such as localhost:8080.
Its path is /health unless another is named. A daemon is degraded while a mission
is not loaded as its file stands, has failed, or has not succeeded for long. For
the health checks of containers take --allow-degraded, or the path /health/live:
that a mission fails is no reason to start the daemon again.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "timeout", Value: "5s", Usage: "`TIME`: how long to wait for the answer (default 5s)"},
			&cli.BoolFlag{Name: "allow-degraded", Usage: "exit code 0 also for a daemon that is degraded"},
		},
		Action: health,
	}
}

// maxHealth is how much of an answer is read, in bytes.
const maxHealth = 1 << 20

func health(c *cli.Context) error {
	if c.NArg() != 1 {
		return exit(exitConfig, errors.New("expected one address: reqon health http://localhost:8080/health"))
	}
	target, err := healthURL(c.Args().First())
	if err != nil {
		return exit(exitConfig, err)
	}
	timeout, err := timeFlag(c, "timeout")
	if err == nil && timeout == 0 {
		err = errors.New("--timeout: expected a time such as 5s")
	}
	if err != nil {
		return exit(exitConfig, err)
	}
	ctx, cancel := context.WithTimeout(c.Context, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return exit(exitConfig, err)
	}
	// A daemon is reached directly, whatever proxy there is for the world.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return exit(exitFailed, fmt.Errorf("the daemon does not answer: %w", err))
	}
	defer resp.Body.Close() // it was only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxHealth))
	if err != nil {
		return exit(exitFailed, fmt.Errorf("the daemon does not answer: %w", err))
	}
	var answer struct {
		Status   string
		Problems []struct{ Mission, File, Error string }
	}
	if json.Unmarshal(body, &answer) != nil || answer.Status == "" {
		answer.Status = oneLine(strings.TrimSpace(string(body)), 80)
	}
	if resp.StatusCode != http.StatusOK {
		return exit(exitFailed, fmt.Errorf("%s answers %s %s", target, resp.Status, answer.Status))
	}
	fmt.Fprintln(c.App.Writer, answer.Status)
	for _, p := range answer.Problems {
		what := cmp.Or(p.Mission, p.File, "daemon")
		fmt.Fprintf(c.App.ErrWriter, "%s: %s\n", oneLine(what, 200), oneLine(p.Error, 500))
	}
	switch {
	case answer.Status == "ok", answer.Status == "degraded" && c.Bool("allow-degraded"):
		return nil
	}
	return exit(exitFailed, nil)
}

// healthURL completes an address: of localhost:8080 it makes
// http://localhost:8080/health.
func healthURL(text string) (string, error) {
	whole := text
	if !strings.Contains(text, "://") {
		whole = "http://" + text
	}
	u, err := url.Parse(whole)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%s is no address, expected one such as http://localhost:8080/health", text)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/health"
	}
	return u.String(), nil
}
