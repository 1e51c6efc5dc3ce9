package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"reqon/compiler"
	"reqon/runtime/daemon"
)

// nextRuns is how many times of a cron expression are shown.
const nextRuns = 5

func cronCommand() *cli.Command {
	return &cli.Command{
		Name:      "cron",
		Usage:     "check a cron expression and print its next runs",
		ArgsUsage: "EXPRESSION",
		UsageText: "reqon cron \"0 9 * * *\" [options]\nreqon --validate-cron \"0 9 * * *\"",
		Description: `An expression has five fields: minute, hour, day of the month, month, day of the
week; or it is one of @hourly, @daily, @weekly, @monthly and @yearly.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "timezone", Usage: "`ZONE`: IANA time zone, such as Europe/Berlin (default the system's)"},
			&cli.IntFlag{Name: "n", Value: nextRuns, Usage: "`N`: how many runs to print (default 5)"},
		},
		Action: cronTimes,
	}
}

// validateCronFlags are the other name of `reqon cron`.
func validateCronFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "validate-cron", Hidden: true, Usage: "`EXPRESSION`: check a cron expression"},
		&cli.StringFlag{Name: "timezone", Hidden: true, Usage: "`ZONE`: that of --validate-cron"},
	}
}

// zoneOf is the time zone of --timezone; without it the system's.
func zoneOf(c *cli.Context) (*time.Location, error) {
	name := c.String("timezone")
	if name == "" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, exit(exitConfig, fmt.Errorf("--timezone %s: expected an IANA time zone such as Europe/Berlin", name))
	}
	return zone, nil
}

// maxCronTimes bounds what one command prints.
const maxCronTimes = 10_000

func cronTimes(c *cli.Context) error {
	expression := c.Args().First()
	switch c.NArg() {
	case 1:
	case 5: // without quotes, in a folder where the shell has found nothing to put for *
		expression = strings.Join(c.Args().Slice(), " ")
	default:
		return exit(exitConfig, fmt.Errorf(`expected one cron expression in quotes, found %s: reqon cron "0 9 * * *"`, plural(c.NArg(), "argument")))
	}
	n := c.Int("n")
	if n < 1 || n > maxCronTimes {
		return exit(exitConfig, fmt.Errorf("-n %d: expected a whole number from 1 to %d", n, maxCronTimes))
	}
	zone, err := zoneOf(c)
	if err != nil {
		return err
	}
	return writeCronTimes(c.App.Writer, expression, zone, time.Now(), n)
}

// writeCronTimes writes when a cron expression comes next.
func writeCronTimes(w io.Writer, expression string, zone *time.Location, from time.Time, n int) error {
	times, err := daemon.NextRuns(expression, zone, from, n)
	if err != nil {
		var cron *compiler.CronError
		if errors.As(err, &cron) && cron.Suggestion != "" {
			err = fmt.Errorf("%w; %s", err, cron.Suggestion)
		}
		return exit(exitConfig, fmt.Errorf("%q is no cron expression: %w", expression, err))
	}
	fmt.Fprintf(w, "%q is valid. Next runs:\n", expression)
	for _, t := range times {
		fmt.Fprintf(w, "  %s\n", t.Format("2006-01-02 15:04:05 Mon -07:00 MST"))
	}
	return nil
}
